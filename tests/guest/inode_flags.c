/* SPDX-License-Identifier: Apache-2.0 */
/* chattr(1)'s flags: which there are, who may set them, and what immutable and append-only files
 * and directories refuse. */
#include "tests/guest/temporary.h"

#include <linux/capability.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/stat.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <utime.h>

#define OURS (FS_IMMUTABLE_FL | FS_APPEND_FL | FS_NODUMP_FL | FS_NOATIME_FL)

static int flags_of(const char *path)
{
	int flags = 0, fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags)) {
		int error = errno;

		if (fd >= 0)
			close(fd);
		errno = error;
		return -1;
	}
	close(fd);
	return flags;
}

/* Sets these of our flags and no other, and leaves the file system's own alone. */
static int set_flags(const char *path, int wanted)
{
	int result, error, flags, fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags))
		return -1;
	flags = (flags & ~OURS) | wanted;
	result = ioctl(fd, FS_IOC_SETFLAGS, &flags);
	error = errno;
	close(fd);
	errno = error;
	return result;
}

static int thaw_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)walk;
	if (type == FTW_F || type == FTW_D)
		(void)set_flags(path, 0);
	return 0;
}

/* Runs a function in a child, and then takes all flags away so that the directory can go. */
static void (*frozen_test)(void);

static void run_and_thaw(void)
{
	int status;

	if (getuid())
		SKIP("needs root");
	if (flags_of(".") < 0)
		SKIP("no flags here");
	status = in_child(frozen_test);
	nftw(".", thaw_one, 16, FTW_PHYS);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

static void everywhere(void (*function)(void))
{
	frozen_test = function;
	temporary_everywhere(run_and_thaw);
}

/* --- the calls --- */

static void check_tmpfs(void)
{
	struct fsxattr attributes;
	int fd, flags;

	temporary_text("f", "x");
	fd = open("f", O_RDONLY);
	CHECK_EQ(flags_of("f"), 0);
	for (unsigned int bit = 0; bit < 32; bit++) {
		flags = (int)(1u << bit);
		if (flags & OURS) {
			CHECK(ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0);
			CHECK_EQ(flags_of("f"), flags);
			continue;
		}
		CHECK_ERRNO(ioctl(fd, FS_IOC_SETFLAGS, &flags), EOPNOTSUPP);
	}
	flags = FS_IMMUTABLE_FL | FS_NODUMP_FL;
	CHECK(ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0);
	memset(&attributes, 1, sizeof(attributes));
	CHECK(ioctl(fd, FS_IOC_FSGETXATTR, &attributes) == 0);
	CHECK_EQ(attributes.fsx_xflags, FS_XFLAG_IMMUTABLE | FS_XFLAG_NODUMP);
	CHECK(!attributes.fsx_extsize && !attributes.fsx_nextents && !attributes.fsx_projid);
	attributes.fsx_xflags = FS_XFLAG_APPEND | FS_XFLAG_NOATIME | FS_XFLAG_HASATTR;
	attributes.fsx_nextents = 7;
	CHECK(ioctl(fd, FS_IOC_FSSETXATTR, &attributes) == 0);
	CHECK_EQ(flags_of("f"), FS_APPEND_FL | FS_NOATIME_FL);
	attributes.fsx_projid = 5;
	CHECK_ERRNO(ioctl(fd, FS_IOC_FSSETXATTR, &attributes), EOPNOTSUPP);
	attributes.fsx_projid = 0;
	attributes.fsx_extsize = 4096;
	CHECK_ERRNO(ioctl(fd, FS_IOC_FSSETXATTR, &attributes), EOPNOTSUPP);
	attributes.fsx_extsize = 0;
	attributes.fsx_xflags = FS_XFLAG_EXTSIZE;
	CHECK(ioctl(fd, FS_IOC_FSSETXATTR, &attributes) == 0);
	CHECK_EQ(flags_of("f"), 0);
	attributes.fsx_xflags = FS_XFLAG_EXTSZINHERIT;
	CHECK_ERRNO(ioctl(fd, FS_IOC_FSSETXATTR, &attributes), EINVAL);
	attributes.fsx_xflags = FS_XFLAG_REALTIME;
	CHECK_ERRNO(ioctl(fd, FS_IOC_FSSETXATTR, &attributes), EOPNOTSUPP);
	CHECK_ERRNO(ioctl(fd, FS_IOC_GETVERSION, &flags), ENOTTY);
	CHECK_ERRNO(ioctl(fd, FS_IOC_SETFLAGS, 1), EFAULT);
	CHECK_ERRNO(ioctl(fd, FS_IOC_FSSETXATTR, 1), EFAULT);
	flags = 0;
	CHECK_ERRNO(ioctl(fd, FIBMAP, &flags), EINVAL);
}

TEST(flags_of_tmpfs)
{
	temporary_enter_in("/dev/shm");
	frozen_test = check_tmpfs;
	run_and_thaw();
}

static void check_others(void)
{
	struct fsxattr attributes = {.fsx_xflags = FS_XFLAG_NODUMP};
	struct sockaddr_un address = {AF_UNIX, "s"};
	int flags = 0, fds[2];

	CHECK(mkfifo("p", 0600) == 0 && pipe(fds) == 0);
	CHECK(bind(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&address, sizeof(address)) == 0);
	CHECK_ERRNO(ioctl(fds[0], FS_IOC_GETFLAGS, &flags), ENOTTY);
	CHECK_ERRNO(ioctl(fds[0], FS_IOC_SETFLAGS, &flags), ENOTTY);
	CHECK_ERRNO(ioctl(open("/dev/null", O_RDWR), FS_IOC_GETFLAGS, &flags), ENOTTY);
	CHECK_ERRNO(ioctl(open("/proc/self/status", 0), FS_IOC_GETFLAGS, &flags), ENOTTY);
	CHECK_ERRNO(ioctl(open("/proc/self/status", 0), FS_IOC_FSSETXATTR, &attributes), ENOTTY);
	CHECK_ERRNO(ioctl(open(".", O_PATH), FS_IOC_GETFLAGS, &flags), EBADF);
	attributes.fsx_xflags = 4;
	CHECK_ERRNO(ioctl(fds[0], FS_IOC_FSSETXATTR, &attributes), EOPNOTSUPP);
}

TEST(other_files)
{
	everywhere(check_others);
}

struct file_attributes {
	uint64_t xflags;
	uint32_t extsize, nextents, projid, cowextsize;
	uint64_t later;
};

static long file_getattr(int dirfd, const char *name, void *out, size_t size, int flags)
{
	return syscall(468, dirfd, name, out, size, flags);
}

static long file_setattr(int dirfd, const char *name, void *in, size_t size, int flags)
{
	return syscall(469, dirfd, name, in, size, flags);
}

TEST(file_attributes_by_name)
{
	struct file_attributes attributes = {.later = 5};

	temporary_enter_in("/dev/shm");
	temporary_text("f", "x");
	if (file_getattr(AT_FDCWD, "f", &attributes, 24, 0) && errno == ENOSYS)
		SKIP("no file_getattr");
	CHECK(symlink("f", "l") == 0);
	attributes.xflags = FS_XFLAG_NODUMP;
	CHECK(file_setattr(AT_FDCWD, "l", &attributes, 24, 0) == 0);
	CHECK_EQ(flags_of("f"), FS_NODUMP_FL);
	memset(&attributes, 0xff, sizeof(attributes));
	CHECK(file_getattr(AT_FDCWD, "l", &attributes, 32, 0) == 0);
	CHECK_EQ(attributes.xflags, FS_XFLAG_NODUMP);
	CHECK_EQ(attributes.later, 0);
	CHECK(file_getattr(open("f", O_RDONLY), "", &attributes, 24, AT_EMPTY_PATH) == 0);
	CHECK(file_getattr(open("f", O_RDONLY), NULL, &attributes, 24, AT_EMPTY_PATH) == 0);
	CHECK_ERRNO(file_getattr(AT_FDCWD, "l", &attributes, 24, AT_SYMLINK_NOFOLLOW), EOPNOTSUPP);
	CHECK_ERRNO(file_setattr(AT_FDCWD, "l", &attributes, 24, AT_SYMLINK_NOFOLLOW), EOPNOTSUPP);
	CHECK_ERRNO(file_getattr(AT_FDCWD, "f", &attributes, 23, 0), EINVAL);
	CHECK_ERRNO(file_getattr(AT_FDCWD, "f", &attributes, 5000, 0), E2BIG);
	CHECK_ERRNO(file_getattr(AT_FDCWD, "f", &attributes, 24, 0x40), EINVAL);
	CHECK_ERRNO(file_getattr(AT_FDCWD, "none", &attributes, 24, 0), ENOENT);
	attributes.later = 1;
	CHECK_ERRNO(file_setattr(AT_FDCWD, "f", &attributes, 32, 0), E2BIG);
	attributes.xflags = 4;
	CHECK_ERRNO(file_setattr(AT_FDCWD, "f", &attributes, 24, 0), EINVAL);
}

static void check_statx(void)
{
	const unsigned int bits = STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND | STATX_ATTR_NODUMP;
	struct statx status;

	temporary_text("f", "x");
	CHECK(set_flags("f", OURS) == 0);
	CHECK(syscall(SYS_statx, AT_FDCWD, "f", 0, STATX_BASIC_STATS, &status) == 0);
	CHECK_EQ(status.stx_attributes & bits, bits);
	CHECK_EQ(status.stx_attributes_mask & bits, bits);
	CHECK(status.stx_attributes_mask & STATX_ATTR_AUTOMOUNT);
	CHECK(set_flags("f", FS_NODUMP_FL) == 0);
	CHECK(syscall(SYS_statx, AT_FDCWD, "f", 0, STATX_BASIC_STATS, &status) == 0);
	CHECK_EQ(status.stx_attributes & bits, STATX_ATTR_NODUMP);
}

TEST(statx_tells)
{
	everywhere(check_statx);
}

static void check_inherited(void)
{
	CHECK(mkdir("d", 0755) == 0 && set_flags("d", FS_NODUMP_FL | FS_NOATIME_FL) == 0);
	temporary_text("d/f", "x");
	CHECK(mkdir("d/d", 0755) == 0);
	CHECK_EQ(flags_of("d/f") & OURS, FS_NODUMP_FL | FS_NOATIME_FL);
	CHECK_EQ(flags_of("d/d") & OURS, FS_NODUMP_FL | FS_NOATIME_FL);
	CHECK(set_flags("d", FS_APPEND_FL) == 0);
	temporary_text("d/g", "x");
	CHECK_EQ(flags_of("d/g") & OURS, 0);
}

TEST(new_files_inherit)
{
	everywhere(check_inherited);
}

static void check_noatime(void)
{
	struct timespec times[2] = {{1000000000, 0}, {1100000000, 0}};
	struct stat status;
	char byte;
	int fd;

	temporary_text("f", "x");
	CHECK(utimensat(AT_FDCWD, "f", times, 0) == 0 && set_flags("f", FS_NOATIME_FL) == 0);
	fd = open("f", O_RDONLY);
	CHECK(read(fd, &byte, 1) == 1 && fstat(fd, &status) == 0);
	CHECK_EQ(status.st_atime, 1000000000);
}

TEST(noatime)
{
	everywhere(check_noatime);
}

static void check_rights(void)
{
	int flags, fd;

	temporary_text("f", "x");
	CHECK(chmod(".", 0777) == 0 && chown("f", 100, 100) == 0);
	fd = open("f", O_RDONLY);
	CHECK(ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0);
	CHECK(setresgid(100, 100, 100) == 0 && setresuid(100, 100, 100) == 0);
	flags |= FS_NODUMP_FL;
	CHECK(ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0);
	flags |= FS_IMMUTABLE_FL;
	CHECK_ERRNO(ioctl(fd, FS_IOC_SETFLAGS, &flags), EPERM);
	flags ^= FS_IMMUTABLE_FL | FS_APPEND_FL;
	CHECK_ERRNO(ioctl(fd, FS_IOC_SETFLAGS, &flags), EPERM);
	CHECK(flags_of("f") & FS_NODUMP_FL);
}

static void check_strangers(void)
{
	int flags, fd;

	temporary_text("f", "x");
	CHECK(chmod(".", 0777) == 0);
	fd = open("f", O_RDONLY);
	CHECK(ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0);
	CHECK(setresgid(100, 100, 100) == 0 && setresuid(100, 100, 100) == 0);
	CHECK_ERRNO(ioctl(fd, FS_IOC_SETFLAGS, &flags), EPERM);
}

TEST(who_may_set_them)
{
	everywhere(check_rights);
	everywhere(check_strangers);
}

/* --- what they forbid --- */

static void check_immutable_file(void)
{
	struct timespec times[2] = {{1, 0}, {1, 0}};

	temporary_text("f", "contents");
	temporary_text("other", "x");
	CHECK(set_flags("f", FS_IMMUTABLE_FL) == 0);
	CHECK_ERRNO(open("f", O_WRONLY), EPERM);
	CHECK_ERRNO(open("f", O_RDWR | O_APPEND), EPERM);
	CHECK_ERRNO(open("f", O_RDONLY | O_TRUNC), EPERM);
	CHECK_ERRNO(truncate("f", 1), EPERM);
	CHECK_ERRNO(unlink("f"), EPERM);
	CHECK_ERRNO(rename("f", "g"), EPERM);
	CHECK_ERRNO(rename("other", "f"), EPERM);
	CHECK_ERRNO(link("f", "g"), EPERM);
	CHECK_ERRNO(chmod("f", 0600), EPERM);
	CHECK_ERRNO(chown("f", 1, 1), EPERM);
	CHECK_ERRNO(utimensat(AT_FDCWD, "f", times, 0), EPERM);
	CHECK_ERRNO(utimensat(AT_FDCWD, "f", NULL, 0), EPERM);
	CHECK_ERRNO(setxattr("f", "user.a", "1", 1, 0), EPERM);
	CHECK_ERRNO(setxattr("f", "trusted.a", "1", 1, 0), EPERM);
	CHECK_ERRNO(removexattr("f", "trusted.a"), EPERM);
	CHECK_ERRNO(removexattr("f", "system.posix_acl_access"), EPERM);
	CHECK_ERRNO(access("f", W_OK), EPERM);
	CHECK(access("f", R_OK) == 0);
	CHECK(close(open("f", O_RDONLY)) == 0);
	CHECK_ERRNO(syscall(SYS_renameat2, AT_FDCWD, "f", AT_FDCWD, "other", 2), EPERM);
	CHECK(set_flags("f", 0) == 0 && unlink("f") == 0);
}

TEST(immutable_files)
{
	everywhere(check_immutable_file);
}

static void check_immutable_directory(void)
{
	CHECK(mkdir("d", 0755) == 0 && mkdir("d/d", 0755) == 0);
	temporary_text("d/f", "x");
	temporary_text("f", "x");
	CHECK(set_flags("d", FS_IMMUTABLE_FL) == 0);
	CHECK_ERRNO(open("d/g", O_CREAT | O_WRONLY, 0600), EPERM);
	CHECK_ERRNO(open("d", O_TMPFILE | O_WRONLY, 0600), EPERM);
	CHECK_ERRNO(mkdir("d/g", 0700), EPERM);
	CHECK_ERRNO(symlink("x", "d/g"), EPERM);
	CHECK_ERRNO(link("f", "d/g"), EPERM);
	CHECK_ERRNO(unlink("d/f"), EPERM);
	CHECK_ERRNO(rmdir("d/d"), EPERM);
	CHECK_ERRNO(rmdir("d"), EPERM);
	CHECK_ERRNO(rename("d", "e"), EPERM);
	CHECK_ERRNO(rename("d/f", "g"), EPERM);
	CHECK_ERRNO(rename("f", "d/g"), EPERM);
	CHECK_ERRNO(chmod("d", 0700), EPERM);
	temporary_text("d/f", "still written");
	CHECK(set_flags("d", 0) == 0);
}

TEST(immutable_directories)
{
	everywhere(check_immutable_directory);
}

static void check_append_file(void)
{
	struct iovec piece = {(void *)(uintptr_t) "y", 1};
	struct timespec times[2] = {{1, 0}, {1, 0}};
	int fd, before;

	temporary_text("f", "contents");
	before = open("f", O_RDWR);
	CHECK(set_flags("f", FS_APPEND_FL) == 0);
	CHECK_ERRNO(open("f", O_WRONLY), EPERM);
	CHECK_ERRNO(open("f", O_WRONLY | O_APPEND | O_TRUNC), EPERM);
	CHECK_ERRNO(open("f", O_RDONLY | O_TRUNC), EPERM);
	CHECK_ERRNO(truncate("f", 1), EPERM);
	CHECK_ERRNO(ftruncate(before, 1), EPERM);
	CHECK_ERRNO(unlink("f"), EPERM);
	CHECK_ERRNO(rename("f", "g"), EPERM);
	CHECK_ERRNO(link("f", "g"), EPERM);
	CHECK_ERRNO(chmod("f", 0600), EPERM);
	CHECK_ERRNO(chown("f", 1, 1), EPERM);
	CHECK_ERRNO(utimensat(AT_FDCWD, "f", times, 0), EPERM);
	CHECK(utimensat(AT_FDCWD, "f", NULL, 0) == 0);
	CHECK_ERRNO(setxattr("f", "trusted.a", "1", 1, 0), EPERM);
	CHECK((fd = open("f", O_RDWR | O_APPEND)) >= 0);
	CHECK_EQ(pwrite(fd, "x", 1, 0), 1);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 9);
	CHECK_ERRNO(fcntl(fd, F_SETFL, 0), EPERM);
	CHECK(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK) == 0);
	CHECK_ERRNO(fcntl(before, F_SETFL, O_APPEND), EPERM);
	CHECK_ERRNO(syscall(SYS_pwritev2, fd, &piece, 1, 0, 0, 0x20), EPERM);
	CHECK_ERRNO(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), EPERM);
	CHECK_EQ(posix_fallocate(fd, 0, 100), 0);
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EACCES);
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0) != MAP_FAILED);
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, open("f", O_RDONLY), 0) != MAP_FAILED);
}

TEST(append_only_files)
{
	everywhere(check_append_file);
}

static void check_append_directory(void)
{
	CHECK(mkdir("d", 0755) == 0);
	temporary_text("f", "x");
	CHECK(set_flags("d", FS_APPEND_FL) == 0);
	temporary_text("d/f", "x");
	temporary_text("d/f", "again");
	CHECK(mkdir("d/d", 0700) == 0);
	CHECK(rename("f", "d/g") == 0);
	CHECK_ERRNO(unlink("d/f"), EPERM);
	CHECK_ERRNO(rmdir("d/d"), EPERM);
	CHECK_ERRNO(rename("d/f", "d/h"), EPERM);
	CHECK_ERRNO(rename("d", "e"), EPERM);
	CHECK_ERRNO(chmod("d", 0700), EPERM);
}

TEST(append_only_directories)
{
	everywhere(check_append_directory);
}

static void check_open_before(void)
{
	int fd, source;

	temporary_text("f", "contents");
	temporary_text("s", "source");
	fd = open("f", O_RDWR);
	source = open("s", O_RDONLY);
	CHECK(set_flags("f", FS_IMMUTABLE_FL) == 0);
	CHECK_ERRNO(fchmod(fd, 0600), EPERM);
	CHECK_ERRNO(futimens(fd, NULL), EPERM);
	CHECK_ERRNO(fsetxattr(fd, "trusted.a", "1", 1, 0), EPERM);
	CHECK_ERRNO(fallocate(fd, 0, 0, 100), EPERM);
	CHECK_ERRNO(copy_file_range(source, NULL, fd, NULL, 3, 0), EPERM);
}

TEST(immutable_after_it_was_opened)
{
	everywhere(check_open_before);
}

GUEST_TEST_MAIN()
