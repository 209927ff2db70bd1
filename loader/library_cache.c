/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /etc/ld.so.cache, where ldconfig(8) notes which library lies where: a header, entries, and their
 * strings. The older format, which glibc wrote beside it until 2.31, is not read.
 */
#include "base/compiler.h"
#include "loader/loader.h"

#include <string.h>

#define MAGIC	    "glibc-ld.so.cache1.1"
#define X86_64_LIB6 0x0303 /* of glibc, 64 bits; other bits are other machines' */

struct cache_header {
	char magic[sizeof(MAGIC) - 1];
	uint32_t count;
	uint32_t string_size;
	uint32_t rest[5];
};

struct cache_entry {
	int32_t flags;
	uint32_t name, path; /* offsets in the file */
	uint32_t os_version;
	uint64_t hwcap;
};

static const char *string_at(const char *bytes, size_t size, uint32_t offset)
{
	return offset < size && memchr(bytes + offset, '\0', size - offset) ? bytes + offset : NULL;
}

const char *loader_library_cache_next(
	const void *bytes, size_t size, const char *name, size_t *position)
{
	struct cache_header header;
	struct cache_entry entry;

	if (size < sizeof(header))
		return NULL;
	memcpy(&header, bytes, sizeof(header));
	if (memcmp(header.magic, MAGIC, sizeof(header.magic)) != 0)
		return NULL;
	while (*position < min_u64(header.count, (size - sizeof(header)) / sizeof(entry))) {
		const char *key, *path;

		memcpy(&entry, (const char *)bytes + sizeof(header) + *position * sizeof(entry),
			sizeof(entry));
		(*position)++;
		if ((entry.flags & 0xffff) != X86_64_LIB6)
			continue;
		key = string_at(bytes, size, entry.name);
		path = string_at(bytes, size, entry.path);
		if (key && path && !strcmp(key, name))
			return path;
	}
	return NULL;
}
