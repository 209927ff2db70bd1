/* SPDX-License-Identifier: Apache-2.0 */
/* execve(2), execveat(2). */
#include "sentry/kernel/exec.h"

#include "abi/fcntl.h"
#include "abi/limits.h"
#include "sentry/kernel/rlimit.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/vfs/path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POINTERS_AT_ONCE 32

/* How many strings an array of guest pointers holds; 0 for no array. */
static int64_t count_strings(struct task *task, gaddr_t array)
{
	uint64_t pointers[POINTERS_AT_ONCE];
	int64_t count = 0;

	if (!array)
		return 0;
	for (;;) {
		gaddr_t address = array + (uint64_t)count * sizeof(uint64_t);
		/* Not beyond the page: what lies there need not be mapped. */
		size_t room = (PAGE_SIZE - (address & ~PAGE_MASK)) / sizeof(uint64_t);
		size_t piece = min_u64(POINTERS_AT_ONCE, room ? room : 1);

		if (mm_copy_in(task->mm, pointers, address, piece * sizeof(uint64_t)))
			return -EFAULT;
		for (size_t i = 0; i < piece; i++) {
			if (!pointers[i])
				return count + (int64_t)i;
		}
		count += (int64_t)piece;
		if (count >= LINUX_MAX_ARG_STRINGS)
			return -E2BIG;
	}
}

static int add_string(struct task *task, struct loader_arguments *arguments,
	struct loader_strings *strings, gaddr_t from)
{
	/* Most strings are short: little room is asked for first. */
	for (size_t size = 256;; size = LINUX_MAX_ARG_STRLEN) {
		int64_t length;
		char *room;
		int err = loader_arguments_room(arguments, strings, size, &room);

		if (err)
			return err;
		length = mm_copy_in_string(task->mm, room, from, size);
		if (length >= 0)
			return loader_arguments_commit(arguments, strings, (size_t)length);
		if (length != -ENAMETOOLONG)
			return (int)length;
		if (size == LINUX_MAX_ARG_STRLEN)
			return -E2BIG;
	}
}

static int add_strings(struct task *task, struct loader_arguments *arguments,
	struct loader_strings *strings, gaddr_t array, size_t count)
{
	int err = 0;

	for (size_t i = 0; i < count && !err; i++) {
		uint64_t from;

		if (mm_copy_in(task->mm, &from, array + i * sizeof(from), sizeof(from)))
			return -EFAULT;
		err = from ? add_string(task, arguments, strings, from) : -EFAULT;
	}
	return err;
}

/* What AT_EXECFN and #! interpreters get as the program's name. */
static void name_program(char *path, size_t size, int dirfd, const char *name)
{
	if (dirfd == LINUX_AT_FDCWD || name[0] == '/')
		(void)snprintf(path, size, "%s", name);
	else if (!name[0])
		(void)snprintf(path, size, "/dev/fd/%d", dirfd);
	else
		(void)snprintf(path, size, "/dev/fd/%d/%s", dirfd, name);
}

static int64_t exec_with(
	struct task *task, struct exec_request *request, gaddr_t argv, gaddr_t envp)
{
	int64_t argc = count_strings(task, argv),
		envc = argc < 0 ? argc : count_strings(task, envp);
	struct loader_arguments arguments;
	char path[LINUX_PATH_MAX + 32];
	int64_t result;

	if (envc < 0)
		return envc;
	name_program(path, sizeof(path), request->dirfd, request->name);
	result = loader_arguments_init(&arguments, rlimit_of(task->group, LINUX_RLIMIT_STACK),
		(size_t)argc, (size_t)envc, path);
	if (result)
		return result;
	result = add_strings(task, &arguments, &arguments.argv, argv, (size_t)argc);
	if (!result)
		result = add_strings(task, &arguments, &arguments.envp, envp, (size_t)envc);
	request->arguments = &arguments;
	if (!result)
		result = task_exec(task, request);
	loader_arguments_free(&arguments);
	return result;
}

static int64_t exec(
	struct task *task, int dirfd, gaddr_t name, gaddr_t argv, gaddr_t envp, int flags)
{
	struct exec_request request = {.dirfd = dirfd, .flags = flags};
	char *path = malloc(LINUX_PATH_MAX);
	int64_t result;

	if (!path)
		return -ENOMEM;
	result = path_copy_in(task, name, path);
	if (!result && !path[0] && !(flags & LINUX_AT_EMPTY_PATH))
		result = -ENOENT;
	request.name = path;
	if (!result)
		result = exec_with(task, &request, argv, envp);
	free(path);
	return result;
}

int64_t sys_execve(struct task *task, const uint64_t args[6])
{
	return exec(task, LINUX_AT_FDCWD, args[0], args[1], args[2], 0);
}

int64_t sys_execveat(struct task *task, const uint64_t args[6])
{
	int flags = (int)args[4];

	if (flags & ~(LINUX_AT_EMPTY_PATH | LINUX_AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	return exec(task, (int)args[0], args[1], args[2], args[3], flags);
}
