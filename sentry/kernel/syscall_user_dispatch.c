/* SPDX-License-Identifier: Apache-2.0 */
/* Syscall user dispatch (prctl(PR_SET_SYSCALL_USER_DISPATCH)). */
#include "sentry/kernel/syscall_user_dispatch.h"

#include "abi/limits.h"
#include "abi/prctl.h"
#include "abi/ptrace.h"
#include "sentry/kernel/signal.h"

#include <errno.h>
#include <string.h>

/* What the selector byte says. */
enum selector { SELECTOR_ALLOW = 0, SELECTOR_BLOCK = 1 };

bool syscall_user_dispatch_slow(struct task *task)
{
	struct linux_siginfo info;
	uint8_t selector;

	if (task->regs.rip - task->syscall_dispatch.offset < task->syscall_dispatch.length)
		return false;
	if (task->syscall_dispatch.selector) {
		if (mm_copy_in(task->mm, &selector, task->syscall_dispatch.selector,
			    sizeof(selector))) {
			thread_group_exit(task, LINUX_SIGSEGV);
			return true;
		}
		if (selector == SELECTOR_ALLOW)
			return false;
		if (selector != SELECTOR_BLOCK) {
			thread_group_exit(task, LINUX_SIGSYS);
			return true;
		}
	}
	/* As if the call had not been made, but for the instruction pointer. */
	task->regs.rax = task->regs.orig_rax;
	memset(&info, 0, sizeof(info));
	info.si_signo = LINUX_SIGSYS;
	info.si_code = LINUX_SYS_USER_DISPATCH;
	info.sigsys.si_call_addr = task->regs.rip;
	info.sigsys.si_syscall = (int32_t)task->syscall_number;
	info.sigsys.si_arch = LINUX_AUDIT_ARCH_X86_64;
	signal_force(task, &info);
	return true;
}

int64_t syscall_user_dispatch_set(
	struct task *task, uint64_t mode, uint64_t offset, uint64_t length, gaddr_t selector)
{
	switch (mode) {
	case LINUX_PR_SYS_DISPATCH_OFF:
		if (offset || length || selector)
			return -EINVAL;
		break;
	case LINUX_PR_SYS_DISPATCH_ON:
		/* Nothing, or a range that does not wrap around. */
		if (offset && offset + length <= offset)
			return -EINVAL;
		break;
	case LINUX_PR_SYS_DISPATCH_INCLUSIVE_ON:
		if (length == 0 || offset + length <= offset)
			return -EINVAL;
		/* Kept as what lies around it, which wraps. */
		offset += length;
		length = -length;
		break;
	default:
		return -EINVAL;
	}
	if (selector >= LINUX_TASK_SIZE)
		return -EFAULT;
	task->syscall_dispatch.selector = selector;
	task->syscall_dispatch.offset = offset;
	task->syscall_dispatch.length = length;
	task->syscall_dispatch.on = mode != LINUX_PR_SYS_DISPATCH_OFF;
	return 0;
}
