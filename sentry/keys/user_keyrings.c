/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keyrings that belong to users: user-keyring(7), user-session-keyring(7), persistent-keyring(7).
 *
 * They hang below one register for each user namespace and container, and end with it.
 */
#include "sentry/keys/key.h"

#include "sentry/kernel/task.h"
#include "sentry/kernel/user_namespace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define NAME_SIZE  32
#define OWNED_PERM (LINUX_KEY_POSSES(LINUX_KEY_ALL & ~LINUX_KEY_SETATTR))

struct key_register {
	LIST_ENTRY(key_register) entry;
	const struct user_namespace *user_ns; /* forgotten before it ends */
	uint64_t domain;
	struct key *keyring; /* a reference */
};

static LIST_HEAD(, key_register) g_registers = LIST_HEAD_INITIALIZER(g_registers); /* g_keys_lock */

static struct key_register *register_find(const struct user_namespace *ns, uint64_t domain)
{
	struct key_register *known;

	LIST_FOREACH (known, &g_registers, entry)
		if (known->user_ns == ns && known->domain == domain)
			return known;
	return NULL;
}

static int register_get(const struct user_namespace *ns, uint64_t domain, struct key **out)
{
	struct key_register *known = register_find(ns, domain);
	struct key_new how = {.type = &key_type_keyring,
		.description = ".user_reg",
		.domain = domain,
		.gid = 0,
		.perm = LINUX_KEY_POSSES(LINUX_KEY_WRITE | LINUX_KEY_SEARCH),
		.quota = KEY_QUOTA_NOT};
	int error;

	if (known) {
		*out = known->keyring;
		return 0;
	}
	known = malloc(sizeof(*known));
	if (!known)
		return -ENOMEM;
	*known = (struct key_register){.user_ns = ns, .domain = domain};
	error = key_alloc_locked(&how, &known->keyring);
	if (error) {
		free(known);
		return error;
	}
	LIST_INSERT_HEAD(&g_registers, known, entry);
	*out = known->keyring;
	return 0;
}

static void register_free(struct key_register *known)
{
	LIST_REMOVE(known, entry);
	key_put_locked(known->keyring);
	free(known);
}

void keys_forget_user_namespace(const struct user_namespace *ns)
{
	struct key_register *known, *next;

	mutex_guard(&g_keys_lock);
	for (known = LIST_FIRST(&g_registers); known; known = next) {
		next = LIST_NEXT(known, entry);
		if (known->user_ns == ns)
			register_free(known);
	}
}

void keys_forget_domain(uint64_t domain)
{
	struct key_register *known, *next;

	mutex_guard(&g_keys_lock);
	for (known = LIST_FIRST(&g_registers); known; known = next) {
		next = LIST_NEXT(known, entry);
		if (known->domain == domain)
			register_free(known);
	}
}

/* As in the names of keyrings: an unmapped one is nobody's, not that of the overflow user. */
static uint32_t uid_in(const struct user_namespace *ns, uint32_t uid)
{
	return user_namespace_has_uid(ns, uid) ? user_namespace_show_uid(ns, uid) : UINT32_MAX;
}

/* The valid one of this name in the register. -EAGAIN. */
static int find_in(struct key *registered, const char *name, struct key **out)
{
	struct key_search search = {
		.type = &key_type_keyring, .description = name, .check_state = true};
	struct key_ref found;
	int error = keyring_search_locked((struct key_ref){registered, true}, &search, &found);

	if (!error)
		*out = found.key;
	return error;
}

static int find_or_make(struct key *registered, const struct key_new *how, struct key **out)
{
	int error = find_in(registered, how->description, out);

	if (error != -EAGAIN)
		return error;
	error = key_alloc_locked(how, out);
	if (error)
		return error;
	error = keyring_link_locked(registered, *out);
	key_put_locked(*out); /* the register's holds it, or it is gone */
	return error;
}

int keys_user_keyrings_locked(struct key **user, struct key **user_session)
{
	const struct cred *cred = current_cred();
	char name[NAME_SIZE];
	struct key_new how = {.type = &key_type_keyring,
		.description = name,
		.domain = keys_domain(),
		.uid = cred->uid,
		.gid = KEY_NO_GROUP,
		.perm = OWNED_PERM | LINUX_KEY_USER(LINUX_KEY_ALL),
		.flags = KEY_UID_KEYRING};
	uint32_t uid = uid_in(cred->user_ns, cred->uid);
	struct key *registered, *own, *session;
	int error = register_get(cred->user_ns, how.domain, &registered);

	if (error)
		return error;
	(void)snprintf(name, sizeof(name), "_uid.%u", uid);
	error = find_or_make(registered, &how, &own);
	if (error)
		return error;
	(void)snprintf(name, sizeof(name), "_uid_ses.%u", uid);
	error = find_in(registered, name, &session);
	if (error == -EAGAIN) {
		error = find_or_make(registered, &how, &session);
		if (!error)
			error = keyring_link_locked(session, own);
	}
	if (error)
		return error;
	if (user)
		*user = own;
	if (user_session)
		*user_session = session;
	return 0;
}

struct key *keys_user_session_if_any_locked(const struct cred *cred)
{
	struct key_register *known = register_find(cred->user_ns, keys_domain());
	char name[NAME_SIZE];
	struct key *session;

	if (!known)
		return NULL;
	(void)snprintf(name, sizeof(name), "_uid_ses.%u", uid_in(cred->user_ns, cred->uid));
	return find_in(known->keyring, name, &session) ? NULL : session;
}

int keys_persistent_locked(uint32_t uid, struct key **out)
{
	const struct user_namespace *ns = current_cred()->user_ns;
	char name[NAME_SIZE];
	struct key_new how = {.type = &key_type_keyring,
		.description = name,
		.domain = keys_domain(),
		.uid = uid,
		.gid = KEY_NO_GROUP,
		.perm = OWNED_PERM | LINUX_KEY_USER(LINUX_KEY_VIEW | LINUX_KEY_READ),
		.quota = KEY_QUOTA_NOT};
	struct key *registered;
	int error = register_get(ns, how.domain, &registered);

	if (error)
		return error;
	(void)snprintf(name, sizeof(name), "_persistent.%u", uid_in(ns, uid));
	return find_or_make(registered, &how, out);
}
