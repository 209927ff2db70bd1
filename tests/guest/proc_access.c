/* SPDX-License-Identifier: Apache-2.0 */
/* Who may look at whom in /proc, and who owns what there. */
#include "tests/guest/proc_read.h"

#include <grp.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#define OTHER_USER 12345

/* A process of another user than the caller, who becomes an ordinary one. */
static pid_t child_of_another(void)
{
	pid_t child;

	if (getuid() != 0)
		SKIP("not root");
	child = fork();
	if (child == 0) {
		CHECK(setgroups(0, NULL) == 0 && setgid(OTHER_USER + 1) == 0 &&
			setuid(OTHER_USER + 1) == 0);
		CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
		for (;;)
			pause();
	}
	proc_wait_for_state(child, 'S');
	CHECK(setgroups(0, NULL) == 0 && setgid(OTHER_USER) == 0 && setuid(OTHER_USER) == 0);
	return child;
}

TEST(secrets_of_others_are_closed)
{
	static const char *const closed[] = {
		"environ", "auxv", "mem", "maps", "smaps", "pagemap", "fd", "io", "personality"};
	pid_t child = child_of_another();
	char name[64], text[64];

	for (size_t i = 0; i < sizeof(closed) / sizeof(closed[0]); i++) {
		snprintf(name, sizeof(name), "/proc/%d/%s", child, closed[i]);
		CHECK_ERRNO(proc_try_read(name, text, sizeof(text)), EACCES);
	}
	snprintf(name, sizeof(name), "/proc/%d/exe", child);
	CHECK_ERRNO(readlink(name, text, sizeof(text)), EACCES);
	snprintf(name, sizeof(name), "/proc/%d/cwd", child);
	CHECK_ERRNO(readlink(name, text, sizeof(text)), EACCES);
	snprintf(name, sizeof(name), "/proc/%d/root/", child);
	CHECK_ERRNO(open(name, O_RDONLY), EACCES);
	snprintf(name, sizeof(name), "/proc/%d/fd/0", child);
	CHECK_ERRNO(open(name, O_RDONLY), EACCES);
	snprintf(name, sizeof(name), "/proc/%d/ns/pid", child);
	CHECK_ERRNO(readlink(name, text, sizeof(text)), EACCES);
	snprintf(name, sizeof(name), "/proc/%d/oom_score_adj", child);
	CHECK_ERRNO(open(name, O_WRONLY), EACCES);
}

TEST(the_rest_is_open)
{
	static const char *const open_to_all[] = {
		"status", "stat", "statm", "cmdline", "comm", "limits", "cgroup", "wchan"};
	pid_t child = child_of_another();
	char name[64], text[8192];

	for (size_t i = 0; i < sizeof(open_to_all) / sizeof(open_to_all[0]); i++) {
		snprintf(name, sizeof(name), "/proc/%d/%s", child, open_to_all[i]);
		CHECK(proc_try_read(name, text, sizeof(text)) > 0);
	}
	/* But no addresses. */
	CHECK_EQ(proc_stat_field(proc_text("/proc/%d/stat", child), 26), 1);
	CHECK_EQ(proc_stat_field(proc_text("/proc/%d/stat", child), 28), 0);
	CHECK_EQ(proc_stat_field(proc_text("/proc/%d/stat", child), 48), 0);
}

TEST(files_belong_to_the_process_s_user)
{
	pid_t child = child_of_another();
	struct stat status;
	char name[64];

	snprintf(name, sizeof(name), "/proc/%d", child);
	CHECK(stat(name, &status) == 0);
	CHECK_EQ(status.st_uid, OTHER_USER + 1);
	CHECK_EQ(status.st_gid, OTHER_USER + 1);
	snprintf(name, sizeof(name), "/proc/%d/environ", child);
	CHECK(stat(name, &status) == 0);
	CHECK_EQ(status.st_uid, OTHER_USER + 1);
	CHECK_EQ(status.st_mode, S_IFREG | 0400);
}

TEST(who_is_not_dumpable_belongs_to_root)
{
	struct stat status;

	CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
	if (getuid() == 0)
		CHECK(setresuid(OTHER_USER, OTHER_USER, OTHER_USER) == 0);
	CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
	CHECK(stat("/proc/self/status", &status) == 0);
	CHECK_EQ(status.st_uid, getuid());
	CHECK(prctl(PR_SET_DUMPABLE, 0) == 0);
	CHECK(stat("/proc/self/status", &status) == 0);
	CHECK_EQ(status.st_uid, 0);
	/* The directory itself still tells whose it is. */
	CHECK(stat("/proc/self", &status) == 0);
	CHECK_EQ(status.st_uid, getuid());
	CHECK_ERRNO(open("/proc/self/environ", O_RDONLY), EACCES);
	/* Its own descriptors and maps it may see. */
	CHECK(open("/proc/self/fd", O_RDONLY) >= 0);
	CHECK(open("/proc/self/maps", O_RDONLY) >= 0);
}

TEST(a_process_s_own_group_is_enough)
{
	char text[64];

	/* Between threads and from a process to itself nothing is checked. */
	CHECK(prctl(PR_SET_DUMPABLE, 0) == 0);
	CHECK(readlink("/proc/self/exe", text, sizeof(text)) > 0);
	CHECK(readlink("/proc/self/cwd", text, sizeof(text)) > 0);
}

TEST(names_cannot_be_made)
{
	CHECK_ERRNO(open("/proc/new", O_WRONLY | O_CREAT, 0600), ENOENT);
	CHECK_ERRNO(mkdir("/proc/self/new", 0700), ENOENT);
	CHECK_ERRNO(mkdir("/proc/sys/new", 0700), ENOENT);
	CHECK_ERRNO(mkdir("/proc/self/fd", 0700), EEXIST);
	CHECK(unlink("/proc/self/status") == -1 && (errno == EPERM || errno == EACCES));
	CHECK_ERRNO(chmod("/proc/self/status", 0777), EPERM);
}

TEST(settings_are_root_s)
{
	int fd;

	/* What is fixed is so for root too. */
	CHECK_ERRNO(open("/proc/sys/kernel/osrelease", O_WRONLY), EACCES);
	if (getuid() == 0)
		CHECK(setgroups(0, NULL) == 0 && setgid(OTHER_USER) == 0 &&
			setuid(OTHER_USER) == 0);
	CHECK_ERRNO(open("/proc/sys/kernel/hostname", O_WRONLY), EACCES);
	CHECK_ERRNO(open("/proc/sys/vm/swappiness", O_RDWR), EACCES);
	fd = open("/proc/sys/vm/swappiness", O_RDONLY);
	CHECK(fd >= 0);
	CHECK_ERRNO(write(fd, "1", 1), EBADF);
}

/* What a file of a process says to open and then to read: an errno, or 0. */
static int look(pid_t pid, const char *file, int flags)
{
	char name[64], byte;
	int fd, error = 0;

	snprintf(name, sizeof(name), "/proc/%d/%s", pid, file);
	fd = open(name, flags);
	if (fd < 0)
		return errno;
	if (flags == O_RDONLY && read(fd, &byte, 1) < 0)
		error = errno;
	close(fd);
	return error;
}

static pid_t sleeping(void)
{
	int ready[2];
	char byte;
	pid_t child;

	CHECK(pipe(ready) == 0);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		CHECK(setgroups(0, NULL) == 0 && setgid(OTHER_USER) == 0 &&
			setuid(OTHER_USER) == 0 && prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
		CHECK_EQ(write(ready[1], "", 1), 1);
		for (;;)
			pause();
	}
	CHECK_EQ(read(ready[0], &byte, 1), 1);
	return child;
}

TEST(each_file_asks_for_its_own_rights)
{
	pid_t child;

	if (getuid())
		SKIP("needs root");
	child = sleeping();
	CHECK_EQ(look(child, "timerslack_ns", O_RDONLY), 0);
	CHECK_EQ(look(child, "setgroups", O_WRONLY), 0);
	/* One's own user's. */
	CHECK(setgroups(0, NULL) == 0 && setgid(OTHER_USER) == 0);
	CHECK(setresuid(OTHER_USER, OTHER_USER, 0) == 0);
	CHECK_EQ(look(child, "timers", O_RDONLY), 0);
	CHECK_EQ(look(child, "setgroups", O_WRONLY), EACCES);
	CHECK_EQ(look(child, "timerslack_ns", O_RDONLY), EPERM);
	if (access("/proc/self/stack", F_OK) == 0)
		CHECK_EQ(look(child, "stack", O_RDONLY), EACCES);
	/* A stranger's. */
	CHECK(seteuid(0) == 0 && setresgid(OTHER_USER + 1, OTHER_USER + 1, OTHER_USER + 1) == 0);
	CHECK(setresuid(OTHER_USER + 1, OTHER_USER + 1, OTHER_USER + 1) == 0);
	CHECK_EQ(look(child, "timers", O_RDONLY), EACCES);
	CHECK_EQ(look(child, "timerslack_ns", O_RDONLY), EPERM);
	CHECK_EQ(look(child, "fdinfo", O_RDONLY | O_DIRECTORY), EACCES);
	CHECK_EQ(look(child, "comm", O_RDONLY), 0);
}

TEST(a_zombie_has_no_memory)
{
	static const char *const files[] = {"auxv", "environ", "pagemap", "mem", "smaps_rollup"};
	siginfo_t info;
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	CHECK(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) == 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		CHECK_EQ(look(child, files[i], O_RDONLY), ESRCH);
	CHECK_EQ(look(child, "maps", O_RDONLY), 0);
	CHECK_EQ(look(child, "status", O_RDONLY), 0);
}

GUEST_TEST_MAIN()
