/* SPDX-License-Identifier: Apache-2.0 */
/* NETLINK_SOCK_DIAG of local and netlink sockets, and the name of a socket's protocol: what
 * debuggers show of descriptors. */
#include "tests/guest/guest_test.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>

#ifndef NDIAG_PROTO_ALL
#define NDIAG_PROTO_ALL 255
#endif

struct netlink_request {
	uint8_t family, protocol;
	uint16_t pad;
	uint32_t ino, show, cookie[2];
};

struct netlink_entry {
	uint8_t family, type, protocol, state;
	uint32_t port, other_port, other_group, ino, cookie[2];
};

static char answer[65536] __attribute__((aligned(8)));

static uint32_t number_of(int fd)
{
	struct stat status;

	CHECK(fstat(fd, &status) == 0);
	return (uint32_t)status.st_ino;
}

static int ask(const void *request, size_t size, int flags)
{
	struct nlmsghdr header = {.nlmsg_len = (uint32_t)(sizeof(header) + size),
		.nlmsg_type = SOCK_DIAG_BY_FAMILY,
		.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags),
		.nlmsg_seq = 5};
	struct iovec parts[] = {{&header, sizeof(header)}, {(void *)request, size}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	if (fd < 0)
		SKIP("no NETLINK_SOCK_DIAG");
	CHECK_EQ(sendmsg(fd, &message, 0), sizeof(header) + size);
	return fd;
}

/* The next message of an answer. */
static struct nlmsghdr *next_message(int fd)
{
	static struct nlmsghdr *at;
	static ssize_t left;

	if (left <= 0 || !NLMSG_OK(at, left)) {
		left = recv(fd, answer, sizeof(answer), 0);
		CHECK(left > 0);
		at = (void *)answer;
	}
	struct nlmsghdr *message = at;

	at = NLMSG_NEXT(at, left);
	CHECK_EQ(message->nlmsg_seq, 5);
	return message;
}

static int error_of(struct nlmsghdr *message)
{
	CHECK_EQ(message->nlmsg_type, NLMSG_ERROR);
	return ((struct nlmsgerr *)NLMSG_DATA(message))->error;
}

/* The one that a request by number finds; it may be that there is no such list at all. */
static struct nlmsghdr *look_up(int fd, uint32_t show)
{
	struct unix_diag_req request = {.sdiag_family = AF_UNIX,
		.udiag_states = ~0u,
		.udiag_ino = number_of(fd),
		.udiag_show = show,
		.udiag_cookie = {~0u, ~0u}};
	struct nlmsghdr *message = next_message(ask(&request, sizeof(request), 0));
	struct unix_diag_msg *entry = NLMSG_DATA(message);

	if (message->nlmsg_type == NLMSG_ERROR)
		SKIP("the kernel has no such list");
	CHECK_EQ(message->nlmsg_type, SOCK_DIAG_BY_FAMILY);
	CHECK_EQ(message->nlmsg_flags, 0);
	CHECK_EQ(entry->udiag_family, AF_UNIX);
	CHECK_EQ(entry->udiag_ino, number_of(fd));
	return message;
}

static struct rtattr *attribute(struct nlmsghdr *message, int type)
{
	size_t fixed = NLMSG_ALIGN(sizeof(struct unix_diag_msg));
	struct rtattr *at = (void *)((char *)NLMSG_DATA(message) + fixed);
	long left = (long)NLMSG_PAYLOAD(message, 0) - (long)fixed;

	for (; RTA_OK(at, left); at = RTA_NEXT(at, left))
		if (at->rta_type == type)
			return at;
	return NULL;
}

static uint32_t word_of(struct rtattr *attribute)
{
	CHECK(attribute);
	CHECK_EQ(RTA_PAYLOAD(attribute), 4);
	return *(uint32_t *)RTA_DATA(attribute);
}

TEST(a_pair_knows_its_peers)
{
	struct unix_diag_msg *entry;
	struct nlmsghdr *message;
	int pair[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	message = look_up(pair[0], UDIAG_SHOW_NAME | UDIAG_SHOW_PEER);
	entry = NLMSG_DATA(message);
	CHECK_EQ(entry->udiag_type, SOCK_STREAM);
	CHECK_EQ(entry->udiag_state, TCP_ESTABLISHED);
	CHECK_EQ(word_of(attribute(message, UNIX_DIAG_PEER)), number_of(pair[1]));
	CHECK(!attribute(message, UNIX_DIAG_NAME));
	CHECK_EQ(*(uint8_t *)RTA_DATA(attribute(message, UNIX_DIAG_SHUTDOWN)), 0);
	CHECK(shutdown(pair[0], SHUT_WR) == 0 && write(pair[1], "12345", 5) == 5);
	message = look_up(pair[0], UDIAG_SHOW_RQLEN | UDIAG_SHOW_UID);
	CHECK_EQ(*(uint8_t *)RTA_DATA(attribute(message, UNIX_DIAG_SHUTDOWN)), 2);
	CHECK_EQ(((struct unix_diag_rqlen *)RTA_DATA(attribute(message, UNIX_DIAG_RQLEN)))
			 ->udiag_rqueue,
		5);
	CHECK_EQ(word_of(attribute(message, UNIX_DIAG_UID)), getuid());
	CHECK(!attribute(message, UNIX_DIAG_PEER));
}

TEST(a_listener_has_a_name_and_who_waits)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
				     (size_t)snprintf(name.sun_path + 1, 50, "diag-%d", getpid()));
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
	struct unix_diag_rqlen *queues;
	struct nlmsghdr *message;
	struct rtattr *found;

	CHECK_EQ(((struct unix_diag_msg *)NLMSG_DATA(look_up(client, 0)))->udiag_state, TCP_CLOSE);
	CHECK(bind(listener, (struct sockaddr *)&name, size) == 0 && listen(listener, 7) == 0);
	CHECK(connect(client, (struct sockaddr *)&name, size) == 0);
	message = look_up(listener, UDIAG_SHOW_NAME | UDIAG_SHOW_ICONS | UDIAG_SHOW_RQLEN);
	CHECK_EQ(((struct unix_diag_msg *)NLMSG_DATA(message))->udiag_state, TCP_LISTEN);
	found = attribute(message, UNIX_DIAG_NAME);
	CHECK(found);
	CHECK_EQ(RTA_PAYLOAD(found), size - offsetof(struct sockaddr_un, sun_path));
	CHECK(!memcmp(RTA_DATA(found), name.sun_path, RTA_PAYLOAD(found)));
	CHECK_EQ(word_of(attribute(message, UNIX_DIAG_ICONS)), number_of(client));
	queues = RTA_DATA(attribute(message, UNIX_DIAG_RQLEN));
	CHECK(queues->udiag_rqueue == 1 && queues->udiag_wqueue == 7);
}

TEST(requests_that_find_nothing)
{
	struct unix_diag_req request = {.sdiag_family = AF_UNIX, .udiag_states = ~0u};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	(void)look_up(fd, 0);
	CHECK_EQ(error_of(next_message(ask(&request, sizeof(request), 0))), -EINVAL);
	request.udiag_ino = 0x7fffffff;
	CHECK_EQ(error_of(next_message(ask(&request, sizeof(request), 0))), -ENOENT);
	request.udiag_ino = number_of(fd);
	request.udiag_cookie[0] = request.udiag_cookie[1] = 0x12345678;
	CHECK_EQ(error_of(next_message(ask(&request, sizeof(request), 0))), -ESTALE);
	CHECK_EQ(error_of(next_message(ask(&request, sizeof(request) - 4, 0))), -EINVAL);
}

TEST(the_list_of_all_in_a_state)
{
	struct unix_diag_req request = {
		.sdiag_family = AF_UNIX, .udiag_states = 1u << TCP_ESTABLISHED};
	int pairs[200][2], idle = socket(AF_UNIX, SOCK_DGRAM, 0), found = 0, fd;

	(void)look_up(idle, 0);
	for (int i = 0; i < 200; i++)
		CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pairs[i]) == 0);
	fd = ask(&request, sizeof(request), NLM_F_DUMP);
	for (;;) {
		struct nlmsghdr *message = next_message(fd);
		struct unix_diag_msg *entry = NLMSG_DATA(message);

		if (message->nlmsg_type == NLMSG_DONE)
			break;
		CHECK(message->nlmsg_flags & NLM_F_MULTI);
		CHECK_EQ(entry->udiag_state, TCP_ESTABLISHED);
		CHECK(entry->udiag_ino != number_of(idle));
		for (int i = 0; i < 200; i++)
			found += entry->udiag_ino == number_of(pairs[i][0]) ||
				 entry->udiag_ino == number_of(pairs[i][1]);
	}
	CHECK_EQ(found, 400);
}

TEST(netlink_sockets_once_they_are_bound)
{
	struct netlink_request request = {.family = AF_NETLINK, .protocol = NETLINK_ROUTE};
	struct sockaddr_nl name = {.nl_family = AF_NETLINK};
	int route = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), fd;
	socklen_t size = sizeof(name);
	bool found = false;

	CHECK(route >= 0 && bind(route, (struct sockaddr *)&name, size) == 0);
	CHECK(getsockname(route, (struct sockaddr *)&name, &size) == 0);
	fd = ask(&request, sizeof(request), NLM_F_DUMP);
	for (;;) {
		struct nlmsghdr *message = next_message(fd);
		struct netlink_entry *entry = NLMSG_DATA(message);

		if (message->nlmsg_type == NLMSG_ERROR)
			SKIP("the kernel has no such list");
		if (message->nlmsg_type == NLMSG_DONE)
			break;
		CHECK(entry->family == AF_NETLINK && entry->protocol == NETLINK_ROUTE);
		found |= entry->ino == number_of(route) && entry->port == name.nl_pid;
	}
	CHECK(found);
}

TEST(the_name_of_the_protocol)
{
	static const struct {
		int family, type, protocol;
		const char *name;
	} kinds[] = {
		{AF_UNIX, SOCK_STREAM, 0, "UNIX-STREAM"},
		{AF_UNIX, SOCK_DGRAM, 0, "UNIX"},
		{AF_UNIX, SOCK_SEQPACKET, 0, "UNIX"},
		{AF_INET, SOCK_STREAM, 0, "TCP"},
		{AF_INET, SOCK_DGRAM, 0, "UDP"},
		{AF_INET6, SOCK_STREAM, 0, "TCPv6"},
		{AF_INET6, SOCK_DGRAM, 0, "UDPv6"},
		{AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, "NETLINK"},
	};
	char value[64], path[64];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int fd = socket(kinds[i].family, kinds[i].type, kinds[i].protocol);
		ssize_t size = (ssize_t)strlen(kinds[i].name) + 1;

		if (fd < 0)
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		CHECK_EQ(getxattr(path, "system.sockprotoname", value, sizeof(value)), size);
		CHECK(!strcmp(value, kinds[i].name));
		CHECK_EQ(fgetxattr(fd, "system.sockprotoname", NULL, 0), size);
		CHECK_ERRNO(fgetxattr(fd, "system.sockprotoname", value, (size_t)size - 1), ERANGE);
		CHECK_ERRNO(fsetxattr(fd, "system.sockprotoname", "x", 1, 0), EOPNOTSUPP);
		CHECK_ERRNO(fgetxattr(fd, "system.other", value, sizeof(value)), EOPNOTSUPP);
	}
	CHECK_ERRNO(getxattr("/", "system.sockprotoname", value, sizeof(value)), EOPNOTSUPP);
}

TEST(the_list_of_a_sockets_attributes)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char list[256];
	ssize_t size = flistxattr(fd, list, sizeof(list));

	CHECK(size >= (ssize_t)sizeof("system.sockprotoname"));
	CHECK(memmem(list, (size_t)size, "system.sockprotoname", sizeof("system.sockprotoname")));
	CHECK_ERRNO(flistxattr(fd, list, 3), ERANGE);
}

GUEST_TEST_MAIN()
