/* SPDX-License-Identifier: Apache-2.0 */
/* What a task blocks, whether something interrupts it, and taking signals off its queues. */
#include "sentry/kernel/container.h"
#include "sentry/kernel/signal_private.h"
#include "sentry/time/posix_timer.h"

linux_sigset_t task_deliverable_locked(struct task *task)
{
	return ~task->blocked | task->waiting_for;
}

static linux_sigset_t pending_locked(const struct task *task)
{
	return task->pending.set | task->group->shared_pending.set;
}

bool task_signal_pending(struct task *task)
{
	return atomic_load(&task->run.interrupt);
}

bool task_killed(struct task *task)
{
	return atomic_load(&task->killed);
}

bool signal_is_ignored_locked(struct task *task, int signal)
{
	return (task->blocked & signal_bit(signal)) ||
	       signal_action(task->sighand, signal)->sa_handler == LINUX_SIG_IGN;
}

void task_recalculate_interrupt_locked(struct task *task)
{
	bool due = (pending_locked(task) & task_deliverable_locked(task)) ||
		   atomic_load(&task->killed) || task_group_stop_pending(&task->stop) ||
		   (task->group->container && container_is_paused(task->group->container));

	if (task == current)
		atomic_store(&task->run.interrupt, due);
	else if (due) /* the flag falls on its own thread alone, so that no other kick is lost */
		task_kick(task);
}

/* Signals that task no longer takes wait for the process: wakes others for them. */
static void retarget_locked(struct task *task, linux_sigset_t which)
{
	struct task *other;

	which &= task->group->shared_pending.set;
	TAILQ_FOREACH (other, &task->group->tasks, group_link) {
		linux_sigset_t taken = which & task_deliverable_locked(other);

		if (!which)
			return;
		if (other == task || other->exit_state != TASK_ALIVE || !taken)
			continue;
		which &= ~taken;
		task_recalculate_interrupt_locked(other);
	}
}

void signal_task_exiting_locked(struct task *task)
{
	retarget_locked(task, ~task->blocked);
}

static void set_blocked_locked(struct task *task, linux_sigset_t blocked)
{
	linux_sigset_t newly = blocked & ~task->blocked;

	if (newly & task->group->shared_pending.set)
		retarget_locked(task, newly);
	task->blocked = blocked & ~SIGNALS_KERNEL_ONLY;
	task_recalculate_interrupt_locked(task);
}

void task_set_blocked(struct task *task, linux_sigset_t blocked)
{
	struct sighand *sighand;

	if (task->blocked == (blocked & ~SIGNALS_KERNEL_ONLY))
		return;
	sighand = task_lock_signals(task);
	set_blocked_locked(task, blocked);
	mutex_unlock(&sighand->lock);
}

void task_set_temporary_mask(struct task *task, linux_sigset_t blocked)
{
	struct sighand *sighand = task_lock_signals(task);

	if (!task->has_saved_mask) {
		task->saved_mask = task->blocked;
		task->has_saved_mask = true;
	}
	set_blocked_locked(task, blocked);
	mutex_unlock(&sighand->lock);
}

void task_restore_mask(struct task *task)
{
	if (!task->has_saved_mask)
		return;
	task->has_saved_mask = false;
	task_set_blocked(task, task->saved_mask);
}

int signal_dequeue_locked(struct task *task, linux_sigset_t allowed, struct linux_siginfo *info)
{
	struct signal_pending *pending = &task->pending;
	struct posix_timer *timer;
	int signal = signal_pending_next(pending->set & allowed);

	if (!signal) {
		pending = &task->group->shared_pending;
		signal = signal_pending_next(pending->set & allowed);
	}
	if (!signal)
		return 0;
	signal_pending_take(pending, signal, info, &timer);
	if (SIGNALS_STOP & signal_bit(signal))
		group_stop_note_dequeued_locked(task, signal);
	if (timer)
		posix_timer_delivered_locked(timer, info);
	return signal;
}

int signal_dequeue(struct task *task, linux_sigset_t set, struct linux_siginfo *info)
{
	struct sighand *sighand = task_lock_signals(task);
	int signal = signal_dequeue_locked(task, set & ~SIGNALS_KERNEL_ONLY, info);

	if (task == current)
		task_recalculate_interrupt_locked(task);
	mutex_unlock(&sighand->lock);
	return signal;
}
