/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CPU time of tasks. The time-stamp counter measures it: cheap enough for each way in and out.
 *
 * A stamp cannot tell a program that runs from one that waits for a processor of the host's. So
 * once a millisecond or more has come together the host's clocks of CPU time are asked: of the
 * address space for time in guest code, of the host thread for time in the sentry. Threads share
 * their address space's clock: what it says is divided among those that ran, none getting more than
 * its stamps tell.
 */
#include "sentry/kernel/task.h"
#include "sentry/kernel/task_run.h"
#include "sentry/lock_order.h"
#include "sentry/time/clock.h"

#include <time.h>

static struct {
	uint64_t ticks;
	int64_t ns;
	/* Nanoseconds a tick, in fixed point with 32 bits after it. */
	_Atomic uint64_t ratio;
} clock_base;

static int64_t host_clock(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

/* --- the counter --- */

/* A longer time makes a better ratio; until there is one, the processor is taken to tick once a
 * nanosecond. */
static void ratio_refine(void)
{
	uint64_t ticks = time_stamp() - clock_base.ticks;
	int64_t ns = host_clock(CLOCK_MONOTONIC) - clock_base.ns;

	if (ticks > 0 && ns > 100000)
		atomic_store_explicit(&clock_base.ratio,
			(uint64_t)(((unsigned __int128)ns << 32) / ticks), memory_order_relaxed);
}

void task_times_start(void)
{
	struct timespec pause = {.tv_nsec = 300000};

	clock_base.ticks = time_stamp();
	clock_base.ns = host_clock(CLOCK_MONOTONIC);
	atomic_store(&clock_base.ratio, 1ull << 32);
	(void)nanosleep(&pause, NULL);
	ratio_refine();
}

uint64_t task_ticks_to_ns(uint64_t ticks)
{
	uint64_t ratio = atomic_load_explicit(&clock_base.ratio, memory_order_relaxed);

	return (uint64_t)(((unsigned __int128)ticks * ratio) >> 32);
}

/* --- the host's clocks --- */

void task_times_begin(struct task *task)
{
	task->times.thread_ns = (uint64_t)host_clock(CLOCK_THREAD_CPUTIME_ID);
	atomic_store_explicit(&task->run.since, time_stamp(), memory_order_relaxed);
}

/*
 * What the host's thread spent beyond the time in the sentry went into the way to guest code and
 * back, which the guest asked for: that is the guest's, too.
 */
void task_times_measure(struct task *task)
{
	struct task_times *times = &task->times;
	uint64_t now = (uint64_t)host_clock(CLOCK_THREAD_CPUTIME_ID),
		 thread = now - times->thread_ns,
		 system = min_u64(thread, times->unmeasured_ns[false]),
		 user = context_take_cpu_time(task->context, times->unmeasured_ns[true]);

	times->thread_ns = now;
	times->measured_ns[false] += system;
	times->measured_ns[true] += min_u64(times->unmeasured_ns[true], user + (thread - system));
	times->unmeasured_ns[false] = times->unmeasured_ns[true] = 0;
}

/* --- sums --- */

void task_times_add(struct task *task, struct task_time_sum *sum)
{
	uint64_t since = atomic_load_explicit(&task->run.since, memory_order_relaxed), now, more;

	if (task == current && since)
		task_account(task, false);
	sum->user_ns += atomic_load_explicit(&task->times.user_ns, memory_order_relaxed);
	sum->system_ns += atomic_load_explicit(&task->times.system_ns, memory_order_relaxed);
	now = time_stamp();
	if (task == current || !since || now <= since)
		return;
	more = task_ticks_to_ns(now - since);
	if (!atomic_load_explicit(&task->run.in_guest, memory_order_relaxed)) {
		sum->system_ns += more;
		return;
	}
	if (more > TASK_UNMEASURED_NS) {
		if (!sum->asked)
			sum->room_ns = context_cpu_time_left(task->context);
		sum->asked = true;
		more = min_u64(more, sum->room_ns);
		sum->room_ns -= more;
	}
	sum->user_ns += more;
}

/* What is under way was estimated: nobody shall see a clock go back for it. */
static uint64_t never_less(_Atomic uint64_t *seen, uint64_t value)
{
	uint64_t old = atomic_load_explicit(seen, memory_order_relaxed);

	while (old < value)
		if (atomic_compare_exchange_weak(seen, &old, value))
			return value;
	return old;
}

void task_cpu_times(struct task *task, uint64_t *user_ns, uint64_t *system_ns)
{
	struct task_time_sum sum = {0};

	task_times_add(task, &sum);
	*user_ns = never_less(&task->times.user_seen_ns, sum.user_ns);
	*system_ns = never_less(&task->times.system_seen_ns, sum.system_ns);
}

void thread_group_cpu_times_locked(
	struct thread_group *group, uint64_t *user_ns, uint64_t *system_ns)
{
	struct task_times *dead = &group->dead_threads;
	struct task_time_sum sum = {
		.user_ns = atomic_load_explicit(&dead->user_ns, memory_order_relaxed),
		.system_ns = atomic_load_explicit(&dead->system_ns, memory_order_relaxed),
	};
	struct task *task;

	TAILQ_FOREACH (task, &group->tasks, group_link)
		task_times_add(task, &sum);
	/* What was seen of the dead ones is what was seen of all. */
	*user_ns = never_less(&dead->user_seen_ns, sum.user_ns);
	*system_ns = never_less(&dead->system_seen_ns, sum.system_ns);
}

void thread_group_cpu_times(struct thread_group *group, uint64_t *user_ns, uint64_t *system_ns)
{
	struct sighand *sighand;

	mutex_lock(&g_tasks.lock);
	sighand = group->sighand;
	mutex_lock(&sighand->lock);
	mutex_unlock(&g_tasks.lock);
	thread_group_cpu_times_locked(group, user_ns, system_ns);
	mutex_unlock(&sighand->lock);
}
