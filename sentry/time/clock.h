/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All clocks come from here: system calls, timers, /proc and the vDSO's parameter page agree to the
 * nanosecond. Times are signed 64-bit nanoseconds.
 */
#pragma once

#include "abi/time.h"
#include "base/compiler.h"

#include <stdint.h>

#define NSEC_PER_SEC  1000000000ll
#define NSEC_PER_TICK (1000000000 / LINUX_USER_HZ)

/* Of what is known to be an amount of time: not negative, and no overflow. */
static inline uint64_t linux_timeval_ns(const struct linux_timeval *time)
{
	return (uint64_t)time->tv_sec * NSEC_PER_SEC + (uint64_t)time->tv_usec * 1000;
}

struct vdso_params;

/* Called once before the jail closes: calibrates. params_page: where the vDSO's parameters are
 * published, may be NULL. */
must_check int clock_start(struct vdso_params *params_page);
/* Recalibrates and republishes; about once a second, from the timer thread. */
void clock_update(void);
/* LINUX_CLOCK_MONOTONIC, _REALTIME, _BOOTTIME, _MONOTONIC_RAW, _TAI and the coarse ones; unknown
 * ones panic: check before. */
int64_t clock_now(int clock);
int64_t clock_resolution(int clock);
/* CLOCK_MONOTONIC, the kernel's own time. */
int64_t clock_monotonic(void);
/* Converts a deadline of a wall or boot clock to monotonic; saturates. */
int64_t clock_to_monotonic(int clock, int64_t time_ns);
