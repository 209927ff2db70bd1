/* SPDX-License-Identifier: Apache-2.0 */
/* Names that go: unlink(2), rmdir(2). */
#include "abi/inotify.h"
#include "abi/limits.h"
#include "abi/stat.h"
#include "sentry/security/landlock/landlock.h"
#include "sentry/vfs/dentry.h"
#include "sentry/vfs/mount.h"
#include "sentry/vfs/names.h"
#include "sentry/vfs/permission.h"
#include "sentry/vfs/policy.h"

#include <errno.h>
#include <string.h>

/* Both locks held; the name leads to victim. */
static int remove_locked(struct inode *directory, struct dentry *dentry, struct inode *victim,
	const char *name, bool is_directory)
{
	int result;

	if (atomic_load(&dentry->mounted))
		return -EBUSY;
	if (is_directory) {
		result = directory->ops->rmdir ? directory->ops->rmdir(directory, name, victim)
					       : -EPERM;
		if (result == 0)
			victim->dead = true;
		return result;
	}
	return directory->ops->unlink ? directory->ops->unlink(directory, name, victim) : -EPERM;
}

static void tell_removed(struct dentry *directory, const char *name, struct inode *victim)
{
	bool last = victim->attributes.nlink == 0 || inode_is_type(victim, LINUX_S_IFDIR);

	if (!inode_is_type(victim, LINUX_S_IFDIR))
		notify_event(victim, NULL, LINUX_IN_ATTRIB);
	if (last && !inode_is_open(victim))
		notify_inode_gone(victim);
	notify_name_event(directory, name, victim, LINUX_IN_DELETE, 0);
}

/* The directory is locked. Consumes the dentry. */
static int remove_found(const struct path *parent, struct dentry *dentry, const char *name,
	bool trailing_slash, bool is_directory, struct inode **removed)
{
	struct inode *directory = path_inode(parent), *victim = dentry_inode(dentry);
	int result;

	if (!victim) {
		result = -ENOENT;
	} else if (trailing_slash && !is_directory) {
		result = inode_is_type(victim, LINUX_S_IFDIR) ? -EISDIR : -ENOTDIR;
	} else {
		result = landlock_check_path(
			parent, is_directory ? LINUX_LANDLOCK_ACCESS_FS_REMOVE_DIR
					     : LINUX_LANDLOCK_ACCESS_FS_REMOVE_FILE);
	}
	if (result == 0)
		result = directory_may_delete(directory, victim, vfs_cred(), is_directory);
	if (result == 0)
		result = policy_check_name(parent, name, POLICY_WRITE | POLICY_REMOVED);
	if (result == 0) {
		(void)inode_get(victim);
		mutex_lock_nested(&victim->lock);
		result = remove_locked(directory, dentry, victim, name, is_directory);
		mutex_unlock(&victim->lock);
		if (result) {
			inode_put(victim);
		} else {
			if (is_directory)
				dentry_prune_tree(dentry);
			dentry_delete(dentry);
			*removed = victim;
		}
	}
	dentry_put(dentry);
	return result;
}

static int remove_name(
	const struct path *parent, const char *last, bool trailing_slash, bool is_directory)
{
	struct component component = component_from_string(last);
	struct inode *directory = path_inode(parent), *removed = NULL;
	struct dentry *dentry;
	int result = mount_want_write(parent->mount);

	if (result)
		return result;
	mutex_lock(&directory->lock);
	result = dentry_lookup_locked(parent->dentry, &component, &dentry);
	if (result == 0)
		result = remove_found(parent, dentry, last, trailing_slash, is_directory, &removed);
	mutex_unlock(&directory->lock);
	if (removed) {
		tell_removed(parent->dentry, last, removed);
		inode_put(removed);
	}
	return result;
}

static int remove_at(int dirfd, const char *name, bool is_directory)
{
	char last[LINUX_NAME_MAX + 1];
	bool trailing_slash;
	struct path parent;
	int result = path_lookup_parent(dirfd, name, 0, &parent, last, &trailing_slash);

	if (result)
		return result;
	if (!*last)
		result = is_directory ? -EBUSY : -EISDIR;
	else if (!strcmp(last, "."))
		result = is_directory ? -EINVAL : -EISDIR;
	else if (!strcmp(last, ".."))
		result = is_directory ? -ENOTEMPTY : -EISDIR;
	else
		result = remove_name(&parent, last, trailing_slash, is_directory);
	path_put(&parent);
	return result;
}

int path_unlink_in(const struct path *directory, const char *name)
{
	return remove_name(directory, name, false, false);
}

int path_unlink(int dirfd, const char *name)
{
	return remove_at(dirfd, name, false);
}

int path_rmdir(int dirfd, const char *name)
{
	return remove_at(dirfd, name, true);
}
