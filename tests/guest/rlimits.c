/* SPDX-License-Identifier: Apache-2.0 */
/* Resource limits: reading and setting them, and that each one holds. */
#include "tests/guest/bad_address.h"
#include "tests/guest/guest_test.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>

static void limit(int resource, rlim_t soft, rlim_t hard)
{
	struct rlimit value = {soft, hard};

	CHECK(setrlimit(resource, &value) == 0);
}

TEST(reading_and_setting)
{
	struct rlimit value, old;

	CHECK(getrlimit(RLIMIT_NOFILE, &value) == 0);
	value.rlim_cur = 64;
	value.rlim_max = 128;
	CHECK(prlimit(0, RLIMIT_NOFILE, &value, &old) == 0);
	CHECK(prlimit(getpid(), RLIMIT_NOFILE, NULL, &old) == 0);
	CHECK(old.rlim_cur == 64 && old.rlim_max == 128);
	value.rlim_cur = 129;
	CHECK_ERRNO(setrlimit(RLIMIT_NOFILE, &value), EINVAL);
	CHECK_ERRNO(getrlimit(16, &value), EINVAL);
	CHECK_ERRNO(syscall(SYS_setrlimit, RLIMIT_NOFILE, bad_address), EFAULT);
	CHECK_ERRNO(syscall(SYS_getrlimit, RLIMIT_NOFILE, bad_address), EFAULT);
	CHECK_ERRNO(prlimit(0x3fffffff, RLIMIT_NOFILE, NULL, &old), ESRCH);
}

TEST(only_the_mighty_raise)
{
	struct rlimit value = {64, 128};

	CHECK(setrlimit(RLIMIT_CORE, &value) == 0);
	CHECK(setresuid(1000, 1000, 1000) == 0);
	value.rlim_max = 256;
	CHECK_ERRNO(setrlimit(RLIMIT_CORE, &value), EPERM);
	CHECK_ERRNO(prlimit(getppid(), RLIMIT_CORE, NULL, &value), EPERM);
}

TEST(children_inherit_and_programs_keep)
{
	char *argv[] = {"/bin/sh", "-c", "test $(ulimit -n) = 77 && test $(ulimit -Hn) = 99", NULL};
	pid_t child;
	int status;

	limit(RLIMIT_NOFILE, 77, 99);
	child = fork();
	if (child == 0) {
		execv(argv[0], argv);
		_exit(127);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

TEST(descriptors)
{
	int fds[2];

	limit(RLIMIT_NOFILE, 10, 10);
	while (dup(0) >= 0)
		;
	CHECK_EQ(errno, EMFILE);
	CHECK_ERRNO(open("/dev/null", O_RDONLY), EMFILE);
	CHECK_ERRNO(dup2(0, 10), EBADF);
	CHECK_ERRNO(fcntl(0, F_DUPFD, 10), EINVAL);
	close(9);
	CHECK_ERRNO(pipe(fds), EMFILE);
	CHECK_EQ(dup(0), 9);
}

static volatile sig_atomic_t signals;

static void on_signal(int signal)
{
	signals = signal;
}

TEST(file_size)
{
	char path[] = "/tmp/limit-XXXXXX";
	int fd = mkstemp(path);

	CHECK(fd >= 0);
	unlink(path);
	limit(RLIMIT_FSIZE, 100, RLIM_INFINITY);
	signal(SIGXFSZ, on_signal);
	CHECK_EQ(pwrite(fd, "0123456789", 10, 95), 5);
	CHECK_EQ(signals, 0);
	CHECK_ERRNO(pwrite(fd, "0123456789", 10, 100), EFBIG);
	CHECK_EQ(signals, SIGXFSZ);
	signals = 0;
	CHECK_ERRNO(ftruncate(fd, 101), EFBIG);
	CHECK_EQ(signals, SIGXFSZ);
	CHECK(ftruncate(fd, 100) == 0);
	CHECK_ERRNO(fallocate(fd, 0, 0, 200), EFBIG);
	signal(SIGXFSZ, SIG_DFL);
	if (fork() == 0) {
		limit(RLIMIT_CORE, 0, 0);
		(void)!pwrite(fd, "x", 1, 200);
		_exit(0);
	}
	CHECK(wait((int *)&signals) > 0);
	CHECK(WIFSIGNALED(signals) && WTERMSIG(signals) == SIGXFSZ);
}

static void spins(void)
{
	int64_t end = now_ns() + GUEST_TEST_SECONDS / 2 * 1000000000ll;

	signal(SIGXCPU, on_signal);
	limit(RLIMIT_CPU, 1, 2);
	while (!signals && now_ns() < end)
		;
	CHECK_EQ(signals, SIGXCPU);
	while (now_ns() < end)
		;
}

TEST(processor_time)
{
	int status = in_child(spins);

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void *no_work(void *argument)
{
	sleep_ms(1000);
	return argument;
}

TEST(processes_of_a_user)
{
	uid_t user = lone_user();
	pthread_t thread;
	int made = 0;

	CHECK(setresuid(user, user, user) == 0);
	limit(RLIMIT_NPROC, 3, 3);
	for (; made < 10; made++) {
		pid_t child = fork();

		if (child == 0) {
			for (;;)
				pause();
		}
		if (child < 0)
			break;
	}
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(made, 2);
	CHECK_EQ(pthread_create(&thread, NULL, no_work, NULL), EAGAIN);
}

TEST(a_user_with_too_many_processes_runs_no_program)
{
	char *argv[] = {"/bin/true", NULL};

	if (getuid())
		SKIP("needs root");
	limit(RLIMIT_NPROC, 0, 0);
	if (fork() == 0)
		_exit(setuid(54323) || execv(argv[0], argv) != -1 || errno != EAGAIN);
	CHECK(wait((int *)&signals) > 0);
	CHECK_EQ(signals, 0);
}

TEST(address_space)
{
	limit(RLIMIT_AS, 64 << 20, RLIM_INFINITY);
	CHECK(mmap(NULL, 128 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	CHECK_EQ(errno, ENOMEM);
	CHECK(mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
}

TEST(data)
{
	limit(RLIMIT_DATA, 4 << 20, RLIM_INFINITY);
	CHECK(sbrk(64 << 20) == (void *)-1);
	CHECK_EQ(errno, ENOMEM);
	CHECK(mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
		MAP_FAILED);
	CHECK(mmap(NULL, 64 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
}

static int deep(volatile char *above, int depth)
{
	volatile char here[4096];

	here[0] = above[0];
	return depth ? deep(here, depth - 1) + here[0] : 0;
}

TEST(stack)
{
	char *argv[] = {"/bin/sh", "-c", "test $(ulimit -s) = 256", NULL};
	char begin = 1;
	int status;
	pid_t child;

	limit(RLIMIT_STACK, 256 << 10, RLIM_INFINITY);
	child = fork();
	if (child == 0) {
		limit(RLIMIT_CORE, 0, 0);
		_exit(deep(&begin, 1000));
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	child = fork();
	if (child == 0) {
		execv(argv[0], argv);
		_exit(127);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

TEST(locked_memory)
{
	void *memory =
		mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(setresuid(1000, 1000, 1000) == 0);
	limit(RLIMIT_MEMLOCK, 8192, 8192);
	CHECK(mlock(memory, 8192) == 0);
	CHECK_ERRNO(mlock(memory, 1 << 20), ENOMEM);
	CHECK(munlock(memory, 8192) == 0);
	limit(RLIMIT_MEMLOCK, 0, 0);
	CHECK_ERRNO(mlock(memory, 4096), EPERM);
	CHECK_ERRNO(mlockall(MCL_CURRENT), EPERM);
}

TEST(pending_signals)
{
	union sigval value = {.sival_int = 1};
	uid_t user = lone_user();
	sigset_t set;
	int sent = 0;

	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	CHECK(setresuid(user, user, user) == 0);
	limit(RLIMIT_SIGPENDING, 5, 5);
	while (sent < 100 && sigqueue(getpid(), SIGRTMIN, value) == 0)
		sent++;
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(sent, 5);
	CHECK(kill(getpid(), SIGUSR1) == 0);
}

TEST(nice_values)
{
	CHECK(setresuid(1000, 1000, 1000) == 0);
	limit(RLIMIT_NICE, 0, 0);
	CHECK(setpriority(PRIO_PROCESS, 0, 5) == 0);
	CHECK_EQ(getpriority(PRIO_PROCESS, 0), 5);
	CHECK_ERRNO(setpriority(PRIO_PROCESS, 0, 4), EACCES);
	CHECK_ERRNO(setpriority(PRIO_PROCESS, getppid(), 10), EPERM);
	CHECK_ERRNO(setpriority(7, 0, 4), EINVAL);
	CHECK_ERRNO(getpriority(PRIO_PROCESS, 0x3fffffff), ESRCH);
}

TEST(core_dumps_are_told)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		limit(RLIMIT_CORE, 0, 0);
		raise(SIGSEGV);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV && !WCOREDUMP(status));
}

GUEST_TEST_MAIN()
