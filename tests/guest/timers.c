/* SPDX-License-Identifier: Apache-2.0 */
/* Interval timers, POSIX timers, and sleeping: what expires, how often, and who inherits. */
#include "tests/guest/bad_address.h"
#include "tests/guest/guest_test.h"
#include "tests/guest/watchdog.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/time.h>

static volatile sig_atomic_t count, last_signal, last_code, last_overrun;
static void *volatile last_value;
static volatile pid_t last_thread;

static void on_signal(int signal, siginfo_t *info, void *context)
{
	(void)context;
	count++;
	last_signal = signal;
	last_code = info->si_code;
	last_value = info->si_value.sival_ptr;
	last_overrun += info->si_overrun;
	last_thread = (pid_t)syscall(SYS_gettid);
}

static void handle(int signal)
{
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};

	CHECK(sigaction(signal, &action, NULL) == 0);
}

static void burn_until(volatile sig_atomic_t *value, int wanted)
{
	int64_t end = now_ns() + GUEST_TEST_SECONDS / 2 * 1000000000ll;

	while (*value < wanted && now_ns() < end)
		;
	CHECK(*value >= wanted);
}

static struct itimerval every_ms(long value, long interval)
{
	return (struct itimerval){
		{interval / 1000, interval % 1000 * 1000}, {value / 1000, value % 1000 * 1000}};
}

static struct itimerspec spec_ms(long value, long interval)
{
	return (struct itimerspec){{interval / 1000, interval % 1000 * 1000000},
		{value / 1000, value % 1000 * 1000000}};
}

TEST(real_timer_repeats)
{
	struct itimerval time = every_ms(10, 10), left;

	handle(SIGALRM);
	CHECK(setitimer(ITIMER_REAL, &time, NULL) == 0);
	burn_until(&count, 5);
	CHECK_EQ(last_code, SI_KERNEL);
	CHECK(getitimer(ITIMER_REAL, &left) == 0);
	CHECK_EQ(left.it_interval.tv_usec, 10000);
	CHECK(left.it_value.tv_usec > 0 && left.it_value.tv_usec <= 10000);
	time = every_ms(0, 0);
	CHECK(setitimer(ITIMER_REAL, &time, &left) == 0);
	CHECK_EQ(left.it_interval.tv_usec, 10000);
	CHECK(getitimer(ITIMER_REAL, &left) == 0);
	CHECK_EQ(left.it_value.tv_usec + left.it_value.tv_sec, 0);
}

/* What a host takes away from a busy machine may look like work: a sleep must be free of it once.
 */
#define QUIET_TRIES 50

TEST(virtual_and_profiling_timers_count_work)
{
	struct itimerval time = every_ms(20, 0);
	int tries = 0;

	handle(SIGVTALRM);
	handle(SIGPROF);
	do {
		count = 0;
		CHECK(setitimer(ITIMER_VIRTUAL, &time, NULL) == 0);
		sleep_ms(60);
	} while (count > 0 && ++tries < QUIET_TRIES);
	CHECK_EQ(count, 0);
	burn_until(&count, 1);
	CHECK_EQ(last_signal, SIGVTALRM);
	count = 0;
	CHECK(setitimer(ITIMER_PROF, &time, NULL) == 0);
	burn_until(&count, 1);
	CHECK_EQ(last_signal, SIGPROF);
}

static volatile pid_t spinner;
static atomic_int in_spinner, elsewhere;

static void count_by_thread(int signal)
{
	(void)signal;
	if (gettid() == spinner)
		in_spinner++;
	else
		elsewhere++;
}

static void *spin_until_profiled(void *unused)
{
	(void)unused;
	spinner = gettid();
	while (in_spinner + elsewhere < 20)
		;
	return NULL;
}

/* So do profilers find out what a process does. */
TEST(a_profiling_signal_goes_to_the_thread_that_runs)
{
	struct itimerval time = {.it_interval.tv_usec = 10000, .it_value.tv_usec = 10000};
	pthread_t thread;

	signal(SIGPROF, count_by_thread);
	CHECK(pthread_create(&thread, NULL, spin_until_profiled, NULL) == 0);
	CHECK(setitimer(ITIMER_PROF, &time, NULL) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(in_spinner > elsewhere);
}

TEST(interval_timer_errors)
{
	struct itimerval time = {{0, 1000000}, {0, 0}};

	CHECK_ERRNO(syscall(SYS_setitimer, 3, &time, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_setitimer, ITIMER_REAL, &time, NULL), EINVAL);
	time = (struct itimerval){{0, 0}, {-1, 0}};
	CHECK_ERRNO(syscall(SYS_setitimer, ITIMER_REAL, &time, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_setitimer, ITIMER_REAL, bad_address, NULL), EFAULT);
	CHECK_ERRNO(syscall(SYS_getitimer, ITIMER_REAL, bad_address), EFAULT);
	CHECK_ERRNO(syscall(SYS_getitimer, -1, &time), EINVAL);
}

TEST(alarm_tells_what_was_left)
{
	unsigned int left = alarm(1000);
	sigset_t alarms, none;

	watchdog_start();
	CHECK(left > 0 && left <= GUEST_TEST_SECONDS);
	left = alarm(0);
	CHECK(left > 1000 - GUEST_TEST_SECONDS && left <= 1000);
	handle(SIGALRM);
	sigemptyset(&none);
	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	CHECK(sigprocmask(SIG_BLOCK, &alarms, NULL) == 0);
	CHECK_EQ(alarm(1), 0);
	CHECK_ERRNO(sigsuspend(&none), EINTR);
	CHECK_EQ(count, 1);
}

static void no_alarm_here(void)
{
	struct itimerval left;

	CHECK(getitimer(ITIMER_REAL, &left) == 0);
	CHECK_EQ(left.it_value.tv_sec + left.it_value.tv_usec, 0);
}

TEST(fork_inherits_no_timer)
{
	timer_t timer;
	struct itimerspec time = spec_ms(100000, 0);

	alarm(50);
	CHECK(timer_create(CLOCK_MONOTONIC, NULL, &timer) == 0);
	CHECK(timer_settime(timer, 0, &time, NULL) == 0);
	CHECK_EQ(in_child(no_alarm_here), 0);
	if (fork() == 0)
		_exit(timer_gettime(timer, &time) == -1 && errno == EINVAL ? 0 : 1);
	CHECK(wait((int[]){0}) > 0);
}

TEST(posix_timer_sends_its_value)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = SIGRTMIN + 1,
		.sigev_value.sival_ptr = (void *)0x1234};
	struct itimerspec time = spec_ms(5, 5), left;
	timer_t timer;

	handle(SIGRTMIN + 1);
	CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	CHECK(timer_settime(timer, 0, &time, NULL) == 0);
	burn_until(&count, 3);
	CHECK_EQ(last_code, SI_TIMER);
	CHECK(last_value == (void *)0x1234);
	CHECK(timer_gettime(timer, &left) == 0);
	CHECK_EQ(left.it_interval.tv_nsec, 5000000);
	CHECK(left.it_value.tv_nsec > 0 && left.it_value.tv_nsec <= 5000000);
	CHECK(timer_delete(timer) == 0);
	CHECK_ERRNO(syscall(SYS_timer_gettime, 0x7fffff, &left), EINVAL);
}

TEST(overruns_are_counted_while_the_signal_is_blocked)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct itimerspec time = spec_ms(2, 2), stop = spec_ms(0, 0);
	sigset_t set;
	siginfo_t info;
	timer_t timer;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	CHECK(timer_settime(timer, 0, &time, NULL) == 0);
	sleep_ms(60);
	CHECK_EQ(sigwaitinfo(&set, &info), SIGUSR1);
	CHECK_EQ(info.si_code, SI_TIMER);
	CHECK(info.si_overrun >= 20);
	CHECK_EQ(timer_getoverrun(timer), info.si_overrun);
	CHECK(timer_settime(timer, 0, &stop, NULL) == 0);
}

TEST(a_deleted_timer_leaves_no_signal)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct itimerspec time = spec_ms(1, 0);
	sigset_t set, pending;
	timer_t timer;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	CHECK(timer_settime(timer, 0, &time, NULL) == 0);
	do
		sigpending(&pending);
	while (!sigismember(&pending, SIGUSR1));
	CHECK(timer_delete(timer) == 0);
}

TEST(to_one_thread)
{
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
	struct itimerspec time = spec_ms(5, 0);
	timer_t timer;

	handle(SIGUSR1);
	event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	CHECK(timer_settime(timer, 0, &time, NULL) == 0);
	burn_until(&count, 1);
	CHECK_EQ(last_thread, event._sigev_un._tid);
	event._sigev_un._tid = getppid();
	CHECK_ERRNO(timer_create(CLOCK_MONOTONIC, &event, &timer), EINVAL);
}

TEST(without_a_signal)
{
	struct sigevent event = {.sigev_notify = SIGEV_NONE};
	struct itimerspec time = spec_ms(5, 0), left;
	timer_t timer;

	CHECK(timer_create(CLOCK_BOOTTIME, &event, &timer) == 0);
	CHECK(timer_settime(timer, 0, &time, NULL) == 0);
	do
		CHECK(timer_gettime(timer, &left) == 0);
	while (left.it_value.tv_nsec);
	CHECK_EQ(timer_getoverrun(timer), 0);
}

TEST(absolute_times)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct itimerspec time = {0};
	timer_t timer;

	handle(SIGUSR1);
	CHECK(timer_create(CLOCK_REALTIME, &event, &timer) == 0);
	time.it_value.tv_sec = 1; /* long ago */
	CHECK(timer_settime(timer, TIMER_ABSTIME, &time, NULL) == 0);
	burn_until(&count, 1);
	clock_gettime(CLOCK_REALTIME, &time.it_value);
	time.it_value.tv_sec += 100;
	CHECK(timer_settime(timer, TIMER_ABSTIME, &time, NULL) == 0);
	CHECK(timer_gettime(timer, &time) == 0);
	CHECK(time.it_value.tv_sec >= 98 && time.it_value.tv_sec <= 100);
}

TEST(timers_of_cpu_clocks)
{
	static const clockid_t clocks[] = {CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct itimerspec time = spec_ms(20, 0);

	handle(SIGUSR1);
	for (int i = 0; i < 2; i++) {
		int tries = 0;
		timer_t timer;

		CHECK(timer_create(clocks[i], &event, &timer) == 0);
		do {
			count = 0;
			CHECK(timer_settime(timer, 0, &time, NULL) == 0);
			sleep_ms(40);
		} while (count > 0 && ++tries < QUIET_TRIES);
		CHECK_EQ(count, 0);
		burn_until(&count, 1);
		CHECK(timer_delete(timer) == 0);
	}
}

TEST(timer_errors)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 100};
	struct itimerspec time = {{0, 0}, {0, 1000000000}};
	timer_t timer;
	int id;

	CHECK_ERRNO(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &id), EINVAL);
	event.sigev_signo = SIGUSR1;
	event.sigev_notify = 77;
	CHECK_ERRNO(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &id), EINVAL);
	CHECK_ERRNO(syscall(SYS_timer_create, 77, NULL, &id), EINVAL);
	CHECK_ERRNO(syscall(SYS_timer_create, CLOCK_MONOTONIC_COARSE, NULL, &id), EOPNOTSUPP);
	CHECK_ERRNO(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, bad_address), EFAULT);
	CHECK(timer_create(CLOCK_MONOTONIC, NULL, &timer) == 0);
	CHECK_ERRNO(timer_settime(timer, 0, &time, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_timer_settime, timer, 0, NULL, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_timer_settime, timer, 0, bad_address, NULL), EFAULT);
	CHECK_ERRNO(syscall(SYS_timer_delete, 1234567), EINVAL);
	CHECK_ERRNO(syscall(SYS_timer_getoverrun, -1), EINVAL);
}

TEST(sleeping_takes_its_time)
{
	struct timespec time = {0, 30000000}, end;
	int64_t start = now_ns();

	CHECK(nanosleep(&time, NULL) == 0);
	CHECK(now_ns() - start >= 30000000);
	start = now_ns();
	CHECK_EQ(clock_nanosleep(CLOCK_REALTIME, 0, &time, NULL), 0);
	CHECK(now_ns() - start >= 29000000);
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_nsec += 30000000;
	end.tv_sec += end.tv_nsec / 1000000000;
	end.tv_nsec %= 1000000000;
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL), 0);
	CHECK(now_ns() >= end.tv_sec * 1000000000ll + end.tv_nsec);
	end.tv_sec = 1;
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL), 0);
}

TEST(sleeping_is_interrupted)
{
	struct timespec time = {50, 0}, left = {0, 0};
	/* Again and again: the first may come before the sleep. */
	struct itimerval soon = every_ms(20, 20);

	handle(SIGALRM);
	CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
	CHECK_ERRNO(nanosleep(&time, &left), EINTR);
	CHECK(left.tv_sec >= 40 && left.tv_sec < 50);
	CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, 0, &time, &left), EINTR);
	CHECK(left.tv_sec >= 40 && left.tv_sec < 50);
	CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
	clock_gettime(CLOCK_MONOTONIC, &time);
	time.tv_sec += 50;
	left = (struct timespec){7, 7};
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, &left), EINTR);
	CHECK_EQ(left.tv_sec, 7);
}

TEST(sleeping_on_cpu_time)
{
	struct timespec time = {0, 1};

	CHECK_EQ(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &time, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_clock_nanosleep, 99, 0, &time, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC_RAW, 0, &time, NULL), EOPNOTSUPP);
}

TEST(sleep_errors)
{
	struct timespec time = {0, 1000000000};

	CHECK_ERRNO(syscall(SYS_nanosleep, &time, NULL), EINVAL);
	time = (struct timespec){-1, 0};
	CHECK_ERRNO(syscall(SYS_nanosleep, &time, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_nanosleep, bad_address, NULL), EFAULT);
}

GUEST_TEST_MAIN()
