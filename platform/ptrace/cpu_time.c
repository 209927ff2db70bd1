/* SPDX-License-Identifier: Apache-2.0 */
/* Processor time of guest code: the host's clock of each stub process, handed out to contexts. */
#include "platform/ptrace/ptrace_platform.h"

#include <time.h>

/* As clock_getcpuclockid(3) makes them: ~pid above three bits, of which 2 is the scheduler's. */
#define CPUCLOCK_SCHED 2

static uint64_t host_clock(const struct stub_process *process)
{
	clockid_t clock = (clockid_t)(~(unsigned int)process->pid << 3 | CPUCLOCK_SCHED);
	struct timespec time;

	/* It has ended: the sandbox is about to. */
	if (clock_gettime(clock, &time))
		return atomic_load(&process->cpu_asked_ns);
	return (uint64_t)time.tv_sec * 1000000000ul + (uint64_t)time.tv_nsec;
}

void cpu_time_begin(struct stub_process *process)
{
	atomic_store(&process->cpu_left_ns, 0);
	atomic_store(&process->cpu_asked_ns, host_clock(process));
}

uint64_t ptrace_context_take_cpu_time(struct context *context, uint64_t elapsed_ns)
{
	struct stub_thread *thread = atomic_load(&ptrace_context_of(context)->thread);
	struct stub_process *process;
	uint64_t now, left, taken;

	if (!thread)
		return elapsed_ns;
	process = thread->process;
	mutex_guard(&process->lock);
	now = host_clock(process);
	left = atomic_load(&process->cpu_left_ns) + now - atomic_load(&process->cpu_asked_ns);
	taken = left < elapsed_ns ? left : elapsed_ns;
	atomic_store(&process->cpu_asked_ns, now);
	/* With no other context nobody will come for the rest: it was the stub's own work. */
	atomic_store(&process->cpu_left_ns, process->users > 2 ? left - taken : 0);
	return taken;
}

uint64_t ptrace_context_cpu_time_left(struct context *context)
{
	struct stub_thread *thread = atomic_load(&ptrace_context_of(context)->thread);
	uint64_t left, asked, now;

	if (!thread)
		return UINT64_MAX;
	left = atomic_load(&thread->process->cpu_left_ns);
	asked = atomic_load(&thread->process->cpu_asked_ns);
	now = host_clock(thread->process);
	return left + (now > asked ? now - asked : 0);
}
