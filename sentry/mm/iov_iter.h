/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where bytes of a read go or those of a write come from: guest memory described by iovecs, or a
 * buffer of the sentry's (exec, splice, sendfile). It advances as it is used.
 *
 * Guest iovecs are copied in once, by iov_iter_import(); lengths and their sum are checked there.
 */
#pragma once

#include "sentry/mm/mm.h"

#define IOV_ITER_INLINE 8

struct iov_iter {
	struct mm *mm; /* NULL: pieces are pointers of the sentry's */
	bool write;    /* data moves into the iterator (a read call fills it) */
	size_t count;  /* bytes left */
	size_t skip;   /* bytes of the current piece already used */
	struct iov_piece {
		uint64_t base; /* gaddr_t, or a pointer of the sentry's */
		uint64_t size;
	} * piece;
	size_t pieces; /* from piece on */
	struct iov_piece inline_pieces[IOV_ITER_INLINE];
	struct iov_piece *heap; /* owned, or NULL */
};

/* direction: true when the kernel writes into guest memory (read family). size is capped at
 * MAX_RW_COUNT (0x7ffff000). */
void iov_iter_init(
	struct iov_iter *iter, struct mm *mm, gaddr_t base, size_t size, bool into_guest);
void iov_iter_init_kernel(struct iov_iter *iter, void *buffer, size_t size, bool into_buffer);
/* Copies an array of struct iovec in. -EINVAL: count > 1024, a negative length, or their sum;
 * -EFAULT. Call iov_iter_destroy() after success. */
must_check int iov_iter_import(
	struct iov_iter *iter, struct mm *mm, gaddr_t iovecs, uint64_t count, bool into_guest);
void iov_iter_destroy(struct iov_iter *iter);

static inline size_t iov_iter_count(const struct iov_iter *iter)
{
	return iter->count;
}

/* Bytes copied, fewer than size at a fault or at the end. The iterator moves on by that much. No
 * lock at or above RANK_MM may be held. */
size_t copy_to_iter(const void *source, size_t size, struct iov_iter *iter);
size_t copy_from_iter(void *destination, size_t size, struct iov_iter *iter);
size_t iov_iter_zero(size_t size, struct iov_iter *iter);
void iov_iter_advance(struct iov_iter *iter, size_t size);
/* Goes back by what was advanced last; size must not exceed what was used of this iterator. */
void iov_iter_revert(struct iov_iter *iter, size_t size);
/* Cuts the iterator to at most size more bytes. */
void iov_iter_truncate(struct iov_iter *iter, size_t size);
/*
 * Pointers of the sentry's for the next bytes, for host I/O or for copying under a lock that ranks
 * above RANK_MM. Does not advance. Returns the bytes covered, or -EFAULT. mm_unpin() releases
 * (harmless for a sentry buffer).
 */
must_check int64_t iov_iter_pin(struct iov_iter *iter, size_t size, struct mm_pin *pin);
