/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for children and tracees (wait(2)). */
#pragma once

#include "abi/resource.h"
#include "abi/wait.h"
#include "base/compiler.h"
#include "sentry/kernel/task.h"

#include <stdbool.h>
#include <stdint.h>

enum wait_whom { WAIT_ANY, WAIT_PID, WAIT_PROCESS_GROUP };

struct wait_request {
	enum wait_whom whom;
	struct pid *pid;  /* borrowed; NULL matches nobody (but for WAIT_ANY) */
	uint32_t options; /* LINUX_W... */
	/* What is found. */
	int number; /* of the child, as the caller's namespace sees it; 0: nothing (WNOHANG) */
	int status; /* wait4(2)'s */
	int cause;  /* LINUX_CLD_ */
	int cause_status; /* waitid(2)'s si_status */
	uint32_t uid;	  /* the child's real one, as the caller's namespace sees it */
	struct linux_rusage usage;
};

/* Own thread. 0, -ECHILD, -ERESTARTSYS. */
must_check int task_wait(struct task *task, struct wait_request *request);

/* The zombies among a process's children that only it can wait for. RANK_TASK_SET held; the caller
 * releases the list. */
void wait_reap_children_locked(struct thread_group *group, struct task_list *dead);

/* getrusage(2) of a whole process with its dead threads. RANK_TASK_SET held or the process is the
 * caller's. */
void thread_group_usage(struct thread_group *group, struct linux_rusage *usage);
