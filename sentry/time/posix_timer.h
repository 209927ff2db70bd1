/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POSIX timers (timer_create(2)): per process, on any clock, with a signal, a signal to one thread,
 * or none.
 *
 * All state is guarded by the process's RANK_SIGHAND.
 */
#pragma once

#include "abi/signal.h"
#include "abi/time.h"
#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

struct posix_timer;
struct signal_entry;
struct task;
struct thread_group;
struct text_writer;

/* event: NULL for SIGALRM with the timer's id. The id. */
must_check int64_t posix_timer_create(
	struct task *task, int clock, const struct linux_sigevent *event);
must_check int posix_timer_set(struct task *task, int id, int flags,
	const struct linux_itimerspec *setting, struct linux_itimerspec *old);
must_check int posix_timer_get(struct task *task, int id, struct linux_itimerspec *setting);
must_check int64_t posix_timer_overrun(struct task *task, int id);
must_check int posix_timer_delete(struct task *task, int id);
/* execve and the last thread's exit. No lock held. */
void posix_timers_destroy(struct thread_group *group);
/* The timer's signal was taken off a queue: fills the overrun in and arms the next period.
 * RANK_SIGHAND held. */
void posix_timer_delivered_locked(struct posix_timer *timer, struct linux_siginfo *info);
/* The timer's signal was thrown away unseen. RANK_SIGHAND held. */
void posix_timer_discarded_locked(struct posix_timer *timer);
/* /proc/PID/timers. */
void posix_timers_show(struct thread_group *group, struct text_writer *out);
