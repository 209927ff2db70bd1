/* SPDX-License-Identifier: Apache-2.0 */
/* Leases: who may take them, and what opening and truncating do to them. */
#include "tests/guest/temporary.h"

#include <stdatomic.h>
#include <sys/time.h>

static atomic_int told;

static void on_told(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	told = info->si_fd + 1;
}

static int lease(const char *name, int flags, int type)
{
	struct sigaction action = {.sa_sigaction = on_told, .sa_flags = SA_SIGINFO | SA_RESTART};
	int fd = open(name, flags);

	CHECK(fd >= 0);
	CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
	CHECK(fcntl(fd, F_SETSIG, SIGUSR1) == 0);
	CHECK(fcntl(fd, F_SETLEASE, type) == 0);
	CHECK_EQ(fcntl(fd, F_GETLEASE), type);
	return fd;
}

static void wait_told(int fd)
{
	for (int i = 0; i < 1000 && !told; i++)
		sleep_ms(5);
	CHECK_EQ(told, fd + 1);
}

/* A child that does this while the lease is held; its exit status is 0 when it worked. */
static pid_t child_opens(const char *name, int flags)
{
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0)
		_exit(open(name, flags) < 0 ? errno : 0);
	return child;
}

static int status_of(pid_t child)
{
	int status;

	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

TEST(read_leases_need_a_file_nobody_writes)
{
	int fd, other;

	temporary_enter();
	temporary_text("f", "x");
	fd = open("f", O_RDONLY);
	other = open("f", O_RDWR);
	CHECK_ERRNO(fcntl(fd, F_SETLEASE, F_RDLCK), EAGAIN);
	CHECK_ERRNO(fcntl(other, F_SETLEASE, F_RDLCK), EAGAIN);
	close(other);
	CHECK(fcntl(fd, F_SETLEASE, F_RDLCK) == 0);
	other = open("f", O_RDONLY);
	CHECK(fcntl(other, F_SETLEASE, F_RDLCK) == 0);
	CHECK_ERRNO(fcntl(fd, F_SETLEASE, F_WRLCK), EAGAIN);
	CHECK_EQ(fcntl(fd, F_GETLEASE), F_RDLCK);
	CHECK(fcntl(fd, F_SETLEASE, F_UNLCK) == 0);
	CHECK_ERRNO(fcntl(fd, F_SETLEASE, F_UNLCK), EAGAIN);
	CHECK_EQ(fcntl(fd, F_GETLEASE), F_UNLCK);
}

TEST(write_leases_need_a_file_nobody_has_open)
{
	int fd, other;

	temporary_enter();
	temporary_text("f", "x");
	fd = open("f", O_RDWR);
	other = open("f", O_RDONLY);
	CHECK_ERRNO(fcntl(fd, F_SETLEASE, F_WRLCK), EAGAIN);
	close(other);
	CHECK(fcntl(fd, F_SETLEASE, F_WRLCK) == 0);
	CHECK(fcntl(fd, F_SETLEASE, F_WRLCK) == 0);
	close(fd);
	fd = open("f", O_RDONLY);
	CHECK(fcntl(fd, F_SETLEASE, F_WRLCK) == 0);
	CHECK(fcntl(fd, F_SETLEASE, F_RDLCK) == 0);
}

TEST(what_takes_no_lease)
{
	int fd, fds[2];

	temporary_enter();
	temporary_text("f", "x");
	fd = open("f", O_RDONLY);
	CHECK_ERRNO(fcntl(fd, F_SETLEASE, 7), EINVAL);
	CHECK(pipe(fds) == 0);
	CHECK_ERRNO(fcntl(fds[0], F_SETLEASE, F_RDLCK), EINVAL);
	CHECK_ERRNO(fcntl(open(".", O_RDONLY), F_SETLEASE, F_RDLCK), EINVAL);
	CHECK_EQ(fcntl(fds[0], F_GETLEASE), F_UNLCK);
}

TEST(an_open_waits_until_the_holder_lets_go)
{
	pid_t child;
	int fd;

	temporary_enter();
	temporary_text("f", "x");
	fd = lease("f", O_RDONLY, F_RDLCK);
	CHECK_EQ(status_of(child_opens("f", O_RDONLY)), 0);
	CHECK_EQ(told, 0);
	child = child_opens("f", O_WRONLY);
	wait_told(fd);
	CHECK_EQ(fcntl(fd, F_GETLEASE), F_UNLCK);
	CHECK(waitpid(child, NULL, WNOHANG) == 0);
	CHECK(fcntl(fd, F_SETLEASE, F_UNLCK) == 0);
	CHECK_EQ(status_of(child), 0);
}

TEST(a_reader_asks_for_a_downgrade)
{
	pid_t child;
	int fd;

	temporary_enter();
	temporary_text("f", "x");
	fd = lease("f", O_RDONLY, F_WRLCK);
	child = child_opens("f", O_RDONLY);
	wait_told(fd);
	CHECK_EQ(fcntl(fd, F_GETLEASE), F_RDLCK);
	CHECK(fcntl(fd, F_SETLEASE, F_RDLCK) == 0);
	CHECK_EQ(status_of(child), 0);
	CHECK_EQ(fcntl(fd, F_GETLEASE), F_RDLCK);
}

TEST(closing_and_truncation)
{
	pid_t child;
	int fd;

	temporary_enter();
	temporary_text("f", "xyz");
	fd = lease("f", O_RDONLY, F_WRLCK);
	child = fork();
	if (child == 0) {
		close(fd);
		_exit(truncate("f", 1) ? errno : 0);
	}
	wait_told(fd);
	close(fd);
	CHECK_EQ(status_of(child), 0);
}

TEST(an_open_that_may_not_wait_or_is_interrupted)
{
	struct sigaction action = {.sa_sigaction = on_told};
	/* Again and again: the first may come before the wait. */
	struct itimerval soon = {{0, 50000}, {0, 50000}};
	pid_t child;
	int fd;

	temporary_enter();
	temporary_text("f", "x");
	fd = lease("f", O_RDONLY, F_RDLCK);
	CHECK_EQ(status_of(child_opens("f", O_RDWR | O_NONBLOCK)), EAGAIN);
	wait_told(fd);
	CHECK(sigaction(SIGALRM, &action, NULL) == 0);
	child = fork();
	if (child == 0) {
		CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
		_exit(open("f", O_WRONLY) < 0 ? errno : 0);
	}
	CHECK_EQ(status_of(child), EINTR);
	CHECK_EQ(fcntl(fd, F_GETLEASE), F_UNLCK);
	CHECK_ERRNO(fcntl(open("f", O_RDONLY), F_SETLEASE, F_RDLCK), EAGAIN);
}

GUEST_TEST_MAIN()
