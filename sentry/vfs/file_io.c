/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading and writing open files: positions, O_APPEND, limits, blocking.
 *
 * A file operation makes one attempt; here is who tries again. Locks of an attempt: RANK_INODE for
 * a write to a regular file, then RANK_FILE when the file's own position is used; none is held
 * while the task sleeps.
 */
#include "sentry/vfs/file.h"

#include "abi/epoll.h"
#include "abi/fcntl.h"
#include "abi/inotify.h"
#include "abi/mount.h"
#include "abi/stat.h"
#include "abi/uio.h"
#include "sentry/fs/fanotify/fanotify.h"
#include "sentry/kernel/accounting.h"
#include "sentry/kernel/rlimit.h"
#include "sentry/kernel/signal.h"
#include "sentry/kernel/task.h"
#include "sentry/time/clock.h"
#include "sentry/vfs/attributes.h"
#include "sentry/vfs/file_caps.h"
#include "sentry/vfs/mount.h"

#include <errno.h>

/* One read or write under way. */
struct transfer {
	struct file *file;
	struct iov_iter *iter;
	int64_t *position; /* NULL: the file's own */
	int rwf;
	bool has_deadline;
	int64_t deadline_ns;
};

uint32_t file_poll(struct file *file)
{
	if (!file->ops->poll)
		return LINUX_EPOLLIN | LINUX_EPOLLOUT | LINUX_EPOLLRDNORM | LINUX_EPOLLWRNORM;
	return file->ops->poll(file);
}

void file_accessed(struct file *file)
{
	unsigned long flags = file->path.mount->flags;

	if ((file->flags & LINUX_O_NOATIME) || (flags & LINUX_MS_NOATIME))
		return;
	if ((flags & LINUX_MS_NODIRATIME) && inode_is_type(file->inode, LINUX_S_IFDIR))
		return;
	if (flags & LINUX_MS_RDONLY)
		return;
	inode_touch_atime(file->inode);
}

int64_t file_wait(struct file *file, uint32_t events, int64_t deadline_ns,
	int64_t (*attempt)(void *argument), void *argument)
{
	struct wait_queue *queue = file->ops->wait_queue ? file->ops->wait_queue(file) : NULL;
	struct task *task = current;
	struct waiter waiter;
	int64_t result = attempt(argument);
	int ended = 0;

	if (result != -EAGAIN || !queue)
		return result;
	waiter_init_task(&waiter, task, events);
	wait_queue_add(queue, &waiter);
	/* What came with a signal goes first. */
	while ((result = attempt(argument)) == -EAGAIN && !ended)
		ended = task_block(task, deadline_ns);
	wait_queue_remove(&waiter);
	return result == -EAGAIN && ended != -ETIMEDOUT ? ended : result;
}

/* Blocks for an attempt unless it must not; for files with a time limit signals give -EINTR
 * (socket(7)). */
static int64_t transfer_wait(
	struct transfer *transfer, uint32_t events, bool write, int64_t (*attempt)(void *argument))
{
	struct file *file = transfer->file;
	int64_t result = attempt(transfer);

	if (likely(result != -EAGAIN))
		return result;
	if ((file->flags & LINUX_O_NONBLOCK) || (transfer->rwf & LINUX_RWF_NOWAIT) || !current)
		return result;
	if (!transfer->has_deadline) {
		int64_t timeout =
			file->ops->timeout ? file->ops->timeout(file, write) : FILE_FOREVER;

		transfer->has_deadline = true;
		transfer->deadline_ns = FILE_FOREVER;
		if (timeout != FILE_FOREVER &&
			__builtin_add_overflow(clock_monotonic(), timeout, &transfer->deadline_ns))
			transfer->deadline_ns = FILE_FOREVER;
	}
	result = file_wait(file, events, transfer->deadline_ns, attempt, transfer);
	if (result == -ERESTARTSYS && transfer->deadline_ns != FILE_FOREVER)
		return -EINTR;
	return result;
}

static int64_t read_attempt(void *argument)
{
	struct transfer *transfer = argument;
	struct file *file = transfer->file;
	int64_t result;

	if (transfer->position)
		return file->ops->read(file, transfer->iter, transfer->position);
	if (file->mode & FILE_STREAM) {
		int64_t unused = 0;

		return file->ops->read(file, transfer->iter, &unused);
	}
	mutex_lock(&file->lock);
	result = file->ops->read(file, transfer->iter, &file->position);
	mutex_unlock(&file->lock);
	return result;
}

/* What Linux's rw_verify_area() checks: the end of the range is an offset too. */
static bool range_is_valid(
	const struct file *file, const int64_t *position, const struct iov_iter *iter)
{
	int64_t start = position ? *position : file->position, end;

	if (!position && (file->mode & FILE_STREAM))
		return true;
	return start >= 0 && !__builtin_add_overflow(start, iov_iter_count(iter), &end);
}

int64_t file_read_flags(struct file *file, struct iov_iter *to, int64_t *position, int rwf)
{
	struct transfer transfer = {.file = file, .iter = to, .position = position, .rwf = rwf};
	int64_t result;

	if (!(file->mode & FILE_READ))
		return -EBADF;
	if (position && *position < 0)
		return -EINVAL;
	if (!file->ops->read)
		return inode_is_type(file->inode, LINUX_S_IFDIR) ? -EISDIR : -EINVAL;
	if (!range_is_valid(file, position, to))
		return -EINVAL;
	if (fanotify_in_use()) {
		result = fanotify_ask(file, LINUX_FAN_ACCESS_PERM);
		if (result)
			return result;
	}
	result = transfer_wait(&transfer, LINUX_EPOLLIN | LINUX_EPOLLRDNORM | LINUX_EPOLLRDHUP,
		false, read_attempt);
	if (result > 0) {
		if (!(file->mode & FILE_STREAM))
			file_accessed(file);
		notify_file(file, LINUX_IN_ACCESS);
	}
	return result;
}

int64_t file_read(struct file *file, struct iov_iter *to, int64_t *position)
{
	return file_read_flags(file, to, position, 0);
}

int64_t file_read_kernel(struct file *file, void *buffer, size_t size, int64_t position)
{
	struct iov_iter iter;
	int64_t done = 0;

	if (!(file->mode & FILE_READ) || !file->ops->read)
		return -EINVAL;
	iov_iter_init_kernel(&iter, buffer, size, true);
	while (iov_iter_count(&iter) > 0) {
		int64_t result = file->ops->read(file, &iter, &position);

		if (result < 0)
			return done ? done : result;
		if (result == 0)
			break;
		done += result;
	}
	return done;
}

/* RLIMIT_FSIZE and the largest offset: cuts what would go beyond; -EFBIG (and SIGXFSZ) when nothing
 * is left. */
static int check_size_limit(struct iov_iter *from, int64_t position)
{
	uint64_t limit = rlimit_current(LINUX_RLIMIT_FSIZE);

	if (iov_iter_count(from) == 0)
		return 0;
	if (limit != LINUX_RLIM_INFINITY) {
		if ((uint64_t)position >= limit) {
			struct linux_siginfo info;

			accounting_file_refused();
			siginfo_user(&info, LINUX_SIGXFSZ, current, current);
			(void)signal_send_task(current, &info);
			return -EFBIG;
		}
		iov_iter_truncate(from, min_u64(limit - (uint64_t)position, SIZE_MAX));
	}
	if (position == INT64_MAX)
		return -EFBIG;
	if (iov_iter_count(from) > (uint64_t)(INT64_MAX - position))
		iov_iter_truncate(from, (size_t)(INT64_MAX - position));
	return 0;
}

static bool appends(const struct transfer *transfer)
{
	if (transfer->rwf & LINUX_RWF_APPEND)
		return true;
	return (transfer->file->flags & LINUX_O_APPEND) && !(transfer->rwf & LINUX_RWF_NOAPPEND);
}

/* RANK_INODE held. */
static int64_t write_at_locked(struct transfer *transfer, int64_t *position)
{
	struct file *file = transfer->file;
	struct inode *inode = file->inode;
	int64_t result;

	if (appends(transfer))
		*position = (int64_t)inode->attributes.size;
	result = check_size_limit(transfer->iter, *position);
	if (result == 0 && unlikely(inode->attributes.mode & (LINUX_S_ISUID | LINUX_S_ISGID)) &&
		iov_iter_count(transfer->iter))
		result = inode_strip_privileges_locked(inode);
	if (result)
		return result;
	result = file->ops->write(file, transfer->iter, position);
	if (result > 0) {
		inode_touch_mtime_locked(inode);
		accounting_file_size((uint64_t)*position);
	}
	return result;
}

static int64_t write_regular(struct transfer *transfer)
{
	struct file *file = transfer->file;
	struct inode *inode = file->inode;
	int64_t result = iov_iter_count(transfer->iter) ? file_caps_kill(inode) : 0;

	if (result)
		return result;
	/* Somebody else may have made it longer. */
	if (appends(transfer) && inode->ops->getattr) {
		result = inode->ops->getattr(inode);
		if (result)
			return result;
	}
	mutex_lock(&inode->lock);
	if (transfer->position) {
		result = write_at_locked(transfer, transfer->position);
	} else {
		mutex_lock(&file->lock);
		result = write_at_locked(transfer, &file->position);
		mutex_unlock(&file->lock);
	}
	mutex_unlock(&inode->lock);
	return result;
}

static int64_t write_attempt(void *argument)
{
	struct transfer *transfer = argument;
	struct file *file = transfer->file;
	int64_t result;

	if (inode_is_type(file->inode, LINUX_S_IFREG))
		return write_regular(transfer);
	if (transfer->position)
		return file->ops->write(file, transfer->iter, transfer->position);
	if (file->mode & FILE_STREAM) {
		int64_t unused = 0;

		return file->ops->write(file, transfer->iter, &unused);
	}
	mutex_lock(&file->lock);
	result = file->ops->write(file, transfer->iter, &file->position);
	mutex_unlock(&file->lock);
	return result;
}

/* A stream takes what it has room for; a blocking write goes on until all is taken. */
static int64_t write_all(struct transfer *transfer)
{
	struct file *file = transfer->file;
	int64_t done = 0, result;

	do {
		result = transfer_wait(
			transfer, LINUX_EPOLLOUT | LINUX_EPOLLWRNORM, true, write_attempt);
		if (result <= 0)
			break;
		done += result;
	} while ((file->mode & FILE_STREAM) && iov_iter_count(transfer->iter) > 0);
	if (result == -EPIPE && (file->mode & FILE_STREAM) && !(file->mode & FILE_NO_SIGPIPE) &&
		!(transfer->rwf & LINUX_RWF_NOSIGNAL) && current) {
		struct linux_siginfo info;

		siginfo_user(&info, LINUX_SIGPIPE, current, current);
		(void)signal_send_task(current, &info);
	}
	return done ? done : result;
}

static int64_t write_sync(struct file *file, int rwf)
{
	bool sync = (file->flags & LINUX_O_DSYNC) || (rwf & (LINUX_RWF_DSYNC | LINUX_RWF_SYNC));

	if (!sync || !file->ops->fsync)
		return 0;
	return file->ops->fsync(file, !(file->flags & LINUX___O_SYNC) && !(rwf & LINUX_RWF_SYNC));
}

int64_t file_write_flags(struct file *file, struct iov_iter *from, int64_t *position, int rwf)
{
	struct transfer transfer = {.file = file, .iter = from, .position = position, .rwf = rwf};
	int64_t result;

	if (!(file->mode & FILE_WRITE))
		return -EBADF;
	if (position && *position < 0)
		return -EINVAL;
	if (!file->ops->write)
		return -EINVAL;
	if (!range_is_valid(file, position, from))
		return -EINVAL;
	result = write_all(&transfer);
	if (result > 0) {
		int64_t error = write_sync(file, rwf);

		notify_file(file, LINUX_IN_MODIFY);
		if (error)
			return error;
	}
	return result;
}

int64_t file_write(struct file *file, struct iov_iter *from, int64_t *position)
{
	return file_write_flags(file, from, position, 0);
}
