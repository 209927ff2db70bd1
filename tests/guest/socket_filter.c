/* SPDX-License-Identifier: Apache-2.0 */
/* SO_ATTACH_FILTER on sockets whose messages never leave the kernel. */
#include "tests/guest/bad_address.h"
#include "tests/guest/guest_test.h"

#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

static int attach(int fd, struct sock_filter *program, size_t count)
{
	struct sock_fprog source = {.len = (unsigned short)count, .filter = program};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &source, sizeof(source));
}

/* Takes what begins with 'y'; of that, the first three bytes. */
static struct sock_filter yes_only[] = {
	BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'y', 0, 1),
	BPF_STMT(BPF_RET | BPF_K, 3),
	BPF_STMT(BPF_RET | BPF_K, 0),
};

TEST(datagrams_are_dropped_and_cut)
{
	int fds[2], zero = 0, one = 1, value;
	socklen_t size = sizeof(value);
	char text[16];

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) == 0);
	CHECK_EQ(attach(fds[1], yes_only, 4), 0);
	CHECK_EQ(send(fds[0], "no", 2, 0), 2);
	CHECK_EQ(send(fds[0], "yesterday", 9, 0), 9);
	CHECK_EQ(send(fds[0], "y", 1, 0), 1);
	CHECK_EQ(recv(fds[1], text, 16, MSG_DONTWAIT), 3);
	CHECK(!memcmp(text, "yes", 3));
	CHECK_EQ(recv(fds[1], text, 16, MSG_DONTWAIT), 1);
	CHECK_ERRNO(recv(fds[1], text, 16, MSG_DONTWAIT), EAGAIN);
	/* The other direction has none. */
	CHECK_EQ(send(fds[1], "no", 2, 0), 2);
	CHECK_EQ(recv(fds[0], text, 16, MSG_DONTWAIT), 2);
	CHECK_EQ(setsockopt(fds[1], SOL_SOCKET, SO_DETACH_FILTER, &zero, 4), 0);
	CHECK_ERRNO(setsockopt(fds[1], SOL_SOCKET, SO_DETACH_FILTER, &zero, 4), ENOENT);
	CHECK_EQ(send(fds[0], "no", 2, 0), 2);
	CHECK_EQ(recv(fds[1], text, 16, MSG_DONTWAIT), 2);
	CHECK_EQ(setsockopt(fds[1], SOL_SOCKET, SO_LOCK_FILTER, &one, 4), 0);
	CHECK_EQ(getsockopt(fds[1], SOL_SOCKET, SO_LOCK_FILTER, &value, &size), 0);
	CHECK_EQ(value, 1);
	CHECK_ERRNO(attach(fds[1], yes_only, 4), EPERM);
	CHECK_ERRNO(setsockopt(fds[1], SOL_SOCKET, SO_LOCK_FILTER, &zero, 4), EPERM);
}

TEST(what_is_attached_can_be_read)
{
	struct sock_filter program[8];
	int fds[2];
	socklen_t count = 8;

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) == 0);
	CHECK(getsockopt(fds[0], SOL_SOCKET, SO_GET_FILTER, program, &count) == 0);
	CHECK_EQ(count, 0);
	CHECK_EQ(attach(fds[0], yes_only, 4), 0);
	CHECK(getsockopt(fds[0], SOL_SOCKET, SO_GET_FILTER, NULL, &count) == 0);
	CHECK_EQ(count, 4);
	count = 3;
	CHECK_ERRNO(getsockopt(fds[0], SOL_SOCKET, SO_GET_FILTER, program, &count), EINVAL);
	count = 8;
	CHECK_ERRNO(getsockopt(fds[0], SOL_SOCKET, SO_GET_FILTER, bad_address, &count), EFAULT);
	CHECK(getsockopt(fds[0], SOL_SOCKET, SO_GET_FILTER, program, &count) == 0);
	CHECK_EQ(count, 4);
	CHECK(!memcmp(program, yes_only, sizeof(yes_only)));
}

TEST(bad_programs_are_refused)
{
	struct sock_filter endless[] = {BPF_STMT(BPF_LD | BPF_IMM, 1)};
	struct sock_filter wild[] = {
		BPF_JUMP(BPF_JMP | BPF_JA, 9, 0, 0), BPF_STMT(BPF_RET | BPF_K, 0)};
	int fds[2];

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) == 0);
	CHECK_ERRNO(attach(fds[0], endless, 1), EINVAL);
	CHECK_ERRNO(attach(fds[0], wild, 2), EINVAL);
	CHECK_ERRNO(attach(fds[0], yes_only, 0), EINVAL);
	CHECK_ERRNO(attach(fds[0], bad_address, 4), EFAULT);
	CHECK_ERRNO(setsockopt(fds[0], SOL_SOCKET, SO_ATTACH_FILTER, yes_only, 8), EINVAL);
}

TEST(netlink_answers_are_filtered)
{
	struct {
		struct nlmsghdr header;
		struct rtgenmsg general;
	} request = {
		.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct rtgenmsg)),
			.nlmsg_type = RTM_GETLINK,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
	};
	struct sock_filter nothing[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), zero = 0;
	char answer[8192];

	CHECK_EQ(attach(fd, nothing, 1), 0);
	CHECK_EQ(send(fd, &request, request.header.nlmsg_len, 0), request.header.nlmsg_len);
	CHECK_ERRNO(recv(fd, answer, sizeof(answer), MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &zero, 4), 0);
	close(fd);
}

GUEST_TEST_MAIN()
