/* SPDX-License-Identifier: Apache-2.0 */
/* The text of /proc/PID/mounts, mountinfo and mountstats. Mounts are collected with the lock held
 * and written without it. */
#include "sentry/vfs/mount_show.h"

#include "abi/limits.h"
#include "abi/mount.h"
#include "abi/stat.h"
#include "sentry/vfs/dentry.h"
#include "sentry/vfs/mount.h"

#include <stdlib.h>
#include <string.h>

struct shown {
	struct mount *mount; /* a reference */
	int parent_id, peer_group, master_group;
	bool unbindable;
	unsigned long flags;
};

static size_t collect(struct mount_namespace *ns, struct shown **out)
{
	struct mount *mount;
	struct shown *all;
	size_t count = 0;

	mount_lock();
	all = calloc(ns->count ? ns->count : 1, sizeof(*all));
	if (all) {
		TAILQ_FOREACH (mount, &ns->mounts, ns_link)
			all[count++] = (struct shown){
				.mount = mount_get(mount),
				.parent_id = mount->parent ? mount->parent->id : mount->id,
				.peer_group = mount->peer_group,
				.master_group = mount->master_group,
				.unbindable = mount->propagation == LINUX_MS_UNBINDABLE,
				.flags = mount->flags,
			};
	}
	mount_unlock();
	*out = all;
	return count;
}

/* Spaces and the like as octal, so that a line can be taken apart again. */
static void escape(struct text_writer *out, const char *text)
{
	for (; *text; text++) {
		if (strchr(" \t\n\\#", *text))
			text_printf(out, "\\%03o", (unsigned char)*text);
		else
			text_append(out, text, 1);
	}
}

static void show_flags(struct text_writer *out, unsigned long flags)
{
	static const struct {
		unsigned long flag;
		const char *text;
	} names[] = {
		{LINUX_MS_NOSUID, ",nosuid"},
		{LINUX_MS_NODEV, ",nodev"},
		{LINUX_MS_NOEXEC, ",noexec"},
		{LINUX_MS_NOATIME, ",noatime"},
		{LINUX_MS_NODIRATIME, ",nodiratime"},
		{LINUX_MS_RELATIME, ",relatime"},
		{LINUX_MS_NOSYMFOLLOW, ",nosymfollow"},
	};

	for (size_t i = 0; i < array_count(names); i++)
		if (flags & names[i].flag)
			text_append(out, names[i].text, strlen(names[i].text));
}

static void show_super_options(struct text_writer *out, struct super_block *sb)
{
	char options[1024] = "";

	if (!sb->ops->show_options)
		return;
	sb->ops->show_options(sb, options, sizeof(options));
	text_append(out, options, strlen(options));
}

static void show_type(struct text_writer *out, const struct super_block *sb)
{
	escape(out, sb->type->name);
	if (sb->subtype[0]) {
		text_append(out, ".", 1);
		escape(out, sb->subtype);
	}
}

/* Where it is mounted, as root sees it; NULL for what root does not lead to. */
static const char *mountpoint_name(
	const struct shown *shown, const struct path *root, char *buffer, size_t size)
{
	struct path path = {shown->mount, shown->mount->root};
	bool reachable;
	char *name = path_name_plain(&path, root, buffer, size, &reachable);

	return reachable ? name : NULL;
}

static void show_mounts_line(struct text_writer *out, const struct shown *shown, const char *name)
{
	struct super_block *sb = shown->mount->sb;
	bool read_only = (shown->flags & LINUX_MS_RDONLY) || sb->read_only;

	escape(out, shown->mount->source);
	text_append(out, " ", 1);
	escape(out, name);
	text_append(out, " ", 1);
	show_type(out, sb);
	text_printf(out, " %s", read_only ? "ro" : "rw");
	show_flags(out, shown->flags);
	show_super_options(out, sb);
	text_printf(out, " 0 0\n");
}

static void show_root(struct text_writer *out, const struct mount *mount)
{
	struct path path = {NULL, mount->root};
	uninitialized_ char buffer[LINUX_PATH_MAX];
	char *name;
	bool reachable;

	if (mount->root == mount->sb->root) {
		const struct super_operations *ops = mount->sb->ops;
		bool named = ops->pseudo_name &&
			     ops->pseudo_name(mount->root->inode, buffer, sizeof(buffer));

		escape(out, named ? buffer : "/");
		return;
	}
	/* A path with the root itself as its end: names end where the super block's root is. */
	path.mount = &(struct mount){.root = mount->sb->root};
	name = path_name_plain(&path, NULL, buffer, sizeof(buffer), &reachable);
	escape(out, name ? name : "/");
	if (dentry_is_deleted(mount->root))
		text_printf(out, "//deleted");
}

static void show_mountinfo_line(
	struct text_writer *out, const struct shown *shown, const char *name)
{
	const struct mount *mount = shown->mount;
	struct super_block *sb = mount->sb;

	text_printf(out, "%d %d %u:%u ", mount->id, shown->parent_id, LINUX_MAJOR(sb->dev),
		LINUX_MINOR(sb->dev));
	show_root(out, mount);
	text_append(out, " ", 1);
	escape(out, name);
	text_printf(out, " %s", shown->flags & LINUX_MS_RDONLY ? "ro" : "rw");
	show_flags(out, shown->flags);
	if (shown->peer_group)
		text_printf(out, " shared:%d", shown->peer_group);
	if (shown->master_group)
		text_printf(out, " master:%d", shown->master_group);
	if (shown->unbindable)
		text_printf(out, " unbindable");
	text_printf(out, " - ");
	show_type(out, sb);
	text_append(out, " ", 1);
	escape(out, mount->source);
	text_printf(out, " %s", sb->read_only ? "ro" : "rw");
	show_super_options(out, sb);
	text_append(out, "\n", 1);
}

static void show_mountstats_line(
	struct text_writer *out, const struct shown *shown, const char *name)
{
	text_printf(out, "device ");
	escape(out, shown->mount->source);
	text_printf(out, " mounted on ");
	escape(out, name);
	text_printf(out, " with fstype ");
	show_type(out, shown->mount->sb);
	text_append(out, "\n", 1);
}

static void show_all(struct mount_namespace *ns, const struct path *root, struct text_writer *out,
	void (*line)(struct text_writer *out, const struct shown *shown, const char *name))
{
	uninitialized_ char buffer[LINUX_PATH_MAX];
	struct shown *all;
	size_t count = collect(ns, &all);

	if (!all)
		out->failed = true;
	for (size_t i = 0; i < count; i++) {
		const char *name = mountpoint_name(&all[i], root, buffer, sizeof(buffer));

		if (name)
			line(out, &all[i], name);
		mount_put(all[i].mount);
	}
	free(all);
}

void mount_show_mounts(struct mount_namespace *ns, const struct path *root, struct text_writer *out)
{
	show_all(ns, root, out, show_mounts_line);
}

void mount_show_mountinfo(
	struct mount_namespace *ns, const struct path *root, struct text_writer *out)
{
	show_all(ns, root, out, show_mountinfo_line);
}

void mount_show_mountstats(
	struct mount_namespace *ns, const struct path *root, struct text_writer *out)
{
	show_all(ns, root, out, show_mountstats_line);
}

struct wait_queue *mount_namespace_queue(struct mount_namespace *ns)
{
	return &ns->changed;
}

unsigned int mount_namespace_changes(const struct mount_namespace *ns)
{
	return atomic_load(&ns->changes);
}

uint64_t mount_namespace_ino(const struct mount_namespace *ns)
{
	return ns->ino;
}
