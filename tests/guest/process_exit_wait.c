/* SPDX-License-Identifier: Apache-2.0 */
/* exit, wait4, waitid: statuses, options, who may wait for whom, reparenting, times of children. */
#include "tests/guest/guest_test.h"

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static pid_t child_exits(int code)
{
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0)
		_exit(code);
	return child;
}

static pid_t child_pauses(void)
{
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0)
		for (;;)
			pause();
	return child;
}

TEST(exit_codes_are_eight_bits)
{
	int status;

	for (int code = -1; code < 600; code += 77) {
		pid_t child = child_exits(code);

		CHECK(waitpid(child, &status, 0) == child);
		CHECK(WIFEXITED(status));
		CHECK_EQ(WEXITSTATUS(status), code & 255);
		CHECK_EQ(status, (code & 255) << 8);
	}
}

TEST(death_by_each_signal_shows_it)
{
	int signals[] = {SIGHUP, SIGINT, SIGKILL, SIGUSR1, SIGPIPE, SIGALRM, SIGTERM, SIGIO,
		SIGRTMIN, SIGRTMAX},
	    status;

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		pid_t child = child_pauses();

		CHECK(kill(child, signals[i]) == 0);
		CHECK(waitpid(child, &status, 0) == child);
		CHECK_EQ(status, signals[i]);
	}
}

static void dies_of_abort(void)
{
	struct rlimit limit = {0, 0};

	setrlimit(RLIMIT_CORE, &limit);
	abort();
}

TEST(abort_is_sigabrt)
{
	int status = in_child(dies_of_abort);

	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), SIGABRT);
}

TEST(wnohang_before_and_after)
{
	pid_t child = child_pauses();
	int status = 99;

	CHECK_EQ(waitpid(child, &status, WNOHANG), 0);
	CHECK_EQ(status, 99);
	kill(child, SIGKILL);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_ERRNO(waitpid(child, &status, WNOHANG), ECHILD);
}

TEST(wait_errors)
{
	pid_t child;

	CHECK_ERRNO(wait(NULL), ECHILD);
	CHECK_ERRNO(waitpid(getpid(), NULL, 0), ECHILD);
	CHECK_ERRNO(waitpid(getppid(), NULL, 0), ECHILD);
	CHECK_ERRNO(waitpid(1 << 22, NULL, 0), ECHILD);
	CHECK_ERRNO(waitpid(-(1 << 22), NULL, 0), ECHILD);
	CHECK_ERRNO(waitpid(INT32_MIN, NULL, 0), ESRCH);
	CHECK_ERRNO(waitpid(-1, NULL, 0x100), EINVAL);
	child = child_exits(0);
	CHECK_ERRNO(syscall(SYS_wait4, child, (void *)8, 0, NULL), EFAULT);
	CHECK_ERRNO(waitpid(child, NULL, 0), ECHILD); /* it was reaped all the same */
}

TEST(waitid_errors)
{
	siginfo_t info;

	CHECK_ERRNO(waitid(P_ALL, 0, &info, 0), EINVAL);
	CHECK_ERRNO(waitid(P_ALL, 0, &info, WNOHANG), EINVAL);
	CHECK_ERRNO(waitid(P_ALL, 0, &info, WEXITED | 0x100), EINVAL);
	CHECK_ERRNO(waitid((idtype_t)77, 0, &info, WEXITED), EINVAL);
	CHECK_ERRNO(waitid(P_PID, 0, &info, WEXITED), EINVAL);
	CHECK_ERRNO(waitid(P_PID, (id_t)-5, &info, WEXITED), EINVAL);
	CHECK_ERRNO(waitid(P_ALL, 0, &info, WEXITED), ECHILD);
	CHECK_ERRNO(waitid((idtype_t)3 /* P_PIDFD */, 9999, &info, WEXITED), EBADF);
}

TEST(waitid_fills_siginfo)
{
	siginfo_t info;
	pid_t child = child_exits(17);

	memset(&info, 0xee, sizeof(info));
	CHECK(waitid(P_PID, (id_t)child, &info, WEXITED) == 0);
	CHECK_EQ(info.si_signo, SIGCHLD);
	CHECK_EQ(info.si_code, CLD_EXITED);
	CHECK_EQ(info.si_errno, 0);
	CHECK_EQ(info.si_pid, child);
	CHECK_EQ(info.si_uid, getuid());
	CHECK_EQ(info.si_status, 17);
	child = child_pauses();
	memset(&info, 0xee, sizeof(info));
	CHECK(waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG) == 0);
	CHECK_EQ(info.si_pid, 0);
	CHECK_EQ(info.si_signo, 0);
	kill(child, SIGTERM);
	CHECK(waitid(P_PID, (id_t)child, &info, WEXITED) == 0);
	CHECK_EQ(info.si_code, CLD_KILLED);
	CHECK_EQ(info.si_status, SIGTERM);
}

TEST(waitid_without_siginfo_and_with_rusage)
{
	struct rusage usage = {.ru_maxrss = -1};
	pid_t child = child_exits(0);

	CHECK_EQ(syscall(SYS_waitid, P_PID, child, NULL, WEXITED, &usage), 0);
	CHECK(usage.ru_maxrss >= 0);
}

TEST(wnowait_leaves_the_child_waitable)
{
	siginfo_t info;
	int status;
	pid_t child = child_exits(5);

	for (int i = 0; i < 3; i++) {
		info.si_pid = 0;
		CHECK(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) == 0);
		CHECK_EQ(info.si_pid, child);
	}
	CHECK(kill(child, 0) == 0); /* a zombie still has its number */
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_ERRNO(kill(child, 0), ESRCH);
}

TEST(waits_by_group)
{
	siginfo_t info;
	int status;
	pid_t other = child_exits(1), grouped = fork();

	if (grouped == 0) {
		setpgid(0, 0);
		_exit(2);
	}
	setpgid(grouped, grouped);
	CHECK(waitpid(-grouped, &status, 0) == grouped);
	CHECK_EQ(WEXITSTATUS(status), 2);
	CHECK_ERRNO(waitpid(-grouped, &status, 0), ECHILD);
	CHECK(waitid(P_PGID, (id_t)getpgrp(), &info, WEXITED) == 0);
	CHECK_EQ(info.si_pid, other);
	other = child_exits(3);
	CHECK(waitpid(0, &status, 0) == other);
	other = child_exits(3);
	CHECK(waitid(P_PGID, 0, &info, WEXITED) == 0);
}

TEST(ignored_sigchld_reaps_by_itself)
{
	pid_t child;

	signal(SIGCHLD, SIG_IGN);
	child = child_exits(0);
	CHECK_ERRNO(waitpid(child, NULL, 0), ECHILD);
	CHECK_ERRNO(kill(child, 0), ESRCH);
}

static volatile sig_atomic_t chld_count, chld_code, chld_status;

static void chld_handler(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	chld_count++;
	chld_code = info->si_code;
	chld_status = info->si_status;
}

TEST(nocldwait_reaps_but_tells)
{
	struct sigaction action = {
		.sa_sigaction = chld_handler, .sa_flags = SA_SIGINFO | SA_NOCLDWAIT};
	pid_t child;

	CHECK(sigaction(SIGCHLD, &action, NULL) == 0);
	child = child_exits(9);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	CHECK_EQ(errno, ECHILD);
	CHECK_EQ(chld_count, 1);
	CHECK_EQ(chld_code, CLD_EXITED);
	CHECK_EQ(chld_status, 9);
}

TEST(sigchld_default_is_ignored_but_zombie_stays)
{
	pid_t child;
	int status;

	signal(SIGCHLD, SIG_DFL);
	child = child_exits(3);
	sleep_ms(20);
	CHECK(waitpid(child, &status, 0) == child);
}

TEST(orphans_go_to_the_subreaper)
{
	int fds[2], status;
	pid_t middle, orphan = 0, parent = 0;

	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	CHECK(pipe(fds) == 0);
	middle = fork();
	if (middle == 0) {
		pid_t me = getpid();

		orphan = fork();
		if (orphan == 0) {
			while (getppid() == me)
				sleep_ms(1);
			parent = getppid();
			CHECK_EQ(write(fds[1], &parent, sizeof(parent)), (ssize_t)sizeof(parent));
			_exit(44);
		}
		_exit(0);
	}
	CHECK(waitpid(middle, &status, 0) == middle);
	CHECK_EQ(read(fds[0], &parent, sizeof(parent)), (ssize_t)sizeof(parent));
	CHECK_EQ(parent, getpid());
	CHECK(wait(&status) > 0);
	CHECK_EQ(WEXITSTATUS(status), 44);
}

TEST(rusage_of_children_grows_only_when_reaped)
{
	struct rusage before, after, own;
	pid_t child = fork();

	if (child == 0) {
		struct timespec used;

		do
			clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
		while (used.tv_sec == 0 && used.tv_nsec < 60000000);
		_exit(0);
	}
	siginfo_t info;
	CHECK(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) == 0);
	CHECK(getrusage(RUSAGE_CHILDREN, &before) == 0);
	CHECK(wait4(child, NULL, 0, &own) == child);
	CHECK(getrusage(RUSAGE_CHILDREN, &after) == 0);
	CHECK_EQ(before.ru_utime.tv_sec * 1000000 + before.ru_utime.tv_usec, 0);
	CHECK(own.ru_utime.tv_usec + own.ru_stime.tv_usec +
			(own.ru_utime.tv_sec + own.ru_stime.tv_sec) * 1000000 >
		20000);
	CHECK(after.ru_utime.tv_usec + after.ru_stime.tv_usec > 20000 || after.ru_utime.tv_sec);
}

static pid_t thread_child;

static void *thread_forks(void *argument)
{
	(void)argument;
	thread_child = child_exits(8);
	return NULL;
}

TEST(a_child_of_one_thread_can_be_waited_for_by_another)
{
	pthread_t thread;
	int status;

	CHECK(pthread_create(&thread, NULL, thread_forks, NULL) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(waitpid(thread_child, &status, 0) == thread_child);
	CHECK_EQ(WEXITSTATUS(status), 8);
}

static pthread_barrier_t wnothread_barrier;

static void *thread_forks_and_stays(void *argument)
{
	thread_child = child_exits(8);
	pthread_barrier_wait(&wnothread_barrier);
	pthread_barrier_wait(&wnothread_barrier);
	return argument;
}

TEST(wnothread_sees_only_own_children)
{
	pthread_t thread;

	pthread_barrier_init(&wnothread_barrier, NULL, 2);
	CHECK(pthread_create(&thread, NULL, thread_forks_and_stays, NULL) == 0);
	pthread_barrier_wait(&wnothread_barrier);
	CHECK_ERRNO(waitpid(thread_child, NULL, __WNOTHREAD), ECHILD);
	CHECK(waitpid(thread_child, NULL, 0) == thread_child);
	pthread_barrier_wait(&wnothread_barrier);
	CHECK(pthread_join(thread, NULL) == 0);
}

static void *thread_exits_group(void *argument)
{
	(void)argument;
	syscall(SYS_exit_group, 33);
	return NULL;
}

static void group_exit_from_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, thread_exits_group, NULL);
	for (;;)
		pause();
}

TEST(exit_group_from_any_thread_ends_all)
{
	CHECK_EQ(in_child(group_exit_from_thread), 33 << 8);
}

static void *thread_sleeps_and_exits(void *argument)
{
	(void)argument;
	sleep_ms(50);
	syscall(SYS_exit, 7);
	return NULL;
}

static void leader_exits_first(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, thread_sleeps_and_exits, NULL);
	syscall(SYS_exit, 5);
}

TEST(the_process_lives_until_its_last_thread)
{
	int64_t start = now_ns();

	/* since Linux 5.17 the status is that of the last thread */
	CHECK_EQ(in_child(leader_exits_first), 7 << 8);
	CHECK(now_ns() - start > 30000000);
}

TEST(parent_death_signal_arrives)
{
	int fds[2];
	char byte;
	pid_t child;

	CHECK(pipe(fds) == 0);
	child = fork();
	if (child == 0) {
		pid_t me = getpid();

		if (fork() == 0) {
			sigset_t set;
			int got;

			sigemptyset(&set);
			sigaddset(&set, SIGUSR1);
			sigprocmask(SIG_BLOCK, &set, NULL);
			prctl(PR_SET_PDEATHSIG, SIGUSR1);
			if (getppid() == me)
				kill(me, SIGKILL);
			CHECK(sigwait(&set, &got) == 0);
			CHECK_EQ(write(fds[1], "d", 1), 1);
			_exit(0);
		}
		for (;;)
			pause();
	}
	close(fds[1]);
	CHECK_EQ(read(fds[0], &byte, 1), 1);
	CHECK_EQ(byte, 'd');
	CHECK(waitpid(child, NULL, 0) == child);
}

TEST(wait_is_woken_by_each_of_many)
{
	bool seen[50] = {false};

	for (int i = 0; i < 50; i++)
		child_exits(i);
	for (int i = 0; i < 50; i++) {
		int status;

		CHECK(wait(&status) > 0);
		CHECK(!seen[WEXITSTATUS(status)]);
		seen[WEXITSTATUS(status)] = true;
	}
	CHECK_ERRNO(wait(NULL), ECHILD);
}

static void on_child(int number)
{
	(void)number;
}

TEST(a_child_that_ends_interrupts_no_wait_for_it)
{
	struct sigaction action = {.sa_handler = on_child};

	/* The signal comes with the end: whoever waits hears of the end. */
	CHECK(sigaction(SIGCHLD, &action, NULL) == 0);
	for (int i = 0; i < 500; i++) {
		pid_t child = fork();

		if (child == 0)
			_exit(0);
		CHECK_EQ(wait(NULL), child);
	}
}

GUEST_TEST_MAIN()
