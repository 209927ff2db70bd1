/* SPDX-License-Identifier: Apache-2.0 */
/* What the host file system keeps for each super block and inode; private to sentry/fs/host/. */
#pragma once

#include "abi/stat.h" /* before the host's, which makes macros of its names */
#include "base/compiler.h"
#include "base/lock.h"
#include "base/refcount.h"
#include "sentry/fs/host/host.h"
#include "sentry/fs/host/host_handle.h"
#include "sentry/mm/mappable.h"
#include "sentry/vfs/inode.h"

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <stdatomic.h>
#include <sys/stat.h>

struct file;
struct dir_context;

/* What statx(2) is always asked for. */
#define HOST_STATX_MASK (STATX_BASIC_STATS | STATX_BTIME)
/* Names longer than this from the nearest open directory are given up: -ENAMETOOLONG. */
#define HOST_NAME_ROOM	 16384
#define HOST_MAX_DEVICES 64

/* The host's name for a file. */
struct host_identity {
	uint64_t device, ino;
};

/* super_block.private */
struct host_fs {
	int root_fd; /* the one that the super block was made with */
	bool read_only, exclusive, gives_owners;
	unsigned int host_ids; /* enum host_ids */
	struct mutex lock; /* RANK_LEAF: the fields below, and names and parents of all nodes */
	RB_HEAD(host_node_tree, host_node) nodes;
	uint64_t devices[HOST_MAX_DEVICES]; /* numbers of the mounts met; [0] is the root's */
	unsigned int device_count;
};

/* inode.private */
struct host_node {
	struct inode *inode; /* set once; not a reference */
	struct host_fs *fs;
	RB_ENTRY(host_node) by_identity; /* fs->lock */
	struct host_identity identity;	 /* fs->lock to change */
	bool hashed;			 /* fs->lock: found by identity */
	struct host_node *parent; /* fs->lock; with a reference to its inode. NULL: no name is
				     known, or the root */
	char *name;		  /* fs->lock */
	LIST_HEAD(, host_name) others; /* fs->lock: more names, host_names.c's own */
	unsigned int other_count;      /* fs->lock */
	bool is_root;		  /* set once */
	bool keeps_handles; /* set once: no name to open it by again, so what is open stays acquired */
	bool walled; /* set once: a part of the host that is nobody's business (/proc, /sys) */
	atomic_bool dirty; /* of an exclusive tree: what the host says changed by our own doing */
	struct host_handle read, write; /* directories use only read */
	struct mappable mappable;	/* regular files */
	unsigned int mapping_files; /* mappable.lock: open files that were ever mapped; they keep
				       the next two */
	bool mapped_read, mapped_write; /* mappable.lock: read, write is acquired for mappings */
	struct host_listing
		*listing; /* fs->lock: of a directory of an exclusive tree; a reference */
	struct host_node *next_dead;
};

static inline struct host_fs *host_fs_of(const struct super_block *sb)
{
	return sb->private;
}

static inline struct host_node *host_node_of(const struct inode *inode)
{
	return inode->private;
}

/* Can a descriptor be had again by name at any time? Then an open file need not keep its own. */
static inline bool host_fs_is_stable(const struct host_fs *fs)
{
	return fs->exclusive && fs->read_only;
}

extern const struct inode_operations host_directory_inode_ops, host_inode_ops;
extern const struct file_operations host_directory_ops, host_file_ops;

/* --- host_node.c --- */

/*
 * The inode for what statx(2) said of a name in parent: the one that is known already, or a new
 * one. A reference in *out. RANK_INODE of parent's inode held.
 */
must_check int host_node_get(
	struct host_node *parent, const char *name, const struct statx *stx, struct inode **out);
/* A regular file's that has no name; fd is open for reading and writing, and consumed. */
must_check int host_node_new_unnamed(
	struct super_block *sb, const struct statx *stx, int fd, struct inode **out);
/* The root's, from fs->root_fd, which is the node's from then on. */
must_check int host_node_new_root(
	struct super_block *sb, const struct statx *stx, bool writable, struct inode **out);
/* Another file has the node's place now (stable trees). */
void host_node_adopt(struct host_node *node, struct host_identity identity);
void host_inode_release(struct inode *inode);
/* --- host_names.c; none for the root --- */

/* The node goes by this name now; if it has several links, by the one before too. */
must_check int host_node_set_name(
	struct host_node *node, struct host_node *parent, const char *name);
/* It can be found by this name as well. */
must_check int host_node_add_name(
	struct host_node *node, struct host_node *parent, const char *name);
/* The name was removed or leads elsewhere: the node goes by another one, if it has any. */
void host_node_forget_name(
	struct host_node *node, const struct host_node *parent, const char *name);
/* Of a node that nobody knows any more. */
void host_node_forget_others(struct host_node *node);

/* --- host_open.c: descriptors for nodes --- */

/* A directory's, for use as dirfd, perhaps O_PATH; for host_handle_release(&node->read). Negative
 * errno. */
must_check int host_directory_acquire(struct host_node *node);
/*
 * A regular file's, through node->write or node->read, for host_handle_release(). With fresh,
 * statx(2)'s answer of now is wanted, and a file that replaced the one known may take its place in
 * a stable tree; without, that is -ESTALE.
 */
must_check int host_file_acquire(struct host_node *node, bool write, struct statx *fresh);
/* Where a node is: its directory and the name in it. */
struct host_place {
	struct host_node *parent; /* with a reference to its inode */
	int fd;
	char name[256];
};
/* -ESTALE when no name is known. What is there may be another file by now. */
must_check int host_place_acquire(struct host_node *node, struct host_place *place);
void host_place_release(struct host_place *place);
/*
 * Something else than a directory, opened with flags (and O_NOFOLLOW) by whichever of its names
 * leads to it; names that do not are forgotten, but where nobody else changes them. The
 * descriptor is the caller's; -ESTALE when there is none.
 */
must_check int host_open_node(struct host_node *node, int flags, struct statx *stx);
/* A descriptor of a node, perhaps O_PATH, for as long as a change to it takes. */
struct host_hold {
	struct host_handle *handle; /* whose it is, or */
	int own;		    /* this */
};
/* The descriptor; -errno. */
must_check int host_hold_acquire(struct host_node *node, struct host_hold *hold);
void host_hold_release(struct host_hold *hold);
/* openat(2) that makes room when there are too many descriptors, and keeps those of the sentry
 * itself free; O_CREAT only with O_EXCL. -errno. */
must_check int host_openat(int dirfd, const char *name, int flags, uint32_t mode);

/* --- host_attributes.c --- */

must_check int host_statx(
	int dirfd, const char *name, struct statx *stx); /* name "": dirfd itself; -errno */
struct host_identity host_identity_of(const struct statx *stx);
void host_attributes_from(
	struct host_fs *fs, const struct statx *stx, struct inode_attributes *attributes);
/* Brings inode->attributes in line; inode->lock held. */
void host_attributes_update(struct inode *inode, const struct statx *stx);
/*
 * As that, for a lookup that met the inode. rename(2) looks names up with the directories' locks
 * held, and the name may be that of one of them: who holds the inode's lock sees to it himself.
 */
void host_attributes_meet(struct inode *inode, const struct statx *stx);
uint64_t host_show_ino(struct host_fs *fs, struct host_identity identity);
/* chmod(2) that follows no symlink; name "": dirfd itself, O_PATH or not. -errno. */
must_check int host_chmod(int dirfd, const char *name, uint32_t mode);
int host_getattr(struct inode *inode);
int host_setattr(struct inode *inode, const struct inode_attributes *attributes, unsigned int mask);

/* --- host_xattr.c --- */
int64_t host_getxattr(struct inode *inode, const char *name, void *value, size_t size);
int host_setxattr(struct inode *inode, const char *name, const void *value, size_t size, int flags);
int64_t host_listxattr(struct inode *inode, char *list, size_t size);
int host_removexattr(struct inode *inode, const char *name);

/* --- host_listing.c --- */
struct host_listing;
void host_listing_put(struct host_listing *listing);
/* The directory's names changed by our doing. */
void host_listing_forget(struct host_node *node);
int host_iterate(struct file *file, struct dir_context *context);
void host_directory_release(struct file *file);

/* --- host_file.c --- */
extern const struct mappable_operations host_mappable_ops;
int host_open(struct inode *inode, struct file *file);
