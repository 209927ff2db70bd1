/* SPDX-License-Identifier: Apache-2.0 */
/* membarrier(2). */
#include "sentry/kernel/membarrier.h"

#include "sentry/syscalls/syscalls.h"

int64_t sys_membarrier(struct task *task, const uint64_t args[6])
{
	return membarrier(task, (int)args[0], (unsigned int)args[1], (int)args[2]);
}
