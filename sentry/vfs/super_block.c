/* SPDX-License-Identifier: Apache-2.0 */
/* Super blocks: mounted file systems, their two counts, and the list of them all. */
#include "sentry/vfs/super_block.h"

#include "abi/stat.h"
#include "sentry/fs/fanotify/fanotify.h"
#include "sentry/kernel/credentials.h"
#include "sentry/lock_order.h"
#include "sentry/vfs/dentry.h"
#include "sentry/vfs/permission.h"
#include "sentry/vfs/file_handle.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

REFCOUNT_TYPE(super_refs, "super block");
REFCOUNT_TYPE(super_users, "super block user");

static struct {
	pthread_mutex_t lock; /* of the list; nothing is called under it */
	TAILQ_HEAD(, super_block) list;
} all = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.list = TAILQ_HEAD_INITIALIZER(all.list),
};

/* Device numbers without a device: major 0. The low minors look like those of a booted system. */
static atomic_uint next_minor = 24;

int super_block_new(const struct file_system_type *type, const struct super_operations *ops,
	uint64_t magic, struct super_block **out)
{
	struct super_block *sb = calloc(1, sizeof(*sb));
	const struct cred *cred = vfs_cred();

	if (!sb)
		return -ENOMEM;
	refcount_init(&sb->refs, &super_refs);
	refcount_init(&sb->active, &super_users);
	sb->ops = ops;
	sb->type = type;
	sb->magic = magic;
	sb->user_ns = user_namespace_get(
		cred ? cred->user_ns : user_namespace_initial());
	sb->dev = LINUX_MAKEDEV(0, atomic_fetch_add(&next_minor, 1) & 0xfffff);
	mutex_init(&sb->rename_lock, RANK_RENAME, "rename");
	sb->next_ino = 2;
	pthread_mutex_lock(&all.lock);
	TAILQ_INSERT_TAIL(&all.list, sb, link);
	pthread_mutex_unlock(&all.lock);
	*out = sb;
	return 0;
}

int super_block_set_root(struct super_block *sb, struct inode *inode)
{
	return dentry_new_root(sb, inode, "/", &sb->root);
}

struct super_block *super_block_get(struct super_block *sb)
{
	refcount_get(&sb->active);
	return sb;
}

void super_block_hold(struct super_block *sb)
{
	refcount_get(&sb->refs);
}

void super_block_release(struct super_block *sb)
{
	if (!refcount_put(&sb->refs))
		return;
	if (sb->ops->super_release)
		sb->ops->super_release(sb);
	mutex_destroy(&sb->rename_lock);
	user_namespace_put(sb->user_ns);
	free(sb);
}

void super_block_put(struct super_block *sb)
{
	struct dentry *root;

	if (!refcount_put(&sb->active))
		return;
	pthread_mutex_lock(&all.lock);
	TAILQ_REMOVE(&all.list, sb, link);
	pthread_mutex_unlock(&all.lock);
	if (fanotify_in_use())
		fanotify_forget_super_block(sb);
	file_handle_forget_super_block(sb);
	root = sb->root;
	dentry_prune_super_block(sb);
	if (root)
		dentry_put(root);
	super_block_release(sb);
}

/* The super block after previous in the list, with a reference; drops that to previous. */
static struct super_block *super_block_next(struct super_block *previous)
{
	struct super_block *sb;

	pthread_mutex_lock(&all.lock);
	sb = previous ? TAILQ_NEXT(previous, link) : TAILQ_FIRST(&all.list);
	while (sb && !refcount_get_unless_zero(&sb->active))
		sb = TAILQ_NEXT(sb, link);
	pthread_mutex_unlock(&all.lock);
	if (previous)
		super_block_put(previous);
	return sb;
}

int super_block_sync_all(void)
{
	int result = 0;

	for (struct super_block *sb = super_block_next(NULL); sb; sb = super_block_next(sb)) {
		int error = sb->ops->sync ? sb->ops->sync(sb) : 0;

		if (error && !result)
			result = error;
	}
	return result;
}

struct super_block *super_block_find(uint64_t dev)
{
	struct super_block *sb = super_block_next(NULL);

	while (sb && sb->dev != dev)
		sb = super_block_next(sb);
	return sb;
}
