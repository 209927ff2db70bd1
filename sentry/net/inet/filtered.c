/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Raw and packet sockets with a filter (SO_ATTACH_FILTER): it runs here, and never in the host.
 *
 * Differs from Linux: a packet is looked at when somebody asks for the next one, and not when it
 * comes. So those that wait when a filter is attached are filtered, too, and until then what nobody
 * wants takes room in the socket's buffer.
 */
#include "sentry/net/inet/inet.h"

#include "abi/poll.h"
#include "sentry/net/socket_filter.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

/* Dropped at once; for more, the caller comes again. */
#define DROPS_MAX 256

/* Drops packets up to one that the filter takes, of which *kept bytes are to be seen. -EAGAIN when
 * there is none, or after many. */
static int find_wanted_locked(struct inet_socket *inet, void *buffer, size_t *kept)
{
	for (int i = 0; i < DROPS_MAX; i++) {
		ssize_t size = recv(inet->fd, buffer, INET_DATAGRAM_MAX, MSG_PEEK | MSG_DONTWAIT);

		if (size < 0 && errno != EINTR)
			return -errno;
		if (size < 0)
			continue;
		*kept = (size_t)size;
		if (socket_filter_admits_locked(&inet->socket, buffer, kept))
			return 0;
		(void)recv(inet->fd, buffer, 0, MSG_DONTWAIT);
	}
	return -EAGAIN;
}

uint32_t inet_filtered_poll(struct socket *socket, uint32_t ready)
{
	void *buffer;
	size_t kept;

	/* An error is for who reads. */
	if (!(ready & LINUX_POLLIN) || ready & LINUX_POLLERR)
		return ready;
	buffer = malloc(INET_DATAGRAM_MAX);
	if (!buffer)
		return ready;
	mutex_lock(&socket->lock);
	/* After many there may be more: who waits shall come again. */
	if (find_wanted_locked(inet_of(socket), buffer, &kept) == -EAGAIN &&
		recv(inet_of(socket)->fd, buffer, 0, MSG_PEEK | MSG_DONTWAIT) < 0)
		ready &= ~(uint32_t)(LINUX_POLLIN | LINUX_POLLRDNORM);
	mutex_unlock(&socket->lock);
	free(buffer);
	return ready;
}

/* As if the packet had been as long as what the filter keeps. */
static int64_t hand_out(
	struct socket_message *message, const void *buffer, size_t received, size_t kept)
{
	size_t size = min_u64(received, kept), room = iov_iter_count(message->iter);
	size_t wanted = min_u64(size, room);

	message->out_flags &= ~(uint32_t)LINUX_MSG_TRUNC;
	if (size > room)
		message->out_flags |= LINUX_MSG_TRUNC;
	if (copy_to_iter(buffer, wanted, message->iter) < wanted)
		return -EFAULT;
	return (int64_t)(message->flags & LINUX_MSG_TRUNC ? size : wanted);
}

int64_t inet_filtered_receive(struct socket *socket, struct socket_message *message)
{
	struct iovec iov = {malloc(INET_DATAGRAM_MAX), INET_DATAGRAM_MAX};
	int64_t received;
	size_t kept = 0;

	if (!iov.iov_base)
		return -ENOBUFS;
	mutex_lock(&socket->lock);
	received = find_wanted_locked(inet_of(socket), iov.iov_base, &kept);
	if (!received)
		received = inet_host_receive(inet_of(socket), message, &iov, 1);
	mutex_unlock(&socket->lock);
	if (received >= 0)
		received = hand_out(message, iov.iov_base, (size_t)received, kept);
	free(iov.iov_base);
	return received;
}
