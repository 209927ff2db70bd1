/* SPDX-License-Identifier: Apache-2.0 */
/* Stops as such: beginning, ending, waiting, and work that a tracer has done on the stopped thread.
 */
#include "sentry/kernel/stop.h"

#include "base/log.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/task_run.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Lives on the stack of who waits for it. */
struct stop_work {
	int (*function)(struct task *task, void *argument);
	void *argument;
	int result;
	atomic_uint done; /* futex word */
};

bool stop_is_killable(const struct task_stop *stop)
{
	return stop->kind != STOP_PAUSE && !(stop->kind == STOP_PTRACE && stop->frozen);
}

bool task_begin_stop_locked(struct task *task, enum stop_kind kind)
{
	mutex_assert_held(&task->sighand->lock);
	panic_if(task->stop.kind != STOP_NONE, "a stopped task stops");
	if (kind != STOP_PAUSE && atomic_load(&task->killed))
		return false;
	task->stop.kind = kind;
	return true;
}

void task_end_stop_locked(struct task *task)
{
	mutex_assert_held(&task->sighand->lock);
	task->stop.kind = STOP_NONE;
	task->stop.frozen = false;
	task_wake(task);
}

void task_stop_kill_locked(struct task *task)
{
	if (task->stop.kind != STOP_NONE && stop_is_killable(&task->stop))
		task_end_stop_locked(task);
}

static void do_work(struct task *task)
{
	struct stop_work *work = atomic_exchange(&task->stop.work, NULL);

	if (!work)
		return;
	work->result = work->function(task, work->argument);
	atomic_store(&work->done, 1);
	(void)syscall(SYS_futex, &work->done, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static bool is_stopped(struct task *task)
{
	bool stopped;

	mutex_lock(&task->sighand->lock);
	stopped = task->stop.kind != STOP_NONE;
	mutex_unlock(&task->sighand->lock);
	return stopped;
}

void task_wait_stop(struct task *task)
{
	while (is_stopped(task)) {
		do_work(task);
		task_sleep(task);
	}
	do_work(task);
}

int task_stop_run(
	struct task *task, int (*function)(struct task *task, void *argument), void *argument)
{
	struct stop_work work = {.function = function, .argument = argument};

	/* The stop is frozen: the task is on its way into task_wait_stop() and cannot leave it. */
	atomic_store(&task->stop.work, &work);
	task_wake(task);
	while (!atomic_load(&work.done))
		(void)syscall(SYS_futex, &work.done, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	return work.result;
}
