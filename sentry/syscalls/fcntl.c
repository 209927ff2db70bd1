/* SPDX-License-Identifier: Apache-2.0 */
/* fcntl(2), flock(2). */
#include "abi/fcntl.h"
#include "abi/limits.h"
#include "abi/resource.h"
#include "abi/stat.h"
#include "sentry/fs/pipe/pipe.h"
#include "sentry/fs/tmpfs/tmpfs.h"
#include "sentry/kernel/credentials.h"
#include "sentry/kernel/rlimit.h"
#include "sentry/kernel/signal.h"
#include "sentry/kernel/task.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/vfs/dnotify.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/file_lock.h"
#include "sentry/vfs/lease.h"
#include "sentry/vfs/owner.h"

#include <errno.h>

#define SETTABLE                                                                                   \
	(LINUX_O_APPEND | LINUX_O_NONBLOCK | LINUX_O_DIRECT | LINUX_O_NOATIME | LINUX_FASYNC)

static int64_t duplicate(struct task *task, struct file *file, uint64_t least, bool close_on_exec)
{
	int fd;

	if ((unsigned int)least >= min_u64(rlimit_current(LINUX_RLIMIT_NOFILE), LINUX_NR_OPEN))
		return -EINVAL;
	fd = fd_install(task->files, (int)least, file_get(file), close_on_exec);
	if (fd < 0)
		file_put(file);
	return fd;
}

static int64_t set_status_flags(struct file *file, int fd, uint32_t wanted)
{
	uint32_t old = file->flags, new;
	int result = 0;

	wanted &= SETTABLE;
	if (((old ^ wanted) & LINUX_O_APPEND) && inode_is_append_only(file->inode))
		return -EPERM;
	if ((wanted & ~old & LINUX_O_NOATIME) &&
		!inode_owner_or_capable(file->inode, current_cred()))
		return -EPERM;
	if (file->ops->set_flags)
		result = file->ops->set_flags(file, (old & ~(uint32_t)SETTABLE) | wanted);
	if (result)
		return result;
	if ((old ^ wanted) & LINUX_FASYNC) {
		result = file_set_async(file, wanted & LINUX_FASYNC);
		/* O_ASYNC on what has no events is not an error here. */
		if (result && result != -ENOTTY)
			return result;
		file_set_async_fd(file, fd);
	}
	do {
		new = (old & ~(uint32_t)(SETTABLE & ~LINUX_FASYNC)) |
		      (wanted & ~(uint32_t)LINUX_FASYNC);
		new = (new & ~(uint32_t)LINUX_FASYNC) | (file->flags & LINUX_FASYNC);
	} while (!atomic_compare_exchange_weak(&file->flags, &old, new));
	return 0;
}

static int64_t record_lock(
	struct task *task, struct file *file, int fd, unsigned int command, gaddr_t address)
{
	bool get = command == LINUX_F_GETLK || command == LINUX_F_OFD_GETLK;
	struct linux_flock flock;
	int result;

	if (mm_copy_in(task->mm, &flock, address, sizeof(flock)))
		return -EFAULT;
	result = file_lock_control(file, fd, command, &flock);
	if (result == 0 && get)
		result = mm_copy_out(task->mm, address, &flock, sizeof(flock));
	return result;
}

/* A negative number is a process group's. */
static int64_t set_owner_ex(struct task *task, struct file *file, gaddr_t address)
{
	struct linux_f_owner_ex owner;

	if (mm_copy_in(task->mm, &owner, address, sizeof(owner)))
		return -EFAULT;
	return file_set_owner(file, owner.type, owner.pid);
}

static int64_t get_owner_ex(struct task *task, struct file *file, gaddr_t address)
{
	struct linux_f_owner_ex owner;
	int type;

	owner.pid = file_get_owner(file, &type);
	owner.type = type;
	return mm_copy_out(task->mm, address, &owner, sizeof(owner));
}

static int64_t get_owner_uids(struct task *task, struct file *file, gaddr_t address)
{
	struct user_namespace *ns = task->cred->user_ns;
	uint32_t ids[2];

	mutex_lock(&file->lock);
	ids[0] = user_namespace_show_uid(ns, file->owner.uid);
	ids[1] = user_namespace_show_uid(ns, file->owner.euid);
	mutex_unlock(&file->lock);
	return mm_copy_out(task->mm, address, ids, sizeof(ids));
}

static int64_t set_signal(struct file *file, int signal)
{
	if (signal < 0 || signal > SIGNAL_COUNT)
		return -EINVAL;
	mutex_guard(&file->lock);
	file->owner.signal = signal;
	return 0;
}

/* Hints about the life of an inode's data: kept, and nothing else comes of them. */
static int64_t write_hint(struct task *task, struct inode *inode, bool get, gaddr_t address)
{
	uint64_t hint = inode->write_hint;

	if (get)
		return mm_copy_out(task->mm, address, &hint, sizeof(hint));
	if (!inode_owner_or_capable(inode, task->cred))
		return -EPERM;
	if (mm_copy_in(task->mm, &hint, address, sizeof(hint)))
		return -EFAULT;
	if (hint > LINUX_RWH_WRITE_LIFE_EXTREME)
		return -EINVAL;
	inode->write_hint = (uint8_t)hint;
	return 0;
}

static int64_t query_same(struct task *task, struct file *file, int other)
{
	auto_file struct file *second = fd_get_path_too(task->files, other);

	return second ? second == file : -EBADF;
}

/* Commands about the descriptor: allowed for O_PATH too. False: not one of these. */
static bool descriptor_command(struct task *task, struct file *file, int fd, unsigned int command,
	uint64_t argument, int64_t *result)
{
	switch (command) {
	case LINUX_F_DUPFD:
		*result = duplicate(task, file, argument, false);
		return true;
	case LINUX_F_DUPFD_CLOEXEC:
		*result = duplicate(task, file, argument, true);
		return true;
	case LINUX_F_GETFD:
		*result = fd_get_flags(task->files, fd);
		return true;
	case LINUX_F_SETFD:
		*result = fd_set_flags(task->files, fd, (int)argument);
		return true;
	case LINUX_F_GETFL:
		*result = file->flags;
		return true;
	case LINUX_F_DUPFD_QUERY:
		*result = query_same(task, file, (int)argument);
		return true;
	case LINUX_F_CREATED_QUERY:
		*result = !!(file->mode & FILE_CREATED);
		return true;
	default:
		return false;
	}
}

static int64_t file_command(
	struct task *task, struct file *file, int fd, unsigned int command, uint64_t argument)
{
	switch (command) {
	case LINUX_F_SETFL:
		return set_status_flags(file, fd, (uint32_t)argument);
	case LINUX_F_GETLK:
	case LINUX_F_SETLK:
	case LINUX_F_SETLKW:
	case LINUX_F_OFD_GETLK:
	case LINUX_F_OFD_SETLK:
	case LINUX_F_OFD_SETLKW:
		return record_lock(task, file, fd, command, argument);
	case LINUX_F_SETOWN:
		return file_set_owner_number(file, (int)argument);
	case LINUX_F_GETOWN:
		return file_get_owner_number(file);
	case LINUX_F_SETOWN_EX:
		return set_owner_ex(task, file, argument);
	case LINUX_F_GETOWN_EX:
		return get_owner_ex(task, file, argument);
	case LINUX_F_GETOWNER_UIDS:
		return get_owner_uids(task, file, argument);
	case LINUX_F_SETSIG:
		return set_signal(file, (int)argument);
	case LINUX_F_GETSIG:
		return file->owner.signal;
	case LINUX_F_SETLEASE:
		return lease_set(file, fd, (int)argument);
	case LINUX_F_GETLEASE:
		return lease_get_type(file);
	case LINUX_F_NOTIFY:
		return dnotify_set(file, task->files, fd, (uint32_t)argument);
	case LINUX_F_SETPIPE_SZ:
	case LINUX_F_GETPIPE_SZ:
		return pipe_fcntl(file, command, argument);
	case LINUX_F_ADD_SEALS:
		return tmpfs_add_seals(file, (unsigned int)argument);
	case LINUX_F_GET_SEALS:
		return tmpfs_get_seals(file);
	case LINUX_F_GET_RW_HINT:
	case LINUX_F_SET_RW_HINT:
		return write_hint(task, file->inode, command == LINUX_F_GET_RW_HINT, argument);
	default:
		return -EINVAL;
	}
}

int64_t sys_fcntl(struct task *task, const uint64_t args[6])
{
	int fd = (int)args[0];
	unsigned int command = (unsigned int)args[1];
	auto_file struct file *file = fd_get_path_too(task->files, fd);
	int64_t result;

	if (!file)
		return -EBADF;
	if (descriptor_command(task, file, fd, command, args[2], &result))
		return result;
	if (file->mode & FILE_PATH)
		return -EBADF;
	return file_command(task, file, fd, command, args[2]);
}

int64_t sys_flock(struct task *task, const uint64_t args[6])
{
	unsigned int operation = (unsigned int)args[1];
	unsigned int kind = operation & ~(unsigned int)LINUX_LOCK_NB;
	auto_file struct file *file = NULL;

	/* Mandatory share modes are gone; Linux warns and does nothing. */
	if (operation & LINUX_LOCK_MAND)
		return 0;
	if (kind != LINUX_LOCK_SH && kind != LINUX_LOCK_EX && kind != LINUX_LOCK_UN)
		return -EINVAL;
	file = fd_get(task->files, (int)args[0]);
	return file ? file_flock(file, operation) : -EBADF;
}
