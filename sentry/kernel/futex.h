/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Futexes (futex(2), futex(7)): waiters hashed by key into buckets, priority-inheritance locks,
 * robust lists.
 *
 * Scheduling is the host's, so no priority is inherited; the protocol of the words is kept in full.
 */
#pragma once

#include "abi/futex.h"
#include "base/compiler.h"
#include "sentry/mm/mm.h"

#include <stdbool.h>
#include <stdint.h>

struct task;

/* A futex word as a system call names it. */
struct futex_word {
	gaddr_t address;
	bool shared;
};

/* deadline_ns: CLOCK_MONOTONIC, INT64_MAX for never. Results as futex(2). Task's own thread, no
 * lock held. */
must_check int64_t futex_wait(struct task *task, struct futex_word word, uint32_t value,
	uint32_t bitset, int64_t deadline_ns);
must_check int64_t futex_wake(
	struct task *task, struct futex_word word, uint32_t count, uint32_t bitset);
must_check int64_t futex_wake_op(struct task *task, struct futex_word first,
	struct futex_word second, uint32_t count, uint32_t second_count, uint32_t operation);

struct futex_requeue {
	struct futex_word from, to;
	uint32_t wake_count, requeue_count;
	bool compare;
	uint32_t expected;
	bool pi;
};
must_check int64_t futex_requeue(struct task *task, const struct futex_requeue *request);
/* words is already checked; the index of the woken one. */
must_check int64_t futex_wait_multiple(struct task *task, const struct linux_futex_waitv *words,
	unsigned int count, int64_t deadline_ns);

must_check int64_t futex_lock_pi(
	struct task *task, struct futex_word word, int64_t deadline_ns, bool try_only);
must_check int64_t futex_unlock_pi(struct task *task, struct futex_word word);
must_check int64_t futex_wait_requeue_pi(struct task *task, struct futex_word word, uint32_t value,
	uint32_t bitset, int64_t deadline_ns, struct futex_word target);

/*
 * The end of a thread, or execve leaving its memory: walks the robust list, gives PI futexes on
 * with OWNER_DIED, clears and wakes clear_child_tid. Own thread, no lock held, while task->mm is
 * still there.
 */
void futex_exit(struct task *task);
