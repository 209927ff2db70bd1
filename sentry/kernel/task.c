/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks as objects: making, references, what others may look at, and their numbers. */
#include "sentry/kernel/task.h"

#include "base/log.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/ptrace_state.h"
#include "sentry/kernel/scheduling.h"
#include "sentry/kernel/seccomp.h"
#include "sentry/kernel/task_run.h"
#include "sentry/keys/key.h"
#include "sentry/lock_order.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

REFCOUNT_TYPE(task_refs, "task");

struct task_set g_tasks;
struct platform *g_platform;
__thread struct task *current_task_;

/* One allocation for what lives equally long. */
struct task_memory {
	struct task task;
	struct ptrace_state ptrace;
};

int task_new(struct platform *platform, struct task **out)
{
	struct task_memory *memory = calloc(1, sizeof(*memory));
	struct task *task;
	int err;

	if (!memory)
		return -ENOMEM;
	task = &memory->task;
	err = context_new(platform, &task->context);
	if (err) {
		free(memory);
		return err;
	}
	refcount_init(&task->refs, &task_refs);
	mutex_init(&task->lock, RANK_TASK, "task");
	task->ptrace = &memory->ptrace;
	task->ptrace->task = task;
	LIST_INIT(&task->ptrace->tracees);
	ptrace_debug_registers_init(task->ptrace, NULL);
	signal_pending_init(&task->pending);
	task->altstack.ss_flags = LINUX_SS_DISABLE;
	task->regs.orig_rax = UINT64_MAX;
	*out = task;
	return 0;
}

static void task_free(struct task *task)
{
	signal_pending_destroy(&task->pending);
	seccomp_forget(task);
	scheduling_release(task);
	context_free(task->context);
	if (task->sighand)
		sighand_put(task->sighand);
	if (task->cred)
		cred_put(task->cred);
	key_put(task->given_session);
	pid_put(task->pid);
	if (task->group)
		thread_group_put(task->group);
	free(task->start_fpstate);
	mutex_destroy(&task->lock);
	free(container_of(task, struct task_memory, task));
}

struct task *task_get(struct task *task)
{
	refcount_get(&task->refs);
	return task;
}

void task_put(struct task *task)
{
	if (task && refcount_put(&task->refs))
		task_free(task);
}

void task_abandon(struct task *task)
{
	if (task->mm)
		mm_put(task->mm);
	if (task->files)
		fd_table_put(task->files);
	if (task->fs)
		fs_struct_put(task->fs);
	if (task->nsproxy)
		nsproxy_put(task->nsproxy);
	task->mm = NULL;
	task->files = NULL;
	task->fs = NULL;
	task->nsproxy = NULL;
	task_put(task);
}

struct sighand *task_lock_sighand(struct task *task)
{
	struct task *self = current;

	/* Nobody but the last thread of a process changes its handlers. */
	if (self && self->group == task->group) {
		mutex_lock(&task->sighand->lock);
		return task->sighand;
	}
	for (;;) {
		struct sighand *sighand;

		mutex_lock(&task->lock);
		sighand = sighand_get(task->sighand);
		mutex_unlock(&task->lock);
		mutex_lock(&sighand->lock);
		if (likely(task->sighand == sighand)) {
			/* The task has a reference of its own, and cannot change it now. */
			sighand_put(sighand);
			return sighand;
		}
		mutex_unlock(&sighand->lock);
		sighand_put(sighand);
	}
}

/* --- what others may look at --- */

struct mm *task_get_mm(struct task *task)
{
	mutex_guard(&task->lock);
	return task->mm ? mm_get(task->mm) : NULL;
}

void task_get_mempolicy(struct task *task, struct mempolicy *policy)
{
	mutex_guard(&task->lock);
	*policy = task->mempolicy;
}

struct fd_table *task_get_files(struct task *task)
{
	mutex_guard(&task->lock);
	return task->files ? fd_table_get(task->files) : NULL;
}

struct fs_struct *task_get_fs(struct task *task)
{
	mutex_guard(&task->lock);
	return task->fs ? fs_struct_get(task->fs) : NULL;
}

const struct cred *task_get_cred(struct task *task)
{
	mutex_guard(&task->lock);
	return cred_get(task->cred);
}

struct nsproxy *task_get_nsproxy(struct task *task)
{
	mutex_guard(&task->lock);
	return task->nsproxy ? nsproxy_get(task->nsproxy) : NULL;
}

char task_state_letter(struct task *task)
{
	enum stop_kind kind;
	enum exit_state exit_state;

	task_lock_sighand(task);
	kind = task->stop.kind;
	exit_state = task->exit_state;
	task_unlock_sighand(task);
	if (exit_state == TASK_ZOMBIE)
		return 'Z';
	if (exit_state == TASK_DEAD)
		return 'X';
	if (kind == STOP_GROUP || kind == STOP_PAUSE)
		return 'T';
	if (kind == STOP_PTRACE)
		return 't';
	if (kind != STOP_NONE || atomic_load(&task->run.uninterruptible))
		return 'D';
	return atomic_load(&task->run.woken) == TASK_SLEEPS ? 'S' : 'R';
}

/* --- numbers --- */

/* An execve may swap a task's pid with its leader's: others than the task itself hold the lock that
 * it swaps under. */
static int task_number_in(struct task *task, const struct pid_namespace *ns)
{
	if (task == current)
		return pid_number_in(task->pid, ns);
	mutex_guard(&task->lock);
	return pid_number_in(task->pid, ns);
}

struct pid_namespace *task_pid_namespace(struct task *task)
{
	struct pid *pid = task->group->pid;

	return pid->numbers[pid->level].ns;
}

int task_tid(struct task *task)
{
	return task_number_in(task, task_pid_namespace(task));
}

int task_tgid(struct task *task)
{
	struct pid *pid = task->group->pid;

	return pid->numbers[pid->level].number;
}

int task_tid_seen_by(struct task *task, struct task *viewer)
{
	return task_number_in(task, task_pid_namespace(viewer));
}

int thread_group_number_seen_by(struct thread_group *group, struct task *viewer)
{
	return pid_number_in(group->pid, task_pid_namespace(viewer));
}

struct task *task_find(struct task *caller, int tid)
{
	struct task *task = NULL;
	struct pid *pid;

	mutex_lock(&g_tasks.lock);
	pid = pid_find_locked(task_pid_namespace(caller), tid);
	if (pid && pid->task)
		task = task_get(pid->task);
	mutex_unlock(&g_tasks.lock);
	pid_put(pid);
	return task;
}

struct thread_group *thread_group_find(struct task *caller, int tgid)
{
	struct thread_group *group = NULL;
	struct pid *pid;

	mutex_lock(&g_tasks.lock);
	pid = pid_find_locked(task_pid_namespace(caller), tgid);
	if (pid && pid->group)
		group = thread_group_get(pid->group);
	mutex_unlock(&g_tasks.lock);
	pid_put(pid);
	return group;
}
