/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host threads of tasks. A thread whose task ended waits for the next one: making threads costs
 * more than many a task's whole life.
 */
#include "base/log.h"
#include "sentry/kernel/boot.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/task_run.h"
#include "sentry/lock_order.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HOST_STACK_SIZE (256 * 1024)
/* Idle threads beyond this many end. */
#define HOST_IDLE_MAX 64

struct host_thread {
	SLIST_ENTRY(host_thread) link; /* of the idle ones */
	struct task *task;	       /* to run next; NULL while idle */
	atomic_uint given;	       /* futex word: 1 when task was set */
};

static struct {
	struct mutex lock; /* RANK_LEAF */
	SLIST_HEAD(, host_thread) threads;
	unsigned int count;
} idle;

__attribute__((constructor)) static void idle_init(void)
{
	mutex_init(&idle.lock, RANK_LEAF, "idle host threads");
	SLIST_INIT(&idle.threads);
}

/* The machine: each state says which comes next. The caller's reference to the task is used up. */
static void task_run(struct task *task)
{
	struct run_state state = task->next_state;

	current_task_ = task;
	task->host_thread = pthread_self();
	task_times_begin(task);
	while (state.execute)
		state = state.execute(task);
	current_task_ = NULL;
	task_put(task);
	boot_note_task_gone();
}

static void thread_wait(struct host_thread *thread)
{
	while (!atomic_load(&thread->given))
		(void)syscall(SYS_futex, &thread->given, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	atomic_store(&thread->given, 0);
}

static void thread_give(struct host_thread *thread, struct task *task)
{
	thread->task = task;
	atomic_store(&thread->given, 1);
	(void)syscall(SYS_futex, &thread->given, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* False: there are enough idle threads already. */
static bool idle_add(struct host_thread *thread)
{
	mutex_guard(&idle.lock);
	if (idle.count >= HOST_IDLE_MAX)
		return false;
	SLIST_INSERT_HEAD(&idle.threads, thread, link);
	idle.count++;
	return true;
}

static struct host_thread *idle_take(void)
{
	struct host_thread *thread;

	mutex_guard(&idle.lock);
	thread = SLIST_FIRST(&idle.threads);
	if (thread) {
		SLIST_REMOVE_HEAD(&idle.threads, link);
		idle.count--;
	}
	return thread;
}

/* Faults of the sentry's own must reach their handler; all else is for the front end's threads. */
static void block_host_signals(void)
{
	sigset_t all;

	sigfillset(&all);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGSEGV);
	sigdelset(&all, SIGILL);
	sigdelset(&all, SIGFPE);
	(void)pthread_sigmask(SIG_SETMASK, &all, NULL);
}

static void *thread_main(void *argument)
{
	struct host_thread *thread = argument;

	block_host_signals();
	do {
		thread_wait(thread);
		if (!thread->task)
			break;
		task_run(steal_pointer(&thread->task));
	} while (idle_add(thread));
	free(thread);
	return NULL;
}

static struct host_thread *thread_create(void)
{
	struct host_thread *thread = calloc(1, sizeof(*thread));
	pthread_attr_t attributes;
	pthread_t id;
	int err;

	if (!thread)
		return NULL;
	err = pthread_attr_init(&attributes);
	if (!err)
		err = pthread_attr_setstacksize(&attributes, HOST_STACK_SIZE);
	if (!err)
		err = pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	if (!err)
		err = pthread_create(&id, &attributes, thread_main, thread);
	(void)pthread_attr_destroy(&attributes);
	if (err) {
		free(thread);
		return NULL;
	}
	return thread;
}

struct host_thread *host_thread_get(void)
{
	struct host_thread *thread = idle_take();

	return thread ? thread : thread_create();
}

void host_thread_put(struct host_thread *thread)
{
	if (!idle_add(thread))
		thread_give(thread, NULL);
}

void task_start(struct task *task, struct host_thread *thread)
{
	boot_note_task_started();
	thread_give(thread, task);
}
