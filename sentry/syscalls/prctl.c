/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prctl(2): the dispatch, and what concerns the task itself.
 *
 * Differs from Linux: the time-stamp counter cannot be made to fault; speculation, machine checks,
 * core scheduling and memory merging cannot be controlled (the errors are those of kernels or
 * machines without them).
 */
#include "abi/prctl.h"

#include "abi/seccomp.h"
#include "abi/signal.h"
#include "sentry/kernel/ptrace.h"
#include "sentry/kernel/seccomp.h"
#include "sentry/kernel/syscall_user_dispatch.h"
#include "sentry/syscalls/prctl.h"
#include "sentry/syscalls/syscalls.h"

#include <errno.h>
#include <string.h>

#define TIMER_SLACK_DEFAULT_NS 50000

static int64_t put_int(struct task *task, gaddr_t address, int value)
{
	return mm_copy_out(task->mm, address, &value, sizeof(value));
}

static int64_t set_parent_death_signal(struct task *task, uint64_t signal)
{
	if (signal > LINUX_NSIG)
		return -EINVAL;
	mutex_guard(&g_tasks.lock);
	task->pdeath_signal = (int)signal;
	return 0;
}

static int64_t set_dumpable(struct task *task, uint64_t dumpable)
{
	/* 2, readable by root alone, cannot be asked for. */
	if (dumpable > 1)
		return -EINVAL;
	mm_set_dumpable(task->mm, (int)dumpable);
	return 0;
}

static int64_t set_name(struct task *task, gaddr_t address)
{
	char name[LINUX_TASK_COMM_LEN] = {0};
	int64_t length = mm_copy_in_string(task->mm, name, address, sizeof(name));

	if (length == -ENAMETOOLONG)
		length = mm_copy_in(task->mm, name, address, sizeof(name) - 1);
	if (length < 0)
		return -EFAULT;
	name[sizeof(name) - 1] = '\0';
	mutex_guard(&task->lock);
	memset(task->comm, 0, sizeof(task->comm));
	memcpy(task->comm, name, strlen(name));
	return 0;
}

static int64_t set_timer_slack(struct task *task, uint64_t slack)
{
	if (slack == 0 || slack > INT32_MAX)
		slack = slack ? INT32_MAX : TIMER_SLACK_DEFAULT_NS;
	task->timer_slack_ns = (int)slack;
	return 0;
}

static int64_t set_subreaper(struct task *task, bool subreaper)
{
	mutex_guard(&g_tasks.lock);
	task->group->subreaper = subreaper;
	return 0;
}

static int64_t set_seccomp(struct task *task, uint64_t mode, uint64_t filter)
{
	switch (mode) {
	case LINUX_SECCOMP_MODE_STRICT:
		return seccomp_set_strict(task);
	case LINUX_SECCOMP_MODE_FILTER:
		return seccomp_set_filter(task, 0, filter);
	default:
		return -EINVAL;
	}
}

static bool rest_is_zero(const uint64_t args[6], int from)
{
	for (int i = from; i < 5; i++) {
		if (args[i])
			return false;
	}
	return true;
}

static int64_t thp_disable(struct task *task, const uint64_t args[6])
{
	if (!rest_is_zero(args, 2))
		return -EINVAL;
	task->group->thp_disabled = args[1] != 0;
	return 0;
}

/* Kept and shown; the host's memory errors never reach a guest. */
static int64_t mce_kill(struct task *task, const uint64_t args[6])
{
	if (args[3] || args[4])
		return -EINVAL;
	switch (args[1]) {
	case LINUX_PR_MCE_KILL_CLEAR:
		if (args[2])
			return -EINVAL;
		task->group->mce_kill = 0;
		return 0;
	case LINUX_PR_MCE_KILL_SET:
		if (args[2] > LINUX_PR_MCE_KILL_DEFAULT)
			return -EINVAL;
		task->group->mce_kill = (uint8_t)(args[2] + 1);
		return 0;
	default:
		return -EINVAL;
	}
}

static int64_t mce_kill_get(struct task *task, const uint64_t args[6])
{
	if (!rest_is_zero(args, 1))
		return -EINVAL;
	return task->group->mce_kill ? task->group->mce_kill - 1 : LINUX_PR_MCE_KILL_DEFAULT;
}

/* What belongs to the memory, or to the process, a child inherits. */
static void thp_fork(struct task *parent, struct task *child, uint64_t clone_flags)
{
	child->group->mce_kill = parent->group->mce_kill;
	child->group->thp_disabled = parent->group->thp_disabled;
}

__attribute__((constructor)) static void thp_init(void)
{
	task_add_fork_hook(thp_fork);
}

static int64_t speculation(bool set, const uint64_t args[6])
{
	if (!rest_is_zero(args, set ? 3 : 2))
		return -EINVAL;
	if (args[1] != LINUX_PR_SPEC_STORE_BYPASS && args[1] != LINUX_PR_SPEC_INDIRECT_BRANCH &&
		args[1] != LINUX_PR_SPEC_L1D_FLUSH)
		return -ENODEV;
	return set ? -ENXIO : LINUX_PR_SPEC_NOT_AFFECTED;
}

/* Options that only look. */
static int64_t prctl_get(struct task *task, const uint64_t args[6], bool *known)
{
	char name[LINUX_TASK_COMM_LEN];

	*known = true;
	switch ((int)args[0]) {
	case LINUX_PR_GET_PDEATHSIG:
		return put_int(task, args[1], task->pdeath_signal);
	case LINUX_PR_GET_DUMPABLE:
		return mm_dumpable(task->mm);
	case LINUX_PR_GET_NAME:
		memcpy(name, task->comm, sizeof(name));
		return mm_copy_out(task->mm, args[1], name, sizeof(name));
	case LINUX_PR_GET_TIMING:
		return LINUX_PR_TIMING_STATISTICAL;
	case LINUX_PR_GET_SECCOMP:
		return task->seccomp_mode;
	case LINUX_PR_GET_TSC:
		return put_int(task, args[1], LINUX_PR_TSC_ENABLE);
	case LINUX_PR_GET_TIMERSLACK:
		return task->timer_slack_ns ? task->timer_slack_ns : TIMER_SLACK_DEFAULT_NS;
	case LINUX_PR_GET_CHILD_SUBREAPER:
		return put_int(task, args[1], task->group->subreaper);
	case LINUX_PR_GET_TID_ADDRESS:
		return mm_copy_out(
			task->mm, args[1], &task->clear_child_tid, sizeof(task->clear_child_tid));
	case LINUX_PR_GET_THP_DISABLE:
		return rest_is_zero(args, 1) ? task->group->thp_disabled : -EINVAL;
	case LINUX_PR_MCE_KILL_GET:
		return mce_kill_get(task, args);
	case LINUX_PR_GET_SPECULATION_CTRL:
		return speculation(false, args);
	case LINUX_PR_GET_MDWE:
		return rest_is_zero(args, 1) ? 0 : -EINVAL;
	case LINUX_PR_GET_AUXV:
		return prctl_get_auxv(task, args);
	default:
		*known = false;
		return -EINVAL;
	}
}

static int64_t prctl_set(struct task *task, const uint64_t args[6])
{
	switch ((int)args[0]) {
	case LINUX_PR_SET_PDEATHSIG:
		return set_parent_death_signal(task, args[1]);
	case LINUX_PR_SET_DUMPABLE:
		return set_dumpable(task, args[1]);
	case LINUX_PR_SET_NAME:
		return set_name(task, args[1]);
	case LINUX_PR_SET_TIMING:
		return args[1] == LINUX_PR_TIMING_STATISTICAL ? 0 : -EINVAL;
	case LINUX_PR_SET_SECCOMP:
		return set_seccomp(task, args[1], args[2]);
	case LINUX_PR_SET_TSC:
		return args[1] == LINUX_PR_TSC_ENABLE ? 0 : -EINVAL;
	case LINUX_PR_TASK_PERF_EVENTS_DISABLE:
	case LINUX_PR_TASK_PERF_EVENTS_ENABLE:
		return 0; /* a task never has any */
	case LINUX_PR_SET_TIMERSLACK:
		return set_timer_slack(task, args[1]);
	case LINUX_PR_SET_CHILD_SUBREAPER:
		return set_subreaper(task, args[1] != 0);
	case LINUX_PR_SET_PTRACER:
		return ptrace_set_yama_tracer(task, args[1]);
	case LINUX_PR_MCE_KILL:
		return mce_kill(task, args);
	case LINUX_PR_SET_THP_DISABLE:
		return thp_disable(task, args);
	case LINUX_PR_SET_SPECULATION_CTRL:
		return speculation(true, args);
	case LINUX_PR_SET_SYSCALL_USER_DISPATCH:
		return syscall_user_dispatch_set(task, args[1], args[2], args[3], args[4]);
	case LINUX_PR_SET_MM:
		return prctl_set_mm(task, args);
	case LINUX_PR_SET_VMA:
		return prctl_set_vma(task, args);
	default:
		return -EINVAL;
	}
}

int64_t sys_prctl(struct task *task, const uint64_t args[6])
{
	bool known;
	int64_t result = prctl_get(task, args, &known);

	if (!known)
		result = prctl_credentials(task, args, &known);
	return known ? result : prctl_set(task, args);
}
