/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The map of the memory file: every page of it belongs to a run, a stretch of pages in one state.
 * Neighbours in one state are one run, so that a large extent costs as much as a small one.
 *
 * Everything here is guarded by the memory file's lock.
 */
#pragma once

#include "base/compiler.h"

#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stdint.h>

enum run_state_kind {
	RUN_COLD, /* the host holds nothing for it: reads as zeros */
	RUN_USED, /* free, but holds what its last owner left there */
	RUN_HELD, /* given out; references says how often */
	RUN_BUSY, /* on its way back to the host */
};

struct page_run {
	RB_ENTRY(page_run) by_offset;
	RB_ENTRY(page_run) by_size; /* free runs only */
	uint64_t start, end;
	enum run_state_kind state;
	unsigned int references; /* RUN_HELD: at least one */
};

RB_HEAD(run_offset_tree, page_run);
RB_HEAD(run_size_tree, page_run);

struct page_run_map {
	struct run_offset_tree runs;
	struct run_size_tree cold, used; /* smallest first */
	uint64_t size, common_end; /* pages from common_end on are given out only where asked for */
	uint64_t used_bytes, held_bytes;
	struct page_run *spare; /* chained by by_size's left link */
};

/* All of it cold. The first common_end bytes serve requests that name no place. */
must_check int page_run_map_init(struct page_run_map *map, uint64_t size, uint64_t common_end);
/* The run that holds an offset. */
struct page_run *page_run_find(struct page_run_map *map, uint64_t offset);
/* The next one in the file, or NULL. */
struct page_run *page_run_next(struct page_run *run);
/* The smallest free run in a state that holds size bytes, or NULL. */
struct page_run *page_run_fit(struct page_run_map *map, enum run_state_kind state, uint64_t size);
/* The largest free run in a state, or NULL. */
struct page_run *page_run_largest(struct page_run_map *map, enum run_state_kind state);
/*
 * Cuts a run so that [start, end), which it must hold, is a run of its own; returns that. Panics
 * without memory: the nodes are the sentry's own and few.
 */
struct page_run *page_run_isolate(
	struct page_run_map *map, struct page_run *run, uint64_t start, uint64_t end);
/* Puts a run into another state and joins it with its neighbours; returns what holds its pages now.
 */
struct page_run *page_run_set(struct page_run_map *map, struct page_run *run,
	enum run_state_kind state, unsigned int references);
