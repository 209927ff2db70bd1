/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NETLINK_SOCK_DIAG for local and netlink sockets: what ss -x shows, and strace -yy of descriptors.
 *
 * Differs from Linux: no UNIX_DIAG_MEMINFO, and nothing but the message itself of netlink sockets.
 */
#include "sentry/kernel/credentials.h"
#include "sentry/kernel/task.h"
#include "sentry/net/netlink/netlink.h"
#include "sentry/net/unix/unix.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <string.h>

/* Readers have room for so much at once; the names of waiting connections fit beside it. */
#define DIAG_DATAGRAM_MAX 7168
#define DIAG_ICONS_MAX	  128

/* A list under way: what is wanted, and the datagrams so far, since nothing is queued under the
 * lock of the list. */
struct diag_dump {
	const struct netlink_request *request;
	const struct linux_unix_diag_req *unix_wanted;
	const struct linux_netlink_diag_req *netlink_wanted;
	bool exact; /* one socket by its number, else all */
	bool found;
	int error;
	TAILQ_HEAD(, netlink_datagram) done;
	struct netlink_datagram *part;
};

static struct netlink_datagram *room(struct diag_dump *dump)
{
	if (dump->part && dump->part->size > DIAG_DATAGRAM_MAX) {
		TAILQ_INSERT_TAIL(&dump->done, dump->part, link);
		dump->part = NULL;
	}
	if (!dump->part)
		dump->part = netlink_datagram_new();
	if (!dump->part)
		dump->error = -ENOBUFS;
	return dump->part;
}

/* One socket has one part, which is not of a list. */
static int send_all(struct diag_dump *dump)
{
	const struct netlink_request *request = dump->request;
	struct netlink_datagram *next;

	while ((next = TAILQ_FIRST(&dump->done))) {
		TAILQ_REMOVE(&dump->done, next, link);
		if (dump->error)
			netlink_datagram_free(next);
		else
			dump->error = netlink_queue_or_free(request, next);
	}
	if (!dump->error && !dump->exact && !dump->part)
		(void)room(dump);
	if (!dump->error && dump->exact && !dump->found)
		dump->error = -ENOENT;
	if (dump->error) {
		if (dump->part)
			netlink_datagram_free(dump->part);
		return dump->error;
	}
	return dump->exact ? netlink_queue_or_free(request, dump->part)
			   : netlink_finish_dump(request, dump->part);
}

static void put_cookie(uint32_t cookie[2], uint64_t ino)
{
	memcpy(cookie, &ino, sizeof(ino));
}

static bool cookie_matches(const uint32_t cookie[2], uint64_t ino)
{
	uint64_t value;

	memcpy(&value, cookie, sizeof(value));
	return value == UINT64_MAX || value == ino;
}

/* --- local sockets --- */

static uint8_t state_of(const struct unix_socket *unix_socket)
{
	enum unix_state state = unix_socket->state;

	switch (state) {
	case UNIX_LISTENING:
		return LINUX_TCP_LISTEN;
	case UNIX_CONNECTED:
		return LINUX_TCP_ESTABLISHED;
	default:
		return LINUX_TCP_CLOSE;
	}
}

static void put_name(struct netlink_datagram *out, const struct unix_socket *unix_socket)
{
	const struct unix_name *name = unix_socket->name;

	if (name)
		netlink_attribute(out, LINUX_UNIX_DIAG_NAME, name->address.sun_path,
			name->size - offsetof(struct linux_sockaddr_un, sun_path));
}

static void put_vfs(struct netlink_datagram *out, const struct unix_socket *unix_socket)
{
	const struct unix_name *name = unix_socket->name;
	struct linux_unix_diag_vfs vfs;
	struct inode *inode;

	if (!name || name->abstract || !unix_socket->path.dentry)
		return;
	inode = path_inode(&unix_socket->path);
	vfs.udiag_vfs_ino = (uint32_t)inode->attributes.ino;
	vfs.udiag_vfs_dev = (uint32_t)inode->sb->dev;
	netlink_attribute(out, LINUX_UNIX_DIAG_VFS, &vfs, sizeof(vfs));
}

/* The socket's lock is held, as in the next two. */
static void put_icons(struct netlink_datagram *out, struct unix_socket *unix_socket)
{
	uint32_t waiting[DIAG_ICONS_MAX];
	size_t count = 0;
	struct unix_socket *each;

	if (unix_socket->state != UNIX_LISTENING)
		return;
	TAILQ_FOREACH (each, &unix_socket->backlog, backlog_link) {
		struct unix_socket *peer = each->peer;

		if (count < DIAG_ICONS_MAX)
			waiting[count++] = peer ? (uint32_t)peer->socket.ino : 0;
	}
	netlink_attribute(out, LINUX_UNIX_DIAG_ICONS, waiting, count * sizeof(waiting[0]));
}

static void put_queues(struct netlink_datagram *out, struct unix_socket *unix_socket)
{
	struct linux_unix_diag_rqlen queues = {0};
	struct unix_message *message;

	if (unix_socket->state == UNIX_LISTENING) {
		queues.udiag_rqueue = unix_socket->backlog_used;
		queues.udiag_wqueue = unix_socket->backlog_max;
	} else {
		TAILQ_FOREACH (message, &unix_socket->queue, link) {
			queues.udiag_rqueue += (uint32_t)(message->size - message->offset);
			if (unix_socket->socket.type == LINUX_SOCK_DGRAM)
				break;
		}
		queues.udiag_wqueue = (uint32_t)unix_socket->send_charge;
	}
	netlink_attribute(out, LINUX_UNIX_DIAG_RQLEN, &queues, sizeof(queues));
}

static void put_guarded(
	struct netlink_datagram *out, struct unix_socket *unix_socket, uint32_t show)
{
	struct unix_socket *peer;

	mutex_lock_nested(&unix_socket->socket.lock);
	peer = unix_socket->peer;
	if ((show & LINUX_UDIAG_SHOW_PEER) && peer)
		netlink_attribute_u32(out, LINUX_UNIX_DIAG_PEER, (uint32_t)peer->socket.ino);
	if (show & LINUX_UDIAG_SHOW_ICONS)
		put_icons(out, unix_socket);
	if (show & LINUX_UDIAG_SHOW_RQLEN)
		put_queues(out, unix_socket);
	mutex_unlock(&unix_socket->socket.lock);
}

static void put_socket(struct diag_dump *dump, struct unix_socket *unix_socket)
{
	uint32_t show = dump->unix_wanted->udiag_show, uid;
	uint64_t ino = unix_socket->socket.ino;
	struct linux_unix_diag_msg message = {
		.udiag_family = LINUX_AF_UNIX,
		.udiag_type = (uint8_t)unix_socket->socket.type,
		.udiag_state = state_of(unix_socket),
		.udiag_ino = (uint32_t)ino,
	};
	struct netlink_datagram *out = room(dump);
	uint8_t shutdown = (uint8_t)unix_socket->shutdown;

	if (!out)
		return;
	put_cookie(message.udiag_cookie, ino);
	netlink_begin(out, dump->request, LINUX_SOCK_DIAG_BY_FAMILY,
		dump->exact ? 0 : LINUX_NLM_F_MULTI, &message, sizeof(message));
	if (show & LINUX_UDIAG_SHOW_NAME)
		put_name(out, unix_socket);
	if (show & LINUX_UDIAG_SHOW_VFS)
		put_vfs(out, unix_socket);
	put_guarded(out, unix_socket, show);
	netlink_attribute(out, LINUX_UNIX_DIAG_SHUTDOWN, &shutdown, sizeof(shutdown));
	if (show & LINUX_UDIAG_SHOW_UID) {
		uid = user_namespace_show_uid(
			current_cred()->user_ns, unix_socket->socket.file->inode->attributes.uid);
		netlink_attribute_u32(out, LINUX_UNIX_DIAG_UID, uid);
	}
	netlink_end(out);
}

/* The list's lock is held, so the socket's file is there. */
static bool look_at_unix(struct unix_socket *unix_socket, void *argument)
{
	struct diag_dump *dump = argument;
	const struct linux_unix_diag_req *wanted = dump->unix_wanted;
	uint64_t ino = unix_socket->socket.ino;

	if (!ino || !unix_socket->socket.file)
		return true;
	if (!dump->exact) {
		if (wanted->udiag_states & 1u << state_of(unix_socket))
			put_socket(dump, unix_socket);
		return !dump->error;
	}
	if ((uint32_t)ino != wanted->udiag_ino)
		return true;
	dump->found = true;
	if (!cookie_matches(wanted->udiag_cookie, ino))
		dump->error = -ESTALE;
	else
		put_socket(dump, unix_socket);
	return false;
}

int unix_diag_request(const struct netlink_request *request)
{
	struct linux_unix_diag_req wanted;
	struct diag_dump dump = {
		.request = request,
		.unix_wanted = &wanted,
		.exact = !(request->header.nlmsg_flags & LINUX_NLM_F_DUMP),
		.done = TAILQ_HEAD_INITIALIZER(dump.done),
	};

	if (request->payload_size < sizeof(wanted))
		return -EINVAL;
	memcpy(&wanted, request->payload, sizeof(wanted));
	if (dump.exact && !wanted.udiag_ino)
		return -EINVAL;
	unix_each(request->socket->net, look_at_unix, &dump);
	return send_all(&dump);
}

/* --- netlink sockets --- */

static bool look_at_netlink(struct socket *socket, uint32_t port, void *argument)
{
	struct diag_dump *dump = argument;
	uint8_t protocol = dump->netlink_wanted->sdiag_protocol;
	struct linux_netlink_diag_msg message = {
		.ndiag_family = LINUX_AF_NETLINK,
		.ndiag_type = (uint8_t)socket->type,
		.ndiag_protocol = (uint8_t)socket->protocol,
		.ndiag_portid = port,
		.ndiag_ino = (uint32_t)socket->ino,
	};
	struct netlink_datagram *out;

	if (protocol != LINUX_NDIAG_PROTO_ALL && protocol != socket->protocol)
		return true;
	out = room(dump);
	if (!out)
		return false;
	put_cookie(message.ndiag_cookie, socket->ino);
	netlink_begin(out, dump->request, LINUX_SOCK_DIAG_BY_FAMILY, LINUX_NLM_F_MULTI, &message,
		sizeof(message));
	netlink_end(out);
	return true;
}

int netlink_diag_request(const struct netlink_request *request)
{
	struct linux_netlink_diag_req wanted;
	struct diag_dump dump = {
		.request = request,
		.netlink_wanted = &wanted,
		.done = TAILQ_HEAD_INITIALIZER(dump.done),
	};

	if (request->payload_size < sizeof(wanted))
		return -EINVAL;
	memcpy(&wanted, request->payload, sizeof(wanted));
	if (!(request->header.nlmsg_flags & LINUX_NLM_F_DUMP))
		return -EOPNOTSUPP;
	netlink_each(request->socket->net, look_at_netlink, &dump);
	return send_all(&dump);
}
