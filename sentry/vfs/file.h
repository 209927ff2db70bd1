/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Open files, and descriptor tables.
 *
 * A file operation never blocks: -EAGAIN means that poll() may change, and the VFS blocks the task
 * (file_read(), file_write(), file_wait()). So each object implements only the attempt, its
 * readiness and its wait queue.
 */
#pragma once

#include "base/compiler.h"
#include "base/lock.h"
#include "base/refcount.h"
#include "sentry/kernel/wait_queue.h"
#include "sentry/mm/iov_iter.h"
#include "sentry/vfs/inode.h"
#include "sentry/vfs/path.h"

#include <bsd/sys/queue.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct cred;
struct epoll_item;
struct file;
struct landlock_domain;
struct pid;
struct task;
struct text_writer;

enum file_mode {
	FILE_READ = 1,
	FILE_WRITE = 2,
	FILE_EXEC = 4,	    /* opened by execve */
	FILE_PATH = 8,	    /* O_PATH: names a place, reads nothing */
	FILE_SEEKABLE = 16, /* has a position: pread and lseek work */
	FILE_STREAM = 32,   /* position is never used (pipes, sockets): no lock is taken for it */
	FILE_NO_SIGPIPE = 128, /* -EPIPE from write raises no SIGPIPE (datagram sockets) though it
				  is a stream */
	FILE_NO_NOTIFY = 512, /* of fanotify(7)'s: what is done with it is told to nobody */
	FILE_CREATED = 256, /* the open(2) that made this made the inode too */
	FILE_NO_WAIT = 64, /* read and write may wait for the host's disk, never for an event: no
			      -EAGAIN */
};

/*
 * Locks. read: RANK_FILE may be held (so never take RANK_INODE in it). write and fallocate of a
 * REGULAR file: RANK_INODE of file->inode is held (and perhaps RANK_FILE); *position is the place
 * already (O_APPEND and RLIMIT_FSIZE were seen to), set-user-ID bits are stripped, and the VFS sets
 * mtime and ctime after success; the operation updates attributes.size and blocks. Of other types:
 * RANK_FILE at most, none for FILE_STREAM. seek: RANK_FILE. iterate: RANK_INODE and RANK_FILE.
 * ioctl, mmap, fsync, flush, set_flags, release, poll: none.
 *
 * A blocking write to a FILE_STREAM goes on after a short count while iov_iter_count(from) > 0; an
 * operation that takes only a part for good (eventfd takes 8 bytes) says so with
 * iov_iter_truncate(). -EPIPE on a FILE_STREAM makes file_write() raise SIGPIPE.
 */
struct file_operations {
	/*
	 * Bytes moved, 0 at the end, or an error; -EAGAIN: not now. *position is read and advanced.
	 * write may take only a part (pipes, sockets, ttys): a blocking write(2) goes on until the
	 * iterator is empty or an error comes.
	 */
	int64_t (*read)(struct file *file, struct iov_iter *to, int64_t *position);
	int64_t (*write)(struct file *file, struct iov_iter *from, int64_t *position);
	/* Ready now: LINUX_EPOLL* bits. NULL: always readable and writable. */
	uint32_t (*poll)(struct file *file);
	/* Told of changes; NULL only together with poll. */
	struct wait_queue *(*wait_queue)(struct file *file);
	/* -ENOTTY for what it does not know. arg is a guest address or a number. */
	int64_t (*ioctl)(struct file *file, struct task *task, uint32_t command, uint64_t argument);
	/* Directory: entries from context->position on; 0 at the end. RANK_INODE held by the
	 * caller. */
	int (*iterate)(struct file *file, struct dir_context *context);
	/* The new position. NULL: the VFS's rules with attributes.size, if FILE_SEEKABLE. */
	int64_t (*seek)(struct file *file, int64_t offset, int whence);
	/*
	 * Hands out what pages are mapped from; called once an mmap, without RANK_MM.
	 * shared/protection/max_protection as asked, may be narrowed
	 * (*max_protection). NULL: -ENODEV. The mm holds the file, so the mappable lives as long as
	 * that. When *anonymous is set to true (as /dev/zero does), the mapping becomes anonymous
	 * memory instead.
	 */
	int (*mmap)(struct file *file, bool shared, int protection, int *max_protection,
		struct mappable **out, bool *anonymous);
	int (*fsync)(struct file *file, bool data_only);
	int (*fallocate)(struct file *file, int mode, int64_t offset, int64_t length);
	/* At each close(2) of a descriptor, before the reference goes; may return an error to the
	 * guest. */
	int (*flush)(struct file *file);
	/* F_SETFL is about to change these flags; NULL: the VFS just stores them. */
	int (*set_flags)(struct file *file, uint32_t flags);
	/* The last reference went. */
	void (*release)(struct file *file);
	/*
	 * How long a blocking read or write waits (SO_RCVTIMEO, SO_SNDTIMEO): relative nanoseconds,
	 * FILE_FOREVER; NULL: for ever. When the time is over the call returns -EAGAIN, and a
	 * signal makes it -EINTR instead of -ERESTARTSYS if there was a limit.
	 */
	int64_t (*timeout)(struct file *file, bool write);
	/* Additional lines for /proc/PID/fdinfo. */
	void (*show_fdinfo)(struct file *file, struct text_writer *out);
	/* Splices between a pipe and this file without a copy through a buffer; NULL: the generic
	 * way. */
	const char *name; /* for the anonymous inode: "[eventfd]"... or NULL */
};

struct file {
	struct refcount refs;
	const struct file_operations *ops; /* set once open returned */
	struct inode *inode;		   /* set once; a reference; path.dentry's own */
	struct path path;  /* set once; references. dentry is NULL for anonymous files (pipes...):
			      use file_path() */
	unsigned int mode; /* enum file_mode; set once */
	_Atomic uint32_t flags; /* LINUX_O_* status flags: APPEND, NONBLOCK, DIRECT, NOATIME,
				   ASYNC... and the access mode */
	struct mutex lock;	/* RANK_FILE: position, owner */
	int64_t position;
	const struct cred *cred; /* opener's; set once */
	struct {
		struct pid *pid; /* F_SETOWN; a reference */
		int type;	 /* LINUX_F_OWNER_* */
		int signal;	 /* F_SETSIG */
		uint32_t uid, euid;
		/* Of who set it, if that one's signals stay within it; references, or NULL. */
		struct landlock_domain *landlock;
		struct pid *setter;
	} owner;
	LIST_HEAD(, epoll_item)
	epoll_items;	       /* guarded by fs/anon/epoll.c's own lock: who watches this file */
	_Atomic bool watched;  /* epoll_items was ever used */
	_Atomic bool notified; /* dnotify_set() ever was */
	struct waiter async_waiter; /* FASYNC */
	void *private;		    /* the operations' own */
	const char *name;	    /* of an anonymous file; static */
	struct file_async *async;   /* fasync.c's own; guarded by lock */
	atomic_uint lock_count;	    /* file_lock.c's: flock and OFD locks that it ever took */
	/* LINUX_LANDLOCK_ACCESS_FS_* that its opener had not, of those that are asked for later; set
	 * once. */
	uint16_t landlock_denied;
};

/*
 * A file of an inode that has no name of its own in a tree: eventfd, pipe, socket, memfd. inode's
 * reference is consumed, also on failure. name: for the anonymous inode a static string as
 * ops->name; for inodes of a real file system (memfd) the name that its dentry gets (copied):
 * "memfd:x" shows as "/memfd:x (deleted)". NULL otherwise.
 */
must_check int file_new_anonymous(struct inode *inode, const struct file_operations *ops,
	unsigned int mode, uint32_t flags, void *private, const char *name, struct file **out);
/* The shared inode of "anon_inode:" files; file_new_anonymous() with it shows anon_inode:NAME in
 * /proc. A reference. */
struct inode *anon_inode_get(void);
/* A fresh inode on the pseudo file system for pipes and sockets (pipe:[ino], socket:[ino]). */
must_check int pseudo_inode_new(uint32_t mode, struct inode **out);
/* Drops what vfs/ keeps for itself (the anonymous inode...): at the very end, before leaks are
 * counted. */
void vfs_shutdown(void);
struct file *file_get(struct file *file);
void file_put(struct file *file);
/* References to where a file is; anonymous files get a dentry now. For magic links (/proc/PID/fd)
 * and fchdir. -ENOMEM. */
must_check int file_path(struct file *file, struct path *out);
/*
 * What /proc/PID/fd/N shows: the path as seen from root, "pipe:[1]", "anon_inode:[eventfd]",
 * "/memfd:x (deleted)". As path_name(): a pointer into buffer, or NULL if it does not fit.
 */
char *file_name(struct file *file, const struct path *root, char *buffer, size_t size);

/*
 * Opens what a path leads to: permission was checked by file_open_at(); this makes the struct file
 * and calls inode->ops->open. flags: LINUX_O_*. Internal users (exec) pass their own credentials.
 */
must_check int file_open_path(
	const struct path *path, uint32_t flags, const struct cred *cred, struct file **out);
/* The same with more of enum file_mode: FILE_EXEC, FILE_NO_NOTIFY. */
must_check int file_open_path_as(const struct path *path, uint32_t flags, const struct cred *cred,
	unsigned int more_mode, struct file **out);
/* open(2), creating too; how: resolve flags as WALK_*. */
must_check int file_open_at(int dirfd, const char *name, uint32_t flags, uint32_t mode,
	unsigned int walk_flags, struct file **out);

/*
 * Reads or writes as the system calls do: checks the mode, blocks unless O_NONBLOCK, updates
 * position when position is NULL (then file->position under its lock), else uses *position. Errors
 * as read(2), -ERESTARTSYS included.
 */
must_check int64_t file_read(struct file *file, struct iov_iter *to, int64_t *position);
must_check int64_t file_write(struct file *file, struct iov_iter *from, int64_t *position);
/* The same with LINUX_RWF_* flags as preadv2(2) and pwritev2(2) take them. */
must_check int64_t file_read_flags(
	struct file *file, struct iov_iter *to, int64_t *position, int rwf);
must_check int64_t file_write_flags(
	struct file *file, struct iov_iter *from, int64_t *position, int rwf);
/* Copies up to count bytes between files through a buffer (sendfile, copy_file_range). Positions as
 * file_read(). */
must_check int64_t file_copy(struct file *in, int64_t *in_position, struct file *out,
	int64_t *out_position, uint64_t count, int rwf);
must_check int64_t file_seek(struct file *file, int64_t offset, int whence);
/* For file_operations.seek of files without a position that lseek(2) is allowed on all the same, and
 * splice(2) is not: eventfd, epoll... Always 0. */
int64_t file_seek_nowhere(struct file *file, int64_t offset, int whence);
/* Can data be spliced between this and a pipe (splice(2), sendfile(2))? */
bool file_can_splice(const struct file *file);
/* After a read: atime, unless the file or its mount says no. No lock held. */
void file_accessed(struct file *file);
/* Sets or clears FASYNC: SIGIO (or F_SETSIG's) to the owner when the file's events come. */
must_check int file_set_async(struct file *file, bool on);
/* Into a buffer of the sentry's from a given position: for exec, ELF headers. Never blocks for
 * events. Bytes read. */
must_check int64_t file_read_kernel(struct file *file, void *buffer, size_t size, int64_t position);
uint32_t file_poll(struct file *file);

/* Makes attempts until one gives something else than -EAGAIN; between them the task blocks on the
 * file's events. deadline_ns: monotonic, or FILE_FOREVER: -EAGAIN at its end. */
#define FILE_FOREVER INT64_MAX
must_check int64_t file_wait(struct file *file, uint32_t events, int64_t deadline_ns,
	int64_t (*attempt)(void *argument), void *argument);

/* --- descriptor tables (fd_table.c) --- */

struct fd_table;

must_check int fd_table_new(struct fd_table **out);
must_check int fd_table_copy(struct fd_table *table, unsigned int max,
	struct fd_table **out); /* of descriptors below max */
struct fd_table *fd_table_get(struct fd_table *table);
void fd_table_put(struct fd_table *table); /* the last user closes all */
bool fd_table_is_shared(const struct fd_table *table);
/* The lowest free descriptor >= least. Consumes the file's reference on success only. -EMFILE. */
must_check int fd_install(struct fd_table *table, int least, struct file *file, bool close_on_exec);
/* Replaces what was at fd (dup2); the old file is closed after the lock is dropped. -EBADF past the
 * limit. Takes a reference of its own. */
must_check int fd_replace(struct fd_table *table, int fd, struct file *file, bool close_on_exec);
/* A reference, or NULL; FILE_PATH files are refused unless path_too. */
struct file *fd_get(struct fd_table *table, int fd);
struct file *fd_get_path_too(struct fd_table *table, int fd);
must_check int fd_close(struct fd_table *table, int fd);
must_check int fd_close_range(
	struct fd_table *table, unsigned int first, unsigned int last, bool only_set_cloexec);
void fd_close_on_exec(struct fd_table *table);
int fd_get_flags(struct fd_table *table, int fd); /* LINUX_FD_CLOEXEC or 0; -EBADF */
int fd_set_flags(struct fd_table *table, int fd, int flags);
/* The first open descriptor >= fd with a reference to its file (NULL: any is fine); -EBADF at the
 * end. */
int fd_next(struct fd_table *table, int fd, struct file **file);

static inline void file_put_pointer(struct file **file)
{
	if (*file)
		file_put(*file);
}
#define auto_file cleanup_(file_put_pointer)

static inline void path_put_pointer(struct path *path)
{
	path_put(path);
}
#define auto_path cleanup_(path_put_pointer)
