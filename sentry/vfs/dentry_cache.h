/* SPDX-License-Identifier: Apache-2.0 */
/* Between dentry.c and dentry_cache.c: the trees of children and the list of all hashed dentries.
 */
#pragma once

#include "sentry/vfs/dentry.h"

/* Dentries that are in a tree; past this the cache forgets unused ones. */
#define DENTRY_CACHE_MAX 32768

/* Refs of 1, unhashed, its own parent. NULL: no memory. */
struct dentry *dentry_allocate(struct super_block *sb, const struct component *name);
/* Puts a dentry into its parent's tree and the cache. */
void dentry_hash(struct dentry *dentry);
/* Takes it out, the parent's lock and the dentry's held; true if it was in: the caller puts the
 * tree's reference. */
must_check bool dentry_unhash_locked(struct dentry *parent, struct dentry *dentry);
/* For moves: the tree alone. An unhashed dentry is left as it is. */
void dentry_tree_remove(struct dentry *parent, struct dentry *dentry);
void dentry_tree_insert(struct dentry *parent, struct dentry *dentry);
/* Forgets a dentry that only the caller holds. */
bool dentry_evict(struct dentry *dentry);
