/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What /proc/PID tells of a task's settings, and lets be changed: comm, oom_score_adj,
 * timerslack_ns... (proc(5)).
 *
 * Differs from Linux: the value that an unprivileged process may lower oom_score_adj to is 0 or
 * what it has, not what it was given.
 */
#include "sentry/fs/proc/task_files.h"

#include "abi/capability.h"
#include "abi/resource.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/memory_file.h"
#include "sentry/time/posix_timer.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#define COREDUMP_FILTER_DEFAULT 0x33
#define COREDUMP_FILTER_ALL	0x1ff
#define OOM_ADJ_MAX		1000
#define OOM_OLD_DISABLE		(-17)
#define OOM_OLD_MAX		15
#define TIMER_SLACK_DEFAULT	50000

int64_t proc_parse_integer(const char *text, int64_t least, int64_t most, int64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoll(text, &end, 0);
	if (end == text || errno)
		return -EINVAL;
	while (isspace((unsigned char)*end))
		end++;
	return *end || *out < least || *out > most ? -EINVAL : 0;
}

/* --- comm --- */

int task_show_comm(const struct proc_context *context, struct text_writer *out)
{
	struct task *task = context->task;
	char comm[sizeof(task->comm)];

	mutex_lock(&task->lock);
	memcpy(comm, task->comm, sizeof(comm));
	mutex_unlock(&task->lock);
	text_printf(out, "%.15s\n", comm);
	return 0;
}

int64_t task_store_comm(const struct proc_context *context, const char *text, size_t size)
{
	struct task *task = context->task;

	if (!current || task->group != current->group)
		return -EINVAL;
	mutex_guard(&task->lock);
	memset(task->comm, 0, sizeof(task->comm));
	memcpy(task->comm, text, min_u64(size, sizeof(task->comm) - 1));
	return (int64_t)size;
}

/* --- the OOM killer --- */

int task_show_oom_score(const struct proc_context *context, struct text_writer *out)
{
	struct memory_file_usage total;
	struct mm_usage usage = {0};
	struct mm *mm = task_get_mm(context->task);
	int64_t adjust = context->task->group->oom_score_adj, points = 0;
	struct sysinfo host;

	memory_file_usage(&total);
	if (!total.limit && sysinfo(&host) == 0)
		total.limit = (uint64_t)host.totalram * host.mem_unit;
	if (mm)
		mm_usage(mm, &usage);
	mm_put(mm);
	/* As Linux has it since 5.9: 1000 is all memory, and two thirds of what comes of it are
	 * shown. */
	if (adjust != -OOM_ADJ_MAX && total.limit)
		points = (1000 +
				 (int64_t)((usage.resident + usage.page_tables) * 1000 /
					   total.limit) +
				 adjust) *
			 2 / 3;
	text_printf(out, "%lld\n", (long long)(points < 0 ? 0 : points));
	return 0;
}

/* Kept for who asks: nothing is dumped. */
int task_show_coredump_filter(const struct proc_context *context, struct text_writer *out)
{
	/* It is the memory's. */
	if (!context->task->mm)
		return 0;
	text_printf(out, "%08x\n", context->task->group->coredump_filter ^ COREDUMP_FILTER_DEFAULT);
	return 0;
}

int64_t task_store_coredump_filter(
	const struct proc_context *context, const char *text, size_t size)
{
	int64_t value, error = proc_parse_integer(text, 0, UINT32_MAX, &value);

	if (error)
		return error;
	context->task->group->coredump_filter =
		((unsigned int)value & COREDUMP_FILTER_ALL) ^ COREDUMP_FILTER_DEFAULT;
	return (int64_t)size;
}

int task_show_oom_score_adj(const struct proc_context *context, struct text_writer *out)
{
	text_printf(out, "%d\n", context->task->group->oom_score_adj);
	return 0;
}

static int set_oom_adjust(struct task *task, int adjust)
{
	int now = task->group->oom_score_adj;

	if (adjust < (now < 0 ? now : 0) && !capable(LINUX_CAP_SYS_RESOURCE))
		return -EACCES;
	__atomic_store_n(&task->group->oom_score_adj, adjust, __ATOMIC_RELAXED);
	return 0;
}

int64_t task_store_oom_score_adj(const struct proc_context *context, const char *text, size_t size)
{
	int64_t value, error = proc_parse_integer(text, -OOM_ADJ_MAX, OOM_ADJ_MAX, &value);

	if (!error)
		error = set_oom_adjust(context->task, (int)value);
	return error ? error : (int64_t)size;
}

int task_show_oom_adj(const struct proc_context *context, struct text_writer *out)
{
	int adjust = context->task->group->oom_score_adj;

	text_printf(out, "%d\n",
		adjust == OOM_ADJ_MAX ? OOM_OLD_MAX : adjust * -OOM_OLD_DISABLE / OOM_ADJ_MAX);
	return 0;
}

int64_t task_store_oom_adj(const struct proc_context *context, const char *text, size_t size)
{
	int64_t value, error = proc_parse_integer(text, OOM_OLD_DISABLE, OOM_OLD_MAX, &value);

	if (error)
		return error;
	value = value == OOM_OLD_MAX ? OOM_ADJ_MAX : value * OOM_ADJ_MAX / -OOM_OLD_DISABLE;
	error = set_oom_adjust(context->task, (int)value);
	return error ? error : (int64_t)size;
}

/* --- limits --- */

static void show_limit(struct text_writer *out, uint64_t value)
{
	if (value == LINUX_RLIM_INFINITY)
		text_printf(out, "%-20s ", "unlimited");
	else
		text_printf(out, "%-20lu ", value);
}

int task_show_limits(const struct proc_context *context, struct text_writer *out)
{
	static const struct {
		const char *name, *unit;
	} names[LINUX_RLIM_NLIMITS] = {
		[LINUX_RLIMIT_CPU] = {"Max cpu time", "seconds"},
		[LINUX_RLIMIT_FSIZE] = {"Max file size", "bytes"},
		[LINUX_RLIMIT_DATA] = {"Max data size", "bytes"},
		[LINUX_RLIMIT_STACK] = {"Max stack size", "bytes"},
		[LINUX_RLIMIT_CORE] = {"Max core file size", "bytes"},
		[LINUX_RLIMIT_RSS] = {"Max resident set", "bytes"},
		[LINUX_RLIMIT_NPROC] = {"Max processes", "processes"},
		[LINUX_RLIMIT_NOFILE] = {"Max open files", "files"},
		[LINUX_RLIMIT_MEMLOCK] = {"Max locked memory", "bytes"},
		[LINUX_RLIMIT_AS] = {"Max address space", "bytes"},
		[LINUX_RLIMIT_LOCKS] = {"Max file locks", "locks"},
		[LINUX_RLIMIT_SIGPENDING] = {"Max pending signals", "signals"},
		[LINUX_RLIMIT_MSGQUEUE] = {"Max msgqueue size", "bytes"},
		[LINUX_RLIMIT_NICE] = {"Max nice priority", NULL},
		[LINUX_RLIMIT_RTPRIO] = {"Max realtime priority", NULL},
		[LINUX_RLIMIT_RTTIME] = {"Max realtime timeout", "us"},
	};
	struct thread_group *group = context->task->group;
	struct linux_rlimit64 limits[LINUX_RLIM_NLIMITS];

	mutex_lock(&group->lock);
	memcpy(limits, group->limits, sizeof(limits));
	mutex_unlock(&group->lock);
	text_printf(out, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (size_t i = 0; i < LINUX_RLIM_NLIMITS; i++) {
		text_printf(out, "%-25s ", names[i].name);
		show_limit(out, limits[i].rlim_cur);
		show_limit(out, limits[i].rlim_max);
		if (names[i].unit)
			text_printf(out, "%-10s", names[i].unit);
		text_append(out, "\n", 1);
	}
	return 0;
}

/* --- timers --- */

int task_show_timerslack_ns(const struct proc_context *context, struct text_writer *out)
{
	int slack = context->task->timer_slack_ns;

	if (context->task != current && !capable(LINUX_CAP_SYS_NICE))
		return -EPERM;
	text_printf(out, "%d\n", slack ? slack : TIMER_SLACK_DEFAULT);
	return 0;
}

int64_t task_store_timerslack_ns(const struct proc_context *context, const char *text, size_t size)
{
	int64_t value, error = proc_parse_integer(text, 0, INT32_MAX, &value);

	if (error)
		return error;
	if (context->task != current && !capable(LINUX_CAP_SYS_NICE))
		return -EPERM;
	__atomic_store_n(&context->task->timer_slack_ns, (int)value, __ATOMIC_RELAXED);
	return (int64_t)size;
}

int task_show_timers(const struct proc_context *context, struct text_writer *out)
{
	posix_timers_show(context->task->group, out);
	return 0;
}

/* --- family, and what is the same for all --- */

/* Of the one thread, as its own parent knows them. */
int task_show_children(const struct proc_context *context, struct text_writer *out)
{
	struct thread_group *child;

	mutex_guard(&g_tasks.lock);
	LIST_FOREACH (child, &context->task->group->children, sibling) {
		int number = child->parent == context->task ? proc_number(context, child->pid) : 0;

		if (number)
			text_printf(out, "%d ", number);
	}
	return 0;
}

int task_show_constant(const struct proc_context *context, struct text_writer *out)
{
	text_printf(out, "%s", (const char *)context->entry->data);
	return 0;
}

int64_t task_store_refused(const struct proc_context *context, const char *text, size_t size)
{
	return -EPERM;
}
