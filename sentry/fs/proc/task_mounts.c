/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/PID/mounts, mountinfo and mountstats, and polling them for changes. */
#include "sentry/fs/proc/task_files.h"

#include "abi/epoll.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/mount_show.h"

#include <errno.h>

/* What the task sees now is what the file shows from then on. */
static int remember_view(struct proc_open *open, struct task *task)
{
	struct nsproxy *nsproxy = task_get_nsproxy(task);
	struct fs_struct *fs = task_get_fs(task);

	if (fs && nsproxy && nsproxy->mount) {
		open->mounts = mount_namespace_get(nsproxy->mount);
		open->mounts_seen = mount_namespace_changes(open->mounts);
		fs_struct_root(fs, &open->root);
	}
	if (fs)
		fs_struct_put(fs);
	nsproxy_put(nsproxy);
	return open->mounts ? 0 : -EINVAL;
}

static int mounts_open(struct inode *inode, struct file *file)
{
	struct task *task;
	int error = proc_file_open(inode, file);

	if (error)
		return error;
	task = proc_node_task(proc_node_of(inode));
	error = task ? remember_view(file->private, task) : -ESRCH;
	task_put(task);
	if (error)
		proc_file_release(file);
	return error;
}

int task_show_mounts(const struct proc_context *context, struct text_writer *out)
{
	static void (*const show[])(
		struct mount_namespace * ns, const struct path *root, struct text_writer *out) = {
		[TASK_MOUNTS] = mount_show_mounts,
		[TASK_MOUNTINFO] = mount_show_mountinfo,
		[TASK_MOUNTSTATS] = mount_show_mountstats,
	};
	const struct proc_open *open = context->file->private;

	show[context->entry->data](open->mounts, &open->root, out);
	return 0;
}

/* A change is told once. */
static uint32_t mounts_poll(struct file *file)
{
	struct proc_open *open = file->private;
	unsigned int changes = mount_namespace_changes(open->mounts);
	uint32_t events = LINUX_EPOLLIN | LINUX_EPOLLRDNORM;

	if (atomic_exchange(&open->mounts_seen, changes) != changes)
		events |= LINUX_EPOLLERR | LINUX_EPOLLPRI;
	return events;
}

static struct wait_queue *mounts_wait_queue(struct file *file)
{
	struct proc_open *open = file->private;

	return mount_namespace_queue(open->mounts);
}

const struct file_operations task_mounts_file_operations = {
	.read = proc_text_read,
	.seek = proc_text_seek,
	.poll = mounts_poll,
	.wait_queue = mounts_wait_queue,
	.release = proc_file_release,
};

const struct inode_operations task_mounts_inode_operations = {
	.getattr = proc_task_getattr,
	.setattr = proc_setattr,
	.open = mounts_open,
};
