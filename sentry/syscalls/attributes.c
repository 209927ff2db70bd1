/* SPDX-License-Identifier: Apache-2.0 */
/* chmod(2), chown(2), utimensat(2) and their older forms, umask(2). */
#include "sentry/vfs/attributes.h"
#include "abi/fcntl.h"
#include "abi/limits.h"
#include "abi/stat.h"
#include "sentry/kernel/credentials.h"
#include "sentry/kernel/task.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/vfs/file.h"

#include <errno.h>

/* Where a name leads; a path of the caller's. */
static int lookup(struct task *task, int dirfd, gaddr_t address, int flags, struct path *path)
{
	unsigned int walk_flags = (flags & LINUX_AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
				  (flags & LINUX_AT_EMPTY_PATH ? WALK_EMPTY : 0);
	uninitialized_ char name[LINUX_PATH_MAX];
	int result = path_copy_in(task, address, name);

	return result ? result : path_lookup(dirfd, name, walk_flags, path);
}

static int64_t do_chmod(struct task *task, int dirfd, gaddr_t name, uint32_t mode, int flags)
{
	struct path path;
	int result;

	if (flags & ~(LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_EMPTY_PATH))
		return -EINVAL;
	result = lookup(task, dirfd, name, flags, &path);
	if (result)
		return result;
	result = path_chmod(&path, mode);
	path_put(&path);
	return result;
}

int64_t sys_chmod(struct task *task, const uint64_t args[6])
{
	return do_chmod(task, LINUX_AT_FDCWD, args[0], (uint32_t)args[1], 0);
}

int64_t sys_fchmodat(struct task *task, const uint64_t args[6])
{
	return do_chmod(task, (int)args[0], args[1], (uint32_t)args[2], 0);
}

int64_t sys_fchmodat2(struct task *task, const uint64_t args[6])
{
	return do_chmod(task, (int)args[0], args[1], (uint32_t)args[2], (int)args[3]);
}

int64_t sys_fchmod(struct task *task, const uint64_t args[6])
{
	auto_file struct file *file = fd_get(task->files, (int)args[0]);
	struct path path;
	int result;

	if (!file)
		return -EBADF;
	result = file_path(file, &path);
	if (result)
		return result;
	result = path_chmod(&path, (uint32_t)args[1]);
	path_put(&path);
	return result;
}

/* Ids of the caller's user namespace to global ones. */
static int chown_path(struct task *task, const struct path *path, uint32_t uid, uint32_t gid)
{
	struct user_namespace *ns = task->cred->user_ns;
	uint32_t kuid = uid == UINT32_MAX ? uid : user_namespace_make_uid(ns, uid);
	uint32_t kgid = gid == UINT32_MAX ? gid : user_namespace_make_gid(ns, gid);

	if ((uid != UINT32_MAX && kuid == UINT32_MAX) || (gid != UINT32_MAX && kgid == UINT32_MAX))
		return -EINVAL;
	return path_chown(path, kuid, kgid);
}

static int64_t do_chown(
	struct task *task, int dirfd, gaddr_t name, uint64_t uid, uint64_t gid, int flags)
{
	struct path path;
	int result;

	if (flags & ~(LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_EMPTY_PATH))
		return -EINVAL;
	result = lookup(task, dirfd, name, flags, &path);
	if (result)
		return result;
	result = chown_path(task, &path, (uint32_t)uid, (uint32_t)gid);
	path_put(&path);
	return result;
}

int64_t sys_chown(struct task *task, const uint64_t args[6])
{
	return do_chown(task, LINUX_AT_FDCWD, args[0], args[1], args[2], 0);
}

int64_t sys_lchown(struct task *task, const uint64_t args[6])
{
	return do_chown(task, LINUX_AT_FDCWD, args[0], args[1], args[2], LINUX_AT_SYMLINK_NOFOLLOW);
}

int64_t sys_fchownat(struct task *task, const uint64_t args[6])
{
	return do_chown(task, (int)args[0], args[1], args[2], args[3], (int)args[4]);
}

int64_t sys_fchown(struct task *task, const uint64_t args[6])
{
	auto_file struct file *file = fd_get(task->files, (int)args[0]);
	struct path path;
	int result;

	if (!file)
		return -EBADF;
	result = file_path(file, &path);
	if (result)
		return result;
	result = chown_path(task, &path, (uint32_t)args[1], (uint32_t)args[2]);
	path_put(&path);
	return result;
}

/* A null name means the descriptor itself (what futimens(3) comes down to). */
static int64_t do_utimes(
	struct task *task, int dirfd, gaddr_t name, const struct linux_timespec times[2], int flags)
{
	struct path path;
	int result;

	if (!name && dirfd != LINUX_AT_FDCWD) {
		auto_file struct file *file = NULL;

		if (flags)
			return -EINVAL;
		file = fd_get(task->files, dirfd);
		result = file ? file_path(file, &path) : -EBADF;
	} else {
		result = lookup(task, dirfd, name, flags, &path);
	}
	if (result)
		return result;
	result = path_utimes(&path, times);
	path_put(&path);
	return result;
}

static bool is_valid(const struct linux_timespec *time)
{
	return time->tv_nsec == LINUX_UTIME_NOW || time->tv_nsec == LINUX_UTIME_OMIT ||
	       (time->tv_nsec >= 0 && time->tv_nsec < 1000000000);
}

int64_t sys_utimensat(struct task *task, const uint64_t args[6])
{
	struct linux_timespec times[2];
	int flags = (int)args[3];

	if (args[2]) {
		if (mm_copy_in(task->mm, times, args[2], sizeof(times)))
			return -EFAULT;
		/* Nothing to change: not even the name is looked at. */
		if (times[0].tv_nsec == LINUX_UTIME_OMIT && times[1].tv_nsec == LINUX_UTIME_OMIT)
			return 0;
		if (!is_valid(&times[0]) || !is_valid(&times[1]))
			return -EINVAL;
	}
	if (flags & ~(LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_EMPTY_PATH))
		return -EINVAL;
	return do_utimes(task, (int)args[0], args[1], args[2] ? times : NULL, flags);
}

int64_t sys_futimesat(struct task *task, const uint64_t args[6])
{
	struct linux_timeval values[2];
	struct linux_timespec times[2];

	if (args[2]) {
		if (mm_copy_in(task->mm, values, args[2], sizeof(values)))
			return -EFAULT;
		for (int i = 0; i < 2; i++) {
			if (values[i].tv_usec < 0 || values[i].tv_usec >= 1000000)
				return -EINVAL;
			times[i] =
				(struct linux_timespec){values[i].tv_sec, values[i].tv_usec * 1000};
		}
	}
	return do_utimes(task, (int)args[0], args[1], args[2] ? times : NULL, 0);
}

int64_t sys_utimes(struct task *task, const uint64_t args[6])
{
	const uint64_t at[6] = {(uint64_t)LINUX_AT_FDCWD, args[0], args[1]};

	return sys_futimesat(task, at);
}

int64_t sys_utime(struct task *task, const uint64_t args[6])
{
	struct linux_utimbuf values;
	struct linux_timespec times[2] = {0};

	if (args[1]) {
		if (mm_copy_in(task->mm, &values, args[1], sizeof(values)))
			return -EFAULT;
		times[0].tv_sec = values.actime;
		times[1].tv_sec = values.modtime;
	}
	return do_utimes(task, LINUX_AT_FDCWD, args[0], args[1] ? times : NULL, 0);
}

int64_t sys_umask(struct task *task, const uint64_t args[6])
{
	struct fs_struct *fs = task->fs;
	uint32_t old;

	mutex_guard(&fs->lock);
	old = fs->umask;
	fs->umask = (uint32_t)args[0] & 0777;
	return old;
}
