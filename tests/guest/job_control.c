/* SPDX-License-Identifier: Apache-2.0 */
/* Stopping and continuing: what the parent is told, which signals cancel which, stopped groups of
 * threads. */
#include "tests/guest/guest_test.h"
#include "tests/guest/wait_asleep.h"

#include <pthread.h>
#include <sys/syscall.h>

static volatile unsigned *counter; /* shared: counts while the child runs */

static pid_t child_counts(void)
{
	pid_t child;

	if (!counter)
		counter =
			mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	child = fork();
	CHECK(child >= 0);
	if (child == 0)
		for (;;) {
			counter[0]++;
			sleep_ms(1);
		}
	while (counter[0] == 0)
		sleep_ms(1);
	return child;
}

static void child_end(pid_t child)
{
	int status;

	kill(child, SIGKILL);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(WTERMSIG(status), SIGKILL);
}

static void expect_stopped(pid_t child, int signal)
{
	int status;

	CHECK(waitpid(child, &status, WUNTRACED) == child);
	CHECK(WIFSTOPPED(status));
	CHECK_EQ(WSTOPSIG(status), signal);
}

TEST(each_stop_signal_stops_and_says_which)
{
	static const int stops[] = {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};
	pid_t child = child_counts();

	for (int i = 0; i < 4; i++) {
		int status;

		CHECK(kill(child, stops[i]) == 0);
		expect_stopped(child, stops[i]);
		CHECK(kill(child, SIGCONT) == 0);
		CHECK(waitpid(child, &status, WCONTINUED) == child);
		CHECK(WIFCONTINUED(status));
		CHECK_EQ(status, 0xffff);
	}
	child_end(child);
}

TEST(a_stopped_process_does_not_run)
{
	pid_t child = child_counts();
	unsigned before;

	kill(child, SIGSTOP);
	expect_stopped(child, SIGSTOP);
	before = counter[0];
	sleep_ms(50);
	CHECK_EQ(counter[0], before);
	kill(child, SIGCONT);
	while (counter[0] == before)
		sleep_ms(1);
	child_end(child);
}

TEST(stops_are_reported_once)
{
	pid_t child = child_counts();
	siginfo_t info;

	kill(child, SIGSTOP);
	CHECK(waitid(P_PID, (id_t)child, &info, WSTOPPED | WNOWAIT) == 0);
	CHECK_EQ(info.si_code, CLD_STOPPED);
	CHECK_EQ(info.si_status, SIGSTOP);
	CHECK_EQ(info.si_pid, child);
	CHECK(waitid(P_PID, (id_t)child, &info, WSTOPPED) == 0);
	CHECK_EQ(waitpid(child, NULL, WUNTRACED | WNOHANG), 0);
	kill(child, SIGCONT);
	CHECK(waitid(P_PID, (id_t)child, &info, WCONTINUED) == 0);
	CHECK_EQ(info.si_code, CLD_CONTINUED);
	CHECK_EQ(info.si_status, SIGCONT);
	CHECK_EQ(waitpid(child, NULL, WCONTINUED | WNOHANG), 0);
	child_end(child);
}

TEST(without_wuntraced_stops_are_not_reported)
{
	pid_t child = child_counts();

	kill(child, SIGSTOP);
	sleep_ms(30);
	CHECK_EQ(waitpid(child, NULL, WNOHANG), 0);
	CHECK_EQ(waitpid(child, NULL, WNOHANG | WCONTINUED), 0);
	child_end(child);
}

static volatile sig_atomic_t chld_count, chld_code, chld_status;

static void chld_handler(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	chld_code = info->si_code;
	chld_status = info->si_status;
	chld_count++;
}

static void chld_wait(int count)
{
	for (int i = 0; chld_count < count && i < 10000; i++)
		sleep_ms(1);
	CHECK_EQ(chld_count, count);
}

TEST(parent_gets_sigchld_for_stop_and_continue)
{
	struct sigaction action = {.sa_sigaction = chld_handler, .sa_flags = SA_SIGINFO};
	pid_t child;

	CHECK(sigaction(SIGCHLD, &action, NULL) == 0);
	child = child_counts();
	kill(child, SIGTSTP);
	chld_wait(1);
	CHECK_EQ(chld_code, CLD_STOPPED);
	CHECK_EQ(chld_status, SIGTSTP);
	kill(child, SIGCONT);
	chld_wait(2);
	CHECK_EQ(chld_code, CLD_CONTINUED);
	kill(child, SIGKILL);
	chld_wait(3);
	CHECK_EQ(chld_code, CLD_KILLED);
	CHECK_EQ(chld_status, SIGKILL);
}

TEST(nocldstop_silences_stops)
{
	struct sigaction action = {
		.sa_sigaction = chld_handler, .sa_flags = SA_SIGINFO | SA_NOCLDSTOP};
	pid_t child;

	CHECK(sigaction(SIGCHLD, &action, NULL) == 0);
	child = child_counts();
	kill(child, SIGSTOP);
	while (waitpid(child, NULL, WUNTRACED) < 0)
		CHECK_EQ(errno, EINTR);
	kill(child, SIGCONT);
	while (waitpid(child, NULL, WCONTINUED) < 0)
		CHECK_EQ(errno, EINTR);
	sleep_ms(20);
	CHECK_EQ(chld_count, 0);
	kill(child, SIGKILL);
	chld_wait(1);
}

TEST(kill_ends_a_stopped_process)
{
	pid_t child = child_counts();

	kill(child, SIGSTOP);
	expect_stopped(child, SIGSTOP);
	child_end(child);
}

TEST(other_signals_wait_until_continued)
{
	pid_t child = child_counts();
	int status;

	kill(child, SIGSTOP);
	expect_stopped(child, SIGSTOP);
	kill(child, SIGTERM);
	sleep_ms(30);
	CHECK_EQ(waitpid(child, &status, WNOHANG), 0);
	kill(child, SIGCONT);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(WTERMSIG(status), SIGTERM);
}

TEST(continue_removes_pending_stops_and_stops_remove_pending_continue)
{
	sigset_t set, pending;

	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGTSTP);
	sigpending(&pending);
	CHECK(sigismember(&pending, SIGTSTP));
	raise(SIGCONT);
	sigpending(&pending);
	CHECK(!sigismember(&pending, SIGTSTP));
	CHECK(sigismember(&pending, SIGCONT));
	raise(SIGTTIN);
	sigpending(&pending);
	CHECK(!sigismember(&pending, SIGCONT));
	CHECK(sigismember(&pending, SIGTTIN));
}

TEST(stop_cannot_be_blocked_caught_or_ignored)
{
	struct sigaction action = {.sa_handler = SIG_IGN};
	sigset_t set;
	pid_t child;

	CHECK_ERRNO(sigaction(SIGSTOP, &action, NULL), EINVAL);
	CHECK_ERRNO(sigaction(SIGKILL, &action, NULL), EINVAL);
	sigfillset(&set);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	CHECK(sigprocmask(SIG_BLOCK, NULL, &set) == 0);
	CHECK(!sigismember(&set, SIGSTOP) && !sigismember(&set, SIGKILL));
	child = child_counts();
	kill(child, SIGSTOP);
	expect_stopped(child, SIGSTOP);
	child_end(child);
}

static volatile sig_atomic_t cont_seen;

static void cont_handler(int signal)
{
	cont_seen = signal;
	counter[1] = 1;
}

TEST(continue_wakes_even_when_blocked_and_runs_a_handler)
{
	pid_t child;

	counter = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	signal(SIGCONT, cont_handler);
	child = child_counts();
	kill(child, SIGSTOP);
	expect_stopped(child, SIGSTOP);
	CHECK_EQ(counter[1], 0);
	kill(child, SIGCONT);
	while (!counter[1])
		sleep_ms(1);
	child_end(child);
}

TEST(caught_terminal_stop_does_not_stop)
{
	pid_t child;

	counter = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	signal(SIGTSTP, cont_handler);
	child = child_counts();
	kill(child, SIGTSTP);
	while (!counter[1])
		sleep_ms(1);
	CHECK_EQ(waitpid(child, NULL, WNOHANG | WUNTRACED), 0);
	child_end(child);
}

static void *thread_counts(void *argument)
{
	volatile unsigned *own = &counter[(size_t)argument];

	for (;;) {
		(*own)++;
		sleep_ms(1);
	}
	return NULL;
}

TEST(all_threads_stop_and_continue)
{
	pid_t child;
	unsigned before[4];

	counter = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	child = fork();
	if (child == 0) {
		pthread_t thread;

		for (size_t i = 1; i < 4; i++)
			pthread_create(&thread, NULL, thread_counts, (void *)i);
		thread_counts(NULL);
	}
	while (!counter[0] || !counter[1] || !counter[2] || !counter[3])
		sleep_ms(1);
	kill(child, SIGSTOP);
	expect_stopped(child, SIGSTOP);
	memcpy(before, (void *)counter, sizeof(before));
	sleep_ms(50);
	CHECK(!memcmp(before, (void *)counter, sizeof(before)));
	kill(child, SIGCONT);
	while (counter[0] == before[0] || counter[1] == before[1] || counter[2] == before[2] ||
		counter[3] == before[3])
		sleep_ms(1);
	child_end(child);
}

TEST(stop_by_tgkill_of_one_thread_stops_the_process)
{
	pid_t child = child_counts();

	CHECK(syscall(SYS_tgkill, child, child, SIGSTOP) == 0);
	expect_stopped(child, SIGSTOP);
	child_end(child);
}

/* False: the sleep was over before it was stopped. */
static bool stopped_in_its_sleep(void)
{
	struct timespec second = {1, 0};
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(nanosleep(&second, NULL) == 0 ? 0 : 1);
	wait_asleep(child);
	kill(child, SIGSTOP);
	CHECK(waitpid(child, &status, WUNTRACED) == child);
	if (WIFSTOPPED(status)) {
		CHECK_EQ(WSTOPSIG(status), SIGSTOP);
		kill(child, SIGCONT);
		CHECK(waitpid(child, &status, 0) == child);
		CHECK_EQ(status, 0);
		return true;
	}
	CHECK_EQ(status, 0);
	return false;
}

TEST(a_sleep_goes_on_after_stop_and_continue)
{
	while (!stopped_in_its_sleep())
		;
}

TEST(stop_continue_many_times)
{
	pid_t child = child_counts();

	for (int i = 0; i < 200; i++) {
		int status;

		kill(child, SIGSTOP);
		expect_stopped(child, SIGSTOP);
		kill(child, SIGCONT);
		CHECK(waitpid(child, &status, WCONTINUED) == child);
	}
	child_end(child);
}

GUEST_TEST_MAIN()
