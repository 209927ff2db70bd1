/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clone(2): a new task from an old one. clone_copy.c makes what it has; here it is given its
 * numbers, its family, and set going.
 */
#include "abi/capability.h"
#include "abi/limits.h"
#include "abi/sched.h"
#include "sentry/kernel/boot.h"
#include "sentry/kernel/clone_copy.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/limits.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/oom_kill.h"
#include "sentry/kernel/pidfd.h"
#include "sentry/kernel/ptrace_state.h"
#include "sentry/kernel/rlimit.h"
#include "sentry/kernel/seccomp.h"
#include "sentry/kernel/session.h"
#include "sentry/kernel/user_count.h"
#include "sentry/mm/memory_file.h"
#include "sentry/mm/memory_held.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- checks, in Linux's order --- */

static int check_flags(struct task *parent, uint64_t flags)
{
	if ((flags & LINUX_CLONE_NEWNS) && (flags & LINUX_CLONE_FS))
		return -EINVAL;
	if ((flags & LINUX_CLONE_NEWUSER) && (flags & LINUX_CLONE_FS))
		return -EINVAL;
	if ((flags & LINUX_CLONE_THREAD) && !(flags & LINUX_CLONE_SIGHAND))
		return -EINVAL;
	if ((flags & LINUX_CLONE_SIGHAND) && !(flags & LINUX_CLONE_VM))
		return -EINVAL;
	if ((flags & LINUX_CLONE_SIGHAND) && (flags & LINUX_CLONE_CLEAR_SIGHAND))
		return -EINVAL;
	/* The siblings of an init would have nobody to reap them. */
	if ((flags & LINUX_CLONE_PARENT) && parent->group->unkillable)
		return -EINVAL;
	if ((flags & LINUX_CLONE_THREAD) &&
		((flags & (LINUX_CLONE_NEWUSER | LINUX_CLONE_NEWPID)) ||
			parent->nsproxy->pid_for_children != task_pid_namespace(parent)))
		return -EINVAL;
	if ((flags & LINUX_CLONE_PIDFD) && (flags & LINUX_CLONE_DETACHED))
		return -EINVAL;
	/* Undo lists are of one namespace's semaphores. */
	if ((flags & LINUX_CLONE_NEWIPC) && (flags & LINUX_CLONE_SYSVSEM))
		return -EINVAL;
	/* No cgroups. */
	if (flags & LINUX_CLONE_INTO_CGROUP)
		return -EBADF;
	return 0;
}

/* For another process, as a fault would: somebody may have to go for it. */
static int wait_for_memory(struct task *parent)
{
	while (!memory_file_leaves_room(MEMORY_HELD_PROCESS)) {
		if (!oom_kill(parent->group) || atomic_load(&parent->killed))
			return -ENOMEM;
	}
	return 0;
}

static int check_args(struct task *parent, const struct linux_clone_args *args)
{
	int err = check_flags(parent, args->flags);

	if (err)
		return err;
	if ((args->flags & LINUX_CLONE_SETTLS) && args->tls >= LINUX_TASK_SIZE)
		return -EPERM;
	/* A fork that a signal interrupted is made again, so that no signal to the process group is
	 * missed. */
	if (task_signal_pending(parent))
		return -ERESTARTNOINTR;
	return args->flags & LINUX_CLONE_VM ? 0 : wait_for_memory(parent);
}

static int charge_user(struct task *parent, struct task *child)
{
	const struct cred *cred = child->cred;
	uint64_t limit = rlimit_of(parent->group, LINUX_RLIMIT_NPROC);

	if (cred->uid == 0 || cred_capable(cred, LINUX_CAP_SYS_RESOURCE) ||
		cred_capable(cred, LINUX_CAP_SYS_ADMIN))
		limit = UINT64_MAX;
	if (!user_count_add(USER_TASKS, cred->uid, 1, limit))
		return -EAGAIN;
	child->charged_uid = cred->uid;
	return 0;
}

/* --- becoming visible --- */

static int wanted_numbers(struct task *parent, const struct linux_clone_args *args, int *wanted)
{
	struct pid_namespace *ns = parent->nsproxy->pid_for_children;

	if (args->set_tid_size == 0)
		return 0;
	if (args->set_tid_size > PID_NAMESPACE_DEPTH_MAX)
		return -EINVAL;
	if (mm_copy_in(parent->mm, wanted, args->set_tid, args->set_tid_size * sizeof(*wanted)))
		return -EFAULT;
	for (size_t i = 0; i < args->set_tid_size; i++) {
		if (wanted[i] <= 0)
			return -EINVAL;
		if (!ns)
			return -EINVAL;
		if (!cred_capable_in(parent->cred, ns->user_ns, LINUX_CAP_CHECKPOINT_RESTORE) &&
			!cred_capable_in(parent->cred, ns->user_ns, LINUX_CAP_SYS_ADMIN))
			return -EPERM;
		ns = ns->parent;
	}
	return 0;
}

/* Linux's exit_signal: -1 for threads; that of the caller for a sibling. RANK_TASK_SET held. */
static int exit_signal_of(struct task *parent, const struct linux_clone_args *args)
{
	if (args->flags & LINUX_CLONE_THREAD)
		return -1;
	if (args->flags & LINUX_CLONE_PARENT)
		return parent->group->leader->exit_signal;
	return (int)args->exit_signal;
}

static void join_family_locked(struct task *parent, struct task *child, uint64_t flags)
{
	struct thread_group *group = child->group;
	struct pid_namespace *ns = child->pid->numbers[child->pid->level].ns;

	group->pid = pid_get(child->pid);
	group->pid->group = group;
	group->leader = child;
	group->container = container_get(parent->group->container);
	group->parent = flags & LINUX_CLONE_PARENT ? parent->group->parent : parent;
	group->parent_exec_count = group->parent ? group->parent->group->exec_count : 0;
	if (group->parent)
		LIST_INSERT_HEAD(&group->parent->group->children, group, sibling);
	session_fork_locked(parent->group, group);
	if (flags & LINUX_CLONE_SIGHAND)
		parent->group->sighand_shared = group->sighand_shared = true;
	if (!ns->init) {
		ns->init = child;
		group->unkillable = true;
	}
	g_tasks.process_count++;
}

/* The child joins its thread group, or brings its own. RANK_TASK_SET and the child's RANK_SIGHAND
 * held. */
static void join_group_locked(struct task *child)
{
	struct thread_group *group = child->group;

	TAILQ_INSERT_TAIL(&group->tasks, child, group_link);
	group->task_count++;
	group->live_count++;
	group->quick_count++;
	g_tasks.task_count++;
	limits_note_tasks_locked();
	child->pid->task = child;
}

static void make_visible_locked(
	struct task *parent, struct task *child, const struct linux_clone_args *args, int event)
{
	bool thread = args->flags & LINUX_CLONE_THREAD;

	child->exit_signal = exit_signal_of(parent, args);
	if (!thread)
		join_family_locked(parent, child, args->flags);
	mutex_lock(&child->sighand->lock);
	join_group_locked(child);
	if (thread)
		group_stop_join_locked(parent, child);
	mutex_unlock(&child->sighand->lock);
	ptrace_init_child_locked(parent, child, args->flags, event != 0);
	atomic_fetch_add_explicit(&g_tasks.forks, 1, memory_order_relaxed);
}

/* Killed meanwhile: a child would be missed by who kills the whole group. Otherwise the child takes
 * over the filters, as of now. */
static bool parent_is_going(struct task *parent, struct task *child)
{
	bool going;

	mutex_lock(&parent->sighand->lock);
	going = atomic_load(&parent->killed) || parent->group->exiting ||
		(parent->group->execing && parent->group->execing != parent);
	if (!going)
		seccomp_fork_locked(parent, child);
	mutex_unlock(&parent->sighand->lock);
	return going;
}

static int publish(
	struct task *parent, struct task *child, const struct linux_clone_args *args, int event)
{
	int wanted[PID_NAMESPACE_DEPTH_MAX];
	struct pid_namespace *ns = args->flags & LINUX_CLONE_THREAD
					   ? task_pid_namespace(parent)
					   : child->nsproxy->pid_for_children;
	int err = wanted_numbers(parent, args, wanted);

	if (err)
		return err;
	mutex_lock(&g_tasks.lock);
	if (parent_is_going(parent, child))
		err = -EINTR;
	else
		err = limits_admit_task_locked();
	if (!err)
		err = container_admit_task_locked(parent);
	if (!err)
		err = pid_allocate_locked(ns, wanted, args->set_tid_size, &child->pid);
	if (!err)
		make_visible_locked(parent, child, args, event);
	mutex_unlock(&g_tasks.lock);
	return err;
}

/* --- what the parent is told --- */

/* A pidfd is made before the child is visible, on a pid that it is given: so this comes after, and
 * cannot fail any more. */
struct clone_pidfd {
	struct file *file;
	int fd;
};

static int pidfd_prepare(
	struct task *parent, const struct linux_clone_args *args, struct clone_pidfd *pidfd)
{
	unsigned int flags = args->flags & LINUX_CLONE_THREAD ? LINUX_PIDFD_THREAD : 0;
	int err = pidfd_new(flags, &pidfd->file);

	if (err)
		return err;
	/* Another thread may close the descriptor at any time: the file is held until it has its
	 * pid. */
	pidfd->fd = fd_install(parent->files, 0, file_get(pidfd->file), true);
	if (pidfd->fd < 0) {
		file_put(pidfd->file); /* the reference that was not consumed */
		return pidfd->fd;
	}
	if (mm_copy_out(parent->mm, args->pidfd, &pidfd->fd, sizeof(pidfd->fd)))
		return -EFAULT;
	return 0;
}

/* pid NULL: there will be no child. */
static void pidfd_finish(struct task *parent, struct clone_pidfd *pidfd, struct pid *pid)
{
	if (!pidfd->file)
		return;
	if (pid)
		pidfd_set_pid(pidfd->file, pid);
	else if (pidfd->fd >= 0)
		(void)!fd_close(parent->files, pidfd->fd);
	file_put(pidfd->file);
}

/* --- vfork --- */

static void vfork_prepare(struct task *parent, struct task *child)
{
	child->vfork_child_of = task_get(parent);
	parent->vfork_child = child;
}

void task_vfork_release(struct task *task)
{
	struct task *parent = task->vfork_child_of;

	if (!parent)
		return;
	task->vfork_child_of = NULL;
	task_lock_sighand(parent);
	if (parent->vfork_child == task) {
		parent->vfork_child = NULL;
		if (parent->stop.kind == STOP_VFORK)
			task_end_stop_locked(parent);
	}
	task_unlock_sighand(parent);
	task_put(parent);
}

/* False: killed before the child let go. */
static bool vfork_wait(struct task *parent)
{
	bool done;

	mutex_lock(&parent->sighand->lock);
	if (parent->vfork_child && task_begin_stop_locked(parent, STOP_VFORK)) {
		mutex_unlock(&parent->sighand->lock);
		task_wait_stop(parent);
		mutex_lock(&parent->sighand->lock);
	}
	done = !parent->vfork_child;
	parent->vfork_child = NULL;
	mutex_unlock(&parent->sighand->lock);
	return done;
}

/* The child's number as the tracer sees it. */
static void report_event(struct task *parent, struct pid *pid, int event)
{
	int number = 0;

	if (!event || !ptrace_event_enabled(parent, event))
		return;
	mutex_lock(&g_tasks.lock);
	if (parent->ptrace->tracer)
		number = pid_number_in(pid, task_pid_namespace(parent->ptrace->tracer));
	mutex_unlock(&g_tasks.lock);
	ptrace_event(parent, event, (uint64_t)number);
}

/* The child exists: nothing fails from here on. */
static int64_t set_going(struct task *parent, struct task *child, struct host_thread *thread,
	const struct linux_clone_args *args, int event)
{
	struct pid *pid = pid_get(child->pid);
	int64_t number = pid_number_in(pid, task_pid_namespace(parent));
	int tid = (int)number;

	clone_run_hooks(parent, child, args->flags);
	/* Linux does not mind a bad address. */
	if (args->flags & LINUX_CLONE_PARENT_SETTID)
		(void)!mm_copy_out(parent->mm, args->parent_tid, &tid, sizeof(tid));
	if (args->flags & LINUX_CLONE_VFORK)
		vfork_prepare(parent, child);
	task_start(task_get(child), thread);
	report_event(parent, pid, event);
	if ((args->flags & LINUX_CLONE_VFORK) && vfork_wait(parent))
		report_event(parent, pid, LINUX_PTRACE_EVENT_VFORK_DONE);
	pid_put(pid);
	return number;
}

/* What may fail once the child has all it needs. */
static int64_t clone_finish(
	struct task *parent, struct task *child, const struct linux_clone_args *args)
{
	int event = ptrace_clone_event(parent, args->flags, (int)args->exit_signal), err = 0;
	struct clone_pidfd pidfd = {.fd = -1};
	struct host_thread *thread = host_thread_get();

	if (!thread)
		return -EAGAIN;
	if (args->flags & LINUX_CLONE_PIDFD)
		err = pidfd_prepare(parent, args, &pidfd);
	if (!err)
		err = publish(parent, child, args, event);
	pidfd_finish(parent, &pidfd, err ? NULL : child->pid);
	if (err) {
		host_thread_put(thread);
		return err;
	}
	return set_going(parent, child, thread, args, event);
}

int64_t task_clone(struct task *parent, const struct linux_clone_args *args)
{
	int64_t result = check_args(parent, args);
	struct task *child;

	if (result)
		return result;
	result = clone_copy(parent, args, &child);
	if (result)
		return result;
	result = charge_user(parent, child);
	if (!result) {
		result = clone_finish(parent, child, args);
		if (result > 0)
			return result;
		user_count_remove(USER_TASKS, child->charged_uid, 1);
	}
	task_abandon(child);
	return result;
}
