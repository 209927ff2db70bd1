/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors inherited from the caller of the command, as files of the guest. A device that the
 * guest has a driver of its own for (/dev/null and its kind) becomes that one.
 *
 * Differs from Linux: opening /proc/self/fd/N of a regular file gives another position in it, but
 * the access mode stays what the caller gave.
 */
#include "sentry/fs/host/host_stdio.h"

#include "abi/fcntl.h"
#include "abi/statfs.h"
#include "sentry/fs/host/host_fs.h"
#include "sentry/vfs/device.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEMORY_MAJOR	     1 /* null, zero, full, random, urandom */
#define PIPE_WRITE_PIECE     4096
#define TERMINAL_WRITE_PIECE 256

/* --- before the jail --- */

static bool wants_own_description(int fd, int flags)
{
	struct stat st;

	if (fstat(fd, &st) || (flags & O_PATH))
		return false;
	return S_ISFIFO(st.st_mode) || (S_ISCHR(st.st_mode) && isatty(fd));
}

int host_stdio_prepare(int fd)
{
	int flags = fcntl(fd, F_GETFL), own;
	char name[64];

	/* A pipe that nobody reads is an error of the guest's, not the end of the sentry; nor is a
	 * file that is too large. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	if (flags < 0 || !wants_own_description(fd, flags))
		return fd;
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	own = open(name, (flags & (O_ACCMODE | O_APPEND)) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (own < 0)
		return fd;
	(void)close(fd);
	return own;
}

/* --- after --- */

static void stdio_inode_release(struct inode *inode)
{
	struct host_stdio *stdio = inode->private;

	if (!stdio)
		return;
	if (stdio->registered)
		host_poll_remove(&stdio->source);
	if (stdio->fd >= 0)
		(void)close(stdio->fd);
	pthread_mutex_destroy(&stdio->reactor_lock);
	wait_queue_destroy(&stdio->queue);
	mappable_destroy(&stdio->mappable);
	free(stdio);
}

static const char *memory_device_name(uint64_t rdev)
{
	switch (LINUX_MINOR(rdev)) {
	case 5:
		return "/dev/zero";
	case 7:
		return "/dev/full";
	case 8:
		return "/dev/random";
	case 9:
		return "/dev/urandom";
	default:
		return "/dev/null";
	}
}

/* As the guest's own kind of name, where it has one. */
static bool stdio_pseudo_name(const struct inode *inode, char *buffer, size_t size)
{
	const struct inode_attributes *attributes = &inode->attributes;

	if (LINUX_S_ISFIFO(attributes->mode))
		(void)snprintf(buffer, size, "pipe:[%lu]", attributes->ino);
	else if (LINUX_S_ISSOCK(attributes->mode))
		(void)snprintf(buffer, size, "socket:[%lu]", attributes->ino);
	else if (!LINUX_S_ISCHR(attributes->mode))
		return false;
	else if (LINUX_MAJOR(attributes->rdev) == MEMORY_MAJOR)
		(void)snprintf(buffer, size, "%s", memory_device_name(attributes->rdev));
	else
		(void)snprintf(buffer, size, "/dev/tty");
	return true;
}

static const struct super_operations stdio_super_ops = {
	.inode_release = stdio_inode_release,
	.pseudo_name = stdio_pseudo_name,
};
static const struct file_system_type stdio_type = {.name = "host", .needs_no_device = true};
static const struct inode_operations root_inode_ops;
static struct super_block *stdio_super;

static int get_super_block(struct super_block **out)
{
	struct inode *root;
	int error;

	*out = stdio_super;
	if (stdio_super)
		return 0;
	error = super_block_new(
		&stdio_type, &stdio_super_ops, LINUX_HOSTFS_SUPER_MAGIC, &stdio_super);
	if (error)
		return error;
	error = inode_new(stdio_super, LINUX_S_IFDIR | 0555, &root_inode_ops, NULL, &root);
	if (!error)
		error = super_block_set_root(stdio_super, root);
	if (error)
		host_stdio_shutdown();
	else
		stdio_super->no_name_cache =
			true; /* what has no directory was not deleted from one */
	*out = stdio_super;
	return error;
}

void host_stdio_shutdown(void)
{
	if (stdio_super)
		super_block_put(stdio_super);
	stdio_super = NULL;
}

static const struct file_operations *ops_for(uint32_t mode)
{
	return S_ISREG(mode) || S_ISBLK(mode) ? &host_stdio_regular_ops : &host_stdio_stream_ops;
}

static unsigned int mode_for(const struct inode *inode, uint32_t flags)
{
	static const unsigned int access[] = {FILE_READ, FILE_WRITE, FILE_READ | FILE_WRITE, 0};
	unsigned int mode = access[flags & LINUX_O_ACCMODE];

	if (inode_is_type(inode, LINUX_S_IFREG))
		return mode | FILE_SEEKABLE | FILE_NO_WAIT;
	return mode | FILE_STREAM;
}

/* Another open of what is inherited, as of /dev/stdin: no more than the descriptor allows. */
static int stdio_open(struct inode *inode, struct file *file)
{
	struct host_stdio *stdio = inode->private;
	unsigned int allowed = mode_for(inode, (uint32_t)fcntl(stdio->fd, F_GETFL));

	if (inode_is_type(inode, LINUX_S_IFSOCK))
		return -ENXIO;
	if (file->mode & ~allowed & (FILE_READ | FILE_WRITE))
		return -EACCES;
	file->ops = ops_for(inode->attributes.mode);
	file->mode = (file->mode & (FILE_READ | FILE_WRITE)) |
		     (allowed & (FILE_SEEKABLE | FILE_NO_WAIT | FILE_STREAM));
	return 0;
}

static const struct inode_operations stdio_inode_ops = {
	.getattr = host_stdio_getattr,
	.setattr = host_stdio_setattr,
	.open = stdio_open,
	.open_special = stdio_open,
};

static struct host_stdio *stdio_new(int fd, const struct statx *stx, int flags)
{
	struct host_stdio *stdio = calloc(1, sizeof(*stdio));

	if (!stdio)
		return NULL;
	stdio->fd = fd;
	stdio->own_description = flags & O_NONBLOCK;
	stdio->is_socket = S_ISSOCK(stx->stx_mode);
	stdio->is_terminal = S_ISCHR(stx->stx_mode);
	stdio->write_piece = S_ISCHR(stx->stx_mode) ? TERMINAL_WRITE_PIECE : PIPE_WRITE_PIECE;
	wait_queue_init(&stdio->queue);
	pthread_mutex_init(&stdio->reactor_lock, NULL);
	stdio->source.fd = fd;
	stdio->source.queue = &stdio->queue;
	mappable_init(&stdio->mappable, &host_stdio_mappable_ops);
	return stdio;
}

static int make_inode(
	int fd, const struct statx *stx, int flags, unsigned int host_ids, struct inode **out)
{
	struct host_fs ids = {.host_ids = host_ids,
		.devices = {host_identity_of(stx).device}};
	struct host_stdio *stdio;
	struct super_block *sb;
	struct inode *inode;
	int error = get_super_block(&sb);

	if (error)
		return error;
	stdio = stdio_new(fd, stx, flags);
	if (!stdio)
		return -ENOMEM;
	stdio->host_ids = host_ids;
	error = inode_new(sb, stx->stx_mode, &stdio_inode_ops, NULL, &inode);
	if (error) {
		pthread_mutex_destroy(&stdio->reactor_lock);
		wait_queue_destroy(&stdio->queue);
		mappable_destroy(&stdio->mappable);
		free(stdio);
		return error;
	}
	stdio->inode = inode;
	inode->private = stdio;
	host_attributes_from(&ids, stx, &inode->attributes);
	*out = inode;
	return 0;
}

/* The guest's own device takes the place of the host's, which is closed. */
static int use_own_device(struct file *file)
{
	struct host_stdio *stdio = host_stdio_of(file);

	(void)close(stdio->fd);
	stdio->fd = -1;
	return device_open(file->inode, file);
}

int host_stdio_file_new(int fd, unsigned int host_ids, struct file **out)
{
	int flags = fcntl(fd, F_GETFL), error;
	struct inode *inode;
	struct statx stx;
	bool own_device;
	char name[64];

	if (flags < 0)
		return -EBADF;
	error = host_statx(fd, "", &stx);
	if (!error && S_ISDIR(stx.stx_mode))
		error = -EISDIR;
	if (!error)
		error = make_inode(fd, &stx, flags, host_ids, &inode);
	if (error) {
		(void)close(fd);
		return error;
	}
	if (S_ISCHR(stx.stx_mode))
		((struct host_stdio *)inode->private)->has_status =
			(flags & O_ACCMODE) != O_RDONLY && host_stdio_status_use(fd);
	own_device = S_ISCHR(stx.stx_mode) && stx.stx_rdev_major == MEMORY_MAJOR;
	(void)snprintf(name, sizeof(name), "file:[%lu]", inode->attributes.ino);
	/* O_NONBLOCK of our own making is not the guest's. */
	flags &= O_ACCMODE | O_APPEND | O_DSYNC;
	error = file_new_anonymous(inode, ops_for(stx.stx_mode), mode_for(inode, (uint32_t)flags),
		(uint32_t)flags, NULL, name, out);
	if (error)
		return error;
	(*out)->private = inode->private; /* the file that shares the caller's position */
	if (own_device) {
		error = use_own_device(*out);
		if (error)
			file_put(*out);
	}
	return error;
}
