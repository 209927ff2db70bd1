/* SPDX-License-Identifier: Apache-2.0 */
/* task_block(): wake-ups are not lost, interruptions end it, a kill alone ends the killable kind.
 */
#include "kernel_tests.h"

#include "platform/platform.h"
#include "sentry/kernel/task_run.h"
#include "sentry/time/clock.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#define ROUNDS 2000
#define SOON   5000000ll

static struct task *task;

static void setup(void)
{
	struct platform *platform;

	ck_assert_int_eq(clock_start(NULL), 0);
	task_times_start();
	ck_assert_int_eq(platform_null_new(&platform), 0);
	ck_assert_int_eq(task_new(platform, &task), 0);
}

static void teardown(void)
{
	task_put(task);
}

START_TEST(test_woken_before)
{
	task_wake(task);
	ck_assert_int_eq(task_block(task, INT64_MAX), 0);
	/* It counts once. */
	task_wake(task);
	task_wake(task);
	ck_assert_int_eq(task_block(task, INT64_MAX), 0);
	ck_assert_int_eq(task_block(task, clock_monotonic() + SOON), -ETIMEDOUT);
}
END_TEST

START_TEST(test_deadline)
{
	int64_t before = clock_monotonic();

	ck_assert_int_eq(task_block(task, before + SOON), -ETIMEDOUT);
	ck_assert_int_ge(clock_monotonic(), before + SOON);
	ck_assert_int_eq(task_block(task, 0), -ETIMEDOUT);
	ck_assert_int_eq(task_block(task, -1), -ETIMEDOUT);
}
END_TEST

START_TEST(test_interrupted)
{
	task_kick(task);
	ck_assert_int_eq(task_block(task, INT64_MAX), -ERESTARTSYS);
	ck_assert_int_eq(task_block_killable(task, clock_monotonic() + SOON), -ETIMEDOUT);
	atomic_store(&task->killed, true);
	ck_assert_int_eq(task_block_killable(task, INT64_MAX), -EINTR);
	/* A wake-up that came as well is told first. */
	task_wake(task);
	ck_assert_int_eq(task_block(task, INT64_MAX), 0);
}
END_TEST

static atomic_int turns;

static void *wake_often(void *unused)
{
	for (int i = 0; i < ROUNDS; i++) {
		atomic_fetch_add(&turns, 1);
		task_wake(task);
		while (atomic_load(&turns) != 0)
			usleep(0);
	}
	return NULL;
}

START_TEST(test_no_wake_up_lost)
{
	pthread_t waker;

	ck_assert_int_eq(pthread_create(&waker, NULL, wake_often, NULL), 0);
	for (int i = 0; i < ROUNDS; i++) {
		while (atomic_load(&turns) == 0)
			ck_assert_int_eq(
				task_block(task, clock_monotonic() + 100 * NSEC_PER_SEC), 0);
		atomic_store(&turns, 0);
	}
	pthread_join(waker, NULL);
}
END_TEST

static void *kick_soon(void *unused)
{
	usleep(2000);
	task_kick(task);
	return NULL;
}

START_TEST(test_kicked_while_asleep)
{
	pthread_t kicker;

	ck_assert_int_eq(pthread_create(&kicker, NULL, kick_soon, NULL), 0);
	ck_assert_int_eq(task_block(task, INT64_MAX), -ERESTARTSYS);
	pthread_join(kicker, NULL);
}
END_TEST

START_TEST(test_times)
{
	uint64_t user, system, later;

	atomic_store(&task->run.since, time_stamp());
	task_cpu_times(task, &user, &system);
	usleep(3000);
	task_cpu_times(task, &user, &later);
	ck_assert_uint_ge(later, system + 2000000);
	task_account(task, false);
	/* A sleep is no CPU time. */
	task_cpu_times(task, &user, &system);
	ck_assert_int_eq(task_block(task, clock_monotonic() + 20 * SOON), -ETIMEDOUT);
	task_cpu_times(task, &user, &later);
	ck_assert_uint_lt(later, system + 10 * SOON);
	ck_assert_uint_eq(user, 0);
}
END_TEST

TCase *task_block_tests(void)
{
	TCase *tcase = tcase_create("task_block");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_woken_before);
	tcase_add_test(tcase, test_deadline);
	tcase_add_test(tcase, test_interrupted);
	tcase_add_test(tcase, test_no_wake_up_lost);
	tcase_add_test(tcase, test_kicked_while_asleep);
	tcase_add_test(tcase, test_times);
	return tcase;
}
