/* SPDX-License-Identifier: Apache-2.0 */
/* epoll with several waiters, exclusive entries, nesting to its limits, precise timeouts, and files
 * that have no events. */
#include "tests/guest/temporary.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>

static int add(int epoll, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.fd = fd};

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static int ready(int epoll)
{
	struct epoll_event events[16];

	return epoll_wait(epoll, events, 16, 0);
}

TEST(timeouts_to_the_nanosecond)
{
	struct timespec time = {0, 15000000}, bad = {0, 1000000000};
	struct epoll_event event;
	int64_t start = now_ns();
	int epoll = epoll_create1(0);

	if (syscall(441, epoll, &event, 1, &time, NULL, 0L) && errno == ENOSYS)
		SKIP("no epoll_pwait2");
	CHECK(now_ns() - start >= 15000000);
	CHECK_ERRNO(syscall(441, epoll, &event, 1, &bad, NULL, 0L), EINVAL);
	CHECK_ERRNO(syscall(441, epoll, &event, 1, (void *)8, NULL, 0L), EFAULT);
	CHECK_ERRNO(syscall(441, epoll, &event, 0, &time, NULL, 0L), EINVAL);
	time = (struct timespec){0, 0};
	CHECK_EQ(syscall(441, epoll, &event, 1, &time, NULL, 0L), 0);
}

TEST(exclusive_entries)
{
	int epoll = epoll_create1(0), event = eventfd(0, 0), other = epoll_create1(0);
	struct epoll_event change = {.events = EPOLLIN};

	CHECK(add(epoll, event, EPOLLIN | EPOLLEXCLUSIVE) == 0);
	CHECK_ERRNO(epoll_ctl(epoll, EPOLL_CTL_MOD, event, &change), EINVAL);
	CHECK_ERRNO(add(epoll, other, EPOLLIN | EPOLLEXCLUSIVE), EINVAL);
	CHECK_ERRNO(add(epoll, eventfd(0, 0), EPOLLIN | EPOLLONESHOT | EPOLLEXCLUSIVE), EINVAL);
	CHECK(add(epoll, eventfd(0, 0), EPOLLIN | EPOLLET | EPOLLEXCLUSIVE | EPOLLWAKEUP) == 0);
	CHECK_EQ(write(event, &(uint64_t){1}, 8), 8);
	CHECK_EQ(ready(epoll), 1);
}

static int shared, woken_pipe[2];

static void *waits_on_its_own(void *argument)
{
	int epoll = epoll_create1(0);
	struct epoll_event event;

	(void)argument;
	CHECK(add(epoll, shared, EPOLLIN | EPOLLEXCLUSIVE | EPOLLET) == 0);
	CHECK_EQ(write(woken_pipe[1], "r", 1), 1);
	CHECK_EQ(epoll_wait(epoll, &event, 1, 10000), 1);
	CHECK_EQ(write(woken_pipe[1], "w", 1), 1);
	return NULL;
}

TEST(exclusive_wakes_at_least_one)
{
	pthread_t threads[4];
	char text[8];

	shared = eventfd(0, EFD_SEMAPHORE);
	CHECK(pipe(woken_pipe) == 0);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&threads[i], NULL, waits_on_its_own, NULL) == 0);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(read(woken_pipe[0], text, 1), 1);
	sleep_ms(20);
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(write(shared, &(uint64_t){1}, 8), 8);
		CHECK_EQ(read(woken_pipe[0], text, 1), 1);
		sleep_ms(2);
	}
	for (int i = 0; i < 4; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
}

static void *takes_one(void *argument)
{
	struct epoll_event event;
	uint64_t value;
	long taken = 0;

	while (epoll_wait(shared, &event, 1, 300) == 1) {
		if (read(event.data.fd, &value, 8) == 8)
			taken++;
		event.events = EPOLLIN | EPOLLONESHOT;
		CHECK(epoll_ctl(shared, EPOLL_CTL_MOD, event.data.fd, &event) == 0);
	}
	(void)argument;
	return (void *)taken;
}

TEST(many_threads_share_one)
{
	pthread_t threads[4];
	int events[8];
	long all = 0;

	shared = epoll_create1(0);
	for (int i = 0; i < 8; i++) {
		events[i] = eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK);
		CHECK(add(shared, events[i], EPOLLIN | EPOLLONESHOT) == 0);
	}
	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&threads[i], NULL, takes_one, NULL) == 0);
	for (int i = 0; i < 400; i++)
		CHECK_EQ(write(events[i % 8], &(uint64_t){1}, 8), 8);
	for (int i = 0; i < 4; i++) {
		void *taken;

		CHECK(pthread_join(threads[i], &taken) == 0);
		all += (long)taken;
	}
	CHECK_EQ(all, 400);
}

TEST(nesting_has_a_limit)
{
	int chain[8], error = 0;

	chain[0] = epoll_create1(0);
	for (int i = 1; i < 8 && !error; i++) {
		chain[i] = epoll_create1(0);
		error = add(chain[i], chain[i - 1], EPOLLIN) ? errno : 0;
		if (error)
			CHECK_EQ(i, 5);
	}
	CHECK(error == ELOOP || error == EINVAL);
	CHECK_ERRNO(add(chain[0], chain[0], EPOLLIN), EINVAL);
	CHECK_ERRNO(add(chain[0], chain[3], EPOLLIN), ELOOP);
}

/* An event that could take any number of ways up would keep who causes it busy. */
TEST(ways_of_an_event_have_a_limit)
{
	enum { WIDTH = 30 };
	int event = eventfd(0, EFD_NONBLOCK), middle[WIDTH], top = -1, ways = 0, result = 0;

	for (int i = 0; i < WIDTH; i++) {
		middle[i] = epoll_create1(0);
		CHECK(add(middle[i], event, EPOLLIN) == 0);
	}
	while (!result && ways < 2000) {
		if (ways % WIDTH == 0)
			top = epoll_create1(0);
		result = add(top, middle[ways % WIDTH], EPOLLIN);
		ways += !result;
	}
	CHECK_EQ(ways, 500);
	CHECK_ERRNO(add(top, middle[ways % WIDTH], EPOLLIN), EINVAL);
	CHECK_ERRNO(epoll_ctl(top, EPOLL_CTL_DEL, middle[ways % WIDTH], NULL), ENOENT);
	CHECK_EQ(write(event, &(uint64_t){1}, 8), 8);
	CHECK_EQ(ready(top), ways % WIDTH ? ways % WIDTH < 16 ? ways % WIDTH : 16 : 0);
}

TEST(readiness_passes_through_nesting)
{
	int inner = epoll_create1(0), middle = epoll_create1(0), outer = epoll_create1(0),
	    event = eventfd(0, 0);
	struct pollfd entry = {outer, POLLIN, 0};

	CHECK(add(inner, event, EPOLLIN) == 0);
	CHECK(add(middle, inner, EPOLLIN) == 0);
	CHECK(add(outer, middle, EPOLLIN) == 0);
	CHECK_EQ(poll(&entry, 1, 0), 0);
	if (fork() == 0) {
		sleep_ms(20);
		CHECK_EQ(write(event, &(uint64_t){1}, 8), 8);
		_exit(0);
	}
	CHECK_EQ(poll(&entry, 1, 10000), 1);
	CHECK_EQ(ready(outer), 1);
	CHECK_EQ(read(event, &(uint64_t){0}, 8), 8);
	CHECK_EQ(ready(outer), 0);
}

TEST(files_without_events)
{
	int epoll = epoll_create1(0);

	temporary_enter();
	temporary_text("file", "x");
	CHECK_ERRNO(add(epoll, open("file", O_RDONLY), EPOLLIN), EPERM);
	CHECK_ERRNO(add(epoll, open(".", O_RDONLY), EPOLLIN), EPERM);
	CHECK_ERRNO(add(epoll, open("/dev/null", O_RDONLY), EPOLLIN), EPERM);
	CHECK_ERRNO(epoll_wait(open("file", O_RDONLY), &(struct epoll_event){0}, 1, 0), EINVAL);
	CHECK_ERRNO(epoll_wait(999, &(struct epoll_event){0}, 1, 0), EBADF);
	CHECK_ERRNO(epoll_wait(epoll, &(struct epoll_event){0}, 0, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_epoll_wait, epoll, &(struct epoll_event){0}, -1, 0), EINVAL);
}

TEST(edge_triggered_after_a_partial_read)
{
	int epoll = epoll_create1(0), fds[2];
	char text[8];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	CHECK(add(epoll, fds[0], EPOLLIN | EPOLLET) == 0);
	CHECK_EQ(write(fds[1], "abcd", 4), 4);
	CHECK_EQ(ready(epoll), 1);
	CHECK_EQ(read(fds[0], text, 2), 2);
	CHECK_EQ(ready(epoll), 0);
	CHECK_EQ(write(fds[1], "e", 1), 1);
	CHECK_EQ(ready(epoll), 1);
	/* Changing an entry looks again. */
	CHECK(epoll_ctl(epoll, EPOLL_CTL_MOD, fds[0],
		      &(struct epoll_event){.events = EPOLLIN | EPOLLET, .data.fd = fds[0]}) == 0);
	CHECK_EQ(ready(epoll), 1);
}

/* One end of a new connection that was never waited for before, ready to be written. */
static int connect_new(int listener, const struct sockaddr_in *address, int *server)
{
	int client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	CHECK_ERRNO(
		connect(client, (const struct sockaddr *)address, sizeof(*address)), EINPROGRESS);
	*server = accept(listener, NULL, NULL);
	CHECK(*server >= 0);
	return client;
}

TEST(a_new_connection_is_told_once)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0), server, epoll = epoll_create1(0);
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);

	CHECK(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0);
	CHECK(listen(listener, 1) == 0);
	CHECK(getsockname(listener, (struct sockaddr *)&address, &size) == 0);
	for (int i = 0; i < 100; i++) {
		int client = connect_new(listener, &address, &server);
		struct epoll_event events[4];

		CHECK(add(epoll, client, EPOLLIN | EPOLLOUT | EPOLLET) == 0);
		CHECK(add(epoll, server, EPOLLIN | EPOLLOUT | EPOLLET) == 0);
		CHECK_EQ(ready(epoll), 2);
		CHECK_EQ(epoll_wait(epoll, events, 4, i % 4), 0);
		CHECK_EQ(send(client, "x", 1, 0), 1);
		CHECK_EQ(epoll_wait(epoll, events, 4, 10000), 1);
		CHECK(events[0].data.fd == server && (events[0].events & EPOLLIN));
		CHECK_EQ(ready(epoll), 0);
		close(client);
		close(server);
	}
}

TEST(a_fork_shares_it)
{
	int epoll = epoll_create1(0), event = eventfd(0, 0), status;

	if (fork() == 0) {
		CHECK(add(epoll, event, EPOLLIN) == 0);
		CHECK_EQ(write(event, &(uint64_t){1}, 8), 8);
		_exit(0);
	}
	CHECK(wait(&status) > 0);
	CHECK_EQ(status, 0);
	CHECK_EQ(ready(epoll), 1);
}

GUEST_TEST_MAIN()
