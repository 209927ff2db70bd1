/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces as files (namespaces(7), ioctl_nsfs(2)). A way to one is a file system of its own each
 * time, with one inode that keeps the namespace; all of them have the same device number, so that
 * two ways to one namespace lead to the same device and inode, as on Linux.
 */
#include "sentry/kernel/nsfs.h"

#include "abi/fcntl.h"
#include "abi/ioctl.h"
#include "abi/sched.h"
#include "abi/stat.h"
#include "abi/statfs.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/user_namespace.h"
#include "sentry/vfs/dentry.h"
#include "sentry/vfs/fd_table.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/inode.h"
#include "sentry/vfs/mount.h"
#include "sentry/vfs/path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

const struct nsfs_kind nsfs_kinds[] = {
	{"cgroup", LINUX_CLONE_NEWCGROUP, false},
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

#define NSFS_DEVICE LINUX_MAKEDEV(0, 4)

/* Of an inode. */
struct held {
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
	case LINUX_CLONE_NEWCGROUP:
		return get_foreign(kind->flag, nsproxy->cgroup);
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

static int64_t nsfs_ioctl(
	struct file *file, struct task *task, uint32_t command, uint64_t argument);

static const struct file_operations nsfs_file_operations = {.ioctl = nsfs_ioctl, .name = "nsfs"};

/* They are immutable, as chattr(1) knows it. */
static int nsfs_setattr(
	struct inode *inode, const struct inode_attributes *attributes, unsigned int mask)
{
	return -EPERM;
}

static int nsfs_open_inode(struct inode *inode, struct file *file)
{
	if (file->mode & FILE_WRITE)
		return -EPERM;
	file->mode &= ~(unsigned int)FILE_SEEKABLE;
	file->ops = &nsfs_file_operations;
	return 0;
}

static const struct inode_operations nsfs_inode_operations = {
	.open = nsfs_open_inode, .setattr = nsfs_setattr};

static void nsfs_inode_release(struct inode *inode)
{
	struct held *held = inode->private;

	if (held)
		put_namespace(held->flag, held->ns);
	free(held);
}

static const char *kind_name(uint64_t flag)
{
	for (size_t i = 0; i < nsfs_kind_count; i++)
		if (nsfs_kinds[i].flag == flag && !nsfs_kinds[i].for_children)
			return nsfs_kinds[i].name;
	return "unknown";
}

int nsfs_link_text(const struct nsfs_kind *kind, uint64_t number, char *buffer, size_t size)
{
	return snprintf(buffer, size, "%s:[%lu]", kind_name(kind->flag), number);
}

static bool nsfs_name(const struct inode *inode, char *buffer, size_t size)
{
	const struct held *held = inode->private;

	(void)snprintf(buffer, size, "%s:[%lu]", kind_name(held->flag), inode->attributes.ino);
	return true;
}

static const struct super_operations nsfs_super_operations = {
	.inode_release = nsfs_inode_release, .pseudo_name = nsfs_name};
static const struct file_system_type nsfs_type = {.name = "nsfs", .needs_no_device = true};

/* Takes the reference ns. */
static int make_root(struct super_block *sb, uint64_t flag, void *ns)
{
	struct held *held = calloc(1, sizeof(*held));
	struct inode *inode;
	int err = held ? inode_new(sb, LINUX_S_IFREG | 0444, &nsfs_inode_operations, NULL, &inode)
		       : -ENOMEM;

	if (err) {
		put_namespace(flag, ns);
		free(held);
		return err;
	}
	*held = (struct held){flag, ns};
	inode->private = held;
	inode->attributes.ino = namespace_inode(flag, ns);
	if (flag == LINUX_CLONE_NEWNS)
		sb->of_mounts = ns;
	return super_block_set_root(sb, inode);
}

/* Takes the reference ns. */
static int make_path(uint64_t flag, void *ns, struct path *out)
{
	struct super_block *sb;
	struct mount *mount;
	int err = super_block_new(&nsfs_type, &nsfs_super_operations, LINUX_NSFS_MAGIC, &sb);

	if (err) {
		put_namespace(flag, ns);
		return err;
	}
	sb->dev = NSFS_DEVICE;
	sb->no_name_cache = true;
	sb->placeless = true;
	err = make_root(sb, flag, ns);
	if (!err)
		err = mount_new(sb, sb->root, "nsfs", 0, &mount);
	/* The mount holds the super block from now on. */
	if (!err)
		*out = (struct path){mount, dentry_get(sb->root)};
	super_block_put(sb);
	return err;
}

int nsfs_path(struct task *task, const struct nsfs_kind *kind, struct path *out)
{
	void *ns = get_namespace(task, kind);

	return ns ? make_path(kind->flag, ns, out) : -ESRCH;
}

/* Takes the reference ns. */
static int open_namespace(uint64_t flag, void *ns, struct file **out)
{
	struct path path;
	int err = make_path(flag, ns, &path);

	if (err)
		return err;
	err = file_open_path(&path, LINUX_O_RDONLY, current_cred(), out);
	path_put(&path);
	return err;
}

int nsfs_open(struct task *task, const struct nsfs_kind *kind, struct file **out)
{
	void *ns = get_namespace(task, kind);

	return ns ? open_namespace(kind->flag, ns, out) : -ESRCH;
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
	struct file *file;
	int err = open_namespace(flag, get_again(flag, ns), &file);

	if (err)
		return err;
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

static int64_t open_parent(struct task *task, const struct held *held)
{
	struct pid_namespace *parent, *active;

	if (held->flag == LINUX_CLONE_NEWUSER)
		return open_owner(task, held->flag, held->ns);
	if (held->flag != LINUX_CLONE_NEWPID)
		return -EINVAL;
	parent = ((struct pid_namespace *)held->ns)->parent;
	active = task_pid_namespace(task);
	for (struct pid_namespace *ns = parent; ns; ns = ns->parent) {
		if (ns == active)
			return open_other(task, LINUX_CLONE_NEWPID, parent);
	}
	return -EPERM;
}

static int64_t put_owner_uid(struct task *task, const struct held *held, gaddr_t address)
{
	uint32_t uid;

	if (held->flag != LINUX_CLONE_NEWUSER)
		return -EINVAL;
	uid = user_namespace_show_uid(task->cred->user_ns, user_namespace_owner(held->ns));
	return mm_copy_out(task->mm, address, &uid, sizeof(uid));
}

/* A process or thread of one pid namespace, by its number in another: from the file's to the
 * caller's, or the other way. */
static int64_t translate_pid(
	struct task *task, const struct held *held, int number, bool from_file, bool process)
{
	struct pid_namespace *mine = task_pid_namespace(task), *its = held->ns;
	struct pid *pid;
	int64_t result = -ESRCH;

	if (held->flag != LINUX_CLONE_NEWPID)
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
	const struct held *held = file->inode->private;

	switch (command) {
	case LINUX_NS_GET_USERNS:
		return open_owner(task, held->flag, held->ns);
	case LINUX_NS_GET_PARENT:
		return open_parent(task, held);
	case LINUX_NS_GET_NSTYPE:
		return (int64_t)held->flag;
	case LINUX_NS_GET_OWNER_UID:
		return put_owner_uid(task, held, argument);
	case LINUX_NS_GET_PID_FROM_PIDNS:
		return translate_pid(task, held, (int)argument, true, false);
	case LINUX_NS_GET_TGID_FROM_PIDNS:
		return translate_pid(task, held, (int)argument, true, true);
	case LINUX_NS_GET_PID_IN_PIDNS:
		return translate_pid(task, held, (int)argument, false, false);
	case LINUX_NS_GET_TGID_IN_PIDNS:
		return translate_pid(task, held, (int)argument, false, true);
	default:
		return -ENOTTY;
	}
}

void *nsfs_namespace(struct file *file, uint64_t *flag)
{
	const struct held *held;

	if (file->ops != &nsfs_file_operations)
		return NULL;
	held = file->inode->private;
	*flag = held->flag;
	return held->ns;
}
