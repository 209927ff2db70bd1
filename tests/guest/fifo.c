/* SPDX-License-Identifier: Apache-2.0 */
/* Named pipes: how opening waits, what non-blocking opening does, several openers. */
#include "tests/guest/temporary.h"

#include <poll.h>

static void fifo_make(void)
{
	temporary_enter();
	CHECK(mkfifo("fifo", 0640) == 0);
}

TEST(mkfifo_makes_one)
{
	struct stat status;

	fifo_make();
	CHECK(stat("fifo", &status) == 0);
	CHECK(S_ISFIFO(status.st_mode));
	CHECK_EQ(status.st_mode & 0777, 0640);
	CHECK_EQ(status.st_size, 0);
	CHECK_ERRNO(mkfifo("fifo", 0600), EEXIST);
	CHECK(mknod("other", S_IFIFO | 0600, 0) == 0);
}

TEST(readers_and_writers_wait_for_each_other)
{
	pid_t child;
	int fd, status;
	char text[6];

	fifo_make();
	child = fork();
	if (child == 0) {
		sleep_ms(20);
		fd = open("fifo", O_WRONLY);
		CHECK_EQ(write(fd, "hello", 5), 5);
		_exit(0);
	}
	fd = open("fifo", O_RDONLY);
	CHECK(fd >= 0);
	CHECK_EQ(read(fd, text, 5), 5);
	CHECK_EQ(read(fd, text, 5), 0);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
}

TEST(nonblocking_opens)
{
	int reader, writer;
	char byte;

	fifo_make();
	CHECK_ERRNO(open("fifo", O_WRONLY | O_NONBLOCK), ENXIO);
	reader = open("fifo", O_RDONLY | O_NONBLOCK);
	CHECK(reader >= 0);
	CHECK_EQ(read(reader, &byte, 1), 0); /* no writer: end of file */
	writer = open("fifo", O_WRONLY | O_NONBLOCK);
	CHECK(writer >= 0);
	CHECK_ERRNO(read(reader, &byte, 1), EAGAIN);
	CHECK_EQ(write(writer, "w", 1), 1);
	CHECK_EQ(read(reader, &byte, 1), 1);
}

TEST(read_write_open_does_not_wait)
{
	int fd;
	char byte;

	fifo_make();
	fd = open("fifo", O_RDWR);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_EQ(read(fd, &byte, 1), 1);
}

TEST(a_new_writer_revives_it)
{
	int reader, writer;
	char byte;

	fifo_make();
	reader = open("fifo", O_RDONLY | O_NONBLOCK);
	for (int i = 0; i < 3; i++) {
		writer = open("fifo", O_WRONLY);
		CHECK_EQ(write(writer, "x", 1), 1);
		close(writer);
		CHECK_EQ(read(reader, &byte, 1), 1);
		CHECK_EQ(read(reader, &byte, 1), 0);
	}
}

TEST(hangup_only_after_a_writer_was_there)
{
	int reader, writer;
	struct pollfd entry;

	fifo_make();
	reader = open("fifo", O_RDONLY | O_NONBLOCK);
	entry = (struct pollfd){reader, POLLIN, 0};
	CHECK_EQ(poll(&entry, 1, 0), 0);
	writer = open("fifo", O_WRONLY);
	close(writer);
	CHECK_EQ(poll(&entry, 1, 0), 1);
	CHECK_EQ(entry.revents, POLLHUP);
}

TEST(data_is_lost_when_all_close)
{
	int fd;
	char byte;

	fifo_make();
	fd = open("fifo", O_RDWR);
	CHECK_EQ(write(fd, "x", 1), 1);
	close(fd);
	fd = open("fifo", O_RDONLY | O_NONBLOCK);
	CHECK_EQ(read(fd, &byte, 1), 0);
}

TEST(two_hard_links_are_one_pipe)
{
	int reader, writer;
	char byte;

	fifo_make();
	CHECK(link("fifo", "second") == 0);
	reader = open("fifo", O_RDONLY | O_NONBLOCK);
	writer = open("second", O_WRONLY);
	CHECK_EQ(write(writer, "x", 1), 1);
	CHECK_EQ(read(reader, &byte, 1), 1);
}

TEST(lives_on_after_unlink)
{
	int fd;
	char byte;

	fifo_make();
	fd = open("fifo", O_RDWR);
	CHECK(unlink("fifo") == 0);
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_EQ(read(fd, &byte, 1), 1);
	CHECK_ERRNO(open("fifo", O_RDWR), ENOENT);
}

GUEST_TEST_MAIN()
