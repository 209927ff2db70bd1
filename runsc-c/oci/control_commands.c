/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that ask little: state, kill, pause, resume, wait, and what is not supported. */
#include "base/cleanup.h"
#include "runsc-c/oci/lifecycle.h"
#include "runsc-c/oci/relay.h"
#include "runsc-c/oci/runtime.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* The one container that a command without options is about. -1: answered or failed already,
 * *status tells. */
static int open_one(int argc, char **argv, const char *usage, bool lock, struct state *state,
	int *status, struct failure *failure)
{
	int at = options_take(argc, argv, NULL, 0, usage, failure);
	const char *id;

	*status = at > argc ? 0 : 1;
	if (at < 0 || at > argc)
		return -1;
	id = options_one(argc, argv, at, "the id of one container", failure);
	return id ? state_open(state, id, lock, failure) : -1;
}

int command_state(int argc, char **argv, struct failure *failure)
{
	struct state state;
	json_t *description;
	int status;

	if (open_one(argc, argv, "state ID", false, &state, &status, failure))
		return status;
	description = state_describe(&state, NULL);
	(void)json_dumpf(description, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(description);
	state_close(&state);
	return 0;
}

/* --- kill --- */

/* 9, KILL, SIGKILL, rtmin+3. -1: no signal. */
static int signal_number(const char *text)
{
	char *end;
	long number = strtol(text, &end, 10);
	int offset = 0;

	if (*text && !*end)
		return number >= 0 && number <= 64 ? (int)number : -1;
	if (!strncasecmp(text, "SIG", 3))
		text += 3;
	if (sscanf(text, "RTMIN+%d", &offset) == 1 || !strcasecmp(text, "RTMIN"))
		return offset >= 0 && offset <= 30 ? 34 + offset : -1;
	if (sscanf(text, "RTMAX-%d", &offset) == 1 || !strcasecmp(text, "RTMAX"))
		return offset >= 0 && offset <= 30 ? 64 - offset : -1;
	if (!strcasecmp(text, "IOT"))
		return SIGABRT;
	if (!strcasecmp(text, "CLD"))
		return SIGCHLD;
	for (int signal = 1; signal < 32; signal++) {
		if (sigabbrev_np(signal) && !strcasecmp(sigabbrev_np(signal), text))
			return signal;
	}
	return -1;
}

static int send_signal(const struct state *state, int signal, bool all, struct failure *failure)
{
	json_t *answer;

	if (!state_is_alive(state)) {
		/* Those that are left of a stopped container: none ever is. */
		return all ? 0 : fail(failure, STATUS_INTERNAL, "container not running");
	}
	answer = sentry_ask(state,
		json_pack("{s:s, s:i, s:b}", "do", "signal", "signal", signal, "all", all),
		failure);
	json_decref(answer);
	if (answer)
		return 0;
	/* A sentry that does not answer any more has to go all the same. */
	if (signal == SIGKILL && state_is_alive(state) && !kill(state_pid(state), SIGKILL)) {
		failure->message[0] = '\0';
		return 0;
	}
	return -1;
}

int command_kill(int argc, char **argv, struct failure *failure)
{
	bool all = false;
	const struct option_row rows[] = {
		{"all", "a", OPTION_FLAG, &all, NULL, "to all of its processes"}};
	int at = options_take(
		    argc, argv, rows, array_count(rows), "kill [OPTION...] ID [SIGNAL]", failure),
	    signal, result;
	struct state state;

	if (at < 0 || at > argc)
		return at < 0 ? 1 : 0;
	if (at + 1 < argc && (!strcmp(argv[argc - 1], "--all") || !strcmp(argv[argc - 1], "-a"))) {
		all = true;
		argc--;
	}
	if (at == argc || at + 2 < argc) {
		(void)fail(failure, STATUS_INTERNAL,
			"kill: the id of one container and a signal, please");
		return 1;
	}
	signal = signal_number(at + 1 < argc ? argv[at + 1] : "TERM");
	if (signal < 0) {
		(void)fail(failure, STATUS_INTERNAL, "kill: unknown signal \"%s\"", argv[at + 1]);
		return 1;
	}
	if (state_open(&state, argv[at], false, failure))
		return 1;
	result = send_signal(&state, signal, all, failure);
	state_close(&state);
	return result ? 1 : 0;
}

/* --- pause --- */

static int set_paused(int argc, char **argv, bool paused, struct failure *failure)
{
	enum container_status wanted = paused ? CONTAINER_RUNNING : CONTAINER_PAUSED;
	struct state state;
	json_t *answer = NULL;
	int status;

	if (open_one(argc, argv, paused ? "pause ID" : "resume ID", true, &state, &status, failure))
		return status;
	if (state_status(&state) == CONTAINER_STOPPED)
		(void)fail(failure, STATUS_INTERNAL, "container not running");
	else if (state_status(&state) != wanted)
		(void)fail(failure, STATUS_INTERNAL,
			paused ? "container not running" : "container not paused");
	else
		answer = sentry_ask(
			&state, json_pack("{s:s, s:b}", "do", "pause", "paused", paused), failure);
	status = answer ? 0 : 1;
	if (answer) {
		state_set_text(&state, "status", paused ? "paused" : "running");
		status = state_save(&state, failure) ? 1 : 0;
	}
	json_decref(answer);
	state_close(&state);
	return status;
}

int command_pause(int argc, char **argv, struct failure *failure)
{
	return set_paused(argc, argv, true, failure);
}

int command_resume(int argc, char **argv, struct failure *failure)
{
	return set_paused(argc, argv, false, failure);
}

/* --- wait --- */

int command_wait(int argc, char **argv, struct failure *failure)
{
	struct state state;
	json_t *answer;
	int status;

	if (open_one(argc, argv, "wait ID", false, &state, &status, failure))
		return status;
	answer = lifecycle_check_alive(&state, failure)
			 ? NULL
			 : sentry_ask(&state, json_pack("{s:s}", "do", "wait"), failure);
	status = answer ? relay_exit_status(
				  (int)json_integer_value(json_object_get(answer, "exited")))
			: 1;
	if (answer)
		printf("%d\n", status);
	json_decref(answer);
	state_close(&state);
	return status;
}

int command_checkpoint(int argc, char **argv, struct failure *failure)
{
	(void)fail(failure, STATUS_INTERNAL, "%s: not supported: a sandbox cannot be saved to disk",
		argv[0]);
	return 1;
}
