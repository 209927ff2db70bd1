/* SPDX-License-Identifier: Apache-2.0 */
/* What the writable layer holds, as a list of changes to the lower tree or to a baseline. */
#include "sentry/fs/overlay/overlay_node.h"

#include "abi/limits.h"
#include "abi/stat.h"
#include "sentry/fs/host/host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct changes {
	struct overlay_fs *fs;
	int (*callback)(void *argument, const struct overlay_difference *difference);
	void *argument;
	char path[LINUX_PATH_MAX];
};

static int walk(struct changes *changes, struct overlay_node *directory, size_t length, bool whole);

/* The inode that the lower tree alone has under a name, with a reference; NULL if the name differs
 * or is not there. */
static struct inode *unchanged_child(struct overlay_node *directory, const char *name)
{
	struct inode *lower, *inode;

	if (overlay_name_find(directory, name))
		return NULL;
	lower = overlay_lower_child(directory, name);
	if (!lower || overlay_inode_get(directory->inode->sb, lower, &inode))
		return NULL;
	return inode;
}

/* Room for one more name; false if the path would be too long: such are left out. */
static bool path_push(struct changes *changes, size_t *length, const char *name)
{
	size_t size = strlen(name);

	if (*length + 1 + size >= sizeof(changes->path))
		return false;
	changes->path[*length] = '/';
	memcpy(changes->path + *length + 1, name, size + 1);
	*length += 1 + size;
	return true;
}

/* --- what is new --- */

static const struct overlay_before nothing_before;

/* name: what it leads to now; NULL for what came along with its directory. */
static int tell_added(struct changes *changes, struct inode *inode, const struct overlay_name *name,
	size_t length)
{
	struct overlay_difference difference = {
		.path = changes->path,
		.change = OVERLAY_ADDED,
		.inode = inode,
		.before = name ? &name->before : &nothing_before,
		.opaque =
			name && (name->covers || name->kept) && inode_is_type(inode, LINUX_S_IFDIR),
	};
	int result = changes->callback(changes->argument, &difference);

	if (result || !inode_is_type(inode, LINUX_S_IFDIR))
		return result;
	return walk(changes, overlay_node_of(inode), length, true);
}

static bool changed_since_baseline(const struct overlay_node *node)
{
	const struct linux_timespec *now = &node->inode->attributes.ctime;

	return !node->in_base || atomic_load(&node->written_by_mapping) ||
	       now->tv_sec != node->base_ctime.tv_sec || now->tv_nsec != node->base_ctime.tv_nsec;
}

static int tell_modified(struct changes *changes, struct overlay_node *node)
{
	struct overlay_difference difference = {
		.path = changes->path,
		.change = OVERLAY_MODIFIED,
		.inode = node->inode,
		.before = &node->before,
	};

	return changed_since_baseline(node) ? changes->callback(changes->argument, &difference) : 0;
}

/* A name that the baseline has. */
static int tell_base_name(struct changes *changes, struct overlay_name *name, size_t length)
{
	struct overlay_node *node = name->inode ? overlay_node_of(name->inode) : NULL;
	int result = node ? tell_modified(changes, node) : 0;

	if (result || !node || !inode_is_type(name->inode, LINUX_S_IFDIR))
		return result;
	return walk(changes, node, length, false);
}

static int tell_name(struct changes *changes, struct overlay_node *directory,
	struct overlay_name *name, size_t length, bool whole)
{
	struct overlay_difference gone = {
		.path = changes->path,
		.change = OVERLAY_DELETED,
		.before = &name->before,
	};

	if (!path_push(changes, &length, name->text))
		return 0;
	if (whole)
		return name->inode ? tell_added(changes, name->inode, NULL, length) : 0;
	/* Made and taken away again since. */
	if (!name->inode && name->base_absent)
		return 0;
	if (name->cookie <= directory->base_cookie)
		return tell_base_name(changes, name, length);
	return name->inode ? tell_added(changes, name->inode, name, length)
			   : changes->callback(changes->argument, &gone);
}

/* --- what a directory that was moved brings along --- */

static int walk_unchanged(struct changes *changes, struct overlay_node *directory, size_t length)
{
	char *names;
	size_t size;
	int result = overlay_unchanged_names(directory, &names, &size);

	if (result)
		return result;
	for (size_t at = 0; !result && at < size; at += strlen(names + at) + 1) {
		struct inode *child = unchanged_child(directory, names + at);
		size_t end = length;

		if (!child)
			continue;
		if (path_push(changes, &end, names + at))
			result = tell_added(changes, child, NULL, end);
		inode_put(child);
	}
	free(names);
	return result;
}

/* The directory whose path is the first length bytes; whole: all of it is new. The path's own
 * length bounds the recursion. */
static int walk(struct changes *changes, struct overlay_node *directory, size_t length, bool whole)
{
	int64_t cookie = INT64_MAX;
	struct overlay_name *name;
	int result = 0;

	while (!result && (name = overlay_name_at_or_below(directory, cookie))) {
		cookie = name->cookie - 1;
		result = tell_name(changes, directory, name, length, whole);
	}
	if (!result && whole)
		result = walk_unchanged(changes, directory, length);
	return result;
}

/* --- what is where it was --- */

/* The overlay's inode over a lower directory, with a reference; NULL: nothing differs there. */
static struct overlay_node *changed_over(struct overlay_fs *fs, struct inode *lower)
{
	struct inode *inode;

	if (overlay_inode_get(fs->root->inode->sb, inode_get(lower), &inode))
		return NULL;
	return overlay_node_of(inode);
}

/*
 * Does the path still lead to the node, through names that nobody changed? The host is not asked
 * again: what it did meanwhile is not to be taken for what the sandbox did.
 */
static bool is_in_place(const struct changes *changes, const struct overlay_node *node)
{
	struct inode *at = inode_get(node->lower), *parent;
	uninitialized_ char path[LINUX_PATH_MAX];
	bool in_place = true;

	strcpy(path, changes->path);
	while (in_place && (parent = host_inode_parent(at))) {
		char *slash = strrchr(path, '/');
		struct overlay_node *above = changed_over(changes->fs, parent);

		in_place = slash && above && !overlay_name_find(above, slash + 1);
		if (slash)
			*slash = '\0';
		if (above)
			inode_put(above->inode);
		inode_put(at);
		at = parent;
	}
	in_place &= at == changes->fs->root->lower;
	inode_put(at);
	return in_place;
}

static int tell_pinned(struct changes *changes, struct overlay_node *node)
{
	int result = host_inode_name(node->lower, changes->path, sizeof(changes->path));

	if (result || !is_in_place(changes, node))
		return 0;
	result = tell_modified(changes, node);
	if (result || !inode_is_type(node->inode, LINUX_S_IFDIR))
		return result;
	return walk(changes, node, strlen(changes->path), false);
}

int overlay_changes(struct super_block *sb,
	int (*callback)(void *argument, const struct overlay_difference *difference),
	void *argument)
{
	struct changes changes = {.fs = overlay_of(sb), .callback = callback, .argument = argument};
	struct overlay_node *node, *root = changes.fs->root;
	int result = walk(&changes, root, 0, false);

	if (!result && root->changed) {
		strcpy(changes.path, "/");
		result = tell_modified(&changes, root);
	}
	LIST_FOREACH (node, &changes.fs->pinned, pinned_link) {
		if (result)
			break;
		result = tell_pinned(&changes, node);
	}
	return result;
}

/* --- the baseline --- */

static void set_baseline(struct overlay_node *node)
{
	int64_t cookie = INT64_MAX;
	struct overlay_name *name;

	node->in_base = true;
	node->base_ctime = node->inode->attributes.ctime;
	node->base_cookie = node->last_cookie;
	atomic_store(&node->written_by_mapping, false);
	while ((name = overlay_name_at_or_below(node, cookie))) {
		cookie = name->cookie - 1;
		name->kept = name->inode != NULL;
		name->base_absent = !name->inode;
		if (name->inode)
			set_baseline(overlay_node_of(name->inode));
	}
}

void overlay_set_baseline(struct super_block *sb)
{
	struct overlay_fs *fs = overlay_of(sb);
	struct overlay_node *node;

	set_baseline(fs->root);
	LIST_FOREACH (node, &fs->pinned, pinned_link)
		set_baseline(node);
}
