/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals (signal(7), sigaction(2)): dispositions, pending queues, sending, and delivery.
 *
 * Everything that is pending or blocked is guarded by the thread group's sighand lock
 * (RANK_SIGHAND).
 */
#pragma once

#include "abi/signal.h"
#include "base/compiler.h"
#include "base/lock.h"
#include "base/refcount.h"
#include "sentry/kernel/wait_queue.h"
#include "sentry/mm/mm.h"

#include <bsd/sys/queue.h>
#include <stdbool.h>
#include <stdint.h>

struct cred;
struct pid;
struct task;
struct thread_group;

/* Between a system call's handler and the exit path only; never seen by a guest. Values as in
 * Linux. */
#define ERESTARTSYS	      512 /* restart if SA_RESTART, else EINTR */
#define ERESTARTNOINTR	      513 /* always restart */
#define ERESTARTNOHAND	      514 /* restart if no handler runs, else EINTR */
#define ERESTART_RESTARTBLOCK 516 /* as NOHAND, but through restart_syscall(2) with task->restart  \
				   */

#define SIGNAL_COUNT 64

static inline linux_sigset_t signal_bit(int signal)
{
	return (linux_sigset_t)1 << (signal - 1);
}

struct sighand {
	struct refcount refs; /* shared by CLONE_SIGHAND */
	struct mutex lock; /* RANK_SIGHAND: everything below, and the signal state of all tasks that
			      share this */
	struct linux_sigaction actions[SIGNAL_COUNT];
	struct wait_queue signalfd_queue;
};

struct signal_entry {
	TAILQ_ENTRY(signal_entry) link;
	struct linux_siginfo info;
	struct posix_timer *timer;     /* of a timer's own preallocated entry, or NULL */
	struct signal_pending *queued; /* of a preallocated entry: where it is */
	uint32_t charged_uid;
	bool preallocated;
};

struct signal_pending {
	linux_sigset_t set;
	TAILQ_HEAD(, signal_entry) queue;
};

/* --- sending (signal.c). The info's pid and uid are those of the sender in the receiver's
 * namespaces. --- */

/* Builds the usual infos. */
void siginfo_kernel(struct linux_siginfo *info, int signal); /* SI_KERNEL */
void siginfo_user(struct linux_siginfo *info, int signal, struct task *sender,
	struct task *receiver); /* SI_USER */
void siginfo_fault(struct linux_siginfo *info, int signal, int code, uint64_t address);
/* The sender's real user as the receiver's user namespace shows it. Takes RANK_TASK. */
uint32_t siginfo_uid(struct task *sender, struct task *receiver);

/* To a process or one thread; takes RANK_SIGHAND. May discard by disposition. -EAGAIN when a
 * real-time queue is full. */
int signal_send_group(struct thread_group *group, const struct linux_siginfo *info);
int signal_send_task(struct task *task, const struct linux_siginfo *info);
/* The same with RANK_SIGHAND held; group tells which of the two. */
int signal_send_locked(struct task *task, const struct linux_siginfo *info, bool group);
/* A fault of the task's own: unblocked and un-ignored if it must be, so that it cannot be missed.
 * Task's own thread. */
void signal_force(struct task *task, const struct linux_siginfo *info);
/* The same with the default action whatever the disposition: the process ends (no ptrace stop is
 * skipped). */
void signal_force_default(struct task *task, const struct linux_siginfo *info);
/* SIGKILL and nothing else: also ends stops. */
void signal_kill_task_locked(struct task *task);
/* Every thread of the process gets SIGKILL; status is what wait(2) tells of it unless it is ending
 * already. RANK_SIGHAND held, any thread. */
void thread_group_kill_locked(struct thread_group *group, int status);
/*
 * The lock of who may change its sighand at any time (execve): returns it locked. sighand objects
 * are never given back to the heap, so the pointer may be followed without a reference as long as
 * the task or group itself lives.
 */
struct sighand *task_lock_signals(struct task *task);
struct sighand *thread_group_lock_signals(struct thread_group *group);
/* The task is about to exit: takes no more signals for its process, and hands those that wait for
 * it to its siblings. RANK_SIGHAND held. */
void signal_task_exiting_locked(struct task *task);
/* To every member of a process group, from the kernel (tty) or a sender (kill). Takes RANK_TASK_SET
 * and RANK_SIGHAND. */
int signal_send_process_group(struct pid *process_group, const struct linux_siginfo *info);
/* kill(2) with a negative pid: the same signal from sender, where it may, to each member. given: an
 * info of the guest's own making, or NULL. -ESRCH for none, -EPERM. Takes RANK_TASK_SET. */
must_check int signal_kill_process_group(struct task *sender, struct pid *process_group,
	int signal, const struct linux_siginfo *given);
/* rt_sigqueueinfo(2), pidfd_send_signal(2): an info of the guest's own making, with the rules of
 * who may pretend what. si_signo 0 only asks. */
must_check int signal_queue_info(
	struct task *task, struct task *target, struct linux_siginfo *info, bool group);
/* kill(2) of one process, permission included; signal 0 only asks. RANK_TASK_SET held. */
must_check int signal_kill_group_locked(
	struct task *sender, struct thread_group *group, int signal);
/* kill(-1): every process of the sender's pid namespace but its init and the sender's own. */
must_check int signal_kill_all(struct task *sender, int signal);
/* May sender send this signal there (kill(2))? */
must_check int signal_may_send(struct task *sender, struct task *receiver, int signal);

/* --- state --- */

/* For a task that another already looks at by a fault, sigtimedwait and so on: what it does not
 * block now. RANK_SIGHAND held. */
linux_sigset_t task_deliverable_locked(struct task *task);
/* Something that interrupts task_block(): an unblocked pending signal, a stop that is due, or a
 * kill. */
bool task_signal_pending(struct task *task);
bool task_killed(struct task *task);
/* Recomputes whether the task must leave guest code or a sleep, and makes it so. RANK_SIGHAND held.
 */
void task_recalculate_interrupt_locked(struct task *task);
void task_set_blocked(struct task *task, linux_sigset_t blocked);
/* For sigsuspend, ppoll, pselect, epoll_pwait: the mask until the call returns to guest code. */
void task_set_temporary_mask(struct task *task, linux_sigset_t blocked);
/* Takes the temporary mask back if it was not consumed by a delivery. Called by the exit path. */
void task_restore_mask(struct task *task);

/* Takes one pending signal of the set off (sigtimedwait, signalfd): its number or 0. */
int signal_dequeue(struct task *task, linux_sigset_t set, struct linux_siginfo *info);
/* Blocked, or set to SIG_IGN: what a terminal asks before it stops a background process. */
bool signal_is_ignored_locked(struct task *task, int signal);
void signal_flush_group_locked(struct thread_group *group, linux_sigset_t set);
void signal_pending_init(struct signal_pending *pending);
void signal_pending_destroy(struct signal_pending *pending);

must_check int sighand_new(struct sighand **out);
must_check int sighand_copy(struct sighand *from, struct sighand **out);
struct sighand *sighand_get(struct sighand *sighand);
void sighand_put(struct sighand *sighand);
/* sigaction(2): action NULL to look only. -EINVAL. */
must_check int signal_set_action(struct task *task, int signal,
	const struct linux_sigaction *action, struct linux_sigaction *old);
/* execve: handled signals go back to default, flags and masks are cleared. */
void sighand_reset_for_exec(struct sighand *sighand);

/* --- delivery (signal_deliver.c, signal_frame_amd64.c). Task's own thread, on the way to guest
 * code. --- */

/*
 * Delivers at most one signal: fixes up an interrupted system call, runs ptrace's and group stops,
 * builds a frame, or ends the process. Returns the state to go on with (task_run.h).
 */
struct run_state signal_deliver(struct task *task);
/* What a process that dies of a signal is reported with: the mark of a core dump where Linux would
 * have written one. */
int signal_death_status(struct task *task, int signal);
/* Builds a handler's frame on the guest's stack; on failure SIGSEGV is forced. */
must_check int signal_frame_push(struct task *task, int signal,
	const struct linux_sigaction *action, const struct linux_siginfo *info,
	linux_sigset_t mask);
/* rt_sigreturn: takes the frame off. */
must_check int signal_frame_pop(struct task *task);
