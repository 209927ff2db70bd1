/* SPDX-License-Identifier: Apache-2.0 */
/* munmap(2), and taking down what a new mapping replaces. */
#include "sentry/mm/mm_private.h"

#include <errno.h>

/* Queues the host's unmapping of what has no backing in [start, end). */
int mm_queue_unmap_holes(struct mm *mm, gaddr_t start, gaddr_t end)
{
	int error = 0;

	while (!error && start < end) {
		struct backing *backing = backing_find_from(mm, start);
		gaddr_t stop = backing ? min_u64(backing->start, end) : end;

		if (start < stop)
			error = mm_queue_unmap(mm, start, stop);
		if (!backing)
			break;
		start = backing->end;
	}
	return error;
}

int mm_unmap_range(struct mm *mm, gaddr_t start, gaddr_t end, bool host_too)
{
	struct vma *vma = vma_find_from(mm, start), *next;
	int error;

	if (!vma || vma->start >= end)
		return 0;
	error = mm_may_modify(mm, start, end);
	if (error)
		return error;
	/* A hole in the middle of one makes one more, as in do_vmi_align_munmap(). */
	if (vma->start < start && vma->end > end && mm->vma_count >= LINUX_MAX_MAP_COUNT)
		return -ENOMEM;
	error = backing_split_at_borders(mm, start, end);
	if (!error)
		error = vma_split_at_borders(mm, start, end);
	if (!error && host_too)
		error = mm_queue_unmap(mm, start, end);
	if (!error)
		error = backing_drop_range(mm, start, end);
	if (error)
		return error;
	for (vma = vma_find_from(mm, start); vma && vma->start < end; vma = next) {
		next = vma_next(vma);
		vma_remove(vma);
	}
	return 0;
}

int mm_munmap(struct mm *mm, gaddr_t address, uint64_t length)
{
	int error;

	if (address % PAGE_SIZE || !length || !mm_range_is_valid(address, length))
		return -EINVAL;
	mm_lock(mm);
	error = mm_unmap_range(mm, address, address + page_ceil(length), true);
	mm_unlock_and_release(mm);
	return error;
}
