/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a task, on its own thread: PTRACE_EVENT_EXIT, giving up what it has, telling who wants
 * to know.
 *
 * Differs from Linux: memory is given back after the parent was told, off the way of who waits for
 * it.
 */
#include "abi/epoll.h"
#include "base/log.h"
#include "sentry/kernel/accounting.h"
#include "sentry/kernel/boot.h"
#include "sentry/kernel/exit_notify.h"
#include "sentry/kernel/futex.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/ptrace_state.h"
#include "sentry/kernel/session.h"
#include "sentry/kernel/task_run.h"
#include "sentry/time/itimer.h"
#include "sentry/time/posix_timer.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/path.h"

#include <errno.h>

/* --- asking for it --- */

void task_exit(struct task *task, int status)
{
	task->exit_code = status;
	task_set_next_state(task, task_state_exit);
}

static void mark_group(struct thread_group *group, int status)
{
	group->exiting = true;
	group->exit_code = status;
	group->stop_state = GROUP_RUNNING;
	group->stop_count = 0;
	group->cld_pending = 0;
	group->continue_pending = false;
}

void thread_group_exit_locked(struct task *task, int status)
{
	struct thread_group *group = task->group;
	struct task *thread;

	mutex_assert_held(&task->sighand->lock);
	/* Once only: a thread may be in its exit stop already, where it can stay. */
	if (!group->exiting) {
		mark_group(group, status);
		TAILQ_FOREACH (thread, &group->tasks, group_link) {
			thread->stop.jobctl &=
				~(JOBCTL_DUE | JOBCTL_STOP_CONSUME | JOBCTL_STOP_DEQUEUED);
			ptrace_clear_trapping_locked(thread);
			if (thread != current && thread->exit_state == TASK_ALIVE)
				signal_kill_task_locked(thread);
		}
	}
	if (current && current->group == group && current->exit_state == TASK_ALIVE) {
		task_set_next_state(current, task_state_exit);
		task_kick(current);
	}
}

void thread_group_exit(struct task *task, int status)
{
	task_lock_sighand(task);
	/* An execve of a sibling is killing this thread already. */
	if (task->group->execing && task->group->execing != task)
		task_exit(task, 0);
	else
		thread_group_exit_locked(task, status);
	task_unlock_sighand(task);
}

/* --- the states --- */

static struct run_state task_state_exit_leave(struct task *task);
static struct run_state task_state_exit_end(struct task *task);

/* What the thread's end is reported as: the process's, 0 when an execve kills it, or its own. */
static int exit_code_of(struct task *task)
{
	struct thread_group *group = task->group;

	if (group->exiting)
		return group->exit_code;
	if (group->execing && group->execing != task)
		return 0;
	return task->exit_code;
}

struct run_state task_state_exit(struct task *task)
{
	task_slow_clear(task, TASK_SLOW_NEXT);
	mutex_lock(&task->sighand->lock);
	task->exit_code = exit_code_of(task);
	/* The last thread speaks for the process. */
	if (--task->group->quick_count == 0 && !task->group->exiting)
		mark_group(task->group, task->exit_code);
	/* The kill has had its effect: from now on the task can stop once more, and be killed once
	 * more. */
	task->pending.set &= ~signal_bit(LINUX_SIGKILL);
	atomic_store(&task->killed, false);
	mutex_unlock(&task->sighand->lock);
	ptrace_event(task, LINUX_PTRACE_EVENT_EXIT, (uint64_t)(unsigned int)task->exit_code);
	return run_state(task_state_exit_leave);
}

/* Others look after the signals that this thread would have taken, and after its part of a stop. */
static bool exit_signals(struct task *task)
{
	struct thread_group *group = task->group;
	bool stopped = false, last;
	struct task *thread;

	mutex_lock(&g_tasks.lock);
	mutex_lock(&task->sighand->lock);
	task->exit_state = TASK_EXITING;
	last = --group->live_count == 0;
	if (!last && !group->exiting) {
		TAILQ_FOREACH (thread, &group->tasks, group_link) {
			if (thread->exit_state == TASK_ALIVE)
				task_recalculate_interrupt_locked(thread);
		}
		if (task->stop.jobctl & JOBCTL_STOP_PENDING)
			stopped = group_stop_participate_locked(task);
	}
	mutex_unlock(&task->sighand->lock);
	if (stopped)
		task_notify_stop_locked(task, false, LINUX_CLD_STOPPED);
	mutex_unlock(&g_tasks.lock);
	return last;
}

static void note_peak_memory(struct task *task)
{
	struct mm_usage usage;

	mm_usage(task->mm, &usage);
	task->group->max_rss = max_u64(task->group->max_rss, usage.resident_peak);
}

static void leave_files(struct task *task)
{
	struct fd_table *files;
	struct fs_struct *fs;

	mutex_lock(&task->lock);
	files = task->files;
	fs = task->fs;
	task->files = NULL;
	task->fs = NULL;
	mutex_unlock(&task->lock);
	if (files)
		fd_table_put(files);
	if (fs)
		fs_struct_put(fs);
}

static void leave_namespaces(struct task *task)
{
	struct nsproxy *nsproxy;

	mutex_lock(&task->lock);
	nsproxy = task->nsproxy;
	task->nsproxy = NULL;
	mutex_unlock(&task->lock);
	if (nsproxy)
		nsproxy_put(nsproxy);
}

/* From here on nobody can signal the task to any effect, trace it anew, or find its memory. */
static struct run_state task_state_exit_leave(struct task *task)
{
	bool last = exit_signals(task);

	if (g_trace_hooks && g_trace_hooks->exited)
		g_trace_hooks->exited(task);
	if (last) {
		itimers_destroy(task->group);
		posix_timers_destroy(task->group);
	}
	if (task->mm) {
		if (last)
			note_peak_memory(task);
		futex_exit(task);
	}
	task_vfork_release(task);
	task_leave_hooks_run(task);
	leave_files(task);
	if (last)
		session_process_exited(task->group);
	leave_namespaces(task);
	if (last)
		pid_namespace_end(task);
	return run_state(task_state_exit_end);
}

static struct run_state task_state_exit_end(struct task *task)
{
	struct mm *mm;

	mutex_lock(&task->lock);
	mm = task->mm;
	task->mm = NULL;
	mutex_unlock(&task->lock);
	/* The last time that CPU time is taken. */
	task_account(task, false);
	atomic_store(&task->run.since, 0);
	accounting_task_ended(task);
	/*
	 * Before anybody is told: who waited may write to the program that ran, or unmount what it
	 * had mapped. An execve of a sibling wants to be the only user of the memory, too.
	 */
	context_release(task->context);
	if (mm)
		mm_put(mm);
	exit_notify(task);
	return run_state(NULL);
}

/* --- what other rooms want to be told --- */

#define LEAVE_HOOKS_MAX 8

static void (*leave_hooks[LEAVE_HOOKS_MAX])(struct task *task);
static size_t leave_hook_count;

void task_add_leave_hook(void (*hook)(struct task *task))
{
	panic_if(leave_hook_count == LEAVE_HOOKS_MAX, "too many exit hooks");
	leave_hooks[leave_hook_count++] = hook;
}

void task_leave_hooks_run(struct task *task)
{
	for (size_t i = 0; i < leave_hook_count; i++)
		leave_hooks[i](task);
}
