/* SPDX-License-Identifier: Apache-2.0 */
/* prctl(2) on credentials: capability sets, securebits, no_new_privs. */
#include "sentry/syscalls/prctl.h"

#include "abi/capability.h"
#include "abi/prctl.h"
#include "sentry/kernel/capability.h"

#include <errno.h>

/* A copy with other securebits. */
static int64_t commit_securebits(struct task *task, uint32_t securebits)
{
	struct cred *cred;
	int error = cred_copy(task->cred, &cred);

	if (error)
		return error;
	cred->securebits = securebits;
	task_commit_cred(cred);
	return 0;
}

static int64_t set_securebits(struct task *task, uint64_t wanted)
{
	uint32_t old = task->cred->securebits;

	/* What is locked stays, the locks too, and there are no others. */
	if (((old & LINUX_SECURE_ALL_LOCKS) >> 1 & (old ^ wanted)) ||
		(old & LINUX_SECURE_ALL_LOCKS & ~wanted) ||
		(wanted & ~(uint64_t)(LINUX_SECURE_ALL_LOCKS | LINUX_SECURE_ALL_BITS)) ||
		!capable(LINUX_CAP_SETPCAP))
		return -EPERM;
	return commit_securebits(task, (uint32_t)wanted);
}

static int64_t set_keep_caps(struct task *task, uint64_t wanted)
{
	uint32_t old = task->cred->securebits;

	if (wanted > 1)
		return -EINVAL;
	if (old & LINUX_SECBIT_KEEP_CAPS_LOCKED)
		return -EPERM;
	return commit_securebits(task,
		wanted ? old | LINUX_SECBIT_KEEP_CAPS : old & ~(uint32_t)LINUX_SECBIT_KEEP_CAPS);
}

static int64_t drop_bounding(struct task *task, uint64_t capability)
{
	struct cred *cred;
	int error;

	if (!capable(LINUX_CAP_SETPCAP))
		return -EPERM;
	if (capability > LINUX_CAP_LAST_CAP)
		return -EINVAL;
	error = cred_copy(task->cred, &cred);
	if (error)
		return error;
	cred->cap_bounding &= ~LINUX_CAP_MASK(capability);
	task_commit_cred(cred);
	return 0;
}

static int64_t commit_ambient(struct task *task, uint64_t ambient)
{
	struct cred *cred;
	int error = cred_copy(task->cred, &cred);

	if (error)
		return error;
	cred->cap_ambient = ambient;
	task_commit_cred(cred);
	return 0;
}

static int64_t ambient(struct task *task, const uint64_t args[6])
{
	const struct cred *cred = task->cred;
	uint64_t operation = args[1], capability = args[2], bit;

	if (operation == LINUX_PR_CAP_AMBIENT_CLEAR_ALL)
		return args[2] || args[3] || args[4] ? -EINVAL : commit_ambient(task, 0);
	if (capability > LINUX_CAP_LAST_CAP || args[3] || args[4])
		return -EINVAL;
	bit = LINUX_CAP_MASK(capability);
	switch (operation) {
	case LINUX_PR_CAP_AMBIENT_IS_SET:
		return !!(cred->cap_ambient & bit);
	case LINUX_PR_CAP_AMBIENT_RAISE:
		if (!(cred->cap_permitted & cred->cap_inheritable & bit) ||
			securebit(cred, LINUX_SECURE_NO_CAP_AMBIENT_RAISE))
			return -EPERM;
		return commit_ambient(task, cred->cap_ambient | bit);
	case LINUX_PR_CAP_AMBIENT_LOWER:
		return commit_ambient(task, cred->cap_ambient & ~bit);
	default:
		return -EINVAL;
	}
}

static int64_t set_no_new_privs(struct task *task, const uint64_t args[6])
{
	if (args[1] != 1 || args[2] || args[3] || args[4])
		return -EINVAL;
	task->no_new_privs = true;
	return 0;
}

int64_t prctl_credentials(struct task *task, const uint64_t args[6], bool *known)
{
	*known = true;
	switch ((int)args[0]) {
	case LINUX_PR_GET_KEEPCAPS:
		return securebit(task->cred, LINUX_SECURE_KEEP_CAPS);
	case LINUX_PR_SET_KEEPCAPS:
		return set_keep_caps(task, args[1]);
	case LINUX_PR_GET_SECUREBITS:
		return task->cred->securebits;
	case LINUX_PR_SET_SECUREBITS:
		return set_securebits(task, args[1]);
	case LINUX_PR_CAPBSET_READ:
		if (args[1] > LINUX_CAP_LAST_CAP)
			return -EINVAL;
		return task->cred->cap_bounding >> args[1] & 1;
	case LINUX_PR_CAPBSET_DROP:
		return drop_bounding(task, args[1]);
	case LINUX_PR_CAP_AMBIENT:
		return ambient(task, args);
	case LINUX_PR_SET_NO_NEW_PRIVS:
		return set_no_new_privs(task, args);
	case LINUX_PR_GET_NO_NEW_PRIVS:
		return args[1] || args[2] || args[3] || args[4] ? -EINVAL : task->no_new_privs;
	default:
		*known = false;
		return -EINVAL;
	}
}
