/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory of the test's own, under /tmp, that is gone when the test ends, however it ends. The
 * rest of the test runs in a child, so that somebody is left to clean up.
 */
#pragma once

#include "tests/guest/guest_test.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>

static char temporary_path[64];

static int temporary_remove_one(
	const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)walk;
	return type == FTW_DP || type == FTW_DNR ? rmdir(path) : unlink(path);
}

/* Makes the directory and goes there. */
__attribute__((unused)) static void temporary_enter(void)
{
	int status;
	pid_t child;

	strcpy(temporary_path, "/tmp/guest-XXXXXX");
	CHECK(mkdtemp(temporary_path));
	CHECK(chmod(temporary_path, 0755) == 0);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		alarm(GUEST_TEST_SECONDS - 10);
		CHECK(chdir(temporary_path) == 0);
		umask(022);
		return;
	}
	signal(SIGALRM, SIG_IGN);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	nftw(temporary_path, temporary_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	if (WIFSIGNALED(status))
		FAIL("killed by signal %d", WTERMSIG(status));
	_exit(WEXITSTATUS(status));
}

/* A file with these contents. */
__attribute__((unused)) static void temporary_file(
	const char *name, const void *contents, size_t size)
{
	int fd = open(name, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, contents, size), size);
	CHECK(close(fd) == 0);
}

__attribute__((unused)) static void temporary_text(const char *name, const char *text)
{
	temporary_file(name, text, strlen(text));
}
