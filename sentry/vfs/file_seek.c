/* SPDX-License-Identifier: Apache-2.0 */
/* lseek(2), and copies between files. */
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "abi/uio.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <stdlib.h>

#define COPY_SIZE (64u << 10)

static int64_t new_position(struct file *file, int64_t offset, int whence)
{
	int64_t size = (int64_t)file->inode->attributes.size, base;

	switch (whence) {
	case LINUX_SEEK_SET:
		base = 0;
		break;
	case LINUX_SEEK_CUR:
		base = file->position;
		break;
	case LINUX_SEEK_END:
		base = size;
		break;
	case LINUX_SEEK_DATA:
		/* Without a map of holes all of a file is data, with a hole at its end. */
		return offset < 0 || offset >= size ? -ENXIO : offset;
	case LINUX_SEEK_HOLE:
		return offset < 0 || offset >= size ? -ENXIO : size;
	default:
		return -EINVAL;
	}
	return __builtin_add_overflow(base, offset, &base) || base < 0 ? -EINVAL : base;
}

int64_t file_seek_nowhere(struct file *file, int64_t offset, int whence)
{
	return 0;
}

bool file_can_splice(const struct file *file)
{
	return file->ops->seek != file_seek_nowhere && !inode_is_type(file->inode, LINUX_S_IFDIR);
}

int64_t file_seek(struct file *file, int64_t offset, int whence)
{
	struct inode *inode = file->inode;
	int64_t result;

	if (!(file->mode & FILE_SEEKABLE) && file->ops->seek != file_seek_nowhere)
		return -ESPIPE;
	if (whence >= LINUX_SEEK_DATA && inode_is_type(inode, LINUX_S_IFDIR))
		return -EINVAL;
	/* Where offsets only grow, as in tmpfs, a directory has no end. */
	if (whence == LINUX_SEEK_END && inode->sb->inode_flags &&
		inode_is_type(inode, LINUX_S_IFDIR))
		return -EINVAL;
	if (whence >= LINUX_SEEK_END && inode->ops->getattr) {
		result = inode->ops->getattr(inode);
		if (result)
			return result;
	}
	mutex_guard(&file->lock);
	if (file->ops->seek)
		result = file->ops->seek(file, offset, whence);
	else
		result = new_position(file, offset, whence);
	if (result >= 0)
		file->position = result;
	return result;
}

/* One buffer's worth. What was read and could not be written is given back to a position, and is
 * lost from a stream. */
static int64_t copy_piece(struct file *in, int64_t *in_position, struct file *out,
	int64_t *out_position, char *buffer, size_t size, int rwf)
{
	struct iov_iter iter;
	int64_t got, put;

	iov_iter_init_kernel(&iter, buffer, size, true);
	got = file_read_flags(in, &iter, in_position, rwf);
	if (got <= 0)
		return got;
	iov_iter_init_kernel(&iter, buffer, (size_t)got, false);
	put = file_write_flags(out, &iter, out_position, rwf);
	if (put < got && (in->mode & FILE_SEEKABLE)) {
		int64_t unwritten = got - (put > 0 ? put : 0);

		if (in_position) {
			*in_position -= unwritten;
		} else {
			mutex_guard(&in->lock);
			in->position -= unwritten;
		}
	}
	return put;
}

int64_t file_copy(struct file *in, int64_t *in_position, struct file *out, int64_t *out_position,
	uint64_t count, int rwf)
{
	size_t size = (size_t)min_u64(count, COPY_SIZE);
	char *buffer = malloc(size ? size : 1);
	int64_t done = 0, result = 0;

	if (!buffer)
		return -ENOMEM;
	while (count > 0) {
		size_t piece = (size_t)min_u64(count, size);

		result = copy_piece(in, in_position, out, out_position, buffer, piece, rwf);
		if (result <= 0)
			break;
		done += result;
		count -= (uint64_t)result;
		if ((size_t)result < piece || (current && task_signal_pending(current)))
			break;
	}
	free(buffer);
	return done ? done : result;
}
