/* SPDX-License-Identifier: Apache-2.0 */
/* The stops of a tracee: for signals, with its group, for INTERRUPT and LISTEN;
 * what attaching to a stopped process gives, and how SIGKILL meets a stop. */
#include "tests/guest/ptrace_test.h"

#include <pthread.h>
#include <sys/prctl.h>
#include <ucontext.h>

/* Shared with the tracees, which write down what they got. */
static struct {
	volatile int signal, code, pid, count, value, ready;
	volatile pid_t thread;
} * seen;

static void on_signal(int signal, siginfo_t *info, void *context)
{
	(void)context;
	seen->signal = signal;
	seen->code = info->si_code;
	seen->pid = info->si_pid;
	seen->value = info->si_value.sival_int;
	seen->count++;
}

static void make_seen(void)
{
	seen = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(seen != MAP_FAILED);
}

static void catch_signals(void)
{
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};

	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGUSR2, &action, NULL);
	sigaction(SIGCONT, &action, NULL);
	if (seen)
		seen->ready = 1;
}

static void raise_usr1(void)
{
	catch_signals();
	raise(SIGUSR1);
	_exit(5);
}

static void wait_for_ever(void)
{
	catch_signals();
	for (;;)
		pause();
}

static void spin(void)
{
	catch_signals();
	for (;;)
		;
}

static void no_report(pid_t tracee)
{
	int status;

	sleep_ms(10);
	CHECK_EQ(waitpid(tracee, &status, __WALL | WNOHANG), 0);
}

/* --- signal-delivery-stop --- */

TEST(a_signal_is_delivered_as_it_came)
{
	pid_t tracee;

	make_seen();
	tracee = tracee_of(raise_usr1);
	go(PTRACE_CONT, tracee, STOPPED(SIGUSR1));
	CHECK_EQ(seen->count, 0);
	go_with(PTRACE_CONT, tracee, SIGUSR1, EXITED(5));
	CHECK(seen->signal == SIGUSR1 && seen->code == SI_TKILL && seen->pid == tracee);
}

TEST(a_signal_is_suppressed)
{
	pid_t tracee;

	make_seen();
	tracee = tracee_of(raise_usr1);
	go(PTRACE_CONT, tracee, STOPPED(SIGUSR1));
	go(PTRACE_CONT, tracee, EXITED(5));
	CHECK_EQ(seen->count, 0);
}

/* Another signal comes from the tracer. */
TEST(a_signal_is_exchanged)
{
	pid_t tracee;

	make_seen();
	tracee = tracee_of(raise_usr1);
	go(PTRACE_CONT, tracee, STOPPED(SIGUSR1));
	go_with(PTRACE_CONT, tracee, SIGUSR2, EXITED(5));
	CHECK(seen->signal == SIGUSR2 && seen->code == SI_USER && seen->pid == getpid());
}

TEST(what_comes_with_a_signal_is_exchanged)
{
	pid_t tracee;
	siginfo_t info;

	make_seen();
	tracee = tracee_of(raise_usr1);
	go(PTRACE_CONT, tracee, STOPPED(SIGUSR1));
	info = stop_info(tracee);
	CHECK(info.si_signo == SIGUSR1 && info.si_code == SI_TKILL && info.si_pid == tracee);
	info.si_code = SI_QUEUE;
	info.si_value.sival_int = 77;
	info.si_pid = 4242;
	CHECK_EQ(request(PTRACE_SETSIGINFO, tracee, 0, (unsigned long)&info), 0);
	CHECK_EQ(stop_info(tracee).si_value.sival_int, 77);
	go_with(PTRACE_CONT, tracee, SIGUSR1, EXITED(5));
	CHECK(seen->signal == SIGUSR1 && seen->code == SI_QUEUE && seen->value == 77);
	CHECK_EQ(seen->pid, 4242);
}

TEST(a_signal_that_the_tracer_blocks_waits)
{
	pid_t tracee;
	uint64_t mask = 1ull << (SIGUSR1 - 1);
	struct ptrace_peeksiginfo_args range = {0, 0, 4};
	siginfo_t pending[4];

	make_seen();
	tracee = tracee_of(raise_usr1);
	go(PTRACE_CONT, tracee, STOPPED(SIGUSR1));
	CHECK_EQ(request(PTRACE_SETSIGMASK, tracee, 8, (unsigned long)&mask), 0);
	CHECK_EQ(request(PTRACE_SETOPTIONS, tracee, 0, PTRACE_O_TRACEEXIT), 0);
	go_with(PTRACE_CONT, tracee, SIGUSR1, EVENT_STOP(PTRACE_EVENT_EXIT));
	CHECK_EQ(request(PTRACE_PEEKSIGINFO, tracee, (unsigned long)&range, (unsigned long)pending),
		1);
	CHECK_EQ(pending[0].si_signo, SIGUSR1);
	go(PTRACE_CONT, tracee, EXITED(5));
	CHECK_EQ(seen->count, 0);
}

TEST(even_ignored_signals_are_reported)
{
	pid_t tracee = tracee_of(wait_for_ever);

	CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
	/* By default nothing happens for these. */
	kill(tracee, SIGWINCH);
	CHECK_EQ(wait_for(tracee), STOPPED(SIGWINCH));
	CHECK_EQ(request(PTRACE_CONT, tracee, 0, SIGWINCH), 0);
	kill(tracee, SIGCHLD);
	CHECK_EQ(wait_for(tracee), STOPPED(SIGCHLD));
	end(tracee);
}

TEST(bad_signals)
{
	pid_t tracee = tracee_of(wait_for_ever);

	CHECK_ERRNO(request(PTRACE_CONT, tracee, 0, 65), EIO);
	CHECK_ERRNO(request(PTRACE_DETACH, tracee, 0, 65), EIO);
	CHECK_ERRNO(request(PTRACE_SYSCALL, tracee, 0, (unsigned long)-1), EIO);
	CHECK_EQ(request(PTRACE_CONT, tracee, 0, SIGKILL), 0);
	CHECK_EQ(wait_for(tracee), SIGKILL);
}

/* SIGKILL is never reported. */
TEST(sigkill_ends_every_stop)
{
	pid_t tracee = tracee_of(raise_usr1);
	struct user_regs_struct registers;

	go(PTRACE_CONT, tracee, STOPPED(SIGUSR1));
	kill(tracee, SIGKILL);
	CHECK_EQ(wait_for(tracee), SIGKILL);
	CHECK_ERRNO(request(PTRACE_GETREGS, tracee, 0, (unsigned long)&registers), ESRCH);
}

/* --- group stops of one who attached --- */

TEST(a_stop_signal_then_the_stop)
{
	pid_t tracee = tracee_of(wait_for_ever);
	siginfo_t info;

	CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
	kill(tracee, SIGTSTP);
	CHECK_EQ(wait_for(tracee), STOPPED(SIGTSTP));
	CHECK_EQ(stop_info(tracee).si_signo, SIGTSTP);
	/* Delivered: now its group stops, with a signal for status and nothing to
	 * look at. */
	go_with(PTRACE_CONT, tracee, SIGSTOP, STOPPED(SIGSTOP));
	CHECK_ERRNO(request(PTRACE_GETSIGINFO, tracee, 0, (unsigned long)&info), EINVAL);
	CHECK_ERRNO(request(PTRACE_LISTEN, tracee, 0, 0), EIO);
	CHECK_EQ(state_of(tracee, tracee), 't');
	/* Let go, it runs on, stopped as its group may be. */
	CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
	kill(tracee, SIGUSR1);
	CHECK_EQ(wait_for(tracee), STOPPED(SIGUSR1));
	end(tracee);
}

TEST(the_first_sigstop_is_a_signal_as_well)
{
	pid_t tracee = tracee_of(raise_usr1);

	make_seen();
	CHECK_EQ(stop_info(tracee).si_signo, SIGSTOP);
	go_with(PTRACE_CONT, tracee, SIGSTOP, STOPPED(SIGSTOP));
	go(PTRACE_CONT, tracee, STOPPED(SIGUSR1));
	end(tracee);
}

/* --- group stops of one who seized --- */

static pid_t group_stopped(void (*function)(void), int signal)
{
	pid_t tracee;

	make_seen();
	tracee = seize_of(function, 0);
	while (!seen->ready)
		sleep_ms(1);
	kill(tracee, signal);
	CHECK_EQ(wait_for(tracee), STOPPED(signal));
	go_with(PTRACE_CONT, tracee, signal, GROUP_STOP(signal));
	return tracee;
}

TEST(a_seized_stop_tells_its_signal)
{
	pid_t tracee = group_stopped(wait_for_ever, SIGSTOP);
	siginfo_t info = stop_info(tracee);

	CHECK(info.si_signo == SIGSTOP && info.si_code == (SIGSTOP | PTRACE_EVENT_STOP << 8));
	end(tracee);
}

TEST(cont_out_of_a_group_stop)
{
	pid_t tracee = group_stopped(wait_for_ever, SIGSTOP);

	CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
	kill(tracee, SIGUSR1);
	CHECK_EQ(wait_for(tracee), STOPPED(SIGUSR1));
	end(tracee);
}

TEST(listen_stays_stopped_until_it_continues)
{
	pid_t tracee = group_stopped(wait_for_ever, SIGSTOP);
	siginfo_t info;

	CHECK_EQ(request(PTRACE_LISTEN, tracee, 0, 0), 0);
	no_report(tracee);
	/* It is not for requests now. */
	CHECK_ERRNO(request(PTRACE_CONT, tracee, 0, 0), ESRCH);
	CHECK_ERRNO(request(PTRACE_LISTEN, tracee, 0, 0), ESRCH);
	CHECK_ERRNO(request(PTRACE_GETSIGINFO, tracee, 0, (unsigned long)&info), ESRCH);
	CHECK_ERRNO(request(PTRACE_DETACH, tracee, 0, 0), ESRCH);
	kill(tracee, SIGUSR1);
	no_report(tracee);
	kill(tracee, SIGCONT);
	/* Word of the change comes first, then the signals. */
	CHECK_EQ(wait_for(tracee), EVENT_STOP(PTRACE_EVENT_STOP));
	go(PTRACE_CONT, tracee, STOPPED(SIGUSR1));
	go_with(PTRACE_CONT, tracee, SIGUSR1, STOPPED(SIGCONT));
	end(tracee);
}

TEST(interrupt_while_listening)
{
	pid_t tracee = group_stopped(wait_for_ever, SIGSTOP);

	CHECK_EQ(request(PTRACE_LISTEN, tracee, 0, 0), 0);
	/* Still stopped: it says so. */
	go(PTRACE_INTERRUPT, tracee, GROUP_STOP(SIGSTOP));
	CHECK_EQ(request(PTRACE_LISTEN, tracee, 0, 0), 0);
	no_report(tracee);
	end(tracee);
}

/* A continue that came before LISTEN is not lost. */
TEST(listen_after_the_continue)
{
	pid_t tracee = group_stopped(wait_for_ever, SIGSTOP);

	kill(tracee, SIGCONT);
	no_report(tracee);
	go(PTRACE_LISTEN, tracee, EVENT_STOP(PTRACE_EVENT_STOP));
	go(PTRACE_CONT, tracee, STOPPED(SIGCONT));
	end(tracee);
}

TEST(sigkill_while_listening)
{
	pid_t tracee = group_stopped(wait_for_ever, SIGSTOP);

	CHECK_EQ(request(PTRACE_LISTEN, tracee, 0, 0), 0);
	kill(tracee, SIGKILL);
	CHECK_EQ(wait_for(tracee), SIGKILL);
}

TEST(listen_is_for_event_stops)
{
	pid_t tracee = seize_of(wait_for_ever, 0);

	kill(tracee, SIGUSR1);
	CHECK_EQ(wait_for(tracee), STOPPED(SIGUSR1));
	CHECK_ERRNO(request(PTRACE_LISTEN, tracee, 0, 0), EIO);
	CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
	go(PTRACE_INTERRUPT, tracee, EVENT_STOP(PTRACE_EVENT_STOP));
	/* It stands in no group stop, and yet may listen. */
	CHECK_EQ(request(PTRACE_LISTEN, tracee, 0, 0), 0);
	no_report(tracee);
	kill(tracee, SIGSTOP);
	end(tracee);
}

/* --- INTERRUPT --- */

TEST(interrupt_of_code_that_runs)
{
	pid_t tracee = seize_of(spin, 0);

	for (int i = 0; i < 50; i++) {
		go(PTRACE_INTERRUPT, tracee, EVENT_STOP(PTRACE_EVENT_STOP));
		CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
	}
	end(tracee);
}

TEST(two_interrupts_are_one_stop)
{
	pid_t tracee = seize_of(spin, 0);

	go(PTRACE_INTERRUPT, tracee, EVENT_STOP(PTRACE_EVENT_STOP));
	CHECK_EQ(request(PTRACE_INTERRUPT, tracee, 0, 0), 0);
	CHECK_EQ(request(PTRACE_INTERRUPT, tracee, 0, 0), 0);
	/* It was stopped: the interrupt waits for it to run. */
	no_report(tracee);
	go(PTRACE_CONT, tracee, EVENT_STOP(PTRACE_EVENT_STOP));
	CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
	no_report(tracee);
	end(tracee);
}

TEST(interrupt_in_another_stop_waits)
{
	pid_t tracee = seize_of(wait_for_ever, 0);

	kill(tracee, SIGUSR1);
	CHECK_EQ(wait_for(tracee), STOPPED(SIGUSR1));
	CHECK_EQ(request(PTRACE_INTERRUPT, tracee, 0, 0), 0);
	no_report(tracee);
	go(PTRACE_CONT, tracee, EVENT_STOP(PTRACE_EVENT_STOP));
	end(tracee);
}

TEST(interrupt_is_for_the_seized)
{
	pid_t tracee = tracee_of(wait_for_ever);

	CHECK_ERRNO(request(PTRACE_INTERRUPT, tracee, 0, 0), EIO);
	CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
	CHECK_ERRNO(request(PTRACE_INTERRUPT, tracee, 0, 0), EIO);
	end(tracee);
	CHECK_ERRNO(request(PTRACE_INTERRUPT, tracee, 0, 0), ESRCH);
}

/* --- attaching --- */

static pid_t stopped_child(int signal)
{
	pid_t child;

	make_seen();
	child = fork();
	if (child == 0) {
		raise(signal);
		wait_for_ever();
	}
	CHECK_EQ(waitpid(child, NULL, WUNTRACED), child);
	return child;
}

TEST(attach_to_a_stopped_process)
{
	pid_t tracee = stopped_child(SIGSTOP);
	int status = 0;

	CHECK_EQ(request(PTRACE_ATTACH, tracee, 0, 0), 0);
	/* Nobody sees it run in between. */
	CHECK_EQ(waitpid(tracee, &status, __WALL | WNOHANG), tracee);
	CHECK_EQ(status, STOPPED(SIGSTOP));
	/* The stop of its group, and then the SIGSTOP that attaching sent. */
	go(PTRACE_CONT, tracee, STOPPED(SIGSTOP));
	CHECK_EQ(stop_info(tracee).si_signo, SIGSTOP);
	CHECK_EQ(stop_info(tracee).si_code, SI_KERNEL);
	end(tracee);
}

TEST(seize_of_a_stopped_process)
{
	pid_t tracee = stopped_child(SIGTSTP);
	int status = 0;

	CHECK_EQ(request(PTRACE_SEIZE, tracee, 0, 0), 0);
	CHECK_EQ(waitpid(tracee, &status, __WALL | WNOHANG), tracee);
	CHECK_EQ(status, GROUP_STOP(SIGTSTP));
	CHECK_EQ(request(PTRACE_LISTEN, tracee, 0, 0), 0);
	kill(tracee, SIGCONT);
	CHECK_EQ(wait_for(tracee), EVENT_STOP(PTRACE_EVENT_STOP));
	go(PTRACE_CONT, tracee, STOPPED(SIGCONT));
	CHECK_EQ(request(PTRACE_CONT, tracee, 0, SIGCONT), 0);
	no_report(tracee);
	end(tracee);
}

TEST(attach_reports_a_sigstop)
{
	pid_t child;
	siginfo_t info;

	make_seen();
	child = fork();
	if (child == 0)
		wait_for_ever();
	CHECK_EQ(request(PTRACE_ATTACH, child, 0, 0), 0);
	CHECK_EQ(wait_for(child), STOPPED(SIGSTOP));
	info = stop_info(child);
	CHECK(info.si_signo == SIGSTOP && info.si_code == SI_KERNEL && info.si_pid == 0);
	CHECK_ERRNO(request(PTRACE_ATTACH, child, 0, 0), EPERM);
	CHECK_ERRNO(request(PTRACE_SEIZE, child, 0, 0), EPERM);
	end(child);
}

/* Those that wait with a lower number come first. */
TEST(pending_signals_come_before_the_sigstop)
{
	pid_t child = fork();

	if (child == 0) {
		signal(SIGUSR1, SIG_DFL);
		for (;;)
			pause();
	}
	await_state(child, child, 'S');
	kill(child, SIGSTOP);
	CHECK_EQ(waitpid(child, NULL, WUNTRACED), child);
	kill(child, SIGUSR1);
	CHECK_EQ(request(PTRACE_ATTACH, child, 0, 0), 0);
	CHECK_EQ(wait_for(child), STOPPED(SIGSTOP));
	go(PTRACE_CONT, child, STOPPED(SIGSTOP));
	go(PTRACE_CONT, child, STOPPED(SIGUSR1));
	end(child);
}

TEST(traceme_twice)
{
	pid_t child = fork();

	if (child == 0) {
		CHECK_EQ(request(PTRACE_TRACEME, 0, 0, 0), 0);
		CHECK_ERRNO(request(PTRACE_TRACEME, 0, 0, 0), EPERM);
		_exit(0);
	}
	CHECK_EQ(wait_for(child), 0);
}

TEST(whom_nobody_can_attach)
{
	pid_t zombie = fork();

	if (zombie == 0)
		_exit(0);
	await_state(zombie, zombie, 'Z');
	CHECK_ERRNO(request(PTRACE_ATTACH, zombie, 0, 0), EPERM);
	CHECK_ERRNO(request(PTRACE_SEIZE, zombie, 0, 0), EPERM);
	CHECK_ERRNO(request(PTRACE_ATTACH, getpid(), 0, 0), EPERM);
	CHECK_ERRNO(request(PTRACE_ATTACH, 0, 0, 0), ESRCH);
	CHECK_ERRNO(request(PTRACE_ATTACH, -1, 0, 0), ESRCH);
	CHECK_ERRNO(request(PTRACE_SEIZE, getppid(), 0, 1u << 30), EIO);
	CHECK_EQ(wait_for(zombie), 0);
	CHECK_ERRNO(request(PTRACE_ATTACH, zombie, 0, 0), ESRCH);
}

/* --- threads --- */

static void *wait_in_thread(void *unused)
{
	seen->thread = (pid_t)syscall(SYS_gettid);
	for (;;)
		pause();
	return unused;
}

static void two_threads(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, wait_in_thread, NULL);
	for (;;)
		pause();
}

static pid_t seen_thread(void)
{
	while (!seen->thread)
		sleep_ms(1);
	return seen->thread;
}

/* Each thread that is seized reports the stop of the group for itself. */
TEST(all_threads_report_a_group_stop)
{
	pid_t tracee, thread;
	int status, first;

	make_seen();
	tracee = seize_of(two_threads, 0);
	thread = seen_thread();
	CHECK_EQ(request(PTRACE_SEIZE, thread, 0, 0), 0);
	kill(tracee, SIGSTOP);
	first = wait_any(&status);
	CHECK(first == tracee || first == thread);
	CHECK_EQ(status, STOPPED(SIGSTOP));
	CHECK_EQ(request(PTRACE_CONT, first, 0, SIGSTOP), 0);
	CHECK_EQ(wait_for(tracee), GROUP_STOP(SIGSTOP));
	CHECK_EQ(wait_for(thread), GROUP_STOP(SIGSTOP));
	CHECK_EQ(request(PTRACE_LISTEN, tracee, 0, 0), 0);
	CHECK_EQ(request(PTRACE_LISTEN, thread, 0, 0), 0);
	kill(tracee, SIGCONT);
	CHECK_EQ(wait_for(tracee), EVENT_STOP(PTRACE_EVENT_STOP));
	CHECK_EQ(wait_for(thread), EVENT_STOP(PTRACE_EVENT_STOP));
	kill(tracee, SIGKILL);
	CHECK_EQ(wait_for(thread), SIGKILL);
	CHECK_EQ(wait_for(tracee), SIGKILL);
}

/* One thread that is traced and one that is not: the stop is complete with
 * both. */
TEST(a_group_stop_of_a_process_that_is_traced_in_part)
{
	pid_t child, thread;
	int status;

	make_seen();
	child = fork();
	if (child == 0)
		two_threads();
	thread = seen_thread();
	CHECK_EQ(request(PTRACE_SEIZE, thread, 0, 0), 0);
	syscall(SYS_tgkill, child, child, SIGSTOP);
	CHECK_EQ(wait_for(thread), GROUP_STOP(SIGSTOP));
	CHECK_EQ(waitpid(child, &status, WUNTRACED), child);
	CHECK_EQ(status, STOPPED(SIGSTOP));
	CHECK_EQ(state_of(child, child), 'T');
	CHECK_EQ(state_of(child, thread), 't');
	CHECK_EQ(request(PTRACE_LISTEN, thread, 0, 0), 0);
	kill(child, SIGCONT);
	CHECK_EQ(wait_for(thread), EVENT_STOP(PTRACE_EVENT_STOP));
	CHECK_EQ(waitpid(child, &status, WCONTINUED), child);
	CHECK(WIFCONTINUED(status));
	kill(child, SIGKILL);
	CHECK_EQ(wait_for(thread), SIGKILL);
	CHECK_EQ(wait_for(child), SIGKILL);
}

/* --- pending signals and the mask --- */

TEST(peeking_at_what_waits)
{
	pid_t tracee = tracee_of(wait_for_ever);
	struct ptrace_peeksiginfo_args range = {0, PTRACE_PEEKSIGINFO_SHARED, 10};
	siginfo_t pending[10], *tail = tail_alloc(2 * sizeof(siginfo_t));
	union sigval value;

	for (int i = 0; i < 5; i++) {
		value.sival_int = i;
		CHECK(sigqueue(tracee, SIGRTMIN, value) == 0);
	}
	syscall(SYS_tgkill, tracee, tracee, SIGUSR1);
	CHECK_EQ(request(PTRACE_PEEKSIGINFO, tracee, (unsigned long)&range, (unsigned long)pending),
		5);
	for (int i = 0; i < 5; i++)
		CHECK(pending[i].si_signo == SIGRTMIN && pending[i].si_value.sival_int == i);
	range.off = 3;
	CHECK_EQ(request(PTRACE_PEEKSIGINFO, tracee, (unsigned long)&range, (unsigned long)pending),
		2);
	CHECK_EQ(pending[0].si_value.sival_int, 3);
	range.off = 5;
	CHECK_EQ(request(PTRACE_PEEKSIGINFO, tracee, (unsigned long)&range, (unsigned long)pending),
		0);
	range.off = ~0ull;
	CHECK_EQ(request(PTRACE_PEEKSIGINFO, tracee, (unsigned long)&range, (unsigned long)pending),
		0);
	range.off = 0;
	range.nr = 0;
	CHECK_EQ(request(PTRACE_PEEKSIGINFO, tracee, (unsigned long)&range, 0), 0);
	range.nr = -1;
	CHECK_ERRNO(
		request(PTRACE_PEEKSIGINFO, tracee, (unsigned long)&range, (unsigned long)pending),
		EINVAL);
	CHECK_ERRNO(request(PTRACE_PEEKSIGINFO, tracee, 8, (unsigned long)pending), EFAULT);
	range.nr = 10;
	CHECK_EQ(
		request(PTRACE_PEEKSIGINFO, tracee, (unsigned long)&range, (unsigned long)tail), 2);
	CHECK_ERRNO(request(PTRACE_PEEKSIGINFO, tracee, (unsigned long)&range, 8), EFAULT);
	range.flags = 0;
	CHECK_EQ(request(PTRACE_PEEKSIGINFO, tracee, (unsigned long)&range, (unsigned long)pending),
		1);
	CHECK_EQ(pending[0].si_signo, SIGUSR1);
	end(tracee);
}

TEST(the_mask_decides_what_comes)
{
	pid_t tracee;
	uint64_t mask = ~0ull, now = 0;

	make_seen();
	tracee = tracee_of(wait_for_ever);
	CHECK_EQ(request(PTRACE_SETSIGMASK, tracee, 8, (unsigned long)&mask), 0);
	CHECK_EQ(request(PTRACE_GETSIGMASK, tracee, 8, (unsigned long)&now), 0);
	/* Two that nobody can block. */
	CHECK_EQ(now, ~(1ull << (SIGKILL - 1) | 1ull << (SIGSTOP - 1)));
	CHECK_ERRNO(request(PTRACE_SETSIGMASK, tracee, 4, (unsigned long)&mask), EINVAL);
	CHECK_ERRNO(request(PTRACE_SETSIGMASK, tracee, 16, (unsigned long)&mask), EINVAL);
	CHECK_ERRNO(request(PTRACE_SETSIGMASK, tracee, 8, 8), EFAULT);
	CHECK_ERRNO(request(PTRACE_GETSIGMASK, tracee, 8, 8), EFAULT);
	CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
	kill(tracee, SIGUSR1);
	no_report(tracee);
	kill(tracee, SIGSTOP);
	CHECK_EQ(wait_for(tracee), STOPPED(SIGSTOP));
	mask = 0;
	CHECK_EQ(request(PTRACE_SETSIGMASK, tracee, 8, (unsigned long)&mask), 0);
	go(PTRACE_CONT, tracee, STOPPED(SIGUSR1));
	end(tracee);
}

static void suspend(void)
{
	sigset_t mask;

	catch_signals();
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR2);
	sigsuspend(&mask);
	_exit(5);
}

/* In sigsuspend the mask that comes back is the one that is shown. */
TEST(the_mask_in_sigsuspend)
{
	pid_t tracee;
	uint64_t now = 0;

	make_seen();
	tracee = seize_of(suspend, 0);
	while (!seen->ready)
		sleep_ms(1);
	await_state(tracee, tracee, 'S');
	go(PTRACE_INTERRUPT, tracee, EVENT_STOP(PTRACE_EVENT_STOP));
	CHECK_EQ(request(PTRACE_GETSIGMASK, tracee, 8, (unsigned long)&now), 0);
	CHECK_EQ(now, 0);
	CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
	/* It makes the call again. */
	await_state(tracee, tracee, 'S');
	kill(tracee, SIGUSR1);
	CHECK_EQ(wait_for(tracee), STOPPED(SIGUSR1));
	go_with(PTRACE_CONT, tracee, SIGUSR1, EXITED(5));
}

GUEST_TEST_MAIN()
