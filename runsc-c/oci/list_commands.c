/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `csandbox list` and `csandbox ps`.
 *
 * Differs from runc: the processes of a container have no processes of their own on the host, so ps
 * tells their numbers as the container itself sees them.
 */
#include "base/cleanup.h"
#include "runsc-c/oci/lifecycle.h"
#include "runsc-c/oci/runtime.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int check_format(const char *format, struct failure *failure)
{
	if (!strcmp(format, "table") || !strcmp(format, "json"))
		return 0;
	return fail(failure, STATUS_INTERNAL, "--format %s: it is table or json", format);
}

/* --- list --- */

static json_t *describe(const char *id)
{
	struct failure unused = {0};
	struct state state;
	json_t *description;
	struct passwd *user;
	char owner[64];

	if (state_open(&state, id, false, &unused))
		return NULL;
	description = state_describe(&state, NULL);
	user = getpwuid((uid_t)json_integer_value(json_object_get(state.json, "owner")));
	snprintf(owner, sizeof(owner), "#%d",
		(int)json_integer_value(json_object_get(state.json, "owner")));
	(void)json_object_set_new(description, "owner", json_string(user ? user->pw_name : owner));
	state_close(&state);
	return description;
}

static const char *text_of(json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name)) ?: "";
}

static void print_table(json_t *list)
{
	json_t *item;
	size_t index;

	printf("%-26s %-11s %-11s %-36s %-22s %s\n", "ID", "PID", "STATUS", "BUNDLE", "CREATED",
		"OWNER");
	json_array_foreach(list, index, item) printf("%-26s %-11d %-11s %-36s %-22s %s\n",
		text_of(item, "id"), (int)json_integer_value(json_object_get(item, "pid")),
		text_of(item, "status"), text_of(item, "bundle"), text_of(item, "created"),
		text_of(item, "owner"));
}

int command_list(int argc, char **argv, struct failure *failure)
{
	const char *format = "table";
	bool quiet = false;
	const struct option_row rows[] = {
		{"format", "f", OPTION_TEXT, &format, "table|json", "the format of the list"},
		{"quiet", "q", OPTION_FLAG, &quiet, NULL, "the ids alone"}};
	int at = options_take(argc, argv, rows, array_count(rows), "list [OPTION...]", failure);
	json_t *list = json_array();
	char **ids;

	if (at < 0 || at > argc || check_format(format, failure)) {
		json_decref(list);
		return at > argc ? 0 : 1;
	}
	ids = state_list(failure);
	if (!ids) {
		json_decref(list);
		return 1;
	}
	for (size_t i = 0; ids[i]; i++) {
		json_t *description = quiet ? NULL : describe(ids[i]);

		if (quiet)
			puts(ids[i]);
		if (description)
			(void)json_array_append_new(list, description);
		free(ids[i]);
	}
	free(ids);
	if (!quiet && !strcmp(format, "json")) {
		(void)json_dumpf(list, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (!quiet) {
		print_table(list);
	}
	json_decref(list);
	return 0;
}

/* --- ps --- */

/* The list comes in a file, since it may be long. */
static json_t *ask_processes(const struct state *state, struct failure *failure)
{
	auto_close int fd = memfd_create("processes", MFD_CLOEXEC),
		       socket = sentry_connect(state, failure);
	json_t *answer, *list;

	if (fd < 0 || socket < 0)
		return NULL;
	answer = sentry_call(
		socket, json_pack("{s:s, s:s}", "do", "list", "id", state->id), &fd, 1, 0, failure);
	if (!answer)
		return NULL;
	json_decref(answer);
	(void)lseek(fd, 0, SEEK_SET);
	list = json_loadfd(fd, 0, NULL);
	if (!json_is_array(list)) {
		json_decref(list);
		(void)fail(failure, STATUS_INTERNAL, "the sandbox does not tell its processes");
		return NULL;
	}
	return list;
}

static void print_pids(json_t *list)
{
	json_t *item;
	size_t index;

	putchar('[');
	json_array_foreach(list, index, item) printf(
		"%s%d", index ? "," : "", (int)json_integer_value(json_object_get(item, "pid")));
	puts("]");
}

static void print_processes(json_t *list)
{
	json_t *item;
	size_t index;

	printf("%-8s %7s %7s %s %8s %8s %s\n", "UID", "PID", "PPID", "S", "ELAPSED", "TIME", "CMD");
	json_array_foreach(list, index, item)
	{
		long age = (long)(json_integer_value(json_object_get(item, "age")) / 1000000000);
		long cpu = (long)(json_integer_value(json_object_get(item, "cpu")) / 1000000000);

		printf("%-8lld %7d %7d %s %5ld:%02ld %5ld:%02ld %s\n",
			json_integer_value(json_object_get(item, "uid")),
			(int)json_integer_value(json_object_get(item, "pid")),
			(int)json_integer_value(json_object_get(item, "ppid")),
			text_of(item, "state"), age / 60, age % 60, cpu / 60, cpu % 60,
			text_of(item, "command"));
	}
}

int command_ps(int argc, char **argv, struct failure *failure)
{
	const char *format = "table";
	const struct option_row rows[] = {
		{"format", "f", OPTION_TEXT, &format, "table|json", "the format of the list"}};
	int at = options_take(
		argc, argv, rows, array_count(rows), "ps [OPTION...] ID [PS-OPTION...]", failure);
	struct state state;
	json_t *list;

	if (at < 0 || at > argc || check_format(format, failure))
		return at > argc ? 0 : 1;
	if (at == argc) {
		(void)fail(failure, STATUS_INTERNAL, "ps: the id of one container, please");
		return 1;
	}
	if (state_open(&state, argv[at], false, failure))
		return 1;
	list = lifecycle_check_alive(&state, failure) ? NULL : ask_processes(&state, failure);
	if (list && !strcmp(format, "json"))
		print_pids(list);
	else if (list)
		print_processes(list);
	state_close(&state);
	json_decref(list);
	return list ? 0 : 1;
}
