/* SPDX-License-Identifier: Apache-2.0 */
/* signalfd: reading signals, poll, mask changes, errors. */
#include "tests/guest/guest_test.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>

static int signalfd_new(int signal, int flags)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, signal);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	fd = signalfd(-1, &set, flags);
	CHECK(fd >= 0);
	return fd;
}

TEST(read_gives_the_signal)
{
	struct signalfd_siginfo info;
	int fd = signalfd_new(SIGUSR1, 0);
	sigset_t pending;

	kill(getpid(), SIGUSR1);
	CHECK_EQ(read(fd, &info, sizeof(info)), 128);
	CHECK_EQ(info.ssi_signo, SIGUSR1);
	CHECK_EQ(info.ssi_code, SI_USER);
	CHECK_EQ(info.ssi_pid, getpid());
	CHECK_EQ(info.ssi_uid, getuid());
	sigpending(&pending);
	CHECK(!sigismember(&pending, SIGUSR1));
}

TEST(queued_values_arrive_in_order_several_at_once)
{
	struct signalfd_siginfo info[4];
	int fd = signalfd_new(SIGRTMIN, 0);

	for (int i = 0; i < 3; i++)
		sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i});
	CHECK_EQ(read(fd, info, sizeof(info)), 3 * 128);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(info[i].ssi_int, i);
}

TEST(nonblocking_and_small_reads)
{
	struct signalfd_siginfo info;
	int fd = signalfd_new(SIGUSR1, SFD_NONBLOCK | SFD_CLOEXEC);

	CHECK_ERRNO(read(fd, &info, sizeof(info)), EAGAIN);
	CHECK_ERRNO(read(fd, &info, 127), EINVAL);
	CHECK_ERRNO(write(fd, &info, 128), EINVAL);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
}

TEST(poll_and_epoll_see_it)
{
	int fd = signalfd_new(SIGUSR1, 0), epoll = epoll_create1(0);
	struct pollfd entry = {fd, POLLIN, 0};
	struct epoll_event event = {.events = EPOLLIN};

	CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
	CHECK_EQ(poll(&entry, 1, 0), 0);
	CHECK_EQ(epoll_wait(epoll, &event, 1, 0), 0);
	raise(SIGUSR1);
	CHECK_EQ(poll(&entry, 1, 0), 1);
	CHECK_EQ(entry.revents, POLLIN);
	CHECK_EQ(epoll_wait(epoll, &event, 1, 0), 1);
}

TEST(a_blocked_read_wakes)
{
	struct signalfd_siginfo info;
	int fd = signalfd_new(SIGCHLD, 0);
	pid_t child = fork();

	if (child == 0) {
		sleep_ms(20);
		_exit(5);
	}
	CHECK_EQ(read(fd, &info, sizeof(info)), 128);
	CHECK_EQ(info.ssi_signo, SIGCHLD);
	CHECK_EQ(info.ssi_pid, child);
	CHECK_EQ(info.ssi_status, 5);
	CHECK_EQ(info.ssi_code, CLD_EXITED);
}

TEST(the_set_can_change)
{
	struct signalfd_siginfo info;
	int fd = signalfd_new(SIGUSR1, SFD_NONBLOCK);
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK_EQ(signalfd(fd, &set, 0), fd);
	raise(SIGUSR1);
	CHECK_ERRNO(read(fd, &info, sizeof(info)), EAGAIN);
	raise(SIGUSR2);
	CHECK_EQ(read(fd, &info, sizeof(info)), 128);
	CHECK_EQ(info.ssi_signo, SIGUSR2);
}

TEST(kill_and_stop_are_left_out)
{
	struct signalfd_siginfo info;
	sigset_t set;

	sigfillset(&set);
	int fd = signalfd(-1, &set, SFD_NONBLOCK);
	CHECK(fd >= 0);
	CHECK_ERRNO(read(fd, &info, sizeof(info)), EAGAIN);
}

TEST(errors)
{
	sigset_t set;

	sigemptyset(&set);
	CHECK_ERRNO(signalfd(-1, &set, 0x1234), EINVAL);
	CHECK_ERRNO(signalfd(9999, &set, 0), EBADF);
	CHECK_ERRNO(signalfd(open("/dev/null", O_RDONLY), &set, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_signalfd4, -1, &set, 4, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_signalfd4, -1, (void *)8, 8, 0), EFAULT);
}

TEST(a_child_reads_its_own_signals)
{
	struct signalfd_siginfo info;
	int fd = signalfd_new(SIGUSR1, SFD_NONBLOCK), status;
	pid_t child;

	raise(SIGUSR1);
	child = fork();
	if (child == 0) {
		CHECK_ERRNO(read(fd, &info, sizeof(info)), EAGAIN);
		raise(SIGUSR1);
		CHECK_EQ(read(fd, &info, sizeof(info)), 128);
		_exit(info.ssi_pid == (uint32_t)getpid() ? 0 : 1);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
	CHECK_EQ(read(fd, &info, sizeof(info)), 128);
}

GUEST_TEST_MAIN()
