/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inodes of the host file system: found by the host's device and inode number, so that hard links
 * are one inode, and remembered with one name by which they can be opened again.
 */
#include "sentry/fs/host/host_fs.h"

#include "abi/statfs.h"
#include "base/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

static int compare_identity(const struct host_node *a, const struct host_node *b)
{
	if (a->identity.ino != b->identity.ino)
		return a->identity.ino < b->identity.ino ? -1 : 1;
	return a->identity.device < b->identity.device ? -1
						       : a->identity.device > b->identity.device;
}

RB_GENERATE_INTERNAL(host_node_tree, host_node, by_identity, compare_identity, unused_ static)

/* fs->lock held. Takes the place of a node that is dying or stands for a file that is gone. */
static void hash_locked(struct host_fs *fs, struct host_node *node)
{
	struct host_node *other = RB_FIND(host_node_tree, &fs->nodes, node);

	if (other) {
		RB_REMOVE(host_node_tree, &fs->nodes, other);
		other->hashed = false;
	}
	RB_INSERT(host_node_tree, &fs->nodes, node);
	node->hashed = true;
}

/* A live node of this identity and type with a reference to its inode, or NULL. */
static struct host_node *find_locked(
	struct host_fs *fs, struct host_identity identity, uint32_t mode)
{
	struct host_node key = {.identity = identity};
	struct host_node *node = RB_FIND(host_node_tree, &fs->nodes, &key);

	if (!node || !inode_is_type(node->inode, mode & LINUX_S_IFMT) ||
		!refcount_get_unless_zero(&node->inode->refs))
		return NULL;
	return node;
}

static bool is_walled_magic(uint64_t magic)
{
	static const uint64_t walled[] = {
		LINUX_PROC_SUPER_MAGIC,
		LINUX_SYSFS_MAGIC,
		LINUX_CGROUP_SUPER_MAGIC,
		LINUX_CGROUP2_SUPER_MAGIC,
		LINUX_DEVPTS_SUPER_MAGIC,
		LINUX_DEBUGFS_MAGIC,
		LINUX_TRACEFS_MAGIC,
		LINUX_SECURITYFS_MAGIC,
		LINUX_SELINUX_MAGIC,
		LINUX_SMACK_MAGIC,
		LINUX_BPF_FS_MAGIC,
		LINUX_PSTOREFS_MAGIC,
		LINUX_EFIVARFS_MAGIC,
		LINUX_BINFMTFS_MAGIC,
		LINUX_MQUEUE_MAGIC,
		LINUX_NSFS_MAGIC,
		LINUX_RDTGROUP_SUPER_MAGIC,
		LINUX_AUTOFS_SUPER_MAGIC,
		LINUX_CONFIGFS_MAGIC,
	};

	for (size_t i = 0; i < array_count(walled); i++)
		if (walled[i] == magic)
			return true;
	return false;
}

/*
 * The host kernel's own file systems tell of the host's processes and devices, and reading some of
 * them does things. A guest meets them only where its own /proc and /sys were unmounted; it finds
 * nothing there.
 */
static bool is_walled(struct host_node *parent, const char *name, const struct statx *stx)
{
	struct statfs info;
	bool walled = true;
	int dirfd, fd;

	if (!S_ISDIR(stx->stx_mode) && !S_ISREG(stx->stx_mode))
		return false;
	if (host_identity_of(stx).device == parent->identity.device)
		return false;
	dirfd = host_directory_acquire(parent);
	if (dirfd < 0)
		return true;
	fd = host_openat(dirfd, name, O_PATH | O_NOFOLLOW, 0);
	host_handle_release(&parent->read);
	if (fd < 0)
		return true;
	if (!fstatfs(fd, &info))
		walled = is_walled_magic((uint32_t)info.f_type);
	(void)close(fd);
	return walled;
}

static int node_new(struct super_block *sb, const struct statx *stx, struct host_node **out)
{
	struct host_fs *fs = host_fs_of(sb);
	struct host_node *node = calloc(1, sizeof(*node));
	const struct file_operations *file_ops = NULL;
	bool directory = S_ISDIR(stx->stx_mode);
	struct inode *inode;
	int error;

	if (!node)
		return -ENOMEM;
	if (directory)
		file_ops = &host_directory_ops;
	else if (S_ISREG(stx->stx_mode))
		file_ops = &host_file_ops;
	error = inode_new(sb, stx->stx_mode,
		directory ? &host_directory_inode_ops : &host_inode_ops, file_ops, &inode);
	if (error) {
		free(node);
		return error;
	}
	node->inode = inode;
	node->fs = fs;
	node->identity = host_identity_of(stx);
	LIST_INIT(&node->others);
	host_handle_init(&node->read);
	host_handle_init(&node->write);
	mappable_init(&node->mappable, &host_mappable_ops);
	inode->private = node;
	host_attributes_from(fs, stx, &inode->attributes);
	*out = node;
	return 0;
}

void host_node_adopt(struct host_node *node, struct host_identity identity)
{
	struct host_fs *fs = node->fs;

	mutex_guard(&fs->lock);
	if (node->hashed)
		RB_REMOVE(host_node_tree, &fs->nodes, node);
	node->identity = identity;
	hash_locked(fs, node);
}

/* A node that was known already: brings it up to date. */
static int known_node(struct host_node *node, struct host_node *parent, const char *name,
	const struct statx *stx, struct inode **out)
{
	struct host_fs *fs = node->fs;
	int error = 0;

	/* Where nobody else changes names, of several hard links the first stays the node's own. */
	if (node->inode->attributes.nlink <= 1 || inode_is_type(node->inode, LINUX_S_IFDIR) ||
		!fs->exclusive)
		error = host_node_set_name(node, parent, name);
	else
		error = host_node_add_name(node, parent, name);
	if (error) {
		inode_put(node->inode);
		return error;
	}
	if (!fs->exclusive)
		host_attributes_meet(node->inode, stx);
	*out = node->inode;
	return 0;
}

int host_node_get(
	struct host_node *parent, const char *name, const struct statx *stx, struct inode **out)
{
	struct host_fs *fs = parent->fs;
	struct host_node *node, *known;
	int error;

	mutex_lock(&fs->lock);
	known = find_locked(fs, host_identity_of(stx), stx->stx_mode);
	mutex_unlock(&fs->lock);
	if (known)
		return known_node(known, parent, name, stx, out);
	error = node_new(parent->inode->sb, stx, &node);
	if (error)
		return error;
	node->walled = parent->walled || is_walled(parent, name, stx);
	error = host_node_set_name(node, parent, name);
	if (error) {
		inode_put(node->inode);
		return error;
	}
	mutex_lock(&fs->lock);
	known = find_locked(fs, node->identity, stx->stx_mode);
	if (!known)
		hash_locked(fs, node);
	mutex_unlock(&fs->lock);
	if (known) {
		inode_put(node->inode);
		return known_node(known, parent, name, stx, out);
	}
	*out = node->inode;
	return 0;
}

int host_node_new_unnamed(struct super_block *sb, const struct statx *stx, int fd, struct inode **out)
{
	struct host_fs *fs = host_fs_of(sb);
	int second = fcntl(fd, F_DUPFD_CLOEXEC, 0), error;
	struct host_node *node;

	if (second >= 0)
		second = descriptor_settle(second, host_handle_shrink);
	error = second < 0 ? -ENFILE : 0;
	if (!error)
		error = node_new(sb, stx, &node);
	if (error) {
		(void)close(fd);
		if (second >= 0)
			(void)close(second);
		return error;
	}
	node->keeps_handles = true;
	(void)host_handle_install(&node->write, fd);
	(void)host_handle_install(&node->read, second);
	mutex_lock(&fs->lock);
	hash_locked(fs, node);
	mutex_unlock(&fs->lock);
	*out = node->inode;
	return 0;
}

int host_node_new_root(
	struct super_block *sb, const struct statx *stx, bool writable, struct inode **out)
{
	struct host_fs *fs = host_fs_of(sb);
	struct host_node *node;
	int error, second;

	fs->devices[fs->device_count++] = host_identity_of(stx).device;
	error = node_new(sb, stx, &node);
	if (error)
		return error;
	node->is_root = true;
	node->keeps_handles = true;
	(void)host_handle_install(&node->read, fs->root_fd);
	if (writable) {
		second = fcntl(fs->root_fd, F_DUPFD_CLOEXEC, 0);
		if (second >= 0)
			(void)host_handle_install(&node->write, second);
	}
	mutex_lock(&fs->lock);
	hash_locked(fs, node);
	mutex_unlock(&fs->lock);
	*out = node->inode;
	return 0;
}

int host_inode_name(const struct inode *inode, char *buffer, size_t size)
{
	const struct host_node *node = host_node_of(inode);
	struct host_fs *fs;
	size_t start = size;

	if (inode->ops != &host_inode_ops && inode->ops != &host_directory_inode_ops)
		return -EINVAL;
	if (size < 2)
		return -ENAMETOOLONG;
	fs = node->fs;
	buffer[--start] = '\0';
	if (node->is_root)
		buffer[--start] = '/';
	mutex_guard(&fs->lock);
	for (; !node->is_root; node = node->parent) {
		size_t length = node->name ? strlen(node->name) : 0;

		if (!node->parent)
			return -ESTALE;
		if (start < length + 1)
			return -ENAMETOOLONG;
		start -= length;
		memcpy(buffer + start, node->name, length);
		buffer[--start] = '/';
	}
	memmove(buffer, buffer + start, size - start);
	return 0;
}

struct inode *host_inode_parent(const struct inode *inode)
{
	const struct host_node *node = host_node_of(inode);

	if (inode->ops != &host_inode_ops && inode->ops != &host_directory_inode_ops)
		return NULL;
	mutex_guard(&node->fs->lock);
	return node->parent && !node->is_root ? inode_get(node->parent->inode) : NULL;
}

/* Ends the use that node->keeps_handles is. */
static void drop_kept(struct host_handle *handle)
{
	if (host_handle_acquire(handle) < 0)
		return;
	host_handle_release(handle);
	host_handle_release(handle);
}

static void node_free(struct host_node *node)
{
	if (node->keeps_handles) {
		drop_kept(&node->read);
		drop_kept(&node->write);
	}
	host_handle_destroy(&node->read);
	host_handle_destroy(&node->write);
	if (node->listing)
		host_listing_put(node->listing);
	host_node_forget_others(node);
	free(node->name);
	mappable_destroy(&node->mappable);
	free(node);
}

/* Nodes hold the one above them; a list of this thread's stands in for the recursion, since trees
 * may be deep. */
static __thread struct host_node *dead_nodes;
static __thread bool burying;

void host_inode_release(struct inode *inode)
{
	struct host_node *node = host_node_of(inode);

	if (!node)
		return;
	inode->private = NULL;
	mutex_lock(&node->fs->lock);
	if (node->hashed)
		RB_REMOVE(host_node_tree, &node->fs->nodes, node);
	node->hashed = false;
	mutex_unlock(&node->fs->lock);
	node->next_dead = dead_nodes;
	dead_nodes = node;
	if (burying)
		return;
	burying = true;
	while ((node = dead_nodes)) {
		struct host_node *parent = node->parent;

		dead_nodes = node->next_dead;
		node_free(node);
		if (parent)
			inode_put(parent->inode);
	}
	burying = false;
}
