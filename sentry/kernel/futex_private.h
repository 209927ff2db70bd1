/* SPDX-License-Identifier: Apache-2.0 */
/* What futex.c, futex_pi.c and robust_list.c share: waiters in buckets. */
#pragma once

#include "sentry/kernel/futex.h"
#include "sentry/kernel/task.h"

#include <bsd/sys/queue.h>
#include <stdatomic.h>

#define FUTEX_WAKE_BATCH 32

struct futex_bucket;
struct futex_pi_state;

/* On the stack of who waits; guarded by the lock of the bucket that it is in. */
struct futex_waiter {
	TAILQ_ENTRY(futex_waiter) link;
	struct futex_bucket *_Atomic bucket; /* NULL: taken out by who woke it */
	struct futex_key key;
	uint32_t bitset;
	struct task *task;
	struct futex_pi_state *pi; /* waits for a PI futex; a share of the state */
	bool wants_pi;		   /* FUTEX_WAIT_REQUEUE_PI, and where to */
	bool granted;		   /* is the PI futex's owner now */
	struct futex_key target;
	gaddr_t target_address;
};

struct futex_bucket {
	struct mutex lock;   /* RANK_FUTEX */
	atomic_uint waiters; /* who is in the queue or about to be: lets a wake-up of nobody cost
				one load */
	TAILQ_HEAD(, futex_waiter) queue;
} __attribute__((aligned(64)));

/* Tasks to wake when the lock is gone. */
struct futex_wakes {
	unsigned int count;
	struct task *tasks[FUTEX_WAKE_BATCH];
};

static inline bool futex_key_equal(const struct futex_key *a, const struct futex_key *b)
{
	return a->object == b->object && a->offset == b->offset;
}

/* -EINVAL for a word that is not aligned, -EFAULT. */
must_check int futex_key_of(
	struct task *task, struct futex_word word, bool write, struct futex_key *key);
struct futex_bucket *futex_bucket_of(const struct futex_key *key);
void futex_bucket_lock_two(struct futex_bucket *a, struct futex_bucket *b);
void futex_bucket_unlock_two(struct futex_bucket *a, struct futex_bucket *b);

void futex_enqueue_locked(struct futex_bucket *bucket, struct futex_waiter *waiter);
void futex_dequeue_locked(struct futex_bucket *bucket, struct futex_waiter *waiter);
/* Own waiter: takes it out, unless somebody did already (false: it was woken). */
must_check bool futex_cancel(struct futex_waiter *waiter);
/* Takes a waiter out and notes its task. RANK_FUTEX held. */
void futex_wake_locked(
	struct futex_bucket *bucket, struct futex_waiter *waiter, struct futex_wakes *wakes);
/* No lock held. */
void futex_wakes_run(struct futex_wakes *wakes);
void futex_move_locked(struct futex_waiter *waiter, struct futex_bucket *from,
	struct futex_bucket *to, const struct futex_key *key);

/* --- futex_pi.c --- */

/* A waiter of FUTEX_WAIT_REQUEUE_PI comes to its PI futex. Both buckets are held. 1: it owns the
 * futex now; 0: it waits there. */
must_check int futex_requeue_pi_locked(struct task *task, struct futex_waiter *waiter,
	struct futex_bucket *from, struct futex_bucket *to, struct futex_word target,
	struct futex_wakes *wakes);
/* The end of an owner: its futexes go to those who wait for them. */
void futex_pi_exit(struct task *task);
