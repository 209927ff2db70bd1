/* SPDX-License-Identifier: Apache-2.0 */
/* Packet sockets (packet(7)) on the loopback: who may have them, what passes by, what is sent. */
#include "tests/guest/packets.h"

#include <net/if_arp.h>
#include <netpacket/packet.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define ETHERTYPE_IP	     0x0800
#define ETHERTYPE_ALL	     0x0003
#define ETHERTYPE_EXPERIMENT 0x88b5
#define FRAME_HEADER	     14

#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23
#endif

/* On the loopback, which is the first interface. */
static struct sockaddr_ll on_loopback(uint16_t protocol)
{
	return (struct sockaddr_ll){.sll_family = AF_PACKET,
		.sll_protocol = htons(protocol),
		.sll_ifindex = 1,
		.sll_halen = 6};
}

static int packet_socket(int type, uint16_t protocol)
{
	struct sockaddr_ll name = on_loopback(protocol);
	int fd = socket(AF_PACKET, type, 0);

	if (fd < 0 && errno == EAFNOSUPPORT)
		SKIP("no packet sockets");
	CHECK(fd >= 0);
	CHECK(bind(fd, NAME(name)) == 0);
	return fd;
}

static void send_datagram(void)
{
	uint16_t port;
	int receiver = udp_at("127.0.0.1", &port);
	struct sockaddr_in to = v4("127.0.0.1", port);

	CHECK_EQ(sendto(receiver, "hello", 5, 0, NAME(to)), 5);
}

TEST(a_capability_is_needed)
{
	own_network();
	close(packet_socket(SOCK_RAW, 0));
	CHECK_ERRNO(socket(AF_PACKET, SOCK_STREAM, 0), ESOCKTNOSUPPORT);
	CHECK_ERRNO(socketpair(AF_PACKET, SOCK_DGRAM, 0, (int[2]){0}), EOPNOTSUPP);
	CHECK(setgid(65534) == 0 && setuid(65534) == 0);
	CHECK_ERRNO(socket(AF_PACKET, SOCK_RAW, 0), EPERM);
	CHECK_ERRNO(socket(AF_PACKET, SOCK_DGRAM, htons(ETHERTYPE_ALL)), EPERM);
	CHECK_ERRNO(socket(AF_PACKET, SOCK_STREAM, 0), EPERM);
}

TEST(packets_without_their_frame)
{
	struct sockaddr_ll from = {0};
	socklen_t size = sizeof(from);
	char bytes[200];
	int fd;

	own_network();
	fd = packet_socket(SOCK_DGRAM, ETHERTYPE_IP);
	send_datagram();
	CHECK(readable(fd, 10000));
	CHECK_EQ(recvfrom(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &size), 33);
	CHECK_EQ(bytes[0], 0x45);
	CHECK(!memcmp(bytes + 28, "hello", 5));
	CHECK(size >= 18);
	CHECK_EQ(from.sll_family, AF_PACKET);
	CHECK_EQ(from.sll_protocol, htons(ETHERTYPE_IP));
	CHECK_EQ(from.sll_ifindex, 1);
	CHECK_EQ(from.sll_hatype, ARPHRD_LOOPBACK);
	CHECK_EQ(from.sll_pkttype, PACKET_HOST);
	CHECK_EQ(from.sll_halen, 6);
	CHECK(!readable(fd, 20));
}

/* What goes out is seen, too, by who wants all. */
TEST(frames_both_ways)
{
	static const uint8_t kinds[] = {PACKET_OUTGOING, PACKET_HOST};
	char bytes[200];
	int fd, on = 1;

	own_network();
	fd = packet_socket(SOCK_RAW, ETHERTYPE_ALL);
	send_datagram();
	for (int i = 0; i < 2; i++) {
		struct sockaddr_ll from = {0};
		socklen_t size = sizeof(from);

		CHECK(readable(fd, 10000));
		CHECK_EQ(recvfrom(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &size),
			FRAME_HEADER + 33);
		CHECK_EQ(from.sll_pkttype, kinds[i]);
		CHECK(!memcmp(bytes, "\0\0\0\0\0\0\0\0\0\0\0\0\x08\0\x45", 15));
	}
	CHECK(setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) == 0);
	send_datagram();
	CHECK(readable(fd, 10000));
	CHECK_EQ(recv(fd, bytes, sizeof(bytes), 0), FRAME_HEADER + 33);
	CHECK(!readable(fd, 20));
}

TEST(names)
{
	struct sockaddr_ll name = {0}, other = on_loopback(ETHERTYPE_EXPERIMENT);
	socklen_t size = sizeof(name);
	struct stat status;
	char text[32] = "";
	int fd, value;

	own_network();
	fd = packet_socket(SOCK_DGRAM, 0);
	CHECK(getsockname(fd, (struct sockaddr *)&name, &size) == 0);
	CHECK_EQ(size, 18);
	CHECK_EQ(name.sll_ifindex, 1);
	CHECK_EQ(name.sll_protocol, 0);
	CHECK_EQ(name.sll_hatype, ARPHRD_LOOPBACK);
	send_datagram();
	CHECK(!readable(fd, 20));
	CHECK(bind(fd, NAME(other)) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&name, &size) == 0);
	CHECK_EQ(name.sll_protocol, htons(ETHERTYPE_EXPERIMENT));
	CHECK_ERRNO(getpeername(fd, (struct sockaddr *)&name, &size), EOPNOTSUPP);
	CHECK_ERRNO(connect(fd, NAME(other)), EOPNOTSUPP);
	CHECK_ERRNO(listen(fd, 1), EOPNOTSUPP);
	CHECK_ERRNO(accept(fd, NULL, NULL), EOPNOTSUPP);
	CHECK_ERRNO(shutdown(fd, SHUT_RD), EOPNOTSUPP);
	CHECK_ERRNO(bind(fd, (struct sockaddr *)&other, sizeof(other) - 1), EINVAL);
	other.sll_ifindex = 77777;
	CHECK_ERRNO(bind(fd, NAME(other)), ENODEV);
	size = sizeof(value);
	CHECK(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &value, &size) == 0);
	CHECK_EQ(value, AF_PACKET);
	CHECK(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &size) == 0);
	CHECK_EQ(value, SOCK_DGRAM);
	CHECK_EQ(fgetxattr(fd, "system.sockprotoname", text, sizeof(text)), 7);
	CHECK(!strcmp(text, "PACKET"));
	CHECK(fstat(fd, &status) == 0);
	(void)snprintf(text, sizeof(text), "%lu", status.st_ino);
	{
		FILE *file = fopen("/proc/net/packet", "r");
		char line[200];
		bool found = false;

		while (fgets(line, sizeof(line), file))
			found |= strstr(line, text) != NULL && strstr(line, " 2    88b5   1 ");
		CHECK(found);
	}
}

TEST(sending)
{
	struct sockaddr_ll to = on_loopback(ETHERTYPE_EXPERIMENT), from;
	char frame[FRAME_HEADER + 5] = "\0\0\0\0\0\0\2\0\0\0\0\1\x88\xb5whole", bytes[100];
	static char large[66000];
	socklen_t size = sizeof(from);
	int cooked, raw;

	own_network();
	cooked = packet_socket(SOCK_DGRAM, ETHERTYPE_EXPERIMENT);
	raw = packet_socket(SOCK_RAW, 0);
	CHECK_EQ(sendto(cooked, "12345", 5, 0, NAME(to)), 5);
	CHECK(readable(cooked, 10000));
	CHECK_EQ(recv(cooked, bytes, sizeof(bytes), 0), 5);
	CHECK(!memcmp(bytes, "12345", 5));
	CHECK_EQ(sendto(raw, frame, sizeof(frame), 0, NAME(to)), sizeof(frame));
	CHECK(readable(cooked, 10000));
	CHECK_EQ(recvfrom(cooked, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &size), 5);
	CHECK(!memcmp(bytes, "whole", 5));
	CHECK(!memcmp(from.sll_addr, "\2\0\0\0\0\1", 6));
	/* Bound, it needs no destination. */
	CHECK_EQ(send(raw, frame, sizeof(frame), 0), sizeof(frame));
	CHECK_EQ(recv(cooked, bytes, sizeof(bytes), 0), 5);
	CHECK_ERRNO(send(raw, frame, 5, 0), EINVAL);
	CHECK_ERRNO(sendto(cooked, large, sizeof(large), 0, NAME(to)), EMSGSIZE);
	CHECK_ERRNO(sendto(cooked, "x", 1, 0, (struct sockaddr *)&to, 8), EINVAL);
	to.sll_ifindex = 77777;
	CHECK_ERRNO(sendto(cooked, "x", 1, 0, NAME(to)), ENXIO);
}

TEST(options)
{
	struct packet_mreq group = {.mr_ifindex = 1, .mr_type = PACKET_MR_PROMISC};
	struct tpacket_statistics {
		unsigned int packets, drops;
	} statistics;
	socklen_t size = sizeof(statistics);
	char bytes[10], control[256];
	struct iovec iov = {bytes, sizeof(bytes)};
	struct msghdr message = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	int fd, on = 1;

	own_network();
	fd = packet_socket(SOCK_DGRAM, ETHERTYPE_IP);
	CHECK(setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &group, sizeof(group)) == 0);
	CHECK(setsockopt(fd, SOL_PACKET, PACKET_DROP_MEMBERSHIP, &group, sizeof(group)) == 0);
	CHECK_ERRNO(setsockopt(fd, SOL_PACKET, PACKET_DROP_MEMBERSHIP, &group, 8), EINVAL);
	CHECK(setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) == 0);
	CHECK_ERRNO(setsockopt(fd, SOL_PACKET, 999, &on, sizeof(on)), ENOPROTOOPT);
	CHECK_ERRNO(setsockopt(fd, SOL_IP, IP_TTL, &on, sizeof(on)), ENOPROTOOPT);
	send_datagram();
	CHECK(readable(fd, 10000));
	CHECK_ERRNO(recv(fd, bytes, sizeof(bytes), MSG_OOB), EINVAL);
	CHECK_EQ(recv(fd, bytes, sizeof(bytes), MSG_PEEK | MSG_TRUNC), 33);
	CHECK_EQ(recvmsg(fd, &message, 0), sizeof(bytes));
	CHECK_EQ(message.msg_flags & MSG_TRUNC, MSG_TRUNC);
	CHECK(CMSG_FIRSTHDR(&message) != NULL);
	CHECK_EQ(CMSG_FIRSTHDR(&message)->cmsg_level, SOL_PACKET);
	CHECK_EQ(CMSG_FIRSTHDR(&message)->cmsg_type, PACKET_AUXDATA);
	CHECK(getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &statistics, &size) == 0);
	CHECK_EQ(statistics.packets, 1);
	CHECK_EQ(statistics.drops, 0);
	CHECK_ERRNO(recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT), EAGAIN);
}

GUEST_TEST_MAIN()
