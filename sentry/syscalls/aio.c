/* SPDX-License-Identifier: Apache-2.0 */
/* io_setup(2), io_destroy(2), io_submit(2), io_cancel(2), io_getevents(2), io_pgetevents(2). */
#include "sentry/vfs/aio.h"

#include "abi/signal.h"
#include "abi/time.h"
#include "sentry/kernel/signal.h"
#include "sentry/kernel/task.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/time/clock.h"

#include <errno.h>
#include <stddef.h>

int64_t sys_io_setup(struct task *task, const uint64_t args[6])
{
	uint32_t events = (uint32_t)args[0];
	gaddr_t id;
	int error;

	if (mm_copy_in(task->mm, &id, args[1], sizeof(id)))
		return -EFAULT;
	if (id || !events)
		return -EINVAL;
	error = aio_context_create(task, events, &id);
	if (error)
		return error;
	if (!mm_copy_out(task->mm, args[1], &id, sizeof(id)))
		return 0;
	error = aio_context_destroy(task, id);
	return error ? error : -EFAULT;
}

int64_t sys_io_destroy(struct task *task, const uint64_t args[6])
{
	return aio_context_destroy(task, args[0]);
}

static int submit_one(struct task *task, gaddr_t id, gaddr_t address)
{
	const uint32_t key = 0;
	struct linux_iocb iocb;

	if (mm_copy_in(task->mm, &iocb, address, sizeof(iocb)))
		return -EFAULT;
	if (iocb.aio_reserved2 || iocb.aio_nbytes > INT64_MAX)
		return -EINVAL;
	/* What io_cancel(2) looks for. */
	if (mm_copy_out(
		    task->mm, address + offsetof(struct linux_iocb, aio_key), &key, sizeof(key)))
		return -EFAULT;
	return aio_submit(task, id, &iocb, address);
}

int64_t sys_io_submit(struct task *task, const uint64_t args[6])
{
	int64_t count = (int64_t)args[1], capacity, done;
	int error = 0;

	if (count < 0)
		return -EINVAL;
	capacity = aio_capacity(task, args[0]);
	if (capacity < 0)
		return capacity;
	if (count > capacity)
		count = capacity;
	for (done = 0; done < count; done++) {
		gaddr_t address;

		if (mm_copy_in(task->mm, &address, args[2] + (uint64_t)done * sizeof(address),
			    sizeof(address)))
			error = -EFAULT;
		else
			error = submit_one(task, args[0], address);
		if (error)
			break;
	}
	return done ? done : error;
}

int64_t sys_io_cancel(struct task *task, const uint64_t args[6])
{
	uint32_t key;

	if (mm_copy_in(task->mm, &key, args[1] + offsetof(struct linux_iocb, aio_key), sizeof(key)))
		return -EFAULT;
	return key ? -EINVAL : aio_cancel(task, args[0], args[1]);
}

static int copy_deadline(struct task *task, gaddr_t address, int64_t *deadline)
{
	struct linux_timespec time;

	*deadline = INT64_MAX;
	if (!address)
		return 0;
	if (mm_copy_in(task->mm, &time, address, sizeof(time)))
		return -EFAULT;
	if (time.tv_sec < 0 || (time.tv_sec == 0 && time.tv_nsec <= 0))
		*deadline = AIO_AT_ONCE;
	else if (__builtin_mul_overflow(time.tv_sec, NSEC_PER_SEC, deadline) ||
		 __builtin_add_overflow(*deadline, time.tv_nsec, deadline) ||
		 __builtin_add_overflow(*deadline, clock_monotonic(), deadline))
		*deadline = INT64_MAX;
	return 0;
}

int64_t sys_io_getevents(struct task *task, const uint64_t args[6])
{
	int64_t deadline, result = copy_deadline(task, args[4], &deadline);

	if (result)
		return result;
	result = aio_get_events(
		task, args[0], (int64_t)args[1], (int64_t)args[2], args[3], deadline);
	return result == -ERESTARTSYS ? -EINTR : result;
}

static int set_mask(struct task *task, gaddr_t address)
{
	struct linux_aio_sigset set;
	linux_sigset_t mask;

	if (!address)
		return 0;
	if (mm_copy_in(task->mm, &set, address, sizeof(set)))
		return -EFAULT;
	if (!set.sigmask)
		return 0;
	if (set.sigsetsize != sizeof(mask))
		return -EINVAL;
	if (mm_copy_in(task->mm, &mask, set.sigmask, sizeof(mask)))
		return -EFAULT;
	task_set_temporary_mask(task, mask);
	return 0;
}

int64_t sys_io_pgetevents(struct task *task, const uint64_t args[6])
{
	int64_t deadline, result = copy_deadline(task, args[4], &deadline);

	if (!result)
		result = set_mask(task, args[5]);
	if (result)
		return result;
	result = aio_get_events(
		task, args[0], (int64_t)args[1], (int64_t)args[2], args[3], deadline);
	if (result == -ERESTARTSYS)
		return -ERESTARTNOHAND;
	task_restore_mask(task);
	return result;
}
