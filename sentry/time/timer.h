/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel timers: a callback at a time, on the timer thread.
 *
 * The thread sleeps until the earliest one; it also does the once-a-second housekeeping
 * (clock_update()).
 */
#pragma once

#include "base/compiler.h"

#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stdint.h>

struct ktimer {
	RB_ENTRY(ktimer) node;
	int64_t deadline_ns; /* CLOCK_MONOTONIC */
	bool armed;
	bool cancelling; /* somebody waits in ktimer_cancel(): it is not armed again */
	/* On the timer thread with no lock held; may arm the timer again, or free it. */
	void (*expire)(struct ktimer *timer);
};

must_check int timer_start_thread(void);
void ktimer_init(struct ktimer *timer, void (*expire)(struct ktimer *timer));
/* Arms or re-arms. */
void ktimer_arm(struct ktimer *timer, int64_t deadline_ns);
/*
 * When it returns, the timer is not armed; its callback may still be running unless wait is true
 * (then no lock that the callback takes may be held). From the callback itself, wait means nothing.
 */
void ktimer_cancel(struct ktimer *timer, bool wait);
