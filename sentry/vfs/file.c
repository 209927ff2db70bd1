/* SPDX-License-Identifier: Apache-2.0 */
/* Open files: made and gone. How they are read and written: file_io.c; opened by name: open.c. */
#include "sentry/vfs/file.h"

#include "abi/fcntl.h"
#include "abi/inotify.h"
#include "abi/stat.h"
#include "sentry/fs/anon/epoll.h"
#include "sentry/kernel/credentials.h"
#include "sentry/kernel/pid.h"
#include "sentry/lock_order.h"
#include "sentry/security/landlock/landlock.h"
#include "sentry/vfs/dentry.h"
#include "sentry/vfs/file_lock.h"
#include "sentry/vfs/file_new.h"
#include "sentry/vfs/mount.h"
#include "sentry/vfs/permission.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* fs.file-max of a machine with some memory; past it open(2) is -ENFILE. */
#define FILES_MAX (1u << 20)

REFCOUNT_TYPE(file_refs, "file");
static atomic_uint file_count;

int file_allocate(unsigned int mode, uint32_t flags, const struct cred *cred, struct file **out)
{
	struct file *file;

	if (atomic_fetch_add(&file_count, 1) >= FILES_MAX) {
		atomic_fetch_sub(&file_count, 1);
		return -ENFILE;
	}
	file = calloc(1, sizeof(*file));
	if (!file) {
		atomic_fetch_sub(&file_count, 1);
		return -ENOMEM;
	}
	refcount_init(&file->refs, &file_refs);
	mutex_init(&file->lock, RANK_FILE, "file");
	LIST_INIT(&file->epoll_items);
	file->mode = mode;
	file->flags = flags;
	file->cred = cred ? cred_get(cred) : NULL;
	*out = file;
	return 0;
}

static void file_free(struct file *file)
{
	path_put(&file->path);
	if (file->inode)
		inode_put(file->inode);
	if (file->cred)
		cred_put(file->cred);
	/* An open that failed never got as far as file_put(). */
	if (refcount_read(&file->refs))
		(void)!refcount_put(&file->refs);
	mutex_destroy(&file->lock);
	free(file);
	atomic_fetch_sub(&file_count, 1);
}

static bool writes_to_mount(const struct file *file)
{
	return (file->mode & FILE_WRITE) && inode_is_type(file->inode, LINUX_S_IFREG);
}

void file_abandon(struct file *file)
{
	if (refcount_put(&file->refs))
		file_free(file);
}

static bool reads_alone(const struct file *file)
{
	return (file->mode & (FILE_READ | FILE_WRITE)) == FILE_READ;
}

int file_hold_write_access(struct file *file)
{
	int result;

	if (reads_alone(file))
		atomic_fetch_add(&file->inode->readers, 1);
	if (!writes_to_mount(file))
		return 0;
	result = mount_want_write(file->path.mount);
	if (result == 0)
		result = inode_get_write_access(file->inode);
	if (result == 0)
		atomic_fetch_add(&file->path.mount->writers, 1);
	return result;
}

void file_drop_write_access(struct file *file)
{
	if (reads_alone(file))
		atomic_fetch_sub(&file->inode->readers, 1);
	if (!writes_to_mount(file))
		return;
	atomic_fetch_sub(&file->path.mount->writers, 1);
	inode_put_write_access(file->inode);
}

/* A dentry of its own for an inode that no tree has: memfd. */
static int give_name(struct file *file, const char *name)
{
	int result =
		dentry_new_root(file->inode->sb, inode_get(file->inode), name, &file->path.dentry);

	return result;
}

int file_new_anonymous(struct inode *inode, const struct file_operations *ops, unsigned int mode,
	uint32_t flags, void *private, const char *name, struct file **out)
{
	struct mount *mount = mount_nowhere();
	struct file *file;
	int result = mount ? file_allocate(mode, flags, vfs_cred(), &file) : -ENOMEM;

	if (result) {
		inode_put(inode);
		return result;
	}
	file->inode = inode;
	file->path.mount = mount_get(mount);
	if (inode_is_pseudo(inode))
		file->name = name;
	else
		result = give_name(file, name ? name : "anonymous");
	if (result == 0)
		result = file_hold_write_access(file);
	if (result) {
		file_abandon(file);
		return result;
	}
	file->ops = ops;
	file->private = private;
	*out = file;
	return 0;
}

struct file *file_get(struct file *file)
{
	refcount_get(&file->refs);
	return file;
}

static void notify_close(struct file *file)
{
	uint32_t event = file->mode & FILE_WRITE ? LINUX_IN_CLOSE_WRITE : LINUX_IN_CLOSE_NOWRITE;

	if (!(file->mode & FILE_PATH))
		notify_file(file, event);
}

/* What was removed while it was open is gone now. */
static void notify_last_close(struct inode *inode)
{
	bool gone = inode->attributes.nlink == 0 || inode->dead;

	if (unlikely(gone) && !inode_is_open(inode))
		notify_inode_gone(inode);
}

void file_put(struct file *file)
{
	if (likely(!refcount_put(&file->refs)))
		return;
	if (unlikely(file->watched))
		epoll_file_released(file);
	notify_close(file);
	if (unlikely(atomic_load(&file->lock_count)))
		file_lock_release_file(file);
	if (unlikely(file->async))
		file_async_free(file);
	if (file->ops && file->ops->release)
		file->ops->release(file);
	file_drop_write_access(file);
	notify_last_close(file->inode);
	if (file->owner.pid)
		pid_put(file->owner.pid);
	pid_put(file->owner.setter);
	landlock_domain_put(file->owner.landlock);
	file_free(file);
}

int file_path(struct file *file, struct path *out)
{
	char name[64];

	mutex_lock(&file->lock);
	if (!file->path.dentry) {
		int result;

		if (!file_pseudo_name(file, name, sizeof(name)))
			name[0] = '\0';
		result = give_name(file, name);
		if (result) {
			mutex_unlock(&file->lock);
			return result;
		}
	}
	*out = file->path;
	path_get(out);
	mutex_unlock(&file->lock);
	return 0;
}
