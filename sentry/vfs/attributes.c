/* SPDX-License-Identifier: Apache-2.0 */
/* chmod(2), chown(2), utimensat(2): what Linux's notify_change() and its callers check. */
#include "sentry/vfs/attributes.h"

#include "abi/capability.h"
#include "abi/inotify.h"
#include "abi/stat.h"
#include "sentry/kernel/credentials.h"
#include "sentry/vfs/dentry.h"
#include "sentry/vfs/file_caps.h"
#include "sentry/vfs/inode_acl.h"
#include "sentry/vfs/mount.h"
#include "sentry/vfs/permission.h"
#include "sentry/vfs/policy.h"

#include <errno.h>

int inode_setattr_plain_locked(
	struct inode *inode, const struct inode_attributes *attributes, unsigned int mask)
{
	mutex_assert_held(&inode->lock);
	if (inode->ops->setattr)
		return inode->ops->setattr(inode, attributes, mask);
	if (mask & ATTRIBUTE_SIZE)
		return -EPERM;
	inode_apply_attributes(inode, attributes, mask);
	return 0;
}

int inode_setattr_locked(
	struct inode *inode, const struct inode_attributes *attributes, unsigned int mask)
{
	struct posix_acl *acl = NULL;
	int result = 0;

	if (mask & ATTRIBUTE_MODE)
		result = inode_acl_chmod(inode, attributes->mode, &acl);
	if (result == 0)
		result = inode_setattr_plain_locked(inode, attributes, mask);
	if (result == 0)
		inode_acl_chmod_done(inode, acl);
	else
		posix_acl_put(acl);
	return result;
}

static bool in_group(const struct cred *cred, uint32_t gid)
{
	return !cred || cred->fsgid == gid || cred_in_group(cred, gid);
}

/* The bits that go when somebody other than a privileged owner changes the file. */
static uint32_t privilege_bits(const struct inode *inode)
{
	uint32_t mode = inode->attributes.mode, bits = mode & LINUX_S_ISUID;

	/* Without group execution the set-group-ID bit once meant mandatory locking, not privilege.
	 */
	if ((mode & (LINUX_S_ISGID | LINUX_S_IXGRP)) == (LINUX_S_ISGID | LINUX_S_IXGRP))
		bits |= LINUX_S_ISGID;
	return bits;
}

int inode_strip_privileges_locked(struct inode *inode)
{
	uint32_t bits = privilege_bits(inode);
	const struct cred *cred = vfs_cred();
	struct inode_attributes attributes;

	if ((inode->attributes.mode & LINUX_S_ISGID) && !in_group(cred, inode->attributes.gid))
		bits |= LINUX_S_ISGID;
	if (!bits || !inode_is_type(inode, LINUX_S_IFREG) || vfs_capable(cred, LINUX_CAP_FSETID))
		return 0;
	attributes.mode = inode->attributes.mode & ~bits;
	attributes.ctime = inode_time_now();
	return inode_setattr_locked(inode, &attributes, ATTRIBUTE_MODE | ATTRIBUTE_CTIME);
}

/* The inode with what the file system knows now, locked; unlock after. */
static int begin_change(const struct path *path, struct inode **out)
{
	struct inode *inode = path_inode(path);
	int result = mount_want_write(path->mount);

	if (result == 0)
		result = policy_check(path, POLICY_WRITE);
	if (result == 0 && inode->ops->getattr)
		result = inode->ops->getattr(inode);
	if (result)
		return result;
	mutex_lock(&inode->lock);
	*out = inode;
	return 0;
}

static int end_change(const struct path *path, struct inode *inode, int result)
{
	mutex_unlock(&inode->lock);
	if (result == 0)
		notify_event(inode, path->dentry, LINUX_IN_ATTRIB);
	return result;
}

int path_chmod(const struct path *path, uint32_t mode)
{
	const struct cred *cred = vfs_cred();
	struct inode_attributes attributes = {.mode = mode & LINUX_S_IALLUGO};
	struct inode *inode;
	int result = begin_change(path, &inode);

	if (result)
		return result;
	if (inode_is_type(inode, LINUX_S_IFLNK))
		result = -EOPNOTSUPP;
	else if (inode_is_frozen(inode) || !inode_owner_or_capable(inode, cred))
		result = -EPERM;
	if (!in_group(cred, inode->attributes.gid) && !inode_capable(inode, cred, LINUX_CAP_FSETID))
		attributes.mode &= ~(uint32_t)LINUX_S_ISGID;
	attributes.ctime = inode_time_now();
	if (result == 0)
		result = inode_setattr_locked(inode, &attributes, ATTRIBUTE_MODE | ATTRIBUTE_CTIME);
	return end_change(path, inode, result);
}

static int may_chown(const struct inode *inode, const struct cred *cred, uint32_t uid, uint32_t gid)
{
	bool owner;

	if (inode_capable(inode, cred, LINUX_CAP_CHOWN))
		return 0;
	owner = cred->fsuid == inode->attributes.uid;
	if (uid != UINT32_MAX && !(owner && uid == inode->attributes.uid))
		return -EPERM;
	if (gid != UINT32_MAX && !(owner && (in_group(cred, gid) || gid == inode->attributes.gid)))
		return -EPERM;
	return 0;
}

int path_chown(const struct path *path, uint32_t uid, uint32_t gid)
{
	struct inode_attributes attributes = {.uid = uid, .gid = gid};
	unsigned int mask = ATTRIBUTE_CTIME;
	struct inode *inode;
	int result = begin_change(path, &inode);

	if (result)
		return result;
	if (inode_is_frozen(inode) && (uid != UINT32_MAX || gid != UINT32_MAX))
		result = -EPERM;
	else
		result = may_chown(inode, vfs_cred(), uid, gid);
	if (uid != UINT32_MAX)
		mask |= ATTRIBUTE_UID;
	if (gid != UINT32_MAX)
		mask |= ATTRIBUTE_GID;
	if (!inode_is_type(inode, LINUX_S_IFDIR) && privilege_bits(inode)) {
		mask |= ATTRIBUTE_MODE;
		attributes.mode = inode->attributes.mode & ~privilege_bits(inode);
		if (result == 0 && !inode_owner_or_capable(inode, vfs_cred()))
			result = -EPERM;
	}
	attributes.ctime = inode_time_now();
	if (result == 0)
		result = inode_setattr_locked(inode, &attributes, mask);
	result = end_change(path, inode, result);
	if (result == 0 && !inode_is_type(inode, LINUX_S_IFDIR))
		result = file_caps_kill(inode);
	return result;
}

/* Setting other times than the present takes the owner; the present, whoever may write
 * (utimensat(2)). */
static int may_set_times(struct inode *inode, const struct linux_timespec times[2])
{
	const struct cred *cred = vfs_cred();
	bool now = !times ||
		   (times[0].tv_nsec == LINUX_UTIME_NOW && times[1].tv_nsec == LINUX_UTIME_NOW);

	if (now ? inode_is_immutable(inode) : inode_is_frozen(inode))
		return -EPERM;
	if (inode_owner_or_capable(inode, cred))
		return 0;
	return now ? inode_permission(inode, cred, MAY_WRITE) : -EPERM;
}

static unsigned int one_time(const struct linux_timespec *wanted, const struct linux_timespec *now,
	struct linux_timespec *out, unsigned int mask)
{
	if (wanted && wanted->tv_nsec == LINUX_UTIME_OMIT)
		return 0;
	*out = !wanted || wanted->tv_nsec == LINUX_UTIME_NOW ? *now : *wanted;
	return mask;
}

int path_utimes(const struct path *path, const struct linux_timespec times[2])
{
	struct linux_timespec now = inode_time_now();
	struct inode_attributes attributes = {.ctime = now};
	unsigned int mask;
	struct inode *inode;
	int result;

	mask = one_time(times ? &times[0] : NULL, &now, &attributes.atime, ATTRIBUTE_ATIME) |
	       one_time(times ? &times[1] : NULL, &now, &attributes.mtime, ATTRIBUTE_MTIME);
	if (!mask)
		return 0;
	result = begin_change(path, &inode);
	if (result)
		return result;
	result = may_set_times(inode, times);
	if (result == 0)
		result = inode_setattr_locked(inode, &attributes, mask | ATTRIBUTE_CTIME);
	return end_change(path, inode, result);
}
