/* SPDX-License-Identifier: Apache-2.0 */
/* The calls that work on mount descriptors: open_tree(2), move_mount(2), fsopen(2), fsconfig(2),
 * fsmount(2), fspick(2), mount_setattr(2), open_tree_attr(2). */
#include "abi/capability.h"
#include "abi/fcntl.h"
#include "abi/limits.h"
#include "abi/mount.h"
#include "sentry/kernel/credentials.h"
#include "sentry/kernel/task.h"
#include "sentry/security/landlock/landlock.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/vfs/mount_file.h"

#include <errno.h>
#include <string.h>

static bool may_mount(struct task *task)
{
	return cred_capable_in(task->cred, mount_namespace_current()->user_ns, LINUX_CAP_SYS_ADMIN);
}

static int64_t install(struct task *task, struct file *file, bool close_on_exec)
{
	int fd = fd_install(task->files, 0, file, close_on_exec);

	if (fd < 0)
		file_put(file);
	return fd;
}

static int lookup(
	struct task *task, int dirfd, gaddr_t address, unsigned int walk_flags, struct path *path)
{
	uninitialized_ char name[LINUX_PATH_MAX];
	int result = path_copy_in(task, address, name);

	return result ? result : path_lookup(dirfd, name, walk_flags, path);
}

/* MOUNT_ATTR_* to LINUX_MS_*; the access time bits are a number of their own. */
static int attributes_to_flags(uint64_t attributes, unsigned long *flags)
{
	static const struct {
		uint64_t attribute;
		unsigned long flag;
	} map[] = {
		{LINUX_MOUNT_ATTR_RDONLY, LINUX_MS_RDONLY},
		{LINUX_MOUNT_ATTR_NOSUID, LINUX_MS_NOSUID},
		{LINUX_MOUNT_ATTR_NODEV, LINUX_MS_NODEV},
		{LINUX_MOUNT_ATTR_NOEXEC, LINUX_MS_NOEXEC},
		{LINUX_MOUNT_ATTR_NODIRATIME, LINUX_MS_NODIRATIME},
		{LINUX_MOUNT_ATTR_NOSYMFOLLOW, LINUX_MS_NOSYMFOLLOW},
		{LINUX_MOUNT_ATTR_NOATIME, LINUX_MS_NOATIME},
		{LINUX_MOUNT_ATTR_STRICTATIME, LINUX_MS_STRICTATIME},
	};

	*flags = 0;
	if ((attributes & LINUX_MOUNT_ATTR__ATIME) ==
		(LINUX_MOUNT_ATTR_NOATIME | LINUX_MOUNT_ATTR_STRICTATIME))
		return -EINVAL;
	for (size_t i = 0; i < array_count(map); i++) {
		if (attributes & map[i].attribute)
			*flags |= map[i].flag;
		attributes &= ~map[i].attribute;
	}
	return attributes ? -EINVAL : 0;
}

static int clone_or_open(const struct path *path, unsigned int flags, struct file **out)
{
	if (flags & LINUX_OPEN_TREE_CLONE)
		return mount_file_clone(path, flags & LINUX_AT_RECURSIVE, out);
	return file_open_path(path, LINUX_O_PATH, current_cred(), out);
}

static int open_tree(struct task *task, const uint64_t args[6], struct file **out)
{
	const unsigned int known = LINUX_AT_EMPTY_PATH | LINUX_AT_NO_AUTOMOUNT |
				   LINUX_AT_RECURSIVE | LINUX_AT_SYMLINK_NOFOLLOW |
				   LINUX_OPEN_TREE_CLONE | LINUX_OPEN_TREE_CLOEXEC;
	unsigned int flags = (unsigned int)args[2];
	struct path path;
	int result;

	if (flags & ~known)
		return -EINVAL;
	if ((flags & (LINUX_AT_RECURSIVE | LINUX_OPEN_TREE_CLONE)) == LINUX_AT_RECURSIVE)
		return -EINVAL;
	if ((flags & LINUX_OPEN_TREE_CLONE) && !may_mount(task))
		return -EPERM;
	result = lookup(task, (int)args[0], args[1],
		(flags & LINUX_AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
			(flags & LINUX_AT_EMPTY_PATH ? WALK_EMPTY : 0),
		&path);
	if (result)
		return result;
	result = clone_or_open(&path, flags, out);
	path_put(&path);
	return result;
}

int64_t sys_open_tree(struct task *task, const uint64_t args[6])
{
	struct file *file;
	int result = open_tree(task, args, &file);

	return result ? result
		      : install(task, file, (unsigned int)args[2] & LINUX_OPEN_TREE_CLOEXEC);
}

int64_t sys_move_mount(struct task *task, const uint64_t args[6])
{
	unsigned int flags = (unsigned int)args[4];
	struct path from, to;
	int result;

	if (!may_mount(task))
		return -EPERM;
	if (flags & ~(unsigned int)(LINUX_MOVE_MOUNT__MASK | LINUX_MOVE_MOUNT_BENEATH))
		return -EINVAL;
	if (flags & (LINUX_MOVE_MOUNT_SET_GROUP | LINUX_MOVE_MOUNT_BENEATH))
		return -EOPNOTSUPP;
	result = lookup(task, (int)args[0], args[1],
		(flags & LINUX_MOVE_MOUNT_F_SYMLINKS ? WALK_FOLLOW : 0) |
			(flags & LINUX_MOVE_MOUNT_F_EMPTY_PATH ? WALK_EMPTY : 0),
		&from);
	if (result)
		return result;
	result = lookup(task, (int)args[2], args[3],
		(flags & LINUX_MOVE_MOUNT_T_SYMLINKS ? WALK_FOLLOW : 0) |
			(flags & LINUX_MOVE_MOUNT_T_EMPTY_PATH ? WALK_EMPTY : 0),
		&to);
	if (result == 0) {
		result = landlock_check_mounts();
		if (result == 0)
			result = mount_file_move(&from, &to);
		path_put(&to);
	}
	path_put(&from);
	return result;
}

static int copy_word(struct task *task, gaddr_t address, char *out, size_t size)
{
	int64_t length = mm_copy_in_string(task->mm, out, address, size);

	if (length == -ENAMETOOLONG)
		return -EINVAL;
	return length < 0 ? (int)length : 0;
}

int64_t sys_fsopen(struct task *task, const uint64_t args[6])
{
	unsigned int flags = (unsigned int)args[1];
	struct file *file;
	char type[256];
	int result;

	if (!may_mount(task))
		return -EPERM;
	if (flags & ~(unsigned int)LINUX_FSOPEN_CLOEXEC)
		return -EINVAL;
	result = copy_word(task, args[0], type, sizeof(type));
	if (result == 0)
		result = fs_context_open(type, &file);
	return result ? result : install(task, file, flags & LINUX_FSOPEN_CLOEXEC);
}

int64_t sys_fspick(struct task *task, const uint64_t args[6])
{
	const unsigned int known = LINUX_FSPICK_CLOEXEC | LINUX_FSPICK_SYMLINK_NOFOLLOW |
				   LINUX_FSPICK_NO_AUTOMOUNT | LINUX_FSPICK_EMPTY_PATH;
	unsigned int flags = (unsigned int)args[2];
	struct file *file;
	struct path path;
	int result;

	if (!may_mount(task))
		return -EPERM;
	if (flags & ~known)
		return -EINVAL;
	result = lookup(task, (int)args[0], args[1],
		(flags & LINUX_FSPICK_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
			(flags & LINUX_FSPICK_EMPTY_PATH ? WALK_EMPTY : 0),
		&path);
	if (result)
		return result;
	result = fs_context_pick(&path, &file);
	path_put(&path);
	return result ? result : install(task, file, flags & LINUX_FSPICK_CLOEXEC);
}

static int64_t set_string(
	struct task *task, struct file *file, gaddr_t key_address, gaddr_t value_address)
{
	char key[256], value[256];
	int result = copy_word(task, key_address, key, sizeof(key));

	if (result == 0 && value_address)
		result = copy_word(task, value_address, value, sizeof(value));
	return result ? result : fs_context_set(file, key, value_address ? value : NULL);
}

int64_t sys_fsconfig(struct task *task, const uint64_t args[6])
{
	auto_file struct file *file = (int)args[0] < 0 ? NULL : fd_get(task->files, (int)args[0]);
	gaddr_t key = args[2], value = args[3];
	int aux = (int)args[4];

	if ((int)args[0] < 0)
		return -EINVAL;
	if (!file)
		return -EBADF;
	if (!file_is_fs_context(file))
		return -EINVAL;
	switch ((unsigned int)args[1]) {
	case LINUX_FSCONFIG_SET_FLAG:
		return !key || value || aux ? -EINVAL : set_string(task, file, key, 0);
	case LINUX_FSCONFIG_SET_STRING:
		return !key || !value || aux ? -EINVAL : set_string(task, file, key, value);
	case LINUX_FSCONFIG_CMD_CREATE:
	case LINUX_FSCONFIG_CMD_CREATE_EXCL:
		return key || value || aux
			       ? -EINVAL
			       : fs_context_create(file,
					 (unsigned int)args[1] == LINUX_FSCONFIG_CMD_CREATE_EXCL);
	case LINUX_FSCONFIG_CMD_RECONFIGURE:
		return key || value || aux ? -EINVAL : fs_context_reconfigure(file);
	/* No file system here has a parameter that takes these. */
	case LINUX_FSCONFIG_SET_BINARY:
	case LINUX_FSCONFIG_SET_PATH:
	case LINUX_FSCONFIG_SET_PATH_EMPTY:
	case LINUX_FSCONFIG_SET_FD:
		return -EINVAL;
	default:
		return -EOPNOTSUPP;
	}
}

int64_t sys_fsmount(struct task *task, const uint64_t args[6])
{
	auto_file struct file *context = NULL;
	unsigned int flags = (unsigned int)args[1];
	unsigned long mount_flags;
	struct file *file;
	int result;

	if (!may_mount(task))
		return -EPERM;
	if (flags & ~(unsigned int)LINUX_FSMOUNT_CLOEXEC)
		return -EINVAL;
	result = attributes_to_flags((unsigned int)args[2], &mount_flags);
	if (result)
		return result;
	context = fd_get(task->files, (int)args[0]);
	if (!context)
		return -EBADF;
	if (!file_is_fs_context(context))
		return -EINVAL;
	result = fs_context_mount(context, mount_flags, &file);
	return result ? result : install(task, file, flags & LINUX_FSMOUNT_CLOEXEC);
}

/* What mount_setattr(2) asks for, checked as Linux's build_mount_kattr(). */
static int change_from_attr(const struct linux_mount_attr *attr, struct mount_change *change)
{
	const unsigned long types =
		LINUX_MS_UNBINDABLE | LINUX_MS_PRIVATE | LINUX_MS_SLAVE | LINUX_MS_SHARED;
	bool atime = (attr->attr_set | attr->attr_clr) & LINUX_MOUNT_ATTR__ATIME;
	int result;

	if ((attr->attr_set | attr->attr_clr) & LINUX_MOUNT_ATTR_IDMAP)
		return -EOPNOTSUPP;
	if (attr->propagation & ~types || attr->propagation & (attr->propagation - 1))
		return -EINVAL;
	/* The access time bits are one number: all of it is cleared, or nothing. */
	if (atime && (attr->attr_clr & LINUX_MOUNT_ATTR__ATIME) != LINUX_MOUNT_ATTR__ATIME)
		return -EINVAL;
	result = attributes_to_flags(attr->attr_set, &change->set);
	if (result == 0)
		result = attributes_to_flags(
			attr->attr_clr & ~(uint64_t)LINUX_MOUNT_ATTR__ATIME, &change->clear);
	if (attr->attr_clr & LINUX_MOUNT_ATTR__ATIME) {
		change->clear |= LINUX_MS_RELATIME | LINUX_MS_NOATIME;
		if (!(attr->attr_set & LINUX_MOUNT_ATTR__ATIME))
			change->set |= LINUX_MS_RELATIME;
	}
	change->set &= ~(unsigned long)LINUX_MS_STRICTATIME;
	change->propagation = attr->propagation;
	return result;
}

static int copy_attr(
	struct task *task, gaddr_t address, uint64_t size, struct linux_mount_attr *attr)
{
	if (size > LINUX_PAGE_SIZE)
		return -E2BIG;
	if (size < sizeof(*attr))
		return -EINVAL;
	for (uint64_t at = sizeof(*attr); at < size; at++) {
		char byte;

		if (mm_copy_in(task->mm, &byte, address + at, 1))
			return -EFAULT;
		if (byte)
			return -E2BIG;
	}
	return mm_copy_in(task->mm, attr, address, sizeof(*attr));
}

int64_t sys_mount_setattr(struct task *task, const uint64_t args[6])
{
	const unsigned int known = LINUX_AT_EMPTY_PATH | LINUX_AT_RECURSIVE |
				   LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_NO_AUTOMOUNT;
	unsigned int flags = (unsigned int)args[2];
	struct linux_mount_attr attr;
	struct mount_change change = {0};
	struct path path;
	int result;

	if (flags & ~known)
		return -EINVAL;
	result = copy_attr(task, args[3], args[4], &attr);
	if (result)
		return result;
	if (!may_mount(task))
		return -EPERM;
	if (!attr.attr_set && !attr.attr_clr && !attr.propagation)
		return 0;
	result = change_from_attr(&attr, &change);
	if (result == 0)
		result = lookup(task, (int)args[0], args[1],
			(flags & LINUX_AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
				(flags & LINUX_AT_EMPTY_PATH ? WALK_EMPTY : 0),
			&path);
	if (result)
		return result;
	result = mount_change(&path, &change, flags & LINUX_AT_RECURSIVE);
	path_put(&path);
	return result;
}

/* open_tree(2), and mount_setattr(2) on what it gives. */
int64_t sys_open_tree_attr(struct task *task, const uint64_t args[6])
{
	unsigned int flags = (unsigned int)args[2];
	struct mount_change change = {0};
	struct linux_mount_attr attr;
	struct file *file;
	int result;

	if (!args[3] && args[4])
		return -EINVAL;
	if (!args[3])
		return sys_open_tree(task, args);
	if (!may_mount(task))
		return -EPERM;
	result = copy_attr(task, args[3], args[4], &attr);
	if (result == 0)
		result = change_from_attr(&attr, &change);
	if (result == 0)
		result = open_tree(task, args, &file);
	if (result)
		return result;
	if (attr.attr_set || attr.attr_clr || attr.propagation)
		result = mount_change(&file->path, &change, flags & LINUX_AT_RECURSIVE);
	if (result) {
		file_put(file);
		return result;
	}
	return install(task, file, flags & LINUX_OPEN_TREE_CLOEXEC);
}
