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

#define TCP_WIDTH 149
#define UDP_WIDTH 127

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
	const struct listed_socket *socket, unsigned int index)
{
	bool stream = socket->type == LINUX_SOCK_STREAM;
	size_t start = out->size, width = stream ? TCP_WIDTH : UDP_WIDTH;

	text_printf(out, stream ? "%4u:" : "%5u:", index);
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
	if (socket->family == LINUX_AF_INET && out->size - start < width)
		text_printf(out, "%*s", (int)(width - (out->size - start)), "");
	text_append(out, "\n", 1);
}

static const char *title_of(enum network_table table)
{
	static const char *const titles[] = {
		[NETWORK_TCP] = "  sl  local_address rem_address   st tx_queue rx_queue tr "
				"tm->when retrnsmt   uid  timeout "
				"inode                                                     \n",
		[NETWORK_TCP6] = "  sl  local_address                         remote_address       "
				 "                 st "
				 "tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n",
		[NETWORK_UDP] = "   sl  local_address rem_address   st tx_queue rx_queue tr "
				"tm->when retrnsmt   uid  timeout "
				"inode ref pointer drops             \n",
		[NETWORK_UDP6] = "  sl  local_address                         remote_address       "
				 "                 st "
				 "tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref "
				 "pointer drops\n",
	};

	return titles[table];
}

static void show_table(const struct proc_context *context, const struct socket_list *all,
	enum network_table table, struct text_writer *out)
{
	int family = table == NETWORK_TCP || table == NETWORK_UDP ? LINUX_AF_INET : LINUX_AF_INET6;
	int type = table == NETWORK_TCP || table == NETWORK_TCP6 ? LINUX_SOCK_STREAM
								 : LINUX_SOCK_DGRAM;
	unsigned int index = 0;

	text_printf(out, "%s", title_of(table));
	for (size_t i = 0; i < all->count; i++) {
		const struct listed_socket *socket = &all->sockets[i];

		if (socket->family != family || socket->type != type ||
			!socket_list_is_in_table(socket))
			continue;
		show_socket(context, out, socket, index++);
	}
}

static void show_sockstat(
	const struct socket_list *all, enum network_table table, struct text_writer *out)
{
	unsigned int tcp = 0, udp = 0;

	for (size_t i = 0; i < all->count; i++) {
		const struct listed_socket *socket = &all->sockets[i];

		if ((socket->family == LINUX_AF_INET6) != (table == NETWORK_SOCKSTAT6))
			continue;
		*(socket->type == LINUX_SOCK_STREAM ? &tcp : &udp) += 1;
	}
	if (table == NETWORK_SOCKSTAT6)
		text_printf(out,
			"TCP6: inuse %u\nUDP6: inuse %u\nUDPLITE6: inuse 0\nRAW6: inuse 0\nFRAG6: "
			"inuse 0 memory 0\n",
			tcp, udp);
	else
		text_printf(out,
			"sockets: used %u\nTCP: inuse %u orphan 0 tw 0 alloc %u mem 0\nUDP: inuse "
			"%u mem 0\nUDPLITE: inuse 0\n"
			"RAW: inuse 0\nFRAG: inuse 0 memory 0\n",
			tcp + udp, tcp, tcp, udp);
}

int network_sockets_show(const struct proc_context *context, struct net_namespace *net,
	enum network_table table, struct text_writer *out)
{
	struct socket_list all = {.net = net};

	socket_list_collect(&all);
	if (table >= NETWORK_SOCKSTAT)
		show_sockstat(&all, table, out);
	else
		show_table(context, &all, table, out);
	socket_list_free(&all);
	return all.failed ? -ENOMEM : 0;
}
