/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queues of pending signals, and what each user may have in them (RLIMIT_SIGPENDING).
 *
 * Differs from Linux: the count is kept for each real user of the sandbox, not for each user in
 * each user namespace.
 */
#include "sentry/kernel/signal_private.h"
#include "sentry/lock_order.h"
#include "sentry/time/posix_timer.h"

#include <bsd/sys/tree.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How many entries a user has queued. */
struct signal_user {
	RB_ENTRY(signal_user) node;
	uint32_t uid;
	uint64_t count;
};

RB_HEAD(signal_users, signal_user);

static struct {
	struct mutex lock; /* RANK_LEAF */
	struct signal_users tree;
} users;

static int user_compare(const struct signal_user *a, const struct signal_user *b)
{
	return a->uid < b->uid ? -1 : a->uid > b->uid;
}

RB_GENERATE_INTERNAL(signal_users, signal_user, node, user_compare, unused_ static)

__attribute__((constructor)) static void users_init(void)
{
	mutex_init(&users.lock, RANK_LEAF, "signal users");
	RB_INIT(&users.tree);
}

static struct signal_user *user_find_or_add_locked(uint32_t uid)
{
	struct signal_user key = {.uid = uid};
	struct signal_user *user = RB_FIND(signal_users, &users.tree, &key);

	if (user)
		return user;
	user = calloc(1, sizeof(*user));
	if (!user)
		return NULL;
	user->uid = uid;
	RB_INSERT(signal_users, &users.tree, user);
	return user;
}

bool signal_user_charge(uint32_t uid, uint64_t limit)
{
	mutex_guard(&users.lock);
	struct signal_user *user = user_find_or_add_locked(uid);

	if (!user || user->count >= limit)
		return false;
	user->count++;
	return true;
}

void signal_user_uncharge(uint32_t uid)
{
	mutex_guard(&users.lock);
	struct signal_user key = {.uid = uid};
	struct signal_user *user = RB_FIND(signal_users, &users.tree, &key);

	if (user && --user->count == 0) {
		RB_REMOVE(signal_users, &users.tree, user);
		free(user);
	}
}

uint64_t signal_user_count(uint32_t uid)
{
	mutex_guard(&users.lock);
	struct signal_user key = {.uid = uid};
	struct signal_user *user = RB_FIND(signal_users, &users.tree, &key);

	return user ? user->count : 0;
}

void signal_pending_init(struct signal_pending *pending)
{
	pending->set = 0;
	TAILQ_INIT(&pending->queue);
}

static void entry_release(struct signal_entry *entry)
{
	if (entry->preallocated) {
		entry->queued = NULL;
		return;
	}
	signal_user_uncharge(entry->charged_uid);
	free(entry);
}

void signal_pending_destroy(struct signal_pending *pending)
{
	signal_pending_flush(pending, ~(linux_sigset_t)0);
}

int signal_pending_add(struct signal_pending *pending, const struct linux_siginfo *info,
	uint32_t uid, uint64_t limit)
{
	int signal = info->si_signo;
	bool standard = signal < LINUX_SIGRTMIN;
	struct signal_entry *entry = NULL;

	if (standard && (pending->set & signal_bit(signal)))
		return 0;
	if (signal == LINUX_SIGKILL) {
		pending->set |= signal_bit(signal);
		return 0;
	}
	/* What the kernel sends of standard signals is never refused. */
	if (signal_user_charge(uid, standard && info->si_code >= 0 ? UINT64_MAX : limit)) {
		entry = calloc(1, sizeof(*entry));
		if (!entry)
			signal_user_uncharge(uid);
	}
	if (entry) {
		entry->info = *info;
		entry->charged_uid = uid;
		TAILQ_INSERT_TAIL(&pending->queue, entry, link);
	} else if (!standard && info->si_code != LINUX_SI_USER) {
		return -EAGAIN;
	}
	pending->set |= signal_bit(signal);
	return 0;
}

void signal_pending_add_entry(struct signal_pending *pending, struct signal_entry *entry)
{
	TAILQ_INSERT_TAIL(&pending->queue, entry, link);
	entry->queued = pending;
	pending->set |= signal_bit(entry->info.si_signo);
}

int signal_pending_next(linux_sigset_t set)
{
	if (set & SIGNALS_SYNCHRONOUS)
		set &= SIGNALS_SYNCHRONOUS;
	return set ? __builtin_ctzll(set) + 1 : 0;
}

static void entry_take(struct signal_pending *pending, struct signal_entry *entry,
	struct linux_siginfo *info, struct posix_timer **timer)
{
	TAILQ_REMOVE(&pending->queue, entry, link);
	*info = entry->info;
	*timer = entry->timer;
	entry_release(entry);
}

void signal_pending_take(struct signal_pending *pending, int signal, struct linux_siginfo *info,
	struct posix_timer **timer)
{
	struct signal_entry *entry, *first = NULL;
	bool more = false;

	*timer = NULL;
	TAILQ_FOREACH (entry, &pending->queue, link) {
		if (entry->info.si_signo != signal)
			continue;
		if (first) {
			more = true;
			break;
		}
		first = entry;
	}
	if (!more)
		pending->set &= ~signal_bit(signal);
	if (first) {
		entry_take(pending, first, info, timer);
		return;
	}
	/* Its information was lost: as if kill(2) by nobody had sent it. */
	memset(info, 0, sizeof(*info));
	info->si_signo = signal;
	info->si_code = LINUX_SI_USER;
}

int signal_pending_take_synchronous(
	struct signal_pending *pending, linux_sigset_t allowed, struct linux_siginfo *info)
{
	struct signal_entry *entry;
	struct posix_timer *timer;
	int signal = 0;

	if (!(pending->set & allowed & SIGNALS_SYNCHRONOUS))
		return 0;
	TAILQ_FOREACH (entry, &pending->queue, link) {
		/* What kill(2) sent under such a number is not synchronous. */
		if (entry->info.si_code > LINUX_SI_USER &&
			(signal_bit(entry->info.si_signo) & allowed & SIGNALS_SYNCHRONOUS)) {
			signal = entry->info.si_signo;
			break;
		}
	}
	if (!signal)
		return 0;
	struct signal_entry *taken = entry;

	pending->set &= ~signal_bit(signal);
	TAILQ_FOREACH (entry, &pending->queue, link) {
		if (entry != taken && entry->info.si_signo == signal)
			pending->set |= signal_bit(signal);
	}
	entry_take(pending, taken, info, &timer);
	return signal;
}

void signal_pending_flush(struct signal_pending *pending, linux_sigset_t set)
{
	struct signal_entry *entry, *next;

	if (!(pending->set & set))
		return;
	pending->set &= ~set;
	TAILQ_FOREACH_SAFE (entry, &pending->queue, link, next) {
		struct posix_timer *timer = entry->timer;

		if (!(signal_bit(entry->info.si_signo) & set))
			continue;
		TAILQ_REMOVE(&pending->queue, entry, link);
		entry_release(entry);
		if (timer)
			posix_timer_discarded_locked(timer);
	}
}

void signal_pending_remove_entry(struct signal_pending *pending, struct signal_entry *entry)
{
	int signal = entry->info.si_signo;
	struct signal_entry *other;

	if (entry->queued != pending)
		return;
	TAILQ_REMOVE(&pending->queue, entry, link);
	entry->queued = NULL;
	TAILQ_FOREACH (other, &pending->queue, link) {
		if (other->info.si_signo == signal)
			return;
	}
	pending->set &= ~signal_bit(signal);
}
