/* SPDX-License-Identifier: Apache-2.0 */
/*
 * membarrier(2): threads that are in guest code are taken out of it once, which orders their memory
 * accesses; those that are not have passed a barrier on the way.
 *
 * Differs from Linux: MEMBARRIER_CMD_FLAG_CPU interrupts all threads, not only those on that
 * processor.
 */
#include "sentry/kernel/membarrier.h"

#include "abi/membarrier.h"
#include "sentry/kernel/signal.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>

#define COMMANDS                                                                                   \
	(LINUX_MEMBARRIER_CMD_GLOBAL | LINUX_MEMBARRIER_CMD_GLOBAL_EXPEDITED |                     \
		LINUX_MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED |                                   \
		LINUX_MEMBARRIER_CMD_PRIVATE_EXPEDITED |                                           \
		LINUX_MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED |                                  \
		LINUX_MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE |                                 \
		LINUX_MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE |                        \
		LINUX_MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ |                                      \
		LINUX_MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ |                             \
		LINUX_MEMBARRIER_CMD_GET_REGISTRATIONS)

/* A thread that was in guest code when it was kicked. */
struct target {
	struct task *task;
	uint64_t since;
};

/* Has it left guest code since then? The time of its last way in or out tells. */
static bool target_passed(const struct target *target)
{
	return !atomic_load(&target->task->run.in_guest) ||
	       atomic_load(&target->task->run.since) != target->since;
}

static void target_wait(const struct target *target)
{
	while (!target_passed(target))
		(void)sched_yield();
}

/* Kicks the process's threads that are in guest code; how many. RANK_SIGHAND held. */
static size_t kick_group_locked(
	struct task *task, struct thread_group *group, struct target *targets, size_t room)
{
	struct task *other;
	size_t count = 0;

	TAILQ_FOREACH (other, &group->tasks, group_link) {
		uint64_t since = atomic_load(&other->run.since);

		if (other == task || !atomic_load(&other->run.in_guest) || count == room)
			continue;
		targets[count++] = (struct target){task_get(other), since};
		task_kick(other);
	}
	return count;
}

static int64_t barrier_group(struct task *task, struct thread_group *group)
{
	struct sighand *sighand = thread_group_lock_signals(group);
	size_t room = group->live_count + 1, count;
	struct target *targets = calloc(room, sizeof(*targets));

	if (!targets) {
		mutex_unlock(&sighand->lock);
		return -ENOMEM;
	}
	atomic_thread_fence(memory_order_seq_cst);
	count = kick_group_locked(task, group, targets, room);
	mutex_unlock(&sighand->lock);
	for (size_t i = 0; i < count; i++) {
		target_wait(&targets[i]);
		task_put(targets[i].task);
	}
	free(targets);
	return 0;
}

/* Every process that the caller's namespace sees, or those alone that registered for it. */
static int64_t barrier_all(struct task *task, uint32_t registered)
{
	struct pid_namespace *ns = g_tasks.root_pid_ns;
	int64_t error = 0;
	struct pid *pid;

	for (int number = 1; !error && number > 0 && (pid = pid_next(ns, number)); number++) {
		struct thread_group *group;

		number = pid_number_in(pid, ns);
		mutex_lock(&g_tasks.lock);
		group = pid->group ? thread_group_get(pid->group) : NULL;
		mutex_unlock(&g_tasks.lock);
		if (group && (!registered || (group->membarrier.registered & registered)))
			error = barrier_group(task, group);
		thread_group_put(group);
		pid_put(pid);
	}
	return error;
}

static int64_t barrier_private(struct task *task, uint32_t registration)
{
	if (!(task->group->membarrier.registered & registration))
		return -EPERM;
	return barrier_group(task, task->group);
}

int64_t membarrier(struct task *task, int command, unsigned int flags, int cpu)
{
	uint32_t *registered = &task->group->membarrier.registered;

	if (flags && !(command == LINUX_MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ &&
			     flags == LINUX_MEMBARRIER_CMD_FLAG_CPU && cpu >= 0))
		return -EINVAL;
	switch (command) {
	case LINUX_MEMBARRIER_CMD_QUERY:
		return COMMANDS;
	case LINUX_MEMBARRIER_CMD_GLOBAL:
		return barrier_all(task, 0);
	case LINUX_MEMBARRIER_CMD_GLOBAL_EXPEDITED:
		return barrier_all(task, LINUX_MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED);
	case LINUX_MEMBARRIER_CMD_PRIVATE_EXPEDITED:
		return barrier_private(task, LINUX_MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
	case LINUX_MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE:
		return barrier_private(
			task, LINUX_MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE);
	case LINUX_MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ:
		return barrier_private(task, LINUX_MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ);
	case LINUX_MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED:
	case LINUX_MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
	case LINUX_MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE:
	case LINUX_MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ:
		__atomic_fetch_or(registered, (uint32_t)command, __ATOMIC_SEQ_CST);
		return 0;
	case LINUX_MEMBARRIER_CMD_GET_REGISTRATIONS:
		return *registered;
	default:
		return -EINVAL;
	}
}
