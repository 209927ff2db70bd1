/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packet sockets (packet(7)): the host's, made outside of the jail as raw sockets are, and used as
 * any other datagram socket here.
 *
 * Differs from Linux: neither rings (PACKET_RX_RING, PACKET_TX_RING) nor fanout groups nor filters
 * in BPF, and no SOCK_PACKET.
 */
#include "sentry/net/inet/inet.h"

#include "base/descriptor.h"
#include "sentry/kernel/task.h"

#include <errno.h>

int packet_create(int type, int protocol, struct socket **out)
{
	int fd;

	if (!inet_may_be_raw())
		return -EPERM;
	if (type != LINUX_SOCK_RAW && type != LINUX_SOCK_DGRAM)
		return -ESOCKTNOSUPPORT;
	fd = inet_raw_open(LINUX_AF_PACKET, type, protocol);
	if (fd < 0)
		return fd == -EMFILE ? -ENFILE : fd;
	fd = descriptor_settle(fd, NULL);
	return fd < 0 ? fd : inet_new(LINUX_AF_PACKET, type, protocol & 0xffff, fd, out);
}
