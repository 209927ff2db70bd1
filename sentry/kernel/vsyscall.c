/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vsyscall page of old static programs: a call into it faults, and is carried out as the system
 * call that it stands for.
 *
 * Differs from Linux: nothing is mapped there, so the page cannot be read.
 */
#include "sentry/kernel/seccomp.h"
#include "sentry/kernel/task_run.h"
#include "sentry/syscalls/syscalls.h"

#include <errno.h>

#define VSYSCALL_PAGE	     0xffffffffff600000ull
#define SYSCALL_GETTIMEOFDAY 96
#define SYSCALL_TIME	     201
#define SYSCALL_GETCPU	     309

static uint64_t vsyscall_number(uint64_t address)
{
	switch (address - VSYSCALL_PAGE) {
	case 0x000:
		return SYSCALL_GETTIMEOFDAY;
	case 0x400:
		return SYSCALL_TIME;
	case 0x800:
		return SYSCALL_GETCPU;
	default:
		return UINT64_MAX;
	}
}

static void vsyscall_fault(struct task *task, uint64_t address)
{
	struct linux_siginfo info;

	siginfo_fault(&info, LINUX_SIGSEGV, LINUX_SEGV_MAPERR, address);
	signal_force(task, &info);
}

bool task_vsyscall(struct task *task, const struct context_exit *exit)
{
	uint64_t number = vsyscall_number(task->regs.rip), caller;
	const struct syscall_row *row;
	const uint64_t args[6] = {task->regs.rdi, task->regs.rsi, task->regs.rdx, 0, 0, 0};
	uint32_t data;

	if (number == UINT64_MAX || exit->address != task->regs.rip)
		return false;
	if (mm_copy_in(task->mm, &caller, task->regs.rsp, sizeof(caller))) {
		vsyscall_fault(task, task->regs.rsp);
		return true;
	}
	row = syscall_lookup(number);
	task->syscall_number = number;
	task->regs.orig_rax = number;
	task->regs.rax = (uint64_t)-ENOSYS;
	switch (seccomp_check(task, true, &data)) {
	case SECCOMP_VERDICT_ALLOW:
	case SECCOMP_VERDICT_TRACE:
		task->regs.rax = row ? (uint64_t)row->handler(task, args) : (uint64_t)-ENOSYS;
		break;
	case SECCOMP_VERDICT_SKIP:
		task->regs.rax = (uint64_t)task->syscall_result;
		break;
	case SECCOMP_VERDICT_KILL:
		return true;
	}
	task->regs.orig_rax = UINT64_MAX;
	if ((int64_t)task->regs.rax == -EFAULT) {
		vsyscall_fault(task, task->regs.rdi);
		return true;
	}
	task->regs.rip = caller;
	task->regs.rsp += sizeof(caller);
	return true;
}
