/* SPDX-License-Identifier: Apache-2.0 */
/* clone, clone3 and vfork: what each flag shares, the identity words, and which arguments are
 * refused. */
#include "tests/guest/guest_test.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define STACK 65536

static int value;

static char *stack_top(void)
{
	char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(stack != MAP_FAILED);
	return stack + STACK;
}

static int join(pid_t child)
{
	int status;

	CHECK(child > 0);
	CHECK(waitpid(child, &status, __WALL) == child);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int sets_value(void *argument)
{
	value = (int)(intptr_t)argument;
	return 3;
}

static int closes_descriptor(void *argument)
{
	return close((int)(intptr_t)argument);
}

static int changes_directory(void *argument)
{
	umask(0123);
	return chdir(argument);
}

static void handler(int signal)
{
	(void)signal;
}

static int sets_handler(void *argument)
{
	(void)argument;
	return signal(SIGUSR1, handler) == SIG_ERR;
}

TEST(without_flags_is_fork)
{
	CHECK_EQ(join(clone(sets_value, stack_top(), SIGCHLD, (void *)5)), 3);
	CHECK_EQ(value, 0);
}

/* clone(2) does not check the signal, and the end of the child sends what there is. */
TEST(exit_signal_that_there_is_not)
{
	int no_signals[] = {65, 127, 128, 240, 255};

	for (unsigned int i = 0; i < sizeof(no_signals) / sizeof(no_signals[0]); i++)
		CHECK_EQ(join(clone(sets_value, stack_top(), no_signals[i], (void *)5)), 3);
}

TEST(clone_vm_shares_memory)
{
	CHECK_EQ(join(clone(sets_value, stack_top(), CLONE_VM | SIGCHLD, (void *)5)), 3);
	CHECK_EQ(value, 5);
}

TEST(clone_files_shares_descriptors)
{
	int fd = open("/dev/null", O_RDONLY);

	CHECK_EQ(join(clone(closes_descriptor, stack_top(), SIGCHLD, (void *)(intptr_t)fd)), 0);
	CHECK(fcntl(fd, F_GETFD) >= 0);
	CHECK_EQ(join(clone(closes_descriptor, stack_top(), CLONE_FILES | SIGCHLD,
			 (void *)(intptr_t)fd)),
		0);
	CHECK_ERRNO(fcntl(fd, F_GETFD), EBADF);
}

TEST(clone_fs_shares_directory_and_umask)
{
	char path[64];

	umask(022);
	CHECK(chdir("/") == 0);
	CHECK_EQ(join(clone(changes_directory, stack_top(), SIGCHLD, "/usr")), 0);
	CHECK(!strcmp(getcwd(path, sizeof(path)), "/"));
	CHECK_EQ(join(clone(changes_directory, stack_top(), CLONE_FS | SIGCHLD, "/usr")), 0);
	CHECK(!strcmp(getcwd(path, sizeof(path)), "/usr"));
	CHECK_EQ(umask(022), 0123);
}

TEST(clone_sighand_shares_handlers)
{
	struct sigaction action;

	CHECK_EQ(join(clone(sets_handler, stack_top(), CLONE_VM | SIGCHLD, NULL)), 0);
	CHECK(sigaction(SIGUSR1, NULL, &action) == 0 && action.sa_handler == SIG_DFL);
	CHECK_EQ(join(clone(sets_handler, stack_top(), CLONE_VM | CLONE_SIGHAND | SIGCHLD, NULL)),
		0);
	CHECK(sigaction(SIGUSR1, NULL, &action) == 0 && action.sa_handler == handler);
}

TEST(clone_clear_sighand_resets_handlers)
{
	struct clone_args arguments = {.flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD};
	struct sigaction action;
	pid_t child;

	signal(SIGUSR1, handler);
	signal(SIGUSR2, SIG_IGN);
	child = (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));
	if (child == 0) {
		CHECK(sigaction(SIGUSR1, NULL, &action) == 0 && action.sa_handler == SIG_DFL);
		CHECK(sigaction(SIGUSR2, NULL, &action) == 0 && action.sa_handler == SIG_IGN);
		_exit(0);
	}
	CHECK_EQ(join(child), 0);
}

TEST(clone_parent_makes_a_sibling)
{
	pid_t me = getpid(), child = fork();
	int status;

	if (child == 0) {
		pid_t sibling =
			(pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);

		if (sibling == 0)
			_exit(getppid() == me ? 9 : 8);
		CHECK_ERRNO(waitpid(sibling, NULL, 0), ECHILD);
		_exit(7);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(WEXITSTATUS(status), 7);
	CHECK(waitpid(-1, &status, 0) > 0);
	CHECK_EQ(WEXITSTATUS(status), 9);
}

TEST(settid_words)
{
	pid_t *words = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child = (pid_t)syscall(SYS_clone, CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD,
		NULL, &words[0], &words[1], NULL);

	if (child == 0)
		_exit(words[1] == getpid() ? 0 : 1);
	CHECK_EQ(words[0], child);
	CHECK_EQ(join(child), 0);
	CHECK_EQ(words[1], child);
}

TEST(cleartid_is_cleared_when_memory_is_shared)
{
	static pid_t word = 77;
	pid_t child = clone(sets_value, stack_top(), CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD,
		NULL, NULL, NULL, &word);

	CHECK_EQ(join(child), 3);
	CHECK_EQ(word, 0);
}

TEST(settls_sets_the_thread_pointer)
{
	static uint64_t block[64];
	static uint64_t seen;
	pid_t child;

	block[0] = (uint64_t)block;
	block[5] = 0x1122334455667788;
	child = (pid_t)syscall(SYS_clone, CLONE_SETTLS | SIGCHLD, NULL, NULL, NULL, block);
	if (child == 0) {
		__asm__ volatile("mov %%fs:40, %0" : "=r"(seen));
		syscall(SYS_exit_group, seen == 0x1122334455667788 ? 0 : 1);
	}
	CHECK_EQ(join(child), 0);
}

TEST(exit_signal_is_the_one_asked_for)
{
	sigset_t set;
	siginfo_t info;
	pid_t child;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	child = (pid_t)syscall(SYS_clone, SIGUSR1, NULL, NULL, NULL, NULL);
	if (child == 0)
		_exit(4);
	CHECK_EQ(sigwaitinfo(&set, &info), SIGUSR1);
	CHECK_EQ(info.si_pid, child);
	CHECK_EQ(info.si_status, 4);
	CHECK_ERRNO(waitpid(child, NULL, WNOHANG),
		ECHILD); /* not a SIGCHLD child: needs __WCLONE or __WALL */
	CHECK(waitpid(child, NULL, __WCLONE) == child);
}

TEST(no_exit_signal_is_silent)
{
	pid_t child = (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);

	if (child == 0)
		_exit(6);
	CHECK_EQ(join(child), 6);
}

TEST(clone_refuses_flags_that_do_not_go_together)
{
	CHECK_ERRNO(syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, NULL, NULL, NULL, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_clone, CLONE_THREAD | SIGCHLD, NULL, NULL, NULL, NULL), EINVAL);
	CHECK_ERRNO(syscall(SYS_clone, CLONE_THREAD | CLONE_VM | SIGCHLD, NULL, NULL, NULL, NULL),
		EINVAL);
	CHECK_ERRNO(syscall(SYS_clone, CLONE_FS | CLONE_NEWNS | SIGCHLD, NULL, NULL, NULL, NULL),
		EINVAL);
	CHECK_ERRNO(
		syscall(SYS_clone, CLONE_NEWIPC | CLONE_SYSVSEM | SIGCHLD, NULL, NULL, NULL, NULL),
		EINVAL);
	CHECK_ERRNO(syscall(SYS_clone, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, NULL, &value,
			    NULL, NULL),
		EINVAL);
	CHECK_ERRNO(syscall(SYS_clone, CLONE_PIDFD | CLONE_DETACHED | SIGCHLD, NULL, &value, NULL,
			    NULL),
		EINVAL);
}

TEST(pidfd_becomes_readable_when_the_child_ends)
{
	int pidfd = -1, go[2];
	char byte;
	pid_t child;
	struct pollfd poll_entry = {.events = POLLIN};

	CHECK(pipe(go) == 0);
	child = (pid_t)syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, &pidfd, NULL, NULL);
	if (child == 0)
		_exit(read(go[0], &byte, 1) == 1 ? 0 : 1);
	CHECK(pidfd >= 0);
	CHECK_EQ(fcntl(pidfd, F_GETFD), FD_CLOEXEC);
	poll_entry.fd = pidfd;
	CHECK_EQ(poll(&poll_entry, 1, 0), 0);
	CHECK_EQ(write(go[1], "x", 1), 1);
	CHECK_EQ(poll(&poll_entry, 1, 30000), 1);
	CHECK_EQ(poll_entry.revents & POLLIN, POLLIN);
	CHECK_EQ(join(child), 0);
}

TEST(clone3_works_as_fork)
{
	struct clone_args arguments = {.exit_signal = SIGCHLD};
	pid_t child = (pid_t)syscall(SYS_clone3, &arguments, sizeof(arguments));

	if (child == 0)
		_exit(12);
	CHECK_EQ(join(child), 12);
}

/* Of a longer structure, what is not known must be zero; that is seen before where it cannot be
 * read. */
TEST(clone3_looks_at_what_it_does_not_know)
{
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct clone_args arguments = {.exit_signal = 200};
	char *place = pages + 4096 - sizeof(arguments) - 8;

	CHECK(pages != MAP_FAILED && munmap(pages + 4096, 4096) == 0);
	memcpy(place, &arguments, sizeof(arguments));
	CHECK_ERRNO(syscall(SYS_clone3, place, sizeof(arguments) + 8), EINVAL);
	CHECK_ERRNO(syscall(SYS_clone3, place, sizeof(arguments) + 16), EFAULT);
	place[sizeof(arguments) + 7] = 1;
	CHECK_ERRNO(syscall(SYS_clone3, place, sizeof(arguments) + 8), E2BIG);
	CHECK_ERRNO(syscall(SYS_clone3, place, sizeof(arguments) + 16), E2BIG);
}

TEST(clone3_checks_its_argument)
{
	struct {
		struct clone_args known;
		uint64_t more;
	} large = {.known = {.exit_signal = SIGCHLD}};
	struct clone_args bad;

	CHECK_ERRNO(syscall(SYS_clone3, &large, 32), EINVAL);
	CHECK_ERRNO(syscall(SYS_clone3, &large, 8192), E2BIG);
	CHECK_ERRNO(syscall(SYS_clone3, NULL, sizeof(bad)), EFAULT);
	large.more = 1;
	CHECK_ERRNO(syscall(SYS_clone3, &large, sizeof(large)), E2BIG);
	bad = (struct clone_args){.exit_signal = 65};
	CHECK_ERRNO(syscall(SYS_clone3, &bad, sizeof(bad)), EINVAL);
	bad = (struct clone_args){.exit_signal = SIGCHLD, .stack = 4096};
	CHECK_ERRNO(syscall(SYS_clone3, &bad, sizeof(bad)), EINVAL);
	bad = (struct clone_args){.exit_signal = SIGCHLD, .stack_size = 4096};
	CHECK_ERRNO(syscall(SYS_clone3, &bad, sizeof(bad)), EINVAL);
	bad = (struct clone_args){.exit_signal = SIGCHLD, .flags = 1ull << 40};
	CHECK_ERRNO(syscall(SYS_clone3, &bad, sizeof(bad)), EINVAL);
	bad = (struct clone_args){.exit_signal = SIGCHLD, .flags = CLONE_DETACHED};
	CHECK_ERRNO(syscall(SYS_clone3, &bad, sizeof(bad)), EINVAL);
	bad = (struct clone_args){
		.exit_signal = SIGCHLD, .flags = CLONE_THREAD | CLONE_VM | CLONE_SIGHAND};
	CHECK_ERRNO(syscall(SYS_clone3, &bad, sizeof(bad)), EINVAL);
	bad = (struct clone_args){.flags = CLONE_SIGHAND | CLONE_CLEAR_SIGHAND | CLONE_VM};
	CHECK_ERRNO(syscall(SYS_clone3, &bad, sizeof(bad)), EINVAL);
	bad = (struct clone_args){
		.exit_signal = SIGCHLD, .set_tid_size = 99, .set_tid = (uintptr_t)&value};
	CHECK_ERRNO(syscall(SYS_clone3, &bad, sizeof(bad)), EINVAL);
	large.more = 0;
	pid_t child = (pid_t)syscall(SYS_clone3, &large, sizeof(large));
	if (child == 0)
		_exit(0);
	CHECK_EQ(join(child), 0);
}

TEST(vfork_holds_the_parent_until_exit)
{
	static volatile int order;
	pid_t child = vfork();

	if (child == 0) {
		struct timespec pause = {0, 50000000};

		nanosleep(&pause, NULL);
		order = 1;
		_exit(0);
	}
	CHECK_EQ(order, 1);
	CHECK_EQ(join(child), 0);
}

TEST(vfork_holds_the_parent_until_exec)
{
	pid_t child = vfork();

	if (child == 0) {
		execl("/bin/sh", "sh", "-c", "exit 21", NULL);
		_exit(1);
	}
	CHECK_EQ(join(child), 21);
}

TEST(vfork_child_killed_releases_the_parent)
{
	int status;
	pid_t child = vfork();

	if (child == 0) {
		kill(getpid(), SIGKILL);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(WTERMSIG(status), SIGKILL);
}

TEST(into_cgroup_with_a_bad_descriptor_fails)
{
	struct clone_args arguments = {
		.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = 9999};

	CHECK_ERRNO(syscall(SYS_clone3, &arguments, sizeof(arguments)), EBADF);
}

GUEST_TEST_MAIN()
