/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Iterators over the places that a read fills or a write takes from.
 *
 * The pieces array never moves; piece, skip and pieces say where in it the iterator stands, so
 * going back is walking back.
 */
#include "sentry/mm/iov_iter.h"

#include "abi/limits.h"
#include "sentry/mm/pin.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define IOV_MAX_COUNT 1024
#define MAX_RW_COUNT  0x7ffff000ul

static void init(struct iov_iter *iter, struct mm *mm, uint64_t base, size_t size, bool write)
{
	iter->mm = mm;
	iter->write = write;
	iter->count = size;
	iter->skip = 0;
	iter->piece = iter->inline_pieces;
	iter->pieces = 1;
	iter->heap = NULL;
	iter->inline_pieces[0] = (struct iov_piece){.base = base, .size = size};
}

void iov_iter_init(struct iov_iter *iter, struct mm *mm, gaddr_t base, size_t size, bool into_guest)
{
	init(iter, mm, base, min_u64(size, MAX_RW_COUNT), into_guest);
}

void iov_iter_init_kernel(struct iov_iter *iter, void *buffer, size_t size, bool into_buffer)
{
	init(iter, NULL, (uintptr_t)buffer, size, into_buffer);
}

/* Lengths are checked, and their sum is cut to MAX_RW_COUNT, as import_iovec() does: what is not
 * user space's is refused before anything is moved, a single piece after it was cut. */
static int check_pieces(struct iov_iter *iter)
{
	uint64_t total = 0;

	for (size_t i = 0; i < iter->pieces; i++)
		if (iter->piece[i].size > INT64_MAX)
			return -EINVAL;
	for (size_t i = 0; i < iter->pieces; i++) {
		struct iov_piece *piece = &iter->piece[i];

		if (iter->pieces == 1)
			piece->size = min_u64(piece->size, MAX_RW_COUNT);
		if (piece->base > LINUX_TASK_SIZE || piece->size > LINUX_TASK_SIZE - piece->base)
			return -EFAULT;
		if (piece->size && (piece->base >= PLATFORM_GUEST_MAX ||
					   piece->size > PLATFORM_GUEST_MAX - piece->base))
			piece->base = PLATFORM_GUEST_MAX; /* faults when it is reached */
		piece->size = min_u64(piece->size, MAX_RW_COUNT - total);
		total += piece->size;
	}
	iter->count = total;
	return 0;
}

int iov_iter_import(
	struct iov_iter *iter, struct mm *mm, gaddr_t iovecs, uint64_t count, bool into_guest)
{
	int error;

	_Static_assert(sizeof(struct iov_piece) == 16, "a piece is a struct iovec");
	if (count > IOV_MAX_COUNT)
		return -EINVAL;
	init(iter, mm, 0, 0, into_guest);
	if (count > IOV_ITER_INLINE) {
		iter->heap = malloc(count * sizeof(*iter->heap));
		if (!iter->heap)
			return -ENOMEM;
		iter->piece = iter->heap;
	}
	iter->pieces = count;
	error = mm_copy_in(mm, iter->piece, iovecs, count * sizeof(*iter->piece));
	if (!error)
		error = check_pieces(iter);
	if (error)
		iov_iter_destroy(iter);
	return error;
}

void iov_iter_destroy(struct iov_iter *iter)
{
	free(iter->heap);
	iter->heap = NULL;
	iter->piece = iter->inline_pieces;
	iter->pieces = 0;
	iter->count = 0;
}

/* What is left of the current piece; empty ones are stepped over. Only while count is not 0. */
static uint64_t current_piece(struct iov_iter *iter, uint64_t *base)
{
	uint64_t size;

	while (iter->pieces && iter->skip >= iter->piece->size) {
		iter->piece++;
		iter->pieces--;
		iter->skip = 0;
	}
	if (!iter->pieces)
		return 0;
	*base = iter->piece->base + iter->skip;
	size = min_u64(iter->piece->size - iter->skip, iter->count);
	return size;
}

/* Moves within the current piece. */
static void used(struct iov_iter *iter, size_t size)
{
	iter->skip += size;
	iter->count -= size;
}

size_t copy_to_iter(const void *source, size_t size, struct iov_iter *iter)
{
	size_t done = 0;

	size = min_u64(size, iter->count);
	while (done < size) {
		uint64_t base, part = min_u64(current_piece(iter, &base), size - done);
		size_t copied = part;

		if (!part)
			break;
		if (iter->mm)
			copied = mm_copy_out_partial(
				iter->mm, base, (const char *)source + done, part);
		else
			memcpy((void *)base, (const char *)source + done, part);
		used(iter, copied);
		done += copied;
		if (copied < part)
			break;
	}
	return done;
}

size_t copy_from_iter(void *destination, size_t size, struct iov_iter *iter)
{
	size_t done = 0;

	size = min_u64(size, iter->count);
	while (done < size) {
		uint64_t base, part = min_u64(current_piece(iter, &base), size - done);
		size_t copied = part;

		if (!part)
			break;
		if (iter->mm)
			copied = mm_copy_in_partial(
				iter->mm, (char *)destination + done, base, part);
		else
			memcpy((char *)destination + done, (const void *)base, part);
		used(iter, copied);
		done += copied;
		if (copied < part)
			break;
	}
	return done;
}

size_t iov_iter_zero(size_t size, struct iov_iter *iter)
{
	static const char zeros[PAGE_SIZE];
	size_t done = 0;

	size = min_u64(size, iter->count);
	while (done < size) {
		uint64_t base, part = min_u64(current_piece(iter, &base), size - done);

		if (!part)
			break;
		/* In one go if it works, which it nearly always does; else up to the fault, page by
		 * page. */
		if (!iter->mm || mm_zero(iter->mm, base, part) != 0) {
			part = min_u64(part, sizeof(zeros));
			if (copy_to_iter(zeros, part, iter) < part)
				break;
			done += part;
			continue;
		}
		used(iter, part);
		done += part;
	}
	return done;
}

void iov_iter_advance(struct iov_iter *iter, size_t size)
{
	size = min_u64(size, iter->count);
	while (size) {
		uint64_t base, part = min_u64(current_piece(iter, &base), size);

		if (!part)
			break;
		used(iter, part);
		size -= part;
	}
}

void iov_iter_revert(struct iov_iter *iter, size_t size)
{
	iter->count += size;
	while (size > iter->skip) {
		size -= iter->skip;
		iter->piece--;
		iter->pieces++;
		iter->skip = iter->piece->size;
	}
	iter->skip -= size;
}

void iov_iter_truncate(struct iov_iter *iter, size_t size)
{
	iter->count = min_u64(iter->count, size);
}

static void pin_buffer(struct mm_pin *pin, uint64_t base, size_t size)
{
	pin->iov[pin->count] = (struct iovec){.iov_base = (void *)base, .iov_len = size};
	pin->held[pin->count].size = 0;
	pin->windows[pin->count] = NULL;
	pin->count++;
}

int64_t iov_iter_pin(struct iov_iter *iter, size_t size, struct mm_pin *pin)
{
	const struct iov_piece *piece = iter->piece;
	size_t left = iter->pieces, skip = iter->skip, done = 0;

	pin->count = 0;
	size = min_u64(size, iter->count);
	for (; left && done < size && pin->count < MM_PIN_MAX; left--, piece++, skip = 0) {
		size_t part = min_u64(piece->size - skip, size - done), covered = part;

		if (!part)
			continue;
		if (iter->mm)
			covered = mm_pin_more(iter->mm, piece->base + skip, part, iter->write, pin);
		else
			pin_buffer(pin, piece->base + skip, part);
		done += covered;
		if (covered < part)
			break;
	}
	return done || !size ? (int64_t)done : -EFAULT;
}
