/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets of the loopback for tests. */
#pragma once

#include "tests/guest/guest_test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

struct tcp_pair {
	int listener, client, server;
};

/* The loopback's address of a family with a port of the kernel's choice; its size. */
__attribute__((unused)) static socklen_t inet_loopback(int family, struct sockaddr_storage *name)
{
	memset(name, 0, sizeof(*name));
	name->ss_family = (sa_family_t)family;
	if (family == AF_INET) {
		((struct sockaddr_in *)name)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof(struct sockaddr_in);
	}
	((struct sockaddr_in6 *)name)->sin6_addr = in6addr_loopback;
	return sizeof(struct sockaddr_in6);
}

/* A bound socket; its name goes where name points, which may be NULL. */
__attribute__((unused)) static int inet_bound(int family, int type, void *name)
{
	struct sockaddr_storage own;
	socklen_t size = inet_loopback(family, &own);
	int fd = socket(family, type, 0);

	if (fd < 0 && errno == EAFNOSUPPORT)
		SKIP("no such family of addresses");
	CHECK(fd >= 0);
	if (bind(fd, (struct sockaddr *)&own, size)) {
		if (errno == EADDRNOTAVAIL)
			SKIP("the loopback has no such address");
		FAIL("bind: %s", strerror(errno));
	}
	CHECK(getsockname(fd, (struct sockaddr *)&own, &size) == 0);
	if (name)
		memcpy(name, &own, size);
	return fd;
}

__attribute__((unused)) static int tcp_listener(int family, void *name, int backlog)
{
	int fd = inet_bound(family, SOCK_STREAM, name);

	CHECK(listen(fd, backlog) == 0);
	return fd;
}

__attribute__((unused)) static struct tcp_pair tcp_connected(int family)
{
	struct sockaddr_storage name;
	struct tcp_pair pair;

	pair.listener = tcp_listener(family, &name, 5);
	pair.client = socket(family, SOCK_STREAM, 0);
	CHECK(connect(pair.client, (struct sockaddr *)&name,
		      family == AF_INET ? sizeof(struct sockaddr_in)
					: sizeof(struct sockaddr_in6)) == 0);
	pair.server = accept(pair.listener, NULL, NULL);
	CHECK(pair.server >= 0);
	return pair;
}

/* Until a descriptor has one of these events. */
__attribute__((unused)) static bool wait_for(int fd, short events)
{
	struct pollfd entry = {fd, events, 0};

	for (int i = 0; i < 1000; i++) {
		if (poll(&entry, 1, 10) == 1 && (entry.revents & events))
			return true;
		sleep_ms(1);
	}
	return false;
}
