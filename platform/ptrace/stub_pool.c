/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stub processes that wait for an address space.
 *
 * One that was used comes back dirty. A thread of the pool's own wipes it, and keeps a few more
 * ready, once the sandbox has shown that it forks; who comes before it takes a dirty one, whose
 * wiping is then part of its first batch. The pool never shrinks.
 */
#include "platform/ptrace/ptrace_platform.h"

#include "base/log.h"

#include <string.h>

/* Clean ones to keep ready. */
#define READY_COUNT 2

void stub_pool_init(struct ptrace_platform *platform)
{
	mutex_init(&platform->pool_lock, RANK_STUB_POOL, "stub pool");
	TAILQ_INIT(&platform->clean);
	TAILQ_INIT(&platform->dirty);
	TAILQ_INIT(&platform->all);
}

/* A new process with nothing mapped; all its threads are spare. */
static int make(struct ptrace_platform *platform, struct stub_process **out)
{
	struct stub_process *process;
	struct stub_thread *thread;
	int r = stub_template_clone(platform, &process, &thread);

	if (r)
		return r;
	mutex_lock(&platform->pool_lock);
	TAILQ_INSERT_TAIL(&platform->all, process, all);
	mutex_unlock(&platform->pool_lock);
	stub_thread_detach(thread);
	LIST_INSERT_HEAD(&process->spares, thread, spare);
	*out = process;
	return 0;
}

static struct stub_process *pop_locked(struct ptrace_platform *platform, bool dirty)
{
	struct stub_process_list *list = dirty ? &platform->dirty : &platform->clean;
	struct stub_process *process = TAILQ_FIRST(list);

	if (!process)
		return NULL;
	TAILQ_REMOVE(list, process, pool);
	if (dirty)
		platform->dirty_count--;
	else
		platform->clean_count--;
	return process;
}

static void push_clean_locked(struct ptrace_platform *platform, struct stub_process *process)
{
	process->dirty = false;
	TAILQ_INSERT_HEAD(&platform->clean, process, pool);
	platform->clean_count++;
}

/* Nothing is queued for a process that nobody uses, so its list is free too. */
static void wipe(struct stub_process *process)
{
	const struct map_operation all = {
		.kind = MAP_OPERATION_UNMAP, .length = PLATFORM_GUEST_MAX};
	struct stub_thread *thread;
	int64_t r = stub_process_take_thread(process, placement_here(), &thread);

	/* Without another thread it stays dirty, and its next user wipes it. */
	if (r)
		return;
	map_operation_encode(&all, &process->list[0]);
	r = stub_thread_run_list(thread, 1, NULL);
	panic_if(r, "stub process %d: wiping: %s", process->pid, strerror((int)-r));
	process->dirty = false;
	stub_thread_detach(thread);
	mutex_lock(&process->lock);
	LIST_INSERT_HEAD(&process->spares, thread, spare);
	process->users--;
	mutex_unlock(&process->lock);
	stub_process_trim(process);
}

/* Does one piece of work, with the lock let go meanwhile; false: there is none. */
static bool work_locked(struct ptrace_platform *platform)
{
	struct stub_process *process = pop_locked(platform, true);
	bool make_one = !process && platform->clean_count < READY_COUNT;
	int r = 0;

	if (!process && !make_one)
		return false;
	mutex_unlock(&platform->pool_lock);
	if (make_one)
		r = make(platform, &process);
	else
		wipe(process);
	mutex_lock(&platform->pool_lock);
	/* A host that gives no more processes now will be asked again when one is needed. */
	if (r)
		return false;
	process->users = 0;
	if (process->dirty) {
		TAILQ_INSERT_TAIL(&platform->dirty, process, pool);
		platform->dirty_count++;
		return false;
	}
	push_clean_locked(platform, process);
	return true;
}

static void *pool_thread(void *argument)
{
	struct ptrace_platform *platform = argument;

	for (;;) {
		service_thread_wait(&platform->pool_thread);
		mutex_lock(&platform->pool_lock);
		while (work_locked(platform))
			continue;
		mutex_unlock(&platform->pool_lock);
	}
	return NULL;
}

int stub_pool_take(struct ptrace_platform *platform, struct stub_process **out)
{
	struct stub_process *process;
	bool want_more;
	int r = 0;

	mutex_lock(&platform->pool_lock);
	/* Not for the first address space: many sandboxes never have a second one. */
	want_more = !TAILQ_EMPTY(&platform->all) && platform->clean_count <= READY_COUNT;
	process = pop_locked(platform, false);
	if (!process)
		process = pop_locked(platform, true);
	mutex_unlock(&platform->pool_lock);
	if (!process)
		r = make(platform, &process);
	if (r)
		return r;
	if (want_more)
		service_thread_wake(&platform->pool_thread, pool_thread, platform);
	process->users = 1;
	cpu_time_begin(process);
	*out = process;
	return 0;
}

void stub_pool_give(struct stub_process *process)
{
	struct ptrace_platform *platform = process->platform;

	mutex_lock(&platform->pool_lock);
	TAILQ_INSERT_TAIL(&platform->dirty, process, pool);
	platform->dirty_count++;
	mutex_unlock(&platform->pool_lock);
	service_thread_wake(&platform->pool_thread, pool_thread, platform);
}
