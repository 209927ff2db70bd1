/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending signals: whether one counts, where it is queued, who is woken for it, and who may send
 * it.
 *
 * Differs from Linux: a process that dies of a signal with a core dump never dumps, as if
 * RLIMIT_CORE were 0.
 */
#include "abi/capability.h"
#include "abi/epoll.h"
#include "sentry/kernel/ptrace_state.h"
#include "sentry/kernel/rlimit.h"
#include "sentry/kernel/signal_private.h"

#include <errno.h>

bool signal_task_ignores_locked(struct task *task, int signal, bool force)
{
	uint64_t handler = signal_action(task->sighand, signal)->sa_handler;

	if (task->group->unkillable && handler == LINUX_SIG_DFL &&
		!(force && (SIGNALS_KERNEL_ONLY & signal_bit(signal))))
		return true;
	if (handler == LINUX_SIG_IGN)
		return true;
	return handler == LINUX_SIG_DFL && (SIGNALS_DEFAULT_IGNORE & signal_bit(signal));
}

/* What is blocked is kept, since its disposition may change until it is unblocked; tracers see
 * everything. */
static bool discarded_locked(struct task *task, int signal, bool force)
{
	if (task->blocked & signal_bit(signal))
		return false;
	if (signal != LINUX_SIGKILL && ptrace_is_traced(task))
		return false;
	return signal_task_ignores_locked(task, signal, force);
}

void signal_flush_group_locked(struct thread_group *group, linux_sigset_t set)
{
	struct task *task;

	signal_pending_flush(&group->shared_pending, set);
	TAILQ_FOREACH (task, &group->tasks, group_link) {
		signal_pending_flush(&task->pending, set);
	}
}

/* What happens at sending whatever the disposition is; false: the signal goes no further. */
static bool prepare_locked(struct task *task, int signal, bool force)
{
	struct thread_group *group = task->group;

	if (group->exiting)
		return false;
	if (SIGNALS_STOP & signal_bit(signal)) {
		signal_flush_group_locked(group, signal_bit(LINUX_SIGCONT));
	} else if (signal == LINUX_SIGCONT) {
		signal_flush_group_locked(group, SIGNALS_STOP);
		group_stop_continue_locked(group);
	}
	return !discarded_locked(task, signal, force);
}

static bool wants_locked(struct task *task, int signal)
{
	if (task->exit_state != TASK_ALIVE)
		return false;
	if (!(task_deliverable_locked(task) & signal_bit(signal)))
		return false;
	if (signal == LINUX_SIGKILL)
		return true;
	return task->stop.kind == STOP_NONE && !atomic_load(&task->run.interrupt);
}

static struct task *choose_locked(struct task *task, int signal, bool group)
{
	struct task *other;

	if (wants_locked(task, signal))
		return task;
	if (!group)
		return NULL;
	TAILQ_FOREACH (other, &task->group->tasks, group_link) {
		if (wants_locked(other, signal))
			return other;
	}
	return NULL;
}

/* Its default action ends the process. */
static bool fatal_locked(struct task *task, int signal)
{
	return !((SIGNALS_DEFAULT_IGNORE | SIGNALS_STOP) & signal_bit(signal)) &&
	       signal_action(task->sighand, signal)->sa_handler == LINUX_SIG_DFL;
}

void thread_group_kill_locked(struct thread_group *group, int status)
{
	struct task *first = TAILQ_FIRST(&group->tasks);

	if (!first)
		return;
	thread_group_exit_locked(first, status);
	if (current && current->group == group)
		signal_kill_task_locked(current);
}

/* The signal is queued: wakes a thread for it, or all of them to die. */
static void complete_locked(struct task *task, int signal, bool group)
{
	struct task *chosen = choose_locked(task, signal, group);
	struct task *other;

	wait_queue_wake(&task->sighand->signalfd_queue, LINUX_EPOLLIN);
	if (chosen && fatal_locked(task, signal) && !(chosen->blocked & signal_bit(signal)) &&
		(signal == LINUX_SIGKILL || !ptrace_is_traced(task)) &&
		!(SIGNALS_CORE & signal_bit(signal))) {
		thread_group_kill_locked(task->group, signal);
		return;
	}
	if (chosen || !group) {
		task_recalculate_interrupt_locked(chosen ? chosen : task);
		return;
	}
	/* Nobody is idle: those who do not block it look soon, but those in a stop must find it
	 * later. */
	TAILQ_FOREACH (other, &task->group->tasks, group_link) {
		if (other->exit_state == TASK_ALIVE &&
			(task_deliverable_locked(other) & signal_bit(signal)))
			task_recalculate_interrupt_locked(other);
	}
}

/* Sent by the kernel, or by somebody whom the receiver's pid namespace does not see. */
static bool forced(const struct task *task, const struct linux_siginfo *info)
{
	if (info->si_code == LINUX_SI_KERNEL)
		return true;
	if (info->si_code > 0 || info->si_code == LINUX_SI_TIMER)
		return false;
	return !current ||
	       !pid_number_in(current->group->pid, thread_group_pid_namespace(task->group));
}

int signal_send_locked(struct task *task, const struct linux_siginfo *info, bool group)
{
	struct signal_pending *pending = group ? &task->group->shared_pending : &task->pending;
	int error;

	mutex_assert_held(&task->sighand->lock);
	if (!prepare_locked(task, info->si_signo, forced(task, info)))
		return 0;
	if (info->si_signo < LINUX_SIGRTMIN && (pending->set & signal_bit(info->si_signo)))
		return 0;
	const struct cred *cred = task_get_cred(task);

	error = signal_pending_add(pending, info, cred ? cred->uid : 0,
		rlimit_of(task->group, LINUX_RLIMIT_SIGPENDING));
	cred_put(cred);
	if (error)
		return error;
	complete_locked(task, info->si_signo, group);
	return 0;
}

bool signal_send_entry_locked(struct task *task, struct signal_entry *entry, bool group)
{
	struct signal_pending *pending = group ? &task->group->shared_pending : &task->pending;

	if (!prepare_locked(task, entry->info.si_signo, false))
		return false;
	signal_pending_add_entry(pending, entry);
	complete_locked(task, entry->info.si_signo, group);
	return true;
}

int signal_send_group(struct thread_group *group, const struct linux_siginfo *info)
{
	struct sighand *sighand = thread_group_lock_signals(group);
	struct task *first = TAILQ_FIRST(&group->tasks);
	int error = first ? signal_send_locked(first, info, true) : 0;

	mutex_unlock(&sighand->lock);
	return error;
}

int signal_send_task(struct task *task, const struct linux_siginfo *info)
{
	struct sighand *sighand = task_lock_signals(task);
	int error = signal_send_locked(task, info, false);

	mutex_unlock(&sighand->lock);
	return error;
}

static void force(struct task *task, const struct linux_siginfo *info, bool always_default)
{
	struct sighand *sighand = task_lock_signals(task);
	struct linux_sigaction *action = signal_action(sighand, info->si_signo);
	linux_sigset_t bit = signal_bit(info->si_signo);

	if ((task->blocked & bit) || action->sa_handler == LINUX_SIG_IGN || always_default)
		action->sa_handler = LINUX_SIG_DFL;
	task->blocked &= ~bit;
	if (action->sa_handler == LINUX_SIG_DFL && !ptrace_is_traced(task))
		task->group->unkillable = false;
	(void)signal_send_locked(task, info, false);
	task_recalculate_interrupt_locked(task);
	mutex_unlock(&sighand->lock);
}

void signal_force(struct task *task, const struct linux_siginfo *info)
{
	force(task, info, false);
}

void signal_force_default(struct task *task, const struct linux_siginfo *info)
{
	force(task, info, true);
}

void signal_kill_task_locked(struct task *task)
{
	mutex_assert_held(&task->sighand->lock);
	task->pending.set |= signal_bit(LINUX_SIGKILL);
	atomic_store(&task->killed, true);
	/* No stop is due any more: who attached must not wait for it. */
	task->stop.jobctl &= ~(JOBCTL_DUE | JOBCTL_STOP_CONSUME | JOBCTL_STOP_DEQUEUED);
	ptrace_clear_trapping_locked(task);
	task_stop_kill_locked(task);
	task_recalculate_interrupt_locked(task);
}
