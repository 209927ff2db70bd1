/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File handles (file_handle.h).
 *
 * Differs from Linux: a handle is good for as long as it is remembered; after rename(2) from
 * outside the sandbox and for a file of several names whose remembered name went it leads to the
 * file by a name that is gone.
 */
#include "sentry/vfs/file_handle.h"

#include "abi/stat.h"
#include "sentry/lock_order.h"
#include "sentry/vfs/dentry.h"
#include "sentry/vfs/mount.h"

#include <errno.h>
#include <stdlib.h>

struct handle_entry {
	RB_ENTRY(handle_entry) node; /* by super block and id */
	TAILQ_ENTRY(handle_entry) link;
	const struct super_block *sb; /* dentry's */
	struct file_id id;
	struct dentry *dentry; /* a reference */
};

RB_HEAD(handle_tree, handle_entry);

static struct {
	struct mutex lock; /* RANK_LEAF: all below */
	struct handle_tree tree;
	TAILQ_HEAD(handle_list, handle_entry) list; /* who was asked for last in front */
	atomic_uint count;
} handles;

static int compare_ids(const struct file_id *a, const struct file_id *b)
{
	if (a->ino_high != b->ino_high)
		return a->ino_high < b->ino_high ? -1 : 1;
	if (a->ino_low != b->ino_low)
		return a->ino_low < b->ino_low ? -1 : 1;
	return (a->generation > b->generation) - (a->generation < b->generation);
}

static int compare_entries(const struct handle_entry *a, const struct handle_entry *b)
{
	if (a->sb != b->sb)
		return (uintptr_t)a->sb < (uintptr_t)b->sb ? -1 : 1;
	return compare_ids(&a->id, &b->id);
}

RB_GENERATE_INTERNAL(handle_tree, handle_entry, node, compare_entries, unused_ static)

__attribute__((constructor)) static void file_handle_start(void)
{
	mutex_init(&handles.lock, RANK_LEAF, "file handles");
	RB_INIT(&handles.tree);
	TAILQ_INIT(&handles.list);
}

struct file_id inode_file_id(const struct inode *inode)
{
	const struct linux_timespec *birth = &inode->attributes.btime;
	uint64_t mark = (uint64_t)birth->tv_sec * 1000000007u + (uint64_t)birth->tv_nsec;

	return (struct file_id){
		.generation = (uint32_t)(mark ^ (mark >> 32)),
		.ino_low = (uint32_t)inode->attributes.ino,
		.ino_high = (uint32_t)(inode->attributes.ino >> 32),
	};
}

bool inode_is_exported(const struct inode *inode)
{
	return inode->sb->exports_handles;
}

int32_t inode_handle_type(const struct inode *inode)
{
	return inode_is_exported(inode) ? LINUX_FILEID_INO32_GEN : LINUX_FILEID_INO64_GEN;
}

/* Removed and closed by everybody: such a file is not to be had again. */
static bool is_gone(const struct inode *inode)
{
	return (inode->attributes.nlink == 0 || inode->dead) && !inode_is_open(inode) &&
	       !inode->linkable;
}

static struct handle_entry *find_locked(const struct super_block *sb, const struct file_id *id)
{
	struct handle_entry key = {.sb = sb, .id = *id};

	return RB_FIND(handle_tree, &handles.tree, &key);
}

/* The dentry, with its reference, is the caller's to drop. */
static struct dentry *remove_locked(struct handle_entry *entry)
{
	struct dentry *dentry = entry->dentry;

	RB_REMOVE(handle_tree, &handles.tree, entry);
	TAILQ_REMOVE(&handles.list, entry, link);
	atomic_fetch_sub(&handles.count, 1);
	free(entry);
	return dentry;
}

/* Found again: it goes by the newer name, unless that is the one which is gone. */
static struct dentry *renew_locked(struct handle_entry *entry, struct dentry *dentry)
{
	struct dentry *old = entry->dentry;

	TAILQ_REMOVE(&handles.list, entry, link);
	TAILQ_INSERT_HEAD(&handles.list, entry, link);
	if (old == dentry || dentry_is_deleted(dentry))
		return NULL;
	entry->dentry = dentry_get(dentry);
	return old;
}

static struct dentry *insert_locked(struct handle_entry *entry)
{
	TAILQ_INSERT_HEAD(&handles.list, entry, link);
	if (atomic_fetch_add(&handles.count, 1) < FILE_HANDLES_MAX)
		return NULL;
	return remove_locked(TAILQ_LAST(&handles.list, handle_list));
}

int file_handle_remember(struct dentry *dentry)
{
	struct handle_entry *entry = calloc(1, sizeof(*entry)), *known;
	struct dentry *unused;

	if (!entry)
		return -ENOMEM;
	entry->sb = dentry->sb;
	entry->id = inode_file_id(dentry_inode(dentry));
	entry->dentry = dentry;
	mutex_lock(&handles.lock);
	known = RB_INSERT(handle_tree, &handles.tree, entry);
	if (known) {
		unused = renew_locked(known, dentry);
	} else {
		(void)dentry_get(dentry);
		unused = insert_locked(entry);
	}
	mutex_unlock(&handles.lock);
	if (known)
		free(entry);
	if (unused)
		dentry_put(unused);
	/* Who removed it may have been here before. */
	if (is_gone(dentry_inode(dentry)))
		file_handle_forget_inode(dentry_inode(dentry));
	return 0;
}

int file_handle_find(
	struct mount *mount, int32_t type, const struct file_id *id, size_t size, struct path *out)
{
	struct handle_entry *entry;
	struct dentry *dentry = NULL;
	bool below;

	if (type != LINUX_FILEID_INO32_GEN || size < sizeof(*id))
		return -ESTALE;
	mutex_lock(&handles.lock);
	entry = find_locked(mount->sb, id);
	if (entry)
		dentry = dentry_get(entry->dentry);
	mutex_unlock(&handles.lock);
	if (!dentry)
		return -ESTALE;
	/* A mount of a part of the file system gives away no more than that part. */
	dentry_tree_lock();
	below = dentry_is_below(dentry, mount->root);
	dentry_tree_unlock();
	if (!below || is_gone(dentry_inode(dentry))) {
		dentry_put(dentry);
		return -ESTALE;
	}
	*out = (struct path){.mount = mount_get(mount), .dentry = dentry};
	return 0;
}

void file_handle_forget_inode(const struct inode *inode)
{
	struct file_id id = inode_file_id(inode);
	struct handle_entry *entry;
	struct dentry *dentry = NULL;

	if (likely(!atomic_load_explicit(&handles.count, memory_order_relaxed)))
		return;
	mutex_lock(&handles.lock);
	entry = find_locked(inode->sb, &id);
	if (entry)
		dentry = remove_locked(entry);
	mutex_unlock(&handles.lock);
	if (dentry)
		dentry_put(dentry);
}

void file_handle_forget_super_block(const struct super_block *sb)
{
	struct handle_entry first = {.sb = sb}, *entry;
	struct dentry *dentry;

	if (likely(!atomic_load_explicit(&handles.count, memory_order_relaxed)))
		return;
	do {
		mutex_lock(&handles.lock);
		entry = RB_NFIND(handle_tree, &handles.tree, &first);
		dentry = entry && entry->sb == sb ? remove_locked(entry) : NULL;
		mutex_unlock(&handles.lock);
		if (dentry)
			dentry_put(dentry);
	} while (dentry);
}
