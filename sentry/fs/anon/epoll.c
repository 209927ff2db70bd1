/* SPDX-License-Identifier: Apache-2.0 */
/*
 * epoll instances: adding, changing and removing what is watched; the ready list; waiting.
 *
 * Differs from Linux: the number of watches is bounded for the whole sandbox (-ENOSPC), not for
 * each user; EPOLLWAKEUP has no effect.
 */
#include "sentry/fs/anon/epoll.h"

#include "abi/fcntl.h"
#include "base/text_writer.h"
#include "sentry/fs/anon/anon.h"
#include "sentry/kernel/signal.h"
#include "sentry/kernel/task.h"
#include "sentry/lock_order.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define EPOLL_WATCHES_MAX (1u << 20)
/* What ONESHOT leaves of the events: an item that hears of nothing. */
#define EPOLL_PRIVATE_BITS                                                                         \
	(LINUX_EPOLLWAKEUP | LINUX_EPOLLONESHOT | LINUX_EPOLLET | LINUX_EPOLLEXCLUSIVE)
#define EPOLL_EXCLUSIVE_BITS                                                                       \
	(LINUX_EPOLLIN | LINUX_EPOLLOUT | LINUX_EPOLLERR | LINUX_EPOLLHUP | LINUX_EPOLLWAKEUP |    \
		LINUX_EPOLLET | LINUX_EPOLLEXCLUSIVE)

static struct mutex g_epoll_lock;
static atomic_uint g_watches;
static const struct file_operations epoll_operations;

static void __attribute__((constructor)) epoll_start(void)
{
	mutex_init(&g_epoll_lock, RANK_EPOLL, "epoll graph");
}

int epoll_item_compare(const struct epoll_item *a, const struct epoll_item *b)
{
	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	return (a->fd > b->fd) - (a->fd < b->fd);
}

RB_GENERATE(epoll_tree, epoll_item, node, epoll_item_compare)

bool file_is_epoll(const struct file *file)
{
	return file->ops == &epoll_operations;
}

struct epoll *file_epoll(const struct file *file)
{
	return file_is_epoll(file) ? file->private : NULL;
}

/* --- the ready list --- */

/* True when it was not on the list. */
static bool epoll_make_ready(struct epoll_item *item)
{
	struct epoll *epoll = item->epoll;

	mutex_guard(&epoll->ready_lock);
	if (item->ready)
		return false;
	item->ready = true;
	TAILQ_INSERT_TAIL(&epoll->ready, item, ready_link);
	return true;
}

static void epoll_unready(struct epoll_item *item)
{
	mutex_guard(&item->epoll->ready_lock);
	if (item->ready)
		TAILQ_REMOVE(&item->epoll->ready, item, ready_link);
	item->ready = false;
}

static void epoll_tell(struct epoll *epoll)
{
	wait_queue_wake(&epoll->queue, LINUX_EPOLLIN | LINUX_EPOLLRDNORM);
}

/* With the watched file's queue locked. */
static bool epoll_item_wake(struct waiter *waiter, uint32_t events)
{
	struct epoll_item *item = container_of(waiter, struct epoll_item, waiter);
	struct epoll *epoll = item->epoll;
	bool useful = atomic_load(&epoll->queue.count) != 0;

	mutex_lock(&epoll->ready_lock);
	/* The waiter's own mask is from when the item was added; HUP and ERR do not wake a spent
	 * ONESHOT. */
	if (!(item->event.events & ~EPOLL_PRIVATE_BITS) || !(events & item->event.events)) {
		mutex_unlock(&epoll->ready_lock);
		return false;
	}
	if (!item->ready) {
		item->ready = true;
		TAILQ_INSERT_TAIL(&epoll->ready, item, ready_link);
	}
	mutex_unlock(&epoll->ready_lock);
	epoll_tell(epoll);
	return useful;
}

/* What of the wanted events is true now. epoll->lock held. */
static uint32_t epoll_item_events(struct epoll_item *item)
{
	return file_poll(item->file) & item->event.events;
}

/* --- poll of an instance --- */

/* Whether an item is really ready; drops from the list those that are not. epoll->lock held. */
static bool epoll_any_ready_locked(struct epoll *epoll)
{
	for (;;) {
		struct epoll_item *item;

		mutex_lock(&epoll->ready_lock);
		item = TAILQ_FIRST(&epoll->ready);
		if (item) {
			TAILQ_REMOVE(&epoll->ready, item, ready_link);
			item->ready = false;
		}
		mutex_unlock(&epoll->ready_lock);
		if (!item)
			return false;
		if (epoll_item_events(item)) {
			mutex_lock(&epoll->ready_lock);
			if (!item->ready)
				TAILQ_INSERT_HEAD(&epoll->ready, item, ready_link);
			item->ready = true;
			mutex_unlock(&epoll->ready_lock);
			return true;
		}
	}
}

static uint32_t epoll_poll(struct file *file)
{
	struct epoll *epoll = file->private;
	bool ready;

	mutex_lock_nested(&epoll->lock);
	ready = epoll_any_ready_locked(epoll);
	mutex_unlock(&epoll->lock);
	return ready ? LINUX_EPOLLIN | LINUX_EPOLLRDNORM : 0;
}

static struct wait_queue *epoll_wait_queue(struct file *file)
{
	return &((struct epoll *)file->private)->queue;
}

/* --- taking events --- */

/* 1: an event was written; 0: the item was not ready; -EFAULT. epoll->lock held; the item is off
 * all lists. */
static int epoll_take_item(struct epoll_item *item, gaddr_t address)
{
	struct linux_epoll_event event = {.data = item->event.data};

	mutex_lock(&item->epoll->ready_lock);
	item->ready = false; /* from here on, an event puts it back on the list */
	mutex_unlock(&item->epoll->ready_lock);
	event.events = epoll_item_events(item);
	if (!event.events)
		return 0;
	if (mm_copy_out(current->mm, address, &event, sizeof(event))) {
		(void)epoll_make_ready(item);
		return -EFAULT;
	}
	if (item->event.events & LINUX_EPOLLONESHOT) {
		mutex_lock(&item->epoll->ready_lock);
		item->event.events &= EPOLL_PRIVATE_BITS;
		mutex_unlock(&item->epoll->ready_lock);
	} else if (!(item->event.events & LINUX_EPOLLET)) {
		/* Level-triggered: looked at again next time, after the others. */
		(void)epoll_make_ready(item);
	}
	return 1;
}

int64_t epoll_take(struct file *epoll_file, gaddr_t events, int max)
{
	struct epoll *epoll = epoll_file->private;
	struct epoll_list list = TAILQ_HEAD_INITIALIZER(list);
	struct epoll_item *item;
	bool more;
	int taken = 0, result = 0;

	mutex_lock(&epoll->lock);
	mutex_lock(&epoll->ready_lock);
	TAILQ_CONCAT(&list, &epoll->ready, ready_link);
	mutex_unlock(&epoll->ready_lock);
	while (taken < max && (item = TAILQ_FIRST(&list))) {
		TAILQ_REMOVE(&list, item, ready_link);
		result = epoll_take_item(
			item, events + (gaddr_t)taken * sizeof(struct linux_epoll_event));
		if (result < 0)
			break;
		taken += result;
	}
	mutex_lock(&epoll->ready_lock);
	/* What was not looked at goes before what was. */
	TAILQ_CONCAT(&list, &epoll->ready, ready_link);
	TAILQ_CONCAT(&epoll->ready, &list, ready_link);
	more = !TAILQ_EMPTY(&epoll->ready);
	mutex_unlock(&epoll->ready_lock);
	mutex_unlock(&epoll->lock);
	/* Whom this wake-up passed over may take the rest. */
	if (more)
		epoll_tell(epoll);
	return taken ? taken : result < 0 ? result : 0;
}

/* A wait that a wake-up reaches once: the next event goes to the next one that waits. */
struct epoll_waiter {
	struct waiter waiter;
	atomic_bool woken;
};

static bool epoll_waiter_wake(struct waiter *waiter, uint32_t events)
{
	struct epoll_waiter *self = container_of(waiter, struct epoll_waiter, waiter);

	if (atomic_exchange(&self->woken, true))
		return false;
	task_wake(waiter->task);
	return true;
}

int64_t epoll_wait_events(
	struct file *epoll_file, gaddr_t events, int max, bool no_wait, int64_t deadline_ns)
{
	struct epoll *epoll = epoll_file->private;
	struct epoll_waiter waiter;
	int64_t taken = epoll_take(epoll_file, events, max);
	int error = 0;

	if (taken || no_wait)
		return taken;
	waiter_init_task(&waiter.waiter, current, LINUX_EPOLLIN);
	waiter.waiter.exclusive = true;
	waiter.waiter.wake = epoll_waiter_wake;
	atomic_init(&waiter.woken, false);
	wait_queue_add(&epoll->queue, &waiter.waiter);
	for (;;) {
		atomic_store(&waiter.woken, false);
		taken = epoll_take(epoll_file, events, max);
		if (taken || error)
			break;
		error = task_block(current, deadline_ns);
	}
	wait_queue_remove(&waiter.waiter);
	if (taken)
		return taken;
	return error == -ETIMEDOUT ? 0 : -EINTR;
}

/* --- items --- */

static struct epoll_item *epoll_find_locked(struct epoll *epoll, struct file *file, int fd)
{
	struct epoll_item key = {.file = file, .fd = fd};

	return RB_FIND(epoll_tree, &epoll->items, &key);
}

static void epoll_item_free(struct epoll_item *item)
{
	if (!item)
		return;
	if (item->sighand)
		sighand_put(item->sighand);
	atomic_fetch_sub(&g_watches, 1);
	free(item);
}

/* Unlinks from everywhere; g_epoll_lock and epoll->lock held. The caller frees the item after both
 * are dropped. */
static void epoll_remove_locked(struct epoll_item *item)
{
	wait_queue_remove(&item->waiter);
	epoll_unready(item);
	RB_REMOVE(epoll_tree, &item->epoll->items, item);
	LIST_REMOVE(item, file_link);
}

static struct epoll_item *epoll_item_new(
	struct epoll *epoll, struct file *file, int fd, const struct linux_epoll_event *event)
{
	struct epoll_item *item = calloc(1, sizeof(*item));

	if (!item)
		return NULL;
	atomic_fetch_add(&g_watches, 1);
	item->epoll = epoll;
	item->file = file;
	item->fd = fd;
	item->event = *event;
	item->event.events |= LINUX_EPOLLERR | LINUX_EPOLLHUP;
	/* MOD may ask for others later: the callback filters. */
	item->waiter.events = UINT32_MAX;
	item->waiter.exclusive = event->events & LINUX_EPOLLEXCLUSIVE;
	item->waiter.wake = epoll_item_wake;
	if (file_is_signalfd(file))
		item->sighand = sighand_get(current->sighand);
	return item;
}

/* Looks whether the item is ready now, and tells who waits. epoll->lock held. */
static void epoll_look_locked(struct epoll_item *item)
{
	if (epoll_item_events(item) && epoll_make_ready(item))
		epoll_tell(item->epoll);
}

static int epoll_add_locked(
	struct epoll *epoll, struct file *target, int fd, const struct linux_epoll_event *event)
{
	struct epoll_item *item;
	int error;

	if (atomic_load(&g_watches) >= EPOLL_WATCHES_MAX)
		return -ENOSPC;
	item = epoll_item_new(epoll, target, fd, event);
	if (!item)
		return -ENOMEM;
	RB_INSERT(epoll_tree, &epoll->items, item);
	target->watched = true;
	LIST_INSERT_HEAD(&target->epoll_items, item, file_link);
	error = epoll_graph_check_ways_locked(epoll, target);
	if (error) {
		RB_REMOVE(epoll_tree, &epoll->items, item);
		LIST_REMOVE(item, file_link);
		epoll_item_free(item);
		return error;
	}
	wait_queue_add(target->ops->wait_queue(target), &item->waiter);
	epoll_look_locked(item);
	return 0;
}

static int epoll_modify_locked(struct epoll_item *item, const struct linux_epoll_event *event)
{
	if (item->event.events & LINUX_EPOLLEXCLUSIVE)
		return -EINVAL;
	mutex_lock(&item->epoll->ready_lock);
	item->event = *event;
	item->event.events |= LINUX_EPOLLERR | LINUX_EPOLLHUP;
	mutex_unlock(&item->epoll->ready_lock);
	epoll_look_locked(item);
	return 0;
}

static int epoll_check(struct file *epoll_file, int operation, struct file *target,
	const struct linux_epoll_event *event)
{
	if (!target->ops->poll)
		return -EPERM;
	if (epoll_file == target || !file_is_epoll(epoll_file))
		return -EINVAL;
	if (operation == LINUX_EPOLL_CTL_DEL || !(event->events & LINUX_EPOLLEXCLUSIVE))
		return 0;
	if (operation == LINUX_EPOLL_CTL_MOD)
		return -EINVAL;
	if (operation == LINUX_EPOLL_CTL_ADD &&
		(file_is_epoll(target) || (event->events & ~EPOLL_EXCLUSIVE_BITS)))
		return -EINVAL;
	return 0;
}

int epoll_control(struct file *epoll_file, int operation, int fd, struct file *target,
	const struct linux_epoll_event *event)
{
	struct epoll *epoll = epoll_file->private;
	struct epoll_item *item, *removed = NULL;
	int error = epoll_check(epoll_file, operation, target, event);

	if (error)
		return error;
	mutex_lock(&g_epoll_lock);
	if (operation == LINUX_EPOLL_CTL_ADD && file_is_epoll(target))
		error = epoll_graph_check_locked(epoll, target->private);
	mutex_lock_nested(&epoll->lock);
	item = epoll_find_locked(epoll, target, fd);
	if (error) {
		/* Linux refuses loops before it looks whether the item is there. */
	} else if (operation == LINUX_EPOLL_CTL_ADD) {
		error = item ? -EEXIST : epoll_add_locked(epoll, target, fd, event);
	} else if (operation == LINUX_EPOLL_CTL_DEL) {
		error = item ? 0 : -ENOENT;
		removed = item;
		if (item)
			epoll_remove_locked(item);
	} else if (operation == LINUX_EPOLL_CTL_MOD) {
		error = item ? epoll_modify_locked(item, event) : -ENOENT;
	} else {
		error = -EINVAL;
	}
	mutex_unlock(&epoll->lock);
	mutex_unlock(&g_epoll_lock);
	epoll_item_free(removed);
	return error;
}

void epoll_file_released(struct file *file)
{
	struct epoll_item *item, *next;
	LIST_HEAD(, epoll_item) removed = LIST_HEAD_INITIALIZER(removed);

	mutex_lock(&g_epoll_lock);
	while ((item = LIST_FIRST(&file->epoll_items))) {
		mutex_lock_nested(&item->epoll->lock);
		epoll_remove_locked(item);
		mutex_unlock(&item->epoll->lock);
		LIST_INSERT_HEAD(&removed, item, file_link);
	}
	mutex_unlock(&g_epoll_lock);
	LIST_FOREACH_SAFE (item, &removed, file_link, next)
		epoll_item_free(item);
}

struct file *epoll_target(struct file *epoll_file, int fd, unsigned int offset)
{
	struct epoll *epoll = epoll_file->private;
	struct file *found = NULL;
	struct epoll_item *item;

	mutex_guard(&epoll->lock);
	RB_FOREACH (item, epoll_tree, &epoll->items) {
		if (item->fd != fd || offset-- > 0)
			continue;
		/* A file that is being released waits for our lock. */
		if (refcount_get_unless_zero(&item->file->refs))
			found = item->file;
		break;
	}
	return found;
}

static void epoll_release(struct file *file)
{
	struct epoll *epoll = file->private;
	struct epoll_item *item, *next;
	LIST_HEAD(, epoll_item) removed = LIST_HEAD_INITIALIZER(removed);

	mutex_lock(&g_epoll_lock);
	mutex_lock_nested(&epoll->lock);
	while ((item = RB_ROOT(&epoll->items))) {
		epoll_remove_locked(item);
		LIST_INSERT_HEAD(&removed, item, file_link);
	}
	mutex_unlock(&epoll->lock);
	mutex_unlock(&g_epoll_lock);
	LIST_FOREACH_SAFE (item, &removed, file_link, next)
		epoll_item_free(item);
	wait_queue_destroy(&epoll->queue);
	mutex_destroy(&epoll->ready_lock);
	mutex_destroy(&epoll->lock);
	free(epoll);
}

static void epoll_show_fdinfo(struct file *file, struct text_writer *out)
{
	struct epoll *epoll = file->private;
	struct epoll_item *item;

	mutex_guard(&epoll->lock);
	RB_FOREACH (item, epoll_tree, &epoll->items)
		text_printf(out,
			"tfd: %8d events: %8x data: %16" PRIx64 "  pos:%" PRId64 " ino:%" PRIx64
			" sdev:0\n",
			item->fd, item->event.events, item->event.data, item->file->position,
			item->file->inode->attributes.ino);
}

static const struct file_operations epoll_operations = {
	.seek = file_seek_nowhere,
	.poll = epoll_poll,
	.wait_queue = epoll_wait_queue,
	.release = epoll_release,
	.show_fdinfo = epoll_show_fdinfo,
	.name = "[eventpoll]",
};

int epoll_new_file(struct file **out)
{
	struct epoll *epoll = calloc(1, sizeof(*epoll));
	int error;

	if (!epoll)
		return -ENOMEM;
	mutex_init(&epoll->lock, RANK_EPOLL, "epoll");
	mutex_init(&epoll->ready_lock, RANK_EPOLL_READY, "epoll ready");
	RB_INIT(&epoll->items);
	TAILQ_INIT(&epoll->ready);
	wait_queue_init(&epoll->queue);
	error = file_new_anonymous(anon_inode_get(), &epoll_operations,
		FILE_READ | FILE_WRITE | FILE_STREAM, LINUX_O_RDWR, epoll, "[eventpoll]", out);
	if (error) {
		wait_queue_destroy(&epoll->queue);
		mutex_destroy(&epoll->ready_lock);
		mutex_destroy(&epoll->lock);
		free(epoll);
		return error;
	}
	epoll->file = *out;
	return 0;
}
