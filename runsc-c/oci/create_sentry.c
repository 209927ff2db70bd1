/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container in a sandbox of its own: its sentry is the process that stands for it on the host. It
 * waits until the command has put it into its cgroup, ran the hooks, and written down that it is
 * there; if the command dies before, it ends.
 */
#include "base/cleanup.h"
#include "runsc-c/jail.h"
#include "runsc-c/oci/create.h"
#include "runsc-c/oci/relay.h"
#include "runsc-c/oci/runtime.h"
#include "runsc-c/oci/server.h"
#include "runsc-c/raw_broker.h"
#include "runsc-c/sandbox.h"
#include "sentry/fs/host/host.h"
#include "sentry/net/host_network.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

/* Too large for a stack, and there is only one. */
static struct sandbox_launch g_launch;
static struct server_launch g_server_launch;
static char g_host_name[65];
static struct sandbox_mount g_empty_root = {.type = SANDBOX_MOUNT_FS,
	.source = "none",
	.destination = "/",
	.fs_type = "tmpfs",
	.source_fd = -1};

/* --- in the sentry's process --- */

static int open_in_sentry(void *argument, unsigned int host_ids, struct failure *failure)
{
	struct creation *creation = argument;
	struct process_config *process = &creation->launch.process;
	int *stdio = (int *)process->stdio;

	for (size_t i = 0; creation->unprivileged && i < creation->launch.source_count; i++) {
		if (oci_source_open(&creation->launch.sources[i], failure))
			return -1;
	}
	oci_sources_settle(&creation->launch);
	if (!(g_launch.guest->namespaces & CLONE_NEWNET)) {
		int error = host_network_open();

		if (error)
			return fail_errno(failure, -error, "cannot look at the network namespace");
	}
	json_object_seed(1);
	if (process->has_terminal) {
		/* So that it is told of changes of its size. */
		if (!creation->terminal.is_callers)
			(void)ioctl(process->console.fd, TIOCSCTTY, 0);
		process->console.fd = host_stdio_prepare(process->console.fd);
		g_server_launch.console = process->console.fd;
	}
	for (size_t i = 0; i < process->stdio_count; i++) {
		if (stdio[i] >= 0)
			stdio[i] = host_stdio_prepare(stdio[i]);
	}
	return 0;
}

static int create_in_sentry(void *argument, struct failure *failure)
{
	return server_create(&g_server_launch, g_launch.config.host_ids, failure);
}

static int serve_in_sentry(void *argument)
{
	return server_run(&g_server_launch);
}

/* --- before it --- */

static int listen_in(int directory, struct failure *failure)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	auto_close int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	mode_t mask = umask(0077);
	int error;

	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/control", directory);
	error = fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 64)
			? errno
			: 0;
	umask(mask);
	return error ? fail_errno(failure, error, "cannot make the control socket") : steal_fd(&fd);
}

/* Descriptors of the process: 0 to 2, and those that are preserved. With a terminal the first three
 * are its. */
static int fill_stdio(struct creation *creation, struct failure *failure)
{
	struct process_config *process = &creation->launch.process;
	size_t count = 3 + (size_t)creation->preserved;
	int *stdio = arena_allocate(&creation->spec.arena, count, sizeof(int));
	struct stat status;

	if (!stdio || count > 1024)
		return fail(failure, STATUS_INTERNAL, "--preserve-fds: too many");
	for (size_t fd = 0; fd < count; fd++)
		stdio[fd] = fstat((int)fd, &status) ? -1 : (int)fd;
	process->has_terminal = creation->terminal.fd >= 0;
	if (process->has_terminal) {
		stdio[0] = stdio[1] = stdio[2] = -1;
		process->console = (struct sandbox_console){.fd = creation->terminal.fd,
			.rows = creation->terminal.rows,
			.columns = creation->terminal.columns,
			.fresh = true};
	}
	process->stdio = stdio;
	process->stdio_count = count;
	return 0;
}

static int *kept_descriptors(struct creation *creation, size_t *count)
{
	const struct oci_launch *launch = &creation->launch;
	const struct process_config *process = &launch->process;
	int *fds = arena_allocate(&creation->spec.arena,
		launch->source_count + process->stdio_count + 4, sizeof(int));

	*count = 0;
	if (!fds)
		return NULL;
	for (size_t i = 0; i < launch->source_count; i++) {
		if (launch->sources[i].fd >= 0)
			fds[(*count)++] = launch->sources[i].fd;
	}
	for (size_t i = 3; i < process->stdio_count; i++) {
		if (process->stdio[i] >= 0)
			fds[(*count)++] = process->stdio[i];
	}
	fds[(*count)++] = g_server_launch.listener;
	if (g_server_launch.signals >= 0)
		fds[(*count)++] = g_server_launch.signals;
	if (creation->terminal.fd >= 0)
		fds[(*count)++] = creation->terminal.fd;
	return fds;
}

/* A network namespace that the engine prepared, or the host's own where none is wanted, is not one
 * of the sandbox's own. */
static unsigned long namespaces_of(const struct oci_spec *spec)
{
	const struct oci_namespace *network = &spec->namespaces[OCI_NAMESPACE_NETWORK];

	return network->given && !network->path ? JAIL_NAMESPACES
						: JAIL_NAMESPACES & ~(unsigned long)CLONE_NEWNET;
}

/* Only in a network that was meant for it, and by config.json's own word. */
static bool may_have_raw_sockets(const struct oci_spec *spec)
{
	return spec->namespaces[OCI_NAMESPACE_NETWORK].given &&
	       (spec->process.capabilities.bounding & 1ull << CAP_NET_RAW);
}

static void write_setting(const char *path, const char *value)
{
	auto_close int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)!write(fd, value, strlen(value));
}

/* The sentry outlives us: who makes raw sockets for it starts now or never, in the network
 * namespace that the process is in if the sentry has none of its own. Without it there are none. */
static void start_raw_broker(struct sandbox *sandbox, bool own_network)
{
	if (sandbox->raw_channel < 0)
		return;
	(void)raw_broker_start(sandbox->raw_channel, own_network ? sandbox->sentry : 0);
	close(sandbox->raw_channel);
	sandbox->raw_channel = -1;
}

static int make_sandbox(struct sandbox *sandbox, struct failure *failure)
{
	if (sandbox_make(&g_launch, sandbox, failure))
		return -1;
	start_raw_broker(sandbox, g_launch.guest->namespaces & CLONE_NEWNET);
	return 0;
}

/* The process clones the sentry from within the namespace, and comes back. */
static int make_in_network(
	struct creation *creation, struct sandbox *sandbox, struct failure *failure)
{
	const char *path = creation->spec.namespaces[OCI_NAMESPACE_NETWORK].path;
	auto_close int own = -1, other = -1;
	int result;

	if (!path)
		return make_sandbox(sandbox, failure);
	own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	other = open(path, O_RDONLY | O_CLOEXEC);
	if (own < 0 || other < 0 || setns(other, CLONE_NEWNET))
		return fail_errno(failure, errno, "linux.namespaces: network: %s", path);
	/* The sentry has no capability there; its guests' kernel decides who may bind a low port.
	 */
	write_setting("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
	result = make_sandbox(sandbox, failure);
	if (setns(own, CLONE_NEWNET) && !result)
		return fail_errno(failure, errno, "cannot leave the network namespace %s", path);
	return result;
}

/* What the host's cgroup holds the sandbox to. */
static uint64_t host_memory(const struct creation *creation)
{
	json_t *resources = cgroup_with_room(creation->spec.resources);
	double limit =
		json_number_value(json_object_get(json_object_get(resources, "memory"), "limit"));

	json_decref(resources);
	return limit > 0 && limit < 9e18 ? (uint64_t)limit : 0;
}

static int fill_launch(
	struct creation *creation, struct sentry_guest *guest, struct failure *failure)
{
	struct oci_spec *spec = &creation->spec;
	cpu_set_t processors;

	if (fill_stdio(creation, failure))
		return -1;
	g_server_launch.spec = spec;
	g_server_launch.launch = &creation->launch;
	g_server_launch.console = -1;
	g_launch.guest = guest;
	g_launch.platform = "ptrace";
	g_launch.log_fd = -1;
	g_launch.trace.fd = -1;
	g_launch.log_format = g_runtime.log_json ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT;
	if (g_runtime.debug_log)
		g_launch.log_fd =
			open(g_runtime.debug_log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	g_launch.mounts[0] = g_empty_root;
	g_launch.config.mounts = g_launch.mounts;
	g_launch.config.mount_count = 1;
	/* What a container without a uts namespace of its own sees. */
	if (gethostname(g_host_name, sizeof(g_host_name) - 1))
		strcpy(g_host_name, "csandbox");
	g_launch.config.hostname = g_host_name;
	g_launch.config.domainname = "(none)";
	g_launch.config.console.fd = -1;
	/* The first container's memory is all that the sandbox has. */
	g_launch.config.sandbox_limits.memory = creation->launch.config.limits.memory;
	creation->launch.config.limits.memory = 0;
	if (g_launch.config.sandbox_limits.memory && cgroup_of(&creation->cgroup, "memory"))
		g_server_launch.host_memory = host_memory(creation);
	g_launch.config.processors =
		sched_getaffinity(0, sizeof(processors), &processors) ? 1 : CPU_COUNT(&processors);
	guest->namespaces = namespaces_of(spec);
	g_launch.raw_sockets = may_have_raw_sockets(spec);
	guest->capabilities = JAIL_FILE_CAPABILITIES;
	if (spec->uid_mapping_count) {
		guest->uids =
			oci_map_lines(&spec->arena, spec->uid_mappings, spec->uid_mapping_count);
		guest->gids =
			oci_map_lines(&spec->arena, spec->gid_mappings, spec->gid_mapping_count);
		guest->become_root = true;
	}
	guest->open = open_in_sentry;
	guest->create = create_in_sentry;
	guest->serve = serve_in_sentry;
	guest->argument = creation;
	return 0;
}

/* Hooks in their order, between the sandbox and what is in it. */
static int set_up(struct creation *creation, struct sandbox *sandbox, struct failure *failure)
{
	state_set_process(&creation->state, sandbox->sentry);
	if (state_save(&creation->state, failure) ||
		creation_enter_cgroup(creation, sandbox->sentry, failure) ||
		creation_hooks(creation, OCI_HOOK_PRESTART, 0, failure) ||
		creation_hooks(creation, OCI_HOOK_CREATE_RUNTIME, 0, failure) ||
		creation_hooks(creation, OCI_HOOK_CREATE_CONTAINER, sandbox->sentry, failure) ||
		sandbox_create(sandbox, failure))
		return -1;
	state_set_text(&creation->state, "status", "created");
	return pid_file_write(creation->pid_file, sandbox->sentry, failure) ||
			       state_save(&creation->state, failure) ||
			       sandbox_commit(sandbox, failure)
		       ? -1
		       : 0;
}

int creation_make_sentry(struct creation *creation, struct failure *failure)
{
	struct sentry_guest guest = {0};
	struct sandbox sandbox;
	int result;

	g_server_launch.listener = listen_in(creation->state.directory, failure);
	if (g_server_launch.listener < 0)
		return -1;
	g_server_launch.signals = creation->foreground ? -1 : relay_take_signals();
	if (fill_launch(creation, &guest, failure))
		return -1;
	guest.fds = kept_descriptors(creation, &guest.fd_count);
	if (!guest.fds)
		return fail_errno(failure, ENOMEM, "cannot make the sandbox");
	state_set_text(&creation->state, "sandbox", creation->id);
	if (make_in_network(creation, &sandbox, failure))
		return -1;
	creation->pid = sandbox.sentry;
	result = set_up(creation, &sandbox, failure);
	close(sandbox.control);
	close(g_server_launch.listener);
	return result;
}
