/* SPDX-License-Identifier: Apache-2.0 */
/* fork: what a child inherits, what it does not, and what it shares. */
#include "tests/guest/temporary.h"

#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <sys/wait.h>

static void join(pid_t child)
{
	int status;

	CHECK(child > 0);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(status, 0);
}

TEST(returns_zero_in_the_child_and_its_pid_in_the_parent)
{
	pid_t parent = getpid(), *seen, child;

	seen = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	child = fork();
	if (child == 0) {
		seen[0] = getpid();
		seen[1] = getppid();
		seen[2] = (pid_t)syscall(SYS_gettid);
		_exit(0);
	}
	join(child);
	CHECK_EQ(seen[0], child);
	CHECK_EQ(seen[1], parent);
	CHECK_EQ(seen[2], child);
}

TEST(file_offsets_are_shared)
{
	char text[4] = "";
	int fd;

	temporary_enter();
	temporary_text("file", "abcdef");
	fd = open("file", O_RDONLY);
	pid_t child = fork();
	if (child == 0)
		_exit(read(fd, text, 3) == 3 ? 0 : 1);
	join(child);
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 3);
}

TEST(descriptors_are_copied_not_shared)
{
	int fds[2];
	pid_t child;

	CHECK(pipe(fds) == 0);
	child = fork();
	if (child == 0) {
		close(fds[0]);
		close(fds[1]);
		_exit(dup(0) >= 0 ? 0 : 1);
	}
	join(child);
	CHECK_EQ(write(fds[1], "x", 1), 1);
	CHECK(fcntl(fds[0], F_GETFD) == 0);
}

TEST(close_on_exec_flags_are_copied)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	pid_t child = fork();

	if (child == 0)
		_exit(fcntl(fd, F_GETFD) == FD_CLOEXEC ? 0 : 1);
	join(child);
}

static volatile sig_atomic_t handled;

static void handler(int signal)
{
	handled = signal;
}

TEST(handlers_and_mask_are_inherited_pending_signals_are_not)
{
	sigset_t set, mask, pending;
	pid_t child;

	signal(SIGUSR1, handler);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR2);
	child = fork();
	if (child == 0) {
		CHECK(sigpending(&pending) == 0);
		CHECK(!sigismember(&pending, SIGUSR2));
		CHECK(sigprocmask(SIG_BLOCK, NULL, &mask) == 0);
		CHECK(sigismember(&mask, SIGUSR2));
		raise(SIGUSR1);
		_exit(handled == SIGUSR1 ? 0 : 1);
	}
	join(child);
	CHECK(sigpending(&pending) == 0);
	CHECK(sigismember(&pending, SIGUSR2));
}

TEST(alarms_are_not_inherited)
{
	pid_t child;

	alarm(50);
	child = fork();
	if (child == 0)
		_exit(alarm(0) == 0 ? 0 : 1);
	join(child);
	CHECK(alarm(50) > 40);
}

TEST(times_start_at_zero)
{
	struct rusage usage;
	pid_t child;

	for (int64_t end = now_ns() + 30000000; now_ns() < end;)
		;
	child = fork();
	if (child == 0) {
		CHECK(getrusage(RUSAGE_CHILDREN, &usage) == 0);
		CHECK_EQ(usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec, 0);
		struct tms times_now;
		CHECK(times(&times_now) != (clock_t)-1);
		CHECK_EQ(times_now.tms_cutime, 0);
		_exit(0);
	}
	join(child);
}

TEST(directory_umask_session_group_and_limits_are_inherited)
{
	struct rlimit limit = {100, 200}, seen;
	char path[256];
	pid_t child, group = getpgrp(), session = getsid(0);

	CHECK(chdir("/usr") == 0);
	umask(0157);
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	child = fork();
	if (child == 0) {
		CHECK(!strcmp(getcwd(path, sizeof(path)), "/usr"));
		CHECK_EQ(umask(0), 0157);
		CHECK(getpgrp() == group && getsid(0) == session);
		CHECK(getrlimit(RLIMIT_NOFILE, &seen) == 0);
		CHECK(seen.rlim_cur == 100 && seen.rlim_max == 200);
		CHECK(chdir("/") == 0);
		_exit(0);
	}
	join(child);
	CHECK(!strcmp(getcwd(path, sizeof(path)), "/usr"));
	CHECK_EQ(umask(0), 0157);
}

TEST(parent_death_signal_is_not_inherited)
{
	int signal_number = -1;
	pid_t child;

	CHECK(prctl(PR_SET_PDEATHSIG, SIGTERM) == 0);
	child = fork();
	if (child == 0) {
		CHECK(prctl(PR_GET_PDEATHSIG, &signal_number) == 0);
		_exit(signal_number);
	}
	join(child);
}

static void *thread_waits(void *argument)
{
	pause();
	return argument;
}

TEST(only_the_calling_thread_is_in_the_child)
{
	pthread_t thread;
	pid_t child;

	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&thread, NULL, thread_waits, NULL) == 0);
	child = fork();
	if (child == 0) {
		char line[128];
		FILE *status = fopen("/proc/self/status", "r");

		CHECK(status);
		while (fgets(line, sizeof(line), status))
			if (!strncmp(line, "Threads:", 8))
				_exit(atoi(line + 8) == 1 ? 0 : 1);
		_exit(2);
	}
	join(child);
}

static void *thread_forks(void *argument)
{
	pid_t child = fork();

	(void)argument;
	if (child == 0)
		_exit(getpid() == syscall(SYS_gettid) ? 0 : 1);
	join(child);
	return NULL;
}

TEST(any_thread_may_fork_and_wait)
{
	pthread_t threads[3];

	for (int i = 0; i < 3; i++)
		CHECK(pthread_create(&threads[i], NULL, thread_forks, NULL) == 0);
	for (int i = 0; i < 3; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
}

TEST(a_child_reparents_when_its_parent_ends)
{
	int fds[2];
	pid_t child, seen[2];

	CHECK(pipe(fds) == 0);
	child = fork();
	if (child == 0) {
		if (fork() == 0) {
			pid_t me = getppid();
			while (getppid() == me)
				sleep_ms(1);
			seen[0] = me;
			seen[1] = getppid();
			CHECK_EQ(write(fds[1], seen, sizeof(seen)), (ssize_t)sizeof(seen));
			_exit(0);
		}
		sleep_ms(20);
		_exit(0);
	}
	join(child);
	CHECK_EQ(read(fds[0], seen, sizeof(seen)), (ssize_t)sizeof(seen));
	CHECK_EQ(seen[0], child);
	CHECK(seen[1] != child && seen[1] != getpid());
}

TEST(hundred_children_at_once)
{
	pid_t children[100];
	int go[2];
	char byte;

	CHECK(pipe(go) == 0);
	for (int i = 0; i < 100; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			close(go[1]);
			_exit(read(go[0], &byte, 1) == 0 ? i : 255);
		}
		CHECK(children[i] > 0);
	}
	close(go[1]);
	for (int i = 0; i < 100; i++) {
		int status;

		CHECK(waitpid(children[i], &status, 0) == children[i]);
		CHECK_EQ(WEXITSTATUS(status), i);
	}
	CHECK_ERRNO(wait(NULL), ECHILD);
}

TEST(three_hundred_in_a_row)
{
	for (int i = 0; i < 300; i++) {
		pid_t child = fork();

		if (child == 0)
			_exit(0);
		join(child);
	}
}

GUEST_TEST_MAIN()
