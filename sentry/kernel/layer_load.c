/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a layer with libarchive, inside the jail: the archive is as hostile as any guest.
 *
 * Differs from what engines do: no entry may lie behind a symlink.
 */
#include "sentry/kernel/layer_load.h"

#include "abi/limits.h"
#include "abi/stat.h"
#include "abi/xattr.h"
#include "base/log.h"
#include "sentry/fs/overlay/overlay.h"
#include "sentry/kernel/credentials.h"
#include "sentry/vfs/dentry.h"
#include "sentry/vfs/inode.h"
#include "sentry/vfs/inode_acl.h"
#include "sentry/vfs/super_block.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OPAQUE	 ".wh..wh..opq"
#define WHITEOUT ".wh."

struct loader {
	int fd;
	struct archive *archive;
	struct inode *root;
	const char *destination, *nested;
	struct cred *cred;
	char buffer[1 << 16];
};

/* A place in the tree: a directory, and a name in it. */
struct place {
	struct inode *directory; /* a reference */
	char name[LINUX_NAME_MAX + 1];
};

/* --- names --- */

/* "./a//b/" becomes "/a/b". False for what leads out of the tree. */
static bool clean_path(const char *name, char path[LINUX_PATH_MAX])
{
	size_t size = 0;

	while (*name) {
		size_t length = strcspn(name, "/");

		if (length > LINUX_NAME_MAX || size + length + 2 > LINUX_PATH_MAX ||
			(length == 2 && !memcmp(name, "..", 2)))
			return false;
		if (length && !(length == 1 && *name == '.')) {
			path[size++] = '/';
			memcpy(path + size, name, length);
			size += length;
		}
		name += length + (name[length] == '/');
	}
	path[size] = '\0';
	return true;
}

/* The rest of path below directory, "" for itself; NULL if it lies elsewhere. */
static const char *below(const char *path, const char *directory)
{
	size_t size = strlen(directory);

	if (!strcmp(directory, "/"))
		return path;
	if (strncmp(path, directory, size) != 0 || (path[size] && path[size] != '/'))
		return NULL;
	return path + size;
}

static int lookup(struct inode *directory, const char *name, struct inode **out)
{
	mutex_guard(&directory->lock);
	return directory->ops->lookup(directory, name, out);
}

static int make(struct loader *loader, struct inode *directory, const char *name, uint32_t mode,
	uint64_t rdev, const char *target, struct inode **out)
{
	mutex_guard(&directory->lock);
	if (target)
		return directory->ops->symlink(directory, name, target, loader->cred, out);
	return directory->ops->create(directory, name, mode, rdev, loader->cred, out);
}

/* One step down; what is not there becomes a directory. Consumes the reference. */
static int step(struct loader *loader, struct inode **at, const char *name)
{
	struct inode *next;
	int error;

	if (!inode_is_type(*at, LINUX_S_IFDIR))
		return -ENOTDIR;
	error = lookup(*at, name, &next);
	if (error == -ENOENT)
		error = make(loader, *at, name, LINUX_S_IFDIR | 0755, 0, NULL, &next);
	if (error)
		return error;
	inode_put(*at);
	*at = next;
	return 0;
}

/* path is clean and not the root; the directories above its last name are made. */
static int find_place(struct loader *loader, const char *path, struct place *place)
{
	int error = 0;

	place->directory = inode_get(loader->root);
	while (!error) {
		size_t length = strcspn(path + 1, "/");

		memcpy(place->name, path + 1, length);
		place->name[length] = '\0';
		path += 1 + length;
		if (!*path)
			break;
		error = step(loader, &place->directory, place->name);
	}
	if (!error && !inode_is_type(place->directory, LINUX_S_IFDIR))
		error = -ENOTDIR;
	if (error)
		inode_put(place->directory);
	return error;
}

/* --- entries --- */

static int error_of(struct loader *loader)
{
	int error = archive_errno(loader->archive);

	log_warning("a layer: %s", archive_error_string(loader->archive));
	return error == ENOMEM ? -ENOMEM : -EINVAL;
}

static struct linux_timespec time_of(int64_t seconds, int64_t ns)
{
	return (struct linux_timespec){.tv_sec = seconds, .tv_nsec = ns};
}

static int set_attributes(struct inode *inode, struct archive_entry *entry)
{
	struct inode_attributes attributes = {
		.mode = archive_entry_perm(entry),
		.uid = (uint32_t)archive_entry_uid(entry),
		.gid = (uint32_t)archive_entry_gid(entry),
		.mtime = time_of(archive_entry_mtime(entry), archive_entry_mtime_nsec(entry)),
	};

	attributes.atime = attributes.mtime;
	mutex_guard(&inode->lock);
	return inode->ops->setattr(inode, &attributes,
		ATTRIBUTE_MODE | ATTRIBUTE_UID | ATTRIBUTE_GID | ATTRIBUTE_MTIME | ATTRIBUTE_ATIME);
}

static int set_xattr(struct inode *inode, const char *name, const void *value, size_t size)
{
	enum posix_acl_type acl = posix_acl_type_of(name);

	if (acl != POSIX_ACL_TYPES)
		return inode_acl_store(inode, acl, value, size);
	return inode->ops->setxattr(inode, name, value, size, 0);
}

/* What cannot be kept is left out. */
static int set_xattrs(struct inode *inode, struct archive_entry *entry)
{
	const char *name;
	const void *value;
	size_t size;
	int error = 0;

	archive_entry_xattr_reset(entry);
	while (!error && archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
		if (name && strlen(name) <= LINUX_NAME_MAX && size <= LINUX_XATTR_SIZE_MAX)
			error = set_xattr(inode, name, value, size);
		if (error != -ENOMEM && error != -ENOSPC)
			error = 0;
	}
	return error;
}

static int read_contents(struct loader *loader, struct inode *inode, struct archive_entry *entry)
{
	struct inode_attributes attributes = {.size = (uint64_t)archive_entry_size(entry)};
	struct overlay_contents *contents;
	const void *data;
	la_int64_t offset;
	size_t size;
	int result, error = overlay_contents_open(inode, true, &contents);

	if (error)
		return error;
	while ((result = archive_read_data_block(loader->archive, &data, &size, &offset)) ==
		ARCHIVE_OK) {
		error = offset < 0 ? -EINVAL : overlay_contents_write(contents, data, size, offset);
		if (error)
			break;
	}
	overlay_contents_close(contents);
	if (!error && result != ARCHIVE_EOF)
		error = error_of(loader);
	if (error || attributes.size > INT64_MAX)
		return error ? error : -EINVAL;
	mutex_guard(&inode->lock);
	return inode->ops->setattr(inode, &attributes, ATTRIBUTE_SIZE);
}

static int add_hardlink(struct loader *loader, struct place *place, const char *target)
{
	uninitialized_ char path[LINUX_PATH_MAX];
	struct place from;
	struct inode *inode;
	const char *rest;
	int error;

	if (!clean_path(target, path))
		return -EINVAL;
	rest = below(path, loader->destination);
	if (!rest || !*rest)
		return -EINVAL;
	error = find_place(loader, rest, &from);
	if (error)
		return error;
	error = lookup(from.directory, from.name, &inode);
	inode_put(from.directory);
	if (error)
		return error;
	if (inode_is_type(inode, LINUX_S_IFDIR)) {
		error = -EPERM;
	} else {
		mutex_lock(&place->directory->lock);
		mutex_lock_nested(&inode->lock);
		error = place->directory->ops->link(place->directory, place->name, inode);
		mutex_unlock(&inode->lock);
		mutex_unlock(&place->directory->lock);
	}
	inode_put(inode);
	return error;
}

/* The inode that an entry is about: a directory stays one, anything else takes the name's place. */
static int take_place(
	struct loader *loader, struct place *place, struct archive_entry *entry, struct inode **out)
{
	uint32_t mode = archive_entry_mode(entry);
	int error = lookup(place->directory, place->name, out);

	if (!error && LINUX_S_ISDIR(mode) && inode_is_type(*out, LINUX_S_IFDIR))
		return 0;
	if (!error) {
		inode_put(*out);
		error = overlay_remove_all(place->directory, place->name);
	}
	if (error && error != -ENOENT)
		return error;
	*out = NULL;
	if (archive_entry_hardlink(entry))
		return add_hardlink(loader, place, archive_entry_hardlink(entry));
	if (LINUX_S_ISLNK(mode) && !archive_entry_symlink(entry))
		return -EINVAL;
	return make(loader, place->directory, place->name, mode, archive_entry_rdev(entry),
		LINUX_S_ISLNK(mode) ? archive_entry_symlink(entry) : NULL, out);
}

static int add_file(struct loader *loader, struct place *place, struct archive_entry *entry)
{
	struct inode *inode;
	int error = take_place(loader, place, entry, &inode);

	if (error || !inode)
		return error;
	if (inode_is_type(inode, LINUX_S_IFREG))
		error = read_contents(loader, inode, entry);
	if (!error)
		error = set_xattrs(inode, entry);
	if (!error)
		error = set_attributes(inode, entry);
	inode_put(inode);
	return error;
}

static int add_entry(struct loader *loader, const char *path, struct archive_entry *entry)
{
	struct place place;
	int error;

	if (!*path) {
		/* The root itself: a directory that is there. */
		error = LINUX_S_ISDIR(archive_entry_mode(entry)) ? set_xattrs(loader->root, entry)
								 : -EINVAL;
		return error ? error : set_attributes(loader->root, entry);
	}
	error = find_place(loader, path, &place);
	if (error)
		return error;
	if (!strcmp(place.name, OPAQUE))
		error = overlay_remove_all(place.directory, NULL);
	else if (!strncmp(place.name, WHITEOUT, strlen(WHITEOUT)))
		error = place.name[strlen(WHITEOUT)]
				? overlay_remove_all(place.directory, place.name + strlen(WHITEOUT))
				: -EINVAL;
	else
		error = add_file(loader, &place, entry);
	inode_put(place.directory);
	return error;
}

/* --- the whole --- */

static la_ssize_t read_bytes(struct archive *archive, void *argument, const void **buffer)
{
	struct loader *loader = argument;

	*buffer = loader->buffer;
	return read(loader->fd, loader->buffer, sizeof(loader->buffer));
}

static int begin(struct loader *loader)
{
	loader->archive = archive_read_new();
	if (!loader->archive)
		return -ENOMEM;
	archive_read_support_filter_gzip(loader->archive);
	archive_read_support_filter_zstd(loader->archive);
	archive_read_support_format_tar(loader->archive);
	archive_read_set_options(loader->archive, "tar:hdrcharset=BINARY");
	if (lseek(loader->fd, 0, SEEK_SET) < 0)
		return -errno;
	if (archive_read_open(loader->archive, loader, NULL, read_bytes, NULL) != ARCHIVE_OK)
		return error_of(loader);
	return 0;
}

static int load_entry(struct loader *loader, struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry), *rest;
	uninitialized_ char path[LINUX_PATH_MAX];
	int error;

	if (!name || !clean_path(name, path))
		return -EINVAL;
	rest = below(path, loader->destination);
	if (!rest || (loader->nested && below(path, loader->nested)))
		return 0;
	error = add_entry(loader, rest, entry);
	if (error)
		log_warning("a layer: %s: error %d", path, -error);
	return error;
}

static int load_all(struct loader *loader)
{
	struct archive_entry *entry;
	int result, error = 0;

	while (!error &&
		(result = archive_read_next_header(loader->archive, &entry)) >= ARCHIVE_WARN &&
		result != ARCHIVE_EOF)
		error = load_entry(loader, entry);
	if (!error && result != ARCHIVE_EOF)
		error = error_of(loader);
	return error;
}

int layer_load(int fd, struct super_block *overlay, const char *destination, const char *nested)
{
	struct loader *loader = calloc(1, sizeof(*loader));
	int error;

	if (!loader)
		return -ENOMEM;
	loader->fd = fd;
	loader->root = dentry_inode(overlay->root);
	loader->destination = destination;
	loader->nested = nested;
	error = cred_new_root(&loader->cred);
	if (!error)
		error = begin(loader);
	if (!error)
		error = load_all(loader);
	archive_read_free(loader->archive);
	if (loader->cred)
		cred_put(loader->cred);
	free(loader);
	/* What the next layer calls opaque is about this one. */
	if (!error)
		overlay_set_baseline(overlay);
	return error;
}
