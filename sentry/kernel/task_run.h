/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the task machine share: making tasks, their host threads, the steps of clone,
 * exec and exit. */
#pragma once

#include "sentry/kernel/task.h"

/* A task with its thread group still to be set, not visible to anybody: one reference. comm is the
 * current task's. -ENOMEM. */
must_check int task_new(struct platform *platform, struct task **out);
/* Drops what a task that never ran has. */
void task_abandon(struct task *task);
/* A host thread that waits for a task; NULL when the host has no more. */
struct host_thread *host_thread_get(void);
void host_thread_put(struct host_thread *thread);
/* The thread begins with task->next_state. It takes over a reference of the caller's. */
void task_start(struct task *task, struct host_thread *thread);
/* The platform that tasks run on; set once at boot. */
extern struct platform *g_platform;

must_check int thread_group_new(struct thread_group **out);

/* task_times.c: once, at boot; own thread, before all else. */
void task_times_start(void);
void task_times_begin(struct task *task);
uint64_t task_ticks_to_ns(uint64_t ticks);
/* Own thread: asks the host's clocks how much of the unmeasured time it gave a processor for. */
void task_times_measure(struct task *task);

/* Taken as the stamps say; more of it the clocks are asked about. */
#define TASK_UNMEASURED_NS 1000000

/* CPU times of tasks that share an address space, added up. */
struct task_time_sum {
	uint64_t user_ns, system_ns;
	bool asked;	  /* the address space's clock */
	uint64_t room_ns; /* what it leaves for times under way */
};

/* With what is under way. The task is kept from being freed by its thread group's lock, or a
 * reference. */
void task_times_add(struct task *task, struct task_time_sum *sum);

static inline uint64_t time_stamp(void)
{
	return __builtin_ia32_rdtsc();
}

/* Own thread: the time since the last change goes to user or system time. */
static inline void task_account(struct task *task, bool user)
{
	struct task_times *times = &task->times;
	uint64_t now = time_stamp(),
		 since = atomic_load_explicit(&task->run.since, memory_order_relaxed), sum;
	_Atomic uint64_t *time = user ? &times->user_ns : &times->system_ns;

	if (since) {
		times->unmeasured_ns[user] += task_ticks_to_ns(now - since);
		if (unlikely(times->unmeasured_ns[0] + times->unmeasured_ns[1] >
			     TASK_UNMEASURED_NS))
			task_times_measure(task);
		/* It may have turned out to be less, and never goes back. */
		sum = times->measured_ns[user] + times->unmeasured_ns[user];
		if (likely(sum > atomic_load_explicit(time, memory_order_relaxed)))
			atomic_store_explicit(time, sum, memory_order_relaxed);
	}
	atomic_store_explicit(&task->run.since, now, memory_order_relaxed);
}

static inline struct run_state run_state(struct run_state (*execute)(struct task *task))
{
	return (struct run_state){execute};
}

/* The system call's handler decided on another state than the way back to guest code. Own thread.
 */
static inline void task_set_next_state(
	struct task *task, struct run_state (*execute)(struct task *task))
{
	task->next_state = run_state(execute);
	task_slow_set(task, TASK_SLOW_NEXT);
}

/*
 * sentry/trace's eyes: called on the task's own thread with no lock held, for tasks with
 * TASK_SLOW_TRACE (children inherit it). Any may be NULL. Set before the first task starts.
 */
struct task_trace_hooks {
	void (*syscall_enter)(struct task *task); /* syscall_number and regs are set */
	void (*syscall_exit)(
		struct task *task); /* regs.rax is the result, a restart code included */
	void (*born)(struct task *task);
	void (*exited)(
		struct task *task); /* exit_code is set; its memory and files are still there */
	/* A signal is about to run its handler. No lock is held. One that ends the task is told by
	 * exited. */
	void (*signal)(struct task *task, const struct linux_siginfo *info);
};
extern const struct task_trace_hooks *g_trace_hooks;

/* The first state of a child: CHILD_SETTID, then as after a system call. */
struct run_state task_state_begin(struct task *task);
/* execve goes on when the sibling threads are dead. */
struct run_state task_state_exec(struct task *task);

/* Own thread: sleeps until task_wake() or task_kick(), whatever is due; maybe for nothing. */
void task_sleep(struct task *task);

/* Handles an execute fault at the vsyscall page: true if it was one. */
must_check bool task_vsyscall(struct task *task, const struct context_exit *exit);

/* clone.c: the parent of a vfork may go on: the child leaves its memory (exec, exit). Own thread,
 * no lock held. */
void task_vfork_release(struct task *task);

/* exit.c */
/* A zombie that nobody waits for any more is taken out of everything. Takes RANK_TASK_SET. */
void task_release(struct task *task);
void task_release_list(struct task_list *dead);
/* Tells the parent (or tracer) that a task ended. RANK_TASK_SET held. True: it does not want to
 * wait for it. signal 0: none. */
must_check bool task_notify_parent_locked(struct task *task, int signal);
/* Tells the tracer or the parent that a task stopped or goes on. RANK_TASK_SET held. */
void task_notify_stop_locked(struct task *task, bool tracer, int why);
/* Would (or did) the process group become orphaned without one of its processes (NULL: as it is)?
 * RANK_TASK_SET held. */
bool process_group_is_orphaned_locked(struct pid *process_group, struct thread_group *ignored);
/* A process left the group or its parent went: SIGHUP and SIGCONT to newly orphaned groups with
 * stopped members. */
void process_group_check_orphaned_locked(struct thread_group *group, struct task *former_parent);

static inline bool thread_group_is_empty_locked(const struct thread_group *group)
{
	return group->task_count == 1;
}

/* stop.c: threads that a group stop takes along. RANK_SIGHAND held. */
must_check bool group_stop_participate_locked(struct task *task);
/* clone: a new thread takes part in a stop of its group. RANK_SIGHAND held. */
void group_stop_join_locked(struct task *parent, struct task *child);
