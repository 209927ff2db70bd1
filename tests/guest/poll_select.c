/* SPDX-License-Identifier: Apache-2.0 */
/* poll, ppoll, select, pselect: readiness, timeouts, masks, odd descriptors, limits. */
#include "tests/guest/temporary.h"

#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/syscall.h>

static int fds[2];

static void pipe_make(void)
{
	CHECK(pipe(fds) == 0);
}

TEST(poll_reports_each_side)
{
	struct pollfd entries[2];

	pipe_make();
	entries[0] = (struct pollfd){fds[0], POLLIN, 0x7f};
	entries[1] = (struct pollfd){fds[1], POLLOUT, 0x7f};
	CHECK_EQ(poll(entries, 2, 0), 1);
	CHECK_EQ(entries[0].revents, 0);
	CHECK_EQ(entries[1].revents, POLLOUT);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EQ(poll(entries, 2, 0), 2);
	CHECK_EQ(entries[0].revents, POLLIN);
}

TEST(poll_of_closed_and_negative_descriptors)
{
	struct pollfd entries[3] = {{9999, POLLIN, 0}, {-1, POLLIN, 99}, {-5, POLLOUT, 99}};

	CHECK_EQ(poll(entries, 3, 0), 1);
	CHECK_EQ(entries[0].revents, POLLNVAL);
	CHECK_EQ(entries[1].revents, 0);
	CHECK_EQ(entries[2].revents, 0);
}

TEST(poll_hangup_and_error)
{
	struct pollfd entry;
	int other[2];

	pipe_make();
	close(fds[1]);
	entry = (struct pollfd){fds[0], POLLIN, 0};
	CHECK_EQ(poll(&entry, 1, 0), 1);
	CHECK_EQ(entry.revents, POLLHUP);
	CHECK(pipe(other) == 0);
	close(other[0]);
	entry = (struct pollfd){other[1], POLLOUT, 0};
	CHECK_EQ(poll(&entry, 1, 0), 1);
	CHECK_EQ(entry.revents, POLLOUT | POLLERR);
}

TEST(a_full_pipe_is_not_writable)
{
	struct pollfd entry;
	char page[4096] = {0};

	pipe_make();
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	while (write(fds[1], page, sizeof(page)) > 0)
		;
	entry = (struct pollfd){fds[1], POLLOUT, 0};
	CHECK_EQ(poll(&entry, 1, 0), 0);
	CHECK_EQ(read(fds[0], page, sizeof(page)), (ssize_t)sizeof(page));
	CHECK_EQ(poll(&entry, 1, 0), 1);
}

TEST(regular_files_are_always_ready)
{
	struct pollfd entry;

	temporary_enter();
	temporary_text("file", "");
	entry = (struct pollfd){open("file", O_RDWR), POLLIN | POLLOUT, 0};
	CHECK_EQ(poll(&entry, 1, 0), 1);
	CHECK_EQ(entry.revents, POLLIN | POLLOUT);
	entry = (struct pollfd){open("/dev/null", O_RDWR), POLLIN | POLLOUT, 0};
	CHECK_EQ(poll(&entry, 1, 0), 1);
	CHECK_EQ(entry.revents, POLLIN | POLLOUT);
}

TEST(timeouts_last)
{
	int64_t start = now_ns();
	struct timespec time = {0, 20000000};
	struct timeval value = {0, 20000};

	CHECK_EQ(poll(NULL, 0, 20), 0);
	CHECK(now_ns() - start >= 20000000);
	start = now_ns();
	CHECK_EQ(ppoll(NULL, 0, &time, NULL), 0);
	CHECK(now_ns() - start >= 20000000);
	start = now_ns();
	CHECK_EQ(select(0, NULL, NULL, NULL, &value), 0);
	CHECK(now_ns() - start >= 20000000);
	CHECK_EQ(value.tv_sec + value.tv_usec, 0); /* Linux writes what is left */
	start = now_ns();
	CHECK_EQ(pselect(0, NULL, NULL, NULL, &time, NULL), 0);
	CHECK(now_ns() - start >= 20000000);
}

TEST(select_writes_the_time_left)
{
	struct timeval value = {30, 0};
	fd_set set;

	pipe_make();
	FD_ZERO(&set);
	FD_SET(fds[1], &set);
	CHECK_EQ(select(fds[1] + 1, NULL, &set, NULL, &value), 1);
	CHECK(value.tv_sec >= 29 && value.tv_sec <= 30);
}

TEST(select_counts_bits_of_all_sets)
{
	fd_set in, out;

	pipe_make();
	CHECK_EQ(write(fds[1], "x", 1), 1);
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(fds[0], &in);
	FD_SET(fds[1], &out);
	CHECK_EQ(select(fds[1] + 1, &in, &out, NULL, NULL), 2);
	CHECK(FD_ISSET(fds[0], &in) && FD_ISSET(fds[1], &out));
	CHECK_EQ(read(fds[0], &(char){0}, 1), 1);
	CHECK_EQ(select(fds[1] + 1, &in, &out, NULL, NULL), 1);
	CHECK(!FD_ISSET(fds[0], &in));
}

TEST(errors)
{
	struct pollfd entry = {0, POLLIN, 0};
	struct timespec bad = {0, 1000000000};
	struct timeval negative = {-1, 0};
	struct rlimit limit = {16, 16};
	fd_set set;

	FD_ZERO(&set);
	/* Past the present size of the descriptor table, Linux would not look. */
	FD_SET(40, &set);
	CHECK_ERRNO(select(41, &set, NULL, NULL, NULL), EBADF);
	CHECK_ERRNO(select(-1, NULL, NULL, NULL, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_select, 0, NULL, NULL, NULL, &negative), EINVAL);
	CHECK_ERRNO(ppoll(&entry, 1, &bad, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_poll, (void *)8, 1, 0), EFAULT);
	CHECK_ERRNO(syscall(SYS_select, 10, (void *)8, NULL, NULL, NULL), EFAULT);
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	CHECK_ERRNO(syscall(SYS_poll, &entry, 17, 0), EINVAL);
}

static void handler(int signal)
{
	(void)signal;
}

TEST(masks_are_swapped_for_the_wait)
{
	sigset_t empty, set, now;
	struct timespec time = {30, 0};

	signal(SIGUSR1, handler);
	sigemptyset(&empty);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	CHECK_ERRNO(ppoll(NULL, 0, &time, &empty), EINTR);
	raise(SIGUSR1);
	CHECK_ERRNO(pselect(0, NULL, NULL, NULL, &time, &empty), EINTR);
	sigprocmask(SIG_BLOCK, NULL, &now);
	CHECK(sigismember(&now, SIGUSR1));
}

static void *writes_later(void *argument)
{
	sleep_ms(20);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	return argument;
}

TEST(a_wait_is_woken)
{
	struct pollfd entry;
	pthread_t thread;

	pipe_make();
	entry = (struct pollfd){fds[0], POLLIN, 0};
	CHECK(pthread_create(&thread, NULL, writes_later, NULL) == 0);
	CHECK_EQ(poll(&entry, 1, -1), 1);
	CHECK(pthread_join(thread, NULL) == 0);
}

TEST(many_descriptors)
{
	struct pollfd entries[400];
	int last[2];

	for (int i = 0; i < 199; i++) {
		pipe_make();
		entries[2 * i] = (struct pollfd){fds[0], POLLIN, 0};
		entries[2 * i + 1] = (struct pollfd){fds[1], POLLIN, 0};
	}
	CHECK(pipe(last) == 0);
	entries[398] = (struct pollfd){last[0], POLLIN, 0};
	CHECK_EQ(poll(entries, 399, 0), 0);
	CHECK_EQ(write(last[1], "x", 1), 1);
	CHECK_EQ(poll(entries, 399, 0), 1);
	CHECK_EQ(entries[398].revents, POLLIN);
}

GUEST_TEST_MAIN()
