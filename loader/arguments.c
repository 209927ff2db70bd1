/* SPDX-License-Identifier: Apache-2.0 */
/*
 * argv and envp on their way into a new program, within the limits that Linux sets (execve(2)): 128
 * KiB a string, and for all strings and their pointers a quarter of the stack's limit, at most 6
 * MiB.
 */
#include "loader/loader.h"

#include "base/compiler.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int take_budget(struct loader_arguments *arguments, size_t size)
{
	if (size > LINUX_MAX_ARG_STRLEN || size > arguments->budget)
		return -E2BIG;
	arguments->budget -= size;
	return 0;
}

static int strings_reserve(struct loader_strings *strings, size_t size)
{
	size_t capacity = strings->capacity ? strings->capacity : 1024;
	char *bytes;

	if (strings->capacity - strings->size >= size)
		return 0;
	while (capacity - strings->size < size)
		capacity *= 2;
	bytes = realloc(strings->bytes, capacity);
	if (!bytes)
		return -ENOMEM;
	strings->bytes = bytes;
	strings->capacity = capacity;
	return 0;
}

int loader_arguments_init(struct loader_arguments *arguments, uint64_t stack_rlimit, size_t argc,
	size_t envc, const char *path)
{
	uint64_t limit = max_u64(min_u64(LINUX_MAX_ARG_SIZE, stack_rlimit / 4), LINUX_ARG_MAX);
	int error;

	*arguments = (struct loader_arguments){0};
	if (argc > LINUX_MAX_ARG_STRINGS || envc > LINUX_MAX_ARG_STRINGS)
		return -E2BIG;
	if ((max_u64(argc, 1) + envc) * sizeof(uint64_t) >= limit)
		return -E2BIG;
	arguments->budget = limit - (max_u64(argc, 1) + envc) * sizeof(uint64_t);
	error = take_budget(arguments, strlen(path) + 1);
	if (error)
		return error;
	arguments->path = strdup(path);
	if (!arguments->path)
		return -ENOMEM;
	error = argc ? 0 : loader_arguments_add(arguments, &arguments->argv, "", 0);
	if (error)
		loader_arguments_free(arguments);
	return error;
}

void loader_arguments_free(struct loader_arguments *arguments)
{
	free(arguments->argv.bytes);
	free(arguments->envp.bytes);
	free(arguments->path);
	*arguments = (struct loader_arguments){0};
}

int loader_arguments_room(struct loader_arguments *arguments, struct loader_strings *strings,
	size_t size, char **room)
{
	int error;

	if (size > LINUX_MAX_ARG_STRLEN || !arguments->budget)
		return -E2BIG;
	error = strings_reserve(strings, size);
	if (error)
		return error;
	*room = strings->bytes + strings->size;
	return 0;
}

int loader_arguments_commit(
	struct loader_arguments *arguments, struct loader_strings *strings, size_t length)
{
	int error;

	if (length >= strings->capacity - strings->size)
		return -E2BIG;
	error = take_budget(arguments, length + 1);
	if (error)
		return error;
	strings->bytes[strings->size + length] = '\0';
	strings->size += length + 1;
	strings->count++;
	return 0;
}

int loader_arguments_add(struct loader_arguments *arguments, struct loader_strings *strings,
	const char *string, size_t length)
{
	char *room;
	int error;

	if (length >= LINUX_MAX_ARG_STRLEN)
		return -E2BIG;
	error = loader_arguments_room(arguments, strings, length + 1, &room);
	if (error)
		return error;
	memcpy(room, string, length);
	return loader_arguments_commit(arguments, strings, length);
}

/* Puts a string in front of argv. */
static int argv_prepend(struct loader_arguments *arguments, const char *string)
{
	struct loader_strings *argv = &arguments->argv;
	const size_t size = strlen(string) + 1;
	int error = take_budget(arguments, size);

	if (!error)
		error = strings_reserve(argv, size);
	if (error)
		return error;
	memmove(argv->bytes + size, argv->bytes, argv->size);
	memcpy(argv->bytes, string, size);
	argv->size += size;
	argv->count++;
	return 0;
}

int loader_arguments_script(
	struct loader_arguments *arguments, const struct loader_script *script, const char *path)
{
	struct loader_strings *argv = &arguments->argv;
	int error;

	if (argv->count) {
		const size_t size = strlen(argv->bytes) + 1;

		memmove(argv->bytes, argv->bytes + size, argv->size - size);
		argv->size -= size;
		argv->count--;
		arguments->budget += size;
	}
	error = argv_prepend(arguments, path);
	if (!error && script->has_argument)
		error = argv_prepend(arguments, script->argument);
	if (!error)
		error = argv_prepend(arguments, script->interpreter);
	return error;
}
