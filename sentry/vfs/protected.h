/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/sys/fs/protected_*: what others may have planted in sticky directories (proc_sys_fs(5)). */
#pragma once

#include "sentry/vfs/inode.h"

enum protected { PROTECTED_FIFOS, PROTECTED_HARDLINKS, PROTECTED_REGULAR, PROTECTED_SYMLINKS };

extern atomic_int g_protected[4];

/* A hard link to the inode: -EPERM for what is neither the caller's nor a file that he may read and
 * write. */
must_check int protected_may_link(struct inode *inode, const struct cred *cred);
/* A symlink that is a path's last component, found in a directory: -EACCES. */
must_check int protected_may_follow(
	const struct inode *directory, const struct inode *link, const struct cred *cred);
/* open(O_CREAT) of what is there already in a directory: -EACCES. */
must_check int protected_may_open(
	const struct inode *directory, const struct inode *inode, const struct cred *cred);
