/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/stat, statm and what else tells how a task is doing in numbers (proc_pid_stat(5)).
 *
 * Differs from Linux: there is no kernel stack, no place where it waits (wchan), and no counts of
 * I/O.
 */
#include "sentry/fs/proc/task_files.h"

#include "abi/capability.h"
#include "sentry/fs/proc/task_summary.h"
#include "sentry/kernel/ptrace.h"
#include "sentry/kernel/rlimit.h"
#include "sentry/kernel/scheduling.h"
#include "sentry/kernel/task.h"
#include "sentry/time/clock.h"

#include <errno.h>
#include <string.h>

/* PF_ bits that programs look at. */
#define PF_EXITING    0x4
#define PF_FORKNOEXEC 0x40
#define PF_RANDOMIZE  0x400000

static bool may_look(const struct proc_context *context)
{
	return !current || ptrace_may_access(current, context->task,
				   PTRACE_ACCESS_READ | PTRACE_ACCESS_FSCREDS) == 0;
}

static unsigned int flags_of(const struct task_summary *summary)
{
	return PF_RANDOMIZE | (summary->exiting ? PF_EXITING : 0) |
	       (summary->forked_only ? PF_FORKNOEXEC : 0);
}

static void show_scheduling(
	struct text_writer *out, struct task *task, const struct task_summary *summary)
{
	struct linux_sched_attr attr;
	bool real_time;

	scheduling_get(task, &attr);
	real_time = attr.sched_policy == LINUX_SCHED_FIFO || attr.sched_policy == LINUX_SCHED_RR;
	text_printf(out, " %d %d %d 0 %lld",
		real_time ? -1 - (int)attr.sched_priority : 20 + task->nice_value, task->nice_value,
		summary->threads, (long long)(summary->start_ns / NSEC_PER_TICK));
}

static void show_memory(struct text_writer *out, struct task *task, struct mm *mm,
	const struct mm_layout *layout, bool permitted)
{
	struct mm_usage usage = {0};

	if (mm)
		mm_usage(mm, &usage);
	text_printf(out, " %lu %lu %lu", usage.total, usage.resident / PAGE_SIZE,
		rlimit_of(task->group, LINUX_RLIMIT_RSS));
	text_printf(out, " %lu %lu %lu 0 0", mm && !permitted ? 1 : layout->start_code,
		mm && !permitted ? 1 : layout->end_code, permitted ? layout->start_stack : 0);
}

static void show_rest(struct text_writer *out, struct task *task,
	const struct task_summary *summary, const struct mm_layout *layout, bool permitted)
{
	struct linux_sched_attr attr;
	struct mm_layout seen = permitted ? *layout : (struct mm_layout){0};

	scheduling_get(task, &attr);
	text_printf(out, " %lu %lu %lu %lu 0 0 0", summary->pending & 0x7fffffff,
		summary->blocked & 0x7fffffff, summary->ignored & 0x7fffffff,
		summary->caught & 0x7fffffff);
	text_printf(out, " %d %d %u %u 0 0 0", summary->exit_signal, task_cpu(task),
		attr.sched_priority, attr.sched_policy);
	text_printf(out, " %lu %lu %lu %lu %lu %lu %lu %d\n", seen.start_data, seen.end_data,
		seen.start_brk, seen.arg_start, seen.arg_end, seen.env_start, seen.env_end,
		permitted ? summary->exit_code : 0);
}

int task_show_stat(const struct proc_context *context, struct text_writer *out)
{
	struct task *task = context->task;
	struct mm *mm = task_get_mm(task);
	struct mm_layout layout = {0};
	bool permitted = may_look(context);
	struct task_summary s;

	task_summary_get(context, &s);
	if (mm)
		mm_get_layout(mm, &layout);
	text_printf(out, "%d (%s) %c %d %d %d %d %d %u", s.tid, s.comm, s.state, s.parent,
		s.process_group, s.session, s.tty_device, s.tty_process_group, flags_of(&s));
	text_printf(out, " %lu %lu %lu %lu %lu %lu %lu %lu", s.minor_faults, s.child_minor_faults,
		s.major_faults, s.child_major_faults, s.user_ns / NSEC_PER_TICK,
		s.system_ns / NSEC_PER_TICK, s.child_user_ns / NSEC_PER_TICK,
		s.child_system_ns / NSEC_PER_TICK);
	show_scheduling(out, task, &s);
	show_memory(out, task, mm, &layout, permitted);
	show_rest(out, task, &s, &layout, permitted);
	mm_put(mm);
	return 0;
}

int task_show_statm(const struct proc_context *context, struct text_writer *out)
{
	struct mm *mm = task_get_mm(context->task);
	struct mm_usage usage = {0};

	if (mm)
		mm_usage(mm, &usage);
	mm_put(mm);
	text_printf(out, "%lu %lu %lu %lu 0 %lu 0\n", usage.total / PAGE_SIZE,
		usage.resident / PAGE_SIZE, usage.shared / PAGE_SIZE, usage.text / PAGE_SIZE,
		(usage.data + usage.stack) / PAGE_SIZE);
	return 0;
}

int task_show_schedstat(const struct proc_context *context, struct text_writer *out)
{
	const struct task_times *times = &context->task->times;
	uint64_t user, system;

	task_cpu_times(context->task, &user, &system);
	text_printf(out, "%lu 0 %lu\n", user + system,
		times->voluntary_switches + times->involuntary_switches);
	return 0;
}

int task_show_sched(const struct proc_context *context, struct text_writer *out)
{
	const struct task_times *times = &context->task->times;
	uint64_t user, system, run;
	struct linux_sched_attr attr;
	struct task_summary s;

	task_summary_get(context, &s);
	scheduling_get(context->task, &attr);
	task_cpu_times(context->task, &user, &system);
	run = user + system;
	text_printf(out, "%s (%d, #threads: %d)\n", s.comm, s.tid, s.threads);
	text_printf(out, "-------------------------------------------------------------------\n");
	text_printf(out, "%-45s:%14lld.%06lld\n", "se.exec_start",
		(long long)(clock_monotonic() / 1000000), (long long)(clock_monotonic() % 1000000));
	text_printf(
		out, "%-45s:%14lu.%06lu\n", "se.sum_exec_runtime", run / 1000000, run % 1000000);
	text_printf(out, "%-45s:%21lu\n", "nr_switches",
		times->voluntary_switches + times->involuntary_switches);
	text_printf(out, "%-45s:%21lu\n", "nr_voluntary_switches", times->voluntary_switches);
	text_printf(out, "%-45s:%21lu\n", "nr_involuntary_switches", times->involuntary_switches);
	text_printf(out, "%-45s:%21u\n", "policy", attr.sched_policy);
	text_printf(out, "%-45s:%21d\n", "prio", 120 + context->task->nice_value);
	return 0;
}

int task_show_io(const struct proc_context *context, struct text_writer *out)
{
	static const char *const names[] = {"rchar", "wchar", "syscr", "syscw", "read_bytes",
		"write_bytes", "cancelled_write_bytes"};

	for (size_t i = 0; i < array_count(names); i++)
		text_printf(out, "%s: 0\n", names[i]);
	return 0;
}

int task_show_wchan(const struct proc_context *context, struct text_writer *out)
{
	text_append(out, "0", 1);
	return 0;
}

/* A task has no stack of its own in this kernel that addresses could be shown of. */
int task_show_stack(const struct proc_context *context, struct text_writer *out)
{
	return cred_capable(context->cred, LINUX_CAP_SYS_ADMIN) ? 0 : -EACCES;
}

int task_show_personality(const struct proc_context *context, struct text_writer *out)
{
	text_printf(out, "%08x\n", context->task->personality);
	return 0;
}

/* What a task is blocked in. Its registers stay as they are for as long as it sleeps. */
int task_show_syscall(const struct proc_context *context, struct text_writer *out)
{
	struct task *task = context->task;
	struct linux_user_regs regs = task->regs;
	uint64_t number = task->syscall_number;
	bool in_syscall = task->in_syscall;

	if (task == current || task->kernel_thread || atomic_load(&task->run.woken) != TASK_SLEEPS)
		text_printf(out, "running\n");
	else if (!in_syscall)
		text_printf(out, "-1 0x%lx 0x%lx\n", regs.rsp, regs.rip);
	else
		text_printf(out, "%ld 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx\n",
			(long)number, regs.rdi, regs.rsi, regs.rdx, regs.r10, regs.r8, regs.r9,
			regs.rsp, regs.rip);
	return 0;
}

/* How long ago 512-bit vectors were used is not known here. */
int task_show_arch_status(const struct proc_context *context, struct text_writer *out)
{
	if (__builtin_cpu_supports("avx512f"))
		text_printf(out, "AVX512_elapsed_ms:\t-1\n");
	return 0;
}
