/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Restartable sequences (rseq(2)): the guest's CPU number is kept up to date in its memory, and a
 * critical section that was interrupted is left through its abort address.
 *
 * Differs from Linux: the host may preempt guest code unseen. A thread's CPU number is the kernel's
 * own (task_cpu()), changes only while the thread is in the kernel, and is unique in its process as
 * long as that has no more threads than the sandbox processors.
 */
#pragma once

#include "abi/rseq.h"
#include "base/compiler.h"
#include "sentry/kernel/task.h"

#include <stdbool.h>
#include <stdint.h>

must_check int64_t rseq_register(
	struct task *task, gaddr_t address, uint32_t length, int flags, uint32_t signature);

void rseq_interrupted_slow(struct task *task);
/*
 * Own thread, no lock held, before guest code goes on after it was interrupted by anything but its
 * own system call (a fault, a kick) and before a signal's frame is built. Forces SIGSEGV for a
 * broken area.
 */
static inline void rseq_interrupted(struct task *task)
{
	if (unlikely(task->rseq.address != 0))
		rseq_interrupted_slow(task);
}

/* clone: kept by a fork, lost by a new user of the same memory. */
void rseq_fork(struct task *child, uint64_t clone_flags);
void rseq_exec(struct task *task);
