/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes: permissions by name space; the values are the file systems', and access
 * control lists the VFS's.
 *
 * Differs from Linux: no security modules.
 */
#include "sentry/vfs/xattr.h"
#include "sentry/vfs/file_new.h"

#include "abi/capability.h"
#include "abi/inotify.h"
#include "abi/stat.h"
#include "abi/xattr.h"
#include "sentry/kernel/credentials.h"
#include "sentry/vfs/file_caps.h"
#include "sentry/vfs/inode.h"
#include "sentry/vfs/inode_acl.h"
#include "sentry/vfs/mount.h"
#include "sentry/vfs/permission.h"
#include "sentry/vfs/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool has_prefix(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

static int check_user(struct inode *inode, const struct cred *cred, bool write)
{
	bool directory = inode_is_type(inode, LINUX_S_IFDIR);

	if (!inode_is_type(inode, LINUX_S_IFREG) && !directory)
		return write ? -EPERM : -ENODATA;
	if (write && directory && (inode->attributes.mode & LINUX_S_ISVTX) &&
		!inode_owner_or_capable(inode, cred))
		return -EPERM;
	return 0;
}

static int check_permission(struct inode *inode, const char *name, bool write)
{
	const struct cred *cred = vfs_cred();
	int result;

	if (write && inode_is_frozen(inode))
		return -EPERM;
	if (has_prefix(name, LINUX_XATTR_SECURITY_PREFIX)) {
		/* Who may set capabilities is asked where they are looked at. */
		if (write && strcmp(name, LINUX_XATTR_NAME_CAPS) != 0 && cred &&
			!cred_capable_in(cred, inode->sb->user_ns, LINUX_CAP_SYS_ADMIN))
			return -EPERM;
		return 0;
	}
	/* Of these sockets have one, their protocol's name. */
	if (has_prefix(name, LINUX_XATTR_SYSTEM_PREFIX))
		return write || !inode_is_pseudo(inode) ? -EOPNOTSUPP : 0;
	if (has_prefix(name, LINUX_XATTR_TRUSTED_PREFIX)) {
		if (!vfs_capable(cred, LINUX_CAP_SYS_ADMIN))
			return write ? -EPERM : -ENODATA;
		return 0;
	}
	if (!has_prefix(name, LINUX_XATTR_USER_PREFIX))
		return -EOPNOTSUPP;
	result = check_user(inode, cred, write);
	return result ? result : inode_permission(inode, cred, write ? MAY_WRITE : MAY_READ);
}

/* A name that is a prefix and nothing more. */
static bool is_bare_prefix(const char *name)
{
	const char *dot = strchr(name, '.');

	return dot && !dot[1];
}

int64_t path_getxattr(const struct path *path, const char *name, void *value, size_t size)
{
	struct inode *inode = path_inode(path);
	enum posix_acl_type acl = posix_acl_type_of(name);
	int result;

	if (acl != POSIX_ACL_TYPES)
		return inode_acl_show(inode, acl, value, size);
	result = check_permission(inode, name, false);
	if (result)
		return result;
	if (is_bare_prefix(name))
		return -EINVAL;
	if (!inode->ops->getxattr)
		return -EOPNOTSUPP;
	if (!strcmp(name, LINUX_XATTR_NAME_CAPS))
		return file_caps_export(inode, vfs_cred(), value, size);
	return inode->ops->getxattr(inode, name, value, size);
}

static int set_acl(
	const struct path *path, enum posix_acl_type type, const void *value, size_t size)
{
	struct inode *inode = path_inode(path);
	int result = policy_check(path, POLICY_WRITE);

	if (result == 0)
		result = inode_acl_store(inode, type, value, size);
	if (result == 0)
		notify_event(inode, path->dentry, LINUX_IN_ATTRIB);
	return result;
}

int path_setxattr(
	const struct path *path, const char *name, const void *value, size_t size, int flags)
{
	enum posix_acl_type acl = posix_acl_type_of(name);
	bool is_caps = !strcmp(name, LINUX_XATTR_NAME_CAPS);
	struct inode *inode = path_inode(path);
	struct linux_vfs_cap_data caps;
	int result = mount_want_write(path->mount);

	if (result == 0 && acl != POSIX_ACL_TYPES)
		return set_acl(path, acl, value, size);
	if (result == 0 && is_caps && size) {
		result = file_caps_import(inode, vfs_cred(), value, &size, &caps);
		value = &caps;
	}
	if (result == 0)
		result = check_permission(inode, name, true);
	if (result == 0)
		result = policy_check(path, POLICY_WRITE);
	if (result)
		return result;
	if (is_bare_prefix(name))
		return -EINVAL;
	if (!inode->ops->setxattr)
		return -EOPNOTSUPP;
	result = inode->ops->setxattr(inode, name, value, size, flags);
	if (is_caps)
		inode->no_file_caps = false;
	if (result == 0)
		notify_event(inode, path->dentry, LINUX_IN_ATTRIB);
	return result;
}

int path_removexattr(const struct path *path, const char *name)
{
	enum posix_acl_type acl = posix_acl_type_of(name);
	struct inode *inode = path_inode(path);
	int result = mount_want_write(path->mount);

	if (result == 0 && acl != POSIX_ACL_TYPES)
		return set_acl(path, acl, NULL, 0);
	if (result == 0)
		result = check_permission(inode, name, true);
	if (result == 0 && !strcmp(name, LINUX_XATTR_NAME_CAPS) &&
		!inode_capable(inode, vfs_cred(), LINUX_CAP_SETFCAP))
		result = -EPERM;
	if (result == 0)
		result = policy_check(path, POLICY_WRITE);
	if (result)
		return result;
	if (is_bare_prefix(name))
		return -EINVAL;
	if (!inode->ops->removexattr)
		return -EOPNOTSUPP;
	result = inode->ops->removexattr(inode, name);
	if (result == 0)
		notify_event(inode, path->dentry, LINUX_IN_ATTRIB);
	return result;
}

/* Takes the trusted names out of a list. */
static size_t without_trusted(char *list, size_t size)
{
	size_t kept = 0;

	for (size_t at = 0; at < size;) {
		size_t length = strnlen(list + at, size - at) + 1;

		if (length > size - at)
			break;
		if (!has_prefix(list + at, LINUX_XATTR_TRUSTED_PREFIX)) {
			memmove(list + kept, list + at, length);
			kept += length;
		}
		at += length;
	}
	return kept;
}

static int64_t list_others(struct inode *inode, char *list, size_t size)
{
	int64_t result;
	char *all;

	if (!inode->ops->listxattr)
		return 0;
	if (vfs_capable(vfs_cred(), LINUX_CAP_SYS_ADMIN))
		return inode->ops->listxattr(inode, list, size);
	all = malloc(LINUX_XATTR_LIST_MAX);
	if (!all)
		return -ENOMEM;
	result = inode->ops->listxattr(inode, all, LINUX_XATTR_LIST_MAX);
	if (result > 0) {
		result = (int64_t)without_trusted(all, (size_t)result);
		if (size && (size_t)result > size)
			result = -ERANGE;
		else if (size)
			memcpy(list, all, (size_t)result);
	}
	free(all);
	return result;
}

int64_t path_listxattr(const struct path *path, char *list, size_t size)
{
	struct inode *inode = path_inode(path);
	int64_t used = inode_acl_list(inode, list, size), others;

	if (used < 0)
		return used;
	/* No room is left: 0 would ask for the size. */
	if (used && size == (size_t)used)
		return list_others(inode, NULL, 0) > 0 ? -ERANGE : used;
	others = list_others(inode, list ? list + used : NULL, size ? size - (size_t)used : 0);
	return others < 0 ? others : used + others;
}
