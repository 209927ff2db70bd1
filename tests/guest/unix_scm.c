/* SPDX-License-Identifier: Apache-2.0 */
/* Ancillary data over AF_UNIX: descriptors, credentials, truncation, boundaries, cycles. */
#include "tests/guest/temporary.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

struct control {
	_Alignas(struct cmsghdr) char bytes[512];
	struct iovec vector;
	char data[16];
};

static ssize_t send_fds(int socket, const int *fds, int count)
{
	struct control control = {.vector = {control.data, 1}};
	struct msghdr message = {.msg_iov = &control.vector,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
	memcpy(CMSG_DATA(header), fds, sizeof(int) * (size_t)count);
	return sendmsg(socket, &message, MSG_NOSIGNAL);
}

/* How many descriptors came; room for as many. */
static int receive_fds(int socket, int *fds, int room, int flags, int *message_flags)
{
	struct control control = {.vector = {control.data, sizeof(control.data)}};
	struct msghdr message = {.msg_iov = &control.vector,
		.msg_iovlen = 1,
		.msg_control = room ? control.bytes : NULL,
		.msg_controllen = room ? CMSG_SPACE(sizeof(int) * (size_t)room) : 0};
	struct cmsghdr *header;
	int count = 0;

	CHECK(recvmsg(socket, &message, flags) >= 0);
	if (message_flags)
		*message_flags = message.msg_flags;
	header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_type == SCM_RIGHTS) {
		count = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(fds, CMSG_DATA(header), sizeof(int) * (size_t)count);
	}
	return count;
}

static void pair(int fds[2], int type)
{
	CHECK(socketpair(AF_UNIX, type, 0, fds) == 0);
}

TEST(a_descriptor_travels)
{
	int sockets[2], pipe_fds[2], got;
	char byte;

	pair(sockets, SOCK_STREAM);
	CHECK(pipe(pipe_fds) == 0);
	CHECK_EQ(send_fds(sockets[0], &pipe_fds[1], 1), 1);
	close(pipe_fds[1]);
	CHECK_EQ(receive_fds(sockets[1], &got, 1, MSG_CMSG_CLOEXEC, NULL), 1);
	CHECK_EQ(fcntl(got, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(write(got, "x", 1), 1);
	CHECK_EQ(read(pipe_fds[0], &byte, 1), 1);
	close(got);
	CHECK_EQ(read(pipe_fds[0], &byte, 1), 0);
}

TEST(to_another_process_with_one_offset)
{
	int sockets[2], fd, got, status;
	char text[4];
	pid_t child;

	temporary_enter();
	temporary_text("file", "abcdef");
	pair(sockets, SOCK_STREAM);
	child = fork();
	if (child == 0) {
		CHECK_EQ(receive_fds(sockets[1], &got, 1, 0, NULL), 1);
		CHECK_EQ(read(got, text, 3), 3);
		_exit(memcmp(text, "abc", 3) ? 1 : 0);
	}
	fd = open("file", O_RDONLY);
	CHECK_EQ(send_fds(sockets[0], &fd, 1), 1);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 3);
}

TEST(too_little_room_truncates_and_closes)
{
	int sockets[2], pipe_fds[2], sent[3], got[3], flags;
	char byte;

	pair(sockets, SOCK_STREAM);
	CHECK(pipe(pipe_fds) == 0);
	sent[0] = sent[1] = sent[2] = pipe_fds[1];
	CHECK_EQ(send_fds(sockets[0], sent, 3), 1);
	CHECK_EQ(receive_fds(sockets[1], got, 2, 0, &flags), 2);
	CHECK_EQ(flags & MSG_CTRUNC, MSG_CTRUNC);
	CHECK_EQ(send_fds(sockets[0], sent, 1), 1);
	CHECK_EQ(receive_fds(sockets[1], got + 2, 0, 0, &flags), 0);
	CHECK_EQ(flags & MSG_CTRUNC, MSG_CTRUNC);
	close(pipe_fds[1]);
	close(got[0]);
	close(got[1]);
	CHECK_EQ(read(pipe_fds[0], &byte, 1), 0); /* nothing was leaked */
}

TEST(plain_read_drops_descriptors)
{
	int sockets[2], pipe_fds[2];
	char byte;

	pair(sockets, SOCK_STREAM);
	CHECK(pipe(pipe_fds) == 0);
	CHECK_EQ(send_fds(sockets[0], &pipe_fds[1], 1), 1);
	close(pipe_fds[1]);
	CHECK_EQ(read(sockets[1], &byte, 1), 1);
	CHECK_EQ(read(pipe_fds[0], &byte, 1), 0);
}

TEST(a_stream_read_stops_at_descriptors)
{
	int sockets[2], fd = 0, got;
	char text[16];

	pair(sockets, SOCK_STREAM);
	CHECK_EQ(write(sockets[0], "ab", 2), 2);
	CHECK_EQ(send_fds(sockets[0], &fd, 1), 1);
	CHECK_EQ(write(sockets[0], "cd", 2), 2);
	CHECK_EQ(receive_fds(sockets[1], &got, 1, 0, NULL),
		1); /* its data: "ab" goes before, with it */
	CHECK(read(sockets[1], text, 16) >= 1);
}

TEST(peek_leaves_descriptors)
{
	int sockets[2], fd = open("/dev/null", O_RDONLY), first, second;

	pair(sockets, SOCK_DGRAM);
	CHECK_EQ(send_fds(sockets[0], &fd, 1), 1);
	CHECK_EQ(receive_fds(sockets[1], &first, 1, MSG_PEEK, NULL), 1);
	CHECK_EQ(receive_fds(sockets[1], &second, 1, 0, NULL), 1);
	CHECK(first != second);
}

TEST(closing_with_descriptors_in_flight_frees_them)
{
	int sockets[2], pipe_fds[2];
	char byte;

	pair(sockets, SOCK_STREAM);
	CHECK(pipe(pipe_fds) == 0);
	CHECK_EQ(send_fds(sockets[0], &pipe_fds[1], 1), 1);
	close(pipe_fds[1]);
	close(sockets[0]);
	close(sockets[1]);
	CHECK_EQ(read(pipe_fds[0], &byte, 1), 0);
}

TEST(sockets_that_hold_each_other)
{
	int sockets[2];

	for (int i = 0; i < 50; i++) {
		pair(sockets, SOCK_STREAM);
		CHECK_EQ(send_fds(sockets[0], &sockets[1], 1), 1);
		CHECK_EQ(send_fds(sockets[1], &sockets[0], 1), 1);
		close(sockets[0]);
		close(sockets[1]);
	}
}

/* What lies between a message's end and the next one's place is the receiver's own. */
static void check_padding(int fd)
{
	union {
		char bytes[256];
		struct cmsghdr align;
	} control = {0};
	char byte;
	struct iovec data = {&byte, 1};
	struct msghdr header = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = 256};

	CHECK_EQ(recvmsg(fd, &header, 0), 1);
	CHECK(header.msg_controllen > 0);
	for (struct cmsghdr *message = CMSG_FIRSTHDR(&header); message;
		message = CMSG_NXTHDR(&header, message)) {
		size_t end =
			(size_t)((char *)message - control.bytes) + CMSG_ALIGN(message->cmsg_len);

		for (size_t i = end - CMSG_ALIGN(message->cmsg_len) + message->cmsg_len; i < end;
			i++)
			CHECK_EQ(control.bytes[i], 0);
	}
	for (size_t i = header.msg_controllen; i < 256; i++)
		CHECK_EQ(control.bytes[i], 0);
}

TEST(nothing_comes_between_messages)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t size = sizeof(name);
	int sockets[2], on = 1, inet;

	pair(sockets, SOCK_STREAM);
	CHECK(setsockopt(sockets[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0);
	for (int i = 0; i < 50; i++) {
		CHECK_EQ(send_fds(sockets[0], &sockets[0], 1), 1);
		check_padding(sockets[1]);
	}
	inet = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK(bind(inet, (struct sockaddr *)&name, size) == 0);
	CHECK(getsockname(inet, (struct sockaddr *)&name, &size) == 0);
	CHECK(setsockopt(inet, IPPROTO_IP, IP_RECVTTL, &on, sizeof(on)) == 0);
	CHECK(setsockopt(inet, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) == 0);
	CHECK(setsockopt(inet, IPPROTO_IP, IP_RECVTOS, &on, sizeof(on)) == 0);
	for (int i = 0; i < 50; i++) {
		CHECK_EQ(sendto(inet, "x", 1, 0, (struct sockaddr *)&name, size), 1);
		check_padding(inet);
	}
}

TEST(errors)
{
	int sockets[2], bad = 9999, many[254];

	pair(sockets, SOCK_STREAM);
	CHECK_ERRNO(send_fds(sockets[0], &bad, 1), EBADF);
	for (int i = 0; i < 254; i++)
		many[i] = 0;
	struct {
		_Alignas(struct cmsghdr) char bytes[CMSG_SPACE(254 * sizeof(int))];
	} control = {0};
	struct iovec vector = {"x", 1};
	struct msghdr message = {.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(many));
	memcpy(CMSG_DATA(header), many, sizeof(many));
	CHECK_ERRNO(sendmsg(sockets[0], &message, 0), EINVAL);
	header->cmsg_len = 4;
	CHECK_ERRNO(sendmsg(sockets[0], &message, 0), EINVAL);
	header->cmsg_len = sizeof(control) + 100;
	CHECK_ERRNO(sendmsg(sockets[0], &message, 0), EINVAL);
	header->cmsg_len = CMSG_LEN(4);
	header->cmsg_type = 77;
	CHECK_ERRNO(sendmsg(sockets[0], &message, 0), EINVAL);
}

TEST(as_many_descriptors_at_once)
{
	int sockets[2], fds[253], got = 0;
	struct {
		_Alignas(struct cmsghdr) char bytes[CMSG_SPACE(253 * sizeof(int))];
	} control = {0};
	char byte = 'x';
	struct iovec vector = {&byte, 1};
	struct msghdr message = {.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	pair(sockets, SOCK_STREAM);
	for (int i = 0; i < 253; i++)
		fds[i] = sockets[0];
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(header), fds, sizeof(fds));
	CHECK_EQ(sendmsg(sockets[0], &message, 0), 1);
	CHECK_EQ(recvmsg(sockets[1], &message, 0), 1);
	header = CMSG_FIRSTHDR(&message);
	got = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
	CHECK_EQ(got, 253);
}

TEST(credentials_are_passed_when_asked)
{
	int sockets[2], on = 1, status;
	pid_t child;

	pair(sockets, SOCK_DGRAM);
	CHECK(setsockopt(sockets[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0);
	child = fork();
	if (child == 0)
		_exit(send(sockets[0], "x", 1, 0) == 1 ? 0 : 1);
	struct control control = {.vector = {control.data, 16}};
	struct msghdr message = {.msg_iov = &control.vector,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};
	struct ucred credentials;
	CHECK_EQ(recvmsg(sockets[1], &message, 0), 1);
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	CHECK(header && header->cmsg_type == SCM_CREDENTIALS);
	memcpy(&credentials, CMSG_DATA(header), sizeof(credentials));
	CHECK_EQ(credentials.pid, child);
	CHECK_EQ(credentials.uid, getuid());
	CHECK_EQ(credentials.gid, getgid());
	CHECK(waitpid(child, &status, 0) == child);
}

GUEST_TEST_MAIN()
