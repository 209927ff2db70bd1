/* SPDX-License-Identifier: Apache-2.0 */
/* The links exe, cwd and root of /proc/PID: they lead to the place itself, not to a name. */
#include "sentry/fs/proc/task_files.h"

#include "sentry/kernel/task.h"
#include "sentry/vfs/path.h"

#include <errno.h>

/* The task behind a link, with a reference, if the caller may follow it. */
static int get_target(struct inode *inode, struct task **out)
{
	struct task *task = proc_node_task(proc_node_of(inode));
	int error;

	if (!task)
		return -ENOENT;
	error = proc_check_access(task, PROC_ACCESS_READ_AT_READ, false);
	if (error)
		task_put(task);
	else
		*out = task;
	return error;
}

static int exe_follow(struct inode *inode, struct path *out)
{
	struct task *task;
	int error = get_target(inode, &task);
	struct file *file;
	struct mm *mm;

	if (error)
		return error;
	mm = task_get_mm(task);
	file = mm ? mm_get_exe_file(mm) : NULL;
	error = file ? file_path(file, out) : -ENOENT;
	if (file)
		file_put(file);
	mm_put(mm);
	task_put(task);
	return error;
}

static int place_follow(
	struct inode *inode, struct path *out, void (*get)(struct fs_struct *fs, struct path *out))
{
	struct fs_struct *fs;
	struct task *task;
	int error = get_target(inode, &task);

	if (error)
		return error;
	fs = task_get_fs(task);
	task_put(task);
	if (!fs)
		return -ENOENT;
	get(fs, out);
	fs_struct_put(fs);
	return 0;
}

static int cwd_follow(struct inode *inode, struct path *out)
{
	return place_follow(inode, out, fs_struct_pwd);
}

static int root_follow(struct inode *inode, struct path *out)
{
	return place_follow(inode, out, fs_struct_root);
}

#define LINK_OPERATIONS(follow_)                                                                   \
	{                                                                                          \
		.follow = (follow_), .getattr = proc_task_getattr, .setattr = proc_setattr         \
	}

const struct inode_operations task_exe_operations = LINK_OPERATIONS(exe_follow);
const struct inode_operations task_cwd_operations = LINK_OPERATIONS(cwd_follow);
const struct inode_operations task_root_operations = LINK_OPERATIONS(root_follow);
