/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory of the test's own, under /tmp or elsewhere, that is gone when the test ends, however
 * it ends. The rest of the test runs in a child, so that somebody is left to clean up.
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

/* Makes the directory in another and goes there. */
__attribute__((unused)) static void temporary_enter_in(const char *parent)
{
	int status;
	pid_t child;

	snprintf(temporary_path, sizeof(temporary_path), "%s/guest-XXXXXX", parent);
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

__attribute__((unused)) static void temporary_enter(void)
{
	temporary_enter_in("/tmp");
}

/* Runs a function in a directory of each kind of file system that a test may write to. */
__attribute__((unused)) static void temporary_everywhere(void (*function)(void))
{
	static const char *const places[] = {"/tmp", "/var/tmp", "/dev/shm"};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int status;
		pid_t child = fork();

		CHECK(child >= 0);
		if (child == 0) {
			temporary_enter_in(places[i]);
			function();
			fflush(stdout);
			_exit(0);
		}
		CHECK(waitpid(child, &status, 0) == child);
		if (WIFEXITED(status) && WEXITSTATUS(status) == GUEST_TEST_SKIPPED)
			_exit(GUEST_TEST_SKIPPED);
		if (!WIFEXITED(status) || WEXITSTATUS(status))
			FAIL("in %s", places[i]);
	}
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
