/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of file systems: registered at start, before there are tasks, and never removed. */
#include "base/log.h"
#include "sentry/vfs/inode.h"

#include <string.h>

#define FILE_SYSTEMS_MAX 32

static const struct file_system_type *types[FILE_SYSTEMS_MAX];
static size_t type_count;

void file_system_register(const struct file_system_type *type)
{
	panic_if(type_count == FILE_SYSTEMS_MAX, "too many kinds of file systems");
	types[type_count++] = type;
}

const struct file_system_type *file_system_find(const char *name)
{
	for (size_t i = 0; i < type_count; i++)
		if (!strcmp(types[i]->name, name))
			return types[i];
	return NULL;
}

const struct file_system_type *file_system_at(size_t index)
{
	return index < type_count ? types[index] : NULL;
}
