/* SPDX-License-Identifier: Apache-2.0 */
/*
 * execve(2): the siblings are killed, the caller takes over the leader's identity, and the new
 * image takes the old one's place (ptrace(2), "execve(2) under ptrace").
 */
#include "sentry/kernel/exec.h"

#include "abi/epoll.h"
#include "abi/personality.h"
#include "abi/resource.h"
#include "abi/ucontext.h"
#include "sentry/kernel/cred_guard.h"
#include "sentry/kernel/exit_notify.h"
#include "sentry/kernel/futex.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/ptrace_state.h"
#include "sentry/kernel/rlimit.h"
#include "sentry/kernel/rseq.h"
#include "sentry/kernel/user_count.h"
#include "sentry/time/posix_timer.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define USER_CS		    0x33
#define USER_DS		    0x2b
#define EFLAGS		    0x200 /* interrupts are on */
#define X87_CONTROL_DEFAULT 0x37f
#define MXCSR_DEFAULT	    0x1f80
#define PER_CLEAR_ON_SETID                                                                         \
	(LINUX_READ_IMPLIES_EXEC | LINUX_ADDR_NO_RANDOMIZE | LINUX_ADDR_COMPAT_LAYOUT |            \
		LINUX_MMAP_PAGE_ZERO)

/* --- killing the siblings --- */

/* False: another thread was faster with an execve or an exit of the process. */
static bool exec_begin(struct task *task)
{
	struct thread_group *group = task->group;
	struct task *thread;
	bool won;

	mutex_lock(&g_tasks.lock);
	mutex_lock(&task->sighand->lock);
	won = !group->exiting && !group->execing;
	if (won) {
		group->execing = task;
		group->stop_count = 0;
		TAILQ_FOREACH (thread, &group->tasks, group_link) {
			thread->stop.jobctl &=
				~(JOBCTL_STOP_PENDING | JOBCTL_STOP_CONSUME | JOBCTL_STOP_DEQUEUED);
			if (thread != task && thread->exit_state == TASK_ALIVE)
				signal_kill_task_locked(thread);
		}
		/* Ended at once if there is nobody to wait for. */
		if (task_begin_stop_locked(task, STOP_EXEC))
			exec_check_siblings_locked(group);
	}
	mutex_unlock(&task->sighand->lock);
	mutex_unlock(&g_tasks.lock);
	return won;
}

/* Became a user with more processes than it may have, and still has. See set_ids.c. */
static bool has_too_many_processes(struct task *task)
{
	if (task->nproc_exceeded)
		task->nproc_exceeded = user_count_of(USER_TASKS, task->cred->uid) >
				       rlimit_of(task->group, LINUX_RLIMIT_NPROC);
	return task->nproc_exceeded;
}

int64_t task_exec(struct task *task, const struct exec_request *request)
{
	int err;

	if (has_too_many_processes(task))
		return -EAGAIN;
	err = cred_guard_lock(task, task->group);
	if (err)
		return err;
	err = exec_load(task, request, &task->exec);
	if (!err && !exec_begin(task)) {
		exec_image_free(steal_pointer(&task->exec));
		err = -EAGAIN;
	}
	if (err) {
		cred_guard_unlock(task->group);
		return err;
	}
	task_set_next_state(task, task_state_exec);
	return 0;
}

/* --- becoming the leader --- */

static void swap_pids(struct task *task, struct task *leader)
{
	struct task *first = task < leader ? task : leader, *second = task < leader ? leader : task;
	struct pid *pid = task->pid;

	mutex_lock(&first->lock);
	mutex_lock_nested(&second->lock);
	task->pid = leader->pid;
	leader->pid = pid;
	task->pid->task = task;
	leader->pid->task = leader;
	mutex_unlock(&second->lock);
	mutex_unlock(&first->lock);
}

/* RANK_TASK_SET held. Returns the old leader, to be released. Its tracer will not see it die: it
 * sees the new one's events. */
static struct task *take_leadership(struct task *task)
{
	struct thread_group *group = task->group;
	struct task *leader = group->leader, *tracer;

	task->exit_signal = LINUX_SIGCHLD;
	if (leader == task)
		return NULL;
	swap_pids(task, leader);
	task->start_ns = leader->start_ns;
	leader->exit_signal = -1;
	group->leader = task;
	mutex_lock(&leader->sighand->lock);
	leader->exit_state = TASK_DEAD;
	mutex_unlock(&leader->sighand->lock);
	tracer = leader->ptrace->tracer;
	if (tracer) {
		ptrace_unlink_locked(leader);
		wait_queue_wake(&tracer->group->child_queue, LINUX_EPOLLIN);
	}
	return leader;
}

/* --- leaving the old program --- */

/* Handlers that another process shares are left to it. */
static int unshare_sighand(struct task *task)
{
	struct sighand *old = task->sighand, *copy;
	int err;

	if (!task->group->sighand_shared)
		return 0;
	err = sighand_copy(old, &copy);
	if (err)
		return err;
	mutex_lock(&g_tasks.lock);
	mutex_lock(&old->lock);
	mutex_lock(&task->lock);
	task->sighand = copy;
	task->group->sighand = sighand_get(copy);
	task->group->sighand_shared = false;
	mutex_unlock(&task->lock);
	mutex_unlock(&old->lock);
	mutex_unlock(&g_tasks.lock);
	sighand_put(old);
	sighand_put(old);
	return 0;
}

static int unshare_files(struct task *task)
{
	struct fd_table *old = task->files, *copy;
	int err;

	if (!fd_table_is_shared(old))
		return 0;
	err = fd_table_copy(old, UINT_MAX, &copy);
	if (err)
		return err;
	mutex_lock(&task->lock);
	task->files = copy;
	mutex_unlock(&task->lock);
	fd_table_put(old);
	return 0;
}

static void reset_task(struct task *task)
{
	posix_timers_destroy(task->group);
	sighand_reset_for_exec(task->sighand);
	task->altstack = (struct linux_stack){.ss_flags = LINUX_SS_DISABLE};
	task->robust_list = 0;
	task->clear_child_tid = 0;
	task->syscall_dispatch.on = false;
	rseq_exec(task);
	task->group->did_exec = true;
	task->group->exec_count++;
	task->group->membarrier.registered = 0;
}

/* --- the new program --- */

static void reset_fpstate(struct task *task)
{
	struct linux_fpstate *state = calloc(1, g_platform->fpstate_size);

	if (!state)
		return;
	state->cwd = X87_CONTROL_DEFAULT;
	state->mxcsr = MXCSR_DEFAULT;
	(void)!context_set_fpstate(
		task->context, mm_address_space(task->mm), state, g_platform->fpstate_size);
	free(state);
}

static void switch_memory(struct task *task, struct exec_image *image)
{
	struct mm *old = task->mm, *new_mm = steal_pointer(&image->mm);
	bool taken = old && mm_take_address_space(new_mm, old, task->context);

	if (old && !taken)
		context_release(task->context);
	mutex_lock(&task->lock);
	task->mm = new_mm;
	memcpy(task->comm, image->comm, sizeof(task->comm));
	mutex_unlock(&task->lock);
	task->address_space = NULL;
	if (image->nsproxy)
		task_switch_nsproxy(task, steal_pointer(&image->nsproxy));
	/* A context that stays where it is keeps its state; a fresh one has none. */
	if (taken)
		reset_fpstate(task);
	task_vfork_release(task);
	if (old)
		mm_put(old);
}

static void switch_cred(struct task *task, struct exec_image *image)
{
	bool changes =
		image->cred->euid != task->cred->euid || image->cred->egid != task->cred->egid;
	bool plain = image->cred->uid == image->cred->euid && image->cred->gid == image->cred->egid;

	if (image->secure || changes) {
		task->personality &= ~(uint32_t)PER_CLEAR_ON_SETID;
		task->pdeath_signal = 0;
	}
	/* 1: SUID_DUMP_USER; lowered again below if the credentials change. */
	mm_set_dumpable(task->mm, image->unreadable || !plain ? 0 : 1);
	task_commit_cred(steal_pointer(&image->cred));
}

static void switch_registers(struct task *task, const struct exec_image *image)
{
	task->regs = (struct linux_user_regs){
		.rip = image->entry,
		.rsp = image->stack_pointer,
		.cs = USER_CS,
		.ss = USER_DS,
		.eflags = EFLAGS,
		.orig_rax = task->regs.orig_rax,
	};
	task->syscall_result = 0;
}

/* Nothing failed so far; what fails now leaves no program to return to. */
static void exec_switch(struct task *task, struct exec_image *image)
{
	struct linux_siginfo info;
	bool failed = unshare_sighand(task) || unshare_files(task) || image->fatal;

	reset_task(task);
	switch_memory(task, image);
	switch_cred(task, image);
	fd_close_on_exec(task->files);
	ptrace_debug_registers_clear(task);
	switch_registers(task, image);
	if (failed) {
		siginfo_kernel(&info, LINUX_SIGSEGV);
		signal_force(task, &info);
	}
}

/* Killed while it waited, or the siblings are gone. */
static bool exec_siblings_gone(struct task *task, struct task **old_leader, int *old_tid)
{
	bool killed;

	mutex_lock(&g_tasks.lock);
	mutex_lock(&task->sighand->lock);
	task->group->execing = NULL;
	killed = atomic_load(&task->killed) || task->group->exiting;
	mutex_unlock(&task->sighand->lock);
	*old_leader = NULL;
	*old_tid = 0;
	if (!killed) {
		if (task->ptrace->tracer)
			*old_tid =
				pid_number_in(task->pid, task_pid_namespace(task->ptrace->tracer));
		*old_leader = take_leadership(task);
	}
	mutex_unlock(&g_tasks.lock);
	return !killed;
}

struct run_state task_state_exec(struct task *task)
{
	struct exec_image *image;
	struct task *old_leader;
	int old_tid;

	task_wait_stop(task);
	image = steal_pointer(&task->exec);
	if (!exec_siblings_gone(task, &old_leader, &old_tid)) {
		cred_guard_unlock(task->group);
		exec_image_free(image);
		return run_state(task_state_interrupt);
	}
	if (old_leader)
		task_release(old_leader);
	/* The old memory holds what threads left for each other. */
	if (task->mm)
		futex_exit(task);
	exec_switch(task, image);
	exec_image_free(image);
	cred_guard_unlock(task->group);
	ptrace_exec(task, old_tid);
	return run_state(task_state_syscall_exit);
}
