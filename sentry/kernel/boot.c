/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first tasks: init, which runs no guest code, adopts and reaps orphans, and whose death takes
 * everything along; and the first process, which is found by the PATH of its environment.
 */
#include "sentry/kernel/boot.h"

#include "abi/fcntl.h"
#include "abi/limits.h"
#include "base/log.h"
#include "sentry/kernel/exec.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/rlimit.h"
#include "sentry/kernel/session.h"
#include "sentry/kernel/task_run.h"
#include "sentry/lock_order.h"
#include "sentry/time/clock.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_PATH	   "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define DEFAULT_PATH	   "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
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

/* --- making a task from nothing --- */

static void set_default_limits(struct thread_group *group)
{
	struct linux_rlimit64 *limits = group->limits;

	for (int i = 0; i < LINUX_RLIM_NLIMITS; i++)
		limits[i] = (struct linux_rlimit64){LINUX_RLIM_INFINITY, LINUX_RLIM_INFINITY};
	limits[LINUX_RLIMIT_STACK].rlim_cur = LINUX_STK_LIM;
	limits[LINUX_RLIMIT_CORE].rlim_cur = 0;
	limits[LINUX_RLIMIT_NOFILE] = (struct linux_rlimit64){1024, LINUX_NR_OPEN};
	limits[LINUX_RLIMIT_MEMLOCK] = (struct linux_rlimit64){8 << 20, 8 << 20};
	limits[LINUX_RLIMIT_MSGQUEUE] = (struct linux_rlimit64){819200, 819200};
	limits[LINUX_RLIMIT_NICE] = (struct linux_rlimit64){0, 0};
	limits[LINUX_RLIMIT_RTPRIO] = (struct linux_rlimit64){0, 0};
}

static int make_task(const struct linux_rlimit64 *limits, const char *comm, struct task **out)
{
	struct task *task;
	int err = task_new(g_platform, &task);

	if (err)
		return err;
	err = thread_group_new(&task->group);
	if (!err)
		err = sighand_new(&task->sighand);
	if (err) {
		task_abandon(task);
		return err;
	}
	task->group->sighand = sighand_get(task->sighand);
	task->start_ns = task->group->start_ns = clock_now(LINUX_CLOCK_BOOTTIME);
	task->timer_slack_ns = 50000;
	strncpy(task->comm, comm, sizeof(task->comm) - 1);
	if (limits)
		memcpy(task->group->limits, limits, sizeof(task->group->limits));
	else
		set_default_limits(task->group);
	*out = task;
	return 0;
}

/* Gives it a number, a parent, and a session: its own, or its parent's. */
static int publish_locked(struct task *task, struct task *parent)
{
	struct thread_group *group = task->group;
	int err = pid_allocate_locked(g_tasks.root_pid_ns, NULL, 0, &task->pid);

	if (err)
		return err;
	group->pid = pid_get(task->pid);
	task->pid->task = task;
	task->pid->group = group;
	group->leader = task;
	task->exit_signal = LINUX_SIGCHLD;
	TAILQ_INSERT_TAIL(&group->tasks, task, group_link);
	group->task_count = group->live_count = group->quick_count = 1;
	g_tasks.task_count++;
	g_tasks.process_count++;
	group->parent = parent;
	if (parent)
		LIST_INSERT_HEAD(&parent->group->children, group, sibling);
	if (!g_tasks.root_pid_ns->init) {
		g_tasks.root_pid_ns->init = task;
		group->unkillable = true;
	}
	if (!parent)
		return session_init_locked(group);
	session_init_job_locked(group, parent->group);
	return 0;
}

static int publish(struct task *task, struct task *parent)
{
	int err;

	task->charged_uid = task->cred->uid;
	if (!pid_user_charge(task->charged_uid, UINT64_MAX))
		return -ENOMEM;
	mutex_lock(&g_tasks.lock);
	err = publish_locked(task, parent);
	mutex_unlock(&g_tasks.lock);
	return err;
}

static int start(struct task *task)
{
	struct host_thread *thread = host_thread_get();

	if (!thread)
		return -EAGAIN;
	task_start(task_get(task), thread);
	return 0;
}

static int make_init(struct nsproxy *nsproxy)
{
	struct cred *cred;
	struct task *init;
	int err = make_task(NULL, "init", &init);

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
	err = publish(init, NULL);
	if (err)
		return err;
	boot.init = task_get(init);
	return start(init);
}

/* --- the first process --- */

struct command {
	const char *const *argv, *const *envp;
};

static size_t count_strings(const char *const *strings)
{
	size_t count = 0;

	while (strings[count])
		count++;
	return count;
}

static int add_strings(
	struct loader_arguments *arguments, struct loader_strings *to, const char *const *from)
{
	int err = 0;

	for (size_t i = 0; from[i] && !err; i++)
		err = loader_arguments_add(arguments, to, from[i], strlen(from[i]));
	return err;
}

static int try_exec(struct task *task, const struct command *command, const char *path)
{
	struct loader_arguments arguments;
	struct exec_request request = {
		.dirfd = LINUX_AT_FDCWD, .name = path, .arguments = &arguments};
	int err = loader_arguments_init(&arguments, rlimit_of(task->group, LINUX_RLIMIT_STACK),
		count_strings(command->argv), count_strings(command->envp), path);

	if (err)
		return err;
	err = add_strings(&arguments, &arguments.argv, command->argv);
	if (!err)
		err = add_strings(&arguments, &arguments.envp, command->envp);
	if (!err)
		err = (int)task_exec(task, &request);
	loader_arguments_free(&arguments);
	return err;
}

static const char *find_path(const char *const *envp)
{
	for (; *envp; envp++) {
		if (strncmp(*envp, "PATH=", 5) == 0)
			return *envp + 5;
	}
	return DEFAULT_PATH;
}

/* As execvp(3): the first directory whose program can be run; EACCES only if no other works. */
static int search_path(struct task *task, const struct command *command)
{
	const char *list = find_path(command->envp), *name = command->argv[0];
	char path[LINUX_PATH_MAX];
	int result = -ENOENT;

	for (;;) {
		size_t length = strcspn(list, ":");
		int err = -ENAMETOOLONG;

		if (length + strlen(name) + 2 <= sizeof(path)) {
			memcpy(path, list, length);
			memcpy(path + length, "/", length ? 2 : 1);
			strcpy(path + length + (length ? 1 : 0), name);
			err = try_exec(task, command, path);
		}
		if (err == -EACCES)
			result = err;
		else if (err != -ENOENT && err != -ENOTDIR && err != -ENAMETOOLONG)
			return err;
		list += length;
		if (!*list++)
			return result;
	}
}

static int boot_exec(struct task *task, const char *const *argv, const char *const *envp)
{
	const struct command command = {.argv = argv, .envp = envp};

	if (strchr(argv[0], '/') || !argv[0][0])
		return try_exec(task, &command, argv[0]);
	return search_path(task, &command);
}

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
		err = boot_exec(task, config->argv, config->envp);
	report_start(err, prepared && err);
	if (err) {
		task->exit_code = STATUS_NOT_STARTED;
		return run_state(task_state_exit);
	}
	task_slow_clear(task, TASK_SLOW_NEXT);
	return task->next_state;
}

static int make_first(const struct boot_config *config, struct nsproxy *nsproxy)
{
	struct task *task;
	int err = make_task(config->limits, config->argv[0], &task);

	if (err)
		return err;
	task->cred = cred_get(config->cred);
	task->fs = fs_struct_get(config->fs);
	task->files = fd_table_get(config->files);
	task->nsproxy = nsproxy_get(nsproxy);
	task->next_state = run_state(first_state);
	err = publish(task, boot.init);
	if (err)
		return err;
	boot.first = thread_group_get(task->group);
	return start(task);
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
		if (!err)
			err = make_first(config, nsproxy);
		nsproxy_put(nsproxy);
	}
	cred_put(config->cred);
	fs_struct_put(config->fs);
	fd_table_put(config->files);
	if (!err) {
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
