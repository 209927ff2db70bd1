/* SPDX-License-Identifier: Apache-2.0 */
/* unshare(2): what clone(2) would not share, for a task that runs already. */
#include "sentry/kernel/unshare.h"

#include "abi/sched.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/task_run.h"
#include "sentry/kernel/user_namespace.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/path.h"

#include <errno.h>
#include <limits.h>

#define NAMESPACES                                                                                 \
	(LINUX_CLONE_NEWNS | LINUX_CLONE_NEWUTS | LINUX_CLONE_NEWIPC | LINUX_CLONE_NEWNET |        \
		LINUX_CLONE_NEWPID | LINUX_CLONE_NEWCGROUP | LINUX_CLONE_NEWTIME)
#define KNOWN                                                                                      \
	(LINUX_CLONE_THREAD | LINUX_CLONE_FS | LINUX_CLONE_SIGHAND | LINUX_CLONE_VM |              \
		LINUX_CLONE_FILES | LINUX_CLONE_SYSVSEM | LINUX_CLONE_NEWUSER | NAMESPACES)

/* All that is made before anything is changed. */
struct unshared {
	struct cred *cred;
	struct fs_struct *fs;
	struct fd_table *files;
	struct nsproxy *nsproxy;
};

/* What one thing brings along. */
static uint64_t complete(uint64_t flags)
{
	if (flags & LINUX_CLONE_NEWUSER)
		flags |= LINUX_CLONE_THREAD | LINUX_CLONE_FS;
	if (flags & LINUX_CLONE_VM)
		flags |= LINUX_CLONE_SIGHAND;
	if (flags & LINUX_CLONE_SIGHAND)
		flags |= LINUX_CLONE_THREAD;
	if (flags & LINUX_CLONE_NEWNS)
		flags |= LINUX_CLONE_FS;
	return flags;
}

/* Threads, handlers and memory cannot be unshared: they must be the task's own already. */
static int check(struct task *task, uint64_t flags)
{
	bool alone, handlers;

	if (flags & ~(uint64_t)KNOWN)
		return -EINVAL;
	mutex_lock(&g_tasks.lock);
	alone = thread_group_is_empty_locked(task->group);
	handlers = !task->group->sighand_shared;
	mutex_unlock(&g_tasks.lock);
	if ((flags & (LINUX_CLONE_THREAD | LINUX_CLONE_SIGHAND | LINUX_CLONE_VM)) && !alone)
		return -EINVAL;
	if ((flags & (LINUX_CLONE_SIGHAND | LINUX_CLONE_VM)) && !handlers)
		return -EINVAL;
	if ((flags & LINUX_CLONE_VM) && !mm_is_single_user(task->mm))
		return -EINVAL;
	return 0;
}

static int make_cred(struct task *task, struct unshared *made)
{
	struct user_namespace *ns;
	int err = cred_copy(task->cred, &made->cred);

	if (err)
		return err;
	err = user_namespace_new(task->cred, &ns);
	if (!err)
		cred_enter_user_namespace(made->cred, ns);
	return err;
}

static int make(struct task *task, uint64_t flags, struct unshared *made)
{
	int err = 0;

	if ((flags & LINUX_CLONE_FS) && refcount_read(&task->fs->refs) > 1)
		err = fs_struct_copy(task->fs, &made->fs);
	if (!err && (flags & LINUX_CLONE_FILES) && fd_table_is_shared(task->files))
		err = fd_table_copy(task->files, UINT_MAX, &made->files);
	if (!err && (flags & LINUX_CLONE_NEWUSER))
		err = make_cred(task, made);
	if (!err && (flags & NAMESPACES))
		err = nsproxy_copy(task->nsproxy, flags & NAMESPACES,
			made->cred ? made->cred : task->cred, made->fs ? made->fs : task->fs,
			&made->nsproxy);
	return err;
}

static void put(const struct unshared *made)
{
	if (made->cred)
		cred_put(made->cred);
	if (made->fs)
		fs_struct_put(made->fs);
	if (made->files)
		fd_table_put(made->files);
	if (made->nsproxy)
		nsproxy_put(made->nsproxy);
}

/* Puts in place what was made; afterwards made holds what was there. */
static void put_in_place(struct task *task, struct unshared *made)
{
	struct fs_struct *fs = task->fs;
	struct fd_table *files = task->files;

	mutex_lock(&task->lock);
	if (made->fs) {
		task->fs = made->fs;
		made->fs = fs;
	}
	if (made->files) {
		task->files = made->files;
		made->files = files;
	}
	mutex_unlock(&task->lock);
	if (made->nsproxy)
		task_switch_nsproxy(task, steal_pointer(&made->nsproxy));
	if (made->cred)
		task_commit_cred(steal_pointer(&made->cred));
}

int task_unshare(struct task *task, uint64_t flags)
{
	struct unshared made = {0};
	int err;

	flags = complete(flags);
	err = check(task, flags);
	if (err)
		return err;
	err = make(task, flags, &made);
	if (!err)
		put_in_place(task, &made);
	put(&made);
	return err;
}
