/* SPDX-License-Identifier: Apache-2.0 */
/* epoll: level, edge, one-shot, nesting, duplicates, closing, errors. */
#include "tests/guest/temporary.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>

static int add(int epoll, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.fd = fd};

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static int ready(int epoll)
{
	struct epoll_event event;
	int count = epoll_wait(epoll, &event, 1, 0);

	CHECK(count >= 0);
	return count ? event.data.fd : -1;
}

static void put(int fd)
{
	CHECK_EQ(write(fd, "x", 1), 1);
}

TEST(level_triggered_stays_ready)
{
	int fds[2], epoll = epoll_create1(EPOLL_CLOEXEC);

	CHECK(pipe(fds) == 0 && add(epoll, fds[0], EPOLLIN) == 0);
	CHECK_EQ(ready(epoll), -1);
	put(fds[1]);
	CHECK_EQ(ready(epoll), fds[0]);
	CHECK_EQ(ready(epoll), fds[0]);
	CHECK_EQ(read(fds[0], &(char){0}, 1), 1);
	CHECK_EQ(ready(epoll), -1);
}

TEST(edge_triggered_fires_once_for_each_arrival)
{
	int fds[2], epoll = epoll_create1(0);

	CHECK(pipe(fds) == 0 && add(epoll, fds[0], EPOLLIN | EPOLLET) == 0);
	put(fds[1]);
	CHECK_EQ(ready(epoll), fds[0]);
	CHECK_EQ(ready(epoll), -1);
	put(fds[1]);
	CHECK_EQ(ready(epoll), fds[0]);
	CHECK_EQ(ready(epoll), -1);
}

TEST(one_shot_is_disabled_until_modified)
{
	int fds[2], epoll = epoll_create1(0);
	struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT};

	CHECK(pipe(fds) == 0 && add(epoll, fds[0], EPOLLIN | EPOLLONESHOT) == 0);
	put(fds[1]);
	CHECK_EQ(ready(epoll), fds[0]);
	put(fds[1]);
	CHECK_EQ(ready(epoll), -1);
	event.data.fd = fds[0];
	CHECK(epoll_ctl(epoll, EPOLL_CTL_MOD, fds[0], &event) == 0);
	CHECK_EQ(ready(epoll), fds[0]);
}

TEST(hangup_and_error_are_always_reported)
{
	int fds[2], epoll = epoll_create1(0);
	struct epoll_event event;

	CHECK(pipe(fds) == 0 && add(epoll, fds[0], 0) == 0);
	close(fds[1]);
	CHECK_EQ(epoll_wait(epoll, &event, 1, 0), 1);
	CHECK_EQ(event.events, EPOLLHUP);
	CHECK(pipe(fds) == 0 && add(epoll, fds[1], EPOLLOUT) == 0);
	close(fds[0]);
	epoll = epoll_create1(0);
	CHECK(add(epoll, fds[1], 0) == 0);
	CHECK_EQ(epoll_wait(epoll, &event, 1, 0), 1);
	CHECK_EQ(event.events, EPOLLERR);
}

TEST(data_comes_back_unchanged)
{
	int fds[2], epoll = epoll_create1(0);
	struct epoll_event event = {.events = EPOLLOUT, .data.u64 = 0x123456789abcdef0};

	CHECK(pipe(fds) == 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fds[1], &event) == 0);
	memset(&event, 0, sizeof(event));
	CHECK_EQ(epoll_wait(epoll, &event, 1, 0), 1);
	CHECK(event.data.u64 == 0x123456789abcdef0);
	CHECK_EQ(event.events, EPOLLOUT);
}

TEST(errors)
{
	int fds[2], epoll = epoll_create1(0);
	struct epoll_event event = {.events = EPOLLIN};

	CHECK(pipe(fds) == 0);
	CHECK_ERRNO(epoll_create(0), EINVAL);
	CHECK_ERRNO(epoll_create1(1), EINVAL);
	CHECK_ERRNO(epoll_ctl(epoll, EPOLL_CTL_MOD, fds[0], &event), ENOENT);
	CHECK_ERRNO(epoll_ctl(epoll, EPOLL_CTL_DEL, fds[0], NULL), ENOENT);
	CHECK(add(epoll, fds[0], EPOLLIN) == 0);
	CHECK_ERRNO(add(epoll, fds[0], EPOLLIN), EEXIST);
	CHECK_ERRNO(add(epoll, epoll, EPOLLIN), EINVAL);
	CHECK_ERRNO(add(epoll, 9999, EPOLLIN), EBADF);
	CHECK_ERRNO(add(9999, fds[0], EPOLLIN), EBADF);
	CHECK_ERRNO(add(fds[0], fds[1], EPOLLIN), EINVAL);
	CHECK_ERRNO(epoll_ctl(epoll, 99, fds[1], &event), EINVAL);
	CHECK_ERRNO(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[1], (void *)8), EFAULT);
	CHECK_ERRNO(epoll_wait(epoll, &event, 0, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_epoll_wait, epoll, &event, -1, 0), EINVAL);
	CHECK_ERRNO(epoll_wait(fds[0], &event, 1, 0), EINVAL);
	CHECK_ERRNO(epoll_wait(9999, &event, 1, 0), EBADF);
	temporary_enter();
	temporary_text("file", "x");
	CHECK_ERRNO(add(epoll, open("file", O_RDONLY), EPOLLIN), EPERM);
	CHECK_ERRNO(add(epoll, open(".", O_RDONLY), EPOLLIN), EPERM);
}

TEST(a_loop_of_epolls_is_eloop)
{
	int first = epoll_create1(0), second = epoll_create1(0);

	CHECK(add(first, second, EPOLLIN) == 0);
	CHECK_ERRNO(add(second, first, EPOLLIN), ELOOP);
}

TEST(epolls_nest)
{
	int fds[2], inner = epoll_create1(0), outer = epoll_create1(0);

	CHECK(pipe(fds) == 0);
	CHECK(add(inner, fds[0], EPOLLIN) == 0 && add(outer, inner, EPOLLIN) == 0);
	CHECK_EQ(ready(outer), -1);
	put(fds[1]);
	CHECK_EQ(ready(outer), inner);
	CHECK_EQ(read(fds[0], &(char){0}, 1), 1);
	CHECK_EQ(ready(outer), -1);
}

TEST(closing_removes_the_entry)
{
	int fds[2], epoll = epoll_create1(0);

	CHECK(pipe(fds) == 0 && add(epoll, fds[0], EPOLLIN) == 0);
	put(fds[1]);
	close(fds[0]);
	CHECK_EQ(ready(epoll), -1);
}

TEST(a_duplicate_keeps_the_entry_alive)
{
	int fds[2], copy, epoll = epoll_create1(0);

	CHECK(pipe(fds) == 0 && add(epoll, fds[0], EPOLLIN) == 0);
	copy = dup(fds[0]);
	CHECK(add(epoll, copy, EPOLLIN) == 0); /* another entry */
	put(fds[1]);
	close(fds[0]);
	struct epoll_event events[4];
	CHECK_EQ(epoll_wait(epoll, events, 4, 0), 2);
	CHECK_ERRNO(epoll_ctl(epoll, EPOLL_CTL_DEL, fds[0], NULL), EBADF);
}

TEST(many_are_reported_in_turn)
{
	int fds[10][2], epoll = epoll_create1(0);
	struct epoll_event events[4];
	unsigned seen = 0;

	for (int i = 0; i < 10; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};

		CHECK(pipe(fds[i]) == 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i][0], &event) == 0);
		put(fds[i][1]);
	}
	for (int round = 0; round < 3; round++) {
		int count = epoll_wait(epoll, events, 4, 0);

		CHECK_EQ(count, 4);
		for (int i = 0; i < count; i++)
			seen |= 1u << events[i].data.u32;
	}
	CHECK_EQ(seen, 1023); /* nobody starves */
}

static void *writes_later(void *argument)
{
	sleep_ms(20);
	put(*(int *)argument);
	return NULL;
}

TEST(a_wait_is_woken_and_times_out)
{
	int fds[2], epoll = epoll_create1(0);
	struct epoll_event event;
	pthread_t thread;
	int64_t start = now_ns();

	CHECK(pipe(fds) == 0 && add(epoll, fds[0], EPOLLIN) == 0);
	CHECK_EQ(epoll_wait(epoll, &event, 1, 30), 0);
	CHECK(now_ns() - start >= 30000000);
	CHECK(pthread_create(&thread, NULL, writes_later, &fds[1]) == 0);
	CHECK_EQ(epoll_wait(epoll, &event, 1, -1), 1);
	CHECK(pthread_join(thread, NULL) == 0);
}

TEST(an_entry_added_while_somebody_waits_wakes_it)
{
	int fds[2], epoll = epoll_create1(0), status;
	struct epoll_event event;
	pid_t child;

	CHECK(pipe(fds) == 0);
	put(fds[1]);
	child = fork();
	if (child == 0)
		_exit(epoll_wait(epoll, &event, 1, 30000) == 1 ? 0 : 1);
	sleep_ms(20);
	CHECK(add(epoll, fds[0], EPOLLIN) == 0);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
}

static void handler(int signal)
{
	(void)signal;
}

TEST(pwait_swaps_the_mask)
{
	int epoll = epoll_create1(0);
	struct epoll_event event;
	struct timespec timeout = {30, 0};
	sigset_t empty, set;

	signal(SIGUSR1, handler);
	sigemptyset(&empty);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	CHECK_ERRNO(epoll_pwait(epoll, &event, 1, 30000, &empty), EINTR);
	raise(SIGUSR1);
	CHECK_ERRNO(epoll_pwait2(epoll, &event, 1, &timeout, &empty), EINTR);
	raise(SIGUSR1);
	CHECK_EQ(epoll_pwait(epoll, &event, 1, 0, &set), 0);
}

TEST(socket_peer_shutdown_is_rdhup)
{
	int fds[2], epoll = epoll_create1(0);
	struct epoll_event event;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	CHECK(add(epoll, fds[0], EPOLLIN | EPOLLRDHUP) == 0);
	CHECK(shutdown(fds[1], SHUT_WR) == 0);
	CHECK_EQ(epoll_wait(epoll, &event, 1, 0), 1);
	CHECK_EQ(event.events, EPOLLIN | EPOLLRDHUP);
	close(fds[1]);
	CHECK_EQ(epoll_wait(epoll, &event, 1, 0), 1);
	CHECK_EQ(event.events, EPOLLIN | EPOLLRDHUP | EPOLLHUP);
}

GUEST_TEST_MAIN()
