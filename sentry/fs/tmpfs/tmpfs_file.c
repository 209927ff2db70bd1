/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular files of tmpfs: reading, writing, mapping, truncating. All data is in the memory file, so
 * this is copying between two places that the sentry has mapped.
 */
#include "abi/fcntl.h"
#include "abi/mman.h"
#include "abi/stat.h"
#include "sentry/fs/tmpfs/tmpfs_node.h"
#include "sentry/lock_order.h"
#include "sentry/mm/iov_iter.h"
#include "sentry/mm/memory_file.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <string.h>

/* One allocation at most: keeps a huge write from waiting for a huge contiguous piece. */
#define WRITE_PIECE_PAGES 1024
/* A fault makes at least this much of a sparse file, if the mapping is that long. */
#define FAULT_PIECE_PAGES 16

static const struct mappable_operations tmpfs_mappable_ops;

static struct tmpfs_data *data_of(const struct inode *inode)
{
	return &tmpfs_node_of(inode)->data;
}

static void set_size(struct inode *inode, uint64_t size)
{
	__atomic_store_n(&inode->attributes.size, size, __ATOMIC_RELEASE);
}

/* mappable.lock held. */
static void set_blocks(struct inode *inode)
{
	__atomic_store_n(&inode->attributes.blocks, data_of(inode)->pages.count << (PAGE_SHIFT - 9),
		__ATOMIC_RELAXED);
}

void tmpfs_data_init(struct tmpfs_data *data, struct tmpfs_quota *quota)
{
	mutex_init(&data->write_lock, RANK_FILE_DATA, "tmpfs write");
	mappable_init(&data->mappable, &tmpfs_mappable_ops);
	tmpfs_pages_init(&data->pages, quota);
	data->seals = LINUX_F_SEAL_SEAL;
	data->was_mapped_writable = false;
}

void tmpfs_data_destroy(struct tmpfs_data *data)
{
	tmpfs_pages_destroy(&data->pages);
	mappable_destroy(&data->mappable);
	mutex_destroy(&data->write_lock);
}

/* What holds the bytes at a position, up to size; with references to its pages if wanted. 0 at the
 * end. */
static size_t find_run(
	struct inode *inode, uint64_t position, size_t size, bool references, struct tmpfs_run *run)
{
	struct tmpfs_data *data = data_of(inode);
	uint64_t page = position >> PAGE_SHIFT, in_page = position & ~PAGE_MASK;
	mutex_guard(&data->mappable.lock);
	uint64_t end = inode->attributes.size;

	if (position >= end)
		return 0;
	size = min_u64(size, end - position);
	tmpfs_pages_find(&data->pages, page, ((position + size - 1) >> PAGE_SHIFT) - page + 1, run);
	if (!run->hole && references)
		memory_file_get(run->memory, run->count << PAGE_SHIFT);
	return min_u64(size, (run->count << PAGE_SHIFT) - in_page);
}

/*
 * Copies one run out. Taking page references costs more than the copy of a small piece, so a reader
 * that finds no writer keeps the pages still with write_lock instead; several readers at once use
 * references.
 */
static size_t copy_run(struct inode *inode, uint64_t position, struct iov_iter *to, size_t *size)
{
	struct tmpfs_data *data = data_of(inode);
	bool still = mutex_trylock(&data->write_lock);
	struct tmpfs_run run;
	size_t copied = 0;

	*size = find_run(inode, position, iov_iter_count(to), !still, &run);
	if (*size && run.hole) {
		copied = iov_iter_zero(*size, to);
	} else if (*size) {
		copied = copy_to_iter(
			(char *)memory_file_pointer(run.memory) + (position & ~PAGE_MASK), *size,
			to);
		if (!still)
			memory_file_put(run.memory, run.count << PAGE_SHIFT);
	}
	if (still)
		mutex_unlock(&data->write_lock);
	return copied;
}

static int64_t tmpfs_read(struct file *file, struct iov_iter *to, int64_t *position)
{
	int64_t total = 0;

	while (iov_iter_count(to)) {
		size_t size, copied = copy_run(file->inode, (uint64_t)*position, to, &size);

		if (!size)
			break;
		*position += (int64_t)copied;
		total += (int64_t)copied;
		if (copied < size)
			return total ? total : -EFAULT;
	}
	return total;
}

/* Finds room for the bytes at a position; write_lock held, so the pages stay. Bytes, or an error.
 */
static int64_t write_run(struct inode *inode, uint64_t position, size_t size, struct tmpfs_run *run)
{
	struct tmpfs_data *data = data_of(inode);
	uint64_t page = position >> PAGE_SHIFT, in_page = position & ~PAGE_MASK;
	uint64_t count = ((position + size - 1) >> PAGE_SHIFT) - page + 1;
	mutex_guard(&data->mappable.lock);
	int error = tmpfs_pages_fill(&data->pages, page, min_u64(count, WRITE_PIECE_PAGES), run);

	if (error)
		return error;
	set_blocks(inode);
	return (int64_t)min_u64(size, (run->count << PAGE_SHIFT) - in_page);
}

/* Pages past the end that a write made and did not come to fill. write_lock held. */
static void drop_past_end(struct inode *inode)
{
	struct tmpfs_data *data = data_of(inode);
	mutex_guard(&data->mappable.lock);

	tmpfs_pages_cut_tail(&data->pages, page_ceil(inode->attributes.size) >> PAGE_SHIFT);
	set_blocks(inode);
}

static void grow_to(struct inode *inode, uint64_t end)
{
	struct tmpfs_data *data = data_of(inode);

	if (end <= inode->attributes.size)
		return;
	mutex_lock(&data->mappable.lock);
	set_size(inode, end);
	mutex_unlock(&data->mappable.lock);
}

/* How much of a write the seals allow: past the end nothing grows, and Linux refuses by the page.
 */
static int64_t check_write_seals(
	const struct tmpfs_data *data, uint64_t size, uint64_t position, uint64_t count)
{
	if (data->seals & (LINUX_F_SEAL_WRITE | LINUX_F_SEAL_FUTURE_WRITE))
		return -EPERM;
	if (!(data->seals & LINUX_F_SEAL_GROW) || position + count <= size)
		return (int64_t)count;
	return page_floor(size) > position ? (int64_t)(page_floor(size) - position) : -EPERM;
}

static int64_t write_locked(struct inode *inode, struct iov_iter *from, int64_t *position)
{
	uint64_t count = iov_iter_count(from);
	int64_t total = 0, allowed, size;

	if ((uint64_t)*position > INT64_MAX - PAGE_SIZE - count)
		return -EFBIG;
	allowed = check_write_seals(
		data_of(inode), inode->attributes.size, (uint64_t)*position, count);
	if (allowed < 0)
		return allowed;
	while (total < allowed) {
		struct tmpfs_run run;
		size_t copied;

		size = write_run(inode, (uint64_t)*position, (size_t)(allowed - total), &run);
		if (size < 0)
			return total ? total : size;
		copied = copy_from_iter((char *)memory_file_pointer(run.memory) +
						((uint64_t)*position & ~PAGE_MASK),
			(size_t)size, from);
		*position += (int64_t)copied;
		total += (int64_t)copied;
		grow_to(inode, (uint64_t)*position);
		if (copied < (size_t)size) {
			drop_past_end(inode);
			return total ? total : -EFAULT;
		}
	}
	return total;
}

static int64_t tmpfs_write(struct file *file, struct iov_iter *from, int64_t *position)
{
	struct inode *inode = file->inode;
	struct tmpfs_data *data = data_of(inode);

	if (!iov_iter_count(from))
		return 0;
	mutex_guard(&data->write_lock);
	return write_locked(inode, from, position);
}

/* Clears the rest of the last page, so that growing again shows zeros. write_lock held. */
static void zero_tail(struct inode *inode, uint64_t size)
{
	struct tmpfs_data *data = data_of(inode);
	struct tmpfs_run run;

	if (!(size & ~PAGE_MASK))
		return;
	tmpfs_pages_find(&data->pages, size >> PAGE_SHIFT, 1, &run);
	if (!run.hole)
		memset((char *)memory_file_pointer(run.memory) + (size & ~PAGE_MASK), 0,
			PAGE_SIZE - (size & ~PAGE_MASK));
}

int tmpfs_truncate(struct inode *inode, uint64_t size)
{
	struct tmpfs_data *data = data_of(inode);
	uint64_t old, end = page_ceil(size);
	mutex_guard(&data->write_lock);

	old = inode->attributes.size;
	if (size > INT64_MAX - PAGE_SIZE)
		return -EFBIG;
	if ((size < old && (data->seals & LINUX_F_SEAL_SHRINK)) ||
		(size > old && (data->seals & LINUX_F_SEAL_GROW)))
		return -EPERM;
	mutex_lock(&data->mappable.lock);
	set_size(inode, size);
	if (size <= old) {
		tmpfs_pages_cut_tail(&data->pages, end >> PAGE_SHIFT);
		tmpfs_pages_trim(&data->pages);
		zero_tail(inode, size);
		set_blocks(inode);
	}
	mutex_unlock(&data->mappable.lock);
	if (end < page_ceil(old))
		mappable_invalidate(&data->mappable, end, page_ceil(old) - end, true);
	return 0;
}

static int tmpfs_translate(struct mappable *mappable, uint64_t offset, uint64_t length, bool write,
	struct mapping_extent *extent)
{
	struct tmpfs_data *data = container_of(mappable, struct tmpfs_data, mappable);
	struct tmpfs_node *node = container_of(data, struct tmpfs_node, data);
	struct inode *inode = node->inode;
	struct tmpfs_run run;
	uint64_t pages;
	int error;
	mutex_guard(&mappable->lock);

	if (offset >= page_ceil(inode->attributes.size))
		return -ERANGE;
	pages = min_u64(length, page_ceil(inode->attributes.size) - offset) >> PAGE_SHIFT;
	/* A hole is filled in steps that grow with the file, so that a sparse one stays sparse. */
	tmpfs_pages_find(&data->pages, offset >> PAGE_SHIFT, pages, &run);
	if (run.hole) {
		pages = min_u64(run.count,
			min_u64(WRITE_PIECE_PAGES, max_u64(data->pages.count, FAULT_PIECE_PAGES)));
		error = tmpfs_pages_fill(&data->pages, offset >> PAGE_SHIFT, pages, &run);
		if (error)
			return error;
		set_blocks(inode);
	}
	memory_file_get(run.memory, run.count << PAGE_SHIFT);
	*extent = (struct mapping_extent){
		.host_fd = memory_file_fd(),
		.host_offset = run.memory,
		.length = run.count << PAGE_SHIFT,
		.writable = true,
		.warm = run.warm,
	};
	return 0;
}

static const struct mappable_operations tmpfs_mappable_ops = {
	.translate = tmpfs_translate,
};

static int tmpfs_mmap(struct file *file, bool shared, int protection, int *max_protection,
	struct mappable **out, bool *anonymous)
{
	struct tmpfs_data *data = data_of(file->inode);
	mutex_guard(&data->write_lock);

	if (shared && (data->seals & (LINUX_F_SEAL_WRITE | LINUX_F_SEAL_FUTURE_WRITE))) {
		if (protection & LINUX_PROT_WRITE)
			return -EPERM;
		*max_protection &= ~LINUX_PROT_WRITE;
	}
	if (shared && (*max_protection & LINUX_PROT_WRITE)) {
		mutex_guard(&data->mappable.lock);
		data->was_mapped_writable = true;
	}
	*out = &data->mappable;
	return 0;
}

static void tmpfs_release(struct file *file)
{
	struct tmpfs_data *data = data_of(file->inode);

	if (!(file->mode & FILE_WRITE))
		return;
	mutex_guard(&data->mappable.lock);
	tmpfs_pages_trim(&data->pages);
}

static int tmpfs_fsync(struct file *file, bool data_only)
{
	return 0;
}

static bool may_change_seals(const struct tmpfs_data *data, unsigned int seals)
{
	const unsigned int writing = LINUX_F_SEAL_WRITE;

	/* A mapping that was removed and another that only reads cannot be told apart: refused, as
	 * while it was there. */
	return !(seals & writing) || (data->seals & writing) || !data->was_mapped_writable ||
	       LIST_EMPTY(&data->mappable.vmas);
}

int tmpfs_add_seals(struct file *file, unsigned int seals)
{
	struct tmpfs_data *data;

	if (!(file->mode & FILE_WRITE))
		return -EPERM;
	if (file->ops != &tmpfs_file_ops ||
		(seals & ~(LINUX_F_SEAL_SEAL | LINUX_F_SEAL_SHRINK | LINUX_F_SEAL_GROW |
				 LINUX_F_SEAL_WRITE | LINUX_F_SEAL_FUTURE_WRITE |
				 LINUX_F_SEAL_EXEC)))
		return -EINVAL;
	data = data_of(file->inode);
	mutex_guard(&data->write_lock);
	mutex_guard(&data->mappable.lock);
	if (data->seals & LINUX_F_SEAL_SEAL)
		return -EPERM;
	if (LIST_EMPTY(&data->mappable.vmas))
		data->was_mapped_writable = false;
	if (!may_change_seals(data, seals))
		return -EBUSY;
	/* SEAL_EXEC implies the others for a file that can be executed, as Linux does. */
	if ((seals & LINUX_F_SEAL_EXEC) && (file->inode->attributes.mode & 0111))
		seals |= LINUX_F_SEAL_SHRINK | LINUX_F_SEAL_GROW | LINUX_F_SEAL_WRITE |
			 LINUX_F_SEAL_FUTURE_WRITE;
	data->seals |= seals;
	return 0;
}

int tmpfs_get_seals(struct file *file)
{
	struct tmpfs_data *data;

	if (file->ops != &tmpfs_file_ops)
		return -EINVAL;
	data = data_of(file->inode);
	mutex_guard(&data->write_lock);
	return (int)data->seals;
}

const struct file_operations tmpfs_file_ops = {
	.read = tmpfs_read,
	.write = tmpfs_write,
	.mmap = tmpfs_mmap,
	.fsync = tmpfs_fsync,
	.fallocate = tmpfs_fallocate,
	.seek = tmpfs_seek,
	.release = tmpfs_release,
};
