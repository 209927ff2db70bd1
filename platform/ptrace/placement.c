/* SPDX-License-Identifier: Apache-2.0 */
/* Placement of contexts on the host's CPUs. */
#include "platform/ptrace/placement.h"

#include "base/log.h"
#include "platform/ptrace/placement_private.h"
#include "platform/ptrace/ptrace_platform.h"

#include <sched.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* How long a crowd must last; shorter ones dissolve by themselves when a waker goes to sleep. */
#define CROWD_TIME (500 * MICROSECOND)
/* System calls after which a program is worth the balancer's attention. */
#define BALANCED_SWITCHES 256

struct placement_state g_placement;

/* The context that this host thread runs. */
static __thread struct placement *owned_here;

uint64_t placement_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000 * MILLISECOND + (uint64_t)time.tv_nsec;
}

static bool is_used(void)
{
	return g_placement.count > 1;
}

void placement_init(void)
{
	int count = 0;

	mutex_init(&g_placement.list_lock, RANK_PLACEMENT_LIST, "placement list");
	LIST_INIT(&g_placement.list);
	if (sched_getaffinity(0, sizeof(g_placement.allowed), &g_placement.allowed))
		CPU_ZERO(&g_placement.allowed);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		g_placement.index_of[cpu] = -1;
		if (!CPU_ISSET(cpu, &g_placement.allowed))
			continue;
		g_placement.index_of[cpu] = count;
		g_placement.cpus[count++].number = cpu;
	}
	g_placement.count = count;
}

/* A CPU that was taken away from us since is not worth an error: the thread then runs elsewhere,
 * slower. */
static void pin(pid_t tid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(g_placement.cpus[cpu].number, &set);
	(void)sched_setaffinity(tid, sizeof(set), &set);
}

void placement_pin_stub(pid_t tid, atomic_int *have, int cpu)
{
	if (cpu < 0 || atomic_load_explicit(have, memory_order_relaxed) == cpu)
		return;
	pin(tid, cpu);
	atomic_store_explicit(have, cpu, memory_order_relaxed);
}

int placement_here(void)
{
	int cpu = is_used() ? sched_getcpu() : -1;

	return cpu >= 0 && cpu < CPU_SETSIZE ? g_placement.index_of[cpu] : -1;
}

int placement_load(int cpu)
{
	return atomic_load_explicit(&g_placement.cpus[cpu].busy, memory_order_relaxed);
}

int placement_find_idle(int from)
{
	for (int i = 0; i < g_placement.count; i++) {
		int cpu = (from + i) % g_placement.count;

		if (placement_load(cpu) <= 0)
			return cpu;
	}
	return -1;
}

static void set_busy_locked(struct placement *placement, bool busy)
{
	int cpu = atomic_load_explicit(&placement->cpu, memory_order_relaxed);

	if (placement->busy == busy)
		return;
	placement->busy = busy;
	atomic_fetch_add(&g_placement.cpus[cpu].busy, busy ? 1 : -1);
	if (!busy)
		atomic_fetch_sub(&g_placement.busy, 1);
	else if (atomic_fetch_add(&g_placement.busy, 1) >= 1)
		balancer_wake();
}

void placement_move_locked(struct placement *placement, int cpu)
{
	int old = atomic_load_explicit(&placement->cpu, memory_order_relaxed);

	if (placement->busy) {
		atomic_fetch_sub(&g_placement.cpus[old].busy, 1);
		atomic_fetch_add(&g_placement.cpus[cpu].busy, 1);
	}
	atomic_store_explicit(&placement->cpu, cpu, memory_order_relaxed);
	pin(placement->host_tid, cpu);
}

void placement_new(struct placement *placement)
{
	mutex_init(&placement->lock, RANK_PLACEMENT, "placement");
	atomic_init(&placement->cpu, -1);
	if (!is_used())
		return;
	mutex_guard(&g_placement.list_lock);
	LIST_INSERT_HEAD(&g_placement.list, placement, all);
}

void placement_free(struct placement *placement)
{
	if (is_used()) {
		placement_leave(placement);
		mutex_lock(&g_placement.list_lock);
		LIST_REMOVE(placement, all);
		mutex_unlock(&g_placement.list_lock);
	}
	/* The host thread may go on to do something else. */
	if (placement->host_tid == gettid())
		(void)sched_setaffinity(0, sizeof(g_placement.allowed), &g_placement.allowed);
	mutex_destroy(&placement->lock);
}

int placement_choose(struct placement *placement)
{
	int cpu;

	if (!is_used())
		return -1;
	mutex_guard(&placement->lock);
	cpu = atomic_load_explicit(&placement->cpu, memory_order_relaxed);
	if (owned_here != placement || cpu < 0) {
		cpu = placement_here();
		if (cpu < 0)
			return -1;
		placement->host_tid = gettid();
		owned_here = placement;
		placement_move_locked(placement, cpu);
	}
	set_busy_locked(placement, true);
	return cpu;
}

void placement_leave(struct placement *placement)
{
	if (!is_used())
		return;
	if (owned_here == placement)
		owned_here = NULL;
	mutex_guard(&placement->lock);
	set_busy_locked(placement, false);
}

/* Its CPU has others to run. */
static void consider_moving(struct placement *placement)
{
	int idle = placement_find_idle(0);
	uint64_t time;

	if (idle < 0) {
		placement->crowded_since = 0;
		return;
	}
	time = placement_now();
	if (!placement->crowded_since)
		placement->crowded_since = time;
	if (time - placement->crowded_since < CROWD_TIME)
		return;
	placement->crowded_since = 0;
	mutex_guard(&placement->lock);
	placement->settled_until = time + SETTLE_TIME;
	placement_move_locked(placement, idle);
}

void placement_enter(struct ptrace_context *context)
{
	struct placement *placement = &context->placement;
	struct stub_thread *thread;
	unsigned int switches;
	int cpu = atomic_load_explicit(&placement->cpu, memory_order_relaxed);

	if (cpu < 0)
		return;
	/* Only the owner counts, so this need not be one atomic step. */
	switches = atomic_load_explicit(&placement->switches, memory_order_relaxed) + 1;
	atomic_store_explicit(&placement->switches, switches, memory_order_relaxed);
	if (unlikely(switches % BALANCED_SWITCHES == 0))
		balancer_wake();
	if (unlikely(placement_load(cpu) > 1)) {
		consider_moving(placement);
		cpu = atomic_load_explicit(&placement->cpu, memory_order_relaxed);
	} else {
		placement->crowded_since = 0;
	}
	thread = atomic_load_explicit(&context->thread, memory_order_relaxed);
	if (unlikely(atomic_load_explicit(&thread->cpu, memory_order_relaxed) != cpu)) {
		mutex_guard(&placement->lock);
		placement_pin_stub(thread->tid, &thread->cpu, atomic_load(&placement->cpu));
	}
}

void placement_block_begin(struct placement *placement)
{
	if (atomic_load_explicit(&placement->cpu, memory_order_relaxed) < 0)
		return;
	placement->crowded_since = 0;
	atomic_fetch_add_explicit(&placement->blocks, 1, memory_order_relaxed);
	mutex_guard(&placement->lock);
	set_busy_locked(placement, false);
}

void placement_block_end(struct placement *placement)
{
	if (atomic_load_explicit(&placement->cpu, memory_order_relaxed) < 0)
		return;
	mutex_guard(&placement->lock);
	set_busy_locked(placement, true);
}

void placement_wake_near(struct placement *placement)
{
	struct placement *waker = owned_here;
	int here, cpu = atomic_load_explicit(&placement->cpu, memory_order_relaxed);

	if (!waker || waker == placement || cpu < 0)
		return;
	here = atomic_load_explicit(&waker->cpu, memory_order_relaxed);
	if (here == cpu || placement_load(cpu) > 0)
		return;
	mutex_guard(&placement->lock);
	if (!placement->busy &&
		(!placement->settled_until || placement->settled_until < placement_now()))
		placement_move_locked(placement, here);
}
