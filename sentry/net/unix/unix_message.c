/* SPDX-License-Identifier: Apache-2.0 */
/* Messages in the queues of unix sockets, and what they cost the sender. */
#include "sentry/net/unix/unix.h"

#include "sentry/mm/memory_file.h"
#include "sentry/mm/memory_held.h"

#include "abi/epoll.h"
#include "sentry/kernel/pid.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <stdlib.h>

/* All queues together: messages live in the sentry's own memory. */
#define UNIX_MEMORY_MAX (1024ll << 20)

static _Atomic int64_t g_memory;

/* About what Linux charges: the buffer's size class and its bookkeeping. */
static int unix_charge(size_t size)
{
	size_t whole = 512;

	if (size > 16384)
		return (int)(page_ceil(size) + 1024);
	while (whole < size + 320)
		whole *= 2;
	return (int)(whole + 256);
}

static int unix_reserve(struct unix_socket *sender, int charge)
{
	if (atomic_load(&sender->send_charge) >= sender->socket.send_buffer)
		return -EAGAIN;
	if (!memory_file_has_room((uint64_t)charge))
		return -ENOBUFS;
	if (atomic_fetch_add(&g_memory, charge) > UNIX_MEMORY_MAX) {
		atomic_fetch_sub(&g_memory, charge);
		return -ENOBUFS;
	}
	atomic_fetch_add(&sender->send_charge, charge);
	memory_held_note((uint64_t)charge);
	return 0;
}

static void unix_unreserve(struct unix_socket *sender, int charge)
{
	atomic_fetch_sub(&g_memory, charge);
	atomic_fetch_sub(&sender->send_charge, charge);
}

int unix_message_new(
	struct unix_socket *sender, struct iov_iter *from, size_t size, struct unix_message **out)
{
	int charge = unix_charge(size), error = unix_reserve(sender, charge);
	struct unix_message *message;
	size_t copied;

	if (error)
		return error;
	message = malloc(sizeof(*message) + size);
	if (!message) {
		unix_unreserve(sender, charge);
		return -ENOBUFS;
	}
	copied = copy_from_iter(message->data, size, from);
	if (copied < size) {
		iov_iter_revert(from, copied);
		free(message);
		unix_unreserve(sender, charge);
		return -EFAULT;
	}
	message->sender = unix_get(sender);
	message->size = size;
	message->offset = 0;
	message->time_ns = 0;
	message->charge = charge;
	message->scm = (struct unix_scm){0};
	*out = message;
	return 0;
}

void unix_message_free(struct unix_message *message)
{
	struct unix_socket *sender = message->sender;

	unix_scm_destroy(&message->scm);
	unix_unreserve(sender, message->charge);
	if (unix_may_write(sender))
		wait_queue_wake(&sender->socket.queue,
			LINUX_EPOLLOUT | LINUX_EPOLLWRNORM | LINUX_EPOLLWRBAND);
	unix_put(sender);
	free(message);
}

void unix_queue_free(struct unix_queue *queue)
{
	struct unix_message *message;

	while ((message = TAILQ_FIRST(queue))) {
		TAILQ_REMOVE(queue, message, link);
		unix_message_free(message);
	}
}

void unix_message_add_cred(struct unix_message *message, const struct unix_socket *receiver)
{
	unsigned int wanted = receiver->socket.options | message->sender->socket.options;

	/* Who accepts the connection may ask for them later. */
	if (message->scm.pid || (!(wanted & SOCKET_PASS_SENDER) && receiver->socket.file))
		return;
	message->scm.pid = pid_get(current->group->pid);
	message->scm.uid = current_cred()->uid;
	message->scm.gid = current_cred()->gid;
}
