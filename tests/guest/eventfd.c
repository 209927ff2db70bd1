/* SPDX-License-Identifier: Apache-2.0 */
/* eventfd: counting, semaphore mode, blocking at both ends, poll. */
#include "tests/guest/guest_test.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

static uint64_t take(int fd)
{
	uint64_t value = 0;

	CHECK_EQ(read(fd, &value, 8), 8);
	return value;
}

static void add(int fd, uint64_t value)
{
	CHECK_EQ(write(fd, &value, 8), 8);
}

TEST(writes_add_and_a_read_takes_all)
{
	int fd = eventfd(3, 0);

	add(fd, 4);
	add(fd, 5);
	CHECK_EQ(take(fd), 12);
}

TEST(semaphore_takes_one)
{
	int fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);

	CHECK_EQ(take(fd), 1);
	CHECK_EQ(take(fd), 1);
	CHECK_ERRNO(read(fd, &(uint64_t){0}, 8), EAGAIN);
}

TEST(errors)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	uint64_t value = UINT64_MAX;

	CHECK_ERRNO(read(fd, &value, 8), EAGAIN);
	CHECK_ERRNO(read(fd, &value, 7), EINVAL);
	CHECK_ERRNO(write(fd, &value, 4), EINVAL);
	value = UINT64_MAX;
	CHECK_ERRNO(write(fd, &value, 8), EINVAL);
	add(fd, UINT64_MAX - 1);
	CHECK_ERRNO(write(fd, &(uint64_t){1}, 8), EAGAIN);
	CHECK_ERRNO(eventfd(0, 0x100), EINVAL);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(take(fd), UINT64_MAX - 1);
	add(fd, 0);
	CHECK_ERRNO(read(fd, &value, 8), EAGAIN);
}

TEST(poll_says_what_can_be_done)
{
	int fd = eventfd(0, 0);
	struct pollfd entry = {fd, POLLIN | POLLOUT, 0};

	CHECK_EQ(poll(&entry, 1, 0), 1);
	CHECK_EQ(entry.revents, POLLOUT);
	add(fd, UINT64_MAX - 1);
	CHECK_EQ(poll(&entry, 1, 0), 1);
	CHECK_EQ(entry.revents, POLLIN);
	take(fd);
	add(fd, 1);
	CHECK_EQ(poll(&entry, 1, 0), 1);
	CHECK_EQ(entry.revents, POLLIN | POLLOUT);
}

TEST(reader_blocks_until_a_write)
{
	int fd = eventfd(0, 0), status;
	pid_t child = fork();

	if (child == 0) {
		sleep_ms(20);
		add(fd, 9);
		_exit(0);
	}
	CHECK_EQ(take(fd), 9);
	CHECK(waitpid(child, &status, 0) == child);
}

TEST(writer_blocks_while_full)
{
	int fd = eventfd(0, 0), status;
	pid_t child;

	add(fd, UINT64_MAX - 1);
	child = fork();
	if (child == 0) {
		sleep_ms(20);
		take(fd);
		_exit(0);
	}
	add(fd, 5);
	CHECK_EQ(take(fd), 5);
	CHECK(waitpid(child, &status, 0) == child);
}

TEST(edge_triggered_epoll_fires_for_each_write)
{
	int fd = eventfd(0, 0), epoll = epoll_create1(0);
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};

	CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(epoll_wait(epoll, &event, 1, 0), 0);
		add(fd, 1);
		CHECK_EQ(epoll_wait(epoll, &event, 1, 0), 1);
	}
}

GUEST_TEST_MAIN()
