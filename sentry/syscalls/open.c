/* SPDX-License-Identifier: Apache-2.0 */
/* open(2) and its kin, close(2), dup(2). */
#include "abi/fcntl.h"
#include "abi/limits.h"
#include "abi/resource.h"
#include "abi/stat.h"
#include "sentry/kernel/accounting.h"
#include "sentry/kernel/rlimit.h"
#include "sentry/kernel/signal.h"
#include "sentry/kernel/task.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/vfs/fd_table.h"
#include "sentry/vfs/path.h"

#include <errno.h>
#include <string.h>

#define VALID_OPEN_FLAGS                                                                           \
	(LINUX_O_ACCMODE | LINUX_O_CREAT | LINUX_O_EXCL | LINUX_O_NOCTTY | LINUX_O_TRUNC |         \
		LINUX_O_APPEND | LINUX_O_NONBLOCK | LINUX_O_SYNC | LINUX_O_DSYNC | LINUX_FASYNC |  \
		LINUX_O_DIRECT | LINUX_O_LARGEFILE | LINUX_O_DIRECTORY | LINUX_O_NOFOLLOW |        \
		LINUX_O_NOATIME | LINUX_O_CLOEXEC | LINUX_O_PATH | LINUX___O_TMPFILE)
#define PATH_FLAGS (LINUX_O_DIRECTORY | LINUX_O_NOFOLLOW | LINUX_O_PATH | LINUX_O_CLOEXEC)

/* What Linux's build_open_flags() refuses; *flags is completed. */
static int check_open_flags(uint32_t *flags, uint32_t mode)
{
	uint32_t all = *flags;

	if (mode & ~(uint32_t)LINUX_S_IALLUGO)
		return -EINVAL;
	if ((all & (LINUX_O_DIRECTORY | LINUX_O_CREAT)) == (LINUX_O_DIRECTORY | LINUX_O_CREAT))
		return -EINVAL;
	if (all & LINUX___O_TMPFILE) {
		if (!(all & LINUX_O_DIRECTORY) || (all & LINUX_O_ACCMODE) == LINUX_O_RDONLY)
			return -EINVAL;
	}
	if (all & LINUX___O_SYNC)
		all |= LINUX_O_DSYNC;
	*flags = all;
	return 0;
}

static int64_t do_open(struct task *task, int dirfd, gaddr_t address, uint32_t flags, uint32_t mode,
	unsigned int walk_flags)
{
	uninitialized_ char name[LINUX_PATH_MAX];
	struct file *file;
	int fd, result = check_open_flags(&flags, mode);

	if (result)
		return result;
	result = path_copy_in(task, address, name);
	if (result)
		return result;
	fd = fd_reserve(task->files, 0, flags & LINUX_O_CLOEXEC);
	if (fd < 0)
		return fd;
	result = file_open_at(dirfd, name, flags, mode, walk_flags, &file);
	if (result) {
		fd_cancel(task->files, fd);
		return result;
	}
	fd_commit(task->files, fd, file);
	if (unlikely(g_accounting))
		accounting_opened(name);
	return fd;
}

/* The older calls ignore what they do not know. */
static int64_t open_leniently(
	struct task *task, int dirfd, gaddr_t name, uint32_t flags, uint32_t mode)
{
	flags = (flags & VALID_OPEN_FLAGS) | LINUX_O_LARGEFILE;
	if (flags & LINUX_O_PATH)
		flags &= PATH_FLAGS;
	if (!(flags & (LINUX_O_CREAT | LINUX___O_TMPFILE)))
		mode = 0;
	return do_open(task, dirfd, name, flags, mode & LINUX_S_IALLUGO, 0);
}

int64_t sys_open(struct task *task, const uint64_t args[6])
{
	return open_leniently(task, LINUX_AT_FDCWD, args[0], (uint32_t)args[1], (uint32_t)args[2]);
}

int64_t sys_openat(struct task *task, const uint64_t args[6])
{
	return open_leniently(task, (int)args[0], args[1], (uint32_t)args[2], (uint32_t)args[3]);
}

int64_t sys_creat(struct task *task, const uint64_t args[6])
{
	return open_leniently(task, LINUX_AT_FDCWD, args[0],
		LINUX_O_CREAT | LINUX_O_WRONLY | LINUX_O_TRUNC, (uint32_t)args[1]);
}

/* The structure may be longer than what we know as long as the rest is zero. */
static int copy_open_how(
	struct task *task, gaddr_t address, uint64_t size, struct linux_open_how *how)
{
	uint64_t rest;

	memset(how, 0, sizeof(*how));
	if (size < LINUX_OPEN_HOW_SIZE_VER0)
		return -EINVAL;
	if (size > LINUX_PAGE_SIZE)
		return -E2BIG;
	if (mm_copy_in(task->mm, how, address, sizeof(*how)))
		return -EFAULT;
	for (uint64_t at = sizeof(*how); at < size; at += sizeof(rest)) {
		rest = 0;
		if (mm_copy_in(task->mm, &rest, address + at, min_u64(sizeof(rest), size - at)))
			return -EFAULT;
		if (rest)
			return -E2BIG;
	}
	return 0;
}

static int resolve_to_walk_flags(uint64_t resolve, unsigned int *flags)
{
	static const struct {
		uint64_t resolve;
		unsigned int walk;
	} map[] = {
		{LINUX_RESOLVE_NO_XDEV, WALK_NO_XDEV},
		{LINUX_RESOLVE_NO_MAGICLINKS, WALK_NO_MAGICLINKS},
		{LINUX_RESOLVE_NO_SYMLINKS, WALK_NO_SYMLINKS | WALK_NO_MAGICLINKS},
		{LINUX_RESOLVE_BENEATH, WALK_BENEATH},
		{LINUX_RESOLVE_IN_ROOT, WALK_IN_ROOT},
		{LINUX_RESOLVE_CACHED, 0},
	};

	*flags = 0;
	for (size_t i = 0; i < array_count(map); i++) {
		if (resolve & map[i].resolve)
			*flags |= map[i].walk;
		resolve &= ~map[i].resolve;
	}
	if ((*flags & (WALK_BENEATH | WALK_IN_ROOT)) == (WALK_BENEATH | WALK_IN_ROOT))
		return -EINVAL;
	return resolve ? -EINVAL : 0;
}

int64_t sys_openat2(struct task *task, const uint64_t args[6])
{
	struct linux_open_how how;
	unsigned int walk_flags;
	int result = copy_open_how(task, args[2], args[3], &how);

	if (result)
		return result;
	if (how.flags & ~(uint64_t)VALID_OPEN_FLAGS)
		return -EINVAL;
	if ((how.flags & LINUX_O_PATH) && (how.flags & ~(uint64_t)PATH_FLAGS))
		return -EINVAL;
	if (how.mode & ~(uint64_t)LINUX_S_IALLUGO)
		return -EINVAL;
	if (how.mode && !(how.flags & (LINUX_O_CREAT | LINUX___O_TMPFILE)))
		return -EINVAL;
	result = resolve_to_walk_flags(how.resolve, &walk_flags);
	if (result)
		return result;
	/* What would block is never done from the cache alone; Linux says so for these in any case.
	 */
	if ((how.resolve & LINUX_RESOLVE_CACHED) &&
		(how.flags & (LINUX_O_TRUNC | LINUX_O_CREAT | LINUX___O_TMPFILE)))
		return -EAGAIN;
	return do_open(task, (int)args[0], args[1], (uint32_t)how.flags | LINUX_O_LARGEFILE,
		(uint32_t)how.mode, walk_flags);
}

int64_t sys_close(struct task *task, const uint64_t args[6])
{
	int result = fd_close(task->files, (int)args[0]);

	/* The descriptor is gone: it must not be closed twice. */
	return result == -ERESTARTSYS || result == -ERESTARTNOINTR ? -EINTR : result;
}

int64_t sys_close_range(struct task *task, const uint64_t args[6])
{
	unsigned int first = (unsigned int)args[0], last = (unsigned int)args[1];
	unsigned int flags = (unsigned int)args[2];
	bool only_cloexec = flags & LINUX_CLOSE_RANGE_CLOEXEC;

	if (flags & ~(unsigned int)(LINUX_CLOSE_RANGE_UNSHARE | LINUX_CLOSE_RANGE_CLOEXEC))
		return -EINVAL;
	if (first > last)
		return -EINVAL;
	if ((flags & LINUX_CLOSE_RANGE_UNSHARE) && fd_table_is_shared(task->files)) {
		/* What would be closed at once need not be copied, if it is all of the end. */
		unsigned int max = last == UINT32_MAX && !only_cloexec ? first : UINT32_MAX;
		struct fd_table *copy, *old;
		int result = fd_table_copy(task->files, max, &copy);

		if (result)
			return result;
		mutex_lock(&task->lock);
		old = task->files;
		task->files = copy;
		mutex_unlock(&task->lock);
		fd_table_put(old);
	}
	return fd_close_range(task->files, first, last, only_cloexec);
}

int64_t sys_dup(struct task *task, const uint64_t args[6])
{
	struct file *file = fd_get_path_too(task->files, (int)args[0]);
	int fd;

	if (!file)
		return -EBADF;
	fd = fd_install(task->files, 0, file, false);
	if (fd < 0)
		file_put(file);
	return fd;
}

static int64_t duplicate(struct task *task, int old, int new, bool close_on_exec)
{
	auto_file struct file *file = fd_get_path_too(task->files, old);
	int result;

	if (!file)
		return -EBADF;
	result = fd_replace(task->files, new, file, close_on_exec);
	return result ? result : new;
}

int64_t sys_dup2(struct task *task, const uint64_t args[6])
{
	int old = (int)args[0], new = (int)args[1];

	if (old == new)
		return fd_get_flags(task->files, old) < 0 ? -EBADF : new;
	return duplicate(task, old, new, false);
}

int64_t sys_dup3(struct task *task, const uint64_t args[6])
{
	int old = (int)args[0], new = (int)args[1], flags = (int)args[2];

	if ((flags & ~LINUX_O_CLOEXEC) || old == new)
		return -EINVAL;
	return duplicate(task, old, new, flags & LINUX_O_CLOEXEC);
}
