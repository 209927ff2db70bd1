/* SPDX-License-Identifier: Apache-2.0 */
/* What a process reads of itself in /proc/self. */
#include "tests/guest/proc_read.h"

#include <limits.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static char *own_argv0;

TEST(self_names_the_process)
{
	char expected[64];

	snprintf(expected, sizeof(expected), "%d", getpid());
	CHECK(strcmp(proc_link("/proc/self"), expected) == 0);
	snprintf(expected, sizeof(expected), "%d/task/%d", getpid(), (int)syscall(SYS_gettid));
	CHECK(strcmp(proc_link("/proc/thread-self"), expected) == 0);
}

static void *thread_reads_its_link(void *argument)
{
	char expected[64];

	snprintf(expected, sizeof(expected), "%d/task/%d", getpid(), (int)syscall(SYS_gettid));
	CHECK(strcmp(proc_link("/proc/thread-self"), expected) == 0);
	CHECK_EQ(proc_number(proc_text("/proc/thread-self/status"), "Pid:"), syscall(SYS_gettid));
	CHECK_EQ(proc_number(proc_text("/proc/self/status"), "Pid:"), getpid());
	CHECK_EQ(proc_number(proc_text("/proc/thread-self/status"), "Tgid:"), getpid());
	CHECK_EQ(proc_number(proc_text("/proc/self/status"), "Threads:"), 2);
	return argument;
}

TEST(thread_self_names_the_thread)
{
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, thread_reads_its_link, NULL) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
}

TEST(status_tells_ids_and_family)
{
	char *text = proc_text("/proc/self/status");
	unsigned int ids[4];

	CHECK_EQ(proc_number(text, "Pid:"), getpid());
	CHECK_EQ(proc_number(text, "Tgid:"), getpid());
	CHECK_EQ(proc_number(text, "PPid:"), getppid());
	CHECK_EQ(proc_number(text, "TracerPid:"), 0);
	CHECK_EQ(proc_number(text, "Threads:"), 1);
	CHECK_EQ(
		sscanf(proc_field(text, "Uid:"), "%u %u %u %u", &ids[0], &ids[1], &ids[2], &ids[3]),
		4);
	CHECK_EQ(ids[0], getuid());
	CHECK_EQ(ids[1], geteuid());
	CHECK_EQ(
		sscanf(proc_field(text, "Gid:"), "%u %u %u %u", &ids[0], &ids[1], &ids[2], &ids[3]),
		4);
	CHECK_EQ(ids[0], getgid());
	CHECK(strncmp(proc_field(text, "State:"), "R (running)", 11) == 0);
	CHECK(proc_number(text, "VmSize:") > 0);
	CHECK(proc_number(text, "VmPeak:") >= proc_number(text, "VmSize:"));
	CHECK(proc_number(text, "VmHWM:") >= 0);
	CHECK(proc_number(text, "FDSize:") >= 64);
}

TEST(status_has_its_lines_in_order)
{
	static const char *const names[] = {"Name:", "Umask:", "State:", "Tgid:", "Ngid:", "Pid:",
		"PPid:", "TracerPid:", "Uid:", "Gid:", "FDSize:", "Groups:", "NStgid:", "NSpid:",
		"NSpgid:", "NSsid:", "VmPeak:", "VmSize:", "VmLck:", "VmPin:", "VmHWM:", "VmRSS:",
		"RssAnon:", "RssFile:", "RssShmem:", "VmData:", "VmStk:", "VmExe:", "VmLib:",
		"VmPTE:", "VmSwap:", "HugetlbPages:", "CoreDumping:", "THP_enabled:", "Threads:",
		"SigQ:", "SigPnd:", "ShdPnd:", "SigBlk:", "SigIgn:", "SigCgt:", "CapInh:",
		"CapPrm:", "CapEff:", "CapBnd:", "CapAmb:", "NoNewPrivs:", "Seccomp:",
		"Seccomp_filters:", "Cpus_allowed:", "Cpus_allowed_list:", "Mems_allowed:",
		"Mems_allowed_list:", "voluntary_ctxt_switches:", "nonvoluntary_ctxt_switches:"};
	char *text = proc_text("/proc/self/status"), *last = text;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *at = proc_field(text, names[i]);

		if (!at)
			FAIL("there is no %s", names[i]);
		if (at < last)
			FAIL("%s comes too early", names[i]);
		last = at;
	}
}

TEST(status_tells_signals)
{
	sigset_t set;
	char *text;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMAX);
	sigprocmask(SIG_SETMASK, &set, NULL);
	signal(SIGUSR2, SIG_IGN);
	signal(SIGHUP, SIG_DFL);
	CHECK(raise(SIGUSR1) == 0);
	CHECK(kill(getpid(), SIGRTMAX) == 0);
	text = proc_text("/proc/self/status");
	CHECK_EQ(strtoull(proc_field(text, "SigPnd:"), NULL, 16), 1ull << (SIGUSR1 - 1));
	CHECK_EQ(strtoull(proc_field(text, "ShdPnd:"), NULL, 16), 1ull << (SIGRTMAX - 1));
	CHECK_EQ(strtoull(proc_field(text, "SigBlk:"), NULL, 16),
		1ull << (SIGUSR1 - 1) | 1ull << (SIGRTMAX - 1));
	CHECK(strtoull(proc_field(text, "SigIgn:"), NULL, 16) & 1ull << (SIGUSR2 - 1));
	CHECK(!(strtoull(proc_field(text, "SigIgn:"), NULL, 16) & 1ull << (SIGHUP - 1)));
}

TEST(stat_has_all_fields)
{
	char *text = proc_text("/proc/self/stat"), *at = strrchr(text, ')');
	int spaces = 0;

	CHECK_EQ(strtol(text, NULL, 10), getpid());
	for (char *c = at; *c; c++)
		spaces += *c == ' ';
	/* Number and name, then 50 more. */
	CHECK_EQ(spaces, 50);
	CHECK(text[strlen(text) - 1] == '\n');
	CHECK_EQ(proc_stat_field(text, 4), getppid());
	CHECK_EQ(proc_stat_field(text, 5), getpgrp());
	CHECK_EQ(proc_stat_field(text, 6), getsid(0));
	CHECK_EQ(proc_stat_field(text, 20), 1);
	CHECK_EQ(proc_stat_field(text, 38), SIGCHLD);
	CHECK(proc_stat_field(text, 23) > 0);
}

TEST(start_time_is_the_boot_clock)
{
	struct timespec now;
	long long start = proc_stat_field(proc_text("/proc/self/stat"), 22);

	clock_gettime(CLOCK_BOOTTIME, &now);
	CHECK(start <= now.tv_sec * 100 + now.tv_nsec / 10000000);
	CHECK(start > now.tv_sec * 100 - 6000);
}

static int64_t cpu_ns(void)
{
	struct timespec now;

	CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0);
	return now.tv_sec * 1000000000ll + now.tv_nsec;
}

TEST(cpu_time_is_counted)
{
	long long before = proc_stat_field(proc_text("/proc/self/stat"), 14),
		  end = cpu_ns() + 300000000;
	struct rusage usage;

	while (cpu_ns() < end)
		for (volatile int i = 0; i < 100000; i++)
			;
	getrusage(RUSAGE_SELF, &usage);
	CHECK(proc_stat_field(proc_text("/proc/self/stat"), 14) +
			proc_stat_field(proc_text("/proc/self/stat"), 15) >
		before);
}

TEST(comm_is_read_and_written)
{
	int fd = open("/proc/self/comm", O_RDWR);
	char name[16] = "";

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "a (strange) name that is long", 29), 29);
	CHECK(prctl(PR_GET_NAME, name) == 0);
	CHECK(strcmp(name, "a (strange) nam") == 0);
	CHECK(strcmp(proc_text("/proc/self/comm"), "a (strange) nam\n") == 0);
	CHECK(strncmp(strchr(proc_text("/proc/self/stat"), '('), "(a (strange) nam) R ", 20) == 0);
	CHECK(strncmp(proc_field(proc_text("/proc/self/status"), "Name:"), "a (strange) nam\n",
		      16) == 0);
	CHECK(prctl(PR_SET_NAME, "other") == 0);
	CHECK(strcmp(proc_text("/proc/self/comm"), "other\n") == 0);
}

TEST(cmdline_and_environ_are_those_of_exec)
{
	char text[65536];
	ssize_t size = proc_try_read("/proc/self/cmdline", text, sizeof(text));

	CHECK(size > 0);
	CHECK(strcmp(text, own_argv0) == 0);
	CHECK(text[size - 1] == '\0');
	setenv("ADDED_LATER", "1", 1);
	size = proc_try_read("/proc/self/environ", text, sizeof(text));
	CHECK(size >= 0);
	for (char *at = text; at < text + size; at += strlen(at) + 1)
		CHECK(strncmp(at, "ADDED_LATER=", 12) != 0);
}

TEST(auxv_is_what_the_program_got)
{
	unsigned long pairs[128];
	ssize_t size = proc_try_read("/proc/self/auxv", (char *)pairs, sizeof(pairs));

	CHECK(size > 0 && size % 16 == 0);
	for (size_t i = 0; i < (size_t)size / 8; i += 2) {
		if (pairs[i] == AT_ENTRY || pairs[i] == AT_PHDR || pairs[i] == AT_SYSINFO_EHDR ||
			pairs[i] == AT_PAGESZ)
			CHECK_EQ(pairs[i + 1], getauxval(pairs[i]));
	}
	CHECK_EQ(pairs[size / 8 - 2], AT_NULL);
}

TEST(links_lead_to_places)
{
	struct stat link, place;
	char cwd[PATH_MAX];

	CHECK(getcwd(cwd, sizeof(cwd)));
	CHECK(strcmp(proc_link("/proc/self/cwd"), cwd) == 0);
	CHECK(chdir("/usr") == 0);
	CHECK(strcmp(proc_link("/proc/self/cwd"), "/usr") == 0);
	CHECK(stat("/proc/self/cwd", &link) == 0 && stat("/usr", &place) == 0);
	CHECK(link.st_ino == place.st_ino && link.st_dev == place.st_dev);
	CHECK(strcmp(proc_link("/proc/self/root"), "/") == 0);
	CHECK(lstat("/proc/self/exe", &link) == 0 && S_ISLNK(link.st_mode));
	CHECK(stat("/proc/self/exe", &link) == 0 && S_ISREG(link.st_mode) && link.st_size > 0);
	CHECK(access("/proc/self/exe", X_OK) == 0);
	CHECK(stat("/proc/self/cwd/bin", &link) == 0);
}

TEST(limits_are_those_of_getrlimit)
{
	struct rlimit limit = {17, 23};
	unsigned long soft, hard;
	char *text;

	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	text = proc_text("/proc/self/limits");
	CHECK_EQ(sscanf(proc_field(text, "Max open files"), "%lu %lu files", &soft, &hard), 2);
	CHECK(soft == 17 && hard == 23);
	CHECK(strncmp(text,
		      "Limit                     Soft Limit           Hard Limit           Units   "
		      "  \n",
		      79) == 0);
}

static int write_text(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY), error;
	ssize_t result;

	if (fd < 0)
		return -errno;
	result = write(fd, text, strlen(text));
	error = errno;
	close(fd);
	return result < 0 ? -error : 0;
}

TEST(oom_score_adj_is_kept)
{
	CHECK_EQ(write_text("/proc/self/oom_score_adj", "300\n"), 0);
	CHECK(strcmp(proc_text("/proc/self/oom_score_adj"), "300\n") == 0);
	CHECK_EQ(write_text("/proc/self/oom_score_adj", "1001"), -EINVAL);
	CHECK_EQ(write_text("/proc/self/oom_score_adj", "x"), -EINVAL);
	CHECK_EQ(write_text("/proc/self/oom_score_adj", "1000"), 0);
	CHECK(strcmp(proc_text("/proc/self/oom_score_adj"), "1000\n") == 0);
	CHECK(strtol(proc_text("/proc/self/oom_score"), NULL, 10) > 1000);
}

TEST(timerslack_is_that_of_prctl)
{
	CHECK(prctl(PR_SET_TIMERSLACK, 123456) == 0);
	CHECK(strcmp(proc_text("/proc/self/timerslack_ns"), "123456\n") == 0);
	CHECK_EQ(write_text("/proc/self/timerslack_ns", "70000"), 0);
	CHECK_EQ(prctl(PR_GET_TIMERSLACK), 70000);
}

TEST(reading_again_from_the_start_is_fresh)
{
	char first[32] = "", second[32] = "";
	int fd = open("/proc/self/comm", O_RDONLY);

	CHECK(prctl(PR_SET_NAME, "first") == 0);
	CHECK_EQ(read(fd, first, sizeof(first)), 6);
	CHECK_EQ(read(fd, second, sizeof(second)), 0);
	CHECK(prctl(PR_SET_NAME, "second") == 0);
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK_EQ(read(fd, second, 3), 3);
	CHECK_EQ(read(fd, second + 3, sizeof(second) - 3), 4);
	CHECK(strcmp(second, "second\n") == 0);
	CHECK_EQ(pread(fd, first, 3, 3), 3);
	CHECK(memcmp(first, "ond", 3) == 0);
	CHECK_ERRNO(lseek(fd, 0, SEEK_END), EINVAL);
	CHECK_ERRNO(lseek(fd, -1, SEEK_SET), EINVAL);
}

TEST(text_ends_at_a_guard_page)
{
	char *tail = tail_alloc(10);
	int fd = open("/proc/self/status", O_RDONLY);

	CHECK_EQ(read(fd, tail, 10), 10);
	CHECK(memcmp(tail, "Name:\t", 6) == 0);
	CHECK_EQ(read(fd, tail + 6, 4), 4);
	CHECK_ERRNO(read(fd, tail + 10, 10), EFAULT);
}

int main(int argc, char **argv)
{
	own_argv0 = argv[0];
	return guest_test_main(argc, argv);
}
