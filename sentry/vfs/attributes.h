/* SPDX-License-Identifier: Apache-2.0 */
/* Changing what an inode says of itself, with all of Linux's rules (chmod(2), chown(2),
 * utimensat(2), truncate(2)). */
#pragma once

#include "sentry/vfs/file.h"
#include "sentry/vfs/inode.h"
#include "sentry/vfs/path.h"

/* Each checks permission with the current task's credentials, the mount, and tells listeners. */
must_check int path_chmod(const struct path *path, uint32_t mode);
/* UINT32_MAX: leave as it is. Ids are global ones. */
must_check int path_chown(const struct path *path, uint32_t uid, uint32_t gid);
/* times: atime and mtime, tv_nsec perhaps LINUX_UTIME_NOW or _OMIT; NULL: both now. Validated. */
must_check int path_utimes(const struct path *path, const struct linux_timespec times[2]);

/*
 * setattr with RANK_INODE held: through the file system's own, or straight into inode->attributes
 * if it has none. A new mode changes the access control list too. -EPERM if it cannot.
 */
must_check int inode_setattr_locked(
	struct inode *inode, const struct inode_attributes *attributes, unsigned int mask);
/* The same without what a new mode changes of the access control list. */
must_check int inode_setattr_plain_locked(
	struct inode *inode, const struct inode_attributes *attributes, unsigned int mask);
/* A write takes the set-user-ID and set-group-ID bits away, unless the writer may set them.
 * RANK_INODE held. */
must_check int inode_strip_privileges_locked(struct inode *inode);
