/* SPDX-License-Identifier: Apache-2.0 */
/* The alternate signal stack (sigaltstack(2)). A task's own; no lock. */
#pragma once

#include "base/compiler.h"
#include "sentry/kernel/task.h"

#include <stdbool.h>

/* Is a stack pointer within the task's alternate stack, leaving SS_AUTODISARM out of account? */
static inline bool altstack_contains(const struct task *task, uint64_t stack_pointer)
{
	const struct linux_stack *stack = &task->altstack;

	return stack_pointer > stack->ss_sp && stack_pointer - stack->ss_sp <= stack->ss_size;
}

/* A handler runs on it: it can neither be entered again from its top nor changed. */
static inline bool altstack_in_use(const struct task *task, uint64_t stack_pointer)
{
	return !((uint32_t)task->altstack.ss_flags & LINUX_SS_AUTODISARM) &&
	       altstack_contains(task, stack_pointer);
}

void altstack_reset(struct task *task);
/* new NULL: look only. -EPERM while it is in use, -EINVAL, -ENOMEM. */
int altstack_set(struct task *task, const struct linux_stack *new_stack, struct linux_stack *old);
