/* SPDX-License-Identifier: Apache-2.0 */
/* Names: directories, links, symbolic links, renaming, removing, and reading directories while they
 * change. */
#include "tests/guest/bad_address.h"
#include "tests/guest/temporary.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE	 2
#endif

static long rename2(const char *old, const char *new, unsigned int flags)
{
	return syscall(SYS_renameat2, AT_FDCWD, old, AT_FDCWD, new, flags);
}

static nlink_t links(const char *path)
{
	struct stat status;

	CHECK(lstat(path, &status) == 0);
	return status.st_nlink;
}

static ino_t number(const char *path)
{
	struct stat status;

	CHECK(lstat(path, &status) == 0);
	return status.st_ino;
}

TEST(directories)
{
	struct stat status;

	temporary_enter();
	umask(027);
	CHECK(mkdir("d", 0777) == 0);
	CHECK(stat("d", &status) == 0);
	CHECK_EQ(status.st_mode, S_IFDIR | 0750);
	CHECK_ERRNO(mkdir("d", 0777), EEXIST);
	CHECK_ERRNO(mkdir("none/d", 0777), ENOENT);
	CHECK(mkdir("d/e/", 0700) == 0);
	CHECK_ERRNO(rmdir("d"), ENOTEMPTY);
	CHECK_ERRNO(rmdir("d/e/."), EINVAL);
	CHECK_ERRNO(rmdir("d/e/.."), ENOTEMPTY);
	CHECK(rmdir("d/e") == 0);
	CHECK_ERRNO(rmdir("d/e"), ENOENT);
	temporary_text("f", "x");
	CHECK_ERRNO(rmdir("f"), ENOTDIR);
	CHECK_ERRNO(unlink("d"), EISDIR);
	CHECK_ERRNO(unlinkat(AT_FDCWD, "f", 77), EINVAL);
	CHECK(unlinkat(AT_FDCWD, "d", AT_REMOVEDIR) == 0);
	CHECK_ERRNO(rmdir("/"), EBUSY);
}

TEST(a_removed_directory_is_empty_for_ever)
{
	char path[4200];
	int fd;

	temporary_enter();
	CHECK(mkdir("d", 0700) == 0 && chdir("d") == 0);
	fd = open(".", O_RDONLY);
	CHECK(rmdir("../d") == 0);
	CHECK_ERRNO(open("new", O_CREAT | O_RDWR, 0600), ENOENT);
	CHECK_ERRNO(mkdir("new", 0700), ENOENT);
	CHECK(syscall(SYS_getcwd, path, sizeof(path)) == -1 && errno == ENOENT);
	CHECK_EQ(syscall(SYS_getdents64, fd, path, sizeof(path)), -1);
	CHECK_EQ(errno, ENOENT);
	CHECK(chdir("..") == 0);
}

TEST(hard_links)
{
	temporary_enter();
	temporary_text("a", "x");
	CHECK(link("a", "b") == 0);
	CHECK_EQ(links("a"), 2);
	CHECK_EQ(number("a"), number("b"));
	CHECK_ERRNO(link("a", "b"), EEXIST);
	CHECK_ERRNO(link("none", "c"), ENOENT);
	CHECK_ERRNO(link(".", "c"), EPERM);
	CHECK(symlink("a", "s") == 0);
	CHECK(link("s", "t") == 0);
	CHECK_EQ(number("s"), number("t"));
	CHECK(linkat(AT_FDCWD, "s", AT_FDCWD, "u", AT_SYMLINK_FOLLOW) == 0);
	CHECK_EQ(number("u"), number("a"));
	CHECK(unlink("a") == 0);
	CHECK_EQ(links("b"), 2);
	CHECK_ERRNO(linkat(AT_FDCWD, "b", AT_FDCWD, "v", 0x10), EINVAL);
}

TEST(symbolic_links)
{
	char target[64];
	char *tail = tail_alloc(3);

	temporary_enter();
	CHECK(symlink("a/b/../c", "s") == 0);
	CHECK_EQ(readlink("s", target, sizeof(target)), 8);
	CHECK(!memcmp(target, "a/b/../c", 8));
	CHECK_EQ(readlink("s", tail, 3), 3);
	CHECK_ERRNO(readlink("s", target, 0), EINVAL);
	temporary_text("f", "x");
	CHECK_ERRNO(readlink("f", target, 9), EINVAL);
	CHECK_ERRNO(symlink("x", "s"), EEXIST);
	CHECK_ERRNO(symlink("", "t"), ENOENT);
	CHECK_ERRNO(readlink("s", bad_address, 9), EFAULT);
	CHECK_ERRNO(access("s", F_OK), ENOENT);
}

TEST(renaming)
{
	ino_t a;

	temporary_enter();
	temporary_text("a", "a");
	temporary_text("b", "b");
	a = number("a");
	CHECK(rename("a", "b") == 0);
	CHECK_EQ(number("b"), a);
	CHECK_ERRNO(rename("a", "c"), ENOENT);
	CHECK(mkdir("d", 0700) == 0 && mkdir("e", 0700) == 0 && mkdir("e/f", 0700) == 0);
	CHECK_ERRNO(rename("b", "d"), EISDIR);
	CHECK_ERRNO(rename("d", "b"), ENOTDIR);
	CHECK_ERRNO(rename("d", "e"), ENOTEMPTY);
	CHECK_ERRNO(rename("e", "e/f/g"), EINVAL);
	CHECK(rename("d", "e/f") == 0);
	CHECK_EQ(links("."), 3);
	CHECK(rename("e/f", "e/f") == 0);
	CHECK_ERRNO(rename("e/.", "x"), EBUSY);
	CHECK_ERRNO(rename("b", "/proc/x"), EXDEV);
	CHECK(link("b", "c") == 0);
	CHECK(rename("b", "c") == 0);
	CHECK_EQ(links("b"), 2);
	CHECK_ERRNO(rename("b", "b/"), ENOTDIR);
	CHECK(rename("e/", "z/") == 0);
}

TEST(renaming_with_flags)
{
	ino_t a, d;

	temporary_enter();
	temporary_text("a", "a");
	CHECK(mkdir("d", 0700) == 0);
	temporary_text("d/inside", "x");
	a = number("a");
	d = number("d");
	CHECK_ERRNO(rename2("a", "d", RENAME_NOREPLACE), EEXIST);
	CHECK(rename2("a", "b", RENAME_NOREPLACE) == 0);
	CHECK(rename2("b", "d", RENAME_EXCHANGE) == 0);
	CHECK(number("d") == a && number("b") == d);
	CHECK(access("b/inside", F_OK) == 0);
	CHECK_ERRNO(rename2("b", "none", RENAME_EXCHANGE), ENOENT);
	CHECK_ERRNO(rename2("b", "d", RENAME_EXCHANGE | RENAME_NOREPLACE), EINVAL);
	CHECK_ERRNO(rename2("b", "d", 1 << 10), EINVAL);
	CHECK_ERRNO(rename2("b", "b/x", RENAME_EXCHANGE), ENOENT);
}

TEST(sticky_directories)
{
	temporary_enter();
	if (getuid())
		SKIP("needs root");
	CHECK(mkdir("t", 0) == 0 && chmod("t", 01777) == 0);
	temporary_text("t/roots", "x");
	temporary_text("t/mine", "x");
	CHECK(chown("t/mine", 1000, 1000) == 0);
	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK_ERRNO(unlink("t/roots"), EPERM);
	CHECK_ERRNO(rename("t/roots", "t/x"), EPERM);
	CHECK_ERRNO(rename("t/mine", "t/roots"), EPERM);
	CHECK(rename("t/mine", "t/x") == 0);
	CHECK(unlink("t/x") == 0);
}

TEST(set_group_id_directories)
{
	struct stat status;

	temporary_enter();
	if (getuid())
		SKIP("needs root");
	CHECK(mkdir("g", 0777) == 0 && chown("g", 0, 1234) == 0 && chmod("g", 02777) == 0);
	temporary_text("g/f", "x");
	CHECK(mkdir("g/d", 0755) == 0);
	CHECK(stat("g/f", &status) == 0);
	CHECK_EQ(status.st_gid, 1234);
	CHECK(stat("g/d", &status) == 0);
	CHECK(status.st_gid == 1234 && (status.st_mode & S_ISGID));
}

TEST(special_files)
{
	struct stat status;

	temporary_enter();
	CHECK(mkfifo("fifo", 0600) == 0);
	CHECK(stat("fifo", &status) == 0 && S_ISFIFO(status.st_mode));
	CHECK(mknod("socket", S_IFSOCK | 0600, 0) == 0);
	CHECK(stat("socket", &status) == 0 && S_ISSOCK(status.st_mode));
	CHECK_ERRNO(open("socket", O_RDONLY), ENXIO);
	CHECK(mknod("plain", 0600, 0) == 0);
	CHECK(stat("plain", &status) == 0 && S_ISREG(status.st_mode));
	CHECK_ERRNO(mknod("dir", S_IFDIR | 0700, 0), EPERM);
	CHECK_ERRNO(mknod("odd", 0110000, 0), EINVAL);
	CHECK_ERRNO(open("fifo", O_WRONLY | O_NONBLOCK), ENXIO);
	CHECK(open("fifo", O_RDONLY | O_NONBLOCK) >= 0);
	CHECK(getuid() || setresuid(1000, 1000, 1000) == 0);
	CHECK(chdir("/tmp") == 0);
	CHECK_ERRNO(mknod("guest-device", S_IFCHR | 0600, 0x103), EPERM);
}

static int count_entries(DIR *directory)
{
	struct dirent *entry;
	int count = 0;

	while ((entry = readdir(directory)))
		count++;
	return count;
}

TEST(reading_directories)
{
	char name[16], buffer[512];
	struct dirent *entry;
	long places[110];
	DIR *directory;
	int fd, count = 0;

	temporary_enter();
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		temporary_text(name, "");
	}
	directory = opendir(".");
	CHECK_EQ(count_entries(directory), 102);
	rewinddir(directory);
	for (places[0] = telldir(directory); (entry = readdir(directory));
		places[++count] = telldir(directory))
		;
	CHECK_EQ(count, 102);
	for (int i = 0; i <= 102; i += 17) {
		seekdir(directory, places[i]);
		CHECK_EQ(count_entries(directory), 102 - i);
	}
	CHECK(unlink("f5") == 0);
	temporary_text("new", "");
	rewinddir(directory);
	CHECK_EQ(count_entries(directory), 102);
	fd = open(".", O_RDONLY);
	CHECK_ERRNO(syscall(SYS_getdents64, fd, buffer, 10), EINVAL);
	CHECK_ERRNO(syscall(SYS_getdents64, fd, bad_address, sizeof(buffer)), EFAULT);
	CHECK_ERRNO(read(fd, buffer, 1), EISDIR);
	CHECK_ERRNO(syscall(SYS_getdents64, open("f1", O_RDONLY), buffer, sizeof(buffer)), ENOTDIR);
}

/* Each name that was there all the time is told exactly once, whatever else comes and goes. */
TEST(removing_while_reading)
{
	struct dirent *entry;
	DIR *directory;
	char name[16];
	int seen = 0;

	temporary_enter();
	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "f%04d", i);
		temporary_text(name, "");
	}
	directory = opendir(".");
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] != 'f')
			continue;
		CHECK(unlink(entry->d_name) == 0);
		seen++;
	}
	CHECK_EQ(seen, 2000);
	rewinddir(directory);
	CHECK_EQ(count_entries(directory), 2);
}

TEST(working_directories)
{
	char path[256], expected[256];

	temporary_enter();
	CHECK(mkdir("a", 0700) == 0 && mkdir("a/b", 0700) == 0);
	CHECK(symlink("a/b", "s") == 0);
	CHECK(chdir("s") == 0);
	CHECK(getcwd(path, sizeof(path)));
	snprintf(expected, sizeof(expected), "%s/a/b", temporary_path);
	CHECK(!strcmp(path, expected));
	CHECK(rename("../../a", "../../c") == 0);
	CHECK(getcwd(path, sizeof(path)));
	snprintf(expected, sizeof(expected), "%s/c/b", temporary_path);
	CHECK(!strcmp(path, expected));
	CHECK_ERRNO(syscall(SYS_getcwd, path, 3), ERANGE);
	CHECK_ERRNO(chdir("none"), ENOENT);
	temporary_text("f", "");
	CHECK_ERRNO(chdir("f"), ENOTDIR);
	CHECK_ERRNO(fchdir(open("f", O_RDONLY)), ENOTDIR);
}

static char *numbered(char kind, int number)
{
	static char name[16];

	snprintf(name, sizeof(name), "%c%d", kind, number);
	return name;
}

/* More files than a kernel may want to keep open behind their names. */
TEST(files_stay_when_their_first_name_goes)
{
	enum { COUNT = 2200 };
	struct stat status;
	char other[16];

	temporary_enter();
	for (int i = 0; i < COUNT; i++)
		temporary_text(numbered('a', i), "text");
	for (int i = 0; i < COUNT; i++) {
		strcpy(other, numbered('b', i));
		CHECK(link(numbered('a', i), other) == 0);
		if (i % 2)
			CHECK(stat(other, &status) == 0);
	}
	for (int i = 0; i < COUNT; i++) {
		CHECK(unlink(numbered(i % 3 ? 'a' : 'b', i)) == 0);
		strcpy(other, numbered('c', i));
		CHECK(link(numbered(i % 3 ? 'b' : 'a', i), other) == 0);
	}
	for (int i = 0; i < COUNT; i++) {
		int fd = open(numbered(i % 3 ? 'b' : 'a', i), O_RDONLY);

		CHECK(fd >= 0);
		CHECK(fstat(fd, &status) == 0);
		CHECK_EQ(status.st_nlink, 2);
		close(fd);
	}
	for (int i = 0; i < COUNT; i++) {
		CHECK(unlink(numbered(i % 3 ? 'b' : 'a', i)) == 0);
		CHECK(chmod(numbered('c', i), 0640) == 0);
		CHECK(truncate(numbered('c', i), 1) == 0);
		CHECK_EQ(links(numbered('c', i)), 1);
	}
}

static atomic_bool exchanging;

static void *exchange_names(void *unused)
{
	while (exchanging)
		CHECK(rename2("mine", "other", RENAME_EXCHANGE) == 0);
	return NULL;
}

/* What a descriptor stands for is changed, whoever has its name by then. */
TEST(attributes_are_changed_of_the_file_and_not_of_the_name)
{
	struct timespec times[2] = {{1000, 0}, {1000, 0}};
	struct stat status;
	char path[32];
	pthread_t thread;
	int mine, other;

	temporary_enter();
	temporary_text("mine", "");
	temporary_text("other", "");
	mine = open("mine", O_PATH);
	other = open("other", O_PATH);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", mine);
	exchanging = true;
	CHECK(pthread_create(&thread, NULL, exchange_names, NULL) == 0);
	for (int i = 0; i < 1000; i++) {
		CHECK(chmod(path, i % 2 ? 0600 : 04755) == 0);
		CHECK(utimensat(AT_FDCWD, path, times, 0) == 0);
	}
	exchanging = false;
	pthread_join(thread, NULL);
	CHECK(fstat(other, &status) == 0);
	CHECK_EQ(status.st_mode & 07777, 0644);
	CHECK(status.st_mtime != 1000);
	CHECK(fstat(mine, &status) == 0);
	CHECK_EQ(status.st_mode & 07777, 0600);
	CHECK_EQ(status.st_mtime, 1000);
}

GUEST_TEST_MAIN()
