/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits of one container among others in a sandbox.
 *
 * Differs from Linux: memory is looked at now and then, so that a container can hold more for some
 * milliseconds; it is what its processes have for themselves, not files, shared memory or what the
 * kernel needs for them, which count for the sandbox alone.
 */
#include "sentry/kernel/accounting.h"
#include "sentry/kernel/container_private.h"
#include "sentry/kernel/limits.h"
#include "sentry/kernel/oom_kill.h"
#include "sentry/kernel/task.h"
#include "sentry/lock_order.h"
#include "sentry/time/clock.h"
#include "sentry/time/timer.h"

#include <errno.h>

/* How fast a container is thought to fill its memory, and how often it is looked at for that. */
#define BYTES_A_SECOND (1ull << 30)
#define LOOK_LEAST_NS  (10 * (NSEC_PER_SEC / 1000))
#define LOOK_MOST_NS   (500 * (NSEC_PER_SEC / 1000))
#define AT_ONCE	       16
#define CPU_PERIOD_US  100000 /* Linux's default */

/* --- tasks --- */

static uint64_t count_tasks_locked(const struct container *container)
{
	struct pid_number *entry;
	uint64_t count = 0;

	for (entry = pid_number_next_locked(g_tasks.root_pid_ns, 1); entry;
		entry = pid_number_next_locked(g_tasks.root_pid_ns, entry->number + 1)) {
		struct thread_group *group = entry->pid->group;

		if (group && group->container == container)
			count += group->task_count;
	}
	return count;
}

int container_admit_task_locked(struct task *parent)
{
	const struct container *container = parent->group->container;
	uint64_t most = container ? atomic_load(&container->tasks_limit) : 0;

	if (likely(!most) || count_tasks_locked(container) < most)
		return 0;
	if (g_accounting)
		atomic_fetch_add(&g_accounting->forks_refused, 1);
	return -EAGAIN;
}

/* --- memory --- */

/* Those whose time has come, with references. */
static size_t take_due(struct container *due[AT_ONCE], int64_t now_ns)
{
	struct container *container;
	size_t count = 0;

	pthread_mutex_lock(&g_containers.lock);
	LIST_FOREACH (container, &g_containers.containers, link) {
		if (count < AT_ONCE && atomic_load(&container->memory_limit) &&
			atomic_load(&container->look_ns) <= now_ns)
			due[count++] = container_get(container);
	}
	pthread_mutex_unlock(&g_containers.lock);
	return count;
}

static void look_at(struct container *container, int64_t now_ns)
{
	uint64_t limit = atomic_load(&container->memory_limit), used;
	struct thread_group *worst;
	int64_t pause = LOOK_LEAST_NS;

	used = oom_container_usage(container, &worst);
	if (used > limit && worst)
		oom_kill_process(worst);
	else if (used < limit)
		pause = (int64_t)min_u64(LOOK_MOST_NS,
			LOOK_LEAST_NS + (limit - used) / (BYTES_A_SECOND / NSEC_PER_SEC));
	if (worst)
		thread_group_put(worst);
	atomic_store(&container->look_ns, now_ns + pause);
}

/* Runs as long as there is a container with such a limit. */
static struct ktimer look;

static void on_look(struct ktimer *timer)
{
	struct container *container, *due[AT_ONCE];
	int64_t now_ns = clock_monotonic(), next_ns = INT64_MAX;
	size_t count = take_due(due, now_ns);

	for (size_t i = 0; i < count; i++) {
		look_at(due[i], now_ns);
		container_put(due[i]);
	}
	pthread_mutex_lock(&g_containers.lock);
	LIST_FOREACH (container, &g_containers.containers, link) {
		if (atomic_load(&container->memory_limit) &&
			atomic_load(&container->look_ns) < next_ns)
			next_ns = atomic_load(&container->look_ns);
	}
	pthread_mutex_unlock(&g_containers.lock);
	if (next_ns != INT64_MAX)
		ktimer_arm(timer, next_ns);
}

__attribute__((constructor)) static void look_init(void)
{
	ktimer_init(&look, on_look);
}

void container_set_limits(struct container *container, const struct container_limits *limits)
{
	atomic_store(&container->memory_limit, limits->memory);
	atomic_store(&container->tasks_limit, limits->tasks);
	atomic_store(&container->cpu_quota_us, limits->cpu_quota_us);
	atomic_store(&container->cpu_period_us, limits->cpu_period_us);
	atomic_store(&container->look_ns, 0);
	if (limits->memory)
		ktimer_arm(&look, clock_monotonic());
}

void container_get_limits(struct container *container, struct container_limits *limits)
{
	const struct sandbox_limits *all = limits_get();

	*limits = (struct container_limits){.memory = all->memory,
		.tasks = all->tasks,
		.cpu_quota_us = all->cpu_milli * CPU_PERIOD_US / 1000,
		.cpu_period_us = CPU_PERIOD_US};
	if (!container)
		return;
	if (atomic_load(&container->memory_limit))
		limits->memory = atomic_load(&container->memory_limit);
	if (atomic_load(&container->tasks_limit))
		limits->tasks = atomic_load(&container->tasks_limit);
	if (atomic_load(&container->cpu_quota_us))
		limits->cpu_quota_us = atomic_load(&container->cpu_quota_us);
	if (atomic_load(&container->cpu_period_us))
		limits->cpu_period_us = atomic_load(&container->cpu_period_us);
}

void containers_stop_looking(void)
{
	ktimer_cancel(&look, true);
}
