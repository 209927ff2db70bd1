/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The events in the queues of fanotify(7): made, merged, answered.
 *
 * Differs from Linux: a queue without limit ends at FANOTIFY_EVENTS_MAX; what the sentry does with
 * a file for itself (reading a program's headers, for example) is not told.
 */
#include "sentry/fs/fanotify/fanotify_group.h"

#include "sentry/kernel/pid.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/memory_held.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Linux looks at no more than so many before it gives up merging. */
#define MERGE_TRIES_MAX 128

/* An event that may be merged with one that is queued; all borrowed. */
struct draft {
	uint32_t mask;
	const struct path *path; /* NULL: it comes with handles */
	struct pid *pid;
	struct fanotify_fids fids;
	unsigned int list; /* of group->merge */
};

/* Of the current task, as the group's reader wants to see it; borrowed. */
static struct pid *event_pid(const struct fanotify_group *group)
{
	if (!current)
		return NULL;
	return group->flags & LINUX_FAN_REPORT_TID ? current->pid : current->group->pid;
}

static unsigned int merge_list_of(const struct draft *draft)
{
	uintptr_t key = (uintptr_t)draft->pid >> 2;

	if (draft->path)
		key ^= (uintptr_t)draft->path->dentry ^ ((uintptr_t)draft->path->mount >> 3);
	else
		key ^= (uintptr_t)fanotify_fids_hash(&draft->fids) << 5;
	return (unsigned int)((key ^ (key >> 13)) >> 5) % FANOTIFY_MERGE_LISTS;
}

static void draft_make(struct draft *draft, const struct fanotify_group *group, uint32_t mask,
	uint32_t matched, const struct fanotify_target *target)
{
	bool by_handle = group->flags & FANOTIFY_FID_BITS;

	*draft = (struct draft){
		.mask = mask,
		.path = by_handle ? NULL : target->path,
		.pid = event_pid(group),
	};
	if (by_handle)
		fanotify_describe(group, target, mask, matched, &draft->fids);
	draft->list = merge_list_of(draft);
}

static bool is_mergeable(const struct fanotify_event *event, const struct draft *draft)
{
	const uint32_t same = LINUX_FAN_ONDIR | LINUX_FAN_RENAME;

	if (event->pid != draft->pid || (event->mask & same) != (draft->mask & same))
		return false;
	if (!draft->path)
		return fanotify_fids_equal(&event->fids, &draft->fids);
	return event->path.dentry == draft->path->dentry && event->path.mount == draft->path->mount;
}

static struct fanotify_event *find_mergeable(
	struct fanotify_group *group, const struct draft *draft)
{
	struct fanotify_event *event;
	unsigned int tries = 0;

	LIST_FOREACH (event, &group->merge[draft->list], merge_link) {
		if (++tries > MERGE_TRIES_MAX)
			break;
		if (is_mergeable(event, draft))
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

/* The copy of a name, at the place given; moves that on. */
static const char *keep_name(char **at, const char *name)
{
	char *copy = *at;

	if (!name)
		return NULL;
	strcpy(copy, name);
	*at += strlen(name) + 1;
	return copy;
}

static struct fanotify_event *event_new(const struct draft *draft)
{
	size_t size = sizeof(struct fanotify_event);
	struct fanotify_event *event;
	char *names;

	size += draft->fids.name ? strlen(draft->fids.name) + 1 : 0;
	size += draft->fids.new_name ? strlen(draft->fids.new_name) + 1 : 0;
	event = calloc(1, size);
	if (!event)
		return NULL;
	memory_held_note(size);
	event->mask = draft->mask;
	event->fids = draft->fids;
	names = event->names;
	event->fids.name = keep_name(&names, draft->fids.name);
	event->fids.new_name = keep_name(&names, draft->fids.new_name);
	if (draft->path) {
		event->path = *draft->path;
		path_get(&event->path);
	}
	event->pid = draft->pid ? pid_get(draft->pid) : NULL;
	event->fd = LINUX_FAN_NOFD;
	return event;
}

bool fanotify_queue_locked(struct fanotify_group *group, uint32_t mask, uint32_t matched,
	const struct fanotify_target *target, struct fanotify_event **out)
{
	bool asks = mask & FANOTIFY_PERM_EVENTS;
	struct fanotify_event *event;
	struct draft draft;

	*out = NULL;
	if (group->closed)
		return false;
	draft_make(&draft, group, mask, matched, target);
	event = asks ? NULL : find_mergeable(group, &draft);
	if (event) {
		event->mask |= mask;
		return false;
	}
	event = group->event_count < group->max_events ? event_new(&draft) : NULL;
	if (!event)
		return queue_overflow_locked(group);
	if (asks)
		*out = event;
	else
		LIST_INSERT_HEAD(&group->merge[draft.list], event, merge_link);
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

/* --- answers --- */

bool fanotify_answer_locked(struct fanotify_event *event, uint32_t response)
{
	if (event->state == FANOTIFY_CANCELED)
		return true;
	event->response = response;
	event->state = FANOTIFY_ANSWERED;
	return false;
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

int fanotify_await_answer(struct fanotify_group *group, struct fanotify_event *event)
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
