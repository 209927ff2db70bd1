/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sentry/fs/host/ - what guests see of the host: directory trees and files given at start, and
 * inherited descriptors.
 *
 * A tree is reached only through the one descriptor that its super block was made with: component
 * by component, relative to a directory's descriptor, and no symlink is ever followed by the host.
 * Descriptors are a cache (host_handle.c): a tree of any size costs a bounded number of them.
 *
 * Host system calls after the jail closed, for its filter:
 *   openat (always O_NOFOLLOW | O_CLOEXEC, or ".") close statx fstatfs readlinkat getdents64 lseek
 * fcntl(F_GETFL, F_DUPFD_CLOEXEC) preadv pwritev2 ftruncate fallocate fsync fdatasync syncfs
 *   mkdirat unlinkat renameat2 linkat symlinkat mknodat fchmod fchownat utimensat
 *   fgetxattr fsetxattr flistxattr fremovexattr prlimit64 (asks for RLIMIT_NOFILE of itself)
 * and for inherited descriptors: readv writev recvmsg sendmsg poll ioctl (FIONREAD and what
 * host_stdio_ioctl.c lists).
 *
 * Locks: host_fs.lock and the cache's are RANK_LEAF. What a node shows is guarded by inode->lock as
 * everywhere.
 */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct file;
struct inode;
struct super_block;

/*
 * How ids of the host show in the sentry's user namespace. One that is not mapped is 65534 there; a
 * caller that is 65534 itself would not be told from those, and is mapped to 65533.
 */
enum host_ids {
	HOST_IDS_UNMAPPED_ARE_ROOT = 1,
	HOST_IDS_OWN_UID_MOVED = 2,
	HOST_IDS_OWN_GID_MOVED = 4,
};
#define HOST_OVERFLOW_ID 65534
#define HOST_MOVED_ID	 65533

struct host_super_options {
	bool read_only;
	/* Nobody else changes the tree: names, attributes and absent names are kept without asking
	 * again. */
	bool exclusive;
	/* The sentry may give files away: what a guest makes belongs to who made it. */
	bool gives_owners;
	unsigned int host_ids; /* enum host_ids */
	const char *source; /* what /proc/mounts shows; may be NULL */
};

/*
 * The tree below a directory, or a single file. fd belongs to the super block from now on, also on
 * failure. A directory's may be O_PATH; a file's must be open for reading, or for reading and
 * writing if it is to be written. Works before and after the jail closed.
 */
must_check int host_super_block_new(
	int fd, const struct host_super_options *options, struct super_block **out);

/*
 * The name that an inode of a host tree goes by, from the tree's root on ("/usr/bin/env"; "/" for
 * the root). -ESTALE without a name, -ENAMETOOLONG, -EINVAL for other inodes.
 */
must_check int host_inode_name(const struct inode *inode, char *buffer, size_t size);

/* The directory which that name is in, with a reference; NULL for the root, or without a name. */
struct inode *host_inode_parent(const struct inode *inode);

/*
 * Before the jail closes: a descriptor for the same open file or, where the host lets us, one with
 * an open file description of its own and O_NONBLOCK, so that the sentry never blocks on it and the
 * caller's flags stay as they are. Closes fd if it gives another.
 */
int host_stdio_prepare(int fd);
/*
 * After: a guest's file for a prepared descriptor, which belongs to it also on failure. Not for the
 * console's terminal. -EBADF when it is not open.
 */
must_check int host_stdio_file_new(int fd, unsigned int host_ids, struct file **out);
/* Draws the status line on a terminal of standard output or error, if there is no console; "" takes
 * it away. */
void host_stdio_status(const char *text);
/* Lets go of the super block behind inherited descriptors: at the very end, before leaks are
 * counted. */
void host_stdio_shutdown(void);
