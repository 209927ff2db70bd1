/* SPDX-License-Identifier: Apache-2.0 */
/* execve in a process with several threads: the others die, whoever calls becomes the leader. */
#include "tests/guest/guest_test.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/syscall.h>

static void *waits(void *argument)
{
	pause();
	return argument;
}

static void *spins(void *argument)
{
	for (volatile long i = 0;; i++)
		;
	return argument;
}

static void *blocks_in_read(void *argument)
{
	int fds[2];
	char byte;

	if (pipe(fds) == 0 && read(fds[0], &byte, 1) == 1)
		return NULL;
	return argument;
}

static void threads_start(void)
{
	void *(*const kinds[])(void *) = {waits, spins, blocks_in_read};
	pthread_t thread;

	for (int i = 0; i < 3; i++)
		CHECK(pthread_create(&thread, NULL, kinds[i], NULL) == 0);
}

static int output; /* the writing end of the pipe that the new program gets as stdout */

static void exec_shell(const char *command)
{
	dup2(output, 1);
	execl("/bin/sh", "sh", "-c", command, NULL);
	_exit(99);
}

#define REPORT "echo $$; grep -E '^(Tgid|Pid|Threads):' /proc/self/status; exit 11"

static void *execs(void *argument)
{
	exec_shell(argument);
	return NULL;
}

static void from_leader(void)
{
	threads_start();
	sleep_ms(10);
	exec_shell(REPORT);
}

static void from_thread(void)
{
	pthread_t thread;

	threads_start();
	pthread_create(&thread, NULL, execs, REPORT);
	for (;;)
		pause();
}

static void from_thread_after_leader_exited(void)
{
	pthread_t thread;

	threads_start();
	pthread_create(&thread, NULL, execs, "sleep 0.05;" REPORT);
	syscall(SYS_exit, 0);
}

static void check_exec(void (*function)(void))
{
	int fds[2], status;
	char text[256] = "";
	size_t length = 0;
	ssize_t got;
	pid_t child;

	CHECK(pipe2(fds, O_CLOEXEC) == 0);
	output = fds[1];
	child = fork();
	if (child == 0) {
		function();
		_exit(98);
	}
	close(fds[1]);
	while ((got = read(fds[0], text + length, sizeof(text) - 1 - length)) > 0)
		length += (size_t)got;
	text[length] = 0;
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 11 << 8);
	CHECK_EQ(atoi(text), child); /* the process keeps its number */
	CHECK(strstr(text, "Threads:\t1\n"));
}

TEST(from_the_leader)
{
	check_exec(from_leader);
}

TEST(from_another_thread)
{
	check_exec(from_thread);
}

TEST(from_another_thread_after_the_leader_exited)
{
	check_exec(from_thread_after_leader_exited);
}

TEST(from_another_thread_fifty_times)
{
	for (int i = 0; i < 50; i++)
		check_exec(i % 2 ? from_thread : from_leader);
}

static pthread_barrier_t barrier;

static void *races(void *argument)
{
	pthread_barrier_wait(&barrier);
	execl("/bin/sh", "sh", "-c", "exit 12", NULL);
	return argument;
}

static void two_execs(void)
{
	pthread_t thread;

	pthread_barrier_init(&barrier, NULL, 2);
	pthread_create(&thread, NULL, races, NULL);
	races(NULL);
}

TEST(two_threads_that_exec_at_once)
{
	for (int i = 0; i < 50; i++)
		CHECK_EQ(in_child(two_execs), 12 << 8);
}

static void *exits_group(void *argument)
{
	pthread_barrier_wait(&barrier);
	syscall(SYS_exit_group, 13);
	return argument;
}

static void exec_against_exit(void)
{
	pthread_t thread;

	pthread_barrier_init(&barrier, NULL, 2);
	pthread_create(&thread, NULL, exits_group, NULL);
	races(NULL);
}

TEST(exec_against_exit_group)
{
	for (int i = 0; i < 50; i++) {
		int status = in_child(exec_against_exit);

		CHECK(status == 12 << 8 || status == 13 << 8);
	}
}

TEST(exec_against_sigkill)
{
	for (int i = 0; i < 50; i++) {
		pid_t child = fork();
		int status;

		if (child == 0) {
			from_thread();
			_exit(0);
		}
		sleep_ms(i % 5);
		kill(child, SIGKILL);
		CHECK(waitpid(child, &status, 0) == child);
		CHECK(status == SIGKILL || status == 11 << 8);
	}
}

static void *fails_to_exec(void *argument)
{
	execl("/nonexistent", "x", NULL);
	CHECK_EQ(errno, ENOENT);
	return argument;
}

TEST(a_failed_exec_harms_no_thread)
{
	pthread_t thread, other;

	CHECK(pthread_create(&other, NULL, waits, NULL) == 0);
	CHECK(pthread_create(&thread, NULL, fails_to_exec, NULL) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(pthread_kill(other, 0) == 0);
}

TEST(pending_process_signals_survive_exec)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		sigset_t set;

		sigemptyset(&set);
		sigaddset(&set, SIGTERM);
		sigprocmask(SIG_BLOCK, &set, NULL);
		kill(getpid(), SIGTERM);
		threads_start();
		execl("/bin/grep", "grep", "-q", "^ShdPnd:.0000000000004000", "/proc/self/status",
			NULL);
		_exit(99);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
}

GUEST_TEST_MAIN()
