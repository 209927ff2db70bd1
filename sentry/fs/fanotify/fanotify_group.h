/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups, marks and events inside fs/fanotify/.
 *
 * All groups are in one list, those that are asked first in front; its lock is held while events
 * are handed out, and never while somebody waits. A group's own lock comes after it and guards its
 * marks and events.
 */
#pragma once

#include "base/lock.h"
#include "base/refcount.h"
#include "sentry/fs/fanotify/fanotify.h"
#include "sentry/kernel/wait_queue.h"
#include "sentry/vfs/file_handle.h"
#include "sentry/vfs/path.h"

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

struct inode;
struct iov_iter;
struct pid;
struct text_writer;

#define FANOTIFY_PERM_EVENTS                                                                       \
	(LINUX_FAN_OPEN_PERM | LINUX_FAN_ACCESS_PERM | LINUX_FAN_OPEN_EXEC_PERM)
#define FANOTIFY_FD_EVENTS                                                                         \
	(LINUX_FAN_ACCESS | LINUX_FAN_MODIFY | LINUX_FAN_CLOSE | LINUX_FAN_OPEN |                  \
		LINUX_FAN_OPEN_EXEC | FANOTIFY_PERM_EVENTS)
/* About a name in a directory, told to that directory. */
#define FANOTIFY_NAME_EVENTS                                                                       \
	(LINUX_FAN_MOVE | LINUX_FAN_CREATE | LINUX_FAN_DELETE | LINUX_FAN_RENAME)
/* What a directory hears of a file in it. */
#define FANOTIFY_CHILD_EVENTS	(FANOTIFY_FD_EVENTS | LINUX_FAN_ATTRIB)
#define FANOTIFY_EVENT_FLAGS	(LINUX_FAN_EVENT_ON_CHILD | LINUX_FAN_ONDIR)
#define FANOTIFY_MARK_TYPE_BITS (LINUX_FAN_MARK_MOUNT | LINUX_FAN_MARK_FILESYSTEM)
#define FANOTIFY_IGNORE_BITS	(LINUX_FAN_MARK_IGNORED_MASK | LINUX_FAN_MARK_IGNORE)
#define FANOTIFY_FID_BITS	LINUX_FAN_REPORT_DFID_NAME_TARGET
#define FANOTIFY_CLASS_BITS	(LINUX_FAN_CLASS_CONTENT | LINUX_FAN_CLASS_PRE_CONTENT)
/* An unlimited queue has this limit all the same. */
#define FANOTIFY_EVENTS_MAX  (1u << 20)
#define FANOTIFY_MERGE_LISTS 128u

enum fanotify_state {
	FANOTIFY_QUEUED,
	FANOTIFY_REPORTED, /* in group->asked */
	FANOTIFY_ANSWERED,
	FANOTIFY_CANCELED, /* who waited was killed: who answers frees it */
};

struct fanotify_handle {
	int32_t type; /* 0: there is none */
	struct file_id id;
};

/* What a group with FAN_REPORT_FID and its like is told of. */
struct fanotify_fids {
	struct fanotify_handle directory, new_directory, child;
	const char *name, *new_name; /* in the directories; NULL: not told */
	int32_t fsid[2];
};

struct fanotify_event {
	TAILQ_ENTRY(fanotify_event) link;
	LIST_ENTRY(fanotify_event) merge_link; /* in one of group->merge, unless it is asked */
	uint32_t mask;			       /* LINUX_FAN_* */
	struct path path;		       /* references; NULL: there is none to open */
	struct fanotify_fids fids;
	struct pid *pid; /* a reference */
	/* Of a permission event: */
	enum fanotify_state state;
	uint32_t response;
	int fd;
	char names[]; /* fids' */
};
TAILQ_HEAD(fanotify_event_list, fanotify_event);

struct fanotify_mark {
	RB_ENTRY(fanotify_mark) node; /* by object */
	SLIST_ENTRY(fanotify_mark) removed;
	uint32_t type;	     /* LINUX_FAN_MARK_INODE, _MOUNT or _FILESYSTEM */
	const void *object;  /* compared only, unless it is an inode */
	struct inode *inode; /* a reference; NULL if the mark is on something else */
	uint32_t mask, ignore_mask;
	uint32_t flags; /* LINUX_FAN_MARK_EVICTABLE, _IGNORE, _IGNORED_SURV_MODIFY */
	uint64_t shown; /* the inode's or file system's device, or the mount's id */
};
SLIST_HEAD(fanotify_mark_list, fanotify_mark);

struct fanotify_group {
	struct refcount refs;
	TAILQ_ENTRY(fanotify_group) link; /* the list's lock */
	uint64_t number;		  /* set once: its place among those of one class */
	uint32_t flags, event_flags;	  /* of fanotify_init(2); set once */
	uint32_t uid;			  /* whom it is counted for; set once */
	unsigned int max_events;	  /* set once */
	struct mutex lock;		  /* RANK_LEAF: all below */
	bool closed;
	RB_HEAD(fanotify_mark_tree, fanotify_mark) marks;
	struct fanotify_event_list events, asked;
	LIST_HEAD(, fanotify_event) merge[FANOTIFY_MERGE_LISTS];
	unsigned int event_count;
	bool overflowed; /* FAN_Q_OVERFLOW is in the queue */
	struct wait_queue queue, answers;
};

/* What happened. */
struct fanotify_target {
	struct inode *inode;	  /* to this */
	struct inode *parent;	  /* in this directory; NULL: none is known */
	struct inode *new_parent; /* FAN_RENAME: where it went */
	const char *name, *new_name;
	const struct path *path; /* NULL: not through an open file */
	bool is_directory;
	uint32_t event;
};

/* On which of a target's objects there are marks that want to hear of it. */
enum fanotify_matched {
	FANOTIFY_MATCHED_INODE = 1, /* the directory's, for FANOTIFY_NAME_EVENTS */
	FANOTIFY_MATCHED_NEW_PARENT = 2,
	FANOTIFY_MATCHED_SUPER_BLOCK = 4,
};

/* --- fanotify_group.c --- */
must_check int fanotify_group_new(
	uint32_t flags, uint32_t event_flags, struct fanotify_group **out);
void fanotify_group_put(struct fanotify_group *group);
/* Nothing more is queued, all that is asked is granted, the marks go. */
void fanotify_group_close(struct fanotify_group *group);
/* Runs with the list's lock held. */
void fanotify_groups_lock(void);
void fanotify_groups_unlock(void);
/* The next group after one that may be gone by now (0, 0: the first), in the order of asking. */
struct fanotify_group *fanotify_group_next_locked(unsigned int asked_class, uint64_t number);

/* --- fanotify_mark.c --- */
/* The events of the target that the group wants to hear of, and enum fanotify_matched; a change
 * ends what was ignored only until then. group->lock held. */
uint32_t fanotify_group_wants_locked(
	struct fanotify_group *group, const struct fanotify_target *target, uint32_t *matched);
void fanotify_marks_clear(struct fanotify_group *group, uint32_t type);
void fanotify_marks_show(struct fanotify_group *group, struct text_writer *out);
int fanotify_compare_marks(const struct fanotify_mark *a, const struct fanotify_mark *b);
RB_PROTOTYPE(fanotify_mark_tree, fanotify_mark, node, fanotify_compare_marks)

/* --- fanotify_event.c --- */
/* group->lock held. True if readers have to be woken. *out: the event, if it is one to wait for. */
must_check bool fanotify_queue_locked(struct fanotify_group *group, uint32_t mask, uint32_t matched,
	const struct fanotify_target *target, struct fanotify_event **out);
/* Takes it out of the queue. group->lock held. */
void fanotify_dequeue_locked(struct fanotify_group *group, struct fanotify_event *event);
/* No lock held: drops the path. */
void fanotify_event_free(struct fanotify_event *event);
/* Answers what is in neither list any more; true if the caller has to free it. group->lock held. */
must_check bool fanotify_answer_locked(struct fanotify_event *event, uint32_t response);
/* Waits for an event's answer, and frees it. -EPERM; -EINTR: the task is being killed. No lock
 * held.
 */
must_check int fanotify_await_answer(struct fanotify_group *group, struct fanotify_event *event);

/* --- fanotify_fid.c --- */
/* Names in *out are the target's. */
void fanotify_describe(const struct fanotify_group *group, const struct fanotify_target *target,
	uint32_t mask, uint32_t matched, struct fanotify_fids *out);
bool fanotify_fids_equal(const struct fanotify_fids *a, const struct fanotify_fids *b);
unsigned int fanotify_fids_hash(const struct fanotify_fids *fids);
/* The records that tell of them, in bytes; and what of it was copied. */
uint32_t fanotify_fids_size(const struct fanotify_group *group, const struct fanotify_event *event);
size_t fanotify_fids_copy(const struct fanotify_group *group, const struct fanotify_event *event,
	struct iov_iter *to);
