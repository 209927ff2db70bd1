/* SPDX-License-Identifier: Apache-2.0 */
/* A growing text buffer for generated files (proc) and reports. Out of memory sticks: check
 * text_writer_failed() once at the end. */
#pragma once

#include "base/compiler.h"

#include <stdarg.h>
#include <stdbool.h>

struct text_writer {
	char *text; /* NUL-terminated once something was written */
	size_t size;
	size_t capacity;
	bool failed;
};

void text_printf(struct text_writer *writer, const char *format, ...) format_(2, 3);
void text_append(struct text_writer *writer, const void *bytes, size_t size);
void text_writer_free(struct text_writer *writer);

static inline bool text_writer_failed(const struct text_writer *writer)
{
	return writer->failed;
}
