/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors as files: /proc/self/fd and fdinfo. */
#include "tests/guest/proc_read.h"
#include "tests/guest/temporary.h"

#include <dirent.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>

static const char *fd_name(int fd)
{
	static char name[64];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return name;
}

TEST(links_name_what_is_open)
{
	char expected[256];
	struct stat status;
	int fd, fds[2];

	temporary_enter();
	fd = open("file", O_RDWR | O_CREAT, 0600);
	snprintf(expected, sizeof(expected), "%s/file", temporary_path);
	CHECK(strcmp(proc_link(fd_name(fd)), expected) == 0);
	CHECK(unlink("file") == 0);
	strcat(expected, " (deleted)");
	CHECK(strcmp(proc_link(fd_name(fd)), expected) == 0);
	CHECK(pipe(fds) == 0);
	CHECK(fstat(fds[0], &status) == 0);
	snprintf(expected, sizeof(expected), "pipe:[%lu]", status.st_ino);
	CHECK(strcmp(proc_link(fd_name(fds[0])), expected) == 0);
	CHECK(strcmp(proc_link(fd_name(fds[1])), expected) == 0);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	CHECK(fstat(fds[0], &status) == 0);
	snprintf(expected, sizeof(expected), "socket:[%lu]", status.st_ino);
	CHECK(strcmp(proc_link(fd_name(fds[0])), expected) == 0);
	CHECK(strcmp(proc_link(fd_name(eventfd(0, 0))), "anon_inode:[eventfd]") == 0);
	CHECK(strcmp(proc_link(fd_name(epoll_create1(0))), "anon_inode:[eventpoll]") == 0);
	CHECK(strcmp(proc_link(fd_name(memfd_create("name", 0))), "/memfd:name (deleted)") == 0);
}

TEST(links_have_the_modes_of_their_files)
{
	struct stat status;
	int fd;

	fd = open("/dev/null", O_RDONLY);
	CHECK(lstat(fd_name(fd), &status) == 0);
	CHECK_EQ(status.st_mode, S_IFLNK | 0500);
	CHECK_EQ(status.st_size, 64);
	fd = open("/dev/null", O_WRONLY);
	CHECK(lstat(fd_name(fd), &status) == 0);
	CHECK_EQ(status.st_mode, S_IFLNK | 0300);
	fd = open("/dev/null", O_RDWR);
	CHECK(lstat(fd_name(fd), &status) == 0);
	CHECK_EQ(status.st_mode, S_IFLNK | 0700);
	CHECK(stat(fd_name(fd), &status) == 0);
	CHECK(S_ISCHR(status.st_mode));
}

TEST(what_is_not_open_is_not_there)
{
	struct stat status;
	char text[64];

	close(77);
	CHECK_ERRNO(open("/proc/self/fd/77", O_RDONLY), ENOENT);
	CHECK_ERRNO(lstat("/proc/self/fd/77", &status), ENOENT);
	CHECK_ERRNO(stat("/proc/self/fd/77", &status), ENOENT);
	CHECK_ERRNO(readlink("/proc/self/fd/77", text, sizeof(text)), ENOENT);
	CHECK_ERRNO(access("/proc/self/fd/77", F_OK), ENOENT);
	CHECK_ERRNO(open("/proc/self/fdinfo/77", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("/proc/self/fd/01", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("/proc/self/fd/x", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("/proc/self/fd/-1", O_RDONLY), ENOENT);
	CHECK_ERRNO(open("/proc/self/fd/99999999999999999999", O_RDONLY), ENOENT);
}

TEST(a_regular_file_opens_anew)
{
	char buffer[8];
	int fd, again;

	temporary_enter();
	fd = open("file", O_RDWR | O_CREAT, 0600);
	CHECK_EQ(write(fd, "contents", 8), 8);
	again = open(fd_name(fd), O_RDONLY);
	CHECK(again >= 0);
	/* A position of its own. */
	CHECK_EQ(read(again, buffer, 8), 8);
	CHECK_ERRNO(write(again, "x", 1), EBADF);
	CHECK(unlink("file") == 0);
	again = open(fd_name(fd), O_RDWR);
	CHECK(again >= 0);
	CHECK_EQ(pread(again, buffer, 8, 0), 8);
	CHECK(memcmp(buffer, "contents", 8) == 0);
	again = open(fd_name(fd), O_WRONLY | O_TRUNC);
	CHECK(again >= 0);
	CHECK_EQ(pread(fd, buffer, 8, 0), 0);
}

TEST(a_memfd_opens_anew)
{
	int fd = memfd_create("m", 0), again;
	char buffer[4];

	CHECK_EQ(write(fd, "data", 4), 4);
	again = open(fd_name(fd), O_RDWR);
	CHECK(again >= 0);
	CHECK_EQ(read(again, buffer, 4), 4);
	CHECK(memcmp(buffer, "data", 4) == 0);
	CHECK_EQ(pwrite(again, "D", 1, 0), 1);
	CHECK_EQ(pread(fd, buffer, 1, 0), 1);
	CHECK_EQ(buffer[0], 'D');
}

TEST(a_pipe_opens_anew)
{
	int fds[2], reader, writer;
	char byte;

	CHECK(pipe(fds) == 0);
	writer = open(fd_name(fds[0]), O_WRONLY);
	CHECK(writer >= 0);
	CHECK_EQ(write(writer, "w", 1), 1);
	reader = open(fd_name(fds[1]), O_RDONLY | O_NONBLOCK);
	CHECK(reader >= 0);
	CHECK_EQ(read(reader, &byte, 1), 1);
	CHECK_EQ(byte, 'w');
	CHECK_ERRNO(read(reader, &byte, 1), EAGAIN);
	CHECK(close(fds[1]) == 0 && close(writer) == 0);
	CHECK_EQ(read(fds[0], &byte, 1), 0);
}

TEST(dev_stdout_is_a_descriptor)
{
	int fds[2], fd;
	char text[8];

	CHECK(pipe(fds) == 0);
	CHECK(dup2(fds[1], 9) == 9);
	fd = open("/dev/fd/9", O_WRONLY);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "hello", 5), 5);
	CHECK_EQ(read(fds[0], text, sizeof(text)), 5);
	CHECK(strcmp(proc_link("/dev/stdout"), "/proc/self/fd/1") == 0);
}

TEST(sockets_and_anonymous_files_do_not_open)
{
	int fds[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	CHECK_ERRNO(open(fd_name(fds[0]), O_RDWR), ENXIO);
	/* Its inode is root's. */
	CHECK_ERRNO(open(fd_name(eventfd(0, 0)), O_RDWR), geteuid() == 0 ? ENXIO : EACCES);
}

TEST(a_directory_is_walked_through)
{
	struct stat one, other;
	int fd = open("/usr", O_PATH);
	char name[80];

	snprintf(name, sizeof(name), "%s/bin/../lib", fd_name(fd));
	CHECK(stat(name, &one) == 0 && stat("/usr/lib", &other) == 0);
	CHECK(one.st_ino == other.st_ino && one.st_dev == other.st_dev);
	snprintf(name, sizeof(name), "%s/..", fd_name(fd));
	CHECK(stat(name, &one) == 0 && stat("/", &other) == 0);
	CHECK(one.st_ino == other.st_ino && one.st_dev == other.st_dev);
}

TEST(the_listing_is_what_is_open)
{
	static bool found[65536];
	struct dirent *entry;
	int count = 0;
	DIR *directory;

	CHECK(dup2(0, 40) == 40);
	CHECK(dup2(0, 50) == 50);
	CHECK(close(50) == 0);
	directory = opendir("/proc/self/fd");
	CHECK(directory);
	while ((entry = readdir(directory))) {
		struct stat status;

		if (entry->d_name[0] == '.')
			continue;
		CHECK(atoi(entry->d_name) < 65536);
		found[atoi(entry->d_name)] = true;
		CHECK_EQ(entry->d_type, DT_LNK);
		CHECK(fstatat(dirfd(directory), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0);
		CHECK_EQ(status.st_ino, entry->d_ino);
		count++;
	}
	CHECK(found[0] && found[1] && found[2] && found[40] && !found[50] &&
		found[dirfd(directory)]);
	for (int fd = 0; fd < 65536; fd++)
		count -= fcntl(fd, F_GETFD) >= 0;
	CHECK_EQ(count, 0);
}

TEST(fdinfo_tells_position_and_flags)
{
	int fd;
	char *text;

	temporary_enter();
	fd = open("file", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	CHECK_EQ(write(fd, "12345", 5), 5);
	text = proc_text("/proc/self/fdinfo/%d", fd);
	CHECK_EQ(proc_number(text, "pos:"), 5);
	CHECK_EQ(proc_number(text, "flags:") & ~0100000, O_RDWR | O_APPEND | O_CLOEXEC);
	CHECK(proc_number(text, "mnt_id:") > 0);
	CHECK(fcntl(fd, F_SETFD, 0) == 0);
	CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
	text = proc_text("/proc/self/fdinfo/%d", fd);
	CHECK_EQ(proc_number(text, "flags:") & ~0100000, O_RDWR | O_NONBLOCK);
}

TEST(fdinfo_of_an_eventfd_has_its_count)
{
	CHECK_EQ(strtoull(proc_field(proc_text("/proc/self/fdinfo/%d", eventfd(0x12, 0)),
				  "eventfd-count:"),
			 NULL, 16),
		0x12);
}

TEST(another_process_is_looked_into)
{
	int fds[2], status;
	char name[64], byte;
	pid_t child;

	CHECK(pipe(fds) == 0);
	child = fork();
	if (child == 0) {
		int fd = memfd_create("theirs", 0);

		CHECK(dup2(fd, 30) == 30);
		CHECK_EQ(write(30, "abc", 3), 3);
		CHECK_EQ(write(fds[1], "r", 1), 1);
		pause();
	}
	CHECK_EQ(read(fds[0], &byte, 1), 1);
	snprintf(name, sizeof(name), "/proc/%d/fd/30", child);
	CHECK(strcmp(proc_link(name), "/memfd:theirs (deleted)") == 0);
	CHECK(strcmp(proc_text("%s", name), "abc") == 0);
	CHECK_EQ(proc_number(proc_text("/proc/%d/fdinfo/30", child), "pos:"), 3);
	CHECK(kill(child, SIGKILL) == 0);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_ERRNO(open(name, O_RDONLY), ENOENT);
}

GUEST_TEST_MAIN()
