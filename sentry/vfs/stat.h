/* SPDX-License-Identifier: Apache-2.0 */
/* What stat(2), statx(2) and statfs(2) tell of a path or an open file. */
#pragma once

#include "abi/stat.h"
#include "abi/statfs.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/path.h"

/* mount may be NULL. Ids are shown as the current task's user namespace sees them. */
must_check int inode_stat(struct inode *inode, struct linux_stat *out);
/* dont_sync: what is known will do (AT_STATX_DONT_SYNC). */
must_check int inode_statx(struct inode *inode, const struct mount *mount, bool mount_root,
	uint32_t mask, bool dont_sync, struct linux_statx *out);
/* f_fsid, as programs compare it with that of fanotify(7)'s events. */
void super_block_fsid(const struct super_block *sb, int32_t fsid[2]);
must_check int inode_statfs(
	struct inode *inode, const struct mount *mount, struct linux_statfs *out);
