/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scheduling parameters as guests see them (sched(7)): policies, priorities, nice values and
 * affinities are kept and reported; the host schedules.
 */
#pragma once

#include "abi/sched.h"
#include "base/compiler.h"

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

struct task;

/* Processors that guests see; 1 to SCHEDULING_PROCESSORS_MAX. Set once at start; what the host
 * offers until then. */
#define SCHEDULING_PROCESSORS_MAX 1024
void scheduling_set_processors(int count);
int scheduling_processors(void);
void scheduling_all_processors(cpu_set_t *set);
/* The processor that a task is said to run on: one that its affinity allows. */
int task_cpu(struct task *task);
/* Takes RANK_TASK. All processors, unless the task said otherwise. */
void task_get_affinity(struct task *task, cpu_set_t *set);

/* clone: what a child takes over (SCHED_RESET_ON_FORK). Child not visible yet. -ENOMEM. */
must_check int scheduling_fork(struct task *parent, struct task *child);
void scheduling_release(struct task *task);

/* task is the caller, whose rights count. */

/* sched_setattr(2) and its kin. flags and values in attr are checked; nice is ignored for real-time
 * policies. */
must_check int scheduling_set(
	struct task *task, struct task *target, const struct linux_sched_attr *attr);
void scheduling_get(struct task *target, struct linux_sched_attr *attr);
must_check int scheduling_set_affinity(
	struct task *task, struct task *target, const cpu_set_t *set);
/* -EACCES for who may not go that low, -EPERM over others' tasks. */
must_check int scheduling_set_nice(struct task *task, struct task *target, int nice);
must_check int scheduling_set_ioprio(struct task *task, struct task *target, int ioprio);

/* setpriority(2), ioprio_set(2): one task, a process group, or all of a user. */
enum scheduling_who { SCHEDULING_TASK, SCHEDULING_PROCESS_GROUP, SCHEDULING_USER };
/*
 * Calls visit for each; no lock held. -ESRCH when there is none, -EINVAL for an unmapped user; else
 * what the visits left in *result is the caller's business.
 */
must_check int scheduling_each(struct task *task, enum scheduling_who which, int who,
	void (*visit)(struct task *task, struct task *target, void *argument), void *argument);
