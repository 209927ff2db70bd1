/* SPDX-License-Identifier: Apache-2.0 */
/* File locks: POSIX ones, those of open files, flock(2): what conflicts, who waits, what a close
 * lets go. */
#include "tests/guest/bad_address.h"
#include "tests/guest/temporary.h"
#include "tests/guest/wait_asleep.h"

#include <pthread.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/time.h>

#ifndef F_OFD_SETLK
#define F_OFD_GETLK  36
#define F_OFD_SETLK  37
#define F_OFD_SETLKW 38
#endif

static int lock(int fd, int command, short type, off_t start, off_t length)
{
	struct flock lock = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};

	return fcntl(fd, command, &lock);
}

static struct flock look(int fd, int command, short type, off_t start, off_t length)
{
	struct flock lock = {
		.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};

	CHECK(fcntl(fd, command, &lock) == 0);
	return lock;
}

static int locked_file(void)
{
	int fd;

	temporary_enter();
	fd = open("a", O_RDWR | O_CREAT, 0600);
	CHECK(fd >= 0);
	return fd;
}

/* Runs in a child, whose locks are its own. */
#define IN_CHILD(statement_)                                                                       \
	do {                                                                                       \
		int status_;                                                                       \
		pid_t child_ = fork();                                                             \
		if (child_ == 0) {                                                                 \
			statement_;                                                                \
			_exit(0);                                                                  \
		}                                                                                  \
		CHECK(waitpid(child_, &status_, 0) == child_ && status_ == 0);                     \
	} while (0)

TEST(ranges_conflict_between_processes)
{
	int fd = locked_file();

	CHECK(lock(fd, F_SETLK, F_WRLCK, 10, 10) == 0);
	IN_CHILD({
		struct flock other = look(fd, F_GETLK, F_RDLCK, 0, 0);

		CHECK(other.l_type == F_WRLCK && other.l_start == 10 && other.l_len == 10 &&
			other.l_pid == getppid());
		CHECK_ERRNO(lock(fd, F_SETLK, F_WRLCK, 15, 1), EAGAIN);
		CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 10) == 0);
		CHECK(lock(fd, F_SETLK, F_WRLCK, 20, 0) == 0);
		CHECK_EQ(look(fd, F_GETLK, F_WRLCK, 0, 10).l_type, F_UNLCK);
	});
	/* The middle of it. */
	CHECK(lock(fd, F_SETLK, F_UNLCK, 13, 4) == 0);
	IN_CHILD({
		CHECK(lock(fd, F_SETLK, F_WRLCK, 13, 4) == 0);
		CHECK_ERRNO(lock(fd, F_SETLK, F_RDLCK, 12, 1), EAGAIN);
		CHECK_ERRNO(lock(fd, F_SETLK, F_RDLCK, 17, 1), EAGAIN);
	});
	CHECK(lock(fd, F_SETLK, F_RDLCK, 0, 0) == 0);
	IN_CHILD({
		CHECK(lock(fd, F_SETLK, F_RDLCK, 0, 0) == 0);
		CHECK_ERRNO(lock(fd, F_SETLK, F_WRLCK, 5, 1), EAGAIN);
	});
}

TEST(closing_any_descriptor_lets_go)
{
	int fd = locked_file(), other = open("a", O_RDONLY);

	CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 0) == 0);
	close(other);
	IN_CHILD(CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 0) == 0));
}

TEST(waiting)
{
	int fd = locked_file(), status;
	volatile int *let_go =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child;

	CHECK(let_go != MAP_FAILED);
	CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 0) == 0);
	child = fork();
	if (child == 0) {
		CHECK(lock(fd, F_SETLKW, F_WRLCK, 0, 0) == 0);
		CHECK_EQ(*let_go, 1);
		_exit(0);
	}
	wait_asleep(child);
	sleep_ms(30);
	*let_go = 1;
	CHECK(lock(fd, F_SETLK, F_UNLCK, 0, 0) == 0);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void on_alarm(int signal)
{
	(void)signal;
}

TEST(waiting_is_interrupted)
{
	struct sigaction action = {.sa_handler = on_alarm};
	/* Again and again: the first may come before the wait. */
	struct itimerval soon = {{0, 50000}, {0, 50000}};
	int fd = locked_file();

	CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 0) == 0);
	IN_CHILD({
		sigaction(SIGALRM, &action, NULL);
		CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
		CHECK_ERRNO(lock(fd, F_SETLKW, F_WRLCK, 0, 0), EINTR);
	});
}

TEST(a_deadlock_is_found)
{
	int fd = locked_file(), ready[2], status;
	char byte;
	pid_t child;

	CHECK(pipe(ready) == 0);
	CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 1) == 0);
	child = fork();
	if (child == 0) {
		CHECK(lock(fd, F_SETLK, F_WRLCK, 1, 1) == 0);
		CHECK_EQ(write(ready[1], "x", 1), 1);
		CHECK(lock(fd, F_SETLKW, F_WRLCK, 0, 1) == 0);
		_exit(0);
	}
	CHECK_EQ(read(ready[0], &byte, 1), 1);
	wait_asleep(child);
	CHECK_ERRNO(lock(fd, F_SETLKW, F_WRLCK, 1, 1), EDEADLK);
	CHECK(lock(fd, F_SETLK, F_UNLCK, 0, 1) == 0);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

TEST(locks_of_open_files)
{
	int fd = locked_file(), other = open("a", O_RDWR), same = dup(fd);
	struct flock found;

	CHECK(lock(fd, F_OFD_SETLK, F_WRLCK, 0, 10) == 0);
	CHECK_ERRNO(lock(other, F_OFD_SETLK, F_WRLCK, 5, 1), EAGAIN);
	CHECK(lock(same, F_OFD_SETLK, F_WRLCK, 5, 1) == 0);
	found = look(other, F_OFD_GETLK, F_RDLCK, 0, 0);
	CHECK(found.l_type == F_WRLCK && found.l_pid == -1);
	CHECK_ERRNO(lock(fd, F_SETLK, F_WRLCK, 0, 1), EAGAIN);
	close(open("a", O_RDONLY));
	CHECK_ERRNO(lock(other, F_OFD_SETLK, F_WRLCK, 5, 1), EAGAIN);
	close(fd);
	CHECK_ERRNO(lock(other, F_OFD_SETLK, F_WRLCK, 5, 1), EAGAIN);
	close(same);
	CHECK(lock(other, F_OFD_SETLK, F_WRLCK, 5, 1) == 0);
	found = (struct flock){.l_type = F_WRLCK, .l_pid = 5};
	CHECK_ERRNO(fcntl(other, F_OFD_SETLK, &found), EINVAL);
}

TEST(whole_file_locks)
{
	int fd = locked_file(), other = open("a", O_RDWR);

	CHECK(flock(fd, LOCK_SH) == 0);
	CHECK(flock(other, LOCK_SH | LOCK_NB) == 0);
	CHECK_ERRNO(flock(other, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	CHECK(flock(fd, LOCK_UN) == 0);
	CHECK(flock(other, LOCK_EX | LOCK_NB) == 0);
	IN_CHILD(CHECK(flock(other, LOCK_EX | LOCK_NB) == 0));
	CHECK_ERRNO(flock(fd, LOCK_SH | LOCK_NB), EWOULDBLOCK);
	CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 0) == 0);
	CHECK_ERRNO(flock(fd, 77), EINVAL);
	CHECK_ERRNO(flock(999, LOCK_SH), EBADF);
}

TEST(errors)
{
	int fd = locked_file(), reading = open("a", O_RDONLY);

	CHECK_ERRNO(lock(reading, F_SETLK, F_WRLCK, 0, 0), EBADF);
	CHECK(lock(reading, F_SETLK, F_RDLCK, 0, 0) == 0);
	CHECK_ERRNO(lock(open("a", O_WRONLY), F_SETLK, F_RDLCK, 0, 0), EBADF);
	CHECK_ERRNO(lock(fd, F_SETLK, 77, 0, 0), EINVAL);
	CHECK_ERRNO(lock(fd, F_SETLK, F_WRLCK, -5, 1), EINVAL);
	CHECK_ERRNO(lock(fd, F_SETLK, F_WRLCK, 0x7ffffffffffffff0, 0x7fffffff), EOVERFLOW);
	CHECK_ERRNO(fcntl(fd, F_SETLK, bad_address), EFAULT);
	CHECK(lock(fd, F_SETLK, F_WRLCK, 10, -5) == 0);
	CHECK_EQ(look(fd, F_GETLK, F_WRLCK, 0, 0).l_type, F_UNLCK);
}

static void *locks_and_unlocks(void *argument)
{
	int fd = open("a", O_RDWR);
	long *counter = argument;

	for (int i = 0; i < 300; i++) {
		long value;

		CHECK(lock(fd, F_OFD_SETLKW, F_WRLCK, 0, 8) == 0);
		value = *(volatile long *)counter;
		sched_yield();
		*(volatile long *)counter = value + 1;
		CHECK(lock(fd, F_OFD_SETLK, F_UNLCK, 0, 8) == 0);
	}
	return NULL;
}

TEST(threads_exclude_each_other)
{
	pthread_t threads[4];
	long counter = 0;

	(void)locked_file();
	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&threads[i], NULL, locks_and_unlocks, &counter) == 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(counter, 1200);
}

GUEST_TEST_MAIN()
