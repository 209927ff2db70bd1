/* SPDX-License-Identifier: Apache-2.0 */
/* Landlock while others add rules, enforce, end, rename and mount: what is refused stays refused.
 */
#include "tests/guest/landlock_test.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>

static volatile int stop;
static int shared_ruleset;

static void *add_rules(void *unused)
{
	static const char *const places[] = {"a", "a/b", "c", "/dev", "/proc/self", "/tmp"};

	(void)unused;
	for (unsigned int i = 0; !stop; i++) {
		allow(shared_ruleset, places[i % 6], i % 2 ? WRITE_FILE : EXECUTE);
		allow_port(shared_ruleset, i % 2000, BIND_TCP);
	}
	return NULL;
}

static void prepare(void)
{
	need_abi(7);
	temporary_enter();
	CHECK(mkdir("a", 0755) == 0 && mkdir("a/b", 0755) == 0 && mkdir("c", 0755) == 0);
	temporary_text("a/b/file", "x");
	temporary_text("c/file", "x");
}

/* Domains come from a ruleset that grows, and end at once. */
TEST(enforce_while_rules_come)
{
	pthread_t threads[2];

	prepare();
	shared_ruleset = new_ruleset(EXECUTE | WRITE_FILE | READ_FILE, BIND_TCP, 0);
	allow(shared_ruleset, "a", READ_FILE);
	for (int i = 0; i < 2; i++)
		CHECK(pthread_create(&threads[i], NULL, add_rules, NULL) == 0);
	for (int i = 0; i < 150; i++) {
		int status;
		pid_t child = fork();

		if (child == 0) {
			CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
			for (int layer = 0; layer < 1 + i % 4; layer++)
				CHECK(restrict_self(shared_ruleset, 0) == 0);
			CHECK_EQ(opening("a/b/file", O_RDONLY), 0);
			CHECK_EQ(opening("c/file", O_RDONLY), EACCES);
			_exit(0);
		}
		CHECK(child > 0);
		CHECK(waitpid(child, &status, 0) == child && status == 0);
	}
	stop = 1;
	for (int i = 0; i < 2; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
}

/* Each thread puts itself under more and more, and ends. */
static void *restrict_thread(void *unused)
{
	(void)unused;
	for (int i = 0; i < 16; i++) {
		int fd = new_ruleset(READ_FILE, 0, 0);

		allow(fd, "a", READ_FILE);
		CHECK(restrict_self(fd, 0) == 0);
		CHECK(close(fd) == 0);
		CHECK_EQ(opening("c/file", O_RDONLY), EACCES);
		CHECK_EQ(opening("a/b/file", O_RDONLY), 0);
	}
	return NULL;
}

TEST(threads_of_many_domains)
{
	pthread_t threads[4];

	prepare();
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 4; i++)
			CHECK(pthread_create(&threads[i], NULL, restrict_thread, NULL) == 0);
		for (int i = 0; i < 4; i++)
			CHECK(pthread_join(threads[i], NULL) == 0);
	}
	CHECK_EQ(opening("c/file", O_RDONLY), 0);
}

/* Runs a function again and again in a child that is free, until the pipe's other end goes. */
static pid_t keep_doing(void (*function)(void), int *end)
{
	int pair[2];
	pid_t child;

	CHECK(pipe2(pair, O_NONBLOCK) == 0);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		char byte;

		close(pair[1]);
		while (read(pair[0], &byte, 1) < 0)
			function();
		_exit(0);
	}
	close(pair[0]);
	*end = pair[1];
	return child;
}

static void end_child(pid_t child, int end)
{
	int status;

	CHECK(close(end) == 0);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void move_about(void)
{
	CHECK(rename("a/b", "c/b") == 0);
	CHECK(rename("c/b", "a/b") == 0);
	CHECK(rename("c/file", "c/other") == 0);
	CHECK(rename("c/other", "c/file") == 0);
}

/* What is moved from where it may be read to where it may not is one or the other. */
TEST(open_while_directories_move)
{
	int end, fd, keep, result;
	pid_t child;

	prepare();
	CHECK(mkdir("d", 0755) == 0);
	temporary_text("d/secret", "x");
	child = keep_doing(move_about, &end);
	fd = new_ruleset(READ_FILE | REFER, 0, 0);
	allow(fd, "a", READ_FILE | REFER);
	enforce(fd);
	CHECK((keep = open("d", O_PATH)) >= 0);
	for (int i = 0; i < 800; i++) {
		result = opening("a/b/file", O_RDONLY);
		CHECK(result == 0 || result == ENOENT || result == EACCES);
		result = opening("c/b/file", O_RDONLY);
		CHECK(result == 0 || result == ENOENT || result == EACCES);
		CHECK_EQ(opening("d/secret", O_RDONLY), EACCES);
		CHECK(rename("d/secret", "a/secret") == -1 && errno == EXDEV);
	}
	end_child(child, end);
	CHECK_EQ(opening("a/b/file", O_RDONLY), 0);
}

static void mount_about(void)
{
	CHECK(mount("none", "a/b", "tmpfs", 0, NULL) == 0);
	CHECK(mount("c", "a", NULL, MS_BIND, NULL) == 0);
	CHECK(umount2("a", MNT_DETACH) == 0);
	CHECK(umount2("a/b", MNT_DETACH) == 0);
}

TEST(open_while_mounts_come_and_go)
{
	int end, fd, result;
	pid_t child;

	prepare();
	CHECK(mkdir("d", 0755) == 0);
	temporary_text("d/secret", "x");
	if (geteuid() || unshare(CLONE_NEWNS))
		SKIP("no mount namespaces");
	CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	child = keep_doing(mount_about, &end);
	fd = new_ruleset(READ_FILE, 0, 0);
	allow(fd, "a", READ_FILE);
	enforce(fd);
	for (int i = 0; i < 800; i++) {
		result = opening("a/b/file", O_RDONLY);
		CHECK(result == 0 || result == ENOENT || result == EACCES);
		result = opening("a/file", O_RDONLY);
		CHECK(result == 0 || result == ENOENT || result == EACCES);
		CHECK_EQ(opening("d/secret", O_RDONLY), EACCES);
	}
	end_child(child, end);
}

GUEST_TEST_MAIN()
