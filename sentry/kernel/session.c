/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions and process groups: who belongs to which, and who may move whom (setpgid(2), setsid(2)).
 */
#include "sentry/kernel/session.h"

#include "sentry/kernel/task.h"
#include "sentry/kernel/task_run.h"

#include <errno.h>
#include <stdlib.h>

REFCOUNT_TYPE(session_refs, "session");

static const struct session_hooks *session_hooks;

void session_set_hooks(const struct session_hooks *hooks)
{
	session_hooks = hooks;
}

static int session_new(struct thread_group *leader, struct session **out)
{
	struct session *session = calloc(1, sizeof(*session));

	if (!session)
		return -ENOMEM;
	refcount_init(&session->refs, &session_refs);
	session->pid = pid_get(leader->pid);
	session->leader = leader;
	*out = session;
	return 0;
}

struct session *session_get(struct session *session)
{
	refcount_get(&session->refs);
	return session;
}

void session_put(struct session *session)
{
	if (!session || !refcount_put(&session->refs))
		return;
	pid_put(session->pid);
	free(session);
}

/* --- membership; RANK_TASK_SET held --- */

static void group_join_locked(struct thread_group *group, struct pid *process_group)
{
	group->process_group = pid_get(process_group);
	LIST_INSERT_HEAD(&process_group->group_members, group, group_member);
}

static void group_leave_locked(struct thread_group *group)
{
	struct pid *process_group = steal_pointer(&group->process_group);

	if (!process_group)
		return;
	LIST_REMOVE(group, group_member);
	pid_release_if_unused_locked(process_group);
	pid_put(process_group);
}

static void session_join_locked(struct thread_group *group, struct session *session)
{
	group->session = session;
	group->session_pid = pid_get(session->pid);
	LIST_INSERT_HEAD(&session->pid->session_members, group, session_member);
}

/* The reference to the session is the caller's to drop: its end may not be under the lock. */
static struct session *session_part_locked(struct thread_group *group)
{
	struct session *session = steal_pointer(&group->session);
	struct pid *pid = steal_pointer(&group->session_pid);

	if (!session)
		return NULL;
	LIST_REMOVE(group, session_member);
	if (session->leader == group)
		session->leader = NULL;
	pid_release_if_unused_locked(pid);
	pid_put(pid);
	return session;
}

void session_fork_locked(struct thread_group *parent, struct thread_group *child)
{
	if (!parent->session)
		return;
	group_join_locked(child, parent->process_group);
	session_join_locked(child, session_get(parent->session));
}

void session_leave_locked(struct thread_group *group)
{
	group_leave_locked(group);
	session_put(session_part_locked(group));
}

int session_init_locked(struct thread_group *group)
{
	struct session *session;
	int err = session_new(group, &session);

	if (err)
		return err;
	session_leave_locked(group);
	group_join_locked(group, group->pid);
	session_join_locked(group, session);
	return 0;
}

void session_init_job_locked(struct thread_group *group, struct thread_group *parent)
{
	group_join_locked(group, group->pid);
	session_join_locked(group, session_get(parent->session));
}

int64_t session_create(struct task *task)
{
	struct thread_group *group = task->group;
	int err;

	mutex_guard(&g_tasks.lock);
	/* A process group of that number exists, or it leads a session already. */
	if ((group->session && group->session->leader == group) ||
		!LIST_EMPTY(&group->pid->group_members))
		return -EPERM;
	err = session_init_locked(group);
	return err ? err : task_tgid(task);
}

/* --- setpgid(2) --- */

/* The process that a number means: the caller's own, or a child's. */
static int find_member_locked(struct task *task, int tgid, struct thread_group **out)
{
	struct pid *pid = pid_find_locked(task_pid_namespace(task), tgid ? tgid : task_tgid(task));
	struct thread_group *group = pid ? pid->group : NULL;

	pid_put(pid);
	if (!group)
		return -ESRCH;
	*out = group;
	if (group == task->group)
		return 0;
	if (!group->parent || group->parent->group != task->group)
		return -ESRCH;
	if (group->session != task->group->session)
		return -EPERM;
	return group->did_exec ? -EACCES : 0;
}

/* The group to join: the process's own number, or one that exists in the session. */
static int find_target_locked(
	struct task *task, struct thread_group *group, int pgid, struct pid **out)
{
	struct thread_group *member;
	struct pid *pid;

	if (pgid == 0 || pgid == pid_number_in(group->pid, task_pid_namespace(task))) {
		*out = pid_get(group->pid);
		return 0;
	}
	pid = pid_find_locked(task_pid_namespace(task), pgid);
	member = pid ? LIST_FIRST(&pid->group_members) : NULL;
	if (!member || member->session != task->group->session) {
		pid_put(pid);
		return -EPERM;
	}
	*out = pid;
	return 0;
}

int process_group_set(struct task *task, int tgid, int pgid)
{
	struct thread_group *group;
	struct pid *target;
	int err;

	if (pgid < 0)
		return -EINVAL;
	mutex_guard(&g_tasks.lock);
	err = find_member_locked(task, tgid, &group);
	if (err)
		return err;
	if (group->session && group->session->leader == group)
		return -EPERM;
	err = find_target_locked(task, group, pgid, &target);
	if (err)
		return err;
	if (target != group->process_group) {
		group_leave_locked(group);
		group_join_locked(group, target);
	}
	pid_put(target);
	return 0;
}

/* --- asking --- */

int64_t process_group_get(struct task *task, int tgid)
{
	struct pid_namespace *ns = task_pid_namespace(task);
	struct thread_group *group = task->group;
	struct pid *pid;

	mutex_guard(&g_tasks.lock);
	if (tgid) {
		pid = pid_find_locked(ns, tgid);
		group = pid && pid->task ? pid->task->group : NULL;
		pid_put(pid);
	}
	return group ? pid_number_in(group->process_group, ns) : -ESRCH;
}

int64_t session_number_get(struct task *task, int tgid)
{
	struct pid_namespace *ns = task_pid_namespace(task);
	struct thread_group *group = task->group;
	struct pid *pid;

	mutex_guard(&g_tasks.lock);
	if (tgid) {
		pid = pid_find_locked(ns, tgid);
		group = pid && pid->task ? pid->task->group : NULL;
		pid_put(pid);
	}
	return group ? pid_number_in(group->session_pid, ns) : -ESRCH;
}

struct pid *thread_group_process_group(struct thread_group *group)
{
	mutex_guard(&g_tasks.lock);
	return group->process_group ? pid_get(group->process_group) : NULL;
}

struct session *thread_group_session(struct thread_group *group)
{
	mutex_guard(&g_tasks.lock);
	return group->session ? session_get(group->session) : NULL;
}

struct pid *process_group_find_in_session(struct task *task, struct session *session, int number)
{
	struct thread_group *member;
	struct pid *pid;

	mutex_guard(&g_tasks.lock);
	pid = pid_find_locked(task_pid_namespace(task), number);
	member = pid ? LIST_FIRST(&pid->group_members) : NULL;
	if (member && member->session == session)
		return pid;
	pid_put(pid);
	return NULL;
}

bool process_group_is_orphaned(struct pid *process_group)
{
	mutex_guard(&g_tasks.lock);
	return process_group_is_orphaned_locked(process_group, NULL);
}

/* --- the end of a leader --- */

void session_process_exited(struct thread_group *group)
{
	struct session *session;
	bool leader;

	mutex_lock(&g_tasks.lock);
	session = group->session ? session_get(group->session) : NULL;
	leader = session && session->leader == group;
	mutex_unlock(&g_tasks.lock);
	if (leader && session_hooks && session_hooks->leader_exited)
		session_hooks->leader_exited(session);
	session_put(session);
}
