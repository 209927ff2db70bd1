/* SPDX-License-Identifier: Apache-2.0 */
/* The signal frame: registers, flags and vector state kept over handlers and switches; sigreturn
 * with changes. */
#include "tests/guest/watchdog.h"

#include <pthread.h>
#include <setjmp.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>

static volatile sig_atomic_t handled;

static void alarms_start(void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
	struct itimerval timer = {{0, 2000}, {0, 2000}};

	watchdog_start();
	CHECK(sigaction(SIGALRM, &action, NULL) == 0);
	CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

static void spoils(int signal)
{
	(void)signal;
	__asm__ volatile(
		"pcmpeqd %%xmm7, %%xmm7\n pcmpeqd %%xmm0, %%xmm0\n pcmpeqd %%xmm15, %%xmm15\n"
		:
		:
		: "xmm0", "xmm7", "xmm15");
	if (__builtin_cpu_supports("avx"))
		__asm__ volatile(
			"vcmptrueps %%ymm7, %%ymm7, %%ymm7\n vcmptrueps %%ymm8, %%ymm8, %%ymm8"
			:
			:
			: "xmm7", "xmm8");
	__asm__ volatile("fninit\n fldpi\n fldpi");
	handled++;
}

/* Fills many registers with a pattern, waits for count handlers to run, and compares. */
__attribute__((noinline)) static bool general_kept(volatile sig_atomic_t *count, int until)
{
	uint64_t bad;

	__asm__ volatile(
		"lea -128(%%rsp), %%rsp\n push %%rbp\n mov $0x1111, %%rbx\n mov $0x2222, %%r12\n "
		"mov $0x3333, %%r13\n"
		"mov $0x4444, %%r14\n mov $0x5555, %%r15\n mov $0x6666, %%r8\n mov $0x7777, %%r9\n"
		"mov $0x8888, %%r10\n mov $0x9999, %%r11\n mov $0xaaaa, %%rbp\n mov $0xbbbb, "
		"%%rcx\n mov $0xcccc, %%rax\n"
		"1: pause\n cmp (%%rdi), %%esi\n jg 1b\n mov $1, %%edx\n"
		"cmp $0x1111, %%rbx\n jne 2f\n cmp $0x2222, %%r12\n jne 2f\n cmp $0x3333, %%r13\n "
		"jne 2f\n"
		"cmp $0x4444, %%r14\n jne 2f\n cmp $0x5555, %%r15\n jne 2f\n cmp $0x6666, %%r8\n "
		"jne 2f\n"
		"cmp $0x7777, %%r9\n jne 2f\n cmp $0x8888, %%r10\n jne 2f\n cmp $0x9999, %%r11\n "
		"jne 2f\n"
		"cmp $0xaaaa, %%rbp\n jne 2f\n cmp $0xbbbb, %%rcx\n jne 2f\n cmp $0xcccc, %%rax\n "
		"jne 2f\n"
		"xor %%edx, %%edx\n 2: pop %%rbp\n lea 128(%%rsp), %%rsp\n"
		: "=d"(bad)
		: "D"(count), "S"(until)
		: "rax", "rbx", "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
		"memory", "cc");
	return !bad;
}

TEST(general_registers_survive_asynchronous_handlers)
{
	alarms_start(spoils, 0);
	CHECK(general_kept(&handled, 20));
}

/* Vector registers and the x87 stack over signals that come at any moment. */
TEST(vector_registers_survive_asynchronous_handlers)
{
	bool avx = __builtin_cpu_supports("avx");
	uint64_t pattern[4] = {0x0102030405060708, 0x1112131415161718, 0x2122232425262728,
		0x3132333435363738},
		 out[4];
	double pi;

	alarms_start(spoils, 0);
	while (handled < 20) {
		if (avx)
			__asm__ volatile("vmovdqu %1, %%ymm7\n vmovdqu %1, %%ymm15\n fldpi\n mov "
					 "$200000, %%ecx\n"
					 "1: dec %%ecx\n jnz 1b\n vmovdqu %%ymm7, %0\n fstpl %2"
					 : "=m"(out), "+m"(pattern), "=m"(pi)
					 :
					 : "xmm7", "xmm15", "rcx");
		else
			__asm__ volatile("movdqu %1, %%xmm7\n fldpi\n mov $200000, %%ecx\n 1: dec "
					 "%%ecx\n jnz 1b\n"
					 "movdqu %%xmm7, %0\n fstpl %2"
					 : "=m"(out), "+m"(pattern), "=m"(pi)
					 :
					 : "xmm7", "rcx");
		CHECK(!memcmp(out, pattern, avx ? 32 : 16));
		CHECK(pi > 3.14159 && pi < 3.1416);
	}
}

static void *vector_thread(void *argument)
{
	uint64_t pattern[4], out[4];

	for (int i = 0; i < 4; i++)
		pattern[i] = (uint64_t)(uintptr_t)argument * 0x0101010101010101;
	for (int i = 0; i < 300; i++) {
		if (__builtin_cpu_supports("avx"))
			__asm__ volatile("vmovdqu %1, %%ymm3\n mov $24, %%eax\n syscall\n vmovdqu "
					 "%%ymm3, %0" /* sched_yield */
					 : "=m"(out), "+m"(pattern)
					 :
					 : "xmm3", "rax", "rcx", "r11", "memory");
		else
			memcpy(out, pattern, sizeof(out));
		CHECK(!memcmp(out, pattern, sizeof(out)));
	}
	return NULL;
}

TEST(vector_registers_survive_switches_and_system_calls)
{
	pthread_t threads[4];

	for (uintptr_t i = 0; i < 4; i++)
		CHECK(pthread_create(&threads[i], NULL, vector_thread, (void *)(i + 1)) == 0);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
}

/* One of the upper sixteen and a mask, over signals, a system call and a fork. */
TEST(the_registers_of_avx512_survive)
{
	uint64_t pattern[8], out[8] = {0}, mask = 0xa5a5, mask_out = 0;
	long child;
	int status;

	if (!__builtin_cpu_supports("avx512f"))
		SKIP("the processor has no AVX-512");
	for (int i = 0; i < 8; i++)
		pattern[i] = 0x1122334455667700 + (uint64_t)i;
	alarms_start(spoils, SA_RESTART);
	__asm__ volatile("vmovdqu64 %3, %%zmm20\n kmovw %k4, %%k5\n mov $2000000, %%ecx\n"
			 "1: dec %%ecx\n jnz 1b\n mov $57, %%eax\n syscall\n"
			 "vmovdqu64 %%zmm20, %0\n kmovw %%k5, %k1\n"
			 : "=m"(out), "=&r"(mask_out), "=&a"(child)
			 : "m"(pattern), "r"(mask)
			 : "rcx", "r11", "memory");
	CHECK(!memcmp(out, pattern, sizeof(out)));
	CHECK_EQ(mask_out, mask);
	if (child == 0)
		_exit(7);
	CHECK(waitpid((pid_t)child, &status, 0) == child);
	CHECK_EQ(status, 7 << 8);
}

TEST(fork_inherits_vector_registers)
{
	uint64_t pattern[4] = {7, 8, 9, 10}, out[4] = {0};
	int status;
	pid_t child;

	if (!__builtin_cpu_supports("avx"))
		SKIP("no AVX");
	__asm__ volatile("vmovdqu %2, %%ymm9\n mov $57, %%eax\n syscall\n vmovdqu %%ymm9, %1"
			 : "=&a"(child), "=m"(out)
			 : "m"(pattern)
			 : "rcx", "r11", "xmm9", "memory");
	if (child == 0)
		syscall(SYS_exit_group, memcmp(out, pattern, sizeof(out)) ? 1 : 0);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
	CHECK(!memcmp(out, pattern, sizeof(out)));
}

static sigjmp_buf jump;

static void jumps(int signal)
{
	siglongjmp(jump, signal);
}

TEST(siglongjmp_leaves_a_handler_and_restores_the_mask)
{
	signal(SIGUSR1, jumps);
	for (volatile int i = 0; i < 100; i++) {
		if (sigsetjmp(jump, 1) == 0) {
			raise(SIGUSR1);
			FAIL("not left");
		}
		handled = handled + 1;
	}
	CHECK_EQ(handled, 100);
}

static volatile int depth, deepest;

static void nests(int signal)
{
	depth++;
	if (depth > deepest)
		deepest = depth;
	if (depth < 50)
		raise(signal);
	depth--;
}

TEST(handlers_nest)
{
	struct sigaction action = {.sa_handler = nests, .sa_flags = SA_NODEFER};

	CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
	raise(SIGUSR1);
	CHECK_EQ(deepest, 50);
	CHECK_EQ(depth, 0);
}

static void changes_registers(int signal, siginfo_t *info, void *argument)
{
	ucontext_t *context = argument;

	(void)signal;
	(void)info;
	context->uc_mcontext.gregs[REG_RIP] += 2; /* over ud2 */
	context->uc_mcontext.gregs[REG_R12] = 0x123456789a;
	context->uc_mcontext.gregs[REG_EFL] |= 1; /* carry */
}

TEST(sigreturn_takes_changed_registers)
{
	struct sigaction action = {.sa_sigaction = changes_registers, .sa_flags = SA_SIGINFO};
	uint64_t value;
	unsigned char carry;

	CHECK(sigaction(SIGILL, &action, NULL) == 0);
	__asm__ volatile("mov $0, %%r12\n clc\n ud2\n setc %1\n mov %%r12, %0"
			 : "=r"(value), "=r"(carry)
			 :
			 : "r12", "cc");
	CHECK_EQ(value, 0x123456789a);
	CHECK_EQ(carry, 1);
}

static void changes_xmm(int signal, siginfo_t *info, void *argument)
{
	ucontext_t *context = argument;

	(void)signal;
	(void)info;
	context->uc_mcontext.gregs[REG_RIP] += 2;
	CHECK(context->uc_mcontext.fpregs != NULL);
	CHECK_EQ(context->uc_mcontext.fpregs->_xmm[4].element[0], 0x55);
	context->uc_mcontext.fpregs->_xmm[4].element[0] = 0x66;
}

TEST(the_frame_shows_and_takes_vector_registers)
{
	struct sigaction action = {.sa_sigaction = changes_xmm, .sa_flags = SA_SIGINFO};
	uint32_t value = 0x55;

	CHECK(sigaction(SIGILL, &action, NULL) == 0);
	__asm__ volatile("movd %0, %%xmm4\n ud2\n movd %%xmm4, %0" : "+r"(value) : : "xmm4");
	CHECK_EQ(value, 0x66);
}

static void changes_mask(int signal, siginfo_t *info, void *argument)
{
	ucontext_t *context = argument;

	(void)signal;
	(void)info;
	sigaddset(&context->uc_sigmask, SIGTERM);
}

TEST(sigreturn_takes_a_changed_mask)
{
	struct sigaction action = {.sa_sigaction = changes_mask, .sa_flags = SA_SIGINFO};
	sigset_t mask;

	CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
	raise(SIGUSR1);
	CHECK(sigprocmask(SIG_BLOCK, NULL, &mask) == 0);
	CHECK(sigismember(&mask, SIGTERM));
	CHECK(!sigismember(&mask, SIGUSR1));
}

static void bad_rip(int signal, siginfo_t *info, void *argument)
{
	(void)signal;
	(void)info;
	((ucontext_t *)argument)->uc_mcontext.gregs[REG_RIP] = (greg_t)0x8000000000001234;
}

static void returns_to_nowhere(void)
{
	struct sigaction action = {.sa_sigaction = bad_rip, .sa_flags = SA_SIGINFO};

	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
}

static void sigreturn_without_a_frame(void)
{
	__asm__ volatile("mov $0x1000, %%rsp\n mov $15, %%eax\n syscall\n" : : : "memory");
}

static void bad_fpstate(int signal, siginfo_t *info, void *argument)
{
	(void)signal;
	(void)info;
	((ucontext_t *)argument)->uc_mcontext.fpregs = (void *)0x1040;
}

static void returns_with_bad_fpstate(void)
{
	struct sigaction action = {.sa_sigaction = bad_fpstate, .sa_flags = SA_SIGINFO};

	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
}

TEST(hostile_frames_kill_with_sigsegv)
{
	CHECK_EQ(WTERMSIG(in_child(returns_to_nowhere)), SIGSEGV);
	CHECK_EQ(WTERMSIG(in_child(sigreturn_without_a_frame)), SIGSEGV);
	CHECK_EQ(WTERMSIG(in_child(returns_with_bad_fpstate)), SIGSEGV);
}

static void dirty_flags(int signal)
{
	uint64_t flags;

	(void)signal;
	__asm__ volatile("pushf\n pop %0" : "=r"(flags));
	handled = (flags & 0x400) ? 2 : 1; /* the direction flag is clear in a handler */
}

TEST(direction_flag_is_clear_in_a_handler_and_set_after)
{
	uint64_t flags;

	signal(SIGUSR1, dirty_flags);
	__asm__ volatile("std\n mov $39, %%eax\n syscall\n mov %%eax, %%edi\n mov %2, %%esi\n mov "
			 "$62, %%eax\n syscall\n"
			 "pushf\n pop %0\n cld"
			 : "=b"(flags), "+m"(handled)
			 : "i"(SIGUSR1)
			 : "rax", "rcx", "rdi", "rsi", "r11", "memory", "cc");
	CHECK_EQ(handled, 1);
	CHECK_EQ(flags & 0x400, 0x400);
}

TEST(red_zone_is_kept)
{
	uint64_t value = 0;

	signal(SIGALRM, spoils);
	alarms_start(spoils, 0);
	while (handled < 10) {
		__asm__ volatile("movq $0x77, -120(%%rsp)\n mov $100000, %%ecx\n 1: dec %%ecx\n "
				 "jnz 1b\n mov -120(%%rsp), %0"
				 : "=r"(value)
				 :
				 : "rcx", "memory");
		CHECK_EQ(value, 0x77);
	}
}

GUEST_TEST_MAIN()
