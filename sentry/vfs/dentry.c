/* SPDX-License-Identifier: Apache-2.0 */
/* Dentries: their life, and what create, unlink and rename do to them. */
#include "sentry/vfs/dentry.h"

#include "base/log.h"
#include "sentry/lock_order.h"
#include "sentry/vfs/dentry_cache.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

REFCOUNT_TYPE(dentry_refs, "dentry");

/* Serializes all moves: whoever holds it sees names and parents that stay. */
static struct mutex tree_lock;
static pthread_once_t tree_lock_once = PTHREAD_ONCE_INIT;
static atomic_uint move_count;

static void tree_lock_init(void)
{
	mutex_init(&tree_lock, RANK_DENTRY, "dentry tree");
}

void dentry_tree_lock(void)
{
	pthread_once(&tree_lock_once, tree_lock_init);
	mutex_lock(&tree_lock);
}

void dentry_tree_unlock(void)
{
	mutex_unlock(&tree_lock);
}

unsigned int dentry_move_count(void)
{
	return atomic_load(&move_count);
}

struct component component_from_string(const char *name)
{
	struct component component = {.name = name, .hash = COMPONENT_HASH_START};

	for (; *name && component.length < UINT16_MAX; name++, component.length++)
		component.hash = component_hash_add(component.hash, (unsigned char)*name);
	return component;
}

struct dentry *dentry_allocate(struct super_block *sb, const struct component *name)
{
	struct dentry *dentry = malloc(sizeof(*dentry) + name->length + 1u);

	if (!dentry)
		return NULL;
	memset(dentry, 0, sizeof(*dentry));
	refcount_init(&dentry->refs, &dentry_refs);
	mutex_init(&dentry->lock, RANK_DENTRY, "dentry");
	dentry->sb = sb;
	dentry->parent = dentry;
	dentry->name = dentry->inline_name;
	memcpy(dentry->name, name->name, name->length);
	dentry->name[name->length] = '\0';
	dentry->hash = name->hash;
	dentry->length = name->length;
	dentry->unhashed = true;
	RB_INIT(&dentry->children);
	return dentry;
}

int dentry_new_root(
	struct super_block *sb, struct inode *inode, const char *name, struct dentry **out)
{
	struct component component = component_from_string(name);
	struct dentry *dentry = dentry_allocate(sb, &component);

	if (!dentry) {
		inode_put(inode);
		return -ENOMEM;
	}
	dentry->inode = inode;
	*out = dentry;
	return 0;
}

int dentry_new_unhashed(struct dentry *parent, const struct component *name, struct inode *inode,
	struct dentry **out)
{
	struct dentry *dentry = dentry_allocate(parent->sb, name);

	if (!dentry) {
		if (inode)
			inode_put(inode);
		return -ENOMEM;
	}
	dentry->parent = dentry_get(parent);
	dentry->inode = inode;
	*out = dentry;
	return 0;
}

static void dentry_free(struct dentry *dentry)
{
	if (dentry->inode)
		inode_put(dentry->inode);
	if (dentry->name != dentry->inline_name)
		free(dentry->name);
	mutex_destroy(&dentry->lock);
	free(dentry);
}

struct dentry *dentry_get(struct dentry *dentry)
{
	refcount_get(&dentry->refs);
	return dentry;
}

void dentry_put(struct dentry *dentry)
{
	/* The last reference to a child may be the last one to its parent, and so on up. */
	while (dentry) {
		struct dentry *parent;

		if (unlikely(dentry->sb->no_name_cache) && !dentry->unhashed &&
			refcount_read(&dentry->refs) == 2)
			(void)dentry_evict(dentry);
		if (!refcount_put(&dentry->refs))
			return;
		parent = dentry->parent != dentry ? dentry->parent : NULL;
		dentry_free(dentry);
		dentry = parent;
	}
}

struct dentry *dentry_parent(struct dentry *dentry)
{
	mutex_guard(&dentry->lock);
	return dentry_get(dentry->parent);
}

bool dentry_is_below(const struct dentry *dentry, const struct dentry *ancestor)
{
	for (;;) {
		if (dentry == ancestor)
			return true;
		if (dentry->parent == dentry)
			return false;
		dentry = dentry->parent;
	}
}

void dentry_instantiate(struct dentry *dentry, struct inode *inode)
{
	__atomic_store_n(&dentry->inode, inode, __ATOMIC_RELEASE);
	if (dentry->unhashed)
		dentry_hash(dentry);
}

void dentry_drop(struct dentry *dentry)
{
	struct dentry *parent = dentry_parent(dentry);
	bool dropped;

	mutex_lock(&parent->lock);
	mutex_lock_nested(&dentry->lock);
	dropped = dentry->parent == parent && dentry_unhash_locked(parent, dentry);
	mutex_unlock(&dentry->lock);
	mutex_unlock(&parent->lock);
	if (dropped)
		dentry_put(dentry);
	dentry_put(parent);
}

/*
 * A name that nobody else holds turns into a remembered absence, as after "rm x" somebody will
 * often ask for x. Otherwise it leaves the tree and lives on for those who hold it.
 */
void dentry_delete(struct dentry *dentry)
{
	struct dentry *parent = dentry_parent(dentry);
	struct inode *inode = NULL;
	bool dropped = false;

	mutex_lock(&parent->lock);
	mutex_lock_nested(&dentry->lock);
	if (!dentry->unhashed && refcount_read(&dentry->refs) == 2 &&
		!dentry->sb->no_negative_cache && RB_EMPTY(&dentry->children)) {
		inode = dentry->inode;
		__atomic_store_n(&dentry->inode, NULL, __ATOMIC_RELEASE);
	} else {
		dropped = dentry_unhash_locked(parent, dentry);
	}
	mutex_unlock(&dentry->lock);
	mutex_unlock(&parent->lock);
	if (inode)
		inode_put(inode);
	if (dropped)
		dentry_put(dentry);
	dentry_put(parent);
}

/* Two parents: the one above first, otherwise by address. tree_lock is held, so the answer stays
 * true. */
static void lock_parents(struct dentry *a, struct dentry *b)
{
	if (a == b) {
		mutex_lock_nested(&a->lock);
		return;
	}
	if (dentry_is_below(a, b) || (!dentry_is_below(b, a) && b < a)) {
		struct dentry *swap = a;

		a = b;
		b = swap;
	}
	mutex_lock_nested(&a->lock);
	mutex_lock_nested(&b->lock);
}

static void unlock_parents(struct dentry *a, struct dentry *b)
{
	mutex_unlock(&a->lock);
	if (a != b)
		mutex_unlock(&b->lock);
}

static void take_name(struct dentry *dentry, char *name, uint16_t length, uint32_t hash)
{
	if (dentry->name != dentry->inline_name)
		free(dentry->name);
	dentry->name = name;
	dentry->length = length;
	dentry->hash = hash;
}

int dentry_move(struct dentry *dentry, struct dentry *target)
{
	char *name = strndup(target->name, target->length);
	struct dentry *old_parent, *new_parent;
	bool replaced;

	if (!name)
		return -ENOMEM;
	dentry_tree_lock();
	old_parent = dentry->parent;
	new_parent = target->parent;
	lock_parents(old_parent, new_parent);
	if (target->parent != target) {
		mutex_lock_nested(&target->lock);
		replaced = dentry_unhash_locked(new_parent, target);
		mutex_unlock(&target->lock);
	} else {
		replaced = false;
	}
	mutex_lock_nested(&dentry->lock);
	dentry_tree_remove(old_parent, dentry);
	take_name(dentry, name, target->length, target->hash);
	dentry->parent = dentry_get(new_parent);
	dentry_tree_insert(new_parent, dentry);
	mutex_unlock(&dentry->lock);
	unlock_parents(old_parent, new_parent);
	atomic_fetch_add(&move_count, 1);
	dentry_tree_unlock();
	if (replaced)
		dentry_put(target);
	dentry_put(old_parent);
	return 0;
}

int dentry_exchange(struct dentry *a, struct dentry *b)
{
	char *name_a = strndup(a->name, a->length), *name_b = strndup(b->name, b->length);
	struct dentry *parent_a, *parent_b;
	struct dentry *first = a < b ? a : b, *second = a < b ? b : a;
	uint16_t length_a = a->length;
	uint32_t hash_a = a->hash;

	if (!name_a || !name_b) {
		free(name_a);
		free(name_b);
		return -ENOMEM;
	}
	dentry_tree_lock();
	parent_a = a->parent;
	parent_b = b->parent;
	lock_parents(parent_a, parent_b);
	mutex_lock_nested(&first->lock);
	mutex_lock_nested(&second->lock);
	dentry_tree_remove(parent_a, a);
	dentry_tree_remove(parent_b, b);
	take_name(a, name_b, b->length, b->hash);
	take_name(b, name_a, length_a, hash_a);
	a->parent = parent_b;
	b->parent = parent_a;
	dentry_tree_insert(parent_b, a);
	dentry_tree_insert(parent_a, b);
	mutex_unlock(&second->lock);
	mutex_unlock(&first->lock);
	unlock_parents(parent_a, parent_b);
	atomic_fetch_add(&move_count, 1);
	dentry_tree_unlock();
	return 0;
}
