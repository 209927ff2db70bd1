/* SPDX-License-Identifier: Apache-2.0 */
/* Priority-inheriting futexes: the word's protocol, errors, requeue to a lock, death of an owner.
 */
#include "tests/guest/guest_test.h"
#include "tests/guest/wait_asleep.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>

static uint32_t word;

static long futex(uint32_t *address, int operation, uint32_t value, const void *timeout,
	uint32_t *second, uint32_t third)
{
	return syscall(SYS_futex, address, operation, value, timeout, second, third);
}

static uint32_t tid(void)
{
	return (uint32_t)syscall(SYS_gettid);
}

TEST(lock_writes_the_owner)
{
	CHECK_EQ(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0), 0);
	CHECK_EQ(word, tid());
	CHECK_EQ(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), 0);
	CHECK_EQ(word, 0);
}

TEST(errors)
{
	CHECK_EQ(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0), 0);
	CHECK_ERRNO(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0), EDEADLK);
	CHECK_ERRNO(futex(&word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0), EDEADLK);
	word = 0;
	CHECK_ERRNO(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), EPERM);
	word = 1;
	CHECK_ERRNO(futex(&word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), EPERM);
	word = 1 << 22; /* nobody */
	CHECK_ERRNO(futex(&word, FUTEX_LOCK_PI, 0, NULL, NULL, 0), ESRCH);
	CHECK_ERRNO(futex((uint32_t *)8, FUTEX_LOCK_PI, 0, NULL, NULL, 0), EFAULT);
	word = 0;
	CHECK_ERRNO(futex(&word, FUTEX_CMP_REQUEUE_PI, 2, NULL, &(uint32_t){0}, 0), EINVAL);
	CHECK_ERRNO(futex(&word, FUTEX_WAIT_REQUEUE_PI, 0, NULL, &word, 0), EINVAL);
}

static volatile int stage;

static void *holds(void *argument)
{
	CHECK_EQ(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
	stage = 1;
	while (stage != 2)
		sleep_ms(1);
	CHECK_EQ(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
	return argument;
}

TEST(a_held_lock_times_out_and_tries)
{
	pthread_t thread;
	struct timespec until;

	CHECK(pthread_create(&thread, NULL, holds, NULL) == 0);
	while (stage != 1)
		sleep_ms(1);
	CHECK_ERRNO(futex(&word, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0), EAGAIN);
	CHECK_ERRNO(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), EPERM);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 30000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	CHECK_ERRNO(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, &until, NULL, 0), ETIMEDOUT);
	stage = 2;
	CHECK_EQ(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
	CHECK_EQ(word & FUTEX_TID_MASK, tid());
	CHECK(pthread_join(thread, NULL) == 0);
}

static void *waits_for_lock(void *argument)
{
	stage = 1;
	CHECK_EQ(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
	CHECK_EQ(word & FUTEX_TID_MASK, tid());
	CHECK_EQ(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
	return argument;
}

TEST(the_waiters_bit_is_set_and_the_lock_is_handed_over)
{
	pthread_t thread;

	CHECK_EQ(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
	CHECK(pthread_create(&thread, NULL, waits_for_lock, NULL) == 0);
	while (!(__atomic_load_n(&word, __ATOMIC_SEQ_CST) & FUTEX_WAITERS))
		sleep_ms(1);
	CHECK_EQ(word, FUTEX_WAITERS | tid());
	CHECK_EQ(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK_EQ(word & FUTEX_TID_MASK, 0);
}

static pthread_mutex_t first;
static uint32_t second_word;
static volatile pid_t second_owner;

static void mutex_init(pthread_mutex_t *mutex)
{
	pthread_mutexattr_t attributes;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
	CHECK(pthread_mutex_init(mutex, &attributes) == 0);
}

static void *takes_in_other_order(void *argument)
{
	CHECK_EQ(futex(&second_word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
	second_owner = tid();
	CHECK_EQ(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
	return argument;
}

TEST(a_circle_of_locks_is_edeadlk)
{
	pthread_t thread;

	CHECK_EQ(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
	CHECK(pthread_create(&thread, NULL, takes_in_other_order, NULL) == 0);
	while (!(__atomic_load_n(&word, __ATOMIC_SEQ_CST) & FUTEX_WAITERS))
		sleep_ms(1);
	wait_asleep(second_owner);
	CHECK_ERRNO(futex(&second_word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), EDEADLK);
	CHECK_EQ(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
	CHECK(pthread_join(thread, NULL) == 0);
}

static long count;

static void *counts(void *argument)
{
	for (int i = 0; i < 1000; i++) {
		CHECK(pthread_mutex_lock(&first) == 0);
		count++;
		CHECK(pthread_mutex_unlock(&first) == 0);
	}
	return argument;
}

TEST(a_pi_mutex_excludes)
{
	pthread_t threads[4];

	mutex_init(&first);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&threads[i], NULL, counts, NULL) == 0);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	CHECK_EQ(count, 4000);
}

static uint32_t condition_word, lock_word;
static volatile int requeue_result;

static void *waits_requeue(void *argument)
{
	stage = 1;
	CHECK_EQ(futex(&condition_word, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, NULL, &lock_word, 0), 0);
	CHECK_EQ(lock_word & FUTEX_TID_MASK, tid());
	requeue_result = 1;
	CHECK_EQ(futex(&lock_word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
	return argument;
}

TEST(requeue_to_a_lock)
{
	pthread_t thread;

	CHECK_EQ(futex(&lock_word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
	CHECK(pthread_create(&thread, NULL, waits_requeue, NULL) == 0);
	while (futex(&condition_word, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)1, &lock_word, 0) !=
		1)
		sleep_ms(1);
	sleep_ms(20);
	CHECK_EQ(requeue_result, 0); /* it waits for the lock now */
	CHECK_EQ(futex(&lock_word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK_EQ(requeue_result, 1);
}

TEST(a_requeue_waiter_times_out)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	CHECK_ERRNO(futex(&condition_word, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, &until, &lock_word, 0),
		ETIMEDOUT);
	CHECK_EQ(lock_word, 0);
}

static void *dies_holding(void *argument)
{
	CHECK_EQ(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
	stage = 1;
	while (!(__atomic_load_n(&word, __ATOMIC_SEQ_CST) & FUTEX_WAITERS))
		sleep_ms(1);
	return argument;
}

TEST(a_waiter_inherits_from_an_owner_that_died)
{
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, dies_holding, NULL) == 0);
	while (stage != 1)
		sleep_ms(1);
	CHECK_EQ(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), 0);
	CHECK_EQ(word & FUTEX_TID_MASK, tid());
	CHECK_EQ(word & FUTEX_OWNER_DIED, FUTEX_OWNER_DIED);
	CHECK(pthread_join(thread, NULL) == 0);
}

GUEST_TEST_MAIN()
