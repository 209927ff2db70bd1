/* SPDX-License-Identifier: Apache-2.0 */
/* UDP over the loopback: boundaries, connecting, errors that come back, control messages,
 * multicast, many at once. */
#include "tests/guest/inet.h"

#include <linux/errqueue.h>
#include <linux/udp.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

static int first, second;
static struct sockaddr_in first_name, second_name;

static void udp_make(void)
{
	first = inet_bound(AF_INET, SOCK_DGRAM, &first_name);
	second = inet_bound(AF_INET, SOCK_DGRAM, &second_name);
}

static void udp_connect(void)
{
	udp_make();
	CHECK(connect(first, (struct sockaddr *)&second_name, sizeof(second_name)) == 0);
	CHECK(connect(second, (struct sockaddr *)&first_name, sizeof(first_name)) == 0);
}

TEST(boundaries_and_names)
{
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	char text[16];

	udp_make();
	CHECK_EQ(sendto(first, "one", 3, 0, (struct sockaddr *)&second_name, sizeof(second_name)),
		3);
	CHECK_EQ(sendto(first, "", 0, 0, (struct sockaddr *)&second_name, sizeof(second_name)), 0);
	CHECK_EQ(sendto(first, "three", 5, 0, (struct sockaddr *)&second_name, sizeof(second_name)),
		5);
	CHECK_EQ(recvfrom(second, text, 16, 0, (struct sockaddr *)&from, &size), 3);
	CHECK_EQ(size, sizeof(from));
	CHECK(!memcmp(&from, &first_name, 8));
	CHECK_EQ(recv(second, text, 16, 0), 0);
	CHECK_EQ(recv(second, text, 2, MSG_PEEK | MSG_TRUNC), 5);
	CHECK_EQ(recv(second, text, 2, 0), 2);
	CHECK_ERRNO(recv(second, text, 2, MSG_DONTWAIT), EAGAIN);
}

TEST(udplite_covers_what_it_is_told)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int from = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE), to, coverage = 20;
	socklen_t size = sizeof(name);
	char text[32];

	if (from < 0 && errno == EPROTONOSUPPORT)
		SKIP("no UDP-Lite");
	CHECK(from >= 0);
	to = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE);
	CHECK(bind(to, (struct sockaddr *)&name, size) == 0);
	CHECK(getsockname(to, (struct sockaddr *)&name, &size) == 0);
	CHECK_EQ(setsockopt(from, IPPROTO_UDPLITE, 10, &coverage, sizeof(coverage)), 0);
	CHECK_EQ(setsockopt(to, IPPROTO_UDPLITE, 11, &coverage, sizeof(coverage)), 0);
	CHECK_EQ(sendto(from, "0123456789abcdef", 16, 0, (struct sockaddr *)&name, size), 16);
	CHECK_EQ(recv(to, text, sizeof(text), 0), 16);
}

TEST(connected_hears_only_its_peer)
{
	char text[4];

	udp_connect();
	CHECK_EQ(sendto(inet_bound(AF_INET, SOCK_DGRAM, NULL), "x", 1, 0,
			 (struct sockaddr *)&second_name, sizeof(second_name)),
		1);
	CHECK_EQ(send(first, "y", 1, 0), 1);
	CHECK_EQ(recv(second, text, 4, 0), 1);
	CHECK_EQ(text[0], 'y');
	CHECK(connect(first, &(struct sockaddr){.sa_family = AF_UNSPEC}, sizeof(struct sockaddr)) ==
		0);
	CHECK_ERRNO(send(first, "x", 1, 0), EDESTADDRREQ);
}

TEST(a_closed_port_is_told)
{
	char byte;

	udp_connect();
	close(second);
	CHECK_EQ(send(first, "x", 1, 0), 1);
	CHECK(wait_for(first, POLLERR));
	CHECK_ERRNO(recv(first, &byte, 1, 0), ECONNREFUSED);
	CHECK_ERRNO(recv(first, &byte, 1, MSG_DONTWAIT), EAGAIN);
}

TEST(the_error_queue_has_the_datagram)
{
	struct sockaddr_in name;
	char text[16], control[256];
	struct iovec vector = {text, sizeof(text)};
	struct msghdr message = {&name, sizeof(name), &vector, 1, control, sizeof(control), 0};
	struct sock_extended_err error;

	udp_connect();
	close(second);
	CHECK(setsockopt(first, SOL_IP, IP_RECVERR, &(int){1}, sizeof(int)) == 0);
	CHECK_ERRNO(recvmsg(first, &message, MSG_ERRQUEUE), EAGAIN);
	CHECK_EQ(send(first, "lost", 4, 0), 4);
	CHECK(wait_for(first, POLLERR));
	CHECK_EQ(recvmsg(first, &message, MSG_ERRQUEUE), 4);
	CHECK(message.msg_flags & MSG_ERRQUEUE);
	CHECK(!memcmp(text, "lost", 4));
	CHECK_EQ(name.sin_port, second_name.sin_port);
	CHECK(CMSG_FIRSTHDR(&message));
	CHECK_EQ(CMSG_FIRSTHDR(&message)->cmsg_type, IP_RECVERR);
	memcpy(&error, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(error));
	CHECK_EQ(error.ee_errno, ECONNREFUSED);
	CHECK_EQ(error.ee_origin, SO_EE_ORIGIN_ICMP);
}

/* The data of the first control message of a kind that comes with the next datagram. */
static void control_of(int fd, int level, int type, void *data, size_t size)
{
	char text[16], control[256];
	struct iovec vector = {text, sizeof(text)};
	struct msghdr message = {
		.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = 256};

	CHECK_EQ(recvmsg(fd, &message, 0), 1);
	for (struct cmsghdr *each = CMSG_FIRSTHDR(&message); each;
		each = CMSG_NXTHDR(&message, each)) {
		if (each->cmsg_level != level || each->cmsg_type != type)
			continue;
		CHECK_EQ(each->cmsg_len, CMSG_LEN(size));
		memcpy(data, CMSG_DATA(each), size);
		return;
	}
	FAIL("no control message %d %d", level, type);
}

static void send_with(int fd, int level, int type, const void *data, size_t size)
{
	char control[128] = {0};
	struct iovec vector = {"x", 1};
	struct msghdr message = {.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = CMSG_SPACE(size)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = level;
	header->cmsg_type = type;
	header->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(header), data, size);
	CHECK_EQ(sendmsg(fd, &message, 0), 1);
}

TEST(control_messages)
{
	struct in_pktinfo info = {.ipi_spec_dst.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval time;
	uint8_t tos;
	int ttl;

	udp_connect();
	CHECK(setsockopt(second, SOL_IP, IP_PKTINFO, &(int){1}, sizeof(int)) == 0);
	send_with(first, SOL_IP, IP_PKTINFO, &info, sizeof(info));
	control_of(second, SOL_IP, IP_PKTINFO, &info, sizeof(info));
	CHECK_EQ(info.ipi_ifindex, if_nametoindex("lo"));
	CHECK_EQ(info.ipi_addr.s_addr, htonl(INADDR_LOOPBACK));
	CHECK(setsockopt(second, SOL_IP, IP_RECVTTL, &(int){1}, sizeof(int)) == 0);
	send_with(first, SOL_IP, IP_TTL, &(int){7}, sizeof(int));
	control_of(second, SOL_IP, IP_TTL, &ttl, sizeof(ttl));
	CHECK_EQ(ttl, 7);
	CHECK(setsockopt(second, SOL_IP, IP_RECVTOS, &(int){1}, sizeof(int)) == 0);
	send_with(first, SOL_IP, IP_TOS, &(int){0x10}, sizeof(int));
	control_of(second, SOL_IP, IP_TOS, &tos, sizeof(tos));
	CHECK_EQ(tos, 0x10);
	CHECK(setsockopt(second, SOL_SOCKET, SO_TIMESTAMP, &(int){1}, sizeof(int)) == 0);
	CHECK_EQ(send(first, "x", 1, 0), 1);
	control_of(second, SOL_SOCKET, SO_TIMESTAMP, &time, sizeof(time));
	CHECK(time.tv_sec > 1600000000);
}

TEST(control_room_is_bounded)
{
	char text[16], control[8];
	struct iovec vector = {text, sizeof(text)};
	struct msghdr message = {
		.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = 8};

	udp_connect();
	CHECK(setsockopt(second, SOL_IP, IP_PKTINFO, &(int){1}, sizeof(int)) == 0);
	CHECK_EQ(send(first, "x", 1, 0), 1);
	CHECK_EQ(recvmsg(second, &message, 0), 1);
	CHECK(message.msg_flags & MSG_CTRUNC);
	CHECK_EQ(message.msg_controllen, 0);
}

TEST(multicast_on_the_loopback)
{
	struct ip_mreqn request = {.imr_multiaddr.s_addr = htonl(0xe0000a0b)};
	struct sockaddr_in group = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0xe0000a0b)},
			   any = group;
	int receiver = socket(AF_INET, SOCK_DGRAM, 0), sender = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t size = sizeof(any);
	char byte;

	any.sin_addr.s_addr = htonl(INADDR_ANY);
	request.imr_ifindex = (int)if_nametoindex("lo");
	CHECK(bind(receiver, (struct sockaddr *)&any, sizeof(any)) == 0);
	CHECK(getsockname(receiver, (struct sockaddr *)&any, &size) == 0);
	CHECK(setsockopt(receiver, SOL_IP, IP_ADD_MEMBERSHIP, &request, sizeof(request)) == 0);
	CHECK(setsockopt(sender, SOL_IP, IP_MULTICAST_IF, &request, sizeof(request)) == 0);
	group.sin_port = any.sin_port;
	CHECK_EQ(sendto(sender, "x", 1, 0, (struct sockaddr *)&group, sizeof(group)), 1);
	CHECK(wait_for(receiver, POLLIN));
	CHECK_EQ(recv(receiver, &byte, 1, 0), 1);
	CHECK(setsockopt(receiver, SOL_IP, IP_DROP_MEMBERSHIP, &request, sizeof(request)) == 0);
	CHECK_ERRNO(setsockopt(receiver, SOL_IP, IP_DROP_MEMBERSHIP, &request, sizeof(request)),
		EADDRNOTAVAIL);
}

TEST(a_broadcast_needs_leave)
{
	struct sockaddr_in all = {
		.sin_family = AF_INET, .sin_port = 9, .sin_addr.s_addr = htonl(0x7fffffff)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK_ERRNO(sendto(fd, "x", 1, 0, (struct sockaddr *)&all, sizeof(all)), EACCES);
	CHECK(setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &(int){1}, sizeof(int)) == 0);
	CHECK_EQ(sendto(fd, "x", 1, 0, (struct sockaddr *)&all, sizeof(all)), 1);
}

TEST(many_at_once)
{
	struct mmsghdr messages[6] = {0};
	struct iovec vectors[6];
	char buffers[6][8];

	udp_connect();
	for (int i = 0; i < 6; i++) {
		buffers[i][0] = (char)i;
		vectors[i] = (struct iovec){buffers[i], (size_t)i + 1};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
	}
	CHECK_EQ(sendmmsg(first, messages, 6, 0), 6);
	for (int i = 0; i < 6; i++)
		vectors[i].iov_len = 8;
	CHECK(wait_for(second, POLLIN));
	CHECK_EQ(recvmmsg(second, messages, 2, 0, NULL), 2);
	CHECK_EQ(messages[1].msg_len, 2);
	CHECK_EQ(recvmmsg(second, messages, 6, MSG_WAITFORONE, NULL), 4);
	CHECK_EQ(messages[3].msg_len, 6);
	CHECK_EQ(buffers[3][0], 5);
}

TEST(segmentation_by_size)
{
	char text[3000] = {0};

	udp_connect();
	if (setsockopt(first, IPPROTO_UDP, UDP_SEGMENT, &(int){1000}, sizeof(int)))
		SKIP("no UDP_SEGMENT");
	CHECK_EQ(send(first, text, 2500, 0), 2500);
	CHECK_EQ(recv(second, text, 3000, 0), 1000);
	CHECK_EQ(recv(second, text, 3000, 0), 1000);
	CHECK_EQ(recv(second, text, 3000, 0), 500);
}

TEST(sizes)
{
	static char large[70000];
	int size = -1;

	udp_connect();
	CHECK_ERRNO(send(first, large, 65508, 0), EMSGSIZE);
	CHECK_ERRNO(send(first, large, sizeof(large), 0), EMSGSIZE);
	CHECK_EQ(send(first, large, 65507, 0), 65507);
	CHECK_EQ(send(first, "x", 1, 0), 1);
	CHECK(wait_for(second, POLLIN));
	CHECK(ioctl(second, FIONREAD, &size) == 0);
	CHECK_EQ(size, 65507);
	CHECK_EQ(recv(second, large, sizeof(large), 0), 65507);
	CHECK_EQ(recv(second, large, sizeof(large), 0), 1);
}

TEST(many_small_pieces_of_memory)
{
	struct iovec vectors[300];
	char bytes[300], back[400];

	udp_connect();
	for (int i = 0; i < 300; i++) {
		bytes[i] = (char)i;
		vectors[i] = (struct iovec){&bytes[i], 1};
	}
	CHECK_EQ(writev(first, vectors, 300), 300);
	CHECK_EQ(read(second, back, 400), 300);
	CHECK(!memcmp(bytes, back, 300));
	CHECK_EQ(write(first, back, 300), 300);
	memset(bytes, 0, 300);
	CHECK_EQ(readv(second, vectors, 300), 300);
	CHECK(!memcmp(bytes, back, 300));
}

TEST(shutdown_ends_reads)
{
	char byte;

	udp_connect();
	CHECK(shutdown(second, SHUT_RD) == 0);
	CHECK_EQ(recv(second, &byte, 1, 0), 0);
	CHECK(shutdown(second, SHUT_WR) == 0);
	CHECK_ERRNO(send(second, "x", 1, 0), EPIPE);
	CHECK_ERRNO(listen(second, 1), EOPNOTSUPP);
	CHECK_ERRNO(accept(second, NULL, NULL), EOPNOTSUPP);
}

TEST(a_bad_buffer_is_told_when_there_is_something)
{
	udp_connect();
	CHECK_ERRNO(recv(second, (void *)8, 1, MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(send(first, "x", 1, 0), 1);
	CHECK(wait_for(second, POLLIN));
	CHECK_ERRNO(recv(second, (void *)8, 1, 0), EFAULT);
}

/* Of an internet message, in network order. */
static uint32_t checksum(const void *data, size_t size)
{
	const uint16_t *words = data;
	uint32_t sum = 0;

	for (size_t i = 0; i < size / 2; i++)
		sum += words[i];
	sum = (sum >> 16) + (sum & 0xffff);
	return sum + (sum >> 16);
}

TEST(ping)
{
	struct {
		uint8_t type, code;
		uint16_t check, id, sequence;
		char data[8];
	} request = {.type = 8, .sequence = htons(1), .data = "ping"}, reply = {0};
	struct sockaddr_in name = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);

	char packet[128];
	ssize_t size;

	/* Linux of today lets everybody have one; before, a privileged program had to make the
	 * whole message. */
	if (fd < 0)
		fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	if (fd < 0)
		SKIP("neither ping nor raw sockets");
	request.check = (uint16_t)~checksum(&request, sizeof(request));
	CHECK(connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0);
	CHECK_EQ(send(fd, &request, sizeof(request), 0), sizeof(request));
	do {
		size = recv(fd, packet, sizeof(packet), 0);
		CHECK(size >= (ssize_t)sizeof(reply));
		memcpy(&reply, packet + size - (ssize_t)sizeof(reply), sizeof(reply));
	} while (reply.type != 0);
	CHECK(!memcmp(reply.data, "ping", 5));
	CHECK_EQ(ntohs(reply.sequence), 1);
}

GUEST_TEST_MAIN()
