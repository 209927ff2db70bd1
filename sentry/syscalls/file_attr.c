/* SPDX-License-Identifier: Apache-2.0 */
/* The flags of chattr(1): file_getattr(2) and file_setattr(2) (Linux 6.17), and the ioctls that
 * came before them. */
#include "abi/fcntl.h"
#include "abi/ioctl.h"
#include "abi/limits.h"
#include "sentry/kernel/task.h"
#include "sentry/syscalls/struct_in.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/inode_flags.h"

#include <errno.h>

static int64_t get_flags(struct task *task, struct file *file, gaddr_t address)
{
	uint32_t flags;
	int result = inode_get_flags(file->inode, &flags);

	return result ? result : mm_copy_out(task->mm, address, &flags, sizeof(flags));
}

static int64_t set_flags(struct task *task, struct file *file, gaddr_t address)
{
	auto_path struct path path = {0};
	uint32_t flags;
	int result;

	if (mm_copy_in(task->mm, &flags, address, sizeof(flags)))
		return -EFAULT;
	result = file_path(file, &path);
	return result ? result : path_set_flags(&path, flags);
}

static int64_t get_fsxattr(struct task *task, struct file *file, gaddr_t address)
{
	struct linux_file_attr attr;
	struct linux_fsxattr fsx;
	int result = inode_get_file_attr(file->inode, &attr);

	fsx = (struct linux_fsxattr){.fsx_xflags = (uint32_t)attr.fa_xflags};
	return result ? result : mm_copy_out(task->mm, address, &fsx, sizeof(fsx));
}

static int64_t set_fsxattr(struct task *task, struct file *file, gaddr_t address)
{
	auto_path struct path path = {0};
	struct linux_file_attr attr;
	struct linux_fsxattr fsx;
	int result;

	if (mm_copy_in(task->mm, &fsx, address, sizeof(fsx)))
		return -EFAULT;
	if (!file_attr_is_known(fsx.fsx_xflags))
		return -EOPNOTSUPP;
	attr = (struct linux_file_attr){
		.fa_xflags = fsx.fsx_xflags,
		.fa_extsize = fsx.fsx_extsize,
		.fa_projid = fsx.fsx_projid,
		.fa_cowextsize = fsx.fsx_cowextsize,
	};
	result = file_path(file, &path);
	return result ? result : path_set_file_attr(&path, &attr);
}

int64_t file_flags_ioctl(struct task *task, struct file *file, uint32_t command, gaddr_t address)
{
	switch (command) {
	case LINUX_FS_IOC_GETFLAGS:
		return get_flags(task, file, address);
	case LINUX_FS_IOC_SETFLAGS:
		return set_flags(task, file, address);
	case LINUX_FS_IOC_FSGETXATTR:
		return get_fsxattr(task, file, address);
	default:
		return set_fsxattr(task, file, address);
	}
}

/* Where a name leads, or with AT_EMPTY_PATH and no name a descriptor. */
static int find(struct task *task, int dirfd, gaddr_t address, int flags, struct path *out)
{
	uninitialized_ char name[LINUX_PATH_MAX];
	int result = 0;

	name[0] = '\0';
	if (address || !(flags & LINUX_AT_EMPTY_PATH))
		result = path_copy_in(task, address, name);
	if (result)
		return result;
	if (!*name && (flags & LINUX_AT_EMPTY_PATH) && dirfd >= 0) {
		auto_file struct file *file = fd_get(task->files, dirfd);

		return file ? file_path(file, out) : -EBADF;
	}
	return path_lookup(dirfd, name,
		(flags & LINUX_AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
			(flags & LINUX_AT_EMPTY_PATH ? WALK_EMPTY : 0),
		out);
}

static int check_arguments(uint64_t size, int flags)
{
	if (flags & ~(LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_EMPTY_PATH))
		return -EINVAL;
	if (size > LINUX_PAGE_SIZE)
		return -E2BIG;
	return size < LINUX_FILE_ATTR_SIZE_VER0 ? -EINVAL : 0;
}

/* What the caller's structure has beyond ours is cleared. */
static int attr_out(
	struct task *task, gaddr_t address, uint64_t size, const struct linux_file_attr *attr)
{
	uint8_t whole[LINUX_PAGE_SIZE] = {0};

	memcpy(whole, attr, sizeof(*attr));
	return mm_copy_out(task->mm, address, whole, (size_t)size);
}

int64_t sys_file_getattr(struct task *task, const uint64_t args[6])
{
	struct linux_file_attr attr;
	struct path path;
	int flags = (int)args[4], result = check_arguments(args[3], flags);

	if (result == 0)
		result = find(task, (int)args[0], args[1], flags, &path);
	if (result)
		return result;
	result = inode_get_file_attr(path_inode(&path), &attr);
	path_put(&path);
	if (result)
		return result == -ENOTTY ? -EOPNOTSUPP : result;
	return attr_out(task, args[2], args[3], &attr);
}

int64_t sys_file_setattr(struct task *task, const uint64_t args[6])
{
	struct linux_file_attr attr;
	struct path path;
	int flags = (int)args[4], result = check_arguments(args[3], flags);

	if (result == 0)
		result = struct_in(
			task, &attr, sizeof(attr), args[2], args[3], LINUX_FILE_ATTR_SIZE_VER0);
	if (result == 0 && !file_attr_is_known(attr.fa_xflags))
		result = -EINVAL;
	if (result == 0)
		result = find(task, (int)args[0], args[1], flags, &path);
	if (result)
		return result;
	result = path_set_file_attr(&path, &attr);
	path_put(&path);
	return result == -ENOTTY ? -EOPNOTSUPP : result;
}
