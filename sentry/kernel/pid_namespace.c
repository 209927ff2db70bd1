/* SPDX-License-Identifier: Apache-2.0 */
/* Pid namespaces (pid_namespaces(7)): a tree of sets of numbers, each with an init that adopts
 * orphans and takes all along when it dies. */
#include "sentry/kernel/exit_notify.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/pid.h"
#include "sentry/kernel/ptrace_state.h"
#include "sentry/kernel/wait.h"

#include <errno.h>
#include <stdlib.h>

REFCOUNT_TYPE(pid_namespace_refs, "pid_namespace");

struct pid_namespace *pid_namespace_get(struct pid_namespace *ns)
{
	refcount_get(&ns->refs);
	return ns;
}

void pid_namespace_put(struct pid_namespace *ns)
{
	while (ns && refcount_put(&ns->refs)) {
		struct pid_namespace *parent = ns->parent;

		user_namespace_put(ns->user_ns);
		free(ns);
		ns = parent;
	}
}

int pid_namespace_new(
	struct pid_namespace *parent, struct user_namespace *user_ns, struct pid_namespace **out)
{
	struct pid_namespace *ns;

	if (parent && parent->level + 1 >= PID_NAMESPACE_DEPTH_MAX)
		return -ENOSPC;
	ns = calloc(1, sizeof(*ns));
	if (!ns)
		return -ENOMEM;
	refcount_init(&ns->refs, &pid_namespace_refs);
	if (parent) {
		ns->parent = pid_namespace_get(parent);
		ns->level = parent->level + 1;
	}
	RB_INIT(&ns->numbers);
	ns->user_ns = user_namespace_get(user_ns);
	ns->ino = parent ? namespace_inode_new() : NAMESPACE_INODE_PID;
	*out = ns;
	return 0;
}

/* --- the end of a namespace --- */

static void kill_member(struct thread_group *group)
{
	struct sighand *sighand = group->leader->sighand;

	mutex_lock(&sighand->lock);
	thread_group_exit_locked(group->leader, LINUX_SIGKILL);
	mutex_unlock(&sighand->lock);
}

static void kill_members_locked(struct pid_namespace *ns, struct thread_group *init)
{
	struct pid_number *entry;

	for (entry = pid_number_next_locked(ns, 1); entry;
		entry = pid_number_next_locked(ns, entry->number + 1)) {
		struct thread_group *group = entry->pid->group;

		if (group && group != init)
			kill_member(group);
	}
}

/* From now on children of the dying init go away by themselves; those that are zombies already are
 * taken along. */
static void zap_begin(struct pid_namespace *ns, struct task *task)
{
	struct task_list dead = TAILQ_HEAD_INITIALIZER(dead);

	mutex_lock(&g_tasks.lock);
	ns->init = task;
	ns->dying = true;
	mutex_lock(&task->sighand->lock);
	task->sighand->actions[LINUX_SIGCHLD - 1].sa_handler = LINUX_SIG_IGN;
	mutex_unlock(&task->sighand->lock);
	ptrace_exit_tracer_locked(task, &dead);
	kill_members_locked(ns, task->group);
	wait_reap_children_locked(task->group, &dead);
	mutex_unlock(&g_tasks.lock);
	task_release_list(&dead);
}

void pid_namespace_end(struct task *task)
{
	struct pid_namespace *ns = task_pid_namespace(task);
	unsigned int own = task->group->leader == task ? 1 : 2;
	bool is_init;

	mutex_lock(&g_tasks.lock);
	is_init = ns->init && ns->init->group == task->group;
	mutex_unlock(&g_tasks.lock);
	if (!is_init)
		return;
	zap_begin(ns, task);
	for (;;) {
		unsigned int left;

		mutex_lock(&g_tasks.lock);
		left = ns->count;
		if (left <= own)
			ns->init = NULL;
		mutex_unlock(&g_tasks.lock);
		if (left <= own)
			break;
		/* Each task of the namespace that goes wakes the one that waits here. */
		task_sleep(task);
	}
}
