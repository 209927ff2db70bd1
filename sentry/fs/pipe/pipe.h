/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sentry/fs/pipe/ - pipes and FIFOs (pipe(7), fifo(7)), and what splice(2) does with them.
 *
 * A pipe is a ring of slots, each at most one page of the memory file, as in Linux: so atomicity,
 * capacity and readiness come out the same to the byte. Pages are charged to the sandbox's memory.
 *
 * Locks: fifo_lock (which pipe belongs to which inode, and how many files have it open), then
 * pipe->lock; both RANK_PIPE. Two pipes are locked lower address first.
 */
#pragma once

#include "base/compiler.h"
#include "base/lock.h"
#include "sentry/kernel/wait_queue.h"
#include "sentry/mm/iov_iter.h"

#include <stdbool.h>
#include <stdint.h>

struct file;
struct inode;
struct task;

#define PIPE_DEFAULT_SLOTS 16
#define PIPE_SPARE_PAGES   16

enum pipe_slot_flags {
	PIPE_SLOT_PACKET = 1, /* O_DIRECT: a read never goes past its end */
	PIPE_SLOT_MERGE = 2,  /* later writes may fill the page up */
};

struct pipe_slot {
	uint64_t page; /* offset in the memory file; the slot holds a reference */
	uint32_t offset, size;
	uint32_t flags;
};

struct pipe {
	struct mutex lock;
	struct wait_queue queue; /* of readers and writers both: they ask for different events */
	struct pipe_slot *slots; /* a ring of slot_count, a power of two */
	unsigned int slot_count;
	unsigned int head, tail; /* free-running: head - tail are in use */
	unsigned int reserved;	 /* free slots promised to a splice that is under way */
	unsigned int readers, writers;
	unsigned int reader_opens, writer_opens; /* ever, for opens that wait for the other side */
	bool poll_used; /* somebody polls: every write is an event (edge-triggered epoll relies on
			   it) */
	bool anonymous; /* made by pipe(2): its inode's opens never wait */
	uint64_t spare[PIPE_SPARE_PAGES];
	unsigned int spare_count;
	unsigned int files;  /* fifo_lock: open files */
	struct inode *inode; /* fifo_lock: not a reference, the files hold one */
};

/* --- pipe.c --- */

/* pipe2(2): files[0] reads, files[1] writes. flags: LINUX_O_NONBLOCK, LINUX_O_DIRECT. */
must_check int pipe_create_files(uint32_t flags, struct file *files[2]);
must_check int pipe_new(struct pipe **out);
void pipe_free(struct pipe *pipe);
/* The pipe behind a file, or NULL. */
struct pipe *file_pipe(const struct file *file);
/* F_SETPIPE_SZ and F_GETPIPE_SZ; -EBADF for what is no pipe. */
int64_t pipe_fcntl(struct file *file, unsigned int command, uint64_t argument);
extern const struct file_operations pipe_file_operations;
/* /proc/sys/fs/pipe-max-size. */
#define PIPE_MAX_SIZE (1u << 20)

static inline unsigned int pipe_used(const struct pipe *pipe)
{
	return pipe->head - pipe->tail;
}

static inline unsigned int pipe_room(const struct pipe *pipe)
{
	unsigned int taken = pipe_used(pipe) + pipe->reserved;

	return taken < pipe->slot_count ? pipe->slot_count - taken : 0;
}

static inline struct pipe_slot *pipe_slot(const struct pipe *pipe, unsigned int position)
{
	return &pipe->slots[position & (pipe->slot_count - 1)];
}

/* pipe->lock held: a page from the spare ones or the memory file; gives one back. */
must_check int pipe_page_get(struct pipe *pipe, uint64_t *page);
void pipe_page_put(struct pipe *pipe, uint64_t page);
/* Wakes who waits for data or for room. With or without the lock. */
void pipe_wake_readers(struct pipe *pipe);
void pipe_wake_writers(struct pipe *pipe);
/* The attempt behind write(2); also for vmsplice(2). */
must_check int64_t pipe_write_attempt(struct file *file, struct iov_iter *from);

/* --- fifo.c --- */

/*
 * The open of a FIFO, or of a pipe's inode through /proc: sets file->ops and private; file->flags
 * and mode are as open(2) gave them. Blocks the current task as fifo(7) says. -ENXIO, -ERESTARTSYS,
 * -ENOMEM; after a failure nothing is left behind.
 */
must_check int fifo_open(struct inode *inode, struct file *file);
/* One more file has the pipe open: fifo_lock inside. */
void fifo_attach(struct pipe *pipe, struct inode *inode);
/* A file is gone; frees the pipe with the last one. */
void fifo_detach(struct pipe *pipe);

/* --- splice.c: what the system calls do, after their arguments were taken apart. flags:
 * LINUX_SPLICE_F_*. --- */

/* position NULL: the file's own. Bytes moved, 0 at the end. */
must_check int64_t splice_to_pipe(struct file *in, int64_t *position, struct file *pipe_file,
	size_t size, unsigned int flags);
must_check int64_t splice_from_pipe(struct file *pipe_file, struct file *out, int64_t *position,
	size_t size, unsigned int flags);
must_check int64_t splice_pipes(
	struct file *in, struct file *out, size_t size, unsigned int flags, bool keep);
