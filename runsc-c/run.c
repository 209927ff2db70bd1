/* SPDX-License-Identifier: Apache-2.0 */
/* `csandbox run`: turns options into a sandbox, passes signals and the terminal on, and returns the
 * guest's status. */
#include "runsc-c/apply.h"
#include "runsc-c/command.h"
#include "runsc-c/console.h"
#include "runsc-c/host_cgroup.h"
#include "runsc-c/layers.h"
#include "runsc-c/outcome.h"
#include "runsc-c/policy.h"
#include "runsc-c/raw_broker.h"
#include "runsc-c/run_options.h"
#include "runsc-c/sandbox.h"

#include "abi/mount.h"
#include "base/cleanup.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_NS	  (15 * 1000000000l)
#define LAYER_PATIENCE_NS (900 * 1000000000l) /* for writing it */
#define CGROUP_AFTER_NS	  (100 * 1000000l)    /* to enter one takes the host some 10 ms */

/* Too large for a stack, and there is only one. */
static struct sandbox_launch g_launch;
static struct run_options g_options;
static struct outcome g_outcome;
static struct layers g_layers;
static struct apply g_apply;
static struct host_cgroup g_host_cgroup;
static bool g_host_cgroup_tried;
static struct sandbox_policy g_policy_config;
static int g_learn_fd = -1, g_learned_fd = -1; /* --learn: the file, and what the sentry wrote */
static char g_working_directory[PATH_MAX];
static bool g_stopped_alone; /* the guest is stopped, and the command is not */

static struct sandbox_mount *add_mount(enum sandbox_mount_type type, const char *destination)
{
	struct sandbox_mount *mount = &g_launch.mounts[g_launch.config.mount_count];

	panic_if(g_launch.config.mount_count == array_count(g_launch.mounts), "too many mounts");
	g_launch.config.mount_count++;
	mount->type = type;
	mount->destination = destination;
	mount->source = "none";
	return mount;
}

static void add_fs(
	const char *fs, const char *destination, const char *options, unsigned long flags)
{
	struct sandbox_mount *mount = add_mount(SANDBOX_MOUNT_FS, destination);

	mount->fs_type = mount->source = fs;
	mount->options = options;
	mount->flags = flags;
}

static void add_host(
	enum sandbox_mount_type type, const char *path, const char *destination, bool writable)
{
	struct sandbox_mount *mount = add_mount(type, destination);

	mount->source = path;
	mount->read_only = !writable && type == SANDBOX_MOUNT_BIND;
	mount->exclusive = type == SANDBOX_MOUNT_OVERLAY;
	g_launch.sources[mount - g_launch.mounts] =
		(struct sandbox_source){.path = path, .writable = writable};
}

/* A private /tmp hides a working directory below it: that one gets a layer of its own. */
static void add_hidden_working_directory(const struct run_options *options)
{
	if (!options->root && !strncmp(g_working_directory, "/tmp/", 5))
		add_host(SANDBOX_MOUNT_OVERLAY, g_working_directory, g_working_directory, false);
}

static int check_source(
	const char *option, const char *path, bool directory, struct failure *failure)
{
	struct stat status;

	if (stat(path, &status))
		return fail_errno(failure, errno, "%s: cannot use %s", option, path);
	if (directory && !S_ISDIR(status.st_mode))
		return fail(failure, STATUS_INTERNAL, "%s: %s is not a directory", option, path);
	return 0;
}

static int add_mounts(const struct run_options *options, struct failure *failure)
{
	const unsigned long safe = LINUX_MS_NOSUID | LINUX_MS_NODEV;

	if (check_source("--root", options->root ? options->root : "/", true, failure))
		return -1;
	add_host(SANDBOX_MOUNT_OVERLAY, options->root ? options->root : "/", "/", false);
	add_fs("proc", "/proc", NULL, safe | LINUX_MS_NOEXEC);
	add_fs("sysfs", "/sys", NULL, safe | LINUX_MS_NOEXEC | LINUX_MS_RDONLY);
	add_fs("devtmpfs", "/dev", NULL, LINUX_MS_NOSUID);
	add_fs("devpts", "/dev/pts", NULL, LINUX_MS_NOSUID | LINUX_MS_NOEXEC);
	add_fs("tmpfs", "/dev/shm", "mode=1777", safe);
	add_fs("mqueue", "/dev/mqueue", NULL, safe | LINUX_MS_NOEXEC);
	/* Tests and package builds put devices and set-user-ID programs there; both are the
	 * sandbox's own affair. */
	add_fs("tmpfs", "/tmp", "mode=1777", 0);
	add_hidden_working_directory(options);
	for (size_t i = 0; i < options->tmpfs_count; i++)
		add_fs("tmpfs", options->tmpfs[i], "mode=1777", safe);
	for (size_t i = 0; i < options->bind_count; i++) {
		const struct bind_option *bind = &options->binds[i];

		if (check_source("--bind", bind->source, false, failure))
			return -1;
		add_host(SANDBOX_MOUNT_BIND, bind->source, bind->destination, bind->writable);
	}
	g_launch.config.mounts = g_launch.mounts;
	return 0;
}

static void add_stdio(struct sandbox_config *config)
{
	static int stdio[3];
	static bool is_console[3];
	struct stat console, status;
	bool has_console = console_open(STDIN_FILENO, &config->console) &&
			   !fstat(config->console.fd, &console);

	for (int fd = 0; fd < 3; fd++) {
		stdio[fd] = fstat(fd, &status) ? -1 : fd;
		is_console[fd] = has_console && stdio[fd] >= 0 && S_ISCHR(status.st_mode) &&
				 status.st_rdev == console.st_rdev;
	}
	config->console.paused = has_console && !console_is_ours();
	config->stdio = stdio;
	config->stdio_count = 3;
	config->stdio_is_console = is_console;
}

static void lower_limit(struct linux_rlimit64 *limit, uint64_t value)
{
	limit->rlim_max = min_u64(limit->rlim_max, value);
	limit->rlim_cur = min_u64(limit->rlim_cur, value);
}

/* prlimit64 speaks our layout already, and tells what a setter of limits could not raise. */
static void add_limits(struct sandbox_config *config)
{
	const struct sandbox_limits *limits = &config->sandbox_limits;

	for (int i = 0; i < LINUX_RLIM_NLIMITS; i++) {
		if (syscall(SYS_prlimit64, 0, i, NULL, &config->limits[i]))
			config->limits[i] = (struct linux_rlimit64){
				.rlim_cur = LINUX_RLIM_INFINITY, .rlim_max = LINUX_RLIM_INFINITY};
	}
	if (limits->file_size)
		lower_limit(&config->limits[LINUX_RLIMIT_FSIZE], limits->file_size);
	if (limits->open_files)
		lower_limit(&config->limits[LINUX_RLIMIT_NOFILE], limits->open_files);
}

static void add_user(struct sandbox_config *config, const struct run_options *options)
{
	static gid_t groups[NGROUPS_MAX];
	int count = getgroups(NGROUPS_MAX, groups);
	cpu_set_t processors;

	config->uid = options->has_user ? options->uid : geteuid();
	config->gid = options->has_group  ? options->gid
		      : options->has_user ? options->uid
					  : getegid();
	config->groups = groups;
	config->group_count = options->has_user || count < 0 ? 0 : (size_t)count;
	config->capabilities = config->uid == 0 ? ~0ull : 0;
	config->umask = umask(0);
	umask(config->umask);
	config->processors =
		sched_getaffinity(0, sizeof(processors), &processors) ? 1 : CPU_COUNT(&processors);
	if (config->sandbox_limits.cpu_milli)
		config->processors = (int)min_u64((uint64_t)config->processors,
			(config->sandbox_limits.cpu_milli + 999) / 1000);
}

static int add_policy(
	struct run_options *options, const char *working_directory, struct failure *failure)
{
	if (policy_make_rules(options, working_directory, failure))
		return -1;
	g_policy_config = (struct sandbox_policy){
		.rules = options->rules.list,
		.rule_count = options->rules.count,
		.library_path = policy_variable(options, "LD_LIBRARY_PATH"),
		.paths = options->rules.paths,
		.network = options->rules.network,
		.learn = options->learn,
		.learn_fd = g_learned_fd,
	};
	if (options->rules.paths || options->rules.network || options->learn)
		g_launch.config.policy = &g_policy_config;
	return 0;
}

/* Where relative paths start from, and the program if it is told nothing else. */
static int find_working_directory(struct run_options *options, struct failure *failure)
{
	bool found = getcwd(g_working_directory, sizeof(g_working_directory)) &&
		     g_working_directory[0] == '/';
	char *whole;

	if (!found && !options->root && !options->workdir && options->command)
		return fail(failure, STATUS_INTERNAL,
			"the working directory was removed; start elsewhere, or use --workdir DIR");
	if (!found || options->root)
		strcpy(g_working_directory, "/");
	if (!options->workdir || options->workdir[0] == '/')
		return 0;
	if (asprintf(&whole, "%s/%s", g_working_directory, options->workdir) < 0)
		return fail_errno(failure, ENOMEM, "--workdir %s", options->workdir);
	options->workdir = whole;
	return 0;
}

/* Others that write to the terminal know nothing of a status line there: who reads our output, and
 * who has the terminal while we are in the background. */
static bool may_show(int fd)
{
	return !console_is_beside(fd) && (!isatty(fd) || tcgetpgrp(fd) == getpgrp());
}

static int fill_launch(struct run_options *options, struct failure *failure)
{
	struct sandbox_config *config = &g_launch.config;

	if (find_working_directory(options, failure) || add_mounts(options, failure))
		return -1;
	config->argv = (const char *const *)options->command;
	config->envp = (const char *const *)options->environment;
	config->working_directory = options->workdir ? options->workdir : g_working_directory;
	config->hostname = options->hostname ? options->hostname : "csandbox";
	config->domainname = "(none)";
	config->as_pid_1 = options->as_pid_1;
	config->sandbox_limits = options->limits;
	config->accounting = g_outcome.page;
	config->list_changes = g_outcome.changes_fd >= 0;
	config->changes_fd = g_outcome.changes_fd;
	config->layer_fd = g_layers.spool;
	config->layer_fds = g_layers.fds;
	config->layer_count = g_layers.count;
	g_launch.layer_names = options->layers;
	config->progress = options->progress && may_show(STDOUT_FILENO) && may_show(STDERR_FILENO);
	if (add_policy(options, config->working_directory, failure))
		return -1;
	add_user(config, options);
	add_limits(config);
	add_stdio(config);
	g_launch.platform = options->platform;
	g_launch.report_jail = options->debug_jail;
	/* Rules for addresses say nothing of those that a program writes into packets itself. */
	g_launch.raw_sockets = !options->rules.network;
	g_launch.only_report = !options->command;
	g_launch.log_format = options->log_format;
	g_launch.log_fd = -1;
	if (trace_options_open(&g_options.trace, failure))
		return -1;
	g_launch.trace = g_options.trace.config;
	if (options->debug_log) {
		g_launch.log_fd =
			open(options->debug_log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		if (g_launch.log_fd < 0)
			return fail_errno(
				failure, errno, "--debug-log: cannot write %s", options->debug_log);
	}
	return 0;
}

static void send_size(struct sandbox *sandbox)
{
	struct control_message message = {.type = CONTROL_RESIZE};
	uint16_t rows, columns;

	if (!console_size(&rows, &columns))
		return;
	message.a = rows;
	message.b = columns;
	(void)control_send(sandbox->control, &message);
}

/* Stops as the guest did, so that the caller's shell sees it; goes on when the shell says so. With
 * a time limit and no such shell nobody would: then only the guest stops. */
static void stop_as_guest(struct sandbox *sandbox)
{
	struct control_message message = {.type = CONTROL_CONTINUE};

	console_give_back();
	kill(getpid(), SIGSTOP);
	(void)console_take();
	send_size(sandbox);
	(void)control_send(sandbox->control, &message);
}

static void pass_signal(struct sandbox *sandbox, const struct signalfd_siginfo *info)
{
	struct control_message message = {.type = CONTROL_SIGNAL, .a = (int32_t)info->ssi_signo};

	switch (info->ssi_signo) {
	case SIGCHLD:
		return;
	case SIGWINCH:
		send_size(sandbox);
		return;
	case SIGCONT:
		if (!console_take() && !g_stopped_alone)
			return;
		g_stopped_alone = false;
		send_size(sandbox);
		message.type = CONTROL_CONTINUE;
		break;
	default:
		break;
	}
	(void)control_send(sandbox->control, &message);
}

/* The sentry is gone and said nothing. */
static void explain_end(struct sandbox *sandbox, struct failure *failure)
{
	struct rusage usage;
	int status = 0;

	if (wait4(sandbox->sentry, &status, 0, &usage) > 0)
		outcome_note_usage(&g_outcome, &usage);
	sandbox->sentry = -1;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		(void)fail(failure, STATUS_INTERNAL,
			"the jail ended the sandbox: its kernel made a system call that is not "
			"admitted; "
			"the host's audit log has its number");
	else if (WIFSIGNALED(status))
		(void)fail(failure, STATUS_INTERNAL, "the sandbox was killed with signal %d (%s)",
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		(void)fail(failure, STATUS_INTERNAL, "the sandbox ended by itself, with status %d",
			WEXITSTATUS(status));
}

/* The sentry keeps its time limit itself; one that does not, long after, has lost its way. */
static int patience_ms(void)
{
	const struct sandbox_limits *limits = &g_options.limits;
	int64_t left;

	if (!limits->timeout_ns || limits->timeout_ns > 1ul << 50 || limits->grace_ns > 1ul << 50)
		return -1;
	left = (int64_t)(limits->timeout_ns + limits->grace_ns) +
	       (g_layers.spool >= 0 ? LAYER_PATIENCE_NS : PATIENCE_NS) -
	       outcome_elapsed_ns(&g_outcome);
	return left > 0 ? (int)min_u64((uint64_t)left / 1000000 + 1, INT_MAX) : 0;
}

/* A run that is soon over is not worth its while. */
static int before_cgroup_ms(void)
{
	int64_t left = CGROUP_AFTER_NS - outcome_elapsed_ns(&g_outcome);

	return g_host_cgroup_tried ? -1 : left > 0 ? (int)(left / 1000000 + 1) : 0;
}

/* Where one can be had; the sandbox's own kernel carries the limits out all the same. */
static void enter_cgroup(const struct sandbox *sandbox)
{
	g_host_cgroup_tried = true;
	host_cgroup_make(&g_host_cgroup, &g_options.limits);
	if (g_host_cgroup.made && !host_cgroup_enter_all(&g_host_cgroup, sandbox->sentry))
		log_debug("not all of the sandbox is in its cgroup");
}

/* Returns when something is to be read. */
static void wait_for_sandbox(const struct sandbox *sandbox, struct pollfd *fds, nfds_t count)
{
	for (;;) {
		int patience = patience_ms(), before = before_cgroup_ms();
		bool first = before >= 0 && (patience < 0 || before < patience);

		if (poll(fds, count, first ? before : patience) > 0)
			return;
		if (patience == 0)
			(void)kill(sandbox->sentry, SIGKILL);
		else if (before == 0)
			enter_cgroup(sandbox);
	}
}

static void hint_at_bare_option(struct failure *failure)
{
	size_t used = strlen(failure->message);

	if (failure->status == STATUS_NOT_FOUND && g_options.bare)
		(void)snprintf(failure->message + used, sizeof(failure->message) - used,
			"; --%s takes a value as --%s=VALUE", g_options.bare, g_options.bare);
}

/* The first raw socket: who makes it, and those after it, answers from now on. */
static void start_raw_broker(struct sandbox *sandbox, struct pollfd *channel)
{
	/* At the sandbox's end there is something to read, too: that nobody is there. */
	if (!(channel->revents & (POLLHUP | POLLERR)))
		sandbox->raw_broker = raw_broker_start(channel->fd, sandbox->sentry);
	close(channel->fd);
	sandbox->raw_channel = channel->fd = -1;
}

/* Until the sandbox has ended: the status to exit with. */
static int relay(struct sandbox *sandbox, int signals)
{
	struct pollfd fds[3] = {{.fd = sandbox->control, .events = POLLIN},
		{.fd = signals, .events = POLLIN}, {.fd = sandbox->raw_channel, .events = POLLIN}};
	struct control_message message;
	struct signalfd_siginfo info;

	for (;;) {
		wait_for_sandbox(sandbox, fds, array_count(fds));
		if (fds[1].revents & POLLIN && read(signals, &info, sizeof(info)) == sizeof(info))
			pass_signal(sandbox, &info);
		if (fds[2].revents)
			start_raw_broker(sandbox, &fds[2]);
		if (!fds[0].revents)
			continue;
		if (!control_receive(sandbox->control, &message)) {
			explain_end(sandbox, &message.failure);
			message.type = CONTROL_FAILURE;
		}
		switch (message.type) {
		case CONTROL_STOPPED:
			g_stopped_alone = g_options.limits.timeout_ns && !console_has_shell();
			if (!g_stopped_alone)
				stop_as_guest(sandbox);
			break;
		case CONTROL_TEXT:
			fputs(message.failure.message, stderr);
			break;
		case CONTROL_FAILURE:
			console_give_back();
			hint_at_bare_option(&message.failure);
			option_places_explain(&g_options.places, &message.failure);
			failure_print(&message.failure);
			g_outcome.failure = message.failure;
			return message.failure.status;
		case CONTROL_EXITED:
			g_outcome.has_status = true;
			g_outcome.wait_status = message.a;
			return WIFSIGNALED(message.a) ? 128 + WTERMSIG(message.a)
						      : WEXITSTATUS(message.a);
		default:
			break;
		}
	}
}

static int take_signals(void)
{
	static const int passed_on[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM,
		SIGWINCH, SIGCONT, SIGTSTP, SIGCHLD};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < array_count(passed_on); i++)
		sigaddset(&set, passed_on[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* With --host-cgroups: before it may go on, and make processes, it is in its cgroup. */
static int start_sandbox(struct sandbox *sandbox, struct failure *failure)
{
	if (sandbox_make(&g_launch, sandbox, failure))
		return -1;
	if (g_options.host_cgroups) {
		g_host_cgroup_tried = true;
		host_cgroup_make(&g_host_cgroup, &g_options.limits);
		if (host_cgroup_enter(&g_host_cgroup, sandbox->sentry, failure)) {
			(void)kill(sandbox->sentry, SIGKILL);
			(void)waitpid(sandbox->sentry, NULL, 0);
			return -1;
		}
	}
	return sandbox_go(sandbox, failure);
}

static void reap(pid_t child)
{
	while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
}

/* From here on whatever ends it is told in the result. */
static int run_sandbox(struct failure *failure)
{
	struct sandbox sandbox;
	auto_close int signals = -1;
	int status;

	if (fill_launch(&g_options, failure))
		return failure->status;
	if (g_launch.only_report)
		g_launch.config.argv = NULL;
	signals = take_signals();
	if (signals < 0) {
		fail_errno(failure, errno, "cannot take signals");
		return failure->status;
	}
	if (start_sandbox(&sandbox, failure))
		return failure->status;
	(void)console_take();
	status = relay(&sandbox, signals);
	/* Its pid namespace ends with it: when it is reaped, nothing of the sandbox is left. */
	close(sandbox.control);
	if (sandbox.raw_channel >= 0)
		close(sandbox.raw_channel);
	reap(sandbox.sentry);
	/* Its channel ended with the sentry. */
	reap(sandbox.raw_broker);
	console_give_back();
	failure->message[0] = '\0';
	return status;
}

/* The sandbox is gone, and what it changed is known: the files that were asked for, and the host's.
 */
static int finish_changes(int status, struct failure *failure)
{
	outcome_read_changes(&g_outcome);
	if (g_layers.spool < 0)
		return 0;
	if (!g_outcome.has_changes)
		return fail_errno(
			failure, g_outcome.changes.error, "cannot store what was changed");
	if (layers_finish(&g_layers, &g_options, failure))
		return -1;
	if (!g_options.apply_changes || status)
		return 0;
	return apply_changes(
		&g_apply, &g_outcome.changes, g_layers.spool, &g_outcome.applied, failure);
}

/* Whatever it is for, it was a run: with another status than 0 what it needed may not be all. */
static int finish_learning(struct failure *failure)
{
	return g_options.learn && g_outcome.has_status
		       ? policy_learn_write_file(&g_outcome, g_learned_fd, g_learn_fd, failure)
		       : 0;
}

static int open_learning(struct failure *failure)
{
	if (!g_options.learn)
		return 0;
	g_learned_fd = memfd_create("learned", MFD_CLOEXEC);
	if (g_learned_fd < 0)
		return fail_errno(failure, errno, "no memory to learn in");
	return outcome_open("learn", g_options.learn, &g_learn_fd, failure);
}

/* An error of ours from here on is the status, but for the program's own. */
static int finish(int status, struct failure *failure)
{
	option_places_explain(&g_options.places, failure);
	if (failure->message[0])
		g_outcome.failure = *failure;
	status = outcome_end(&g_outcome, status);
	if (g_outcome.has_status && (finish_changes(status, failure) || finish_learning(failure))) {
		option_places_explain(&g_options.places, failure);
		g_outcome.failure = *failure;
		status = failure->status;
	}
	if (!outcome_write(&g_outcome, status, failure))
		return status;
	option_places_explain(&g_options.places, failure);
	return failure->status;
}

/* Nobody shall take the result of an earlier run for that of one which never began. */
static int finish_unparsed(struct failure *failure)
{
	struct run_options *options = &g_options;
	struct failure other = {0};

	*options = (struct run_options){.result = options->result,
		.result_junit = options->result_junit,
		.command = options->command};
	return outcome_begin(&g_outcome, options, &other) ? failure->status
							  : finish(failure->status, failure);
}

static int run(int argc, char **argv, struct failure *failure)
{
	int parsed = run_options_parse(&g_options, argc, argv, failure), status;

	if (parsed > 0)
		return 0;
	if (parsed)
		return finish_unparsed(failure);
	if (outcome_begin(&g_outcome, &g_options, failure) ||
		layers_open(&g_layers, &g_options, failure) ||
		apply_begin(&g_apply, &g_options, failure) || open_learning(failure))
		return finish(failure->status, failure);
	status = run_sandbox(failure);
	host_cgroup_remove(&g_host_cgroup);
	return finish(status, failure);
}

int command_run(int argc, char **argv)
{
	struct failure failure = {0};
	int status = run(argc, argv, &failure);

	if (failure.message[0])
		failure_print(&failure);
	return status;
}
