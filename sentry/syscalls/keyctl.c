/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyctl(2): the operations on one key. Those on keyrings are in keyctl_keyring.c.
 *
 * No program of user space is ever asked to make a key, so nobody has the authority that
 * KEYCTL_INSTANTIATE and its kin need.
 */
#include "sentry/syscalls/keyctl.h"

#include "abi/capability.h"
#include "base/cleanup.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/user_namespace.h"
#include "sentry/syscalls/syscalls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- arguments --- */

int keyctl_copy_type(struct task *task, gaddr_t address, char type[KEY_TYPE_SIZE])
{
	int64_t length = mm_copy_in_string(task->mm, type, address, KEY_TYPE_SIZE);

	if (length < 0)
		return length == -ENAMETOOLONG ? -EINVAL : (int)length;
	if (!length)
		return -EINVAL;
	return type[0] == '.' ? -EPERM : 0;
}

int keyctl_copy_text(struct task *task, gaddr_t address, char text[KEY_DESCRIPTION_SIZE])
{
	int64_t length = mm_copy_in_string(task->mm, text, address, KEY_DESCRIPTION_SIZE);

	if (length < 0)
		return length == -ENAMETOOLONG ? -EINVAL : (int)length;
	return 0;
}

int keyctl_copy_payload(struct task *task, gaddr_t address, size_t size, void **out)
{
	*out = NULL;
	if (!size)
		return 0;
	*out = malloc(size);
	if (!*out)
		return -ENOMEM;
	if (!mm_copy_in(task->mm, *out, address, size))
		return 0;
	free(steal_pointer(out));
	return -EFAULT;
}

/* --- contents --- */

int64_t keyctl_update(struct task *task, const uint64_t args[6])
{
	int32_t id = (int32_t)args[1];
	size_t size = args[3];
	struct key_ref ref;
	auto_free void *payload = NULL;
	int error;

	if (size > PAGE_SIZE)
		return -EINVAL;
	error = keys_check_room(size);
	if (!error)
		error = keyctl_copy_payload(task, args[2], size, &payload);
	if (!error)
		error = key_prepare(id, false);
	if (error)
		return error;
	mutex_guard(&g_keys_lock);
	error = key_lookup_locked(id, 0, LINUX_KEY_WRITE, &ref);
	if (error)
		return error;
	if (!ref.key->type->updatable)
		return -EOPNOTSUPP;
	error = key_type_check_payload(ref.key->type, size);
	return error ? error : key_set_payload_locked(ref.key, &payload, size, true);
}

/* A copy of the contents; *size: theirs. */
static int read_locked(struct key *key, void **out, size_t *size)
{
	bool keyring = key->type == &key_type_keyring;
	int error = key_validate_locked(key);
	int32_t *serials;

	if (error)
		return error;
	if (!key->type->readable)
		return -EOPNOTSUPP;
	*size = keyring ? key->link_count * sizeof(*serials) : key->payload_size;
	*out = malloc(*size + 1);
	if (!*out)
		return -ENOMEM;
	if (keyring) {
		struct key_link *link;

		serials = *out;
		RB_FOREACH (link, key_links, &key->links)
			*serials++ = link->key->serial;
	} else if (*size) {
		memcpy(*out, key->payload, *size);
	}
	return 0;
}

static int find_and_read(int32_t id, void **out, size_t *size)
{
	struct key_ref ref;
	int error;

	mutex_guard(&g_keys_lock);
	if (key_lookup_locked(id, KEY_ANY_STATE | KEY_ANY_PERMISSION, 0, &ref))
		return -ENOKEY;
	if (ref.key->error)
		return ref.key->error;
	/* Who possesses a key may read it: it was found, so it may be searched. */
	error = key_permission(ref, current_cred(), LINUX_KEY_READ);
	if (error && !ref.possessed)
		return error;
	return read_locked(ref.key, out, size);
}

int64_t keyctl_read(struct task *task, const uint64_t args[6])
{
	int32_t id = (int32_t)args[1];
	gaddr_t buffer = args[2];
	uint64_t room = args[3];
	auto_free void *contents = NULL;
	size_t size = 0;
	int error;

	error = key_prepare(id, false);
	if (!error)
		error = find_and_read(id, &contents, &size);
	if (error || !contents)
		return error;
	error = buffer && room >= size && size && mm_copy_out(task->mm, buffer, contents, size);
	explicit_bzero(contents, size);
	return error ? -EFAULT : (int64_t)size;
}

/* --- ends --- */

int64_t keyctl_revoke(struct task *task, const uint64_t args[6])
{
	int32_t id = (int32_t)args[1];
	struct key_ref ref;
	int error = key_prepare(id, false);

	if (error)
		return error;
	mutex_guard(&g_keys_lock);
	error = key_lookup_locked(id, 0, LINUX_KEY_WRITE, &ref);
	if (error == -EACCES)
		error = key_lookup_locked(id, 0, LINUX_KEY_SETATTR, &ref);
	if (!error)
		key_revoke_locked(ref.key);
	return error;
}

int64_t keyctl_invalidate(struct task *task, const uint64_t args[6])
{
	int32_t id = (int32_t)args[1];
	struct key_ref ref;
	int error = key_prepare(id, false);

	if (error)
		return error;
	mutex_guard(&g_keys_lock);
	error = key_lookup_locked(id, 0, LINUX_KEY_SEARCH, &ref);
	if (!error)
		key_invalidate_locked(ref.key);
	return error;
}

int64_t keyctl_set_timeout(struct task *task, const uint64_t args[6])
{
	int32_t id = (int32_t)args[1];
	struct key_ref ref;
	int error = key_prepare(id, true);

	if (error)
		return error;
	mutex_guard(&g_keys_lock);
	error = key_lookup_locked(id, KEY_PARTIAL, LINUX_KEY_SETATTR, &ref);
	if (!error)
		key_set_timeout_locked(ref.key, (uint32_t)args[2]);
	return error;
}

/* --- owner and permissions --- */

static int change_owner(struct key_ref ref, uint32_t uid, uint32_t gid)
{
	const struct cred *cred = current_cred();
	bool moves = uid != UINT32_MAX && uid != ref.key->uid;
	bool foreign = gid != UINT32_MAX && gid != ref.key->gid && !cred_in_group(cred, gid);
	int error = 0;

	if ((moves || foreign) && !cred_capable(cred, LINUX_CAP_SYS_ADMIN))
		return -EACCES;
	if (moves)
		error = key_chown_locked(ref.key, uid);
	if (!error && gid != UINT32_MAX)
		ref.key->gid = gid;
	return error;
}

int64_t keyctl_chown(struct task *task, const uint64_t args[6])
{
	int32_t id = (int32_t)args[1];
	uint32_t uid = (uint32_t)args[2], gid = (uint32_t)args[3];
	const struct user_namespace *ns = task->cred->user_ns;
	uint32_t kuid = user_namespace_make_uid(ns, uid), kgid = user_namespace_make_gid(ns, gid);
	struct key_ref ref;
	int error;

	if ((uid != UINT32_MAX && kuid == UINT32_MAX) || (gid != UINT32_MAX && kgid == UINT32_MAX))
		return -EINVAL;
	if (uid == UINT32_MAX && gid == UINT32_MAX)
		return 0;
	error = key_prepare(id, true);
	if (error)
		return error;
	mutex_guard(&g_keys_lock);
	error = key_lookup_locked(id, KEY_PARTIAL, LINUX_KEY_SETATTR, &ref);
	return error ? error
		     : change_owner(
			       ref, uid == UINT32_MAX ? uid : kuid, gid == UINT32_MAX ? gid : kgid);
}

int64_t keyctl_setperm(struct task *task, const uint64_t args[6])
{
	const uint32_t all = LINUX_KEY_ALL;
	int32_t id = (int32_t)args[1];
	uint32_t perm = (uint32_t)args[2];
	struct key_ref ref;
	int error;

	if (perm & ~(LINUX_KEY_POSSES(all) | LINUX_KEY_USER(all) | LINUX_KEY_GROUP(all) | all))
		return -EINVAL;
	error = key_prepare(id, true);
	if (error)
		return error;
	mutex_guard(&g_keys_lock);
	error = key_lookup_locked(id, KEY_PARTIAL, LINUX_KEY_SETATTR, &ref);
	if (error)
		return error;
	if (ref.key->uid != current_cred()->fsuid &&
		!cred_capable(current_cred(), LINUX_CAP_SYS_ADMIN))
		return -EACCES;
	ref.key->perm = perm;
	return 0;
}

/* --- what it is --- */

int64_t keyctl_describe(struct task *task, const uint64_t args[6])
{
	int32_t id = (int32_t)args[1];
	const struct user_namespace *ns = task->cred->user_ns;
	auto_free char *text = NULL;
	struct key_ref ref;
	int length, error = key_prepare(id, false);

	if (error)
		return error;
	mutex_lock(&g_keys_lock);
	length = key_lookup_locked(id, KEY_PARTIAL, LINUX_KEY_VIEW, &ref);
	if (!length) {
		length = asprintf(&text, "%s;%d;%d;%08x;%s", ref.key->type->name,
			(int)user_namespace_show_uid(ns, ref.key->uid),
			(int)user_namespace_show_gid(ns, ref.key->gid), ref.key->perm,
			ref.key->description);
		if (length < 0) {
			text = NULL;
			length = -ENOMEM;
		}
	}
	mutex_unlock(&g_keys_lock);
	if (length < 0)
		return length;
	length++;
	if (args[2] && args[3] >= (uint64_t)length &&
		mm_copy_out(task->mm, args[2], text, (size_t)length))
		return -EFAULT;
	return length;
}

/* No security module labels keys: an empty string. */
int64_t keyctl_get_security(struct task *task, const uint64_t args[6])
{
	int32_t id = (int32_t)args[1];
	struct key_ref ref;
	int error = key_prepare(id, false);

	if (error)
		return error;
	mutex_lock(&g_keys_lock);
	error = key_lookup_locked(id, KEY_PARTIAL, LINUX_KEY_VIEW, &ref);
	mutex_unlock(&g_keys_lock);
	/* What Linux says whose authority, which nobody has, would do as well. */
	if (error)
		return error == -EACCES ? -ENOKEY : error;
	return args[2] && args[3] && mm_copy_out(task->mm, args[2], "", 1) ? -EFAULT : 1;
}
