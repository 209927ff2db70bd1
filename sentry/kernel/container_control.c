/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of a container from outside while it lives: signals, pauses, who runs there and
 * what that costs. */
#include "sentry/fs/devpts/tty.h"
#include "sentry/kernel/accounting.h"
#include "sentry/kernel/container_private.h"
#include "sentry/kernel/oom_kill.h"
#include "sentry/kernel/signal.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/task_run.h"
#include "sentry/mm/memory_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Calls visit for each process of the container that has not ended. RANK_TASK_SET is held. */
static void each_process(struct container *container,
	void (*visit)(struct thread_group *group, void *argument), void *argument)
{
	struct pid_number *entry;

	mutex_lock(&g_tasks.lock);
	for (entry = pid_number_next_locked(g_tasks.root_pid_ns, 1); entry;
		entry = pid_number_next_locked(g_tasks.root_pid_ns, entry->number + 1)) {
		struct thread_group *group = entry->pid->group;

		if (group && group->container == container && group->task_count)
			visit(group, argument);
	}
	mutex_unlock(&g_tasks.lock);
}

/* --- signals --- */

static int send_locked(struct thread_group *group, int signal)
{
	struct linux_siginfo info;
	struct sighand *sighand = group->sighand;
	int err;

	siginfo_kernel(&info, signal);
	mutex_lock(&sighand->lock);
	if (signal == LINUX_SIGKILL) {
		thread_group_exit_locked(group->leader, LINUX_SIGKILL);
		err = 0;
	} else {
		err = signal_send_locked(group->leader, &info, true);
	}
	mutex_unlock(&sighand->lock);
	return err;
}

int container_process_signal(struct container_process *process, int signal)
{
	bool ended;
	int err;

	if (signal < 0 || signal > SIGNAL_COUNT)
		return -EINVAL;
	pthread_mutex_lock(&g_containers.lock);
	ended = process->ended;
	pthread_mutex_unlock(&g_containers.lock);
	if (ended)
		return -ESRCH;
	if (!signal)
		return 0;
	mutex_lock(&g_tasks.lock);
	err = process->group->task_count ? send_locked(process->group, signal) : -ESRCH;
	mutex_unlock(&g_tasks.lock);
	return err;
}

static void visit_signal(struct thread_group *group, void *argument)
{
	(void)send_locked(group, *(int *)argument);
}

void container_signal_all(struct container *container, int signal)
{
	if (signal >= 1 && signal <= SIGNAL_COUNT)
		each_process(container, visit_signal, &signal);
}

int container_process_number(struct container_process *process)
{
	struct pid *pid = process->group->pid;

	return pid->numbers[pid->level].number;
}

void container_process_resize(struct container_process *process, uint16_t rows, uint16_t columns)
{
	struct linux_winsize window = {.ws_row = rows, .ws_col = columns};

	if (process->tty)
		tty_set_window(process->tty, &window);
}

/* --- pauses --- */

static void visit_kick(struct thread_group *group, void *argument)
{
	struct task *task;

	mutex_lock(&group->sighand->lock);
	TAILQ_FOREACH (task, &group->tasks, group_link)
		task_kick(task);
	mutex_unlock(&group->sighand->lock);
}

void container_pause(struct container *container, bool paused)
{
	atomic_store(&container->paused, paused);
	each_process(container, visit_kick, NULL);
}

bool container_is_paused(const struct container *container)
{
	return atomic_load(&container->paused);
}

void container_pause_point(struct task *task)
{
	struct container *container = task->group->container;

	/* Who pauses and who kills kick the task after they said so. */
	while (atomic_load(&container->paused) && !atomic_load(&task->killed))
		task_sleep(task);
}

/* --- the end of memory --- */

void container_note_out_of_memory(struct thread_group *group)
{
	struct container *container = group->container;

	atomic_fetch_add(&container->memory_kills, 1);
	pthread_mutex_lock(&g_containers.lock);
	if (container->init == group)
		atomic_store(&container->out_of_memory, true);
	pthread_mutex_unlock(&g_containers.lock);
}

bool container_ran_out_of_memory(const struct container *container)
{
	return atomic_load(&container->out_of_memory);
}

/* --- who runs there --- */

struct listing {
	struct container_process_info *infos;
	size_t size, count;
};

static void describe(struct thread_group *group, struct container_process_info *info)
{
	struct task *parent = group->parent, *leader = group->leader;
	struct pid_namespace *ns = group->pid->numbers[group->pid->level].ns;
	uint64_t user, system;

	*info = (struct container_process_info){.start_ns = group->start_ns};
	info->pid = pid_number_in(group->pid, ns);
	info->parent = parent ? pid_number_in(parent->group->pid, ns) : 0;
	mutex_lock(&leader->lock);
	info->uid = leader->cred ? leader->cred->uid : 0;
	(void)snprintf(info->command, sizeof(info->command), "%s", leader->comm);
	mutex_unlock(&leader->lock);
	mutex_lock(&group->sighand->lock);
	thread_group_cpu_times_locked(group, &user, &system);
	mutex_unlock(&group->sighand->lock);
	info->cpu_ns = user + system;
	info->state = leader->exit_state >= TASK_ZOMBIE ? 'Z' : 'S';
}

static void visit_list(struct thread_group *group, void *argument)
{
	struct listing *listing = argument;

	if (listing->count < listing->size)
		describe(group, &listing->infos[listing->count]);
	listing->count++;
}

size_t container_list(
	struct container *container, struct container_process_info *infos, size_t count)
{
	struct listing listing = {.infos = infos, .size = count};

	each_process(container, visit_list, &listing);
	return listing.count;
}

static void visit_usage(struct thread_group *group, void *argument)
{
	struct container_usage *usage = argument;
	struct task *leader = group->leader;
	uint64_t user, system;

	if (leader->exit_state >= TASK_ZOMBIE && group->task_count == 1)
		return;
	mutex_lock(&group->sighand->lock);
	thread_group_cpu_times_locked(group, &user, &system);
	mutex_unlock(&group->sighand->lock);
	usage->user_ns += user;
	usage->system_ns += system;
	usage->processes++;
	usage->threads += group->task_count;
}

void container_usage(struct container *container, struct container_usage *usage)
{
	struct memory_file_usage memory;
	struct thread_group *worst;

	*usage = (struct container_usage){0};
	if (container) {
		usage->user_ns = atomic_load(&container->dead_user_ns);
		usage->system_ns = atomic_load(&container->dead_system_ns);
		usage->memory_kills = atomic_load(&container->memory_kills);
	} else if (g_accounting) {
		usage->memory_kills = atomic_load(&g_accounting->memory_kills);
	}
	each_process(container, visit_usage, usage);
	if (!container || container->has_all_memory) {
		memory_file_usage(&memory);
		usage->memory = memory.resident;
		return;
	}
	usage->memory = oom_container_usage(container, &worst);
	if (worst)
		thread_group_put(worst);
}
