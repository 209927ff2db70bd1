/* SPDX-License-Identifier: Apache-2.0 */
/* Pipes: order, atomic writes, capacity, ends closed, packet mode, flags. */
#include "tests/guest/bad_address.h"
#include "tests/guest/guest_test.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>

static int fds[2];

static void pipe_make(int flags)
{
	CHECK(pipe2(fds, flags) == 0);
}

TEST(bytes_come_in_order_over_any_sizes)
{
	char out[3000], in[3000];

	pipe_make(0);
	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (char)(i * 7);
	for (size_t size = 1; size < sizeof(out); size += 211) {
		CHECK_EQ(write(fds[1], out, size), size);
		for (size_t got = 0; got < size;) {
			ssize_t part = read(fds[0], in + got, 100);

			CHECK(part > 0);
			got += (size_t)part;
		}
		CHECK(!memcmp(in, out, size));
	}
}

TEST(end_of_file_when_all_writers_closed)
{
	char byte;
	int copy;

	pipe_make(0);
	copy = dup(fds[1]);
	CHECK_EQ(write(fds[1], "a", 1), 1);
	close(fds[1]);
	CHECK_EQ(read(fds[0], &byte, 1), 1);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	CHECK_ERRNO(read(fds[0], &byte, 1), EAGAIN);
	close(copy);
	CHECK_EQ(read(fds[0], &byte, 1), 0);
}

static void writes_to_nobody(void)
{
	pipe_make(0);
	close(fds[0]);
	if (write(fds[1], "x", 1) < 0)
		_exit(9);
}

TEST(no_reader_is_sigpipe_and_epipe)
{
	CHECK_EQ(WTERMSIG(in_child(writes_to_nobody)), SIGPIPE);
	signal(SIGPIPE, SIG_IGN);
	pipe_make(0);
	close(fds[0]);
	CHECK_ERRNO(write(fds[1], "x", 1), EPIPE);
	CHECK_EQ(write(fds[1], "", 0), 0);
}

TEST(wrong_end_is_ebadf)
{
	char byte = 0;

	pipe_make(0);
	CHECK_ERRNO(read(fds[1], &byte, 1), EBADF);
	CHECK_ERRNO(write(fds[0], &byte, 1), EBADF);
	CHECK_ERRNO(lseek(fds[0], 0, SEEK_CUR), ESPIPE);
	CHECK_ERRNO(pread(fds[0], &byte, 1, 0), ESPIPE);
	CHECK_ERRNO(pwrite(fds[1], &byte, 1, 0), ESPIPE);
	CHECK_ERRNO(ftruncate(fds[1], 0), EINVAL);
	CHECK_ERRNO(fsync(fds[0]), EINVAL);
}

TEST(pipe2_flags)
{
	pipe_make(O_CLOEXEC | O_NONBLOCK);
	CHECK_EQ(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(fds[1], F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(fds[0], F_GETFL) & (O_NONBLOCK | O_ACCMODE), O_NONBLOCK | O_RDONLY);
	CHECK_EQ(fcntl(fds[1], F_GETFL) & (O_NONBLOCK | O_ACCMODE), O_NONBLOCK | O_WRONLY);
	CHECK_ERRNO(pipe2(fds, O_APPEND), EINVAL);
	CHECK_ERRNO(pipe(bad_address), EFAULT);
}

TEST(capacity_is_64k_and_can_change)
{
	char page[4096] = {0};
	size_t total = 0;

	pipe_make(O_NONBLOCK);
	CHECK_EQ(fcntl(fds[1], F_GETPIPE_SZ), 65536);
	while (write(fds[1], page, sizeof(page)) > 0)
		total += sizeof(page);
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(total, 65536);
	CHECK_ERRNO(fcntl(fds[1], F_SETPIPE_SZ, 4096), EBUSY);
	CHECK_EQ(fcntl(fds[1], F_SETPIPE_SZ, 100000), 131072);
	CHECK_EQ(write(fds[1], page, sizeof(page)), (ssize_t)sizeof(page));
	CHECK_ERRNO(fcntl(fds[1], F_SETPIPE_SZ, -1), EINVAL);
	CHECK_ERRNO(fcntl(open("/dev/null", O_RDONLY), F_GETPIPE_SZ), EBADF);
}

TEST(fionread_counts)
{
	int count = -1;

	pipe_make(0);
	CHECK(ioctl(fds[0], FIONREAD, &count) == 0);
	CHECK_EQ(count, 0);
	CHECK_EQ(write(fds[1], "hello", 5), 5);
	CHECK(ioctl(fds[0], FIONREAD, &count) == 0);
	CHECK_EQ(count, 5);
	CHECK_ERRNO(ioctl(fds[0], TIOCGWINSZ, &count), ENOTTY);
}

TEST(small_writes_are_atomic)
{
	char line[100], seen[256] = {0};
	pid_t children[4];

	pipe_make(0);
	for (int i = 0; i < 4; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			memset(line, 'a' + i, sizeof(line));
			for (int n = 0; n < 200; n++)
				CHECK_EQ(write(fds[1], line, sizeof(line)), (ssize_t)sizeof(line));
			_exit(0);
		}
	}
	close(fds[1]);
	for (int i = 0; i < 800; i++) {
		for (size_t got = 0; got < sizeof(line);) {
			ssize_t part = read(fds[0], line + got, sizeof(line) - got);

			CHECK(part > 0);
			got += (size_t)part;
		}
		for (size_t j = 1; j < sizeof(line); j++)
			CHECK_EQ(line[j], line[0]);
		seen[(unsigned char)line[0]]++;
	}
	for (int i = 0; i < 4; i++)
		CHECK_EQ((unsigned char)seen['a' + i], 200);
	CHECK_EQ(read(fds[0], line, 1), 0);
}

TEST(nonblocking_write_up_to_page_is_all_or_nothing)
{
	char page[4096] = {0};

	pipe_make(O_NONBLOCK);
	while (write(fds[1], page, sizeof(page)) > 0)
		;
	CHECK_EQ(read(fds[0], page, 100), 100);
	CHECK_ERRNO(write(fds[1], page, sizeof(page)), EAGAIN);
}

TEST(a_large_write_blocks_until_read)
{
	size_t size = 1 << 20, total = 0;
	char *data = malloc(size);
	int status;
	pid_t child;

	for (size_t i = 0; i < size; i++)
		data[i] = (char)(i >> 3);
	pipe_make(0);
	child = fork();
	if (child == 0) {
		CHECK_EQ(write(fds[1], data, size), size);
		_exit(0);
	}
	close(fds[1]);
	for (;;) {
		char part[5000];
		ssize_t got = read(fds[0], part, sizeof(part));

		if (got == 0)
			break;
		CHECK(got > 0);
		CHECK(!memcmp(part, data + total, (size_t)got));
		total += (size_t)got;
	}
	CHECK_EQ(total, size);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
}

TEST(packet_mode_keeps_boundaries)
{
	char text[64];

	pipe_make(O_DIRECT);
	CHECK_EQ(write(fds[1], "first", 5), 5);
	CHECK_EQ(write(fds[1], "second", 6), 6);
	CHECK_EQ(read(fds[0], text, sizeof(text)), 5);
	CHECK_EQ(read(fds[0], text, 2), 2); /* the rest of a packet is lost */
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK_EQ(read(fds[0], text, sizeof(text)), 1);
}

TEST(vectored_reads_and_writes)
{
	char first[3], second[10] = "";
	struct iovec out[3] = {{"ab", 2}, {NULL, 0}, {"cdefg", 5}},
		     in[2] = {{first, 3}, {second, 10}};

	pipe_make(0);
	CHECK_EQ(writev(fds[1], out, 3), 7);
	CHECK_EQ(readv(fds[0], in, 2), 7);
	CHECK(!memcmp(first, "abc", 3) && !memcmp(second, "defg", 4));
	CHECK_ERRNO(readv(fds[0], in, minus_one), EINVAL);
	CHECK_ERRNO(readv(fds[0], in, 1026 + minus_one), EINVAL);
}

TEST(bad_memory_is_efault)
{
	pipe_make(0);
	CHECK_ERRNO(write(fds[1], bad_address, 1), EFAULT);
	CHECK_EQ(write(fds[1], "abc", 3), 3);
	CHECK_ERRNO(read(fds[0], bad_address, 1), EFAULT);
	char *edge = tail_alloc(2);
	CHECK_EQ(read(fds[0], edge, 2), 2);
}

TEST(fstat_says_fifo)
{
	struct stat status;

	pipe_make(0);
	CHECK(fstat(fds[0], &status) == 0);
	CHECK(S_ISFIFO(status.st_mode));
	CHECK_EQ(status.st_mode & 0777, 0600);
	CHECK_EQ(status.st_nlink, 1);
}

static void *closes_soon(void *argument)
{
	sleep_ms(20);
	close(fds[1]);
	return argument;
}

TEST(a_blocked_reader_wakes_when_the_writer_goes)
{
	pthread_t thread;
	char byte;

	pipe_make(0);
	CHECK(pthread_create(&thread, NULL, closes_soon, NULL) == 0);
	CHECK_EQ(read(fds[0], &byte, 1), 0);
	CHECK(pthread_join(thread, NULL) == 0);
}

TEST(opened_again_through_proc)
{
	char path[64], byte;
	int again;

	pipe_make(O_NONBLOCK);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	again = open(path, O_WRONLY);
	CHECK(again >= 0);
	CHECK_EQ(write(again, "q", 1), 1);
	CHECK_EQ(read(fds[0], &byte, 1), 1);
	CHECK_EQ(byte, 'q');
}

TEST(ping_pong)
{
	int back[2], status;
	char byte = 0;
	pid_t child;

	pipe_make(0);
	CHECK(pipe(back) == 0);
	child = fork();
	if (child == 0) {
		for (int i = 0; i < 1000; i++) {
			CHECK_EQ(read(fds[0], &byte, 1), 1);
			byte++;
			CHECK_EQ(write(back[1], &byte, 1), 1);
		}
		_exit(0);
	}
	for (int i = 0; i < 1000; i++) {
		byte = (char)i;
		CHECK_EQ(write(fds[1], &byte, 1), 1);
		CHECK_EQ(read(back[0], &byte, 1), 1);
		CHECK_EQ(byte, (char)(i + 1));
	}
	CHECK(waitpid(child, &status, 0) == child);
}

GUEST_TEST_MAIN()
