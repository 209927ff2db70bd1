/* SPDX-License-Identifier: Apache-2.0 */
/* Each request of ptrace(2) on a tracee that stopped itself: registers, memory, signals, system
 * calls, options. */
#include "guest_test.h"

/* Before <linux/ptrace.h>, whose macros would change its names. */
#include <sys/ptrace.h>

#include <elf.h>
#include <linux/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>

#ifndef PTRACE_SET_SYSCALL_INFO
#define PTRACE_SET_SYSCALL_INFO 0x4212
#endif
#ifndef PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG
#define PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG 0x4210
#define PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG 0x4211
#endif
#define SINGLE_BLOCK  33
#define ARCH_GET_FS_  0x1003
#define STOPPED(n)    ((n) << 8 | 0x7f)
#define SYSCALL_STOP  STOPPED(SIGTRAP | 0x80)
#define EVENT_STOP(e) (STOPPED(SIGTRAP) | (e) << 16)

static long request(int number, pid_t tracee, unsigned long address, unsigned long data)
{
	return syscall(SYS_ptrace, number, tracee, address, data);
}

static int wait_for(pid_t task)
{
	int status;

	CHECK_EQ(waitpid(task, &status, __WALL), task);
	return status;
}

static pid_t tracee_of(void (*function)(void))
{
	pid_t child = fork();

	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		function();
		_exit(0);
	}
	CHECK_EQ(wait_for(child), STOPPED(SIGSTOP));
	return child;
}

static void go(int how, pid_t tracee, int expected)
{
	CHECK_EQ(request(how, tracee, 0, 0), 0);
	CHECK_EQ(wait_for(tracee), expected);
}

static void end(pid_t tracee)
{
	kill(tracee, SIGKILL);
	CHECK_EQ(wait_for(tracee), SIGKILL);
}

static volatile long value = 5;

static void exit_value(void)
{
	_exit((int)value);
}

static void call_getppid(void)
{
	_exit(syscall(SYS_getppid, 11, 12, 13) == 1234 ? 42 : 43);
}

TEST(peek_and_poke_data_and_text)
{
	pid_t tracee = tracee_of(exit_value);
	unsigned long text = (unsigned long)exit_value, word;

	errno = 0;
	CHECK_EQ(ptrace(PTRACE_PEEKDATA, tracee, &value, 0), 5);
	CHECK_EQ(errno, 0);
	CHECK_EQ(request(PTRACE_POKEDATA, tracee, (unsigned long)&value, 9), 0);
	CHECK_EQ(request(PTRACE_PEEKTEXT, tracee, text, (unsigned long)&word), 0);
	/* Text is private and cannot be written, save by a tracer; the page is copied for it. */
	CHECK_EQ(request(PTRACE_POKETEXT, tracee, text, (word & ~0xfful) | 0xcc), 0);
	CHECK(*(volatile unsigned char *)text != 0xcc);
	go(PTRACE_CONT, tracee, STOPPED(SIGTRAP));
	CHECK_EQ(request(PTRACE_POKETEXT, tracee, text, word), 0);
	CHECK_EQ(request(PTRACE_POKEUSER, tracee, offsetof(struct user, regs.rip), text), 0);
	go(PTRACE_CONT, tracee, 9 << 8);
	CHECK_EQ(value, 5);
}

TEST(bad_addresses_and_requests)
{
	pid_t tracee = tracee_of(exit_value);
	unsigned long word;

	CHECK_ERRNO(request(PTRACE_PEEKDATA, tracee, 8, (unsigned long)&word), EIO);
	CHECK_ERRNO(request(PTRACE_POKEDATA, tracee, 8, 1), EIO);
	CHECK_ERRNO(request(PTRACE_PEEKUSER, tracee, 3, (unsigned long)&word), EIO);
	/* The kernel's structure has two words more than the library's. */
	CHECK_EQ(
		request(PTRACE_PEEKUSER, tracee, sizeof(struct user) + 8, (unsigned long)&word), 0);
	CHECK_ERRNO(
		request(PTRACE_PEEKUSER, tracee, sizeof(struct user) + 16, (unsigned long)&word),
		EIO);
	CHECK_ERRNO(request(PTRACE_GETREGS, tracee, 0, 8), EFAULT);
	CHECK_ERRNO(request(PTRACE_CONT, tracee, 0, 999), EIO);
	CHECK_ERRNO(request(PTRACE_SETOPTIONS, tracee, 0, 1u << 30), EINVAL);
	CHECK_ERRNO(request(0x9999, tracee, 0, 0), EIO);
	CHECK_ERRNO(request(PTRACE_ATTACH, tracee, 0, 0), EPERM);
	CHECK_ERRNO(request(PTRACE_ATTACH, getpid(), 0, 0), EPERM);
	CHECK_ERRNO(request(PTRACE_CONT, getpid(), 0, 0), ESRCH);
	CHECK_ERRNO(request(PTRACE_LISTEN, tracee, 0, 0), EIO);
	CHECK_ERRNO(request(PTRACE_INTERRUPT, tracee, 0, 0), EIO);
	CHECK_ERRNO(request(PTRACE_SEIZE, tracee, 1, 0), EIO);
	end(tracee);
	CHECK_ERRNO(request(PTRACE_CONT, tracee, 0, 0), ESRCH);
}

TEST(a_running_tracee_answers_to_nothing)
{
	pid_t tracee = fork();
	struct user_regs_struct registers;

	if (tracee == 0)
		for (;;)
			pause();
	CHECK_EQ(request(PTRACE_SEIZE, tracee, 0, 0), 0);
	CHECK_ERRNO(request(PTRACE_GETREGS, tracee, 0, (unsigned long)&registers), ESRCH);
	CHECK_ERRNO(request(PTRACE_DETACH, tracee, 0, 0), ESRCH);
	go(PTRACE_INTERRUPT, tracee, EVENT_STOP(PTRACE_EVENT_STOP));
	CHECK_EQ(request(PTRACE_GETREGS, tracee, 0, (unsigned long)&registers), 0);
	CHECK_EQ(request(PTRACE_KILL, tracee, 0, 0), 0);
	CHECK_EQ(wait_for(tracee), SIGKILL);
}

TEST(registers)
{
	pid_t tracee = tracee_of(exit_value);
	struct user_regs_struct general, again;
	struct user_fpregs_struct floating;
	static char area[16384];
	struct iovec part = {&again, sizeof(again)};
	unsigned long word;

	CHECK_EQ(request(PTRACE_GETREGS, tracee, 0, (unsigned long)&general), 0);
	CHECK_EQ(request(PTRACE_GETREGSET, tracee, NT_PRSTATUS, (unsigned long)&part), 0);
	CHECK_EQ(part.iov_len, sizeof(again));
	CHECK(!memcmp(&general, &again, sizeof(again)));
	general.r12 = 0x123456789abcdef;
	CHECK_EQ(request(PTRACE_SETREGS, tracee, 0, (unsigned long)&general), 0);
	CHECK_EQ(request(PTRACE_PEEKUSER, tracee, offsetof(struct user, regs.r12),
			 (unsigned long)&word),
		0);
	CHECK_EQ(word, 0x123456789abcdef);
	part.iov_len = 16;
	CHECK_EQ(request(PTRACE_GETREGSET, tracee, NT_PRSTATUS, (unsigned long)&part), 0);
	CHECK_EQ(part.iov_len, 16);
	part.iov_len = 3;
	CHECK_ERRNO(request(PTRACE_GETREGSET, tracee, NT_PRSTATUS, (unsigned long)&part), EINVAL);
	CHECK_ERRNO(request(PTRACE_GETREGSET, tracee, 0x777, (unsigned long)&part), EINVAL);

	CHECK_EQ(request(PTRACE_GETFPREGS, tracee, 0, (unsigned long)&floating), 0);
	floating.xmm_space[0] = 0x1234;
	CHECK_EQ(request(PTRACE_SETFPREGS, tracee, 0, (unsigned long)&floating), 0);
	part = (struct iovec){&floating, sizeof(floating)};
	floating.xmm_space[0] = 0;
	CHECK_EQ(request(PTRACE_GETREGSET, tracee, NT_PRFPREG, (unsigned long)&part), 0);
	CHECK_EQ(floating.xmm_space[0], 0x1234);
	CHECK_EQ(request(PTRACE_SETREGSET, tracee, NT_PRFPREG, (unsigned long)&part), 0);
	part = (struct iovec){area, sizeof(area)};
	CHECK_EQ(request(PTRACE_GETREGSET, tracee, NT_X86_XSTATE, (unsigned long)&part), 0);
	CHECK(part.iov_len >= 576 && part.iov_len < sizeof(area));
	CHECK_EQ(*(int *)(area + 160), 0x1234);
	CHECK_EQ(request(PTRACE_SETREGSET, tracee, NT_X86_XSTATE, (unsigned long)&part), 0);
	CHECK_EQ(request(PTRACE_ARCH_PRCTL, tracee, (unsigned long)&word, ARCH_GET_FS_), 0);
	CHECK_EQ(word, general.fs_base);
	end(tracee);
}

/* What a tracer may not give: selectors and addresses that the processor would refuse. */
TEST(registers_that_are_refused)
{
	pid_t tracee = tracee_of(exit_value);

	CHECK_ERRNO(
		request(PTRACE_POKEUSER, tracee, offsetof(struct user, regs.fs_base), ~0ul), EIO);
	CHECK_ERRNO(request(PTRACE_POKEUSER, tracee, offsetof(struct user, regs.cs), 0), EIO);
	CHECK_ERRNO(request(PTRACE_POKEUSER, tracee, offsetof(struct user, u_debugreg[4]), 1), EIO);
	CHECK_ERRNO(request(PTRACE_POKEUSER, tracee, offsetof(struct user, u_debugreg[0]), ~0ul),
		EINVAL);
	end(tracee);
}

TEST(system_call_stops_and_their_information)
{
	pid_t tracee = tracee_of(call_getppid);
	struct ptrace_syscall_info info;
	long size;

	CHECK_EQ(request(PTRACE_SETOPTIONS, tracee, 0, PTRACE_O_TRACESYSGOOD), 0);
	size = request(PTRACE_GET_SYSCALL_INFO, tracee, sizeof(info), (unsigned long)&info);
	CHECK_EQ(size, offsetof(struct ptrace_syscall_info, entry));
	CHECK_EQ(info.op, PTRACE_SYSCALL_INFO_NONE);
	do {
		go(PTRACE_SYSCALL, tracee, SYSCALL_STOP);
		size = request(PTRACE_GET_SYSCALL_INFO, tracee, sizeof(info), (unsigned long)&info);
	} while (info.op != PTRACE_SYSCALL_INFO_ENTRY || info.entry.nr != SYS_getppid);
	CHECK_EQ(size, offsetof(struct ptrace_syscall_info, entry) + sizeof(info.entry));
	CHECK(info.entry.args[0] == 11 && info.entry.args[1] == 12 && info.entry.args[2] == 13);
	CHECK_EQ(info.arch, 0xc000003e);
	/* A buffer that is too small gets what fits, and the size is the whole. */
	memset(&info, 0xee, sizeof(info));
	CHECK_EQ(request(PTRACE_GET_SYSCALL_INFO, tracee, 4, (unsigned long)&info), size);
	CHECK(info.op == PTRACE_SYSCALL_INFO_ENTRY && info.arch == 0xeeeeeeee);
	go(PTRACE_SYSCALL, tracee, SYSCALL_STOP);
	size = request(PTRACE_GET_SYSCALL_INFO, tracee, sizeof(info), (unsigned long)&info);
	CHECK_EQ(info.op, PTRACE_SYSCALL_INFO_EXIT);
	CHECK_EQ(info.exit.rval, getpid());
	CHECK_EQ(info.exit.is_error, 0);
	CHECK_EQ(request(PTRACE_POKEUSER, tracee, offsetof(struct user, regs.rax), 1234), 0);
	go(PTRACE_CONT, tracee, 42 << 8);
}

TEST(sysemu)
{
	pid_t tracee = tracee_of(call_getppid);
	unsigned long number;

	do {
		go(PTRACE_SYSEMU, tracee, STOPPED(SIGTRAP));
		CHECK_EQ(request(PTRACE_PEEKUSER, tracee, offsetof(struct user, regs.orig_rax),
				 (unsigned long)&number),
			0);
	} while (number != SYS_getppid);
	CHECK_EQ(request(PTRACE_POKEUSER, tracee, offsetof(struct user, regs.rax), 1234), 0);
	go(PTRACE_CONT, tracee, 42 << 8);
}

TEST(steps)
{
	static const int ways[] = {PTRACE_SINGLESTEP, SINGLE_BLOCK, PTRACE_SYSEMU_SINGLESTEP};

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		pid_t tracee = tracee_of(exit_value);
		unsigned long before, after;
		siginfo_t info;

		go(PTRACE_SINGLESTEP, tracee, STOPPED(SIGTRAP));
		CHECK_EQ(request(PTRACE_PEEKUSER, tracee, offsetof(struct user, regs.rip),
				 (unsigned long)&before),
			0);
		if (request(ways[i], tracee, 0, 0)) {
			CHECK(ways[i] == SINGLE_BLOCK && errno == EIO);
			end(tracee);
			continue;
		}
		CHECK_EQ(wait_for(tracee), STOPPED(SIGTRAP));
		CHECK_EQ(request(PTRACE_PEEKUSER, tracee, offsetof(struct user, regs.rip),
				 (unsigned long)&after),
			0);
		CHECK(before != after);
		CHECK_EQ(request(PTRACE_GETSIGINFO, tracee, 0, (unsigned long)&info), 0);
		CHECK_EQ(info.si_signo, SIGTRAP);
		end(tracee);
	}
}

static void send_signals(void)
{
	raise(SIGUSR1);
	_exit(1);
}

TEST(signals)
{
	pid_t tracee = tracee_of(send_signals);
	struct ptrace_peeksiginfo_args range = {0, PTRACE_PEEKSIGINFO_SHARED, 4};
	siginfo_t info, pending[4];
	uint64_t mask = 1 << (SIGUSR2 - 1), now = 0;

	go(PTRACE_CONT, tracee, STOPPED(SIGUSR1));
	CHECK_EQ(request(PTRACE_GETSIGINFO, tracee, 0, (unsigned long)&info), 0);
	CHECK(info.si_signo == SIGUSR1 && info.si_code == SI_TKILL && info.si_pid == tracee);
	CHECK_EQ(request(PTRACE_SETSIGINFO, tracee, 0, (unsigned long)&info), 0);
	CHECK_EQ(request(PTRACE_SETSIGMASK, tracee, 8, (unsigned long)&mask), 0);
	CHECK_EQ(request(PTRACE_GETSIGMASK, tracee, 8, (unsigned long)&now), 0);
	CHECK_EQ(now, mask);
	CHECK_ERRNO(request(PTRACE_GETSIGMASK, tracee, 4, (unsigned long)&now), EINVAL);
	kill(tracee, SIGUSR2);
	CHECK_EQ(request(PTRACE_PEEKSIGINFO, tracee, (unsigned long)&range, (unsigned long)pending),
		1);
	CHECK(pending[0].si_signo == SIGUSR2 && pending[0].si_pid == getpid());
	range.flags = 2;
	CHECK_ERRNO(
		request(PTRACE_PEEKSIGINFO, tracee, (unsigned long)&range, (unsigned long)pending),
		EINVAL);
	/* Another signal than the one that it stopped for. */
	CHECK_EQ(request(PTRACE_CONT, tracee, 0, SIGTERM), 0);
	CHECK_EQ(wait_for(tracee), SIGTERM);
}

TEST(configurations)
{
	pid_t tracee = tracee_of(exit_value);
	struct {
		uint64_t pointer;
		uint32_t size, signature, flags, pad;
	} rseq;
	uint64_t dispatch[4] = {~0ul};

	CHECK_EQ(request(0x420f, tracee, sizeof(rseq), (unsigned long)&rseq), sizeof(rseq));
	CHECK_EQ(request(PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG, tracee, 32,
			 (unsigned long)dispatch),
		0);
	CHECK_EQ(dispatch[0], 0);
	CHECK_EQ(request(PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG, tracee, 32,
			 (unsigned long)dispatch),
		0);
	CHECK_ERRNO(request(PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG, tracee, 31,
			    (unsigned long)dispatch),
		EINVAL);
	CHECK_ERRNO(request(PTRACE_SECCOMP_GET_FILTER, tracee, 0, 0), EINVAL);
	end(tracee);
}

static volatile int watched;

static void write_watched(void)
{
	watched = 1;
	watched = 2;
	_exit(watched);
}

TEST(watchpoint)
{
	pid_t tracee = tracee_of(write_watched);
	unsigned long status;
	size_t debug = offsetof(struct user, u_debugreg);

	if (request(PTRACE_POKEUSER, tracee, debug, (unsigned long)&watched))
		SKIP("no debug registers");
	CHECK_EQ(request(PTRACE_POKEUSER, tracee, debug + 7 * 8, 1 | 0xdul << 16), 0);
	for (int i = 1; i <= 2; i++) {
		go(PTRACE_CONT, tracee, STOPPED(SIGTRAP));
		CHECK_EQ(
			request(PTRACE_PEEKUSER, tracee, debug + 6 * 8, (unsigned long)&status), 0);
		CHECK_EQ(status & 0xf, 1);
		errno = 0;
		CHECK_EQ((int)ptrace(PTRACE_PEEKDATA, tracee, &watched, 0), i);
		CHECK_EQ(request(PTRACE_POKEUSER, tracee, debug + 6 * 8, 0), 0);
	}
	CHECK_EQ(request(PTRACE_POKEUSER, tracee, debug + 7 * 8, 0), 0);
	go(PTRACE_CONT, tracee, 2 << 8);
}

GUEST_TEST_MAIN()
