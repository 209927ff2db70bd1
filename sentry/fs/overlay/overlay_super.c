/* SPDX-License-Identifier: Apache-2.0 */
/* Super blocks of the overlay. The sentry makes them; mount(2) of an overlay by a guest is not
 * there. */
#include "sentry/fs/overlay/overlay_node.h"

#include "abi/stat.h"
#include "abi/statfs.h"
#include "sentry/lock_order.h"
#include "sentry/vfs/path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static void overlay_super_release(struct super_block *sb)
{
	struct overlay_fs *fs = overlay_of(sb);

	super_block_put(fs->lower);
	super_block_put(fs->upper);
	mutex_destroy(&fs->lock);
	free(fs);
}

static int overlay_statfs(struct super_block *sb, struct linux_statfs *out)
{
	struct super_block *upper = overlay_of(sb)->upper;

	return upper->ops->statfs(upper, out);
}

static void overlay_show_options(struct super_block *sb, char *buffer, size_t size)
{
	(void)snprintf(buffer, size, ",lowerdir=/,upperdir=/,workdir=/");
}

static const struct super_operations overlay_super_ops = {
	.inode_release = overlay_inode_release,
	.super_release = overlay_super_release,
	.statfs = overlay_statfs,
	.show_options = overlay_show_options,
};

static const struct file_system_type overlay_type = {
	.name = "overlay",
	.needs_no_device = true,
};

static int make_root(struct super_block *sb, struct super_block *lower)
{
	struct inode *root;
	int error = overlay_inode_get(sb, inode_get(lower->root->inode), &root);

	if (error)
		return error;
	overlay_of(sb)->root = overlay_node_of(root);
	return super_block_set_root(sb, root);
}

int overlay_super_block_new(
	struct super_block *lower, struct super_block *upper, struct super_block **out)
{
	struct overlay_fs *fs;
	struct super_block *sb;
	int error;

	if (!inode_is_type(lower->root->inode, LINUX_S_IFDIR))
		return -ENOTDIR;
	fs = calloc(1, sizeof(*fs));
	if (!fs)
		return -ENOMEM;
	error = super_block_new(
		&overlay_type, &overlay_super_ops, LINUX_OVERLAYFS_SUPER_MAGIC, &sb);
	if (error) {
		free(fs);
		return error;
	}
	mutex_init(&fs->lock, RANK_LEAF, "overlay");
	RB_INIT(&fs->by_lower);
	LIST_INIT(&fs->pinned);
	fs->lower = super_block_get(lower);
	fs->upper = super_block_get(upper);
	sb->private = fs;
	sb->posix_acl = true;
	sb->inode_flags = true;
	sb->next_ino = OVERLAY_FIRST_INO;
	sb->exports_handles = true;
	(void)snprintf(sb->source, sizeof(sb->source), "overlay");
	error = make_root(sb, lower);
	if (error)
		super_block_put(sb);
	else
		*out = sb;
	return error;
}
