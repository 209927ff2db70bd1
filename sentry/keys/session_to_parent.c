/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KEYCTL_SESSION_TO_PARENT: a process gives its session keyring to the one that made it, which
 * takes it at its next system call.
 *
 * Linux refuses to change the machine's init; the first process of a sandbox is none, as that of a
 * container is none there.
 */
#include "sentry/kernel/task.h"
#include "sentry/keys/key.h"
#include "sentry/lock_order.h"

#include <errno.h>

static bool same_owner(const struct cred *mine, const struct cred *theirs)
{
	return theirs->uid == mine->euid && theirs->euid == mine->euid &&
	       theirs->suid == mine->euid && theirs->gid == mine->egid &&
	       theirs->egid == mine->egid && theirs->sgid == mine->egid;
}

/* The keyring to give, or NULL if there is nothing to do. */
static int may_give(const struct cred *mine, const struct cred *theirs, struct key **out)
{
	struct key *keyring = mine->session_keyring;

	*out = NULL;
	if (theirs->session_keyring == keyring)
		return 0;
	if (!same_owner(mine, theirs) || !keyring || keyring->uid != mine->euid ||
		(theirs->session_keyring && theirs->session_keyring->uid != mine->euid))
		return -EPERM;
	*out = keyring;
	return 0;
}

static int give(struct task *parent)
{
	struct key *keyring;
	int error;

	mutex_guard(&g_keys_lock);
	error = may_give(current_cred(), parent->cred, &keyring);
	if (error || !keyring)
		return error;
	key_put_locked(parent->given_session);
	parent->given_session = key_get(keyring);
	task_slow_set(parent, TASK_SLOW_KEYS);
	return 0;
}

static int check_session(void)
{
	struct key_ref ref;

	mutex_guard(&g_keys_lock);
	return key_lookup_locked(LINUX_KEY_SPEC_SESSION_KEYRING, 0, LINUX_KEY_LINK, &ref);
}

int keys_session_to_parent(void)
{
	struct task *parent;
	int error = key_prepare(LINUX_KEY_SPEC_SESSION_KEYRING, false);

	if (!error)
		error = check_session();
	if (error)
		return error;
	mutex_guard(&g_tasks.lock);
	parent = current->group->parent;
	if (!parent || parent->kernel_thread ||
		parent->group->container != current->group->container)
		return -EPERM;
	mutex_guard(&parent->lock);
	if (!parent->mm || parent->group->task_count != 1)
		return -EPERM;
	return give(parent);
}

void keys_take_session(struct task *task)
{
	struct key *keyring;

	task_slow_clear(task, TASK_SLOW_KEYS);
	mutex_lock(&g_keys_lock);
	keyring = steal_pointer(&task->given_session);
	mutex_unlock(&g_keys_lock);
	/* Without memory it stays as it was. */
	if (keyring)
		(void)!keys_install_session(keyring);
}
