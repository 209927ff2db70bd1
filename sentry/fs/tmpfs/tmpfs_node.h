/* SPDX-License-Identifier: Apache-2.0 */
/* What tmpfs keeps for each inode and super block; private to sentry/fs/tmpfs/. */
#pragma once

#include "sentry/fs/tmpfs/tmpfs.h"
#include "sentry/fs/tmpfs/tmpfs_pages.h"
#include "sentry/mm/mappable.h"

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

struct tmpfs_name;
struct tmpfs_xattr;

/* super_block.private */
struct tmpfs {
	struct tmpfs_quota quota;
	uint64_t max_inodes; /* 0: no limit */
	atomic_ulong used_inodes;
	uint32_t mode, uid, gid; /* of the root, as mounted */
};

/* Names of a directory. Cookies only grow, and are read from the highest down: what is made while a
 * directory is being read is not met again, and removals move nothing. */
struct tmpfs_directory {
	RB_HEAD(tmpfs_name_tree, tmpfs_name) names;
	RB_HEAD(tmpfs_cookie_tree, tmpfs_name) cookies;
	int64_t last_cookie;
};

struct tmpfs_data {
	struct mutex write_lock; /* RANK_FILE_DATA */
	struct mappable mappable;
	struct tmpfs_pages pages; /* mappable.lock */
	unsigned int seals;	  /* write_lock */
	bool was_mapped_writable; /* mappable.lock: since there was no mapping at all */
};

/* inode.private */
struct tmpfs_node {
	struct inode *inode; /* set once; not a reference */
	struct tmpfs_node *next_dead;
	LIST_HEAD(, tmpfs_xattr) xattrs; /* inode->lock */
	size_t xattr_size;
	union {
		struct tmpfs_directory directory;
		struct tmpfs_data data;
	};
};

static inline struct tmpfs *tmpfs_of(const struct super_block *sb)
{
	return sb->private;
}

static inline struct tmpfs_node *tmpfs_node_of(const struct inode *inode)
{
	return inode->private;
}

/* Reads a size that may be changing; the loads of both are single. */
static inline uint64_t tmpfs_size(const struct inode *inode)
{
	return __atomic_load_n(&inode->attributes.size, __ATOMIC_ACQUIRE);
}

/* Changed now; inode->lock held. */
static inline void touch_ctime(struct inode *inode)
{
	inode->attributes.ctime = inode_time_now();
}

static inline void touch_mtime(struct inode *inode)
{
	inode->attributes.mtime = inode->attributes.ctime = inode_time_now();
}

extern const struct inode_operations tmpfs_directory_inode_ops, tmpfs_inode_ops;
extern const struct file_operations tmpfs_directory_ops, tmpfs_file_ops;

/* One inode, or one more name of an inode, is charged to the super block. */
must_check int tmpfs_charge_inode(struct tmpfs *fs);
void tmpfs_uncharge_inode(struct tmpfs *fs);

/* tmpfs_inode.c */
must_check int tmpfs_setattr(
	struct inode *inode, const struct inode_attributes *attributes, unsigned int mask);
void tmpfs_inode_release(struct inode *inode);

/* tmpfs_directory.c; RANK_INODE of the directory held. Consumes nothing: takes a reference to
 * inode. */
must_check int tmpfs_name_add(struct inode *directory, const char *name, struct inode *inode);
/* Takes any name out of a directory that nobody else sees: the inode with its reference, or NULL
 * when it is empty. */
struct inode *tmpfs_name_take_any(struct tmpfs_directory *directory);

/* tmpfs_file.c */
void tmpfs_data_init(struct tmpfs_data *data, struct tmpfs_quota *quota);
void tmpfs_data_destroy(struct tmpfs_data *data);
must_check int tmpfs_truncate(struct inode *inode, uint64_t size);

/* tmpfs_fallocate.c */
int tmpfs_fallocate(struct file *file, int mode, int64_t offset, int64_t length);
int64_t tmpfs_seek(struct file *file, int64_t offset, int whence);

/* tmpfs_xattr.c */
int64_t tmpfs_getxattr(struct inode *inode, const char *name, void *value, size_t size);
int tmpfs_setxattr(
	struct inode *inode, const char *name, const void *value, size_t size, int flags);
int64_t tmpfs_listxattr(struct inode *inode, char *list, size_t size);
int tmpfs_removexattr(struct inode *inode, const char *name);
void tmpfs_xattrs_free(struct tmpfs_node *node);
