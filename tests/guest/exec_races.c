/* SPDX-License-Identifier: Apache-2.0 */
/* execve against what may happen at the same time: another execve, exit_group, SIGKILL and an
 * attaching tracer. */
#include "guest_test.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#define ROUNDS	    1000
#define EXEC_STATUS 7
#define EXIT_STATUS 5

static int gate[2];

static void new_gate(void)
{
	CHECK(pipe(gate) == 0);
}

static void wait_gate(void)
{
	char byte;

	close(gate[1]);
	while (read(gate[0], &byte, 1) < 0)
		;
}

static void *exec_self(void *unused)
{
	static char *arguments[] = {"exec_races", "--exit", NULL}, *environment[] = {NULL};

	(void)unused;
	execve("/proc/self/exe", arguments, environment);
	return NULL;
}

static void *exit_all(void *unused)
{
	(void)unused;
	_exit(EXIT_STATUS);
}

static void *spin(void *unused)
{
	for (;;)
		getppid();
	return unused;
}

/* A process of a spinning thread and one for each of the two functions; its first thread runs the
 * first or waits. */
static pid_t race_of(void *(*first)(void *), void *(*second)(void *))
{
	pid_t child = fork();
	pthread_t thread;

	if (child)
		return child;
	pthread_create(&thread, NULL, spin, NULL);
	if (second)
		pthread_create(&thread, NULL, second, NULL);
	pthread_create(&thread, NULL, first, NULL);
	for (;;)
		pause();
}

/* Nothing may be left to wait for: neither a thread nor a process that lost the race. */
static void check_no_child(void)
{
	CHECK_ERRNO(waitpid(-1, NULL, __WALL), ECHILD);
}

TEST(exec_against_exec)
{
	for (int i = 0; i < ROUNDS; i++) {
		int status;
		pid_t child = race_of(exec_self, exec_self);

		CHECK_EQ(waitpid(child, &status, 0), child);
		CHECK_EQ(status, EXEC_STATUS << 8);
	}
	check_no_child();
}

TEST(exec_against_exit_group)
{
	for (int i = 0; i < ROUNDS; i++) {
		int status;
		pid_t child = i & 1 ? race_of(exec_self, exit_all) : race_of(exit_all, exec_self);

		CHECK_EQ(waitpid(child, &status, 0), child);
		CHECK(status == EXEC_STATUS << 8 || status == EXIT_STATUS << 8);
	}
	check_no_child();
}

TEST(exec_against_sigkill)
{
	srand(1);
	for (int i = 0; i < ROUNDS; i++) {
		int status;
		pid_t child = race_of(exec_self, NULL);

		usleep(rand() % 2000);
		kill(child, SIGKILL);
		CHECK_EQ(waitpid(child, &status, 0), child);
		if (status != EXEC_STATUS << 8)
			CHECK_EQ(status, SIGKILL);
	}
	check_no_child();
}

/* Lets a tracee run to its end, whatever it stops for; its status. */
static int run_to_end(pid_t tracee)
{
	int status;

	for (;;) {
		int number;

		CHECK_EQ(waitpid(tracee, &status, __WALL), tracee);
		if (!WIFSTOPPED(status))
			return status;
		number = WSTOPSIG(status);
		ptrace(PTRACE_CONT, tracee, 0, number == SIGTRAP || number == SIGSTOP ? 0 : number);
	}
}

TEST(exec_against_attach)
{
	srand(2);
	for (int i = 0; i < ROUNDS; i++) {
		int status = 0;
		pid_t child = race_of(exec_self, NULL);

		usleep(rand() % 1500);
		if (ptrace(i & 1 ? PTRACE_SEIZE : PTRACE_ATTACH, child, 0, 0) == 0) {
			if (i & 1)
				ptrace(PTRACE_INTERRUPT, child, 0, 0);
			status = run_to_end(child);
		} else {
			CHECK(errno == EPERM || errno == ESRCH);
			CHECK_EQ(waitpid(child, &status, 0), child);
		}
		CHECK_EQ(status, EXEC_STATUS << 8);
	}
	check_no_child();
}

/* Every thread is traced when another than the leader executes: one event, of the leader's id, with
 * the former id. */
TEST(exec_of_a_traced_thread)
{
	for (int i = 0; i < ROUNDS / 4; i++) {
		unsigned long message;
		int status, execs = 0;
		pid_t child, task;

		new_gate();
		child = fork();
		if (child == 0) {
			pthread_t thread;

			wait_gate();
			pthread_create(&thread, NULL, spin, NULL);
			pthread_create(&thread, NULL, exec_self, NULL);
			for (;;)
				pause();
		}
		CHECK_EQ(ptrace(PTRACE_SEIZE, child, 0,
				 PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT),
			0);
		close(gate[0]);
		close(gate[1]);
		for (;;) {
			task = waitpid(-1, &status, __WALL);
			CHECK(task > 0);
			if (!WIFSTOPPED(status) && task == child)
				break;
			if (!WIFSTOPPED(status)) {
				CHECK_EQ(status, 0);
				continue;
			}
			if (status >> 16 == PTRACE_EVENT_EXEC) {
				CHECK_EQ(ptrace(PTRACE_GETEVENTMSG, task, 0, &message), 0);
				CHECK_EQ(task, child);
				CHECK(message != (unsigned long)child);
				execs++;
			}
			ptrace(PTRACE_CONT, task, 0, 0);
		}
		CHECK_EQ(execs, 1);
		CHECK_EQ(status, EXEC_STATUS << 8);
	}
	check_no_child();
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--exit"))
		return EXEC_STATUS;
	return guest_test_main(argc, argv);
}
