/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking at an address space from outside: /proc/PID/maps, smaps, statm.
 *
 * What is resident is what the host holds in the memory file; pages of host files count as resident
 * once they are mapped.
 */
#include "sentry/mm/memory_file_place.h"
#include "sentry/mm/mm_private.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Smaller areas are not asked for page by page: every process that ends is counted. */
#define COUNTED_WHOLE_BYTES (256ul << 10)

static const char *area_name(const struct mm *mm, const struct vma *vma)
{
	const struct mm_layout *layout = &mm->layout;

	if (vma->special_name)
		return vma->special_name;
	if (vma->mappable)
		return NULL;
	if (layout->brk > layout->start_brk && vma->start <= layout->brk &&
		vma->end > layout->start_brk)
		return "[heap]";
	if ((vma->flags & VMA_STACK) ||
		(vma->start <= layout->start_stack && vma->end > layout->start_stack))
		return "[stack]";
	return NULL;
}

static void fill_name(const struct mm *mm, const struct vma *vma, char *buffer, size_t size)
{
	const char *name = area_name(mm, vma);

	buffer[0] = '\0';
	if (name)
		(void)snprintf(buffer, size, "%s", name);
	else if (vma->name)
		(void)snprintf(buffer, size, "[%s:%.60s]", vma->shared ? "anon_shmem" : "anon",
			vma_name_text(vma->name));
	else if (vma->shared)
		(void)snprintf(buffer, size, "/dev/zero (deleted)");
}

static void add_piece(const struct backing *backing, const struct vma *vma, struct vma_info *info)
{
	gaddr_t start = max_u64(backing->start, vma->start), end = min_u64(backing->end, vma->end);
	uint64_t offset = backing_offset_of(backing, start), bytes = end - start;
	bool sole = false;

	if (backing_in_memory_file(backing))
		bytes = memory_file_resident(offset, bytes);
	info->rss += bytes;
	if (backing->kind != BACKING_PRIVATE) {
		if (vma->protection & LINUX_PROT_WRITE)
			info->shared_dirty += bytes;
		else
			info->shared_clean += bytes;
		return;
	}
	info->anonymous += bytes;
	if (!backing->cow || (memory_file_sole(offset, end - start, &sole) == end - start && sole))
		info->private_dirty += bytes;
	else
		info->shared_dirty += bytes;
}

static void fill_pages(struct mm *mm, const struct vma *vma, struct vma_info *info)
{
	struct backing *backing = backing_find_from(mm, vma->start);

	for (; backing && backing->start < vma->end; backing = backing_next(backing))
		add_piece(backing, vma, info);
}

static bool is_named_by_file(const struct vma *vma)
{
	return vma->mappable && !(vma->flags & VMA_SPECIAL);
}

bool mm_next_vma(struct mm *mm, gaddr_t address, bool with_pages, struct vma_info *info)
{
	struct vma *vma;

	mm_lock(mm);
	vma = vma_find_from(mm, address);
	if (vma) {
		*info = (struct vma_info){
			.start = vma->start,
			.end = vma->end,
			.protection = vma->protection,
			.max_protection = vma->max_protection,
			.shared = vma_is_shared(vma),
			.grows_down = vma->flags & VMA_GROWS_DOWN,
			.locked = vma->flags & VMA_LOCKED,
			.sealed = vma->flags & VMA_SEALED,
			.special = vma->flags & VMA_SPECIAL,
			.huge_hint = vma->flags & VMA_HUGE_HINT,
			.dont_fork = vma->flags & VMA_DONT_FORK,
			.dont_dump = vma->flags & VMA_DONT_DUMP,
			.wipe_on_fork = vma->flags & VMA_WIPE_ON_FORK,
			.no_reserve = vma->flags & VMA_NO_RESERVE,
			.policy = vma->policy,
			.offset = is_named_by_file(vma) ? vma->offset : 0,
			.file = is_named_by_file(vma) && vma->file ? file_get(vma->file) : NULL,
		};
		fill_name(mm, vma, info->name, sizeof(info->name));
		if (with_pages)
			fill_pages(mm, vma, info);
	}
	mm_unlock(mm);
	return vma;
}

static int set_name(struct mm *mm, gaddr_t start, gaddr_t end, struct vma_name *name)
{
	struct vma *vma = vma_find_from(mm, start);
	int unmapped = 0, error;

	for (; start < end; vma = vma_find_from(mm, start)) {
		if (!vma || vma->start >= end)
			return -ENOMEM;
		if (vma->start > start)
			unmapped = -ENOMEM;
		if (vma->file)
			return -EBADF;
		start = max_u64(start, vma->start);
		error = vma_split_at_borders(mm, start, min_u64(end, vma->end));
		if (error)
			return error;
		vma = vma_find(mm, start);
		start = vma->end;
		vma_name_put(vma->name);
		vma->name = vma_name_get(name);
		(void)vma_merge(vma);
	}
	return unmapped;
}

int mm_set_anon_name(struct mm *mm, gaddr_t address, uint64_t length, const char *text)
{
	struct vma_name *name = NULL;
	int error;

	if (address % PAGE_SIZE || (length && !page_ceil(length)) ||
		address + page_ceil(length) < address)
		return -EINVAL;
	if (!length)
		return 0;
	if (address >= PLATFORM_GUEST_MAX)
		return -ENOMEM;
	if (text) {
		name = vma_name_new(text);
		if (!name)
			return -ENOMEM;
	}
	mm_lock(mm);
	error = set_name(mm, address, address + page_ceil(length), name);
	mm_unlock(mm);
	vma_name_put(name);
	return error;
}

static void sum_backings(struct mm *mm, struct mm_usage *usage)
{
	struct backing *backing = backing_find_from(mm, 0);

	for (; backing; backing = backing_next(backing)) {
		uint64_t bytes = backing_size(backing);

		if (backing_in_memory_file(backing) && bytes > COUNTED_WHOLE_BYTES)
			bytes = memory_file_resident(backing->offset, bytes);
		usage->resident += bytes;
		if (backing->kind != BACKING_PRIVATE)
			usage->shared += bytes;
	}
}

void mm_usage(struct mm *mm, struct mm_usage *usage)
{
	*usage = (struct mm_usage){};
	mm_lock(mm);
	sum_backings(mm, usage);
	mm->resident_peak = max_u64(mm->resident_peak, usage->resident);
	usage->total = mm->total;
	usage->total_peak = mm->total_peak;
	usage->resident_peak = mm->resident_peak;
	usage->text = page_ceil(mm->layout.end_code) - page_floor(mm->layout.start_code);
	usage->data = mm->data;
	usage->stack = mm->stack;
	usage->locked = mm->locked;
	usage->map_count = mm->vma_count;
	/* One page of page tables for each 2 MiB that is backed, and the three levels above. */
	usage->page_tables =
		((mm->private_bytes + mm->file_bytes) / (2ul << 20) + mm->vma_count / 8 + 4) *
		PAGE_SIZE;
	mm_unlock(mm);
}
