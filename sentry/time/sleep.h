/* SPDX-License-Identifier: Apache-2.0 */
/* clock_nanosleep(2), and the conversions of guest time structures. */
#pragma once

#include "abi/time.h"
#include "base/compiler.h"
#include "sentry/mm/mm.h"

#include <stdbool.h>
#include <stdint.h>

struct task;

/* False for what Linux calls invalid: negative seconds, nanoseconds out of range. *ns saturates at
 * INT64_MAX. */
must_check bool timespec_to_ns(const struct linux_timespec *time, int64_t *ns);
struct linux_timespec timespec_from_ns(int64_t ns);
must_check bool timeval_to_ns(const struct linux_timeval *time, int64_t *ns);
struct linux_timeval timeval_from_ns(int64_t ns);
/* a + b for times, saturating. */
int64_t time_add_ns(int64_t a, int64_t b);

/* flags: 0 or LINUX_TIMER_ABSTIME. The rest of a relative sleep goes to remaining (0: nowhere). */
must_check int64_t task_nanosleep(
	struct task *task, int clock, int flags, int64_t time_ns, gaddr_t remaining);
