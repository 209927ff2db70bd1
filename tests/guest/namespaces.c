/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces: who may make which, what is inside, how one is entered, and when it ends. */
#include "tests/guest/temporary.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#define NS_GET_USERNS	 _IO(0xb7, 1)
#define NS_GET_PARENT	 _IO(0xb7, 2)
#define NS_GET_NSTYPE	 _IO(0xb7, 3)
#define NS_GET_OWNER_UID _IO(0xb7, 4)

static void write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		FAIL("%s: %s", path, strerror(errno));
	close(fd);
}

static ino_t number_of(const char *path)
{
	struct stat status;

	CHECK(stat(path, &status) == 0);
	return status.st_ino;
}

/* A new user namespace whose root is the caller. */
static void become_root_of_a_new_one(int more)
{
	char map[64];
	uid_t uid = geteuid();
	gid_t gid = getegid();

	CHECK(unshare(CLONE_NEWUSER | more) == 0);
	CHECK_EQ(geteuid(), 65534);
	snprintf(map, sizeof(map), "0 %u 1\n", uid);
	write_to("/proc/self/uid_map", map);
	write_to("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1\n", gid);
	write_to("/proc/self/gid_map", map);
	CHECK_EQ(geteuid(), 0);
}

/* Changing ids takes the files in /proc/self away, since the memory may hold secrets. */
static void become_ordinary(void)
{
	CHECK(setresgid(1000, 1000, 1000) == 0 && setresuid(1000, 1000, 1000) == 0);
	CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
}

TEST(an_ordinary_user_becomes_root_of_a_new_one)
{
	become_ordinary();
	CHECK_ERRNO(unshare(CLONE_NEWUTS), EPERM);
	CHECK_ERRNO(sethostname("x", 1), EPERM);
	become_root_of_a_new_one(CLONE_NEWUTS);
	CHECK(sethostname("inside", 6) == 0);
	CHECK_ERRNO(syscall(SYS_setgroups, 0, NULL), EPERM);
	CHECK_ERRNO(setuid(5), EINVAL);
}

TEST(maps_are_written_once)
{
	char text[64];
	int fd;

	become_root_of_a_new_one(0);
	fd = open("/proc/self/uid_map", O_RDONLY);
	CHECK(read(fd, text, sizeof(text)) > 0);
	CHECK(strstr(text, "0 "));
	fd = open("/proc/self/uid_map", O_WRONLY);
	CHECK_ERRNO(write(fd, "0 0 1\n", 6), EPERM);
}

TEST(mounts_in_a_new_user_namespace)
{
	temporary_enter();
	CHECK(mkdir("m", 0700) == 0);
	become_ordinary();
	CHECK_ERRNO(mount("none", "m", "tmpfs", 0, NULL), EPERM);
	become_root_of_a_new_one(CLONE_NEWNS);
	CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mount("none", "/tmp", "tmpfs", 0, NULL) == 0);
	temporary_text("/tmp/inside", "x");
	CHECK_ERRNO(umount2("/proc", 0), EINVAL);
}

TEST(mounts_of_a_copy_are_its_own)
{
	int status;
	pid_t child;

	temporary_enter();
	if (unshare(CLONE_NEWNS))
		SKIP("needs root");
	CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mkdir("m", 0700) == 0);
	child = fork();
	if (child == 0) {
		CHECK(unshare(CLONE_NEWNS) == 0);
		CHECK(mount("none", "m", "tmpfs", 0, "size=1m") == 0);
		temporary_text("m/file", "x");
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK_ERRNO(access("m/file", F_OK), ENOENT);
}

TEST(binds_and_flags)
{
	temporary_enter();
	if (unshare(CLONE_NEWNS))
		SKIP("needs root");
	CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mkdir("a", 0700) == 0 && mkdir("b", 0700) == 0);
	temporary_text("a/file", "x");
	CHECK(mount("a", "b", NULL, MS_BIND, NULL) == 0);
	CHECK(access("b/file", F_OK) == 0);
	CHECK(mount("none", "b", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
	CHECK_ERRNO(open("b/file", O_WRONLY), EROFS);
	CHECK_ERRNO(unlink("b/file"), EROFS);
	CHECK(open("a/file", O_WRONLY) >= 0);
	CHECK_ERRNO(rmdir("b"), EBUSY);
	CHECK_ERRNO(rename("a/file", "b/other"), EXDEV);
	CHECK(chdir("b") == 0);
	CHECK_ERRNO(umount2("../b", 0), EBUSY);
	CHECK(chdir("..") == 0);
	CHECK(umount2("b", 0) == 0);
	CHECK_ERRNO(umount2("b", 0), EINVAL);
	CHECK_ERRNO(mount("none", "b", "no-such-type", 0, NULL), ENODEV);
	CHECK_ERRNO(mount("none", "missing", "tmpfs", 0, NULL), ENOENT);
	CHECK(mount("none", "b", "tmpfs", MS_NOEXEC | MS_NODEV, NULL) == 0);
	CHECK(mknod("b/null", S_IFCHR | 0666, 0x103) == 0);
	CHECK_ERRNO(open("b/null", O_RDWR), EACCES);
	temporary_text("b/run", "#!/bin/sh\n");
	CHECK(chmod("b/run", 0755) == 0);
	CHECK_ERRNO(execl("b/run", "run", NULL), EACCES);
	CHECK(umount2("b", MNT_DETACH) == 0);
}

TEST(a_directory_of_proc_is_bound_over_itself)
{
	int fd;

	if (unshare(CLONE_NEWNS))
		SKIP("needs root");
	CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	fd = open("/proc/sys/kernel/hostname", O_WRONLY);
	if (fd < 0 && errno == EROFS)
		SKIP("/proc/sys is read-only");
	CHECK(mount("/proc/sys", "/proc/sys", NULL, MS_BIND, NULL) == 0);
	CHECK(mount("none", "/proc/sys", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
	CHECK_ERRNO(open("/proc/sys/kernel/hostname", O_WRONLY), EROFS);
	CHECK(access("/proc/sys/kernel/hostname", R_OK) == 0);
	CHECK(umount2("/proc/sys", 0) == 0);
	close(fd);
}

/* Nobody has looked into a fresh one yet. */
TEST(a_directory_of_a_fresh_proc_is_bound_over_itself)
{
	temporary_enter();
	if (unshare(CLONE_NEWNS))
		SKIP("needs root");
	CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mkdir("p", 0755) == 0);
	CHECK(mount("none", "p", "proc", 0, NULL) == 0);
	CHECK(mount("p/sys", "p/sys", NULL, MS_BIND | MS_REC, NULL) == 0);
	CHECK(mount("none", "p/sys", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
	CHECK_ERRNO(open("p/sys/kernel/hostname", O_WRONLY), EROFS);
	CHECK(mount("p/uptime", "p/uptime", NULL, MS_BIND, NULL) == 0);
	CHECK(mount("none", "p/uptime", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
	CHECK(umount2("p/uptime", 0) == 0);
	CHECK(umount2("p", MNT_DETACH) == 0);
}

TEST(propagation)
{
	temporary_enter();
	if (unshare(CLONE_NEWNS))
		SKIP("needs root");
	CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mkdir("a", 0700) == 0 && mkdir("b", 0700) == 0 && mkdir("c", 0700) == 0);
	CHECK(mount("none", "a", "tmpfs", 0, NULL) == 0);
	CHECK(mount("none", "a", NULL, MS_SHARED, NULL) == 0);
	CHECK(mkdir("a/sub", 0700) == 0);
	CHECK(mount("a", "b", NULL, MS_BIND, NULL) == 0);
	CHECK(mount("a", "c", NULL, MS_BIND, NULL) == 0);
	CHECK(mount("none", "c", NULL, MS_SLAVE, NULL) == 0);
	CHECK(mount("none", "a/sub", "tmpfs", 0, NULL) == 0);
	temporary_text("a/sub/file", "x");
	CHECK(access("b/sub/file", F_OK) == 0 && access("c/sub/file", F_OK) == 0);
	CHECK(umount2("c/sub", 0) == 0);
	CHECK(access("a/sub/file", F_OK) == 0);
	CHECK(umount2("b/sub", 0) == 0);
	CHECK_ERRNO(access("a/sub/file", F_OK), ENOENT);
}

TEST(another_root)
{
	temporary_enter();
	if (unshare(CLONE_NEWNS))
		SKIP("needs root");
	CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mkdir("new", 0755) == 0);
	CHECK(mount("none", "new", "tmpfs", 0, NULL) == 0);
	CHECK(mkdir("new/old", 0755) == 0);
	temporary_text("new/file", "x");
	CHECK(syscall(SYS_pivot_root, "new", "new/old") == 0);
	CHECK(chdir("/") == 0);
	CHECK(access("/file", F_OK) == 0 && access("/old/bin", F_OK) == 0);
	CHECK(umount2("/old", MNT_DETACH) == 0);
	CHECK_ERRNO(access("/old/bin", F_OK), ENOENT);
	CHECK_ERRNO(syscall(SYS_pivot_root, "/", "/"), EBUSY);
}

/* The old root lands on the new one, and goes from there. */
TEST(another_root_without_a_place_for_the_old)
{
	temporary_enter();
	if (unshare(CLONE_NEWNS | CLONE_NEWUSER))
		SKIP("no new user namespace");
	CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mkdir("new", 0755) == 0);
	CHECK(mount("none", "new", "tmpfs", 0, NULL) == 0);
	CHECK(chdir("new") == 0);
	CHECK(syscall(SYS_pivot_root, ".", ".") == 0);
	CHECK(umount2(".", MNT_DETACH) == 0);
	CHECK(chdir("/") == 0);
	CHECK_ERRNO(access("/bin", F_OK), ENOENT);
	CHECK_ERRNO(umount2("/", MNT_DETACH), EINVAL);
}

TEST(names_of_the_machine)
{
	struct utsname name;
	int status;
	pid_t child = fork();

	if (child == 0) {
		if (unshare(CLONE_NEWUTS))
			_exit(GUEST_TEST_SKIPPED);
		CHECK(sethostname("of-its-own", 10) == 0);
		CHECK(uname(&name) == 0 && !strcmp(name.nodename, "of-its-own"));
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(uname(&name) == 0 && strcmp(name.nodename, "of-its-own"));
}

TEST(ipc_is_apart)
{
	int id = msgget(0x7e577e57, IPC_CREAT | 0600), status;
	pid_t child = fork();

	if (child == 0) {
		CHECK(unshare(CLONE_NEWIPC) == 0);
		CHECK_ERRNO(msgget(0x7e577e57, 0), ENOENT);
		CHECK(msgget(0x7e577e57, IPC_CREAT | 0600) >= 0);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(msgctl(id, IPC_RMID, NULL) == 0);
}

/* As ip link set lo up does; 0 or an error. */
static int set_loopback(bool up)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg link;
	} request = {{sizeof(request), RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, 1, 0},
		{.ifi_index = 1, .ifi_flags = up ? IFF_UP : 0, .ifi_change = IFF_UP}};
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
	} answer;
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	CHECK(send(fd, &request, sizeof(request), 0) == sizeof(request));
	CHECK(recv(fd, &answer, sizeof(answer), 0) >= (ssize_t)sizeof(answer));
	CHECK_EQ(answer.header.nlmsg_type, NLMSG_ERROR);
	return answer.error.error;
}

TEST(networks_are_apart)
{
	struct ifreq request = {.ifr_name = "lo"};
	ino_t before;
	int fd;

	before = number_of("/proc/self/ns/net");
	CHECK(unshare(CLONE_NEWNET) == 0);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK(fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0);
	CHECK((request.ifr_flags & (IFF_LOOPBACK | IFF_UP)) == IFF_LOOPBACK);
	CHECK(set_loopback(true) == 0);
	CHECK(ioctl(fd, SIOCGIFFLAGS, &request) == 0);
	CHECK(request.ifr_flags & IFF_UP);
	request.ifr_flags &= ~IFF_UP;
	CHECK(ioctl(fd, SIOCSIFFLAGS, &request) == 0);
	CHECK(ioctl(fd, SIOCGIFFLAGS, &request) == 0);
	CHECK(!(request.ifr_flags & IFF_UP));
	strcpy(request.ifr_name, "none");
	CHECK_ERRNO(ioctl(fd, SIOCSIFFLAGS, &request), ENODEV);
	CHECK(number_of("/proc/self/ns/net") != before);
}

static int first_of_its_own(void *argument)
{
	pid_t child;

	(void)argument;
	CHECK_EQ(getpid(), 1);
	CHECK_EQ(getppid(), 0);
	child = fork();
	if (child == 0) {
		for (;;)
			pause();
	}
	CHECK_EQ(child, 2);
	/* Signals without a handler do nothing to the first process. */
	CHECK(kill(1, SIGTERM) == 0 && kill(1, SIGKILL) == 0);
	return 33;
}

TEST(processes_are_apart)
{
	static char stack[65536];
	int status;
	pid_t child = clone(first_of_its_own, stack + sizeof(stack), CLONE_NEWPID | SIGCHLD, NULL);

	if (child < 0 && errno == EPERM)
		SKIP("needs root");
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 33 << 8);
}

/* The outer one ends only when the last process of the inner one is gone. */
TEST(namespaces_in_namespaces_end)
{
	for (int i = 0; i < 50; i++) {
		pid_t outer = (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);

		if (outer < 0)
			SKIP("needs root");
		if (outer == 0) {
			if (syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0) == 0) {
				if (fork() == 0) {
					for (;;)
						pause();
				}
				for (;;)
					pause();
			}
			sleep_ms(i % 3);
			_exit(0);
		}
		CHECK(waitpid(outer, NULL, 0) == outer);
	}
}

TEST(the_first_process_takes_all_with_it)
{
	int status, fds[2];
	char byte;
	pid_t child;

	CHECK(pipe(fds) == 0);
	CHECK(unshare(CLONE_NEWPID) == 0);
	child = fork();
	if (child == 0) {
		close(fds[0]);
		if (fork() == 0) {
			for (;;)
				pause();
		}
		_exit(0);
	}
	close(fds[1]);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK_EQ(read(fds[0], &byte, 1), 0);
	CHECK_EQ(fork(), -1);
	CHECK_EQ(errno, ENOMEM);
}

TEST(entering)
{
	int status, uts, fds[2], back[2];
	struct utsname name;
	char path[64], byte;
	pid_t child;

	CHECK(pipe(fds) == 0 && pipe(back) == 0);
	child = fork();
	if (child == 0) {
		CHECK(unshare(CLONE_NEWUTS) == 0 && sethostname("entered", 7) == 0);
		CHECK_EQ(write(fds[1], "x", 1), 1);
		CHECK_EQ(read(back[0], &byte, 1), 1);
		_exit(0);
	}
	CHECK_EQ(read(fds[0], &byte, 1), 1);
	snprintf(path, sizeof(path), "/proc/%d/ns/uts", child);
	CHECK(number_of(path) != number_of("/proc/self/ns/uts"));
	uts = open(path, O_RDONLY);
	CHECK_ERRNO(setns(uts, CLONE_NEWNET), EINVAL);
	CHECK(setns(uts, CLONE_NEWUTS) == 0);
	CHECK_EQ(number_of(path), number_of("/proc/self/ns/uts"));
	CHECK(uname(&name) == 0 && !strcmp(name.nodename, "entered"));
	CHECK_ERRNO(setns(0, 0), EINVAL);
	CHECK_ERRNO(setns(999, 0), EBADF);
	CHECK(setns((int)syscall(SYS_pidfd_open, child, 0), CLONE_NEWUTS | CLONE_NEWIPC) == 0);
	CHECK_EQ(write(back[1], "x", 1), 1);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

TEST(cgroups_are_apart)
{
	int old = open("/proc/self/ns/cgroup", O_RDONLY | O_CLOEXEC), type;
	ino_t before = number_of("/proc/self/ns/cgroup"), after;
	pid_t child;

	CHECK(old >= 0);
	if (geteuid())
		become_root_of_a_new_one(0);
	type = ioctl(old, NS_GET_NSTYPE);
	CHECK_EQ(type, CLONE_NEWCGROUP);
	CHECK(unshare(CLONE_NEWCGROUP) == 0);
	after = number_of("/proc/self/ns/cgroup");
	CHECK(after != before);
	child = fork();
	CHECK(child >= 0);
	if (!child)
		_exit(number_of("/proc/self/ns/cgroup") != after || unshare(CLONE_NEWCGROUP) ||
			number_of("/proc/self/ns/cgroup") == after);
	CHECK(waitpid(child, &type, 0) == child);
	CHECK_EQ(type, 0);
	CHECK_ERRNO(setns(old, CLONE_NEWUTS), EINVAL);
	if (setns(old, CLONE_NEWCGROUP) == 0)
		CHECK_EQ(number_of("/proc/self/ns/cgroup"), before);
	else
		CHECK(errno == EPERM && geteuid() == 0);
	become_ordinary();
	CHECK_ERRNO(unshare(CLONE_NEWCGROUP), EPERM);
}

TEST(questions_to_a_namespace)
{
	int uts = open("/proc/self/ns/uts", O_RDONLY), user = open("/proc/self/ns/user", O_RDONLY),
	    pid, owner;
	uid_t uid = 7;

	CHECK_EQ(ioctl(uts, NS_GET_NSTYPE), CLONE_NEWUTS);
	owner = ioctl(uts, NS_GET_USERNS);
	CHECK(owner >= 0);
	CHECK_EQ(ioctl(owner, NS_GET_NSTYPE), CLONE_NEWUSER);
	CHECK_ERRNO(ioctl(uts, NS_GET_PARENT), EINVAL);
	CHECK_ERRNO(ioctl(uts, NS_GET_OWNER_UID, &uid), EINVAL);
	CHECK(ioctl(user, NS_GET_OWNER_UID, &uid) == 0);
	CHECK(unshare(CLONE_NEWUSER | CLONE_NEWPID) == 0);
	user = open("/proc/self/ns/user", O_RDONLY);
	CHECK(ioctl(user, NS_GET_PARENT) >= 0 || errno == EPERM);
	pid = open("/proc/self/ns/pid", O_RDONLY);
	CHECK_EQ(ioctl(pid, NS_GET_NSTYPE), CLONE_NEWPID);
	CHECK_ERRNO(ioctl(pid, _IO(0xb7, 99)), ENOTTY);
}

TEST(flags_that_are_refused)
{
	CHECK_ERRNO(unshare(1 << 2), EINVAL);
	CHECK_ERRNO(syscall(SYS_clone, CLONE_NEWUSER | CLONE_FS | SIGCHLD, 0, 0, 0, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_clone, CLONE_NEWNS | CLONE_FS | SIGCHLD, 0, 0, 0, 0), EINVAL);
	CHECK(unshare(0) == 0);
	CHECK(unshare(CLONE_FILES | CLONE_FS | CLONE_SYSVSEM) == 0);
}

/* Each mount appears in all that are there, until the namespace is full. */
TEST(mounts_that_multiply_have_a_limit)
{
	int error = 0;

	if (geteuid() || unshare(CLONE_NEWNS))
		SKIP("needs to make a mount namespace");
	CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(mount("none", "/tmp", "tmpfs", 0, NULL) == 0);
	CHECK(mount("none", "/tmp", NULL, MS_SHARED, NULL) == 0);
	CHECK(mkdir("/tmp/below", 0700) == 0);
	for (int i = 0; i < 20 && !error; i++)
		if (mount("/tmp", "/tmp/below", NULL, MS_BIND | MS_REC, NULL))
			error = errno;
	CHECK_EQ(error, ENOSPC);
	CHECK(umount2("/tmp", MNT_DETACH) == 0);
}

GUEST_TEST_MAIN()
