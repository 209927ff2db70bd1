/* SPDX-License-Identifier: Apache-2.0 */
/* Which ports a domain lets TCP sockets be bound and connected to. */
#include "sentry/security/landlock/domain.h"

#include "abi/inet.h"
#include "sentry/net/socket.h"

#include <arpa/inet.h>
#include <errno.h>

/* What Linux takes for the shortest address of version 6: without a scope. */
#define INET6_ADDRESS_MIN offsetof(struct linux_sockaddr_in6, sin6_scope_id)

static bool is_tcp(const struct socket *socket)
{
	return (socket->family == LINUX_AF_INET || socket->family == LINUX_AF_INET6) &&
	       socket->type == LINUX_SOCK_STREAM &&
	       (socket->protocol == 0 || socket->protocol == LINUX_IPPROTO_TCP);
}

/* bind(2) takes an address without a family for one of version 4, if it is that of any interface.
 */
static int check_unspecified(const struct socket *socket, const struct socket_address *address)
{
	if (socket->family == LINUX_AF_INET6)
		return address->size < INET6_ADDRESS_MIN ? -EINVAL : -EAFNOSUPPORT;
	if (address->size < sizeof(address->in))
		return -EINVAL;
	return address->in.sin_addr.s_addr ? -EAFNOSUPPORT : 0;
}

/* 1: it has this port. 0: it is of no matter. */
static int port_of(
	const struct socket *socket, const struct socket_address *address, uint16_t *port)
{
	switch (address->family) {
	case LINUX_AF_UNSPEC:
	case LINUX_AF_INET:
		if (address->size < sizeof(address->in))
			return -EINVAL;
		*port = ntohs(address->in.sin_port);
		break;
	case LINUX_AF_INET6:
		if (address->size < INET6_ADDRESS_MIN)
			return -EINVAL;
		*port = ntohs(address->in6.sin6_port);
		break;
	default:
		return 0;
	}
	return address->family && address->family != socket->family ? -EINVAL : 1;
}

int landlock_check_address_slow(const struct landlock_domain *domain, const struct socket *socket,
	const struct socket_address *address, uint16_t access)
{
	struct landlock_masks masks;
	uint16_t port = 0;
	int result;

	if (!domain->all.net || !is_tcp(socket))
		return 0;
	if (address->size < sizeof(address->family))
		return -EINVAL;
	if (address->family == LINUX_AF_UNSPEC) {
		/* A connection may always be given up. */
		if (access == LINUX_LANDLOCK_ACCESS_NET_CONNECT_TCP)
			return 0;
		result = check_unspecified(socket, address);
		if (result)
			return result;
	}
	result = port_of(socket, address, &port);
	if (result <= 0)
		return result;
	access = landlock_masks_begin(domain, LANDLOCK_NET, access, &masks);
	return landlock_masks_allow(&masks, landlock_find_port(domain, port), access) ? 0 : -EACCES;
}
