/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of backings, and the queueing of what the host is to map for them. */
#include "sentry/mm/backing.h"

#include "sentry/mm/memory_file.h"
#include "sentry/mm/mm_private.h"
#include "sentry/mm/window.h"

#include <errno.h>
#include <stdlib.h>

/* Pages that exist are entered in advance only for mappings that are likely to be used whole. */
#define POPULATE_BYTES (128ul << 10)

static int compare(const struct backing *a, const struct backing *b)
{
	return a->start < b->start ? -1 : a->start > b->start;
}

RB_GENERATE_INTERNAL(backing_tree, backing, node, compare, unused_ static)

bool backing_is_writable(const struct backing *backing, const struct vma *vma)
{
	if (backing->kind == BACKING_PRIVATE)
		return !backing->cow;
	return vma_is_shared(vma) && backing->writable;
}

int backing_protection(const struct backing *backing, const struct vma *vma)
{
	int protection = vma->protection;

	if (!protection)
		return LINUX_PROT_NONE;
	if (!backing_is_writable(backing, vma))
		protection &= ~LINUX_PROT_WRITE;
	return protection | LINUX_PROT_READ;
}

struct backing *backing_find_from(struct mm *mm, gaddr_t address)
{
	struct backing *backing = RB_ROOT(&mm->backings), *found = NULL;

	while (backing) {
		if (address < backing->end) {
			found = backing;
			if (address >= backing->start)
				break;
			backing = RB_LEFT(backing, node);
		} else {
			backing = RB_RIGHT(backing, node);
		}
	}
	return found;
}

struct backing *backing_find(struct mm *mm, gaddr_t address)
{
	struct backing *backing = backing_find_from(mm, address);

	return backing && backing->start <= address ? backing : NULL;
}

struct backing *backing_next(struct backing *backing)
{
	return RB_NEXT(backing_tree, NULL, backing);
}

struct backing *backing_previous(struct backing *backing)
{
	return RB_PREV(backing_tree, NULL, backing);
}

void backing_gap(struct mm *mm, gaddr_t address, gaddr_t *start, gaddr_t *end)
{
	struct backing *above = backing_find_from(mm, address), *below;

	below = above ? backing_previous(above) : RB_MAX(backing_tree, &mm->backings);
	if (above)
		*end = min_u64(*end, above->start);
	if (below)
		*start = max_u64(*start, below->end);
}

static void count(struct mm *mm, const struct backing *backing, bool add)
{
	uint64_t size = backing_size(backing);
	uint64_t *bytes = backing->kind == BACKING_PRIVATE ? &mm->private_bytes : &mm->file_bytes;

	*bytes += add ? size : -size;
	mm->backing_count += add ? 1 : -1;
}

static bool mergeable(const struct backing *low, const struct backing *high)
{
	return low && high && low->end == high->start && low->kind == high->kind &&
	       low->cow == high->cow && low->writable == high->writable && low->fd == high->fd &&
	       backing_offset_of(low, low->end) == high->offset;
}

/* The low one takes the high one's pages and reference. */
static void merge(struct mm *mm, struct backing *low, struct backing *high)
{
	RB_REMOVE(backing_tree, &mm->backings, high);
	mm->backing_count--;
	low->end = high->end;
	low->warm = low->warm && high->warm;
	window_put(high->window);
	free(high);
}

static struct backing *join_neighbours(struct mm *mm, struct backing *backing)
{
	struct backing *neighbour = backing_next(backing);

	if (mergeable(backing, neighbour))
		merge(mm, backing, neighbour);
	neighbour = backing_previous(backing);
	if (mergeable(neighbour, backing)) {
		merge(mm, neighbour, backing);
		backing = neighbour;
	}
	return backing;
}

struct backing *backing_attach(struct mm *mm, struct backing *backing)
{
	mm_changed(mm);
	RB_INSERT(backing_tree, &mm->backings, backing);
	count(mm, backing, true);
	return join_neighbours(mm, backing);
}

struct backing *backing_insert(struct mm *mm, const struct backing *template)
{
	struct backing *backing = malloc(sizeof(*backing));

	if (!backing)
		return NULL;
	*backing = *template;
	return backing_attach(mm, backing);
}

void backing_detach(struct mm *mm, struct backing *backing)
{
	mm_changed(mm);
	RB_REMOVE(backing_tree, &mm->backings, backing);
	count(mm, backing, false);
}

static int prepare_split(struct mm *mm, gaddr_t at, struct backing **upper)
{
	struct backing *backing = backing_find(mm, at);

	*upper = NULL;
	if (!backing || backing->start == at)
		return 0;
	*upper = malloc(sizeof(**upper));
	return *upper ? 0 : -ENOMEM;
}

static void split(struct mm *mm, struct backing *upper, gaddr_t at)
{
	struct backing *backing = backing_find(mm, at);

	*upper = *backing;
	upper->start = at;
	upper->offset = backing_offset_of(backing, at);
	upper->window = NULL;
	backing->end = at;
	RB_INSERT(backing_tree, &mm->backings, upper);
	mm->backing_count++;
}

int backing_split_at_borders(struct mm *mm, gaddr_t start, gaddr_t end)
{
	struct backing *at_start, *at_end;
	int error = prepare_split(mm, start, &at_start);

	if (!error)
		error = prepare_split(mm, end, &at_end);
	if (error) {
		free(at_start);
		return error;
	}
	if (at_start || at_end)
		mm_changed(mm);
	if (at_start)
		split(mm, at_start, start);
	if (at_end)
		split(mm, at_end, end);
	return 0;
}

int backing_drop_range(struct mm *mm, gaddr_t start, gaddr_t end)
{
	struct backing *backing, *next;
	int error;

	backing = backing_find_from(mm, start);
	if (!backing || backing->start >= end)
		return 0;
	error = backing_split_at_borders(mm, start, end);
	if (error)
		return error;
	for (backing = backing_find_from(mm, start); backing && backing->start < end;
		backing = next) {
		next = backing_next(backing);
		backing_detach(mm, backing);
		LIST_INSERT_HEAD(&mm->dropped, backing, dropped);
		mm->dropped_bytes += backing_size(backing);
	}
	return 0;
}

void backing_release(struct backing *backing)
{
	if (backing_in_memory_file(backing))
		memory_file_put(backing->offset, backing_size(backing));
	window_put(backing->window);
	free(backing);
}

int backing_enter(struct mm *mm, const struct backing *backing, const struct vma *vma,
	gaddr_t start, gaddr_t end)
{
	int protection, flags = 0;

	if (!mm->as)
		return 0;
	start = max_u64(start, max_u64(backing->start, vma->start));
	end = min_u64(end, min_u64(backing->end, vma->end));
	protection = backing_protection(backing, vma);
	if (backing->warm && protection && end - start <= POPULATE_BYTES)
		flags |= MAP_FLAG_POPULATE;
	if (backing->kind == BACKING_HOST_FILE && !vma_is_shared(vma))
		flags |= MAP_FLAG_PRIVATE;
	return address_space_map(mm->as, start, backing->fd, backing_offset_of(backing, start),
		end - start, protection, flags);
}

int backing_protect_range(struct mm *mm, gaddr_t start, gaddr_t end)
{
	struct backing *backing = backing_find_from(mm, start);
	struct vma *vma = vma_find_from(mm, start);
	gaddr_t run_start = 0, run_end = 0;
	int run_protection = -1, error = 0;

	while (!error && backing && vma && backing->start < end && vma->start < end) {
		gaddr_t low = max_u64(backing->start, vma->start);
		gaddr_t high = min_u64(backing->end, vma->end);
		int protection = backing_protection(backing, vma);

		if (low < high && protection != run_protection) {
			/* Where nothing is mapped, the host skips: a run may span holes. */
			if (run_protection >= 0)
				error = mm_queue_protect(mm, run_start, run_end, run_protection);
			run_start = max_u64(low, start);
			run_protection = protection;
		}
		if (low < high)
			run_end = min_u64(high, end);
		if (backing->end <= vma->end)
			backing = backing_next(backing);
		else
			vma = vma_next(vma);
	}
	if (!error && run_protection >= 0)
		error = mm_queue_protect(mm, run_start, run_end, run_protection);
	return error;
}

int backing_enter_all(struct mm *mm)
{
	struct backing *backing = backing_find_from(mm, 0);
	struct vma *vma = vma_find_from(mm, 0);
	int error = 0;

	while (!error && backing && vma) {
		if (max_u64(backing->start, vma->start) < min_u64(backing->end, vma->end))
			error = backing_enter(mm, backing, vma, vma->start, vma->end);
		if (backing->end <= vma->end)
			backing = backing_next(backing);
		else
			vma = vma_next(vma);
	}
	return error;
}
