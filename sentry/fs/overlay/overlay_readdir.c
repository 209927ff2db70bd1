/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading directories of the overlay: what the lower directory has and nobody changed, then the
 * names that differ, newest first.
 *
 * Positions are the lower directory's own, then CHANGED_BASE and a cookie: nothing is merged or
 * copied. A file that starts reading remembers the newest cookie of that moment, so what is made or
 * renamed meanwhile is not met again.
 */
#include "sentry/fs/overlay/overlay_node.h"

#include "abi/dirent.h"
#include "abi/fcntl.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_POSITION 2
#define CHANGED_BASE   (INT64_C(1) << 62)

/* file->private; guarded by the directory's inode->lock */
struct overlay_stream {
	struct overlay_real *lower; /* NULL without a lower directory */
	int64_t newest;		    /* cookie */
};

int overlay_open_directory(struct inode *inode, struct file *file)
{
	struct overlay_stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return -ENOMEM;
	stream->newest = INT64_MAX;
	file->private = stream;
	return 0;
}

static void overlay_release_directory(struct file *file)
{
	struct overlay_stream *stream = file->private;

	overlay_real_close(stream->lower);
	free(stream);
}

/* Stands between the lower directory and who reads: leaves out the names that differ. */
struct filter {
	struct dir_context context;
	struct dir_context *to;
	struct overlay_node *directory;
	bool full;
};

static bool emit_unchanged(struct dir_context *context, const char *text, size_t length,
	int64_t next_position, uint64_t ino, uint8_t type)
{
	struct filter *filter = container_of(context, struct filter, context);

	if (overlay_name_find(filter->directory, text)) {
		context->position = next_position;
		return true;
	}
	if (!filter->to->emit(filter->to, text, length, next_position, ino, type)) {
		filter->full = true;
		return false;
	}
	context->position = next_position;
	return true;
}

/* Until the lower directory has no more. *full: the reader had no more room. */
static int read_lower(
	struct file *lower, struct overlay_node *directory, struct dir_context *to, bool *full)
{
	struct filter filter = {
		.context = {.position = to->position, .emit = emit_unchanged},
		.to = to,
		.directory = directory,
	};
	int64_t before;
	int error;

	do {
		before = filter.context.position;
		error = lower->ops->iterate(lower, &filter.context);
	} while (!error && !filter.full && filter.context.position != before);
	*full = filter.full;
	return error;
}

/* CHANGED_BASE itself stands for the newest name that the stream shows; the end is below every
 * cookie. */
static int read_changed(
	struct overlay_stream *stream, struct overlay_node *directory, struct dir_context *to)
{
	int64_t cookie =
		to->position == CHANGED_BASE ? stream->newest : to->position - CHANGED_BASE - 1;
	struct overlay_name *name;

	while ((name = overlay_name_at_or_below(directory, cookie))) {
		const struct inode *inode = name->inode;

		cookie = name->cookie - 1;
		if (inode &&
			!to->emit(to, name->text, strlen(name->text), CHANGED_BASE + cookie + 1,
				inode->attributes.ino, LINUX_IFTODT(inode->attributes.mode)))
			return 0;
	}
	return 0;
}

static int start_over(struct overlay_stream *stream, struct overlay_node *directory)
{
	stream->newest = directory->last_cookie;
	if (stream->lower || !directory->lower)
		return 0;
	return overlay_real_open(directory->lower, FILE_READ, LINUX_O_RDONLY, &stream->lower);
}

static int overlay_iterate(struct file *file, struct dir_context *context)
{
	struct overlay_node *directory = overlay_node_of(file->inode);
	struct overlay_stream *stream = file->private;
	bool full = false;
	int error = 0;

	if (context->position <= FIRST_POSITION || (!stream->lower && directory->lower))
		error = start_over(stream, directory);
	if (!error && context->position < CHANGED_BASE && stream->lower)
		error = read_lower(overlay_real_file(stream->lower), directory, context, &full);
	if (error || full)
		return error;
	if (context->position < CHANGED_BASE)
		context->position = CHANGED_BASE;
	return read_changed(stream, directory, context);
}

static bool emit_nothing(struct dir_context *context, const char *text, size_t length,
	int64_t next_position, uint64_t ino, uint8_t type)
{
	return false;
}

static int read_unchanged(struct overlay_node *directory, struct dir_context *context, bool *full)
{
	struct overlay_real *lower;
	int error;

	*full = false;
	if (!directory->lower)
		return 0;
	error = overlay_real_open(directory->lower, FILE_READ, LINUX_O_RDONLY, &lower);
	if (error)
		return error;
	error = read_lower(overlay_real_file(lower), directory, context, full);
	overlay_real_close(lower);
	return error;
}

struct name_list {
	struct dir_context context;
	char *text;
	size_t size, room;
	bool failed;
};

static bool collect(struct dir_context *context, const char *name, size_t length,
	int64_t next_position, uint64_t ino, uint8_t type)
{
	struct name_list *list = container_of(context, struct name_list, context);

	if (list->room - list->size < length + 1) {
		size_t room = 2 * list->room + length + 1;
		char *text = realloc(list->text, room);

		list->failed = !text;
		if (!text)
			return false;
		list->text = text;
		list->room = room;
	}
	memcpy(list->text + list->size, name, length);
	list->text[list->size + length] = '\0';
	list->size += length + 1;
	return true;
}

int overlay_unchanged_names(struct overlay_node *directory, char **names, size_t *size)
{
	struct name_list list = {.context = {.position = FIRST_POSITION, .emit = collect}};
	bool full;
	int error = read_unchanged(directory, &list.context, &full);

	if (list.failed)
		error = -ENOMEM;
	if (error)
		free(list.text);
	*names = error ? NULL : list.text;
	*size = error ? 0 : list.size;
	return error;
}

int overlay_check_empty(struct inode *inode)
{
	struct overlay_node *directory = overlay_node_of(inode);
	struct dir_context context = {.position = FIRST_POSITION, .emit = emit_nothing};
	bool full;
	int error;

	if (overlay_name_any_visible(directory))
		return -ENOTEMPTY;
	error = read_unchanged(directory, &context, &full);
	if (error)
		return error;
	return full ? -ENOTEMPTY : 0;
}

const struct file_operations overlay_directory_ops = {
	.iterate = overlay_iterate,
	.release = overlay_release_directory,
};
