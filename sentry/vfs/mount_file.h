/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts and file systems as descriptors: fsopen(2), fsmount(2), open_tree(2), move_mount(2),
 * mount_setattr(2).
 *
 * A tree of mounts that is nowhere yet lives in a namespace of its own that nobody is in; the
 * O_PATH file that stands for it ends it, unless it was moved to a place before. Permission
 * (CAP_SYS_ADMIN) was checked by the callers.
 */
#pragma once

#include "sentry/vfs/file.h"
#include "sentry/vfs/mount.h"

/* A copy of what is mounted at a path, as a detached tree. */
must_check int mount_file_clone(const struct path *path, bool recursive, struct file **out);
/* The root of a detached tree to its place, or a mounted mount to another. */
must_check int mount_file_move(const struct path *from, const struct path *to);

struct mount_change {
	unsigned long set, clear;  /* LINUX_MS_* of the mount */
	unsigned long propagation; /* LINUX_MS_SHARED... or 0 */
};
/* All or nothing. -EBUSY when something is open for writing that would become read-only. */
must_check int mount_change(
	const struct path *where, const struct mount_change *change, bool recursive);

/* --- fs_context.c --- */

must_check int fs_context_open(const char *type, struct file **out);
/* For a mounted file system, to change its options. */
must_check int fs_context_pick(const struct path *path, struct file **out);
bool file_is_fs_context(const struct file *file);
/* value NULL: a flag. "source", "ro" and "rw" are the VFS's; all others go to the file system in
 * the form that mount(2) has. */
must_check int fs_context_set(struct file *file, const char *key, const char *value);
must_check int fs_context_create(struct file *file, bool exclusive);
must_check int fs_context_reconfigure(struct file *file);
/* The mount of what was created. flags: LINUX_MS_*. */
must_check int fs_context_mount(struct file *file, unsigned long flags, struct file **out);

/* An O_PATH file for a mount that is in no namespace; consumes its reference, also on failure. */
must_check int mount_file_new(struct mount *mount, struct file **out);
