/* SPDX-License-Identifier: Apache-2.0 */
/* Reads values out of JSON that is not trusted. */
#include "runsc-c/oci/json_reader.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define UINT64_LIMIT 18446744073709551616.0

/* --- documents --- */

json_t *json_load_text(const char *text, size_t size, const char *shown, struct failure *failure)
{
	const size_t flags = JSON_REJECT_DUPLICATES;
	json_error_t error;
	json_t *root = json_loadb(text, size, flags, &error);

	/* An unsigned number of 64 bits does not fit jansson's integers. */
	if (!root && json_error_code(&error) == json_error_numeric_overflow)
		root = json_loadb(text, size, flags | JSON_DECODE_INT_AS_REAL, &error);
	if (!root) {
		(void)fail(failure, STATUS_INTERNAL, "%s: line %d, column %d: %s", shown,
			error.line, error.column, error.text);
		return NULL;
	}
	if (!json_is_object(root)) {
		(void)fail(failure, STATUS_INTERNAL, "%s: not a JSON object", shown);
		json_decref(root);
		return NULL;
	}
	return root;
}

static int read_all(int fd, char *text, size_t size, size_t *got)
{
	ssize_t piece = 1;

	for (*got = 0; *got < size && piece > 0; *got += (size_t)piece) {
		piece = read(fd, text + *got, size - *got);
		if (piece < 0 && errno == EINTR) {
			piece = 1;
			*got -= 1;
		} else if (piece < 0) {
			return -1;
		}
	}
	return 0;
}

json_t *json_load_fd(int fd, const char *shown, struct failure *failure)
{
	auto_free char *text = NULL;
	struct stat status;
	size_t size;

	if (fd < 0 || fstat(fd, &status)) {
		(void)fail_errno(failure, errno, "cannot read %s", shown);
		return NULL;
	}
	if (S_ISDIR(status.st_mode)) {
		(void)fail(failure, STATUS_INTERNAL, "%s: is a directory", shown);
		return NULL;
	}
	if (status.st_size > (off_t)JSON_FILE_MAX) {
		(void)fail(failure, STATUS_INTERNAL,
			"%s: %lld bytes, more than the %u that are read", shown,
			(long long)status.st_size, JSON_FILE_MAX);
		return NULL;
	}
	text = malloc(JSON_FILE_MAX);
	if (!text || read_all(fd, text, JSON_FILE_MAX, &size)) {
		(void)fail_errno(failure, text ? errno : ENOMEM, "cannot read %s", shown);
		return NULL;
	}
	return json_load_text(text, size, shown, failure);
}

/* Nothing that lies there keeps the caller waiting. */
json_t *json_load_path(int dirfd, const char *path, const char *shown, struct failure *failure)
{
	auto_close int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return json_load_fd(fd, shown, failure);
}

/* --- places --- */

int reader_fail(struct reader *reader, const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return fail(reader->failure, STATUS_INTERNAL, "%s: %s%s%s", reader->file, reader->place,
		reader->place[0] ? ": " : "", text);
}

size_t reader_enter(struct reader *reader, const char *name)
{
	size_t mark = strlen(reader->place);

	snprintf(reader->place + mark, sizeof(reader->place) - mark, "%s%s", mark ? "." : "", name);
	return mark;
}

size_t reader_enter_index(struct reader *reader, size_t index)
{
	size_t mark = strlen(reader->place);

	snprintf(reader->place + mark, sizeof(reader->place) - mark, "[%zu]", index);
	return mark;
}

void reader_leave(struct reader *reader, size_t mark)
{
	reader->place[mark] = '\0';
}

/* --- members --- */

static json_t *member(json_t *object, const char *name)
{
	json_t *value = json_object_get(object, name);

	return json_is_null(value) ? NULL : value;
}

static int fail_member(struct reader *reader, const char *name, const char *what)
{
	size_t mark = reader_enter(reader, name);

	(void)reader_fail(reader, "%s", what);
	reader_leave(reader, mark);
	return -1;
}

int read_object(struct reader *reader, json_t *object, const char *name, json_t **out)
{
	json_t *value = member(object, name);

	if (value && !json_is_object(value))
		return fail_member(reader, name, "not an object");
	if (value)
		*out = value;
	return 0;
}

int read_array(struct reader *reader, json_t *object, const char *name, json_t **out)
{
	json_t *value = member(object, name);

	if (value && !json_is_array(value))
		return fail_member(reader, name, "not an array");
	if (value)
		*out = value;
	return 0;
}

/* A string that C can hold: no NUL inside. */
static const char *plain_string(json_t *value)
{
	if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
		return NULL;
	return json_string_value(value);
}

int read_string(struct reader *reader, json_t *object, const char *name, const char **out)
{
	json_t *value = member(object, name);
	const char *text;

	if (!value)
		return 0;
	text = plain_string(value);
	if (!text)
		return fail_member(reader, name, "not a string");
	*out = arena_string(reader->arena, text);
	return *out ? 0 : fail_member(reader, name, "no memory");
}

int read_required_string(struct reader *reader, json_t *object, const char *name, const char **out)
{
	if (!member(object, name))
		return fail_member(reader, name, "missing");
	return read_string(reader, object, name, out);
}

int read_bool(struct reader *reader, json_t *object, const char *name, bool *out)
{
	json_t *value = member(object, name);

	if (value && !json_is_boolean(value))
		return fail_member(reader, name, "not true or false");
	if (value)
		*out = json_is_true(value);
	return 0;
}

int read_integer(struct reader *reader, json_t *object, const char *name, int64_t least,
	int64_t most, int64_t *out)
{
	json_t *value = member(object, name);
	double real;

	if (!value)
		return 0;
	real = json_number_value(value);
	if (!json_is_number(value) || real != floor(real) || fabs(real) > 9.2e18)
		return fail_member(reader, name, "not an integer");
	*out = json_is_integer(value) ? json_integer_value(value) : (int64_t)real;
	if (*out < least || *out > most)
		return fail_member(reader, name, "out of range");
	return 0;
}

int read_unsigned(
	struct reader *reader, json_t *object, const char *name, uint64_t most, uint64_t *out)
{
	json_t *value = member(object, name);
	double real;

	if (!value)
		return 0;
	real = json_number_value(value);
	if (!json_is_number(value) || real != floor(real) || real < 0 || real > UINT64_LIMIT)
		return fail_member(reader, name, "not an unsigned integer");
	if (json_is_integer(value))
		*out = (uint64_t)json_integer_value(value);
	else
		*out = real >= UINT64_LIMIT ? UINT64_MAX : (uint64_t)real;
	return *out > most ? fail_member(reader, name, "out of range") : 0;
}

int read_u32(struct reader *reader, json_t *object, const char *name, uint32_t *out)
{
	uint64_t value = *out;

	if (read_unsigned(reader, object, name, UINT32_MAX, &value))
		return -1;
	*out = (uint32_t)value;
	return 0;
}

int read_strings(struct reader *reader, json_t *object, const char *name, const char *const **out,
	size_t *count)
{
	json_t *array = NULL;
	const char **strings;
	size_t size;

	if (count)
		*count = 0;
	if (read_array(reader, object, name, &array))
		return -1;
	if (!array)
		return 0;
	size = json_array_size(array);
	strings = arena_allocate(reader->arena, size + 1, sizeof(*strings));
	if (!strings)
		return fail_member(reader, name, "no memory");
	for (size_t i = 0; i < size; i++) {
		size_t mark = reader_enter(reader, name);
		const char *text = plain_string(json_array_get(array, i));

		reader_enter_index(reader, i);
		if (!text)
			return reader_fail(reader, "not a string");
		strings[i] = arena_string(reader->arena, text);
		if (!strings[i])
			return reader_fail(reader, "no memory");
		reader_leave(reader, mark);
	}
	*out = strings;
	if (count)
		*count = size;
	return 0;
}

int read_pairs(struct reader *reader, json_t *object, const char *name, struct string_pair **out,
	size_t *count)
{
	struct string_pair *pairs;
	json_t *map = NULL, *value;
	const char *key;
	size_t mark;

	*count = 0;
	if (read_object(reader, object, name, &map))
		return -1;
	if (!map)
		return 0;
	pairs = arena_allocate(reader->arena, json_object_size(map), sizeof(*pairs));
	mark = reader_enter(reader, name);
	json_object_foreach(map, key, value)
	{
		struct string_pair *pair = pairs ? &pairs[(*count)++] : NULL;
		const char *text = plain_string(value);

		if (!text)
			return fail_member(reader, key, "not a string");
		if (!pair || !(pair->name = arena_string(reader->arena, key)) ||
			!(pair->value = arena_string(reader->arena, text)))
			return reader_fail(reader, "no memory");
	}
	reader_leave(reader, mark);
	*out = pairs;
	return 0;
}

int read_objects(struct reader *reader, json_t *object, const char *name, size_t size,
	int (*each)(struct reader *reader, json_t *element, void *out), void **out, size_t *count)
{
	json_t *array = NULL;
	size_t mark;
	char *items;

	*count = 0;
	if (read_array(reader, object, name, &array))
		return -1;
	if (!array)
		return 0;
	*count = json_array_size(array);
	items = arena_allocate(reader->arena, *count + 1, size);
	mark = reader_enter(reader, name);
	if (!items)
		return reader_fail(reader, "no memory");
	for (size_t i = 0; i < *count; i++) {
		json_t *element = json_array_get(array, i);
		size_t inner = reader_enter_index(reader, i);

		if (!json_is_object(element))
			return reader_fail(reader, "not an object");
		if (each(reader, element, items + i * size))
			return -1;
		reader_leave(reader, inner);
	}
	reader_leave(reader, mark);
	*out = items;
	return 0;
}

int read_word(struct reader *reader, const char *word, const char *const *words)
{
	for (int i = 0; words[i]; i++) {
		if (!strcmp(words[i], word))
			return i;
	}
	return reader_fail(reader, "%s is not known", word);
}

int refuse(struct reader *reader, json_t *object, const char *name, const char *reason)
{
	json_t *value = member(object, name);
	size_t mark;

	if (!value || (json_is_array(value) && !json_array_size(value)) ||
		(json_is_object(value) && !json_object_size(value)) || json_is_false(value) ||
		(json_is_string(value) && !json_string_length(value)))
		return 0;
	mark = reader_enter(reader, name);
	(void)reader_fail(reader, "not supported: %s", reason);
	reader_leave(reader, mark);
	return -1;
}
