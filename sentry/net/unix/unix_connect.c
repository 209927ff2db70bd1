/* SPDX-License-Identifier: Apache-2.0 */
/* connect(2), listen(2), accept(2) and socketpair(2) of unix sockets. */
#include "sentry/net/unix/unix.h"

#include "abi/epoll.h"
#include "sentry/kernel/credentials.h"
#include "sentry/kernel/pid.h"
#include "sentry/kernel/task.h"
#include "sentry/net/net_namespace.h"

#include <errno.h>

/* Makes client and its other end, fresh, peers. Both locked, or unknown to others. */
static void unix_join(struct unix_socket *client, struct unix_socket *other)
{
	client->peer = unix_get(other);
	other->peer = unix_get(client);
	client->state = UNIX_CONNECTED;
	other->state = UNIX_CONNECTED;
}

/* The listener takes the connection, or says why not. Both locked. */
static int unix_enqueue_locked(
	struct unix_socket *client, struct unix_socket *listener, struct unix_socket *embryo)
{
	int error;

	if (client->state != UNIX_CLOSED)
		return client->state == UNIX_CONNECTED ? -EISCONN : -EINVAL;
	if (listener->dead || listener->state != UNIX_LISTENING ||
		(listener->shutdown & UNIX_SHUT_RECEIVE))
		return -ECONNREFUSED;
	if (listener->backlog_used > listener->backlog_max)
		return unix_block_on_locked(client, listener);
	error = unix_check_scope(listener);
	if (error)
		return error;
	embryo->name = unix_name_get(listener->name);
	unix_set_peer_cred(embryo, current->group->pid, current_cred());
	unix_set_peer_cred(client, listener->peer_pid, listener->peer_cred);
	unix_join(client, embryo);
	(void)unix_get(embryo);
	TAILQ_INSERT_TAIL(&listener->backlog, embryo, backlog_link);
	listener->backlog_used++;
	return 0;
}

int unix_stream_connect(
	struct socket *socket, const struct socket_address *address, bool first, bool no_wait)
{
	struct unix_socket *client = unix_of(socket), *listener, *embryo;
	int error = 0;

	if (socket->options & SOCKET_PASS_SENDER)
		error = unix_autobind(client);
	if (!error)
		error = unix_find(address, socket->type, &listener);
	if (error)
		return error;
	error = unix_new(socket->type, &embryo);
	if (error) {
		unix_put(listener);
		return error;
	}
	if (listener == client) {
		error = client->state == UNIX_LISTENING ? -EINVAL : -ECONNREFUSED;
	} else {
		unix_lock_pair(client, listener);
		error = unix_enqueue_locked(client, listener, embryo);
		unix_unlock_pair(client, listener);
	}
	if (error)
		unix_close(embryo, false);
	else
		unix_put(embryo); /* the backlog holds it */
	if (!error)
		wait_queue_wake(&listener->socket.queue, LINUX_EPOLLIN | LINUX_EPOLLRDNORM);
	unix_put(listener);
	return error;
}

/* Linux throws away what a datagram socket had received when its peer changes. */
static void unix_datagram_purge(struct unix_socket *unix_socket, struct unix_socket *old_peer)
{
	struct unix_queue purged = TAILQ_HEAD_INITIALIZER(purged);
	struct unix_blocked_list blocked;
	bool had_data;

	mutex_lock(&unix_socket->socket.lock);
	had_data = !TAILQ_EMPTY(&unix_socket->queue);
	TAILQ_CONCAT(&purged, &unix_socket->queue, link);
	unix_socket->queued = 0;
	unix_take_blocked_locked(unix_socket, &blocked);
	mutex_unlock(&unix_socket->socket.lock);
	unix_wake_blocked(&blocked);
	unix_queue_free(&purged);
	if (!had_data)
		return;
	mutex_lock(&old_peer->socket.lock);
	if (!old_peer->dead && old_peer->peer == unix_socket)
		old_peer->socket.error = ECONNRESET;
	mutex_unlock(&old_peer->socket.lock);
	wait_queue_wake(&old_peer->socket.queue, LINUX_EPOLLERR);
}

/* Consumes the reference to the new peer, which may be NULL. */
static void unix_datagram_set_peer(struct unix_socket *unix_socket, struct unix_socket *peer)
{
	struct unix_socket *old;

	mutex_lock(&unix_socket->socket.lock);
	old = unix_socket->peer;
	unix_socket->peer = peer;
	unix_socket->state = peer ? UNIX_CONNECTED : UNIX_CLOSED;
	mutex_unlock(&unix_socket->socket.lock);
	if (!old)
		return;
	if (old != peer)
		unix_datagram_purge(unix_socket, old);
	unix_put(old);
}

int unix_datagram_connect(
	struct socket *socket, const struct socket_address *address, bool first, bool no_wait)
{
	struct unix_socket *unix_socket = unix_of(socket), *other, *others_peer;
	int error = 0;

	if (address->size < sizeof(address->family))
		return -EINVAL;
	if (address->family == LINUX_AF_UNSPEC) {
		unix_datagram_set_peer(unix_socket, NULL);
		return 0;
	}
	if (socket->options & SOCKET_PASS_SENDER)
		error = unix_autobind(unix_socket);
	if (!error)
		error = unix_find(address, socket->type, &other);
	if (error)
		return error;
	others_peer = other->peer;
	if (others_peer && others_peer != unix_socket)
		error = -EPERM;
	else if (unix_socket->peer != other)
		error = unix_check_scope(other);
	if (error) {
		unix_put(other);
		return error;
	}
	unix_datagram_set_peer(unix_socket, other);
	return 0;
}

int unix_listen(struct socket *socket, int backlog)
{
	struct unix_socket *unix_socket = unix_of(socket);
	struct unix_blocked_list blocked = LIST_HEAD_INITIALIZER(blocked);
	int error = unix_socket->name ? 0 : -EINVAL;

	mutex_lock(&socket->lock);
	if (unix_socket->state == UNIX_CONNECTED)
		error = -EINVAL;
	if (!error) {
		if ((unsigned int)backlog > unix_socket->backlog_max)
			unix_take_blocked_locked(unix_socket, &blocked);
		unix_socket->backlog_max = (unsigned int)backlog;
		unix_socket->state = UNIX_LISTENING;
		unix_set_peer_cred(unix_socket, current->group->pid, current_cred());
	}
	mutex_unlock(&socket->lock);
	unix_wake_blocked(&blocked);
	return error;
}

int unix_accept(struct socket *socket, struct socket **out)
{
	struct unix_socket *unix_socket = unix_of(socket), *embryo;
	struct unix_blocked_list blocked = LIST_HEAD_INITIALIZER(blocked);
	bool ended;

	if (unix_socket->state != UNIX_LISTENING)
		return -EINVAL;
	mutex_lock(&socket->lock);
	ended = unix_socket->shutdown & UNIX_SHUT_RECEIVE;
	embryo = TAILQ_FIRST(&unix_socket->backlog);
	if (embryo) {
		TAILQ_REMOVE(&unix_socket->backlog, embryo, backlog_link);
		unix_socket->backlog_used--;
		unix_take_blocked_locked(unix_socket, &blocked);
	}
	mutex_unlock(&socket->lock);
	unix_wake_blocked(&blocked);
	if (!embryo) {
		/* As Linux tells those that waited when shutdown(2) came. */
		return ended ? -EINVAL : -EAGAIN;
	}
	atomic_fetch_or(
		&embryo->socket.options, socket->options & (SOCKET_PASS_SENDER | SOCKET_PASSSEC));
	*out = &embryo->socket;
	return 0;
}

int unix_pair(struct socket *a, struct socket *b)
{
	unix_set_peer_cred(unix_of(a), current->group->pid, current_cred());
	unix_set_peer_cred(unix_of(b), current->group->pid, current_cred());
	unix_join(unix_of(a), unix_of(b));
	return 0;
}
