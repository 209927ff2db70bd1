/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the readers of the clocks (clock.c) share with the one who sets them (clock_calibration.c).
 */
#pragma once

#include "sentry/time/vdso_params.h"

#include <stdatomic.h>
#include <stdint.h>

struct clock_state {
	struct vdso_params *params; /* the page that guests see, or own_params; set once */
	struct vdso_params own_params;
	_Atomic int64_t host_lag_ns; /* what host clocks lack, once the counter was given up */
};

extern struct clock_state g_clock;

/* A clock of the host's own. */
int64_t clock_host_now(int host_clock);
