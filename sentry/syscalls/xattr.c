/* SPDX-License-Identifier: Apache-2.0 */
/* Extended attributes: the calls by path, by link, by descriptor, and those relative to a directory
 * (Linux 6.13). */
#include "sentry/vfs/xattr.h"

#include "abi/fcntl.h"
#include "abi/limits.h"
#include "abi/xattr.h"
#include "sentry/kernel/task.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <stdlib.h>

/* What an attribute call works on. name 0: the descriptor itself. */
struct xattr_target {
	int dirfd;
	gaddr_t name;
	unsigned int walk_flags;
	bool is_start; /* no name, and no descriptor: where dirfd says */
};

static int target_path(struct task *task, const struct xattr_target *target, struct path *path)
{
	uninitialized_ char name[LINUX_PATH_MAX];
	int result;

	if (target->is_start)
		return path_lookup(target->dirfd, "", target->walk_flags, path);
	if (!target->name) {
		auto_file struct file *file = fd_get(task->files, target->dirfd);

		return file ? file_path(file, path) : -EBADF;
	}
	result = path_copy_in(task, target->name, name);
	return result ? result : path_lookup(target->dirfd, name, target->walk_flags, path);
}

static int copy_name(struct task *task, gaddr_t address, char name[LINUX_XATTR_NAME_MAX + 1])
{
	int64_t length = mm_copy_in_string(task->mm, name, address, LINUX_XATTR_NAME_MAX + 1);

	if (length == 0 || length == -ENAMETOOLONG)
		return -ERANGE;
	return length < 0 ? (int)length : 0;
}

static int64_t do_set(struct task *task, const struct xattr_target *target, gaddr_t name_address,
	gaddr_t value_address, uint64_t size, int flags)
{
	char name[LINUX_XATTR_NAME_MAX + 1];
	struct path path;
	void *value;
	int result;

	if (flags & ~(LINUX_XATTR_CREATE | LINUX_XATTR_REPLACE))
		return -EINVAL;
	result = copy_name(task, name_address, name);
	if (result)
		return result;
	if (size > LINUX_XATTR_SIZE_MAX)
		return -E2BIG;
	value = malloc(size ? size : 1);
	if (!value)
		return -ENOMEM;
	result = size ? mm_copy_in(task->mm, value, value_address, size) : 0;
	if (result == 0)
		result = target_path(task, target, &path);
	if (result == 0) {
		result = path_setxattr(&path, name, value, size, flags);
		path_put(&path);
	}
	free(value);
	return result;
}

/* The value or list of names, through a buffer of ours. name NULL: the list. */
static int64_t get_or_list(struct task *task, const struct xattr_target *target, const char *name,
	gaddr_t out, uint64_t size)
{
	size_t capacity = (size_t)min_u64(size, LINUX_XATTR_SIZE_MAX);
	char *buffer = malloc(capacity ? capacity : 1);
	struct path path;
	int64_t result;

	if (!buffer)
		return -ENOMEM;
	result = target_path(task, target, &path);
	if (result == 0) {
		result = name ? path_getxattr(&path, name, buffer, capacity)
			      : path_listxattr(&path, buffer, capacity);
		path_put(&path);
	}
	if (result > 0 && capacity && mm_copy_out(task->mm, out, buffer, (size_t)result))
		result = -EFAULT;
	else if (result == -ERANGE && size >= LINUX_XATTR_SIZE_MAX)
		result = -E2BIG;
	free(buffer);
	return result;
}

static int64_t do_get(struct task *task, const struct xattr_target *target, gaddr_t name_address,
	gaddr_t out, uint64_t size)
{
	char name[LINUX_XATTR_NAME_MAX + 1];
	int result = copy_name(task, name_address, name);

	return result ? result : get_or_list(task, target, name, out, size);
}

static int64_t do_remove(struct task *task, const struct xattr_target *target, gaddr_t name_address)
{
	char name[LINUX_XATTR_NAME_MAX + 1];
	struct path path;
	int result = copy_name(task, name_address, name);

	if (result == 0)
		result = target_path(task, target, &path);
	if (result)
		return result;
	result = path_removexattr(&path, name);
	path_put(&path);
	return result;
}

/* A null path name is a fault, not a descriptor's. */
static int by_path(gaddr_t name, unsigned int walk_flags, struct xattr_target *target)
{
	*target = (struct xattr_target){LINUX_AT_FDCWD, name, walk_flags};
	return name ? 0 : -EFAULT;
}

static struct xattr_target by_descriptor(uint64_t fd)
{
	return (struct xattr_target){.dirfd = (int)fd};
}

/* The newer calls: AT_EMPTY_PATH with an empty or null name is the descriptor itself. */
static int by_at(
	struct task *task, uint64_t dirfd, gaddr_t name, int flags, struct xattr_target *target)
{
	char first = 0;

	if (flags & ~(LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_EMPTY_PATH))
		return -EINVAL;
	*target = (struct xattr_target){(int)dirfd, name,
		(flags & LINUX_AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
			(flags & LINUX_AT_EMPTY_PATH ? WALK_EMPTY : 0)};
	if (!name && !(flags & LINUX_AT_EMPTY_PATH))
		return -EFAULT;
	if (name && mm_copy_in(task->mm, &first, name, 1))
		return -EFAULT;
	if ((flags & LINUX_AT_EMPTY_PATH) && !first && (int)dirfd >= 0)
		target->name = 0;
	target->is_start = !name && (int)dirfd < 0;
	return 0;
}

int64_t sys_setxattr(struct task *task, const uint64_t args[6])
{
	struct xattr_target target;
	int result = by_path(args[0], WALK_FOLLOW, &target);

	return result ? result : do_set(task, &target, args[1], args[2], args[3], (int)args[4]);
}

int64_t sys_lsetxattr(struct task *task, const uint64_t args[6])
{
	struct xattr_target target;
	int result = by_path(args[0], 0, &target);

	return result ? result : do_set(task, &target, args[1], args[2], args[3], (int)args[4]);
}

int64_t sys_fsetxattr(struct task *task, const uint64_t args[6])
{
	struct xattr_target target = by_descriptor(args[0]);

	return do_set(task, &target, args[1], args[2], args[3], (int)args[4]);
}

int64_t sys_getxattr(struct task *task, const uint64_t args[6])
{
	struct xattr_target target;
	int result = by_path(args[0], WALK_FOLLOW, &target);

	return result ? result : do_get(task, &target, args[1], args[2], args[3]);
}

int64_t sys_lgetxattr(struct task *task, const uint64_t args[6])
{
	struct xattr_target target;
	int result = by_path(args[0], 0, &target);

	return result ? result : do_get(task, &target, args[1], args[2], args[3]);
}

int64_t sys_fgetxattr(struct task *task, const uint64_t args[6])
{
	struct xattr_target target = by_descriptor(args[0]);

	return do_get(task, &target, args[1], args[2], args[3]);
}

int64_t sys_listxattr(struct task *task, const uint64_t args[6])
{
	struct xattr_target target;
	int result = by_path(args[0], WALK_FOLLOW, &target);

	return result ? result : get_or_list(task, &target, NULL, args[1], args[2]);
}

int64_t sys_llistxattr(struct task *task, const uint64_t args[6])
{
	struct xattr_target target;
	int result = by_path(args[0], 0, &target);

	return result ? result : get_or_list(task, &target, NULL, args[1], args[2]);
}

int64_t sys_flistxattr(struct task *task, const uint64_t args[6])
{
	struct xattr_target target = by_descriptor(args[0]);

	return get_or_list(task, &target, NULL, args[1], args[2]);
}

int64_t sys_removexattr(struct task *task, const uint64_t args[6])
{
	struct xattr_target target;
	int result = by_path(args[0], WALK_FOLLOW, &target);

	return result ? result : do_remove(task, &target, args[1]);
}

int64_t sys_lremovexattr(struct task *task, const uint64_t args[6])
{
	struct xattr_target target;
	int result = by_path(args[0], 0, &target);

	return result ? result : do_remove(task, &target, args[1]);
}

int64_t sys_fremovexattr(struct task *task, const uint64_t args[6])
{
	struct xattr_target target = by_descriptor(args[0]);

	return do_remove(task, &target, args[1]);
}

static int copy_xattr_args(
	struct task *task, gaddr_t address, uint64_t size, struct linux_xattr_args *out)
{
	if (size < sizeof(*out))
		return -EINVAL;
	if (size > LINUX_PAGE_SIZE)
		return -E2BIG;
	for (uint64_t at = sizeof(*out); at < size; at++) {
		char byte;

		if (mm_copy_in(task->mm, &byte, address + at, 1))
			return -EFAULT;
		if (byte)
			return -E2BIG;
	}
	return mm_copy_in(task->mm, out, address, sizeof(*out));
}

int64_t sys_setxattrat(struct task *task, const uint64_t args[6])
{
	struct linux_xattr_args xattr;
	struct xattr_target target;
	int result = copy_xattr_args(task, args[4], args[5], &xattr);

	if (result == 0)
		result = by_at(task, args[0], args[1], (int)args[2], &target);
	return result ? result
		      : do_set(task, &target, args[3], xattr.value, xattr.size, (int)xattr.flags);
}

int64_t sys_getxattrat(struct task *task, const uint64_t args[6])
{
	struct linux_xattr_args xattr;
	struct xattr_target target;
	int result = copy_xattr_args(task, args[4], args[5], &xattr);

	if (result == 0 && xattr.flags)
		result = -EINVAL;
	if (result == 0)
		result = by_at(task, args[0], args[1], (int)args[2], &target);
	return result ? result : do_get(task, &target, args[3], xattr.value, xattr.size);
}

int64_t sys_listxattrat(struct task *task, const uint64_t args[6])
{
	struct xattr_target target;
	int result = by_at(task, args[0], args[1], (int)args[2], &target);

	return result ? result : get_or_list(task, &target, NULL, args[3], args[4]);
}

int64_t sys_removexattrat(struct task *task, const uint64_t args[6])
{
	struct xattr_target target;
	int result = by_at(task, args[0], args[1], (int)args[2], &target);

	return result ? result : do_remove(task, &target, args[3]);
}
