/* SPDX-License-Identifier: Apache-2.0 */
/*
 * epoll(7).
 *
 * An item watches one file for one instance: its waiter sits in the file's wait queue for as long
 * as the item lives, and puts the item on the instance's ready list. A wait looks at ready items
 * only.
 *
 * Locks: g_epoll_lock (RANK_EPOLL: which item watches which file, and the graph of instances that
 * watch each other), then epoll->lock (RANK_EPOLL: items, who takes from the ready list), then
 * ready_lock (RANK_EPOLL_READY: the list itself).
 */
#pragma once

#include "abi/epoll.h"
#include "base/compiler.h"
#include "base/lock.h"
#include "sentry/kernel/wait_queue.h"
#include "sentry/mm/mm.h"

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stdint.h>

struct file;
struct sighand;
struct text_writer;

struct epoll_item {
	RB_ENTRY(epoll_item) node;	    /* epoll->lock */
	LIST_ENTRY(epoll_item) file_link;   /* g_epoll_lock */
	TAILQ_ENTRY(epoll_item) ready_link; /* ready_lock */
	struct epoll *epoll;		    /* set once */
	struct file *file; /* set once; no reference: epoll_file_released() takes the item away */
	int fd;		   /* set once */
	bool ready;	   /* ready_lock: on the list, or about to be looked at */
	struct linux_epoll_event event; /* epoll->lock and ready_lock to write, one to read */
	struct waiter waiter;
	struct sighand *sighand; /* whose queue a signalfd's waiter is in: kept alive, or NULL */
};

struct epoll {
	struct mutex lock;
	RB_HEAD(epoll_tree, epoll_item) items;
	struct file *file; /* its own; set once */
	uint64_t visited;  /* g_epoll_lock: the last walk of the graph that came by */
	int depth;	   /* g_epoll_lock: what that walk found */
	struct mutex ready_lock;
	TAILQ_HEAD(epoll_list, epoll_item) ready;
	struct wait_queue queue; /* who waits in epoll_wait(2), polls or watches this instance */
};

int epoll_item_compare(const struct epoll_item *a, const struct epoll_item *b);
RB_PROTOTYPE(epoll_tree, epoll_item, node, epoll_item_compare)

must_check int epoll_new_file(struct file **out);
bool file_is_epoll(const struct file *file);
/* epoll_ctl(2), both descriptors resolved; event is not used by EPOLL_CTL_DEL. */
must_check int epoll_control(struct file *epoll_file, int operation, int fd, struct file *target,
	const struct linux_epoll_event *event);
/* Takes up to max ready events out to guest memory; 0 when there are none. Does not wait. */
must_check int64_t epoll_take(struct file *epoll_file, gaddr_t events, int max);
/* Every event of epoll_wait(2): blocks the current task until the deadline (monotonic;
 * FILE_FOREVER). -EINTR. */
must_check int64_t epoll_wait_events(
	struct file *epoll_file, gaddr_t events, int max, bool no_wait, int64_t deadline_ns);
/* The last reference to a file that was watched is gone: called first of all, before its own
 * release. */
void epoll_file_released(struct file *file);
/* The file that an item of an instance watches, for kcmp(2): a reference to the one of descriptor
 * fd, the offset-th of that number. NULL: none. */
struct file *epoll_target(struct file *epoll_file, int fd, unsigned int offset);

/* --- epoll_graph.c: g_epoll_lock held --- */

/* May epoll watch the instance target? -ELOOP. */
must_check int epoll_graph_check_locked(struct epoll *epoll, struct epoll *target);
/* epoll has just been made to watch target: -EINVAL when too many ways lead up from a file now. */
must_check int epoll_graph_check_ways_locked(const struct epoll *epoll, struct file *target);
struct epoll *file_epoll(const struct file *file); /* NULL for other files */
