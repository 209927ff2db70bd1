/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sysfs (sysfs(5)): the root of the tree, and its mounts.
 *
 * Differs from Linux: there is what programs look for, and nothing of it can be written.
 */
#include "sentry/fs/sys/sys.h"

#include "abi/statfs.h"
#include "sentry/fs/sys/sys_tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOT_INODE 1

const struct proc_directory sys_empty_directory;

int sys_show_text(const struct proc_context *context, struct text_writer *out)
{
	const char *text = (const char *)context->entry->data;

	text_append(out, text, strlen(text));
	return 0;
}

int sys_parse_numbered(const char *name, const char *prefix, int count)
{
	size_t length = strlen(prefix);
	int number = strncmp(name, prefix, length) == 0 ? proc_parse_number(name + length) : -1;

	return number < count ? number : -1;
}

int sys_iterate_numbered(
	struct file *file, struct dir_context *context, const char *prefix, int count, uint8_t type)
{
	int64_t first = context->position - PROC_DYNAMIC_POSITION;

	for (int64_t number = first; number < count; number++) {
		char name[32];
		int size = snprintf(name, sizeof(name), "%s%d", prefix, (int)number);

		if (!context->emit(context, name, (size_t)size, PROC_DYNAMIC_POSITION + number + 1,
			    proc_child_ino(file->inode, name), type))
			break;
	}
	return 0;
}

/* --- the tree --- */

static const struct proc_entry clocksource0_entries[] = {
	SYS_TEXT("available_clocksource", "tsc"),
	SYS_TEXT("current_clocksource", "tsc"),
};
static PROC_DIRECTORY(clocksource0_directory, clocksource0_entries);

static const struct proc_entry clocksource_entries[] = {
	SYS_DIRECTORY("clocksource0", &clocksource0_directory)};
static PROC_DIRECTORY(clocksource_directory, clocksource_entries);

static const struct proc_entry system_entries[] = {
	SYS_DIRECTORY("clocksource", &clocksource_directory),
	SYS_DIRECTORY("cpu", &sys_processors_directory),
	SYS_DIRECTORY("node", &sys_nodes_directory),
};
static PROC_DIRECTORY(system_directory, system_entries);

static const struct proc_entry devices_entries[] = {
	SYS_DIRECTORY("system", &system_directory),
	SYS_DIRECTORY("virtual", &sys_virtual_directory),
};
static PROC_DIRECTORY(devices_directory, devices_entries);

static const struct proc_entry dev_entries[] = {
	SYS_EMPTY("block"),
	SYS_EMPTY("char"),
};
static PROC_DIRECTORY(dev_directory, dev_entries);

static const struct proc_entry root_entries[] = {
	SYS_EMPTY("block"),
	SYS_EMPTY("bus"),
	SYS_DIRECTORY("class", &sys_class_directory),
	SYS_DIRECTORY("dev", &dev_directory),
	SYS_DIRECTORY("devices", &devices_directory),
	SYS_EMPTY("firmware"),
	SYS_DIRECTORY("fs", &sys_fs_directory),
	SYS_DIRECTORY("kernel", &sys_kernel_directory),
	SYS_EMPTY("module"),
};
static PROC_DIRECTORY(root_directory, root_entries);

static const struct proc_entry root_entry = {
	.name = "/", .mode = LINUX_S_IFDIR | 0555, .directory = &root_directory};

/* --- mounts --- */

static void sys_super_release(struct super_block *sb)
{
	free(sb->private);
}

static int sys_statfs(struct super_block *sb, struct linux_statfs *out)
{
	*out = (struct linux_statfs){
		.f_type = LINUX_SYSFS_MAGIC,
		.f_bsize = PAGE_SIZE,
		.f_frsize = PAGE_SIZE,
		.f_namelen = 255,
	};
	return 0;
}

static const struct super_operations sys_super_operations = {
	.inode_release = proc_inode_release,
	.super_release = sys_super_release,
	.statfs = sys_statfs,
};

static int sys_fill(struct super_block *sb)
{
	struct proc_super *super = calloc(1, sizeof(*super));
	struct inode *root;
	int error;

	if (!super)
		return -ENOMEM;
	super->block_size = super->file_size = PAGE_SIZE;
	sb->private = super;
	sb->no_name_cache = sb->no_negative_cache = sb->inodes_are_fleeting = true;
	error = proc_inode_new(sb, ROOT_INODE, &root_entry, NULL, false, 0, &root);
	return error ? error : super_block_set_root(sb, root);
}

static int sys_mount(const struct file_system_type *type, const char *source, unsigned long flags,
	const char *options, struct super_block **out)
{
	struct super_block *sb;
	int error = super_block_new(type, &sys_super_operations, LINUX_SYSFS_MAGIC, &sb);

	if (error)
		return error;
	error = sys_fill(sb);
	if (error)
		super_block_put(sb);
	else
		*out = sb;
	return error;
}

static const struct file_system_type sys_type = {
	.name = "sysfs",
	.needs_no_device = true,
	.mount = sys_mount,
};

void sys_register(void)
{
	file_system_register(&sys_type);
}
