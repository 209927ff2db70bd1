/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directory notification, on the marks that inotify uses.
 *
 * An event comes with the lock of all marks held, where no signal may be sent: the timer's thread
 * does that, as for O_ASYNC.
 */
#include "sentry/vfs/dnotify.h"

#include "abi/epoll.h"
#include "abi/fcntl.h"
#include "abi/inotify.h"
#include "abi/stat.h"
#include "sentry/kernel/task.h"
#include "sentry/lock_order.h"
#include "sentry/time/timer.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/notify.h"
#include "sentry/vfs/owner.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct dnotify {
	LIST_ENTRY(dnotify) link;
	struct notify_mark mark;
	struct file *file;	/* no reference: closing it ends this */
	struct fd_table *table; /* whose users asked; compared only */
	struct ktimer timer;
	atomic_int fd;
	_Atomic uint32_t mask; /* LINUX_IN_*; 0 once it told, unless it goes on */
	_Atomic bool goes_on;
};

/* All there are: few programs use this, and each has few. */
static struct mutex lock;
static LIST_HEAD(, dnotify) all = LIST_HEAD_INITIALIZER(all);

__attribute__((constructor)) static void dnotify_start(void)
{
	mutex_init(&lock, RANK_FILE - 1, "directory notification");
}

static uint32_t mask_of(uint32_t events)
{
	static const struct {
		uint32_t event, mask;
	} pairs[] = {
		{LINUX_DN_ACCESS, LINUX_IN_ACCESS},
		{LINUX_DN_MODIFY, LINUX_IN_MODIFY},
		{LINUX_DN_CREATE, LINUX_IN_CREATE | LINUX_IN_MOVED_TO},
		{LINUX_DN_DELETE, LINUX_IN_DELETE | LINUX_IN_MOVED_FROM},
		{LINUX_DN_RENAME, LINUX_IN_MOVED_FROM},
		{LINUX_DN_ATTRIB, LINUX_IN_ATTRIB},
	};
	uint32_t mask = 0;

	for (size_t i = 0; i < array_count(pairs); i++)
		if (events & pairs[i].event)
			mask |= pairs[i].mask;
	return mask;
}

/* name NULL: the directory itself, which this is not about. */
static void on_event(struct notify_mark *mark, uint32_t event, uint32_t cookie, const char *name)
{
	struct dnotify *dnotify = container_of(mark, struct dnotify, mark);

	if (!name || !(dnotify->mask & event))
		return;
	if (!dnotify->goes_on)
		dnotify->mask = 0;
	ktimer_arm(&dnotify->timer, 0);
}

static void on_timer(struct ktimer *timer)
{
	struct dnotify *dnotify = container_of(timer, struct dnotify, timer);

	file_signal_owner(
		dnotify->file, dnotify->fd, LINUX_EPOLLIN | LINUX_EPOLLRDNORM | LINUX_EPOLLMSG);
}

static void end(struct dnotify *dnotify)
{
	LIST_REMOVE(dnotify, link);
	notify_mark_remove(&dnotify->mark);
	ktimer_cancel(&dnotify->timer, true);
	free(dnotify);
}

static struct dnotify *find(const struct file *file, const struct fd_table *table)
{
	struct dnotify *dnotify;

	LIST_FOREACH (dnotify, &all, link)
		if (dnotify->file == file && dnotify->table == table)
			break;
	return dnotify;
}

static struct dnotify *begin(struct file *file, struct fd_table *table)
{
	struct dnotify *dnotify = calloc(1, sizeof(*dnotify));

	if (!dnotify)
		return NULL;
	dnotify->file = file;
	dnotify->table = table;
	dnotify->mark.mask = LINUX_IN_ALL_EVENTS;
	dnotify->mark.event = on_event;
	ktimer_init(&dnotify->timer, on_timer);
	LIST_INSERT_HEAD(&all, dnotify, link);
	notify_mark_add(file->inode, &dnotify->mark);
	atomic_store(&file->notified, true);
	return dnotify;
}

int dnotify_set(struct file *file, struct fd_table *table, int fd, uint32_t events)
{
	uint32_t mask = mask_of(events);
	struct dnotify *dnotify;

	if (!mask) {
		dnotify_close(file, table);
		return 0;
	}
	if (!inode_is_type(file->inode, LINUX_S_IFDIR))
		return -ENOTDIR;
	mutex_guard(&lock);
	dnotify = find(file, table);
	if (!dnotify)
		dnotify = begin(file, table);
	if (!dnotify)
		return -ENOMEM;
	file_set_owner_if_none(file);
	dnotify->fd = fd;
	dnotify->goes_on = events & LINUX_DN_MULTISHOT;
	atomic_fetch_or(&dnotify->mask, mask);
	return 0;
}

void dnotify_close(struct file *file, struct fd_table *table)
{
	struct dnotify *dnotify;

	mutex_guard(&lock);
	dnotify = find(file, table);
	if (dnotify)
		end(dnotify);
}
