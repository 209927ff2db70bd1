/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories of the host file system: finding names, and on trees that may be written, making and
 * removing them.
 *
 * Differs from Linux: no device nodes are made on the host, and unnamed files only where it lets
 * them be linked by descriptor (6.10); what is made belongs to the sentry's user there. A FIFO or
 * socket on the host is a name: what goes through it stays in the sandbox.
 */
#include "sentry/fs/host/host_fs.h"

#include "abi/fcntl.h"
#include "base/cleanup.h"
#include "sentry/kernel/credentials.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int host_lookup(struct inode *directory, const char *name, struct inode **out)
{
	struct host_node *node = host_node_of(directory);
	struct statx stx;
	int fd, error;

	if (node->walled)
		return -ENOENT;
	fd = host_directory_acquire(node);
	if (fd < 0)
		return fd;
	error = host_statx(fd, name, &stx);
	host_handle_release(&node->read);
	if (error)
		return error;
	return host_node_get(node, name, &stx, out);
}

/* The directory's descriptor for a change in it. */
static int begin_change(struct host_node *node)
{
	if (node->walled)
		return -EACCES;
	return node->fs->read_only ? -EROFS : host_directory_acquire(node);
}

static void end_change(struct host_node *node)
{
	host_handle_release(&node->read);
	host_listing_forget(node);
	atomic_store(&node->dirty, true);
}

/* What is there now under a name that was just made. */
static int made(struct host_node *directory, int dirfd, const char *name, struct inode **out)
{
	struct statx stx;
	int error = host_statx(dirfd, name, &stx);

	return error ? error : host_node_get(directory, name, &stx, out);
}

static int create_file(int dirfd, const char *name, uint32_t mode, int *fd)
{
	*fd = host_openat(
		dirfd, name, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW, mode & LINUX_S_IALLUGO);
	return *fd < 0 ? *fd : 0;
}

/*
 * The sentry made it as itself; it becomes its maker's, but for the group in a set-group-ID
 * directory. A symlink has no mode; a change of owner takes the set-ID bits of others away.
 */
static int give_owner(struct inode *directory, int dirfd, const char *name, uint32_t mode,
	const struct cred *cred)
{
	const struct inode_attributes *above = &directory->attributes;
	gid_t gid = above->mode & LINUX_S_ISGID ? (gid_t)-1 : cred->fsgid;

	if (!host_fs_of(directory->sb)->gives_owners)
		return 0;
	if (fchownat(dirfd, name, cred->fsuid, gid, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return errno == EINVAL ? -EPERM : -errno;
	if (mode & (LINUX_S_ISUID | LINUX_S_ISGID))
		return host_chmod(dirfd, name, mode);
	return 0;
}

static int host_create(struct inode *directory, const char *name, uint32_t mode, uint64_t rdev,
	const struct cred *cred, struct inode **out)
{
	struct host_node *node = host_node_of(directory);
	int dirfd, fd = -1, error;

	if (LINUX_S_ISCHR(mode) || LINUX_S_ISBLK(mode))
		return -EPERM;
	dirfd = begin_change(node);
	if (dirfd < 0)
		return dirfd;
	if (LINUX_S_ISREG(mode))
		error = create_file(dirfd, name, mode, &fd);
	else if (LINUX_S_ISDIR(mode))
		error = mkdirat(dirfd, name, mode & LINUX_S_IALLUGO) ? -errno : 0;
	else
		error = mknodat(dirfd, name, mode, 0) ? -errno : 0;
	if (!error) {
		error = give_owner(directory, dirfd, name, mode, cred);
		if (error)
			(void)unlinkat(dirfd, name, LINUX_S_ISDIR(mode) ? AT_REMOVEDIR : 0);
	}
	if (!error)
		error = made(node, dirfd, name, out);
	if (!error && fd >= 0) {
		/* Will be written: the descriptor is at hand. */
		struct host_handle *handle = &host_node_of(*out)->write;

		(void)host_handle_install(handle, steal_fd(&fd));
		host_handle_release(handle);
	}
	if (fd >= 0)
		(void)close(fd);
	end_change(node);
	return error;
}

/* Before 6.10 the host lets nobody without privileges give such a file a name, as link_open() does:
 * ENOENT even where the name is taken. */
static bool is_linkable(int fd, int dirfd)
{
	return linkat(fd, "", dirfd, ".", AT_EMPTY_PATH) && errno == EEXIST;
}

static int host_tmpfile(
	struct inode *directory, uint32_t mode, const struct cred *cred, struct inode **out)
{
	struct host_node *node = host_node_of(directory);
	auto_close int fd = -1;
	struct statx stx;
	int dirfd = begin_change(node), error = 0;

	if (dirfd < 0)
		return dirfd;
	fd = host_openat(dirfd, ".", O_TMPFILE | O_RDWR, mode & LINUX_S_IALLUGO);
	if (fd < 0)
		error = fd == -EISDIR ? -EOPNOTSUPP : fd;
	else if (!is_linkable(fd, dirfd))
		error = -EOPNOTSUPP;
	end_change(node);
	if (!error)
		error = give_owner(directory, fd, "", mode, cred);
	if (!error)
		error = host_statx(fd, "", &stx);
	return error ? error : host_node_new_unnamed(directory->sb, &stx, steal_fd(&fd), out);
}

static int host_symlink(struct inode *directory, const char *name, const char *target,
	const struct cred *cred, struct inode **out)
{
	struct host_node *node = host_node_of(directory);
	int dirfd = begin_change(node), error;

	if (dirfd < 0)
		return dirfd;
	error = symlinkat(target, dirfd, name) ? -errno : 0;
	if (!error)
		error = give_owner(directory, dirfd, name, 0, cred);
	if (!error)
		error = made(node, dirfd, name, out);
	end_change(node);
	return error;
}

/* Without a name it is linked by what is open of it. */
static int link_open(struct host_node *linked, int dirfd, const char *name)
{
	int fd = host_handle_acquire(&linked->read), error;

	if (fd < 0)
		return -ESTALE;
	error = linkat(fd, "", dirfd, name, AT_EMPTY_PATH) ? -errno : 0;
	host_handle_release(&linked->read);
	return error;
}

/* The host changed the name that was linked by; what was linked is not to be had. */
static int check_linked(struct host_node *linked, int dirfd, const char *name)
{
	struct host_identity identity;
	struct statx stx;
	int error = host_statx(dirfd, name, &stx);

	if (error)
		return error;
	identity = host_identity_of(&stx);
	if (identity.device == linked->identity.device && identity.ino == linked->identity.ino)
		return 0;
	(void)unlinkat(dirfd, name, 0);
	return -ESTALE;
}

/* By the first of its names that leads to it. */
static int link_named(struct host_node *linked, int dirfd, const char *name)
{
	for (;;) {
		struct host_place place;
		int error = host_place_acquire(linked, &place);

		if (error)
			return error;
		error = linkat(place.fd, place.name, dirfd, name, 0) ? -errno : 0;
		if (!error)
			error = check_linked(linked, dirfd, name);
		if (error == -ENOENT || error == -ESTALE)
			host_node_forget_name(linked, place.parent, place.name);
		host_place_release(&place);
		if (error != -ENOENT && error != -ESTALE)
			return error;
	}
}

static int host_link(struct inode *directory, const char *name, struct inode *target)
{
	struct host_node *node = host_node_of(directory), *linked = host_node_of(target);
	int dirfd = begin_change(node), error;

	if (dirfd < 0)
		return dirfd;
	error = link_named(linked, dirfd, name);
	if (error == -ESTALE)
		error = link_open(linked, dirfd, name);
	if (!error) {
		/* A name that could not be remembered is found again by lookup. */
		(void)!host_node_add_name(linked, node, name);
		target->attributes.nlink++;
		atomic_store(&linked->dirty, true);
	}
	end_change(node);
	return error;
}

static int remove_name(struct inode *directory, const char *name, struct inode *target, int flags)
{
	struct host_node *node = host_node_of(directory), *removed = host_node_of(target);
	int dirfd = begin_change(node), error;

	if (dirfd < 0)
		return dirfd;
	error = unlinkat(dirfd, name, flags) ? -errno : 0;
	if (!error) {
		host_node_forget_name(removed, node, name);
		if (flags || !target->attributes.nlink)
			target->attributes.nlink = 0;
		else
			target->attributes.nlink--;
		target->attributes.ctime = inode_time_now();
	}
	end_change(node);
	return error;
}

static int host_unlink(struct inode *directory, const char *name, struct inode *target)
{
	return remove_name(directory, name, target, 0);
}

static int host_rmdir(struct inode *directory, const char *name, struct inode *target)
{
	return remove_name(directory, name, target, AT_REMOVEDIR);
}

/* After the host's rename: nodes go by their new names. A name that could not be remembered is
 * found again by lookup. */
static void renamed(struct host_node *old_directory, const char *old_name, struct host_node *node,
	struct host_node *new_directory, const char *new_name, struct inode *replaced,
	bool exchange)
{
	if (replaced && exchange) {
		(void)!host_node_set_name(host_node_of(replaced), old_directory, old_name);
	} else if (replaced) {
		if (inode_is_type(replaced, LINUX_S_IFDIR))
			replaced->attributes.nlink = 0;
		else if (replaced->attributes.nlink)
			replaced->attributes.nlink--;
	}
	(void)!host_node_set_name(node, new_directory, new_name);
	host_node_forget_name(node, old_directory, old_name);
	if (replaced)
		host_node_forget_name(host_node_of(replaced), new_directory, new_name);
}

static int host_rename(struct inode *old_directory, const char *old_name, struct inode *inode,
	struct inode *new_directory, const char *new_name, struct inode *replaced,
	unsigned int flags)
{
	struct host_node *from = host_node_of(old_directory), *to = host_node_of(new_directory);
	int from_fd, to_fd, error;

	if (flags & ~(unsigned int)(LINUX_RENAME_NOREPLACE | LINUX_RENAME_EXCHANGE))
		return -EINVAL;
	from_fd = begin_change(from);
	if (from_fd < 0)
		return from_fd;
	to_fd = begin_change(to);
	if (to_fd >= 0) {
		error = renameat2(from_fd, old_name, to_fd, new_name, flags) ? -errno : 0;
		if (!error)
			renamed(from, old_name, host_node_of(inode), to, new_name, replaced,
				flags & LINUX_RENAME_EXCHANGE);
		end_change(to);
	} else {
		error = to_fd;
	}
	end_change(from);
	if (!error)
		atomic_store(&host_node_of(inode)->dirty, true);
	return error;
}

/* The text never changes while the inode lives, so it is kept there. */
static int64_t host_readlink(struct inode *inode, char *buffer, size_t size)
{
	char *none = NULL, *copy;
	ssize_t length;
	struct statx stx;
	int fd;

	if (!size)
		return 0;
	fd = host_open_node(host_node_of(inode), O_PATH, &stx);
	if (fd < 0)
		return fd;
	length = readlinkat(fd, "", buffer, size - 1);
	if (length < 0)
		length = -errno;
	(void)close(fd);
	if (length < 0)
		return length;
	buffer[length] = '\0';
	if ((size_t)length < size - 1) {
		copy = strdup(buffer);
		if (copy && !atomic_compare_exchange_strong(&inode->link, &none, copy))
			free(copy);
	}
	return length;
}

const struct inode_operations host_directory_inode_ops = {
	.lookup = host_lookup,
	.create = host_create,
	.tmpfile = host_tmpfile,
	.symlink = host_symlink,
	.link = host_link,
	.unlink = host_unlink,
	.rmdir = host_rmdir,
	.rename = host_rename,
	.getattr = host_getattr,
	.setattr = host_setattr,
	.getxattr = host_getxattr,
	.setxattr = host_setxattr,
	.listxattr = host_listxattr,
	.removexattr = host_removexattr,
};

const struct inode_operations host_inode_ops = {
	.readlink = host_readlink,
	.getattr = host_getattr,
	.setattr = host_setattr,
	.open = host_open,
	.getxattr = host_getxattr,
	.setxattr = host_setxattr,
	.listxattr = host_listxattr,
	.removexattr = host_removexattr,
};

const struct file_operations host_directory_ops = {
	.iterate = host_iterate,
	.release = host_directory_release,
};
