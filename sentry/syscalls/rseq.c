/* SPDX-License-Identifier: Apache-2.0 */
/* rseq(2). */
#include "sentry/kernel/rseq.h"

#include "sentry/syscalls/syscalls.h"

int64_t sys_rseq(struct task *task, const uint64_t args[6])
{
	return rseq_register(task, args[0], (uint32_t)args[1], (int)args[2], (uint32_t)args[3]);
}
