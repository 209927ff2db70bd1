/* SPDX-License-Identifier: Apache-2.0 */
/* Socket filters. */
#include "sentry/net/socket_filter.h"

#include "sentry/kernel/bpf.h"
#include "sentry/kernel/task.h"
#include "sentry/net/socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct socket_filter {
	size_t count;
	struct linux_sock_filter program[];
};

/* Of the others that come from the host, headers that a filter may look at are not seen here. */
bool socket_has_filters(const struct socket *socket)
{
	return socket->family == LINUX_AF_UNIX || socket->family == LINUX_AF_NETLINK ||
	       socket->family == LINUX_AF_PACKET || socket->type == LINUX_SOCK_RAW;
}

static int import(const void *value, uint32_t size, struct socket_filter **out)
{
	struct linux_sock_fprog source;
	struct socket_filter *filter;
	int error;

	if (size != sizeof(source))
		return -EINVAL;
	memcpy(&source, value, sizeof(source));
	if (!source.len || source.len > LINUX_BPF_MAXINSNS)
		return -EINVAL;
	filter = malloc(sizeof(*filter) + source.len * sizeof(filter->program[0]));
	if (!filter)
		return -ENOMEM;
	filter->count = source.len;
	error = mm_copy_in(current->mm, filter->program, source.filter,
		source.len * sizeof(filter->program[0]));
	if (!error)
		error = bpf_check(filter->program, filter->count, BPF_USE_SOCKET);
	if (error)
		free(filter);
	else
		*out = filter;
	return error;
}

/* filter is consumed; NULL takes away what there is. */
static int replace(struct socket *socket, struct socket_filter *filter)
{
	int error = 0;

	mutex_lock(&socket->lock);
	if (socket->filter_locked) {
		error = -EPERM;
	} else if (!filter && !socket->filter) {
		error = -ENOENT;
	} else {
		struct socket_filter *old = socket->filter;

		socket->filter = filter;
		filter = old;
	}
	mutex_unlock(&socket->lock);
	free(filter);
	return error;
}

int socket_filter_attach(struct socket *socket, const void *value, uint32_t size)
{
	struct socket_filter *filter;
	int error = socket->filter_locked ? -EPERM : import(value, size, &filter);

	return error ? error : replace(socket, filter);
}

int socket_filter_detach(struct socket *socket)
{
	return replace(socket, NULL);
}

int socket_filter_get(struct socket *socket, gaddr_t address, uint32_t *count)
{
	struct linux_sock_filter *copy = NULL;
	uint32_t room = *count;
	int error = 0;

	mutex_lock(&socket->lock);
	*count = socket->filter ? (uint32_t)socket->filter->count : 0;
	if (room && *count) {
		error = room < *count ? -EINVAL : 0;
		copy = error ? NULL : malloc(*count * sizeof(*copy));
		if (copy)
			memcpy(copy, socket->filter->program, *count * sizeof(*copy));
		else if (!error)
			error = -ENOMEM;
	}
	mutex_unlock(&socket->lock);
	if (copy)
		error = mm_copy_out(current->mm, address, copy, *count * sizeof(*copy));
	free(copy);
	return error;
}

int socket_filter_lock(struct socket *socket, int on)
{
	mutex_guard(&socket->lock);
	if (socket->filter_locked && !on)
		return -EPERM;
	socket->filter_locked = on;
	return 0;
}

bool socket_filter_admits_locked(const struct socket *socket, const void *message, size_t *size)
{
	const struct socket_filter *filter = socket->filter;
	uint32_t kept;

	if (likely(!filter))
		return true;
	kept = bpf_run(filter->program, filter->count, BPF_USE_SOCKET, message, *size);
	*size = min_u64(*size, kept);
	return kept != 0;
}
