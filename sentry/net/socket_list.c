/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The internet sockets of a network namespace, found by walking the descriptors of all processes.
 *
 * Differs from Linux: sockets that nobody has a descriptor of (in time-wait, in a message, not
 * accepted yet) are not seen.
 */
#include "sentry/net/socket_list.h"

#include "sentry/kernel/task.h"
#include "sentry/vfs/fd_table.h"
#include "sentry/vfs/file.h"

#include <stdlib.h>
#include <string.h>

#define SOCKETS_MAX 65536

/* What the protocol says: state and queues. */
static void look_at(struct listed_socket *listed, struct socket *socket, bool connected)
{
	struct linux_tcp_info info = {0};
	uint32_t size = sizeof(info);

	listed->state = connected ? LINUX_TCP_ESTABLISHED : LINUX_TCP_CLOSE;
	if (socket->type == LINUX_SOCK_STREAM)
		listed->state =
			socket->ops->get_option(socket, LINUX_SOL_TCP, LINUX_TCP_INFO, &info, &size)
				? LINUX_TCP_CLOSE
				: info.tcpi_state;
	if (listed->state == LINUX_TCP_LISTEN) {
		/* Connections that wait, and how many may. */
		listed->receive_queue = info.tcpi_unacked;
		listed->send_queue = info.tcpi_sacked;
	} else {
		inet_queues(socket, &listed->receive_queue, &listed->send_queue);
	}
}

static void add_socket(struct socket_list *all, struct file *file, struct socket *socket)
{
	struct listed_socket *listed;
	bool connected;

	if (all->count == all->capacity) {
		size_t capacity = all->capacity ? all->capacity * 2 : 64;
		struct listed_socket *grown;

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
	listed = &all->sockets[all->count++];
	memset(listed, 0, sizeof(*listed));
	listed->ino = file->inode->attributes.ino;
	listed->uid = file->inode->attributes.uid;
	listed->family = socket->family;
	listed->type = socket->type;
	listed->protocol = socket->protocol;
	(void)socket->ops->name(socket, false, &listed->local);
	connected = socket->ops->name(socket, true, &listed->remote) == 0;
	look_at(listed, socket, connected);
}

static bool is_listed(const struct socket *socket)
{
	return socket->family == LINUX_AF_INET || socket->family == LINUX_AF_INET6 ||
	       socket->family == LINUX_AF_PACKET;
}

static void add_files(struct socket_list *all, struct fd_table *files)
{
	struct file *file;

	for (int fd = fd_next(files, 0, &file); fd >= 0; fd = fd_next(files, fd + 1, &file)) {
		struct socket *socket = file_socket(file);

		if (socket && is_listed(socket) && socket->net == all->net)
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
	const struct listed_socket *first = a, *second = b;

	return (first->ino > second->ino) - (first->ino < second->ino);
}

/* A socket of several descriptors counts once. */
static void drop_duplicates(struct socket_list *all)
{
	size_t kept = 0;

	for (size_t i = 0; i < all->count; i++)
		if (!kept || all->sockets[kept - 1].ino != all->sockets[i].ino)
			all->sockets[kept++] = all->sockets[i];
	all->count = kept;
}

void socket_list_collect(struct socket_list *all)
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
	drop_duplicates(all);
}

void socket_list_free(struct socket_list *all)
{
	free(all->sockets);
	all->sockets = NULL;
	all->count = all->capacity = 0;
}

bool socket_list_is_in_table(const struct listed_socket *listed)
{
	if (listed->type == LINUX_SOCK_RAW)
		return true;
	if (listed->type == LINUX_SOCK_STREAM)
		return listed->state != LINUX_TCP_CLOSE;
	/* Both families have the port in the same place. */
	return listed->local.in.sin_port;
}
