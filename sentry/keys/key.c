/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys as objects: numbers, types, payloads, ends.
 *
 * Nothing runs in the background: expired and revoked keys leave their keyrings at the next call
 * that looks for keys after /proc/sys/kernel/keys/gc_delay. Types are keyring, user, logon and
 * big_key.
 */
#include "sentry/keys/key.h"

#include "abi/time.h"
#include "sentry/kernel/random.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/user_namespace.h"
#include "sentry/lock_order.h"
#include "sentry/time/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SERIAL_LEAST	3
#define NS_PER_SECOND	1000000000
#define USER_PAYLOAD	32767
#define BIG_KEY_PAYLOAD ((1ul << 20) - 1)
#define BIG_KEY_QUOTA	16

REFCOUNT_TYPE(key_refs, "key");

const struct key_type key_type_keyring = {.name = "keyring", .readable = true};

static const struct key_type *const types[] = {
	&key_type_keyring,
	&(const struct key_type){
		.name = "user", .payload_max = USER_PAYLOAD, .readable = true, .updatable = true},
	&(const struct key_type){.name = "logon",
		.payload_max = USER_PAYLOAD,
		.updatable = true,
		.needs_prefix = true},
	&(const struct key_type){.name = "big_key",
		.payload_max = BIG_KEY_PAYLOAD,
		.quota_size = BIG_KEY_QUOTA,
		.readable = true,
		.updatable = true},
};

static int serial_compare(const struct key *a, const struct key *b)
{
	return a->serial < b->serial ? -1 : a->serial > b->serial;
}

RB_HEAD(key_tree, key);
RB_GENERATE_INTERNAL(key_tree, key, by_serial, serial_compare, static unused_)
STAILQ_HEAD(key_queue, key);

struct mutex g_keys_lock;
static struct key_tree g_keys = RB_INITIALIZER(&g_keys); /* g_keys_lock */
static _Atomic int64_t g_next_collection = KEY_NEVER;	 /* g_keys_lock to write */

__attribute__((constructor)) static void keys_init(void)
{
	mutex_init(&g_keys_lock, RANK_KEYS, "keys");
}

int64_t keys_now(void)
{
	return clock_now(LINUX_CLOCK_REALTIME) / NS_PER_SECOND;
}

const struct key_type *key_type_lookup(const char *name)
{
	for (size_t i = 0; i < array_count(types); i++)
		if (!strcmp(types[i]->name, name))
			return types[i];
	return NULL;
}

int key_type_check_payload(const struct key_type *type, size_t size)
{
	if (size > type->payload_max || (type->payload_max && !size))
		return -EINVAL;
	return 0;
}

/* --- references and ends --- */

struct key *key_get(struct key *key)
{
	if (key)
		refcount_get(&key->refs);
	return key;
}

static size_t memory_of(const struct key *key)
{
	return sizeof(*key) + KEY_ALLOCATION_OVERHEAD + strlen(key->description) + 1;
}

static void drop_payload(struct key *key)
{
	if (!key->payload)
		return;
	explicit_bzero(key->payload, key->payload_size);
	free(steal_pointer(&key->payload));
	key_memory_remove_locked(key->payload_size);
	key->payload_size = 0;
}

/* A keyring's keys go with it if nothing else holds them, and theirs: one after the other, since
 * guests choose how deep they nest. */
static void release_locked(struct key *last)
{
	struct key_queue queue = STAILQ_HEAD_INITIALIZER(queue);
	struct key *key;
	struct key_link *link;

	STAILQ_INSERT_TAIL(&queue, last, queued);
	while ((key = STAILQ_FIRST(&queue))) {
		STAILQ_REMOVE_HEAD(&queue, queued);
		while ((link = RB_ROOT(&key->links))) {
			struct key *held = link->key;

			RB_REMOVE(key_links, &key->links, link);
			LIST_REMOVE(link, of_key);
			free(link);
			key_memory_remove_locked(sizeof(*link));
			if (refcount_put(&held->refs))
				STAILQ_INSERT_TAIL(&queue, held, queued);
		}
		RB_REMOVE(key_tree, &g_keys, key);
		key_user_uncharge_locked(key->user, key->quota_size, key->flags & KEY_IN_QUOTA);
		drop_payload(key);
		key_memory_remove_locked(memory_of(key));
		free(key->description);
		free(key);
	}
}

void key_put_locked(struct key *key)
{
	mutex_assert_held(&g_keys_lock);
	if (key && refcount_put(&key->refs))
		release_locked(key);
}

void key_put(struct key *key)
{
	if (!key)
		return;
	/* The last one goes under the lock, so that whoever finds a key there may take one. */
	mutex_guard(&g_keys_lock);
	key_put_locked(key);
}

/* --- collection --- */

static void collect_by(int64_t seconds)
{
	int64_t at;

	if (seconds == KEY_NEVER ||
		__builtin_add_overflow(seconds, g_key_limits[KEY_GC_DELAY], &at))
		return;
	if (at < g_next_collection)
		g_next_collection = at;
}

static bool is_past(const struct key *key, int64_t now)
{
	int64_t end = key->flags & KEY_REVOKED ? key->revoked_at : key->expiry, at;

	return end != KEY_NEVER && !__builtin_add_overflow(end, g_key_limits[KEY_GC_DELAY], &at) &&
	       now >= at;
}

static void unlink_everywhere(struct key *key)
{
	struct key_link *link;

	while ((link = LIST_FIRST(&key->linked_from)))
		key_link_remove_locked(link);
}

void keys_collect(void)
{
	struct key_queue past = STAILQ_HEAD_INITIALIZER(past);
	int64_t now = keys_now();
	struct key *key;

	if (now < g_next_collection)
		return;
	mutex_guard(&g_keys_lock);
	g_next_collection = KEY_NEVER;
	RB_FOREACH (key, key_tree, &g_keys) {
		if (LIST_EMPTY(&key->linked_from))
			continue;
		if (is_past(key, now)) {
			(void)key_get(key);
			STAILQ_INSERT_TAIL(&past, key, queued);
		} else {
			collect_by(key->flags & KEY_REVOKED ? key->revoked_at : key->expiry);
		}
	}
	while ((key = STAILQ_FIRST(&past))) {
		STAILQ_REMOVE_HEAD(&past, queued);
		unlink_everywhere(key);
		key_put_locked(key);
	}
}

/* --- making --- */

static void insert_with_serial(struct key *key)
{
	do {
		random_bytes(&key->serial, sizeof(key->serial));
		key->serial &= INT32_MAX;
	} while (key->serial < SERIAL_LEAST || RB_INSERT(key_tree, &g_keys, key));
}

static bool description_is_fine(const struct key_type *type, const char *description)
{
	const char *colon = strchr(description, ':');

	return *description && (!type->needs_prefix || (colon && colon != description));
}

static int charge_new(struct key *key, enum key_quota quota)
{
	int error = key_memory_add_locked(memory_of(key));

	if (error)
		return error;
	key->quota_size = strlen(key->description) + 1;
	error = key_user_charge_locked(key->domain, key->uid, key->quota_size, quota, &key->user);
	if (error)
		key_memory_remove_locked(memory_of(key));
	return error;
}

int key_alloc_locked(const struct key_new *how, struct key **out)
{
	struct key *key;
	int error = -ENOMEM;

	mutex_assert_held(&g_keys_lock);
	if (!description_is_fine(how->type, how->description))
		return -EINVAL;
	key = calloc(1, sizeof(*key));
	if (!key)
		return -ENOMEM;
	*key = (struct key){.type = how->type,
		.description = strdup(how->description),
		.domain = how->domain,
		.uid = how->uid,
		.gid = how->gid,
		.perm = how->perm,
		.flags = how->flags | (how->quota == KEY_QUOTA_NOT ? 0 : KEY_IN_QUOTA),
		.expiry = KEY_NEVER,
		.named_in = user_namespace_inode(current_cred()->user_ns)};
	if (key->description)
		error = charge_new(key, how->quota);
	if (error) {
		free(key->description);
		free(key);
		return error;
	}
	RB_INIT(&key->links);
	LIST_INIT(&key->linked_from);
	refcount_init(&key->refs, &key_refs);
	insert_with_serial(key);
	*out = key;
	return 0;
}

int key_reserve_locked(struct key *key, size_t size)
{
	size_t quota_size = key->quota_size - key->data_size + size;
	int error = 0;

	mutex_assert_held(&g_keys_lock);
	if (key->flags & KEY_IN_QUOTA)
		error = key_user_resize_locked(key->user, key->quota_size, quota_size);
	if (error)
		return error;
	key->quota_size = quota_size;
	key->data_size = size;
	return 0;
}

int key_set_payload_locked(struct key *key, void **payload, size_t size, bool update)
{
	size_t counted = key->type->quota_size && !update ? key->type->quota_size : size;
	int error = key_memory_add_locked(size);

	if (error)
		return error;
	error = key_reserve_locked(key, counted);
	if (error) {
		key_memory_remove_locked(size);
		return error;
	}
	drop_payload(key);
	key->payload = steal_pointer(payload);
	key->payload_size = size;
	key->error = 0;
	if (update)
		key->expiry = KEY_NEVER;
	return 0;
}

/* --- looking, changing --- */

struct key *key_find_locked(uint64_t domain, int32_t serial)
{
	struct key wanted = {.serial = serial}, *key;

	mutex_assert_held(&g_keys_lock);
	key = RB_FIND(key_tree, &g_keys, &wanted);
	return key && key->domain == domain ? key : NULL;
}

struct key *key_next_locked(struct key *key)
{
	mutex_assert_held(&g_keys_lock);
	return key ? RB_NEXT(key_tree, &g_keys, key) : RB_MIN(key_tree, &g_keys);
}

int key_validate_locked(const struct key *key)
{
	if (key->flags & KEY_INVALIDATED)
		return -ENOKEY;
	if (key->flags & KEY_REVOKED)
		return -EKEYREVOKED;
	return key->expiry != KEY_NEVER && keys_now() >= key->expiry ? -EKEYEXPIRED : 0;
}

void key_revoke_locked(struct key *key)
{
	mutex_assert_held(&g_keys_lock);
	if (key->flags & KEY_REVOKED)
		return;
	key->flags |= KEY_REVOKED;
	key->revoked_at = keys_now();
	collect_by(key->revoked_at);
	if (key->type == &key_type_keyring)
		keyring_drop_links_locked(key);
	else
		drop_payload(key);
	(void)!key_reserve_locked(key, 0);
}

void key_invalidate_locked(struct key *key)
{
	mutex_assert_held(&g_keys_lock);
	key->flags |= KEY_INVALIDATED;
	refcount_get(&key->refs);
	unlink_everywhere(key);
	key_put_locked(key);
}

void key_set_timeout_locked(struct key *key, uint64_t seconds)
{
	mutex_assert_held(&g_keys_lock);
	key->expiry = seconds ? keys_now() + (int64_t)seconds : KEY_NEVER;
	collect_by(key->expiry);
}

int key_chown_locked(struct key *key, uint32_t uid)
{
	bool counted = key->flags & KEY_IN_QUOTA;
	struct key_user *user;
	int error = key_user_charge_locked(
		key->domain, uid, key->quota_size, counted ? KEY_QUOTA : KEY_QUOTA_NOT, &user);

	if (error)
		return error;
	key_user_uncharge_locked(key->user, key->quota_size, counted);
	key->user = user;
	key->uid = uid;
	return 0;
}
