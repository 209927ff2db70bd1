/* SPDX-License-Identifier: Apache-2.0 */
/* Trees of mounts that descriptors stand for. */
#include "sentry/vfs/mount_file.h"

#include "abi/fcntl.h"
#include "abi/mount.h"
#include "sentry/vfs/dentry.h"
#include "sentry/vfs/permission.h"

#include <errno.h>

static void mount_file_release(struct file *file)
{
	mount_namespace_put(file->private);
}

static const struct file_operations mount_file_operations = {.release = mount_file_release};

int mount_file_new(struct mount *mount, struct file **out)
{
	struct path path = {mount_get(mount), dentry_get(mount->root)};
	struct mount_namespace *ns;
	int result = mount_namespace_new_anonymous(mount, &ns);

	if (result == 0) {
		result = file_open_path(&path, LINUX_O_PATH, vfs_cred(), out);
		if (result)
			mount_namespace_put(ns);
	}
	if (result == 0) {
		(*out)->private = ns;
		(*out)->ops = &mount_file_operations;
	}
	path_put(&path);
	return result;
}

int mount_file_clone(const struct path *path, bool recursive, struct file **out)
{
	struct mount *top = NULL;
	int result = 0;

	mount_lock();
	if (!path->mount->ns || path->mount->propagation == LINUX_MS_UNBINDABLE)
		result = -EINVAL;
	else
		result = mount_copy_tree_locked(
			path->mount, path->dentry, recursive ? MOUNT_COPY_RECURSIVE : 0, &top);
	mount_unlock();
	return result ? result : mount_file_new(top, out);
}

int mount_file_move(const struct path *from, const struct path *to)
{
	bool detached;

	mount_lock();
	detached = from->mount->ns && from->mount->ns->anonymous &&
		   from->mount->ns->root == from->mount && from->dentry == from->mount->root;
	mount_unlock();
	return detached ? mount_place_detached(from->mount, to) : mount_move(from, to);
}

static unsigned long changed_flags(const struct mount *mount, const struct mount_change *change)
{
	return (mount->flags & ~change->clear) | change->set;
}

int mount_change(const struct path *where, const struct mount_change *change, bool recursive)
{
	struct mount *top = where->mount, *mount;
	int result = 0;

	if (where->dentry != top->root)
		return -EINVAL;
	mount_lock();
	for (mount = top; mount && !result;
		mount = recursive ? mount_next_locked(mount, top) : NULL) {
		unsigned long flags = changed_flags(mount, change);

		if ((flags & ~mount->flags & LINUX_MS_RDONLY) && atomic_load(&mount->writers))
			result = -EBUSY;
		else if (!mount_may_set_flags(mount, flags))
			result = -EPERM;
	}
	if (!top->ns || (!top->ns->anonymous && top->ns != mount_namespace_current()))
		result = -EINVAL;
	for (mount = top; mount && !result;
		mount = recursive ? mount_next_locked(mount, top) : NULL)
		mount->flags = changed_flags(mount, change);
	if (!result)
		mount_changed_locked(top->ns);
	mount_unlock();
	if (result == 0 && change->propagation)
		result = mount_set_propagation(where, change->propagation, recursive);
	return result;
}
