/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the host holds for internet sockets: their queues count for the sandbox's memory. What a
 * connection has that nobody accepted yet is not seen.
 */
#include "sentry/net/inet/inet.h"

#include "sentry/lock_order.h"
#include "sentry/mm/memory_held.h"

#include <linux/sock_diag.h>
#include <sys/socket.h>

/* The structures of a socket, about. */
#define SOCKET_BYTES 4096

static struct {
	struct mutex lock; /* RANK_LEAF */
	LIST_HEAD(, inet_socket) sockets;
} all;

static uint64_t bytes_of(const struct inet_socket *inet)
{
	uint32_t info[SK_MEMINFO_VARS] = {0};
	socklen_t size = sizeof(info);

	if (getsockopt(inet->fd, SOL_SOCKET, SO_MEMINFO, info, &size))
		return SOCKET_BYTES;
	return SOCKET_BYTES + (uint64_t)info[SK_MEMINFO_RMEM_ALLOC] +
	       max_u64(info[SK_MEMINFO_WMEM_QUEUED], info[SK_MEMINFO_WMEM_ALLOC]) +
	       info[SK_MEMINFO_FWD_ALLOC] + info[SK_MEMINFO_BACKLOG];
}

static uint64_t bytes_of_all(void)
{
	struct inet_socket *inet;
	uint64_t bytes = 0;

	mutex_guard(&all.lock);
	LIST_FOREACH (inet, &all.sockets, link)
		bytes += bytes_of(inet);
	return bytes;
}

__attribute__((constructor)) static void all_init(void)
{
	mutex_init(&all.lock, RANK_LEAF, "internet sockets");
	LIST_INIT(&all.sockets);
	memory_held_set_sockets(bytes_of_all);
}

void inet_memory_add(struct inet_socket *inet)
{
	mutex_guard(&all.lock);
	LIST_INSERT_HEAD(&all.sockets, inet, link);
}

void inet_memory_remove(struct inet_socket *inet)
{
	mutex_guard(&all.lock);
	LIST_REMOVE(inet, link);
}
