/* SPDX-License-Identifier: Apache-2.0 */
/* splice(2), tee(2), vmsplice(2) and sendfile(2) where proxies use them: sockets, terminals,
 * non-blocking ends, broken ends. */
#include "tests/guest/inet.h"
#include "tests/guest/temporary.h"

#include <sys/sendfile.h>
#include <sys/uio.h>
#include <sys/un.h>

static struct tcp_pair pair;
static int fds[2];
static char block[100000] __attribute__((aligned(4096)));

static void make(void)
{
	pair = tcp_connected(AF_INET);
	CHECK(pipe(fds) == 0);
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = (char)(i * 7 + i / 256);
}

TEST(from_socket_to_pipe_to_socket)
{
	struct tcp_pair other;
	char back[16];

	make();
	other = tcp_connected(AF_INET);
	CHECK_EQ(write(pair.client, "through", 7), 7);
	CHECK_EQ(splice(pair.server, NULL, fds[1], NULL, 4096, SPLICE_F_MOVE), 7);
	CHECK_EQ(splice(fds[0], NULL, other.client, NULL, 4096, SPLICE_F_MORE), 7);
	CHECK_EQ(recv(other.server, back, 16, 0), 7);
	CHECK(!memcmp(back, "through", 7));
}

TEST(nonblocking_ends)
{
	make();
	CHECK(fcntl(pair.server, F_SETFL, O_NONBLOCK) == 0);
	CHECK_ERRNO(splice(pair.server, NULL, fds[1], NULL, 4096, 0), EAGAIN);
	CHECK_ERRNO(splice(fds[0], NULL, pair.client, NULL, 4096, SPLICE_F_NONBLOCK), EAGAIN);
	CHECK_ERRNO(tee(fds[0], fds[1], 1, 0), EINVAL);
	CHECK(fcntl(fds[1], F_SETFL, O_NONBLOCK) == 0);
	while (write(fds[1], block, 4096) > 0)
		;
	CHECK_EQ(write(pair.client, "x", 1), 1);
	CHECK(wait_for(pair.server, POLLIN));
	CHECK_ERRNO(splice(pair.server, NULL, fds[1], NULL, 4096, 0), EAGAIN);
}

TEST(the_end_of_a_connection)
{
	make();
	CHECK(shutdown(pair.client, SHUT_WR) == 0);
	CHECK_EQ(splice(pair.server, NULL, fds[1], NULL, 4096, 0), 0);
	close(fds[1]);
	CHECK_EQ(splice(fds[0], NULL, pair.server, NULL, 4096, 0), 0);
}

TEST(broken_pipes)
{
	sigset_t set;

	make();
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK_EQ(write(pair.client, "x", 1), 1);
	close(fds[0]);
	CHECK_ERRNO(splice(pair.server, NULL, fds[1], NULL, 4096, 0), EPIPE);
	CHECK_EQ(sigtimedwait(&set, NULL, &(struct timespec){5, 0}), SIGPIPE);
}

TEST(a_file_to_a_socket)
{
	char back[1000];
	off_t offset = 500;
	size_t all = 0;
	int file;

	temporary_enter();
	make();
	temporary_file("file", block, sizeof(block));
	file = open("file", O_RDONLY);
	CHECK_EQ(sendfile(pair.client, file, &offset, 1000), 1000);
	CHECK_EQ(offset, 1500);
	CHECK_EQ(lseek(file, 0, SEEK_CUR), 0);
	CHECK_EQ(recv(pair.server, back, 1000, MSG_WAITALL), 1000);
	CHECK(!memcmp(back, block + 500, 1000));
	if (fork() == 0) {
		for (size_t left = sizeof(block); left;) {
			ssize_t sent = sendfile(pair.client, file, NULL, left);

			CHECK(sent > 0);
			left -= (size_t)sent;
		}
		_exit(0);
	}
	close(pair.client);
	for (ssize_t got; (got = read(pair.server, back, sizeof(back))) > 0; all += (size_t)got)
		CHECK(!memcmp(back, block + all, (size_t)got));
	CHECK_EQ(all, sizeof(block));
	offset = (off_t)sizeof(block);
	CHECK_EQ(sendfile(fds[1], file, &offset, 10), 0);
	/* From a socket only into a pipe. */
	CHECK_EQ(sendfile(fds[1], pair.server, NULL, 10), 0);
	CHECK_ERRNO(sendfile(pair.server, pair.server, NULL, 10), EINVAL);
	CHECK_ERRNO(sendfile(pair.server, fds[0], NULL, 10), EINVAL);
}

TEST(a_file_to_a_unix_socket_and_a_pipe)
{
	int sockets[2], file;
	char back[100];

	temporary_enter();
	make();
	temporary_file("file", block, 100);
	file = open("file", O_RDONLY);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) == 0);
	CHECK_EQ(sendfile(sockets[0], file, NULL, 1000), 100);
	CHECK_EQ(read(sockets[1], back, 100), 100);
	CHECK(!memcmp(back, block, 100));
	CHECK(lseek(file, 0, SEEK_SET) == 0);
	CHECK_EQ(sendfile(fds[1], file, NULL, 1000), 100);
	CHECK_EQ(read(fds[0], back, 100), 100);
}

TEST(large_splices_through_a_small_pipe)
{
	size_t all = 0;
	char back[5000];

	make();
	CHECK_EQ(fcntl(fds[1], F_SETPIPE_SZ, 4096), 4096);
	if (fork() == 0) {
		for (size_t done = 0; done < sizeof(block);
			done += (size_t)write(pair.client, block + done, sizeof(block) - done))
			;
		_exit(0);
	}
	close(pair.client);
	if (fork() == 0) {
		close(fds[0]);
		while (splice(pair.server, NULL, fds[1], NULL, 65536, 0) > 0)
			;
		_exit(0);
	}
	close(fds[1]);
	for (ssize_t got; (got = read(fds[0], back, sizeof(back))) > 0; all += (size_t)got)
		CHECK(!memcmp(back, block + all, (size_t)got));
	CHECK_EQ(all, sizeof(block));
}

TEST(tee_waits_for_neither_end_it_has)
{
	int other[2];
	char back[8];

	make();
	CHECK(pipe(other) == 0);
	if (fork() == 0) {
		sleep_ms(20);
		CHECK_EQ(write(fds[1], "later", 5), 5);
		_exit(0);
	}
	CHECK_EQ(tee(fds[0], other[1], 100, 0), 5);
	CHECK_EQ(read(fds[0], back, 8), 5);
	CHECK_EQ(read(other[0], back, 8), 5);
	close(fds[1]);
	CHECK_EQ(tee(fds[0], other[1], 100, 0), 0);
	CHECK_ERRNO(tee(fds[0], other[1], 100, 0x80), EINVAL);
}

TEST(memory_into_a_pipe_as_it_fits)
{
	struct iovec vector = {block, sizeof(block)};

	make();
	CHECK_EQ(vmsplice(fds[1], &vector, 1, SPLICE_F_NONBLOCK), 65536);
	CHECK_ERRNO(vmsplice(fds[1], &vector, 1, SPLICE_F_NONBLOCK), EAGAIN);
	CHECK_ERRNO(vmsplice(pair.client, &vector, 1, 0), EBADF);
	CHECK_ERRNO(vmsplice(fds[1], &vector, 1, 0x100), EINVAL);
	vector = (struct iovec){(void *)8, 10};
	CHECK_EQ(read(fds[0], block, sizeof(block)), 65536);
	CHECK_ERRNO(vmsplice(fds[1], &vector, 1, 0), EFAULT);
}

GUEST_TEST_MAIN()
