/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The events of fanotify(7): told to the groups that want them, merged, and asked about.
 *
 * Differs from Linux: a queue without limit ends at FANOTIFY_EVENTS_MAX; what the sentry does with
 * a file for itself (reading a program's headers, for example) is not told.
 */
#include "sentry/fs/fanotify/fanotify_group.h"

#include "abi/epoll.h"
#include "abi/inotify.h"
#include "abi/stat.h"
#include "sentry/kernel/pid.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/memory_held.h"
#include "sentry/vfs/dentry.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <stdlib.h>

/* Linux looks at no more than so many before it gives up merging. */
#define MERGE_TRIES_MAX 128

/* Of the current task, as the group's reader wants to see it; borrowed. */
static struct pid *event_pid(const struct fanotify_group *group)
{
	if (!current)
		return NULL;
	return group->flags & LINUX_FAN_REPORT_TID ? current->pid : current->group->pid;
}

static unsigned int merge_list_of(const struct path *path, const struct pid *pid)
{
	uintptr_t key =
		(uintptr_t)path->dentry ^ ((uintptr_t)path->mount >> 3) ^ ((uintptr_t)pid >> 2);

	return (unsigned int)((key ^ (key >> 13)) >> 5) % FANOTIFY_MERGE_LISTS;
}

static struct fanotify_event *find_mergeable(
	struct fanotify_group *group, uint32_t mask, const struct path *path, const struct pid *pid)
{
	struct fanotify_event *event;
	unsigned int tries = 0;

	LIST_FOREACH (event, &group->merge[merge_list_of(path, pid)], merge_link) {
		if (++tries > MERGE_TRIES_MAX)
			break;
		if (event->path.dentry == path->dentry && event->path.mount == path->mount &&
			event->pid == pid &&
			(event->mask & LINUX_FAN_ONDIR) == (mask & LINUX_FAN_ONDIR))
			return event;
	}
	return NULL;
}

static bool queue_overflow_locked(struct fanotify_group *group)
{
	struct fanotify_event *event = group->overflowed ? NULL : calloc(1, sizeof(*event));

	if (!event)
		return false;
	event->mask = LINUX_FAN_Q_OVERFLOW;
	group->overflowed = true;
	group->event_count++;
	TAILQ_INSERT_TAIL(&group->events, event, link);
	return true;
}

bool fanotify_queue_locked(struct fanotify_group *group, uint32_t mask, const struct path *path,
	struct fanotify_event **out)
{
	bool asks = mask & FANOTIFY_PERM_EVENTS;
	struct pid *pid = event_pid(group);
	struct fanotify_event *event = asks ? NULL : find_mergeable(group, mask, path, pid);

	*out = NULL;
	if (group->closed)
		return false;
	if (event) {
		event->mask |= mask;
		return false;
	}
	if (group->event_count >= group->max_events)
		return queue_overflow_locked(group);
	event = calloc(1, sizeof(*event));
	if (!event)
		return queue_overflow_locked(group);
	memory_held_note(sizeof(*event));
	event->mask = mask;
	event->path = *path;
	path_get(&event->path);
	event->pid = pid ? pid_get(pid) : NULL;
	event->fd = LINUX_FAN_NOFD;
	if (asks)
		*out = event;
	else
		LIST_INSERT_HEAD(&group->merge[merge_list_of(path, pid)], event, merge_link);
	TAILQ_INSERT_TAIL(&group->events, event, link);
	group->event_count++;
	return true;
}

void fanotify_dequeue_locked(struct fanotify_group *group, struct fanotify_event *event)
{
	TAILQ_REMOVE(&group->events, event, link);
	group->event_count--;
	if (event->mask & LINUX_FAN_Q_OVERFLOW)
		group->overflowed = false;
	else if (!(event->mask & FANOTIFY_PERM_EVENTS))
		LIST_REMOVE(event, merge_link);
}

void fanotify_event_free(struct fanotify_event *event)
{
	path_put(&event->path);
	if (event->pid)
		pid_put(event->pid);
	free(event);
}

bool fanotify_answer_locked(struct fanotify_event *event, uint32_t response)
{
	if (event->state == FANOTIFY_CANCELED)
		return true;
	event->response = response;
	event->state = FANOTIFY_ANSWERED;
	return false;
}

/* --- what an event is about --- */

/* False: no such event is told of this file. *parent: a reference, may be NULL. */
static bool target_of(
	struct file *file, uint32_t event, struct fanotify_target *target, struct dentry **parent)
{
	struct dentry *dentry = file->path.dentry;

	*parent = NULL;
	if (!dentry || (file->mode & (FILE_NO_NOTIFY | FILE_PATH)))
		return false;
	target->is_directory = inode_is_type(file->inode, LINUX_S_IFDIR);
	if (!target->is_directory && !inode_is_type(file->inode, LINUX_S_IFREG))
		return false;
	target->inode = file->inode;
	target->path = &file->path;
	target->event = event;
	mutex_lock(&dentry->lock);
	if (dentry->parent && dentry->parent != dentry)
		*parent = dentry_get(dentry->parent);
	mutex_unlock(&dentry->lock);
	target->parent = *parent ? dentry_inode(*parent) : NULL;
	return true;
}

static void tell_group(struct fanotify_group *group, const struct fanotify_target *target)
{
	struct fanotify_event *unused;
	uint32_t mask;
	bool wake = false;

	mutex_lock(&group->lock);
	mask = fanotify_group_wants_locked(group, target);
	if (mask)
		wake = fanotify_queue_locked(group, mask, target->path, &unused);
	mutex_unlock(&group->lock);
	if (wake)
		wait_queue_wake(&group->queue, LINUX_EPOLLIN | LINUX_EPOLLRDNORM);
}

void fanotify_tell(struct file *file, uint32_t event)
{
	struct fanotify_target target;
	struct fanotify_group *group;
	struct dentry *parent;

	if (!target_of(file, event, &target, &parent))
		return;
	fanotify_groups_lock();
	for (group = fanotify_group_next_locked(0, 0); group; group = TAILQ_NEXT(group, link))
		tell_group(group, &target);
	fanotify_groups_unlock();
	if (parent)
		dentry_put(parent);
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
		uint32_t mask;

		mutex_lock(&group->lock);
		mask = fanotify_group_wants_locked(group, target);
		if (mask)
			wake = fanotify_queue_locked(group, mask, target->path, event);
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

static bool is_answered(struct fanotify_group *group, const struct fanotify_event *event)
{
	mutex_guard(&group->lock);
	return event->state == FANOTIFY_ANSWERED;
}

/* Whoever waited is being killed. True if nobody else will free the event. */
static bool give_up(struct fanotify_group *group, struct fanotify_event *event)
{
	mutex_guard(&group->lock);
	if (event->state == FANOTIFY_REPORTED) {
		event->state = FANOTIFY_CANCELED;
		return false;
	}
	if (event->state == FANOTIFY_QUEUED)
		fanotify_dequeue_locked(group, event);
	return true;
}

static int await_answer(struct fanotify_group *group, struct fanotify_event *event)
{
	struct waiter waiter;
	int result = 0;

	waiter_init_task(&waiter, current, UINT32_MAX);
	wait_queue_add(&group->answers, &waiter);
	while (result == 0 && !is_answered(group, event))
		result = task_block_killable(current, INT64_MAX);
	wait_queue_remove(&waiter);
	if (result && !give_up(group, event))
		return result;
	if (result == 0 && (event->response & ~(uint32_t)LINUX_FAN_AUDIT) != LINUX_FAN_ALLOW)
		result = -EPERM;
	fanotify_event_free(event);
	return result;
}

int fanotify_ask(struct file *file, uint32_t event)
{
	struct fanotify_target target;
	struct dentry *parent;
	unsigned int class = 0;
	uint64_t number = 0;
	int result = 0;

	/* What no task does, nobody could wait for. */
	if (!current || !target_of(file, event, &target, &parent))
		return 0;
	while (result == 0) {
		struct fanotify_event *queued = NULL;
		struct fanotify_group *group = ask_next(&target, class, number, &queued);

		if (!group)
			break;
		if (queued)
			result = await_answer(group, queued);
		class = group->flags & FANOTIFY_CLASS_BITS;
		number = group->number;
		fanotify_group_put(group);
	}
	if (parent)
		dentry_put(parent);
	return result;
}
