/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What mount(2) and umount2(2) do: new mounts, binds, moves, remounts, propagation types, and their
 * end.
 */
#include "sentry/vfs/mount.h"

#include "abi/mount.h"
#include "abi/stat.h"
#include "sentry/kernel/task.h"
#include "sentry/security/landlock/landlock.h"
#include "sentry/vfs/dentry.h"
#include "sentry/vfs/mount_propagation.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* May something be mounted here? The mount point's inode is locked, so it cannot be removed
 * meanwhile. */
static int check_mountpoint(const struct path *where, const struct dentry *root)
{
	struct inode *inode = path_inode(where);
	bool directory = inode_is_type(inode, LINUX_S_IFDIR);

	if (inode->dead || dentry_is_deleted(where->dentry))
		return -ENOENT;
	if (inode_is_type(inode, LINUX_S_IFLNK))
		return -EINVAL;
	return directory == inode_is_type(root->inode, LINUX_S_IFDIR) ? 0 : -ENOTDIR;
}

/* Puts a tree of mounts in no namespace where a path leads. Consumes the tree, also on failure.
 * Lock held. */
static int graft_at(struct mount *top, const struct path *path)
{
	struct mount_list list = TAILQ_HEAD_INITIALIZER(list);
	struct path where = *path;
	int result;

	path_get(&where);
	mount_settle_locked(&where);
	mutex_lock(&path_inode(&where)->lock);
	result = check_mountpoint(&where, top->root);
	if (result == 0)
		result = mount_graft_locked(top, &where);
	mutex_unlock(&path_inode(&where)->lock);
	if (result) {
		mount_unlink_tree_locked(top, &list);
		mount_put_list(&list);
	}
	path_put(&where);
	return result;
}

int mount_attach(
	struct super_block *sb, const char *source, const struct path *where, unsigned long flags)
{
	struct mount *mount;
	int result;

	if (!sb->source[0])
		(void)snprintf(sb->source, sizeof(sb->source), "%s", source ? source : "none");
	result = mount_new(sb, sb->root, source, flags, &mount);
	super_block_put(sb);
	if (result)
		return result;
	mount_lock();
	result = graft_at(mount, where);
	mount_unlock();
	return result;
}

/* Mounts of other namespaces can be looked at, but not be changed from here. */
static bool is_ours(const struct mount *mount)
{
	return mount->ns && (!current || mount->ns == mount_namespace_current());
}

static bool may_bind(const struct mount *mount)
{
	const struct mount_namespace *bound = mount->sb->of_mounts;

	/* No mount namespace keeps itself, by way of one that is younger either. */
	if (bound && current && bound->ino <= mount_namespace_current()->ino)
		return false;
	return is_ours(mount) || mount->sb->placeless || (mount->ns && mount->ns->anonymous);
}

static int bind_locked(
	const struct path *source, const struct path *where, bool recursive, unsigned long flags)
{
	struct mount *top;
	int result;

	if (!is_ours(where->mount) || !may_bind(source->mount))
		return -EINVAL;
	if (source->mount->propagation == LINUX_MS_UNBINDABLE)
		return -EINVAL;
	if (dentry_is_deleted(source->dentry))
		return -ENOENT;
	result = mount_copy_tree_locked(source->mount, source->dentry,
		MOUNT_COPY_NAMESPACES | (recursive ? MOUNT_COPY_RECURSIVE : 0), &top);
	if (result)
		return result;
	if (flags)
		top->flags = (top->flags & LINUX_MS_RELATIME) | (flags & MOUNT_FLAGS);
	return graft_at(top, where);
}

int mount_bind(
	const struct path *source, const struct path *where, bool recursive, unsigned long flags)
{
	int result;

	mount_lock();
	result = bind_locked(source, where, recursive, flags & MOUNT_FLAGS);
	mount_unlock();
	return result;
}

int mount_new_file_system(const char *type, const char *source, unsigned long flags,
	const char *options, const struct path *where)
{
	const struct file_system_type *fs = file_system_find(type);
	struct super_block *sb;
	int result;

	if (!fs)
		return -ENODEV;
	result = fs->mount(fs, source, flags, options, &sb);
	if (result)
		return result;
	/* The flag is the mount's too, so that a remount of one bind does not need the super
	 * block's. */
	if (flags & LINUX_MS_RDONLY)
		sb->read_only = true;
	return mount_attach(sb, source, where, flags);
}

static bool is_below(const struct mount *mount, const struct mount *top)
{
	for (; mount; mount = mount->parent)
		if (mount == top)
			return true;
	return false;
}

static int move_locked(const struct path *from, const struct path *to)
{
	struct mount *mount = from->mount;
	struct path where = *to;
	int result;

	if (!is_ours(mount) || !is_ours(to->mount) || from->dentry != mount->root ||
		!mount->parent || mount->locked)
		return -EINVAL;
	if (mount->parent->propagation == LINUX_MS_SHARED)
		return -EINVAL;
	path_get(&where);
	mount_settle_locked(&where);
	/* Settled, since what is mounted here may be the mount itself. */
	if (is_below(where.mount, mount)) {
		path_put(&where);
		return -ELOOP;
	}
	mutex_lock(&path_inode(&where)->lock);
	result = check_mountpoint(&where, mount->root);
	if (result == 0) {
		/* It stays in its namespace: only its place changes. */
		mount_detach_locked(mount);
		mount_attach_locked(mount, where.mount, where.dentry);
		mount_changed_locked(mount->ns);
	}
	mutex_unlock(&path_inode(&where)->lock);
	path_put(&where);
	return result;
}

int mount_move(const struct path *from, const struct path *to)
{
	int result;

	mount_lock();
	result = move_locked(from, to);
	mount_unlock();
	return result;
}

static int place_locked(struct mount *mount, const struct path *to)
{
	struct mount_namespace *ns = mount->ns;
	int result;

	if (!is_ours(to->mount) || !ns || !ns->anonymous || ns->root != mount)
		return -EINVAL;
	/* What can be wrong with the place is found before the tree leaves what holds it. */
	result = check_mountpoint(to, mount->root);
	if (result)
		return result;
	ns->root = NULL;
	mount_leave_namespace_locked(mount);
	return graft_at(mount, to);
}

int mount_place_detached(struct mount *mount, const struct path *to)
{
	int result;

	mount_lock();
	result = place_locked(mount, to);
	mount_unlock();
	return result;
}

bool mount_may_set_flags(const struct mount *mount, unsigned long flags)
{
	unsigned long locked = mount->locked_flags & MOUNT_LOCKABLE_FLAGS;

	if (locked & ~flags)
		return false;
	return !(mount->locked_flags & (mount->flags ^ flags) & MOUNT_ATIME_FLAGS);
}

static int set_flags_locked(struct mount *mount, unsigned long flags)
{
	bool read_only = flags & LINUX_MS_RDONLY;

	if (!mount_may_set_flags(mount, flags))
		return -EPERM;
	if (read_only && !(mount->flags & LINUX_MS_RDONLY) && atomic_load(&mount->writers))
		return -EBUSY;
	mount->flags = flags;
	mount_changed_locked(mount->ns);
	return 0;
}

/* The flags of a remount; without any about access times those stay as they are. */
static unsigned long remount_flags(const struct mount *mount, unsigned long flags)
{
	if (!(flags & MOUNT_ATIME_FLAGS))
		return (flags & MOUNT_FLAGS) | (mount->flags & MOUNT_ATIME_FLAGS);
	if (!(flags & (LINUX_MS_NOATIME | LINUX_MS_STRICTATIME)))
		flags |= LINUX_MS_RELATIME;
	return flags & MOUNT_FLAGS & ~(unsigned long)LINUX_MS_STRICTATIME;
}

static int remount_super_block(struct super_block *sb, unsigned long flags, const char *options)
{
	int result = sb->ops->remount ? sb->ops->remount(sb, flags, options) : 0;

	if (result == 0)
		sb->read_only = flags & LINUX_MS_RDONLY;
	return result;
}

int mount_remount(
	const struct path *where, unsigned long flags, bool bind_only, const char *options)
{
	struct mount *mount = where->mount;
	int result = 0;

	if (where->dentry != mount->root)
		return -EINVAL;
	mount_lock();
	if (!is_ours(mount))
		result = -EINVAL;
	else if (!bind_only && (flags & LINUX_MS_RDONLY) && atomic_load(&mount->writers))
		result = -EBUSY;
	mount_unlock();
	if (result == 0 && !bind_only)
		result = remount_super_block(mount->sb, flags, options);
	if (result)
		return result;
	mount_lock();
	result = set_flags_locked(mount, remount_flags(mount, flags));
	mount_unlock();
	return result;
}

static void set_type(struct mount *mount, unsigned long type)
{
	switch (type) {
	case LINUX_MS_SHARED:
		mount_make_shared_locked(mount);
		return;
	case LINUX_MS_SLAVE:
		/* A slave of the group that it leaves; without a group there is nothing to follow.
		 */
		if (!mount->peer_group && !mount->master_group)
			return;
		if (mount->peer_group)
			mount->master_group = mount->peer_group;
		break;
	default:
		mount->master_group = 0;
		break;
	}
	mount->peer_group = 0;
	mount->propagation = (int)type;
}

int mount_set_propagation(const struct path *where, unsigned long type, bool recursive)
{
	struct mount *top = where->mount;
	int result = 0;

	if (where->dentry != top->root)
		return -EINVAL;
	mount_lock();
	if (is_ours(top)) {
		for (struct mount *mount = top; mount;
			mount = recursive ? mount_next_locked(mount, top) : NULL)
			set_type(mount, type);
		mount_changed_locked(top->ns);
	} else {
		result = -EINVAL;
	}
	mount_unlock();
	return result;
}

/* MNT_EXPIRE: the first call marks, the second one finds it still unused and goes on. */
static int expire_locked(struct mount *mount)
{
	if (refcount_read(&mount->refs) > 2)
		return -EBUSY;
	if (mount->expiry_mark)
		return 0;
	mount->expiry_mark = true;
	return -EAGAIN;
}

static int detach_locked(const struct path *where, int flags, struct mount_list *list)
{
	struct mount *mount = where->mount;

	if (!is_ours(mount) || where->dentry != mount->root || !mount->parent || mount->locked)
		return -EINVAL;
	if (landlock_check_mounts())
		return -EPERM;
	if (flags & LINUX_MNT_EXPIRE) {
		int result = expire_locked(mount);

		if (result)
			return result;
	}
	/* One reference is the namespace's, one the caller's path. */
	if (!(flags & LINUX_MNT_DETACH) &&
		(!TAILQ_EMPTY(&mount->children) || refcount_read(&mount->refs) > 2))
		return -EBUSY;
	mount_ungraft_locked(mount, list);
	return 0;
}

int mount_detach(const struct path *where, int umount_flags)
{
	struct mount_list list = TAILQ_HEAD_INITIALIZER(list);
	int result;

	mount_lock();
	result = detach_locked(where, umount_flags, &list);
	mount_unlock();
	mount_put_list(&list);
	return result;
}
