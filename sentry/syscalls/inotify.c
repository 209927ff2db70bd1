/* SPDX-License-Identifier: Apache-2.0 */
/* inotify_init(2), inotify_watch_add(2), inotify_rm_watch(2). */
#include "abi/inotify.h"

#include "abi/fcntl.h"
#include "abi/limits.h"
#include "sentry/fs/anon/anon.h"
#include "sentry/kernel/task.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/vfs/file.h"

#include <errno.h>

#define INOTIFY_ALL_BITS                                                                           \
	(LINUX_IN_ALL_EVENTS | LINUX_IN_UNMOUNT | LINUX_IN_Q_OVERFLOW | LINUX_IN_IGNORED |         \
		LINUX_IN_ONLYDIR | LINUX_IN_DONT_FOLLOW | LINUX_IN_EXCL_UNLINK |                   \
		LINUX_IN_MASK_ADD | LINUX_IN_MASK_CREATE | LINUX_IN_ISDIR | LINUX_IN_ONESHOT)

static int64_t make_inotify(struct task *task, uint32_t flags)
{
	struct file *file;
	int fd, error;

	if (flags & ~(uint32_t)(LINUX_IN_CLOEXEC | LINUX_IN_NONBLOCK))
		return -EINVAL;
	error = inotify_new_file(flags & LINUX_IN_NONBLOCK, &file);
	if (error)
		return error;
	fd = fd_install(task->files, 0, file, flags & LINUX_IN_CLOEXEC);
	if (fd < 0)
		file_put(file);
	return fd;
}

int64_t sys_inotify_init(struct task *task, const uint64_t args[6])
{
	return make_inotify(task, 0);
}

int64_t sys_inotify_init1(struct task *task, const uint64_t args[6])
{
	return make_inotify(task, (uint32_t)args[0]);
}

static int watch_path(struct task *task, struct file *file, gaddr_t address, uint32_t mask)
{
	unsigned int flags = mask & LINUX_IN_DONT_FOLLOW ? 0 : WALK_FOLLOW;
	auto_path struct path path = {0};
	uninitialized_ char name[LINUX_PATH_MAX];
	struct inode *inode;
	int error = path_copy_in(task, address, name);

	if (mask & LINUX_IN_ONLYDIR)
		flags |= WALK_DIRECTORY;
	if (!error)
		error = path_lookup(LINUX_AT_FDCWD, name, flags, &path);
	if (error)
		return error;
	inode = path_inode(&path);
	error = inode_permission(inode, current_cred(), 4);
	return error ? error : inotify_watch_add(file, inode, mask);
}

int64_t sys_inotify_add_watch(struct task *task, const uint64_t args[6])
{
	uint32_t mask = (uint32_t)args[2];
	auto_file struct file *file = NULL;

	if (!(mask & INOTIFY_ALL_BITS))
		return -EINVAL;
	file = fd_get(task->files, (int)args[0]);
	if (!file)
		return -EBADF;
	if ((mask & LINUX_IN_MASK_ADD) && (mask & LINUX_IN_MASK_CREATE))
		return -EINVAL;
	if (!file_is_inotify(file))
		return -EINVAL;
	return watch_path(task, file, args[1], mask);
}

int64_t sys_inotify_rm_watch(struct task *task, const uint64_t args[6])
{
	auto_file struct file *file = fd_get(task->files, (int)args[0]);

	if (!file)
		return -EBADF;
	if (!file_is_inotify(file))
		return -EINVAL;
	return inotify_remove_watch(file, (int)args[1]);
}
