/* SPDX-License-Identifier: Apache-2.0 */
/* sendfile(2), copy_file_range(2). */
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "abi/uio.h"
#include "sentry/fs/pipe/pipe.h"
#include "sentry/kernel/task.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/vfs/file.h"

#include <errno.h>

/* A position that the guest keeps; *out is NULL when it keeps none. */
static int copy_position_in(struct task *task, gaddr_t address, const struct file *file,
	int64_t *position, int64_t **out)
{
	*out = NULL;
	if (!address)
		return 0;
	if (!(file->mode & FILE_SEEKABLE))
		return -ESPIPE;
	if (mm_copy_in(task->mm, position, address, sizeof(*position)))
		return -EFAULT;
	*out = position;
	return *position < 0 ? -EINVAL : 0;
}

static int64_t copy_position_out(
	struct task *task, gaddr_t address, const int64_t *position, int64_t result)
{
	if (position && mm_copy_out(task->mm, address, position, sizeof(*position)))
		return -EFAULT;
	return result;
}

int64_t sys_sendfile(struct task *task, const uint64_t args[6])
{
	auto_file struct file *out = fd_get(task->files, (int)args[0]);
	auto_file struct file *in = fd_get(task->files, (int)args[1]);
	int64_t position, *in_position, result;

	if (!in || !out || !(in->mode & FILE_READ) || !(out->mode & FILE_WRITE))
		return -EBADF;
	/* The source must have pages, unless the target is a pipe: then it is splice(2) by another
	 * name. */
	if (!inode_is_type(in->inode, LINUX_S_IFREG) && !(in->mode & FILE_SEEKABLE)) {
		if (args[2] && file_pipe(out))
			return -ESPIPE;
		if (!file_pipe(out) || file_pipe(in))
			return -EINVAL;
		return args[3] ? splice_to_pipe(
					 in, NULL, out, min_u64(args[3], LINUX_MAX_RW_COUNT), 0)
			       : 0;
	}
	if (inode_is_type(out->inode, LINUX_S_IFREG) && (out->flags & LINUX_O_APPEND))
		return -EINVAL;
	result = copy_position_in(task, args[2], in, &position, &in_position);
	if (result)
		return result;
	result = file_copy(in, in_position, out, NULL, min_u64(args[3], LINUX_MAX_RW_COUNT), 0);
	return copy_position_out(task, args[2], in_position, result);
}

static int check_copy_range(const struct file *in, const struct file *out)
{
	if (inode_is_type(in->inode, LINUX_S_IFDIR) || inode_is_type(out->inode, LINUX_S_IFDIR))
		return -EISDIR;
	if (!inode_is_type(in->inode, LINUX_S_IFREG) || !inode_is_type(out->inode, LINUX_S_IFREG))
		return -EINVAL;
	if (!(in->mode & FILE_READ) || !(out->mode & FILE_WRITE) || (out->flags & LINUX_O_APPEND))
		return -EBADF;
	return 0;
}

static bool ranges_overlap(int64_t a, int64_t b, uint64_t size)
{
	return a < b ? (uint64_t)(b - a) < size : (uint64_t)(a - b) < size;
}

int64_t sys_copy_file_range(struct task *task, const uint64_t args[6])
{
	auto_file struct file *in = fd_get(task->files, (int)args[0]);
	auto_file struct file *out = fd_get(task->files, (int)args[2]);
	int64_t in_value, out_value, *in_position, *out_position, result;
	uint64_t size = min_u64(args[4], LINUX_MAX_RW_COUNT);

	if (!in || !out)
		return -EBADF;
	result = copy_position_in(task, args[1], in, &in_value, &in_position);
	if (result == 0)
		result = copy_position_in(task, args[3], out, &out_value, &out_position);
	if (result)
		return result;
	if ((unsigned int)args[5])
		return -EINVAL;
	result = check_copy_range(in, out);
	if (result)
		return result;
	/* Within one file the ranges must not overlap, by the positions that will be used. */
	if (in->inode == out->inode && ranges_overlap(in_position ? in_value : in->position,
					       out_position ? out_value : out->position, size))
		return -EINVAL;
	result = file_copy(in, in_position, out, out_position, size, 0);
	result = copy_position_out(task, args[1], in_position, result);
	return copy_position_out(task, args[3], out_position, result);
}
