/* SPDX-License-Identifier: Apache-2.0 */
/* Asks jemalloc how much the sentry's own structures take. */
#include "sentry/mm/memory_held.h"

#include "base/compiler.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>

/* The touched part of a thread's stack here, and what the host has for it and for its stub's
 * thread: kernel stacks, mostly. */
#define THREAD_BYTES (64ul << 10)
#define ARENAS_ALL   4096 /* jemalloc's MALLCTL_ARENAS_ALL */

/* Weak: builds with a sanitizer have another heap, which is then not counted. */
extern int mallctl(const char *name, void *old, size_t *old_size, void *new, size_t new_size)
	__attribute__((weak));

static struct {
	_Atomic uint64_t heap, all, threads, processes;
} held;

uint64_t memory_held_elsewhere(void)
{
	return atomic_load_explicit(&held.all, memory_order_relaxed);
}

void memory_held_note(uint64_t size)
{
	atomic_fetch_add_explicit(&held.all, size, memory_order_relaxed);
}

void memory_held_add_process(void)
{
	atomic_fetch_add(&held.processes, 1);
	memory_held_note(MEMORY_HELD_PROCESS);
}

void memory_held_remove_process(void)
{
	atomic_fetch_sub(&held.processes, 1);
}

uint64_t memory_held_heap(void)
{
	return atomic_load_explicit(&held.heap, memory_order_relaxed);
}

static uint64_t (*sockets)(void);

void memory_held_set_sockets(uint64_t (*bytes)(void))
{
	sockets = bytes;
}

static uint64_t heap_bytes(void)
{
	uint64_t epoch = 1;
	size_t bytes = 0, size = sizeof(bytes);

	if (!mallctl || mallctl("epoch", NULL, NULL, &epoch, sizeof(epoch)) ||
		mallctl("stats.active", &bytes, &size, NULL, 0))
		return 0;
	return bytes;
}

uint64_t memory_held_update(uint64_t threads)
{
	uint64_t heap = heap_bytes(), all = heap + threads * THREAD_BYTES;

	all += atomic_load(&held.processes) * MEMORY_HELD_PROCESS;
	if (sockets)
		all += sockets();
	atomic_store(&held.threads, threads);
	atomic_store(&held.heap, heap);
	atomic_store(&held.all, all);
	return all;
}

uint64_t memory_held_again(void)
{
	return memory_held_update(atomic_load(&held.threads));
}

bool memory_held_knows_heap(void)
{
	return mallctl;
}

void memory_held_trim(void)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "arena.%d.purge", ARENAS_ALL);
	if (mallctl)
		(void)mallctl(name, NULL, NULL, NULL, 0);
}
