/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/stat, uptime and loadavg.
 *
 * Differs from Linux: the time that processors spent is that of the processes of the sandbox,
 * spread evenly over its processors; the averages of load are the host's.
 */
#include "sentry/fs/proc/root_files.h"

#include "abi/time.h"
#include "sentry/kernel/scheduling.h"
#include "sentry/kernel/task.h"
#include "sentry/time/clock.h"
#include "sentry/time/time_namespace.h"

#include <sys/sysinfo.h>

#define TICK_NS 10000000ul

struct load {
	uint64_t user_ns, system_ns, idle_ns, switches;
	unsigned int running, tasks;
	int last_pid;
};

/* A counter never goes back, though processes that nobody waited for are forgotten. */
static _Atomic uint64_t most_user, most_system, most_switches;

static uint64_t raise_to(_Atomic uint64_t *most, uint64_t value)
{
	uint64_t known = atomic_load(most);

	while (known < value && !atomic_compare_exchange_weak(most, &known, value))
		;
	return known < value ? value : known;
}

/* RANK_TASK_SET held. */
static void add_group(struct load *load, struct thread_group *group)
{
	struct task *task;
	uint64_t user, system;

	mutex_lock(&group->sighand->lock);
	thread_group_cpu_times_locked(group, &user, &system);
	mutex_unlock(&group->sighand->lock);
	load->user_ns += user + linux_timeval_ns(&group->children_usage.ru_utime);
	load->system_ns += system + linux_timeval_ns(&group->children_usage.ru_stime);
	load->switches +=
		(uint64_t)(group->children_usage.ru_nvcsw + group->children_usage.ru_nivcsw);
	TAILQ_FOREACH (task, &group->tasks, group_link) {
		load->tasks++;
		load->running += task->exit_state == TASK_ALIVE &&
				 atomic_load(&task->run.woken) != TASK_SLEEPS &&
				 task->stop.kind == STOP_NONE;
		load->switches += task->times.voluntary_switches + task->times.involuntary_switches;
	}
}

static void get_load(const struct proc_context *context, struct load *load)
{
	uint64_t up = (uint64_t)clock_now(LINUX_CLOCK_BOOTTIME) * (uint64_t)scheduling_processors(),
		 busy;
	struct pid_number *entry;

	*load = (struct load){0};
	mutex_lock(&g_tasks.lock);
	for (entry = pid_number_next_locked(g_tasks.root_pid_ns, 1); entry;
		entry = pid_number_next_locked(g_tasks.root_pid_ns, entry->number + 1)) {
		if (entry->pid->group)
			add_group(load, entry->pid->group);
	}
	load->last_pid = context->super->pid_ns->last_pid;
	mutex_unlock(&g_tasks.lock);
	load->user_ns = raise_to(&most_user, load->user_ns);
	load->system_ns = raise_to(&most_system, load->system_ns);
	load->switches = raise_to(&most_switches, load->switches);
	busy = load->user_ns + load->system_ns;
	load->idle_ns = up > busy ? up - busy : 0;
}

/* Of who asks. */
static int64_t boot_offset(void)
{
	return current ? time_namespace_offset(current, LINUX_CLOCK_BOOTTIME) : 0;
}

static void show_processor(struct text_writer *out, const struct load *load, unsigned int share)
{
	text_printf(out, "%lu 0 %lu %lu 0 0 0 0 0 0\n", load->user_ns / TICK_NS / share,
		load->system_ns / TICK_NS / share, load->idle_ns / TICK_NS / share);
}

int root_show_stat(const struct proc_context *context, struct text_writer *out)
{
	int processors = scheduling_processors();
	int64_t boot =
		clock_now(LINUX_CLOCK_REALTIME) - clock_now(LINUX_CLOCK_BOOTTIME) - boot_offset();
	struct load load;

	get_load(context, &load);
	text_printf(out, "cpu  ");
	show_processor(out, &load, 1);
	for (int i = 0; i < processors; i++) {
		text_printf(out, "cpu%d ", i);
		show_processor(out, &load, (unsigned int)processors);
	}
	text_printf(out,
		"intr 0\nctxt %lu\nbtime %lld\nprocesses %lu\nprocs_running %u\nprocs_blocked 0\n",
		load.switches, (long long)(boot / NSEC_PER_SEC),
		max_u64(atomic_load(&g_tasks.forks), (uint64_t)load.last_pid), load.running);
	text_printf(out, "softirq 0 0 0 0 0 0 0 0 0 0 0\n");
	return 0;
}

int root_show_uptime(const struct proc_context *context, struct text_writer *out)
{
	uint64_t up = (uint64_t)(clock_now(LINUX_CLOCK_BOOTTIME) + boot_offset()) / TICK_NS, idle;
	struct load load;

	get_load(context, &load);
	idle = load.idle_ns / TICK_NS;
	text_printf(out, "%lu.%02lu %lu.%02lu\n", up / 100, up % 100, idle / 100, idle % 100);
	return 0;
}

int root_show_loadavg(const struct proc_context *context, struct text_writer *out)
{
	struct sysinfo host = {0};
	struct load load;

	get_load(context, &load);
	(void)sysinfo(&host);
	for (int i = 0; i < 3; i++) {
		/* Fixed point with 16 bits, rounded to hundredths. */
		unsigned long hundredths = (host.loads[i] * 100 + (1 << 15)) >> 16;

		text_printf(out, "%lu.%02lu ", hundredths / 100, hundredths % 100);
	}
	text_printf(out, "%u/%u %d\n", load.running, load.tasks, load.last_pid);
	return 0;
}
