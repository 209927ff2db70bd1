/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contexts: binding a guest thread to a stub thread, running it, interrupting it.
 *
 * context_interrupt() is a flag, and a signal when the context runs. The signal may come late, when
 * the stub thread has stopped for another reason or serves somebody else: whoever gets a SIGCHLD
 * without having been flagged goes on. Nothing else sends that signal to a stub, and one that is
 * idle ignores it.
 */
#include "platform/ptrace/ptrace_platform.h"

#include "base/log.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INTERRUPT_SIGNAL SIGCHLD

int ptrace_context_new(struct platform *platform, struct context **out)
{
	struct ptrace_context *self = calloc(1, sizeof(*self));

	if (!self)
		return -ENOMEM;
	self->context.ops = platform->ops;
	self->platform = ptrace_platform_of(platform);
	atomic_init(&self->thread, NULL);
	atomic_init(&self->state, 0);
	placement_new(&self->placement);
	*out = &self->context;
	return 0;
}

void ptrace_context_free(struct context *context)
{
	struct ptrace_context *self = ptrace_context_of(context);

	ptrace_context_release(context);
	placement_free(&self->placement);
	free(self);
}

void ptrace_context_release(struct context *context)
{
	struct ptrace_context *self = ptrace_context_of(context);
	struct stub_thread *thread = atomic_load(&self->thread);

	if (!thread)
		return;
	placement_leave(&self->placement);
	atomic_store(&self->thread, NULL);
	stub_process_give_thread(thread);
}

int context_bind(
	struct ptrace_context *self, struct ptrace_address_space *as, struct stub_thread **out)
{
	struct stub_thread *thread = atomic_load_explicit(&self->thread, memory_order_relaxed);
	int r;

	if (likely(thread && thread->process == as->process)) {
		*out = thread;
		return 0;
	}
	ptrace_context_release(&self->context);
	r = stub_process_take_thread(as->process, placement_choose(&self->placement), &thread);
	if (r) {
		placement_leave(&self->placement);
		return r;
	}
	if (thread->used)
		fpstate_reset(thread);
	atomic_store(&self->thread, thread);
	self->must_enter = true;
	*out = thread;
	return 0;
}

static void resume(struct stub_thread *thread, unsigned int flags)
{
	/*
	 * There is no stepping by branches that also stops at system calls: a step is one
	 * instruction, which a debugger that asked for more cannot tell from a short block.
	 */
	int request =
		flags & (RUN_STEP | RUN_BLOCK_STEP) ? PTRACE_SYSEMU_SINGLESTEP : PTRACE_SYSEMU;

	if (ptrace(request, thread->tid, NULL, NULL))
		panic("stub thread %d: PTRACE_SYSEMU: %s", thread->tid, strerror(errno));
}

/* False: an interrupt came first, and is now spent. */
static bool start_running(struct ptrace_context *self)
{
	unsigned int idle = 0;

	if (likely(atomic_compare_exchange_strong(&self->state, &idle, CONTEXT_RUNNING)))
		return true;
	atomic_store(&self->state, 0);
	return false;
}

static void report_interrupted(struct context_exit *out)
{
	*out = (struct context_exit){.reason = EXIT_INTERRUPTED};
}

/*
 * An interrupt that comes together with another exit is spent too: the caller looks at why it was
 * interrupted after any exit, before it runs the guest again.
 */
static void run(struct ptrace_context *self, struct stub_thread *thread, unsigned int flags,
	struct linux_user_regs *registers, struct context_exit *out)
{
	for (;;) {
		int status;

		resume(thread, flags);
		status = stub_thread_wait(thread);
		if (likely(stop_decode(thread, status, flags, registers, out))) {
			atomic_store(&self->state, 0);
			return;
		}
		if (atomic_load(&self->state) & CONTEXT_INTERRUPTED) {
			atomic_store(&self->state, 0);
			stub_thread_get_registers(thread, registers);
			registers->orig_rax = UINT64_MAX;
			report_interrupted(out);
			return;
		}
	}
}

/* Carries out what must not wait any longer. */
static int enter_queue(
	struct ptrace_context *self, struct ptrace_address_space *as, struct stub_thread *thread)
{
	if (likely(!atomic_load_explicit(&as->pending, memory_order_acquire)))
		return 0;
	if (!self->must_enter && !atomic_load_explicit(&as->urgent, memory_order_acquire))
		return 0;
	return address_space_run_queue(as, thread);
}

/* A fault that only a map which waited made is none: sets *again once it is mended, here or by
 * another thread since. */
static int mend_own_fault(struct ptrace_address_space *as, struct stub_thread *thread,
	unsigned int runs, const struct context_exit *out, bool *again)
{
	if (likely(out->reason != EXIT_FAULT) || out->present)
		return 0;
	if (!atomic_load_explicit(&as->pending, memory_order_acquire) &&
		runs == atomic_load_explicit(&as->runs, memory_order_acquire))
		return 0;
	return address_space_touch(as, thread, out->address, runs, again);
}

int ptrace_context_switch(struct context *context, struct address_space *address_space,
	struct linux_user_regs *registers, unsigned int flags, struct context_exit *out)
{
	struct ptrace_context *self = ptrace_context_of(context);
	struct ptrace_address_space *as = ptrace_address_space_of(address_space);
	struct stub_thread *thread;
	unsigned int runs;
	bool again;
	int r;

	r = context_bind(self, as, &thread);
	if (unlikely(r))
		return r;
	placement_enter(self);
	r = enter_queue(self, as, thread);
	if (unlikely(r))
		return r;
	do {
		again = false;
		r = stub_thread_set_registers(thread, registers);
		if (unlikely(r))
			return r;
		if (unlikely(!start_running(self))) {
			report_interrupted(out);
			return 0;
		}
		thread->used = true;
		runs = atomic_load_explicit(&as->runs, memory_order_acquire);
		run(self, thread, flags, registers, out);
		r = mend_own_fault(as, thread, runs, out, &again);
		if (unlikely(r))
			return r;
	} while (again);
	self->must_enter = out->reason != EXIT_SYSCALL;
	return 0;
}

void ptrace_context_interrupt(struct context *context)
{
	struct ptrace_context *self = ptrace_context_of(context);
	struct stub_thread *thread;

	if (atomic_fetch_or(&self->state, CONTEXT_INTERRUPTED) != CONTEXT_RUNNING)
		return;
	/* Running a moment ago. It may have moved to another thread since, and this one may have
	 * ended. */
	thread = atomic_load(&self->thread);
	if (thread &&
		syscall(SYS_tgkill, thread->process->pid, atomic_load(&thread->tid),
			INTERRUPT_SIGNAL) &&
		errno != ESRCH)
		panic("stub thread %d: tgkill: %s", thread->tid, strerror(errno));
}
