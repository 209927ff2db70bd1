/* SPDX-License-Identifier: Apache-2.0 */
/* For tests that set the real-time interval timer, which takes the harness's alarm away: another
 * end for what hangs. */
#pragma once

#include "tests/guest/guest_test.h"

static void watchdog_start(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
	struct itimerspec time = {.it_value.tv_sec = GUEST_TEST_SECONDS / 2};
	timer_t timer;

	CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	CHECK(timer_settime(timer, 0, &time, NULL) == 0);
}
