/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees of mounts: copied, put in place and taken away, in one place and wherever propagation says
 * (mount_namespaces(7)).
 *
 * Differs from Linux: a mount that propagation brings to where something is mounted already goes on
 * top of that.
 */
#include "sentry/vfs/mount.h"

#include "abi/mount.h"
#include "sentry/vfs/dentry.h"
#include "sentry/vfs/mount_propagation.h"

#include <errno.h>
#include <stdlib.h>

/* All mounts that are in a namespace; guarded by the mount lock. */
static struct mount_list all_mounts = TAILQ_HEAD_INITIALIZER(all_mounts);

void mount_put_list(struct mount_list *list)
{
	struct mount *mount;

	while ((mount = TAILQ_FIRST(list))) {
		TAILQ_REMOVE(list, mount, scratch_link);
		mount_put(mount);
	}
}

static void leave_namespace(struct mount *mount)
{
	struct mount_namespace *ns = mount->ns;

	if (!ns)
		return;
	TAILQ_REMOVE(&ns->mounts, mount, ns_link);
	TAILQ_REMOVE(&all_mounts, mount, all_link);
	ns->count--;
	mount->ns = NULL;
	mount->detached = true;
	mount_changed_locked(ns);
}

void mount_leave_namespace_locked(struct mount *top)
{
	mount_assert_locked();
	for (struct mount *mount = top; mount; mount = mount_next_locked(mount, top))
		leave_namespace(mount);
}

/* The leaves go first, since a mount's parent is only reachable through it. */
void mount_unlink_tree_locked(struct mount *top, struct mount_list *list)
{
	struct mount *mount = top, *child;

	mount_assert_locked();
	for (;;) {
		struct mount *parent = mount->parent;

		while ((child = TAILQ_FIRST(&mount->children)))
			mount = child;
		parent = mount->parent;
		leave_namespace(mount);
		mount->peer_group = mount->master_group = 0;
		mount->propagation = LINUX_MS_PRIVATE;
		mount_detach_locked(mount);
		TAILQ_INSERT_TAIL(list, mount, scratch_link);
		if (mount == top)
			return;
		mount = parent;
	}
}

static int copy_one(struct mount *mount, struct dentry *root, struct mount **out)
{
	int result = mount_new(mount->sb, root, mount->source, mount->flags, out);

	if (result)
		return result;
	/* As they are: mount_new() would add relatime. */
	(*out)->flags = mount->flags;
	(*out)->peer_group = mount->peer_group;
	(*out)->master_group = mount->master_group;
	(*out)->propagation = mount->propagation;
	(*out)->locked = mount->locked;
	(*out)->locked_flags = mount->locked_flags;
	mount->copy = *out;
	return 0;
}

/* The mount after this one that is not below it. */
static struct mount *skip_subtree(struct mount *mount, const struct mount *top)
{
	struct mount *next = NULL;

	while (!next && mount != top) {
		next = TAILQ_NEXT(mount, child_link);
		mount = mount->parent;
	}
	return next;
}

static bool is_in_reach(const struct mount *mount, const struct mount *top, struct dentry *root)
{
	bool below;

	if (mount->parent != top)
		return true;
	dentry_tree_lock();
	below = dentry_is_below(mount->mountpoint, root);
	dentry_tree_unlock();
	return below;
}

static bool has_locked_children(const struct mount *mount, struct dentry *root)
{
	const struct mount *child;

	TAILQ_FOREACH (child, &mount->children, child_link) {
		if (child->locked && is_in_reach(child, mount, root))
			return true;
	}
	return false;
}

static bool is_left_out(const struct mount *mount, unsigned int flags)
{
	if (mount->propagation == LINUX_MS_UNBINDABLE && !(flags & MOUNT_COPY_UNBINDABLE))
		return true;
	return mount->sb->of_mounts && !(flags & MOUNT_COPY_NAMESPACES);
}

int mount_copy_tree_locked(
	struct mount *top, struct dentry *root, unsigned int flags, struct mount **out)
{
	struct mount_list made = TAILQ_HEAD_INITIALIZER(made);
	struct mount *mount = top, *copy;
	int result;

	mount_assert_locked();
	if (is_left_out(top, flags | MOUNT_COPY_UNBINDABLE))
		return -EINVAL;
	/* What is locked below would be uncovered. */
	if (!(flags & MOUNT_COPY_RECURSIVE) && has_locked_children(top, root))
		return -EINVAL;
	result = copy_one(top, root, out);
	if (result)
		return result;
	(*out)->locked = false;
	if (!(flags & MOUNT_COPY_RECURSIVE))
		return 0;
	mount = mount_next_locked(top, top);
	while (mount) {
		if (is_left_out(mount, flags) || !is_in_reach(mount, top, root)) {
			mount = skip_subtree(mount, top);
			continue;
		}
		result = copy_one(mount, mount->root, &copy);
		if (result) {
			mount_unlink_tree_locked(*out, &made);
			mount_put_list(&made);
			return result;
		}
		mount_attach_locked(copy, mount->parent->copy, mount->mountpoint);
		mount = mount_next_locked(mount, top);
	}
	return 0;
}

int mount_join_namespace_locked(struct mount *top, struct mount_namespace *ns)
{
	unsigned int count = 0;

	for (struct mount *mount = top; mount; mount = mount_next_locked(mount, top))
		count++;
	if (ns->count + count > MOUNTS_MAX)
		return -ENOSPC;
	for (struct mount *mount = top; mount; mount = mount_next_locked(mount, top)) {
		mount->ns = ns;
		mount->detached = false;
		TAILQ_INSERT_TAIL(&ns->mounts, mount, ns_link);
		TAILQ_INSERT_TAIL(&all_mounts, mount, all_link);
	}
	ns->count += count;
	mount_changed_locked(ns);
	return 0;
}

/* A mount that hears of what happens at another, and what is to appear there. */
struct receiver {
	TAILQ_ENTRY(receiver) link;
	struct mount *mount; /* a reference */
	bool slave;
	struct mount *tree;
};
TAILQ_HEAD(receiver_list, receiver);

static void receivers_free(struct receiver_list *list)
{
	struct receiver *receiver;

	while ((receiver = TAILQ_FIRST(list))) {
		TAILQ_REMOVE(list, receiver, link);
		mount_put(receiver->mount);
		if (receiver->tree) {
			struct mount_list rest = TAILQ_HEAD_INITIALIZER(rest);

			mount_unlink_tree_locked(receiver->tree, &rest);
			mount_put_list(&rest);
		}
		free(receiver);
	}
}

/* All shared mounts and slaves by a hash of their groups, for the time of one propagation. */
#define GROUP_BUCKETS 1024
static LIST_HEAD(group_list, mount) group_peers[GROUP_BUCKETS], group_slaves[GROUP_BUCKETS];
static uint64_t propagations; /* so far; what one has heard of has its number */

static void groups_index(void)
{
	struct mount *mount;

	for (size_t i = 0; i < GROUP_BUCKETS; i++) {
		LIST_INIT(&group_peers[i]);
		LIST_INIT(&group_slaves[i]);
	}
	TAILQ_FOREACH_REVERSE(mount, &all_mounts, mount_list, all_link)
	{
		unsigned int peer = (unsigned int)mount->peer_group % GROUP_BUCKETS;
		unsigned int master = (unsigned int)mount->master_group % GROUP_BUCKETS;

		if (mount->peer_group)
			LIST_INSERT_HEAD(&group_peers[peer], mount, peer_link);
		if (mount->master_group)
			LIST_INSERT_HEAD(&group_slaves[master], mount, master_link);
	}
}

static int receivers_add(struct receiver_list *list, struct mount *mount, bool slave)
{
	struct receiver *receiver;

	if (mount->heard_of == propagations)
		return 0;
	receiver = calloc(1, sizeof(*receiver));
	if (!receiver)
		return -ENOMEM;
	mount->heard_of = propagations;
	receiver->mount = mount_get(mount);
	receiver->slave = slave;
	TAILQ_INSERT_TAIL(list, receiver, link);
	return 0;
}

/* Those who share or follow a group; their own groups come later, as the list is gone through. */
static int receivers_add_group(struct receiver_list *list, int group, bool below_slave)
{
	unsigned int bucket = (unsigned int)group % GROUP_BUCKETS;
	struct mount *mount;
	int result = 0;

	LIST_FOREACH (mount, &group_peers[bucket], peer_link)
		if (result == 0 && mount->peer_group == group)
			result = receivers_add(list, mount, below_slave);
	LIST_FOREACH (mount, &group_slaves[bucket], master_link)
		if (result == 0 && mount->master_group == group)
			result = receivers_add(list, mount, true);
	return result;
}

static int receivers_find(struct receiver_list *list, struct mount *source)
{
	struct receiver *receiver;
	int result;

	TAILQ_INIT(list);
	if (!source->peer_group)
		return 0;
	groups_index();
	propagations++;
	source->heard_of = propagations;
	result = receivers_add_group(list, source->peer_group, false);
	TAILQ_FOREACH (receiver, list, link) {
		int group = receiver->mount->peer_group;

		if (result == 0 && group && group != source->peer_group)
			result = receivers_add_group(list, group, true);
	}
	if (result)
		receivers_free(list);
	return result;
}

static bool sees_dentry(const struct mount *mount, const struct dentry *dentry)
{
	bool below;

	if (mount->sb != dentry->sb)
		return false;
	dentry_tree_lock();
	below = dentry_is_below(dentry, mount->root);
	dentry_tree_unlock();
	return below;
}

/* Slaves get mounts that follow the master's, and do not tell it anything. */
static void make_slaves(struct mount *top)
{
	for (struct mount *mount = top; mount; mount = mount_next_locked(mount, top)) {
		if (!mount->peer_group)
			continue;
		mount->master_group = mount->peer_group;
		mount->peer_group = 0;
		mount->propagation = LINUX_MS_SLAVE;
	}
}

/* Do all namespaces concerned have room for it? Asked before anything is copied. */
static int receivers_count(struct receiver_list *list, struct mount *top, const struct path *where)
{
	struct mount_namespace *own = where->mount->ns;
	struct receiver *receiver;
	unsigned int count = 0;
	int result = 0;

	for (struct mount *mount = top; mount; mount = mount_next_locked(mount, top))
		count++;
	own->coming = count;
	TAILQ_FOREACH (receiver, list, link) {
		struct mount_namespace *ns = receiver->mount->ns;

		if (!ns || !sees_dentry(receiver->mount, where->dentry))
			continue;
		ns->coming += count;
		if (ns->count + ns->coming > MOUNTS_MAX)
			result = -ENOSPC;
		if (result)
			break;
	}
	own->coming = 0;
	TAILQ_FOREACH (receiver, list, link)
		if (receiver->mount->ns)
			receiver->mount->ns->coming = 0;
	return result;
}

static int receivers_copy(
	struct receiver_list *list, struct mount *top, const struct dentry *mountpoint)
{
	struct receiver *receiver;
	int result = 0;

	TAILQ_FOREACH (receiver, list, link) {
		if (!receiver->mount->ns || !sees_dentry(receiver->mount, mountpoint))
			continue;
		result = mount_copy_tree_locked(
			top, top->root, MOUNT_COPY_RECURSIVE, &receiver->tree);
		if (result)
			break;
		if (receiver->slave)
			make_slaves(receiver->tree);
	}
	return result;
}

static void receivers_graft(struct receiver_list *list, struct dentry *mountpoint)
{
	struct receiver *receiver;

	TAILQ_FOREACH (receiver, list, link) {
		struct path where = {receiver->mount, mountpoint};

		if (!receiver->tree)
			continue;
		path_get(&where);
		mount_settle_locked(&where);
		if (mount_join_namespace_locked(receiver->tree, receiver->mount->ns) == 0) {
			mount_attach_locked(receiver->tree, where.mount, where.dentry);
			receiver->tree = NULL;
		}
		path_put(&where);
	}
}

void mount_make_shared_locked(struct mount *mount)
{
	static int next_group = 1;

	mount_assert_locked();
	if (!mount->peer_group)
		mount->peer_group = next_group++;
	mount->propagation = LINUX_MS_SHARED;
}

int mount_graft_locked(struct mount *top, const struct path *where)
{
	struct receiver_list receivers;
	int result;

	mount_assert_locked();
	if (!where->mount->ns)
		return -EINVAL;
	result = receivers_find(&receivers, where->mount);
	if (result)
		return result;
	result = receivers_count(&receivers, top, where);
	if (result) {
		receivers_free(&receivers);
		return result;
	}
	if (where->mount->peer_group)
		for (struct mount *mount = top; mount; mount = mount_next_locked(mount, top))
			mount_make_shared_locked(mount);
	result = receivers_copy(&receivers, top, where->dentry);
	if (result == 0)
		result = mount_join_namespace_locked(top, where->mount->ns);
	if (result == 0) {
		mount_attach_locked(top, where->mount, where->dentry);
		receivers_graft(&receivers, where->dentry);
	}
	receivers_free(&receivers);
	return result;
}

void mount_ungraft_locked(struct mount *top, struct mount_list *list)
{
	struct receiver_list receivers;
	struct receiver *receiver;
	struct mount *child;

	if (top->parent && receivers_find(&receivers, top->parent) == 0) {
		struct dentry *mountpoint = top->mountpoint;

		TAILQ_FOREACH (receiver, &receivers, link) {
			child = mount_find_locked(receiver->mount, mountpoint);
			/* One that has mounts of its own upon it stays. */
			if (child && child != top && TAILQ_EMPTY(&child->children) &&
				child->root == top->root)
				mount_unlink_tree_locked(child, list);
		}
		receivers_free(&receivers);
	}
	mount_unlink_tree_locked(top, list);
}
