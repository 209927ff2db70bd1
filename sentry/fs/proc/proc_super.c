/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts of proc: options, the root directory, and whose process numbers it shows. */
#include "sentry/fs/proc/proc.h"

#include "abi/stat.h"
#include "abi/statfs.h"
#include "sentry/fs/proc/proc_fs.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOT_INODE 1
#define BLOCK_SIZE 1024

static void proc_super_release(struct super_block *sb)
{
	struct proc_super *super = sb->private;

	if (!super)
		return;
	pid_namespace_put(super->pid_ns);
	free(super);
}

static void proc_show_options(struct super_block *sb, char *buffer, size_t size)
{
	static const char *const names[] = {
		[PROC_HIDE_NO_ACCESS] = ",hidepid=noaccess",
		[PROC_HIDE_INVISIBLE] = ",hidepid=invisible",
		[PROC_HIDE_NOT_PTRACEABLE] = ",hidepid=ptraceable",
	};
	const struct proc_super *super = sb->private;
	char gid[24] = "";

	if (super->gid)
		(void)snprintf(gid, sizeof(gid), ",gid=%u", super->gid);
	(void)snprintf(buffer, size, "%s%s%s", gid, super->hide ? names[super->hide] : "",
		super->subset_pid ? ",subset=pid" : "");
}

static bool parse_hide(const char *value, enum proc_hide *hide)
{
	static const struct {
		const char *name;
		enum proc_hide hide;
	} names[] = {
		{"off", PROC_HIDE_OFF},
		{"0", PROC_HIDE_OFF},
		{"noaccess", PROC_HIDE_NO_ACCESS},
		{"1", PROC_HIDE_NO_ACCESS},
		{"invisible", PROC_HIDE_INVISIBLE},
		{"2", PROC_HIDE_INVISIBLE},
		{"ptraceable", PROC_HIDE_NOT_PTRACEABLE},
		{"4", PROC_HIDE_NOT_PTRACEABLE},
	};

	for (size_t i = 0; i < array_count(names); i++) {
		if (strcmp(names[i].name, value) == 0) {
			*hide = names[i].hide;
			return true;
		}
	}
	return false;
}

static bool parse_gid(const char *value, uint32_t *gid)
{
	char *end;
	unsigned long number = strtoul(value, &end, 10);

	if (end == value || *end || number >= UINT32_MAX)
		return false;
	*gid = current ? user_namespace_make_gid(current->cred->user_ns, (uint32_t)number)
		       : (uint32_t)number;
	return *gid != UINT32_MAX;
}

static int parse_options(struct proc_super *super, const char *options)
{
	char copy[256], *save = NULL;

	if (!options)
		return 0;
	if (strlen(options) >= sizeof(copy))
		return -EINVAL;
	strcpy(copy, options);
	for (char *word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		bool known = false;

		if (strncmp(word, "hidepid=", 8) == 0)
			known = parse_hide(word + 8, &super->hide);
		else if (strncmp(word, "gid=", 4) == 0)
			known = parse_gid(word + 4, &super->gid);
		else if (strcmp(word, "subset=pid") == 0)
			known = super->subset_pid = true;
		if (!known)
			return -EINVAL;
	}
	return 0;
}

static int proc_remount(struct super_block *sb, unsigned long flags, const char *options)
{
	struct proc_super changed = *(struct proc_super *)sb->private;
	int error = parse_options(&changed, options);

	if (!error)
		*(struct proc_super *)sb->private = changed;
	return error;
}

static int proc_statfs(struct super_block *sb, struct linux_statfs *out)
{
	*out = (struct linux_statfs){
		.f_type = LINUX_PROC_SUPER_MAGIC,
		.f_bsize = PAGE_SIZE,
		.f_frsize = PAGE_SIZE,
		.f_namelen = 255,
	};
	return 0;
}

static const struct super_operations proc_super_operations = {
	.inode_release = proc_inode_release,
	.super_release = proc_super_release,
	.statfs = proc_statfs,
	.show_options = proc_show_options,
	.remount = proc_remount,
};

static int proc_fill(struct super_block *sb, const char *options)
{
	struct proc_super *super = calloc(1, sizeof(*super));
	struct inode *root;
	int error;

	if (!super)
		return -ENOMEM;
	super->pid_ns =
		pid_namespace_get(current ? task_pid_namespace(current) : g_tasks.root_pid_ns);
	super->block_size = BLOCK_SIZE;
	sb->private = super;
	sb->no_name_cache = sb->no_negative_cache = sb->inodes_are_fleeting = true;
	error = parse_options(super, options);
	if (!error)
		error = proc_inode_new(sb, ROOT_INODE, &proc_root_entry, NULL, false, 0, &root);
	return error ? error : super_block_set_root(sb, root);
}

static int proc_mount(const struct file_system_type *type, const char *source, unsigned long flags,
	const char *options, struct super_block **out)
{
	struct super_block *sb;
	int error = super_block_new(type, &proc_super_operations, LINUX_PROC_SUPER_MAGIC, &sb);

	if (error)
		return error;
	error = proc_fill(sb, options);
	if (error)
		super_block_put(sb);
	else
		*out = sb;
	return error;
}

static const struct file_system_type proc_type = {
	.name = "proc",
	.needs_no_device = true,
	.mount = proc_mount,
};

struct pid *proc_directory_pid(const struct file *file)
{
	const struct proc_node *node;

	if (file->inode->sb->type != &proc_type)
		return NULL;
	node = proc_node_of(file->inode);
	return node->entry == &proc_process_entry ? pid_get(node->pid) : NULL;
}

void proc_register(void)
{
	file_system_register(&proc_type);
}
