/* SPDX-License-Identifier: Apache-2.0 */
/* Turns policies into options and rules. */
#include "runsc-c/policy.h"

#include "runsc-c/limits_options.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct reader {
	struct run_options *options;
	const char *file;
	struct policy_file policy;
	struct failure *failure;
};

/* The line of an entry, or of the nearest that it is in. */
static int line_of(const struct reader *reader, const char *path)
{
	char text[256];
	char *dot;

	(void)snprintf(text, sizeof(text), "%s", path);
	for (;;) {
		json_t *line = json_object_get(reader->policy.lines, text);

		if (line)
			return (int)json_integer_value(line);
		dot = strrchr(text, '.');
		if (!dot)
			return 1;
		*dot = '\0';
	}
}

__attribute__((format(printf, 3, 4))) static int complain(
	struct reader *reader, const char *path, const char *format, ...)
{
	char message[512];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	return fail(reader->failure, STATUS_INTERNAL, "%s:%d: %s", reader->file,
		line_of(reader, path), message);
}

/* --- entries that are options --- */

static int set_option(
	struct reader *reader, const char *path, const char *option, const char *value)
{
	struct failure failure = {0};
	char place[PATH_MAX];

	(void)snprintf(place, sizeof(place), "%s:%d", reader->file, line_of(reader, path));
	if (!run_option_set(reader->options, option, value, place, &failure))
		return 0;
	return complain(reader, path, "%s: %s", path, failure.message);
}

/* What must be there, since no other option can take its place. */
static int check_there(struct reader *reader, const char *path, const char *option)
{
	const struct run_options *options = reader->options;
	const char *file = NULL;

	if (!strcmp(option, "bind"))
		file = options->binds[options->bind_count - 1].source;
	else if (!strcmp(option, "layer"))
		file = options->layers[options->layer_count - 1];
	if (!file || !access(file, F_OK))
		return 0;
	return complain(reader, path, "%s: cannot use %.300s: %s", path, file, strerror(errno));
}

static int set_list(struct reader *reader, const char *path, const char *option, const json_t *list)
{
	char place[64];
	json_t *value;
	size_t i;

	if (!json_is_array(list))
		return complain(reader, path, "%s: it is a list of strings", path);
	json_array_foreach(list, i, value)
	{
		(void)snprintf(place, sizeof(place), "%.40s.%zu", path, i);
		if (!json_is_string(value))
			return complain(reader, place, "%s: it is a list of strings", path);
		if (set_option(reader, place, option, json_string_value(value)) ||
			check_there(reader, place, option))
			return -1;
	}
	return 0;
}

enum form { TEXT = 1, FLAG = 2, LIST = 4 };

static const struct entry {
	const char *name, *option;
	enum form form;
} entries[] = {
	{"root", "root", TEXT},
	{"workdir", "workdir", TEXT},
	{"hostname", "hostname", TEXT},
	{"user", "user", TEXT},
	{"as-pid-1", "as-pid-1", FLAG},
	{"host-cgroups", "host-cgroups", FLAG},
	{"binds", "bind", LIST},
	{"tmpfs", "tmpfs", LIST},
	{"layers", "layer", LIST},
	{"result", "result", TEXT},
	{"result-format", "result-format", TEXT},
	{"report", "report", TEXT},
	{"progress", "progress", FLAG},
	{"changes", "changes", FLAG | TEXT},
	{"json", "json", FLAG},
	{"export-changes", "export-changes", TEXT},
	{"keep-changes", "keep-changes", TEXT},
	{"apply-changes", "apply-changes", FLAG | LIST},
};

static int set_entry(struct reader *reader, const struct entry *entry, const json_t *value)
{
	if (json_is_string(value) && entry->form & TEXT)
		return set_option(reader, entry->name, entry->option, json_string_value(value));
	if (json_is_array(value) && entry->form & LIST)
		return set_list(reader, entry->name, entry->option, value);
	if (json_is_boolean(value) && entry->form & FLAG)
		return json_is_true(value) ? set_option(reader, entry->name, entry->option, NULL)
					   : 0;
	return complain(reader, entry->name, "%s: it is %s", entry->name,
		entry->form == TEXT   ? "a string"
		: entry->form == LIST ? "a list of strings"
		: entry->form == FLAG ? "true or false"
		: entry->form & TEXT  ? "true, false or a string"
				      : "true, false or a list of strings");
}

/* --- tables --- */

static int need_table(struct reader *reader, const char *name, const json_t *value)
{
	return json_is_object(value) ? 0 : complain(reader, name, "%s: it is a table", name);
}

static int set_limits(struct reader *reader, const char *name, json_t *table)
{
	const char *key;
	json_t *value;
	char path[128], text[64];

	if (need_table(reader, name, table))
		return -1;
	json_object_foreach(table, key, value)
	{
		bool known = false;

		(void)snprintf(path, sizeof(path), "limits.%.100s", key);
		for (size_t i = 0; i < LIMIT_COUNT; i++)
			known |= !strcmp(key, limit_options[i].name);
		if (!known)
			return complain(reader, path, "there is no limit %.100s", key);
		if (json_is_integer(value))
			(void)snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT,
				json_integer_value(value));
		else if (json_is_real(value))
			(void)snprintf(text, sizeof(text), "%f", json_real_value(value));
		else if (!json_is_string(value))
			return complain(reader, path, "%s: it is a number or a string", path);
		if (set_option(reader, path, key,
			    json_is_string(value) ? json_string_value(value) : text))
			return -1;
	}
	return 0;
}

static int set_variables(struct reader *reader, json_t *table)
{
	const char *key;
	json_t *value;

	if (need_table(reader, "environment.set", table))
		return -1;
	json_object_foreach(table, key, value)
	{
		char *assignment;
		int error;

		if (!json_is_string(value) || !*key || strchr(key, '='))
			return complain(
				reader, "environment.set", "environment.set: names with strings");
		if (asprintf(&assignment, "%s=%s", key, json_string_value(value)) < 0)
			return fail_errno(reader->failure, ENOMEM, "--policy");
		error = set_option(reader, "environment.set", "env", assignment);
		free(assignment);
		if (error)
			return error;
	}
	return 0;
}

static int set_environment(struct reader *reader, const char *name, json_t *table)
{
	const char *key;
	json_t *value, *clear;

	if (need_table(reader, name, table))
		return -1;
	/* First, whatever the order in the file. */
	clear = json_object_get(table, "clear");
	if (clear && !json_is_boolean(clear))
		return complain(
			reader, "environment.clear", "environment.clear: it is true or false");
	if (json_is_true(clear) && set_option(reader, "environment.clear", "clear-env", NULL))
		return -1;
	json_object_foreach(table, key, value)
	{
		int error = 0;

		if (!strcmp(key, "pass"))
			error = set_list(reader, "environment.pass", "env", value);
		else if (!strcmp(key, "set"))
			error = set_variables(reader, value);
		else if (strcmp(key, "clear") != 0)
			error = complain(
				reader, name, "environment has no %.100s: clear, pass, set", key);
		if (error)
			return -1;
	}
	return 0;
}

struct access_name {
	const char *name;
	unsigned int access;
};
static const struct access_name path_accesses[] = {
	{"read", POLICY_READ}, {"write", POLICY_WRITE}, {"run", POLICY_RUN}, {0}};
static const struct access_name network_accesses[] = {
	{"connect", POLICY_CONNECT}, {"bind", POLICY_BIND}, {0}};

/* Names are not looked up: what is written as one would never be met. */
static bool is_address(const char *text)
{
	return !strncmp(text, "unix:", 5) ||
	       (strpbrk(text, ":*") && !text[strspn(text, "0123456789abcdefABCDEF.:*?[]")]);
}

static int set_rules(
	struct reader *reader, const char *name, json_t *table, const struct access_name *accesses)
{
	const char *key;
	json_t *list, *value;
	char path[128];
	size_t i;

	if (need_table(reader, name, table))
		return -1;
	json_object_foreach(table, key, list)
	{
		const struct access_name *access = accesses;

		(void)snprintf(path, sizeof(path), "%s.%.100s", name, key);
		while (access->name && strcmp(access->name, key) != 0)
			access++;
		if (!access->name || !json_is_array(list))
			return complain(reader, path,
				access->name ? "%s: it is a list of strings" : "there is no %s",
				path);
		json_array_foreach(list, i, value)
		{
			(void)snprintf(path, sizeof(path), "%s.%.100s.%zu", name, key, i);
			if (!json_is_string(value) || !*json_string_value(value))
				return complain(
					reader, path, "%s.%s: it is a list of strings", name, key);
			if (accesses == network_accesses && !is_address(json_string_value(value)))
				return complain(reader, path,
					"%s.%s: %.80s is no address such as 127.0.0.1:80, "
					"[::1]:80 or unix:/path",
					name, key, json_string_value(value));
			if (access->access != POLICY_READ &&
				!strcmp(json_string_value(value), "@libraries"))
				return complain(reader, path,
					"%s.%s: @libraries are to be read alone", name, key);
			if (policy_add_rule(
				    reader->options, json_string_value(value), access->access))
				return fail_errno(reader->failure, ENOMEM, "--policy");
		}
	}
	return 0;
}

static int set_paths(struct reader *reader, const char *name, json_t *table)
{
	reader->options->rules.paths = true;
	return set_rules(reader, name, table, path_accesses);
}

static int set_network(struct reader *reader, const char *name, json_t *table)
{
	reader->options->rules.network = true;
	return set_rules(reader, name, table, network_accesses);
}

static const struct {
	const char *name;
	int (*set)(struct reader *reader, const char *name, json_t *table);
} tables[] = {
	{"limits", set_limits},
	{"environment", set_environment},
	{"paths", set_paths},
	{"network", set_network},
};

static int set_one(struct reader *reader, const char *key, json_t *value)
{
	for (size_t i = 0; i < array_count(entries); i++) {
		if (!strcmp(key, entries[i].name))
			return set_entry(reader, &entries[i], value);
	}
	for (size_t i = 0; i < array_count(tables); i++) {
		if (!strcmp(key, tables[i].name))
			return tables[i].set(reader, tables[i].name, value);
	}
	if (!strcmp(key, "description") && json_is_string(value))
		return 0;
	return complain(
		reader, key, "%.100s is nothing that a policy has; docs/policy.md lists all", key);
}

int policy_apply_file(struct run_options *options, const char *file, struct failure *failure)
{
	struct reader reader = {.options = options, .file = file, .failure = failure};
	const char *key;
	json_t *value;
	int error = policy_read(file, &reader.policy, failure);

	if (error)
		return -1;
	json_object_foreach(reader.policy.content, key, value)
	{
		error = set_one(&reader, key, value);
		if (error)
			break;
	}
	policy_file_free(&reader.policy);
	return error ? -1 : 0;
}

int policy_apply_profile(struct run_options *options, const char *name, struct failure *failure)
{
	static const char *const places[] = {"share/csandbox", "share"};
	char self[PATH_MAX], file[PATH_MAX + 128];
	ssize_t size = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[size > 0 ? size : 0] = '\0';
	/* DIR/bin/csandbox, or the same in a build tree. */
	for (int i = 0; i < 2 && strrchr(self, '/'); i++)
		*strrchr(self, '/') = '\0';
	if (strchr(name, '/') || !*name || strlen(name) > 64)
		return fail(failure, STATUS_INTERNAL,
			"--profile %s: it is a name; a file is --policy's", name);
	for (size_t i = 0; i < array_count(places); i++) {
		(void)snprintf(file, sizeof(file), "%s/%s/%s.toml", self, places[i], name);
		if (!access(file, R_OK))
			return policy_apply_file(options, file, failure);
	}
	return fail(failure, STATUS_INTERNAL,
		"--profile %s: there is no %s.toml in %s/share/csandbox; ready ones are strict, "
		"build and test",
		name, name, self);
}
