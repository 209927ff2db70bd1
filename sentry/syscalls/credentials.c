/* SPDX-License-Identifier: Apache-2.0 */
/* User and group ids, supplementary groups, capabilities: credentials(7), capget(2). */
#include "abi/capability.h"
#include "abi/limits.h"
#include "base/cleanup.h"
#include "sentry/kernel/capability.h"
#include "sentry/kernel/set_ids.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/user_namespace.h"
#include "sentry/syscalls/syscalls.h"

#include <errno.h>
#include <stdlib.h>

static uint32_t show_uid(uint32_t kuid)
{
	return user_namespace_show_uid(current_cred()->user_ns, kuid);
}

static uint32_t show_gid(uint32_t kgid)
{
	return user_namespace_show_gid(current_cred()->user_ns, kgid);
}

/* A uid of the caller's to a global one; all ones may mean "keep". False: it is not mapped. */
static bool take_uid(uint64_t argument, bool may_keep, uint32_t *kuid)
{
	if (may_keep && (uint32_t)argument == SET_ID_KEEP) {
		*kuid = SET_ID_KEEP;
		return true;
	}
	*kuid = user_namespace_make_uid(current_cred()->user_ns, (uint32_t)argument);
	return *kuid != UINT32_MAX;
}

static bool take_gid(uint64_t argument, bool may_keep, uint32_t *kgid)
{
	if (may_keep && (uint32_t)argument == SET_ID_KEEP) {
		*kgid = SET_ID_KEEP;
		return true;
	}
	*kgid = user_namespace_make_gid(current_cred()->user_ns, (uint32_t)argument);
	return *kgid != UINT32_MAX;
}

int64_t sys_getuid(struct task *task, const uint64_t args[6])
{
	return show_uid(task->cred->uid);
}

int64_t sys_geteuid(struct task *task, const uint64_t args[6])
{
	return show_uid(task->cred->euid);
}

int64_t sys_getgid(struct task *task, const uint64_t args[6])
{
	return show_gid(task->cred->gid);
}

int64_t sys_getegid(struct task *task, const uint64_t args[6])
{
	return show_gid(task->cred->egid);
}

static int64_t put_three_ids(struct task *task, const uint64_t args[6], const uint32_t ids[3])
{
	for (int i = 0; i < 3; i++) {
		if (mm_copy_out(task->mm, args[i], &ids[i], sizeof(ids[i])))
			return -EFAULT;
	}
	return 0;
}

int64_t sys_getresuid(struct task *task, const uint64_t args[6])
{
	const struct cred *cred = task->cred;
	const uint32_t ids[3] = {show_uid(cred->uid), show_uid(cred->euid), show_uid(cred->suid)};

	return put_three_ids(task, args, ids);
}

int64_t sys_getresgid(struct task *task, const uint64_t args[6])
{
	const struct cred *cred = task->cred;
	const uint32_t ids[3] = {show_gid(cred->gid), show_gid(cred->egid), show_gid(cred->sgid)};

	return put_three_ids(task, args, ids);
}

int64_t sys_setuid(struct task *task, const uint64_t args[6])
{
	uint32_t uid;

	return take_uid(args[0], false, &uid) ? set_uid(uid) : -EINVAL;
}

int64_t sys_setgid(struct task *task, const uint64_t args[6])
{
	uint32_t gid;

	return take_gid(args[0], false, &gid) ? set_gid(gid) : -EINVAL;
}

int64_t sys_setreuid(struct task *task, const uint64_t args[6])
{
	uint32_t ruid, euid;

	if (!take_uid(args[0], true, &ruid) || !take_uid(args[1], true, &euid))
		return -EINVAL;
	return set_reuid(ruid, euid);
}

int64_t sys_setregid(struct task *task, const uint64_t args[6])
{
	uint32_t rgid, egid;

	if (!take_gid(args[0], true, &rgid) || !take_gid(args[1], true, &egid))
		return -EINVAL;
	return set_regid(rgid, egid);
}

int64_t sys_setresuid(struct task *task, const uint64_t args[6])
{
	uint32_t ruid, euid, suid;

	if (!take_uid(args[0], true, &ruid) || !take_uid(args[1], true, &euid) ||
		!take_uid(args[2], true, &suid))
		return -EINVAL;
	return set_resuid(ruid, euid, suid);
}

int64_t sys_setresgid(struct task *task, const uint64_t args[6])
{
	uint32_t rgid, egid, sgid;

	if (!take_gid(args[0], true, &rgid) || !take_gid(args[1], true, &egid) ||
		!take_gid(args[2], true, &sgid))
		return -EINVAL;
	return set_resgid(rgid, egid, sgid);
}

int64_t sys_setfsuid(struct task *task, const uint64_t args[6])
{
	uint32_t old = show_uid(task->cred->fsuid), uid;

	if (take_uid(args[0], false, &uid))
		set_fsuid(uid);
	return old;
}

int64_t sys_setfsgid(struct task *task, const uint64_t args[6])
{
	uint32_t old = show_gid(task->cred->fsgid), gid;

	if (take_gid(args[0], false, &gid))
		set_fsgid(gid);
	return old;
}

int64_t sys_getgroups(struct task *task, const uint64_t args[6])
{
	int size = (int)args[0];
	const struct cred *cred = task->cred;
	auto_free uint32_t *shown = NULL;

	if (size < 0)
		return -EINVAL;
	if (size == 0 || cred->group_count == 0)
		return (int64_t)cred->group_count;
	if (cred->group_count > (size_t)size)
		return -EINVAL;
	shown = malloc(cred->group_count * sizeof(*shown));
	if (!shown)
		return -ENOMEM;
	for (size_t i = 0; i < cred->group_count; i++)
		shown[i] = show_gid(cred->groups[i]);
	if (mm_copy_out(task->mm, args[1], shown, cred->group_count * sizeof(*shown)))
		return -EFAULT;
	return (int64_t)cred->group_count;
}

int64_t sys_setgroups(struct task *task, const uint64_t args[6])
{
	uint32_t count = (uint32_t)args[0];
	auto_free uint32_t *groups = NULL;

	if (!capable(LINUX_CAP_SETGID) || !user_namespace_may_setgroups(task->cred->user_ns))
		return -EPERM;
	if (count > LINUX_NGROUPS_MAX)
		return -EINVAL;
	groups = malloc(count ? count * sizeof(*groups) : 1);
	if (!groups)
		return -ENOMEM;
	if (count && mm_copy_in(task->mm, groups, args[1], count * sizeof(*groups)))
		return -EFAULT;
	for (uint32_t i = 0; i < count; i++) {
		if (!take_gid(groups[i], false, &groups[i]))
			return -EINVAL;
	}
	return set_groups(groups, count);
}

/* --- capget(2), capset(2) --- */

/* How many 32-bit words a version of the header means; 0 for an unknown one, after writing the
 * known one back. */
static int capability_words(
	struct task *task, gaddr_t address, struct linux_cap_user_header *header)
{
	const uint32_t known = LINUX_CAPABILITY_VERSION_3;

	if (mm_copy_in(task->mm, header, address, sizeof(*header)))
		return -EFAULT;
	switch (header->version) {
	case LINUX_CAPABILITY_VERSION_1:
		return LINUX_CAPABILITY_U32S_1;
	case LINUX_CAPABILITY_VERSION_2:
	case LINUX_CAPABILITY_VERSION_3:
		return LINUX_CAPABILITY_U32S_3;
	default:
		return mm_copy_out(task->mm, address, &known, sizeof(known)) ? -EFAULT : 0;
	}
}

int64_t sys_capget(struct task *task, const uint64_t args[6])
{
	struct linux_cap_user_data data[2];
	struct linux_cap_user_header header;
	const struct cred *cred;
	struct task *target;
	int words = capability_words(task, args[0], &header);

	if (words < 0)
		return words;
	if (words == 0)
		return args[1] ? -EINVAL : 0;
	if (header.pid < 0)
		return -EINVAL;
	target = header.pid ? task_find(task, header.pid) : task_get(task);
	if (!target)
		return -ESRCH;
	cred = task_get_cred(target);
	for (int i = 0; i < 2; i++) {
		data[i] = (struct linux_cap_user_data){
			.effective = (uint32_t)(cred->cap_effective >> (32 * i)),
			.permitted = (uint32_t)(cred->cap_permitted >> (32 * i)),
			.inheritable = (uint32_t)(cred->cap_inheritable >> (32 * i)),
		};
	}
	cred_put(cred);
	task_put(target);
	if (!args[1])
		return 0;
	return mm_copy_out(task->mm, args[1], data, (size_t)words * sizeof(data[0]));
}

int64_t sys_capset(struct task *task, const uint64_t args[6])
{
	struct linux_cap_user_data data[2] = {0};
	struct linux_cap_user_header header;
	struct cred *cred;
	int words = capability_words(task, args[0], &header);
	int error;

	if (words <= 0)
		return words ? words : -EINVAL;
	if (header.pid != 0 && header.pid != task_tid(task))
		return -EPERM;
	if (mm_copy_in(task->mm, data, args[1], (size_t)words * sizeof(data[0])))
		return -EFAULT;
	error = cred_copy(task->cred, &cred);
	if (error)
		return error;
	error = capability_set(cred,
		(data[0].effective | (uint64_t)data[1].effective << 32) & LINUX_CAP_FULL_SET,
		(data[0].permitted | (uint64_t)data[1].permitted << 32) & LINUX_CAP_FULL_SET,
		(data[0].inheritable | (uint64_t)data[1].inheritable << 32) & LINUX_CAP_FULL_SET);
	if (error) {
		cred_put(cred);
		return error;
	}
	task_commit_cred(cred);
	return 0;
}
