/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the signal code share: sets of signals, queues, and the lookup of dispositions.
 */
#pragma once

#include "sentry/kernel/signal.h"
#include "sentry/kernel/task.h"

#include <stdbool.h>

#define SIGNALS_STOP                                                                               \
	(LINUX_SIGMASK(LINUX_SIGSTOP) | LINUX_SIGMASK(LINUX_SIGTSTP) |                             \
		LINUX_SIGMASK(LINUX_SIGTTIN) | LINUX_SIGMASK(LINUX_SIGTTOU))
/* Their default is to do nothing. */
#define SIGNALS_DEFAULT_IGNORE                                                                     \
	(LINUX_SIGMASK(LINUX_SIGCONT) | LINUX_SIGMASK(LINUX_SIGCHLD) |                             \
		LINUX_SIGMASK(LINUX_SIGWINCH) | LINUX_SIGMASK(LINUX_SIGURG))
/* Nobody can block, handle or ignore them. */
#define SIGNALS_KERNEL_ONLY (LINUX_SIGMASK(LINUX_SIGKILL) | LINUX_SIGMASK(LINUX_SIGSTOP))
/* Caused by what the thread itself did: delivered before others. */
#define SIGNALS_SYNCHRONOUS                                                                        \
	(LINUX_SIGMASK(LINUX_SIGSEGV) | LINUX_SIGMASK(LINUX_SIGBUS) |                              \
		LINUX_SIGMASK(LINUX_SIGILL) | LINUX_SIGMASK(LINUX_SIGTRAP) |                       \
		LINUX_SIGMASK(LINUX_SIGFPE) | LINUX_SIGMASK(LINUX_SIGSYS))
/* Their default is to end the process with a core dump. */
#define SIGNALS_CORE                                                                               \
	(LINUX_SIGMASK(LINUX_SIGQUIT) | LINUX_SIGMASK(LINUX_SIGILL) |                              \
		LINUX_SIGMASK(LINUX_SIGTRAP) | LINUX_SIGMASK(LINUX_SIGABRT) |                      \
		LINUX_SIGMASK(LINUX_SIGFPE) | LINUX_SIGMASK(LINUX_SIGSEGV) |                       \
		LINUX_SIGMASK(LINUX_SIGBUS) | LINUX_SIGMASK(LINUX_SIGSYS) |                        \
		LINUX_SIGMASK(LINUX_SIGXCPU) | LINUX_SIGMASK(LINUX_SIGXFSZ))

static inline struct linux_sigaction *signal_action(struct sighand *sighand, int signal)
{
	return &sighand->actions[signal - 1];
}

/* --- signal_pending.c; RANK_SIGHAND held in all --- */

/* -EAGAIN when the information about a real-time signal found no place; others are marked pending
 * all the same. */
must_check int signal_pending_add(struct signal_pending *pending, const struct linux_siginfo *info,
	uint32_t uid, uint64_t limit);
/* An entry that its owner allocated before. */
void signal_pending_add_entry(struct signal_pending *pending, struct signal_entry *entry);
/* The signal to take next from a set; 0 for none. */
int signal_pending_next(linux_sigset_t set);
/*
 * Takes a signal that is in pending->set off and copies what is known of it. *timer is a POSIX
 * timer whose entry it was, which is told by the caller, or NULL.
 */
void signal_pending_take(struct signal_pending *pending, int signal, struct linux_siginfo *info,
	struct posix_timer **timer);
/* The first synchronous signal that a fault of the thread's own put there; 0 for none. */
int signal_pending_take_synchronous(
	struct signal_pending *pending, linux_sigset_t allowed, struct linux_siginfo *info);
void signal_pending_flush(struct signal_pending *pending, linux_sigset_t set);
/* Takes an entry of its owner's back, if it is queued. */
void signal_pending_remove_entry(struct signal_pending *pending, struct signal_entry *entry);

/* --- signal.c --- */

bool signal_task_ignores_locked(struct task *task, int signal, bool force);
/* As signal_send_locked(), for a timer's entry. False: it is ignored, and was not queued. */
must_check bool signal_send_entry_locked(struct task *task, struct signal_entry *entry, bool group);
/* Takes the next signal of allowed off the task's queue, then the process's. RANK_SIGHAND held. */
int signal_dequeue_locked(struct task *task, linux_sigset_t allowed, struct linux_siginfo *info);
struct pid_namespace *thread_group_pid_namespace(const struct thread_group *group);
