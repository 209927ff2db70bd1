/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to files, as fanotify(7) sees it: told to the groups that want to hear of it, and
 * asked of those that want to be.
 */
#include "sentry/fs/fanotify/fanotify_group.h"

#include "abi/epoll.h"
#include "abi/stat.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/dentry.h"
#include "sentry/vfs/file.h"

#include <string.h>

/* The directory that a dentry is in, and its name there. */
struct place {
	struct dentry *parent; /* a reference, or NULL */
	char name[256];
};

static void place_of(struct dentry *dentry, struct place *place)
{
	place->parent = NULL;
	mutex_lock(&dentry->lock);
	if (dentry->parent && dentry->parent != dentry && dentry->length < sizeof(place->name)) {
		place->parent = dentry_get(dentry->parent);
		memcpy(place->name, dentry->name, dentry->length + 1u);
	}
	mutex_unlock(&dentry->lock);
}

static void place_put(struct place *place)
{
	if (place->parent)
		dentry_put(place->parent);
}

static void target_set_place(struct fanotify_target *target, const struct place *place)
{
	/* What never had a name (O_TMPFILE) is in no directory. */
	if (!place->parent || target->inode->linkable)
		return;
	target->parent = dentry_inode(place->parent);
	target->name = place->name;
}

static struct fanotify_target target_of(struct inode *inode, uint32_t event)
{
	return (struct fanotify_target){
		.inode = inode,
		.is_directory = inode_is_type(inode, LINUX_S_IFDIR),
		.event = event,
	};
}

/* False: no event is told of this file. */
static bool file_target(
	struct file *file, uint32_t event, struct fanotify_target *target, struct place *place)
{
	if (!file->path.dentry || (file->mode & (FILE_NO_NOTIFY | FILE_PATH)))
		return false;
	*target = target_of(file->inode, event);
	target->path = &file->path;
	place_of(file->path.dentry, place);
	target_set_place(target, place);
	return true;
}

/* --- telling --- */

/* True if the group was told by file handles. */
static bool tell_group(struct fanotify_group *group, const struct fanotify_target *target)
{
	struct fanotify_event *unused;
	uint32_t mask, matched;
	bool wake = false;

	mutex_lock(&group->lock);
	mask = fanotify_group_wants_locked(group, target, &matched);
	if (mask)
		wake = fanotify_queue_locked(group, mask, matched, target, &unused);
	mutex_unlock(&group->lock);
	if (wake)
		wait_queue_wake(&group->queue, LINUX_EPOLLIN | LINUX_EPOLLRDNORM);
	return mask && (group->flags & FANOTIFY_FID_BITS);
}

static bool tell_groups(const struct fanotify_target *target)
{
	struct fanotify_group *group;
	bool by_handle = false;

	fanotify_groups_lock();
	for (group = fanotify_group_next_locked(0, 0); group; group = TAILQ_NEXT(group, link))
		by_handle |= tell_group(group, target);
	fanotify_groups_unlock();
	return by_handle;
}

/* Handles that a group was told can be opened. Without memory they cannot. */
static void remember(struct dentry *dentry)
{
	if (dentry && dentry_inode(dentry) && inode_is_exported(dentry_inode(dentry)))
		(void)!file_handle_remember(dentry);
}

static void remember_child(struct dentry *directory, const char *name)
{
	struct component component = component_from_string(name);
	struct dentry *dentry = dentry_find(directory, &component);

	remember(directory);
	if (!dentry)
		return;
	remember(dentry);
	dentry_put(dentry);
}

void fanotify_tell(struct file *file, uint32_t event)
{
	struct fanotify_target target;
	struct place place;

	if (!file_target(file, event, &target, &place))
		return;
	if (tell_groups(&target)) {
		remember(place.parent);
		remember(file->path.dentry);
	}
	place_put(&place);
}

void fanotify_tell_inode(struct inode *inode, struct dentry *dentry, uint32_t event)
{
	struct fanotify_target target = target_of(inode, event);
	struct place place = {0};

	if (dentry) {
		place_of(dentry, &place);
		target_set_place(&target, &place);
	}
	if (tell_groups(&target)) {
		remember(place.parent);
		remember(dentry);
	}
	place_put(&place);
}

void fanotify_tell_name(
	struct dentry *directory, const char *name, struct inode *inode, uint32_t event)
{
	struct fanotify_target target = target_of(inode, event);

	target.parent = dentry_inode(directory);
	target.name = name;
	if (tell_groups(&target))
		remember_child(directory, name);
}

void fanotify_tell_rename(struct dentry *directory, const char *name, struct dentry *new_directory,
	const char *new_name, struct inode *inode)
{
	struct fanotify_target target = target_of(inode, LINUX_FAN_RENAME);

	target.parent = dentry_inode(directory);
	target.name = name;
	target.new_parent = dentry_inode(new_directory);
	target.new_name = new_name;
	if (tell_groups(&target)) {
		remember(directory);
		remember_child(new_directory, new_name);
	}
}

/* --- asking --- */

/* The next group that wants to be asked, with a reference, and the event in its queue (NULL: it
 * takes no more, which grants). */
static struct fanotify_group *ask_next(const struct fanotify_target *target, unsigned int class,
	uint64_t number, struct fanotify_event **event)
{
	struct fanotify_group *group;
	bool wake = false;

	fanotify_groups_lock();
	for (group = fanotify_group_next_locked(class, number); group;
		group = TAILQ_NEXT(group, link)) {
		uint32_t mask, matched;

		mutex_lock(&group->lock);
		mask = fanotify_group_wants_locked(group, target, &matched);
		if (mask)
			wake = fanotify_queue_locked(group, mask, matched, target, event);
		mutex_unlock(&group->lock);
		if (!mask)
			continue;
		refcount_get(&group->refs);
		if (wake)
			wait_queue_wake(&group->queue, LINUX_EPOLLIN | LINUX_EPOLLRDNORM);
		break;
	}
	fanotify_groups_unlock();
	return group;
}

int fanotify_ask(struct file *file, uint32_t event)
{
	struct fanotify_target target;
	struct place place;
	unsigned int class = 0;
	uint64_t number = 0;
	int result = 0;

	/* What no task does, nobody could wait for. */
	if (!current || !file_target(file, event, &target, &place))
		return 0;
	while (result == 0) {
		struct fanotify_event *queued = NULL;
		struct fanotify_group *group = ask_next(&target, class, number, &queued);

		if (!group)
			break;
		if (queued)
			result = fanotify_await_answer(group, queued);
		class = group->flags & FANOTIFY_CLASS_BITS;
		number = group->number;
		fanotify_group_put(group);
	}
	place_put(&place);
	return result;
}
