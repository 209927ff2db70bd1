/* SPDX-License-Identifier: Apache-2.0 */
/* A pseudoterminal for tests, in any mode, and a session that has it as its terminal. */
#pragma once

#include "tests/guest/guest_test.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

static int pty_master, pty_slave;

__attribute__((unused)) static void pty_open(void)
{
	int number = -1;
	char path[32];

	pty_master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	if (pty_master < 0)
		SKIP("no /dev/ptmx");
	CHECK(ioctl(pty_master, TIOCSPTLCK, &(int){0}) == 0);
	CHECK(ioctl(pty_master, TIOCGPTN, &number) == 0);
	snprintf(path, sizeof(path), "/dev/pts/%d", number);
	pty_slave = open(path, O_RDWR | O_NOCTTY);
	CHECK(pty_slave >= 0);
}

/* Changes flags of the slave's settings: those in off go, those in on come. */
__attribute__((unused)) static void pty_flags(
	tcflag_t input_off, tcflag_t output_off, tcflag_t local_off)
{
	struct termios termios;

	CHECK(tcgetattr(pty_slave, &termios) == 0);
	termios.c_iflag &= ~input_off;
	termios.c_oflag &= ~output_off;
	termios.c_lflag &= ~local_off;
	CHECK(tcsetattr(pty_slave, TCSANOW, &termios) == 0);
}

__attribute__((unused)) static void pty_raw(int minimum, int time)
{
	struct termios termios;

	CHECK(tcgetattr(pty_slave, &termios) == 0);
	cfmakeraw(&termios);
	termios.c_cc[VMIN] = (cc_t)minimum;
	termios.c_cc[VTIME] = (cc_t)time;
	CHECK(tcsetattr(pty_slave, TCSANOW, &termios) == 0);
}

__attribute__((unused)) static void pty_type(const char *text)
{
	CHECK_EQ(write(pty_master, text, strlen(text)), strlen(text));
}

/* Linux passes bytes on by a worker: until so many can be read, or time is over. */
__attribute__((unused)) static int pty_wait(int fd, int count)
{
	int have = -1;

	for (int i = 0; i < 20000; i++) {
		CHECK(ioctl(fd, FIONREAD, &have) == 0);
		if (have >= count)
			return have;
		sleep_ms(1);
	}
	return have;
}

/* What a descriptor gives is exactly this. */
#define PTY_EXPECT(fd_, text_)                                                                     \
	do {                                                                                       \
		char text__[256] = "";                                                             \
		size_t wanted__ = strlen(text_), done__ = 0;                                       \
		while (done__ < wanted__) {                                                        \
			struct pollfd entry__ = {fd_, POLLIN, 0};                                  \
			ssize_t got__;                                                             \
			if (poll(&entry__, 1, 5000) != 1)                                          \
				break;                                                             \
			got__ = read(fd_, text__ + done__, sizeof(text__) - 1 - done__);           \
			if (got__ <= 0)                                                            \
				break;                                                             \
			done__ += (size_t)got__;                                                   \
		}                                                                                  \
		for (size_t i__ = 0; i__ < done__; i__++)                                          \
			if (text__[i__] == '\r' || text__[i__] == '\n')                            \
				text__[i__] = text__[i__] == '\r' ? '\\' : '/';                    \
		char expected__[256] = "";                                                         \
		strcpy(expected__, text_);                                                         \
		for (size_t i__ = 0; i__ < wanted__; i__++)                                        \
			if (expected__[i__] == '\r' || expected__[i__] == '\n')                    \
				expected__[i__] = expected__[i__] == '\r' ? '\\' : '/';            \
		if (done__ != wanted__ || memcmp(text__, expected__, wanted__))                    \
			FAIL("got '%s', not '%s'", text__, expected__);                            \
	} while (0)

#define PTY_NOTHING(fd_)                                                                           \
	do {                                                                                       \
		struct pollfd entry__ = {fd_, POLLIN, 0};                                          \
		if (poll(&entry__, 1, 30) != 0)                                                    \
			FAIL("there is something to read");                                        \
	} while (0)
