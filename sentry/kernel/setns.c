/* SPDX-License-Identifier: Apache-2.0 */
/* setns(2): a task enters namespaces that exist, named by a file of /proc/PID/ns or a pidfd. */
#include "abi/capability.h"
#include "abi/sched.h"
#include "sentry/kernel/nsfs.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/pidfd.h"
#include "sentry/kernel/ptrace.h"
#include "sentry/kernel/task_run.h"
#include "sentry/kernel/unshare.h"
#include "sentry/kernel/user_namespace.h"
#include "sentry/time/time_namespace.h"
#include "sentry/time/vdso.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/mount.h"

#include <errno.h>

#define KINDS                                                                                      \
	(LINUX_CLONE_NEWNS | LINUX_CLONE_NEWUTS | LINUX_CLONE_NEWIPC | LINUX_CLONE_NEWNET |        \
		LINUX_CLONE_NEWPID | LINUX_CLONE_NEWUSER | LINUX_CLONE_NEWTIME |                   \
		LINUX_CLONE_NEWCGROUP)

/* What will be put in place; the checks are made against its credentials. */
struct entering {
	struct task *task;
	struct nsproxy *nsproxy; /* a copy of the task's own */
	struct cred *cred;	 /* another user namespace, or NULL */
	bool new_root;		 /* a mount namespace is entered */
};

static const struct cred *entering_cred(const struct entering *entering)
{
	return entering->cred ? entering->cred : entering->task->cred;
}

static bool may_enter(const struct entering *entering, const struct user_namespace *owner)
{
	const struct cred *cred = entering_cred(entering);

	return cred_capable_in(cred, owner, LINUX_CAP_SYS_ADMIN) &&
	       cred_capable_in(cred, cred->user_ns, LINUX_CAP_SYS_ADMIN);
}

static bool is_alone(struct task *task)
{
	mutex_guard(&g_tasks.lock);
	return thread_group_is_empty_locked(task->group);
}

static int enter_user(struct entering *entering, struct user_namespace *ns)
{
	struct task *task = entering->task;
	int err;

	/* No way to get capabilities back in the own one. */
	if (ns == task->cred->user_ns || !is_alone(task) || refcount_read(&task->fs->refs) > 1)
		return -EINVAL;
	if (!cred_capable_in(task->cred, ns, LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	err = cred_copy(task->cred, &entering->cred);
	if (!err)
		cred_enter_user_namespace(entering->cred, user_namespace_get(ns));
	return err;
}

static int enter_mount(struct entering *entering, struct mount_namespace *ns)
{
	const struct cred *cred = entering_cred(entering);

	if (!may_enter(entering, ns->user_ns) ||
		!cred_capable_in(cred, cred->user_ns, LINUX_CAP_SYS_CHROOT))
		return -EPERM;
	if (refcount_read(&entering->task->fs->refs) > 1)
		return -EINVAL;
	mount_namespace_put(entering->nsproxy->mount);
	entering->nsproxy->mount = mount_namespace_get(ns);
	entering->new_root = true;
	return 0;
}

/* For the children, and only downwards. */
static int enter_pid(struct entering *entering, struct pid_namespace *ns)
{
	struct pid_namespace *active = task_pid_namespace(entering->task), *at = ns;

	if (!may_enter(entering, ns->user_ns))
		return -EPERM;
	while (at && at->level > active->level)
		at = at->parent;
	if (at != active)
		return -EINVAL;
	pid_namespace_put(entering->nsproxy->pid_for_children);
	entering->nsproxy->pid_for_children = pid_namespace_get(ns);
	return 0;
}

static int enter_uts(struct entering *entering, struct uts_namespace *ns)
{
	if (!may_enter(entering, ns->user_ns))
		return -EPERM;
	uts_namespace_put(entering->nsproxy->uts);
	entering->nsproxy->uts = uts_namespace_get(ns);
	return 0;
}

/* At once, and with its memory: nobody else may run in that. */
static int enter_time(struct entering *entering, struct time_namespace *ns)
{
	const struct namespace_operations *operations = nsproxy_operations(LINUX_CLONE_NEWTIME);
	struct nsproxy *nsproxy = entering->nsproxy;
	struct time_namespace *own = ns == operations->initial() ? NULL : ns;

	if (!is_alone(entering->task) || !mm_is_single_user(entering->task->mm))
		return -EUSERS;
	if (!may_enter(entering, operations->owner(ns)))
		return -EPERM;
	time_namespace_put(nsproxy->time_for_children);
	nsproxy->time_for_children = time_namespace_get(own);
	nsproxy_change_time(nsproxy);
	return vdso_set_clocks(entering->task->mm, !own);
}

/* NULL stands for the first one. */
static void *replace(const struct namespace_operations *operations, void *old, void *ns)
{
	if (old)
		operations->put(old);
	return ns == operations->initial() ? NULL : operations->get(ns);
}

static int enter_foreign(struct entering *entering, uint64_t flag, void *ns)
{
	const struct namespace_operations *operations = nsproxy_operations(flag);
	struct nsproxy *nsproxy = entering->nsproxy;

	if (!may_enter(entering, operations->owner(ns)))
		return -EPERM;
	if (flag == LINUX_CLONE_NEWIPC)
		nsproxy->ipc = replace(operations, nsproxy->ipc, ns);
	else if (flag == LINUX_CLONE_NEWCGROUP)
		nsproxy->cgroup = replace(operations, nsproxy->cgroup, ns);
	else
		nsproxy->net = replace(operations, nsproxy->net, ns);
	return 0;
}

static int enter(struct entering *entering, uint64_t flag, void *ns)
{
	switch (flag) {
	case LINUX_CLONE_NEWUSER:
		return enter_user(entering, ns);
	case LINUX_CLONE_NEWNS:
		return enter_mount(entering, ns);
	case LINUX_CLONE_NEWPID:
		return enter_pid(entering, ns);
	case LINUX_CLONE_NEWUTS:
		return enter_uts(entering, ns);
	case LINUX_CLONE_NEWTIME:
		return enter_time(entering, ns);
	default:
		return enter_foreign(entering, flag, ns);
	}
}

static void move_to_root(struct task *task)
{
	struct fs_struct *fs = task->fs;
	struct path root, pwd, old_root, old_pwd;

	mount_namespace_root(task->nsproxy->mount, &root);
	pwd = root;
	path_get(&pwd);
	mutex_lock(&fs->lock);
	old_root = fs->root;
	old_pwd = fs->pwd;
	fs->root = root;
	fs->pwd = pwd;
	mutex_unlock(&fs->lock);
	path_put(&old_root);
	path_put(&old_pwd);
}

static void commit(struct entering *entering)
{
	if (entering->cred)
		task_commit_cred(steal_pointer(&entering->cred));
	task_switch_nsproxy(entering->task, steal_pointer(&entering->nsproxy));
	if (entering->new_root)
		move_to_root(entering->task);
}

/* --- named by a file, or all that another process is in --- */

static int enter_file(struct entering *entering, struct file *file, uint64_t type)
{
	uint64_t flag;
	void *ns = nsfs_namespace(file, &flag);

	if (!ns || (type && type != flag))
		return -EINVAL;
	return enter(entering, flag, ns);
}

static int enter_kind_of(
	struct entering *entering, struct task *target, const struct nsfs_kind *kind)
{
	struct file *file;
	int err = nsfs_open(target, kind, &file);

	if (err)
		return err;
	err = enter_file(entering, file, kind->flag);
	file_put(file);
	return err;
}

/* The user namespace first, since the others ask for capabilities in it. */
static int enter_all_of(struct entering *entering, struct task *target, uint64_t flags)
{
	int err = ptrace_may_access(
		entering->task, target, PTRACE_ACCESS_READ | PTRACE_ACCESS_REALCREDS);

	for (int users = 1; users >= 0 && !err; users--) {
		for (size_t i = 0; i < nsfs_kind_count && !err; i++) {
			const struct nsfs_kind *kind = &nsfs_kinds[i];

			if ((flags & kind->flag) && !kind->for_children &&
				(kind->flag == LINUX_CLONE_NEWUSER) == users)
				err = enter_kind_of(entering, target, kind);
		}
	}
	return err;
}

static int enter_pidfd(struct entering *entering, struct pid *pid, uint64_t flags)
{
	struct task *target = NULL;
	int err;

	if (!flags || (flags & ~(uint64_t)KINDS))
		return -EINVAL;
	mutex_lock(&g_tasks.lock);
	if (pid->task)
		target = task_get(pid->task);
	mutex_unlock(&g_tasks.lock);
	if (!target)
		return -ESRCH;
	err = enter_all_of(entering, target, flags);
	task_put(target);
	return err;
}

int task_setns(struct task *task, int fd, int type)
{
	struct entering entering = {.task = task};
	auto_file struct file *file = fd_get(task->files, fd);
	struct pid *pid;
	int err;

	if (!file)
		return -EBADF;
	entering.nsproxy = nsproxy_duplicate(task->nsproxy);
	if (!entering.nsproxy)
		return -ENOMEM;
	pid = pidfd_pid(file);
	if (pid)
		err = enter_pidfd(&entering, pid, (uint64_t)(unsigned int)type);
	else
		err = enter_file(&entering, file, (uint64_t)(unsigned int)type);
	pid_put(pid);
	if (!err)
		commit(&entering);
	if (entering.cred)
		cred_put(entering.cred);
	nsproxy_put(entering.nsproxy);
	return err;
}
