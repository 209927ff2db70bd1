/* SPDX-License-Identifier: Apache-2.0 */
/* Options of internet sockets that common programs set and read, at each level. */
#include "tests/guest/inet.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

static int get(int fd, int level, int name)
{
	int value = -12345;
	socklen_t size = sizeof(value);

	if (getsockopt(fd, level, name, &value, &size))
		FAIL("option %d of level %d: %s", name, level, strerror(errno));
	return value;
}

static void set(int fd, int level, int name, int value)
{
	if (setsockopt(fd, level, name, &value, sizeof(value)))
		FAIL("option %d of level %d: %s", name, level, strerror(errno));
}

TEST(what_it_is)
{
	int fd = inet_bound(AF_INET, SOCK_STREAM, NULL);

	CHECK_EQ(get(fd, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
	CHECK_EQ(get(fd, SOL_SOCKET, SO_DOMAIN), AF_INET);
	CHECK_EQ(get(fd, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
	CHECK_EQ(get(fd, SOL_SOCKET, SO_ACCEPTCONN), 0);
	CHECK(listen(fd, 1) == 0);
	CHECK_EQ(get(fd, SOL_SOCKET, SO_ACCEPTCONN), 1);
	fd = socket(AF_INET6, SOCK_DGRAM, 0);
	if (fd < 0)
		return;
	CHECK_EQ(get(fd, SOL_SOCKET, SO_DOMAIN), AF_INET6);
	CHECK_EQ(get(fd, SOL_SOCKET, SO_PROTOCOL), IPPROTO_UDP);
}

TEST(switches)
{
	static const int names[] = {SO_REUSEADDR, SO_REUSEPORT, SO_KEEPALIVE, SO_BROADCAST,
		SO_OOBINLINE, SO_TIMESTAMP, SO_TIMESTAMPNS, SO_DONTROUTE};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		CHECK_EQ(get(fd, SOL_SOCKET, names[i]), 0);
		set(fd, SOL_SOCKET, names[i], 5);
		CHECK_EQ(get(fd, SOL_SOCKET, names[i]), 1);
		set(fd, SOL_SOCKET, names[i], 0);
		CHECK_EQ(get(fd, SOL_SOCKET, names[i]), 0);
	}
}

TEST(buffers)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	set(fd, SOL_SOCKET, SO_SNDBUF, 20000);
	CHECK_EQ(get(fd, SOL_SOCKET, SO_SNDBUF), 40000);
	set(fd, SOL_SOCKET, SO_RCVBUF, 20000);
	CHECK_EQ(get(fd, SOL_SOCKET, SO_RCVBUF), 40000);
	set(fd, SOL_SOCKET, SO_SNDBUF, 1);
	CHECK_EQ(get(fd, SOL_SOCKET, SO_SNDBUF), 4608);
	set(fd, SOL_SOCKET, SO_RCVBUF, 1);
	CHECK_EQ(get(fd, SOL_SOCKET, SO_RCVBUF), 2304);
	set(fd, SOL_SOCKET, SO_RCVLOWAT, 0);
	CHECK_EQ(get(fd, SOL_SOCKET, SO_RCVLOWAT), 1);
	CHECK_EQ(get(fd, SOL_SOCKET, SO_SNDLOWAT), 1);
	CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, SO_SNDLOWAT, &(int){2}, sizeof(int)), ENOPROTOOPT);
}

TEST(times)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct timeval time = {3, 500000};
	socklen_t size = sizeof(time);

	CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)) == 0);
	memset(&time, 0, sizeof(time));
	CHECK(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, &size) == 0);
	CHECK_EQ(time.tv_sec, 3);
	CHECK_EQ(time.tv_usec, 500000);
	CHECK(getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, &size) == 0);
	CHECK_EQ(time.tv_sec + time.tv_usec, 0);
	time.tv_usec = 1000000;
	CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)), EDOM);
	CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, 4), EINVAL);
}

TEST(linger)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct linger linger = {9, 7};
	socklen_t size = sizeof(linger);

	CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) == 0);
	CHECK(getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &size) == 0);
	CHECK_EQ(linger.l_onoff, 1);
	CHECK_EQ(linger.l_linger, 7);
	CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, 4), EINVAL);
}

TEST(tcp_numbers)
{
	static const struct {
		int name, value;
	} rows[] = {{TCP_NODELAY, 1}, {TCP_CORK, 1}, {TCP_KEEPIDLE, 60}, {TCP_KEEPINTVL, 5},
		{TCP_KEEPCNT, 4}, {TCP_SYNCNT, 3}, {TCP_LINGER2, 10}, {TCP_USER_TIMEOUT, 5000},
		{TCP_NOTSENT_LOWAT, 16384}};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		set(fd, IPPROTO_TCP, rows[i].name, rows[i].value);
		CHECK_EQ(get(fd, IPPROTO_TCP, rows[i].name), rows[i].value);
	}
	CHECK(get(fd, IPPROTO_TCP, TCP_MAXSEG) > 0);
	CHECK_ERRNO(setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &(int){0}, sizeof(int)), EINVAL);
	CHECK_ERRNO(setsockopt(fd, IPPROTO_TCP, 999, &(int){0}, sizeof(int)), ENOPROTOOPT);
	CHECK_ERRNO(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(char){0}, 1), EINVAL);
}

TEST(tcp_congestion)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char name[16] = "";
	socklen_t size = sizeof(name);

	CHECK(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &size) == 0);
	CHECK(name[0]);
	CHECK(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4) == 0);
	size = sizeof(name);
	CHECK(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &size) == 0);
	CHECK(!strcmp(name, "reno"));
	CHECK_ERRNO(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "nothing", 7), ENOENT);
}

TEST(tcp_info)
{
	struct tcp_pair pair = tcp_connected(AF_INET);
	struct tcp_info info;
	socklen_t size = sizeof(info);

	CHECK(getsockopt(pair.client, IPPROTO_TCP, TCP_INFO, &info, &size) == 0);
	CHECK_EQ(info.tcpi_state, TCP_ESTABLISHED);
	size = sizeof(info);
	CHECK(getsockopt(pair.listener, IPPROTO_TCP, TCP_INFO, &info, &size) == 0);
	CHECK_EQ(info.tcpi_state, TCP_LISTEN);
	size = 1;
	CHECK(getsockopt(pair.client, IPPROTO_TCP, TCP_INFO, &info, &size) == 0);
	CHECK_EQ(size, 1);
}

TEST(ip_numbers)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK_EQ(get(fd, SOL_IP, IP_TTL), 64);
	set(fd, SOL_IP, IP_TTL, 33);
	CHECK_EQ(get(fd, SOL_IP, IP_TTL), 33);
	set(fd, SOL_IP, IP_TTL, -1);
	CHECK_ERRNO(setsockopt(fd, SOL_IP, IP_TTL, &(int){256}, sizeof(int)), EINVAL);
	set(fd, SOL_IP, IP_TOS, 0x10);
	CHECK_EQ(get(fd, SOL_IP, IP_TOS), 0x10);
	CHECK_EQ(get(fd, SOL_IP, IP_MULTICAST_TTL), 1);
	CHECK_EQ(get(fd, SOL_IP, IP_MULTICAST_LOOP), 1);
	set(fd, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
	CHECK_EQ(get(fd, SOL_IP, IP_MTU_DISCOVER), IP_PMTUDISC_DO);
	CHECK_ERRNO(getsockopt(fd, SOL_IP, IP_MTU, &(int){0}, &(socklen_t){sizeof(int)}), ENOTCONN);
	CHECK_ERRNO(setsockopt(fd, SOL_IP, 9999, &(int){0}, sizeof(int)), ENOPROTOOPT);
}

TEST(ipv6_numbers)
{
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	if (fd < 0)
		SKIP("no IPv6");
	set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	CHECK_EQ(get(fd, IPPROTO_IPV6, IPV6_V6ONLY), 1);
	set(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 12);
	CHECK_EQ(get(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS), 12);
	set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	CHECK_EQ(get(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO), 1);
	set(fd, IPPROTO_IPV6, IPV6_TCLASS, 0x20);
	CHECK_EQ(get(fd, IPPROTO_IPV6, IPV6_TCLASS), 0x20);
}

TEST(accepted_sockets_inherit)
{
	struct sockaddr_in name;
	int listener = inet_bound(AF_INET, SOCK_STREAM, &name),
	    client = socket(AF_INET, SOCK_STREAM, 0), server;

	set(listener, SOL_SOCKET, SO_KEEPALIVE, 1);
	set(listener, IPPROTO_TCP, TCP_NODELAY, 1);
	set(listener, IPPROTO_TCP, TCP_KEEPIDLE, 77);
	CHECK(fcntl(listener, F_SETFL, O_NONBLOCK) == 0);
	CHECK(listen(listener, 1) == 0);
	CHECK(connect(client, (struct sockaddr *)&name, sizeof(name)) == 0);
	CHECK(wait_for(listener, POLLIN));
	server = accept(listener, NULL, NULL);
	CHECK_EQ(get(server, SOL_SOCKET, SO_KEEPALIVE), 1);
	CHECK_EQ(get(server, IPPROTO_TCP, TCP_NODELAY), 1);
	CHECK_EQ(get(server, IPPROTO_TCP, TCP_KEEPIDLE), 77);
	CHECK(!(fcntl(server, F_GETFL) & O_NONBLOCK));
}

TEST(receive_timeouts_are_inherited)
{
	struct sockaddr_in name;
	int listener = inet_bound(AF_INET, SOCK_STREAM, &name),
	    client = socket(AF_INET, SOCK_STREAM, 0), server;
	struct timeval time = {0, 20000};
	char byte;

	CHECK(listen(listener, 1) == 0);
	CHECK(connect(client, (struct sockaddr *)&name, sizeof(name)) == 0);
	CHECK(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)) == 0);
	/* Set before the connection comes, it is the new socket's too. */
	CHECK(connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&name, sizeof(name)) ==
		0);
	CHECK(accept(listener, NULL, NULL) >= 0);
	server = accept(listener, NULL, NULL);
	CHECK(server >= 0);
	CHECK_ERRNO(recv(server, &byte, 1, 0), EAGAIN);
}

TEST(sizes_of_values)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	long value = -1;
	socklen_t size = 2;

	CHECK(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &size) == 0);
	CHECK_EQ(size, 2);
	size = 8;
	CHECK(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &size) == 0);
	CHECK_EQ(size, 4);
	CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, 2), EINVAL);
	CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, (void *)8, 4), EFAULT);
	CHECK_ERRNO(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, (void *)8), EFAULT);
	size = (socklen_t)-1;
	CHECK_ERRNO(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, &size), EINVAL);
	size = 4;
	CHECK_ERRNO(getsockopt(fd, 12345, 1, &value, &size), EOPNOTSUPP);
	CHECK_ERRNO(setsockopt(fd, 12345, 1, &value, size), ENOPROTOOPT);
	CHECK_ERRNO(setsockopt(fd, SOL_SOCKET, 12345, &value, 4), ENOPROTOOPT);
	CHECK_ERRNO(getsockopt(fd, SOL_SOCKET, 12345, &value, &size), ENOPROTOOPT);
}

TEST(nonblocking_by_ioctl)
{
	struct tcp_pair pair = tcp_connected(AF_INET);
	char byte;

	CHECK(ioctl(pair.client, FIONBIO, &(int){1}) == 0);
	CHECK_ERRNO(read(pair.client, &byte, 1), EAGAIN);
	CHECK(ioctl(pair.client, FIONBIO, &(int){0}) == 0);
	CHECK(!(fcntl(pair.client, F_GETFL) & O_NONBLOCK));
}

GUEST_TEST_MAIN()
