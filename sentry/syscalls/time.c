/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clocks, sleeps and timers.
 *
 * Differs from Linux: no clock can be set or disciplined, whatever the capabilities (EPERM);
 * adjtimex(2) tells of a clock that nobody synchronizes.
 */
#include "abi/time.h"

#include "abi/capability.h"
#include "abi/timex.h"
#include "sentry/kernel/task.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/time/clock.h"
#include "sentry/time/cpu_clock.h"
#include "sentry/time/itimer.h"
#include "sentry/time/posix_timer.h"
#include "sentry/time/sleep.h"
#include "sentry/time/time_namespace.h"

#include <errno.h>

/* The resolution that Linux tells of CPU clocks that are counted in its own ticks, at 250 Hz. */
#define CPU_TICK_NS 4000000

/* --- clocks --- */

int64_t sys_clock_gettime(struct task *task, const uint64_t args[6])
{
	struct linux_timespec time;
	int64_t now;
	int error = clock_read(task, (int)args[0], &now);

	if (error)
		return error;
	time = timespec_from_ns(now + time_namespace_offset(task, (int)args[0]));
	return mm_copy_out(task->mm, args[1], &time, sizeof(time));
}

int64_t sys_clock_getres(struct task *task, const uint64_t args[6])
{
	int clock = (int)args[0];
	struct linux_timespec time = {.tv_nsec = 1};
	struct cpu_clock cpu;
	int error;

	if (clock_is_wall(clock)) {
		time.tv_nsec = clock_resolution(clock);
	} else {
		error = cpu_clock_find(task, clock, &cpu);
		if (error)
			return error;
		if (cpu.kind != LINUX_CPUCLOCK_SCHED)
			time.tv_nsec = CPU_TICK_NS;
		cpu_clock_put(&cpu);
	}
	return args[1] ? mm_copy_out(task->mm, args[1], &time, sizeof(time)) : 0;
}

int64_t sys_clock_settime(struct task *task, const uint64_t args[6])
{
	int clock = (int)args[0];
	struct linux_timespec time;
	int64_t ns;

	if (clock != LINUX_CLOCK_REALTIME && !clock_is_cpu(clock))
		return -EINVAL;
	if (mm_copy_in(task->mm, &time, args[1], sizeof(time)))
		return -EFAULT;
	if (clock == LINUX_CLOCK_REALTIME && !timespec_to_ns(&time, &ns))
		return -EINVAL;
	return -EPERM;
}

int64_t sys_gettimeofday(struct task *task, const uint64_t args[6])
{
	if (args[0]) {
		struct linux_timeval now = timeval_from_ns(clock_now(LINUX_CLOCK_REALTIME));

		if (mm_copy_out(task->mm, args[0], &now, sizeof(now)))
			return -EFAULT;
	}
	if (args[1]) {
		struct linux_timezone zone = {0};

		if (mm_copy_out(task->mm, args[1], &zone, sizeof(zone)))
			return -EFAULT;
	}
	return 0;
}

int64_t sys_settimeofday(struct task *task, const uint64_t args[6])
{
	struct linux_timeval time;
	int64_t ns;

	if (args[0]) {
		if (mm_copy_in(task->mm, &time, args[0], sizeof(time)))
			return -EFAULT;
		if (!timeval_to_ns(&time, &ns))
			return -EINVAL;
	}
	return -EPERM;
}

int64_t sys_time(struct task *task, const uint64_t args[6])
{
	int64_t seconds = clock_now(LINUX_CLOCK_REALTIME) / NSEC_PER_SEC;

	if (args[0] && mm_copy_out(task->mm, args[0], &seconds, sizeof(seconds)))
		return -EFAULT;
	return seconds;
}

static int64_t ticks_of_timeval(const struct linux_timeval *time)
{
	return time->tv_sec * LINUX_USER_HZ + time->tv_usec / (1000000 / LINUX_USER_HZ);
}

int64_t sys_times(struct task *task, const uint64_t args[6])
{
	struct linux_tms times;
	uint64_t user, system;

	if (args[0]) {
		thread_group_cpu_times(task->group, &user, &system);
		times.tms_utime = (int64_t)user / NSEC_PER_TICK;
		times.tms_stime = (int64_t)system / NSEC_PER_TICK;
		mutex_lock(&g_tasks.lock);
		times.tms_cutime = ticks_of_timeval(&task->group->children_usage.ru_utime);
		times.tms_cstime = ticks_of_timeval(&task->group->children_usage.ru_stime);
		mutex_unlock(&g_tasks.lock);
		if (mm_copy_out(task->mm, args[0], &times, sizeof(times)))
			return -EFAULT;
	}
	return clock_now(LINUX_CLOCK_BOOTTIME) / NSEC_PER_TICK;
}

static int64_t timex_read(struct task *task, gaddr_t address)
{
	struct linux_timex timex;

	if (mm_copy_in(task->mm, &timex, address, sizeof(timex)))
		return -EFAULT;
	if (timex.modes && timex.modes != LINUX_ADJ_OFFSET_SS_READ)
		return -EPERM;
	timex = (struct linux_timex){
		.modes = timex.modes,
		.maxerror = 16000000,
		.esterror = 16000000,
		.status = LINUX_STA_UNSYNC,
		.constant = 2,
		.precision = 1,
		.tolerance = 32768000,
		.time = timeval_from_ns(clock_now(LINUX_CLOCK_REALTIME)),
		.tick = 10000,
	};
	return mm_copy_out(task->mm, address, &timex, sizeof(timex)) ? -EFAULT : LINUX_TIME_ERROR;
}

int64_t sys_adjtimex(struct task *task, const uint64_t args[6])
{
	return timex_read(task, args[0]);
}

int64_t sys_clock_adjtime(struct task *task, const uint64_t args[6])
{
	int clock = (int)args[0];

	if (clock == LINUX_CLOCK_REALTIME)
		return timex_read(task, args[1]);
	return clock_is_wall(clock) || clock_is_cpu(clock) ? -EOPNOTSUPP : -EINVAL;
}

/* --- sleeps --- */

int64_t sys_nanosleep(struct task *task, const uint64_t args[6])
{
	struct linux_timespec time;
	int64_t ns;

	if (mm_copy_in(task->mm, &time, args[0], sizeof(time)))
		return -EFAULT;
	if (!timespec_to_ns(&time, &ns))
		return -EINVAL;
	return task_nanosleep(task, LINUX_CLOCK_MONOTONIC, 0, ns, args[1]);
}

/* 0 if one can sleep on a clock. */
static int sleepable(struct task *task, int clock)
{
	switch (clock) {
	case LINUX_CLOCK_REALTIME:
	case LINUX_CLOCK_MONOTONIC:
	case LINUX_CLOCK_BOOTTIME:
	case LINUX_CLOCK_TAI:
	case LINUX_CLOCK_PROCESS_CPUTIME_ID:
		return 0;
	case LINUX_CLOCK_REALTIME_ALARM:
	case LINUX_CLOCK_BOOTTIME_ALARM:
		return capable(LINUX_CAP_WAKE_ALARM) ? 0 : -EPERM;
	case LINUX_CLOCK_THREAD_CPUTIME_ID:
		return -EOPNOTSUPP;
	default:
		break;
	}
	if (clock_is_wall(clock))
		return -EOPNOTSUPP;
	if (!clock_is_cpu(clock))
		return -EINVAL;
	/* A thread's own CPU clock stands still while it sleeps. */
	if ((clock & LINUX_CPUCLOCK_PERTHREAD_MASK) &&
		(~(clock >> 3) == 0 || ~(clock >> 3) == task_tid(task)))
		return -EINVAL;
	return 0;
}

int64_t sys_clock_nanosleep(struct task *task, const uint64_t args[6])
{
	int clock = (int)args[0], flags = (int)args[1];
	struct linux_timespec time;
	int64_t ns;
	int error = sleepable(task, clock);

	if (error)
		return error;
	if (mm_copy_in(task->mm, &time, args[2], sizeof(time)))
		return -EFAULT;
	if (!timespec_to_ns(&time, &ns))
		return -EINVAL;
	return task_nanosleep(task, clock, flags, ns, flags & LINUX_TIMER_ABSTIME ? 0 : args[3]);
}

/* --- interval timers --- */

int64_t sys_getitimer(struct task *task, const uint64_t args[6])
{
	struct linux_itimerval value;
	int error = itimer_get(task, (int)args[0], &value);

	return error ? error : mm_copy_out(task->mm, args[1], &value, sizeof(value));
}

int64_t sys_setitimer(struct task *task, const uint64_t args[6])
{
	struct linux_itimerval value = {0}, old;
	int error;

	if (args[1] && mm_copy_in(task->mm, &value, args[1], sizeof(value)))
		return -EFAULT;
	error = itimer_set(task, (int)args[0], &value, &old);
	if (error)
		return error;
	return args[2] ? mm_copy_out(task->mm, args[2], &old, sizeof(old)) : 0;
}

int64_t sys_alarm(struct task *task, const uint64_t args[6])
{
	struct linux_itimerval value = {.it_value.tv_sec = (uint32_t)args[0]}, old;
	int64_t left;
	int error = itimer_set(task, LINUX_ITIMER_REAL, &value, &old);

	if (error)
		return error;
	left = old.it_value.tv_sec;
	/* Rounded, but never to "there was none". */
	if (old.it_value.tv_usec >= 500000 || (!left && old.it_value.tv_usec))
		left++;
	return left;
}

/* --- POSIX timers --- */

int64_t sys_timer_create(struct task *task, const uint64_t args[6])
{
	struct linux_sigevent event;
	int32_t id;
	int64_t result;

	if (args[1] && mm_copy_in(task->mm, &event, args[1], sizeof(event)))
		return -EFAULT;
	result = posix_timer_create(task, (int)args[0], args[1] ? &event : NULL);
	if (result < 0)
		return result;
	id = (int32_t)result;
	if (!mm_copy_out(task->mm, args[2], &id, sizeof(id)))
		return 0;
	result = posix_timer_delete(task, id);
	return -EFAULT;
}

int64_t sys_timer_settime(struct task *task, const uint64_t args[6])
{
	struct linux_itimerspec setting, old;
	int error;

	if (!args[2])
		return -EINVAL;
	if (mm_copy_in(task->mm, &setting, args[2], sizeof(setting)))
		return -EFAULT;
	error = posix_timer_set(task, (int)args[0], (int)args[1], &setting, &old);
	if (error)
		return error;
	return args[3] ? mm_copy_out(task->mm, args[3], &old, sizeof(old)) : 0;
}

int64_t sys_timer_gettime(struct task *task, const uint64_t args[6])
{
	struct linux_itimerspec setting;
	int error = posix_timer_get(task, (int)args[0], &setting);

	return error ? error : mm_copy_out(task->mm, args[1], &setting, sizeof(setting));
}

int64_t sys_timer_getoverrun(struct task *task, const uint64_t args[6])
{
	return posix_timer_overrun(task, (int)args[0]);
}

int64_t sys_timer_delete(struct task *task, const uint64_t args[6])
{
	return posix_timer_delete(task, (int)args[0]);
}
