/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The map of the memory file: two trees over runs of pages, one by place, and one by size for those
 * that are free.
 */
#include "sentry/mm/page_run.h"

#include "base/log.h"

#include <errno.h>
#include <stdlib.h>

static int compare_offset(const struct page_run *a, const struct page_run *b)
{
	return a->start < b->start ? -1 : a->start > b->start;
}

static int compare_size(const struct page_run *a, const struct page_run *b)
{
	uint64_t a_size = a->end - a->start, b_size = b->end - b->start;

	if (a_size != b_size)
		return a_size < b_size ? -1 : 1;
	return compare_offset(a, b);
}

RB_GENERATE_INTERNAL(run_offset_tree, page_run, by_offset, compare_offset, unused_ static)
RB_GENERATE_INTERNAL(run_size_tree, page_run, by_size, compare_size, unused_ static)

static struct page_run *run_new(struct page_run_map *map)
{
	struct page_run *run = map->spare;

	if (run)
		map->spare = RB_LEFT(run, by_size);
	else
		run = malloc(sizeof(*run));
	panic_if(!run, "memory file: no memory for its map");
	return run;
}

static void run_free(struct page_run_map *map, struct page_run *run)
{
	RB_LEFT(run, by_size) = map->spare;
	map->spare = run;
}

static struct run_size_tree *size_tree(struct page_run_map *map, const struct page_run *run)
{
	if (run->state == RUN_USED)
		return &map->used;
	return run->state == RUN_COLD && run->start < map->common_end ? &map->cold : NULL;
}

/* Enters a run into the tree of its state and counts it, or takes it out. */
static void account(struct page_run_map *map, struct page_run *run, bool add)
{
	uint64_t size = run->end - run->start;
	struct run_size_tree *tree = size_tree(map, run);

	if (tree && add)
		RB_INSERT(run_size_tree, tree, run);
	else if (tree)
		RB_REMOVE(run_size_tree, tree, run);
	if (run->state == RUN_USED)
		map->used_bytes += add ? size : -size;
	else if (run->state == RUN_HELD)
		map->held_bytes += add ? size : -size;
}

static struct page_run *run_insert(struct page_run_map *map, uint64_t start, uint64_t end,
	enum run_state_kind state, unsigned int references)
{
	struct page_run *run = run_new(map);

	run->start = start;
	run->end = end;
	run->state = state;
	run->references = references;
	RB_INSERT(run_offset_tree, &map->runs, run);
	account(map, run, true);
	return run;
}

int page_run_map_init(struct page_run_map *map, uint64_t size, uint64_t common_end)
{
	*map = (struct page_run_map){.size = size, .common_end = common_end};
	RB_INIT(&map->runs);
	RB_INIT(&map->cold);
	RB_INIT(&map->used);
	(void)run_insert(map, 0, common_end, RUN_COLD, 0);
	if (common_end < size)
		(void)run_insert(map, common_end, size, RUN_COLD, 0);
	return 0;
}

struct page_run *page_run_find(struct page_run_map *map, uint64_t offset)
{
	struct page_run *run = RB_ROOT(&map->runs);

	while (run) {
		if (offset < run->start)
			run = RB_LEFT(run, by_offset);
		else if (offset >= run->end)
			run = RB_RIGHT(run, by_offset);
		else
			return run;
	}
	panic("memory file: offset %#lx is outside", (unsigned long)offset);
}

struct page_run *page_run_next(struct page_run *run)
{
	return RB_NEXT(run_offset_tree, NULL, run);
}

struct page_run *page_run_fit(struct page_run_map *map, enum run_state_kind state, uint64_t size)
{
	struct page_run key = {.start = 0, .end = size};

	return RB_NFIND(run_size_tree, state == RUN_USED ? &map->used : &map->cold, &key);
}

struct page_run *page_run_largest(struct page_run_map *map, enum run_state_kind state)
{
	return RB_MAX(run_size_tree, state == RUN_USED ? &map->used : &map->cold);
}

struct page_run *page_run_isolate(
	struct page_run_map *map, struct page_run *run, uint64_t start, uint64_t end)
{
	uint64_t run_start = run->start, run_end = run->end;

	if (run_start == start && run_end == end)
		return run;
	account(map, run, false);
	run->start = start; /* keeps its place in the order */
	run->end = end;
	account(map, run, true);
	if (run_start < start)
		(void)run_insert(map, run_start, start, run->state, run->references);
	if (end < run_end)
		(void)run_insert(map, end, run_end, run->state, run->references);
	return run;
}

static bool mergeable(
	const struct page_run_map *map, const struct page_run *low, const struct page_run *high)
{
	return low && high && low->state == high->state && low->references == high->references &&
	       low->state != RUN_BUSY && high->start != map->common_end;
}

/* The low one takes the high one's pages. */
static struct page_run *merge(struct page_run_map *map, struct page_run *low, struct page_run *high)
{
	account(map, low, false);
	account(map, high, false);
	RB_REMOVE(run_offset_tree, &map->runs, high);
	low->end = high->end;
	account(map, low, true);
	run_free(map, high);
	return low;
}

struct page_run *page_run_set(struct page_run_map *map, struct page_run *run,
	enum run_state_kind state, unsigned int references)
{
	struct page_run *neighbour;

	account(map, run, false);
	run->state = state;
	run->references = references;
	account(map, run, true);
	neighbour = RB_NEXT(run_offset_tree, &map->runs, run);
	if (mergeable(map, run, neighbour))
		run = merge(map, run, neighbour);
	neighbour = RB_PREV(run_offset_tree, &map->runs, run);
	if (mergeable(map, neighbour, run))
		run = merge(map, neighbour, run);
	return run;
}
