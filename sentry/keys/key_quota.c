/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the keys of each user count (keyrings(7), /proc/sys/kernel/keys), and what all keys together
 * may hold of the sentry's memory: a bound that Linux has not, since its memory is the machine's.
 * It counts for the sandbox's limit as all of the sentry's heap does.
 */
#include "sentry/keys/key.h"

#include "base/text_writer.h"
#include "sentry/kernel/user_namespace.h"
#include "sentry/mm/memory_file.h"
#include "sentry/mm/memory_held.h"

#include <errno.h>
#include <stdlib.h>

#define KEYS_MEMORY_MAX (64ul << 20)

struct key_user {
	RB_ENTRY(key_user) entry;
	uint64_t domain;
	uint32_t uid;
	size_t keys; /* the user is gone with its last key */
	size_t counted_keys, counted_bytes;
};

static int key_user_compare(const struct key_user *a, const struct key_user *b)
{
	if (a->domain != b->domain)
		return a->domain < b->domain ? -1 : 1;
	return a->uid < b->uid ? -1 : a->uid > b->uid;
}

RB_HEAD(key_users, key_user);
RB_GENERATE_INTERNAL(key_users, key_user, entry, key_user_compare, static unused_)

_Atomic int64_t g_key_limits[KEY_LIMITS] = {
	[KEY_MAXKEYS] = 200,
	[KEY_MAXBYTES] = 20000,
	[KEY_ROOT_MAXKEYS] = 1000000,
	[KEY_ROOT_MAXBYTES] = 25000000,
	[KEY_GC_DELAY] = 300,
	[KEY_PERSISTENT_EXPIRY] = 3 * 24 * 3600,
};

static struct key_users g_users = RB_INITIALIZER(&g_users); /* g_keys_lock */
static size_t g_memory;					    /* g_keys_lock */

static size_t max_keys(const struct key_user *user)
{
	return (size_t)g_key_limits[user->uid ? KEY_MAXKEYS : KEY_ROOT_MAXKEYS];
}

static size_t max_bytes(const struct key_user *user)
{
	return (size_t)g_key_limits[user->uid ? KEY_MAXBYTES : KEY_ROOT_MAXBYTES];
}

int key_memory_add_locked(size_t size)
{
	mutex_assert_held(&g_keys_lock);
	size += KEY_ALLOCATION_OVERHEAD;
	if (size > KEYS_MEMORY_MAX - g_memory)
		return -ENOMEM;
	g_memory += size;
	memory_held_note(size);
	return 0;
}

int keys_check_room(size_t size)
{
	return memory_file_has_room(size + sizeof(struct key) + KEY_DESCRIPTION_SIZE) ? 0 : -ENOMEM;
}

void key_memory_remove_locked(size_t size)
{
	mutex_assert_held(&g_keys_lock);
	g_memory -= size + KEY_ALLOCATION_OVERHEAD;
}

static void user_drop_if_unused(struct key_user *user)
{
	if (user->keys)
		return;
	RB_REMOVE(key_users, &g_users, user);
	free(user);
}

static struct key_user *user_of(uint64_t domain, uint32_t uid)
{
	struct key_user wanted = {.domain = domain, .uid = uid}, *user;

	user = RB_FIND(key_users, &g_users, &wanted);
	if (user)
		return user;
	user = malloc(sizeof(*user));
	if (!user)
		return NULL;
	*user = wanted;
	RB_INSERT(key_users, &g_users, user);
	return user;
}

int key_user_charge_locked(
	uint64_t domain, uint32_t uid, size_t size, enum key_quota quota, struct key_user **out)
{
	struct key_user *user = user_of(domain, uid);

	if (!user)
		return -ENOMEM;
	if (quota == KEY_QUOTA && (user->counted_keys + 1 > max_keys(user) ||
					  user->counted_bytes + size > max_bytes(user))) {
		user_drop_if_unused(user);
		return -EDQUOT;
	}
	user->keys++;
	if (quota != KEY_QUOTA_NOT) {
		user->counted_keys++;
		user->counted_bytes += size;
	}
	*out = user;
	return 0;
}

void key_user_uncharge_locked(struct key_user *user, size_t size, bool counted)
{
	user->keys--;
	if (counted) {
		user->counted_keys--;
		user->counted_bytes -= size;
	}
	user_drop_if_unused(user);
}

int key_user_resize_locked(struct key_user *user, size_t from, size_t to)
{
	if (to > from && user->counted_bytes + (to - from) > max_bytes(user))
		return -EDQUOT;
	user->counted_bytes = user->counted_bytes - from + to;
	return 0;
}

void key_users_show(uint64_t domain, const struct user_namespace *ns, struct text_writer *out)
{
	struct key_user *user;

	mutex_guard(&g_keys_lock);
	RB_FOREACH (user, key_users, &g_users) {
		if (user->domain != domain || !user_namespace_has_uid(ns, user->uid))
			continue;
		text_printf(out, "%5u: %5zu %zu/%zu %zu/%zu %zu/%zu\n",
			user_namespace_show_uid(ns, user->uid), user->keys + 1, user->keys,
			user->keys, user->counted_keys, max_keys(user), user->counted_bytes,
			max_bytes(user));
	}
}
