/* SPDX-License-Identifier: Apache-2.0 */
/* What a child takes over from its parent: shared or copied, as the flags of clone(2) say. */
#include "sentry/kernel/clone_copy.h"

#include "base/log.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/rseq.h"
#include "sentry/kernel/scheduling.h"
#include "sentry/kernel/user_namespace.h"
#include "sentry/keys/key.h"
#include "sentry/time/clock.h"
#include "sentry/time/itimer.h"
#include "sentry/time/vdso.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/path.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static void copy_plain(struct task *parent, struct task *child, const struct linux_clone_args *args)
{
	uint64_t flags = args->flags;

	child->next_state = run_state(task_state_begin);
	child->regs = parent->regs;
	child->regs.rax = 0;
	if (args->stack)
		child->regs.rsp = args->stack;
	if (flags & LINUX_CLONE_SETTLS)
		child->regs.fs_base = args->tls;
	memcpy(child->comm, parent->comm, sizeof(child->comm));
	child->syscall_number = parent->syscall_number;
	child->in_syscall = true;
	child->personality = parent->personality;
	child->no_new_privs = parent->no_new_privs;
	child->timer_slack_ns = parent->timer_slack_ns;
	child->ioprio = parent->ioprio;
	child->mempolicy = parent->mempolicy;
	child->blocked = parent->blocked;
	/* A thread that shares memory without stopping its parent would share the stack too. */
	if (!(flags & LINUX_CLONE_VM) || (flags & LINUX_CLONE_VFORK))
		child->altstack = parent->altstack;
	if (flags & LINUX_CLONE_CHILD_SETTID)
		child->set_child_tid = args->child_tid;
	if (flags & LINUX_CLONE_CHILD_CLEARTID)
		child->clear_child_tid = args->child_tid;
	if (atomic_load(&parent->run.slow) & TASK_SLOW_TRACE)
		task_slow_set(child, TASK_SLOW_TRACE);
	rseq_fork(child, flags);
	child->start_ns = clock_now(LINUX_CLOCK_BOOTTIME);
}

static int copy_cred(struct task *parent, struct task *child, uint64_t flags)
{
	struct user_namespace *ns;
	struct cred *cred;
	int err;

	if (!(flags & LINUX_CLONE_NEWUSER) && !keys_clone_changes(parent->cred, flags)) {
		child->cred = cred_get(parent->cred);
		return 0;
	}
	err = cred_copy(parent->cred, &cred);
	if (err)
		return err;
	child->cred = cred;
	err = keys_clone(cred, flags);
	if (err || !(flags & LINUX_CLONE_NEWUSER))
		return err;
	err = user_namespace_new(parent->cred, &ns);
	if (!err)
		cred_enter_user_namespace(cred, ns);
	return err;
}

static int copy_sighand(struct task *parent, struct task *child, uint64_t flags)
{
	int err;

	if (flags & LINUX_CLONE_SIGHAND) {
		child->sighand = sighand_get(parent->sighand);
		return 0;
	}
	err = sighand_copy(parent->sighand, &child->sighand);
	if (!err && (flags & LINUX_CLONE_CLEAR_SIGHAND))
		sighand_reset_for_exec(child->sighand);
	return err;
}

static int copy_files(struct task *parent, struct task *child, uint64_t flags)
{
	int err = 0;

	if (flags & LINUX_CLONE_FILES)
		child->files = fd_table_get(parent->files);
	else
		err = fd_table_copy(parent->files, UINT_MAX, &child->files);
	if (err)
		return err;
	if (flags & LINUX_CLONE_FS)
		child->fs = fs_struct_get(parent->fs);
	else
		err = fs_struct_copy(parent->fs, &child->fs);
	return err;
}

static int copy_namespaces(struct task *parent, struct task *child, uint64_t flags)
{
	const uint64_t new_ones = LINUX_CLONE_NEWNS | LINUX_CLONE_NEWUTS | LINUX_CLONE_NEWIPC |
				  LINUX_CLONE_NEWNET | LINUX_CLONE_NEWPID | LINUX_CLONE_NEWCGROUP |
				  LINUX_CLONE_NEWTIME;
	int err = 0;

	if (flags & new_ones)
		err = nsproxy_copy(
			parent->nsproxy, flags & new_ones, child->cred, child->fs, &child->nsproxy);
	else if (!(flags & LINUX_CLONE_VM) && nsproxy_changes_time(parent->nsproxy))
		child->nsproxy = nsproxy_duplicate(parent->nsproxy);
	else
		child->nsproxy = nsproxy_get(parent->nsproxy);
	if (err || !child->nsproxy)
		return err ? err : -ENOMEM;
	/* One memory has the clocks of one namespace. */
	if (!(flags & LINUX_CLONE_VM))
		nsproxy_change_time(child->nsproxy);
	return 0;
}

static int copy_memory(struct task *parent, struct task *child, uint64_t flags)
{
	size_t size = g_platform->fpstate_size;
	int err;

	child->start_fpstate = malloc(size);
	if (!child->start_fpstate)
		return -ENOMEM;
	err = context_get_fpstate(
		parent->context, mm_address_space(parent->mm), child->start_fpstate, size);
	if (err)
		return err;
	if (flags & LINUX_CLONE_VM) {
		child->mm = mm_get(parent->mm);
		return 0;
	}
	err = mm_fork(parent->mm, &child->mm);
	if (!err && child->nsproxy->time != parent->nsproxy->time)
		err = vdso_set_clocks(child->mm, !child->nsproxy->time);
	return err;
}

static int copy_group(struct task *parent, struct task *child, uint64_t flags)
{
	struct thread_group *from = parent->group, *group;
	int err;

	if (flags & LINUX_CLONE_THREAD) {
		child->group = thread_group_get(from);
		return 0;
	}
	err = thread_group_new(&group);
	if (err)
		return err;
	child->group = group;
	group->sighand = sighand_get(child->sighand);
	mutex_lock(&from->lock);
	memcpy(group->limits, from->limits, sizeof(group->limits));
	mutex_unlock(&from->lock);
	group->start_ns = child->start_ns;
	group->oom_score_adj = from->oom_score_adj;
	group->coredump_filter = from->coredump_filter;
	/* What is registered belongs to the memory. */
	group->membarrier = from->membarrier;
	if (group->limits[LINUX_RLIMIT_CPU].rlim_cur != LINUX_RLIM_INFINITY)
		itimer_cpu_limit_changed(group);
	return 0;
}

int clone_copy(struct task *parent, const struct linux_clone_args *args, struct task **out)
{
	uint64_t flags = args->flags;
	struct task *child;
	int err = task_new(g_platform, &child);

	if (err)
		return err;
	copy_plain(parent, child, args);
	err = copy_cred(parent, child, flags);
	if (!err)
		err = copy_sighand(parent, child, flags);
	if (!err)
		err = copy_files(parent, child, flags);
	if (!err)
		err = copy_namespaces(parent, child, flags);
	if (!err)
		err = copy_group(parent, child, flags);
	if (!err)
		err = scheduling_fork(parent, child);
	if (!err)
		err = copy_memory(parent, child, flags);
	if (err) {
		task_abandon(child);
		return err;
	}
	*out = child;
	return 0;
}

/* --- what other rooms do at a clone --- */

#define FORK_HOOKS_MAX 8

static void (*fork_hooks[FORK_HOOKS_MAX])(
	struct task *parent, struct task *child, uint64_t clone_flags);
static size_t fork_hook_count;

void task_add_fork_hook(void (*hook)(struct task *parent, struct task *child, uint64_t clone_flags))
{
	panic_if(fork_hook_count == FORK_HOOKS_MAX, "too many fork hooks");
	fork_hooks[fork_hook_count++] = hook;
}

void clone_run_hooks(struct task *parent, struct task *child, uint64_t flags)
{
	for (size_t i = 0; i < fork_hook_count; i++)
		fork_hooks[i](parent, child, flags);
}
