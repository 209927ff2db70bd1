/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces as files (namespaces(7)).
 *
 * Differs from Linux: each open makes an inode of its own with the namespace's number; the ioctls
 * for parents and owners are not there.
 */
#include "sentry/kernel/nsfs.h"

#include "abi/fcntl.h"
#include "abi/sched.h"
#include "abi/stat.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/user_namespace.h"
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
	{"user", LINUX_CLONE_NEWUSER, false},
	{"uts", LINUX_CLONE_NEWUTS, false},
};
const size_t nsfs_kind_count = array_count(nsfs_kinds);

struct nsfs_file {
	uint64_t flag;
	void *ns; /* a reference */
};

/* --- namespaces of any kind --- */

/* Stand for the one ipc and the one net namespace where their owners offer no others. */
static char only_ipc, only_net;

static bool is_only(const void *ns)
{
	return ns == &only_ipc || ns == &only_net;
}

static void *get_foreign(uint64_t flag, void *ns)
{
	const struct namespace_operations *operations = nsproxy_operations(flag);

	if (ns && operations && operations->inode)
		return operations->get(ns);
	return flag == LINUX_CLONE_NEWIPC ? &only_ipc : &only_net;
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
		if (!is_only(ns))
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
		if (is_only(ns))
			return ns == &only_ipc ? NAMESPACE_INODE_IPC : NAMESPACE_INODE_NET;
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

/* --- files --- */

static void nsfs_release(struct file *file)
{
	struct nsfs_file *nsfs = file->private;

	put_namespace(nsfs->flag, nsfs->ns);
	free(nsfs);
}

static const struct file_operations nsfs_operations = {.release = nsfs_release, .name = "nsfs"};

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
		return is_only(ns) ? ns : nsproxy_operations(flag)->get(ns);
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
