/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Job control: how a stop signal stops a whole process, and SIGCONT sets it going (signal(7),
 * ptrace(2) "Group-stop").
 *
 * The first thread that acts on a stop signal makes the stop due to all threads; the last one to
 * take part tells the parent.
 */
#include "base/log.h"
#include "sentry/kernel/boot.h"
#include "sentry/kernel/ptrace_state.h"
#include "sentry/kernel/session.h"
#include "sentry/kernel/stop.h"
#include "sentry/kernel/task_run.h"
#include "sentry/time/clock.h"

#include "abi/epoll.h"

/* Nothing becomes due to a task that is on its way out. */
static bool due_set(struct task *task, unsigned int bits)
{
	if (atomic_load(&task->killed) || task->exit_state != TASK_ALIVE)
		return false;
	if (bits & JOBCTL_STOP_SIGNAL)
		task->stop.jobctl &= ~JOBCTL_STOP_SIGNAL;
	task->stop.jobctl |= bits;
	return true;
}

static void stop_due_clear(struct task *task)
{
	task->stop.jobctl &= ~(JOBCTL_STOP_PENDING | JOBCTL_STOP_CONSUME | JOBCTL_STOP_DEQUEUED);
	if (!(task->stop.jobctl & JOBCTL_DUE))
		ptrace_clear_trapping_locked(task);
}

bool group_stop_participate_locked(struct task *task)
{
	struct thread_group *group = task->group;
	bool consume = task->stop.jobctl & JOBCTL_STOP_CONSUME;

	stop_due_clear(task);
	if (!consume)
		return false;
	if (group->stop_count > 0)
		group->stop_count--;
	if (group->stop_count == 0 && group->stop_state != GROUP_STOPPED) {
		group->stop_state = GROUP_STOPPED;
		group->continue_pending = false;
		group->cld_pending = 0;
		return true;
	}
	return false;
}

void group_stop_join_locked(struct task *parent, struct task *child)
{
	struct thread_group *group = parent->group;
	unsigned int bits = (parent->stop.jobctl & JOBCTL_STOP_SIGNAL) | JOBCTL_STOP_PENDING;

	if (group->stop_count > 0) {
		group->stop_count++;
		bits |= JOBCTL_STOP_CONSUME;
	} else if (group->stop_state != GROUP_STOPPED) {
		return;
	}
	child->stop.jobctl |= bits;
	atomic_store(&child->run.interrupt, true);
}

void group_stop_note_dequeued_locked(struct task *task, int signal)
{
	if (signal == LINUX_SIGSTOP || signal == LINUX_SIGTSTP || signal == LINUX_SIGTTIN ||
		signal == LINUX_SIGTTOU)
		task->stop.jobctl |= JOBCTL_STOP_DEQUEUED;
}

/* --- telling the parent --- */

static void fill_child_info(
	struct linux_siginfo *info, struct task *task, struct task *parent, int why, int status)
{
	const struct cred *parent_cred = task_get_cred(parent), *cred = task_get_cred(task);
	uint64_t user, system;

	task_cpu_times(task, &user, &system);
	*info = (struct linux_siginfo){.si_signo = LINUX_SIGCHLD, .si_code = why};
	info->sigchld.si_pid = pid_number_in(task->pid, task_pid_namespace(parent));
	info->sigchld.si_uid = user_namespace_show_uid(parent_cred->user_ns, cred->uid);
	info->sigchld.si_status = status;
	info->sigchld.si_utime = (int64_t)(user / NSEC_PER_TICK);
	info->sigchld.si_stime = (int64_t)(system / NSEC_PER_TICK);
	cred_put(cred);
	cred_put(parent_cred);
}

void task_notify_stop_locked(struct task *task, bool tracer, int why)
{
	struct thread_group *group = task->group;
	struct task *parent = tracer ? task->ptrace->tracer : group->parent;
	const struct linux_sigaction *action;
	struct linux_siginfo info;
	int status;

	mutex_assert_held(&g_tasks.lock);
	if (!tracer) {
		task = group->leader;
		boot_note_stop(group, why == LINUX_CLD_CONTINUED ? 0 : group->stop_report_code);
	}
	if (!parent)
		return;
	if (why == LINUX_CLD_CONTINUED)
		status = LINUX_SIGCONT;
	else if (why == LINUX_CLD_STOPPED)
		status = group->stop_report_code & 0x7f;
	else
		status = task->ptrace->stop_code & 0x7f;
	fill_child_info(&info, task, parent, why, status);
	mutex_lock(&parent->sighand->lock);
	action = &parent->sighand->actions[LINUX_SIGCHLD - 1];
	if (action->sa_handler != LINUX_SIG_IGN && !(action->sa_flags & LINUX_SA_NOCLDSTOP))
		(void)signal_send_locked(parent, &info, true);
	mutex_unlock(&parent->sighand->lock);
	wait_queue_wake(&parent->group->child_queue, LINUX_EPOLLIN);
}

/* RANK_SIGHAND held, dropped in between: SIGCONT left word that the parent is to be told. */
static void report_pending(struct task *task)
{
	struct thread_group *group = task->group;
	int why = group->cld_pending;

	group->cld_pending = 0;
	mutex_unlock(&task->sighand->lock);
	mutex_lock(&g_tasks.lock);
	task_notify_stop_locked(task, false, why);
	if (ptrace_reparented_locked(group->leader))
		task_notify_stop_locked(group->leader, true, why);
	mutex_unlock(&g_tasks.lock);
	mutex_lock(&task->sighand->lock);
}

/* --- stopping --- */

/* Makes the stop due to every thread of the process. False: it was cancelled. */
static bool stop_initiate(struct task *task, int signal)
{
	struct thread_group *group = task->group;
	const unsigned int bits = (unsigned int)signal | JOBCTL_STOP_PENDING | JOBCTL_STOP_CONSUME;
	struct task *thread;

	if (!(task->stop.jobctl & JOBCTL_STOP_DEQUEUED) || group->exiting || group->execing)
		return false;
	/* A second stop signal of a process that is stopped (a traced one) keeps the first one's
	 * report. */
	if (group->stop_state != GROUP_STOPPED)
		group->stop_report_code = signal;
	group->stop_count = 0;
	if (due_set(task, bits))
		group->stop_count++;
	TAILQ_FOREACH (thread, &group->tasks, group_link) {
		if (thread == task || thread->stop.kind == STOP_GROUP || !due_set(thread, bits))
			continue;
		group->stop_count++;
		if (thread->ptrace->seized && thread->ptrace->tracer)
			ptrace_trap_notify_locked(thread);
		else
			task_kick(thread);
	}
	if (group->stop_state != GROUP_STOPPED)
		group->stop_state = group->stop_count ? GROUP_STOPPING : GROUP_RUNNING;
	return true;
}

/* A stop is due. RANK_SIGHAND held, dropped in between. */
static void stop_take_part(struct task *task)
{
	bool last;

	if (task->ptrace->tracer) {
		/* Stops for its tracer instead, and takes part there. */
		due_set(task, JOBCTL_TRAP_STOP);
		return;
	}
	last = group_stop_participate_locked(task);
	if (!task_begin_stop_locked(task, STOP_GROUP))
		return;
	mutex_unlock(&task->sighand->lock);
	if (last) {
		mutex_lock(&g_tasks.lock);
		task_notify_stop_locked(task, false, LINUX_CLD_STOPPED);
		mutex_unlock(&g_tasks.lock);
	}
	task_wait_stop(task);
	mutex_lock(&task->sighand->lock);
	task_recalculate_interrupt_locked(task);
}

bool task_do_stops_locked(struct task *task)
{
	mutex_assert_held(&task->sighand->lock);
	if (task->group->cld_pending) {
		report_pending(task);
		return true;
	}
	if (task->group->exiting || task->group->execing)
		return false;
	if (task->stop.jobctl & JOBCTL_STOP_PENDING) {
		stop_take_part(task);
		if (!(task->stop.jobctl & (JOBCTL_TRAP_STOP | JOBCTL_TRAP_NOTIFY)))
			return true;
	}
	if (task->stop.jobctl & (JOBCTL_TRAP_STOP | JOBCTL_TRAP_NOTIFY)) {
		ptrace_trap_locked(task);
		return true;
	}
	return false;
}

/* RANK_SIGHAND held, dropped in between. */
static bool is_orphaned(struct task *task)
{
	bool orphaned;

	mutex_unlock(&task->sighand->lock);
	mutex_lock(&g_tasks.lock);
	orphaned = process_group_is_orphaned_locked(task->group->process_group, NULL);
	mutex_unlock(&g_tasks.lock);
	mutex_lock(&task->sighand->lock);
	return orphaned;
}

void group_stop_begin_locked(struct task *task, int signal)
{
	mutex_assert_held(&task->sighand->lock);
	if (signal != LINUX_SIGSTOP && is_orphaned(task))
		return;
	if (!(task->stop.jobctl & JOBCTL_STOP_PENDING) && !stop_initiate(task, signal))
		return;
	stop_take_part(task);
}

void group_stop_continue_locked(struct thread_group *group)
{
	struct task *thread;

	TAILQ_FOREACH (thread, &group->tasks, group_link) {
		stop_due_clear(thread);
		if (thread->ptrace->tracer && thread->ptrace->seized)
			ptrace_trap_notify_locked(thread);
		else if (thread->stop.kind == STOP_GROUP)
			task_end_stop_locked(thread);
	}
	/* A stop that was not complete is reported as if it had been. */
	if (group->stop_state == GROUP_STOPPED)
		group->cld_pending = LINUX_CLD_CONTINUED;
	else if (group->stop_count > 0)
		group->cld_pending = LINUX_CLD_STOPPED;
	else
		return;
	group->stop_state = GROUP_RUNNING;
	group->stop_count = 0;
	group->stop_report_code = 0;
	group->continue_pending = true;
	/* Whoever of them comes by first tells the parent. */
	TAILQ_FOREACH (thread, &group->tasks, group_link)
		task_kick(thread);
}
