/* SPDX-License-Identifier: Apache-2.0 */
/* Directories of tmpfs. The names live here, since the dentry cache may forget any of them. */
#include "abi/dirent.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "sentry/fs/tmpfs/tmpfs_node.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Positions of a directory: where the newest name is looked for, then the end. Cookies follow. */
enum { POSITION_NEWEST = 2, POSITION_END, FIRST_COOKIE };

struct tmpfs_name {
	RB_ENTRY(tmpfs_name) by_name, by_cookie;
	struct inode *inode; /* a reference */
	int64_t cookie;
	char text[];
};

static int compare_text(const struct tmpfs_name *a, const struct tmpfs_name *b)
{
	return strcmp(a->text, b->text);
}

static int compare_cookie(const struct tmpfs_name *a, const struct tmpfs_name *b)
{
	return a->cookie < b->cookie ? -1 : a->cookie > b->cookie;
}

RB_GENERATE_INTERNAL(tmpfs_name_tree, tmpfs_name, by_name, compare_text, unused_ static)
RB_GENERATE_INTERNAL(tmpfs_cookie_tree, tmpfs_name, by_cookie, compare_cookie, unused_ static)

static struct tmpfs_directory *directory_of(const struct inode *inode)
{
	return &tmpfs_node_of(inode)->directory;
}

static struct tmpfs_name *name_find(struct tmpfs_directory *directory, const char *text)
{
	struct tmpfs_name *name = RB_ROOT(&directory->names);

	while (name) {
		int order = strcmp(text, name->text);

		if (!order)
			break;
		name = order < 0 ? RB_LEFT(name, by_name) : RB_RIGHT(name, by_name);
	}
	return name;
}

static struct tmpfs_name *name_new(const char *text)
{
	size_t length = strlen(text);
	struct tmpfs_name *name = malloc(sizeof(*name) + length + 1);

	if (name)
		memcpy(name->text, text, length + 1);
	return name;
}

/* Consumes a reference to inode. Counts a directory's ".." as a link to its parent. */
static void name_insert(struct inode *directory, struct tmpfs_name *name, struct inode *inode)
{
	struct tmpfs_directory *names = directory_of(directory);

	name->inode = inode;
	if (names->last_cookie < FIRST_COOKIE)
		names->last_cookie = FIRST_COOKIE;
	name->cookie = ++names->last_cookie;
	RB_INSERT(tmpfs_name_tree, &names->names, name);
	RB_INSERT(tmpfs_cookie_tree, &names->cookies, name);
	directory->attributes.size += TMPFS_ENTRY_SIZE;
	if (inode_is_type(inode, LINUX_S_IFDIR))
		directory->attributes.nlink++;
	touch_mtime(directory);
}

/* Takes the name out and gives its reference to the inode back. */
static struct inode *name_remove(struct inode *directory, struct tmpfs_name *name)
{
	struct tmpfs_directory *names = directory_of(directory);
	struct inode *inode = name->inode;

	RB_REMOVE(tmpfs_name_tree, &names->names, name);
	RB_REMOVE(tmpfs_cookie_tree, &names->cookies, name);
	free(name);
	directory->attributes.size -= TMPFS_ENTRY_SIZE;
	if (inode_is_type(inode, LINUX_S_IFDIR))
		directory->attributes.nlink--;
	touch_mtime(directory);
	return inode;
}

int tmpfs_name_add(struct inode *directory, const char *text, struct inode *inode)
{
	struct tmpfs_name *name;

	if (name_find(directory_of(directory), text))
		return -EEXIST;
	name = name_new(text);
	if (!name)
		return -ENOMEM;
	name_insert(directory, name, inode_get(inode));
	return 0;
}

struct inode *tmpfs_name_take_any(struct tmpfs_directory *directory)
{
	struct tmpfs_name *name = RB_ROOT(&directory->names);
	struct inode *inode;

	if (!name)
		return NULL;
	inode = name->inode;
	RB_REMOVE(tmpfs_name_tree, &directory->names, name);
	free(name);
	return inode;
}

static int tmpfs_lookup(struct inode *directory, const char *text, struct inode **out)
{
	struct tmpfs_name *name = name_find(directory_of(directory), text);

	if (!name)
		return -ENOENT;
	*out = inode_get(name->inode);
	return 0;
}

static int create_named(struct inode *directory, const char *text, uint32_t mode, uint64_t rdev,
	const char *target, const struct cred *cred, struct inode **out)
{
	struct inode *inode;
	int error = tmpfs_inode_new(directory->sb, mode, rdev, target, &inode);

	if (error)
		return error;
	inode_init_owner(&inode->attributes, directory, cred, mode);
	error = tmpfs_name_add(directory, text, inode);
	if (error) {
		inode_put(inode);
		return error;
	}
	*out = inode;
	return 0;
}

static int tmpfs_create(struct inode *directory, const char *name, uint32_t mode, uint64_t rdev,
	const struct cred *cred, struct inode **out)
{
	return create_named(directory, name, mode, rdev, NULL, cred, out);
}

static int tmpfs_symlink(struct inode *directory, const char *name, const char *target,
	const struct cred *cred, struct inode **out)
{
	return create_named(directory, name, LINUX_S_IFLNK | 0777, 0, target, cred, out);
}

static int tmpfs_tmpfile(
	struct inode *directory, uint32_t mode, const struct cred *cred, struct inode **out)
{
	int error = tmpfs_inode_new(
		directory->sb, (mode & LINUX_S_IALLUGO) | LINUX_S_IFREG, 0, NULL, out);

	if (error)
		return error;
	inode_init_owner(&(*out)->attributes, directory, cred, (*out)->attributes.mode);
	(*out)->attributes.nlink = 0;
	return 0;
}

int tmpfs_populate(struct inode *directory, const char *name, uint32_t mode, uint64_t rdev,
	const char *target, struct inode **out)
{
	struct inode *inode;
	int error = tmpfs_inode_new(directory->sb, mode, rdev, target, &inode);

	if (error)
		return error;
	mutex_lock(&directory->lock);
	error = tmpfs_name_add(directory, name, inode);
	mutex_unlock(&directory->lock);
	if (!error && out)
		*out = inode;
	else
		inode_put(inode);
	return error;
}

/* Each further name is charged like an inode, so that names are bounded too. A file of O_TMPFILE
 * has paid already. */
static int tmpfs_link(struct inode *directory, const char *name, struct inode *target)
{
	struct tmpfs *fs = tmpfs_of(directory->sb);
	bool charge = target->attributes.nlink > 0;
	int error = charge ? tmpfs_charge_inode(fs) : 0;

	if (error)
		return error;
	error = tmpfs_name_add(directory, name, target);
	if (error) {
		if (charge)
			tmpfs_uncharge_inode(fs);
		return error;
	}
	target->attributes.nlink++;
	touch_ctime(target);
	return 0;
}

static void drop_link(struct inode *inode)
{
	if (inode_is_type(inode, LINUX_S_IFDIR)) {
		inode->attributes.nlink = 0;
	} else {
		if (inode->attributes.nlink > 1)
			tmpfs_uncharge_inode(tmpfs_of(inode->sb));
		inode->attributes.nlink--;
	}
	touch_ctime(inode);
}

static int tmpfs_unlink(struct inode *directory, const char *text, struct inode *target)
{
	struct tmpfs_name *name = name_find(directory_of(directory), text);

	if (!name || name->inode != target)
		return -ENOENT;
	/* The caller holds a reference: the inode does not die under its lock. */
	inode_put(name_remove(directory, name));
	drop_link(target);
	return 0;
}

static int tmpfs_rmdir(struct inode *directory, const char *name, struct inode *target)
{
	if (!RB_EMPTY(&directory_of(target)->names))
		return -ENOTEMPTY;
	return tmpfs_unlink(directory, name, target);
}

static int rename_exchange(struct inode *old_directory, struct tmpfs_name *old_name,
	struct inode *new_directory, struct tmpfs_name *new_name)
{
	bool old_is_directory = inode_is_type(old_name->inode, LINUX_S_IFDIR);
	bool new_is_directory = inode_is_type(new_name->inode, LINUX_S_IFDIR);
	struct inode *moved = old_name->inode;

	old_name->inode = new_name->inode;
	new_name->inode = moved;
	if (old_is_directory != new_is_directory) {
		old_directory->attributes.nlink += new_is_directory ? 1 : -1;
		new_directory->attributes.nlink += old_is_directory ? 1 : -1;
	}
	touch_mtime(old_directory);
	touch_mtime(new_directory);
	touch_ctime(old_name->inode);
	touch_ctime(new_name->inode);
	return 0;
}

/* RENAME_WHITEOUT leaves a character device 0:0 behind, for an overlay that a guest mounts on this.
 */
static int leave_whiteout(struct inode *directory, const char *text)
{
	struct inode *whiteout;
	int error = tmpfs_inode_new(directory->sb, LINUX_S_IFCHR, 0, NULL, &whiteout);

	if (error)
		return error;
	error = tmpfs_name_add(directory, text, whiteout);
	inode_put(whiteout);
	return error;
}

static int tmpfs_rename(struct inode *old_directory, const char *old_text, struct inode *inode,
	struct inode *new_directory, const char *new_text, struct inode *replaced,
	unsigned int flags)
{
	struct tmpfs_name *old_name = name_find(directory_of(old_directory), old_text);
	struct tmpfs_name *new_name = name_find(directory_of(new_directory), new_text), *fresh;

	if (!old_name || old_name->inode != inode)
		return -ENOENT;
	if (flags & LINUX_RENAME_EXCHANGE)
		return new_name ? rename_exchange(old_directory, old_name, new_directory, new_name)
				: -ENOENT;
	if (new_name && (flags & LINUX_RENAME_NOREPLACE))
		return -EEXIST;
	if (new_name && inode_is_type(new_name->inode, LINUX_S_IFDIR) &&
		!RB_EMPTY(&directory_of(new_name->inode)->names))
		return -ENOTEMPTY;
	fresh = name_new(new_text);
	if (!fresh)
		return -ENOMEM;
	name_remove(old_directory, old_name);
	if (new_name) {
		struct inode *gone = name_remove(new_directory, new_name);

		drop_link(gone);
		inode_put(gone);
	}
	name_insert(new_directory, fresh, inode);
	touch_ctime(inode);
	return flags & LINUX_RENAME_WHITEOUT ? leave_whiteout(old_directory, old_text) : 0;
}

static bool emit_name(struct dir_context *context, const struct tmpfs_name *name)
{
	return context->emit(context, name->text, strlen(name->text), name->cookie - 1,
		name->inode->attributes.ino, LINUX_IFTODT(name->inode->attributes.mode));
}

/* The name at a cookie or the next one below; from POSITION_NEWEST the highest. */
static struct tmpfs_name *name_at_or_below(struct tmpfs_directory *directory, int64_t position)
{
	struct tmpfs_name *name = RB_ROOT(&directory->cookies), *found = NULL;

	if (position == POSITION_NEWEST)
		position = INT64_MAX;
	while (name) {
		if (name->cookie <= position) {
			found = name;
			name = RB_RIGHT(name, by_cookie);
		} else {
			name = RB_LEFT(name, by_cookie);
		}
	}
	return found;
}

static int tmpfs_iterate(struct file *file, struct dir_context *context)
{
	struct tmpfs_directory *directory = directory_of(file->inode);
	struct tmpfs_name *name = name_at_or_below(directory, context->position);

	for (; name; name = RB_PREV(tmpfs_cookie_tree, &directory->cookies, name))
		if (!emit_name(context, name))
			return 0;
	return 0;
}

const struct inode_operations tmpfs_directory_inode_ops = {
	.lookup = tmpfs_lookup,
	.create = tmpfs_create,
	.symlink = tmpfs_symlink,
	.link = tmpfs_link,
	.unlink = tmpfs_unlink,
	.rmdir = tmpfs_rmdir,
	.rename = tmpfs_rename,
	.tmpfile = tmpfs_tmpfile,
	.setattr = tmpfs_setattr,
	.getxattr = tmpfs_getxattr,
	.setxattr = tmpfs_setxattr,
	.listxattr = tmpfs_listxattr,
	.removexattr = tmpfs_removexattr,
};

const struct file_operations tmpfs_directory_ops = {
	.iterate = tmpfs_iterate,
};
