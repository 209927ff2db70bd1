/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tmpfs that begins with what it covers ("tmpcopyup" of container engines): names, modes, owners
 * and contents, one tree into another that nobody else has seen.
 */
#include "abi/fcntl.h"
#include "abi/limits.h"
#include "abi/stat.h"
#include "base/cleanup.h"
#include "sentry/fs/tmpfs/tmpfs.h"
#include "sentry/kernel/container_private.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/inode.h"
#include "sentry/vfs/readdir.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 32
#define NAMES_MAX (1u << 20) /* bytes of names of one directory */

/* Names of a directory, one behind the other, each with its NUL. */
struct names {
	struct dir_context context;
	char *text;
	size_t size;
	int error;
};

static bool take_name(struct dir_context *context, const char *name, size_t length,
	int64_t next_position, uint64_t ino, uint8_t type)
{
	struct names *names = container_of(context, struct names, context);
	char *longer;

	context->position = next_position;
	if ((length == 1 && name[0] == '.') || (length == 2 && !memcmp(name, "..", 2)))
		return true;
	longer = names->size + length + 1 <= NAMES_MAX
			 ? realloc(names->text, names->size + length + 1)
			 : NULL;
	if (!longer) {
		names->error = -ENOMEM;
		return false;
	}
	memcpy(longer + names->size, name, length);
	longer[names->size + length] = '\0';
	names->text = longer;
	names->size += length + 1;
	return true;
}

static int read_names(const struct path *directory, struct names *names)
{
	struct file *file;
	size_t before;
	int err =
		file_open_path(directory, LINUX_O_RDONLY | LINUX_O_DIRECTORY, current->cred, &file);

	*names = (struct names){.context.emit = take_name};
	if (err)
		return err;
	do {
		before = names->size;
		err = file_iterate(file, &names->context);
	} while (err >= 0 && !names->error && names->size > before);
	file_put(file);
	return err < 0 ? err : names->error;
}

static int copy_contents(const struct path *from, struct inode *to)
{
	struct file *file;
	int err = file_open_path(from, LINUX_O_RDONLY, current->cred, &file);

	if (err)
		return err;
	err = tmpfs_fill_from(to, file, path_inode(from)->attributes.size);
	file_put(file);
	return err;
}

static int copy_attributes(struct inode *from, struct inode *to)
{
	const unsigned int mask = ATTRIBUTE_MODE | ATTRIBUTE_UID | ATTRIBUTE_GID | ATTRIBUTE_MTIME;
	struct inode_attributes attributes = from->attributes;
	int err;

	if (!to->ops->setattr || inode_is_type(to, LINUX_S_IFLNK))
		return 0;
	mutex_lock(&to->lock);
	err = to->ops->setattr(to, &attributes, mask);
	mutex_unlock(&to->lock);
	return err;
}

static int read_target(struct inode *inode, char target[LINUX_PATH_MAX])
{
	const char *link = inode->link;
	int64_t size;

	target[0] = '\0';
	if (!inode_is_type(inode, LINUX_S_IFLNK))
		return 0;
	if (link) {
		(void)strncat(target, link, LINUX_PATH_MAX - 1);
		return 0;
	}
	size = inode->ops->readlink ? inode->ops->readlink(inode, target, LINUX_PATH_MAX - 1)
				    : -EINVAL;
	if (size < 0)
		return (int)size;
	target[size] = '\0';
	return 0;
}

static int copy_tree(const struct path *from, struct inode *to, unsigned int depth);

static int copy_one(
	const struct path *from, struct inode *directory, const char *name, unsigned int depth)
{
	auto_free char *target = malloc(LINUX_PATH_MAX);
	struct inode *inode = path_inode(from), *made;
	int err = target ? 0 : -ENOMEM;

	if (!err && inode->ops->getattr)
		err = inode->ops->getattr(inode);
	if (!err)
		err = read_target(inode, target);
	if (!err)
		err = tmpfs_populate(directory, name, inode->attributes.mode,
			inode->attributes.rdev, target[0] ? target : NULL, &made);
	if (err)
		return err;
	if (inode_is_type(inode, LINUX_S_IFREG))
		err = copy_contents(from, made);
	else if (inode_is_type(inode, LINUX_S_IFDIR))
		err = copy_tree(from, made, depth + 1);
	if (!err)
		err = copy_attributes(inode, made);
	inode_put(made);
	return err;
}

static int copy_tree(const struct path *from, struct inode *to, unsigned int depth)
{
	struct names names;
	int err = depth < DEPTH_MAX ? read_names(from, &names) : -ELOOP;

	if (depth >= DEPTH_MAX)
		return err;
	for (size_t at = 0; at < names.size && !err; at += strlen(names.text + at) + 1) {
		struct path path;

		err = path_lookup_at(from, from, names.text + at, 0, &path);
		if (err)
			break;
		err = copy_one(&path, to, names.text + at, depth);
		path_put(&path);
	}
	free(names.text);
	return err;
}

int container_copy_up(const struct path *from, struct inode *to)
{
	int err = copy_tree(from, to, 0);

	return err ? err : copy_attributes(path_inode(from), to);
}
