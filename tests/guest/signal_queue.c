/* SPDX-License-Identifier: Apache-2.0 */
/* Queued signals: real-time order, siginfo of each sender, sigqueue, sigwait and its kin, limits.
 */
#include "tests/guest/guest_test.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>

static siginfo_t seen[64];
static volatile int seen_count;

static void handler(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	seen[seen_count++] = *info;
}

static void catch_signal(int signal)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};

	sigfillset(&action.sa_mask);
	CHECK(sigaction(signal, &action, NULL) == 0);
}

static sigset_t block(int signal)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	return set;
}

TEST(real_time_signals_queue_in_order)
{
	sigset_t set = block(SIGRTMIN + 1);

	catch_signal(SIGRTMIN + 1);
	for (int i = 0; i < 20; i++)
		CHECK(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = i}) == 0);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	CHECK_EQ(seen_count, 20);
	for (int i = 0; i < 20; i++)
		CHECK_EQ(seen[i].si_value.sival_int, i);
}

TEST(lower_real_time_signals_first)
{
	sigset_t set = block(SIGRTMIN + 1);

	sigaddset(&set, SIGRTMIN + 2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	catch_signal(SIGRTMIN + 1);
	catch_signal(SIGRTMIN + 2);
	for (int i = 0; i < 3; i++) {
		sigqueue(getpid(), SIGRTMIN + 2, (union sigval){.sival_int = i});
		sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = i});
	}
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	CHECK_EQ(seen_count, 6);
	for (int i = 0; i < 6; i++) {
		CHECK_EQ(seen[i].si_signo, SIGRTMIN + 1 + i / 3);
		CHECK_EQ(seen[i].si_value.sival_int, i % 3);
	}
}

TEST(kill_says_who)
{
	catch_signal(SIGUSR1);
	kill(getpid(), SIGUSR1);
	CHECK_EQ(seen_count, 1);
	CHECK_EQ(seen[0].si_signo, SIGUSR1);
	CHECK_EQ(seen[0].si_code, SI_USER);
	CHECK_EQ(seen[0].si_pid, getpid());
	CHECK_EQ(seen[0].si_uid, getuid());
}

TEST(tgkill_says_so)
{
	catch_signal(SIGUSR1);
	syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1);
	CHECK_EQ(seen[0].si_code, SI_TKILL);
	CHECK_EQ(seen[0].si_pid, getpid());
}

TEST(sigqueue_carries_a_pointer)
{
	catch_signal(SIGUSR1);
	CHECK(sigqueue(getpid(), SIGUSR1, (union sigval){.sival_ptr = seen}) == 0);
	CHECK_EQ(seen[0].si_code, SI_QUEUE);
	CHECK(seen[0].si_value.sival_ptr == seen);
	CHECK_EQ(seen[0].si_pid, getpid());
}

TEST(standard_signals_keep_the_first_siginfo)
{
	sigset_t set = block(SIGUSR1);

	catch_signal(SIGUSR1);
	sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 1});
	sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 2});
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	CHECK_EQ(seen_count, 1);
	CHECK_EQ(seen[0].si_value.sival_int, 1);
}

TEST(rt_sigqueueinfo_may_not_pretend)
{
	siginfo_t info = {.si_code = SI_USER};
	pid_t child = fork();
	int status;

	if (child == 0) {
		CHECK_ERRNO(syscall(SYS_rt_sigqueueinfo, getppid(), SIGURG, &info), EPERM);
		info.si_code = SI_TKILL;
		CHECK_ERRNO(syscall(SYS_rt_sigqueueinfo, getppid(), SIGURG, &info), EPERM);
		info.si_code = -70;
		CHECK_EQ(syscall(SYS_rt_sigqueueinfo, getppid(), SIGURG, &info), 0);
		CHECK_ERRNO(syscall(SYS_rt_sigqueueinfo, getppid(), SIGURG, NULL), EFAULT);
		CHECK_ERRNO(syscall(SYS_rt_sigqueueinfo, 1 << 22, SIGURG, &info), ESRCH);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
}

TEST(rt_tgsigqueueinfo_reaches_the_thread)
{
	siginfo_t info = {.si_code = SI_QUEUE, .si_pid = 1234, .si_uid = 4321};

	info.si_value.sival_int = 99;
	catch_signal(SIGRTMIN + 3);
	CHECK_EQ(syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), SIGRTMIN + 3, &info), 0);
	CHECK_EQ(seen[0].si_pid, 1234);
	CHECK_EQ(seen[0].si_uid, 4321);
	CHECK_EQ(seen[0].si_value.sival_int, 99);
}

TEST(sigwaitinfo_takes_a_pending_signal)
{
	sigset_t set = block(SIGRTMIN + 4);
	siginfo_t info;

	sigqueue(getpid(), SIGRTMIN + 4, (union sigval){.sival_int = 7});
	CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN + 4);
	CHECK_EQ(info.si_value.sival_int, 7);
	CHECK_EQ(info.si_code, SI_QUEUE);
}

TEST(sigtimedwait_times_out)
{
	sigset_t set = block(SIGUSR1);
	struct timespec timeout = {0, 30000000}, bad = {0, -1}, zero = {0, 0};
	int64_t start = now_ns();

	CHECK_ERRNO(sigtimedwait(&set, NULL, &timeout), EAGAIN);
	CHECK(now_ns() - start >= 30000000);
	CHECK_ERRNO(sigtimedwait(&set, NULL, &bad), EINVAL);
	CHECK_ERRNO(sigtimedwait(&set, NULL, &zero), EAGAIN);
	raise(SIGUSR1);
	CHECK_EQ(sigtimedwait(&set, NULL, &zero), SIGUSR1);
}

TEST(sigtimedwait_is_interrupted_by_other_signals)
{
	sigset_t set = block(SIGUSR1);
	/* Again and again: the first may come before the wait. */
	struct itimerval timer = {{0, 20000}, {0, 20000}};
	struct timespec timeout = {30, 0};

	catch_signal(SIGALRM);
	setitimer(ITIMER_REAL, &timer, NULL);
	CHECK_ERRNO(sigtimedwait(&set, NULL, &timeout), EINTR);
	CHECK(seen_count >= 1);
}

static void *sends(void *argument)
{
	sleep_ms(20);
	kill(getpid(), SIGUSR2);
	return argument;
}

TEST(sigwait_wakes_for_a_process_signal)
{
	sigset_t set = block(SIGUSR2);
	pthread_t thread;
	int signal = 0;

	CHECK(pthread_create(&thread, NULL, sends, NULL) == 0);
	CHECK(sigwait(&set, &signal) == 0);
	CHECK_EQ(signal, SIGUSR2);
	CHECK(pthread_join(thread, NULL) == 0);
}

TEST(the_pending_limit_is_eagain)
{
	struct rlimit limit = {10, 10};
	uid_t user = lone_user();
	int queued = 0;

	block(SIGRTMIN + 5);
	if (getuid() == 0 && setresuid(user, user, user))
		SKIP("cannot give root up");
	CHECK(setrlimit(RLIMIT_SIGPENDING, &limit) == 0);
	while (queued < 20 && sigqueue(getpid(), SIGRTMIN + 5, (union sigval){0}) == 0)
		queued++;
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(queued, 10);
	CHECK(kill(getpid(), SIGURG) == 0); /* standard signals still go */
}

TEST(sigchld_tells_of_the_child)
{
	sigset_t set = block(SIGCHLD);
	siginfo_t info;
	pid_t child = fork();

	if (child == 0)
		_exit(21);
	CHECK_EQ(sigwaitinfo(&set, &info), SIGCHLD);
	CHECK_EQ(info.si_code, CLD_EXITED);
	CHECK_EQ(info.si_pid, child);
	CHECK_EQ(info.si_status, 21);
	CHECK_EQ(info.si_uid, getuid());
}

TEST(alarm_comes_from_the_kernel)
{
	sigset_t set = block(SIGALRM);
	siginfo_t info;
	struct itimerval timer = {.it_value.tv_usec = 1000};

	setitimer(ITIMER_REAL, &timer, NULL);
	CHECK_EQ(sigwaitinfo(&set, &info), SIGALRM);
	CHECK_EQ(info.si_code, SI_KERNEL);
}

TEST(thread_signals_before_process_signals)
{
	sigset_t set = block(SIGRTMIN + 6);
	siginfo_t info;

	sigqueue(getpid(), SIGRTMIN + 6, (union sigval){.sival_int = 1});
	pthread_sigqueue(pthread_self(), SIGRTMIN + 6, (union sigval){.sival_int = 2});
	CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN + 6);
	CHECK_EQ(info.si_value.sival_int, 2);
	CHECK_EQ(sigwaitinfo(&set, &info), SIGRTMIN + 6);
	CHECK_EQ(info.si_value.sival_int, 1);
}

GUEST_TEST_MAIN()
