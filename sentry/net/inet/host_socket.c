/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Internet sockets: life, names, connections and readiness.
 *
 * The host calls of this room, which the jail's filter must admit: socket(AF_INET and AF_INET6),
 * bind, connect, listen, accept4, getsockname, getpeername, getsockopt, setsockopt, shutdown,
 * sendmsg, recvmsg, poll, ioctl(FIONREAD, SIOCOUTQ, SIOCATMARK), close; and epoll_ctl by the
 * reactor.
 *
 * Differs from Linux: SCTP, DCCP and MPTCP do not exist.
 * Ports below 1024 are refused to a guest without CAP_NET_BIND_SERVICE here; so that those
 * with it get them, although the sentry itself has no capability,
 * net.ipv4.ip_unprivileged_port_start must be 0 in the private namespace, which is the jail's to
 * do. close(2) does not wait for SO_LINGER's time; what was sent goes out all the same.
 */
#include "sentry/net/inet/inet.h"

#include "abi/capability.h"
#include "abi/epoll.h"
#include "abi/ioctl.h"
#include "abi/poll.h"
#include "base/descriptor.h"
#include "base/log.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct socket_operations inet_stream_operations, inet_datagram_operations;

int inet_new(int family, int type, int protocol, int fd, struct socket **out)
{
	struct inet_socket *inet = calloc(1, sizeof(*inet));
	const struct socket_operations *ops =
		type == LINUX_SOCK_STREAM ? &inet_stream_operations : &inet_datagram_operations;

	if (!inet) {
		(void)close(fd);
		return -ENOMEM;
	}
	socket_init(&inet->socket, ops, family, type, protocol);
	inet->fd = fd;
	inet->source.fd = fd;
	inet->source.queue = &inet->socket.queue;
	inet_memory_add(inet);
	*out = &inet->socket;
	return 0;
}

/* The protocol that a type and number lead to, or an error. */
static int inet_protocol(int family, int type, int protocol)
{
	int ping = family == LINUX_AF_INET ? LINUX_IPPROTO_ICMP : LINUX_IPPROTO_ICMPV6;

	switch (type) {
	case LINUX_SOCK_STREAM:
		return !protocol || protocol == LINUX_IPPROTO_TCP ? LINUX_IPPROTO_TCP
								  : -EPROTONOSUPPORT;
	case LINUX_SOCK_DGRAM:
		if (protocol == ping)
			return inet_may_ping(current->cred) ? ping : -EACCES;
		if (protocol == LINUX_IPPROTO_UDPLITE)
			return protocol;
		return !protocol || protocol == LINUX_IPPROTO_UDP ? LINUX_IPPROTO_UDP
								  : -EPROTONOSUPPORT;
	case LINUX_SOCK_RAW:
		return protocol ? protocol : -EPROTONOSUPPORT;
	default:
		return -ESOCKTNOSUPPORT;
	}
}

/* A socket of the host's, or an error. */
static int open_host_socket(int family, int type, int protocol)
{
	int host_type = type == LINUX_SOCK_STREAM ? SOCK_STREAM : SOCK_DGRAM, fd;

	if (type == LINUX_SOCK_RAW)
		return inet_raw_open(family, type, protocol);
	fd = socket(family == LINUX_AF_INET ? AF_INET : AF_INET6,
		host_type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	return fd < 0 ? -errno : fd;
}

int inet_create(int family, int type, int protocol, struct socket **out)
{
	int fd;

	if (protocol < 0 || protocol > LINUX_IPPROTO_MPTCP)
		return -EINVAL;
	protocol = inet_protocol(family, type, protocol);
	if (protocol < 0)
		return protocol;
	fd = open_host_socket(family, type, protocol);
	/* The sentry's own table is the system's for the guest. */
	if (fd < 0)
		return fd == -EMFILE ? -ENFILE : fd;
	fd = descriptor_settle(fd, NULL);
	return fd < 0 ? fd : inet_new(family, type, protocol, fd, out);
}

/* close(2) of the host would wait for what is under way, with no signal to end it. An abort (a time
 * of 0) waits for nothing. */
static void forbid_linger(int fd)
{
	const struct linger none = {.l_onoff = 0};
	struct linger linger;
	socklen_t size = sizeof(linger);

	if (!getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &size) && linger.l_onoff &&
		linger.l_linger)
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}

static void inet_release(struct socket *socket)
{
	struct inet_socket *inet = inet_of(socket);

	if (socket->type == LINUX_SOCK_STREAM)
		forbid_linger(inet->fd);
	if (inet->watched)
		host_poll_remove(&inet->source);
	inet_memory_remove(inet);
	(void)close(inet->fd);
	socket_destroy(socket);
	free(inet);
}

/* The reactor hears of a socket when somebody waits for it first. */
static struct wait_queue *inet_wait_queue(struct socket *socket)
{
	struct inet_socket *inet = inet_of(socket);
	int error;

	mutex_guard(&socket->lock);
	if (!inet->watched) {
		error = host_poll_add(&inet->source);
		inet->watched = !error;
		if (error)
			log_warning("a socket cannot be watched: error %d", -error);
	}
	return &socket->queue;
}

/* --- names --- */

/* Does the guest lack the right to a port? Port 0 is any; raw and ping sockets have none. */
static bool inet_port_is_reserved(const struct socket *socket, const struct socket_address *address)
{
	uint16_t port;

	if (socket->type == LINUX_SOCK_RAW || socket->family == LINUX_AF_PACKET ||
		inet_is_ping(socket))
		return false;
	/* Both families have it in the same place. */
	if (address->size < sizeof(address->in) ||
		(address->family != LINUX_AF_INET && address->family != LINUX_AF_INET6 &&
			address->family != LINUX_AF_UNSPEC))
		return false;
	port = __builtin_bswap16(address->in.sin_port);
	return port && port < 1024 && !capable(LINUX_CAP_NET_BIND_SERVICE);
}

static int inet_bind(struct socket *socket, const struct socket_address *address)
{
	if (inet_port_is_reserved(socket, address))
		return -EACCES;
	return bind(inet_of(socket)->fd, (const struct sockaddr *)&address->storage, address->size)
		       ? -errno
		       : 0;
}

static int inet_name(struct socket *socket, bool peer, struct socket_address *address)
{
	struct sockaddr *name = (struct sockaddr *)&address->storage;
	socklen_t size = sizeof(address->storage);
	int fd = inet_of(socket)->fd;

	memset(address, 0, sizeof(*address));
	if (peer ? getpeername(fd, name, &size) : getsockname(fd, name, &size))
		return -errno;
	address->size = (uint32_t)min_u64(size, sizeof(address->storage));
	return 0;
}

/* --- connections --- */

/* What became of a connection that was under way. The host is asked by the same call again, which
 * ends its own state of connecting, as a call that waited there would have. */
static int inet_connected(int fd, const struct socket_address *address)
{
	if (!connect(fd, (const struct sockaddr *)&address->storage, address->size) ||
		errno == EISCONN)
		return 0;
	return errno == EINPROGRESS || errno == EALREADY ? -EAGAIN : -errno;
}

static int inet_connect(
	struct socket *socket, const struct socket_address *address, bool first, bool no_wait)
{
	int fd = inet_of(socket)->fd;

	if (!first)
		return inet_connected(fd, address);
	if (!connect(fd, (const struct sockaddr *)&address->storage, address->size))
		return 0;
	/* A call that may wait joins one that is under way. */
	if ((errno == EINPROGRESS || errno == EALREADY) && !no_wait)
		return -EAGAIN;
	return -errno;
}

static int inet_listen(struct socket *socket, int backlog)
{
	return listen(inet_of(socket)->fd, backlog) ? -errno : 0;
}

static int inet_accept(struct socket *socket, struct socket **out)
{
	int fd = accept4(inet_of(socket)->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), error;

	if (fd < 0)
		return errno == EMFILE ? -ENFILE : -errno;
	fd = descriptor_settle(fd, NULL);
	if (fd < 0)
		return fd;
	error = inet_new(socket->family, socket->type, socket->protocol, fd, out);
	if (!error) {
		/* What the host does not know of; Linux copies it when the connection comes. */
		(*out)->receive_timeout_ns = socket->receive_timeout_ns;
		(*out)->send_timeout_ns = socket->send_timeout_ns;
		(*out)->priority = socket->priority;
		(*out)->mark = socket->mark;
	}
	return error;
}

static int inet_no_accept(struct socket *socket, struct socket **out)
{
	return -EOPNOTSUPP;
}

static int inet_shutdown(struct socket *socket, int how)
{
	return shutdown(inet_of(socket)->fd, how) ? -errno : 0;
}

/* --- readiness --- */

static uint32_t inet_poll(struct socket *socket)
{
	struct pollfd pollfd = {
		.fd = inet_of(socket)->fd,
		.events = POLLIN | POLLPRI | POLLOUT | POLLRDNORM | POLLRDBAND | POLLWRNORM |
			  POLLWRBAND | POLLRDHUP,
	};

	uint32_t ready;

	/* The bits are the same on both sides. */
	ready = poll(&pollfd, 1, 0) > 0 ? (uint32_t)(uint16_t)pollfd.revents : 0;
	return unlikely(socket_has_filter(socket)) ? inet_filtered_poll(socket, ready) : ready;
}

static int64_t inet_ioctl(
	struct socket *socket, struct task *task, uint32_t command, uint64_t argument)
{
	int value = 0, error;

	switch (command) {
	case LINUX_FIONREAD:
		error = ioctl(inet_of(socket)->fd, FIONREAD, &value);
		break;
	case LINUX_SIOCOUTQ:
		error = ioctl(inet_of(socket)->fd, SIOCOUTQ, &value);
		break;
	case LINUX_SIOCATMARK:
		error = ioctl(inet_of(socket)->fd, SIOCATMARK, &value);
		break;
	default:
		return -ENOTTY;
	}
	return error ? -errno : mm_copy_out(task->mm, argument, &value, sizeof(value));
}

void inet_queues(struct socket *socket, uint32_t *receive, uint32_t *send)
{
	int value = 0, fd = inet_of(socket)->fd;

	*receive = ioctl(fd, FIONREAD, &value) || value < 0 ? 0 : (uint32_t)value;
	*send = ioctl(fd, SIOCOUTQ, &value) || value < 0 ? 0 : (uint32_t)value;
}

#define INET_COMMON_OPERATIONS                                                                     \
	.bind = inet_bind, .connect = inet_connect, .listen = inet_listen, .name = inet_name,      \
	.shutdown = inet_shutdown, .set_option = inet_set_option, .get_option = inet_get_option,   \
	.poll = inet_poll, .wait_queue = inet_wait_queue, .ioctl = inet_ioctl,                     \
	.release = inet_release

static const struct socket_operations inet_stream_operations = {
	INET_COMMON_OPERATIONS,
	.accept = inet_accept,
	.send = inet_stream_send,
	.receive = inet_stream_receive,
};

static const struct socket_operations inet_datagram_operations = {
	INET_COMMON_OPERATIONS,
	.accept = inet_no_accept,
	.send = inet_datagram_send,
	.receive = inet_datagram_receive,
};
