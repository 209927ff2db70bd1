/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of asynchronous I/O: reads, writes and syncs at once, polls when the time comes. */
#include "abi/epoll.h"
#include "abi/limits.h"
#include "sentry/fs/anon/anon.h"
#include "sentry/kernel/signal.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/aio_private.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <stdlib.h>

#define RWF_KNOWN                                                                                  \
	(LINUX_RWF_HIPRI | LINUX_RWF_DSYNC | LINUX_RWF_SYNC | LINUX_RWF_NOWAIT |                   \
		LINUX_RWF_APPEND | LINUX_RWF_NOAPPEND)

static void put_files(struct aio_request *request)
{
	if (request->file)
		file_put(steal_pointer(&request->file));
	if (request->eventfd)
		file_put(steal_pointer(&request->eventfd));
}

void aio_request_free(struct aio_request *request)
{
	put_files(request);
	aio_context_put(request->context);
	free(request);
}

void aio_request_complete(struct aio_request *request, int64_t result)
{
	struct aio_context *context = request->context;
	struct file *eventfd = steal_pointer(&request->eventfd);

	put_files(request);
	refcount_get(&context->refs);
	request->event.res = result;
	mutex_lock(&context->lock);
	if (context->dead) {
		mutex_unlock(&context->lock);
		aio_request_free(request);
	} else {
		TAILQ_INSERT_TAIL(&context->events, request, link);
		mutex_unlock(&context->lock);
	}
	if (eventfd) {
		eventfd_signal(eventfd, 1);
		file_put(eventfd);
	}
	wait_queue_wake(&context->readers, LINUX_EPOLLIN);
	aio_context_put(context);
}

/* --- reads and writes --- */

static int import(struct iov_iter *iter, struct task *task, const struct linux_iocb *iocb,
	bool vector, bool write)
{
	if (vector)
		return iov_iter_import(iter, task->mm, iocb->aio_buf, iocb->aio_nbytes, !write);
	if (iocb->aio_buf > LINUX_TASK_SIZE || iocb->aio_nbytes > LINUX_TASK_SIZE - iocb->aio_buf)
		return -EFAULT;
	iov_iter_init(iter, task->mm, iocb->aio_buf, iocb->aio_nbytes, !write);
	return 0;
}

static int start_transfer(struct aio_request *request, struct task *task,
	const struct linux_iocb *iocb, bool vector, bool write)
{
	struct file *file = request->file;
	int64_t position = iocb->aio_offset, result;
	struct iov_iter iter;
	int error;

	if (!(file->mode & (write ? FILE_WRITE : FILE_READ)))
		return -EBADF;
	if (write ? !file->ops->write : !file->ops->read)
		return -EINVAL;
	if (iocb->aio_rw_flags & ~(uint32_t)RWF_KNOWN)
		return -EOPNOTSUPP;
	error = import(&iter, task, iocb, vector, write);
	if (error)
		return error;
	if (position < 0) {
		iov_iter_destroy(&iter);
		return -EINVAL;
	}
	result = write ? file_write_flags(file, &iter, &position, (int)iocb->aio_rw_flags)
		       : file_read_flags(file, &iter, &position, (int)iocb->aio_rw_flags);
	iov_iter_destroy(&iter);
	/* There is nothing to restart later. */
	aio_request_complete(request, result == -ERESTARTSYS ? -EINTR : result);
	return 0;
}

static int start_sync(struct aio_request *request, const struct linux_iocb *iocb, bool data_only)
{
	struct file *file = request->file;

	if (iocb->aio_buf || iocb->aio_offset || iocb->aio_nbytes || iocb->aio_rw_flags)
		return -EINVAL;
	if (!file->ops->fsync)
		return -EINVAL;
	aio_request_complete(request, file->ops->fsync(file, data_only));
	return 0;
}

/* --- polls --- */

/* With the object's lock held: the look at it happens on the timer thread. */
static bool poll_wake(struct waiter *waiter, uint32_t events)
{
	ktimer_arm(&container_of(waiter, struct aio_request, waiter)->timer, 0);
	return true;
}

void aio_request_stop(struct aio_request *request)
{
	wait_queue_remove(&request->waiter);
	ktimer_cancel(&request->timer, true);
}

static void poll_look(struct aio_request *request)
{
	struct aio_context *context = request->context;
	uint32_t ready = file_poll(request->file) & request->poll_events;

	if (!ready)
		return;
	mutex_lock(&context->lock);
	if (!request->pending) {
		/* Not yet, or cancelled: who did that waits for this to end. */
		mutex_unlock(&context->lock);
		return;
	}
	TAILQ_REMOVE(&context->polls, request, link);
	request->pending = false;
	mutex_unlock(&context->lock);
	wait_queue_remove(&request->waiter);
	ktimer_cancel(&request->timer, false);
	aio_request_complete(request, ready);
}

static void poll_expire(struct ktimer *timer)
{
	poll_look(container_of(timer, struct aio_request, timer));
}

static int start_poll(struct aio_request *request, const struct linux_iocb *iocb)
{
	struct aio_context *context = request->context;
	struct file *file = request->file;
	uint32_t ready;

	if (iocb->aio_buf > UINT16_MAX || iocb->aio_offset || iocb->aio_nbytes ||
		iocb->aio_rw_flags)
		return -EINVAL;
	request->poll_events = (uint32_t)iocb->aio_buf | LINUX_EPOLLERR | LINUX_EPOLLHUP;
	ready = file_poll(file) & request->poll_events;
	if (ready || !file->ops->poll) {
		aio_request_complete(request, ready);
		return 0;
	}
	ktimer_init(&request->timer, poll_expire);
	request->waiter.events = request->poll_events;
	request->waiter.wake = poll_wake;
	wait_queue_add(file->ops->wait_queue(file), &request->waiter);
	mutex_lock(&context->lock);
	request->pending = true;
	TAILQ_INSERT_TAIL(&context->polls, request, link);
	/* What happened since the first look was seen by nobody. */
	ktimer_arm(&request->timer, 0);
	mutex_unlock(&context->lock);
	/* From here on it may complete, be cancelled and be gone. */
	return 0;
}

/* --- all of them --- */

static int find_files(struct aio_request *request, struct task *task, const struct linux_iocb *iocb)
{
	request->file = fd_get(task->files, (int)iocb->aio_fildes);
	if (!request->file)
		return -EBADF;
	if (!(iocb->aio_flags & LINUX_IOCB_FLAG_RESFD))
		return 0;
	request->eventfd = fd_get(task->files, (int)iocb->aio_resfd);
	if (!request->eventfd)
		return -EBADF;
	return file_is_eventfd(request->eventfd) ? 0 : -EINVAL;
}

int aio_request_start(struct aio_request *request, struct task *task, const struct linux_iocb *iocb)
{
	int error = find_files(request, task, iocb);

	if (error)
		return error;
	switch (iocb->aio_lio_opcode) {
	case LINUX_IOCB_CMD_PREAD:
		return start_transfer(request, task, iocb, false, false);
	case LINUX_IOCB_CMD_PWRITE:
		return start_transfer(request, task, iocb, false, true);
	case LINUX_IOCB_CMD_PREADV:
		return start_transfer(request, task, iocb, true, false);
	case LINUX_IOCB_CMD_PWRITEV:
		return start_transfer(request, task, iocb, true, true);
	case LINUX_IOCB_CMD_FSYNC:
		return start_sync(request, iocb, false);
	case LINUX_IOCB_CMD_FDSYNC:
		return start_sync(request, iocb, true);
	case LINUX_IOCB_CMD_POLL:
		return start_poll(request, iocb);
	default:
		return -EINVAL;
	}
}
