/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dispositions of signals: struct sighand, sigaction(2), and finding the lock of somebody else's
 * signals.
 *
 * A sighand that is not used any more goes to a list and never back to the heap, so that
 * task_lock_signals() may lock what a pointer led to a moment ago, and then look whether it still
 * does.
 */
#include "sentry/kernel/signal_private.h"
#include "sentry/lock_order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

REFCOUNT_TYPE(sighand_refs, "sighand");

struct free_sighand {
	SLIST_ENTRY(free_sighand) link;
	struct sighand sighand;
};

static struct {
	struct mutex lock; /* RANK_LEAF */
	SLIST_HEAD(, free_sighand) list;
} pool;

__attribute__((constructor)) static void pool_init(void)
{
	mutex_init(&pool.lock, RANK_LEAF, "sighand pool");
	SLIST_INIT(&pool.list);
}

static struct sighand *sighand_allocate(void)
{
	struct free_sighand *slot;

	mutex_lock(&pool.lock);
	slot = SLIST_FIRST(&pool.list);
	if (slot)
		SLIST_REMOVE_HEAD(&pool.list, link);
	mutex_unlock(&pool.lock);
	if (!slot) {
		slot = calloc(1, sizeof(*slot));
		if (!slot)
			return NULL;
		mutex_init(&slot->sighand.lock, RANK_SIGHAND, "sighand");
		wait_queue_init(&slot->sighand.signalfd_queue);
	}
	refcount_init(&slot->sighand.refs, &sighand_refs);
	return &slot->sighand;
}

int sighand_new(struct sighand **out)
{
	struct sighand *sighand = sighand_allocate();

	if (!sighand)
		return -ENOMEM;
	memset(sighand->actions, 0, sizeof(sighand->actions));
	*out = sighand;
	return 0;
}

int sighand_copy(struct sighand *from, struct sighand **out)
{
	struct sighand *sighand = sighand_allocate();

	if (!sighand)
		return -ENOMEM;
	mutex_lock(&from->lock);
	memcpy(sighand->actions, from->actions, sizeof(sighand->actions));
	mutex_unlock(&from->lock);
	*out = sighand;
	return 0;
}

struct sighand *sighand_get(struct sighand *sighand)
{
	refcount_get(&sighand->refs);
	return sighand;
}

void sighand_put(struct sighand *sighand)
{
	struct free_sighand *slot;

	if (!sighand || !refcount_put(&sighand->refs))
		return;
	slot = container_of(sighand, struct free_sighand, sighand);
	mutex_guard(&pool.lock);
	SLIST_INSERT_HEAD(&pool.list, slot, link);
}

struct sighand *task_lock_signals(struct task *task)
{
	for (;;) {
		struct sighand *sighand = __atomic_load_n(&task->sighand, __ATOMIC_ACQUIRE);

		mutex_lock(&sighand->lock);
		if (likely(sighand == task->sighand))
			return sighand;
		mutex_unlock(&sighand->lock);
	}
}

struct sighand *thread_group_lock_signals(struct thread_group *group)
{
	for (;;) {
		struct sighand *sighand = __atomic_load_n(&group->sighand, __ATOMIC_ACQUIRE);

		mutex_lock(&sighand->lock);
		if (likely(sighand == group->sighand))
			return sighand;
		mutex_unlock(&sighand->lock);
	}
}

void sighand_reset_for_exec(struct sighand *sighand)
{
	mutex_guard(&sighand->lock);
	for (int signal = 1; signal <= SIGNAL_COUNT; signal++) {
		struct linux_sigaction *action = signal_action(sighand, signal);
		uint64_t handler =
			action->sa_handler == LINUX_SIG_IGN ? LINUX_SIG_IGN : LINUX_SIG_DFL;

		*action = (struct linux_sigaction){.sa_handler = handler};
	}
}

#define ACTION_FLAGS                                                                               \
	((uint64_t)(LINUX_SA_NOCLDSTOP | LINUX_SA_NOCLDWAIT | LINUX_SA_SIGINFO |                   \
		    LINUX_SA_ONSTACK | LINUX_SA_RESTART | LINUX_SA_NODEFER | LINUX_SA_RESETHAND |  \
		    LINUX_SA_EXPOSE_TAGBITS | LINUX_SA_RESTORER))

int signal_set_action(struct task *task, int signal, const struct linux_sigaction *action,
	struct linux_sigaction *old)
{
	struct sighand *sighand;

	if (signal < 1 || signal > SIGNAL_COUNT ||
		(action && (SIGNALS_KERNEL_ONLY & signal_bit(signal))))
		return -EINVAL;
	sighand = task_lock_signals(task);
	*old = *signal_action(sighand, signal);
	if (action) {
		struct linux_sigaction *place = signal_action(sighand, signal);

		*place = *action;
		place->sa_flags &= ACTION_FLAGS;
		place->sa_mask &= ~SIGNALS_KERNEL_ONLY;
		/* POSIX: what is pending goes when the signal becomes ignored, blocked or not. */
		if (place->sa_handler == LINUX_SIG_IGN ||
			(place->sa_handler == LINUX_SIG_DFL &&
				(SIGNALS_DEFAULT_IGNORE & signal_bit(signal))))
			signal_flush_group_locked(task->group, signal_bit(signal));
	}
	mutex_unlock(&sighand->lock);
	return 0;
}
