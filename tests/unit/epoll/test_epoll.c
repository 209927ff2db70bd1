/* SPDX-License-Identifier: Apache-2.0 */
/* epoll, signalfd and inotify, through the system calls. */
#include "tests/unit/pipe/machine.h"

#include "abi/epoll.h"
#include "abi/fcntl.h"
#include "abi/inotify.h"
#include "abi/poll.h"
#include "abi/signal.h"
#include "abi/stat.h"

#include <stdlib.h>
#include <string.h>

#define BUFFER (ARENA + 0x100000)
#define EVENTS (ARENA + 0x1000)
#define NAME   (ARENA + 0x2000)

static int epoll, reader, writer;

static void make(void)
{
	epoll = (int)call(epoll_create1, 0);
	ck_assert_int_ge(epoll, 0);
	ck_assert_int_eq(call(pipe2, ARENA, LINUX_O_NONBLOCK), 0);
	reader = guest_int(ARENA);
	writer = guest_int(ARENA + 4);
}

static int64_t control(int instance, int operation, int fd, uint32_t events)
{
	struct linux_epoll_event event = {.events = events, .data = (uint64_t)fd + 1000};

	guest_put(ARENA, &event, sizeof(event));
	return call(epoll_ctl, U(instance), U(operation), U(fd), ARENA);
}

static int64_t look(int instance, int max)
{
	return call(epoll_wait, U(instance), EVENTS, U(max), 0);
}

static struct linux_epoll_event event_at(int index)
{
	struct linux_epoll_event event;

	guest_get(EVENTS + (gaddr_t)index * sizeof(event), &event, sizeof(event));
	return event;
}

static void put(size_t size)
{
	ck_assert_int_eq(call(write, U(writer), BUFFER, size), (int64_t)size);
}

static void get(size_t size)
{
	ck_assert_int_eq(call(read, U(reader), BUFFER, size), (int64_t)size);
}

START_TEST(level_triggered)
{
	make();
	ck_assert_int_eq(control(epoll, LINUX_EPOLL_CTL_ADD, reader, LINUX_EPOLLIN), 0);
	ck_assert_int_eq(look(epoll, 8), 0);
	put(2);
	ck_assert_int_eq(look(epoll, 8), 1);
	ck_assert_uint_eq(event_at(0).events, LINUX_EPOLLIN);
	ck_assert_uint_eq(event_at(0).data, (uint64_t)reader + 1000);
	ck_assert_int_eq(look(epoll, 8), 1);
	get(2);
	ck_assert_int_eq(look(epoll, 8), 0);
}
END_TEST

START_TEST(edge_triggered)
{
	make();
	put(1);
	ck_assert_int_eq(
		control(epoll, LINUX_EPOLL_CTL_ADD, reader, LINUX_EPOLLIN | LINUX_EPOLLET), 0);
	ck_assert_int_eq(look(epoll, 8), 1);
	ck_assert_int_eq(look(epoll, 8), 0);
	/* Each write is an edge, although the pipe was not empty. */
	put(1);
	ck_assert_int_eq(look(epoll, 8), 1);
	ck_assert_int_eq(look(epoll, 8), 0);
	ck_assert_int_eq(
		control(epoll, LINUX_EPOLL_CTL_MOD, reader, LINUX_EPOLLIN | LINUX_EPOLLET), 0);
	ck_assert_int_eq(look(epoll, 8), 1);
}
END_TEST

START_TEST(one_shot)
{
	make();
	put(1);
	ck_assert_int_eq(
		control(epoll, LINUX_EPOLL_CTL_ADD, reader, LINUX_EPOLLIN | LINUX_EPOLLONESHOT), 0);
	ck_assert_int_eq(look(epoll, 8), 1);
	put(1);
	ck_assert_int_eq(look(epoll, 8), 0);
	ck_assert_int_eq(
		control(epoll, LINUX_EPOLL_CTL_MOD, reader, LINUX_EPOLLIN | LINUX_EPOLLONESHOT), 0);
	ck_assert_int_eq(look(epoll, 8), 1);
}
END_TEST

START_TEST(wrong_calls)
{
	int64_t file;

	make();
	guest_put(NAME, "/file", 6);
	file = call(openat, U(LINUX_AT_FDCWD), NAME, LINUX_O_RDWR | LINUX_O_CREAT, 0600);
	ck_assert_int_eq(control(epoll, LINUX_EPOLL_CTL_ADD, (int)file, LINUX_EPOLLIN), -EPERM);
	ck_assert_int_eq(control(epoll, LINUX_EPOLL_CTL_ADD, 99, LINUX_EPOLLIN), -EBADF);
	ck_assert_int_eq(control(99, LINUX_EPOLL_CTL_ADD, reader, LINUX_EPOLLIN), -EBADF);
	ck_assert_int_eq(control(epoll, LINUX_EPOLL_CTL_ADD, epoll, LINUX_EPOLLIN), -EINVAL);
	ck_assert_int_eq(control(reader, LINUX_EPOLL_CTL_ADD, writer, LINUX_EPOLLIN), -EINVAL);
	ck_assert_int_eq(control(epoll, LINUX_EPOLL_CTL_MOD, reader, LINUX_EPOLLIN), -ENOENT);
	ck_assert_int_eq(control(epoll, LINUX_EPOLL_CTL_DEL, reader, 0), -ENOENT);
	ck_assert_int_eq(control(epoll, LINUX_EPOLL_CTL_ADD, reader, LINUX_EPOLLIN), 0);
	ck_assert_int_eq(control(epoll, LINUX_EPOLL_CTL_ADD, reader, LINUX_EPOLLIN), -EEXIST);
	ck_assert_int_eq(control(epoll, 7, reader, 0), -EINVAL);
	ck_assert_int_eq(
		control(epoll, LINUX_EPOLL_CTL_MOD, reader, LINUX_EPOLLEXCLUSIVE), -EINVAL);
	ck_assert_int_eq(control(epoll, LINUX_EPOLL_CTL_ADD, writer,
				 LINUX_EPOLLEXCLUSIVE | LINUX_EPOLLONESHOT),
		-EINVAL);
	ck_assert_int_eq(look(epoll, 0), -EINVAL);
	ck_assert_int_eq(look(reader, 1), -EINVAL);
	ck_assert_int_eq(call(epoll_wait, U(epoll), UINT64_MAX - 5, 1, 0), -EFAULT);
	ck_assert_int_eq(call(epoll_create, 0), -EINVAL);
	ck_assert_int_eq(call(unlink, NAME), 0);
}
END_TEST

START_TEST(closed_files_leave)
{
	make();
	put(1);
	ck_assert_int_eq(control(epoll, LINUX_EPOLL_CTL_ADD, reader, LINUX_EPOLLIN), 0);
	ck_assert_int_eq(call(close, U(reader)), 0);
	ck_assert_int_eq(look(epoll, 8), 0);
	ck_assert_int_eq(control(epoll, LINUX_EPOLL_CTL_ADD, writer, LINUX_EPOLLOUT), 0);
	ck_assert_int_eq(look(epoll, 8), 1);
	ck_assert_uint_eq(event_at(0).events, LINUX_EPOLLOUT | LINUX_EPOLLERR);
	ck_assert_int_eq(call(close, U(epoll)), 0);
	ck_assert_int_eq(call(close, U(writer)), 0);
}
END_TEST

START_TEST(turns_are_taken)
{
	int pipes[4][2];

	make();
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(call(pipe2, ARENA, LINUX_O_NONBLOCK), 0);
		pipes[i][0] = guest_int(ARENA);
		pipes[i][1] = guest_int(ARENA + 4);
		ck_assert_int_eq(
			control(epoll, LINUX_EPOLL_CTL_ADD, pipes[i][1], LINUX_EPOLLOUT), 0);
	}
	ck_assert_int_eq(look(epoll, 2), 2);
	ck_assert_uint_eq(event_at(0).data, (uint64_t)pipes[0][1] + 1000);
	ck_assert_int_eq(look(epoll, 2), 2);
	ck_assert_uint_eq(event_at(0).data, (uint64_t)pipes[2][1] + 1000);
	ck_assert_int_eq(look(epoll, 2), 2);
	ck_assert_uint_eq(event_at(0).data, (uint64_t)pipes[0][1] + 1000);
}
END_TEST

START_TEST(nested_instances)
{
	int chain[6];

	make();
	for (int i = 0; i < 6; i++)
		chain[i] = (int)call(epoll_create1, 0);
	ck_assert_int_eq(control(chain[0], LINUX_EPOLL_CTL_ADD, reader, LINUX_EPOLLIN), 0);
	for (int i = 1; i < 5; i++)
		ck_assert_int_eq(
			control(chain[i], LINUX_EPOLL_CTL_ADD, chain[i - 1], LINUX_EPOLLIN), 0);
	ck_assert_int_eq(control(chain[5], LINUX_EPOLL_CTL_ADD, chain[4], LINUX_EPOLLIN), -ELOOP);
	ck_assert_int_eq(control(chain[0], LINUX_EPOLL_CTL_ADD, chain[3], LINUX_EPOLLIN), -ELOOP);
	ck_assert_int_eq(look(chain[4], 1), 0);
	put(1);
	ck_assert_int_eq(look(chain[4], 1), 1);
	ck_assert_int_eq(look(chain[0], 1), 1);
	get(1);
	ck_assert_int_eq(look(chain[4], 1), 0);
	ck_assert_int_eq(call(close, U(chain[2])), 0);
	put(1);
	ck_assert_int_eq(look(chain[4], 1), 0);
}
END_TEST

static int64_t wait_one(void *argument)
{
	return call(epoll_wait, U(epoll), EVENTS + 0x400, 1, U(-1));
}

START_TEST(one_event_wakes_one_waiter)
{
	struct machine_thread threads[2];

	make();
	ck_assert_int_eq(
		control(epoll, LINUX_EPOLL_CTL_ADD, reader, LINUX_EPOLLIN | LINUX_EPOLLET), 0);
	for (int i = 0; i < 2; i++) {
		machine_start(&threads[i], wait_one, NULL);
		machine_wait_asleep(&threads[i]);
	}
	put(1);
	ck_assert_int_eq(call(poll, 0, 0, 20), 0);
	put(1);
	ck_assert_int_eq(machine_join(&threads[0]), 1);
	ck_assert_int_eq(machine_join(&threads[1]), 1);
	machine_start(&threads[0], wait_one, NULL);
	machine_wait_asleep(&threads[0]);
	machine_interrupt(&threads[0]);
	ck_assert_int_eq(machine_join(&threads[0]), -EINTR);
	ck_assert_int_eq(call(epoll_wait, U(epoll), EVENTS, 1, 10), 0);
}
END_TEST

START_TEST(signals_are_read)
{
	linux_sigset_t set = signal_bit(LINUX_SIGUSR1) | signal_bit(LINUX_SIGUSR2);
	struct linux_signalfd_siginfo info;
	struct linux_siginfo raised;
	int64_t fd;

	make();
	task_set_blocked(current, set);
	guest_put(BUFFER, &set, sizeof(set));
	fd = call(signalfd4, U(-1), BUFFER, 8, LINUX_SFD_NONBLOCK);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(control(epoll, LINUX_EPOLL_CTL_ADD, (int)fd, LINUX_EPOLLIN), 0);
	ck_assert_int_eq(call(read, U(fd), BUFFER, 1024), -EAGAIN);
	siginfo_user(&raised, LINUX_SIGUSR2, current, current);
	ck_assert_int_eq(signal_send_task(current, &raised), 0);
	ck_assert_int_eq(look(epoll, 4), 1);
	ck_assert_int_eq(call(read, U(fd), BUFFER, 1024), 128);
	guest_get(BUFFER, &info, sizeof(info));
	ck_assert_uint_eq(info.ssi_signo, LINUX_SIGUSR2);
	ck_assert_uint_eq(info.ssi_pid, (uint32_t)task_tgid(current));
	ck_assert_int_eq(look(epoll, 4), 0);
	ck_assert_int_eq(call(close, U(fd)), 0);
}
END_TEST

START_TEST(inotify_tells_of_files)
{
	struct linux_inotify_event event;
	int64_t fd, watch, file;

	make();
	fd = call(inotify_init1, LINUX_IN_NONBLOCK);
	guest_put(NAME, "/", 2);
	watch = call(inotify_add_watch, U(fd), NAME, LINUX_IN_CREATE | LINUX_IN_DELETE);
	ck_assert_int_ge(watch, 1);
	ck_assert_int_eq(control(epoll, LINUX_EPOLL_CTL_ADD, (int)fd, LINUX_EPOLLIN), 0);
	guest_put(NAME, "/new", 5);
	file = call(openat, U(LINUX_AT_FDCWD), NAME, LINUX_O_RDWR | LINUX_O_CREAT, 0600);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(look(epoll, 1), 1);
	ck_assert_int_eq(call(read, U(fd), BUFFER, 16), -EINVAL);
	ck_assert_int_eq(call(read, U(fd), BUFFER, 4096), 32);
	guest_get(BUFFER, &event, sizeof(event));
	ck_assert_int_eq(event.wd, (int)watch);
	ck_assert_uint_eq(event.mask, LINUX_IN_CREATE);
	ck_assert_uint_eq(event.len, 16);
	ck_assert_int_ge(
		call(inotify_add_watch, U(fd), NAME, LINUX_IN_MODIFY | LINUX_IN_ONESHOT), 2);
	ck_assert_int_eq(call(write, U(file), BUFFER, 1), 1);
	/* IN_MODIFY, then IN_IGNORED. */
	ck_assert_int_eq(call(read, U(fd), BUFFER, 4096), 32);
	ck_assert_int_eq(call(inotify_rm_watch, U(fd), 2), -EINVAL);
	ck_assert_int_eq(call(inotify_rm_watch, U(fd), U(watch)), 0);
	ck_assert_int_eq(call(read, U(fd), BUFFER, 4096), 16);
	ck_assert_int_eq(call(unlink, NAME), 0);
	ck_assert_int_eq(call(read, U(fd), BUFFER, 4096), -EAGAIN);
	ck_assert_int_eq(call(inotify_add_watch, U(fd), NAME, 0), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("epoll");
	TCase *tests = tcase_create("epoll");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, machine_setup, machine_teardown);
	tcase_add_test(tests, level_triggered);
	tcase_add_test(tests, edge_triggered);
	tcase_add_test(tests, one_shot);
	tcase_add_test(tests, wrong_calls);
	tcase_add_test(tests, closed_files_leave);
	tcase_add_test(tests, turns_are_taken);
	tcase_add_test(tests, nested_instances);
	tcase_add_test(tests, one_event_wakes_one_waiter);
	tcase_add_test(tests, signals_are_read);
	tcase_add_test(tests, inotify_tells_of_files);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
