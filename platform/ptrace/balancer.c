/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The balancer moves guests that cannot move themselves: those that compute and never come by, and
 * those whose CPU is taken up by somebody outside this sandbox, which only the CPU time that they
 * got shows. It ticks while something is busy, and sleeps otherwise.
 */
#include "platform/ptrace/placement_private.h"
#include "platform/ptrace/ptrace_platform.h"

#include <time.h>

#define TICK (4 * MILLISECOND)
/* With a single busy guest, which only somebody outside can be in the way of. */
#define SLOW_TICK (16 * MILLISECOND)
/* Ticks with nothing busy before the balancer sleeps until it is woken. */
#define QUIET_TICKS 8
/* Shorter than this, CPU times are too coarse to compare. */
#define LOOK_TIME (16 * MILLISECOND)
/* Looks in a row with less than so many percent of the CPU until a guest is moved. */
#define STARVED_LOOKS	2
#define STARVED_PERCENT 70

/* The clocks of another process and of one thread, as the kernel numbers them (posix-timers.h). */
static uint64_t read_cpu_clock(pid_t pid, bool thread)
{
	struct timespec time = {0};

	(void)clock_gettime((clockid_t)((~(unsigned int)pid << 3) | (thread ? 6u : 2u)), &time);
	return (uint64_t)time.tv_sec * 1000 * MILLISECOND + (uint64_t)time.tv_nsec;
}

static struct stub_thread *stub_of(struct placement *placement)
{
	return atomic_load(&container_of(placement, struct ptrace_context, placement)->thread);
}

static void push_locked(struct placement *placement, int cpu)
{
	struct stub_thread *thread = stub_of(placement);

	placement_move_locked(placement, cpu);
	placement->settled_until = placement_now() + SETTLE_TIME;
	/* A thread that is just being given back is pinned anew by whoever takes it. */
	if (thread)
		placement_pin_stub(thread->tid, &thread->cpu, cpu);
}

/* Whether the context has been in the guest for the whole of the time since the last look. */
static bool computes(struct placement *placement)
{
	unsigned int switches = atomic_load_explicit(&placement->switches, memory_order_relaxed);
	bool same = switches == placement->seen.switches;

	placement->seen.switches = switches;
	return same;
}

/* Whether it never slept and still got little of a CPU that no other context of ours uses. */
static bool starves_locked(struct placement *placement, int cpu)
{
	struct stub_thread *thread = stub_of(placement);
	uint64_t now = placement_now(), time = now - placement->seen.time, cpu_time;
	unsigned int blocks = atomic_load_explicit(&placement->blocks, memory_order_relaxed);
	bool comparable = placement->seen.time && blocks == placement->seen.blocks &&
			  placement_load(cpu) == 1;

	if (time < LOOK_TIME || !thread)
		return false;
	cpu_time = read_cpu_clock(thread->process->pid, false) +
		   read_cpu_clock(placement->host_tid, true);
	if (comparable && (cpu_time - placement->seen.cpu_time) * 100 < time * STARVED_PERCENT)
		placement->seen.starved++;
	else
		placement->seen.starved = 0;
	placement->seen.time = now;
	placement->seen.cpu_time = cpu_time;
	placement->seen.blocks = blocks;
	if (placement->seen.starved < STARVED_LOOKS)
		return false;
	placement->seen.starved = 0;
	return true;
}

/* One move a look: the next one sees what came of it. */
static void look(void)
{
	struct placement *placement;
	bool moved = false;

	mutex_guard(&g_placement.list_lock);
	LIST_FOREACH (placement, &g_placement.list, all) {
		int cpu = atomic_load_explicit(&placement->cpu, memory_order_relaxed);
		bool stays = computes(placement), wants_to_move;
		int idle;

		if (cpu < 0)
			continue;
		mutex_guard(&placement->lock);
		if (!placement->busy)
			continue;
		wants_to_move =
			starves_locked(placement, cpu) || (stays && placement_load(cpu) > 1);
		idle = placement_find_idle(cpu + 1);
		if (!wants_to_move || moved || idle < 0)
			continue;
		push_locked(placement, idle);
		moved = true;
	}
}

static void *balance(void *unused unused_)
{
	for (;;) {
		service_thread_wait(&g_placement.balancer);
		for (int quiet = 0; quiet < QUIET_TICKS; quiet++) {
			const struct timespec tick = {
				.tv_nsec = (long)(atomic_load(&g_placement.busy) == 1 ? SLOW_TICK
										      : TICK)};

			clock_nanosleep(CLOCK_MONOTONIC, 0, &tick, NULL);
			if (atomic_load(&g_placement.busy) < 1)
				continue;
			look();
			quiet = -1;
		}
		atomic_store(&g_placement.balancing, false);
	}
	return NULL;
}

void balancer_wake(void)
{
	if (unlikely(!atomic_load_explicit(&g_placement.balancing, memory_order_relaxed)) &&
		!atomic_exchange(&g_placement.balancing, true))
		service_thread_wake(&g_placement.balancer, balance, NULL);
}
