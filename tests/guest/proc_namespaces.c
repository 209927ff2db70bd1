/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/PID/ns, uid_map and gid_map. */
#include "tests/guest/proc_read.h"

#include <sched.h>
#include <sys/stat.h>
#include <sys/utsname.h>

TEST(links_tell_the_kind_and_number)
{
	static const char *const kinds[] = {"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"};
	char name[64], expected[64];
	struct stat status;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		snprintf(name, sizeof(name), "/proc/self/ns/%s", kinds[i]);
		CHECK(stat(name, &status) == 0);
		CHECK(S_ISREG(status.st_mode));
		snprintf(expected, sizeof(expected), "%s:[%lu]", kinds[i], status.st_ino);
		CHECK(strcmp(proc_link(name), expected) == 0);
	}
	CHECK(strncmp(proc_link("/proc/self/ns/pid_for_children"), "pid:[", 5) == 0);
}

TEST(one_namespace_is_one_inode)
{
	struct stat own, parents;
	char name[64];
	int fd;

	CHECK(stat("/proc/self/ns/uts", &own) == 0);
	snprintf(name, sizeof(name), "/proc/%d/ns/uts", getppid());
	CHECK(stat(name, &parents) == 0);
	CHECK(own.st_ino == parents.st_ino && own.st_dev == parents.st_dev);
	fd = open(name, O_RDONLY);
	CHECK(fd >= 0);
	CHECK(fstat(fd, &parents) == 0);
	CHECK(own.st_ino == parents.st_ino && own.st_dev == parents.st_dev);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	CHECK(strncmp(proc_link(name), "uts:[", 5) == 0);
	if (unshare(CLONE_NEWUTS))
		SKIP("no UTS namespace");
	CHECK(stat("/proc/self/ns/uts", &parents) == 0);
	CHECK(own.st_ino != parents.st_ino);
}

TEST(an_open_file_leads_back)
{
	struct utsname before, after;
	int fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	CHECK(uname(&before) == 0);
	if (unshare(CLONE_NEWUTS))
		SKIP("no UTS namespace");
	CHECK(sethostname("elsewhere", 9) == 0);
	CHECK_ERRNO(setns(fd, CLONE_NEWPID), EINVAL);
	CHECK(setns(fd, CLONE_NEWUTS) == 0);
	CHECK(uname(&after) == 0);
	CHECK(strcmp(before.nodename, after.nodename) == 0);
}

TEST(a_child_s_namespace_outlives_it)
{
	int ready[2], fd;
	struct utsname name;
	char byte, path[64];
	pid_t child;

	CHECK(pipe(ready) == 0);
	child = fork();
	if (child == 0) {
		if (unshare(CLONE_NEWUTS) || sethostname("of-the-child", 12))
			_exit(1);
		CHECK_EQ(write(ready[1], "r", 1), 1);
		pause();
	}
	CHECK(close(ready[1]) == 0);
	if (read(ready[0], &byte, 1) != 1)
		SKIP("no UTS namespace");
	snprintf(path, sizeof(path), "/proc/%d/ns/uts", child);
	fd = open(path, O_RDONLY);
	CHECK(fd >= 0);
	CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
	CHECK(setns(fd, 0) == 0);
	CHECK(uname(&name) == 0);
	CHECK(strcmp(name.nodename, "of-the-child") == 0);
}

static int write_file(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY), error = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		error = -errno;
	close(fd);
	return error;
}

TEST(a_map_is_written_once)
{
	unsigned int uid = getuid(), gid = getgid(), inside, outside, count;
	char text[64];

	if (unshare(CLONE_NEWUSER))
		SKIP("no user namespace");
	CHECK(strcmp(proc_text("/proc/self/uid_map"), "") == 0);
	CHECK_EQ(getuid(), 65534);
	CHECK_EQ(write_file("/proc/self/setgroups", "deny"), 0);
	CHECK(strcmp(proc_text("/proc/self/setgroups"), "deny\n") == 0);
	snprintf(text, sizeof(text), "0 %u 1\n", uid);
	CHECK_EQ(write_file("/proc/self/uid_map", text), 0);
	CHECK_EQ(write_file("/proc/self/uid_map", text), -EPERM);
	snprintf(text, sizeof(text), "0 %u 1", gid);
	CHECK_EQ(write_file("/proc/self/gid_map", text), 0);
	CHECK_EQ(getuid(), 0);
	CHECK_EQ(getgid(), 0);
	CHECK_EQ(sscanf(proc_text("/proc/self/uid_map"), "%u %u %u", &inside, &outside, &count), 3);
	CHECK_EQ(inside, 0);
	CHECK_EQ(count, 1);
	CHECK_EQ(strlen(proc_text("/proc/self/uid_map")), 33);
}

TEST(the_first_namespace_maps_all)
{
	unsigned int inside, outside, count;

	CHECK_EQ(sscanf(proc_text("/proc/self/uid_map"), "%u %u %u", &inside, &outside, &count), 3);
	CHECK_EQ(inside, 0);
	CHECK(count > 0);
}

GUEST_TEST_MAIN()
