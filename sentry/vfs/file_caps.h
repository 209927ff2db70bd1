/* SPDX-License-Identifier: Apache-2.0 */
/* security.capability: how user namespaces see it, and how it goes when a file changes. */
#pragma once

#include "abi/capability.h"
#include "sentry/vfs/inode.h"

/*
 * What cred sets as the attribute, to what is kept: *size bytes in out. -EINVAL for no capabilities
 * of revision 2 or 3, or a root that is nobody; -EPERM without CAP_SETFCAP over the inode.
 */
must_check int file_caps_import(const struct inode *inode, const struct cred *cred,
	const void *value, size_t *size, struct linux_vfs_cap_data *out);
/* The other way round: the size, 0 asks for it. -EINVAL, -EOVERFLOW for another namespace's,
 * -ERANGE, and what getxattr says. */
must_check int64_t file_caps_export(
	struct inode *inode, const struct cred *cred, void *value, size_t size);
/* Those that execve(2) looks at, with a global id as the root; their size, or as getxattr(2). */
must_check int64_t file_caps_load(struct inode *inode, struct linux_vfs_cap_data *out);
/* A file changed hands or contents: it loses them. No lock held. */
must_check int file_caps_kill_slowly(struct inode *inode);

static inline int file_caps_kill(struct inode *inode)
{
	return likely(inode->no_file_caps) ? 0 : file_caps_kill_slowly(inode);
}
