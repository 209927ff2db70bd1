/* SPDX-License-Identifier: Apache-2.0 */
/* The flags of chattr(1): kept with the inode, for regular files and directories of every super
 * block that has inode_flags set. inode.h asks for single ones. */
#pragma once

#include "abi/file_attr.h"
#include "sentry/vfs/path.h"

/* LINUX_FS_*_FL; -ENOTTY where there are none. */
must_check int inode_get_flags(const struct inode *inode, uint32_t *flags);
/* The same as FS_IOC_FSGETXATTR has them. */
must_check int inode_get_file_attr(const struct inode *inode, struct linux_file_attr *out);
/*
 * By the current task: -ENOTTY, -EROFS, -EPERM for who neither owns the file nor holds
 * CAP_LINUX_IMMUTABLE for what takes that, -EOPNOTSUPP for what is not kept, -EINVAL.
 */
must_check int path_set_flags(const struct path *path, uint32_t flags);
must_check int path_set_file_attr(const struct path *path, const struct linux_file_attr *attr);
/* Are these flags that Linux knows of? */
bool file_attr_is_known(uint64_t xflags);
/* A new inode gets those of its directory that are handed down. */
void inode_flags_inherit(struct inode *inode, const struct inode *directory);
