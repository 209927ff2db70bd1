/* SPDX-License-Identifier: Apache-2.0 */
/*
 * splice(2) and tee(2). Between pipes, slots move or are shared; to and from other files, data goes
 * between the file and the pipe's own pages, with no pipe lock held: slots are reserved, or taken
 * out and put back, around the file's call.
 *
 * Differs from Linux: pages of files are copied into the pipe, so later changes of the file do not
 * show in it.
 */
#include "sentry/fs/pipe/pipe.h"

#include "abi/epoll.h"
#include "abi/fcntl.h"
#include "abi/uio.h"
#include "sentry/kernel/signal.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/memory_file.h"
#include "sentry/vfs/file.h"

#include <errno.h>

#define SPLICE_BATCH 16

struct splice_batch {
	struct pipe *pipe;
	struct pipe_slot slots[SPLICE_BATCH];
	struct iov_piece pieces[SPLICE_BATCH];
	unsigned int count;
	size_t size; /* bytes wanted on the way in, held on the way out */
};

static bool splice_may_wait(const struct file *pipe_file, unsigned int flags)
{
	return !(flags & LINUX_SPLICE_F_NONBLOCK) && !(pipe_file->flags & LINUX_O_NONBLOCK);
}

static int64_t splice_wait(struct file *pipe_file, unsigned int flags, uint32_t events,
	int64_t (*attempt)(void *argument), void *argument)
{
	return splice_may_wait(pipe_file, flags)
		       ? file_wait(pipe_file, events, FILE_FOREVER, attempt, argument)
		       : attempt(argument);
}

static int64_t splice_broken_pipe(void)
{
	struct linux_siginfo info;

	siginfo_user(&info, LINUX_SIGPIPE, current, current);
	(void)signal_send_task(current, &info);
	return -EPIPE;
}

static void splice_batch_iter(struct splice_batch *batch, struct iov_iter *iter, bool fill)
{
	*iter = (struct iov_iter){.write = fill, .piece = batch->pieces, .pieces = batch->count};
	for (unsigned int i = 0; i < batch->count; i++) {
		struct pipe_slot *slot = &batch->slots[i];
		char *bytes = memory_file_pointer(slot->page);

		batch->pieces[i].base = (uint64_t)(uintptr_t)(bytes + slot->offset);
		batch->pieces[i].size = slot->size;
		iter->count += slot->size;
	}
	if (iter->count > batch->size)
		iov_iter_truncate(iter, batch->size);
}

/* Promises free slots to the batch and gets empty pages for them. */
static int64_t splice_reserve(void *argument)
{
	struct splice_batch *batch = argument;
	struct pipe *pipe = batch->pipe;
	unsigned int wanted =
		(unsigned int)min_u64((batch->size + PAGE_SIZE - 1) / PAGE_SIZE, SPLICE_BATCH);
	int error = 0;

	mutex_guard(&pipe->lock);
	if (!pipe->readers)
		return -EPIPE;
	wanted = (unsigned int)min_u64(wanted, pipe_room(pipe));
	if (!wanted)
		return -EAGAIN;
	for (batch->count = 0; batch->count < wanted; batch->count++) {
		struct pipe_slot *slot = &batch->slots[batch->count];

		*slot = (struct pipe_slot){.size = PAGE_SIZE, .flags = PIPE_SLOT_MERGE};
		error = pipe_page_get(pipe, &slot->page);
		if (error)
			break;
	}
	pipe->reserved += batch->count;
	return batch->count ? 0 : error;
}

/* Puts the first size bytes of the batch into the pipe; gives the other pages back. */
static void splice_commit(struct splice_batch *batch, size_t size)
{
	struct pipe *pipe = batch->pipe;

	mutex_lock(&pipe->lock);
	pipe->reserved -= batch->count;
	for (unsigned int i = 0; i < batch->count; i++) {
		struct pipe_slot *slot = &batch->slots[i];

		slot->size = (uint32_t)min_u64(size, PAGE_SIZE);
		size -= slot->size;
		if (slot->size && pipe->readers)
			*pipe_slot(pipe, pipe->head++) = *slot;
		else
			pipe_page_put(pipe, slot->page);
	}
	mutex_unlock(&pipe->lock);
	pipe_wake_readers(pipe);
	pipe_wake_writers(pipe);
}

int64_t splice_to_pipe(
	struct file *in, int64_t *position, struct file *pipe_file, size_t size, unsigned int flags)
{
	struct splice_batch batch = {.pipe = file_pipe(pipe_file), .size = size};
	struct iov_iter iter;
	int64_t done;

	done = splice_wait(pipe_file, flags, LINUX_EPOLLOUT, splice_reserve, &batch);
	if (done)
		return done == -EPIPE ? splice_broken_pipe() : done;
	splice_batch_iter(&batch, &iter, true);
	/* Of what is not a regular file, SPLICE_F_NONBLOCK asks for what is there now too. */
	done = file_read_flags(in, &iter, position,
		flags & LINUX_SPLICE_F_NONBLOCK && (in->mode & FILE_STREAM) ? LINUX_RWF_NOWAIT : 0);
	splice_commit(&batch, done > 0 ? (size_t)done : 0);
	return done;
}

/* Takes slots out of the pipe; the room that they had stays promised, so that they can go back. 0
 * at the end, else bytes held. */
static int64_t splice_take(void *argument)
{
	struct splice_batch *batch = argument;
	struct pipe *pipe = batch->pipe;
	size_t held = 0;

	mutex_guard(&pipe->lock);
	if (pipe_used(pipe) == 0)
		return pipe->writers || pipe->reserved ? -EAGAIN : 0;
	for (batch->count = 0;
		batch->count < SPLICE_BATCH && pipe_used(pipe) && held < batch->size;) {
		struct pipe_slot *slot = &batch->slots[batch->count++];

		*slot = *pipe_slot(pipe, pipe->tail++);
		held += slot->size;
	}
	pipe->reserved += batch->count;
	return (int64_t)min_u64(held, batch->size);
}

static void splice_put_back(struct splice_batch *batch, size_t used)
{
	struct pipe *pipe = batch->pipe;

	mutex_lock(&pipe->lock);
	pipe->reserved -= batch->count;
	for (unsigned int i = 0; i < batch->count; i++) {
		struct pipe_slot *slot = &batch->slots[i];
		uint32_t gone = (uint32_t)min_u64(used, slot->size);

		used -= gone;
		slot->offset += gone;
		slot->size -= gone;
		if (slot->size == 0)
			pipe_page_put(pipe, slot->page);
	}
	for (unsigned int i = batch->count; i-- > 0;)
		if (batch->slots[i].size)
			*pipe_slot(pipe, --pipe->tail) = batch->slots[i];
	mutex_unlock(&pipe->lock);
	pipe_wake_readers(pipe);
	pipe_wake_writers(pipe);
}

int64_t splice_from_pipe(struct file *pipe_file, struct file *out, int64_t *position, size_t size,
	unsigned int flags)
{
	int64_t total = 0, held, done;

	while (size) {
		struct splice_batch batch = {.pipe = file_pipe(pipe_file), .size = size};
		struct iov_iter iter;

		/* Only the first round waits for data. */
		held = total ? splice_take(&batch)
			     : splice_wait(pipe_file, flags, LINUX_EPOLLIN, splice_take, &batch);
		if (held <= 0)
			return total ? total : held;
		splice_batch_iter(&batch, &iter, false);
		done = file_write(out, &iter, position);
		splice_put_back(&batch, done > 0 ? (size_t)done : 0);
		if (done <= 0)
			return total ? total : done;
		total += done;
		size -= (size_t)done;
		if (done < held)
			break;
	}
	return total;
}

struct splice_pair {
	struct pipe *in, *out;
	size_t size;
	bool keep; /* tee: the slots stay in the source too */
	bool input_missing;
};

static int64_t splice_move_locked(struct splice_pair *pair)
{
	struct pipe *in = pair->in, *out = pair->out;
	unsigned int position = in->tail;
	size_t left = pair->size;

	while (left && position != in->head && pipe_room(out)) {
		struct pipe_slot *source = pipe_slot(in, position), *target;
		uint32_t size = (uint32_t)min_u64(source->size, left);
		bool whole = size == source->size;

		target = pipe_slot(out, out->head++);
		*target = *source;
		target->size = size;
		/* Two pipes must not both append to one page. */
		target->flags &= ~(uint32_t)PIPE_SLOT_MERGE;
		if (pair->keep || !whole)
			memory_file_get(source->page, PAGE_SIZE);
		if (!pair->keep && whole)
			in->tail++;
		if (!pair->keep && !whole) {
			source->offset += size;
			source->size -= size;
		}
		position++;
		left -= size;
	}
	return (int64_t)(pair->size - left);
}

static int64_t splice_move(struct splice_pair *pair)
{
	struct pipe *first = pair->in < pair->out ? pair->in : pair->out;
	struct pipe *second = first == pair->in ? pair->out : pair->in;
	int64_t done;

	mutex_lock(&first->lock);
	mutex_lock_nested(&second->lock);
	pair->input_missing = pipe_used(pair->in) == 0;
	if (pair->input_missing)
		done = pair->in->writers || pair->in->reserved ? -EAGAIN : 0;
	else if (!pair->out->readers)
		done = -EPIPE;
	else
		done = pipe_room(pair->out) ? splice_move_locked(pair) : -EAGAIN;
	mutex_unlock(&second->lock);
	mutex_unlock(&first->lock);
	if (done > 0) {
		pipe_wake_readers(pair->out);
		if (!pair->keep)
			pipe_wake_writers(pair->in);
	}
	return done;
}

static int64_t splice_wait_input(void *argument)
{
	struct pipe *pipe = ((struct splice_pair *)argument)->in;

	mutex_guard(&pipe->lock);
	return pipe_used(pipe) || !(pipe->writers || pipe->reserved) ? 0 : -EAGAIN;
}

static int64_t splice_wait_room(void *argument)
{
	struct pipe *pipe = ((struct splice_pair *)argument)->out;

	mutex_guard(&pipe->lock);
	return pipe_room(pipe) || !pipe->readers ? 0 : -EAGAIN;
}

int64_t splice_pipes(struct file *in, struct file *out, size_t size, unsigned int flags, bool keep)
{
	struct splice_pair pair = {
		.in = file_pipe(in), .out = file_pipe(out), .size = size, .keep = keep};

	if (pair.in == pair.out)
		return -EINVAL;
	for (;;) {
		int64_t done = splice_move(&pair);
		struct file *waits_for = pair.input_missing ? in : out;

		if (done == -EPIPE)
			return splice_broken_pipe();
		if (done != -EAGAIN || !splice_may_wait(waits_for, flags))
			return done;
		done = pair.input_missing ? file_wait(in, LINUX_EPOLLIN, FILE_FOREVER,
						    splice_wait_input, &pair)
					  : file_wait(out, LINUX_EPOLLOUT, FILE_FOREVER,
						    splice_wait_room, &pair);
		if (done)
			return done;
	}
}
