/* SPDX-License-Identifier: Apache-2.0 */
/* Inodes of tmpfs: their making and end, attributes, symlinks. */
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "abi/time.h"
#include "sentry/fs/tmpfs/tmpfs_node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int tmpfs_charge_inode(struct tmpfs *fs)
{
	unsigned long used = atomic_load(&fs->used_inodes);

	do {
		if (fs->max_inodes && used >= fs->max_inodes)
			return -ENOSPC;
	} while (!atomic_compare_exchange_weak(&fs->used_inodes, &used, used + 1));
	return 0;
}

void tmpfs_uncharge_inode(struct tmpfs *fs)
{
	atomic_fetch_sub(&fs->used_inodes, 1);
}

int tmpfs_charge_name(struct super_block *sb)
{
	return tmpfs_charge_inode(tmpfs_of(sb));
}

void tmpfs_uncharge_name(struct super_block *sb)
{
	tmpfs_uncharge_inode(tmpfs_of(sb));
}

static void node_init(struct tmpfs_node *node, struct tmpfs *fs, uint32_t mode)
{
	LIST_INIT(&node->xattrs);
	if (LINUX_S_ISREG(mode)) {
		tmpfs_data_init(&node->data, &fs->quota);
	} else if (LINUX_S_ISDIR(mode)) {
		RB_INIT(&node->directory.names);
		RB_INIT(&node->directory.cookies);
	}
}

static void node_destroy(struct tmpfs_node *node, uint32_t mode)
{
	tmpfs_xattrs_free(node);
	if (LINUX_S_ISREG(mode))
		tmpfs_data_destroy(&node->data);
}

static const struct file_operations *file_ops_for(uint32_t mode)
{
	if (LINUX_S_ISDIR(mode))
		return &tmpfs_directory_ops;
	return LINUX_S_ISREG(mode) ? &tmpfs_file_ops : NULL;
}

static int node_new(struct tmpfs *fs, uint32_t mode, struct tmpfs_node **out)
{
	struct tmpfs_node *node;
	int error = tmpfs_charge_inode(fs);

	if (error)
		return error;
	node = calloc(1, sizeof(*node));
	if (!node) {
		tmpfs_uncharge_inode(fs);
		return -ENOMEM;
	}
	node_init(node, fs, mode);
	*out = node;
	return 0;
}

static int set_link(struct inode *inode, const char *target)
{
	char *copy = strdup(target);

	if (!copy)
		return -ENOMEM;
	inode->link = copy;
	inode->attributes.size = strlen(copy);
	return 0;
}

int tmpfs_inode_new(struct super_block *sb, uint32_t mode, uint64_t rdev, const char *target,
	struct inode **out)
{
	struct tmpfs *fs = tmpfs_of(sb);
	struct tmpfs_node *node;
	struct inode *inode;
	int error = node_new(fs, mode, &node);

	if (error)
		return error;
	error = inode_new(sb, mode,
		LINUX_S_ISDIR(mode) ? &tmpfs_directory_inode_ops : &tmpfs_inode_ops,
		file_ops_for(mode), &inode);
	if (error) {
		node_destroy(node, mode);
		free(node);
		tmpfs_uncharge_inode(fs);
		return error;
	}
	node->inode = inode;
	inode->private = node;
	inode->attributes.rdev = rdev;
	if (LINUX_S_ISDIR(mode)) {
		inode->attributes.nlink = 2;
		inode->attributes.size = 2 * TMPFS_ENTRY_SIZE;
	}
	if (LINUX_S_ISLNK(mode))
		error = set_link(inode, target);
	if (error)
		inode_put(inode);
	else
		*out = inode;
	return error;
}

/*
 * Directories hold their entries, so a tree falls apart from its top; a list of this thread's
 * stands in for the recursion, since a guest decides how deep the tree is.
 */
static __thread struct tmpfs_node *dead_directories;
static __thread bool burying;

static void bury_directory(struct tmpfs_node *node)
{
	node->next_dead = dead_directories;
	dead_directories = node;
	if (burying)
		return;
	burying = true;
	while ((node = dead_directories)) {
		struct inode *child;

		dead_directories = node->next_dead;
		while ((child = tmpfs_name_take_any(&node->directory)))
			inode_put(child);
		free(node);
	}
	burying = false;
}

void tmpfs_inode_release(struct inode *inode)
{
	struct tmpfs_node *node = tmpfs_node_of(inode);

	if (!node)
		return;
	inode->private = NULL;
	tmpfs_uncharge_inode(tmpfs_of(inode->sb));
	node_destroy(node, inode->attributes.mode);
	if (LINUX_S_ISDIR(inode->attributes.mode))
		bury_directory(node);
	else
		free(node);
}

static int check_seal_exec(struct inode *inode, const struct inode_attributes *attributes)
{
	struct tmpfs_data *data;

	if (!LINUX_S_ISREG(inode->attributes.mode))
		return 0;
	data = &tmpfs_node_of(inode)->data;
	if ((__atomic_load_n(&data->seals, __ATOMIC_RELAXED) & LINUX_F_SEAL_EXEC) &&
		((attributes->mode ^ inode->attributes.mode) & 0111))
		return -EPERM;
	return 0;
}

int tmpfs_setattr(struct inode *inode, const struct inode_attributes *attributes, unsigned int mask)
{
	int error = 0;

	if (mask & ATTRIBUTE_MODE)
		error = check_seal_exec(inode, attributes);
	if (!error && (mask & ATTRIBUTE_SIZE) && !LINUX_S_ISREG(inode->attributes.mode))
		error = -EINVAL;
	if (!error && (mask & ATTRIBUTE_SIZE))
		error = tmpfs_truncate(inode, attributes->size);
	if (error)
		return error;
	if (mask & ATTRIBUTE_SIZE)
		touch_mtime(inode);
	else
		touch_ctime(inode);
	inode_apply_attributes(inode, attributes, mask & ~(unsigned int)ATTRIBUTE_SIZE);
	return 0;
}

const struct inode_operations tmpfs_inode_ops = {
	.setattr = tmpfs_setattr,
	.getxattr = tmpfs_getxattr,
	.setxattr = tmpfs_setxattr,
	.listxattr = tmpfs_listxattr,
	.removexattr = tmpfs_removexattr,
};
