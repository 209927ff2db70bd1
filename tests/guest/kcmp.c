/* SPDX-License-Identifier: Apache-2.0 */
/* kcmp(2): what two processes share, file by file and as a whole, and what epoll watches. */
#include "tests/guest/guest_test.h"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

static long compare(pid_t a, pid_t b, int type, unsigned long first, unsigned long second)
{
	return syscall(SYS_kcmp, a, b, type, first, second);
}

static pid_t sleeper(unsigned long flags)
{
	pid_t child = (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, 0);

	if (child == 0)
		for (;;)
			pause();
	CHECK(child > 0);
	return child;
}

static void end(pid_t child)
{
	CHECK(kill(child, SIGKILL) == 0);
	CHECK_EQ(waitpid(child, NULL, 0), child);
}

TEST(files)
{
	int fd = open("/dev/null", O_RDONLY), same = dup(fd), other = open("/dev/null", O_RDONLY);
	pid_t self = getpid(), child = sleeper(0);
	long order = compare(self, self, KCMP_FILE, (unsigned long)fd, (unsigned long)other);

	CHECK_EQ(compare(self, self, KCMP_FILE, (unsigned long)fd, (unsigned long)same), 0);
	CHECK_EQ(compare(self, child, KCMP_FILE, (unsigned long)fd, (unsigned long)same), 0);
	CHECK(order == 1 || order == 2);
	CHECK_EQ(
		compare(self, self, KCMP_FILE, (unsigned long)other, (unsigned long)fd), 3 - order);
	CHECK_ERRNO(compare(self, self, KCMP_FILE, (unsigned long)fd, 999), EBADF);
	CHECK_ERRNO(compare(self, self, KCMP_TYPES, 0, 0), EINVAL);
	CHECK_ERRNO(compare(self, 0x3fffffff, KCMP_FILE, 0, 0), ESRCH);
	end(child);
}

TEST(what_clone_shares)
{
	static const struct {
		unsigned long flag;
		int type;
	} sorts[] = {{CLONE_FILES, KCMP_FILES}, {CLONE_FS, KCMP_FS}, {CLONE_SYSVSEM, KCMP_SYSVSEM}};

	for (size_t i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++) {
		pid_t with = sleeper(sorts[i].flag), without = sleeper(0);
		long apart = compare(getpid(), without, sorts[i].type, 0, 0);

		CHECK_EQ(compare(getpid(), with, sorts[i].type, 0, 0), 0);
		/* Two that never used a semaphore have the same nothing. */
		CHECK(apart > 0 || sorts[i].type == KCMP_SYSVSEM);
		CHECK(compare(getpid(), with, KCMP_VM, 0, 0) > 0);
		end(with);
		end(without);
	}
	CHECK_EQ(compare(getpid(), getpid(), KCMP_SIGHAND, 0, 0), 0);
}

TEST(what_epoll_watches)
{
	int epoll = epoll_create1(0), fds[2], moved;
	struct epoll_event event = {.events = EPOLLIN};
	struct kcmp_epoll_slot slot = {.efd = (unsigned int)epoll};
	unsigned long place = (unsigned long)&slot;
	pid_t self = getpid();

	CHECK(pipe(fds) == 0);
	CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &event) == 0);
	slot.tfd = (unsigned int)fds[0];
	CHECK_EQ(compare(self, self, KCMP_EPOLL_TFD, (unsigned long)fds[0], place), 0);
	CHECK(compare(self, self, KCMP_EPOLL_TFD, (unsigned long)fds[1], place) > 0);
	CHECK_ERRNO(compare(self, self, KCMP_EPOLL_TFD, 999, place), EBADF);
	CHECK_ERRNO(compare(self, self, KCMP_EPOLL_TFD, (unsigned long)fds[0], 8), EFAULT);
	/* Another file at the number, which is watched too. */
	moved = dup(fds[0]);
	CHECK(dup2(fds[1], fds[0]) == fds[0]);
	event.events = EPOLLOUT;
	CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[0], &event) == 0);
	slot.toff = 2;
	CHECK_ERRNO(compare(self, self, KCMP_EPOLL_TFD, (unsigned long)moved, place), ENOENT);
	for (int both = 0; both < 2; both++) {
		long first, second;

		slot.toff = 0;
		first = compare(
			self, self, KCMP_EPOLL_TFD, (unsigned long)(both ? fds[1] : moved), place);
		slot.toff = 1;
		second = compare(
			self, self, KCMP_EPOLL_TFD, (unsigned long)(both ? fds[1] : moved), place);
		CHECK((first == 0) != (second == 0));
	}
	slot.tfd = 999;
	CHECK_ERRNO(compare(self, self, KCMP_EPOLL_TFD, (unsigned long)moved, place), ENOENT);
	slot.efd = (unsigned int)moved;
	CHECK_ERRNO(compare(self, self, KCMP_EPOLL_TFD, (unsigned long)moved, place), EINVAL);
	slot.efd = 999;
	CHECK_ERRNO(compare(self, self, KCMP_EPOLL_TFD, (unsigned long)moved, place), EBADF);
}

GUEST_TEST_MAIN()
