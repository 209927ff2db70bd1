/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lsm_list_modules(2), lsm_get_self_attr(2), lsm_set_self_attr(2): which security modules there
 * are. None of them labels processes, so that attributes are checked and then not supported.
 */
#include "abi/lsm.h"
#include "abi/limits.h"
#include "sentry/kernel/task.h"
#include "sentry/syscalls/struct_in.h"
#include "sentry/syscalls/syscalls.h"

#include <errno.h>

int64_t sys_lsm_list_modules(struct task *task, const uint64_t args[6])
{
	static const uint64_t modules[] = {LINUX_LSM_ID_CAPABILITY, LINUX_LSM_ID_LANDLOCK};
	uint32_t room, size = sizeof(modules);

	if (args[2])
		return -EINVAL;
	if (mm_copy_in(task->mm, &room, args[1], sizeof(room)) ||
		mm_copy_out(task->mm, args[1], &size, sizeof(size)))
		return -EFAULT;
	if (room < size)
		return -E2BIG;
	return mm_copy_out(task->mm, args[0], modules, sizeof(modules))
		       ? -EFAULT
		       : (int64_t)array_count(modules);
}

/* LSM_FLAG_SINGLE: of the module that the first context names. */
static int check_single(struct task *task, gaddr_t context, uint32_t room)
{
	struct linux_lsm_ctx wanted;
	int error;

	if (!context)
		return -EINVAL;
	error = struct_in(task, &wanted, sizeof(wanted), context, room, 0);
	if (error)
		return error;
	return wanted.id == LINUX_LSM_ID_UNDEF ? -EINVAL : 0;
}

int64_t sys_lsm_get_self_attr(struct task *task, const uint64_t args[6])
{
	uint32_t flags = (uint32_t)args[3], room, size = 0;
	int error;

	if ((uint32_t)args[0] == LINUX_LSM_ATTR_UNDEF || !args[2])
		return -EINVAL;
	if (mm_copy_in(task->mm, &room, args[2], sizeof(room)))
		return -EFAULT;
	if (flags) {
		if (flags != LINUX_LSM_FLAG_SINGLE)
			return -EINVAL;
		error = check_single(task, args[1], room);
		if (error)
			return error;
	}
	return mm_copy_out(task->mm, args[2], &size, sizeof(size)) ? -EFAULT : -EOPNOTSUPP;
}

int64_t sys_lsm_set_self_attr(struct task *task, const uint64_t args[6])
{
	uint32_t size = (uint32_t)args[2];
	struct linux_lsm_ctx context;
	uint64_t wanted;

	if (args[3] || size < sizeof(context))
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	if (mm_copy_in(task->mm, &context, args[1], sizeof(context)))
		return -EFAULT;
	if (context.len > size ||
		__builtin_add_overflow(sizeof(context), context.ctx_len, &wanted) ||
		context.len < wanted)
		return -EINVAL;
	return -EOPNOTSUPP;
}
