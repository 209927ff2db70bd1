/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queues of pending signals, and what each user may have in them (RLIMIT_SIGPENDING).
 *
 * Differs from Linux: the count is kept for each real user of the sandbox, not for each user in
 * each user namespace.
 */
#include "sentry/kernel/signal_private.h"
#include "sentry/kernel/user_count.h"
#include "sentry/time/posix_timer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
	user_count_remove(USER_SIGNALS, entry->charged_uid, 1);
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
	if (user_count_add(
		    USER_SIGNALS, uid, 1, standard && info->si_code >= 0 ? UINT64_MAX : limit)) {
		entry = calloc(1, sizeof(*entry));
		if (!entry)
			user_count_remove(USER_SIGNALS, uid, 1);
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
