/* SPDX-License-Identifier: Apache-2.0 */
/* Counts of users: a node for each one that has anything. */
#include "sentry/kernel/user_count.h"

#include "base/lock.h"
#include "sentry/lock_order.h"

#include <bsd/sys/tree.h>
#include <stdlib.h>

struct user_count {
	RB_ENTRY(user_count) node;
	uint32_t uid;
	uint64_t amounts[USER_RESOURCES];
};

RB_HEAD(user_count_tree, user_count);

static struct {
	struct mutex lock; /* RANK_LEAF */
	struct user_count_tree tree;
} users;

static int user_count_compare(const struct user_count *a, const struct user_count *b)
{
	return a->uid < b->uid ? -1 : a->uid > b->uid;
}

RB_GENERATE_INTERNAL(user_count_tree, user_count, node, user_count_compare, unused_ static)

__attribute__((constructor)) static void users_init(void)
{
	mutex_init(&users.lock, RANK_LEAF, "counts of users");
	RB_INIT(&users.tree);
}

static struct user_count *find_locked(uint32_t uid)
{
	struct user_count key = {.uid = uid};

	return RB_FIND(user_count_tree, &users.tree, &key);
}

static struct user_count *find_or_add_locked(uint32_t uid)
{
	struct user_count *user = find_locked(uid);

	if (user)
		return user;
	user = calloc(1, sizeof(*user));
	if (!user)
		return NULL;
	user->uid = uid;
	RB_INSERT(user_count_tree, &users.tree, user);
	return user;
}

static void free_if_unused_locked(struct user_count *user)
{
	for (int i = 0; i < USER_RESOURCES; i++)
		if (user->amounts[i])
			return;
	RB_REMOVE(user_count_tree, &users.tree, user);
	free(user);
}

bool user_count_add(enum user_resource resource, uint32_t uid, uint64_t amount, uint64_t limit)
{
	struct user_count *user;

	mutex_guard(&users.lock);
	user = find_or_add_locked(uid);
	if (!user)
		return false;
	if (user->amounts[resource] > limit || amount > limit - user->amounts[resource]) {
		free_if_unused_locked(user);
		return false;
	}
	user->amounts[resource] += amount;
	return true;
}

void user_count_remove(enum user_resource resource, uint32_t uid, uint64_t amount)
{
	struct user_count *user;

	mutex_guard(&users.lock);
	user = find_locked(uid);
	if (!user)
		return;
	user->amounts[resource] -= min_u64(amount, user->amounts[resource]);
	free_if_unused_locked(user);
}

uint64_t user_count_of(enum user_resource resource, uint32_t uid)
{
	struct user_count *user;

	mutex_guard(&users.lock);
	user = find_locked(uid);
	return user ? user->amounts[resource] : 0;
}
