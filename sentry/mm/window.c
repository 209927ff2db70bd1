/* SPDX-License-Identifier: Apache-2.0 */
/* The cache of windows: one tree by file and place, and a list by last use. */
#include "sentry/mm/window.h"

#include "base/lock.h"
#include "base/refcount.h"
#include "sentry/lock_order.h"

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#define WINDOWS_CACHED 256

struct window {
	struct refcount refs;
	RB_ENTRY(window) node; /* guarded by the cache's lock, like list and cached */
	TAILQ_ENTRY(window) list;
	bool cached;
	const struct mappable *mappable; /* set once, all below; the address only names it */
	uint64_t start;
	int fd;
	bool writable;
	char *base;
};

REFCOUNT_TYPE(window_refs, "window");

RB_HEAD(window_tree, window);
TAILQ_HEAD(window_list, window);

static pthread_once_t cache_once = PTHREAD_ONCE_INIT;
static struct {
	struct mutex lock; /* RANK_MEMORY_FILE, never together with that one */
	struct window_tree tree;
	struct window_list by_use; /* latest first */
	unsigned int count;
} cache;

static void cache_init(void)
{
	mutex_init(&cache.lock, RANK_MEMORY_FILE, "windows");
	RB_INIT(&cache.tree);
	TAILQ_INIT(&cache.by_use);
}

static int compare(const struct window *a, const struct window *b)
{
	if (a->mappable != b->mappable)
		return (uintptr_t)a->mappable < (uintptr_t)b->mappable ? -1 : 1;
	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->fd != b->fd)
		return a->fd < b->fd ? -1 : 1;
	return (int)a->writable - (int)b->writable;
}

RB_GENERATE_INTERNAL(window_tree, window, node, compare, unused_ static)

struct window *window_share(struct window *window)
{
	refcount_get(&window->refs);
	return window;
}

void window_put(struct window *window)
{
	if (!window || !refcount_put(&window->refs))
		return;
	(void)munmap(window->base, WINDOW_BYTES);
	free(window);
}

static void uncache_locked(struct window *window)
{
	RB_REMOVE(window_tree, &cache.tree, window);
	TAILQ_REMOVE(&cache.by_use, window, list);
	window->cached = false;
	cache.count--;
	window_put(window);
}

static struct window *window_new(const struct window *key)
{
	struct window *window = malloc(sizeof(*window));
	int protection = PROT_READ | (key->writable ? PROT_WRITE : 0);

	if (!window)
		return NULL;
	*window = *key;
	window->base = mmap(NULL, WINDOW_BYTES, protection, MAP_SHARED | MAP_NORESERVE, key->fd,
		(off_t)key->start);
	if (window->base == MAP_FAILED) {
		free(window);
		return NULL;
	}
	refcount_init(&window->refs, &window_refs);
	return window;
}

int window_get(
	struct mappable *mappable, int fd, uint64_t offset, bool writable, struct window **out)
{
	struct window key = {
		.mappable = mappable,
		.start = offset & ~(WINDOW_BYTES - 1),
		.fd = fd,
		.writable = writable,
	};
	struct window *window;

	(void)pthread_once(&cache_once, cache_init);
	mutex_guard(&cache.lock);
	window = RB_FIND(window_tree, &cache.tree, &key);
	if (window) {
		TAILQ_REMOVE(&cache.by_use, window, list);
	} else {
		window = window_new(&key);
		if (!window)
			return -ENOMEM;
		if (cache.count == WINDOWS_CACHED)
			uncache_locked(TAILQ_LAST(&cache.by_use, window_list));
		RB_INSERT(window_tree, &cache.tree, window);
		window->cached = true;
		cache.count++;
	}
	TAILQ_INSERT_HEAD(&cache.by_use, window, list);
	*out = window_share(window);
	return 0;
}

bool window_shows(const struct window *window, uint64_t offset, bool writable)
{
	return window && offset >= window->start && offset - window->start < WINDOW_BYTES &&
	       (window->writable || !writable);
}

char *window_pointer(const struct window *window, uint64_t offset)
{
	return window->base + (offset - window->start);
}

void window_forget(struct mappable *mappable)
{
	struct window key = {.mappable = mappable, .fd = -1};
	struct window *window, *next;

	(void)pthread_once(&cache_once, cache_init);
	mutex_guard(&cache.lock);
	for (window = RB_NFIND(window_tree, &cache.tree, &key);
		window && window->mappable == mappable; window = next) {
		next = RB_NEXT(window_tree, &cache.tree, window);
		uncache_locked(window);
	}
}
