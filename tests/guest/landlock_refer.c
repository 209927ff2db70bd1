/* SPDX-License-Identifier: Apache-2.0 */
/* Landlock's rule for link(2) and rename(2): nothing gets rights by where it is moved to. */
#include "tests/guest/landlock_test.h"

#include <sched.h>
#include <sys/mount.h>

#define MAKE_AND_REMOVE (MAKE_REG | MAKE_DIR | REMOVE_FILE | REMOVE_DIR)

static int try_exchange(const char *a, const char *b)
{
	return (int)syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2);
}

static void prepare(void)
{
	need_abi(7);
	temporary_enter();
	CHECK(mkdir("a", 0755) == 0 && mkdir("b", 0755) == 0);
	CHECK(mkdir("a/dir", 0755) == 0 && mkdir("b/dir", 0755) == 0);
	temporary_text("a/file", "x");
	temporary_text("a/other", "x");
	temporary_text("b/file", "x");
}

/* Whoever handles anything about files may not move them, unless that is said. */
TEST(denied_by_default)
{
	int fd;

	prepare();
	fd = new_ruleset(EXECUTE, 0, 0);
	allow(fd, ".", EXECUTE);
	enforce(fd);
	CHECK_ERRNO(rename("a/file", "b/new"), EXDEV);
	CHECK_ERRNO(rename("a/file", "b/file"), EXDEV);
	CHECK_ERRNO(rename("a/dir", "b/new"), EXDEV);
	CHECK_ERRNO(link("a/file", "b/new"), EXDEV);
	CHECK_ERRNO(try_exchange("a/file", "b/file"), EXDEV);
	/* In a directory they stay what they are. */
	CHECK(rename("a/file", "a/new") == 0);
	CHECK(link("a/new", "a/newer") == 0);
	CHECK(try_exchange("a/new", "a/other") == 0);
	CHECK(rename("a/dir", "a/newdir") == 0);
	/* Errors that come before. */
	CHECK_ERRNO(rename("a/nothing", "b/new"), ENOENT);
	CHECK_ERRNO(link("a/new", "b/file"), EEXIST);
	CHECK_ERRNO(rename("a", "a/newdir/x"), EINVAL);
}

TEST(allowed)
{
	int fd;

	prepare();
	fd = new_ruleset(REFER | READ_FILE, 0, 0);
	allow(fd, "a", REFER | READ_FILE);
	allow(fd, "b", REFER | READ_FILE);
	enforce(fd);
	CHECK(rename("a/file", "b/new") == 0);
	CHECK(link("b/new", "a/linked") == 0);
	CHECK(rename("a/dir", "b/dir") == 0);
	CHECK(try_exchange("a/other", "b/file") == 0);
	CHECK_ERRNO(rename("a/other", "new"), EXDEV);
	/* Names of one file: nothing happens, but it is asked. */
	CHECK_ERRNO(link("a/other", "linked"), EXDEV);
}

TEST(one_side_is_not_enough)
{
	int fd;

	prepare();
	fd = new_ruleset(REFER, 0, 0);
	allow(fd, "a", REFER);
	enforce(fd);
	CHECK_ERRNO(rename("a/file", "b/new"), EXDEV);
	CHECK_ERRNO(rename("b/file", "a/new"), EXDEV);
	CHECK_ERRNO(link("b/file", "a/new"), EXDEV);
	CHECK_ERRNO(try_exchange("a/file", "b/file"), EXDEV);
	CHECK(rename("a/file", "a/dir/file") == 0);
}

/* Rights to make and to remove come first: without them a copy would not do either. */
TEST(make_and_remove)
{
	int fd;

	prepare();
	fd = new_ruleset(REFER | MAKE_AND_REMOVE, 0, 0);
	allow(fd, "a", REFER | REMOVE_FILE);
	allow(fd, "b", REFER | MAKE_REG);
	enforce(fd);
	CHECK_ERRNO(rename("a/dir", "b/new"), EACCES);
	CHECK_ERRNO(rename("b/file", "a/new"), EACCES);
	CHECK_ERRNO(rename("a/file", "b/file"), EACCES);
	CHECK_ERRNO(rename("a/file", "a/new"), EACCES);
	CHECK_ERRNO(rename("b/file", "b/new"), EACCES);
	CHECK_ERRNO(link("a/file", "a/new"), EACCES);
	CHECK_ERRNO(try_exchange("a/file", "b/file"), EACCES);
	/* A link takes no name away. */
	CHECK(link("a/file", "b/linked") == 0);
	CHECK(link("b/file", "b/again") == 0);
	CHECK(rename("a/file", "b/new") == 0);
}

TEST(replacing_takes_a_right)
{
	int fd;

	prepare();
	fd = new_ruleset(REFER | MAKE_AND_REMOVE, 0, 0);
	allow(fd, "a", REFER | MAKE_AND_REMOVE);
	allow(fd, "b", REFER | MAKE_REG | MAKE_DIR | REMOVE_FILE);
	enforce(fd);
	CHECK(rename("a/file", "b/file") == 0);
	CHECK_ERRNO(rename("a/dir", "b/dir"), EACCES);
	CHECK(rename("a/dir", "b/newdir") == 0);
	CHECK_ERRNO(rename("b/newdir", "a/dir"), EACCES);
}

/* What may not be read here could be read there. */
TEST(more_rights_at_the_new_place)
{
	int fd;

	prepare();
	fd = new_ruleset(REFER | READ_FILE | MAKE_REG, 0, 0);
	allow(fd, "a", REFER | MAKE_REG);
	allow(fd, "b", REFER | READ_FILE | MAKE_REG);
	enforce(fd);
	CHECK_ERRNO(rename("a/file", "b/new"), EXDEV);
	CHECK_ERRNO(link("a/file", "b/new"), EXDEV);
	CHECK_ERRNO(rename("a/dir", "b/new"), EXDEV);
	CHECK_ERRNO(try_exchange("a/file", "b/file"), EXDEV);
	/* Fewer are no harm. */
	CHECK(rename("b/file", "a/new") == 0);
	CHECK_EQ(opening("a/new", O_RDONLY), EACCES);
	CHECK_ERRNO(rename("a/new", "b/file"), EXDEV);
	CHECK(rename("b/dir", "a/newdir") == 0);
}

/* Rights that mean nothing of a file do not count for it; of a directory they do. */
TEST(rights_to_directories)
{
	int fd;

	prepare();
	fd = new_ruleset(REFER | MAKE_REG | READ_DIR | MAKE_SYM, 0, 0);
	allow(fd, "a", REFER | MAKE_REG);
	allow(fd, "b", REFER | MAKE_REG | READ_DIR | MAKE_SYM);
	enforce(fd);
	CHECK(rename("a/file", "b/new") == 0);
	CHECK(link("a/other", "b/linked") == 0);
	CHECK_ERRNO(rename("a/dir", "b/new"), EXDEV);
	CHECK_ERRNO(rename("a/dir", "b/newdir"), EXDEV);
	CHECK(rename("b/dir", "a/newdir") == 0);
}

/* A rule about the file itself goes with it. */
TEST(own_rules_go_along)
{
	int fd;

	prepare();
	fd = new_ruleset(REFER | READ_FILE | MAKE_REG, 0, 0);
	allow(fd, "a", REFER | MAKE_REG);
	allow(fd, "a/file", READ_FILE);
	allow(fd, "b", REFER | READ_FILE | MAKE_REG);
	enforce(fd);
	CHECK_ERRNO(rename("a/other", "b/new"), EXDEV);
	CHECK(rename("a/file", "b/new") == 0);
	CHECK(rename("b/new", "a/file") == 0);
	CHECK_EQ(opening("a/file", O_RDONLY), 0);
	CHECK(try_exchange("a/file", "b/file") == 0);
}

TEST(exchanges_look_both_ways)
{
	int fd;

	prepare();
	fd = new_ruleset(REFER | READ_FILE | WRITE_FILE | MAKE_AND_REMOVE, 0, 0);
	allow(fd, "a", REFER | READ_FILE | WRITE_FILE | MAKE_AND_REMOVE);
	allow(fd, "b", REFER | READ_FILE | MAKE_AND_REMOVE);
	enforce(fd);
	CHECK_ERRNO(try_exchange("a/file", "b/file"), EXDEV);
	CHECK_ERRNO(try_exchange("b/file", "a/file"), EXDEV);
	CHECK_ERRNO(try_exchange("a/nothing", "b/file"), ENOENT);
	CHECK_ERRNO(try_exchange("a/file", "b/nothing"), ENOENT);
	CHECK(rename("a/file", "b/file") == 0);
}

/* Each layer asks on its own. */
TEST(layers)
{
	int fd;

	prepare();
	fd = new_ruleset(REFER | READ_FILE, 0, 0);
	allow(fd, ".", REFER);
	allow(fd, "b", READ_FILE);
	enforce(fd);
	CHECK_ERRNO(rename("a/file", "b/new"), EXDEV);
	CHECK(rename("b/file", "a/new") == 0);
	fd = new_ruleset(REFER | WRITE_FILE, 0, 0);
	allow(fd, ".", REFER);
	allow(fd, "a", WRITE_FILE);
	enforce(fd);
	CHECK_ERRNO(rename("a/file", "b/new"), EXDEV);
	CHECK(mkdir("b/d", 0755) == 0);
	temporary_text("a/dir/x", "");
	CHECK_ERRNO(rename("b/dir", "a/new"), EXDEV);
	CHECK_ERRNO(rename("b/dir", "a/newdir"), EXDEV);
	CHECK(rename("a/file", "a/dir/file") == 0);
	/* A layer that says nothing of moving refuses it. */
	enforce(new_ruleset(MAKE_CHAR, 0, 0));
	CHECK_ERRNO(rename("a/dir/file", "a/file"), EXDEV);
}

/* A layer about nothing of files has no say, unless another one is about them. */
TEST(layers_without_files)
{
	int fd;

	prepare();
	enforce(new_ruleset(0, BIND_TCP, 0));
	CHECK(rename("a/file", "b/new") == 0);
	fd = new_ruleset(REFER, 0, 0);
	allow(fd, ".", REFER);
	enforce(fd);
	CHECK_ERRNO(rename("b/new", "a/file"), EXDEV);
	CHECK(rename("b/new", "b/newer") == 0);
}

/* What is common to both places counts for both, wherever it is. */
TEST(rules_above)
{
	int fd;

	prepare();
	fd = new_ruleset(REFER | READ_FILE | MAKE_AND_REMOVE, 0, 0);
	allow(fd, ".", REFER | MAKE_AND_REMOVE | READ_FILE);
	allow(fd, "b", READ_FILE);
	enforce(fd);
	CHECK(rename("a/file", "b/new") == 0);
	CHECK(rename("b/dir", "a/newdir") == 0);
}

TEST(rules_above_that_lack_some)
{
	int fd;

	prepare();
	fd = new_ruleset(REFER | READ_FILE | WRITE_FILE | MAKE_AND_REMOVE, 0, 0);
	allow(fd, ".", REFER | MAKE_AND_REMOVE | READ_FILE);
	allow(fd, "b", READ_FILE);
	enforce(fd);
	CHECK(rename("a/file", "b/new") == 0);
	fd = new_ruleset(REFER | READ_FILE | WRITE_FILE | MAKE_AND_REMOVE, 0, 0);
	allow(fd, ".", REFER | MAKE_AND_REMOVE | READ_FILE);
	allow(fd, "b", WRITE_FILE);
	enforce(fd);
	CHECK_ERRNO(rename("a/other", "b/newer"), EXDEV);
}

/* The same where both are below a mount of their own. */
TEST(below_a_mount)
{
	int fd;

	need_abi(7);
	temporary_enter();
	if (geteuid() || unshare(CLONE_NEWNS))
		SKIP("no mount namespaces");
	CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mkdir("m", 0755) == 0 && mount("none", "m", "tmpfs", 0, NULL) == 0);
	CHECK(mkdir("m/a", 0755) == 0 && mkdir("m/b", 0755) == 0);
	temporary_text("m/a/file", "x");
	temporary_text("m/a/other", "x");
	fd = new_ruleset(REFER | READ_FILE | MAKE_AND_REMOVE, 0, 0);
	allow(fd, ".", REFER | MAKE_AND_REMOVE | READ_FILE);
	enforce(fd);
	CHECK(rename("m/a/file", "m/b/new") == 0);
	CHECK(link("m/b/new", "m/a/linked") == 0);
	fd = new_ruleset(REFER | READ_FILE | WRITE_FILE | MAKE_AND_REMOVE, 0, 0);
	allow(fd, "/", REFER | MAKE_AND_REMOVE | READ_FILE);
	allow(fd, "m/b", READ_FILE);
	enforce(fd);
	CHECK(rename("m/b/new", "m/a/new") == 0);
	/* What "/" allows comes too late to make up for what "m/b" adds: so it is on Linux. */
	CHECK_ERRNO(rename("m/a/other", "m/b/new"), EXDEV);
	CHECK_ERRNO(rename("m/a/other", "new"), EXDEV);
}

/* An unnamed file, and a name of one that is open. */
TEST(unnamed_files)
{
	char path[64];
	int fd, file;

	prepare();
	fd = new_ruleset(REFER | READ_FILE | MAKE_REG, 0, 0);
	allow(fd, "a", REFER | MAKE_REG);
	allow(fd, "b", REFER | READ_FILE | MAKE_REG);
	enforce(fd);
	file = open("a", O_TMPFILE | O_WRONLY, 0600);
	if (file < 0)
		SKIP("no unnamed files");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	CHECK_ERRNO(linkat(AT_FDCWD, path, AT_FDCWD, "b/new", AT_SYMLINK_FOLLOW), EXDEV);
	CHECK(linkat(AT_FDCWD, path, AT_FDCWD, "a/new", AT_SYMLINK_FOLLOW) == 0);
	CHECK((file = open("b", O_TMPFILE | O_WRONLY, 0600)) >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	CHECK(linkat(AT_FDCWD, path, AT_FDCWD, "a/newer", AT_SYMLINK_FOLLOW) == 0);
}

GUEST_TEST_MAIN()
