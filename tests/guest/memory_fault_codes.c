/* SPDX-License-Identifier: Apache-2.0 */
/* Faults: the signal, si_code and si_addr of each kind; guard pages; stacks that grow; files that
 * shrink. */
#include "tests/guest/fault_catch.h"
#include "tests/guest/temporary.h"

#include <sys/resource.h>
#include <ucontext.h>

#define PAGE ((size_t)4096)
#define RW   (PROT_READ | PROT_WRITE)

static char *map(size_t pages, int prot)
{
	char *memory = mmap(NULL, pages * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(memory != MAP_FAILED);
	return memory;
}

TEST(unmapped_read_is_maperr)
{
	char *memory = map(1, RW);

	CHECK(munmap(memory, PAGE) == 0);
	CHECK_EQ(fault_of_read(memory + 17), SIGSEGV);
	CHECK_EQ(fault_code, SEGV_MAPERR);
	CHECK(fault_address == memory + 17);
	CHECK_EQ(fault_of_write(memory + 4095), SIGSEGV);
	CHECK(fault_address == memory + 4095);
}

TEST(null_is_maperr_at_zero)
{
	CHECK_EQ(fault_of_read(NULL), SIGSEGV);
	CHECK_EQ(fault_code, SEGV_MAPERR);
	CHECK(fault_address == NULL);
	CHECK_EQ(fault_of_write((char *)64), SIGSEGV);
	CHECK(fault_address == (void *)64);
}

TEST(protected_is_accerr)
{
	char *memory = map(1, PROT_NONE);

	CHECK_EQ(fault_of_read(memory + 3), SIGSEGV);
	CHECK_EQ(fault_code, SEGV_ACCERR);
	CHECK(fault_address == memory + 3);
}

TEST(kernel_addresses_are_maperr)
{
	CHECK_EQ(fault_of_read((void *)0xffffffff81000000), SIGSEGV);
	CHECK(fault_address == (void *)0xffffffff81000000);
}

TEST(non_canonical_address_has_no_address)
{
	CHECK_EQ(fault_of_read((void *)0x1234567890abcdef), SIGSEGV);
	CHECK_EQ(fault_code, SI_KERNEL);
	CHECK(fault_address == NULL);
}

TEST(beyond_the_end_of_a_file_is_sigbus)
{
	char *memory;

	temporary_enter();
	temporary_text("file", "short");
	memory = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, open("file", O_RDONLY), 0);
	CHECK_EQ(fault_of_read(memory + PAGE - 1), 0);
	CHECK_EQ(fault_of_read(memory + PAGE + 8), SIGBUS);
	CHECK_EQ(fault_code, BUS_ADRERR);
	CHECK(fault_address == memory + PAGE + 8);
}

TEST(a_file_that_shrinks_gives_sigbus)
{
	char page[3 * PAGE], *memory;
	int fd;

	temporary_enter();
	memset(page, 'p', sizeof(page));
	temporary_file("file", page, sizeof(page));
	fd = open("file", O_RDWR);
	memory = mmap(NULL, 3 * PAGE, RW, MAP_SHARED, fd, 0);
	CHECK_EQ(memory[2 * PAGE], 'p');
	CHECK(ftruncate(fd, PAGE) == 0);
	CHECK_EQ(fault_of_read(memory + 2 * PAGE), SIGBUS);
	CHECK_EQ(fault_of_read(memory), 0);
	CHECK(ftruncate(fd, 3 * PAGE) == 0);
	CHECK_EQ(memory[2 * PAGE], 0);
}

TEST(system_calls_give_efault_beyond_the_end_of_a_file)
{
	char *memory;
	int fds[2];

	temporary_enter();
	temporary_text("file", "short");
	CHECK(pipe(fds) == 0);
	memory = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, open("file", O_RDONLY), 0);
	CHECK_ERRNO(write(fds[1], memory + PAGE, 1), EFAULT);
	CHECK_EQ(write(fds[1], memory, 5), 5);
}

TEST(execution_of_data_is_accerr)
{
	char *memory = map(1, RW);

	CHECK_EQ(fault_of_call((void (*)(void))(memory + 5)), SIGSEGV);
	CHECK_EQ(fault_code, SEGV_ACCERR);
	CHECK(fault_address == memory + 5);
}

static void divide(void)
{
	volatile int zero = 0, one = 1;

	one = one / zero;
}

static void illegal(void)
{
	__asm__ volatile("ud2");
}

static void breakpoint(void)
{
	__asm__ volatile("int3");
}

static void privileged(void)
{
	__asm__ volatile("hlt");
}

TEST(division_by_zero)
{
	CHECK_EQ(fault_of_call(divide), SIGFPE);
	CHECK_EQ(fault_code, FPE_INTDIV);
}

TEST(illegal_instruction)
{
	CHECK_EQ(fault_of_call(illegal), SIGILL);
	CHECK_EQ(fault_code, ILL_ILLOPN);
	CHECK(fault_address == (void *)(uintptr_t)illegal ||
		(char *)fault_address - (char *)(uintptr_t)illegal < 16);
}

TEST(breakpoint_instruction)
{
	CHECK_EQ(fault_of_call(breakpoint), SIGTRAP);
	CHECK_EQ(fault_code, SI_KERNEL);
}

TEST(privileged_instruction)
{
	CHECK_EQ(fault_of_call(privileged), SIGSEGV);
	CHECK_EQ(fault_code, SI_KERNEL);
}

static void not_a_number(void)
{
	unsigned control = 0x1f80 & ~0x200u; /* unmask divide by zero */

	__asm__ volatile("ldmxcsr %0" : : "m"(control));
	volatile double zero = 0, one = 1;
	one = one / zero;
}

TEST(simd_exception)
{
	CHECK_EQ(fault_of_call(not_a_number), SIGFPE);
	CHECK_EQ(fault_code, FPE_FLTDIV);
}

static volatile greg_t context_error, context_trap, context_cr2;

static void context_handler(int signal, siginfo_t *info, void *argument)
{
	ucontext_t *context = argument;

	context_error = context->uc_mcontext.gregs[REG_ERR];
	context_trap = context->uc_mcontext.gregs[REG_TRAPNO];
	context_cr2 = context->uc_mcontext.gregs[REG_CR2];
	siglongjmp(fault_return, signal + info->si_code * 0);
}

TEST(the_frame_carries_trap_error_and_cr2)
{
	struct sigaction action = {.sa_sigaction = context_handler, .sa_flags = SA_SIGINFO};
	char *memory = map(1, PROT_READ);

	CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
	if (!sigsetjmp(fault_return, 1))
		*(volatile char *)(memory + 8) = 1;
	CHECK_EQ(context_trap, 14);
	CHECK_EQ(context_error & 6, 6); /* a write, from user mode */
	CHECK_EQ(context_cr2, (greg_t)(memory + 8));
}

static char *repair_page;

static void repair(int signal)
{
	(void)signal;
	mprotect(repair_page, PAGE, RW);
}

TEST(a_handler_that_repairs_lets_the_access_go_on)
{
	struct sigaction action = {.sa_handler = repair};
	char *page = map(1, PROT_NONE);

	repair_page = page;
	CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
	*(volatile char *)page = 3;
	CHECK_EQ(*(volatile char *)page, 3);
}

static int recursion(int depth)
{
	volatile char frame[4096];

	frame[0] = depth;
	return depth ? recursion(depth - 1) + frame[0] * 0 : 1;
}

TEST(the_stack_grows_on_demand)
{
	CHECK_EQ(recursion(1500), 1); /* 6 MB, limit 8 MB */
}

static void stack_overflow(void)
{
	recursion(1 << 30);
}

TEST(the_stack_ends_at_its_limit)
{
	struct rlimit limit = {8 << 20, 8 << 20};
	stack_t alternate = {.ss_sp = malloc(65536), .ss_size = 65536};

	CHECK(setrlimit(RLIMIT_STACK, &limit) == 0);
	CHECK(sigaltstack(&alternate, NULL) == 0);
	CHECK_EQ(fault_of_call(stack_overflow), SIGSEGV);
}

static void stack_overflow_killed(void)
{
	struct rlimit limit = {8 << 20, 8 << 20};

	setrlimit(RLIMIT_STACK, &limit);
	signal(SIGSEGV, SIG_DFL);
	stack_overflow();
}

TEST(stack_overflow_without_a_place_for_the_handler_kills)
{
	CHECK_EQ(WTERMSIG(in_child(stack_overflow_killed)), SIGSEGV);
}

TEST(grows_down_mapping_grows)
{
	char *memory = map(64, PROT_NONE), *bottom = memory + 40 * PAGE;

	CHECK(munmap(memory, 64 * PAGE) == 0);
	CHECK(mmap(bottom, 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN,
		      -1, 0) == bottom);
	CHECK_EQ(fault_of_write(bottom - 1), 0);
	CHECK_EQ(fault_of_write(bottom - PAGE - 1), 0);
	CHECK_EQ(bottom[-1], 7);
}

static void ignored_fault(void)
{
	signal(SIGSEGV, SIG_IGN);
	*(volatile char *)8 = 1;
}

static void blocked_fault(void)
{
	sigset_t set;

	sigfillset(&set);
	fault_catch_begin();
	sigprocmask(SIG_BLOCK, &set, NULL);
	*(volatile char *)8 = 1;
}

TEST(ignoring_a_fault_does_not_help)
{
	CHECK_EQ(WTERMSIG(in_child(ignored_fault)), SIGSEGV);
}

TEST(blocking_a_fault_does_not_help)
{
	CHECK_EQ(WTERMSIG(in_child(blocked_fault)), SIGSEGV);
}

GUEST_TEST_MAIN()
