/* SPDX-License-Identifier: Apache-2.0 */
/* Inherited descriptors as inodes; private to sentry/fs/host/. */
#pragma once

#include "sentry/kernel/host_poll.h"
#include "sentry/kernel/wait_queue.h"
#include "sentry/mm/mappable.h"
#include "sentry/vfs/file.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

/* inode.private of an inherited descriptor; it lives as long as any file of it. */
struct host_stdio {
	int fd;		     /* all set once, up to reactor_lock */
	struct inode *inode; /* not a reference */
	unsigned int host_ids;
	bool own_description; /* O_NONBLOCK is set: the host does not block */
	bool is_socket, is_terminal;
	bool has_status; /* the status line may be there */
	size_t write_piece; /* what a write may take at once without blocking, after poll(2) said
			       yes */
	struct wait_queue queue;
	pthread_mutex_t reactor_lock; /* of the next two */
	struct host_poll_source source;
	bool registered;
	struct mappable mappable; /* regular files */
};

static inline struct host_stdio *host_stdio_of(const struct file *file)
{
	return file->inode->private;
}

/* host_stdio_stream.c: FIFOs, sockets, terminals. host_stdio_regular.c: files with a position. */
extern const struct file_operations host_stdio_stream_ops, host_stdio_regular_ops;
extern const struct mappable_operations host_stdio_mappable_ops;
/* host_stdio_status.c: is it a terminal, and has the first of them the line now? Then every write
 * there is between the other two. */
must_check bool host_stdio_status_use(int fd);
void host_stdio_status_begin(void);
void host_stdio_status_end(const struct iovec *iov, int64_t written);

/* host_stdio_regular.c; RANK_INODE held */
int host_stdio_setattr(
	struct inode *inode, const struct inode_attributes *attributes, unsigned int mask);
int host_stdio_getattr(struct inode *inode);
