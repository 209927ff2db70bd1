/* SPDX-License-Identifier: Apache-2.0 */
/* What Landlock lets from one domain to another: tracing, signals, abstract sockets; and TCP ports.
 */
#include "tests/guest/landlock_test.h"

#include "tests/guest/inet.h"

#include <pthread.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

/* --- tracing --- */

static void own_domain(void)
{
	enforce(new_ruleset(MAKE_CHAR, 0, 0));
}

/* A child that entered a domain of its own, or not; it ends with its standard pipe. */
static pid_t start_child(bool restricted, int *keep)
{
	int ready[2], stay[2];
	char byte;
	pid_t child;

	CHECK(pipe(ready) == 0 && pipe(stay) == 0);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		close(stay[1]);
		signal(SIGUSR1, SIG_IGN);
		if (restricted)
			own_domain();
		CHECK(write(ready[1], "", 1) == 1);
		_exit(read(stay[0], &byte, 1) != 0);
	}
	close(stay[0]);
	CHECK(read(ready[0], &byte, 1) == 1);
	*keep = stay[1];
	return child;
}

static bool can_trace(pid_t child)
{
	int status;

	if (ptrace(PTRACE_ATTACH, child, 0, 0)) {
		CHECK(errno == EPERM);
		return false;
	}
	CHECK(waitpid(child, &status, __WALL) == child && WIFSTOPPED(status));
	CHECK(ptrace(PTRACE_DETACH, child, 0, 0) == 0);
	return true;
}

static bool can_read(pid_t child)
{
	static char here[8], there[8];
	struct iovec local = {here, 8}, remote = {there, 8};

	return process_vm_readv(child, &local, 1, &remote, 1, 0) == 8;
}

static bool can_look(pid_t child)
{
	char path[64], text[8];

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", child);
	return readlink(path, text, sizeof(text)) > 0;
}

static void check_access(pid_t child, bool expected)
{
	CHECK_EQ(can_trace(child), expected);
	CHECK_EQ(can_read(child), expected);
	CHECK_EQ(can_look(child), expected);
}

TEST(trace_from_outside)
{
	int keep;

	need_abi(7);
	check_access(start_child(true, &keep), true);
}

TEST(trace_within_and_below)
{
	int keep, keep_below;

	need_abi(7);
	own_domain();
	check_access(start_child(false, &keep), true);
	check_access(start_child(true, &keep_below), true);
}

TEST(trace_outwards)
{
	int keep;
	pid_t child;

	need_abi(7);
	child = start_child(false, &keep);
	own_domain();
	check_access(child, false);
}

/* Two domains, even of one ruleset, are strangers. */
TEST(trace_aside)
{
	int keep;
	pid_t child;

	need_abi(7);
	child = start_child(true, &keep);
	own_domain();
	check_access(child, false);
}

static void trace_parent(void)
{
	own_domain();
	CHECK_EQ(can_trace(getppid()), false);
}

TEST(trace_the_parent)
{
	need_abi(7);
	CHECK(in_child(trace_parent) == 0);
}

static void traceme(void)
{
	CHECK(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
}

static void restricted_traceme(void)
{
	own_domain();
	CHECK(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
}

TEST(traceme)
{
	int ready[2], status;
	char byte;
	pid_t child;

	need_abi(7);
	CHECK(in_child(traceme) == 0);
	CHECK(in_child(restricted_traceme) == 0);
	CHECK(pipe(ready) == 0);
	child = fork();
	if (child == 0) {
		close(ready[1]);
		CHECK(read(ready[0], &byte, 1) == 0);
		/* The parent is under what this is not. */
		CHECK_ERRNO(ptrace(PTRACE_TRACEME, 0, 0, 0), EPERM);
		_exit(0);
	}
	own_domain();
	close(ready[0]);
	close(ready[1]);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(in_child(traceme) == 0);
}

/* --- signals --- */

static void scope_signals(void)
{
	enforce(new_ruleset(0, 0, SCOPE_SIGNAL));
}

TEST(signals_outwards)
{
	int keep;
	pid_t child;

	need_abi(7);
	child = start_child(false, &keep);
	scope_signals();
	CHECK_ERRNO(kill(child, 0), EPERM);
	CHECK_ERRNO(kill(child, SIGUSR1), EPERM);
	CHECK_ERRNO(kill(child, SIGCONT), EPERM);
	CHECK_ERRNO(syscall(SYS_tgkill, child, child, SIGUSR1), EPERM);
	CHECK_ERRNO(sigqueue(child, SIGUSR1, (union sigval){0}), EPERM);
	CHECK_ERRNO(kill(getppid(), 0), EPERM);
	CHECK(kill(getpid(), 0) == 0);
}

TEST(signals_inwards)
{
	int keep, keep_below;
	pid_t child;

	need_abi(7);
	child = start_child(true, &keep);
	CHECK(kill(child, SIGUSR1) == 0);
	scope_signals();
	CHECK_ERRNO(kill(child, SIGUSR1), EPERM);
	child = start_child(false, &keep);
	CHECK(kill(child, SIGUSR1) == 0);
	child = start_child(true, &keep_below);
	CHECK(kill(child, SIGUSR1) == 0);
}

/* Only the domain that has the scope keeps its signals. */
TEST(signals_of_inner_domains)
{
	int keep;
	pid_t child;

	need_abi(7);
	scope_signals();
	child = start_child(false, &keep);
	own_domain();
	CHECK(kill(child, SIGUSR1) == 0);
	CHECK_ERRNO(kill(getppid(), 0), EPERM);
	scope_signals();
	CHECK_ERRNO(kill(child, SIGUSR1), EPERM);
}

TEST(signals_to_a_process_group)
{
	pid_t outside, inside;
	int keep, keep_inside;

	need_abi(7);
	CHECK(setpgid(0, 0) == 0 || getpgrp() == getpid());
	signal(SIGUSR1, SIG_IGN);
	outside = start_child(false, &keep);
	scope_signals();
	inside = start_child(false, &keep_inside);
	CHECK(setpgid(inside, inside) == 0);
	CHECK(kill(0, SIGUSR1) == 0);
	CHECK(kill(-inside, SIGUSR1) == 0);
	CHECK(outside > 0);
}

static int in_pipe[2];

static void *signal_leader(void *unused)
{
	(void)unused;
	scope_signals();
	CHECK(kill(getpid(), 0) == 0);
	CHECK(syscall(SYS_tgkill, getpid(), getpid(), 0) == 0);
	return NULL;
}

/* Threads of one process can always signal each other. */
TEST(signals_between_threads)
{
	pthread_t thread;

	need_abi(7);
	CHECK(pthread_create(&thread, NULL, signal_leader, NULL) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
}

static volatile sig_atomic_t arrived;

static void empty_pipe(void)
{
	char byte;

	CHECK(read(in_pipe[0], &byte, 1) == 1);
}

static void on_io(int number)
{
	arrived = number;
}

/* F_SETOWN: it counts who set it. */
static void set_owner_and_write(bool restricted)
{
	pid_t parent = getppid();

	if (restricted)
		scope_signals();
	CHECK(fcntl(in_pipe[0], F_SETOWN, parent) == 0);
	CHECK(fcntl(in_pipe[0], F_SETFL, O_ASYNC | O_NONBLOCK) == 0);
	CHECK(write(in_pipe[1], "x", 1) == 1);
}

static void set_owner_free(void)
{
	set_owner_and_write(false);
}

static void set_owner_restricted(void)
{
	set_owner_and_write(true);
}

static void set_owner_to_itself(void)
{
	scope_signals();
	CHECK(fcntl(in_pipe[0], F_SETOWN, getpid()) == 0);
	CHECK(fcntl(in_pipe[0], F_SETFL, O_ASYNC | O_NONBLOCK) == 0);
	CHECK(write(in_pipe[1], "x", 1) == 1);
	for (int i = 0; i < 1000 && !arrived; i++)
		sleep_ms(10);
	CHECK_EQ(arrived, SIGIO);
}

TEST(signals_of_files)
{
	need_abi(7);
	signal(SIGIO, on_io);
	CHECK(pipe(in_pipe) == 0);
	CHECK(in_child(set_owner_to_itself) == 0);
	empty_pipe();
	CHECK(in_child(set_owner_restricted) == 0);
	empty_pipe();
	sleep_ms(300);
	CHECK_EQ(arrived, 0);
	CHECK(in_child(set_owner_free) == 0);
	for (int i = 0; i < 1000 && !arrived; i++)
		sleep_ms(10);
	CHECK_EQ(arrived, SIGIO);
}

/* --- abstract sockets --- */

static struct sockaddr_un unix_name(bool abstract, char which, socklen_t *size)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};

	snprintf(name.sun_path, sizeof(name.sun_path), "%cguest-landlock-%d-%c",
		abstract ? 'A' : '.', getpid(), which);
	*size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name.sun_path) +
			    !abstract);
	if (abstract)
		name.sun_path[0] = '\0';
	return name;
}

static int unix_server(int type, struct sockaddr_un *name, socklen_t size)
{
	int fd = socket(AF_UNIX, type, 0);

	CHECK(fd >= 0 && bind(fd, (struct sockaddr *)name, size) == 0);
	CHECK(type == SOCK_DGRAM || listen(fd, 4) == 0);
	return fd;
}

static int try_connect(int type, struct sockaddr_un *name, socklen_t size)
{
	int fd = socket(AF_UNIX, type, 0), result;

	CHECK(fd >= 0);
	result = connect(fd, (struct sockaddr *)name, size) ? errno : 0;
	close(fd);
	return result;
}

TEST(abstract_sockets)
{
	static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM};

	need_abi(7);
	temporary_enter();
	for (int i = 0; i < 3; i++) {
		socklen_t size, path_size, inner_size;
		struct sockaddr_un name = unix_name(true, (char)('a' + i), &size);
		struct sockaddr_un path = unix_name(false, (char)('a' + i), &path_size);
		struct sockaddr_un inner = unix_name(true, (char)('f' + i), &inner_size);
		int status, type = types[i];
		pid_t child;

		unix_server(type, &name, size);
		unix_server(type, &path, path_size);
		child = fork();
		if (child == 0) {
			enforce(new_ruleset(0, 0, SCOPE_UNIX));
			CHECK_EQ(try_connect(type, &name, size), EPERM);
			CHECK_EQ(try_connect(type, &path, path_size), 0);
			/* Within the domain, and from one below it, all is well. */
			unix_server(type, &inner, inner_size);
			CHECK_EQ(try_connect(type, &inner, inner_size), 0);
			own_domain();
			CHECK_EQ(try_connect(type, &inner, inner_size), 0);
			CHECK_EQ(try_connect(type, &name, size), EPERM);
			_exit(0);
		}
		CHECK(waitpid(child, &status, 0) == child && status == 0);
		CHECK_EQ(try_connect(type, &name, size), 0);
	}
}

/* Datagrams: each is asked for, but for those to whom the socket was connected before. */
TEST(abstract_datagrams)
{
	socklen_t size, other_size;
	struct sockaddr_un name = unix_name(true, 'd', &size);
	struct sockaddr_un other = unix_name(true, 'e', &other_size);
	int connected, free_one;

	need_abi(7);
	unix_server(SOCK_DGRAM, &name, size);
	unix_server(SOCK_DGRAM, &other, other_size);
	connected = socket(AF_UNIX, SOCK_DGRAM, 0);
	free_one = socket(AF_UNIX, SOCK_DGRAM, 0);
	CHECK(connect(connected, (struct sockaddr *)&name, size) == 0);
	enforce(new_ruleset(0, 0, SCOPE_UNIX));
	CHECK(send(connected, "x", 1, 0) == 1);
	CHECK(sendto(connected, "x", 1, 0, (struct sockaddr *)&name, size) == 1);
	CHECK_ERRNO(sendto(connected, "x", 1, 0, (struct sockaddr *)&other, other_size), EPERM);
	CHECK_ERRNO(sendto(free_one, "x", 1, 0, (struct sockaddr *)&name, size), EPERM);
	CHECK_ERRNO(connect(free_one, (struct sockaddr *)&name, size), EPERM);
	CHECK_ERRNO(connect(connected, (struct sockaddr *)&other, other_size), EPERM);
	CHECK(send(connected, "x", 1, 0) == 1);
}

/* It is the socket's maker that counts, not who listens. */
TEST(abstract_sockets_of_others)
{
	socklen_t size;
	struct sockaddr_un name = unix_name(true, 'x', &size);
	int fd;

	need_abi(7);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	enforce(new_ruleset(0, 0, SCOPE_UNIX));
	CHECK(bind(fd, (struct sockaddr *)&name, size) == 0 && listen(fd, 1) == 0);
	CHECK_EQ(try_connect(SOCK_STREAM, &name, size), EPERM);
}

/* --- TCP --- */

static uint16_t free_port(void)
{
	struct sockaddr_in name;

	close(inet_bound(AF_INET, SOCK_STREAM, &name));
	return ntohs(name.sin_port);
}

static int bind_port(int family, int type, uint16_t port)
{
	struct sockaddr_storage name;
	socklen_t size = inet_loopback(family, &name);
	int fd = socket(family, type, 0), result;

	CHECK(fd >= 0);
	((struct sockaddr_in *)&name)->sin_port = htons(port);
	result = bind(fd, (struct sockaddr *)&name, size) ? errno : 0;
	close(fd);
	return result;
}

static int connect_port(int family, int type, uint16_t port)
{
	struct sockaddr_storage name;
	socklen_t size = inet_loopback(family, &name);
	int fd = socket(family, type, 0), result;

	CHECK(fd >= 0);
	((struct sockaddr_in *)&name)->sin_port = htons(port);
	result = connect(fd, (struct sockaddr *)&name, size) ? errno : 0;
	close(fd);
	return result;
}

TEST(tcp_bind)
{
	uint16_t good, bad;
	int fd;

	need_abi(7);
	good = free_port();
	bad = (uint16_t)(good ^ 1);
	fd = new_ruleset(0, BIND_TCP, 0);
	allow_port(fd, good, BIND_TCP);
	enforce(fd);
	CHECK_EQ(bind_port(AF_INET, SOCK_STREAM, good), 0);
	CHECK_EQ(bind_port(AF_INET, SOCK_STREAM, bad), EACCES);
	CHECK_EQ(bind_port(AF_INET, SOCK_STREAM, 0), EACCES);
	CHECK_EQ(bind_port(AF_INET, SOCK_DGRAM, 0), 0);
	CHECK_EQ(connect_port(AF_INET, SOCK_STREAM, bad) == EACCES, 0);
}

/* Port 0 in a rule stands for the number 0: any that the kernel picks. */
TEST(tcp_bind_any)
{
	int fd;

	need_abi(7);
	fd = new_ruleset(0, BIND_TCP, 0);
	allow_port(fd, 0, BIND_TCP);
	enforce(fd);
	CHECK_EQ(bind_port(AF_INET, SOCK_STREAM, 0), 0);
	fd = new_ruleset(0, BIND_TCP | CONNECT_TCP, 0);
	allow_port(fd, 0, CONNECT_TCP);
	enforce(fd);
	CHECK_EQ(bind_port(AF_INET, SOCK_STREAM, 0), EACCES);
}

TEST(tcp_connect)
{
	struct sockaddr_in name;
	int fd, listener;
	uint16_t port;

	need_abi(7);
	listener = tcp_listener(AF_INET, &name, 4);
	port = ntohs(name.sin_port);
	fd = new_ruleset(0, CONNECT_TCP, 0);
	allow_port(fd, port, CONNECT_TCP);
	enforce(fd);
	CHECK_EQ(connect_port(AF_INET, SOCK_STREAM, port), 0);
	CHECK_EQ(connect_port(AF_INET, SOCK_STREAM, (uint16_t)(port ^ 1)), EACCES);
	CHECK_EQ(connect_port(AF_INET, SOCK_DGRAM, (uint16_t)(port ^ 1)), 0);
	CHECK_EQ(bind_port(AF_INET, SOCK_STREAM, 0), 0);
	enforce(new_ruleset(0, CONNECT_TCP, 0));
	CHECK_EQ(connect_port(AF_INET, SOCK_STREAM, port), EACCES);
	close(listener);
}

/* Addresses that the socket would not take get the errors that it would give. */
TEST(tcp_addresses)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(9)};
	struct sockaddr *any = (struct sockaddr *)&name;
	struct sockaddr_in6 longer = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
	int fd;

	need_abi(7);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	enforce(new_ruleset(0, CONNECT_TCP | BIND_TCP, 0));
	CHECK_ERRNO(connect(-1, any, sizeof(name)), EBADF);
	CHECK_ERRNO(connect(STDOUT_FILENO, any, sizeof(name)), ENOTSOCK);
	CHECK_ERRNO(connect(fd, (void *)8, sizeof(name)), EFAULT);
	CHECK_ERRNO(connect(fd, any, sizeof(name)), EACCES);
	CHECK_ERRNO(connect(fd, any, sizeof(name) - 1), EINVAL);
	CHECK_ERRNO(connect(fd, any, 1), EINVAL);
	CHECK_ERRNO(bind(fd, any, 1), EINVAL);
	CHECK_ERRNO(connect(fd, (struct sockaddr *)&longer, sizeof(longer)), EINVAL);
	CHECK_ERRNO(bind(fd, (struct sockaddr *)&longer, sizeof(longer)), EINVAL);
	name.sin_family = AF_UNIX;
	CHECK_ERRNO(connect(fd, any, sizeof(name)), EAFNOSUPPORT);
	name.sin_family = AF_UNSPEC;
	CHECK(connect(fd, any, sizeof(name)) == 0);
	CHECK_ERRNO(bind(fd, any, sizeof(name)), EACCES);
	CHECK_ERRNO(bind(fd, any, 2), EINVAL);
	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK_ERRNO(bind(fd, any, sizeof(name)), EAFNOSUPPORT);
	CHECK(listen(fd, 1) == 0);
}

TEST(tcp_addresses_of_version_6)
{
	struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
	struct sockaddr *any = (struct sockaddr *)&name;
	int fd;

	need_abi(7);
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	if (fd < 0)
		SKIP("no such family of addresses");
	enforce(new_ruleset(0, CONNECT_TCP | BIND_TCP, 0));
	CHECK_ERRNO(connect(fd, any, sizeof(name)), EACCES);
	CHECK_ERRNO(connect(fd, any, 24), EACCES);
	CHECK_ERRNO(connect(fd, any, 23), EINVAL);
	CHECK_ERRNO(bind(fd, any, sizeof(name)), EACCES);
	name.sin6_family = AF_UNSPEC;
	CHECK(connect(fd, any, sizeof(name)) == 0);
	CHECK_ERRNO(bind(fd, any, sizeof(name)), EAFNOSUPPORT);
	CHECK_ERRNO(bind(fd, any, 8), EINVAL);
	name.sin6_family = AF_INET;
	CHECK_ERRNO(connect(fd, any, sizeof(name)), EINVAL);
	CHECK_ERRNO(bind(fd, any, sizeof(name)), EINVAL);
}

GUEST_TEST_MAIN()
