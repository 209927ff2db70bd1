/* SPDX-License-Identifier: Apache-2.0 */
/* Raw sockets of version 6: the payload alone, checksums that the kernel makes, filters. */
#include "tests/guest/packets.h"

#include <sys/stat.h>

static int raw_socket(int protocol)
{
	int fd;

	own_network();
	fd = socket(AF_INET6, SOCK_RAW, protocol);
	if (fd < 0 && errno == EAFNOSUPPORT)
		SKIP("no such family");
	CHECK(fd >= 0);
	return fd;
}

static int get_option(int fd, int level, int name)
{
	int value = -1;
	socklen_t size = sizeof(value);

	CHECK(getsockopt(fd, level, name, &value, &size) == 0);
	return value;
}

/* There is no header in what is received, and the checksum is the kernel's. */
TEST(echo)
{
	int fd = raw_socket(IPPROTO_ICMPV6);
	struct sockaddr_in6 to = v6(0), from = {0};
	struct echo request = echo_request(ICMP6_ECHO_REQUEST, 5, 6), seen;
	socklen_t size = sizeof(from);
	bool replied = false;

	request.check = 0;
	CHECK_EQ(sendto(fd, &request, sizeof(request), 0, NAME(to)), sizeof(request));
	for (int i = 0; i < 2; i++) {
		CHECK(readable(fd, 10000));
		CHECK_EQ(recvfrom(fd, &seen, sizeof(seen), 0, (struct sockaddr *)&from, &size),
			sizeof(seen));
		CHECK_EQ(size, sizeof(from));
		CHECK(IN6_IS_ADDR_LOOPBACK(&from.sin6_addr));
		CHECK(seen.check != 0);
		CHECK_EQ(seen.id, htons(5));
		replied |= seen.type == ICMP6_ECHO_REPLY;
	}
	CHECK(replied);
}

TEST(a_filter_of_types)
{
	int fd = raw_socket(IPPROTO_ICMPV6), other = socket(AF_INET6, SOCK_RAW, IPPROTO_UDP);
	struct sockaddr_in6 to = v6(0);
	struct echo request = echo_request(ICMP6_ECHO_REQUEST, 5, 6), seen;
	struct icmp6_filter filter;
	socklen_t size = sizeof(filter);

	CHECK(getsockopt(fd, SOL_ICMPV6, ICMP6_FILTER, &filter, &size) == 0);
	CHECK_EQ(size, sizeof(filter));
	CHECK(ICMP6_FILTER_WILLPASS(ICMP6_ECHO_REQUEST, &filter));
	ICMP6_FILTER_SETBLOCKALL(&filter);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter);
	CHECK(setsockopt(fd, SOL_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter)) == 0);
	CHECK_ERRNO(setsockopt(other, SOL_ICMPV6, ICMP6_FILTER, &filter, size), EOPNOTSUPP);
	CHECK_EQ(sendto(fd, &request, sizeof(request), 0, NAME(to)), sizeof(request));
	CHECK(readable(fd, 10000));
	CHECK_EQ(recv(fd, &seen, sizeof(seen), 0), sizeof(seen));
	CHECK_EQ(seen.type, ICMP6_ECHO_REPLY);
	CHECK(!readable(fd, 20));
}

TEST(where_the_checksum_is)
{
	int fd = raw_socket(IPPROTO_UDP), icmp = socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6),
	    receiver = socket(AF_INET6, SOCK_DGRAM, 0), offset = 3;
	struct sockaddr_in6 name = v6(0), to = v6(0);
	socklen_t size = sizeof(name);
	struct {
		struct udphdr header;
		char data[4];
	} datagram = {{.source = htons(4444), .len = htons(12)}, "abc"};
	char text[8];

	CHECK_EQ(get_option(fd, SOL_IPV6, IPV6_CHECKSUM), -1);
	CHECK_EQ(get_option(icmp, SOL_IPV6, IPV6_CHECKSUM), 2);
	CHECK_ERRNO(setsockopt(fd, SOL_IPV6, IPV6_CHECKSUM, &offset, sizeof(offset)), EINVAL);
	offset = 6;
	CHECK(setsockopt(fd, SOL_IPV6, IPV6_CHECKSUM, &offset, sizeof(offset)) == 0);
	CHECK_EQ(get_option(fd, SOL_RAW, IPV6_CHECKSUM), 6);
	CHECK_ERRNO(setsockopt(icmp, SOL_IPV6, IPV6_CHECKSUM, &offset, sizeof(offset)), EINVAL);
	CHECK(bind(receiver, NAME(name)) == 0);
	CHECK(getsockname(receiver, (struct sockaddr *)&name, &size) == 0);
	datagram.header.dest = name.sin6_port;
	CHECK_EQ(sendto(fd, &datagram, sizeof(datagram), 0, NAME(to)), sizeof(datagram));
	CHECK(readable(receiver, 10000));
	CHECK_EQ(recv(receiver, text, sizeof(text), 0), 4);
	CHECK(!strcmp(text, "abc"));
}

TEST(names)
{
	int fd = raw_socket(IPPROTO_UDP), none = socket(AF_INET6, SOCK_RAW, IPPROTO_RAW);
	struct sockaddr_in6 name = v6(0), other = v6(6);
	socklen_t size = sizeof(name);
	struct stat status;

	CHECK_EQ(get_option(none, SOL_IPV6, IPV6_HDRINCL), 1);
	CHECK_EQ(get_option(fd, SOL_IPV6, IPV6_HDRINCL), 0);
	CHECK(fstat(fd, &status) == 0);
	CHECK(is_listed("/proc/net/raw6", status.st_ino));
	/* Another protocol than the socket's. */
	CHECK_ERRNO(sendto(fd, "x", 1, 0, NAME(other)), EINVAL);
	CHECK_ERRNO(send(fd, "x", 1, 0), EDESTADDRREQ);
	CHECK(bind(fd, NAME(name)) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&name, &size) == 0);
	CHECK_EQ(ntohs(name.sin6_port), IPPROTO_UDP);
	CHECK(IN6_IS_ADDR_LOOPBACK(&name.sin6_addr));
	CHECK_ERRNO(getpeername(fd, (struct sockaddr *)&name, &size), ENOTCONN);
	other = v6(0);
	CHECK(connect(fd, NAME(other)) == 0);
	CHECK_EQ(send(fd, "12345678", 8, 0), 8);
}

TEST(a_header_of_ones_own)
{
	int fd = raw_socket(IPPROTO_RAW), seen = socket(AF_INET6, SOCK_RAW, 253);
	struct sockaddr_in6 to = v6(0), from;
	socklen_t size = sizeof(from);
	struct {
		uint32_t version;
		uint16_t length;
		uint8_t next, hops;
		struct in6_addr from, to;
		char data[4];
	} packet = {htonl(6u << 28), htons(4), 253, 9, IN6ADDR_LOOPBACK_INIT, IN6ADDR_LOOPBACK_INIT,
		"abc"};
	char text[8];

	CHECK(seen >= 0);
	CHECK_EQ(sendto(fd, &packet, sizeof(packet), 0, NAME(to)), sizeof(packet));
	CHECK(readable(seen, 10000));
	CHECK_EQ(recvfrom(seen, text, sizeof(text), 0, (struct sockaddr *)&from, &size), 4);
	CHECK(!strcmp(text, "abc"));
	CHECK_ERRNO(sendto(fd, &packet, 39, 0, NAME(to)), EINVAL);
}

GUEST_TEST_MAIN()
