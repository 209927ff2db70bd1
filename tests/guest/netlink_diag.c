/* SPDX-License-Identifier: Apache-2.0 */
/* NETLINK_SOCK_DIAG: the lists of TCP and UDP sockets that ss(8) reads, and /proc/net beside it. */
#include "tests/guest/inet.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <sys/stat.h>

static char answer[65536] __attribute__((aligned(8)));

/* The entry of a list with this port on our side, or NULL. */
static struct inet_diag_msg *find(int family, int protocol, uint32_t states, uint16_t port)
{
	static struct inet_diag_msg found;
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 request;
	} ask = {
		.header = {sizeof(ask), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, 5, 0},
		.request = {.sdiag_family = (uint8_t)family,
			.sdiag_protocol = (uint8_t)protocol,
			.idiag_states = states},
	};
	bool seen = false;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	if (fd < 0)
		SKIP("no NETLINK_SOCK_DIAG");
	CHECK_EQ(send(fd, &ask, sizeof(ask), 0), sizeof(ask));
	for (;;) {
		ssize_t size = recv(fd, answer, sizeof(answer), 0);

		CHECK(size > 0);
		for (struct nlmsghdr *message = (void *)answer; NLMSG_OK(message, size);
			message = NLMSG_NEXT(message, size)) {
			struct inet_diag_msg *entry = NLMSG_DATA(message);

			if (message->nlmsg_type == NLMSG_ERROR)
				SKIP("the kernel has no such list");
			if (message->nlmsg_type == NLMSG_DONE) {
				close(fd);
				return seen ? &found : NULL;
			}
			CHECK_EQ(message->nlmsg_type, SOCK_DIAG_BY_FAMILY);
			CHECK_EQ(message->nlmsg_seq, 5);
			CHECK_EQ(entry->idiag_family, family);
			if (entry->id.idiag_sport != port)
				continue;
			found = *entry;
			seen = true;
		}
	}
}

TEST(a_listener)
{
	struct sockaddr_in name;
	int listener = tcp_listener(AF_INET, &name, 9);
	struct inet_diag_msg *entry = find(AF_INET, IPPROTO_TCP, 1 << TCP_LISTEN, name.sin_port);
	struct stat status;

	CHECK(entry);
	CHECK(fstat(listener, &status) == 0);
	CHECK_EQ(entry->idiag_state, TCP_LISTEN);
	CHECK_EQ(entry->idiag_inode, status.st_ino);
	CHECK_EQ(entry->idiag_uid, getuid());
	CHECK_EQ(entry->idiag_rqueue, 0);
	CHECK_EQ(entry->idiag_wqueue, 9);
	CHECK_EQ(entry->id.idiag_src[0], htonl(INADDR_LOOPBACK));
	CHECK(connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&name, sizeof(name)) ==
		0);
	entry = find(AF_INET, IPPROTO_TCP, 1 << TCP_LISTEN, name.sin_port);
	CHECK(entry);
	CHECK_EQ(entry->idiag_rqueue, 1);
	CHECK(!find(AF_INET, IPPROTO_TCP, 1 << TCP_SYN_SENT, name.sin_port));
}

/* Linux 6.8 and later: requests have a state of their own for them. */
TEST(tcp_that_is_bound_and_no_more)
{
	const unsigned int bound_inactive = 13;
	struct sockaddr_in name;
	int fd = inet_bound(AF_INET, SOCK_STREAM, &name);
	struct inet_diag_msg *entry =
		find(AF_INET, IPPROTO_TCP, 1u << bound_inactive, name.sin_port);

	if (!entry)
		SKIP("an older kernel");
	CHECK_EQ(entry->idiag_state, TCP_CLOSE);
	CHECK_EQ(entry->id.idiag_src[0], htonl(INADDR_LOOPBACK));
	CHECK_EQ(entry->id.idiag_dport, 0);
	CHECK(!find(AF_INET, IPPROTO_TCP, 1u << TCP_CLOSE, name.sin_port));
	CHECK(!find(AF_INET, IPPROTO_TCP, 1u << TCP_LISTEN, name.sin_port));
	CHECK(listen(fd, 3) == 0);
	CHECK(!find(AF_INET, IPPROTO_TCP, 1u << bound_inactive, name.sin_port));
	CHECK(find(AF_INET, IPPROTO_TCP, 1u << TCP_LISTEN, name.sin_port));
}

TEST(a_connection_and_its_queues)
{
	struct tcp_pair pair = tcp_connected(AF_INET);
	struct sockaddr_in name, peer;
	socklen_t size = sizeof(name);
	struct inet_diag_msg *entry;

	CHECK(getsockname(pair.client, (struct sockaddr *)&name, &size) == 0);
	CHECK(getpeername(pair.client, (struct sockaddr *)&peer, &size) == 0);
	CHECK_EQ(send(pair.server, "12345", 5, 0), 5);
	CHECK(wait_for(pair.client, POLLIN));
	entry = find(AF_INET, IPPROTO_TCP, 1 << TCP_ESTABLISHED, name.sin_port);
	CHECK(entry);
	CHECK_EQ(entry->idiag_rqueue, 5);
	CHECK_EQ(entry->id.idiag_dport, peer.sin_port);
}

TEST(udp_only_once_it_is_bound)
{
	struct sockaddr_in name;
	int fd = inet_bound(AF_INET, SOCK_DGRAM, &name);
	struct inet_diag_msg *entry = find(AF_INET, IPPROTO_UDP, ~0u, name.sin_port);

	CHECK(entry);
	CHECK_EQ(entry->idiag_state, TCP_CLOSE);
	CHECK(connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0);
	entry = find(AF_INET, IPPROTO_UDP, ~0u, name.sin_port);
	CHECK(entry);
	CHECK_EQ(entry->idiag_state, TCP_ESTABLISHED);
}

TEST(the_text_has_it_too)
{
	struct sockaddr_in name;
	int listener = tcp_listener(AF_INET, &name, 9);
	char line[256], wanted[64], text[64];
	struct stat status;
	bool found = false;
	FILE *file = fopen("/proc/net/tcp", "r");

	CHECK(file);
	CHECK(fstat(listener, &status) == 0);
	snprintf(wanted, sizeof(wanted), " 0100007F:%04X 00000000:0000 0A ", ntohs(name.sin_port));
	snprintf(text, sizeof(text), " %lu ", (unsigned long)status.st_ino);
	while (fgets(line, sizeof(line), file)) {
		CHECK_EQ(strlen(line), 150);
		found |= strstr(line, wanted) && strstr(line, text);
	}
	CHECK(found);
}

GUEST_TEST_MAIN()
