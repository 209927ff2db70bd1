/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/fd and fdinfo (proc_pid_fd(5)).
 *
 * A name is looked up with the directory's lock held, under which a descriptor table cannot be let
 * go of: so every number leads to an inode, and whether it is open is seen when that is used.
 * Differs from Linux in what O_PATH | O_NOFOLLOW opens.
 */
#include "sentry/fs/proc/task_files.h"

#include "abi/dirent.h"
#include "abi/fcntl.h"
#include "abi/limits.h"
#include "abi/stat.h"
#include "sentry/fs/proc/file_link.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/file_lock.h"
#include "sentry/vfs/mount.h"
#include "sentry/vfs/path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The file behind an inode of fd or fdinfo, with a reference. */
static int get_file(struct inode *inode, struct file **out)
{
	const struct proc_node *node = proc_node_of(inode);
	struct task *task = proc_node_task(node);
	struct fd_table *files = task ? task_get_files(task) : NULL;

	*out = files ? fd_get_path_too(files, node->number) : NULL;
	fd_table_put(files);
	task_put(task);
	return *out ? 0 : -ENOENT;
}

static int check_link(struct inode *inode)
{
	struct task *task = proc_node_task(proc_node_of(inode));
	int error = task ? proc_check_access(task, PROC_ACCESS_READ_AT_READ, false) : -ENOENT;

	task_put(task);
	return error;
}

/* --- links --- */

static int fd_follow(struct inode *inode, struct path *out)
{
	int error = check_link(inode);
	struct file *file;

	if (!error)
		error = get_file(inode, &file);
	return error ? error : file_link_follow(file, out);
}

static int64_t fd_readlink(struct inode *inode, char *buffer, size_t size)
{
	int error = check_link(inode);
	struct file *file;

	if (!error)
		error = get_file(inode, &file);
	return error ? error : file_link_read(file, buffer, size);
}

static int fd_getattr(struct inode *inode)
{
	struct file *file;
	uint32_t permissions = 0;
	int error = get_file(inode, &file);

	if (error)
		return error;
	if (file->mode & (FILE_READ | FILE_PATH))
		permissions |= 0500;
	if (file->mode & (FILE_WRITE | FILE_PATH))
		permissions |= 0300;
	file_put(file);
	file_link_set_mode(inode, permissions);
	return 0;
}

static const struct inode_operations fd_operations = {
	.readlink = fd_readlink,
	.follow = fd_follow,
	.getattr = fd_getattr,
	.setattr = proc_setattr,
};

static const struct proc_entry fd_entry = {
	.mode = LINUX_S_IFLNK | 0700, .inode_ops = &fd_operations};

/* --- fdinfo --- */

/* Whether it is closed on exec is the descriptor's own business. */
static uint32_t flags_of(const struct proc_context *context, const struct file *file)
{
	struct fd_table *files = task_get_files(context->task);
	uint32_t flags = file->flags & ~(uint32_t)LINUX_O_CLOEXEC;

	if (files && fd_get_flags(files, context->number) == LINUX_FD_CLOEXEC)
		flags |= LINUX_O_CLOEXEC;
	fd_table_put(files);
	return flags;
}

static int show_fdinfo(const struct proc_context *context, struct text_writer *out)
{
	struct file *file;
	int error = get_file(context->file->inode, &file);
	int64_t position;

	if (error)
		return error;
	mutex_lock(&file->lock);
	position = file->position;
	mutex_unlock(&file->lock);
	if (file->mode & FILE_STREAM)
		position = 0;
	text_printf(out, "pos:\t%lld\nflags:\t0%o\nmnt_id:\t%d\nino:\t%lu\n", (long long)position,
		flags_of(context, file), file->path.mount->id, file->inode->attributes.ino);
	if (file->ops && file->ops->show_fdinfo)
		file->ops->show_fdinfo(file, out);
	file_put(file);
	return 0;
}

static int fdinfo_getattr(struct inode *inode)
{
	struct file *file;
	int error = get_file(inode, &file);

	if (error)
		return error;
	file_put(file);
	return proc_task_getattr(inode);
}

static int fdinfo_open(struct inode *inode, struct file *file)
{
	struct file *described;
	int error = get_file(inode, &described);

	if (error)
		return error;
	file_put(described);
	return proc_file_open(inode, file);
}

static const struct inode_operations fdinfo_operations = {
	.getattr = fdinfo_getattr,
	.setattr = proc_setattr,
	.open = fdinfo_open,
};

static const struct proc_entry fdinfo_entry = {
	.mode = LINUX_S_IFREG | 0444,
	.inode_ops = &fdinfo_operations,
	.file_ops = &proc_text_file_operations,
	.show = show_fdinfo,
	.access = PROC_ACCESS_READ_AT_OPEN,
};

/* --- the directories --- */

/* Descriptors of one directory must not get the numbers of those of the other. */
static uint64_t descriptor_ino(const struct inode *directory, int number)
{
	char name[16];

	(void)snprintf(name, sizeof(name), "%d", number);
	return proc_child_ino(directory, name);
}

static int lookup(struct inode *directory, const char *name, const struct proc_entry *entry,
	struct inode **out)
{
	const struct proc_node *node = proc_node_of(directory);
	int number = proc_parse_number(name);

	if (number < 0 || number >= LINUX_NR_OPEN)
		return -ENOENT;
	return proc_inode_new(directory->sb, descriptor_ino(directory, number), entry, node->pid,
		node->process, number, out);
}

static int fd_lookup(struct inode *directory, const char *name, struct inode **out)
{
	return lookup(directory, name, &fd_entry, out);
}

static int fdinfo_lookup(struct inode *directory, const char *name, struct inode **out)
{
	return lookup(directory, name, &fdinfo_entry, out);
}

static int iterate(struct file *file, struct dir_context *context, uint8_t type)
{
	struct task *task = proc_node_task(proc_node_of(file->inode));
	struct fd_table *files = task ? task_get_files(task) : NULL;
	int64_t first = context->position - PROC_DYNAMIC_POSITION;
	int fd = files && first < LINUX_NR_OPEN ? fd_next(files, (int)first, NULL) : -1;

	for (; fd >= 0; fd = fd_next(files, fd + 1, NULL)) {
		char name[16];
		int size = snprintf(name, sizeof(name), "%d", fd);

		if (!context->emit(context, name, (size_t)size,
			    PROC_DYNAMIC_POSITION + (int64_t)fd + 1,
			    descriptor_ino(file->inode, fd), type))
			break;
	}
	fd_table_put(files);
	task_put(task);
	return task ? 0 : -ENOENT;
}

static int fd_iterate(struct file *file, struct dir_context *context)
{
	return iterate(file, context, LINUX_DT_LNK);
}

static int fdinfo_iterate(struct file *file, struct dir_context *context)
{
	return iterate(file, context, LINUX_DT_REG);
}

/* A process sees its own descriptors whoever it has become meanwhile. */
int task_fd_permission(struct inode *inode, const struct cred *cred, unsigned int mask)
{
	int error = proc_task_permission(inode, cred, mask);
	struct task *task;

	if (!error || !current)
		return error;
	task = proc_node_task(proc_node_of(inode));
	if (task && task->group == current->group)
		error = 0;
	task_put(task);
	return error;
}

/* How many are open is the size of fd, since Linux 6.2. */
static int fd_directory_getattr(struct inode *inode)
{
	struct task *task = proc_node_task(proc_node_of(inode));
	struct fd_table *files = task ? task_get_files(task) : NULL;
	uint64_t count = 0;

	for (int fd = files ? fd_next(files, 0, NULL) : -1; fd >= 0;
		fd = fd_next(files, fd + 1, NULL))
		count++;
	fd_table_put(files);
	task_put(task);
	mutex_lock(&inode->lock);
	inode->attributes.size = count;
	mutex_unlock(&inode->lock);
	return proc_task_getattr(inode);
}

static int fd_directory_lookup(struct inode *directory, const char *name, struct inode **out)
{
	return proc_task_inode_operations.lookup(directory, name, out);
}

const struct inode_operations task_fd_directory_operations = {
	.lookup = fd_directory_lookup,
	.create = proc_create,
	.getattr = fd_directory_getattr,
	.setattr = proc_setattr,
	.permission = task_fd_permission,
};

/* Whoever may not look at the process may not search there, whatever the mode says. */
static int fdinfo_permission(struct inode *inode, const struct cred *cred, unsigned int mask)
{
	struct task *task;
	int error;

	/* Names are made with the directory locked, and cannot be made here anyway. */
	if (mask & 2)
		return proc_task_permission(inode, cred, mask);
	task = proc_node_task(proc_node_of(inode));
	error = task ? proc_check_access(task, PROC_ACCESS_READ_AT_OPEN, true) : -ESRCH;
	task_put(task);
	return error ? error : proc_task_permission(inode, cred, mask);
}

const struct inode_operations task_fdinfo_directory_operations = {
	.lookup = fd_directory_lookup,
	.create = proc_create,
	.getattr = proc_task_getattr,
	.setattr = proc_setattr,
	.permission = fdinfo_permission,
};

const struct proc_directory task_fd_directory = {.lookup = fd_lookup, .iterate = fd_iterate};
const struct proc_directory task_fdinfo_directory = {
	.lookup = fdinfo_lookup, .iterate = fdinfo_iterate};
