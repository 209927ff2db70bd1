/* SPDX-License-Identifier: Apache-2.0 */
/* `csandbox create`, and what is the same for `run`: reading the bundle, the order of steps, taking
 * all back on a failure. */
#include "runsc-c/oci/create.h"

#include "base/cleanup.h"
#include "runsc-c/oci/cgroup_systemd.h"
#include "runsc-c/oci/hooks.h"
#include "runsc-c/oci/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

int document_file(json_t *document)
{
	int fd = memfd_create("document", MFD_CLOEXEC);

	if (fd >= 0 && json_dumpfd(document, fd, JSON_COMPACT)) {
		close(fd);
		return -1;
	}
	return fd;
}

int pid_file_write(const char *path, pid_t pid, struct failure *failure)
{
	char *name = NULL;
	int fd, result = 0;

	if (!path)
		return 0;
	if (asprintf(&name, "%s.csandbox", path) < 0)
		return fail_errno(failure, ENOMEM, "--pid-file");
	/* Whole or not at all: engines look for it as soon as it is there. */
	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0 || dprintf(fd, "%d", pid) < 0 || rename(name, path))
		result = fail_errno(failure, errno, "--pid-file: cannot write %s", path);
	if (fd >= 0)
		close(fd);
	free(name);
	return result;
}

/* --- reading --- */

static int read_bundle(struct creation *creation, struct failure *failure)
{
	auto_close int directory = -1;

	creation->bundle_path = realpath(creation->bundle ? creation->bundle : ".", NULL);
	if (!creation->bundle_path)
		return fail_errno(
			failure, errno, "--bundle: cannot use %s", creation->bundle ?: ".");
	directory = open(creation->bundle_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return fail_errno(failure, errno, "--bundle: cannot use %s", creation->bundle_path);
	if (faccessat(directory, "config.json", R_OK, AT_EACCESS))
		return fail_errno(failure, errno, "--bundle: cannot read config.json in %s",
			creation->bundle_path);
	creation->document = json_load_path(directory, "config.json", "config.json", failure);
	if (!creation->document ||
		oci_spec_read(&creation->spec, creation->document, "config.json", false, failure))
		return -1;
	if (!creation->spec.has_process)
		return fail(failure, STATUS_INTERNAL, "config.json: process: missing");
	return 0;
}

/* Relative ones are meant from the bundle. */
static int resolve_paths(struct creation *creation, struct failure *failure)
{
	struct oci_spec *spec = &creation->spec;
	const char *root = spec->root_path;

	if (asprintf(&creation->root_path, "%s%s%s", root[0] == '/' ? "" : creation->bundle_path,
		    root[0] == '/' ? "" : "/", root) < 0) {
		creation->root_path = NULL;
		return fail_errno(failure, ENOMEM, "root.path");
	}
	for (size_t i = 0; i < spec->mount_count; i++) {
		struct oci_mount *mount = &spec->mounts[i];

		if (!mount->bind || mount->source[0] == '/')
			continue;
		mount->source =
			arena_format(&spec->arena, "%s/%s", creation->bundle_path, mount->source);
		if (!mount->source)
			return fail_errno(failure, ENOMEM, "mounts[%zu].source", i);
	}
	return 0;
}

static int check_terminal(const struct creation *creation, struct failure *failure)
{
	bool wanted = creation->spec.process.terminal;

	if (wanted && !creation->console_socket && !creation->foreground)
		return fail(failure, STATUS_INTERNAL,
			"process.terminal: a detached container needs --console-socket");
	if (!wanted && creation->console_socket)
		return fail(
			failure, STATUS_INTERNAL, "--console-socket: process.terminal is not true");
	return 0;
}

/* --- what is kept --- */

static json_t *kept_hooks(const struct creation *creation)
{
	json_t *hooks = json_object_get(creation->document, "hooks");

	return hooks ? json_incref(hooks) : json_object();
}

static int keep(struct creation *creation, struct failure *failure)
{
	struct state *state = &creation->state;
	char created[40];
	time_t now = time(NULL);
	struct tm tm;
	json_t *annotations = json_object_get(creation->document, "annotations");

	gmtime_r(&now, &tm);
	strftime(created, sizeof(created), "%Y-%m-%dT%H:%M:%SZ", &tm);
	state_set_text(state, "bundle", creation->bundle_path);
	state_set_text(state, "rootfs", creation->root_path);
	state_set_text(state, "created", created);
	(void)json_object_set_new(state->json, "hooks", kept_hooks(creation));
	(void)json_object_set_new(state->json, "owner", json_integer(geteuid()));
	if (annotations)
		(void)json_object_set(state->json, "annotations", annotations);
	(void)json_object_set(
		state->json, "process", json_object_get(creation->document, "process"));
	return state_save(state, failure);
}

int creation_hooks(struct creation *creation, enum oci_hook_stage stage, pid_t network_of,
	struct failure *failure)
{
	json_t *state;
	int result;

	if (!creation->spec.hooks[stage].count)
		return 0;
	creation->hooks_began = true;
	state = state_describe(&creation->state, "creating");
	result = hooks_run(
		&creation->spec.hooks[stage], oci_hook_stages[stage], state, network_of, failure);
	json_decref(state);
	return result;
}

/* --- all of it --- */

static int limit(struct creation *creation, json_t *resources, struct failure *failure)
{
	return cgroup_make(&creation->cgroup, failure) ||
			       cgroup_apply(&creation->cgroup, resources, failure)
		       ? -1
		       : 0;
}

/* A scope of systemd's begins with its first process. */
int creation_enter_cgroup(struct creation *creation, pid_t pid, struct failure *failure)
{
	json_t *resources;
	int result = 0;

	if (creation->cgroup.unit) {
		resources = cgroup_with_room(creation->spec.resources);
		result = cgroup_systemd_start(&creation->cgroup, pid, resources, failure);
		if (!result)
			result = limit(creation, resources, failure);
		json_decref(resources);
	}
	return result ? result : cgroup_enter(&creation->cgroup, pid, failure);
}

static int make_cgroup(struct creation *creation, struct failure *failure)
{
	json_t *resources = cgroup_with_room(creation->spec.resources);
	int result = creation->cgroup.unit ? 0 : limit(creation, resources, failure);

	json_decref(resources);
	return result;
}

/*
 * Where the configuration names no cgroup: ids are unique in one --root only, so its directory's
 * number is part of the name. systemd's names are checked by systemd.
 */
static int find_cgroup(struct creation *creation, struct failure *failure)
{
	auto_free char *name = NULL;
	struct stat status;

	if (fstat(creation->state.directory, &status) ||
		asprintf(&name, "csandbox-%s-%llx", creation->id,
			(unsigned long long)status.st_ino) < 0)
		return fail_errno(failure, errno, "cannot name the cgroup");
	return cgroup_find(&creation->cgroup, creation->spec.cgroups_path,
		       g_runtime.systemd_cgroup ? creation->id : name, g_runtime.systemd_cgroup,
		       failure) ||
			       cgroup_check_unused(&creation->cgroup, failure)
		       ? -1
		       : 0;
}

static int make(struct creation *creation, struct failure *failure)
{
	auto_free char *sandbox = creation_find_sandbox(creation);

	if (creation->spec.process.terminal &&
		terminal_open(&creation->terminal, creation->console_socket,
			creation->spec.process.console_rows, creation->spec.process.console_columns,
			failure))
		return -1;
	if (oci_sources_open(&creation->launch, &creation->unprivileged, failure))
		return -1;
	if (find_cgroup(creation, failure))
		return -1;
	(void)json_object_set_new(
		creation->state.json, "cgroup", cgroup_to_json(&creation->cgroup));
	if (keep(creation, failure) || make_cgroup(creation, failure))
		return -1;
	return sandbox ? creation_join(creation, sandbox, failure)
		       : creation_make_sentry(creation, failure);
}

/* Nothing stays; a hook that ran is told of the end. */
static void take_back(struct creation *creation)
{
	struct failure unused = {0};
	json_t *state;

	if (creation->pid > 0) {
		kill(creation->pid, SIGKILL);
		while (waitpid(creation->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	(void)cgroup_remove(&creation->cgroup);
	if (creation->hooks_began) {
		state = state_describe(&creation->state, "stopped");
		hooks_run_all(&creation->spec.hooks[OCI_HOOK_POSTSTOP], "poststop", state);
		json_decref(state);
	}
	(void)!state_remove(&creation->state, &unused);
	if (creation->pid_file)
		(void)unlink(creation->pid_file);
}

int creation_make(struct creation *creation, struct failure *failure)
{
	creation->state.directory = -1;
	creation->terminal.fd = -1;
	if (read_bundle(creation, failure) || resolve_paths(creation, failure) ||
		check_terminal(creation, failure) || creation_check_namespaces(creation, failure) ||
		oci_launch_build(&creation->launch, &creation->spec, creation->id,
			creation->root_path, failure))
		return -1;
	if (state_create(&creation->state, creation->id, failure))
		return -1;
	if (!make(creation, failure))
		return 0;
	take_back(creation);
	return -1;
}

void creation_free(struct creation *creation)
{
	state_close(&creation->state);
	cgroup_free(&creation->cgroup);
	oci_spec_free(&creation->spec);
	json_decref(creation->document);
	free(creation->bundle_path);
	free(creation->root_path);
}

int command_create(int argc, char **argv, struct failure *failure)
{
	struct creation creation = {0};
	bool ignored;
	const struct option_row rows[] = {
		{"bundle", "b", OPTION_TEXT, &creation.bundle, "DIR",
			"the bundle (default: the working directory)"},
		{"pid-file", NULL, OPTION_TEXT, &creation.pid_file, "FILE",
			"write the number of its process on the host there"},
		{"console-socket", NULL, OPTION_TEXT, &creation.console_socket, "SOCKET",
			"where the terminal's other end is sent to"},
		{"preserve-fds", NULL, OPTION_NUMBER, &creation.preserved, "N",
			"pass N more descriptors on, from 3"},
		{"no-pivot", NULL, OPTION_FLAG, &ignored, NULL, "accepted, without effect"},
		{"no-new-keyring", NULL, OPTION_FLAG, &ignored, NULL, "accepted, without effect"},
	};
	int at = options_take(
		    argc, argv, rows, array_count(rows), "create [OPTION...] ID", failure),
	    result;

	if (at < 0 || at > argc)
		return at < 0 ? 1 : 0;
	creation.id = options_one(argc, argv, at, "the id of one container", failure);
	if (!creation.id)
		return 1;
	result = creation_make(&creation, failure);
	creation_free(&creation);
	return result ? 1 : 0;
}
