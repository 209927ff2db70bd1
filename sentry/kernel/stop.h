/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stops: the one mechanism that keeps a task from running. A task is in at most one stop; it enters
 * it on its own thread, and whoever ends the stop lets it run on. One rule says which of them
 * SIGKILL ends: stop_is_killable().
 *
 * Job control is built upon it (signal(7), ptrace(2)): a group stop is first due to each thread
 * (JOBCTL_ bits), which takes part in it when it next looks. Traced threads take part by stopping
 * for their tracer.
 */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>

struct task;
struct thread_group;

enum stop_kind {
	STOP_NONE,
	STOP_GROUP,  /* job control; SIGCONT and SIGKILL end it */
	STOP_PTRACE, /* the tracer ends it; SIGKILL too, unless the tracer is looking at the task
			(frozen) */
	STOP_VFORK,  /* the parent, until the child execs or exits; SIGKILL ends it */
	STOP_EXEC,   /* execve waits for the sibling threads to die; SIGKILL ends it */
	STOP_PAUSE,  /* from outside the sandbox; only outside ends it */
};

/* What is due to a task or was agreed with its tracer. The low byte is the signal of the group stop
 * that is due. */
enum jobctl {
	JOBCTL_STOP_SIGNAL = 0xff,
	JOBCTL_STOP_DEQUEUED = 1 << 16, /* took a stop signal off the queue; SIGCONT cancels it */
	JOBCTL_STOP_PENDING = 1 << 17,	/* has to take part in a group stop */
	JOBCTL_STOP_CONSUME = 1 << 18,	/* and is counted in group->stop_count */
	JOBCTL_TRAP_STOP = 1 << 19,	/* has to stop for its tracer */
	JOBCTL_TRAP_NOTIFY =
		1 << 20, /* likewise, to tell it of a change of the group's state (seized tasks) */
	JOBCTL_TRAPPING =
		1 << 21, /* goes from group stop to ptrace stop; an attacher waits for it */
	JOBCTL_LISTENING = 1 << 22, /* PTRACE_LISTEN */
	JOBCTL_DUE = JOBCTL_STOP_PENDING | JOBCTL_TRAP_STOP | JOBCTL_TRAP_NOTIFY,
};

struct stop_work;

struct task_stop {
	enum stop_kind kind; /* RANK_SIGHAND */
	bool frozen;	     /* STOP_PTRACE: the tracer holds the task still */
	unsigned int jobctl; /* RANK_SIGHAND: enum jobctl */
	struct stop_work
		*_Atomic work; /* what the tracer wants done on the stopped task's own thread */
};

bool stop_is_killable(const struct task_stop *stop);
/* Task's own thread, RANK_SIGHAND held: false, and no stop, if the task is killed already and the
 * stop is killable. */
must_check bool task_begin_stop_locked(struct task *task, enum stop_kind kind);
/* RANK_SIGHAND held, any thread. The stop's kind must be what the caller thinks it is. */
void task_end_stop_locked(struct task *task);
/* Task's own thread, no lock held: sleeps until there is no stop. */
void task_wait_stop(struct task *task);

/*
 * Runs a function on the thread of a task that is in a frozen ptrace stop, for what only that
 * thread may do (floating-point state, debug registers), and waits for it. Returns what it
 * returned.
 */
int task_stop_run(
	struct task *task, int (*function)(struct task *task, void *argument), void *argument);

/* --- for the signal code: RANK_SIGHAND held in all of these --- */

/* Part of task_signal_pending(): is a stop or trap due to the task? */
static inline bool task_group_stop_pending(const struct task_stop *stop)
{
	return stop->jobctl & JOBCTL_DUE;
}
/* SIGKILL reached the task (task->killed is set): ends its stop, if that is killable. */
void task_stop_kill_locked(struct task *task);
/* Own thread: a stop signal was taken off the queue, and may come to a group stop unless SIGCONT
 * comes between. */
void group_stop_note_dequeued_locked(struct task *task, int signal);
/*
 * Own thread, before the next signal is taken off the queue: tells the parent what has to be told,
 * takes part in a group stop, stops for the tracer. True: the lock was dropped in between, so look
 * at everything anew.
 */
must_check bool task_do_stops_locked(struct task *task);
/*
 * Own thread: the default action of a stop signal. Nothing happens if SIGCONT cancelled it, or the
 * process group is orphaned (but for SIGSTOP). The lock is dropped in between: look at everything
 * anew.
 */
void group_stop_begin_locked(struct task *task, int signal);
/*
 * A SIGCONT is being sent (even if it is blocked or ignored; pending stop signals are flushed by
 * the caller): ends group stops and what is due of them. Any thread.
 */
void group_stop_continue_locked(struct thread_group *group);
