/* SPDX-License-Identifier: Apache-2.0 */
/* Scheduling: policies, priorities, affinity, nice values, I/O priorities. */
#include "abi/sched.h"

#include "abi/capability.h"
#include "abi/ioprio.h"
#include "abi/resource.h"
#include "sentry/kernel/scheduling.h"
#include "sentry/kernel/task.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/time/sleep.h"

#include <errno.h>
#include <string.h>

/* What sched_rr_get_interval(2) tells: the quantum of SCHED_RR, and a fair one's usual slice. */
#define RR_QUANTUM_NS	100000000
#define FAIR_QUANTUM_NS 4000000

/* The task that a pid argument names, with a reference; 0 is the caller. */
static int find_target(struct task *task, int pid, struct task **target)
{
	if (pid < 0)
		return -EINVAL;
	*target = pid ? task_find(task, pid) : task_get(task);
	return *target ? 0 : -ESRCH;
}

int64_t sys_sched_yield(struct task *task, const uint64_t args[6])
{
	(void)sched_yield();
	return 0;
}

/* --- policies --- */

static int64_t set_policy(struct task *task, int pid, int policy, gaddr_t parameter)
{
	struct linux_sched_attr attr = {.size = sizeof(attr)};
	struct linux_sched_param param;
	struct task *target;
	int error;

	if (!parameter || pid < 0)
		return -EINVAL;
	if (mm_copy_in(task->mm, &param, parameter, sizeof(param)))
		return -EFAULT;
	error = find_target(task, pid, &target);
	if (error)
		return error;
	if (policy < 0) {
		attr.sched_flags =
			LINUX_SCHED_FLAG_KEEP_POLICY |
			(target->scheduling.sched_flags & LINUX_SCHED_FLAG_RESET_ON_FORK);
	} else {
		if (policy & LINUX_SCHED_RESET_ON_FORK)
			attr.sched_flags = LINUX_SCHED_FLAG_RESET_ON_FORK;
		attr.sched_policy = (uint32_t)(policy & ~LINUX_SCHED_RESET_ON_FORK);
	}
	attr.sched_priority = (uint32_t)param.sched_priority;
	attr.sched_nice = target->nice_value;
	error = scheduling_set(task, target, &attr);
	task_put(target);
	return error;
}

int64_t sys_sched_setscheduler(struct task *task, const uint64_t args[6])
{
	int policy = (int)args[1];

	return policy < 0 ? -EINVAL : set_policy(task, (int)args[0], policy, args[2]);
}

int64_t sys_sched_setparam(struct task *task, const uint64_t args[6])
{
	return set_policy(task, (int)args[0], -1, args[1]);
}

int64_t sys_sched_getscheduler(struct task *task, const uint64_t args[6])
{
	struct linux_sched_attr attr;
	struct task *target;
	int error = find_target(task, (int)args[0], &target);

	if (error)
		return error;
	scheduling_get(target, &attr);
	task_put(target);
	return attr.sched_policy |
	       (attr.sched_flags & LINUX_SCHED_FLAG_RESET_ON_FORK ? LINUX_SCHED_RESET_ON_FORK : 0);
}

int64_t sys_sched_getparam(struct task *task, const uint64_t args[6])
{
	struct linux_sched_attr attr;
	struct linux_sched_param param;
	struct task *target;
	int error;

	if (!args[1])
		return -EINVAL;
	error = find_target(task, (int)args[0], &target);
	if (error)
		return error;
	scheduling_get(target, &attr);
	task_put(target);
	param.sched_priority = (int32_t)attr.sched_priority;
	return mm_copy_out(task->mm, args[1], &param, sizeof(param));
}

/* A structure that a newer program may know more fields of: those must be zero. */
static int attr_read(struct task *task, gaddr_t address, struct linux_sched_attr *attr)
{
	const uint32_t known = sizeof(*attr);
	uint8_t rest[PAGE_SIZE];
	uint32_t size;

	memset(attr, 0, sizeof(*attr));
	if (mm_copy_in(task->mm, &size, address, sizeof(size)))
		return -EFAULT;
	if (size == 0)
		size = LINUX_SCHED_ATTR_SIZE_VER0;
	if (size < LINUX_SCHED_ATTR_SIZE_VER0 || size > PAGE_SIZE)
		goto too_big;
	if (mm_copy_in(task->mm, rest, address, size))
		return -EFAULT;
	for (uint32_t i = known; i < size; i++) {
		if (rest[i])
			goto too_big;
	}
	memcpy(attr, rest, size < known ? size : known);
	if ((attr->sched_flags & LINUX_SCHED_FLAG_UTIL_CLAMP) && size < LINUX_SCHED_ATTR_SIZE_VER1)
		return -EINVAL;
	if (attr->sched_nice < LINUX_NICE_MIN)
		attr->sched_nice = LINUX_NICE_MIN;
	if (attr->sched_nice > LINUX_NICE_MAX)
		attr->sched_nice = LINUX_NICE_MAX;
	return 0;
too_big:
	return mm_copy_out(task->mm, address, &known, sizeof(known)) ? -EFAULT : -E2BIG;
}

int64_t sys_sched_setattr(struct task *task, const uint64_t args[6])
{
	struct linux_sched_attr attr;
	struct task *target;
	int error;

	if (!args[1] || (int)args[0] < 0 || (uint32_t)args[2])
		return -EINVAL;
	error = attr_read(task, args[1], &attr);
	if (error)
		return error;
	if ((int32_t)attr.sched_policy < 0)
		return -EINVAL;
	error = find_target(task, (int)args[0], &target);
	if (error)
		return error;
	error = scheduling_set(task, target, &attr);
	task_put(target);
	return error;
}

int64_t sys_sched_getattr(struct task *task, const uint64_t args[6])
{
	uint32_t size = (uint32_t)args[2];
	struct linux_sched_attr attr;
	struct task *target;
	int error;

	if (!args[1] || (uint32_t)args[3] || size > PAGE_SIZE || size < LINUX_SCHED_ATTR_SIZE_VER0)
		return -EINVAL;
	error = find_target(task, (int)args[0], &target);
	if (error)
		return error;
	scheduling_get(target, &attr);
	task_put(target);
	if (size < attr.size)
		attr.size = size;
	return mm_copy_out(task->mm, args[1], &attr, attr.size);
}

int64_t sys_sched_get_priority_max(struct task *task, const uint64_t args[6])
{
	switch ((int)args[0]) {
	case LINUX_SCHED_FIFO:
	case LINUX_SCHED_RR:
		return LINUX_SCHED_RT_PRIORITY_MAX;
	case LINUX_SCHED_NORMAL:
	case LINUX_SCHED_BATCH:
	case LINUX_SCHED_IDLE:
	case LINUX_SCHED_DEADLINE:
		return 0;
	default:
		return -EINVAL;
	}
}

int64_t sys_sched_get_priority_min(struct task *task, const uint64_t args[6])
{
	int64_t most = sys_sched_get_priority_max(task, args);

	return most > 0 ? LINUX_SCHED_RT_PRIORITY_MIN : most;
}

int64_t sys_sched_rr_get_interval(struct task *task, const uint64_t args[6])
{
	struct linux_sched_attr attr;
	struct linux_timespec time;
	struct task *target;
	int error = find_target(task, (int)args[0], &target);

	if (error)
		return error;
	scheduling_get(target, &attr);
	task_put(target);
	if (attr.sched_policy == LINUX_SCHED_RR)
		time = timespec_from_ns(RR_QUANTUM_NS);
	else if (attr.sched_policy == LINUX_SCHED_FIFO || attr.sched_policy == LINUX_SCHED_DEADLINE)
		time = timespec_from_ns(0);
	else
		time = timespec_from_ns(FAIR_QUANTUM_NS);
	return mm_copy_out(task->mm, args[1], &time, sizeof(time));
}

/* --- affinity --- */

int64_t sys_sched_setaffinity(struct task *task, const uint64_t args[6])
{
	uint32_t size = (uint32_t)args[1];
	struct task *target;
	cpu_set_t set;
	int error;

	CPU_ZERO(&set);
	if (size > sizeof(set))
		size = sizeof(set);
	if (mm_copy_in(task->mm, &set, args[2], size))
		return -EFAULT;
	target = (int)args[0] ? task_find(task, (int)args[0]) : task_get(task);
	if (!target)
		return -ESRCH;
	error = scheduling_set_affinity(task, target, &set);
	task_put(target);
	return error;
}

int64_t sys_sched_getaffinity(struct task *task, const uint64_t args[6])
{
	uint32_t size = (uint32_t)args[1];
	uint32_t mask = (uint32_t)(scheduling_processors() + 63) / 64 * 8;
	struct task *target;
	cpu_set_t set;

	if (size < (uint32_t)(scheduling_processors() + 7) / 8 || size % 8)
		return -EINVAL;
	target = (int)args[0] ? task_find(task, (int)args[0]) : task_get(task);
	if (!target)
		return -ESRCH;
	task_get_affinity(target, &set);
	task_put(target);
	if (size > mask)
		size = mask;
	return mm_copy_out(task->mm, args[2], &set, size) ? -EFAULT : (int64_t)size;
}

/* --- nice values and I/O priorities --- */

struct priority_visit {
	int value;
	int result;
};

static void visit_get_nice(struct task *task, struct task *target, void *argument)
{
	struct priority_visit *visit = argument;
	int shown = 20 - target->nice_value;

	if (shown > visit->result)
		visit->result = shown;
}

/* The last failure counts, but one success makes up for those who are gone. */
static void visit_set_nice(struct task *task, struct task *target, void *argument)
{
	struct priority_visit *visit = argument;
	int error = scheduling_set_nice(task, target, visit->value);

	if (error)
		visit->result = error;
}

int64_t sys_getpriority(struct task *task, const uint64_t args[6])
{
	struct priority_visit visit = {.result = -ESRCH};
	int error;

	if ((uint32_t)args[0] > LINUX_PRIO_USER)
		return -EINVAL;
	error = scheduling_each(
		task, (enum scheduling_who)(uint32_t)args[0], (int)args[1], visit_get_nice, &visit);
	return error ? -ESRCH : visit.result;
}

int64_t sys_setpriority(struct task *task, const uint64_t args[6])
{
	struct priority_visit visit = {.value = (int)args[2]};
	int error;

	if ((uint32_t)args[0] > LINUX_PRIO_USER)
		return -EINVAL;
	if (visit.value < LINUX_NICE_MIN)
		visit.value = LINUX_NICE_MIN;
	if (visit.value > LINUX_NICE_MAX)
		visit.value = LINUX_NICE_MAX;
	error = scheduling_each(
		task, (enum scheduling_who)(uint32_t)args[0], (int)args[1], visit_set_nice, &visit);
	if (error)
		return error == -EINVAL ? -ESRCH : error;
	return visit.result;
}

static int ioprio_check(int ioprio)
{
	int level = LINUX_IOPRIO_LEVEL(ioprio);

	switch (LINUX_IOPRIO_CLASS(ioprio)) {
	case LINUX_IOPRIO_CLASS_RT:
		return capable(LINUX_CAP_SYS_ADMIN) || capable(LINUX_CAP_SYS_NICE) ? 0 : -EPERM;
	case LINUX_IOPRIO_CLASS_BE:
	case LINUX_IOPRIO_CLASS_IDLE:
		return 0;
	case LINUX_IOPRIO_CLASS_NONE:
		return level ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

static void visit_set_ioprio(struct task *task, struct task *target, void *argument)
{
	struct priority_visit *visit = argument;
	int error = scheduling_set_ioprio(task, target, visit->value);

	if (error)
		visit->result = error;
}

/* The best of several: the smallest number, where no class is the best-effort one. */
static void visit_get_ioprio(struct task *task, struct task *target, void *argument)
{
	struct priority_visit *visit = argument;

	if (visit->result < 0 || target->ioprio < visit->result)
		visit->result = target->ioprio;
}

static int ioprio_who(int which, enum scheduling_who *who)
{
	switch (which) {
	case LINUX_IOPRIO_WHO_PROCESS:
		*who = SCHEDULING_TASK;
		return 0;
	case LINUX_IOPRIO_WHO_PGRP:
		*who = SCHEDULING_PROCESS_GROUP;
		return 0;
	case LINUX_IOPRIO_WHO_USER:
		*who = SCHEDULING_USER;
		return 0;
	default:
		return -EINVAL;
	}
}

int64_t sys_ioprio_set(struct task *task, const uint64_t args[6])
{
	struct priority_visit visit = {.value = (int)args[2]};
	enum scheduling_who who;
	int error = ioprio_check(visit.value);

	if (!error)
		error = ioprio_who((int)args[0], &who);
	if (!error)
		error = scheduling_each(task, who, (int)args[1], visit_set_ioprio, &visit);
	return error ? error : visit.result;
}

int64_t sys_ioprio_get(struct task *task, const uint64_t args[6])
{
	struct priority_visit visit = {.result = -ESRCH};
	enum scheduling_who who;
	int error = ioprio_who((int)args[0], &who);

	if (!error)
		error = scheduling_each(task, who, (int)args[1], visit_get_ioprio, &visit);
	return error ? error : visit.result;
}
