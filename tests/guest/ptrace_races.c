/* SPDX-License-Identifier: Apache-2.0 */
/* ptrace against what may happen at the same time: exits, signals, job control, clones and the
 * death of the tracer. */
#include "guest_test.h"

#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#define ROUNDS 1000

static pid_t spinner(void)
{
	pid_t child = fork();

	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			getppid();
	}
	CHECK(child > 0);
	return child;
}

static int wait_for(pid_t task)
{
	int status;

	CHECK_EQ(waitpid(task, &status, __WALL | WUNTRACED), task);
	return status;
}

static void end(pid_t child)
{
	int status;

	kill(child, SIGKILL);
	do
		status = wait_for(child);
	while (WIFSTOPPED(status));
	CHECK_EQ(status, SIGKILL);
}

TEST(attach_against_exit)
{
	srand(1);
	for (int i = 0; i < ROUNDS; i++) {
		int status;
		pid_t child = fork();

		if (child == 0)
			_exit(3);
		usleep(rand() % 400);
		if (ptrace(i & 1 ? PTRACE_SEIZE : PTRACE_ATTACH, child, 0, 0))
			CHECK(errno == EPERM || errno == ESRCH);
		while (WIFSTOPPED(status = wait_for(child)))
			ptrace(PTRACE_CONT, child, 0, 0);
		CHECK_EQ(status, 3 << 8);
	}
}

/* A continue that is sent at any moment of the detaching never leaves a stopped process behind. */
TEST(detach_against_sigcont)
{
	for (int i = 0; i < ROUNDS; i++) {
		pid_t child = spinner(), sender;

		CHECK_EQ(ptrace(PTRACE_SEIZE, child, 0, 0), 0);
		kill(child, SIGSTOP);
		CHECK(WIFSTOPPED(wait_for(child)));
		CHECK_EQ(ptrace(PTRACE_CONT, child, 0, SIGSTOP), 0);
		CHECK_EQ(wait_for(child) >> 16, PTRACE_EVENT_STOP);
		sender = fork();
		if (sender == 0) {
			kill(child, SIGCONT);
			_exit(0);
		}
		CHECK_EQ(ptrace(PTRACE_DETACH, child, 0, 0), 0);
		CHECK_EQ(wait_for(sender), 0);
		kill(child, SIGTERM);
		int status;

		/* A stop that nobody took may still be reported; it is over. */
		while (WIFSTOPPED(status = wait_for(child)))
			;
		CHECK_EQ(status, SIGTERM);
	}
}

/* A stop that is sent at any moment of the detaching is one, for the parent. */
TEST(detach_against_sigstop)
{
	for (int i = 0; i < ROUNDS; i++) {
		pid_t child = spinner(), sender;

		CHECK_EQ(ptrace(PTRACE_SEIZE, child, 0, 0), 0);
		CHECK_EQ(ptrace(PTRACE_INTERRUPT, child, 0, 0), 0);
		CHECK_EQ(wait_for(child) >> 16, PTRACE_EVENT_STOP);
		sender = fork();
		if (sender == 0) {
			kill(child, SIGSTOP);
			_exit(0);
		}
		CHECK_EQ(ptrace(PTRACE_DETACH, child, 0, 0), 0);
		CHECK_EQ(wait_for(sender), 0);
		CHECK_EQ(wait_for(child), SIGSTOP << 8 | 0x7f);
		end(child);
	}
}

/* However the tracer dies, its tracee runs on, or dies with it. */
TEST(tracer_death_against_stop)
{
	srand(2);
	for (int i = 0; i < ROUNDS; i++) {
		pid_t child = spinner(), tracer = fork();
		int status;

		if (tracer == 0) {
			if (ptrace(PTRACE_SEIZE, child, 0, i & 1 ? PTRACE_O_EXITKILL : 0))
				_exit(1);
			kill(child, SIGUSR1);
			if (i & 2)
				waitpid(child, &status, __WALL);
			raise(SIGKILL);
		}
		CHECK_EQ(wait_for(tracer), SIGKILL);
		if (!(i & 1) && i & 4)
			kill(child, SIGTERM);
		if (!(i & 1) && !(i & 4))
			kill(child, SIGKILL);
		status = wait_for(child);
		CHECK(WIFSIGNALED(status));
		if (i & 1)
			CHECK(status == SIGKILL || status == SIGUSR1);
	}
}

/* An interrupt and a signal: both are reported, each once. */
TEST(interrupt_against_signal)
{
	pid_t child = spinner();

	CHECK_EQ(ptrace(PTRACE_SEIZE, child, 0, 0), 0);
	for (int i = 0; i < ROUNDS; i++) {
		pid_t sender = fork();
		int signals = 0, stops = 0;

		if (sender == 0) {
			kill(child, SIGUSR1);
			_exit(0);
		}
		CHECK_EQ(ptrace(PTRACE_INTERRUPT, child, 0, 0), 0);
		/* The stop for a signal takes the interrupt along when it comes second. */
		while (!signals) {
			int status = wait_for(child);

			CHECK(WIFSTOPPED(status));
			signals += WSTOPSIG(status) == SIGUSR1;
			stops += status >> 16 == PTRACE_EVENT_STOP;
			CHECK_EQ(ptrace(PTRACE_CONT, child, 0, 0), 0);
		}
		CHECK_EQ(wait_for(sender), 0);
		if (!stops) {
			CHECK_EQ(ptrace(PTRACE_INTERRUPT, child, 0, 0), 0);
			CHECK_EQ(wait_for(child) >> 16, PTRACE_EVENT_STOP);
			CHECK_EQ(ptrace(PTRACE_CONT, child, 0, 0), 0);
		}
		CHECK_EQ(signals, 1);
		/* The second interrupt may come after the stop of the first: one is the next
		 * round's. */
		CHECK(stops <= 2);
	}
	end(child);
}

static void *nothing(void *unused)
{
	return unused;
}

static void clone_for_ever(void)
{
	for (;;) {
		pthread_t thread;
		pid_t child;

		if (pthread_create(&thread, NULL, nothing, NULL) == 0)
			pthread_join(thread, NULL);
		child = fork();
		if (child == 0)
			_exit(0);
		waitpid(child, NULL, 0);
	}
}

/* Everything that was born traced is reported as gone, wherever the kill met its birth. */
TEST(clone_against_sigkill)
{
	srand(3);
	for (int i = 0; i < ROUNDS; i++) {
		pid_t child = fork();
		int status, left = 0;

		if (child == 0)
			clone_for_ever();
		CHECK_EQ(ptrace(PTRACE_SEIZE, child, 0,
				 PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK),
			0);
		left = rand() % 8;
		for (;;) {
			pid_t task = waitpid(-1, &status, __WALL);

			if (task < 0)
				break;
			if (WIFSTOPPED(status))
				ptrace(PTRACE_CONT, task, 0, status >> 16 ? 0 : WSTOPSIG(status));
			if (left-- == 0)
				kill(child, SIGKILL);
			if (task == child && !WIFSTOPPED(status))
				CHECK_EQ(status, SIGKILL);
		}
		CHECK_EQ(errno, ECHILD);
	}
}

GUEST_TEST_MAIN()
