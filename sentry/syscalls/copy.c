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
static int copy_position_in(struct task *task, gaddr_t address, int64_t *position, int64_t **out)
{
	*out = NULL;
	if (!address)
		return 0;
	if (mm_copy_in(task->mm, position, address, sizeof(*position)))
		return -EFAULT;
	*out = position;
	return 0;
}

/* Linux's rw_verify_area(): the end of the range is an offset too. */
static bool range_is_valid(int64_t position, uint64_t size)
{
	int64_t end;

	return position >= 0 && size <= INT64_MAX &&
	       !__builtin_add_overflow(position, (int64_t)size, &end);
}

static int64_t copy_position_out(
	struct task *task, gaddr_t address, const int64_t *position, int64_t result)
{
	if (position && mm_copy_out(task->mm, address, position, sizeof(*position)))
		return -EFAULT;
	return result;
}

/* The source must have pages, unless the target is a pipe: then it is splice(2) by another name. */
static int64_t sendfile_to(struct file *in, int64_t *position, struct file *out, uint64_t size)
{
	if (!file_pipe(out) && (out->flags & LINUX_O_APPEND))
		return -EINVAL;
	if (!file_can_splice(in) || !file_can_splice(out))
		return -EINVAL;
	if (inode_is_type(in->inode, LINUX_S_IFREG) || (in->mode & FILE_SEEKABLE))
		return file_copy(in, position, out, NULL, size, 0);
	if (!file_pipe(out) || file_pipe(in))
		return -EINVAL;
	return size ? splice_to_pipe(in, NULL, out, size, 0) : 0;
}

int64_t sys_sendfile(struct task *task, const uint64_t args[6])
{
	auto_file struct file *out = fd_get(task->files, (int)args[0]);
	auto_file struct file *in = fd_get(task->files, (int)args[1]);
	int64_t position, *in_position, result;

	result = copy_position_in(task, args[2], &position, &in_position);
	if (result)
		return result;
	if (!in || !(in->mode & FILE_READ))
		return -EBADF;
	if (in_position && !(in->mode & FILE_SEEKABLE))
		return -ESPIPE;
	if (!range_is_valid(in_position ? position : in->position, args[3]))
		return -EINVAL;
	if (!out || !(out->mode & FILE_WRITE))
		return -EBADF;
	if (!file_pipe(out) && !range_is_valid(out->position, args[3]))
		return -EINVAL;
	result = sendfile_to(in, in_position, out, min_u64(args[3], LINUX_MAX_RW_COUNT));
	return copy_position_out(task, args[2], in_position, result);
}

int file_check_copy(const struct file *in, const struct file *out)
{
	if (inode_is_type(in->inode, LINUX_S_IFDIR) || inode_is_type(out->inode, LINUX_S_IFDIR))
		return -EISDIR;
	if (!inode_is_type(in->inode, LINUX_S_IFREG) || !inode_is_type(out->inode, LINUX_S_IFREG))
		return -EINVAL;
	if (!(in->mode & FILE_READ) || !(out->mode & FILE_WRITE) || (out->flags & LINUX_O_APPEND))
		return -EBADF;
	if (inode_is_immutable(out->inode))
		return -EPERM;
	return 0;
}

static bool ranges_overlap(int64_t a, int64_t b, uint64_t size)
{
	return a < b ? (uint64_t)(b - a) < size : (uint64_t)(a - b) < size;
}

/* Checks both ranges, by the positions that will be used, and cuts *size to the end of the source.
 */
static int check_ranges(struct file *in, int64_t from, struct file *out, int64_t to, uint64_t *size)
{
	int64_t end;
	int result = in->inode->ops->getattr ? in->inode->ops->getattr(in->inode) : 0;

	if (result)
		return result;
	if ((uint64_t)from + *size < (uint64_t)from || (uint64_t)to + *size < (uint64_t)to)
		return -EOVERFLOW;
	end = (int64_t)in->inode->attributes.size;
	*size = from < end ? min_u64(*size, (uint64_t)(end - from)) : 0;
	if (*size && to == INT64_MAX)
		return -EFBIG;
	if (in->inode == out->inode && ranges_overlap(from, to, *size))
		return -EINVAL;
	return range_is_valid(from, *size) && range_is_valid(to, *size) ? 0 : -EINVAL;
}

int64_t sys_copy_file_range(struct task *task, const uint64_t args[6])
{
	auto_file struct file *in = fd_get(task->files, (int)args[0]);
	auto_file struct file *out = fd_get(task->files, (int)args[2]);
	int64_t in_value, out_value, *in_position, *out_position, result;
	uint64_t size = args[4];

	if (!in || !out)
		return -EBADF;
	result = copy_position_in(task, args[1], &in_value, &in_position);
	if (result == 0)
		result = copy_position_in(task, args[3], &out_value, &out_position);
	if (result)
		return result;
	if ((unsigned int)args[5])
		return -EINVAL;
	result = file_check_copy(in, out);
	if (result == 0 && in->inode->sb != out->inode->sb)
		result = -EXDEV;
	if (result == 0)
		result = check_ranges(in, in_position ? in_value : in->position, out,
			out_position ? out_value : out->position, &size);
	if (result)
		return result;
	result =
		file_copy(in, in_position, out, out_position, min_u64(size, LINUX_MAX_RW_COUNT), 0);
	result = copy_position_out(task, args[1], in_position, result);
	return copy_position_out(task, args[3], out_position, result);
}
