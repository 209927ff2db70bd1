/* SPDX-License-Identifier: Apache-2.0 */
/*
 * name_to_handle_at(2), open_by_handle_at(2).
 *
 * Differs from Linux: who opens by handle needs CAP_DAC_READ_SEARCH in the first user namespace
 * always, and reaches only what is below the mount that he gives.
 */
#include "sentry/vfs/file_handle.h"
#include "abi/capability.h"
#include "abi/fcntl.h"
#include "abi/limits.h"
#include "abi/stat.h"
#include "sentry/kernel/credentials.h"
#include "sentry/kernel/task.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/vfs/fd_table.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/mount.h"
#include "sentry/vfs/open.h"

#include <errno.h>
#include <string.h>

#define NAME_FLAGS                                                                                 \
	(LINUX_AT_SYMLINK_FOLLOW | LINUX_AT_EMPTY_PATH | LINUX_AT_HANDLE_FID |                     \
		LINUX_AT_HANDLE_MNT_ID_UNIQUE | LINUX_AT_HANDLE_CONNECTABLE)
#define VALID_TYPE_FLAGS (LINUX_FILEID_IS_CONNECTABLE | LINUX_FILEID_IS_DIR)

struct handle {
	struct linux_file_handle head;
	struct file_id id;
};

static int32_t handle_type(const struct inode *inode, int flags)
{
	int32_t type = inode_handle_type(inode);

	if (!(flags & LINUX_AT_HANDLE_CONNECTABLE))
		return type;
	type |= LINUX_FILEID_IS_CONNECTABLE;
	return inode_is_type(inode, LINUX_S_IFDIR) ? type | LINUX_FILEID_IS_DIR : type;
}

/* A mount's id is told even if the handle does not fit. */
static int handle_out(struct task *task, const struct path *path, int flags, uint32_t room,
	gaddr_t address, gaddr_t mount_address)
{
	struct inode *inode = path_inode(path);
	struct handle handle = {
		.head = {.handle_bytes = sizeof(handle.id),
			.handle_type = handle_type(inode, flags)},
		.id = inode_file_id(inode),
	};
	bool fits = room >= sizeof(handle.id), unique = flags & LINUX_AT_HANDLE_MNT_ID_UNIQUE;
	int32_t id = path->mount->id;
	int error;

	if (!fits)
		handle.head.handle_type = LINUX_FILEID_INVALID;
	error = mm_copy_out(task->mm, mount_address,
		unique ? (const void *)&path->mount->unique_id : &id,
		unique ? sizeof(path->mount->unique_id) : sizeof(id));
	if (error == 0)
		error = mm_copy_out(
			task->mm, address, &handle, fits ? sizeof(handle) : sizeof(handle.head));
	return error ? error : fits ? 0 : -EOVERFLOW;
}

static int name_to_handle(struct task *task, const struct path *path, int flags, gaddr_t address,
	gaddr_t mount_address)
{
	struct linux_file_handle head;
	int error;

	if (!(flags & LINUX_AT_HANDLE_FID) && !inode_is_exported(path_inode(path)))
		return -EOPNOTSUPP;
	error = mm_copy_in(task->mm, &head, address, sizeof(head));
	if (error)
		return error;
	if (head.handle_bytes > LINUX_MAX_HANDLE_SZ)
		return -EINVAL;
	if (inode_is_exported(path_inode(path)) && head.handle_bytes >= sizeof(struct file_id)) {
		error = file_handle_remember(path->dentry);
		if (error)
			return error;
	}
	return handle_out(task, path, flags, head.handle_bytes, address, mount_address);
}

int64_t sys_name_to_handle_at(struct task *task, const uint64_t args[6])
{
	int flags = (int)args[4];
	unsigned int walk = (flags & LINUX_AT_SYMLINK_FOLLOW ? WALK_FOLLOW : 0) |
			    (flags & LINUX_AT_EMPTY_PATH ? WALK_EMPTY : 0);
	uninitialized_ char name[LINUX_PATH_MAX];
	auto_path struct path path = {0};
	int error;

	if (flags & ~NAME_FLAGS)
		return -EINVAL;
	if ((flags & LINUX_AT_HANDLE_FID) && (flags & LINUX_AT_HANDLE_CONNECTABLE))
		return -EINVAL;
	error = path_copy_in(task, args[1], name);
	if (error == 0)
		error = path_lookup((int)args[0], name, walk, &path);
	return error ? error : name_to_handle(task, &path, flags, args[2], args[3]);
}

/* The mount whose file system the handle is of. */
static int find_mount(struct task *task, int dirfd, struct path *out)
{
	struct file *file;
	int error;

	if (dirfd == LINUX_AT_FDCWD) {
		fs_struct_pwd(task->fs, out);
		return 0;
	}
	file = fd_get(task->files, dirfd);
	if (!file)
		return -EBADF;
	error = file_path(file, out);
	file_put(file);
	return error;
}

static int copy_in_handle(struct task *task, gaddr_t address, struct handle *handle)
{
	uint8_t rest[LINUX_MAX_HANDLE_SZ];
	int error = mm_copy_in(task->mm, &handle->head, address, sizeof(handle->head));
	int32_t type = handle->head.handle_type;

	if (error)
		return error;
	if (handle->head.handle_bytes == 0 || handle->head.handle_bytes > LINUX_MAX_HANDLE_SZ)
		return -EINVAL;
	if (type < 0 || (type & LINUX_FILEID_USER_FLAGS & ~VALID_TYPE_FLAGS))
		return -EINVAL;
	error = mm_copy_in(
		task->mm, rest, address + sizeof(handle->head), handle->head.handle_bytes);
	if (error)
		return error;
	handle->id = (struct file_id){0};
	memcpy(&handle->id, rest,
		handle->head.handle_bytes < sizeof(handle->id) ? handle->head.handle_bytes
							       : sizeof(handle->id));
	return 0;
}

static int open_handle(struct task *task, int dirfd, const struct handle *handle, uint32_t flags,
	struct file **out)
{
	auto_path struct path anchor = {0}, path = {0};
	int32_t type = handle->head.handle_type & ~LINUX_FILEID_USER_FLAGS;
	int error = find_mount(task, dirfd, &anchor);

	if (error)
		return error;
	if (!cred_capable(current_cred(), LINUX_CAP_DAC_READ_SEARCH))
		return -EPERM;
	error = file_handle_find(anchor.mount, type, &handle->id, handle->head.handle_bytes, &path);
	if (error)
		return error;
	if (!inode_is_type(path_inode(&path), LINUX_S_IFDIR)) {
		if (handle->head.handle_type & LINUX_FILEID_IS_DIR)
			return -ESTALE;
		if (flags & LINUX_O_DIRECTORY)
			return -ENOTDIR;
	}
	return file_open_found(&path, flags, current_cred(), out);
}

int64_t sys_open_by_handle_at(struct task *task, const uint64_t args[6])
{
	uint32_t flags = (uint32_t)args[2];
	struct handle handle;
	struct file *file;
	int fd, error = copy_in_handle(task, args[1], &handle);

	if (error)
		return error;
	if (flags & (LINUX_O_CREAT | LINUX___O_TMPFILE))
		return -EINVAL;
	fd = fd_reserve(task->files, 0, flags & LINUX_O_CLOEXEC);
	if (fd < 0)
		return fd;
	error = open_handle(task, (int)args[0], &handle, flags, &file);
	if (error)
		fd_cancel(task->files, fd);
	else
		fd_commit(task->files, fd, file);
	return error ? error : fd;
}
