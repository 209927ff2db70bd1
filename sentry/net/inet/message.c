/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending and receiving: the host's sockets read and write the guest's pinned memory, with no
 * buffer in between.
 *
 * Differs from Linux: MSG_FASTOPEN is -EOPNOTSUPP; MSG_ZEROCOPY copies; MSG_WAITALL together with
 * MSG_PEEK takes what is there.
 */
#include "sentry/net/inet/inet.h"

#include "abi/epoll.h"
#include "sentry/mm/memory_file.h"
#include "sentry/mm/memory_held.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define SEND_CONTROL_MAX 512

/* Control messages that a guest may pass on to the host. */
static const struct {
	int level, type;
} admitted_controls[] = {
	{LINUX_SOL_SOCKET, LINUX_SO_TIMESTAMPING},
	{LINUX_SOL_IP, LINUX_IP_TOS},
	{LINUX_SOL_IP, LINUX_IP_TTL},
	{LINUX_SOL_IP, LINUX_IP_PKTINFO},
	{LINUX_SOL_IPV6, LINUX_IPV6_PKTINFO},
	{LINUX_SOL_IPV6, LINUX_IPV6_HOPLIMIT},
	{LINUX_SOL_IPV6, LINUX_IPV6_TCLASS},
	{LINUX_SOL_IPV6, LINUX_IPV6_DONTFRAG},
	{LINUX_SOL_UDP, LINUX_UDP_SEGMENT},
};

static bool control_is_admitted(const struct linux_cmsghdr *header)
{
	for (size_t i = 0; i < array_count(admitted_controls); i++)
		if (admitted_controls[i].level == header->cmsg_level &&
			admitted_controls[i].type == header->cmsg_type)
			return true;
	return false;
}

/* Copies the control messages that the host is to see. */
static int filter_control(const struct socket_message *message, uint8_t *control, size_t *used)
{
	const struct linux_cmsghdr *header = NULL;
	int error = 0;

	*used = 0;
	while ((header = socket_next_control(message, header, &error))) {
		size_t size = LINUX_CMSG_ALIGN(header->cmsg_len);

		/* Linux ignores these here: they mean nothing to a network. */
		if (header->cmsg_level == LINUX_SOL_SOCKET &&
			(header->cmsg_type == LINUX_SCM_RIGHTS ||
				header->cmsg_type == LINUX_SCM_CREDENTIALS))
			continue;
		if (!control_is_admitted(header) || *used + size > SEND_CONTROL_MAX)
			return -EINVAL;
		memcpy(control + *used, header, header->cmsg_len);
		*used += size;
	}
	return error;
}

static int send_flags(const struct socket_message *message)
{
	uint32_t kept = LINUX_MSG_OOB | LINUX_MSG_DONTROUTE | LINUX_MSG_EOR | LINUX_MSG_MORE |
			LINUX_MSG_CONFIRM;

	return (int)(message->flags & kept) | MSG_DONTWAIT | MSG_NOSIGNAL;
}

/* One host call with what iov says. */
static int64_t host_send(
	struct inet_socket *inet, struct socket_message *message, struct iovec *iov, int count)
{
	_Alignas(8) uint8_t control[SEND_CONTROL_MAX] = {0};
	struct msghdr header = {.msg_iov = iov, .msg_iovlen = (size_t)count};
	size_t control_size = 0;
	ssize_t sent;
	int error = 0;

	if (message->control_size)
		error = filter_control(message, control, &control_size);
	if (error)
		return error;
	if (control_size) {
		header.msg_control = control;
		header.msg_controllen = control_size;
	}
	if (message->name.size) {
		header.msg_name = &message->name.storage;
		header.msg_namelen = message->name.size;
	}
	do {
		sent = sendmsg(inet->fd, &header, send_flags(message));
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : sent;
}

/* Sends as much as one pin covers; whole: -E2BIG if that is not all. */
static int64_t send_pinned(struct inet_socket *inet, struct socket_message *message, bool whole)
{
	size_t size = iov_iter_count(message->iter);
	struct mm_pin pin = {.count = 0};
	int64_t result = 0;

	if (size) {
		result = iov_iter_pin(message->iter, size, &pin);
		if (result < 0)
			return result;
	}
	if (whole && (size_t)result < size) {
		mm_unpin(&pin);
		return -E2BIG;
	}
	/* What the host would hold for it counts. */
	if (memory_file_has_room((uint64_t)result))
		result = host_send(inet, message, pin.iov, pin.count);
	else
		result = -ENOBUFS;
	if (result > 0)
		memory_held_note((uint64_t)result);
	if (pin.count)
		mm_unpin(&pin);
	if (result > 0)
		iov_iter_advance(message->iter, (size_t)result);
	return result;
}

int64_t inet_stream_send(struct socket *socket, struct socket_message *message)
{
	int64_t sent;

	if (message->flags & LINUX_MSG_FASTOPEN)
		return -EOPNOTSUPP;
	do {
		sent = send_pinned(inet_of(socket), message, false);
		if (sent == -EAGAIN)
			return -EAGAIN;
		if (sent < 0)
			return message->done ? (int64_t)message->done : sent;
		message->done += (size_t)sent;
	} while (sent && iov_iter_count(message->iter));
	return (int64_t)message->done;
}

int64_t inet_datagram_send(struct socket *socket, struct socket_message *message)
{
	size_t size = iov_iter_count(message->iter);
	struct iovec iov;
	int64_t sent;
	void *buffer;

	if (message->flags & LINUX_MSG_FASTOPEN)
		return -EOPNOTSUPP;
	if (size > INET_DATAGRAM_MAX)
		return -EMSGSIZE;
	sent = send_pinned(inet_of(socket), message, true);
	if (sent != -E2BIG)
		return sent;
	/* Too many pieces: through a buffer. */
	buffer = malloc(size);
	if (!buffer)
		return -ENOBUFS;
	iov = (struct iovec){buffer, copy_from_iter(buffer, size, message->iter)};
	sent = iov.iov_len < size ? -EFAULT : host_send(inet_of(socket), message, &iov, 1);
	if (sent < 0)
		iov_iter_revert(message->iter, iov.iov_len);
	free(buffer);
	return sent;
}

static int receive_flags(const struct socket_message *message)
{
	uint32_t kept = LINUX_MSG_OOB | LINUX_MSG_PEEK | LINUX_MSG_TRUNC | LINUX_MSG_ERRQUEUE;

	return (int)(message->flags & kept) | MSG_DONTWAIT;
}

int64_t inet_host_receive(
	struct inet_socket *inet, struct socket_message *message, struct iovec *iov, int count)
{
	struct msghdr header = {.msg_iov = iov, .msg_iovlen = (size_t)count};
	ssize_t received;

	if (message->wants_name) {
		header.msg_name = &message->name.storage;
		header.msg_namelen = sizeof(message->name.storage);
	}
	header.msg_control = message->control;
	header.msg_controllen = message->control_size;
	do {
		received = recvmsg(inet->fd, &header, receive_flags(message));
	} while (received < 0 && errno == EINTR);
	if (received < 0)
		return -errno;
	if (message->wants_name)
		message->name.size =
			(uint32_t)min_u64(header.msg_namelen, sizeof(message->name.storage));
	message->control_used = min_u64(header.msg_controllen, message->control_size);
	message->out_flags =
		(uint32_t)header.msg_flags & (LINUX_MSG_TRUNC | LINUX_MSG_CTRUNC | LINUX_MSG_OOB |
						     LINUX_MSG_EOR | LINUX_MSG_ERRQUEUE);
	return received;
}

/* For what the host is not to write: it would be EFAULT. */
static int64_t receive_nowhere(struct inet_socket *inet, struct socket_message *message)
{
	struct iovec iov = {NULL, iov_iter_count(message->iter)};

	return inet_host_receive(inet, message, &iov, 1);
}

/* Receives into what one pin covers, *pinned bytes; whole: -E2BIG if that is neither all nor enough
 * for any datagram. */
static int64_t receive_pinned(
	struct inet_socket *inet, struct socket_message *message, bool whole, size_t *pinned)
{
	size_t room = iov_iter_count(message->iter);
	struct mm_pin pin = {.count = 0};
	int64_t result = 0;

	if (room) {
		result = iov_iter_pin(message->iter, room, &pin);
		/* A bad buffer matters only once there is something to put in it. */
		if (result == -EFAULT)
			return receive_nowhere(inet, message);
		if (result < 0)
			return result;
	}
	*pinned = (size_t)result;
	if (whole && *pinned < min_u64(room, INET_DATAGRAM_MAX)) {
		mm_unpin(&pin);
		return -E2BIG;
	}
	result = inet_host_receive(inet, message, pin.iov, pin.count);
	if (pin.count)
		mm_unpin(&pin);
	/* With MSG_TRUNC more may be told than was moved. */
	if (result > 0)
		iov_iter_advance(message->iter, min_u64((uint64_t)result, room));
	return result;
}

/* A stream's MSG_TRUNC throws bytes away: there need be no buffer. */
static bool stream_discards(const struct socket_message *message)
{
	return (message->flags & LINUX_MSG_TRUNC) && !(message->flags & LINUX_MSG_ERRQUEUE);
}

int64_t inet_stream_receive(struct socket *socket, struct socket_message *message)
{
	bool all = (message->flags & LINUX_MSG_WAITALL) && !(message->flags & LINUX_MSG_PEEK);
	size_t pinned = 0;
	int64_t received;

	if (stream_discards(message))
		return receive_nowhere(inet_of(socket), message);
	do {
		received = receive_pinned(inet_of(socket), message, false, &pinned);
		if (received == -EAGAIN && message->done && !all)
			break;
		if (received == -EAGAIN)
			return -EAGAIN;
		if (received < 0)
			return message->done ? (int64_t)message->done : received;
		message->done += (size_t)received;
		if (message->flags & (LINUX_MSG_PEEK | LINUX_MSG_OOB | LINUX_MSG_ERRQUEUE))
			break;
		/* Less than there was room for is all there is, or ends at urgent data. */
		if ((size_t)received < pinned && !all)
			break;
	} while (received && iov_iter_count(message->iter));
	return (int64_t)message->done;
}

int64_t inet_datagram_receive(struct socket *socket, struct socket_message *message)
{
	size_t size = min_u64(iov_iter_count(message->iter), INET_DATAGRAM_MAX);
	size_t pinned = 0;
	struct iovec iov;
	int64_t received;
	void *buffer;

	/* The lock is for who finds one; a filter that comes just now is heeded next time. */
	if (unlikely(socket_has_filter(socket)) && !(message->flags & LINUX_MSG_ERRQUEUE))
		received = inet_filtered_receive(socket, message);
	else
		received = receive_pinned(inet_of(socket), message, true, &pinned);
	/* A reader that would wait is told of the end; Linux looks for it only then. */
	if (received == -EAGAIN && !message->no_wait &&
		(socket->ops->poll(socket) & LINUX_EPOLLRDHUP))
		return 0;
	if (received != -E2BIG)
		return received;
	buffer = malloc(size);
	if (!buffer)
		return -ENOBUFS;
	iov = (struct iovec){buffer, size};
	received = inet_host_receive(inet_of(socket), message, &iov, 1);
	if (received > 0) {
		size_t wanted = min_u64((uint64_t)received, size);

		if (copy_to_iter(buffer, wanted, message->iter) < wanted)
			received = -EFAULT;
	}
	free(buffer);
	return received;
}
