/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The internet sockets of a network namespace, found by walking the descriptors of all processes.
 *
 * Differs from Linux: sockets that nobody has a descriptor of (in time-wait, in a message, not
 * accepted yet) are not seen, and queues and timers show as empty.
 */
#include "sentry/fs/proc/network_sockets.h"

#include "abi/inet.h"
#include "abi/socket.h"
#include "sentry/kernel/task.h"
#include "sentry/net/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SOCKETS_MAX 65536
#define TCP_WIDTH   149
#define UDP_WIDTH   127

struct shown_socket {
	uint64_t ino;
	uint32_t uid;
	int family, type;
	unsigned int state;
	struct socket_address local, remote;
};

struct collection {
	struct net_namespace *net;
	struct shown_socket *sockets;
	size_t count, capacity;
	bool failed;
};

static unsigned int state_of(struct socket *socket, bool connected)
{
	struct linux_tcp_info info = {0};
	uint32_t size = sizeof(info);

	if (socket->type != LINUX_SOCK_STREAM)
		return connected ? LINUX_TCP_ESTABLISHED : LINUX_TCP_CLOSE;
	if (socket->ops->get_option(socket, LINUX_SOL_TCP, LINUX_TCP_INFO, &info, &size))
		return LINUX_TCP_CLOSE;
	return info.tcpi_state;
}

static void add_socket(struct collection *all, struct file *file, struct socket *socket)
{
	struct shown_socket *shown;
	bool connected;

	if (all->count == all->capacity) {
		size_t capacity = all->capacity ? all->capacity * 2 : 64;
		struct shown_socket *grown;

		if (capacity > SOCKETS_MAX)
			return;
		grown = realloc(all->sockets, capacity * sizeof(*grown));
		if (!grown) {
			all->failed = true;
			return;
		}
		all->sockets = grown;
		all->capacity = capacity;
	}
	shown = &all->sockets[all->count++];
	memset(shown, 0, sizeof(*shown));
	shown->ino = file->inode->attributes.ino;
	shown->uid = file->inode->attributes.uid;
	shown->family = socket->family;
	shown->type = socket->type;
	(void)socket->ops->name(socket, false, &shown->local);
	connected = socket->ops->name(socket, true, &shown->remote) == 0;
	shown->state = state_of(socket, connected);
}

static void add_files(struct collection *all, struct fd_table *files)
{
	struct file *file;

	for (int fd = fd_next(files, 0, &file); fd >= 0; fd = fd_next(files, fd + 1, &file)) {
		struct socket *socket = file_socket(file);

		if (socket &&
			(socket->family == LINUX_AF_INET || socket->family == LINUX_AF_INET6) &&
			socket->net == all->net)
			add_socket(all, file, socket);
		file_put(file);
	}
}

/* The next process from a number on, with a reference. */
static struct task *next_process(int *number)
{
	struct pid_number *entry;

	mutex_guard(&g_tasks.lock);
	for (entry = pid_number_next_locked(g_tasks.root_pid_ns, *number); entry;
		entry = pid_number_next_locked(g_tasks.root_pid_ns, entry->number + 1)) {
		if (!entry->pid->group || !entry->pid->task)
			continue;
		*number = entry->number + 1;
		return task_get(entry->pid->task);
	}
	return NULL;
}

static int compare(const void *a, const void *b)
{
	const struct shown_socket *first = a, *second = b;

	return (first->ino > second->ino) - (first->ino < second->ino);
}

static void collect(struct collection *all)
{
	struct task *task;

	for (int number = 1; (task = next_process(&number));) {
		struct fd_table *files = task_get_files(task);

		if (files)
			add_files(all, files);
		fd_table_put(files);
		task_put(task);
	}
	if (all->count)
		qsort(all->sockets, all->count, sizeof(*all->sockets), compare);
}

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
	const struct shown_socket *socket, unsigned int index)
{
	bool stream = socket->type == LINUX_SOCK_STREAM;
	size_t start = out->size, width = stream ? TCP_WIDTH : UDP_WIDTH;

	text_printf(out, stream ? "%4u:" : "%5u:", index);
	show_address(out, socket->family, &socket->local);
	show_address(out, socket->family, &socket->remote);
	text_printf(out, " %02X 00000000:00000000 00:00000000 00000000 %5u %8d %lu %d %016x",
		socket->state, user_namespace_show_uid(context->user_ns, socket->uid), 0,
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

static void show_table(const struct proc_context *context, const struct collection *all,
	enum network_table table, struct text_writer *out)
{
	int family = table == NETWORK_TCP || table == NETWORK_UDP ? LINUX_AF_INET : LINUX_AF_INET6;
	int type = table == NETWORK_TCP || table == NETWORK_TCP6 ? LINUX_SOCK_STREAM
								 : LINUX_SOCK_DGRAM;
	unsigned int index = 0;

	text_printf(out, "%s", title_of(table));
	for (size_t i = 0; i < all->count; i++) {
		const struct shown_socket *socket = &all->sockets[i];

		if ((i > 0 && socket->ino == socket[-1].ino) || socket->family != family ||
			socket->type != type)
			continue;
		/* A TCP socket that was never connected or bound is in no table. */
		if (type == LINUX_SOCK_STREAM && socket->state == LINUX_TCP_CLOSE)
			continue;
		show_socket(context, out, socket, index++);
	}
}

static void show_sockstat(
	const struct collection *all, enum network_table table, struct text_writer *out)
{
	unsigned int tcp = 0, udp = 0;

	for (size_t i = 0; i < all->count; i++) {
		const struct shown_socket *socket = &all->sockets[i];

		if ((i > 0 && socket->ino == socket[-1].ino) ||
			(socket->family == LINUX_AF_INET6) != (table == NETWORK_SOCKSTAT6))
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
	struct collection all = {.net = net};

	collect(&all);
	if (table >= NETWORK_SOCKSTAT)
		show_sockstat(&all, table, out);
	else
		show_table(context, &all, table, out);
	free(all.sockets);
	return all.failed ? -ENOMEM : 0;
}
