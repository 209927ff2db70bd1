/* SPDX-License-Identifier: Apache-2.0 */
/* The alternate signal stack (sigaltstack(2)). */
#include "sentry/kernel/sigaltstack.h"

#include <errno.h>

void altstack_reset(struct task *task)
{
	task->altstack = (struct linux_stack){.ss_flags = LINUX_SS_DISABLE};
}

static void altstack_show(const struct task *task, struct linux_stack *old)
{
	uint32_t kept = (uint32_t)task->altstack.ss_flags & LINUX_SS_FLAG_BITS;
	uint32_t state = 0;

	if (!task->altstack.ss_size)
		state = LINUX_SS_DISABLE;
	else if (altstack_in_use(task, task->regs.rsp))
		state = LINUX_SS_ONSTACK;
	*old = (struct linux_stack){
		.ss_sp = task->altstack.ss_sp,
		.ss_size = task->altstack.ss_size,
		.ss_flags = (int32_t)(state | kept),
	};
}

int altstack_set(struct task *task, const struct linux_stack *new_stack, struct linux_stack *old)
{
	uint32_t mode;

	altstack_show(task, old);
	if (!new_stack)
		return 0;
	if (altstack_in_use(task, task->regs.rsp))
		return -EPERM;
	mode = (uint32_t)new_stack->ss_flags & ~LINUX_SS_FLAG_BITS;
	if (mode != LINUX_SS_DISABLE && mode != LINUX_SS_ONSTACK && mode != 0)
		return -EINVAL;
	if (mode == LINUX_SS_DISABLE) {
		task->altstack = (struct linux_stack){.ss_flags = new_stack->ss_flags};
		return 0;
	}
	if (new_stack->ss_size < LINUX_MINSIGSTKSZ)
		return -ENOMEM;
	task->altstack = (struct linux_stack){
		.ss_sp = new_stack->ss_sp,
		.ss_size = new_stack->ss_size,
		.ss_flags = new_stack->ss_flags,
	};
	return 0;
}
