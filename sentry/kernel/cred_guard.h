/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One execve, ptrace attach or TSYNC of a process at a time: between the look at credentials and
 * what comes of it they stay.
 *
 * It is held while a thread waits for others to die, so it is no mutex: who waits for it can be
 * interrupted.
 */
#pragma once

#include "sentry/kernel/task.h"

/* task is the caller. -ERESTARTNOINTR when it was interrupted. No lock held. */
must_check int cred_guard_lock(struct task *task, struct thread_group *group);
void cred_guard_unlock(struct thread_group *group);
