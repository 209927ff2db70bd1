/* SPDX-License-Identifier: Apache-2.0 */
/* Permission checks that only vfs/ and the system calls need; inode.h has those of file systems. */
#pragma once

#include "sentry/vfs/inode.h"

enum may_mask { MAY_EXEC = 1, MAY_WRITE = 2, MAY_READ = 4 };

/* The current task's credentials; NULL on threads of the sentry's own: no permission is checked
 * then. */
const struct cred *vfs_cred(void);
bool vfs_capable(const struct cred *cred, int capability); /* in the initial user namespace */
/* May a name be made in the directory? RANK_INODE held. -ENOENT when it was removed, -EACCES,
 * -EROFS. */
must_check int directory_may_create(struct inode *directory, const struct cred *cred);
/* May the name that leads to victim go? RANK_INODE of directory held. Also -ENOTDIR and -EISDIR by
 * what the caller removes. */
must_check int directory_may_delete(
	struct inode *directory, struct inode *victim, const struct cred *cred, bool is_directory);
/* Takes the set-group-ID bit from a mode that its maker may not set. */
uint32_t inode_mode_strip_sgid(
	const struct inode *directory, const struct cred *cred, uint32_t mode);
