/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp(2). */
#include "sentry/kernel/seccomp.h"

#include "abi/seccomp.h"
#include "sentry/syscalls/syscalls.h"

#include <errno.h>

static int64_t action_available(struct task *task, gaddr_t address)
{
	uint32_t action;

	if (mm_copy_in(task->mm, &action, address, sizeof(action)))
		return -EFAULT;
	switch (action) {
	case LINUX_SECCOMP_RET_KILL_PROCESS:
	case LINUX_SECCOMP_RET_KILL_THREAD:
	case LINUX_SECCOMP_RET_TRAP:
	case LINUX_SECCOMP_RET_ERRNO:
	case LINUX_SECCOMP_RET_USER_NOTIF:
	case LINUX_SECCOMP_RET_TRACE:
	case LINUX_SECCOMP_RET_LOG:
	case LINUX_SECCOMP_RET_ALLOW:
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static int64_t notification_sizes(struct task *task, gaddr_t address)
{
	const struct linux_seccomp_notif_sizes sizes = {
		.seccomp_notif = sizeof(struct linux_seccomp_notif),
		.seccomp_notif_resp = sizeof(struct linux_seccomp_notif_resp),
		.seccomp_data = sizeof(struct linux_seccomp_data),
	};

	return mm_copy_out(task->mm, address, &sizes, sizeof(sizes));
}

int64_t sys_seccomp(struct task *task, const uint64_t args[6])
{
	uint32_t flags = (uint32_t)args[1];

	switch ((uint32_t)args[0]) {
	case LINUX_SECCOMP_SET_MODE_STRICT:
		return flags || args[2] ? -EINVAL : seccomp_set_strict(task);
	case LINUX_SECCOMP_SET_MODE_FILTER:
		return seccomp_set_filter(task, flags, args[2]);
	case LINUX_SECCOMP_GET_ACTION_AVAIL:
		return flags ? -EINVAL : action_available(task, args[2]);
	case LINUX_SECCOMP_GET_NOTIF_SIZES:
		return flags ? -EINVAL : notification_sizes(task, args[2]);
	default:
		return -EINVAL;
	}
}
