/* SPDX-License-Identifier: Apache-2.0 */
/* The platform's own host threads. */
#include "platform/ptrace/service_thread.h"

#include "base/log.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STACK_SIZE (64 * 1024)

/* All signals stay blocked in it: they are for the threads that know what to do with them. */
static void start(struct service_thread *service, void *(*run)(void *), void *argument)
{
	sigset_t all, old;
	pthread_attr_t attributes;
	pthread_t thread;
	int r;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&thread, &attributes, run, argument);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attributes);
	if (r) {
		log_warning("ptrace platform: a service thread: %s", strerror(r));
		atomic_store(&service->started, false);
	}
}

void service_thread_wake(struct service_thread *service, void *(*run)(void *), void *argument)
{
	if (!atomic_exchange(&service->wanted, 1))
		syscall(SYS_futex, &service->wanted, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
	if (unlikely(!atomic_load(&service->started)) && !atomic_exchange(&service->started, true))
		start(service, run, argument);
}

void service_thread_wait(struct service_thread *service)
{
	while (!atomic_exchange(&service->wanted, 0))
		syscall(SYS_futex, &service->wanted, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}
