/* SPDX-License-Identifier: Apache-2.0 */
/* pipe(2), pipe2(2), splice(2), tee(2), vmsplice(2). */
#include "sentry/fs/pipe/pipe.h"
#include "abi/epoll.h"
#include "abi/fcntl.h"
#include "abi/uio.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/mm.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/vfs/fd_table.h"

#include <errno.h>

/* Two descriptors that nobody can use before the guest knows them: -EMFILE, -EFAULT. */
static int64_t reserve_pair(struct task *task, gaddr_t address, bool cloexec, int32_t fds[2])
{
	int error;

	fds[0] = fd_reserve(task->files, 0, cloexec);
	if (fds[0] < 0)
		return fds[0];
	fds[1] = fd_reserve(task->files, 0, cloexec);
	error = fds[1] < 0 ? fds[1] : mm_copy_out(task->mm, address, fds, 2 * sizeof(fds[0]));
	if (error && fds[1] >= 0)
		fd_cancel(task->files, fds[1]);
	if (error)
		fd_cancel(task->files, fds[0]);
	return error;
}

static int64_t make_pipe(struct task *task, gaddr_t address, uint32_t flags)
{
	struct file *files[2];
	int32_t fds[2];
	int64_t error;

	if (flags & ~(uint32_t)(LINUX_O_CLOEXEC | LINUX_O_NONBLOCK | LINUX_O_DIRECT | LINUX_O_EXCL))
		return -EINVAL;
	if (flags & LINUX_O_EXCL)
		return -ENOPKG;
	error = pipe_create_files(flags & (LINUX_O_NONBLOCK | LINUX_O_DIRECT), files);
	if (error)
		return error;
	error = reserve_pair(task, address, flags & LINUX_O_CLOEXEC, fds);
	for (int i = 0; i < 2; i++) {
		if (error)
			file_put(files[i]);
		else
			fd_commit(task->files, fds[i], files[i]);
	}
	return error;
}

int64_t sys_pipe(struct task *task, const uint64_t args[6])
{
	return make_pipe(task, args[0], 0);
}

int64_t sys_pipe2(struct task *task, const uint64_t args[6])
{
	return make_pipe(task, args[0], (uint32_t)args[1]);
}

/* The offset that an argument points to: *position is &*value, or NULL for a null pointer. */
static int copy_in_offset(struct task *task, const struct file *file, gaddr_t address,
	int64_t *value, int64_t **position)
{
	*position = NULL;
	if (!address)
		return 0;
	if (file_pipe(file))
		return -ESPIPE;
	if (!(file->mode & FILE_SEEKABLE))
		return -EINVAL;
	if (mm_copy_in(task->mm, value, address, sizeof(*value)))
		return -EFAULT;
	if (*value < 0)
		return -EINVAL;
	*position = value;
	return 0;
}

/* A range of a file that is no pipe: Linux's rw_verify_area(). */
static bool range_is_valid(const struct file *file, const int64_t *position, uint64_t size)
{
	int64_t start = position ? *position : file->position, end;

	return size <= INT64_MAX && !__builtin_add_overflow(start, (int64_t)size, &end);
}

static int64_t splice_files(struct file *in, int64_t *in_position, struct file *out,
	int64_t *out_position, size_t size, unsigned int flags)
{
	if (!(in->mode & FILE_READ) || !(out->mode & FILE_WRITE))
		return -EBADF;
	if (file_pipe(in) && file_pipe(out))
		return splice_pipes(in, out, min_u64(size, LINUX_MAX_RW_COUNT), flags, false);
	if (file_pipe(in)) {
		if ((out->flags & LINUX_O_APPEND) || !file_can_splice(out) ||
			!range_is_valid(out, out_position, size))
			return -EINVAL;
		size = min_u64(size, LINUX_MAX_RW_COUNT);
		return splice_from_pipe(in, out, out_position, size, flags);
	}
	if (!file_pipe(out) || !file_can_splice(in) || !range_is_valid(in, in_position, size))
		return -EINVAL;
	return splice_to_pipe(in, in_position, out, min_u64(size, LINUX_MAX_RW_COUNT), flags);
}

int64_t sys_splice(struct task *task, const uint64_t args[6])
{
	unsigned int flags = (unsigned int)args[5];
	int64_t in_offset, out_offset, *in_position, *out_position, done;
	auto_file struct file *in = NULL, *out = NULL;
	int error;

	if (args[4] == 0)
		return 0;
	if (flags & ~(unsigned int)LINUX_SPLICE_F_ALL)
		return -EINVAL;
	in = fd_get(task->files, (int)args[0]);
	out = fd_get(task->files, (int)args[2]);
	if (!in || !out)
		return -EBADF;
	error = copy_in_offset(task, in, args[1], &in_offset, &in_position);
	if (!error)
		error = copy_in_offset(task, out, args[3], &out_offset, &out_position);
	if (error)
		return error;
	done = splice_files(in, in_position, out, out_position, args[4], flags);
	if (done > 0 && in_position)
		error = mm_copy_out(task->mm, args[1], in_position, sizeof(*in_position));
	if (done > 0 && out_position)
		error = mm_copy_out(task->mm, args[3], out_position, sizeof(*out_position));
	return error ? error : done;
}

int64_t sys_tee(struct task *task, const uint64_t args[6])
{
	size_t size = min_u64(args[2], LINUX_MAX_RW_COUNT);
	unsigned int flags = (unsigned int)args[3];
	auto_file struct file *in = NULL, *out = NULL;

	if (flags & ~(unsigned int)LINUX_SPLICE_F_ALL)
		return -EINVAL;
	if (args[2] == 0)
		return 0;
	in = fd_get(task->files, (int)args[0]);
	out = fd_get(task->files, (int)args[1]);
	if (!in || !out || !(in->mode & FILE_READ) || !(out->mode & FILE_WRITE))
		return -EBADF;
	if (!file_pipe(in) || !file_pipe(out))
		return -EINVAL;
	return splice_pipes(in, out, size, flags, true);
}

struct vmsplice {
	struct file *file;
	struct iov_iter iter;
};

static int64_t vmsplice_write(void *argument)
{
	struct vmsplice *state = argument;

	return pipe_write_attempt(state->file, &state->iter);
}

static int64_t vmsplice_read(void *argument)
{
	struct vmsplice *state = argument;

	return pipe_file_operations.read(state->file, &state->iter, NULL);
}

int64_t sys_vmsplice(struct task *task, const uint64_t args[6])
{
	auto_file struct file *file = fd_get(task->files, (int)args[0]);
	unsigned int flags = (unsigned int)args[3];
	struct vmsplice state = {.file = file};
	int64_t (*attempt)(void *argument);
	bool write;
	int64_t done;

	if (flags & ~(unsigned int)LINUX_SPLICE_F_ALL)
		return -EINVAL;
	if (!file || !file_pipe(file))
		return -EBADF;
	write = file->mode & FILE_WRITE;
	attempt = write ? vmsplice_write : vmsplice_read;
	done = iov_iter_import(&state.iter, task->mm, args[1], args[2], !write);
	if (done)
		return done;
	done = attempt(&state);
	if (done == -EAGAIN &&
		!((file->flags & LINUX_O_NONBLOCK) || (flags & LINUX_SPLICE_F_NONBLOCK)))
		done = file_wait(file, write ? LINUX_EPOLLOUT : LINUX_EPOLLIN, FILE_FOREVER,
			attempt, &state);
	iov_iter_destroy(&state.iter);
	return done;
}
