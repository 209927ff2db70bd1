/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sentry/fs/tmpfs/ - files that live in the memory file: mounts of tmpfs, the writable layer of an
 * overlay, memfd_create(2), shared memory, and what devtmpfs stands on.
 *
 * Locks: inode->lock guards a directory's names and all attributes but a regular file's size; that
 * one changes under tmpfs_data.write_lock (RANK_FILE_DATA) and mappable.lock (RANK_PAGES) together,
 * so holding either keeps it still. Pages come and go under mappable.lock, and go only with
 * write_lock held too.
 */
#pragma once

#include "base/compiler.h"
#include "sentry/vfs/inode.h"

#include <stdbool.h>
#include <stdint.h>

/* What Linux's tmpfs counts in a directory's size for each entry, "." and ".." too. */
#define TMPFS_ENTRY_SIZE 20

struct cred;
struct file;

/* Registers "tmpfs" and makes the mount that memfds live on. Called once at start, after
 * memory_file_open(). */
void tmpfs_register(void);
/* What all mounts together may hold, in bytes (0: no limit), set before there are any; and what
 * they do. memfds do not count. */
void tmpfs_limit_all(uint64_t bytes);
uint64_t tmpfs_used_by_all(void);
/* Lets go of that mount: at the very end, before leaks are counted. */
void tmpfs_shutdown(void);

/*
 * A super block of its own; options as mount(2) takes them ("size=50%,mode=1777"), may be NULL.
 * type: the file system that it shows as (devtmpfs is one), NULL for tmpfs itself.
 */
must_check int tmpfs_super_block_new(
	const struct file_system_type *type, const char *options, struct super_block **out);

/*
 * An inode with no name yet, for a super block made above: any type of file. target: a symlink's
 * text, otherwise NULL. Owner and times are for the caller to set before others see it. -ENOSPC
 * past nr_inodes.
 */
must_check int tmpfs_inode_new(struct super_block *sb, uint32_t mode, uint64_t rdev,
	const char *target, struct inode **out);

/*
 * Gives a fresh name in a directory of a tmpfs to a new inode of any type, owned by root: how
 * devtmpfs is populated. mode has type bits. A reference in *out unless that is NULL. -EEXIST.
 */
must_check int tmpfs_populate(struct inode *directory, const char *name, uint32_t mode,
	uint64_t rdev, const char *target, struct inode **out);

/*
 * For who copies a file into an inode made above that nobody else has seen: contents from a source
 * that is open for reading (holes stay holes), and an extended attribute. An attribute that tmpfs
 * does not keep is left out.
 */
must_check int tmpfs_fill_from(struct inode *inode, struct file *source, uint64_t size);
must_check int tmpfs_fill_xattr(
	struct inode *inode, const char *name, const void *value, size_t size);
/* One more name for an inode of the super block, or one less, where another file system keeps the
 * names. -ENOSPC. */
must_check int tmpfs_charge_name(struct super_block *sb);
void tmpfs_uncharge_name(struct super_block *sb);

/*
 * A regular file that no directory knows: memfd, System V shared memory. name is what /proc shows;
 * flags are LINUX_O_* of the open file; seals LINUX_F_SEAL_*, LINUX_F_SEAL_SEAL for a file that
 * cannot be sealed.
 */
must_check int tmpfs_file_new(const char *name, uint64_t size, uint32_t mode, uint32_t flags,
	unsigned int seals, const struct cred *cred, struct file **out);

/* fcntl(2) F_ADD_SEALS and F_GET_SEALS: -EINVAL for files that are not of a tmpfs. */
must_check int tmpfs_add_seals(struct file *file, unsigned int seals);
int tmpfs_get_seals(struct file *file);
