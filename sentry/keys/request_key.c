/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request_key(2): a search, and what follows it if nothing is found.
 *
 * No program of user space is asked: it is as on a Linux without /sbin/request-key, where the first
 * request fails with ENOENT and leaves a negative key behind.
 */
#include "sentry/keys/key.h"

#include "sentry/kernel/task.h"

#include <errno.h>

/* Where a key goes that was asked for without a destination; session_keyring is borrowed. */
static int default_destination(const struct cred *cred, struct key **out)
{
	*out = NULL;
	switch (cred->request_key_default) {
	case LINUX_KEY_REQKEY_DEFL_DEFAULT:
	case LINUX_KEY_REQKEY_DEFL_REQUESTOR_KEYRING:
	case LINUX_KEY_REQKEY_DEFL_THREAD_KEYRING:
		*out = cred->thread_keyring;
		if (*out)
			break;
		/* fallthrough */
	case LINUX_KEY_REQKEY_DEFL_PROCESS_KEYRING:
		*out = cred->process_keyring;
		if (*out)
			break;
		/* fallthrough */
	case LINUX_KEY_REQKEY_DEFL_SESSION_KEYRING:
		*out = cred->session_keyring;
		if (*out)
			break;
		/* fallthrough */
	case LINUX_KEY_REQKEY_DEFL_USER_SESSION_KEYRING:
		return keys_user_keyrings_locked(NULL, out);
	default:
		return keys_user_keyrings_locked(out, NULL);
	}
	return 0;
}

static int leave_negative(
	const struct key_type *type, const char *description, struct key *destination)
{
	const struct cred *cred = current_cred();
	uint32_t perm = LINUX_KEY_VIEW | LINUX_KEY_SEARCH | LINUX_KEY_LINK | LINUX_KEY_SETATTR;
	struct key_new how = {.type = type,
		.description = description,
		.domain = keys_domain(),
		.uid = cred->fsuid,
		.gid = cred->fsgid};
	struct key *key;
	int error = 0;

	if (type == &key_type_keyring)
		return -EPERM;
	if (!destination)
		error = default_destination(cred, &destination);
	if (!error)
		error = key_permission((struct key_ref){destination, true}, cred, LINUX_KEY_WRITE);
	if (error)
		return error;
	how.perm = LINUX_KEY_USER(LINUX_KEY_VIEW) |
		   LINUX_KEY_POSSES(perm | (type->readable ? LINUX_KEY_READ : 0) |
				    (type->updatable ? LINUX_KEY_WRITE : 0));
	error = key_alloc_locked(&how, &key);
	if (error)
		return error;
	key->error = -ENOKEY;
	key_set_timeout_locked(key, KEY_NEGATIVE_SECONDS);
	error = keyring_link_locked(destination, key);
	key_put_locked(key);
	return error ? error : -ENOENT;
}

int64_t key_request(const char *type, const char *description, bool callout, int32_t destination)
{
	struct key_search search = {.type = key_type_lookup(type),
		.description = description,
		.cred = current_cred(),
		.check_state = true,
		.skip_expired = true,
		.recurse = true};
	struct key_ref found, into = {NULL, false};
	int error = destination ? key_prepare(destination, true) : 0;

	if (error)
		return error;
	search.cred = current_cred();
	mutex_guard(&g_keys_lock);
	if (destination)
		error = key_lookup_locked(destination, 0, LINUX_KEY_WRITE, &into);
	if (error)
		return error;
	if (!search.type)
		return -ENOKEY;
	error = keys_search_process_locked(&search, &found);
	if (error == -EAGAIN)
		return callout ? leave_negative(search.type, description, into.key) : -ENOKEY;
	if (error)
		return error;
	if (into.key) {
		error = key_permission(found, search.cred, LINUX_KEY_LINK);
		if (!error)
			error = keyring_link_locked(into.key, found.key);
	}
	return error ? error : found.key->serial;
}
