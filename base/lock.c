/* SPDX-License-Identifier: Apache-2.0 */
/* Mutexes with a rank, and in debug builds the check of their order. */
#include "base/lock.h"

#include "base/log.h"

#ifdef CSANDBOX_DEBUG

#define MAX_HELD 32

static __thread const struct mutex *held[MAX_HELD];
static __thread size_t held_count;

static void check_order(const struct mutex *mutex, bool nested)
{
	for (size_t i = 0; i < held_count; i++) {
		bool fine = nested ? held[i]->rank <= mutex->rank : held[i]->rank < mutex->rank;

		panic_if(!fine || held[i] == mutex,
			"lock order: %s (%d) taken while %s (%d) is held", mutex->name, mutex->rank,
			held[i]->name, held[i]->rank);
	}
}

static void remember(struct mutex *mutex)
{
	panic_if(held_count == MAX_HELD, "lock order: more than %d locks held", MAX_HELD);
	held[held_count++] = mutex;
	mutex->owner = pthread_self();
}

static void forget(struct mutex *mutex)
{
	for (size_t i = held_count; i-- > 0;) {
		if (held[i] != mutex)
			continue;
		held[i] = held[--held_count];
		mutex->owner = 0;
		return;
	}
	panic("lock order: %s released by a thread that does not hold it", mutex->name);
}

#else

static inline void check_order(const struct mutex *mutex unused_, bool nested unused_)
{
}

static inline void remember(struct mutex *mutex unused_)
{
}

static inline void forget(struct mutex *mutex unused_)
{
}

#endif

void mutex_init(struct mutex *mutex, int rank unused_, const char *name unused_)
{
	pthread_mutex_init(&mutex->host, NULL);
#ifdef CSANDBOX_DEBUG
	mutex->rank = rank;
	mutex->name = name;
	mutex->owner = 0;
#endif
}

void mutex_destroy(struct mutex *mutex)
{
	pthread_mutex_destroy(&mutex->host);
}

void mutex_lock(struct mutex *mutex)
{
	check_order(mutex, false);
	pthread_mutex_lock(&mutex->host);
	remember(mutex);
}

void mutex_lock_nested(struct mutex *mutex)
{
	check_order(mutex, true);
	pthread_mutex_lock(&mutex->host);
	remember(mutex);
}

bool mutex_trylock(struct mutex *mutex)
{
	if (pthread_mutex_trylock(&mutex->host))
		return false;
	remember(mutex);
	return true;
}

void mutex_unlock(struct mutex *mutex)
{
	forget(mutex);
	pthread_mutex_unlock(&mutex->host);
}

void mutex_assert_held(const struct mutex *mutex unused_)
{
#ifdef CSANDBOX_DEBUG
	panic_if(mutex->owner != pthread_self(), "%s is not held here", mutex->name);
#endif
}

void mutex_assert_none_held(void)
{
#ifdef CSANDBOX_DEBUG
	panic_if(held_count, "%s is held by a thread that is about to wait", held[0]->name);
#endif
}
