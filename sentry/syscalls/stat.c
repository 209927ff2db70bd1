/* SPDX-License-Identifier: Apache-2.0 */
/* stat(2) and statx(2), access(2), readlink(2), statfs(2), ustat(2). */
#include "abi/stat.h"
#include "abi/capability.h"
#include "abi/fcntl.h"
#include "abi/limits.h"
#include "abi/mount.h"
#include "abi/prctl.h"
#include "sentry/kernel/credentials.h"
#include "sentry/kernel/task.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/vfs/permission.h"
#include "sentry/vfs/stat.h"
#include "sentry/vfs/super_block.h"
#include "sentry/vfs/walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int stat_out(struct task *task, struct inode *inode, gaddr_t address)
{
	struct linux_stat stat;
	int result = inode_stat(inode, &stat);

	return result ? result : mm_copy_out(task->mm, address, &stat, sizeof(stat));
}

static int64_t stat_path(
	struct task *task, int dirfd, gaddr_t address, unsigned int flags, gaddr_t out)
{
	uninitialized_ char name[LINUX_PATH_MAX];
	struct path path;
	int result = 0;

	/* A null pointer is an empty name where that may be one. */
	name[0] = '\0';
	if (address || !(flags & WALK_EMPTY))
		result = path_copy_in(task, address, name);
	if (result == 0)
		result = path_lookup(dirfd, name, flags, &path);
	if (result)
		return result;
	result = stat_out(task, path_inode(&path), out);
	path_put(&path);
	return result;
}

int64_t sys_stat(struct task *task, const uint64_t args[6])
{
	return stat_path(task, LINUX_AT_FDCWD, args[0], WALK_FOLLOW, args[1]);
}

int64_t sys_lstat(struct task *task, const uint64_t args[6])
{
	return stat_path(task, LINUX_AT_FDCWD, args[0], 0, args[1]);
}

static int64_t stat_descriptor(struct task *task, int fd, gaddr_t out)
{
	auto_file struct file *file = fd_get_path_too(task->files, fd);

	return file ? stat_out(task, file->inode, out) : -EBADF;
}

int64_t sys_fstat(struct task *task, const uint64_t args[6])
{
	return stat_descriptor(task, (int)args[0], args[1]);
}

/* Is the name empty? With AT_EMPTY_PATH a null pointer means the same (Linux 6.11). */
static bool names_nothing(struct task *task, gaddr_t address)
{
	char first;

	return !address || (mm_copy_in(task->mm, &first, address, 1) == 0 && !first);
}

static unsigned int at_to_walk_flags(int flags)
{
	return (flags & LINUX_AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW) |
	       (flags & LINUX_AT_EMPTY_PATH ? WALK_EMPTY : 0);
}

int64_t sys_newfstatat(struct task *task, const uint64_t args[6])
{
	int dirfd = (int)args[0], flags = (int)args[3];

	/* What fstat() of glibc comes down to: no other flag is looked at. */
	if ((flags & LINUX_AT_EMPTY_PATH) && dirfd >= 0 && names_nothing(task, args[1]))
		return stat_descriptor(task, dirfd, args[2]);
	if (flags & ~(LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_NO_AUTOMOUNT | LINUX_AT_EMPTY_PATH |
			    LINUX_AT_STATX_SYNC_TYPE))
		return -EINVAL;
	return stat_path(task, dirfd, args[1], at_to_walk_flags(flags), args[2]);
}

static int statx_out(
	struct task *task, const struct path *path, struct inode *inode, const uint64_t args[6])
{
	bool dont_sync = ((int)args[2] & LINUX_AT_STATX_SYNC_TYPE) == LINUX_AT_STATX_DONT_SYNC;
	struct linux_statx statx;
	int result = inode_statx(inode, path->mount, path->dentry == path->mount->root,
		(uint32_t)args[3], dont_sync, &statx);

	return result ? result : mm_copy_out(task->mm, args[4], &statx, sizeof(statx));
}

int64_t sys_statx(struct task *task, const uint64_t args[6])
{
	int dirfd = (int)args[0], flags = (int)args[2], result;
	uninitialized_ char name[LINUX_PATH_MAX];
	struct path path;

	if ((uint32_t)args[3] & 0x80000000u)
		return -EINVAL;
	if (flags & ~(LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_NO_AUTOMOUNT | LINUX_AT_EMPTY_PATH |
			    LINUX_AT_STATX_SYNC_TYPE))
		return -EINVAL;
	if ((flags & LINUX_AT_STATX_SYNC_TYPE) == LINUX_AT_STATX_SYNC_TYPE)
		return -EINVAL;
	if ((flags & LINUX_AT_EMPTY_PATH) && dirfd >= 0 && names_nothing(task, args[1])) {
		auto_file struct file *file = fd_get_path_too(task->files, dirfd);

		return file ? statx_out(task, &file->path, file->inode, args) : -EBADF;
	}
	name[0] = '\0';
	result = (flags & LINUX_AT_EMPTY_PATH) && !args[1] ? 0 : path_copy_in(task, args[1], name);
	if (result == 0)
		result = path_lookup(dirfd, name, at_to_walk_flags(flags), &path);
	if (result)
		return result;
	result = statx_out(task, &path, path_inode(&path), args);
	path_put(&path);
	return result;
}

/* access(2) asks for the real ids: credentials in which those are the effective ones. NULL: they
 * are already. */
static int real_credentials(struct task *task, struct cred **out)
{
	const struct cred *cred = task->cred;
	bool root = cred->uid == user_namespace_make_uid(cred->user_ns, 0);
	struct cred *copy;
	int result;

	*out = NULL;
	if (cred->fsuid == cred->uid && cred->fsgid == cred->gid &&
		(root ? cred->cap_effective == cred->cap_permitted : !cred->cap_effective))
		return 0;
	result = cred_copy(cred, &copy);
	if (result)
		return result;
	copy->fsuid = copy->uid;
	copy->fsgid = copy->gid;
	if (!(copy->securebits & LINUX_SECBIT_NO_SETUID_FIXUP))
		copy->cap_effective = root ? copy->cap_permitted : 0;
	*out = copy;
	return 0;
}

static int check_access(const struct path *path, const struct cred *cred, unsigned int mode)
{
	struct inode *inode = path_inode(path);
	int result;

	if ((mode & LINUX_X_OK) && inode_is_type(inode, LINUX_S_IFREG) &&
		(path->mount->flags & LINUX_MS_NOEXEC))
		return -EACCES;
	result = inode_permission(inode, cred, mode);
	if (result || !(mode & LINUX_W_OK))
		return result;
	switch (inode->attributes.mode & LINUX_S_IFMT) {
	case LINUX_S_IFREG:
	case LINUX_S_IFDIR:
	case LINUX_S_IFLNK:
		return path->mount->flags & LINUX_MS_RDONLY ? -EROFS : 0;
	default:
		return 0;
	}
}

static int64_t do_access(
	struct task *task, int dirfd, gaddr_t address, unsigned int mode, int flags)
{
	uninitialized_ char name[LINUX_PATH_MAX];
	struct cred *real = NULL;
	const struct cred *cred;
	struct path path;
	int result;

	if (mode & ~7u)
		return -EINVAL;
	if (flags & ~(LINUX_AT_EACCESS | LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_EMPTY_PATH))
		return -EINVAL;
	result = path_copy_in(task, address, name);
	if (result == 0 && !(flags & LINUX_AT_EACCESS))
		result = real_credentials(task, &real);
	if (result)
		return result;
	cred = real ? real : task->cred;
	result = path_lookup_as(dirfd, name, at_to_walk_flags(flags), cred, &path);
	if (result == 0) {
		result = check_access(&path, cred, mode);
		path_put(&path);
	}
	if (real)
		cred_put(real);
	return result;
}

int64_t sys_access(struct task *task, const uint64_t args[6])
{
	return do_access(task, LINUX_AT_FDCWD, args[0], (unsigned int)args[1], 0);
}

int64_t sys_faccessat(struct task *task, const uint64_t args[6])
{
	return do_access(task, (int)args[0], args[1], (unsigned int)args[2], 0);
}

int64_t sys_faccessat2(struct task *task, const uint64_t args[6])
{
	return do_access(task, (int)args[0], args[1], (unsigned int)args[2], (int)args[3]);
}

static char *current_root_name(const struct path *path, char *buffer, size_t size)
{
	struct path root;
	char *name;

	fs_struct_root(current->fs, &root);
	name = path_name(path, &root, buffer, size);
	path_put(&root);
	return name;
}

/* What /proc's magic links say is where they lead, unless their file system says it better. */
static int64_t read_link(struct inode *inode, char *buffer, size_t size, const char **text)
{
	*text = atomic_load(&inode->link);
	if (*text)
		return (int64_t)strlen(*text);
	if (inode->ops->readlink) {
		*text = buffer;
		return inode->ops->readlink(inode, buffer, size);
	}
	if (inode->ops->follow) {
		struct path path;
		int result = inode->ops->follow(inode, &path);

		if (result)
			return result;
		*text = current_root_name(&path, buffer, size);
		path_put(&path);
		return *text ? (int64_t)strlen(*text) : -ENAMETOOLONG;
	}
	return -EINVAL;
}

static int64_t readlink_path(
	struct task *task, const struct path *path, gaddr_t out, int size, bool empty)
{
	struct inode *inode = path_inode(path);
	uninitialized_ char buffer[LINUX_PATH_MAX];
	const char *text;
	int64_t length;

	if (!inode_is_type(inode, LINUX_S_IFLNK))
		return empty ? -ENOENT : -EINVAL;
	length = read_link(inode, buffer, sizeof(buffer), &text);
	if (length < 0)
		return length;
	if (!(path->mount->flags & (LINUX_MS_NOATIME | LINUX_MS_RDONLY)))
		inode_touch_atime(inode);
	if (length > size)
		length = size;
	return mm_copy_out(task->mm, out, text, (size_t)length) ? -EFAULT : length;
}

static int64_t do_readlink(struct task *task, int dirfd, gaddr_t address, gaddr_t out, int size)
{
	uninitialized_ char name[LINUX_PATH_MAX];
	struct path path;
	int64_t result;

	if (size <= 0)
		return -EINVAL;
	result = path_copy_in(task, address, name);
	if (result == 0)
		result = path_lookup(dirfd, name, WALK_EMPTY, &path);
	if (result)
		return result;
	/* An empty name is for a symlink that was opened with O_PATH. */
	if (!*name && dirfd == LINUX_AT_FDCWD)
		result = -ENOENT;
	else
		result = readlink_path(task, &path, out, size, !*name);
	path_put(&path);
	return result;
}

int64_t sys_readlink(struct task *task, const uint64_t args[6])
{
	return do_readlink(task, LINUX_AT_FDCWD, args[0], args[1], (int)args[2]);
}

int64_t sys_readlinkat(struct task *task, const uint64_t args[6])
{
	return do_readlink(task, (int)args[0], args[1], args[2], (int)args[3]);
}

static int statfs_out(
	struct task *task, struct inode *inode, const struct mount *mount, gaddr_t address)
{
	struct linux_statfs statfs;
	int result = inode_statfs(inode, mount, &statfs);

	return result ? result : mm_copy_out(task->mm, address, &statfs, sizeof(statfs));
}

int64_t sys_statfs(struct task *task, const uint64_t args[6])
{
	uninitialized_ char name[LINUX_PATH_MAX];
	struct path path;
	int result = path_copy_in(task, args[0], name);

	if (result == 0)
		result = path_lookup(LINUX_AT_FDCWD, name, WALK_FOLLOW, &path);
	if (result)
		return result;
	result = statfs_out(task, path_inode(&path), path.mount, args[1]);
	path_put(&path);
	return result;
}

int64_t sys_fstatfs(struct task *task, const uint64_t args[6])
{
	auto_file struct file *file = fd_get_path_too(task->files, (int)args[0]);

	return file ? statfs_out(task, file->inode, file->path.mount, args[1]) : -EBADF;
}

int64_t sys_ustat(struct task *task, const uint64_t args[6])
{
	struct super_block *sb = super_block_find((uint32_t)args[0]);
	struct linux_statfs statfs;
	struct linux_ustat ustat;
	int result;

	if (!sb)
		return -EINVAL;
	result = inode_statfs(sb->root->inode, NULL, &statfs);
	super_block_put(sb);
	if (result)
		return result;
	memset(&ustat, 0, sizeof(ustat));
	ustat.f_tfree = (int32_t)statfs.f_bfree;
	ustat.f_tinode = (uint64_t)statfs.f_ffree;
	return mm_copy_out(task->mm, args[1], &ustat, sizeof(ustat));
}
