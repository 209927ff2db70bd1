/* SPDX-License-Identifier: Apache-2.0 */
/* What a tracer learns of a system call and what it can make of it: GET_SYSCALL_INFO and
 * SET_SYSCALL_INFO, SYSEMU, other numbers, other results, calls that are restarted. */
#include "tests/guest/ptrace_test.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>

/* The kernel's structure, whole: libraries know it without the reserved fields. */
struct syscall_info {
	uint8_t op, reserved;
	uint16_t flags;
	uint32_t arch;
	uint64_t instruction_pointer, stack_pointer;
	union {
		struct {
			uint64_t nr, args[6];
		} entry;
		struct {
			int64_t rval;
			uint8_t is_error;
		} exit;
		struct {
			uint64_t nr, args[6];
			uint32_t ret_data, reserved2;
		} seccomp;
	};
};

#define SIZE_NONE    offsetof(struct syscall_info, entry)
#define SIZE_ENTRY   (SIZE_NONE + sizeof(((struct syscall_info *)0)->entry))
#define SIZE_EXIT    (offsetof(struct syscall_info, exit.is_error) + 1)
#define SIZE_SECCOMP (offsetof(struct syscall_info, seccomp.reserved2))

static struct syscall_info get_info(pid_t tracee, size_t expected)
{
	struct syscall_info info;

	memset(&info, 0xee, sizeof(info));
	CHECK_EQ(request(PTRACE_GET_SYSCALL_INFO, tracee, sizeof(info), (unsigned long)&info),
		expected);
	return info;
}

static long set_info(pid_t tracee, const struct syscall_info *info)
{
	return request(PTRACE_SET_SYSCALL_INFO, tracee, sizeof(*info), (unsigned long)info);
}

/* 42: the call with changed arguments or result. */
static void call_getpriority(void)
{
	long result = syscall(SYS_getpriority, 11, 12, 13, 14, 15, 16);

	_exit(result == 42 ? 42 : result < 0 ? errno : 43);
}

static void two_calls(void)
{
	syscall(SYS_getuid);
	syscall(SYS_getgid);
	_exit(5);
}

static pid_t at_entry(void)
{
	pid_t tracee = tracee_with(call_getpriority, PTRACE_O_TRACESYSGOOD);

	go_to_call(tracee, SYS_getpriority);
	return tracee;
}

TEST(entry_tells_all)
{
	pid_t tracee = at_entry();
	struct syscall_info info = get_info(tracee, SIZE_ENTRY);

	CHECK_EQ(info.op, PTRACE_SYSCALL_INFO_ENTRY);
	CHECK_EQ(info.reserved, 0);
	CHECK_EQ(info.flags, 0);
	CHECK_EQ(info.arch, AUDIT_ARCH_X86_64);
	CHECK_EQ(info.instruction_pointer, peek_user(tracee, REGISTER(rip)));
	CHECK_EQ(info.stack_pointer, peek_user(tracee, REGISTER(rsp)));
	CHECK_EQ(info.entry.nr, SYS_getpriority);
	for (uint64_t i = 0; i < 6; i++)
		CHECK_EQ(info.entry.args[i], i + 11);
	/* What lies behind was not touched. */
	CHECK_EQ(info.seccomp.ret_data, 0xeeeeeeee);
	CHECK_EQ((long)peek_user(tracee, REGISTER(rax)), -ENOSYS);
	end(tracee);
}

TEST(exit_tells_the_result)
{
	pid_t tracee = at_entry();
	struct syscall_info info;

	go(PTRACE_SYSCALL, tracee, SYSCALL_STOP);
	info = get_info(tracee, SIZE_EXIT);
	CHECK_EQ(info.op, PTRACE_SYSCALL_INFO_EXIT);
	CHECK_EQ(info.exit.rval, -EINVAL);
	CHECK_EQ(info.exit.is_error, 1);
	CHECK_EQ(info.arch, AUDIT_ARCH_X86_64);
	poke_user(tracee, REGISTER(rax), 42);
	info = get_info(tracee, SIZE_EXIT);
	CHECK_EQ(info.exit.rval, 42);
	CHECK_EQ(info.exit.is_error, 0);
	poke_user(tracee, REGISTER(rax), (unsigned long)-4095);
	CHECK_EQ(get_info(tracee, SIZE_EXIT).exit.is_error, 1);
	poke_user(tracee, REGISTER(rax), (unsigned long)-4096);
	CHECK_EQ(get_info(tracee, SIZE_EXIT).exit.is_error, 0);
	end(tracee);
}

TEST(outside_of_calls_there_is_none)
{
	pid_t tracee = tracee_with(two_calls, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXIT);
	struct syscall_info info = get_info(tracee, SIZE_NONE);

	CHECK_EQ(info.op, PTRACE_SYSCALL_INFO_NONE);
	CHECK_EQ(info.arch, AUDIT_ARCH_X86_64);
	CHECK(info.instruction_pointer == peek_user(tracee, REGISTER(rip)));
	CHECK_EQ(info.entry.nr, 0xeeeeeeeeeeeeeeee);
	go(PTRACE_CONT, tracee, EVENT_STOP(PTRACE_EVENT_EXIT));
	CHECK_EQ(get_info(tracee, SIZE_NONE).op, PTRACE_SYSCALL_INFO_NONE);
	go(PTRACE_CONT, tracee, EXITED(5));
}

/* Without PTRACE_O_TRACESYSGOOD a stop does not say what it is. */
TEST(sysgood_is_needed)
{
	pid_t tracee = tracee_of(two_calls);

	go(PTRACE_SYSCALL, tracee, STOPPED(SIGTRAP));
	CHECK_EQ(get_info(tracee, SIZE_NONE).op, PTRACE_SYSCALL_INFO_NONE);
	CHECK_EQ(event_message(tracee), PTRACE_EVENTMSG_SYSCALL_ENTRY);
	end(tracee);
}

TEST(smaller_and_larger_sizes)
{
	pid_t tracee = at_entry();
	char *end_of_page = tail_alloc(SIZE_ENTRY);
	static unsigned char large[4096];

	/* Not a byte more than what there is, and than what was asked for. */
	CHECK_EQ(request(PTRACE_GET_SYSCALL_INFO, tracee, 4096, (unsigned long)end_of_page),
		SIZE_ENTRY);
	for (size_t size = 0; size < SIZE_ENTRY; size++) {
		memset(large, 0xee, sizeof(large));
		CHECK_EQ(request(PTRACE_GET_SYSCALL_INFO, tracee, size, (unsigned long)large),
			SIZE_ENTRY);
		CHECK(!memcmp(large, end_of_page, size));
		CHECK_EQ(large[size], 0xee);
	}
	CHECK_EQ(request(PTRACE_GET_SYSCALL_INFO, tracee, 0, 0), SIZE_ENTRY);
	CHECK_ERRNO(request(PTRACE_GET_SYSCALL_INFO, tracee, 8, 8), EFAULT);
	CHECK_ERRNO(request(PTRACE_GET_SYSCALL_INFO, tracee, 4096, (unsigned long)end_of_page + 8),
		EFAULT);
	end(tracee);
}

/* --- seccomp --- */

static void filtered_call(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpriority, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | 0xabc),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {4, code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program))
		_exit(99);
	call_getpriority();
}

TEST(seccomp_tells_the_filter_s_data)
{
	pid_t tracee = tracee_with(filtered_call, PTRACE_O_TRACESECCOMP);
	struct syscall_info info;

	go(PTRACE_CONT, tracee, EVENT_STOP(PTRACE_EVENT_SECCOMP));
	info = get_info(tracee, SIZE_SECCOMP);
	CHECK_EQ(info.op, PTRACE_SYSCALL_INFO_SECCOMP);
	CHECK_EQ(info.seccomp.nr, SYS_getpriority);
	for (uint64_t i = 0; i < 6; i++)
		CHECK_EQ(info.seccomp.args[i], i + 11);
	CHECK_EQ(info.seccomp.ret_data, 0xabc);
	end(tracee);
}

/* --- SET_SYSCALL_INFO --- */

static bool cannot_set(pid_t tracee)
{
	struct syscall_info info = get_info(tracee, SIZE_ENTRY);

	info.seccomp.ret_data = info.seccomp.reserved2 = 0;
	return set_info(tracee, &info) && errno == EIO;
}

static uint64_t register_of(pid_t tracee, int argument)
{
	static const size_t offsets[6] = {REGISTER(rdi), REGISTER(rsi), REGISTER(rdx),
		REGISTER(r10), REGISTER(r8), REGISTER(r9)};

	return peek_user(tracee, offsets[argument]);
}

TEST(another_call_at_the_entry)
{
	pid_t tracee = at_entry();
	struct syscall_info info;

	if (cannot_set(tracee))
		SKIP("no PTRACE_SET_SYSCALL_INFO before Linux 6.16");
	info = get_info(tracee, SIZE_ENTRY);
	info.entry.nr = SYS_getpid;
	for (int i = 0; i < 6; i++)
		info.entry.args[i] = 0x100000000ul + (unsigned long)i;
	CHECK_EQ(set_info(tracee, &info), 0);
	for (int i = 0; i < 6; i++)
		CHECK_EQ(register_of(tracee, i), 0x100000000ul + (unsigned long)i);
	go(PTRACE_SYSCALL, tracee, SYSCALL_STOP);
	CHECK_EQ(get_info(tracee, SIZE_EXIT).exit.rval, tracee);
	end(tracee);
}

TEST(no_call_at_the_entry)
{
	pid_t tracee = at_entry();
	struct syscall_info info;

	if (cannot_set(tracee))
		SKIP("no PTRACE_SET_SYSCALL_INFO before Linux 6.16");
	info = get_info(tracee, SIZE_ENTRY);
	info.entry.nr = (uint64_t)-1;
	info.entry.args[0] = 99;
	CHECK_EQ(set_info(tracee, &info), 0);
	/* Arguments of no call are left alone. */
	CHECK_EQ(register_of(tracee, 0), 11);
	go(PTRACE_SYSCALL, tracee, SYSCALL_STOP);
	CHECK_EQ(get_info(tracee, SIZE_EXIT).exit.rval, -ENOSYS);
	go(PTRACE_CONT, tracee, EXITED(ENOSYS));
}

TEST(another_result_at_the_exit)
{
	pid_t tracee = at_entry();
	struct syscall_info info = {0};

	if (cannot_set(tracee))
		SKIP("no PTRACE_SET_SYSCALL_INFO before Linux 6.16");
	go(PTRACE_SYSCALL, tracee, SYSCALL_STOP);
	info.op = PTRACE_SYSCALL_INFO_EXIT;
	info.exit.rval = -EXDEV;
	info.exit.is_error = 1;
	CHECK_EQ(set_info(tracee, &info), 0);
	CHECK_EQ((long)peek_user(tracee, REGISTER(rax)), -EXDEV);
	info.exit.rval = 42;
	info.exit.is_error = 0;
	CHECK_EQ(set_info(tracee, &info), 0);
	go(PTRACE_CONT, tracee, EXITED(42));
}

TEST(another_call_at_the_filter)
{
	pid_t tracee = tracee_with(filtered_call, PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD);
	struct syscall_info info;

	go(PTRACE_CONT, tracee, EVENT_STOP(PTRACE_EVENT_SECCOMP));
	info = get_info(tracee, SIZE_SECCOMP);
	info.seccomp.reserved2 = 0;
	if (set_info(tracee, &info) && errno == EIO)
		SKIP("no PTRACE_SET_SYSCALL_INFO before Linux 6.16");
	info.seccomp.nr = SYS_getpid;
	CHECK_EQ(set_info(tracee, &info), 0);
	go(PTRACE_SYSCALL, tracee, SYSCALL_STOP);
	CHECK_EQ(get_info(tracee, SIZE_EXIT).exit.rval, tracee);
	end(tracee);
}

TEST(what_cannot_be_set)
{
	pid_t tracee = at_entry();
	struct syscall_info info = get_info(tracee, SIZE_ENTRY), bad;

	if (cannot_set(tracee))
		SKIP("no PTRACE_SET_SYSCALL_INFO before Linux 6.16");
	info.seccomp.ret_data = info.seccomp.reserved2 = 0;
	CHECK_ERRNO(
		request(PTRACE_SET_SYSCALL_INFO, tracee, sizeof(info) - 1, (unsigned long)&info),
		EINVAL);
	CHECK_ERRNO(request(PTRACE_SET_SYSCALL_INFO, tracee, 0, 0), EINVAL);
	CHECK_ERRNO(request(PTRACE_SET_SYSCALL_INFO, tracee, sizeof(info), 8), EFAULT);
	/* A larger structure is fine: its tail is not looked at. */
	CHECK_EQ(request(PTRACE_SET_SYSCALL_INFO, tracee, sizeof(info) + 100, (unsigned long)&info),
		0);
	bad = info;
	bad.reserved = 1;
	CHECK_ERRNO(set_info(tracee, &bad), EINVAL);
	bad = info;
	bad.flags = 1;
	CHECK_ERRNO(set_info(tracee, &bad), EINVAL);
	for (uint8_t op = 0; op < 6; op++) {
		bad = info;
		bad.op = op;
		if (op != info.op)
			CHECK_ERRNO(set_info(tracee, &bad), EINVAL);
	}
	bad = info;
	bad.entry.nr = 0x100000000;
	CHECK_ERRNO(set_info(tracee, &bad), ERANGE);
	/* The rest cannot be changed, and is not compared. */
	bad = info;
	bad.arch = 1;
	bad.instruction_pointer = bad.stack_pointer = 7;
	CHECK_EQ(set_info(tracee, &bad), 0);
	CHECK(peek_user(tracee, REGISTER(rip)) == info.instruction_pointer);
	CHECK(peek_user(tracee, REGISTER(rsp)) == info.stack_pointer);
	go(PTRACE_SYSCALL, tracee, SYSCALL_STOP);
	bad = (struct syscall_info){.op = PTRACE_SYSCALL_INFO_EXIT};
	bad.exit.rval = 1;
	bad.exit.is_error = 1;
	(void)set_info(tracee, &bad);
	bad.op = PTRACE_SYSCALL_INFO_NONE;
	CHECK_ERRNO(set_info(tracee, &bad), EINVAL);
	end(tracee);
}

TEST(nothing_to_set_outside_of_calls)
{
	pid_t tracee = tracee_of(two_calls);
	struct syscall_info info = get_info(tracee, SIZE_NONE);

	info.flags = info.reserved = 0;
	if (set_info(tracee, &info) && errno == EIO)
		SKIP("no PTRACE_SET_SYSCALL_INFO before Linux 6.16");
	CHECK_ERRNO(set_info(tracee, &info), EINVAL);
	end(tracee);
}

/* --- by the registers --- */

TEST(another_number_by_register)
{
	pid_t tracee = at_entry();

	poke_user(tracee, REGISTER(orig_rax), SYS_getpid);
	go(PTRACE_SYSCALL, tracee, SYSCALL_STOP);
	CHECK_EQ(peek_user(tracee, REGISTER(rax)), tracee);
	CHECK_EQ(peek_user(tracee, REGISTER(orig_rax)), SYS_getpid);
	poke_user(tracee, REGISTER(rax), 42);
	go(PTRACE_CONT, tracee, EXITED(42));
}

/* The number -1 is no call: the result is what the tracer puts there. */
TEST(no_call_keeps_the_result)
{
	pid_t tracee = at_entry();

	poke_user(tracee, REGISTER(orig_rax), (unsigned long)-1);
	poke_user(tracee, REGISTER(rax), 42);
	go(PTRACE_SYSCALL, tracee, SYSCALL_STOP);
	CHECK_EQ(peek_user(tracee, REGISTER(rax)), 42);
	CHECK_EQ(get_info(tracee, SIZE_EXIT).exit.rval, 42);
	go(PTRACE_CONT, tracee, EXITED(42));
}

TEST(no_call_of_a_number_that_there_is_not)
{
	pid_t tracee = at_entry();

	poke_user(tracee, REGISTER(orig_rax), 100000);
	poke_user(tracee, REGISTER(rax), 42);
	go(PTRACE_SYSCALL, tracee, SYSCALL_STOP);
	CHECK_EQ((long)peek_user(tracee, REGISTER(rax)), -ENOSYS);
	end(tracee);
}

/* Registers that a call destroys for others: rcx and r11 are the tracer's to give. */
TEST(all_registers_at_the_exit)
{
	pid_t tracee = at_entry();
	struct user_regs_struct registers;

	CHECK_EQ(request(PTRACE_GETREGS, tracee, 0, (unsigned long)&registers), 0);
	CHECK_EQ(registers.rcx, registers.rip);
	CHECK_EQ(registers.r11 & ~0x10000ull, registers.eflags & ~0x10000ull);
	go(PTRACE_SYSCALL, tracee, SYSCALL_STOP);
	CHECK_EQ(request(PTRACE_GETREGS, tracee, 0, (unsigned long)&registers), 0);
	registers.rcx = 0x1111;
	registers.r11 = 0x2222;
	registers.rax = 42;
	CHECK_EQ(request(PTRACE_SETREGS, tracee, 0, (unsigned long)&registers), 0);
	go(PTRACE_SINGLESTEP, tracee, STOPPED(SIGTRAP));
	CHECK_EQ(peek_user(tracee, REGISTER(rcx)), 0x1111);
	CHECK_EQ(peek_user(tracee, REGISTER(r11)), 0x2222);
	end(tracee);
}

/* --- SYSEMU --- */

static pid_t emulated(long number, void (*function)(void))
{
	pid_t tracee = tracee_with(function, PTRACE_O_TRACESYSGOOD);

	do
		go(PTRACE_SYSEMU, tracee, SYSCALL_STOP);
	while ((long)peek_user(tracee, REGISTER(orig_rax)) != number);
	return tracee;
}

TEST(sysemu_skips_the_call)
{
	pid_t tracee = emulated(SYS_getpriority, call_getpriority);

	CHECK_EQ(get_info(tracee, SIZE_ENTRY).op, PTRACE_SYSCALL_INFO_ENTRY);
	CHECK_EQ((long)peek_user(tracee, REGISTER(rax)), -ENOSYS);
	poke_user(tracee, REGISTER(rax), 42);
	/* There is no exit: the next stop is the next call. */
	go(PTRACE_SYSEMU, tracee, SYSCALL_STOP);
	CHECK_EQ(peek_user(tracee, REGISTER(orig_rax)), SYS_exit_group);
	CHECK_EQ(peek_user(tracee, REGISTER(rdi)), 42);
	/* Even that one is not carried out. */
	go(PTRACE_SYSEMU, tracee, SYSCALL_STOP);
	end(tracee);
}

/* Into an ordinary system call stop: the skipped call has an exit stop then. */
TEST(sysemu_then_syscall)
{
	pid_t tracee = emulated(SYS_getuid, two_calls);

	go(PTRACE_SYSCALL, tracee, SYSCALL_STOP);
	CHECK_EQ(get_info(tracee, SIZE_EXIT).exit.rval, -ENOSYS);
	go(PTRACE_SYSCALL, tracee, SYSCALL_STOP);
	CHECK_EQ(get_info(tracee, SIZE_ENTRY).entry.nr, SYS_getgid);
	end(tracee);
}

TEST(sysemu_singlestep)
{
	pid_t tracee = emulated(SYS_getuid, two_calls);
	unsigned long rip = peek_user(tracee, REGISTER(rip));
	int status, steps = 0;

	CHECK_EQ(request(PTRACE_SYSEMU_SINGLESTEP, tracee, 0, 0), 0);
	/* Steps as SINGLESTEP does, and stops at the next call. */
	while ((status = wait_for(tracee)) == STOPPED(SIGTRAP) && steps < 1000) {
		if (steps++ == 0)
			CHECK(peek_user(tracee, REGISTER(rip)) - rip < 16);
		CHECK_EQ(request(PTRACE_SYSEMU_SINGLESTEP, tracee, 0, 0), 0);
	}
	CHECK_EQ(status, SYSCALL_STOP);
	CHECK(steps > 0);
	CHECK_EQ(peek_user(tracee, REGISTER(orig_rax)), SYS_getgid);
	end(tracee);
}

/* --- restarts --- */

static int pipe_fds[2];

static void on_signal(int signal)
{
	(void)signal;
}

static void read_pipe(void)
{
	char byte = 0;
	ssize_t size = read(pipe_fds[0], &byte, 1);

	_exit(size == 1 ? byte : size < 0 ? errno : 0);
}

static void read_pipe_with_a_handler(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGUSR1, &action, NULL);
	read_pipe();
}

static void read_pipe_with_a_restarting_handler(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	sigaction(SIGUSR1, &action, NULL);
	read_pipe();
}

/* In the exit stop of a read that a signal interrupted. */
static pid_t interrupted_read(void (*function)(void))
{
	pid_t tracee;

	CHECK(pipe(pipe_fds) == 0);
	tracee = tracee_with(function, PTRACE_O_TRACESYSGOOD);
	go_to_call(tracee, SYS_read);
	CHECK_EQ(request(PTRACE_SYSCALL, tracee, 0, 0), 0);
	await_state(tracee, tracee, 'S');
	kill(tracee, SIGUSR1);
	CHECK_EQ(wait_for(tracee), SYSCALL_STOP);
	return tracee;
}

#define ERESTARTSYS	      512
#define ERESTART_RESTARTBLOCK 516

TEST(a_call_is_restarted_when_the_signal_is_suppressed)
{
	pid_t tracee = interrupted_read(read_pipe_with_a_handler);
	struct syscall_info info = get_info(tracee, SIZE_EXIT);

	CHECK_EQ(info.exit.rval, -ERESTARTSYS);
	CHECK_EQ(info.exit.is_error, 1);
	go(PTRACE_SYSCALL, tracee, STOPPED(SIGUSR1));
	CHECK_EQ((long)peek_user(tracee, REGISTER(rax)), -ERESTARTSYS);
	CHECK_EQ(peek_user(tracee, REGISTER(orig_rax)), SYS_read);
	go(PTRACE_SYSCALL, tracee, SYSCALL_STOP);
	info = get_info(tracee, SIZE_ENTRY);
	CHECK_EQ(info.entry.nr, SYS_read);
	CHECK_EQ(info.entry.args[0], pipe_fds[0]);
	CHECK_EQ(write(pipe_fds[1], "!", 1), 1);
	go(PTRACE_SYSCALL, tracee, SYSCALL_STOP);
	CHECK_EQ(get_info(tracee, SIZE_EXIT).exit.rval, 1);
	go(PTRACE_CONT, tracee, EXITED('!'));
}

TEST(a_handler_interrupts_a_call)
{
	pid_t tracee = interrupted_read(read_pipe_with_a_handler);

	go(PTRACE_SYSCALL, tracee, STOPPED(SIGUSR1));
	go_with(PTRACE_SYSCALL, tracee, SIGUSR1, SYSCALL_STOP);
	CHECK_EQ(get_info(tracee, SIZE_ENTRY).entry.nr, SYS_rt_sigreturn);
	go(PTRACE_SYSCALL, tracee, SYSCALL_STOP);
	/* What comes back is what the handler interrupted. */
	CHECK_EQ(get_info(tracee, SIZE_EXIT).exit.rval, -EINTR);
	CHECK_EQ((long)peek_user(tracee, REGISTER(orig_rax)), -1);
	go(PTRACE_CONT, tracee, EXITED(EINTR));
}

TEST(a_restarting_handler_restarts_a_call)
{
	pid_t tracee = interrupted_read(read_pipe_with_a_restarting_handler);

	go(PTRACE_SYSCALL, tracee, STOPPED(SIGUSR1));
	go_with(PTRACE_SYSCALL, tracee, SIGUSR1, SYSCALL_STOP);
	CHECK_EQ(get_info(tracee, SIZE_ENTRY).entry.nr, SYS_rt_sigreturn);
	go(PTRACE_SYSCALL, tracee, SYSCALL_STOP);
	CHECK_EQ((long)get_info(tracee, SIZE_EXIT).exit.rval, SYS_read);
	go(PTRACE_SYSCALL, tracee, SYSCALL_STOP);
	CHECK_EQ(get_info(tracee, SIZE_ENTRY).entry.nr, SYS_read);
	end(tracee);
}

/* A result that the tracer puts in the place of the restart is the call's. */
TEST(a_tracer_prevents_a_restart)
{
	pid_t tracee = interrupted_read(read_pipe_with_a_handler);

	poke_user(tracee, REGISTER(rax), (unsigned long)-EXDEV);
	go(PTRACE_CONT, tracee, STOPPED(SIGUSR1));
	go(PTRACE_CONT, tracee, EXITED(EXDEV));
}

/* orig_rax -1 says that there is no call to restart. */
TEST(without_a_number_nothing_is_restarted)
{
	pid_t tracee = interrupted_read(read_pipe_with_a_handler);

	go(PTRACE_CONT, tracee, STOPPED(SIGUSR1));
	poke_user(tracee, REGISTER(orig_rax), (unsigned long)-1);
	poke_user(tracee, REGISTER(rax), (unsigned long)-EINTR);
	go(PTRACE_CONT, tracee, EXITED(EINTR));
}

static void sleep_long(void)
{
	struct timespec time = {1, 0};

	_exit(nanosleep(&time, NULL) == 0 ? 5 : errno);
}

TEST(a_sleep_goes_on_as_restart_syscall)
{
	pid_t tracee = tracee_with(sleep_long, PTRACE_O_TRACESYSGOOD);
	long number = 0;
	struct syscall_info info;

	do {
		go(PTRACE_SYSCALL, tracee, SYSCALL_STOP);
		number = (long)peek_user(tracee, REGISTER(orig_rax));
	} while (number != SYS_nanosleep && number != SYS_clock_nanosleep);
	CHECK_EQ(request(PTRACE_SYSCALL, tracee, 0, 0), 0);
	await_state(tracee, tracee, 'S');
	kill(tracee, SIGUSR1);
	CHECK_EQ(wait_for(tracee), SYSCALL_STOP);
	CHECK_EQ(get_info(tracee, SIZE_EXIT).exit.rval, -ERESTART_RESTARTBLOCK);
	go(PTRACE_SYSCALL, tracee, STOPPED(SIGUSR1));
	go(PTRACE_SYSCALL, tracee, SYSCALL_STOP);
	info = get_info(tracee, SIZE_ENTRY);
	CHECK_EQ(info.entry.nr, SYS_restart_syscall);
	go(PTRACE_SYSCALL, tracee, SYSCALL_STOP);
	CHECK_EQ(get_info(tracee, SIZE_EXIT).exit.rval, 0);
	go(PTRACE_CONT, tracee, EXITED(5));
}

/* INTERRUPT takes a tracee out of a call, which goes on as if nothing had been. */
TEST(an_interrupted_call_is_restarted_unseen)
{
	pid_t tracee;

	CHECK(pipe(pipe_fds) == 0);
	tracee = seize_of(read_pipe, 0);
	await_state(tracee, tracee, 'S');
	for (int i = 0; i < 3; i++) {
		go(PTRACE_INTERRUPT, tracee, EVENT_STOP(PTRACE_EVENT_STOP));
		CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
	}
	CHECK_EQ(write(pipe_fds[1], "!", 1), 1);
	CHECK_EQ(wait_for(tracee), EXITED('!'));
}

/* A signal that the tracer gives at a system call stop is sent anew: it is reported, from the
 * kernel. */
TEST(a_signal_at_a_system_call_stop)
{
	pid_t tracee = tracee_with(two_calls, PTRACE_O_TRACESYSGOOD);
	siginfo_t info;

	go_to_call(tracee, SYS_getuid);
	CHECK_EQ(request(PTRACE_SYSCALL, tracee, 0, SIGUSR1), 0);
	CHECK_EQ(wait_for(tracee), SYSCALL_STOP);
	CHECK_EQ(get_info(tracee, SIZE_EXIT).exit.rval, getuid());
	go(PTRACE_SYSCALL, tracee, STOPPED(SIGUSR1));
	info = stop_info(tracee);
	CHECK_EQ(info.si_code, SI_KERNEL);
	go(PTRACE_CONT, tracee, EXITED(5));
}

GUEST_TEST_MAIN()
