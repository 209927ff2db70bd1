/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open files of the inodes below an overlay. They are never seen by the VFS: no name, no mount, no
 * position, no reference count; only what an operation of those file systems looks at.
 */
#include "sentry/fs/overlay/overlay_node.h"

#include "sentry/lock_order.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <stdlib.h>

struct overlay_real {
	struct file file;
};

int overlay_real_open(
	struct inode *inode, unsigned int mode, uint32_t flags, struct overlay_real **out)
{
	struct overlay_real *real = calloc(1, sizeof(*real));
	int error = 0;

	if (!real)
		return -ENOMEM;
	mutex_init(&real->file.lock, RANK_FILE, "overlay's file");
	real->file.inode = inode_get(inode);
	real->file.ops = inode->file_ops;
	real->file.mode = mode | FILE_SEEKABLE;
	real->file.flags = flags;
	if (inode->ops->open)
		error = inode->ops->open(inode, &real->file);
	if (error) {
		mutex_destroy(&real->file.lock);
		inode_put(inode);
		free(real);
		return error;
	}
	*out = real;
	return 0;
}

void overlay_real_close(struct overlay_real *real)
{
	if (!real)
		return;
	if (real->file.ops->release)
		real->file.ops->release(&real->file);
	mutex_destroy(&real->file.lock);
	inode_put(real->file.inode);
	free(real);
}

struct file *overlay_real_file(struct overlay_real *real)
{
	return &real->file;
}
