/* SPDX-License-Identifier: Apache-2.0 */
/* Raw sockets of version 4 (raw(7)): who may have them, what they receive and send. */
#include "tests/guest/packets.h"

#include <linux/filter.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/xattr.h>

struct packet {
	struct iphdr ip;
	char data[200];
};

static int raw_socket(int protocol)
{
	int fd = socket(AF_INET, SOCK_RAW, protocol);

	CHECK(fd >= 0);
	return fd;
}

static int own_raw_socket(int protocol)
{
	own_network();
	return raw_socket(protocol);
}

static int get_option(int fd, int level, int name)
{
	int value = -1;
	socklen_t size = sizeof(value);

	CHECK(getsockopt(fd, level, name, &value, &size) == 0);
	return value;
}

static void set_option(int fd, int level, int name, int value)
{
	CHECK(setsockopt(fd, level, name, &value, sizeof(value)) == 0);
}

/* The next packet, whole. */
static size_t take(int fd, struct packet *packet)
{
	ssize_t got;

	CHECK(readable(fd, 10000));
	got = recv(fd, packet, sizeof(*packet), 0);
	CHECK(got >= (ssize_t)sizeof(packet->ip));
	CHECK_EQ(packet->ip.version, 4);
	CHECK_EQ(packet->ip.ihl, 5);
	CHECK_EQ(ntohs(packet->ip.tot_len), got);
	return (size_t)got - sizeof(packet->ip);
}

TEST(a_capability_is_needed)
{
	own_network();
	CHECK_ERRNO(socket(AF_INET, SOCK_RAW, 0), EPROTONOSUPPORT);
	CHECK_ERRNO(socket(AF_INET6, SOCK_RAW, 0), EPROTONOSUPPORT);
	CHECK_ERRNO(socket(AF_INET, SOCK_RAW, -1), EINVAL);
	CHECK_ERRNO(socket(AF_INET, SOCK_RAW, 10000), EINVAL);
	CHECK_ERRNO(socketpair(AF_INET, SOCK_RAW, IPPROTO_ICMP, (int[2]){0}), EOPNOTSUPP);
	CHECK(setgid(65534) == 0 && setuid(65534) == 0);
	CHECK_ERRNO(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), EPERM);
	CHECK_ERRNO(socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6), EPERM);
	CHECK_ERRNO(socket(AF_INET, SOCK_RAW, IPPROTO_RAW), EPERM);
	CHECK_ERRNO(socket(AF_INET, SOCK_RAW, 0), EPROTONOSUPPORT);
}

/* What one has, one keeps, and may give on. */
TEST(it_outlives_the_capability)
{
	int fd = own_raw_socket(IPPROTO_ICMP);
	struct sockaddr_in to = v4("127.0.0.1", 0);
	struct echo request = echo_request(ICMP_ECHO, 1, 1);
	struct packet packet;

	CHECK(setgid(65534) == 0 && setuid(65534) == 0);
	CHECK_EQ(sendto(fd, &request, sizeof(request), 0, NAME(to)), sizeof(request));
	CHECK_EQ(take(fd, &packet), sizeof(request));
}

TEST(what_it_says_of_itself)
{
	int fd = own_raw_socket(IPPROTO_ICMP);
	struct sockaddr_in name = {0};
	socklen_t size = sizeof(name);
	struct stat status;
	char text[32] = "";

	CHECK_EQ(get_option(fd, SOL_SOCKET, SO_TYPE), SOCK_RAW);
	CHECK_EQ(get_option(fd, SOL_SOCKET, SO_PROTOCOL), IPPROTO_ICMP);
	CHECK_EQ(get_option(fd, SOL_SOCKET, SO_DOMAIN), AF_INET);
	CHECK_EQ(get_option(fd, SOL_IP, IP_HDRINCL), 0);
	CHECK(getsockname(fd, (struct sockaddr *)&name, &size) == 0);
	CHECK_EQ(name.sin_family, AF_INET);
	CHECK_EQ(ntohs(name.sin_port), IPPROTO_ICMP);
	CHECK_EQ(name.sin_addr.s_addr, 0);
	CHECK_ERRNO(getpeername(fd, (struct sockaddr *)&name, &size), ENOTCONN);
	CHECK_ERRNO(listen(fd, 1), EOPNOTSUPP);
	CHECK_ERRNO(accept(fd, NULL, NULL), EOPNOTSUPP);
	CHECK(fstat(fd, &status) == 0);
	CHECK(is_listed("/proc/net/raw", status.st_ino));
	CHECK(!is_listed("/proc/net/udp", status.st_ino));
	CHECK_EQ(fgetxattr(fd, "system.sockprotoname", text, sizeof(text)), 4);
	CHECK(!strcmp(text, "RAW"));
	CHECK_EQ(get_option(raw_socket(IPPROTO_RAW), SOL_IP, IP_HDRINCL), 1);
}

/* Both ways pass by: the loopback is one interface. */
TEST(echo)
{
	int fd = own_raw_socket(IPPROTO_ICMP);
	struct sockaddr_in to = v4("127.0.0.1", 0), from = {0};
	struct echo request = echo_request(ICMP_ECHO, 77, 1), seen;
	struct packet packet;
	socklen_t size = sizeof(from);

	CHECK_EQ(sendto(fd, &request, sizeof(request), 0, NAME(to)), sizeof(request));
	CHECK_EQ(recvfrom(fd, &packet, sizeof(packet), 0, (struct sockaddr *)&from, &size),
		sizeof(packet.ip) + sizeof(request));
	CHECK_EQ(size, sizeof(from));
	CHECK_EQ(from.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	CHECK_EQ(from.sin_port, 0);
	CHECK_EQ(packet.ip.protocol, IPPROTO_ICMP);
	CHECK_EQ(packet.ip.saddr, htonl(INADDR_LOOPBACK));
	CHECK_EQ(checksum(&packet.ip, sizeof(packet.ip)), 0);
	CHECK(!memcmp(packet.data, &request, sizeof(request)));
	CHECK_EQ(take(fd, &packet), sizeof(seen));
	memcpy(&seen, packet.data, sizeof(seen));
	CHECK_EQ(seen.type, ICMP_ECHOREPLY);
	CHECK_EQ(seen.id, htons(77));
	CHECK(!readable(fd, 20));
}

TEST(a_filter_of_types)
{
	int fd = own_raw_socket(IPPROTO_ICMP), other = raw_socket(IPPROTO_UDP);
	struct sockaddr_in to = v4("127.0.0.1", 0);
	struct echo request = echo_request(ICMP_ECHO, 77, 1);
	struct packet packet;
	uint32_t filter = ~0u;
	socklen_t size = sizeof(filter);

	CHECK(getsockopt(fd, SOL_RAW, ICMP_FILTER, &filter, &size) == 0);
	CHECK_EQ(filter, 0);
	CHECK_EQ(size, 4);
	filter = 1u << ICMP_ECHO;
	CHECK(setsockopt(fd, SOL_RAW, ICMP_FILTER, &filter, sizeof(filter)) == 0);
	CHECK_EQ(get_option(fd, SOL_RAW, ICMP_FILTER), 1 << ICMP_ECHO);
	CHECK_ERRNO(setsockopt(other, SOL_RAW, ICMP_FILTER, &filter, 4), EOPNOTSUPP);
	CHECK_ERRNO(getsockopt(other, SOL_RAW, ICMP_FILTER, &filter, &size), EOPNOTSUPP);
	CHECK_ERRNO(setsockopt(fd, SOL_RAW, 9, &filter, 4), ENOPROTOOPT);
	CHECK_EQ(sendto(fd, &request, sizeof(request), 0, NAME(to)), sizeof(request));
	(void)take(fd, &packet);
	CHECK_EQ(packet.data[0], ICMP_ECHOREPLY);
	CHECK(!readable(fd, 20));
}

TEST(a_copy_of_others_datagrams)
{
	int fd = own_raw_socket(IPPROTO_UDP), idle = raw_socket(IPPROTO_TCP), receiver;
	struct sockaddr_in to;
	struct packet packet;
	struct udphdr udp;
	uint16_t port;
	char text[8];

	receiver = udp_at("127.0.0.1", &port);
	to = v4("127.0.0.1", port);
	CHECK_EQ(sendto(udp_at("127.0.0.1", &port), "hello", 5, 0, NAME(to)), 5);
	CHECK_EQ(take(fd, &packet), sizeof(udp) + 5);
	memcpy(&udp, packet.data, sizeof(udp));
	CHECK_EQ(udp.dest, to.sin_port);
	CHECK_EQ(udp.source, htons(port));
	CHECK(!memcmp(packet.data + sizeof(udp), "hello", 5));
	CHECK_EQ(recv(receiver, text, sizeof(text), 0), 5);
	CHECK(!readable(idle, 20));
}

TEST(a_copy_of_a_handshake)
{
	int fd = own_raw_socket(IPPROTO_TCP), listener = socket(AF_INET, SOCK_STREAM, 0),
	    client = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_in name = v4("127.0.0.1", 0);
	socklen_t size = sizeof(name);
	struct packet packet;
	struct tcphdr tcp;

	CHECK(bind(listener, NAME(name)) == 0 && listen(listener, 1) == 0);
	CHECK(getsockname(listener, (struct sockaddr *)&name, &size) == 0);
	CHECK(connect(client, NAME(name)) == 0);
	CHECK(take(fd, &packet) >= sizeof(tcp));
	memcpy(&tcp, packet.data, sizeof(tcp));
	CHECK_EQ(tcp.dest, name.sin_port);
	CHECK(tcp.syn && !tcp.ack);
	CHECK(take(fd, &packet) >= sizeof(tcp));
	memcpy(&tcp, packet.data, sizeof(tcp));
	CHECK_EQ(tcp.source, name.sin_port);
	CHECK(tcp.syn && tcp.ack);
}

struct datagram {
	struct iphdr ip;
	struct udphdr udp;
	char data[4];
};

static struct datagram make_datagram(const char *from, uint16_t port)
{
	return (struct datagram){
		.ip = {.version = 4,
			.ihl = 5,
			.ttl = 9,
			.protocol = IPPROTO_UDP,
			.saddr = v4(from, 0).sin_addr.s_addr,
			.daddr = htonl(INADDR_LOOPBACK)},
		.udp = {.source = htons(4444), .dest = htons(port), .len = htons(12)},
		.data = "abc",
	};
}

/* The program writes the header; the kernel fills in what it must know better. */
TEST(a_header_of_ones_own)
{
	int fd = own_raw_socket(IPPROTO_RAW), seen = raw_socket(IPPROTO_UDP), receiver;
	struct sockaddr_in to, from = {0};
	struct datagram datagram;
	struct packet packet;
	socklen_t size = sizeof(from);
	uint16_t port;
	char text[8];

	receiver = udp_at("127.0.0.1", &port);
	datagram = make_datagram("127.0.0.77", port);
	datagram.ip.tot_len = 1;
	datagram.ip.check = 1;
	to = v4("127.0.0.1", 0);
	CHECK_EQ(sendto(fd, &datagram, sizeof(datagram), 0, NAME(to)), sizeof(datagram));
	CHECK_EQ(recvfrom(receiver, text, sizeof(text), 0, (struct sockaddr *)&from, &size), 4);
	CHECK_EQ(from.sin_addr.s_addr, v4("127.0.0.77", 0).sin_addr.s_addr);
	CHECK_EQ(ntohs(from.sin_port), 4444);
	CHECK_EQ(take(seen, &packet), sizeof(datagram.udp) + 4);
	CHECK_EQ(packet.ip.ttl, 9);
	CHECK(packet.ip.id != 0);
	CHECK_EQ(checksum(&packet.ip, sizeof(packet.ip)), 0);
	datagram.ip.saddr = 0;
	CHECK_EQ(sendto(fd, &datagram, sizeof(datagram), 0, NAME(to)), sizeof(datagram));
	CHECK_EQ(recvfrom(receiver, text, sizeof(text), 0, (struct sockaddr *)&from, &size), 4);
	CHECK_EQ(from.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	/* Nothing of this protocol comes back. */
	CHECK(!readable(fd, 20));
}

TEST(bad_headers)
{
	int fd = own_raw_socket(IPPROTO_UDP);
	struct sockaddr_in to = v4("127.0.0.1", 0);
	struct sockaddr_in6 other = v6(0);
	struct datagram datagram = make_datagram("127.0.0.1", 9);

	set_option(fd, SOL_IP, IP_HDRINCL, 1);
	CHECK_EQ(get_option(fd, SOL_IP, IP_HDRINCL), 1);
	CHECK_ERRNO(sendto(fd, &datagram, 19, 0, NAME(to)), EINVAL);
	datagram.ip.ihl = 15;
	CHECK_ERRNO(sendto(fd, &datagram, sizeof(datagram), 0, NAME(to)), EINVAL);
	set_option(fd, SOL_IP, IP_HDRINCL, 0);
	CHECK_ERRNO(sendto(fd, &datagram, 8, 0, NAME(other)), EAFNOSUPPORT);
	CHECK_ERRNO(sendto(fd, &datagram, 8, 0, (struct sockaddr *)&to, 8), EINVAL);
	CHECK_ERRNO(send(fd, &datagram, 8, 0), EDESTADDRREQ);
	CHECK_ERRNO(sendto(fd, &datagram, 8, MSG_OOB, NAME(to)), EOPNOTSUPP);
	to = v4("192.0.2.1", 0);
	CHECK_ERRNO(sendto(fd, &datagram, 8, 0, NAME(to)), ENETUNREACH);
}

TEST(too_long_for_a_packet)
{
	int fd = own_raw_socket(IPPROTO_UDP);
	struct sockaddr_in to = v4("127.0.0.1", 0);
	static char bytes[70000];

	CHECK_ERRNO(sendto(fd, bytes, sizeof(bytes), 0, NAME(to)), EMSGSIZE);
	CHECK_ERRNO(sendto(fd, bytes, 65536, 0, NAME(to)), EMSGSIZE);
	CHECK_EQ(sendto(fd, bytes, 60000, 0, NAME(to)), 60000);
	CHECK_EQ(recv(fd, bytes, sizeof(bytes), 0), 60020);
}

TEST(addresses_choose_what_is_received)
{
	int bound = own_raw_socket(IPPROTO_UDP), connected = raw_socket(IPPROTO_UDP), from;
	struct sockaddr_in two = v4("127.0.0.2", 0), three = v4("127.0.0.3", 0), to, name;
	socklen_t size = sizeof(name);
	struct packet packet;
	uint16_t port;

	CHECK(bind(bound, NAME(two)) == 0);
	CHECK(getsockname(bound, (struct sockaddr *)&name, &size) == 0);
	CHECK_EQ(name.sin_addr.s_addr, two.sin_addr.s_addr);
	three.sin_port = htons(5);
	CHECK(connect(connected, NAME(three)) == 0);
	CHECK(getpeername(connected, (struct sockaddr *)&name, &size) == 0);
	CHECK_EQ(name.sin_addr.s_addr, three.sin_addr.s_addr);
	from = udp_at("127.0.0.3", &port);
	to = v4("127.0.0.1", 9);
	CHECK_EQ(sendto(from, "1", 1, 0, NAME(to)), 1);
	CHECK_EQ(take(connected, &packet), 9);
	CHECK_EQ(packet.data[8], '1');
	to = v4("127.0.0.2", 9);
	CHECK_EQ(sendto(udp_at("127.0.0.1", &port), "2", 1, 0, NAME(to)), 1);
	CHECK_EQ(take(bound, &packet), 9);
	CHECK_EQ(packet.data[8], '2');
	CHECK(!readable(connected, 20));
	CHECK(!readable(bound, 0));
	three = (struct sockaddr_in){.sin_family = AF_UNSPEC};
	CHECK(connect(connected, NAME(three)) == 0);
	CHECK_ERRNO(getpeername(connected, (struct sockaddr *)&name, &size), ENOTCONN);
	two = v4("192.0.2.1", 0);
	CHECK_ERRNO(bind(connected, NAME(two)), EADDRNOTAVAIL);
}

TEST(flags_of_receiving)
{
	int fd = own_raw_socket(IPPROTO_UDP), from, size = 0;
	struct sockaddr_in to = v4("127.0.0.1", 9);
	char bytes[10], control[256];
	struct iovec iov = {bytes, sizeof(bytes)};
	struct msghdr message = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	uint16_t port;
	bool ttl = false, info = false;

	set_option(fd, SOL_IP, IP_RECVTTL, 1);
	set_option(fd, SOL_IP, IP_PKTINFO, 1);
	CHECK_ERRNO(recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT), EAGAIN);
	from = udp_at("127.0.0.1", &port);
	CHECK_EQ(sendto(from, "12345678", 8, 0, NAME(to)), 8);
	CHECK(readable(fd, 10000));
	CHECK(ioctl(fd, FIONREAD, &size) == 0);
	CHECK_EQ(size, 36);
	CHECK_EQ(recv(fd, bytes, sizeof(bytes), MSG_PEEK | MSG_TRUNC), 36);
	CHECK_EQ(recvmsg(fd, &message, 0), sizeof(bytes));
	CHECK_EQ(message.msg_flags & MSG_TRUNC, MSG_TRUNC);
	for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header;
		header = CMSG_NXTHDR(&message, header)) {
		ttl |= header->cmsg_type == IP_TTL && *(int *)CMSG_DATA(header) == 64;
		info |= header->cmsg_type == IP_PKTINFO;
	}
	CHECK(ttl && info);
	CHECK(!readable(fd, 0));
	CHECK_ERRNO(recv(fd, bytes, sizeof(bytes), MSG_OOB), EOPNOTSUPP);
}

/* What does not fit is lost, and the sender does not wait. */
TEST(a_full_queue_loses)
{
	int fd = own_raw_socket(IPPROTO_UDP), from, count = 0;
	struct sockaddr_in to = v4("127.0.0.1", 9);
	static char bytes[1000];
	uint16_t port;

	set_option(fd, SOL_SOCKET, SO_RCVBUF, 8192);
	CHECK_EQ(get_option(fd, SOL_SOCKET, SO_RCVBUF), 16384);
	from = udp_at("127.0.0.1", &port);
	for (int i = 0; i < 100; i++)
		CHECK_EQ(sendto(from, bytes, sizeof(bytes), 0, NAME(to)), sizeof(bytes));
	while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		count++;
	CHECK(count > 0 && count < 100);
}

/* A closed port answers, and the answer finds the socket that asked to be told. */
TEST(errors_of_what_was_sent)
{
	int fd = own_raw_socket(IPPROTO_UDP);
	struct sockaddr_in to = v4("127.0.0.1", 0);
	struct datagram datagram = make_datagram("127.0.0.1", 9);
	struct sock_extended_err error = {0};
	char bytes[100];
	struct pollfd pollfd = {.fd = fd};

	set_option(fd, SOL_IP, IP_RECVERR, 1);
	CHECK_EQ(sendto(fd, &datagram.udp, 12, 0, NAME(to)), 12);
	CHECK_EQ(poll(&pollfd, 1, 10000), 1);
	CHECK_EQ(pollfd.revents & POLLERR, POLLERR);
	CHECK_EQ(take_error(fd, SOL_IP, IP_RECVERR, bytes, sizeof(bytes), &error), 12);
	CHECK_EQ(error.ee_errno, ECONNREFUSED);
	CHECK_EQ(error.ee_origin, SO_EE_ORIGIN_ICMP);
	CHECK_EQ(error.ee_type, ICMP_DEST_UNREACH);
	CHECK_EQ(error.ee_code, ICMP_PORT_UNREACH);
}

/* As a router would say that there is no way. */
TEST(an_error_for_a_ping_socket)
{
	int fd = own_raw_socket(IPPROTO_ICMP), ping;
	struct sockaddr_in to = v4("127.0.0.1", 0), own = {0};
	struct echo request = echo_request(ICMP_ECHO, 0, 1);
	struct sock_extended_err error = {0};
	struct {
		struct icmphdr icmp;
		struct iphdr ip;
		struct echo echo;
	} answer = {.icmp = {.type = ICMP_DEST_UNREACH, .code = ICMP_HOST_UNREACH}};
	socklen_t size = sizeof(own);
	char bytes[100];

	write_text(PING_GROUPS, "0 2147483647");
	ping = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
	CHECK(ping >= 0);
	set_option(ping, SOL_IP, IP_RECVERR, 1);
	CHECK(connect(ping, NAME(to)) == 0);
	CHECK_EQ(send(ping, &request, sizeof(request), 0), sizeof(request));
	CHECK_EQ(recv(ping, bytes, sizeof(bytes), 0), sizeof(request));
	CHECK(getsockname(ping, (struct sockaddr *)&own, &size) == 0);
	request.id = own.sin_port;
	answer.ip = (struct iphdr){.version = 4,
		.ihl = 5,
		.ttl = 64,
		.protocol = IPPROTO_ICMP,
		.tot_len = htons(sizeof(answer.ip) + sizeof(request)),
		.saddr = htonl(INADDR_LOOPBACK),
		.daddr = htonl(INADDR_LOOPBACK)};
	answer.ip.check = checksum(&answer.ip, sizeof(answer.ip));
	answer.echo = request;
	answer.icmp.checksum = checksum(&answer, sizeof(answer));
	CHECK_EQ(sendto(fd, &answer, sizeof(answer), 0, NAME(to)), sizeof(answer));
	for (int i = 0; i < 1000 && !error.ee_errno; i++) {
		if (take_error(ping, SOL_IP, IP_RECVERR, bytes, sizeof(bytes), &error) < 0)
			sleep_ms(5);
	}
	CHECK_EQ(error.ee_errno, EHOSTUNREACH);
	CHECK_EQ(error.ee_origin, SO_EE_ORIGIN_ICMP);
	CHECK_EQ(error.ee_code, ICMP_HOST_UNREACH);
}

TEST(many_at_once)
{
	int fds[200];
	struct sockaddr_in to = v4("127.0.0.1", 0);
	struct echo request = echo_request(ICMP_ECHOREPLY, 1, 1);
	struct packet packet;

	own_network();
	for (int i = 0; i < 200; i++)
		fds[i] = raw_socket(IPPROTO_ICMP);
	CHECK_EQ(sendto(fds[0], &request, sizeof(request), 0, NAME(to)), sizeof(request));
	for (int i = 0; i < 200; i++) {
		CHECK_EQ(take(fds[i], &packet), sizeof(request));
		CHECK(close(fds[i]) == 0);
	}
}

static int attach(int fd, struct sock_filter *program, size_t count)
{
	struct sock_fprog source = {.len = (unsigned short)count, .filter = program};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &source, sizeof(source));
}

/* The type of an ICMP message is behind the header; 24 bytes of replies. */
static struct sock_filter replies_only[] = {
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 20),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ICMP_ECHOREPLY, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, 24),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

TEST(a_filter_in_bpf)
{
	int fd = own_raw_socket(IPPROTO_ICMP), zero = 0;
	struct sockaddr_in to = v4("127.0.0.1", 0), from = {0};
	struct echo request = echo_request(ICMP_ECHO, 77, 1);
	struct sock_filter back[8];
	struct packet packet;
	char bytes[10];
	struct iovec iov = {bytes, sizeof(bytes)};
	struct msghdr message = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1};
	socklen_t count = 8;

	CHECK_EQ(attach(fd, replies_only, 4), 0);
	CHECK(getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, back, &count) == 0);
	CHECK_EQ(count, 4);
	CHECK(!memcmp(back, replies_only, sizeof(replies_only)));
	CHECK_EQ(sendto(fd, &request, sizeof(request), 0, NAME(to)), sizeof(request));
	CHECK(readable(fd, 10000));
	CHECK_EQ(recv(fd, &packet, sizeof(packet), MSG_PEEK), 24);
	CHECK_EQ(packet.data[0], ICMP_ECHOREPLY);
	CHECK_EQ(recv(fd, bytes, sizeof(bytes), MSG_PEEK | MSG_TRUNC), 24);
	CHECK_EQ(recvmsg(fd, &message, 0), sizeof(bytes));
	CHECK_EQ(message.msg_flags & MSG_TRUNC, MSG_TRUNC);
	CHECK_EQ(from.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	CHECK_ERRNO(recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT), EAGAIN);
	/* What it refuses wakes nobody. */
	request = echo_request(ICMP_TIMESTAMPREPLY, 1, 1);
	for (int i = 0; i < 30; i++)
		CHECK_EQ(sendto(fd, &request, sizeof(request), 0, NAME(to)), sizeof(request));
	CHECK(!readable(fd, 20));
	CHECK_ERRNO(recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT), EAGAIN);
	CHECK(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &zero, sizeof(zero)) == 0);
	CHECK_EQ(sendto(fd, &request, sizeof(request), 0, NAME(to)), sizeof(request));
	CHECK_EQ(take(fd, &packet), sizeof(request));
}

static void *send_late(void *argument)
{
	int fd = *(int *)argument;
	struct sockaddr_in to = v4("127.0.0.1", 0);
	struct echo refused = echo_request(ICMP_TIMESTAMPREPLY, 1, 1),
		    wanted = echo_request(ICMP_ECHOREPLY, 1, 1);

	for (int i = 0; i < 600; i++)
		CHECK_EQ(sendto(fd, &refused, sizeof(refused), 0, NAME(to)), sizeof(refused));
	sleep_ms(20);
	CHECK_EQ(sendto(fd, &wanted, sizeof(wanted), 0, NAME(to)), sizeof(wanted));
	return NULL;
}

TEST(who_waits_gets_what_passes)
{
	int fd = own_raw_socket(IPPROTO_ICMP);
	char bytes[100];
	pthread_t thread;

	CHECK_EQ(attach(fd, replies_only, 4), 0);
	CHECK(pthread_create(&thread, NULL, send_late, &fd) == 0);
	CHECK_EQ(recv(fd, bytes, sizeof(bytes), 0), 24);
	CHECK_EQ(bytes[20], ICMP_ECHOREPLY);
	pthread_join(thread, NULL);
}

GUEST_TEST_MAIN()
