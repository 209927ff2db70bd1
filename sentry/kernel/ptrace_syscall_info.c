/* SPDX-License-Identifier: Apache-2.0 */
/* ptrace(2): GET_SYSCALL_INFO and SET_SYSCALL_INFO, the system call that a tracee stopped at. The
 * tracee is frozen. */
#include "sentry/kernel/ptrace_state.h"

#include <errno.h>
#include <string.h>

#define ERRNO_MAX 4095

/* Which kind of stop this is, from what was reported. */
static uint8_t stop_operation(struct task *tracee)
{
	struct ptrace_state *state = tracee->ptrace;
	int code;

	task_lock_sighand(tracee);
	code = state->info ? state->info->si_code : 0;
	task_unlock_sighand(tracee);
	if (code == (LINUX_SIGTRAP | LINUX_PTRACE_EVENT_SECCOMP << 8))
		return LINUX_PTRACE_SYSCALL_INFO_SECCOMP;
	if (code != (LINUX_SIGTRAP | 0x80))
		return LINUX_PTRACE_SYSCALL_INFO_NONE;
	if (state->message == LINUX_PTRACE_EVENTMSG_SYSCALL_ENTRY)
		return LINUX_PTRACE_SYSCALL_INFO_ENTRY;
	if (state->message == LINUX_PTRACE_EVENTMSG_SYSCALL_EXIT)
		return LINUX_PTRACE_SYSCALL_INFO_EXIT;
	return LINUX_PTRACE_SYSCALL_INFO_NONE;
}

static void get_call(const struct linux_user_regs *regs, uint64_t *number, uint64_t args[6])
{
	const uint64_t values[6] = {regs->rdi, regs->rsi, regs->rdx, regs->r10, regs->r8, regs->r9};

	*number = (uint64_t)(int64_t)(int32_t)regs->orig_rax;
	memcpy(args, values, sizeof(values));
}

/* How many bytes of info say something. */
static size_t fill(struct task *tracee, struct linux_ptrace_syscall_info *info)
{
	const struct linux_user_regs *regs = &tracee->regs;
	int64_t result = (int64_t)regs->rax;

	switch (info->op) {
	case LINUX_PTRACE_SYSCALL_INFO_ENTRY:
		get_call(regs, &info->entry.nr, info->entry.args);
		return LINUX_PTRACE_SYSCALL_INFO_SIZE_ENTRY;
	case LINUX_PTRACE_SYSCALL_INFO_EXIT:
		info->exit.rval = result;
		info->exit.is_error = result < 0 && result >= -ERRNO_MAX;
		return LINUX_PTRACE_SYSCALL_INFO_SIZE_EXIT;
	case LINUX_PTRACE_SYSCALL_INFO_SECCOMP:
		get_call(regs, &info->seccomp.nr, info->seccomp.args);
		info->seccomp.ret_data = (uint32_t)tracee->ptrace->message;
		return LINUX_PTRACE_SYSCALL_INFO_SIZE_SECCOMP;
	default:
		return LINUX_PTRACE_SYSCALL_INFO_SIZE_NONE;
	}
}

int64_t ptrace_get_syscall_info(
	struct task *task, struct task *tracee, uint64_t size, uint64_t data)
{
	struct linux_ptrace_syscall_info info = {
		.op = stop_operation(tracee),
		.arch = LINUX_AUDIT_ARCH_X86_64,
		.instruction_pointer = tracee->regs.rip,
		.stack_pointer = tracee->regs.rsp,
	};
	size_t actual = fill(tracee, &info);

	if (mm_copy_out(task->mm, data, &info, min_u64(actual, size)))
		return -EFAULT;
	return (int64_t)actual;
}

/* -1 skips the call; its arguments are of no interest then. */
static int64_t set_call(struct linux_user_regs *regs, uint64_t number, const uint64_t args[6])
{
	int32_t narrow = (int32_t)number;

	if ((uint64_t)(int64_t)narrow != number)
		return -ERANGE;
	regs->orig_rax = (uint64_t)(int64_t)narrow;
	if (narrow == -1)
		return 0;
	regs->rdi = args[0];
	regs->rsi = args[1];
	regs->rdx = args[2];
	regs->r10 = args[3];
	regs->r8 = args[4];
	regs->r9 = args[5];
	return 0;
}

int64_t ptrace_set_syscall_info(
	struct task *task, struct task *tracee, uint64_t size, uint64_t data)
{
	struct linux_ptrace_syscall_info info;

	if (size < sizeof(info))
		return -EINVAL;
	if (mm_copy_in(task->mm, &info, data, sizeof(info)))
		return -EFAULT;
	if (info.flags || info.reserved || info.op != stop_operation(tracee))
		return -EINVAL;
	switch (info.op) {
	case LINUX_PTRACE_SYSCALL_INFO_ENTRY:
		return set_call(&tracee->regs, info.entry.nr, info.entry.args);
	case LINUX_PTRACE_SYSCALL_INFO_SECCOMP:
		if (info.seccomp.reserved2)
			return -EINVAL;
		return set_call(&tracee->regs, info.seccomp.nr, info.seccomp.args);
	case LINUX_PTRACE_SYSCALL_INFO_EXIT:
		tracee->regs.rax = (uint64_t)info.exit.rval;
		return 0;
	default:
		return -EINVAL;
	}
}
