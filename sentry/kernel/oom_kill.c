/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OOM killer's choice: the process that holds most, as oom_score_adj sees it.
 *
 * Differs from Linux: processes that share the victim's memory without being its threads live on.
 */
#include "sentry/kernel/oom_kill.h"

#include "base/log.h"
#include "sentry/kernel/accounting.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/task.h"
#include "sentry/lock_order.h"
#include "sentry/mm/memory_file.h"
#include "sentry/time/clock.h"

#define SCORE_ADJ_MIN (-1000)
/* How long a victim may take to give its memory back before another one has to go. */
#define PATIENCE_NS (50 * (NSEC_PER_SEC / 1000))
#define RETRY_NS    (10 * (NSEC_PER_SEC / 1000))

static struct {
	struct mutex lock; /* RANK_LEAF */
	int64_t patient_until;
} killer;

__attribute__((constructor)) static void killer_init(void)
{
	mutex_init(&killer.lock, RANK_LEAF, "OOM killer");
}

/* A task of the process that has memory: a reference, or NULL. */
static struct task *task_with_memory(struct thread_group *group)
{
	struct task *task, *found = NULL;

	mutex_guard(&g_tasks.lock);
	TAILQ_FOREACH (task, &group->tasks, group_link) {
		if (task->exit_state == TASK_ALIVE && !task->kernel_thread) {
			found = task_get(task);
			break;
		}
	}
	return found;
}

/* Which memory a process has (only to be compared), and how much; NULL: none any more. */
static const struct mm *usage_of(struct thread_group *group, struct mm_usage *usage)
{
	struct task *task = task_with_memory(group);
	struct mm *mm = task ? task_get_mm(task) : NULL;

	*usage = (struct mm_usage){0};
	if (mm) {
		mm_usage(mm, usage);
		mm_put(mm);
	}
	if (task)
		task_put(task);
	return mm;
}

/* 0: not to be chosen. */
static uint64_t badness(struct thread_group *group, uint64_t total)
{
	int adjust = __atomic_load_n(&group->oom_score_adj, __ATOMIC_RELAXED);
	struct mm_usage usage;
	int64_t points;

	if (!usage_of(group, &usage) || adjust == SCORE_ADJ_MIN)
		return 0;
	points = (int64_t)(usage.resident + usage.page_tables) + (int64_t)(total / 1000) * adjust;
	return points > 0 ? (uint64_t)points : 1;
}

/* The process of the first number from *number on: a reference; NULL after the last. */
static struct thread_group *next_process(int *number)
{
	struct thread_group *group = NULL;
	struct pid_number *entry;

	mutex_guard(&g_tasks.lock);
	if (!g_tasks.root_pid_ns)
		return NULL;
	for (entry = pid_number_next_locked(g_tasks.root_pid_ns, *number); entry && !group;
		entry = pid_number_next_locked(g_tasks.root_pid_ns, entry->number + 1)) {
		*number = entry->number + 1;
		if (entry->pid->group)
			group = thread_group_get(entry->pid->group);
	}
	return group;
}

static struct thread_group *choose(void)
{
	struct thread_group *group, *worst = NULL;
	struct memory_file_usage usage;
	uint64_t most = 0;
	int number = 1;

	memory_file_usage(&usage);
	while ((group = next_process(&number))) {
		uint64_t points = badness(group, usage.limit);

		if (points > most) {
			if (worst)
				thread_group_put(worst);
			worst = thread_group_get(group);
			most = points;
		}
		thread_group_put(group);
	}
	return worst;
}

/* A child of vfork has its parent's memory: that counts once. */
#define SEEN_MAX 64

uint64_t oom_container_usage(struct container *container, struct thread_group **worst)
{
	const struct mm *seen[SEEN_MAX];
	struct thread_group *group;
	uint64_t all = 0, most = 0;
	int number = 1;

	*worst = NULL;
	for (size_t count = 0; (group = next_process(&number)); thread_group_put(group)) {
		const struct mm *mm;
		struct mm_usage usage;
		uint64_t bytes;
		size_t i = 0;

		if (group->container != container || !(mm = usage_of(group, &usage)))
			continue;
		while (i < count && seen[i] != mm)
			i++;
		if (i < count)
			continue;
		if (count < SEEN_MAX)
			seen[count++] = mm;
		bytes = usage.resident - min_u64(usage.shared, usage.resident) + usage.page_tables;
		all += bytes;
		if (bytes <= most || group->oom_score_adj == SCORE_ADJ_MIN)
			continue;
		if (*worst)
			thread_group_put(*worst);
		*worst = thread_group_get(group);
		most = bytes;
	}
	return all;
}

void oom_kill_process(struct thread_group *group)
{
	mutex_lock(&g_tasks.lock);
	if (group->leader) {
		mutex_lock(&group->sighand->lock);
		if (group->live_count)
			thread_group_exit_locked(group->leader, LINUX_SIGKILL);
		mutex_unlock(&group->sighand->lock);
	}
	mutex_unlock(&g_tasks.lock);
	if (group->container)
		container_note_out_of_memory(group);
	if (g_accounting)
		atomic_fetch_add(&g_accounting->memory_kills, 1);
}

/* One kill at a time. */
static bool may_kill(void)
{
	int64_t now = clock_monotonic();

	mutex_guard(&killer.lock);
	if (now < killer.patient_until)
		return false;
	killer.patient_until = now + PATIENCE_NS;
	return true;
}

bool oom_kill(struct thread_group *wanting)
{
	struct thread_group *victim;
	bool other;

	if (may_kill()) {
		victim = choose();
		if (!victim)
			return false;
		log_warning("out of memory: process %d is killed", victim->pid->numbers[0].number);
		oom_kill_process(victim);
		other = victim != wanting;
		thread_group_put(victim);
		if (!other)
			return false;
	}
	if (wanting)
		(void)!task_block_killable(current, clock_monotonic() + RETRY_NS);
	return true;
}
