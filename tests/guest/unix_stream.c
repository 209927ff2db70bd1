/* SPDX-License-Identifier: Apache-2.0 */
/* AF_UNIX stream and seqpacket sockets: names, connecting, shutdown, options, errors. */
#include "tests/guest/temporary.h"

#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

static socklen_t name_size;

static struct sockaddr_un name_of(const char *path)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};

	strcpy(name.sun_path, path);
	name_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1);
	return name;
}

/* An abstract name, of this process. */
static struct sockaddr_un abstract_name(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};

	name_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
				sprintf(name.sun_path + 1, "guest-test-%d", getpid()));
	return name;
}

static int listener_at(const struct sockaddr_un *name, int type, int backlog)
{
	int fd = socket(AF_UNIX, type, 0);

	CHECK(fd >= 0);
	CHECK(bind(fd, (const struct sockaddr *)name, name_size) == 0);
	CHECK(listen(fd, backlog) == 0);
	return fd;
}

static int connect_to(const struct sockaddr_un *name, int type)
{
	int fd = socket(AF_UNIX, type, 0);

	CHECK(fd >= 0);
	CHECK(connect(fd, (const struct sockaddr *)name, name_size) == 0);
	return fd;
}

TEST(socketpair_goes_both_ways)
{
	int fds[2];
	char text[8];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
	CHECK_EQ(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	CHECK_ERRNO(read(fds[0], text, 8), EAGAIN);
	CHECK_EQ(write(fds[0], "abc", 3), 3);
	CHECK_EQ(write(fds[1], "de", 2), 2);
	CHECK_EQ(read(fds[1], text, 8), 3);
	CHECK_EQ(read(fds[0], text, 8), 2);
}

TEST(path_name_is_a_file)
{
	struct sockaddr_un name, got;
	struct stat status;
	socklen_t size = sizeof(got);
	int server, client;

	temporary_enter();
	name = name_of("socket");
	server = listener_at(&name, SOCK_STREAM, 5);
	CHECK(stat("socket", &status) == 0);
	CHECK(S_ISSOCK(status.st_mode));
	client = connect_to(&name, SOCK_STREAM);
	CHECK(getpeername(client, (struct sockaddr *)&got, &size) == 0);
	CHECK_EQ(size, name_size);
	CHECK(!strcmp(got.sun_path, "socket"));
	CHECK_ERRNO(bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&name, name_size),
		EADDRINUSE);
	CHECK_ERRNO(open("socket", O_RDONLY), ENXIO);
	close(server);
	CHECK_ERRNO(connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&name, name_size),
		ECONNREFUSED);
	CHECK(unlink("socket") == 0);
	CHECK_ERRNO(connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&name, name_size),
		ENOENT);
}

TEST(abstract_name_lives_with_the_socket)
{
	struct sockaddr_un name = abstract_name();
	int server = listener_at(&name, SOCK_STREAM, 5);

	close(connect_to(&name, SOCK_STREAM));
	CHECK_ERRNO(bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&name, name_size),
		EADDRINUSE);
	close(server);
	CHECK_ERRNO(connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&name, name_size),
		ECONNREFUSED);
	CHECK(bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&name, name_size) == 0);
}

TEST(autobind_gives_an_abstract_name)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	socklen_t size = sizeof(name);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	CHECK(bind(fd, (struct sockaddr *)&name, sizeof(sa_family_t)) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&name, &size) == 0);
	CHECK_EQ(size, sizeof(sa_family_t) + 6);
	CHECK_EQ(name.sun_path[0], 0);
}

TEST(accept_gives_a_connection_and_flags)
{
	struct sockaddr_un name = abstract_name(), peer;
	socklen_t size = sizeof(peer);
	int server = listener_at(&name, SOCK_STREAM, 5), client = connect_to(&name, SOCK_STREAM),
	    connection;
	char text[8];

	CHECK_EQ(write(client, "early", 5), 5);
	connection = accept4(server, (struct sockaddr *)&peer, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
	CHECK(connection >= 0);
	CHECK_EQ(size, sizeof(sa_family_t)); /* the client has no name */
	CHECK_EQ(fcntl(connection, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(read(connection, text, 8), 5);
	CHECK_EQ(write(connection, "ok", 2), 2);
	CHECK_EQ(read(client, text, 8), 2);
	CHECK_ERRNO(accept4(server, NULL, NULL, 0x1), EINVAL);
	fcntl(server, F_SETFL, O_NONBLOCK);
	CHECK_ERRNO(accept(server, NULL, NULL), EAGAIN);
}

TEST(a_full_backlog_is_eagain_when_nonblocking)
{
	struct sockaddr_un name = abstract_name();
	int fd;

	listener_at(&name, SOCK_STREAM, 1);
	connect_to(&name, SOCK_STREAM);
	connect_to(&name, SOCK_STREAM);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK_ERRNO(connect(fd, (struct sockaddr *)&name, name_size), EAGAIN);
}

TEST(shutdown_of_each_half)
{
	int fds[2];
	char byte;

	signal(SIGPIPE, SIG_IGN);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	CHECK_EQ(write(fds[0], "x", 1), 1);
	CHECK(shutdown(fds[0], SHUT_WR) == 0);
	CHECK_EQ(read(fds[1], &byte, 1), 1);
	CHECK_EQ(read(fds[1], &byte, 1), 0);
	CHECK_ERRNO(write(fds[0], "x", 1), EPIPE);
	CHECK_EQ(write(fds[1], "y", 1), 1);
	CHECK_EQ(read(fds[0], &byte, 1), 1);
	CHECK(shutdown(fds[0], SHUT_RD) == 0);
	CHECK_EQ(read(fds[0], &byte, 1), 0);
	CHECK_ERRNO(write(fds[1], "y", 1), EPIPE);
	CHECK_ERRNO(shutdown(fds[0], 7), EINVAL);
}

TEST(closing_with_unread_data_resets)
{
	int fds[2];
	char byte;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	CHECK_EQ(write(fds[0], "x", 1), 1);
	close(fds[1]);
	CHECK_ERRNO(read(fds[0], &byte, 1), ECONNRESET);
	CHECK_EQ(read(fds[0], &byte, 1), 0);
}

static void sends_to_nobody(void)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		_exit(8);
	close(fds[1]);
	if (send(fds[0], "x", 1, MSG_NOSIGNAL) != -1 || errno != EPIPE)
		_exit(9);
	if (write(fds[0], "x", 1))
		_exit(10);
}

TEST(sigpipe_unless_nosignal)
{
	CHECK_EQ(WTERMSIG(in_child(sends_to_nobody)), SIGPIPE);
}

TEST(peek_trunc_and_waitall)
{
	int fds[2], status;
	char text[8] = "";
	pid_t child;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	CHECK_EQ(write(fds[0], "abc", 3), 3);
	CHECK_EQ(recv(fds[1], text, 2, MSG_PEEK), 2);
	CHECK_EQ(recv(fds[1], text, 8, 0), 3);
	CHECK_ERRNO(recv(fds[1], text, 8, MSG_DONTWAIT), EAGAIN);
	child = fork();
	if (child == 0) {
		for (int i = 0; i < 6; i++) {
			CHECK_EQ(write(fds[0], &"0123456789"[i], 1), 1);
			sleep_ms(2);
		}
		_exit(0);
	}
	CHECK_EQ(recv(fds[1], text, 6, MSG_WAITALL), 6);
	CHECK(!memcmp(text, "012345", 6));
	CHECK(waitpid(child, &status, 0) == child);
}

TEST(seqpacket_keeps_boundaries)
{
	int fds[2];
	char text[16];

	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) == 0);
	CHECK_EQ(write(fds[0], "first", 5), 5);
	CHECK_EQ(write(fds[0], "second", 6), 6);
	CHECK_EQ(read(fds[1], text, 16), 5);
	CHECK_EQ(recv(fds[1], text, 2, MSG_TRUNC), 6);
	close(fds[0]);
	CHECK_EQ(read(fds[1], text, 16), 0);
}

TEST(options)
{
	int fds[2], value;
	socklen_t size = sizeof(value);
	struct ucred credentials;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	CHECK(getsockopt(fds[0], SOL_SOCKET, SO_TYPE, &value, &size) == 0);
	CHECK_EQ(value, SOCK_STREAM);
	CHECK(getsockopt(fds[0], SOL_SOCKET, SO_DOMAIN, &value, &size) == 0);
	CHECK_EQ(value, AF_UNIX);
	CHECK(getsockopt(fds[0], SOL_SOCKET, SO_ACCEPTCONN, &value, &size) == 0);
	CHECK_EQ(value, 0);
	CHECK(getsockopt(fds[0], SOL_SOCKET, SO_ERROR, &value, &size) == 0);
	CHECK_EQ(value, 0);
	size = sizeof(credentials);
	CHECK(getsockopt(fds[0], SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0);
	CHECK_EQ(credentials.pid, getpid());
	CHECK_EQ(credentials.uid, geteuid());
	value = 1 << 20;
	CHECK(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &value, sizeof(value)) == 0);
	CHECK_ERRNO(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &value, 1), EINVAL);
	CHECK_ERRNO(setsockopt(fds[0], SOL_SOCKET, 9999, &value, sizeof(value)), ENOPROTOOPT);
	CHECK_ERRNO(getsockopt(fds[0], 9999, 1, &value, &size), EOPNOTSUPP);
	CHECK(write(fds[1], "abcd", 4) == 4);
	CHECK(ioctl(fds[0], FIONREAD, &value) == 0);
	CHECK_EQ(value, 4);
}

TEST(receive_timeout)
{
	struct timeval timeout = {0, 30000};
	int fds[2];
	char byte;
	int64_t start = now_ns();

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	CHECK(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) == 0);
	CHECK_ERRNO(recv(fds[0], &byte, 1, 0), EAGAIN);
	CHECK(now_ns() - start >= 25000000);
}

TEST(errors)
{
	struct sockaddr_un name = abstract_name();
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char byte = 0;

	CHECK_ERRNO(socket(AF_UNIX, 99, 0), EINVAL);
	CHECK_ERRNO(socket(AF_UNIX, SOCK_STREAM, 5), EPROTONOSUPPORT);
	CHECK_ERRNO(socket(9999, SOCK_STREAM, 0), EAFNOSUPPORT);
	CHECK_ERRNO(socket(AF_UNIX, SOCK_RDM, 0), ESOCKTNOSUPPORT);
	CHECK_ERRNO(listen(fd, 1), EINVAL);
	CHECK_ERRNO(accept(fd, NULL, NULL), EINVAL);
	CHECK_ERRNO(read(fd, &byte, 1), EINVAL);
	CHECK_ERRNO(send(fd, &byte, 1, MSG_NOSIGNAL), ENOTCONN);
	CHECK_ERRNO(bind(fd, (struct sockaddr *)&name, 1), EINVAL);
	CHECK_ERRNO(bind(fd, (struct sockaddr *)&name, sizeof(name) + 10), EINVAL);
	name.sun_family = AF_INET;
	CHECK_ERRNO(bind(fd, (struct sockaddr *)&name, name_size), EINVAL);
	CHECK_ERRNO(getpeername(fd, (struct sockaddr *)&name, &name_size), ENOTCONN);
	CHECK_ERRNO(accept(open("/dev/null", O_RDONLY), NULL, NULL), ENOTSOCK);
	CHECK_ERRNO(lseek(fd, 0, SEEK_SET), ESPIPE);
	int fds[2];
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	name = abstract_name();
	listener_at(&name, SOCK_STREAM, 1);
	CHECK_ERRNO(connect(fds[0], (struct sockaddr *)&name, name_size), EISCONN);
}

TEST(large_streams_are_whole)
{
	size_t size = 1 << 20, total = 0;
	char *data = malloc(size), part[7000];
	int fds[2], status;
	pid_t child;

	for (size_t i = 0; i < size; i++)
		data[i] = (char)(i * 13 >> 2);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	child = fork();
	if (child == 0) {
		close(fds[1]);
		for (size_t sent = 0; sent < size;) {
			ssize_t wrote = write(fds[0], data + sent, size - sent);

			CHECK(wrote > 0);
			sent += (size_t)wrote;
		}
		_exit(0);
	}
	close(fds[0]);
	for (ssize_t got; (got = read(fds[1], part, sizeof(part))) != 0; total += (size_t)got) {
		CHECK(got > 0);
		CHECK(!memcmp(part, data + total, (size_t)got));
	}
	CHECK_EQ(total, size);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
}

GUEST_TEST_MAIN()
