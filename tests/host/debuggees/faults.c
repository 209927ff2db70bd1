/* SPDX-License-Identifier: Apache-2.0 */
/* A debuggee: one fault and trap after another, each caught. */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>

static sigjmp_buf again;

static void handler(int signal, siginfo_t *info, void *unused)
{
	(void)unused;
	printf("signal %d code %d\n", signal, info->si_code);
	siglongjmp(again, 1);
}

int main(void)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_NODEFER};
	volatile int zero = 0;

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGILL, &action, NULL);
	sigaction(SIGFPE, &action, NULL);
	sigaction(SIGTRAP, &action, NULL);
	if (!sigsetjmp(again, 1))
		*(volatile int *)16 = 1;
	if (!sigsetjmp(again, 1))
		__asm__ volatile("ud2");
	if (!sigsetjmp(again, 1))
		zero = 1 / zero;
	if (!sigsetjmp(again, 1))
		__asm__ volatile("int3");
	if (!sigsetjmp(again, 1))
		__asm__ volatile("hlt");
	if (!sigsetjmp(again, 1))
		__asm__ volatile("pushf; orl $0x100,(%rsp); popf; nop; nop");
	puts("end");
	return 0;
}
