/* SPDX-License-Identifier: Apache-2.0 */
/* ioctl(2): the requests that any file takes; all others are the file's own. */
#include "abi/ioctl.h"
#include "abi/fcntl.h"
#include "abi/file_attr.h"
#include "abi/statfs.h"
#include "abi/capability.h"
#include "abi/stat.h"
#include "sentry/kernel/credentials.h"
#include "sentry/kernel/task.h"
#include "sentry/security/landlock/landlock.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/truncate.h"

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

/* What came from XFS before there was fallocate(2). */
static int64_t reserve(struct task *task, struct file *file, int mode, gaddr_t address)
{
	struct linux_space_resv space;
	int64_t start;

	if (mm_copy_in(task->mm, &space, address, sizeof(space)))
		return -EFAULT;
	start = space.l_start;
	if (space.l_whence == LINUX_SEEK_CUR)
		(void)__builtin_add_overflow(start, file->position, &start);
	else if (space.l_whence == LINUX_SEEK_END)
		(void)__builtin_add_overflow(start, (int64_t)file->inode->attributes.size, &start);
	else if (space.l_whence != LINUX_SEEK_SET)
		return -EINVAL;
	return file_fallocate(file, mode | LINUX_FALLOC_FL_KEEP_SIZE, start, space.l_len);
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
	case LINUX_FS_IOC_RESVSP:
	case LINUX_FS_IOC_RESVSP64:
		return reserve(task, file, 0, argument);
	case LINUX_FS_IOC_UNRESVSP:
	case LINUX_FS_IOC_UNRESVSP64:
		return reserve(task, file, LINUX_FALLOC_FL_PUNCH_HOLE, argument);
	case LINUX_FS_IOC_ZERO_RANGE:
		return reserve(task, file, LINUX_FALLOC_FL_ZERO_RANGE, argument);
	case LINUX_FIBMAP:
		return block_of(task, argument);
	default:
		return result;
	}
}

/* No file system here shares blocks between files: what remains is to say what is wrong besides. */
static int64_t clone_from(struct task *task, struct file *to, int64_t fd)
{
	auto_file struct file *from = fd_get(task->files, (int)fd);
	int result;

	if (!from)
		return -EBADF;
	if (from->inode->sb != to->inode->sb)
		return -EXDEV;
	result = file_check_copy(from, to);
	return result ? result : -EOPNOTSUPP;
}

static int64_t clone_range(struct task *task, struct file *to, gaddr_t address)
{
	struct linux_file_clone_range range;

	if (mm_copy_in(task->mm, &range, address, sizeof(range)))
		return -EFAULT;
	return clone_from(task, to, range.src_fd);
}

static int64_t deduplicate(struct task *task, struct file *file, gaddr_t address)
{
	struct linux_file_dedupe_range range;

	if (mm_copy_in(task->mm, &range, address, sizeof(range)))
		return -EFAULT;
	if (range.dest_count > (PAGE_SIZE - sizeof(range)) / LINUX_FILE_DEDUPE_INFO_SIZE)
		return -ENOMEM;
	if (!(file->mode & FILE_READ) || range.reserved1 || range.reserved2 ||
		range.src_offset + range.src_length < range.src_offset)
		return -EINVAL;
	if (inode_is_type(file->inode, LINUX_S_IFDIR))
		return -EISDIR;
	return inode_is_type(file->inode, LINUX_S_IFREG) ? -EOPNOTSUPP : -EINVAL;
}

/* Nothing here can be frozen, so nothing is. */
static int64_t freeze(struct task *task, struct file *file, bool begin)
{
	if (!cred_capable_in(task->cred, file->inode->sb->user_ns, LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	return begin ? -EOPNOTSUPP : -EINVAL;
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
	size = landlock_check_ioctl(file, command);
	if (size)
		return size;
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
		/* Linux's has no blocks of its own. */
		if (file->inode->sb->magic == LINUX_OVERLAYFS_SUPER_MAGIC)
			return -EINVAL;
		return mm_copy_out(task->mm, args[2], &block, sizeof(block));
	case LINUX_FS_IOC_GETFLAGS:
	case LINUX_FS_IOC_SETFLAGS:
	case LINUX_FS_IOC_FSGETXATTR:
	case LINUX_FS_IOC_FSSETXATTR:
		size = file_flags_ioctl(task, file, command, args[2]);
		return size == -ENOTTY ? file_request(task, file, command, args[2]) : size;
	case LINUX_FICLONE:
		return clone_from(task, file, (int64_t)args[2]);
	case LINUX_FICLONERANGE:
		return clone_range(task, file, args[2]);
	case LINUX_FIDEDUPERANGE:
		return deduplicate(task, file, args[2]);
	case LINUX_FIFREEZE:
	case LINUX_FITHAW:
		return freeze(task, file, command == LINUX_FIFREEZE);
	case LINUX_FS_IOC_FIEMAP:
		return -EOPNOTSUPP;
	default:
		return file_request(task, file, command, args[2]);
	}
}
