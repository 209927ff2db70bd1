/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is told of a task's end, who adopts its children, and how a zombie goes away (wait(2),
 * prctl(2) PR_SET_CHILD_SUBREAPER).
 *
 * The tracer is told first; the parent only when the tracer has seen it. A leader's end is told
 * when its last thread is gone.
 */
#include "sentry/kernel/exit_notify.h"

#include "abi/epoll.h"
#include "abi/wait.h"
#include "base/log.h"
#include "sentry/kernel/boot.h"
#include "sentry/kernel/ptrace_state.h"
#include "sentry/kernel/seccomp.h"
#include "sentry/kernel/session.h"
#include "sentry/kernel/user_count.h"
#include "sentry/time/clock.h"

/* --- telling --- */

static void set_exit_state(struct task *task, enum exit_state state)
{
	mutex_lock(&task->sighand->lock);
	task->exit_state = state;
	mutex_unlock(&task->sighand->lock);
}

static int reported_status(struct task *task)
{
	return task->group->exiting ? task->group->exit_code : task->exit_code;
}

static void fill_exit_info(
	struct linux_siginfo *info, struct task *task, struct task *parent, int signal)
{
	const struct cred *parent_cred = task_get_cred(parent), *cred = task_get_cred(task);
	uint64_t user =
		atomic_load(&task->times.user_ns) + atomic_load(&task->group->dead_threads.user_ns);
	uint64_t system = atomic_load(&task->times.system_ns) +
			  atomic_load(&task->group->dead_threads.system_ns);
	int status = task->exit_code;

	*info = (struct linux_siginfo){.si_signo = signal};
	info->sigchld.si_pid = pid_number_in(task->pid, task_pid_namespace(parent));
	info->sigchld.si_uid = user_namespace_show_uid(parent_cred->user_ns, cred->uid);
	info->sigchld.si_utime = (int64_t)(user / NSEC_PER_TICK);
	info->sigchld.si_stime = (int64_t)(system / NSEC_PER_TICK);
	if ((status & 0x7f) == 0) {
		info->si_code = LINUX_CLD_EXITED;
		info->sigchld.si_status = status >> 8;
	} else {
		info->si_code = status & LINUX_WCOREFLAG ? LINUX_CLD_DUMPED : LINUX_CLD_KILLED;
		info->sigchld.si_status = status & 0x7f;
	}
	cred_put(cred);
	cred_put(parent_cred);
}

bool task_notify_parent_locked(struct task *task, int signal)
{
	bool traced = task->ptrace->tracer;
	struct task *parent = traced ? task->ptrace->tracer : task->group->parent;
	const struct linux_sigaction *action;
	struct linux_siginfo info;
	bool reap = false;

	mutex_assert_held(&g_tasks.lock);
	wait_queue_wake(&task->pid->exit_queue, LINUX_EPOLLIN);
	if (!parent)
		return true;
	/* Another signal than SIGCHLD was the wish of the program that forked. */
	if (signal != LINUX_SIGCHLD && !traced &&
		task->group->parent_exec_count != parent->group->exec_count)
		signal = LINUX_SIGCHLD;
	fill_exit_info(&info, task, parent, signal);
	mutex_lock(&parent->sighand->lock);
	action = &parent->sighand->actions[LINUX_SIGCHLD - 1];
	if (!traced && signal == LINUX_SIGCHLD &&
		(action->sa_handler == LINUX_SIG_IGN || (action->sa_flags & LINUX_SA_NOCLDWAIT))) {
		reap = true;
		if (action->sa_handler == LINUX_SIG_IGN)
			signal = 0;
	}
	/* clone(2) takes any byte for a signal; one that there is not is none. */
	if (signal > 0 && signal <= LINUX_NSIG)
		(void)signal_send_locked(parent, &info, true);
	mutex_unlock(&parent->sighand->lock);
	wait_queue_wake(&parent->group->child_queue, LINUX_EPOLLIN);
	return reap;
}

/* --- orphaned process groups (setpgid(2), POSIX "orphaned process group") --- */

static bool group_is_zombie(const struct thread_group *group)
{
	return group->leader->exit_state >= TASK_ZOMBIE && thread_group_is_empty_locked(group);
}

bool process_group_is_orphaned_locked(struct pid *process_group, struct thread_group *ignored)
{
	struct thread_group *member;

	LIST_FOREACH (member, &process_group->group_members, group_member) {
		struct thread_group *parent = member->parent ? member->parent->group : NULL;

		if (member == ignored || group_is_zombie(member) || !parent)
			continue;
		/* Init looks after nobody's jobs but the sandbox's own, which its terminal may
		 * stop. */
		if (!parent->parent && !boot_is_first(member))
			continue;
		if (parent->process_group != process_group && parent->session == member->session)
			return false;
	}
	return true;
}

static bool has_stopped_members(struct pid *process_group)
{
	struct thread_group *member;

	LIST_FOREACH (member, &process_group->group_members, group_member) {
		if (member->stop_state == GROUP_STOPPED)
			return true;
	}
	return false;
}

static void signal_members(struct pid *process_group, int signal)
{
	struct thread_group *member;
	struct linux_siginfo info;

	siginfo_kernel(&info, signal);
	LIST_FOREACH (member, &process_group->group_members, group_member) {
		mutex_lock(&member->sighand->lock);
		(void)signal_send_locked(member->leader, &info, true);
		mutex_unlock(&member->sighand->lock);
	}
}

void process_group_check_orphaned_locked(struct thread_group *group, struct task *former_parent)
{
	struct pid *process_group = group->process_group;
	struct task *parent = former_parent ? former_parent : group->parent;

	if (!parent || !process_group)
		return;
	if (parent->group->process_group != process_group &&
		parent->group->session == group->session &&
		process_group_is_orphaned_locked(process_group, former_parent ? NULL : group) &&
		has_stopped_members(process_group)) {
		signal_members(process_group, LINUX_SIGHUP);
		signal_members(process_group, LINUX_SIGCONT);
	}
}

/* --- new parents --- */

static struct task *alive_thread(struct thread_group *group)
{
	struct task *thread;

	TAILQ_FOREACH (thread, &group->tasks, group_link) {
		if (thread->exit_state == TASK_ALIVE)
			return thread;
	}
	return NULL;
}

static struct task *subreaper_of(struct task *father)
{
	struct pid_namespace *ns = task_pid_namespace(father);

	for (struct task *at = father->group->parent; at; at = at->group->parent) {
		struct task *thread;

		if (task_pid_namespace(at) != ns)
			break;
		if (!at->group->subreaper)
			continue;
		thread = alive_thread(at->group);
		if (thread)
			return thread;
	}
	return NULL;
}

/* Another thread of the process, a subreaper, or the namespace's init; NULL when even that is
 * ending. */
static struct task *find_reaper(struct task *father)
{
	struct task *reaper = alive_thread(father->group);

	if (!reaper)
		reaper = subreaper_of(father);
	if (!reaper)
		reaper = task_pid_namespace(father)->init;
	if (reaper && reaper->group == father->group && !alive_thread(father->group))
		return NULL;
	return reaper;
}

static void signal_parent_death(struct thread_group *child)
{
	struct linux_siginfo info;
	struct task *thread;

	TAILQ_FOREACH (thread, &child->tasks, group_link) {
		if (!thread->pdeath_signal)
			continue;
		siginfo_kernel(&info, thread->pdeath_signal);
		info.si_code = LINUX_SI_USER;
		mutex_lock(&thread->sighand->lock);
		(void)signal_send_locked(thread, &info, true);
		mutex_unlock(&thread->sighand->lock);
	}
}

/* The child now belongs to another process. */
static void adopt(struct task *father, struct thread_group *child, struct task *reaper,
	struct task_list *dead)
{
	struct task *leader = child->leader;

	LIST_REMOVE(child, sibling);
	child->sibling.le_prev = NULL;
	child->parent = reaper;
	leader->exit_signal = LINUX_SIGCHLD;
	if (reaper)
		LIST_INSERT_HEAD(&reaper->group->children, child, sibling);
	if (leader->exit_state == TASK_DEAD)
		return;
	if (!leader->ptrace->tracer && leader->exit_state == TASK_ZOMBIE &&
		thread_group_is_empty_locked(child) &&
		task_notify_parent_locked(leader, LINUX_SIGCHLD)) {
		set_exit_state(leader, TASK_DEAD);
		TAILQ_INSERT_TAIL(dead, leader, dead_link);
	}
	process_group_check_orphaned_locked(child, father);
}

static void forget_children(struct task *father, struct task_list *dead)
{
	struct thread_group *child, *next;
	struct task *reaper = NULL;
	bool found = false;

	LIST_FOREACH_SAFE (child, &father->group->children, sibling, next) {
		if (child->parent != father)
			continue;
		if (!found)
			reaper = find_reaper(father);
		found = true;
		signal_parent_death(child);
		if (reaper && reaper->group == father->group)
			child->parent = reaper;
		else
			adopt(father, child, reaper, dead);
	}
}

/* The thread through which the namespace knows its init. */
static void hand_init_on(struct task *task)
{
	struct pid_namespace *ns = task_pid_namespace(task);

	if (ns->init == task)
		ns->init = alive_thread(task->group);
}

/* Whose end is told at once, and to whom. True: nobody waits for it. */
static bool tell_of_end(struct task *task)
{
	bool leader = task->group->leader == task;
	bool empty = thread_group_is_empty_locked(task->group);

	if (task->ptrace->tracer) {
		bool parent_too = leader && empty && !ptrace_reparented_locked(task);

		return task_notify_parent_locked(
			task, parent_too ? task->exit_signal : LINUX_SIGCHLD);
	}
	if (leader)
		return empty && task_notify_parent_locked(task, task->exit_signal);
	wait_queue_wake(&task->pid->exit_queue, LINUX_EPOLLIN);
	return true;
}

void exit_notify(struct task *task)
{
	struct thread_group *group = task->group;
	struct task_list dead = TAILQ_HEAD_INITIALIZER(dead);
	bool last;
	int status;

	mutex_lock(&g_tasks.lock);
	ptrace_exit_tracer_locked(task, &dead);
	hand_init_on(task);
	forget_children(task, &dead);
	last = group->live_count == 0;
	status = reported_status(group->leader);
	if (last)
		process_group_check_orphaned_locked(group, NULL);
	set_exit_state(task, TASK_ZOMBIE);
	if (tell_of_end(task)) {
		set_exit_state(task, TASK_DEAD);
		TAILQ_INSERT_TAIL(&dead, task, dead_link);
	}
	mutex_lock(&task->sighand->lock);
	exec_check_siblings_locked(group);
	mutex_unlock(&task->sighand->lock);
	mutex_unlock(&g_tasks.lock);
	task_release_list(&dead);
	if (last)
		boot_note_exit(group, status);
}

void exec_check_siblings_locked(struct thread_group *group)
{
	struct task *execing = group->execing;
	unsigned int others;

	if (!execing || execing->stop.kind != STOP_EXEC)
		return;
	others = group->leader == execing ? 0 : 1;
	if (group->task_count == others + 1 &&
		(others == 0 || group->leader->exit_state >= TASK_ZOMBIE))
		task_end_stop_locked(execing);
}

/* --- going away --- */

static void add_times(struct task_times *to, const struct task_times *from)
{
	atomic_fetch_add(&to->user_ns, atomic_load(&from->user_ns));
	atomic_fetch_add(&to->system_ns, atomic_load(&from->system_ns));
	atomic_fetch_add(&to->voluntary_switches, atomic_load(&from->voluntary_switches));
	atomic_fetch_add(&to->involuntary_switches, atomic_load(&from->involuntary_switches));
	atomic_fetch_add(&to->minor_faults, atomic_load(&from->minor_faults));
	atomic_fetch_add(&to->major_faults, atomic_load(&from->major_faults));
}

static void leave_group_locked(struct task *task)
{
	struct thread_group *group = task->group;

	mutex_lock(&task->sighand->lock);
	task->exit_state = TASK_DEAD;
	TAILQ_REMOVE(&group->tasks, task, group_link);
	group->task_count--;
	add_times(&group->dead_threads, &task->times);
	signal_pending_destroy(&task->pending);
	signal_pending_init(&task->pending);
	exec_check_siblings_locked(group);
	mutex_unlock(&task->sighand->lock);
}

/* The last of a process: it is in nobody's list any more. */
static void leave_family_locked(struct thread_group *group)
{
	if (group->sibling.le_prev)
		LIST_REMOVE(group, sibling);
	group->parent = NULL;
	/* First, since its group's and session's number may be its own, and go with it. */
	group->pid->group = NULL;
	session_leave_locked(group);
	g_tasks.process_count--;
}

/* Returns the leader if its end is to be handled as well: its last thread went, and nobody waits
 * for it. */
static struct task *release_locked(struct task *task)
{
	struct thread_group *group = task->group;
	struct pid_namespace *ns = task_pid_namespace(task);
	struct task *leader = group->leader;

	if (task->ptrace->tracer)
		ptrace_unlink_locked(task);
	leave_group_locked(task);
	task->pid->task = NULL;
	if (group->task_count == 0)
		leave_family_locked(group);
	pid_release_if_unused_locked(task->pid);
	if (group->task_count == 0)
		pid_release_if_unused_locked(group->pid);
	g_tasks.task_count--;
	/* It counted in every one of them. */
	for (; ns; ns = ns->parent) {
		if (ns->dying && ns->init)
			task_wake(ns->init);
	}
	if (leader == task || !thread_group_is_empty_locked(group) ||
		leader->exit_state != TASK_ZOMBIE)
		return NULL;
	if (!task_notify_parent_locked(leader, leader->exit_signal))
		return NULL;
	mutex_lock(&leader->sighand->lock);
	leader->exit_state = TASK_DEAD;
	mutex_unlock(&leader->sighand->lock);
	return leader;
}

void task_release(struct task *task)
{
	while (task) {
		struct task *leader;

		user_count_remove(USER_TASKS, task->charged_uid, 1);
		mutex_lock(&g_tasks.lock);
		leader = release_locked(task);
		mutex_unlock(&g_tasks.lock);
		seccomp_forget(task);
		task_put(task);
		task = leader;
	}
}

void task_release_list(struct task_list *dead)
{
	struct task *task;

	while ((task = TAILQ_FIRST(dead))) {
		TAILQ_REMOVE(dead, task, dead_link);
		task_release(task);
	}
}
