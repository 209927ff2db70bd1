/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts one by one, by their unique ids. What is told is collected with the mount lock held; names
 * are made without it.
 *
 * Differs from Linux: the options of the super block come as one string only (no
 * STATMOUNT_OPT_ARRAY), and no mount has an id map.
 */
#include "sentry/vfs/mount_stat.h"

#include "abi/limits.h"
#include "abi/stat.h"
#include "sentry/vfs/dentry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct mount *find_locked(struct mount_namespace *ns, uint64_t id)
{
	struct mount *mount;

	TAILQ_FOREACH (mount, &ns->mounts, ns_link)
		if (mount->unique_id == id)
			break;
	return mount;
}

/* Does root lead to the mount's root? */
static bool is_reachable_locked(const struct mount *mount, const struct path *root)
{
	const struct dentry *dentry = mount->root;
	bool below;

	while (mount != root->mount) {
		if (!mount->parent)
			return false;
		dentry = mount->mountpoint;
		mount = mount->parent;
	}
	dentry_tree_lock();
	below = dentry_is_below(dentry, root->dentry);
	dentry_tree_unlock();
	return below;
}

static uint64_t attributes(unsigned long flags)
{
	static const struct {
		unsigned long flag;
		uint64_t attribute;
	} map[] = {
		{LINUX_MS_RDONLY, LINUX_MOUNT_ATTR_RDONLY},
		{LINUX_MS_NOSUID, LINUX_MOUNT_ATTR_NOSUID},
		{LINUX_MS_NODEV, LINUX_MOUNT_ATTR_NODEV},
		{LINUX_MS_NOEXEC, LINUX_MOUNT_ATTR_NOEXEC},
		{LINUX_MS_NODIRATIME, LINUX_MOUNT_ATTR_NODIRATIME},
		{LINUX_MS_NOSYMFOLLOW, LINUX_MOUNT_ATTR_NOSYMFOLLOW},
	};
	uint64_t result = 0;

	for (size_t i = 0; i < array_count(map); i++)
		if (flags & map[i].flag)
			result |= map[i].attribute;
	if (flags & LINUX_MS_NOATIME)
		result |= LINUX_MOUNT_ATTR_NOATIME;
	else if (!(flags & LINUX_MS_RELATIME))
		result |= LINUX_MOUNT_ATTR_STRICTATIME;
	return result;
}

static void fill_basic_locked(const struct mount *mount, struct linux_statmount *out)
{
	const struct mount *parent = mount->parent ? mount->parent : mount;

	out->mnt_id = mount->unique_id;
	out->mnt_parent_id = parent->unique_id;
	out->mnt_id_old = (uint32_t)mount->id;
	out->mnt_parent_id_old = (uint32_t)parent->id;
	out->mnt_attr = attributes(mount->flags);
	out->mnt_propagation = (mount->peer_group ? LINUX_MS_SHARED : 0) |
			       (mount->master_group ? LINUX_MS_SLAVE : 0);
	if (mount->propagation == LINUX_MS_UNBINDABLE)
		out->mnt_propagation |= LINUX_MS_UNBINDABLE;
	if (!out->mnt_propagation)
		out->mnt_propagation = LINUX_MS_PRIVATE;
	out->mnt_peer_group = (uint64_t)mount->peer_group;
	out->mnt_master = (uint64_t)mount->master_group;
}

static void fill_locked(const struct mount *mount, uint64_t mask, struct linux_statmount *out)
{
	const struct super_block *sb = mount->sb;

	if (mask & LINUX_STATMOUNT_SB_BASIC) {
		out->sb_dev_major = LINUX_MAJOR(sb->dev);
		out->sb_dev_minor = LINUX_MINOR(sb->dev);
		out->sb_magic = sb->magic;
		out->sb_flags = sb->read_only ? LINUX_MS_RDONLY : 0;
	}
	if (mask & LINUX_STATMOUNT_MNT_BASIC)
		fill_basic_locked(mount, out);
	if (mask & LINUX_STATMOUNT_PROPAGATE_FROM)
		out->propagate_from = (uint64_t)mount->master_group;
	if (mask & LINUX_STATMOUNT_MNT_NS_ID)
		out->mnt_ns_id = mount->ns->ino;
	if (mask & LINUX_STATMOUNT_SUPPORTED_MASK)
		out->supported_mask = LINUX_STATMOUNT_SUPPORTED;
	out->mask = mask & (LINUX_STATMOUNT_SB_BASIC | LINUX_STATMOUNT_MNT_BASIC |
				   LINUX_STATMOUNT_PROPAGATE_FROM | LINUX_STATMOUNT_MNT_NS_ID |
				   LINUX_STATMOUNT_SUPPORTED_MASK);
}

/* Offset 0 is an empty string, for all that is not there. */
static uint32_t add_string(struct text_writer *strings, const char *text)
{
	uint32_t offset;

	if (!strings->size)
		text_append(strings, "", 1);
	offset = (uint32_t)strings->size;
	text_append(strings, text, strlen(text) + 1);
	return offset;
}

static uint32_t add_path(
	struct text_writer *strings, const struct path *path, const struct path *root)
{
	uninitialized_ char buffer[LINUX_PATH_MAX];
	bool reachable;
	char *name = path_name_plain(path, root, buffer, sizeof(buffer), &reachable);

	return add_string(strings, name && (reachable || !root) ? name : "");
}

/* The mount's root within its file system. */
static uint32_t add_root(struct text_writer *strings, const struct mount *mount)
{
	struct mount whole = {.root = mount->sb->root};
	struct path path = {&whole, mount->root};

	if (mount->root == mount->sb->root)
		return add_string(strings, "/");
	return add_path(strings, &path, NULL);
}

static void add_options(
	struct text_writer *strings, struct super_block *sb, struct linux_statmount *out)
{
	char options[1024] = "";

	if (sb->ops->show_options)
		sb->ops->show_options(sb, options, sizeof(options));
	if (!options[0])
		return;
	out->mnt_opts = add_string(strings, options[0] == ',' ? options + 1 : options);
	out->mask |= LINUX_STATMOUNT_MNT_OPTS;
}

static void add_strings(struct mount *mount, const struct path *root, uint64_t mask,
	struct linux_statmount *out, struct text_writer *strings)
{
	struct path top = {mount, mount->root};
	struct super_block *sb = mount->sb;

	if (mask & LINUX_STATMOUNT_FS_TYPE)
		out->fs_type = add_string(strings, sb->type->name);
	if (mask & LINUX_STATMOUNT_MNT_ROOT)
		out->mnt_root = add_root(strings, mount);
	if (mask & LINUX_STATMOUNT_MNT_POINT)
		out->mnt_point = add_path(strings, &top, root);
	if (mask & LINUX_STATMOUNT_MNT_OPTS)
		add_options(strings, sb, out);
	if ((mask & LINUX_STATMOUNT_FS_SUBTYPE) && sb->subtype[0]) {
		out->fs_subtype = add_string(strings, sb->subtype);
		out->mask |= LINUX_STATMOUNT_FS_SUBTYPE;
	}
	if (mask & LINUX_STATMOUNT_SB_SOURCE)
		out->sb_source = add_string(strings, mount->source);
	out->mask |= mask & (LINUX_STATMOUNT_FS_TYPE | LINUX_STATMOUNT_MNT_ROOT |
				    LINUX_STATMOUNT_MNT_POINT | LINUX_STATMOUNT_SB_SOURCE);
}

int mount_stat(struct mount_namespace *ns, const struct path *root, uint64_t id, uint64_t mask,
	bool privileged, struct linux_statmount *out, struct text_writer *strings)
{
	struct mount *mount;
	int result = 0;

	memset(out, 0, sizeof(*out));
	mount_lock();
	mount = find_locked(ns, id);
	if (!mount)
		result = -ENOENT;
	else if (!privileged && !is_reachable_locked(mount, root))
		result = -EPERM;
	if (result == 0) {
		fill_locked(mount, mask, out);
		mount_get(mount);
	}
	mount_unlock();
	if (result)
		return result;
	add_strings(mount, root, mask, out, strings);
	mount_put(mount);
	return text_writer_failed(strings) ? -ENOMEM : 0;
}

static int compare_ids(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

/* All below a place; ids has room for all of the namespace. */
static ssize_t collect_locked(struct mount_namespace *ns, const struct path *root, uint64_t id,
	bool privileged, uint64_t *ids)
{
	const struct mount *mount;
	struct path from = *root;
	size_t count = 0;

	if (id != LINUX_LSMT_ROOT) {
		from.mount = find_locked(ns, id);
		if (!from.mount)
			return -ENOENT;
		from.dentry = from.mount->root;
		if (!privileged && !is_reachable_locked(from.mount, root))
			return -EPERM;
	}
	TAILQ_FOREACH (mount, &ns->mounts, ns_link)
		if (mount->unique_id != id && is_reachable_locked(mount, &from))
			ids[count++] = mount->unique_id;
	return (ssize_t)count;
}

/* The page of a sorted list after last. */
static size_t pick(
	const uint64_t *all, size_t total, uint64_t last, bool reverse, uint64_t *ids, size_t count)
{
	size_t picked = 0;

	for (size_t i = 0; i < total && picked < count; i++) {
		uint64_t id = all[reverse ? total - 1 - i : i];

		if (!last || (reverse ? id < last : id > last))
			ids[picked++] = id;
	}
	return picked;
}

ssize_t mount_list_ids(struct mount_namespace *ns, const struct path *root, uint64_t id,
	uint64_t last, bool reverse, bool privileged, uint64_t *ids, size_t count)
{
	ssize_t total;
	uint64_t *all;

	mount_lock();
	all = calloc(ns->count + 1, sizeof(*all));
	total = all ? collect_locked(ns, root, id, privileged, all) : -ENOMEM;
	mount_unlock();
	if (total > 0) {
		qsort(all, (size_t)total, sizeof(*all), compare_ids);
		total = (ssize_t)pick(all, (size_t)total, last, reverse, ids, count);
	}
	free(all);
	return total;
}
