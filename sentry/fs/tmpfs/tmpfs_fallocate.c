/* SPDX-License-Identifier: Apache-2.0 */
/* fallocate(2) and lseek(2) for data and holes, on files of tmpfs. As Linux's tmpfs: no zero,
 * collapse or insert range. */
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "sentry/fs/tmpfs/tmpfs_node.h"
#include "sentry/mm/memory_file.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <string.h>

static void set_blocks(struct inode *inode, struct tmpfs_data *data)
{
	__atomic_store_n(
		&inode->attributes.blocks, data->pages.count << (PAGE_SHIFT - 9), __ATOMIC_RELAXED);
}

static void zero_part(struct tmpfs_data *data, uint64_t from, uint64_t to)
{
	struct tmpfs_run run;

	if (from >= to)
		return;
	tmpfs_pages_find(&data->pages, from >> PAGE_SHIFT, 1, &run);
	if (!run.hole)
		memset((char *)memory_file_pointer(run.memory) + (from & ~PAGE_MASK), 0, to - from);
}

/* Whole pages go; what is left of the first and the last is cleared. write_lock held. */
static int punch_hole(struct inode *inode, struct tmpfs_data *data, uint64_t start, uint64_t end)
{
	uint64_t first = page_ceil(start), last = page_floor(end);
	int error = 0;

	if (data->seals & (LINUX_F_SEAL_WRITE | LINUX_F_SEAL_FUTURE_WRITE))
		return -EPERM;
	mutex_lock(&data->mappable.lock);
	zero_part(data, start, min_u64(first, end));
	zero_part(data, max_u64(last, start), first > last ? start : end);
	if (first < last)
		error = tmpfs_pages_cut(&data->pages, first >> PAGE_SHIFT, last >> PAGE_SHIFT);
	set_blocks(inode, data);
	mutex_unlock(&data->mappable.lock);
	if (first < last && !error)
		mappable_invalidate(&data->mappable, first, last - first, false);
	return error;
}

/* Is there any chance at all? Told before the first page is taken, so that a failure leaves nothing
 * behind. */
static int check_room(struct tmpfs_data *data, uint64_t missing)
{
	struct memory_file_usage usage;

	for (const struct tmpfs_quota *quota = data->pages.quota; quota; quota = quota->total) {
		if (quota->max_pages &&
			missing > quota->max_pages - min_u64(quota->max_pages, quota->used_pages))
			return -ENOSPC;
	}
	if (missing <= 1024)
		return 0;
	memory_file_usage(&usage);
	if (usage.limit &&
		missing << PAGE_SHIFT > usage.limit - min_u64(usage.limit, usage.allocated))
		return -ENOSPC;
	return 0;
}

static int fill_range(struct inode *inode, struct tmpfs_data *data, uint64_t first, uint64_t end)
{
	struct tmpfs_run run;
	int error;

	mutex_guard(&data->mappable.lock);
	error = check_room(data, tmpfs_pages_missing(&data->pages, first, end));
	for (uint64_t page = first; page < end && !error; page += run.count)
		error = tmpfs_pages_fill(&data->pages, page, end - page, &run);
	set_blocks(inode, data);
	return error == -ENOMEM ? -ENOSPC : error;
}

int tmpfs_fallocate(struct file *file, int mode, int64_t offset, int64_t length)
{
	struct inode *inode = file->inode;
	struct tmpfs_data *data = &tmpfs_node_of(inode)->data;
	uint64_t end = (uint64_t)offset + (uint64_t)length;
	int error;

	if (mode & ~(LINUX_FALLOC_FL_KEEP_SIZE | LINUX_FALLOC_FL_PUNCH_HOLE))
		return -EOPNOTSUPP;
	if (offset < 0 || length <= 0)
		return -EINVAL;
	if (end > INT64_MAX - PAGE_SIZE)
		return -EFBIG;
	mutex_guard(&data->write_lock);
	if (mode & LINUX_FALLOC_FL_PUNCH_HOLE)
		return punch_hole(inode, data, (uint64_t)offset, end);
	if ((data->seals & LINUX_F_SEAL_GROW) && end > inode->attributes.size)
		return -EPERM;
	error = fill_range(
		inode, data, (uint64_t)offset >> PAGE_SHIFT, page_ceil(end) >> PAGE_SHIFT);
	if (error || (mode & LINUX_FALLOC_FL_KEEP_SIZE) || end <= inode->attributes.size)
		return error;
	mutex_lock(&data->mappable.lock);
	__atomic_store_n(&inode->attributes.size, end, __ATOMIC_RELEASE);
	mutex_unlock(&data->mappable.lock);
	return 0;
}

/* lseek(2): -ENXIO past the end; the end itself is a hole. */
static int64_t seek_data_hole(struct inode *inode, int64_t offset, bool want_data)
{
	struct tmpfs_data *data = &tmpfs_node_of(inode)->data;
	uint64_t page;
	mutex_guard(&data->mappable.lock);
	uint64_t size = inode->attributes.size;

	if (offset < 0 || (uint64_t)offset >= size)
		return -ENXIO;
	page = tmpfs_pages_seek(&data->pages, (uint64_t)offset >> PAGE_SHIFT, want_data);
	if (page >= page_ceil(size) >> PAGE_SHIFT)
		return want_data ? -ENXIO : (int64_t)size;
	return (int64_t)min_u64(max_u64(page << PAGE_SHIFT, (uint64_t)offset), size);
}

int64_t tmpfs_seek(struct file *file, int64_t offset, int whence)
{
	int64_t base = 0;

	switch (whence) {
	case LINUX_SEEK_DATA:
	case LINUX_SEEK_HOLE:
		offset = seek_data_hole(file->inode, offset, whence == LINUX_SEEK_DATA);
		if (offset < 0)
			return offset;
		break;
	case LINUX_SEEK_SET:
		break;
	case LINUX_SEEK_CUR:
		base = file->position;
		break;
	case LINUX_SEEK_END:
		base = (int64_t)tmpfs_size(file->inode);
		break;
	default:
		return -EINVAL;
	}
	if (__builtin_add_overflow(base, offset, &offset))
		return -EINVAL;
	return offset < 0 ? -EINVAL : offset;
}
