/* SPDX-License-Identifier: Apache-2.0 */
/* Wait queues: who is woken by what, and that an exclusive waiter suffices. */
#include "kernel_tests.h"

#include "abi/epoll.h"
#include "sentry/kernel/wait_queue.h"

struct counted {
	struct waiter waiter;
	int calls;
	uint32_t events;
	bool useful;
};

static struct wait_queue queue;

static bool count(struct waiter *waiter, uint32_t events)
{
	struct counted *counted = (struct counted *)waiter;

	counted->calls++;
	counted->events = events;
	return counted->useful;
}

static void add(struct counted *counted, uint32_t events, bool exclusive)
{
	*counted = (struct counted){
		.waiter = {.events = events, .exclusive = exclusive, .wake = count},
		.useful = true};
	wait_queue_add(&queue, &counted->waiter);
}

static void setup(void)
{
	wait_queue_init(&queue);
}

START_TEST(test_events)
{
	struct counted reader, writer;

	add(&reader, LINUX_EPOLLIN, false);
	add(&writer, LINUX_EPOLLOUT, false);
	wait_queue_wake(&queue, LINUX_EPOLLIN);
	ck_assert_int_eq(reader.calls, 1);
	ck_assert_int_eq(writer.calls, 0);
	/* Errors and hang-ups concern everybody. */
	wait_queue_wake(&queue, LINUX_EPOLLHUP);
	ck_assert_int_eq(reader.calls, 2);
	ck_assert_int_eq(writer.calls, 1);
	wait_queue_remove(&reader.waiter);
	wait_queue_wake(&queue, LINUX_EPOLLIN);
	ck_assert_int_eq(reader.calls, 2);
	wait_queue_remove(&writer.waiter);
	wait_queue_remove(&writer.waiter);
}
END_TEST

START_TEST(test_exclusive)
{
	struct counted first, second, plain;

	add(&first, LINUX_EPOLLIN, true);
	add(&second, LINUX_EPOLLIN, true);
	add(&plain, LINUX_EPOLLIN, false);
	wait_queue_wake(&queue, LINUX_EPOLLIN);
	ck_assert_int_eq(first.calls, 1);
	ck_assert_int_eq(second.calls, 0);
	ck_assert_int_eq(plain.calls, 1);
	/* One that had no use for it does not count. */
	first.useful = false;
	wait_queue_wake(&queue, LINUX_EPOLLIN);
	ck_assert_int_eq(first.calls, 2);
	ck_assert_int_eq(second.calls, 1);
	wait_queue_remove(&first.waiter);
	wait_queue_remove(&second.waiter);
	wait_queue_remove(&plain.waiter);
}
END_TEST

TCase *wait_queue_tests(void)
{
	TCase *tcase = tcase_create("wait queues");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, test_events);
	tcase_add_test(tcase, test_exclusive);
	return tcase;
}
