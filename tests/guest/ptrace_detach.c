/* SPDX-License-Identifier: Apache-2.0 */
/* What detaching and a tracer's death leave behind, who may wait for a tracee, and who hears of its
 * end in which order. */
#include "tests/guest/ptrace_test.h"

#include <pthread.h>
#include <sys/prctl.h>

/* Shared by all processes of a test. */
static struct {
	volatile int signal, code, count, ready, step;
	volatile pid_t task, thread, other;
} * seen;

/* A test with such a page of its own. */
#define SHARED_TEST(name_)                                                                         \
	static void shared_##name_(void);                                                          \
	TEST(name_)                                                                                \
	{                                                                                          \
		seen = mmap(                                                                       \
			NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);    \
		CHECK(seen != MAP_FAILED);                                                         \
		shared_##name_();                                                                  \
	}                                                                                          \
	static void shared_##name_(void)

static void await_flag(volatile int *flag, int value)
{
	while (*flag != value)
		sleep_ms(1);
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
	(void)context;
	seen->signal = signal;
	seen->code = info->si_code;
	seen->count++;
}

static void catch_signals(void)
{
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};

	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGUSR2, &action, NULL);
}

/* Until it is told otherwise. */
static void run_until_told(void)
{
	catch_signals();
	seen->ready = 1;
	while (seen->step == 0)
		getppid();
	_exit(5);
}

static void raise_usr1(void)
{
	catch_signals();
	raise(SIGUSR1);
	run_until_told();
}

static void exit_seven(void)
{
	_exit(7);
}

static void wait_for_ever(void)
{
	for (;;)
		pause();
}

/* Runs on untraced, and ends as it should. */
static void check_runs_on(pid_t child)
{
	seen->step = 1;
	CHECK_EQ(wait_for(child), EXITED(5));
}

static void detach(pid_t tracee, int signal)
{
	CHECK_EQ(request(PTRACE_DETACH, tracee, 0, (unsigned long)signal), 0);
}

/* --- detaching --- */

SHARED_TEST(detach_suppresses_the_signal)
{
	pid_t tracee = tracee_of(raise_usr1);

	go(PTRACE_CONT, tracee, STOPPED(SIGUSR1));
	detach(tracee, 0);
	check_runs_on(tracee);
	CHECK_EQ(seen->count, 0);
}

SHARED_TEST(detach_delivers_a_signal)
{
	pid_t tracee = tracee_of(raise_usr1);

	go(PTRACE_CONT, tracee, STOPPED(SIGUSR1));
	detach(tracee, SIGUSR1);
	check_runs_on(tracee);
	CHECK(seen->count == 1 && seen->signal == SIGUSR1 && seen->code == SI_TKILL);
}

/* Another one: it comes from nobody, since there is no tracer any more. */
SHARED_TEST(detach_delivers_another_signal)
{
	pid_t tracee = tracee_of(raise_usr1);

	go(PTRACE_CONT, tracee, STOPPED(SIGUSR1));
	detach(tracee, SIGUSR2);
	check_runs_on(tracee);
	CHECK(seen->count == 1 && seen->signal == SIGUSR2 && seen->code == SI_USER);
}

SHARED_TEST(detach_with_a_stop_signal)
{
	pid_t tracee = tracee_of(raise_usr1);
	int status;

	detach(tracee, SIGSTOP);
	CHECK_EQ(waitpid(tracee, &status, WUNTRACED), tracee);
	CHECK_EQ(status, STOPPED(SIGSTOP));
	CHECK_EQ(state_of(tracee, tracee), 'T');
	kill(tracee, SIGCONT);
	check_runs_on(tracee);
}

SHARED_TEST(detach_with_a_deadly_signal)
{
	pid_t tracee = tracee_of(raise_usr1);

	detach(tracee, SIGTERM);
	CHECK_EQ(wait_for(tracee), SIGTERM);
}

SHARED_TEST(detach_at_a_system_call_stop)
{
	pid_t tracee = tracee_with(run_until_told, PTRACE_O_TRACESYSGOOD);

	go_to_call(tracee, SYS_getppid);
	detach(tracee, SIGUSR1);
	check_runs_on(tracee);
	CHECK(seen->count == 1 && seen->signal == SIGUSR1 && seen->code == SI_KERNEL);
}

/* At an event the signal means nothing. */
SHARED_TEST(detach_at_an_event)
{
	pid_t tracee = seize_of(run_until_told, 0);

	await_flag(&seen->ready, 1);
	go(PTRACE_INTERRUPT, tracee, EVENT_STOP(PTRACE_EVENT_STOP));
	detach(tracee, SIGUSR1);
	check_runs_on(tracee);
	CHECK_EQ(seen->count, 0);
}

SHARED_TEST(detach_after_a_step)
{
	pid_t tracee = tracee_of(run_until_told);

	for (int i = 0; i < 10; i++)
		go(PTRACE_SINGLESTEP, tracee, STOPPED(SIGTRAP));
	detach(tracee, 0);
	check_runs_on(tracee);
}

SHARED_TEST(detach_of_one_that_runs)
{
	pid_t tracee = seize_of(run_until_told, 0);

	CHECK_ERRNO(request(PTRACE_DETACH, tracee, 0, 0), ESRCH);
	seen->step = 1;
	CHECK_EQ(wait_for(tracee), EXITED(5));
}

/* The group stays stopped when its tracer leaves. */
SHARED_TEST(detach_from_a_group_stop)
{
	pid_t tracee = seize_of(run_until_told, 0);
	int status;

	await_flag(&seen->ready, 1);
	kill(tracee, SIGSTOP);
	CHECK_EQ(wait_for(tracee), STOPPED(SIGSTOP));
	go_with(PTRACE_CONT, tracee, SIGSTOP, GROUP_STOP(SIGSTOP));
	detach(tracee, 0);
	await_state(tracee, tracee, 'T');
	kill(tracee, SIGCONT);
	/* The parent, which was the tracer, has seen the stop. */
	CHECK_EQ(waitpid(tracee, &status, WUNTRACED | WCONTINUED), tracee);
	CHECK(WIFCONTINUED(status) || WIFSTOPPED(status));
	check_runs_on(tracee);
}

SHARED_TEST(detach_from_a_group_stop_in_the_old_way)
{
	pid_t tracee = tracee_of(run_until_told);
	int status;

	go_with(PTRACE_CONT, tracee, SIGSTOP, STOPPED(SIGSTOP));
	detach(tracee, 0);
	await_state(tracee, tracee, 'T');
	kill(tracee, SIGCONT);
	while (waitpid(tracee, &status, WUNTRACED | WCONTINUED) == tracee && WIFSTOPPED(status))
		;
	CHECK(WIFCONTINUED(status));
	check_runs_on(tracee);
}

/* Stopped by another signal, and with its group meanwhile: detached, it stays with its group. */
SHARED_TEST(attach_and_detach_leave_a_stopped_process_stopped)
{
	pid_t child = fork();

	if (child == 0)
		run_until_told();
	await_flag(&seen->ready, 1);
	kill(child, SIGSTOP);
	CHECK_EQ(waitpid(child, NULL, WUNTRACED), child);
	for (int i = 0; i < 20; i++) {
		CHECK_EQ(request(PTRACE_SEIZE, child, 0, 0), 0);
		CHECK_EQ(wait_for(child), GROUP_STOP(SIGSTOP));
		detach(child, 0);
	}
	await_state(child, child, 'T');
	kill(child, SIGCONT);
	check_runs_on(child);
}

/* Everything that the tracer set is gone for the next one. */
SHARED_TEST(a_second_tracer_starts_afresh)
{
	pid_t tracee = seize_of(exit_seven, PTRACE_O_TRACEEXIT), child;

	CHECK_EQ(wait_for(tracee), EVENT_STOP(PTRACE_EVENT_EXIT));
	detach(tracee, 0);
	CHECK_EQ(wait_for(tracee), EXITED(7));
	child = seize_of(run_until_told, PTRACE_O_TRACEEXIT | PTRACE_O_TRACESYSGOOD);
	await_flag(&seen->ready, 1);
	go(PTRACE_INTERRUPT, child, EVENT_STOP(PTRACE_EVENT_STOP));
	detach(child, 0);
	CHECK_EQ(request(PTRACE_ATTACH, child, 0, 0), 0);
	CHECK_EQ(wait_for(child), STOPPED(SIGSTOP));
	go(PTRACE_SYSCALL, child, STOPPED(SIGTRAP));
	seen->step = 1;
	CHECK_EQ(request(PTRACE_CONT, child, 0, 0), 0);
	CHECK_EQ(wait_for(child), EXITED(5));
}

/* --- the tracer dies --- */

/* A tracer that leaves its tracee in some stop and dies; the tracee is our child. */
static pid_t abandoned(void (*function)(void), void (*trace)(pid_t tracee))
{
	pid_t child = fork(), tracer;

	if (child == 0) {
		await_flag(&seen->step, 2);
		seen->step = 0;
		function();
		_exit(0);
	}
	tracer = fork();
	if (tracer == 0) {
		CHECK_EQ(request(PTRACE_SEIZE, child, 0, PTRACE_O_TRACESYSGOOD), 0);
		seen->step = 2;
		trace(child);
		_exit(0);
	}
	CHECK_EQ(wait_for(tracer), 0);
	return child;
}

static void die_at_once(pid_t tracee)
{
	await_flag(&seen->ready, 1);
}

static void die_after_seeing_a_signal(pid_t tracee)
{
	CHECK_EQ(wait_for(tracee), STOPPED(SIGUSR1));
}

static void die_before_seeing_a_signal(pid_t tracee)
{
	siginfo_t info;

	CHECK_EQ(waitid(P_PID, (id_t)tracee, &info, WSTOPPED | WNOWAIT), 0);
}

static void die_at_a_system_call(pid_t tracee)
{
	await_flag(&seen->ready, 1);
	go(PTRACE_INTERRUPT, tracee, EVENT_STOP(PTRACE_EVENT_STOP));
	go_to_call(tracee, SYS_getppid);
}

static void die_at_a_step(pid_t tracee)
{
	await_flag(&seen->ready, 1);
	go(PTRACE_INTERRUPT, tracee, EVENT_STOP(PTRACE_EVENT_STOP));
	go(PTRACE_SINGLESTEP, tracee, STOPPED(SIGTRAP));
	CHECK_EQ(request(PTRACE_SINGLESTEP, tracee, 0, 0), 0);
}

static void die_in_a_group_stop(pid_t tracee)
{
	await_flag(&seen->ready, 1);
	kill(tracee, SIGSTOP);
	CHECK_EQ(wait_for(tracee), STOPPED(SIGSTOP));
	go_with(PTRACE_CONT, tracee, SIGSTOP, GROUP_STOP(SIGSTOP));
}

static void die_while_it_listens(pid_t tracee)
{
	die_in_a_group_stop(tracee);
	CHECK_EQ(request(PTRACE_LISTEN, tracee, 0, 0), 0);
}

SHARED_TEST(a_running_tracee_runs_on)
{
	check_runs_on(abandoned(run_until_told, die_at_once));
}

/* The signal that the tracer has seen is lost; one that it has not is delivered. */
SHARED_TEST(a_signal_that_was_seen_is_lost)
{
	pid_t child = abandoned(raise_usr1, die_after_seeing_a_signal);

	check_runs_on(child);
	CHECK_EQ(seen->count, 0);
}

SHARED_TEST(a_signal_that_was_not_seen_is_delivered)
{
	pid_t child = abandoned(raise_usr1, die_before_seeing_a_signal);

	check_runs_on(child);
	CHECK_EQ(seen->count, 1);
}

SHARED_TEST(a_system_call_goes_on)
{
	check_runs_on(abandoned(run_until_told, die_at_a_system_call));
}

SHARED_TEST(stepping_ends)
{
	pid_t child = abandoned(run_until_told, die_at_a_step);
	int status;

	seen->step = 1;
	status = wait_for(child);
	/* A trap that nobody took is the tracee's own. */
	CHECK(status == EXITED(5) || (WIFSIGNALED(status) && WTERMSIG(status) == SIGTRAP));
}

static void check_stays_stopped(pid_t child)
{
	await_state(child, child, 'T');
	kill(child, SIGCONT);
	check_runs_on(child);
}

SHARED_TEST(a_stopped_group_stays_stopped)
{
	check_stays_stopped(abandoned(run_until_told, die_in_a_group_stop));
}

SHARED_TEST(a_stopped_group_stays_stopped_after_listen)
{
	check_stays_stopped(abandoned(run_until_told, die_while_it_listens));
}

/* The thread that attached is the tracer: its end, not the process's, sets the tracees free. */
static void *attach_and_end(void *unused)
{
	CHECK_EQ(request(PTRACE_SEIZE, seen->task, 0, 0), 0);
	go(PTRACE_INTERRUPT, seen->task, EVENT_STOP(PTRACE_EVENT_STOP));
	return unused;
}

SHARED_TEST(the_end_of_a_tracing_thread)
{
	pthread_t thread;
	pid_t child = fork();

	if (child == 0)
		run_until_told();
	await_flag(&seen->ready, 1);
	seen->task = child;
	CHECK(pthread_create(&thread, NULL, attach_and_end, NULL) == 0);
	pthread_join(thread, NULL);
	check_runs_on(child);
}

/* execve of the tracer keeps its tracees. */
SHARED_TEST(a_tracer_that_execs)
{
	pid_t child = fork(), tracer;
	char number[16];

	if (child == 0)
		run_until_told();
	await_flag(&seen->ready, 1);
	tracer = fork();
	if (tracer == 0) {
		CHECK_EQ(request(PTRACE_SEIZE, child, 0, PTRACE_O_EXITKILL), 0);
		snprintf(number, sizeof(number), "%d", child);
		execl("/bin/sh", "sh", "-c", "grep -q \"^TracerPid:.$$\\$\" /proc/$0/status",
			number, NULL);
		_exit(127);
	}
	CHECK_EQ(wait_for(tracer), 0);
	CHECK_EQ(wait_for(child), SIGKILL);
}

/* --- who may wait and ask --- */

static void *wait_for_tracees(void *result)
{
	int *status = result;

	/* Its own tracees only. */
	CHECK_ERRNO(waitpid(seen->task, status, __WALL | __WNOTHREAD), ECHILD);
	CHECK_EQ(waitpid(seen->task, status, __WALL), seen->task);
	/* Only the tracer itself may ask for anything. */
	CHECK_ERRNO(request(PTRACE_CONT, seen->task, 0, 0), ESRCH);
	return NULL;
}

SHARED_TEST(any_thread_of_the_tracer_waits)
{
	pthread_t thread;
	int status = 0;
	pid_t child = fork();

	if (child == 0)
		run_until_told();
	await_flag(&seen->ready, 1);
	seen->task = child;
	CHECK_EQ(request(PTRACE_ATTACH, child, 0, 0), 0);
	CHECK(pthread_create(&thread, NULL, wait_for_tracees, &status) == 0);
	pthread_join(thread, NULL);
	CHECK_EQ(status, STOPPED(SIGSTOP));
	detach(child, 0);
	check_runs_on(child);
}

static void *sleep_in_thread(void *unused)
{
	seen->thread = (pid_t)syscall(SYS_gettid);
	for (;;)
		pause();
	return unused;
}

static void two_threads(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, sleep_in_thread, NULL);
	for (;;)
		pause();
}

static pid_t seen_thread(void)
{
	while (!seen->thread)
		sleep_ms(1);
	return seen->thread;
}

/* Tracees are waited for whatever the kind of wait; children that are not traced are not. */
SHARED_TEST(kinds_of_waits)
{
	pid_t child = seize_of(two_threads, 0), thread = seen_thread();
	int status;

	CHECK_ERRNO(waitpid(thread, &status, __WALL | WNOHANG), ECHILD);
	CHECK_EQ(request(PTRACE_SEIZE, thread, 0, 0), 0);
	CHECK_EQ(request(PTRACE_INTERRUPT, thread, 0, 0), 0);
	CHECK_EQ(waitpid(thread, &status, 0), thread);
	CHECK_EQ(status, EVENT_STOP(PTRACE_EVENT_STOP));
	CHECK_EQ(request(PTRACE_CONT, thread, 0, 0), 0);
	CHECK_EQ(request(PTRACE_INTERRUPT, thread, 0, 0), 0);
	CHECK_EQ(waitpid(thread, &status, __WCLONE), thread);
	CHECK_EQ(request(PTRACE_INTERRUPT, child, 0, 0), 0);
	CHECK_EQ(waitpid(child, &status, __WCLONE | __WNOTHREAD), child);
	kill(child, SIGKILL);
	CHECK_EQ(wait_for(thread), SIGKILL);
	CHECK_EQ(wait_for(child), SIGKILL);
}

/* --- the end --- */

/* A child of ours that another process traces. It ends when we say so. */
static pid_t traced_by_another(pid_t *tracer, void (*function)(void))
{
	pid_t child = fork();

	if (child == 0)
		function();
	await_flag(&seen->ready, 1);
	*tracer = fork();
	if (*tracer == 0) {
		CHECK_EQ(request(PTRACE_SEIZE, child, 0, 0), 0);
		seen->ready = 2;
		await_flag(&seen->ready, 3);
		CHECK_EQ(wait_for(child), EXITED(5));
		/* It has seen all. */
		CHECK_ERRNO(waitpid(child, NULL, __WALL), ECHILD);
		seen->ready = 4;
		wait_for_ever();
	}
	await_flag(&seen->ready, 2);
	return child;
}

static volatile sig_atomic_t children_ended;

static void on_child(int signal)
{
	(void)signal;
	children_ended++;
}

SHARED_TEST(the_tracer_hears_of_the_end_first)
{
	pid_t tracer, child;
	int status;

	signal(SIGCHLD, on_child);
	child = traced_by_another(&tracer, run_until_told);
	seen->step = 1;
	await_state(child, child, 'Z');
	sleep_ms(10);
	CHECK_EQ(children_ended, 0);
	/* It may still come. */
	CHECK_EQ(waitpid(child, &status, WNOHANG), 0);
	seen->ready = 3;
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, EXITED(5));
	CHECK_EQ(children_ended, 1);
	await_flag(&seen->ready, 4);
	kill(tracer, SIGKILL);
	CHECK_EQ(wait_for(tracer), SIGKILL);
}

/* A tracer that dies without looking leaves the end to the parent. */
SHARED_TEST(a_tracer_that_dies_passes_the_end_on)
{
	pid_t tracer, child;

	signal(SIGCHLD, on_child);
	child = traced_by_another(&tracer, run_until_told);
	seen->step = 1;
	await_state(child, child, 'Z');
	CHECK_EQ(children_ended, 0);
	kill(tracer, SIGKILL);
	CHECK_EQ(wait_for(tracer), SIGKILL);
	CHECK_EQ(wait_for(child), EXITED(5));
	CHECK(children_ended >= 1);
}

/* A parent that wants to hear of nothing: the child is gone when the tracer has seen it. */
SHARED_TEST(nobody_waits_after_the_tracer)
{
	pid_t tracer, child;

	signal(SIGCHLD, SIG_IGN);
	child = traced_by_another(&tracer, run_until_told);
	seen->step = 1;
	await_state(child, child, 'Z');
	seen->ready = 3;
	await_flag(&seen->ready, 4);
	CHECK_ERRNO(kill(child, 0), ESRCH);
	CHECK_ERRNO(waitpid(child, NULL, 0), ECHILD);
	kill(tracer, SIGKILL);
}

/* The tracer's own SIGCHLD may be ignored: it waits for its tracees all the same. */
SHARED_TEST(a_tracer_that_ignores_sigchld)
{
	pid_t tracee;

	signal(SIGCHLD, SIG_IGN);
	tracee = tracee_of(exit_seven);
	go(PTRACE_CONT, tracee, EXITED(7));
	tracee = tracee_of(exit_seven);
	CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
	await_state(tracee, tracee, 'Z');
	CHECK_EQ(wait_for(tracee), EXITED(7));
}

SHARED_TEST(looking_does_not_pass_the_end_on)
{
	pid_t tracee = tracee_of(exit_seven);
	siginfo_t info;

	CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(waitid(P_PID, (id_t)tracee, &info, WEXITED | WNOWAIT), 0);
		CHECK(info.si_code == CLD_EXITED && info.si_status == 7);
	}
	CHECK_EQ(wait_for(tracee), EXITED(7));
}

/* --- a leader that ends before its threads --- */

static void *outlive(void *unused)
{
	seen->thread = (pid_t)syscall(SYS_gettid);
	await_flag(&seen->step, 1);
	_exit(5);
	return unused;
}

static void leader_ends(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, outlive, NULL);
	syscall(SYS_exit, 9);
}

SHARED_TEST(a_leader_is_reported_with_its_last_thread)
{
	pid_t child = seize_of(leader_ends, PTRACE_O_TRACEEXIT), thread;
	struct user_regs_struct registers;
	int status;

	CHECK_EQ(wait_for(child), EVENT_STOP(PTRACE_EVENT_EXIT));
	CHECK_EQ(event_message(child), EXITED(9));
	thread = seen_thread();
	CHECK_EQ(request(PTRACE_SEIZE, thread, 0, 0), 0);
	CHECK_EQ(request(PTRACE_CONT, child, 0, 0), 0);
	await_state(child, child, 'Z');
	CHECK_EQ(waitpid(child, &status, __WALL | WNOHANG), 0);
	CHECK_ERRNO(request(PTRACE_GETREGS, child, 0, (unsigned long)&registers), ESRCH);
	CHECK_ERRNO(request(PTRACE_ATTACH, child, 0, 0), EPERM);
	/* The thread can be looked at as before. */
	go(PTRACE_INTERRUPT, thread, EVENT_STOP(PTRACE_EVENT_STOP));
	CHECK_EQ(request(PTRACE_GETREGS, thread, 0, (unsigned long)&registers), 0);
	CHECK_EQ(request(PTRACE_CONT, thread, 0, 0), 0);
	seen->step = 1;
	CHECK_EQ(wait_for(thread), EXITED(5));
	CHECK_EQ(wait_for(child), EXITED(5));
}

/* While a thread's end waits to be seen, the process's does too. */
SHARED_TEST(a_dead_thread_holds_the_process)
{
	pid_t child = seize_of(two_threads, 0), thread = seen_thread();
	int status;

	CHECK_EQ(request(PTRACE_SEIZE, thread, 0, 0), 0);
	kill(child, SIGKILL);
	await_state(child, child, 'Z');
	await_state(child, thread, 'Z');
	CHECK_EQ(waitpid(child, &status, __WALL | WNOHANG), 0);
	CHECK_EQ(wait_for(thread), SIGKILL);
	CHECK_EQ(wait_for(child), SIGKILL);
}

/* --- races --- */

#define ROUNDS 1000

SHARED_TEST(detach_against_sigkill)
{
	for (int i = 0; i < ROUNDS; i++) {
		pid_t tracee = tracee_of(wait_for_ever), killer = fork();

		if (killer == 0) {
			kill(tracee, SIGKILL);
			_exit(0);
		}
		if (request(PTRACE_DETACH, tracee, 0, 0))
			CHECK_EQ(errno, ESRCH);
		CHECK_EQ(wait_for(tracee), SIGKILL);
		CHECK_EQ(wait_for(killer), 0);
	}
}

static void *wait_too(void *argument)
{
	long found = 0;
	int status;

	while (waitpid(-1, &status, __WALL) > 0)
		found++;
	*(long *)argument = found;
	return NULL;
}

/* Each end is reported to exactly one of those who wait. */
SHARED_TEST(wait_against_exit)
{
	pthread_t threads[2];
	long found[2] = {0};
	int status;
	long own = 0, born = 0;
	int gate[2];
	char byte;

	CHECK(pipe(gate) == 0);
	/* One that is there until the end, so that nobody finds that there is none to wait for. */
	if (fork() == 0) {
		close(gate[1]);
		(void)!read(gate[0], &byte, 1);
		_exit(0);
	}
	born++;
	for (int i = 0; i < 2; i++)
		CHECK(pthread_create(&threads[i], NULL, wait_too, &found[i]) == 0);
	for (int i = 0; i < ROUNDS; i++) {
		pid_t child = fork();

		if (child == 0)
			_exit(0);
		CHECK(child > 0);
		born++;
		if (i % 4 == 0 && waitpid(child, &status, 0) == child)
			own++;
	}
	close(gate[1]);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(own + found[0] + found[1], born);
}

GUEST_TEST_MAIN()
