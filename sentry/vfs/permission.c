/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may do what with an inode: access control lists, mode bits, capabilities, sticky directories,
 * the owner of what is new.
 *
 * A NULL cred is the sentry's own work (set-up of mounts) and may do everything.
 */
#include "sentry/vfs/permission.h"

#include "abi/capability.h"
#include "abi/stat.h"
#include "sentry/kernel/credentials.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/user_namespace.h"
#include "sentry/vfs/inode_acl.h"
#include "sentry/vfs/path.h"

#include <errno.h>

const struct cred *vfs_cred(void)
{
	return current ? current->cred : NULL;
}

static bool in_group(const struct cred *cred, uint32_t gid)
{
	return cred->fsgid == gid || cred_in_group(cred, gid);
}

bool vfs_capable(const struct cred *cred, int capability)
{
	return !cred || cred_capable(cred, capability);
}

bool inode_capable(const struct inode *inode, const struct cred *cred, int capability)
{
	return !cred || (cred_capable_in(cred, cred->user_ns, capability) &&
				user_namespace_has_uid(cred->user_ns, inode->attributes.uid) &&
				user_namespace_has_gid(cred->user_ns, inode->attributes.gid));
}

/* For who is not the owner. -EAGAIN: there is no list. */
static int acl_permission(struct inode *inode, const struct cred *cred, unsigned int mask)
{
	struct posix_acl *acl = inode_acl_get(inode, POSIX_ACL_ACCESS);
	int result;

	if (!acl)
		return -EAGAIN;
	result = posix_acl_permission(acl, inode, cred, mask);
	posix_acl_put(acl);
	return result;
}

static int mode_permission(struct inode *inode, const struct cred *cred, unsigned int mask)
{
	uint32_t mode = inode->attributes.mode;
	unsigned int bits;
	int result;

	if (cred->fsuid == inode->attributes.uid)
		return (mask & ~(mode >> 6) & 7) ? -EACCES : 0;
	/* A mask that grants nothing leaves even the users of the list to the others' bits. */
	if (unlikely(inode->acls[POSIX_ACL_ACCESS] != NULL) && (mode & 070)) {
		result = acl_permission(inode, cred, mask);
		if (result != -EAGAIN)
			return result;
	}
	if (in_group(cred, inode->attributes.gid))
		bits = mode >> 3;
	else
		bits = mode;
	return (mask & ~bits & 7) ? -EACCES : 0;
}

static int capability_permission(
	const struct inode *inode, const struct cred *cred, unsigned int mask)
{
	bool directory = inode_is_type(inode, LINUX_S_IFDIR);

	if ((directory ? !(mask & MAY_WRITE) : mask == MAY_READ) &&
		inode_capable(inode, cred, LINUX_CAP_DAC_READ_SEARCH))
		return 0;
	/* Even root executes only what somebody may execute. */
	if (!directory && (mask & MAY_EXEC) && !(inode->attributes.mode & 0111))
		return -EACCES;
	return inode_capable(inode, cred, LINUX_CAP_DAC_OVERRIDE) ? 0 : -EACCES;
}

static int read_only_permission(const struct inode *inode, unsigned int mask)
{
	if (!(mask & MAY_WRITE) || !inode->sb->read_only)
		return 0;
	switch (inode->attributes.mode & LINUX_S_IFMT) {
	case LINUX_S_IFREG:
	case LINUX_S_IFDIR:
	case LINUX_S_IFLNK:
		return -EROFS;
	default:
		return 0;
	}
}

int inode_permission(struct inode *inode, const struct cred *cred, unsigned int mask)
{
	int result = read_only_permission(inode, mask);

	if (result || !cred)
		return result;
	if ((mask & MAY_WRITE) && unlikely(inode_is_immutable(inode)))
		return -EPERM;
	mask &= 7;
	if (inode->ops->permission)
		return inode->ops->permission(inode, cred, mask);
	if (likely(mode_permission(inode, cred, mask) == 0))
		return 0;
	return capability_permission(inode, cred, mask);
}

bool inode_owner_or_capable(const struct inode *inode, const struct cred *cred)
{
	return !cred || cred->fsuid == inode->attributes.uid ||
	       (user_namespace_has_uid(cred->user_ns, inode->attributes.uid) &&
		       cred_capable_in(cred, cred->user_ns, LINUX_CAP_FOWNER));
}

uint32_t inode_mode_strip_sgid(
	const struct inode *directory, const struct cred *cred, uint32_t mode)
{
	if ((mode & (LINUX_S_ISGID | LINUX_S_IXGRP)) != (LINUX_S_ISGID | LINUX_S_IXGRP))
		return mode;
	if (LINUX_S_ISDIR(mode) || !(directory->attributes.mode & LINUX_S_ISGID) || !cred)
		return mode;
	if (in_group(cred, directory->attributes.gid) ||
		inode_capable(directory, cred, LINUX_CAP_FSETID))
		return mode;
	return mode & ~(uint32_t)LINUX_S_ISGID;
}

void inode_init_owner(struct inode_attributes *attributes, const struct inode *directory,
	const struct cred *cred, uint32_t mode)
{
	attributes->uid = cred ? cred->fsuid : 0;
	attributes->gid = cred ? cred->fsgid : 0;
	if (directory && (directory->attributes.mode & LINUX_S_ISGID)) {
		attributes->gid = directory->attributes.gid;
		if (LINUX_S_ISDIR(mode))
			mode |= LINUX_S_ISGID;
		mode = inode_mode_strip_sgid(directory, cred, mode);
	}
	attributes->mode = mode;
}

int directory_may_create(struct inode *directory, const struct cred *cred)
{
	mutex_assert_held(&directory->lock);
	if (directory->dead)
		return -ENOENT;
	return inode_permission(directory, cred, MAY_WRITE | MAY_EXEC);
}

int directory_may_delete(
	struct inode *directory, struct inode *victim, const struct cred *cred, bool is_directory)
{
	int result = inode_permission(directory, cred, MAY_WRITE | MAY_EXEC);

	if (result)
		return result;
	if (inode_is_append_only(directory) && cred)
		return -EPERM;
	if ((directory->attributes.mode & LINUX_S_ISVTX) && cred &&
		victim->attributes.uid != cred->fsuid && directory->attributes.uid != cred->fsuid &&
		!inode_capable(victim, cred, LINUX_CAP_FOWNER))
		return -EPERM;
	if (inode_is_frozen(victim) && cred)
		return -EPERM;
	if (is_directory != inode_is_type(victim, LINUX_S_IFDIR))
		return is_directory ? -ENOTDIR : -EISDIR;
	if (directory->dead)
		return -ENOENT;
	return 0;
}
