/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of mapped ranges of an address space. */
#include "platform/ptrace/mapped_ranges.h"

#include "base/log.h"

#include <errno.h>
#include <stdlib.h>

static int range_compare(const struct mapped_range *a, const struct mapped_range *b)
{
	return (a->start > b->start) - (a->start < b->start);
}

RB_GENERATE_INTERNAL(mapped_range_tree, mapped_range, node, range_compare, unused_ static)

/* The first range that ends after an address. */
static struct mapped_range *find_after(const struct mapped_ranges *ranges, uint64_t address)
{
	struct mapped_range *found = NULL;
	struct mapped_range *range = RB_ROOT(&ranges->tree);

	while (range) {
		if (range->end > address) {
			found = range;
			range = RB_LEFT(range, node);
		} else {
			range = RB_RIGHT(range, node);
		}
	}
	return found;
}

void mapped_ranges_init(struct mapped_ranges *ranges)
{
	RB_INIT(&ranges->tree);
	ranges->spare = NULL;
}

void mapped_ranges_clear(struct mapped_ranges *ranges)
{
	struct mapped_range *range, *next;

	RB_FOREACH_SAFE (range, mapped_range_tree, &ranges->tree, next) {
		RB_REMOVE(mapped_range_tree, &ranges->tree, range);
		free(range);
	}
}

void mapped_ranges_destroy(struct mapped_ranges *ranges)
{
	mapped_ranges_clear(ranges);
	free(ranges->spare);
	ranges->spare = NULL;
}

int mapped_ranges_reserve(struct mapped_ranges *ranges)
{
	if (!ranges->spare)
		ranges->spare = malloc(sizeof(*ranges->spare));
	return ranges->spare ? 0 : -ENOMEM;
}

static void release(struct mapped_ranges *ranges, struct mapped_range *range)
{
	if (ranges->spare)
		free(range);
	else
		ranges->spare = range;
}

static void insert_spare(struct mapped_ranges *ranges, uint64_t start, uint64_t end)
{
	struct mapped_range *range = ranges->spare;

	panic_if(!range, "mapped ranges: changed without a reserve");
	ranges->spare = NULL;
	range->start = start;
	range->end = end;
	RB_INSERT(mapped_range_tree, &ranges->tree, range);
}

void mapped_ranges_add(struct mapped_ranges *ranges, uint64_t start, uint64_t end)
{
	/* From start - 1, so that a range that ends right here is joined too. */
	struct mapped_range *range = find_after(ranges, start ? start - 1 : 0);

	if (range && range->start <= start && range->end >= end)
		return;
	while (range && range->start <= end) {
		struct mapped_range *next = RB_NEXT(mapped_range_tree, &ranges->tree, range);

		start = min_u64(start, range->start);
		end = max_u64(end, range->end);
		RB_REMOVE(mapped_range_tree, &ranges->tree, range);
		release(ranges, range);
		range = next;
	}
	insert_spare(ranges, start, end);
}

void mapped_ranges_remove(struct mapped_ranges *ranges, uint64_t start, uint64_t end)
{
	struct mapped_range *range = find_after(ranges, start);

	while (range && range->start < end) {
		struct mapped_range *next = RB_NEXT(mapped_range_tree, &ranges->tree, range);
		uint64_t range_end = range->end;

		if (range->start >= start && range_end <= end) {
			RB_REMOVE(mapped_range_tree, &ranges->tree, range);
			release(ranges, range);
		} else if (range->start >= start) {
			/* Keys may move as long as their order stays. */
			range->start = end;
		} else {
			range->end = start;
			if (range_end > end)
				insert_spare(ranges, end, range_end);
		}
		range = next;
	}
}

bool mapped_ranges_next(const struct mapped_ranges *ranges, uint64_t start, uint64_t end,
	uint64_t *piece_start, uint64_t *piece_end)
{
	const struct mapped_range *range = find_after(ranges, start);

	if (start >= end || !range || range->start >= end)
		return false;
	*piece_start = max_u64(start, range->start);
	*piece_end = min_u64(end, range->end);
	return true;
}
