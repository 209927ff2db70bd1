/* SPDX-License-Identifier: Apache-2.0 */
/* Opening files by path, and making the regular file that open(2) or mknod(2) finds missing. */
#pragma once

#include "sentry/vfs/file.h"
#include "sentry/vfs/walk.h"

/* Opens what a path leads to already, if cred may; flags as open(2)'s without O_CREAT and O_TMPFILE.
 */
must_check int file_open_found(
	const struct path *path, uint32_t flags, const struct cred *cred, struct file **out);
/* Makes a name's inode in at's directory, RANK_INODE held; dentry is negative and becomes positive.
 * mode has type bits; the umask is applied here. */
must_check int dentry_create_locked(struct path *at, struct dentry *dentry, uint32_t mode,
	uint64_t rdev, const struct cred *cred);
/* Cuts or extends what a path leads to, as truncate(2) and O_TRUNC do once permission is granted.
 * file: NULL for truncate(2). */
must_check int path_truncate(
	const struct path *path, struct file *file, uint64_t size, bool at_open);
