/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular files of the overlay: each open file stands before one of the inode that holds the
 * contents. One that was opened for reading before the file was copied up goes over to the copy.
 */
#include "sentry/fs/overlay/overlay_node.h"

#include "abi/fcntl.h"
#include "abi/stat.h"
#include "sentry/mm/iov_iter.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <stdlib.h>

/* file->private */
struct overlay_file {
	struct overlay_real *first;	   /* set once: as it was opened */
	struct inode *first_inode;	   /* what first is open on; not a reference of its own */
	struct overlay_real *_Atomic copy; /* on upper, once the file was copied up under way */
};

static int copy_up_for_open(struct inode *inode, const struct file *file)
{
	mutex_guard(&inode->lock);
	return overlay_copy_up(inode, file->flags & LINUX_O_TRUNC ? 0 : UINT64_MAX);
}

static void overlay_release(struct file *file)
{
	struct overlay_file *opened = file->private;

	overlay_real_close(opened->first);
	overlay_real_close(opened->copy);
	free(opened);
}

int overlay_open(struct inode *inode, struct file *file)
{
	struct overlay_node *node = overlay_node_of(inode);
	struct overlay_file *opened;
	int error;

	if (!inode_is_type(inode, LINUX_S_IFREG))
		return -ENXIO;
	if ((file->mode & FILE_WRITE) && !atomic_load(&node->data_in_upper)) {
		error = copy_up_for_open(inode, file);
		if (error)
			return error;
	}
	opened = calloc(1, sizeof(*opened));
	if (!opened)
		return -ENOMEM;
	opened->first_inode = overlay_data_inode(node);
	error = overlay_real_open(opened->first_inode, file->mode, file->flags, &opened->first);
	if (error) {
		free(opened);
		return error;
	}
	file->mode |= overlay_real_file(opened->first)->mode & FILE_NO_WAIT;
	file->private = opened;
	/* The host's file may be found changed at its open. */
	if (opened->first_inode == node->lower)
		error = overlay_getattr(inode);
	if (error)
		overlay_release(file);
	return error;
}

static int open_copy(struct overlay_file *opened, struct inode *upper, struct file *file)
{
	struct overlay_real *copy, *none = NULL;
	int error = overlay_real_open(upper, file->mode, file->flags, &copy);

	if (error)
		return error;
	if (!atomic_compare_exchange_strong(&opened->copy, &none, copy))
		overlay_real_close(copy);
	return 0;
}

/* The file to work on: the first one, unless the contents have moved since. */
static int current_file(struct file *file, struct file **out)
{
	struct overlay_file *opened = file->private;
	struct inode *inode = overlay_data_inode(overlay_node_of(file->inode));
	int error;

	if (likely(inode == opened->first_inode)) {
		*out = overlay_real_file(opened->first);
		return 0;
	}
	if (!atomic_load(&opened->copy)) {
		error = open_copy(opened, inode, file);
		if (error)
			return error;
	}
	*out = overlay_real_file(opened->copy);
	return 0;
}

static int64_t overlay_read(struct file *file, struct iov_iter *to, int64_t *position)
{
	struct file *real;
	int error = current_file(file, &real);

	return error ? error : real->ops->read(real, to, position);
}

static int64_t overlay_write(struct file *file, struct iov_iter *from, int64_t *position)
{
	struct file *real;
	int error = current_file(file, &real);
	int64_t result;

	if (error)
		return error;
	result = real->ops->write(real, from, position);
	overlay_sync_size(file->inode);
	return result;
}

static int overlay_fallocate(struct file *file, int mode, int64_t offset, int64_t length)
{
	struct file *real;
	int error = current_file(file, &real);

	if (!error)
		error = real->ops->fallocate ? real->ops->fallocate(real, mode, offset, length)
					     : -EOPNOTSUPP;
	overlay_sync_size(file->inode);
	return error;
}

static int64_t overlay_seek(struct file *file, int64_t offset, int whence)
{
	struct file *real;
	int64_t base = 0;
	int error;

	switch (whence) {
	case LINUX_SEEK_SET:
		break;
	case LINUX_SEEK_CUR:
		base = file->position;
		break;
	case LINUX_SEEK_END:
		base = (int64_t)__atomic_load_n(&file->inode->attributes.size, __ATOMIC_RELAXED);
		break;
	case LINUX_SEEK_DATA:
	case LINUX_SEEK_HOLE:
		error = current_file(file, &real);
		return error ? error : real->ops->seek(real, offset, whence);
	default:
		return -EINVAL;
	}
	if (__builtin_add_overflow(base, offset, &offset))
		return -EINVAL;
	return offset < 0 ? -EINVAL : offset;
}

static int overlay_mmap(struct file *file, bool shared, int protection, int *max_protection,
	struct mappable **out, bool *anonymous)
{
	struct file *real;
	int error = current_file(file, &real);

	if (error)
		return error;
	if (shared && file->mode & FILE_WRITE)
		atomic_store(&overlay_node_of(file->inode)->written_by_mapping, true);
	return real->ops->mmap(real, shared, protection, max_protection, out, anonymous);
}

static int overlay_fsync(struct file *file, bool data_only)
{
	struct file *real;
	int error = current_file(file, &real);

	if (error || !real->ops->fsync)
		return error;
	return real->ops->fsync(real, data_only);
}

const struct file_operations overlay_file_ops = {
	.read = overlay_read,
	.write = overlay_write,
	.seek = overlay_seek,
	.mmap = overlay_mmap,
	.fsync = overlay_fsync,
	.fallocate = overlay_fallocate,
	.release = overlay_release,
};
