/* SPDX-License-Identifier: Apache-2.0 */
/*
 * landlock_create_ruleset(2), landlock_add_rule(2), landlock_restrict_self(2), as of Linux 6.15.
 *
 * There is no auditing, so the flags that say what it tells change nothing, as in a Linux without.
 */
#include "abi/landlock.h"

#include "abi/capability.h"
#include "abi/fcntl.h"
#include "abi/stat.h"
#include "sentry/kernel/credentials.h"
#include "sentry/kernel/task.h"
#include "sentry/security/landlock/landlock.h"
#include "sentry/syscalls/struct_in.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/vfs/fd_table.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/mount.h"
#include "sentry/vfs/permission.h"

#include <errno.h>

/* 7: with the flags of landlock_restrict_self(2). */
#define ABI_VERSION 7
/* What Linux mended after the fact: 1 (only TCP sockets), 2 (signals between threads), 3 (moved
 * directories of bind mounts). */
#define ERRATA 0x7

/* --- the file --- */

static int64_t ruleset_read(struct file *file, struct iov_iter *to, int64_t *position)
{
	return -EINVAL;
}

static int64_t ruleset_write(struct file *file, struct iov_iter *from, int64_t *position)
{
	return -EINVAL;
}

static void ruleset_release(struct file *file)
{
	landlock_ruleset_put(file->private);
}

static const struct file_operations ruleset_operations = {
	.read = ruleset_read,
	.write = ruleset_write,
	.release = ruleset_release,
	.name = "[landlock-ruleset]",
};

static int install_ruleset(struct task *task, struct landlock_ruleset *ruleset)
{
	struct file *file;
	int fd, error = file_new_anonymous(anon_inode_get(), &ruleset_operations,
			FILE_READ | FILE_WRITE | FILE_STREAM, LINUX_O_RDWR, ruleset,
			ruleset_operations.name, &file);

	if (error) {
		landlock_ruleset_put(ruleset);
		return error;
	}
	fd = fd_install(task->files, 0, file, true);
	if (fd < 0)
		file_put(file);
	return fd;
}

/* A reference in *out. */
static int ruleset_of(struct task *task, int fd, unsigned int mode, struct landlock_ruleset **out)
{
	auto_file struct file *file = fd_get(task->files, fd);

	if (!file)
		return -EBADF;
	if (file->ops != &ruleset_operations)
		return -EBADFD;
	if (!(file->mode & mode))
		return -EPERM;
	*out = landlock_ruleset_get(file->private);
	return 0;
}

/* --- the calls --- */

static int64_t about(uint64_t attr, uint64_t size, uint32_t flags)
{
	if (attr || size)
		return -EINVAL;
	switch (flags) {
	case LINUX_LANDLOCK_CREATE_RULESET_VERSION:
		return ABI_VERSION;
	case LINUX_LANDLOCK_CREATE_RULESET_ERRATA:
		return ERRATA;
	default:
		return -EINVAL;
	}
}

int64_t sys_landlock_create_ruleset(struct task *task, const uint64_t args[6])
{
	uint32_t flags = (uint32_t)args[2];
	struct linux_landlock_ruleset_attr attr;
	struct landlock_handled handled;
	struct landlock_ruleset *ruleset;
	int error;

	if (flags)
		return about(args[0], args[1], flags);
	if (!args[0])
		return -EFAULT;
	/* The first version had but the one field. */
	error = struct_in(
		task, &attr, sizeof(attr), args[0], args[1], sizeof(attr.handled_access_fs));
	if (error)
		return error;
	if ((attr.handled_access_fs & ~(uint64_t)LINUX_LANDLOCK_ACCESS_FS__MASK) ||
		(attr.handled_access_net & ~(uint64_t)LINUX_LANDLOCK_ACCESS_NET__MASK) ||
		(attr.scoped & ~(uint64_t)LINUX_LANDLOCK_SCOPE__MASK))
		return -EINVAL;
	handled = (struct landlock_handled){(uint16_t)attr.handled_access_fs,
		(uint16_t)attr.handled_access_net, (uint16_t)attr.scoped};
	if (!handled.fs && !handled.net && !handled.scope)
		return -ENOMSG;
	error = landlock_ruleset_new(&handled, &ruleset);
	return error ? error : install_ruleset(task, ruleset);
}

/* Only a file that has a place in some tree can have a rule. */
static bool has_place(const struct file *file)
{
	return file->path.dentry && file->path.mount != mount_nowhere() &&
	       !file->inode->sb->placeless && file->ops != &ruleset_operations;
}

static int add_inode(struct task *task, struct landlock_ruleset *ruleset, int fd, uint16_t access)
{
	const uint16_t of_files =
		LINUX_LANDLOCK_ACCESS_FS_EXECUTE | LINUX_LANDLOCK_ACCESS_FS_WRITE_FILE |
		LINUX_LANDLOCK_ACCESS_FS_READ_FILE | LINUX_LANDLOCK_ACCESS_FS_TRUNCATE |
		LINUX_LANDLOCK_ACCESS_FS_IOCTL_DEV;
	auto_file struct file *file = fd_get_path_too(task->files, fd);

	if (!file)
		return -EBADF;
	if (!has_place(file))
		return -EBADFD;
	if (!inode_is_type(file->inode, LINUX_S_IFDIR) && (access & ~of_files))
		return -EINVAL;
	return landlock_ruleset_add_inode(ruleset, file->inode, access);
}

static int add_path_beneath(struct task *task, struct landlock_ruleset *ruleset, gaddr_t address)
{
	struct linux_landlock_path_beneath_attr attr;

	if (mm_copy_in(task->mm, &attr, address, sizeof(attr)))
		return -EFAULT;
	if (!attr.allowed_access)
		return -ENOMSG;
	if (attr.allowed_access & ~(uint64_t)landlock_ruleset_handled(ruleset).fs)
		return -EINVAL;
	return add_inode(task, ruleset, attr.parent_fd, (uint16_t)attr.allowed_access);
}

static int add_net_port(struct task *task, struct landlock_ruleset *ruleset, gaddr_t address)
{
	struct linux_landlock_net_port_attr attr;

	if (mm_copy_in(task->mm, &attr, address, sizeof(attr)))
		return -EFAULT;
	if (!attr.allowed_access)
		return -ENOMSG;
	if (attr.allowed_access & ~(uint64_t)landlock_ruleset_handled(ruleset).net)
		return -EINVAL;
	if (attr.port > UINT16_MAX)
		return -EINVAL;
	return landlock_ruleset_add_port(
		ruleset, (uint16_t)attr.port, (uint16_t)attr.allowed_access);
}

int64_t sys_landlock_add_rule(struct task *task, const uint64_t args[6])
{
	struct landlock_ruleset *ruleset;
	int error;

	if ((uint32_t)args[3])
		return -EINVAL;
	error = ruleset_of(task, (int)args[0], FILE_WRITE, &ruleset);
	if (error)
		return error;
	switch ((uint32_t)args[1]) {
	case LINUX_LANDLOCK_RULE_PATH_BENEATH:
		error = add_path_beneath(task, ruleset, args[2]);
		break;
	case LINUX_LANDLOCK_RULE_NET_PORT:
		error = add_net_port(task, ruleset, args[2]);
		break;
	default:
		error = -EINVAL;
		break;
	}
	landlock_ruleset_put(ruleset);
	return error;
}

static int restrict_to(struct task *task, struct landlock_ruleset *ruleset)
{
	struct landlock_domain *domain;
	struct cred *cred;
	int error = landlock_domain_new(task->cred->landlock, ruleset, &domain);

	if (error)
		return error;
	error = cred_copy(task->cred, &cred);
	if (error) {
		landlock_domain_put(domain);
		return error;
	}
	landlock_domain_put(cred->landlock);
	cred->landlock = domain;
	task_commit_cred(cred);
	return 0;
}

int64_t sys_landlock_restrict_self(struct task *task, const uint64_t args[6])
{
	int fd = (int)args[0], error;
	uint32_t flags = (uint32_t)args[1];
	struct landlock_ruleset *ruleset;

	if (!task->no_new_privs &&
		!cred_capable_in(task->cred, task->cred->user_ns, LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & ~(uint32_t)LINUX_LANDLOCK_RESTRICT_SELF__MASK)
		return -EINVAL;
	/* What is told of domains to come needs none of its own. */
	if (fd == -1 && flags == LINUX_LANDLOCK_RESTRICT_SELF_LOG_SUBDOMAINS_OFF)
		return 0;
	error = ruleset_of(task, fd, FILE_READ, &ruleset);
	if (error)
		return error;
	error = restrict_to(task, ruleset);
	landlock_ruleset_put(ruleset);
	return error;
}
