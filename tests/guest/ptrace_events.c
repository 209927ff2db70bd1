/* SPDX-License-Identifier: Apache-2.0 */
/* PTRACE_EVENT stops and the options that turn them on: their messages, what becomes of children
 * that are born traced, and how they lie between system call stops. */
#include "tests/guest/ptrace_test.h"

#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>

/* --- the tracees --- */

static void fork_once(void)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(3);
	_exit(waitpid(child, &status, 0) == child && status == EXITED(3) ? 5 : 6);
}

static void vfork_once(void)
{
	int status;
	pid_t child = vfork();

	if (child == 0)
		_exit(3);
	_exit(waitpid(child, &status, 0) == child && status == EXITED(3) ? 5 : 6);
}

static void clone_once(void)
{
	/* No exit signal: not a fork. */
	long child = syscall(SYS_clone, 0, 0, 0, 0, 0);
	int status;

	if (child == 0)
		_exit(3);
	_exit(waitpid((pid_t)child, &status, __WALL) == child && status == EXITED(3) ? 5 : 6);
}

static void clone3_once(void)
{
	struct clone_args args = {.exit_signal = SIGCHLD};
	long child = syscall(SYS_clone3, &args, sizeof(args));
	int status;

	if (child == 0)
		_exit(3);
	_exit(waitpid((pid_t)child, &status, 0) == child && status == EXITED(3) ? 5 : 6);
}

static void *return_argument(void *argument)
{
	return argument;
}

static void thread_once(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, return_argument, NULL) == 0)
		pthread_join(thread, NULL);
	_exit(5);
}

static void untraced_once(void)
{
	long child = syscall(SYS_clone, CLONE_UNTRACED | SIGCHLD, 0, 0, 0, 0);
	int status;

	if (child == 0)
		_exit(3);
	_exit(waitpid((pid_t)child, &status, 0) == child && status == EXITED(3) ? 5 : 6);
}

static void clone_ptrace_once(void)
{
	long child = syscall(SYS_clone, CLONE_PTRACE | SIGCHLD, 0, 0, 0, 0);
	int status;

	if (child == 0)
		_exit(3);
	_exit(waitpid((pid_t)child, &status, 0) == child && status == EXITED(3) ? 5 : 6);
}

static void exit_seven(void)
{
	_exit(7);
}

static void die_of_term(void)
{
	raise(SIGTERM);
}

static void wait_for_ever(void)
{
	for (;;)
		pause();
}

static void exec_true(void)
{
	execl("/bin/true", "true", NULL);
	_exit(1);
}

/* --- a child is born --- */

#define FAMILY (PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE)

/* The event of a birth, then the child's first stop and its end, then the parent's. first_stop:
 * what the child reports first. */
static void check_birth(pid_t tracee, int event, int first_stop, bool seized)
{
	int status;
	pid_t child;
	siginfo_t info;

	if (!seized)
		CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
	CHECK_EQ(wait_for(tracee), EVENT_STOP(event));
	info = stop_info(tracee);
	CHECK(info.si_signo == SIGTRAP && info.si_code == (SIGTRAP | event << 8));
	child = (pid_t)event_message(tracee);
	CHECK(child > 0 && child != tracee);
	/* Its first stop needs nothing of its parent, which stands still. */
	CHECK_EQ(wait_for(child), first_stop);
	CHECK_EQ(request(PTRACE_CONT, child, 0, 0), 0);
	/* A thread's end is seen by its tracer alone, a process's by both, the tracer first. */
	status = wait_for(child);
	CHECK(status == EXITED(3) || status == EXITED(0));
	CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
	status = wait_for(tracee);
	if (WIFSTOPPED(status) && WSTOPSIG(status) == SIGCHLD) {
		CHECK_EQ(request(PTRACE_CONT, tracee, 0, SIGCHLD), 0);
		status = wait_for(tracee);
	}
	CHECK_EQ(status, EXITED(5));
}

TEST(fork_is_an_event)
{
	check_birth(tracee_with(fork_once, FAMILY), PTRACE_EVENT_FORK, STOPPED(SIGSTOP), false);
}

TEST(fork_is_an_event_for_who_seized)
{
	check_birth(seize_of(fork_once, FAMILY), PTRACE_EVENT_FORK, EVENT_STOP(PTRACE_EVENT_STOP),
		true);
}

TEST(clone3_without_flags_is_a_fork)
{
	check_birth(tracee_with(clone3_once, FAMILY), PTRACE_EVENT_FORK, STOPPED(SIGSTOP), false);
}

TEST(clone_with_another_exit_signal_is_a_clone)
{
	check_birth(tracee_with(clone_once, FAMILY), PTRACE_EVENT_CLONE, STOPPED(SIGSTOP), false);
}

TEST(a_thread_is_a_clone)
{
	check_birth(tracee_with(thread_once, FAMILY), PTRACE_EVENT_CLONE, STOPPED(SIGSTOP), false);
	check_birth(seize_of(thread_once, FAMILY), PTRACE_EVENT_CLONE,
		EVENT_STOP(PTRACE_EVENT_STOP), true);
}

TEST(vfork_is_an_event)
{
	check_birth(tracee_with(vfork_once, FAMILY), PTRACE_EVENT_VFORK, STOPPED(SIGSTOP), false);
}

TEST(vfork_done_comes_when_the_child_is_gone)
{
	pid_t tracee = tracee_with(vfork_once, FAMILY | PTRACE_O_TRACEVFORKDONE), child;
	int status;

	go(PTRACE_CONT, tracee, EVENT_STOP(PTRACE_EVENT_VFORK));
	child = (pid_t)event_message(tracee);
	CHECK_EQ(wait_for(child), STOPPED(SIGSTOP));
	/* The parent waits for the child, which stands still. */
	CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
	sleep_ms(20);
	CHECK_EQ(waitpid(tracee, &status, __WALL | WNOHANG), 0);
	go(PTRACE_CONT, child, EXITED(3));
	CHECK_EQ(wait_for(tracee), EVENT_STOP(PTRACE_EVENT_VFORK_DONE));
	CHECK_EQ(event_message(tracee), child);
	CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
	status = wait_for(tracee);
	if (WIFSTOPPED(status)) {
		CHECK_EQ(WSTOPSIG(status), SIGCHLD);
		go(PTRACE_CONT, tracee, EXITED(5));
	} else {
		CHECK_EQ(status, EXITED(5));
	}
}

TEST(vfork_done_alone)
{
	pid_t tracee = tracee_with(vfork_once, PTRACE_O_TRACEVFORKDONE);

	go(PTRACE_CONT, tracee, EVENT_STOP(PTRACE_EVENT_VFORK_DONE));
	CHECK(event_message(tracee) > 0);
	CHECK_EQ(request(PTRACE_DETACH, tracee, 0, 0), 0);
	CHECK_EQ(wait_for(tracee), EXITED(5));
}

/* Each event has its own option: those that are not asked for happen unseen, and the child runs
 * free. */
TEST(other_options_do_not_matter)
{
	static void (*const births[])(void) = {fork_once, vfork_once, clone_once};
	static const int own[] = {PTRACE_O_TRACEFORK, PTRACE_O_TRACEVFORK, PTRACE_O_TRACECLONE};

	for (int i = 0; i < 3; i++) {
		pid_t tracee = tracee_with(births[i], (unsigned long)(FAMILY & ~own[i]));
		int status;

		CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
		while (WIFSTOPPED(status = wait_for(tracee))) {
			CHECK_EQ(status, STOPPED(SIGCHLD));
			CHECK_EQ(request(PTRACE_CONT, tracee, 0, SIGCHLD), 0);
		}
		CHECK_EQ(status, EXITED(5));
	}
}

TEST(clone_untraced_is_unseen)
{
	pid_t tracee = tracee_with(untraced_once, FAMILY);
	int status;

	CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
	while (WIFSTOPPED(status = wait_for(tracee))) {
		CHECK_EQ(status, STOPPED(SIGCHLD));
		CHECK_EQ(request(PTRACE_CONT, tracee, 0, SIGCHLD), 0);
	}
	CHECK_EQ(status, EXITED(5));
}

/* CLONE_PTRACE makes a tracee of the child without any option, and without an event. */
TEST(clone_ptrace_is_followed_without_an_event)
{
	pid_t tracee = tracee_of(clone_ptrace_once), child;
	int status;

	CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
	child = wait_any(&status);
	CHECK(child != tracee);
	CHECK_EQ(status, STOPPED(SIGSTOP));
	go(PTRACE_CONT, child, EXITED(3));
	while (WIFSTOPPED(status = wait_for(tracee)))
		CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
	CHECK_EQ(status, EXITED(5));
}

/* The child has its parent's options. */
static void fork_twice(void)
{
	pid_t child = fork();

	if (child == 0)
		fork_once();
	waitpid(child, NULL, 0);
	_exit(9);
}

TEST(options_are_inherited)
{
	pid_t tracee = tracee_with(fork_twice, PTRACE_O_TRACEFORK | PTRACE_O_TRACEEXIT), child,
	      grandchild;

	go(PTRACE_CONT, tracee, EVENT_STOP(PTRACE_EVENT_FORK));
	child = (pid_t)event_message(tracee);
	CHECK_EQ(wait_for(child), STOPPED(SIGSTOP));
	go(PTRACE_CONT, child, EVENT_STOP(PTRACE_EVENT_FORK));
	grandchild = (pid_t)event_message(child);
	CHECK_EQ(wait_for(grandchild), STOPPED(SIGSTOP));
	go(PTRACE_CONT, grandchild, EVENT_STOP(PTRACE_EVENT_EXIT));
	CHECK_EQ(event_message(grandchild), EXITED(3));
	go(PTRACE_CONT, grandchild, EXITED(3));
	end(tracee);
	end(child);
}

/* --- exec and exit --- */

TEST(exec_event_carries_the_thread)
{
	pid_t tracee = tracee_with(exec_true, PTRACE_O_TRACEEXEC);

	go(PTRACE_CONT, tracee, EVENT_STOP(PTRACE_EVENT_EXEC));
	CHECK_EQ(event_message(tracee), tracee);
	go(PTRACE_CONT, tracee, EXITED(0));
}

TEST(exec_without_the_option_is_a_sigtrap)
{
	pid_t tracee = tracee_of(exec_true);
	siginfo_t info;

	go(PTRACE_CONT, tracee, STOPPED(SIGTRAP));
	info = stop_info(tracee);
	CHECK(info.si_signo == SIGTRAP && info.si_code == SI_USER && info.si_pid == tracee);
	CHECK_EQ(event_message(tracee), 0);
	go(PTRACE_CONT, tracee, EXITED(0));
}

TEST(exec_of_a_seized_process_is_silent)
{
	CHECK_EQ(wait_for(seize_of(exec_true, 0)), EXITED(0));
}

TEST(exit_event_tells_the_status)
{
	pid_t tracee = tracee_with(exit_seven, PTRACE_O_TRACEEXIT);

	go(PTRACE_CONT, tracee, EVENT_STOP(PTRACE_EVENT_EXIT));
	CHECK_EQ(event_message(tracee), EXITED(7));
	/* It is still there to be looked at. */
	CHECK(peek_user(tracee, REGISTER(rip)) != 0);
	CHECK_EQ(peek_user(tracee, REGISTER(orig_rax)), SYS_exit_group);
	go(PTRACE_CONT, tracee, EXITED(7));
}

TEST(exit_event_of_a_death_by_signal)
{
	pid_t tracee = tracee_with(die_of_term, PTRACE_O_TRACEEXIT);

	go(PTRACE_CONT, tracee, STOPPED(SIGTERM));
	go_with(PTRACE_CONT, tracee, SIGTERM, EVENT_STOP(PTRACE_EVENT_EXIT));
	CHECK_EQ(event_message(tracee), SIGTERM);
	go(PTRACE_CONT, tracee, SIGTERM);
}

TEST(exit_event_of_a_running_tracee_that_is_killed)
{
	pid_t tracee = tracee_with(wait_for_ever, PTRACE_O_TRACEEXIT);
	int status;

	CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
	kill(tracee, SIGKILL);
	status = wait_for(tracee);
	if (status == EVENT_STOP(PTRACE_EVENT_EXIT)) {
		CHECK_EQ(event_message(tracee), SIGKILL);
		go(PTRACE_CONT, tracee, SIGKILL);
	} else {
		CHECK_EQ(status, SIGKILL);
	}
}

/* A process that is ending already cannot be killed: its exit stop lasts. */
TEST(sigkill_does_not_end_the_exit_stop)
{
	pid_t tracee = tracee_with(exit_seven, PTRACE_O_TRACEEXIT);
	int status;

	go(PTRACE_CONT, tracee, EVENT_STOP(PTRACE_EVENT_EXIT));
	kill(tracee, SIGKILL);
	sleep_ms(20);
	CHECK_EQ(waitpid(tracee, &status, __WALL | WNOHANG), 0);
	go(PTRACE_CONT, tracee, EXITED(7));
}

/* What detaching in the exit stop leaves is an ordinary end. */
TEST(detach_in_the_exit_stop)
{
	pid_t tracee = tracee_with(exit_seven, PTRACE_O_TRACEEXIT);

	go(PTRACE_CONT, tracee, EVENT_STOP(PTRACE_EVENT_EXIT));
	CHECK_EQ(request(PTRACE_DETACH, tracee, 0, 0), 0);
	CHECK_EQ(wait_for(tracee), EXITED(7));
}

static void *exit_thread(void *argument)
{
	syscall(SYS_exit, 11);
	return argument;
}

static void thread_that_exits(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, exit_thread, NULL) == 0)
		pthread_join(thread, NULL);
	_exit(12);
}

TEST(exit_event_of_a_thread)
{
	pid_t tracee = tracee_with(thread_that_exits, PTRACE_O_TRACEEXIT | PTRACE_O_TRACECLONE);
	pid_t thread;

	go(PTRACE_CONT, tracee, EVENT_STOP(PTRACE_EVENT_CLONE));
	thread = (pid_t)event_message(tracee);
	CHECK_EQ(wait_for(thread), STOPPED(SIGSTOP));
	go(PTRACE_CONT, thread, EVENT_STOP(PTRACE_EVENT_EXIT));
	CHECK_EQ(event_message(thread), EXITED(11));
	/* Had the process ended by now, its status would be the thread's. */
	go(PTRACE_CONT, thread, EXITED(11));
	go(PTRACE_CONT, tracee, EVENT_STOP(PTRACE_EVENT_EXIT));
	CHECK_EQ(event_message(tracee), EXITED(12));
	go(PTRACE_CONT, tracee, EXITED(12));
}

/* --- EXITKILL --- */

TEST(exitkill_takes_the_tracee_along)
{
	int fds[2];
	char byte;
	pid_t tracer, child = -1;

	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);
	CHECK(pipe(fds) == 0);
	tracer = fork();
	if (tracer == 0) {
		child = tracee_with(wait_for_ever, PTRACE_O_EXITKILL);
		CHECK_EQ(request(PTRACE_CONT, child, 0, 0), 0);
		CHECK(write(fds[1], &child, sizeof(child)) == sizeof(child));
		_exit(0);
	}
	CHECK_EQ(wait_for(tracer), 0);
	CHECK(read(fds[0], &child, sizeof(child)) == sizeof(child));
	CHECK_EQ(wait_for(child), SIGKILL);
	close(fds[1]);
	CHECK_EQ(read(fds[0], &byte, 1), 0);
}

/* --- system call stops and events --- */

TEST(sysgood_marks_system_call_stops)
{
	pid_t tracee = tracee_of(fork_once);
	siginfo_t info;

	go(PTRACE_SYSCALL, tracee, STOPPED(SIGTRAP));
	info = stop_info(tracee);
	CHECK(info.si_signo == SIGTRAP && info.si_code == SIGTRAP);
	CHECK_EQ(request(PTRACE_SETOPTIONS, tracee, 0, PTRACE_O_TRACESYSGOOD), 0);
	go(PTRACE_SYSCALL, tracee, SYSCALL_STOP);
	info = stop_info(tracee);
	CHECK(info.si_signo == SIGTRAP && info.si_code == (SIGTRAP | 0x80));
	CHECK_EQ(info.si_pid, tracee);
	end(tracee);
}

/* The message of a system call stop says whether it is the entry or the exit. */
TEST(messages_of_system_call_stops)
{
	pid_t tracee = tracee_with(exec_true, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC);

	go_to_call(tracee, SYS_execve);
	CHECK_EQ(event_message(tracee), PTRACE_EVENTMSG_SYSCALL_ENTRY);
	go(PTRACE_SYSCALL, tracee, EVENT_STOP(PTRACE_EVENT_EXEC));
	CHECK_EQ(peek_user(tracee, REGISTER(orig_rax)), SYS_execve);
	go(PTRACE_SYSCALL, tracee, SYSCALL_STOP);
	CHECK_EQ(event_message(tracee), PTRACE_EVENTMSG_SYSCALL_EXIT);
	CHECK_EQ(peek_user(tracee, REGISTER(rax)), 0);
	end(tracee);
}

/* Without the option the SIGTRAP of an execve comes after the exit stop. */
TEST(the_sigtrap_of_exec_comes_after_the_exit_stop)
{
	pid_t tracee = tracee_with(exec_true, PTRACE_O_TRACESYSGOOD);

	go_to_call(tracee, SYS_execve);
	go(PTRACE_SYSCALL, tracee, SYSCALL_STOP);
	CHECK_EQ(event_message(tracee), PTRACE_EVENTMSG_SYSCALL_EXIT);
	go(PTRACE_SYSCALL, tracee, STOPPED(SIGTRAP));
	end(tracee);
}

/* The event of a fork lies between entry and exit; the child comes out of the call as well. */
TEST(fork_between_entry_and_exit)
{
	pid_t tracee = tracee_with(fork_once, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK), child;
	struct ptrace_syscall_info info;

	go_to_call(tracee, SYS_clone);
	go(PTRACE_SYSCALL, tracee, EVENT_STOP(PTRACE_EVENT_FORK));
	child = (pid_t)event_message(tracee);
	go(PTRACE_SYSCALL, tracee, SYSCALL_STOP);
	CHECK_EQ(peek_user(tracee, REGISTER(rax)), child);
	CHECK_EQ(wait_for(child), STOPPED(SIGSTOP));
	/* Its SIGSTOP was delivered behind the call: the exit is not reported. */
	CHECK_EQ(peek_user(child, REGISTER(rax)), 0);
	go(PTRACE_SYSCALL, child, SYSCALL_STOP);
	CHECK(request(PTRACE_GET_SYSCALL_INFO, child, sizeof(info), (unsigned long)&info) > 0);
	CHECK_EQ(info.op, PTRACE_SYSCALL_INFO_ENTRY);
	end(child);
	end(tracee);
}

/* --- seccomp --- */

static void install(long number, uint32_t action)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {4, code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program))
		_exit(99);
}

static void seccomp_traced_call(void)
{
	long result;

	install(SYS_getppid, SECCOMP_RET_TRACE | 0x1234);
	result = syscall(SYS_getppid);
	_exit(result == 77 ? 1 : result > 0 ? 2 : errno == ENOSYS ? 3 : 4);
}

/* The entry stop first, then the filter's event, then the exit. */
TEST(seccomp_event_comes_after_the_entry)
{
	pid_t tracee =
		tracee_with(seccomp_traced_call, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP);

	go_to_call(tracee, SYS_getppid);
	go(PTRACE_SYSCALL, tracee, EVENT_STOP(PTRACE_EVENT_SECCOMP));
	CHECK_EQ(event_message(tracee), 0x1234);
	CHECK_EQ(peek_user(tracee, REGISTER(orig_rax)), SYS_getppid);
	CHECK_EQ((long)peek_user(tracee, REGISTER(rax)), -ENOSYS);
	go(PTRACE_SYSCALL, tracee, SYSCALL_STOP);
	CHECK_EQ(event_message(tracee), PTRACE_EVENTMSG_SYSCALL_EXIT);
	poke_user(tracee, REGISTER(rax), 77);
	go(PTRACE_CONT, tracee, EXITED(1));
}

/* Without the option there is nobody to ask: the call is not there. */
TEST(seccomp_trace_without_the_option)
{
	pid_t tracee = tracee_of(seccomp_traced_call);

	go(PTRACE_CONT, tracee, EXITED(3));
}

TEST(seccomp_event_skips_a_call)
{
	pid_t tracee = tracee_with(seccomp_traced_call, PTRACE_O_TRACESECCOMP);

	go(PTRACE_CONT, tracee, EVENT_STOP(PTRACE_EVENT_SECCOMP));
	poke_user(tracee, REGISTER(orig_rax), (unsigned long)-1);
	poke_user(tracee, REGISTER(rax), 77);
	go(PTRACE_CONT, tracee, EXITED(1));
}

/* PTRACE_SYSCALL out of the event: the exit stop comes, though there was no entry stop. */
TEST(exit_stop_after_a_seccomp_event)
{
	pid_t tracee =
		tracee_with(seccomp_traced_call, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP);

	go(PTRACE_CONT, tracee, EVENT_STOP(PTRACE_EVENT_SECCOMP));
	go(PTRACE_SYSCALL, tracee, SYSCALL_STOP);
	CHECK_EQ(event_message(tracee), PTRACE_EVENTMSG_SYSCALL_EXIT);
	go(PTRACE_CONT, tracee, EXITED(2));
}

static void two_filters(void)
{
	long result;

	install(SYS_getuid, SECCOMP_RET_ERRNO | 55);
	install(SYS_getppid, SECCOMP_RET_TRACE);
	result = syscall(SYS_getppid);
	_exit(result < 0 ? errno : 2);
}

/* A call that the tracer changes is filtered anew. */
TEST(a_changed_call_is_filtered_anew)
{
	pid_t tracee = tracee_with(two_filters, PTRACE_O_TRACESECCOMP);

	go(PTRACE_CONT, tracee, EVENT_STOP(PTRACE_EVENT_SECCOMP));
	poke_user(tracee, REGISTER(orig_rax), SYS_getuid);
	go(PTRACE_CONT, tracee, EXITED(55));
}

/* The filter sees what the entry stop left. */
TEST(the_filter_sees_what_the_entry_stop_left)
{
	pid_t tracee = tracee_with(two_filters, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP);

	go_to_call(tracee, SYS_getppid);
	poke_user(tracee, REGISTER(orig_rax), SYS_getuid);
	go(PTRACE_CONT, tracee, EXITED(55));
}

static void filtered_call(void)
{
	long result;

	install(SYS_getppid, SECCOMP_RET_ERRNO | 55);
	raise(SIGUSR2);
	result = syscall(SYS_getppid);
	_exit(result < 0 ? errno : 2);
}

TEST(suspend_seccomp_lets_all_calls_pass)
{
	pid_t tracee = tracee_of(filtered_call);

	go(PTRACE_CONT, tracee, STOPPED(SIGUSR2));
	if (request(PTRACE_SETOPTIONS, tracee, 0, PTRACE_O_SUSPEND_SECCOMP)) {
		CHECK(errno == EINVAL || errno == EPERM);
		end(tracee);
		SKIP("no PTRACE_O_SUSPEND_SECCOMP here");
	}
	go(PTRACE_CONT, tracee, EXITED(2));
}

/* The death of the tracer, or another set of options, puts the filters in force again. */
TEST(filters_are_back_when_it_is_over)
{
	pid_t tracee = tracee_of(filtered_call);

	go(PTRACE_CONT, tracee, STOPPED(SIGUSR2));
	if (request(PTRACE_SETOPTIONS, tracee, 0, PTRACE_O_SUSPEND_SECCOMP))
		SKIP("no PTRACE_O_SUSPEND_SECCOMP here");
	CHECK_EQ(request(PTRACE_SETOPTIONS, tracee, 0, 0), 0);
	go(PTRACE_CONT, tracee, EXITED(55));
	tracee = tracee_of(filtered_call);
	go(PTRACE_CONT, tracee, STOPPED(SIGUSR2));
	CHECK_EQ(request(PTRACE_SETOPTIONS, tracee, 0, PTRACE_O_SUSPEND_SECCOMP), 0);
	CHECK_EQ(request(PTRACE_DETACH, tracee, 0, 0), 0);
	CHECK_EQ(wait_for(tracee), EXITED(55));
}

TEST(suspend_seccomp_needs_a_right)
{
	pid_t tracer = fork();

	if (tracer == 0) {
		pid_t tracee;

		if (getuid() == 0)
			CHECK(setresgid(1000, 1000, 1000) == 0 && setresuid(1000, 1000, 1000) == 0);
		CHECK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
		tracee = tracee_of(exit_seven);
		errno = 0;
		CHECK_EQ(request(PTRACE_SETOPTIONS, tracee, 0, PTRACE_O_SUSPEND_SECCOMP), -1);
		CHECK(errno == EPERM || errno == EINVAL);
		end(tracee);
		_exit(0);
	}
	CHECK_EQ(wait_for(tracer), 0);
}

/* --- EVENT_STOP --- */

TEST(interrupt_is_an_event_stop)
{
	pid_t tracee = seize_of(wait_for_ever, 0);
	siginfo_t info;

	go(PTRACE_INTERRUPT, tracee, EVENT_STOP(PTRACE_EVENT_STOP));
	info = stop_info(tracee);
	CHECK(info.si_signo == SIGTRAP);
	CHECK_EQ(info.si_code, SIGTRAP | PTRACE_EVENT_STOP << 8);
	CHECK_EQ(event_message(tracee), 0);
	end(tracee);
}

TEST(options_of_seize_hold_at_once)
{
	pid_t tracee = seize_of(exit_seven, PTRACE_O_TRACEEXIT);

	CHECK_EQ(wait_for(tracee), EVENT_STOP(PTRACE_EVENT_EXIT));
	CHECK_EQ(event_message(tracee), EXITED(7));
	go(PTRACE_CONT, tracee, EXITED(7));
}

/* waitid tells an event in si_status. */
TEST(waitid_tells_events)
{
	pid_t tracee = tracee_with(exit_seven, PTRACE_O_TRACEEXIT);
	siginfo_t info;

	CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
	CHECK_EQ(waitid(P_PID, (id_t)tracee, &info, WSTOPPED), 0);
	CHECK_EQ(info.si_code, CLD_TRAPPED);
	CHECK_EQ(info.si_status, SIGTRAP | PTRACE_EVENT_EXIT << 8);
	CHECK_EQ(info.si_pid, tracee);
	go(PTRACE_CONT, tracee, EXITED(7));
}

GUEST_TEST_MAIN()
