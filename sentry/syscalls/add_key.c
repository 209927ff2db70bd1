/* SPDX-License-Identifier: Apache-2.0 */
/* add_key(2) and request_key(2). */
#include "sentry/syscalls/keyctl.h"

#include "base/cleanup.h"
#include "sentry/kernel/task.h"
#include "sentry/syscalls/syscalls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int make_key(struct key *keyring, const struct key_type *type, const char *description,
	void **payload, size_t size, struct key **out)
{
	uint32_t perm = LINUX_KEY_VIEW | LINUX_KEY_SEARCH | LINUX_KEY_LINK | LINUX_KEY_SETATTR;
	struct key_new how = {.type = type,
		.description = description,
		.domain = keys_domain(),
		.uid = current_cred()->fsuid,
		.gid = current_cred()->fsgid};
	int error;

	if (type->readable)
		perm |= LINUX_KEY_READ;
	if (type->updatable || type == &key_type_keyring)
		perm |= LINUX_KEY_WRITE;
	how.perm = LINUX_KEY_POSSES(perm) | LINUX_KEY_USER(LINUX_KEY_VIEW);
	error = key_alloc_locked(&how, out);
	if (error)
		return error;
	if (size)
		error = key_set_payload_locked(*out, payload, size, false);
	if (!error)
		error = keyring_link_locked(keyring, *out);
	key_put_locked(*out); /* the keyring's holds it, or it is gone */
	return error;
}

/* Updates the key of this name, or makes one. Its number. */
static int64_t add_to(struct key_ref ring, const char *type_name, const char *description,
	void **payload, size_t size)
{
	const struct key_type *type = key_type_lookup(type_name);
	struct key_link *link;
	struct key *key;
	int error;

	if (!type)
		return -ENODEV;
	if (ring.key->type != &key_type_keyring)
		return -ENOTDIR;
	error = key_type_check_payload(type, size);
	if (error || !description[0])
		return -EINVAL;
	if (ring.key->flags & KEY_RESTRICTED)
		return -EPERM;
	link = type->updatable ? keyring_link_of(ring.key, type, description) : NULL;
	if (link && !(link->key->flags & (KEY_INVALIDATED | KEY_REVOKED))) {
		key = link->key;
		error = key_permission(
			(struct key_ref){key, ring.possessed}, current_cred(), LINUX_KEY_WRITE);
		if (!error)
			error = key_set_payload_locked(key, payload, size, true);
	} else {
		error = make_key(ring.key, type, description, payload, size, &key);
	}
	return error ? error : key->serial;
}

static int copy_description(struct task *task, gaddr_t address, const char *type,
	char description[KEY_DESCRIPTION_SIZE])
{
	int error;

	description[0] = '\0';
	if (!address)
		return 0;
	error = keyctl_copy_text(task, address, description);
	if (error)
		return error;
	return description[0] == '.' && !strncmp(type, "keyring", strlen("keyring")) ? -EPERM : 0;
}

int64_t sys_add_key(struct task *task, const uint64_t args[6])
{
	uninitialized_ char type[KEY_TYPE_SIZE], description[KEY_DESCRIPTION_SIZE];
	int32_t ring_id = (int32_t)args[4];
	size_t size = args[3];
	auto_free void *payload = NULL;
	struct key_ref ring;
	int error;

	if (size > KEY_PAYLOAD_MAX)
		return -EINVAL;
	keys_collect();
	error = keys_check_room(size);
	if (!error)
		error = keyctl_copy_type(task, args[0], type);
	if (!error)
		error = copy_description(task, args[1], type, description);
	if (!error)
		error = keyctl_copy_payload(task, args[2], size, &payload);
	if (!error)
		error = key_prepare(ring_id, true);
	if (error)
		return error;
	mutex_guard(&g_keys_lock);
	error = key_lookup_locked(ring_id, 0, LINUX_KEY_WRITE, &ring);
	return error ? error : add_to(ring, type, description, &payload, size);
}

int64_t sys_request_key(struct task *task, const uint64_t args[6])
{
	uninitialized_ char type[KEY_TYPE_SIZE], description[KEY_DESCRIPTION_SIZE],
		callout[KEY_DESCRIPTION_SIZE];
	int error;

	keys_collect();
	error = keys_check_room(0);
	if (!error)
		error = keyctl_copy_type(task, args[0], type);
	if (!error)
		error = keyctl_copy_text(task, args[1], description);
	if (!error && args[2])
		error = keyctl_copy_text(task, args[2], callout);
	return error ? error : key_request(type, description, args[2], (int32_t)args[3]);
}
