/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine of a task: guest code, system calls, exceptions.
 *
 * A plain system call never leaves task_state_run(): into guest code, the handler, and back.
 * Whatever else is wanted at the entry or the exit (tracers, filters, signals) is a state of its
 * own.
 */
#include "sentry/kernel/task_run.h"

#include "base/log.h"
#include "sentry/kernel/accounting.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/limits.h"
#include "sentry/kernel/oom_kill.h"
#include "sentry/kernel/ptrace_state.h"
#include "sentry/kernel/rseq.h"
#include "sentry/kernel/seccomp.h"
#include "sentry/kernel/syscall_user_dispatch.h"
#include "sentry/keys/key.h"
#include "sentry/syscalls/syscalls.h"

#include <errno.h>
#include <stdlib.h>

/* Exceptions of x86, as signal frames name them. */
enum trap {
	TRAP_DIVIDE = 0,
	TRAP_DEBUG = 1,
	TRAP_BREAKPOINT = 3,
	TRAP_INVALID_OPCODE = 6,
	TRAP_GENERAL_PROTECTION = 13,
	TRAP_PAGE_FAULT = 14,
	TRAP_X87 = 16,
	TRAP_ALIGNMENT = 17,
};

const struct task_trace_hooks *g_trace_hooks;

static inline bool entry_is_slow(struct task *task)
{
	return atomic_load_explicit(&task->run.slow, memory_order_relaxed) | task->seccomp_mode |
	       task->syscall_dispatch.on;
}

static inline bool is_restart_code(int64_t result)
{
	return result <= -ERESTARTSYS && result >= -ERESTART_RESTARTBLOCK;
}

static inline void syscall_invoke(struct task *task)
{
	const struct syscall_row *row = syscall_lookup(task->syscall_number);
	const uint64_t args[6] = {task->regs.rdi, task->regs.rsi, task->regs.rdx, task->regs.r10,
		task->regs.r8, task->regs.r9};
	uint64_t start = unlikely(g_accounting) ? time_stamp() : 0;
	int64_t result = likely(row) ? row->handler(task, args) : -ENOSYS;

	if (unlikely(g_accounting))
		accounting_syscall(task, result, start);
	task->syscall_result = result;
	task->regs.rax = (uint64_t)result;
}

static inline bool exit_is_slow(struct task *task)
{
	return atomic_load_explicit(&task->run.interrupt, memory_order_relaxed) ||
	       atomic_load_explicit(&task->run.slow, memory_order_relaxed) ||
	       task->has_saved_mask || is_restart_code(task->syscall_result);
}

/* The state after a handler returned. */
static struct run_state after_syscall(struct task *task)
{
	if (atomic_load_explicit(&task->run.slow, memory_order_relaxed) & TASK_SLOW_NEXT) {
		task_slow_clear(task, TASK_SLOW_NEXT);
		return task->next_state;
	}
	return run_state(task_state_syscall_exit);
}

/* --- guest code --- */

static unsigned int guest_run_flags(struct task *task)
{
	if (likely(!(atomic_load_explicit(&task->run.slow, memory_order_relaxed) & TASK_SLOW_STEP)))
		return 0;
	return task->ptrace->step_mode == PTRACE_STEP_BLOCK ? RUN_BLOCK_STEP : RUN_STEP;
}

static cold_ void end_for_memory(struct task *task, const char *what)
{
	log_warning("process %d: %s: killed", task_tgid(task), what);
	thread_group_exit(task, LINUX_SIGKILL);
}

/* False: something is due first. */
static inline bool guest_run(struct task *task, struct context_exit *exit)
{
	int err;

	task->in_syscall = false;
	/* Who wants the task's attention stores interrupt first and looks at in_guest then. */
	atomic_store(&task->run.in_guest, true);
	if (unlikely(atomic_load(&task->run.interrupt))) {
		atomic_store_explicit(&task->run.in_guest, false, memory_order_release);
		return false;
	}
	task_account(task, false);
	err = context_switch(
		task->context, task->address_space, &task->regs, guest_run_flags(task), exit);
	task_account(task, true);
	atomic_store_explicit(&task->run.in_guest, false, memory_order_release);
	if (unlikely(err)) {
		end_for_memory(task, "its mappings do not fit");
		exit->reason = EXIT_INTERRUPTED;
	}
	return true;
}

/* Made when it is first needed; it stays the same until execve. */
static bool guest_has_address_space(struct task *task)
{
	if (likely(task->address_space))
		return true;
	task->address_space = mm_address_space(task->mm);
	if (!task->address_space)
		end_for_memory(task, "no address space");
	return task->address_space;
}

static void send_exception(
	struct task *task, int signal, int code, uint64_t address, uint64_t trapno)
{
	struct linux_siginfo info;

	task->fault.trapno = trapno;
	task->fault.error_code = 0;
	if (code == LINUX_SI_KERNEL)
		siginfo_kernel(&info, signal);
	else
		siginfo_fault(&info, signal, code, address);
	signal_force(task, &info);
}

static void handle_fault(struct task *task, const struct context_exit *exit)
{
	struct fault_outcome outcome = {0};
	struct linux_siginfo info;

	if (unlikely(task_vsyscall(task, exit)))
		return;
	mm_handle_fault(task->mm, exit, task->regs.rsp, &outcome);
	atomic_fetch_add_explicit(&task->times.minor_faults, 1, memory_order_relaxed);
	rseq_interrupted(task);
	if (likely(outcome.signal == 0))
		return;
	if (outcome.signal == LINUX_SIGKILL) {
		/* Another may have to go for it; then this one tries again. */
		if (!oom_kill(task->group))
			end_for_memory(task, "out of memory");
		return;
	}
	task->fault.trapno = TRAP_PAGE_FAULT;
	task->fault.error_code = outcome.error_code;
	task->fault.cr2 = outcome.address;
	siginfo_fault(&info, outcome.signal, outcome.code, outcome.address);
	signal_force(task, &info);
}

static uint64_t trap_of_signal(const struct context_exit *exit)
{
	switch (exit->signal) {
	case LINUX_SIGFPE:
		return exit->code == LINUX_FPE_INTDIV || exit->code == LINUX_SI_KERNEL ? TRAP_DIVIDE
										       : TRAP_X87;
	case LINUX_SIGILL:
		return TRAP_INVALID_OPCODE;
	case LINUX_SIGTRAP:
		return exit->code == LINUX_SI_KERNEL ? TRAP_BREAKPOINT : TRAP_DEBUG;
	case LINUX_SIGBUS:
		return TRAP_ALIGNMENT;
	default:
		return TRAP_GENERAL_PROTECTION;
	}
}

static void handle_exception(struct task *task, const struct context_exit *exit)
{
	if (exit->signal == LINUX_SIGTRAP && exit->code != LINUX_SI_KERNEL)
		ptrace_debug_registers_read(task, exit->code == LINUX_TRAP_TRACE);
	rseq_interrupted(task);
	send_exception(task, exit->signal, exit->code, exit->address, trap_of_signal(exit));
}

/* Everything that is not a 64-bit system call. */
static void handle_exit(struct task *task, const struct context_exit *exit)
{
	/* No system call to restart or to look at. */
	task->regs.orig_rax = UINT64_MAX;
	switch (exit->reason) {
	case EXIT_SYSCALL_32:
		task->regs.rax = (uint64_t)-ENOSYS;
		break;
	case EXIT_FAULT:
		handle_fault(task, exit);
		break;
	case EXIT_SIGNAL:
		handle_exception(task, exit);
		break;
	case EXIT_STEP:
		ptrace_debug_registers_read(task, true);
		send_exception(task, LINUX_SIGTRAP, exit->code ? exit->code : LINUX_TRAP_TRACE,
			task->regs.rip, TRAP_DEBUG);
		break;
	default:
		rseq_interrupted(task);
		break;
	}
}

struct run_state task_state_run(struct task *task)
{
	struct context_exit exit;

	if (unlikely(!guest_has_address_space(task)))
		return run_state(task_state_interrupt);
	for (;;) {
		if (unlikely(!guest_run(task, &exit)))
			return run_state(task_state_interrupt);
		if (unlikely(exit.reason != EXIT_SYSCALL)) {
			handle_exit(task, &exit);
			continue;
		}
		task->in_syscall = true;
		task->syscall_number = (uint32_t)task->regs.orig_rax;
		if (unlikely(entry_is_slow(task)))
			return run_state(task_state_syscall);
		syscall_invoke(task);
		if (unlikely(exit_is_slow(task)))
			return after_syscall(task);
	}
}

/* --- system calls that somebody looks at --- */

/* A tracer may have put another number there; -1 skips the call. */
static bool number_reload(struct task *task)
{
	task->syscall_number = (uint32_t)task->regs.orig_rax;
	return (int32_t)task->syscall_number != -1;
}

static bool seccomp_trace(struct task *task, uint32_t data, enum seccomp_verdict *verdict)
{
	if (!ptrace_event_enabled(task, LINUX_PTRACE_EVENT_SECCOMP)) {
		task->regs.rax = (uint64_t)-ENOSYS;
		return false;
	}
	ptrace_event(task, LINUX_PTRACE_EVENT_SECCOMP, data);
	if (atomic_load(&task->killed) || !number_reload(task))
		return false;
	/* The tracer may have changed the call: the filters see it anew. */
	*verdict = seccomp_check(task, true, &data);
	return true;
}

static bool seccomp_admits(struct task *task)
{
	enum seccomp_verdict verdict;
	uint32_t data = 0;

	if (!task->seccomp_mode || ptrace_seccomp_suspended(task))
		return true;
	verdict = seccomp_check(task, false, &data);
	if (verdict == SECCOMP_VERDICT_TRACE && !seccomp_trace(task, data, &verdict))
		return false;
	if (verdict == SECCOMP_VERDICT_SKIP)
		task->regs.rax = (uint64_t)task->syscall_result;
	return verdict == SECCOMP_VERDICT_ALLOW || verdict == SECCOMP_VERDICT_TRACE;
}

/* In Linux's order: user dispatch, ptrace, seccomp. */
struct run_state task_state_syscall(struct task *task)
{
	unsigned int slow = atomic_load(&task->run.slow);

	if (slow & TASK_SLOW_KEYS)
		keys_take_session(task);
	/* A call that was rolled back is invisible to tracers. */
	if (syscall_user_dispatch(task))
		return run_state(task_state_interrupt);
	task->syscall_result = -ENOSYS;
	if ((slow & TASK_SLOW_PTRACE) && !ptrace_syscall_enter(task))
		return run_state(task_state_syscall_exit);
	if ((slow & TASK_SLOW_TRACE) && g_trace_hooks && g_trace_hooks->syscall_enter)
		g_trace_hooks->syscall_enter(task);
	if (!number_reload(task) || !seccomp_admits(task)) {
		task->syscall_result = (int64_t)task->regs.rax;
		return after_syscall(task);
	}
	syscall_invoke(task);
	return after_syscall(task);
}

struct run_state task_state_syscall_exit(struct task *task)
{
	unsigned int slow = atomic_load(&task->run.slow);

	if ((slow & TASK_SLOW_TRACE) && g_trace_hooks && g_trace_hooks->syscall_exit)
		g_trace_hooks->syscall_exit(task);
	if (slow & (TASK_SLOW_PTRACE | TASK_SLOW_STEP))
		ptrace_syscall_exit(task, slow & TASK_SLOW_STEP);
	/* Restart codes must not reach guest code, whether or not what caused them is still there.
	 */
	if (atomic_load(&task->run.interrupt) || task->has_saved_mask ||
		is_restart_code((int64_t)task->regs.rax))
		return run_state(task_state_interrupt);
	return run_state(task_state_run);
}

struct run_state task_state_interrupt(struct task *task)
{
	struct run_state next;

	limits_throttle_point(task);
	if (task->group->container)
		container_pause_point(task);
	next = signal_deliver(task);
	if (next.execute == task_state_run && task->has_saved_mask)
		task_restore_mask(task);
	return next;
}

struct run_state task_state_begin(struct task *task)
{
	int tid = task_tid(task);

	if (task->start_fpstate) {
		/* What the parent's processor gave, the child's takes. */
		if (context_set_fpstate(task->context, mm_address_space(task->mm),
			    task->start_fpstate, g_platform->fpstate_size))
			log_warning("task %d: floating-point state was refused", tid);
		free(steal_pointer(&task->start_fpstate));
	}
	/* Linux does not mind a bad address either. */
	if (task->set_child_tid && mm_copy_out(task->mm, task->set_child_tid, &tid, sizeof(tid)))
		log_debug("task %d: CLONE_CHILD_SETTID at a bad address", tid);
	task->set_child_tid = 0;
	if (g_trace_hooks && g_trace_hooks->born)
		g_trace_hooks->born(task);
	if (task->group->container)
		container_pause_point(task);
	return run_state(task_state_syscall_exit);
}
