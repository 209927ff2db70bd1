/* SPDX-License-Identifier: Apache-2.0 */
/* Makes tasks from nothing, and runs the program that one is to begin with. */
#include "sentry/kernel/launch.h"

#include "abi/fcntl.h"
#include "abi/limits.h"
#include "sentry/kernel/exec.h"
#include "sentry/kernel/exec_open.h"
#include "sentry/kernel/limits.h"
#include "sentry/kernel/rlimit.h"
#include "sentry/kernel/session.h"
#include "sentry/kernel/task_run.h"
#include "sentry/kernel/user_count.h"
#include "sentry/time/clock.h"

#include <errno.h>
#include <string.h>

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

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

int launch_task_new(const struct linux_rlimit64 *limits, const char *comm, struct task **out)
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

static int publish_locked(
	struct task *task, struct task *parent, struct pid_namespace *ns, bool job)
{
	struct thread_group *group = task->group;
	int err = pid_allocate_locked(ns, NULL, 0, &task->pid);

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
	limits_note_tasks_locked();
	group->parent = parent;
	if (parent)
		LIST_INSERT_HEAD(&parent->group->children, group, sibling);
	if (!ns->init) {
		ns->init = task;
		group->unkillable = true;
	}
	if (!job)
		return session_init_locked(group);
	session_init_job_locked(group, parent->group);
	return 0;
}

int launch_publish(struct task *task, struct task *parent, struct pid_namespace *ns, bool job)
{
	int err;

	task->charged_uid = task->cred->uid;
	if (!user_count_add(USER_TASKS, task->charged_uid, 1, UINT64_MAX))
		return -ENOMEM;
	mutex_lock(&g_tasks.lock);
	err = publish_locked(task, parent, ns, job);
	mutex_unlock(&g_tasks.lock);
	return err;
}

int launch_start(struct task *task)
{
	struct host_thread *thread = host_thread_get();

	if (!thread)
		return -EAGAIN;
	task_start(task_get(task), thread);
	return 0;
}

/* --- programs --- */

struct command {
	const char *const *argv, *const *envp;
	bool only_check;
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

static int check_program(struct task *task, const struct exec_request *request)
{
	struct exec_elf elf;
	int err = exec_open_program(task, request, &elf);

	exec_elf_close(&elf);
	return err == -ENOEXEC || err == -ENOMEM ? 0 : err;
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
		err = command->only_check ? check_program(task, &request)
					  : (int)task_exec(task, &request);
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
	uninitialized_ char path[LINUX_PATH_MAX];
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

static int find_and_run(struct task *task, const struct command *command)
{
	const char *name = command->argv[0];

	if (strchr(name, '/') || !name[0])
		return try_exec(task, command, name);
	return search_path(task, command);
}

int launch_exec(struct task *task, const char *const *argv, const char *const *envp)
{
	const struct command command = {.argv = argv, .envp = envp};
	int err = find_and_run(task, &command);

	if (!err)
		task_slow_clear(task, TASK_SLOW_NEXT);
	return err;
}

int launch_check(struct task *task, const char *const *argv, const char *const *envp)
{
	const struct command command = {.argv = argv, .envp = envp, .only_check = true};

	return find_and_run(task, &command);
}
