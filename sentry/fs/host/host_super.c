/* SPDX-License-Identifier: Apache-2.0 */
/* Super blocks of the host file system. There is no mount(2) of it: a guest cannot ask for more of
 * the host than it was given. */
#include "sentry/fs/host/host_fs.h"

#include "abi/statfs.h"
#include "sentry/lock_order.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

static void host_super_release(struct super_block *sb)
{
	struct host_fs *fs = host_fs_of(sb);

	mutex_destroy(&fs->lock);
	free(fs);
}

static int host_statfs(struct super_block *sb, struct linux_statfs *out)
{
	struct statfs info;

	if (fstatfs(host_fs_of(sb)->root_fd, &info))
		return -errno;
	out->f_type = info.f_type;
	out->f_bsize = info.f_bsize;
	out->f_blocks = (int64_t)info.f_blocks;
	out->f_bfree = (int64_t)info.f_bfree;
	out->f_bavail = (int64_t)info.f_bavail;
	out->f_files = (int64_t)info.f_files;
	out->f_ffree = (int64_t)info.f_ffree;
	out->f_namelen = info.f_namelen;
	out->f_frsize = info.f_frsize;
	return 0;
}

static int host_sync(struct super_block *sb)
{
	struct host_fs *fs = host_fs_of(sb);

	if (fs->read_only)
		return 0;
	return syncfs(fs->root_fd) ? -errno : 0;
}

static int host_revalidate(struct inode *directory, const char *name, struct inode *inode)
{
	struct host_node *node = host_node_of(directory),
			 *known = inode ? host_node_of(inode) : NULL;
	struct host_identity identity;
	struct statx stx;
	int fd, error;

	if (node->walled)
		return !inode;
	fd = host_directory_acquire(node);
	if (fd < 0)
		return 0;
	error = host_statx(fd, name, &stx);
	host_handle_release(&node->read);
	if (error == -ENOENT)
		return !inode;
	if (error || !inode)
		return 0;
	identity = host_identity_of(&stx);
	if (identity.ino != known->identity.ino || identity.device != known->identity.device ||
		!inode_is_type(inode, stx.stx_mode & LINUX_S_IFMT))
		return 0;
	if (host_node_add_name(known, node, name))
		return 0;
	host_attributes_meet(inode, &stx);
	return 1;
}

/* Two tables: a tree that nobody else changes is never asked whether a name is still true. */
static const struct super_operations exclusive_ops = {
	.inode_release = host_inode_release,
	.super_release = host_super_release,
	.statfs = host_statfs,
	.sync = host_sync,
};

static const struct super_operations shared_ops = {
	.inode_release = host_inode_release,
	.super_release = host_super_release,
	.statfs = host_statfs,
	.sync = host_sync,
	.revalidate = host_revalidate,
};

static const struct file_system_type host_type = {
	.name = "host",
	.needs_no_device = true,
};

/* Directories are read through it, which an O_PATH descriptor does not allow. */
static int readable_root(int fd)
{
	int readable = host_openat(fd, ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

	if (readable < 0)
		return fd;
	(void)close(fd);
	return readable;
}

static int fs_new(int fd, const struct host_super_options *options, struct super_block **out)
{
	struct host_fs *fs = calloc(1, sizeof(*fs));
	struct statfs info;
	int error;

	if (!fs)
		return -ENOMEM;
	fs->root_fd = fd;
	fs->read_only = options->read_only;
	fs->exclusive = options->exclusive;
	fs->host_ids = options->host_ids;
	fs->gives_owners = options->gives_owners;
	mutex_init(&fs->lock, RANK_LEAF, "host fs");
	RB_INIT(&fs->nodes);
	if (fstatfs(fd, &info))
		info.f_type = LINUX_HOSTFS_SUPER_MAGIC;
	error = super_block_new(&host_type, fs->exclusive ? &exclusive_ops : &shared_ops,
		(uint64_t)info.f_type, out);
	if (error) {
		mutex_destroy(&fs->lock);
		free(fs);
		return error;
	}
	(*out)->private = fs;
	(*out)->exports_handles = true;
	(*out)->read_only = options->read_only;
	if (options->source)
		(void)snprintf((*out)->source, sizeof((*out)->source), "%s", options->source);
	return 0;
}

int host_super_block_new(int fd, const struct host_super_options *options, struct super_block **out)
{
	struct super_block *sb;
	struct inode *root;
	struct statx stx;
	bool writable;
	int error = host_statx(fd, "", &stx);

	if (!error && !S_ISDIR(stx.stx_mode) && !S_ISREG(stx.stx_mode))
		error = -ENODEV;
	if (!error && S_ISDIR(stx.stx_mode))
		fd = readable_root(fd);
	if (!error)
		error = fs_new(fd, options, &sb);
	if (error) {
		(void)close(fd);
		return error;
	}
	writable = S_ISREG(stx.stx_mode) && !options->read_only &&
		   (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR;
	error = host_node_new_root(sb, &stx, writable, &root);
	if (error)
		(void)close(fd);
	else
		error = super_block_set_root(sb, root);
	if (error)
		super_block_put(sb);
	else
		*out = sb;
	return error;
}
