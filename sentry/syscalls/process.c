/* SPDX-License-Identifier: Apache-2.0 */
/* Who a task is: getpid(2) and its kin, set_tid_address(2), kcmp(2). */
#include "sentry/kernel/kcmp.h"
#include "sentry/kernel/task.h"
#include "sentry/syscalls/syscalls.h"

int64_t sys_getpid(struct task *task, const uint64_t args[6])
{
	return task_tgid(task);
}

int64_t sys_gettid(struct task *task, const uint64_t args[6])
{
	return task_tid(task);
}

int64_t sys_getppid(struct task *task, const uint64_t args[6])
{
	struct task *parent;

	mutex_guard(&g_tasks.lock);
	parent = task->group->parent;
	return parent ? thread_group_number_seen_by(parent->group, task) : 0;
}

int64_t sys_set_tid_address(struct task *task, const uint64_t args[6])
{
	task->clear_child_tid = args[0];
	return task_tid(task);
}

int64_t sys_kcmp(struct task *task, const uint64_t args[6])
{
	return task_kcmp(task, (int)args[0], (int)args[1], (int)args[2], args[3], args[4]);
}
