/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading directories: a listing is taken whole, at the first read and after each rewind, so that
 * positions stay true while names come and go. Those of an exclusive tree are kept with the
 * directory.
 */
#include "sentry/fs/host/host_fs.h"

#include "abi/dirent.h"
#include "abi/limits.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FIRST_POSITION 2
/* Directories with more names than this are read anew each time, and no directory shows more than
 * the second. */
#define CACHED_NAMES_MAX 16384
#define NAMES_MAX	 (4u << 20)
#define READ_SIZE	 32768

struct listed_name {
	uint64_t ino;
	uint32_t offset; /* of the name in text */
	uint8_t type;
};

struct host_listing {
	struct refcount refs;
	struct listed_name *names;
	uint32_t count, capacity;
	char *text;
	uint32_t text_size, text_capacity;
};

REFCOUNT_TYPE(listing_refs, "host listing");

void host_listing_put(struct host_listing *listing)
{
	if (!refcount_put(&listing->refs))
		return;
	free(listing->names);
	free(listing->text);
	free(listing);
}

static bool make_room(struct host_listing *listing, size_t length)
{
	if (listing->count == listing->capacity) {
		uint32_t capacity = listing->capacity ? 2 * listing->capacity : 64;
		struct listed_name *names = realloc(listing->names, capacity * sizeof(*names));

		if (!names)
			return false;
		listing->names = names;
		listing->capacity = capacity;
	}
	if (length > listing->text_capacity - listing->text_size) {
		uint32_t capacity = listing->text_capacity ? 2 * listing->text_capacity : 2048;
		char *text = realloc(listing->text, capacity);

		if (!text)
			return false;
		listing->text = text;
		listing->text_capacity = capacity;
	}
	return true;
}

static bool is_dots(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

static int add_name(struct host_listing *listing, struct host_node *node, const char *name,
	uint64_t ino, uint8_t type)
{
	size_t size = strlen(name) + 1;

	if (is_dots(name))
		return 0;
	if (listing->count >= NAMES_MAX || size > LINUX_NAME_MAX + 1 || !make_room(listing, size))
		return -ENOMEM;
	memcpy(listing->text + listing->text_size, name, size);
	listing->names[listing->count++] = (struct listed_name){
		.ino = host_show_ino(node->fs,
			(struct host_identity){.device = node->identity.device, .ino = ino}),
		.offset = listing->text_size,
		.type = type,
	};
	listing->text_size += (uint32_t)size;
	return 0;
}

/* The host's records have the layout of the guest's. */
static int add_records(
	struct host_listing *listing, struct host_node *node, const char *buffer, size_t size)
{
	int error = 0;

	for (size_t at = 0; at < size && !error;) {
		const struct linux_dirent64 *record = (const void *)(buffer + at);

		error = add_name(listing, node, record->d_name, record->d_ino, record->d_type);
		at += record->d_reclen;
	}
	return error;
}

static int read_all(struct host_listing *listing, struct host_node *node)
{
	char *buffer = malloc(READ_SIZE);
	int dirfd, fd, error = 0;
	long size;

	if (!buffer)
		return -ENOMEM;
	dirfd = host_directory_acquire(node);
	fd = dirfd;
	if (dirfd >= 0) {
		/* One of its own: the position belongs to the open file description. */
		fd = host_openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
		host_handle_release(&node->read);
	}
	if (fd < 0) {
		free(buffer);
		return fd;
	}
	while (!error && (size = syscall(SYS_getdents64, fd, buffer, READ_SIZE)) != 0)
		error = size < 0 ? -errno : add_records(listing, node, buffer, (size_t)size);
	(void)close(fd);
	free(buffer);
	return error;
}

static int listing_new(struct host_node *node, struct host_listing **out)
{
	struct host_listing *listing = calloc(1, sizeof(*listing));
	int error = 0;

	if (!listing)
		return -ENOMEM;
	refcount_init(&listing->refs, &listing_refs);
	if (!node->walled)
		error = read_all(listing, node);
	if (error)
		host_listing_put(listing);
	else
		*out = listing;
	return error;
}

/* Of an exclusive tree, the one that is kept. The directory's inode->lock keeps names from changing
 * meanwhile. */
static int listing_get(struct host_node *node, struct host_listing **out)
{
	struct host_fs *fs = node->fs;
	struct host_listing *old;
	int error;

	if (fs->exclusive) {
		mutex_guard(&fs->lock);
		if (node->listing) {
			refcount_get(&node->listing->refs);
			*out = node->listing;
			return 0;
		}
	}
	error = listing_new(node, out);
	if (error || !fs->exclusive || (*out)->count > CACHED_NAMES_MAX)
		return error;
	refcount_get(&(*out)->refs);
	mutex_lock(&fs->lock);
	old = node->listing;
	node->listing = *out;
	mutex_unlock(&fs->lock);
	if (old)
		host_listing_put(old);
	return 0;
}

void host_listing_forget(struct host_node *node)
{
	struct host_listing *old;

	mutex_lock(&node->fs->lock);
	old = node->listing;
	node->listing = NULL;
	mutex_unlock(&node->fs->lock);
	if (old)
		host_listing_put(old);
}

int host_iterate(struct file *file, struct dir_context *context)
{
	struct host_listing *listing = file->private;
	int error;

	if (!listing || context->position <= FIRST_POSITION) {
		error = listing_get(host_node_of(file->inode), &listing);
		if (error)
			return error;
		if (file->private)
			host_listing_put(file->private);
		file->private = listing;
	}
	for (uint64_t i = (uint64_t)context->position - FIRST_POSITION; i < listing->count; i++) {
		const struct listed_name *entry = &listing->names[i];
		const char *name = listing->text + entry->offset;

		if (!context->emit(context, name, strlen(name), (int64_t)(i + 1 + FIRST_POSITION),
			    entry->ino, entry->type))
			break;
	}
	return 0;
}

void host_directory_release(struct file *file)
{
	if (file->private)
		host_listing_put(file->private);
}
