/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for children and tracees (wait(2), ptrace(2)): what each may report, to whom, and that it
 * is reported once.
 *
 * RANK_TASK_SET is held through a whole look at the family, so that two waiters never see the same
 * report.
 */
#include "sentry/kernel/wait.h"

#include "abi/epoll.h"
#include "sentry/kernel/ptrace_state.h"
#include "sentry/kernel/task_run.h"
#include "sentry/time/clock.h"

#include <errno.h>
#include <string.h>

/* One look at the family. */
struct wait_scan {
	struct wait_request *request;
	struct task *waiter;
	bool anybody; /* there is somebody who may report something one day */
	struct task_list dead;
};

/* --- resource usage --- */

static void add_timeval(struct linux_timeval *to, uint64_t ns)
{
	to->tv_sec += (int64_t)(ns / 1000000000);
	to->tv_usec += (int64_t)(ns % 1000000000 / 1000);
	if (to->tv_usec >= 1000000) {
		to->tv_sec++;
		to->tv_usec -= 1000000;
	}
}

static void add_usage(struct linux_rusage *to, const struct linux_rusage *from)
{
	add_timeval(&to->ru_utime, linux_timeval_ns(&from->ru_utime));
	add_timeval(&to->ru_stime, linux_timeval_ns(&from->ru_stime));
	to->ru_minflt += from->ru_minflt;
	to->ru_majflt += from->ru_majflt;
	to->ru_nvcsw += from->ru_nvcsw;
	to->ru_nivcsw += from->ru_nivcsw;
	if (to->ru_maxrss < from->ru_maxrss)
		to->ru_maxrss = from->ru_maxrss;
}

static void add_counts(struct linux_rusage *to, const struct task_times *times)
{
	to->ru_minflt += (int64_t)atomic_load(&times->minor_faults);
	to->ru_majflt += (int64_t)atomic_load(&times->major_faults);
	to->ru_nvcsw += (int64_t)atomic_load(&times->voluntary_switches);
	to->ru_nivcsw += (int64_t)atomic_load(&times->involuntary_switches);
}

void thread_group_usage(struct thread_group *group, struct linux_rusage *usage)
{
	struct sighand *sighand = group->sighand;
	uint64_t user, system;
	struct task *thread;

	memset(usage, 0, sizeof(*usage));
	mutex_lock(&sighand->lock);
	thread_group_cpu_times_locked(group, &user, &system);
	add_counts(usage, &group->dead_threads);
	TAILQ_FOREACH (thread, &group->tasks, group_link)
		add_counts(usage, &thread->times);
	usage->ru_maxrss = (int64_t)(group->max_rss / 1024);
	mutex_unlock(&sighand->lock);
	add_timeval(&usage->ru_utime, user);
	add_timeval(&usage->ru_stime, system);
}

/* RUSAGE_BOTH: the process and the children that it has waited for. */
static void usage_both_locked(struct thread_group *group, struct linux_rusage *usage)
{
	thread_group_usage(group, usage);
	add_usage(usage, &group->children_usage);
}

/* --- reports --- */

/* Fills what all reports have. */
static void found(
	struct wait_scan *scan, struct task *task, int cause, int cause_status, int status)
{
	struct wait_request *request = scan->request;
	const struct cred *cred = task_get_cred(task);

	request->number = pid_number_in(task->pid, task_pid_namespace(scan->waiter));
	request->uid = user_namespace_show_uid(scan->waiter->cred->user_ns, cred->uid);
	request->cause = cause;
	request->cause_status = cause_status;
	request->status = status;
	cred_put(cred);
	usage_both_locked(task->group, &request->usage);
}

static void found_exit(struct wait_scan *scan, struct task *task)
{
	int status = task->group->exiting ? task->group->exit_code : task->exit_code;

	if ((status & 0x7f) == 0)
		found(scan, task, LINUX_CLD_EXITED, status >> 8, status);
	else
		found(scan, task, status & LINUX_WCOREFLAG ? LINUX_CLD_DUMPED : LINUX_CLD_KILLED,
			status & 0x7f, status);
}

static void bury(struct wait_scan *scan, struct task *task)
{
	mutex_lock(&task->sighand->lock);
	task->exit_state = TASK_DEAD;
	mutex_unlock(&task->sighand->lock);
	TAILQ_INSERT_TAIL(&scan->dead, task, dead_link);
}

static bool report_zombie(struct wait_scan *scan, struct task *task)
{
	bool leader = task->group->leader == task;

	if (!(scan->request->options & LINUX_WEXITED))
		return false;
	found_exit(scan, task);
	if (scan->request->options & LINUX_WNOWAIT)
		return true;
	if (leader && ptrace_reparented_locked(task)) {
		/* The tracer has seen it: now it is the parent's turn. */
		ptrace_unlink_locked(task);
		if (task_notify_parent_locked(task, task->exit_signal))
			bury(scan, task);
		return true;
	}
	if (leader)
		add_usage(&scan->waiter->group->children_usage, &scan->request->usage);
	bury(scan, task);
	return true;
}

/* Where the stop that a wait reports is noted; NULL: there is none. RANK_SIGHAND held. */
static int *stop_code_of(struct task *task, bool traced)
{
	if (traced) {
		if (task->stop.kind == STOP_PTRACE && !(task->stop.jobctl & JOBCTL_LISTENING))
			return &task->ptrace->stop_code;
		return NULL;
	}
	return task->group->stop_state == GROUP_STOPPED ? &task->group->stop_report_code : NULL;
}

static bool report_stop(struct wait_scan *scan, struct task *task, bool traced)
{
	uint32_t options = scan->request->options;
	int code = 0, *noted;

	if (!traced && !(options & LINUX_WUNTRACED))
		return false;
	mutex_lock(&task->sighand->lock);
	noted = stop_code_of(task, traced);
	if (noted) {
		code = *noted;
		if (!(options & LINUX_WNOWAIT))
			*noted = 0;
	}
	mutex_unlock(&task->sighand->lock);
	if (!code)
		return false;
	found(scan, task, traced ? LINUX_CLD_TRAPPED : LINUX_CLD_STOPPED, code, code << 8 | 0x7f);
	return true;
}

static bool report_continue(struct wait_scan *scan, struct task *task)
{
	uint32_t options = scan->request->options;
	bool pending;

	if (!(options & LINUX_WCONTINUED))
		return false;
	mutex_lock(&task->sighand->lock);
	pending = task->group->continue_pending;
	if (pending && !(options & LINUX_WNOWAIT))
		task->group->continue_pending = false;
	mutex_unlock(&task->sighand->lock);
	if (!pending)
		return false;
	found(scan, task, LINUX_CLD_CONTINUED, LINUX_SIGCONT, LINUX_W_CONTINUED);
	return true;
}

/* --- whom --- */

static bool is_meant(const struct wait_scan *scan, struct task *task, bool traced)
{
	const struct wait_request *request = scan->request;

	if (request->whom == WAIT_PID && task->pid != request->pid)
		return false;
	if (request->whom == WAIT_PROCESS_GROUP && task->group->process_group != request->pid)
		return false;
	if (traced || (request->options & LINUX___WALL))
		return true;
	return (task->exit_signal != LINUX_SIGCHLD) == !!(request->options & LINUX___WCLONE);
}

static bool consider(struct wait_scan *scan, struct task *task, bool as_tracer)
{
	bool has_tracer = task->ptrace->tracer, delayed;

	if (task->exit_state == TASK_DEAD || !is_meant(scan, task, as_tracer))
		return false;
	/* Traced by its own parent: one look at it tells everything. */
	if (!as_tracer && has_tracer && !ptrace_reparented_locked(task))
		as_tracer = true;
	if (task->exit_state == TASK_ZOMBIE) {
		delayed = task->group->leader == task && !thread_group_is_empty_locked(task->group);
		if (!delayed && (as_tracer || !has_tracer))
			return report_zombie(scan, task);
		if (!as_tracer || (scan->request->options & (LINUX_WCONTINUED | LINUX_WEXITED)))
			scan->anybody = true;
	} else {
		scan->anybody = true;
	}
	return report_stop(scan, task, as_tracer) || report_continue(scan, task);
}

static bool may_wait(const struct wait_scan *scan, const struct task *parent)
{
	if (!parent)
		return false;
	if (scan->request->options & LINUX___WNOTHREAD)
		return parent == scan->waiter;
	return parent->group == scan->waiter->group;
}

static bool scan_children(struct wait_scan *scan)
{
	struct thread_group *child;

	LIST_FOREACH (child, &scan->waiter->group->children, sibling) {
		if (may_wait(scan, child->parent) && consider(scan, child->leader, false))
			return true;
	}
	return false;
}

static bool scan_tracees(struct wait_scan *scan)
{
	struct ptrace_state *tracee;
	struct task *thread;

	TAILQ_FOREACH (thread, &scan->waiter->group->tasks, group_link) {
		if (!may_wait(scan, thread))
			continue;
		LIST_FOREACH (tracee, &thread->ptrace->tracees, tracee_link) {
			if (consider(scan, tracee->task, true))
				return true;
		}
	}
	return false;
}

/* One that is known by name needs no search. */
static bool scan_one(struct wait_scan *scan)
{
	struct pid *pid = scan->request->pid;

	if (!pid)
		return false;
	if (pid->group && may_wait(scan, pid->group->parent) &&
		consider(scan, pid->group->leader, false))
		return true;
	return pid->task && may_wait(scan, pid->task->ptrace->tracer) &&
	       consider(scan, pid->task, true);
}

/* 1: found. 0: nothing yet. -ECHILD. */
static int look(struct task *task, struct wait_request *request)
{
	struct wait_scan scan = {.request = request, .waiter = task};
	bool success;

	TAILQ_INIT(&scan.dead);
	mutex_lock(&g_tasks.lock);
	if (request->whom == WAIT_PID)
		success = scan_one(&scan);
	else
		success = scan_children(&scan) || scan_tracees(&scan);
	mutex_unlock(&g_tasks.lock);
	task_release_list(&scan.dead);
	if (success)
		return 1;
	return scan.anybody ? 0 : -ECHILD;
}

int task_wait(struct task *task, struct wait_request *request)
{
	struct waiter waiter;
	int result, interrupted = 0;

	request->number = 0;
	result = look(task, request);
	if (result != 0 || (request->options & LINUX_WNOHANG))
		return result < 0 ? result : 0;
	waiter_init_task(&waiter, task, LINUX_EPOLLIN);
	wait_queue_add(&task->group->child_queue, &waiter);
	/* SIGCHLD comes with the end that it tells of: that goes first. */
	while ((result = look(task, request)) == 0 && !interrupted)
		interrupted = task_block(task, INT64_MAX);
	wait_queue_remove(&waiter);
	return result < 0 ? result : result ? 0 : interrupted;
}

void wait_reap_children_locked(struct thread_group *group, struct task_list *dead)
{
	struct thread_group *child;

	LIST_FOREACH (child, &group->children, sibling) {
		struct task *leader = child->leader;

		if (leader->exit_state != TASK_ZOMBIE || leader->ptrace->tracer ||
			!thread_group_is_empty_locked(child))
			continue;
		mutex_lock(&leader->sighand->lock);
		leader->exit_state = TASK_DEAD;
		mutex_unlock(&leader->sighand->lock);
		TAILQ_INSERT_TAIL(dead, leader, dead_link);
	}
}
