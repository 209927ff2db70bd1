/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sentry/net/inet/ - AF_INET, AF_INET6 and AF_PACKET over sockets of the host in the sentry's own network
 * namespace, where only the loopback is up. A network stack of our own would take this room's
 * place.
 */
#pragma once

#include "base/compiler.h"
#include "sentry/fs/proc/sysctl.h"
#include "sentry/kernel/host_poll.h"
#include "sentry/net/socket.h"

#include <bsd/sys/queue.h>

struct cred;

struct inet_socket {
	struct socket socket;
	LIST_ENTRY(inet_socket) link;	/* inet_memory.c's own */
	int fd;				/* set once; non-blocking */
	bool watched;			/* socket.lock: the reactor knows it */
	struct host_poll_source source; /* wakes socket.queue */
};

static inline struct inet_socket *inet_of(struct socket *socket)
{
	return container_of(socket, struct inet_socket, socket);
}

/* --- host_socket.c --- */
/* For a socket of the host, which it takes over, also on failure. */
must_check int inet_new(int family, int type, int protocol, int fd, struct socket **out);

/* --- inet_memory.c: from the time that fd is there until it is closed --- */
void inet_memory_add(struct inet_socket *inet);
void inet_memory_remove(struct inet_socket *inet);

/* --- ping.c --- */
/* net.ipv4.ping_group_range: low, high. */
extern struct sysctl_number g_ping_group_range[2];
bool inet_may_ping(const struct cred *cred);

/* --- raw_socket.c --- */
/* Has the current task CAP_NET_RAW? */
bool inet_may_be_raw(void);
/* A raw or packet socket of the host. -EPERM without CAP_NET_RAW, or where there are none. */
must_check int inet_raw_open(int family, int type, int protocol);

/* --- message.c --- */
must_check int64_t inet_stream_send(struct socket *socket, struct socket_message *message);
must_check int64_t inet_stream_receive(struct socket *socket, struct socket_message *message);
must_check int64_t inet_datagram_send(struct socket *socket, struct socket_message *message);
must_check int64_t inet_datagram_receive(struct socket *socket, struct socket_message *message);
/* One host call. */
must_check int64_t inet_host_receive(
	struct inet_socket *inet, struct socket_message *message, struct iovec *iov, int count);
/* No datagram of IP is longer; one that claims to be is the host's to refuse. */
#define INET_DATAGRAM_MAX (72u << 10)

/* --- filtered.c: of a socket with a filter --- */
/* What of ready there is after the filter. */
uint32_t inet_filtered_poll(struct socket *socket, uint32_t ready);
must_check int64_t inet_filtered_receive(struct socket *socket, struct socket_message *message);

/* --- option.c --- */
must_check int inet_set_option(
	struct socket *socket, int level, int name, const void *value, uint32_t size);
must_check int inet_get_option(
	struct socket *socket, int level, int name, void *value, uint32_t *size);
