/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's own access to an overlay, while no guest uses it: contents of files, names. */
#include "sentry/fs/overlay/overlay_node.h"

#include "abi/fcntl.h"
#include "sentry/mm/iov_iter.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct overlay_contents {
	struct overlay_real *real;
	struct inode *inode; /* the overlay's; a reference */
};

int overlay_contents_open(struct inode *inode, bool write, struct overlay_contents **out)
{
	struct overlay_contents *contents = calloc(1, sizeof(*contents));
	int error;

	if (!contents)
		return -ENOMEM;
	error = overlay_real_open(overlay_data_inode(overlay_node_of(inode)),
		write ? FILE_READ | FILE_WRITE : FILE_READ, write ? LINUX_O_RDWR : LINUX_O_RDONLY,
		&contents->real);
	if (error) {
		free(contents);
		return error;
	}
	contents->inode = inode_get(inode);
	*out = contents;
	return 0;
}

void overlay_contents_close(struct overlay_contents *contents)
{
	if (!contents)
		return;
	overlay_real_close(contents->real);
	inode_put(contents->inode);
	free(contents);
}

int64_t overlay_contents_read(
	struct overlay_contents *contents, void *buffer, size_t size, int64_t position)
{
	struct file *file = overlay_real_file(contents->real);
	struct iov_iter iter;

	iov_iter_init_kernel(&iter, buffer, size, true);
	return file->ops->read(file, &iter, &position);
}

int overlay_contents_write(
	struct overlay_contents *contents, const void *buffer, size_t size, int64_t position)
{
	struct file *file = overlay_real_file(contents->real);
	struct iov_iter iter;
	int64_t written = 0;

	/* The iterator is only read from. */
	iov_iter_init_kernel(&iter, (void *)(uintptr_t)buffer, size, false);
	mutex_lock(&file->inode->lock);
	while (iov_iter_count(&iter) && (written = file->ops->write(file, &iter, &position)) > 0)
		;
	mutex_unlock(&file->inode->lock);
	overlay_sync_size(contents->inode);
	if (written < 0)
		return (int)written;
	return iov_iter_count(&iter) ? -EIO : 0;
}

int64_t overlay_contents_seek(struct overlay_contents *contents, int64_t position, int whence)
{
	struct file *file = overlay_real_file(contents->real);

	return file->ops->seek ? file->ops->seek(file, position, whence) : -EINVAL;
}

/* --- names --- */

static int hide(struct overlay_node *directory, const char *text)
{
	struct overlay_name *name = overlay_name_find(directory, text);
	struct inode *before = NULL;

	if (name && (name->covers || name->kept)) {
		before = overlay_name_replace(directory, name, NULL);
	} else if (name) {
		before = overlay_name_remove(directory, name);
	} else {
		name = overlay_name_new(text);
		if (!name)
			return -ENOMEM;
		overlay_name_insert(directory, name, NULL, true);
	}
	if (before)
		inode_put(before);
	return 0;
}

static int hide_lower(struct overlay_node *directory)
{
	char *names;
	size_t size;
	int error = overlay_unchanged_names(directory, &names, &size);

	for (size_t at = 0; !error && at < size; at += strlen(names + at) + 1)
		error = hide(directory, names + at);
	free(names);
	return error;
}

static int hide_base(struct overlay_node *directory)
{
	int64_t cookie = directory->base_cookie;
	struct overlay_name *name;
	int error = 0;

	while (!error && (name = overlay_name_at_or_below(directory, cookie))) {
		cookie = name->cookie - 1;
		if (name->inode)
			error = hide(directory, name->text);
	}
	return error;
}

int overlay_remove_all(struct inode *inode, const char *name)
{
	struct overlay_node *directory = overlay_node_of(inode);
	int error;

	mutex_guard(&inode->lock);
	overlay_mark_changed(inode);
	if (name)
		return hide(directory, name);
	error = hide_base(directory);
	return error ? error : hide_lower(directory);
}
