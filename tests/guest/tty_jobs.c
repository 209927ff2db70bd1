/* SPDX-License-Identifier: Apache-2.0 */
/* A controlling terminal: getting and losing it, foreground and background groups, keys that are
 * signals, hang-ups. */
#include "tests/guest/pty.h"
#include "tests/guest/wait_asleep.h"

static volatile sig_atomic_t caught[65];

static void note(int number)
{
	caught[number]++;
}

static void catch (int number)
{
	sigaction(number, &(struct sigaction){.sa_handler = note}, NULL);
}

/* A session of our own, with the slave as its terminal. */
static void session_make(void)
{
	pid_t child;
	int status;

	pty_open();
	child = fork();
	CHECK(child >= 0);
	if (child) {
		CHECK(waitpid(child, &status, 0) == child);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
	}
	CHECK(setsid() == getpid());
	alarm(GUEST_TEST_SECONDS);
	CHECK(ioctl(pty_slave, TIOCSCTTY, 0) == 0);
}

static void wait_caught(int number)
{
	for (int i = 0; i < 5000 && !caught[number]; i++)
		sleep_ms(1);
	if (!caught[number])
		FAIL("signal %d did not come", number);
}

/* A child in a group of its own, in the background. */
static pid_t background(void (*function)(void))
{
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0) {
		setpgid(0, 0);
		function();
		_exit(0);
	}
	setpgid(child, child);
	return child;
}

TEST(becoming_the_controlling_terminal)
{
	int fd, group;

	session_make();
	fd = open("/dev/tty", O_RDWR);
	CHECK(fd >= 0);
	CHECK_EQ(tcgetpgrp(fd), getpgrp());
	CHECK_EQ(tcgetsid(fd), getsid(0));
	CHECK(ioctl(pty_master, TIOCGPGRP, &group) == 0);
	CHECK_EQ(group, getpgrp());
	CHECK_EQ(write(fd, "x", 1), 1);
	PTY_EXPECT(pty_master, "x");
	CHECK(ioctl(pty_slave, TIOCSCTTY, 0) == 0);
}

TEST(without_a_terminal)
{
	int group;

	pty_open();
	if (fork() == 0) {
		CHECK(setsid() > 0);
		CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
		CHECK_ERRNO(ioctl(pty_slave, TIOCGPGRP, &group), ENOTTY);
		CHECK_ERRNO(ioctl(pty_slave, TIOCSPGRP, &(int){getpgrp()}), ENOTTY);
		CHECK_ERRNO(ioctl(pty_slave, TIOCGSID, &group), ENOTTY);
		CHECK_ERRNO(ioctl(pty_slave, TIOCNOTTY), ENOTTY);
		_exit(0);
	}
	int status;
	CHECK(wait(&status) > 0);
	CHECK_EQ(status, 0);
}

TEST(opening_one_makes_it_ones_own)
{
	int status;

	pty_open();
	if (fork() == 0) {
		CHECK(setsid() > 0);
		CHECK(open(ptsname(pty_master), O_RDWR | O_NOCTTY) >= 0);
		CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
		CHECK(open(ptsname(pty_master), O_RDWR) >= 0);
		CHECK(open("/dev/tty", O_RDWR) >= 0);
		_exit(0);
	}
	CHECK(wait(&status) > 0);
	CHECK_EQ(status, 0);
}

TEST(only_a_leader_and_only_one_session)
{
	int status;

	session_make();
	if (fork() == 0) {
		/* It is ours already. */
		CHECK_ERRNO(ioctl(pty_slave, TIOCSCTTY, 0), EPERM);
		_exit(0);
	}
	CHECK(wait(&status) > 0);
	CHECK_EQ(status, 0);
	if (fork() == 0) {
		CHECK(setsid() > 0);
		CHECK_ERRNO(ioctl(pty_slave, TIOCSCTTY, 0), EPERM);
		_exit(0);
	}
	CHECK(wait(&status) > 0);
	CHECK_EQ(status, 0);
}

TEST(keys_are_signals_to_the_foreground)
{
	session_make();
	catch (SIGINT);
	catch (SIGQUIT);
	catch (SIGTSTP);
	pty_type("\003");
	wait_caught(SIGINT);
	pty_type("\034");
	wait_caught(SIGQUIT);
	pty_type("\032");
	wait_caught(SIGTSTP);
	PTY_EXPECT(pty_master, "^C^\\^Z");
}

TEST(an_interrupt_throws_away_what_was_typed)
{
	session_make();
	catch (SIGINT);
	pty_type("typed\003");
	wait_caught(SIGINT);
	pty_type("x\n");
	PTY_EXPECT(pty_slave, "x\n");
}

TEST(a_blocked_read_is_interrupted)
{
	pid_t child, reader = getpid();
	char byte;

	session_make();
	catch (SIGINT);
	child = fork();
	if (child == 0) {
		signal(SIGINT, SIG_IGN);
		wait_asleep(reader);
		pty_type("\003");
		_exit(0);
	}
	CHECK_ERRNO(read(pty_slave, &byte, 1), EINTR);
	CHECK(waitpid(child, NULL, 0) == child);
}

static void reads(void)
{
	char byte;

	_exit(read(pty_slave, &byte, 1) == 1 ? 0 : 1);
}

TEST(a_background_reader_stops)
{
	pid_t child;
	int status;

	session_make();
	child = background(reads);
	CHECK(waitpid(child, &status, WUNTRACED) == child);
	CHECK(WIFSTOPPED(status));
	CHECK_EQ(WSTOPSIG(status), SIGTTIN);
	signal(SIGTTOU, SIG_IGN);
	CHECK(tcsetpgrp(pty_slave, child) == 0);
	CHECK(kill(-child, SIGCONT) == 0);
	pty_type("x\n");
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
}

static void reads_deaf(void)
{
	char byte;

	signal(SIGTTIN, SIG_IGN);
	errno = 0;
	_exit(read(pty_slave, &byte, 1) == -1 && errno == EIO ? 0 : 1);
}

TEST(a_background_reader_that_is_deaf_gets_an_error)
{
	int status;

	session_make();
	CHECK(waitpid(background(reads_deaf), &status, 0) > 0);
	CHECK_EQ(status, 0);
}

static void writes(void)
{
	_exit(write(pty_slave, "x", 1) == 1 ? 0 : 1);
}

TEST(a_background_writer_stops_only_if_asked)
{
	struct termios termios;
	pid_t child;
	int status;

	session_make();
	child = background(writes);
	CHECK(waitpid(child, &status, WUNTRACED) == child);
	CHECK(WIFEXITED(status));
	CHECK(tcgetattr(pty_slave, &termios) == 0);
	termios.c_lflag |= TOSTOP;
	CHECK(tcsetattr(pty_slave, TCSANOW, &termios) == 0);
	child = background(writes);
	CHECK(waitpid(child, &status, WUNTRACED) == child);
	CHECK(WIFSTOPPED(status));
	CHECK_EQ(WSTOPSIG(status), SIGTTOU);
	kill(child, SIGKILL);
}

static void takes_over(void)
{
	CHECK(tcsetpgrp(pty_slave, getpgrp()) == 0);
	_exit(tcgetpgrp(pty_slave) == getpgrp() ? 0 : 1);
}

static void takes_over_deaf(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTTOU);
	sigprocmask(SIG_BLOCK, &set, NULL);
	takes_over();
}

TEST(taking_the_foreground)
{
	pid_t child;
	int status;

	session_make();
	child = background(takes_over);
	CHECK(waitpid(child, &status, WUNTRACED) == child);
	CHECK(WIFSTOPPED(status));
	CHECK_EQ(WSTOPSIG(status), SIGTTOU);
	kill(child, SIGKILL);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(waitpid(background(takes_over_deaf), &status, 0) > 0);
	CHECK_EQ(status, 0);
}

TEST(groups_that_cannot_be_in_the_foreground)
{
	pid_t child;

	session_make();
	CHECK_ERRNO(tcsetpgrp(pty_slave, -5), EINVAL);
	CHECK_ERRNO(tcsetpgrp(pty_slave, 4000000), ESRCH);
	CHECK_ERRNO(tcsetpgrp(pty_slave, getppid()), EPERM);
	child = fork();
	if (child == 0) {
		setsid();
		pause();
	}
	while (getsid(child) != child)
		sleep_ms(1);
	CHECK_ERRNO(tcsetpgrp(pty_slave, child), EPERM);
	kill(child, SIGKILL);
}

static void sets(void)
{
	struct termios termios;

	CHECK(tcgetattr(pty_slave, &termios) == 0);
	CHECK(tcsetattr(pty_slave, TCSANOW, &termios) == 0);
}

TEST(settings_from_the_background_stop)
{
	pid_t child;
	int status;

	session_make();
	child = background(sets);
	CHECK(waitpid(child, &status, WUNTRACED) == child);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTOU);
	kill(child, SIGKILL);
}

TEST(a_change_of_size_is_told)
{
	struct winsize window = {24, 80, 0, 0};

	session_make();
	catch (SIGWINCH);
	CHECK(ioctl(pty_master, TIOCSWINSZ, &window) == 0);
	wait_caught(SIGWINCH);
	caught[SIGWINCH] = 0;
	CHECK(ioctl(pty_master, TIOCSWINSZ, &window) == 0);
	sleep_ms(10);
	CHECK_EQ(caught[SIGWINCH], 0);
}

TEST(closing_the_master_hangs_up)
{
	int status, master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC), ready[2];
	pid_t child;
	char byte;

	CHECK(master >= 0 && unlockpt(master) == 0 && pipe(ready) == 0);
	pty_slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	child = fork();
	if (child == 0) {
		close(master);
		CHECK(setsid() > 0);
		CHECK(ioctl(pty_slave, TIOCSCTTY, 0) == 0);
		catch (SIGHUP);
		catch (SIGCONT);
		CHECK_EQ(write(ready[1], "x", 1), 1);
		wait_caught(SIGHUP);
		wait_caught(SIGCONT);
		CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
		CHECK_EQ(read(pty_slave, &byte, 1), 0);
		CHECK_ERRNO(write(pty_slave, "x", 1), EIO);
		_exit(0);
	}
	CHECK_EQ(read(ready[0], &byte, 1), 1);
	close(master);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
}

static void waits_for_hangup(void)
{
	catch (SIGHUP);
	wait_caught(SIGHUP);
	_exit(0);
}

TEST(giving_the_terminal_up)
{
	pid_t child;
	int status;

	session_make();
	child = background(waits_for_hangup);
	signal(SIGTTOU, SIG_IGN);
	CHECK(tcsetpgrp(pty_slave, child) == 0);
	sleep_ms(50);
	CHECK(ioctl(pty_slave, TIOCNOTTY) == 0);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) || WTERMSIG(status) == SIGHUP);
	CHECK_ERRNO(open("/dev/tty", O_RDWR), ENXIO);
}

TEST(the_end_of_the_leader_hangs_up_the_foreground)
{
	int ready[2], done[2], status;
	pid_t leader;
	char byte;

	pty_open();
	CHECK(pipe(ready) == 0 && pipe(done) == 0);
	leader = fork();
	if (leader == 0) {
		CHECK(setsid() > 0);
		CHECK(ioctl(pty_slave, TIOCSCTTY, 0) == 0);
		if (fork() == 0) {
			catch (SIGHUP);
			CHECK_EQ(write(ready[1], "x", 1), 1);
			wait_caught(SIGHUP);
			CHECK_EQ(write(done[1], "y", 1), 1);
			_exit(0);
		}
		CHECK_EQ(read(ready[0], &byte, 1), 1);
		_exit(0);
	}
	CHECK(waitpid(leader, &status, 0) == leader);
	close(done[1]);
	CHECK_EQ(read(done[0], &byte, 1), 1);
}

TEST(typing_for_somebody)
{
	int result;

	session_make();
	pty_flags(0, 0, ECHO);
	result = ioctl(pty_slave, TIOCSTI, "q");
	if (result && errno == EIO)
		SKIP("TIOCSTI is off");
	CHECK(ioctl(pty_slave, TIOCSTI, "\n") == 0);
	PTY_EXPECT(pty_slave, "q\n");
}

TEST(the_master_sends_signals)
{
	session_make();
	catch (SIGINT);
	CHECK(ioctl(pty_master, TIOCSIG, SIGINT) == 0);
	wait_caught(SIGINT);
	CHECK_ERRNO(ioctl(pty_master, TIOCSIG, SIGUSR1), EINVAL);
}

static void reads_orphaned(void)
{
	char byte;
	int ready[2];

	CHECK(pipe(ready) == 0);
	if (fork()) {
		/* The parent goes: the child's group is orphaned. */
		_exit(0);
	}
	while (getppid() != 1 && getppid() == getpgrp())
		sleep_ms(1);
	errno = 0;
	if (read(pty_slave, &byte, 1) == -1 && errno == EIO)
		CHECK_EQ(write(pty_slave, "E", 1), 1);
	_exit(0);
}

TEST(an_orphaned_group_gets_an_error)
{
	int status;

	session_make();
	CHECK(waitpid(background(reads_orphaned), &status, 0) > 0);
	/* Still our session's group, but nobody of the session is its parent. */
	PTY_EXPECT(pty_master, "E");
}

GUEST_TEST_MAIN()
