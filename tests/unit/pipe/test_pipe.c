/* SPDX-License-Identifier: Apache-2.0 */
/* Pipes, FIFOs, splice, eventfd, timerfd, poll and select, through the system calls. */
#include "machine.h"

#include "abi/capability.h"
#include "abi/fcntl.h"
#include "abi/ioctl.h"
#include "abi/poll.h"
#include "abi/stat.h"
#include "abi/time.h"
#include "abi/uio.h"

#include <stdlib.h>
#include <string.h>

#define BUFFER (ARENA + 0x100000)

static int reader, writer;

static void make(uint32_t flags)
{
	ck_assert_int_eq(call(pipe2, ARENA, flags), 0);
	reader = guest_int(ARENA);
	writer = guest_int(ARENA + 4);
}

static int64_t put(size_t size)
{
	return call(write, U(writer), BUFFER, size);
}

static int64_t get(size_t size)
{
	return call(read, U(reader), BUFFER + 0x200000, size);
}

static int poll_one(int fd, int16_t events, int timeout)
{
	struct linux_pollfd pollfd = {.fd = fd, .events = events};

	guest_put(ARENA + 64, &pollfd, sizeof(pollfd));
	if (call(poll, ARENA + 64, 1, U(timeout)) <= 0)
		return 0;
	guest_get(ARENA + 64, &pollfd, sizeof(pollfd));
	return pollfd.revents;
}

START_TEST(bytes_go_through)
{
	char text[8] = {0};

	make(0);
	guest_put(BUFFER, "hello", 5);
	ck_assert_int_eq(put(5), 5);
	ck_assert_int_eq(get(3), 3);
	ck_assert_int_eq(get(100), 2);
	guest_get(BUFFER + 0x200000, text, 2);
	ck_assert_str_eq(text, "lo");
	ck_assert_int_eq(call(close, U(writer)), 0);
	ck_assert_int_eq(get(1), 0);
}
END_TEST

START_TEST(capacity_is_that_of_linux)
{
	int64_t total = 0, done;

	make(LINUX_O_NONBLOCK);
	/* Bytes are merged into pages... */
	while ((done = put(1)) > 0)
		total += done;
	ck_assert_int_eq(done, -EAGAIN);
	ck_assert_int_eq(total, 65536);
	ck_assert_int_eq(get(65536), 65536);
	/* ...but a write that does not fit into the last one takes a page of its own. */
	for (total = 0; (done = put(4095)) > 0;)
		total += done;
	ck_assert_int_eq(total, 16 * 4095);
	ck_assert_int_eq(get(4094), 4094);
	ck_assert_int_eq(poll_one(writer, LINUX_POLLOUT, 0), 0);
	ck_assert_int_eq(get(1), 1);
	ck_assert_int_eq(poll_one(writer, LINUX_POLLOUT, 0), LINUX_POLLOUT);
}
END_TEST

START_TEST(small_writes_are_atomic)
{
	make(LINUX_O_NONBLOCK);
	ck_assert_int_eq(put(65536 - 4096 + 1), 65536 - 4096 + 1);
	ck_assert_int_eq(put(4096), -EAGAIN);
	ck_assert_int_eq(put(4095), 4095);
	ck_assert_int_eq(get(4096), 4096);
	ck_assert_int_eq(put(10000), 4096);
}
END_TEST

START_TEST(capacity_changes)
{
	make(LINUX_O_NONBLOCK);
	ck_assert_int_eq(call(fcntl, U(reader), LINUX_F_GETPIPE_SZ, 0), 65536);
	ck_assert_int_eq(call(fcntl, U(writer), LINUX_F_SETPIPE_SZ, 5000), 8192);
	ck_assert_int_eq(put(10000), 8192);
	ck_assert_int_eq(call(fcntl, U(writer), LINUX_F_SETPIPE_SZ, 100), -EBUSY);
	ck_assert_int_eq(call(fcntl, U(writer), LINUX_F_SETPIPE_SZ, 1 << 20), 1 << 20);
	ck_assert_int_eq(put(4096), 4096);
	ck_assert_int_eq(call(ioctl, U(reader), LINUX_FIONREAD, ARENA), 0);
	ck_assert_int_eq(guest_int(ARENA), 8192 + 4096);
	ck_assert_int_eq(call(fcntl, U(writer), LINUX_F_SETPIPE_SZ, 0x80000001u), -EINVAL);
}
END_TEST

START_TEST(packets_keep_their_ends)
{
	make(LINUX_O_NONBLOCK | LINUX_O_DIRECT);
	ck_assert_int_eq(put(10), 10);
	ck_assert_int_eq(put(20), 20);
	ck_assert_int_eq(get(4), 4);
	ck_assert_int_eq(get(100), 20);
	ck_assert_int_eq(get(1), -EAGAIN);
}
END_TEST

START_TEST(ends_show_in_poll)
{
	make(LINUX_O_NONBLOCK);
	ck_assert_int_eq(poll_one(reader, LINUX_POLLIN, 0), 0);
	ck_assert_int_eq(poll_one(writer, LINUX_POLLOUT | LINUX_POLLIN, 0), LINUX_POLLOUT);
	ck_assert_int_eq(put(1), 1);
	ck_assert_int_eq(call(close, U(writer)), 0);
	ck_assert_int_eq(poll_one(reader, LINUX_POLLIN, -1), LINUX_POLLIN | LINUX_POLLHUP);
	make(0);
	ck_assert_int_eq(call(close, U(reader)), 0);
	ck_assert_int_eq(poll_one(writer, LINUX_POLLOUT, 0), LINUX_POLLOUT | LINUX_POLLERR);
	ck_assert_int_eq(put(0), 0);
	ck_assert_int_eq(put(1), -EPIPE);
	ck_assert(current->pending.set & signal_bit(LINUX_SIGPIPE));
	ck_assert_int_eq(poll_one(77, LINUX_POLLIN, -1), LINUX_POLLNVAL);
}
END_TEST

static int64_t write_much(void *argument)
{
	return put(300000);
}

START_TEST(writer_waits_for_room)
{
	struct machine_thread thread;
	int64_t total = 0, done;

	make(0);
	machine_start(&thread, write_much, NULL);
	machine_wait_asleep(&thread);
	while (total < 300000) {
		done = get(7777);
		ck_assert_int_gt(done, 0);
		total += done;
	}
	ck_assert_int_eq(machine_join(&thread), 300000);
}
END_TEST

static int64_t read_one(void *argument)
{
	return get(1);
}

START_TEST(reader_waits_for_data_or_the_end)
{
	struct machine_thread thread;

	make(0);
	machine_start(&thread, read_one, NULL);
	machine_wait_asleep(&thread);
	ck_assert_int_eq(put(1), 1);
	ck_assert_int_eq(machine_join(&thread), 1);
	machine_start(&thread, read_one, NULL);
	machine_wait_asleep(&thread);
	machine_interrupt(&thread);
	ck_assert_int_eq(machine_join(&thread), -ERESTARTSYS);
	machine_start(&thread, read_one, NULL);
	machine_wait_asleep(&thread);
	ck_assert_int_eq(call(close, U(writer)), 0);
	ck_assert_int_eq(machine_join(&thread), 0);
}
END_TEST

static int64_t open_reader(void *argument)
{
	return call(openat, U(LINUX_AT_FDCWD), ARENA + 256, LINUX_O_RDONLY, 0);
}

START_TEST(fifo_opens_wait_for_each_other)
{
	struct machine_thread thread;
	int64_t fd, other;

	guest_put(ARENA + 256, "/fifo", 6);
	ck_assert_int_eq(call(mknodat, U(LINUX_AT_FDCWD), ARENA + 256, LINUX_S_IFIFO | 0600, 0), 0);
	ck_assert_int_eq(
		call(openat, U(LINUX_AT_FDCWD), ARENA + 256, LINUX_O_WRONLY | LINUX_O_NONBLOCK, 0),
		-ENXIO);
	machine_start(&thread, open_reader, NULL);
	machine_wait_asleep(&thread);
	fd = call(openat, U(LINUX_AT_FDCWD), ARENA + 256, LINUX_O_WRONLY, 0);
	ck_assert_int_ge(fd, 0);
	other = machine_join(&thread);
	ck_assert_int_ge(other, 0);
	writer = (int)fd;
	reader = (int)other;
	ck_assert_int_eq(put(10), 10);
	ck_assert_int_eq(get(100), 10);
	ck_assert_int_eq(call(close, U(reader)), 0);
	ck_assert_int_eq(call(close, U(writer)), 0);
	/* A reader that does not wait hears of no hang-up before there was a writer. */
	fd = call(openat, U(LINUX_AT_FDCWD), ARENA + 256, LINUX_O_RDONLY | LINUX_O_NONBLOCK, 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(poll_one((int)fd, LINUX_POLLIN, 0), 0);
	other = call(openat, U(LINUX_AT_FDCWD), ARENA + 256, LINUX_O_WRONLY, 0);
	ck_assert_int_eq(call(close, U(other)), 0);
	ck_assert_int_eq(poll_one((int)fd, LINUX_POLLIN, 0), LINUX_POLLHUP);
	machine_start(&thread, open_reader, NULL);
	machine_wait_asleep(&thread);
	machine_interrupt(&thread);
	ck_assert_int_eq(machine_join(&thread), -ERESTARTSYS);
}
END_TEST

START_TEST(splice_moves_and_tee_shares)
{
	int in, out;
	char text[16] = {0};

	make(LINUX_O_NONBLOCK);
	in = reader;
	guest_put(BUFFER, "0123456789", 10);
	ck_assert_int_eq(put(10), 10);
	make(LINUX_O_NONBLOCK);
	out = writer;
	ck_assert_int_eq(call(tee, U(in), U(out), 100, 0), 10);
	ck_assert_int_eq(call(splice, U(in), 0, U(out), 0, 4, 0), 4);
	ck_assert_int_eq(put(2), 2);
	ck_assert_int_eq(get(100), 16);
	guest_get(BUFFER + 0x200000, text, 16);
	ck_assert_int_eq(memcmp(text, "0123456789012301", 16), 0);
	ck_assert_int_eq(call(splice, U(in), 0, U(out), 0, 100, 0), 6);
	ck_assert_int_eq(call(splice, U(in), 0, U(out), 0, 100, LINUX_SPLICE_F_NONBLOCK), -EAGAIN);
	ck_assert_int_eq(call(splice, U(reader), 0, U(out), 0, 100, 0), -EINVAL);
}
END_TEST

START_TEST(splice_to_and_from_files)
{
	int64_t fd;
	uint64_t offset = 2;
	char text[16] = {0};

	make(LINUX_O_NONBLOCK);
	guest_put(ARENA + 256, "/file", 6);
	fd = call(openat, U(LINUX_AT_FDCWD), ARENA + 256, LINUX_O_RDWR | LINUX_O_CREAT, 0600);
	ck_assert_int_ge(fd, 0);
	guest_put(BUFFER, "abcdefgh", 8);
	ck_assert_int_eq(put(8), 8);
	ck_assert_int_eq(call(splice, U(reader), 0, U(fd), 0, 5, 0), 5);
	ck_assert_int_eq(get(100), 3);
	guest_put(ARENA + 512, &offset, sizeof(offset));
	ck_assert_int_eq(call(splice, U(fd), ARENA + 512, U(writer), 0, 100, 0), 3);
	guest_get(ARENA + 512, &offset, sizeof(offset));
	ck_assert_uint_eq(offset, 5);
	ck_assert_int_eq(get(100), 3);
	guest_get(BUFFER + 0x200000, text, 3);
	ck_assert_str_eq(text, "cde");
	ck_assert_int_eq(call(splice, U(fd), 0, U(reader), 0, 100, 0), -EBADF);
	ck_assert_int_eq(call(splice, U(fd), 0, U(fd), 0, 100, 0), -EINVAL);
	ck_assert_int_eq(call(splice, U(reader), ARENA, U(fd), 0, 100, 0), -ESPIPE);
	ck_assert_int_eq(call(unlink, ARENA + 256), 0);
}
END_TEST

START_TEST(eventfd_counts)
{
	uint64_t value = 5;
	int64_t fd = call(eventfd2, 3, LINUX_O_NONBLOCK);

	guest_put(BUFFER, &value, sizeof(value));
	ck_assert_int_eq(call(write, U(fd), BUFFER, 16), 8);
	ck_assert_int_eq(call(read, U(fd), BUFFER, 4), -EINVAL);
	ck_assert_int_eq(call(read, U(fd), BUFFER, 16), 8);
	guest_get(BUFFER, &value, sizeof(value));
	ck_assert_uint_eq(value, 8);
	ck_assert_int_eq(call(read, U(fd), BUFFER, 8), -EAGAIN);
	value = UINT64_MAX - 1;
	guest_put(BUFFER, &value, sizeof(value));
	ck_assert_int_eq(call(write, U(fd), BUFFER, 8), 8);
	ck_assert_int_eq(poll_one((int)fd, LINUX_POLLIN | LINUX_POLLOUT, 0), LINUX_POLLIN);
	ck_assert_int_eq(call(write, U(fd), BUFFER, 8), -EAGAIN);
	value = UINT64_MAX;
	guest_put(BUFFER, &value, sizeof(value));
	ck_assert_int_eq(call(write, U(fd), BUFFER, 8), -EINVAL);
}
END_TEST

START_TEST(timerfd_tells_how_often)
{
	struct linux_itimerspec spec = {{0, 2000000}, {0, 1000000}};
	int64_t fd = call(timerfd_create, LINUX_CLOCK_MONOTONIC, 0);
	uint64_t ticks;

	ck_assert_int_ge(fd, 0);
	guest_put(BUFFER, &spec, sizeof(spec));
	ck_assert_int_eq(call(timerfd_settime, U(fd), 0, BUFFER, 0), 0);
	ck_assert_int_eq(poll_one((int)fd, LINUX_POLLIN, 1000), LINUX_POLLIN);
	ck_assert_int_eq(call(poll, 0, 0, 10), 0);
	ck_assert_int_eq(call(read, U(fd), BUFFER, 8), 8);
	guest_get(BUFFER, &ticks, sizeof(ticks));
	ck_assert_uint_ge(ticks, 5);
	ck_assert_int_eq(call(read, U(fd), BUFFER, 8), 8);
	ck_assert_int_eq(call(timerfd_gettime, U(fd), BUFFER), 0);
	guest_get(BUFFER, &spec, sizeof(spec));
	ck_assert_int_eq(spec.it_interval.tv_nsec, 2000000);
	ck_assert_int_gt(spec.it_value.tv_nsec, 0);
	ck_assert_int_le(spec.it_value.tv_nsec, 2000000);
}
END_TEST

START_TEST(select_tells_what_is_ready)
{
	uint64_t in = 0, out = 0;
	struct linux_timeval time = {0, 20000};

	make(0);
	in = 1ull << reader;
	out = 1ull << writer;
	guest_put(BUFFER, &in, 8);
	guest_put(BUFFER + 8, &out, 8);
	ck_assert_int_eq(call(select, U(writer + 1), BUFFER, BUFFER + 8, 0, 0), 1);
	guest_get(BUFFER, &in, 8);
	ck_assert_uint_eq(in, 0);
	in = 1ull << reader;
	guest_put(BUFFER, &in, 8);
	guest_put(BUFFER + 16, &time, sizeof(time));
	ck_assert_int_eq(call(select, U(writer + 1), BUFFER, 0, 0, BUFFER + 16), 0);
	guest_get(BUFFER + 16, &time, sizeof(time));
	ck_assert_int_eq(time.tv_usec, 0);
	in = 1ull << 60;
	guest_put(BUFFER, &in, 8);
	ck_assert_int_eq(call(select, 64, BUFFER, 0, 0, 0), -EBADF);
	ck_assert_int_eq(call(select, U(-1), 0, 0, 0, 0), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pipe");
	TCase *tests = tcase_create("pipe");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, machine_setup, machine_teardown);
	tcase_add_test(tests, bytes_go_through);
	tcase_add_test(tests, capacity_is_that_of_linux);
	tcase_add_test(tests, small_writes_are_atomic);
	tcase_add_test(tests, capacity_changes);
	tcase_add_test(tests, packets_keep_their_ends);
	tcase_add_test(tests, ends_show_in_poll);
	tcase_add_test(tests, writer_waits_for_room);
	tcase_add_test(tests, reader_waits_for_data_or_the_end);
	tcase_add_test(tests, fifo_opens_wait_for_each_other);
	tcase_add_test(tests, splice_moves_and_tee_shares);
	tcase_add_test(tests, splice_to_and_from_files);
	tcase_add_test(tests, eventfd_counts);
	tcase_add_test(tests, timerfd_tells_how_often);
	tcase_add_test(tests, select_tells_what_is_ready);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
