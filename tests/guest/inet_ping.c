/* SPDX-License-Identifier: Apache-2.0 */
/* Ping sockets (icmp(7)): who may have them, and echoes over the loopback. */
#include "tests/guest/packets.h"

#include <grp.h>
#include <sys/stat.h>

static int ping_socket(int family)
{
	int fd;

	own_network();
	write_text(PING_GROUPS, "0 2147483647");
	fd = socket(family, SOCK_DGRAM, family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
	if (fd < 0 && errno == EAFNOSUPPORT)
		SKIP("no such family");
	CHECK(fd >= 0);
	return fd;
}

static bool may_ping(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);

	if (fd < 0) {
		CHECK_EQ(errno, EACCES);
		return false;
	}
	close(fd);
	return true;
}

TEST(groups_of_a_range_may)
{
	gid_t others[] = {70, 77};
	char text[64] = "";
	int fd;

	own_network();
	write_text(PING_GROUPS, "1 0");
	CHECK(!may_ping());
	CHECK_ERRNO(socket(AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6), EACCES);
	write_text(PING_GROUPS, "0 0");
	CHECK(may_ping());
	CHECK(setgroups(0, NULL) == 0);
	CHECK(setegid(5) == 0);
	CHECK(!may_ping());
	write_text(PING_GROUPS, "75 80");
	CHECK(!may_ping());
	CHECK(setgroups(2, others) == 0);
	CHECK(may_ping());
	write_text(PING_GROUPS, "5 5");
	CHECK(may_ping());
	/* The wrong way round: nobody. */
	write_text(PING_GROUPS, "9 3");
	CHECK(!may_ping());
	fd = open(PING_GROUPS, O_RDONLY);
	CHECK(read(fd, text, sizeof(text) - 1) > 0);
	CHECK(!strcmp(text, "1\t0\n"));
}

TEST(protocols)
{
	close(ping_socket(AF_INET));
	CHECK_ERRNO(socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMPV6), EPROTONOSUPPORT);
	CHECK_ERRNO(socket(AF_INET6, SOCK_DGRAM, IPPROTO_ICMP), EPROTONOSUPPORT);
	CHECK_ERRNO(socket(AF_INET, SOCK_STREAM, IPPROTO_ICMP), EPROTONOSUPPORT);
}

/* The kernel puts in the id, which is the socket's port, and the checksum. */
TEST(echo)
{
	int fd = ping_socket(AF_INET);
	struct sockaddr_in to = v4("127.0.0.1", 0), from = {0}, own = {0};
	struct echo request = echo_request(ICMP_ECHO, 0x1234, 7), reply = {0};
	socklen_t size = sizeof(from);

	request.check = 0xabcd;
	CHECK_EQ(sendto(fd, &request, sizeof(request), 0, NAME(to)), sizeof(request));
	CHECK_EQ(recvfrom(fd, &reply, sizeof(reply), 0, (struct sockaddr *)&from, &size),
		sizeof(reply));
	CHECK_EQ(from.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	CHECK_EQ(reply.type, ICMP_ECHOREPLY);
	CHECK_EQ(reply.sequence, htons(7));
	CHECK(!strcmp(reply.data, request.data));
	CHECK_EQ(checksum(&reply, sizeof(reply)), 0);
	CHECK(getsockname(fd, (struct sockaddr *)&own, &size) == 0);
	CHECK(own.sin_port != 0);
	CHECK_EQ(reply.id, own.sin_port);
	CHECK(!readable(fd, 20));
}

TEST(echo_of_version_6)
{
	int fd = ping_socket(AF_INET6), on = 1;
	struct sockaddr_in6 to = v6(0), own;
	struct echo request = echo_request(ICMP6_ECHO_REQUEST, 0, 9), reply = {0};
	socklen_t size = sizeof(own);
	char control[256];
	struct iovec iov = {&reply, sizeof(reply)};
	struct msghdr message = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};

	CHECK(setsockopt(fd, SOL_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof(on)) == 0);
	CHECK(connect(fd, NAME(to)) == 0);
	CHECK_EQ(send(fd, &request, sizeof(request), 0), sizeof(request));
	CHECK(readable(fd, 10000));
	CHECK_EQ(recvmsg(fd, &message, 0), sizeof(reply));
	CHECK_EQ(reply.type, ICMP6_ECHO_REPLY);
	CHECK(getsockname(fd, (struct sockaddr *)&own, &size) == 0);
	CHECK_EQ(reply.id, own.sin6_port);
	CHECK(CMSG_FIRSTHDR(&message) != NULL);
	CHECK_EQ(CMSG_FIRSTHDR(&message)->cmsg_type, IPV6_HOPLIMIT);
	CHECK_EQ(*(int *)CMSG_DATA(CMSG_FIRSTHDR(&message)), 64);
}

TEST(only_echo_requests_are_sent)
{
	int fd = ping_socket(AF_INET);
	struct sockaddr_in to = v4("127.0.0.1", 0);
	struct echo request = echo_request(ICMP_ECHOREPLY, 0, 1);

	CHECK_ERRNO(sendto(fd, &request, sizeof(request), 0, NAME(to)), EINVAL);
	request.type = ICMP_ECHO;
	request.code = 1;
	CHECK_ERRNO(sendto(fd, &request, sizeof(request), 0, NAME(to)), EINVAL);
	request.code = 0;
	CHECK_ERRNO(sendto(fd, &request, 7, 0, NAME(to)), EINVAL);
	CHECK_ERRNO(send(fd, &request, sizeof(request), 0), EDESTADDRREQ);
	CHECK_ERRNO(sendto(fd, &request, sizeof(request), MSG_OOB, NAME(to)), EOPNOTSUPP);
	CHECK_ERRNO(listen(fd, 1), EOPNOTSUPP);
	to = v4("192.0.2.1", 0);
	CHECK_ERRNO(sendto(fd, &request, sizeof(request), 0, NAME(to)), ENETUNREACH);
}

/* An id is not a port: nobody needs a right to a low one. */
TEST(an_id_is_bound)
{
	int fd = ping_socket(AF_INET), second;
	struct sockaddr_in own = v4("127.0.0.1", 7);
	struct echo request = echo_request(ICMP_ECHO, 99, 1), reply;
	struct stat status;

	CHECK(setgid(65534) == 0 && setuid(65534) == 0);
	CHECK(bind(fd, NAME(own)) == 0);
	CHECK(fstat(fd, &status) == 0);
	CHECK(is_listed("/proc/net/icmp", status.st_ino));
	CHECK(!is_listed("/proc/net/udp", status.st_ino));
	CHECK_EQ(sendto(fd, &request, sizeof(request), 0, NAME(own)), sizeof(request));
	CHECK_EQ(recv(fd, &reply, sizeof(reply), 0), sizeof(reply));
	CHECK_EQ(reply.id, htons(7));
	second = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
	own = v4("192.0.2.1", 8);
	CHECK_ERRNO(bind(second, NAME(own)), EADDRNOTAVAIL);
	own = v4("127.0.0.1", 8);
	CHECK(bind(second, NAME(own)) == 0);
	/* What is somebody else's reply is not received. */
	CHECK_EQ(sendto(second, &request, sizeof(request), 0, NAME(own)), sizeof(request));
	CHECK_EQ(recv(second, &reply, sizeof(reply), 0), sizeof(reply));
	CHECK(!readable(fd, 20));
}

TEST(a_small_buffer_cuts)
{
	int fd = ping_socket(AF_INET);
	struct sockaddr_in to = v4("127.0.0.1", 0);
	struct echo request = echo_request(ICMP_ECHO, 0, 1);
	char reply[10];
	int value;
	socklen_t size = sizeof(value);

	CHECK(connect(fd, NAME(to)) == 0);
	CHECK_EQ(send(fd, &request, sizeof(request), 0), sizeof(request));
	CHECK_EQ(recv(fd, reply, sizeof(reply), MSG_PEEK), sizeof(reply));
	/* Of this family of sockets MSG_TRUNC does not tell the whole size. */
	CHECK_EQ(recv(fd, reply, sizeof(reply), MSG_TRUNC), sizeof(reply));
	CHECK_ERRNO(recv(fd, reply, sizeof(reply), MSG_DONTWAIT), EAGAIN);
	CHECK(getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &value, &size) == 0);
	CHECK_EQ(value, IPPROTO_ICMP);
	CHECK(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &size) == 0);
	CHECK_EQ(value, SOCK_DGRAM);
}

/* Those of raw sockets are not its. */
TEST(options)
{
	int fd = ping_socket(AF_INET), value = 1;
	socklen_t size = sizeof(value);

	CHECK_ERRNO(setsockopt(fd, SOL_IP, IP_HDRINCL, &value, sizeof(value)), ENOPROTOOPT);
	CHECK_ERRNO(setsockopt(fd, SOL_RAW, ICMP_FILTER, &value, sizeof(value)), ENOPROTOOPT);
	CHECK_ERRNO(getsockopt(fd, SOL_RAW, ICMP_FILTER, &value, &size), EOPNOTSUPP);
	CHECK_ERRNO(getsockopt(fd, SOL_UDP, 1, &value, &size), EOPNOTSUPP);
	CHECK(setsockopt(fd, SOL_IP, IP_TTL, &value, sizeof(value)) == 0);
	CHECK(setsockopt(fd, SOL_IP, IP_RECVERR, &value, sizeof(value)) == 0);
	CHECK_ERRNO(recv(fd, &value, sizeof(value), MSG_ERRQUEUE), EAGAIN);
}

GUEST_TEST_MAIN()
