/* SPDX-License-Identifier: Apache-2.0 */
/* Thread groups as objects, and the CPU time of their threads. */
#include "abi/epoll.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/cred_guard.h"
#include "sentry/kernel/ptrace_state.h"
#include "sentry/kernel/session.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/task_run.h"
#include "sentry/lock_order.h"
#include "sentry/time/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

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

/* --- CPU time --- */

static struct {
	uint64_t ticks;
	int64_t ns;
	/* Nanoseconds a tick, in fixed point with 32 bits after it. */
	_Atomic uint64_t ratio;
} clock_base;

static int64_t host_monotonic(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

/* A longer time makes a better ratio; until there is one, the processor is taken to tick once a
 * nanosecond. */
static void ratio_refine(void)
{
	uint64_t ticks = time_stamp() - clock_base.ticks;
	int64_t ns = host_monotonic() - clock_base.ns;

	if (ticks > 0 && ns > 100000)
		atomic_store_explicit(&clock_base.ratio,
			(uint64_t)(((unsigned __int128)ns << 32) / ticks), memory_order_relaxed);
}

void task_times_start(void)
{
	struct timespec pause = {.tv_nsec = 300000};

	clock_base.ticks = time_stamp();
	clock_base.ns = host_monotonic();
	atomic_store(&clock_base.ratio, 1ull << 32);
	(void)nanosleep(&pause, NULL);
	ratio_refine();
}

uint64_t task_ticks_to_ns(uint64_t ticks)
{
	uint64_t ratio = atomic_load_explicit(&clock_base.ratio, memory_order_relaxed);

	return (uint64_t)(((unsigned __int128)ticks * ratio) >> 32);
}

void task_cpu_times(struct task *task, uint64_t *user_ns, uint64_t *system_ns)
{
	uint64_t since = atomic_load_explicit(&task->run.since, memory_order_relaxed);
	bool in_guest = atomic_load_explicit(&task->run.in_guest, memory_order_relaxed);
	uint64_t now = time_stamp(), more = 0;

	*user_ns = atomic_load_explicit(&task->times.user_ns, memory_order_relaxed);
	*system_ns = atomic_load_explicit(&task->times.system_ns, memory_order_relaxed);
	if (since && now > since)
		more = task_ticks_to_ns(now - since);
	*(in_guest ? user_ns : system_ns) += more;
}

void thread_group_cpu_times_locked(
	struct thread_group *group, uint64_t *user_ns, uint64_t *system_ns)
{
	struct task *task;

	*user_ns = atomic_load_explicit(&group->dead_threads.user_ns, memory_order_relaxed);
	*system_ns = atomic_load_explicit(&group->dead_threads.system_ns, memory_order_relaxed);
	TAILQ_FOREACH (task, &group->tasks, group_link) {
		uint64_t user, system;

		task_cpu_times(task, &user, &system);
		*user_ns += user;
		*system_ns += system;
	}
}

void thread_group_cpu_times(struct thread_group *group, uint64_t *user_ns, uint64_t *system_ns)
{
	struct sighand *sighand;

	mutex_lock(&g_tasks.lock);
	sighand = group->sighand;
	mutex_lock(&sighand->lock);
	mutex_unlock(&g_tasks.lock);
	thread_group_cpu_times_locked(group, user_ns, system_ns);
	mutex_unlock(&sighand->lock);
}
