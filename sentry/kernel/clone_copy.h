/* SPDX-License-Identifier: Apache-2.0 */
/* What a child takes over from its parent. */
#pragma once

#include "abi/sched.h"
#include "sentry/kernel/task_run.h"

/* Parent's own thread, flags checked: a child with everything but a pid, in its thread group but
 * not in its lists; not visible. */
must_check int clone_copy(
	struct task *parent, const struct linux_clone_args *args, struct task **out);
/* The hooks of task_add_fork_hook(), once the clone cannot fail any more. */
void clone_run_hooks(struct task *parent, struct task *child, uint64_t flags);
