/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of policies, as they are written, and as the sandbox's kernel takes them. */
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

static const char *variable(const struct run_options *options, const char *name)
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
	const char *root = options->root ? options->root : "", *path = variable(options, "PATH");
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

/* The program of a #! line, and what env is to find. */
static int add_interpreter(
	struct run_options *options, const char *program, const char *working_directory)
{
	char line[256] = "", *save = NULL, *outside = NULL, *word;
	FILE *stream = NULL;
	int error = 0;

	if (asprintf(&outside, "%s%s", options->root ? options->root : "", program) >= 0)
		stream = fopen(outside, "re");
	free(outside);
	if (stream && !fgets(line, sizeof(line), stream))
		line[0] = '\0';
	if (stream)
		(void)fclose(stream);
	if (strncmp(line, "#!", 2) != 0)
		return 0;
	error = policy_add_rule(options, program, POLICY_READ);
	for (word = strtok_r(line + 2, " \t\n", &save); word && !error;
		word = strtok_r(NULL, " \t\n", &save)) {
		char *found = *word == '-' ? NULL : find_command(options, word, working_directory);
		bool is_env =
			found && strlen(found) > 4 && !strcmp(found + strlen(found) - 4, "/env");

		if (found)
			error = policy_add_rule(options, found, POLICY_RUN);
		free(found);
		if (!is_env)
			break;
	}
	return error;
}

/* "@program", "~/x", "./x" and patterns of these become absolute. */
static char *expand(
	const struct run_options *options, const char *text, const char *working_directory)
{
	const char *home = variable(options, "HOME");
	char *out = NULL;
	int size = 0;

	if (!strcmp(text, "@program"))
		return options->command
			       ? find_command(options, options->command[0], working_directory)
			       : NULL;
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

int policy_make_rules(
	struct run_options *options, const char *working_directory, struct failure *failure)
{
	struct run_rules *rules = &options->rules;
	size_t count = rules->count;
	int error = 0;

	for (size_t i = 0; i < count; i++) {
		const char *text = rules->list[i].text;
		bool is_program = !strcmp(text, "@program") && rules->list[i].access == POLICY_RUN;
		bool address = rules->list[i].access & (POLICY_CONNECT | POLICY_BIND);

		rules->list[i].text =
			address ? escape(text) : expand(options, text, working_directory);
		free((char *)(uintptr_t)text);
		/* A command that is nowhere: the run itself will say so. */
		if (!rules->list[i].text)
			error |= !(rules->list[i].text = strdup("/nonexistent"));
		else if (is_program)
			error |= add_interpreter(options, rules->list[i].text, working_directory);
	}
	return error ? fail_errno(failure, ENOMEM, "--policy") : 0;
}
