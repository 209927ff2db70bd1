/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/ns (namespaces(7)): links to the namespaces that a process is in.
 *
 * Where such a link leads is a file system of its own each time, with one inode that keeps the
 * namespace; all of them have the same device number, so that two links to one namespace lead to
 * the same device and inode as on Linux.
 */
#include "sentry/fs/proc/namespace_file.h"
#include "sentry/fs/proc/task_files.h"

#include "abi/dirent.h"
#include "abi/sched.h"
#include "abi/stat.h"
#include "abi/statfs.h"
#include "sentry/kernel/nsfs.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/mount.h"
#include "sentry/vfs/path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NSFS_DEVICE LINUX_MAKEDEV(0, 4)

/* --- where they lead --- */

static int ns_open(struct inode *inode, struct file *file)
{
	if (file->mode & FILE_WRITE)
		return -EPERM;
	file->mode &= ~(unsigned int)FILE_SEEKABLE;
	return nsfs_reopen(inode->private, file);
}

static const struct inode_operations ns_inode_operations = {
	.open = ns_open, .setattr = proc_setattr};

static void ns_inode_release(struct inode *inode)
{
	if (inode->private)
		file_put(inode->private);
}

static const struct super_operations ns_super_operations = {.inode_release = ns_inode_release};
static const struct file_system_type ns_type = {.name = "nsfs", .needs_no_device = true};

static const char *kind_name(uint64_t flag)
{
	for (size_t i = 0; i < nsfs_kind_count; i++)
		if (nsfs_kinds[i].flag == flag && !nsfs_kinds[i].for_children)
			return nsfs_kinds[i].name;
	return "unknown";
}

bool namespace_file_name(const struct file *file, char *buffer, size_t size)
{
	uint64_t flag = 0;

	if (file->inode->sb->type != &ns_type || !file->inode->private)
		return false;
	(void)nsfs_namespace(file->inode->private, &flag);
	(void)snprintf(buffer, size, "%s:[%lu]", kind_name(flag), file->inode->attributes.ino);
	return true;
}

/* Consumes the file, also on failure. */
static int make_root(struct super_block *sb, struct file *held)
{
	struct inode *inode;
	int error = inode_new(sb, LINUX_S_IFREG | 0444, &ns_inode_operations, NULL, &inode);

	if (error) {
		file_put(held);
		return error;
	}
	inode->private = held;
	inode->attributes.ino = held->inode->attributes.ino;
	return super_block_set_root(sb, inode);
}

static int make_path(struct file *held, struct path *out)
{
	struct super_block *sb;
	struct mount *mount;
	int error = super_block_new(&ns_type, &ns_super_operations, LINUX_NSFS_MAGIC, &sb);

	if (error) {
		file_put(held);
		return error;
	}
	sb->dev = NSFS_DEVICE;
	sb->no_name_cache = true;
	error = make_root(sb, held);
	if (!error)
		error = mount_new(sb, sb->root, "nsfs", 0, &mount);
	if (!error) {
		/* The mount holds the super block from now on. */
		*out = (struct path){mount, dentry_get(sb->root)};
	}
	super_block_put(sb);
	return error;
}

/* --- the links --- */

static int get_task(struct inode *inode, struct task **out)
{
	struct task *task = proc_node_task(proc_node_of(inode));
	int error = task ? proc_check_access(task, PROC_ACCESS_READ_AT_READ, false) : -EACCES;

	if (error)
		task_put(task);
	else
		*out = task;
	return error;
}

static int ns_follow(struct inode *inode, struct path *out)
{
	struct task *task;
	struct file *held;
	int error = get_task(inode, &task);

	if (error)
		return error;
	error = nsfs_open(task, &nsfs_kinds[proc_node_of(inode)->number], &held);
	task_put(task);
	/* It has none of that kind, or none any more. */
	if (error == -ESRCH)
		return -ENOENT;
	return error ? error : make_path(held, out);
}

static int64_t ns_readlink(struct inode *inode, char *buffer, size_t size)
{
	const struct nsfs_kind *kind = &nsfs_kinds[proc_node_of(inode)->number];
	struct task *task;
	int error = get_task(inode, &task);
	uint64_t number;

	if (error)
		return error;
	number = nsfs_inode(task, kind);
	task_put(task);
	return number ? snprintf(buffer, size, "%s:[%lu]", kind_name(kind->flag), number) : -ENOENT;
}

static const struct inode_operations link_operations = {
	.readlink = ns_readlink,
	.follow = ns_follow,
	.getattr = proc_task_getattr,
	.setattr = proc_setattr,
};

static const struct proc_entry link_entry = {
	.mode = LINUX_S_IFLNK | 0777, .inode_ops = &link_operations};

static int ns_lookup(struct inode *directory, const char *name, struct inode **out)
{
	const struct proc_node *node = proc_node_of(directory);

	for (size_t i = 0; i < nsfs_kind_count; i++)
		if (strcmp(nsfs_kinds[i].name, name) == 0)
			return proc_inode_new(directory->sb, proc_child_ino(directory, name),
				&link_entry, node->pid, node->process, (int)i, out);
	return -ENOENT;
}

static int ns_iterate(struct file *file, struct dir_context *context)
{
	size_t first = (size_t)(context->position - PROC_DYNAMIC_POSITION);
	struct task *task = proc_node_task(proc_node_of(file->inode));

	for (size_t i = first; task && i < nsfs_kind_count; i++) {
		const char *name = nsfs_kinds[i].name;

		if (nsfs_inode(task, &nsfs_kinds[i]) &&
			!context->emit(context, name, strlen(name),
				PROC_DYNAMIC_POSITION + (int64_t)i + 1,
				proc_child_ino(file->inode, name), LINUX_DT_LNK))
			break;
	}
	task_put(task);
	return task ? 0 : -ENOENT;
}

const struct proc_directory task_ns_directory = {.lookup = ns_lookup, .iterate = ns_iterate};
