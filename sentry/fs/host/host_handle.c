/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cache of host descriptors: a clock over the open ones. Using an open handle takes no lock;
 * opening, closing and evicting do.
 */
#include "sentry/fs/host/host_handle.h"

#include "base/lock.h"
#include "base/log.h"
#include "sentry/lock_order.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#define LEAST_HANDLES 64
#define MOST_HANDLES  2048
#define EVICT_BATCH   16

static struct {
	pthread_once_t once;
	struct mutex lock; /* RANK_LEAF */
	TAILQ_HEAD(handle_list, host_handle) open;
	unsigned int count, limit;
} cache = {
	.once = PTHREAD_ONCE_INIT,
	.open = TAILQ_HEAD_INITIALIZER(cache.open),
};

/* A quarter of what the host allows: the rest is for what is in use, and for everybody else. */
static void cache_init(void)
{
	struct rlimit limit;

	mutex_init(&cache.lock, RANK_LEAF, "host handles");
	cache.limit = LEAST_HANDLES;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur / 4 > LEAST_HANDLES)
		cache.limit = limit.rlim_cur / 4 < MOST_HANDLES ? (unsigned int)(limit.rlim_cur / 4)
								: MOST_HANDLES;
}

void host_handle_init(struct host_handle *handle)
{
	pthread_once(&cache.once, cache_init);
	atomic_init(&handle->users, HANDLE_CLOSED);
	atomic_init(&handle->referenced, false);
	handle->fd = -1;
}

int host_handle_acquire(struct host_handle *handle)
{
	int users = atomic_load_explicit(&handle->users, memory_order_relaxed);

	do {
		if (users == HANDLE_CLOSED)
			return -1;
	} while (!atomic_compare_exchange_weak_explicit(
		&handle->users, &users, users + 1, memory_order_acquire, memory_order_relaxed));
	if (!atomic_load_explicit(&handle->referenced, memory_order_relaxed))
		atomic_store_explicit(&handle->referenced, true, memory_order_relaxed);
	return handle->fd;
}

void host_handle_release(struct host_handle *handle)
{
	int before = atomic_fetch_sub_explicit(&handle->users, 1, memory_order_release);

	panic_if(before <= 0, "host handle released by nobody");
}

/* Takes a handle that nobody uses out of the cache: its descriptor is the caller's to close. */
static int take_locked(struct host_handle *handle)
{
	int nobody = 0;

	if (!atomic_compare_exchange_strong(&handle->users, &nobody, HANDLE_CLOSED))
		return -1;
	TAILQ_REMOVE(&cache.open, handle, link);
	cache.count--;
	return handle->fd;
}

/* Collects up to EVICT_BATCH descriptors to close, until the cache is down to a number. */
static unsigned int evict_locked(unsigned int keep, bool even_recent, int fds[EVICT_BATCH])
{
	unsigned int looks = 2 * cache.count, taken = 0;

	while (cache.count > keep && taken < EVICT_BATCH && looks-- > 0) {
		struct host_handle *handle = TAILQ_FIRST(&cache.open);
		int fd = -1;

		if (!atomic_exchange(&handle->referenced, false) || even_recent)
			fd = take_locked(handle);
		if (fd >= 0) {
			fds[taken++] = fd;
			continue;
		}
		TAILQ_REMOVE(&cache.open, handle, link);
		TAILQ_INSERT_TAIL(&cache.open, handle, link);
	}
	return taken;
}

static void close_all(const int *fds, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		(void)close(fds[i]);
}

int host_handle_install(struct host_handle *handle, int fd)
{
	int evicted[EVICT_BATCH], installed;
	unsigned int count = 0;

	mutex_lock(&cache.lock);
	installed = host_handle_acquire(handle);
	if (installed < 0) {
		handle->fd = fd;
		atomic_store(&handle->referenced, true);
		atomic_store_explicit(&handle->users, 1, memory_order_release);
		TAILQ_INSERT_TAIL(&cache.open, handle, link);
		if (++cache.count > cache.limit)
			count = evict_locked(cache.limit, false, evicted);
	}
	mutex_unlock(&cache.lock);
	close_all(evicted, count);
	if (installed < 0)
		return fd;
	(void)close(fd);
	return installed;
}

bool host_handle_shrink(void)
{
	int evicted[EVICT_BATCH];
	unsigned int count;

	mutex_lock(&cache.lock);
	count = evict_locked(0, true, evicted);
	mutex_unlock(&cache.lock);
	close_all(evicted, count);
	return count > 0;
}

void host_handle_forget(struct host_handle *handle)
{
	int fd = -1;

	mutex_lock(&cache.lock);
	if (atomic_load(&handle->users) == 0)
		fd = take_locked(handle);
	mutex_unlock(&cache.lock);
	if (fd >= 0)
		(void)close(fd);
}

void host_handle_destroy(struct host_handle *handle)
{
	host_handle_forget(handle);
	panic_if(atomic_load(&handle->users) != HANDLE_CLOSED, "host handle destroyed in use");
}
