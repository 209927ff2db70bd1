/* SPDX-License-Identifier: Apache-2.0 */
/* A debuggee to attach to: turns in as many more threads as its argument says, until told to stop.
 */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

volatile int stop, turns;

static void *spin(void *unused)
{
	(void)unused;
	while (!stop) {
		turns++;
		usleep(1000);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 0;
	pthread_t threads[8];

	for (int i = 0; i < count; i++)
		pthread_create(&threads[i], NULL, spin, NULL);
	spin(NULL);
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	return 5;
}
