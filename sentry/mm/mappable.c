/* SPDX-License-Identifier: Apache-2.0 */
/* Mappables: who maps a file, and taking its pages away from all of them. */
#include "sentry/mm/mappable.h"

#include "base/log.h"
#include "sentry/lock_order.h"
#include "sentry/mm/mm_private.h"
#include "sentry/mm/window.h"

#include <stdatomic.h>

void mappable_init(struct mappable *mappable, const struct mappable_operations *ops)
{
	mappable->ops = ops;
	mutex_init(&mappable->lock, RANK_PAGES, "mappable");
	LIST_INIT(&mappable->vmas);
}

void mappable_destroy(struct mappable *mappable)
{
	panic_if(!LIST_EMPTY(&mappable->vmas), "a mapped file is released");
	window_forget(mappable);
	mutex_destroy(&mappable->lock);
}

static bool overlaps(const struct vma *vma, uint64_t offset, uint64_t end)
{
	return vma->offset < end && vma->offset + vma_size(vma) > offset;
}

/* A reference to an address space that maps part of the range and was not seen by this
 * invalidation, or NULL. */
static struct mm *next_mm(struct mappable *mappable, uint64_t offset, uint64_t end, uint64_t serial)
{
	struct vma *vma, *other;
	struct mm *mm = NULL;

	mutex_guard(&mappable->lock);
	LIST_FOREACH (vma, &mappable->vmas, mapping) {
		if (vma->invalidation == serial || !overlaps(vma, offset, end))
			continue;
		/* One that is being torn down lets go of its pages without help. */
		if (refcount_get_unless_zero(&vma->mm->refs))
			mm = vma->mm;
		LIST_FOREACH (other, &mappable->vmas, mapping) {
			if (other->mm == vma->mm)
				other->invalidation = serial;
		}
		if (mm)
			return mm;
	}
	return NULL;
}

/* Drops what backs [start, end) of a vma: all of it, or only the file's own pages. */
static void drop(struct mm *mm, gaddr_t start, gaddr_t end, bool private_too)
{
	struct backing *backing = backing_find_from(mm, start);

	while (backing && backing->start < end) {
		gaddr_t low = max_u64(start, backing->start), high = min_u64(end, backing->end);
		bool keep = backing->kind == BACKING_PRIVATE && !private_too;

		panic_if(!keep && (backing_drop_range(mm, low, high) != 0 ||
					  mm_queue_unmap(mm, low, high) != 0),
			"no memory to take a file's pages from those who map it");
		backing = backing_find_from(mm, high);
	}
}

static void invalidate_mm(
	struct mm *mm, struct mappable *mappable, uint64_t offset, uint64_t end, bool private_too)
{
	mm_lock(mm);
	for (struct vma *vma = vma_find_from(mm, 0); vma; vma = vma_next(vma)) {
		uint64_t low = max_u64(offset, vma->offset);
		uint64_t high = min_u64(end, vma->offset + vma_size(vma));

		if (vma->mappable == mappable && low < high)
			drop(mm, vma->start + (low - vma->offset),
				vma->start + (high - vma->offset), private_too);
	}
	/* This caller's reference makes it wait for other threads, even if the mm has but one. */
	mm->must_flush = true;
	mm_unlock(mm);
}

void mappable_invalidate(
	struct mappable *mappable, uint64_t offset, uint64_t length, bool private_too)
{
	static atomic_ulong serials;
	uint64_t serial = atomic_fetch_add(&serials, 1) + 1;
	uint64_t end = length > UINT64_MAX - offset ? UINT64_MAX : offset + length;
	struct mm *mm;

	offset = page_floor(offset);
	if (end <= UINT64_MAX - PAGE_SIZE)
		end = page_ceil(end);
	while ((mm = next_mm(mappable, offset, end, serial))) {
		invalidate_mm(mm, mappable, offset, end, private_too);
		mm_put(mm);
	}
	window_forget(mappable);
}
