/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pipes: the ring, reading, writing, readiness and capacity.
 *
 * Differs from Linux: the pages of pipes are charged to the sandbox's memory limit instead of
 * pipe-user-pages-soft and -hard, and a capacity past 64 MiB is -ENOMEM for everybody.
 * O_NOTIFICATION_PIPE is -ENOPKG (no watch queues).
 */
#include "sentry/fs/pipe/pipe.h"

#include "abi/capability.h"
#include "abi/epoll.h"
#include "abi/fcntl.h"
#include "abi/ioctl.h"
#include "abi/limits.h"
#include "abi/stat.h"
#include "base/log.h"
#include "sentry/kernel/task.h"
#include "sentry/lock_order.h"
#include "sentry/mm/memory_file.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <stdlib.h>

#define PIPE_SLOTS_LIMIT ((64u << 20) / (unsigned int)PAGE_SIZE)

int pipe_new(struct pipe **out)
{
	struct pipe *pipe = calloc(1, sizeof(*pipe));

	if (!pipe)
		return -ENOMEM;
	pipe->slots = calloc(PIPE_DEFAULT_SLOTS, sizeof(*pipe->slots));
	if (!pipe->slots) {
		free(pipe);
		return -ENOMEM;
	}
	pipe->slot_count = PIPE_DEFAULT_SLOTS;
	mutex_init(&pipe->lock, RANK_PIPE, "pipe");
	wait_queue_init(&pipe->queue);
	*out = pipe;
	return 0;
}

void pipe_free(struct pipe *pipe)
{
	if (!pipe)
		return;
	for (; pipe->tail != pipe->head; pipe->tail++)
		memory_file_put(pipe_slot(pipe, pipe->tail)->page, PAGE_SIZE);
	while (pipe->spare_count)
		memory_file_put(pipe->spare[--pipe->spare_count], PAGE_SIZE);
	wait_queue_destroy(&pipe->queue);
	mutex_destroy(&pipe->lock);
	free(pipe->slots);
	free(pipe);
}

int pipe_page_get(struct pipe *pipe, uint64_t *page)
{
	if (pipe->spare_count) {
		*page = pipe->spare[--pipe->spare_count];
		return 0;
	}
	return memory_file_has_room(PAGE_SIZE) ? memory_file_allocate_unclean(PAGE_SIZE, page)
					       : -ENOMEM;
}

void pipe_page_put(struct pipe *pipe, uint64_t page)
{
	/* A page that tee(2) shares is not ours alone to write to. */
	if (pipe->spare_count < PIPE_SPARE_PAGES && memory_file_references(page) == 1)
		pipe->spare[pipe->spare_count++] = page;
	else
		memory_file_put(page, PAGE_SIZE);
}

void pipe_wake_readers(struct pipe *pipe)
{
	wait_queue_wake(&pipe->queue, LINUX_EPOLLIN | LINUX_EPOLLRDNORM);
}

void pipe_wake_writers(struct pipe *pipe)
{
	wait_queue_wake(&pipe->queue, LINUX_EPOLLOUT | LINUX_EPOLLWRNORM);
}

struct pipe *file_pipe(const struct file *file)
{
	return file->ops == &pipe_file_operations ? file->private : NULL;
}

/* Copies from slots until the iterator is full, or a packet ends. Fewer than wanted, with *fault
 * set, at a bad address. */
static int64_t pipe_drain(struct pipe *pipe, struct iov_iter *to, bool *fault)
{
	int64_t done = 0;

	while (iov_iter_count(to) && pipe_used(pipe)) {
		struct pipe_slot *slot = pipe_slot(pipe, pipe->tail);
		size_t wanted = min_u64(slot->size, iov_iter_count(to));
		char *bytes = memory_file_pointer(slot->page);
		size_t copied = copy_to_iter(bytes + slot->offset, wanted, to);
		bool packet = slot->flags & PIPE_SLOT_PACKET;

		done += (int64_t)copied;
		slot->offset += (uint32_t)copied;
		slot->size -= (uint32_t)copied;
		*fault = copied < wanted;
		if (*fault)
			break;
		if (slot->size == 0 || packet) {
			pipe_page_put(pipe, slot->page);
			pipe->tail++;
		}
		if (packet)
			break;
	}
	return done;
}

static int64_t pipe_read(struct file *file, struct iov_iter *to, int64_t *position)
{
	struct pipe *pipe = file->private;
	bool was_full, fault = false;
	int64_t done;

	if (iov_iter_count(to) == 0)
		return 0;
	mutex_lock(&pipe->lock);
	was_full = pipe_room(pipe) == 0;
	if (pipe_used(pipe)) {
		done = pipe_drain(pipe, to, &fault);
		if (done == 0 && fault)
			done = -EFAULT;
	} else {
		/* A splice that took the slots out may still put them back. */
		done = pipe->writers || pipe->reserved ? -EAGAIN : 0;
	}
	was_full = was_full && pipe_room(pipe);
	mutex_unlock(&pipe->lock);
	if (was_full)
		pipe_wake_writers(pipe);
	else if (done > 0)
		wait_queue_wake_each(&pipe->queue, LINUX_EPOLLOUT | LINUX_EPOLLWRNORM);
	return done;
}

/* Appends to the last page what fits there whole: only the part of a write beyond whole pages is
 * merged, as in Linux. */
static int64_t pipe_merge(struct pipe *pipe, struct iov_iter *from)
{
	size_t size = iov_iter_count(from) & (PAGE_SIZE - 1), copied;
	struct pipe_slot *slot;
	char *bytes;

	if (size == 0 || pipe_used(pipe) == 0)
		return 0;
	slot = pipe_slot(pipe, pipe->head - 1);
	if (!(slot->flags & PIPE_SLOT_MERGE) || slot->offset + slot->size + size > PAGE_SIZE)
		return 0;
	bytes = memory_file_pointer(slot->page);
	copied = copy_from_iter(bytes + slot->offset + slot->size, size, from);
	if (copied < size) {
		iov_iter_revert(from, copied);
		return -EFAULT;
	}
	slot->size += (uint32_t)size;
	return (int64_t)size;
}

/* Fills one free slot. */
static int64_t pipe_append(struct pipe *pipe, struct iov_iter *from, uint32_t flags)
{
	struct pipe_slot *slot = pipe_slot(pipe, pipe->head);
	size_t size = min_u64(iov_iter_count(from), PAGE_SIZE), copied;
	uint64_t page;
	int error = pipe_page_get(pipe, &page);

	if (error)
		return error;
	copied = copy_from_iter(memory_file_pointer(page), size, from);
	if (copied < size) {
		iov_iter_revert(from, copied);
		pipe_page_put(pipe, page);
		return -EFAULT;
	}
	*slot = (struct pipe_slot){.page = page, .size = (uint32_t)copied, .flags = flags};
	pipe->head++;
	return (int64_t)copied;
}

static int64_t pipe_fill(struct pipe *pipe, struct iov_iter *from, uint32_t slot_flags)
{
	int64_t done = pipe_merge(pipe, from);

	if (done < 0)
		return done;
	while (iov_iter_count(from)) {
		size_t wanted = min_u64(iov_iter_count(from), PAGE_SIZE);
		int64_t more = pipe_room(pipe) ? pipe_append(pipe, from, slot_flags) : -EAGAIN;

		if (more < 0)
			return done ? done : more;
		done += more;
		if ((size_t)more < wanted)
			break;
	}
	return done;
}

int64_t pipe_write_attempt(struct file *file, struct iov_iter *from)
{
	struct pipe *pipe = file->private;
	bool packets = atomic_load_explicit(&file->flags, memory_order_relaxed) & LINUX_O_DIRECT;
	bool was_empty, tell;
	int64_t done;

	if (iov_iter_count(from) == 0)
		return 0;
	mutex_lock(&pipe->lock);
	was_empty = pipe_used(pipe) == 0;
	done = pipe->readers ? pipe_fill(pipe, from, packets ? PIPE_SLOT_PACKET : PIPE_SLOT_MERGE)
			     : -EPIPE;
	tell = done > 0 && (was_empty || pipe->poll_used);
	mutex_unlock(&pipe->lock);
	if (tell)
		pipe_wake_readers(pipe);
	else if (done > 0)
		wait_queue_wake_each(&pipe->queue, LINUX_EPOLLIN | LINUX_EPOLLRDNORM);
	return done;
}

static int64_t pipe_write(struct file *file, struct iov_iter *from, int64_t *position)
{
	int64_t done = pipe_write_attempt(file, from);
	struct pipe *pipe = file->private;

	if (done > 0 && !pipe->anonymous)
		inode_touch_mtime(file->inode);
	return done;
}

static uint32_t pipe_poll(struct file *file)
{
	struct pipe *pipe = file->private;
	uint32_t events = 0;

	mutex_guard(&pipe->lock);
	pipe->poll_used = true;
	if (file->mode & FILE_READ) {
		if (pipe_used(pipe))
			events |= LINUX_EPOLLIN | LINUX_EPOLLRDNORM;
		/* position: the writers that this file knew of when it was opened without one. */
		if (!pipe->writers && file->position != (int64_t)pipe->writer_opens)
			events |= LINUX_EPOLLHUP;
	}
	if (file->mode & FILE_WRITE) {
		if (pipe_room(pipe))
			events |= LINUX_EPOLLOUT | LINUX_EPOLLWRNORM;
		if (!pipe->readers)
			events |= LINUX_EPOLLERR;
	}
	return events;
}

static struct wait_queue *pipe_wait_queue(struct file *file)
{
	struct pipe *pipe = file->private;

	return &pipe->queue;
}

static int64_t pipe_ioctl(struct file *file, struct task *task, uint32_t command, uint64_t argument)
{
	struct pipe *pipe = file->private;
	uint64_t bytes = 0;
	int32_t value;

	if (command != LINUX_FIONREAD)
		return -ENOTTY;
	mutex_lock(&pipe->lock);
	for (unsigned int i = pipe->tail; i != pipe->head; i++)
		bytes += pipe_slot(pipe, i)->size;
	mutex_unlock(&pipe->lock);
	value = (int32_t)bytes;
	return mm_copy_out(task->mm, argument, &value, sizeof(value));
}

static void pipe_release(struct file *file)
{
	struct pipe *pipe = file->private;
	bool half_open;

	mutex_lock(&pipe->lock);
	if (file->mode & FILE_READ)
		pipe->readers--;
	if (file->mode & FILE_WRITE)
		pipe->writers--;
	half_open = !pipe->readers != !pipe->writers;
	mutex_unlock(&pipe->lock);
	if (half_open)
		wait_queue_wake(&pipe->queue, LINUX_EPOLLIN | LINUX_EPOLLRDNORM | LINUX_EPOLLOUT |
						      LINUX_EPOLLWRNORM | LINUX_EPOLLERR |
						      LINUX_EPOLLHUP);
	fifo_detach(pipe);
}

const struct file_operations pipe_file_operations = {
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.wait_queue = pipe_wait_queue,
	.ioctl = pipe_ioctl,
	.release = pipe_release,
};

/* Moves the ring to one of another size. pipe->lock held. */
static int pipe_resize_locked(struct pipe *pipe, unsigned int slot_count)
{
	unsigned int used = pipe_used(pipe);
	struct pipe_slot *slots;

	if (slot_count < used + pipe->reserved)
		return -EBUSY;
	slots = calloc(slot_count, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (unsigned int i = 0; i < used; i++)
		slots[i] = *pipe_slot(pipe, pipe->tail + i);
	free(pipe->slots);
	pipe->slots = slots;
	pipe->slot_count = slot_count;
	pipe->tail = 0;
	pipe->head = used;
	return 0;
}

static int64_t pipe_set_size(struct pipe *pipe, uint64_t size)
{
	unsigned int slot_count = 1;
	bool grown;
	int error;

	if (size > 1u << 31)
		return -EINVAL;
	while ((uint64_t)slot_count * PAGE_SIZE < size)
		slot_count *= 2;
	if (slot_count > PIPE_MAX_SIZE / PAGE_SIZE && slot_count > pipe->slot_count &&
		!capable(LINUX_CAP_SYS_RESOURCE))
		return -EPERM;
	if (slot_count > PIPE_SLOTS_LIMIT)
		return -ENOMEM;
	mutex_lock(&pipe->lock);
	grown = slot_count > pipe->slot_count;
	error = pipe_resize_locked(pipe, slot_count);
	mutex_unlock(&pipe->lock);
	if (error)
		return error;
	if (grown)
		pipe_wake_writers(pipe);
	return (int64_t)(slot_count * PAGE_SIZE);
}

int64_t pipe_fcntl(struct file *file, unsigned int command, uint64_t argument)
{
	struct pipe *pipe = file_pipe(file);

	if (!pipe)
		return -EBADF;
	if (command == LINUX_F_SETPIPE_SZ)
		return pipe_set_size(pipe, (unsigned int)argument);
	if (command == LINUX_F_GETPIPE_SZ)
		return (int64_t)(pipe->slot_count * PAGE_SIZE);
	return -EINVAL;
}

int pipe_create_files(uint32_t flags, struct file *files[2])
{
	struct inode *inode;
	struct pipe *pipe;
	int error = pseudo_inode_new(LINUX_S_IFIFO | 0600, &inode);

	if (error)
		return error;
	error = pipe_new(&pipe);
	if (error) {
		inode_put(inode);
		return error;
	}
	pipe->anonymous = true;
	pipe->readers = pipe->writers = 1;
	pipe->reader_opens = pipe->writer_opens = 1;
	error = file_new_anonymous(inode_get(inode), &pipe_file_operations, FILE_READ | FILE_STREAM,
		LINUX_O_RDONLY | (flags & LINUX_O_NONBLOCK), pipe, "pipe", &files[0]);
	if (error) {
		inode_put(inode);
		pipe_free(pipe);
		return error;
	}
	fifo_attach(pipe, inode);
	error = file_new_anonymous(inode, &pipe_file_operations, FILE_WRITE | FILE_STREAM,
		LINUX_O_WRONLY | flags, pipe, "pipe", &files[1]);
	if (error) {
		file_put(files[0]);
		return error;
	}
	fifo_attach(pipe, files[1]->inode);
	return 0;
}
