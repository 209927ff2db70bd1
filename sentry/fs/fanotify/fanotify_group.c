/* SPDX-License-Identifier: Apache-2.0 */
/* The groups of fanotify(7): made, found in the order of asking, and closed. */
#include "sentry/fs/fanotify/fanotify_group.h"

#include "sentry/kernel/task.h"
#include "sentry/kernel/user_count.h"
#include "sentry/lock_order.h"

#include <errno.h>
#include <stdlib.h>

REFCOUNT_TYPE(group_refs, "fanotify group");

struct sysctl_number g_fanotify_limits[3] = {
	[FANOTIFY_QUEUED_EVENTS] = {16384, 0, INT32_MAX},
	[FANOTIFY_USER_GROUPS] = {128, 0, INT32_MAX},
	[FANOTIFY_USER_MARKS] = {127393, 0, INT32_MAX},
};

static struct mutex lock;
static TAILQ_HEAD(, fanotify_group) groups = TAILQ_HEAD_INITIALIZER(groups);
static uint64_t last_number; /* guarded by lock */

__attribute__((constructor)) static void fanotify_start(void)
{
	mutex_init(&lock, RANK_WAIT_QUEUE - 2, "fanotify groups");
}

void fanotify_groups_lock(void)
{
	mutex_lock(&lock);
}

void fanotify_groups_unlock(void)
{
	mutex_unlock(&lock);
}

static bool comes_after(const struct fanotify_group *group, unsigned int class, uint64_t number)
{
	unsigned int own = group->flags & FANOTIFY_CLASS_BITS;

	return own < class || (own == class && group->number > number);
}

struct fanotify_group *fanotify_group_next_locked(unsigned int asked_class, uint64_t number)
{
	struct fanotify_group *group;

	TAILQ_FOREACH (group, &groups, link)
		if (!number || comes_after(group, asked_class, number))
			break;
	return group;
}

static void join_list(struct fanotify_group *group)
{
	struct fanotify_group *other;

	mutex_guard(&lock);
	group->number = ++last_number;
	TAILQ_FOREACH (other, &groups, link) {
		if ((other->flags & FANOTIFY_CLASS_BITS) >= (group->flags & FANOTIFY_CLASS_BITS))
			continue;
		TAILQ_INSERT_BEFORE(other, group, link);
		return;
	}
	TAILQ_INSERT_TAIL(&groups, group, link);
}

static unsigned int queue_limit(uint32_t flags)
{
	uint64_t limit = (uint64_t)g_fanotify_limits[FANOTIFY_QUEUED_EVENTS].value;

	if (flags & LINUX_FAN_UNLIMITED_QUEUE)
		return FANOTIFY_EVENTS_MAX;
	return limit < FANOTIFY_EVENTS_MAX ? (unsigned int)limit : FANOTIFY_EVENTS_MAX;
}

int fanotify_group_new(uint32_t flags, uint32_t event_flags, struct fanotify_group **out)
{
	uint32_t uid = current_cred()->euid;
	struct fanotify_group *group = calloc(1, sizeof(*group));

	if (!group)
		return -ENOMEM;
	if (!user_count_add(USER_FANOTIFY_GROUPS, uid, 1,
		    (uint64_t)g_fanotify_limits[FANOTIFY_USER_GROUPS].value)) {
		free(group);
		return -EMFILE;
	}
	refcount_init(&group->refs, &group_refs);
	group->flags = flags;
	group->event_flags = event_flags;
	group->uid = uid;
	group->max_events = queue_limit(flags);
	mutex_init(&group->lock, RANK_LEAF, "fanotify group");
	RB_INIT(&group->marks);
	TAILQ_INIT(&group->events);
	TAILQ_INIT(&group->asked);
	wait_queue_init(&group->queue);
	wait_queue_init(&group->answers);
	join_list(group);
	*out = group;
	return 0;
}

void fanotify_group_put(struct fanotify_group *group)
{
	if (!refcount_put(&group->refs))
		return;
	wait_queue_destroy(&group->queue);
	wait_queue_destroy(&group->answers);
	mutex_destroy(&group->lock);
	user_count_remove(USER_FANOTIFY_GROUPS, group->uid, 1);
	free(group);
}

/* What is queued or asked leaves; what has to be freed stays in the list given back. */
static void empty_queues(struct fanotify_group *group, struct fanotify_event_list *unused)
{
	struct fanotify_event *event;

	mutex_guard(&group->lock);
	group->closed = true;
	while ((event = TAILQ_FIRST(&group->asked))) {
		TAILQ_REMOVE(&group->asked, event, link);
		if (fanotify_answer_locked(event, LINUX_FAN_ALLOW))
			TAILQ_INSERT_TAIL(unused, event, link);
	}
	while ((event = TAILQ_FIRST(&group->events))) {
		fanotify_dequeue_locked(group, event);
		if (!(event->mask & FANOTIFY_PERM_EVENTS) ||
			fanotify_answer_locked(event, LINUX_FAN_ALLOW))
			TAILQ_INSERT_TAIL(unused, event, link);
	}
}

void fanotify_group_close(struct fanotify_group *group)
{
	struct fanotify_event_list unused = TAILQ_HEAD_INITIALIZER(unused);
	struct fanotify_event *event;

	mutex_lock(&lock);
	TAILQ_REMOVE(&groups, group, link);
	mutex_unlock(&lock);
	empty_queues(group, &unused);
	wait_queue_wake(&group->answers, UINT32_MAX);
	while ((event = TAILQ_FIRST(&unused))) {
		TAILQ_REMOVE(&unused, event, link);
		fanotify_event_free(event);
	}
	fanotify_marks_clear(group, LINUX_FAN_MARK_INODE);
	fanotify_marks_clear(group, LINUX_FAN_MARK_MOUNT);
	fanotify_marks_clear(group, LINUX_FAN_MARK_FILESYSTEM);
	fanotify_group_put(group);
}
