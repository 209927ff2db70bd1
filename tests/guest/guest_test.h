/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest test is a program that passes on Linux, and then in the sandbox, with one verdict for
 * both. It never asks where it runs.
 *
 *     TEST(pipe_keeps_order) { CHECK(pipe(fds) == 0); ... }
 *     GUEST_TEST_MAIN()
 *
 * Each TEST runs in a process of its own, so that it may change or lose anything; a failed CHECK
 * ends it. Output is TAP. SKIP(reason) is for what the machine lacks, natively.
 */
#pragma once

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GUEST_TEST_MAX 512
#ifndef GUEST_TEST_SECONDS
#define GUEST_TEST_SECONDS 240 /* an end for what hangs: no test takes as long by itself */
#endif
#define GUEST_TEST_SKIPPED 77

struct guest_test {
	const char *name;
	void (*run)(void);
};

static struct guest_test guest_tests[GUEST_TEST_MAX];
static size_t guest_test_count;

#define TEST(name_)                                                                                \
	static void test_##name_(void);                                                            \
	__attribute__((constructor)) static void register_##name_(void)                            \
	{                                                                                          \
		guest_tests[guest_test_count++] = (struct guest_test){#name_, test_##name_};       \
	}                                                                                          \
	static void test_##name_(void)

#define FAIL(...)                                                                                  \
	do {                                                                                       \
		fflush(stdout);                                                                    \
		dprintf(STDOUT_FILENO, "# %s:%d: ", __FILE__, __LINE__);                           \
		dprintf(STDOUT_FILENO, __VA_ARGS__);                                               \
		dprintf(STDOUT_FILENO, "\n");                                                      \
		_exit(1);                                                                          \
	} while (0)

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			int check_errno_ = errno;                                                  \
			FAIL("%s is false (errno %d: %s)", #condition, check_errno_,               \
				strerror(check_errno_));                                           \
		}                                                                                  \
	} while (0)

#define CHECK_EQ(actual, expected)                                                                 \
	do {                                                                                       \
		long long actual_ = (long long)(actual), expected_ = (long long)(expected);        \
		if (actual_ != expected_)                                                          \
			FAIL("%s is %lld, not %s (%lld)", #actual, actual_, #expected, expected_); \
	} while (0)

/* The call fails with this errno. */
#define CHECK_ERRNO(call, errno_)                                                                  \
	do {                                                                                       \
		errno = 0;                                                                         \
		long long result_ = (long long)(call);                                             \
		if (result_ != -1 || errno != (errno_))                                            \
			FAIL("%s: %lld, errno %d (%s), not %s", #call, result_, errno,             \
				strerror(errno), #errno_);                                         \
	} while (0)

#define SKIP(reason)                                                                               \
	do {                                                                                       \
		dprintf(STDOUT_FILENO, "# skipped: %s\n", reason);                                 \
		_exit(GUEST_TEST_SKIPPED);                                                         \
	} while (0)

/* Memory whose end is followed by a page that cannot be touched: what reads or writes too far is
 * caught. */
__attribute__((unused)) static void *tail_alloc(size_t size)
{
	size_t pages = (size + 4095) / 4096 * 4096;
	char *memory = mmap(
		NULL, pages + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED || mprotect(memory + pages, 4096, PROT_NONE))
		FAIL("no memory with a guard page");
	return memory + pages - size;
}

/* A user whom nobody else is: what the kernel counts for each user, it counts for this test alone,
 * whatever else runs on the machine. */
__attribute__((unused)) static uid_t lone_user(void)
{
	return 1u << 24 | (uid_t)getpid();
}

/* Runs a function in a child; its wait status. */
__attribute__((unused)) static int in_child(void (*function)(void))
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		function();
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		FAIL("no child");
	return status;
}

__attribute__((unused)) static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

__attribute__((unused)) static void sleep_ms(long milliseconds)
{
	struct timespec left = {milliseconds / 1000, milliseconds % 1000 * 1000000};

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

/* 0 passed, 1 failed, 77 skipped. */
static int guest_test_run_one(const struct guest_test *test)
{
	int status;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		setpgid(0, 0);
		/* What the caller ignores (nohup) is not the test's. */
		for (int number = 1; number < NSIG; number++)
			signal(number, SIG_DFL);
		alarm(GUEST_TEST_SECONDS);
		test->run();
		fflush(stdout);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return 1;
	/* What it left behind. */
	kill(-child, SIGKILL);
	if (WIFSIGNALED(status))
		printf("# killed by signal %d\n", WTERMSIG(status));
	if (WIFEXITED(status) && WEXITSTATUS(status) == GUEST_TEST_SKIPPED)
		return GUEST_TEST_SKIPPED;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}

/* With arguments, only the tests named. */
static int guest_test_main(int argc, char **argv)
{
	size_t failed = 0, run = 0;

	for (size_t i = 0; i < guest_test_count; i++) {
		bool wanted = argc < 2;
		int result;

		for (int a = 1; a < argc; a++)
			wanted |= !strcmp(argv[a], guest_tests[i].name);
		if (!wanted)
			continue;
		result = guest_test_run_one(&guest_tests[i]);
		run++;
		failed += result == 1;
		printf("%s %zu - %s%s\n", result == 1 ? "not ok" : "ok", run, guest_tests[i].name,
			result == GUEST_TEST_SKIPPED ? " # SKIP" : "");
	}
	printf("1..%zu\n", run);
	fflush(stdout);
	return failed || !run ? 1 : 0;
}

#define GUEST_TEST_MAIN()                                                                          \
	int main(int argc, char **argv)                                                            \
	{                                                                                          \
		return guest_test_main(argc, argv);                                                \
	}
