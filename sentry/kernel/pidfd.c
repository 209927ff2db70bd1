/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pidfds (pidfd_open(2)): a struct pid as an open file. It becomes readable when the process, or
 * with PIDFD_THREAD the thread, has ended, and hangs up when that was waited for.
 *
 * Differs from Linux: no namespaces are to be had by ioctl(2).
 */
#include "sentry/kernel/pidfd.h"

#include "abi/epoll.h"
#include "abi/fcntl.h"
#include "base/text_writer.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/task_run.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <stdlib.h>

struct pidfd {
	struct pid *_Atomic pid; /* a reference; NULL until the child of a clone(2) is there */
	struct wait_queue early; /* for who polls before that: never woken */
};

static const struct file_operations pidfd_operations;

static struct pidfd *pidfd_of(struct file *file)
{
	return file->private;
}

static uint32_t pidfd_poll(struct file *file)
{
	struct pid *pid = pidfd_of(file)->pid;
	struct task *task;
	bool thread = file->flags & LINUX_PIDFD_THREAD;

	if (!pid)
		return 0;
	mutex_guard(&g_tasks.lock);
	task = thread ? pid->task : pid->group ? pid->group->leader : NULL;
	if (!task)
		return LINUX_EPOLLIN | LINUX_EPOLLRDNORM | LINUX_EPOLLHUP;
	if (task->exit_state < TASK_ZOMBIE ||
		(!thread && !thread_group_is_empty_locked(task->group)))
		return 0;
	return LINUX_EPOLLIN | LINUX_EPOLLRDNORM;
}

static struct wait_queue *pidfd_wait_queue(struct file *file)
{
	struct pidfd *pidfd = pidfd_of(file);
	struct pid *pid = pidfd->pid;

	return pid ? &pid->exit_queue : &pidfd->early;
}

static void pidfd_release(struct file *file)
{
	struct pidfd *pidfd = pidfd_of(file);

	pid_put(pidfd->pid);
	wait_queue_destroy(&pidfd->early);
	free(pidfd);
}

/* The number that the reader's namespace knows, 0 for none, -1 once it is gone; and those of the
 * inner namespaces. */
static void pidfd_show_fdinfo(struct file *file, struct text_writer *out)
{
	struct pid *pid = pidfd_of(file)->pid;
	struct pid_namespace *ns = current ? task_pid_namespace(current) : g_tasks.root_pid_ns;
	int number;

	if (!pid)
		return;
	mutex_guard(&g_tasks.lock);
	number = pid->task ? pid_number_in(pid, ns) : -1;
	text_printf(out, "Pid:\t%d\nNSpid:\t%d", number, number);
	for (unsigned int level = ns->level + 1; number > 0 && level <= pid->level; level++)
		text_printf(out, "\t%d", pid->numbers[level].number);
	text_printf(out, "\n");
}

static const struct file_operations pidfd_operations = {
	.poll = pidfd_poll,
	.wait_queue = pidfd_wait_queue,
	.release = pidfd_release,
	.show_fdinfo = pidfd_show_fdinfo,
	.name = "[pidfd]",
};

int pidfd_new(unsigned int flags, struct file **out)
{
	struct inode *inode = anon_inode_get();
	struct pidfd *pidfd;
	int err;

	if (!inode)
		return -ENOMEM;
	pidfd = calloc(1, sizeof(*pidfd));
	if (!pidfd) {
		inode_put(inode);
		return -ENOMEM;
	}
	wait_queue_init(&pidfd->early);
	err = file_new_anonymous(inode, &pidfd_operations, FILE_READ | FILE_WRITE,
		LINUX_O_RDWR | flags, pidfd, "[pidfd]", out);
	if (err) {
		wait_queue_destroy(&pidfd->early);
		free(pidfd);
	}
	return err;
}

void pidfd_set_pid(struct file *file, struct pid *pid)
{
	pidfd_of(file)->pid = pid_get(pid);
}

struct pid *pidfd_pid(struct file *file)
{
	struct pid *pid;

	if (file->ops != &pidfd_operations)
		return NULL;
	pid = pidfd_of(file)->pid;
	return pid ? pid_get(pid) : NULL;
}

int pidfd_get(struct task *task, int fd, struct pid **out, unsigned int *flags)
{
	struct file *file;

	if (flags)
		*flags = 0;
	if (fd == LINUX_PIDFD_SELF_THREAD || fd == LINUX_PIDFD_SELF_THREAD_GROUP) {
		if (flags && fd == LINUX_PIDFD_SELF_THREAD)
			*flags = LINUX_PIDFD_THREAD;
		*out = pid_get(fd == LINUX_PIDFD_SELF_THREAD ? task->pid : task->group->pid);
		return 0;
	}
	file = fd_get(task->files, fd);
	if (!file)
		return -EBADF;
	*out = pidfd_pid(file);
	if (flags)
		*flags = file->flags;
	file_put(file);
	return *out ? 0 : -EBADF;
}
