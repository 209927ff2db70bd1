/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carries the sandbox's limits out: one timer for the end of time, one that looks every few
 * milliseconds at what was used.
 */
#include "sentry/kernel/limits.h"

#include "base/log.h"
#include "sentry/fs/devpts/tty.h"
#include "sentry/fs/host/host.h"
#include "sentry/fs/tmpfs/tmpfs.h"
#include "sentry/kernel/accounting.h"
#include "sentry/kernel/boot.h"
#include "sentry/kernel/oom_kill.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/task_run.h"
#include "sentry/lock_order.h"
#include "sentry/mm/memory_file.h"
#include "sentry/mm/memory_held.h"
#include "sentry/mm/oom.h"
#include "sentry/time/clock.h"
#include "sentry/time/timer.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>

#define LOOK_NS	    (10 * (NSEC_PER_SEC / 1000))
#define BURST_NS    (50 * (NSEC_PER_SEC / 1000)) /* of one processor: what may be saved up */
#define PROGRESS_NS (500 * (NSEC_PER_SEC / 1000))

static struct {
	struct sandbox_limits limits; /* set once */
	struct ktimer look, timeout;
	bool started, terminated, progress;
	/* The looking thread's own. */
	int64_t progress_ns;
	int64_t looked_ns;
	uint64_t cpu_ns;
	int64_t debt_ns; /* used more than the share, if positive */
	atomic_bool throttled;
} g_limits;

static struct {
	struct mutex lock; /* RANK_LEAF; with it accounting's count of output changes, too */
	uint64_t reserved; /* taken, and not written yet */
} g_output;

__attribute__((constructor)) static void output_init(void)
{
	mutex_init(&g_output.lock, RANK_LEAF, "output");
}

const struct sandbox_limits *limits_get(void)
{
	return &g_limits.limits;
}

/* --- the end --- */

static void end_sandbox(enum end_reason reason)
{
	if (accounting_end(reason))
		boot_kill_all();
}

static void each_process(void (*visit)(struct thread_group *group))
{
	struct pid_number *entry;

	mutex_lock(&g_tasks.lock);
	for (entry = g_tasks.root_pid_ns ? pid_number_next_locked(g_tasks.root_pid_ns, 1) : NULL;
		entry; entry = pid_number_next_locked(g_tasks.root_pid_ns, entry->number + 1)) {
		struct thread_group *group = entry->pid->group;

		if (!group || !group->leader)
			continue;
		mutex_lock(&group->sighand->lock);
		if (group->live_count && !group->leader->kernel_thread)
			visit(group);
		mutex_unlock(&group->sighand->lock);
	}
	mutex_unlock(&g_tasks.lock);
}

static void terminate(struct thread_group *group)
{
	struct linux_siginfo info;

	siginfo_kernel(&info, LINUX_SIGTERM);
	(void)signal_send_locked(group->leader, &info, true);
	/* One that is stopped shall have its time of grace, too. */
	siginfo_kernel(&info, LINUX_SIGCONT);
	(void)signal_send_locked(group->leader, &info, true);
}

static void on_timeout(struct ktimer *timer)
{
	if (g_limits.terminated || !g_limits.limits.grace_ns) {
		if (!g_limits.terminated)
			(void)accounting_end(END_TIMEOUT);
		boot_kill_all();
		return;
	}
	if (!accounting_end(END_TIMEOUT))
		return;
	g_limits.terminated = true;
	each_process(terminate);
	ktimer_arm(timer, clock_monotonic() + (int64_t)g_limits.limits.grace_ns);
}

/* --- processors --- */

static void kick_running(struct thread_group *group)
{
	struct task *task;

	TAILQ_FOREACH (task, &group->tasks, group_link) {
		if (atomic_load(&task->run.in_guest))
			task_kick(task);
	}
}

static void wake_all(struct thread_group *group)
{
	struct task *task;

	TAILQ_FOREACH (task, &group->tasks, group_link)
		task_wake(task);
}

void limits_throttle_point(struct task *task)
{
	while (unlikely(atomic_load_explicit(&g_limits.throttled, memory_order_relaxed)) &&
		!atomic_load(&task->killed))
		task_sleep(task);
}

static void look_at_share(uint64_t used_ns, int64_t elapsed_ns)
{
	int64_t share = elapsed_ns / 1000 * (int64_t)g_limits.limits.cpu_milli;
	int64_t burst = BURST_NS / 1000 * (int64_t)g_limits.limits.cpu_milli;
	bool over;

	g_limits.debt_ns += (int64_t)used_ns - share;
	if (g_limits.debt_ns < -burst)
		g_limits.debt_ns = -burst;
	over = g_limits.debt_ns > 0;
	if (over)
		atomic_fetch_add(&g_accounting->throttled_ns, (uint64_t)elapsed_ns);
	if (over) {
		atomic_store(&g_limits.throttled, true);
		each_process(kick_running);
	} else if (atomic_exchange(&g_limits.throttled, false)) {
		each_process(wake_all);
	}
}

static void look_at_time(int64_t now)
{
	const struct sandbox_limits *limits = &g_limits.limits;
	uint64_t user, system, used;

	accounting_cpu_times(&user, &system);
	used = user + system > g_limits.cpu_ns ? user + system - g_limits.cpu_ns : 0;
	g_limits.cpu_ns += used;
	if (limits->cpu_milli)
		look_at_share(used, now - g_limits.looked_ns);
	g_limits.looked_ns = now;
	if (limits->cpu_time_ns && g_limits.cpu_ns >= limits->cpu_time_ns)
		end_sandbox(END_CPU_TIME);
}

/* --- memory --- */

static void on_out_of_memory(struct mm *mm)
{
	/* For a task's own fault the task asks itself. */
	if (!mm)
		(void)oom_kill(NULL);
}

static void look_at_memory(void)
{
	struct memory_file_usage usage;
	uint64_t tasks, all, disk = tmpfs_used_by_all();

	mutex_lock(&g_tasks.lock);
	tasks = g_tasks.task_count;
	mutex_unlock(&g_tasks.lock);
	all = memory_held_update(tasks);
	memory_file_usage(&usage);
	all += usage.resident;
	atomic_store(&g_accounting->memory, all);
	accounting_raise(&g_accounting->memory_peak, all);
	accounting_raise(&g_accounting->heap_peak, memory_held_heap());
	atomic_store(&g_accounting->disk, disk);
	accounting_raise(&g_accounting->disk_peak, disk);
	if (usage.limit && all > usage.limit) {
		memory_held_trim();
		(void)oom_check();
	}
}

/* --- the status line --- */

static void show(const char *text)
{
	console_status(text);
	host_stdio_status(text);
}

static void show_progress(int64_t now)
{
	char text[128];
	int64_t seconds = (now - atomic_load(&g_accounting->started_ns)) / NSEC_PER_SEC;

	if (now < g_limits.progress_ns)
		return;
	g_limits.progress_ns = now + PROGRESS_NS;
	(void)snprintf(text, sizeof(text),
		"[%ld:%02ld, CPU %.1fs, memory %luM, %lu processes and threads]", seconds / 60,
		seconds % 60, (double)g_limits.cpu_ns / 1e9,
		atomic_load(&g_accounting->memory) >> 20, atomic_load(&g_accounting->tasks));
	show(text);
}

static void on_look(struct ktimer *timer)
{
	int64_t now = clock_monotonic();

	look_at_memory();
	look_at_time(now);
	accounting_sample(g_limits.cpu_ns);
	if (g_limits.progress)
		show_progress(now);
	ktimer_arm(timer, now + LOOK_NS);
}

/* --- tasks --- */

uint64_t limits_tasks_locked(void)
{
	return g_tasks.task_count - (boot_init_task() ? 1 : 0);
}

int limits_admit_task_locked(void)
{
	if (likely(!g_limits.limits.tasks) || limits_tasks_locked() < g_limits.limits.tasks)
		return 0;
	if (g_accounting)
		atomic_fetch_add(&g_accounting->forks_refused, 1);
	return -EAGAIN;
}

void limits_note_tasks_locked(void)
{
	if (likely(!g_accounting))
		return;
	atomic_store(&g_accounting->tasks, limits_tasks_locked());
	accounting_raise(&g_accounting->tasks_peak, limits_tasks_locked());
	accounting_raise(
		&g_accounting->processes_peak, g_tasks.process_count - (boot_init_task() ? 1 : 0));
}

uint64_t limits_ceiling(unsigned int resource)
{
	uint64_t limit = 0;

	if (resource == LINUX_RLIMIT_FSIZE)
		limit = g_limits.limits.file_size;
	else if (resource == LINUX_RLIMIT_NOFILE)
		limit = g_limits.limits.open_files;
	return limit ? limit : LINUX_RLIM_INFINITY;
}

/* --- output --- */

uint64_t limits_output_take(uint64_t size)
{
	uint64_t most = g_limits.limits.output ? g_limits.limits.output : UINT64_MAX, taken = 0;

	if (likely(!g_accounting) || !size)
		return size;
	/* What others are writing may come back: nobody waits for long, since the host never
	 * blocks. */
	for (;;) {
		uint64_t written, reserved;

		mutex_lock(&g_output.lock);
		written = atomic_load(&g_accounting->output);
		reserved = g_output.reserved;
		taken = min_u64(size, most - min_u64(most, written + reserved));
		g_output.reserved += taken;
		mutex_unlock(&g_output.lock);
		if (taken || !reserved)
			break;
		(void)sched_yield();
	}
	if (!taken)
		end_sandbox(END_OUTPUT);
	return taken;
}

void limits_output_done(uint64_t wanted, uint64_t taken, uint64_t written)
{
	if (likely(!g_accounting))
		return;
	mutex_lock(&g_output.lock);
	g_output.reserved -= taken;
	atomic_fetch_add(&g_accounting->output, written);
	mutex_unlock(&g_output.lock);
	if (wanted > taken && written == taken)
		end_sandbox(END_OUTPUT);
}

/* --- start --- */

void limits_start(const struct sandbox_limits *limits, bool progress)
{
	g_limits.progress = progress;
	g_limits.limits = *limits;
	tmpfs_limit_all(limits->disk);
	oom_set_hook(on_out_of_memory);
	if (!g_accounting)
		return;
	g_limits.started = true;
	g_limits.looked_ns = clock_monotonic();
	ktimer_init(&g_limits.look, on_look);
	ktimer_init(&g_limits.timeout, on_timeout);
	ktimer_arm(&g_limits.look, g_limits.looked_ns + LOOK_NS);
	if (limits->timeout_ns)
		ktimer_arm(&g_limits.timeout, g_limits.looked_ns + (int64_t)limits->timeout_ns);
}

void limits_set_memory(uint64_t memory)
{
	mutex_lock(&g_tasks.lock);
	g_limits.limits.memory = memory;
	mutex_unlock(&g_tasks.lock);
	memory_file_set_limit(memory);
}

void limits_set_tasks(uint64_t tasks)
{
	mutex_lock(&g_tasks.lock);
	g_limits.limits.tasks = tasks;
	mutex_unlock(&g_tasks.lock);
}

void limits_stop(void)
{
	if (!g_limits.started)
		return;
	ktimer_cancel(&g_limits.look, true);
	ktimer_cancel(&g_limits.timeout, true);
	atomic_store(&g_limits.throttled, false);
	look_at_memory();
	if (g_limits.progress)
		show("");
}
