/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copy on write. Private pages that others may have too are write-protected; the first write to one
 * copies a run of pages around it, or, when nobody has them any more, gives whole areas back
 * writable in one step.
 */
#include "base/safe_copy.h"
#include "sentry/mm/mappable.h"
#include "sentry/mm/memory_file_place.h"
#include "sentry/mm/mm_private.h"
#include "sentry/mm/window.h"

#include <errno.h>
#include <string.h>

#define RUN_BYTES (64ul << 10)
/* An address space with many pieces is copied in larger ones: the host's map count is bounded. */
#define PIECES_FOR_LARGER_RUNS 8192
#define RECLAIM_PIECES	       64 /* looked at for sole ownership in one fault */

/* Makes what is solely owned of [backing->start, end of it) writable in place; cut at what is not.
 */
static int reclaim_piece(struct mm *mm, gaddr_t start, uint64_t size)
{
	struct backing *backing;
	int error = backing_split_at_borders(mm, start, start + size);

	if (error)
		return error;
	backing = backing_find(mm, start);
	backing_detach(mm, backing);
	backing->cow = false;
	(void)backing_attach(mm, backing);
	return backing_protect_range(mm, start, start + size);
}

static bool is_sole(const struct backing *backing)
{
	uint64_t size = backing_size(backing);
	bool sole;

	return memory_file_sole(backing->offset, size, &sole) == size && sole;
}

/* The same for whole backings elsewhere: one fault after a child's end mends the whole address
 * space. */
static int reclaim_others(struct mm *mm)
{
	struct backing *backing = backing_find_from(mm, 0);
	int budget = RECLAIM_PIECES, error = 0;

	for (; !error && backing && budget > 0; backing = backing_next(backing)) {
		struct vma *vma = vma_find(mm, backing->start);

		if (backing->kind != BACKING_PRIVATE || !backing->cow)
			continue;
		budget--;
		if (!is_sole(backing))
			continue;
		backing->cow = false; /* neighbours are joined when they next change */
		if (!vma || vma->end < backing->end || (vma->protection & LINUX_PROT_WRITE))
			error = backing_protect_range(mm, backing->start, backing->end);
	}
	mm_changed(mm);
	return error;
}

/* Bytes from source on are copied into fresh pages; stops at a fault. Returns what was copied. */
static size_t copy_backing(
	struct vma *vma, struct backing *backing, gaddr_t start, uint64_t size, char *destination)
{
	uint64_t offset = backing_offset_of(backing, start);
	size_t copied = 0;

	if (backing_in_memory_file(backing)) {
		memcpy(destination, memory_file_pointer(offset), size);
		return size;
	}
	while (copied < size) {
		struct window *window;
		uint64_t at = offset + copied;
		size_t part = min_u64(size - copied, WINDOW_BYTES - at % WINDOW_BYTES), done;

		if (window_get(vma->mappable, backing->fd, at, backing->writable, &window) != 0)
			break;
		done = safe_copy(destination + copied, window_pointer(window, at), part);
		window_put(window);
		copied += done;
		if (done < part)
			break;
	}
	return copied;
}

static uint64_t run_bytes(const struct mm *mm)
{
	uint64_t bytes = RUN_BYTES;

	for (unsigned int n = mm->backing_count; n > PIECES_FOR_LARGER_RUNS && bytes < (4ul << 20);
		n /= 2)
		bytes *= 2;
	return bytes;
}

/* The place after the neighbour below, so that runs copied one after the other stay one mapping. */
static uint64_t place_after(struct backing *backing, gaddr_t start)
{
	struct backing *below = backing->start < start ? NULL : backing_previous(backing);

	if (below && below->kind == BACKING_PRIVATE && !below->cow && below->end == start)
		return backing_offset_of(below, start);
	return MEMORY_FILE_ANYWHERE;
}

static int replace_with_copy(struct mm *mm, struct vma *vma, struct backing *backing, gaddr_t start,
	gaddr_t end, gaddr_t must_have)
{
	struct backing new = {
		.kind = BACKING_PRIVATE, .fd = memory_file_fd(), .start = start, .warm = true};
	uint64_t size = end - start;
	size_t copied;
	int error = memory_file_allocate_at(
		size, place_after(backing, start), false, &new.offset, &new.warm);

	if (error)
		return error;
	copied = page_floor(
		copy_backing(vma, backing, start, size, memory_file_pointer(new.offset)));
	if (start + copied <= must_have) {
		memory_file_put(new.offset, size);
		return -ERANGE;
	}
	if (copied < size)
		memory_file_put(new.offset + copied, size - copied);
	new.end = start + copied;
	new.warm = true;
	error = backing_drop_range(mm, new.start, new.end);
	if (!error && !backing_insert(mm, &new))
		error = -ENOMEM;
	if (error) {
		memory_file_put(new.offset, copied);
		return error;
	}
	return backing_enter(mm, &new, vma, new.start, new.end);
}

int mm_break_cow(struct mm *mm, struct vma *vma, struct backing *backing, gaddr_t address)
{
	uint64_t run = run_bytes(mm), size;
	gaddr_t page = page_floor(address), start, end;
	bool sole = false;

	if (backing->kind == BACKING_PRIVATE) {
		size = memory_file_sole(
			backing_offset_of(backing, page), backing->end - page, &sole);
		if (sole) {
			int error;

			/* All of it, or from this page on. */
			start = backing->start;
			if (memory_file_sole(backing->offset, backing_size(backing), &sole) <
				backing_size(backing))
				start = page;
			error = reclaim_piece(mm, start, page + size - start);
			return error ? error : reclaim_others(mm);
		}
	}
	start = max_u64(page & ~(run - 1), max_u64(backing->start, vma->start));
	end = min_u64((page & ~(run - 1)) + run, min_u64(backing->end, vma->end));
	if (replace_with_copy(mm, vma, backing, start, end, page) == 0)
		return 0;
	/* Just the one page, where memory or the file ends. */
	backing = backing_find(mm, page);
	return backing ? replace_with_copy(mm, vma, backing, page, page + PAGE_SIZE, page)
		       : -ENOMEM;
}

/* Up to one extent of the file's pages; 0 at its end. */
static int64_t copy_extent(struct vma *vma, gaddr_t start, uint64_t size, char *destination)
{
	struct mapping_extent extent = {};
	struct backing source;
	int error = vma->mappable->ops->translate(
		vma->mappable, vma_offset_of(vma, start), size, false, &extent);
	size_t copied;

	if (error)
		return error == -ERANGE ? 0 : error;
	source = (struct backing){
		.start = start,
		.end = start + min_u64(size, extent.length),
		.kind = extent.host_fd == memory_file_fd() ? BACKING_FILE : BACKING_HOST_FILE,
		.writable = extent.writable,
		.fd = extent.host_fd,
		.offset = extent.host_offset,
	};
	copied = copy_backing(vma, &source, start, backing_size(&source), destination);
	if (backing_in_memory_file(&source))
		memory_file_put(extent.host_offset, extent.length);
	return (int64_t)page_floor(copied);
}

int mm_copy_file_pages(struct mm *mm, struct vma *vma, gaddr_t start, gaddr_t end)
{
	struct backing new = {
		.kind = BACKING_PRIVATE, .fd = memory_file_fd(), .start = start, .warm = true};
	uint64_t size = end - start, copied = 0;
	int64_t step = 0;
	int error = memory_file_allocate_unclean(size, &new.offset);

	if (error)
		return error;
	while (copied < size) {
		step = copy_extent(vma, start + copied, size - copied,
			(char *)memory_file_pointer(new.offset) + copied);
		if (step <= 0)
			break;
		copied += (uint64_t)step;
	}
	if (copied < size)
		memory_file_put(new.offset + copied, size - copied);
	if (!copied)
		return step < 0 ? (int)step : -ERANGE;
	new.end = start + copied;
	if (!backing_insert(mm, &new)) {
		memory_file_put(new.offset, copied);
		return -ENOMEM;
	}
	return backing_enter(mm, &new, vma, new.start, new.end);
}
