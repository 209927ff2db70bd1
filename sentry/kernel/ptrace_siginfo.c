/* SPDX-License-Identifier: Apache-2.0 */
/* ptrace(2): the signal that a tracee stopped for, those that wait for it, and its mask. The tracee
 * is frozen. */
#include "sentry/kernel/ptrace_state.h"

#include <errno.h>

static int64_t get_siginfo(struct task *task, struct task *tracee, gaddr_t to)
{
	struct linux_siginfo info;
	bool known;

	task_lock_sighand(tracee);
	known = tracee->ptrace->info;
	if (known)
		info = *tracee->ptrace->info;
	task_unlock_sighand(tracee);
	if (!known)
		return -EINVAL;
	return mm_copy_out(task->mm, to, &info, sizeof(info));
}

static int64_t set_siginfo(struct task *task, struct task *tracee, gaddr_t from)
{
	struct linux_siginfo info;
	bool known;

	if (mm_copy_in(task->mm, &info, from, sizeof(info)))
		return -EFAULT;
	task_lock_sighand(tracee);
	known = tracee->ptrace->info;
	if (known)
		*tracee->ptrace->info = info;
	task_unlock_sighand(tracee);
	return known ? 0 : -EINVAL;
}

static bool nth_pending(struct task *tracee, bool shared, uint64_t n, struct linux_siginfo *info)
{
	struct signal_pending *pending = shared ? &tracee->group->shared_pending : &tracee->pending;
	struct signal_entry *entry;
	bool found = false;

	task_lock_sighand(tracee);
	TAILQ_FOREACH (entry, &pending->queue, link) {
		if (n-- > 0)
			continue;
		*info = entry->info;
		found = true;
		break;
	}
	task_unlock_sighand(tracee);
	return found;
}

static int64_t peek_siginfo(struct task *task, struct task *tracee, gaddr_t arguments, gaddr_t to)
{
	struct linux_ptrace_peeksiginfo_args args;
	struct linux_siginfo info;
	int64_t count = 0;

	if (mm_copy_in(task->mm, &args, arguments, sizeof(args)))
		return -EFAULT;
	if ((args.flags & ~(uint32_t)LINUX_PTRACE_PEEKSIGINFO_SHARED) || args.nr < 0)
		return -EINVAL;
	while (count < args.nr) {
		if (!nth_pending(tracee, args.flags & LINUX_PTRACE_PEEKSIGINFO_SHARED,
			    args.off + (uint64_t)count, &info))
			break;
		if (mm_copy_out(task->mm, to + (uint64_t)count * sizeof(info), &info, sizeof(info)))
			return count ? count : -EFAULT;
		count++;
		if (task_signal_pending(task))
			break;
	}
	return count;
}

static int64_t get_mask(struct task *task, struct task *tracee, uint64_t size, gaddr_t to)
{
	linux_sigset_t mask;

	if (size != sizeof(mask))
		return -EINVAL;
	task_lock_sighand(tracee);
	mask = tracee->has_saved_mask ? tracee->saved_mask : tracee->blocked;
	task_unlock_sighand(tracee);
	return mm_copy_out(task->mm, to, &mask, sizeof(mask));
}

static int64_t set_mask(struct task *task, struct task *tracee, uint64_t size, gaddr_t from)
{
	linux_sigset_t mask;

	if (size != sizeof(mask))
		return -EINVAL;
	if (mm_copy_in(task->mm, &mask, from, sizeof(mask)))
		return -EFAULT;
	mask &= ~(LINUX_SIGMASK(LINUX_SIGKILL) | LINUX_SIGMASK(LINUX_SIGSTOP));
	task_lock_sighand(tracee);
	/* The tracee looks at what is pending when it leaves the stop. */
	tracee->blocked = mask;
	tracee->has_saved_mask = false;
	task_unlock_sighand(tracee);
	return 0;
}

int64_t ptrace_siginfo_request(
	struct task *task, struct task *tracee, int64_t request, uint64_t address, uint64_t data)
{
	switch (request) {
	case LINUX_PTRACE_GETSIGINFO:
		return get_siginfo(task, tracee, data);
	case LINUX_PTRACE_SETSIGINFO:
		return set_siginfo(task, tracee, data);
	case LINUX_PTRACE_PEEKSIGINFO:
		return peek_siginfo(task, tracee, address, data);
	case LINUX_PTRACE_GETSIGMASK:
		return get_mask(task, tracee, address, data);
	case LINUX_PTRACE_SETSIGMASK:
		return set_mask(task, tracee, address, data);
	default:
		return -EIO;
	}
}
