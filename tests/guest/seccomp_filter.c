/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp(2): every action of a filter, which of several wins, who inherits, what is refused, and
 * strict mode. */
#include "tests/guest/bad_address.h"
#include "tests/guest/guest_test.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>

#ifndef SECCOMP_ADDFD_FLAG_SEND
#define SECCOMP_ADDFD_FLAG_SEND 2
#endif

static long seccomp(unsigned int operation, unsigned int flags, void *argument)
{
	return syscall(SYS_seccomp, operation, flags, argument);
}

/* An action for one call, another for all others. */
static long install_for(long number, uint32_t action, uint32_t others, unsigned int flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, others),
	};
	struct sock_fprog program = {4, code};

	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	return seccomp(SECCOMP_SET_MODE_FILTER, flags, &program);
}

static long install(long number, uint32_t action)
{
	return install_for(number, action, SECCOMP_RET_ALLOW, 0);
}

TEST(errno_and_allow)
{
	CHECK(install(SYS_getppid, SECCOMP_RET_ERRNO | 77) == 0);
	CHECK_ERRNO(syscall(SYS_getppid), 77);
	CHECK(getpid() > 0);
	CHECK(install(SYS_getuid, SECCOMP_RET_ERRNO | 5000) == 0);
	CHECK_ERRNO(syscall(SYS_getuid), 4095);
	CHECK(install(SYS_getgid, SECCOMP_RET_ERRNO) == 0);
	CHECK_EQ(syscall(SYS_getgid), 0);
	CHECK_EQ(prctl(PR_GET_SECCOMP), 2);
}

static volatile sig_atomic_t trapped;
static siginfo_t trap_info;
static volatile long trap_number;

static void on_trap(int signal, siginfo_t *info, void *context)
{
	ucontext_t *user = context;

	trapped = signal;
	trap_info = *info;
	trap_number = user->uc_mcontext.gregs[REG_RAX];
	user->uc_mcontext.gregs[REG_RAX] = 4242;
}

TEST(trap)
{
	struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};

	CHECK(sigaction(SIGSYS, &action, NULL) == 0);
	CHECK(install(SYS_getppid, SECCOMP_RET_TRAP | 99) == 0);
	CHECK_EQ(syscall(SYS_getppid), 4242);
	CHECK_EQ(trapped, SIGSYS);
	CHECK_EQ(trap_info.si_code, 1);
	CHECK_EQ(trap_info.si_errno, 99);
	CHECK_EQ(trap_info.si_syscall, SYS_getppid);
	CHECK_EQ(trap_info.si_arch, AUDIT_ARCH_X86_64);
	CHECK_EQ(trap_number, SYS_getppid);
	CHECK(trap_info.si_call_addr != NULL);
}

static int status_with(uint32_t action)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		CHECK(install(SYS_getppid, action) == 0);
		syscall(SYS_getppid);
		_exit(7);
	}
	CHECK(waitpid(child, &status, 0) == child);
	return status;
}

TEST(killing)
{
	int status = status_with(SECCOMP_RET_KILL_PROCESS);

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
	status = status_with(SECCOMP_RET_KILL_THREAD);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
	status = status_with(SECCOMP_RET_LOG);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	/* Nobody traces. */
	status = status_with(SECCOMP_RET_TRACE);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	/* An action that there is not kills. */
	status = status_with(0x12340000);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

static void *calls_getppid(void *argument)
{
	syscall(SYS_getppid);
	return argument;
}

static int threads_with(uint32_t action)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		pthread_t thread;

		CHECK(install(SYS_getppid, action) == 0);
		CHECK(pthread_create(&thread, NULL, calls_getppid, NULL) == 0);
		/* That it is over, the kernel tells by its tid. */
		CHECK(pthread_join(thread, NULL) == 0);
		_exit(9);
	}
	CHECK(waitpid(child, &status, 0) == child);
	return status;
}

TEST(killing_a_thread_or_all)
{
	int status = threads_with(SECCOMP_RET_KILL_THREAD);

	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 9);
	status = threads_with(SECCOMP_RET_KILL_PROCESS);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

TEST(the_strictest_wins)
{
	CHECK(install(SYS_getppid, SECCOMP_RET_ERRNO | 1) == 0);
	CHECK(install(SYS_getppid, SECCOMP_RET_LOG) == 0);
	CHECK_ERRNO(syscall(SYS_getppid), 1);
	/* Of equal ones, the last. */
	CHECK(install(SYS_getppid, SECCOMP_RET_ERRNO | 2) == 0);
	CHECK_ERRNO(syscall(SYS_getppid), 2);
	CHECK(install(SYS_getppid, SECCOMP_RET_TRACE) == 0);
	CHECK_ERRNO(syscall(SYS_getppid), 2);
}

TEST(children_and_programs_inherit)
{
	int status;
	pid_t child;

	CHECK(install(SYS_getppid, SECCOMP_RET_ERRNO | 77) == 0);
	child = fork();
	if (child == 0)
		_exit(syscall(SYS_getppid) == -1 && errno == 77 ? 0 : 1);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	child = fork();
	if (child == 0) {
		execl("/bin/sh", "sh", "-c",
			"grep -q '^Seccomp:.2' /proc/self/status && grep -q '^Seccomp_filters:.1' "
			"/proc/self/status",
			NULL);
		_exit(127);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

TEST(arguments_and_arithmetic)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpriority, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
		BPF_STMT(BPF_ST, 3),
		BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, 3),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_MEM, 3),
		BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xff),
		BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(seccomp(SECCOMP_SET_MODE_FILTER, 0, &program) == 0);
	for (int i = 1; i < 30; i++)
		CHECK_ERRNO(syscall(SYS_getpriority, 0, i), 4 * i);
}

TEST(programs_that_are_refused)
{
	struct sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	static const struct sock_filter bad[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0),
		BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0),
		BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 0),
		BPF_STMT(BPF_ST, 16),
		BPF_STMT(BPF_LD | BPF_MEM, 2),
		BPF_STMT(BPF_JMP | BPF_JA, 1),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 200, 0),
		BPF_STMT(0xffff, 0),
		BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32),
	};
	struct sock_fprog program = {2, code};

	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		code[0] = bad[i];
		if (seccomp(SECCOMP_SET_MODE_FILTER, 0, &program) != -1 || errno != EINVAL)
			FAIL("instruction %u is not refused", i);
	}
	code[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_IMM, 0);
	code[1] = code[0];
	CHECK_ERRNO(seccomp(SECCOMP_SET_MODE_FILTER, 0, &program), EINVAL);
	program.len = 0;
	CHECK_ERRNO(seccomp(SECCOMP_SET_MODE_FILTER, 0, &program), EINVAL);
	program.len = 4097;
	CHECK_ERRNO(seccomp(SECCOMP_SET_MODE_FILTER, 0, &program), EINVAL);
	program = (struct sock_fprog){2, bad_address};
	CHECK_ERRNO(seccomp(SECCOMP_SET_MODE_FILTER, 0, &program), EFAULT);
	CHECK_ERRNO(seccomp(SECCOMP_SET_MODE_FILTER, 0, bad_address), EFAULT);
	CHECK_ERRNO(seccomp(SECCOMP_SET_MODE_FILTER, 1 << 20, &program), EINVAL);
	CHECK_ERRNO(seccomp(77, 0, NULL), EINVAL);
}

TEST(a_right_is_needed)
{
	struct sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	struct sock_fprog program = {1, code};

	CHECK(setresuid(1000, 1000, 1000) == 0);
	CHECK_ERRNO(seccomp(SECCOMP_SET_MODE_FILTER, 0, &program), EACCES);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

TEST(what_is_there)
{
	uint32_t actions[] = {SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP,
		SECCOMP_RET_ERRNO, SECCOMP_RET_USER_NOTIF, SECCOMP_RET_TRACE, SECCOMP_RET_LOG,
		SECCOMP_RET_ALLOW};
	uint32_t none = 0x12340000;
	struct seccomp_notif_sizes sizes;

	for (unsigned int i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		CHECK(seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &actions[i]) == 0);
	CHECK_ERRNO(seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &none), EOPNOTSUPP);
	CHECK_ERRNO(seccomp(SECCOMP_GET_ACTION_AVAIL, 1, &none), EINVAL);
	CHECK(seccomp(SECCOMP_GET_NOTIF_SIZES, 0, &sizes) == 0);
	CHECK_EQ(sizes.seccomp_notif, sizeof(struct seccomp_notif));
	CHECK_EQ(sizes.seccomp_notif_resp, sizeof(struct seccomp_notif_resp));
	CHECK_EQ(sizes.seccomp_data, sizeof(struct seccomp_data));
}

static volatile int go, result;

static void *waits_and_calls(void *argument)
{
	while (!go)
		sleep_ms(1);
	result = syscall(SYS_getppid) == -1 && errno == 77;
	return argument;
}

TEST(all_threads_at_once)
{
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, waits_and_calls, NULL) == 0);
	CHECK(install_for(SYS_getppid, SECCOMP_RET_ERRNO | 77, SECCOMP_RET_ALLOW,
		      SECCOMP_FILTER_FLAG_TSYNC) == 0);
	go = 1;
	pthread_join(thread, NULL);
	CHECK(result);
}

static volatile pid_t thread_id;

static void *has_a_filter_of_its_own(void *argument)
{
	CHECK(install(SYS_getgid, SECCOMP_RET_ALLOW) == 0);
	thread_id = (pid_t)syscall(SYS_gettid);
	while (!go)
		sleep_ms(1);
	return argument;
}

TEST(a_thread_with_other_filters_cannot_follow)
{
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, has_a_filter_of_its_own, NULL) == 0);
	while (!thread_id)
		sleep_ms(1);
	CHECK_EQ(install_for(SYS_getppid, SECCOMP_RET_ERRNO, SECCOMP_RET_ALLOW,
			 SECCOMP_FILTER_FLAG_TSYNC),
		thread_id);
	CHECK_ERRNO(install_for(SYS_getppid, SECCOMP_RET_ERRNO, SECCOMP_RET_ALLOW,
			    SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH),
		ESRCH);
	go = 1;
	pthread_join(thread, NULL);
}

TEST(strict_mode)
{
	int status, fds[2];
	pid_t child;

	CHECK(pipe(fds) == 0);
	child = fork();
	if (child == 0) {
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
		(void)!write(fds[1], "x", 1);
		syscall(SYS_exit, 5);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 5);
	child = fork();
	if (child == 0) {
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
		syscall(SYS_getpid);
		syscall(SYS_exit, 5);
	}
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	CHECK_ERRNO(seccomp(SECCOMP_SET_MODE_STRICT, 1, NULL), EINVAL);
}

/* --- notification --- */

static int listener;

/* The child makes a call that the parent answers. The listener comes over a descriptor table that
 * both share. */
static pid_t start_target(long (*calls)(void))
{
	pid_t child;

	listener = (int)install_for(SYS_getppid, SECCOMP_RET_USER_NOTIF, SECCOMP_RET_ALLOW,
		SECCOMP_FILTER_FLAG_NEW_LISTENER);
	CHECK(listener >= 0);
	child = fork();
	if (child == 0)
		_exit((int)calls());
	return child;
}

static long calls_once(void)
{
	long value = syscall(SYS_getppid);

	return value == -1 ? errno : value;
}

static struct seccomp_notif receive(void)
{
	struct seccomp_notif request = {0};
	struct pollfd poll_one = {listener, POLLIN, 0};

	CHECK_EQ(poll(&poll_one, 1, 20000), 1);
	CHECK(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) == 0);
	CHECK(ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &request.id) == 0);
	return request;
}

static int answer(uint64_t id, int64_t value, int error, uint32_t flags)
{
	struct seccomp_notif_resp response = {id, value, error, flags};

	return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

TEST(a_supervisor_answers)
{
	pid_t child = start_target(calls_once);
	struct seccomp_notif request = receive();
	int status;

	CHECK_EQ(request.pid, child);
	CHECK_EQ(request.data.nr, SYS_getppid);
	CHECK_EQ(request.data.arch, AUDIT_ARCH_X86_64);
	CHECK(answer(request.id, 55, 0, 0) == 0);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(WEXITSTATUS(status), 55);
	CHECK_ERRNO(answer(request.id, 55, 0, 0), ENOENT);
	CHECK_ERRNO(ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &request.id), ENOENT);
}

TEST(a_supervisor_refuses_or_lets_go_on)
{
	pid_t child = start_target(calls_once);
	struct seccomp_notif request = receive();
	int status;

	CHECK_ERRNO(answer(request.id, 1, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE), EINVAL);
	CHECK_ERRNO(answer(request.id, 0, 0, 8), EINVAL);
	CHECK(answer(request.id, 0, -44, 0) == 0);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_EQ(WEXITSTATUS(status), 44);
	child = fork();
	if (child == 0)
		_exit(syscall(SYS_getppid) > 0 ? 0 : 1);
	request = receive();
	CHECK(answer(request.id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE) == 0);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static long reads_from_the_descriptor(void)
{
	char text[8] = "";
	long fd = syscall(SYS_getppid);

	return fd > 2 && read((int)fd, text, 8) == 5 && !strcmp(text, "hello") ? 0 : 1;
}

TEST(a_supervisor_gives_a_descriptor)
{
	pid_t child = start_target(reads_from_the_descriptor);
	struct seccomp_notif request = receive();
	struct seccomp_notif_addfd add = {.id = request.id, .newfd_flags = O_CLOEXEC};
	int fds[2], status, fd;

	CHECK(pipe(fds) == 0);
	CHECK_EQ(write(fds[1], "hello", 5), 5);
	add.srcfd = (uint32_t)fds[0];
	fd = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
	CHECK(fd > 2);
	add.flags = SECCOMP_ADDFD_FLAG_SETFD;
	add.newfd = 50;
	CHECK_EQ(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add), 50);
	add.srcfd = 999;
	CHECK_ERRNO(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add), EBADF);
	CHECK(answer(request.id, fd, 0, 0) == 0);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

TEST(a_target_that_dies)
{
	pid_t child = start_target(calls_once);
	struct seccomp_notif request = receive();

	kill(child, SIGKILL);
	CHECK(waitpid(child, NULL, 0) == child);
	CHECK_ERRNO(ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &request.id), ENOENT);
	CHECK_ERRNO(answer(request.id, 0, 0, 0), ENOENT);
}

TEST(a_listener_that_goes)
{
	pid_t child = start_target(calls_once);
	int status;

	(void)receive();
	if (fork() == 0)
		_exit(0);
	close(listener);
	sleep_ms(20);
	/* The child has the listener too, and waits for an answer that only it could give. */
	kill(child, SIGKILL);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFSIGNALED(status));
	CHECK_ERRNO(syscall(SYS_getppid), ENOSYS);
}

GUEST_TEST_MAIN()
