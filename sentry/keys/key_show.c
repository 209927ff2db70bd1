/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/keys: what the reader may view (keyrings(7)). */
#include "sentry/keys/key.h"

#include "base/text_writer.h"
#include "sentry/kernel/user_namespace.h"

#include <stdio.h>

#define MINUTE	  60
#define HOUR	  (60 * MINUTE)
#define DAY	  (24 * HOUR)
#define WEEK	  (7 * DAY)
#define TIME_SIZE 32

static void format_expiry(const struct key *key, int64_t now, char out[TIME_SIZE])
{
	static const struct {
		int64_t below, unit;
		char letter;
	} scales[] = {
		{MINUTE, 1, 's'},
		{HOUR, MINUTE, 'm'},
		{DAY, HOUR, 'h'},
		{WEEK, DAY, 'd'},
		{INT64_MAX, WEEK, 'w'},
	};
	int64_t left = key->expiry - now;
	size_t i = 0;

	if (key->expiry == KEY_NEVER || left <= 0) {
		(void)snprintf(out, TIME_SIZE, "%s", key->expiry == KEY_NEVER ? "perm" : "expd");
		return;
	}
	while (left >= scales[i].below)
		i++;
	(void)snprintf(
		out, TIME_SIZE, "%lld%c", (long long)(left / scales[i].unit), scales[i].letter);
}

static void describe(const struct key *key, struct text_writer *out)
{
	text_printf(out, "%s", key->description);
	if (key->error)
		return;
	if (key->type != &key_type_keyring)
		text_printf(out, ": %zu", key->data_size);
	else if (key->link_count)
		text_printf(out, ": %zu", key->link_count);
	else
		text_printf(out, ": empty");
}

static void show_key(const struct key *key, const struct user_namespace *ns, int64_t now,
	struct text_writer *out)
{
	char expiry[TIME_SIZE];

	format_expiry(key, now, expiry);
	text_printf(out, "%08x I%c-%c-%c%c %5u %4s %08x %5u %5u %-9.9s ", (unsigned int)key->serial,
		key->flags & KEY_REVOKED ? 'R' : '-', key->flags & KEY_IN_QUOTA ? 'Q' : '-',
		key->error ? 'N' : '-', key->flags & KEY_INVALIDATED ? 'i' : '-',
		refcount_read(&key->refs), expiry, key->perm, user_namespace_show_uid(ns, key->uid),
		user_namespace_show_gid(ns, key->gid), key->type->name);
	describe(key, out);
	text_append(out, "\n", 1);
}

void keys_show(const struct cred *cred, const struct user_namespace *ns, struct text_writer *out)
{
	uint64_t domain = keys_domain(), mark;
	int64_t now = keys_now();
	struct key *key = NULL;

	mutex_guard(&g_keys_lock);
	mark = keys_mark_possessed_locked(cred);
	while ((key = key_next_locked(key))) {
		struct key_ref ref = {key, false};

		if (key->domain != domain || !user_namespace_has_uid(ns, key->uid))
			continue;
		if (key->perm & LINUX_KEY_POSSES(LINUX_KEY_VIEW))
			ref.possessed = key->possessed_mark == mark;
		if (!key_permission(ref, cred, LINUX_KEY_VIEW))
			show_key(key, ns, now, out);
	}
}
