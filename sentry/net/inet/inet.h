/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sentry/net/inet/ - AF_INET and AF_INET6 over sockets of the host in the sentry's own network
 * namespace, where only the loopback is up. A network stack of our own would take this room's
 * place.
 */
#pragma once

#include "base/compiler.h"
#include "sentry/kernel/host_poll.h"
#include "sentry/net/socket.h"

struct inet_socket {
	struct socket socket;
	int fd;				/* set once; non-blocking */
	bool watched;			/* socket.lock: the reactor knows it */
	struct host_poll_source source; /* wakes socket.queue */
};

static inline struct inet_socket *inet_of(struct socket *socket)
{
	return container_of(socket, struct inet_socket, socket);
}

/* --- message.c --- */
must_check int64_t inet_stream_send(struct socket *socket, struct socket_message *message);
must_check int64_t inet_stream_receive(struct socket *socket, struct socket_message *message);
must_check int64_t inet_datagram_send(struct socket *socket, struct socket_message *message);
must_check int64_t inet_datagram_receive(struct socket *socket, struct socket_message *message);

/* --- option.c --- */
must_check int inet_set_option(
	struct socket *socket, int level, int name, const void *value, uint32_t size);
must_check int inet_get_option(
	struct socket *socket, int level, int name, void *value, uint32_t *size);
