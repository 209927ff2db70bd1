/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of sockets that see whole packets: a network of the test's own, and what packets are
 * made of. */
#pragma once

#include "tests/guest/guest_test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* <linux/icmp.h> and the C library's exclude each other. */
#define ICMP_FILTER 1

/* Where nobody else sends anything. */
__attribute__((unused)) static void own_network(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd;

	if (unshare(CLONE_NEWNET))
		SKIP("no network namespace of its own");
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK(fd >= 0);
	CHECK(ioctl(fd, SIOCSIFFLAGS, &request) == 0);
	close(fd);
}

__attribute__((unused)) static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

#define PING_GROUPS "/proc/sys/net/ipv4/ping_group_range"

__attribute__((unused)) static struct sockaddr_in v4(const char *address, uint16_t port)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};

	CHECK_EQ(inet_pton(AF_INET, address, &name.sin_addr), 1);
	return name;
}

__attribute__((unused)) static struct sockaddr_in6 v6(uint16_t port)
{
	return (struct sockaddr_in6){.sin6_family = AF_INET6,
		.sin6_port = htons(port),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT};
}

#define NAME(address_) ((struct sockaddr *)&(address_)), sizeof(address_)

/* Of an internet message, in network order. */
__attribute__((unused)) static uint16_t checksum(const void *data, size_t size)
{
	const uint8_t *bytes = data;
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += (uint32_t)bytes[i] << (i % 2 ? 0 : 8);
	while (sum >> 16)
		sum = (sum >> 16) + (sum & 0xffff);
	return htons((uint16_t)~sum);
}

struct echo {
	uint8_t type, code;
	uint16_t check, id, sequence;
	char data[16];
};

__attribute__((unused)) static struct echo echo_request(
	uint8_t type, uint16_t id, uint16_t sequence)
{
	struct echo request = {.type = type,
		.id = htons(id),
		.sequence = htons(sequence),
		.data = "fifteen letters"};

	request.check = checksum(&request, sizeof(request));
	return request;
}

__attribute__((unused)) static bool readable(int fd, int milliseconds)
{
	struct pollfd pollfd = {.fd = fd, .events = POLLIN};

	return poll(&pollfd, 1, milliseconds) == 1;
}

/* A UDP socket at an address of the loopback; its port. */
__attribute__((unused)) static int udp_at(const char *address, uint16_t *port)
{
	struct sockaddr_in name = v4(address, 0);
	socklen_t size = sizeof(name);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK(bind(fd, NAME(name)) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&name, &size) == 0);
	*port = ntohs(name.sin_port);
	return fd;
}

/* What the error queue of a socket has: the whole message's size. */
__attribute__((unused)) static ssize_t take_error(
	int fd, int level, int type, void *data, size_t size, struct sock_extended_err *error)
{
	char control[512];
	struct iovec iov = {data, size};
	struct msghdr message = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	ssize_t got = recvmsg(fd, &message, MSG_ERRQUEUE);

	if (got < 0)
		return -1;
	CHECK(message.msg_flags & MSG_ERRQUEUE);
	for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header;
		header = CMSG_NXTHDR(&message, header)) {
		if (header->cmsg_level != level || header->cmsg_type != type)
			continue;
		memcpy(error, CMSG_DATA(header), sizeof(*error));
		return got;
	}
	FAIL("no error with the message");
}

/* Is there a line with this inode number in a table of sockets? */
__attribute__((unused)) static bool is_listed(const char *path, unsigned long inode)
{
	FILE *file = fopen(path, "r");
	char line[512], wanted[32];
	bool found = false;

	CHECK(file != NULL);
	(void)snprintf(wanted, sizeof(wanted), " %lu 2 ", inode);
	while (fgets(line, sizeof(line), file))
		found |= strstr(line, wanted) != NULL;
	fclose(file);
	return found;
}
