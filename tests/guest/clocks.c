/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks: each of them runs, agrees with the vDSO and with its neighbours, and cannot be set by
 * whoever may not. */
#include "tests/guest/bad_address.h"
#include "tests/guest/guest_test.h"

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/timex.h>

static int64_t read_clock(clockid_t clock)
{
	struct timespec now;

	CHECK(syscall(SYS_clock_gettime, clock, &now) == 0);
	CHECK(now.tv_nsec >= 0 && now.tv_nsec < 1000000000);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static void burn(int64_t nanoseconds)
{
	int64_t start = read_clock(CLOCK_PROCESS_CPUTIME_ID);

	while (read_clock(CLOCK_PROCESS_CPUTIME_ID) - start < nanoseconds)
		for (volatile int i = 0; i < 10000; i++)
			;
}

TEST(wall_clocks_run)
{
	static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW,
		CLOCK_BOOTTIME, CLOCK_TAI, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE};

	for (unsigned int i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		int64_t before = read_clock(clocks[i]), after;

		sleep_ms(30);
		after = read_clock(clocks[i]);
		CHECK(after - before >= 10000000);
		CHECK(after - before < 20000000000);
	}
}

TEST(the_vdso_agrees_with_the_kernel)
{
	static const clockid_t clocks[] = {
		CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI, CLOCK_MONOTONIC_RAW};

	for (unsigned int i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		for (int k = 0; k < 200; k++) {
			int64_t before = read_clock(clocks[i]), now, after;
			struct timespec time;

			CHECK(clock_gettime(clocks[i], &time) == 0);
			now = time.tv_sec * 1000000000ll + time.tv_nsec;
			after = read_clock(clocks[i]);
			CHECK(before <= now && now <= after);
		}
	}
}

TEST(times_of_day_agree)
{
	struct timeval day;
	struct timezone zone = {5, 5};
	int64_t before = read_clock(CLOCK_REALTIME), now;
	time_t seconds;

	CHECK(syscall(SYS_gettimeofday, &day, &zone) == 0);
	now = day.tv_sec * 1000000000ll + day.tv_usec * 1000;
	CHECK(now >= before - 1000 && now <= read_clock(CLOCK_REALTIME));
	CHECK_EQ(zone.tz_dsttime, 0);
	CHECK(syscall(SYS_gettimeofday, NULL, NULL) == 0);
	CHECK_ERRNO(syscall(SYS_gettimeofday, bad_address, NULL), EFAULT);
	CHECK_EQ(syscall(SYS_time, &seconds), seconds);
	CHECK(seconds >= before / 1000000000 - 1);
	CHECK_ERRNO(syscall(SYS_time, bad_address), EFAULT);
}

TEST(cpu_clocks_count_work_only)
{
	int64_t process = read_clock(CLOCK_PROCESS_CPUTIME_ID),
		thread = read_clock(CLOCK_THREAD_CPUTIME_ID);

	sleep_ms(300);
	CHECK(read_clock(CLOCK_PROCESS_CPUTIME_ID) - process < 200000000);
	burn(30000000);
	CHECK(read_clock(CLOCK_PROCESS_CPUTIME_ID) - process >= 30000000);
	CHECK(read_clock(CLOCK_THREAD_CPUTIME_ID) - thread >= 29000000);
}

static void *burns(void *argument)
{
	burn(20000000);
	return argument;
}

TEST(a_threads_clock_is_its_own)
{
	int64_t thread = read_clock(CLOCK_THREAD_CPUTIME_ID),
		process = read_clock(CLOCK_PROCESS_CPUTIME_ID);
	pthread_t other;

	CHECK(pthread_create(&other, NULL, burns, NULL) == 0);
	pthread_join(other, NULL);
	CHECK(read_clock(CLOCK_PROCESS_CPUTIME_ID) - process >= 20000000);
	CHECK(read_clock(CLOCK_THREAD_CPUTIME_ID) - thread < 20000000);
}

TEST(clocks_of_other_processes)
{
	pid_t child = fork();
	clockid_t clock;
	struct timespec time;

	if (child == 0) {
		burn(20000000);
		pause();
	}
	CHECK(clock_getcpuclockid(child, &clock) == 0);
	do {
		CHECK(clock_gettime(clock, &time) == 0);
	} while (time.tv_nsec + time.tv_sec * 1000000000ll < 20000000);
	CHECK(clock_getres(clock, &time) == 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	CHECK_EQ(clock_getcpuclockid(child, &clock), ESRCH);
	CHECK_EQ(clock_getcpuclockid(0, &clock), 0);
	CHECK(clock_gettime(clock, &time) == 0);
}

TEST(resolutions_and_errors)
{
	struct timespec time;

	for (clockid_t clock = 0; clock < 12; clock++) {
		if (clock == 10 || clock == 8 || clock == 9)
			continue;
		CHECK(syscall(SYS_clock_getres, clock, &time) == 0);
		CHECK_EQ(time.tv_sec, 0);
		CHECK(time.tv_nsec >= 1 && time.tv_nsec <= 10000000);
	}
	CHECK(syscall(SYS_clock_getres, CLOCK_REALTIME, NULL) == 0);
	CHECK_ERRNO(syscall(SYS_clock_gettime, 16, &time), EINVAL);
	CHECK_ERRNO(syscall(SYS_clock_gettime, 1000, &time), EINVAL);
	CHECK_ERRNO(syscall(SYS_clock_getres, -100, &time), EINVAL);
	CHECK_ERRNO(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, bad_address), EFAULT);
	CHECK_ERRNO(syscall(SYS_clock_settime, CLOCK_MONOTONIC, &time), EINVAL);
	time = (struct timespec){0, 1000000000};
	CHECK_ERRNO(syscall(SYS_clock_settime, CLOCK_REALTIME, &time), EINVAL);
	CHECK_ERRNO(syscall(SYS_clock_settime, CLOCK_REALTIME, bad_address), EFAULT);
}

TEST(only_the_mighty_set_clocks)
{
	struct timespec time = {1, 0};
	struct timex adjust = {.modes = ADJ_FREQUENCY};

	CHECK(setresuid(1, 1, 1) == 0);
	CHECK_ERRNO(syscall(SYS_clock_settime, CLOCK_REALTIME, &time), EPERM);
	CHECK_ERRNO(syscall(SYS_settimeofday, &(struct timeval){1, 0}, NULL), EPERM);
	CHECK_ERRNO(adjtimex(&adjust), EPERM);
	adjust.modes = 0;
	CHECK(adjtimex(&adjust) >= 0);
	CHECK(adjust.tick >= 9000 && adjust.tick <= 11000);
	CHECK(clock_adjtime(CLOCK_REALTIME, &adjust) >= 0);
	CHECK_ERRNO(clock_adjtime(CLOCK_MONOTONIC, &adjust), EOPNOTSUPP);
}

TEST(times_and_usage)
{
	struct tms times_before, times_after;
	struct rusage self, thread, children;
	clock_t before = times(&times_before), after;
	pid_t child;

	CHECK(before != (clock_t)-1);
	burn(50000000);
	CHECK(getrusage(RUSAGE_SELF, &self) == 0 && getrusage(RUSAGE_THREAD, &thread) == 0);
	CHECK(self.ru_utime.tv_usec + self.ru_stime.tv_usec +
			1000000 * (self.ru_utime.tv_sec + self.ru_stime.tv_sec) >=
		45000);
	CHECK(thread.ru_utime.tv_usec + thread.ru_stime.tv_usec +
			1000000 * (thread.ru_utime.tv_sec + thread.ru_stime.tv_sec) >=
		45000);
	CHECK(self.ru_maxrss > 100);
	after = times(&times_after);
	CHECK(after - before >= 4);
	CHECK(times_after.tms_utime + times_after.tms_stime - times_before.tms_utime -
			times_before.tms_stime >=
		3);
	child = fork();
	if (child == 0) {
		burn(30000000);
		_exit(0);
	}
	CHECK(getrusage(RUSAGE_CHILDREN, &children) == 0);
	CHECK_EQ(children.ru_utime.tv_usec + children.ru_utime.tv_sec, 0);
	CHECK(waitpid(child, NULL, 0) == child);
	CHECK(getrusage(RUSAGE_CHILDREN, &children) == 0);
	CHECK(children.ru_utime.tv_usec + children.ru_stime.tv_usec +
			1000000 * (children.ru_utime.tv_sec + children.ru_stime.tv_sec) >=
		25000);
	times(&times_after);
	CHECK(times_after.tms_cutime + times_after.tms_cstime >= 1);
	CHECK_ERRNO(getrusage(5, &self), EINVAL);
	CHECK_ERRNO(syscall(SYS_getrusage, RUSAGE_SELF, bad_address), EFAULT);
	CHECK_ERRNO(syscall(SYS_times, bad_address), EFAULT);
}

TEST(time_slack)
{
	CHECK(prctl(PR_GET_TIMERSLACK) > 0);
	CHECK(prctl(PR_SET_TIMERSLACK, 1234) == 0);
	CHECK_EQ(prctl(PR_GET_TIMERSLACK), 1234);
	CHECK(prctl(PR_SET_TIMERSLACK, 0) == 0);
	CHECK_EQ(prctl(PR_GET_TIMERSLACK), 50000);
}

GUEST_TEST_MAIN()
