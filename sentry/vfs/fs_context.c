/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File systems under construction (fsopen(2), fspick(2), fsconfig(2)).
 *
 * Differs from Linux: options are collected as the text that mount(2) takes, and judged all at once
 * by CMD_CREATE; the log that read(2) gives is always empty (ENODATA).
 */
#include "abi/fcntl.h"
#include "abi/mount.h"
#include "base/text_writer.h"
#include "sentry/lock_order.h"
#include "sentry/security/landlock/landlock.h"
#include "sentry/vfs/mount_file.h"
#include "sentry/vfs/permission.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS_MAX 4096

struct fs_context {
	struct mutex lock; /* RANK_FILE + 1: of all below */
	const struct file_system_type *type;
	struct text_writer options;
	char *source;
	bool read_only;
	bool created;		/* once is enough */
	struct super_block *sb; /* a reference: until it is mounted, or what fspick(2) picked */
	struct path picked;	/* references; fspick(2) */
};

static int64_t fs_context_read(struct file *file, struct iov_iter *to, int64_t *position)
{
	return -ENODATA;
}

static void fs_context_free(struct fs_context *context)
{
	if (context->sb)
		super_block_put(context->sb);
	path_put(&context->picked);
	text_writer_free(&context->options);
	free(context->source);
	mutex_destroy(&context->lock);
	free(context);
}

static void fs_context_release(struct file *file)
{
	fs_context_free(file->private);
}

static const struct file_operations fs_context_operations = {
	.read = fs_context_read,
	.release = fs_context_release,
	.name = "[fscontext]",
};

bool file_is_fs_context(const struct file *file)
{
	return file->ops == &fs_context_operations;
}

static int fs_context_new(
	const struct file_system_type *type, struct fs_context **context, struct file **out)
{
	struct inode *inode = anon_inode_get();
	int result;

	if (!inode)
		return -ENOMEM;
	*context = calloc(1, sizeof(**context));
	if (!*context) {
		inode_put(inode);
		return -ENOMEM;
	}
	mutex_init(&(*context)->lock, RANK_FILE + 1, "fs context");
	(*context)->type = type;
	result = file_new_anonymous(inode, &fs_context_operations, FILE_READ | FILE_STREAM,
		LINUX_O_RDWR, *context, fs_context_operations.name, out);
	if (result)
		fs_context_free(*context);
	return result;
}

int fs_context_open(const char *type, struct file **out)
{
	const struct file_system_type *fs = file_system_find(type);
	struct fs_context *context;

	return fs ? fs_context_new(fs, &context, out) : -ENODEV;
}

int fs_context_pick(const struct path *path, struct file **out)
{
	struct fs_context *context;
	int result;

	if (path->dentry != path->mount->root)
		return -EINVAL;
	result = fs_context_new(path->mount->sb->type, &context, out);
	if (result)
		return result;
	context->picked = *path;
	path_get(&context->picked);
	context->read_only = path->mount->sb->read_only;
	context->created = true;
	return 0;
}

static int set_source(struct fs_context *context, const char *value)
{
	if (!value || context->source)
		return -EINVAL;
	context->source = strdup(value);
	return context->source ? 0 : -ENOMEM;
}

static int add_option(struct fs_context *context, const char *key, const char *value)
{
	/* A comma would be the end of the option. */
	if (strchr(key, ',') || (value && strchr(value, ',')))
		return -EINVAL;
	if (context->options.size + strlen(key) + (value ? strlen(value) : 0) + 3 > OPTIONS_MAX)
		return -E2BIG;
	text_printf(&context->options, "%s%s%s%s", context->options.size ? "," : "", key,
		value ? "=" : "", value ? value : "");
	return text_writer_failed(&context->options) ? -ENOMEM : 0;
}

int fs_context_set(struct file *file, const char *key, const char *value)
{
	struct fs_context *context = file->private;

	mutex_guard(&context->lock);
	if (context->created && !context->picked.mount)
		return -EBUSY;
	if (!strcmp(key, "source"))
		return set_source(context, value);
	if (!value && (!strcmp(key, "ro") || !strcmp(key, "rw"))) {
		context->read_only = key[1] == 'o';
		return 0;
	}
	if (context->type->check_option) {
		int result = context->type->check_option(key, value);

		if (result)
			return result;
	}
	return add_option(context, key, value);
}

/* Made outside of the lock; only one caller gets that far. */
int fs_context_create(struct file *file, bool exclusive)
{
	struct fs_context *context = file->private;
	struct super_block *sb;
	int result;

	mutex_lock(&context->lock);
	result = context->created ? -EBUSY : 0;
	context->created = true;
	mutex_unlock(&context->lock);
	if (result)
		return result;
	result = context->type->mount(context->type, context->source,
		context->read_only ? LINUX_MS_RDONLY : 0, context->options.text, &sb);
	if (result)
		return result;
	sb->read_only |= context->read_only;
	mutex_guard(&context->lock);
	context->sb = sb;
	return 0;
}

int fs_context_reconfigure(struct file *file)
{
	struct fs_context *context = file->private;
	struct super_block *sb;
	unsigned long flags = context->read_only ? LINUX_MS_RDONLY : 0;
	int result;

	if (!context->picked.mount)
		return -EINVAL;
	result = landlock_check_mounts();
	if (result)
		return result;
	sb = context->picked.mount->sb;
	if (context->read_only && atomic_load(&context->picked.mount->writers))
		return -EBUSY;
	result = sb->ops->remount ? sb->ops->remount(sb, flags, context->options.text) : 0;
	if (result == 0)
		sb->read_only = context->read_only;
	return result;
}

int fs_context_mount(struct file *file, unsigned long flags, struct file **out)
{
	struct fs_context *context = file->private;
	struct super_block *sb;
	struct mount *mount;
	int result;

	mutex_lock(&context->lock);
	sb = context->sb;
	context->sb = NULL;
	mutex_unlock(&context->lock);
	/* Not made yet, or mounted already. */
	if (!sb)
		return context->created ? -EBUSY : -EINVAL;
	result = mount_new(sb, sb->root, context->source, flags, &mount);
	super_block_put(sb);
	return result ? result : mount_file_new(mount, out);
}
