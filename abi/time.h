/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks, timers and the structures that hold times. */
#pragma once

#include <stdint.h>

/* Clocks. */
#define LINUX_CLOCK_REALTIME	       0
#define LINUX_CLOCK_MONOTONIC	       1
#define LINUX_CLOCK_PROCESS_CPUTIME_ID 2
#define LINUX_CLOCK_THREAD_CPUTIME_ID  3
#define LINUX_CLOCK_MONOTONIC_RAW      4
#define LINUX_CLOCK_REALTIME_COARSE    5
#define LINUX_CLOCK_MONOTONIC_COARSE   6
#define LINUX_CLOCK_BOOTTIME	       7
#define LINUX_CLOCK_REALTIME_ALARM     8
#define LINUX_CLOCK_BOOTTIME_ALARM     9
#define LINUX_CLOCK_SGI_CYCLE	       10
#define LINUX_CLOCK_TAI		       11
#define LINUX_MAX_CLOCKS	       16

/* Dynamic clocks and the CPU clocks of others: ~id << 3, with these in the low bits. */
#define LINUX_CPUCLOCK_PERTHREAD_MASK 4
#define LINUX_CPUCLOCK_CLOCK_MASK     3
#define LINUX_CPUCLOCK_PROF	      0
#define LINUX_CPUCLOCK_VIRT	      1
#define LINUX_CPUCLOCK_SCHED	      2
#define LINUX_CLOCKFD		      3

#define LINUX_TIMER_ABSTIME 1

#define LINUX_ITIMER_REAL    0
#define LINUX_ITIMER_VIRTUAL 1
#define LINUX_ITIMER_PROF    2

/* timerfd_create(2), timerfd_settime(2). */
#define LINUX_TFD_CLOEXEC	      02000000
#define LINUX_TFD_NONBLOCK	      04000
#define LINUX_TFD_TIMER_ABSTIME	      1
#define LINUX_TFD_TIMER_CANCEL_ON_SET 2
#define LINUX_TFD_IOC_SET_TICKS	      0x40085400

/* Ticks a second that times(2), /proc and AT_CLKTCK speak of. */
#define LINUX_USER_HZ 100

struct linux_timespec {
	int64_t tv_sec;
	int64_t tv_nsec;
};

struct linux_timeval {
	int64_t tv_sec;
	int64_t tv_usec;
};

struct linux_itimerspec {
	struct linux_timespec it_interval;
	struct linux_timespec it_value;
};

struct linux_itimerval {
	struct linux_timeval it_interval;
	struct linux_timeval it_value;
};

struct linux_timezone {
	int32_t tz_minuteswest;
	int32_t tz_dsttime;
};

struct linux_tms {
	int64_t tms_utime;
	int64_t tms_stime;
	int64_t tms_cutime;
	int64_t tms_cstime;
};

struct linux_utimbuf {
	int64_t actime;
	int64_t modtime;
};

_Static_assert(sizeof(struct linux_itimerspec) == 32, "struct itimerspec");
_Static_assert(sizeof(struct linux_tms) == 32, "struct tms");
