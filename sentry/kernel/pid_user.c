/* SPDX-License-Identifier: Apache-2.0 */
/* How many tasks each user has (RLIMIT_NPROC): each counts for its real user id. */
#include "sentry/kernel/pid.h"
#include "sentry/lock_order.h"

#include <stdlib.h>

struct pid_user {
	RB_ENTRY(pid_user) node;
	uint32_t uid;
	uint64_t count;
};

RB_HEAD(pid_user_tree, pid_user);

static struct {
	struct mutex lock; /* RANK_LEAF */
	struct pid_user_tree tree;
} users;

static int pid_user_compare(const struct pid_user *a, const struct pid_user *b)
{
	return a->uid < b->uid ? -1 : a->uid > b->uid;
}

RB_GENERATE_INTERNAL(pid_user_tree, pid_user, node, pid_user_compare, unused_ static)

__attribute__((constructor)) static void users_init(void)
{
	mutex_init(&users.lock, RANK_LEAF, "tasks of users");
	RB_INIT(&users.tree);
}

static struct pid_user *user_find_locked(uint32_t uid)
{
	struct pid_user key = {.uid = uid};

	return RB_FIND(pid_user_tree, &users.tree, &key);
}

static struct pid_user *user_add_locked(uint32_t uid)
{
	struct pid_user *user = calloc(1, sizeof(*user));

	if (!user)
		return NULL;
	user->uid = uid;
	RB_INSERT(pid_user_tree, &users.tree, user);
	return user;
}

bool pid_user_charge(uint32_t uid, uint64_t limit)
{
	struct pid_user *user;

	mutex_guard(&users.lock);
	user = user_find_locked(uid);
	if (user && user->count >= limit)
		return false;
	if (!user)
		user = user_add_locked(uid);
	if (!user)
		return false;
	user->count++;
	return true;
}

void pid_user_uncharge(uint32_t uid)
{
	struct pid_user *user;

	mutex_guard(&users.lock);
	user = user_find_locked(uid);
	if (!user || --user->count > 0)
		return;
	RB_REMOVE(pid_user_tree, &users.tree, user);
	free(user);
}

bool pid_user_over(uint32_t uid, uint64_t limit)
{
	struct pid_user *user;

	mutex_guard(&users.lock);
	user = user_find_locked(uid);
	return user && user->count > limit;
}
