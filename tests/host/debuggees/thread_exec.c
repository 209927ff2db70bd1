/* SPDX-License-Identifier: Apache-2.0 */
/* A debuggee: a thread that is not the leader becomes ./simple. */
#include <pthread.h>
#include <unistd.h>

static void *become(void *unused)
{
	(void)unused;
	execl("./simple", "./simple", "9", NULL);
	return NULL;
}

static void *wait_for_ever(void *unused)
{
	(void)unused;
	pause();
	return NULL;
}

int main(void)
{
	pthread_t waiting, becoming;

	pthread_create(&waiting, NULL, wait_for_ever, NULL);
	pthread_create(&becoming, NULL, become, NULL);
	pause();
	return 1;
}
