/* SPDX-License-Identifier: Apache-2.0 */
/* timerfd: relative, absolute and periodic timers, poll, errors. */
#include "tests/guest/guest_test.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/timerfd.h>

static struct itimerspec ms(long value, long interval)
{
	return (struct itimerspec){{interval / 1000, interval % 1000 * 1000000},
		{value / 1000, value % 1000 * 1000000}};
}

TEST(expires_once)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	struct itimerspec time = ms(1000000, 0), left;
	int64_t start;
	uint64_t count;

	CHECK(fd >= 0);
	CHECK(timerfd_settime(fd, 0, &time, NULL) == 0);
	CHECK(timerfd_gettime(fd, &left) == 0);
	CHECK(left.it_value.tv_sec > 1000 - GUEST_TEST_SECONDS && left.it_value.tv_sec <= 1000);
	time = ms(30, 0);
	start = now_ns();
	CHECK(timerfd_settime(fd, 0, &time, NULL) == 0);
	CHECK(timerfd_gettime(fd, &left) == 0);
	CHECK(left.it_value.tv_sec == 0 && left.it_value.tv_nsec <= 30000000);
	CHECK_EQ(read(fd, &count, 8), 8);
	CHECK_EQ(count, 1);
	CHECK(now_ns() - start >= 30000000);
	CHECK(timerfd_gettime(fd, &left) == 0);
	CHECK_EQ(left.it_value.tv_sec + left.it_value.tv_nsec, 0);
}

TEST(periodic_counts_what_was_missed)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct itimerspec time = ms(5, 5), old;
	uint64_t count;

	CHECK(timerfd_settime(fd, 0, &time, NULL) == 0);
	sleep_ms(60);
	CHECK_EQ(read(fd, &count, 8), 8);
	CHECK(count >= 11);
	time = ms(0, 0);
	CHECK(timerfd_settime(fd, 0, &time, &old) == 0);
	CHECK_EQ(old.it_interval.tv_nsec, 5000000);
	sleep_ms(15);
	CHECK_ERRNO(read(fd, &count, 8), EAGAIN);
}

TEST(absolute_time_of_each_clock)
{
	static const int clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME};

	for (int i = 0; i < 3; i++) {
		int fd = timerfd_create(clocks[i], 0);
		struct itimerspec time = {0};
		struct timespec now;
		uint64_t count;

		CHECK(clock_gettime(clocks[i], &now) == 0);
		time.it_value = now;
		time.it_value.tv_nsec += 20000000;
		if (time.it_value.tv_nsec >= 1000000000) {
			time.it_value.tv_nsec -= 1000000000;
			time.it_value.tv_sec++;
		}
		CHECK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &time, NULL) == 0);
		CHECK_EQ(read(fd, &count, 8), 8);
		CHECK_EQ(count, 1);
		CHECK(clock_gettime(clocks[i], &now) == 0);
		CHECK(now.tv_sec > time.it_value.tv_sec || now.tv_nsec >= time.it_value.tv_nsec);
	}
}

TEST(absolute_time_in_the_past_expires_at_once)
{
	int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
	struct itimerspec time = {{0, 0}, {1, 0}};
	struct pollfd entry = {fd, POLLIN, 0};
	uint64_t count;

	CHECK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &time, NULL) == 0);
	CHECK_EQ(poll(&entry, 1, 100000), 1);
	CHECK_EQ(read(fd, &count, 8), 8);
	CHECK_EQ(count, 1);
}

TEST(poll_waits_for_expiry)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	struct itimerspec time = ms(20, 0);
	struct pollfd entry = {fd, POLLIN, 0};
	uint64_t count;

	CHECK_EQ(poll(&entry, 1, 0), 0);
	CHECK(timerfd_settime(fd, 0, &time, NULL) == 0);
	CHECK_EQ(poll(&entry, 1, 30000), 1);
	CHECK_EQ(entry.revents, POLLIN);
	CHECK_EQ(read(fd, &count, 8), 8);
	CHECK_EQ(poll(&entry, 1, 0), 0);
}

TEST(setting_again_forgets_expiries)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct itimerspec time = ms(1, 0);
	uint64_t count;

	CHECK(timerfd_settime(fd, 0, &time, NULL) == 0);
	sleep_ms(10);
	time = ms(20000, 0);
	CHECK(timerfd_settime(fd, 0, &time, NULL) == 0);
	CHECK_ERRNO(read(fd, &count, 8), EAGAIN);
}

TEST(errors)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct itimerspec bad = {{0, 0}, {0, 1000000000}}, negative = {{0, 0}, {-1, 0}},
			  good = ms(10, 0);
	uint64_t count;

	CHECK_ERRNO(timerfd_create(77, 0), EINVAL);
	CHECK_ERRNO(timerfd_create(CLOCK_MONOTONIC, 0x10), EINVAL);
	CHECK_ERRNO(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0), EINVAL);
	CHECK_ERRNO(timerfd_settime(fd, 0, &bad, NULL), EINVAL);
	CHECK_ERRNO(timerfd_settime(fd, 0, &negative, NULL), EINVAL);
	CHECK_ERRNO(timerfd_settime(fd, 0x80, &good, NULL), EINVAL);
	CHECK_ERRNO(timerfd_settime(9999, 0, &good, NULL), EBADF);
	CHECK_ERRNO(timerfd_settime(open("/dev/null", O_RDONLY), 0, &good, NULL), EINVAL);
	CHECK_ERRNO(timerfd_gettime(fd, (void *)8), EFAULT);
	CHECK_ERRNO(read(fd, &count, 7), EINVAL);
	CHECK_ERRNO(write(fd, &count, 8), EINVAL);
}

TEST(a_forked_child_shares_the_timer)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, 0), status;
	struct itimerspec time = ms(20, 0);
	pid_t child;
	uint64_t count;

	CHECK(timerfd_settime(fd, 0, &time, NULL) == 0);
	child = fork();
	if (child == 0)
		_exit(read(fd, &count, 8) == 8 && count == 1 ? 0 : 1);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	CHECK_ERRNO(read(fd, &count, 8), EAGAIN);
}

GUEST_TEST_MAIN()
