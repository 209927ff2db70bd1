/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/sys: its root, and numbers and texts of any of its parts. */
#include "sentry/fs/proc/sysctl.h"

#include "sentry/fs/proc/root_files.h"

#include <errno.h>
#include <string.h>

int sysctl_show_number(const struct proc_context *context, struct text_writer *out)
{
	struct sysctl_number *number = (struct sysctl_number *)context->entry->data;

	text_printf(out, "%lld\n", (long long)atomic_load(&number->value));
	return 0;
}

int64_t sysctl_store_number(const struct proc_context *context, const char *text, size_t size)
{
	struct sysctl_number *number = (struct sysctl_number *)context->entry->data;
	int64_t value, error = proc_parse_integer(text, number->least, number->most, &value);

	if (error)
		return error;
	atomic_store(&number->value, value);
	return (int64_t)size;
}

int sysctl_show_text(const struct proc_context *context, struct text_writer *out)
{
	const char *text = (const char *)context->entry->data;

	text_append(out, text, strlen(text));
	return 0;
}

static const struct proc_entry entries[] = {
	SYSCTL_DIRECTORY("fs", &sysctl_fs_directory),
	SYSCTL_DIRECTORY("kernel", &sysctl_kernel_directory),
	SYSCTL_DIRECTORY("net", &sysctl_net_directory),
	SYSCTL_DIRECTORY("user", &sysctl_user_directory),
	SYSCTL_DIRECTORY("vm", &sysctl_vm_directory),
};

const struct proc_directory sysctl_directory = {.entries = entries, .count = array_count(entries)};
