/* SPDX-License-Identifier: Apache-2.0 */
/* The stops of a tracee against what may happen at the same time: kills under requests and
 * attaching, continues under LISTEN, exits under INTERRUPT. */
#include "tests/guest/ptrace_test.h"

/* How long a tracee goes on before it exits; shared with it. */
static volatile int *calls_before_exit;

static void wait_for_ever(void)
{
	for (;;)
		pause();
}

static pid_t group_stopped(void)
{
	pid_t tracee = seize_of(wait_for_ever, 0);

	kill(tracee, SIGSTOP);
	CHECK_EQ(wait_for(tracee), STOPPED(SIGSTOP));
	go_with(PTRACE_CONT, tracee, SIGSTOP, GROUP_STOP(SIGSTOP));
	return tracee;
}

/* While requests are made a kill comes at any time: each request succeeds or
 * finds nobody, and the tracee dies. */
TEST(requests_against_sigkill)
{
	for (int i = 0; i < 1000; i++) {
		pid_t tracee, killer;
		struct user_regs_struct registers;
		struct user_fpregs_struct floating;
		unsigned long word;

		tracee = tracee_of(wait_for_ever);
		killer = fork();
		if (killer == 0) {
			for (int spin = i % 50 * 20; spin > 0; spin--)
				getppid();
			kill(tracee, SIGKILL);
			_exit(0);
		}
		for (;;) {
			/* The killer must get at the processor, too. */
			usleep(50);
			if (request(PTRACE_GETREGS, tracee, 0, (unsigned long)&registers) ||
				request(PTRACE_SETREGS, tracee, 0, (unsigned long)&registers) ||
				request(PTRACE_GETFPREGS, tracee, 0, (unsigned long)&floating) ||
				request(PTRACE_PEEKDATA, tracee, (unsigned long)&tracee,
					(unsigned long)&word))
				break;
		}
		/* A dead one has no memory either. */
		CHECK(errno == ESRCH || errno == EIO);
		CHECK_EQ(wait_for(tracee), SIGKILL);
		CHECK_EQ(wait_for(killer), 0);
	}
}

/* Killed on its way from the stop of its group to that of its tracer, which does not wait for ever.
 */
TEST(attach_to_a_stopped_process_against_sigkill)
{
	for (int i = 0; i < 1000; i++) {
		pid_t child = fork(), killer;
		int status;

		if (child == 0) {
			raise(SIGSTOP);
			_exit(0);
		}
		CHECK_EQ(waitpid(child, &status, WUNTRACED), child);
		killer = fork();
		if (killer == 0) {
			for (int spin = i % 40 * 5; spin > 0; spin--)
				getppid();
			kill(child, SIGKILL);
			_exit(0);
		}
		if (request(i & 1 ? PTRACE_SEIZE : PTRACE_ATTACH, child, 0, 0))
			CHECK(errno == EPERM || errno == ESRCH);
		while (WIFSTOPPED(status = wait_for(child)))
			;
		CHECK_EQ(status, SIGKILL);
		CHECK_EQ(wait_for(killer), 0);
	}
}

/* A continue at any moment of LISTEN is told: the tracee never sleeps through it. */
TEST(listen_against_sigcont)
{
	pid_t tracee = group_stopped();

	for (int i = 0; i < 1000; i++) {
		pid_t sender = fork();
		int status;

		if (sender == 0) {
			for (int spin = i % 20 * 10; spin > 0; spin--)
				getppid();
			kill(tracee, SIGCONT);
			_exit(0);
		}
		CHECK_EQ(request(PTRACE_LISTEN, tracee, 0, 0), 0);
		CHECK_EQ(wait_for(tracee), EVENT_STOP(PTRACE_EVENT_STOP));
		CHECK_EQ(wait_for(sender), 0);
		go(PTRACE_CONT, tracee, STOPPED(SIGCONT));
		CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
		kill(tracee, SIGSTOP);
		status = wait_for(tracee);
		CHECK_EQ(status, STOPPED(SIGSTOP));
		go_with(PTRACE_CONT, tracee, SIGSTOP, GROUP_STOP(SIGSTOP));
	}
	end(tracee);
}

static void exit_soon(void)
{
	for (int i = 0; i < *calls_before_exit; i++)
		getppid();
	_exit(7);
}

/* An interrupt of one that is ending: it stops or it ends, and its end is told. */
TEST(interrupt_against_exit)
{
	calls_before_exit =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(calls_before_exit != MAP_FAILED);
	for (int i = 0; i < 1000; i++) {
		pid_t tracee;
		int status;

		*calls_before_exit = i % 50 * 4;
		tracee = seize_of(exit_soon, i & 1 ? PTRACE_O_TRACEEXIT : 0);
		(void)request(PTRACE_INTERRUPT, tracee, 0, 0);
		while (WIFSTOPPED(status = wait_for(tracee))) {
			CHECK_EQ(WSTOPSIG(status), SIGTRAP);
			CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
		}
		CHECK_EQ(status, EXITED(7));
	}
}

GUEST_TEST_MAIN()
