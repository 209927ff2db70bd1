/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/sys/kernel's limits of System V IPC: those of the caller's ipc namespace. */
#include "sentry/fs/proc/sysctl.h"
#include "sentry/kernel/ipc_namespace.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define IDS_MAX 32768 /* as many as there are ids */

static uint64_t most_of(enum ipc_limit limit)
{
	switch (limit) {
	case IPC_SHMALL:
	case IPC_SHMMAX:
		return UINT64_MAX;
	case IPC_SHM_RMID_FORCED:
		return 1;
	case IPC_MSGMNI:
	case IPC_SEMMNI:
	case IPC_SHMMNI:
		return IDS_MAX;
	default:
		return INT32_MAX;
	}
}

/* The number at *text, which moves behind it and the spaces there. */
static int parse(const char **text, uint64_t most, uint64_t *out)
{
	char *end;

	*text += strspn(*text, " \t\n");
	if (**text < '0' || **text > '9')
		return -EINVAL;
	errno = 0;
	*out = strtoull(*text, &end, 0);
	if (errno || *out > most || !strchr(" \t\n", *end))
		return -EINVAL;
	*text = end + strspn(end, " \t\n");
	return 0;
}

int sysctl_show_ipc(const struct proc_context *context, struct text_writer *out)
{
	if (!current)
		return -ESRCH;
	text_printf(out, "%llu\n",
		(unsigned long long)ipc_limit(
			ipc_namespace_of(current), (enum ipc_limit)context->entry->data));
	return 0;
}

int64_t sysctl_store_ipc(const struct proc_context *context, const char *text, size_t size)
{
	const enum ipc_limit limit = (enum ipc_limit)context->entry->data;
	uint64_t value;

	if (parse(&text, most_of(limit), &value) || *text)
		return -EINVAL;
	ipc_limit_set(ipc_namespace_of(current), limit, value);
	return (int64_t)size;
}

int sysctl_show_semaphores(const struct proc_context *context, struct text_writer *out)
{
	if (!current)
		return -ESRCH;
	for (int limit = IPC_SEMMSL; limit <= IPC_SEMMNI; limit++)
		text_printf(out, "%llu%c",
			(unsigned long long)ipc_limit(
				ipc_namespace_of(current), (enum ipc_limit)limit),
			limit == IPC_SEMMNI ? '\n' : '\t');
	return 0;
}

/* Up to four numbers; those that are not there stay. */
int64_t sysctl_store_semaphores(const struct proc_context *context, const char *text, size_t size)
{
	uint64_t values[4];
	int count = 0;

	for (; count < 4 && (!count || *text); count++) {
		if (parse(&text, most_of((enum ipc_limit)(IPC_SEMMSL + count)), &values[count]))
			return -EINVAL;
	}
	for (int i = 0; i < count; i++)
		ipc_limit_set(
			ipc_namespace_of(current), (enum ipc_limit)(IPC_SEMMSL + i), values[i]);
	return (int64_t)size;
}
