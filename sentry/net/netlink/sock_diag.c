/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NETLINK_SOCK_DIAG (sock_diag(7)): the lists of TCP and UDP sockets that ss(8) reads; unix_diag.c
 * has those of local and netlink sockets.
 *
 * Differs from Linux: only whole lists, without attributes; filters are ignored but for states (ss
 * applies its own again). One socket by its name is -EOPNOTSUPP, other families are -ENOENT, as
 * where their modules are missing.
 */
#include "abi/inet.h"
#include "sentry/kernel/credentials.h"
#include "sentry/kernel/task.h"
#include "sentry/net/netlink/netlink.h"
#include "sentry/net/socket_list.h"

#include <errno.h>
#include <string.h>

/* Readers have room for so much at once. */
#define DIAG_DATAGRAM_MAX 8192

static void put_address(uint16_t *port, uint32_t words[4], const struct socket_address *address)
{
	if (!address->size)
		return;
	/* Both families have it in the same place. */
	*port = address->in.sin_port;
	if (address->family == LINUX_AF_INET)
		memcpy(words, &address->in.sin_addr, sizeof(address->in.sin_addr));
	else
		memcpy(words, &address->in6.sin6_addr, sizeof(address->in6.sin6_addr));
}

/* Both families have the port in the same place. */
static bool is_bound(const struct listed_socket *listed)
{
	return listed->local.size && listed->local.in.sin_port;
}

/* Among the states that a request asks for. */
static unsigned int asked_state(const struct listed_socket *listed)
{
	return listed->protocol == LINUX_IPPROTO_TCP && listed->state == LINUX_TCP_CLOSE
		       ? LINUX_TCP_BOUND_INACTIVE
		       : listed->state;
}

static void add_socket(struct netlink_datagram *out, const struct netlink_request *request,
	const struct listed_socket *listed)
{
	struct linux_inet_diag_msg message = {
		.idiag_family = (uint8_t)listed->family,
		.idiag_state = (uint8_t)listed->state,
		.idiag_rqueue = listed->receive_queue,
		.idiag_wqueue = listed->send_queue,
		.idiag_uid = user_namespace_show_uid(current_cred()->user_ns, listed->uid),
		.idiag_inode = (uint32_t)listed->ino,
	};

	put_address(&message.id.idiag_sport, message.id.idiag_src, &listed->local);
	put_address(&message.id.idiag_dport, message.id.idiag_dst, &listed->remote);
	memcpy(message.id.idiag_cookie, &listed->ino, sizeof(message.id.idiag_cookie));
	netlink_begin(out, request, LINUX_SOCK_DIAG_BY_FAMILY, LINUX_NLM_F_MULTI, &message,
		sizeof(message));
	netlink_end(out);
}

static bool is_wanted(
	const struct listed_socket *listed, const struct linux_inet_diag_req_v2 *wanted)
{
	return listed->family == wanted->sdiag_family && listed->type != LINUX_SOCK_RAW &&
	       listed->protocol == wanted->sdiag_protocol &&
	       (wanted->idiag_states & 1u << asked_state(listed)) &&
	       (socket_list_is_in_table(listed) || is_bound(listed));
}

/* In datagrams of a size that readers expect. */
static int dump_list(const struct netlink_request *request,
	const struct linux_inet_diag_req_v2 *wanted, const struct socket_list *all)
{
	struct netlink_datagram *part = netlink_datagram_new();
	int error;

	for (size_t i = 0; part && i < all->count; i++) {
		if (!is_wanted(&all->sockets[i], wanted))
			continue;
		add_socket(part, request, &all->sockets[i]);
		if (part->size < DIAG_DATAGRAM_MAX - sizeof(struct linux_inet_diag_msg) * 2)
			continue;
		error = netlink_queue_or_free(request, part);
		if (error)
			return error;
		part = netlink_datagram_new();
	}
	return part ? netlink_finish_dump(request, part) : -ENOBUFS;
}

int sock_diag_request(const struct netlink_request *request)
{
	struct socket_list all = {.net = request->socket->net};
	struct linux_inet_diag_req_v2 wanted;
	int result;

	if (request->header.nlmsg_type != LINUX_SOCK_DIAG_BY_FAMILY)
		return -EINVAL;
	if (request->payload_size < 2)
		return -EINVAL;
	if (request->payload[0] == LINUX_AF_UNIX)
		return unix_diag_request(request);
	if (request->payload[0] == LINUX_AF_NETLINK)
		return netlink_diag_request(request);
	if (request->payload[0] != LINUX_AF_INET && request->payload[0] != LINUX_AF_INET6)
		return -ENOENT;
	if (request->payload_size < sizeof(wanted))
		return -EINVAL;
	memcpy(&wanted, request->payload, sizeof(wanted));
	if (wanted.sdiag_protocol != LINUX_IPPROTO_TCP &&
		wanted.sdiag_protocol != LINUX_IPPROTO_UDP)
		return -ENOENT;
	if (!(request->header.nlmsg_flags & LINUX_NLM_F_DUMP))
		return -EOPNOTSUPP;
	socket_list_collect(&all);
	result = all.failed ? -ENOBUFS : dump_list(request, &wanted, &all);
	socket_list_free(&all);
	return result;
}
