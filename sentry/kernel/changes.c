/* SPDX-License-Identifier: Apache-2.0 */
/* Tells what the writable layers changed. */
#include "sentry/kernel/changes.h"

#include "abi/stat.h"
#include "base/log.h"
#include "sentry/fs/overlay/overlay.h"
#include "sentry/vfs/inode.h"

#include <errno.h>
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

static int tell(void *argument, const char *path, enum overlay_change change, struct inode *inode)
{
	struct writer *writer = argument;
	uint64_t size = 0;
	int bytes;

	if (inode && inode->ops->getattr && inode->ops->getattr(inode))
		inode = NULL;
	if (inode)
		size = inode->attributes.size;
	if (writer->total > BYTES_MAX ||
		(sizeof(writer->buffer) - writer->used < 8192 && flush(writer)))
		return -ENOSPC;
	bytes = snprintf(writer->buffer + writer->used, sizeof(writer->buffer) - writer->used,
		"%c %c %lu %s%s", "AMD"[change], type_letter(inode), size, writer -> prefix, path);
	if (bytes < 0 || (size_t)bytes >= sizeof(writer->buffer) - writer->used)
		return 0;
	writer->used += (size_t)bytes + 1;
	writer->total += (size_t)bytes + 1;
	return 0;
}

void changes_write(int fd)
{
	static struct writer writer;

	writer.fd = fd;
	for (size_t i = 0; i < layers.count; i++) {
		writer.prefix = strcmp(layers.destination[i], "/") ? layers.destination[i] : "";
		if (overlay_changes(layers.overlay[i], tell, &writer))
			log_warning("the list of changes is not complete");
		super_block_put(layers.overlay[i]);
	}
	layers.count = 0;
	if (flush(&writer))
		log_warning("the list of changes cannot be written");
}
