/* SPDX-License-Identifier: Apache-2.0 */
/* The line discipline: canonical lines and their editing, echo, raw reads with VMIN and VTIME,
 * signals, flow control, output. */
#include "tests/guest/pty.h"

TEST(a_line_arrives_whole_and_is_echoed)
{
	char text[64];

	pty_open();
	pty_type("hel");
	PTY_NOTHING(pty_slave);
	pty_type("lo\n");
	CHECK_EQ(read(pty_slave, text, 64), 6);
	CHECK(!memcmp(text, "hello\n", 6));
	PTY_EXPECT(pty_master, "hello\r\n");
}

TEST(one_line_a_read_and_parts_of_it)
{
	char text[64];

	pty_open();
	pty_type("first\nsecond\n");
	CHECK_EQ(read(pty_slave, text, 64), 6);
	CHECK_EQ(read(pty_slave, text, 3), 3);
	CHECK(!memcmp(text, "sec", 3));
	CHECK_EQ(read(pty_slave, text, 64), 4);
}

TEST(erase_word_erase_and_kill)
{
	pty_open();
	pty_flags(0, 0, ECHO);
	pty_type("abx\177c\n");
	PTY_EXPECT(pty_slave, "abc\n");
	pty_type("one two\027three\n");
	PTY_EXPECT(pty_slave, "one three\n");
	pty_type("gone\025here\n");
	PTY_EXPECT(pty_slave, "here\n");
	pty_type("\177\177x\n");
	PTY_EXPECT(pty_slave, "x\n");
}

TEST(erasing_is_shown)
{
	pty_open();
	pty_type("ab\177");
	PTY_EXPECT(pty_master, "ab\b \b");
	pty_type("\001\177");
	PTY_EXPECT(pty_master, "^A\b \b\b \b");
	pty_type("\025");
	PTY_EXPECT(pty_master, "\b \b");
	pty_type("x\ty\177\177");
	PTY_EXPECT(pty_master, "x\ty\b \b\b\b\b\b\b\b\b");
}

TEST(utf8_is_erased_by_characters)
{
	struct termios termios;

	pty_open();
	CHECK(tcgetattr(pty_slave, &termios) == 0);
	termios.c_iflag |= IUTF8;
	CHECK(tcsetattr(pty_slave, TCSANOW, &termios) == 0);
	pty_type("a\303\244\342\202\254\177\177b\n");
	PTY_EXPECT(pty_slave, "ab\n");
}

TEST(end_of_file_character)
{
	char text[8];

	pty_open();
	pty_type("part\004");
	CHECK_EQ(read(pty_slave, text, 8), 4);
	pty_type("\004");
	CHECK_EQ(read(pty_slave, text, 8), 0);
	pty_type("x\n");
	CHECK_EQ(read(pty_slave, text, 8), 2);
	pty_type("full\004");
	CHECK_EQ(read(pty_slave, text, 4), 4);
	pty_type("y\n");
	CHECK_EQ(read(pty_slave, text, 8), 2);
}

TEST(literal_next_and_other_line_ends)
{
	struct termios termios;

	pty_open();
	CHECK(tcgetattr(pty_slave, &termios) == 0);
	termios.c_cc[VEOL] = ';';
	termios.c_lflag &= ~(tcflag_t)ECHO;
	CHECK(tcsetattr(pty_slave, TCSANOW, &termios) == 0);
	pty_type("a;");
	PTY_EXPECT(pty_slave, "a;");
	pty_type("\026\003\026\177\n");
	PTY_EXPECT(pty_slave, "\003\177\n");
}

TEST(carriage_returns_become_newlines)
{
	pty_open();
	pty_flags(0, 0, ECHO);
	pty_type("a\r");
	PTY_EXPECT(pty_slave, "a\n");
	pty_flags(ICRNL, 0, 0);
	pty_type("a\rb\n");
	PTY_EXPECT(pty_slave, "a\rb\n");
}

TEST(control_characters_are_shown_with_a_caret)
{
	pty_open();
	pty_type("\001\t\033x\n");
	PTY_EXPECT(pty_master, "^A\t^[x\r\n");
	pty_flags(0, 0, ECHOCTL);
	pty_type("\001\n");
	PTY_EXPECT(pty_master, "\001\r\n");
	pty_flags(0, 0, ECHO);
	pty_type("hidden\n");
	PTY_NOTHING(pty_master);
}

TEST(newlines_alone_are_echoed_with_echonl)
{
	struct termios termios;

	pty_open();
	CHECK(tcgetattr(pty_slave, &termios) == 0);
	termios.c_lflag = (termios.c_lflag & ~(tcflag_t)ECHO) | ECHONL;
	CHECK(tcsetattr(pty_slave, TCSANOW, &termios) == 0);
	pty_type("secret\n");
	PTY_EXPECT(pty_master, "\r\n");
}

TEST(output_processing)
{
	pty_open();
	CHECK_EQ(write(pty_slave, "a\nb", 3), 3);
	PTY_EXPECT(pty_master, "a\r\nb");
	pty_flags(0, ONLCR, 0);
	CHECK_EQ(write(pty_slave, "a\nb", 3), 3);
	PTY_EXPECT(pty_master, "a\nb");
	pty_flags(0, OPOST, 0);
	CHECK_EQ(write(pty_slave, "a\r\n\t", 4), 4);
	PTY_EXPECT(pty_master, "a\r\n\t");
}

TEST(tabs_can_be_spaces)
{
	struct termios termios;

	pty_open();
	CHECK(tcgetattr(pty_slave, &termios) == 0);
	termios.c_oflag |= TAB3 | OLCUC;
	CHECK(tcsetattr(pty_slave, TCSANOW, &termios) == 0);
	CHECK_EQ(write(pty_slave, "ab\tc", 4), 4);
	PTY_EXPECT(pty_master, "AB      C");
}

TEST(raw_gives_bytes_as_they_come)
{
	pty_open();
	pty_raw(1, 0);
	pty_type("a\003\n\177");
	PTY_EXPECT(pty_slave, "a\003\n\177");
	PTY_NOTHING(pty_master);
}

TEST(least_count)
{
	struct pollfd entry;
	char text[8];

	pty_open();
	pty_raw(3, 0);
	entry = (struct pollfd){pty_slave, POLLIN, 0};
	pty_type("ab");
	CHECK_EQ(pty_wait(pty_slave, 2), 2);
	CHECK_EQ(poll(&entry, 1, 20), 0);
	if (fork() == 0) {
		sleep_ms(20);
		pty_type("cd");
		_exit(0);
	}
	CHECK(read(pty_slave, text, 8) >= 3);
}

TEST(no_least_count_never_waits)
{
	char byte;

	pty_open();
	pty_raw(0, 0);
	CHECK_EQ(read(pty_slave, &byte, 1), 0);
	fcntl(pty_slave, F_SETFL, O_NONBLOCK);
	CHECK_EQ(read(pty_slave, &byte, 1), 0);
	pty_raw(1, 0);
	CHECK_ERRNO(read(pty_slave, &byte, 1), EAGAIN);
}

TEST(a_time_limit)
{
	int64_t start;
	char text[8];

	pty_open();
	pty_raw(0, 1);
	start = now_ns();
	CHECK_EQ(read(pty_slave, text, 8), 0);
	CHECK(now_ns() - start >= 90000000);
	pty_type("x");
	CHECK_EQ(read(pty_slave, text, 8), 1);
	/* Between bytes, once the first is there. */
	pty_raw(5, 1);
	pty_type("xy");
	CHECK_EQ(pty_wait(pty_slave, 2), 2);
	CHECK_EQ(read(pty_slave, text, 8), 2);
}

TEST(changing_modes_keeps_what_was_typed)
{
	pty_open();
	pty_flags(0, 0, ECHO);
	pty_type("half");
	sleep_ms(10);
	pty_raw(1, 0);
	PTY_EXPECT(pty_slave, "half");
}

TEST(setting_with_flush_throws_input_away)
{
	struct termios termios;

	pty_open();
	pty_flags(0, 0, ECHO);
	pty_type("gone\n");
	CHECK_EQ(pty_wait(pty_slave, 5), 5);
	CHECK(tcgetattr(pty_slave, &termios) == 0);
	CHECK(tcsetattr(pty_slave, TCSAFLUSH, &termios) == 0);
	PTY_NOTHING(pty_slave);
	pty_type("gone\n");
	CHECK_EQ(pty_wait(pty_slave, 5), 5);
	CHECK(tcflush(pty_slave, TCIFLUSH) == 0);
	PTY_NOTHING(pty_slave);
	CHECK_ERRNO(tcflush(pty_slave, 77), EINVAL);
}

TEST(counts)
{
	int count = -1;

	pty_open();
	pty_flags(0, 0, ECHO);
	pty_type("abc");
	sleep_ms(10);
	CHECK(ioctl(pty_slave, FIONREAD, &count) == 0);
	CHECK_EQ(count, 0);
	pty_type("\n");
	CHECK_EQ(pty_wait(pty_slave, 4), 4);
	CHECK_EQ(write(pty_slave, "12345", 5), 5);
	CHECK_EQ(pty_wait(pty_master, 5), 5);
}

TEST(stop_and_start_characters)
{
	struct pollfd entry;

	pty_open();
	pty_type("\023");
	entry = (struct pollfd){pty_slave, POLLOUT, 0};
	while (poll(&entry, 1, 0) == 1)
		sleep_ms(1);
	fcntl(pty_slave, F_SETFL, O_NONBLOCK);
	CHECK_ERRNO(write(pty_slave, "x", 1), EAGAIN);
	CHECK_EQ(poll(&entry, 1, 0), 0);
	pty_type("\021");
	CHECK_EQ(poll(&entry, 1, 5000), 1);
	CHECK_EQ(write(pty_slave, "x", 1), 1);
	PTY_EXPECT(pty_master, "x");
}

TEST(a_program_stops_and_starts_output)
{
	pty_open();
	CHECK(tcflow(pty_slave, TCOOFF) == 0);
	fcntl(pty_slave, F_SETFL, O_NONBLOCK);
	CHECK_ERRNO(write(pty_slave, "x", 1), EAGAIN);
	CHECK(tcflow(pty_slave, TCOON) == 0);
	CHECK_EQ(write(pty_slave, "x", 1), 1);
	PTY_EXPECT(pty_master, "x");
	CHECK(tcflow(pty_slave, TCIOFF) == 0);
	PTY_EXPECT(pty_master, "\023");
	CHECK(tcdrain(pty_slave) == 0);
	CHECK(tcsendbreak(pty_slave, 0) == 0);
	CHECK_ERRNO(tcflow(pty_slave, 99), EINVAL);
}

TEST(external_processing)
{
	struct termios termios;

	pty_open();
	CHECK(tcgetattr(pty_slave, &termios) == 0);
	termios.c_lflag |= EXTPROC;
	CHECK(tcsetattr(pty_slave, TCSANOW, &termios) == 0);
	pty_type("a\177\003");
	PTY_EXPECT(pty_slave, "a\177\003");
	PTY_NOTHING(pty_master);
}

TEST(settings_of_a_fresh_terminal)
{
	struct termios termios;

	pty_open();
	CHECK(tcgetattr(pty_slave, &termios) == 0);
	CHECK_EQ(termios.c_iflag, ICRNL | IXON);
	CHECK_EQ(termios.c_oflag, OPOST | ONLCR);
	CHECK_EQ(termios.c_cflag, B38400 | CS8 | CREAD);
	CHECK_EQ(termios.c_lflag, ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN);
	CHECK_EQ(termios.c_cc[VINTR], 3);
	CHECK_EQ(termios.c_cc[VEOF], 4);
	CHECK_EQ(termios.c_cc[VERASE], 0177);
	CHECK_EQ(termios.c_cc[VMIN], 1);
	CHECK(isatty(pty_slave) && isatty(pty_master));
}

TEST(locked_settings_stay)
{
	struct termios before, after;
	uint8_t locked[64] = {0}, seen[64];
	const unsigned int echo = ECHO;

	pty_open();
	CHECK(tcgetattr(pty_slave, &before) == 0);
	memset(seen, 1, sizeof(seen));
	CHECK(ioctl(pty_slave, TIOCGLCKTRMIOS, seen) == 0);
	CHECK(!memcmp(seen, locked, 36));
	memcpy(locked + 12, &echo, sizeof(echo));
	locked[17 + VINTR] = 1;
	if (ioctl(pty_slave, TIOCSLCKTRMIOS, locked)) {
		CHECK_EQ(errno, EPERM);
		SKIP("needs CAP_SYS_ADMIN");
	}
	CHECK(ioctl(pty_master, TIOCGLCKTRMIOS, seen) == 0);
	CHECK(!memcmp(seen, locked, 36));
	after = before;
	after.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
	after.c_cc[VINTR] = 'x';
	after.c_cc[VQUIT] = 'y';
	CHECK(tcsetattr(pty_slave, TCSANOW, &after) == 0);
	CHECK(tcgetattr(pty_slave, &after) == 0);
	CHECK((after.c_lflag & ECHO) && !(after.c_lflag & ICANON));
	CHECK(after.c_cc[VINTR] == before.c_cc[VINTR] && after.c_cc[VQUIT] == 'y');
	CHECK_ERRNO(ioctl(pty_slave, TIOCSLCKTRMIOS, NULL), EFAULT);
}

TEST(a_full_input_queue_holds_the_sender)
{
	char block[1024];
	ssize_t count, sent = 0, received = 0;

	pty_open();
	pty_raw(1, 0);
	memset(block, 'x', sizeof(block));
	fcntl(pty_master, F_SETFL, O_NONBLOCK);
	fcntl(pty_slave, F_SETFL, O_NONBLOCK);
	for (int idle = 0; idle < 3;) {
		count = write(pty_master, block, sizeof(block));
		if (count < 0) {
			CHECK_EQ(errno, EAGAIN);
			idle++;
			sleep_ms(5);
			continue;
		}
		sent += count;
		CHECK(sent < 10 << 20);
	}
	CHECK(sent >= 4095);
	for (int idle = 0; idle < 20000 && received < sent;) {
		count = read(pty_slave, block, sizeof(block));
		if (count < 0) {
			CHECK_EQ(errno, EAGAIN);
			idle++;
			sleep_ms(5);
			continue;
		}
		received += count;
	}
	CHECK_EQ(received, sent);
}

TEST(a_line_that_is_too_long_can_be_ended)
{
	char block[5000], text[8192];

	pty_open();
	pty_flags(0, 0, ECHO);
	memset(block, 'x', sizeof(block));
	CHECK_EQ(write(pty_master, block, 5000), 5000);
	pty_type("\n");
	CHECK_EQ(read(pty_slave, text, sizeof(text)), 4096);
	CHECK_EQ(text[4095], '\n');
	pty_type("y\n");
	PTY_EXPECT(pty_slave, "y\n");
}

GUEST_TEST_MAIN()
