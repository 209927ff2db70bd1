/* SPDX-License-Identifier: Apache-2.0 */
/* `start` and `delete`, as steps that other commands take, too. */
#include "runsc-c/oci/lifecycle.h"

#include "base/cleanup.h"
#include "runsc-c/oci/create.h"
#include "runsc-c/oci/exec.h"
#include "runsc-c/oci/hooks.h"
#include "runsc-c/oci/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define END_TRIES 4000 /* of 5 ms */

int lifecycle_check_alive(const struct state *state, struct failure *failure)
{
	if (state_is_alive(state))
		return 0;
	return fail(failure, STATUS_INTERNAL, "container not running");
}

/* --- hooks --- */

struct kept_hooks {
	struct arena arena;
	struct oci_hooks stages[OCI_HOOK_STAGES];
};

static int read_hooks(const struct state *state, struct kept_hooks *kept, struct failure *failure)
{
	struct reader reader = {.file = "state.json", .arena = &kept->arena, .failure = failure};

	*kept = (struct kept_hooks){0};
	return oci_read_hooks(&reader, state->json, kept->stages);
}

static json_t *strings(const char *const *list)
{
	json_t *array = json_array();

	for (; list && *list; list++)
		(void)json_array_append_new(array, json_string(*list));
	return array;
}

/* A program inside, as the container's own root, before its program runs. */
static int run_inside(struct state *state, const struct oci_hook *hook, json_t *description,
	struct failure *failure)
{
	json_t *process = json_deep_copy(json_object_get(state->json, "process"));
	const char *const only[] = {hook->path, NULL};
	struct exec_request request = {.state = state, .process = process, .terminal = {.fd = -1}};
	json_t *args = strings(hook->args && hook->args[0] ? hook->args : only);
	int status;

	/* args[0] is only a name: what runs is the path. */
	(void)json_array_set_new(args, 0, json_string(hook->path));
	(void)json_object_set_new(process, "args", args);
	(void)json_object_set_new(process, "env", strings(hook->env));
	(void)json_object_set_new(process, "cwd", json_string("/"));
	(void)json_object_set_new(process, "terminal", json_false());
	request.input = document_file(description);
	if (request.input >= 0)
		(void)lseek(request.input, 0, SEEK_SET);
	status = exec_and_wait(&request, failure);
	json_decref(process);
	if (request.input >= 0)
		close(request.input);
	if (status == 0)
		return 0;
	return status < 0 ? -1
			  : fail(failure, STATUS_INTERNAL,
				    "error running startContainer hook: %s: exit status %d",
				    hook->path, status);
}

static int run_start_hooks(
	struct state *state, const struct kept_hooks *kept, struct failure *failure)
{
	const struct oci_hooks *hooks = &kept->stages[OCI_HOOK_START_CONTAINER];
	json_t *description = hooks->count ? state_describe(state, "created") : NULL;
	int result = 0;

	for (size_t i = 0; i < hooks->count && !result; i++)
		result = run_inside(state, &hooks->hooks[i], description, failure);
	json_decref(description);
	return result;
}

static void run_late_hooks(struct state *state, enum oci_hook_stage stage, const char *status)
{
	struct failure failure = {0};
	struct kept_hooks kept;
	json_t *description;

	if (!read_hooks(state, &kept, &failure) && kept.stages[stage].count) {
		description = state_describe(state, status);
		hooks_run_all(&kept.stages[stage], oci_hook_stages[stage], description);
		json_decref(description);
	}
	arena_free(&kept.arena);
}

/* --- start --- */

int lifecycle_start(struct state *state, struct failure *failure)
{
	enum container_status status = state_status(state);
	struct kept_hooks kept;
	json_t *answer = NULL;

	if (status == CONTAINER_STOPPED)
		return fail(failure, STATUS_INTERNAL, "cannot start a container that has stopped");
	if (status != CONTAINER_CREATED)
		return fail(failure, STATUS_INTERNAL, "cannot start an already running container");
	if (!read_hooks(state, &kept, failure) && !run_start_hooks(state, &kept, failure))
		answer = sentry_ask(state, json_pack("{s:s}", "do", "start"), failure);
	arena_free(&kept.arena);
	if (!answer)
		return -1;
	json_decref(answer);
	state_set_text(state, "status", "running");
	if (state_save(state, failure))
		return -1;
	run_late_hooks(state, OCI_HOOK_POSTSTART, "running");
	return 0;
}

/* --- the end --- */

static int remove_cgroup(const struct state *state, struct failure *failure)
{
	struct cgroup cgroup;
	bool removed;

	cgroup_from_json(&cgroup, json_object_get(state->json, "cgroup"));
	cgroup_kill(&cgroup);
	removed = cgroup_remove(&cgroup);
	cgroup_free(&cgroup);
	return removed ? 0
		       : fail(failure, STATUS_INTERNAL, "the cgroup of %s is still in use",
				 state->id);
}

/* A sandbox that goes on is to forget the container. */
static void leave_sandbox(const struct state *state)
{
	const char *sandbox = state_text(state, "sandbox");
	struct failure unused;

	if (sandbox && strcmp(sandbox, state->id) != 0)
		json_decref(sentry_ask(state, json_pack("{s:s}", "do", "delete"), &unused));
}

/* Its own end, since that has its status. */
static void await_end(const struct state *state)
{
	const struct timespec pause = {.tv_nsec = 5000000};

	for (int i = 0; i < END_TRIES && state_is_alive(state); i++)
		nanosleep(&pause, NULL);
}

int lifecycle_delete(struct state *state, struct failure *failure)
{
	await_end(state);
	leave_sandbox(state);
	if (remove_cgroup(state, failure))
		return -1;
	run_late_hooks(state, OCI_HOOK_POSTSTOP, "stopped");
	return state_remove(state, failure);
}

int lifecycle_kill_and_delete(struct state *state, struct failure *failure)
{
	if (state_is_alive(state) && kill(state_pid(state), SIGKILL) && errno != ESRCH)
		return fail_errno(failure, errno, "cannot kill process %d", state_pid(state));
	await_end(state);
	if (state_is_alive(state))
		return fail(failure, STATUS_INTERNAL, "process %d does not end", state_pid(state));
	return lifecycle_delete(state, failure);
}

/* --- the commands --- */

int command_start(int argc, char **argv, struct failure *failure)
{
	int at = options_take(argc, argv, NULL, 0, "start ID", failure), result;
	const char *id = at < 0 || at > argc
				 ? NULL
				 : options_one(argc, argv, at, "the id of one container", failure);
	struct state state;

	if (!id)
		return at > argc ? 0 : 1;
	if (state_open(&state, id, true, failure))
		return 1;
	result = lifecycle_start(&state, failure);
	state_close(&state);
	return result ? 1 : 0;
}

static int delete_one(struct state *state, bool force, struct failure *failure)
{
	enum container_status status = state_status(state);

	if (force || status == CONTAINER_CREATED)
		return lifecycle_kill_and_delete(state, failure);
	if (status != CONTAINER_STOPPED)
		return fail(failure, STATUS_INTERNAL,
			"cannot delete container %s that is not stopped: %s", state->id,
			container_statuses[status]);
	return lifecycle_delete(state, failure);
}

int command_delete(int argc, char **argv, struct failure *failure)
{
	bool force = false;
	const struct option_row rows[] = {
		{"force", "f", OPTION_FLAG, &force, NULL, "kill it first if it runs"}};
	int at = options_take(
		    argc, argv, rows, array_count(rows), "delete [OPTION...] ID", failure),
	    result;
	const char *id = at < 0 || at > argc
				 ? NULL
				 : options_one(argc, argv, at, "the id of one container", failure);
	struct state state;

	if (!id)
		return at > argc ? 0 : 1;
	if (state_open(&state, id, !force, failure)) {
		if (force)
			failure->message[0] = '\0';
		return force ? 0 : 1;
	}
	/* Forced: who holds the lock may hang on what is to be killed. */
	if (force && !state_lock_soon(&state) && state_is_alive(&state))
		(void)kill(state_pid(&state), SIGKILL);
	result = delete_one(&state, force, failure);
	state_close(&state);
	return result ? 1 : 0;
}
