/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extended attributes of tmpfs inodes: user., trusted. and security., kept in memory. The VFS has
 * checked who may. Unlike Linux's, their size is bounded by inode and not by the mount.
 */
#include "abi/xattr.h"
#include "sentry/fs/tmpfs/tmpfs_node.h"
#include "sentry/mm/memory_file.h"
#include "sentry/mm/memory_held.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Names and values of one inode together. */
#define XATTRS_SIZE_MAX (2 * LINUX_XATTR_SIZE_MAX)

struct tmpfs_xattr {
	LIST_ENTRY(tmpfs_xattr) link;
	size_t name_size; /* with its NUL */
	size_t value_size;
	char bytes[]; /* name, then value */
};

static bool name_is_supported(const char *name)
{
	static const char *const prefixes[] = {
		LINUX_XATTR_USER_PREFIX, LINUX_XATTR_TRUSTED_PREFIX, LINUX_XATTR_SECURITY_PREFIX};

	for (size_t i = 0; i < array_count(prefixes); i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

static struct tmpfs_xattr *xattr_find(struct tmpfs_node *node, const char *name)
{
	struct tmpfs_xattr *xattr;

	LIST_FOREACH (xattr, &node->xattrs, link)
		if (!strcmp(xattr->bytes, name))
			return xattr;
	return NULL;
}

static size_t xattr_size(const struct tmpfs_xattr *xattr)
{
	return xattr->name_size + xattr->value_size;
}

static void xattr_remove(struct tmpfs_node *node, struct tmpfs_xattr *xattr)
{
	LIST_REMOVE(xattr, link);
	node->xattr_size -= xattr_size(xattr);
	free(xattr);
}

int64_t tmpfs_getxattr(struct inode *inode, const char *name, void *value, size_t size)
{
	struct tmpfs_node *node = tmpfs_node_of(inode);
	struct tmpfs_xattr *xattr;

	if (!name_is_supported(name))
		return -EOPNOTSUPP;
	mutex_guard(&inode->lock);
	xattr = xattr_find(node, name);
	if (!xattr)
		return -ENODATA;
	if (!size)
		return (int64_t)xattr->value_size;
	if (size < xattr->value_size)
		return -ERANGE;
	memcpy(value, xattr->bytes + xattr->name_size, xattr->value_size);
	return (int64_t)xattr->value_size;
}

static int set_locked(
	struct tmpfs_node *node, const char *name, const void *value, size_t size, int flags)
{
	struct tmpfs_xattr *old = xattr_find(node, name), *xattr;
	size_t name_size = strlen(name) + 1;

	if (old && (flags & LINUX_XATTR_CREATE))
		return -EEXIST;
	if (!old && (flags & LINUX_XATTR_REPLACE))
		return -ENODATA;
	if (size > LINUX_XATTR_SIZE_MAX ||
		node->xattr_size - (old ? xattr_size(old) : 0) + name_size + size > XATTRS_SIZE_MAX)
		return -ENOSPC;
	/* It is the sentry's own memory, which stays when the process goes. */
	if (!memory_file_has_room(name_size + size))
		return -ENOSPC;
	xattr = malloc(sizeof(*xattr) + name_size + size);
	if (!xattr)
		return -ENOMEM;
	memory_held_note(name_size + size);
	xattr->name_size = name_size;
	xattr->value_size = size;
	memcpy(xattr->bytes, name, name_size);
	if (size)
		memcpy(xattr->bytes + name_size, value, size);
	if (old)
		xattr_remove(node, old);
	LIST_INSERT_HEAD(&node->xattrs, xattr, link);
	node->xattr_size += name_size + size;
	return 0;
}

int tmpfs_setxattr(struct inode *inode, const char *name, const void *value, size_t size, int flags)
{
	int error;

	if (!name_is_supported(name))
		return -EOPNOTSUPP;
	mutex_guard(&inode->lock);
	error = set_locked(tmpfs_node_of(inode), name, value, size, flags);
	if (!error)
		touch_ctime(inode);
	return error;
}

int tmpfs_fill_xattr(struct inode *inode, const char *name, const void *value, size_t size)
{
	if (!name_is_supported(name))
		return 0;
	return set_locked(tmpfs_node_of(inode), name, value, size, 0);
}

int64_t tmpfs_listxattr(struct inode *inode, char *list, size_t size)
{
	struct tmpfs_node *node = tmpfs_node_of(inode);
	struct tmpfs_xattr *xattr;
	size_t used = 0;
	mutex_guard(&inode->lock);

	LIST_FOREACH (xattr, &node->xattrs, link) {
		if (size && xattr->name_size > size - used)
			return -ERANGE;
		if (size)
			memcpy(list + used, xattr->bytes, xattr->name_size);
		used += xattr->name_size;
	}
	return (int64_t)used;
}

int tmpfs_removexattr(struct inode *inode, const char *name)
{
	struct tmpfs_node *node = tmpfs_node_of(inode);
	struct tmpfs_xattr *xattr;

	if (!name_is_supported(name))
		return -EOPNOTSUPP;
	mutex_guard(&inode->lock);
	xattr = xattr_find(node, name);
	if (!xattr)
		return -ENODATA;
	xattr_remove(node, xattr);
	touch_ctime(inode);
	return 0;
}

void tmpfs_xattrs_free(struct tmpfs_node *node)
{
	struct tmpfs_xattr *xattr;

	while ((xattr = LIST_FIRST(&node->xattrs)))
		xattr_remove(node, xattr);
}
