/* SPDX-License-Identifier: Apache-2.0 */
/* epoll_create(2), epoll_ctl(2), epoll_wait(2) and its variants. */
#include "abi/epoll.h"
#include "abi/limits.h"
#include "abi/time.h"
#include "sentry/fs/anon/epoll.h"
#include "sentry/kernel/signal.h"
#include "sentry/kernel/task.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/time/clock.h"
#include "sentry/vfs/file.h"

#include <errno.h>

static int64_t make_epoll(struct task *task, uint32_t flags)
{
	struct file *file;
	int fd, error;

	if (flags & ~(uint32_t)LINUX_EPOLL_CLOEXEC)
		return -EINVAL;
	error = epoll_new_file(&file);
	if (error)
		return error;
	fd = fd_install(task->files, 0, file, flags & LINUX_EPOLL_CLOEXEC);
	if (fd < 0)
		file_put(file);
	return fd;
}

int64_t sys_epoll_create(struct task *task, const uint64_t args[6])
{
	return (int32_t)args[0] <= 0 ? -EINVAL : make_epoll(task, 0);
}

int64_t sys_epoll_create1(struct task *task, const uint64_t args[6])
{
	return make_epoll(task, (uint32_t)args[0]);
}

int64_t sys_epoll_ctl(struct task *task, const uint64_t args[6])
{
	int operation = (int)args[1], fd = (int)args[2];
	struct linux_epoll_event event = {0};
	auto_file struct file *epoll_file = NULL, *target = NULL;

	if (operation != LINUX_EPOLL_CTL_DEL &&
		mm_copy_in(task->mm, &event, args[3], sizeof(event)))
		return -EFAULT;
	epoll_file = fd_get(task->files, (int)args[0]);
	target = fd_get(task->files, fd);
	if (!epoll_file || !target)
		return -EBADF;
	return epoll_control(epoll_file, operation, fd, target, &event);
}

static int64_t do_wait(struct task *task, const uint64_t args[6], bool no_wait, int64_t deadline_ns)
{
	int max = (int)args[2];
	auto_file struct file *file = NULL;

	if (max <= 0 || max > LINUX_EP_MAX_EVENTS)
		return -EINVAL;
	if (args[1] > LINUX_TASK_SIZE ||
		(uint64_t)max * sizeof(struct linux_epoll_event) > LINUX_TASK_SIZE - args[1])
		return -EFAULT;
	file = fd_get(task->files, (int)args[0]);
	if (!file)
		return -EBADF;
	if (!file_is_epoll(file))
		return -EINVAL;
	return epoll_wait_events(file, args[1], max, no_wait, deadline_ns);
}

static int64_t deadline_in(int64_t seconds, int64_t nanoseconds)
{
	int64_t deadline;

	if (__builtin_mul_overflow(seconds, NSEC_PER_SEC, &deadline) ||
		__builtin_add_overflow(deadline, nanoseconds, &deadline) ||
		__builtin_add_overflow(deadline, clock_monotonic(), &deadline))
		return FILE_FOREVER;
	return deadline;
}

static int64_t wait_milliseconds(struct task *task, const uint64_t args[6])
{
	int32_t timeout = (int32_t)args[3];
	int64_t deadline = FILE_FOREVER;

	if (timeout > 0)
		deadline = deadline_in(timeout / 1000, timeout % 1000 * 1000000ll);
	return do_wait(task, args, timeout == 0, deadline);
}

int64_t sys_epoll_wait(struct task *task, const uint64_t args[6])
{
	return wait_milliseconds(task, args);
}

static int64_t set_mask(struct task *task, const uint64_t args[6])
{
	linux_sigset_t mask;

	if (!args[4])
		return 0;
	if (args[5] != sizeof(mask))
		return -EINVAL;
	if (mm_copy_in(task->mm, &mask, args[4], sizeof(mask)))
		return -EFAULT;
	task_set_temporary_mask(task, mask);
	return 0;
}

/* An interrupted wait keeps the mask until the signal was delivered. */
static int64_t finish_mask(struct task *task, int64_t result)
{
	if (result != -EINTR)
		task_restore_mask(task);
	return result;
}

int64_t sys_epoll_pwait(struct task *task, const uint64_t args[6])
{
	int64_t error = set_mask(task, args);

	return error ? error : finish_mask(task, wait_milliseconds(task, args));
}

int64_t sys_epoll_pwait2(struct task *task, const uint64_t args[6])
{
	struct linux_timespec timeout;
	int64_t deadline = FILE_FOREVER, error;
	bool no_wait = false;

	if (args[3]) {
		if (mm_copy_in(task->mm, &timeout, args[3], sizeof(timeout)))
			return -EFAULT;
		if (timeout.tv_sec < 0 || timeout.tv_nsec < 0 || timeout.tv_nsec >= NSEC_PER_SEC)
			return -EINVAL;
		no_wait = !timeout.tv_sec && !timeout.tv_nsec;
		deadline = deadline_in(timeout.tv_sec, timeout.tv_nsec);
	}
	error = set_mask(task, args);
	return error ? error : finish_mask(task, do_wait(task, args, no_wait, deadline));
}
