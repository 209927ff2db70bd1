/* SPDX-License-Identifier: Apache-2.0 */
/* AF_UNIX datagram sockets: boundaries, senders' names, connecting, full queues. */
#include "tests/guest/temporary.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct sockaddr_un name_of(const char *path)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};

	strcpy(name.sun_path, path);
	return name;
}

static int bound(const char *path)
{
	struct sockaddr_un name = name_of(path);
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	CHECK(bind(fd, (struct sockaddr *)&name, sizeof(name)) == 0);
	return fd;
}

TEST(boundaries_are_kept)
{
	int fds[2];
	char text[16];

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) == 0);
	CHECK_EQ(send(fds[0], "one", 3, 0), 3);
	CHECK_EQ(send(fds[0], "", 0, 0), 0);
	CHECK_EQ(send(fds[0], "three", 5, 0), 5);
	CHECK_EQ(recv(fds[1], text, 16, 0), 3);
	CHECK_EQ(recv(fds[1], text, 16, 0), 0);
	CHECK_EQ(recv(fds[1], text, 2, 0), 2);
	CHECK_ERRNO(recv(fds[1], text, 16, MSG_DONTWAIT), EAGAIN);
}

TEST(truncation_is_told)
{
	int fds[2];
	char text[16];
	struct iovec vector = {text, 2};
	struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) == 0);
	CHECK_EQ(send(fds[0], "12345", 5, 0), 5);
	CHECK_EQ(recv(fds[1], text, 2, MSG_PEEK | MSG_TRUNC), 5);
	CHECK_EQ(recvmsg(fds[1], &message, 0), 2);
	CHECK_EQ(message.msg_flags & MSG_TRUNC, MSG_TRUNC);
}

TEST(the_sender_has_a_name_to_answer)
{
	struct sockaddr_un name = name_of("server"), from;
	socklen_t size = sizeof(from);
	char text[16];
	int server, client;

	temporary_enter();
	server = bound("server");
	client = bound("client");
	CHECK_EQ(sendto(client, "ask", 3, 0, (struct sockaddr *)&name, sizeof(name)), 3);
	CHECK_EQ(recvfrom(server, text, 16, 0, (struct sockaddr *)&from, &size), 3);
	CHECK(!strcmp(from.sun_path, "client"));
	CHECK_EQ(sendto(server, "answer", 6, 0, (struct sockaddr *)&from, size), 6);
	CHECK_EQ(recv(client, text, 16, 0), 6);
}

TEST(a_sender_without_a_name)
{
	struct sockaddr_un name = name_of("server"), from;
	socklen_t size = sizeof(from);
	char text[16];
	int server;

	temporary_enter();
	server = bound("server");
	CHECK_EQ(sendto(socket(AF_UNIX, SOCK_DGRAM, 0), "x", 1, 0, (struct sockaddr *)&name,
			 sizeof(name)),
		1);
	CHECK_EQ(recvfrom(server, text, 16, 0, (struct sockaddr *)&from, &size), 1);
	CHECK_EQ(size, 0);
}

TEST(connected_receives_only_from_its_peer)
{
	struct sockaddr_un server = name_of("server"), client = name_of("client");
	int first, second;

	temporary_enter();
	first = bound("server");
	second = bound("client");
	CHECK(connect(first, (struct sockaddr *)&client, sizeof(client)) == 0);
	CHECK_EQ(sendto(second, "x", 1, 0, (struct sockaddr *)&server, sizeof(server)), 1);
	CHECK_ERRNO(sendto(socket(AF_UNIX, SOCK_DGRAM, 0), "x", 1, 0, (struct sockaddr *)&server,
			    sizeof(server)),
		EPERM);
	CHECK_EQ(send(first, "x", 1, 0), 1);
	CHECK(connect(first, &(struct sockaddr){.sa_family = AF_UNSPEC}, sizeof(struct sockaddr)) ==
		0);
	CHECK_ERRNO(send(first, "x", 1, 0), ENOTCONN);
}

TEST(errors)
{
	struct sockaddr_un name = name_of("nobody");
	int fd, stream;

	temporary_enter();
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	CHECK_ERRNO(send(fd, "x", 1, 0), ENOTCONN);
	CHECK_ERRNO(sendto(fd, "x", 1, 0, (struct sockaddr *)&name, sizeof(name)), ENOENT);
	close(bound("nobody"));
	CHECK_ERRNO(sendto(fd, "x", 1, 0, (struct sockaddr *)&name, sizeof(name)), ECONNREFUSED);
	CHECK_ERRNO(listen(fd, 1), EOPNOTSUPP);
	CHECK_ERRNO(accept(fd, NULL, NULL), EOPNOTSUPP);
	name = name_of("stream");
	stream = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(bind(stream, (struct sockaddr *)&name, sizeof(name)) == 0);
	CHECK_ERRNO(connect(fd, (struct sockaddr *)&name, sizeof(name)), EPROTOTYPE);
	char *large = calloc(1, 1 << 22);
	int fds[2];
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) == 0);
	CHECK_ERRNO(send(fds[0], large, 1 << 22, 0), EMSGSIZE);
}

TEST(a_full_queue_blocks_and_polls)
{
	int fds[2], count = 0;
	struct pollfd entry;
	char byte;

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds) == 0);
	while (send(fds[0], "x", 1, 0) == 1)
		count++;
	CHECK_EQ(errno, EAGAIN);
	CHECK(count >= 5);
	entry = (struct pollfd){fds[0], POLLOUT, 0};
	CHECK_EQ(poll(&entry, 1, 0), 0);
	while (count--)
		CHECK_EQ(recv(fds[1], &byte, 1, 0), 1);
	CHECK_EQ(poll(&entry, 1, 0), 1);
}

TEST(peer_closed_is_econnrefused_or_reset)
{
	int fds[2];

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) == 0);
	close(fds[1]);
	CHECK_ERRNO(send(fds[0], "x", 1, MSG_NOSIGNAL), ECONNREFUSED);
}

TEST(many_messages_at_once)
{
	struct mmsghdr messages[5] = {0};
	struct iovec vectors[5];
	char buffers[5][8];
	int fds[2];

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) == 0);
	for (int i = 0; i < 5; i++) {
		buffers[i][0] = (char)i;
		vectors[i] = (struct iovec){buffers[i], (size_t)i + 1};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
	}
	CHECK_EQ(sendmmsg(fds[0], messages, 5, 0), 5);
	for (int i = 0; i < 5; i++) {
		CHECK_EQ(messages[i].msg_len, i + 1);
		vectors[i].iov_len = 8;
		buffers[i][0] = 99;
	}
	CHECK_EQ(recvmmsg(fds[1], messages, 5, MSG_DONTWAIT, NULL), 5);
	for (int i = 0; i < 5; i++) {
		CHECK_EQ(messages[i].msg_len, i + 1);
		CHECK_EQ(buffers[i][0], i);
	}
	CHECK_ERRNO(recvmmsg(fds[1], messages, 5, MSG_DONTWAIT, NULL), EAGAIN);
}

static void receive_time(int fd, int type, struct timespec *out)
{
	char data[8], control[128];
	struct iovec part = {data, sizeof(data)};
	struct msghdr message = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	struct cmsghdr *header;

	CHECK_EQ(recvmsg(fd, &message, 0), 1);
	header = CMSG_FIRSTHDR(&message);
	CHECK(header && header->cmsg_level == SOL_SOCKET);
	CHECK_EQ(header->cmsg_type, type);
	CHECK_EQ(header->cmsg_len, CMSG_LEN(16));
	memcpy(out, CMSG_DATA(header), sizeof(*out));
}

TEST(times_of_messages)
{
	static const int names[] = {29, 63, 35, 64}; /* SO_TIMESTAMP_OLD, _NEW, SO_TIMESTAMPNS_ */
	int fds[2], on = 1, value;
	struct timespec before, told;
	socklen_t size = sizeof(value);

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) == 0);
	clock_gettime(CLOCK_REALTIME, &before);
	for (int i = 0; i < 4; i++) {
		/* Sent before anybody asked, and after. */
		if (i == 0)
			CHECK_EQ(send(fds[0], "x", 1, 0), 1);
		CHECK(setsockopt(fds[1], SOL_SOCKET, names[i], &on, sizeof(on)) == 0);
		for (int j = 0; j < 4; j++) {
			CHECK(getsockopt(fds[1], SOL_SOCKET, names[j], &value, &size) == 0);
			CHECK_EQ(value, i == j || (i == 3 && j == 1));
		}
		if (i)
			CHECK_EQ(send(fds[0], "x", 1, 0), 1);
		receive_time(fds[1], names[i], &told);
		CHECK(told.tv_sec >= before.tv_sec - 1 && told.tv_sec < before.tv_sec + 60);
		CHECK(told.tv_nsec >= 0 && told.tv_nsec < (i < 2 ? 1000000 : 1000000000));
	}
	value = 0;
	CHECK(setsockopt(fds[1], SOL_SOCKET, names[0], &value, sizeof(value)) == 0);
	CHECK(getsockopt(fds[1], SOL_SOCKET, names[3], &value, &size) == 0);
	CHECK_EQ(value, 0);
}

GUEST_TEST_MAIN()
