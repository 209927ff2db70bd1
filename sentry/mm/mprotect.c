/* SPDX-License-Identifier: Apache-2.0 */
/* mprotect(2): only the host's protection changes; backings stay as they are. */
#include "sentry/mm/mm_private.h"

#include <errno.h>

#define PROTECTIONS (LINUX_PROT_READ | LINUX_PROT_WRITE | LINUX_PROT_EXEC)
#define KNOWN	    (PROTECTIONS | LINUX_PROT_SEM | LINUX_PROT_GROWSDOWN | LINUX_PROT_GROWSUP)

/* What of [start, end) may be changed before an error that is met on the way, and the error. */
static int check_range(struct mm *mm, gaddr_t start, gaddr_t *end, int protection)
{
	struct vma *vma = vma_find(mm, start);

	for (gaddr_t at = start; at < *end; vma = vma_next(vma)) {
		int error = 0;

		if (!vma || vma->start > at) {
			error = -ENOMEM;
		} else if (protection & ~vma->max_protection) {
			error = -EACCES;
		} else if (vma->protection & LINUX_PROT_WRITE) {
			/* No more counts as data than did before. */
		} else {
			error = mm_may_add_data(
				mm, min_u64(vma->end, *end) - at, vma->flags, protection);
		}
		if (error) {
			*end = at;
			return error;
		}
		at = vma->end;
	}
	return 0;
}

static int change(struct mm *mm, gaddr_t start, gaddr_t end, int protection)
{
	struct vma *vma;
	int error;

	if (start == end)
		return 0;
	error = vma_split_at_borders(mm, start, end);
	if (error)
		return error;
	for (vma = vma_find(mm, start); vma && vma->start < end; vma = vma_next(vma)) {
		mm_account(mm, vma, vma->start, vma->end, false);
		vma->protection = (uint8_t)protection;
		mm_account(mm, vma, vma->start, vma->end, true);
	}
	mm_changed(mm);
	error = backing_protect_range(mm, start, end);
	for (vma = vma_find(mm, start); !error && vma && vma->start < end; vma = vma_next(vma)) {
		/* What has been out of reach so far is backed now; what fails is left to the fault.
		 */
		if (mm_back_new(mm, vma, vma->start, vma->end) == -ENOMEM)
			break;
	}
	for (vma = vma_find(mm, start); vma && vma->start < end; vma = vma_next(vma))
		vma = vma_merge(vma);
	if (vma)
		(void)vma_merge(vma);
	return error;
}

/* PROT_GROWSDOWN reaches down to the start of a growing stack. */
static int grow_down(struct mm *mm, gaddr_t *start, gaddr_t end)
{
	struct vma *vma = vma_find_from(mm, *start);

	if (!vma || vma->start >= end)
		return -ENOMEM;
	if (!(vma->flags & VMA_GROWS_DOWN))
		return -EINVAL;
	*start = vma->start;
	return 0;
}

static int change_locked(struct mm *mm, gaddr_t start, gaddr_t end, int protection)
{
	gaddr_t stop = end;
	int error = 0, changed;

	if (protection & LINUX_PROT_GROWSDOWN)
		error = grow_down(mm, &start, end);
	else if (protection & LINUX_PROT_GROWSUP)
		error = -EINVAL; /* nothing grows up here */
	if (error)
		return error;
	error = mm_may_modify(mm, start, end);
	if (error)
		return error;
	error = check_range(mm, start, &stop, protection & PROTECTIONS);
	changed = change(mm, start, stop, protection & PROTECTIONS);
	return changed ? changed : error;
}

int mm_mprotect(struct mm *mm, gaddr_t address, uint64_t length, int protection)
{
	const int grows = LINUX_PROT_GROWSDOWN | LINUX_PROT_GROWSUP;
	int error;

	if (protection & ~KNOWN || (protection & grows) == grows || address % PAGE_SIZE)
		return -EINVAL;
	if (!length)
		return 0;
	if (!mm_range_is_valid(address, length))
		return -ENOMEM;
	mm_lock(mm);
	error = change_locked(mm, address, address + page_ceil(length), protection);
	mm_unlock(mm);
	return error;
}
