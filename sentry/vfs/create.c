/* SPDX-License-Identifier: Apache-2.0 */
/* New names: mkdir(2), mknod(2), symlink(2), link(2). */
#include "abi/capability.h"
#include "abi/fcntl.h"
#include "abi/inotify.h"
#include "abi/limits.h"
#include "abi/stat.h"
#include "sentry/kernel/credentials.h"
#include "sentry/kernel/task.h"
#include "sentry/security/landlock/landlock.h"
#include "sentry/vfs/dentry.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/inode_acl.h"
#include "sentry/vfs/inode_flags.h"
#include "sentry/vfs/mount.h"
#include "sentry/vfs/names.h"
#include "sentry/vfs/open.h"
#include "sentry/vfs/permission.h"
#include "sentry/vfs/policy.h"
#include "sentry/vfs/protected.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A name that is about to be made, its directory locked. */
struct new_name {
	struct path parent; /* borrowed */
	struct inode *directory;
	struct dentry *dentry; /* negative; a reference */
	char name[LINUX_NAME_MAX + 1];
};

/* Locks the directory and sees to it that the name is free and may be made. slash: one follows the
 * name of what is no directory. access: what Landlock is to be asked for, if anything. */
static int new_name_begin(struct new_name *new, const struct path *parent, const char *last,
	bool slash, uint16_t access, const struct cred *cred)
{
	struct component component = component_from_string(last);
	int result;

	if (!*last || !strcmp(last, ".") || !strcmp(last, ".."))
		return -EEXIST;
	dentry_cache_trim();
	new->parent = *parent;
	new->directory = path_inode(parent);
	if (!inode_is_type(new->directory, LINUX_S_IFDIR) || !new->directory->ops->lookup)
		return -ENOTDIR;
	(void)snprintf(new->name, sizeof(new->name), "%s", last);
	mutex_lock(&new->directory->lock);
	result = dentry_lookup_locked(parent->dentry, &component, &new->dentry);
	if (result) {
		mutex_unlock(&new->directory->lock);
		return result;
	}
	if (dentry_inode(new->dentry))
		result = -EEXIST;
	else if (slash)
		result = -ENOENT;
	if (result == 0)
		result = mount_want_write(parent->mount);
	if (result == 0 && access)
		result = landlock_check_path(parent, access);
	if (result == 0)
		result = directory_may_create(new->directory, cred);
	if (result == 0)
		result = policy_check_name(parent, last, POLICY_WRITE | POLICY_CREATED);
	if (result) {
		mutex_unlock(&new->directory->lock);
		dentry_put(new->dentry);
	}
	return result;
}

/* inode: what the name leads to now (its reference is consumed), if result says that it was made.
 */
static int new_name_end(struct new_name *new, struct inode *inode, int result)
{
	if (result == 0)
		dentry_instantiate(new->dentry, inode);
	mutex_unlock(&new->directory->lock);
	if (result == 0)
		notify_name_event(new->parent.dentry, new->name, inode, LINUX_IN_CREATE, 0);
	dentry_put(new->dentry);
	return result;
}

int inode_create_locked(struct inode *directory, const char *name, uint32_t mode, uint64_t rdev,
	const struct cred *cred, struct inode **out)
{
	uint32_t umask = current && current->fs ? current->fs->umask : 0;
	struct inherited_acls inherited;
	int result;

	mode = inode_mode_strip_sgid(directory, cred, mode);
	result = inode_acl_inherit(directory, &mode, umask, &inherited);
	if (result)
		return result;
	result = name ? directory->ops->create(directory, name, mode, rdev, cred, out)
		      : directory->ops->tmpfile(directory, mode, cred, out);
	inode_acl_inherit_done(result ? NULL : *out, &inherited);
	if (result == 0)
		inode_flags_inherit(*out, directory);
	return result;
}

/* Devices take a capability, unless they are the whiteouts of overlays. */
static bool may_make(uint32_t mode, uint64_t rdev, const struct cred *cred)
{
	if (!LINUX_S_ISBLK(mode) && !(LINUX_S_ISCHR(mode) && rdev != 0))
		return true;
	return vfs_capable(cred, LINUX_CAP_MKNOD);
}

static int create_name(const struct path *parent, const char *last, bool slash, uint32_t mode,
	uint64_t rdev, struct path *out)
{
	const struct cred *cred = vfs_cred();
	struct new_name new;
	struct inode *inode = NULL;
	int result = new_name_begin(
		&new, parent, last, slash, landlock_access_to_make(mode), cred);

	if (result)
		return result;
	if (!new.directory->ops->create || !may_make(mode, rdev, cred))
		result = -EPERM;
	else
		result = inode_create_locked(
			new.directory, new.name, mode, rdev, cred, &inode);
	if (result == 0 && out) {
		*out = (struct path){parent->mount, new.dentry};
		path_get(out);
	}
	return new_name_end(&new, inode, result);
}

int path_create(
	const struct path *parent, const char *last, uint32_t mode, uint64_t rdev, struct path *out)
{
	return create_name(parent, last, false, mode, rdev, out);
}

static int create_at(int dirfd, const char *name, uint32_t mode, uint64_t rdev)
{
	char last[LINUX_NAME_MAX + 1];
	bool trailing_slash;
	struct path parent;
	int result = path_lookup_parent(dirfd, name, 0, &parent, last, &trailing_slash);

	if (result)
		return result;
	result = create_name(
		&parent, last, trailing_slash && !LINUX_S_ISDIR(mode), mode, rdev, NULL);
	path_put(&parent);
	return result;
}

int path_mkdir(int dirfd, const char *name, uint32_t mode)
{
	return create_at(dirfd, name, LINUX_S_IFDIR | (mode & (0777 | LINUX_S_ISVTX)), 0);
}

int path_mknod(int dirfd, const char *name, uint32_t mode, uint64_t rdev)
{
	mode &= LINUX_S_IFMT | LINUX_S_IALLUGO;
	switch (mode & LINUX_S_IFMT) {
	case 0:
		mode |= LINUX_S_IFREG;
		break;
	case LINUX_S_IFREG:
	case LINUX_S_IFIFO:
	case LINUX_S_IFSOCK:
		break;
	case LINUX_S_IFCHR:
	case LINUX_S_IFBLK:
		return create_at(dirfd, name, mode, rdev);
	case LINUX_S_IFDIR:
		return -EPERM;
	default:
		return -EINVAL;
	}
	return create_at(dirfd, name, mode, 0);
}

int path_symlink(const char *target, int dirfd, const char *name)
{
	const struct cred *cred = vfs_cred();
	char last[LINUX_NAME_MAX + 1];
	bool trailing_slash;
	struct inode *inode = NULL;
	struct path parent;
	struct new_name new;
	int result;

	if (!*target)
		return -ENOENT;
	result = path_lookup_parent(dirfd, name, 0, &parent, last, &trailing_slash);
	if (result)
		return result;
	result = new_name_begin(&new, &parent, last, trailing_slash,
		LINUX_LANDLOCK_ACCESS_FS_MAKE_SYM, cred);
	if (result == 0) {
		if (!new.directory->ops->symlink)
			result = -EPERM;
		else
			result = new.directory->ops->symlink(
				new.directory, new.name, target, cred, &inode);
		if (result == 0)
			inode_flags_inherit(inode, new.directory);
		result = new_name_end(&new, inode, result);
	}
	path_put(&parent);
	return result;
}

/* Both locked. */
static int may_link(const struct inode *directory, const struct inode *inode)
{
	if (inode_is_frozen(inode) || inode_is_type(inode, LINUX_S_IFDIR))
		return -EPERM;
	if (!directory->ops->link)
		return -EPERM;
	if (inode->attributes.nlink == 0 && !inode->linkable)
		return -ENOENT;
	return 0;
}

static int link_to(
	const struct path *old, const struct path *parent, const char *last, bool trailing_slash)
{
	struct inode *inode = path_inode(old);
	struct new_name new;
	int result = policy_check(old, POLICY_READ | POLICY_WRITE);

	if (result == 0)
		result = new_name_begin(&new, parent, last, trailing_slash, 0, vfs_cred());
	if (result)
		return result;
	if (old->mount != parent->mount)
		result = -EXDEV;
	else
		result = protected_may_link(inode, vfs_cred());
	if (result == 0)
		result = landlock_check_refer(&(struct landlock_refer){
			.old = old->dentry, .new = new.dentry, .new_directory = parent});
	if (result == 0 && inode_is_type(inode, LINUX_S_IFDIR))
		result = -EPERM;
	if (result == 0) {
		mutex_lock_nested(&inode->lock);
		result = may_link(new.directory, inode);
		if (result == 0)
			result = new.directory->ops->link(new.directory, new.name, inode);
		if (result == 0)
			inode->linkable = false;
		mutex_unlock(&inode->lock);
	}
	if (result == 0) {
		(void)inode_get(inode);
		notify_event(inode, NULL, LINUX_IN_ATTRIB);
	}
	return new_name_end(&new, inode, result);
}

int path_link(int old_dirfd, const char *old_name, int new_dirfd, const char *new_name, int flags)
{
	unsigned int walk_flags = flags & LINUX_AT_SYMLINK_FOLLOW ? WALK_FOLLOW : 0;
	char last[LINUX_NAME_MAX + 1];
	struct path old, parent;
	bool trailing_slash;
	int result;

	if (flags & LINUX_AT_EMPTY_PATH) {
		if (!*old_name && !vfs_capable(vfs_cred(), LINUX_CAP_DAC_READ_SEARCH))
			return -ENOENT;
		walk_flags |= WALK_EMPTY;
	}
	result = path_lookup(old_dirfd, old_name, walk_flags, &old);
	if (result)
		return result;
	result = path_lookup_parent(new_dirfd, new_name, 0, &parent, last, &trailing_slash);
	if (result == 0) {
		result = link_to(&old, &parent, last, trailing_slash);
		path_put(&parent);
	}
	path_put(&old);
	return result;
}
