/* SPDX-License-Identifier: Apache-2.0 */
/* setpgid(2), getpgid(2), getpgrp(2), setsid(2), getsid(2). */
#include "sentry/kernel/session.h"

#include "sentry/kernel/task.h"
#include "sentry/syscalls/syscalls.h"

int64_t sys_setpgid(struct task *task, const uint64_t args[6])
{
	return process_group_set(task, (int)args[0], (int)args[1]);
}

int64_t sys_getpgid(struct task *task, const uint64_t args[6])
{
	return process_group_get(task, (int)args[0]);
}

int64_t sys_getpgrp(struct task *task, const uint64_t args[6])
{
	return process_group_get(task, 0);
}

int64_t sys_setsid(struct task *task, const uint64_t args[6])
{
	return session_create(task);
}

int64_t sys_getsid(struct task *task, const uint64_t args[6])
{
	return session_number_get(task, (int)args[0]);
}
