/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials as objects (credentials(7)): making, copying, looking, and putting new ones in place.
 */
#include "sentry/kernel/credentials.h"

#include "abi/capability.h"
#include "sentry/kernel/pid.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/user_count.h"
#include "sentry/kernel/user_namespace.h"
#include "sentry/keys/key.h"
#include "sentry/security/landlock/landlock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

REFCOUNT_TYPE(cred_refs, "cred");

int cred_new_root(struct cred **out)
{
	struct cred *cred = calloc(1, sizeof(*cred));

	if (!cred)
		return -ENOMEM;
	refcount_init(&cred->refs, &cred_refs);
	cred->cap_permitted = LINUX_CAP_FULL_SET;
	cred->cap_effective = LINUX_CAP_FULL_SET;
	cred->cap_bounding = LINUX_CAP_FULL_SET;
	cred->user_ns = user_namespace_get(user_namespace_initial());
	*out = cred;
	return 0;
}

int cred_copy(const struct cred *cred, struct cred **out)
{
	struct cred *copy = malloc(sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	*copy = *cred;
	copy->groups = NULL;
	if (cred->group_count) {
		copy->groups = malloc(cred->group_count * sizeof(*copy->groups));
		if (!copy->groups) {
			free(copy);
			return -ENOMEM;
		}
		memcpy(copy->groups, cred->groups, cred->group_count * sizeof(*copy->groups));
	}
	refcount_init(&copy->refs, &cred_refs);
	(void)user_namespace_get(copy->user_ns);
	(void)key_get(copy->session_keyring);
	(void)key_get(copy->process_keyring);
	(void)key_get(copy->thread_keyring);
	(void)landlock_domain_get(copy->landlock);
	*out = copy;
	return 0;
}

const struct cred *cred_get(const struct cred *cred)
{
	if (cred)
		refcount_get(&((struct cred *)cred)->refs);
	return cred;
}

void cred_put(const struct cred *cred)
{
	struct cred *last = (struct cred *)cred;

	if (!last || !refcount_put(&last->refs))
		return;
	user_namespace_put(last->user_ns);
	key_put(last->session_keyring);
	key_put(last->process_keyring);
	key_put(last->thread_keyring);
	landlock_domain_put(last->landlock);
	free(last->groups);
	free(last);
}

static int id_compare(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return left < right ? -1 : left > right;
}

int cred_set_groups(struct cred *cred, const uint32_t *groups, size_t count)
{
	uint32_t *copy = NULL;

	if (count) {
		copy = malloc(count * sizeof(*copy));
		if (!copy)
			return -ENOMEM;
		memcpy(copy, groups, count * sizeof(*copy));
		qsort(copy, count, sizeof(*copy), id_compare);
	}
	free(cred->groups);
	cred->groups = copy;
	cred->group_count = count;
	return 0;
}

bool cred_in_group(const struct cred *cred, uint32_t gid)
{
	if (cred->fsgid == gid)
		return true;
	return cred->group_count &&
	       bsearch(&gid, cred->groups, cred->group_count, sizeof(gid), id_compare);
}

bool cred_capable(const struct cred *cred, int capability)
{
	return cred_capable_in(cred, user_namespace_initial(), capability);
}

void cred_enter_user_namespace(struct cred *cred, struct user_namespace *ns)
{
	user_namespace_put(cred->user_ns);
	cred->user_ns = ns;
	cred->securebits = 0;
	cred->cap_inheritable = 0;
	cred->cap_permitted = LINUX_CAP_FULL_SET;
	cred->cap_effective = LINUX_CAP_FULL_SET;
	cred->cap_bounding = LINUX_CAP_FULL_SET;
	cred->cap_ambient = 0;
}

/* Does everything that is permitted by new come out of what old has, or of its having made new's
 * namespace? */
static bool capabilities_within(const struct cred *old, const struct cred *new_cred)
{
	struct user_namespace *ns = new_cred->user_ns, *parent;

	if (old->user_ns == ns && !(new_cred->cap_permitted & ~old->cap_permitted))
		return true;
	for (; (parent = user_namespace_parent(ns)); ns = parent) {
		if (old->user_ns == parent && user_namespace_owner(ns) == old->euid)
			return true;
	}
	return false;
}

void task_commit_cred(struct cred *cred)
{
	struct task *task = current;
	const struct cred *old = task->cred;

	if (old->euid != cred->euid || old->egid != cred->egid || old->fsuid != cred->fsuid ||
		old->fsgid != cred->fsgid || !capabilities_within(old, cred)) {
		if (task->mm)
			mm_set_dumpable(task->mm, 0);
		task->pdeath_signal = 0;
	}
	if (task->charged_uid != cred->uid &&
		user_count_add(USER_TASKS, cred->uid, 1, UINT64_MAX)) {
		user_count_remove(USER_TASKS, task->charged_uid, 1);
		task->charged_uid = cred->uid;
	}
	if (old->fsuid != cred->fsuid || old->fsgid != cred->fsgid)
		keys_follow_ids(cred);
	mutex_lock(&task->lock);
	task->cred = cred;
	mutex_unlock(&task->lock);
	cred_put(old);
}
