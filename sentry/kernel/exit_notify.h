/* SPDX-License-Identifier: Apache-2.0 */
/* The family side of a task's end: new parents for its children, and who is told. */
#pragma once

#include "sentry/kernel/task_run.h"

/* Own thread, nothing left but memory: the task becomes a zombie, or goes away at once. */
void exit_notify(struct task *task);
/* The last thread of a namespace's init ends: kills and reaps all others first. No lock held. */
void pid_namespace_end(struct task *task);
/* RANK_TASK_SET and RANK_SIGHAND: an execve goes on when the others are gone. */
void exec_check_siblings_locked(struct thread_group *group);
void task_leave_hooks_run(struct task *task);
