/* SPDX-License-Identifier: Apache-2.0 */
/* Syscall user dispatch (prctl(PR_SET_SYSCALL_USER_DISPATCH)): calls from outside an allowed range
 * become SIGSYS. */
#pragma once

#include "base/compiler.h"
#include "sentry/kernel/task.h"

#include <stdbool.h>
#include <stdint.h>

must_check bool syscall_user_dispatch_slow(struct task *task);
/* At syscall entry, before ptrace and seccomp: true when the call was turned into a SIGSYS and must
 * be skipped with its registers as they are. */
must_check static inline bool syscall_user_dispatch(struct task *task)
{
	if (likely(!task->syscall_dispatch.on))
		return false;
	return syscall_user_dispatch_slow(task);
}
must_check int64_t syscall_user_dispatch_set(
	struct task *task, uint64_t mode, uint64_t offset, uint64_t length, gaddr_t selector);
