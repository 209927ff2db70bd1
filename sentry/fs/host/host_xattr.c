/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes of host files: user. ones are passed on; the host's security. and trusted.
 * ones are not the guest's business and are not there.
 */
#include "sentry/fs/host/host_fs.h"

#include "abi/xattr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

static bool is_user(const char *name)
{
	return !strncmp(name, LINUX_XATTR_USER_PREFIX, strlen(LINUX_XATTR_USER_PREFIX));
}

static bool may_have_xattrs(struct host_node *node)
{
	return !node->walled && (inode_is_type(node->inode, LINUX_S_IFREG) ||
					inode_is_type(node->inode, LINUX_S_IFDIR));
}

/* Through node->read. */
static int acquire(struct host_node *node)
{
	return inode_is_type(node->inode, LINUX_S_IFDIR) ? host_directory_acquire(node)
							 : host_file_acquire(node, false, NULL);
}

static int64_t result_of(int64_t result)
{
	if (result >= 0)
		return result;
	/* A directory that can only be searched is open as O_PATH. */
	return errno == EBADF ? -EACCES : -errno;
}

/* For names that nobody has here. */
static int64_t absent(const char *name)
{
	return !strncmp(name, LINUX_XATTR_SYSTEM_PREFIX, strlen(LINUX_XATTR_SYSTEM_PREFIX))
		       ? -EOPNOTSUPP
		       : -ENODATA;
}

int64_t host_getxattr(struct inode *inode, const char *name, void *value, size_t size)
{
	struct host_node *node = host_node_of(inode);
	int64_t result;
	int fd;

	if (!is_user(name) || !may_have_xattrs(node))
		return absent(name);
	fd = acquire(node);
	if (fd < 0)
		return fd;
	result = result_of(fgetxattr(fd, name, value, size));
	host_handle_release(&node->read);
	return result;
}

int host_setxattr(struct inode *inode, const char *name, const void *value, size_t size, int flags)
{
	struct host_node *node = host_node_of(inode);
	int64_t result;
	int fd;

	if (node->fs->read_only)
		return -EROFS;
	if (!is_user(name) || !may_have_xattrs(node))
		return -EOPNOTSUPP;
	fd = acquire(node);
	if (fd < 0)
		return fd;
	result = result_of(fsetxattr(fd, name, value, size, flags));
	host_handle_release(&node->read);
	atomic_store(&node->dirty, true);
	return (int)result;
}

/* Keeps the names that guests may know. */
static size_t filter_names(char *list, size_t size)
{
	size_t kept = 0;

	for (size_t at = 0; at < size;) {
		size_t length = strnlen(list + at, size - at) + 1;

		if (length > size - at)
			break;
		if (is_user(list + at)) {
			memmove(list + kept, list + at, length);
			kept += length;
		}
		at += length;
	}
	return kept;
}

int64_t host_listxattr(struct inode *inode, char *list, size_t size)
{
	struct host_node *node = host_node_of(inode);
	char *names;
	int64_t result;
	int fd;

	if (!may_have_xattrs(node))
		return 0;
	fd = acquire(node);
	if (fd < 0)
		return fd;
	names = malloc(LINUX_XATTR_LIST_MAX);
	result = names ? result_of(flistxattr(fd, names, LINUX_XATTR_LIST_MAX)) : -ENOMEM;
	host_handle_release(&node->read);
	if (result > 0)
		result = (int64_t)filter_names(names, (size_t)result);
	if (result > 0 && size) {
		if ((uint64_t)result > size)
			result = -ERANGE;
		else
			memcpy(list, names, (size_t)result);
	}
	free(names);
	return result == -EOPNOTSUPP ? 0 : result;
}

int host_removexattr(struct inode *inode, const char *name)
{
	struct host_node *node = host_node_of(inode);
	int64_t result;
	int fd;

	if (node->fs->read_only)
		return -EROFS;
	if (!is_user(name) || !may_have_xattrs(node))
		return (int)absent(name);
	fd = acquire(node);
	if (fd < 0)
		return fd;
	result = result_of(fremovexattr(fd, name));
	host_handle_release(&node->read);
	atomic_store(&node->dirty, true);
	return (int)result;
}
