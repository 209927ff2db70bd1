/* SPDX-License-Identifier: Apache-2.0 */
/* SOCK_DGRAM and SOCK_SEQPACKET: whole messages. */
#include "sentry/net/unix/unix.h"

#include "sentry/net/socket_filter.h"

#include "abi/epoll.h"
#include "abi/time.h"
#include "sentry/time/clock.h"

#include <errno.h>

/* Where a datagram goes: a reference. */
static int unix_datagram_target(
	struct unix_socket *unix_socket, struct socket_message *message, struct unix_socket **out)
{
	if (message->name.size)
		return unix_find(&message->name, unix_socket->socket.type, out);
	*out = unix_peer_get(unix_socket);
	return *out ? 0 : -ENOTCONN;
}

/* The peer's file is gone: forgets it, unless it was changed meanwhile. */
static void unix_datagram_disconnect(struct unix_socket *unix_socket, struct unix_socket *other)
{
	bool dropped;

	mutex_lock(&unix_socket->socket.lock);
	dropped = unix_socket->peer == other;
	if (dropped) {
		unix_socket->peer = NULL;
		unix_socket->state = UNIX_CLOSED;
	}
	mutex_unlock(&unix_socket->socket.lock);
	if (dropped)
		unix_put(other);
}

/* May a datagram go there now? -EAGAIN notes that we wait. other's lock held. */
static int unix_datagram_check_locked(struct unix_socket *unix_socket, struct unix_socket *other)
{
	struct unix_socket *others_peer = other->peer;

	if (other->dead)
		return -ECONNREFUSED;
	if (others_peer && others_peer != unix_socket)
		return -EPERM;
	if (other->shutdown & UNIX_SHUT_RECEIVE)
		return -EPIPE;
	if (unix_socket->peer != other && unix_check_scope(other))
		return -EPERM;
	if (other != unix_socket && !others_peer && other->queued > UNIX_DATAGRAM_BACKLOG)
		return unix_block_on_locked(unix_socket, other);
	return 0;
}

static int unix_datagram_check(struct unix_socket *unix_socket, struct unix_socket *other)
{
	mutex_guard(&other->socket.lock);
	return unix_datagram_check_locked(unix_socket, other);
}

static int unix_datagram_queue(
	struct unix_socket *unix_socket, struct unix_socket *other, struct unix_message *datagram)
{
	bool dropped = false;
	int error;

	mutex_lock(&other->socket.lock);
	error = unix_datagram_check_locked(unix_socket, other);
	if (!error)
		dropped = !socket_filter_admits_locked(
			&other->socket, datagram->data, &datagram->size);
	if (!error && !dropped) {
		if (unlikely(other->socket.options & SOCKET_TIMESTAMP))
			datagram->time_ns = clock_now(LINUX_CLOCK_REALTIME);
		TAILQ_INSERT_TAIL(&other->queue, datagram, link);
		other->queued++;
	}
	mutex_unlock(&other->socket.lock);
	/* The sender is told nothing. */
	if (dropped)
		unix_message_free(datagram);
	else if (!error)
		wait_queue_wake(&other->socket.queue,
			LINUX_EPOLLIN | LINUX_EPOLLRDNORM | LINUX_EPOLLRDBAND);
	return error;
}

static int64_t unix_datagram_send_to(
	struct unix_socket *unix_socket, struct unix_socket *other, struct socket_message *message)
{
	size_t size = iov_iter_count(message->iter);
	struct unix_message *datagram;
	int error;

	if ((int64_t)size > unix_socket->socket.send_buffer - 32)
		return -EMSGSIZE;
	/* Before the data is copied; and again when it is queued. */
	error = unix_datagram_check(unix_socket, other);
	if (!error)
		error = unix_message_new(unix_socket, message->iter, size, &datagram);
	if (error)
		return error;
	unix_scm_attach(message, datagram);
	unix_message_add_cred(datagram, other);
	error = unix_datagram_queue(unix_socket, other, datagram);
	if (error == -EAGAIN) {
		/* Another sender took the room: our files wait for the next attempt. */
		struct unix_scm *scm = message->private;

		iov_iter_revert(message->iter, size);
		if (scm) {
			*scm = datagram->scm;
			datagram->scm = (struct unix_scm){0};
		}
	}
	if (error)
		unix_message_free(datagram);
	return error ? error : (int64_t)size;
}

int64_t unix_datagram_send(struct socket *socket, struct socket_message *message)
{
	struct unix_socket *unix_socket = unix_of(socket), *other;
	int64_t result = 0;

	if (message->flags & LINUX_MSG_OOB)
		return -EOPNOTSUPP;
	if (message->control_size)
		result = unix_scm_prepare(message);
	if (!result && (socket->options & SOCKET_PASS_SENDER))
		result = unix_autobind(unix_socket);
	if (!result && (unix_socket->shutdown & UNIX_SHUT_SEND))
		result = -EPIPE;
	if (!result)
		result = unix_datagram_target(unix_socket, message, &other);
	if (result)
		return result;
	result = unix_datagram_send_to(unix_socket, other, message);
	if (result == -ECONNREFUSED && !message->name.size && socket->type == LINUX_SOCK_DGRAM)
		unix_datagram_disconnect(unix_socket, other);
	unix_put(other);
	return result;
}

int64_t unix_seqpacket_send(struct socket *socket, struct socket_message *message)
{
	int error = socket_take_error(socket);

	if (error)
		return error;
	if (unix_of(socket)->state != UNIX_CONNECTED)
		return -ENOTCONN;
	message->name.size = 0;
	return unix_datagram_send(socket, message);
}

/* SO_TIMESTAMP and its kin; who asks only now is told when it asked. */
static void put_time(
	struct socket *socket, struct socket_message *out, struct unix_message *datagram)
{
	unsigned int options = socket->options;
	bool new = (options & SOCKET_TIMESTAMP_NEW) != 0;
	int64_t time[2];

	if (likely(!(options & SOCKET_TIMESTAMP)))
		return;
	if (!datagram->time_ns)
		datagram->time_ns = clock_now(LINUX_CLOCK_REALTIME);
	time[0] = datagram->time_ns / NSEC_PER_SEC;
	time[1] = datagram->time_ns % NSEC_PER_SEC;
	if (options & SOCKET_TIMESTAMPNS) {
		socket_put_control(out, LINUX_SOL_SOCKET,
			new ? LINUX_SO_TIMESTAMPNS_NEW : LINUX_SO_TIMESTAMPNS_OLD, time,
			sizeof(time));
		return;
	}
	time[1] /= 1000;
	socket_put_control(out, LINUX_SOL_SOCKET,
		new ? LINUX_SO_TIMESTAMP_NEW : LINUX_SO_TIMESTAMP_OLD, time, sizeof(time));
}

/* Copies one datagram out. lock held. */
static int64_t unix_datagram_take(struct unix_socket *unix_socket, struct socket_message *message,
	struct unix_message *datagram, size_t skip)
{
	size_t left = datagram->size - skip;
	size_t wanted = min_u64(left, iov_iter_count(message->iter));
	bool peek = message->flags & LINUX_MSG_PEEK;
	int error = 0;

	if (copy_to_iter(datagram->data + skip, wanted, message->iter) < wanted)
		return -EFAULT;
	if (message->wants_name)
		unix_name_copy_sender(datagram->sender, &message->name);
	put_time(&unix_socket->socket, message, datagram);
	if (unix_scm_receive_cred(unix_socket, message, datagram) && datagram->scm.files)
		error = unix_scm_receive_files(message, datagram, peek);
	if (error)
		return error;
	unix_move_peek_offset(unix_socket, peek, peek ? wanted : datagram->size);
	if (wanted < left)
		message->out_flags |= LINUX_MSG_TRUNC;
	return (int64_t)(message->flags & LINUX_MSG_TRUNC ? left : wanted);
}

/* What SO_PEEK_OFF makes a look begin with; *skip: bytes of it that are left out. lock held. */
static struct unix_message *unix_datagram_first(
	struct unix_socket *unix_socket, bool peek, size_t *skip)
{
	struct unix_message *datagram = TAILQ_FIRST(&unix_socket->queue);

	*skip = peek && unix_socket->peek_offset > 0 ? (size_t)unix_socket->peek_offset : 0;
	while (datagram && *skip && *skip >= datagram->size) {
		*skip -= datagram->size;
		datagram = TAILQ_NEXT(datagram, link);
	}
	return datagram;
}

/* Nothing is there: shall we wait? lock held. */
static int64_t unix_datagram_empty(
	struct unix_socket *unix_socket, const struct socket_message *message)
{
	int error = socket_take_error(&unix_socket->socket);

	if (error)
		return error;
	if (!(unix_socket->shutdown & UNIX_SHUT_RECEIVE))
		return -EAGAIN;
	/* Linux tells the end to those that wait, and to connected ones. */
	return unix_socket->socket.type == LINUX_SOCK_DGRAM && message->no_wait ? -EAGAIN : 0;
}

int64_t unix_datagram_receive(struct socket *socket, struct socket_message *message)
{
	struct unix_socket *unix_socket = unix_of(socket);
	struct unix_message *datagram, *used = NULL;
	struct unix_blocked_list blocked = LIST_HEAD_INITIALIZER(blocked);
	int64_t result;
	size_t skip;

	if (message->flags & LINUX_MSG_OOB)
		return -EOPNOTSUPP;
	mutex_lock(&socket->lock);
	datagram = unix_datagram_first(unix_socket, message->flags & LINUX_MSG_PEEK, &skip);
	if (datagram) {
		result = unix_datagram_take(unix_socket, message, datagram, skip);
		/* As in Linux, a datagram is gone even if its buffer was bad. */
		if (!(message->flags & LINUX_MSG_PEEK)) {
			TAILQ_REMOVE(&unix_socket->queue, datagram, link);
			unix_socket->queued--;
			used = datagram;
			unix_take_blocked_locked(unix_socket, &blocked);
		}
	} else {
		result = unix_datagram_empty(unix_socket, message);
	}
	mutex_unlock(&socket->lock);
	unix_wake_blocked(&blocked);
	if (used)
		unix_message_free(used);
	unix_scm_received(message);
	return result;
}

int64_t unix_seqpacket_receive(struct socket *socket, struct socket_message *message)
{
	if (unix_of(socket)->state != UNIX_CONNECTED)
		return -ENOTCONN;
	message->wants_name = false;
	return unix_datagram_receive(socket, message);
}
