/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells listeners what happened to inodes. As long as nobody listens anywhere, an event costs one
 * load.
 *
 * Differs from Linux: IN_DELETE_SELF comes when the last name and the last open file are gone,
 * whatever else still uses the inode.
 */
#include "sentry/vfs/notify.h"

#include "abi/inotify.h"
#include "abi/stat.h"
#include "sentry/fs/fanotify/fanotify.h"
#include "sentry/lock_order.h"
#include "sentry/vfs/dentry.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/file_handle.h"

#include <pthread.h>
#include <string.h>

static struct mutex lock;
static pthread_once_t lock_once = PTHREAD_ONCE_INIT;
static atomic_uint mark_count;
static atomic_uint next_cookie = 1;

static void lock_init(void)
{
	mutex_init(&lock, RANK_WAIT_QUEUE - 1, "notify");
}

void notify_mark_add(struct inode *inode, struct notify_mark *mark)
{
	pthread_once(&lock_once, lock_init);
	mutex_guard(&lock);
	mark->inode = inode;
	LIST_INSERT_HEAD(&inode->marks.head, mark, link);
	atomic_fetch_add(&inode->marks.count, 1);
	atomic_fetch_add(&mark_count, 1);
}

void notify_mark_remove(struct notify_mark *mark)
{
	mutex_guard(&lock);
	LIST_REMOVE(mark, link);
	atomic_fetch_sub(&mark->inode->marks.count, 1);
	atomic_fetch_sub(&mark_count, 1);
}

static void tell(struct inode *inode, uint32_t event, uint32_t cookie, const char *name)
{
	struct notify_mark *mark;

	if (!atomic_load_explicit(&inode->marks.count, memory_order_relaxed))
		return;
	mutex_guard(&lock);
	LIST_FOREACH (mark, &inode->marks.head, link)
		if (mark->mask & event & LINUX_IN_ALL_EVENTS)
			mark->event(mark, event, cookie, name);
}

static uint32_t with_type(const struct inode *inode, uint32_t event)
{
	return inode && inode_is_type(inode, LINUX_S_IFDIR) ? event | LINUX_IN_ISDIR : event;
}

/* The directory that a dentry is in hears of it by name. */
static void tell_parent(struct dentry *dentry, uint32_t event)
{
	struct dentry *parent = NULL;
	char name[256] = "";

	mutex_lock(&dentry->lock);
	if (dentry->parent != dentry && dentry->length < sizeof(name)) {
		parent = dentry_get(dentry->parent);
		memcpy(name, dentry->name, dentry->length + 1u);
	}
	mutex_unlock(&dentry->lock);
	if (!parent)
		return;
	tell(dentry_inode(parent), event, 0, name);
	dentry_put(parent);
}

/* inotify(7)'s. */
static void tell_of(struct inode *inode, struct dentry *dentry, uint32_t event)
{
	if (likely(!atomic_load_explicit(&mark_count, memory_order_relaxed)))
		return;
	event = with_type(inode, event);
	if (dentry && dentry_is_deleted(dentry))
		event |= NOTIFY_UNLINKED;
	/* What never had a name (O_TMPFILE) is in no directory. */
	if (dentry && !inode->linkable)
		tell_parent(dentry, event);
	tell(inode, event, 0, NULL);
}

void notify_event(struct inode *inode, struct dentry *dentry, uint32_t event)
{
	tell_of(inode, dentry, event);
	if (fanotify_in_use())
		fanotify_tell_inode(inode, dentry, event);
}

void notify_file(struct file *file, uint32_t event)
{
	if (unlikely(file->mode & FILE_NO_NOTIFY))
		return;
	tell_of(file->inode, file->path.dentry, event);
	if (fanotify_in_use())
		fanotify_tell(file, event);
}

void notify_inode_gone(struct inode *inode)
{
	notify_event(inode, NULL, LINUX_IN_DELETE_SELF);
	if (fanotify_in_use())
		fanotify_forget_inode(inode);
	file_handle_forget_inode(inode);
}

void notify_name_event(struct dentry *directory, const char *name, struct inode *inode,
	uint32_t event, uint32_t cookie)
{
	if (unlikely(atomic_load_explicit(&mark_count, memory_order_relaxed)))
		tell(dentry_inode(directory), with_type(inode, event), cookie, name);
	if (fanotify_in_use())
		fanotify_tell_name(directory, name, inode, event);
}

uint32_t notify_new_cookie(void)
{
	return atomic_fetch_add(&next_cookie, 1);
}
