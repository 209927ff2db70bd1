/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts and mount namespaces inside vfs/.
 *
 * One lock (RANK_MOUNT) guards the shape of all namespaces. A mount in a namespace carries one
 * reference of the namespace's; a child carries one to its parent and to its mount point's dentry.
 * Paths and files hold mounts too, so a mount that was detached lives until the last of them goes.
 */
#pragma once

#include "sentry/kernel/wait_queue.h"
#include "sentry/vfs/inode.h"
#include "sentry/vfs/path.h"

struct user_namespace;

struct mount_namespace {
	struct refcount refs;
	struct mount *root;	    /* guarded by the mount lock, as below */
	TAILQ_HEAD(, mount) mounts; /* in the order they were made, parents before children */
	unsigned int count;
	unsigned int coming; /* more mounts, of the propagation under way */
	uint64_t ino;			/* of nsfs */
	struct user_namespace *user_ns; /* set once; a reference */
	struct wait_queue changed;	/* poll of /proc/PID/mounts */
	atomic_uint changes;		/* so far */
	bool anonymous;			/* of open_tree(2) and fsmount(2): nobody is in it */
};

#define MOUNTS_MAX 100000 /* in one namespace, as fs.mount-max */

/* Flags that a mount has itself; the rest of what mount(2) takes is the super block's or an order.
 */
#define MOUNT_FLAGS                                                                                \
	(LINUX_MS_RDONLY | LINUX_MS_NOSUID | LINUX_MS_NODEV | LINUX_MS_NOEXEC | LINUX_MS_NOATIME | \
		LINUX_MS_NODIRATIME | LINUX_MS_RELATIME | LINUX_MS_STRICTATIME |                   \
		LINUX_MS_NOSYMFOLLOW)

/* What a less privileged user namespace must not take away again (mount_namespaces(7)). */
#define MOUNT_LOCKABLE_FLAGS (LINUX_MS_RDONLY | LINUX_MS_NOSUID | LINUX_MS_NODEV | LINUX_MS_NOEXEC)
#define MOUNT_ATIME_FLAGS                                                                          \
	(LINUX_MS_NOATIME | LINUX_MS_NODIRATIME | LINUX_MS_RELATIME | LINUX_MS_STRICTATIME)

void mount_lock(void);
void mount_unlock(void);
void mount_assert_locked(void);
/* Counts changes of any namespace's shape; for walks that must not be confused by one. */
unsigned int mount_change_count(void);
void mount_changed_locked(struct mount_namespace *ns);
/* RANK_MOUNT held. */
bool mount_may_set_flags(const struct mount *mount, unsigned long flags);

struct mount *mount_get(struct mount *mount);
void mount_put(struct mount *mount);
/* A mount of sb at one of its dentries, in no namespace. Takes references of its own. */
must_check int mount_new(struct super_block *sb, struct dentry *root, const char *source,
	unsigned long flags, struct mount **out);
/* Where pipes, sockets and other files without a place are said to be. Borrowed; NULL when there is
 * no memory. */
struct mount *mount_nowhere(void);

/* The mount on a dentry of a mount. Borrowed. Lock held. */
struct mount *mount_find_locked(const struct mount *parent, const struct dentry *mountpoint);
/* Goes down into what is mounted here, consuming and giving references. */
void path_cross_mounts(struct path *path);
/* From a mount's root to its mount point, through mounts upon mounts; false, and nothing changed,
 * at the top or at limit. References as above. */
bool path_leave_mount(struct path *path, const struct path *limit);

void mount_attach_locked(struct mount *mount, struct mount *parent, struct dentry *mountpoint);
void mount_detach_locked(struct mount *mount);
/* Takes a tree out of its namespace; the mounts collect in list (scratch_link), for mount_put()
 * without the lock. */
void mount_unlink_tree_locked(struct mount *top, struct mount_list *list);
void mount_put_list(struct mount_list *list);
/* Copies a tree; the copies are in no namespace. flags: MOUNT_COPY_*. */
#define MOUNT_COPY_RECURSIVE  1
#define MOUNT_COPY_UNBINDABLE 2 /* copy unbindable ones too (a new namespace) */
#define MOUNT_COPY_NAMESPACES 4 /* and those of mount namespaces, which copies could hold in turn */
must_check int mount_copy_tree_locked(
	struct mount *top, struct dentry *root, unsigned int flags, struct mount **out);
/* Puts a tree of mounts that are in no namespace into one. -ENOSPC past the bound, nothing changed
 * then. */
must_check int mount_join_namespace_locked(struct mount *top, struct mount_namespace *ns);
/* The mount after this one in a depth-first walk of the tree below top; NULL at the end. */
struct mount *mount_next_locked(struct mount *mount, const struct mount *top);

/*
 * Puts a tree of mounts in no namespace on a mount point, for good: joins the namespace, and
 * whoever shares propagation with the parent gets a copy. Consumes the tree on success.
 */
must_check int mount_graft_locked(struct mount *top, const struct path *where);
/* Takes a mounted tree away, from those who share propagation with its parent too. */
void mount_ungraft_locked(struct mount *top, struct mount_list *list);
/* The mount point that a path means now that the lock is held: the topmost mount's root there.
 * References change hands. */
void mount_settle_locked(struct path *where);

must_check int mount_namespace_new_anonymous(struct mount *root, struct mount_namespace **out);
struct mount_namespace *mount_namespace_current(void); /* of the current task; borrowed */

/* Takes a tree out of its namespace and leaves it whole; for anonymous namespaces. */
void mount_leave_namespace_locked(struct mount *top);
/* The root of an anonymous namespace to a place of the current task's namespace. */
must_check int mount_place_detached(struct mount *mount, const struct path *to);

/* mount(2) and relatives, on paths; permission (CAP_SYS_ADMIN) was checked. */
must_check int mount_remount(
	const struct path *where, unsigned long flags, bool bind_only, const char *options);
must_check int mount_move(const struct path *from, const struct path *to);
must_check int mount_set_propagation(const struct path *where, unsigned long type, bool recursive);
must_check int mount_pivot_root(const struct path *new_root, const struct path *put_old);
/* A new file system as mount(2) makes it. */
must_check int mount_new_file_system(const char *type, const char *source, unsigned long flags,
	const char *options, const struct path *where);
