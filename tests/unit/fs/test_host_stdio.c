/* SPDX-License-Identifier: Apache-2.0 */
/* Inherited descriptors: pipes, regular files, sockets, /dev/null. */
#include "fs_fixture.h"

#include "abi/epoll.h"
#include "sentry/fs/host/host.h"
#include "sentry/kernel/host_poll.h"
#include "sentry/vfs/stat.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct file *guest_file(int fd)
{
	struct file *file;

	ck_assert_int_eq(host_stdio_file_new(host_stdio_prepare(fd), false, &file), 0);
	return file;
}

static uint32_t type_of(struct file *file)
{
	struct linux_stat st;

	ck_assert_int_eq(inode_stat(file->inode, &st), 0);
	return st.st_mode & LINUX_S_IFMT;
}

/* One attempt, as a file operation is: no waiting. */
static int64_t try_read(struct file *file, char *buffer, size_t size)
{
	struct iov_iter iter;
	int64_t position = 0;

	iov_iter_init_kernel(&iter, buffer, size, true);
	return file->ops->read(file, &iter, &position);
}

static int64_t try_write(struct file *file, const char *bytes, size_t size)
{
	struct iov_iter iter;
	int64_t position = 0;

	iov_iter_init_kernel(&iter, (char *)bytes, size, false);
	return file->ops->write(file, &iter, &position);
}

START_TEST(test_pipe)
{
	static char bytes[100000];
	struct file *reader, *writer;
	char buffer[8];
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	reader = guest_file(ends[0]);
	writer = guest_file(ends[1]);
	ck_assert_uint_eq(type_of(reader), LINUX_S_IFIFO);
	ck_assert_int_eq(try_read(reader, buffer, 8), -EAGAIN);
	ck_assert_int_eq(file_seek(reader, 0, LINUX_SEEK_SET), -ESPIPE);
	ck_assert_int_eq(try_write(writer, "hello", 5), 5);
	ck_assert_uint_eq(file_poll(reader) & LINUX_EPOLLIN, LINUX_EPOLLIN);
	ck_assert_int_eq(try_read(reader, buffer, 8), 5);
	while (try_write(writer, bytes, sizeof(bytes)) > 0)
		;
	ck_assert_int_eq(try_write(writer, bytes, sizeof(bytes)), -EAGAIN);
	ck_assert_uint_eq(file_poll(writer) & LINUX_EPOLLOUT, 0);
	file_put(reader);
	ck_assert_int_eq(try_write(writer, "x", 1), -EPIPE);
	file_put(writer);
}
END_TEST

START_TEST(test_caller_keeps_its_flags)
{
	struct file *file;
	int ends[2], mine;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	mine = fcntl(ends[0], F_DUPFD_CLOEXEC, 0);
	file = guest_file(ends[0]);
	ck_assert_int_eq(fcntl(mine, F_GETFL) & O_NONBLOCK, 0);
	file_put(file);
	close(mine);
	close(ends[1]);
}
END_TEST

START_TEST(test_socket)
{
	struct file *file;
	char buffer[8];
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	file = guest_file(ends[0]);
	ck_assert_uint_eq(type_of(file), LINUX_S_IFSOCK);
	ck_assert_int_eq(try_read(file, buffer, 8), -EAGAIN);
	ck_assert_int_eq(write(ends[1], "in", 2), 2);
	ck_assert_int_eq(try_read(file, buffer, 8), 2);
	ck_assert_int_eq(try_write(file, "out", 3), 3);
	ck_assert_int_eq(read(ends[1], buffer, 8), 3);
	close(ends[1]);
	ck_assert_int_eq(try_write(file, "x", 1), -EPIPE);
	file_put(file);
}
END_TEST

START_TEST(test_regular_file_shares_the_position)
{
	struct file *file;
	char buffer[8] = "";
	int fd, mine;

	fs_host_write("a", "0123456789");
	fd = openat(g_scratch, "a", O_RDWR | O_CLOEXEC);
	mine = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	file = guest_file(fd);
	ck_assert_uint_eq(type_of(file), LINUX_S_IFREG);
	ck_assert_int_eq(fs_read(file, buffer, 3, -1), 3);
	ck_assert_int_eq(lseek(mine, 0, SEEK_CUR), 3);
	ck_assert_int_eq(fs_read(file, buffer, 2, 7), 2);
	ck_assert_mem_eq(buffer, "78", 2);
	ck_assert_int_eq(lseek(mine, 0, SEEK_CUR), 3);
	ck_assert_int_eq(fs_write(file, "XX", 2, -1), 2);
	ck_assert_int_eq(file_seek(file, 0, LINUX_SEEK_CUR), 5);
	ck_assert_int_eq(file_seek(file, 1, LINUX_SEEK_SET), 1);
	ck_assert_int_eq(read(mine, buffer, 4), 4);
	ck_assert_mem_eq(buffer, "12XX", 4);
	close(mine);
	file_put(file);
}
END_TEST

START_TEST(test_null_becomes_the_guests_own)
{
	struct file *file = guest_file(open("/dev/null", O_RDWR | O_CLOEXEC));
	struct linux_stat st;
	char byte;

	ck_assert_int_eq(inode_stat(file->inode, &st), 0);
	ck_assert_uint_eq(st.st_mode & LINUX_S_IFMT, LINUX_S_IFCHR);
	ck_assert_uint_eq(st.st_rdev, 0x103);
	ck_assert_int_eq(fs_read(file, &byte, 1, -1), 0);
	ck_assert_int_eq(fs_write(file, "xyz", 3, -1), 3);
	file_put(file);
}
END_TEST

START_TEST(test_closed_descriptor)
{
	struct file *file;

	ck_assert_int_eq(host_stdio_file_new(900, false, &file), -EBADF);
}
END_TEST

START_TEST(test_events_come_through_the_reactor)
{
	struct wait_queue *queue;
	struct file *file;
	int ends[2];

	ck_assert_int_eq(host_poll_start(), 0);
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	file = guest_file(ends[0]);
	queue = file->ops->wait_queue(file);
	ck_assert_ptr_nonnull(queue);
	ck_assert_ptr_eq(queue, file->ops->wait_queue(file));
	close(ends[1]);
	file_put(file);
}
END_TEST

TCase *host_stdio_tests(void)
{
	TCase *tcase = tcase_create("host stdio");

	tcase_add_checked_fixture(tcase, fs_fixture_setup, fs_fixture_teardown);
	tcase_add_test(tcase, test_pipe);
	tcase_add_test(tcase, test_caller_keeps_its_flags);
	tcase_add_test(tcase, test_socket);
	tcase_add_test(tcase, test_regular_file_shares_the_position);
	tcase_add_test(tcase, test_null_becomes_the_guests_own);
	tcase_add_test(tcase, test_closed_descriptor);
	tcase_add_test(tcase, test_events_come_through_the_reactor);
	return tcase;
}
