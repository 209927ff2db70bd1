/* SPDX-License-Identifier: Apache-2.0 */
/* A debuggee: handles signals, then faults. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

volatile int got;

static void handler(int signal)
{
	got = signal;
}

int main(void)
{
	signal(SIGUSR1, handler);
	signal(SIGUSR2, handler);
	signal(SIGALRM, handler);
	raise(SIGUSR1);
	printf("usr1 %d\n", got);
	got = 0;
	raise(SIGUSR2);
	printf("usr2 %d\n", got);
	got = 0;
	ualarm(20000, 0);
	while (!got)
		usleep(1000);
	printf("alrm %d\n", got);
	fflush(stdout);
	*(volatile int *)8 = 1;
	return 0;
}
