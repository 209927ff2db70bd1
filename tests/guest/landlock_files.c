/* SPDX-License-Identifier: Apache-2.0 */
/* What Landlock allows of files: opening, making, removing, running, truncating; where rules are
 * found. */
#include "tests/guest/landlock_test.h"

#include <mqueue.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

static void prepare(void)
{
	need_abi(7);
	temporary_enter();
	CHECK(mkdir("a", 0755) == 0 && mkdir("a/b", 0755) == 0 && mkdir("c", 0755) == 0);
	temporary_text("a/file", "12345");
	temporary_text("a/b/file", "12345");
	temporary_text("c/file", "12345");
}

TEST(read_and_write)
{
	int fd;

	prepare();
	fd = new_ruleset(READ_FILE | WRITE_FILE | READ_DIR, 0, 0);
	allow(fd, "a", READ_FILE);
	allow(fd, "a/b", WRITE_FILE);
	allow(fd, "c", READ_DIR);
	enforce(fd);
	CHECK_EQ(opening("a/file", O_RDONLY), 0);
	CHECK_EQ(opening("a/file", O_WRONLY), EACCES);
	CHECK_EQ(opening("a/file", O_RDWR), EACCES);
	/* Rules of one layer add up on the way up. */
	CHECK_EQ(opening("a/b/file", O_RDWR), 0);
	CHECK_EQ(opening("a/b/file", O_WRONLY | O_TRUNC), 0);
	CHECK_EQ(opening("c/file", O_RDONLY), EACCES);
	CHECK_EQ(opening("a", O_RDONLY), EACCES);
	CHECK_EQ(opening("c", O_RDONLY | O_DIRECTORY), 0);
	CHECK_EQ(opening(".", O_RDONLY), EACCES);
	/* What only names a file is free, and so are its attributes. */
	CHECK_EQ(opening("c/file", O_PATH), 0);
	CHECK_EQ(opening("a", O_PATH), 0);
	CHECK(chmod("c/file", 0600) == 0);
	CHECK(access("c/file", R_OK) == 0);
	CHECK(chdir("a") == 0);
	/* An access mode that can neither read nor write. */
	CHECK_EQ(opening("../c/file", 3), 0);
	/* New files must be opened too. */
	CHECK_EQ(opening("../c/new", O_CREAT | O_WRONLY), EACCES);
	CHECK(access("../c/new", F_OK) == 0);
	CHECK_EQ(opening("b/new", O_CREAT | O_RDWR), 0);
}

TEST(open_files_stay_open)
{
	char byte;
	int fd;

	prepare();
	fd = open("a/file", O_RDWR);
	enforce(new_ruleset(ALL_FS, 0, 0));
	CHECK(read(fd, &byte, 1) == 1 && byte == '1');
	CHECK(ftruncate(fd, 1) == 0);
	CHECK(fchmod(fd, 0600) == 0);
	CHECK_EQ(opening("a/file", O_RDONLY), EACCES);
}

TEST(a_file_alone)
{
	int fd;

	prepare();
	CHECK(link("a/file", "c/link") == 0);
	CHECK(symlink("../a/file", "c/symlink") == 0);
	fd = new_ruleset(READ_FILE, 0, 0);
	allow(fd, "a/file", READ_FILE);
	enforce(fd);
	CHECK_EQ(opening("a/file", O_RDONLY), 0);
	/* It is the inode that counts. */
	CHECK_EQ(opening("c/link", O_RDONLY), 0);
	CHECK_EQ(opening("c/symlink", O_RDONLY), 0);
	CHECK_EQ(opening("a/b/file", O_RDONLY), EACCES);
	CHECK(rename("a/file", "a/other") == 0);
	CHECK_EQ(opening("a/other", O_RDONLY), 0);
	temporary_text("a/file", "x");
	CHECK_EQ(opening("a/file", O_RDONLY), EACCES);
}

TEST(making)
{
	struct sockaddr_un name = {AF_UNIX, "a/socket"};
	int fd, listener;

	prepare();
	fd = new_ruleset(
		MAKE_CHAR | MAKE_DIR | MAKE_REG | MAKE_SOCK | MAKE_FIFO | MAKE_BLOCK | MAKE_SYM, 0,
		0);
	allow(fd, "c",
		MAKE_CHAR | MAKE_DIR | MAKE_REG | MAKE_SOCK | MAKE_FIFO | MAKE_BLOCK | MAKE_SYM);
	enforce(fd);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_ERRNO(mkdir("a/new", 0755), EACCES);
	CHECK_ERRNO(mkdir("a/b", 0755), EEXIST);
	CHECK_ERRNO(mknod("a/new", S_IFREG | 0600, 0), EACCES);
	CHECK_ERRNO(mknod("a/new", 0600, 0), EACCES);
	CHECK_ERRNO(mknod("a/file", S_IFREG | 0600, 0), EEXIST);
	CHECK_ERRNO(mknod("a/new", S_IFIFO | 0600, 0), EACCES);
	CHECK_ERRNO(mknod("a/new", S_IFSOCK | 0600, 0), EACCES);
	CHECK_ERRNO(mknod("a/new", S_IFCHR | 0600, makedev(1, 3)), EACCES);
	CHECK_ERRNO(mknod("a/new", S_IFBLK | 0600, makedev(1, 3)), EACCES);
	CHECK_ERRNO(symlink("x", "a/new"), EACCES);
	CHECK_ERRNO(bind(listener, (struct sockaddr *)&name, sizeof(name)), EACCES);
	CHECK_EQ(opening("a/new", O_CREAT | O_RDWR), EACCES);
	CHECK_ERRNO(access("a/new", F_OK), ENOENT);
	CHECK_EQ(opening("a/file", O_CREAT | O_RDWR), 0);
	CHECK_EQ(opening("a", O_TMPFILE | O_RDWR), 0);
	CHECK(mkdir("c/dir", 0755) == 0);
	CHECK(mkdir("c/dir/dir", 0755) == 0);
	CHECK(mkfifo("c/fifo", 0600) == 0);
	CHECK(symlink("x", "c/symlink") == 0);
	CHECK(mknod("c/plain", S_IFREG | 0600, 0) == 0);
	strcpy(name.sun_path, "c/socket");
	CHECK(bind(listener, (struct sockaddr *)&name, sizeof(name)) == 0);
	if (geteuid() == 0)
		CHECK(mknod("c/null", S_IFCHR | 0600, makedev(1, 3)) == 0);
}

TEST(each_right_makes_its_own)
{
	static const struct {
		uint64_t right;
		mode_t mode;
	} kinds[] = {{MAKE_REG, S_IFREG}, {MAKE_FIFO, S_IFIFO}, {MAKE_SOCK, S_IFSOCK}};

	prepare();
	for (int i = 0; i < 3; i++) {
		pid_t child = fork();
		int status;

		if (child == 0) {
			int fd = new_ruleset(MAKE_REG | MAKE_FIFO | MAKE_SOCK, 0, 0);

			allow(fd, "a", kinds[i].right);
			enforce(fd);
			for (int k = 0; k < 3; k++)
				CHECK_EQ(mknod("a/new", kinds[k].mode | 0600, 0), i == k ? 0 : -1);
			CHECK(unlink("a/new") == 0);
			_exit(0);
		}
		CHECK(waitpid(child, &status, 0) == child && status == 0);
	}
}

TEST(removing)
{
	int fd;

	prepare();
	CHECK(mkdir("c/dir", 0755) == 0 && mkdir("a/b/dir", 0755) == 0);
	fd = new_ruleset(REMOVE_DIR | REMOVE_FILE, 0, 0);
	allow(fd, "c", REMOVE_FILE);
	allow(fd, "a/b", REMOVE_DIR);
	enforce(fd);
	CHECK_ERRNO(unlink("a/file"), EACCES);
	CHECK_ERRNO(unlink("a/b/file"), EACCES);
	CHECK_ERRNO(unlink("a/nothing"), ENOENT);
	CHECK_ERRNO(rmdir("a/nothing"), ENOENT);
	CHECK_ERRNO(rmdir("c/dir"), EACCES);
	/* The right is asked for before the kind of file is looked at. */
	CHECK_ERRNO(unlink("a/b/dir"), EACCES);
	CHECK_ERRNO(unlink("c/dir"), EISDIR);
	CHECK_ERRNO(rmdir("c/file"), EACCES);
	CHECK_ERRNO(rmdir("a/b/file"), ENOTDIR);
	CHECK(unlink("c/file") == 0);
	CHECK(rmdir("a/b/dir") == 0);
	/* The directory itself is its parent's. */
	CHECK_ERRNO(rmdir("a/b"), EACCES);
}

TEST(truncating)
{
	int fd, kept;

	prepare();
	fd = new_ruleset(TRUNCATE | WRITE_FILE, 0, 0);
	allow(fd, "a", WRITE_FILE);
	allow(fd, "a/b", TRUNCATE | WRITE_FILE);
	allow(fd, "c", TRUNCATE);
	enforce(fd);
	CHECK_ERRNO(truncate("a/file", 1), EACCES);
	CHECK(truncate("a/b/file", 1) == 0);
	CHECK(truncate("c/file", 1) == 0);
	CHECK_ERRNO(truncate("a", 1), EISDIR);
	CHECK_EQ(opening("a/file", O_WRONLY | O_TRUNC), EACCES);
	CHECK_EQ(opening("a/file", O_RDONLY | O_TRUNC), EACCES);
	CHECK_EQ(opening("c/file", O_RDONLY | O_TRUNC), 0);
	CHECK_EQ(opening("a/b/file", O_WRONLY | O_TRUNC), 0);
	CHECK_EQ(creat("a/file", 0600), -1);
	/* A new file has nothing that could be cut. */
	CHECK(creat("a/new", 0600) >= 0);
	CHECK((kept = open("a/file", O_WRONLY)) >= 0);
	CHECK_ERRNO(ftruncate(kept, 1), EACCES);
	CHECK(write(kept, "x", 1) == 1);
	CHECK((kept = open("a/b/file", O_WRONLY)) >= 0);
	CHECK(ftruncate(kept, 0) == 0);
	/* Nor does a file of nowhere belong to anybody's rules. */
	CHECK(ftruncate(memfd_create("m", 0), 100) == 0);
}

/* What is allowed goes with the open file, to who is free too. */
TEST(truncating_what_others_opened)
{
	int pair[2], status, fd;
	pid_t child;
	char byte = 0;
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {&byte, 1};
	struct msghdr message = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};

	prepare();
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	child = fork();
	if (child == 0) {
		enforce(new_ruleset(TRUNCATE, 0, 0));
		fd = open("a/file", O_RDWR);
		control.header = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
		_exit(sendmsg(pair[1], &message, 0) != 1);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(recvmsg(pair[0], &message, 0) == 1);
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	CHECK(write(fd, "x", 1) == 1);
	CHECK_ERRNO(ftruncate(fd, 1), EACCES);
	CHECK(truncate("a/file", 1) == 0);
}

TEST(device_ioctl)
{
	int fd, master, slave, rules, on = 0, count;
	struct winsize size;
	char name[64];

	prepare();
	master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master < 0 || grantpt(master) || unlockpt(master))
		SKIP("no ptys");
	CHECK(ptsname_r(master, name, sizeof(name)) == 0);
	CHECK((slave = open(name, O_RDWR | O_NOCTTY)) >= 0);
	rules = new_ruleset(IOCTL_DEV, 0, 0);
	allow(rules, "/dev/null", IOCTL_DEV);
	enforce(rules);
	/* What was open is free. */
	CHECK(ioctl(slave, TIOCGWINSZ, &size) == 0);
	CHECK((fd = open(name, O_RDWR | O_NOCTTY)) >= 0);
	CHECK_ERRNO(ioctl(fd, TIOCGWINSZ, &size), EACCES);
	CHECK_ERRNO(ioctl(fd, FIONREAD, &count), EACCES);
	CHECK_ERRNO(ioctl(fd, 0x12345678, 0), EACCES);
	/* What is done with any file stays. */
	CHECK(ioctl(fd, FIOCLEX) == 0 && ioctl(fd, FIONCLEX) == 0);
	CHECK(ioctl(fd, FIONBIO, &on) == 0);
	CHECK(ioctl(fd, FIOASYNC, &on) == 0);
	CHECK_ERRNO(ioctl(fd, FIOQSIZE, &size), ENOTTY);
	CHECK((fd = open("/dev/null", O_RDWR)) >= 0);
	CHECK_ERRNO(ioctl(fd, TIOCGWINSZ, &size), ENOTTY);
	CHECK((fd = open("/dev/zero", O_RDWR)) >= 0);
	CHECK_ERRNO(ioctl(fd, TIOCGWINSZ, &size), EACCES);
	/* Of devices alone. */
	CHECK((fd = open("a/file", O_RDWR)) >= 0);
	CHECK(ioctl(fd, FIONREAD, &count) == 0 && count == 5);
	CHECK_ERRNO(ioctl(fd, TIOCGWINSZ, &size), ENOTTY);
}

static int run(const char *path)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		execl(path, path, NULL);
		_exit(errno);
	}
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void copy_program(const char *name)
{
	static char buffer[1 << 16];
	int from = open("/bin/true", O_RDONLY), to = open(name, O_WRONLY | O_CREAT, 0755);
	ssize_t size;

	CHECK(from >= 0 && to >= 0);
	while ((size = read(from, buffer, sizeof(buffer))) > 0)
		CHECK(write(to, buffer, (size_t)size) == size);
	close(from);
	close(to);
}

/* All that a program needs that is linked to the C library. */
static void allow_libraries(int ruleset, uint64_t rights)
{
	static const char *const places[] = {"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc"};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (access(places[i], F_OK) == 0)
			allow(ruleset, places[i], rights);
}

TEST(running)
{
	int fd;

	prepare();
	copy_program("a/true");
	copy_program("c/true");
	temporary_text("a/script", "#!../c/true\n");
	temporary_text("a/good", "#!true\n");
	CHECK(chmod("a/script", 0755) == 0 && chmod("a/good", 0755) == 0);
	CHECK(chdir("a") == 0);
	CHECK_EQ(run("./true"), 0);
	fd = new_ruleset(EXECUTE, 0, 0);
	allow_libraries(fd, EXECUTE);
	allow(fd, ".", EXECUTE);
	enforce(fd);
	CHECK_EQ(run("./true"), 0);
	CHECK_EQ(run("./good"), 0);
	CHECK_EQ(run("../c/true"), EACCES);
	CHECK_EQ(run("./script"), EACCES);
	/* It is no check of what is mapped to be executed. */
	fd = open("../c/true", O_RDONLY);
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) != MAP_FAILED);
	/* A program must be read as well. */
	fd = new_ruleset(READ_FILE, 0, 0);
	allow_libraries(fd, READ_FILE);
	enforce(fd);
	CHECK_EQ(run("./true"), EACCES);
}

/* The loader that a program names is run with it, and needs the right, too. */
TEST(running_without_the_loader)
{
	int fd;

	prepare();
	copy_program("a/true");
	fd = new_ruleset(EXECUTE, 0, 0);
	allow(fd, "a", EXECUTE);
	enforce(fd);
	CHECK_EQ(run("a/true"), EACCES);
}

TEST(files_of_nowhere)
{
	char path[64];
	int pair[2], fd;

	need_abi(7);
	enforce(new_ruleset(READ_FILE | WRITE_FILE, 0, 0));
	CHECK(pipe(pair) == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", pair[0]);
	CHECK_EQ(opening(path, O_RDONLY), 0);
	CHECK((fd = memfd_create("m", 0)) >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK_EQ(opening(path, O_RDWR), 0);
	CHECK_EQ(opening("/proc/self/ns/mnt", O_RDONLY), 0);
	/* These are files, though. */
	CHECK_EQ(opening("/proc/self/status", O_RDONLY), EACCES);
	CHECK_EQ(opening("/dev/null", O_RDONLY), EACCES);
}

TEST(message_queues)
{
	char name[64];
	mqd_t queue;

	need_abi(7);
	snprintf(name, sizeof(name), "/guest-landlock-%d", getpid());
	queue = mq_open(name, O_RDWR | O_CREAT, 0600, NULL);
	if (queue < 0)
		SKIP("no message queues");
	enforce(new_ruleset(READ_FILE | WRITE_FILE, 0, 0));
	errno = 0;
	queue = mq_open(name, O_RDWR);
	CHECK(mq_unlink(name) == 0);
	CHECK(queue < 0);
}

/* Their inodes come and go, and are the same files all the same. */
TEST(files_of_the_kernel)
{
	int fd, keep[2];
	char path[64];
	pid_t child;

	need_abi(7);
	CHECK(pipe(keep) == 0);
	child = fork();
	if (child == 0) {
		close(keep[1]);
		_exit(read(keep[0], path, 1) != 0);
	}
	snprintf(path, sizeof(path), "/proc/%d/status", child);
	fd = new_ruleset(READ_FILE, 0, 0);
	allow(fd, "/proc/self", READ_FILE);
	allow(fd, path, READ_FILE);
	allow(fd, "/proc/sys/kernel", READ_FILE);
	allow(fd, "/proc/meminfo", READ_FILE);
	enforce(fd);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(opening("/proc/self/status", O_RDONLY), 0);
		CHECK_EQ(opening("/proc/self/task/../stat", O_RDONLY), 0);
		CHECK_EQ(opening("/proc/sys/kernel/ostype", O_RDONLY), 0);
		CHECK_EQ(opening("/proc/sys/vm/overcommit_memory", O_RDONLY), EACCES);
		CHECK_EQ(opening("/proc/meminfo", O_RDONLY), 0);
		CHECK_EQ(opening("/proc/uptime", O_RDONLY), EACCES);
		CHECK_EQ(opening(path, O_RDONLY), 0);
	}
	strcpy(strrchr(path, '/'), "/stat");
	CHECK_EQ(opening(path, O_RDONLY), EACCES);
}

/* --- the tree --- */

TEST(moved_directories)
{
	int fd, seen[2];
	char byte;

	prepare();
	CHECK(pipe(seen) == 0);
	fd = new_ruleset(READ_FILE, 0, 0);
	allow(fd, "a", READ_FILE);
	if (fork() == 0) {
		/* Somebody who is free moves things about. */
		CHECK_EQ(read(seen[0], &byte, 1), 1);
		_exit(rename("a/b", "c/b") || rename("c/file", "a/moved"));
	}
	enforce(fd);
	CHECK(chdir("a/b") == 0);
	CHECK_EQ(opening("file", O_RDONLY), 0);
	CHECK_EQ(write(seen[1], "x", 1), 1);
	CHECK(wait(&fd) > 0 && fd == 0);
	CHECK_EQ(opening("file", O_RDONLY), EACCES);
	CHECK_EQ(opening("../../a/moved", O_RDONLY), 0);
}

TEST(removed_directories)
{
	int rules, fd;

	prepare();
	CHECK(mkdir("a/gone", 0755) == 0);
	rules = new_ruleset(READ_DIR, 0, 0);
	allow(rules, "a", READ_DIR);
	enforce(rules);
	CHECK((fd = open("a/gone", O_PATH)) >= 0);
	CHECK(rmdir("a/gone") == 0);
	CHECK(fchdir(fd) == 0);
	CHECK_EQ(opening(".", O_RDONLY), 0);
	CHECK(fchdir(open("c", O_PATH)) == -1 || opening(".", O_RDONLY) == EACCES);
}

/* A directory where mount(2) can be tried. */
static void prepare_mounts(void)
{
	prepare();
	if (geteuid() || unshare(CLONE_NEWNS))
		SKIP("no mount namespaces");
	CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
}

TEST(through_mounts)
{
	int fd;

	prepare_mounts();
	CHECK(mount("none", "a/b", "tmpfs", 0, NULL) == 0);
	temporary_text("a/b/inner", "x");
	CHECK(mkdir("a/b/dir", 0755) == 0);
	CHECK(mount("none", "a/b/dir", "tmpfs", 0, NULL) == 0);
	temporary_text("a/b/dir/deep", "x");
	CHECK(mount("c", "a/b/dir", NULL, MS_BIND, NULL) == 0);
	fd = new_ruleset(READ_FILE | WRITE_FILE, 0, 0);
	allow(fd, "a", READ_FILE);
	allow(fd, "a/b", WRITE_FILE);
	enforce(fd);
	CHECK_EQ(opening("a/b/inner", O_RDWR), 0);
	/* By way of the mount it is below "a", by its own it is not. */
	CHECK_EQ(opening("a/b/dir/file", O_RDWR), 0);
	CHECK_EQ(opening("c/file", O_RDONLY), EACCES);
	CHECK_EQ(opening("a/file", O_RDONLY), 0);
	CHECK_EQ(opening("a/file", O_WRONLY), EACCES);
}

/* A rule about what a mount covers, and about what is bound elsewhere. */
TEST(covered_and_bound)
{
	int fd;

	prepare_mounts();
	fd = new_ruleset(READ_FILE, 0, 0);
	allow(fd, "a/b", READ_FILE);
	allow(fd, "c", READ_FILE);
	CHECK(mkdir("d", 0755) == 0);
	CHECK(mount("c", "d", NULL, MS_BIND, NULL) == 0);
	CHECK(mount("none", "a/b", "tmpfs", 0, NULL) == 0);
	temporary_text("a/b/new", "x");
	enforce(fd);
	CHECK_EQ(opening("a/b/new", O_RDONLY), EACCES);
	CHECK_EQ(opening("d/file", O_RDONLY), 0);
}

/* What was mounted from below is still under what it is mounted on. */
TEST(disconnected_directories)
{
	int fd, kept;

	prepare_mounts();
	CHECK(mkdir("d", 0755) == 0);
	CHECK(mount("a", "d", NULL, MS_BIND, NULL) == 0);
	CHECK((kept = open("d/b", O_PATH)) >= 0);
	fd = new_ruleset(READ_FILE | WRITE_FILE, 0, 0);
	allow(fd, "d", READ_FILE);
	allow(fd, "c", WRITE_FILE);
	CHECK(rename("a/b", "c/b") == 0);
	enforce(fd);
	CHECK(fchdir(kept) == 0);
	CHECK_EQ(opening("file", O_RDWR), 0);
	CHECK_EQ(opening("file", O_RDONLY), 0);
	CHECK_ERRNO(open("..", O_PATH), ENOENT);
}

TEST(mounts_stay_as_they_are)
{
	int context, tree;

	prepare_mounts();
	CHECK(mount("none", "c", "tmpfs", 0, NULL) == 0);
	enforce(new_ruleset(MAKE_CHAR, 0, 0));
	CHECK_ERRNO(mount("none", "a", "tmpfs", 0, NULL), EPERM);
	CHECK_ERRNO(mount("none", "nowhere", "tmpfs", 0, NULL), ENOENT);
	CHECK_ERRNO(mount("a", "a", NULL, MS_BIND, NULL), EPERM);
	CHECK_ERRNO(mount("none", "c", NULL, MS_REMOUNT | MS_RDONLY, NULL), EPERM);
	CHECK_ERRNO(mount("none", "c", NULL, MS_SHARED, NULL), EPERM);
	CHECK_ERRNO(mount("c", "a", NULL, MS_MOVE, NULL), EPERM);
	CHECK_ERRNO(umount("c"), EPERM);
	CHECK_ERRNO(umount("a"), EINVAL);
	CHECK_ERRNO(syscall(SYS_pivot_root, "c", "c"), EPERM);
	CHECK((context = (int)syscall(SYS_fsopen, "tmpfs", 0)) >= 0);
	CHECK(syscall(SYS_fsconfig, context, 6, NULL, NULL, 0) == 0);
	CHECK((tree = (int)syscall(SYS_fsmount, context, 0, 0)) >= 0);
	CHECK_ERRNO(syscall(SYS_move_mount, tree, "", AT_FDCWD, "a", 4), EPERM);
	CHECK((context = (int)syscall(SYS_fspick, AT_FDCWD, "c", 0)) >= 0);
	CHECK_ERRNO(syscall(SYS_fsconfig, context, 7, NULL, NULL, 0), EPERM);
	CHECK(chroot("a") == 0);
}

/* Without rights to files in any layer there is nothing to be got around. */
TEST(mounts_are_free_without_files)
{
	prepare_mounts();
	enforce(new_ruleset(0, BIND_TCP, SCOPE_SIGNAL));
	CHECK(mount("none", "c", "tmpfs", 0, NULL) == 0);
	CHECK(umount("c") == 0);
	CHECK(rename("a/file", "c/moved") == 0);
}

GUEST_TEST_MAIN()
