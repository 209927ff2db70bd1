/* SPDX-License-Identifier: Apache-2.0 */
/*
 * madvise(2).
 *
 * Advice about reading ahead, huge pages and merging is remembered or dropped. MADV_FREE keeps the
 * pages, as Linux does while memory is plentiful. MADV_COLLAPSE and MADV_GUARD_* are -EINVAL, as on
 * kernels without them.
 */
#include "abi/capability.h"
#include "abi/fcntl.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/memory_file_place.h"
#include "sentry/mm/mm_private.h"
#include "sentry/mm/shared_memory.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <string.h>

#define CLEAR_BYTES                                                                                \
	(64ul << 10) /* up to here pages are cleared and kept, beyond they go back to the host */

/* Makes the mm's own pages of [start, end) zeros where they are. */
static void zero_in_place(struct backing *backing, gaddr_t start, gaddr_t end)
{
	uint64_t offset = backing_offset_of(backing, start), size = end - start;

	if (size > CLEAR_BYTES)
		memory_file_punch(offset, size);
	else
		memory_file_clear(offset, size);
	if (size > CLEAR_BYTES)
		backing->warm = false;
}

static int drop(struct mm *mm, gaddr_t start, gaddr_t end)
{
	int error = backing_drop_range(mm, start, end);

	return error ? error : mm_queue_unmap(mm, start, end);
}

/* Private pages go: anonymous ones read as zeros then, others as the file. Pages of files stay, as
 * nobody can tell. */
static int dont_need(struct mm *mm, struct vma *vma, gaddr_t start, gaddr_t end)
{
	while (start < end) {
		struct backing *backing = backing_find_from(mm, start);
		gaddr_t low, high;
		bool sole = false;
		int error = 0;

		if (!backing || backing->start >= end)
			return 0;
		low = max_u64(start, backing->start);
		high = min_u64(end, backing->end);
		start = high;
		if (backing->kind != BACKING_PRIVATE)
			continue;
		if (!vma->mappable && !backing->cow)
			sole = memory_file_sole(backing_offset_of(backing, low), high - low,
				       &sole) == high - low &&
			       sole;
		if (sole)
			zero_in_place(backing, low, high);
		else
			error = drop(mm, low, high);
		if (error)
			return error;
	}
	return 0;
}

/* Flags that an advice sets and clears; false if it is no such advice. */
static bool flag_change(int advice, unsigned int *set, unsigned int *clear)
{
	static const struct {
		int advice;
		unsigned int set, clear;
	} changes[] = {
		{LINUX_MADV_NORMAL, 0, VMA_RANDOM | VMA_SEQUENTIAL},
		{LINUX_MADV_RANDOM, VMA_RANDOM, VMA_SEQUENTIAL},
		{LINUX_MADV_SEQUENTIAL, VMA_SEQUENTIAL, VMA_RANDOM},
		{LINUX_MADV_DONTFORK, VMA_DONT_FORK, 0},
		{LINUX_MADV_DOFORK, 0, VMA_DONT_FORK},
		{LINUX_MADV_WIPEONFORK, VMA_WIPE_ON_FORK, 0},
		{LINUX_MADV_KEEPONFORK, 0, VMA_WIPE_ON_FORK},
		{LINUX_MADV_DONTDUMP, VMA_DONT_DUMP, 0},
		{LINUX_MADV_DODUMP, 0, VMA_DONT_DUMP},
		{LINUX_MADV_HUGEPAGE, VMA_HUGE_HINT, VMA_NO_HUGE_HINT},
		{LINUX_MADV_NOHUGEPAGE, VMA_NO_HUGE_HINT, VMA_HUGE_HINT},
		{LINUX_MADV_MERGEABLE, VMA_MERGEABLE, 0},
		{LINUX_MADV_UNMERGEABLE, 0, VMA_MERGEABLE},
	};

	for (size_t i = 0; i < array_count(changes); i++) {
		if (changes[i].advice != advice)
			continue;
		*set = changes[i].set;
		*clear = changes[i].clear;
		return true;
	}
	return false;
}

/* Throws away what a sealed mapping that cannot be written holds, or what a child would see. */
static bool is_sealed_against(const struct vma *vma, int advice)
{
	if (likely(!(vma->flags & VMA_SEALED)) || vma->mappable ||
		(vma->protection & LINUX_PROT_WRITE))
		return false;
	switch (advice) {
	case LINUX_MADV_FREE:
	case LINUX_MADV_DONTNEED:
	case LINUX_MADV_DONTNEED_LOCKED:
	case LINUX_MADV_REMOVE:
	case LINUX_MADV_DONTFORK:
	case LINUX_MADV_WIPEONFORK:
		return true;
	default:
		return false;
	}
}

static int check_vma(const struct vma *vma, int advice)
{
	if (is_sealed_against(vma, advice))
		return -EPERM;
	switch (advice) {
	case LINUX_MADV_DONTNEED:
	case LINUX_MADV_COLD:
	case LINUX_MADV_PAGEOUT:
		return vma->flags & VMA_LOCKED ? -EINVAL : 0;
	case LINUX_MADV_FREE:
		return (vma->flags & VMA_LOCKED) || vma->mappable ? -EINVAL : 0;
	case LINUX_MADV_WIPEONFORK:
		return vma->mappable ? -EINVAL : 0;
	case LINUX_MADV_KEEPONFORK:
		return vma->flags & VMA_DROPPABLE ? -EINVAL : 0;
	case LINUX_MADV_DODUMP:
		return vma->flags & (VMA_SPECIAL | VMA_DROPPABLE) ? -EINVAL : 0;
	default:
		return 0;
	}
}

static int set_flags(
	struct mm *mm, gaddr_t start, gaddr_t end, unsigned int set, unsigned int clear)
{
	struct vma *vma = vma_find(mm, start);
	int error;

	if (((vma->flags | set) & ~clear) == vma->flags)
		return 0;
	error = vma_split_at_borders(mm, start, end);
	if (error)
		return error == -ENOMEM ? -EAGAIN : error;
	vma = vma_find(mm, start);
	vma->flags = (vma->flags | set) & ~clear;
	(void)vma_merge(vma);
	return 0;
}

static int advise_vma(struct mm *mm, struct vma *vma, gaddr_t start, gaddr_t end, int advice)
{
	unsigned int set, clear;
	int error = check_vma(vma, advice);

	if (error)
		return error;
	if (flag_change(advice, &set, &clear))
		return set_flags(mm, start, end, set, clear);
	if (advice == LINUX_MADV_DONTNEED || advice == LINUX_MADV_DONTNEED_LOCKED)
		return dont_need(mm, vma, start, end);
	return 0;
}

static int advise_range(struct mm *mm, gaddr_t start, gaddr_t end, int advice)
{
	int unmapped = 0;

	while (start < end) {
		struct vma *vma = vma_find_from(mm, start);
		gaddr_t low, high;
		int error;

		if (!vma || vma->start >= end)
			return -ENOMEM;
		if (vma->start > start)
			unmapped = -ENOMEM;
		low = max_u64(start, vma->start);
		high = min_u64(end, vma->end);
		error = advise_vma(mm, vma, low, high, advice);
		if (error)
			return error;
		start = high;
	}
	return unmapped;
}

/* What MADV_REMOVE of the vma at *start is to punch: references in *file or *shared. */
static int next_removal(struct mm *mm, gaddr_t *start, gaddr_t end, uint64_t *offset,
	uint64_t *length, struct file **file, struct shared_memory **shared)
{
	struct vma *vma;
	int error = 0;

	mm_lock(mm);
	vma = vma_find(mm, *start);
	if (!vma)
		error = -ENOMEM;
	else if ((vma->flags & VMA_LOCKED) || !vma->mappable)
		error = -EINVAL;
	else if (!vma_is_shared(vma) || !(vma->protection & LINUX_PROT_WRITE))
		error = -EACCES;
	if (!error) {
		*offset = vma_offset_of(vma, *start);
		*length = min_u64(end, vma->end) - *start;
		*file = vma->file ? file_get(vma->file) : NULL;
		*shared = vma->shared ? shared_memory_get(vma->shared) : NULL;
		*start += *length;
	}
	mm_unlock(mm);
	return error;
}

static int remove_range(struct mm *mm, gaddr_t start, gaddr_t end)
{
	const int mode = LINUX_FALLOC_FL_PUNCH_HOLE | LINUX_FALLOC_FL_KEEP_SIZE;
	int error = 0;

	while (!error && start < end) {
		struct shared_memory *shared = NULL;
		struct file *file = NULL;
		uint64_t offset, length;

		error = next_removal(mm, &start, end, &offset, &length, &file, &shared);
		if (error)
			break;
		if (shared)
			shared_memory_punch(shared, offset, length);
		else if (file && file->ops->fallocate)
			error = file->ops->fallocate(file, mode, (int64_t)offset, (int64_t)length);
		else
			error = -EOPNOTSUPP;
		shared_memory_put(shared);
		if (file)
			file_put(file);
	}
	return error;
}

static int populate(struct mm *mm, gaddr_t start, gaddr_t end, bool write)
{
	int error;

	mm_lock(mm);
	error = mm_populate(mm, start, end, write);
	if (!error && write && mm->as)
		error = address_space_populate(mm->as, start, end - start);
	mm_unlock(mm);
	if (error == -EFAULT) /* the protection does not allow it */
		return -EINVAL;
	return error == -ERANGE ? -EFAULT : error;
}

static int check_advice(int advice)
{
	unsigned int set, clear;

	if (flag_change(advice, &set, &clear))
		return 0;
	switch (advice) {
	case LINUX_MADV_WILLNEED:
	case LINUX_MADV_DONTNEED:
	case LINUX_MADV_DONTNEED_LOCKED:
	case LINUX_MADV_FREE:
	case LINUX_MADV_REMOVE:
	case LINUX_MADV_COLD:
	case LINUX_MADV_PAGEOUT:
	case LINUX_MADV_POPULATE_READ:
	case LINUX_MADV_POPULATE_WRITE:
		return 0;
	case LINUX_MADV_HWPOISON:
	case LINUX_MADV_SOFT_OFFLINE:
		return current && capable(LINUX_CAP_SYS_ADMIN) ? -EINVAL : -EPERM;
	default:
		return -EINVAL;
	}
}

int mm_madvise(struct mm *mm, gaddr_t address, uint64_t length, int advice)
{
	gaddr_t end = address + page_ceil(length);
	int error = check_advice(advice);

	if (error)
		return error;
	if (address % PAGE_SIZE || (length && !page_ceil(length)) || end < address)
		return -EINVAL;
	if (end == address)
		return 0;
	if (address >= PLATFORM_GUEST_MAX)
		return -ENOMEM;
	if (advice == LINUX_MADV_REMOVE)
		return remove_range(mm, address, end);
	if (advice == LINUX_MADV_POPULATE_READ || advice == LINUX_MADV_POPULATE_WRITE)
		return populate(mm, address, end, advice == LINUX_MADV_POPULATE_WRITE);
	mm_lock(mm);
	error = advise_range(mm, address, end, advice);
	mm_unlock(mm);
	return error;
}
