/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions and process groups (setpgid(2), setsid(2), credentials(7)).
 *
 * A session is known to ttys: it names the leader's process, and the controlling terminal, which
 * the tty's owner sets. RANK_TASK_SET guards membership; tty is guarded by the tty's owner (its own
 * lock, or RANK_TASK_SET).
 */
#pragma once

#include "base/compiler.h"
#include "base/refcount.h"

#include <stdbool.h>
#include <stdint.h>

struct pid;
struct task;
struct thread_group;
struct tty;

struct session {
	struct refcount refs;
	struct pid *pid;	     /* a reference; the leader's */
	struct thread_group *leader; /* RANK_TASK_SET; NULL once it died */
	struct tty *tty; /* the controlling terminal, or NULL; RANK_TASK_SET. The tty's owner keeps
			    it in order. */
};

struct session *session_get(struct session *session);
void session_put(struct session *session);
/* The calling process becomes leader of a new session. Its number, or -EPERM. */
must_check int64_t session_create(struct task *task);
/* The first process: its own session and process group. RANK_TASK_SET held. -ENOMEM. */
must_check int session_init_locked(struct thread_group *group);
/* The first process below the init: a job of the init's session, so that it can be stopped from its
 * terminal. RANK_TASK_SET held. */
void session_init_job_locked(struct thread_group *group, struct thread_group *parent);
/* setpgid(2), numbers of the caller's namespace. */
must_check int process_group_set(struct task *task, int tgid, int pgid);
/* getpgid(2) and getsid(2); tgid 0: the caller. -ESRCH. */
int64_t process_group_get(struct task *task, int tgid);
int64_t session_number_get(struct task *task, int tgid);
/* A reference to the process's process group or session. */
struct pid *thread_group_process_group(struct thread_group *group);
struct session *thread_group_session(struct thread_group *group);
/* A process group that belongs to a session, with its reference, or NULL: for TIOCSPGRP. number: as
 * the task's namespace sees it. */
struct pid *process_group_find_in_session(struct task *task, struct session *session, int number);
bool process_group_is_orphaned(struct pid *process_group);

/* Fork: the child belongs to what the parent belongs to. RANK_TASK_SET held. */
void session_fork_locked(struct thread_group *parent, struct thread_group *child);
/* Release: leaves both. RANK_TASK_SET held. */
void session_leave_locked(struct thread_group *group);

/*
 * The tty's owner asks to be told, with no lock held, when a session leader with a controlling
 * terminal ends, and when a process drops its terminal by setsid(2). Set once at start.
 */
struct session_hooks {
	void (*leader_exited)(struct session *session);
};
void session_set_hooks(const struct session_hooks *hooks);
/* exit: the last thread of a process is ending. No lock held. */
void session_process_exited(struct thread_group *group);
