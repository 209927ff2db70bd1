/* SPDX-License-Identifier: Apache-2.0 */
/* Landlock for tests: the calls, and short ways to restrict oneself (landlock(7)). */
#pragma once

#include "tests/guest/temporary.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define EXECUTE	     (1ull << 0)
#define WRITE_FILE   (1ull << 1)
#define READ_FILE    (1ull << 2)
#define READ_DIR     (1ull << 3)
#define REMOVE_DIR   (1ull << 4)
#define REMOVE_FILE  (1ull << 5)
#define MAKE_CHAR    (1ull << 6)
#define MAKE_DIR     (1ull << 7)
#define MAKE_REG     (1ull << 8)
#define MAKE_SOCK    (1ull << 9)
#define MAKE_FIFO    (1ull << 10)
#define MAKE_BLOCK   (1ull << 11)
#define MAKE_SYM     (1ull << 12)
#define REFER	     (1ull << 13)
#define TRUNCATE     (1ull << 14)
#define IOCTL_DEV    (1ull << 15)
#define ALL_FS	     0xffffull
#define BIND_TCP     1ull
#define CONNECT_TCP  2ull
#define SCOPE_UNIX   1ull
#define SCOPE_SIGNAL 2ull

#define PATH_BENEATH 1
#define NET_PORT     2

struct ruleset_attr {
	uint64_t fs, net, scoped;
};

struct path_attr {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

struct port_attr {
	uint64_t allowed, port;
};

__attribute__((unused)) static int create_ruleset(const void *attr, size_t size, unsigned int flags)
{
	return (int)syscall(SYS_landlock_create_ruleset, attr, size, flags);
}

__attribute__((unused)) static int add_rule(
	int ruleset, int type, const void *attr, unsigned int flags)
{
	return (int)syscall(SYS_landlock_add_rule, ruleset, type, attr, flags);
}

__attribute__((unused)) static int restrict_self(int ruleset, unsigned int flags)
{
	return (int)syscall(SYS_landlock_restrict_self, ruleset, flags);
}

/* Skips the test where Landlock is not there, or older. */
__attribute__((unused)) static void need_abi(int version)
{
	if (create_ruleset(NULL, 0, 1) < version)
		SKIP("no such Landlock");
}

__attribute__((unused)) static int new_ruleset(uint64_t fs, uint64_t net, uint64_t scoped)
{
	struct ruleset_attr attr = {fs, net, scoped};
	int fd = create_ruleset(&attr, sizeof(attr), 0);

	CHECK(fd >= 0);
	return fd;
}

__attribute__((unused)) static int try_allow(int ruleset, const char *path, uint64_t access)
{
	int fd = open(path, O_PATH | O_CLOEXEC), result, saved;
	struct path_attr attr = {access, fd};

	CHECK(fd >= 0);
	result = add_rule(ruleset, PATH_BENEATH, &attr, 0);
	saved = errno;
	close(fd);
	errno = saved;
	return result;
}

__attribute__((unused)) static void allow(int ruleset, const char *path, uint64_t access)
{
	CHECK(try_allow(ruleset, path, access) == 0);
}

__attribute__((unused)) static void allow_port(int ruleset, uint64_t port, uint64_t access)
{
	struct port_attr attr = {access, port};

	CHECK(add_rule(ruleset, NET_PORT, &attr, 0) == 0);
}

/* For good, and for all children. */
__attribute__((unused)) static void enforce(int ruleset)
{
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(restrict_self(ruleset, 0) == 0);
	CHECK(close(ruleset) == 0);
}

/* 0 or the errno with which a file cannot be opened. */
__attribute__((unused)) static int opening(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}
