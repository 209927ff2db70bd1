/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names: dentries, mounts, paths, and the walk from a string to a path.
 */
#pragma once

#include "base/compiler.h"
#include "base/lock.h"
#include "base/refcount.h"
#include "sentry/mm/mm.h"

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct cred;
struct fs_struct;
struct inode;
struct mount;
struct mount_namespace;
struct super_block;
struct task;
struct user_namespace;

struct dentry {
	struct refcount refs;
	struct super_block *sb; /* set once */
	struct mutex lock;	/* RANK_DENTRY: of the fields below */
	struct dentry *parent;	/* a reference; itself at a root */
	char *name;
	struct inode *inode;	  /* a reference; NULL: known to be absent. Changes under the parent
				     inode's lock too */
	RB_ENTRY(dentry) sibling; /* in parent->children */
	RB_HEAD(dentry_tree, dentry) children;
	_Atomic bool unhashed;	 /* removed: lives on for those who hold it */
	atomic_uint mounted;	 /* mounts upon this dentry, in all namespaces */
	TAILQ_ENTRY(dentry) lru; /* the cache's own, as all below */
	bool on_lru;
	_Atomic bool referenced; /* was found since the trimmer came by */
	uint32_t hash;		 /* of the name; the first key in parent->children */
	uint16_t length;	 /* of the name */
	char inline_name[];	 /* name points here unless a rename gave it a longer one */
};

struct dentry *dentry_get(struct dentry *dentry);
/* Unused dentries stay in the cache until it is trimmed. */
void dentry_put(struct dentry *dentry);

struct path {
	struct mount *mount;
	struct dentry *dentry;
};

void path_get(struct path *path);		   /* takes references to both */
void path_put(struct path *path);		   /* drops them; NULL parts are fine; clears */
struct inode *path_inode(const struct path *path); /* borrowed */

TAILQ_HEAD(mount_list, mount);

/* mount.c. Mount flags: LINUX_MS_* that are kept per mount (RDONLY, NOSUID, NODEV, NOEXEC, NOATIME,
 * RELATIME...). */
struct mount {
	struct refcount refs;
	struct super_block *sb; /* a reference */
	struct dentry *root;  /* a reference; a bind mount's may be below the super block's root */
	/* Guarded by RANK_MOUNT, as all below; these two change with dentry_tree_lock() held too. NULL
	 * at a namespace's root. */
	struct mount *parent;
	struct dentry *mountpoint;
	struct mount_namespace *ns;
	TAILQ_ENTRY(mount) ns_link;
	unsigned long flags;
	int id, peer_group;
	int propagation;  /* LINUX_MS_PRIVATE, _SHARED, _SLAVE, _UNBINDABLE */
	int master_group; /* the peer group that this is a slave of; 0: none */
	bool detached;
	bool locked; /* came from a more privileged user namespace, together with what it covers:
			stays */
	unsigned long locked_flags; /* those of its flags that stay for the same reason */
	char source[64];
	uint64_t unique_id;   /* statx(2)'s STATX_MNT_ID_UNIQUE */
	RB_ENTRY(mount) node; /* by parent and mountpoint, of what is mounted */
	struct mount_list children;
	TAILQ_ENTRY(mount) child_link;
	TAILQ_ENTRY(mount) scratch_link; /* of the operation under way */
	struct mount *copy;		 /* of the copy under way */
	TAILQ_ENTRY(mount) all_link;	 /* of all that are in a namespace */
	LIST_ENTRY(mount) peer_link, master_link; /* of the propagation under way, as the next */
	uint64_t heard_of;
	bool expiry_mark;		 /* MNT_EXPIRE saw it unused */
	atomic_uint writers; /* files of it that are open for writing: it cannot become read-only */
};

/* -EROFS if the mount or its file system is read-only. */
must_check int mount_want_write(const struct mount *mount);

/* Grafts sb (its reference is consumed) at a path, or as the root of a new namespace. */
must_check int mount_namespace_new(
	struct super_block *root_sb, unsigned long flags, struct mount_namespace **out);
/* A copy that user_ns owns; fs, if any, is moved into it. */
must_check int mount_namespace_copy(struct mount_namespace *ns, struct user_namespace *user_ns,
	struct fs_struct *fs, struct mount_namespace **out);
struct mount_namespace *mount_namespace_get(struct mount_namespace *ns);
void mount_namespace_put(struct mount_namespace *ns);
void mount_namespace_root(struct mount_namespace *ns, struct path *out); /* references */
must_check int mount_attach(
	struct super_block *sb, const char *source, const struct path *where, unsigned long flags);
must_check int mount_bind(
	const struct path *source, const struct path *where, bool recursive, unsigned long flags);
must_check int mount_detach(const struct path *where, int umount_flags);

/* --- walking (path_walk.c) --- */

enum walk_flags {
	WALK_FOLLOW = 1,      /* follow a symlink in the last component */
	WALK_DIRECTORY = 2,   /* -ENOTDIR unless it is one */
	WALK_EMPTY = 4,	      /* an empty string means the start itself (AT_EMPTY_PATH) */
	WALK_NO_SYMLINKS = 8, /* RESOLVE_NO_SYMLINKS */
	WALK_NO_MAGICLINKS = 16,
	WALK_NO_XDEV = 32,
	WALK_BENEATH = 64,
	WALK_IN_ROOT = 128,
};

/*
 * Finds what a name leads to, from the descriptor dirfd (LINUX_AT_FDCWD: the working directory) of
 * the current task, with its credentials and root. References in *out. Errors as
 * path_resolution(7): -ENOENT, -ENOTDIR, -ELOOP (40 links), -EACCES, -ENAMETOOLONG (components
 * 255).
 */
must_check int path_lookup(int dirfd, const char *name, unsigned int flags, struct path *out);
/* The same from a given start, within a given root, for kernel-internal use. */
must_check int path_lookup_at(const struct path *start, const struct path *root, const char *name,
	unsigned int flags, struct path *out);
/*
 * For calls that make or remove a name: the parent directory (references in *parent) and the last
 * component, copied into last (LINUX_NAME_MAX + 1 bytes). *trailing_slash tells of "name/". "." and
 * "..", and an empty last component ("/") are given back as they are, for the caller to refuse.
 */
must_check int path_lookup_parent(int dirfd, const char *name, unsigned int flags,
	struct path *parent, char *last, bool *trailing_slash);

/*
 * Makes a node (regular file, FIFO, device, socket, directory) in a directory that
 * path_lookup_parent() found, with the current task's credentials and umask, permission checks and
 * all: for bind(2) of unix sockets and mknod(2). -EEXIST. out may be NULL.
 */
must_check int path_create(const struct path *parent, const char *last, uint32_t mode,
	uint64_t rdev, struct path *out);

/* Copies a path name of the guest's in: -EFAULT, -ENAMETOOLONG (4096 with the NUL). Empty names are
 * allowed here. */
must_check int path_copy_in(struct task *task, gaddr_t address, char buffer[4096]);
/* The absolute name of a path as seen from root (NULL: from the namespace's), into the end of a
 * buffer: a pointer into it, or NULL if it does not fit. " (deleted)" is appended where it is, as
 * d_path() does; what root does not lead to is shown from as far up as there is. */
char *path_name(const struct path *path, const struct path *root, char *buffer, size_t size);
/* The same for getcwd(2) and mountinfo: *reachable tells whether root leads there, and nothing is
 * appended. */
char *path_name_plain(const struct path *path, const struct path *root, char *buffer, size_t size,
	bool *reachable);

/* --- what a task has (fs_struct.c) --- */

struct fs_struct {
	struct refcount refs;
	struct mutex lock; /* RANK_FD_TABLE */
	struct path root, pwd;
	uint32_t umask;
};
must_check int fs_struct_new(
	const struct path *root, const struct path *pwd, uint32_t umask, struct fs_struct **out);
must_check int fs_struct_copy(struct fs_struct *fs, struct fs_struct **out);
struct fs_struct *fs_struct_get(struct fs_struct *fs);
void fs_struct_put(struct fs_struct *fs);
void fs_struct_root(struct fs_struct *fs, struct path *out); /* references */
void fs_struct_pwd(struct fs_struct *fs, struct path *out);
/* Puts a path (its references are consumed) in place of fs->root or fs->pwd. */
void fs_struct_set(struct fs_struct *fs, struct path *field, struct path *path);
