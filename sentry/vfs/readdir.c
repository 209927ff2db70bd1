/* SPDX-License-Identifier: Apache-2.0 */
/* Reading directories: the locks, and the two entries that file systems leave to the VFS. */
#include "sentry/vfs/readdir.h"

#include "abi/dirent.h"
#include "abi/fcntl.h"
#include "abi/inotify.h"
#include "abi/stat.h"
#include "sentry/fs/fanotify/fanotify.h"
#include "sentry/vfs/dentry.h"

#include <errno.h>

static uint64_t parent_ino(struct file *file)
{
	struct dentry *parent = dentry_parent(file->path.dentry);
	uint64_t ino = dentry_inode(parent)->attributes.ino;

	dentry_put(parent);
	return ino;
}

/* False when the caller has no room. */
static bool emit_dots(struct file *file, struct dir_context *context)
{
	if (context->position == 0 &&
		!context->emit(context, ".", 1, 1, file->inode->attributes.ino, LINUX_DT_DIR))
		return false;
	return context->position != 1 ||
	       context->emit(context, "..", 2, 2, parent_ino(file), LINUX_DT_DIR);
}

static int iterate_locked(struct file *file, struct dir_context *context)
{
	int result = 0;

	if (file->inode->dead)
		return -ENOENT;
	context->position = file->position;
	if (context->position < 0)
		return -EINVAL;
	if (emit_dots(file, context))
		result = file->ops->iterate(file, context);
	file->position = context->position;
	return result;
}

int file_iterate(struct file *file, struct dir_context *context)
{
	int result;

	if (!inode_is_type(file->inode, LINUX_S_IFDIR) || !file->ops->iterate)
		return -ENOTDIR;
	if (fanotify_in_use()) {
		result = fanotify_ask(file, LINUX_FAN_ACCESS_PERM);
		if (result)
			return result;
	}
	mutex_lock(&file->inode->lock);
	mutex_lock(&file->lock);
	result = iterate_locked(file, context);
	mutex_unlock(&file->lock);
	mutex_unlock(&file->inode->lock);
	if (result >= 0) {
		file_accessed(file);
		notify_file(file, LINUX_IN_ACCESS);
	}
	return result;
}
