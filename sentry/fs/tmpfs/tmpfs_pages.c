/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extents of a tmpfs file. A file that is written from its start to its end gets pieces that double
 * in size, so that it is a handful of extents, and a mapping of it a handful of host mappings.
 */
#include "sentry/fs/tmpfs/tmpfs_pages.h"

#include "base/log.h"
#include "sentry/kernel/accounting.h"
#include "sentry/mm/memory_file.h"

#include <errno.h>
#include <stdlib.h>

/* How far ahead of a growing file its next piece is allocated: 4 MiB. */
#define RESERVE_MAX 1024

static int extent_compare(const struct tmpfs_extent *a, const struct tmpfs_extent *b)
{
	return a->page < b->page ? -1 : a->page > b->page;
}

RB_GENERATE_INTERNAL(tmpfs_extent_tree, tmpfs_extent, link, extent_compare, unused_ static)

static uint64_t extent_end(const struct tmpfs_extent *extent)
{
	return extent->page + extent->count;
}

static uint64_t extent_memory_end(const struct tmpfs_extent *extent)
{
	return extent->memory + (extent->count << PAGE_SHIFT);
}

void tmpfs_pages_init(struct tmpfs_pages *pages, struct tmpfs_quota *quota)
{
	RB_INIT(&pages->extents);
	pages->hint = NULL;
	pages->count = 0;
	pages->reserve = pages->reserve_count = 0;
	pages->quota = quota;
}

void tmpfs_pages_trim(struct tmpfs_pages *pages)
{
	if (pages->reserve_count)
		memory_file_put(pages->reserve, pages->reserve_count << PAGE_SHIFT);
	pages->reserve_count = 0;
}

static void quota_uncharge(struct tmpfs_quota *quota, uint64_t count)
{
	atomic_fetch_sub(&quota->used_pages, count);
	if (quota->total)
		atomic_fetch_sub(&quota->total->used_pages, count);
}

static void release_pages(struct tmpfs_pages *pages, uint64_t memory, uint64_t count)
{
	memory_file_put(memory, count << PAGE_SHIFT);
	pages->count -= count;
	quota_uncharge(pages->quota, count);
}

void tmpfs_pages_destroy(struct tmpfs_pages *pages)
{
	struct tmpfs_extent *extent;

	while ((extent = RB_ROOT(&pages->extents))) {
		RB_REMOVE(tmpfs_extent_tree, &pages->extents, extent);
		release_pages(pages, extent->memory, extent->count);
		free(extent);
	}
	pages->hint = NULL;
	tmpfs_pages_trim(pages);
}

/* The extent that holds page or the first one after it; NULL past the last. */
static struct tmpfs_extent *extent_at_or_after(struct tmpfs_pages *pages, uint64_t page)
{
	struct tmpfs_extent key = {.page = page}, *next, *previous;

	if (pages->hint && pages->hint->page <= page && page < extent_end(pages->hint))
		return pages->hint;
	next = RB_NFIND(tmpfs_extent_tree, &pages->extents, &key);
	if (next && next->page == page)
		return pages->hint = next;
	previous = next ? RB_PREV(tmpfs_extent_tree, &pages->extents, next)
			: RB_MAX(tmpfs_extent_tree, &pages->extents);
	if (previous && page < extent_end(previous))
		return pages->hint = previous;
	return next;
}

void tmpfs_pages_find(
	struct tmpfs_pages *pages, uint64_t page, uint64_t count, struct tmpfs_run *run)
{
	struct tmpfs_extent *extent = extent_at_or_after(pages, page);

	*run = (struct tmpfs_run){.count = count, .hole = true};
	if (!extent)
		return;
	if (extent->page > page) {
		run->count = min_u64(count, extent->page - page);
		return;
	}
	run->hole = false;
	run->count = min_u64(count, extent_end(extent) - page);
	run->memory = extent->memory + ((page - extent->page) << PAGE_SHIFT);
	run->warm = extent->warm;
}

/* Charges between one and count pages to one quota; how many, or 0. */
static uint64_t quota_charge_one(struct tmpfs_quota *quota, uint64_t count)
{
	unsigned long used = atomic_load(&quota->used_pages);
	uint64_t charged;

	do {
		charged = count;
		if (quota->max_pages) {
			uint64_t room = quota->max_pages > used ? quota->max_pages - used : 0;

			charged = min_u64(room, count);
		}
	} while (!atomic_compare_exchange_weak(&quota->used_pages, &used, used + charged));
	return charged;
}

/* The same to the super block and to all of them together. */
static uint64_t quota_charge(struct tmpfs_quota *quota, uint64_t count)
{
	uint64_t charged = quota_charge_one(quota, count), all = charged;

	if (quota->total && charged)
		all = quota_charge_one(quota->total, charged);
	atomic_fetch_sub(&quota->used_pages, charged - all);
	return all;
}

/* At most count pages that the sandbox's memory has room for: how many, maybe 0. */
static uint64_t room_for(uint64_t count)
{
	while (count && !memory_file_has_room(count << PAGE_SHIFT))
		count /= 2;
	return count;
}

static struct tmpfs_extent *extent_before(struct tmpfs_pages *pages, uint64_t page)
{
	struct tmpfs_extent key = {.page = page}, *next;

	next = RB_NFIND(tmpfs_extent_tree, &pages->extents, &key);
	return next ? RB_PREV(tmpfs_extent_tree, &pages->extents, next)
		    : RB_MAX(tmpfs_extent_tree, &pages->extents);
}

/* Joins an extent with the one after it where file and memory both go on. */
static void extent_merge_next(struct tmpfs_pages *pages, struct tmpfs_extent *extent)
{
	struct tmpfs_extent *next = RB_NEXT(tmpfs_extent_tree, &pages->extents, extent);

	if (!next || extent_end(extent) != next->page || extent_memory_end(extent) != next->memory)
		return;
	RB_REMOVE(tmpfs_extent_tree, &pages->extents, next);
	extent->count += next->count;
	extent->warm = extent->warm && next->warm;
	if (pages->hint == next)
		pages->hint = extent;
	free(next);
}

/* Enters pages that the file now owns; they were charged before. */
static int extent_add(
	struct tmpfs_pages *pages, uint64_t page, uint64_t count, uint64_t memory, bool warm)
{
	struct tmpfs_extent *previous = extent_before(pages, page);
	struct tmpfs_extent *extent;

	if (previous && extent_end(previous) == page && extent_memory_end(previous) == memory) {
		previous->count += count;
		previous->warm = previous->warm && warm;
		extent_merge_next(pages, previous);
		pages->hint = previous;
	} else {
		extent = malloc(sizeof(*extent));
		if (!extent)
			return -ENOMEM;
		*extent = (struct tmpfs_extent){
			.page = page, .count = count, .memory = memory, .warm = warm};
		RB_INSERT(tmpfs_extent_tree, &pages->extents, extent);
		extent_merge_next(pages, extent);
		pages->hint = extent;
	}
	pages->count += count;
	return 0;
}

/* Pages for a hole from what was allocated ahead for the extent just before it: how many, maybe 0.
 */
static uint64_t take_reserve(
	struct tmpfs_pages *pages, uint64_t page, uint64_t count, uint64_t *memory)
{
	struct tmpfs_extent *previous;

	if (!pages->reserve_count)
		return 0;
	previous = extent_before(pages, page);
	if (!previous || extent_end(previous) != page ||
		extent_memory_end(previous) != pages->reserve)
		return 0;
	count = min_u64(count, pages->reserve_count);
	*memory = pages->reserve;
	pages->reserve += count << PAGE_SHIFT;
	pages->reserve_count -= count;
	return count;
}

/* Allocates between one and *count pages, and more ahead when the file grows at its end. */
static int allocate_pages(
	struct tmpfs_pages *pages, uint64_t page, uint64_t *count, uint64_t *memory, bool *warm)
{
	struct tmpfs_extent *last = RB_MAX(tmpfs_extent_tree, &pages->extents);
	uint64_t ahead = 0;

	tmpfs_pages_trim(pages);
	if (last && extent_end(last) <= page)
		ahead = min_u64(pages->count, RESERVE_MAX);
	if (ahead > *count && !memory_file_allocate(ahead << PAGE_SHIFT, memory, warm)) {
		pages->reserve = *memory + (*count << PAGE_SHIFT);
		pages->reserve_count = ahead - *count;
		return 0;
	}
	while (memory_file_allocate(*count << PAGE_SHIFT, memory, warm)) {
		if (*count == 1)
			return -ENOMEM;
		*count /= 2;
	}
	return 0;
}

int tmpfs_pages_fill(
	struct tmpfs_pages *pages, uint64_t page, uint64_t count, struct tmpfs_run *run)
{
	uint64_t charged;
	int error = 0;

	tmpfs_pages_find(pages, page, count, run);
	if (!run->hole)
		return 0;
	run->count = room_for(run->count);
	if (!run->count)
		return -ENOMEM;
	charged = quota_charge(pages->quota, run->count);
	if (!charged) {
		accounting_disk_refused();
		return -ENOSPC;
	}
	run->warm = false;
	run->count = take_reserve(pages, page, charged, &run->memory);
	if (!run->count) {
		run->count = charged;
		error = allocate_pages(pages, page, &run->count, &run->memory, &run->warm);
		if (error)
			goto uncharge;
	}
	error = extent_add(pages, page, run->count, run->memory, run->warm);
	if (error) {
		memory_file_put(run->memory, run->count << PAGE_SHIFT);
		goto uncharge;
	}
	quota_uncharge(pages->quota, charged - run->count);
	run->hole = false;
	return 0;

uncharge:
	quota_uncharge(pages->quota, charged);
	return error;
}

uint64_t tmpfs_pages_missing(struct tmpfs_pages *pages, uint64_t first, uint64_t end)
{
	uint64_t missing = 0;
	struct tmpfs_run run;

	for (uint64_t page = first; page < end; page += run.count) {
		tmpfs_pages_find(pages, page, end - page, &run);
		if (run.hole)
			missing += run.count;
	}
	return missing;
}

/* Cuts [first, end) out of the middle of one extent. */
static int extent_split(
	struct tmpfs_pages *pages, struct tmpfs_extent *extent, uint64_t first, uint64_t end)
{
	struct tmpfs_extent *right = malloc(sizeof(*right));

	if (!right)
		return -ENOMEM;
	*right = (struct tmpfs_extent){
		.page = end,
		.count = extent_end(extent) - end,
		.memory = extent->memory + ((end - extent->page) << PAGE_SHIFT),
		.warm = extent->warm,
	};
	release_pages(pages, extent->memory + ((first - extent->page) << PAGE_SHIFT), end - first);
	extent->count = first - extent->page;
	RB_INSERT(tmpfs_extent_tree, &pages->extents, right);
	return 0;
}

int tmpfs_pages_cut(struct tmpfs_pages *pages, uint64_t first, uint64_t end)
{
	struct tmpfs_extent *extent = extent_at_or_after(pages, first), *next;

	pages->hint = NULL;
	for (; extent && extent->page < end; extent = next) {
		uint64_t from = max_u64(first, extent->page), to = min_u64(end, extent_end(extent));

		next = RB_NEXT(tmpfs_extent_tree, &pages->extents, extent);
		if (from > extent->page && to < extent_end(extent))
			return extent_split(pages, extent, from, to);
		release_pages(
			pages, extent->memory + ((from - extent->page) << PAGE_SHIFT), to - from);
		extent->count -= to - from;
		if (from == extent->page) {
			/* The order in the tree stays: nothing lies between the old start and the
			 * new one. */
			extent->page = to;
			extent->memory += (to - from) << PAGE_SHIFT;
		}
		if (!extent->count) {
			RB_REMOVE(tmpfs_extent_tree, &pages->extents, extent);
			free(extent);
		}
	}
	return 0;
}

void tmpfs_pages_cut_tail(struct tmpfs_pages *pages, uint64_t first)
{
	int error = tmpfs_pages_cut(pages, first, UINT64_MAX);

	panic_if(error, "cutting the end off a tmpfs file: %d", error);
}

uint64_t tmpfs_pages_seek(struct tmpfs_pages *pages, uint64_t page, bool data)
{
	struct tmpfs_extent *extent = extent_at_or_after(pages, page);

	if (data)
		return extent ? max_u64(extent->page, page) : UINT64_MAX;
	for (; extent && extent->page <= page;
		page = extent_end(extent),
		extent = RB_NEXT(tmpfs_extent_tree, &pages->extents, extent))
		;
	return page;
}
