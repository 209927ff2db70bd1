/* SPDX-License-Identifier: Apache-2.0 */
/* POSIX message queues (mq_overview(7)). */
#include "sentry/fs/mqueue/mqueue.h"

#include "abi/fcntl.h"
#include "abi/limits.h"
#include "abi/time.h"
#include "sentry/kernel/task.h"
#include "sentry/net/netlink/netlink.h"
#include "sentry/net/socket.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/time/clock.h"
#include "sentry/time/sleep.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <stdlib.h>

static int copy_name(struct task *task, gaddr_t address, char *name)
{
	int64_t length = mm_copy_in_string(task->mm, name, address, LINUX_PATH_MAX);

	return length < 0 ? (int)length : 0;
}

int64_t sys_mq_open(struct task *task, const uint64_t args[6])
{
	uint32_t flags = (uint32_t)args[1], mode = (uint32_t)args[2];
	struct linux_mq_attr attributes;
	uninitialized_ char name[LINUX_PATH_MAX];
	struct file *file;
	int result;

	if (args[3] && mm_copy_in(task->mm, &attributes, args[3], sizeof(attributes)))
		return -EFAULT;
	result = copy_name(task, args[0], name);
	if (!result)
		result = mqueue_open(name, flags, mode, args[3] ? &attributes : NULL, &file);
	if (result)
		return result;
	/* Closed by execve, whatever the flags say. */
	result = fd_install(task->files, 0, file, true);
	if (result < 0)
		file_put(file);
	return result;
}

int64_t sys_mq_unlink(struct task *task, const uint64_t args[6])
{
	uninitialized_ char name[LINUX_PATH_MAX];
	int result = copy_name(task, args[0], name);

	return result ? result : mqueue_unlink(name);
}

/* A deadline of the wall clock at a guest address, which may be none. */
static int copy_deadline(struct task *task, gaddr_t address, int64_t *deadline)
{
	struct linux_timespec time;
	int64_t ns;

	*deadline = INT64_MAX;
	if (!address)
		return 0;
	if (mm_copy_in(task->mm, &time, address, sizeof(time)))
		return -EFAULT;
	if (!timespec_to_ns(&time, &ns))
		return -EINVAL;
	*deadline = clock_to_monotonic(LINUX_CLOCK_REALTIME, ns);
	return 0;
}

/* A reference to a queue that is open for mode, or NULL. */
static struct file *queue_get(struct task *task, int fd, unsigned int mode)
{
	struct file *file = fd_get(task->files, fd);

	if (file && file_is_mqueue(file) && (file->mode & mode) == mode)
		return file;
	if (file)
		file_put(file);
	return NULL;
}

int64_t sys_mq_timedsend(struct task *task, const uint64_t args[6])
{
	uint32_t priority = (uint32_t)args[3];
	auto_file struct file *file = NULL;
	int64_t deadline;
	int error = copy_deadline(task, args[4], &deadline);

	if (error)
		return error;
	if (priority >= LINUX_MQ_PRIO_MAX)
		return -EINVAL;
	file = queue_get(task, (int)args[0], FILE_WRITE);
	if (!file)
		return -EBADF;
	return mqueue_send(task, file, args[1], args[2], priority, deadline);
}

int64_t sys_mq_timedreceive(struct task *task, const uint64_t args[6])
{
	auto_file struct file *file = NULL;
	int64_t deadline;
	int error = copy_deadline(task, args[4], &deadline);

	if (error)
		return error;
	file = queue_get(task, (int)args[0], FILE_READ);
	if (!file)
		return -EBADF;
	return mqueue_receive(task, file, args[1], args[2], args[3], deadline);
}

/* SIGEV_THREAD: sigev_signo is a netlink socket, sigev_value the address of the cookie. */
static int get_socket(
	struct task *task, const struct linux_sigevent *event, uint8_t *cookie, struct file **out)
{
	struct file *file;
	int error = 0;

	if (mm_copy_in(task->mm, cookie, event->sigev_value.sival_ptr, LINUX_NOTIFY_COOKIE_LEN))
		return -EFAULT;
	file = fd_get(task->files, event->sigev_signo);
	if (!file)
		return -EBADF;
	if (!file_socket(file))
		error = -ENOTSOCK;
	else if (!socket_is_netlink(file_socket(file)))
		error = -EINVAL;
	if (error)
		file_put(file);
	else
		*out = file;
	return error;
}

static int copy_event(struct task *task, gaddr_t address, struct linux_sigevent *event)
{
	if (mm_copy_in(task->mm, event, address, sizeof(*event)))
		return -EFAULT;
	if (event->sigev_notify != LINUX_SIGEV_NONE && event->sigev_notify != LINUX_SIGEV_SIGNAL &&
		event->sigev_notify != LINUX_SIGEV_THREAD)
		return -EINVAL;
	if (event->sigev_notify == LINUX_SIGEV_SIGNAL &&
		(event->sigev_signo < 0 || event->sigev_signo > LINUX_NSIG))
		return -EINVAL;
	return 0;
}

int64_t sys_mq_notify(struct task *task, const uint64_t args[6])
{
	auto_file struct file *file = NULL, *socket = NULL;
	uint8_t cookie[LINUX_NOTIFY_COOKIE_LEN];
	struct linux_sigevent event;
	int error = args[1] ? copy_event(task, args[1], &event) : 0;

	if (!error && args[1] && event.sigev_notify == LINUX_SIGEV_THREAD)
		error = get_socket(task, &event, cookie, &socket);
	if (error)
		return error;
	file = queue_get(task, (int)args[0], 0);
	if (!file)
		return -EBADF;
	return mqueue_notify(task, file, args[1] ? &event : NULL, socket, cookie);
}

int64_t sys_mq_getsetattr(struct task *task, const uint64_t args[6])
{
	struct linux_mq_attr wanted = {0}, old;
	auto_file struct file *file = NULL;

	if (args[1]) {
		if (mm_copy_in(task->mm, &wanted, args[1], sizeof(wanted)))
			return -EFAULT;
		if (wanted.mq_flags & ~(int64_t)LINUX_O_NONBLOCK)
			return -EINVAL;
	}
	file = queue_get(task, (int)args[0], 0);
	if (!file)
		return -EBADF;
	mqueue_get_attributes(file, &old);
	if (args[1]) {
		if (wanted.mq_flags)
			atomic_fetch_or(&file->flags, LINUX_O_NONBLOCK);
		else
			atomic_fetch_and(&file->flags, ~(uint32_t)LINUX_O_NONBLOCK);
	}
	return args[2] ? mm_copy_out(task->mm, args[2], &old, sizeof(old)) : 0;
}
