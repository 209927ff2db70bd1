/* SPDX-License-Identifier: Apache-2.0 */
/* Stop signals in the corners: what a SIGCHLD says, what waitid keeps, which pending signals cancel
 * each other, stops that meet a vfork, an exit, or each other. */
#include "tests/guest/guest_test.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define ROUNDS 1000

static struct {
	volatile int ready, go, count, signal;
	volatile pid_t task;
} * seen;

static void make_seen(void)
{
	seen = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(seen != MAP_FAILED);
}

static pid_t child_of(void (*function)(void))
{
	pid_t child;

	if (!seen)
		make_seen();
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		function();
		_exit(0);
	}
	return child;
}

static void wait_for_ever(void)
{
	for (;;)
		pause();
}

static void spin(void)
{
	for (;;)
		seen->count++;
}

static int wait_status(pid_t child, int options)
{
	int status = -1;
	pid_t found = waitpid(child, &status, options);

	CHECK(found > 0 && (child < 0 || found == child));
	return status;
}

static void stop(pid_t child, int signal)
{
	int status;

	CHECK(kill(child, signal) == 0);
	status = wait_status(child, WUNTRACED);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == signal);
}

static void finish(pid_t child)
{
	kill(child, SIGKILL);
	CHECK_EQ(wait_status(child, 0), SIGKILL);
}

static void no_report(pid_t child, int options)
{
	int status;

	sleep_ms(10);
	CHECK_EQ(waitpid(child, &status, options | WNOHANG), 0);
}

/* --- what SIGCHLD says --- */

static siginfo_t next_child_signal(void)
{
	struct timespec limit = {20, 0};
	sigset_t set;
	siginfo_t info;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	CHECK_EQ(sigtimedwait(&set, &info, &limit), SIGCHLD);
	return info;
}

static void block_sigchld(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
}

static void check_info(siginfo_t info, pid_t child, int code, int status)
{
	CHECK_EQ(info.si_signo, SIGCHLD);
	CHECK_EQ(info.si_pid, child);
	CHECK_EQ(info.si_uid, getuid());
	CHECK_EQ(info.si_code, code);
	CHECK_EQ(info.si_status, status);
}

TEST(sigchld_tells_each_change)
{
	static const int signals[] = {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};
	pid_t child;

	block_sigchld();
	child = child_of(wait_for_ever);
	for (int i = 0; i < 4; i++) {
		kill(child, signals[i]);
		check_info(next_child_signal(), child, CLD_STOPPED, signals[i]);
		kill(child, SIGCONT);
		check_info(next_child_signal(), child, CLD_CONTINUED, SIGCONT);
	}
	kill(child, SIGTERM);
	check_info(next_child_signal(), child, CLD_KILLED, SIGTERM);
	CHECK_EQ(wait_status(child, 0), SIGTERM);
}

static void exit_seven(void)
{
	_exit(7);
}

TEST(sigchld_tells_the_exit)
{
	pid_t child;

	block_sigchld();
	child = child_of(exit_seven);
	check_info(next_child_signal(), child, CLD_EXITED, 7);
	CHECK_EQ(wait_status(child, 0), 7 << 8);
}

/* --- waitid --- */

static siginfo_t look(pid_t child, int options)
{
	siginfo_t info = {0};

	CHECK_EQ(waitid(P_PID, (id_t)child, &info, options), 0);
	return info;
}

TEST(looking_leaves_the_report)
{
	pid_t child = child_of(wait_for_ever);

	kill(child, SIGTSTP);
	for (int i = 0; i < 3; i++)
		check_info(look(child, WSTOPPED | WNOWAIT), child, CLD_STOPPED, SIGTSTP);
	check_info(look(child, WSTOPPED), child, CLD_STOPPED, SIGTSTP);
	CHECK_EQ(look(child, WSTOPPED | WNOHANG).si_pid, 0);
	kill(child, SIGCONT);
	for (int i = 0; i < 3; i++)
		check_info(look(child, WCONTINUED | WNOWAIT), child, CLD_CONTINUED, SIGCONT);
	check_info(look(child, WCONTINUED), child, CLD_CONTINUED, SIGCONT);
	CHECK_EQ(look(child, WCONTINUED | WNOHANG).si_pid, 0);
	kill(child, SIGKILL);
	for (int i = 0; i < 3; i++)
		check_info(look(child, WEXITED | WNOWAIT), child, CLD_KILLED, SIGKILL);
	finish(child);
}

/* Each kind of report is asked for by itself. */
TEST(other_reports_are_not_mixed_in)
{
	pid_t child = child_of(wait_for_ever);

	kill(child, SIGSTOP);
	check_info(look(child, WSTOPPED | WNOWAIT), child, CLD_STOPPED, SIGSTOP);
	CHECK_EQ(look(child, WEXITED | WCONTINUED | WNOHANG).si_pid, 0);
	no_report(child, WCONTINUED);
	no_report(child, 0);
	kill(child, SIGCONT);
	check_info(look(child, WCONTINUED | WNOWAIT), child, CLD_CONTINUED, SIGCONT);
	/* The stop that nobody took is over. */
	CHECK_EQ(look(child, WSTOPPED | WEXITED | WNOHANG).si_pid, 0);
	/* A stop makes an end of the continuation that nobody took. */
	kill(child, SIGSTOP);
	check_info(look(child, WSTOPPED | WNOWAIT), child, CLD_STOPPED, SIGSTOP);
	CHECK_EQ(look(child, WCONTINUED | WNOHANG).si_pid, 0);
	finish(child);
}

/* A parent that does not want zombies still hears of stops. */
TEST(nocldwait_hears_of_stops)
{
	struct sigaction action = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT};
	pid_t child;

	CHECK(sigaction(SIGCHLD, &action, NULL) == 0);
	child = child_of(wait_for_ever);
	stop(child, SIGSTOP);
	kill(child, SIGCONT);
	CHECK(WIFCONTINUED(wait_status(child, WCONTINUED)));
	kill(child, SIGKILL);
	CHECK_ERRNO(waitpid(child, NULL, 0), ECHILD);
}

/* --- pending signals --- */

static void block_all(void)
{
	sigset_t set;

	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

static void block_and_unblock(void)
{
	sigset_t set;

	block_all();
	seen->ready = 1;
	while (!seen->go)
		sleep_ms(1);
	sigemptyset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	_exit(7);
}

static pid_t blocked_child(void)
{
	pid_t child;

	make_seen();
	child = child_of(block_and_unblock);
	while (!seen->ready)
		sleep_ms(1);
	return child;
}

/* SIGCONT takes away the stop signals that wait, whether or not it is itself blocked. */
TEST(a_continue_takes_pending_stops_away)
{
	pid_t child = blocked_child();

	kill(child, SIGTSTP);
	kill(child, SIGTTIN);
	kill(child, SIGTTOU);
	kill(child, SIGCONT);
	seen->go = 1;
	CHECK_EQ(wait_status(child, WUNTRACED | WCONTINUED), 7 << 8);
}

TEST(a_pending_stop_happens_when_it_is_unblocked)
{
	pid_t child = blocked_child();
	int status;

	kill(child, SIGTTIN);
	no_report(child, WUNTRACED);
	seen->go = 1;
	status = wait_status(child, WUNTRACED);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTIN);
	kill(child, SIGCONT);
	CHECK_EQ(wait_status(child, 0), 7 << 8);
}

/* SIGSTOP does not mind the mask. */
TEST(sigstop_does_not_mind_the_mask)
{
	pid_t child = blocked_child();

	stop(child, SIGSTOP);
	kill(child, SIGTSTP);
	kill(child, SIGCONT);
	CHECK(WIFCONTINUED(wait_status(child, WCONTINUED)));
	seen->go = 1;
	CHECK_EQ(wait_status(child, WUNTRACED), 7 << 8);
}

/* A second stop of a stopped process is nothing new; one SIGCONT sets it going. */
TEST(stops_do_not_add_up)
{
	pid_t child = child_of(spin);
	int before;

	stop(child, SIGSTOP);
	for (int i = 0; i < 5; i++)
		kill(child, SIGSTOP);
	no_report(child, WUNTRACED);
	kill(child, SIGCONT);
	CHECK(WIFCONTINUED(wait_status(child, WCONTINUED)));
	before = seen->count;
	while (seen->count == before)
		sleep_ms(1);
	finish(child);
}

TEST(a_continue_of_a_running_process_is_not_reported)
{
	pid_t child = child_of(wait_for_ever);

	kill(child, SIGCONT);
	no_report(child, WUNTRACED | WCONTINUED);
	finish(child);
}

/* Those that wait, deadly ones too, wait for the continue; SIGKILL does not. */
TEST(a_deadly_signal_waits)
{
	pid_t child = child_of(wait_for_ever);

	stop(child, SIGSTOP);
	kill(child, SIGTERM);
	no_report(child, WUNTRACED);
	kill(child, SIGCONT);
	CHECK_EQ(wait_status(child, 0), SIGTERM);
}

static void on_signal(int signal)
{
	seen->signal = signal;
	seen->count++;
}

static void handle_stops(void)
{
	signal(SIGTSTP, on_signal);
	signal(SIGTTIN, SIG_IGN);
	signal(SIGCONT, on_signal);
	seen->ready = 1;
	wait_for_ever();
}

TEST(stop_signals_with_other_dispositions)
{
	pid_t child;

	make_seen();
	child = child_of(handle_stops);
	while (!seen->ready)
		sleep_ms(1);
	kill(child, SIGTSTP);
	while (seen->signal != SIGTSTP)
		sleep_ms(1);
	kill(child, SIGTTIN);
	no_report(child, WUNTRACED);
	stop(child, SIGTTOU);
	CHECK_EQ(seen->count, 1);
	kill(child, SIGCONT);
	while (seen->signal != SIGCONT)
		sleep_ms(1);
	finish(child);
}

/* --- threads --- */

static void *spin_in_thread(void *unused)
{
	seen->task = (pid_t)syscall(SYS_gettid);
	for (;;)
		seen->count++;
	return unused;
}

static void two_threads(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, spin_in_thread, NULL);
	wait_for_ever();
}

TEST(a_stop_of_one_thread_stops_all)
{
	pid_t child;
	int status, before;

	make_seen();
	child = child_of(two_threads);
	while (!seen->task)
		sleep_ms(1);
	syscall(SYS_tgkill, child, seen->task, SIGSTOP);
	status = wait_status(child, WUNTRACED);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	before = seen->count;
	sleep_ms(20);
	CHECK_EQ(seen->count, before);
	/* SIGCONT for any thread continues all. */
	syscall(SYS_tgkill, child, child, SIGCONT);
	CHECK(WIFCONTINUED(wait_status(child, WCONTINUED)));
	while (seen->count == before)
		sleep_ms(1);
	finish(child);
}

static void *exit_in_thread(void *unused)
{
	syscall(SYS_exit, 0);
	return unused;
}

static void make_threads(void)
{
	for (;;) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, exit_in_thread, NULL) == 0)
			pthread_join(thread, NULL);
		seen->count++;
	}
}

/* However births and ends of threads meet the stop, it is complete, and over when it is continued.
 */
TEST(stops_against_threads)
{
	pid_t child;

	make_seen();
	child = child_of(make_threads);
	for (int i = 0; i < ROUNDS; i++) {
		int status, before;

		kill(child, SIGSTOP);
		status = wait_status(child, WUNTRACED);
		CHECK(WIFSTOPPED(status));
		before = seen->count;
		sched_yield();
		CHECK_EQ(seen->count, before);
		kill(child, SIGCONT);
		CHECK(WIFCONTINUED(wait_status(child, WCONTINUED)));
	}
	finish(child);
}

/* --- vfork --- */

static void vfork_and_wait(void)
{
	pid_t child;

	child = vfork();
	if (child == 0) {
		seen->ready = 1;
		while (!seen->go)
			sleep_ms(1);
		_exit(0);
	}
	wait_for_ever();
}

/* Who waits for a vfork's child cannot stop until the child is done. */
TEST(a_stop_waits_for_a_vfork)
{
	pid_t child;
	int status;

	make_seen();
	child = child_of(vfork_and_wait);
	while (!seen->ready)
		sleep_ms(1);
	kill(child, SIGSTOP);
	no_report(child, WUNTRACED);
	seen->go = 1;
	status = wait_status(child, WUNTRACED);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	finish(child);
}

TEST(a_kill_does_not_wait_for_a_vfork)
{
	pid_t child;

	make_seen();
	child = child_of(vfork_and_wait);
	while (!seen->ready)
		sleep_ms(1);
	kill(child, SIGKILL);
	CHECK_EQ(wait_status(child, 0), SIGKILL);
	seen->go = 1;
}

/* --- parents that die --- */

static void ask_for_signal(void)
{
	prctl(PR_SET_PDEATHSIG, SIGUSR1);
	signal(SIGUSR1, on_signal);
	seen->ready = 1;
	while (seen->signal != SIGUSR1)
		sleep_ms(1);
	_exit(9);
}

static void have_a_child(void)
{
	seen->task = child_of(ask_for_signal);
	wait_for_ever();
}

/* A child that is stopped gets its signal when it continues. */
TEST(a_parent_dies_while_its_child_is_stopped)
{
	pid_t child, orphan;

	make_seen();
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	child = child_of(have_a_child);
	while (!seen->ready || !seen->task)
		sleep_ms(1);
	orphan = seen->task;
	kill(orphan, SIGSTOP);
	sleep_ms(20);
	kill(child, SIGKILL);
	CHECK_EQ(wait_status(child, 0), SIGKILL);
	/* Its group may have been orphaned, which continues it. */
	sleep_ms(10);
	kill(orphan, SIGCONT);
	CHECK_EQ(wait_status(orphan, 0), 9 << 8);
}

/* --- core dumps --- */

static void no_core(void)
{
	struct rlimit limit = {0, 0};

	setrlimit(RLIMIT_CORE, &limit);
	abort();
}

TEST(a_death_without_a_dump)
{
	pid_t child;
	siginfo_t info;
	int status;

	block_sigchld();
	child = child_of(no_core);
	info = next_child_signal();
	CHECK_EQ(info.si_code, CLD_KILLED);
	CHECK_EQ(info.si_status, SIGABRT);
	status = wait_status(child, 0);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && !WCOREDUMP(status));
}

static bool dumps_into_the_directory(void)
{
	char pattern[128] = "";
	int fd = open("/proc/sys/kernel/core_pattern", O_RDONLY);

	return fd >= 0 && read(fd, pattern, sizeof(pattern) - 1) > 0 && !strcmp(pattern, "core\n");
}

static void with_core(void)
{
	struct rlimit limit = {1 << 20, 1 << 20};

	setrlimit(RLIMIT_CORE, &limit);
	abort();
}

static void with_a_tiny_core(void)
{
	struct rlimit limit = {4095, 4095};

	setrlimit(RLIMIT_CORE, &limit);
	abort();
}

static void with_core_by_sigterm(void)
{
	struct rlimit limit = {1 << 20, 1 << 20};

	setrlimit(RLIMIT_CORE, &limit);
	raise(SIGTERM);
}

TEST(a_death_with_a_dump)
{
	char directory[] = "/tmp/stop_signals.XXXXXX";
	siginfo_t info;
	int status;

	if (!dumps_into_the_directory())
		SKIP("cores go elsewhere");
	CHECK(mkdtemp(directory) && chdir(directory) == 0);
	block_sigchld();
	child_of(with_core);
	info = next_child_signal();
	status = wait_status(-1, 0);
	unlink("core");
	CHECK(chdir("/") == 0 && rmdir(directory) == 0);
	CHECK_EQ(info.si_code, CLD_DUMPED);
	CHECK_EQ(info.si_status, SIGABRT);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && WCOREDUMP(status));
	CHECK_EQ(wait_status(child_of(with_a_tiny_core), 0), SIGABRT);
	CHECK_EQ(wait_status(child_of(with_core_by_sigterm), 0), SIGTERM);
}

static void core_but_not_dumpable(void)
{
	prctl(PR_SET_DUMPABLE, 0);
	raise(SIGSEGV);
}

TEST(a_death_of_one_that_is_not_dumpable)
{
	int status = wait_status(child_of(core_but_not_dumpable), 0);

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV && !WCOREDUMP(status));
}

/* --- races --- */

/* A stop and a continue that are sent at the same time by two: in the end it runs or it is stopped,
 * and can be set going. */
TEST(stop_against_continue)
{
	pid_t child = child_of(spin);

	for (int i = 0; i < ROUNDS; i++) {
		pid_t sender = fork();
		int status, before;

		if (sender == 0) {
			kill(child, SIGSTOP);
			_exit(0);
		}
		kill(child, SIGCONT);
		CHECK_EQ(wait_status(sender, 0), 0);
		kill(child, SIGCONT);
		before = seen->count;
		while (seen->count == before)
			sched_yield();
		/* What was not taken may still be there, the end of it is the continuation. */
		while (waitpid(child, &status, WUNTRACED | WCONTINUED | WNOHANG) == child)
			CHECK(WIFSTOPPED(status) || WIFCONTINUED(status));
	}
	finish(child);
}

TEST(stop_against_kill)
{
	for (int i = 0; i < ROUNDS; i++) {
		pid_t child = child_of(i & 1 ? spin : wait_for_ever), sender = fork();
		int status;

		if (sender == 0) {
			kill(child, SIGSTOP);
			_exit(0);
		}
		kill(child, SIGKILL);
		do
			status = wait_status(child, WUNTRACED);
		while (WIFSTOPPED(status));
		CHECK_EQ(status, SIGKILL);
		CHECK_EQ(wait_status(sender, 0), 0);
	}
}

static void exit_soon(void)
{
	for (int i = 0; i < seen->go; i++)
		getppid();
	_exit(7);
}

TEST(stop_against_exit)
{
	make_seen();
	for (int i = 0; i < ROUNDS; i++) {
		pid_t child;
		int status;

		seen->go = i % 40 * 5;
		child = child_of(exit_soon);
		kill(child, SIGSTOP);
		status = wait_status(child, WUNTRACED);
		if (WIFSTOPPED(status)) {
			kill(child, SIGCONT);
			status = wait_status(child, 0);
		}
		CHECK_EQ(status, 7 << 8);
	}
}

GUEST_TEST_MAIN()
