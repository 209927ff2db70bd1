/* SPDX-License-Identifier: Apache-2.0 */
/* prctl(PR_SET_SYSCALL_USER_DISPATCH): calls that come back to the program as SIGSYS. */
#include "tests/guest/ptrace_test.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <ucontext.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif
#define DISPATCH_OFF	   0ul
#define DISPATCH_ON	   1ul
#define DISPATCH_INCLUSIVE 2ul
#define ALLOW		   0
#define BLOCK		   1
#define USER_DISPATCH	   2 /* si_code */

static volatile char selector;
static volatile int caught;
static siginfo_t info;
static volatile long number, instruction;

static long dispatch(
	unsigned long mode, unsigned long offset, unsigned long length, volatile char *choice)
{
	return syscall(SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH, mode, offset, length, choice);
}

/* Makes no call while the selector blocks. */
static void on_sigsys(int signal, siginfo_t *given, void *context)
{
	ucontext_t *user = context;

	selector = ALLOW;
	caught = signal;
	info = *given;
	number = user->uc_mcontext.gregs[REG_RAX];
	instruction = user->uc_mcontext.gregs[REG_RIP];
	user->uc_mcontext.gregs[REG_RAX] = 4242;
}

static void handle(void)
{
	struct sigaction action = {.sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO};

	CHECK(sigaction(SIGSYS, &action, NULL) == 0);
}

extern const char after_call[], call_code[], call_code_end[];

/* A call at a known place. */
__attribute__((noinline)) static long raw_call(long which)
{
	long result;

	__asm__ volatile(".globl call_code, after_call, call_code_end\n"
			 "call_code: syscall\n"
			 "after_call: nop\n"
			 "call_code_end:"
			 : "=a"(result)
			 : "a"(which)
			 : "rcx", "r11", "memory");
	return result;
}

TEST(a_blocked_call_is_a_sigsys)
{
	handle();
	CHECK_EQ(dispatch(DISPATCH_ON, 0, 0, &selector), 0);
	/* The selector allows all. */
	CHECK_EQ(raw_call(SYS_getpid), getpid());
	CHECK_EQ(caught, 0);
	selector = BLOCK;
	CHECK_EQ(raw_call(SYS_getppid), 4242);
	CHECK_EQ(caught, SIGSYS);
	CHECK_EQ(info.si_code, USER_DISPATCH);
	CHECK_EQ(info.si_syscall, SYS_getppid);
	CHECK_EQ(info.si_arch, AUDIT_ARCH_X86_64);
	CHECK_EQ((unsigned long)info.si_call_addr, (unsigned long)after_call);
	CHECK_EQ(info.si_errno, 0);
	/* As if the call had not been made yet. */
	CHECK_EQ(number, SYS_getppid);
	CHECK_EQ(instruction, (long)after_call);
}

/* Numbers that there are not come back too. */
TEST(any_number)
{
	handle();
	CHECK_EQ(dispatch(DISPATCH_ON, 0, 0, &selector), 0);
	selector = BLOCK;
	CHECK_EQ(raw_call(54321), 4242);
	CHECK_EQ(info.si_syscall, 54321);
}

TEST(calls_of_the_range_pass)
{
	unsigned long start = (unsigned long)call_code,
		      size = (unsigned long)(call_code_end - call_code);

	handle();
	CHECK_EQ(dispatch(DISPATCH_ON, start, size, &selector), 0);
	selector = BLOCK;
	CHECK(raw_call(SYS_getppid) != 4242);
	selector = ALLOW;
	CHECK_EQ(caught, 0);
	/* Elsewhere they do not. */
	selector = BLOCK;
	CHECK_EQ(syscall(SYS_getppid), 4242);
}

/* The other way round: only calls of the range come back. */
TEST(only_calls_of_the_range)
{
	unsigned long start = (unsigned long)call_code,
		      size = (unsigned long)(call_code_end - call_code);

	handle();
	if (dispatch(DISPATCH_INCLUSIVE, start, size, &selector)) {
		CHECK_EQ(errno, EINVAL);
		SKIP("no PR_SYS_DISPATCH_INCLUSIVE_ON");
	}
	selector = BLOCK;
	CHECK(getppid() != 4242);
	CHECK_EQ(raw_call(SYS_getppid), 4242);
	CHECK_ERRNO(dispatch(DISPATCH_INCLUSIVE, start, 0, &selector), EINVAL);
}

TEST(without_a_selector_all_calls_come_back)
{
	unsigned long start = (unsigned long)call_code,
		      size = (unsigned long)(call_code_end - call_code);
	int status;
	pid_t child = fork();

	if (child == 0) {
		signal(SIGSYS, SIG_DFL);
		dispatch(DISPATCH_ON, start, size, NULL);
		raw_call(SYS_getppid);
		syscall(SYS_getppid);
		for (;;)
			;
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

TEST(settings_that_are_refused)
{
	CHECK_ERRNO(dispatch(DISPATCH_OFF, 1, 0, NULL), EINVAL);
	CHECK_ERRNO(dispatch(DISPATCH_OFF, 0, 1, NULL), EINVAL);
	CHECK_ERRNO(dispatch(DISPATCH_OFF, 0, 0, &selector), EINVAL);
	CHECK_ERRNO(dispatch(DISPATCH_ON, ~0ul, 2, &selector), EINVAL);
	CHECK_ERRNO(dispatch(DISPATCH_ON, 1, ~0ul, &selector), EINVAL);
	CHECK_ERRNO(dispatch(77, 0, 0, NULL), EINVAL);
	CHECK_ERRNO(dispatch(DISPATCH_ON, 0, 0, (volatile char *)(1ul << 63)), EFAULT);
	CHECK_EQ(dispatch(DISPATCH_OFF, 0, 0, NULL), 0);
}

static int death_with(void (*function)(void))
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		handle();
		function();
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	return status & ~0x80;
}

static void bad_value(void)
{
	dispatch(DISPATCH_ON, 0, 0, &selector);
	selector = 7;
	raw_call(SYS_getppid);
}

static void bad_address(void)
{
	dispatch(DISPATCH_ON, 0, 0, (volatile char *)8);
	raw_call(SYS_getppid);
}

static void blocked_signal(void)
{
	sigset_t set;

	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	dispatch(DISPATCH_ON, 0, 0, &selector);
	selector = BLOCK;
	raw_call(SYS_getppid);
}

/* No handler helps there. */
TEST(selectors_that_kill)
{
	CHECK_EQ(death_with(bad_value), SIGSYS);
	CHECK_EQ(death_with(bad_address), SIGSEGV);
	CHECK_EQ(death_with(blocked_signal), SIGSYS);
}

/* --- whose it is --- */

static void *call_in_thread(void *unused)
{
	(void)unused;
	return (void *)raw_call(SYS_getppid);
}

TEST(children_and_threads_start_without)
{
	unsigned long start = (unsigned long)call_code,
		      size = (unsigned long)(call_code_end - call_code);
	pthread_t thread;
	void *result;
	int status;
	pid_t child;

	handle();
	CHECK_EQ(dispatch(DISPATCH_ON, start + 0x100000000, size, &selector), 0);
	CHECK(pthread_create(&thread, NULL, call_in_thread, NULL) == 0);
	child = fork();
	if (child == 0) {
		selector = BLOCK;
		_exit(raw_call(SYS_getppid) == 4242 ? 1 : 0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
	pthread_join(thread, &result);
	CHECK((long)result != 4242);
	selector = BLOCK;
	CHECK_EQ(raw_call(SYS_getppid), 4242);
}

/* --- before all others --- */

static void install_errno(long which)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)which, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {4, code};

	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

TEST(filters_do_not_see_it)
{
	handle();
	install_errno(SYS_getppid);
	CHECK_EQ(dispatch(DISPATCH_ON, 0, 0, &selector), 0);
	selector = BLOCK;
	CHECK_EQ(raw_call(SYS_getppid), 4242);
}

static void dispatched_call(void)
{
	handle();
	dispatch(DISPATCH_ON, 0, 0, &selector);
	selector = BLOCK;
	_exit(raw_call(SYS_getppid) == 4242 ? 5 : 6);
}

/* A tracer sees the signal, and no call. */
TEST(tracers_do_not_see_it)
{
	pid_t tracee = tracee_with(dispatched_call, PTRACE_O_TRACESYSGOOD);
	int status;

	for (;;) {
		CHECK_EQ(request(PTRACE_SYSCALL, tracee, 0, 0), 0);
		status = wait_for(tracee);
		if (status == STOPPED(SIGSYS))
			break;
		CHECK_EQ(status, SYSCALL_STOP);
		CHECK(peek_user(tracee, REGISTER(orig_rax)) != SYS_getppid);
	}
	CHECK_EQ(stop_info(tracee).si_code, USER_DISPATCH);
	go_with(PTRACE_CONT, tracee, SIGSYS, EXITED(5));
}

GUEST_TEST_MAIN()
