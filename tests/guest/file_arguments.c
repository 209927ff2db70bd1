/* SPDX-License-Identifier: Apache-2.0 */
/* Positions, sizes and descriptors at their bounds: read, lseek, splice, copies, fcntl. */
#include "tests/guest/temporary.h"

#include <limits.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/xattr.h>

#define BAD ((void *)1)

static char buffer[8192];

static int some_file(void)
{
	temporary_enter();
	temporary_text("f", "hello world");
	return open("f", O_RDWR);
}

TEST(positions_before_descriptors)
{
	struct iovec iov = {buffer, 1};

	CHECK_ERRNO(pread(-1, buffer, 1, -1), EINVAL);
	CHECK_ERRNO(pwrite(-1, buffer, 1, -1), EINVAL);
	CHECK_ERRNO(preadv(-1, &iov, 1, -1), EINVAL);
	CHECK_ERRNO(pread(-1, buffer, 1, 0), EBADF);
}

TEST(a_range_must_end_within_offsets)
{
	int fd = some_file();

	CHECK_ERRNO(pread(fd, buffer, 5, LONG_MAX), EINVAL);
	CHECK_ERRNO(pwrite(fd, buffer, 5, LONG_MAX), EINVAL);
	CHECK_EQ(pwrite(fd, buffer, 0, LONG_MAX), 0);
	CHECK_ERRNO(lseek(fd, -12, SEEK_END), EINVAL);
	CHECK_EQ(lseek(fd, 5, SEEK_SET), 5);
	CHECK_ERRNO(lseek(fd, LONG_MAX, SEEK_CUR), EINVAL);
	CHECK_ERRNO(lseek(fd, LONG_MAX, SEEK_END), EINVAL);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 5);
}

TEST(vectors_outside_user_space)
{
	struct iovec iov[2] = {{buffer, SSIZE_MAX}, {(void *)-4096l, 4}};
	int fd = some_file();

	CHECK_EQ(readv(fd, iov, 1), 11);
	iov[0].iov_len = 4;
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK_ERRNO(readv(fd, iov, 2), EFAULT);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
	iov[1].iov_len = -1;
	CHECK_ERRNO(readv(fd, iov, 2), EINVAL);
}

TEST(a_pipe_takes_no_part_of_a_page)
{
	struct iovec iov[2] = {{buffer, 3}, {BAD, 3}};
	int fds[2];

	CHECK(pipe2(fds, O_NONBLOCK) == 0);
	CHECK_ERRNO(writev(fds[1], iov, 2), EFAULT);
	CHECK_ERRNO(read(fds[0], buffer, 1), EAGAIN);
}

TEST(seeks_that_go_nowhere)
{
	int event = eventfd(0, EFD_NONBLOCK), epoll = epoll_create1(0), fds[2];

	CHECK_EQ(lseek(event, 7, SEEK_SET), 0);
	CHECK_EQ(lseek(epoll, 0, SEEK_END), 0);
	CHECK_ERRNO(pread(event, buffer, 8, 0), ESPIPE);
	CHECK(pipe(fds) == 0);
	CHECK_ERRNO(lseek(fds[0], 0, SEEK_SET), ESPIPE);
	CHECK_ERRNO(splice(event, NULL, fds[1], NULL, 8, SPLICE_F_NONBLOCK), EINVAL);
	CHECK_EQ(write(fds[1], buffer, 8), 8);
	CHECK_ERRNO(splice(fds[0], NULL, event, NULL, 8, SPLICE_F_NONBLOCK), EINVAL);
}

TEST(splice_checks_ranges_and_asks_sockets_once)
{
	int fd = some_file(), fds[2], pair[2];
	loff_t offset = LONG_MAX;

	CHECK(pipe(fds) == 0);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	CHECK_ERRNO(splice(fd, &offset, fds[1], NULL, 1, 0), EINVAL);
	CHECK_ERRNO(splice(fd, NULL, fds[1], NULL, -1, 0), EINVAL);
	CHECK_ERRNO(splice(open(".", O_RDONLY), NULL, fds[1], NULL, 1, 0), EINVAL);
	CHECK_ERRNO(splice(pair[0], NULL, fds[1], NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
}

TEST(sendfile_checks_in_order)
{
	int fd = some_file(), out = open("o", O_CREAT | O_RDWR, 0600), fds[2];
	off_t offset = LONG_MAX;

	CHECK(pipe(fds) == 0);
	CHECK_ERRNO(sendfile(out, fd, &offset, 1), EINVAL);
	CHECK_ERRNO(sendfile(out, fd, NULL, -1), EINVAL);
	CHECK_ERRNO(sendfile(-1, fd, NULL, -1), EINVAL);
	offset = 0;
	CHECK_ERRNO(sendfile(out, fds[0], &offset, 1), ESPIPE);
	CHECK_ERRNO(sendfile(out, open(".", O_RDONLY), NULL, 1), EINVAL);
	CHECK_ERRNO(sendfile(eventfd(0, EFD_NONBLOCK), fd, NULL, 8), EINVAL);
	CHECK_ERRNO(sendfile(open("o", O_WRONLY | O_APPEND), fd, NULL, 1), EINVAL);
}

static long copy(int in, loff_t from, int out, loff_t to, size_t size)
{
	return syscall(SYS_copy_file_range, in, &from, out, &to, size, 0);
}

TEST(copy_file_range_checks_ranges)
{
	int fd = some_file(), out = open("o", O_CREAT | O_RDWR, 0600);
	int other = syscall(SYS_memfd_create, "m", 0);

	CHECK_ERRNO(copy(fd, -1, out, 0, 1), EOVERFLOW);
	CHECK_ERRNO(copy(fd, 0, out, 5, -1ul), EOVERFLOW);
	CHECK_EQ(copy(fd, LONG_MAX, out, 0, 1), 0);
	CHECK_EQ(copy(fd, 10, fd, 0, 100), 1);
	CHECK_ERRNO(copy(fd, 0, fd, 5, 6), EINVAL);
	CHECK_EQ(copy(fd, 0, out, 0, 100), 11);
	CHECK_ERRNO(copy(fd, 0, other, 0, 11), EXDEV);
}

TEST(hints_are_kept_with_the_inode)
{
	int fd = some_file(), other = open("f", O_RDONLY);
	uint64_t hint = 5;

	CHECK(fcntl(fd, F_SET_RW_HINT, &hint) == 0);
	hint = 0;
	CHECK(fcntl(other, F_GET_RW_HINT, &hint) == 0);
	CHECK_EQ(hint, 5);
	hint = 6;
	CHECK_ERRNO(fcntl(fd, F_SET_RW_HINT, &hint), EINVAL);
	CHECK_ERRNO(fcntl(fd, F_GET_RW_HINT, BAD), EFAULT);
}

TEST(small_things_of_fcntl_and_flock)
{
	struct f_owner_ex owner = {F_OWNER_TID, 0};
	int fd = some_file(), fds[2];

	CHECK(fcntl(fd, F_SETOWN_EX, &owner) == 0);
	owner.type = F_OWNER_PID;
	CHECK(fcntl(fd, F_GETOWN_EX, &owner) == 0);
	CHECK_EQ(owner.type, F_OWNER_TID);
	CHECK(fcntl(fd, F_NOTIFY, 0) == 0);
	CHECK_ERRNO(fcntl(fd, F_NOTIFY, DN_CREATE), ENOTDIR);
	CHECK(pipe2(fds, O_DIRECT) == 0);
	CHECK_EQ(fcntl(fds[0], F_GETFL), O_RDONLY);
	CHECK_EQ(fcntl(fds[1], F_GETFL), O_WRONLY | O_DIRECT);
	CHECK_ERRNO(fcntl(fds[0], F_ADD_SEALS, 0), EPERM);
	CHECK_ERRNO(flock(-1, 9), EINVAL);
	CHECK_ERRNO(flock(-1, LOCK_SH), EBADF);
	CHECK_ERRNO(readahead(fd, 0, -1), EINVAL);
}

TEST(cached_pages_are_counted)
{
	struct {
		uint64_t offset, size;
	} range = {0, 0};
	uint64_t counts[5] = {0};
	int fd = some_file();

	if (syscall(451, fd, &range, counts, 0) && errno == ENOSYS)
		SKIP("no cachestat");
	CHECK_EQ(counts[0] + counts[3], 1);
	CHECK_EQ(write(fd, buffer, 8192), 8192);
	CHECK(syscall(451, fd, &range, counts, 0) == 0);
	CHECK_EQ(counts[0] + counts[3], 2);
	range.size = 4096;
	CHECK(syscall(451, fd, &range, counts, 0) == 0);
	CHECK_EQ(counts[0] + counts[3], 1);
	CHECK_ERRNO(syscall(451, fd, &range, counts, 1), EINVAL);
	CHECK_ERRNO(syscall(451, -1, &range, counts, 0), EBADF);
	CHECK_ERRNO(syscall(451, fd, BAD, counts, 0), EFAULT);
	CHECK_ERRNO(syscall(451, fd, &range, BAD, 0), EFAULT);
}

TEST(sizes_and_names_of_nothing)
{
	struct statx status;
	int fd = some_file(), directory = open(".", O_RDONLY);

	CHECK_ERRNO(syscall(SYS_getdents64, directory, buffer, -1), EINVAL);
	CHECK(syscall(SYS_getdents64, directory, buffer, sizeof(buffer)) > 0);
	CHECK_ERRNO(syscall(SYS_statx, AT_FDCWD, NULL, 0, STATX_TYPE, &status), EFAULT);
	CHECK(fsetxattr(fd, "user.x", "y", 1, 0) == 0 || errno == EOPNOTSUPP);
	close(fd);
}

TEST(the_dump_filter_is_kept)
{
	int fd = open("/proc/self/coredump_filter", O_RDWR),
	    status = open("/proc/self/status", O_WRONLY);

	CHECK_EQ(write(fd, "0x7f", 4), 4);
	CHECK_EQ(pread(fd, buffer, sizeof(buffer), 0), 9);
	CHECK(!memcmp(buffer, "0000007f\n", 9));
	CHECK_ERRNO(pwrite(fd, "zz", 2, 0), EINVAL);
	CHECK(status < 0 || write(status, "x", 1) == -1);
}

GUEST_TEST_MAIN()
