/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mmap(2), munmap(2), mprotect(2), mremap(2), brk(2), madvise(2), mincore(2), msync(2), mlock(2)
 * and their like.
 *
 * Protection keys are as on a processor that has none.
 */
#include "abi/mman.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/mm.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/vfs/file.h"

#include <errno.h>

int64_t sys_mmap(struct task *task, const uint64_t args[6])
{
	struct mmap_request request = {
		.address = args[0],
		.length = args[1],
		.protection = (int)args[2],
		.flags = (int)args[3],
		.offset = args[5],
	};
	auto_file struct file *file = NULL;
	gaddr_t address;
	int error;

	if (request.offset % PAGE_SIZE)
		return -EINVAL;
	if (!(request.flags & LINUX_MAP_ANONYMOUS)) {
		file = fd_get(task->files, (int)args[4]);
		if (!file)
			return -EBADF;
		request.file = file;
	}
	error = mm_mmap(task->mm, &request, &address);
	return error ? error : (int64_t)address;
}

int64_t sys_munmap(struct task *task, const uint64_t args[6])
{
	return mm_munmap(task->mm, args[0], args[1]);
}

int64_t sys_mprotect(struct task *task, const uint64_t args[6])
{
	return mm_mprotect(task->mm, args[0], args[1], (int)args[2]);
}

int64_t sys_mremap(struct task *task, const uint64_t args[6])
{
	gaddr_t address = 0;
	int error = mm_mremap(task->mm, args[0], args[1], args[2],
		args[3] > INT32_MAX ? -1 : (int)args[3], args[4], &address);

	return error ? error : (int64_t)address;
}

int64_t sys_remap_file_pages(struct task *task, const uint64_t args[6])
{
	/* prot must be 0: the call goes back to before it could say anything. */
	if (args[2])
		return -EINVAL;
	return mm_remap_file_pages(task->mm, args[0], args[1], args[3], (int)args[4]);
}

int64_t sys_brk(struct task *task, const uint64_t args[6])
{
	return (int64_t)mm_brk(task->mm, args[0]);
}

int64_t sys_madvise(struct task *task, const uint64_t args[6])
{
	return mm_madvise(task->mm, args[0], args[1], (int)args[2]);
}

int64_t sys_mincore(struct task *task, const uint64_t args[6])
{
	return mm_mincore(task->mm, args[0], args[1], args[2]);
}

int64_t sys_msync(struct task *task, const uint64_t args[6])
{
	return mm_msync(task->mm, args[0], args[1], (int)args[2]);
}

int64_t sys_mlock(struct task *task, const uint64_t args[6])
{
	return mm_mlock(task->mm, args[0], args[1], true, false);
}

int64_t sys_mlock2(struct task *task, const uint64_t args[6])
{
	int flags = (int)args[2];

	if (flags & ~LINUX_MLOCK_ONFAULT)
		return -EINVAL;
	return mm_mlock(task->mm, args[0], args[1], true, flags & LINUX_MLOCK_ONFAULT);
}

int64_t sys_mseal(struct task *task, const uint64_t args[6])
{
	return args[2] ? -EINVAL : mm_mseal(task->mm, args[0], args[1]);
}

int64_t sys_munlock(struct task *task, const uint64_t args[6])
{
	return mm_mlock(task->mm, args[0], args[1], false, false);
}

int64_t sys_mlockall(struct task *task, const uint64_t args[6])
{
	const int known = LINUX_MCL_CURRENT | LINUX_MCL_FUTURE | LINUX_MCL_ONFAULT;
	int flags = (int)args[0];

	if (!flags || flags & ~known || flags == LINUX_MCL_ONFAULT)
		return -EINVAL;
	return mm_mlockall(task->mm, flags);
}

int64_t sys_munlockall(struct task *task, const uint64_t args[6] unused_)
{
	return mm_mlockall(task->mm, 0);
}

int64_t sys_pkey_mprotect(struct task *task, const uint64_t args[6])
{
	if ((int)args[3] != -1)
		return -EINVAL;
	return mm_mprotect(task->mm, args[0], args[1], (int)args[2]);
}

int64_t sys_pkey_alloc(struct task *task unused_, const uint64_t args[6])
{
	if (args[0] || args[1] & ~(uint64_t)LINUX_PKEY_ACCESS_MASK)
		return -EINVAL;
	return -ENOSPC;
}

int64_t sys_pkey_free(struct task *task unused_, const uint64_t args[6] unused_)
{
	return -EINVAL;
}
