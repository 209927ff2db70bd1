/* SPDX-License-Identifier: Apache-2.0 */
/* Pseudoterminals as files: names, locks, the peer, packet mode, window sizes, speeds, the end of
 * either side. */
#include "tests/guest/pty.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

/* The C library keeps these to itself. */
struct kernel_termios2 {
	uint32_t c_iflag, c_oflag, c_cflag, c_lflag;
	uint8_t c_line, c_cc[19];
	uint32_t c_ispeed, c_ospeed;
};

#define GETS2	  _IOR('T', 0x2a, struct kernel_termios2)
#define SETS2	  _IOW('T', 0x2b, struct kernel_termios2)
#define ANY_SPEED 0x1000
#define N_TTY	  0

TEST(a_slave_is_locked_until_unlocked)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC), locked = -1;
	char *name;

	CHECK(master >= 0);
	CHECK(ioctl(master, TIOCGPTLCK, &locked) == 0);
	CHECK_EQ(locked, 1);
	name = ptsname(master);
	CHECK(name && !strncmp(name, "/dev/pts/", 9));
	CHECK_ERRNO(open(name, O_RDWR | O_NOCTTY), EIO);
	CHECK(grantpt(master) == 0 && unlockpt(master) == 0);
	CHECK(open(name, O_RDWR | O_NOCTTY) >= 0);
	close(master);
	CHECK_ERRNO(open(name, O_RDWR | O_NOCTTY), ENOENT);
}

TEST(the_node_says_what_it_is)
{
	struct stat status;
	int number;

	pty_open();
	CHECK(ioctl(pty_master, TIOCGPTN, &number) == 0);
	CHECK(fstat(pty_slave, &status) == 0);
	CHECK(S_ISCHR(status.st_mode));
	CHECK_EQ(major(status.st_rdev), 136);
	CHECK_EQ(minor(status.st_rdev), number);
	CHECK_EQ(status.st_uid, getuid());
	CHECK_ERRNO(ioctl(pty_slave, TIOCGPTN, &number), ENOTTY);
	CHECK_ERRNO(lseek(pty_slave, 0, SEEK_SET), ESPIPE);
}

TEST(the_peer_by_the_master)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY), peer;
	char byte;

	peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (peer < 0 && errno == EIO) {
		CHECK(unlockpt(master) == 0);
		peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	}
	CHECK(peer >= 0);
	CHECK_EQ(fcntl(peer, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(write(peer, "x", 1), 1);
	CHECK_EQ(read(master, &byte, 1), 1);
	CHECK_EQ(byte, 'x');
}

TEST(packet_mode)
{
	struct pollfd entry;
	char text[16];

	pty_open();
	CHECK(ioctl(pty_master, TIOCPKT, &(int){1}) == 0);
	CHECK_EQ(write(pty_slave, "data", 4), 4);
	CHECK_EQ(read(pty_master, text, 16), 5);
	CHECK(!memcmp(text, "\0data", 5));
	CHECK(tcflush(pty_slave, TCIFLUSH) == 0);
	entry = (struct pollfd){pty_master, POLLIN | POLLPRI, 0};
	CHECK_EQ(poll(&entry, 1, 5000), 1);
	CHECK_EQ(entry.revents & POLLPRI, POLLPRI);
	CHECK_EQ(read(pty_master, text, 16), 1);
	CHECK_EQ(text[0], TIOCPKT_FLUSHREAD);
	CHECK(tcflow(pty_slave, TCOOFF) == 0);
	CHECK_EQ(read(pty_master, text, 16), 1);
	CHECK_EQ(text[0], TIOCPKT_STOP);
	CHECK(tcflow(pty_slave, TCOON) == 0);
	CHECK_EQ(read(pty_master, text, 16), 1);
	CHECK_EQ(text[0], TIOCPKT_START);
	CHECK(ioctl(pty_master, TIOCPKT, &(int){0}) == 0);
	CHECK_EQ(write(pty_slave, "data", 4), 4);
	CHECK_EQ(read(pty_master, text, 16), 4);
}

TEST(packet_mode_tells_of_flow_control_settings)
{
	char text[16];

	pty_open();
	CHECK(ioctl(pty_master, TIOCPKT, &(int){1}) == 0);
	pty_flags(IXON, 0, 0);
	CHECK_EQ(read(pty_master, text, 16), 1);
	CHECK_EQ(text[0], TIOCPKT_NOSTOP);
}

TEST(window_size)
{
	struct winsize window = {24, 80, 1, 2}, seen;

	pty_open();
	CHECK(ioctl(pty_slave, TIOCGWINSZ, &seen) == 0);
	CHECK_EQ(seen.ws_row + seen.ws_col, 0);
	CHECK(ioctl(pty_master, TIOCSWINSZ, &window) == 0);
	CHECK(ioctl(pty_slave, TIOCGWINSZ, &seen) == 0);
	CHECK(!memcmp(&window, &seen, sizeof(window)));
	CHECK_ERRNO(ioctl(pty_slave, TIOCGWINSZ, 8), EFAULT);
}

TEST(the_slave_ends)
{
	struct pollfd entry;
	char text[8];

	pty_open();
	CHECK_EQ(write(pty_slave, "last", 4), 4);
	close(pty_slave);
	CHECK_EQ(read(pty_master, text, 8), 4);
	CHECK_ERRNO(read(pty_master, text, 8), EIO);
	entry = (struct pollfd){pty_master, POLLIN, 0};
	CHECK_EQ(poll(&entry, 1, 0), 1);
	CHECK(entry.revents & POLLHUP);
}

TEST(a_slave_can_be_opened_again)
{
	char byte;

	pty_open();
	close(pty_slave);
	CHECK_ERRNO(read(pty_master, &byte, 1), EIO);
	pty_slave = open(ptsname(pty_master), O_RDWR | O_NOCTTY);
	CHECK(pty_slave >= 0);
	CHECK_EQ(write(pty_slave, "x", 1), 1);
	CHECK_EQ(read(pty_master, &byte, 1), 1);
}

TEST(the_master_ends)
{
	struct pollfd entry;
	char byte;

	pty_open();
	close(pty_master);
	CHECK_EQ(read(pty_slave, &byte, 1), 0);
	CHECK_ERRNO(write(pty_slave, "x", 1), EIO);
	entry = (struct pollfd){pty_slave, POLLIN | POLLOUT, 0};
	CHECK_EQ(poll(&entry, 1, 0), 1);
	CHECK(entry.revents & POLLHUP);
	CHECK_ERRNO(ioctl(pty_slave, TIOCGWINSZ, &(struct winsize){0}), EIO);
}

TEST(a_blocked_reader_hears_of_the_end)
{
	char byte;

	pty_open();
	if (fork() == 0) {
		close(pty_slave);
		sleep_ms(20);
		_exit(0);
	}
	close(pty_master);
	/* The child's master is the last one: an error or the end, as the race has it. */
	CHECK(read(pty_slave, &byte, 1) <= 0);
}

TEST(any_speed)
{
	struct kernel_termios2 termios;

	pty_open();
	CHECK(ioctl(pty_slave, GETS2, &termios) == 0);
	CHECK_EQ(termios.c_ospeed, 38400);
	termios.c_cflag = (termios.c_cflag & ~(tcflag_t)CBAUD) | ANY_SPEED;
	termios.c_ospeed = termios.c_ispeed = 12345;
	CHECK(ioctl(pty_slave, SETS2, &termios) == 0);
	memset(&termios, 0, sizeof(termios));
	CHECK(ioctl(pty_slave, GETS2, &termios) == 0);
	CHECK_EQ(termios.c_ospeed, 12345);
	CHECK_EQ(termios.c_cflag & CBAUD, ANY_SPEED);
	termios.c_cflag = (termios.c_cflag & ~(tcflag_t)(CBAUD | CSIZE)) | B9600 | CS7 | PARENB;
	CHECK(ioctl(pty_slave, SETS2, &termios) == 0);
	CHECK(ioctl(pty_slave, GETS2, &termios) == 0);
	CHECK_EQ(termios.c_ospeed, 9600);
	CHECK_EQ(termios.c_cflag & (CSIZE | PARENB), CS8);
}

TEST(a_number_is_free_when_both_ends_are_closed)
{
	char name[32];
	int kept;

	pty_open();
	kept = pty_slave;
	CHECK(ttyname_r(kept, name, sizeof(name)) == 0 && close(pty_master) == 0);
	for (int i = 0; i < 3; i++) {
		char byte, other[32];

		pty_open();
		CHECK(ttyname_r(pty_slave, other, sizeof(other)) == 0 && strcmp(name, other) != 0);
		pty_type("x\n");
		CHECK(read(pty_slave, &byte, 1) == 1 && byte == 'x');
		CHECK(close(pty_master) == 0 && close(pty_slave) == 0);
	}
	CHECK(close(kept) == 0);
}

TEST(exclusive)
{
	int value = -1;

	pty_open();
	CHECK(ioctl(pty_slave, TIOCGEXCL, &value) == 0);
	CHECK_EQ(value, 0);
	CHECK(ioctl(pty_slave, TIOCEXCL) == 0);
	CHECK(ioctl(pty_slave, TIOCGEXCL, &value) == 0);
	CHECK_EQ(value, 1);
	CHECK(setuid(1000) == 0);
	CHECK_ERRNO(open(ptsname(pty_master), O_RDONLY | O_NOCTTY), EACCES);
	CHECK(ioctl(pty_slave, TIOCNXCL) == 0);
}

TEST(line_disciplines)
{
	int value = -1;

	pty_open();
	CHECK(ioctl(pty_slave, TIOCGETD, &value) == 0);
	CHECK_EQ(value, N_TTY);
	CHECK(ioctl(pty_slave, TIOCSETD, &value) == 0);
	CHECK_ERRNO(ioctl(pty_slave, TIOCSETD, &(int){12345}), EINVAL);
	CHECK_ERRNO(ioctl(pty_slave, 0x5499), ENOTTY);
}

TEST(many_at_once)
{
	int masters[50], slaves[50];
	char byte;

	for (int i = 0; i < 50; i++) {
		pty_open();
		masters[i] = pty_master;
		slaves[i] = pty_slave;
	}
	for (int i = 0; i < 50; i++) {
		CHECK_EQ(write(slaves[i], "x", 1), 1);
		CHECK_EQ(read(masters[i], &byte, 1), 1);
		close(slaves[i]);
		close(masters[i]);
	}
}

GUEST_TEST_MAIN()
