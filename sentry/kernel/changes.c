/* SPDX-License-Identifier: Apache-2.0 */
/* Tells what the writable layers changed, and stores it. */
#include "sentry/kernel/changes.h"

#include "abi/limits.h"
#include "abi/stat.h"
#include "base/log.h"
#include "sentry/fs/overlay/overlay.h"
#include "sentry/kernel/layer_store.h"
#include "sentry/vfs/inode.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LAYERS_MAX 4 /* the root, and a working directory that a private /tmp hides */
#define BYTES_MAX  (256ul << 20)

static struct {
	struct super_block *overlay[LAYERS_MAX];
	const char *destination[LAYERS_MAX];
	size_t count;
} layers;

struct writer {
	int fd;
	const char *prefix;
	struct layer_store *store; /* NULL: no layer is wanted */
	size_t used, total;
	char buffer[1 << 16];
};

void changes_add_layer(struct super_block *overlay, const char *destination)
{
	if (layers.count == LAYERS_MAX)
		return;
	layers.overlay[layers.count] = super_block_get(overlay);
	layers.destination[layers.count++] = destination;
}

static int flush(struct writer *writer)
{
	for (size_t at = 0; at < writer->used;) {
		ssize_t written = write(writer->fd, writer->buffer + at, writer->used - at);

		if (written <= 0)
			return -EIO;
		at += (size_t)written;
	}
	writer->used = 0;
	return 0;
}

static char type_letter(const struct inode *inode)
{
	static const struct {
		uint32_t type;
		char letter;
	} letters[] = {{LINUX_S_IFREG, 'f'}, {LINUX_S_IFDIR, 'd'}, {LINUX_S_IFLNK, 'l'},
		{LINUX_S_IFIFO, 'p'}, {LINUX_S_IFSOCK, 's'}, {LINUX_S_IFCHR, 'c'},
		{LINUX_S_IFBLK, 'b'}};

	for (size_t i = 0; inode && i < array_count(letters); i++) {
		if (inode_is_type(inode, letters[i].type))
			return letters[i].letter;
	}
	return '-';
}

static int64_t time_ns(const struct linux_timespec *time)
{
	return (int64_t)((uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_nsec);
}

/* What the host was seen to have. */
static void describe(const struct overlay_before *before, char *text, size_t size)
{
	if (!before->there)
		(void)snprintf(text, size, "-");
	else
		(void)snprintf(text, size, "%lu:%lu:%ld:%ld", before->ino, before->size,
			time_ns(&before->mtime), time_ns(&before->ctime));
}

static int make_room(struct writer *writer)
{
	if (writer->total > BYTES_MAX)
		return -E2BIG;
	return sizeof(writer->buffer) - writer->used < 8192 ? flush(writer) : 0;
}

static int put_record(struct writer *writer, const char *format, ...)
{
	size_t room = sizeof(writer->buffer) - writer->used;
	va_list arguments;
	int bytes;

	va_start(arguments, format);
	bytes = vsnprintf(writer->buffer + writer->used, room, format, arguments);
	va_end(arguments);
	if (bytes < 0 || (size_t)bytes >= room)
		return -EOVERFLOW;
	writer->used += (size_t)bytes + 1;
	writer->total += (size_t)bytes + 1;
	return 0;
}

static int tell(void *argument, const struct overlay_difference *difference)
{
	struct writer *writer = argument;
	struct inode *inode = difference->inode;
	char before[96], path[2 * LINUX_PATH_MAX];
	int error = make_room(writer);

	if (inode && inode->ops->getattr && inode->ops->getattr(inode))
		inode = NULL;
	describe(difference->before, before, sizeof(before));
	(void)snprintf(path, sizeof(path), "%s%s", writer->prefix,
		*writer->prefix && !difference->path[1] ? "" : difference->path);
	if (!error)
		error = put_record(writer, "%c %c %lu %s %s", "AMD"[difference->change],
			type_letter(inode), inode ? inode->attributes.size : 0, before, path);
	if (!error && writer->store)
		error = layer_store_add(writer->store, path, difference);
	return error;
}

static int tell_all(struct writer *writer)
{
	int error = 0;

	for (size_t i = 0; i < layers.count; i++) {
		writer->prefix = strcmp(layers.destination[i], "/") ? layers.destination[i] : "";
		if (!error)
			error = overlay_changes(layers.overlay[i], tell, writer);
	}
	return error;
}

void changes_begin(void)
{
	for (size_t i = 0; i < layers.count; i++)
		overlay_set_baseline(layers.overlay[i]);
}

void changes_write(int list_fd, int layer_fd)
{
	static struct writer writer;
	int error = 0, stored;

	writer.fd = list_fd;
	if (layer_fd >= 0)
		error = layer_store_new(layer_fd, &writer.store);
	if (!error)
		error = tell_all(&writer);
	if (writer.store) {
		stored = layer_store_finish(writer.store);
		error = error ? error : stored;
	}
	while (layers.count)
		super_block_put(layers.overlay[--layers.count]);
	if (!make_room(&writer))
		(void)put_record(&writer, "E %d", -error);
	if (flush(&writer) || error)
		log_warning("the list of changes is not complete: error %d", -error);
}
