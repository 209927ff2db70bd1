/* SPDX-License-Identifier: Apache-2.0 */
/* clone(2), clone3(2), fork(2), vfork(2), unshare(2), setns(2). */
#include "abi/limits.h"
#include "abi/sched.h"
#include "abi/signal.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/unshare.h"
#include "sentry/syscalls/struct_in.h"
#include "sentry/syscalls/syscalls.h"

#include <errno.h>

#define CLONE_LEGACY_FLAGS 0xffffffffull
#define CLONE3_FLAGS                                                                               \
	((CLONE_LEGACY_FLAGS & ~(uint64_t)(LINUX_CSIGNAL | LINUX_CLONE_DETACHED)) |                \
		LINUX_CLONE_CLEAR_SIGHAND | LINUX_CLONE_INTO_CGROUP | LINUX_CLONE_NEWTIME)

int64_t sys_fork(struct task *task, const uint64_t args[6])
{
	struct linux_clone_args request = {.exit_signal = LINUX_SIGCHLD};

	return task_clone(task, &request);
}

int64_t sys_vfork(struct task *task, const uint64_t args[6])
{
	struct linux_clone_args request = {
		.flags = LINUX_CLONE_VFORK | LINUX_CLONE_VM, .exit_signal = LINUX_SIGCHLD};

	return task_clone(task, &request);
}

int64_t sys_clone(struct task *task, const uint64_t args[6])
{
	uint64_t flags = args[0] & CLONE_LEGACY_FLAGS;
	struct linux_clone_args request = {
		.flags = flags & ~(uint64_t)LINUX_CSIGNAL,
		.exit_signal = flags & LINUX_CSIGNAL,
		.stack = args[1],
		.parent_tid = args[2],
		.pidfd = args[2], /* one place for both: not both together */
		.child_tid = args[3],
		.tls = args[4],
	};

	if ((flags & LINUX_CLONE_PIDFD) && (flags & LINUX_CLONE_PARENT_SETTID))
		return -EINVAL;
	return task_clone(task, &request);
}

/* The stack is given as its lowest byte and its size. */
static int check_stack(struct linux_clone_args *request)
{
	if (request->stack == 0)
		return request->stack_size > 0 ? -EINVAL : 0;
	if (request->stack_size == 0)
		return -EINVAL;
	if (request->stack > LINUX_TASK_SIZE ||
		request->stack_size > LINUX_TASK_SIZE - request->stack)
		return -EINVAL;
	request->stack += request->stack_size;
	return 0;
}

static int check_clone3(struct linux_clone_args *request, uint64_t size)
{
	if (request->flags & ~CLONE3_FLAGS)
		return -EINVAL;
	if (request->set_tid_size > 32)
		return -EINVAL;
	if (!request->set_tid != !request->set_tid_size)
		return -EINVAL;
	if (request->exit_signal > LINUX_NSIG)
		return -EINVAL;
	if ((request->flags & LINUX_CLONE_INTO_CGROUP) &&
		(request->cgroup > INT32_MAX || size < LINUX_CLONE_ARGS_SIZE_VER2))
		return -EINVAL;
	if ((request->flags & (LINUX_CLONE_THREAD | LINUX_CLONE_PARENT)) && request->exit_signal)
		return -EINVAL;
	return check_stack(request);
}

int64_t sys_clone3(struct task *task, const uint64_t args[6])
{
	struct linux_clone_args request;
	int err = struct_in(
		task, &request, sizeof(request), args[0], args[1], LINUX_CLONE_ARGS_SIZE_VER0);

	if (!err)
		err = check_clone3(&request, args[1]);
	return err ? err : task_clone(task, &request);
}

int64_t sys_unshare(struct task *task, const uint64_t args[6])
{
	return task_unshare(task, args[0]);
}

int64_t sys_setns(struct task *task, const uint64_t args[6])
{
	return task_setns(task, (int)args[0], (int)args[1]);
}
