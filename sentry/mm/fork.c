/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The copy of an address space for fork(2): pages are shared by reference, private ones
 * write-protected on both sides.
 *
 * Small private areas of which little was touched (stacks, .data, .bss, young heaps) are copied
 * instead: both sides write to them at once, and a copy costs less than the faults. Only where no
 * other thread can write meanwhile: a child must not see a later store and miss an earlier one.
 * Sharing keeps that order, since a store waits at the first page that is protected already.
 */
#include "sentry/mm/memory_file_place.h"
#include "sentry/mm/mm_private.h"
#include "sentry/mm/window.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COPY_AREA_BYTES	    (1ul << 20)	  /* areas above are shared without a look */
#define COPY_RESIDENT_BYTES (128ul << 10) /* of one area */
#define COPY_TOTAL_BYTES    (512ul << 10) /* of one fork */
#define POOL_BYTES	    (8ul << 20)	  /* addresses for copies: most of them are never touched */

struct fork {
	struct mm *parent, *child;
	uint64_t copied;
	/* One extent for all copies, so that neighbours stay neighbours. */
	uint64_t pool, pool_end;
	bool pool_warm;
	/* What the parent may not write any more: protected in one step for each stretch. */
	gaddr_t protect_start, protect_end;
};

static int flush_protection(struct fork *fork)
{
	gaddr_t start = fork->protect_start, end = fork->protect_end;

	fork->protect_start = fork->protect_end = 0;
	return start < end ? backing_protect_range(fork->parent, start, end) : 0;
}

static int add_protection(struct fork *fork, gaddr_t start, gaddr_t end)
{
	int error = 0;

	if (fork->protect_end && fork->protect_end != start)
		error = flush_protection(fork);
	if (!fork->protect_end)
		fork->protect_start = start;
	fork->protect_end = end;
	return error;
}

static bool may_be_copied(const struct vma *vma, const struct backing *backing)
{
	return backing->kind == BACKING_PRIVATE && !backing->cow &&
	       (vma->protection & LINUX_PROT_WRITE) && backing_size(backing) <= COPY_AREA_BYTES;
}

/* Addresses in the memory file for all that may be copied. Without them, everything is shared. */
static void make_pool(struct fork *fork)
{
	struct backing *backing = backing_find_from(fork->parent, 0);
	uint64_t size = 0;

	for (; backing; backing = backing_next(backing)) {
		struct vma *vma = vma_find(fork->parent, backing->start);

		if (vma && may_be_copied(vma, backing) &&
			size + backing_size(backing) <= POOL_BYTES)
			size += backing_size(backing);
	}
	if (size && memory_file_allocate(size, &fork->pool, &fork->pool_warm) == 0)
		fork->pool_end = fork->pool + size;
}

/* Enters piece, whose pages are at offset and the child's own. */
static int give_to_child(struct fork *fork, struct backing *piece, uint64_t offset, bool warm)
{
	piece->offset = offset;
	piece->warm = warm;
	piece->cow = false;
	if (backing_insert(fork->child, piece))
		return 0;
	memory_file_put(offset, backing_size(piece));
	return -ENOMEM;
}

/* 1: copied; 0: not worth it. */
static int try_copy(struct fork *fork, struct vma *vma, struct backing *piece)
{
	uint64_t size = backing_size(piece), to = fork->pool;
	uint64_t most = min_u64(COPY_RESIDENT_BYTES, COPY_TOTAL_BYTES - fork->copied), copied;
	int error;

	if (!may_be_copied(vma, piece) || size > fork->pool_end - fork->pool)
		return 0;
	fork->pool += size;
	if (!memory_file_copy(to, piece->offset, size, most, &copied)) {
		memory_file_put(to, size);
		return 0;
	}
	fork->copied += copied;
	error = give_to_child(fork, piece, to, copied == size);
	return error ? error : 1;
}

static int copy_pinned(struct fork *fork, struct backing *piece)
{
	uint64_t offset, size = backing_size(piece), copied;
	bool warm;
	int error = memory_file_allocate(size, &offset, &warm);

	if (error)
		return error;
	(void)memory_file_copy(offset, piece->offset, size, UINT64_MAX, &copied);
	return give_to_child(fork, piece, offset, copied == size);
}

/* Parts that somebody pinned for I/O are being written for the parent: the child gets a copy of
 * what is there now, in which other threads' stores may be torn apart. */
static int share_private(
	struct fork *fork, struct vma *vma, struct backing *backing, struct backing *piece)
{
	uint64_t size = backing_size(piece);
	bool sole;

	if (!backing->cow && (memory_file_sole(piece->offset, size, &sole) < size || !sole))
		return copy_pinned(fork, piece);
	memory_file_get(piece->offset, size);
	piece->cow = true;
	piece->warm = false;
	if (!backing_insert(fork->child, piece)) {
		memory_file_put(piece->offset, size);
		return -ENOMEM;
	}
	if (backing->cow)
		return 0;
	backing->cow = true;
	if (!(vma->protection & LINUX_PROT_WRITE))
		return 0;
	return add_protection(fork, piece->start, piece->end);
}

static int dup_piece(struct fork *fork, struct vma *vma, struct backing *backing)
{
	struct backing piece = *backing;
	int error = 0;

	piece.start = max_u64(backing->start, vma->start);
	piece.end = min_u64(backing->end, vma->end);
	piece.offset = backing_offset_of(backing, piece.start);
	piece.window = NULL;
	if (backing->kind == BACKING_PRIVATE) {
		error = try_copy(fork, vma, &piece);
		if (error)
			return error < 0 ? error : 0;
		return share_private(fork, vma, backing, &piece);
	}
	if (backing_in_memory_file(backing))
		memory_file_get(piece.offset, backing_size(&piece));
	else if (backing->window)
		piece.window = window_share(backing->window);
	if (!backing_insert(fork->child, &piece)) {
		if (backing_in_memory_file(backing))
			memory_file_put(piece.offset, backing_size(&piece));
		window_put(piece.window);
		error = -ENOMEM;
	}
	return error;
}

static int dup_vma(struct fork *fork, struct vma *vma)
{
	struct vma *copy = vma_new(fork->child, vma);
	struct backing *backing;
	int error = 0;

	if (!copy)
		return -ENOMEM;
	copy->flags &= ~(VMA_LOCKED | VMA_LOCK_ON_FAULT);
	copy->place = VMA_NO_PLACE;
	(void)vma_insert(copy);
	if (vma->flags & VMA_WIPE_ON_FORK)
		return 0;
	/* A backing that goes on beyond the vma is cut there, so that each is wholly marked or not.
	 */
	error = backing_split_at_borders(fork->parent, vma->start, vma->end);
	for (backing = backing_find_from(fork->parent, vma->start);
		!error && backing && backing->start < vma->end; backing = backing_next(backing))
		error = dup_piece(fork, vma, backing);
	return error;
}

static void copy_fields(struct mm *child, struct mm *parent)
{
	child->layout = parent->layout;
	child->dumpable = parent->dumpable;
	child->ever_sealed = parent->ever_sealed;
	/* The parent denies writing to it already, so that this cannot fail. */
	if (parent->exe_file && inode_deny_write_access(parent->exe_file->inode) == 0)
		child->exe_file = file_get(parent->exe_file);
	if (parent->auxv) {
		child->auxv = malloc(parent->auxv_size);
		if (child->auxv) {
			memcpy(child->auxv, parent->auxv, parent->auxv_size);
			child->auxv_size = parent->auxv_size;
		}
	}
}

static int dup_all(struct fork *fork)
{
	int error = 0;

	copy_fields(fork->child, fork->parent);
	if (mm_is_single_user(fork->parent))
		make_pool(fork);
	for (struct vma *vma = vma_find_from(fork->parent, 0); !error && vma; vma = vma_next(vma)) {
		if (!(vma->flags & VMA_DONT_FORK))
			error = dup_vma(fork, vma);
	}
	if (!error)
		error = flush_protection(fork);
	if (fork->pool < fork->pool_end)
		memory_file_put(fork->pool, fork->pool_end - fork->pool);
	mm_changed(fork->parent);
	return error;
}

/* Before the child runs, none of the parent's threads may write to what both have now. */
static int stop_writers(struct mm *parent)
{
	if (!parent->as || mm_is_single_user(parent))
		return 0;
	return mm_settle(parent);
}

int mm_fork(struct mm *mm, struct mm **out)
{
	struct fork fork = {.parent = mm};
	int error = mm_new(mm->platform, &fork.child);

	if (error)
		return error;
	mm_lock(mm);
	/* A file that shrinks finds the child as soon as its first vma is there. */
	mutex_lock_nested(&fork.child->lock);
	error = dup_all(&fork);
	if (!error)
		error = stop_writers(mm);
	if (!error)
		error = mm_address_space_new(fork.child);
	if (!error)
		error = backing_enter_all(fork.child);
	mm_unlock(fork.child);
	mm_unlock(mm);
	if (error) {
		mm_put(fork.child);
		return error;
	}
	*out = fork.child;
	return 0;
}
