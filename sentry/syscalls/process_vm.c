/* SPDX-License-Identifier: Apache-2.0 */
/* What one process does with the memory of another: process_vm_readv(2), process_vm_writev(2),
 * process_madvise(2). */
#include "abi/capability.h"
#include "abi/mman.h"
#include "abi/uio.h"
#include "sentry/kernel/pid.h"
#include "sentry/kernel/pidfd.h"
#include "sentry/kernel/ptrace.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/iov_iter.h"
#include "sentry/syscalls/syscalls.h"

#include <errno.h>
#include <stdlib.h>

#define BOUNCE_BYTES (64ul << 10)

/* A reference to the address space of a process that the caller may look into. */
static int get_remote(struct task *task, int pid, struct mm **out)
{
	struct task *target = task_find(task, pid);
	int error;

	if (!target)
		return -ESRCH;
	error = ptrace_may_access(task, target, PTRACE_ACCESS_ATTACH | PTRACE_ACCESS_REALCREDS);
	if (!error) {
		*out = task_get_mm(target);
		error = *out ? 0 : -ESRCH;
	}
	task_put(target);
	return error;
}

/* Moves up to a buffer's worth; bytes moved, fewer at a fault on either side. */
static size_t move_part(struct iov_iter *from, struct iov_iter *to, char *buffer, size_t size)
{
	size_t taken = copy_from_iter(buffer, size, from);

	return copy_to_iter(buffer, taken, to);
}

static int64_t move(struct iov_iter *from, struct iov_iter *to)
{
	size_t left = min_u64(iov_iter_count(from), iov_iter_count(to)), done = 0;
	char *buffer = malloc(BOUNCE_BYTES);
	size_t size = left;

	if (!buffer)
		return -ENOMEM;
	while (done < size) {
		size_t part = min_u64(size - done, BOUNCE_BYTES);
		size_t moved = move_part(from, to, buffer, part);

		done += moved;
		if (moved < part)
			break;
	}
	free(buffer);
	return done || !size ? (int64_t)done : -EFAULT;
}

static int64_t process_vm(struct task *task, const uint64_t args[6], bool write)
{
	struct iov_iter local, remote;
	struct mm *mm = NULL;
	int64_t result;

	if (args[5] || args[2] > LINUX_UIO_MAXIOV || args[4] > LINUX_UIO_MAXIOV)
		return -EINVAL;
	result = iov_iter_import(&local, task->mm, args[1], args[2], !write);
	if (result || !iov_iter_count(&local))
		return result;
	/* The remote vector is the caller's memory too; only what it describes is the other's. */
	result = iov_iter_import(&remote, task->mm, args[3], args[4], write);
	if (!result) {
		result = iov_iter_count(&remote) ? get_remote(task, (int)args[0], &mm) : 0;
		if (mm) {
			remote.mm = mm;
			result = write ? move(&local, &remote) : move(&remote, &local);
		}
		iov_iter_destroy(&remote);
	}
	iov_iter_destroy(&local);
	mm_put(mm);
	return result;
}

int64_t sys_process_vm_readv(struct task *task, const uint64_t args[6])
{
	return process_vm(task, args, false);
}

int64_t sys_process_vm_writev(struct task *task, const uint64_t args[6])
{
	return process_vm(task, args, true);
}

/* A reference to the task that a pidfd stands for. */
static int get_pidfd_task(struct task *task, int fd, struct task **out)
{
	struct pid *pid;
	int error = pidfd_get(task, fd, &pid, NULL);

	if (error)
		return error;
	mutex_lock(&g_tasks.lock);
	*out = pid->task ? task_get(pid->task) : NULL;
	mutex_unlock(&g_tasks.lock);
	pid_put(pid);
	return *out ? 0 : -ESRCH;
}

/* Advises range by range; an error counts only if nothing was done before. */
static int64_t advise(struct mm *mm, struct iov_iter *ranges, int advice)
{
	int64_t done = 0;

	for (size_t i = 0; i < ranges->pieces; i++) {
		const struct iov_piece *range = &ranges->piece[i];
		int error = mm_madvise(mm, range->base, range->size, advice);

		if (error)
			return done ? done : error;
		done += (int64_t)range->size;
	}
	return done;
}

static int64_t advise_task(
	struct task *task, struct task *target, struct iov_iter *ranges, int advice)
{
	struct mm *mm;
	int64_t result =
		ptrace_may_access(task, target, PTRACE_ACCESS_READ | PTRACE_ACCESS_FSCREDS);

	if (result)
		return result;
	if (task->mm != target->mm && !capable(LINUX_CAP_SYS_NICE))
		return -EPERM;
	mm = task_get_mm(target);
	if (!mm)
		return -ESRCH;
	result = advise(mm, ranges, advice);
	mm_put(mm);
	return result;
}

int64_t sys_process_madvise(struct task *task, const uint64_t args[6])
{
	int advice = (int)args[3];
	struct iov_iter ranges;
	struct task *target;
	int64_t result;

	if ((uint32_t)args[4])
		return -EINVAL;
	result = iov_iter_import(&ranges, task->mm, args[1], args[2], false);
	if (result)
		return result;
	result = get_pidfd_task(task, (int)args[0], &target);
	if (!result) {
		bool known = advice == LINUX_MADV_COLD || advice == LINUX_MADV_PAGEOUT ||
			     advice == LINUX_MADV_WILLNEED || advice == LINUX_MADV_COLLAPSE;

		result = known ? advise_task(task, target, &ranges, advice) : -EINVAL;
		task_put(target);
	}
	iov_iter_destroy(&ranges);
	return result;
}
