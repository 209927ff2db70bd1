/* SPDX-License-Identifier: Apache-2.0 */
/* From a path back to a string (getcwd(2), /proc/PID/fd, /proc/PID/maps). */
#include "sentry/vfs/path.h"

#include "sentry/vfs/dentry.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/file_new.h"
#include "sentry/vfs/mount.h"

#include <string.h>

#define DELETED " (deleted)"

/* Builds a string from its end. */
struct reverse {
	char *start, *at;
};

static bool prepend(struct reverse *out, const char *text, size_t length)
{
	if ((size_t)(out->at - out->start) < length)
		return false;
	out->at -= length;
	memcpy(out->at, text, length);
	return true;
}

enum top { TOP_ROOT, TOP_UNREACHABLE, TOP_NO_MEMORY };

/* Mount and tree locks are held. Climbs to root, or as far as it goes. */
static enum top climb(const struct path *path, const struct path *root, struct reverse *out)
{
	const struct dentry *dentry = path->dentry;
	const struct mount *mount = path->mount;

	for (;;) {
		if (root && dentry == root->dentry && mount == root->mount)
			return TOP_ROOT;
		if (mount && dentry == mount->root) {
			if (!mount->parent)
				return TOP_UNREACHABLE;
			dentry = mount->mountpoint;
			mount = mount->parent;
			continue;
		}
		if (!prepend(out, dentry->name, dentry->length) || !prepend(out, "/", 1))
			return TOP_NO_MEMORY;
		if (dentry->parent == dentry)
			return TOP_UNREACHABLE;
		dentry = dentry->parent;
	}
}

static char *build(
	const struct path *path, const struct path *root, struct reverse *out, enum top *top)
{
	char *end = out->at;

	mount_lock();
	dentry_tree_lock();
	*top = climb(path, root, out);
	dentry_tree_unlock();
	mount_unlock();
	if (*top == TOP_NO_MEMORY || (out->at == end && !prepend(out, "/", 1)))
		return NULL;
	return out->at;
}

char *path_name(const struct path *path, const struct path *root, char *buffer, size_t size)
{
	struct reverse out = {buffer, buffer + size};
	enum top top;

	if (!path->dentry || !prepend(&out, "", 1))
		return NULL;
	if (dentry_is_deleted(path->dentry) && !prepend(&out, DELETED, strlen(DELETED)))
		return NULL;
	return build(path, root, &out, &top);
}

char *path_name_plain(const struct path *path, const struct path *root, char *buffer, size_t size,
	bool *reachable)
{
	struct reverse out = {buffer, buffer + size};
	enum top top;
	char *name;

	if (!prepend(&out, "", 1))
		return NULL;
	name = build(path, root, &out, &top);
	*reachable = top == TOP_ROOT || !root;
	return name;
}

char *file_name(struct file *file, const struct path *root, char *buffer, size_t size)
{
	char name[64];
	size_t length;

	if (!file_pseudo_name(file, name, sizeof(name)))
		return path_name(&file->path, root, buffer, size);
	length = strlen(name) + 1;
	if (length > size)
		return NULL;
	return memcpy(buffer, name, length);
}
