/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2), process_mrelease(2).
 *
 * Differs from Linux: process_mrelease(2) hastens nothing; the memory goes when its last task ends.
 */
#include "sentry/kernel/pidfd.h"

#include "abi/signal.h"
#include "sentry/fs/proc/proc.h"
#include "sentry/kernel/ptrace.h"
#include "sentry/kernel/task.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/vfs/file.h"

#include <errno.h>

/* A process is named by its leader's number, a thread by its own. */
static int check_openable(struct pid *pid, bool thread)
{
	mutex_guard(&g_tasks.lock);
	if (!pid->task)
		return -ESRCH;
	return thread || pid->group ? 0 : -ENOENT;
}

int64_t sys_pidfd_open(struct task *task, const uint64_t args[6])
{
	unsigned int flags = (unsigned int)args[1];
	int number = (int)args[0];
	struct file *file = NULL;
	struct pid *pid;
	int result;

	if ((flags & ~(unsigned int)(LINUX_PIDFD_NONBLOCK | LINUX_PIDFD_THREAD)) || number <= 0)
		return -EINVAL;
	pid = pid_find(task_pid_namespace(task), number);
	if (!pid)
		return -ESRCH;
	result = check_openable(pid, flags & LINUX_PIDFD_THREAD);
	if (!result)
		result = pidfd_new(flags, &file);
	if (!result) {
		pidfd_set_pid(file, pid);
		result = fd_install(task->files, 0, file, true);
		if (result < 0)
			file_put(file);
	}
	pid_put(pid);
	return result;
}

/* --- pidfd_send_signal(2) --- */

enum signal_scope { SCOPE_THREAD, SCOPE_PROCESS, SCOPE_PROCESS_GROUP };

static int scope_of(unsigned int flags, unsigned int file_flags, enum signal_scope *scope)
{
	switch (flags) {
	case 0:
		*scope = file_flags & LINUX_PIDFD_THREAD ? SCOPE_THREAD : SCOPE_PROCESS;
		return 0;
	case LINUX_PIDFD_SIGNAL_THREAD:
		*scope = SCOPE_THREAD;
		return 0;
	case LINUX_PIDFD_SIGNAL_THREAD_GROUP:
		*scope = SCOPE_PROCESS;
		return 0;
	case LINUX_PIDFD_SIGNAL_PROCESS_GROUP:
		*scope = SCOPE_PROCESS_GROUP;
		return 0;
	default:
		return -EINVAL;
	}
}

/* What the caller wants to have said; nobody may pretend to be the kernel or kill(2) to others. */
static int info_in(struct task *task, struct pid *pid, enum signal_scope scope, int signal,
	gaddr_t address, struct linux_siginfo *info)
{
	bool own = pid == task->pid || pid == task->group->pid;

	if (mm_copy_in(task->mm, info, address, sizeof(*info)))
		return -EFAULT;
	if (info->si_signo != signal)
		return -EINVAL;
	if ((!own || scope == SCOPE_PROCESS_GROUP) &&
		(info->si_code >= 0 || info->si_code == LINUX_SI_TKILL))
		return -EPERM;
	return 0;
}

static struct task *pid_task_get(struct pid *pid, enum signal_scope scope)
{
	struct task *target;

	mutex_guard(&g_tasks.lock);
	target = scope == SCOPE_THREAD ? pid->task : pid->group ? pid->group->leader : NULL;
	return target ? task_get(target) : NULL;
}

static int send_to_one(struct task *task, struct pid *pid, enum signal_scope scope, int signal,
	const struct linux_siginfo *given)
{
	struct task *target = pid_task_get(pid, scope);
	struct linux_siginfo info;
	int result;

	if (!target)
		return -ESRCH;
	result = signal_may_send(task, target, signal);
	if (!result && signal) {
		if (given)
			info = *given;
		else
			siginfo_user(&info, signal, task, target);
		result = scope == SCOPE_THREAD ? signal_send_task(target, &info)
					       : signal_send_group(target->group, &info);
	}
	task_put(target);
	return result;
}

/* The group whose leader's number the pid is. */
static int send_to_group(
	struct task *task, struct pid *pid, int signal, const struct linux_siginfo *given)
{
	struct task *target = pid_task_get(pid, SCOPE_PROCESS);

	if (!target)
		return -ESRCH;
	task_put(target);
	return signal_kill_process_group(task, pid, signal, given);
}

static bool is_visible(struct task *task, struct pid *pid)
{
	return pid_number_in(pid, task_pid_namespace(task)) != 0;
}

/* /proc/PID stands for the process too. */
static int proc_directory_get(struct task *task, int fd, struct pid **out)
{
	auto_file struct file *file = fd_get(task->files, fd);

	*out = file ? proc_directory_pid(file) : NULL;
	return *out ? 0 : -EBADF;
}

int64_t sys_pidfd_send_signal(struct task *task, const uint64_t args[6])
{
	unsigned int file_flags;
	struct linux_siginfo info;
	int signal = (int)args[1], result;
	enum signal_scope scope;
	struct pid *pid;

	result = pidfd_get(task, (int)args[0], &pid, &file_flags);
	if (result == -EBADF)
		result = proc_directory_get(task, (int)args[0], &pid);
	if (result)
		return result;
	result = scope_of((unsigned int)args[3], file_flags, &scope);
	if (!result && (signal < 0 || signal > LINUX_NSIG || !is_visible(task, pid)))
		result = -EINVAL;
	if (!result && args[2])
		result = info_in(task, pid, scope, signal, args[2], &info);
	if (!result && scope == SCOPE_PROCESS_GROUP)
		result = send_to_group(task, pid, signal, args[2] ? &info : NULL);
	else if (!result)
		result = send_to_one(task, pid, scope, signal, args[2] ? &info : NULL);
	pid_put(pid);
	return result;
}

/* --- pidfd_getfd(2) --- */

static int get_file_of(struct task *task, struct task *target, int fd, struct file **out)
{
	int result =
		ptrace_may_access(task, target, PTRACE_ACCESS_ATTACH | PTRACE_ACCESS_REALCREDS);
	struct fd_table *files;

	if (result)
		return result;
	files = task_get_files(target);
	if (!files)
		return -ESRCH;
	*out = fd_get_path_too(files, fd);
	fd_table_put(files);
	return *out ? 0 : -EBADF;
}

int64_t sys_pidfd_getfd(struct task *task, const uint64_t args[6])
{
	struct task *target;
	struct file *file = NULL;
	struct pid *pid;
	int result;

	if ((unsigned int)args[2])
		return -EINVAL;
	result = pidfd_get(task, (int)args[0], &pid, NULL);
	if (result)
		return result;
	target = pid_task_get(pid, SCOPE_THREAD);
	pid_put(pid);
	if (!target)
		return -ESRCH;
	result = get_file_of(task, target, (int)args[1], &file);
	task_put(target);
	if (result)
		return result;
	result = fd_install(task->files, 0, file, true);
	if (result < 0)
		file_put(file);
	return result;
}

/* --- process_mrelease(2) --- */

/* Is the group's memory on its way out? -ESRCH when it is gone already. */
static int check_dying(struct task *leader)
{
	struct mm *mm;
	bool dying;

	mutex_lock(&leader->lock);
	mm = leader->mm;
	mutex_unlock(&leader->lock);
	if (!mm)
		return -ESRCH;
	(void)task_lock_sighand(leader);
	dying = leader->group->exiting;
	task_unlock_sighand(leader);
	return dying ? 0 : -EINVAL;
}

int64_t sys_process_mrelease(struct task *task, const uint64_t args[6])
{
	unsigned int file_flags;
	struct task *leader;
	struct pid *pid;
	int result;

	if ((unsigned int)args[1])
		return -EINVAL;
	result = pidfd_get(task, (int)args[0], &pid, &file_flags);
	if (result)
		return result;
	leader = pid_task_get(pid, SCOPE_PROCESS);
	result = leader ? check_dying(leader) : -ESRCH;
	if (leader)
		task_put(leader);
	pid_put(pid);
	return result;
}
