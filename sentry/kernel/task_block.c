/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one place where tasks wait: task_block(), on one futex word a task.
 *
 * run.woken goes AWAKE -> SLEEPS -> AWAKE by the task, to WOKEN by who wakes it. A wake-up is never
 * lost: it is found in the word by the next task_block(). An interruption sets run.interrupt and
 * takes the word from SLEEPS to AWAKE.
 */
#include "base/log.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/task_run.h"
#include "sentry/time/clock.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void word_wait(atomic_uint *word, unsigned int value, int64_t deadline_ns)
{
	struct timespec deadline = {
		.tv_sec = deadline_ns / NSEC_PER_SEC, .tv_nsec = deadline_ns % NSEC_PER_SEC};

	(void)syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, value,
		deadline_ns == INT64_MAX ? NULL : &deadline, NULL, FUTEX_BITSET_MATCH_ANY);
}

static void word_wake(struct task *task)
{
	/* A sleeping CPU takes longer to wake than most wake-ups are worth. */
	if (current && current != task)
		context_wake_near(task->context);
	(void)syscall(SYS_futex, &task->run.woken, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* The clock of the task's CPU time stands still from here to sleep_end(). */
static void sleep_begin(struct task *task)
{
	mutex_assert_none_held();
	task_account(task, false);
	atomic_store_explicit(&task->run.since, 0, memory_order_relaxed);
	context_block_begin(task->context);
}

static void sleep_end(struct task *task)
{
	context_block_end(task->context);
	atomic_store_explicit(&task->run.since, time_stamp(), memory_order_relaxed);
}

static bool is_interrupted(struct task *task, bool killable)
{
	return killable ? atomic_load(&task->killed) : atomic_load(&task->run.interrupt);
}

/* One sleep on the host: true if task_wake() ended it. */
static bool sleep_once(struct task *task, bool killable, int64_t deadline_ns)
{
	unsigned int expected = TASK_AWAKE;

	if (!atomic_compare_exchange_strong(&task->run.woken, &expected, TASK_SLEEPS)) {
		atomic_store(&task->run.woken, TASK_AWAKE);
		return true;
	}
	/* Who interrupts stores first and looks at the word then; this is the other way round. */
	if (!is_interrupted(task, killable))
		word_wait(&task->run.woken, TASK_SLEEPS, deadline_ns);
	return atomic_exchange(&task->run.woken, TASK_AWAKE) == TASK_WOKEN;
}

static int block(struct task *task, bool killable, int64_t deadline_ns)
{
	int64_t host_deadline = deadline_ns;
	int result = 0;

	if (atomic_load_explicit(&task->run.woken, memory_order_relaxed) == TASK_WOKEN) {
		atomic_store(&task->run.woken, TASK_AWAKE);
		return 0;
	}
	if (is_interrupted(task, killable))
		return -ERESTARTSYS;
	if (deadline_ns <= 0)
		host_deadline = 0;
	sleep_begin(task);
	for (;;) {
		if (sleep_once(task, killable, host_deadline))
			break;
		if (is_interrupted(task, killable)) {
			result = -ERESTARTSYS;
			break;
		}
		if (deadline_ns != INT64_MAX && clock_monotonic() >= deadline_ns) {
			result = -ETIMEDOUT;
			break;
		}
	}
	sleep_end(task);
	atomic_fetch_add_explicit(&task->times.voluntary_switches, 1, memory_order_relaxed);
	return result;
}

void task_sleep(struct task *task)
{
	unsigned int expected = TASK_AWAKE;

	if (atomic_compare_exchange_strong(&task->run.woken, &expected, TASK_SLEEPS)) {
		sleep_begin(task);
		word_wait(&task->run.woken, TASK_SLEEPS, INT64_MAX);
		sleep_end(task);
	}
	atomic_store(&task->run.woken, TASK_AWAKE);
}

int task_block(struct task *task, int64_t deadline_ns)
{
	return block(task, false, deadline_ns);
}

int task_block_killable(struct task *task, int64_t deadline_ns)
{
	int result;

	atomic_store(&task->run.uninterruptible, true);
	result = block(task, true, deadline_ns);
	atomic_store(&task->run.uninterruptible, false);
	return result == -ERESTARTSYS ? -EINTR : result;
}

void task_wake(struct task *task)
{
	if (atomic_exchange(&task->run.woken, TASK_WOKEN) == TASK_SLEEPS)
		word_wake(task);
}

void task_kick(struct task *task)
{
	unsigned int expected = TASK_SLEEPS;

	atomic_store(&task->run.interrupt, true);
	if (task == current)
		return;
	if (atomic_load(&task->run.in_guest))
		context_interrupt(task->context);
	else if (atomic_compare_exchange_strong(&task->run.woken, &expected, TASK_AWAKE))
		word_wake(task);
}
