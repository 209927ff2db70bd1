/* SPDX-License-Identifier: Apache-2.0 */
/* setuid(2), setresuid(2) and their kin: which ids a task may take, and what follows for its
 * capabilities. */
#include "sentry/kernel/set_ids.h"

#include "abi/capability.h"
#include "abi/resource.h"
#include "sentry/kernel/capability.h"
#include "sentry/kernel/rlimit.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/user_count.h"

#include <errno.h>
#include <stdbool.h>

/* A program that does not look at what setuid(2) returns must not go on as root: so that succeeds,
 * and execve fails. */
static void check_nproc(const struct cred *cred)
{
	if (cred->uid != current->cred->uid)
		current->nproc_exceeded =
			cred->uid != 0 && user_count_of(USER_TASKS, cred->uid) >
						  rlimit_of(current->group, LINUX_RLIMIT_NPROC);
}

static int commit_uids(struct cred *cred)
{
	check_nproc(cred);
	capability_fix_setuid(cred, current_cred());
	task_commit_cred(cred);
	return 0;
}

int set_uid(uint32_t uid)
{
	const struct cred *old = current_cred();
	bool privileged = capable(LINUX_CAP_SETUID);
	struct cred *cred;
	int error;

	if (!privileged && uid != old->uid && uid != old->suid)
		return -EPERM;
	error = cred_copy(old, &cred);
	if (error)
		return error;
	if (privileged)
		cred->uid = cred->suid = uid;
	cred->euid = cred->fsuid = uid;
	return commit_uids(cred);
}

int set_gid(uint32_t gid)
{
	const struct cred *old = current_cred();
	bool privileged = capable(LINUX_CAP_SETGID);
	struct cred *cred;
	int error;

	if (!privileged && gid != old->gid && gid != old->sgid)
		return -EPERM;
	error = cred_copy(old, &cred);
	if (error)
		return error;
	if (privileged)
		cred->gid = cred->sgid = gid;
	cred->egid = cred->fsgid = gid;
	task_commit_cred(cred);
	return 0;
}

/* May an id be taken without privilege: is it kept, or one of these? */
static bool one_of(uint32_t id, uint32_t a, uint32_t b, uint32_t c)
{
	return id == SET_ID_KEEP || id == a || id == b || id == c;
}

int set_reuid(uint32_t ruid, uint32_t euid)
{
	const struct cred *old = current_cred();
	struct cred *cred;
	int error;

	if (!(one_of(ruid, old->uid, old->euid, old->euid) &&
		    one_of(euid, old->uid, old->euid, old->suid)) &&
		!capable(LINUX_CAP_SETUID))
		return -EPERM;
	error = cred_copy(old, &cred);
	if (error)
		return error;
	if (ruid != SET_ID_KEEP)
		cred->uid = ruid;
	if (euid != SET_ID_KEEP)
		cred->euid = euid;
	if (ruid != SET_ID_KEEP || (euid != SET_ID_KEEP && euid != old->uid))
		cred->suid = cred->euid;
	cred->fsuid = cred->euid;
	return commit_uids(cred);
}

int set_regid(uint32_t rgid, uint32_t egid)
{
	const struct cred *old = current_cred();
	struct cred *cred;
	int error;

	if (!(one_of(rgid, old->gid, old->egid, old->egid) &&
		    one_of(egid, old->gid, old->egid, old->sgid)) &&
		!capable(LINUX_CAP_SETGID))
		return -EPERM;
	error = cred_copy(old, &cred);
	if (error)
		return error;
	if (rgid != SET_ID_KEEP)
		cred->gid = rgid;
	if (egid != SET_ID_KEEP)
		cred->egid = egid;
	if (rgid != SET_ID_KEEP || (egid != SET_ID_KEEP && egid != old->gid))
		cred->sgid = cred->egid;
	cred->fsgid = cred->egid;
	task_commit_cred(cred);
	return 0;
}

int set_resuid(uint32_t ruid, uint32_t euid, uint32_t suid)
{
	const struct cred *old = current_cred();
	struct cred *cred;
	int error;

	if (!(one_of(ruid, old->uid, old->euid, old->suid) &&
		    one_of(euid, old->uid, old->euid, old->suid) &&
		    one_of(suid, old->uid, old->euid, old->suid)) &&
		!capable(LINUX_CAP_SETUID))
		return -EPERM;
	error = cred_copy(old, &cred);
	if (error)
		return error;
	if (ruid != SET_ID_KEEP)
		cred->uid = ruid;
	if (euid != SET_ID_KEEP)
		cred->euid = euid;
	if (suid != SET_ID_KEEP)
		cred->suid = suid;
	cred->fsuid = cred->euid;
	return commit_uids(cred);
}

int set_resgid(uint32_t rgid, uint32_t egid, uint32_t sgid)
{
	const struct cred *old = current_cred();
	struct cred *cred;
	int error;

	if (!(one_of(rgid, old->gid, old->egid, old->sgid) &&
		    one_of(egid, old->gid, old->egid, old->sgid) &&
		    one_of(sgid, old->gid, old->egid, old->sgid)) &&
		!capable(LINUX_CAP_SETGID))
		return -EPERM;
	error = cred_copy(old, &cred);
	if (error)
		return error;
	if (rgid != SET_ID_KEEP)
		cred->gid = rgid;
	if (egid != SET_ID_KEEP)
		cred->egid = egid;
	if (sgid != SET_ID_KEEP)
		cred->sgid = sgid;
	cred->fsgid = cred->egid;
	task_commit_cred(cred);
	return 0;
}

void set_fsuid(uint32_t uid)
{
	const struct cred *old = current_cred();
	struct cred *cred;

	if (uid == old->fsuid || (uid != old->uid && uid != old->euid && uid != old->suid &&
					 !capable(LINUX_CAP_SETUID)))
		return;
	if (cred_copy(old, &cred))
		return;
	cred->fsuid = uid;
	capability_fix_setfsuid(cred, old);
	task_commit_cred(cred);
}

void set_fsgid(uint32_t gid)
{
	const struct cred *old = current_cred();
	struct cred *cred;

	if (gid == old->fsgid || (gid != old->gid && gid != old->egid && gid != old->sgid &&
					 !capable(LINUX_CAP_SETGID)))
		return;
	if (cred_copy(old, &cred))
		return;
	cred->fsgid = gid;
	task_commit_cred(cred);
}

int set_groups(const uint32_t *groups, size_t count)
{
	struct cred *cred;
	int error = cred_copy(current_cred(), &cred);

	if (error)
		return error;
	error = cred_set_groups(cred, groups, count);
	if (error) {
		cred_put(cred);
		return error;
	}
	task_commit_cred(cred);
	return 0;
}
