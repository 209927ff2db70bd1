/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks of CPU time (clock_getcpuclockid(3), pthread_getcpuclockid(3)), and the check of clock ids
 * that guests give. */
#pragma once

#include "abi/time.h"
#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

struct task;
struct thread_group;

/* So many times faster than the wall clock may a process's CPU clock run: how often at least who
 * waits for it must look. */
#define CPU_CLOCK_RATE_MAX 4

/* One of the clocks of clock.h. */
bool clock_is_wall(int clock);
/* A CPU clock, of the caller or by id. */
bool clock_is_cpu(int clock);
/* Any clock that clock_gettime(2) takes, seen from task. -EINVAL. */
must_check int clock_read(struct task *task, int clock, int64_t *now_ns);

/* Whom a CPU clock measures: a thread or a process (one of the two, with a reference). */
struct cpu_clock {
	struct task *thread;
	struct thread_group *group;
	int kind; /* LINUX_CPUCLOCK_PROF, _VIRT or _SCHED */
};
/* -EINVAL for threads of other processes, and ids that nobody has. */
must_check int cpu_clock_find(struct task *task, int clock, struct cpu_clock *out);
void cpu_clock_put(struct cpu_clock *clock);
/* Takes no RANK_SIGHAND of a thread's clock; that of a process's unless locked. */
int64_t cpu_clock_now(const struct cpu_clock *clock);
int64_t cpu_clock_now_locked(const struct cpu_clock *clock);

/* For who waits for a CPU clock to reach a time: when to look next. All zero to begin with. */
struct cpu_clock_pace {
	int64_t last_ns;     /* what the clock said at the last look */
	int64_t interval_ns; /* grows while it stands still */
};
/* CLOCK_MONOTONIC. Any lock. */
int64_t cpu_clock_pace_next(struct cpu_clock_pace *pace, const struct cpu_clock *clock,
	int64_t now_ns, int64_t target_ns);
