/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rename(2) and its flags.
 *
 * Locks as Linux's lock_rename(): one rename between directories of a file system at a time, so
 * that "is above" stays true while it is asked; then the directory above before that below,
 * unrelated ones by address; then what is renamed and what is replaced, by address.
 */
#include "abi/fcntl.h"
#include "abi/inotify.h"
#include "abi/limits.h"
#include "abi/stat.h"
#include "sentry/fs/fanotify/fanotify.h"
#include "sentry/security/landlock/landlock.h"
#include "sentry/vfs/dentry.h"
#include "sentry/vfs/mount.h"
#include "sentry/vfs/names.h"
#include "sentry/vfs/permission.h"
#include "sentry/vfs/policy.h"

#include <errno.h>
#include <string.h>

struct rename {
	struct path old_parent, new_parent;
	char old_name[LINUX_NAME_MAX + 1], new_name[LINUX_NAME_MAX + 1];
	bool old_slash, new_slash;
	unsigned int flags;
	struct dentry *old, *new;
	struct inode *moved, *replaced; /* references; replaced may be NULL */
	uint32_t cookie;
	bool nothing_to_do;
};

static void lock_directories(const struct rename *rename)
{
	struct dentry *a = rename->old_parent.dentry, *b = rename->new_parent.dentry;
	bool swapped;

	if (a->inode == b->inode) {
		mutex_lock(&a->inode->lock);
		return;
	}
	mutex_lock(&a->sb->rename_lock);
	dentry_tree_lock();
	swapped = dentry_is_below(a, b) || (!dentry_is_below(b, a) && b->inode < a->inode);
	dentry_tree_unlock();
	if (swapped) {
		struct dentry *swap = a;

		a = b;
		b = swap;
	}
	mutex_lock(&a->inode->lock);
	mutex_lock_nested(&b->inode->lock);
}

static void unlock_directories(const struct rename *rename)
{
	struct dentry *a = rename->old_parent.dentry, *b = rename->new_parent.dentry;

	mutex_unlock(&a->inode->lock);
	if (a->inode == b->inode)
		return;
	mutex_unlock(&b->inode->lock);
	mutex_unlock(&a->sb->rename_lock);
}

static void lock_inodes(struct inode *a, struct inode *b)
{
	if (b && b < a) {
		mutex_lock_nested(&b->lock);
		mutex_lock_nested(&a->lock);
		return;
	}
	mutex_lock_nested(&a->lock);
	if (b && b != a)
		mutex_lock_nested(&b->lock);
}

static void unlock_inodes(struct inode *a, struct inode *b)
{
	mutex_unlock(&a->lock);
	if (b && b != a)
		mutex_unlock(&b->lock);
}

static bool is_directory(const struct inode *inode)
{
	return inode_is_type(inode, LINUX_S_IFDIR);
}

/* A directory must not be moved below itself, nor replace what it is below. */
static int check_loops(const struct rename *rename)
{
	bool loop, above;

	dentry_tree_lock();
	loop = dentry_is_below(rename->new_parent.dentry, rename->old);
	above = dentry_is_below(rename->old_parent.dentry, rename->new);
	dentry_tree_unlock();
	if (loop)
		return -EINVAL;
	if (above)
		return rename->flags & LINUX_RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	return 0;
}

/* Slashes after names that are no directories. */
static int check_slashes(const struct rename *rename)
{
	const struct inode *moved = dentry_inode(rename->old),
			   *replaced = dentry_inode(rename->new);

	if ((rename->flags & LINUX_RENAME_EXCHANGE) && !is_directory(replaced) && rename->new_slash)
		return -ENOTDIR;
	if (is_directory(moved))
		return 0;
	if (rename->old_slash)
		return -ENOTDIR;
	return !(rename->flags & LINUX_RENAME_EXCHANGE) && rename->new_slash ? -ENOTDIR : 0;
}

static int check_names(struct rename *rename)
{
	struct inode *moved = dentry_inode(rename->old), *replaced = dentry_inode(rename->new);

	if (!moved)
		return -ENOENT;
	if ((rename->flags & LINUX_RENAME_NOREPLACE) && replaced)
		return -EEXIST;
	if ((rename->flags & LINUX_RENAME_EXCHANGE) && !replaced)
		return -ENOENT;
	return check_slashes(rename);
}

static int check_permission(const struct rename *rename)
{
	const struct cred *cred = vfs_cred();
	struct inode *old_directory = path_inode(&rename->old_parent);
	struct inode *new_directory = path_inode(&rename->new_parent);
	struct inode *moved = dentry_inode(rename->old), *replaced = dentry_inode(rename->new);
	bool exchange = rename->flags & LINUX_RENAME_EXCHANGE;
	int result = directory_may_delete(old_directory, moved, cred, is_directory(moved));

	if (result)
		return result;
	if (!replaced)
		result = directory_may_create(new_directory, cred);
	else
		result = directory_may_delete(new_directory, replaced, cred,
			exchange ? is_directory(replaced) : is_directory(moved));
	/* A directory that changes its parent has its ".." written. */
	if (result == 0 && old_directory != new_directory && is_directory(moved))
		result = inode_permission(moved, cred, MAY_WRITE);
	if (result == 0 && old_directory != new_directory && exchange && is_directory(replaced))
		result = inode_permission(replaced, cred, MAY_WRITE);
	return result;
}

/* All locks held. */
static int rename_locked(struct rename *rename)
{
	struct inode *old_directory = path_inode(&rename->old_parent);
	struct inode *new_directory = path_inode(&rename->new_parent);
	bool exchange = rename->flags & LINUX_RENAME_EXCHANGE;
	int result;

	if (atomic_load(&rename->old->mounted) || atomic_load(&rename->new->mounted))
		return -EBUSY;
	if (!old_directory->ops->rename)
		return -EPERM;
	result = old_directory->ops->rename(old_directory, rename->old_name, rename->moved,
		new_directory, rename->new_name, rename->replaced, rename->flags);
	if (result)
		return result;
	if (exchange) {
		result = dentry_exchange(rename->old, rename->new);
	} else {
		if (rename->replaced && is_directory(rename->replaced)) {
			rename->replaced->dead = true;
			dentry_prune_tree(rename->new);
		}
		result = dentry_move(rename->old, rename->new);
	}
	/* The names changed already: without memory for them the cache forgets them, and asks the
	 * file system next time. */
	if (result) {
		dentry_drop(rename->old);
		dentry_drop(rename->new);
	}
	return 0;
}

static int rename_names(struct rename *rename)
{
	int result = check_names(rename);

	if (result == 0)
		result = check_loops(rename);
	if (result == 0)
		result = landlock_check_refer(&(struct landlock_refer){
			.old = rename->old,
			.new = rename->new,
			.new_directory = &rename->new_parent,
			.removes = true,
			.exchanges = rename->flags & LINUX_RENAME_EXCHANGE,
		});
	if (result)
		return result;
	rename->moved = inode_get(dentry_inode(rename->old));
	if (dentry_inode(rename->new))
		rename->replaced = inode_get(dentry_inode(rename->new));
	if (rename->moved == rename->replaced) {
		/* Two names of one file: POSIX says that nothing happens. */
		rename->nothing_to_do = true;
		return 0;
	}
	result = check_permission(rename);
	if (result == 0)
		result = policy_check_name(
			&rename->old_parent, rename->old_name, POLICY_WRITE | POLICY_RENAMED);
	if (result == 0)
		result = policy_check_name(
			&rename->new_parent, rename->new_name, POLICY_WRITE | POLICY_RENAMED);
	if (result)
		return result;
	lock_inodes(rename->moved, rename->replaced);
	result = rename_locked(rename);
	unlock_inodes(rename->moved, rename->replaced);
	return result;
}

static int lookup_names(struct rename *rename)
{
	struct component old = component_from_string(rename->old_name);
	struct component new = component_from_string(rename->new_name);
	int result = dentry_lookup_locked(rename->old_parent.dentry, &old, &rename->old);

	if (result)
		return result;
	result = dentry_lookup_locked(rename->new_parent.dentry, &new, &rename->new);
	if (result == 0)
		return 0;
	dentry_put(rename->old);
	rename->old = NULL;
	return result;
}

static void tell_renamed(struct dentry *old_directory, const char *old_name,
	struct dentry *new_directory, const char *new_name, struct inode *inode)
{
	if (fanotify_in_use())
		fanotify_tell_rename(old_directory, old_name, new_directory, new_name, inode);
}

static void tell_moved(const struct rename *rename)
{
	uint32_t cookie = notify_new_cookie();
	struct dentry *old_directory = rename->old_parent.dentry;
	struct dentry *new_directory = rename->new_parent.dentry;

	tell_renamed(old_directory, rename->old_name, new_directory, rename->new_name,
		rename->moved);

	notify_name_event(
		old_directory, rename->old_name, rename->moved, LINUX_IN_MOVED_FROM, cookie);
	notify_name_event(
		new_directory, rename->new_name, rename->moved, LINUX_IN_MOVED_TO, cookie);
	notify_event(rename->moved, NULL, LINUX_IN_MOVE_SELF);
	if (!rename->replaced)
		return;
	if (rename->flags & LINUX_RENAME_EXCHANGE) {
		cookie = notify_new_cookie();
		tell_renamed(new_directory, rename->new_name, old_directory, rename->old_name,
			rename->replaced);
		notify_name_event(new_directory, rename->new_name, rename->replaced,
			LINUX_IN_MOVED_FROM, cookie);
		notify_name_event(old_directory, rename->old_name, rename->replaced,
			LINUX_IN_MOVED_TO, cookie);
		notify_event(rename->replaced, NULL, LINUX_IN_MOVE_SELF);
		return;
	}
	notify_event(rename->replaced, NULL, LINUX_IN_ATTRIB);
	if ((rename->replaced->attributes.nlink == 0 || is_directory(rename->replaced)) &&
		!inode_is_open(rename->replaced))
		notify_inode_gone(rename->replaced);
}

static bool is_plain(const char *name)
{
	return *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int rename_between(struct rename *rename)
{
	int result;

	if (rename->old_parent.mount != rename->new_parent.mount)
		return -EXDEV;
	if (!is_plain(rename->old_name))
		return -EBUSY;
	if (!is_plain(rename->new_name))
		return rename->flags & LINUX_RENAME_NOREPLACE ? -EEXIST : -EBUSY;
	result = mount_want_write(rename->old_parent.mount);
	if (result)
		return result;
	dentry_cache_trim();
	lock_directories(rename);
	result = lookup_names(rename);
	if (result == 0)
		result = rename_names(rename);
	unlock_directories(rename);
	if (result == 0 && !rename->nothing_to_do)
		tell_moved(rename);
	if (rename->old) {
		dentry_put(rename->old);
		dentry_put(rename->new);
	}
	if (rename->moved)
		inode_put(rename->moved);
	if (rename->replaced)
		inode_put(rename->replaced);
	return result;
}

int path_rename(int old_dirfd, const char *old_name, int new_dirfd, const char *new_name,
	unsigned int flags)
{
	struct rename rename = {.flags = flags};
	int result = path_lookup_parent(
		old_dirfd, old_name, 0, &rename.old_parent, rename.old_name, &rename.old_slash);

	if (result)
		return result;
	result = path_lookup_parent(
		new_dirfd, new_name, 0, &rename.new_parent, rename.new_name, &rename.new_slash);
	if (result == 0) {
		result = rename_between(&rename);
		path_put(&rename.new_parent);
	}
	path_put(&rename.old_parent);
	return result;
}
