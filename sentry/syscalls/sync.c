/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes and space of files, and writing them back: truncate(2), fallocate(2), fadvise64(2),
 * readahead(2), fsync(2), sync(2). */
#include "abi/fcntl.h"
#include "abi/statfs.h"
#include "abi/limits.h"
#include "abi/mman.h"
#include "abi/stat.h"
#include "sentry/kernel/credentials.h"
#include "sentry/kernel/task.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/vfs/lease.h"
#include "sentry/vfs/mount.h"
#include "sentry/vfs/open.h"
#include "sentry/vfs/permission.h"
#include "sentry/vfs/super_block.h"
#include "sentry/vfs/truncate.h"

#include <errno.h>

int64_t sys_ftruncate(struct task *task, const uint64_t args[6])
{
	auto_file struct file *file = NULL;
	struct path path;
	int64_t size = (int64_t)args[1];

	if (size < 0)
		return -EINVAL;
	file = fd_get(task->files, (int)args[0]);
	if (!file)
		return -EBADF;
	if (!inode_is_type(file->inode, LINUX_S_IFREG) || !(file->mode & FILE_WRITE))
		return -EINVAL;
	path = file->path;
	return path_truncate(&path, file, (uint64_t)size, false);
}

static int truncate_path(const struct path *path, uint64_t size)
{
	struct inode *inode = path_inode(path);
	int result;

	if (inode_is_type(inode, LINUX_S_IFDIR))
		return -EISDIR;
	if (!inode_is_type(inode, LINUX_S_IFREG))
		return -EINVAL;
	result = mount_want_write(path->mount);
	if (result == 0)
		result = inode_permission(inode, vfs_cred(), MAY_WRITE);
	if (result == 0)
		result = inode_get_write_access(inode);
	if (result)
		return result;
	result = lease_break(inode, true, false);
	if (result == 0)
		result = path_truncate(path, NULL, size, false);
	inode_put_write_access(inode);
	return result;
}

int64_t sys_truncate(struct task *task, const uint64_t args[6])
{
	int64_t size = (int64_t)args[1];
	uninitialized_ char name[LINUX_PATH_MAX];
	struct path path;
	int result;

	if (size < 0)
		return -EINVAL;
	result = path_copy_in(task, args[0], name);
	if (result == 0)
		result = path_lookup(LINUX_AT_FDCWD, name, WALK_FOLLOW, &path);
	if (result)
		return result;
	result = truncate_path(&path, (uint64_t)size);
	path_put(&path);
	return result;
}

int64_t sys_fallocate(struct task *task, const uint64_t args[6])
{
	auto_file struct file *file = fd_get(task->files, (int)args[0]);

	if (!file)
		return -EBADF;
	return file_fallocate(file, (int)args[1], (int64_t)args[2], (int64_t)args[3]);
}

/* Advice is taken note of by nobody, but has to make sense. */
int64_t sys_fadvise64(struct task *task, const uint64_t args[6])
{
	auto_file struct file *file = fd_get(task->files, (int)args[0]);
	int advice = (int)args[3];

	if (!file)
		return -EBADF;
	if (inode_is_type(file->inode, LINUX_S_IFIFO))
		return -ESPIPE;
	if ((int64_t)args[2] < 0 || advice < 0 || advice > LINUX_POSIX_FADV_NOREUSE)
		return -EINVAL;
	return 0;
}

int64_t sys_readahead(struct task *task, const uint64_t args[6])
{
	auto_file struct file *file = fd_get(task->files, (int)args[0]);

	if (!file || !(file->mode & FILE_READ))
		return -EBADF;
	if (!inode_is_type(file->inode, LINUX_S_IFREG) || (int64_t)args[2] < 0)
		return -EINVAL;
	return 0;
}

/* Pages of a range that hold data: all of those are "cached" here. */
static int64_t count_pages(struct file *file, uint64_t from, uint64_t to)
{
	uint64_t pages = 0;

	while (from < to) {
		int64_t data = (int64_t)from, hole = (int64_t)to;

		if (file->ops->seek) {
			data = file->ops->seek(file, (int64_t)from, LINUX_SEEK_DATA);
			if (data < 0 || (uint64_t)data >= to)
				break;
			hole = file->ops->seek(file, data, LINUX_SEEK_HOLE);
			if (hole < 0 || task_signal_pending(current))
				break;
		}
		hole = (int64_t)min_u64((uint64_t)hole, to);
		pages += ((uint64_t)hole + LINUX_PAGE_SIZE - 1) / LINUX_PAGE_SIZE -
			 (uint64_t)data / LINUX_PAGE_SIZE;
		from = (uint64_t)hole;
	}
	return (int64_t)pages;
}

static int64_t cached_pages(struct file *file, const struct linux_cachestat_range *range)
{
	struct inode *inode = file->inode;
	uint64_t size, end = range->off + range->len;

	if (!inode_is_type(inode, LINUX_S_IFREG))
		return 0;
	if (inode->ops->getattr) {
		int error = inode->ops->getattr(inode);

		if (error)
			return error;
	}
	size = inode->attributes.size;
	if (range->len == 0 || end < range->off || end > size)
		end = size;
	mutex_guard(&file->lock);
	return count_pages(file, range->off, end);
}

int64_t sys_cachestat(struct task *task, const uint64_t args[6])
{
	auto_file struct file *file = fd_get(task->files, (int)args[0]);
	struct linux_cachestat_range range;
	struct linux_cachestat out = {0};
	int64_t pages;

	if (!file)
		return -EBADF;
	if (!(file->mode & FILE_WRITE) && !inode_owner_or_capable(file->inode, task->cred) &&
		inode_permission(file->inode, task->cred, MAY_WRITE))
		return -EPERM;
	if (mm_copy_in(task->mm, &range, args[1], sizeof(range)))
		return -EFAULT;
	if ((unsigned int)args[3])
		return -EINVAL;
	pages = cached_pages(file, &range);
	if (pages < 0)
		return pages;
	out.nr_cache = (uint64_t)pages;
	return mm_copy_out(task->mm, args[2], &out, sizeof(out));
}

static int64_t sync_file(struct task *task, int fd, bool data_only)
{
	auto_file struct file *file = fd_get(task->files, fd);

	if (!file)
		return -EBADF;
	if (file->ops->fsync)
		return file->ops->fsync(file, data_only);
	if (file->inode->sb->magic == LINUX_PROC_SUPER_MAGIC)
		return -EINVAL;
	return inode_is_type(file->inode, LINUX_S_IFREG) ||
			       inode_is_type(file->inode, LINUX_S_IFDIR)
		       ? 0
		       : -EINVAL;
}

int64_t sys_fsync(struct task *task, const uint64_t args[6])
{
	return sync_file(task, (int)args[0], false);
}

int64_t sys_fdatasync(struct task *task, const uint64_t args[6])
{
	return sync_file(task, (int)args[0], true);
}

/* sync(2) reports no errors. */
int64_t sys_sync(struct task *task, const uint64_t args[6])
{
	(void)super_block_sync_all();
	return 0;
}

int64_t sys_syncfs(struct task *task, const uint64_t args[6])
{
	auto_file struct file *file = fd_get(task->files, (int)args[0]);
	struct super_block *sb;

	if (!file)
		return -EBADF;
	sb = file->inode->sb;
	return sb->ops->sync ? sb->ops->sync(sb) : 0;
}

int64_t sys_sync_file_range(struct task *task, const uint64_t args[6])
{
	auto_file struct file *file = fd_get(task->files, (int)args[0]);
	int64_t offset = (int64_t)args[1], size = (int64_t)args[2];
	unsigned int flags = (unsigned int)args[3];

	if (!file)
		return -EBADF;
	if ((flags & ~7u) || offset < 0 || size < 0 || offset > INT64_MAX - size)
		return -EINVAL;
	switch (file->inode->attributes.mode & LINUX_S_IFMT) {
	case LINUX_S_IFREG:
	case LINUX_S_IFBLK:
	case LINUX_S_IFDIR:
	case LINUX_S_IFLNK:
		break;
	default:
		return -ESPIPE;
	}
	return flags && file->ops->fsync ? file->ops->fsync(file, true) : 0;
}
