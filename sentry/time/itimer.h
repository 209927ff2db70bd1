/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interval timers (setitimer(2)), alarm(2), RLIMIT_CPU, and timers on CPU clocks.
 *
 * CPU time is what the tasks' own threads account (task->times). Timers on it are looked at when
 * the earliest could be due: the timer thread sleeps for the time that is left divided by the
 * running threads, so they are late by that sleep's error alone.
 */
#pragma once

#include "abi/resource.h"
#include "abi/time.h"
#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

struct task;
struct thread_group;

must_check int itimer_set(struct task *task, int which, const struct linux_itimerval *value,
	struct linux_itimerval *old);
must_check int itimer_get(struct task *task, int which, struct linux_itimerval *value);
/* The exit of the last thread: disarms. No lock held. */
void itimers_destroy(struct thread_group *group);
/* RLIMIT_CPU was changed, or came with a fork. No lock held. */
void itimer_cpu_limit_changed(struct thread_group *group);
