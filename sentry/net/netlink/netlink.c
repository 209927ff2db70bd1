/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Netlink sockets: ports, requests and the queue of answers.
 *
 * Differs from Linux: there are no multicast messages, and no messages from one program to another
 * (-ECONNREFUSED); protocols other than NETLINK_ROUTE, NETLINK_SOCK_DIAG and
 * NETLINK_KOBJECT_UEVENT are -EPROTONOSUPPORT. Lists are built at once, not as they are read.
 */
#include "sentry/net/netlink/netlink.h"

#include "abi/epoll.h"
#include "abi/ioctl.h"
#include "sentry/kernel/task.h"
#include "sentry/lock_order.h"
#include "sentry/net/socket_filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_MAX 65536

/* All queues together: they live in the sentry's own memory. */
#define NETLINK_MEMORY_MAX (64ll << 20)

static _Atomic int64_t g_memory;

struct netlink_socket {
	struct socket socket;		 /* its lock guards the queue */
	LIST_ENTRY(netlink_socket) link; /* ports_lock, as the next two */
	uint32_t port;			 /* 0: not bound */
	uint32_t groups;
	TAILQ_HEAD(, netlink_datagram) queue;
	size_t queued;	   /* bytes */
	atomic_uint flags; /* a bit for each boolean option of SOL_NETLINK */
};

static struct mutex ports_lock;
static LIST_HEAD(, netlink_socket) sockets = LIST_HEAD_INITIALIZER(sockets);
static const struct socket_operations netlink_operations;

static void __attribute__((constructor)) netlink_start(void)
{
	mutex_init(&ports_lock, RANK_PIPE, "netlink ports");
}

static struct netlink_socket *netlink_of(struct socket *socket)
{
	return container_of(socket, struct netlink_socket, socket);
}

int netlink_create(int type, int protocol, struct socket **out)
{
	struct netlink_socket *netlink;

	if (type != LINUX_SOCK_RAW && type != LINUX_SOCK_DGRAM)
		return -ESOCKTNOSUPPORT;
	if (protocol != LINUX_NETLINK_ROUTE && protocol != LINUX_NETLINK_SOCK_DIAG &&
		protocol != LINUX_NETLINK_KOBJECT_UEVENT)
		return -EPROTONOSUPPORT;
	netlink = calloc(1, sizeof(*netlink));
	if (!netlink)
		return -ENOMEM;
	socket_init(&netlink->socket, &netlink_operations, LINUX_AF_NETLINK, type, protocol);
	TAILQ_INIT(&netlink->queue);
	mutex_lock(&ports_lock);
	LIST_INSERT_HEAD(&sockets, netlink, link);
	mutex_unlock(&ports_lock);
	*out = &netlink->socket;
	return 0;
}

void netlink_each(struct net_namespace *net,
	bool (*look)(struct socket *socket, uint32_t port, void *argument), void *argument)
{
	struct netlink_socket *netlink;

	mutex_guard(&ports_lock);
	LIST_FOREACH (netlink, &sockets, link)
		if (netlink->port && netlink->socket.net == net &&
			!look(&netlink->socket, netlink->port, argument))
			return;
}

bool socket_is_netlink(const struct socket *socket)
{
	return socket->ops == &netlink_operations;
}

static size_t charge_of(const struct netlink_datagram *datagram)
{
	return datagram->capacity + sizeof(*datagram);
}

/* Takes one out of the queue and frees it. The socket's lock held, or nobody else's to use. */
static void dequeue(struct netlink_socket *netlink, struct netlink_datagram *datagram)
{
	TAILQ_REMOVE(&netlink->queue, datagram, link);
	netlink->queued -= charge_of(datagram);
	atomic_fetch_sub(&g_memory, (int64_t)charge_of(datagram));
	netlink_datagram_free(datagram);
}

static void netlink_release(struct socket *socket)
{
	struct netlink_socket *netlink = netlink_of(socket);
	struct netlink_datagram *datagram;

	mutex_lock(&ports_lock);
	LIST_REMOVE(netlink, link);
	mutex_unlock(&ports_lock);
	while ((datagram = TAILQ_FIRST(&netlink->queue)))
		dequeue(netlink, datagram);
	socket_destroy(socket);
	free(netlink);
}

/* --- ports --- */

static bool port_is_taken_locked(const struct netlink_socket *netlink, uint32_t port)
{
	const struct netlink_socket *other;

	LIST_FOREACH (other, &sockets, link)
		if (other != netlink && other->port == port &&
			other->socket.protocol == netlink->socket.protocol &&
			other->socket.net == netlink->socket.net)
			return true;
	return false;
}

/* The process's number for its first socket, as Linux does; then whatever is free. ports_lock held.
 */
static void autobind_locked(struct netlink_socket *netlink)
{
	uint32_t port = (uint32_t)task_tgid(current), other = UINT32_MAX - 4096;

	while (port_is_taken_locked(netlink, port))
		port = other--;
	netlink->port = port;
}

static uint32_t netlink_port(struct netlink_socket *netlink)
{
	mutex_guard(&ports_lock);
	if (!netlink->port)
		autobind_locked(netlink);
	return netlink->port;
}

static int netlink_bind(struct socket *socket, const struct socket_address *address)
{
	struct netlink_socket *netlink = netlink_of(socket);

	if (address->size < sizeof(address->nl) || address->family != LINUX_AF_NETLINK)
		return -EINVAL;
	mutex_guard(&ports_lock);
	if (netlink->port && netlink->port != address->nl.nl_pid)
		return -EINVAL;
	if (!netlink->port && address->nl.nl_pid) {
		if (port_is_taken_locked(netlink, address->nl.nl_pid))
			return -EADDRINUSE;
		netlink->port = address->nl.nl_pid;
	}
	if (!netlink->port)
		autobind_locked(netlink);
	netlink->groups = address->nl.nl_groups;
	return 0;
}

/* The kernel is the only peer that there is. */
static int netlink_connect(
	struct socket *socket, const struct socket_address *address, bool first, bool no_wait)
{
	if (address->size < sizeof(address->family))
		return -EINVAL;
	if (address->family == LINUX_AF_UNSPEC)
		return 0;
	if (address->family != LINUX_AF_NETLINK || address->size < sizeof(address->nl))
		return -EINVAL;
	if (address->nl.nl_pid)
		return -EPERM;
	(void)netlink_port(netlink_of(socket));
	return 0;
}

static int netlink_name(struct socket *socket, bool peer, struct socket_address *address)
{
	struct netlink_socket *netlink = netlink_of(socket);

	memset(address, 0, sizeof(*address));
	address->family = LINUX_AF_NETLINK;
	address->size = sizeof(address->nl);
	if (peer)
		return 0;
	mutex_guard(&ports_lock);
	address->nl.nl_pid = netlink->port;
	address->nl.nl_groups = netlink->groups;
	return 0;
}

/* --- requests --- */

int netlink_queue(const struct netlink_request *request, struct netlink_datagram *datagram)
{
	struct netlink_socket *netlink = netlink_of(request->socket);
	bool room, wanted;

	mutex_lock(&netlink->socket.lock);
	wanted = socket_filter_admits_locked(&netlink->socket, datagram->bytes, &datagram->size);
	if (!wanted) {
		mutex_unlock(&netlink->socket.lock);
		netlink_datagram_free(datagram);
		return 0;
	}
	room = netlink->queued < (size_t)netlink->socket.receive_buffer &&
	       g_memory < NETLINK_MEMORY_MAX;
	if (room) {
		netlink->queued += charge_of(datagram);
		atomic_fetch_add(&g_memory, (int64_t)charge_of(datagram));
		TAILQ_INSERT_TAIL(&netlink->queue, datagram, link);
	}
	mutex_unlock(&netlink->socket.lock);
	if (!room) {
		netlink_datagram_free(datagram);
		return -ENOBUFS;
	}
	wait_queue_wake(&netlink->socket.queue, LINUX_EPOLLIN | LINUX_EPOLLRDNORM);
	return 0;
}

int netlink_tell(struct socket *socket, const void *bytes, size_t size)
{
	const struct netlink_request request = {.socket = socket};
	struct netlink_datagram *datagram;

	if (!socket || !socket_is_netlink(socket))
		return -EINVAL;
	datagram = netlink_datagram_new();
	if (datagram)
		netlink_append(datagram, bytes, size);
	return netlink_queue_or_free(&request, datagram);
}

int netlink_queue_or_free(const struct netlink_request *request, struct netlink_datagram *datagram)
{
	if (datagram && !datagram->failed && datagram->size)
		return netlink_queue(request, datagram);
	int error = datagram && !datagram->failed ? 0 : -ENOBUFS;

	netlink_datagram_free(datagram);
	return error;
}

int netlink_finish_dump(const struct netlink_request *request, struct netlink_datagram *list)
{
	struct netlink_datagram *done;
	int32_t status = 0;
	int error = netlink_queue_or_free(request, list);

	if (error)
		return error;
	done = netlink_datagram_new();
	if (!done)
		return -ENOBUFS;
	netlink_begin(done, request, LINUX_NLMSG_DONE, LINUX_NLM_F_MULTI, &status, sizeof(status));
	netlink_end(done);
	error = netlink_queue_or_free(request, done);
	return error ? error : 1;
}

/* NLMSG_ERROR: the error, or 0, and the request that it is about; its payload too unless the guest
 * wants none. */
static void acknowledge(const struct netlink_request *request, int error)
{
	struct netlink_socket *netlink = netlink_of(request->socket);
	bool capped = !error || (netlink->flags & 1u << LINUX_NETLINK_CAP_ACK);
	struct linux_nlmsgerr message = {.error = error, .msg = request->header};
	struct netlink_datagram *datagram = netlink_datagram_new();
	uint8_t fixed[sizeof(message) + 1024];
	size_t payload = capped ? 0 : min_u64(request->payload_size, 1024);

	if (!datagram)
		return;
	memcpy(fixed, &message, sizeof(message));
	memcpy(fixed + sizeof(message), request->payload, payload);
	netlink_begin(datagram, request, LINUX_NLMSG_ERROR, capped ? LINUX_NLM_F_CAPPED : 0, fixed,
		sizeof(message) + payload);
	netlink_end(datagram);
	if (datagram->failed)
		netlink_datagram_free(datagram);
	else if (netlink_queue(request, datagram))
		netlink->socket.error = ENOBUFS;
}

static void handle_request(struct netlink_request *request)
{
	int result = 0;

	if (!(request->header.nlmsg_flags & LINUX_NLM_F_REQUEST))
		return;
	if (request->header.nlmsg_type >= LINUX_NLMSG_MIN_TYPE) {
		if (request->socket->protocol == LINUX_NETLINK_ROUTE)
			result = route_request(request);
		else if (request->socket->protocol == LINUX_NETLINK_SOCK_DIAG)
			result = sock_diag_request(request);
		else
			result = -EOPNOTSUPP;
	}
	if (result < 0 || (!result && (request->header.nlmsg_flags & LINUX_NLM_F_ACK)))
		acknowledge(request, result);
}

static void handle_requests(struct socket *socket, const uint8_t *bytes, size_t size)
{
	struct netlink_request request = {
		.socket = socket, .port = netlink_port(netlink_of(socket))};

	while (size >= sizeof(request.header)) {
		size_t length;

		memcpy(&request.header, bytes, sizeof(request.header));
		length = request.header.nlmsg_len;
		if (length < sizeof(request.header) || length > size)
			return;
		request.payload = bytes + sizeof(request.header);
		request.payload_size = length - sizeof(request.header);
		handle_request(&request);
		length = min_u64(LINUX_NLMSG_ALIGN(length), size);
		bytes += length;
		size -= length;
	}
}

static int64_t netlink_send(struct socket *socket, struct socket_message *message)
{
	size_t size = iov_iter_count(message->iter);
	const struct linux_sockaddr_nl *to = &message->name.nl;
	uint8_t *bytes;
	size_t copied;

	if (message->flags & LINUX_MSG_OOB)
		return -EOPNOTSUPP;
	if (message->name.size) {
		if (message->name.size < sizeof(*to) || to->nl_family != LINUX_AF_NETLINK)
			return -EINVAL;
		if (to->nl_groups)
			return -EPERM;
		if (to->nl_pid)
			return -ECONNREFUSED;
	}
	if (size > REQUEST_MAX)
		return -EMSGSIZE;
	bytes = malloc(size ? size : 1);
	if (!bytes)
		return -ENOBUFS;
	copied = copy_from_iter(bytes, size, message->iter);
	if (copied == size)
		handle_requests(socket, bytes, size);
	free(bytes);
	return copied == size ? (int64_t)size : -EFAULT;
}

static int64_t netlink_receive(struct socket *socket, struct socket_message *message)
{
	struct netlink_socket *netlink = netlink_of(socket);
	struct netlink_datagram *datagram;
	size_t wanted;
	int64_t result;
	int error = socket_take_error(socket);

	if (error)
		return error;
	if (message->flags & LINUX_MSG_OOB)
		return -EOPNOTSUPP;
	mutex_guard(&socket->lock);
	datagram = TAILQ_FIRST(&netlink->queue);
	if (!datagram)
		return -EAGAIN;
	wanted = min_u64(datagram->size, iov_iter_count(message->iter));
	result = (int64_t)(message->flags & LINUX_MSG_TRUNC ? datagram->size : wanted);
	if (copy_to_iter(datagram->bytes, wanted, message->iter) < wanted)
		result = -EFAULT;
	if (wanted < datagram->size)
		message->out_flags |= LINUX_MSG_TRUNC;
	message->name.nl = (struct linux_sockaddr_nl){.nl_family = LINUX_AF_NETLINK};
	message->name.size = sizeof(message->name.nl);
	if (!(message->flags & LINUX_MSG_PEEK))
		dequeue(netlink, datagram);
	return result;
}

static uint32_t netlink_poll(struct socket *socket)
{
	struct netlink_socket *netlink = netlink_of(socket);
	uint32_t events = LINUX_EPOLLOUT | LINUX_EPOLLWRNORM | LINUX_EPOLLWRBAND;

	mutex_guard(&socket->lock);
	if (!TAILQ_EMPTY(&netlink->queue))
		events |= LINUX_EPOLLIN | LINUX_EPOLLRDNORM;
	return socket->error ? events | LINUX_EPOLLERR : events;
}

/* --- options --- */

static int netlink_set_option(
	struct socket *socket, int level, int name, const void *value, uint32_t size)
{
	struct netlink_socket *netlink = netlink_of(socket);
	int32_t number = 0;

	if (level != LINUX_SOL_NETLINK)
		return -ENOPROTOOPT;
	if (size >= sizeof(number))
		memcpy(&number, value, sizeof(number));
	switch (name) {
	case LINUX_NETLINK_ADD_MEMBERSHIP:
	case LINUX_NETLINK_DROP_MEMBERSHIP:
		/* Groups that never speak. */
		return number > 0 && number < 64 ? 0 : -EINVAL;
	case LINUX_NETLINK_PKTINFO:
	case LINUX_NETLINK_BROADCAST_ERROR:
	case LINUX_NETLINK_NO_ENOBUFS:
	case LINUX_NETLINK_CAP_ACK:
	case LINUX_NETLINK_EXT_ACK:
	case LINUX_NETLINK_GET_STRICT_CHK:
		if (number)
			atomic_fetch_or(&netlink->flags, 1u << name);
		else
			atomic_fetch_and(&netlink->flags, ~(1u << name));
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static int netlink_get_option(
	struct socket *socket, int level, int name, void *value, uint32_t *size)
{
	int32_t number;

	if (level != LINUX_SOL_NETLINK)
		return -ENOPROTOOPT;
	if (name < LINUX_NETLINK_PKTINFO || name > LINUX_NETLINK_GET_STRICT_CHK)
		return -ENOPROTOOPT;
	if (*size < sizeof(number))
		return -EINVAL;
	number = netlink_of(socket)->flags >> name & 1;
	memcpy(value, &number, sizeof(number));
	*size = sizeof(number);
	return 0;
}

static int netlink_unsupported(struct socket *socket, int argument)
{
	return -EOPNOTSUPP;
}

static int netlink_no_accept(struct socket *socket, struct socket **out)
{
	return -EOPNOTSUPP;
}

static int64_t netlink_ioctl(
	struct socket *socket, struct task *task, uint32_t command, uint64_t argument)
{
	return -ENOTTY;
}

static const struct socket_operations netlink_operations = {
	.bind = netlink_bind,
	.connect = netlink_connect,
	.listen = netlink_unsupported,
	.accept = netlink_no_accept,
	.name = netlink_name,
	.send = netlink_send,
	.receive = netlink_receive,
	.shutdown = netlink_unsupported,
	.set_option = netlink_set_option,
	.get_option = netlink_get_option,
	.poll = netlink_poll,
	.ioctl = netlink_ioctl,
	.release = netlink_release,
};
