/* SPDX-License-Identifier: Apache-2.0 */
/* Queues of pending signals: order, what is kept and what is lost, limits. */
#include "sentry/kernel/signal_private.h"
#include "sentry/kernel/user_count.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

static struct signal_pending pending;

static int add(int signal, int code, int value, uint64_t limit)
{
	struct linux_siginfo info = {.si_signo = signal, .si_code = code};

	info.rt.si_sigval.sival_int = value;
	return signal_pending_add(&pending, &info, 1000, limit);
}

/* Takes the next one: its number, and its value in *value. */
static int take(int *value)
{
	struct linux_siginfo info;
	struct posix_timer *timer;
	int signal = signal_pending_next(pending.set);

	if (!signal)
		return 0;
	signal_pending_take(&pending, signal, &info, &timer);
	ck_assert_int_eq(info.si_signo, signal);
	*value = info.rt.si_sigval.sival_int;
	return signal;
}

static void setup(void)
{
	signal_pending_init(&pending);
}

static void teardown(void)
{
	signal_pending_destroy(&pending);
	ck_assert_uint_eq(user_count_of(USER_SIGNALS, 1000), 0);
}

START_TEST(test_order)
{
	int value;

	ck_assert_int_eq(add(40, LINUX_SI_QUEUE, 1, 100), 0);
	ck_assert_int_eq(add(35, LINUX_SI_QUEUE, 2, 100), 0);
	ck_assert_int_eq(add(40, LINUX_SI_QUEUE, 3, 100), 0);
	ck_assert_int_eq(add(LINUX_SIGTERM, LINUX_SI_QUEUE, 4, 100), 0);
	/* A second standard signal is one and the same. */
	ck_assert_int_eq(add(LINUX_SIGTERM, LINUX_SI_QUEUE, 5, 100), 0);
	ck_assert_int_eq(add(LINUX_SIGSEGV, LINUX_SI_USER, 6, 100), 0);
	ck_assert_int_eq(take(&value), LINUX_SIGSEGV);
	ck_assert_int_eq(take(&value), LINUX_SIGTERM);
	ck_assert_int_eq(value, 4);
	ck_assert_int_eq(take(&value), 35);
	ck_assert_int_eq(take(&value), 40);
	ck_assert_int_eq(value, 1);
	ck_assert_int_eq(take(&value), 40);
	ck_assert_int_eq(value, 3);
	ck_assert_int_eq(take(&value), 0);
}
END_TEST

START_TEST(test_limit)
{
	int value;

	ck_assert_int_eq(add(40, LINUX_SI_QUEUE, 1, 2), 0);
	ck_assert_int_eq(add(40, LINUX_SI_QUEUE, 2, 2), 0);
	ck_assert_int_eq(add(40, LINUX_SI_QUEUE, 3, 2), -EAGAIN);
	/* kill(2) never fails for that; it loses what it would tell. */
	ck_assert_int_eq(add(41, LINUX_SI_USER, 4, 2), 0);
	ck_assert_int_eq(add(LINUX_SIGTERM, LINUX_SI_QUEUE, 5, 2), 0);
	/* The kernel's standard signals are not counted against the limit. */
	ck_assert_int_eq(add(LINUX_SIGCHLD, LINUX_CLD_EXITED, 6, 2), 0);
	ck_assert_uint_eq(user_count_of(USER_SIGNALS, 1000), 3);
	ck_assert_int_eq(take(&value), LINUX_SIGTERM);
	ck_assert_int_eq(value, 0);
	ck_assert_int_eq(take(&value), LINUX_SIGCHLD);
	ck_assert_int_eq(value, 6);
	ck_assert_int_eq(take(&value), 40);
	ck_assert_int_eq(take(&value), 40);
	ck_assert_int_eq(take(&value), 41);
	ck_assert_int_eq(value, 0);
	ck_assert_int_eq(take(&value), 0);
}
END_TEST

START_TEST(test_flush)
{
	int value;

	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(add(40, LINUX_SI_QUEUE, i, 100), 0);
	ck_assert_int_eq(add(41, LINUX_SI_QUEUE, 9, 100), 0);
	signal_pending_flush(&pending, signal_bit(40));
	ck_assert_uint_eq(pending.set, signal_bit(41));
	ck_assert_uint_eq(user_count_of(USER_SIGNALS, 1000), 1);
	ck_assert_int_eq(take(&value), 41);
}
END_TEST

START_TEST(test_synchronous_first)
{
	struct linux_siginfo info;

	/* What kill(2) sent is not synchronous; what the processor raised is. */
	ck_assert_int_eq(add(LINUX_SIGBUS, LINUX_SI_USER, 1, 100), 0);
	ck_assert_int_eq(signal_pending_take_synchronous(&pending, ~0ull, &info), 0);
	ck_assert_int_eq(add(LINUX_SIGSEGV, LINUX_SEGV_MAPERR, 2, 100), 0);
	ck_assert_int_eq(
		signal_pending_take_synchronous(&pending, ~signal_bit(LINUX_SIGSEGV), &info), 0);
	ck_assert_int_eq(signal_pending_take_synchronous(&pending, ~0ull, &info), LINUX_SIGSEGV);
	ck_assert_int_eq(info.si_code, LINUX_SEGV_MAPERR);
	ck_assert_uint_eq(pending.set, signal_bit(LINUX_SIGBUS));
}
END_TEST

START_TEST(test_own_entry)
{
	struct signal_entry entry = {.info.si_signo = 40, .preallocated = true};
	int value;

	signal_pending_add_entry(&pending, &entry);
	ck_assert_int_eq(add(40, LINUX_SI_QUEUE, 7, 100), 0);
	signal_pending_remove_entry(&pending, &entry);
	ck_assert_ptr_null(entry.queued);
	ck_assert_uint_eq(pending.set, signal_bit(40));
	ck_assert_int_eq(take(&value), 40);
	ck_assert_int_eq(value, 7);
	ck_assert_uint_eq(pending.set, 0);
	signal_pending_add_entry(&pending, &entry);
	signal_pending_remove_entry(&pending, &entry);
	ck_assert_uint_eq(pending.set, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("signal pending");
	TCase *tests = tcase_create("pending");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_order);
	tcase_add_test(tests, test_limit);
	tcase_add_test(tests, test_flush);
	tcase_add_test(tests, test_synchronous_first);
	tcase_add_test(tests, test_own_entry);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
