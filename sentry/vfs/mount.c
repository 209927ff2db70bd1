/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts: their life, who is mounted where, and the way down into them and up out of them. */
#include "sentry/vfs/mount.h"

#include "abi/epoll.h"
#include "abi/mount.h"
#include "base/log.h"
#include "sentry/fs/fanotify/fanotify.h"
#include "sentry/lock_order.h"
#include "sentry/vfs/dentry.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

REFCOUNT_TYPE(mount_refs, "mount");

static struct mutex lock;
static pthread_once_t lock_once = PTHREAD_ONCE_INIT;
static atomic_uint changes;
static atomic_int next_id = 1;
static atomic_ullong next_unique_id = 0x80000001ull;

static int mount_compare(struct mount *a, struct mount *b)
{
	if (a->parent != b->parent)
		return a->parent < b->parent ? -1 : 1;
	if (a->mountpoint != b->mountpoint)
		return a->mountpoint < b->mountpoint ? -1 : 1;
	return 0;
}

static RB_HEAD(mount_tree, mount) mounted = RB_INITIALIZER(&mounted);
RB_GENERATE_INTERNAL(mount_tree, mount, node, mount_compare, unused_ static)

static void lock_init(void)
{
	mutex_init(&lock, RANK_MOUNT, "mount");
}

void mount_lock(void)
{
	pthread_once(&lock_once, lock_init);
	mutex_lock(&lock);
}

void mount_unlock(void)
{
	mutex_unlock(&lock);
}

void mount_assert_locked(void)
{
	mutex_assert_held(&lock);
}

unsigned int mount_change_count(void)
{
	return atomic_load(&changes);
}

void mount_changed_locked(struct mount_namespace *ns)
{
	atomic_fetch_add(&changes, 1);
	if (!ns)
		return;
	atomic_fetch_add(&ns->changes, 1);
	wait_queue_wake(&ns->changed, LINUX_EPOLLERR | LINUX_EPOLLPRI);
}

/* relatime unless something else was asked for, as mount(2) does since 2.6.30. */
static unsigned long effective_flags(unsigned long flags)
{
	flags &= MOUNT_FLAGS;
	if (flags & LINUX_MS_STRICTATIME)
		flags &= ~(unsigned long)(LINUX_MS_RELATIME | LINUX_MS_NOATIME);
	else if (!(flags & LINUX_MS_NOATIME))
		flags |= LINUX_MS_RELATIME;
	return flags & ~(unsigned long)LINUX_MS_STRICTATIME;
}

int mount_new(struct super_block *sb, struct dentry *root, const char *source, unsigned long flags,
	struct mount **out)
{
	struct mount *mount = calloc(1, sizeof(*mount));

	if (!mount)
		return -ENOMEM;
	refcount_init(&mount->refs, &mount_refs);
	mount->sb = super_block_get(sb);
	mount->root = dentry_get(root);
	mount->flags = effective_flags(flags);
	mount->id = atomic_fetch_add(&next_id, 1) & INT32_MAX;
	mount->unique_id = atomic_fetch_add(&next_unique_id, 1);
	mount->propagation = LINUX_MS_PRIVATE;
	TAILQ_INIT(&mount->children);
	(void)snprintf(mount->source, sizeof(mount->source), "%s", source ? source : "none");
	*out = mount;
	return 0;
}

struct mount *mount_get(struct mount *mount)
{
	refcount_get(&mount->refs);
	return mount;
}

void mount_put(struct mount *mount)
{
	if (!refcount_put(&mount->refs))
		return;
	/* In no namespace and without children: each of those would hold it. */
	if (fanotify_in_use())
		fanotify_forget_mount(mount);
	dentry_put(mount->root);
	super_block_put(mount->sb);
	free(mount);
}

int mount_want_write(const struct mount *mount)
{
	return (mount->flags & LINUX_MS_RDONLY) || mount->sb->read_only ? -EROFS : 0;
}

struct mount *mount_find_locked(const struct mount *parent, const struct dentry *mountpoint)
{
	struct mount key = {
		.parent = (struct mount *)parent,
		.mountpoint = (struct dentry *)mountpoint,
	};

	return RB_FIND(mount_tree, &mounted, &key);
}

void mount_settle_locked(struct path *where)
{
	struct mount *mount;

	while (atomic_load(&where->dentry->mounted) &&
		(mount = mount_find_locked(where->mount, where->dentry))) {
		struct path up = *where;

		where->mount = mount_get(mount);
		where->dentry = dentry_get(mount->root);
		path_put(&up);
	}
}

void path_cross_mounts(struct path *path)
{
	if (!atomic_load(&path->dentry->mounted))
		return;
	mount_lock();
	mount_settle_locked(path);
	mount_unlock();
}

bool path_leave_mount(struct path *path, const struct path *limit)
{
	struct mount *mount = path->mount;
	struct path up = {0};

	mount_lock();
	while (mount->parent) {
		struct dentry *mountpoint = mount->mountpoint;

		mount = mount->parent;
		if (mount == limit->mount && mountpoint == limit->dentry)
			break;
		if (mountpoint != mount->root) {
			up = (struct path){mount_get(mount), dentry_get(mountpoint)};
			break;
		}
	}
	mount_unlock();
	if (!up.mount)
		return false;
	path_put(path);
	*path = up;
	return true;
}

void mount_attach_locked(struct mount *mount, struct mount *parent, struct dentry *mountpoint)
{
	mount_assert_locked();
	(void)mount_get(parent);
	(void)dentry_get(mountpoint);
	dentry_tree_lock();
	mount->parent = parent;
	mount->mountpoint = mountpoint;
	dentry_tree_unlock();
	panic_if(RB_INSERT(mount_tree, &mounted, mount), "two mounts at one place");
	TAILQ_INSERT_TAIL(&parent->children, mount, child_link);
	atomic_fetch_add(&mountpoint->mounted, 1);
}

void mount_detach_locked(struct mount *mount)
{
	struct mount *parent = mount->parent;
	struct dentry *mountpoint = mount->mountpoint;

	mount_assert_locked();
	if (!parent)
		return;
	RB_REMOVE(mount_tree, &mounted, mount);
	TAILQ_REMOVE(&parent->children, mount, child_link);
	dentry_tree_lock();
	mount->parent = NULL;
	mount->mountpoint = NULL;
	dentry_tree_unlock();
	atomic_fetch_sub(&mountpoint->mounted, 1);
	dentry_put(mountpoint);
	mount_put(parent);
}

struct mount *mount_next_locked(struct mount *mount, const struct mount *top)
{
	struct mount *next = TAILQ_FIRST(&mount->children);

	while (!next && mount != top) {
		next = TAILQ_NEXT(mount, child_link);
		mount = mount->parent;
	}
	return next;
}
