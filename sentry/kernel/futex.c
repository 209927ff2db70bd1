/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Futexes: waiting, waking, requeuing (futex(2)).
 *
 * A bucket's lock is held while the word is read and the waiter is queued: who changes the word and
 * then wakes finds the waiter, or the waiter finds the change.
 */
#include "sentry/kernel/futex.h"

#include "sentry/kernel/futex_private.h"
#include "sentry/lock_order.h"

#include <errno.h>
#include <stdlib.h>

#define BUCKET_COUNT 512

static struct futex_bucket g_buckets[BUCKET_COUNT];

__attribute__((constructor)) static void buckets_init(void)
{
	for (size_t i = 0; i < BUCKET_COUNT; i++) {
		mutex_init(&g_buckets[i].lock, RANK_FUTEX, "futex bucket");
		TAILQ_INIT(&g_buckets[i].queue);
	}
}

/* --- keys and buckets --- */

int futex_key_of(struct task *task, struct futex_word word, bool write, struct futex_key *key)
{
	if (word.address % sizeof(uint32_t))
		return -EINVAL;
	if (word.address >= PLATFORM_GUEST_MAX)
		return -EFAULT;
	if (word.shared)
		return mm_futex_key(task->mm, word.address, true, write, key);
	*key = (struct futex_key){.object = (uint64_t)(uintptr_t)task->mm, .offset = word.address};
	return 0;
}

struct futex_bucket *futex_bucket_of(const struct futex_key *key)
{
	uint64_t hash = (key->object ^ key->offset * 0x9e3779b97f4a7c15ull) * 0xff51afd7ed558ccdull;

	return &g_buckets[(hash >> 40) % BUCKET_COUNT];
}

void futex_bucket_lock_two(struct futex_bucket *a, struct futex_bucket *b)
{
	mutex_lock(a < b ? &a->lock : &b->lock);
	if (a != b)
		mutex_lock_nested(a < b ? &b->lock : &a->lock);
}

void futex_bucket_unlock_two(struct futex_bucket *a, struct futex_bucket *b)
{
	mutex_unlock(&a->lock);
	if (a != b)
		mutex_unlock(&b->lock);
}

void futex_enqueue_locked(struct futex_bucket *bucket, struct futex_waiter *waiter)
{
	atomic_fetch_add(&bucket->waiters, 1);
	TAILQ_INSERT_TAIL(&bucket->queue, waiter, link);
	atomic_store(&waiter->bucket, bucket);
}

void futex_dequeue_locked(struct futex_bucket *bucket, struct futex_waiter *waiter)
{
	TAILQ_REMOVE(&bucket->queue, waiter, link);
	atomic_fetch_sub(&bucket->waiters, 1);
}

void futex_move_locked(struct futex_waiter *waiter, struct futex_bucket *from,
	struct futex_bucket *to, const struct futex_key *key)
{
	if (from != to) {
		futex_dequeue_locked(from, waiter);
		futex_enqueue_locked(to, waiter);
	}
	waiter->key = *key;
}

bool futex_cancel(struct futex_waiter *waiter)
{
	struct futex_bucket *bucket;

	while ((bucket = atomic_load(&waiter->bucket))) {
		mutex_lock(&bucket->lock);
		if (atomic_load(&waiter->bucket) == bucket) {
			futex_dequeue_locked(bucket, waiter);
			atomic_store(&waiter->bucket, NULL);
			mutex_unlock(&bucket->lock);
			return true;
		}
		mutex_unlock(&bucket->lock);
	}
	return false;
}

void futex_wake_locked(
	struct futex_bucket *bucket, struct futex_waiter *waiter, struct futex_wakes *wakes)
{
	wakes->tasks[wakes->count++] = task_get(waiter->task);
	futex_dequeue_locked(bucket, waiter);
	/* From here on the waiter may be gone. */
	atomic_store(&waiter->bucket, NULL);
}

void futex_wakes_run(struct futex_wakes *wakes)
{
	for (unsigned int i = 0; i < wakes->count; i++) {
		task_wake(wakes->tasks[i]);
		task_put(wakes->tasks[i]);
	}
	wakes->count = 0;
}

/* --- waiting --- */

/* Queues the waiter if the word has the value. RANK_FUTEX of its bucket is taken. -EAGAIN if it has
 * not, -EFAULT. */
static int wait_begin(
	struct task *task, struct futex_waiter *waiter, gaddr_t address, uint32_t value)
{
	struct futex_bucket *bucket = futex_bucket_of(&waiter->key);
	uint32_t actual;
	int error;

	/* Announced before the word is read: who wakes writes the word before it looks for waiters.
	 */
	atomic_fetch_add(&bucket->waiters, 1);
	mutex_lock(&bucket->lock);
	error = mm_load_u32(task->mm, address, &actual);
	if (!error && actual != value)
		error = -EAGAIN;
	if (!error)
		futex_enqueue_locked(bucket, waiter);
	mutex_unlock(&bucket->lock);
	atomic_fetch_sub(&bucket->waiters, 1);
	return error;
}

static int64_t wait_restart(struct task *task)
{
	struct futex_word word = {
		.address = task->restart.futex.address,
		.shared = !(task->restart.futex.flags & LINUX_FUTEX_PRIVATE_FLAG),
	};

	return futex_wait(task, word, task->restart.futex.value, task->restart.futex.bitset,
		task->restart.futex.deadline_ns);
}

static int64_t wait_interrupted(struct task *task, struct futex_word word, uint32_t value,
	uint32_t bitset, int64_t deadline_ns)
{
	if (deadline_ns == INT64_MAX)
		return -ERESTARTSYS;
	task->restart.restart = wait_restart;
	task->restart.futex.address = word.address;
	task->restart.futex.value = value;
	task->restart.futex.bitset = bitset;
	task->restart.futex.flags = word.shared ? 0 : LINUX_FUTEX_PRIVATE_FLAG;
	task->restart.futex.deadline_ns = deadline_ns;
	task->restart.futex.has_deadline = true;
	return -ERESTART_RESTARTBLOCK;
}

int64_t futex_wait(struct task *task, struct futex_word word, uint32_t value, uint32_t bitset,
	int64_t deadline_ns)
{
	struct futex_waiter waiter = {.task = task, .bitset = bitset};
	int error;

	if (!bitset)
		return -EINVAL;
	error = futex_key_of(task, word, false, &waiter.key);
	if (!error)
		error = wait_begin(task, &waiter, word.address, value);
	if (error)
		return error;
	do {
		error = task_block(task, deadline_ns);
	} while (!error && atomic_load(&waiter.bucket));
	if (!futex_cancel(&waiter))
		return 0;
	if (error == -ETIMEDOUT)
		return error;
	return wait_interrupted(task, word, value, bitset, deadline_ns);
}

/* Takes waiters out again; the last one that was woken already, or -1. */
static int64_t wait_multiple_cancel(struct futex_waiter *waiters, unsigned int count)
{
	int64_t woken = -1;

	for (unsigned int i = 0; i < count; i++) {
		if (!futex_cancel(&waiters[i]))
			woken = i;
	}
	return woken;
}

static bool any_woken(struct futex_waiter *waiters, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		if (!atomic_load(&waiters[i].bucket))
			return true;
	}
	return false;
}

static int64_t wait_multiple(struct task *task, const struct linux_futex_waitv *words,
	unsigned int count, struct futex_waiter *waiters, int64_t deadline_ns)
{
	int64_t woken;
	int error = 0;

	for (unsigned int i = 0; i < count; i++) {
		struct futex_word word = {words[i].uaddr, !(words[i].flags & LINUX_FUTEX2_PRIVATE)};

		waiters[i].task = task;
		waiters[i].bitset = LINUX_FUTEX_BITSET_MATCH_ANY;
		error = futex_key_of(task, word, false, &waiters[i].key);
		if (error)
			return error;
	}
	for (unsigned int i = 0; i < count; i++) {
		error = wait_begin(task, &waiters[i], words[i].uaddr, (uint32_t)words[i].val);
		if (error) {
			woken = wait_multiple_cancel(waiters, i);
			return woken >= 0 ? woken : error;
		}
	}
	do {
		error = task_block(task, deadline_ns);
	} while (!error && !any_woken(waiters, count));
	woken = wait_multiple_cancel(waiters, count);
	return woken >= 0 ? woken : error;
}

int64_t futex_wait_multiple(struct task *task, const struct linux_futex_waitv *words,
	unsigned int count, int64_t deadline_ns)
{
	struct futex_waiter *waiters = calloc(count, sizeof(*waiters));
	int64_t result;

	if (!waiters)
		return -ENOMEM;
	result = wait_multiple(task, words, count, waiters, deadline_ns);
	free(waiters);
	return result;
}

/* --- waking --- */

/*
 * Wakes up to limit waiters, at most a batch: *more tells that there may be others. -EINVAL where a
 * waiter is not an ordinary one.
 */
static int wake_batch_locked(struct futex_bucket *bucket, const struct futex_key *key,
	uint32_t bitset, int limit, struct futex_wakes *wakes, bool *more)
{
	struct futex_waiter *waiter, *next;
	int woken = 0;

	*more = false;
	TAILQ_FOREACH_SAFE (waiter, &bucket->queue, link, next) {
		if (!futex_key_equal(&waiter->key, key))
			continue;
		if (waiter->pi || waiter->wants_pi)
			return woken ? woken : -EINVAL;
		if (!(waiter->bitset & bitset))
			continue;
		if (wakes->count == FUTEX_WAKE_BATCH) {
			*more = true;
			return woken;
		}
		futex_wake_locked(bucket, waiter, wakes);
		if (++woken >= limit)
			return woken;
	}
	return woken;
}

static int64_t wake_key(const struct futex_key *key, uint32_t bitset, int limit)
{
	struct futex_bucket *bucket = futex_bucket_of(key);
	struct futex_wakes wakes = {0};
	int64_t total = 0;
	bool more = true;

	atomic_thread_fence(memory_order_seq_cst);
	if (!atomic_load(&bucket->waiters))
		return 0;
	while (more) {
		int woken;

		mutex_lock(&bucket->lock);
		woken = wake_batch_locked(bucket, key, bitset, limit, &wakes, &more);
		mutex_unlock(&bucket->lock);
		futex_wakes_run(&wakes);
		if (woken < 0)
			return total ? total : woken;
		total += woken;
		limit -= woken;
	}
	return total;
}

int64_t futex_wake(struct task *task, struct futex_word word, uint32_t count, uint32_t bitset)
{
	struct futex_key key;
	int error;

	if (!bitset)
		return -EINVAL;
	error = futex_key_of(task, word, false, &key);
	if (error)
		return error;
	return wake_key(&key, bitset, (int)count);
}

static int32_t operation_argument(uint32_t bits)
{
	return (int32_t)(bits << 20) >> 20;
}

static int operation_apply(uint32_t operation, uint32_t old, uint32_t *result)
{
	uint32_t argument = (uint32_t)operation_argument(operation >> 12);

	if (operation >> 28 & LINUX_FUTEX_OP_OPARG_SHIFT)
		argument = 1u << (argument & 31);
	switch (operation >> 28 & 7) {
	case LINUX_FUTEX_OP_SET:
		*result = argument;
		return 0;
	case LINUX_FUTEX_OP_ADD:
		*result = old + argument;
		return 0;
	case LINUX_FUTEX_OP_OR:
		*result = old | argument;
		return 0;
	case LINUX_FUTEX_OP_ANDN:
		*result = old & ~argument;
		return 0;
	case LINUX_FUTEX_OP_XOR:
		*result = old ^ argument;
		return 0;
	default:
		return -ENOSYS;
	}
}

static int operation_compare(uint32_t operation, uint32_t old)
{
	int32_t left = (int32_t)old, right = operation_argument(operation);

	switch (operation >> 24 & 15) {
	case LINUX_FUTEX_OP_CMP_EQ:
		return left == right;
	case LINUX_FUTEX_OP_CMP_NE:
		return left != right;
	case LINUX_FUTEX_OP_CMP_LT:
		return left < right;
	case LINUX_FUTEX_OP_CMP_LE:
		return left <= right;
	case LINUX_FUTEX_OP_CMP_GT:
		return left > right;
	case LINUX_FUTEX_OP_CMP_GE:
		return left >= right;
	default:
		return -ENOSYS;
	}
}

/* Changes the second word atomically: does its old value pass the comparison? */
static int operation_run(struct task *task, gaddr_t address, uint32_t operation)
{
	uint32_t old, desired;
	int error = mm_load_u32(task->mm, address, &old);

	while (!error) {
		error = operation_apply(operation, old, &desired);
		if (error)
			return error;
		error = mm_cmpxchg_u32(task->mm, address, old, desired, &old);
		if (!error)
			return operation_compare(operation, old);
		if (error == -EAGAIN)
			error = 0;
	}
	return error;
}

int64_t futex_wake_op(struct task *task, struct futex_word first, struct futex_word second,
	uint32_t count, uint32_t second_count, uint32_t operation)
{
	struct futex_key key, second_key;
	int64_t woken, second_woken;
	int passes = futex_key_of(task, first, false, &key);

	if (!passes)
		passes = futex_key_of(task, second, true, &second_key);
	if (passes)
		return passes;
	passes = operation_run(task, second.address, operation);
	if (passes < 0)
		return passes;
	woken = wake_key(&key, LINUX_FUTEX_BITSET_MATCH_ANY, (int)count);
	if (woken < 0 || !passes)
		return woken;
	second_woken = wake_key(&second_key, LINUX_FUTEX_BITSET_MATCH_ANY, (int)second_count);
	return second_woken < 0 ? second_woken : woken + second_woken;
}

/* --- requeuing --- */

struct requeue_run {
	struct task *task;
	const struct futex_requeue *request;
	struct futex_key from_key, to_key;
	struct futex_bucket *from, *to;
	struct futex_wakes wakes;
	uint32_t wake_left, requeue_left;
	int64_t done;
};

/* One waiter goes on: woken, moved, or given the PI futex. An error ends the run. */
static int requeue_one_locked(struct requeue_run *run, struct futex_waiter *waiter)
{
	int granted;

	if (waiter->pi || waiter->wants_pi != run->request->pi)
		return -EINVAL;
	if (!run->request->pi) {
		if (run->wake_left) {
			run->wake_left--;
			futex_wake_locked(run->from, waiter, &run->wakes);
		} else {
			run->requeue_left--;
			futex_move_locked(waiter, run->from, run->to, &run->to_key);
		}
		run->done++;
		return 0;
	}
	if (!futex_key_equal(&waiter->target, &run->to_key))
		return -EINVAL;
	granted = futex_requeue_pi_locked(
		run->task, waiter, run->from, run->to, run->request->to, &run->wakes);
	if (granted < 0)
		return granted;
	if (granted)
		run->wake_left = 0;
	else if (run->requeue_left)
		run->requeue_left--;
	run->done++;
	return 0;
}

/* As many as one batch of wake-ups allows; *more: call again. */
static int requeue_locked(struct requeue_run *run, bool *more)
{
	struct futex_waiter *waiter, *next;
	int error = 0;

	*more = false;
	TAILQ_FOREACH_SAFE (waiter, &run->from->queue, link, next) {
		if (!futex_key_equal(&waiter->key, &run->from_key))
			continue;
		if (!run->wake_left && !run->requeue_left)
			return 0;
		if (run->wakes.count == FUTEX_WAKE_BATCH) {
			*more = true;
			return 0;
		}
		error = requeue_one_locked(run, waiter);
		if (error)
			return error;
	}
	return 0;
}

static int requeue_check_locked(struct requeue_run *run)
{
	uint32_t value;
	int error;

	if (!run->request->compare)
		return 0;
	error = mm_load_u32(run->task->mm, run->request->from.address, &value);
	if (error)
		return error;
	return value == run->request->expected ? 0 : -EAGAIN;
}

int64_t futex_requeue(struct task *task, const struct futex_requeue *request)
{
	struct requeue_run run = {.task = task, .request = request};
	bool more = true;
	int error;

	if ((int32_t)request->wake_count < 0 || (int32_t)request->requeue_count < 0)
		return -EINVAL;
	if (request->pi &&
		(request->wake_count != 1 || request->from.address == request->to.address))
		return -EINVAL;
	error = futex_key_of(task, request->from, false, &run.from_key);
	if (!error)
		error = futex_key_of(task, request->to, request->pi, &run.to_key);
	if (error)
		return error;
	if (request->pi && futex_key_equal(&run.from_key, &run.to_key))
		return -EINVAL;
	run.from = futex_bucket_of(&run.from_key);
	run.to = futex_bucket_of(&run.to_key);
	run.wake_left = request->wake_count;
	run.requeue_left = request->requeue_count;
	for (bool first = true; more && !error; first = false) {
		futex_bucket_lock_two(run.from, run.to);
		if (first)
			error = requeue_check_locked(&run);
		if (!error)
			error = requeue_locked(&run, &more);
		futex_bucket_unlock_two(run.from, run.to);
		futex_wakes_run(&run.wakes);
	}
	return error && !run.done ? error : run.done;
}
