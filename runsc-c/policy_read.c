/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a policy: what it says, and the line on which it says that. */
#include "runsc-c/policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_LIMIT (16u << 20)
#define PATH_LIMIT 256
#define DEPTH_MAX  16

static char *read_text(const char *file, size_t *size, struct failure *failure)
{
	FILE *stream = fopen(file, "re");
	char *text = stream ? malloc(SIZE_LIMIT + 1) : NULL;

	if (!text) {
		(void)fail_errno(failure, errno, "--policy: cannot read %s", file);
		if (stream)
			(void)fclose(stream);
		return NULL;
	}
	errno = 0;
	*size = fread(text, 1, SIZE_LIMIT + 1, stream);
	if (ferror(stream) || *size > SIZE_LIMIT) {
		(void)fail_errno(failure, ferror(stream) && errno ? errno : EFBIG,
			"--policy: cannot read %s", file);
		free(text);
		text = NULL;
	} else {
		text[*size] = '\0';
	}
	(void)fclose(stream);
	return text;
}

/* --- lines of JSON, which the parser does not keep; the text is known to be valid --- */

struct scan {
	const char *at;
	int line;
	json_t *lines;
	char path[PATH_LIMIT];
};

static void skip_space(struct scan *scan)
{
	for (; *scan->at && strchr(" \t\r\n,:", *scan->at); scan->at++)
		scan->line += *scan->at == '\n';
}

static void skip_string(struct scan *scan)
{
	for (scan->at++; *scan->at && *scan->at != '"'; scan->at++) {
		if (*scan->at == '\\' && scan->at[1])
			scan->at++;
	}
	scan->at += *scan->at == '"';
}

static void scan_value(struct scan *scan, size_t length, int depth);

/* The members of an object, or the elements of an array. */
static void scan_members(struct scan *scan, size_t length, int depth)
{
	char end = *scan->at++ == '{' ? '}' : ']';

	for (unsigned int i = 0;; i++) {
		const char *key;
		int added;

		skip_space(scan);
		if (!*scan->at || *scan->at == end)
			break;
		if (end == '}') {
			key = scan->at + 1;
			skip_string(scan);
			added = snprintf(scan->path + length, PATH_LIMIT - length, "%s%.*s",
				length ? "." : "", (int)(scan->at - 1 - key), key);
			skip_space(scan);
		} else {
			added = snprintf(scan->path + length, PATH_LIMIT - length, ".%u", i);
		}
		if (added < 0 || length + (size_t)added >= PATH_LIMIT)
			added = 0;
		json_object_set_new(scan->lines, scan->path, json_integer(scan->line));
		scan_value(scan, length + (size_t)added, depth + 1);
		scan->path[length] = '\0';
	}
	scan->at += *scan->at != '\0';
}

/* What is deeper than any policy is only passed over. */
static void scan_value(struct scan *scan, size_t length, int depth)
{
	if (*scan->at == '"')
		skip_string(scan);
	else if ((*scan->at == '{' || *scan->at == '[') && depth < DEPTH_MAX)
		scan_members(scan, length, depth);
	else
		scan->at += strcspn(scan->at, ",]} \t\r\n");
}

static json_t *parse_json(
	const char *text, size_t size, json_t *lines, char *message, size_t message_size, int *line)
{
	json_error_t error;
	json_t *content = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	struct scan scan = {.at = text, .line = 1, .lines = lines};

	if (!content) {
		*line = error.line;
		(void)snprintf(message, message_size, "%s", error.text);
		return NULL;
	}
	skip_space(&scan);
	scan_value(&scan, 0, 0);
	return content;
}

/* --- both --- */

static bool is_json(const char *text)
{
	return text[strspn(text, " \t\r\n")] == '{';
}

int policy_read(const char *file, struct policy_file *policy, struct failure *failure)
{
	char message[256] = "";
	size_t size;
	int line = 0;
	char *text = read_text(file, &size, failure);

	if (!text)
		return -1;
	policy->lines = json_object();
	policy->content = (is_json(text) ? parse_json : policy_parse_toml)(
		text, size, policy->lines, message, sizeof(message), &line);
	free(text);
	if (policy->content && json_is_object(policy->content))
		return 0;
	policy_file_free(policy);
	return fail(failure, STATUS_INTERNAL, "%s:%d: %s", file, line,
		message[0] ? message : "this is no table");
}

void policy_file_free(struct policy_file *policy)
{
	json_decref(policy->content);
	json_decref(policy->lines);
	*policy = (struct policy_file){0};
}
