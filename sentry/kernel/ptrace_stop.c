/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stops of a traced task, on its own thread: signal-delivery, group, PTRACE_EVENT, syscall and
 * seccomp stops (ptrace(2), "Stopped states").
 *
 * All of them are ptrace_stop_locked(): the report is written under RANK_SIGHAND, the tracer is
 * told under RANK_TASK_SET, and the thread sleeps until the tracer, its death, or SIGKILL ends the
 * stop.
 */
#include "sentry/kernel/ptrace_state.h"
#include "sentry/kernel/task_run.h"

#include <string.h>

int ptrace_stop_locked(
	struct task *task, int code, int why, uint64_t message, struct linux_siginfo *info)
{
	struct ptrace_state *state = task->ptrace;
	bool group_stopped = false;

	mutex_assert_held(&task->sighand->lock);
	if (!state->tracer || !task_begin_stop_locked(task, STOP_PTRACE))
		return code;
	state->message = message;
	state->info = info;
	state->stop_code = code;
	if (why == LINUX_CLD_STOPPED && (task->stop.jobctl & JOBCTL_STOP_PENDING))
		group_stopped = group_stop_participate_locked(task);
	task->stop.jobctl &= ~JOBCTL_TRAP_STOP;
	if (info && info->si_code >> 8 == LINUX_PTRACE_EVENT_STOP)
		task->stop.jobctl &= ~JOBCTL_TRAP_NOTIFY;
	ptrace_clear_trapping_locked(task);
	mutex_unlock(&task->sighand->lock);

	mutex_lock(&g_tasks.lock);
	if (state->tracer)
		task_notify_stop_locked(task, true, why);
	/* A real parent that is not the tracer hears of the group's stop as well. */
	if (group_stopped && (!state->tracer || ptrace_reparented_locked(task)))
		task_notify_stop_locked(task, false, why);
	mutex_unlock(&g_tasks.lock);
	task_wait_stop(task);

	mutex_lock(&task->sighand->lock);
	code = state->stop_code;
	state->info = NULL;
	state->message = 0;
	state->stop_code = 0;
	task->stop.jobctl &= ~JOBCTL_LISTENING;
	task_recalculate_interrupt_locked(task);
	return code;
}

/* With an info that carries the code. */
static int notify_locked(struct task *task, int signal, int code, int why, uint64_t message)
{
	struct linux_siginfo info = {.si_signo = signal, .si_code = code};

	info.kill.si_pid = task_tid(task);
	info.kill.si_uid = user_namespace_show_uid(task->cred->user_ns, task->cred->uid);
	return ptrace_stop_locked(task, code, why, message, &info);
}

int ptrace_notify_locked(struct task *task, int code, int why, uint64_t message)
{
	return notify_locked(task, LINUX_SIGTRAP, code, why, message);
}

void ptrace_clear_trapping_locked(struct task *task)
{
	if (!(task->stop.jobctl & JOBCTL_TRAPPING))
		return;
	task->stop.jobctl &= ~JOBCTL_TRAPPING;
	if (task->ptrace->tracer)
		task_wake(task->ptrace->tracer);
}

void ptrace_wake_locked(struct task *task, bool resume)
{
	if (resume && task->stop.kind == STOP_PTRACE && !task->stop.frozen)
		task_end_stop_locked(task);
	task_kick(task);
}

void ptrace_trap_notify_locked(struct task *task)
{
	if (atomic_load(&task->killed) || task->exit_state != TASK_ALIVE)
		return;
	task->stop.jobctl |= JOBCTL_TRAP_NOTIFY;
	ptrace_wake_locked(task, task->stop.jobctl & JOBCTL_LISTENING);
}

void ptrace_trap_locked(struct task *task)
{
	struct thread_group *group = task->group;
	int signal = task->stop.jobctl & JOBCTL_STOP_SIGNAL;

	/* An attached tracer sees the plain stop signal, a seized one PTRACE_EVENT_STOP with the
	 * signal or SIGTRAP. */
	if (!task->ptrace->seized) {
		(void)!ptrace_stop_locked(
			task, signal ? signal : LINUX_SIGSTOP, LINUX_CLD_STOPPED, 0, NULL);
		return;
	}
	if ((group->stop_count == 0 && group->stop_state != GROUP_STOPPED) || !signal)
		signal = LINUX_SIGTRAP;
	(void)!notify_locked(
		task, signal, signal | LINUX_PTRACE_EVENT_STOP << 8, LINUX_CLD_STOPPED, 0);
}

/* --- signals --- */

/* The tracer put another signal in place: it comes from the tracer then. */
static void info_from_tracer(struct task *task, int signal, struct linux_siginfo *info)
{
	struct task *tracer;
	const struct cred *cred;

	*info = (struct linux_siginfo){.si_signo = signal, .si_code = LINUX_SI_USER};
	tracer = task->ptrace->tracer;
	if (!tracer)
		return;
	cred = task_get_cred(tracer);
	info->kill.si_pid = task_tid_seen_by(tracer, task);
	info->kill.si_uid = user_namespace_show_uid(task->cred->user_ns, cred->uid);
	cred_put(cred);
}

int ptrace_signal_stop_locked(struct task *task, struct linux_siginfo *info)
{
	int signal = info->si_signo;

	if (likely(!task->ptrace->tracer) || signal == LINUX_SIGKILL)
		return signal;
	/* The tracer may turn it into a stop signal, which a SIGCONT that comes meanwhile cancels.
	 */
	task->stop.jobctl |= JOBCTL_STOP_DEQUEUED;
	signal = ptrace_stop_locked(task, signal, LINUX_CLD_TRAPPED, 0, info);
	if (signal == 0)
		return 0;
	if (signal != info->si_signo)
		info_from_tracer(task, signal, info);
	/* The tracer may have changed the mask too. */
	if ((task->blocked & signal_bit(signal)) || atomic_load(&task->killed)) {
		(void)signal_send_locked(task, info, false);
		return 0;
	}
	return signal;
}

/* --- events --- */

bool ptrace_event_enabled(struct task *task, int event)
{
	struct ptrace_state *state = task->ptrace;

	return state->tracer && (state->options & 1u << event);
}

bool ptrace_seccomp_suspended(struct task *task)
{
	return task->ptrace->tracer && (task->ptrace->options & LINUX_PTRACE_O_SUSPEND_SECCOMP);
}

void ptrace_event(struct task *task, int event, uint64_t message)
{
	if (!ptrace_event_enabled(task, event))
		return;
	mutex_lock(&task->sighand->lock);
	if (ptrace_event_enabled(task, event))
		(void)!ptrace_notify_locked(
			task, LINUX_SIGTRAP | event << 8, LINUX_CLD_TRAPPED, message);
	mutex_unlock(&task->sighand->lock);
}

/* --- system calls --- */

/* The signal that the tracer resumed with is sent to the task: it comes to a signal-delivery-stop
 * of its own. */
static void syscall_stop(struct task *task, uint64_t message)
{
	struct ptrace_state *state = task->ptrace;
	int code = LINUX_SIGTRAP, signal = 0;
	struct linux_siginfo info;

	mutex_lock(&task->sighand->lock);
	if (state->tracer && !atomic_load(&task->killed)) {
		if (state->options & LINUX_PTRACE_O_TRACESYSGOOD)
			code |= 0x80;
		signal = ptrace_notify_locked(task, code, LINUX_CLD_TRAPPED, message);
	}
	if (signal > 0 && signal <= SIGNAL_COUNT) {
		siginfo_kernel(&info, signal);
		(void)signal_send_locked(task, &info, false);
	}
	mutex_unlock(&task->sighand->lock);
}

bool ptrace_syscall_enter(struct task *task)
{
	enum ptrace_syscall_mode mode = task->ptrace->syscall_mode;

	if (mode == PTRACE_SYSCALL_NONE)
		return true;
	syscall_stop(task, LINUX_PTRACE_EVENTMSG_SYSCALL_ENTRY);
	/* Killed while it was stopped: the call must not be carried out. */
	return mode != PTRACE_SYSCALL_EMULATE && !atomic_load(&task->killed);
}

void ptrace_syscall_exit(struct task *task, bool step)
{
	struct ptrace_state *state = task->ptrace;
	struct linux_siginfo info;

	if (step && state->syscall_mode != PTRACE_SYSCALL_EMULATE) {
		/* The step ended behind the system call. */
		siginfo_fault(&info, LINUX_SIGTRAP, LINUX_TRAP_BRKPT, task->regs.rip);
		task->fault.trapno = 1;
		signal_force(task, &info);
		return;
	}
	if (state->syscall_mode == PTRACE_SYSCALL_STOP)
		syscall_stop(task, LINUX_PTRACE_EVENTMSG_SYSCALL_EXIT);
}
