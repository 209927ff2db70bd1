/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that make, remove and move names, with all checks; by directory descriptor and name as the
 * system calls take them. */
#pragma once

#include "sentry/vfs/path.h"

/*
 * Makes an inode in a directory, name NULL for one without a name (O_TMPFILE), RANK_INODE held,
 * permission granted: with the umask or the directory's default access control list, and without a
 * set-group-ID bit that the maker may not set. mode has type bits.
 */
must_check int inode_create_locked(struct inode *directory, const char *name, uint32_t mode,
	uint64_t rdev, const struct cred *cred, struct inode **out);
must_check int path_mkdir(int dirfd, const char *name, uint32_t mode);
must_check int path_mknod(int dirfd, const char *name, uint32_t mode, uint64_t rdev);
must_check int path_symlink(const char *target, int dirfd, const char *name);
/* flags: LINUX_AT_SYMLINK_FOLLOW, LINUX_AT_EMPTY_PATH. */
must_check int path_link(
	int old_dirfd, const char *old_name, int new_dirfd, const char *new_name, int flags);
/* The same for one name, without slashes, in a directory. */
must_check int path_unlink_in(const struct path *directory, const char *name);
must_check int path_unlink(int dirfd, const char *name);
must_check int path_rmdir(int dirfd, const char *name);
/* flags: LINUX_RENAME_*. */
must_check int path_rename(int old_dirfd, const char *old_name, int new_dirfd, const char *new_name,
	unsigned int flags);
