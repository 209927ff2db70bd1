/* SPDX-License-Identifier: Apache-2.0 */
/* What /proc tells of the system as a whole, and its settings. */
#include "tests/guest/proc_read.h"

#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

TEST(it_is_proc)
{
	struct statfs status;

	CHECK(statfs("/proc", &status) == 0);
	CHECK_EQ(status.f_type, 0x9fa0);
	CHECK(statfs("/proc/self/status", &status) == 0);
	CHECK_EQ(status.f_type, 0x9fa0);
}

TEST(files_are_empty_to_stat)
{
	struct stat status, again;

	CHECK(stat("/proc/meminfo", &status) == 0);
	CHECK_EQ(status.st_size, 0);
	CHECK_EQ(status.st_mode, S_IFREG | 0444);
	CHECK_EQ(status.st_uid, 0);
	CHECK(stat("/proc/meminfo", &again) == 0);
	CHECK(status.st_ino == again.st_ino && status.st_dev == again.st_dev);
	CHECK(stat("/proc/self/status", &status) == 0 && stat("/proc/self/stat", &again) == 0);
	CHECK(status.st_ino != again.st_ino);
}

TEST(meminfo_agrees_with_sysinfo)
{
	char *text = proc_text("/proc/meminfo");
	struct sysinfo info;

	CHECK(sysinfo(&info) == 0);
	CHECK_EQ(proc_number(text, "MemTotal:"), (long long)(info.totalram * info.mem_unit >> 10));
	CHECK(proc_number(text, "MemFree:") <= proc_number(text, "MemTotal:"));
	CHECK(proc_number(text, "MemAvailable:") <= proc_number(text, "MemTotal:"));
	CHECK(proc_number(text, "Buffers:") >= 0);
	CHECK(proc_number(text, "Cached:") >= 0);
	CHECK(proc_number(text, "SwapTotal:") >= 0);
	CHECK(strncmp(text, "MemTotal:  ", 11) == 0);
	CHECK(strstr(text, " kB\nMemFree: "));
}

TEST(cpuinfo_has_each_processor)
{
	char *text = proc_text("/proc/cpuinfo");
	int count = 0;

	for (char *at = proc_field(text, "processor"); at; at = proc_field(at, "processor"))
		count++;
	CHECK_EQ(count, sysconf(_SC_NPROCESSORS_ONLN));
	CHECK(strncmp(text, "processor\t: 0\nvendor_id\t: ", 26) == 0);
	CHECK(strstr(text, "\nflags\t\t: fpu "));
	CHECK(strstr(text, " sse2 "));
	CHECK(!__builtin_cpu_supports("avx2") == !strstr(text, " avx2 "));
	CHECK(!__builtin_cpu_supports("popcnt") == !strstr(text, " popcnt "));
	CHECK(proc_field(text, "model name"));
	CHECK(proc_field(text, "cpu MHz"));
	CHECK(proc_field(text, "cache size"));
	CHECK(proc_field(text, "address sizes"));
	CHECK(text[strlen(text) - 1] == '\n' && text[strlen(text) - 2] == '\n');
}

TEST(stat_counts)
{
	char *text = proc_text("/proc/stat");
	unsigned long long user, nice, system, idle;
	struct timespec now, up;
	char name[16];

	CHECK_EQ(sscanf(text, "cpu  %llu %llu %llu %llu", &user, &nice, &system, &idle), 4);
	for (int i = 0; i < sysconf(_SC_NPROCESSORS_ONLN); i++) {
		snprintf(name, sizeof(name), "cpu%d ", i);
		CHECK(proc_field(text, name));
	}
	CHECK(proc_field(text, "intr "));
	CHECK(proc_number(text, "ctxt ") >= 0);
	CHECK(proc_number(text, "processes ") > 0);
	CHECK(proc_number(text, "procs_running ") >= 1);
	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &up);
	CHECK(llabs(proc_number(text, "btime ") - (now.tv_sec - up.tv_sec)) <= 2);
}

TEST(uptime_and_loadavg_have_their_form)
{
	struct timespec up;
	double seconds, idle, loads[3];
	int running, tasks, last;

	CHECK_EQ(sscanf(proc_text("/proc/uptime"), "%lf %lf\n", &seconds, &idle), 2);
	clock_gettime(CLOCK_BOOTTIME, &up);
	CHECK(seconds > (double)up.tv_sec - 1 && seconds < (double)up.tv_sec + 2);
	CHECK_EQ(sscanf(proc_text("/proc/loadavg"), "%lf %lf %lf %d/%d %d\n", &loads[0], &loads[1],
			 &loads[2], &running, &tasks, &last),
		6);
	CHECK(running >= 1 && tasks >= running && last >= getpid());
}

TEST(version_is_that_of_uname)
{
	struct utsname name;
	char expected[512];

	CHECK(uname(&name) == 0);
	snprintf(expected, sizeof(expected), "Linux version %s ", name.release);
	CHECK(strncmp(proc_text("/proc/version"), expected, strlen(expected)) == 0);
	CHECK(strstr(proc_text("/proc/version"), name.version));
	snprintf(expected, sizeof(expected), "%s\n", name.release);
	CHECK(strcmp(proc_text("/proc/sys/kernel/osrelease"), expected) == 0);
	snprintf(expected, sizeof(expected), "%s\n", name.version);
	CHECK(strcmp(proc_text("/proc/sys/kernel/version"), expected) == 0);
	CHECK(strcmp(proc_text("/proc/sys/kernel/ostype"), "Linux\n") == 0);
	snprintf(expected, sizeof(expected), "%s\n", name.nodename);
	CHECK(strcmp(proc_text("/proc/sys/kernel/hostname"), expected) == 0);
}

TEST(tables_are_there)
{
	CHECK(strstr(proc_text("/proc/filesystems"), "nodev\tproc\n"));
	CHECK(strstr(proc_text("/proc/filesystems"), "nodev\ttmpfs\n"));
	CHECK(strncmp(proc_text("/proc/devices"), "Character devices:\n", 19) == 0);
	CHECK(strstr(proc_text("/proc/devices"), "  1 mem\n"));
	CHECK(strstr(proc_text("/proc/devices"), "\nBlock devices:\n"));
	CHECK(strncmp(proc_text("/proc/swaps"), "Filename\t", 9) == 0);
	CHECK(strncmp(proc_text("/proc/cgroups"), "#subsys_name\t", 13) == 0);
	CHECK(strncmp(proc_text("/proc/net/dev"), "Inter-|", 7) == 0);
	CHECK(strstr(proc_text("/proc/net/dev"), "    lo: "));
	CHECK(strncmp(proc_text("/proc/net/unix"), "Num  ", 5) == 0);
	CHECK(strncmp(proc_text("/proc/net/tcp"), "  sl  local_address ", 20) == 0);
	CHECK(strcmp(proc_link("/proc/net"), "self/net") == 0);
	CHECK(strcmp(proc_link("/proc/mounts"), "self/mounts") == 0);
}

TEST(random_is_random)
{
	char first[64], boot[64];

	strcpy(first, proc_text("/proc/sys/kernel/random/uuid"));
	CHECK_EQ(strlen(first), 37);
	CHECK(first[8] == '-' && first[14] == '4' && first[36] == '\n');
	CHECK(strcmp(first, proc_text("/proc/sys/kernel/random/uuid")) != 0);
	strcpy(boot, proc_text("/proc/sys/kernel/random/boot_id"));
	CHECK(strcmp(boot, proc_text("/proc/sys/kernel/random/boot_id")) == 0);
}

TEST(limits_of_the_kernel_are_numbers)
{
	static const char *const names[] = {"kernel/pid_max", "kernel/threads-max",
		"kernel/cap_last_cap", "kernel/ngroups_max", "kernel/overflowuid",
		"kernel/overflowgid", "kernel/shmmni", "kernel/msgmax", "kernel/randomize_va_space",
		"kernel/tainted", "vm/overcommit_memory", "vm/max_map_count", "vm/mmap_min_addr",
		"vm/swappiness", "vm/nr_hugepages", "fs/file-max", "fs/nr_open", "fs/pipe-max-size",
		"fs/inotify/max_user_watches", "fs/epoll/max_user_watches", "fs/aio-max-nr",
		"net/core/somaxconn", "net/core/rmem_max", "net/ipv4/tcp_keepalive_time",
		"user/max_user_namespaces"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *text = proc_text("/proc/sys/%s", names[i]), *end;
		long long value = strtoll(text, &end, 10);

		if (end == text || *end != '\n' || value < 0)
			FAIL("%s: '%s'", names[i], text);
	}
}

TEST(mounts_are_told_of)
{
	char *text = proc_text("/proc/self/mountinfo");
	bool root = false, proc = false;

	CHECK(strstr(proc_text("/proc/self/mounts"), " /proc proc rw,"));
	text = proc_text("/proc/self/mountinfo");
	for (char *line = text; line && *line;
		line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		char where[256], subtree[256];
		int id, parent, major, minor;

		CHECK_EQ(sscanf(line, "%d %d %d:%d %255s %255s ", &id, &parent, &major, &minor,
				 subtree, where),
			6);
		root |= strcmp(where, "/") == 0;
		proc |= strcmp(where, "/proc") == 0;
	}
	CHECK(root && proc);
}

TEST(a_mount_is_told_to_who_polls)
{
	struct pollfd poll_fd = {.events = POLLPRI};
	char byte;

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		SKIP("no mount namespace");
	poll_fd.fd = open("/proc/self/mountinfo", O_RDONLY);
	CHECK_EQ(read(poll_fd.fd, &byte, 1), 1);
	CHECK_EQ(poll(&poll_fd, 1, 0), 0);
	CHECK(mount("none", "/mnt", "tmpfs", 0, NULL) == 0);
	CHECK_EQ(poll(&poll_fd, 1, 1000), 1);
	CHECK_EQ(poll_fd.revents, POLLPRI | POLLERR);
	CHECK_EQ(poll(&poll_fd, 1, 0), 0);
	CHECK(strstr(proc_text("/proc/self/mounts"), "none /mnt tmpfs rw,relatime"));
	CHECK(umount("/mnt") == 0);
	CHECK_EQ(poll(&poll_fd, 1, 1000), 1);
}

TEST(a_host_name_is_set_by_file)
{
	struct utsname name;
	int fd;

	if (unshare(CLONE_NEWUTS))
		SKIP("no UTS namespace");
	fd = open("/proc/sys/kernel/hostname", O_WRONLY | O_TRUNC);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "a-new-name\n", 11), 11);
	CHECK(uname(&name) == 0);
	CHECK(strcmp(name.nodename, "a-new-name") == 0);
	CHECK(strcmp(proc_text("/proc/sys/kernel/hostname"), "a-new-name\n") == 0);
}

TEST(a_fresh_mount_shows_the_namespace)
{
	int status;
	pid_t child;

	if (unshare(CLONE_NEWPID | CLONE_NEWNS) ||
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		SKIP("no pid namespace");
	child = fork();
	if (child == 0) {
		CHECK_EQ(getpid(), 1);
		CHECK(mount("proc", "/mnt", "proc", 0, NULL) == 0);
		CHECK(strcmp(proc_link("/mnt/self"), "1") == 0);
		CHECK_EQ(proc_number(proc_text("/mnt/self/status"), "Pid:"), 1);
		CHECK_EQ(proc_number(proc_text("/mnt/self/status"), "PPid:"), 0);
		/* Its group leader is outside: it has the number 0 here. */
		CHECK(strncmp(proc_field(proc_text("/mnt/self/status"), "NSpgid:"), "0\n", 2) == 0);
		CHECK(strncmp(proc_field(proc_text("/mnt/self/status"), "NSpid:"), "1\n", 2) == 0);
		CHECK(access("/mnt/2", F_OK) != 0);
		/* The old one shows the numbers of the outer namespace. */
		CHECK(strcmp(proc_link("/proc/self"), "1") != 0);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
}

TEST(hidepid_hides)
{
	struct stat status;
	pid_t child;
	char name[64];

	if (getuid() != 0 || unshare(CLONE_NEWNS) ||
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		SKIP("no mount namespace");
	CHECK(mount("proc", "/mnt", "proc", 0, "hidepid=2") == 0);
	CHECK(strstr(
		proc_text("/proc/self/mounts"), "proc /mnt proc rw,relatime,hidepid=invisible"));
	child = fork();
	if (child == 0)
		for (;;)
			pause();
	snprintf(name, sizeof(name), "/mnt/%d", child);
	CHECK(stat(name, &status) == 0);
	CHECK(setgid(12345) == 0 && setuid(12345) == 0);
	CHECK_ERRNO(stat(name, &status), ENOENT);
	CHECK(stat("/mnt/self", &status) == 0);
	strcat(name, "/status");
	CHECK_ERRNO(open(name, O_RDONLY), ENOENT);
	CHECK_ERRNO(mount("proc", "/mnt", "proc", 0, "nonsense"), EPERM);
}

TEST(subset_pid_has_no_more)
{
	if (getuid() != 0 || unshare(CLONE_NEWNS) ||
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		SKIP("no mount namespace");
	CHECK(mount("proc", "/mnt", "proc", 0, "subset=pid") == 0);
	CHECK(access("/mnt/self/status", F_OK) == 0);
	CHECK_ERRNO(access("/mnt/meminfo", F_OK), ENOENT);
	CHECK_ERRNO(access("/mnt/sys", F_OK), ENOENT);
	CHECK_ERRNO(mount("proc", "/mnt", "proc", 0, "nonsense=1"), EINVAL);
}

GUEST_TEST_MAIN()
