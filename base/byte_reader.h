/* SPDX-License-Identifier: Apache-2.0 */
/* Reads little-endian numbers and slices from bytes that nobody vouches for; past the end it fails,
 * and stays failed. */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct byte_reader {
	const uint8_t *bytes;
	size_t size;
	size_t position;
	bool failed;
};

static inline struct byte_reader byte_reader_new(const void *bytes, size_t size)
{
	return (struct byte_reader){.bytes = bytes, .size = size};
}

/* Copies n bytes out; on a short input clears the destination and fails the reader. */
static inline bool byte_reader_copy(struct byte_reader *reader, void *destination, size_t n)
{
	if (reader->failed || n > reader->size - reader->position) {
		reader->failed = true;
		memset(destination, 0, n);
		return false;
	}
	memcpy(destination, reader->bytes + reader->position, n);
	reader->position += n;
	return true;
}

static inline bool byte_reader_seek(struct byte_reader *reader, uint64_t position)
{
	if (position > reader->size)
		reader->failed = true;
	else
		reader->position = position;
	return !reader->failed;
}

static inline uint32_t byte_reader_u32(struct byte_reader *reader)
{
	uint32_t value;

	(void)byte_reader_copy(reader, &value, sizeof(value));
	return value;
}

static inline uint64_t byte_reader_u64(struct byte_reader *reader)
{
	uint64_t value;

	(void)byte_reader_copy(reader, &value, sizeof(value));
	return value;
}
