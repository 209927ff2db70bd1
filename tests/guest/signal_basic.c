/* SPDX-License-Identifier: Apache-2.0 */
/* Signals: handlers, masks, pending, defaults, delivery order, sending rules. */
#include "tests/guest/guest_test.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <sys/time.h>

static volatile sig_atomic_t handled, handled_count;

static void handler(int signal)
{
	handled = signal;
	handled_count++;
}

static void block(int signal, int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	CHECK(sigprocmask(how, &set, NULL) == 0);
}

TEST(a_handler_runs_before_kill_returns)
{
	signal(SIGUSR1, handler);
	CHECK(kill(getpid(), SIGUSR1) == 0);
	CHECK_EQ(handled, SIGUSR1);
	CHECK(raise(SIGUSR1) == 0);
	CHECK_EQ(handled_count, 2);
}

TEST(blocked_signals_wait_and_merge)
{
	sigset_t pending;

	signal(SIGUSR1, handler);
	block(SIGUSR1, SIG_BLOCK);
	for (int i = 0; i < 5; i++)
		raise(SIGUSR1);
	CHECK_EQ(handled_count, 0);
	CHECK(sigpending(&pending) == 0);
	CHECK(sigismember(&pending, SIGUSR1));
	block(SIGUSR1, SIG_UNBLOCK);
	CHECK_EQ(handled_count, 1);
	CHECK(sigpending(&pending) == 0);
	CHECK(!sigismember(&pending, SIGUSR1));
}

TEST(ignored_signals_are_dropped)
{
	sigset_t pending;

	signal(SIGUSR1, SIG_IGN);
	raise(SIGUSR1);
	block(SIGUSR1, SIG_BLOCK);
	signal(SIGUSR1, handler);
	raise(SIGUSR1);
	signal(SIGUSR1, SIG_IGN); /* drops what is pending */
	CHECK(sigpending(&pending) == 0);
	CHECK(!sigismember(&pending, SIGUSR1));
}

TEST(default_actions)
{
	static const int ignored[] = {SIGCHLD, SIGCONT, SIGURG, SIGWINCH};

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		CHECK(raise(ignored[i]) == 0);
	for (int number = 1; number <= 64; number++) {
		pid_t child;
		int status;

		if (number == SIGSTOP || number == SIGTSTP || number == SIGTTIN ||
			number == SIGTTOU || number == SIGCHLD || number == SIGCONT ||
			number == SIGURG || number == SIGWINCH || number == 32 || number == 33)
			continue;
		child = fork();
		if (child == 0) {
			kill(getpid(), number);
			_exit(0);
		}
		CHECK(waitpid(child, &status, 0) == child);
		CHECK_EQ(WTERMSIG(status), number);
	}
}

static sigset_t mask_in_handler;

static void mask_handler(int signal)
{
	(void)signal;
	sigprocmask(SIG_BLOCK, NULL, &mask_in_handler);
}

TEST(the_mask_in_a_handler_and_after_it)
{
	struct sigaction action = {.sa_handler = mask_handler};
	sigset_t after;

	sigaddset(&action.sa_mask, SIGUSR2);
	CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
	raise(SIGUSR1);
	CHECK(sigismember(&mask_in_handler, SIGUSR1) && sigismember(&mask_in_handler, SIGUSR2));
	CHECK(!sigismember(&mask_in_handler, SIGTERM));
	sigprocmask(SIG_BLOCK, NULL, &after);
	CHECK(!sigismember(&after, SIGUSR1) && !sigismember(&after, SIGUSR2));
	action.sa_flags = SA_NODEFER;
	CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
	raise(SIGUSR1);
	CHECK(!sigismember(&mask_in_handler, SIGUSR1) && sigismember(&mask_in_handler, SIGUSR2));
}

TEST(resethand_restores_the_default)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = (int)SA_RESETHAND}, seen;

	CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
	raise(SIGUSR1);
	CHECK_EQ(handled, SIGUSR1);
	CHECK(sigaction(SIGUSR1, NULL, &seen) == 0);
	CHECK(seen.sa_handler == SIG_DFL);
}

TEST(sigaction_returns_what_was)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART | SA_NOCLDSTOP},
			 seen;

	sigaddset(&action.sa_mask, SIGHUP);
	CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
	CHECK(sigaction(SIGUSR1, NULL, &seen) == 0);
	CHECK(seen.sa_handler == handler);
	CHECK_EQ(seen.sa_flags & (SA_RESTART | SA_NOCLDSTOP | SA_SIGINFO),
		SA_RESTART | SA_NOCLDSTOP);
	CHECK(sigismember(&seen.sa_mask, SIGHUP) && !sigismember(&seen.sa_mask, SIGINT));
}

TEST(sigaction_errors)
{
	struct sigaction action = {.sa_handler = handler};
	uint64_t raw[4] = {0};

	CHECK_ERRNO(syscall(SYS_rt_sigaction, 0, NULL, raw, 8), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_sigaction, 65, NULL, raw, 8), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGUSR1, NULL, raw, 16), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_sigaction, SIGUSR1, (void *)8, NULL, 8), EFAULT);
	CHECK_ERRNO(syscall(SYS_rt_sigprocmask, 99, raw, NULL, 8), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, raw, NULL, 4), EINVAL);
	CHECK_ERRNO(syscall(SYS_rt_sigprocmask, SIG_BLOCK, (void *)8, NULL, 8), EFAULT);
	CHECK_EQ(syscall(SYS_rt_sigprocmask, 99, NULL, raw, 8),
		0); /* how does not matter without a set */
	CHECK_ERRNO(sigaction(SIGKILL, &action, NULL), EINVAL);
	CHECK(sigaction(SIGKILL, NULL, &action) == 0);
}

static volatile pid_t handler_tid;

static void tid_handler(int signal)
{
	(void)signal;
	handler_tid = (pid_t)syscall(SYS_gettid);
}

static volatile pid_t thread_tid;

static void *thread_waits(void *argument)
{
	thread_tid = (pid_t)syscall(SYS_gettid);
	while (!handler_tid)
		sleep_ms(1);
	return argument;
}

TEST(a_signal_to_a_thread_runs_there)
{
	pthread_t thread;

	signal(SIGUSR1, tid_handler);
	CHECK(pthread_create(&thread, NULL, thread_waits, NULL) == 0);
	while (!thread_tid)
		sleep_ms(1);
	CHECK(syscall(SYS_tgkill, getpid(), thread_tid, SIGUSR1) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK_EQ(handler_tid, thread_tid);
}

TEST(a_process_signal_goes_to_a_thread_that_does_not_block_it)
{
	pthread_t thread;

	signal(SIGUSR1, tid_handler);
	CHECK(pthread_create(&thread, NULL, thread_waits, NULL) == 0);
	while (!thread_tid)
		sleep_ms(1);
	block(SIGUSR1, SIG_BLOCK);
	CHECK(kill(getpid(), SIGUSR1) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK_EQ(handler_tid, thread_tid);
}

TEST(tgkill_and_tkill_errors)
{
	pid_t me = getpid();

	CHECK_ERRNO(syscall(SYS_tgkill, me, 0, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_tgkill, -1, me, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_tgkill, me, 1 << 22, 0), ESRCH);
	CHECK_ERRNO(syscall(SYS_tgkill, getppid(), me, 0), ESRCH);
	CHECK_ERRNO(syscall(SYS_tgkill, me, me, 65), EINVAL);
	CHECK_ERRNO(syscall(SYS_tkill, 0, 0), EINVAL);
	CHECK_EQ(syscall(SYS_tkill, me, 0), 0);
}

TEST(sigsuspend_swaps_the_mask)
{
	sigset_t empty, now;
	struct itimerval timer = {.it_value.tv_usec = 20000};

	signal(SIGALRM, handler);
	block(SIGALRM, SIG_BLOCK);
	CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
	sigemptyset(&empty);
	CHECK_ERRNO(sigsuspend(&empty), EINTR);
	CHECK_EQ(handled, SIGALRM);
	sigprocmask(SIG_BLOCK, NULL, &now);
	CHECK(sigismember(&now, SIGALRM));
}

TEST(sigsuspend_with_a_signal_pending_returns_at_once)
{
	sigset_t empty;

	signal(SIGUSR1, handler);
	block(SIGUSR1, SIG_BLOCK);
	raise(SIGUSR1);
	sigemptyset(&empty);
	CHECK_ERRNO(sigsuspend(&empty), EINTR);
	CHECK_EQ(handled_count, 1);
}

TEST(pause_returns_eintr)
{
	struct itimerval timer = {.it_value.tv_usec = 20000};
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};

	sigaction(SIGALRM, &action, NULL); /* not even SA_RESTART goes on */
	CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
	CHECK_ERRNO(pause(), EINTR);
	CHECK_EQ(handled, SIGALRM);
}

TEST(a_signal_reaches_a_busy_loop)
{
	struct itimerval timer = {.it_value.tv_usec = 20000};

	signal(SIGALRM, handler);
	CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
	while (!handled)
		;
	CHECK_EQ(handled, SIGALRM);
}

static int order[4], order_count;

static void order_handler(int signal)
{
	order[order_count++] = signal;
}

TEST(lower_numbers_are_delivered_first)
{
	struct sigaction action = {.sa_handler = order_handler};
	sigset_t set;

	sigfillset(&action.sa_mask);
	sigemptyset(&set);
	for (int i = 0; i < 3; i++) {
		sigaction((int[]){SIGUSR1, SIGHUP, SIGTERM}[i], &action, NULL);
		sigaddset(&set, (int[]){SIGUSR1, SIGHUP, SIGTERM}[i]);
	}
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGTERM);
	raise(SIGUSR1);
	raise(SIGHUP);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	/* all three frames are built, lowest first; its mask holds the next until it returns */
	CHECK_EQ(order_count, 3);
	CHECK_EQ(order[0], SIGHUP);
	CHECK_EQ(order[1], SIGUSR1);
	CHECK_EQ(order[2], SIGTERM);
}

static void becomes_other_and_kills(void)
{
	pid_t parent = getppid();

	if (setresuid(1000, 1000, 1000))
		_exit(GUEST_TEST_SKIPPED);
	CHECK_ERRNO(kill(parent, SIGTERM), EPERM);
	CHECK_ERRNO(kill(parent, 0), EPERM);
}

TEST(another_user_may_not_signal)
{
	int status;

	if (getuid())
		SKIP("needs root");
	status = in_child(becomes_other_and_kills);
	if (WEXITSTATUS(status) == GUEST_TEST_SKIPPED)
		SKIP("cannot become another user");
	CHECK_EQ(status, 0);
}

GUEST_TEST_MAIN()
