/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a policy from what a run touched: each path with what was done to it, unless a directory
 * says it already. A directory as a whole is named only where names are others each time: in file
 * systems for temporary files, where a name was made and taken away again or renamed, and where
 * many were made.
 */
#include "runsc-c/policy.h"

#include "runsc-c/outcome.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MANY_NAMES 8
#define SIZE_LIMIT (256l << 20)

struct need {
	char *text; /* owned */
	unsigned int access;
};

struct needs {
	struct need *list;
	size_t count, room;
};

static int add(struct needs *needs, const char *text, size_t size, unsigned int access)
{
	if (needs->count == needs->room) {
		size_t room = needs->room ? 2 * needs->room : 256;
		struct need *list = reallocarray(needs->list, room, sizeof(*list));

		if (!list)
			return -1;
		needs->list = list;
		needs->room = room;
	}
	needs->list[needs->count] = (struct need){strndup(text, size), access};
	return needs->list[needs->count].text ? (needs->count++, 0) : -1;
}

/* A process has another number next time. */
static int add_record(struct needs *needs, const char *text, unsigned int access)
{
	size_t digits = strspn(text + (strlen(text) < 6 ? strlen(text) : 6), "0123456789");
	char *general;
	int error;

	if (strncmp(text, "/proc/", 6) != 0 || !digits)
		return add(needs, text, strlen(text), access);
	if (asprintf(&general, "/proc/*%s", text + 6 + digits) < 0)
		return -1;
	error = add(needs, general, strlen(general), access);
	free(general);
	return error;
}

static int read_records(int fd, struct needs *needs)
{
	struct stat status;
	FILE *stream;
	char *line = NULL;
	size_t room = 0;
	int error = 0, own = dup(fd);

	if (own < 0 || fstat(own, &status) || status.st_size > SIZE_LIMIT ||
		lseek(own, 0, SEEK_SET) < 0)
		return -1;
	stream = fdopen(own, "r");
	if (!stream)
		return -1;
	while (!error && getdelim(&line, &room, '\0', stream) > 0) {
		char *text;
		unsigned long access = strtoul(line, &text, 10);

		if (*text == ' ' && text[1])
			error = add_record(needs, text + 1, (unsigned int)access);
	}
	free(line);
	(void)fclose(stream);
	return error;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct need *)a)->text, ((const struct need *)b)->text);
}

static void merge(struct needs *needs)
{
	size_t kept = 0;

	if (needs->count)
		qsort(needs->list, needs->count, sizeof(*needs->list), compare);
	for (size_t i = 0; i < needs->count; i++) {
		struct need *last = kept ? &needs->list[kept - 1] : NULL;

		if (last && !strcmp(last->text, needs->list[i].text)) {
			last->access |= needs->list[i].access;
			free(needs->list[i].text);
		} else {
			needs->list[kept++] = needs->list[i];
		}
	}
	needs->count = kept;
}

static struct need *find(const struct needs *needs, const char *text)
{
	struct need key = {.text = (char *)(uintptr_t)text};

	return needs->count ? bsearch(&key, needs->list, needs->count, sizeof(key), compare) : NULL;
}

static bool is_path(const struct need *need)
{
	return need->text[0] == '/' && !(need->access & (POLICY_CONNECT | POLICY_BIND));
}

static size_t parent_size(const char *path)
{
	size_t size = (size_t)(strrchr(path, '/') - path);

	return size ? size : 1;
}

/* How many names were made in the directory that list[at] is in; they stand together, or nearly. */
static size_t made_beside(const struct needs *needs, size_t at)
{
	const char *path = needs->list[at].text;
	size_t size = parent_size(path), count = 0;

	for (size_t i = at; i < needs->count && !strncmp(needs->list[i].text, path, size) &&
			    count <= MANY_NAMES;
		i++)
		count += (needs->list[i].access & POLICY_CREATED) &&
			 parent_size(needs->list[i].text) == size;
	return count;
}

static int add_directories(struct needs *needs)
{
	size_t count = needs->count;

	for (size_t i = 0; i < count; i++) {
		const struct need *need = &needs->list[i];
		unsigned int both = POLICY_CREATED | POLICY_REMOVED;
		bool whole = (need->access & both) == both || need->access & POLICY_RENAMED;

		if (!is_path(need) || !(need->access & (both | POLICY_RENAMED)))
			continue;
		if (!whole &&
			!(need->access & POLICY_CREATED && made_beside(needs, i) > MANY_NAMES))
			continue;
		if (parent_size(need->text) > 1 &&
			add(needs, need->text, parent_size(need->text), POLICY_WRITE))
			return -1;
	}
	merge(needs);
	return 0;
}

/* What directories above allow is not said again. */
static void drop_covered(struct needs *needs)
{
	for (size_t i = 0; i < needs->count; i++) {
		struct need *need = &needs->list[i];
		char *path = strdup(need->text), *slash;

		if (need->access & POLICY_WRITE)
			need->access &= ~(unsigned int)POLICY_READ;
		while (path && is_path(need) && (slash = strrchr(path, '/')) && slash != path) {
			struct need *above;

			*slash = '\0';
			above = find(needs, path);
			if (above)
				need->access &= ~(
					above->access & (POLICY_READ | POLICY_WRITE | POLICY_RUN));
			if (above && above->access & POLICY_WRITE)
				need->access &= ~(unsigned int)POLICY_READ;
		}
		free(path);
	}
}

/* A server on any port is connected to at any port. */
static const char *address_of(
	const struct needs *needs, const struct need *need, char *text, size_t size)
{
	const char *colon = strrchr(need->text, ':');
	bool ephemeral = colon && isdigit((unsigned char)colon[1]) && atoi(colon + 1) >= 32768;

	(void)snprintf(text, size, "%.*s:*", (int)(colon ? colon - need->text : 0), need->text);
	for (size_t i = 0; ephemeral && need->access & POLICY_CONNECT && i < needs->count; i++) {
		const char *other = needs->list[i].text, *port = strrchr(other, ':');

		if (needs->list[i].access & POLICY_BIND && port && !strcmp(port, ":0"))
			return text;
	}
	return need->text;
}

/*
 * A name that holds a star, or bytes that no policy can, is only to be said by a pattern: true if
 * text became one. What a pattern takes for a class of characters is any character then.
 */
static bool make_pattern(char *text)
{
	json_t *valid = json_string(text);
	bool pattern = !valid || strchr(text, 0x7f) ||
		       (strchr(text, '*') && strncmp(text, "/proc/*", 7) != 0);

	for (char *at = text; pattern && *at; at++) {
		if ((!valid && (unsigned char)*at >= 0x80) || *at == 0x7f)
			*at = '*';
		else if (*at == '[')
			*at = '?';
	}
	json_decref(valid);
	return pattern;
}

static void append_path(json_t *list, const char *path)
{
	char *text = strdup(path), *below;

	if (text && make_pattern(text) && asprintf(&below, "%s/*", text) >= 0) {
		json_array_append_new(list, json_string(below));
		free(below);
	}
	if (text)
		json_array_append_new(list, json_string(text));
	free(text);
}

static json_t *list_of(const struct needs *needs, unsigned int access)
{
	json_t *list = json_array();
	char text[256];
	const char *last = "";

	for (size_t i = 0; i < needs->count; i++) {
		const struct need *need = &needs->list[i];
		const char *shown;

		if (!(need->access & access))
			continue;
		if (is_path(need)) {
			append_path(list, need->text);
			continue;
		}
		shown = address_of(needs, need, text, sizeof(text));
		if (strcmp(shown, last) != 0)
			json_array_append_new(list, result_text(shown));
		last = json_string_value(json_array_get(list, json_array_size(list) - 1));
		last = last ? last : "";
	}
	return list;
}

/* --- limits, with headroom --- */

static uint64_t load(const _Atomic uint64_t *counter)
{
	return atomic_load((_Atomic uint64_t *)counter);
}

static void add_seconds(json_t *limits, const char *name, double used, double factor, double least)
{
	double seconds = used * factor < least ? least : used * factor;

	json_object_set_new(limits, name, json_sprintf("%.0fs", seconds + 0.5));
}

static void add_megabytes(json_t *limits, const char *name, uint64_t used, uint64_t least)
{
	json_object_set_new(limits, name,
		json_sprintf("%luM", max_u64(least, (used + used / 2 + (1 << 20) - 1) >> 20)));
}

static json_t *limits_of(const struct outcome *outcome)
{
	const struct accounting *page = outcome->page;
	json_t *limits = json_object();

	add_seconds(
		limits, "timeout", (double)(outcome->ended_ns - outcome->started_ns) / 1e9, 4, 10);
	add_seconds(limits, "cpu-time",
		(double)(load(&page->user_ns) + load(&page->system_ns)) / 1e9, 3, 5);
	add_megabytes(limits, "memory", load(&page->memory_peak), 64);
	json_object_set_new(
		limits, "pids", json_integer((json_int_t)max_u64(16, 2 * load(&page->tasks_peak))));
	add_megabytes(limits, "disk", load(&page->disk_peak), 16);
	add_megabytes(limits, "output-limit", 3 * load(&page->output), 1);
	return limits;
}

/* --- the file --- */

static bool wants_toml(const char *name)
{
	size_t size = strlen(name);

	return size > 5 && !strcmp(name + size - 5, ".toml");
}

/* Strings of JSON are strings of TOML. */
static void put_value(FILE *stream, const char *key, const json_t *value)
{
	const json_t *element;
	char *text;
	size_t i;

	(void)fprintf(stream, "%s = ", key);
	if (json_is_array(value))
		(void)fputs(json_array_size(value) ? "[\n" : "[", stream);
	for (i = 0; i < (json_is_array(value) ? json_array_size(value) : 1); i++) {
		element = json_is_array(value) ? json_array_get(value, i) : value;
		text = json_dumps(element, JSON_ENCODE_ANY);
		(void)fprintf(
			stream, json_is_array(value) ? "  %s,\n" : "%s", text ? text : "\"\"");
		free(text);
	}
	(void)fputs(json_is_array(value) ? "]\n" : "\n", stream);
}

static void put_toml(FILE *stream, json_t *policy)
{
	const char *name, *key;
	json_t *table, *value;

	json_object_foreach(policy, name, table)
	{
		if (!json_is_object(table)) {
			put_value(stream, name, table);
			continue;
		}
		(void)fprintf(stream, "\n[%s]\n", name);
		json_object_foreach(table, key, value) put_value(stream, key, value);
	}
}

static json_t *make_policy(const struct outcome *outcome, const struct needs *needs)
{
	return json_pack("{s:s, s:{s:o, s:o, s:o}, s:{s:o, s:o}, s:o}", "description",
		"Written by csandbox run --learn: what one run needed, and limits with headroom.",
		"paths", "run", list_of(needs, POLICY_RUN), "read", list_of(needs, POLICY_READ),
		"write", list_of(needs, POLICY_WRITE), "network", "connect",
		list_of(needs, POLICY_CONNECT), "bind", list_of(needs, POLICY_BIND), "limits",
		limits_of(outcome));
}

static int write_policy(const struct outcome *outcome, json_t *policy, int fd)
{
	int own = dup(fd), error = 0;
	FILE *stream = own >= 0 ? fdopen(own, "w") : NULL;

	if (!stream)
		return -1;
	if (wants_toml(outcome->options->learn)) {
		put_toml(stream, policy);
	} else {
		error = json_dumpf(policy, stream, JSON_INDENT(2));
		(void)fputc('\n', stream);
	}
	return fclose(stream) || error ? -1 : 0;
}

int policy_learn_write_file(
	const struct outcome *outcome, int learned, int fd, struct failure *failure)
{
	struct needs needs = {0};
	json_t *policy = NULL;
	int error = read_records(learned, &needs);

	if (!error) {
		merge(&needs);
		error = add_directories(&needs);
	}
	if (!error) {
		drop_covered(&needs);
		policy = make_policy(outcome, &needs);
		error = policy ? write_policy(outcome, policy, fd) : -1;
	}
	json_decref(policy);
	for (size_t i = 0; i < needs.count; i++)
		free(needs.list[i].text);
	free(needs.list);
	return error ? fail_errno(
			       failure, errno, "--learn: cannot write %s", outcome->options->learn)
		     : 0;
}
