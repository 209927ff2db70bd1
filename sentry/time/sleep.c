/* SPDX-License-Identifier: Apache-2.0 */
/* clock_nanosleep(2), and the conversions of guest time structures. */
#include "sentry/time/sleep.h"

#include "sentry/kernel/task.h"
#include "sentry/time/clock.h"
#include "sentry/time/cpu_clock.h"
#include "sentry/time/time_namespace.h"

#include <errno.h>

bool timespec_to_ns(const struct linux_timespec *time, int64_t *ns)
{
	if (time->tv_sec < 0 || time->tv_nsec < 0 || time->tv_nsec >= NSEC_PER_SEC)
		return false;
	if (__builtin_mul_overflow(time->tv_sec, NSEC_PER_SEC, ns) ||
		__builtin_add_overflow(*ns, time->tv_nsec, ns))
		*ns = INT64_MAX;
	return true;
}

struct linux_timespec timespec_from_ns(int64_t ns)
{
	struct linux_timespec time = {.tv_sec = ns / NSEC_PER_SEC, .tv_nsec = ns % NSEC_PER_SEC};

	if (time.tv_nsec < 0) {
		time.tv_sec--;
		time.tv_nsec += NSEC_PER_SEC;
	}
	return time;
}

bool timeval_to_ns(const struct linux_timeval *time, int64_t *ns)
{
	struct linux_timespec precise = {.tv_sec = time->tv_sec, .tv_nsec = 0};

	if (time->tv_usec < 0 || time->tv_usec >= 1000000)
		return false;
	precise.tv_nsec = time->tv_usec * 1000;
	return timespec_to_ns(&precise, ns);
}

struct linux_timeval timeval_from_ns(int64_t ns)
{
	struct linux_timespec time = timespec_from_ns(ns);

	return (struct linux_timeval){.tv_sec = time.tv_sec, .tv_usec = time.tv_nsec / 1000};
}

int64_t time_add_ns(int64_t a, int64_t b)
{
	int64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? (b > 0 ? INT64_MAX : INT64_MIN) : sum;
}

/* Sleeps on a clock until its deadline: 0 or -ERESTARTSYS. Wall clocks may be set meanwhile: looked
 * at anew. */
static int sleep_until(struct task *task, int clock, int64_t deadline_ns)
{
	int error = 0;

	for (;;) {
		if (clock_now(clock) >= deadline_ns)
			return 0;
		error = task_block(task, clock_to_monotonic(clock, deadline_ns));
		if (error == -ERESTARTSYS)
			return error;
	}
}

/* CPU clocks have no deadline that is known before: looks again when it could be reached at the
 * earliest. */
static int sleep_on_cpu_clock(struct task *task, int clock, int64_t deadline_ns)
{
	for (;;) {
		int64_t now, left;
		int error = clock_read(task, clock, &now);

		if (error)
			return error;
		left = deadline_ns - now;
		if (left <= 0)
			return 0;
		/* All processors could work for it. */
		error = task_block(
			task, time_add_ns(clock_monotonic(), left / CPU_CLOCK_RATE_MAX + 1000000));
		if (error == -ERESTARTSYS)
			return error;
	}
}

static int64_t sleep_relative(struct task *task, int clock, int64_t deadline_ns, gaddr_t remaining);

static int64_t sleep_restart(struct task *task)
{
	return sleep_relative(task, task->restart.nanosleep.clock,
		task->restart.nanosleep.deadline_ns, task->restart.nanosleep.remaining);
}

static int64_t sleep_relative(struct task *task, int clock, int64_t deadline_ns, gaddr_t remaining)
{
	bool cpu = clock_is_cpu(clock);
	int64_t now;
	int error = cpu ? sleep_on_cpu_clock(task, clock, deadline_ns)
			: sleep_until(task, clock, deadline_ns);

	if (error != -ERESTARTSYS)
		return error;
	error = clock_read(task, clock, &now);
	if (error)
		return error;
	if (now >= deadline_ns)
		return 0;
	if (remaining) {
		struct linux_timespec left = timespec_from_ns(deadline_ns - now);

		if (mm_copy_out(task->mm, remaining, &left, sizeof(left)))
			return -EFAULT;
	}
	task->restart.restart = sleep_restart;
	task->restart.nanosleep.clock = clock;
	task->restart.nanosleep.deadline_ns = deadline_ns;
	task->restart.nanosleep.remaining = remaining;
	return -ERESTART_RESTARTBLOCK;
}

int64_t task_nanosleep(struct task *task, int clock, int flags, int64_t time_ns, gaddr_t remaining)
{
	int64_t now;
	int error;

	if (flags & LINUX_TIMER_ABSTIME) {
		time_ns = time_namespace_to_kernel(task, clock, time_ns);
		error = clock_is_cpu(clock) ? sleep_on_cpu_clock(task, clock, time_ns)
					    : sleep_until(task, clock, time_ns);
		return error == -ERESTARTSYS ? -ERESTARTNOHAND : error;
	}
	/* A relative sleep does not follow the setting of the wall clock. */
	if (clock == LINUX_CLOCK_REALTIME || clock == LINUX_CLOCK_TAI ||
		clock == LINUX_CLOCK_REALTIME_ALARM)
		clock = LINUX_CLOCK_MONOTONIC;
	error = clock_read(task, clock, &now);
	if (error)
		return error;
	return sleep_relative(task, clock, time_add_ns(now, time_ns), remaining);
}
