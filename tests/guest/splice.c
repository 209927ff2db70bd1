/* SPDX-License-Identifier: Apache-2.0 */
/* splice, tee, vmsplice: moving bytes between pipes and files. */
#include "tests/guest/temporary.h"

#include <sys/socket.h>
#include <sys/uio.h>

static int first[2], second[2];

static void pipes_make(void)
{
	CHECK(pipe2(first, O_NONBLOCK) == 0 && pipe2(second, O_NONBLOCK) == 0);
}

TEST(from_file_to_pipe_to_file)
{
	char text[16] = "";
	int in, out;
	off_t offset = 2;

	temporary_enter();
	temporary_text("in", "0123456789");
	in = open("in", O_RDONLY);
	out = open("out", O_CREAT | O_RDWR, 0600);
	pipes_make();
	CHECK_EQ(splice(in, &offset, first[1], NULL, 5, 0), 5);
	CHECK_EQ(offset, 7);
	CHECK_EQ(lseek(in, 0, SEEK_CUR), 0);
	CHECK_EQ(splice(first[0], NULL, out, NULL, 100, 0), 5);
	CHECK_EQ(lseek(out, 0, SEEK_CUR), 5);
	CHECK_EQ(pread(out, text, 16, 0), 5);
	CHECK(!memcmp(text, "23456", 5));
}

TEST(file_position_moves_without_offset)
{
	int in;

	temporary_enter();
	temporary_text("in", "0123456789");
	in = open("in", O_RDONLY);
	pipes_make();
	CHECK_EQ(splice(in, NULL, first[1], NULL, 4, 0), 4);
	CHECK_EQ(lseek(in, 0, SEEK_CUR), 4);
	CHECK_EQ(splice(in, NULL, first[1], NULL, 100, 0), 6);
	CHECK_EQ(splice(in, NULL, first[1], NULL, 100, 0), 0);
}

TEST(between_pipes)
{
	char text[8];

	pipes_make();
	CHECK_EQ(write(first[1], "abcdef", 6), 6);
	CHECK_EQ(splice(first[0], NULL, second[1], NULL, 4, 0), 4);
	CHECK_EQ(read(second[0], text, 8), 4);
	CHECK(!memcmp(text, "abcd", 4));
	CHECK_EQ(read(first[0], text, 8), 2);
	CHECK_ERRNO(splice(first[0], NULL, second[1], NULL, 4, SPLICE_F_NONBLOCK), EAGAIN);
	close(first[1]);
	CHECK_EQ(splice(first[0], NULL, second[1], NULL, 4, 0), 0);
}

TEST(tee_copies_and_leaves)
{
	char text[8];

	pipes_make();
	CHECK_EQ(write(first[1], "abcdef", 6), 6);
	CHECK_EQ(tee(first[0], second[1], 4, 0), 4);
	CHECK_EQ(read(second[0], text, 8), 4);
	CHECK_EQ(read(first[0], text, 8), 6);
	CHECK(!memcmp(text, "abcdef", 6));
}

TEST(vmsplice_writes_and_reads_memory)
{
	char text[8] = "";
	struct iovec out[2] = {{"abc", 3}, {"def", 3}}, in = {text, 8};

	pipes_make();
	CHECK_EQ(vmsplice(first[1], out, 2, 0), 6);
	CHECK_EQ(vmsplice(first[0], &in, 1, 0), 6);
	CHECK(!memcmp(text, "abcdef", 6));
}

TEST(to_a_socket)
{
	int sockets[2];
	char text[8];

	pipes_make();
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
	CHECK_EQ(write(first[1], "abcdef", 6), 6);
	CHECK_EQ(splice(first[0], NULL, sockets[0], NULL, 6, 0), 6);
	CHECK_EQ(read(sockets[1], text, 8), 6);
	CHECK(!memcmp(text, "abcdef", 6));
}

TEST(errors)
{
	off_t offset = 0;
	int in, out;

	temporary_enter();
	temporary_text("in", "0123456789");
	in = open("in", O_RDONLY);
	out = open("out", O_CREAT | O_WRONLY | O_APPEND, 0600);
	pipes_make();
	CHECK_EQ(write(first[1], "abc", 3), 3);
	CHECK_ERRNO(splice(in, NULL, out, NULL, 5, 0), EINVAL); /* neither is a pipe */
	CHECK_ERRNO(splice(first[0], &offset, second[1], NULL, 5, 0), ESPIPE);
	CHECK_ERRNO(splice(first[0], NULL, first[1], NULL, 5, 0), EINVAL); /* itself */
	CHECK_ERRNO(splice(first[0], NULL, out, NULL, 5, 0), EINVAL);	   /* O_APPEND */
	CHECK_ERRNO(splice(in, NULL, 9999, NULL, 5, 0), EBADF);
	CHECK_ERRNO(splice(in, NULL, first[1], NULL, 5, 0x100), EINVAL);
	CHECK_ERRNO(splice(first[1], NULL, second[1], NULL, 5, 0), EBADF);
	CHECK_EQ(splice(in, NULL, first[1], NULL, 0, 0), 0);
	CHECK_ERRNO(tee(in, first[1], 5, 0), EINVAL);
	CHECK_ERRNO(tee(first[0], first[1], 5, 0), EINVAL);
}

TEST(large_transfer_is_whole)
{
	size_t size = 300000, total = 0;
	char *data = malloc(size), *copy = malloc(size);
	int in, out;

	temporary_enter();
	for (size_t i = 0; i < size; i++)
		data[i] = (char)(i * 31 >> 4);
	temporary_file("in", data, size);
	in = open("in", O_RDONLY);
	out = open("out", O_CREAT | O_RDWR, 0600);
	pipes_make();
	for (;;) {
		ssize_t got = splice(in, NULL, first[1], NULL, 50000, 0);

		CHECK(got >= 0);
		if (got == 0)
			break;
		while (got > 0) {
			ssize_t put = splice(first[0], NULL, out, NULL, (size_t)got, 0);

			CHECK(put > 0);
			got -= put;
			total += (size_t)put;
		}
	}
	CHECK_EQ(total, size);
	CHECK_EQ(pread(out, copy, size, 0), size);
	CHECK(!memcmp(data, copy, size));
}

GUEST_TEST_MAIN()
