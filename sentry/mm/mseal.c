/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mseal(2): mappings that stay as they are until execve(2) or the end. The calls that would change
 * one ask mm_may_modify() first.
 */
#include "sentry/mm/mm_private.h"

#include <errno.h>

int mm_may_modify(struct mm *mm, gaddr_t start, gaddr_t end)
{
	struct vma *vma;

	if (likely(!mm->ever_sealed))
		return 0;
	for (vma = vma_find_from(mm, start); vma && vma->start < end; vma = vma_next(vma))
		if (vma->flags & VMA_SEALED)
			return -EPERM;
	return 0;
}

static int seal_locked(struct mm *mm, gaddr_t start, gaddr_t end)
{
	gaddr_t covered = start;
	struct vma *vma;
	int error;

	/* All of it is mapped, or nothing is sealed. */
	for (vma = vma_find(mm, start); vma && vma->start <= covered && covered < end;
		vma = vma_next(vma))
		covered = vma->end;
	if (covered < end)
		return -ENOMEM;
	error = vma_split_at_borders(mm, start, end);
	if (error)
		return error;
	mm->ever_sealed = true;
	for (vma = vma_find(mm, start); vma && vma->start < end; vma = vma_next(vma)) {
		vma->flags |= VMA_SEALED;
		vma = vma_merge(vma);
	}
	return 0;
}

int mm_mseal(struct mm *mm, gaddr_t address, uint64_t length)
{
	int error;

	if (address % PAGE_SIZE || (length && !page_ceil(length)))
		return -EINVAL;
	length = page_ceil(length);
	if (address + length < address)
		return -EINVAL;
	if (!length)
		return 0;
	if (!mm_range_is_valid(address, length))
		return -ENOMEM;
	mm_lock(mm);
	error = seal_locked(mm, address, address + length);
	mm_unlock(mm);
	return error;
}
