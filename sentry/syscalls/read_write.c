/* SPDX-License-Identifier: Apache-2.0 */
/* read(2), write(2) and their forms with positions and vectors. */
#include "abi/fcntl.h"
#include "abi/limits.h"
#include "abi/uio.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/iov_iter.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/vfs/file.h"

#include <errno.h>

#define RWF_KNOWN                                                                                  \
	(LINUX_RWF_HIPRI | LINUX_RWF_DSYNC | LINUX_RWF_SYNC | LINUX_RWF_NOWAIT |                   \
		LINUX_RWF_APPEND | LINUX_RWF_NOAPPEND | LINUX_RWF_NOSIGNAL)

/* A buffer that does not lie in user space is a fault whatever else is wrong; a large count is cut
 * by the iterator. */
static int64_t transfer(
	struct task *task, int fd, gaddr_t base, uint64_t size, int64_t *position, bool write)
{
	auto_file struct file *file = NULL;
	struct iov_iter iter;

	if (position && *position < 0)
		return -EINVAL;
	file = fd_get(task->files, fd);
	if (!file)
		return -EBADF;
	if (position && !(file->mode & FILE_SEEKABLE))
		return -ESPIPE;
	if (!(file->mode & (write ? FILE_WRITE : FILE_READ)))
		return -EBADF;
	if (base > LINUX_TASK_SIZE || size > LINUX_TASK_SIZE - base)
		return -EFAULT;
	iov_iter_init(&iter, task->mm, base, size, !write);
	return write ? file_write(file, &iter, position) : file_read(file, &iter, position);
}

int64_t sys_read(struct task *task, const uint64_t args[6])
{
	return transfer(task, (int)args[0], args[1], args[2], NULL, false);
}

int64_t sys_write(struct task *task, const uint64_t args[6])
{
	return transfer(task, (int)args[0], args[1], args[2], NULL, true);
}

int64_t sys_pread64(struct task *task, const uint64_t args[6])
{
	int64_t position = (int64_t)args[3];

	return transfer(task, (int)args[0], args[1], args[2], &position, false);
}

int64_t sys_pwrite64(struct task *task, const uint64_t args[6])
{
	int64_t position = (int64_t)args[3];

	return transfer(task, (int)args[0], args[1], args[2], &position, true);
}

static int64_t transfer_vector(struct task *task, int fd, gaddr_t iovecs, uint64_t count,
	int64_t *position, int rwf, bool write)
{
	auto_file struct file *file = NULL;
	struct iov_iter iter;
	int64_t result;

	if (position && *position < 0)
		return -EINVAL;
	file = fd_get(task->files, fd);
	if (!file)
		return -EBADF;
	if (position && !(file->mode & FILE_SEEKABLE))
		return -ESPIPE;
	if (!(file->mode & (write ? FILE_WRITE : FILE_READ)))
		return -EBADF;
	result = iov_iter_import(&iter, task->mm, iovecs, count, !write);
	if (result)
		return result;
	/* Nothing to move: Linux does not look at the flags then. */
	if (iov_iter_count(&iter) == 0)
		result = 0;
	else if (rwf & ~RWF_KNOWN)
		result = -EOPNOTSUPP;
	else if ((rwf & LINUX_RWF_APPEND) && (rwf & LINUX_RWF_NOAPPEND))
		result = -EINVAL;
	else if ((rwf & LINUX_RWF_NOAPPEND) && inode_is_append_only(file->inode))
		result = -EPERM;
	else if (write)
		result = file_write_flags(file, &iter, position, rwf);
	else
		result = file_read_flags(file, &iter, position, rwf);
	iov_iter_destroy(&iter);
	return result;
}

int64_t sys_readv(struct task *task, const uint64_t args[6])
{
	return transfer_vector(task, (int)args[0], args[1], args[2], NULL, 0, false);
}

int64_t sys_writev(struct task *task, const uint64_t args[6])
{
	return transfer_vector(task, (int)args[0], args[1], args[2], NULL, 0, true);
}

/* On 64-bit the low half of the position is all of it. */
int64_t sys_preadv(struct task *task, const uint64_t args[6])
{
	int64_t position = (int64_t)args[3];

	return transfer_vector(task, (int)args[0], args[1], args[2], &position, 0, false);
}

int64_t sys_pwritev(struct task *task, const uint64_t args[6])
{
	int64_t position = (int64_t)args[3];

	return transfer_vector(task, (int)args[0], args[1], args[2], &position, 0, true);
}

/* A position of -1 is the file's own. */
int64_t sys_preadv2(struct task *task, const uint64_t args[6])
{
	int64_t position = (int64_t)args[3];

	return transfer_vector(task, (int)args[0], args[1], args[2],
		position == -1 ? NULL : &position, (int)args[5], false);
}

int64_t sys_pwritev2(struct task *task, const uint64_t args[6])
{
	int64_t position = (int64_t)args[3];

	return transfer_vector(task, (int)args[0], args[1], args[2],
		position == -1 ? NULL : &position, (int)args[5], true);
}

int64_t sys_lseek(struct task *task, const uint64_t args[6])
{
	auto_file struct file *file = fd_get(task->files, (int)args[0]);
	unsigned int whence = (unsigned int)args[2];

	if (!file)
		return -EBADF;
	if (whence > LINUX_SEEK_MAX)
		return -EINVAL;
	return file_seek(file, (int64_t)args[1], (int)whence);
}
