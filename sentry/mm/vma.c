/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree of vmas: finding, splitting, merging.
 *
 * Unlike Linux, private anonymous neighbours are merged wherever they came from: their pages carry
 * no offset here.
 */
#include "sentry/mm/vma.h"

#include "sentry/mm/mappable.h"
#include "sentry/mm/mm_private.h"
#include "sentry/mm/shared_memory.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct vma_name {
	struct refcount refs;
	char text[];
};

REFCOUNT_TYPE(vma_name_refs, "vma name");

static int compare(const struct vma *a, const struct vma *b)
{
	return a->start < b->start ? -1 : a->start > b->start;
}

RB_GENERATE_INTERNAL(vma_tree, vma, node, compare, unused_ static)

struct vma_name *vma_name_new(const char *text)
{
	size_t size = strlen(text) + 1;
	struct vma_name *name = malloc(sizeof(*name) + size);

	if (name) {
		refcount_init(&name->refs, &vma_name_refs);
		memcpy(name->text, text, size);
	}
	return name;
}

struct vma_name *vma_name_get(struct vma_name *name)
{
	if (name)
		refcount_get(&name->refs);
	return name;
}

void vma_name_put(struct vma_name *name)
{
	if (name && refcount_put(&name->refs))
		free(name);
}

const char *vma_name_text(const struct vma_name *name)
{
	return name->text;
}

static bool same_name(const struct vma_name *a, const struct vma_name *b)
{
	return a == b || (a && b && strcmp(a->text, b->text) == 0);
}

struct vma *vma_find_from(struct mm *mm, gaddr_t address)
{
	struct vma *vma = RB_ROOT(&mm->vmas), *found = NULL;

	while (vma) {
		if (address < vma->end) {
			found = vma;
			if (address >= vma->start)
				break;
			vma = RB_LEFT(vma, node);
		} else {
			vma = RB_RIGHT(vma, node);
		}
	}
	return found;
}

struct vma *vma_find(struct mm *mm, gaddr_t address)
{
	struct vma *vma = vma_find_from(mm, address);

	return vma && vma->start <= address ? vma : NULL;
}

struct vma *vma_next(struct vma *vma)
{
	return RB_NEXT(vma_tree, NULL, vma);
}

struct vma *vma_previous(struct vma *vma)
{
	return RB_PREV(vma_tree, NULL, vma);
}

struct vma *vma_last(struct mm *mm)
{
	return RB_MAX(vma_tree, &mm->vmas);
}

gaddr_t vma_start_with_gap(const struct vma *vma)
{
	if (!(vma->flags & VMA_GROWS_DOWN))
		return vma->start;
	return vma->start > LINUX_STACK_GUARD_GAP ? vma->start - LINUX_STACK_GUARD_GAP : 0;
}

struct vma *vma_new(struct mm *mm, const struct vma *template)
{
	struct vma *vma = malloc(sizeof(*vma));

	if (!vma)
		return NULL;
	*vma = *template;
	vma->mm = mm;
	vma->invalidation = 0;
	if (vma->file)
		(void)file_get(vma->file);
	if (vma->shared)
		(void)shared_memory_get(vma->shared);
	(void)vma_name_get(vma->name);
	return vma;
}

void vma_free(struct vma *vma)
{
	if (!vma)
		return;
	if (vma->file)
		file_put(vma->file);
	if (vma->shared)
		shared_memory_put(vma->shared);
	vma_name_put(vma->name);
	free(vma);
}

static void link_vma(struct vma *vma)
{
	RB_INSERT(vma_tree, &vma->mm->vmas, vma);
	vma->mm->vma_count++;
	if (!vma->mappable)
		return;
	mutex_guard(&vma->mappable->lock);
	LIST_INSERT_HEAD(&vma->mappable->vmas, vma, mapping);
}

static void unlink_vma(struct vma *vma)
{
	RB_REMOVE(vma_tree, &vma->mm->vmas, vma);
	vma->mm->vma_count--;
	if (!vma->mappable)
		return;
	mutex_guard(&vma->mappable->lock);
	LIST_REMOVE(vma, mapping);
}

/* mappable_invalidate() reads ranges under the mappable's lock alone. */
static void set_range(struct vma *vma, gaddr_t start, gaddr_t end)
{
	struct mutex *lock = vma->mappable ? &vma->mappable->lock : NULL;

	if (lock)
		mutex_lock(lock);
	vma->offset += start - vma->start;
	vma->start = start;
	vma->end = end;
	if (lock)
		mutex_unlock(lock);
}

static bool mergeable(const struct vma *low, const struct vma *high)
{
	return low && high && low->end == high->start && low->flags == high->flags &&
	       low->protection == high->protection && low->max_protection == high->max_protection &&
	       low->file == high->file && low->mappable == high->mappable &&
	       low->shared == high->shared && !(low->flags & VMA_SPECIAL) &&
	       same_name(low->name, high->name) &&
	       mempolicy_equal(&low->policy, &high->policy) &&
	       (!low->mappable || vma_offset_of(low, low->end) == high->offset);
}

struct vma *vma_merge(struct vma *vma)
{
	struct vma *neighbour = vma_next(vma);

	if (mergeable(vma, neighbour)) {
		gaddr_t end = neighbour->end;

		unlink_vma(neighbour);
		vma_free(neighbour); /* what it maps is held by the other one */
		set_range(vma, vma->start, end);
	}
	neighbour = vma_previous(vma);
	if (mergeable(neighbour, vma)) {
		gaddr_t end = vma->end;

		unlink_vma(vma);
		vma_free(vma);
		set_range(neighbour, neighbour->start, end);
		vma = neighbour;
	}
	return vma;
}

struct vma *vma_insert(struct vma *vma)
{
	mm_changed(vma->mm);
	mm_account(vma->mm, vma, vma->start, vma->end, true);
	link_vma(vma);
	return vma_merge(vma);
}

/* All of the gap that comes up when a vma's upper end goes. */
static void tell_gap(struct vma *vma)
{
	struct vma *above = vma_next(vma);

	mm_gap_opened(vma->mm, above ? vma_start_with_gap(above) : PLATFORM_GUEST_MAX);
}

void vma_remove(struct vma *vma)
{
	mm_changed(vma->mm);
	mm_account(vma->mm, vma, vma->start, vma->end, false);
	tell_gap(vma);
	unlink_vma(vma);
	if (vma->mappable)
		LIST_INSERT_HEAD(&vma->mm->removed, vma, removed);
	else
		vma_free(vma);
}

void vma_set_range(struct vma *vma, gaddr_t start, gaddr_t end)
{
	mm_changed(vma->mm);
	mm_account(vma->mm, vma, vma->start, vma->end, false);
	if (end < vma->end)
		tell_gap(vma);
	set_range(vma, start, end);
	mm_account(vma->mm, vma, start, end, true);
}

/* A new vma for [at, vma->end), with what is needed to enter it later; NULL if at is no place to
 * cut. */
static int prepare_split(struct mm *mm, gaddr_t at, struct vma **upper)
{
	struct vma *vma = vma_find(mm, at);

	*upper = NULL;
	if (!vma || vma->start == at)
		return 0;
	if (mm->vma_count >= LINUX_MAX_MAP_COUNT)
		return -ENOMEM;
	*upper = vma_new(mm, vma);
	return *upper ? 0 : -ENOMEM;
}

static void split(struct vma *upper, gaddr_t at)
{
	struct vma *vma = vma_find(upper->mm, at);

	upper->start = vma->start; /* an earlier cut may have moved the border */
	upper->end = vma->end;
	upper->offset = vma_offset_of(vma, at);
	upper->start = at;
	set_range(vma, vma->start, at);
	link_vma(upper);
}

int vma_split_at_borders(struct mm *mm, gaddr_t start, gaddr_t end)
{
	struct vma *at_start, *at_end;
	int error = prepare_split(mm, start, &at_start);

	if (!error)
		error = prepare_split(mm, end, &at_end);
	if (error) {
		/* Never linked, and its file is held by the vma that it was copied from. */
		vma_free(at_start);
		return error;
	}
	if (at_start || at_end)
		mm_changed(mm);
	if (at_start)
		split(at_start, start);
	if (at_end)
		split(at_end, end);
	return 0;
}

bool vma_covers(struct mm *mm, gaddr_t start, gaddr_t end)
{
	struct vma *vma = vma_find(mm, start);

	while (vma && start < end) {
		if (vma->start > start)
			return false;
		start = vma->end;
		vma = vma_next(vma);
	}
	return start >= end;
}
