/* SPDX-License-Identifier: Apache-2.0 */
/* The sandbox as a whole: makes every part in order, starts the first process, and tells when it
 * has ended. */
#include "sentry/kernel/kernel.h"

#include "sentry/fs/devpts/tty.h"
#include "sentry/fs/host/host.h"
#include "sentry/fs/tmpfs/tmpfs.h"
#include "sentry/kernel/accounting.h"
#include "sentry/kernel/boot.h"
#include "sentry/kernel/boot_files.h"
#include "sentry/kernel/boot_mounts.h"
#include "sentry/kernel/changes.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/host_poll.h"
#include "sentry/kernel/ipc_namespace.h"
#include "sentry/kernel/limits.h"
#include "sentry/kernel/scheduling.h"
#include "sentry/kernel/session.h"
#include "sentry/kernel/signal.h"
#include "sentry/keys/key.h"
#include "sentry/lock_order.h"
#include "sentry/mm/memory_file.h"
#include "sentry/net/socket.h"
#include "sentry/security/landlock/landlock.h"
#include "sentry/time/clock.h"
#include "sentry/time/timer.h"
#include "sentry/time/vdso.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/policy.h"

#include <errno.h>
#include <pthread.h>

#define CONSOLE_DRAIN_MS 2000

/* The end of the sandbox; what kernel_wait() waits for. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool first_exited, all_ended;
	int status;
} g_end = {.lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};

static struct accounting g_own_accounting; /* where nobody wants to know, but limits do */
static const struct sandbox_events *g_events;
static struct sandbox_events g_events_copy;
static struct mount_namespace *g_mounts;
static int g_changes_fd = -1, g_layer_fd = -1;

int kernel_prepare(const struct sandbox_config *config)
{
	struct vdso_params *params;
	int error = memory_file_open(config->sandbox_limits.memory);

	if (!error)
		error = vdso_prepare(&params);
	if (!error)
		error = clock_start(params);
	if (!error && config->raw_channel)
		error = inet_raw_prepare(config->raw_channel);
	return error;
}

static void on_first_exited(void *argument, int status)
{
	(void)accounting_end(END_EXIT);
	pthread_mutex_lock(&g_end.lock);
	g_end.first_exited = true;
	g_end.status = status;
	pthread_mutex_unlock(&g_end.lock);
}

static void on_all_ended(void *argument)
{
	pthread_mutex_lock(&g_end.lock);
	g_end.all_ended = true;
	pthread_cond_broadcast(&g_end.ended);
	pthread_mutex_unlock(&g_end.lock);
}

static void on_first_stopped(void *argument, int signal)
{
	if (!signal || !g_events || !g_events->stopped)
		return;
	console_pause(true);
	g_events->stopped(g_events->argument, signal);
}

static int make_cred(const struct sandbox_config *config, struct cred **out)
{
	struct cred *cred;
	int error = cred_new_root(&cred);

	if (error)
		return error;
	cred->uid = cred->euid = cred->suid = cred->fsuid = config->uid;
	cred->gid = cred->egid = cred->sgid = cred->fsgid = config->gid;
	cred->cap_bounding &= config->capabilities ? config->capabilities : ~0ull;
	cred->cap_permitted &= config->capabilities;
	cred->cap_effective &= config->capabilities;
	error = cred_set_groups(cred, config->groups, config->group_count);
	if (error) {
		cred_put(cred);
		return error;
	}
	*out = cred;
	return 0;
}

/* What the first process starts with, all owned by boot_start() afterwards. */
static int make_first_process(
	const struct sandbox_config *config, struct boot_config *boot, struct start_failure *failed)
{
	struct path root, pwd;
	int error;

	error = make_cred(config, &boot->cred);
	if (error)
		return error;
	mount_namespace_root(g_mounts, &root);
	error = path_lookup_at(
		&root, &root, config->working_directory, WALK_FOLLOW | WALK_DIRECTORY, &pwd);
	if (error) {
		failed->step = START_DIRECTORY;
		goto out_root;
	}
	error = fs_struct_new(&root, &pwd, config->umask, &boot->fs);
	if (!error)
		error = boot_make_files(config, &root, boot->cred, &boot->files);
	path_put(&pwd);
out_root:
	path_put(&root);
	return error;
}

static int resolve_policy(void)
{
	struct path root;
	int error;

	mount_namespace_root(g_mounts, &root);
	error = policy_resolve(&root);
	path_put(&root);
	return error;
}

int kernel_start(struct platform *platform, const struct sandbox_config *config,
	const struct sandbox_events *events, struct start_failure *failed)
{
	struct boot_config boot = {
		.platform = platform,
		.argv = config->argv,
		.envp = config->envp,
		.as_pid_1 = config->as_pid_1,
		.hostname = config->hostname,
		.domainname = config->domainname,
		.limits = config->limits,
		.console = config->console.fd >= 0,
		.prepare = boot_take_console,
		.first_exited = on_first_exited,
		.first_stopped = on_first_stopped,
		.all_ended = on_all_ended,
	};
	bool exec_failed;
	int error = task_set_init();

	*failed = (struct start_failure){.step = START_KERNEL};
	if (config->list_changes) {
		g_changes_fd = config->changes_fd;
		g_layer_fd = config->layer_fd;
	}
	accounting_start(config->accounting		 ? config->accounting
			 : config->sandbox_limits.memory ? &g_own_accounting
							 : NULL);
	if (config->processors)
		scheduling_set_processors(config->processors);
	if (events) {
		g_events_copy = *events;
		g_events = &g_events_copy;
	}
	if (!error)
		error = timer_start_thread();
	if (!error)
		error = host_poll_start();
	limits_start(&config->sandbox_limits, config->progress);
	boot_register_all();
	if (!error)
		error = policy_start(config->policy);
	if (!error)
		error = boot_make_mounts(config, &g_mounts, failed);
	if (!error)
		error = resolve_policy();
	if (!error)
		error = vdso_open();
	if (!error && config->argv)
		error = make_first_process(config, &boot, failed);
	if (error)
		return error;
	changes_begin();
	boot.mount_ns = mount_namespace_get(g_mounts);
	error = boot_start(&boot, &exec_failed);
	if (exec_failed)
		failed->step = START_PROGRAM;
	return error;
}

void kernel_end(void)
{
	boot_kill_all();
}

void kernel_wait(struct sandbox_result *result)
{
	pthread_mutex_lock(&g_end.lock);
	while (!g_end.all_ended)
		pthread_cond_wait(&g_end.ended, &g_end.lock);
	result->status = g_end.status;
	pthread_mutex_unlock(&g_end.lock);
	limits_stop();
	accounting_finish();
	policy_finish();
	if (g_changes_fd >= 0)
		changes_write(g_changes_fd, g_layer_fd);
	console_drain(CONSOLE_DRAIN_MS);
}

/* The first process, or its group: a job's signal goes to the job. */
static void signal_first(int signal, bool whole_group)
{
	struct thread_group *first = boot_first_process();
	struct linux_siginfo info;

	if (!first)
		return;
	siginfo_kernel(&info, signal);
	if (whole_group) {
		struct pid *group = thread_group_process_group(first);

		(void)signal_send_process_group(group, &info);
		pid_put(group);
	} else {
		(void)signal_send_group(first, &info);
	}
	thread_group_put(first);
}

void kernel_signal(int signal)
{
	if (signal >= 1 && signal <= SIGNAL_COUNT)
		signal_first(signal, false);
}

void kernel_console_resize(uint16_t rows, uint16_t columns)
{
	struct linux_winsize window = {.ws_row = rows, .ws_col = columns};

	if (console_tty())
		tty_set_window(console_tty(), &window);
}

void kernel_continue(void)
{
	console_pause(false);
	signal_first(LINUX_SIGCONT, true);
}

long kernel_shutdown(void)
{
	containers_shutdown();
	boot_finish();
	console_stop();
	vdso_release();
	ipc_shutdown();
	keys_forget_domain(KEY_DOMAIN_NO_CONTAINER);
	landlock_shutdown();
	mount_namespace_put(g_mounts);
	host_stdio_shutdown();
	vfs_shutdown();
	tmpfs_shutdown();
	return refcount_report_leaks();
}
