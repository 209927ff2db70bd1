/* SPDX-License-Identifier: Apache-2.0 */
/* A signal during each blocking call: EINTR without SA_RESTART, or always; going on with it;
 * restart_syscall. */
#include "tests/guest/temporary.h"
#include "tests/guest/wait_asleep.h"
#include "tests/guest/watchdog.h"

#include <linux/futex.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>

static volatile sig_atomic_t handled;
/* Shared, once somebody counts: so many signals, and no more. */
static volatile int *handled_count;
#define SIGNALS 3

static void handler(int signal)
{
	handled = signal;
	if (handled_count && ++*handled_count == SIGNALS)
		setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
}

/* SIGALRM soon, and then every 50 ms, so that none is missed. */
static void alarm_soon(int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
	struct itimerval timer = {{0, 50000}, {0, 20000}};

	watchdog_start();
	CHECK(sigaction(SIGALRM, &action, NULL) == 0);
	CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

static void fds_make(int fds[2])
{
	CHECK(pipe(fds) == 0);
}

/* Without SA_RESTART: EINTR. */
#define INTERRUPTED(name_, prepare, call)                                                          \
	TEST(name_##_is_interrupted)                                                               \
	{                                                                                          \
		prepare;                                                                           \
		alarm_soon(0);                                                                     \
		CHECK_ERRNO(call, EINTR);                                                          \
		CHECK_EQ(handled, SIGALRM);                                                        \
	}

/* EINTR, whatever SA_RESTART says. */
#define ALWAYS(name_, prepare, call)                                                               \
	INTERRUPTED(name_, prepare, call)                                                          \
	TEST(name_##_is_interrupted_in_spite_of_restart)                                           \
	{                                                                                          \
		prepare;                                                                           \
		alarm_soon(SA_RESTART);                                                            \
		CHECK_ERRNO(call, EINTR);                                                          \
		CHECK_EQ(handled, SIGALRM);                                                        \
	}

static char buffer[16];
static struct pollfd poll_entry;

static int listener(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	CHECK(bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)) == 0);
	CHECK(listen(fd, 1) == 0);
	return fd;
}

static int message_queue(void)
{
	int id = msgget(IPC_PRIVATE, 0600);

	CHECK(id >= 0);
	return id;
}

static pid_t child_pauses(void)
{
	pid_t child = fork();

	if (child == 0)
		for (;;)
			pause();
	return child;
}

INTERRUPTED(pipe_read, int fds[2]; fds_make(fds), read(fds[0], buffer, 1))
INTERRUPTED(wait, child_pauses(), waitpid(-1, NULL, 0))
INTERRUPTED(accept, int fd = listener(), accept(fd, NULL, NULL))
INTERRUPTED(socket_receive, int fds[2];
	    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0), recv(fds[0], buffer, 1, 0))
INTERRUPTED(
	futex_wait, static uint32_t word, syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0))
ALWAYS(poll, int fds[2]; fds_make(fds);
	poll_entry = ((struct pollfd){fds[0], POLLIN, 0}), poll(&poll_entry, 1, -1))
ALWAYS(select, int fds[2]; fds_make(fds); fd_set set; FD_ZERO(&set);
	FD_SET(fds[0], &set), select(fds[0] + 1, &set, NULL, NULL, NULL))
ALWAYS(epoll_wait, int fd = epoll_create1(0);
	struct epoll_event event, epoll_wait(fd, &event, 1, -1))
ALWAYS(pause, , pause())
ALWAYS(nanosleep, struct timespec time = {.tv_sec = 20}, nanosleep(&time, NULL))
ALWAYS(clock_nanosleep, struct timespec time = {.tv_sec = 20},
	syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &time, NULL))
ALWAYS(sigsuspend, sigset_t set; sigemptyset(&set), sigsuspend(&set))
ALWAYS(sigtimedwait, sigset_t set; sigemptyset(&set); sigaddset(&set, SIGUSR1);
	struct timespec time = {.tv_sec = 20}, sigtimedwait(&set, NULL, &time))

TEST(pipe_write_after_part_returns_the_part)
{
	int fds[2];
	char *large = calloc(1, 1 << 20);
	ssize_t wrote;

	fds_make(fds);
	alarm_soon(0);
	wrote = write(fds[1], large, 1 << 20);
	CHECK(wrote > 0 && wrote < 1 << 20);
	CHECK_ERRNO(write(fds[1], large, 1 << 20), EINTR);
}

TEST(message_receive_is_always_interrupted)
{
	int id = message_queue();
	ssize_t got;

	alarm_soon(SA_RESTART);
	got = msgrcv(id, buffer, 8, 0, 0);
	int error = errno;
	msgctl(id, IPC_RMID, NULL);
	CHECK_EQ(got, -1);
	CHECK_EQ(error, EINTR);
}

TEST(semop_is_always_interrupted)
{
	int id = semget(IPC_PRIVATE, 1, 0600), result;
	struct sembuf operation = {.sem_op = -1};

	CHECK(id >= 0);
	alarm_soon(SA_RESTART);
	result = semop(id, &operation, 1);
	int error = errno;
	semctl(id, 0, IPC_RMID);
	CHECK_EQ(result, -1);
	CHECK_EQ(error, EINTR);
}

TEST(flock_is_interrupted)
{
	temporary_enter();
	int first = open("lock", O_CREAT | O_RDWR, 0600), second = open("lock", O_RDWR);
	CHECK(flock(first, LOCK_EX) == 0);
	alarm_soon(0);
	CHECK_ERRNO(flock(second, LOCK_EX), EINTR);
}

TEST(record_lock_is_interrupted)
{
	struct flock lock = {.l_type = F_WRLCK};
	int fd, ready[2];
	char byte;

	temporary_enter();
	fd = open("lock", O_CREAT | O_RDWR, 0600);
	fds_make(ready);
	pid_t child = fork();
	if (child == 0) {
		CHECK(fcntl(fd, F_SETLK, &lock) == 0);
		CHECK_EQ(write(ready[1], "r", 1), 1);
		for (;;)
			pause();
	}
	CHECK_EQ(read(ready[0], &byte, 1), 1);
	alarm_soon(0);
	CHECK_ERRNO(fcntl(fd, F_SETLKW, &lock), EINTR);
	kill(child, SIGKILL);
}

TEST(fifo_open_is_interrupted)
{
	temporary_enter();
	CHECK(mkfifo("fifo", 0600) == 0);
	alarm_soon(0);
	CHECK_ERRNO(open("fifo", O_RDONLY), EINTR);
}

/* With SA_RESTART the call goes on until a child makes it end, after a few signals. */
static void later(void (*action)(int), int argument)
{
	pid_t child, parent = getpid();

	handled_count = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(handled_count != MAP_FAILED);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		while (*handled_count < SIGNALS)
			sleep_ms(1);
		wait_asleep(parent);
		action(argument);
		_exit(7);
	}
}

static void writes_byte(int fd)
{
	CHECK_EQ(write(fd, "x", 1), 1);
}

static void nothing(int argument)
{
	(void)argument;
}

TEST(pipe_read_restarts)
{
	int fds[2];

	fds_make(fds);
	later(writes_byte, fds[1]);
	alarm_soon(SA_RESTART);
	CHECK_EQ(read(fds[0], buffer, 1), 1);
	CHECK_EQ(handled, SIGALRM);
}

TEST(wait_restarts)
{
	int status;

	later(nothing, 0);
	alarm_soon(SA_RESTART);
	CHECK(waitpid(-1, &status, 0) > 0);
	CHECK_EQ(WEXITSTATUS(status), 7);
	CHECK_EQ(handled, SIGALRM);
}

TEST(waitid_restarts)
{
	siginfo_t info;

	later(nothing, 0);
	alarm_soon(SA_RESTART);
	CHECK(waitid(P_ALL, 0, &info, WEXITED) == 0);
	CHECK_EQ(handled, SIGALRM);
}

TEST(socket_receive_restarts)
{
	int fds[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	later(writes_byte, fds[1]);
	alarm_soon(SA_RESTART);
	CHECK_EQ(recv(fds[0], buffer, 1, 0), 1);
	CHECK_EQ(handled, SIGALRM);
}

static uint32_t *word;

static void wakes_word(int argument)
{
	(void)argument;
	*word = 1;
	syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

TEST(futex_wait_restarts)
{
	word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	later(wakes_word, 0);
	alarm_soon(SA_RESTART);
	CHECK_EQ(syscall(SYS_futex, word, FUTEX_WAIT, 0, NULL, NULL, 0), 0);
	CHECK_EQ(handled, SIGALRM);
}

TEST(socket_with_a_timeout_does_not_restart)
{
	struct timeval timeout = {20, 0};
	int fds[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	CHECK(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) == 0);
	alarm_soon(SA_RESTART);
	CHECK_ERRNO(recv(fds[0], buffer, 1, 0), EINTR);
}

/* Ignored signals, and stop and continue, do not end a sleep; its end stays where it was. */
TEST(a_sleep_goes_on_over_ignored_signals)
{
	struct timespec time = {0, 150000000};
	int64_t start = now_ns();

	alarm_soon(0);
	signal(SIGALRM, SIG_IGN);
	CHECK(nanosleep(&time, NULL) == 0);
	CHECK(now_ns() - start >= 150000000);
}

static int stopped_sleep(int64_t *took, int kind)
{
	struct timespec time = {0, 200000000};
	int64_t start = now_ns();
	struct pollfd none = {-1, 0, 0};
	uint32_t futex_word = 0;
	int result = -1;

	if (kind == 0)
		result = nanosleep(&time, NULL);
	else if (kind == 1)
		result = poll(&none, 1, 200);
	else
		result = syscall(SYS_futex, &futex_word, FUTEX_WAIT, 0, &time, NULL, 0) == -1 &&
					 errno == ETIMEDOUT
				 ? 0
				 : -1;
	*took = now_ns() - start;
	return result;
}

TEST(timed_calls_go_on_after_stop_and_continue)
{
	for (int kind = 0; kind < 3; kind++) {
		int64_t took;
		int status = W_STOPCODE(SIGSTOP);
		pid_t child = fork();

		if (child == 0) {
			CHECK_EQ(stopped_sleep(&took, kind), 0);
			_exit(took >= 199000000 && took < 10000000000 ? 0 : 1);
		}
		/* On a busy machine it may be done before it was stopped that often. */
		for (int i = 0; i < 3 && WIFSTOPPED(status); i++) {
			sleep_ms(20);
			kill(child, SIGSTOP);
			CHECK(waitpid(child, &status, WUNTRACED) == child);
			kill(child, SIGCONT);
		}
		if (WIFSTOPPED(status))
			CHECK(waitpid(child, &status, 0) == child);
		CHECK_EQ(status, 0);
	}
}

TEST(remaining_time_is_reported)
{
	struct timespec time = {20, 0}, left = {0, 0};

	alarm_soon(0);
	CHECK_ERRNO(nanosleep(&time, &left), EINTR);
	CHECK(left.tv_sec >= 10 && left.tv_sec < 20);
}

TEST(restart_syscall_by_itself_is_eintr)
{
	CHECK_ERRNO(syscall(SYS_restart_syscall), EINTR);
}

GUEST_TEST_MAIN()
