/* SPDX-License-Identifier: Apache-2.0 */
/* ptrace(2). */
#include "sentry/kernel/ptrace.h"

#include "sentry/syscalls/syscalls.h"

int64_t sys_ptrace(struct task *task, const uint64_t args[6])
{
	return ptrace_request(task, (int64_t)args[0], (int)args[1], args[2], args[3]);
}
