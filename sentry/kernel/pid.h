/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Process ids and pid namespaces (pid_namespaces(7)). A struct pid is the identity of a thread,
 * process, process group or session, with one number in each namespace from its own up to the
 * initial one; it outlives its users for as long as somebody refers to it (pidfds, F_SETOWN, ttys).
 *
 * All links are guarded by RANK_TASK_SET.
 */
#pragma once

#include "base/compiler.h"
#include "base/refcount.h"
#include "sentry/kernel/wait_queue.h"

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <stdint.h>
#include <sys/types.h>

struct task;
struct thread_group;
struct user_namespace;

#define PID_NAMESPACE_DEPTH_MAX 32

struct pid_namespace {
	struct refcount refs;
	struct pid_namespace *parent; /* a reference; NULL for the initial one */
	unsigned int level;
	struct task
		*init; /* child reaper: pid 1's leader; NULL before it exists and after it died */
	bool dying;    /* init died: no more processes */
	int last_pid;
	unsigned int count; /* numbers in use */
	RB_HEAD(pid_number_tree, pid_number) numbers;
	struct user_namespace *user_ns;
	uint64_t ino; /* nsfs inode number */
};

struct pid_number {
	RB_ENTRY(pid_number) node;
	int number;
	struct pid *pid;
	struct pid_namespace *ns;
};

struct pid {
	struct refcount refs;
	struct task *task;	    /* the thread that has this id; NULL once it is released */
	struct thread_group *group; /* the process whose leader has it; NULL likewise */
	LIST_HEAD(, thread_group) group_members;   /* process group with this id */
	LIST_HEAD(, thread_group) session_members; /* session with this id */
	struct wait_queue exit_queue;		   /* pidfds poll here */
	uint64_t ino;				   /* pidfs inode number */
	unsigned int level;
	struct pid_number numbers[]; /* level + 1 of them */
};

struct pid *pid_get(struct pid *pid);
void pid_put(struct pid *pid);
/* The number that a namespace sees; 0 if it does not see it, or pid is NULL. */
int pid_number_in(const struct pid *pid, const struct pid_namespace *ns);
/* A reference, or NULL. Takes RANK_TASK_SET for the _unlocked form; the other needs it held. */
struct pid *pid_find_locked(struct pid_namespace *ns, int number);
struct pid *pid_find(struct pid_namespace *ns, int number);
/* The first pid in use >= number in a namespace with its reference, or NULL: for listing /proc. */
struct pid *pid_next(struct pid_namespace *ns, int number);
/* The first number in use >= number; RANK_TASK_SET held. */
struct pid_number *pid_number_next_locked(struct pid_namespace *ns, int number);
struct pid_namespace *pid_namespace_get(struct pid_namespace *ns);
void pid_namespace_put(struct pid_namespace *ns);
must_check int pid_namespace_new(
	struct pid_namespace *parent, struct user_namespace *user_ns, struct pid_namespace **out);
/* -EAGAIN past the pid limit, -ENOMEM. wanted: NULL or level+1 numbers for clone3's set_tid, 0 for
 * any. RANK_TASK_SET held. */
must_check int pid_allocate_locked(
	struct pid_namespace *ns, const int *wanted, size_t wanted_count, struct pid **out);
/* Takes the numbers out of their namespaces; the object lives on. RANK_TASK_SET held. */
void pid_release_numbers_locked(struct pid *pid);
/* Nobody may be known by it any more: then its numbers are free again. RANK_TASK_SET held. */
void pid_release_if_unused_locked(struct pid *pid);
