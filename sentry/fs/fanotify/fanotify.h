/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fanotify(7): what the VFS tells of open files, and asks about them, and what the system calls do
 * with groups. A group hears of what its marks are on: inodes, mounts, file systems.
 */
#pragma once

#include "abi/fanotify.h"
#include "base/compiler.h"
#include "sentry/fs/proc/sysctl.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct dentry;
struct file;
struct inode;
struct mount;
struct path;
struct super_block;

/* Marks of all groups: as long as there are none, an event costs one load. */
extern atomic_uint g_fanotify_marks;

static inline bool fanotify_in_use(void)
{
	return unlikely(atomic_load_explicit(&g_fanotify_marks, memory_order_relaxed));
}

/* LINUX_FAN_* notification events of an open file. Locks up to RANK_TASK may be held. */
void fanotify_tell(struct file *file, uint32_t event);
/* The same of an inode, by its name or (NULL) by itself; of a name in a directory; of a name that
 * moved. Only groups that are told by file handles hear of these. Locks up to RANK_INODE. */
void fanotify_tell_inode(struct inode *inode, struct dentry *dentry, uint32_t event);
void fanotify_tell_name(
	struct dentry *directory, const char *name, struct inode *inode, uint32_t event);
void fanotify_tell_rename(struct dentry *directory, const char *name, struct dentry *new_directory,
	const char *new_name, struct inode *inode);
/* LINUX_FAN_*_PERM events: blocks, with no lock held, until every group that wants to be asked has
 * answered. -EPERM; -EINTR: the task is being killed. */
must_check int fanotify_ask(struct file *file, uint32_t event);
/* Marks on what is about to be freed go; on a super block's inodes too. No lock held. */
void fanotify_forget_inode(const struct inode *inode);
void fanotify_forget_mount(const struct mount *mount);
void fanotify_forget_super_block(const struct super_block *sb);

/* fs.fanotify: what each user, and each queue, may have. */
enum fanotify_limit { FANOTIFY_QUEUED_EVENTS, FANOTIFY_USER_GROUPS, FANOTIFY_USER_MARKS };
extern struct sysctl_number g_fanotify_limits[3];

bool file_is_fanotify(const struct file *file);
/* With fanotify_init(2)'s flags: the group is of somebody without CAP_SYS_ADMIN. */
#define FANOTIFY_UNPRIVILEGED 0x80000000u

/* flags and event_flags were checked. -EMFILE, -ENOMEM. */
must_check int fanotify_new_file(uint32_t flags, uint32_t event_flags, struct file **out);
/* fanotify_mark(2) on a group's file: flags and mask were checked for bits that are not known or
 * contradict each other. path: NULL for FAN_MARK_FLUSH. */
must_check int fanotify_mark(
	struct file *file, uint32_t flags, uint32_t mask, const struct path *path);
/* What fanotify_mark(2) refuses before it looks at the path. */
must_check int fanotify_check_mark(struct file *file, uint32_t flags, uint32_t mask);
