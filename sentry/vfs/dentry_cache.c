/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dentry cache: names found and names found absent, kept until there are too many of them.
 *
 * The list of all hashed dentries is a clock: a dentry that was found since the hand came by gets
 * another round. So finding a name writes nothing but that mark, and using a dentry touches no
 * list.
 */
#include "sentry/vfs/dentry_cache.h"

#include "abi/stat.h"
#include "base/log.h"
#include "sentry/lock_order.h"

#include <errno.h>
#include <string.h>

#define TRIM_BATCH 64  /* evicted in one call */
#define TRIM_LOOKS 512 /* looked at in one call */

static int dentry_compare(struct dentry *a, struct dentry *b)
{
	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	if (a->length != b->length)
		return a->length < b->length ? -1 : 1;
	return memcmp(a->name, b->name, a->length);
}

RB_GENERATE_INTERNAL(dentry_tree, dentry, sibling, dentry_compare, unused_ static)

static struct {
	pthread_mutex_t lock; /* innermost of all: nothing is called under it */
	TAILQ_HEAD(dentry_list, dentry) list;
	atomic_uint count;
} cache = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.list = TAILQ_HEAD_INITIALIZER(cache.list),
};

static struct dentry *children_find(struct dentry *parent, const struct component *name)
{
	struct dentry *dentry = RB_ROOT(&parent->children);

	while (dentry) {
		int order;

		if (name->hash != dentry->hash)
			order = name->hash < dentry->hash ? -1 : 1;
		else if (name->length != dentry->length)
			order = name->length < dentry->length ? -1 : 1;
		else
			order = memcmp(name->name, dentry->name, name->length);
		if (order == 0)
			break;
		dentry = order < 0 ? RB_LEFT(dentry, sibling) : RB_RIGHT(dentry, sibling);
	}
	return dentry;
}

static struct dentry *children_find_get(struct dentry *parent, const struct component *name)
{
	struct dentry *dentry;

	mutex_lock(&parent->lock);
	dentry = children_find(parent, name);
	if (dentry) {
		refcount_get(&dentry->refs);
		if (!atomic_load_explicit(&dentry->referenced, memory_order_relaxed))
			atomic_store_explicit(&dentry->referenced, true, memory_order_relaxed);
	}
	mutex_unlock(&parent->lock);
	return dentry;
}

void dentry_tree_remove(struct dentry *parent, struct dentry *dentry)
{
	if (!dentry->unhashed)
		RB_REMOVE(dentry_tree, &parent->children, dentry);
}

void dentry_tree_insert(struct dentry *parent, struct dentry *dentry)
{
	if (!dentry->unhashed)
		panic_if(RB_INSERT(dentry_tree, &parent->children, dentry) != NULL,
			"dentry cache: a name twice in one directory");
}

void dentry_hash(struct dentry *dentry)
{
	struct dentry *parent = dentry->parent;

	mutex_lock(&parent->lock);
	dentry->unhashed = false;
	dentry_tree_insert(parent, dentry);
	refcount_get(&dentry->refs);
	pthread_mutex_lock(&cache.lock);
	TAILQ_INSERT_HEAD(&cache.list, dentry, lru);
	dentry->on_lru = true;
	pthread_mutex_unlock(&cache.lock);
	mutex_unlock(&parent->lock);
	atomic_fetch_add(&cache.count, 1);
	atomic_fetch_add(&dentry->sb->cached_names, 1);
}

bool dentry_unhash_locked(struct dentry *parent, struct dentry *dentry)
{
	if (dentry->unhashed)
		return false;
	RB_REMOVE(dentry_tree, &parent->children, dentry);
	dentry->unhashed = true;
	pthread_mutex_lock(&cache.lock);
	TAILQ_REMOVE(&cache.list, dentry, lru);
	dentry->on_lru = false;
	pthread_mutex_unlock(&cache.lock);
	atomic_fetch_sub(&cache.count, 1);
	atomic_fetch_sub(&dentry->sb->cached_names, 1);
	return true;
}

bool dentry_evict(struct dentry *dentry)
{
	struct dentry *parent = dentry_parent(dentry);
	bool evicted = false;

	mutex_lock(&parent->lock);
	mutex_lock_nested(&dentry->lock);
	/* Only the parent's lock leads to new references, so nobody else can be about to use it. */
	if (dentry->parent == parent && refcount_read(&dentry->refs) == 2 &&
		RB_EMPTY(&dentry->children) && atomic_load(&dentry->mounted) == 0)
		evicted = dentry_unhash_locked(parent, dentry);
	mutex_unlock(&dentry->lock);
	mutex_unlock(&parent->lock);
	if (evicted)
		panic_if(refcount_put(&dentry->refs), "dentry cache: evicted a dead dentry");
	dentry_put(parent);
	return evicted;
}

/* Turns the clock's hand: the next dentry that looks unused, with a reference. */
static struct dentry *next_victim(unsigned int *looks)
{
	struct dentry *found = NULL;

	pthread_mutex_lock(&cache.lock);
	while (!found && *looks > 0) {
		struct dentry *dentry = TAILQ_LAST(&cache.list, dentry_list);

		--*looks;
		if (!dentry)
			break;
		TAILQ_REMOVE(&cache.list, dentry, lru);
		TAILQ_INSERT_HEAD(&cache.list, dentry, lru);
		if (atomic_exchange(&dentry->referenced, false) || refcount_read(&dentry->refs) > 1)
			continue;
		/* It is in the list, so the tree's reference is there. */
		refcount_get(&dentry->refs);
		found = dentry;
	}
	pthread_mutex_unlock(&cache.lock);
	return found;
}

void dentry_cache_trim(void)
{
	unsigned int looks = TRIM_LOOKS, evicted = 0;
	struct dentry *victim;

	if (likely(atomic_load_explicit(&cache.count, memory_order_relaxed) <= DENTRY_CACHE_MAX))
		return;
	while (evicted < TRIM_BATCH && (victim = next_victim(&looks))) {
		evicted += dentry_evict(victim);
		dentry_put(victim);
	}
}

static bool must_ask(const struct super_block *sb)
{
	return sb->ops->revalidate || sb->no_name_cache;
}

struct dentry *dentry_find(struct dentry *parent, const struct component *name)
{
	return must_ask(parent->sb) ? NULL : children_find_get(parent, name);
}

/*
 * A file system that makes its inodes anew at each look: the name still stands for the same file,
 * and it or something below it is in use, or has a mount. Who holds a directory may be about to
 * mount something there.
 */
static bool stays(struct dentry *dentry, const struct inode *inode)
{
	const struct inode *old = dentry->inode;

	if (old == inode || atomic_load(&dentry->mounted))
		return true;
	if (!old || !inode || old->attributes.ino != inode->attributes.ino ||
		!dentry->sb->no_name_cache)
		return false;
	mutex_guard(&dentry->lock);
	if (!RB_EMPTY(&dentry->children))
		return true;
	/* Besides the caller and the tree. */
	return refcount_read(&dentry->refs) > 2 && !inode_is_type(old, LINUX_S_IFLNK) &&
	       old->attributes.uid == inode->attributes.uid &&
	       old->attributes.gid == inode->attributes.gid;
}

int dentry_lookup_locked(struct dentry *parent, const struct component *name, struct dentry **out)
{
	struct inode *directory = parent->inode, *inode = NULL;
	struct dentry *dentry = children_find_get(parent, name);
	char copy[256];
	int result;

	if (dentry && !must_ask(parent->sb)) {
		*out = dentry;
		return 0;
	}
	memcpy(copy, name->name, name->length);
	copy[name->length] = '\0';
	result = directory->dead ? -ENOENT : directory->ops->lookup(directory, copy, &inode);
	if (result && (result != -ENOENT || directory->dead)) {
		if (dentry)
			dentry_put(dentry);
		return result;
	}
	if (result)
		inode = NULL;
	if (dentry && stays(dentry, inode)) {
		if (inode)
			inode_put(inode);
		*out = dentry;
		return 0;
	}
	if (dentry) {
		dentry_prune_tree(dentry);
		dentry_drop(dentry);
		dentry_put(dentry);
	}
	result = dentry_new_unhashed(parent, name, inode, out);
	if (result == 0 && (inode || !parent->sb->no_negative_cache))
		dentry_hash(*out);
	return result;
}

/* The cached name of a file system that must be asked: still true? */
static bool still_true(struct dentry *parent, const struct component *name, struct dentry *dentry)
{
	char copy[256];

	if (parent->sb->no_name_cache)
		return false;
	memcpy(copy, name->name, name->length);
	copy[name->length] = '\0';
	return parent->sb->ops->revalidate(parent->inode, copy, dentry_inode(dentry)) != 0;
}

int dentry_lookup(struct dentry *parent, const struct component *name, struct dentry **out)
{
	struct dentry *dentry = children_find_get(parent, name);
	int result;

	if (dentry) {
		if (likely(!must_ask(parent->sb)) || still_true(parent, name, dentry)) {
			*out = dentry;
			return 0;
		}
		dentry_put(dentry);
	}
	dentry_cache_trim();
	mutex_lock(&parent->inode->lock);
	result = dentry_lookup_locked(parent, name, out);
	mutex_unlock(&parent->inode->lock);
	return result;
}

/* The first child, with a reference. */
static struct dentry *first_child(struct dentry *dentry)
{
	struct dentry *child;

	mutex_guard(&dentry->lock);
	child = RB_MIN(dentry_tree, &dentry->children);
	return child ? dentry_get(child) : NULL;
}

void dentry_prune_tree(struct dentry *top)
{
	struct dentry *dentry = dentry_get(top);

	for (;;) {
		struct dentry *child = first_child(dentry), *parent;

		if (child) {
			dentry_put(dentry);
			dentry = child;
			continue;
		}
		if (dentry == top)
			break;
		parent = dentry_parent(dentry);
		dentry_drop(dentry);
		dentry_put(dentry);
		dentry = parent;
	}
	dentry_put(dentry);
}

/* Any hashed dentry of a super block, with a reference. */
static struct dentry *find_of(const struct super_block *sb)
{
	struct dentry *dentry;

	pthread_mutex_lock(&cache.lock);
	TAILQ_FOREACH (dentry, &cache.list, lru)
		if (dentry->sb == sb)
			break;
	if (dentry)
		refcount_get(&dentry->refs);
	pthread_mutex_unlock(&cache.lock);
	return dentry;
}

void dentry_prune_super_block(struct super_block *sb)
{
	struct dentry *dentry;

	if (sb->root)
		dentry_prune_tree(sb->root);
	/* A directory that was dropped took those below it out of the tree. */
	while (atomic_load(&sb->cached_names) > 0 && (dentry = find_of(sb))) {
		dentry_drop(dentry);
		dentry_put(dentry);
	}
}
