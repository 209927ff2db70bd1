/* SPDX-License-Identifier: Apache-2.0 */
/* A debuggee: threads that all pass one function three times. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
static pthread_barrier_t b;
volatile int counter[8];
volatile int go;
static void hit(int n)
{
	counter[n]++;
}
static void *worker(void *a)
{
	int n = (int)(long)a;
	pthread_barrier_wait(&b);
	for (int i = 0; i < 3; i++)
		hit(n);
	pthread_barrier_wait(&b);
	return NULL;
}
static void ready(void)
{
	go = 1;
}
int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 4;
	pthread_t t[64];
	pthread_barrier_init(&b, NULL, n + 1);
	for (long i = 0; i < n; i++)
		pthread_create(t + i, NULL, worker, (void *)(i % 8));
	pthread_barrier_wait(&b);
	ready();
	pthread_barrier_wait(&b);
	for (int i = 0; i < n; i++)
		pthread_join(t[i], NULL);
	int s = 0;
	for (int i = 0; i < 8; i++)
		s += counter[i];
	printf("%d\n", s);
	return 0;
}
