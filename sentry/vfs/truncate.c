/* SPDX-License-Identifier: Apache-2.0 */
/* truncate(2), ftruncate(2), O_TRUNC, fallocate(2). */
#include "sentry/vfs/truncate.h"
#include "abi/fcntl.h"
#include "abi/inotify.h"
#include "abi/resource.h"
#include "abi/stat.h"
#include "sentry/kernel/accounting.h"
#include "sentry/kernel/rlimit.h"
#include "sentry/kernel/signal.h"
#include "sentry/kernel/task.h"
#include "sentry/security/landlock/landlock.h"
#include "sentry/vfs/attributes.h"
#include "sentry/vfs/file_caps.h"
#include "sentry/vfs/mount.h"
#include "sentry/vfs/open.h"
#include "sentry/vfs/policy.h"

#include <errno.h>

/* RANK_INODE held. */
static int check_limit(struct inode *inode, uint64_t size)
{
	struct linux_siginfo info;

	if (size <= inode->attributes.size || size <= rlimit_current(LINUX_RLIMIT_FSIZE))
		return 0;
	accounting_file_refused();
	siginfo_user(&info, LINUX_SIGXFSZ, current, current);
	(void)signal_send_task(current, &info);
	return -EFBIG;
}

int path_truncate(const struct path *path, struct file *file, uint64_t size, bool at_open)
{
	struct inode *inode = path_inode(path);
	struct inode_attributes attributes = {.size = size};
	unsigned int mask = ATTRIBUTE_SIZE;
	int result = inode->ops->getattr ? inode->ops->getattr(inode) : 0;

	if (result == 0 && !file)
		result = policy_check(path, POLICY_WRITE);
	if (result)
		return result;
	if (inode_is_append_only(inode))
		return -EPERM;
	result = file ? landlock_check_truncate(file)
		      : landlock_check_path(path, LINUX_LANDLOCK_ACCESS_FS_TRUNCATE);
	if (result == 0)
		result = file_caps_kill(inode);
	if (result)
		return result;
	mutex_lock(&inode->lock);
	result = check_limit(inode, size);
	if (result == 0)
		result = inode_strip_privileges_locked(inode);
	/* truncate(2) of a file that has that size already changes no times; open(O_TRUNC) and
	 * ftruncate(2) always do. */
	if (file || at_open || size != inode->attributes.size) {
		mask |= ATTRIBUTE_MTIME | ATTRIBUTE_CTIME;
		attributes.mtime = attributes.ctime = inode_time_now();
	}
	if (result == 0)
		result = inode_setattr_locked(inode, &attributes, mask);
	mutex_unlock(&inode->lock);
	if (result == 0)
		accounting_file_size(size);
	if (result == 0)
		notify_event(inode, path->dentry, LINUX_IN_MODIFY);
	return result;
}

static int check_fallocate(const struct file *file, int mode, int64_t offset, int64_t length)
{
	const int known = LINUX_FALLOC_FL_KEEP_SIZE | LINUX_FALLOC_FL_PUNCH_HOLE |
			  LINUX_FALLOC_FL_COLLAPSE_RANGE | LINUX_FALLOC_FL_ZERO_RANGE |
			  LINUX_FALLOC_FL_INSERT_RANGE | LINUX_FALLOC_FL_UNSHARE_RANGE |
			  LINUX_FALLOC_FL_WRITE_ZEROES;

	if (offset < 0 || length <= 0)
		return -EINVAL;
	if (mode & ~known)
		return -EOPNOTSUPP;
	if ((mode & LINUX_FALLOC_FL_PUNCH_HOLE) &&
		mode != (LINUX_FALLOC_FL_PUNCH_HOLE | LINUX_FALLOC_FL_KEEP_SIZE))
		return -EOPNOTSUPP;
	if (!(file->mode & FILE_WRITE))
		return -EBADF;
	if (inode_is_append_only(file->inode) &&
		(mode & ~(LINUX_FALLOC_FL_KEEP_SIZE | LINUX_FALLOC_FL_UNSHARE_RANGE)))
		return -EPERM;
	if (inode_is_immutable(file->inode))
		return -EPERM;
	switch (file->inode->attributes.mode & LINUX_S_IFMT) {
	case LINUX_S_IFIFO:
		return -ESPIPE;
	case LINUX_S_IFDIR:
		return -EISDIR;
	case LINUX_S_IFREG:
		break;
	default:
		return -ENODEV;
	}
	if (offset > INT64_MAX - length)
		return -EFBIG;
	return file->ops->fallocate ? 0 : -EOPNOTSUPP;
}

int file_fallocate(struct file *file, int mode, int64_t offset, int64_t length)
{
	struct inode *inode = file->inode;
	int result = check_fallocate(file, mode, offset, length);

	if (result == 0)
		result = file_caps_kill(inode);
	if (result)
		return result;
	mutex_lock(&inode->lock);
	if (!(mode & LINUX_FALLOC_FL_KEEP_SIZE))
		result = check_limit(inode, (uint64_t)(offset + length));
	if (result == 0)
		result = inode_strip_privileges_locked(inode);
	if (result == 0)
		result = file->ops->fallocate(file, mode, offset, length);
	if (result == 0) {
		inode_touch_mtime_locked(inode);
		accounting_file_size(inode->attributes.size);
	}
	mutex_unlock(&inode->lock);
	if (result == 0)
		notify_file(file, LINUX_IN_MODIFY);
	return result;
}
