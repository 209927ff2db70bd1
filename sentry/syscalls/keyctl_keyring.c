/* SPDX-License-Identifier: Apache-2.0 */
/* keyctl(2): its operations on keyrings, and the table of all. */
#include "sentry/syscalls/keyctl.h"

#include "abi/capability.h"
#include "sentry/kernel/signal.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/user_namespace.h"
#include "sentry/mm/iov_iter.h"
#include "sentry/syscalls/syscalls.h"

#include <errno.h>

#define ERRNO_END 4095

/* --- special keyrings --- */

static int64_t get_keyring_id(struct task *task, const uint64_t args[6])
{
	int32_t id = (int32_t)args[1];
	struct key_ref ref;
	int error = key_prepare(id, (int)args[2]);

	if (error)
		return error;
	mutex_guard(&g_keys_lock);
	error = key_lookup_locked(id, 0, LINUX_KEY_SEARCH, &ref);
	return error ? error : ref.key->serial;
}

static int64_t join_session(struct task *task, const uint64_t args[6])
{
	uninitialized_ char name[KEY_DESCRIPTION_SIZE];
	int error;

	if (!args[1])
		return keys_join_session(NULL);
	error = keyctl_copy_text(task, args[1], name);
	if (error)
		return error;
	return name[0] == '.' ? -EPERM : keys_join_session(name);
}

static int64_t session_to_parent(struct task *task, const uint64_t args[6])
{
	return keys_session_to_parent();
}

static int64_t get_persistent(struct task *task, const uint64_t args[6])
{
	const struct cred *cred = task->cred;
	int32_t ring_id = (int32_t)args[2];
	uint32_t uid = cred->uid;
	struct key_ref ring;
	struct key *keyring;
	int error;

	if ((uint32_t)args[1] != UINT32_MAX) {
		uid = user_namespace_make_uid(cred->user_ns, (uint32_t)args[1]);
		if (uid == UINT32_MAX)
			return -EINVAL;
		if (uid != cred->uid && uid != cred->euid &&
			!cred_capable_in(cred, cred->user_ns, LINUX_CAP_SETUID))
			return -EPERM;
	}
	error = key_prepare(ring_id, true);
	if (error)
		return error;
	mutex_guard(&g_keys_lock);
	error = key_lookup_locked(ring_id, 0, LINUX_KEY_WRITE, &ring);
	if (!error && ring.key->type != &key_type_keyring)
		error = -ENOTDIR;
	if (!error)
		error = keys_persistent_locked(uid, &keyring);
	if (!error)
		error = key_permission(
			(struct key_ref){keyring, true}, current_cred(), LINUX_KEY_LINK);
	if (!error)
		error = keyring_link_locked(ring.key, keyring);
	if (error)
		return error;
	key_set_timeout_locked(keyring, (uint64_t)g_key_limits[KEY_PERSISTENT_EXPIRY]);
	return keyring->serial;
}

static int64_t set_request_key_keyring(struct task *task, const uint64_t args[6])
{
	int choice = (int)args[1], old = task->cred->request_key_default, error;
	struct cred *cred;

	if (choice == LINUX_KEY_REQKEY_DEFL_NO_CHANGE)
		return old;
	if (choice < 0 || choice > LINUX_KEY_REQKEY_DEFL_REQUESTOR_KEYRING ||
		choice == LINUX_KEY_REQKEY_DEFL_GROUP_KEYRING)
		return -EINVAL;
	if (choice == LINUX_KEY_REQKEY_DEFL_THREAD_KEYRING)
		error = key_prepare(LINUX_KEY_SPEC_THREAD_KEYRING, true);
	else if (choice == LINUX_KEY_REQKEY_DEFL_PROCESS_KEYRING)
		error = key_prepare(LINUX_KEY_SPEC_PROCESS_KEYRING, true);
	else
		error = 0;
	if (!error)
		error = cred_copy(current_cred(), &cred);
	if (error)
		return error;
	cred->request_key_default = choice;
	task_commit_cred(cred);
	return old;
}

/* --- links --- */

static int64_t clear(struct task *task, const uint64_t args[6])
{
	int32_t id = (int32_t)args[1];
	struct key_ref ref;
	int error = key_prepare(id, true);

	if (error)
		return error;
	mutex_guard(&g_keys_lock);
	error = key_lookup_locked(id, 0, LINUX_KEY_WRITE, &ref);
	return error ? error : keyring_clear_locked(ref.key);
}

static int64_t link_key(struct task *task, const uint64_t args[6])
{
	int32_t id = (int32_t)args[1], ring_id = (int32_t)args[2];
	struct key_ref key, ring;
	int error = keys_check_room(0);

	if (!error)
		error = key_prepare(ring_id, true);
	if (!error)
		error = key_prepare(id, true);
	if (error)
		return error;
	mutex_guard(&g_keys_lock);
	error = key_lookup_locked(ring_id, 0, LINUX_KEY_WRITE, &ring);
	if (!error)
		error = key_lookup_locked(id, 0, LINUX_KEY_LINK, &key);
	return error ? error : keyring_link_locked(ring.key, key.key);
}

static int64_t unlink_key(struct task *task, const uint64_t args[6])
{
	int32_t id = (int32_t)args[1], ring_id = (int32_t)args[2];
	struct key_ref key, ring;
	int error = key_prepare(ring_id, false);

	if (!error)
		error = key_prepare(id, false);
	if (error)
		return error;
	mutex_guard(&g_keys_lock);
	error = key_lookup_locked(ring_id, 0, LINUX_KEY_WRITE, &ring);
	if (!error)
		error = key_lookup_locked(id, KEY_ANY_STATE | KEY_ANY_PERMISSION, 0, &key);
	return error ? error : keyring_unlink_locked(ring.key, key.key);
}

static int64_t move(struct task *task, const uint64_t args[6])
{
	int32_t id = (int32_t)args[1], from_id = (int32_t)args[2], to_id = (int32_t)args[3];
	uint32_t flags = (uint32_t)args[4];
	struct key_ref key, from, to;
	int error;

	if (flags & ~LINUX_KEYCTL_MOVE_EXCL)
		return -EINVAL;
	error = key_prepare(id, true);
	if (!error)
		error = key_prepare(from_id, false);
	if (!error)
		error = key_prepare(to_id, true);
	if (error)
		return error;
	mutex_guard(&g_keys_lock);
	error = key_lookup_locked(id, 0, LINUX_KEY_LINK, &key);
	if (!error)
		error = key_lookup_locked(from_id, 0, LINUX_KEY_WRITE, &from);
	if (!error)
		error = key_lookup_locked(to_id, 0, LINUX_KEY_WRITE, &to);
	return error ? error : keyring_move_locked(key.key, from.key, to.key, flags);
}

/* The kind of restriction that the types of keys here know is that of no type: no more links. */
static int64_t restrict_keyring(struct task *task, const uint64_t args[6])
{
	uninitialized_ char type[KEY_TYPE_SIZE], how[KEY_DESCRIPTION_SIZE];
	int32_t id = (int32_t)args[1];
	struct key_ref ref;
	int error = key_prepare(id, false);

	if (!args[2] != !args[3])
		return -EINVAL;
	if (!error && args[2])
		error = keyctl_copy_type(task, args[2], type);
	if (!error && args[2])
		error = keyctl_copy_text(task, args[3], how);
	if (error)
		return error;
	mutex_guard(&g_keys_lock);
	error = key_lookup_locked(id, 0, LINUX_KEY_SETATTR, &ref);
	if (error)
		return error;
	if (ref.key->type != &key_type_keyring)
		return -ENOTDIR;
	if (args[2])
		return key_type_lookup(type) ? -ENOENT : -ENOKEY;
	if (ref.key->flags & KEY_RESTRICTED)
		return -EEXIST;
	ref.key->flags |= KEY_RESTRICTED;
	return 0;
}

static int64_t search(struct task *task, const uint64_t args[6])
{
	uninitialized_ char type[KEY_TYPE_SIZE], description[KEY_DESCRIPTION_SIZE];
	int32_t id = (int32_t)args[1], into_id = (int32_t)args[4];
	struct key_search wanted = {
		.description = description, .check_state = true, .recurse = true};
	struct key_ref ring, into, found;
	int error = keyctl_copy_type(task, args[2], type);

	if (!error)
		error = keyctl_copy_text(task, args[3], description);
	if (!error)
		error = key_prepare(id, false);
	if (!error && into_id)
		error = key_prepare(into_id, true);
	if (error)
		return error;
	wanted.cred = current_cred();
	wanted.type = key_type_lookup(type);
	mutex_guard(&g_keys_lock);
	error = key_lookup_locked(id, 0, LINUX_KEY_SEARCH, &ring);
	if (!error && into_id)
		error = key_lookup_locked(into_id, 0, LINUX_KEY_WRITE, &into);
	if (error)
		return error;
	error = wanted.type ? keyring_search_locked(ring, &wanted, &found) : -ENOKEY;
	if (error)
		return error == -EAGAIN ? -ENOKEY : error;
	if (into_id) {
		error = key_permission(found, wanted.cred, LINUX_KEY_LINK);
		if (!error)
			error = keyring_link_locked(into.key, found.key);
	}
	return error ? error : found.key->serial;
}

/* --- authority to make keys, which nobody has --- */

static int64_t instantiate(struct task *task, const uint64_t args[6])
{
	return args[3] > KEY_PAYLOAD_MAX ? -EINVAL : -EPERM;
}

static int64_t instantiate_iov(struct task *task, const uint64_t args[6])
{
	struct iov_iter iter;
	int error = iov_iter_import(&iter, task->mm, args[2], args[2] ? args[3] : 0, false);

	if (error)
		return error;
	error = iov_iter_count(&iter) > KEY_PAYLOAD_MAX ? -EINVAL : -EPERM;
	iov_iter_destroy(&iter);
	return error;
}

static int64_t negate(struct task *task, const uint64_t args[6])
{
	return -EPERM;
}

static int64_t reject(struct task *task, const uint64_t args[6])
{
	uint32_t error = (uint32_t)args[3];

	bool restart = error == ERESTARTSYS || error == ERESTARTNOINTR || error == ERESTARTNOHAND ||
		       error == ERESTART_RESTARTBLOCK;

	return !error || error >= ERRNO_END || restart ? -EINVAL : -EPERM;
}

static int64_t assume_authority(struct task *task, const uint64_t args[6])
{
	int32_t id = (int32_t)args[1];

	if (id < 0)
		return -EINVAL;
	return id ? -ENOKEY : 0;
}

static int64_t capabilities(struct task *task, const uint64_t args[6])
{
	static const uint8_t have[] = {
		LINUX_KEYCTL_CAPS0_CAPABILITIES | LINUX_KEYCTL_CAPS0_PERSISTENT_KEYRINGS |
			LINUX_KEYCTL_CAPS0_BIG_KEY | LINUX_KEYCTL_CAPS0_INVALIDATE |
			LINUX_KEYCTL_CAPS0_RESTRICT_KEYRING | LINUX_KEYCTL_CAPS0_MOVE,
		LINUX_KEYCTL_CAPS1_NS_KEYRING_NAME | LINUX_KEYCTL_CAPS1_NS_KEY_TAG,
	};
	static const uint8_t zeroes[PAGE_SIZE];
	uint64_t at = args[1], left = args[2], size = min_u64(left, sizeof(have));

	if (size && mm_copy_out(task->mm, at, have, size))
		return -EFAULT;
	for (left -= size, at += size; left; left -= size, at += size) {
		size = min_u64(left, sizeof(zeroes));
		/* A guest may have terabytes. */
		if (atomic_load(&task->killed))
			return -EINTR;
		if (mm_copy_out(task->mm, at, zeroes, size))
			return -EFAULT;
	}
	return sizeof(have);
}

/* --- keyctl --- */

static syscall_handler *const operations[] = {
	[LINUX_KEYCTL_GET_KEYRING_ID] = get_keyring_id,
	[LINUX_KEYCTL_JOIN_SESSION_KEYRING] = join_session,
	[LINUX_KEYCTL_UPDATE] = keyctl_update,
	[LINUX_KEYCTL_REVOKE] = keyctl_revoke,
	[LINUX_KEYCTL_CHOWN] = keyctl_chown,
	[LINUX_KEYCTL_SETPERM] = keyctl_setperm,
	[LINUX_KEYCTL_DESCRIBE] = keyctl_describe,
	[LINUX_KEYCTL_CLEAR] = clear,
	[LINUX_KEYCTL_LINK] = link_key,
	[LINUX_KEYCTL_UNLINK] = unlink_key,
	[LINUX_KEYCTL_SEARCH] = search,
	[LINUX_KEYCTL_READ] = keyctl_read,
	[LINUX_KEYCTL_INSTANTIATE] = instantiate,
	[LINUX_KEYCTL_NEGATE] = negate,
	[LINUX_KEYCTL_SET_REQKEY_KEYRING] = set_request_key_keyring,
	[LINUX_KEYCTL_SET_TIMEOUT] = keyctl_set_timeout,
	[LINUX_KEYCTL_ASSUME_AUTHORITY] = assume_authority,
	[LINUX_KEYCTL_GET_SECURITY] = keyctl_get_security,
	[LINUX_KEYCTL_SESSION_TO_PARENT] = session_to_parent,
	[LINUX_KEYCTL_REJECT] = reject,
	[LINUX_KEYCTL_INSTANTIATE_IOV] = instantiate_iov,
	[LINUX_KEYCTL_INVALIDATE] = keyctl_invalidate,
	[LINUX_KEYCTL_GET_PERSISTENT] = get_persistent,
	[LINUX_KEYCTL_RESTRICT_KEYRING] = restrict_keyring,
	[LINUX_KEYCTL_MOVE] = move,
	[LINUX_KEYCTL_CAPABILITIES] = capabilities,
};

int64_t sys_keyctl(struct task *task, const uint64_t args[6])
{
	uint32_t operation = (uint32_t)args[0];

	if (operation >= array_count(operations) || !operations[operation])
		return -EOPNOTSUPP;
	keys_collect();
	return operations[operation](task, args);
}
