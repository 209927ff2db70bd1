/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The internet sockets of a network namespace as text.
 *
 * Differs from Linux: timers show as empty.
 */
#include "sentry/fs/proc/network_sockets.h"

#include "abi/inet.h"
#include "abi/socket.h"
#include "sentry/net/socket_list.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define TITLE                                                                                      \
	"local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "    \
	"inode"
#define TITLE6                                                                                     \
	"  sl  local_address                         remote_address                        st "    \
	"tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"

/* What Linux's tables differ in. */
static const struct layout {
	const char *title;
	int family, type;
	bool ping;
	int index_width, width; /* columns; width 0: as they come */
} layouts[] = {
	[NETWORK_TCP] = {"  sl  " TITLE "%53s", LINUX_AF_INET, LINUX_SOCK_STREAM, false, 4, 149},
	[NETWORK_TCP6] = {TITLE6, LINUX_AF_INET6, LINUX_SOCK_STREAM, false, 4, 0},
	[NETWORK_UDP] = {"   sl  " TITLE " ref pointer drops%12s", LINUX_AF_INET, LINUX_SOCK_DGRAM,
		false, 5, 127},
	[NETWORK_UDP6] = {TITLE6 " ref pointer drops", LINUX_AF_INET6, LINUX_SOCK_DGRAM, false, 5,
		0},
	[NETWORK_RAW] = {"  sl  " TITLE " ref pointer drops", LINUX_AF_INET, LINUX_SOCK_RAW, false,
		4, 0},
	[NETWORK_RAW6] = {TITLE6 " ref pointer drops", LINUX_AF_INET6, LINUX_SOCK_RAW, false, 5, 0},
	[NETWORK_ICMP] = {"  sl  " TITLE " ref pointer drops%13s", LINUX_AF_INET, LINUX_SOCK_DGRAM,
		true, 5, 127},
	[NETWORK_ICMP6] = {TITLE6 " ref pointer drops", LINUX_AF_INET6, LINUX_SOCK_DGRAM, true, 5,
		0},
};

/* --- the text --- */

static void show_address(struct text_writer *out, int family, const struct socket_address *address)
{
	if (family == LINUX_AF_INET) {
		uint32_t ip;

		memcpy(&ip, &address->in.sin_addr, sizeof(ip));
		text_printf(out, " %08X:%04X", ip, ntohs(address->in.sin_port));
	} else {
		uint32_t words[4];

		memcpy(words, &address->in6.sin6_addr, sizeof(words));
		text_printf(out, " %08X%08X%08X%08X:%04X", words[0], words[1], words[2], words[3],
			ntohs(address->in6.sin6_port));
	}
}

static void show_socket(const struct proc_context *context, struct text_writer *out,
	const struct layout *layout, const struct listed_socket *socket, unsigned int index)
{
	bool stream = socket->type == LINUX_SOCK_STREAM;
	size_t start = out->size, width = (size_t)layout->width;

	text_printf(out, "%*u:", layout->index_width, index);
	show_address(out, socket->family, &socket->local);
	show_address(out, socket->family, &socket->remote);
	text_printf(out, " %02X %08X:%08X 00:00000000 00000000 %5u %8d %lu %d %016x", socket->state,
		socket->state == LINUX_TCP_LISTEN && stream ? 0 : socket->send_queue,
		socket->receive_queue, user_namespace_show_uid(context->user_ns, socket->uid), 0,
		socket->ino, stream ? 1 : 2, 0);
	if (!stream)
		text_printf(out, " 0");
	else if (socket->state == LINUX_TCP_LISTEN)
		text_printf(out, " 100 0 0 10 0");
	else
		text_printf(out, " 20 4 30 10 -1");
	if (out->size - start < width)
		text_printf(out, "%*s", (int)(width - (out->size - start)), "");
	text_append(out, "\n", 1);
}

static bool is_of(const struct layout *layout, const struct listed_socket *socket)
{
	bool ping =
		socket->protocol == LINUX_IPPROTO_ICMP || socket->protocol == LINUX_IPPROTO_ICMPV6;

	return socket->family == layout->family && socket->type == layout->type &&
	       (socket->type != LINUX_SOCK_DGRAM || ping == layout->ping);
}

static void show_table(const struct proc_context *context, const struct socket_list *all,
	enum network_table table, struct text_writer *out)
{
	const struct layout *layout = &layouts[table];
	unsigned int index = 0;

	text_printf(out, layout->title, "");
	text_append(out, "\n", 1);
	for (size_t i = 0; i < all->count; i++) {
		const struct listed_socket *socket = &all->sockets[i];

		if (!is_of(layout, socket) || !socket_list_is_in_table(socket))
			continue;
		/* Of raw sockets it is where Linux has them: by their protocol. */
		show_socket(context, out, layout, socket,
			layout->type == LINUX_SOCK_RAW ? (uint8_t)socket->protocol : index++);
	}
}

/* Whether it is hooked in is not known: one without a protocol is not. */
static void show_packets(
	const struct proc_context *context, const struct socket_list *all, struct text_writer *out)
{
	text_printf(out, "%-17sRefCnt Type Proto  Iface R Rmem   User   Inode\n", "sk");
	for (size_t i = 0; i < all->count; i++) {
		const struct listed_socket *socket = &all->sockets[i];
		uint16_t protocol = ntohs(socket->local.ll.sll_protocol);

		if (socket->family != LINUX_AF_PACKET)
			continue;
		text_printf(out, "%016x %-6d %-4d %04x   %-5d %1d %-6u %-6u %-6lu\n", 0, 3,
			socket->type, protocol, socket->local.ll.sll_ifindex, protocol != 0,
			socket->receive_queue,
			user_namespace_show_uid(context->user_ns, socket->uid), socket->ino);
	}
}

static void show_sockstat(
	const struct socket_list *all, enum network_table table, struct text_writer *out)
{
	unsigned int tcp = 0, udp = 0, raw = 0;

	for (size_t i = 0; i < all->count; i++) {
		const struct listed_socket *socket = &all->sockets[i];

		if (socket->family == LINUX_AF_PACKET ||
			(socket->family == LINUX_AF_INET6) != (table == NETWORK_SOCKSTAT6))
			continue;
		tcp += socket->type == LINUX_SOCK_STREAM;
		udp += socket->type == LINUX_SOCK_DGRAM;
		raw += socket->type == LINUX_SOCK_RAW;
	}
	if (table == NETWORK_SOCKSTAT6)
		text_printf(out,
			"TCP6: inuse %u\nUDP6: inuse %u\nUDPLITE6: inuse 0\nRAW6: inuse %u\nFRAG6: "
			"inuse 0 memory 0\n",
			tcp, udp, raw);
	else
		text_printf(out,
			"sockets: used %u\nTCP: inuse %u orphan 0 tw 0 alloc %u mem 0\nUDP: inuse "
			"%u mem 0\nUDPLITE: inuse 0\n"
			"RAW: inuse %u\nFRAG: inuse 0 memory 0\n",
			tcp + udp + raw, tcp, tcp, udp, raw);
}

int network_sockets_show(const struct proc_context *context, struct net_namespace *net,
	enum network_table table, struct text_writer *out)
{
	struct socket_list all = {.net = net};

	socket_list_collect(&all);
	if (table == NETWORK_SOCKSTAT || table == NETWORK_SOCKSTAT6)
		show_sockstat(&all, table, out);
	else if (table == NETWORK_PACKET)
		show_packets(context, &all, out);
	else
		show_table(context, &all, table, out);
	socket_list_free(&all);
	return all.failed ? -ENOMEM : 0;
}
