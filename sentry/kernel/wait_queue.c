/* SPDX-License-Identifier: Apache-2.0 */
/* Wait queues: waiters in the order of their coming; a wake-up of nobody costs one load. */
#include "sentry/kernel/wait_queue.h"

#include "abi/epoll.h"
#include "base/lock.h"
#include "sentry/kernel/task.h"
#include "sentry/lock_order.h"

void wait_queue_init(struct wait_queue *queue)
{
	mutex_init(&queue->lock, RANK_WAIT_QUEUE, "wait_queue");
	atomic_init(&queue->count, 0);
	atomic_init(&queue->each, 0);
	TAILQ_INIT(&queue->waiters);
}

void wait_queue_destroy(struct wait_queue *queue)
{
	mutex_destroy(&queue->lock);
}

/*
 * Who waits adds itself first and looks at the object afterwards; who changes the object looks at
 * the count afterwards. Both need their two steps in order, hence the sequentially consistent
 * accesses.
 */
void wait_queue_add(struct wait_queue *queue, struct waiter *waiter)
{
	mutex_guard(&queue->lock);
	waiter->queue = queue;
	/* Exclusive waiters come last, so that a wake-up reaches all others. */
	if (waiter->exclusive)
		TAILQ_INSERT_TAIL(&queue->waiters, waiter, link);
	else
		TAILQ_INSERT_HEAD(&queue->waiters, waiter, link);
	atomic_fetch_add(&queue->count, 1);
	if (waiter->each)
		atomic_fetch_add(&queue->each, 1);
}

void wait_queue_remove(struct waiter *waiter)
{
	struct wait_queue *queue = waiter->queue;

	if (!queue)
		return;
	mutex_guard(&queue->lock);
	TAILQ_REMOVE(&queue->waiters, waiter, link);
	atomic_fetch_sub(&queue->count, 1);
	if (waiter->each)
		atomic_fetch_sub(&queue->each, 1);
	waiter->queue = NULL;
}

void wait_queue_wake(struct wait_queue *queue, uint32_t events)
{
	struct waiter *waiter, *next;
	bool satisfied = false;

	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_load(&queue->count) == 0)
		return;
	/* A waiter may watch a queue whose owner wakes it from within another queue's wake-up
	 * (epoll). */
	mutex_lock_nested(&queue->lock);
	TAILQ_FOREACH_SAFE (waiter, &queue->waiters, link, next) {
		if (!(events & (waiter->events | LINUX_EPOLLERR | LINUX_EPOLLHUP)))
			continue;
		if (waiter->exclusive && satisfied)
			continue;
		if (waiter->wake(waiter, events) && waiter->exclusive)
			satisfied = true;
	}
	mutex_unlock(&queue->lock);
}

void wait_queue_wake_each(struct wait_queue *queue, uint32_t events)
{
	struct waiter *waiter, *next;

	atomic_thread_fence(memory_order_seq_cst);
	if (likely(atomic_load(&queue->each) == 0))
		return;
	mutex_lock_nested(&queue->lock);
	TAILQ_FOREACH_SAFE (waiter, &queue->waiters, link, next) {
		if (waiter->each && (events & waiter->events))
			(void)waiter->wake(waiter, events);
	}
	mutex_unlock(&queue->lock);
}

static bool wake_task(struct waiter *waiter, uint32_t events)
{
	task_wake(waiter->task);
	return true;
}

void waiter_init_task(struct waiter *waiter, struct task *task, uint32_t events)
{
	*waiter = (struct waiter){.events = events, .wake = wake_task, .task = task};
}
