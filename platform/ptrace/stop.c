/* SPDX-License-Identifier: Apache-2.0 */
/* What a stop of a stub thread that ran guest code means to the sentry. */
#include "platform/ptrace/ptrace_platform.h"

#include "base/log.h"
#include "platform/ptrace/stub_filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SYSCALL_STOP (SIGTRAP | 0x80)

/*
 * The table that a system call was meant for. Registers cannot tell: code that sets rcx and r11
 * itself makes int 0x80 look like a syscall instruction. So the host is asked, each time.
 */
static bool is_native_syscall(struct stub_thread *thread)
{
	struct __ptrace_syscall_info info;
	const size_t size = offsetof(struct __ptrace_syscall_info, instruction_pointer);

	if (syscall(SYS_ptrace, PTRACE_GET_SYSCALL_INFO, thread->tid, size, &info) <= 0)
		panic("stub thread %d: PTRACE_GET_SYSCALL_INFO: %s", thread->tid, strerror(errno));
	panic_if(info.op != PTRACE_SYSCALL_INFO_ENTRY,
		"stub thread %d: a system call stop of kind %d", thread->tid, info.op);
	return info.arch == AUDIT_ARCH_X86_64;
}

/*
 * The host was about to emulate a call of the vsyscall page, and the filter stopped it. It has
 * already popped the return address and put the number into rax; what rax held before is lost, and
 * no caller of these three functions can rely on it.
 */
static void decode_vsyscall(
	const siginfo_t *info, struct linux_user_regs *registers, struct context_exit *out)
{
	registers->rip = (uint64_t)(uintptr_t)info->si_call_addr;
	registers->rsp -= sizeof(uint64_t);
	out->reason = EXIT_FAULT;
	out->access = ACCESS_EXECUTE;
	out->present = false;
	out->signal = SIGSEGV;
	out->code = SEGV_MAPERR;
	out->address = registers->rip;
}

/*
 * Page faults; all other causes of these signals are exceptions. The host tells ptrace(2) nothing
 * about the access that was tried.
 */
static bool is_page_fault(const siginfo_t *info)
{
	if (info->si_signo == SIGSEGV)
		return info->si_code == SEGV_MAPERR || info->si_code == SEGV_ACCERR;
	return info->si_signo == SIGBUS && info->si_code == BUS_ADRERR;
}

static void decode_exception(const siginfo_t *info, unsigned int flags, struct context_exit *out)
{
	out->signal = info->si_signo;
	out->code = info->si_code;
	out->address = (uint64_t)(uintptr_t)info->si_addr;
	out->access = ACCESS_UNKNOWN;
	out->present = false;
	if (is_page_fault(info)) {
		out->reason = EXIT_FAULT;
		out->present = info->si_signo == SIGBUS || info->si_code == SEGV_ACCERR;
	} else if (info->si_signo == SIGTRAP && info->si_code == TRAP_TRACE &&
		   flags & (RUN_STEP | RUN_BLOCK_STEP)) {
		out->reason = EXIT_STEP;
	} else {
		out->reason = EXIT_SIGNAL;
	}
}

static bool may_be_exception(int signal)
{
	return signal == SIGSEGV || signal == SIGBUS || signal == SIGTRAP || signal == SIGILL ||
	       signal == SIGFPE || signal == SIGSYS;
}

static bool decode_signal(struct stub_thread *thread, int status, unsigned int flags,
	struct linux_user_regs *registers, struct context_exit *out)
{
	siginfo_t info;

	if (status >> 16 || !may_be_exception(WSTOPSIG(status)))
		return false;
	if (ptrace(PTRACE_GETSIGINFO, thread->tid, NULL, &info))
		panic("stub thread %d: PTRACE_GETSIGINFO: %s", thread->tid, strerror(errno));
	/* Sent by somebody, so not an exception. */
	if (info.si_code <= 0)
		return false;
	stub_thread_get_registers(thread, registers);
	registers->orig_rax = UINT64_MAX;
	if (info.si_signo == SIGSYS)
		decode_vsyscall(&info, registers, out);
	else
		decode_exception(&info, flags, out);
	return true;
}

bool stop_decode(struct stub_thread *thread, int status, unsigned int flags,
	struct linux_user_regs *registers, struct context_exit *out)
{
	if (unlikely(status >> 8 != SYSCALL_STOP))
		return decode_signal(thread, status, flags, registers, out);
	stub_thread_get_registers(thread, registers);
	out->reason = is_native_syscall(thread) ? EXIT_SYSCALL : EXIT_SYSCALL_32;
	return true;
}
