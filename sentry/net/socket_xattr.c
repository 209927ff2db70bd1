/* SPDX-License-Identifier: Apache-2.0 */
/* The one extended attribute of sockets: the name of their protocol (strace -yy asks for it). */
#include "abi/xattr.h"
#include "sentry/net/socket.h"
#include "sentry/vfs/inode.h"

#include <errno.h>
#include <string.h>

const char *socket_protocol_name(const struct socket *socket)
{
	bool v6 = socket->family == LINUX_AF_INET6;

	switch (socket->family) {
	case LINUX_AF_UNIX:
		return socket->type == LINUX_SOCK_STREAM ? "UNIX-STREAM" : "UNIX";
	case LINUX_AF_NETLINK:
		return "NETLINK";
	case LINUX_AF_PACKET:
		return "PACKET";
	case LINUX_AF_INET:
	case LINUX_AF_INET6:
		break;
	default:
		return "";
	}
	if (socket->type == LINUX_SOCK_STREAM)
		return v6 ? "TCPv6" : "TCP";
	if (socket->type == LINUX_SOCK_RAW)
		return v6 ? "RAWv6" : "RAW";
	if (inet_is_ping(socket))
		return v6 ? "PINGv6" : "PING";
	return v6 ? "UDPv6" : "UDP";
}

static int64_t give(const char *text, void *value, size_t size)
{
	size_t length = strlen(text) + 1;

	if (size && size < length)
		return -ERANGE;
	if (size)
		memcpy(value, text, length);
	return (int64_t)length;
}

static int64_t socket_getxattr(struct inode *inode, const char *name, void *value, size_t size)
{
	return strcmp(name, LINUX_XATTR_NAME_SOCKPROTONAME) ? -EOPNOTSUPP
							    : give(inode->private, value, size);
}

static int64_t socket_listxattr(struct inode *inode, char *list, size_t size)
{
	return give(LINUX_XATTR_NAME_SOCKPROTONAME, list, size);
}

const struct inode_operations socket_inode_operations = {
	.getxattr = socket_getxattr,
	.listxattr = socket_listxattr,
};
