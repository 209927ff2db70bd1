/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mlock(2) and its like. Guest memory is never written to a swap device by the sentry; what can be
 * observed is kept: the limit, the counts, and that locked pages are present.
 */
#include "abi/capability.h"
#include "abi/resource.h"
#include "sentry/kernel/rlimit.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/mm_private.h"

#include <errno.h>

static bool is_privileged(void)
{
	return !current || capable(LINUX_CAP_IPC_LOCK);
}

int mm_may_lock(struct mm *mm, uint64_t length)
{
	uint64_t limit = rlimit_current(LINUX_RLIMIT_MEMLOCK);

	if (limit == LINUX_RLIM_INFINITY || is_privileged())
		return 0;
	if (!limit)
		return -EPERM;
	return mm->locked <= limit && length <= limit - mm->locked ? 0 : -EAGAIN;
}

static uint64_t locked_bytes(struct mm *mm, gaddr_t start, gaddr_t end)
{
	uint64_t bytes = 0;

	for (struct vma *vma = vma_find_from(mm, start); vma && vma->start < end;
		vma = vma_next(vma)) {
		if (vma->flags & VMA_LOCKED)
			bytes += min_u64(vma->end, end) - max_u64(vma->start, start);
	}
	return bytes;
}

/* -ENOMEM at the first hole, with what is before it changed. */
static int set_flags(struct mm *mm, gaddr_t start, gaddr_t end, unsigned int flags)
{
	const unsigned int mask = VMA_LOCKED | VMA_LOCK_ON_FAULT;
	struct vma *vma;
	gaddr_t at = start;
	int error = vma_split_at_borders(mm, start, end);

	if (error)
		return error;
	for (vma = vma_find_from(mm, start); vma && vma->start < end; vma = vma_next(vma)) {
		if (vma->start > at)
			break;
		at = vma->end;
		if (!(vma->flags & VMA_SPECIAL)) {
			mm_account(mm, vma, vma->start, vma->end, false);
			vma->flags = (vma->flags & ~mask) | flags;
			mm_account(mm, vma, vma->start, vma->end, true);
		}
		vma = vma_merge(vma);
	}
	if (vma)
		(void)vma_merge(vma);
	return at < end ? -ENOMEM : 0;
}

/* Locking makes present what can be; -ENOMEM if something cannot, as __mm_populate() has it. */
static int make_present(struct mm *mm, gaddr_t start, gaddr_t end)
{
	for (struct vma *vma = vma_find_from(mm, start); vma && vma->start < end;
		vma = vma_next(vma)) {
		gaddr_t low = max_u64(vma->start, start), high = min_u64(vma->end, end);
		bool write = !vma_is_shared(vma) && (vma->protection & LINUX_PROT_WRITE);

		if (!vma->protection || (vma->flags & VMA_SPECIAL))
			continue;
		if (mm_populate(mm, low, high, write) != 0)
			return -ENOMEM;
	}
	return 0;
}

int mm_mlock(struct mm *mm, gaddr_t address, uint64_t length, bool lock, bool on_fault)
{
	uint64_t skew = address % PAGE_SIZE;
	gaddr_t end;
	int error = 0;

	if (length > UINT64_MAX - skew - PAGE_SIZE)
		return -EINVAL;
	length = page_ceil(length + skew);
	address -= skew;
	if (!length)
		return 0;
	if (!mm_range_is_valid(address, length))
		return -ENOMEM;
	end = address + length;
	mm_lock(mm);
	if (lock) {
		error = mm_may_lock(mm, length - locked_bytes(mm, address, end));
		error = error == -EAGAIN ? -ENOMEM : error;
	}
	if (!error)
		error = set_flags(mm, address, end,
			lock ? VMA_LOCKED | (on_fault ? VMA_LOCK_ON_FAULT : 0) : 0);
	if (!error && lock && !on_fault)
		error = make_present(mm, address, end);
	mm_unlock(mm);
	return error;
}

static void set_all(struct mm *mm, unsigned int flags)
{
	struct vma *vma = vma_find_from(mm, 0);

	while (vma) {
		/* Holes between vmas are no error here. */
		gaddr_t end = vma->end;

		if (set_flags(mm, vma->start, end, flags) != 0)
			break;
		vma = vma_find_from(mm, end);
	}
}

int mm_mlockall(struct mm *mm, int flags)
{
	unsigned int lock = flags & LINUX_MCL_ONFAULT ? VMA_LOCKED | VMA_LOCK_ON_FAULT : VMA_LOCKED;
	int error = 0;

	mm_lock(mm);
	if (flags)
		error = mm_may_lock(mm, flags & LINUX_MCL_CURRENT ? mm->total - mm->locked : 0);
	if (error) {
		mm_unlock(mm);
		return error == -EAGAIN ? -ENOMEM : error;
	}
	mm->lock_future = flags & LINUX_MCL_FUTURE ? lock : 0;
	if (!flags || (flags & LINUX_MCL_CURRENT))
		set_all(mm, flags ? lock : 0);
	/* Failing to make something present is no error of mlockall(2). */
	if ((flags & LINUX_MCL_CURRENT) && !(flags & LINUX_MCL_ONFAULT))
		(void)make_present(mm, 0, PLATFORM_GUEST_MAX);
	mm_unlock(mm);
	return 0;
}
