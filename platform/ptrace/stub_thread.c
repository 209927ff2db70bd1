/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads of stub processes: attaching, detaching, waiting, and running the stub's own code in
 * them.
 *
 * Everything here fails closed: a stub that does not do what it must ends the sandbox.
 */
#include "platform/ptrace/ptrace_platform.h"

#include "base/log.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * EXITKILL fires when the attaching host thread ends, so that a thread which forgot its stub, or
 * was killed, never leaves guest code running on the host's own system calls.
 */
#define ATTACH_OPTIONS (PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)

/* Usually one: the guest thread that this host thread runs. */
static __thread struct stub_thread_list attached_here;

struct stub_thread *stub_process_own_thread(struct stub_process *process)
{
	struct stub_thread *thread;

	LIST_FOREACH (thread, &attached_here, attached)
		if (thread->process == process)
			return thread;
	return NULL;
}

noreturn_ static void died(struct stub_thread *thread, int status)
{
	if (WIFSIGNALED(status))
		panic("stub process %d was killed by signal %d", thread->process->pid,
			WTERMSIG(status));
	panic("stub process %d ended with status %d", thread->process->pid, WEXITSTATUS(status));
}

int stub_thread_wait(struct stub_thread *thread)
{
	int status;
	long r;

	do
		r = syscall(SYS_wait4, thread->tid, &status, __WALL, NULL);
	while (unlikely(r < 0 && errno == EINTR));
	panic_if(r != thread->tid, "stub thread %d: wait4: %s", thread->tid, strerror(errno));
	if (unlikely(!WIFSTOPPED(status)))
		died(thread, status);
	return status;
}

static void resume(struct stub_thread *thread)
{
	if (ptrace(PTRACE_CONT, thread->tid, NULL, NULL))
		panic("stub thread %d: PTRACE_CONT: %s", thread->tid, strerror(errno));
}

/* Others than PTRACE_INTERRUPT's are signals from outside, which stubs do not care for. */
static void wait_for_interrupt(struct stub_thread *thread)
{
	while (stub_thread_wait(thread) >> 16 != PTRACE_EVENT_STOP)
		resume(thread);
	thread->registers_known = false;
	thread->registers.cs = USER_CS;
	LIST_INSERT_HEAD(&attached_here, thread, attached);
}

int stub_thread_try_attach(struct stub_thread *thread)
{
	if (ptrace(PTRACE_SEIZE, thread->tid, NULL, (void *)(uintptr_t)ATTACH_OPTIONS)) {
		panic_if(errno != EPERM && errno != EACCES, "stub thread %d: PTRACE_SEIZE: %s",
			thread->tid, strerror(errno));
		return -errno;
	}
	if (ptrace(PTRACE_INTERRUPT, thread->tid, NULL, NULL))
		panic("stub thread %d: PTRACE_INTERRUPT: %s", thread->tid, strerror(errno));
	wait_for_interrupt(thread);
	return 0;
}

void stub_thread_attach(struct stub_thread *thread, int cpu)
{
	int r;

	/* Before it is woken, which is cheap only on this CPU. */
	placement_pin_stub(thread->tid, &thread->cpu, cpu);
	r = stub_thread_try_attach(thread);
	panic_if(r, "stub thread %d: PTRACE_SEIZE: %s", thread->tid, strerror(-r));
}

void stub_thread_adopt(struct stub_thread *thread)
{
	wait_for_interrupt(thread);
	if (ptrace(PTRACE_SETOPTIONS, thread->tid, NULL, (void *)(uintptr_t)ATTACH_OPTIONS))
		panic("stub thread %d: PTRACE_SETOPTIONS: %s", thread->tid, strerror(errno));
}

void stub_thread_detach(struct stub_thread *thread)
{
	struct linux_user_regs idle =
		stub_registers(stub_code_at(thread->process->platform, stub_code_idle));

	if (thread->debug_used)
		debug_registers_reset(thread);
	panic_if(stub_thread_set_registers(thread, &idle), "stub thread %d: refuses to idle",
		thread->tid);
	LIST_REMOVE(thread, attached);
	if (ptrace(PTRACE_DETACH, thread->tid, NULL, NULL))
		panic("stub thread %d: PTRACE_DETACH: %s", thread->tid, strerror(errno));
}

/* An exception in the stub's own code; anything else that stops it comes from outside and is
 * dropped. */
static bool is_own_exception(struct stub_thread *thread, int status)
{
	siginfo_t info;

	switch (WSTOPSIG(status)) {
	case SIGTRAP:
	case SIGSEGV:
	case SIGBUS:
	case SIGILL:
	case SIGFPE:
	case SIGSYS:
		break;
	default:
		return false;
	}
	if (status >> 16)
		return false;
	if (ptrace(PTRACE_GETSIGINFO, thread->tid, NULL, &info))
		panic("stub thread %d: PTRACE_GETSIGINFO: %s", thread->tid, strerror(errno));
	return info.si_code > 0;
}

void stub_thread_retire(struct stub_thread *thread)
{
	struct linux_user_regs end =
		stub_registers(stub_code_at(thread->process->platform, stub_code_retire));
	int status;
	long r;

	panic_if(stub_thread_set_registers(thread, &end), "stub thread %d: refuses to end",
		thread->tid);
	do {
		resume(thread);
		do
			r = syscall(SYS_wait4, thread->tid, &status, __WALL, NULL);
		while (r < 0 && errno == EINTR);
	} while (r == thread->tid && WIFSTOPPED(status) && !is_own_exception(thread, status));
	panic_if(r != thread->tid || !WIFEXITED(status) || WEXITSTATUS(status),
		"stub thread %d: does not end (wait status %#x)", thread->tid,
		(unsigned int)status);
	LIST_REMOVE(thread, attached);
}

/* The caller's general registers, with what the stub's code needs of the others. */
static void prepare_registers(
	struct stub_thread *thread, uint64_t address, struct linux_user_regs *registers)
{
	struct linux_user_regs stub = stub_registers(address);

	registers->rip = stub.rip;
	registers->cs = stub.cs;
	registers->ss = stub.ss;
	registers->eflags = stub.eflags;
	/* The segments stay as they are: no code of ours uses them, and not all can be written
	 * back. */
	if (thread->registers_known)
		stub = thread->registers;
	registers->fs_base = stub.fs_base;
	registers->gs_base = stub.gs_base;
	registers->ds = stub.ds;
	registers->es = stub.es;
	registers->fs = stub.fs;
	registers->gs = stub.gs;
}

void stub_thread_run(
	struct stub_thread *thread, uint64_t address, struct linux_user_regs *registers)
{
	int status;

	prepare_registers(thread, address, registers);
	panic_if(stub_thread_set_registers(thread, registers),
		"stub thread %d: refuses the stub's registers", thread->tid);
	do {
		resume(thread);
		status = stub_thread_wait(thread);
	} while (!is_own_exception(thread, status));
	stub_thread_get_registers(thread, registers);
	panic_if(WSTOPSIG(status) != SIGTRAP ||
			 registers->rip - thread->process->platform->code_address >= PAGE_SIZE,
		"stub thread %d: signal %d at %#llx in the stub's own code", thread->tid,
		WSTOPSIG(status), (unsigned long long)registers->rip);
}

int64_t stub_thread_run_list(
	struct stub_thread *thread, size_t count, const struct list_entry **failed)
{
	struct ptrace_platform *platform = thread->process->platform;
	struct linux_user_regs registers = {
		.rbx = platform->list_address,
		.rbp = platform->list_address + count * sizeof(struct list_entry),
	};

	stub_thread_run(thread, platform->run_list, &registers);
	panic_if(registers.rbx != registers.rbp, "stub thread %d: left its list at %#llx",
		thread->tid, (unsigned long long)registers.rbx);
	if (failed && registers.r13)
		*failed = thread->process->list +
			  (registers.r12 - platform->list_address) / sizeof(struct list_entry);
	return (int64_t)registers.r13;
}
