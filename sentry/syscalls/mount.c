/* SPDX-License-Identifier: Apache-2.0 */
/* mount(2), umount2(2), pivot_root(2). The calls on mount descriptors are in mount_fd.c. */
#include "sentry/vfs/mount.h"

#include "abi/capability.h"
#include "abi/fcntl.h"
#include "abi/limits.h"
#include "abi/mount.h"
#include "abi/stat.h"
#include "sentry/kernel/credentials.h"
#include "sentry/kernel/task.h"
#include "sentry/security/landlock/landlock.h"
#include "sentry/syscalls/syscalls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONS_SIZE LINUX_PAGE_SIZE
#define PROPAGATION  (LINUX_MS_SHARED | LINUX_MS_PRIVATE | LINUX_MS_SLAVE | LINUX_MS_UNBINDABLE)

/* What mount(2) was given, copied in. */
struct mount_request {
	char source[LINUX_PATH_MAX], type[256], options[OPTIONS_SIZE];
	bool has_source, has_type, has_options;
};

static bool may_mount(struct task *task)
{
	return cred_capable_in(task->cred, mount_namespace_current()->user_ns, LINUX_CAP_SYS_ADMIN);
}

static int copy_text(struct task *task, gaddr_t address, char *out, size_t size, bool *present)
{
	int64_t length;

	*present = address != 0;
	out[0] = '\0';
	if (!address)
		return 0;
	length = mm_copy_in_string(task->mm, out, address, size);
	/* Longer than a page: as Linux's strndup_user(). */
	if (length == -ENAMETOOLONG)
		return -EINVAL;
	return length < 0 ? (int)length : 0;
}

/* Options are binary for some file systems: up to a page, as much as there is. */
static int copy_options(struct task *task, gaddr_t address, struct mount_request *request)
{
	size_t copied;

	request->has_options = address != 0;
	if (!address)
		return 0;
	copied = mm_copy_in_partial(task->mm, request->options, address, OPTIONS_SIZE - 1);
	request->options[copied] = '\0';
	return copied ? 0 : -EFAULT;
}

static int copy_request(struct task *task, const uint64_t args[6], struct mount_request **out)
{
	struct mount_request *request = malloc(sizeof(*request));
	int result;

	if (!request)
		return -ENOMEM;
	result = copy_text(task, args[2], request->type, sizeof(request->type), &request->has_type);
	if (result == 0)
		result = copy_text(task, args[0], request->source, sizeof(request->source),
			&request->has_source);
	if (result == 0)
		result = copy_options(task, args[4], request);
	if (result)
		free(request);
	else
		*out = request;
	return result;
}

static int bind_or_move(
	const struct mount_request *request, const struct path *where, unsigned long flags)
{
	struct path source;
	int result;

	if (!request->has_source || !request->source[0])
		return -EINVAL;
	result = path_lookup(LINUX_AT_FDCWD, request->source, WALK_FOLLOW, &source);
	if (result)
		return result;
	if (flags & LINUX_MS_BIND)
		result = mount_bind(&source, where, flags & LINUX_MS_REC, 0);
	else
		result = mount_move(&source, where);
	path_put(&source);
	return result;
}

static int change_type(const struct path *where, unsigned long flags)
{
	unsigned long type = flags & PROPAGATION;

	if (flags & ~(unsigned long)(PROPAGATION | LINUX_MS_REC | LINUX_MS_SILENT))
		return -EINVAL;
	if (type & (type - 1))
		return -EINVAL;
	return mount_set_propagation(where, type, flags & LINUX_MS_REC);
}

static int do_mount(
	const struct mount_request *request, const struct path *where, unsigned long flags)
{
	const char *options = request->has_options ? request->options : NULL;

	if (flags & LINUX_MS_REMOUNT)
		return mount_remount(where, flags, flags & LINUX_MS_BIND, options);
	if (flags & (LINUX_MS_BIND | LINUX_MS_MOVE)) {
		if ((flags & LINUX_MS_BIND) || !(flags & PROPAGATION))
			return bind_or_move(request, where, flags);
	}
	if (flags & PROPAGATION)
		return change_type(where, flags);
	if (!request->has_type)
		return -EINVAL;
	return mount_new_file_system(
		request->type, request->has_source ? request->source : NULL, flags, options, where);
}

int64_t sys_mount(struct task *task, const uint64_t args[6])
{
	unsigned long flags = args[3];
	struct mount_request *request;
	uninitialized_ char name[LINUX_PATH_MAX];
	struct path where;
	int result = copy_request(task, args, &request);

	if (result)
		return result;
	if ((flags & LINUX_MS_MGC_MSK) == LINUX_MS_MGC_VAL)
		flags &= ~(unsigned long)LINUX_MS_MGC_MSK;
	result = path_copy_in(task, args[1], name);
	if (result == 0)
		result = path_lookup(LINUX_AT_FDCWD, name, WALK_FOLLOW, &where);
	if (result == 0) {
		if (!may_mount(task) || landlock_check_mounts())
			result = -EPERM;
		else if (flags & LINUX_MS_NOUSER)
			result = -EINVAL;
		else
			result = do_mount(request, &where, flags);
		path_put(&where);
	}
	free(request);
	return result;
}

int64_t sys_umount2(struct task *task, const uint64_t args[6])
{
	int flags = (int)args[1];
	uninitialized_ char name[LINUX_PATH_MAX];
	struct path where;
	int result;

	if (flags &
		~(LINUX_MNT_FORCE | LINUX_MNT_DETACH | LINUX_MNT_EXPIRE | LINUX_UMOUNT_NOFOLLOW))
		return -EINVAL;
	result = path_copy_in(task, args[0], name);
	if (result == 0)
		result = path_lookup(LINUX_AT_FDCWD, name,
			flags & LINUX_UMOUNT_NOFOLLOW ? 0 : WALK_FOLLOW, &where);
	if (result)
		return result;
	/* "." is not looked up, so what is mounted on it was not met yet: pivot_root(".", "."). */
	path_cross_mounts(&where);
	if (!may_mount(task))
		result = -EPERM;
	else if ((flags & LINUX_MNT_EXPIRE) && (flags & (LINUX_MNT_FORCE | LINUX_MNT_DETACH)))
		result = -EINVAL;
	else
		result = mount_detach(&where, flags);
	path_put(&where);
	return result;
}

int64_t sys_pivot_root(struct task *task, const uint64_t args[6])
{
	char new_name[LINUX_PATH_MAX], old_name[LINUX_PATH_MAX];
	struct path new_root, put_old;
	int result;

	if (!may_mount(task))
		return -EPERM;
	result = path_copy_in(task, args[0], new_name);
	if (result == 0)
		result = path_copy_in(task, args[1], old_name);
	if (result == 0)
		result = path_lookup(
			LINUX_AT_FDCWD, new_name, WALK_FOLLOW | WALK_DIRECTORY, &new_root);
	if (result)
		return result;
	result = path_lookup(LINUX_AT_FDCWD, old_name, WALK_FOLLOW | WALK_DIRECTORY, &put_old);
	if (result == 0) {
		result = landlock_check_mounts();
		if (result == 0)
			result = mount_pivot_root(&new_root, &put_old);
		path_put(&put_old);
	}
	path_put(&new_root);
	return result;
}
