/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inherited regular files. The file that the guest starts with shares its position with the caller,
 * as after a fork; what is opened through /proc/self/fd has its own.
 */
#include "sentry/fs/host/host_fs.h"
#include "sentry/fs/host/host_stdio.h"

#include "abi/fcntl.h"
#include "sentry/kernel/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

/* Is this the caller's position, kept by the host? */
static bool is_shared_position(const struct file *file, const int64_t *position)
{
	return file->private && position == &file->position;
}

static ssize_t move_bytes(
	int fd, const struct mm_pin *pin, bool write, bool shared, int64_t position)
{
	if (shared)
		return write ? writev(fd, pin->iov, pin->count) : readv(fd, pin->iov, pin->count);
	return write ? pwritev(fd, pin->iov, pin->count, position)
		     : preadv(fd, pin->iov, pin->count, position);
}

static int64_t transfer(struct file *file, struct iov_iter *iter, int64_t *position, bool write)
{
	bool shared = is_shared_position(file, position);
	int64_t total = 0;

	while (iov_iter_count(iter)) {
		size_t wanted = iov_iter_count(iter), size = wanted;
		struct mm_pin pin;
		int64_t pinned;
		ssize_t moved;
		int error;

		if (write && !(size = limits_output_take(size)))
			return total ? total : -EIO;
		pinned = iov_iter_pin(iter, size, &pin);
		if (pinned < 0) {
			if (write)
				limits_output_done(wanted, size, 0);
			return total ? total : pinned;
		}
		moved = move_bytes(host_stdio_of(file)->fd, &pin, write, shared, *position);
		error = errno;
		mm_unpin(&pin);
		if (write)
			limits_output_done(wanted, size, moved > 0 ? (size_t)moved : 0);
		if (moved < 0 && error == EINTR)
			continue;
		if (moved < 0)
			return total ? total : (error == EAGAIN ? -EIO : -error);
		iov_iter_advance(iter, (size_t)moved);
		*position += moved;
		total += moved;
		if (moved < pinned)
			break;
	}
	return total;
}

static int64_t regular_read(struct file *file, struct iov_iter *to, int64_t *position)
{
	return transfer(file, to, position, false);
}

static int64_t regular_write(struct file *file, struct iov_iter *from, int64_t *position)
{
	int64_t result = transfer(file, from, position, true);
	struct statx stx;

	if (result > 0 && !host_statx(host_stdio_of(file)->fd, "", &stx))
		__atomic_store_n(&file->inode->attributes.size, stx.stx_size, __ATOMIC_RELAXED);
	return result;
}

static int64_t regular_seek(struct file *file, int64_t offset, int whence)
{
	int fd = host_stdio_of(file)->fd;
	int64_t base = 0;

	if (whence < LINUX_SEEK_SET || whence > LINUX_SEEK_MAX)
		return -EINVAL;
	/* The host's numbers for whence are Linux's. */
	if (file->private || whence == LINUX_SEEK_DATA || whence == LINUX_SEEK_HOLE) {
		offset = lseek(fd, offset, whence);
		return offset < 0 ? -errno : offset;
	}
	if (whence == LINUX_SEEK_CUR)
		base = file->position;
	else if (whence == LINUX_SEEK_END)
		base = (int64_t)file->inode->attributes.size;
	if (__builtin_add_overflow(base, offset, &offset))
		return -EOVERFLOW;
	return offset < 0 ? -EINVAL : offset;
}

static int stdio_translate(struct mappable *mappable, uint64_t offset, uint64_t length, bool write,
	struct mapping_extent *extent)
{
	struct host_stdio *stdio = container_of(mappable, struct host_stdio, mappable);
	struct statx stx;
	int error = host_statx(stdio->fd, "", &stx);
	uint64_t size = error ? 0 : page_ceil(stx.stx_size);

	if (error)
		return error;
	if (offset >= size)
		return -ERANGE;
	*extent = (struct mapping_extent){
		.host_fd = stdio->fd,
		.host_offset = offset,
		.length = min_u64(length, size - offset),
		.writable = (fcntl(stdio->fd, F_GETFL) & O_ACCMODE) == O_RDWR,
	};
	return 0;
}

const struct mappable_operations host_stdio_mappable_ops = {
	.translate = stdio_translate,
};

static int regular_mmap(struct file *file, bool shared, int protection, int *max_protection,
	struct mappable **out, bool *anonymous)
{
	*out = &host_stdio_of(file)->mappable;
	return 0;
}

static int regular_fsync(struct file *file, bool data_only)
{
	int fd = host_stdio_of(file)->fd;

	return (data_only ? fdatasync(fd) : fsync(fd)) ? -errno : 0;
}

/* What a file is made longer by is output, too. */
static bool grows_within_limit(int fd, uint64_t size)
{
	struct statx stx;
	uint64_t growth, taken;

	if (host_statx(fd, "", &stx) || size <= stx.stx_size)
		return true;
	growth = size - stx.stx_size;
	taken = limits_output_take(growth);
	if (taken)
		limits_output_done(growth, taken, taken);
	return taken == growth;
}

static int regular_fallocate(struct file *file, int mode, int64_t offset, int64_t length)
{
	if (mode & ~(LINUX_FALLOC_FL_KEEP_SIZE | LINUX_FALLOC_FL_PUNCH_HOLE))
		return -EOPNOTSUPP;
	if (!(mode & LINUX_FALLOC_FL_PUNCH_HOLE) &&
		!grows_within_limit(host_stdio_of(file)->fd, (uint64_t)(offset + length)))
		return -EIO;
	return fallocate(host_stdio_of(file)->fd, mode, offset, length) ? -errno : 0;
}

static void show(struct inode *inode, const struct statx *stx)
{
	struct host_stdio *stdio = inode->private;
	struct host_fs ids = {.host_ids = stdio->host_ids,
		.devices = {host_identity_of(stx).device}};
	struct inode_attributes now;

	host_attributes_from(&ids, stx, &now);
	now.mode = (inode->attributes.mode & LINUX_S_IFMT) | (now.mode & LINUX_S_IALLUGO);
	inode->attributes = now;
}

int host_stdio_getattr(struct inode *inode)
{
	struct host_stdio *stdio = inode->private;
	struct statx stx;
	int error;

	if (stdio->fd < 0)
		return 0;
	error = host_statx(stdio->fd, "", &stx);
	if (error)
		return error;
	mutex_guard(&inode->lock);
	show(inode, &stx);
	return 0;
}

/* Only the size is the guest's to change; the rest of the caller's file is not. */
int host_stdio_setattr(
	struct inode *inode, const struct inode_attributes *attributes, unsigned int mask)
{
	struct host_stdio *stdio = inode->private;
	struct statx stx;
	int error;

	if (!(mask & ATTRIBUTE_SIZE) || stdio->fd < 0)
		return -EPERM;
	if (!grows_within_limit(stdio->fd, attributes->size))
		return -EIO;
	if (ftruncate(stdio->fd, (off_t)attributes->size))
		return -errno;
	mappable_invalidate(&stdio->mappable, page_ceil(attributes->size),
		INT64_MAX - page_ceil(attributes->size), true);
	error = host_statx(stdio->fd, "", &stx);
	if (!error)
		show(inode, &stx);
	return error;
}

const struct file_operations host_stdio_regular_ops = {
	.read = regular_read,
	.write = regular_write,
	.seek = regular_seek,
	.mmap = regular_mmap,
	.fsync = regular_fsync,
	.fallocate = regular_fallocate,
};
