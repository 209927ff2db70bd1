/* SPDX-License-Identifier: Apache-2.0 */
/* What the writable layer holds, as a list of changes to the lower tree. */
#include "sentry/fs/overlay/overlay_node.h"

#include "abi/limits.h"
#include "abi/stat.h"
#include "sentry/fs/host/host.h"

#include <errno.h>
#include <string.h>

struct changes {
	struct overlay_fs *fs;
	int (*callback)(
		void *argument, const char *path, enum overlay_change change, struct inode *inode);
	void *argument;
	char path[LINUX_PATH_MAX];
};

static int walk_names(struct changes *changes, struct overlay_node *directory, size_t length);

/* One name of the directory whose path is the first length bytes. Paths that are too long are left
 * out. */
static int tell_name(struct changes *changes, const struct overlay_name *name, size_t length)
{
	size_t size = strlen(name->text);
	int result;

	if (length + 1 + size >= sizeof(changes->path))
		return 0;
	changes->path[length] = '/';
	memcpy(changes->path + length + 1, name->text, size + 1);
	result = changes->callback(changes->argument, changes->path,
		name->inode ? OVERLAY_ADDED : OVERLAY_DELETED, name->inode);
	if (result || !name->inode || !inode_is_type(name->inode, LINUX_S_IFDIR))
		return result;
	return walk_names(changes, overlay_node_of(name->inode), length + 1 + size);
}

/* The path's own length bounds the recursion. */
static int walk_names(struct changes *changes, struct overlay_node *directory, size_t length)
{
	int64_t cookie = INT64_MAX;
	struct overlay_name *name;
	int result = 0;

	while (!result && (name = overlay_name_at_or_below(directory, cookie))) {
		cookie = name->cookie - 1;
		result = tell_name(changes, name, length);
	}
	return result;
}

/* The inode that the lower tree alone has under a name, with a reference; NULL if the name differs
 * or is not there. */
static struct inode *unchanged_child(struct overlay_node *directory, const char *name)
{
	struct inode *lower, *inode;
	int error;

	if (!directory->lower || overlay_name_find(directory, name))
		return NULL;
	mutex_lock(&directory->lower->lock);
	error = directory->lower->ops->lookup(directory->lower, name, &lower);
	mutex_unlock(&directory->lower->lock);
	if (error || overlay_inode_get(directory->inode->sb, lower, &inode))
		return NULL;
	return inode;
}

/* Does the path still lead to the node, through names that nobody changed? */
static bool is_in_place(const struct changes *changes, const struct overlay_node *node)
{
	struct inode *at = inode_get(changes->fs->root->inode), *next;
	const char *rest = changes->path + 1;
	char name[LINUX_NAME_MAX + 1];
	bool found;

	while (at && *rest) {
		size_t length = strcspn(rest, "/");

		memcpy(name, rest, length);
		name[length] = '\0';
		rest += rest[length] ? length + 1 : length;
		next = unchanged_child(overlay_node_of(at), name);
		inode_put(at);
		at = next;
	}
	found = at == node->inode;
	if (at)
		inode_put(at);
	return found;
}

static int tell_pinned(struct changes *changes, struct overlay_node *node)
{
	int result = host_inode_name(node->lower, changes->path, sizeof(changes->path));

	if (result || !is_in_place(changes, node))
		return 0;
	result = changes->callback(changes->argument, changes->path, OVERLAY_MODIFIED, node->inode);
	if (result || !inode_is_type(node->inode, LINUX_S_IFDIR))
		return result;
	return walk_names(changes, node, strlen(changes->path));
}

int overlay_changes(struct super_block *sb,
	int (*callback)(
		void *argument, const char *path, enum overlay_change change, struct inode *inode),
	void *argument)
{
	struct changes changes = {.fs = overlay_of(sb), .callback = callback, .argument = argument};
	struct overlay_node *node;
	int result = walk_names(&changes, changes.fs->root, 0);

	if (!result && changes.fs->root->changed)
		result = callback(argument, "/", OVERLAY_MODIFIED, changes.fs->root->inode);
	LIST_FOREACH (node, &changes.fs->pinned, pinned_link) {
		if (result)
			break;
		result = tell_pinned(&changes, node);
	}
	return result;
}
