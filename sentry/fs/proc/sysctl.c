/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/sys: its root, and numbers and texts of any of its parts. */
#include "sentry/fs/proc/sysctl.h"

#include "sentry/fs/proc/root_files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int sysctl_permission(struct inode *inode, const struct cred *cred, unsigned int mask)
{
	uint32_t bits = inode->attributes.mode;

	if (!cred)
		return 0;
	if (cred->euid == 0)
		bits >>= 6;
	else if (cred->egid == 0 || cred_in_group(cred, 0))
		bits >>= 3;
	return mask & ~bits & 7 ? -EACCES : 0;
}

const struct inode_operations sysctl_inode_operations = {
	.setattr = proc_setattr,
	.permission = sysctl_permission,
	.open = proc_file_open,
};

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

int sysctl_show_pair(const struct proc_context *context, struct text_writer *out)
{
	struct sysctl_number *pair = (struct sysctl_number *)context->entry->data;

	text_printf(out, "%lld\t%lld\n", (long long)atomic_load(&pair[0].value),
		(long long)atomic_load(&pair[1].value));
	return 0;
}

int64_t sysctl_store_pair(const struct proc_context *context, const char *text, size_t size)
{
	struct sysctl_number *pair = (struct sysctl_number *)context->entry->data;
	char first[32], second[32];
	int64_t low, high, error;

	if (sscanf(text, " %31s %31s", first, second) != 2)
		return -EINVAL;
	error = proc_parse_integer(first, pair->least, pair->most, &low);
	if (!error)
		error = proc_parse_integer(second, pair->least, pair->most, &high);
	if (error)
		return error;
	atomic_store(&pair[0].value, low);
	atomic_store(&pair[1].value, high);
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
