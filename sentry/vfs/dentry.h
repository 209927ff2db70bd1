/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dentry cache, as the rest of vfs/ uses it.
 *
 * A hashed dentry is in its parent's children and in the cache's list; the tree holds one reference
 * to it, so refs of 1 means unused. Whoever holds a reference to a positive dentry may use its
 * inode: a dentry turns negative only when nobody else holds it. Names and parents change only in
 * dentry_move() and dentry_exchange(), with dentry_tree_lock() held.
 */
#pragma once

#include "sentry/vfs/inode.h"
#include "sentry/vfs/path.h"

/* One component of a path; not NUL-terminated. */
struct component {
	const char *name;
	uint32_t hash;
	uint16_t length;
};

struct component component_from_string(const char *name);

static inline uint32_t component_hash_add(uint32_t hash, unsigned char byte)
{
	return (hash ^ byte) * 16777619u;
}
#define COMPONENT_HASH_START 2166136261u

/* The inode of a dentry that the caller holds; NULL when it is negative. */
static inline struct inode *dentry_inode(const struct dentry *dentry)
{
	return __atomic_load_n(&dentry->inode, __ATOMIC_ACQUIRE);
}

/* A root, or a name outside every tree (parent NULL); consumes the inode's reference, also on
 * failure. */
must_check int dentry_new_root(
	struct super_block *sb, struct inode *inode, const char *name, struct dentry **out);
/* Is its name gone? Where names are looked up anew each time (proc), losing the cache's does not
 * mean that. */
static inline bool dentry_is_deleted(const struct dentry *dentry)
{
	return dentry->unhashed && dentry != dentry->sb->root && !dentry->sb->no_name_cache;
}

/* An unhashed child, for O_TMPFILE; consumes the inode's reference, also on failure. */
must_check int dentry_new_unhashed(struct dentry *parent, const struct component *name,
	struct inode *inode, struct dentry **out);

/* Finds a name in a directory, positive or negative. The caller saw to it that parent is a
 * directory, and to permission. */
must_check int dentry_lookup(
	struct dentry *parent, const struct component *name, struct dentry **out);
/* The same with RANK_INODE of the directory held: the answer stays true until it is released. */
must_check int dentry_lookup_locked(
	struct dentry *parent, const struct component *name, struct dentry **out);
/* Finds only what is cached and needs no asking; NULL otherwise. */
struct dentry *dentry_find(struct dentry *parent, const struct component *name);

/* These need RANK_INODE of the directories concerned. */
void dentry_instantiate(
	struct dentry *dentry, struct inode *inode); /* consumes the inode's reference */
void dentry_delete(struct dentry *dentry);	     /* its name was removed */
void dentry_drop(struct dentry *dentry);	     /* the cache forgets it */
/* Gives dentry the place of target (negative or about to go), which is unhashed. Fails before
 * anything changed. */
must_check int dentry_move(struct dentry *dentry, struct dentry *target);
must_check int dentry_exchange(struct dentry *a, struct dentry *b);

/* Keeps all names and parents as they are. RANK_DENTRY, before every dentry's own. */
void dentry_tree_lock(void);
void dentry_tree_unlock(void);
/* Counts moves; for walks that must not be confused by one. */
unsigned int dentry_move_count(void);
/* Is ancestor above dentry, or the same? dentry_tree_lock() held. The answer stays true for as long
 * as the super block's rename lock is. */
bool dentry_is_below(const struct dentry *dentry, const struct dentry *ancestor);
struct dentry *dentry_parent(struct dentry *dentry); /* a reference */

/* Forgets all names below, in use or not. No lock at or after RANK_DENTRY held. */
void dentry_prune_tree(struct dentry *top);
/* The same for all of a super block that nobody uses any more, also below names that were dropped.
 */
void dentry_prune_super_block(struct super_block *sb);
/* Forgets unused names when there are too many. No lock held. */
void dentry_cache_trim(void);
