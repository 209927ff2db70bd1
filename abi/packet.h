/* SPDX-License-Identifier: Apache-2.0 */
/* Packet sockets (packet(7)): addresses and options. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Options of SOL_PACKET. */
#define LINUX_PACKET_ADD_MEMBERSHIP  1
#define LINUX_PACKET_DROP_MEMBERSHIP 2
#define LINUX_PACKET_STATISTICS	     6
#define LINUX_PACKET_AUXDATA	     8
#define LINUX_PACKET_ORIGDEV	     9
#define LINUX_PACKET_IGNORE_OUTGOING 23

struct linux_sockaddr_ll {
	uint16_t sll_family;
	uint16_t sll_protocol; /* network order */
	int32_t sll_ifindex;
	uint16_t sll_hatype;
	uint8_t sll_pkttype;
	uint8_t sll_halen;
	uint8_t sll_addr[8];
};

_Static_assert(sizeof(struct linux_sockaddr_ll) == 20, "struct sockaddr_ll");
