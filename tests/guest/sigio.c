/* SPDX-License-Identifier: Apache-2.0 */
/* Signal-driven I/O: O_ASYNC with F_SETOWN, F_SETOWN_EX and F_SETSIG on pipes, sockets and
 * terminals. */
#include "tests/guest/inet.h"
#include "tests/guest/pty.h"

#include <limits.h>
#include <linux/sockios.h>
#include <sys/un.h>

static volatile sig_atomic_t caught, caught_fd, caught_code;
static volatile pid_t caught_thread;

static void note(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	caught_fd = info->si_fd;
	caught_code = info->si_code;
	caught_thread = gettid();
	caught++;
}

static void catch (int number)
{
	struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_RESTART};

	sigaction(number, &action, NULL);
}

static void drive(int fd)
{
	catch (SIGIO);
	CHECK(fcntl(fd, F_SETOWN, getpid()) == 0);
	CHECK_EQ(fcntl(fd, F_GETOWN), getpid());
	CHECK(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC) == 0);
}

static void wait_caught(void)
{
	for (int i = 0; i < 5000 && !caught; i++)
		sleep_ms(1);
	CHECK(caught);
}

TEST(of_a_pipe)
{
	int fds[2];

	CHECK(pipe(fds) == 0);
	drive(fds[0]);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	wait_caught();
}

TEST(of_each_write_to_a_pipe)
{
	int fds[2];

	CHECK(pipe(fds) == 0);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	drive(fds[0]);
	for (int i = 0; i < 3; i++) {
		caught = 0;
		CHECK_EQ(write(fds[1], "x", 1), 1);
		wait_caught();
	}
}

TEST(of_each_read_from_a_pipe)
{
	char byte;
	int fds[2];

	CHECK(pipe(fds) == 0);
	CHECK_EQ(write(fds[1], "xxx", 3), 3);
	drive(fds[1]);
	for (int i = 0; i < 3; i++) {
		caught = 0;
		CHECK_EQ(read(fds[0], &byte, 1), 1);
		wait_caught();
	}
}

TEST(of_a_unix_socket)
{
	int fds[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	drive(fds[0]);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	wait_caught();
}

TEST(of_a_tcp_socket)
{
	struct tcp_pair pair = tcp_connected(AF_INET);

	drive(pair.server);
	CHECK_EQ(write(pair.client, "x", 1), 1);
	wait_caught();
}

TEST(of_a_udp_socket)
{
	struct sockaddr_in name;
	int fd = inet_bound(AF_INET, SOCK_DGRAM, &name), sender = socket(AF_INET, SOCK_DGRAM, 0);

	drive(fd);
	CHECK_EQ(sendto(sender, "x", 1, 0, (struct sockaddr *)&name, sizeof(name)), 1);
	wait_caught();
}

TEST(of_a_listener)
{
	struct sockaddr_in name;
	int fd = tcp_listener(AF_INET, &name, 1);

	drive(fd);
	CHECK(connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&name, sizeof(name)) ==
		0);
	wait_caught();
}

TEST(of_a_terminal)
{
	pty_open();
	drive(pty_slave);
	pty_type("line\n");
	wait_caught();
}

TEST(owners_by_ioctl)
{
	int families[] = {AF_UNIX, AF_INET}, pipes[2], number;

	for (int i = 0; i < 2; i++) {
		int fd = socket(families[i], SOCK_STREAM, 0);

		number = 1;
		CHECK(ioctl(fd, FIOGETOWN, &number) == 0 && number == 0);
		number = getpid();
		CHECK(ioctl(fd, FIOSETOWN, &number) == 0);
		CHECK_EQ(fcntl(fd, F_GETOWN), getpid());
		number = -getpgrp();
		CHECK(ioctl(fd, SIOCSPGRP, &number) == 0);
		number = 0;
		CHECK(ioctl(fd, SIOCGPGRP, &number) == 0);
		CHECK_EQ(number, -getpgrp());
		number = 0x3ffffff;
		CHECK_ERRNO(ioctl(fd, SIOCSPGRP, &number), ESRCH);
		number = INT_MIN;
		CHECK_ERRNO(ioctl(fd, SIOCSPGRP, &number), EINVAL);
		CHECK_ERRNO(ioctl(fd, SIOCSPGRP, NULL), EFAULT);
		CHECK_ERRNO(ioctl(fd, SIOCGPGRP, NULL), EFAULT);
	}
	CHECK(pipe(pipes) == 0);
	CHECK_ERRNO(ioctl(pipes[0], FIOSETOWN, &number), ENOTTY);
}

TEST(another_signal_says_which)
{
	int fds[2];

	CHECK(pipe(fds) == 0);
	drive(fds[0]);
	catch (SIGRTMIN + 1);
	CHECK(fcntl(fds[0], F_SETSIG, SIGRTMIN + 1) == 0);
	CHECK_EQ(fcntl(fds[0], F_GETSIG), SIGRTMIN + 1);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	wait_caught();
	CHECK_EQ(caught_fd, fds[0]);
	CHECK_EQ(caught_code, POLL_IN);
	CHECK_ERRNO(fcntl(fds[0], F_SETSIG, 99), EINVAL);
}

TEST(to_one_thread)
{
	struct f_owner_ex owner = {F_OWNER_TID, gettid()}, seen;
	int fds[2];

	CHECK(pipe(fds) == 0);
	drive(fds[0]);
	CHECK(fcntl(fds[0], F_SETOWN_EX, &owner) == 0);
	CHECK(fcntl(fds[0], F_GETOWN_EX, &seen) == 0);
	CHECK_EQ(seen.type, F_OWNER_TID);
	CHECK_EQ(seen.pid, gettid());
	CHECK_EQ(write(fds[1], "x", 1), 1);
	wait_caught();
	CHECK_EQ(caught_thread, gettid());
}

TEST(to_a_group_and_not_after_it_is_off)
{
	int fds[2];

	CHECK(pipe(fds) == 0);
	drive(fds[0]);
	CHECK(fcntl(fds[0], F_SETOWN, -getpgrp()) == 0);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	wait_caught();
	CHECK(fcntl(fds[0], F_SETFL, 0) == 0);
	caught = 0;
	CHECK_EQ(read(fds[0], (char[1]){0}, 1), 1);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	sleep_ms(20);
	CHECK_EQ(caught, 0);
}

GUEST_TEST_MAIN()
