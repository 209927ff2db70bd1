/* SPDX-License-Identifier: Apache-2.0 */
/* Mount namespaces: made, copied for CLONE_NEWNS, and gone with their last user. */
#include "sentry/vfs/mount.h"

#include "abi/mount.h"
#include "sentry/kernel/credentials.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/dentry.h"
#include "sentry/vfs/permission.h"

#include <errno.h>
#include <stdlib.h>

REFCOUNT_TYPE(namespace_refs, "mount namespace");

/* nsfs numbers look like Linux's: the initial mount namespace has 0xf0000000 there. */

static struct mount_namespace *namespace_allocate(struct user_namespace *user_ns)
{
	struct mount_namespace *ns = calloc(1, sizeof(*ns));

	if (!ns)
		return NULL;
	refcount_init(&ns->refs, &namespace_refs);
	TAILQ_INIT(&ns->mounts);
	wait_queue_init(&ns->changed);
	ns->ino = namespace_inode_new();
	ns->user_ns = user_namespace_get(user_ns);
	return ns;
}

static void namespace_free(struct mount_namespace *ns)
{
	wait_queue_destroy(&ns->changed);
	user_namespace_put(ns->user_ns);
	free(ns);
}

/* Consumes the tree's reference, also on failure. */
static int namespace_from_tree(
	struct mount *root, struct user_namespace *user_ns, struct mount_namespace **out)
{
	struct mount_namespace *ns = namespace_allocate(user_ns);
	struct mount_list list = TAILQ_HEAD_INITIALIZER(list);
	int result = ns ? 0 : -ENOMEM;

	mount_lock();
	if (result == 0)
		result = mount_join_namespace_locked(root, ns);
	if (result)
		mount_unlink_tree_locked(root, &list);
	else
		ns->root = root;
	mount_unlock();
	mount_put_list(&list);
	if (result && ns && refcount_put(&ns->refs))
		namespace_free(ns);
	if (result == 0)
		*out = ns;
	return result;
}

int mount_namespace_new(
	struct super_block *root_sb, unsigned long flags, struct mount_namespace **out)
{
	struct mount *root;
	int result = mount_new(root_sb, root_sb->root,
		root_sb->source[0] ? root_sb->source : root_sb->type->name, flags, &root);

	super_block_put(root_sb);
	if (result)
		return result;
	return namespace_from_tree(root, user_namespace_initial(), out);
}

int mount_namespace_new_anonymous(struct mount *root, struct mount_namespace **out)
{
	const struct cred *cred = vfs_cred();
	int result =
		namespace_from_tree(root, cred ? cred->user_ns : user_namespace_initial(), out);

	if (result == 0)
		(*out)->anonymous = true;
	return result;
}

/* The path in the copied tree that corresponds to one in the old tree. Lock held. */
static void move_path_to_copy(struct fs_struct *fs, struct path *path, struct mount *top)
{
	struct mount *copy = NULL;
	struct path old;

	for (struct mount *mount = top; mount && !copy; mount = mount_next_locked(mount, top))
		if (mount == path->mount)
			copy = mount->copy;
	if (!copy)
		return;
	mutex_lock(&fs->lock);
	old = *path;
	*path = (struct path){mount_get(copy), dentry_get(old.dentry)};
	mutex_unlock(&fs->lock);
	path_put(&old);
}

/* In a less privileged user namespace nothing may be told to the old one. */
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

/* Nor may anything be uncovered, or allowed, that was not in the old one. */
static void lock_tree(struct mount *top)
{
	for (struct mount *mount = top; mount; mount = mount_next_locked(mount, top)) {
		mount->locked_flags = (mount->flags & MOUNT_LOCKABLE_FLAGS) | MOUNT_ATIME_FLAGS;
		mount->locked = mount != top;
	}
}

int mount_namespace_copy(struct mount_namespace *ns, struct user_namespace *user_ns,
	struct fs_struct *fs, struct mount_namespace **out)
{
	struct mount_namespace *copy = namespace_allocate(user_ns);
	struct mount_list list = TAILQ_HEAD_INITIALIZER(list);
	struct mount *root = NULL;
	int result;

	if (!copy)
		return -ENOMEM;
	mount_lock();
	result = mount_copy_tree_locked(
		ns->root, ns->root->root, MOUNT_COPY_RECURSIVE | MOUNT_COPY_UNBINDABLE, &root);
	if (result == 0 && user_ns != ns->user_ns) {
		make_slaves(root);
		lock_tree(root);
	}
	if (result == 0)
		result = mount_join_namespace_locked(root, copy);
	if (result == 0) {
		copy->root = root;
		if (fs) {
			move_path_to_copy(fs, &fs->root, ns->root);
			move_path_to_copy(fs, &fs->pwd, ns->root);
		}
	} else if (root) {
		mount_unlink_tree_locked(root, &list);
	}
	mount_unlock();
	mount_put_list(&list);
	if (result == 0)
		*out = copy;
	else if (refcount_put(&copy->refs))
		namespace_free(copy);
	return result;
}

struct mount_namespace *mount_namespace_get(struct mount_namespace *ns)
{
	refcount_get(&ns->refs);
	return ns;
}

void mount_namespace_put(struct mount_namespace *ns)
{
	struct mount_list list = TAILQ_HEAD_INITIALIZER(list);

	if (!ns || !refcount_put(&ns->refs))
		return;
	mount_lock();
	if (ns->root)
		mount_unlink_tree_locked(ns->root, &list);
	mount_unlock();
	mount_put_list(&list);
	namespace_free(ns);
}

void mount_namespace_root(struct mount_namespace *ns, struct path *out)
{
	mount_lock();
	*out = (struct path){ns->root, ns->root->root};
	path_get(out);
	mount_settle_locked(out);
	mount_unlock();
}

struct mount_namespace *mount_namespace_current(void)
{
	return current->nsproxy->mount;
}
