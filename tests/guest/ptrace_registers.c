/* SPDX-License-Identifier: Apache-2.0 */
/* Registers of a tracee: the sets with whole, partial and bad contents, and values that no
 * processor would take. */
#include "tests/guest/ptrace_test.h"

#include <cpuid.h>
#include <elf.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#define XSTATE_MAX     16384
#define MXCSR_AT       24
#define XMM_AT	       160
#define SOFTWARE_AT    464
#define HEADER_AT      512
#define COMPACTED_AT   520
#define RESERVED_AT    528
#define YMM_AT	       576
#define FEATURE_YMM    4ul
#define ARCH_SET_GS_   0x1001
#define ARCH_SET_FS_   0x1002
#define ARCH_GET_FS_   0x1003
#define ARCH_GET_GS_   0x1004
#define RSEQ_SIGNATURE 0x53053053

static void exit_five(void)
{
	_exit(5);
}

static long get_set(pid_t tracee, unsigned long type, void *to, size_t *size)
{
	struct iovec part = {to, *size};
	long result = request(PTRACE_GETREGSET, tracee, type, (unsigned long)&part);

	*size = part.iov_len;
	return result;
}

static long set_set(pid_t tracee, unsigned long type, void *from, size_t size)
{
	struct iovec part = {from, size};

	return request(PTRACE_SETREGSET, tracee, type, (unsigned long)&part);
}

/* --- general registers --- */

TEST(a_part_of_the_general_registers)
{
	pid_t tracee = tracee_of(exit_five);
	struct user_regs_struct all, part;
	size_t size = sizeof(all);

	CHECK_EQ(get_set(tracee, NT_PRSTATUS, &all, &size), 0);
	CHECK_EQ(size, sizeof(all));
	memset(&part, 0xee, sizeof(part));
	size = 24;
	CHECK_EQ(get_set(tracee, NT_PRSTATUS, &part, &size), 0);
	CHECK_EQ(size, 24);
	CHECK(part.r15 == all.r15 && part.r13 == all.r13);
	CHECK_EQ(part.r12, 0xeeeeeeeeeeeeeeee);
	/* More room than there is to say. */
	size = 4096;
	CHECK_EQ(get_set(tracee, NT_PRSTATUS, tail_alloc(sizeof(all)), &size), 0);
	CHECK_EQ(size, sizeof(all));
	size = 0;
	CHECK_EQ(get_set(tracee, NT_PRSTATUS, NULL, &size), 0);
	CHECK_EQ(size, 0);
	part.r15 = 1;
	part.r14 = 2;
	part.r13 = 3;
	CHECK_EQ(set_set(tracee, NT_PRSTATUS, &part, 16), 0);
	CHECK(peek_user(tracee, REGISTER(r15)) == 1 && peek_user(tracee, REGISTER(r14)) == 2);
	CHECK_EQ(peek_user(tracee, REGISTER(r13)), all.r13);
	CHECK_ERRNO(set_set(tracee, NT_PRSTATUS, &part, 12), EINVAL);
	CHECK_ERRNO(set_set(tracee, NT_PRSTATUS, (void *)8, 16), EFAULT);
	CHECK_ERRNO(request(PTRACE_SETREGSET, tracee, NT_PRSTATUS, 8), EFAULT);
	CHECK_ERRNO(request(PTRACE_SETREGS, tracee, 0, 8), EFAULT);
	CHECK_ERRNO(request(PTRACE_SETFPREGS, tracee, 0, 8), EFAULT);
	CHECK_ERRNO(request(PTRACE_GETFPREGS, tracee, 0, 8), EFAULT);
	end(tracee);
}

/* Up to the first that is refused all are taken. */
TEST(a_bad_register_among_good_ones)
{
	pid_t tracee = tracee_of(exit_five);
	struct user_regs_struct registers;

	CHECK_EQ(request(PTRACE_GETREGS, tracee, 0, (unsigned long)&registers), 0);
	registers.r15 = 0x15;
	registers.cs = 0;
	registers.gs = 0x2b;
	CHECK_ERRNO(request(PTRACE_SETREGS, tracee, 0, (unsigned long)&registers), EIO);
	CHECK_EQ(peek_user(tracee, REGISTER(r15)), 0x15);
	CHECK_EQ(peek_user(tracee, REGISTER(gs)), 0);
	end(tracee);
}

TEST(flags_that_are_not_the_tracee_s)
{
	pid_t tracee = tracee_of(exit_five);
	unsigned long flags = peek_user(tracee, REGISTER(eflags));

	/* IOPL, IF, VM, VIF, VIP, ID are the kernel's. */
	poke_user(tracee, REGISTER(eflags), ~0ul);
	CHECK_EQ(peek_user(tracee, REGISTER(eflags)) & ~0x54dd5ul, flags & ~0x54dd5ul);
	CHECK_EQ(peek_user(tracee, REGISTER(eflags)) & 0x54dd5, 0x54dd5);
	poke_user(tracee, REGISTER(eflags), 0);
	CHECK_EQ(peek_user(tracee, REGISTER(eflags)), flags & ~0x54dd5ul);
	go(PTRACE_CONT, tracee, EXITED(5));
}

TEST(selectors)
{
	pid_t tracee = tracee_of(exit_five);

	CHECK_ERRNO(request(PTRACE_POKEUSER, tracee, REGISTER(cs), 0x10), EIO);
	CHECK_ERRNO(request(PTRACE_POKEUSER, tracee, REGISTER(ss), 0), EIO);
	CHECK_ERRNO(request(PTRACE_POKEUSER, tracee, REGISTER(ds), 0x18), EIO);
	CHECK_EQ(request(PTRACE_POKEUSER, tracee, REGISTER(ds), 0x2b), 0);
	CHECK_EQ(request(PTRACE_POKEUSER, tracee, REGISTER(es), 0), 0);
	CHECK_ERRNO(request(PTRACE_POKEUSER, tracee, REGISTER(gs_base), 1ul << 47), EIO);
	CHECK_EQ(request(PTRACE_POKEUSER, tracee, REGISTER(gs_base), 0x1234000), 0);
	CHECK_EQ(peek_user(tracee, REGISTER(gs_base)), 0x1234000);
	go(PTRACE_CONT, tracee, EXITED(5));
}

/* Where no code can be: the tracee takes the fault, and its registers are shown as they are. */
TEST(registers_that_lead_nowhere)
{
	static const unsigned long nowhere[] = {
		0, 1, 0x7ffffffff000, 0x800000000000, 0xffff800000000000, ~0ul, 1ul << 63};

	for (size_t i = 0; i < sizeof(nowhere) / sizeof(*nowhere); i++) {
		pid_t tracee = tracee_of(exit_five);

		poke_user(tracee, REGISTER(rip), nowhere[i]);
		CHECK_EQ(peek_user(tracee, REGISTER(rip)), nowhere[i]);
		go(PTRACE_CONT, tracee, STOPPED(SIGSEGV));
		CHECK_EQ(peek_user(tracee, REGISTER(rip)), nowhere[i]);
		go_with(PTRACE_CONT, tracee, SIGSEGV, SIGSEGV);
		tracee = tracee_of(exit_five);
		poke_user(tracee, REGISTER(rsp), nowhere[i]);
		poke_user(tracee, REGISTER(rbp), nowhere[i]);
		CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
		/* It may end without its stack, or stop for the lack of one. */
		if (WIFSTOPPED(wait_for(tracee)))
			end(tracee);
	}
}

/* The selector of 32-bit code: nothing of it is mapped down there. */
TEST(a_selector_of_another_mode)
{
	pid_t tracee = tracee_of(exit_five);
	int status;

	if (request(PTRACE_POKEUSER, tracee, REGISTER(cs), 0x23))
		SKIP("no 32-bit code");
	poke_user(tracee, REGISTER(rip), 0x10);
	CHECK_EQ(request(PTRACE_CONT, tracee, 0, 0), 0);
	status = wait_for(tracee);
	CHECK_EQ(status, STOPPED(SIGSEGV));
	end(tracee);
}

/* --- floating-point --- */

static volatile double number = 1.5;

static void add_numbers(void)
{
	double sum;

	__asm__ volatile("movsd %1, %%xmm7\n\tint3\n\tmovsd %%xmm7, %0"
			 : "=m"(sum)
			 : "m"(number)
			 : "xmm7");
	_exit((int)sum);
}

TEST(floating_point_registers)
{
	pid_t tracee = tracee_of(add_numbers);
	struct user_fpregs_struct registers, again;
	size_t size = sizeof(again);
	double value;

	go(PTRACE_CONT, tracee, STOPPED(SIGTRAP));
	CHECK_EQ(request(PTRACE_GETFPREGS, tracee, 0, (unsigned long)&registers), 0);
	memcpy(&value, (char *)&registers + XMM_AT + 7 * 16, sizeof(value));
	CHECK(value == 1.5);
	value = 42.25;
	memcpy((char *)&registers + XMM_AT + 7 * 16, &value, sizeof(value));
	CHECK_EQ(request(PTRACE_SETFPREGS, tracee, 0, (unsigned long)&registers), 0);
	CHECK_EQ(get_set(tracee, NT_PRFPREG, &again, &size), 0);
	CHECK_EQ(size, sizeof(again));
	memcpy(&value, (char *)&again + XMM_AT + 7 * 16, sizeof(value));
	CHECK(value == 42.25);
	go(PTRACE_CONT, tracee, EXITED(42));
}

TEST(parts_of_the_floating_point_registers)
{
	pid_t tracee = tracee_of(exit_five);
	struct user_fpregs_struct registers, part;
	size_t size = sizeof(registers);

	CHECK_EQ(get_set(tracee, NT_PRFPREG, &registers, &size), 0);
	memset(&part, 0xee, sizeof(part));
	size = 32;
	CHECK_EQ(get_set(tracee, NT_PRFPREG, &part, &size), 0);
	CHECK_EQ(size, 32);
	CHECK_EQ(part.mxcsr, registers.mxcsr);
	CHECK_EQ(part.st_space[0], 0xeeeeeeee);
	size = 30;
	CHECK_ERRNO(get_set(tracee, NT_PRFPREG, &part, &size), EINVAL);
	/* Bits that the processor does not have. */
	registers.mxcsr = ~0u;
	CHECK_ERRNO(set_set(tracee, NT_PRFPREG, &registers, sizeof(registers)), EINVAL);
	CHECK_ERRNO(request(PTRACE_SETFPREGS, tracee, 0, (unsigned long)&registers), EINVAL);
	registers.mxcsr = 0x1f80;
	CHECK_EQ(set_set(tracee, NT_PRFPREG, &registers, sizeof(registers)), 0);
	go(PTRACE_CONT, tracee, EXITED(5));
}

static bool has_avx(void)
{
	unsigned int a, b, c = 0, d;

	return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_AVX) && (c & bit_OSXSAVE);
}

static void use_avx(void)
{
	static volatile unsigned char from[32] __attribute__((aligned(32)));
	static volatile unsigned char to[32] __attribute__((aligned(32)));

	for (int i = 0; i < 32; i++)
		from[i] = (unsigned char)(i + 1);
	__asm__ volatile("vmovdqa %1, %%ymm3\n\tint3\n\tvmovdqa %%ymm3, %0"
			 : "=m"(*(volatile char(*)[32])to)
			 : "m"(*(volatile char(*)[32])from)
			 : "xmm3");
	_exit(to[31]);
}

TEST(the_extended_state)
{
	static unsigned char state[XSTATE_MAX] __attribute__((aligned(64)));
	size_t size = sizeof(state);
	uint64_t features;
	pid_t tracee;

	if (!has_avx())
		SKIP("no AVX");
	tracee = tracee_of(use_avx);
	go(PTRACE_CONT, tracee, STOPPED(SIGTRAP));
	CHECK_EQ(get_set(tracee, NT_X86_XSTATE, state, &size), 0);
	CHECK(size >= YMM_AT + 256 && size < XSTATE_MAX);
	memcpy(&features, state + HEADER_AT, sizeof(features));
	CHECK(features & FEATURE_YMM);
	memcpy(&features, state + SOFTWARE_AT, sizeof(features));
	CHECK((features & 7) == 7);
	CHECK_EQ(state[XMM_AT + 3 * 16], 1);
	CHECK_EQ(state[YMM_AT + 3 * 16], 17);
	CHECK_EQ(state[YMM_AT + 3 * 16 + 15], 32);
	state[YMM_AT + 3 * 16 + 15] = 99;
	CHECK_EQ(set_set(tracee, NT_X86_XSTATE, state, size), 0);
	go(PTRACE_CONT, tracee, EXITED(99));
}

TEST(parts_of_the_extended_state)
{
	static unsigned char state[XSTATE_MAX], part[XSTATE_MAX];
	pid_t tracee = tracee_of(exit_five);
	size_t whole = sizeof(state), size = 576;

	CHECK_EQ(get_set(tracee, NT_X86_XSTATE, state, &whole), 0);
	memset(part, 0xee, sizeof(part));
	CHECK_EQ(get_set(tracee, NT_X86_XSTATE, part, &size), 0);
	CHECK_EQ(size, 576);
	CHECK(!memcmp(part, state, 576));
	CHECK_EQ(part[576], 0xee);
	size = 577;
	CHECK_ERRNO(get_set(tracee, NT_X86_XSTATE, part, &size), EINVAL);
	size = 0;
	CHECK_EQ(get_set(tracee, NT_X86_XSTATE, part, &size), 0);
	/* Only the whole can be set. */
	CHECK_ERRNO(set_set(tracee, NT_X86_XSTATE, state, 576), EFAULT);
	CHECK_ERRNO(set_set(tracee, NT_X86_XSTATE, state, whole - 8), EFAULT);
	CHECK_EQ(set_set(tracee, NT_X86_XSTATE, state, whole), 0);
	CHECK_EQ(set_set(tracee, NT_X86_XSTATE, state, XSTATE_MAX), 0);
	go(PTRACE_CONT, tracee, EXITED(5));
}

TEST(headers_that_are_refused)
{
	static unsigned char state[XSTATE_MAX], bad[XSTATE_MAX];
	static const struct {
		size_t at;
		unsigned char value;
	} changes[] = {{HEADER_AT + 7, 0x80}, {HEADER_AT + 7, 0x40}, {COMPACTED_AT, 1},
		{COMPACTED_AT + 7, 0x80}, {RESERVED_AT, 1}, {RESERVED_AT + 47, 1},
		{MXCSR_AT + 3, 0x80}};
	pid_t tracee = tracee_of(exit_five);
	size_t whole = sizeof(state), again = sizeof(bad);

	CHECK_EQ(get_set(tracee, NT_X86_XSTATE, state, &whole), 0);
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		memcpy(bad, state, whole);
		bad[changes[i].at] = changes[i].value;
		if (set_set(tracee, NT_X86_XSTATE, bad, whole) != -1 || errno != EINVAL)
			FAIL("change %zu: errno %d", i, errno);
	}
	/* Nothing of it was taken. */
	CHECK_EQ(get_set(tracee, NT_X86_XSTATE, bad, &again), 0);
	CHECK(again == whole && !memcmp(state, bad, whole));
	go(PTRACE_CONT, tracee, EXITED(5));
}

/* A feature that the header does not name is in its initial state. */
TEST(features_that_are_left_out)
{
	static unsigned char state[XSTATE_MAX] __attribute__((aligned(64)));
	size_t size = sizeof(state);
	uint64_t none = 0;
	pid_t tracee;

	if (!has_avx())
		SKIP("no AVX");
	tracee = tracee_of(use_avx);
	go(PTRACE_CONT, tracee, STOPPED(SIGTRAP));
	CHECK_EQ(get_set(tracee, NT_X86_XSTATE, state, &size), 0);
	memcpy(state + HEADER_AT, &none, sizeof(none));
	CHECK_EQ(set_set(tracee, NT_X86_XSTATE, state, size), 0);
	CHECK_EQ(get_set(tracee, NT_X86_XSTATE, state, &size), 0);
	CHECK_EQ(state[YMM_AT + 3 * 16], 0);
	CHECK_EQ(state[XMM_AT + 3 * 16], 0);
	go(PTRACE_CONT, tracee, EXITED(0));
}

TEST(sets_that_there_are_not)
{
	static unsigned char buffer[4096];
	static const unsigned long types[] = {0, 3, 0x100, 0x777, 0x400, ~0ul};
	pid_t tracee = tracee_of(exit_five);
	size_t size = 512;

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		size = 512;
		CHECK_ERRNO(get_set(tracee, types[i], buffer, &size), EINVAL);
		CHECK_ERRNO(set_set(tracee, types[i], buffer, 512), EINVAL);
	}
	/* Of ports there is a set, but nothing in it. */
	CHECK_ERRNO(get_set(tracee, 0x201, buffer, &size), ENXIO);
	CHECK_ERRNO(set_set(tracee, 0x201, buffer, 512), EOPNOTSUPP);
	end(tracee);
}

/* --- settings of a thread --- */

TEST(segment_bases)
{
	pid_t tracee = tracee_of(exit_five);
	unsigned long fs = peek_user(tracee, REGISTER(fs_base)), value = 0;

	CHECK_EQ(request(PTRACE_ARCH_PRCTL, tracee, (unsigned long)&value, ARCH_GET_FS_), 0);
	CHECK_EQ(value, fs);
	CHECK_EQ(request(PTRACE_ARCH_PRCTL, tracee, 0x123000, ARCH_SET_GS_), 0);
	CHECK_EQ(request(PTRACE_ARCH_PRCTL, tracee, (unsigned long)&value, ARCH_GET_GS_), 0);
	CHECK_EQ(value, 0x123000);
	CHECK_EQ(peek_user(tracee, REGISTER(gs_base)), 0x123000);
	CHECK_ERRNO(request(PTRACE_ARCH_PRCTL, tracee, 1ul << 63, ARCH_SET_FS_), EPERM);
	CHECK_ERRNO(request(PTRACE_ARCH_PRCTL, tracee, 8, ARCH_GET_FS_), EFAULT);
	CHECK_ERRNO(request(PTRACE_ARCH_PRCTL, tracee, 0, 0x9999), EINVAL);
	CHECK_EQ(peek_user(tracee, REGISTER(fs_base)), fs);
	go(PTRACE_CONT, tracee, EXITED(5));
}

struct rseq_configuration {
	uint64_t pointer;
	uint32_t size, signature, flags, pad;
};

static char own_rseq[64] __attribute__((aligned(32)));

static void register_rseq(void)
{
	/* glibc may have done it for itself. */
	syscall(SYS_rseq, own_rseq, 32, 0, RSEQ_SIGNATURE);
	raise(SIGUSR2);
	_exit(5);
}

TEST(rseq_configuration)
{
	pid_t tracee = tracee_of(register_rseq);
	struct rseq_configuration rseq;
	unsigned char buffer[64];

	go(PTRACE_CONT, tracee, STOPPED(SIGUSR2));
	CHECK_EQ(request(PTRACE_GET_RSEQ_CONFIGURATION, tracee, sizeof(rseq), (unsigned long)&rseq),
		sizeof(rseq));
	CHECK(rseq.pointer != 0);
	CHECK_EQ(rseq.size, 32);
	CHECK_EQ(rseq.signature, RSEQ_SIGNATURE);
	CHECK(rseq.flags == 0 && rseq.pad == 0);
	memset(buffer, 0xee, sizeof(buffer));
	CHECK_EQ(request(PTRACE_GET_RSEQ_CONFIGURATION, tracee, 12, (unsigned long)buffer),
		sizeof(rseq));
	CHECK(!memcmp(buffer, &rseq, 12));
	CHECK_EQ(buffer[12], 0xee);
	CHECK_EQ(request(PTRACE_GET_RSEQ_CONFIGURATION, tracee, 64, (unsigned long)buffer),
		sizeof(rseq));
	CHECK_EQ(buffer[sizeof(rseq)], 0xee);
	CHECK_ERRNO(request(PTRACE_GET_RSEQ_CONFIGURATION, tracee, sizeof(rseq), 8), EFAULT);
	end(tracee);
}

struct dispatch {
	uint64_t mode, selector, offset, length;
};

static char selector;

TEST(syscall_user_dispatch)
{
	pid_t tracee = tracee_of(exit_five);
	struct dispatch dispatch = {1, (unsigned long)&selector, 0x1000, 0x2000}, now;

	CHECK_EQ(request(PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG, tracee, sizeof(dispatch),
			 (unsigned long)&dispatch),
		0);
	CHECK_EQ(request(PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG, tracee, sizeof(now),
			 (unsigned long)&now),
		0);
	CHECK(!memcmp(&now, &dispatch, sizeof(now)));
	dispatch.mode = 77;
	CHECK_ERRNO(request(PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG, tracee, sizeof(dispatch),
			    (unsigned long)&dispatch),
		EINVAL);
	CHECK_ERRNO(request(PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG, tracee, 8,
			    (unsigned long)&dispatch),
		EINVAL);
	CHECK_ERRNO(request(PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG, tracee, 32, 8), EFAULT);
	dispatch = (struct dispatch){0};
	CHECK_EQ(request(PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG, tracee, sizeof(dispatch),
			 (unsigned long)&dispatch),
		0);
	go(PTRACE_CONT, tracee, EXITED(5));
}

/* Set from outside it works as if the tracee had set it. */
TEST(syscall_user_dispatch_set_by_the_tracer)
{
	pid_t tracee = tracee_of(exit_five);
	struct dispatch dispatch = {1, 0, 0, 0};
	siginfo_t info;

	CHECK_EQ(request(PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG, tracee, sizeof(dispatch),
			 (unsigned long)&dispatch),
		0);
	go(PTRACE_CONT, tracee, STOPPED(SIGSYS));
	info = stop_info(tracee);
	CHECK_EQ(info.si_code, 2);
	end(tracee);
}

static void two_filters(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {2, code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_LOG, &program))
		_exit(99);
	program.len = 1;
	program.filter = code + 1;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program))
		_exit(99);
	raise(SIGUSR2);
	_exit(5);
}

TEST(filters)
{
	pid_t tracee = tracee_of(two_filters);
	struct sock_filter code[8];
	struct {
		uint64_t offset, flags;
	} metadata = {0, 99};

	go(PTRACE_CONT, tracee, STOPPED(SIGUSR2));
	if (request(PTRACE_SECCOMP_GET_FILTER, tracee, 0, 0) < 0 && errno != ENOENT)
		SKIP("this kernel does not show filters, or not to everybody");
	/* The first is the oldest. */
	CHECK_EQ(request(PTRACE_SECCOMP_GET_FILTER, tracee, 0, 0), 2);
	CHECK_EQ(request(PTRACE_SECCOMP_GET_FILTER, tracee, 0, (unsigned long)code), 2);
	CHECK_EQ(code[0].k, offsetof(struct seccomp_data, arch));
	CHECK_EQ(code[1].k, SECCOMP_RET_ALLOW);
	CHECK_EQ(request(PTRACE_SECCOMP_GET_FILTER, tracee, 1, (unsigned long)code), 1);
	CHECK_EQ(code[0].code, BPF_RET | BPF_K);
	CHECK_ERRNO(request(PTRACE_SECCOMP_GET_FILTER, tracee, 2, 0), ENOENT);
	CHECK_ERRNO(request(PTRACE_SECCOMP_GET_FILTER, tracee, 0, 8), EFAULT);
	CHECK_EQ(request(PTRACE_SECCOMP_GET_METADATA, tracee, sizeof(metadata),
			 (unsigned long)&metadata),
		sizeof(metadata));
	CHECK_EQ(metadata.flags, SECCOMP_FILTER_FLAG_LOG);
	metadata.offset = 1;
	CHECK_EQ(request(PTRACE_SECCOMP_GET_METADATA, tracee, sizeof(metadata),
			 (unsigned long)&metadata),
		sizeof(metadata));
	CHECK_EQ(metadata.flags, 0);
	metadata.offset = 2;
	CHECK_ERRNO(request(PTRACE_SECCOMP_GET_METADATA, tracee, sizeof(metadata),
			    (unsigned long)&metadata),
		ENOENT);
	CHECK_ERRNO(
		request(PTRACE_SECCOMP_GET_METADATA, tracee, 4, (unsigned long)&metadata), EINVAL);
	CHECK_ERRNO(request(PTRACE_SECCOMP_GET_METADATA, tracee, sizeof(metadata), 8), EFAULT);
	end(tracee);
}

TEST(filters_need_a_right)
{
	pid_t tracer = fork();

	if (tracer == 0) {
		pid_t tracee;

		if (getuid() == 0)
			CHECK(setresgid(1000, 1000, 1000) == 0 && setresuid(1000, 1000, 1000) == 0);
		CHECK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
		tracee = tracee_of(two_filters);
		go(PTRACE_CONT, tracee, STOPPED(SIGUSR2));
		errno = 0;
		CHECK_EQ(request(PTRACE_SECCOMP_GET_FILTER, tracee, 0, 0), -1);
		CHECK(errno == EACCES || errno == EIO);
		end(tracee);
		_exit(0);
	}
	CHECK_EQ(wait_for(tracer), 0);
}

GUEST_TEST_MAIN()
