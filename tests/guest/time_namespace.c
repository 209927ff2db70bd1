/* SPDX-License-Identifier: Apache-2.0 */
/* Time namespaces: which clocks they move, for whom, and who may say how far. */
#include "tests/guest/guest_test.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif
#define DAY 86400ll

static int set_offsets(const char *text)
{
	int fd = open("/proc/self/timens_offsets", O_WRONLY), error = 0;

	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		error = errno ? errno : EIO;
	close(fd);
	return error;
}

static void enter(const char *offsets)
{
	if (unshare(CLONE_NEWTIME))
		SKIP("no time namespaces");
	CHECK_EQ(set_offsets(offsets), 0);
}

/* Seconds of a clock: by the C library, which may ask the vDSO, or by the system call. */
static long long seconds(clockid_t clock, bool by_call)
{
	struct timespec now;

	CHECK((by_call ? (int)syscall(SYS_clock_gettime, clock, &now)
		       : clock_gettime(clock, &now)) == 0);
	return now.tv_sec;
}

static long long uptime(void)
{
	char text[64] = "";
	int fd = open("/proc/uptime", O_RDONLY);

	CHECK(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	return atoll(text);
}

static bool is_about(long long value, long long wanted)
{
	return value >= wanted && value < wanted + 100;
}

static struct {
	long long monotonic, boottime, realtime, uptime;
} before;

static void look(void)
{
	before.monotonic = seconds(CLOCK_MONOTONIC, true);
	before.boottime = seconds(CLOCK_BOOTTIME, true);
	before.realtime = seconds(CLOCK_REALTIME, true);
	before.uptime = uptime();
}

static void check_moved(long long monotonic, long long boottime)
{
	static const clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_MONOTONIC_COARSE};
	struct sysinfo info;

	for (int by_call = 0; by_call < 2; by_call++) {
		for (size_t i = 0; i < 2; i++)
			CHECK(is_about(
				seconds(clocks[i], by_call), before.monotonic - 1 + monotonic));
		CHECK(is_about(seconds(CLOCK_BOOTTIME, by_call), before.boottime + boottime));
		CHECK(is_about(seconds(CLOCK_REALTIME, by_call), before.realtime));
	}
	CHECK(is_about(uptime(), before.uptime + boottime));
	CHECK(sysinfo(&info) == 0);
	CHECK(is_about(info.uptime, before.uptime + boottime));
}

static void in_child_with(void (*function)(void))
{
	CHECK_EQ(in_child(function), 0);
}

static void check_days(void)
{
	check_moved(10 * DAY, 20 * DAY);
}

TEST(clocks_of_children)
{
	look();
	enter("monotonic 864000 0\nboottime 1728000 0\n");
	check_moved(0, 0);
	in_child_with(check_days);
}

static void check_back(void)
{
	check_moved(-1, 0);
}

TEST(backwards)
{
	look();
	enter("monotonic -1 500000000");
	in_child_with(check_back);
}

static void fork_again(void)
{
	in_child_with(check_days);
}

TEST(grandchildren)
{
	look();
	enter("1 864000 0\n7 1728000 0\n");
	in_child_with(fork_again);
}

/* A vfork's child shares the memory, and so the clocks; its program does not. */
static void check_vfork(void)
{
	pid_t child;
	int status;

	child = vfork();
	if (child == 0) {
		execl("/bin/sh", "sh", "-c",
			"read up rest < /proc/uptime; [ ${up%.*} -gt 1000000000 ]", NULL);
		_exit(127);
	}
	CHECK(child > 0 && waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
}

TEST(a_program_begins_in_it)
{
	enter("boottime 1000000000 0\n");
	check_vfork();
	execl("/bin/sh", "sh", "-c", "read up rest < /proc/uptime; [ ${up%.*} -gt 1000000000 ]",
		NULL);
	CHECK(false);
}

static long long due_in(clockid_t clock)
{
	struct timespec at, now;

	CHECK(clock_gettime(clock, &at) == 0);
	at.tv_nsec += 30000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_nsec -= 1000000000;
		at.tv_sec++;
	}
	CHECK_EQ(clock_nanosleep(clock, TIMER_ABSTIME, &at, NULL), 0);
	CHECK(clock_gettime(clock, &now) == 0);
	return (now.tv_sec - at.tv_sec) * 1000000000ll + now.tv_nsec - at.tv_nsec;
}

static void check_sleeps(void)
{
	const struct timespec past = {.tv_sec = 1};
	long long late = due_in(CLOCK_MONOTONIC);

	CHECK(late >= 0 && late < 20000000000ll);
	late = due_in(CLOCK_BOOTTIME);
	CHECK(late >= 0 && late < 20000000000ll);
	CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &past, NULL), 0);
}

TEST(sleeps)
{
	enter("monotonic 864000 0\nboottime 1728000 0\n");
	in_child_with(check_sleeps);
}

static void check_timers(void)
{
	struct itimerspec setting = {0}, left;
	struct timespec now;
	uint32_t word = 0;
	uint64_t ticks;
	timer_t timer;
	sigset_t set;
	int fd = timerfd_create(CLOCK_BOOTTIME, 0), signal;

	CHECK(fd >= 0 && clock_gettime(CLOCK_BOOTTIME, &setting.it_value) == 0);
	setting.it_value.tv_sec += 1000;
	CHECK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &setting, NULL) == 0);
	CHECK(timerfd_gettime(fd, &left) == 0);
	CHECK(left.it_value.tv_sec > 900 && left.it_value.tv_sec <= 1000);
	setting.it_value.tv_sec = 1;
	CHECK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &setting, NULL) == 0);
	CHECK_EQ(read(fd, &ticks, sizeof(ticks)), sizeof(ticks));

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK(timer_create(CLOCK_MONOTONIC, NULL, &timer) == 0);
	CHECK(clock_gettime(CLOCK_MONOTONIC, &setting.it_value) == 0);
	setting.it_value.tv_sec += 1000;
	CHECK(timer_settime(timer, TIMER_ABSTIME, &setting, NULL) == 0);
	CHECK(timer_gettime(timer, &left) == 0);
	CHECK(left.it_value.tv_sec > 900 && left.it_value.tv_sec <= 1000);
	setting.it_value.tv_sec -= 2000;
	CHECK(timer_settime(timer, TIMER_ABSTIME, &setting, NULL) == 0);
	CHECK(sigwait(&set, &signal) == 0);

	CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
	CHECK_ERRNO(syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 0, &now, NULL, ~0u), ETIMEDOUT);
}

TEST(timers_and_futexes)
{
	enter("monotonic 864000 0\nboottime 1728000 0\n");
	in_child_with(check_timers);
	enter("monotonic -1 0\n");
	in_child_with(check_timers);
}

static void nothing(void)
{
}

static void show(const char *path, char text[128])
{
	int fd = open(path, O_RDONLY);
	ssize_t size;

	CHECK(fd >= 0);
	size = read(fd, text, 127);
	CHECK(size >= 0);
	text[size] = '\0';
	close(fd);
}

TEST(offsets_file)
{
	char text[128], huge[64];

	CHECK_EQ(set_offsets("monotonic 1 0\n"), EACCES);
	enter("monotonic -5 250000000\n");
	show("/proc/self/timens_offsets", text);
	CHECK(!strcmp(text, "monotonic          -5 250000000\nboottime            0         0\n"));
	CHECK_EQ(set_offsets("monotonic 1\n"), EINVAL);
	CHECK_EQ(set_offsets("realtime 1 0\n"), EINVAL);
	CHECK_EQ(set_offsets("monotonic 1 1000000000\n"), EINVAL);
	CHECK_EQ(set_offsets("monotonic 1 0\nx"), EINVAL);
	CHECK_EQ(set_offsets("boottime -9000000000 0\n"), ERANGE);
	snprintf(huge, sizeof(huge), "monotonic %lld 0\n", 9223372036ll);
	CHECK_EQ(set_offsets(huge), ERANGE);
	CHECK_EQ(set_offsets("boottime 7 0\n"), 0);
	in_child_with(nothing);
	CHECK_EQ(set_offsets("boottime 8 0\n"), EACCES);
	show("/proc/self/timens_offsets", text);
	CHECK(!strcmp(text, "monotonic          -5 250000000\nboottime            7         0\n"));
}

static void lose_capabilities(void)
{
	CHECK(setuid(12345) == 0);
	CHECK_ERRNO(unshare(CLONE_NEWTIME), EPERM);
}

TEST(permissions)
{
	enter("boottime 1 0\n");
	in_child_with(lose_capabilities);
}

static uint64_t inode_of(const char *path)
{
	struct stat status;

	CHECK(stat(path, &status) == 0);
	return status.st_ino;
}

static uint64_t first, chosen;

static void check_is_in(void)
{
	CHECK_EQ(inode_of("/proc/self/ns/time"), chosen);
	CHECK_EQ(inode_of("/proc/self/ns/time_for_children"), chosen);
}

TEST(files_of_namespaces)
{
	char link[64] = "";

	first = inode_of("/proc/self/ns/time");
	enter("boottime 1 0\n");
	chosen = inode_of("/proc/self/ns/time_for_children");
	CHECK(chosen != first);
	CHECK_EQ(inode_of("/proc/self/ns/time"), first);
	in_child_with(check_is_in);
	CHECK(readlink("/proc/self/ns/time_for_children", link, sizeof(link) - 1) > 0);
	CHECK(!strncmp(link, "time:[", 6));
}

TEST(entering)
{
	int fd, old = open("/proc/self/ns/time", O_RDONLY);

	look();
	enter("monotonic 864000 0\nboottime 1728000 0\n");
	fd = open("/proc/self/ns/time_for_children", O_RDONLY);
	CHECK(fd >= 0 && old >= 0);
	CHECK_ERRNO(setns(fd, CLONE_NEWUTS), EINVAL);
	CHECK(setns(fd, CLONE_NEWTIME) == 0);
	check_days();
	CHECK_EQ(set_offsets("boottime 8 0\n"), EACCES);
	CHECK(setns(old, 0) == 0);
	check_moved(0, 0);
	in_child_with(nothing);
}

static void *wait_for_end(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static void enter_with_thread(void)
{
	int fd = open("/proc/self/ns/time_for_children", O_RDONLY);
	static char stack[65536] __attribute__((aligned(16)));

	CHECK(clone((int (*)(void *))(void (*)(void))wait_for_end, stack + sizeof(stack),
		      CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_FS | CLONE_FILES, NULL) > 0);
	CHECK_ERRNO(setns(fd, CLONE_NEWTIME), EUSERS);
	_exit(0);
}

TEST(threads_stay_together)
{
	enter("boottime 1 0\n");
	in_child_with(enter_with_thread);
}

TEST(clone3_makes_one)
{
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	} args = {.flags = CLONE_NEWTIME, .exit_signal = SIGCHLD};
	uint64_t mine = inode_of("/proc/self/ns/time");
	int status;
	pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (child == 0)
		_exit(inode_of("/proc/self/ns/time") == mine);
	if (child < 0)
		SKIP("no time namespaces");
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
}

static long long starttime(void)
{
	char text[512] = "", *at;
	int fd = open("/proc/self/stat", O_RDONLY);

	CHECK(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	at = strrchr(text, ')');
	for (int i = 0; i < 20; i++)
		at = strchr(at + 1, ' ');
	return atoll(at) / sysconf(_SC_CLK_TCK);
}

static void check_start(void)
{
	CHECK(starttime() >= before.uptime + 20 * DAY);
}

TEST(when_a_process_began)
{
	look();
	enter("boottime 1728000 0\n");
	in_child_with(check_start);
}

GUEST_TEST_MAIN()
