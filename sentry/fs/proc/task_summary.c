/* SPDX-License-Identifier: Apache-2.0 */
/* Gathers a task's state, family, signals and times. */
#include "sentry/fs/proc/task_summary.h"

#include "sentry/fs/devpts/tty.h"
#include "sentry/kernel/ptrace.h"
#include "sentry/kernel/session.h"
#include "sentry/kernel/task.h"
#include "sentry/time/clock.h"
#include "sentry/time/time_namespace.h"

#include <string.h>

#define TTY_MAJOR 136 /* of every terminal that there is */

const char *task_state_name(char letter)
{
	switch (letter) {
	case 'R':
		return "running";
	case 'S':
		return "sleeping";
	case 'D':
		return "disk sleep";
	case 'T':
		return "stopped";
	case 't':
		return "tracing stop";
	case 'Z':
		return "zombie";
	default:
		return "dead";
	}
}

void proc_escape_name(struct text_writer *out, const char *name)
{
	for (; *name; name++) {
		if (*name == '\n')
			text_append(out, "\\n", 2);
		else if (*name == '\\')
			text_append(out, "\\\\", 2);
		else
			text_append(out, name, 1);
	}
}

/* RANK_TASK_SET held. */
static void get_family(
	const struct proc_context *context, struct task_summary *summary, struct session **session)
{
	struct task *task = context->task, *tracer = ptrace_tracer_locked(task);
	struct thread_group *group = task->group;
	const struct linux_rusage *children = &group->children_usage;

	summary->tid = proc_number(context, task->pid);
	summary->tgid = proc_number(context, group->pid);
	summary->parent = group->parent ? proc_number(context, group->parent->group->pid) : 0;
	summary->process_group = proc_number(context, group->process_group);
	summary->session = proc_number(context, group->session_pid);
	summary->tracer = tracer ? proc_number(context, tracer->pid) : 0;
	summary->threads = (int)group->task_count;
	summary->exit_signal = task->exit_signal;
	summary->forked_only = !group->did_exec;
	summary->exiting = task->exit_state != TASK_ALIVE;
	summary->child_minor_faults = (uint64_t)children->ru_minflt;
	summary->child_major_faults = (uint64_t)children->ru_majflt;
	summary->child_user_ns = linux_timeval_ns(&children->ru_utime);
	summary->child_system_ns = linux_timeval_ns(&children->ru_stime);
	summary->start_ns = task->start_ns;
	if (current)
		summary->start_ns += time_namespace_offset(current, LINUX_CLOCK_BOOTTIME);
	*session = group->session ? session_get(group->session) : NULL;
}

static void add_faults(struct task_summary *summary, const struct task_times *times)
{
	summary->minor_faults += atomic_load_explicit(&times->minor_faults, memory_order_relaxed);
	summary->major_faults += atomic_load_explicit(&times->major_faults, memory_order_relaxed);
}

/* RANK_SIGHAND held. */
static void get_times_locked(const struct proc_context *context, struct task_summary *summary)
{
	struct task *task = context->task, *thread;

	if (!context->process) {
		task_cpu_times(task, &summary->user_ns, &summary->system_ns);
		add_faults(summary, &task->times);
		return;
	}
	thread_group_cpu_times_locked(task->group, &summary->user_ns, &summary->system_ns);
	add_faults(summary, &task->group->dead_threads);
	TAILQ_FOREACH (thread, &task->group->tasks, group_link)
		add_faults(summary, &thread->times);
}

static void get_signals(const struct proc_context *context, struct task_summary *summary)
{
	struct task *task = context->task;
	struct sighand *sighand = task_lock_sighand(task);

	summary->pending = task->pending.set;
	summary->shared_pending = task->group->shared_pending.set;
	summary->blocked = task->blocked;
	for (int signal = 1; signal <= SIGNAL_COUNT; signal++) {
		uint64_t handler = sighand->actions[signal - 1].sa_handler;

		if (handler == LINUX_SIG_IGN)
			summary->ignored |= signal_bit(signal);
		else if (handler != LINUX_SIG_DFL)
			summary->caught |= signal_bit(signal);
	}
	summary->exit_code = task->exit_state == TASK_ALIVE ? 0 : task->exit_code;
	get_times_locked(context, summary);
	task_unlock_sighand(task);
}

/* The terminal's lock comes before the task set's, so it is looked at last. */
static void get_terminal(
	const struct proc_context *context, struct session *session, struct task_summary *summary)
{
	struct tty *tty;

	summary->tty_process_group = -1;
	if (!session)
		return;
	mutex_lock(&g_tasks.lock);
	tty = session->tty ? tty_get(session->tty) : NULL;
	mutex_unlock(&g_tasks.lock);
	if (tty) {
		summary->tty_device = (TTY_MAJOR + tty->index / 256) << 8 | tty->index % 256;
		mutex_lock(&tty->lock);
		if (tty->foreground)
			summary->tty_process_group = proc_number(context, tty->foreground);
		mutex_unlock(&tty->lock);
		tty_put(tty);
	}
}

void task_summary_get(const struct proc_context *context, struct task_summary *summary)
{
	struct task *task = context->task;
	struct session *session;

	*summary = (struct task_summary){.state = task_state_letter(task)};
	mutex_lock(&task->lock);
	memcpy(summary->comm, task->comm, sizeof(summary->comm));
	mutex_unlock(&task->lock);
	summary->comm[sizeof(summary->comm) - 1] = '\0';
	mutex_lock(&g_tasks.lock);
	get_family(context, summary, &session);
	mutex_unlock(&g_tasks.lock);
	get_signals(context, summary);
	get_terminal(context, session, summary);
	session_put(session);
	summary->voluntary =
		atomic_load_explicit(&task->times.voluntary_switches, memory_order_relaxed);
	summary->involuntary =
		atomic_load_explicit(&task->times.involuntary_switches, memory_order_relaxed);
}
