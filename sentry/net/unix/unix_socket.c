/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a unix socket, its readiness, its options, and the table of operations of each type.
 *
 * Differs from Linux: SO_PEEK_OFF is not offered, and SO_PEERSEC answers -ENOPROTOOPT as without a
 * security module.
 */
#include "sentry/net/unix/unix.h"

#include "abi/epoll.h"
#include "abi/ioctl.h"
#include "sentry/kernel/credentials.h"
#include "sentry/kernel/pid.h"
#include "sentry/kernel/task.h"
#include "sentry/security/landlock/landlock.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

REFCOUNT_TYPE(unix_socket_refs, "unix_socket");

int unix_new(int type, struct unix_socket **out)
{
	struct unix_socket *unix_socket = calloc(1, sizeof(*unix_socket));
	const struct socket_operations *ops = type == LINUX_SOCK_STREAM ? &unix_stream_operations
					      : type == LINUX_SOCK_DGRAM
						      ? &unix_datagram_operations
						      : &unix_seqpacket_operations;

	if (!unix_socket)
		return -ENOMEM;
	refcount_init(&unix_socket->refs, &unix_socket_refs);
	socket_init(&unix_socket->socket, ops, LINUX_AF_UNIX, type, 0);
	unix_socket->peek_offset = -1;
	TAILQ_INIT(&unix_socket->queue);
	TAILQ_INIT(&unix_socket->backlog);
	LIST_INIT(&unix_socket->blocked);
	unix_socket->backlog_max = UNIX_DATAGRAM_BACKLOG;
	unix_socket->landlock = landlock_domain_get(landlock_current());
	unix_names_add(unix_socket);
	*out = unix_socket;
	return 0;
}

int unix_create(int type, int protocol, struct socket **out)
{
	struct unix_socket *unix_socket;
	int error;

	if (protocol && protocol != LINUX_AF_UNIX)
		return -EPROTONOSUPPORT;
	/* Believe it or not, BSD has AF_UNIX, SOCK_RAW: Linux makes it a datagram socket. */
	if (type == LINUX_SOCK_RAW)
		type = LINUX_SOCK_DGRAM;
	if (type != LINUX_SOCK_STREAM && type != LINUX_SOCK_DGRAM && type != LINUX_SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	error = unix_new(type, &unix_socket);
	if (!error)
		*out = &unix_socket->socket;
	return error;
}

struct unix_socket *unix_get(struct unix_socket *unix_socket)
{
	refcount_get(&unix_socket->refs);
	return unix_socket;
}

void unix_put(struct unix_socket *unix_socket)
{
	if (!unix_socket || !refcount_put(&unix_socket->refs))
		return;
	unix_name_put(unix_socket->name);
	path_put(&unix_socket->path);
	pid_put(unix_socket->peer_pid);
	if (unix_socket->peer_cred)
		cred_put(unix_socket->peer_cred);
	landlock_domain_put(unix_socket->landlock);
	socket_destroy(&unix_socket->socket);
	free(unix_socket);
}

int unix_check_scope(const struct unix_socket *other)
{
	const struct landlock_domain *domain = landlock_current();

	if (likely(!domain) || !other->name || !other->name->abstract)
		return 0;
	return landlock_check_scope(
		domain, other->landlock, LINUX_LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET);
}

void unix_set_peer_cred(struct unix_socket *unix_socket, struct pid *pid, const struct cred *cred)
{
	pid_put(unix_socket->peer_pid);
	if (unix_socket->peer_cred)
		cred_put(unix_socket->peer_cred);
	unix_socket->peer_pid = pid ? pid_get(pid) : NULL;
	unix_socket->peer_cred = cred ? cred_get(cred) : NULL;
}

struct unix_socket *unix_peer_get(struct unix_socket *unix_socket)
{
	struct unix_socket *peer;

	mutex_guard(&unix_socket->socket.lock);
	peer = unix_socket->peer;
	return peer ? unix_get(peer) : NULL;
}

void unix_lock_pair(struct unix_socket *a, struct unix_socket *b)
{
	mutex_lock(a < b ? &a->socket.lock : &b->socket.lock);
	mutex_lock_nested(a < b ? &b->socket.lock : &a->socket.lock);
}

void unix_unlock_pair(struct unix_socket *a, struct unix_socket *b)
{
	mutex_unlock(&a->socket.lock);
	mutex_unlock(&b->socket.lock);
}

bool file_is_unix(const struct file *file)
{
	const struct socket *socket = file_socket(file);

	return socket && socket->family == LINUX_AF_UNIX;
}

/* --- waiting for room in another socket --- */

int unix_block_on_locked(struct unix_socket *sender, struct unix_socket *other)
{
	struct unix_blocked *blocked;

	LIST_FOREACH (blocked, &other->blocked, link)
		if (blocked->sender == sender)
			return -EAGAIN;
	blocked = malloc(sizeof(*blocked));
	if (!blocked)
		return -ENOBUFS;
	blocked->sender = unix_get(sender);
	LIST_INSERT_HEAD(&other->blocked, blocked, link);
	return -EAGAIN;
}

void unix_take_blocked_locked(struct unix_socket *unix_socket, struct unix_blocked_list *list)
{
	LIST_INIT(list);
	LIST_SWAP(list, &unix_socket->blocked, unix_blocked, link);
}

void unix_wake_blocked(struct unix_blocked_list *list)
{
	struct unix_blocked *blocked;

	while ((blocked = LIST_FIRST(list))) {
		LIST_REMOVE(blocked, link);
		wait_queue_wake(&blocked->sender->socket.queue,
			LINUX_EPOLLOUT | LINUX_EPOLLWRNORM | LINUX_EPOLLWRBAND);
		unix_put(blocked->sender);
		free(blocked);
	}
}

/* --- the end --- */

/* Tells a connection's other side that there will be no more. */
static void unix_hang_up(struct unix_socket *peer, bool reset)
{
	mutex_lock(&peer->socket.lock);
	peer->shutdown = UNIX_SHUT_BOTH;
	if (reset)
		peer->socket.error = ECONNRESET;
	mutex_unlock(&peer->socket.lock);
	wait_queue_wake(&peer->socket.queue, LINUX_EPOLLIN | LINUX_EPOLLRDNORM | LINUX_EPOLLRDHUP |
						     LINUX_EPOLLOUT | LINUX_EPOLLHUP);
}

void unix_close(struct unix_socket *unix_socket, bool embryo)
{
	struct unix_queue queue = TAILQ_HEAD_INITIALIZER(queue);
	struct unix_socket *peer, *waiting;
	bool connection = unix_socket->socket.type != LINUX_SOCK_DGRAM;
	struct unix_blocked_list blocked;

	unix_names_remove(unix_socket);
	mutex_lock(&unix_socket->socket.lock);
	unix_socket->dead = true;
	unix_socket->shutdown = UNIX_SHUT_BOTH;
	unix_socket->state = UNIX_CLOSED;
	peer = atomic_exchange(&unix_socket->peer, NULL);
	TAILQ_CONCAT(&queue, &unix_socket->queue, link);
	unix_socket->queued = 0;
	unix_take_blocked_locked(unix_socket, &blocked);
	mutex_unlock(&unix_socket->socket.lock);
	unix_wake_blocked(&blocked);
	path_put(&unix_socket->path);
	if (peer && connection)
		unix_hang_up(peer, embryo || !TAILQ_EMPTY(&queue));
	unix_queue_free(&queue);
	/* Nobody can add to the backlog of a dead socket. */
	while ((waiting = TAILQ_FIRST(&unix_socket->backlog))) {
		TAILQ_REMOVE(&unix_socket->backlog, waiting, backlog_link);
		unix_close(waiting, true);
	}
	unix_put(peer);
	unix_put(unix_socket);
}

static void unix_release(struct socket *socket)
{
	unix_close(unix_of(socket), false);
	unix_gc();
}

static int unix_shutdown(struct socket *socket, int how)
{
	unsigned int own = (unsigned int)how + 1, theirs;
	struct unix_socket *unix_socket = unix_of(socket), *peer;
	struct unix_blocked_list blocked;

	mutex_lock(&socket->lock);
	unix_socket->shutdown |= own;
	peer = unix_socket->peer;
	if (peer)
		unix_get(peer);
	unix_take_blocked_locked(unix_socket, &blocked);
	mutex_unlock(&socket->lock);
	unix_wake_blocked(&blocked);
	wait_queue_wake(&socket->queue, LINUX_EPOLLIN | LINUX_EPOLLOUT | LINUX_EPOLLRDHUP |
						(own == UNIX_SHUT_BOTH ? LINUX_EPOLLHUP : 0));
	if (!peer)
		return 0;
	if (socket->type != LINUX_SOCK_DGRAM) {
		theirs = (own & UNIX_SHUT_RECEIVE ? UNIX_SHUT_SEND : 0) |
			 (own & UNIX_SHUT_SEND ? UNIX_SHUT_RECEIVE : 0);
		mutex_lock(&peer->socket.lock);
		peer->shutdown |= theirs;
		mutex_unlock(&peer->socket.lock);
		wait_queue_wake(&peer->socket.queue,
			LINUX_EPOLLIN | LINUX_EPOLLRDNORM | LINUX_EPOLLRDHUP | LINUX_EPOLLOUT |
				(theirs == UNIX_SHUT_BOTH ? LINUX_EPOLLHUP : 0));
	}
	unix_put(peer);
	return 0;
}

/* --- readiness --- */

bool unix_may_write(struct unix_socket *unix_socket)
{
	return unix_socket->state != UNIX_LISTENING &&
	       (int64_t)unix_socket->send_charge * 4 <= unix_socket->socket.send_buffer;
}

/* A connected datagram socket whose peer's queue is full cannot be written; it is told when that
 * changes. */
static bool unix_peer_has_room(struct unix_socket *unix_socket)
{
	struct unix_socket *peer;
	bool room = true;

	if (unix_socket->socket.type != LINUX_SOCK_DGRAM)
		return true;
	peer = unix_peer_get(unix_socket);
	if (!peer)
		return true;
	mutex_lock(&peer->socket.lock);
	if (peer != unix_socket && peer->peer != unix_socket && !peer->dead &&
		peer->queued > UNIX_DATAGRAM_BACKLOG) {
		room = unix_block_on_locked(unix_socket, peer) != -EAGAIN;
	}
	mutex_unlock(&peer->socket.lock);
	unix_put(peer);
	return room;
}

static uint32_t unix_poll(struct socket *socket)
{
	struct unix_socket *unix_socket = unix_of(socket);
	uint32_t events = 0;

	mutex_lock(&socket->lock);
	if (socket->error)
		events |= LINUX_EPOLLERR;
	if (unix_socket->shutdown == UNIX_SHUT_BOTH)
		events |= LINUX_EPOLLHUP;
	if (unix_socket->shutdown & UNIX_SHUT_RECEIVE)
		events |= LINUX_EPOLLRDHUP | LINUX_EPOLLIN | LINUX_EPOLLRDNORM;
	if (!TAILQ_EMPTY(&unix_socket->queue) || !TAILQ_EMPTY(&unix_socket->backlog))
		events |= LINUX_EPOLLIN | LINUX_EPOLLRDNORM;
	if (socket->type != LINUX_SOCK_DGRAM && unix_socket->state == UNIX_CLOSED)
		events |= LINUX_EPOLLHUP;
	mutex_unlock(&socket->lock);
	if (unix_may_write(unix_socket) && unix_peer_has_room(unix_socket))
		events |= LINUX_EPOLLOUT | LINUX_EPOLLWRNORM | LINUX_EPOLLWRBAND;
	return events;
}

static int64_t unix_ioctl(
	struct socket *socket, struct task *task, uint32_t command, uint64_t argument)
{
	struct unix_socket *unix_socket = unix_of(socket);
	struct unix_message *message;
	int64_t bytes = 0;
	int32_t value;

	if (command == LINUX_SIOCOUTQ) {
		value = unix_socket->send_charge;
	} else if (command == LINUX_SIOCINQ) {
		if (unix_socket->state == UNIX_LISTENING)
			return -EINVAL;
		mutex_lock(&socket->lock);
		TAILQ_FOREACH (message, &unix_socket->queue, link) {
			bytes += (int64_t)(message->size - message->offset);
			if (socket->type == LINUX_SOCK_DGRAM)
				break;
		}
		mutex_unlock(&socket->lock);
		value = (int32_t)bytes;
	} else {
		return -ENOTTY;
	}
	return mm_copy_out(task->mm, argument, &value, sizeof(value));
}

/* --- names and options --- */

static int unix_name_of(struct socket *socket, bool peer, struct socket_address *address)
{
	struct unix_socket *unix_socket = unix_of(socket);

	if (!peer) {
		unix_name_copy(unix_socket, address);
		return 0;
	}
	unix_socket = unix_peer_get(unix_socket);
	if (!unix_socket)
		return -ENOTCONN;
	unix_name_copy(unix_socket, address);
	unix_put(unix_socket);
	return 0;
}

static int unix_get_peer_groups(struct unix_socket *unix_socket, void *value, uint32_t *size)
{
	const struct user_namespace *ns = current_cred()->user_ns;
	const struct cred *cred = unix_socket->peer_cred;
	uint32_t needed, room = *size, *groups = value;

	if (!cred)
		return -ENODATA;
	needed = (uint32_t)(cred->group_count * sizeof(uint32_t));
	*size = needed;
	if (room < needed || needed > SOCKET_OPTION_MAX)
		return -ERANGE;
	for (size_t i = 0; i < cred->group_count; i++)
		groups[i] = user_namespace_show_gid(ns, cred->groups[i]);
	return 0;
}

static int unix_get_peer_pidfd(struct unix_socket *unix_socket, void *value, uint32_t *size)
{
	struct pid *pid;
	int32_t fd;

	mutex_lock(&unix_socket->socket.lock);
	pid = unix_socket->peer_pid ? pid_get(unix_socket->peer_pid) : NULL;
	mutex_unlock(&unix_socket->socket.lock);
	if (!pid)
		return -ENODATA;
	fd = socket_install_pidfd(pid);
	pid_put(pid);
	if (fd < 0)
		return fd;
	*size = (uint32_t)min_u64(*size, sizeof(fd));
	memcpy(value, &fd, *size);
	return 0;
}

static int unix_get_option(struct socket *socket, int level, int name, void *value, uint32_t *size)
{
	struct unix_socket *unix_socket = unix_of(socket);
	const struct user_namespace *ns = current_cred()->user_ns;
	struct linux_ucred ucred = {.uid = UINT32_MAX, .gid = UINT32_MAX};

	if (level != LINUX_SOL_SOCKET)
		return -EOPNOTSUPP;
	if (name == LINUX_SO_PEERPIDFD)
		return unix_get_peer_pidfd(unix_socket, value, size);
	mutex_guard(&socket->lock);
	switch (name) {
	case LINUX_SO_PEEK_OFF:
		*size = (uint32_t)min_u64(*size, sizeof(int32_t));
		memcpy(value, &unix_socket->peek_offset, *size);
		return 0;
	case LINUX_SO_PEERCRED:
		ucred.pid = pid_number_in(unix_socket->peer_pid, task_pid_namespace(current));
		if (unix_socket->peer_cred) {
			ucred.uid = user_namespace_show_uid(ns, unix_socket->peer_cred->euid);
			ucred.gid = user_namespace_show_gid(ns, unix_socket->peer_cred->egid);
		}
		*size = (uint32_t)min_u64(*size, sizeof(ucred));
		memcpy(value, &ucred, *size);
		return 0;
	case LINUX_SO_PEERGROUPS:
		return unix_get_peer_groups(unix_socket, value, size);
	case LINUX_SO_ACCEPTCONN:
		*size = (uint32_t)min_u64(*size, sizeof(int32_t));
		memcpy(value, &(int32_t){unix_socket->state == UNIX_LISTENING}, *size);
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int unix_set_option(
	struct socket *socket, int level, int name, const void *value, uint32_t size)
{
	int32_t number;

	if (level != LINUX_SOL_SOCKET)
		return -EOPNOTSUPP;
	if (name != LINUX_SO_PEEK_OFF)
		return -ENOPROTOOPT;
	if (size < sizeof(number))
		return -EINVAL;
	memcpy(&number, value, sizeof(number));
	mutex_guard(&socket->lock);
	unix_of(socket)->peek_offset = number < 0 ? -1 : number;
	return 0;
}

void unix_move_peek_offset(struct unix_socket *unix_socket, bool peek, size_t size)
{
	int64_t offset = unix_socket->peek_offset;

	if (offset < 0)
		return;
	offset += peek ? (int64_t)size : -(int64_t)size;
	if (offset < 0)
		offset = 0;
	unix_socket->peek_offset = offset > INT32_MAX ? INT32_MAX : (int)offset;
}

static int unix_no_listen(struct socket *socket, int backlog)
{
	return -EOPNOTSUPP;
}

static int unix_no_accept(struct socket *socket, struct socket **out)
{
	return -EOPNOTSUPP;
}

#define UNIX_COMMON_OPERATIONS                                                                     \
	.bind = unix_bind, .name = unix_name_of, .pair = unix_pair, .message_done = unix_scm_done, \
	.shutdown = unix_shutdown, .set_option = unix_set_option, .get_option = unix_get_option,   \
	.poll = unix_poll, .ioctl = unix_ioctl, .release = unix_release

const struct socket_operations unix_stream_operations = {
	UNIX_COMMON_OPERATIONS,
	.connect = unix_stream_connect,
	.listen = unix_listen,
	.accept = unix_accept,
	.send = unix_stream_send,
	.receive = unix_stream_receive,
};

const struct socket_operations unix_datagram_operations = {
	UNIX_COMMON_OPERATIONS,
	.connect = unix_datagram_connect,
	.listen = unix_no_listen,
	.accept = unix_no_accept,
	.send = unix_datagram_send,
	.receive = unix_datagram_receive,
};

const struct socket_operations unix_seqpacket_operations = {
	UNIX_COMMON_OPERATIONS,
	.connect = unix_stream_connect,
	.listen = unix_listen,
	.accept = unix_accept,
	.send = unix_seqpacket_send,
	.receive = unix_seqpacket_receive,
};
