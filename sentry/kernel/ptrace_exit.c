/* SPDX-License-Identifier: Apache-2.0 */
/* Tracing across clone, execve and exit: auto-attach, PTRACE_EVENT_EXEC, and what a tracer's death
 * leaves behind. */
#include "abi/sched.h"
#include "sentry/kernel/ptrace_state.h"
#include "sentry/kernel/task_run.h"

int ptrace_clone_event(struct task *parent, uint64_t clone_flags, int exit_signal)
{
	int event = LINUX_PTRACE_EVENT_FORK;

	if (likely(!parent->ptrace->tracer) || (clone_flags & LINUX_CLONE_UNTRACED))
		return 0;
	if (clone_flags & LINUX_CLONE_VFORK)
		event = LINUX_PTRACE_EVENT_VFORK;
	else if ((clone_flags & LINUX_CLONE_THREAD) || exit_signal != LINUX_SIGCHLD)
		event = LINUX_PTRACE_EVENT_CLONE;
	return ptrace_event_enabled(parent, event) ? event : 0;
}

void ptrace_init_child_locked(
	struct task *parent, struct task *child, uint64_t clone_flags, bool event)
{
	struct ptrace_state *state = parent->ptrace;

	ptrace_debug_registers_init(child->ptrace, state);
	if (likely(!state->tracer) || !(event || (clone_flags & LINUX_CLONE_PTRACE)))
		return;
	ptrace_link_locked(child, state->tracer, state->tracer_cred, state->options, state->seized);
	mutex_lock(&child->sighand->lock);
	/* The first thing that the tracer sees of it: a SIGSTOP, or PTRACE_EVENT_STOP if it is
	 * seized. */
	if (state->seized)
		child->stop.jobctl |= JOBCTL_TRAP_STOP;
	else
		child->pending.set |= signal_bit(LINUX_SIGSTOP);
	atomic_store(&child->run.interrupt, true);
	mutex_unlock(&child->sighand->lock);
}

void ptrace_exec(struct task *task, int old_tid)
{
	struct linux_siginfo info;

	if (ptrace_event_enabled(task, LINUX_PTRACE_EVENT_EXEC)) {
		ptrace_event(task, LINUX_PTRACE_EVENT_EXEC, (uint64_t)(unsigned int)old_tid);
		return;
	}
	if (!task->ptrace->tracer || task->ptrace->seized)
		return;
	/* Attached in the old way: an ordinary signal, after the call has returned. */
	siginfo_user(&info, LINUX_SIGTRAP, task, task);
	(void)signal_send_task(task, &info);
}

void ptrace_exit_tracer_locked(struct task *tracer, struct task_list *dead)
{
	struct ptrace_state *state, *next;
	struct linux_siginfo info;

	LIST_FOREACH_SAFE (state, &tracer->ptrace->tracees, tracee_link, next) {
		struct task *tracee = state->task;

		if (state->options & LINUX_PTRACE_O_EXITKILL) {
			siginfo_kernel(&info, LINUX_SIGKILL);
			mutex_lock(&tracee->sighand->lock);
			(void)signal_send_locked(tracee, &info, false);
			mutex_unlock(&tracee->sighand->lock);
		}
		if (ptrace_detach_locked(tracer, tracee))
			TAILQ_INSERT_TAIL(dead, tracee, dead_link);
	}
}
