/* SPDX-License-Identifier: Apache-2.0 */
/* How a task becomes a tracee, and how it is let go (ptrace(2), "Attaching and detaching"). */
#include "abi/capability.h"
#include "sentry/kernel/cred_guard.h"
#include "sentry/kernel/ptrace_state.h"
#include "sentry/kernel/task_run.h"

#include <errno.h>

void ptrace_link_locked(struct task *tracee, struct task *tracer, const struct cred *cred,
	unsigned int options, bool seized)
{
	struct ptrace_state *state = tracee->ptrace;

	mutex_assert_held(&g_tasks.lock);
	LIST_INSERT_HEAD(&tracer->ptrace->tracees, state, tracee_link);
	mutex_lock(&tracee->sighand->lock);
	state->tracer = tracer;
	state->tracer_cred = cred_get(cred);
	state->options = options;
	state->seized = seized;
	mutex_unlock(&tracee->sighand->lock);
}

/* Back into the group's stop, which it left for its tracer. RANK_SIGHAND held. */
static void return_to_group_stop(struct task *task)
{
	struct thread_group *group = task->group;

	if (task->exit_state != TASK_ALIVE ||
		(group->stop_state != GROUP_STOPPED && !group->stop_count))
		return;
	task->stop.jobctl |= JOBCTL_STOP_PENDING;
	if (!(task->stop.jobctl & JOBCTL_STOP_SIGNAL))
		task->stop.jobctl |= LINUX_SIGSTOP;
}

void ptrace_unlink_locked(struct task *tracee)
{
	struct ptrace_state *state = tracee->ptrace;
	const struct cred *cred = state->tracer_cred;

	mutex_assert_held(&g_tasks.lock);
	LIST_REMOVE(state, tracee_link);
	mutex_lock(&tracee->sighand->lock);
	ptrace_clear_trapping_locked(tracee);
	tracee->stop.jobctl &= ~(JOBCTL_TRAP_STOP | JOBCTL_TRAP_NOTIFY);
	state->tracer = NULL;
	state->tracer_cred = NULL;
	state->options = 0;
	state->seized = false;
	state->syscall_mode = PTRACE_SYSCALL_NONE;
	state->step_mode = PTRACE_STEP_NONE;
	task_slow_clear(tracee, TASK_SLOW_PTRACE | TASK_SLOW_STEP);
	tracee->stop.frozen = false;
	return_to_group_stop(tracee);
	if ((tracee->stop.jobctl & JOBCTL_STOP_PENDING) || tracee->stop.kind == STOP_PTRACE)
		ptrace_wake_locked(tracee, true);
	mutex_unlock(&tracee->sighand->lock);
	cred_put(cred);
}

/* SIGCHLD is ignored, or SA_NOCLDWAIT is set: children are not waited for. */
static bool ignores_children(struct task *task)
{
	const struct linux_sigaction *action = &task->sighand->actions[LINUX_SIGCHLD - 1];
	bool ignores;

	mutex_lock(&task->sighand->lock);
	ignores = action->sa_handler == LINUX_SIG_IGN || (action->sa_flags & LINUX_SA_NOCLDWAIT);
	mutex_unlock(&task->sighand->lock);
	return ignores;
}

bool ptrace_detach_locked(struct task *tracer, struct task *tracee)
{
	struct thread_group *group = tracee->group;
	bool dead;

	ptrace_unlink_locked(tracee);
	if (tracee->exit_state != TASK_ZOMBIE)
		return false;
	/* A thread had nobody else to wait for it; a process's parent may not know yet. */
	dead = group->leader != tracee;
	if (!dead && thread_group_is_empty_locked(group)) {
		if (!group->parent || group->parent->group != tracer->group)
			dead = task_notify_parent_locked(tracee, tracee->exit_signal);
		else
			dead = ignores_children(tracer);
	}
	if (!dead)
		return false;
	mutex_lock(&tracee->sighand->lock);
	tracee->exit_state = TASK_DEAD;
	mutex_unlock(&tracee->sighand->lock);
	return true;
}

struct task *ptrace_tracer_locked(struct task *task)
{
	return task->ptrace->tracer;
}

bool ptrace_is_traced(struct task *task)
{
	return task->ptrace->tracer != NULL;
}

/* --- attaching --- */

int ptrace_check_options(struct task *task, uint64_t options)
{
	if (options & ~(uint64_t)LINUX_PTRACE_O_MASK)
		return -EINVAL;
	if (!(options & LINUX_PTRACE_O_SUSPEND_SECCOMP))
		return 0;
	if (!cred_capable(task->cred, LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	if (task->seccomp_mode || ptrace_seccomp_suspended(task))
		return -EPERM;
	return 0;
}

/* A group-stopped task changes into a ptrace stop; until it has, the tracer must not see it run.
 * RANK_SIGHAND held. */
static void take_over_stop(struct task *target)
{
	if (target->stop.kind != STOP_GROUP || atomic_load(&target->killed) ||
		target->exit_state != TASK_ALIVE)
		return;
	target->stop.jobctl |= JOBCTL_TRAP_STOP | JOBCTL_TRAPPING;
	task_kick(target);
	task_end_stop_locked(target);
}

static int attach_locked(struct task *task, struct task *target, bool seize, unsigned int options)
{
	struct linux_siginfo info;

	if (target->exit_state >= TASK_ZOMBIE || target->ptrace->tracer)
		return -EPERM;
	ptrace_link_locked(target, task, task->cred, options, seize);
	siginfo_kernel(&info, LINUX_SIGSTOP);
	mutex_lock(&target->sighand->lock);
	if (!seize)
		(void)signal_send_locked(target, &info, false);
	take_over_stop(target);
	mutex_unlock(&target->sighand->lock);
	return 0;
}

static bool is_trapping(struct task *target)
{
	bool trapping;

	task_lock_sighand(target);
	trapping = target->stop.jobctl & JOBCTL_TRAPPING;
	task_unlock_sighand(target);
	return trapping;
}

int64_t ptrace_attach(
	struct task *task, struct task *target, bool seize, uint64_t address, uint64_t options)
{
	int err;

	if (seize && (address != 0 || (options & ~(uint64_t)LINUX_PTRACE_O_MASK)))
		return -EIO;
	err = seize ? ptrace_check_options(task, options) : 0;
	if (err)
		return err;
	if (target->kernel_thread || target->group == task->group)
		return -EPERM;
	err = cred_guard_lock(task, target->group);
	if (err)
		return err;
	err = ptrace_may_access(task, target, PTRACE_ACCESS_ATTACH | PTRACE_ACCESS_REALCREDS);
	if (!err) {
		mutex_lock(&g_tasks.lock);
		err = attach_locked(task, target, seize, seize ? (unsigned int)options : 0);
		mutex_unlock(&g_tasks.lock);
	}
	cred_guard_unlock(target->group);
	while (!err && is_trapping(target)) {
		if (task_block_killable(task, INT64_MAX))
			break;
	}
	return err;
}

int64_t ptrace_traceme(struct task *task)
{
	struct task *parent;
	int err;

	mutex_guard(&g_tasks.lock);
	if (task->ptrace->tracer)
		return -EPERM;
	parent = task->group->parent;
	/* Nobody would ever look at it. */
	if (!parent || parent->kernel_thread)
		return 0;
	err = ptrace_may_traceme_locked(task, parent);
	if (!err && parent->exit_state == TASK_ALIVE) {
		const struct cred *cred = task_get_cred(parent);

		ptrace_link_locked(task, parent, cred, 0, false);
		cred_put(cred);
	}
	return err;
}
