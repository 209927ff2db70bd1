/* SPDX-License-Identifier: Apache-2.0 */
/* Directory notification by signals (F_NOTIFY). */
#include "tests/guest/temporary.h"

#include <fcntl.h>

static void block(int signal)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* The signal's info; si_signo 0 when none came. */
static siginfo_t wait_for(int signal, int ms)
{
	struct timespec timeout = {ms / 1000, ms % 1000 * 1000000l};
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	if (sigtimedwait(&set, &info, &timeout) < 0)
		info.si_signo = 0;
	return info;
}

static void make(const char *name)
{
	int fd = open(name, O_CREAT | O_WRONLY, 0600);

	CHECK(fd >= 0);
	close(fd);
}

TEST(once_then_no_more)
{
	int directory;

	temporary_enter();
	block(SIGIO);
	directory = open(".", O_RDONLY);
	CHECK_EQ(fcntl(directory, F_NOTIFY, DN_CREATE), 0);
	make("a");
	CHECK_EQ(wait_for(SIGIO, 5000).si_signo, SIGIO);
	make("b");
	CHECK_EQ(wait_for(SIGIO, 50).si_signo, 0);
}

TEST(again_and_again_with_a_signal_of_choice)
{
	int directory, file;
	siginfo_t info;

	temporary_enter();
	block(SIGRTMIN);
	directory = open(".", O_RDONLY);
	CHECK_EQ(fcntl(directory, F_SETSIG, SIGRTMIN), 0);
	CHECK_EQ(fcntl(directory, F_NOTIFY,
			 DN_CREATE | DN_DELETE | DN_MODIFY | DN_ATTRIB | DN_MULTISHOT),
		0);
	make("a");
	info = wait_for(SIGRTMIN, 5000);
	CHECK_EQ(info.si_signo, SIGRTMIN);
	CHECK_EQ(info.si_code, POLL_MSG);
	CHECK_EQ(info.si_fd, directory);
	file = open("a", O_WRONLY);
	CHECK_EQ(wait_for(SIGRTMIN, 50).si_signo, 0);
	CHECK_EQ(write(file, "x", 1), 1);
	CHECK_EQ(wait_for(SIGRTMIN, 5000).si_signo, SIGRTMIN);
	CHECK_EQ(fchmod(file, 0640), 0);
	CHECK_EQ(wait_for(SIGRTMIN, 5000).si_signo, SIGRTMIN);
	CHECK_EQ(unlink("a"), 0);
	CHECK_EQ(wait_for(SIGRTMIN, 5000).si_signo, SIGRTMIN);
	while (wait_for(SIGRTMIN, 50).si_signo)
		;
	/* Nothing is asked for any more. */
	CHECK_EQ(fcntl(directory, F_NOTIFY, 0), 0);
	make("b");
	CHECK_EQ(wait_for(SIGRTMIN, 50).si_signo, 0);
	CHECK_EQ(fcntl(directory, F_NOTIFY, DN_CREATE | DN_MULTISHOT), 0);
	close(directory);
	make("c");
	CHECK_EQ(wait_for(SIGRTMIN, 50).si_signo, 0);
}

TEST(only_directories)
{
	temporary_enter();
	make("a");
	CHECK_ERRNO(fcntl(open("a", O_RDONLY), F_NOTIFY, DN_CREATE), ENOTDIR);
	CHECK_ERRNO(fcntl(999, F_NOTIFY, DN_CREATE), EBADF);
}

GUEST_TEST_MAIN()
