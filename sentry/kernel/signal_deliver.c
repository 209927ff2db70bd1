/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Delivery: what a task does about its pending signals on the way to guest code (signal(7),
 * "Execution of signal handlers").
 *
 * Differs from Linux: a death that dumps core is reported as one (core(5)), but no file is written.
 */
#include "abi/resource.h"
#include "abi/wait.h"
#include "sentry/kernel/ptrace_state.h"
#include "sentry/kernel/rlimit.h"
#include "sentry/kernel/rseq.h"
#include "sentry/kernel/sigaltstack.h"
#include "sentry/kernel/signal_private.h"
#include "sentry/kernel/task_run.h"

#include <errno.h>

#define SYS_RESTART_SYSCALL 219
/* A smaller limit keeps Linux from dumping at all. */
#define CORE_SIZE_MIN 4096
/* The length of the instruction that is executed again. */
#define SYSCALL_INSTRUCTION_SIZE 2

struct delivery {
	int signal;
	struct linux_siginfo info;
	struct linux_sigaction action;
};

enum delivery_kind { DELIVERY_NONE, DELIVERY_HANDLER, DELIVERY_EXIT };

/* What a signal that nobody took comes to with its default action; DELIVERY_NONE: look at
 * everything anew. */
static enum delivery_kind default_locked(struct task *task, int signal)
{
	linux_sigset_t bit = signal_bit(signal);

	if (SIGNALS_DEFAULT_IGNORE & bit)
		return DELIVERY_NONE;
	if (task->group->unkillable && !(SIGNALS_KERNEL_ONLY & bit))
		return DELIVERY_NONE;
	if (SIGNALS_STOP & bit) {
		group_stop_begin_locked(task, signal);
		return DELIVERY_NONE;
	}
	return DELIVERY_EXIT;
}

static enum delivery_kind dispose_locked(struct task *task, struct delivery *delivery)
{
	struct linux_sigaction *action = signal_action(task->sighand, delivery->signal);

	if (action->sa_handler == LINUX_SIG_IGN)
		return DELIVERY_NONE;
	if (action->sa_handler == LINUX_SIG_DFL)
		return default_locked(task, delivery->signal);
	delivery->action = *action;
	if (action->sa_flags & LINUX_SA_RESETHAND)
		action->sa_handler = LINUX_SIG_DFL;
	return DELIVERY_HANDLER;
}

/* SIGKILL was taken: what comes on the way out (an exit stop, say) can be waited for again. */
static enum delivery_kind die_locked(struct task *task, struct delivery *delivery)
{
	delivery->signal = LINUX_SIGKILL;
	siginfo_kernel(&delivery->info, LINUX_SIGKILL);
	task->pending.set &= ~signal_bit(LINUX_SIGKILL);
	atomic_store(&task->killed, false);
	return DELIVERY_EXIT;
}

/* Takes signals off the queues until one matters. RANK_SIGHAND held, dropped in stops. */
static enum delivery_kind next_locked(struct task *task, struct delivery *delivery)
{
	enum delivery_kind kind;

	for (;;) {
		if (task->group->exiting || atomic_load(&task->killed))
			return die_locked(task, delivery);
		if (task_do_stops_locked(task))
			continue;
		delivery->signal = signal_pending_take_synchronous(
			&task->pending, ~task->blocked, &delivery->info);
		if (!delivery->signal)
			delivery->signal =
				signal_dequeue_locked(task, ~task->blocked, &delivery->info);
		if (!delivery->signal)
			return DELIVERY_NONE;
		if (delivery->signal != LINUX_SIGKILL && ptrace_is_traced(task)) {
			delivery->signal = ptrace_signal_stop_locked(task, &delivery->info);
			if (!delivery->signal)
				continue;
		}
		kind = dispose_locked(task, delivery);
		if (kind != DELIVERY_NONE)
			return kind;
	}
}

static inline bool interrupted_syscall(const struct task *task)
{
	return (int64_t)task->regs.orig_rax >= 0;
}

static void syscall_restart(struct task *task, uint64_t number)
{
	task->regs.rax = number;
	task->regs.rip -= SYSCALL_INSTRUCTION_SIZE;
}

/* A handler runs before an interrupted call goes on: SA_RESTART says whether it does. */
static void syscall_settle_for_handler(struct task *task, const struct linux_sigaction *action)
{
	if (!interrupted_syscall(task))
		return;
	switch ((int64_t)task->regs.rax) {
	case -ERESTART_RESTARTBLOCK:
	case -ERESTARTNOHAND:
		task->regs.rax = (uint64_t)-EINTR;
		break;
	case -ERESTARTSYS:
		if (action->sa_flags & LINUX_SA_RESTART)
			syscall_restart(task, task->regs.orig_rax);
		else
			task->regs.rax = (uint64_t)-EINTR;
		break;
	case -ERESTARTNOINTR:
		syscall_restart(task, task->regs.orig_rax);
		break;
	default:
		break;
	}
}

static void syscall_settle(struct task *task)
{
	if (!interrupted_syscall(task))
		return;
	switch ((int64_t)task->regs.rax) {
	case -ERESTARTNOHAND:
	case -ERESTARTSYS:
	case -ERESTARTNOINTR:
		syscall_restart(task, task->regs.orig_rax);
		break;
	case -ERESTART_RESTARTBLOCK:
		syscall_restart(task, SYS_RESTART_SYSCALL);
		break;
	default:
		break;
	}
}

/* The frame could not be built: SIGSEGV, which nobody handles if it was its own frame. */
static void frame_failed(struct task *task, int signal)
{
	struct linux_siginfo info;

	siginfo_kernel(&info, LINUX_SIGSEGV);
	if (signal == LINUX_SIGSEGV)
		signal_force_default(task, &info);
	else
		signal_force(task, &info);
}

/* A stepping tracee traps before the handler's first instruction. */
static void step_into_handler(struct task *task)
{
	struct sighand *sighand = task_lock_signals(task);

	(void)(ptrace_notify_locked(task, LINUX_SIGTRAP, LINUX_CLD_TRAPPED, 0) == 0);
	mutex_unlock(&sighand->lock);
}

static void handler_enter(struct task *task, const struct delivery *delivery)
{
	linux_sigset_t mask = task->has_saved_mask ? task->saved_mask : task->blocked;
	linux_sigset_t blocked = task->blocked | delivery->action.sa_mask;

	syscall_settle_for_handler(task, &delivery->action);
	rseq_interrupted(task);
	if (signal_frame_push(task, delivery->signal, &delivery->action, &delivery->info, mask)) {
		frame_failed(task, delivery->signal);
		return;
	}
	task->has_saved_mask = false;
	if (!(delivery->action.sa_flags & LINUX_SA_NODEFER))
		blocked |= signal_bit(delivery->signal);
	task_set_blocked(task, blocked);
	if ((uint32_t)task->altstack.ss_flags & LINUX_SS_AUTODISARM)
		altstack_reset(task);
	if (atomic_load(&task->run.slow) & TASK_SLOW_STEP)
		step_into_handler(task);
}

int signal_death_status(struct task *task, int signal)
{
	bool dumps = (SIGNALS_CORE & signal_bit(signal)) && mm_dumpable(task->mm) == 1 &&
		     rlimit_of(task->group, LINUX_RLIMIT_CORE) >= CORE_SIZE_MIN;

	return dumps ? signal | LINUX_WCOREFLAG : signal;
}

struct run_state signal_deliver(struct task *task)
{
	struct delivery delivery;
	struct sighand *sighand = task_lock_signals(task);
	enum delivery_kind kind = next_locked(task, &delivery);

	task_recalculate_interrupt_locked(task);
	mutex_unlock(&sighand->lock);
	if (kind == DELIVERY_HANDLER && g_trace_hooks && g_trace_hooks->signal)
		g_trace_hooks->signal(task, &delivery.info);
	switch (kind) {
	case DELIVERY_EXIT:
		thread_group_exit(task, signal_death_status(task, delivery.signal));
		return run_state(task_state_exit);
	case DELIVERY_HANDLER:
		handler_enter(task, &delivery);
		break;
	case DELIVERY_NONE:
		rseq_interrupted(task);
		syscall_settle(task);
		task_restore_mask(task);
		break;
	}
	return run_state(atomic_load(&task->run.interrupt) ? task_state_interrupt : task_state_run);
}
