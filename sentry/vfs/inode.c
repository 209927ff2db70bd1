/* SPDX-License-Identifier: Apache-2.0 */
/* Inodes: their life, their times, and who may write or execute them. */
#include "sentry/vfs/inode.h"

#include "abi/stat.h"
#include "sentry/lock_order.h"
#include "sentry/time/clock.h"
#include "sentry/vfs/file_lock.h"
#include "sentry/vfs/inode_acl.h"
#include "sentry/vfs/lease.h"
#include "sentry/vfs/super_block.h"

#include <errno.h>
#include <stdlib.h>

REFCOUNT_TYPE(inode_refs, "inode");

struct linux_timespec inode_time_now(void)
{
	int64_t now = clock_now(LINUX_CLOCK_REALTIME);

	return (struct linux_timespec){now / NSEC_PER_SEC, now % NSEC_PER_SEC};
}

int inode_new(struct super_block *sb, uint32_t mode, const struct inode_operations *ops,
	const struct file_operations *file_ops, struct inode **out)
{
	struct inode *inode = calloc(1, sizeof(*inode));
	struct linux_timespec now;

	if (!inode)
		return -ENOMEM;
	now = inode_time_now();
	refcount_init(&inode->refs, &inode_refs);
	mutex_init(&inode->lock, RANK_INODE, "inode");
	inode->ops = ops;
	inode->file_ops = file_ops;
	inode->sb = sb;
	super_block_hold(sb);
	inode->attributes = (struct inode_attributes){
		.ino = atomic_fetch_add(&sb->next_ino, 1),
		.mode = mode,
		.nlink = 1,
		.blksize = PAGE_SIZE,
		.atime = now,
		.mtime = now,
		.ctime = now,
		.btime = now,
	};
	LIST_INIT(&inode->marks.head);
	*out = inode;
	return 0;
}

struct inode *inode_get(struct inode *inode)
{
	refcount_get(&inode->refs);
	return inode;
}

void inode_put(struct inode *inode)
{
	struct super_block *sb;

	if (!refcount_put(&inode->refs))
		return;
	sb = inode->sb;
	if (sb->ops->inode_release)
		sb->ops->inode_release(inode);
	file_lock_list_free(inode->locks);
	lease_list_free(inode->leases);
	inode_acls_free(inode);
	free(inode->link);
	mutex_destroy(&inode->lock);
	free(inode);
	super_block_release(sb);
}

static bool time_after(const struct linux_timespec *a, const struct linux_timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

/* relatime: only when the file changed since it was last read, or once a day. */
static bool atime_is_due(const struct inode_attributes *attributes, int64_t now_seconds)
{
	return !time_after(&attributes->atime, &attributes->mtime) ||
	       !time_after(&attributes->atime, &attributes->ctime) ||
	       now_seconds - attributes->atime.tv_sec >= 24 * 3600;
}

void inode_touch_atime(struct inode *inode)
{
	struct linux_timespec now;

	if (inode->sb->read_only || (inode->flags & LINUX_FS_NOATIME_FL))
		return;
	/* A reader does not wait for a writer to finish: the write makes the next read's update due
	 * anyway. */
	if (!mutex_trylock(&inode->lock))
		return;
	now = inode_time_now();
	if (atime_is_due(&inode->attributes, now.tv_sec))
		inode->attributes.atime = now;
	mutex_unlock(&inode->lock);
}

void inode_touch_ctime_locked(struct inode *inode)
{
	mutex_assert_held(&inode->lock);
	inode->attributes.ctime = inode_time_now();
}

void inode_touch_mtime_locked(struct inode *inode)
{
	mutex_assert_held(&inode->lock);
	inode->attributes.mtime = inode->attributes.ctime = inode_time_now();
}

void inode_touch_mtime(struct inode *inode)
{
	mutex_guard(&inode->lock);
	inode_touch_mtime_locked(inode);
}

void inode_apply_attributes(
	struct inode *inode, const struct inode_attributes *attributes, unsigned int mask)
{
	struct inode_attributes *to = &inode->attributes;

	mutex_assert_held(&inode->lock);
	if (mask & ATTRIBUTE_MODE)
		to->mode = (to->mode & LINUX_S_IFMT) | (attributes->mode & LINUX_S_IALLUGO);
	if (mask & ATTRIBUTE_UID)
		to->uid = attributes->uid;
	if (mask & ATTRIBUTE_GID)
		to->gid = attributes->gid;
	if (mask & ATTRIBUTE_SIZE)
		to->size = attributes->size;
	if (mask & ATTRIBUTE_ATIME)
		to->atime = attributes->atime;
	if (mask & ATTRIBUTE_MTIME)
		to->mtime = attributes->mtime;
	if (mask & ATTRIBUTE_CTIME)
		to->ctime = attributes->ctime;
}

int inode_get_write_access(struct inode *inode)
{
	int writers = atomic_load(&inode->writers);

	do {
		if (writers < 0)
			return -ETXTBSY;
	} while (!atomic_compare_exchange_weak(&inode->writers, &writers, writers + 1));
	return 0;
}

void inode_put_write_access(struct inode *inode)
{
	atomic_fetch_sub(&inode->writers, 1);
}

int inode_deny_write_access(struct inode *inode)
{
	int writers = atomic_load(&inode->writers);

	do {
		if (writers > 0)
			return -ETXTBSY;
	} while (!atomic_compare_exchange_weak(&inode->writers, &writers, writers - 1));
	return 0;
}

void inode_allow_write_access(struct inode *inode)
{
	atomic_fetch_add(&inode->writers, 1);
}
