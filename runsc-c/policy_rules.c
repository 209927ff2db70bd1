/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of policies, as they are written, and as the sandbox's kernel takes them. */
#include "base/compiler.h"
#include "runsc-c/policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int policy_add_rule(struct run_options *options, const char *text, unsigned int access)
{
	struct run_rules *rules = &options->rules;
	struct policy_rule *list =
		reallocarray(rules->list, rules->count + 1, sizeof(*rules->list));

	if (!list)
		return -ENOMEM;
	rules->list = list;
	list[rules->count] = (struct policy_rule){.text = strdup(text), .access = access};
	return list[rules->count++].text ? 0 : -ENOMEM;
}

const char *policy_variable(const struct run_options *options, const char *name)
{
	size_t size = strlen(name);

	for (size_t i = 0; i < options->environment_count; i++) {
		if (!strncmp(options->environment[i], name, size) &&
			options->environment[i][size] == '=')
			return options->environment[i] + size + 1;
	}
	return NULL;
}

/* Where a command is found, as it is named inside; NULL if nowhere. */
static char *find_command(
	const struct run_options *options, const char *command, const char *working_directory)
{
	const char *root = options->root ? options->root : "",
		   *path = policy_variable(options, "PATH");
	char *outside = NULL, *found = NULL;

	if (strchr(command, '/')) {
		if (asprintf(&found, "%s%s%s", *command == '/' ? "" : working_directory,
			    *command == '/' ? "" : "/", command) < 0)
			return NULL;
		return found;
	}
	for (path = path ? path : "/bin:/usr/bin"; !found && path; path = strchr(path, ':')) {
		path += *path == ':';
		if (asprintf(&outside, "%s%.*s/%s", root, (int)strcspn(path, ":"), path, command) <
			0)
			return NULL;
		if (!access(outside, X_OK))
			found = strdup(outside + strlen(root));
		free(outside);
	}
	return found;
}

/* Whether path names env(1), which looks for the program that it is to run. */
static bool is_env(const char *path)
{
	size_t size = strlen(path);

	return size > 4 && !strcmp(path + size - 4, "/env");
}

/* What CMD runs: itself; of a script the program of its #! line; and what env is to find. */
struct programs {
	char *paths[3];
	size_t count;
	bool script; /* the first */
};

static int add_interpreters(
	const struct run_options *options, const char *working_directory, struct programs *programs)
{
	char line[256] = "", *save = NULL, *outside = NULL, *word;
	FILE *stream = NULL;

	if (asprintf(&outside, "%s%s", options->root ? options->root : "", programs->paths[0]) < 0)
		return -ENOMEM;
	stream = fopen(outside, "re");
	free(outside);
	if (stream && !fgets(line, sizeof(line), stream))
		line[0] = '\0';
	if (stream)
		(void)fclose(stream);
	programs->script = !strncmp(line, "#!", 2);
	if (!programs->script)
		return 0;
	for (word = strtok_r(line + 2, " \t\n", &save); word;
		word = strtok_r(NULL, " \t\n", &save)) {
		char *found = *word == '-' ? NULL : find_command(options, word, working_directory);

		if (found)
			programs->paths[programs->count++] = found;
		if (!found || !is_env(found) || programs->count == array_count(programs->paths))
			break;
	}
	return 0;
}

static int find_programs(
	const struct run_options *options, const char *working_directory, struct programs *programs)
{
	*programs = (struct programs){0};
	if (!options->command)
		return 0;
	programs->paths[0] = find_command(options, options->command[0], working_directory);
	/* A command that is nowhere: the run itself will say so. */
	if (!programs->paths[0])
		return 0;
	programs->count = 1;
	return add_interpreters(options, working_directory, programs);
}

/* To read or to write, CMD is the one file. */
static int add_programs(
	struct run_options *options, const struct programs *programs, unsigned int access)
{
	size_t count = access & (POLICY_RUN | POLICY_LIBRARIES) ? programs->count
								: min_u64(programs->count, 1);
	int error = 0;

	for (size_t i = 0; i < count && !error; i++)
		error = policy_add_rule(options, programs->paths[i], access);
	/* An interpreter reads the script. */
	if (!error && programs->script && access == POLICY_RUN)
		error = policy_add_rule(options, programs->paths[0], POLICY_READ);
	return error;
}

/* "~/x", "./x" and patterns of these become absolute. */
static char *expand(
	const struct run_options *options, const char *text, const char *working_directory)
{
	const char *home = policy_variable(options, "HOME");
	char *out = NULL;
	int size = 0;

	if (*text == '/')
		size = asprintf(&out, "%s", text);
	else if (*text == '~' && (!text[1] || text[1] == '/'))
		size = asprintf(&out, "%s%s", home ? home : "/nonexistent", text + 1);
	else if (!strcmp(text, "."))
		size = asprintf(&out, "%s", working_directory);
	else
		size = asprintf(&out, "%s/%s", working_directory[1] ? working_directory : "",
			strncmp(text, "./", 2) ? text : text + 2);
	if (size < 0)
		return NULL;
	while (size > 1 && out[size - 1] == '/')
		out[--size] = '\0';
	return out;
}

/* A bracket in an address is a bracket. */
static char *escape(const char *address)
{
	char *out = malloc(2 * strlen(address) + 1), *to = out;

	if (!out)
		return NULL;
	for (; *address; address++) {
		if (strchr("[\\", *address) && strchr(address, '*'))
			*to++ = '\\';
		*to++ = *address;
	}
	*to = '\0';
	return out;
}

/* Takes the rule's place: it stands for none when there is no such program. */
static int make_rule(struct run_options *options, size_t i, const struct programs *programs,
	const char *working_directory)
{
	struct policy_rule rule = options->rules.list[i];
	char *text = NULL;
	int error = 0;

	if (rule.access & (POLICY_CONNECT | POLICY_BIND))
		text = escape(rule.text);
	else if (!strcmp(rule.text, "@program"))
		error = add_programs(options, programs, rule.access);
	else if (!strcmp(rule.text, "@libraries"))
		error = add_programs(options, programs, POLICY_LIBRARIES);
	else
		text = expand(options, rule.text, working_directory);
	if (!text)
		text = strdup("/nonexistent");
	options->rules.list[i].text = text;
	free((char *)(uintptr_t)rule.text);
	return text ? error : -ENOMEM;
}

int policy_make_rules(
	struct run_options *options, const char *working_directory, struct failure *failure)
{
	size_t count = options->rules.count;
	struct programs programs;
	int error = find_programs(options, working_directory, &programs);

	for (size_t i = 0; i < count && !error; i++)
		error = make_rule(options, i, &programs, working_directory);
	while (programs.count)
		free(programs.paths[--programs.count]);
	return error ? fail_errno(failure, ENOMEM, "--policy") : 0;
}
