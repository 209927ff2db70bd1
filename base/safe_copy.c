/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies that survive a fault. Each is a few instructions of assembly between two labels; the
 * signal handler, when the program counter is between them, moves it to where the short result is
 * worked out.
 *
 * The handler runs on the interrupted stack and touches nothing else: the functions here use no
 * stack that could be the cause.
 */
#include "base/safe_copy.h"

#include "base/log.h"

#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

/* What the assembly below defines: [start, end) may fault, resume is where it goes on then. */
extern const char safe_move_start[], safe_move_end[], safe_move_resume[];
extern const char safe_store_start[], safe_store_end[], safe_store_resume[];
extern const char safe_load_start[], safe_load_end[], safe_load_resume[];
extern const char safe_exchange_start[], safe_exchange_end[], safe_exchange_resume[];

/* Bytes not copied. rep movs leaves rcx and both pointers at the fault. */
size_t safe_move(void *destination, const void *source, size_t size);
size_t safe_store(void *destination, int byte, size_t size);
int safe_load(const void *address, uint32_t *value);
int safe_exchange(void *address, uint32_t *expected, uint32_t desired);

__asm__(".text\n"
	".globl safe_move, safe_move_start, safe_move_end, safe_move_resume\n"
	".hidden safe_move, safe_move_start, safe_move_end, safe_move_resume\n"
	".type safe_move, @function\n"
	"safe_move:\n"
	"	mov %rdx, %rcx\n"
	"safe_move_start:\n"
	"	rep movsb\n"
	"safe_move_end:\n"
	"safe_move_resume:\n"
	"	mov %rcx, %rax\n"
	"	ret\n"
	".size safe_move, . - safe_move\n"

	".globl safe_store, safe_store_start, safe_store_end, safe_store_resume\n"
	".hidden safe_store, safe_store_start, safe_store_end, safe_store_resume\n"
	".type safe_store, @function\n"
	"safe_store:\n"
	"	mov %rdx, %rcx\n"
	"	mov %esi, %eax\n"
	"safe_store_start:\n"
	"	rep stosb\n"
	"safe_store_end:\n"
	"safe_store_resume:\n"
	"	mov %rcx, %rax\n"
	"	ret\n"
	".size safe_store, . - safe_store\n"

	".globl safe_load, safe_load_start, safe_load_end, safe_load_resume\n"
	".hidden safe_load, safe_load_start, safe_load_end, safe_load_resume\n"
	".type safe_load, @function\n"
	"safe_load:\n"
	"safe_load_start:\n"
	"	mov (%rdi), %eax\n"
	"safe_load_end:\n"
	"	mov %eax, (%rsi)\n"
	"	xor %eax, %eax\n"
	"	ret\n"
	"safe_load_resume:\n"
	"	mov $1, %eax\n"
	"	ret\n"
	".size safe_load, . - safe_load\n"

	".globl safe_exchange, safe_exchange_start, safe_exchange_end, safe_exchange_resume\n"
	".hidden safe_exchange, safe_exchange_start, safe_exchange_end, safe_exchange_resume\n"
	".type safe_exchange, @function\n"
	"safe_exchange:\n"
	"	mov (%rsi), %eax\n"
	"safe_exchange_start:\n"
	"	lock cmpxchg %edx, (%rdi)\n"
	"safe_exchange_end:\n"
	"	mov %eax, (%rsi)\n"
	"	xor %eax, %eax\n"
	"	ret\n"
	"safe_exchange_resume:\n"
	"	mov $1, %eax\n"
	"	ret\n"
	".size safe_exchange, . - safe_exchange\n");

static const struct {
	const char *start, *end, *resume;
} ranges[] = {
	{safe_move_start, safe_move_end, safe_move_resume},
	{safe_store_start, safe_store_end, safe_store_resume},
	{safe_load_start, safe_load_end, safe_load_resume},
	{safe_exchange_start, safe_exchange_end, safe_exchange_resume},
};

static void on_fault(int signal, siginfo_t *info, void *argument)
{
	ucontext_t *context = argument;
	uintptr_t pc = (uintptr_t)context->uc_mcontext.gregs[REG_RIP];

	for (size_t i = 0; i < array_count(ranges); i++) {
		if (pc >= (uintptr_t)ranges[i].start && pc < (uintptr_t)ranges[i].end) {
			context->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)ranges[i].resume;
			return;
		}
	}
	panic("signal %d in the sentry at %#lx, address %p", signal, (unsigned long)pc,
		info->si_addr);
}

void safe_copy_init(void)
{
	struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};

	(void)sigemptyset(&action.sa_mask);
	panic_if(sigaction(SIGSEGV, &action, NULL) != 0 || sigaction(SIGBUS, &action, NULL) != 0,
		"no handler for faults could be installed");
}

size_t safe_copy(void *destination, const void *source, size_t size)
{
	return size - safe_move(destination, source, size);
}

size_t safe_zero(void *destination, size_t size)
{
	return size - safe_store(destination, 0, size);
}

bool safe_load_u32(const void *address, uint32_t *value)
{
	return safe_load(address, value) == 0;
}

bool safe_cmpxchg_u32(void *address, uint32_t expected, uint32_t desired, uint32_t *actual)
{
	*actual = expected;
	return safe_exchange(address, actual, desired) == 0;
}
