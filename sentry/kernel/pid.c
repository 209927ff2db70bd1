/* SPDX-License-Identifier: Apache-2.0 */
/* Process ids: numbers in each namespace, given out in rising order as Linux does. */
#include "sentry/kernel/pid.h"

#include "abi/limits.h"
#include "base/log.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <stdlib.h>

REFCOUNT_TYPE(pid_refs, "pid");

/* After the numbers wrapped, the first ones stay with what started early. */
#define PID_RESERVED 300

static atomic_ulong next_pidfd_ino = 1;

static int pid_number_compare(const struct pid_number *a, const struct pid_number *b)
{
	return a->number < b->number ? -1 : a->number > b->number;
}

RB_GENERATE_INTERNAL(pid_number_tree, pid_number, node, pid_number_compare, unused_ static)

struct pid *pid_get(struct pid *pid)
{
	refcount_get(&pid->refs);
	return pid;
}

void pid_put(struct pid *pid)
{
	struct pid_namespace *ns;

	if (!pid || !refcount_put(&pid->refs))
		return;
	ns = pid->numbers[pid->level].ns;
	wait_queue_destroy(&pid->exit_queue);
	free(pid);
	pid_namespace_put(ns);
}

int pid_number_in(const struct pid *pid, const struct pid_namespace *ns)
{
	if (!pid || ns->level > pid->level || pid->numbers[ns->level].ns != ns)
		return 0;
	return pid->numbers[ns->level].number;
}

static struct pid_number *number_find(struct pid_namespace *ns, int number)
{
	struct pid_number key = {.number = number};

	return RB_FIND(pid_number_tree, &ns->numbers, &key);
}

struct pid *pid_find_locked(struct pid_namespace *ns, int number)
{
	struct pid_number *found;

	mutex_assert_held(&g_tasks.lock);
	found = number > 0 ? number_find(ns, number) : NULL;
	return found ? pid_get(found->pid) : NULL;
}

struct pid *pid_find(struct pid_namespace *ns, int number)
{
	mutex_guard(&g_tasks.lock);
	return pid_find_locked(ns, number);
}

struct pid *pid_next(struct pid_namespace *ns, int number)
{
	struct pid_number *found;

	mutex_guard(&g_tasks.lock);
	found = pid_number_next_locked(ns, number);
	return found ? pid_get(found->pid) : NULL;
}

struct pid_number *pid_number_next_locked(struct pid_namespace *ns, int number)
{
	struct pid_number key = {.number = number};

	return RB_NFIND(pid_number_tree, &ns->numbers, &key);
}

/* The first free number of [from, end), or 0. */
static int number_free_from(struct pid_namespace *ns, int from, int end)
{
	struct pid_number *used = pid_number_next_locked(ns, from);

	for (; used && used->number == from; used = RB_NEXT(pid_number_tree, &ns->numbers, used))
		from++;
	return from < end ? from : 0;
}

static int number_choose(struct pid_namespace *ns)
{
	int number = number_free_from(ns, ns->last_pid + 1, LINUX_PID_MAX_DEFAULT);

	if (!number)
		number = number_free_from(ns, PID_RESERVED, LINUX_PID_MAX_DEFAULT);
	return number ? number : -EAGAIN;
}

/* A number of the caller's own wish: -EEXIST, -EINVAL. */
static int number_choose_wanted(struct pid_namespace *ns, int wanted)
{
	if (wanted < 1 || wanted >= LINUX_PID_MAX_DEFAULT)
		return -EINVAL;
	if (wanted != 1 && !ns->init)
		return -EINVAL;
	return number_find(ns, wanted) ? -EEXIST : wanted;
}

static int number_take(struct pid *pid, struct pid_namespace *ns, int wanted)
{
	struct pid_number *entry = &pid->numbers[ns->level];
	int number = wanted ? number_choose_wanted(ns, wanted) : number_choose(ns);

	if (number < 0)
		return number;
	*entry = (struct pid_number){.number = number, .pid = pid, .ns = ns};
	RB_INSERT(pid_number_tree, &ns->numbers, entry);
	if (!wanted)
		ns->last_pid = number;
	ns->count++;
	return 0;
}

static void number_drop(struct pid_number *entry)
{
	if (!entry->pid)
		return;
	RB_REMOVE(pid_number_tree, &entry->ns->numbers, entry);
	entry->ns->count--;
	entry->pid = NULL;
}

static struct pid *pid_new(struct pid_namespace *ns)
{
	struct pid *pid = calloc(1, sizeof(*pid) + (ns->level + 1) * sizeof(pid->numbers[0]));

	if (!pid)
		return NULL;
	refcount_init(&pid->refs, &pid_refs);
	pid->level = ns->level;
	pid->numbers[pid->level].ns = pid_namespace_get(ns);
	LIST_INIT(&pid->group_members);
	LIST_INIT(&pid->session_members);
	wait_queue_init(&pid->exit_queue);
	pid->ino = atomic_fetch_add(&next_pidfd_ino, 1);
	return pid;
}

int pid_allocate_locked(
	struct pid_namespace *ns, const int *wanted, size_t wanted_count, struct pid **out)
{
	struct pid *pid;
	int err = 0;

	mutex_assert_held(&g_tasks.lock);
	if (wanted_count > ns->level + 1)
		return -EINVAL;
	if (ns->dying)
		return -ENOMEM;
	pid = pid_new(ns);
	if (!pid)
		return -ENOMEM;
	/* wanted[0] is the innermost namespace's, as clone3(2) has it. */
	for (struct pid_namespace *at = ns; at && !err; at = at->parent) {
		size_t index = ns->level - at->level;

		err = number_take(pid, at, index < wanted_count ? wanted[index] : 0);
	}
	if (err) {
		pid_release_numbers_locked(pid);
		pid_put(pid);
		return err;
	}
	*out = pid;
	return 0;
}

void pid_release_numbers_locked(struct pid *pid)
{
	mutex_assert_held(&g_tasks.lock);
	for (unsigned int level = 0; level <= pid->level; level++)
		number_drop(&pid->numbers[level]);
}

void pid_release_if_unused_locked(struct pid *pid)
{
	if (!pid->task && !pid->group && LIST_EMPTY(&pid->group_members) &&
		LIST_EMPTY(&pid->session_members))
		pid_release_numbers_locked(pid);
}
