/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first tasks: init, which runs no guest code, adopts and reaps orphans, and whose death takes
 * everything along; and the first process, which is found by the PATH of its environment.
 */
#include "sentry/kernel/boot.h"

#include "base/log.h"
#include "sentry/kernel/accounting.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/launch.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/rlimit.h"
#include "sentry/kernel/session.h"
#include "sentry/kernel/task_run.h"
#include "sentry/lock_order.h"
#include "sentry/time/clock.h"
#include "sentry/trace/trace.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STATUS_NOT_STARTED (127 << 8)

static struct {
	const struct boot_config *config; /* until the first process runs its program */
	struct boot_config events;	  /* a copy, for the callbacks */
	struct task *init;		  /* a reference; NULL with as_pid_1 */
	struct thread_group *first;	  /* a reference */
	atomic_bool first_gone, ending;
	_Atomic int stop_signal; /* to be told; -1: nothing */
	atomic_uint tasks;	 /* that have a host thread */
	/* How the first execve went. */
	pthread_mutex_t lock;
	pthread_cond_t started;
	bool has_started;
	int error;
	bool exec_failed;
} boot = {
	.lock = PTHREAD_MUTEX_INITIALIZER, .started = PTHREAD_COND_INITIALIZER, .stop_signal = -1};

int task_set_init(void)
{
	mutex_init(&g_tasks.lock, RANK_TASK_SET, "task set");
	task_times_start();
	return pid_namespace_new(NULL, user_namespace_initial(), &g_tasks.root_pid_ns);
}

/* --- what is told --- */

void boot_note_task_started(void)
{
	atomic_fetch_add(&boot.tasks, 1);
}

void boot_note_task_gone(void)
{
	if (atomic_fetch_sub(&boot.tasks, 1) == 1 && boot.events.all_ended)
		boot.events.all_ended(boot.events.argument);
}

static void end_everything(void)
{
	atomic_store(&boot.ending, true);
	if (boot.init)
		task_wake(boot.init);
}

void boot_note_exit(struct thread_group *group, int status)
{
	if (group->container)
		container_note_exit(group, status);
	if (group != boot.first)
		return;
	atomic_store(&boot.first_gone, true);
	if (boot.events.first_exited)
		boot.events.first_exited(boot.events.argument, status);
	end_everything();
}

/* Locks are held here: init passes it on. */
void boot_note_stop(struct thread_group *group, int signal)
{
	if (group != boot.first || !boot.init)
		return;
	atomic_store(&boot.stop_signal, signal);
	task_wake(boot.init);
}

struct thread_group *boot_first_process(void)
{
	if (!boot.first || atomic_load(&boot.first_gone))
		return NULL;
	return thread_group_get(boot.first);
}

struct task *boot_init_task(void)
{
	return boot.init;
}

bool boot_is_first(const struct thread_group *group)
{
	return boot.first == group;
}

bool boot_is_first_process(const struct thread_group *group)
{
	return boot.init && group == boot.first;
}

void boot_kill_all(void)
{
	struct thread_group *first = boot_first_process();

	end_everything();
	if (!first)
		return;
	mutex_lock(&g_tasks.lock);
	mutex_lock(&first->sighand->lock);
	thread_group_exit_locked(first->leader, LINUX_SIGKILL);
	mutex_unlock(&first->sighand->lock);
	mutex_unlock(&g_tasks.lock);
	thread_group_put(first);
}

/* --- init --- */

static struct run_state init_state(struct task *task)
{
	/* Children that end are gone at once, since SIGCHLD is ignored: there is nothing to do but
	 * to be there. */
	while (!atomic_load(&boot.ending)) {
		int signal = atomic_exchange(&boot.stop_signal, -1);

		if (signal >= 0 && boot.events.first_stopped)
			boot.events.first_stopped(boot.events.argument, signal);
		else
			task_sleep(task);
	}
	task->exit_code = 0;
	return run_state(task_state_exit);
}

static int make_init(struct nsproxy *nsproxy)
{
	struct cred *cred;
	struct task *init;
	int err = launch_task_new(NULL, "init", &init);

	if (err)
		return err;
	init->nsproxy = nsproxy_get(nsproxy);
	init->kernel_thread = true;
	init->next_state = run_state(init_state);
	init->sighand->actions[LINUX_SIGCHLD - 1].sa_handler = LINUX_SIG_IGN;
	err = cred_new_root(&cred);
	if (err) {
		task_abandon(init);
		return err;
	}
	init->cred = cred;
	err = launch_publish(init, NULL, g_tasks.root_pid_ns, false);
	if (err)
		return err;
	boot.init = task_get(init);
	return launch_start(init);
}

/* --- the first process --- */

static void report_start(int error, bool exec_failed)
{
	pthread_mutex_lock(&boot.lock);
	boot.has_started = true;
	boot.error = error;
	boot.exec_failed = exec_failed;
	boot.config = NULL;
	pthread_cond_signal(&boot.started);
	pthread_mutex_unlock(&boot.lock);
}

static struct run_state first_state(struct task *task)
{
	const struct boot_config *config = boot.config;
	int err = config->prepare ? config->prepare(task, config->argument) : 0;
	bool prepared = !err;

	if (!err)
		err = launch_exec(task, config->argv, config->envp);
	report_start(err, prepared && err);
	if (err) {
		task->exit_code = STATUS_NOT_STARTED;
		return run_state(task_state_exit);
	}
	return task->next_state;
}

static int make_first(const struct boot_config *config, struct nsproxy *nsproxy)
{
	struct task *task;
	int err = launch_task_new(config->limits, config->argv[0], &task);

	if (err)
		return err;
	task->cred = cred_get(config->cred);
	task->fs = fs_struct_get(config->fs);
	task->files = fd_table_get(config->files);
	task->nsproxy = nsproxy_get(nsproxy);
	task->next_state = run_state(first_state);
	trace_task_begin(task);
	err = launch_publish(task, boot.init, g_tasks.root_pid_ns, boot.init);
	if (err)
		return err;
	boot.first = thread_group_get(task->group);
	accounting_first_process(task);
	return launch_start(task);
}

static int make_nsproxy(const struct boot_config *config, struct nsproxy **out)
{
	struct uts_namespace *uts;
	int err = uts_namespace_new(user_namespace_initial(), &uts);

	if (err)
		return err;
	if (config->hostname)
		uts_namespace_set(uts, false, config->hostname, strlen(config->hostname));
	if (config->domainname)
		uts_namespace_set(uts, true, config->domainname, strlen(config->domainname));
	return nsproxy_new(uts, config->ipc_ns, config->mount_ns, config->net_ns,
		pid_namespace_get(g_tasks.root_pid_ns), out);
}

static void wait_for_start(void)
{
	pthread_mutex_lock(&boot.lock);
	while (!boot.has_started)
		pthread_cond_wait(&boot.started, &boot.lock);
	pthread_mutex_unlock(&boot.lock);
}

int boot_start(const struct boot_config *config, bool *exec_failed)
{
	struct nsproxy *nsproxy;
	int err;

	g_platform = config->platform;
	boot.config = config;
	boot.events = *config;
	*exec_failed = false;
	/* Keeps all_ended from being told before there is an end. */
	boot_note_task_started();
	err = make_nsproxy(config, &nsproxy);
	if (!err) {
		if (!config->as_pid_1)
			err = make_init(nsproxy);
		if (!err && config->argv)
			err = make_first(config, nsproxy);
		nsproxy_put(nsproxy);
	}
	if (config->argv) {
		cred_put(config->cred);
		fs_struct_put(config->fs);
		fd_table_put(config->files);
	}
	if (!err && config->argv) {
		wait_for_start();
		err = boot.error;
		*exec_failed = boot.exec_failed;
	}
	boot_note_task_gone();
	return err;
}

void boot_finish(void)
{
	task_put(boot.init);
	boot.init = NULL;
	thread_group_put(boot.first);
	boot.first = NULL;
	pid_namespace_put(g_tasks.root_pid_ns);
	g_tasks.root_pid_ns = NULL;
}
