/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/PID/ns (namespaces(7)): links to the namespaces that a process is in. */
#include "sentry/fs/proc/task_files.h"

#include "abi/dirent.h"
#include "abi/stat.h"
#include "sentry/kernel/nsfs.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/path.h"

#include <errno.h>
#include <string.h>

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
	int error = get_task(inode, &task);

	if (error)
		return error;
	error = nsfs_path(task, &nsfs_kinds[proc_node_of(inode)->number], out);
	task_put(task);
	/* It has none of that kind, or none any more. */
	return error == -ESRCH ? -ENOENT : error;
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
	return number ? nsfs_link_text(kind, number, buffer, size) : -ENOENT;
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
