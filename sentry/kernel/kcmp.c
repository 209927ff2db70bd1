/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kcmp(2): whether two processes share a file, memory, or what else clone(2) can share.
 *
 * Differs from Linux: each thread has an I/O context of its own.
 */
#include "sentry/kernel/kcmp.h"

#include "abi/kcmp.h"
#include "sentry/fs/anon/epoll.h"
#include "sentry/kernel/ptrace.h"
#include "sentry/kernel/random.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/file.h"

#include <errno.h>

/* Addresses are shuffled by two numbers of each sort of object, so that the order of two says
 * nothing of them. */
static uint64_t shuffle(const void *pointer, int type)
{
	static _Atomic uint64_t cookies[LINUX_KCMP_EPOLL_TFD + 1][2];
	uint64_t value = (uint64_t)(uintptr_t)pointer, none;

	for (int i = 0; i < 2; i++) {
		none = 0;
		(void)!atomic_compare_exchange_strong(&cookies[type][i], &none, random_u64() | 1);
	}
	return (value ^ cookies[type][0]) * cookies[type][1];
}

static int64_t compare(const void *first, const void *second, int type)
{
	uint64_t a = shuffle(first, type), b = shuffle(second, type);

	return a == b ? 0 : a < b ? 1 : 2;
}

/* A reference, O_PATH files too; NULL: no such descriptor. */
static struct file *file_of(struct task *task, int fd)
{
	struct fd_table *table = task_get_files(task);
	struct file *file = table ? fd_get_path_too(table, fd) : NULL;

	if (table)
		fd_table_put(table);
	return file;
}

static int64_t compare_files(struct file *a, struct file *b)
{
	int64_t result = a && b ? compare(a, b, LINUX_KCMP_FILE) : -EBADF;

	if (a)
		file_put(a);
	if (b)
		file_put(b);
	return result;
}

/* A descriptor of first's with what an epoll instance of second's watches. */
static int64_t compare_watched(
	struct task *task, struct task *first, struct task *second, uint64_t fd, gaddr_t address)
{
	struct linux_kcmp_epoll_slot slot;
	struct file *epoll, *watched = NULL;
	int64_t result = mm_copy_in(task->mm, &slot, address, sizeof(slot));

	if (result)
		return result;
	epoll = file_of(second, (int)slot.efd);
	if (!epoll)
		return -EBADF;
	if (file_is_epoll(epoll))
		watched = epoll_target(epoll, (int)slot.tfd, slot.toff);
	result = watched		? compare_files(file_of(first, (int)fd), watched)
		 : file_is_epoll(epoll) ? -ENOENT
					: -EINVAL;
	file_put(epoll);
	return result;
}

/* The pointers are compared and never followed. */
static int64_t compare_tasks(struct task *a, struct task *b, int type)
{
	switch (type) {
	case LINUX_KCMP_VM:
		return compare(a->mm, b->mm, type);
	case LINUX_KCMP_FILES:
		return compare(a->files, b->files, type);
	case LINUX_KCMP_FS:
		return compare(a->fs, b->fs, type);
	case LINUX_KCMP_SIGHAND:
		return compare(a->sighand, b->sighand, type);
	case LINUX_KCMP_IO:
		return compare(a, b, type);
	case LINUX_KCMP_SYSVSEM:
		return compare(a->sem_undo, b->sem_undo, type);
	default:
		return -EINVAL;
	}
}

int64_t task_kcmp(struct task *task, int first, int second, int type, uint64_t first_index,
	uint64_t second_index)
{
	const unsigned int mode = PTRACE_ACCESS_READ | PTRACE_ACCESS_REALCREDS;
	struct task *a = task_find(task, first), *b = task_find(task, second);
	int64_t result = -ESRCH;

	if (a && b) {
		result = ptrace_may_access(task, a, mode);
		if (!result)
			result = ptrace_may_access(task, b, mode);
		if (!result && type == LINUX_KCMP_FILE)
			result = compare_files(
				file_of(a, (int)first_index), file_of(b, (int)second_index));
		else if (!result && type == LINUX_KCMP_EPOLL_TFD)
			result = compare_watched(task, a, b, first_index, second_index);
		else if (!result)
			result = compare_tasks(a, b, type);
	}
	task_put(a);
	task_put(b);
	return result;
}
