/* SPDX-License-Identifier: Apache-2.0 */
/* ptrace(2) as other parts of the kernel see it: access checks, and the places where a tracer takes
 * part. */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

struct linux_siginfo;
struct task;

enum ptrace_access {
	PTRACE_ACCESS_READ = 1,
	PTRACE_ACCESS_ATTACH = 2,
	PTRACE_ACCESS_FSCREDS = 8,
	PTRACE_ACCESS_REALCREDS = 16,
};
/* ptrace(2), "Ptrace access mode checking": credentials, capabilities, dumpable, Yama. 0 or -EPERM.
 */
must_check int ptrace_may_access(struct task *caller, struct task *target, unsigned int mode);
/* The task's tracer, borrowed; RANK_TASK_SET held. */
struct task *ptrace_tracer_locked(struct task *task);
bool ptrace_is_traced(struct task *task); /* any lock or none */

/* PR_SET_PTRACER: 0 nobody, UINT64_MAX anybody, else a process of the caller's namespace. -EINVAL.
 */
must_check int ptrace_set_yama_tracer(struct task *task, uint64_t pid);
/* /proc/sys/kernel/yama/ptrace_scope, 0 to 3. 3 cannot be lowered: -EINVAL. */
int ptrace_scope(void);
must_check int ptrace_scope_set(int scope);

/* --- stops, on the task's own thread --- */

/*
 * Signal-delivery-stop, with RANK_SIGHAND held, which is dropped in between: after a signal other
 * than SIGKILL was taken off the queue of a traced task, before it is acted upon. The tracer may
 * change info or the signal. Returns the signal to go on with, 0 for none (which also means: look
 * at everything anew). Untraced tasks: info->si_signo at once.
 */
must_check int ptrace_signal_stop_locked(struct task *task, struct linux_siginfo *info);
/* Is PTRACE_O_TRACE... of an event (LINUX_PTRACE_EVENT_) on? */
bool ptrace_event_enabled(struct task *task, int event);
/* A PTRACE_EVENT stop with its message, if the tracer wants it. No lock held. */
void ptrace_event(struct task *task, int event, uint64_t message);
/* PTRACE_O_SUSPEND_SECCOMP. */
bool ptrace_seccomp_suspended(struct task *task);

/* ptrace(2); data and address as the guest gave them. */
int64_t ptrace_request(
	struct task *task, int64_t request, int pid, uint64_t address, uint64_t data);
