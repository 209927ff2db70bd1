/* SPDX-License-Identifier: Apache-2.0 */
/* Stub processes and their spare threads. */
#include "platform/ptrace/ptrace_platform.h"

#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Spare threads that a process may take along into the pool. */
#define SPARE_COUNT 8

struct stub_thread *stub_thread_new(struct stub_process *process, pid_t tid)
{
	struct stub_thread *thread = calloc(1, sizeof(*thread));

	if (!thread)
		return NULL;
	thread->process = process;
	atomic_init(&thread->tid, tid);
	atomic_init(&thread->cpu, -1);
	return thread;
}

int stub_process_new(
	struct ptrace_platform *platform, pid_t pid, uint64_t list_index, struct stub_process **out)
{
	struct stub_process *process = calloc(1, sizeof(*process));
	void *list;

	if (!process)
		return -ENOMEM;
	list = mmap(NULL, STUB_LIST_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, platform->list_fd,
		(off_t)(list_index * STUB_LIST_SIZE));
	if (list == MAP_FAILED) {
		free(process);
		return -ENOMEM;
	}
	process->platform = platform;
	process->pid = pid;
	process->list = list;
	process->users = 1;
	mutex_init(&process->lock, RANK_STUB_PROCESS, "stub process");
	LIST_INIT(&process->spares);
	LIST_INIT(&process->retired);
	*out = process;
	return 0;
}

static struct stub_thread *new_record(struct stub_process *process)
{
	struct stub_thread *thread = LIST_FIRST(&process->retired);

	if (!thread)
		return stub_thread_new(process, 0);
	LIST_REMOVE(thread, spare);
	thread->used = false;
	thread->debug_used = false;
	atomic_store(&thread->cpu, -1);
	return thread;
}

/* A new thread, made by one that is attached; it goes to sleep by itself. */
static int make_spare(struct stub_process *process, struct stub_thread *maker)
{
	struct stub_thread *thread = new_record(process);
	struct linux_user_regs registers = {0};

	if (!thread)
		return -ENOMEM;
	/* It would inherit the floating-point state of a former guest thread. */
	if (maker->used)
		fpstate_reset(maker);
	stub_thread_run(maker, stub_code_at(process->platform, stub_code_clone_thread), &registers);
	if ((int64_t)registers.r14 < 0) {
		LIST_INSERT_HEAD(&process->retired, thread, spare);
		return (int)(int64_t)registers.r14;
	}
	thread->tid = (pid_t)registers.r14;
	LIST_INSERT_HEAD(&process->spares, thread, spare);
	return 0;
}

int stub_process_take_thread(struct stub_process *process, int cpu, struct stub_thread **out)
{
	struct stub_thread *thread;
	int r = 0;

	mutex_guard(&process->lock);
	thread = LIST_FIRST(&process->spares);
	panic_if(!thread, "stub process %d has no spare thread", process->pid);
	LIST_REMOVE(thread, spare);
	stub_thread_attach(thread, cpu);
	if (LIST_EMPTY(&process->spares))
		r = make_spare(process, thread);
	if (r) {
		stub_thread_detach(thread);
		LIST_INSERT_HEAD(&process->spares, thread, spare);
		return r;
	}
	process->users++;
	*out = thread;
	return 0;
}

void stub_process_trim(struct stub_process *process)
{
	struct stub_thread *thread, *next;
	unsigned int kept = 0;

	mutex_guard(&process->lock);
	LIST_FOREACH_SAFE (thread, &process->spares, spare, next) {
		/* The first thread's end would look like the end of the process. */
		if (++kept <= SPARE_COUNT || thread->tid == process->pid)
			continue;
		LIST_REMOVE(thread, spare);
		stub_thread_attach(thread, placement_here());
		stub_thread_retire(thread);
		LIST_INSERT_HEAD(&process->retired, thread, spare);
	}
}

void stub_process_put(struct stub_process *process)
{
	bool last;

	mutex_lock(&process->lock);
	last = --process->users == 0;
	mutex_unlock(&process->lock);
	if (last)
		stub_pool_give(process);
}

void stub_process_give_thread(struct stub_thread *thread)
{
	struct stub_process *process = thread->process;

	stub_thread_detach(thread);
	mutex_lock(&process->lock);
	LIST_INSERT_HEAD(&process->spares, thread, spare);
	mutex_unlock(&process->lock);
	stub_process_put(process);
}
