/* SPDX-License-Identifier: Apache-2.0 */
/* eventfd(2), signalfd(2), timerfd_create(2), timerfd_settime(2), timerfd_gettime(2). */
#include "abi/eventfd.h"

#include "abi/capability.h"
#include "abi/fcntl.h"
#include "abi/signal.h"
#include "abi/time.h"
#include "sentry/fs/anon/anon.h"
#include "sentry/kernel/task.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/time/clock.h"
#include "sentry/vfs/file.h"

#include <errno.h>

static int64_t install(struct task *task, struct file *file, uint32_t flags)
{
	int fd = fd_install(task->files, 0, file, flags & LINUX_O_CLOEXEC);

	if (fd < 0)
		file_put(file);
	return fd;
}

/* --- eventfd --- */

static int64_t make_eventfd(struct task *task, uint32_t count, uint32_t flags)
{
	struct file *file;
	int error;

	if (flags & ~(uint32_t)(LINUX_EFD_SEMAPHORE | LINUX_EFD_CLOEXEC | LINUX_EFD_NONBLOCK))
		return -EINVAL;
	error = eventfd_new_file(
		count, flags & LINUX_EFD_SEMAPHORE, flags & LINUX_EFD_NONBLOCK, &file);
	return error ? error : install(task, file, flags);
}

int64_t sys_eventfd(struct task *task, const uint64_t args[6])
{
	return make_eventfd(task, (uint32_t)args[0], 0);
}

int64_t sys_eventfd2(struct task *task, const uint64_t args[6])
{
	return make_eventfd(task, (uint32_t)args[0], (uint32_t)args[1]);
}

/* --- signalfd --- */

static int64_t do_signalfd(struct task *task, const uint64_t args[6], uint32_t flags)
{
	int fd = (int)args[0];
	auto_file struct file *file = NULL;
	linux_sigset_t mask;
	int error;

	if (args[2] != sizeof(mask))
		return -EINVAL;
	if (mm_copy_in(task->mm, &mask, args[1], sizeof(mask)))
		return -EFAULT;
	if (flags & ~(uint32_t)(LINUX_SFD_CLOEXEC | LINUX_SFD_NONBLOCK))
		return -EINVAL;
	if (fd == -1) {
		struct file *fresh;

		error = signalfd_new_file(mask, flags & LINUX_SFD_NONBLOCK, &fresh);
		return error ? error : install(task, fresh, flags);
	}
	file = fd_get(task->files, fd);
	if (!file)
		return -EBADF;
	if (!file_is_signalfd(file))
		return -EINVAL;
	signalfd_set_mask(file, mask);
	return fd;
}

int64_t sys_signalfd(struct task *task, const uint64_t args[6])
{
	return do_signalfd(task, args, 0);
}

int64_t sys_signalfd4(struct task *task, const uint64_t args[6])
{
	return do_signalfd(task, args, (uint32_t)args[3]);
}

/* --- timerfd --- */

int64_t sys_timerfd_create(struct task *task, const uint64_t args[6])
{
	int clock = (int)args[0];
	uint32_t flags = (uint32_t)args[1];
	bool alarm = clock == LINUX_CLOCK_REALTIME_ALARM || clock == LINUX_CLOCK_BOOTTIME_ALARM;
	struct file *file;
	int error;

	if (flags & ~(uint32_t)(LINUX_TFD_CLOEXEC | LINUX_TFD_NONBLOCK))
		return -EINVAL;
	if (!alarm && clock != LINUX_CLOCK_REALTIME && clock != LINUX_CLOCK_MONOTONIC &&
		clock != LINUX_CLOCK_BOOTTIME)
		return -EINVAL;
	if (alarm && !capable(LINUX_CAP_WAKE_ALARM))
		return -EPERM;
	error = timerfd_new_file(clock, flags & LINUX_TFD_NONBLOCK, &file);
	return error ? error : install(task, file, flags);
}

/* A reference to a timerfd, or NULL with *error set. */
static struct file *timerfd_get_file(struct task *task, int fd, int *error)
{
	struct file *file = fd_get(task->files, fd);

	*error = file ? 0 : -EBADF;
	if (file && !file_is_timerfd(file)) {
		file_put(file);
		*error = -EINVAL;
		return NULL;
	}
	return file;
}

static bool timespec_is_valid(const struct linux_timespec *time)
{
	return time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < NSEC_PER_SEC;
}

int64_t sys_timerfd_settime(struct task *task, const uint64_t args[6])
{
	int flags = (int)args[1], error;
	struct linux_itimerspec new_value, old_value;
	auto_file struct file *file = NULL;

	if (mm_copy_in(task->mm, &new_value, args[2], sizeof(new_value)))
		return -EFAULT;
	if ((flags & ~(LINUX_TFD_TIMER_ABSTIME | LINUX_TFD_TIMER_CANCEL_ON_SET)) ||
		!timespec_is_valid(&new_value.it_value) ||
		!timespec_is_valid(&new_value.it_interval))
		return -EINVAL;
	file = timerfd_get_file(task, (int)args[0], &error);
	if (!file)
		return error;
	timerfd_set(file, flags, &new_value, &old_value);
	return args[3] ? mm_copy_out(task->mm, args[3], &old_value, sizeof(old_value)) : 0;
}

int64_t sys_timerfd_gettime(struct task *task, const uint64_t args[6])
{
	struct linux_itimerspec value;
	auto_file struct file *file = NULL;
	int error;

	file = timerfd_get_file(task, (int)args[0], &error);
	if (!file)
		return error;
	timerfd_get(file, &value);
	return mm_copy_out(task->mm, args[1], &value, sizeof(value));
}
