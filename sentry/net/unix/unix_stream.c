/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SOCK_STREAM: bytes in pieces of up to 32 KiB. Reads go over the ends of pieces, but not past one
 * that brought files, nor from one sender's to another's while credentials are passed.
 *
 * Differs from Linux: no out-of-band byte (as Linux without CONFIG_AF_UNIX_OOB).
 */
#include "sentry/net/unix/unix.h"

#include "abi/epoll.h"

#include <errno.h>

#define UNIX_PIECE_MAX 32768

/* -EPIPE: nobody will read it. */
static int unix_stream_queue(struct unix_socket *peer, struct unix_message *piece)
{
	bool refused;

	mutex_lock(&peer->socket.lock);
	refused = peer->dead || (peer->shutdown & UNIX_SHUT_RECEIVE);
	if (!refused) {
		TAILQ_INSERT_TAIL(&peer->queue, piece, link);
		peer->queued++;
	}
	mutex_unlock(&peer->socket.lock);
	if (refused) {
		unix_message_free(piece);
		return -EPIPE;
	}
	wait_queue_wake(&peer->socket.queue, LINUX_EPOLLIN | LINUX_EPOLLRDNORM | LINUX_EPOLLRDBAND);
	return 0;
}

static int unix_stream_send_piece(
	struct unix_socket *unix_socket, struct unix_socket *peer, struct socket_message *message)
{
	size_t half = (size_t)unix_socket->socket.send_buffer / 2 - 64;
	size_t size = min_u64(min_u64(iov_iter_count(message->iter), half), UNIX_PIECE_MAX);
	struct unix_message *piece;
	int error;

	if (unix_socket->shutdown & UNIX_SHUT_SEND)
		return -EPIPE;
	error = unix_message_new(unix_socket, message->iter, size, &piece);
	if (error)
		return error;
	unix_scm_attach(message, piece);
	unix_message_add_cred(piece, peer);
	error = unix_stream_queue(peer, piece);
	if (!error)
		message->done += size;
	return error;
}

int64_t unix_stream_send(struct socket *socket, struct socket_message *message)
{
	struct unix_socket *unix_socket = unix_of(socket);
	struct unix_socket *peer = unix_socket->peer;
	int error = 0;

	if (message->flags & LINUX_MSG_OOB)
		return -EOPNOTSUPP;
	if (message->control_size)
		error = unix_scm_prepare(message);
	if (error)
		return error;
	if (message->name.size)
		return unix_socket->state == UNIX_CONNECTED ? -EISCONN : -EOPNOTSUPP;
	if (!peer)
		return -ENOTCONN;
	if (unix_socket->shutdown & UNIX_SHUT_SEND)
		return -EPIPE;
	while (iov_iter_count(message->iter) && !error)
		error = unix_stream_send_piece(unix_socket, peer, message);
	if (error == -EAGAIN)
		return -EAGAIN;
	return message->done ? (int64_t)message->done : error;
}

struct unix_stream_read {
	struct unix_socket *unix_socket;
	struct socket_message *message;
	size_t skip;		/* SO_PEEK_OFF: bytes yet to be left out */
	struct unix_queue used; /* freed when the lock is dropped */
	bool peek, stop;
	int error;
};

/* Takes from one piece what is wanted; the piece to go on with. lock held. */
static struct unix_message *unix_stream_take(
	struct unix_stream_read *read, struct unix_message *piece)
{
	struct unix_message *next = TAILQ_NEXT(piece, link);
	struct socket_message *message = read->message;
	size_t start = piece->offset + read->skip;
	size_t wanted = min_u64(piece->size - start, iov_iter_count(message->iter));
	size_t copied = copy_to_iter(piece->data + start, wanted, message->iter);
	bool files = piece->scm.files;

	read->skip = 0;
	message->done += copied;
	read->stop = copied < wanted;
	if (copied == 0) {
		read->error = -EFAULT;
		return next;
	}
	if (files) {
		read->stop = true;
		read->error = unix_scm_receive_files(message, piece, read->peek);
	}
	if (read->peek)
		return next;
	piece->offset += copied;
	if (piece->offset == piece->size) {
		TAILQ_REMOVE(&read->unix_socket->queue, piece, link);
		read->unix_socket->queued--;
		TAILQ_INSERT_TAIL(&read->used, piece, link);
	}
	return next;
}

static void unix_stream_take_all(struct unix_stream_read *read)
{
	struct socket_message *message = read->message;
	struct unix_message *piece = TAILQ_FIRST(&read->unix_socket->queue);

	while (piece && read->skip && read->skip >= piece->size - piece->offset) {
		read->skip -= piece->size - piece->offset;
		piece = TAILQ_NEXT(piece, link);
	}
	if (piece && message->wants_name && !message->name.size)
		unix_name_copy_sender(piece->sender, &message->name);
	/* A read of nothing still looks at who sent what comes first. */
	while (piece && !read->stop && iov_iter_count(message->iter)) {
		read->stop = !unix_scm_receive_cred(read->unix_socket, message, piece);
		if (!read->stop)
			piece = unix_stream_take(read, piece);
	}
}

/* When is a read with fewer bytes than wanted done all the same? lock held. */
static int64_t unix_stream_result(struct unix_stream_read *read, size_t target)
{
	struct socket_message *message = read->message;
	bool full = iov_iter_count(message->iter) == 0;
	int error;

	/* Even who wants no byte waits for one to be there. */
	if (read->stop || (message->done && (message->done >= target || full)) ||
		(full && !TAILQ_EMPTY(&read->unix_socket->queue)))
		return message->done ? (int64_t)message->done : read->error;
	error = message->done ? 0 : socket_take_error(&read->unix_socket->socket);
	if (error)
		return error;
	if (read->unix_socket->shutdown & UNIX_SHUT_RECEIVE)
		return (int64_t)message->done;
	return -EAGAIN;
}

int64_t unix_stream_receive(struct socket *socket, struct socket_message *message)
{
	struct unix_stream_read read = {.unix_socket = unix_of(socket), .message = message};
	size_t total = message->done + iov_iter_count(message->iter), target = total;
	int64_t result;

	if (read.unix_socket->state != UNIX_CONNECTED)
		return -EINVAL;
	if (message->flags & LINUX_MSG_OOB)
		return -EOPNOTSUPP;
	if (!(message->flags & LINUX_MSG_WAITALL))
		target = min_u64((uint64_t)socket->receive_low, total);
	TAILQ_INIT(&read.used);
	read.peek = message->flags & LINUX_MSG_PEEK;
	mutex_lock(&socket->lock);
	if (read.peek && read.unix_socket->peek_offset > 0)
		read.skip = (size_t)read.unix_socket->peek_offset;
	unix_stream_take_all(&read);
	result = unix_stream_result(&read, target);
	if (result > 0)
		unix_move_peek_offset(read.unix_socket, read.peek, (size_t)result);
	mutex_unlock(&socket->lock);
	unix_queue_free(&read.used);
	unix_scm_received(message);
	if (result == -EAGAIN && read.peek && !message->no_wait) {
		/* What was seen is looked at anew when more has come. */
		iov_iter_revert(message->iter, message->done);
		message->done = 0;
	}
	return result;
}
