/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ptrace*.c's own: what a task is as a tracee and as a tracer.
 *
 * The relation is guarded by RANK_TASK_SET and the tracee's RANK_SIGHAND, both to change it, one to
 * read. The stop is guarded by RANK_SIGHAND. While the stop is frozen the tracer alone touches the
 * tracee's registers and modes.
 */
#pragma once

#include "abi/ptrace.h"
#include "sentry/kernel/ptrace.h"
#include "sentry/kernel/task.h"

enum ptrace_syscall_mode { PTRACE_SYSCALL_NONE, PTRACE_SYSCALL_STOP, PTRACE_SYSCALL_EMULATE };
enum ptrace_step_mode { PTRACE_STEP_NONE, PTRACE_STEP_INSTRUCTION, PTRACE_STEP_BLOCK };

LIST_HEAD(tracee_list, ptrace_state);

struct ptrace_state {
	struct task *task;   /* whose state this is; set once */
	struct task *tracer; /* borrowed: a tracer lets go of its tracees before it is released */
	LIST_ENTRY(ptrace_state) tracee_link; /* RANK_TASK_SET */
	struct tracee_list tracees;	      /* RANK_TASK_SET: as a tracer */
	bool seized;
	unsigned int options;		/* LINUX_PTRACE_O_ */
	const struct cred *tracer_cred; /* the tracer's at the attach; a reference */

	/* The stop; RANK_SIGHAND. */
	int stop_code; /* what a wait reports (once: 0 then), afterwards what the tracer resumed
			  with */
	uint64_t message;
	struct linux_siginfo
		*info; /* on the tracee's stack; NULL outside stops and in plain group stops */

	/* The tracee's own; the tracer's while the stop is frozen. */
	enum ptrace_syscall_mode syscall_mode;
	enum ptrace_step_mode step_mode;
	bool debug_registers_used;
	uint64_t debug_registers[8];
};

/* The tracer's lists and the tracee's state; RANK_TASK_SET held. cred NULL: the tracer's own now.
 */
void ptrace_link_locked(struct task *tracee, struct task *tracer, const struct cred *cred,
	unsigned int options, bool seized);
void ptrace_unlink_locked(struct task *tracee);
/* A tracee is let go; true: it is dead now, and the caller releases it. */
must_check bool ptrace_detach_locked(struct task *tracer, struct task *tracee);

/* Is the tracer somebody else than the process's own parent? RANK_TASK_SET held. */
static inline bool ptrace_reparented_locked(struct task *task)
{
	struct task *tracer = task->ptrace->tracer;

	return tracer && (!task->group->parent || tracer->group != task->group->parent->group);
}

/* --- ptrace_stop.c --- */

/*
 * Own thread, RANK_SIGHAND held, dropped in between: stops for the tracer and returns what it
 * resumed with. code: as wait reports it; why: LINUX_CLD_TRAPPED or _STOPPED.
 */
must_check int ptrace_stop_locked(
	struct task *task, int code, int why, uint64_t message, struct linux_siginfo *info);
/* The same with a SIGTRAP info that carries the code. */
must_check int ptrace_notify_locked(struct task *task, int code, int why, uint64_t message);
/* Own thread, RANK_SIGHAND held, dropped in between: JOBCTL_TRAP_ is due. */
void ptrace_trap_locked(struct task *task);
/* RANK_SIGHAND: the state of a seized task's group changed. */
void ptrace_trap_notify_locked(struct task *task);
/* RANK_SIGHAND: wakes who waits in ATTACH for the end of JOBCTL_TRAPPING. */
void ptrace_clear_trapping_locked(struct task *task);
/* RANK_SIGHAND: makes a task look at JOBCTL_; resume: also out of its ptrace stop, unless it is
 * frozen. */
void ptrace_wake_locked(struct task *task, bool resume);

/* Syscall stops; own thread, no lock. The first: false if the call must be skipped. */
must_check bool ptrace_syscall_enter(struct task *task);
void ptrace_syscall_exit(struct task *task, bool step);

/* --- ptrace_exit.c: family events. RANK_TASK_SET held unless they say otherwise --- */

/* clone: the child becomes a tracee like its parent, if it should. untraced: CLONE_UNTRACED; event:
 * the parent's own event is on. */
void ptrace_init_child_locked(
	struct task *parent, struct task *child, uint64_t clone_flags, bool event);
/* The event that a clone with these arguments is, or 0 if the tracer does not want it. No lock
 * needed. */
int ptrace_clone_event(struct task *parent, uint64_t clone_flags, int exit_signal);
/* A tracer ends: lets all its tracees go; those that are dead then go onto the list. */
void ptrace_exit_tracer_locked(struct task *tracer, struct task_list *dead);
/* After an execve, no lock held. old_tid: the thread's former number in its tracer's namespace. */
void ptrace_exec(struct task *task, int old_tid);

/* --- requests --- */
int64_t ptrace_attach(
	struct task *task, struct task *target, bool seize, uint64_t address, uint64_t options);
int64_t ptrace_traceme(struct task *task);
must_check int ptrace_may_traceme_locked(struct task *task, struct task *parent);
must_check int ptrace_check_options(struct task *task, uint64_t options);
/* Requests on a frozen tracee, each in its file. -EIO for those that are not theirs. */
int64_t ptrace_registers_request(
	struct task *task, struct task *tracee, int64_t request, uint64_t address, uint64_t data);
int64_t ptrace_user_request(
	struct task *task, struct task *tracee, int64_t request, uint64_t address, uint64_t data);
int64_t ptrace_get_syscall_info(
	struct task *task, struct task *tracee, uint64_t size, uint64_t data);
int64_t ptrace_set_syscall_info(
	struct task *task, struct task *tracee, uint64_t size, uint64_t data);
int64_t ptrace_siginfo_request(
	struct task *task, struct task *tracee, int64_t request, uint64_t address, uint64_t data);
/* execve: none are set any more. Own thread. */
void ptrace_debug_registers_clear(struct task *task);
/* None are set in a new task; DR6 and DR7 still read as those of its parent, if it has one. */
void ptrace_debug_registers_init(struct ptrace_state *state, const struct ptrace_state *parent);
/* SIGTRAP of a breakpoint or a step is about to be sent: takes DR6 from the context. Own thread. */
void ptrace_debug_registers_read(struct task *task, bool step);
