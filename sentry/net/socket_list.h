/* SPDX-License-Identifier: Apache-2.0 */
/* A list of the internet and packet sockets of a network namespace, for /proc/net and sock_diag(7). */
#pragma once

#include "sentry/net/socket.h"

struct listed_socket {
	uint64_t ino;
	uint32_t uid;
	int family, type, protocol;
	unsigned int state; /* LINUX_TCP_*, of UDP too */
	uint32_t receive_queue, send_queue;
	struct socket_address local, remote;
};

struct socket_list {
	struct net_namespace *net; /* set by the caller: whose; compared only */
	struct listed_socket *sockets;
	size_t count, capacity;
	bool failed; /* out of memory: some are missing */
};

/* Fills a list, ordered by inode number; at most 65536. No lock held. */
void socket_list_collect(struct socket_list *all);
void socket_list_free(struct socket_list *all);
/* Is it in the protocol's table: was it bound or connected? */
bool socket_list_is_in_table(const struct listed_socket *listed);
