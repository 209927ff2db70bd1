/* SPDX-License-Identifier: Apache-2.0 */
/* One queue, between the files of this directory. */
#pragma once

#include "base/lock.h"
#include "sentry/fs/mqueue/mqueue.h"
#include "sentry/kernel/wait_queue.h"
#include "sentry/vfs/file.h"

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

struct mqueue_message {
	RB_ENTRY(mqueue_message) node;
	uint32_t priority;
	uint64_t sequence; /* of arrival: the order of equal priorities */
	size_t size;
	uint8_t bytes[];
};

RB_HEAD(mqueue_messages, mqueue_message);

/* On the stack of who waits; guarded by the queue's lock. */
struct mqueue_wait {
	TAILQ_ENTRY(mqueue_wait) link;
	struct task *task;
	struct mqueue_message *message; /* a sender's, or what a receiver was handed */
	bool done;
};

TAILQ_HEAD(mqueue_waits, mqueue_wait);

/* Who is told when a message comes to an empty queue that nobody waits at. */
struct mqueue_notification {
	struct pid *owner; /* a process; a reference. NULL: nobody */
	struct linux_sigevent event;
	struct file *socket; /* SIGEV_THREAD: a reference */
	uint8_t cookie[LINUX_NOTIFY_COOKIE_LEN];
};

struct mqueue {
	struct mutex lock; /* RANK_PIPE */
	struct mqueue_messages messages;
	struct mqueue_waits senders, receivers;
	struct mqueue_notification notification;
	uint64_t sequence;
	int64_t count, bytes;
	struct wait_queue poll;
	int64_t max_messages, message_size; /* set once */
	uint32_t charged_uid;		    /* set once, as the next */
	uint64_t charged;		    /* of RLIMIT_MSGQUEUE */
};

static inline struct mqueue *mqueue_of(const struct file *file)
{
	return file->inode->private;
}

extern const struct file_operations mqueue_file_operations;

/* --- mqueue.c --- */
/* attributes were checked, and charged bytes were to the user. */
must_check int mqueue_new(const struct linux_mq_attr *attributes, uint32_t charged_uid,
	uint64_t charged, struct mqueue **out);
void mqueue_free(struct mqueue *queue);

/* --- mqueue_notify.c --- */
/* Leaves nobody registered. The queue's lock held. */
struct mqueue_notification mqueue_take_notification(struct mqueue *queue);
/* Carries a registration out that was taken from its queue, for a message of sender's or, NULL,
 * because it was taken back; lets go of what it holds. No lock held. Harmless for an empty one. */
void mqueue_tell(struct mqueue_notification *notification, struct task *sender);
/* close(2) by the process that registered takes the registration back. */
int mqueue_flush(struct file *file);
/* The line that a queue's file reads as. */
size_t mqueue_describe(struct mqueue *queue, char *buffer, size_t size);
