/* SPDX-License-Identifier: Apache-2.0 */
/* The directories below --root, and what their state files say. */
#include "runsc-c/oci/state.h"

#include "base/cleanup.h"
#include "runsc-c/oci/json_reader.h"
#include "runsc-c/oci/runtime.h"
#include "runsc-c/oci/spec.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#define LOCK_TRIES    400
#define LOCK_PAUSE_NS 5000000

#define ID_MAX	       200
#define ANSWER_SECONDS 3

const char *const container_statuses[] = {"created", "running", "paused", "stopped"};

/* --- directories --- */

static int check_id(const char *id, struct failure *failure)
{
	size_t length =
		strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-.");

	if (!*id || id[length] || length > ID_MAX || !strcmp(id, ".") || !strcmp(id, ".."))
		return fail(failure, STATUS_INTERNAL,
			"invalid container id format: \"%s\"; letters, digits and _+-. please, %d "
			"at most",
			id, ID_MAX);
	return 0;
}

static int make_directories(const char *path)
{
	char text[4096];

	if ((size_t)snprintf(text, sizeof(text), "%s", path) >= sizeof(text))
		return -1;
	for (char *slash = strchr(text + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		if (mkdir(text, 0700) && errno != EEXIST)
			return -1;
		if (!slash)
			return 0;
		*slash = '/';
	}
}

static int open_root(bool make, struct failure *failure)
{
	int fd;

	if (make && make_directories(g_runtime.root))
		return fail_errno(failure, errno, "--root: cannot make %s", g_runtime.root);
	fd = open(g_runtime.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : fail_errno(failure, errno, "--root: cannot use %s", g_runtime.root);
}

static int open_directory(struct state *state, int root)
{
	state->directory = openat(root, state->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return state->directory < 0 ? -1 : 0;
}

int state_create(struct state *state, const char *id, struct failure *failure)
{
	auto_close int root = -1;

	*state = (struct state){.directory = -1};
	if (check_id(id, failure) || (root = open_root(true, failure)) < 0)
		return -1;
	state->id = strdup(id);
	state->json = json_pack("{s:s, s:s, s:i}", "id", id, "status", "creating", "pid", 0);
	if (!state->id || !state->json)
		return fail_errno(failure, ENOMEM, "cannot make the container");
	if (mkdirat(root, id, 0711)) {
		int error = errno;

		state_close(state);
		if (error == EEXIST)
			return fail(failure, STATUS_INTERNAL, "container with id exists: %s", id);
		return fail_errno(failure, error, "cannot make %s/%s", g_runtime.root, id);
	}
	if (open_directory(state, root) || flock(state->directory, LOCK_EX))
		return fail_errno(failure, errno, "cannot make %s/%s", g_runtime.root, id);
	return 0;
}

/* A file that a crash left half written, or none, says nothing. */
static void load(struct state *state)
{
	struct failure unused = {0};

	state->json = json_load_path(state->directory, "state.json", "state.json", &unused);
	if (!state->json)
		state->json = json_pack(
			"{s:s, s:s, s:i}", "id", state->id, "status", "creating", "pid", 0);
}

static bool is_gone(const struct state *state)
{
	struct stat status;

	return fstat(state->directory, &status) || status.st_nlink == 0;
}

int state_open(struct state *state, const char *id, bool lock, struct failure *failure)
{
	auto_close int root = -1;

	*state = (struct state){.directory = -1};
	if (check_id(id, failure))
		return -1;
	root = open(g_runtime.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	state->id = strdup(id);
	if (root < 0 || !state->id || open_directory(state, root)) {
		state_close(state);
		return fail(failure, STATUS_INTERNAL, "container \"%s\" does not exist", id);
	}
	while (lock && flock(state->directory, LOCK_EX) && errno == EINTR)
		;
	if (lock && is_gone(state)) {
		state_close(state);
		return fail(failure, STATUS_INTERNAL, "container \"%s\" does not exist", id);
	}
	load(state);
	return 0;
}

bool state_lock_soon(struct state *state)
{
	const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};

	if (!flock(state->directory, LOCK_EX | LOCK_NB))
		return true;
	for (int i = 0; i < LOCK_TRIES; i++) {
		nanosleep(&pause, NULL);
		if (flock(state->directory, LOCK_EX | LOCK_NB))
			continue;
		json_decref(state->json);
		load(state);
		return true;
	}
	return false;
}

int state_save(struct state *state, struct failure *failure)
{
	auto_close int fd = openat(
		state->directory, "state.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || json_dumpfd(state->json, fd, JSON_INDENT(1)) ||
		renameat(state->directory, "state.new", state->directory, "state.json"))
		return fail_errno(
			failure, errno, "cannot write %s/%s/state.json", g_runtime.root, state->id);
	return 0;
}

int state_remove(struct state *state, struct failure *failure)
{
	static const char *const files[] = {"state.json", "state.new", "control"};
	auto_close int root = open_root(false, failure);

	if (root < 0)
		return -1;
	for (size_t i = 0; i < array_count(files); i++)
		(void)unlinkat(state->directory, files[i], 0);
	/* The id may be another's by now. */
	if (is_gone(state))
		return 0;
	if (unlinkat(root, state->id, AT_REMOVEDIR) && errno != ENOENT)
		return fail_errno(failure, errno, "cannot remove %s/%s", g_runtime.root, state->id);
	return 0;
}

void state_close(struct state *state)
{
	if (state->directory >= 0)
		(void)close(state->directory);
	free(state->id);
	json_decref(state->json);
	*state = (struct state){.directory = -1};
}

char **state_list(struct failure *failure)
{
	DIR *directory = opendir(g_runtime.root);
	char **list;
	struct failure unused;
	struct dirent *entry;
	size_t count = 0;

	if (!directory && errno != ENOENT) {
		(void)fail_errno(failure, errno, "--root: cannot read %s", g_runtime.root);
		return NULL;
	}
	list = calloc(1, sizeof(*list));
	if (!list)
		(void)fail_errno(failure, ENOMEM, "--root");
	while (list && directory && (entry = readdir(directory))) {
		char **longer;

		if (check_id(entry->d_name, &unused))
			continue;
		longer = realloc(list, (count + 2) * sizeof(*list));
		if (!longer)
			break;
		list = longer;
		list[count++] = strdup(entry->d_name);
		list[count] = NULL;
	}
	if (directory)
		closedir(directory);
	return list;
}

/* --- what they say --- */

void state_set_text(struct state *state, const char *name, const char *value)
{
	(void)json_object_set_new(state->json, name, json_string(value));
}

const char *state_text(const struct state *state, const char *name)
{
	return json_string_value(json_object_get(state->json, name));
}

/* Numbers of processes are used again; the time at which one began tells two apart. 0: there is
 * none. */
static unsigned long long start_time(pid_t pid, char *letter)
{
	char path[64], text[1024];
	unsigned long long start = 0;
	auto_close int fd = -1;
	ssize_t size;
	char *end;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (size <= 0)
		return 0;
	text[size] = '\0';
	end = strrchr(text, ')');
	if (!end || sscanf(end + 2,
			    "%c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
			    "%*s %*s %llu",
			    letter, &start) != 2)
		return 0;
	return start;
}

void state_set_process(struct state *state, pid_t pid)
{
	char letter;

	(void)json_object_set_new(state->json, "pid", json_integer(pid));
	(void)json_object_set_new(
		state->json, "startTime", json_integer((json_int_t)start_time(pid, &letter)));
}

pid_t state_pid(const struct state *state)
{
	return (pid_t)json_integer_value(json_object_get(state->json, "pid"));
}

bool state_is_alive(const struct state *state)
{
	unsigned long long start;
	char letter = 'X';

	if (state_pid(state) <= 0)
		return false;
	start = start_time(state_pid(state), &letter);
	return start && letter != 'Z' && letter != 'X' &&
	       start == (unsigned long long)json_integer_value(
				json_object_get(state->json, "startTime"));
}

static int status_of(const char *name)
{
	for (int i = 0; i < 4; i++) {
		if (name && !strcmp(container_statuses[i], name))
			return i;
	}
	return -1;
}

/* What the sentry says; -1: nothing. */
static int ask_status(const struct state *state)
{
	struct failure unused = {0};
	auto_close int socket = sentry_connect(state, &unused);
	json_t *answer;
	int status;

	if (socket < 0)
		return -1;
	answer = sentry_call(socket, json_pack("{s:s, s:s}", "do", "state", "id", state->id), NULL,
		0, ANSWER_SECONDS, &unused);
	status = status_of(json_string_value(json_object_get(answer, "status")));
	json_decref(answer);
	return status;
}

/* One that is about to end does not answer any more: what was written down last is not true then.
 */
enum container_status state_status(const struct state *state)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	time_t begin = time(NULL);
	int status = -1;

	while (status < 0 && state_is_alive(state) && time(NULL) - begin < ANSWER_SECONDS) {
		status = ask_status(state);
		if (status < 0)
			nanosleep(&pause, NULL);
	}
	if (status >= 0)
		return (enum container_status)status;
	if (!state_is_alive(state))
		return CONTAINER_STOPPED;
	status = status_of(state_text(state, "status"));
	return status < 0 ? CONTAINER_CREATED : (enum container_status)status;
}

json_t *state_describe(const struct state *state, const char *status)
{
	const char *bundle = state_text(state, "bundle");
	json_t *annotations = json_object_get(state->json, "annotations"), *description;
	const char *shown = status ? status : container_statuses[state_status(state)];
	bool stopped = !strcmp(shown, "stopped");

	description = json_pack("{s:s, s:s, s:s, s:i, s:s}", "ociVersion", OCI_VERSION, "id",
		state->id, "status", shown, "pid", stopped ? 0 : (int)state_pid(state), "bundle",
		bundle ? bundle : "");
	if (state_text(state, "rootfs"))
		(void)json_object_set_new(
			description, "rootfs", json_string(state_text(state, "rootfs")));
	if (state_text(state, "created"))
		(void)json_object_set_new(
			description, "created", json_string(state_text(state, "created")));
	if (annotations)
		(void)json_object_set(description, "annotations", annotations);
	return description;
}
