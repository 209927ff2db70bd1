/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System V message queues (msgget(2), msgop(2), msgctl(2)).
 *
 * Differs from Linux: all messages of the sandbox together hold at most MESSAGES_TOTAL_MAX bytes
 * (ENOMEM).
 */
#include "abi/capability.h"
#include "abi/epoll.h"
#include "sentry/kernel/ipc_private.h"
#include "sentry/kernel/task.h"

#include <bsd/sys/queue.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGES_TOTAL_MAX (64ul << 20)

static atomic_size_t g_total;

struct message {
	TAILQ_ENTRY(message) link;
	int64_t type;
	size_t size;
	uint8_t bytes[];
};

struct message_queue {
	struct ipc_object object;
	TAILQ_HEAD(, message) messages;
	struct wait_queue waiters; /* senders and receivers */
	uint64_t bytes, count, bytes_max;
	int64_t sent, received; /* seconds */
	int last_sender, last_receiver;
};

static struct message *message_new(size_t size)
{
	struct message *message = NULL;

	if (atomic_fetch_add(&g_total, sizeof(*message) + size) < MESSAGES_TOTAL_MAX)
		message = malloc(sizeof(*message) + size);
	if (!message)
		atomic_fetch_sub(&g_total, sizeof(*message) + size);
	else
		message->size = size;
	return message;
}

static void message_free(struct message *message)
{
	atomic_fetch_sub(&g_total, sizeof(*message) + message->size);
	free(message);
}

static struct message_queue *queue_of(struct ipc_object *object)
{
	return container_of(object, struct message_queue, object);
}

static void queue_destroy(struct ipc_object *object)
{
	struct message_queue *queue = queue_of(object);
	struct message *message;

	while ((message = TAILQ_FIRST(&queue->messages))) {
		TAILQ_REMOVE(&queue->messages, message, link);
		message_free(message);
	}
	wait_queue_destroy(&queue->waiters);
	free(queue);
}

static void queue_on_remove(struct ipc_object *object)
{
	wait_queue_wake(&queue_of(object)->waiters, LINUX_EPOLLIN | LINUX_EPOLLOUT);
}

static int queue_create(struct task *task, const struct ipc_get *get, struct ipc_object **out)
{
	struct message_queue *queue = calloc(1, sizeof(*queue));

	if (!queue)
		return -ENOMEM;
	TAILQ_INIT(&queue->messages);
	wait_queue_init(&queue->waiters);
	queue->bytes_max = ipc_limit(ipc_namespace_of(task), IPC_MSGMNB);
	queue->object.destroy = queue_destroy;
	queue->object.on_remove = queue_on_remove;
	*out = &queue->object;
	return 0;
}

int64_t ipc_msgget(struct task *task, int key, int flags)
{
	const struct ipc_get get = {
		.kind = IPC_MESSAGES,
		.key = key,
		.flags = flags,
		.maximum = (unsigned int)ipc_limit(ipc_namespace_of(task), IPC_MSGMNI),
		.create = queue_create,
	};

	return ipc_get(task, &get);
}

/* --- moving messages --- */

/* A queue with a reference, so that one may wait in it. */
static int queue_open(struct task *task, int id, struct message_queue **out)
{
	struct ipc_object *object;
	int error;

	mutex_guard(&g_ipc_lock);
	error = ipc_find(task, IPC_MESSAGES, id, &object);
	if (!error)
		*out = queue_of(ipc_object_get(object));
	return error;
}

static int send_attempt(struct task *task, struct message_queue *queue, struct message *message)
{
	int error;

	mutex_guard(&g_ipc_lock);
	if (queue->object.removed)
		return -EIDRM;
	error = ipc_check_access(task, &queue->object, 0222);
	if (error)
		return error;
	if (message->size + queue->bytes > queue->bytes_max || queue->count >= queue->bytes_max)
		return -EAGAIN;
	TAILQ_INSERT_TAIL(&queue->messages, message, link);
	queue->bytes += message->size;
	queue->count++;
	queue->sent = ipc_now_seconds();
	queue->last_sender = task_tgid(task);
	return 0;
}

/* Attempts until one gives something else than -EAGAIN. */
static int queue_wait(struct task *task, struct message_queue *queue, bool wait, uint32_t events,
	int (*attempt)(struct task *task, struct message_queue *queue, void *argument),
	void *argument)
{
	struct waiter waiter;
	int error = attempt(task, queue, argument);

	if (error != -EAGAIN || !wait)
		return error;
	waiter_init_task(&waiter, task, events);
	wait_queue_add(&queue->waiters, &waiter);
	for (;;) {
		error = attempt(task, queue, argument);
		if (error != -EAGAIN)
			break;
		error = task_block(task, INT64_MAX);
		if (error) {
			error = -ERESTARTNOHAND;
			break;
		}
	}
	wait_queue_remove(&waiter);
	return error;
}

static int send_one(struct task *task, struct message_queue *queue, void *argument)
{
	return send_attempt(task, queue, argument);
}

static int message_read(struct task *task, gaddr_t address, uint64_t size, struct message **out)
{
	struct message *message;
	int64_t type;

	if (mm_copy_in(task->mm, &type, address, sizeof(type)))
		return -EFAULT;
	if (type < 1)
		return -EINVAL;
	message = message_new(size);
	if (!message)
		return -ENOMEM;
	message->type = type;
	if (size && mm_copy_in(task->mm, message->bytes, address + sizeof(type), size)) {
		message_free(message);
		return -EFAULT;
	}
	*out = message;
	return 0;
}

int64_t ipc_msgsnd(struct task *task, int id, gaddr_t address, uint64_t size, int flags)
{
	struct message_queue *queue;
	struct message *message;
	int error;

	if (size > ipc_limit(ipc_namespace_of(task), IPC_MSGMAX) || id < 0)
		return -EINVAL;
	error = message_read(task, address, size, &message);
	if (error)
		return error;
	error = queue_open(task, id, &queue);
	if (!error) {
		error = queue_wait(task, queue, !(flags & LINUX_IPC_NOWAIT), LINUX_EPOLLOUT,
			send_one, message);
		if (!error)
			wait_queue_wake(&queue->waiters, LINUX_EPOLLIN);
		ipc_object_put(&queue->object);
	}
	if (error)
		message_free(message);
	return error;
}

struct receive {
	uint64_t size;
	int64_t type;
	int flags;
	struct message *message; /* taken off the queue, or a copy */
};

static bool matches(const struct message *message, const struct receive *receive)
{
	if (receive->type == 0)
		return true;
	if (receive->type < 0)
		return message->type <= (receive->type == INT64_MIN ? INT64_MAX : -receive->type);
	return receive->flags & LINUX_MSG_EXCEPT ? message->type != receive->type
						 : message->type == receive->type;
}

/* The first that matches; for a negative type, of those the one with the lowest. MSG_COPY: the type
 * is a place in the queue. */
static struct message *select_message(struct message_queue *queue, const struct receive *receive)
{
	struct message *message, *found = NULL;
	int64_t place = 0;

	TAILQ_FOREACH (message, &queue->messages, link) {
		if (receive->flags & LINUX_MSG_COPY) {
			if (place++ == receive->type)
				return message;
			continue;
		}
		if (!matches(message, receive))
			continue;
		if (receive->type >= 0)
			return message;
		if (!found || message->type < found->type)
			found = message;
	}
	return found;
}

static int message_copy(const struct message *message, struct message **out)
{
	struct message *copy = message_new(message->size);

	if (!copy)
		return -ENOMEM;
	copy->type = message->type;
	memcpy(copy->bytes, message->bytes, message->size);
	*out = copy;
	return 0;
}

static int receive_one(struct task *task, struct message_queue *queue, void *argument)
{
	struct receive *receive = argument;
	struct message *message;
	int error;

	mutex_guard(&g_ipc_lock);
	if (queue->object.removed)
		return -EIDRM;
	error = ipc_check_access(task, &queue->object, 0444);
	if (error)
		return error;
	message = select_message(queue, receive);
	if (!message)
		return -EAGAIN;
	if (message->size > receive->size && !(receive->flags & LINUX_MSG_NOERROR))
		return -E2BIG;
	if (receive->flags & LINUX_MSG_COPY)
		return message_copy(message, &receive->message);
	TAILQ_REMOVE(&queue->messages, message, link);
	queue->bytes -= message->size;
	queue->count--;
	queue->received = ipc_now_seconds();
	queue->last_receiver = task_tgid(task);
	receive->message = message;
	return 0;
}

static int64_t message_write(struct task *task, gaddr_t address, const struct receive *receive)
{
	const struct message *message = receive->message;
	size_t size = message->size < receive->size ? message->size : receive->size;

	if (mm_copy_out(task->mm, address, &message->type, sizeof(message->type)))
		return -EFAULT;
	if (size && mm_copy_out(task->mm, address + sizeof(message->type), message->bytes, size))
		return -EFAULT;
	return (int64_t)size;
}

int64_t ipc_msgrcv(
	struct task *task, int id, gaddr_t address, uint64_t size, int64_t type, int flags)
{
	struct receive receive = {.size = size, .type = type, .flags = flags};
	struct message_queue *queue;
	int64_t result;
	int error;

	if (id < 0 || size > INT64_MAX)
		return -EINVAL;
	if ((flags & LINUX_MSG_COPY) && ((flags & LINUX_MSG_EXCEPT) || !(flags & LINUX_IPC_NOWAIT)))
		return -EINVAL;
	error = queue_open(task, id, &queue);
	if (error)
		return error;
	error = queue_wait(
		task, queue, !(flags & LINUX_IPC_NOWAIT), LINUX_EPOLLIN, receive_one, &receive);
	if (!error)
		wait_queue_wake(&queue->waiters, LINUX_EPOLLOUT);
	ipc_object_put(&queue->object);
	if (error)
		return error == -EAGAIN ? -ENOMSG : error;
	result = message_write(task, address, &receive);
	message_free(receive.message);
	return result;
}

/* --- msgctl(2) --- */

static void status_fill(
	struct task *task, const struct message_queue *queue, struct linux_msqid64_ds *status)
{
	*status = (struct linux_msqid64_ds){
		.msg_stime = queue->sent,
		.msg_rtime = queue->received,
		.msg_ctime = queue->object.changed,
		.msg_cbytes = queue->bytes,
		.msg_qnum = queue->count,
		.msg_qbytes = queue->bytes_max,
		.msg_lspid = queue->last_sender,
		.msg_lrpid = queue->last_receiver,
	};
	ipc_perm_show(task, &queue->object, &status->msg_perm);
}

static int64_t control_stat(struct task *task, int id, int command, gaddr_t argument)
{
	struct linux_msqid64_ds status;
	struct ipc_object *object;
	int64_t result;
	int error;

	mutex_lock(&g_ipc_lock);
	error = command == LINUX_IPC_STAT ? ipc_find(task, IPC_MESSAGES, id, &object)
					  : ipc_find_index(task, IPC_MESSAGES, id, &object);
	if (!error && command != LINUX_MSG_STAT_ANY)
		error = ipc_check_access(task, object, 0444);
	if (!error)
		status_fill(task, queue_of(object), &status);
	result = error ? error : command == LINUX_IPC_STAT ? 0 : object->id;
	mutex_unlock(&g_ipc_lock);
	if (!error && mm_copy_out(task->mm, argument, &status, sizeof(status)))
		return -EFAULT;
	return result;
}

static int64_t control_info(struct task *task, int command, gaddr_t argument)
{
	struct ipc_namespace *ns = ipc_namespace_of(task);
	struct linux_msginfo info = {
		.msgpool = LINUX_MSGMNI * LINUX_MSGMNB / 1024,
		.msgmap = LINUX_MSGMNB,
		.msgmax = (int)ipc_limit(ns, IPC_MSGMAX),
		.msgmnb = (int)ipc_limit(ns, IPC_MSGMNB),
		.msgmni = (int)ipc_limit(ns, IPC_MSGMNI),
		.msgssz = 16,
		.msgtql = LINUX_MSGMNB,
		.msgseg = 0xffff,
	};
	int highest;

	mutex_lock(&g_ipc_lock);
	highest = ipc_highest_index(ns, IPC_MESSAGES);
	if (command == LINUX_MSG_INFO) {
		info.msgpool = (int)ipc_count(ns, IPC_MESSAGES);
		info.msgmap = info.msgtql = 0;
		for (int i = 0; i <= highest; i++) {
			struct ipc_object *object = ipc_at(ns, IPC_MESSAGES, i);

			info.msgmap += object ? (int)queue_of(object)->count : 0;
			info.msgtql += object ? (int)queue_of(object)->bytes : 0;
		}
	}
	mutex_unlock(&g_ipc_lock);
	if (mm_copy_out(task->mm, argument, &info, sizeof(info)))
		return -EFAULT;
	return highest < 0 ? 0 : highest;
}

static int set_locked(
	struct task *task, struct message_queue *queue, const struct linux_msqid64_ds *status)
{
	int error;

	if (status->msg_qbytes > ipc_limit(queue->object.ns, IPC_MSGMNB) &&
		!capable(LINUX_CAP_SYS_RESOURCE))
		return -EPERM;
	error = ipc_perm_set(task, &queue->object, &status->msg_perm);
	if (error)
		return error;
	queue->bytes_max = status->msg_qbytes;
	wait_queue_wake(&queue->waiters, LINUX_EPOLLIN | LINUX_EPOLLOUT);
	return 0;
}

int64_t ipc_msgctl(struct task *task, int id, int command, gaddr_t argument)
{
	struct linux_msqid64_ds status;
	struct ipc_object *object;
	int error;

	if (id < 0 || command < 0)
		return -EINVAL;
	switch (command) {
	case LINUX_IPC_INFO:
	case LINUX_MSG_INFO:
		return control_info(task, command, argument);
	case LINUX_IPC_STAT:
	case LINUX_MSG_STAT:
	case LINUX_MSG_STAT_ANY:
		return control_stat(task, id, command, argument);
	case LINUX_IPC_SET:
		if (mm_copy_in(task->mm, &status, argument, sizeof(status)))
			return -EFAULT;
		break;
	case LINUX_IPC_RMID:
		break;
	default:
		return -EINVAL;
	}
	mutex_guard(&g_ipc_lock);
	error = ipc_find(task, IPC_MESSAGES, id, &object);
	if (!error)
		error = ipc_check_owner(task, object);
	if (error)
		return error;
	if (command == LINUX_IPC_SET)
		return set_locked(task, queue_of(object), &status);
	ipc_remove(object);
	return 0;
}
