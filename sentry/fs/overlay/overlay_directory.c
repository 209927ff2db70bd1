/* SPDX-License-Identifier: Apache-2.0 */
/* Directories of the overlay: names are looked for among those that differ, then in the lower
 * directory. */
#include "sentry/fs/overlay/overlay_node.h"

#include "abi/fcntl.h"
#include "abi/stat.h"
#include "sentry/fs/tmpfs/tmpfs.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <stdlib.h>

static int lookup_lower(struct overlay_node *directory, const char *text, struct inode **out)
{
	struct inode *lower = directory->lower, *found;
	int error;

	mutex_lock_nested(&lower->lock);
	error = lower->ops->lookup(lower, text, &found);
	mutex_unlock(&lower->lock);
	if (error)
		return error;
	return overlay_inode_get(directory->inode->sb, found, out);
}

struct inode *overlay_lower_child(struct overlay_node *directory, const char *name)
{
	struct inode *lower = directory->lower, *child;
	int error = -ENOENT;

	if (!lower)
		return NULL;
	mutex_lock_nested(&lower->lock);
	error = lower->ops->lookup(lower, name, &child);
	mutex_unlock(&lower->lock);
	return error ? NULL : child;
}

static int overlay_lookup(struct inode *directory, const char *text, struct inode **out)
{
	struct overlay_node *node = overlay_node_of(directory);
	struct overlay_name *name = overlay_name_find(node, text);

	if (name) {
		*out = name->inode ? inode_get(name->inode) : NULL;
		return name->inode ? 0 : -ENOENT;
	}
	return node->lower ? lookup_lower(node, text, out) : -ENOENT;
}

static void touch_directory(struct inode *directory)
{
	overlay_mark_changed(directory);
	inode_touch_mtime_locked(directory);
}

/*
 * A change of what a name leads to, in two steps: all that can fail, then all that cannot.
 * is_there: the name is visible now, so without an entry it is the lower directory's.
 */
struct name_change {
	struct inode *directory;
	struct overlay_name *name; /* the entry; a new one unless it was found */
	bool found;
	bool covers;
};

static int change_begin(
	struct name_change *change, struct inode *directory, const char *text, bool is_there)
{
	change->directory = directory;
	change->name = overlay_name_find(overlay_node_of(directory), text);
	change->found = change->name != NULL;
	change->covers = change->found ? change->name->covers : is_there;
	if (!change->found)
		change->name = overlay_name_new(text);
	return change->name ? 0 : -ENOMEM;
}

static void change_cancel(struct name_change *change)
{
	if (!change->found)
		free(change->name);
}

/* inode: its reference is consumed; NULL removes the name. Gives back what the entry led to, with
 * its reference. */
static struct inode *change_commit(struct name_change *change, struct inode *inode)
{
	struct overlay_node *node = overlay_node_of(change->directory);

	bool was_there = change->found && change->name->inode;

	touch_directory(change->directory);
	/* As the tmpfs says it that would have such a directory. */
	if (!node->lower)
		change->directory->attributes.size +=
			TMPFS_ENTRY_SIZE * ((uint64_t)(inode != NULL) - (uint64_t)was_there);
	if (change->found && !inode && !change->covers && !change->name->kept)
		return overlay_name_remove(node, change->name);
	if (change->found)
		return overlay_name_replace(node, change->name, inode);
	overlay_name_insert(node, change->name, inode, change->covers);
	return NULL;
}

static void put_if_any(struct inode *inode)
{
	if (inode)
		inode_put(inode);
}

static void count_subdirectory(struct inode *directory, const struct inode *child, int change)
{
	if (inode_is_type(child, LINUX_S_IFDIR) && directory->attributes.nlink > 1)
		directory->attributes.nlink += (uint32_t)change;
}

static int create_named(struct inode *directory, const char *text, uint32_t mode, uint64_t rdev,
	const char *target, const struct cred *cred, struct inode **out)
{
	struct name_change change;
	struct inode *inode;
	int error = change_begin(&change, directory, text, false);

	if (error)
		return error;
	error = overlay_inode_new(directory->sb, mode, rdev, target, &inode);
	if (error) {
		change_cancel(&change);
		return error;
	}
	inode_init_owner(&inode->attributes, directory, cred, mode);
	put_if_any(change_commit(&change, inode_get(inode)));
	count_subdirectory(directory, inode, 1);
	*out = inode;
	return 0;
}

static int overlay_create(struct inode *directory, const char *name, uint32_t mode, uint64_t rdev,
	const struct cred *cred, struct inode **out)
{
	/* On Linux that would be a whiteout, and is refused. */
	if (LINUX_S_ISCHR(mode) && rdev == 0)
		return -EPERM;
	return create_named(directory, name, mode, rdev, NULL, cred, out);
}

static int overlay_symlink(struct inode *directory, const char *name, const char *target,
	const struct cred *cred, struct inode **out)
{
	return create_named(directory, name, LINUX_S_IFLNK | 0777, 0, target, cred, out);
}

static int overlay_tmpfile(
	struct inode *directory, uint32_t mode, const struct cred *cred, struct inode **out)
{
	int error = overlay_inode_new(
		directory->sb, LINUX_S_IFREG | (mode & LINUX_S_IALLUGO), 0, NULL, out);

	if (error)
		return error;
	inode_init_owner(&(*out)->attributes, directory, cred, (*out)->attributes.mode);
	(*out)->attributes.nlink = 0;
	return 0;
}

static int overlay_link(struct inode *directory, const char *text, struct inode *target)
{
	struct super_block *upper = overlay_of(directory->sb)->upper;
	struct name_change change;
	int error = tmpfs_charge_name(upper);

	if (error)
		return error;
	error = change_begin(&change, directory, text, false);
	if (error) {
		tmpfs_uncharge_name(upper);
		return error;
	}
	overlay_mark_changed(target);
	put_if_any(change_commit(&change, inode_get(target)));
	target->attributes.nlink++;
	overlay_node_of(target)->charged_names++;
	inode_touch_ctime_locked(target);
	return 0;
}

/* A name of the inode is gone. Its lock is held, and a reference of the caller's. */
static void drop_link(struct inode *inode)
{
	struct overlay_node *node = overlay_node_of(inode);

	if (inode_is_type(inode, LINUX_S_IFDIR))
		inode->attributes.nlink = 0;
	else if (inode->attributes.nlink)
		inode->attributes.nlink--;
	overlay_mark_changed(inode);
	inode_touch_ctime_locked(inode);
	if (node->charged_names) {
		node->charged_names--;
		tmpfs_uncharge_name(overlay_of(inode->sb)->upper);
	}
	if (!inode->attributes.nlink)
		overlay_unpin(inode);
}

static int overlay_unlink(struct inode *directory, const char *text, struct inode *target)
{
	struct name_change change;
	int error = change_begin(&change, directory, text, true);

	if (error)
		return error;
	put_if_any(change_commit(&change, NULL));
	drop_link(target);
	count_subdirectory(directory, target, -1);
	return 0;
}

static int overlay_rmdir(struct inode *directory, const char *name, struct inode *target)
{
	int error = overlay_check_empty(target);

	return error ? error : overlay_unlink(directory, name, target);
}

static int exchange(struct name_change *from, struct inode *inode, struct name_change *to,
	struct inode *replaced)
{
	inode_get(inode);
	inode_get(replaced);
	/* Without an entry a lower inode was held by nobody but the cache; an entry's reference is
	 * its own. */
	overlay_mark_changed(inode);
	overlay_mark_changed(replaced);
	put_if_any(change_commit(from, replaced));
	put_if_any(change_commit(to, inode));
	count_subdirectory(from->directory, inode, -1);
	count_subdirectory(from->directory, replaced, 1);
	count_subdirectory(to->directory, replaced, -1);
	count_subdirectory(to->directory, inode, 1);
	inode_touch_ctime_locked(inode);
	inode_touch_ctime_locked(replaced);
	return 0;
}

static int move(struct name_change *from, struct inode *inode, struct name_change *to,
	struct inode *replaced)
{
	inode_get(inode);
	overlay_mark_changed(inode);
	put_if_any(change_commit(from, NULL));
	count_subdirectory(from->directory, inode, -1);
	put_if_any(change_commit(to, inode));
	count_subdirectory(to->directory, inode, 1);
	if (replaced) {
		drop_link(replaced);
		count_subdirectory(to->directory, replaced, -1);
	}
	inode_touch_ctime_locked(inode);
	return 0;
}

static int overlay_rename(struct inode *old_directory, const char *old_text, struct inode *inode,
	struct inode *new_directory, const char *new_text, struct inode *replaced,
	unsigned int flags)
{
	bool exchanging = flags & LINUX_RENAME_EXCHANGE;
	struct name_change from, to;
	int error = 0;

	if (flags & ~(unsigned int)(LINUX_RENAME_NOREPLACE | LINUX_RENAME_EXCHANGE))
		return -EINVAL;
	if (replaced && !exchanging && inode_is_type(replaced, LINUX_S_IFDIR))
		error = overlay_check_empty(replaced);
	if (!error)
		error = change_begin(&from, old_directory, old_text, true);
	if (error)
		return error;
	error = change_begin(&to, new_directory, new_text, replaced != NULL);
	if (error) {
		change_cancel(&from);
		return error;
	}
	return exchanging ? exchange(&from, inode, &to, replaced)
			  : move(&from, inode, &to, replaced);
}

const struct inode_operations overlay_directory_inode_ops = {
	.lookup = overlay_lookup,
	.create = overlay_create,
	.symlink = overlay_symlink,
	.link = overlay_link,
	.unlink = overlay_unlink,
	.rmdir = overlay_rmdir,
	.rename = overlay_rename,
	.tmpfile = overlay_tmpfile,
	.getattr = overlay_getattr,
	.setattr = overlay_setattr,
	.open = overlay_open_directory,
	.getxattr = overlay_getxattr,
	.setxattr = overlay_setxattr,
	.listxattr = overlay_listxattr,
	.removexattr = overlay_removexattr,
};
