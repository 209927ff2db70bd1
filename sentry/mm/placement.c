/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a mapping goes when the guest does not say: the highest gap below mmap_base that is large
 * enough, as Linux's top-down layout does.
 *
 * The search starts below the gaps that an earlier one found too small, so a row of mmaps costs a
 * step each.
 */
#include "sentry/mm/mm_private.h"

#include <errno.h>

#define LOW_START 0x40000000ul /* MAP_32BIT: [1 GiB, 2 GiB) */
#define LOW_END	  0x80000000ul

void mm_gap_opened(struct mm *mm, gaddr_t end)
{
	mm->hole_end = max_u64(mm->hole_end, end);
}

/* Is [address, address + length) free, guard gaps of stacks around it included? */
static bool is_free(struct mm *mm, gaddr_t address, uint64_t length)
{
	struct vma *vma = vma_find_from(mm, address);

	return !vma || address + length <= vma_start_with_gap(vma);
}

/* *skipped: the size of the largest gap that was too small. */
static int find_below(
	struct mm *mm, gaddr_t end, uint64_t length, uint64_t *skipped, gaddr_t *address)
{
	struct vma *above = vma_find_from(mm, end - 1);

	for (;;) {
		struct vma *below = above ? vma_previous(above) : vma_last(mm);
		gaddr_t floor = below ? below->end : LINUX_MMAP_MIN_ADDR;

		if (above)
			end = min_u64(end, vma_start_with_gap(above));
		if (end >= floor && end - floor >= length) {
			*address = end - length;
			return 0;
		}
		if (!below)
			return -ENOMEM;
		if (end > floor)
			*skipped = max_u64(*skipped, end - floor);
		above = below;
	}
}

static int find_above(struct mm *mm, gaddr_t start, gaddr_t end, uint64_t length, gaddr_t *address)
{
	while (length <= end && start <= end - length) {
		struct vma *vma = vma_find_from(mm, start);

		if (!vma || start + length <= vma_start_with_gap(vma)) {
			*address = start;
			return 0;
		}
		start = vma->end;
	}
	return -ENOMEM;
}

static int find_top_down(struct mm *mm, uint64_t length, gaddr_t *address)
{
	if (!mm->hole_end || length <= mm->hole_skipped) {
		mm->hole_end = mm->layout.mmap_base;
		mm->hole_skipped = 0;
	}
	mm->hole_end = min_u64(mm->hole_end, mm->layout.mmap_base);
	if (find_below(mm, mm->hole_end, length, &mm->hole_skipped, address) == 0) {
		mm->hole_end = *address + length;
		return 0;
	}
	mm->hole_end = 0;
	/* Everything below is full: what is above mmap_base is better than nothing, as on Linux. */
	return find_above(mm, mm->layout.mmap_base, PLATFORM_GUEST_MAX, length, address);
}

int mm_find_gap(struct mm *mm, gaddr_t hint, uint64_t length, int flags, gaddr_t *address)
{
	if (length > PLATFORM_GUEST_MAX)
		return -ENOMEM;
	if (flags & LINUX_MAP_32BIT)
		return find_above(mm, LOW_START, LOW_END, length, address);
	if (hint && hint <= PLATFORM_GUEST_MAX - length && hint >= LINUX_MMAP_MIN_ADDR &&
		is_free(mm, hint, length)) {
		*address = hint;
		return 0;
	}
	return find_top_down(mm, length, address);
}
