/* SPDX-License-Identifier: Apache-2.0 */
/* Overlay inodes: found by what is below them, kept while they differ from it; their attributes. */
#include "sentry/fs/overlay/overlay_node.h"

#include "abi/stat.h"
#include "sentry/fs/tmpfs/tmpfs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int compare_lower(const struct overlay_node *a, const struct overlay_node *b)
{
	return a->lower < b->lower ? -1 : a->lower > b->lower;
}

RB_GENERATE_INTERNAL(overlay_lower_tree, overlay_node, by_lower, compare_lower, unused_ static)

/* fs->lock held: the live inode over a lower one with a reference, or NULL. */
static struct inode *find_locked(struct overlay_fs *fs, struct inode *lower)
{
	struct overlay_node key = {.lower = lower};
	struct overlay_node *node = RB_FIND(overlay_lower_tree, &fs->by_lower, &key);

	if (!node || !refcount_get_unless_zero(&node->inode->refs))
		return NULL;
	return node->inode;
}

/* fs->lock held. One that is dying leaves its place. */
static void hash_locked(struct overlay_fs *fs, struct overlay_node *node)
{
	struct overlay_node *dying = RB_FIND(overlay_lower_tree, &fs->by_lower, node);

	if (dying) {
		RB_REMOVE(overlay_lower_tree, &fs->by_lower, dying);
		dying->hashed = false;
	}
	RB_INSERT(overlay_lower_tree, &fs->by_lower, node);
	node->hashed = true;
}

static int node_new(struct super_block *sb, uint32_t mode, struct overlay_node **out)
{
	struct overlay_node *node = calloc(1, sizeof(*node));
	const struct file_operations *file_ops = NULL;
	bool directory = LINUX_S_ISDIR(mode);
	int error;

	if (!node)
		return -ENOMEM;
	if (directory)
		file_ops = &overlay_directory_ops;
	else if (LINUX_S_ISREG(mode))
		file_ops = &overlay_file_ops;
	error = inode_new(sb, mode, directory ? &overlay_directory_inode_ops : &overlay_inode_ops,
		file_ops, &node->inode);
	if (error) {
		free(node);
		return error;
	}
	node->inode->private = node;
	RB_INIT(&node->names);
	RB_INIT(&node->cookies);
	*out = node;
	return 0;
}

/* Follows the lower inode, which is not locked: it changes only when the host changed it. */
static void follow_lower(struct overlay_node *node)
{
	node->inode->attributes = node->lower->attributes;
}

int overlay_inode_get(struct super_block *sb, struct inode *lower, struct inode **out)
{
	struct overlay_fs *fs = overlay_of(sb);
	struct overlay_node *node;
	int error;

	mutex_lock(&fs->lock);
	*out = find_locked(fs, lower);
	mutex_unlock(&fs->lock);
	if (*out) {
		inode_put(lower);
		return 0;
	}
	error = node_new(sb, lower->attributes.mode, &node);
	if (error) {
		inode_put(lower);
		return error;
	}
	node->lower = lower;
	follow_lower(node);
	mutex_lock(&fs->lock);
	*out = find_locked(fs, lower);
	if (!*out)
		hash_locked(fs, node);
	mutex_unlock(&fs->lock);
	if (*out)
		inode_put(node->inode);
	else
		*out = node->inode;
	return 0;
}

int overlay_inode_new(struct super_block *sb, uint32_t mode, uint64_t rdev, const char *target,
	struct inode **out)
{
	struct overlay_node *node;
	struct inode *upper;
	int error = tmpfs_inode_new(overlay_of(sb)->upper, mode, rdev, target ? "" : NULL, &upper);

	if (error)
		return error;
	error = node_new(sb, mode, &node);
	if (error) {
		inode_put(upper);
		return error;
	}
	node->upper = upper;
	node->data_in_upper = true;
	node->changed = true;
	node->inode->attributes.rdev = rdev;
	if (LINUX_S_ISDIR(mode)) {
		node->inode->attributes.nlink = 2;
		node->inode->attributes.size = 2ul * TMPFS_ENTRY_SIZE;
	}
	if (target) {
		node->inode->link = strdup(target);
		node->inode->attributes.size = strlen(target);
		if (!node->inode->link) {
			inode_put(node->inode);
			return -ENOMEM;
		}
	}
	*out = node->inode;
	return 0;
}

void overlay_mark_changed(struct inode *inode)
{
	struct overlay_node *node = overlay_node_of(inode);
	struct overlay_fs *fs = overlay_of(inode->sb);

	mutex_assert_held(&inode->lock);
	if (node->lower && !node->changed)
		overlay_remember(&node->before, node->lower);
	node->changed = true;
	/* The root lives as long as the super block anyway. Without a lower inode it is the name
	 * that holds it. */
	if (!node->lower || node == fs->root)
		return;
	mutex_guard(&fs->lock);
	if (node->pinned)
		return;
	node->pinned = true;
	LIST_INSERT_HEAD(&fs->pinned, node, pinned_link);
	inode_get(inode);
}

static bool unpin(struct overlay_fs *fs, struct overlay_node *node)
{
	mutex_guard(&fs->lock);
	if (!node->pinned)
		return false;
	node->pinned = false;
	LIST_REMOVE(node, pinned_link);
	return true;
}

void overlay_unpin(struct inode *inode)
{
	if (unpin(overlay_of(inode->sb), overlay_node_of(inode)))
		inode_put(inode);
}

/* The super block goes: nothing needs to be remembered any more. */
static void unpin_all(struct overlay_fs *fs)
{
	struct overlay_node *node;

	for (;;) {
		mutex_lock(&fs->lock);
		node = LIST_FIRST(&fs->pinned);
		if (node) {
			LIST_REMOVE(node, pinned_link);
			node->pinned = false;
		}
		mutex_unlock(&fs->lock);
		if (!node)
			return;
		inode_put(node->inode);
	}
}

/* Directories hold what they name; a list of this thread's stands in for the recursion, since trees
 * may be deep. */
static __thread struct overlay_node *dead_nodes;
static __thread bool burying;

static void bury(struct overlay_node *node)
{
	struct overlay_name *name;

	while ((name = RB_ROOT(&node->names))) {
		struct inode *inode = overlay_name_remove(node, name);

		if (inode)
			inode_put(inode);
	}
	if (node->lower)
		inode_put(node->lower);
	if (node->upper)
		inode_put(node->upper);
	free(node);
}

void overlay_inode_release(struct inode *inode)
{
	struct overlay_node *node = overlay_node_of(inode);
	struct overlay_fs *fs = overlay_of(inode->sb);

	if (!node)
		return;
	inode->private = NULL;
	mutex_lock(&fs->lock);
	if (node->hashed)
		RB_REMOVE(overlay_lower_tree, &fs->by_lower, node);
	node->hashed = false;
	mutex_unlock(&fs->lock);
	if (node == fs->root)
		unpin_all(fs);
	node->next_dead = dead_nodes;
	dead_nodes = node;
	if (burying)
		return;
	burying = true;
	while ((node = dead_nodes)) {
		dead_nodes = node->next_dead;
		bury(node);
	}
	burying = false;
}

void overlay_sync_size(struct inode *inode)
{
	const struct inode_attributes *data =
		&overlay_data_inode(overlay_node_of(inode))->attributes;

	__atomic_store_n(&inode->attributes.size, __atomic_load_n(&data->size, __ATOMIC_RELAXED),
		__ATOMIC_RELAXED);
	inode->attributes.blocks = __atomic_load_n(&data->blocks, __ATOMIC_RELAXED);
}

static bool lower_moved_on(const struct overlay_node *node)
{
	const struct inode_attributes *own = &node->inode->attributes,
				      *lower = &node->lower->attributes;

	return own->size != lower->size || own->ctime.tv_sec != lower->ctime.tv_sec ||
	       own->ctime.tv_nsec != lower->ctime.tv_nsec;
}

int overlay_getattr(struct inode *inode)
{
	struct overlay_node *node = overlay_node_of(inode);
	int error = 0;

	if (node->lower && node->lower->ops->getattr)
		error = node->lower->ops->getattr(node->lower);
	if (error)
		return error;
	mutex_guard(&inode->lock);
	if (!node->changed && lower_moved_on(node))
		follow_lower(node);
	else if (inode_is_type(inode, LINUX_S_IFREG))
		overlay_sync_size(inode);
	return 0;
}

static int truncate_upper(struct inode *inode, uint64_t size)
{
	const struct inode_attributes attributes = {.size = size};
	struct inode *upper;
	int error = inode_is_type(inode, LINUX_S_IFREG) ? overlay_copy_up(inode, size) : -EINVAL;

	if (error)
		return error;
	upper = overlay_node_of(inode)->upper;
	mutex_lock_nested(&upper->lock);
	error = upper->ops->setattr(upper, &attributes, ATTRIBUTE_SIZE);
	mutex_unlock(&upper->lock);
	overlay_sync_size(inode);
	return error;
}

int overlay_setattr(
	struct inode *inode, const struct inode_attributes *attributes, unsigned int mask)
{
	int error = 0;

	if (mask & ATTRIBUTE_SIZE)
		error = truncate_upper(inode, attributes->size);
	if (error)
		return error;
	overlay_mark_changed(inode);
	inode_apply_attributes(inode, attributes, mask & ~(unsigned int)ATTRIBUTE_SIZE);
	return 0;
}

static int64_t overlay_readlink(struct inode *inode, char *buffer, size_t size)
{
	struct inode *lower = overlay_node_of(inode)->lower;
	char *none = NULL, *copy;
	int64_t length;

	if (!lower || !size)
		return -EINVAL;
	if (lower->link) {
		length = (int64_t)strnlen(lower->link, size - 1);
		memcpy(buffer, lower->link, (size_t)length);
		buffer[length] = '\0';
	} else {
		length = lower->ops->readlink(lower, buffer, size);
	}
	if (length < 0 || (size_t)length >= size - 1)
		return length;
	copy = strdup(buffer);
	if (copy && !atomic_compare_exchange_strong(&inode->link, &none, copy))
		free(copy);
	return length;
}

const struct inode_operations overlay_inode_ops = {
	.readlink = overlay_readlink,
	.getattr = overlay_getattr,
	.setattr = overlay_setattr,
	.open = overlay_open,
	.getxattr = overlay_getxattr,
	.setxattr = overlay_setxattr,
	.listxattr = overlay_listxattr,
	.removexattr = overlay_removexattr,
};
