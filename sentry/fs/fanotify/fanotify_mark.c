/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The marks of fanotify(7): what a group hears of, and what it ignores.
 *
 * Differs from Linux: a mark on an inode holds the inode, also when FAN_MARK_EVICTABLE is asked
 * for.
 */
#include "sentry/fs/fanotify/fanotify_group.h"

#include "base/text_writer.h"
#include "sentry/kernel/user_count.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/mount.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define PROC_SUPER_MAGIC 0x9fa0

atomic_uint g_fanotify_marks;

int fanotify_compare_marks(const struct fanotify_mark *a, const struct fanotify_mark *b)
{
	return ((uintptr_t)a->object > (uintptr_t)b->object) -
	       ((uintptr_t)a->object < (uintptr_t)b->object);
}

RB_GENERATE(fanotify_mark_tree, fanotify_mark, node, fanotify_compare_marks)

static struct fanotify_mark *find_locked(struct fanotify_group *group, const void *object)
{
	struct fanotify_mark key = {.object = object};

	return object ? RB_FIND(fanotify_mark_tree, &group->marks, &key) : NULL;
}

/* --- which events --- */

/* Does a mask count for directories, if it is one, and for what is in the marked directory? */
static bool mask_applies(uint32_t mask, bool is_directory, bool from_parent)
{
	if (is_directory && !(mask & LINUX_FAN_ONDIR))
		return false;
	return !from_parent || (mask & LINUX_FAN_EVENT_ON_CHILD);
}

/* What it ignores, with the flags that say of what. FAN_MARK_IGNORED_MASK ignores directories
 * always, and children if the mark hears of them. */
static uint32_t ignored_with_flags(const struct fanotify_mark *mark)
{
	uint32_t ignored = mark->ignore_mask;

	if (mark->flags & LINUX_FAN_MARK_IGNORE)
		return ignored;
	ignored &= ~(uint32_t)LINUX_FAN_EVENT_ON_CHILD;
	return ignored | LINUX_FAN_ONDIR | (mark->mask & LINUX_FAN_EVENT_ON_CHILD);
}

static uint32_t ignored_by(const struct fanotify_mark *mark, bool is_directory, bool from_parent)
{
	uint32_t ignored = mark->ignore_mask & ~(uint32_t)FANOTIFY_EVENT_FLAGS;

	if (!ignored || (!is_directory && !from_parent))
		return ignored;
	return mask_applies(ignored_with_flags(mark), is_directory, from_parent) ? ignored : 0;
}

/* Reading and writing of what is no file of the directory's own file system is none of its
 * business. */
static bool parent_hears(const struct fanotify_target *target)
{
	bool ordinary = target->is_directory || inode_is_type(target->inode, LINUX_S_IFREG) ||
			inode_is_type(target->inode, LINUX_S_IFLNK);

	if (target->path && !ordinary && (target->event & (LINUX_FAN_ACCESS | LINUX_FAN_MODIFY)))
		return false;
	return target->parent && (target->event & FANOTIFY_CHILD_EVENTS);
}

/* Is there anything of the target that the group could be told? */
static bool is_tellable(const struct fanotify_group *group, const struct fanotify_target *target)
{
	if (!(group->flags & FANOTIFY_FID_BITS))
		return target->path &&
		       (target->is_directory || inode_is_type(target->inode, LINUX_S_IFREG));
	return (group->flags & LINUX_FAN_REPORT_FID) || target->parent || target->is_directory;
}

static bool hears_of_children(const struct fanotify_mark *mark)
{
	return (mark->mask | ignored_with_flags(mark)) & LINUX_FAN_EVENT_ON_CHILD;
}

uint32_t fanotify_group_wants_locked(
	struct fanotify_group *group, const struct fanotify_target *target, uint32_t *matched)
{
	bool names = target->event & FANOTIFY_NAME_EVENTS;
	const struct {
		const void *object;
		uint32_t matched;
		bool from_parent;
	} objects[] = {
		{parent_hears(target) ? target->parent : NULL, 0, true},
		{names ? target->parent : target->inode, FANOTIFY_MATCHED_INODE, false},
		{target->new_parent, FANOTIFY_MATCHED_NEW_PARENT, false},
		{target->path ? target->path->mount : NULL, 0, false},
		{target->inode->sb, FANOTIFY_MATCHED_SUPER_BLOCK, false},
	};
	uint32_t wanted = 0, ignored = 0;
	uint32_t event = target->event | (target->is_directory ? LINUX_FAN_ONDIR : 0);

	*matched = 0;
	if (!is_tellable(group, target))
		return 0;
	for (size_t i = 0; i < array_count(objects); i++) {
		struct fanotify_mark *mark = find_locked(group, objects[i].object);
		bool from_parent = objects[i].from_parent;

		if (!mark || (from_parent && !hears_of_children(mark)))
			continue;
		if ((event & LINUX_FAN_MODIFY) &&
			!(mark->flags & LINUX_FAN_MARK_IGNORED_SURV_MODIFY))
			mark->ignore_mask = 0;
		ignored |= ignored_by(mark, target->is_directory, from_parent);
		if (!mask_applies(mark->mask, target->is_directory, from_parent))
			continue;
		wanted |= mark->mask;
		*matched |= objects[i].matched;
	}
	event &= wanted & ~ignored;
	if (!(event & ~(uint32_t)FANOTIFY_EVENT_FLAGS))
		return 0;
	return group->flags & FANOTIFY_FID_BITS ? event : event & FANOTIFY_FD_EVENTS;
}

/* --- their lives --- */

static void remove_locked(struct fanotify_group *group, struct fanotify_mark *mark,
	struct fanotify_mark_list *removed)
{
	RB_REMOVE(fanotify_mark_tree, &group->marks, mark);
	SLIST_INSERT_HEAD(removed, mark, removed);
}

/* No lock held. */
static void free_marks(struct fanotify_group *group, struct fanotify_mark_list *removed)
{
	struct fanotify_mark *mark;

	while ((mark = SLIST_FIRST(removed))) {
		SLIST_REMOVE_HEAD(removed, removed);
		if (mark->inode)
			inode_put(mark->inode);
		if (!(group->flags & LINUX_FAN_UNLIMITED_MARKS))
			user_count_remove(USER_FANOTIFY_MARKS, group->uid, 1);
		atomic_fetch_sub(&g_fanotify_marks, 1);
		free(mark);
	}
}

void fanotify_marks_clear(struct fanotify_group *group, uint32_t type)
{
	struct fanotify_mark_list removed = SLIST_HEAD_INITIALIZER(removed);
	struct fanotify_mark *mark, *next;

	mutex_lock(&group->lock);
	RB_FOREACH_SAFE (mark, fanotify_mark_tree, &group->marks, next)
		if (mark->type == type)
			remove_locked(group, mark, &removed);
	mutex_unlock(&group->lock);
	free_marks(group, &removed);
}

static void remove_all_locked(struct fanotify_group *group, const void *object,
	const struct super_block *sb, struct fanotify_mark_list *removed)
{
	struct fanotify_mark *mark = find_locked(group, object), *next;

	if (mark)
		remove_locked(group, mark, removed);
	if (!sb)
		return;
	RB_FOREACH_SAFE (mark, fanotify_mark_tree, &group->marks, next)
		if (mark->inode && mark->inode->sb == sb)
			remove_locked(group, mark, removed);
}

/* Of every group: marks on one object and, with sb, on the inodes of that super block. */
static void forget(const void *object, const struct super_block *sb)
{
	struct fanotify_group *group;

	fanotify_groups_lock();
	group = fanotify_group_next_locked(0, 0);
	while (group) {
		struct fanotify_mark_list removed = SLIST_HEAD_INITIALIZER(removed);
		unsigned int class = group->flags & FANOTIFY_CLASS_BITS;
		uint64_t number = group->number;

		refcount_get(&group->refs);
		mutex_lock(&group->lock);
		remove_all_locked(group, object, sb, &removed);
		mutex_unlock(&group->lock);
		fanotify_groups_unlock();
		free_marks(group, &removed);
		fanotify_group_put(group);
		fanotify_groups_lock();
		group = fanotify_group_next_locked(class, number);
	}
	fanotify_groups_unlock();
}

void fanotify_forget_mount(const struct mount *mount)
{
	forget(mount, NULL);
}

void fanotify_forget_inode(const struct inode *inode)
{
	forget(inode, NULL);
}

void fanotify_forget_super_block(const struct super_block *sb)
{
	forget(sb, sb);
}

/* --- fanotify_mark(2) --- */

static void mark_set_object(struct fanotify_mark *mark, const struct path *path)
{
	struct inode *inode = path_inode(path);

	switch (mark->type) {
	case LINUX_FAN_MARK_MOUNT:
		mark->object = path->mount;
		mark->shown = (uint64_t)path->mount->id;
		break;
	case LINUX_FAN_MARK_FILESYSTEM:
		mark->object = path->mount->sb;
		mark->shown = path->mount->sb->dev;
		break;
	default:
		mark->object = inode;
		mark->shown = inode->sb->dev;
		break;
	}
}

/* A mark that is not in the group yet. */
static int mark_new(struct fanotify_group *group, uint32_t flags, const struct path *path,
	struct fanotify_mark **out)
{
	uint64_t limit = (uint64_t)g_fanotify_limits[FANOTIFY_USER_MARKS].value;
	struct fanotify_mark *mark = calloc(1, sizeof(*mark));

	if (!mark)
		return -ENOMEM;
	if (!(group->flags & LINUX_FAN_UNLIMITED_MARKS) &&
		!user_count_add(USER_FANOTIFY_MARKS, group->uid, 1, limit)) {
		free(mark);
		return -ENOSPC;
	}
	mark->type = flags & FANOTIFY_MARK_TYPE_BITS;
	mark->flags = flags & LINUX_FAN_MARK_EVICTABLE;
	mark_set_object(mark, path);
	if (mark->type == LINUX_FAN_MARK_INODE)
		mark->inode = inode_get(path_inode(path));
	atomic_fetch_add(&g_fanotify_marks, 1);
	*out = mark;
	return 0;
}

/* What an existing mark does not take back. */
static int check_update(const struct fanotify_mark *mark, uint32_t flags)
{
	if ((flags & LINUX_FAN_MARK_EVICTABLE) && !(mark->flags & LINUX_FAN_MARK_EVICTABLE))
		return -EEXIST;
	if ((flags & LINUX_FAN_MARK_IGNORED_MASK) && (mark->flags & LINUX_FAN_MARK_IGNORE))
		return -EEXIST;
	if ((flags & LINUX_FAN_MARK_IGNORE) && !(flags & LINUX_FAN_MARK_IGNORED_SURV_MODIFY) &&
		(mark->flags & LINUX_FAN_MARK_IGNORED_SURV_MODIFY))
		return -EEXIST;
	return 0;
}

static void update_locked(struct fanotify_mark *mark, uint32_t flags, uint32_t mask)
{
	if (!(flags & FANOTIFY_IGNORE_BITS)) {
		mark->mask |= mask;
	} else {
		mark->ignore_mask |= mask;
		mark->flags |= flags & (LINUX_FAN_MARK_IGNORE | LINUX_FAN_MARK_IGNORED_SURV_MODIFY);
	}
	if (!(flags & LINUX_FAN_MARK_EVICTABLE))
		mark->flags &= ~(uint32_t)LINUX_FAN_MARK_EVICTABLE;
}

static int add_mark(
	struct fanotify_group *group, uint32_t flags, uint32_t mask, const struct path *path)
{
	struct fanotify_mark_list unused = SLIST_HEAD_INITIALIZER(unused);
	struct fanotify_mark *mark, *old;
	int error = mark_new(group, flags, path, &mark);
	bool is_full = error == -ENOSPC;

	if (is_full) {
		struct fanotify_mark key = {.type = flags & FANOTIFY_MARK_TYPE_BITS};

		/* An existing one may still be changed. */
		mark_set_object(&key, path);
		mutex_lock(&group->lock);
		old = find_locked(group, key.object);
		error = old ? check_update(old, flags) : -ENOSPC;
		if (error == 0)
			update_locked(old, flags, mask);
		mutex_unlock(&group->lock);
		return error;
	}
	if (error)
		return error;
	mutex_lock(&group->lock);
	old = RB_INSERT(fanotify_mark_tree, &group->marks, mark);
	if (old) {
		SLIST_INSERT_HEAD(&unused, mark, removed);
		mark = old;
		error = check_update(mark, flags);
	}
	if (error == 0)
		update_locked(mark, flags, mask);
	mutex_unlock(&group->lock);
	free_marks(group, &unused);
	return error;
}

static int reduce_mark(struct fanotify_group *group, uint32_t flags, uint32_t mask, uint32_t kept,
	const struct path *path)
{
	struct fanotify_mark_list removed = SLIST_HEAD_INITIALIZER(removed);
	struct fanotify_mark key = {.type = flags & FANOTIFY_MARK_TYPE_BITS}, *mark;

	mark_set_object(&key, path);
	mutex_lock(&group->lock);
	mark = find_locked(group, key.object);
	if (mark) {
		if (flags & FANOTIFY_IGNORE_BITS)
			mark->ignore_mask &= ~(mask & ~kept);
		else
			mark->mask &= ~(mask & ~kept);
		if (!((mark->mask | mark->ignore_mask) & ~kept))
			remove_locked(group, mark, &removed);
	}
	mutex_unlock(&group->lock);
	free_marks(group, &removed);
	return mark ? 0 : -ENOENT;
}

/* Only what is new refuses marks on files that make sense for directories alone. */
static bool is_strict(const struct fanotify_group *group, uint32_t flags, uint32_t mask)
{
	return (group->flags & LINUX_FAN_REPORT_TARGET_FID) || (mask & LINUX_FAN_RENAME) ||
	       (flags & LINUX_FAN_MARK_IGNORE);
}

/* What FAN_MARK_ADD refuses when it sees the place. */
static int check_place(
	struct fanotify_group *group, uint32_t flags, uint32_t mask, const struct path *path)
{
	bool is_inode = !(flags & FANOTIFY_MARK_TYPE_BITS);
	bool is_directory = inode_is_type(path_inode(path), LINUX_S_IFDIR);

	if ((mask & FANOTIFY_PERM_EVENTS) && path->mount->sb->magic == PROC_SUPER_MAGIC)
		return -EINVAL;
	if (!is_inode && path->mount == mount_nowhere())
		return -EINVAL;
	if (is_strict(group, flags, mask) && is_inode && !is_directory &&
		(mask & (FANOTIFY_EVENT_FLAGS | FANOTIFY_NAME_EVENTS)))
		return -ENOTDIR;
	/* Whoever watches all of it wants to open what he is told of. */
	if ((group->flags & FANOTIFY_FID_BITS) && !is_inode && !path->mount->sb->exports_handles)
		return -EOPNOTSUPP;
	if ((flags & LINUX_FAN_MARK_IGNORE) && (!is_inode || is_directory) &&
		!(flags & LINUX_FAN_MARK_IGNORED_SURV_MODIFY))
		return is_inode ? -EISDIR : -EINVAL;
	return 0;
}

int fanotify_mark(struct file *file, uint32_t flags, uint32_t mask, const struct path *path)
{
	struct fanotify_group *group = file->private;
	uint32_t kept = 0;
	struct inode *inode;
	int error;

	if (flags & LINUX_FAN_MARK_FLUSH) {
		fanotify_marks_clear(group, flags & FANOTIFY_MARK_TYPE_BITS);
		return 0;
	}
	inode = path_inode(path);
	if ((flags & FANOTIFY_IGNORE_BITS) == LINUX_FAN_MARK_IGNORED_MASK) {
		mask &= ~(uint32_t)FANOTIFY_EVENT_FLAGS;
		kept = FANOTIFY_EVENT_FLAGS;
	}
	error = flags & LINUX_FAN_MARK_ADD ? check_place(group, flags, mask, path) : 0;
	if (error)
		return error;
	if ((flags & FANOTIFY_MARK_TYPE_BITS) || !inode_is_type(inode, LINUX_S_IFDIR)) {
		mask &= ~(uint32_t)LINUX_FAN_EVENT_ON_CHILD;
		kept = LINUX_FAN_EVENT_ON_CHILD;
		/* So that it is told of directories and names too. */
		if ((group->flags & LINUX_FAN_REPORT_DIR_FID) && (flags & LINUX_FAN_MARK_ADD) &&
			!(flags & FANOTIFY_IGNORE_BITS))
			mask |= LINUX_FAN_EVENT_ON_CHILD;
	}
	if (flags & LINUX_FAN_MARK_REMOVE)
		return reduce_mark(group, flags, mask, kept, path);
	/* Somebody who writes would end an ignore mask at once. */
	if ((flags & FANOTIFY_IGNORE_BITS) && !(flags & LINUX_FAN_MARK_IGNORED_SURV_MODIFY) &&
		!(flags & FANOTIFY_MARK_TYPE_BITS) && atomic_load(&inode->writers) > 0)
		return 0;
	/* Its handle may be asked for when the event comes. */
	if ((group->flags & FANOTIFY_FID_BITS) && inode_is_exported(inode)) {
		error = file_handle_remember(path->dentry);
		if (error)
			return error;
	}
	return add_mark(group, flags, mask, path);
}

static void show_handle(const struct inode *inode, struct text_writer *out)
{
	struct file_id id = inode_file_id(inode);
	const uint8_t *bytes = (const uint8_t *)&id;

	text_printf(out, " ");
	if (!inode_is_exported(inode))
		return;
	text_printf(out, "fhandle-bytes:%zx fhandle-type:%x f_handle:", sizeof(id),
		(unsigned int)inode_handle_type(inode));
	for (size_t i = 0; i < sizeof(id); i++)
		text_printf(out, "%02x", bytes[i]);
}

void fanotify_marks_show(struct fanotify_group *group, struct text_writer *out)
{
	struct fanotify_mark *mark;

	mutex_guard(&group->lock);
	RB_FOREACH (mark, fanotify_mark_tree, &group->marks) {
		if (mark->type == LINUX_FAN_MARK_INODE)
			text_printf(out, "fanotify ino:%" PRIx64 " sdev:%" PRIx64,
				(uint64_t)mark->inode->attributes.ino, mark->shown);
		else
			text_printf(out, "fanotify %s:%" PRIx64,
				mark->type == LINUX_FAN_MARK_MOUNT ? "mnt_id" : "sdev",
				mark->shown);
		text_printf(out, " mflags:%x mask:%x ignored_mask:%x", mark->flags, mark->mask,
			mark->ignore_mask);
		if (mark->type == LINUX_FAN_MARK_INODE)
			show_handle(mark->inode, out);
		text_printf(out, "\n");
	}
}
