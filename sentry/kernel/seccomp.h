/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp(2) for guests: strict mode, filters in classic BPF, and notifications to a supervisor.
 *
 * Filters form a tree, each pointing to the one installed before it; a task holds a reference to
 * the youngest of its own. They never change once attached. task->seccomp and task->seccomp_mode
 * are written with RANK_SIGHAND held.
 */
#pragma once

#include "base/compiler.h"
#include "sentry/kernel/task.h"

#include <stdbool.h>
#include <stdint.h>

struct linux_sock_filter;
struct seccomp_filter;
struct text_writer;

enum seccomp_verdict {
	SECCOMP_VERDICT_ALLOW, /* carry the call out */
	SECCOMP_VERDICT_SKIP,  /* do not: task->syscall_result is what the guest gets (a signal may
				  be pending too) */
	SECCOMP_VERDICT_TRACE, /* PTRACE_EVENT_SECCOMP with *data; without a tracer that wants it,
				  skip with -ENOSYS */
	SECCOMP_VERDICT_KILL,  /* the task or its process is on its way out: do not carry the call
				  out */
};

/*
 * Task's own thread, no lock held, at the entry of a call whose number is task->syscall_number and
 * whose arguments are in task->regs. after_trace: the tracer had its say; TRACE means ALLOW then.
 * May block in a notification.
 */
must_check enum seccomp_verdict seccomp_check_slow(
	struct task *task, bool after_trace, uint32_t *data);

must_check static inline enum seccomp_verdict seccomp_check(
	struct task *task, bool after_trace, uint32_t *data)
{
	if (likely(!task->seccomp_mode))
		return SECCOMP_VERDICT_ALLOW;
	return seccomp_check_slow(task, after_trace, data);
}

/* clone: the child starts with what the parent has. RANK_SIGHAND of the parent held. */
void seccomp_fork_locked(struct task *parent, struct task *child);
/* Exit, and children that never ran. No lock held. */
void seccomp_forget(struct task *task);
/* How many filters a task runs under (/proc/PID/status). */
unsigned int seccomp_filter_count(struct task *task);
/* prctl(PR_SET_SECCOMP) and seccomp(2). address: of a struct sock_fprog. */
must_check int64_t seccomp_set_strict(struct task *task);
must_check int64_t seccomp_set_filter(struct task *task, uint32_t flags, uint64_t address);
/*
 * PTRACE_SECCOMP_GET_FILTER and _GET_METADATA, for who may: filter number index, counted from the
 * oldest. Returns its instruction count, and copies them to the caller's guest memory if address is
 * not 0. -ENOENT past the last one.
 */
must_check int64_t seccomp_get_filter(
	struct task *tracer, struct task *tracee, uint64_t index, uint64_t address);
must_check int64_t seccomp_get_flags(struct task *tracee, uint64_t index, uint64_t *flags);
/* Before its first program: a filter from the sandbox's configuration, without any permission of
 * the task's. -EINVAL, -ENOMEM. */
must_check int seccomp_attach_program(
	struct task *task, const struct linux_sock_filter *program, size_t count, bool log);
