/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sentry/net/netlink/ - AF_NETLINK (netlink(7)): NETLINK_ROUTE tells of the loopback,
 * NETLINK_SOCK_DIAG of sockets, NETLINK_KOBJECT_UEVENT is silent.
 */
#pragma once

#include "base/compiler.h"
#include "sentry/net/socket.h"

#include <bsd/sys/queue.h>
#include <stdbool.h>

/* A datagram under construction or in a queue. */
struct netlink_datagram {
	TAILQ_ENTRY(netlink_datagram) link;
	size_t size, capacity;
	size_t message; /* where the message under construction begins */
	bool failed;	/* out of memory */
	uint8_t *bytes;
};

/* The request that is being answered. */
struct netlink_request {
	struct linux_nlmsghdr header;
	const uint8_t *payload; /* after the header */
	size_t payload_size;
	uint32_t port; /* the requester's */
	struct socket *socket;
};

/* --- netlink_message.c: building --- */
struct netlink_datagram *netlink_datagram_new(void);
void netlink_datagram_free(struct netlink_datagram *datagram);
/* Begins a message of a type with its fixed part; ends it, with its length. */
void netlink_begin(struct netlink_datagram *datagram, const struct netlink_request *request,
	uint16_t type, uint16_t flags, const void *fixed, size_t size);
void netlink_attribute(
	struct netlink_datagram *datagram, uint16_t type, const void *data, size_t size);
void netlink_attribute_u32(struct netlink_datagram *datagram, uint16_t type, uint32_t value);
void netlink_end(struct netlink_datagram *datagram);
/* Bytes that are no message. */
void netlink_append(struct netlink_datagram *datagram, const void *bytes, size_t size);
/* The value of an attribute that follows the fixed part of a request, or NULL. */
const void *netlink_find_attribute(
	const struct netlink_request *request, size_t fixed_size, uint16_t type, size_t *size);

/* --- netlink.c --- */
/* Queues an answer; consumes it. -ENOBUFS when the receive buffer is full. */
must_check int netlink_queue(
	const struct netlink_request *request, struct netlink_datagram *datagram);

/* Queues it, or frees it when it is empty or memory ran out (-ENOBUFS). */
must_check int netlink_queue_or_free(
	const struct netlink_request *request, struct netlink_datagram *datagram);
/* The last part of a list, then its end, in a datagram of its own as from Linux: 1 or an error. */
must_check int netlink_finish_dump(
	const struct netlink_request *request, struct netlink_datagram *list);

/* Bytes from the kernel to a netlink socket, as they are. -EINVAL for another socket, -ENOBUFS. */
must_check int netlink_tell(struct socket *socket, const void *bytes, size_t size);
bool socket_is_netlink(const struct socket *socket);
/* Calls look for each bound netlink socket of a namespace until it says false; the list is locked.
 */
void netlink_each(struct net_namespace *net,
	bool (*look)(struct socket *socket, uint32_t port, void *argument), void *argument);

/* --- sock_diag.c: as route_request(), of NETLINK_SOCK_DIAG --- */
must_check int sock_diag_request(const struct netlink_request *request);

/* --- unix_diag.c: the same for AF_UNIX and AF_NETLINK --- */
must_check int unix_diag_request(const struct netlink_request *request);
must_check int netlink_diag_request(const struct netlink_request *request);

/* --- route.c --- */
/* Answers a request of NETLINK_ROUTE: what an acknowledgement says, 0 or an error; 1: it was
 * answered and needs none. */
must_check int route_request(const struct netlink_request *request);

/* --- route_nsid.c: RTM_GETNSID, likewise --- */
must_check int route_get_nsid(const struct netlink_request *request);
