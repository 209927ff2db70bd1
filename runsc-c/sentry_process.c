/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sentry's process from its first instruction: it opens what it will need, closes the jail
 * behind itself, starts the kernel, and then only passes messages between the command and that
 * kernel.
 */
#include "runsc-c/sandbox.h"

#include "base/cleanup.h"
#include "base/descriptor.h"
#include "base/safe_copy.h"
#include "platform/platform.h"
#include "sentry/fs/host/host.h"
#include "sentry/vfs/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Set once, before there are threads. */
static int g_control;
static const struct sentry_guest *g_guest; /* of containers, once they run alone */

noreturn_ static void give_up(const struct failure *failure)
{
	struct control_message message = {.type = CONTROL_FAILURE, .failure = *failure};

	(void)control_send(g_control, &message);
	_exit(failure->status);
}

static void report_panic(const char *text)
{
	struct failure failure;

	/* Nobody listens to the sentry of a container: for an engine it was killed. */
	if (g_guest)
		_exit(128 + SIGKILL);
	(void)fail(&failure, STATUS_INTERNAL,
		"internal error, the sandbox was ended: %s; --debug-log FILE tells more", text);
	give_up(&failure);
}

static int compare_fds(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return x < y ? -1 : x > y;
}

/* The caller's other descriptors are nobody's business inside. */
static void close_foreign_descriptors(const struct sandbox_launch *launch, int control)
{
	const struct sentry_guest *guest = launch->guest;
	size_t given = guest ? guest->fd_count : 0, count = 0;
	unsigned int from = 3;
	int *kept = malloc((given + launch->config.layer_count + 7) * sizeof(*kept));

	panic_if(!kept, "no memory to start with");
	kept[count++] = control;
	if (launch->log_fd >= 0)
		kept[count++] = launch->log_fd;
	if (launch->config.list_changes)
		kept[count++] = launch->config.changes_fd;
	if (launch->config.list_changes && launch->config.layer_fd >= 0)
		kept[count++] = launch->config.layer_fd;
	if (launch->config.policy && launch->config.policy->learn)
		kept[count++] = launch->config.policy->learn_fd;
	for (size_t i = 0; i < launch->config.layer_count; i++)
		kept[count++] = launch->config.layer_fds[i];
	if (launch->config.raw_channel)
		kept[count++] = launch->config.raw_channel;
	if (launch->trace.fd >= 0)
		kept[count++] = launch->trace.fd;
	for (size_t i = 0; i < given; i++)
		kept[count++] = guest->fds[i];
	qsort(kept, count, sizeof(*kept), compare_fds);
	for (size_t i = 0; i < count; i++) {
		if (kept[i] > (int)from)
			syscall(SYS_close_range, from, kept[i] - 1, 0);
		if (kept[i] >= (int)from)
			from = (unsigned int)kept[i] + 1;
	}
	syscall(SYS_close_range, from, ~0u, 0);
	free(kept);
}

/* A file is used through a descriptor that reads (and writes) it; a tree through one that only
 * names it. */
static int open_source(const struct sandbox_source *source, struct failure *failure)
{
	auto_close int fd = jail_open_tree(source->path, source->writable, true, failure);
	struct statfs fs;
	char name[32];
	struct stat status;
	int opened;

	/* "self" there is this process: its memory would be a guest's to read, and to write. */
	if (fd >= 0 && !fstatfs(fd, &fs) && fs.f_type == PROC_SUPER_MAGIC)
		return fail(failure, STATUS_INTERNAL,
			"--bind: %s is of the host's /proc, which would show the sandbox's kernel; "
			"the sandbox has a /proc of its own",
			source->path);
	if (fd < 0 || fstat(fd, &status) || S_ISDIR(status.st_mode))
		return steal_fd(&fd);
	if (!S_ISREG(status.st_mode))
		return fail(failure, STATUS_INTERNAL,
			"--bind: %s is neither a directory nor a regular file", source->path);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	opened = open(name, (source->writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	if (opened < 0)
		return fail_errno(failure, errno, "--bind: cannot open %s", source->path);
	return opened;
}

static int open_sources(struct sandbox_launch *launch, struct failure *failure)
{
	for (size_t i = 0; i < launch->config.mount_count; i++) {
		const struct sandbox_source *source = &launch->sources[i];

		launch->mounts[i].source_fd = -1;
		if (!source->path)
			continue;
		launch->mounts[i].source_fd = open_source(source, failure);
		if (launch->mounts[i].source_fd < 0)
			return -1;
	}
	return 0;
}

static void send_text(const char *text)
{
	struct control_message message = {.type = CONTROL_TEXT};

	while (*text) {
		size_t size = strnlen(text, sizeof(message.failure.message) - 1);

		memcpy(message.failure.message, text, size);
		message.failure.message[size] = '\0';
		(void)control_send(g_control, &message);
		text += size;
	}
}

static void on_stopped(void *argument unused_, int signal)
{
	struct control_message message = {.type = CONTROL_STOPPED, .a = signal};

	(void)control_send(g_control, &message);
}

/* Messages from the command, until it is gone: then everything here is, too. */
static void *listen_to_command(void *argument unused_)
{
	struct control_message message;

	while (control_receive(g_control, &message)) {
		switch (message.type) {
		case CONTROL_SIGNAL:
			kernel_signal(message.a);
			break;
		case CONTROL_RESIZE:
			kernel_console_resize((uint16_t)message.a, (uint16_t)message.b);
			break;
		case CONTROL_CONTINUE:
			kernel_continue();
			break;
		default:
			break;
		}
	}
	_exit(STATUS_INTERNAL);
}

static void tell_what_is_lost(const char *what, int error)
{
	char text[128];

	if (!error)
		return;
	(void)snprintf(
		text, sizeof(text), "csandbox: %s is not complete: %s\n", what, strerror(error));
	send_text(text);
}

static void *report_end(void *argument unused_)
{
	struct control_message message = {.type = CONTROL_EXITED};
	struct sandbox_result result;
	long leaks;
	int error;

	kernel_wait(&result);
	error = -trace_finish();
	tell_what_is_lost("the trace", error == EPIPE ? 0 : error);
	leaks = kernel_shutdown();
	tell_what_is_lost("--debug-log", log_lost());
	message.a = result.status;
	if (leaks > 0) {
		message.type = CONTROL_FAILURE;
		(void)fail(&message.failure, STATUS_INTERNAL,
			"%ld kernel objects were leaked; --debug-log FILE names them", leaks);
	}
	(void)control_send(g_control, &message);
	_exit(0);
}

static void *run_guest(void *argument unused_)
{
	int status = g_guest->serve(g_guest->argument);

	if (kernel_shutdown() > 0)
		log_error("kernel objects were leaked");
	_exit(status);
}

static void start_thread(void *(*run)(void *), const char *name)
{
	struct failure failure;
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 256 * 1024);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attributes, run, NULL)) {
		(void)fail(&failure, STATUS_INTERNAL,
			"no thread for %s: the host has no memory, or lets this user have no more "
			"of "
			"them (ulimit -u)",
			name);
		give_up(&failure);
	}
	pthread_attr_destroy(&attributes);
}

/* Guests' limits are their own kernel's: the sentry may use what the host gives. */
static void raise_limits(void)
{
	static const int needed[] = {RLIMIT_NOFILE, RLIMIT_AS, RLIMIT_DATA, RLIMIT_FSIZE};
	struct rlimit limit;

	for (size_t i = 0; i < array_count(needed); i++) {
		if (getrlimit(needed[i], &limit))
			continue;
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(needed[i], &limit);
	}
	descriptor_keep_some();
}

static bool is_limited(int resource)
{
	struct rlimit limit;

	return !getrlimit(resource, &limit) && limit.rlim_cur != RLIM_INFINITY;
}

static void explain_memory(int error, struct failure *failure)
{
	const char *hint = "";

	if (error == -EFBIG && is_limited(RLIMIT_FSIZE))
		hint = " under the caller's limit of file sizes (ulimit -f)";
	else if (error == -ENOMEM && is_limited(RLIMIT_AS))
		hint = " under the caller's limit of address space (ulimit -v)";
	else if (error == -ENOMEM && is_limited(RLIMIT_DATA))
		hint = " under the caller's limit of data (ulimit -d)";
	(void)fail_errno(failure, -error, "cannot make the memory of the sandbox%s", hint);
}

/* Where the host lets us: descriptors of our own, so that what the sentry does to them is not done
 * to the caller's. */
static void open_stdio(struct sandbox_launch *launch)
{
	static int stdio[3];
	struct sandbox_config *config = &launch->config;

	for (size_t i = 0; i < config->stdio_count && i < array_count(stdio); i++) {
		stdio[i] = config->stdio[i];
		if (stdio[i] >= 0 && !config->stdio_is_console[i])
			stdio[i] = host_stdio_prepare(stdio[i]);
	}
	config->stdio = stdio;
	if (config->console.fd >= 0)
		config->console.fd = host_stdio_prepare(config->console.fd);
}

static int become_root(void)
{
	/* Where groups may not be dropped, there are none to be had. */
	if (setgroups(0, NULL) && errno != EPERM)
		return -1;
	return setresgid(0, 0, 0) || setresuid(0, 0, 0) ? -1 : 0;
}

static void close_jail(struct sandbox_launch *launch, struct jail_evidence *evidence,
	struct platform **platform, struct failure *failure)
{
	const struct sentry_guest *guest = launch->guest;
	int error, preference;

	if (guest && guest->open(guest->argument, launch->config.host_ids, failure))
		give_up(failure);
	if (open_sources(launch, failure))
		give_up(failure);
	if ((!guest || guest->namespaces & CLONE_NEWNET) && jail_prepare_network(failure))
		give_up(failure);
	open_stdio(launch);
	if (launch->report_jail)
		jail_read_namespaces(evidence->namespaces);
	error = kernel_prepare(&launch->config);
	if (error) {
		explain_memory(error, failure);
		give_up(failure);
	}
	(void)umask(0); /* guests' tasks have their own */
	/* Of containers the engine decides. */
	preference = guest ? -1 : jail_prefer_children_to_die();
	if (jail_empty_root(failure) ||
		jail_drop_capabilities(guest ? guest->capabilities : 0, failure))
		give_up(failure);
	/* While the process is small, and before the filter: the stubs get a stricter one of their
	 * own. */
	error = platform_ptrace_new(platform);
	jail_prefer_no_more(preference);
	if (error == -ENOMEM) {
		(void)fail(failure, STATUS_INTERNAL,
			"no room for the stubs' pages at the end of the address space; csandbox "
			"does "
			"not run inside csandbox");
		give_up(failure);
	}
	if (error) {
		(void)fail_errno(failure, -error, "the host lets us trace no process of our own");
		give_up(failure);
	}
	if (jail_load_filter(failure))
		give_up(failure);
	if (launch->report_jail) {
		char report[4096];
		bool holds = jail_report(evidence, report, sizeof(report));

		send_text(report);
		if (!holds) {
			(void)fail(failure, STATUS_INTERNAL,
				"the jail does not hold; nothing was run");
			give_up(failure);
		}
	}
}

static void explain_mount(
	const struct sandbox_launch *launch, size_t index, int error, struct failure *failure)
{
	const struct sandbox_mount *mount = &launch->config.mounts[index];
	bool layers = launch->config.layer_count && mount->type == SANDBOX_MOUNT_OVERLAY;

	if (layers && error == -EINVAL)
		(void)fail(failure, STATUS_INTERNAL,
			"--layer: %s is no layer; --debug-log FILE tells more",
			launch->config.layer_count == 1 ? launch->layer_names[0] : "one of them");
	else if (layers && (error == -ENOSPC || error == -ENOMEM))
		(void)fail(failure, STATUS_INTERNAL,
			"--layer: there is more in it than fits into the sandbox's memory; "
			"--memory and --disk bound that");
	else if (mount->type == SANDBOX_MOUNT_FS)
		(void)fail_errno(failure, -error, "cannot mount a %s at %s in the host's %s",
			mount->fs_type, mount->destination, launch->config.mounts[0].source);
	else
		(void)fail_errno(failure, -error, "cannot show the host's %s at %s", mount->source,
			mount->destination);
}

static void explain_start(const struct sandbox_launch *launch, int error,
	const struct start_failure *failed, struct failure *failure)
{
	switch (failed->step) {
	case START_MOUNT:
		explain_mount(launch, failed->mount, error, failure);
		break;
	case START_DIRECTORY:
		(void)fail_errno(failure, -error, "cannot start in %s, see --workdir",
			launch->config.working_directory);
		break;
	case START_PROGRAM:
		(void)fail_errno(failure, -error, "cannot run %s", launch->config.argv[0]);
		failure->status = error == -ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
		break;
	default:
		(void)fail_errno(failure, -error, "cannot start the sandbox's kernel%s",
			error == -EAGAIN ? " under the caller's limit of processes (ulimit -u)"
					 : "");
	}
}

static void start_kernel(
	struct sandbox_launch *launch, struct platform *platform, struct failure *failure)
{
	struct sandbox_events events = {.stopped = on_stopped};
	struct control_message ready = {.type = CONTROL_READY};
	struct start_failure failed;
	int error;

	if (launch->trace.fd >= 0 && trace_start(&launch->trace)) {
		(void)fail(failure, STATUS_INTERNAL,
			"cannot trace: the table of system calls has a word that nobody decodes");
		give_up(failure);
	}
	error = kernel_start(platform, &launch->config, &events, &failed);

	if (error) {
		explain_start(launch, error, &failed, failure);
		give_up(failure);
	}
	(void)control_send(g_control, &ready);
	start_thread(listen_to_command, "messages");
	start_thread(report_end, "the end");
	platform_ptrace_watch(platform);
}

/* Containers: what can go wrong is told; after the caller's second word the sentry is on its own.
 */
noreturn_ static void serve_guest(
	struct sandbox_launch *launch, struct platform *platform, struct failure *failure)
{
	struct control_message ready = {.type = CONTROL_READY}, go;
	const struct sentry_guest *guest = launch->guest;
	struct start_failure failed;
	int error = kernel_start(platform, &launch->config, NULL, &failed);

	if (error) {
		(void)fail_errno(failure, -error, "cannot start the sandbox's kernel");
		give_up(failure);
	}
	if (guest->create(guest->argument, failure))
		give_up(failure);
	(void)control_send(g_control, &ready);
	if (!control_receive(g_control, &go) || go.type != CONTROL_GO)
		_exit(STATUS_INTERNAL);
	(void)close(g_control);
	g_control = -1;
	g_guest = guest;
	start_thread(run_guest, "containers");
	platform_ptrace_watch(platform);
	_exit(STATUS_INTERNAL);
}

void sentry_process_main(struct sandbox_launch *launch, int control, struct jail_evidence *evidence)
{
	struct failure failure = {.status = STATUS_INTERNAL};
	struct platform *platform;
	struct control_message go;
	sigset_t all;

	g_control = control;
	panic_set_report(report_panic);
	if (!launch->guest)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* All but what safe_copy() answers to. */
	sigfillset(&all);
	sigdelset(&all, SIGSEGV);
	sigdelset(&all, SIGBUS);
	sigprocmask(SIG_SETMASK, &all, NULL);
	/* Also tells whether the command died before PDEATHSIG was set. */
	if (!control_receive(control, &go) || go.type != CONTROL_GO)
		_exit(STATUS_INTERNAL);
	if (launch->guest && launch->guest->become_root && become_root())
		_exit(STATUS_INTERNAL);
	/* Away from the caller's terminal: its Ctrl-C and Ctrl-Z are the command's to pass on. */
	setsid();
	raise_limits();
	close_foreign_descriptors(launch, control);
	log_open(launch->log_fd, launch->log_format, LOG_LEVEL_DEBUG);
	safe_copy_init();
	launch->config.host_ids = go.a;
	close_jail(launch, evidence, &platform, &failure);
	if (launch->only_report) {
		struct control_message done = {.type = CONTROL_EXITED};

		(void)control_send(control, &done);
		_exit(0);
	}
	if (launch->guest)
		serve_guest(launch, platform, &failure);
	start_kernel(launch, platform, &failure);
	_exit(STATUS_INTERNAL);
}
