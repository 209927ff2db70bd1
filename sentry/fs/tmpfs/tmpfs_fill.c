/* SPDX-License-Identifier: Apache-2.0 */
/* Copying another file into a new tmpfs inode: read straight into its pages, holes left out. */
#include "abi/fcntl.h"
#include "sentry/fs/tmpfs/tmpfs_node.h"
#include "sentry/mm/iov_iter.h"
#include "sentry/mm/memory_file.h"
#include "sentry/vfs/file.h"

#include <errno.h>

/* Read in one go: a megabyte. */
#define PIECE_PAGES 256

/* Where data begins at or after a position, and where it ends; a source that cannot tell is data
 * throughout. */
static void find_data(
	struct file *source, uint64_t position, uint64_t size, uint64_t *start, uint64_t *end)
{
	int64_t data = -EINVAL, hole;

	*start = position;
	*end = size;
	if (source->ops->seek)
		data = source->ops->seek(source, (int64_t)position, LINUX_SEEK_DATA);
	if (data == -ENXIO)
		*start = size;
	if (data < 0)
		return;
	*start = min_u64(page_floor((uint64_t)data), size);
	hole = source->ops->seek(source, data, LINUX_SEEK_HOLE);
	if (hole > data)
		*end = min_u64((uint64_t)hole, size);
}

static int read_piece(struct file *source, uint64_t memory, uint64_t size, uint64_t position)
{
	int64_t at = (int64_t)position, got;
	struct iov_iter iter;

	iov_iter_init_kernel(&iter, memory_file_pointer(memory), size, true);
	while (iov_iter_count(&iter)) {
		got = source->ops->read(source, &iter, &at);
		if (got < 0)
			return (int)got;
		if (!got)
			break; /* it shrank: zeros stand for the rest */
	}
	return 0;
}

static int fill_data(struct inode *inode, struct file *source, uint64_t start, uint64_t end)
{
	struct tmpfs_data *data = &tmpfs_node_of(inode)->data;
	struct tmpfs_run run;
	int error = 0;

	for (uint64_t at = start; at < end && !error; at += run.count << PAGE_SHIFT) {
		uint64_t pages = (page_ceil(end) - at) >> PAGE_SHIFT;

		mutex_lock(&data->mappable.lock);
		error = tmpfs_pages_fill(
			&data->pages, at >> PAGE_SHIFT, min_u64(pages, PIECE_PAGES), &run);
		mutex_unlock(&data->mappable.lock);
		if (!error)
			error = read_piece(
				source, run.memory, min_u64(run.count << PAGE_SHIFT, end - at), at);
	}
	return error;
}

int tmpfs_fill_from(struct inode *inode, struct file *source, uint64_t size)
{
	struct tmpfs_data *data = &tmpfs_node_of(inode)->data;
	uint64_t start, end;
	int error = 0;

	for (uint64_t position = 0; position < size && !error; position = page_ceil(end)) {
		find_data(source, position, size, &start, &end);
		if (start >= size)
			break;
		error = fill_data(inode, source, start, end);
	}
	mutex_guard(&data->mappable.lock);
	tmpfs_pages_trim(&data->pages);
	__atomic_store_n(&inode->attributes.size, size, __ATOMIC_RELEASE);
	__atomic_store_n(
		&inode->attributes.blocks, data->pages.count << (PAGE_SHIFT - 9), __ATOMIC_RELAXED);
	return error;
}
