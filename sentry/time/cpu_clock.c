/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clocks of CPU time: a process's or thread's user time (VIRT), or all of it (PROF, SCHED).
 *
 * Differs from Linux: all three kinds have nanoseconds, as its own do when it accounts at each
 * entry.
 */
#include "sentry/time/cpu_clock.h"

#include "sentry/kernel/task.h"
#include "sentry/time/clock.h"

#include <errno.h>

bool clock_is_wall(int clock)
{
	switch (clock) {
	case LINUX_CLOCK_REALTIME:
	case LINUX_CLOCK_MONOTONIC:
	case LINUX_CLOCK_MONOTONIC_RAW:
	case LINUX_CLOCK_REALTIME_COARSE:
	case LINUX_CLOCK_MONOTONIC_COARSE:
	case LINUX_CLOCK_BOOTTIME:
	case LINUX_CLOCK_REALTIME_ALARM:
	case LINUX_CLOCK_BOOTTIME_ALARM:
	case LINUX_CLOCK_TAI:
		return true;
	default:
		return false;
	}
}

bool clock_is_cpu(int clock)
{
	return clock == LINUX_CLOCK_PROCESS_CPUTIME_ID || clock == LINUX_CLOCK_THREAD_CPUTIME_ID ||
	       (clock < 0 && (clock & LINUX_CPUCLOCK_CLOCK_MASK) != LINUX_CLOCKFD);
}

static int find_thread(struct task *task, int tid, struct cpu_clock *out)
{
	out->thread = tid ? task_find(task, tid) : task_get(task);
	if (!out->thread)
		return -EINVAL;
	if (out->thread->group != task->group) {
		task_put(out->thread);
		return -EINVAL;
	}
	return 0;
}

static int find_group(struct task *task, int tgid, struct cpu_clock *out)
{
	out->group = tgid ? thread_group_find(task, tgid) : thread_group_get(task->group);
	return out->group ? 0 : -EINVAL;
}

int cpu_clock_find(struct task *task, int clock, struct cpu_clock *out)
{
	int id = ~(clock >> 3);

	*out = (struct cpu_clock){.kind = LINUX_CPUCLOCK_SCHED};
	if (clock == LINUX_CLOCK_PROCESS_CPUTIME_ID)
		return find_group(task, 0, out);
	if (clock == LINUX_CLOCK_THREAD_CPUTIME_ID)
		return find_thread(task, 0, out);
	if (!clock_is_cpu(clock) || id < 0)
		return -EINVAL;
	out->kind = clock & LINUX_CPUCLOCK_CLOCK_MASK;
	return clock & LINUX_CPUCLOCK_PERTHREAD_MASK ? find_thread(task, id, out)
						     : find_group(task, id, out);
}

void cpu_clock_put(struct cpu_clock *clock)
{
	if (clock->thread)
		task_put(clock->thread);
	if (clock->group)
		thread_group_put(clock->group);
}

static int64_t sample(const struct cpu_clock *clock, bool locked)
{
	uint64_t user, system;

	if (clock->thread)
		task_cpu_times(clock->thread, &user, &system);
	else if (locked)
		thread_group_cpu_times_locked(clock->group, &user, &system);
	else
		thread_group_cpu_times(clock->group, &user, &system);
	return (int64_t)(clock->kind == LINUX_CPUCLOCK_VIRT ? user : user + system);
}

int64_t cpu_clock_now(const struct cpu_clock *clock)
{
	return sample(clock, false);
}

int64_t cpu_clock_now_locked(const struct cpu_clock *clock)
{
	return sample(clock, true);
}

/* No sooner than Linux's own tick; a clock that stands still is looked at more and more seldom. */
#define PACE_MIN_NS 2000000
#define PACE_MAX_NS 32000000

int64_t cpu_clock_pace_next(struct cpu_clock_pace *pace, const struct cpu_clock *clock,
	int64_t now_ns, int64_t target_ns)
{
	int64_t left = target_ns - now_ns;

	/* All threads of a process may run at once. */
	if (clock->group && clock->group->live_count > 1)
		left /= CPU_CLOCK_RATE_MAX;
	if (now_ns != pace->last_ns || pace->interval_ns < PACE_MIN_NS)
		pace->interval_ns = PACE_MIN_NS;
	else if (pace->interval_ns < PACE_MAX_NS)
		pace->interval_ns *= 2;
	pace->last_ns = now_ns;
	return clock_monotonic() + (left > pace->interval_ns ? left : pace->interval_ns);
}

int clock_read(struct task *task, int clock, int64_t *now_ns)
{
	struct cpu_clock cpu;
	int error;

	if (clock_is_wall(clock)) {
		*now_ns = clock_now(clock);
		return 0;
	}
	error = cpu_clock_find(task, clock, &cpu);
	if (error)
		return error;
	*now_ns = cpu_clock_now(&cpu);
	cpu_clock_put(&cpu);
	return 0;
}
