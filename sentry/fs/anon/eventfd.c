/* SPDX-License-Identifier: Apache-2.0 */
/* eventfd(2): a 64-bit counter. */
#include "sentry/fs/anon/anon.h"

#include "abi/epoll.h"
#include "abi/fcntl.h"
#include "base/text_writer.h"
#include "sentry/kernel/wait_queue.h"
#include "sentry/lock_order.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

struct eventfd {
	struct mutex lock;
	uint64_t count;
	struct wait_queue queue;
	bool semaphore; /* set once */
	int id;		/* set once; fdinfo shows it */
};

static atomic_int next_id;

static int64_t eventfd_read(struct file *file, struct iov_iter *to, int64_t *position)
{
	struct eventfd *event = file->private;
	uint64_t value;

	if (iov_iter_count(to) < sizeof(value))
		return -EINVAL;
	mutex_lock(&event->lock);
	value = event->semaphore && event->count ? 1 : event->count;
	event->count -= value;
	mutex_unlock(&event->lock);
	if (!value)
		return -EAGAIN;
	wait_queue_wake(&event->queue, LINUX_EPOLLOUT);
	/* As Linux: the count is gone even if the address is bad. */
	return copy_to_iter(&value, sizeof(value), to) == sizeof(value) ? (int64_t)sizeof(value)
									: -EFAULT;
}

static int64_t eventfd_write(struct file *file, struct iov_iter *from, int64_t *position)
{
	struct eventfd *event = file->private;
	uint64_t value;
	bool room;

	if (iov_iter_count(from) < sizeof(value))
		return -EINVAL;
	/* Whatever is longer, one number is all that is written. */
	iov_iter_truncate(from, sizeof(value));
	size_t copied = copy_from_iter(&value, sizeof(value), from);
	if (copied < sizeof(value)) {
		iov_iter_revert(from, copied);
		return -EFAULT;
	}
	if (value == UINT64_MAX)
		return -EINVAL;
	mutex_lock(&event->lock);
	room = UINT64_MAX - event->count > value;
	if (room)
		event->count += value;
	mutex_unlock(&event->lock);
	if (!room) {
		iov_iter_revert(from, sizeof(value));
		return -EAGAIN;
	}
	wait_queue_wake(&event->queue, LINUX_EPOLLIN);
	return sizeof(value);
}

void eventfd_signal(struct file *file, uint64_t count)
{
	struct eventfd *event = file->private;

	mutex_lock(&event->lock);
	event->count += min_u64(count, UINT64_MAX - event->count);
	mutex_unlock(&event->lock);
	wait_queue_wake(&event->queue, LINUX_EPOLLIN);
}

static uint32_t eventfd_poll(struct file *file)
{
	struct eventfd *event = file->private;
	uint32_t events = 0;

	mutex_guard(&event->lock);
	if (event->count)
		events |= LINUX_EPOLLIN;
	if (event->count == UINT64_MAX)
		events |= LINUX_EPOLLERR;
	if (event->count < UINT64_MAX - 1)
		events |= LINUX_EPOLLOUT;
	return events;
}

static struct wait_queue *eventfd_wait_queue(struct file *file)
{
	return &((struct eventfd *)file->private)->queue;
}

static void eventfd_release(struct file *file)
{
	struct eventfd *event = file->private;

	wait_queue_destroy(&event->queue);
	mutex_destroy(&event->lock);
	free(event);
}

static void eventfd_show_fdinfo(struct file *file, struct text_writer *out)
{
	struct eventfd *event = file->private;
	uint64_t count;

	mutex_lock(&event->lock);
	count = event->count;
	mutex_unlock(&event->lock);
	text_printf(out, "eventfd-count: %16" PRIx64 "\neventfd-id: %d\neventfd-semaphore: %d\n",
		count, event->id, event->semaphore);
}

static const struct file_operations eventfd_operations = {
	.seek = file_seek_nowhere,
	.read = eventfd_read,
	.write = eventfd_write,
	.poll = eventfd_poll,
	.wait_queue = eventfd_wait_queue,
	.release = eventfd_release,
	.show_fdinfo = eventfd_show_fdinfo,
	.name = "[eventfd]",
};

bool file_is_eventfd(const struct file *file)
{
	return file->ops == &eventfd_operations;
}

int eventfd_new_file(uint32_t count, bool semaphore, uint32_t flags, struct file **out)
{
	struct eventfd *event = calloc(1, sizeof(*event));
	int error;

	if (!event)
		return -ENOMEM;
	mutex_init(&event->lock, RANK_PIPE, "eventfd");
	wait_queue_init(&event->queue);
	event->count = count;
	event->semaphore = semaphore;
	event->id = atomic_fetch_add(&next_id, 1);
	error = file_new_anonymous(anon_inode_get(), &eventfd_operations,
		FILE_READ | FILE_WRITE | FILE_STREAM, LINUX_O_RDWR | flags, event, "[eventfd]",
		out);
	if (error) {
		wait_queue_destroy(&event->queue);
		mutex_destroy(&event->lock);
		free(event);
	}
	return error;
}
