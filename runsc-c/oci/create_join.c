/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container in a sandbox that runs: one of the same pod, or one whose namespaces another
 * container of ours made. A small process stands for it on the host.
 */
#include "base/cleanup.h"
#include "runsc-c/oci/channel.h"
#include "runsc-c/oci/create.h"
#include "runsc-c/oci/relay.h"
#include "runsc-c/oci/runtime.h"
#include "sentry/fs/host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- which --- */

static const char *pod_of(const struct creation *creation)
{
	static const struct {
		const char *type, *id;
	} annotations[] = {
		{"io.kubernetes.cri.container-type", "io.kubernetes.cri.sandbox-id"},
		{"io.kubernetes.cri-o.ContainerType", "io.kubernetes.cri-o.SandboxID"},
	};

	for (size_t i = 0; i < array_count(annotations); i++) {
		const char *type = oci_annotation(&creation->spec, annotations[i].type);

		if (type && !strcmp(type, "container"))
			return oci_annotation(&creation->spec, annotations[i].id);
	}
	return NULL;
}

static bool is_namespace_of(const struct stat *wanted, pid_t pid, const char *kind)
{
	struct stat status;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, kind);
	return !stat(path, &status) && status.st_ino == wanted->st_ino &&
	       status.st_dev == wanted->st_dev;
}

/* A namespace of a sentry's is its first container's; /proc/PID/ns names the others' processes,
 * too. */
char *creation_owner_of(const char *path)
{
	static const char *const kinds[] = {"ipc", "uts", "pid"};
	struct failure unused;
	char **ids = state_list(&unused), *found = NULL;
	struct stat status;
	int pid = 0;

	(void)sscanf(path, "/proc/%d/ns/", &pid);
	for (size_t i = 0; ids && ids[i]; i++) {
		struct state state;

		if (!found && !state_open(&state, ids[i], false, &unused)) {
			bool first = !strcmp(ids[i], state_text(&state, "sandbox") ?: "");
			bool match = pid && pid == state_pid(&state);

			for (size_t j = 0;
				j < array_count(kinds) && first && !match && !stat(path, &status);
				j++)
				match = is_namespace_of(&status, state_pid(&state), kinds[j]);
			if (match && state_is_alive(&state))
				found = strdup(ids[i]);
			state_close(&state);
		}
		free(ids[i]);
	}
	free(ids);
	return found;
}

static const enum oci_namespace_type shareable[] = {
	OCI_NAMESPACE_IPC, OCI_NAMESPACE_UTS, OCI_NAMESPACE_PID};

static char *sandbox_of(const char *id)
{
	struct failure unused;
	struct state state;
	char *sandbox = NULL;

	if (state_open(&state, id, false, &unused))
		return NULL;
	if (state_is_alive(&state) && state_text(&state, "sandbox"))
		sandbox = strdup(state_text(&state, "sandbox"));
	state_close(&state);
	return sandbox;
}

char *creation_find_sandbox(struct creation *creation)
{
	const char *pod = pod_of(creation);
	char *sandbox = pod ? sandbox_of(pod) : NULL;

	for (size_t i = 0; i < array_count(shareable) && !sandbox; i++) {
		const char *path = creation->spec.namespaces[shareable[i]].path;
		auto_free char *owner = path ? creation_owner_of(path) : NULL;

		if (owner)
			sandbox = sandbox_of(owner);
	}
	return sandbox;
}

/* --- joining --- */

/* Whose each namespace is: {"ipc": "ID"}. A pod's are its first container's unless the config says
 * otherwise. */
static json_t *shared(const struct creation *creation, const char *sandbox)
{
	static const char *const names[] = {"ipc", "uts", "pid"};
	json_t *share = json_object();

	for (size_t i = 0; i < array_count(shareable); i++) {
		const char *path = creation->spec.namespaces[shareable[i]].path;
		auto_free char *owner = path ? creation_owner_of(path) : NULL;

		if (path)
			(void)json_object_set_new(
				share, names[i], json_string(owner ? owner : sandbox));
	}
	return share;
}

static json_t *sources(const struct creation *creation)
{
	json_t *array = json_array();

	for (size_t i = 0; i < creation->launch.source_count; i++) {
		const struct oci_source *source = &creation->launch.sources[i];

		(void)json_array_append_new(array,
			json_pack("{s:I, s:b, s:b}", "rdev", (json_int_t)source->rdev, "proc",
				source->is_proc, "readOnly", source->mount->read_only));
	}
	return array;
}

struct cargo {
	int fds[CHANNEL_DESCRIPTORS_MAX];
	size_t count;
};

static bool load(struct cargo *cargo, int fd)
{
	if (fd < 0 || cargo->count == CHANNEL_DESCRIPTORS_MAX)
		return false;
	cargo->fds[cargo->count++] = fd;
	return true;
}

static int prepared_document(struct creation *creation)
{
	json_t *section = json_object_get(creation->document, "linux");

	if (creation->spec.seccomp.given)
		(void)json_object_set_new(
			section, "seccomp", oci_seccomp_compiled(&creation->spec.seccomp));
	return document_file(creation->document);
}

/* In the order that server_pod.c takes them: the document, the process's, the sources. */
static int load_all(
	struct creation *creation, struct cargo *cargo, size_t *stdio, struct failure *failure)
{
	bool loaded = load(cargo, prepared_document(creation));
	struct stat status;

	if (creation->terminal.fd >= 0)
		loaded &= load(cargo, host_stdio_prepare(creation->terminal.fd));
	for (int fd = creation->terminal.fd >= 0 ? 3 : 0; fd < 3 + creation->preserved; fd++) {
		int own = fstat(fd, &status) ? open("/dev/null", O_RDWR | O_CLOEXEC)
					     : host_stdio_prepare(fcntl(fd, F_DUPFD_CLOEXEC, 3));

		loaded &= load(cargo, own);
	}
	*stdio = cargo->count - 1;
	for (size_t i = 0; i < creation->launch.source_count; i++) {
		if (!oci_source_is_own(&creation->launch.sources[i]))
			loaded &= load(cargo, creation->launch.sources[i].fd);
	}
	return loaded ? 0
		      : fail(failure, STATUS_INTERNAL,
				"cannot hand %d descriptors to a sandbox that runs",
				CHANNEL_DESCRIPTORS_MAX);
}

static int add(struct creation *creation, const char *sandbox, int socket, struct failure *failure)
{
	struct cargo cargo = {0};
	size_t stdio;
	json_t *answer;

	if (load_all(creation, &cargo, &stdio, failure))
		return -1;
	answer = sentry_call(socket,
		json_pack("{s:s, s:s, s:o, s:o, s:i, s:b, s:i, s:i}", "do", "add", "id",
			creation->id, "share", shared(creation, sandbox), "sources",
			sources(creation), "stdio", (int)stdio, "terminal",
			creation->terminal.fd >= 0, "rows", creation->terminal.rows, "columns",
			creation->terminal.columns),
		cargo.fds, cargo.count, 0, failure);
	if (!answer)
		return -1;
	json_decref(answer);
	return 0;
}

/* NULL: it has none. */
static const char *memory_limit_file(struct creation *creation)
{
	const char *directory = cgroup_of(&creation->cgroup, "memory");

	if (!directory || !creation->launch.config.limits.memory)
		return NULL;
	return arena_format(&creation->spec.arena, "%s/%s", directory,
		creation->cgroup.unified ? "memory.max" : "memory.limit_in_bytes");
}

int creation_join(struct creation *creation, const char *sandbox, struct failure *failure)
{
	auto_close int socket = -1, signals = -1;
	int pid = 0;

	if (creation->unprivileged)
		return fail(failure, STATUS_INTERNAL,
			"only who may make mounts can add a container to a sandbox that runs");
	state_set_text(&creation->state, "sandbox", sandbox);
	if (state_save(&creation->state, failure) ||
		creation_hooks(creation, OCI_HOOK_PRESTART, 0, failure) ||
		creation_hooks(creation, OCI_HOOK_CREATE_RUNTIME, 0, failure) ||
		creation_hooks(creation, OCI_HOOK_CREATE_CONTAINER, 0, failure))
		return -1;
	socket = sentry_connect(&creation->state, failure);
	signals = relay_take_signals();
	if (socket < 0 || add(creation, sandbox, socket, failure) ||
		relay_detach(socket, signals, creation->terminal.fd, memory_limit_file(creation),
			&pid, failure))
		return -1;
	creation->pid = pid;
	state_set_process(&creation->state, pid);
	state_set_text(&creation->state, "status", "created");
	return creation_enter_cgroup(creation, pid, failure) ||
			       pid_file_write(creation->pid_file, pid, failure) ||
			       state_save(&creation->state, failure)
		       ? -1
		       : 0;
}
