/* SPDX-License-Identifier: Apache-2.0 */
/* What the overlay keeps for each super block and inode; private to sentry/fs/overlay/. */
#pragma once

#include "base/compiler.h"
#include "base/lock.h"
#include "sentry/fs/overlay/overlay.h"
#include "sentry/vfs/inode.h"

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct dir_context;
struct file;
struct iov_iter;

/* Inode numbers of what the lower tree does not have; the host's own stay below. */
#define OVERLAY_FIRST_INO (1ul << 50)

/* super_block.private */
struct overlay_fs {
	struct super_block *lower, *upper; /* references */
	struct overlay_node *root;	   /* set once; owned by the root dentry */
	struct mutex lock;		   /* RANK_LEAF: all below */
	RB_HEAD(overlay_lower_tree, overlay_node) by_lower;
	LIST_HEAD(, overlay_node) pinned;
};

/* A name in which a directory differs from its lower one. Guarded by the directory's inode->lock.
 */
struct overlay_name {
	RB_ENTRY(overlay_name) by_text, by_cookie;
	struct inode *inode;	      /* a reference; NULL: a whiteout */
	int64_t cookie;		      /* only grow; read from the highest down */
	bool covers;		      /* the lower directory has the name */
	bool kept;		      /* taken away it leaves a whiteout: the baseline has it */
	bool base_absent;	      /* the baseline has it as a whiteout */
	struct overlay_before before; /* what it covers */
	char text[];
};

/* inode.private */
struct overlay_node {
	struct inode *inode; /* set once; not a reference */
	struct inode *lower; /* set once; a reference, or NULL */
	struct inode *_Atomic
		upper; /* a reference once set: data and extended attributes, or only those */
	atomic_bool data_in_upper; /* a regular file's contents are upper's, not lower's */
	bool changed; /* inode->lock: attributes are its own, and no longer follow lower's */
	uint32_t
		charged_names; /* inode->lock: names from link(2) that upper's super block counts */
	bool hashed, pinned;   /* overlay_fs.lock */
	RB_ENTRY(overlay_node) by_lower;
	LIST_ENTRY(overlay_node) pinned_link;
	/* Directories; inode->lock. */
	RB_HEAD(overlay_text_tree, overlay_name) names;
	RB_HEAD(overlay_cookie_tree, overlay_name) cookies;
	int64_t last_cookie;
	struct overlay_node *next_dead;
	/* overlay_set_baseline()'s: names up to this cookie, and a file with this ctime, are none
	 * of the changes. */
	int64_t base_cookie;
	struct linux_timespec base_ctime;
	struct overlay_before before; /* inode->lock: lower, when it was first changed */
	bool in_base;
	atomic_bool written_by_mapping; /* perhaps: it was mapped shared and writable since */
};

static inline struct overlay_fs *overlay_of(const struct super_block *sb)
{
	return sb->private;
}

static inline struct overlay_node *overlay_node_of(const struct inode *inode)
{
	return inode->private;
}

/* Where a regular file's contents are now. */
static inline struct inode *overlay_data_inode(const struct overlay_node *node)
{
	return atomic_load_explicit(&node->data_in_upper, memory_order_acquire) ? node->upper
										: node->lower;
}

extern const struct inode_operations overlay_directory_inode_ops, overlay_inode_ops;
extern const struct file_operations overlay_directory_ops, overlay_file_ops;

/* --- overlay_inode.c --- */
/* The inode over a lower one; consumes the reference to lower, also on failure. */
must_check int overlay_inode_get(struct super_block *sb, struct inode *lower, struct inode **out);
/* An inode that the lower tree does not have, with no name yet. target: a symlink's text. */
must_check int overlay_inode_new(struct super_block *sb, uint32_t mode, uint64_t rdev,
	const char *target, struct inode **out);
void overlay_inode_release(struct inode *inode);
/* From now on the inode's attributes are its own, and it stays in memory. inode->lock held. */
void overlay_mark_changed(struct inode *inode);
/* Its last name is gone. inode->lock held, and a reference of the caller's. */
void overlay_unpin(struct inode *inode);
int overlay_getattr(struct inode *inode);
int overlay_setattr(
	struct inode *inode, const struct inode_attributes *attributes, unsigned int mask);
/* Size and blocks as the data inode has them. inode->lock held. */
void overlay_sync_size(struct inode *inode);

/* --- overlay_name.c; inode->lock of the directory held --- */
struct overlay_name *overlay_name_find(struct overlay_node *directory, const char *text);
must_check struct overlay_name *overlay_name_new(const char *text);
/* Enters a name; inode may be NULL, otherwise its reference is consumed. */
void overlay_name_insert(struct overlay_node *directory, struct overlay_name *name,
	struct inode *inode, bool covers);
/* Lets a name lead elsewhere: the inode that it led to, with its reference. */
struct inode *overlay_name_replace(
	struct overlay_node *directory, struct overlay_name *name, struct inode *inode);
/* Takes the name out and frees it. */
struct inode *overlay_name_remove(struct overlay_node *directory, struct overlay_name *name);
/* What is below an inode as of now; NULL: nothing. */
void overlay_remember(struct overlay_before *before, const struct inode *lower);
/* Does any name lead somewhere? */
bool overlay_name_any_visible(struct overlay_node *directory);
/* The name with the highest cookie up to this one, or NULL. */
struct overlay_name *overlay_name_at_or_below(struct overlay_node *directory, int64_t cookie);

/* --- overlay_copy_up.c; inode->lock held --- */
/* Sees to it that upper is there, with the lower's extended attributes. */
must_check int overlay_make_upper(struct inode *inode);
/* Brings the first limit bytes of a regular file up. */
must_check int overlay_copy_up(struct inode *inode, uint64_t limit);

/* --- overlay_directory.c --- */
/* What the lower directory has under a name, with a reference, or NULL. */
struct inode *overlay_lower_child(struct overlay_node *directory, const char *name);
/* -ENOTEMPTY if a name is visible in the directory. inode->lock held. */
must_check int overlay_check_empty(struct inode *directory);

/* --- overlay_readdir.c --- */
/* The lower directory's names that nobody changed, NUL-terminated one after the other; malloced,
 * may be NULL. */
must_check int overlay_unchanged_names(struct overlay_node *directory, char **names, size_t *size);

/* --- overlay_xattr.c --- */
int64_t overlay_getxattr(struct inode *inode, const char *name, void *value, size_t size);
int overlay_setxattr(
	struct inode *inode, const char *name, const void *value, size_t size, int flags);
int64_t overlay_listxattr(struct inode *inode, char *list, size_t size);
int overlay_removexattr(struct inode *inode, const char *name);

/* --- overlay_real.c: files of the inodes below, opened by the overlay itself --- */
struct overlay_real;
must_check int overlay_real_open(
	struct inode *inode, unsigned int mode, uint32_t flags, struct overlay_real **out);
void overlay_real_close(struct overlay_real *real);
struct file *overlay_real_file(struct overlay_real *real);

/* --- overlay_file.c --- */
int overlay_open(struct inode *inode, struct file *file);
int overlay_open_directory(struct inode *inode, struct file *file);
