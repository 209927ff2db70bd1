/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wait queues: who wants to be told when an object's state changes.
 *
 * A waiter belongs to who declared it, often on the stack, and is in at most one queue. Its
 * callback runs with the queue's lock held: it may take RANK_EPOLL_READY and below, must not block,
 * and must not touch queues other than an epoll's own. Events are LINUX_EPOLL* bits.
 */
#pragma once

#include "base/compiler.h"
#include "base/lock.h"

#include <bsd/sys/queue.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct task;
struct wait_queue;

struct waiter {
	TAILQ_ENTRY(waiter) link; /* guarded by the queue's lock */
	struct wait_queue *queue; /* NULL when in none */
	uint32_t events; /* wants to hear of these; LINUX_EPOLLERR and _HUP are always included */
	bool exclusive;	 /* one such waiter a wake-up suffices */
	bool each;	 /* also hears of events that change nothing for others; never exclusive */
	/* Tells whether the wake-up was of use (counts for exclusive waiters). */
	bool (*wake)(struct waiter *waiter, uint32_t events);
	struct task *task; /* for waiters that wake a task */
};

struct wait_queue {
	struct mutex lock; /* RANK_WAIT_QUEUE */
	atomic_uint count; /* lets a wake-up of nobody cost one load */
	atomic_uint each;  /* of those, who hears of each event */
	TAILQ_HEAD(, waiter) waiters;
};

void wait_queue_init(struct wait_queue *queue);
/* Nobody may be waiting any more. */
void wait_queue_destroy(struct wait_queue *queue);
void wait_queue_add(struct wait_queue *queue, struct waiter *waiter);
/* Harmless for a waiter that is in no queue. When it returns, the callback does not run any more.
 */
void wait_queue_remove(struct waiter *waiter);
void wait_queue_wake(struct wait_queue *queue, uint32_t events);
/* What came when there was something already: for who hears of each event (O_ASYNC) alone. */
void wait_queue_wake_each(struct wait_queue *queue, uint32_t events);
/* A waiter that wakes the task from task_block(). */
void waiter_init_task(struct waiter *waiter, struct task *task, uint32_t events);
