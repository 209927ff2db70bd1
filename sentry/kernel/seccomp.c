/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp(2): filters, what they decide, and attaching them.
 *
 * Differs from Linux: actions are logged to the sandbox's debug log; a process that a filter kills
 * dumps no core.
 */
#include "sentry/kernel/seccomp.h"

#include "abi/capability.h"
#include "abi/fcntl.h"
#include "abi/ptrace.h"
#include "abi/seccomp.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "sentry/kernel/bpf.h"
#include "sentry/kernel/cred_guard.h"
#include "sentry/kernel/seccomp_notify.h"
#include "sentry/kernel/signal.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <string.h>

/* Instructions of a whole chain, where each filter counts four more. */
#define CHAIN_INSTRUCTIONS_MAX 32768
#define FILTER_PENALTY	       4
#define ERRNO_MAX	       4095

REFCOUNT_TYPE(filter_refs, "seccomp_filter");

struct seccomp_filter {
	struct refcount refs;
	struct seccomp_filter *previous;   /* a reference; NULL for the oldest */
	struct seccomp_notifier *notifier; /* a reference; NULL without a listener */
	bool log;
	size_t count;
	struct linux_sock_filter program[];
};

static struct seccomp_filter *filter_get(struct seccomp_filter *filter)
{
	if (filter)
		refcount_get(&filter->refs);
	return filter;
}

/* No RANK_SIGHAND or above may be held: a listener may be told. */
static void filter_put(struct seccomp_filter *filter)
{
	while (filter && refcount_put(&filter->refs)) {
		struct seccomp_filter *previous = filter->previous;

		if (filter->notifier) {
			seccomp_notifier_hang_up(filter->notifier);
			seccomp_notifier_put(filter->notifier);
		}
		free(filter);
		filter = previous;
	}
}

/* --- deciding --- */

static void data_fill(const struct task *task, struct linux_seccomp_data *data)
{
	*data = (struct linux_seccomp_data){
		.nr = (int32_t)task->syscall_number,
		.arch = LINUX_AUDIT_ARCH_X86_64,
		.instruction_pointer = task->regs.rip,
		.args = {task->regs.rdi, task->regs.rsi, task->regs.rdx, task->regs.r10,
			task->regs.r8, task->regs.r9},
	};
}

/* The strictest of all filters' verdicts; of equal ones the youngest filter's. */
static uint32_t filters_run(struct seccomp_filter *youngest, const struct linux_seccomp_data *data,
	struct seccomp_filter **match)
{
	uint32_t verdict = LINUX_SECCOMP_RET_ALLOW;

	*match = youngest;
	for (struct seccomp_filter *filter = youngest; filter; filter = filter->previous) {
		uint32_t own = bpf_run(
			filter->program, filter->count, BPF_USE_SECCOMP, data, sizeof(*data));

		/* Signed: KILL_PROCESS has the highest bit set. */
		if ((int32_t)(own & LINUX_SECCOMP_RET_ACTION_FULL) <
			(int32_t)(verdict & LINUX_SECCOMP_RET_ACTION_FULL)) {
			verdict = own;
			*match = filter;
		}
	}
	return verdict;
}

/* SIGSYS for a call that was not made. */
static void trap(struct task *task, uint32_t reason)
{
	struct linux_siginfo info;

	memset(&info, 0, sizeof(info));
	info.si_signo = LINUX_SIGSYS;
	info.si_code = LINUX_SYS_SECCOMP;
	info.si_errno = (int32_t)reason;
	info.sigsys.si_call_addr = task->regs.rip;
	info.sigsys.si_syscall = (int32_t)task->syscall_number;
	info.sigsys.si_arch = LINUX_AUDIT_ARCH_X86_64;
	signal_force(task, &info);
}

static enum seccomp_verdict kill_by_filter(struct task *task, bool thread_only)
{
	log_info("seccomp: process %d killed for system call %d", task_tgid(task),
		(int)task->syscall_number);
	if (thread_only && task->group->live_count > 1)
		task_exit(task, LINUX_SIGSYS);
	else
		thread_group_exit(task, signal_death_status(task, LINUX_SIGSYS));
	return SECCOMP_VERDICT_KILL;
}

static enum seccomp_verdict verdict_apply(struct task *task, uint32_t verdict,
	struct seccomp_filter *match, const struct linux_seccomp_data *data, bool after_trace,
	uint32_t *message)
{
	uint32_t value = verdict & LINUX_SECCOMP_RET_DATA;

	switch (verdict & LINUX_SECCOMP_RET_ACTION_FULL) {
	case LINUX_SECCOMP_RET_ERRNO:
		task->syscall_result = -(int64_t)(value > ERRNO_MAX ? ERRNO_MAX : value);
		return SECCOMP_VERDICT_SKIP;
	case LINUX_SECCOMP_RET_TRAP:
		trap(task, value);
		task->syscall_result = (int64_t)task->regs.orig_rax;
		return SECCOMP_VERDICT_SKIP;
	case LINUX_SECCOMP_RET_TRACE:
		*message = value;
		return after_trace ? SECCOMP_VERDICT_ALLOW : SECCOMP_VERDICT_TRACE;
	case LINUX_SECCOMP_RET_USER_NOTIF:
		if (match->notifier)
			return seccomp_notify(match->notifier, task, data);
		task->syscall_result = -ENOSYS;
		return SECCOMP_VERDICT_SKIP;
	case LINUX_SECCOMP_RET_LOG:
		log_info("seccomp: process %d made system call %d", task_tgid(task), data->nr);
		return SECCOMP_VERDICT_ALLOW;
	case LINUX_SECCOMP_RET_ALLOW:
		return SECCOMP_VERDICT_ALLOW;
	default:
		return kill_by_filter(task,
			(verdict & LINUX_SECCOMP_RET_ACTION_FULL) == LINUX_SECCOMP_RET_KILL_THREAD);
	}
}

static enum seccomp_verdict check_strict(struct task *task)
{
	switch (task->syscall_number) {
	case 0:	 /* read */
	case 1:	 /* write */
	case 15: /* rt_sigreturn */
	case 60: /* exit */
		return SECCOMP_VERDICT_ALLOW;
	default:
		task_exit(task, LINUX_SIGKILL);
		return SECCOMP_VERDICT_KILL;
	}
}

enum seccomp_verdict seccomp_check_slow(struct task *task, bool after_trace, uint32_t *data)
{
	struct seccomp_filter *filter, *match;
	struct linux_seccomp_data call;
	enum seccomp_verdict result;
	struct sighand *sighand;
	uint32_t verdict;

	if (task->seccomp_mode == LINUX_SECCOMP_MODE_STRICT)
		return check_strict(task);
	/* A sibling's TSYNC may put another filter in place meanwhile. */
	sighand = task_lock_signals(task);
	filter = filter_get(task->seccomp);
	mutex_unlock(&sighand->lock);
	data_fill(task, &call);
	verdict = filters_run(filter, &call, &match);
	if (match->log && (verdict & LINUX_SECCOMP_RET_ACTION_FULL) != LINUX_SECCOMP_RET_ALLOW)
		log_info("seccomp: process %d, system call %d: %#x", task_tgid(task), call.nr,
			verdict);
	result = verdict_apply(task, verdict, match, &call, after_trace, data);
	filter_put(filter);
	return result;
}

/* --- life --- */

void seccomp_fork_locked(struct task *parent, struct task *child)
{
	child->seccomp = filter_get(parent->seccomp);
	child->seccomp_mode = parent->seccomp_mode;
	/* A TSYNC may have set it since the child was copied. */
	if (parent->no_new_privs)
		child->no_new_privs = true;
}

void seccomp_forget(struct task *task)
{
	struct seccomp_filter *filter = task->seccomp;

	task->seccomp = NULL;
	filter_put(filter);
}

unsigned int seccomp_filter_count(struct task *task)
{
	struct sighand *sighand = task_lock_signals(task);
	unsigned int count = 0;

	for (const struct seccomp_filter *filter = task->seccomp; filter; filter = filter->previous)
		count++;
	mutex_unlock(&sighand->lock);
	return count;
}

/* --- attaching --- */

static bool mode_is_possible(const struct task *task, uint8_t mode)
{
	return !task->seccomp_mode || task->seccomp_mode == mode;
}

int64_t seccomp_set_strict(struct task *task)
{
	struct sighand *sighand = task_lock_signals(task);
	int64_t error = -EINVAL;

	if (mode_is_possible(task, LINUX_SECCOMP_MODE_STRICT)) {
		task->seccomp_mode = LINUX_SECCOMP_MODE_STRICT;
		error = 0;
	}
	mutex_unlock(&sighand->lock);
	return error;
}

static int filter_load(struct task *task, gaddr_t address, struct seccomp_filter **out)
{
	struct linux_sock_fprog fprog;
	struct seccomp_filter *filter;

	if (mm_copy_in(task->mm, &fprog, address, sizeof(fprog)))
		return -EFAULT;
	if (!fprog.len || fprog.len > LINUX_BPF_MAXINSNS)
		return -EINVAL;
	if (!task->no_new_privs && !capable(LINUX_CAP_SYS_ADMIN))
		return -EACCES;
	filter = calloc(1, sizeof(*filter) + fprog.len * sizeof(filter->program[0]));
	if (!filter)
		return -ENOMEM;
	refcount_init(&filter->refs, &filter_refs);
	filter->count = fprog.len;
	if (mm_copy_in(task->mm, filter->program, fprog.filter,
		    fprog.len * sizeof(filter->program[0]))) {
		filter_put(filter);
		return -EFAULT;
	}
	if (bpf_check(filter->program, filter->count, BPF_USE_SECCOMP)) {
		filter_put(filter);
		return -EINVAL;
	}
	*out = filter;
	return 0;
}

static bool is_ancestor(const struct seccomp_filter *ancestor, const struct seccomp_filter *filter)
{
	if (!ancestor)
		return true;
	while (filter && filter != ancestor)
		filter = filter->previous;
	return filter != NULL;
}

/* The first thread that could not take the caller's filters over, or NULL. RANK_SIGHAND held. */
static struct task *sync_obstacle_locked(struct task *task)
{
	struct task *other;

	TAILQ_FOREACH (other, &task->group->tasks, group_link) {
		if (other == task || other->exit_state != TASK_ALIVE)
			continue;
		if (other->seccomp_mode == LINUX_SECCOMP_MODE_STRICT ||
			!is_ancestor(other->seccomp, task->seccomp))
			return other;
	}
	return NULL;
}

/*
 * Gives all threads the caller's filter. What they had is an ancestor of it, so dropping their
 * reference never frees anything here.
 */
static void sync_locked(struct task *task)
{
	struct task *other;

	TAILQ_FOREACH (other, &task->group->tasks, group_link) {
		struct seccomp_filter *old = other->seccomp;

		if (other == task || other->exit_state != TASK_ALIVE)
			continue;
		other->seccomp = filter_get(task->seccomp);
		other->seccomp_mode = LINUX_SECCOMP_MODE_FILTER;
		if (task->no_new_privs)
			other->no_new_privs = true;
		filter_put(old);
	}
}

static int check_chain_locked(const struct task *task, const struct seccomp_filter *filter)
{
	size_t total = bpf_translated_count(filter->program, filter->count);

	for (const struct seccomp_filter *old = task->seccomp; old; old = old->previous) {
		total += bpf_translated_count(old->program, old->count) + FILTER_PENALTY;
		if (filter->notifier && old->notifier)
			return -EBUSY;
	}
	return total > CHAIN_INSTRUCTIONS_MAX ? -ENOMEM : 0;
}

/* 0; the id of a thread that could not follow (or -ESRCH); an error. RANK_SIGHAND held. Consumes
 * the filter on success. */
static int64_t attach_locked(
	struct task *task, struct seccomp_filter *filter, uint32_t flags, struct task **obstacle)
{
	int error;

	if (!mode_is_possible(task, LINUX_SECCOMP_MODE_FILTER))
		return -EINVAL;
	error = check_chain_locked(task, filter);
	if (error)
		return error;
	if (flags & LINUX_SECCOMP_FILTER_FLAG_TSYNC) {
		*obstacle = sync_obstacle_locked(task);
		if (*obstacle) {
			(void)task_get(*obstacle);
			return -ESRCH;
		}
	}
	filter->log = flags & LINUX_SECCOMP_FILTER_FLAG_LOG;
	filter->previous = task->seccomp;
	task->seccomp = filter;
	task->seccomp_mode = LINUX_SECCOMP_MODE_FILTER;
	if (flags & LINUX_SECCOMP_FILTER_FLAG_TSYNC)
		sync_locked(task);
	return 0;
}

static int64_t attach(struct task *task, struct seccomp_filter *filter, uint32_t flags)
{
	bool sync = flags & LINUX_SECCOMP_FILTER_FLAG_TSYNC;
	struct task *obstacle = NULL;
	struct sighand *sighand;
	int64_t result = 0;

	/* An execve of a sibling must not come between the look at the threads and the change. */
	if (sync)
		result = cred_guard_lock(task, task->group);
	if (result)
		return result;
	sighand = task_lock_signals(task);
	result = attach_locked(task, filter, flags, &obstacle);
	mutex_unlock(&sighand->lock);
	if (sync)
		cred_guard_unlock(task->group);
	if (obstacle) {
		if (!(flags & LINUX_SECCOMP_FILTER_FLAG_TSYNC_ESRCH))
			result = task_tid(obstacle);
		task_put(obstacle);
	}
	return result;
}

/* With a listener: its descriptor is there before the filter takes effect. */
static int64_t attach_listener(struct task *task, struct seccomp_filter *filter, uint32_t flags)
{
	struct file *file;
	int64_t result;
	int fd, error;

	error = seccomp_notifier_new(
		flags & LINUX_SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &filter->notifier, &file);
	if (error)
		return error;
	seccomp_notifier_get(filter->notifier);
	fd = fd_install(task->files, 0, file, true);
	if (fd < 0) {
		file_put(file);
		return fd;
	}
	result = attach(task, filter, flags);
	if (!result)
		return fd;
	(void)(fd_close(task->files, fd) == 0);
	return result;
}

int64_t seccomp_set_filter(struct task *task, uint32_t flags, uint64_t address)
{
	struct seccomp_filter *filter;
	int64_t result;
	bool listener = flags & LINUX_SECCOMP_FILTER_FLAG_NEW_LISTENER, attached;

	if (flags & ~(uint32_t)LINUX_SECCOMP_FILTER_FLAGS_ALL)
		return -EINVAL;
	if ((flags & LINUX_SECCOMP_FILTER_FLAG_TSYNC) && listener &&
		!(flags & LINUX_SECCOMP_FILTER_FLAG_TSYNC_ESRCH))
		return -EINVAL;
	if ((flags & LINUX_SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) && !listener)
		return -EINVAL;
	result = filter_load(task, address, &filter);
	if (result)
		return result;
	if (listener) {
		result = attach_listener(task, filter, flags);
		attached = result >= 0;
	} else {
		result = attach(task, filter, flags);
		attached = result == 0;
	}
	if (!attached)
		filter_put(filter);
	return result;
}

int seccomp_attach_program(
	struct task *task, const struct linux_sock_filter *program, size_t count, bool log)
{
	struct seccomp_filter *filter;
	int64_t result;

	if (!count || count > LINUX_BPF_MAXINSNS)
		return -EINVAL;
	filter = calloc(1, sizeof(*filter) + count * sizeof(filter->program[0]));
	if (!filter)
		return -ENOMEM;
	refcount_init(&filter->refs, &filter_refs);
	filter->count = count;
	memcpy(filter->program, program, count * sizeof(filter->program[0]));
	result = bpf_check(filter->program, filter->count, BPF_USE_SECCOMP) ? -EINVAL : 0;
	if (!result)
		result = attach(task, filter, log ? LINUX_SECCOMP_FILTER_FLAG_LOG : 0);
	if (result)
		filter_put(filter);
	return (int)result;
}

/* --- looking, for ptrace --- */

/* A filter by its number from the oldest, with a reference. -EINVAL: no filters; -ENOENT. */
static int filter_find(struct task *task, uint64_t index, struct seccomp_filter **out)
{
	struct sighand *sighand = task_lock_signals(task);
	struct seccomp_filter *filter;
	uint64_t count = 0;
	int error = -EINVAL;

	if (task->seccomp_mode == LINUX_SECCOMP_MODE_FILTER) {
		for (filter = task->seccomp; filter; filter = filter->previous)
			count++;
		error = index < count ? 0 : -ENOENT;
	}
	if (!error) {
		filter = task->seccomp;
		for (count -= index; count > 1; count--)
			filter = filter->previous;
		*out = filter_get(filter);
	}
	mutex_unlock(&sighand->lock);
	return error;
}

int64_t seccomp_get_filter(
	struct task *tracer, struct task *tracee, uint64_t index, uint64_t address)
{
	struct seccomp_filter *filter;
	int64_t result;
	int error;

	error = filter_find(tracee, index, &filter);
	if (error)
		return error;
	result = (int64_t)filter->count;
	if (address && mm_copy_out(tracer->mm, address, filter->program,
			       filter->count * sizeof(filter->program[0])))
		result = -EFAULT;
	filter_put(filter);
	return result;
}

int64_t seccomp_get_flags(struct task *tracee, uint64_t index, uint64_t *flags)
{
	struct seccomp_filter *filter;
	int error;

	error = filter_find(tracee, index, &filter);
	if (error)
		return error;
	*flags = filter->log ? LINUX_SECCOMP_FILTER_FLAG_LOG : 0;
	filter_put(filter);
	return 0;
}
