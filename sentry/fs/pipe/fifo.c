/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening FIFOs, and which pipe stands behind an inode: the pipe lives from the first open to the
 * last close.
 */
#include "sentry/fs/pipe/pipe.h"

#include "abi/epoll.h"
#include "abi/fcntl.h"
#include "sentry/kernel/task.h"
#include "sentry/lock_order.h"
#include "sentry/vfs/file.h"

#include <errno.h>

static struct mutex fifo_lock;

static void __attribute__((constructor)) fifo_start(void)
{
	mutex_init(&fifo_lock, RANK_PIPE, "fifo");
}

void fifo_attach(struct pipe *pipe, struct inode *inode)
{
	mutex_guard(&fifo_lock);
	pipe->files++;
	pipe->inode = inode;
	inode->fifo = pipe;
}

void fifo_detach(struct pipe *pipe)
{
	bool last;

	mutex_lock(&fifo_lock);
	last = --pipe->files == 0;
	if (last)
		pipe->inode->fifo = NULL;
	mutex_unlock(&fifo_lock);
	if (last)
		pipe_free(pipe);
}

/* The inode's pipe, made if there is none, with one more file counted. */
static int fifo_get_pipe(struct inode *inode, struct pipe **out)
{
	struct pipe *fresh, *pipe;
	int error = pipe_new(&fresh);

	if (error)
		return error;
	mutex_lock(&fifo_lock);
	pipe = inode->fifo;
	if (!pipe) {
		pipe = fresh;
		pipe->inode = inode;
		inode->fifo = pipe;
		fresh = NULL;
	}
	pipe->files++;
	mutex_unlock(&fifo_lock);
	pipe_free(fresh);
	*out = pipe;
	return 0;
}

static void fifo_wake(struct pipe *pipe)
{
	wait_queue_wake(&pipe->queue, LINUX_EPOLLIN | LINUX_EPOLLOUT | LINUX_EPOLLHUP);
}

/* Waits until a counter of opens moves: the partner may have closed again by the time that we run.
 */
static int fifo_wait_for_partner(struct pipe *pipe, const unsigned int *opens, unsigned int seen)
{
	struct waiter waiter;
	int error = 0;

	waiter_init_task(&waiter, current, LINUX_EPOLLIN | LINUX_EPOLLOUT);
	wait_queue_add(&pipe->queue, &waiter);
	for (;;) {
		mutex_lock(&pipe->lock);
		bool came = *opens != seen;
		mutex_unlock(&pipe->lock);
		if (came)
			error = 0;
		if (came || error)
			break;
		error = task_block(current, INT64_MAX);
	}
	wait_queue_remove(&waiter);
	return error;
}

static void fifo_count(struct pipe *pipe, unsigned int mode)
{
	if (mode & FILE_READ) {
		pipe->readers++;
		pipe->reader_opens++;
	}
	if (mode & FILE_WRITE) {
		pipe->writers++;
		pipe->writer_opens++;
	}
}

static void fifo_uncount(struct pipe *pipe, unsigned int mode)
{
	mutex_lock(&pipe->lock);
	if (mode & FILE_READ)
		pipe->readers--;
	if (mode & FILE_WRITE)
		pipe->writers--;
	mutex_unlock(&pipe->lock);
	fifo_wake(pipe);
}

int fifo_open(struct inode *inode, struct file *file)
{
	bool no_wait = file->flags & LINUX_O_NONBLOCK;
	unsigned int mode = file->mode & (FILE_READ | FILE_WRITE), seen = 0;
	const unsigned int *partner = NULL;
	int64_t known_writers = -1;
	struct pipe *pipe;
	int error = mode ? fifo_get_pipe(inode, &pipe) : -EINVAL;

	if (error)
		return error;
	mutex_lock(&pipe->lock);
	if (!pipe->anonymous && mode == FILE_WRITE && no_wait && !pipe->readers)
		error = -ENXIO;
	else
		fifo_count(pipe, mode);
	if (!error && !pipe->anonymous && mode == FILE_READ && !pipe->writers) {
		/* No hang-up is reported to this file until it has seen a writer. */
		known_writers = pipe->writer_opens;
		partner = no_wait ? NULL : &pipe->writer_opens;
		seen = pipe->writer_opens;
	} else if (!error && !pipe->anonymous && mode == FILE_WRITE && !pipe->readers) {
		partner = &pipe->reader_opens;
		seen = pipe->reader_opens;
	}
	mutex_unlock(&pipe->lock);
	if (!error) {
		fifo_wake(pipe);
		if (partner)
			error = fifo_wait_for_partner(pipe, partner, seen);
		if (error)
			fifo_uncount(pipe, mode);
	}
	if (error) {
		fifo_detach(pipe);
		return error;
	}
	file->position = partner ? -1 : known_writers;
	file->mode = (file->mode & ~(unsigned int)FILE_SEEKABLE) | FILE_STREAM;
	file->ops = &pipe_file_operations;
	file->private = pipe;
	return 0;
}
