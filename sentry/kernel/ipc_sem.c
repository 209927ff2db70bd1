/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System V semaphores (semget(2), semop(2), semctl(2)).
 *
 * Who waits leaves its operations in the array's queue; whoever changes a value carries out those
 * that can go on, in order.
 *
 * Differs from Linux: all arrays of the sandbox together have at most SEMAPHORES_TOTAL_MAX
 * semaphores (ENOSPC).
 */
#include "abi/sched.h"
#include "base/cleanup.h"
#include "sentry/kernel/ipc_private.h"
#include "sentry/kernel/task.h"

#include <bsd/sys/queue.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SEMAPHORES_TOTAL_MAX (1u << 20)

struct semaphore {
	uint16_t value;
	int pid; /* of who changed it last */
};

/* On the stack of who waits; guarded by the IPC lock. */
struct sem_wait {
	TAILQ_ENTRY(sem_wait) link;
	struct task *task;
	const struct linux_sembuf *operations;
	size_t count;
	const struct linux_sembuf *blocking; /* the operation that cannot go on */
	bool done;
	int result;
};

struct sem_array {
	struct ipc_object object;
	TAILQ_HEAD(, sem_wait) waiting;
	LIST_HEAD(, sem_undo) undos;
	int64_t operated; /* seconds */
	unsigned int count;
	struct semaphore semaphores[];
};

/* What a process's end adds to each semaphore of one array. */
struct sem_undo {
	LIST_ENTRY(sem_undo) list_link, array_link;
	struct sem_array *array; /* borrowed: the array's removal frees this */
	int adjust[];
};

/* Shared by CLONE_SYSVSEM. */
struct sem_undo_list {
	struct refcount refs;
	LIST_HEAD(, sem_undo) undos;
};

REFCOUNT_TYPE(undo_list_refs, "sem_undo_list");
static unsigned int g_semaphores; /* the IPC lock */

static struct sem_array *array_of(struct ipc_object *object)
{
	return container_of(object, struct sem_array, object);
}

/* The process's number in its own namespace. */
static int thread_group_number(const struct thread_group *group)
{
	return group->pid->numbers[group->pid->level].number;
}

/* --- operations --- */

static struct sem_undo *undo_find(const struct task *task, const struct sem_array *array)
{
	struct sem_undo *undo;

	if (!task->sem_undo)
		return NULL;
	LIST_FOREACH (undo, &task->sem_undo->undos, list_link) {
		if (undo->array == array)
			return undo;
	}
	return NULL;
}

/* 1: done. 0: one of them must wait (*blocking). -ERANGE; -EAGAIN for IPC_NOWAIT. Nothing is
 * changed unless all are done. */
static int operations_try(struct sem_array *array, struct task *task,
	const struct linux_sembuf *operations, size_t count, const struct linux_sembuf **blocking)
{
	struct sem_undo *undo = undo_find(task, array);
	int result = 1;
	size_t done;

	for (done = 0; done < count; done++) {
		const struct linux_sembuf *operation = &operations[done];
		struct semaphore *semaphore = &array->semaphores[operation->sem_num];
		int value = semaphore->value + operation->sem_op;

		if ((operation->sem_op == 0 && semaphore->value) || value < 0) {
			*blocking = operation;
			result = operation->sem_flg & LINUX_IPC_NOWAIT ? -EAGAIN : 0;
			break;
		}
		if (value > LINUX_SEMVMX) {
			result = -ERANGE;
			break;
		}
		if ((operation->sem_flg & LINUX_SEM_UNDO) && undo) {
			int adjust = undo->adjust[operation->sem_num] - operation->sem_op;

			if (adjust < -LINUX_SEMAEM - 1 || adjust > LINUX_SEMAEM) {
				result = -ERANGE;
				break;
			}
			undo->adjust[operation->sem_num] = adjust;
		}
		semaphore->value = (uint16_t)value;
	}
	if (result == 1) {
		for (size_t i = 0; i < count; i++)
			array->semaphores[operations[i].sem_num].pid =
				thread_group_number(task->group);
		array->operated = ipc_now_seconds();
		return 1;
	}
	while (done-- > 0) {
		array->semaphores[operations[done].sem_num].value -=
			(uint16_t)operations[done].sem_op;
		if ((operations[done].sem_flg & LINUX_SEM_UNDO) && undo)
			undo->adjust[operations[done].sem_num] += operations[done].sem_op;
	}
	return result;
}

/* Ends a wait. Its owner sees that only after the lock is free again. */
static void wait_finish(struct sem_array *array, struct sem_wait *wait, int result)
{
	TAILQ_REMOVE(&array->waiting, wait, link);
	wait->done = true;
	wait->result = result;
	task_wake(wait->task);
}

/* Values changed: carries out what can go on now, until nothing can. */
static void waits_update(struct sem_array *array)
{
	struct sem_wait *wait, *next;
	bool again = true;

	while (again) {
		again = false;
		TAILQ_FOREACH_SAFE (wait, &array->waiting, link, next) {
			int result = operations_try(
				array, wait->task, wait->operations, wait->count, &wait->blocking);

			if (result == 0)
				continue;
			wait_finish(array, wait, result == 1 ? 0 : result);
			again = result == 1;
			if (again)
				break;
		}
	}
}

/* --- undo --- */

static void undo_free(struct sem_undo *undo)
{
	LIST_REMOVE(undo, list_link);
	LIST_REMOVE(undo, array_link);
	free(undo);
}

static bool undo_list_make(struct task *task)
{
	if (task->sem_undo)
		return true;
	task->sem_undo = calloc(1, sizeof(*task->sem_undo));
	if (!task->sem_undo)
		return false;
	refcount_init(&task->sem_undo->refs, &undo_list_refs);
	LIST_INIT(&task->sem_undo->undos);
	return true;
}

/* Makes sure that the process has a place to note what to undo. */
static int undo_prepare(struct task *task, struct sem_array *array)
{
	struct sem_undo *undo;

	if (!undo_list_make(task))
		return -ENOMEM;
	if (undo_find(task, array))
		return 0;
	undo = calloc(1, sizeof(*undo) + array->count * sizeof(undo->adjust[0]));
	if (!undo)
		return -ENOMEM;
	undo->array = array;
	LIST_INSERT_HEAD(&task->sem_undo->undos, undo, list_link);
	LIST_INSERT_HEAD(&array->undos, undo, array_link);
	return 0;
}

static void undo_apply(struct task *task, struct sem_undo *undo)
{
	struct sem_array *array = undo->array;

	for (unsigned int i = 0; i < array->count; i++) {
		int value = array->semaphores[i].value + undo->adjust[i];

		if (!undo->adjust[i])
			continue;
		array->semaphores[i].value = (uint16_t)(value < 0	       ? 0
							: value > LINUX_SEMVMX ? LINUX_SEMVMX
									       : value);
		array->semaphores[i].pid = thread_group_number(task->group);
	}
	array->operated = ipc_now_seconds();
	undo_free(undo);
	waits_update(array);
}

/* The last user of a list ends: everything in it is undone. */
static void undo_list_leave(struct task *task)
{
	struct sem_undo_list *list = task->sem_undo;
	struct sem_undo *undo;

	if (!list)
		return;
	mutex_guard(&g_ipc_lock);
	task->sem_undo = NULL;
	if (!refcount_put(&list->refs))
		return;
	while ((undo = LIST_FIRST(&list->undos)))
		undo_apply(task, undo);
	free(list);
}

static void undo_list_fork(struct task *parent, struct task *child, uint64_t clone_flags)
{
	if (!(clone_flags & LINUX_CLONE_SYSVSEM))
		return;
	mutex_guard(&g_ipc_lock);
	/* Shared from now on, even if there is nothing in it yet. */
	if (!undo_list_make(parent))
		return;
	refcount_get(&parent->sem_undo->refs);
	child->sem_undo = parent->sem_undo;
}

void ipc_sem_unshare(struct task *task)
{
	undo_list_leave(task);
}

__attribute__((constructor)) static void sem_init_hooks(void)
{
	task_add_leave_hook(undo_list_leave);
	task_add_fork_hook(undo_list_fork);
}

/* --- arrays --- */

static void array_destroy(struct ipc_object *object)
{
	free(array_of(object));
}

static void array_on_remove(struct ipc_object *object)
{
	struct sem_array *array = array_of(object);
	struct sem_wait *wait;
	struct sem_undo *undo;

	while ((undo = LIST_FIRST(&array->undos)))
		undo_free(undo);
	while ((wait = TAILQ_FIRST(&array->waiting)))
		wait_finish(array, wait, -EIDRM);
	g_semaphores -= array->count;
	*ipc_used(object->ns, IPC_SEMAPHORES) -= array->count;
}

static int array_create(struct task *task, const struct ipc_get *get, struct ipc_object **out)
{
	struct ipc_namespace *ns = ipc_namespace_of(task);
	uint64_t *used = ipc_used(ns, IPC_SEMAPHORES);
	struct sem_array *array;

	if (get->size == 0)
		return -EINVAL;
	if (g_semaphores + get->size > SEMAPHORES_TOTAL_MAX ||
		*used + get->size > ipc_limit(ns, IPC_SEMMNS))
		return -ENOSPC;
	array = calloc(1, sizeof(*array) + get->size * sizeof(array->semaphores[0]));
	if (!array)
		return -ENOMEM;
	TAILQ_INIT(&array->waiting);
	LIST_INIT(&array->undos);
	array->count = (unsigned int)get->size;
	array->object.destroy = array_destroy;
	array->object.on_remove = array_on_remove;
	g_semaphores += array->count;
	*used += array->count;
	*out = &array->object;
	return 0;
}

static int array_check(struct ipc_object *object, const struct ipc_get *get)
{
	return get->size > array_of(object)->count ? -EINVAL : 0;
}

int64_t ipc_semget(struct task *task, int key, int count, int flags)
{
	const struct ipc_get get = {
		.kind = IPC_SEMAPHORES,
		.key = key,
		.flags = flags,
		.maximum = (unsigned int)ipc_limit(ipc_namespace_of(task), IPC_SEMMNI),
		.create = array_create,
		.check = array_check,
		.size = (uint64_t)count,
	};

	if (count < 0 || (uint64_t)count > ipc_limit(ipc_namespace_of(task), IPC_SEMMSL))
		return -EINVAL;
	return ipc_get(task, &get);
}

/* --- semop(2) --- */

/* Looks the array up and tries: 1 done, 0 the wait was queued. */
static int semop_begin(struct task *task, int id, struct sem_wait *wait, struct sem_array **out)
{
	struct ipc_object *object;
	struct sem_array *array;
	bool alters = false, undoes = false;
	int result = ipc_find(task, IPC_SEMAPHORES, id, &object);

	if (result)
		return result;
	array = array_of(object);
	for (size_t i = 0; i < wait->count; i++) {
		if (wait->operations[i].sem_num >= array->count)
			return -EFBIG;
		alters |= wait->operations[i].sem_op != 0;
		undoes |= wait->operations[i].sem_op != 0 &&
			  (wait->operations[i].sem_flg & LINUX_SEM_UNDO);
	}
	result = ipc_check_access(task, object, alters ? 0222 : 0444);
	if (!result && undoes)
		result = undo_prepare(task, array);
	if (result)
		return result;
	result = operations_try(array, task, wait->operations, wait->count, &wait->blocking);
	if (result == 1 && alters)
		waits_update(array);
	if (result)
		return result;
	TAILQ_INSERT_TAIL(&array->waiting, wait, link);
	(void)ipc_object_get(object);
	*out = array;
	return 0;
}

int64_t ipc_semop(struct task *task, int id, const struct linux_sembuf *operations, size_t count,
	int64_t deadline_ns)
{
	struct sem_wait wait = {.task = task, .operations = operations, .count = count};
	struct sem_array *array;
	int error;

	mutex_lock(&g_ipc_lock);
	error = semop_begin(task, id, &wait, &array);
	mutex_unlock(&g_ipc_lock);
	if (error)
		return error == 1 ? 0 : error;
	for (;;) {
		error = task_block(task, deadline_ns);
		mutex_lock(&g_ipc_lock);
		if (wait.done || error)
			break;
		mutex_unlock(&g_ipc_lock);
	}
	if (wait.done)
		error = wait.result;
	else
		TAILQ_REMOVE(&array->waiting, &wait, link);
	ipc_object_put(&array->object);
	mutex_unlock(&g_ipc_lock);
	if (error == -ETIMEDOUT)
		return -EAGAIN;
	return error == -ERESTARTSYS ? -EINTR : error;
}

/* --- semctl(2) --- */

static unsigned int count_waiting(const struct sem_array *array, unsigned int number, bool for_zero)
{
	const struct sem_wait *wait;
	unsigned int count = 0;

	TAILQ_FOREACH (wait, &array->waiting, link) {
		if (wait->blocking && wait->blocking->sem_num == number &&
			(wait->blocking->sem_op == 0) == for_zero)
			count++;
	}
	return count;
}

static void undo_forget(struct sem_array *array, unsigned int number)
{
	struct sem_undo *undo;

	LIST_FOREACH (undo, &array->undos, array_link) {
		undo->adjust[number] = 0;
	}
}

static int64_t control_one(
	struct task *task, struct sem_array *array, int number, int command, int value)
{
	struct semaphore *semaphore;
	int error = ipc_check_access(task, &array->object, command == LINUX_SETVAL ? 0222 : 0444);

	if (error)
		return error;
	if (number < 0 || (unsigned int)number >= array->count)
		return -EINVAL;
	semaphore = &array->semaphores[number];
	switch (command) {
	case LINUX_GETVAL:
		return semaphore->value;
	case LINUX_GETPID:
		return semaphore->pid;
	case LINUX_GETNCNT:
		return count_waiting(array, (unsigned int)number, false);
	case LINUX_GETZCNT:
		return count_waiting(array, (unsigned int)number, true);
	default:
		if (value < 0 || value > LINUX_SEMVMX)
			return -ERANGE;
		semaphore->value = (uint16_t)value;
		semaphore->pid = thread_group_number(task->group);
		array->object.changed = ipc_now_seconds();
		undo_forget(array, (unsigned int)number);
		waits_update(array);
		return 0;
	}
}

/* GETALL and SETALL copy outside the lock: the size is asked for first, and checked again. */
static int64_t control_all(struct task *task, int id, int command, gaddr_t argument)
{
	auto_free uint16_t *values = NULL;
	struct ipc_object *object;
	struct sem_array *array;
	unsigned int count;
	int error;

	mutex_lock(&g_ipc_lock);
	error = ipc_find(task, IPC_SEMAPHORES, id, &object);
	count = error ? 0 : array_of(object)->count;
	mutex_unlock(&g_ipc_lock);
	if (error)
		return error;
	values = calloc(count, sizeof(*values));
	if (!values)
		return -ENOMEM;
	if (command == LINUX_SETALL &&
		mm_copy_in(task->mm, values, argument, count * sizeof(*values)))
		return -EFAULT;
	mutex_lock(&g_ipc_lock);
	error = ipc_find(task, IPC_SEMAPHORES, id, &object);
	if (!error && array_of(object)->count != count)
		error = -EIDRM;
	if (!error)
		error = ipc_check_access(task, object, command == LINUX_SETALL ? 0222 : 0444);
	for (unsigned int i = 0; !error && i < count; i++) {
		array = array_of(object);
		if (command == LINUX_GETALL)
			values[i] = array->semaphores[i].value;
		else if (values[i] > LINUX_SEMVMX)
			error = -ERANGE;
	}
	if (!error && command == LINUX_SETALL) {
		array = array_of(object);
		for (unsigned int i = 0; i < count; i++) {
			array->semaphores[i].value = values[i];
			array->semaphores[i].pid = thread_group_number(task->group);
			undo_forget(array, i);
		}
		array->object.changed = ipc_now_seconds();
		waits_update(array);
	}
	mutex_unlock(&g_ipc_lock);
	if (!error && command == LINUX_GETALL)
		error = mm_copy_out(task->mm, argument, values, count * sizeof(*values));
	return error;
}

static int64_t control_stat(struct task *task, int id, int command, gaddr_t argument)
{
	struct linux_semid64_ds status = {0};
	struct ipc_object *object;
	int64_t result;
	int error;

	mutex_lock(&g_ipc_lock);
	error = command == LINUX_IPC_STAT ? ipc_find(task, IPC_SEMAPHORES, id, &object)
					  : ipc_find_index(task, IPC_SEMAPHORES, id, &object);
	if (!error && command != LINUX_SEM_STAT_ANY)
		error = ipc_check_access(task, object, 0444);
	if (!error) {
		ipc_perm_show(task, object, &status.sem_perm);
		status.sem_otime = array_of(object)->operated;
		status.sem_ctime = object->changed;
		status.sem_nsems = array_of(object)->count;
	}
	result = error ? error : command == LINUX_IPC_STAT ? 0 : object->id;
	mutex_unlock(&g_ipc_lock);
	if (!error && mm_copy_out(task->mm, argument, &status, sizeof(status)))
		return -EFAULT;
	return result;
}

static int64_t control_info(struct task *task, int command, gaddr_t argument)
{
	struct ipc_namespace *ns = ipc_namespace_of(task);
	struct linux_seminfo info = {
		.semmap = LINUX_SEMMNS,
		.semmni = (int)ipc_limit(ns, IPC_SEMMNI),
		.semmns = (int)ipc_limit(ns, IPC_SEMMNS),
		.semmnu = LINUX_SEMMNS,
		.semmsl = (int)ipc_limit(ns, IPC_SEMMSL),
		.semopm = (int)ipc_limit(ns, IPC_SEMOPM),
		.semume = LINUX_SEMOPM,
		.semusz = 20,
		.semvmx = LINUX_SEMVMX,
		.semaem = LINUX_SEMAEM,
	};
	int highest;

	mutex_lock(&g_ipc_lock);
	highest = ipc_highest_index(ns, IPC_SEMAPHORES);
	if (command == LINUX_SEM_INFO) {
		info.semusz = (int)ipc_count(ns, IPC_SEMAPHORES);
		info.semaem = 0;
		for (int i = 0; i <= highest; i++) {
			struct ipc_object *object = ipc_at(ns, IPC_SEMAPHORES, i);

			info.semaem += object ? (int)array_of(object)->count : 0;
		}
	}
	mutex_unlock(&g_ipc_lock);
	if (mm_copy_out(task->mm, argument, &info, sizeof(info)))
		return -EFAULT;
	return highest < 0 ? 0 : highest;
}

static int64_t control_object(struct task *task, int id, int command, gaddr_t argument)
{
	struct linux_semid64_ds status;
	struct ipc_object *object;
	int error;

	if (command == LINUX_IPC_SET && mm_copy_in(task->mm, &status, argument, sizeof(status)))
		return -EFAULT;
	mutex_guard(&g_ipc_lock);
	error = ipc_find(task, IPC_SEMAPHORES, id, &object);
	if (!error)
		error = ipc_check_owner(task, object);
	if (error)
		return error;
	if (command == LINUX_IPC_SET)
		return ipc_perm_set(task, object, &status.sem_perm);
	ipc_remove(object);
	return 0;
}

int64_t ipc_semctl(struct task *task, int id, int number, int command, uint64_t argument)
{
	struct ipc_object *object;
	int64_t error;

	if (id < 0)
		return -EINVAL;
	switch (command) {
	case LINUX_IPC_INFO:
	case LINUX_SEM_INFO:
		return control_info(task, command, argument);
	case LINUX_IPC_STAT:
	case LINUX_SEM_STAT:
	case LINUX_SEM_STAT_ANY:
		return control_stat(task, id, command, argument);
	case LINUX_GETALL:
	case LINUX_SETALL:
		return control_all(task, id, command, argument);
	case LINUX_IPC_SET:
	case LINUX_IPC_RMID:
		return control_object(task, id, command, argument);
	case LINUX_GETVAL:
	case LINUX_GETPID:
	case LINUX_GETNCNT:
	case LINUX_GETZCNT:
	case LINUX_SETVAL:
		break;
	default:
		return -EINVAL;
	}
	mutex_guard(&g_ipc_lock);
	error = ipc_find(task, IPC_SEMAPHORES, id, &object);
	return error ? error : control_one(task, array_of(object), number, command, (int)argument);
}
