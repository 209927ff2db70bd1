/* SPDX-License-Identifier: Apache-2.0 */
/* Directories and the names in them: getdents(2), chdir(2), chroot(2), mkdir(2), unlink(2),
 * rename(2), link(2), symlink(2), mknod(2). */
#include "abi/capability.h"
#include "abi/dirent.h"
#include "abi/fcntl.h"
#include "abi/limits.h"
#include "abi/stat.h"
#include "sentry/kernel/task.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/vfs/names.h"
#include "sentry/vfs/permission.h"
#include "sentry/vfs/readdir.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Entries are collected here and copied out at once. */
#define DIRENT_BUFFER_MAX (32u << 10)

struct dirent_buffer {
	struct dir_context context;
	char *bytes;
	size_t size, used;
	bool old_format;
	bool too_small; /* not even one entry fits */
};

static bool emit_entry(struct dir_context *context, const char *name, size_t length,
	int64_t next_position, uint64_t ino, uint8_t type)
{
	struct dirent_buffer *buffer = container_of(context, struct dirent_buffer, context);
	size_t header = buffer->old_format ? offsetof(struct linux_dirent, d_name)
					   : offsetof(struct linux_dirent64, d_name);
	/* The old record has the type after the name's zero byte. */
	size_t size = (header + length + 1 + buffer->old_format + 7) & ~(size_t)7;
	char *at = buffer->bytes + buffer->used;
	uint16_t record = (uint16_t)size;

	if (length > LINUX_NAME_MAX || size > buffer->size - buffer->used) {
		buffer->too_small = buffer->used == 0;
		return false;
	}
	memset(at, 0, size);
	memcpy(at, &ino, sizeof(ino));
	memcpy(at + 8, &next_position, sizeof(next_position));
	memcpy(at + 16, &record, sizeof(record));
	at[buffer->old_format ? size - 1 : 18] = (char)type;
	memcpy(at + header, name, length);
	buffer->used += size;
	context->position = next_position;
	return true;
}

static int64_t read_entries(struct task *task, const uint64_t args[6], bool old_format)
{
	auto_file struct file *file = fd_get(task->files, (int)args[0]);
	struct dirent_buffer buffer = {.context.emit = emit_entry, .old_format = old_format};
	int64_t before, result;

	if (!file)
		return -EBADF;
	buffer.size =
		(int)args[2] < 0 ? 0 : (size_t)min_u64(args[2] & UINT32_MAX, DIRENT_BUFFER_MAX);
	buffer.bytes = malloc(buffer.size ? buffer.size : 1);
	if (!buffer.bytes)
		return -ENOMEM;
	before = file->position;
	result = file_iterate(file, &buffer.context);
	if (buffer.used) {
		result = (int64_t)buffer.used;
		if (mm_copy_out(task->mm, args[1], buffer.bytes, buffer.used)) {
			mutex_lock(&file->lock);
			file->position = before;
			mutex_unlock(&file->lock);
			result = -EFAULT;
		}
	} else if (result >= 0) {
		/* The size is a signed number to Linux, too small for anything when negative. */
		result = buffer.too_small ? -EINVAL : 0;
	}
	free(buffer.bytes);
	return result;
}

int64_t sys_getdents64(struct task *task, const uint64_t args[6])
{
	return read_entries(task, args, false);
}

int64_t sys_getdents(struct task *task, const uint64_t args[6])
{
	return read_entries(task, args, true);
}

/* Consumes the path. */
static int64_t change_directory(struct task *task, struct path *path)
{
	int result = inode_permission(path_inode(path), task->cred, MAY_EXEC);

	if (result)
		path_put(path);
	else
		fs_struct_set(task->fs, &task->fs->pwd, path);
	return result;
}

int64_t sys_chdir(struct task *task, const uint64_t args[6])
{
	uninitialized_ char name[LINUX_PATH_MAX];
	struct path path;
	int result = path_copy_in(task, args[0], name);

	if (result == 0)
		result = path_lookup(LINUX_AT_FDCWD, name, WALK_FOLLOW | WALK_DIRECTORY, &path);
	return result ? result : change_directory(task, &path);
}

int64_t sys_fchdir(struct task *task, const uint64_t args[6])
{
	auto_file struct file *file = fd_get_path_too(task->files, (int)args[0]);
	struct path path;

	if (!file)
		return -EBADF;
	if (!inode_is_type(file->inode, LINUX_S_IFDIR))
		return -ENOTDIR;
	path = file->path;
	path_get(&path);
	return change_directory(task, &path);
}

int64_t sys_chroot(struct task *task, const uint64_t args[6])
{
	uninitialized_ char name[LINUX_PATH_MAX];
	struct path path;
	int result = path_copy_in(task, args[0], name);

	if (result == 0)
		result = path_lookup(LINUX_AT_FDCWD, name, WALK_FOLLOW | WALK_DIRECTORY, &path);
	if (result)
		return result;
	result = inode_permission(path_inode(&path), task->cred, MAY_EXEC);
	if (result == 0 && !capable(LINUX_CAP_SYS_CHROOT))
		result = -EPERM;
	if (result)
		path_put(&path);
	else
		fs_struct_set(task->fs, &task->fs->root, &path);
	return result;
}

int64_t sys_getcwd(struct task *task, const uint64_t args[6])
{
	static const char unreachable[] = "(unreachable)";
	char buffer[sizeof(unreachable) + LINUX_PATH_MAX], *name;
	struct path root, pwd;
	bool reachable, removed;
	size_t size;

	fs_struct_root(task->fs, &root);
	fs_struct_pwd(task->fs, &pwd);
	name = path_name_plain(&pwd, &root, buffer, sizeof(buffer), &reachable);
	removed = pwd.dentry->unhashed && pwd.dentry != pwd.dentry->sb->root;
	path_put(&pwd);
	path_put(&root);
	if (removed)
		return -ENOENT;
	if (!name)
		return -ENAMETOOLONG;
	if (!reachable && (size_t)(name - buffer) >= sizeof(unreachable) - 1) {
		name -= sizeof(unreachable) - 1;
		memcpy(name, unreachable, sizeof(unreachable) - 1);
	}
	size = strlen(name) + 1;
	if (size > LINUX_PATH_MAX)
		return -ENAMETOOLONG;
	if (size > args[1])
		return -ERANGE;
	return mm_copy_out(task->mm, args[0], name, size) ? -EFAULT : (int64_t)size;
}

int64_t sys_mkdirat(struct task *task, const uint64_t args[6])
{
	uninitialized_ char name[LINUX_PATH_MAX];
	int result = path_copy_in(task, args[1], name);

	return result ? result : path_mkdir((int)args[0], name, (uint32_t)args[2]);
}

int64_t sys_mkdir(struct task *task, const uint64_t args[6])
{
	const uint64_t at[6] = {(uint64_t)LINUX_AT_FDCWD, args[0], args[1]};

	return sys_mkdirat(task, at);
}

int64_t sys_mknodat(struct task *task, const uint64_t args[6])
{
	uninitialized_ char name[LINUX_PATH_MAX];
	int result = path_copy_in(task, args[1], name);

	/* The device number is 32 bits wide here: 12 of the major, 20 of the minor. */
	return result ? result
		      : path_mknod((int)args[0], name, (uint32_t)args[2], (uint32_t)args[3]);
}

int64_t sys_mknod(struct task *task, const uint64_t args[6])
{
	const uint64_t at[6] = {(uint64_t)LINUX_AT_FDCWD, args[0], args[1], args[2]};

	return sys_mknodat(task, at);
}

static int64_t remove_name(struct task *task, int dirfd, gaddr_t address, bool directory)
{
	uninitialized_ char name[LINUX_PATH_MAX];
	int result = path_copy_in(task, address, name);

	if (result)
		return result;
	return directory ? path_rmdir(dirfd, name) : path_unlink(dirfd, name);
}

int64_t sys_rmdir(struct task *task, const uint64_t args[6])
{
	return remove_name(task, LINUX_AT_FDCWD, args[0], true);
}

int64_t sys_unlink(struct task *task, const uint64_t args[6])
{
	return remove_name(task, LINUX_AT_FDCWD, args[0], false);
}

int64_t sys_unlinkat(struct task *task, const uint64_t args[6])
{
	int flags = (int)args[2];

	if (flags & ~LINUX_AT_REMOVEDIR)
		return -EINVAL;
	return remove_name(task, (int)args[0], args[1], flags & LINUX_AT_REMOVEDIR);
}

static int64_t do_rename(struct task *task, int old_dirfd, gaddr_t old_address, int new_dirfd,
	gaddr_t new_address, unsigned int flags)
{
	const unsigned int known =
		LINUX_RENAME_NOREPLACE | LINUX_RENAME_EXCHANGE | LINUX_RENAME_WHITEOUT;
	char old_name[LINUX_PATH_MAX], new_name[LINUX_PATH_MAX];
	int result;

	if (flags & ~known)
		return -EINVAL;
	if ((flags & LINUX_RENAME_EXCHANGE) &&
		(flags & (LINUX_RENAME_NOREPLACE | LINUX_RENAME_WHITEOUT)))
		return -EINVAL;
	if ((flags & LINUX_RENAME_WHITEOUT) && !capable(LINUX_CAP_MKNOD))
		return -EPERM;
	result = path_copy_in(task, old_address, old_name);
	if (result == 0)
		result = path_copy_in(task, new_address, new_name);
	return result ? result : path_rename(old_dirfd, old_name, new_dirfd, new_name, flags);
}

int64_t sys_rename(struct task *task, const uint64_t args[6])
{
	return do_rename(task, LINUX_AT_FDCWD, args[0], LINUX_AT_FDCWD, args[1], 0);
}

int64_t sys_renameat(struct task *task, const uint64_t args[6])
{
	return do_rename(task, (int)args[0], args[1], (int)args[2], args[3], 0);
}

int64_t sys_renameat2(struct task *task, const uint64_t args[6])
{
	return do_rename(task, (int)args[0], args[1], (int)args[2], args[3], (unsigned int)args[4]);
}

static int64_t do_link(struct task *task, int old_dirfd, gaddr_t old_address, int new_dirfd,
	gaddr_t new_address, int flags)
{
	char old_name[LINUX_PATH_MAX], new_name[LINUX_PATH_MAX];
	int result;

	if (flags & ~(LINUX_AT_SYMLINK_FOLLOW | LINUX_AT_EMPTY_PATH))
		return -EINVAL;
	result = path_copy_in(task, old_address, old_name);
	if (result == 0)
		result = path_copy_in(task, new_address, new_name);
	return result ? result : path_link(old_dirfd, old_name, new_dirfd, new_name, flags);
}

int64_t sys_link(struct task *task, const uint64_t args[6])
{
	return do_link(task, LINUX_AT_FDCWD, args[0], LINUX_AT_FDCWD, args[1], 0);
}

int64_t sys_linkat(struct task *task, const uint64_t args[6])
{
	return do_link(task, (int)args[0], args[1], (int)args[2], args[3], (int)args[4]);
}

static int64_t do_symlink(struct task *task, gaddr_t target_address, int dirfd, gaddr_t address)
{
	char target[LINUX_PATH_MAX], name[LINUX_PATH_MAX];
	int result = path_copy_in(task, target_address, target);

	if (result == 0)
		result = path_copy_in(task, address, name);
	return result ? result : path_symlink(target, dirfd, name);
}

int64_t sys_symlink(struct task *task, const uint64_t args[6])
{
	return do_symlink(task, args[0], LINUX_AT_FDCWD, args[1]);
}

int64_t sys_symlinkat(struct task *task, const uint64_t args[6])
{
	return do_symlink(task, args[0], (int)args[1], args[2]);
}
