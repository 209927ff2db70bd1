/* SPDX-License-Identifier: Apache-2.0 */
/* open(2), openat(2), openat2(2): every flag, what is refused and how, and how names are walked. */
#include "tests/guest/bad_address.h"
#include "tests/guest/temporary.h"

#include <linux/openat2.h>
#include <sys/syscall.h>

/* A rename or mount anywhere in the system makes a ".." that is held below a directory EAGAIN. */
static int open_how(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	struct open_how how = {flags, mode, resolve};
	int fd;

	do {
		fd = (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
	} while (fd < 0 && errno == EAGAIN && !(resolve & RESOLVE_CACHED));
	return fd;
}

TEST(create_and_exclusive)
{
	struct stat status;
	int fd;

	temporary_enter();
	umask(022);
	CHECK_ERRNO(open("a", O_RDWR), ENOENT);
	fd = open("a", O_RDWR | O_CREAT | O_EXCL, 0666);
	CHECK(fd >= 0 && fstat(fd, &status) == 0);
	CHECK_EQ(status.st_mode, S_IFREG | 0644);
	CHECK_ERRNO(open("a", O_RDWR | O_CREAT | O_EXCL, 0666), EEXIST);
	CHECK(open("a", O_RDWR | O_CREAT, 0) >= 0);
	CHECK(creat("b", 0400) >= 0);
	CHECK(symlink("c", "link") == 0);
	CHECK_ERRNO(open("link", O_RDWR | O_CREAT | O_EXCL, 0666), EEXIST);
	CHECK(open("link", O_RDWR | O_CREAT, 0600) >= 0);
	CHECK(access("c", F_OK) == 0);
}

TEST(truncate_and_append)
{
	char text[16];
	int fd;

	temporary_enter();
	temporary_text("a", "0123456789");
	fd = open("a", O_RDWR | O_APPEND);
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK_EQ(write(fd, "ab", 2), 2);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 12);
	CHECK_EQ(pread(fd, text, 4, 8), 4);
	CHECK(!memcmp(text, "89ab", 4));
	CHECK_EQ(pwrite(fd, "X", 1, 0), 1);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 13);
	fd = open("a", O_RDONLY | O_TRUNC);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 0);
	CHECK_ERRNO(write(fd, "x", 1), EBADF);
	fd = open("a", O_WRONLY);
	CHECK_ERRNO(read(fd, text, 1), EBADF);
}

TEST(kinds_that_must_match)
{
	temporary_enter();
	temporary_text("file", "x");
	CHECK(mkdir("dir", 0755) == 0);
	CHECK(symlink("file", "link") == 0);
	CHECK_ERRNO(open("file", O_RDONLY | O_DIRECTORY), ENOTDIR);
	CHECK_ERRNO(open("dir", O_WRONLY), EISDIR);
	CHECK_ERRNO(open("dir", O_RDWR | O_CREAT, 0600), EISDIR);
	CHECK_ERRNO(open("link", O_RDONLY | O_NOFOLLOW), ELOOP);
	CHECK_ERRNO(open("file/", O_RDONLY), ENOTDIR);
	CHECK_ERRNO(open("file/x", O_RDONLY), ENOTDIR);
	CHECK_ERRNO(open("new/", O_RDWR | O_CREAT, 0600), EISDIR);
	CHECK_ERRNO(open("", O_RDONLY), ENOENT);
	CHECK_ERRNO(open(bad_address, O_RDONLY), EFAULT);
	CHECK(open("dir/..//./dir/", O_RDONLY) >= 0);
	CHECK_ERRNO(openat(999, "file", O_RDONLY), EBADF);
	CHECK_ERRNO(openat(open("file", O_RDONLY), "file", O_RDONLY), ENOTDIR);
	CHECK(openat(999, "/dev/null", O_RDONLY) >= 0);
}

TEST(names_that_are_too_long)
{
	char name[5000];

	temporary_enter();
	memset(name, 'n', sizeof(name));
	name[256] = 0;
	CHECK_ERRNO(open(name, O_RDWR | O_CREAT, 0600), ENAMETOOLONG);
	name[255] = 0;
	CHECK(open(name, O_RDWR | O_CREAT, 0600) >= 0);
	CHECK(unlink(name) == 0);
	for (int i = 0; i < 4998; i += 2)
		memcpy(name + i, "./", 2);
	name[4096] = 0;
	CHECK_ERRNO(open(name, O_RDONLY), ENAMETOOLONG);
	name[4095] = 0;
	CHECK(open(name, O_RDONLY) >= 0);
}

TEST(circles_of_links)
{
	char name[16], next[16];

	temporary_enter();
	CHECK(symlink("loop", "loop") == 0);
	CHECK_ERRNO(open("loop", O_RDONLY), ELOOP);
	temporary_text("l0", "x");
	for (int i = 1; i <= 41; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		snprintf(next, sizeof(next), "l%d", i - 1);
		CHECK(symlink(next, name) == 0);
	}
	/* A walk that Linux had to begin anew counts its links twice. */
	for (int tries = 0; tries < 100 && open("l40", O_RDONLY) < 0; tries++)
		CHECK_EQ(errno, ELOOP);
	CHECK(open("l20", O_RDONLY) >= 0);
	CHECK_ERRNO(open("l41", O_RDONLY), ELOOP);
}

TEST(path_descriptors)
{
	char text[8];
	struct stat status;
	int fd;

	temporary_enter();
	temporary_text("a", "x");
	CHECK(chmod("a", 0) == 0);
	CHECK(symlink("a", "link") == 0);
	fd = open("a", O_PATH);
	CHECK(fd >= 0 && fstat(fd, &status) == 0);
	CHECK_ERRNO(read(fd, text, 1), EBADF);
	CHECK_ERRNO(fchmod(fd, 0600), EBADF);
	CHECK_ERRNO(ftruncate(fd, 0), EBADF);
	CHECK_ERRNO(fcntl(fd, F_SETFL, O_APPEND), EBADF);
	CHECK_EQ(fcntl(fd, F_GETFL) & ~0100000, O_PATH);
	CHECK(dup(fd) >= 0);
	fd = open("link", O_PATH | O_NOFOLLOW);
	CHECK(fd >= 0 && fstat(fd, &status) == 0);
	CHECK(S_ISLNK(status.st_mode));
	CHECK_EQ(readlinkat(fd, "", text, sizeof(text)), 1);
	fd = open(".", O_PATH | O_DIRECTORY);
	CHECK(faccessat(fd, "a", F_OK, 0) == 0);
	CHECK(fchdir(fd) == 0);
}

TEST(unnamed_files)
{
	char path[64];
	struct stat status;
	int fd;

	temporary_enter();
	fd = open(".", O_TMPFILE | O_RDWR, 0600);
	if (fd < 0 && errno == EOPNOTSUPP)
		SKIP("no O_TMPFILE here");
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "abc", 3), 3);
	CHECK(fstat(fd, &status) == 0);
	CHECK_EQ(status.st_nlink, 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW) == 0);
	CHECK(stat("named", &status) == 0);
	CHECK(status.st_nlink == 1 && status.st_size == 3);
	CHECK_ERRNO(open(".", O_TMPFILE | O_RDONLY, 0600), EINVAL);
	CHECK_ERRNO(open("named", O_TMPFILE | O_RDWR, 0600), ENOTDIR);
	fd = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK_ERRNO(linkat(AT_FDCWD, path, AT_FDCWD, "other", AT_SYMLINK_FOLLOW), ENOENT);
}

TEST(permissions)
{
	temporary_enter();
	if (getuid())
		SKIP("needs root");
	temporary_text("a", "x");
	CHECK(mkdir("closed", 0700) == 0);
	temporary_text("closed/b", "x");
	CHECK(chmod("a", 0640) == 0 && chown("a", 0, 1001) == 0);
	CHECK(setresgid(1001, 1001, 1001) == 0 && setresuid(1000, 1000, 1000) == 0);
	CHECK(open("a", O_RDONLY) >= 0);
	CHECK_ERRNO(open("a", O_WRONLY), EACCES);
	CHECK_ERRNO(open("closed/b", O_RDONLY), EACCES);
	CHECK_ERRNO(open("closed/none", O_RDONLY), EACCES);
	CHECK_ERRNO(open("new", O_WRONLY | O_CREAT, 0600), EACCES);
	CHECK_ERRNO(open("a", O_RDONLY | O_NOATIME), EPERM);
}

TEST(resolving_with_care)
{
	int root, fd;

	temporary_enter();
	CHECK(mkdir("in", 0755) == 0 && mkdir("in/deep", 0755) == 0);
	temporary_text("in/file", "x");
	temporary_text("out", "x");
	CHECK(symlink("../out", "in/up") == 0 && symlink("/file", "in/absolute") == 0 &&
		symlink("file", "in/near") == 0);
	root = open("in", O_PATH);
	CHECK(open_how(root, "near", O_RDONLY, 0, RESOLVE_BENEATH) >= 0);
	CHECK_ERRNO(open_how(root, "up", O_RDONLY, 0, RESOLVE_BENEATH), EXDEV);
	CHECK_ERRNO(open_how(root, "../out", O_RDONLY, 0, RESOLVE_BENEATH), EXDEV);
	CHECK_ERRNO(open_how(root, "/file", O_RDONLY, 0, RESOLVE_BENEATH), EXDEV);
	CHECK(open_how(root, "deep/../file", O_RDONLY, 0, RESOLVE_BENEATH) >= 0);
	CHECK(open_how(root, "/file", O_RDONLY, 0, RESOLVE_IN_ROOT) >= 0);
	CHECK(open_how(root, "absolute", O_RDONLY, 0, RESOLVE_IN_ROOT) >= 0);
	CHECK(open_how(root, "../../../file", O_RDONLY, 0, RESOLVE_IN_ROOT) >= 0);
	CHECK_ERRNO(open_how(root, "up", O_RDONLY, 0, RESOLVE_IN_ROOT), ENOENT);
	CHECK_ERRNO(open_how(root, "near", O_RDONLY, 0, RESOLVE_NO_SYMLINKS), ELOOP);
	CHECK_ERRNO(
		open_how(AT_FDCWD, "/proc/self/exe", O_RDONLY, 0, RESOLVE_NO_MAGICLINKS), ELOOP);
	CHECK_ERRNO(open_how(AT_FDCWD, "/proc/self/status", O_RDONLY, 0, RESOLVE_NO_XDEV), EXDEV);
	fd = open_how(AT_FDCWD, "out", O_RDONLY, 0, RESOLVE_CACHED);
	CHECK(fd >= 0 || errno == EAGAIN);
}

TEST(openat2_is_strict)
{
	struct {
		struct open_how how;
		uint64_t more;
	} large = {{O_RDONLY, 0, 0}, 0};

	temporary_enter();
	temporary_text("a", "x");
	CHECK_ERRNO(open_how(AT_FDCWD, "a", O_RDONLY, 0644, 0), EINVAL);
	CHECK_ERRNO(open_how(AT_FDCWD, "a", 1ull << 40, 0, 0), EINVAL);
	CHECK_ERRNO(open_how(AT_FDCWD, "a", O_CREAT, 0200000, 0), EINVAL);
	CHECK_ERRNO(open_how(AT_FDCWD, "a", O_RDONLY, 0, 1 << 20), EINVAL);
	CHECK_ERRNO(
		open_how(AT_FDCWD, "a", O_RDONLY, 0, RESOLVE_BENEATH | RESOLVE_IN_ROOT), EINVAL);
	CHECK_ERRNO(syscall(SYS_openat2, AT_FDCWD, "a", &large, 8), EINVAL);
	CHECK(syscall(SYS_openat2, AT_FDCWD, "a", &large, sizeof(large)) >= 0);
	large.more = 1;
	CHECK_ERRNO(syscall(SYS_openat2, AT_FDCWD, "a", &large, sizeof(large)), E2BIG);
	CHECK_ERRNO(syscall(SYS_openat2, AT_FDCWD, "a", bad_address, sizeof(large.how)), EFAULT);
}

TEST(flags_are_kept)
{
	int fd;

	temporary_enter();
	temporary_text("a", "x");
	fd = open("a", O_RDWR | O_NONBLOCK | O_APPEND | O_CLOEXEC);
	CHECK_EQ(fcntl(fd, F_GETFL) & ~0100000, O_RDWR | O_NONBLOCK | O_APPEND);
	CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
	CHECK(fcntl(fd, F_SETFL, O_NOATIME) == 0);
	CHECK_EQ(fcntl(fd, F_GETFL) & ~0100000, O_RDWR | O_NOATIME);
	CHECK_EQ(fcntl(fcntl(fd, F_DUPFD_CLOEXEC, 100), F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(dup(fd), F_GETFD), 0);
}

TEST(a_program_that_runs_is_busy)
{
	char buffer[65536];
	int in = open("/bin/sleep", O_RDONLY), out, fd;
	ssize_t size;
	pid_t child;

	temporary_enter();
	out = open("sleep", O_WRONLY | O_CREAT, 0755);
	while ((size = read(in, buffer, sizeof(buffer))) > 0)
		CHECK_EQ(write(out, buffer, (size_t)size), size);
	CHECK_ERRNO(execl("sleep", "sleep", "0", NULL), ETXTBSY);
	close(out);
	child = fork();
	if (child == 0) {
		/* Whenever the parent just has it open, that is refused. */
		do
			execl("sleep", "sleep", "30", NULL);
		while (errno == ETXTBSY);
		_exit(127);
	}
	for (int i = 0; i < 1000; i++) {
		fd = open("sleep", O_WRONLY);
		if (fd < 0)
			break;
		close(fd);
		sleep_ms(5);
	}
	CHECK_EQ(fd, -1);
	CHECK_EQ(errno, ETXTBSY);
	CHECK_ERRNO(truncate("sleep", 0), ETXTBSY);
	kill(child, SIGKILL);
	CHECK(waitpid(child, NULL, 0) == child);
	CHECK(open("sleep", O_WRONLY) >= 0);
}

GUEST_TEST_MAIN()
