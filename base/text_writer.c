/* SPDX-License-Identifier: Apache-2.0 */
/* A growing text buffer. */
#include "base/text_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(struct text_writer *writer, size_t more)
{
	size_t capacity = writer->capacity ? writer->capacity : 256;
	char *text;

	if (writer->failed)
		return false;
	if (writer->size + more + 1 <= writer->capacity)
		return true;
	while (capacity < writer->size + more + 1)
		capacity *= 2;
	text = realloc(writer->text, capacity);
	if (!text) {
		writer->failed = true;
		return false;
	}
	writer->text = text;
	writer->capacity = capacity;
	return true;
}

void text_append(struct text_writer *writer, const void *bytes, size_t size)
{
	if (!reserve(writer, size))
		return;
	memcpy(writer->text + writer->size, bytes, size);
	writer->size += size;
	writer->text[writer->size] = '\0';
}

void text_printf(struct text_writer *writer, const char *format, ...)
{
	va_list arguments, again;
	int size;

	va_start(arguments, format);
	va_copy(again, arguments);
	size = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (size >= 0 && reserve(writer, (size_t)size)) {
		vsnprintf(writer->text + writer->size, (size_t)size + 1, format, again);
		writer->size += (size_t)size;
	}
	va_end(again);
}

void text_writer_free(struct text_writer *writer)
{
	free(writer->text);
	*writer = (struct text_writer){0};
}
