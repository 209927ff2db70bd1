/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No wake-up is lost: a byte goes to and fro between two threads over each kind of stream, waited
 * for in each way, many times, by several pairs at once.
 */
#include "tests/guest/inet.h"
#include "tests/guest/pty.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/select.h>

#define ROUNDS 150
#define PAIRS  4

enum way { BLOCKS, POLLS, SELECTS, LEVEL, EDGE, WAYS };

struct end {
	int in, out;
	enum way way;
};

static void wait_readable(const struct end *end, int epoll)
{
	struct pollfd entry = {end->in, POLLIN, 0};
	struct epoll_event event;
	fd_set set;

	switch (end->way) {
	case POLLS:
		CHECK_EQ(poll(&entry, 1, -1), 1);
		break;
	case SELECTS:
		FD_ZERO(&set);
		FD_SET(end->in, &set);
		CHECK_EQ(select(end->in + 1, &set, NULL, NULL, NULL), 1);
		break;
	case LEVEL:
	case EDGE:
		CHECK_EQ(epoll_wait(epoll, &event, 1, -1), 1);
		break;
	default:
		break;
	}
}

static void receive(const struct end *end, int epoll)
{
	char byte;
	ssize_t got;

	/* An edge may have come before the byte that an earlier one brought was read. */
	do {
		wait_readable(end, epoll);
		got = recv(end->in, &byte, 1, end->way == BLOCKS ? 0 : MSG_DONTWAIT);
		if (got < 0 && errno == ENOTSOCK)
			got = read(end->in, &byte, 1);
	} while (got < 0 && errno == EAGAIN);
	CHECK_EQ(got, 1);
}

static void *answers(void *argument)
{
	struct end *end = argument;
	int epoll = epoll_create1(0);
	struct epoll_event event = {.events = EPOLLIN | (end->way == EDGE ? EPOLLET : 0)};

	CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, end->in, &event) == 0);
	for (int i = 0; i < ROUNDS; i++) {
		receive(end, epoll);
		CHECK_EQ(write(end->out, "y", 1), 1);
	}
	close(epoll);
	return NULL;
}

static void *asks(void *argument)
{
	struct end *end = argument;
	int epoll = epoll_create1(0);
	struct epoll_event event = {.events = EPOLLIN | (end->way == EDGE ? EPOLLET : 0)};

	CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, end->in, &event) == 0);
	for (int i = 0; i < ROUNDS; i++) {
		CHECK_EQ(write(end->out, "x", 1), 1);
		receive(end, epoll);
	}
	close(epoll);
	return NULL;
}

/* Two ends of a connection of some kind. */
typedef void (*connector)(struct end *a, struct end *b);

static void run(connector connect_ends)
{
	struct end ends[PAIRS][2];
	pthread_t threads[PAIRS][2];

	for (int way = 0; way < WAYS; way++) {
		for (int i = 0; i < PAIRS; i++) {
			connect_ends(&ends[i][0], &ends[i][1]);
			ends[i][0].way = ends[i][1].way = (enum way)way;
			CHECK(pthread_create(&threads[i][0], NULL, answers, &ends[i][0]) == 0);
			CHECK(pthread_create(&threads[i][1], NULL, asks, &ends[i][1]) == 0);
		}
		for (int i = 0; i < PAIRS; i++) {
			CHECK(pthread_join(threads[i][0], NULL) == 0);
			CHECK(pthread_join(threads[i][1], NULL) == 0);
		}
	}
}

static void by_pipes(struct end *a, struct end *b)
{
	int there[2], back[2];

	CHECK(pipe(there) == 0 && pipe(back) == 0);
	*a = (struct end){.in = there[0], .out = back[1]};
	*b = (struct end){.in = back[0], .out = there[1]};
}

static void by_sockets(struct end *a, struct end *b, int type)
{
	int fds[2];

	CHECK(socketpair(AF_UNIX, type, 0, fds) == 0);
	*a = (struct end){.in = fds[0], .out = fds[0]};
	*b = (struct end){.in = fds[1], .out = fds[1]};
}

static void by_streams(struct end *a, struct end *b)
{
	by_sockets(a, b, SOCK_STREAM);
}

static void by_datagrams(struct end *a, struct end *b)
{
	by_sockets(a, b, SOCK_DGRAM);
}

static void by_tcp(struct end *a, struct end *b)
{
	struct tcp_pair pair = tcp_connected(AF_INET);

	*a = (struct end){.in = pair.client, .out = pair.client};
	*b = (struct end){.in = pair.server, .out = pair.server};
}

static void by_terminals(struct end *a, struct end *b)
{
	pty_open();
	pty_raw(1, 0);
	*a = (struct end){.in = pty_master, .out = pty_master};
	*b = (struct end){.in = pty_slave, .out = pty_slave};
}

TEST(pipes)
{
	run(by_pipes);
}

TEST(unix_streams)
{
	run(by_streams);
}

TEST(unix_datagrams)
{
	run(by_datagrams);
}

TEST(tcp)
{
	run(by_tcp);
}

TEST(terminals)
{
	run(by_terminals);
}

/* Writers of a full pipe or socket, all of which must go on as it is read. */
static int full_in, full_out;

static void *fills(void *argument)
{
	static char block[5000];

	(void)argument;
	for (int i = 0; i < 40; i++)
		for (size_t done = 0; done < sizeof(block);) {
			ssize_t wrote = write(full_out, block + done, sizeof(block) - done);

			CHECK(wrote > 0);
			done += (size_t)wrote;
		}
	return NULL;
}

static void drain(void)
{
	pthread_t threads[6];
	static char block[3000];
	size_t all = 0;

	for (int i = 0; i < 6; i++)
		CHECK(pthread_create(&threads[i], NULL, fills, NULL) == 0);
	while (all < 6 * 40 * 5000) {
		ssize_t got = read(full_in, block, sizeof(block));

		CHECK(got > 0);
		all += (size_t)got;
	}
	for (int i = 0; i < 6; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
}

TEST(writers_of_a_full_pipe)
{
	int fds[2];

	CHECK(pipe(fds) == 0);
	CHECK(fcntl(fds[1], F_SETPIPE_SZ, 4096) == 4096);
	full_in = fds[0];
	full_out = fds[1];
	drain();
}

TEST(writers_of_a_full_socket)
{
	int fds[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	CHECK(setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &(int){5000}, sizeof(int)) == 0);
	full_in = fds[0];
	full_out = fds[1];
	drain();
}

TEST(writers_of_a_full_terminal)
{
	pty_open();
	pty_raw(1, 0);
	full_in = pty_master;
	full_out = pty_slave;
	drain();
}

TEST(writers_of_a_full_connection)
{
	struct tcp_pair pair = tcp_connected(AF_INET);

	full_in = pair.server;
	full_out = pair.client;
	drain();
}

GUEST_TEST_MAIN()
