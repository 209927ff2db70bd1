/* SPDX-License-Identifier: Apache-2.0 */
/* pid namespaces: the first process of one, which signals reach it, whom it adopts and takes with
 * it, and what numbers signals, waits and tracers across the border show. */
#include "tests/guest/ptrace_test.h"

#include <sched.h>
#include <sys/prctl.h>

static struct {
	volatile int ready, go, signal, sender, code, value;
	volatile pid_t inner, parent;
} * seen;

/* The first process of a namespace, as the parent numbers it. */
static pid_t init_of(void (*function)(void))
{
	pid_t child;

	seen = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(seen != MAP_FAILED);
	seen->parent = getpid();
	child = (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
	if (child < 0 && errno == EPERM)
		SKIP("needs root");
	CHECK(child >= 0);
	if (child == 0) {
		function();
		_exit(0);
	}
	return child;
}

static void await(volatile int *flag)
{
	while (!*flag)
		sleep_ms(1);
}

static void finish(pid_t child)
{
	kill(child, SIGKILL);
	CHECK_EQ(wait_for(child), SIGKILL);
}

static void wait_for_ever(void)
{
	seen->ready = 1;
	for (;;)
		pause();
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
	(void)context;
	seen->signal = signal;
	seen->sender = info->si_pid;
	seen->code = info->si_code;
}

static void handle_term(void)
{
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGCHLD, &action, NULL);
}

/* --- signals --- */

/* What has no handler does not reach the first process, from inside not even SIGKILL. */
static void signal_oneself(void)
{
	const int signals[] = {
		SIGKILL, SIGSTOP, SIGTERM, SIGHUP, SIGTSTP, SIGUSR1, SIGABRT, SIGSEGV, SIGRTMIN};
	int status;
	pid_t child;

	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		CHECK(kill(1, signals[i]) == 0);
		CHECK(kill(getpid(), signals[i]) == 0);
		CHECK(raise(signals[i]) == 0);
	}
	child = fork();
	if (child == 0) {
		for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
			CHECK(kill(1, signals[i]) == 0);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	_exit(7);
}

TEST(signals_from_inside)
{
	CHECK_EQ(wait_for(init_of(signal_oneself)), EXITED(7));
}

static void handle_and_wait(void)
{
	handle_term();
	wait_for_ever();
}

/* From outside the two that nobody can handle do, and others if there is a handler. */
TEST(signals_from_outside)
{
	pid_t child = init_of(handle_and_wait);
	int status;

	await(&seen->ready);
	kill(child, SIGHUP);
	kill(child, SIGUSR1);
	kill(child, SIGTERM);
	while (seen->signal != SIGTERM)
		sleep_ms(1);
	/* The sender has no number inside. */
	CHECK_EQ(seen->sender, 0);
	kill(child, SIGSTOP);
	CHECK_EQ(waitpid(child, &status, WUNTRACED), child);
	CHECK_EQ(status, STOPPED(SIGSTOP));
	kill(child, SIGCONT);
	CHECK_EQ(waitpid(child, &status, WCONTINUED), child);
	kill(child, SIGTSTP);
	sleep_ms(10);
	CHECK_EQ(waitpid(child, &status, WUNTRACED | WNOHANG), 0);
	finish(child);
}

static void fault(void)
{
	*(volatile int *)8 = 1;
}

/* Its own faults kill it like everybody. */
TEST(faults)
{
	CHECK_EQ(wait_for(init_of(fault)) & ~0x80, SIGSEGV);
}

/* --- numbers --- */

static void numbers(void)
{
	char line[128];
	int outer = 0, inner = 0;
	FILE *file = fopen("/proc/self/status", "r");

	CHECK_EQ(getpid(), 1);
	CHECK_EQ(getppid(), 0);
	CHECK_EQ(getpgid(0), 0);
	CHECK_EQ(getsid(0), 0);
	CHECK_ERRNO(kill(seen->parent, 0), ESRCH);
	CHECK_ERRNO(request(PTRACE_ATTACH, seen->parent, 0, 0), ESRCH);
	/* The proc file system is the parent's, and shows both. */
	CHECK(file);
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, "NSpid:", 6))
			CHECK(sscanf(line + 6, "%d %d", &outer, &inner) == 2);
	CHECK_EQ(inner, 1);
	seen->inner = outer;
	_exit(0);
}

TEST(numbers_inside_and_outside)
{
	pid_t child;

	child = init_of(numbers);
	CHECK_EQ(wait_for(child), 0);
	CHECK_EQ(seen->inner, child);
}

static void leave_an_orphan(void)
{
	int status;
	pid_t child = fork(), orphan;

	if (child == 0) {
		if (fork() == 0) {
			while (getppid() != 1)
				sleep_ms(1);
			_exit(5);
		}
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	orphan = wait(&status);
	_exit(orphan == 3 && status == EXITED(5) ? 7 : 8);
}

TEST(orphans_go_to_the_first_process)
{
	CHECK_EQ(wait_for(init_of(leave_an_orphan)), EXITED(7));
}

static void with_others(void)
{
	/* One that ignores all it can, and one in a namespace of its own. */
	if (fork() == 0) {
		for (int i = 1; i < 32; i++)
			signal(i, SIG_IGN);
		for (;;)
			pause();
	}
	if (syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0) == 0) {
		if (fork() == 0)
			wait_for_ever();
		for (;;)
			pause();
	}
	while (!seen->ready)
		sleep_ms(1);
	_exit(7);
}

TEST(all_go_with_the_first)
{
	int fds[2];
	char byte;
	pid_t child;

	CHECK(pipe(fds) == 0);
	child = init_of(with_others);
	close(fds[1]);
	CHECK_EQ(wait_for(child), EXITED(7));
	CHECK_EQ(read(fds[0], &byte, 1), 0);
}

/* --- waits and signals across the border --- */

static void child_with_signal(void)
{
	pid_t child;

	handle_term();
	child = fork();
	if (child == 0)
		_exit(3);
	while (seen->signal != SIGCHLD)
		sleep_ms(1);
	_exit(seen->sender == child && child == 2 ? 7 : 8);
}

TEST(sigchld_carries_the_inner_number)
{
	CHECK_EQ(wait_for(init_of(child_with_signal)), EXITED(7));
}

static void signal_out(void)
{
	union sigval value = {.sival_int = 9};

	/* It has no number for anybody outside. */
	CHECK_ERRNO(sigqueue(seen->parent, SIGUSR1, value), ESRCH);
	_exit(0);
}

TEST(nobody_reaches_out)
{
	CHECK_EQ(wait_for(init_of(signal_out)), 0);
}

/* --- tracers --- */

static void fork_inside(void)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(3);
	CHECK(waitpid(child, &status, 0) == child);
	_exit(child == 2 && status == EXITED(3) ? 7 : 8);
}

static void wait_then_fork(void)
{
	seen->ready = 1;
	while (!seen->go)
		sleep_ms(1);
	fork_inside();
}

TEST(events_carry_the_tracer_s_numbers)
{
	pid_t tracee = init_of(wait_then_fork), child;

	await(&seen->ready);
	CHECK_EQ(request(PTRACE_SEIZE, tracee, 0, PTRACE_O_TRACEFORK), 0);
	seen->go = 1;
	CHECK_EQ(wait_for(tracee), EVENT_STOP(PTRACE_EVENT_FORK));
	child = (pid_t)event_message(tracee);
	CHECK(child > tracee);
	CHECK_EQ(wait_for(child), EVENT_STOP(PTRACE_EVENT_STOP));
	go(PTRACE_CONT, child, EXITED(3));
	CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
	/* From here on it is the parent's SIGCHLD and the end. */
	for (;;) {
		int status = wait_for(tracee);

		if (!WIFSTOPPED(status)) {
			CHECK_EQ(status, EXITED(7));
			break;
		}
		CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
	}
}

/* A tracer sees even the signals that would not reach the first process; given back, they do
 * nothing. */
TEST(a_traced_first_process)
{
	pid_t tracee = init_of(wait_for_ever);

	await(&seen->ready);
	CHECK_EQ(request(PTRACE_SEIZE, tracee, 0, 0), 0);
	kill(tracee, SIGTERM);
	CHECK_EQ(wait_for(tracee), STOPPED(SIGTERM));
	CHECK_EQ(stop_info(tracee).si_pid, 0);
	CHECK_EQ(request(PTRACE_CONT, tracee, 0, SIGTERM), 0);
	kill(tracee, SIGSTOP);
	CHECK_EQ(wait_for(tracee), STOPPED(SIGSTOP));
	go_with(PTRACE_CONT, tracee, SIGSTOP, GROUP_STOP(SIGSTOP));
	finish(tracee);
}

GUEST_TEST_MAIN()
