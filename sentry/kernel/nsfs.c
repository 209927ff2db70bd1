/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces as files (namespaces(7), ioctl_nsfs(2)).
 *
 * Differs from Linux: each open makes an inode of its own with the namespace's number.
 */
#include "sentry/kernel/nsfs.h"

#include "abi/fcntl.h"
#include "abi/ioctl.h"
#include "abi/sched.h"
#include "abi/stat.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/user_namespace.h"
#include "sentry/vfs/fd_table.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/inode.h"
#include "sentry/vfs/mount.h"

#include <errno.h>
#include <stdlib.h>

const struct nsfs_kind nsfs_kinds[] = {
	{"ipc", LINUX_CLONE_NEWIPC, false},
	{"mnt", LINUX_CLONE_NEWNS, false},
	{"net", LINUX_CLONE_NEWNET, false},
	{"pid", LINUX_CLONE_NEWPID, false},
	{"pid_for_children", LINUX_CLONE_NEWPID, true},
	{"time", LINUX_CLONE_NEWTIME, false},
	{"time_for_children", LINUX_CLONE_NEWTIME, true},
	{"user", LINUX_CLONE_NEWUSER, false},
	{"uts", LINUX_CLONE_NEWUTS, false},
};
const size_t nsfs_kind_count = array_count(nsfs_kinds);

struct nsfs_file {
	uint64_t flag;
	void *ns; /* a reference */
};

/* --- namespaces of any kind --- */

static void *get_foreign(uint64_t flag, void *ns)
{
	const struct namespace_operations *operations = nsproxy_operations(flag);

	return operations ? operations->get(ns ? ns : operations->initial()) : NULL;
}

static void put_namespace(uint64_t flag, void *ns)
{
	switch (flag) {
	case LINUX_CLONE_NEWNS:
		mount_namespace_put(ns);
		break;
	case LINUX_CLONE_NEWPID:
		pid_namespace_put(ns);
		break;
	case LINUX_CLONE_NEWUSER:
		user_namespace_put(ns);
		break;
	case LINUX_CLONE_NEWUTS:
		uts_namespace_put(ns);
		break;
	default:
		nsproxy_operations(flag)->put(ns);
		break;
	}
}

static uint64_t namespace_inode(uint64_t flag, void *ns)
{
	switch (flag) {
	case LINUX_CLONE_NEWNS:
		return ((struct mount_namespace *)ns)->ino;
	case LINUX_CLONE_NEWPID:
		return ((struct pid_namespace *)ns)->ino;
	case LINUX_CLONE_NEWUSER:
		return user_namespace_inode(ns);
	case LINUX_CLONE_NEWUTS:
		return ((struct uts_namespace *)ns)->ino;
	default:
		return nsproxy_operations(flag)->inode(ns);
	}
}

static void *get_from_proxy(struct nsproxy *nsproxy, const struct nsfs_kind *kind)
{
	switch (kind->flag) {
	case LINUX_CLONE_NEWNS:
		return nsproxy->mount ? mount_namespace_get(nsproxy->mount) : NULL;
	case LINUX_CLONE_NEWPID:
		return pid_namespace_get(nsproxy->pid_for_children);
	case LINUX_CLONE_NEWUTS:
		return uts_namespace_get(nsproxy->uts);
	case LINUX_CLONE_NEWIPC:
		return get_foreign(kind->flag, nsproxy->ipc);
	case LINUX_CLONE_NEWTIME:
		return get_foreign(kind->flag,
			kind->for_children ? nsproxy->time_for_children : nsproxy->time);
	default:
		return get_foreign(kind->flag, nsproxy->net);
	}
}

/* A reference, or NULL. */
static void *get_namespace(struct task *task, const struct nsfs_kind *kind)
{
	struct nsproxy *nsproxy;
	const struct cred *cred;
	void *ns;

	if (kind->flag == LINUX_CLONE_NEWUSER) {
		cred = task_get_cred(task);
		ns = user_namespace_get(cred->user_ns);
		cred_put(cred);
		return ns;
	}
	if (kind->flag == LINUX_CLONE_NEWPID && !kind->for_children)
		return pid_namespace_get(task_pid_namespace(task));
	nsproxy = task_get_nsproxy(task);
	if (!nsproxy)
		return NULL;
	ns = get_from_proxy(nsproxy, kind);
	nsproxy_put(nsproxy);
	return ns;
}

uint64_t nsfs_inode(struct task *task, const struct nsfs_kind *kind)
{
	void *ns = get_namespace(task, kind);
	uint64_t inode;

	if (!ns)
		return 0;
	inode = namespace_inode(kind->flag, ns);
	put_namespace(kind->flag, ns);
	return inode;
}

static void *get_again(uint64_t flag, void *ns)
{
	switch (flag) {
	case LINUX_CLONE_NEWNS:
		return mount_namespace_get(ns);
	case LINUX_CLONE_NEWPID:
		return pid_namespace_get(ns);
	case LINUX_CLONE_NEWUSER:
		return user_namespace_get(ns);
	case LINUX_CLONE_NEWUTS:
		return uts_namespace_get(ns);
	default:
		return nsproxy_operations(flag)->get(ns);
	}
}

/* --- files --- */

static void nsfs_release(struct file *file)
{
	struct nsfs_file *nsfs = file->private;

	put_namespace(nsfs->flag, nsfs->ns);
	free(nsfs);
}

static int64_t nsfs_ioctl(
	struct file *file, struct task *task, uint32_t command, uint64_t argument);

static const struct file_operations nsfs_operations = {
	.ioctl = nsfs_ioctl,
	.release = nsfs_release,
	.name = "nsfs",
};

static int make_file(struct nsfs_file *nsfs, struct file **out)
{
	struct inode *inode;
	int err = pseudo_inode_new(LINUX_S_IFREG | 0444, &inode);

	if (err)
		return err;
	inode->attributes.ino = namespace_inode(nsfs->flag, nsfs->ns);
	return file_new_anonymous(
		inode, &nsfs_operations, FILE_READ, LINUX_O_RDONLY, nsfs, NULL, out);
}

int nsfs_open(struct task *task, const struct nsfs_kind *kind, struct file **out)
{
	struct nsfs_file *nsfs = calloc(1, sizeof(*nsfs));
	int err;

	if (!nsfs)
		return -ENOMEM;
	nsfs->flag = kind->flag;
	nsfs->ns = get_namespace(task, kind);
	err = nsfs->ns ? make_file(nsfs, out) : -ESRCH;
	if (err) {
		if (nsfs->ns)
			put_namespace(nsfs->flag, nsfs->ns);
		free(nsfs);
	}
	return err;
}

/* --- questions (ioctl_nsfs(2)) --- */

/* Borrowed. */
static struct user_namespace *owner_of(uint64_t flag, void *ns)
{
	switch (flag) {
	case LINUX_CLONE_NEWNS:
		return ((struct mount_namespace *)ns)->user_ns;
	case LINUX_CLONE_NEWPID:
		return ((struct pid_namespace *)ns)->user_ns;
	case LINUX_CLONE_NEWUSER:
		return user_namespace_parent(ns);
	case LINUX_CLONE_NEWUTS:
		return ((struct uts_namespace *)ns)->user_ns;
	default:
		return nsproxy_operations(flag)->owner(ns);
	}
}

/* A descriptor of another namespace; ns is borrowed. */
static int64_t open_other(struct task *task, uint64_t flag, void *ns)
{
	struct nsfs_file *nsfs = calloc(1, sizeof(*nsfs));
	struct file *file;
	int err;

	if (!nsfs)
		return -ENOMEM;
	*nsfs = (struct nsfs_file){flag, get_again(flag, ns)};
	err = make_file(nsfs, &file);
	if (err) {
		put_namespace(flag, nsfs->ns);
		free(nsfs);
		return err;
	}
	err = fd_install(task->files, 0, file, true);
	if (err < 0)
		file_put(file);
	return err;
}

/* Only namespaces in or below the caller's own are told. */
static int64_t open_owner(struct task *task, uint64_t flag, void *ns)
{
	struct user_namespace *owner = owner_of(flag, ns), *mine = task->cred->user_ns;

	if (!owner || (owner != mine && !user_namespace_is_ancestor(mine, owner)))
		return -EPERM;
	return open_other(task, LINUX_CLONE_NEWUSER, owner);
}

static int64_t open_parent(struct task *task, const struct nsfs_file *nsfs)
{
	struct pid_namespace *parent, *active;

	if (nsfs->flag == LINUX_CLONE_NEWUSER)
		return open_owner(task, nsfs->flag, nsfs->ns);
	if (nsfs->flag != LINUX_CLONE_NEWPID)
		return -EINVAL;
	parent = ((struct pid_namespace *)nsfs->ns)->parent;
	active = task_pid_namespace(task);
	for (struct pid_namespace *ns = parent; ns; ns = ns->parent) {
		if (ns == active)
			return open_other(task, LINUX_CLONE_NEWPID, parent);
	}
	return -EPERM;
}

static int64_t put_owner_uid(struct task *task, const struct nsfs_file *nsfs, gaddr_t address)
{
	uint32_t uid;

	if (nsfs->flag != LINUX_CLONE_NEWUSER)
		return -EINVAL;
	uid = user_namespace_show_uid(task->cred->user_ns, user_namespace_owner(nsfs->ns));
	return mm_copy_out(task->mm, address, &uid, sizeof(uid));
}

/* A process or thread of one pid namespace, by its number in another: from the file's to the
 * caller's, or the other way. */
static int64_t translate_pid(
	struct task *task, const struct nsfs_file *nsfs, int number, bool from_file, bool process)
{
	struct pid_namespace *mine = task_pid_namespace(task), *its = nsfs->ns;
	struct pid *pid;
	int64_t result = -ESRCH;

	if (nsfs->flag != LINUX_CLONE_NEWPID)
		return -EINVAL;
	mutex_lock(&g_tasks.lock);
	pid = pid_find_locked(from_file ? its : mine, number);
	if (pid && pid->task && process)
		pid = pid->task->group->pid;
	if (pid && pid->task)
		result = pid_number_in(pid, from_file ? mine : its);
	mutex_unlock(&g_tasks.lock);
	return result ? result : -ESRCH;
}

static int64_t nsfs_ioctl(struct file *file, struct task *task, uint32_t command, uint64_t argument)
{
	const struct nsfs_file *nsfs = file->private;

	switch (command) {
	case LINUX_NS_GET_USERNS:
		return open_owner(task, nsfs->flag, nsfs->ns);
	case LINUX_NS_GET_PARENT:
		return open_parent(task, nsfs);
	case LINUX_NS_GET_NSTYPE:
		return (int64_t)nsfs->flag;
	case LINUX_NS_GET_OWNER_UID:
		return put_owner_uid(task, nsfs, argument);
	case LINUX_NS_GET_PID_FROM_PIDNS:
		return translate_pid(task, nsfs, (int)argument, true, false);
	case LINUX_NS_GET_TGID_FROM_PIDNS:
		return translate_pid(task, nsfs, (int)argument, true, true);
	case LINUX_NS_GET_PID_IN_PIDNS:
		return translate_pid(task, nsfs, (int)argument, false, false);
	case LINUX_NS_GET_TGID_IN_PIDNS:
		return translate_pid(task, nsfs, (int)argument, false, true);
	default:
		return -ENOTTY;
	}
}

int nsfs_reopen(struct file *from, struct file *to)
{
	const struct nsfs_file *old = from->private;
	struct nsfs_file *nsfs = calloc(1, sizeof(*nsfs));

	if (!nsfs)
		return -ENOMEM;
	nsfs->flag = old->flag;
	nsfs->ns = get_again(old->flag, old->ns);
	to->ops = &nsfs_operations;
	to->private = nsfs;
	return 0;
}

void *nsfs_namespace(struct file *file, uint64_t *flag)
{
	struct nsfs_file *nsfs;

	if (file->ops != &nsfs_operations)
		return NULL;
	nsfs = file->private;
	*flag = nsfs->flag;
	return nsfs->ns;
}
