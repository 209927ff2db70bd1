/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open(2), once its flags were validated: what may be opened how, creation of what is missing,
 * truncation, O_TMPFILE, O_PATH.
 */
#include "sentry/vfs/open.h"

#include "abi/fcntl.h"
#include "abi/inotify.h"
#include "abi/mount.h"
#include "abi/stat.h"
#include "sentry/fs/fanotify/fanotify.h"
#include "sentry/fs/pipe/pipe.h"
#include "sentry/kernel/credentials.h"
#include "sentry/kernel/task.h"
#include "sentry/security/landlock/landlock.h"
#include "sentry/vfs/attributes.h"
#include "sentry/vfs/device.h"
#include "sentry/vfs/file_new.h"
#include "sentry/vfs/lease.h"
#include "sentry/vfs/mount.h"
#include "sentry/vfs/names.h"
#include "sentry/vfs/permission.h"
#include "sentry/vfs/policy.h"
#include "sentry/vfs/protected.h"

#include <errno.h>
#include <stdio.h>

#define ORDERS (LINUX_O_CREAT | LINUX_O_EXCL | LINUX_O_NOCTTY | LINUX_O_TRUNC)

/* Access mode to enum may_mask: 3 asks for both permissions, and gives neither reading nor writing.
 */
static unsigned int access_mask(uint32_t flags)
{
	static const uint8_t masks[] = {
		MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE};
	unsigned int mask = masks[flags & LINUX_O_ACCMODE];

	return flags & LINUX_O_TRUNC ? mask | MAY_WRITE : mask;
}

static unsigned int file_mode(uint32_t flags)
{
	static const uint8_t modes[] = {FILE_READ, FILE_WRITE, FILE_READ | FILE_WRITE, 0};

	return modes[flags & LINUX_O_ACCMODE];
}

/* What Linux's may_open() checks. */
static int may_open(const struct path *path, uint32_t flags, const struct cred *cred)
{
	struct inode *inode = path_inode(path);
	unsigned int mask = access_mask(flags);
	int result;

	switch (inode->attributes.mode & LINUX_S_IFMT) {
	case LINUX_S_IFLNK:
		return -ELOOP;
	case LINUX_S_IFDIR:
		if (mask & MAY_WRITE)
			return -EISDIR;
		break;
	case LINUX_S_IFBLK:
	case LINUX_S_IFCHR:
		if ((path->mount->flags & LINUX_MS_NODEV) || inode->sb->no_devices)
			return -EACCES;
		break;
	default:
		break;
	}
	result = inode_permission(inode, cred, mask);
	if (result == 0)
		result = policy_check(path, (mask & MAY_READ ? POLICY_READ : 0) |
						    (mask & MAY_WRITE ? POLICY_WRITE : 0));
	if (result)
		return result;
	if (inode_is_append_only(inode) && ((flags & LINUX_O_TRUNC) ||
						   ((flags & LINUX_O_ACCMODE) != LINUX_O_RDONLY &&
							   !(flags & LINUX_O_APPEND))))
		return -EPERM;
	if ((flags & LINUX_O_NOATIME) && !inode_owner_or_capable(inode, cred))
		return -EPERM;
	return 0;
}

/* Opens by type: what only has a number or no contents is not the file system's. */
static int open_by_type(struct file *file)
{
	struct inode *inode = file->inode;

	if (inode->ops->open_special)
		return inode->ops->open_special(inode, file);
	switch (inode->attributes.mode & LINUX_S_IFMT) {
	case LINUX_S_IFREG:
	case LINUX_S_IFDIR:
		file->mode |= FILE_SEEKABLE;
		return inode->ops->open ? inode->ops->open(inode, file) : 0;
	case LINUX_S_IFIFO:
		file->mode |= FILE_STREAM;
		return fifo_open(inode, file);
	case LINUX_S_IFCHR:
		file->mode |= FILE_STREAM;
		return device_open(inode, file);
	default:
		return -ENXIO;
	}
}

/* fanotify(7)'s permission events. */
static int ask_to_open(struct file *file)
{
	int result = 0;

	if (file->mode & FILE_EXEC)
		result = fanotify_ask(file, LINUX_FAN_OPEN_EXEC_PERM);
	return result ? result : fanotify_ask(file, LINUX_FAN_OPEN_PERM);
}

/* O_DIRECT is for regular files; of the others some cannot be opened anyway. */
static bool has_direct(const struct inode *inode)
{
	return !inode_is_type(inode, LINUX_S_IFDIR) && !inode_is_type(inode, LINUX_S_IFIFO) &&
	       !inode_is_type(inode, LINUX_S_IFCHR);
}

static int do_open(struct file *file)
{
	static const struct file_operations none;
	int result = file_hold_write_access(file);

	if (result)
		return result;
	result = landlock_check_open(file);
	if (result == 0 && fanotify_in_use())
		result = ask_to_open(file);
	if (result) {
		file_drop_write_access(file);
		return result;
	}
	file->ops = file->inode->file_ops ? file->inode->file_ops : &none;
	if (inode_is_type(file->inode, LINUX_S_IFREG))
		result = lease_break(
			file->inode, file->flags & LINUX_O_ACCMODE, file->flags & LINUX_O_NONBLOCK);
	if (result == 0 && (file->flags & LINUX_O_DIRECT) && !has_direct(file->inode))
		result = -EINVAL;
	if (result == 0)
		result = open_by_type(file);
	if (result)
		file_drop_write_access(file);
	return result;
}

int file_open_path_as(const struct path *path, uint32_t flags, const struct cred *cred,
	unsigned int more_mode, struct file **out)
{
	bool path_only = flags & LINUX_O_PATH;
	unsigned int mode = (path_only ? FILE_PATH : file_mode(flags)) | more_mode;
	struct file *file;
	int result = file_allocate(mode, flags, cred, &file);

	if (result)
		return result;
	file->path = *path;
	path_get(&file->path);
	file->inode = inode_get(path_inode(path));
	if (!path_only)
		result = do_open(file);
	if (result) {
		file_abandon(file);
		return result;
	}
	file->flags &= ~(uint32_t)(ORDERS | LINUX_O_CLOEXEC);
	if (!path_only)
		notify_file(file,
			mode & FILE_EXEC ? LINUX_IN_OPEN | LINUX_FAN_OPEN_EXEC : LINUX_IN_OPEN);
	*out = file;
	return 0;
}

int file_open_path(
	const struct path *path, uint32_t flags, const struct cred *cred, struct file **out)
{
	return file_open_path_as(path, flags, cred, 0, out);
}

/* O_TRUNC, after the file was opened. */
static int truncate_opened(const struct path *path, struct file *file)
{
	int result;

	if (!inode_is_type(file->inode, LINUX_S_IFREG))
		return 0;
	/* O_RDONLY|O_TRUNC truncates too, so it has to be a writer for a moment. */
	result = mount_want_write(path->mount);
	if (result == 0)
		result = inode_get_write_access(file->inode);
	if (result)
		return result;
	result = path_truncate(path, file, 0, true);
	inode_put_write_access(file->inode);
	return result;
}

int file_open_found(
	const struct path *path, uint32_t flags, const struct cred *cred, struct file **out)
{
	int result = flags & LINUX_O_PATH ? 0 : may_open(path, flags, cred);

	if (result == 0)
		result = file_open_path(path, flags, cred, out);
	if (result == 0 && unlikely(flags & LINUX_O_TRUNC) && !(flags & LINUX_O_PATH)) {
		result = truncate_opened(path, *out);
		if (result)
			file_put(*out);
	}
	return result;
}

static int open_existing(
	int dirfd, const char *name, uint32_t flags, unsigned int walk_flags, struct file **out)
{
	const struct cred *cred = vfs_cred();
	struct path path;
	int result;

	if (flags & LINUX_O_DIRECTORY)
		walk_flags |= WALK_DIRECTORY;
	if (!(flags & LINUX_O_NOFOLLOW))
		walk_flags |= WALK_FOLLOW;
	result = path_lookup_as(dirfd, name, walk_flags, cred, &path);
	if (result)
		return result;
	result = file_open_found(&path, flags, cred, out);
	path_put(&path);
	return result;
}

int dentry_create_locked(struct path *at, struct dentry *dentry, uint32_t mode, uint64_t rdev,
	const struct cred *cred)
{
	struct inode *directory = path_inode(at), *inode;
	char name[LINUX_NAME_MAX + 1];
	int result = mount_want_write(at->mount);

	if (result == 0)
		result = landlock_check_path(at, landlock_access_to_make(mode));
	if (result == 0)
		result = directory_may_create(directory, cred);
	if (result == 0)
		result = policy_check_name(at, dentry->name, POLICY_WRITE | POLICY_CREATED);
	if (result)
		return result;
	if (!directory->ops->create)
		return -EACCES;
	(void)snprintf(name, sizeof(name), "%s", dentry->name);
	result = inode_create_locked(directory, name, mode, rdev, cred, &inode);
	if (result)
		return result;
	dentry_instantiate(dentry, inode);
	return 0;
}

/* Finds the last component or makes it; *created tells which. */
static int find_or_create(
	struct walk *walk, uint32_t flags, uint32_t mode, struct dentry **out, bool *created)
{
	struct inode *directory = path_inode(&walk->at);
	struct dentry *dentry = dentry_find(walk->at.dentry, &walk->last);
	int result;

	*created = false;
	if (dentry && dentry_inode(dentry)) {
		*out = dentry;
		return 0;
	}
	if (dentry)
		dentry_put(dentry);
	dentry_cache_trim();
	mutex_lock(&directory->lock);
	result = dentry_lookup_locked(walk->at.dentry, &walk->last, &dentry);
	if (result == 0 && !dentry_inode(dentry)) {
		result = dentry_create_locked(
			&walk->at, dentry, LINUX_S_IFREG | (mode & LINUX_S_IALLUGO), 0, walk->cred);
		*created = result == 0;
		if (result)
			dentry_put(dentry);
	}
	/* With the lock: a rename may free the name after. */
	if (*created)
		notify_name_event(
			walk->at.dentry, dentry->name, dentry_inode(dentry), LINUX_IN_CREATE, 0);
	mutex_unlock(&directory->lock);
	if (result)
		return result;
	*out = dentry;
	return 0;
}

/* The last component of an open(O_CREAT). 1: a symlink was followed, walk on. */
static int create_last(struct walk *walk, uint32_t flags, uint32_t mode, bool *created)
{
	struct dentry *dentry;
	struct path parent;
	int result;

	*created = false;
	if (walk->last_type == LAST_DOTDOT)
		return walk_last(walk, false);
	if (walk->last_type != LAST_NORMAL)
		return 0;
	if (walk->must_be_directory)
		return -EISDIR;
	result = find_or_create(walk, flags, mode, &dentry, created);
	if (result)
		return result;
	if (!*created && (flags & LINUX_O_EXCL)) {
		dentry_put(dentry);
		return -EEXIST;
	}
	parent = walk->at;
	path_get(&parent);
	walk_step_to(walk, dentry);
	/* Whoever wants to make it himself does not follow what somebody else put there. */
	if (inode_is_type(path_inode(&walk->at), LINUX_S_IFLNK) &&
		!(flags & (LINUX_O_NOFOLLOW | LINUX_O_EXCL)))
		return walk_follow(walk, &parent);
	if ((walk->flags & WALK_NO_XDEV) && parent.mount != walk->at.mount)
		result = -EXDEV;
	if (result == 0 && !*created && !inode_is_type(path_inode(&walk->at), LINUX_S_IFDIR))
		result = protected_may_open(
			path_inode(&parent), path_inode(&walk->at), walk->cred);
	path_put(&parent);
	return result;
}

/* A file that was just made is opened whatever its mode says, and is empty already. */
static int open_created(
	struct walk *walk, const struct path *path, uint32_t flags, bool created, struct file **out)
{
	if (created) {
		int result = file_open_path(path, flags, walk->cred, out);

		if (result == 0)
			(*out)->mode |= FILE_CREATED;
		return result;
	}
	if (flags & LINUX_O_EXCL)
		return -EEXIST;
	if (inode_is_type(path_inode(path), LINUX_S_IFDIR))
		return -EISDIR;
	return file_open_found(path, flags, walk->cred, out);
}

static int open_or_create(int dirfd, const char *name, uint32_t flags, uint32_t mode,
	unsigned int walk_flags, struct file **out)
{
	struct walk walk;
	struct path path;
	bool created = false;
	int result = walk_begin(&walk, dirfd, name, walk_flags, vfs_cred());

	if (result)
		return result;
	do {
		result = walk_to_last(&walk);
		if (result == 0)
			result = create_last(&walk, flags, mode, &created);
	} while (result > 0);
	if (result == 0)
		result = walk_finish(&walk, &path);
	if (result == 0) {
		result = open_created(&walk, &path, flags, created, out);
		path_put(&path);
	}
	walk_end(&walk);
	return result;
}

/* A file without a name in a directory; consumes nothing. */
static int make_tmpfile(const struct path *directory, uint32_t mode, bool linkable,
	const struct cred *cred, struct path *out)
{
	struct inode *parent = path_inode(directory), *inode;
	struct component component;
	char name[32];
	int result = mount_want_write(directory->mount);

	if (result == 0)
		result = inode_permission(parent, cred, MAY_WRITE | MAY_EXEC);
	if (result == 0)
		result = policy_check(directory, POLICY_WRITE);
	if (result)
		return result;
	if (!parent->ops->tmpfile)
		return -EOPNOTSUPP;
	mutex_lock(&parent->lock);
	result = parent->dead ? -ENOENT
			      : inode_create_locked(parent, NULL,
					LINUX_S_IFREG | (mode & LINUX_S_IALLUGO), 0, cred, &inode);
	mutex_unlock(&parent->lock);
	if (result)
		return result;
	inode->linkable = linkable;
	(void)snprintf(name, sizeof(name), "#%lu", inode->attributes.ino);
	component = component_from_string(name);
	result = dentry_new_unhashed(directory->dentry, &component, inode, &out->dentry);
	if (result == 0)
		out->mount = mount_get(directory->mount);
	return result;
}

static int open_tmpfile(int dirfd, const char *name, uint32_t flags, uint32_t mode,
	unsigned int walk_flags, struct file **out)
{
	const struct cred *cred = vfs_cred();
	struct path directory, path;
	int result;

	if (!(flags & LINUX_O_NOFOLLOW))
		walk_flags |= WALK_FOLLOW;
	result = path_lookup_as(dirfd, name, walk_flags | WALK_DIRECTORY, cred, &directory);
	if (result)
		return result;
	result = make_tmpfile(&directory, mode, !(flags & LINUX_O_EXCL), cred, &path);
	path_put(&directory);
	if (result)
		return result;
	result = file_open_path(&path, flags, cred, out);
	path_put(&path);
	return result;
}

int file_open_at(int dirfd, const char *name, uint32_t flags, uint32_t mode,
	unsigned int walk_flags, struct file **out)
{
	if (flags & LINUX_O_PATH)
		return open_existing(dirfd, name, flags, walk_flags, out);
	if (flags & LINUX___O_TMPFILE)
		return open_tmpfile(dirfd, name, flags, mode, walk_flags, out);
	if (flags & LINUX_O_CREAT)
		return open_or_create(dirfd, name, flags, mode, walk_flags, out);
	return open_existing(dirfd, name, flags, walk_flags, out);
}
