/* SPDX-License-Identifier: Apache-2.0 */
/* mremap(2): grows, shrinks, moves. Backings move with their pages; nothing is copied. */
#include "sentry/mm/mappable.h"
#include "sentry/mm/memory_file_place.h"
#include "sentry/mm/mm_private.h"

#include <errno.h>

#define POPULATE_BYTES (16ul << 20) /* pages that move and exist are entered anew at once */

struct move {
	gaddr_t old_start, new_start;
	uint64_t old_length, new_length;
	int flags;
};

static int check(const struct move *move)
{
	const int known = LINUX_MREMAP_MAYMOVE | LINUX_MREMAP_FIXED | LINUX_MREMAP_DONTUNMAP;
	bool may_move = move->flags & LINUX_MREMAP_MAYMOVE;

	if (move->flags & ~known || move->old_start % PAGE_SIZE || !move->new_length)
		return -EINVAL;
	if ((move->flags & LINUX_MREMAP_FIXED) && !may_move)
		return -EINVAL;
	if ((move->flags & LINUX_MREMAP_DONTUNMAP) &&
		(!may_move || move->old_length != move->new_length))
		return -EINVAL;
	return move->old_start < PLATFORM_GUEST_MAX ? 0 : -EFAULT;
}

/* As check_prep_vma() and vma_to_resize(): may this vma become that long? */
static int check_resize(struct mm *mm, const struct vma *vma, const struct move *move)
{
	uint64_t growth;

	if (!vma)
		return -EFAULT;
	if (!move->old_length && !vma_is_shared(vma))
		return -EINVAL;
	if (move->old_length > vma->end - move->old_start)
		return -EFAULT;
	if (move->new_length == move->old_length)
		return 0;
	if (vma->flags & VMA_SPECIAL)
		return -EFAULT;
	if (vma->mappable &&
		vma_offset_of(vma, move->old_start) + move->new_length < move->new_length)
		return -EINVAL;
	if (move->new_length <= move->old_length)
		return 0;
	growth = move->new_length - move->old_length;
	if ((vma->flags & VMA_LOCKED) && mm_may_lock(mm, growth) != 0)
		return -EAGAIN;
	return mm_may_expand(mm, growth, vma->flags, vma->protection);
}

static void back_growth(struct mm *mm, struct vma *vma, gaddr_t start, gaddr_t end)
{
	if ((vma->flags & VMA_LOCKED) && !(vma->flags & VMA_LOCK_ON_FAULT)) {
		if (mm_populate(mm, start, end, false) == 0)
			return;
	}
	(void)mm_back_new(mm, vma, start, end);
}

/* True if the vma could grow where it is. */
static bool grow_in_place(struct mm *mm, struct vma *vma, const struct move *move)
{
	struct vma *next = vma_next(vma);
	gaddr_t old_end = vma->end;
	gaddr_t new_end = move->old_start + move->new_length;

	if (move->old_start + move->old_length != vma->end || new_end > PLATFORM_GUEST_MAX ||
		new_end < old_end || (next && vma_start_with_gap(next) < new_end))
		return false;
	vma_set_range(vma, vma->start, new_end);
	vma = vma_merge(vma);
	back_growth(mm, vma, old_end, new_end);
	return true;
}

static int enter_moved(struct mm *mm, struct backing *backing, struct vma *vma)
{
	struct backing piece = *backing;
	uint64_t size = backing_size(backing);

	if (!mm->as)
		return 0;
	if (backing_in_memory_file(backing) && size <= POPULATE_BYTES && vma->protection &&
		memory_file_resident(backing->offset, size) == size)
		return address_space_map(mm->as, backing->start, backing->fd, backing->offset, size,
			backing_protection(backing, vma), MAP_FLAG_POPULATE);
	return backing_enter(mm, &piece, vma, piece.start, piece.end);
}

/* Moves the backings of the old range; vma is the new one. */
static int move_backings(struct mm *mm, const struct move *move, struct vma *vma)
{
	gaddr_t end = move->old_start + move->old_length;
	struct backing *backing, *next;
	int error = mm_queue_unmap(mm, move->old_start, end);

	for (backing = backing_find_from(mm, move->old_start);
		!error && backing && backing->start < end; backing = next) {
		uint64_t size = backing_size(backing);
		gaddr_t start = backing->start - move->old_start + move->new_start;

		next = backing_next(backing);
		backing_detach(mm, backing);
		backing->start = start;
		backing->end = start + size;
		error = enter_moved(mm, backing, vma);
		(void)backing_attach(mm, backing);
	}
	return error;
}

/* The new range is free, the old one one vma of its own. Makes the new vma and takes the old one
 * down. */
static int move_vma(struct mm *mm, struct vma *old, const struct move *move)
{
	struct vma *vma = vma_new(mm, old);
	int error;

	if (!vma)
		return -ENOMEM;
	vma->start = move->new_start;
	vma->end = move->new_start + move->new_length;
	vma->place = VMA_NO_PLACE;
	vma->offset = vma_offset_of(old, move->old_start);
	if (move->old_length) {
		if (move->flags & LINUX_MREMAP_DONTUNMAP) {
			mm_account(mm, old, old->start, old->end, false);
			old->flags &= ~(VMA_LOCKED | VMA_LOCK_ON_FAULT);
			mm_account(mm, old, old->start, old->end, true);
			(void)vma_merge(old);
		} else {
			vma_remove(old);
		}
	}
	vma = vma_insert(vma);
	error = move->old_length ? move_backings(mm, move, vma) : 0;
	if (move->new_length > move->old_length)
		back_growth(mm, vma, move->new_start + move->old_length,
			move->new_start + move->new_length);
	return error;
}

static int move_away(struct mm *mm, struct move *move)
{
	gaddr_t old_end = move->old_start + move->old_length;
	int error;

	/* As move_vma() of Linux: room for the cuts. */
	if (mm->vma_count >= LINUX_MAX_MAP_COUNT - 3)
		return -ENOMEM;
	if (move->old_length) {
		error = backing_split_at_borders(mm, move->old_start, old_end);
		if (!error)
			error = vma_split_at_borders(mm, move->old_start, old_end);
		if (error)
			return error;
	}
	return move_vma(mm, vma_find(mm, move->old_start), move);
}

static bool overlap(const struct move *move)
{
	return move->old_start + move->old_length > move->new_start &&
	       move->new_start + move->new_length > move->old_start;
}

static int check_target(const struct move *move)
{
	if (move->new_start % PAGE_SIZE || move->new_length > PLATFORM_GUEST_MAX ||
		move->new_start > PLATFORM_GUEST_MAX - move->new_length || overlap(move))
		return -EINVAL;
	return move->new_start < LINUX_MMAP_MIN_ADDR ? -EPERM : 0;
}

/* MREMAP_FIXED, MREMAP_DONTUNMAP or both. */
static int move_to(struct mm *mm, struct move *move, gaddr_t *result)
{
	bool fixed = move->flags & LINUX_MREMAP_FIXED;
	int error = fixed ? check_target(move) : 0;

	if (error)
		return error;
	if (mm->vma_count + 2 >= LINUX_MAX_MAP_COUNT - 3)
		return -ENOMEM;
	if (fixed)
		error = mm_unmap_range(
			mm, move->new_start, move->new_start + move->new_length, true);
	if (!error && move->old_length > move->new_length) {
		error = mm_unmap_range(mm, move->old_start + move->new_length,
			move->old_start + move->old_length, true);
		move->old_length = move->new_length;
	}
	if (!error)
		error = check_resize(mm, vma_find(mm, move->old_start), move);
	if (!error && (move->flags & LINUX_MREMAP_DONTUNMAP)) {
		struct vma *vma = vma_find(mm, move->old_start);

		error = mm_may_expand(mm, move->new_length, vma->flags, vma->protection);
	}
	if (!error && !fixed)
		error = mm_find_gap(
			mm, page_floor(move->new_start), move->new_length, 0, &move->new_start);
	if (!error)
		error = move_away(mm, move);
	*result = move->new_start;
	return error;
}

static int resize(struct mm *mm, struct move *move, gaddr_t *result)
{
	struct vma *vma = vma_find(mm, move->old_start);
	int error;

	*result = move->old_start;
	if (!vma)
		return -EFAULT;
	if (move->old_length >= move->new_length) {
		if (move->old_length == move->new_length)
			return 0;
		if (!mm_range_is_valid(move->old_start, move->old_length))
			return -EINVAL;
		return mm_unmap_range(mm, move->old_start + move->new_length,
			move->old_start + move->old_length, true);
	}
	error = check_resize(mm, vma, move);
	if (error)
		return error;
	if (move->old_length && grow_in_place(mm, vma, move))
		return 0;
	if (!(move->flags & LINUX_MREMAP_MAYMOVE))
		return -ENOMEM;
	error = mm_find_gap(mm, 0, move->new_length, 0, &move->new_start);
	if (!error)
		error = move_away(mm, move);
	*result = move->new_start;
	return error;
}

int mm_mremap(struct mm *mm, gaddr_t address, uint64_t old_length, uint64_t new_length, int flags,
	gaddr_t new_address, gaddr_t *result)
{
	struct move move = {
		.old_start = address,
		.new_start = new_address,
		.old_length = page_ceil(old_length),
		.new_length = page_ceil(new_length),
		.flags = flags,
	};
	int error = check(&move);

	if (error)
		return error;
	if (move.old_length > PLATFORM_GUEST_MAX)
		return -EINVAL;
	mm_lock(mm);
	if (!vma_find(mm, address))
		error = -EFAULT;
	else if (mm_may_modify(mm, address, address + 1))
		error = -EPERM;
	else if (flags & (LINUX_MREMAP_FIXED | LINUX_MREMAP_DONTUNMAP))
		error = move_to(mm, &move, result);
	else
		error = resize(mm, &move, result);
	mm_unlock_and_release(mm);
	return error;
}
