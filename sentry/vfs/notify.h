/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File notification: where the VFS tells what happened to an inode, and who listens (inotify).
 */
#pragma once

#include "base/compiler.h"

#include <bsd/sys/queue.h>
#include <stdatomic.h>
#include <stdint.h>

struct dentry;
struct file;
struct inode;

/* With an event: it came through a name that is gone (IN_EXCL_UNLINK). */
#define NOTIFY_UNLINKED 0x10000000u

/* What inotify (fs/anon/inotify.c) hangs on an inode. */
struct notify_mark {
	LIST_ENTRY(notify_mark) link; /* guarded by notify.c's lock */
	struct inode *inode;
	uint32_t mask; /* LINUX_IN_* */
	/* Runs with notify.c's lock (RANK_WAIT_QUEUE - 1: it wakes readers) held; name is NULL for
	 * an event on the inode itself. */
	void (*event)(struct notify_mark *mark, uint32_t event, uint32_t cookie, const char *name);
};

struct notify_marks {
	LIST_HEAD(, notify_mark) head;
	atomic_uint count; /* lets an event that nobody listens to cost one load */
};

void notify_mark_add(struct inode *inode, struct notify_mark *mark);
void notify_mark_remove(struct notify_mark *mark);
/* Tells the inode's own listeners and, with a dentry, its parent directory's with the name. event:
 * LINUX_IN_* (with LINUX_IN_ISDIR added inside). */
void notify_event(struct inode *inode, struct dentry *dentry, uint32_t event);
/* The same of what was done through an open file, which fanotify(7) hears of too
 * (LINUX_FAN_OPEN_EXEC is its own). */
void notify_file(struct file *file, uint32_t event);
/* Nothing leads to the inode any more: neither a name nor an open file. No lock held. */
void notify_inode_gone(struct inode *inode);
/* A name in a directory: IN_CREATE, IN_DELETE, IN_MOVED_FROM/TO with one cookie for both. */
void notify_name_event(struct dentry *directory, const char *name, struct inode *inode,
	uint32_t event, uint32_t cookie);
uint32_t notify_new_cookie(void);
