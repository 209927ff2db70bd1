/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statmount(2), listmount(2).
 *
 * Differs from Linux: only the caller's own mount namespace can be asked.
 */
#include "abi/capability.h"
#include "abi/limits.h"
#include "abi/mount.h"
#include "sentry/kernel/credentials.h"
#include "sentry/kernel/task.h"
#include "sentry/syscalls/struct_in.h"
#include "sentry/syscalls/syscalls.h"
#include "sentry/vfs/mount_stat.h"

#include <errno.h>
#include <stdlib.h>

#define LIST_MAX 1000000 /* as Linux */

static int request_in(struct task *task, gaddr_t address, struct linux_mnt_id_req *request)
{
	uint32_t size;
	int result;

	if (mm_copy_in(task->mm, &size, address, sizeof(size)))
		return -EFAULT;
	result = struct_in(
		task, request, sizeof(*request), address, size, LINUX_MNT_ID_REQ_SIZE_VER0);
	if (result)
		return result;
	if (request->spare || request->mnt_id <= LINUX_MNT_UNIQUE_ID_OFFSET)
		return -EINVAL;
	if (request->mnt_ns_id && request->mnt_ns_id != mount_namespace_current()->ino)
		return -ENOENT;
	return 0;
}

static bool is_privileged(struct task *task)
{
	return cred_capable_in(task->cred, mount_namespace_current()->user_ns, LINUX_CAP_SYS_ADMIN);
}

static bool is_user_range(gaddr_t address, uint64_t size)
{
	return address <= LINUX_TASK_SIZE && size <= LINUX_TASK_SIZE - address;
}

static int64_t result_out(struct task *task, gaddr_t address, uint64_t size,
	struct linux_statmount *stat, const struct text_writer *strings)
{
	if (strings->size && sizeof(*stat) + strings->size > size)
		return -EOVERFLOW;
	size = min_u64(size, sizeof(*stat));
	stat->size = (uint32_t)(size + strings->size);
	if (mm_copy_out(task->mm, address, stat, size))
		return -EFAULT;
	return mm_copy_out(task->mm, address + sizeof(*stat), strings->text, strings->size);
}

int64_t sys_statmount(struct task *task, const uint64_t args[6])
{
	struct linux_mnt_id_req request;
	struct text_writer strings = {0};
	struct linux_statmount stat;
	struct path root;
	int64_t result;

	if ((unsigned int)args[3])
		return -EINVAL;
	result = request_in(task, args[0], &request);
	if (result)
		return result;
	if (!is_user_range(args[1], args[2]))
		return -EFAULT;
	fs_struct_root(task->fs, &root);
	result = mount_stat(mount_namespace_current(), &root, request.mnt_id, request.param,
		is_privileged(task), &stat, &strings);
	path_put(&root);
	if (result == 0)
		result = result_out(task, args[1], args[2], &stat, &strings);
	text_writer_free(&strings);
	return result;
}

static int64_t list(struct task *task, const struct linux_mnt_id_req *request, gaddr_t address,
	size_t count, bool reverse)
{
	struct mount_namespace *ns = mount_namespace_current();
	struct path root;
	uint64_t *ids;
	ssize_t found;

	/* More than there are is not wanted; new ones may come meanwhile. */
	count = (size_t)min_u64(count, ns->count + 64ul);
	ids = calloc(count + 1, sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	fs_struct_root(task->fs, &root);
	found = mount_list_ids(ns, &root, request->mnt_id, request->param, reverse,
		is_privileged(task), ids, count);
	path_put(&root);
	if (found > 0 && mm_copy_out(task->mm, address, ids, (size_t)found * sizeof(*ids)))
		found = -EFAULT;
	free(ids);
	return found;
}

int64_t sys_listmount(struct task *task, const uint64_t args[6])
{
	unsigned int flags = (unsigned int)args[3];
	struct linux_mnt_id_req request;
	int result;

	if (flags & ~(unsigned int)LINUX_LISTMOUNT_REVERSE)
		return -EINVAL;
	if (args[2] > LIST_MAX)
		return -EOVERFLOW;
	if (!is_user_range(args[1], args[2] * sizeof(uint64_t)))
		return -EFAULT;
	result = request_in(task, args[0], &request);
	if (result)
		return result;
	if (request.param && request.param <= LINUX_MNT_UNIQUE_ID_OFFSET)
		return -EINVAL;
	return list(task, &request, args[1], args[2], flags & LINUX_LISTMOUNT_REVERSE);
}
