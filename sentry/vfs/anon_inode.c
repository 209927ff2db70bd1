/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inodes without a place in any tree: the one behind eventfd, epoll and the like, and those of
 * pipes and sockets; and the mount that their files are said to be on.
 *
 * Differs from Linux: pipes, sockets and anonymous inodes are on one super block, so they share
 * st_dev.
 */
#include "abi/stat.h"
#include "abi/statfs.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/file_new.h"
#include "sentry/vfs/mount.h"
#include "sentry/vfs/permission.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>

static int pseudo_statfs(struct super_block *sb, struct linux_statfs *out)
{
	*out = (struct linux_statfs){
		.f_type = (int64_t)sb->magic,
		.f_bsize = PAGE_SIZE,
		.f_frsize = PAGE_SIZE,
		.f_namelen = 255,
	};
	return 0;
}

static const struct file_system_type pseudo_type = {.name = "pipefs", .needs_no_device = true};
static const struct super_operations pseudo_operations = {.statfs = pseudo_statfs};
static const struct inode_operations pseudo_inode_operations = {0};
static const struct file_operations no_operations = {0};

static struct {
	pthread_mutex_t lock; /* of making them; nothing of a guest's happens under it */
	struct super_block *_Atomic sb;
	struct inode *anon_inode;
	struct mount *_Atomic mount;
} pseudo = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int pseudo_make_locked(void)
{
	struct super_block *sb;
	struct inode *root = NULL;
	struct mount *mount = NULL;
	int result = super_block_new(&pseudo_type, &pseudo_operations, LINUX_PIPEFS_MAGIC, &sb);

	if (result)
		return result;
	result = inode_new(
		sb, LINUX_S_IFDIR | 0555, &pseudo_inode_operations, &no_operations, &root);
	if (result == 0)
		result = super_block_set_root(sb, root);
	if (result == 0)
		result = inode_new(
			sb, 0600, &pseudo_inode_operations, &no_operations, &pseudo.anon_inode);
	if (result == 0)
		result = mount_new(sb, sb->root, "none", 0, &mount);
	if (result) {
		if (pseudo.anon_inode)
			inode_put(pseudo.anon_inode);
		pseudo.anon_inode = NULL;
		super_block_put(sb);
		return result;
	}
	pseudo.mount = mount;
	pseudo.sb = sb;
	return 0;
}

static struct super_block *pseudo_super_block(void)
{
	struct super_block *sb = pseudo.sb;

	if (likely(sb != NULL))
		return sb;
	pthread_mutex_lock(&pseudo.lock);
	if (!pseudo.sb && pseudo_make_locked())
		pseudo.sb = NULL;
	sb = pseudo.sb;
	pthread_mutex_unlock(&pseudo.lock);
	return sb;
}

struct mount *mount_nowhere(void)
{
	return pseudo_super_block() ? pseudo.mount : NULL;
}

struct inode *anon_inode_get(void)
{
	return pseudo_super_block() ? inode_get(pseudo.anon_inode) : NULL;
}

int pseudo_inode_new(uint32_t mode, struct inode **out)
{
	struct super_block *sb = pseudo_super_block();
	int result =
		sb ? inode_new(sb, mode, &pseudo_inode_operations, &no_operations, out) : -ENOMEM;

	if (result == 0)
		inode_init_owner(&(*out)->attributes, NULL, vfs_cred(), mode);
	return result;
}

bool inode_is_pseudo(const struct inode *inode)
{
	return inode->sb == pseudo.sb;
}

bool file_pseudo_name(const struct file *file, char *buffer, size_t size)
{
	const struct inode_attributes *attributes = &file->inode->attributes;
	const char *name = file->name ? file->name : file->ops ? file->ops->name : NULL;

	if (!inode_is_pseudo(file->inode)) {
		const struct super_block *sb = file->inode->sb;
		const struct super_operations *ops = sb->ops;

		/* One that was bound somewhere has that for a name. */
		if (sb->placeless && file->path.mount && file->path.mount->ns)
			return false;
		return ops && ops->pseudo_name && ops->pseudo_name(file->inode, buffer, size);
	}
	if (LINUX_S_ISFIFO(attributes->mode))
		(void)snprintf(buffer, size, "pipe:[%lu]", attributes->ino);
	else if (LINUX_S_ISSOCK(attributes->mode))
		(void)snprintf(buffer, size, "socket:[%lu]", attributes->ino);
	else
		(void)snprintf(buffer, size, "anon_inode:%s", name ? name : "[unknown]");
	return true;
}

void vfs_shutdown(void)
{
	struct super_block *sb = pseudo.sb;

	if (!sb)
		return;
	mount_put(pseudo.mount);
	inode_put(pseudo.anon_inode);
	pseudo.sb = NULL;
	pseudo.mount = NULL;
	pseudo.anon_inode = NULL;
	super_block_put(sb);
}
