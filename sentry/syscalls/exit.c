/* SPDX-License-Identifier: Apache-2.0 */
/* exit(2), exit_group(2), wait4(2), waitid(2). */
#include "abi/fcntl.h"
#include "sentry/kernel/pidfd.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/wait.h"
#include "sentry/syscalls/syscalls.h"

#include <errno.h>
#include <limits.h>

int64_t sys_exit(struct task *task, const uint64_t args[6])
{
	task_exit(task, (int)(args[0] & 0xff) << 8);
	return 0;
}

int64_t sys_exit_group(struct task *task, const uint64_t args[6])
{
	thread_group_exit(task, (int)(args[0] & 0xff) << 8);
	return 0;
}

static struct pid *own_process_group(struct task *task)
{
	mutex_guard(&g_tasks.lock);
	return pid_get(task->group->process_group);
}

/* -1: anybody; 0: the own process group; below -1: that group. */
static void wait4_whom(struct task *task, int number, struct wait_request *request)
{
	if (number == -1) {
		request->whom = WAIT_ANY;
	} else if (number == 0) {
		request->whom = WAIT_PROCESS_GROUP;
		request->pid = own_process_group(task);
	} else if (number < 0) {
		request->whom = WAIT_PROCESS_GROUP;
		request->pid = pid_find(task_pid_namespace(task), -number);
	} else {
		request->whom = WAIT_PID;
		request->pid = pid_find(task_pid_namespace(task), number);
	}
}

int64_t sys_wait4(struct task *task, const uint64_t args[6])
{
	const uint32_t known = LINUX_WNOHANG | LINUX_WUNTRACED | LINUX_WCONTINUED |
			       LINUX___WNOTHREAD | LINUX___WCLONE | LINUX___WALL;
	struct wait_request request = {.options = (uint32_t)args[2]};
	int number = (int)args[0], err;

	if (request.options & ~known)
		return -EINVAL;
	if (number == INT_MIN)
		return -ESRCH;
	request.options |= LINUX_WEXITED;
	wait4_whom(task, number, &request);
	err = task_wait(task, &request);
	pid_put(request.pid);
	if (err)
		return err;
	if (request.number && args[1] &&
		mm_copy_out(task->mm, args[1], &request.status, sizeof(request.status)))
		return -EFAULT;
	if (request.number && args[3] &&
		mm_copy_out(task->mm, args[3], &request.usage, sizeof(request.usage)))
		return -EFAULT;
	return request.number;
}

static int waitid_whom(
	struct task *task, int which, int id, struct wait_request *request, unsigned int *flags)
{
	switch (which) {
	case LINUX_P_ALL:
		request->whom = WAIT_ANY;
		return 0;
	case LINUX_P_PID:
		if (id <= 0)
			return -EINVAL;
		request->whom = WAIT_PID;
		request->pid = pid_find(task_pid_namespace(task), id);
		return 0;
	case LINUX_P_PGID:
		if (id < 0)
			return -EINVAL;
		request->whom = WAIT_PROCESS_GROUP;
		request->pid =
			id ? pid_find(task_pid_namespace(task), id) : own_process_group(task);
		return 0;
	case LINUX_P_PIDFD:
		if (id < 0)
			return -EINVAL;
		request->whom = WAIT_PID;
		return pidfd_get(task, id, &request->pid, flags);
	default:
		return -EINVAL;
	}
}

static int waitid_out(
	struct task *task, const struct wait_request *request, gaddr_t address, gaddr_t usage)
{
	struct linux_siginfo info = {0};

	if (request->number && usage &&
		mm_copy_out(task->mm, usage, &request->usage, sizeof(request->usage)))
		return -EFAULT;
	if (!address)
		return 0;
	if (request->number) {
		info.si_signo = LINUX_SIGCHLD;
		info.si_code = request->cause;
		info.sigchld.si_pid = request->number;
		info.sigchld.si_uid = request->uid;
		info.sigchld.si_status = request->cause_status;
	}
	/* Linux leaves what follows si_status as it was. */
	return mm_copy_out(
		task->mm, address, &info, offsetof(struct linux_siginfo, sigchld.si_status) + 4);
}

int64_t sys_waitid(struct task *task, const uint64_t args[6])
{
	const uint32_t states = LINUX_WEXITED | LINUX_WSTOPPED | LINUX_WCONTINUED;
	const uint32_t known = states | LINUX_WNOHANG | LINUX_WNOWAIT | LINUX___WNOTHREAD |
			       LINUX___WCLONE | LINUX___WALL;
	struct wait_request request = {.options = (uint32_t)args[3]};
	bool no_hang = request.options & LINUX_WNOHANG;
	unsigned int flags = 0;
	int err;

	if ((request.options & ~known) || !(request.options & states))
		return -EINVAL;
	err = waitid_whom(task, (int)args[0], (int)args[1], &request, &flags);
	if (err)
		return err;
	if (flags & LINUX_O_NONBLOCK)
		request.options |= LINUX_WNOHANG;
	err = task_wait(task, &request);
	pid_put(request.pid);
	if (err)
		return err;
	if (!request.number && !no_hang && (flags & LINUX_O_NONBLOCK))
		return -EAGAIN;
	return waitid_out(task, &request, args[2], args[4]);
}
