/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular files of the host: data moves between the host and the guest's own pages with no buffer
 * in between, and mappings are of the host's file itself.
 *
 * An open file of a stable tree (read-only, nobody else's) borrows a descriptor for each operation,
 * so that guests may have more files open than the sentry has descriptors; other files keep theirs,
 * since their names may go away.
 */
#include "sentry/fs/host/host_fs.h"

#include "abi/fcntl.h"
#include "sentry/mm/iov_iter.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#define FORWARD_FALLOCATE                                                                          \
	(LINUX_FALLOC_FL_KEEP_SIZE | LINUX_FALLOC_FL_PUNCH_HOLE | LINUX_FALLOC_FL_ZERO_RANGE)

/* file->private of a regular file. */
struct host_open {
	bool write;  /* uses node->write; set once, as the next */
	bool pinned; /* has the handle acquired */
	bool mapped; /* mappable.lock: counted in mapping_files */
};

static struct host_handle *handle_of(struct host_node *node, bool write)
{
	return write ? &node->write : &node->read;
}

/* A read-only tree's file shows what it is at each open. */
static void refresh_at_open(struct inode *inode, const struct statx *stx)
{
	const struct inode_attributes *own = &inode->attributes;

	if (own->size == stx->stx_size && own->mtime.tv_sec == stx->stx_mtime.tv_sec &&
		own->mtime.tv_nsec == stx->stx_mtime.tv_nsec)
		return;
	mutex_guard(&inode->lock);
	host_attributes_update(inode, stx);
}

int host_open(struct inode *inode, struct file *file)
{
	struct host_node *node = host_node_of(inode);
	struct host_open *open;
	struct statx stx;
	bool write = file->mode & FILE_WRITE;
	int fd;

	if (!inode_is_type(inode, LINUX_S_IFREG))
		return -ENXIO;
	if (write && node->fs->read_only)
		return -EROFS;
	open = calloc(1, sizeof(*open));
	if (!open)
		return -ENOMEM;
	fd = host_file_acquire(node, write, &stx);
	if (fd < 0) {
		free(open);
		return fd;
	}
	refresh_at_open(inode, &stx);
	open->write = write;
	open->pinned = !host_fs_is_stable(node->fs);
	if (!open->pinned)
		host_handle_release(handle_of(node, write));
	file->private = open;
	file->mode |= FILE_NO_WAIT;
	return 0;
}

/* For the time of one operation. */
static int borrow_fd(struct file *file)
{
	struct host_node *node = host_node_of(file->inode);
	const struct host_open *open = file->private;

	if (open->pinned)
		return handle_of(node, open->write)->fd;
	return host_file_acquire(node, open->write, NULL);
}

static void return_fd(struct file *file)
{
	const struct host_open *open = file->private;

	if (!open->pinned)
		host_handle_release(handle_of(host_node_of(file->inode), open->write));
}

/* Drops what mappings of the node's files had acquired, when the last of those files goes.
 * mappable.lock held. */
static void end_mapping(struct host_node *node)
{
	if (--node->mapping_files)
		return;
	if (node->mapped_read)
		host_handle_release(&node->read);
	if (node->mapped_write)
		host_handle_release(&node->write);
	node->mapped_read = node->mapped_write = false;
}

static void host_release(struct file *file)
{
	struct host_node *node = host_node_of(file->inode);
	struct host_open *open = file->private;

	mutex_lock(&node->mappable.lock);
	if (open->mapped)
		end_mapping(node);
	mutex_unlock(&node->mappable.lock);
	if (open->pinned)
		host_handle_release(handle_of(node, open->write));
	free(open);
}

static int64_t transfer_error(int error)
{
	/* The host is never asked not to wait; and its limits on file size are not the guest's. */
	return error == EAGAIN || error == EBADF ? -EIO : -error;
}

/*
 * Bytes moved, or an error. At the end of a file that shrank, the same as at any end. count_limit
 * keeps a huge buffer from being pinned for a small file.
 */
static int64_t transfer(
	int fd, struct iov_iter *iter, int64_t *position, uint64_t count_limit, int flags)
{
	int64_t total = 0;

	while (iov_iter_count(iter)) {
		size_t wanted = min_u64(iov_iter_count(iter), count_limit);
		struct mm_pin pin;
		int64_t pinned = iov_iter_pin(iter, wanted, &pin);
		ssize_t moved;
		int error;

		if (pinned < 0)
			return total ? total : pinned;
		moved = iter->write ? preadv(fd, pin.iov, pin.count, *position)
				    : pwritev2(fd, pin.iov, pin.count, *position, flags);
		error = errno;
		mm_unpin(&pin);
		if (moved < 0 && error == EINTR)
			continue;
		if (moved < 0)
			return total ? total : transfer_error(error);
		iov_iter_advance(iter, (size_t)moved);
		*position += moved;
		total += moved;
		count_limit -= (size_t)moved;
		if (moved < pinned || !count_limit)
			break;
	}
	return total;
}

static int64_t host_read(struct file *file, struct iov_iter *to, int64_t *position)
{
	uint64_t size = __atomic_load_n(&file->inode->attributes.size, __ATOMIC_RELAXED);
	uint64_t left = size > (uint64_t)*position ? size - (uint64_t)*position : 0;
	int fd = borrow_fd(file);
	int64_t result;

	if (fd < 0)
		return fd;
	/* A page more than is known to be there finds the end, or that the file has grown, in the
	 * same call. */
	result = transfer(fd, to, position, left + PAGE_SIZE, 0);
	return_fd(file);
	return result;
}

/* Where an append to a file that others write too has put its bytes. */
static void after_append(int fd, int64_t *position)
{
	struct statx stx;

	if (!host_statx(fd, "", &stx))
		*position = (int64_t)stx.stx_size;
}

static int64_t host_write(struct file *file, struct iov_iter *from, int64_t *position)
{
	struct inode *inode = file->inode;
	struct host_node *node = host_node_of(inode);
	bool append = (file->flags & LINUX_O_APPEND) && !node->fs->exclusive;
	int fd = borrow_fd(file);
	int64_t result;

	if (fd < 0)
		return fd;
	result = transfer(fd, from, position, UINT64_MAX, append ? RWF_APPEND : 0);
	if (append && result > 0)
		after_append(fd, position);
	return_fd(file);
	if (result > 0 && (uint64_t)*position > inode->attributes.size)
		__atomic_store_n(&inode->attributes.size, (uint64_t)*position, __ATOMIC_RELAXED);
	atomic_store(&node->dirty, true);
	return result;
}

/* What the file has now; a tree of our own is not asked. */
static uint64_t current_size(struct host_node *node, int fd)
{
	struct statx stx;

	if (!host_fs_is_stable(node->fs) && !host_statx(fd, "", &stx))
		__atomic_store_n(&node->inode->attributes.size, stx.stx_size, __ATOMIC_RELAXED);
	return __atomic_load_n(&node->inode->attributes.size, __ATOMIC_RELAXED);
}

static int host_translate(struct mappable *mappable, uint64_t offset, uint64_t length, bool write,
	struct mapping_extent *extent)
{
	struct host_node *node = container_of(mappable, struct host_node, mappable);
	mutex_guard(&mappable->lock);
	bool writable = node->mapped_write && (write || !node->mapped_read);
	uint64_t size;
	int fd;

	if (!node->mapped_read && !node->mapped_write)
		return -EIO;
	fd = handle_of(node, writable)->fd;
	size = page_ceil(current_size(node, fd));
	if (offset >= size)
		return -ERANGE;
	*extent = (struct mapping_extent){
		.host_fd = fd,
		.host_offset = offset,
		.length = min_u64(length, size - offset),
		.writable = writable,
	};
	return 0;
}

const struct mappable_operations host_mappable_ops = {
	.translate = host_translate,
};

/*
 * The descriptor stays the same for as long as any mapping of the inode may use it: backing pages
 * are known by its number.
 */
static int host_mmap(struct file *file, bool shared, int protection, int *max_protection,
	struct mappable **out, bool *anonymous)
{
	struct host_node *node = host_node_of(file->inode);
	struct host_open *open = file->private;
	struct host_handle *handle = handle_of(node, open->write);
	bool *mapped = open->write ? &node->mapped_write : &node->mapped_read;
	int fd = host_file_acquire(node, open->write, NULL);

	if (fd < 0)
		return fd;
	mutex_lock(&node->mappable.lock);
	if (!open->mapped) {
		open->mapped = true;
		node->mapping_files++;
	}
	if (*mapped)
		host_handle_release(handle);
	*mapped = true;
	mutex_unlock(&node->mappable.lock);
	*out = &node->mappable;
	return 0;
}

static int host_fsync(struct file *file, bool data_only)
{
	struct host_node *node = host_node_of(file->inode);
	int fd, result;

	if (node->fs->read_only)
		return 0;
	fd = borrow_fd(file);
	if (fd < 0)
		return fd;
	result = (data_only ? fdatasync(fd) : fsync(fd)) ? -errno : 0;
	return_fd(file);
	return result;
}

static int host_fallocate(struct file *file, int mode, int64_t offset, int64_t length)
{
	struct host_node *node = host_node_of(file->inode);
	int fd, error;

	if (mode & ~FORWARD_FALLOCATE)
		return -EOPNOTSUPP;
	fd = borrow_fd(file);
	if (fd < 0)
		return fd;
	error = fallocate(fd, mode, offset, length) ? -errno : 0;
	(void)current_size(node, fd);
	return_fd(file);
	atomic_store(&node->dirty, true);
	return error;
}

static int64_t host_seek(struct file *file, int64_t offset, int whence)
{
	struct host_node *node = host_node_of(file->inode);
	int64_t base = 0;
	int fd;

	switch (whence) {
	case LINUX_SEEK_SET:
		break;
	case LINUX_SEEK_CUR:
		base = file->position;
		break;
	case LINUX_SEEK_END:
	case LINUX_SEEK_DATA:
	case LINUX_SEEK_HOLE:
		fd = borrow_fd(file);
		if (fd < 0)
			return fd;
		if (whence == LINUX_SEEK_END) {
			base = (int64_t)current_size(node, fd);
		} else {
			offset = lseek(
				fd, offset, whence == LINUX_SEEK_DATA ? SEEK_DATA : SEEK_HOLE);
			if (offset < 0)
				offset = -errno;
		}
		return_fd(file);
		if (offset < 0 && whence != LINUX_SEEK_END)
			return offset;
		break;
	default:
		return -EINVAL;
	}
	if (__builtin_add_overflow(base, offset, &offset))
		return -EOVERFLOW;
	return offset < 0 ? -EINVAL : offset;
}

const struct file_operations host_file_ops = {
	.read = host_read,
	.write = host_write,
	.seek = host_seek,
	.mmap = host_mmap,
	.fsync = host_fsync,
	.fallocate = host_fallocate,
	.release = host_release,
};
