/* SPDX-License-Identifier: Apache-2.0 */
/* The timer queue and its thread, and the conversions of guest times. */
#include "sentry/time/timer.h"

#include "sentry/time/clock.h"
#include "sentry/time/sleep.h"

#include <check.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define COUNT 200

struct probe {
	struct ktimer timer;
	atomic_int fired;
	int order;
	int64_t at;
};

static struct probe probes[COUNT];
static atomic_int next_order;

static void sleep_ms(int ms)
{
	struct timespec time = {.tv_nsec = ms * 1000000L};

	nanosleep(&time, NULL);
}

/* Until the thread came to it, however busy the machine is. */
static void wait_fired(struct probe *probe)
{
	while (!atomic_load(&probe->fired))
		sleep_ms(1);
}

static void expire(struct ktimer *timer)
{
	struct probe *probe = container_of(timer, struct probe, timer);

	probe->order = atomic_fetch_add(&next_order, 1);
	probe->at = clock_monotonic();
	atomic_fetch_add(&probe->fired, 1);
}

static void setup(void)
{
	ck_assert_int_eq(timer_start_thread(), 0);
	for (int i = 0; i < COUNT; i++)
		ktimer_init(&probes[i].timer, expire);
}

static int64_t due(int64_t start, int i)
{
	return start + i * 100000;
}

/* From the latest to the earliest, so that each wakes the thread. False: the first was due before
 * all were armed, and none is. */
static bool arm_all(int64_t start)
{
	for (int i = COUNT - 1; i >= 0; i--)
		ktimer_arm(&probes[i].timer, due(start, i));
	if (clock_monotonic() < start)
		return true;
	for (int i = 0; i < COUNT; i++) {
		ktimer_cancel(&probes[i].timer, true);
		atomic_store(&probes[i].fired, 0);
	}
	atomic_store(&next_order, 0);
	return false;
}

START_TEST(test_order)
{
	int64_t delay = 20000000, start;

	do {
		start = clock_monotonic() + delay;
		delay *= 2;
	} while (!arm_all(start));
	for (int i = 0; i < COUNT; i++)
		wait_fired(&probes[i]);
	for (int i = 0; i < COUNT; i++) {
		ck_assert_int_eq(atomic_load(&probes[i].fired), 1);
		ck_assert_int_eq(probes[i].order, i);
		ck_assert_int_ge(probes[i].at, due(start, i));
	}
}
END_TEST

/* False: it was cancelled only when its time had come. */
static bool cancel_in_time(int64_t delay)
{
	int64_t now = clock_monotonic();

	atomic_store(&probes[0].fired, 0);
	ktimer_arm(&probes[0].timer, now + delay);
	ktimer_cancel(&probes[0].timer, true);
	ktimer_cancel(&probes[0].timer, false);
	if (clock_monotonic() >= now + delay)
		return false;
	/* One that is due later comes later. */
	ktimer_arm(&probes[2].timer, now + delay + 10000000);
	wait_fired(&probes[2]);
	ck_assert_int_eq(atomic_load(&probes[0].fired), 0);
	return true;
}

START_TEST(test_cancel_and_rearm)
{
	int64_t now = clock_monotonic(), delay = 20000000;

	ktimer_arm(&probes[1].timer, now + 1000000000000);
	ktimer_arm(&probes[1].timer, now + 10000000);
	while (!cancel_in_time(delay))
		delay *= 2;
	wait_fired(&probes[1]);
	ck_assert_int_eq(atomic_load(&probes[1].fired), 1);
	/* In the past is at once. */
	ktimer_arm(&probes[3].timer, now + 1000000000000);
	ktimer_arm(&probes[0].timer, now - 1);
	wait_fired(&probes[0]);
	ck_assert_int_eq(atomic_load(&probes[0].fired), 1);
	ck_assert_int_eq(atomic_load(&probes[3].fired), 0);
}
END_TEST

static atomic_bool is_expiring;

static void expire_slowly(struct ktimer *timer)
{
	atomic_store(&is_expiring, true);
	sleep_ms(50);
	expire(timer);
	ktimer_arm(timer, clock_monotonic());
	atomic_store(&is_expiring, false);
}

START_TEST(test_cancel_waits)
{
	int fired;

	ktimer_init(&probes[0].timer, expire_slowly);
	ktimer_arm(&probes[0].timer, clock_monotonic());
	while (!atomic_load(&is_expiring))
		sleep_ms(1);
	/* Its callback is under way, and arms the timer again: neither outlives the call. */
	ktimer_cancel(&probes[0].timer, true);
	ck_assert(!atomic_load(&is_expiring));
	fired = atomic_load(&probes[0].fired);
	ck_assert_int_ge(fired, 1);
	sleep_ms(80);
	ck_assert_int_eq(atomic_load(&probes[0].fired), fired);
}
END_TEST

START_TEST(test_conversions)
{
	int64_t ns;

	ck_assert(timespec_to_ns(&(struct linux_timespec){1, 5}, &ns));
	ck_assert_int_eq(ns, 1000000005);
	ck_assert(!timespec_to_ns(&(struct linux_timespec){-1, 0}, &ns));
	ck_assert(!timespec_to_ns(&(struct linux_timespec){0, -1}, &ns));
	ck_assert(!timespec_to_ns(&(struct linux_timespec){0, 1000000000}, &ns));
	ck_assert(timespec_to_ns(&(struct linux_timespec){INT64_MAX, 0}, &ns));
	ck_assert_int_eq(ns, INT64_MAX);
	ck_assert(!timeval_to_ns(&(struct linux_timeval){0, 1000000}, &ns));
	ck_assert_int_eq(timespec_from_ns(-1).tv_sec, -1);
	ck_assert_int_eq(timespec_from_ns(-1).tv_nsec, 999999999);
	ck_assert_int_eq(time_add_ns(INT64_MAX, 1), INT64_MAX);
	ck_assert_int_eq(time_add_ns(INT64_MIN, -1), INT64_MIN);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("timer");
	TCase *tests = tcase_create("timer"), *pure = tcase_create("conversions");
	SRunner *runner;
	int failed;

	/* The tests fork: each has a timer thread of its own. */
	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, test_order);
	tcase_add_test(tests, test_cancel_and_rearm);
	tcase_add_test(tests, test_cancel_waits);
	tcase_add_test(pure, test_conversions);
	suite_add_tcase(suite, tests);
	suite_add_tcase(suite, pure);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
