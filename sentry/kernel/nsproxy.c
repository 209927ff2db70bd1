/* SPDX-License-Identifier: Apache-2.0 */
/* The set of namespaces that a task is in, as one immutable object. */
#include "sentry/kernel/nsproxy.h"

#include "abi/capability.h"
#include "base/log.h"
#include "sentry/time/time_namespace.h"
#include "sentry/vfs/path.h"

#include <errno.h>
#include <stdlib.h>

REFCOUNT_TYPE(nsproxy_refs, "nsproxy");

static const struct namespace_operations *cgroup_operations, *ipc_operations, *net_operations,
	*time_operations;

static _Atomic uint64_t next_inode = 0xf0000000u;

uint64_t namespace_inode_new(void)
{
	return atomic_fetch_add(&next_inode, 1);
}

void nsproxy_register(uint64_t clone_flag, const struct namespace_operations *operations)
{
	if (clone_flag == LINUX_CLONE_NEWIPC)
		ipc_operations = operations;
	else if (clone_flag == LINUX_CLONE_NEWNET)
		net_operations = operations;
	else if (clone_flag == LINUX_CLONE_NEWTIME)
		time_operations = operations;
	else if (clone_flag == LINUX_CLONE_NEWCGROUP)
		cgroup_operations = operations;
	else
		panic("namespaces of kind %lx cannot be registered", (unsigned long)clone_flag);
}

const struct namespace_operations *nsproxy_operations(uint64_t clone_flag)
{
	return clone_flag == LINUX_CLONE_NEWIPC	     ? ipc_operations
	       : clone_flag == LINUX_CLONE_NEWTIME   ? time_operations
	       : clone_flag == LINUX_CLONE_NEWCGROUP ? cgroup_operations
						     : net_operations;
}

static void foreign_put(const struct namespace_operations *operations, void *ns)
{
	if (ns && operations)
		operations->put(ns);
}

static void *foreign_get(const struct namespace_operations *operations, void *ns)
{
	return ns && operations ? operations->get(ns) : ns;
}

/* A reference to the old one, or a new one if it is asked for. */
static int foreign_copy(const struct namespace_operations *operations, void *from, bool fresh,
	struct user_namespace *user_ns, void **out)
{
	if (fresh)
		return operations ? operations->create(from, user_ns, out) : -EINVAL;
	*out = foreign_get(operations, from);
	return 0;
}

static void nsproxy_free(struct nsproxy *nsproxy)
{
	uts_namespace_put(nsproxy->uts);
	foreign_put(ipc_operations, nsproxy->ipc);
	foreign_put(net_operations, nsproxy->net);
	foreign_put(cgroup_operations, nsproxy->cgroup);
	time_namespace_put(nsproxy->time);
	time_namespace_put(nsproxy->time_for_children);
	if (nsproxy->mount)
		mount_namespace_put(nsproxy->mount);
	pid_namespace_put(nsproxy->pid_for_children);
	free(nsproxy);
}

int nsproxy_new(struct uts_namespace *uts, struct ipc_namespace *ipc, struct mount_namespace *mount,
	struct net_namespace *net, struct pid_namespace *pid_for_children, struct nsproxy **out)
{
	struct nsproxy contents = {.uts = uts,
		.ipc = ipc,
		.mount = mount,
		.net = net,
		.pid_for_children = pid_for_children};
	struct nsproxy *nsproxy = malloc(sizeof(*nsproxy));

	if (!nsproxy)
		return -ENOMEM;
	*nsproxy = contents;
	refcount_init(&nsproxy->refs, &nsproxy_refs);
	*out = nsproxy;
	return 0;
}

struct nsproxy *nsproxy_get(struct nsproxy *nsproxy)
{
	refcount_get(&nsproxy->refs);
	return nsproxy;
}

void nsproxy_put(struct nsproxy *nsproxy)
{
	if (nsproxy && refcount_put(&nsproxy->refs))
		nsproxy_free(nsproxy);
}

/* --- copies --- */

static int copy_uts(
	struct nsproxy *from, uint64_t flags, struct user_namespace *user_ns, struct nsproxy *to)
{
	if (flags & LINUX_CLONE_NEWUTS)
		return uts_namespace_copy(from->uts, user_ns, &to->uts);
	to->uts = uts_namespace_get(from->uts);
	return 0;
}

/* A new one is for the children. */
static int copy_time(
	struct nsproxy *from, uint64_t flags, struct user_namespace *user_ns, struct nsproxy *to)
{
	to->time = time_namespace_get(from->time);
	if (flags & LINUX_CLONE_NEWTIME)
		return time_namespace_new(from->time, user_ns, &to->time_for_children);
	to->time_for_children = time_namespace_get(from->time_for_children);
	return 0;
}

static int copy_mount(struct nsproxy *from, uint64_t flags, struct user_namespace *user_ns,
	struct fs_struct *fs, struct nsproxy *to)
{
	if (flags & LINUX_CLONE_NEWNS)
		return mount_namespace_copy(from->mount, user_ns, fs, &to->mount);
	to->mount = mount_namespace_get(from->mount);
	return 0;
}

static int copy_pid(
	struct nsproxy *from, uint64_t flags, struct user_namespace *user_ns, struct nsproxy *to)
{
	if (flags & LINUX_CLONE_NEWPID)
		return pid_namespace_new(from->pid_for_children, user_ns, &to->pid_for_children);
	to->pid_for_children = pid_namespace_get(from->pid_for_children);
	return 0;
}

int nsproxy_copy(struct nsproxy *from, uint64_t flags, const struct cred *cred,
	struct fs_struct *fs, struct nsproxy **out)
{
	struct user_namespace *user_ns = cred->user_ns;
	struct nsproxy *to;
	void *ipc = NULL, *net = NULL, *cgroup = NULL;
	int err;

	if (!cred_capable_in(cred, user_ns, LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	to = calloc(1, sizeof(*to));
	if (!to)
		return -ENOMEM;
	refcount_init(&to->refs, &nsproxy_refs);
	err = copy_uts(from, flags, user_ns, to);
	if (!err)
		err = copy_time(from, flags, user_ns, to);
	if (!err)
		err = copy_pid(from, flags, user_ns, to);
	if (!err)
		err = foreign_copy(
			ipc_operations, from->ipc, flags & LINUX_CLONE_NEWIPC, user_ns, &ipc);
	to->ipc = ipc;
	if (!err)
		err = foreign_copy(
			net_operations, from->net, flags & LINUX_CLONE_NEWNET, user_ns, &net);
	to->net = net;
	if (!err)
		err = foreign_copy(cgroup_operations, from->cgroup, flags & LINUX_CLONE_NEWCGROUP,
			user_ns, &cgroup);
	to->cgroup = cgroup;
	if (!err)
		err = copy_mount(from, flags, user_ns, fs, to);
	if (err) {
		nsproxy_put(to);
		return err;
	}
	*out = to;
	return 0;
}

struct nsproxy *nsproxy_duplicate(struct nsproxy *from)
{
	struct nsproxy *to = calloc(1, sizeof(*to));

	if (!to)
		return NULL;
	refcount_init(&to->refs, &nsproxy_refs);
	to->uts = uts_namespace_get(from->uts);
	to->ipc = foreign_get(ipc_operations, from->ipc);
	to->net = foreign_get(net_operations, from->net);
	to->cgroup = foreign_get(cgroup_operations, from->cgroup);
	to->mount = mount_namespace_get(from->mount);
	to->pid_for_children = pid_namespace_get(from->pid_for_children);
	to->time = time_namespace_get(from->time);
	to->time_for_children = time_namespace_get(from->time_for_children);
	return to;
}

bool nsproxy_changes_time(const struct nsproxy *nsproxy)
{
	return nsproxy->time != nsproxy->time_for_children;
}

void nsproxy_change_time(struct nsproxy *nsproxy)
{
	if (!nsproxy_changes_time(nsproxy))
		return;
	time_namespace_put(nsproxy->time);
	nsproxy->time = time_namespace_get(nsproxy->time_for_children);
	time_namespace_freeze(nsproxy->time);
}

void task_switch_nsproxy(struct task *task, struct nsproxy *nsproxy)
{
	struct nsproxy *old;

	mutex_lock(&task->lock);
	old = task->nsproxy;
	task->nsproxy = nsproxy;
	mutex_unlock(&task->lock);
	nsproxy_put(old);
}
