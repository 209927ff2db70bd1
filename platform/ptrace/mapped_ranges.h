/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which guest addresses of an address space have something mapped, as a tree of disjoint ranges.
 *
 * The host's mprotect(2) stops at the first hole, and a munmap(2) of nothing costs a round trip:
 * both are cut to what is there before they are queued. The address space's lock guards it.
 */
#pragma once

#include "base/compiler.h"

#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stdint.h>

struct mapped_range {
	RB_ENTRY(mapped_range) node;
	uint64_t start, end;
};

RB_HEAD(mapped_range_tree, mapped_range);

struct mapped_ranges {
	struct mapped_range_tree tree;
	struct mapped_range *spare; /* so that one change never needs memory */
};

void mapped_ranges_init(struct mapped_ranges *ranges);
void mapped_ranges_clear(struct mapped_ranges *ranges);
void mapped_ranges_destroy(struct mapped_ranges *ranges);
/* Makes sure that the next add or remove needs no memory. -ENOMEM. */
must_check int mapped_ranges_reserve(struct mapped_ranges *ranges);
void mapped_ranges_add(struct mapped_ranges *ranges, uint64_t start, uint64_t end);
void mapped_ranges_remove(struct mapped_ranges *ranges, uint64_t start, uint64_t end);
/* The first piece of [start, end) that is mapped. */
must_check bool mapped_ranges_next(const struct mapped_ranges *ranges, uint64_t start, uint64_t end,
	uint64_t *piece_start, uint64_t *piece_end);
