/* SPDX-License-Identifier: Apache-2.0 */
/* pidfds: opening, polling, signals, waiting, taking descriptors, and clone with one. */
#include "tests/guest/bad_address.h"
#include "tests/guest/guest_test.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static int pidfd_open(pid_t pid, unsigned int flags)
{
	return (int)syscall(SYS_pidfd_open, pid, flags);
}

static int pidfd_send(int fd, int signal, const siginfo_t *info, unsigned int flags)
{
	return (int)syscall(SYS_pidfd_send_signal, fd, signal, info, flags);
}

static pid_t sleeper(void)
{
	pid_t child = fork();

	if (child == 0) {
		for (;;)
			pause();
	}
	return child;
}

static bool is_readable(int fd)
{
	struct pollfd one = {fd, POLLIN, 0};

	return poll(&one, 1, 0) == 1 && (one.revents & POLLIN);
}

TEST(life_and_end)
{
	pid_t child = sleeper();
	int fd = pidfd_open(child, 0);
	siginfo_t info;

	CHECK(fd >= 0);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK(!is_readable(fd));
	CHECK(pidfd_send(fd, 0, NULL, 0) == 0);
	CHECK(pidfd_send(fd, SIGTERM, NULL, 0) == 0);
	CHECK_EQ(poll(&(struct pollfd){fd, POLLIN, 0}, 1, 20000), 1);
	CHECK(pidfd_send(fd, 0, NULL, 0) == 0);
	CHECK(waitid((idtype_t)P_PIDFD, (id_t)fd, &info, WEXITED) == 0);
	CHECK(info.si_pid == child && info.si_code == CLD_KILLED && info.si_status == SIGTERM);
	CHECK_ERRNO(pidfd_send(fd, SIGTERM, NULL, 0), ESRCH);
	CHECK_ERRNO(waitid((idtype_t)P_PIDFD, (id_t)fd, &info, WEXITED), ECHILD);
	CHECK(is_readable(fd));
}

TEST(errors)
{
	int fd = pidfd_open(getpid(), 0);
	siginfo_t info = {0};

	CHECK_ERRNO(pidfd_open(0, 0), EINVAL);
	CHECK_ERRNO(pidfd_open(-1, 0), EINVAL);
	CHECK_ERRNO(pidfd_open(0x3fffffff, 0), ESRCH);
	CHECK_ERRNO(pidfd_open(getpid(), 1 << 20), EINVAL);
	CHECK_ERRNO(pidfd_send(fd, 100, NULL, 0), EINVAL);
	CHECK_ERRNO(pidfd_send(fd, 0, NULL, 77), EINVAL);
	CHECK_ERRNO(pidfd_send(0, 0, NULL, 0), EBADF);
	info.si_signo = SIGUSR1;
	CHECK_ERRNO(pidfd_send(fd, SIGUSR2, &info, 0), EINVAL);
	CHECK_ERRNO(pidfd_send(fd, SIGUSR2, bad_address, 0), EFAULT);
	CHECK_ERRNO(waitid((idtype_t)P_PIDFD, 999, &info, WEXITED), EBADF);
	CHECK_ERRNO(waitid((idtype_t)P_PIDFD, (id_t)fd, &info, WEXITED), ECHILD);
	CHECK_ERRNO(read(fd, &info, 1), EINVAL);
}

TEST(nonblocking_wait)
{
	pid_t child = sleeper();
	int fd = pidfd_open(child, O_NONBLOCK);
	siginfo_t info;

	CHECK(fd >= 0 && (fcntl(fd, F_GETFL) & O_NONBLOCK));
	CHECK_ERRNO(waitid((idtype_t)P_PIDFD, (id_t)fd, &info, WEXITED), EAGAIN);
	kill(child, SIGKILL);
	while (waitid((idtype_t)P_PIDFD, (id_t)fd, &info, WEXITED))
		CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(info.si_pid, child);
}

TEST(clone_gives_one)
{
	int fd = -1, status;
	struct clone_args args = {
		.flags = CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)&fd, .exit_signal = SIGCHLD};
	pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (child == 0)
		_exit(3);
	CHECK(child > 0 && fd >= 0);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(poll(&(struct pollfd){fd, POLLIN, 0}, 1, 20000), 1);
	CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 3);
}

TEST(a_directory_of_proc_takes_signals_too)
{
	int fd = open("/proc/self", O_DIRECTORY | O_RDONLY), other = open("/proc", O_RDONLY);
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK(fd >= 0 && other >= 0);
	CHECK_EQ(syscall(SYS_pidfd_send_signal, fd, SIGUSR1, NULL, 0), 0);
	CHECK_EQ(sigwaitinfo(&set, NULL), SIGUSR1);
	CHECK_ERRNO(syscall(SYS_pidfd_send_signal, other, SIGUSR1, NULL, 0), EBADF);
	CHECK_ERRNO(syscall(SYS_pidfd_send_signal, open("/proc/self", O_PATH), 0, NULL, 0), EBADF);
	CHECK_ERRNO(syscall(SYS_pidfd_getfd, fd, 0, 0), EBADF);
}

TEST(taking_descriptors)
{
	int fds[2], ready[2], fd, mine;
	char text[8];
	pid_t child;

	CHECK(pipe(ready) == 0);
	child = fork();
	if (child == 0) {
		CHECK(pipe(fds) == 0 && dup2(fds[0], 70) == 70);
		CHECK_EQ(write(fds[1], "secret", 6), 6);
		CHECK_EQ(write(ready[1], "x", 1), 1);
		pause();
	}
	CHECK_EQ(read(ready[0], text, 1), 1);
	fd = pidfd_open(child, 0);
	mine = (int)syscall(SYS_pidfd_getfd, fd, 70, 0);
	CHECK(mine >= 0);
	CHECK_EQ(fcntl(mine, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(read(mine, text, 8), 6);
	CHECK_ERRNO(syscall(SYS_pidfd_getfd, fd, 71, 0), EBADF);
	CHECK_ERRNO(syscall(SYS_pidfd_getfd, fd, 70, 1), EINVAL);
	CHECK_ERRNO(syscall(SYS_pidfd_getfd, 0, 70, 0), EBADF);
	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK_ERRNO(syscall(SYS_pidfd_getfd, fd, 70, 0), EPERM);
}

TEST(what_proc_tells)
{
	pid_t child = sleeper();
	int fd = pidfd_open(child, 0);
	char path[64], text[512], wanted[32];
	ssize_t size;
	int info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY);
	size = read(info, text, sizeof(text) - 1);
	CHECK(size > 0);
	text[size] = 0;
	snprintf(wanted, sizeof(wanted), "Pid:\t%d\n", child);
	CHECK(strstr(text, wanted));
	kill(child, SIGKILL);
	CHECK(waitpid(child, NULL, 0) == child);
	info = open(path, O_RDONLY);
	size = read(info, text, sizeof(text) - 1);
	text[size > 0 ? size : 0] = 0;
	CHECK(strstr(text, "Pid:\t-1\n"));
}

static void *waits(void *argument)
{
	*(volatile pid_t *)argument = (pid_t)syscall(SYS_gettid);
	pause();
	return argument;
}

TEST(threads)
{
	volatile pid_t tid = 0;
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, waits, (void *)&tid) == 0);
	while (!tid)
		sleep_ms(1);
	CHECK_EQ(pidfd_open(tid, 0), -1);
	CHECK(errno == EINVAL || errno == ENOENT);
	if (pidfd_open(tid, O_EXCL) < 0)
		SKIP("no PIDFD_THREAD here");
}

/* However the race goes, what was opened is of that process or nothing. */
TEST(memory_of_the_dying_alone_is_given_back)
{
	const long process_mrelease = 448;
	pid_t child = sleeper();
	int fd = pidfd_open(child, 0);
	long result;

	if (syscall(process_mrelease, -1, 0) && errno == ENOSYS)
		SKIP("no process_mrelease");
	CHECK_ERRNO(syscall(process_mrelease, -1, 0), EBADF);
	CHECK_ERRNO(syscall(process_mrelease, 0, 0), EBADF);
	CHECK_ERRNO(syscall(process_mrelease, fd, 1), EINVAL);
	CHECK_ERRNO(syscall(process_mrelease, fd, 0), EINVAL);
	CHECK(kill(child, SIGKILL) == 0);
	result = syscall(process_mrelease, fd, 0);
	CHECK(result == 0 || errno == ESRCH);
	CHECK_EQ(waitpid(child, NULL, 0), child);
	CHECK_ERRNO(syscall(process_mrelease, fd, 0), ESRCH);
}

TEST(a_thousand_ends)
{
	for (int i = 0; i < 1000; i++) {
		pid_t child = fork();
		int fd;

		if (child == 0)
			_exit(0);
		fd = pidfd_open(child, 0);
		CHECK(fd >= 0);
		CHECK_EQ(poll(&(struct pollfd){fd, POLLIN, 0}, 1, 20000), 1);
		CHECK(waitpid(child, NULL, 0) == child);
		CHECK_ERRNO(pidfd_open(child, 0), ESRCH);
		close(fd);
	}
}

GUEST_TEST_MAIN()
