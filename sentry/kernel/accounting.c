/* SPDX-License-Identifier: Apache-2.0 */
/* Counts what tasks do, into the page that the command reads. */
#include "sentry/kernel/accounting.h"

#include "abi/sched.h"
#include "base/cleanup.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/task_run.h"
#include "sentry/lock_order.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/time/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>

_Static_assert(ACCOUNTING_CALLS >= SYSCALL_LIMIT, "a place for each system call");

struct accounting *g_accounting;

static struct {
	struct mutex lock; /* RANK_LEAF: task.accounted and the sums of the dead; names of files */
	uint64_t skip, skipped; /* samples to leave out between two; the sampling thread's own */
} state;

__attribute__((constructor)) static void state_init(void)
{
	mutex_init(&state.lock, RANK_LEAF, "accounting");
}

static int64_t since_start(void)
{
	return clock_monotonic() - atomic_load(&g_accounting->started_ns);
}

bool accounting_end(enum end_reason reason)
{
	int none = END_NONE;

	if (!g_accounting || !atomic_compare_exchange_strong(&g_accounting->reason, &none, reason))
		return false;
	atomic_store(&g_accounting->ended_ns, clock_monotonic());
	return true;
}

/* --- system calls --- */

static bool is_read(uint64_t number)
{
	return number == SYS_read || number == SYS_readv || number == SYS_pread64 ||
	       number == SYS_preadv || number == SYS_preadv2 || number == SYS_recvfrom ||
	       number == SYS_recvmsg;
}

static bool is_write(uint64_t number)
{
	return number == SYS_write || number == SYS_writev || number == SYS_pwrite64 ||
	       number == SYS_pwritev || number == SYS_pwritev2 || number == SYS_sendto ||
	       number == SYS_sendmsg || number == SYS_sendfile || number == SYS_copy_file_range ||
	       number == SYS_splice;
}

static void add(_Atomic uint64_t *counter, uint64_t value)
{
	atomic_fetch_add_explicit(counter, value, memory_order_relaxed);
}

static void count_error(struct accounting_call *call, int64_t result)
{
	add(&call->errors, 1);
	if (result == -EPERM || result == -EACCES)
		add(&call->refused, 1);
	else if (result == -ENOSYS)
		add(&call->missing, 1);
}

void accounting_syscall(struct task *task, int64_t result, uint64_t start)
{
	uint64_t number = min_u64(task->syscall_number, ACCOUNTING_CALLS - 1);
	struct accounting_call *call = &g_accounting->calls[number];
	uint64_t ns = task_ticks_to_ns(time_stamp() - start);

	add(&call->count, 1);
	add(&call->total_ns, ns);
	accounting_raise(&call->longest_ns, ns);
	if (result < 0 && result > -ERESTARTSYS)
		count_error(call, result);
	else if (result > 0 && is_read(number))
		add(&g_accounting->bytes_read, (uint64_t)result);
	else if (result > 0 && is_write(number))
		add(&g_accounting->bytes_written, (uint64_t)result);
}

/* --- processes --- */

static struct accounting_process *process_find(int pid)
{
	uint32_t count = min_u64(atomic_load(&g_accounting->process_count), ACCOUNTING_PROCESSES);

	/* The number may have been used before: the last one is it. */
	while (count-- > 0) {
		if (g_accounting->processes[count].pid == pid)
			return &g_accounting->processes[count];
	}
	return NULL;
}

static int global_number(const struct thread_group *group)
{
	return group && group->pid ? group->pid->numbers[0].number : 0;
}

static void process_started(struct thread_group *group, int parent, const char *name)
{
	uint32_t index = atomic_fetch_add(&g_accounting->process_count, 1);
	struct accounting_process *process = &g_accounting->processes[index];

	add(&g_accounting->processes_started, 1);
	if (index >= ACCOUNTING_PROCESSES)
		return;
	process->parent = parent;
	process->start_ns = since_start();
	memcpy(process->name, name, sizeof(process->name));
	process->pid = global_number(group);
}

static void on_fork(struct task *parent, struct task *child, uint64_t flags)
{
	if (!g_accounting)
		return;
	if (flags & LINUX_CLONE_THREAD)
		add(&g_accounting->threads_started, 1);
	else
		process_started(child->group, global_number(parent->group), child->comm);
}

void accounting_first_process(struct task *task)
{
	if (g_accounting)
		process_started(task->group, 0, task->comm);
}

/* With its memory still there: what it will have been. */
static void on_leave(struct task *task)
{
	struct accounting_process *process;
	uint64_t user, system;

	if (!g_accounting || task->kernel_thread || task->group->live_count)
		return;
	process = process_find(global_number(task->group));
	if (!process)
		return;
	thread_group_cpu_times(task->group, &user, &system);
	process->cpu_ns = user + system;
	process->peak_memory = task->group->max_rss;
	process->status = task->group->exit_code;
	memcpy(process->name, task->comm, sizeof(process->name));
	process->end_ns = since_start();
}

void accounting_task_ended(struct task *task)
{
	if (!g_accounting)
		return;
	mutex_guard(&state.lock);
	task->accounted = true;
	add(&g_accounting->dead_user_ns, atomic_load(&task->times.user_ns));
	add(&g_accounting->dead_system_ns, atomic_load(&task->times.system_ns));
}

static void add_living(struct thread_group *group, uint64_t *user_ns, uint64_t *system_ns)
{
	struct task_time_sum sum = {0};
	struct task *task;

	TAILQ_FOREACH (task, &group->tasks, group_link) {
		if (!task->accounted && !task->kernel_thread)
			task_times_add(task, &sum);
	}
	*user_ns += sum.user_ns;
	*system_ns += sum.system_ns;
}

void accounting_cpu_times(uint64_t *user_ns, uint64_t *system_ns)
{
	struct pid_number *entry;

	mutex_lock(&g_tasks.lock);
	mutex_lock(&state.lock);
	*user_ns = atomic_load(&g_accounting->dead_user_ns);
	*system_ns = atomic_load(&g_accounting->dead_system_ns);
	for (entry = g_tasks.root_pid_ns ? pid_number_next_locked(g_tasks.root_pid_ns, 1) : NULL;
		entry; entry = pid_number_next_locked(g_tasks.root_pid_ns, entry->number + 1)) {
		if (entry->pid->group)
			add_living(entry->pid->group, user_ns, system_ns);
	}
	mutex_unlock(&state.lock);
	mutex_unlock(&g_tasks.lock);
	atomic_store(&g_accounting->user_ns, *user_ns);
	atomic_store(&g_accounting->system_ns, *system_ns);
}

/* --- files --- */

/* Once each, as long as there is room. */
static void note_text(char (*texts)[ACCOUNTING_FILE_SIZE], _Atomic uint32_t *count, uint32_t most,
	const char *text)
{
	uint32_t used = atomic_load(count);

	if (used >= most || strlen(text) >= ACCOUNTING_FILE_SIZE)
		return;
	mutex_guard(&state.lock);
	used = (uint32_t)min_u64(atomic_load(count), most);
	for (uint32_t i = 0; i < used; i++) {
		if (!strcmp(texts[i], text))
			return;
	}
	if (used == most)
		return;
	strcpy(texts[used], text);
	atomic_store(count, used + 1);
}

void accounting_opened(const char *name)
{
	note_text(g_accounting->files, &g_accounting->file_count, ACCOUNTING_FILES, name);
}

void accounting_address(const char *text)
{
	note_text(
		g_accounting->addresses, &g_accounting->address_count, ACCOUNTING_ADDRESSES, text);
}

void accounting_refused(const char *text)
{
	char line[ACCOUNTING_FILE_SIZE];

	if (!g_accounting)
		return;
	(void)snprintf(line, sizeof(line), "%s", text);
	note_text(g_accounting->refused, &g_accounting->refused_count, ACCOUNTING_REFUSED, line);
}

/* --- over time --- */

/* Every other one goes, so that there is always room for the rest of the time. */
static void thin_samples(void)
{
	for (uint32_t i = 0; i < ACCOUNTING_SAMPLES / 2; i++)
		g_accounting->samples[i] = g_accounting->samples[2 * i];
	atomic_store(&g_accounting->sample_count, ACCOUNTING_SAMPLES / 2);
	state.skip = 2 * state.skip + 1;
}

void accounting_sample(uint64_t cpu_ns)
{
	uint32_t count = min_u64(atomic_load(&g_accounting->sample_count), ACCOUNTING_SAMPLES);

	if (state.skipped++ < state.skip)
		return;
	state.skipped = 0;
	if (count == ACCOUNTING_SAMPLES) {
		thin_samples();
		count = ACCOUNTING_SAMPLES / 2;
	}
	g_accounting->samples[count] = (struct accounting_sample){
		.time_ns = since_start(),
		.cpu_ns = cpu_ns,
		.memory = atomic_load(&g_accounting->memory),
		.processes = (uint32_t)atomic_load(&g_accounting->tasks),
	};
	atomic_store(&g_accounting->sample_count, count + 1);
}

static uint64_t timeval_ns(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * NSEC_PER_SEC + (uint64_t)time->tv_usec * 1000;
}

void accounting_finish(void)
{
	struct rusage usage;
	uint64_t user, system;

	if (!g_accounting)
		return;
	accounting_cpu_times(&user, &system);
	if (getrusage(RUSAGE_SELF, &usage) == 0) {
		atomic_store(&g_accounting->sentry_user_ns, timeval_ns(&usage.ru_utime));
		atomic_store(&g_accounting->sentry_system_ns, timeval_ns(&usage.ru_stime));
	}
	accounting_sample(user + system);
}

void accounting_start(struct accounting *page)
{
	g_accounting = page;
	if (!page)
		return;
	atomic_store(&page->started_ns, clock_monotonic());
	task_add_fork_hook(on_fork);
	task_add_leave_hook(on_leave);
}
