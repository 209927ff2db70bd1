/* SPDX-License-Identifier: Apache-2.0 */
/* Changes as an OCI layer, through libarchive. */
#include "sentry/kernel/layer_store.h"

#include "abi/fcntl.h"
#include "abi/limits.h"
#include "abi/stat.h"
#include "abi/xattr.h"
#include "base/log.h"
#include "sentry/fs/overlay/overlay.h"
#include "sentry/vfs/inode.h"
#include "sentry/vfs/inode_acl.h"

#include <archive.h>
#include <archive_entry.h>
#include <bsd/sys/tree.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHANGES_MAX (16u << 20)
#define PIECE_SIZE  (256u << 10)
/* Holes are bound by nothing else. */
#define FILE_SIZE_MAX (1l << 40)

struct stored {
	char *path;
	struct inode *inode; /* a reference; NULL: deleted */
	bool opaque;
	RB_ENTRY(stored) by_inode; /* of those with several names: the first of them */
};
RB_HEAD(stored_tree, stored);

struct layer_store {
	int fd;
	struct stored *list;
	size_t count, room;
	struct stored_tree linked;
	struct archive *archive;
	char buffer[PIECE_SIZE];
};

static int compare_inodes(const struct stored *a, const struct stored *b)
{
	return a->inode < b->inode ? -1 : a->inode > b->inode;
}

RB_GENERATE_INTERNAL(stored_tree, stored, by_inode, compare_inodes, unused_ static)

int layer_store_new(int fd, struct layer_store **out)
{
	struct layer_store *store = calloc(1, sizeof(*store));

	if (!store)
		return -ENOMEM;
	store->fd = fd;
	RB_INIT(&store->linked);
	*out = store;
	return 0;
}

int layer_store_add(
	struct layer_store *store, const char *path, const struct overlay_difference *difference)
{
	struct stored *stored;

	if (store->count == CHANGES_MAX)
		return -E2BIG;
	if (store->count == store->room) {
		size_t room = store->room ? 2 * store->room : 256;

		stored = reallocarray(store->list, room, sizeof(*stored));
		if (!stored)
			return -ENOMEM;
		store->list = stored;
		store->room = room;
	}
	stored = &store->list[store->count];
	*stored = (struct stored){.path = strdup(path), .opaque = difference->opaque};
	if (!stored->path)
		return -ENOMEM;
	if (difference->inode)
		stored->inode = inode_get(difference->inode);
	store->count++;
	return 0;
}

/* --- entries --- */

static int error_of(struct archive *archive)
{
	int error = archive_errno(archive);

	log_warning("the layer: %s", archive_error_string(archive));
	return error > 0 ? -error : -EIO;
}

static int write_header(struct layer_store *store, struct archive_entry *entry)
{
	/* ARCHIVE_WARN: it is written, though not with all that it has. */
	return archive_write_header(store->archive, entry) < ARCHIVE_WARN ? error_of(store->archive)
									  : 0;
}

/* An empty file; path[:length] is the directory. */
static int write_marker(struct layer_store *store, const char *path, size_t length,
	const char *prefix, const char *name)
{
	struct archive_entry *entry = archive_entry_new();
	char *text = NULL;
	int error = -ENOMEM;

	if (entry && asprintf(&text, "%.*s/%s%s", (int)length, path, prefix, name) >= 0) {
		archive_entry_set_pathname(entry, text + 1);
		archive_entry_set_mode(entry, LINUX_S_IFREG | 0600);
		archive_entry_set_size(entry, 0);
		archive_entry_set_mtime(entry, 0, 0);
		error = write_header(store, entry);
	}
	free(text);
	archive_entry_free(entry);
	return error;
}

static int write_whiteout(struct layer_store *store, const char *path)
{
	size_t length = (size_t)(strrchr(path, '/') - path);

	return write_marker(store, path, length, ".wh.", path + length + 1);
}

static void add_xattr(struct inode *inode, const char *name, struct archive_entry *entry)
{
	int64_t size = inode->ops->getxattr(inode, name, NULL, 0);
	void *value = size >= 0 && size <= LINUX_XATTR_SIZE_MAX ? malloc((size_t)size + 1) : NULL;

	if (!value)
		return;
	if (size)
		size = inode->ops->getxattr(inode, name, value, (size_t)size);
	if (size >= 0)
		archive_entry_xattr_add_entry(entry, name, value, (size_t)size);
	free(value);
}

static void add_acl(struct inode *inode, const char *name, struct archive_entry *entry)
{
	enum posix_acl_type type = posix_acl_type_of(name);
	int64_t size = inode_acl_show(inode, type, NULL, 0);
	void *value = size > 0 ? malloc((size_t)size) : NULL;

	if (!value)
		return;
	size = inode_acl_show(inode, type, value, (size_t)size);
	if (size > 0)
		archive_entry_xattr_add_entry(entry, name, value, (size_t)size);
	free(value);
}

static void add_xattrs(struct inode *inode, struct archive_entry *entry)
{
	int64_t size = inode->ops->listxattr(inode, NULL, 0);
	char *names = size > 0 ? malloc((size_t)size + 1) : NULL;

	if (!names)
		return;
	size = inode->ops->listxattr(inode, names, (size_t)size);
	if (size >= 0)
		names[size] = '\0';
	for (int64_t at = 0; at < size; at += (int64_t)strlen(names + at) + 1)
		add_xattr(inode, names + at, entry);
	free(names);
}

static int set_target(struct inode *inode, struct archive_entry *entry)
{
	uninitialized_ char buffer[LINUX_PATH_MAX];
	int64_t length;

	if (inode->link) {
		archive_entry_set_symlink(entry, inode->link);
		return 0;
	}
	length = inode->ops->readlink(inode, buffer, sizeof(buffer));
	if (length < 0)
		return (int)length;
	archive_entry_set_symlink(entry, buffer);
	return 0;
}

static int fill_entry(struct inode *inode, const char *path, struct archive_entry *entry)
{
	const struct inode_attributes *attributes = &inode->attributes;
	int error = inode->ops->getattr ? inode->ops->getattr(inode) : 0;

	if (error)
		return error;
	archive_entry_set_pathname(entry, path[1] ? path + 1 : "./");
	archive_entry_set_mode(entry, attributes->mode);
	archive_entry_set_uid(entry, attributes->uid);
	archive_entry_set_gid(entry, attributes->gid);
	archive_entry_set_mtime(entry, attributes->mtime.tv_sec, attributes->mtime.tv_nsec);
	archive_entry_set_rdev(entry, attributes->rdev);
	archive_entry_set_size(
		entry, inode_is_type(inode, LINUX_S_IFREG) ? (int64_t)attributes->size : 0);
	add_xattrs(inode, entry);
	add_acl(inode, LINUX_XATTR_NAME_POSIX_ACL_ACCESS, entry);
	add_acl(inode, LINUX_XATTR_NAME_POSIX_ACL_DEFAULT, entry);
	return inode_is_type(inode, LINUX_S_IFLNK) ? set_target(inode, entry) : 0;
}

/* --- contents --- */

/* Where there is data; a file that has holes gets them in the archive. */
static void note_holes(struct overlay_contents *contents, int64_t size, struct archive_entry *entry)
{
	int64_t end = 0;

	for (int64_t start; end < size;) {
		start = overlay_contents_seek(contents, end, LINUX_SEEK_DATA);
		if (start < 0)
			break;
		end = overlay_contents_seek(contents, start, LINUX_SEEK_HOLE);
		if (end <= start || end > size)
			end = size;
		if (start == 0 && end == size)
			return;
		archive_entry_sparse_add_entry(entry, start, end - start);
	}
	/* Nothing but a hole; and one at the end needs a place to end at. */
	if (end < size)
		archive_entry_sparse_add_entry(entry, size, 0);
}

/* What a file promised but does not have any more is zeros. */
static int copy_range(
	struct layer_store *store, struct overlay_contents *contents, int64_t start, int64_t size)
{
	while (size > 0) {
		size_t piece = (size_t)min_u64((uint64_t)size, PIECE_SIZE);
		int64_t got = overlay_contents_read(contents, store->buffer, piece, start);
		la_ssize_t written;

		if (got < 0)
			return (int)got;
		if (!got) {
			memset(store->buffer, 0, piece);
			got = (int64_t)piece;
		}
		written = archive_write_data(store->archive, store->buffer, (size_t)got);
		if (written < got)
			return written < 0 ? error_of(store->archive) : -EIO;
		start += got;
		size -= got;
	}
	return 0;
}

/* The archive's writer wants all bytes in order, but does not look at those of holes. */
static int write_hole(struct layer_store *store, int64_t size)
{
	while (size > 0) {
		la_ssize_t written = archive_write_data(
			store->archive, store->buffer, (size_t)min_u64((uint64_t)size, INT32_MAX));

		if (written <= 0)
			return written < 0 ? error_of(store->archive) : -EIO;
		size -= written;
	}
	return 0;
}

static int write_contents(
	struct layer_store *store, struct overlay_contents *contents, struct archive_entry *entry)
{
	int64_t size = archive_entry_size(entry), start, length, end = 0;
	int error = 0;

	if (!archive_entry_sparse_count(entry))
		return copy_range(store, contents, 0, size);
	archive_entry_sparse_reset(entry);
	while (!error && archive_entry_sparse_next(entry, &start, &length) == ARCHIVE_OK) {
		error = write_hole(store, start - end);
		if (!error)
			error = copy_range(store, contents, start, length);
		end = start + length;
	}
	return error;
}

static int write_file(struct layer_store *store, struct inode *inode, struct archive_entry *entry)
{
	struct overlay_contents *contents;
	int error = overlay_contents_open(inode, false, &contents);

	if (error)
		return error;
	if (archive_entry_size(entry) > FILE_SIZE_MAX) {
		log_warning("the layer: %s is too large", archive_entry_pathname(entry));
		error = -EFBIG;
	} else {
		note_holes(contents, archive_entry_size(entry), entry);
		error = write_header(store, entry);
	}
	if (!error)
		error = write_contents(store, contents, entry);
	overlay_contents_close(contents);
	return error;
}

/* The entry of the same file that was written already, or NULL: this is the first. */
static const struct stored *first_name(struct layer_store *store, struct stored *stored)
{
	if (inode_is_type(stored->inode, LINUX_S_IFDIR) || stored->inode->attributes.nlink < 2)
		return NULL;
	return RB_INSERT(stored_tree, &store->linked, stored);
}

static int write_stored(struct layer_store *store, struct stored *stored)
{
	struct archive_entry *entry;
	const struct stored *first;
	int error;

	if (!stored->inode)
		return write_whiteout(store, stored->path);
	if (inode_is_type(stored->inode, LINUX_S_IFSOCK))
		return 0;
	entry = archive_entry_new();
	if (!entry)
		return -ENOMEM;
	first = first_name(store, stored);
	error = fill_entry(stored->inode, stored->path, entry);
	if (!error && first) {
		archive_entry_set_hardlink(entry, first->path + 1);
		archive_entry_set_size(entry, 0);
		error = write_header(store, entry);
	} else if (!error && inode_is_type(stored->inode, LINUX_S_IFREG)) {
		error = write_file(store, stored->inode, entry);
	} else if (!error) {
		error = write_header(store, entry);
	}
	archive_entry_free(entry);
	if (!error && stored->opaque)
		error = write_marker(store, stored->path, strlen(stored->path), "", ".wh..wh..opq");
	return error;
}

/* --- the whole --- */

static la_ssize_t write_bytes(
	struct archive *archive, void *argument, const void *buffer, size_t size)
{
	const struct layer_store *store = argument;
	ssize_t written = write(store->fd, buffer, size);

	if (written < 0)
		archive_set_error(archive, errno, "%s", strerror(errno));
	return written;
}

/* Names are bytes: those that are not ASCII are marked so, and stay what they are. */
static int begin(struct layer_store *store)
{
	store->archive = archive_write_new();
	if (!store->archive)
		return -ENOMEM;
	archive_write_set_bytes_per_block(store->archive, PIECE_SIZE);
	archive_write_set_bytes_in_last_block(store->archive, 1);
	if (archive_write_set_format_pax(store->archive) != ARCHIVE_OK ||
		archive_write_set_options(store->archive, "xattrheader=SCHILY") != ARCHIVE_OK ||
		archive_write_open(store->archive, store, NULL, write_bytes, NULL) != ARCHIVE_OK)
		return error_of(store->archive);
	return 0;
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(((const struct stored *)a)->path, ((const struct stored *)b)->path);
}

static void store_free(struct layer_store *store)
{
	for (size_t i = 0; i < store->count; i++) {
		free(store->list[i].path);
		if (store->list[i].inode)
			inode_put(store->list[i].inode);
	}
	free(store->list);
	archive_write_free(store->archive);
	free(store);
}

int layer_store_finish(struct layer_store *store)
{
	int error = begin(store);

	if (store->count)
		qsort(store->list, store->count, sizeof(*store->list), compare_paths);
	for (size_t i = 0; i < store->count && !error; i++)
		error = write_stored(store, &store->list[i]);
	if (!error && archive_write_close(store->archive) != ARCHIVE_OK)
		error = error_of(store->archive);
	store_free(store);
	return error;
}
