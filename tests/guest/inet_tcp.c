/* SPDX-License-Identifier: Apache-2.0 */
/* TCP over the loopback: connecting, closing, half closes, resets, urgent data, flags of receives.
 */
#include "tests/guest/inet.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>

TEST(a_connection_goes_both_ways)
{
	struct tcp_pair pair = tcp_connected(AF_INET);
	char text[8];

	CHECK_EQ(send(pair.client, "ask", 3, 0), 3);
	CHECK_EQ(recv(pair.server, text, 8, 0), 3);
	CHECK_EQ(send(pair.server, "answer", 6, 0), 6);
	CHECK_EQ(recv(pair.client, text, 8, 0), 6);
	CHECK(!memcmp(text, "answer", 6));
}

TEST(version_six_too)
{
	struct tcp_pair pair = tcp_connected(AF_INET6);
	struct sockaddr_in6 name;
	socklen_t size = sizeof(name);
	char byte;

	CHECK_EQ(write(pair.client, "x", 1), 1);
	CHECK_EQ(read(pair.server, &byte, 1), 1);
	CHECK(getpeername(pair.server, (struct sockaddr *)&name, &size) == 0);
	CHECK_EQ(size, sizeof(name));
	CHECK_EQ(name.sin6_family, AF_INET6);
	CHECK(IN6_IS_ADDR_LOOPBACK(&name.sin6_addr));
}

TEST(a_mapped_address_reaches_a_socket_of_both)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6}, peer;
	struct sockaddr_in name = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(any);
	int listener = socket(AF_INET6, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0),
	    server;

	CHECK(setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &(int){0}, sizeof(int)) == 0);
	CHECK(bind(listener, (struct sockaddr *)&any, sizeof(any)) == 0);
	CHECK(listen(listener, 1) == 0);
	CHECK(getsockname(listener, (struct sockaddr *)&any, &size) == 0);
	name.sin_port = any.sin6_port;
	CHECK(connect(client, (struct sockaddr *)&name, sizeof(name)) == 0);
	size = sizeof(peer);
	server = accept(listener, (struct sockaddr *)&peer, &size);
	CHECK(server >= 0);
	CHECK(IN6_IS_ADDR_V4MAPPED(&peer.sin6_addr));
}

TEST(names_of_both_ends)
{
	struct sockaddr_in client, server;
	struct tcp_pair pair = tcp_connected(AF_INET);
	socklen_t size = sizeof(client);

	CHECK(getsockname(pair.client, (struct sockaddr *)&client, &size) == 0);
	CHECK_EQ(size, sizeof(client));
	size = sizeof(server);
	CHECK(getpeername(pair.server, (struct sockaddr *)&server, &size) == 0);
	CHECK(!memcmp(&client, &server, sizeof(client)));
	size = 4;
	CHECK(getpeername(pair.server, (struct sockaddr *)&server, &size) == 0);
	CHECK_EQ(size, sizeof(server));
	CHECK_ERRNO(getpeername(pair.listener, (struct sockaddr *)&server, &size), ENOTCONN);
}

TEST(a_half_close_lets_the_other_half_go_on)
{
	struct tcp_pair pair = tcp_connected(AF_INET);
	struct pollfd entry = {pair.server, POLLIN | POLLOUT | POLLRDHUP, 0};
	char byte;

	CHECK(shutdown(pair.client, SHUT_WR) == 0);
	CHECK(wait_for(pair.server, POLLRDHUP));
	CHECK_EQ(poll(&entry, 1, 0), 1);
	CHECK_EQ(entry.revents, POLLIN | POLLOUT | POLLRDHUP);
	CHECK_EQ(read(pair.server, &byte, 1), 0);
	CHECK_EQ(write(pair.server, "x", 1), 1);
	CHECK_EQ(read(pair.client, &byte, 1), 1);
	CHECK_ERRNO(send(pair.client, "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK(shutdown(pair.server, SHUT_WR) == 0);
	CHECK(wait_for(pair.server, POLLHUP));
	CHECK_ERRNO(shutdown(pair.listener, 3), EINVAL);
}

TEST(sigpipe_after_the_end)
{
	struct tcp_pair pair = tcp_connected(AF_INET);
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK(shutdown(pair.client, SHUT_WR) == 0);
	CHECK_ERRNO(write(pair.client, "x", 1), EPIPE);
	CHECK_EQ(sigtimedwait(&set, NULL, &(struct timespec){0}), SIGPIPE);
}

TEST(linger_zero_resets)
{
	struct tcp_pair pair = tcp_connected(AF_INET);
	struct linger linger = {1, 0};
	char byte;

	CHECK(setsockopt(pair.client, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) == 0);
	close(pair.client);
	CHECK(wait_for(pair.server, POLLHUP));
	CHECK_ERRNO(read(pair.server, &byte, 1), ECONNRESET);
	CHECK_EQ(read(pair.server, &byte, 1), 0);
	CHECK_ERRNO(send(pair.server, "x", 1, MSG_NOSIGNAL), EPIPE);
}

/* Sends until nothing fits, with a long time to linger, and closes. */
__attribute__((noreturn)) static void close_full(int client, int server)
{
	static char piece[65536];
	struct linger linger = {1, 1000};

	close(server);
	CHECK(setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) == 0);
	while (send(client, piece, sizeof(piece), MSG_DONTWAIT) > 0)
		continue;
	close(client);
	_exit(0);
}

TEST(lingering_ends_with_the_process)
{
	struct tcp_pair pair = tcp_connected(AF_INET);
	int closed[2], status;
	pid_t child;

	/* Of two closes the second lingers: the child's. */
	CHECK(pipe(closed) == 0);
	child = fork();
	if (child == 0) {
		close(closed[1]);
		(void)!read(closed[0], &status, 1);
		close_full(pair.client, pair.server);
	}
	close(pair.client);
	close(closed[1]);
	CHECK(wait_for(pair.server, POLLIN));
	usleep(50000);
	CHECK(kill(child, SIGKILL) == 0);
	CHECK_EQ(waitpid(child, &status, 0), child);
}

TEST(closing_with_unread_data_resets)
{
	struct tcp_pair pair = tcp_connected(AF_INET);
	int error;
	socklen_t size = sizeof(error);

	CHECK_EQ(write(pair.client, "x", 1), 1);
	CHECK(wait_for(pair.server, POLLIN));
	close(pair.server);
	CHECK(wait_for(pair.client, POLLERR));
	CHECK(getsockopt(pair.client, SOL_SOCKET, SO_ERROR, &error, &size) == 0);
	CHECK_EQ(error, ECONNRESET);
	CHECK(getsockopt(pair.client, SOL_SOCKET, SO_ERROR, &error, &size) == 0);
	CHECK_EQ(error, 0);
}

TEST(nobody_listens)
{
	struct sockaddr_in name;
	int fd = tcp_listener(AF_INET, &name, 1), client = socket(AF_INET, SOCK_STREAM, 0);

	close(fd);
	CHECK_ERRNO(connect(client, (struct sockaddr *)&name, sizeof(name)), ECONNREFUSED);
}

TEST(nonblocking_connect)
{
	struct sockaddr_in name;
	int listener = tcp_listener(AF_INET, &name, 5), error;
	int client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int result = connect(client, (struct sockaddr *)&name, sizeof(name));
	socklen_t size = sizeof(error);

	CHECK(result == 0 || errno == EINPROGRESS);
	CHECK(wait_for(client, POLLOUT));
	CHECK(getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &size) == 0);
	CHECK_EQ(error, 0);
	result = connect(client, (struct sockaddr *)&name, sizeof(name));
	CHECK(result == 0 || errno == EISCONN);
	CHECK_ERRNO(connect(client, (struct sockaddr *)&name, sizeof(name)), EISCONN);
	close(listener);
}

TEST(nonblocking_connect_refused)
{
	struct sockaddr_in name;
	int listener = tcp_listener(AF_INET, &name, 5), error;
	int client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	socklen_t size = sizeof(error);

	close(listener);
	if (connect(client, (struct sockaddr *)&name, sizeof(name)) && errno == ECONNREFUSED)
		return;
	CHECK_EQ(errno, EINPROGRESS);
	CHECK(wait_for(client, POLLOUT));
	CHECK(getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &size) == 0);
	CHECK_EQ(error, ECONNREFUSED);
}

TEST(accept_waits_times_out_and_passes_flags)
{
	struct sockaddr_in name;
	struct timeval time = {0, 20000};
	int listener = tcp_listener(AF_INET, &name, 5), client = socket(AF_INET, SOCK_STREAM, 0),
	    fd;

	CHECK(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)) == 0);
	CHECK_ERRNO(accept(listener, NULL, NULL), EAGAIN);
	CHECK(connect(client, (struct sockaddr *)&name, sizeof(name)) == 0);
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	CHECK(fd >= 0);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
	CHECK_ERRNO(accept4(listener, NULL, NULL, 4), EINVAL);
	CHECK_ERRNO(accept(client, NULL, NULL), EINVAL);
	CHECK(fcntl(listener, F_SETFL, O_NONBLOCK) == 0);
	CHECK_ERRNO(accept(listener, NULL, NULL), EAGAIN);
}

static void *connects_later(void *name)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	sleep_ms(20);
	CHECK(connect(fd, name, sizeof(struct sockaddr_in)) == 0);
	CHECK_EQ(write(fd, "x", 1), 1);
	return NULL;
}

TEST(a_waiting_accept_is_woken)
{
	struct sockaddr_in name;
	int listener = tcp_listener(AF_INET, &name, 5), fd;
	pthread_t thread;
	char byte;

	CHECK(pthread_create(&thread, NULL, connects_later, &name) == 0);
	fd = accept(listener, NULL, NULL);
	CHECK(fd >= 0);
	CHECK_EQ(read(fd, &byte, 1), 1);
	CHECK(pthread_join(thread, NULL) == 0);
}

TEST(shutdown_wakes_a_blocked_reader)
{
	struct tcp_pair pair = tcp_connected(AF_INET);
	pid_t child = fork();
	char byte;

	if (child == 0) {
		sleep_ms(20);
		shutdown(pair.client, SHUT_RD);
		_exit(0);
	}
	CHECK_EQ(read(pair.client, &byte, 1), 0);
}

TEST(peek_trunc_waitall)
{
	struct tcp_pair pair = tcp_connected(AF_INET);
	char text[16];

	CHECK_EQ(send(pair.client, "123456", 6, 0), 6);
	CHECK(wait_for(pair.server, POLLIN));
	CHECK_EQ(recv(pair.server, text, 3, MSG_PEEK), 3);
	CHECK_EQ(recv(pair.server, text, 3, MSG_PEEK), 3);
	CHECK(!memcmp(text, "123", 3));
	/* A stream throws away what MSG_TRUNC asks for. */
	CHECK_EQ(recv(pair.server, NULL, 2, MSG_TRUNC), 2);
	CHECK_EQ(recv(pair.server, text, 16, 0), 4);
	CHECK(!memcmp(text, "3456", 4));
	CHECK_ERRNO(recv(pair.server, text, 16, MSG_DONTWAIT), EAGAIN);
	if (fork() == 0) {
		for (int i = 0; i < 5; i++) {
			send(pair.client, "ab", 2, 0);
			sleep_ms(2);
		}
		_exit(0);
	}
	CHECK_EQ(recv(pair.server, text, 10, MSG_WAITALL), 10);
	CHECK(!memcmp(text, "ababababab", 10));
}

TEST(urgent_data)
{
	struct tcp_pair pair = tcp_connected(AF_INET);
	struct pollfd entry = {pair.server, POLLPRI, 0};
	char text[8];
	int mark = -1;

	CHECK_EQ(send(pair.client, "ab", 2, 0), 2);
	CHECK_EQ(send(pair.client, "cX", 2, MSG_OOB), 2);
	CHECK_EQ(send(pair.client, "de", 2, 0), 2);
	CHECK_EQ(poll(&entry, 1, 10000), 1);
	CHECK_EQ(entry.revents, POLLPRI);
	CHECK_EQ(recv(pair.server, text, 8, MSG_OOB), 1);
	CHECK_EQ(text[0], 'X');
	CHECK(ioctl(pair.server, SIOCATMARK, &mark) == 0);
	CHECK_EQ(mark, 0);
	CHECK_EQ(recv(pair.server, text, 8, 0), 3);
	CHECK(ioctl(pair.server, SIOCATMARK, &mark) == 0);
	CHECK_EQ(mark, 1);
	CHECK_ERRNO(recv(pair.server, text, 8, MSG_OOB), EINVAL);
	CHECK(wait_for(pair.server, POLLIN));
	CHECK_EQ(recv(pair.server, text, 8, 0), 2);
}

TEST(sizes_in_queues)
{
	struct tcp_pair pair = tcp_connected(AF_INET);
	int size = -1;

	CHECK_EQ(send(pair.client, "12345", 5, 0), 5);
	CHECK(wait_for(pair.server, POLLIN));
	CHECK(ioctl(pair.server, FIONREAD, &size) == 0);
	CHECK_EQ(size, 5);
	CHECK(ioctl(pair.server, TIOCOUTQ, &size) == 0);
	CHECK_EQ(size, 0);
	CHECK_ERRNO(ioctl(pair.listener, FIONREAD, &size), EINVAL);
}

TEST(a_full_window_blocks_polls_and_times_out)
{
	struct tcp_pair pair = tcp_connected(AF_INET);
	struct timeval time = {0, 20000};
	static char block[65536];
	size_t sent = 0, received = 0;
	ssize_t count;

	while ((count = send(pair.client, block, sizeof(block), MSG_DONTWAIT)) > 0)
		sent += (size_t)count;
	CHECK_EQ(errno, EAGAIN);
	CHECK(setsockopt(pair.client, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time)) == 0);
	while ((count = send(pair.client, block, sizeof(block), 0)) > 0)
		sent += (size_t)count;
	CHECK_EQ(errno, EAGAIN);
	shutdown(pair.client, SHUT_WR);
	while ((count = read(pair.server, block, sizeof(block))) > 0)
		received += (size_t)count;
	CHECK_EQ(received, sent);
}

TEST(address_in_use_and_reuse)
{
	struct sockaddr_in name,
		other = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000002)};
	int listener = tcp_listener(AF_INET, &name, 5), fd = socket(AF_INET, SOCK_STREAM, 0),
	    one = 1, two;

	CHECK_ERRNO(bind(fd, (struct sockaddr *)&name, sizeof(name)), EADDRINUSE);
	other.sin_port = name.sin_port;
	CHECK(bind(fd, (struct sockaddr *)&other, sizeof(other)) == 0);
	CHECK_ERRNO(bind(fd, (struct sockaddr *)&other, sizeof(other)), EINVAL);
	close(listener);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	two = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) == 0);
	CHECK(setsockopt(two, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) == 0);
	CHECK(bind(fd, (struct sockaddr *)&name, sizeof(name)) == 0);
	CHECK(bind(two, (struct sockaddr *)&name, sizeof(name)) == 0);
	CHECK(listen(fd, 1) == 0 && listen(two, 1) == 0);
	other.sin_addr.s_addr = htonl(0x08080808);
	CHECK_ERRNO(bind(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&other, sizeof(other)),
		EADDRNOTAVAIL);
}

TEST(errors)
{
	struct sockaddr_in name;
	struct tcp_pair pair = tcp_connected(AF_INET);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char byte;

	CHECK_ERRNO(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
	CHECK_ERRNO(socket(AF_INET, SOCK_SEQPACKET, 0), ESOCKTNOSUPPORT);
	CHECK_ERRNO(socket(AF_INET, SOCK_STREAM, -1), EINVAL);
	CHECK_ERRNO(socket(99, SOCK_STREAM, 0), EAFNOSUPPORT);
	CHECK_ERRNO(socket(AF_INET, 77, 0), EINVAL);
	CHECK_ERRNO(socketpair(AF_INET, SOCK_STREAM, 0, (int[2]){0}), EOPNOTSUPP);
	CHECK_ERRNO(recv(fd, &byte, 1, 0), ENOTCONN);
	CHECK_ERRNO(send(fd, "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK_ERRNO(shutdown(fd, SHUT_WR), ENOTCONN);
	CHECK_ERRNO(accept(fd, NULL, NULL), EINVAL);
	name = (struct sockaddr_in){.sin_family = AF_UNIX};
	CHECK_ERRNO(bind(fd, (struct sockaddr *)&name, sizeof(name)), EAFNOSUPPORT);
	CHECK_ERRNO(bind(fd, (struct sockaddr *)&name, 4), EINVAL);
	CHECK_ERRNO(bind(fd, NULL, 16), EFAULT);
	CHECK_ERRNO(bind(0, (struct sockaddr *)&name, sizeof(name)), ENOTSOCK);
	CHECK_ERRNO(bind(999, (struct sockaddr *)&name, sizeof(name)), EBADF);
	CHECK_ERRNO(lseek(pair.client, 0, SEEK_SET), ESPIPE);
	CHECK_ERRNO(pread(pair.client, &byte, 1, 0), ESPIPE);
	CHECK_ERRNO(recv(pair.client, (void *)8, 1, MSG_DONTWAIT), EAGAIN);
	CHECK_EQ(write(pair.server, "x", 1), 1);
	CHECK(wait_for(pair.client, POLLIN));
	CHECK_ERRNO(recv(pair.client, (void *)8, 1, 0), EFAULT);
	CHECK_EQ(recv(pair.client, &byte, 1, 0), 1);
	CHECK_ERRNO(send(pair.client, (void *)8, 1, 0), EFAULT);
}

TEST(connecting_to_nothing_ends_the_association)
{
	struct tcp_pair pair = tcp_connected(AF_INET);
	struct sockaddr none = {.sa_family = AF_UNSPEC};

	CHECK(connect(pair.client, &none, sizeof(none)) == 0);
	CHECK_ERRNO(send(pair.client, "x", 1, MSG_NOSIGNAL), ECONNRESET);
	CHECK_ERRNO(getpeername(pair.client, &none, &(socklen_t){sizeof(none)}), ENOTCONN);
}

TEST(many_connections)
{
	struct sockaddr_in name;
	int listener = tcp_listener(AF_INET, &name, 128), clients[100], fd;
	char byte;

	for (int i = 0; i < 100; i++) {
		clients[i] = socket(AF_INET, SOCK_STREAM, 0);
		CHECK(connect(clients[i], (struct sockaddr *)&name, sizeof(name)) == 0);
		CHECK_EQ(write(clients[i], "x", 1), 1);
	}
	for (int i = 0; i < 100; i++) {
		fd = accept(listener, NULL, NULL);
		CHECK(fd >= 0);
		CHECK_EQ(read(fd, &byte, 1), 1);
		close(fd);
		CHECK_EQ(read(clients[i], &byte, 1), 0);
		close(clients[i]);
	}
}

TEST(large_transfers_are_whole)
{
	struct tcp_pair pair = tcp_connected(AF_INET);
	static uint32_t block[16384];
	uint32_t expected = 0;
	size_t size, held = 0;

	if (fork() == 0) {
		uint32_t next = 0;

		for (int i = 0; i < 128; i++) {
			for (size_t j = 0; j < 16384; j++)
				block[j] = next++;
			for (size_t done = 0; done < sizeof(block); done += size)
				size = (size_t)write(
					pair.client, (char *)block + done, sizeof(block) - done);
		}
		_exit(0);
	}
	close(pair.client);
	while ((size = (size_t)read(pair.server, (char *)block + held, sizeof(block) - held)) > 0) {
		held += size;
		for (size_t j = 0; j < held / 4; j++)
			CHECK_EQ(block[j], expected++);
		memmove(block, (char *)block + held / 4 * 4, held % 4);
		held %= 4;
	}
	CHECK_EQ(expected, 128 * 16384);
}

TEST(a_second_connect_says_so)
{
	struct sockaddr_storage name;
	socklen_t size = sizeof(name);
	int listener = inet_bound(AF_INET, SOCK_STREAM, &name);
	int fd = socket(AF_INET, SOCK_STREAM, 0), refused = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(getsockname(listener, (struct sockaddr *)&name, &size) == 0);
	/* Nobody listens yet; who was refused may try again. */
	CHECK_ERRNO(connect(refused, (struct sockaddr *)&name, size), ECONNREFUSED);
	CHECK_ERRNO(connect(refused, (struct sockaddr *)&name, size), ECONNREFUSED);
	CHECK(listen(listener, 4) == 0);
	CHECK(connect(refused, (struct sockaddr *)&name, size) == 0);
	CHECK(connect(fd, (struct sockaddr *)&name, size) == 0);
	CHECK_ERRNO(connect(fd, (struct sockaddr *)&name, size), EISCONN);
	CHECK_ERRNO(connect(fd, (struct sockaddr *)&name, size), EISCONN);
}

TEST(owners_by_ioctl)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), number = -getpgrp();

	CHECK(ioctl(fd, SIOCSPGRP, &number) == 0);
	CHECK_EQ(fcntl(fd, F_GETOWN), -getpgrp());
	CHECK(fcntl(fd, F_SETOWN, getpid()) == 0);
	CHECK(ioctl(fd, SIOCGPGRP, &number) == 0);
	CHECK_EQ(number, getpid());
	CHECK_ERRNO(ioctl(fd, FIOSETOWN, 1), EFAULT);
}

GUEST_TEST_MAIN()
