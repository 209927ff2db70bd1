/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp(2) beyond single filters: the order of actions, who inherits and who follows, and
 * supervisors: descriptors with an answer, signals while one waits, ends of listeners and targets.
 */
#include "tests/guest/bad_address.h"
#include "tests/guest/guest_test.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#ifndef SECCOMP_ADDFD_FLAG_SEND
#define SECCOMP_ADDFD_FLAG_SEND 2
#endif
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV 32
#endif
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif

static long seccomp(unsigned int operation, unsigned int flags, void *argument)
{
	return syscall(SYS_seccomp, operation, flags, argument);
}

static long install(long number, uint32_t action, unsigned int flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {4, code};

	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	return seccomp(SECCOMP_SET_MODE_FILTER, flags, &program);
}

/* --- the order of actions --- */

/* From the strictest on. */
static const uint32_t actions[] = {SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD,
	SECCOMP_RET_TRAP, SECCOMP_RET_ERRNO | 77, SECCOMP_RET_USER_NOTIF, SECCOMP_RET_TRACE,
	SECCOMP_RET_LOG, SECCOMP_RET_ALLOW};
#define ACTIONS (sizeof(actions) / sizeof(actions[0]))

static void on_sigsys(int signal)
{
	(void)signal;
	_exit(3);
}

/* What is left of a process that calls with these filters. */
static int outcome(uint32_t first, uint32_t second)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		long result;

		signal(SIGSYS, on_sigsys);
		if (install(SYS_getppid, first, 0) || install(SYS_getppid, second, 0))
			_exit(99);
		result = syscall(SYS_getppid);
		_exit(result == -1 ? errno : 1);
	}
	CHECK(waitpid(child, &status, 0) == child);
	return status & ~0x80;
}

TEST(the_strictest_of_two)
{
	/* A trap is a handler's exit; those that ask find nobody. */
	static const int expected[] = {
		SIGSYS, SIGSYS, 3 << 8, 77 << 8, ENOSYS << 8, ENOSYS << 8, 1 << 8, 1 << 8};

	for (size_t i = 0; i < ACTIONS; i++) {
		for (size_t j = 0; j < ACTIONS; j++) {
			size_t strictest = i < j ? i : j;

			if (outcome(actions[i], actions[j]) != expected[strictest])
				FAIL("%#x and %#x", actions[i], actions[j]);
		}
	}
}

/* How many programs of so many instructions and a return go into one chain. */
static int chain_of(struct sock_filter instruction, unsigned short count)
{
	static struct sock_filter code[4096];
	struct sock_fprog program = {(unsigned short)(count + 1), code};
	int status;
	pid_t child;

	for (int i = 0; i < count; i++)
		code[i] = instruction;
	code[count] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	child = fork();
	if (child == 0) {
		int installed = 0;

		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
			_exit(255);
		while (installed < 250 && seccomp(SECCOMP_SET_MODE_FILTER, 0, &program) == 0)
			installed++;
		_exit(errno == ENOMEM ? installed : 255);
	}
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* It is the kernel's own translation that counts: some instructions are two there. */
TEST(instructions_that_count_twice)
{
	struct sock_filter load = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
			   jump = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 5, 0, 0),
			   far = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x80000000, 0, 0),
			   ret = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);

	CHECK_EQ(chain_of(load, 200), 156);
	CHECK_EQ(chain_of(jump, 200), 156);
	CHECK_EQ(chain_of(far, 200), 80);
	CHECK_EQ(chain_of(ret, 200), 80);
	CHECK_EQ(chain_of(load, 1000), 32);
}

/* Whole programs count against a limit, with something for each. */
TEST(too_many_instructions)
{
	static struct sock_filter code[4096];
	struct sock_fprog program = {4096, code};
	int installed = 0;

	for (int i = 0; i < 4096; i++)
		code[i] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	while (installed < 100 && seccomp(SECCOMP_SET_MODE_FILTER, 0, &program) == 0)
		installed++;
	CHECK_EQ(errno, ENOMEM);
	CHECK_EQ(installed, 3);
	program.len = 1;
	CHECK(seccomp(SECCOMP_SET_MODE_FILTER, 0, &program) == 0);
}

TEST(flags)
{
	struct sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	struct sock_fprog program = {1, code};

	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK_EQ(seccomp(SECCOMP_SET_MODE_FILTER,
			 SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program),
		0);
	/* A thread's number and a descriptor cannot both be the result. */
	CHECK_ERRNO(seccomp(SECCOMP_SET_MODE_FILTER,
			    SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_NEW_LISTENER, &program),
		EINVAL);
	CHECK_ERRNO(
		seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &program),
		EINVAL);
	CHECK(seccomp(SECCOMP_SET_MODE_FILTER,
		      SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH |
			      SECCOMP_FILTER_FLAG_NEW_LISTENER,
		      &program) >= 0);
	/* One listener is all that a chain can have. */
	CHECK_ERRNO(seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program),
		EBUSY);
	CHECK_ERRNO(seccomp(SECCOMP_SET_MODE_FILTER, ~0u, &program), EINVAL);
	CHECK_ERRNO(seccomp(SECCOMP_SET_MODE_STRICT, 0, &program), EINVAL);
	/* Filters are for ever. */
	CHECK_ERRNO(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT), EINVAL);
	CHECK_ERRNO(prctl(PR_SET_SECCOMP, 77), EINVAL);
}

/* --- threads --- */

static volatile int go;

static void *call_later(void *unused)
{
	long result;

	(void)unused;
	while (!go)
		sleep_ms(1);
	result = syscall(SYS_getppid);
	return (void *)(result == -1 ? (long)errno : 0);
}

TEST(a_filter_is_one_thread_s)
{
	pthread_t thread;
	void *result;

	CHECK(pthread_create(&thread, NULL, call_later, NULL) == 0);
	CHECK(install(SYS_getppid, SECCOMP_RET_ERRNO | 77, 0) == 0);
	go = 1;
	pthread_join(thread, &result);
	CHECK_EQ((long)result, 0);
	/* One that is made now inherits. */
	CHECK(pthread_create(&thread, NULL, call_later, NULL) == 0);
	pthread_join(thread, &result);
	CHECK_EQ((long)result, 77);
}

TEST(all_threads_follow_with_no_new_privileges)
{
	pthread_t thread;
	void *result;

	CHECK(pthread_create(&thread, NULL, call_later, NULL) == 0);
	CHECK(install(SYS_getppid, SECCOMP_RET_ERRNO | 77, 0) == 0);
	/* The chain of the other is a part of ours. */
	CHECK(install(SYS_getgid, SECCOMP_RET_ERRNO | 78, SECCOMP_FILTER_FLAG_TSYNC) == 0);
	go = 1;
	pthread_join(thread, &result);
	CHECK_EQ((long)result, 77);
}

/* --- strict mode --- */

static void *strict_thread(void *unused)
{
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
	syscall(SYS_getpid);
	return unused;
}

/* It kills the thread that calls. */
TEST(strict_mode_is_one_thread_s)
{
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, strict_thread, NULL) == 0);
	pthread_join(thread, NULL);
	CHECK_EQ(prctl(PR_GET_SECCOMP), 0);
}

/* --- supervisors --- */

static int listener;

static pid_t start_target(unsigned int flags, long (*calls)(void))
{
	pid_t child;

	listener = (int)install(
		SYS_getppid, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER | flags);
	if (listener < 0 && errno == EINVAL)
		SKIP("an older kernel");
	CHECK(listener >= 0);
	CHECK_EQ(fcntl(listener, F_GETFD), FD_CLOEXEC);
	child = fork();
	if (child == 0)
		_exit((int)calls());
	return child;
}

static struct seccomp_notif receive(void)
{
	struct seccomp_notif request = {0};

	CHECK(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) == 0);
	return request;
}

static int answer(uint64_t id, int64_t value, int error)
{
	struct seccomp_notif_resp response = {id, value, error, 0};

	return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

static int end_of(pid_t child)
{
	int status;

	CHECK(waitpid(child, &status, 0) == child);
	return status;
}

static long call_once(void)
{
	long value = syscall(SYS_getppid);

	return value == -1 ? errno : value;
}

static long read_from_result(void)
{
	char text[8] = "";
	long fd = syscall(SYS_getppid);

	return fd > 2 && read((int)fd, text, 8) == 5 && !strcmp(text, "hello") ? 0 : 1;
}

TEST(a_descriptor_with_the_answer)
{
	pid_t child = start_target(0, read_from_result);
	struct seccomp_notif request = receive();
	struct seccomp_notif_addfd add = {.id = request.id, .flags = SECCOMP_ADDFD_FLAG_SEND};
	int fds[2];

	CHECK(pipe(fds) == 0);
	CHECK_EQ(write(fds[1], "hello", 5), 5);
	add.srcfd = (uint32_t)fds[0];
	CHECK(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add) > 2);
	/* That was the answer. */
	CHECK_ERRNO(answer(request.id, 1, 0), ENOENT);
	CHECK_EQ(end_of(child), 0);
}

TEST(descriptors_that_are_refused)
{
	pid_t child = start_target(0, call_once);
	struct seccomp_notif request = receive();
	struct seccomp_notif_addfd add = {.id = request.id}, large[2] = {{0}};

	add.srcfd = 999;
	CHECK_ERRNO(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add), EBADF);
	add.srcfd = 0;
	add.newfd = 5;
	/* A number needs its flag. */
	CHECK_ERRNO(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add), EINVAL);
	add.newfd = 0;
	add.flags = 8;
	CHECK_ERRNO(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add), EINVAL);
	add.flags = 0;
	add.newfd_flags = O_NONBLOCK;
	CHECK_ERRNO(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add), EINVAL);
	add.newfd_flags = 0;
	add.id = request.id + 1;
	CHECK_ERRNO(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add), ENOENT);
	CHECK_ERRNO(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, bad_address), EFAULT);
	/* A larger structure whose tail is zero is as good. */
	large[0].id = request.id;
	CHECK(ioctl(listener, SECCOMP_IOW(3, struct seccomp_notif_addfd[2]), large) >= 0);
	large[1].id = 1;
	CHECK_ERRNO(ioctl(listener, SECCOMP_IOW(3, struct seccomp_notif_addfd[2]), large), E2BIG);
	CHECK(answer(request.id, 9, 0) == 0);
	CHECK_EQ(end_of(child), 9 << 8);
}

TEST(requests_that_are_refused)
{
	pid_t child = start_target(0, call_once);
	struct seccomp_notif request = {.id = 1};
	uint64_t none = 0;

	/* The buffer must be zero before. */
	CHECK_ERRNO(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request), EINVAL);
	CHECK_ERRNO(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, bad_address), EFAULT);
	CHECK_ERRNO(ioctl(listener, 0x1234, &request), EINVAL);
	CHECK_ERRNO(ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &none), ENOENT);
	request = receive();
	CHECK_EQ(request.flags, 0);
	CHECK(answer(request.id, 0, -5) == 0);
	CHECK_EQ(end_of(child), 5 << 8);
}

/* One that was not received yet waits as it was; the notification comes again after a failure. */
TEST(a_request_to_a_bad_address_is_not_lost)
{
	pid_t child = start_target(0, call_once);
	struct pollfd poll_one = {.fd = listener, .events = POLLIN};
	struct seccomp_notif request,
		*unwritable = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK_EQ(poll(&poll_one, 1, 20000), 1);
	CHECK_EQ(poll_one.revents, POLLIN);
	CHECK_ERRNO(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, unwritable), EFAULT);
	request = receive();
	poll_one.events = POLLOUT;
	CHECK_EQ(poll(&poll_one, 1, 0), 1);
	CHECK_EQ(poll_one.revents, POLLOUT);
	CHECK(answer(request.id, 3, 0) == 0);
	CHECK_EQ(end_of(child), 3 << 8);
}

static volatile sig_atomic_t handled;

static void on_signal(int signal)
{
	handled = signal;
}

static long call_with_a_handler(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	long value;

	sigaction(SIGUSR1, &action, NULL);
	value = syscall(SYS_getppid);
	return value == -1 ? errno : handled ? 50 : 51;
}

/* A signal ends the wait, and with it the request. */
TEST(a_signal_interrupts_the_target)
{
	pid_t child = start_target(0, call_with_a_handler);
	struct seccomp_notif request = receive();

	kill(child, SIGUSR1);
	CHECK_EQ(end_of(child), EINTR << 8);
	CHECK_ERRNO(answer(request.id, 1, 0), ENOENT);
}

/* Unless the filter says that only death does, once the request was received. */
TEST(a_signal_waits_for_the_answer)
{
	pid_t child = start_target(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, call_with_a_handler);
	struct seccomp_notif request = receive();

	kill(child, SIGUSR1);
	sleep_ms(20);
	CHECK(ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &request.id) == 0);
	CHECK(answer(request.id, 1, 0) == 0);
	CHECK_EQ(end_of(child), 50 << 8);
}

TEST(before_it_was_received_a_signal_interrupts)
{
	pid_t child = start_target(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, call_with_a_handler);
	struct pollfd poll_one = {.fd = listener, .events = POLLIN};

	CHECK_EQ(poll(&poll_one, 1, 20000), 1);
	kill(child, SIGUSR1);
	CHECK_EQ(end_of(child), EINTR << 8);
}

TEST(death_ends_every_wait)
{
	pid_t child = start_target(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, call_once);
	struct seccomp_notif request = receive();

	kill(child, SIGKILL);
	CHECK_EQ(end_of(child), SIGKILL);
	CHECK_ERRNO(answer(request.id, 1, 0), ENOENT);
}

/* The last task with the filter is gone: there will be no more requests. */
TEST(the_end_of_all_targets)
{
	int fds[2], status;
	pid_t child;
	struct pollfd poll_one = {.events = POLLIN};
	struct seccomp_notif request = {0};

	/* Only the child has the filter; the listener comes through its descriptor table. */
	CHECK(pipe(fds) == 0);
	child = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (child == 0) {
		int fd = (int)install(
			SYS_getppid, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);

		(void)!write(fds[1], &fd, sizeof(fd));
		_exit(fd < 0);
	}
	CHECK_EQ(read(fds[0], &listener, sizeof(listener)), sizeof(listener));
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	poll_one.fd = listener;
	CHECK_EQ(poll(&poll_one, 1, 20000), 1);
	CHECK_EQ(poll_one.revents, POLLHUP);
	CHECK_ERRNO(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request), ENOENT);
}

TEST(settings_of_a_listener)
{
	uint64_t flags = 1, bad = 8;

	listener =
		(int)install(SYS_getppid, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
	CHECK(listener >= 0);
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, flags) && errno == EINVAL)
		SKIP("an older kernel");
	CHECK_ERRNO(ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, bad), EINVAL);
	CHECK_EQ(ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, 0), 0);
}

/* Several targets wait at once, and are told apart. */
TEST(many_targets)
{
	pid_t children[20];
	uint64_t ids[20];

	children[0] = start_target(0, call_once);
	for (int i = 1; i < 20; i++) {
		children[i] = fork();
		if (children[i] == 0)
			_exit((int)call_once());
	}
	for (int i = 0; i < 20; i++) {
		struct seccomp_notif request = receive();

		for (int j = 0; j < 20; j++)
			if ((pid_t)request.pid == children[j])
				ids[j] = request.id;
	}
	for (int i = 19; i >= 0; i--)
		CHECK(answer(ids[i], i + 1, 0) == 0);
	for (int i = 0; i < 20; i++)
		CHECK_EQ(end_of(children[i]), (i + 1) << 8);
}

GUEST_TEST_MAIN()
