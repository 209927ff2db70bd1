/* SPDX-License-Identifier: Apache-2.0 */
/* Copying up: an inode gets its upper one, with extended attributes, and a regular file its
 * contents there. */
#include "sentry/fs/overlay/overlay_node.h"

#include "abi/fcntl.h"
#include "abi/stat.h"
#include "abi/xattr.h"
#include "sentry/fs/tmpfs/tmpfs.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int copy_xattr(struct inode *lower, struct inode *upper, const char *name)
{
	int64_t size = lower->ops->getxattr(lower, name, NULL, 0);
	void *value;
	int error;

	/* One that cannot be read is not there for the copy either. */
	if (size < 0 || size > LINUX_XATTR_SIZE_MAX)
		return 0;
	value = malloc((size_t)size + 1);
	if (!value)
		return -ENOMEM;
	if (size)
		size = lower->ops->getxattr(lower, name, value, (size_t)size);
	error = size < 0 ? 0 : tmpfs_fill_xattr(upper, name, value, (size_t)size);
	free(value);
	return error;
}

static int copy_xattrs(struct inode *lower, struct inode *upper)
{
	int64_t size = lower->ops->listxattr ? lower->ops->listxattr(lower, NULL, 0) : 0;
	char *names;
	int error = 0;

	if (size <= 0)
		return 0;
	names = malloc((size_t)size + 1);
	if (!names)
		return -ENOMEM;
	size = lower->ops->listxattr(lower, names, (size_t)size);
	for (int64_t at = 0; at < size && !error; at += (int64_t)strlen(names + at) + 1) {
		names[size] = '\0';
		error = copy_xattr(lower, upper, names + at);
	}
	free(names);
	return error;
}

/* An upper inode for a lower one, seen by nobody yet. */
static int upper_new(struct inode *inode, struct inode **out)
{
	struct inode *lower = overlay_node_of(inode)->lower;
	uint32_t mode = inode->attributes.mode;
	int error = tmpfs_inode_new(overlay_of(inode->sb)->upper, mode, inode->attributes.rdev,
		LINUX_S_ISLNK(mode) ? "" : NULL, out);

	if (error)
		return error;
	error = copy_xattrs(lower, *out);
	if (error)
		inode_put(*out);
	return error;
}

int overlay_make_upper(struct inode *inode)
{
	struct overlay_node *node = overlay_node_of(inode);
	struct inode *upper;
	int error;

	mutex_assert_held(&inode->lock);
	if (node->upper)
		return 0;
	error = upper_new(inode, &upper);
	if (error)
		return error;
	atomic_store(&node->upper, upper);
	overlay_mark_changed(inode);
	return 0;
}

int overlay_copy_up(struct inode *inode, uint64_t limit)
{
	struct overlay_node *node = overlay_node_of(inode);
	struct overlay_real *source;
	int error;

	mutex_assert_held(&inode->lock);
	if (atomic_load(&node->data_in_upper))
		return 0;
	error = overlay_make_upper(inode);
	if (error)
		return error;
	if (limit) {
		error = overlay_real_open(node->lower, FILE_READ, LINUX_O_RDONLY, &source);
		if (error)
			return error;
		error = tmpfs_fill_from(node->upper, overlay_real_file(source),
			min_u64(limit, node->lower->attributes.size));
		overlay_real_close(source);
	}
	/* A copy that failed is simply made again; until now nobody looks at its contents. */
	if (error)
		return error;
	atomic_store_explicit(&node->data_in_upper, true, memory_order_release);
	overlay_sync_size(inode);
	return 0;
}
