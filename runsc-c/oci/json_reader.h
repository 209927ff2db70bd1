/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads values out of a JSON document whose author is not trusted, and says where in it a wrong one
 * stands: "config.json: process.args[2]: not a string". The document is jansson's; sizes and depths
 * were bounded when it was loaded.
 */
#pragma once

#include "runsc-c/failure.h"
#include "runsc-c/oci/arena.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define JSON_FILE_MAX (16u << 20)

struct reader {
	const char *file;  /* what errors call the document */
	char place[256];   /* where in it the reader is */
	bool from_command; /* the document was read before, and prepared for a sentry */
	struct arena *arena;
	struct failure *failure;
};

/* NULL, and failure is filled: not there, too large, not JSON (with line and column). The caller's
 * reference. */
json_t *json_load_path(int dirfd, const char *path, const char *shown, struct failure *failure);
json_t *json_load_fd(int fd, const char *shown, struct failure *failure);
json_t *json_load_text(const char *text, size_t size, const char *shown, struct failure *failure);

/* All return 0, or -1 with failure filled. */
int reader_fail(struct reader *reader, const char *format, ...) format_(2, 3);
/* Down to a member or an element, and back up to where a step down began. */
size_t reader_enter(struct reader *reader, const char *name);
size_t reader_enter_index(struct reader *reader, size_t index);
void reader_leave(struct reader *reader, size_t mark);

/* A member of an object; what is not there (or null) leaves *out as it is, unless it must be there.
 */
must_check int read_object(struct reader *reader, json_t *object, const char *name, json_t **out);
must_check int read_array(struct reader *reader, json_t *object, const char *name, json_t **out);
must_check int read_string(
	struct reader *reader, json_t *object, const char *name, const char **out);
must_check int read_required_string(
	struct reader *reader, json_t *object, const char *name, const char **out);
must_check int read_bool(struct reader *reader, json_t *object, const char *name, bool *out);
must_check int read_integer(struct reader *reader, json_t *object, const char *name, int64_t least,
	int64_t most, int64_t *out);
/* Larger ones than fit are UINT64_MAX. */
must_check int read_unsigned(
	struct reader *reader, json_t *object, const char *name, uint64_t most, uint64_t *out);
must_check int read_u32(struct reader *reader, json_t *object, const char *name, uint32_t *out);
/* NULL-terminated; NULL when it is not there. */
must_check int read_strings(struct reader *reader, json_t *object, const char *name,
	const char *const **out, size_t *count);
/* An object of strings: names and values in turn. */
struct string_pair {
	const char *name, *value;
};
must_check int read_pairs(struct reader *reader, json_t *object, const char *name,
	struct string_pair **out, size_t *count);
/* Calls each for every element of an array of objects, with room for its result in *out (of size).
 */
must_check int read_objects(struct reader *reader, json_t *object, const char *name, size_t size,
	int (*each)(struct reader *reader, json_t *element, void *out), void **out, size_t *count);
/* The index of a word in a list that NULL ends; -1, and failure is filled, when it is none of them.
 */
int read_word(struct reader *reader, const char *word, const char *const *words);
/* -1 if the member is there: it is not supported, for the reason. */
must_check int refuse(struct reader *reader, json_t *object, const char *name, const char *reason);
