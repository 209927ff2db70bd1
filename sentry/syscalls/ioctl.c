/* SPDX-License-Identifier: Apache-2.0 */
/* ioctl(2): the requests that any file takes; all others are the file's own. */
#include "abi/ioctl.h"
#include "abi/fcntl.h"
#include "abi/capability.h"
#include "abi/stat.h"
#include "sentry/kernel/credentials.h"
#include "sentry/kernel/task.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/vfs/file.h"

#include <errno.h>

static int64_t set_flag(struct task *task, struct file *file, uint32_t flag, gaddr_t address)
{
	int32_t on;

	if (mm_copy_in(task->mm, &on, address, sizeof(on)))
		return -EFAULT;
	if (flag == LINUX_FASYNC)
		return file_set_async(file, on);
	if (file->ops->set_flags) {
		uint32_t flags = on ? file->flags | flag : file->flags & ~flag;
		int result = file->ops->set_flags(file, flags);

		if (result)
			return result;
	}
	if (on)
		file->flags |= flag;
	else
		file->flags &= ~flag;
	return 0;
}

static bool has_size(const struct inode *inode)
{
	return inode_is_type(inode, LINUX_S_IFREG) || inode_is_type(inode, LINUX_S_IFDIR) ||
	       inode_is_type(inode, LINUX_S_IFLNK);
}

static int64_t bytes_left(struct task *task, struct file *file, gaddr_t address)
{
	int64_t left;
	int32_t value;

	if (file->inode->ops->getattr) {
		int result = file->inode->ops->getattr(file->inode);

		if (result)
			return result;
	}
	mutex_lock(&file->lock);
	left = (int64_t)file->inode->attributes.size - file->position;
	mutex_unlock(&file->lock);
	value = (int32_t)left;
	return mm_copy_out(task->mm, address, &value, sizeof(value));
}

/* No file system here has blocks to tell of. */
static int64_t block_of(struct task *task, gaddr_t address)
{
	int32_t block;

	if (!cred_capable(task->cred, LINUX_CAP_SYS_RAWIO))
		return -EPERM;
	return mm_copy_in(task->mm, &block, address, sizeof(block)) ? -EFAULT : -EINVAL;
}

static int64_t file_request(
	struct task *task, struct file *file, uint32_t command, uint64_t argument)
{
	int64_t result =
		file->ops->ioctl ? file->ops->ioctl(file, task, command, argument) : -ENOTTY;

	if (result != -ENOTTY || !inode_is_type(file->inode, LINUX_S_IFREG))
		return result;
	switch (command) {
	case LINUX_FIONREAD:
		return bytes_left(task, file, argument);
	case LINUX_FIBMAP:
		return block_of(task, argument);
	default:
		return result;
	}
}

int64_t sys_ioctl(struct task *task, const uint64_t args[6])
{
	int fd = (int)args[0];
	uint32_t command = (uint32_t)args[1];
	auto_file struct file *file = fd_get(task->files, fd);
	int64_t size;
	int32_t block;

	if (!file)
		return -EBADF;
	switch (command) {
	case LINUX_FIOCLEX:
		return fd_set_flags(task->files, fd, LINUX_FD_CLOEXEC);
	case LINUX_FIONCLEX:
		return fd_set_flags(task->files, fd, 0);
	case LINUX_FIONBIO:
		return set_flag(task, file, LINUX_O_NONBLOCK, args[2]);
	case LINUX_FIOASYNC:
		return set_flag(task, file, LINUX_FASYNC, args[2]);
	case LINUX_FIOQSIZE:
		if (!has_size(file->inode))
			return -ENOTTY;
		size = (int64_t)file->inode->attributes.blocks * 512;
		return mm_copy_out(task->mm, args[2], &size, sizeof(size));
	case LINUX_FIGETBSZ:
		block = (int32_t)file->inode->attributes.blksize;
		return mm_copy_out(task->mm, args[2], &block, sizeof(block));
	case LINUX_FS_IOC_GETFLAGS:
	case LINUX_FS_IOC_SETFLAGS:
	case LINUX_FS_IOC_FSGETXATTR:
	case LINUX_FS_IOC_FSSETXATTR:
		size = file_flags_ioctl(task, file, command, args[2]);
		return size == -ENOTTY ? file_request(task, file, command, args[2]) : size;
	case LINUX_FICLONE:
	case LINUX_FICLONERANGE:
	case LINUX_FS_IOC_FIEMAP:
		return -EOPNOTSUPP;
	default:
		return file_request(task, file, command, args[2]);
	}
}
