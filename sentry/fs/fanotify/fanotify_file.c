/* SPDX-License-Identifier: Apache-2.0 */
/* The descriptor of a fanotify(7) group: events are read from it and answers written to it. */
#include "sentry/fs/fanotify/fanotify_group.h"

#include "abi/capability.h"
#include "abi/epoll.h"
#include "abi/fcntl.h"
#include "abi/ioctl.h"
#include "base/text_writer.h"
#include "sentry/kernel/pid.h"
#include "sentry/kernel/pidfd.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/fd_table.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/policy.h"

#include <errno.h>

/* What one event became: descriptors that the reader does not see before all is copied. */
struct report {
	struct linux_fanotify_event_metadata metadata;
	struct linux_fanotify_event_info_pidfd info;
	struct file *file, *pid_file; /* NULL: none */
};

static uint32_t event_size(const struct fanotify_group *group, const struct fanotify_event *event)
{
	uint32_t size = sizeof(struct linux_fanotify_event_metadata);

	size += fanotify_fids_size(group, event);
	if (group->flags & LINUX_FAN_REPORT_PIDFD)
		size += sizeof(struct linux_fanotify_event_info_pidfd);
	return size;
}

static unsigned int wanted_access(uint32_t flags)
{
	switch (flags & LINUX_O_ACCMODE) {
	case LINUX_O_RDONLY:
		return POLICY_READ;
	case LINUX_O_WRONLY:
		return POLICY_WRITE;
	default:
		return POLICY_READ | POLICY_WRITE;
	}
}

static int open_object(const struct fanotify_group *group, const struct fanotify_event *event,
	struct report *report)
{
	int error, fd = fd_reserve(current->files, 0, group->event_flags & LINUX_O_CLOEXEC);

	if (fd < 0)
		return fd;
	/* Of what may_open() checks, as on Linux nothing else holds the listener back. */
	error = policy_check(&event->path, wanted_access(group->event_flags));
	if (error == 0)
		error = file_open_path_as(&event->path, group->event_flags, current_cred(),
			FILE_NO_NOTIFY, &report->file);
	if (error) {
		fd_cancel(current->files, fd);
		return error;
	}
	report->metadata.fd = fd;
	return 0;
}

static void open_pidfd(const struct fanotify_event *event, struct report *report)
{
	int fd;

	report->info = (struct linux_fanotify_event_info_pidfd){
		.info_type = LINUX_FAN_EVENT_INFO_TYPE_PIDFD,
		.len = sizeof(report->info),
		.pidfd = LINUX_FAN_NOPIDFD,
	};
	if (!report->metadata.pid || !event->pid->group)
		return;
	report->info.pidfd = LINUX_FAN_EPIDFD;
	fd = fd_reserve(current->files, 0, true);
	if (fd < 0)
		return;
	if (pidfd_new(0, &report->pid_file)) {
		report->pid_file = NULL;
		fd_cancel(current->files, fd);
		return;
	}
	pidfd_set_pid(report->pid_file, event->pid);
	report->info.pidfd = fd;
}

static void report_settle(struct report *report, bool copied)
{
	int fds[] = {report->metadata.fd, report->info.pidfd};
	struct file *files[] = {report->file, report->pid_file};

	for (size_t i = 0; i < array_count(files); i++) {
		if (!files[i])
			continue;
		if (copied) {
			fd_commit(current->files, fds[i], files[i]);
		} else {
			fd_cancel(current->files, fds[i]);
			file_put(files[i]);
		}
	}
}

/* Whose event it is, as far as the reader may know. */
static int32_t shown_pid(const struct fanotify_group *group, const struct fanotify_event *event)
{
	if (!event->pid)
		return 0;
	if ((group->flags & FANOTIFY_UNPRIVILEGED) && event->pid != current->group->pid)
		return 0;
	return pid_number_in(event->pid, task_pid_namespace(current));
}

/* Bytes, or an error. */
static int64_t copy_event(
	struct fanotify_group *group, struct fanotify_event *event, struct iov_iter *to)
{
	struct report report = {
		.metadata =
			{
				.event_len = event_size(group, event),
				.vers = LINUX_FANOTIFY_METADATA_VERSION,
				.metadata_len = sizeof(report.metadata),
				.mask = event->mask,
				.fd = LINUX_FAN_NOFD,
				.pid = shown_pid(group, event),
			},
	};
	size_t copied;

	if (event->path.dentry) {
		int error = open_object(group, event, &report);

		if (error)
			return error;
	}
	if (group->flags & LINUX_FAN_REPORT_PIDFD)
		open_pidfd(event, &report);
	copied = copy_to_iter(&report.metadata, sizeof(report.metadata), to);
	copied += fanotify_fids_copy(group, event, to);
	if (group->flags & LINUX_FAN_REPORT_PIDFD)
		copied += copy_to_iter(&report.info, sizeof(report.info), to);
	event->fd = report.metadata.fd;
	report_settle(&report, copied == report.metadata.event_len);
	return copied == report.metadata.event_len ? (int64_t)copied : -EFAULT;
}

/* NULL with *error -EAGAIN, or -EINVAL when it does not fit. */
static struct fanotify_event *take_event(struct fanotify_group *group, size_t room, int *error)
{
	struct fanotify_event *event;

	mutex_guard(&group->lock);
	event = TAILQ_FIRST(&group->events);
	*error = !event ? -EAGAIN : event_size(group, event) > room ? -EINVAL : 0;
	if (*error)
		return NULL;
	fanotify_dequeue_locked(group, event);
	if (event->mask & FANOTIFY_PERM_EVENTS)
		event->state = FANOTIFY_REPORTED;
	return event;
}

/* A permission event waits for its answer, which is no if it could not be told. */
static void event_was_read(struct fanotify_group *group, struct fanotify_event *event, bool told)
{
	bool unused = true;

	if (event->mask & FANOTIFY_PERM_EVENTS) {
		mutex_lock(&group->lock);
		unused = false;
		if (!told || group->closed)
			unused = fanotify_answer_locked(
				event, told ? LINUX_FAN_ALLOW : LINUX_FAN_DENY);
		else
			TAILQ_INSERT_TAIL(&group->asked, event, link);
		mutex_unlock(&group->lock);
		wait_queue_wake(&group->answers, UINT32_MAX);
	}
	if (unused)
		fanotify_event_free(event);
}

static int64_t fanotify_read(struct file *file, struct iov_iter *to, int64_t *position)
{
	struct fanotify_group *group = file->private;
	struct fanotify_event *event;
	int64_t done = 0;
	int error;

	while ((event = take_event(group, iov_iter_count(to), &error))) {
		int64_t size = copy_event(group, event, to);

		event_was_read(group, event, size > 0);
		if (size == -EFAULT)
			return size;
		if (size < 0)
			return done ? done : size;
		done += size;
	}
	return done ? done : error;
}

static int answer(struct fanotify_group *group, const struct linux_fanotify_response *response)
{
	struct fanotify_event *event;
	bool unused = false;

	if ((response->response & ~(uint32_t)LINUX_FAN_AUDIT) != LINUX_FAN_ALLOW &&
		(response->response & ~(uint32_t)LINUX_FAN_AUDIT) != LINUX_FAN_DENY)
		return -EINVAL;
	/* Nobody has FAN_ENABLE_AUDIT. */
	if (response->fd < 0 || (response->response & LINUX_FAN_AUDIT))
		return -EINVAL;
	mutex_lock(&group->lock);
	TAILQ_FOREACH (event, &group->asked, link)
		if (event->fd == response->fd)
			break;
	if (event) {
		TAILQ_REMOVE(&group->asked, event, link);
		unused = fanotify_answer_locked(event, response->response);
	}
	mutex_unlock(&group->lock);
	if (!event)
		return -ENOENT;
	if (unused)
		fanotify_event_free(event);
	wait_queue_wake(&group->answers, UINT32_MAX);
	return 0;
}

static int64_t fanotify_write(struct file *file, struct iov_iter *from, int64_t *position)
{
	struct linux_fanotify_response response;
	int error;

	if (iov_iter_count(from) < sizeof(response))
		return -EINVAL;
	if (copy_from_iter(&response, sizeof(response), from) < sizeof(response))
		return -EFAULT;
	error = answer(file->private, &response);
	if (error)
		return error;
	iov_iter_truncate(from, 0);
	return sizeof(response);
}

static uint32_t fanotify_poll(struct file *file)
{
	struct fanotify_group *group = file->private;

	mutex_guard(&group->lock);
	return TAILQ_EMPTY(&group->events) ? 0 : LINUX_EPOLLIN | LINUX_EPOLLRDNORM;
}

static struct wait_queue *fanotify_wait_queue(struct file *file)
{
	return &((struct fanotify_group *)file->private)->queue;
}

static int64_t fanotify_ioctl(
	struct file *file, struct task *task, uint32_t command, uint64_t argument)
{
	struct fanotify_group *group = file->private;
	int32_t bytes;

	if (command != LINUX_FIONREAD)
		return -ENOTTY;
	mutex_lock(&group->lock);
	bytes = (int32_t)(group->event_count * sizeof(struct linux_fanotify_event_metadata));
	mutex_unlock(&group->lock);
	return mm_copy_out(task->mm, argument, &bytes, sizeof(bytes));
}

static void fanotify_release(struct file *file)
{
	fanotify_group_close(file->private);
}

static void fanotify_show_fdinfo(struct file *file, struct text_writer *out)
{
	struct fanotify_group *group = file->private;

	text_printf(out, "fanotify flags:%x event-flags:%x\n",
		group->flags & ~FANOTIFY_UNPRIVILEGED, group->event_flags);
	fanotify_marks_show(group, out);
}

static const struct file_operations fanotify_operations = {
	.seek = file_seek_nowhere,
	.read = fanotify_read,
	.write = fanotify_write,
	.poll = fanotify_poll,
	.wait_queue = fanotify_wait_queue,
	.ioctl = fanotify_ioctl,
	.release = fanotify_release,
	.show_fdinfo = fanotify_show_fdinfo,
	.name = "[fanotify]",
};

bool file_is_fanotify(const struct file *file)
{
	return file->ops == &fanotify_operations;
}

int fanotify_new_file(uint32_t flags, uint32_t event_flags, struct file **out)
{
	uint32_t file_flags = LINUX_O_RDWR | (flags & LINUX_FAN_NONBLOCK ? LINUX_O_NONBLOCK : 0);
	struct fanotify_group *group;
	int error = fanotify_group_new(flags, event_flags, &group);

	if (error)
		return error;
	error = file_new_anonymous(anon_inode_get(), &fanotify_operations,
		FILE_READ | FILE_WRITE | FILE_STREAM | FILE_NO_NOTIFY, file_flags, group,
		"[fanotify]", out);
	if (error)
		fanotify_group_close(group);
	return error;
}

int fanotify_check_mark(struct file *file, uint32_t flags, uint32_t mask)
{
	struct fanotify_group *group = file->private;

	if ((mask & FANOTIFY_PERM_EVENTS) && !(group->flags & FANOTIFY_CLASS_BITS))
		return -EINVAL;
	if ((flags & LINUX_FAN_MARK_EVICTABLE) && (flags & FANOTIFY_MARK_TYPE_BITS))
		return -EINVAL;
	if ((mask & LINUX_FAN_FS_ERROR) && !(flags & LINUX_FAN_MARK_FILESYSTEM))
		return -EINVAL;
	/* The others come without a path to open, and through no mount. */
	if ((mask & ~(uint32_t)(FANOTIFY_FD_EVENTS | FANOTIFY_EVENT_FLAGS)) &&
		(!(group->flags & FANOTIFY_FID_BITS) || (flags & LINUX_FAN_MARK_MOUNT)))
		return -EINVAL;
	return (mask & LINUX_FAN_RENAME) && !(group->flags & LINUX_FAN_REPORT_NAME) ? -EINVAL : 0;
}
