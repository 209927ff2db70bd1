/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of fanotify(7) share: groups, marks, and events that are waited for. */
#pragma once

#include "tests/guest/temporary.h"

#include <poll.h>
#include <sys/fanotify.h>

__attribute__((unused)) static int group_new(unsigned int flags)
{
	int fd = fanotify_init(flags | FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY | O_CLOEXEC);

	if (fd < 0 && (errno == EPERM || errno == ENOSYS))
		SKIP("fanotify_init(2) is not allowed");
	CHECK(fd >= 0);
	return fd;
}

__attribute__((unused)) static void mark(
	int fd, unsigned int flags, uint64_t mask, const char *name)
{
	CHECK(fanotify_mark(fd, FAN_MARK_ADD | flags, mask, AT_FDCWD, name) == 0);
}

__attribute__((unused)) static void unmark(
	int fd, unsigned int flags, uint64_t mask, const char *name)
{
	CHECK(fanotify_mark(fd, FAN_MARK_REMOVE | flags, mask, AT_FDCWD, name) == 0);
}

/* The next event is this one, about this file. */
__attribute__((unused)) static void expect(int fd, uint64_t mask, const char *name)
{
	struct fanotify_event_metadata event;
	struct stat wanted, got;

	CHECK_EQ(read(fd, &event, sizeof(event)), sizeof(event));
	CHECK_EQ(event.event_len, sizeof(event));
	CHECK_EQ(event.vers, FANOTIFY_METADATA_VERSION);
	CHECK_EQ(event.metadata_len, sizeof(event));
	CHECK_EQ(event.mask, mask);
	CHECK(event.fd >= 0);
	CHECK(fcntl(event.fd, F_GETFD) == FD_CLOEXEC);
	CHECK(stat(name, &wanted) == 0 && fstat(event.fd, &got) == 0);
	CHECK(wanted.st_ino == got.st_ino && wanted.st_dev == got.st_dev);
	close(event.fd);
}

__attribute__((unused)) static void expect_none(int fd)
{
	char buffer[4096];

	CHECK_ERRNO(read(fd, buffer, sizeof(buffer)), EAGAIN);
}

__attribute__((unused)) static void touch(const char *name, int flags)
{
	int fd = open(name, flags | O_CLOEXEC);

	CHECK(fd >= 0);
	if ((flags & O_ACCMODE) != O_RDONLY)
		CHECK_EQ(write(fd, "x", 1), 1);
	close(fd);
}

__attribute__((unused)) static bool is_readable(int fd, int milliseconds)
{
	return poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, milliseconds) == 1;
}

/* Answers one permission event. */
__attribute__((unused)) static void answer(int fd, uint64_t mask, uint32_t response)
{
	struct fanotify_event_metadata event;
	struct fanotify_response reply;
	struct pollfd readable = {.fd = fd, .events = POLLIN};

	CHECK_EQ(poll(&readable, 1, 20000), 1);
	CHECK_EQ(read(fd, &event, sizeof(event)), sizeof(event));
	CHECK_EQ(event.mask, mask);
	reply = (struct fanotify_response){.fd = event.fd, .response = response};
	CHECK_EQ(write(fd, &reply, sizeof(reply)), sizeof(reply));
	CHECK_ERRNO(write(fd, &reply, sizeof(reply)), ENOENT);
	close(event.fd);
}

/* What a child gets that opens and reads a file: an errno of open, 100 + one of read, or 0. */
__attribute__((unused)) static pid_t reader_new(int group, const char *name)
{
	pid_t child = fork();
	char byte;
	int fd;

	if (child)
		return child;
	/* Else the group would outlive its owner, who alone could answer. */
	close(group);
	fd = open(name, O_RDONLY);
	if (fd < 0)
		_exit(errno);
	if (read(fd, &byte, 1) != 1)
		_exit(100 + errno);
	_exit(0);
}

__attribute__((unused)) static int result_of(pid_t child)
{
	int status;

	CHECK(waitpid(child, &status, 0) == child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}
