/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What credentials hold of keyrings: of a thread, a process, a session (thread-keyring(7),
 * process-keyring(7), session-keyring(7)), how clone and execve pass them on, and the search of
 * what a task possesses.
 */
#include "sentry/keys/key.h"

#include "abi/sched.h"
#include "sentry/kernel/container.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/user_namespace.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define KEYRING_PERM (LINUX_KEY_POSSES(LINUX_KEY_ALL) | LINUX_KEY_USER(LINUX_KEY_VIEW))

uint64_t keys_domain(void)
{
	struct container *container = current->group->container;

	return container ? container_key_domain(container) : KEY_DOMAIN_NO_CONTAINER;
}

uint64_t keys_domain_new(void)
{
	static _Atomic uint64_t last = KEY_DOMAIN_NO_CONTAINER;

	return ++last;
}

/* --- making --- */

static int keyring_new(const struct cred *cred, const char *name, uint32_t user_may,
	enum key_quota quota, struct key **out)
{
	struct key_new how = {.type = &key_type_keyring,
		.description = name,
		.domain = keys_domain(),
		.uid = cred->uid,
		.gid = cred->gid,
		.perm = KEYRING_PERM | LINUX_KEY_USER(user_may),
		.quota = quota};

	mutex_guard(&g_keys_lock);
	return key_alloc_locked(&how, out);
}

static int new_session(const struct cred *cred, struct key **out)
{
	return keyring_new(cred, "_ses", LINUX_KEY_READ,
		cred->session_keyring ? KEY_QUOTA : KEY_QUOTA_OVERRUN, out);
}

/* Takes the reference over. */
static int install(size_t offset, struct key *keyring)
{
	struct cred *cred;
	struct key **place;
	int error = cred_copy(current_cred(), &cred);

	if (error) {
		key_put(keyring);
		return error;
	}
	place = (struct key **)((char *)cred + offset);
	key_put(*place);
	*place = keyring;
	task_commit_cred(cred);
	return 0;
}

#define INSTALL(field, keyring) install(offsetof(struct cred, field), (keyring))

int keys_install_session(struct key *keyring)
{
	return INSTALL(session_keyring, keyring);
}

/* --- joining a session --- */

/* Any keyring of this name that may be searched without being possessed. */
static struct key *find_named(const char *name)
{
	const struct cred *cred = current_cred();
	uint64_t domain = keys_domain();
	struct key *key = NULL;

	while ((key = key_next_locked(key)))
		if (key->type == &key_type_keyring && key->domain == domain &&
			key->named_in == user_namespace_inode(cred->user_ns) &&
			!(key->flags & KEY_REVOKED) && !strcmp(key->description, name) &&
			user_namespace_has_uid(cred->user_ns, key->uid) &&
			!key_permission((struct key_ref){key, false}, cred, LINUX_KEY_SEARCH))
			return key_get(key);
	return NULL;
}

static int find_or_make_named(const struct cred *cred, const char *name, struct key **out)
{
	struct key_new how = {.type = &key_type_keyring,
		.description = name,
		.domain = keys_domain(),
		.uid = cred->uid,
		.gid = cred->gid,
		.perm = KEYRING_PERM | LINUX_KEY_USER(LINUX_KEY_READ | LINUX_KEY_LINK)};

	mutex_guard(&g_keys_lock);
	*out = find_named(name);
	return *out ? 0 : key_alloc_locked(&how, out);
}

int64_t keys_join_session(const char *name)
{
	const struct cred *cred = current_cred();
	struct key *keyring;
	int64_t serial;
	int error = name ? find_or_make_named(cred, name, &keyring) : new_session(cred, &keyring);

	if (error)
		return error;
	if (keyring == cred->session_keyring) {
		key_put(keyring);
		return 0;
	}
	serial = keyring->serial;
	error = keys_install_session(keyring);
	return error ? error : serial;
}

int keys_join_container_session(const char *id)
{
	char name[KEY_DESCRIPTION_SIZE];
	int64_t result;

	(void)snprintf(name, sizeof(name), "_ses.%s", id);
	result = keys_join_session(name);
	if (result < 0)
		return (int)result;
	mutex_guard(&g_keys_lock);
	current_cred()->session_keyring->perm |= LINUX_KEY_USER(LINUX_KEY_SEARCH);
	return 0;
}

/* --- special numbers --- */

static int install_user_session(void)
{
	struct key *keyring;
	int error;

	mutex_lock(&g_keys_lock);
	error = keys_user_keyrings_locked(NULL, &keyring);
	if (!error)
		(void)key_get(keyring);
	mutex_unlock(&g_keys_lock);
	return error ? error : keys_install_session(keyring);
}

static bool is_user_session(const struct key *keyring)
{
	mutex_guard(&g_keys_lock);
	return keyring->flags & KEY_UID_KEYRING;
}

static int prepare_session(const struct cred *cred, bool create)
{
	int64_t result;

	if (cred->session_keyring && !(create && is_user_session(cred->session_keyring)))
		return 0;
	if (!create)
		return install_user_session();
	result = keys_join_session(NULL);
	return result < 0 ? (int)result : 0;
}

int key_prepare(int32_t id, bool create)
{
	const struct cred *cred = current_cred();
	struct key *keyring;
	int error;

	switch (id) {
	case LINUX_KEY_SPEC_THREAD_KEYRING:
		if (cred->thread_keyring || !create)
			return 0;
		error = keyring_new(cred, "_tid", 0, KEY_QUOTA_OVERRUN, &keyring);
		return error ? error : INSTALL(thread_keyring, keyring);
	case LINUX_KEY_SPEC_PROCESS_KEYRING:
		if (cred->process_keyring || !create)
			return 0;
		error = keyring_new(cred, "_pid", 0, KEY_QUOTA_OVERRUN, &keyring);
		return error ? error : INSTALL(process_keyring, keyring);
	case LINUX_KEY_SPEC_SESSION_KEYRING:
		return prepare_session(cred, create);
	default:
		return 0;
	}
}

/* --- search --- */

uint64_t keys_mark_possessed_locked(const struct cred *cred)
{
	struct key *keyrings[] = {
		cred->thread_keyring, cred->process_keyring, cred->session_keyring};
	uint64_t mark = keys_mark_new_locked();

	if (!keyrings[2])
		keyrings[2] = keys_user_session_if_any_locked(cred);
	for (size_t i = 0; i < array_count(keyrings); i++)
		if (keyrings[i])
			keyring_mark_possessed_locked(keyrings[i], cred, mark);
	return mark;
}

/* Success before -ENOKEY before -EAGAIN before any other error. */
int keys_search_process_locked(const struct key_search *search, struct key_ref *out)
{
	const struct cred *cred = search->cred;
	struct key *keyrings[] = {
		cred->thread_keyring, cred->process_keyring, cred->session_keyring};
	int result = 0, other = -EAGAIN;

	if (!keyrings[2])
		keyrings[2] = keys_user_session_if_any_locked(cred);
	for (size_t i = 0; i < array_count(keyrings); i++) {
		int error;

		if (!keyrings[i])
			continue;
		error = keyring_search_locked((struct key_ref){keyrings[i], true}, search, out);
		if (!error)
			return 0;
		if (error == -ENOKEY || (error == -EAGAIN && !result))
			result = error;
		else if (error != -EAGAIN)
			other = error;
	}
	return result ? result : other;
}

bool key_is_possessed_locked(const struct key *key, const struct cred *cred)
{
	struct key_search search = {.type = key->type,
		.description = key->description,
		.exact = key,
		.cred = cred,
		.recurse = true};
	struct key_ref found;

	return !keys_search_process_locked(&search, &found);
}

static int special_of(const struct cred *cred, int32_t id, struct key **out)
{
	switch (id) {
	case LINUX_KEY_SPEC_THREAD_KEYRING:
		*out = cred->thread_keyring;
		break;
	case LINUX_KEY_SPEC_PROCESS_KEYRING:
		*out = cred->process_keyring;
		break;
	case LINUX_KEY_SPEC_SESSION_KEYRING:
		*out = cred->session_keyring;
		break;
	case LINUX_KEY_SPEC_USER_KEYRING:
		return keys_user_keyrings_locked(out, NULL);
	case LINUX_KEY_SPEC_USER_SESSION_KEYRING:
		return keys_user_keyrings_locked(NULL, out);
	case LINUX_KEY_SPEC_REQKEY_AUTH_KEY:
	case LINUX_KEY_SPEC_REQUESTOR_KEYRING:
		return -ENOKEY; /* nobody is ever asked to make a key */
	default:
		return -EINVAL;
	}
	return *out ? 0 : -ENOKEY;
}

int key_lookup_locked(int32_t id, unsigned int flags, uint32_t need, struct key_ref *out)
{
	const struct cred *cred = current_cred();
	int error = 0;

	if (id > 0) {
		out->key = key_find_locked(keys_domain(), id);
		if (!out->key)
			return -ENOKEY;
		out->possessed = key_is_possessed_locked(out->key, cred);
	} else {
		error = special_of(cred, id, &out->key);
		if (error)
			return error;
		out->possessed = true;
	}
	if (!(flags & KEY_ANY_STATE)) {
		if (!(flags & KEY_PARTIAL) && out->key->error)
			error = out->key->error;
		else
			error = key_validate_locked(out->key);
	}
	if (error)
		return error;
	return flags & KEY_ANY_PERMISSION ? 0 : key_permission(*out, cred, need);
}

/* --- clone, execve, new ids --- */

bool keys_clone_changes(const struct cred *cred, uint64_t clone_flags)
{
	return cred->thread_keyring ||
	       (cred->process_keyring && !(clone_flags & LINUX_CLONE_THREAD));
}

int keys_clone(struct cred *cred, uint64_t clone_flags)
{
	bool had = cred->thread_keyring;

	key_put(steal_pointer(&cred->thread_keyring));
	if (!(clone_flags & LINUX_CLONE_THREAD))
		key_put(steal_pointer(&cred->process_keyring));
	else if (had)
		return keyring_new(cred, "_tid", 0, KEY_QUOTA_OVERRUN, &cred->thread_keyring);
	return 0;
}

void keys_exec(struct cred *cred)
{
	key_put(steal_pointer(&cred->thread_keyring));
	key_put(steal_pointer(&cred->process_keyring));
}

void keys_follow_ids(struct cred *cred)
{
	if (!cred->thread_keyring)
		return;
	mutex_guard(&g_keys_lock);
	cred->thread_keyring->uid = cred->fsuid;
	cred->thread_keyring->gid = cred->fsgid;
}
