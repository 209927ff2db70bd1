/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limits of the sandbox as a whole (struct sandbox_limits): time, processors, memory, tasks,
 * output. They hold with no help of the host's: a timer looks at what was used, and who asks for
 * more is refused, stopped for a while, or killed. The reason of an end goes into the accounting.
 */
#pragma once

#include "base/compiler.h"
#include "sentry/kernel/kernel.h"

#include <stdbool.h>
#include <stdint.h>

struct task;

/* Once, before there are tasks. progress: a status line on the console, where there is one. */
void limits_start(const struct sandbox_limits *limits, bool progress);
/* After the last task. */
void limits_stop(void);
const struct sandbox_limits *limits_get(void);
/* Others from now on, from any thread of the sentry's: bytes and tasks; 0: none. Takes
 * RANK_TASK_SET. */
void limits_set_memory(uint64_t memory);
void limits_set_tasks(uint64_t tasks);

/* --- tasks; RANK_TASK_SET held --- */
/* -EAGAIN past the limit. */
must_check int limits_admit_task_locked(void);
void limits_note_tasks_locked(void);
/* Tasks that count: all but the init that runs no guest code. */
uint64_t limits_tasks_locked(void);

/* The hard limit that a process's resource (LINUX_RLIMIT_*) cannot be raised above;
 * LINUX_RLIM_INFINITY for none. */
uint64_t limits_ceiling(unsigned int resource);

/* A task on its way into guest code: waits while the sandbox has used more of the processors than
 * its share. */
void limits_throttle_point(struct task *task);

/*
 * Bytes for the caller's descriptors: how many of size may go out now. 0: the limit is reached, and
 * the sandbox is on its way to its end. Who took any says in the end how many were written.
 */
uint64_t limits_output_take(uint64_t size);
void limits_output_done(uint64_t wanted, uint64_t taken, uint64_t written);
