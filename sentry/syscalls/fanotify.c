/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fanotify_init(2), fanotify_mark(2).
 *
 * Differs from Linux: FAN_ENABLE_AUDIT is EINVAL, as without auditing; FAN_FS_ERROR never comes;
 * what came after Linux 6.12 is not there (FAN_PRE_ACCESS, FAN_REPORT_FD_ERROR, FAN_REPORT_MNT).
 */
#include "abi/fanotify.h"

#include "abi/capability.h"
#include "abi/fcntl.h"
#include "abi/limits.h"
#include "abi/stat.h"
#include "sentry/fs/fanotify/fanotify.h"
#include "sentry/kernel/credentials.h"
#include "sentry/kernel/task.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/vfs/file.h"

#include <errno.h>

#define FID_BITS LINUX_FAN_REPORT_DFID_NAME_TARGET
#define CLASSES	 (LINUX_FAN_CLASS_CONTENT | LINUX_FAN_CLASS_PRE_CONTENT)
/* Only with CAP_SYS_ADMIN. */
#define ADMIN_FLAGS                                                                                \
	(CLASSES | LINUX_FAN_UNLIMITED_QUEUE | LINUX_FAN_UNLIMITED_MARKS |                         \
		LINUX_FAN_REPORT_PIDFD | LINUX_FAN_REPORT_TID)
#define INIT_FLAGS (ADMIN_FLAGS | LINUX_FAN_CLOEXEC | LINUX_FAN_NONBLOCK | FID_BITS)
#define EVENT_OPEN_FLAGS                                                                           \
	(LINUX_O_ACCMODE | LINUX_O_APPEND | LINUX_O_NONBLOCK | LINUX_O_SYNC | LINUX_O_DSYNC |      \
		LINUX_O_CLOEXEC | LINUX_O_LARGEFILE | LINUX_O_NOATIME)

#define MARK_TYPE_BITS	 (LINUX_FAN_MARK_MOUNT | LINUX_FAN_MARK_FILESYSTEM)
#define MARK_IGNORE_BITS (LINUX_FAN_MARK_IGNORED_MASK | LINUX_FAN_MARK_IGNORE)
#define MARK_FLAGS                                                                                 \
	(MARK_TYPE_BITS | MARK_IGNORE_BITS | LINUX_FAN_MARK_ADD | LINUX_FAN_MARK_REMOVE |          \
		LINUX_FAN_MARK_FLUSH | LINUX_FAN_MARK_DONT_FOLLOW | LINUX_FAN_MARK_ONLYDIR |       \
		LINUX_FAN_MARK_IGNORED_SURV_MODIFY | LINUX_FAN_MARK_EVICTABLE)
#define MARK_MASK                                                                                  \
	(0x1fffu | LINUX_FAN_FS_ERROR | LINUX_FAN_OPEN_PERM | LINUX_FAN_ACCESS_PERM |              \
		LINUX_FAN_OPEN_EXEC_PERM | LINUX_FAN_RENAME | LINUX_FAN_EVENT_ON_CHILD |           \
		LINUX_FAN_ONDIR)

static bool is_admin(void)
{
	return cred_capable_in(current_cred(), user_namespace_initial(), LINUX_CAP_SYS_ADMIN);
}

/* FAN_REPORT_NAME needs FAN_REPORT_DIR_FID, FAN_REPORT_TARGET_FID all others. */
static bool reports_are_valid(uint32_t reports)
{
	if ((reports & LINUX_FAN_REPORT_NAME) && !(reports & LINUX_FAN_REPORT_DIR_FID))
		return false;
	return !(reports & LINUX_FAN_REPORT_TARGET_FID) || reports == FID_BITS;
}

static int check_init_flags(uint32_t flags, uint32_t event_flags)
{
	uint32_t class = flags & CLASSES;

	if (!is_admin() && ((flags & ADMIN_FLAGS) || !(flags & FID_BITS)))
		return -EPERM;
	if (flags & ~(uint32_t)INIT_FLAGS)
		return -EINVAL;
	if ((flags & LINUX_FAN_REPORT_PIDFD) && (flags & LINUX_FAN_REPORT_TID))
		return -EINVAL;
	if (event_flags & ~(uint32_t)EVENT_OPEN_FLAGS)
		return -EINVAL;
	if ((event_flags & LINUX_O_ACCMODE) == LINUX_O_ACCMODE)
		return -EINVAL;
	if ((flags & FID_BITS) && class)
		return -EINVAL;
	return class == CLASSES || !reports_are_valid(flags & FID_BITS) ? -EINVAL : 0;
}

int64_t sys_fanotify_init(struct task *task, const uint64_t args[6])
{
	uint32_t flags = (uint32_t)args[0], event_flags = (uint32_t)args[1];
	int fd, error = check_init_flags(flags, event_flags);
	struct file *file;

	if (error)
		return error;
	error = fanotify_new_file(is_admin() ? flags : flags | FANOTIFY_UNPRIVILEGED,
		event_flags | LINUX_O_LARGEFILE, &file);
	if (error)
		return error;
	fd = fd_install(task->files, 0, file, flags & LINUX_FAN_CLOEXEC);
	if (fd < 0)
		file_put(file);
	return fd;
}

static int check_mark_flags(uint32_t flags, uint64_t mask)
{
	uint32_t command =
		flags & (LINUX_FAN_MARK_ADD | LINUX_FAN_MARK_REMOVE | LINUX_FAN_MARK_FLUSH);

	if (mask >> 32 || (flags & ~(uint32_t)MARK_FLAGS))
		return -EINVAL;
	if ((flags & MARK_TYPE_BITS) == MARK_TYPE_BITS)
		return -EINVAL;
	switch (command) {
	case LINUX_FAN_MARK_ADD:
	case LINUX_FAN_MARK_REMOVE:
		if (!mask)
			return -EINVAL;
		break;
	case LINUX_FAN_MARK_FLUSH:
		if (flags & ~(uint32_t)(MARK_TYPE_BITS | LINUX_FAN_MARK_FLUSH))
			return -EINVAL;
		break;
	default:
		return -EINVAL;
	}
	if (mask & ~(uint64_t)MARK_MASK)
		return -EINVAL;
	return (flags & MARK_IGNORE_BITS) == MARK_IGNORE_BITS ? -EINVAL : 0;
}

/* References in *out. */
static int find_place(
	struct task *task, uint32_t flags, int dirfd, gaddr_t address, struct path *out)
{
	unsigned int walk = flags & LINUX_FAN_MARK_DONT_FOLLOW ? 0 : WALK_FOLLOW;
	uninitialized_ char name[LINUX_PATH_MAX];
	int error;

	if (!address) {
		auto_file struct file *file = fd_get(task->files, dirfd);

		if (!file)
			return -EBADF;
		if ((flags & LINUX_FAN_MARK_ONLYDIR) && !inode_is_type(file->inode, LINUX_S_IFDIR))
			return -ENOTDIR;
		return file_path(file, out);
	}
	if (flags & LINUX_FAN_MARK_ONLYDIR)
		walk |= WALK_DIRECTORY;
	error = path_copy_in(task, address, name);
	return error ? error : path_lookup(dirfd, name, walk, out);
}

int64_t sys_fanotify_mark(struct task *task, const uint64_t args[6])
{
	uint32_t flags = (uint32_t)args[1], mask = (uint32_t)args[2];
	auto_path struct path path = {0};
	auto_file struct file *file = NULL;
	int error = check_mark_flags(flags, args[2]);

	if (error)
		return error;
	file = fd_get(task->files, (int)args[0]);
	if (!file)
		return -EBADF;
	if (!file_is_fanotify(file))
		return -EINVAL;
	if ((flags & MARK_TYPE_BITS) && !is_admin())
		return -EPERM;
	error = fanotify_check_mark(file, flags, mask);
	if (error)
		return error;
	if (flags & LINUX_FAN_MARK_FLUSH)
		return fanotify_mark(file, flags, mask, NULL);
	error = find_place(task, flags, (int)args[3], args[4], &path);
	if (error == 0)
		error = inode_permission(path_inode(&path), current_cred(), 4);
	return error ? error : fanotify_mark(file, flags, mask, &path);
}
