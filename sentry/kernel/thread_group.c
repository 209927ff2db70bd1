/* SPDX-License-Identifier: Apache-2.0 */
/* Thread groups as objects. */
#include "abi/epoll.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/cred_guard.h"
#include "sentry/kernel/ptrace_state.h"
#include "sentry/kernel/session.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/task_run.h"
#include "sentry/lock_order.h"

#include <errno.h>
#include <stdlib.h>

REFCOUNT_TYPE(thread_group_refs, "thread_group");

int thread_group_new(struct thread_group **out)
{
	struct thread_group *group = calloc(1, sizeof(*group));

	if (!group)
		return -ENOMEM;
	refcount_init(&group->refs, &thread_group_refs);
	TAILQ_INIT(&group->tasks);
	LIST_INIT(&group->children);
	signal_pending_init(&group->shared_pending);
	wait_queue_init(&group->child_queue);
	wait_queue_init(&group->cred_guard_queue);
	mutex_init(&group->lock, RANK_LEAF, "thread_group");
	*out = group;
	return 0;
}

struct thread_group *thread_group_get(struct thread_group *group)
{
	refcount_get(&group->refs);
	return group;
}

void thread_group_put(struct thread_group *group)
{
	if (!group || !refcount_put(&group->refs))
		return;
	signal_pending_destroy(&group->shared_pending);
	if (group->sighand)
		sighand_put(group->sighand);
	wait_queue_destroy(&group->child_queue);
	wait_queue_destroy(&group->cred_guard_queue);
	mutex_destroy(&group->lock);
	container_put(group->container);
	pid_put(group->process_group);
	pid_put(group->session_pid);
	pid_put(group->yama_tracer);
	if (group->session)
		session_put(group->session);
	pid_put(group->pid);
	free(group->command_line_override);
	free(group);
}

/* --- one execve or attach at a time --- */

int cred_guard_lock(struct task *task, struct thread_group *group)
{
	struct waiter waiter;
	int result = 0;

	if (!atomic_exchange(&group->cred_guard_held, true))
		return 0;
	waiter_init_task(&waiter, task, LINUX_EPOLLIN);
	wait_queue_add(&group->cred_guard_queue, &waiter);
	while (atomic_exchange(&group->cred_guard_held, true)) {
		if (task_block(task, INT64_MAX)) {
			result = -ERESTARTNOINTR;
			break;
		}
	}
	wait_queue_remove(&waiter);
	return result;
}

void cred_guard_unlock(struct thread_group *group)
{
	atomic_store(&group->cred_guard_held, false);
	wait_queue_wake(&group->cred_guard_queue, LINUX_EPOLLIN);
}
