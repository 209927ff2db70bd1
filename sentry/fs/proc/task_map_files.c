/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/map_files (proc_pid_map_files(5)): a link for each mapping of a file, named by its
 * addresses.
 *
 * As in fd, a name is looked up under a lock that forbids to let go of memory: so every pair of
 * addresses leads to an inode, and whether a file is mapped there is seen when that is used.
 */
#include "sentry/fs/proc/task_files.h"

#include "abi/capability.h"
#include "abi/dirent.h"
#include "abi/stat.h"
#include "sentry/fs/proc/file_link.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/mm.h"
#include "sentry/vfs/path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SIZE 40

/* The file that is mapped there, with a reference, if the caller may know. */
static int get_file(struct inode *inode, struct file **out)
{
	const struct proc_node *node = proc_node_of(inode);
	struct task *task = proc_node_task(node);
	int error = task ? proc_check_access(task, PROC_ACCESS_READ_AT_READ, false) : -ENOENT;
	struct mm *mm = error ? NULL : task_get_mm(task);
	struct vma_info info;

	task_put(task);
	if (error)
		return error;
	error = -ENOENT;
	if (mm && mm_next_vma(mm, node->start, false, &info)) {
		if (info.file && info.start == node->start && info.end == node->end) {
			*out = info.file;
			error = 0;
		} else if (info.file) {
			file_put(info.file);
		}
	}
	mm_put(mm);
	return error;
}

static int map_follow(struct inode *inode, struct path *out)
{
	struct file *file;
	int error;

	if (current && !cred_capable(current->cred, LINUX_CAP_CHECKPOINT_RESTORE) &&
		!cred_capable(current->cred, LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	error = get_file(inode, &file);
	return error ? error : file_link_follow(file, out);
}

static int64_t map_readlink(struct inode *inode, char *buffer, size_t size)
{
	struct file *file;
	int error = get_file(inode, &file);

	return error ? error : file_link_read(file, buffer, size);
}

static int map_getattr(struct inode *inode)
{
	uint32_t permissions;
	struct file *file;
	int error = get_file(inode, &file);

	if (error)
		return error;
	permissions = (file->mode & FILE_READ ? 0400u : 0) | (file->mode & FILE_WRITE ? 0200u : 0);
	file_put(file);
	file_link_set_mode(inode, permissions);
	return 0;
}

static const struct inode_operations map_operations = {
	.readlink = map_readlink,
	.follow = map_follow,
	.getattr = map_getattr,
	.setattr = proc_setattr,
};

static const struct proc_entry map_entry = {
	.mode = LINUX_S_IFLNK | 0400, .inode_ops = &map_operations};

/* --- the directory --- */

static void write_name(char name[NAME_SIZE], uint64_t start, uint64_t end)
{
	(void)snprintf(name, NAME_SIZE, "%lx-%lx", start, end);
}

static int map_lookup(struct inode *directory, const char *text, struct inode **out)
{
	const struct proc_node *node = proc_node_of(directory);
	char name[NAME_SIZE], *rest;
	uint64_t start = strtoul(text, &rest, 16);
	uint64_t end = *rest == '-' ? strtoul(rest + 1, NULL, 16) : 0;
	int error;

	/* One way of writing it alone. */
	write_name(name, start, end);
	if (strcmp(name, text) != 0)
		return -ENOENT;
	error = proc_inode_new(directory->sb, proc_child_ino(directory, text), &map_entry,
		node->pid, node->process, 0, out);
	if (error)
		return error;
	proc_node_of(*out)->start = start;
	proc_node_of(*out)->end = end;
	return 0;
}

/* Positions are pages: the end of the mapping that was told last. */
static int map_iterate(struct file *file, struct dir_context *context)
{
	struct task *task = proc_node_task(proc_node_of(file->inode));
	uint64_t at = (uint64_t)(context->position - PROC_DYNAMIC_POSITION) << PAGE_SHIFT;
	int error = task ? proc_check_access(task, PROC_ACCESS_READ_AT_OPEN, true) : -ENOENT;
	struct mm *mm = error ? NULL : task_get_mm(task);
	struct vma_info info;
	bool more = mm;

	for (; more && mm_next_vma(mm, at, false, &info); at = info.end) {
		char name[NAME_SIZE];

		if (!info.file)
			continue;
		file_put(info.file);
		write_name(name, info.start, info.end);
		more = context->emit(context, name, strlen(name),
			PROC_DYNAMIC_POSITION + (int64_t)(info.end >> PAGE_SHIFT),
			proc_child_ino(file->inode, name), LINUX_DT_LNK);
	}
	mm_put(mm);
	task_put(task);
	return error;
}

const struct proc_directory task_map_files_directory = {
	.lookup = map_lookup, .iterate = map_iterate};

static int directory_lookup(struct inode *directory, const char *name, struct inode **out)
{
	return proc_task_inode_operations.lookup(directory, name, out);
}

const struct inode_operations task_map_files_operations = {
	.lookup = directory_lookup,
	.create = proc_create,
	.getattr = proc_task_getattr,
	.setattr = proc_setattr,
	.permission = task_fd_permission,
};
