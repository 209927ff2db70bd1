/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mincore(2) and msync(2): what is in memory, and what reaches the file.
 *
 * Shared mappings are the file's own pages here or on the host, so msync has nothing to carry over
 * but what fsync does.
 */
#include "sentry/mm/memory_file_place.h"
#include "sentry/mm/mm_private.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <string.h>

#define PIECE_PAGES 512

/* Pages of one backing: those in the memory file as the host has them, those of host files as
 * present. */
static void fill_vector(
	const struct backing *backing, gaddr_t start, gaddr_t end, unsigned char *vector)
{
	for (gaddr_t at = start; at < end; at += PAGE_SIZE) {
		bool there = !backing_in_memory_file(backing) ||
			     memory_file_resident(backing_offset_of(backing, at), PAGE_SIZE);

		vector[(at - start) / PAGE_SIZE] = there;
	}
}

/* -ENOMEM at a hole; else pages told. */
static int64_t look(struct mm *mm, gaddr_t start, gaddr_t end, unsigned char *vector)
{
	struct vma *vma = vma_find(mm, start);
	gaddr_t at = start;

	if (!vma)
		return -ENOMEM;
	end = min_u64(end, vma->end);
	memset(vector, 0, (end - start) / PAGE_SIZE);
	while (at < end) {
		struct backing *backing = backing_find_from(mm, at);
		gaddr_t stop;

		if (!backing || backing->start >= end)
			break;
		at = max_u64(at, backing->start);
		stop = min_u64(end, backing->end);
		fill_vector(backing, at, stop, vector + (at - start) / PAGE_SIZE);
		at = stop;
	}
	return (int64_t)((end - start) / PAGE_SIZE);
}

int mm_page_there(struct mm *mm, gaddr_t address)
{
	unsigned char there = 0;
	int64_t pages;

	mm_lock(mm);
	pages = look(mm, page_floor(address), page_floor(address) + PAGE_SIZE, &there);
	mm_unlock(mm);
	return pages < 0 ? -EFAULT : there & 1 ? 0 : -ENOENT;
}

int mm_mincore(struct mm *mm, gaddr_t address, uint64_t length, gaddr_t vector)
{
	unsigned char piece[PIECE_PAGES];
	gaddr_t end;

	if (address % PAGE_SIZE)
		return -EINVAL;
	if (!mm_range_is_valid(address, length))
		return -ENOMEM;
	for (end = address + page_ceil(length); address < end;) {
		gaddr_t stop = min_u64(end, address + PIECE_PAGES * PAGE_SIZE);
		int64_t pages;

		mm_lock(mm);
		pages = look(mm, address, stop, piece);
		mm_unlock(mm);
		if (pages < 0)
			return (int)pages;
		if (mm_copy_out(mm, vector, piece, (size_t)pages) != 0)
			return -EFAULT;
		vector += (uint64_t)pages;
		address += (uint64_t)pages * PAGE_SIZE;
	}
	return 0;
}

/* The next file to be written back at or above *address: a reference, or NULL; *hole tells of
 * unmapped pages. */
static struct file *next_file(
	struct mm *mm, gaddr_t *address, gaddr_t end, bool *hole, bool *locked)
{
	struct file *file = NULL;

	mm_lock(mm);
	while (!file && *address < end) {
		struct vma *vma = vma_find_from(mm, *address);

		if (!vma || vma->start > *address)
			*hole = true;
		if (!vma) {
			*address = end;
			break;
		}
		if (vma->start < end && (vma->flags & VMA_LOCKED))
			*locked = true;
		if (vma->start < end && vma_is_shared(vma) && vma->file)
			file = file_get(vma->file);
		*address = vma->end;
	}
	mm_unlock(mm);
	return file;
}

int mm_msync(struct mm *mm, gaddr_t address, uint64_t length, int flags)
{
	const int known = LINUX_MS_ASYNC | LINUX_MS_INVALIDATE | LINUX_MS_SYNC;
	bool hole = false, locked = false;
	struct file *file;
	gaddr_t end;

	if (flags & ~known || address % PAGE_SIZE ||
		((flags & LINUX_MS_ASYNC) && (flags & LINUX_MS_SYNC)))
		return -EINVAL;
	if (!mm_range_is_valid(address, length))
		return -ENOMEM;
	end = address + page_ceil(length);
	while ((file = next_file(mm, &address, end, &hole, &locked))) {
		int error = 0;

		if ((flags & LINUX_MS_SYNC) && file->ops->fsync)
			error = file->ops->fsync(file, true);
		file_put(file);
		if (error)
			return error;
	}
	if (locked && (flags & LINUX_MS_INVALIDATE))
		return -EBUSY;
	return hole ? -ENOMEM : 0;
}
