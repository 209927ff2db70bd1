/* SPDX-License-Identifier: Apache-2.0 */
/* What an inode and its file system say of themselves. */
#include "sentry/vfs/stat.h"

#include "abi/mount.h"
#include "sentry/kernel/credentials.h"
#include "sentry/vfs/mount.h"
#include "sentry/vfs/permission.h"

#include <errno.h>

/* A copy that belongs together. */
static int get_attributes(struct inode *inode, bool dont_sync, struct inode_attributes *out)
{
	const struct cred *cred = vfs_cred();

	if (inode->ops->getattr && !dont_sync) {
		int result = inode->ops->getattr(inode);

		if (result)
			return result;
	}
	mutex_lock(&inode->lock);
	*out = inode->attributes;
	mutex_unlock(&inode->lock);
	if (cred && cred->user_ns != user_namespace_initial()) {
		out->uid = user_namespace_show_uid(cred->user_ns, out->uid);
		out->gid = user_namespace_show_gid(cred->user_ns, out->gid);
	}
	return 0;
}

int inode_stat(struct inode *inode, struct linux_stat *out)
{
	struct inode_attributes attributes;
	int result = get_attributes(inode, false, &attributes);

	if (result)
		return result;
	*out = (struct linux_stat){
		.st_dev = inode->sb->dev,
		.st_ino = attributes.ino,
		.st_nlink = attributes.nlink,
		.st_mode = attributes.mode,
		.st_uid = attributes.uid,
		.st_gid = attributes.gid,
		.st_rdev = attributes.rdev,
		.st_size = (int64_t)attributes.size,
		.st_blksize = attributes.blksize,
		.st_blocks = (int64_t)attributes.blocks,
		.st_atime = (uint64_t)attributes.atime.tv_sec,
		.st_atime_nsec = (uint64_t)attributes.atime.tv_nsec,
		.st_mtime = (uint64_t)attributes.mtime.tv_sec,
		.st_mtime_nsec = (uint64_t)attributes.mtime.tv_nsec,
		.st_ctime = (uint64_t)attributes.ctime.tv_sec,
		.st_ctime_nsec = (uint64_t)attributes.ctime.tv_nsec,
	};
	return 0;
}

/* What the flags of chattr(1) say, where there are any. */
static void statx_flags(const struct inode *inode, struct linux_statx *out)
{
	if (!inode->sb->inode_flags)
		return;
	/* The bits are the same. */
	out->stx_attributes |=
		inode->flags &
		(LINUX_STATX_ATTR_IMMUTABLE | LINUX_STATX_ATTR_APPEND | LINUX_STATX_ATTR_NODUMP);
	out->stx_attributes_mask |=
		LINUX_STATX_ATTR_IMMUTABLE | LINUX_STATX_ATTR_APPEND | LINUX_STATX_ATTR_NODUMP;
}

static struct linux_statx_timestamp statx_time(const struct linux_timespec *time)
{
	return (struct linux_statx_timestamp){
		.tv_sec = time->tv_sec, .tv_nsec = (uint32_t)time->tv_nsec};
}

int inode_statx(struct inode *inode, const struct mount *mount, bool mount_root, uint32_t mask,
	bool dont_sync, struct linux_statx *out)
{
	struct inode_attributes attributes;
	int result = get_attributes(inode, dont_sync, &attributes);

	if (result)
		return result;
	*out = (struct linux_statx){
		.stx_mask = LINUX_STATX_BASIC_STATS,
		.stx_blksize = attributes.blksize,
		.stx_attributes = mount_root ? LINUX_STATX_ATTR_MOUNT_ROOT : 0,
		.stx_attributes_mask = LINUX_STATX_ATTR_MOUNT_ROOT | LINUX_STATX_ATTR_AUTOMOUNT |
				       LINUX_STATX_ATTR_DAX,
		.stx_nlink = attributes.nlink,
		.stx_uid = attributes.uid,
		.stx_gid = attributes.gid,
		.stx_mode = (uint16_t)attributes.mode,
		.stx_ino = attributes.ino,
		.stx_size = attributes.size,
		.stx_blocks = attributes.blocks,
		.stx_atime = statx_time(&attributes.atime),
		.stx_ctime = statx_time(&attributes.ctime),
		.stx_mtime = statx_time(&attributes.mtime),
		.stx_rdev_major = LINUX_MAJOR(attributes.rdev),
		.stx_rdev_minor = LINUX_MINOR(attributes.rdev),
		.stx_dev_major = LINUX_MAJOR(inode->sb->dev),
		.stx_dev_minor = LINUX_MINOR(inode->sb->dev),
	};
	statx_flags(inode, out);
	/* A birth time of 0 means that the file system knows none. */
	if ((mask & LINUX_STATX_BTIME) && (attributes.btime.tv_sec || attributes.btime.tv_nsec)) {
		out->stx_mask |= LINUX_STATX_BTIME;
		out->stx_btime = statx_time(&attributes.btime);
	}
	if (mask & LINUX_STATX_MNT_ID_UNIQUE) {
		out->stx_mask |= LINUX_STATX_MNT_ID_UNIQUE;
		out->stx_mnt_id = mount->unique_id;
	} else {
		out->stx_mask |= LINUX_STATX_MNT_ID;
		out->stx_mnt_id = (uint64_t)mount->id;
	}
	return 0;
}

static int64_t statfs_flags(const struct mount *mount, const struct super_block *sb)
{
	static const struct {
		unsigned long mount;
		int64_t statfs;
	} map[] = {
		{LINUX_MS_RDONLY, LINUX_ST_RDONLY},
		{LINUX_MS_NOSUID, LINUX_ST_NOSUID},
		{LINUX_MS_NODEV, LINUX_ST_NODEV},
		{LINUX_MS_NOEXEC, LINUX_ST_NOEXEC},
		{LINUX_MS_NOATIME, LINUX_ST_NOATIME},
		{LINUX_MS_NODIRATIME, LINUX_ST_NODIRATIME},
		{LINUX_MS_RELATIME, LINUX_ST_RELATIME},
		{LINUX_MS_NOSYMFOLLOW, LINUX_ST_NOSYMFOLLOW},
	};
	int64_t flags = LINUX_ST_VALID;

	for (size_t i = 0; mount && i < array_count(map); i++)
		if (mount->flags & map[i].mount)
			flags |= map[i].statfs;
	return sb->read_only ? flags | LINUX_ST_RDONLY : flags;
}

void super_block_fsid(const struct super_block *sb, int32_t fsid[2])
{
	fsid[0] = (int32_t)sb->dev;
	fsid[1] = 0;
}

int inode_statfs(struct inode *inode, const struct mount *mount, struct linux_statfs *out)
{
	struct super_block *sb = inode->sb;
	int result;

	*out = (struct linux_statfs){
		.f_type = (int64_t)sb->magic,
		.f_bsize = PAGE_SIZE,
		.f_namelen = 255,
	};
	result = sb->ops->statfs ? sb->ops->statfs(sb, out) : 0;
	if (result)
		return result;
	if (!out->f_frsize)
		out->f_frsize = out->f_bsize;
	super_block_fsid(sb, out->f_fsid);
	out->f_flags = statfs_flags(mount, sb);
	return 0;
}
