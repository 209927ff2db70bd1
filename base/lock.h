/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mutexes with a rank. Debug builds (CSANDBOX_DEBUG) panic when a thread takes a lock whose rank is
 * not above every rank that it holds. The order of all locks is one tree: sentry/lock_order.h.
 */
#pragma once

#include "base/compiler.h"

#include <pthread.h>
#include <stdbool.h>

struct mutex {
	pthread_mutex_t host;
#ifdef CSANDBOX_DEBUG
	int rank;
	const char *name;
	_Atomic(pthread_t) owner;
#endif
};

void mutex_init(struct mutex *mutex, int rank, const char *name);
void mutex_destroy(struct mutex *mutex);
void mutex_lock(struct mutex *mutex);
/* For the second lock of one rank, where the caller has an order of its own (parent before child,
 * low address first). */
void mutex_lock_nested(struct mutex *mutex);
/* Never deadlocks, so any order will do. */
must_check bool mutex_trylock(struct mutex *mutex);
void mutex_unlock(struct mutex *mutex);
/* Panics in debug builds when the calling thread does not hold the mutex. */
void mutex_assert_held(const struct mutex *mutex);
/* Panics in debug builds when the calling thread holds any: before it waits for other guests'
 * doings. */
void mutex_assert_none_held(void);

static inline void mutex_unlock_pointer(struct mutex **mutex)
{
	if (*mutex)
		mutex_unlock(*mutex);
}

/* Holds the mutex until the end of the block. */
#define mutex_guard(mutex_)	     MUTEX_GUARD_NAMED(mutex_, __COUNTER__)
#define MUTEX_GUARD_NAMED(mutex_, n) MUTEX_GUARD_PASTED(mutex_, n)
#define MUTEX_GUARD_PASTED(mutex_, n)                                                              \
	cleanup_(mutex_unlock_pointer) unused_ struct mutex *guard_##n##_ = (mutex_);              \
	mutex_lock(guard_##n##_)
