/* SPDX-License-Identifier: Apache-2.0 */
/* What stat(2), statx(2) and statfs(2) tell, and how modes, owners, times, sizes and extended
 * attributes change. */
#include "tests/guest/bad_address.h"
#include "tests/guest/temporary.h"

#include <linux/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

static struct stat status_of(const char *path)
{
	struct stat status;

	CHECK(lstat(path, &status) == 0);
	return status;
}

TEST(stat_of_a_file)
{
	struct stat status;
	int fd;

	temporary_enter();
	temporary_text("a", "hello");
	status = status_of("a");
	CHECK_EQ(status.st_size, 5);
	CHECK_EQ(status.st_nlink, 1);
	CHECK_EQ(status.st_uid, geteuid());
	CHECK(status.st_blksize >= 512 && status.st_ino != 0);
	CHECK(status.st_dev == status_of(".").st_dev);
	fd = open("a", O_RDONLY);
	CHECK(fstatat(fd, "", &status, AT_EMPTY_PATH) == 0);
	CHECK_EQ(status.st_size, 5);
	CHECK_ERRNO(fstatat(AT_FDCWD, "", &status, 0), ENOENT);
	CHECK_ERRNO(fstatat(AT_FDCWD, "a", &status, 0x40), EINVAL);
	CHECK_ERRNO(syscall(SYS_stat, "a", bad_address), EFAULT);
	CHECK_ERRNO(fstat(999, &status), EBADF);
	CHECK(stat("/dev/null", &status) == 0);
	CHECK(S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3));
}

TEST(statx_of_a_file)
{
	struct statx status;

	temporary_enter();
	temporary_text("a", "hello");
	CHECK(syscall(SYS_statx, AT_FDCWD, "a", 0, STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID,
		      &status) == 0);
	CHECK((status.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS);
	CHECK_EQ(status.stx_size, 5);
	CHECK(status.stx_mask & STATX_MNT_ID);
	CHECK_ERRNO(syscall(SYS_statx, AT_FDCWD, "a", 0, STATX__RESERVED, &status), EINVAL);
	CHECK_ERRNO(syscall(SYS_statx, AT_FDCWD, "a", AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC,
			    STATX_ALL, &status),
		EINVAL);
	CHECK_ERRNO(syscall(SYS_statx, AT_FDCWD, "", 0, STATX_ALL, &status), ENOENT);
	CHECK(syscall(SYS_statx, AT_FDCWD, "", AT_EMPTY_PATH, STATX_ALL, &status) == 0);
	CHECK(S_ISDIR(status.stx_mode));
	CHECK_ERRNO(syscall(SYS_statx, AT_FDCWD, "a", 0, STATX_ALL, bad_address), EFAULT);
}

TEST(modes)
{
	temporary_enter();
	temporary_text("a", "");
	CHECK(chmod("a", 07654) == 0);
	CHECK_EQ(status_of("a").st_mode & 07777, 07654);
	CHECK(fchmodat(AT_FDCWD, "a", 0600, 0) == 0);
	CHECK_EQ(status_of("a").st_mode & 07777, 0600);
	CHECK_ERRNO(chmod("none", 0), ENOENT);
	if (getuid())
		return;
	CHECK(chmod("a", 06755) == 0 && chown("a", 1000, 1000) == 0);
	CHECK_EQ(status_of("a").st_mode & 07777, 0755);
	CHECK(setresuid(1001, 1001, 1001) == 0);
	CHECK_ERRNO(chmod("a", 0), EPERM);
	CHECK_ERRNO(chown("a", 1001, 1001), EPERM);
}

TEST(modes_of_what_cannot_be_opened)
{
	struct stat status;

	temporary_enter();
	CHECK(mkdir("d", 0) == 0 && mkfifo("f", 0) == 0 && mknod("s", S_IFSOCK, 0) == 0);
	temporary_text("n", "x");
	CHECK(chmod("n", 0) == 0);
	CHECK(chmod("d", 0750) == 0 && stat("d", &status) == 0);
	CHECK_EQ(status.st_mode, S_IFDIR | 0750);
	CHECK(chmod("f", 0640) == 0 && stat("f", &status) == 0);
	CHECK_EQ(status.st_mode, S_IFIFO | 0640);
	CHECK(chmod("s", 0604) == 0 && stat("s", &status) == 0);
	CHECK_EQ(status.st_mode, S_IFSOCK | 0604);
	CHECK(chmod("n", 0200) == 0 && stat("n", &status) == 0);
	CHECK_EQ(status.st_mode, S_IFREG | 0200);
	CHECK(chmod("d", 0) == 0 && chmod("d", 0700) == 0 && rmdir("d") == 0);
}

TEST(writing_takes_the_set_user_id_bit)
{
	int fd;

	temporary_enter();
	if (getuid())
		SKIP("needs root");
	temporary_text("a", "x");
	CHECK(chown("a", 1000, 1000) == 0 && chmod("a", 06777) == 0);
	fd = open("a", O_WRONLY);
	CHECK(setresuid(1001, 1001, 1001) == 0);
	CHECK_EQ(write(fd, "y", 1), 1);
	CHECK_EQ(status_of("a").st_mode & 07777, 0777);
}

TEST(owners)
{
	temporary_enter();
	if (getuid())
		SKIP("needs root");
	temporary_text("a", "x");
	CHECK(symlink("a", "s") == 0);
	CHECK(chown("s", 10, 20) == 0);
	CHECK(status_of("a").st_uid == 10 && status_of("a").st_gid == 20);
	CHECK(lchown("s", 30, (gid_t)-1) == 0);
	CHECK(status_of("s").st_uid == 30 && status_of("a").st_uid == 10);
	CHECK(fchownat(AT_FDCWD, "a", (uid_t)-1, 40, 0) == 0);
	CHECK(status_of("a").st_uid == 10 && status_of("a").st_gid == 40);
	CHECK(syscall(SYS_setgroups, 0, NULL) == 0);
	CHECK(setresgid(50, 50, 50) == 0 && setresuid(10, 10, 10) == 0);
	CHECK_ERRNO(chown("a", 11, (gid_t)-1), EPERM);
	CHECK(chown("a", (uid_t)-1, 50) == 0);
	CHECK_ERRNO(chown("a", (uid_t)-1, 60), EPERM);
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

TEST(times)
{
	struct timespec times[2] = {{1000000000, 5}, {1100000000, 6}};
	struct stat before, after;

	temporary_enter();
	temporary_text("a", "x");
	CHECK(utimensat(AT_FDCWD, "a", times, 0) == 0);
	before = status_of("a");
	CHECK(same_time(before.st_atim, times[0]) && same_time(before.st_mtim, times[1]));
	times[0].tv_nsec = UTIME_OMIT;
	times[1].tv_nsec = UTIME_NOW;
	CHECK(utimensat(AT_FDCWD, "a", times, 0) == 0);
	after = status_of("a");
	CHECK(same_time(after.st_atim, before.st_atim));
	CHECK(after.st_mtim.tv_sec > 1600000000);
	times[0].tv_nsec = 1000000000;
	CHECK_ERRNO(utimensat(AT_FDCWD, "a", times, 0), EINVAL);
	CHECK_ERRNO(utimensat(AT_FDCWD, "none", NULL, 0), ENOENT);
	CHECK(utimensat(AT_FDCWD, "a", NULL, 0) == 0);
	before = status_of("a");
	sleep_ms(20);
	CHECK(chmod("a", 0600) == 0);
	after = status_of("a");
	CHECK(same_time(before.st_mtim, after.st_mtim) &&
		!same_time(before.st_ctim, after.st_ctim));
	sleep_ms(20);
	temporary_text("b", "");
	CHECK(!same_time(status_of(".").st_mtim, before.st_mtim));
}

TEST(sizes)
{
	char text[8];
	int fd;

	temporary_enter();
	temporary_text("a", "0123456789");
	fd = open("a", O_RDWR);
	CHECK(truncate("a", 3) == 0);
	CHECK_EQ(status_of("a").st_size, 3);
	CHECK(ftruncate(fd, 100000) == 0);
	CHECK_EQ(status_of("a").st_size, 100000);
	CHECK_EQ(pread(fd, text, 8, 1), 8);
	CHECK(!memcmp(text, "12\0\0\0\0\0\0", 8));
	CHECK_ERRNO(ftruncate(fd, -1), EINVAL);
	CHECK_ERRNO(truncate(".", 0), EISDIR);
	CHECK_ERRNO(ftruncate(open("a", O_RDONLY), 0), EINVAL);
	CHECK(posix_fallocate(fd, 100000, 50000) == 0);
	CHECK_EQ(status_of("a").st_size, 150000);
	CHECK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 200000, 1000) == 0);
	CHECK_EQ(status_of("a").st_size, 150000);
	CHECK(fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 0, 4096) == 0);
	CHECK_EQ(pread(fd, text, 8, 0), 8);
	CHECK_EQ(text[1], 0);
	CHECK_ERRNO(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 10), EOPNOTSUPP);
	CHECK_ERRNO(fallocate(fd, 0, 0, 0), EINVAL);
	CHECK_ERRNO(fallocate(fd, 0, -1, 5), EINVAL);
}

TEST(holes)
{
	int fd;

	temporary_enter();
	fd = open("a", O_RDWR | O_CREAT, 0600);
	CHECK(ftruncate(fd, 1 << 20) == 0);
	CHECK_EQ(pwrite(fd, "x", 1, 512 << 10), 1);
	CHECK_EQ(lseek(fd, 0, SEEK_HOLE), 0);
	CHECK_EQ(lseek(fd, 0, SEEK_DATA), 512 << 10);
	CHECK(lseek(fd, 512 << 10, SEEK_HOLE) > 512 << 10);
	CHECK_ERRNO(lseek(fd, 1 << 20, SEEK_DATA), ENXIO);
	CHECK_ERRNO(lseek(fd, 600 << 10, SEEK_DATA), ENXIO);
	CHECK_EQ(lseek(fd, 600 << 10, SEEK_HOLE), 600 << 10);
	CHECK_ERRNO(lseek(fd, 0, 9), EINVAL);
	CHECK_ERRNO(lseek(fd, -1, SEEK_SET), EINVAL);
}

TEST(file_systems)
{
	struct statfs status;
	struct statvfs values;

	temporary_enter();
	CHECK(statfs(".", &status) == 0);
	CHECK(status.f_bsize > 0 && status.f_namelen == 255);
	CHECK(statfs("/proc", &status) == 0);
	CHECK_EQ(status.f_type, 0x9fa0);
	CHECK(fstatfs(open("/dev/null", O_RDONLY), &status) == 0);
	CHECK(statvfs("/proc", &values) == 0);
	CHECK_ERRNO(statfs("none", &status), ENOENT);
	CHECK_ERRNO(syscall(SYS_statfs, ".", bad_address), EFAULT);
}

TEST(access_rights)
{
	temporary_enter();
	temporary_text("a", "");
	CHECK(chmod("a", 0644) == 0);
	CHECK(access("a", R_OK | W_OK) == 0);
	CHECK_ERRNO(access("a", X_OK), EACCES);
	CHECK_ERRNO(access("a", 8), EINVAL);
	CHECK_ERRNO(access("none", F_OK), ENOENT);
	if (getuid())
		return;
	CHECK(setresuid(1000, 0, 0) == 0);
	CHECK_ERRNO(access("a", W_OK), EACCES);
	CHECK(faccessat(AT_FDCWD, "a", W_OK, AT_EACCESS) == 0);
	CHECK_ERRNO(syscall(SYS_faccessat2, AT_FDCWD, "a", 0, 0x4000), EINVAL);
}

TEST(extended_attributes)
{
	static char large[65537];
	char value[64], list[256];
	ssize_t size;

	temporary_enter();
	temporary_text("a", "");
	if (setxattr("a", "trusted.one", "1", 1, 0) && (errno == EOPNOTSUPP || errno == EPERM))
		SKIP("no trusted attributes here");
	CHECK_EQ(getxattr("a", "trusted.one", value, sizeof(value)), 1);
	CHECK_EQ(value[0], '1');
	CHECK_ERRNO(setxattr("a", "trusted.one", "2", 1, XATTR_CREATE), EEXIST);
	CHECK_ERRNO(setxattr("a", "trusted.two", "2", 1, XATTR_REPLACE), ENODATA);
	CHECK(setxattr("a", "trusted.one", "longer", 6, XATTR_REPLACE) == 0);
	CHECK_EQ(getxattr("a", "trusted.one", NULL, 0), 6);
	CHECK_ERRNO(getxattr("a", "trusted.one", value, 3), ERANGE);
	CHECK_ERRNO(getxattr("a", "trusted.none", value, 3), ENODATA);
	CHECK(setxattr("a", "trusted.empty", "", 0, 0) == 0);
	size = listxattr("a", list, sizeof(list));
	CHECK(size > 0);
	CHECK(memmem(list, (size_t)size, "trusted.one", 12) &&
		memmem(list, (size_t)size, "trusted.empty", 14));
	CHECK_ERRNO(listxattr("a", list, 3), ERANGE);
	CHECK(removexattr("a", "trusted.one") == 0);
	CHECK_ERRNO(removexattr("a", "trusted.one"), ENODATA);
	CHECK_ERRNO(setxattr("a", "nothing.x", "1", 1, 0), EOPNOTSUPP);
	CHECK_ERRNO(setxattr("a", "", "1", 1, 0), ERANGE);
	CHECK_ERRNO(setxattr("a", "trusted.big", large, sizeof(large), 0), E2BIG);
	CHECK_ERRNO(setxattr("a", "trusted.x", "1", 1, 8), EINVAL);
}

TEST(what_was_removed_has_attributes_still)
{
	struct stat status;
	int fifo, directory;

	temporary_enter();
	CHECK(mkfifo("fifo", 0600) == 0 && mkdir("directory", 0700) == 0);
	fifo = open("fifo", O_RDONLY | O_NONBLOCK);
	directory = open("directory", O_RDONLY);
	CHECK(unlink("fifo") == 0 && rmdir("directory") == 0);
	CHECK(fchmod(fifo, 0640) == 0 && fchmod(directory, 0750) == 0);
	CHECK(futimens(fifo, (struct timespec[]){{5, 0}, {5, 0}}) == 0);
	CHECK(fstat(fifo, &status) == 0);
	CHECK_EQ(status.st_mode, S_IFIFO | 0640);
	CHECK_EQ(status.st_mtime, 5);
	CHECK_EQ(status.st_nlink, 0);
	CHECK(fstat(directory, &status) == 0);
	CHECK_EQ(status.st_mode, S_IFDIR | 0750);
	CHECK_EQ(status.st_nlink, 0);
}

GUEST_TEST_MAIN()
