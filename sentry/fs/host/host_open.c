/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host descriptors for nodes: from the cache, or opened anew by walking down from the nearest
 * directory that is open, one component at a time, with O_NOFOLLOW. What is found must be the file
 * that the node stands for.
 */
#include "sentry/fs/host/host_fs.h"

#include "base/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* At any number. */
static int open_somewhere(int dirfd, const char *name, int flags, uint32_t mode)
{
	for (;;) {
		int fd = openat(dirfd, name, flags | O_CLOEXEC, mode);

		if (fd >= 0)
			return fd;
		if (errno == EINTR)
			continue;
		if ((errno != EMFILE && errno != ENFILE) || !host_handle_shrink())
			return errno == EMFILE ? -ENFILE : -errno;
	}
}

int host_openat(int dirfd, const char *name, int flags, uint32_t mode)
{
	int fd = open_somewhere(dirfd, name, flags, mode), settled;

	if (fd < 0)
		return fd;
	settled = descriptor_settle(fd, host_handle_shrink);
	if (settled < 0 && (flags & O_CREAT))
		(void)unlinkat(dirfd, name, 0);
	return settled;
}

/* A symlink or a file where a directory was: the name that we knew is gone. */
static int walk_error(int error)
{
	return error == -ENOTDIR || error == -ELOOP ? -ENOENT : error;
}

/*
 * The nearest directory above or at node that is open, acquired and with a reference, and the names
 * from there to node, slash between them, at the end of a buffer.
 */
static int nearest_open(
	struct host_node *node, char buffer[HOST_NAME_ROOM], struct host_node **above, char **names)
{
	struct host_fs *fs = node->fs;
	char *start = buffer + HOST_NAME_ROOM - 1;
	mutex_guard(&fs->lock);

	*start = '\0';
	while (host_handle_acquire(&node->read) < 0) {
		size_t length = node->name ? strlen(node->name) : 0;

		if (!node->parent)
			return -ESTALE;
		if ((size_t)(start - buffer) < length + 1)
			return -ENAMETOOLONG;
		if (*start)
			*--start = '/';
		start -= length;
		memcpy(start, node->name, length);
		node = node->parent;
	}
	inode_get(node->inode);
	*above = node;
	*names = start;
	return 0;
}

/* Walks names down from dirfd; the last one is opened to be used, or O_PATH if it cannot be read.
 */
static int open_down(int dirfd, char *names)
{
	const int path_flags = O_PATH | O_DIRECTORY | O_NOFOLLOW;
	int at = dirfd, next;
	char *name, *rest = names;

	while ((name = strsep(&rest, "/"))) {
		if (rest) {
			next = host_openat(at, name, path_flags, 0);
		} else {
			next = host_openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
			if (next == -EACCES)
				next = host_openat(at, name, path_flags, 0);
		}
		if (at != dirfd)
			(void)close(at);
		if (next < 0)
			return walk_error(next);
		at = next;
	}
	return at;
}

static bool is_identity(const struct host_node *node, const struct statx *stx)
{
	struct host_identity identity = host_identity_of(stx);

	return identity.device == node->identity.device && identity.ino == node->identity.ino;
}

static bool is_node(struct host_node *node, int fd)
{
	struct statx stx;

	return !host_statx(fd, "", &stx) && is_identity(node, &stx);
}

int host_directory_acquire(struct host_node *node)
{
	int fd = host_handle_acquire(&node->read);
	struct host_node *above;
	char *buffer, *names;
	int error;

	if (fd >= 0)
		return fd;
	buffer = malloc(HOST_NAME_ROOM);
	if (!buffer)
		return -ENOMEM;
	error = nearest_open(node, buffer, &above, &names);
	if (error) {
		free(buffer);
		return error;
	}
	if (above == node) {
		/* Another thread opened it meanwhile; the acquired use is ours. */
		fd = node->read.fd;
	} else {
		fd = open_down(above->read.fd, names);
		host_handle_release(&above->read);
		if (fd >= 0 && !node->fs->exclusive && !is_node(node, fd)) {
			(void)close(fd);
			fd = -ESTALE;
		}
		if (fd >= 0)
			fd = host_handle_install(&node->read, fd);
	}
	inode_put(above->inode);
	free(buffer);
	return fd;
}

int host_place_acquire(struct host_node *node, struct host_place *place)
{
	struct host_fs *fs = node->fs;

	mutex_lock(&fs->lock);
	place->parent = node->parent;
	if (place->parent) {
		inode_get(place->parent->inode);
		memcpy(place->name, node->name, strlen(node->name) + 1);
	}
	mutex_unlock(&fs->lock);
	if (!place->parent)
		return -ESTALE;
	place->fd = host_directory_acquire(place->parent);
	if (place->fd >= 0)
		return 0;
	inode_put(place->parent->inode);
	return place->fd;
}

void host_place_release(struct host_place *place)
{
	host_handle_release(&place->parent->read);
	inode_put(place->parent->inode);
}

/* The name leads nowhere, or to what is not a file that can be opened. */
static bool is_gone(int error)
{
	return error == -ENOENT || error == -ENOTDIR || error == -ENXIO || error == -ELOOP ||
	       error == -EISDIR || error == -ESTALE;
}

int host_open_node(struct host_node *node, int flags, struct statx *stx)
{
	bool trusts_names = node->fs->exclusive;

	for (;;) {
		struct host_place place;
		int fd = host_place_acquire(node, &place), error;

		if (fd)
			return fd;
		fd = host_openat(place.fd, place.name, flags | O_NOFOLLOW, 0);
		error = fd < 0 ? fd : host_statx(fd, "", stx);
		if (!error && !trusts_names && !is_identity(node, stx))
			error = -ESTALE;
		if (error && fd >= 0)
			(void)close(fd);
		if (is_gone(error) && !trusts_names)
			host_node_forget_name(node, place.parent, place.name);
		host_place_release(&place);
		if (!error)
			return fd;
		if (!is_gone(error) || trusts_names)
			return is_gone(error) && error != -ENOENT ? -ESTALE : error;
	}
}

int host_hold_acquire(struct host_node *node, struct host_hold *hold)
{
	struct statx stx;
	int fd;

	*hold = (struct host_hold){.handle = &node->read, .own = -1};
	fd = inode_is_type(node->inode, LINUX_S_IFDIR) ? host_directory_acquire(node)
						       : host_handle_acquire(&node->read);
	if (fd >= 0 || inode_is_type(node->inode, LINUX_S_IFDIR))
		return fd;
	hold->handle = &node->write;
	fd = host_handle_acquire(&node->write);
	if (fd >= 0)
		return fd;
	hold->handle = NULL;
	return hold->own = host_open_node(node, O_PATH, &stx);
}

void host_hold_release(struct host_hold *hold)
{
	if (hold->handle)
		host_handle_release(hold->handle);
	else
		(void)close(hold->own);
}

/* A file without a name is read through the descriptor by which it is written, if there is one. */
static int open_unnamed(struct host_node *node)
{
	int written = host_handle_acquire(&node->write), fd;

	if (written < 0)
		return -ESTALE;
	fd = fcntl(written, F_DUPFD_CLOEXEC, 0);
	host_handle_release(&node->write);
	return fd < 0 ? -ENFILE : descriptor_settle(fd, host_handle_shrink);
}

int host_file_acquire(struct host_node *node, bool write, struct statx *fresh)
{
	/* Never blocks: a FIFO that took the file's place is noticed afterwards. */
	const int flags = (write ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_NOCTTY;
	struct host_handle *handle = write ? &node->write : &node->read;
	struct statx stx;
	int fd = host_handle_acquire(handle), error = 0;

	if (fd >= 0) {
		if (fresh && host_statx(fd, "", fresh)) {
			host_handle_release(handle);
			return -EIO;
		}
		return fd;
	}
	if (node->walled)
		return -EACCES;
	fd = host_open_node(node, flags, &stx);
	if (fd == -ESTALE && !write) {
		fd = open_unnamed(node);
		error = fd < 0 ? 0 : host_statx(fd, "", &stx);
	}
	if (fd < 0)
		return fd;
	if (!error && !S_ISREG(stx.stx_mode))
		error = -ESTALE;
	if (!error && !is_identity(node, &stx)) {
		if (fresh && host_fs_is_stable(node->fs))
			host_node_adopt(node, host_identity_of(&stx));
		else
			error = -ESTALE;
	}
	if (error) {
		(void)close(fd);
		return error;
	}
	if (fresh)
		*fresh = stx;
	return host_handle_install(handle, fd);
}
