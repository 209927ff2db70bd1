/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message queue: messages by priority, and who waits for one or for room.
 *
 * Who receives while a sender waits takes that one's message into the queue for it, and who sends
 * while a receiver waits hands the message over, so that nobody who comes later is first.
 *
 * Differs from Linux: waiters of higher scheduling priority do not come first, and all messages of
 * the sandbox together hold at most MESSAGES_TOTAL_MAX bytes (ENOMEM).
 */
#include "sentry/fs/mqueue/mqueue_queue.h"

#include "abi/epoll.h"
#include "abi/fcntl.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/user_count.h"
#include "sentry/lock_order.h"
#include "sentry/mm/memory_held.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGES_TOTAL_MAX (64ul << 20)

static atomic_size_t g_total;

/* The first in the tree is the next to be received. */
static int compare_messages(const struct mqueue_message *a, const struct mqueue_message *b)
{
	if (a->priority != b->priority)
		return a->priority > b->priority ? -1 : 1;
	return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

RB_GENERATE_INTERNAL(mqueue_messages, mqueue_message, node, compare_messages, unused_ static)

static void message_free(struct mqueue_message *message)
{
	if (!message)
		return;
	atomic_fetch_sub(&g_total, sizeof(*message) + message->size);
	free(message);
}

/* Of a guest's text. */
static int message_new(struct task *task, gaddr_t text, size_t size, uint32_t priority,
	struct mqueue_message **out)
{
	struct mqueue_message *message = NULL;

	if (atomic_fetch_add(&g_total, sizeof(*message) + size) < MESSAGES_TOTAL_MAX)
		message = malloc(sizeof(*message) + size);
	if (!message) {
		atomic_fetch_sub(&g_total, sizeof(*message) + size);
		return -ENOMEM;
	}
	memory_held_note(sizeof(*message) + size);
	message->size = size;
	message->priority = priority;
	if (mm_copy_in(task->mm, message->bytes, text, size)) {
		message_free(message);
		return -EFAULT;
	}
	*out = message;
	return 0;
}

int mqueue_new(const struct linux_mq_attr *attributes, uint32_t charged_uid, uint64_t charged,
	struct mqueue **out)
{
	struct mqueue *queue = calloc(1, sizeof(*queue));

	if (!queue)
		return -ENOMEM;
	mutex_init(&queue->lock, RANK_PIPE, "message queue");
	wait_queue_init(&queue->poll);
	RB_INIT(&queue->messages);
	TAILQ_INIT(&queue->senders);
	TAILQ_INIT(&queue->receivers);
	queue->max_messages = attributes->mq_maxmsg;
	queue->message_size = attributes->mq_msgsize;
	queue->charged_uid = charged_uid;
	queue->charged = charged;
	*out = queue;
	return 0;
}

static struct mqueue_message *take_first(struct mqueue *queue)
{
	struct mqueue_message *message = RB_MIN(mqueue_messages, &queue->messages);

	if (!message)
		return NULL;
	RB_REMOVE(mqueue_messages, &queue->messages, message);
	queue->count--;
	queue->bytes -= (int64_t)message->size;
	return message;
}

static void insert(struct mqueue *queue, struct mqueue_message *message)
{
	message->sequence = queue->sequence++;
	RB_INSERT(mqueue_messages, &queue->messages, message);
	queue->count++;
	queue->bytes += (int64_t)message->size;
}

void mqueue_free(struct mqueue *queue)
{
	struct mqueue_message *message;

	if (!queue)
		return;
	while ((message = take_first(queue)))
		message_free(message);
	user_count_remove(USER_QUEUE_BYTES, queue->charged_uid, queue->charged);
	wait_queue_destroy(&queue->poll);
	mutex_destroy(&queue->lock);
	free(queue);
}

/* Ends a wait. Its owner sees that only after the lock is free again. */
static void wait_finish(struct mqueue_waits *waits, struct mqueue_wait *wait)
{
	TAILQ_REMOVE(waits, wait, link);
	wait->done = true;
	task_wake(wait->task);
}

/* Waits in a queue's list until another carries it out; the lock is held, but for the time asleep.
 */
static int wait_locked(struct task *task, struct mqueue *queue, struct mqueue_waits *waits,
	struct mqueue_wait *wait, int64_t deadline_ns)
{
	int result = 0;

	wait->task = task;
	TAILQ_INSERT_TAIL(waits, wait, link);
	while (!wait->done && !result) {
		mutex_unlock(&queue->lock);
		result = task_block(task, deadline_ns);
		mutex_lock(&queue->lock);
	}
	if (wait->done)
		return 0;
	TAILQ_REMOVE(waits, wait, link);
	return result;
}

/* Takes the message for good on success. */
static int send_locked(struct task *task, struct file *file, struct mqueue_message *message,
	int64_t deadline_ns, struct mqueue_notification *notification)
{
	struct mqueue *queue = mqueue_of(file);
	struct mqueue_wait *receiver = TAILQ_FIRST(&queue->receivers);
	struct mqueue_wait wait = {.message = message};

	if (queue->count >= queue->max_messages) {
		if (file->flags & LINUX_O_NONBLOCK)
			return -EAGAIN;
		return wait_locked(task, queue, &queue->senders, &wait, deadline_ns);
	}
	if (receiver) {
		receiver->message = message;
		wait_finish(&queue->receivers, receiver);
		return 0;
	}
	insert(queue, message);
	if (queue->count == 1)
		*notification = mqueue_take_notification(queue);
	wait_queue_wake(&queue->poll, LINUX_EPOLLIN | LINUX_EPOLLRDNORM);
	return 0;
}

int64_t mqueue_send(struct task *task, struct file *file, gaddr_t text, uint64_t size,
	uint32_t priority, int64_t deadline_ns)
{
	struct mqueue *queue = mqueue_of(file);
	struct mqueue_notification notification = {0};
	struct mqueue_message *message;
	int error;

	if (size > (uint64_t)queue->message_size)
		return -EMSGSIZE;
	error = message_new(task, text, size, priority, &message);
	if (error)
		return error;
	mutex_lock(&queue->lock);
	error = send_locked(task, file, message, deadline_ns, &notification);
	mutex_unlock(&queue->lock);
	mqueue_tell(&notification, task);
	if (error)
		message_free(message);
	else
		inode_touch_mtime(file->inode);
	return error;
}

/* There is room: the first of those who wait for it may go on. */
static void let_sender_in(struct mqueue *queue)
{
	struct mqueue_wait *sender = TAILQ_FIRST(&queue->senders);

	if (!sender) {
		wait_queue_wake(&queue->poll, LINUX_EPOLLOUT | LINUX_EPOLLWRNORM);
		return;
	}
	insert(queue, sender->message);
	wait_finish(&queue->senders, sender);
}

static int receive_locked(
	struct task *task, struct file *file, int64_t deadline_ns, struct mqueue_message **out)
{
	struct mqueue *queue = mqueue_of(file);
	struct mqueue_wait wait = {0};
	int error;

	*out = take_first(queue);
	if (*out) {
		let_sender_in(queue);
		return 0;
	}
	if (file->flags & LINUX_O_NONBLOCK)
		return -EAGAIN;
	error = wait_locked(task, queue, &queue->receivers, &wait, deadline_ns);
	*out = wait.message;
	return error;
}

int64_t mqueue_receive(struct task *task, struct file *file, gaddr_t text, uint64_t size,
	gaddr_t priority, int64_t deadline_ns)
{
	struct mqueue *queue = mqueue_of(file);
	struct mqueue_message *message;
	int64_t result;

	if (size < (uint64_t)queue->message_size)
		return -EMSGSIZE;
	mutex_lock(&queue->lock);
	result = receive_locked(task, file, deadline_ns, &message);
	mutex_unlock(&queue->lock);
	if (result)
		return result;
	inode_touch_mtime(file->inode);
	/* As Linux: the message is gone even if the address is bad. */
	result = (int64_t)message->size;
	if ((priority && mm_copy_out(task->mm, priority, &message->priority, sizeof(uint32_t))) ||
		mm_copy_out(task->mm, text, message->bytes, message->size))
		result = -EFAULT;
	message_free(message);
	return result;
}

void mqueue_get_attributes(struct file *file, struct linux_mq_attr *out)
{
	struct mqueue *queue = mqueue_of(file);

	*out = (struct linux_mq_attr){
		.mq_flags = file->flags & LINUX_O_NONBLOCK,
		.mq_maxmsg = queue->max_messages,
		.mq_msgsize = queue->message_size,
	};
	mutex_guard(&queue->lock);
	out->mq_curmsgs = queue->count;
}

/* --- the file --- */

static int64_t mqueue_read(struct file *file, struct iov_iter *to, int64_t *position)
{
	char text[128];
	size_t size = mqueue_describe(mqueue_of(file), text, sizeof(text)), copied;

	if (*position < 0 || (uint64_t)*position >= size || !iov_iter_count(to))
		return 0;
	size = min_u64(size - (uint64_t)*position, iov_iter_count(to));
	copied = copy_to_iter(text + *position, size, to);
	if (!copied)
		return -EFAULT;
	*position += (int64_t)copied;
	return (int64_t)copied;
}

static uint32_t mqueue_poll(struct file *file)
{
	struct mqueue *queue = mqueue_of(file);
	uint32_t events = 0;

	mutex_guard(&queue->lock);
	if (queue->count)
		events |= LINUX_EPOLLIN | LINUX_EPOLLRDNORM;
	if (queue->count < queue->max_messages)
		events |= LINUX_EPOLLOUT | LINUX_EPOLLWRNORM;
	return events;
}

static struct wait_queue *mqueue_wait_queue(struct file *file)
{
	return &mqueue_of(file)->poll;
}

const struct file_operations mqueue_file_operations = {
	.read = mqueue_read,
	.poll = mqueue_poll,
	.wait_queue = mqueue_wait_queue,
	.flush = mqueue_flush,
};

bool file_is_mqueue(const struct file *file)
{
	return file->ops == &mqueue_file_operations;
}
