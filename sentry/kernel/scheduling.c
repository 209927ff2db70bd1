/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scheduling parameters (sched(7), setpriority(2)): who may set what, and what is told afterwards.
 *
 * Differs from Linux: nothing of it changes how guests are scheduled; the host does that.
 */
#include "sentry/kernel/scheduling.h"

#include "abi/capability.h"
#include "abi/ioprio.h"
#include "abi/resource.h"
#include "sentry/kernel/rlimit.h"
#include "sentry/kernel/rseq.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int g_processors;

void scheduling_set_processors(int count)
{
	if (count < 1)
		count = 1;
	g_processors = count > SCHEDULING_PROCESSORS_MAX ? SCHEDULING_PROCESSORS_MAX : count;
}

/* Before any thread of the sentry is tied to one of them. */
__attribute__((constructor)) static void processors_count(void)
{
	cpu_set_t set;

	scheduling_set_processors(sched_getaffinity(0, sizeof(set), &set) ? 1 : CPU_COUNT(&set));
}

int scheduling_processors(void)
{
	return g_processors;
}

/* --- affinity --- */

void scheduling_all_processors(cpu_set_t *set)
{
	CPU_ZERO(set);
	for (int i = 0; i < scheduling_processors(); i++)
		CPU_SET(i, set);
}

void task_get_affinity(struct task *task, cpu_set_t *set)
{
	mutex_guard(&task->lock);
	if (task->affinity)
		*set = *task->affinity;
	else
		scheduling_all_processors(set);
}

/* The index-th processor of a set, going round. */
static int nth_processor(const cpu_set_t *set, unsigned int index)
{
	int count = CPU_COUNT(set);

	if (!count)
		return 0;
	index %= (unsigned int)count;
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (CPU_ISSET(i, set) && index-- == 0)
			return i;
	}
	return 0;
}

int task_cpu(struct task *task)
{
	cpu_set_t set;

	/* Who registered an rseq area sees the number that is in it. */
	if (task->rseq.address)
		return task->rseq.last_cpu;
	task_get_affinity(task, &set);
	return nth_processor(&set, (unsigned int)task_tid(task));
}

/* --- life --- */

int scheduling_fork(struct task *parent, struct task *child)
{
	mutex_guard(&parent->lock);
	child->scheduling = parent->scheduling;
	child->nice_value = parent->nice_value;
	if (parent->scheduling.sched_flags & LINUX_SCHED_FLAG_RESET_ON_FORK) {
		if (parent->scheduling.sched_policy != LINUX_SCHED_NORMAL &&
			parent->scheduling.sched_policy != LINUX_SCHED_BATCH)
			child->scheduling = (struct linux_sched_attr){0};
		if (child->nice_value < 0)
			child->nice_value = 0;
		child->scheduling.sched_flags = 0;
	}
	if (!parent->affinity)
		return 0;
	child->affinity = malloc(sizeof(*child->affinity));
	if (!child->affinity)
		return -ENOMEM;
	*child->affinity = *parent->affinity;
	return 0;
}

void scheduling_release(struct task *task)
{
	free(task->affinity);
}

/* --- rights --- */

static bool same_owner(struct task *task, struct task *target)
{
	const struct cred *theirs = task_get_cred(target);
	bool same = task->cred->euid == theirs->euid || task->cred->euid == theirs->uid;

	cred_put(theirs);
	return same;
}

static bool may_nice(struct task *task, struct task *target)
{
	const struct cred *theirs = task_get_cred(target);
	bool may = cred_capable_in(task->cred, theirs->user_ns, LINUX_CAP_SYS_NICE);

	cred_put(theirs);
	return may;
}

/* nice 19 to -20 are limits 1 to 40. */
static bool nice_within_limit(struct task *target, int nice)
{
	return (uint64_t)(20 - nice) <= rlimit_of(target->group, LINUX_RLIMIT_NICE);
}

static bool is_realtime(uint32_t policy)
{
	return policy == LINUX_SCHED_FIFO || policy == LINUX_SCHED_RR;
}

/* What somebody without CAP_SYS_NICE may do. */
static bool change_allowed(
	struct task *task, struct task *target, const struct linux_sched_attr *attr)
{
	const struct linux_sched_attr *now = &target->scheduling;
	uint64_t limit = rlimit_of(target->group, LINUX_RLIMIT_RTPRIO);

	if (!is_realtime(attr->sched_policy) && attr->sched_policy != LINUX_SCHED_DEADLINE &&
		attr->sched_nice < target->nice_value &&
		!nice_within_limit(target, attr->sched_nice))
		return false;
	if (is_realtime(attr->sched_policy)) {
		if (attr->sched_policy != now->sched_policy && !limit)
			return false;
		if (attr->sched_priority > now->sched_priority && attr->sched_priority > limit)
			return false;
	}
	if (attr->sched_policy == LINUX_SCHED_DEADLINE)
		return false;
	if (now->sched_policy == LINUX_SCHED_IDLE && attr->sched_policy != LINUX_SCHED_IDLE &&
		!nice_within_limit(target, target->nice_value))
		return false;
	if ((now->sched_flags & LINUX_SCHED_FLAG_RESET_ON_FORK) &&
		!(attr->sched_flags & LINUX_SCHED_FLAG_RESET_ON_FORK))
		return false;
	return same_owner(task, target);
}

/* --- setting and looking --- */

static bool deadline_is_valid(const struct linux_sched_attr *attr)
{
	uint64_t period = attr->sched_period ? attr->sched_period : attr->sched_deadline;

	return attr->sched_deadline && attr->sched_runtime >= 1024 &&
	       attr->sched_runtime <= attr->sched_deadline && attr->sched_deadline <= period &&
	       !((attr->sched_deadline | period) >> 63);
}

static bool attr_is_valid(const struct linux_sched_attr *attr)
{
	switch (attr->sched_policy) {
	case LINUX_SCHED_FIFO:
	case LINUX_SCHED_RR:
		return attr->sched_priority >= LINUX_SCHED_RT_PRIORITY_MIN &&
		       attr->sched_priority <= LINUX_SCHED_RT_PRIORITY_MAX;
	case LINUX_SCHED_NORMAL:
	case LINUX_SCHED_BATCH:
	case LINUX_SCHED_IDLE:
		return attr->sched_priority == 0;
	case LINUX_SCHED_DEADLINE:
		return attr->sched_priority == 0 && deadline_is_valid(attr);
	default:
		return false;
	}
}

int scheduling_set(struct task *task, struct task *target, const struct linux_sched_attr *attr)
{
	struct linux_sched_attr wanted = *attr;

	if (wanted.sched_flags & ~(uint64_t)LINUX_SCHED_FLAG_ALL)
		return -EINVAL;
	if (wanted.sched_flags & LINUX_SCHED_FLAG_UTIL_CLAMP)
		return -EOPNOTSUPP;
	if (wanted.sched_flags & LINUX_SCHED_FLAG_KEEP_POLICY)
		wanted.sched_policy = target->scheduling.sched_policy;
	if (wanted.sched_flags & LINUX_SCHED_FLAG_KEEP_PARAMS) {
		wanted.sched_priority = target->scheduling.sched_priority;
		wanted.sched_nice = target->nice_value;
	}
	if (!attr_is_valid(&wanted))
		return -EINVAL;
	if (!may_nice(task, target) && !change_allowed(task, target, &wanted))
		return -EPERM;
	mutex_guard(&target->lock);
	wanted.sched_flags &= ~(uint64_t)LINUX_SCHED_FLAG_KEEP_ALL;
	target->scheduling = wanted;
	if (wanted.sched_policy == LINUX_SCHED_NORMAL || wanted.sched_policy == LINUX_SCHED_BATCH)
		target->nice_value = wanted.sched_nice;
	return 0;
}

void scheduling_get(struct task *target, struct linux_sched_attr *attr)
{
	mutex_guard(&target->lock);
	*attr = target->scheduling;
	attr->size = sizeof(*attr);
	attr->sched_nice = target->nice_value;
	attr->sched_flags &= LINUX_SCHED_FLAG_RESET_ON_FORK | LINUX_SCHED_FLAG_RECLAIM |
			     LINUX_SCHED_FLAG_DL_OVERRUN;
	if (is_realtime(attr->sched_policy) || attr->sched_policy == LINUX_SCHED_DEADLINE)
		attr->sched_nice = 0;
}

int scheduling_set_affinity(struct task *task, struct task *target, const cpu_set_t *set)
{
	cpu_set_t possible, wanted;
	cpu_set_t *copy;

	if (!same_owner(task, target) && !may_nice(task, target))
		return -EPERM;
	scheduling_all_processors(&possible);
	CPU_AND(&wanted, set, &possible);
	if (!CPU_COUNT(&wanted))
		return -EINVAL;
	copy = malloc(sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	*copy = wanted;
	mutex_lock(&target->lock);
	free(target->affinity);
	target->affinity = copy;
	mutex_unlock(&target->lock);
	/* Its rseq area may name a processor that it may not use any more. */
	if (target == task)
		rseq_interrupted(task);
	else if (target->rseq.address)
		task_kick(target);
	return 0;
}

int scheduling_set_nice(struct task *task, struct task *target, int nice)
{
	if (!same_owner(task, target) && !may_nice(task, target))
		return -EPERM;
	if (nice < target->nice_value && !nice_within_limit(target, nice) &&
		!may_nice(task, target))
		return -EACCES;
	mutex_guard(&target->lock);
	target->nice_value = nice;
	return 0;
}

int scheduling_set_ioprio(struct task *task, struct task *target, int ioprio)
{
	const struct cred *theirs = task_get_cred(target);
	bool same = theirs->uid == task->cred->euid || theirs->uid == task->cred->uid;

	cred_put(theirs);
	if (!same && !capable(LINUX_CAP_SYS_NICE))
		return -EPERM;
	mutex_guard(&target->lock);
	target->ioprio = ioprio;
	return 0;
}

/* --- many at once --- */

struct task_array {
	size_t count, capacity;
	struct task **tasks;
};

static int array_add(struct task_array *array, struct task *task)
{
	if (array->count == array->capacity) {
		size_t capacity = array->capacity ? array->capacity * 2 : 16;
		struct task **tasks = realloc(array->tasks, capacity * sizeof(struct task *));

		if (!tasks)
			return -ENOMEM;
		array->tasks = tasks;
		array->capacity = capacity;
	}
	array->tasks[array->count++] = task_get(task);
	return 0;
}

static int collect_process_group(struct task *task, int who, struct task_array *array)
{
	struct thread_group *group;
	struct task *thread;
	struct pid *pid;
	int error = 0;

	mutex_lock(&g_tasks.lock);
	pid = who ? pid_find_locked(task_pid_namespace(task), who)
		  : pid_get(task->group->process_group);
	if (pid) {
		LIST_FOREACH (group, &pid->group_members, group_member) {
			TAILQ_FOREACH (thread, &group->tasks, group_link) {
				error = error ? error : array_add(array, thread);
			}
		}
	}
	mutex_unlock(&g_tasks.lock);
	pid_put(pid);
	return error;
}

static int collect_user(struct task *task, int who, struct task_array *array)
{
	struct pid_namespace *ns = task_pid_namespace(task);
	uint32_t uid = task->cred->uid;
	struct pid *pid;
	int error = 0;

	if (who)
		uid = user_namespace_make_uid(task->cred->user_ns, (uint32_t)who);
	if (uid == UINT32_MAX)
		return -EINVAL;
	for (int number = 1; !error && number > 0 && (pid = pid_next(ns, number)); number++) {
		struct task *found;

		number = pid_number_in(pid, ns);
		mutex_lock(&g_tasks.lock);
		found = pid->task;
		if (found) {
			const struct cred *cred = task_get_cred(found);

			if (cred->uid == uid)
				error = array_add(array, found);
			cred_put(cred);
		}
		mutex_unlock(&g_tasks.lock);
		pid_put(pid);
	}
	return error;
}

static int collect_one(struct task *task, int who, struct task_array *array)
{
	struct task *target = who ? task_find(task, who) : task_get(task);
	int error;

	if (!target)
		return 0;
	error = array_add(array, target);
	task_put(target);
	return error;
}

int scheduling_each(struct task *task, enum scheduling_who which, int who,
	void (*visit)(struct task *task, struct task *target, void *argument), void *argument)
{
	struct task_array array = {0};
	int error;

	if (which == SCHEDULING_TASK)
		error = collect_one(task, who, &array);
	else if (which == SCHEDULING_PROCESS_GROUP)
		error = collect_process_group(task, who, &array);
	else
		error = collect_user(task, who, &array);
	for (size_t i = 0; i < array.count; i++) {
		if (!error)
			visit(task, array.tasks[i], argument);
		task_put(array.tasks[i]);
	}
	free(array.tasks);
	if (!error && !array.count)
		return -ESRCH;
	return error;
}
