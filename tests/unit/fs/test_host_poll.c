/* SPDX-License-Identifier: Apache-2.0 */
/* The reactor: events arrive, and stop when a source is removed. */
#include "fs_fixture.h"

#include "abi/epoll.h"
#include "sentry/kernel/host_poll.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static atomic_uint heard, calls;

static void note(struct host_poll_source *source, uint32_t events)
{
	atomic_fetch_or(&heard, events);
	atomic_fetch_add(&calls, 1);
}

static bool wake_note(struct waiter *waiter, uint32_t events)
{
	atomic_fetch_or(&heard, events);
	return true;
}

static bool hears(uint32_t events)
{
	for (int i = 0; i < 60000 && (heard & events) != events; i++)
		usleep(1000);
	return (heard & events) == events;
}

START_TEST(test_callback)
{
	struct host_poll_source source = {.callback = note};
	int ends[2];

	ck_assert_int_eq(host_poll_start(), 0);
	ck_assert_int_eq(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	source.fd = ends[0];
	ck_assert_int_eq(host_poll_add(&source), 0);
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	ck_assert(hears(LINUX_EPOLLIN));
	close(ends[1]);
	ck_assert(hears(LINUX_EPOLLHUP));
	host_poll_remove(&source);
	close(ends[0]);
}
END_TEST

START_TEST(test_queue_and_regular_file)
{
	struct waiter waiter = {.events = LINUX_EPOLLIN, .wake = wake_note};
	struct host_poll_source source, regular = {.callback = note};
	struct wait_queue queue;
	int ends[2];

	ck_assert_int_eq(host_poll_start(), 0);
	wait_queue_init(&queue);
	wait_queue_add(&queue, &waiter);
	ck_assert_int_eq(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
	source = (struct host_poll_source){.fd = ends[0], .queue = &queue};
	ck_assert_int_eq(host_poll_add(&source), 0);
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	ck_assert(hears(LINUX_EPOLLIN));
	/* What is so already is not told, and what comes next is. */
	host_poll_remove(&source);
	heard = 0;
	ck_assert_int_eq(host_poll_add(&source), 0);
	usleep(20000);
	ck_assert_uint_eq(heard, 0);
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	ck_assert(hears(LINUX_EPOLLIN));
	host_poll_remove(&source);
	wait_queue_remove(&waiter);
	wait_queue_destroy(&queue);
	regular.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(host_poll_add(&regular), -EPERM);
	close(regular.fd);
}
END_TEST

/* Sources come and go while events are under way: a callback must never meet one that is gone. */
START_TEST(test_add_and_remove)
{
	ck_assert_int_eq(host_poll_start(), 0);
	for (int i = 0; i < 3000; i++) {
		struct host_poll_source *source = calloc(1, sizeof(*source));
		int ends[2];

		ck_assert_int_eq(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
		source->fd = ends[0];
		source->callback = note;
		ck_assert_int_eq(host_poll_add(source), 0);
		ck_assert_int_eq(write(ends[1], "x", 1), 1);
		host_poll_remove(source);
		close(ends[0]);
		close(ends[1]);
		*source = (struct host_poll_source){0};
		free(source);
	}
}
END_TEST

TCase *host_poll_tests(void)
{
	TCase *tcase = tcase_create("host poll");

	tcase_add_test(tcase, test_callback);
	tcase_add_test(tcase, test_queue_and_regular_file);
	tcase_add_test(tcase, test_add_and_remove);
	return tcase;
}
