/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inotify(7): watches hang on inodes (vfs/notify.h) and queue events here.
 *
 * A watch that ended by itself (IN_ONESHOT, the file was deleted) is only marked as dead by the
 * event, which runs under the notifier's lock; the next call on the instance frees it. Differs from
 * Linux: the limits on instances and watches hold for the sandbox, not for each user; IN_UNMOUNT is
 * not sent.
 */
#include "sentry/fs/anon/anon.h"

#include "abi/epoll.h"
#include "abi/fcntl.h"
#include "abi/inotify.h"
#include "abi/ioctl.h"
#include "base/text_writer.h"
#include "sentry/kernel/task.h"
#include "sentry/lock_order.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/notify.h"

#include <bsd/sys/tree.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define INOTIFY_INSTANCES_MAX 512
#define INOTIFY_WATCHES_MAX   (1u << 19)
#define INOTIFY_EVENTS_MAX    16384

struct inotify_watch {
	RB_ENTRY(inotify_watch) by_inode, by_number; /* inotify->lock */
	struct inotify *inotify;
	struct notify_mark mark;
	struct inode *inode; /* a reference */
	int number;
	_Atomic uint32_t mask; /* what the guest asked for, with IN_ONESHOT and so on */
	atomic_bool dead;
};

struct inotify_event {
	TAILQ_ENTRY(inotify_event) link;
	int watch;
	uint32_t mask, cookie;
	uint32_t name_size; /* with padding; 0: no name */
	char name[];
};

struct inotify {
	struct mutex lock; /* watches */
	RB_HEAD(inotify_inode_tree, inotify_watch) inodes;
	RB_HEAD(inotify_number_tree, inotify_watch) numbers;
	int last_number;
	atomic_uint dead_count;
	struct mutex event_lock; /* RANK_LEAF: events */
	TAILQ_HEAD(inotify_event_list, inotify_event) events;
	unsigned int event_count;
	bool overflowed; /* IN_Q_OVERFLOW is in the queue */
	struct wait_queue queue;
};

static atomic_uint g_instances, g_watches;

static int compare_inodes(const struct inotify_watch *a, const struct inotify_watch *b)
{
	return (a->inode > b->inode) - (a->inode < b->inode);
}

static int compare_numbers(const struct inotify_watch *a, const struct inotify_watch *b)
{
	return (a->number > b->number) - (a->number < b->number);
}

RB_GENERATE_INTERNAL(inotify_inode_tree, inotify_watch, by_inode, compare_inodes, unused_ static)
RB_GENERATE_INTERNAL(inotify_number_tree, inotify_watch, by_number, compare_numbers, unused_ static)

/* --- events --- */

static uint32_t padded_name_size(const char *name)
{
	size_t unit = sizeof(struct linux_inotify_event);

	return name && *name ? (uint32_t)((strlen(name) + 1 + unit - 1) / unit * unit) : 0;
}

static bool event_equals(const struct inotify_event *event, int watch, uint32_t mask,
	uint32_t cookie, uint32_t name_size, const char *name)
{
	return event->watch == watch && event->mask == mask && event->cookie == cookie &&
	       event->name_size == name_size && (!name_size || !strcmp(event->name, name));
}

/* event_lock held. */
static void queue_event_locked(
	struct inotify *inotify, int watch, uint32_t mask, uint32_t cookie, const char *name)
{
	uint32_t name_size = padded_name_size(name);
	struct inotify_event *event = TAILQ_LAST(&inotify->events, inotify_event_list);

	/* As Linux, an event equal to the one before it is told once. */
	if (event && mask != LINUX_IN_IGNORED &&
		event_equals(event, watch, mask, cookie, name_size, name))
		return;
	if (inotify->event_count >= INOTIFY_EVENTS_MAX) {
		if (inotify->overflowed)
			return;
		inotify->overflowed = true;
		watch = -1;
		mask = LINUX_IN_Q_OVERFLOW;
		cookie = name_size = 0;
	}
	event = calloc(1, sizeof(*event) + name_size);
	if (!event)
		return;
	event->watch = watch;
	event->mask = mask;
	event->cookie = cookie;
	event->name_size = name_size;
	if (name_size)
		strcpy(event->name, name);
	TAILQ_INSERT_TAIL(&inotify->events, event, link);
	inotify->event_count++;
}

static void queue_event(
	struct inotify *inotify, int watch, uint32_t mask, uint32_t cookie, const char *name)
{
	mutex_lock(&inotify->event_lock);
	queue_event_locked(inotify, watch, mask, cookie, name);
	mutex_unlock(&inotify->event_lock);
	wait_queue_wake(&inotify->queue, LINUX_EPOLLIN | LINUX_EPOLLRDNORM);
}

/* The watch ends by itself; it is freed later. */
static void watch_die(struct inotify_watch *watch)
{
	if (atomic_exchange(&watch->dead, true))
		return;
	atomic_fetch_add(&watch->inotify->dead_count, 1);
	queue_event(watch->inotify, watch->number, LINUX_IN_IGNORED, 0, NULL);
}

/* With the notifier's lock held. */
static void watch_event(struct notify_mark *mark, uint32_t event, uint32_t cookie, const char *name)
{
	struct inotify_watch *watch = container_of(mark, struct inotify_watch, mark);
	uint32_t wanted = watch->mask;

	if (watch->dead || ((event & NOTIFY_UNLINKED) && (wanted & LINUX_IN_EXCL_UNLINK)))
		return;
	if (wanted & event & LINUX_IN_ALL_EVENTS) {
		queue_event(watch->inotify, watch->number,
			event & (LINUX_IN_ALL_EVENTS | LINUX_IN_ISDIR), cookie, name);
		if (wanted & LINUX_IN_ONESHOT)
			watch_die(watch);
	}
	if ((event & LINUX_IN_DELETE_SELF) && !name)
		watch_die(watch);
}

/* --- watches --- */

/* inotify->lock held; the caller frees it after that is dropped. */
static void watch_remove_locked(struct inotify_watch *watch)
{
	RB_REMOVE(inotify_inode_tree, &watch->inotify->inodes, watch);
	RB_REMOVE(inotify_number_tree, &watch->inotify->numbers, watch);
	notify_mark_remove(&watch->mark);
}

static void watch_free(struct inotify_watch *watch)
{
	if (!watch)
		return;
	if (watch->dead)
		atomic_fetch_sub(&watch->inotify->dead_count, 1);
	inode_put(watch->inode);
	atomic_fetch_sub(&g_watches, 1);
	free(watch);
}

/* Frees the watches that ended by themselves. */
static void inotify_reap(struct inotify *inotify)
{
	while (atomic_load(&inotify->dead_count)) {
		struct inotify_watch *watch, *found = NULL;

		mutex_lock(&inotify->lock);
		RB_FOREACH (watch, inotify_number_tree, &inotify->numbers) {
			if (!watch->dead)
				continue;
			found = watch;
			watch_remove_locked(found);
			break;
		}
		mutex_unlock(&inotify->lock);
		if (!found)
			return;
		watch_free(found);
	}
}

static int watch_new_locked(struct inotify *inotify, struct inode *inode, uint32_t mask)
{
	struct inotify_watch *watch;

	if (atomic_load(&g_watches) >= INOTIFY_WATCHES_MAX || inotify->last_number == INT32_MAX)
		return -ENOSPC;
	watch = calloc(1, sizeof(*watch));
	if (!watch)
		return -ENOMEM;
	atomic_fetch_add(&g_watches, 1);
	watch->inotify = inotify;
	watch->inode = inode_get(inode);
	watch->number = ++inotify->last_number;
	watch->mask = mask;
	/* Deletion ends the watch, whether its event is wanted or not. */
	watch->mark.mask = (mask & LINUX_IN_ALL_EVENTS) | LINUX_IN_DELETE_SELF;
	watch->mark.event = watch_event;
	RB_INSERT(inotify_inode_tree, &inotify->inodes, watch);
	RB_INSERT(inotify_number_tree, &inotify->numbers, watch);
	notify_mark_add(inode, &watch->mark);
	return watch->number;
}

int inotify_watch_add(struct file *file, struct inode *inode, uint32_t mask)
{
	struct inotify *inotify = file->private;
	uint32_t kept = mask & (LINUX_IN_ALL_EVENTS | LINUX_IN_ONESHOT | LINUX_IN_EXCL_UNLINK);
	struct inotify_watch key = {.inode = inode}, *watch;

	inotify_reap(inotify);
	mutex_guard(&inotify->lock);
	watch = RB_FIND(inotify_inode_tree, &inotify->inodes, &key);
	if (!watch)
		return watch_new_locked(inotify, inode, kept);
	if (mask & LINUX_IN_MASK_CREATE)
		return -EEXIST;
	if (mask & LINUX_IN_MASK_ADD)
		kept |= watch->mask;
	watch->mask = kept;
	watch->mark.mask = (kept & LINUX_IN_ALL_EVENTS) | LINUX_IN_DELETE_SELF;
	return watch->number;
}

int inotify_remove_watch(struct file *file, int number)
{
	struct inotify *inotify = file->private;
	struct inotify_watch key = {.number = number}, *watch;

	inotify_reap(inotify);
	mutex_lock(&inotify->lock);
	watch = RB_FIND(inotify_number_tree, &inotify->numbers, &key);
	if (watch)
		watch_remove_locked(watch);
	mutex_unlock(&inotify->lock);
	if (!watch)
		return -EINVAL;
	watch_die(watch);
	watch_free(watch);
	return 0;
}

/* --- the file --- */

/* The next event, if it fits: NULL with *error -EAGAIN or -EINVAL. */
static struct inotify_event *take_event(struct inotify *inotify, size_t room, int *error)
{
	struct inotify_event *event;

	mutex_guard(&inotify->event_lock);
	event = TAILQ_FIRST(&inotify->events);
	*error = -EAGAIN;
	if (!event)
		return NULL;
	*error = -EINVAL;
	if (sizeof(struct linux_inotify_event) + event->name_size > room)
		return NULL;
	*error = 0;
	TAILQ_REMOVE(&inotify->events, event, link);
	inotify->event_count--;
	if (event->mask == LINUX_IN_Q_OVERFLOW)
		inotify->overflowed = false;
	return event;
}

static int64_t inotify_read(struct file *file, struct iov_iter *to, int64_t *position)
{
	struct inotify *inotify = file->private;
	struct inotify_event *event;
	int64_t done = 0;
	int error;

	inotify_reap(inotify);
	while ((event = take_event(inotify, iov_iter_count(to), &error))) {
		struct linux_inotify_event header = {
			.wd = event->watch,
			.mask = event->mask,
			.cookie = event->cookie,
			.len = event->name_size,
		};
		size_t size = sizeof(header) + event->name_size;
		size_t copied = copy_to_iter(&header, sizeof(header), to);

		copied += copy_to_iter(event->name, event->name_size, to);
		free(event);
		if (copied < size)
			return done ? done : -EFAULT;
		done += (int64_t)size;
	}
	return done ? done : error;
}

static uint32_t inotify_poll(struct file *file)
{
	struct inotify *inotify = file->private;

	mutex_guard(&inotify->event_lock);
	return TAILQ_EMPTY(&inotify->events) ? 0 : LINUX_EPOLLIN | LINUX_EPOLLRDNORM;
}

static struct wait_queue *inotify_wait_queue(struct file *file)
{
	return &((struct inotify *)file->private)->queue;
}

static int64_t inotify_ioctl(
	struct file *file, struct task *task, uint32_t command, uint64_t argument)
{
	struct inotify *inotify = file->private;
	const struct inotify_event *event;
	int32_t bytes = 0;

	if (command != LINUX_FIONREAD)
		return -ENOTTY;
	mutex_lock(&inotify->event_lock);
	TAILQ_FOREACH (event, &inotify->events, link)
		bytes += (int32_t)(sizeof(struct linux_inotify_event) + event->name_size);
	mutex_unlock(&inotify->event_lock);
	return mm_copy_out(task->mm, argument, &bytes, sizeof(bytes));
}

static void inotify_free(struct inotify *inotify)
{
	struct inotify_event *event;

	while ((event = TAILQ_FIRST(&inotify->events))) {
		TAILQ_REMOVE(&inotify->events, event, link);
		free(event);
	}
	wait_queue_destroy(&inotify->queue);
	mutex_destroy(&inotify->event_lock);
	mutex_destroy(&inotify->lock);
	atomic_fetch_sub(&g_instances, 1);
	free(inotify);
}

static void inotify_release(struct file *file)
{
	struct inotify *inotify = file->private;
	struct inotify_watch *watch;

	do {
		mutex_lock(&inotify->lock);
		watch = RB_ROOT(&inotify->numbers);
		if (watch)
			watch_remove_locked(watch);
		mutex_unlock(&inotify->lock);
		watch_free(watch);
	} while (watch);
	inotify_free(inotify);
}

static void inotify_show_fdinfo(struct file *file, struct text_writer *out)
{
	struct inotify *inotify = file->private;
	struct inotify_watch *watch;

	mutex_guard(&inotify->lock);
	RB_FOREACH (watch, inotify_number_tree, &inotify->numbers)
		text_printf(out,
			"inotify wd:%x ino:%" PRIx64 " sdev:%" PRIx64 " mask:%x ignored_mask:0\n",
			(unsigned int)watch->number, watch->inode->attributes.ino,
			watch->inode->sb->dev, watch->mask & LINUX_IN_ALL_EVENTS);
}

static const struct file_operations inotify_operations = {
	.seek = file_seek_nowhere,
	.read = inotify_read,
	.poll = inotify_poll,
	.wait_queue = inotify_wait_queue,
	.ioctl = inotify_ioctl,
	.release = inotify_release,
	.show_fdinfo = inotify_show_fdinfo,
	.name = "inotify",
};

bool file_is_inotify(const struct file *file)
{
	return file->ops == &inotify_operations;
}

int inotify_new_file(uint32_t flags, struct file **out)
{
	struct inotify *inotify;
	int error;

	if (atomic_load(&g_instances) >= INOTIFY_INSTANCES_MAX)
		return -EMFILE;
	inotify = calloc(1, sizeof(*inotify));
	if (!inotify)
		return -ENOMEM;
	atomic_fetch_add(&g_instances, 1);
	mutex_init(&inotify->lock, RANK_PIPE, "inotify");
	mutex_init(&inotify->event_lock, RANK_LEAF, "inotify events");
	RB_INIT(&inotify->inodes);
	RB_INIT(&inotify->numbers);
	TAILQ_INIT(&inotify->events);
	wait_queue_init(&inotify->queue);
	error = file_new_anonymous(anon_inode_get(), &inotify_operations, FILE_READ | FILE_STREAM,
		LINUX_O_RDONLY | flags, inotify, "inotify", out);
	if (error)
		inotify_free(inotify);
	return error;
}
