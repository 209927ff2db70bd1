/* SPDX-License-Identifier: Apache-2.0 */
/* What unix sockets hold: backlogs, sizes of queues, large messages, time limits, shutdown,
 * peeking, descriptors that nobody takes. */
#include "tests/guest/temporary.h"

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

static int listener_make(int type, struct sockaddr_un *name, socklen_t *size, int backlog)
{
	int fd = socket(AF_UNIX, type, 0);

	*name = (struct sockaddr_un){.sun_family = AF_UNIX};
	*size = sizeof(*name);
	CHECK(bind(fd, (struct sockaddr *)name, sizeof(sa_family_t)) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)name, size) == 0);
	CHECK(listen(fd, backlog) == 0);
	return fd;
}

TEST(a_backlog_holds_one_more_than_it_says)
{
	struct sockaddr_un name;
	socklen_t size;
	int listener = listener_make(SOCK_STREAM, &name, &size, 2), count = 0, fd;

	for (;;) {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		if (connect(fd, (struct sockaddr *)&name, size))
			break;
		count++;
	}
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(count, 3);
	CHECK(accept(listener, NULL, NULL) >= 0);
	CHECK(connect(fd, (struct sockaddr *)&name, size) == 0);
}

TEST(connections_that_nobody_took_are_reset)
{
	struct sockaddr_un name;
	socklen_t size;
	int listener = listener_make(SOCK_STREAM, &name, &size, 2),
	    fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char byte;

	CHECK(connect(fd, (struct sockaddr *)&name, size) == 0);
	CHECK_EQ(write(fd, "x", 1), 1);
	close(listener);
	CHECK_ERRNO(read(fd, &byte, 1), ECONNRESET);
	CHECK_ERRNO(send(fd, "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK_ERRNO(connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&name, size),
		ECONNREFUSED);
}

TEST(data_before_the_accept)
{
	struct sockaddr_un name;
	socklen_t size;
	int listener = listener_make(SOCK_SEQPACKET, &name, &size, 2),
	    fd = socket(AF_UNIX, SOCK_SEQPACKET, 0), other;
	char text[8];

	CHECK(connect(fd, (struct sockaddr *)&name, size) == 0);
	CHECK_EQ(send(fd, "early", 5, 0), 5);
	other = accept(listener, NULL, NULL);
	CHECK_EQ(recv(other, text, 8, 0), 5);
	close(fd);
	CHECK_EQ(recv(other, text, 8, 0), 0);
}

TEST(sizes_of_queues)
{
	int fds[2], value = -1;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	CHECK_EQ(write(fds[0], "12345", 5), 5);
	CHECK_EQ(write(fds[0], "678", 3), 3);
	CHECK(ioctl(fds[1], SIOCINQ, &value) == 0);
	CHECK_EQ(value, 8);
	CHECK(ioctl(fds[0], SIOCOUTQ, &value) == 0);
	CHECK(value >= 8);
	CHECK_EQ(read(fds[1], (char[8]){0}, 8), 8);
	CHECK(ioctl(fds[0], SIOCOUTQ, &value) == 0);
	CHECK_EQ(value, 0);
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) == 0);
	CHECK_EQ(write(fds[0], "12345", 5), 5);
	CHECK_EQ(write(fds[0], "678", 3), 3);
	CHECK(ioctl(fds[1], SIOCINQ, &value) == 0);
	CHECK_EQ(value, 5);
}

TEST(the_largest_message)
{
	size_t most = 212992 - 32;
	char *block = calloc(1, most + 1);
	int fds[2];

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) == 0);
	CHECK(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &(int){106496}, sizeof(int)) == 0);
	CHECK_ERRNO(send(fds[0], block, most + 1, MSG_DONTWAIT), EMSGSIZE);
	CHECK_EQ(send(fds[0], block, most, MSG_DONTWAIT), most);
	CHECK_EQ(recv(fds[1], block, most + 1, 0), most);
}

TEST(time_limits)
{
	struct timeval time = {0, 20000};
	int64_t start = now_ns();
	char block[4096] = {0};
	int fds[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	CHECK(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)) == 0);
	CHECK(setsockopt(fds[0], SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time)) == 0);
	CHECK_ERRNO(read(fds[0], block, 1), EAGAIN);
	CHECK(now_ns() - start >= 20000000);
	while (write(fds[0], block, sizeof(block)) > 0)
		;
	CHECK_EQ(errno, EAGAIN);
}

TEST(shutdown_ways)
{
	struct pollfd entry;
	char byte;
	int fds[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	CHECK_EQ(write(fds[0], "x", 1), 1);
	CHECK(shutdown(fds[0], SHUT_WR) == 0);
	CHECK_EQ(read(fds[1], &byte, 1), 1);
	CHECK_EQ(read(fds[1], &byte, 1), 0);
	entry = (struct pollfd){fds[1], POLLIN | POLLOUT | POLLRDHUP, 0};
	CHECK_EQ(poll(&entry, 1, 0), 1);
	CHECK_EQ(entry.revents, POLLIN | POLLOUT | POLLRDHUP);
	CHECK(shutdown(fds[1], SHUT_WR) == 0);
	CHECK_EQ(poll(&entry, 1, 0), 1);
	CHECK_EQ(entry.revents, POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	CHECK(shutdown(fds[1], SHUT_RD) == 0);
	CHECK_ERRNO(send(fds[0], "x", 1, MSG_NOSIGNAL), EPIPE);
}

TEST(waiting_for_all_over_pieces_and_the_end)
{
	char text[16];
	int fds[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	if (fork() == 0) {
		for (int i = 0; i < 5; i++) {
			CHECK_EQ(write(fds[0], "ab", 2), 2);
			sleep_ms(2);
		}
		_exit(0);
	}
	close(fds[0]);
	CHECK_EQ(recv(fds[1], text, 6, MSG_WAITALL), 6);
	CHECK_EQ(recv(fds[1], text, 16, MSG_WAITALL), 4);
	CHECK_EQ(recv(fds[1], text, 16, MSG_WAITALL), 0);
}

TEST(a_name_is_free_again_when_its_owner_goes)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0csandbox-test-of-names"};
	int first = socket(AF_UNIX, SOCK_STREAM, 0), second = socket(AF_UNIX, SOCK_STREAM, 0);
	int third = socket(AF_UNIX, SOCK_DGRAM, 0);

	((char *)&name.sun_path)[30] = (char)getpid();
	CHECK(bind(first, (struct sockaddr *)&name, sizeof(name)) == 0);
	CHECK_ERRNO(bind(second, (struct sockaddr *)&name, sizeof(name)), EADDRINUSE);
	/* Each type has names of its own. */
	CHECK(bind(third, (struct sockaddr *)&name, sizeof(name)) == 0);
	CHECK_ERRNO(bind(first, (struct sockaddr *)&name, sizeof(name)), EINVAL);
	close(first);
	CHECK(bind(second, (struct sockaddr *)&name, sizeof(name)) == 0);
}

TEST(paths_and_permissions)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "socket"};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), status;

	temporary_enter();
	CHECK(chmod(".", 0777) == 0);
	CHECK(bind(fd, (struct sockaddr *)&name, sizeof(name)) == 0);
	CHECK(listen(fd, 5) == 0);
	CHECK_ERRNO(bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&name, sizeof(name)),
		EADDRINUSE);
	CHECK(chmod("socket", 0700) == 0);
	if (fork() == 0) {
		CHECK(setgid(1000) == 0 && setuid(1000) == 0);
		CHECK_ERRNO(connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&name,
				    sizeof(name)),
			EACCES);
		_exit(0);
	}
	CHECK(wait(&status) > 0);
	CHECK_EQ(status, 0);
	CHECK(rename("socket", "moved") == 0);
	CHECK_ERRNO(
		connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&name, sizeof(name)),
		ENOENT);
	strcpy(name.sun_path, "moved");
	CHECK(connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&name, sizeof(name)) ==
		0);
	temporary_text("plain", "");
	strcpy(name.sun_path, "plain");
	CHECK_ERRNO(
		connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&name, sizeof(name)),
		ECONNREFUSED);
	CHECK_ERRNO(open("moved", O_RDWR), ENXIO);
}

static void send_fd(int through, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec vector = {"x", 1};
	struct msghdr message = {.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};

	CMSG_FIRSTHDR(&message)->cmsg_level = SOL_SOCKET;
	CMSG_FIRSTHDR(&message)->cmsg_type = SCM_RIGHTS;
	CMSG_FIRSTHDR(&message)->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), &fd, sizeof(fd));
	CHECK_EQ(sendmsg(through, &message, 0), 1);
}

/* A pipe's writer held only by a circle of sockets: the reader's end of file tells that it was
 * freed. */
TEST(circles_are_collected)
{
	struct pollfd entry;
	int a[2], b[2], fds[2];

	CHECK(pipe(fds) == 0);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, a) == 0);
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, b) == 0);
	send_fd(a[0], b[0]);
	send_fd(a[0], b[1]);
	send_fd(b[0], a[0]);
	send_fd(b[0], a[1]);
	send_fd(b[0], fds[1]);
	close(fds[1]);
	for (int i = 0; i < 2; i++) {
		close(a[i]);
		close(b[i]);
	}
	/* Any socket's end starts a collection; Linux does it in the background. */
	close(socket(AF_UNIX, SOCK_STREAM, 0));
	entry = (struct pollfd){fds[0], POLLIN, 0};
	CHECK_EQ(poll(&entry, 1, 20000), 1);
	CHECK_EQ(entry.revents, POLLHUP);
}

TEST(listeners_in_circles_are_collected)
{
	struct sockaddr_un name;
	struct pollfd entry;
	socklen_t size;
	int listener = listener_make(SOCK_STREAM, &name, &size, 5),
	    client = socket(AF_UNIX, SOCK_STREAM, 0), fds[2];

	CHECK(pipe(fds) == 0);
	CHECK(connect(client, (struct sockaddr *)&name, size) == 0);
	send_fd(client, listener);
	send_fd(client, fds[1]);
	close(fds[1]);
	close(listener);
	close(client);
	close(socket(AF_UNIX, SOCK_STREAM, 0));
	entry = (struct pollfd){fds[0], POLLIN, 0};
	CHECK_EQ(poll(&entry, 1, 20000), 1);
	CHECK_EQ(entry.revents, POLLHUP);
}

TEST(peeks_begin_at_an_offset)
{
	int pair[2], offset = 2;
	socklen_t size = sizeof(offset);
	char text[8];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	CHECK(getsockopt(pair[1], SOL_SOCKET, SO_PEEK_OFF, &offset, &size) == 0);
	CHECK_EQ(offset, -1);
	offset = 2;
	CHECK(setsockopt(pair[1], SOL_SOCKET, SO_PEEK_OFF, &offset, sizeof(offset)) == 0);
	CHECK_EQ(write(pair[0], "abc", 3), 3);
	CHECK_EQ(write(pair[0], "def", 3), 3);
	CHECK_EQ(recv(pair[1], text, 2, MSG_PEEK), 2);
	CHECK(!memcmp(text, "cd", 2));
	CHECK_EQ(recv(pair[1], text, 8, MSG_PEEK), 2);
	CHECK(!memcmp(text, "ef", 2));
	CHECK_ERRNO(recv(pair[1], text, 8, MSG_PEEK | MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(recv(pair[1], text, 5, 0), 5);
	CHECK(!memcmp(text, "abcde", 5));
	CHECK(getsockopt(pair[1], SOL_SOCKET, SO_PEEK_OFF, &offset, &size) == 0);
	CHECK_EQ(offset, 1);
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
	CHECK(setsockopt(pair[1], SOL_SOCKET, SO_PEEK_OFF, &offset, sizeof(offset)) == 0);
	CHECK_EQ(write(pair[0], "abc", 3), 3);
	CHECK_EQ(recv(pair[1], text, 8, MSG_PEEK), 2);
	CHECK(!memcmp(text, "bc", 2));
	CHECK_EQ(recv(pair[1], text, 8, 0), 3);
}

TEST(datagrams_tell_the_time)
{
	char control[64], byte;
	struct iovec iov = {&byte, 1};
	struct msghdr message = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	int pair[2], one = 1;
	struct timeval time;

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
	CHECK(setsockopt(pair[1], SOL_SOCKET, SO_TIMESTAMP, &one, sizeof(one)) == 0);
	CHECK_EQ(write(pair[0], "x", 1), 1);
	CHECK_EQ(recvmsg(pair[1], &message, 0), 1);
	CHECK_EQ(CMSG_FIRSTHDR(&message)->cmsg_type, SCM_TIMESTAMP);
	memcpy(&time, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(time));
	CHECK(time.tv_sec >= 1600000000 && time.tv_usec >= 0 && time.tv_usec < 1000000);
	CHECK_ERRNO(setsockopt(pair[0], SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)), EOPNOTSUPP);
}

GUEST_TEST_MAIN()
