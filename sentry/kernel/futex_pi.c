/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Priority-inheritance futexes (futex(2)): the word holds the owner's thread id, the kernel the
 * queue of who waits.
 *
 * A state stands for one futex with waiters. It hangs on its owner, so that the owner's end passes
 * the futex on. The owner pointer and lists of states are guarded by the futex's bucket and
 * g_owners both to change, one to read.
 *
 * Differs from Linux: waiters come first in, first out, whatever their priority, and nobody's
 * priority is raised.
 */
#include "sentry/kernel/futex_private.h"
#include "sentry/lock_order.h"

#include <errno.h>
#include <stdlib.h>

struct futex_pi_state {
	LIST_ENTRY(futex_pi_state) owner_link;
	struct task *owner; /* NULL: died, and the first waiter takes over */
	struct futex_key key;
	unsigned int waiters;
};

struct futex_pi_list {
	LIST_HEAD(, futex_pi_state) states;
};

/* Owners that a chain of waiters may have, as Linux's kernel.max_lock_depth. */
#define CHAIN_MAX 1024

static struct mutex g_owners; /* RANK_LEAF: owners, and task->pi_waits_for of all tasks */
/* The list of who is past its end: owns nothing any more. */
static struct futex_pi_list g_gone;

__attribute__((constructor)) static void owners_init(void)
{
	mutex_init(&g_owners, RANK_LEAF, "futex owners");
}

/* --- states --- */

static bool owner_has_list_locked(struct task *owner)
{
	if (!owner->pi_futexes)
		owner->pi_futexes = calloc(1, sizeof(*owner->pi_futexes));
	return owner->pi_futexes != NULL;
}

static int state_set_owner(struct futex_pi_state *state, struct task *owner)
{
	mutex_guard(&g_owners);
	if (!owner_has_list_locked(owner))
		return -ENOMEM;
	if (owner->pi_futexes == &g_gone)
		return -ESRCH;
	if (state->owner)
		LIST_REMOVE(state, owner_link);
	state->owner = owner;
	/* A waiter that became the owner waits no more. */
	if (owner->pi_waits_for == state)
		owner->pi_waits_for = NULL;
	LIST_INSERT_HEAD(&owner->pi_futexes->states, state, owner_link);
	return 0;
}

/* Would the owner wait, through whomever else, for the task itself? g_owners held. */
static bool is_circle(const struct futex_pi_state *state, const struct task *task)
{
	for (unsigned int depth = 0; state && state->owner; depth++) {
		if (state->owner == task || depth == CHAIN_MAX)
			return true;
		state = state->owner->pi_waits_for;
	}
	return false;
}

static void state_put_locked(struct futex_pi_state *state, struct task *waiter)
{
	bool unused = --state->waiters == 0;

	mutex_lock(&g_owners);
	if (waiter->pi_waits_for == state)
		waiter->pi_waits_for = NULL;
	if (unused && state->owner)
		LIST_REMOVE(state, owner_link);
	mutex_unlock(&g_owners);
	if (unused)
		free(state);
}

/* One more waiter; -EDEADLK if nobody in the circle would ever let go. RANK_FUTEX held. */
static int state_join_locked(struct futex_pi_state *state, struct task *waiter)
{
	bool circle;

	state->waiters++;
	mutex_lock(&g_owners);
	circle = is_circle(state, waiter);
	if (!circle)
		waiter->pi_waits_for = state;
	mutex_unlock(&g_owners);
	if (circle)
		state_put_locked(state, waiter);
	return circle ? -EDEADLK : 0;
}

static struct futex_waiter *first_pi_waiter_locked(
	struct futex_bucket *bucket, const struct futex_key *key)
{
	struct futex_waiter *waiter;

	TAILQ_FOREACH (waiter, &bucket->queue, link) {
		if (futex_key_equal(&waiter->key, key) && waiter->pi)
			return waiter;
	}
	return NULL;
}

/* The state of a futex whose word names an owner; made if there is none. -ESRCH: the owner is gone.
 */
static int state_find_locked(struct task *task, struct futex_bucket *bucket,
	const struct futex_key *key, uint32_t word, struct futex_pi_state **out)
{
	struct futex_waiter *first = first_pi_waiter_locked(bucket, key);
	struct task *owner = task_find(task, (int)(word & LINUX_FUTEX_TID_MASK));
	struct futex_pi_state *state;
	int error;

	if (first) {
		/* The guest must not have changed whose it is. */
		error = first->pi->owner && first->pi->owner != owner ? -EINVAL : 0;
		*out = first->pi;
		goto out;
	}
	error = -ESRCH;
	if (!owner)
		goto out;
	error = -EPERM;
	if (owner->kernel_thread)
		goto out;
	error = -ENOMEM;
	state = calloc(1, sizeof(*state));
	if (!state)
		goto out;
	state->key = *key;
	error = state_set_owner(state, owner);
	if (error)
		free(state);
	else
		*out = state;
out:
	if (owner)
		task_put(owner);
	return error;
}

/* --- locking --- */

/* Makes the word's owner the task. 1: done; 0: somebody else is; or an error. RANK_FUTEX held. */
static int word_take_locked(
	struct task *task, struct task *new_owner, gaddr_t address, bool waiters, uint32_t *word)
{
	uint32_t tid = (uint32_t)task_tid(new_owner), desired;
	int error = mm_load_u32(task->mm, address, word);

	while (!error) {
		if ((*word & LINUX_FUTEX_TID_MASK) == tid)
			return -EDEADLK;
		if (*word & LINUX_FUTEX_TID_MASK)
			return 0;
		desired = tid | (*word & LINUX_FUTEX_OWNER_DIED) |
			  (waiters ? LINUX_FUTEX_WAITERS : 0);
		error = mm_cmpxchg_u32(task->mm, address, *word, desired, word);
		if (!error)
			return 1;
		if (error == -EAGAIN)
			error = 0;
	}
	return error;
}

/* Tells the owner that its unlock must come to the kernel. -EAGAIN: the word changed. */
static int word_mark_locked(struct task *task, gaddr_t address, uint32_t *word)
{
	if (*word & LINUX_FUTEX_WAITERS)
		return 0;
	return mm_cmpxchg_u32(task->mm, address, *word, *word | LINUX_FUTEX_WAITERS, word);
}

/* Only the owner's bits count. */
static bool word_is(struct task *task, gaddr_t address, uint32_t word)
{
	uint32_t now;

	return mm_load_u32(task->mm, address, &now) ||
	       (now & LINUX_FUTEX_TID_MASK) == (word & LINUX_FUTEX_TID_MASK);
}

/* Takes the futex, or queues the waiter. 1: taken; 0: queued. */
static int lock_or_queue_locked(struct task *task, struct futex_waiter *waiter,
	struct futex_bucket *bucket, gaddr_t address, bool try_only)
{
	struct futex_pi_state *state;
	uint32_t word;
	int result;

	for (;;) {
		bool waiters = first_pi_waiter_locked(bucket, &waiter->key) != NULL;

		result = word_take_locked(task, task, address, waiters, &word);
		if (result)
			return result;
		if (try_only)
			return -EAGAIN;
		result = word_mark_locked(task, address, &word);
		if (result == -EAGAIN)
			continue;
		if (result)
			return result;
		result = state_find_locked(task, bucket, &waiter->key, word, &state);
		/* An owner that just ended has let go of the word, if it was robust. */
		if (result == -ESRCH && !word_is(task, address, word))
			continue;
		if (!result)
			result = state_join_locked(state, task);
		if (result)
			return result;
		waiter->pi = state;
		futex_enqueue_locked(bucket, waiter);
		return 0;
	}
}

/* The owner died: the first waiter writes itself into the word. RANK_FUTEX held. */
static int take_over_locked(struct task *task, struct futex_bucket *bucket,
	struct futex_waiter *waiter, gaddr_t address)
{
	uint32_t desired = (uint32_t)task_tid(task) | LINUX_FUTEX_WAITERS | LINUX_FUTEX_OWNER_DIED;
	struct futex_pi_state *state = waiter->pi;
	uint32_t word;
	int error = mm_load_u32(task->mm, address, &word);

	while (!error) {
		error = mm_cmpxchg_u32(task->mm, address, word, desired, &word);
		if (!error)
			break;
		if (error == -EAGAIN)
			error = 0;
	}
	if (!error)
		error = state_set_owner(state, task);
	futex_dequeue_locked(bucket, waiter);
	atomic_store(&waiter->bucket, NULL);
	state_put_locked(state, task);
	return error;
}

/* Gives waiting up; if the owner died meanwhile, the next one must know that it is first now. */
static void abandon_locked(
	struct futex_bucket *bucket, struct futex_waiter *waiter, struct futex_wakes *wakes)
{
	struct futex_pi_state *state = waiter->pi;
	struct futex_waiter *next;

	futex_dequeue_locked(bucket, waiter);
	atomic_store(&waiter->bucket, NULL);
	next = state->owner ? NULL : first_pi_waiter_locked(bucket, &waiter->key);
	if (next)
		wakes->tasks[wakes->count++] = task_get(next->task);
	state_put_locked(state, waiter->task);
}

/* What a waiter does after a wake-up: 1 it owns the futex, 0 it goes on waiting (unless give_up),
 * or an error. */
static int pi_wait_look(
	struct task *task, struct futex_waiter *waiter, gaddr_t address, bool give_up)
{
	struct futex_bucket *bucket = atomic_load(&waiter->bucket);
	struct futex_wakes wakes = {0};
	int result = 0;

	/* Once it waits for a PI futex, a waiter is taken out only by being given it. */
	if (!bucket)
		return 1;
	mutex_lock(&bucket->lock);
	if (atomic_load(&waiter->bucket) != bucket) {
		result = 1;
	} else if (!waiter->pi->owner && first_pi_waiter_locked(bucket, &waiter->key) == waiter) {
		result = take_over_locked(task, bucket, waiter, address);
		result = result ? result : 1;
	} else if (give_up) {
		abandon_locked(bucket, waiter, &wakes);
	}
	mutex_unlock(&bucket->lock);
	futex_wakes_run(&wakes);
	return result;
}

/* Waits as a queued waiter: 0 when the futex is its own; -ETIMEDOUT, -ERESTARTSYS. */
static int pi_wait(
	struct task *task, struct futex_waiter *waiter, gaddr_t address, int64_t deadline_ns)
{
	for (;;) {
		int error = task_block(task, deadline_ns);
		int result = pi_wait_look(task, waiter, address, error != 0);

		if (result)
			return result < 0 ? result : 0;
		if (error)
			return error;
	}
}

int64_t futex_lock_pi(struct task *task, struct futex_word word, int64_t deadline_ns, bool try_only)
{
	struct futex_waiter waiter = {.task = task, .bitset = LINUX_FUTEX_BITSET_MATCH_ANY};
	struct futex_bucket *bucket;
	int result = futex_key_of(task, word, true, &waiter.key);

	if (result)
		return result;
	bucket = futex_bucket_of(&waiter.key);
	mutex_lock(&bucket->lock);
	result = lock_or_queue_locked(task, &waiter, bucket, word.address, try_only);
	mutex_unlock(&bucket->lock);
	if (result)
		return result > 0 ? 0 : result;
	result = pi_wait(task, &waiter, word.address, deadline_ns);
	return result == -ERESTARTSYS ? -ERESTARTNOINTR : result;
}

/* --- unlocking --- */

static int word_replace_locked(struct task *task, gaddr_t address, uint32_t *word, uint32_t desired)
{
	uint32_t tid = *word & LINUX_FUTEX_TID_MASK;
	int error = -EAGAIN;

	while (error == -EAGAIN) {
		error = mm_cmpxchg_u32(task->mm, address, *word, desired, word);
		if (error == -EAGAIN && (*word & LINUX_FUTEX_TID_MASK) != tid)
			return -EINVAL;
	}
	return error;
}

/* The word and the state go to the first waiter. */
static int hand_over_locked(struct task *task, struct futex_bucket *bucket,
	struct futex_waiter *first, gaddr_t address, uint32_t word, struct futex_wakes *wakes)
{
	struct futex_pi_state *state = first->pi;
	struct task *new_owner = first->task; /* which may be gone once it is woken, but for us */
	int error;

	if (state->owner != task)
		return -EINVAL;
	error = word_replace_locked(
		task, address, &word, (uint32_t)task_tid(first->task) | LINUX_FUTEX_WAITERS);
	if (error)
		return error;
	/* A waiter cannot have ended; it may lack the memory for its list, and then dies owning an
	 * unlisted futex. */
	(void)(state_set_owner(state, first->task) == 0);
	first->granted = true;
	futex_wake_locked(bucket, first, wakes);
	state_put_locked(state, new_owner);
	return 0;
}

int64_t futex_unlock_pi(struct task *task, struct futex_word word)
{
	struct futex_wakes wakes = {0};
	struct futex_waiter *first;
	struct futex_bucket *bucket;
	struct futex_key key;
	uint32_t value;
	int error = futex_key_of(task, word, true, &key);

	if (error)
		return error;
	bucket = futex_bucket_of(&key);
	mutex_lock(&bucket->lock);
	error = mm_load_u32(task->mm, word.address, &value);
	if (!error && (value & LINUX_FUTEX_TID_MASK) != (uint32_t)task_tid(task))
		error = -EPERM;
	if (!error) {
		first = first_pi_waiter_locked(bucket, &key);
		error = first ? hand_over_locked(task, bucket, first, word.address, value, &wakes)
			      : word_replace_locked(task, word.address, &value, 0);
	}
	mutex_unlock(&bucket->lock);
	futex_wakes_run(&wakes);
	return error;
}

/* --- FUTEX_WAIT_REQUEUE_PI and FUTEX_CMP_REQUEUE_PI --- */

int futex_requeue_pi_locked(struct task *task, struct futex_waiter *waiter,
	struct futex_bucket *from, struct futex_bucket *to, struct futex_word target,
	struct futex_wakes *wakes)
{
	struct futex_key target_key = waiter->target;
	struct futex_pi_state *state;
	uint32_t word;
	int result;

	for (;;) {
		bool waiters = first_pi_waiter_locked(to, &target_key) != NULL;

		result = word_take_locked(task, waiter->task, target.address, waiters, &word);
		if (result < 0)
			return result;
		if (result) {
			waiter->granted = true;
			futex_wake_locked(from, waiter, wakes);
			return 1;
		}
		result = word_mark_locked(task, target.address, &word);
		if (result == -EAGAIN)
			continue;
		if (result)
			return result;
		result = state_find_locked(task, to, &target_key, word, &state);
		if (!result)
			result = state_join_locked(state, waiter->task);
		if (result)
			return result;
		waiter->pi = state;
		waiter->wants_pi = false;
		futex_move_locked(waiter, from, to, &target_key);
		return 0;
	}
}

static int wait_requeue_begin(
	struct task *task, struct futex_waiter *waiter, struct futex_word word, uint32_t value)
{
	struct futex_bucket *bucket = futex_bucket_of(&waiter->key);
	uint32_t actual;
	int error;

	mutex_lock(&bucket->lock);
	error = mm_load_u32(task->mm, word.address, &actual);
	if (!error && actual != value)
		error = -EAGAIN;
	if (!error)
		futex_enqueue_locked(bucket, waiter);
	mutex_unlock(&bucket->lock);
	return error;
}

/* Still on its first futex, it leaves; true. False: it was given or moved to the PI futex. */
static bool wait_requeue_leave(struct futex_waiter *waiter)
{
	struct futex_bucket *bucket;
	bool left = false;

	while (!left && (bucket = atomic_load(&waiter->bucket))) {
		mutex_lock(&bucket->lock);
		if (atomic_load(&waiter->bucket) == bucket) {
			if (waiter->pi) {
				mutex_unlock(&bucket->lock);
				return false;
			}
			futex_dequeue_locked(bucket, waiter);
			atomic_store(&waiter->bucket, NULL);
			left = true;
		}
		mutex_unlock(&bucket->lock);
	}
	return left;
}

/* Does it wait for the PI futex by now? */
static bool is_requeued(struct futex_waiter *waiter)
{
	struct futex_bucket *bucket = atomic_load(&waiter->bucket);
	bool requeued = false;

	if (!bucket)
		return true;
	mutex_lock(&bucket->lock);
	requeued = atomic_load(&waiter->bucket) != bucket || waiter->pi;
	mutex_unlock(&bucket->lock);
	return requeued;
}

int64_t futex_wait_requeue_pi(struct task *task, struct futex_word word, uint32_t value,
	uint32_t bitset, int64_t deadline_ns, struct futex_word target)
{
	struct futex_waiter waiter = {
		.task = task, .bitset = bitset, .wants_pi = true, .target_address = target.address};
	int error, look;

	if (!bitset || word.address == target.address)
		return -EINVAL;
	error = futex_key_of(task, word, false, &waiter.key);
	if (!error)
		error = futex_key_of(task, target, true, &waiter.target);
	if (!error && futex_key_equal(&waiter.key, &waiter.target))
		error = -EINVAL;
	if (!error)
		error = wait_requeue_begin(task, &waiter, word, value);
	if (error)
		return error;
	do {
		error = task_block(task, deadline_ns);
	} while (!error && !is_requeued(&waiter));
	if (error && wait_requeue_leave(&waiter))
		return error == -ETIMEDOUT ? error : -ERESTARTNOINTR;
	/* It may have been given the PI futex, or waits there; what interrupted the wait interrupts
	 * this one too. */
	look = pi_wait_look(task, &waiter, target.address, error != 0);
	if (look)
		return look < 0 ? look : 0;
	if (!error)
		error = pi_wait(task, &waiter, target.address, deadline_ns);
	/* It cannot be restarted: the value has changed since. */
	return error == -ERESTARTSYS ? -EAGAIN : error;
}

/* --- the end of an owner --- */

/* The oldest state of the task, without an owner from now on; its key, for the bucket. */
static bool orphan_one(struct task *task, struct futex_key *key)
{
	struct futex_pi_state *state;

	mutex_guard(&g_owners);
	state = task->pi_futexes ? LIST_FIRST(&task->pi_futexes->states) : NULL;
	if (!state)
		return false;
	LIST_REMOVE(state, owner_link);
	state->owner = NULL;
	*key = state->key;
	return true;
}

static void wake_first(const struct futex_key *key)
{
	struct futex_bucket *bucket = futex_bucket_of(key);
	struct futex_wakes wakes = {0};
	struct futex_waiter *first;

	mutex_lock(&bucket->lock);
	first = first_pi_waiter_locked(bucket, key);
	if (first && !first->pi->owner)
		wakes.tasks[wakes.count++] = task_get(first->task);
	mutex_unlock(&bucket->lock);
	futex_wakes_run(&wakes);
}

void futex_pi_exit(struct task *task)
{
	struct futex_pi_list *list;
	struct futex_key key;

	while (orphan_one(task, &key))
		wake_first(&key);
	mutex_lock(&g_owners);
	list = task->pi_futexes;
	/* After an execve the task goes on, and may own others. */
	task->pi_futexes = task->exit_state == TASK_ALIVE ? NULL : &g_gone;
	mutex_unlock(&g_owners);
	/* Nobody added to it: only live owners of futexes in the old memory could have been found.
	 */
	while (list && list != &g_gone && !LIST_EMPTY(&list->states)) {
		struct futex_pi_state *state = LIST_FIRST(&list->states);

		mutex_lock(&g_owners);
		LIST_REMOVE(state, owner_link);
		state->owner = NULL;
		key = state->key;
		mutex_unlock(&g_owners);
		wake_first(&key);
	}
	if (list != &g_gone)
		free(list);
}
