/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arch_prctl(2): segment bases and what extended state may be used.
 *
 * Differs from Linux: CPUID cannot be made to fault (ENODEV, as on processors that cannot), and
 * there are no shadow stacks.
 */
#include "abi/limits.h"
#include "abi/prctl.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/task_run.h"
#include "sentry/syscalls/syscalls.h"

#include <errno.h>

static int64_t set_base(uint64_t *base, uint64_t address)
{
	if (address >= LINUX_TASK_SIZE)
		return -EPERM;
	*base = address;
	return 0;
}

static int64_t put(struct task *task, gaddr_t address, uint64_t value)
{
	return mm_copy_out(task->mm, address, &value, sizeof(value));
}

/* Whatever the platform lets guests use, they may use without asking. */
static int64_t request_component(uint64_t component)
{
	if (component >= 63)
		return -EINVAL;
	return g_platform->fpstate_features >> component & 1 ? 0 : -EOPNOTSUPP;
}

int64_t sys_arch_prctl(struct task *task, const uint64_t args[6])
{
	switch ((int)args[0]) {
	case LINUX_ARCH_SET_FS:
		return set_base(&task->regs.fs_base, args[1]);
	case LINUX_ARCH_SET_GS:
		return set_base(&task->regs.gs_base, args[1]);
	case LINUX_ARCH_GET_FS:
		return put(task, args[1], task->regs.fs_base);
	case LINUX_ARCH_GET_GS:
		return put(task, args[1], task->regs.gs_base);
	case LINUX_ARCH_GET_CPUID:
		return 1;
	case LINUX_ARCH_SET_CPUID:
		return -ENODEV;
	case LINUX_ARCH_GET_XCOMP_SUPP:
	case LINUX_ARCH_GET_XCOMP_PERM:
		return put(task, args[1], g_platform->fpstate_features);
	case LINUX_ARCH_REQ_XCOMP_PERM:
		return request_component(args[1]);
	case LINUX_ARCH_GET_UNTAG_MASK:
		return put(task, args[1], UINT64_MAX);
	default:
		return -EINVAL;
	}
}
