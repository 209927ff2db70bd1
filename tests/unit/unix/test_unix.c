/* SPDX-License-Identifier: Apache-2.0 */
/* Unix sockets, through the system calls: streams, datagrams, names, credentials, files that
 * travel. */
#include "tests/unit/pipe/machine.h"

#include "abi/epoll.h"
#include "abi/fcntl.h"
#include "abi/ioctl.h"
#include "abi/poll.h"
#include "abi/socket.h"
#include "abi/stat.h"
#include "abi/time.h"
#include "abi/uio.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER	(ARENA + 0x100000)
#define INTO	(ARENA + 0x200000)
#define NAME	(ARENA + 0x2000)
#define HEADER	(ARENA + 0x3000)
#define VECTOR	(ARENA + 0x3100)
#define CONTROL (ARENA + 0x4000)

static int left, right;

static void make_pair(uint32_t type)
{
	ck_assert_int_eq(call(socketpair, LINUX_AF_UNIX, type, 0, ARENA), 0);
	left = guest_int(ARENA);
	right = guest_int(ARENA + 4);
}

static int64_t send_to(int fd, const char *text)
{
	guest_put(BUFFER, text, strlen(text));
	return call(sendto, U(fd), BUFFER, strlen(text), 0, 0, 0);
}

static int64_t receive(int fd, size_t size, uint32_t flags)
{
	return call(recvfrom, U(fd), INTO, size, flags, 0, 0);
}

static int poll_one(int fd)
{
	struct linux_pollfd pollfd = {
		.fd = fd, .events = LINUX_POLLIN | LINUX_POLLOUT | LINUX_POLLRDHUP};

	guest_put(ARENA + 64, &pollfd, sizeof(pollfd));
	if (call(poll, ARENA + 64, 1, 0) <= 0)
		return 0;
	guest_get(ARENA + 64, &pollfd, sizeof(pollfd));
	return pollfd.revents;
}

/* An address of a path, or abstract if the name starts with '@'; its size. */
static uint64_t name(const char *text)
{
	struct linux_sockaddr_un address = {.sun_family = LINUX_AF_UNIX};
	size_t size = strlen(text);

	memcpy(address.sun_path, text, size);
	if (text[0] == '@')
		address.sun_path[0] = '\0';
	guest_put(NAME, &address, sizeof(address));
	return 2 + size + (text[0] != '@');
}

static int64_t new_socket(uint32_t type)
{
	int64_t fd = call(socket, LINUX_AF_UNIX, type, 0);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static int64_t set_int(int64_t fd, int option, int value)
{
	guest_put(ARENA, &value, sizeof(value));
	return call(setsockopt, U(fd), LINUX_SOL_SOCKET, U(option), ARENA, 4);
}

static int get_int(int64_t fd, int option)
{
	int32_t size = 4;

	guest_put(ARENA + 8, &size, sizeof(size));
	ck_assert_int_eq(call(getsockopt, U(fd), LINUX_SOL_SOCKET, U(option), ARENA, ARENA + 8), 0);
	return guest_int(ARENA);
}

static int64_t transfer(syscall_handler *handler, int fd, gaddr_t data, size_t size,
	size_t control_size, uint32_t flags)
{
	struct linux_iovec vector = {data, size};
	struct linux_msghdr header = {
		.msg_iov = VECTOR,
		.msg_iovlen = 1,
		.msg_control = control_size ? CONTROL : 0,
		.msg_controllen = control_size,
	};

	guest_put(VECTOR, &vector, sizeof(vector));
	guest_put(HEADER, &header, sizeof(header));
	return machine_call(handler, (const uint64_t[6]){U(fd), HEADER, flags});
}

static int64_t send_fds(int fd, const int *fds, size_t count)
{
	struct linux_cmsghdr control = {.cmsg_len = LINUX_CMSG_LEN(count * 4),
		.cmsg_level = LINUX_SOL_SOCKET,
		.cmsg_type = LINUX_SCM_RIGHTS};

	guest_put(CONTROL, &control, sizeof(control));
	guest_put(CONTROL + sizeof(control), fds, count * 4);
	return transfer(sys_sendmsg, fd, BUFFER, 1, LINUX_CMSG_SPACE(count * 4), 0);
}

START_TEST(streams_join_bytes)
{
	make_pair(LINUX_SOCK_STREAM | LINUX_SOCK_NONBLOCK);
	ck_assert_int_eq(receive(right, 10, 0), -EAGAIN);
	ck_assert_int_eq(send_to(left, "abc"), 3);
	ck_assert_int_eq(send_to(left, "defg"), 4);
	ck_assert_int_eq(call(ioctl, U(right), LINUX_SIOCINQ, ARENA), 0);
	ck_assert_int_eq(guest_int(ARENA), 7);
	ck_assert_int_eq(receive(right, 100, LINUX_MSG_PEEK), 7);
	ck_assert_int_eq(receive(right, 2, 0), 2);
	ck_assert_int_eq(receive(right, 100, 0), 5);
	ck_assert_int_eq(call(ioctl, U(left), LINUX_SIOCOUTQ, ARENA), 0);
	ck_assert_int_eq(guest_int(ARENA), 0);
}
END_TEST

START_TEST(full_buffers_push_back)
{
	int64_t total = 0, done;

	make_pair(LINUX_SOCK_STREAM | LINUX_SOCK_NONBLOCK);
	while ((done = call(sendto, U(left), BUFFER, 10000, 0, 0, 0)) > 0)
		total += done;
	ck_assert_int_eq(done, -EAGAIN);
	ck_assert_int_gt(total, 100000);
	ck_assert_int_lt(total, 400000);
	ck_assert_int_eq(poll_one(left), 0);
	while (total > 0) {
		done = receive(right, 65536, 0);
		ck_assert_int_gt(done, 0);
		total -= done;
	}
	ck_assert_int_eq(poll_one(left), LINUX_POLLOUT);
}
END_TEST

static int64_t send_much(void *argument)
{
	return call(sendto, U(left), BUFFER, 1000000, 0, 0, 0);
}

static int64_t receive_all(void *argument)
{
	return call(recvfrom, U(right), INTO, 1000000, LINUX_MSG_WAITALL, 0, 0);
}

START_TEST(senders_and_readers_wait)
{
	struct machine_thread sender, reader;

	make_pair(LINUX_SOCK_STREAM);
	machine_start(&reader, receive_all, NULL);
	machine_wait_asleep(&reader);
	machine_start(&sender, send_much, NULL);
	ck_assert_int_eq(machine_join(&sender), 1000000);
	ck_assert_int_eq(machine_join(&reader), 1000000);
}
END_TEST

static int64_t receive_some(void *argument)
{
	return receive(right, 10, 0);
}

START_TEST(time_limits)
{
	struct linux_timeval limit = {0, 20000};
	struct machine_thread thread;

	make_pair(LINUX_SOCK_STREAM);
	guest_put(BUFFER, &limit, sizeof(limit));
	ck_assert_int_eq(
		call(setsockopt, U(right), LINUX_SOL_SOCKET, LINUX_SO_RCVTIMEO, BUFFER, 16), 0);
	ck_assert_int_eq(receive(right, 10, 0), -EAGAIN);
	ck_assert_int_eq(call(read, U(right), INTO, 10), -EAGAIN);
	limit.tv_sec = 100;
	guest_put(BUFFER, &limit, sizeof(limit));
	ck_assert_int_eq(
		call(setsockopt, U(right), LINUX_SOL_SOCKET, LINUX_SO_RCVTIMEO, BUFFER, 16), 0);
	machine_start(&thread, receive_some, NULL);
	machine_wait_asleep(&thread);
	machine_interrupt(&thread);
	ck_assert_int_eq(machine_join(&thread), -EINTR);
}
END_TEST

START_TEST(ends_of_streams)
{
	make_pair(LINUX_SOCK_STREAM);
	ck_assert_int_eq(send_to(left, "x"), 1);
	ck_assert_int_eq(call(shutdown, U(left), LINUX_SHUT_WR), 0);
	ck_assert_int_eq(poll_one(right), LINUX_POLLIN | LINUX_POLLOUT | LINUX_POLLRDHUP);
	ck_assert_int_eq(receive(right, 10, 0), 1);
	ck_assert_int_eq(receive(right, 10, 0), 0);
	ck_assert_int_eq(call(sendto, U(left), BUFFER, 1, LINUX_MSG_NOSIGNAL, 0, 0), -EPIPE);
	ck_assert(!(current->pending.set & signal_bit(LINUX_SIGPIPE)));
	ck_assert_int_eq(send_to(right, "lost"), 4);
	ck_assert_int_eq(call(close, U(left)), 0);
	ck_assert_int_eq(receive(right, 10, 0), -ECONNRESET);
	ck_assert_int_eq(receive(right, 10, 0), 0);
	ck_assert_int_eq(send_to(right, "x"), -EPIPE);
	ck_assert(current->pending.set & signal_bit(LINUX_SIGPIPE));
}
END_TEST

START_TEST(listening_and_connecting)
{
	int64_t listener = new_socket(LINUX_SOCK_STREAM | LINUX_SOCK_NONBLOCK), client, server;
	int32_t size = 110;
	char text[32] = {0};
	uint64_t length;

	client = new_socket(LINUX_SOCK_STREAM | LINUX_SOCK_NONBLOCK);
	ck_assert_int_eq(poll_one((int)client), LINUX_POLLOUT | LINUX_POLLHUP);
	length = name("/socket");
	ck_assert_int_eq(call(connect, U(client), NAME, length), -ENOENT);
	ck_assert_int_eq(call(bind, U(listener), NAME, length), 0);
	ck_assert_int_eq(call(bind, U(listener), NAME, length), -EINVAL);
	ck_assert_int_eq(call(connect, U(client), NAME, length), -ECONNREFUSED);
	ck_assert_int_eq(call(listen, U(listener), 0), 0);
	ck_assert_int_eq(call(accept4, U(listener), 0, 0, 0), -EAGAIN);
	ck_assert_int_eq(call(connect, U(client), NAME, length), 0);
	ck_assert_int_eq(call(connect, U(client), NAME, length), -EISCONN);
	/* One more than the backlog waits; the next is refused for now. */
	ck_assert_int_eq(
		call(connect, U(new_socket(LINUX_SOCK_STREAM | LINUX_SOCK_NONBLOCK)), NAME, length),
		-EAGAIN);
	ck_assert_int_eq(send_to((int)client, "early"), 5);
	ck_assert_int_eq(poll_one((int)listener), LINUX_POLLIN);
	server = call(accept4, U(listener), 0, 0, LINUX_SOCK_NONBLOCK);
	ck_assert_int_ge(server, 0);
	ck_assert_int_eq(receive((int)server, 10, 0), 5);
	guest_put(ARENA, &size, sizeof(size));
	ck_assert_int_eq(call(getpeername, U(client), BUFFER, ARENA), 0);
	ck_assert_int_eq(guest_int(ARENA), 2 + 8);
	guest_get(BUFFER, text, 10);
	ck_assert_str_eq(text + 2, "/socket");
	guest_put(ARENA, &size, sizeof(size));
	ck_assert_int_eq(call(getpeername, U(server), BUFFER, ARENA), 0);
	ck_assert_int_eq(guest_int(ARENA), 2);
	ck_assert_int_eq(get_int(listener, LINUX_SO_ACCEPTCONN), 1);
	ck_assert_int_eq(call(bind, U(new_socket(LINUX_SOCK_STREAM)), NAME, length), -EADDRINUSE);
	ck_assert_int_eq(call(close, U(listener)), 0);
	ck_assert_int_eq(
		call(connect, U(new_socket(LINUX_SOCK_STREAM)), NAME, length), -ECONNREFUSED);
	name("/socket");
	ck_assert_int_eq(call(unlink, NAME + 2), 0);
}
END_TEST

static int64_t connect_there(void *argument)
{
	return call(connect, U((intptr_t)argument), NAME, name("@there"));
}

START_TEST(connecting_waits_for_a_place)
{
	int64_t listener = new_socket(LINUX_SOCK_STREAM);
	struct machine_thread thread;

	ck_assert_int_eq(call(bind, U(listener), NAME, name("@there")), 0);
	ck_assert_int_eq(call(listen, U(listener), 0), 0);
	ck_assert_int_eq(connect_there((void *)(intptr_t)new_socket(LINUX_SOCK_STREAM)), 0);
	machine_start(&thread, connect_there, (void *)(intptr_t)new_socket(LINUX_SOCK_STREAM));
	machine_wait_asleep(&thread);
	ck_assert_int_ge(call(accept4, U(listener), 0, 0, 0), 0);
	ck_assert_int_eq(machine_join(&thread), 0);
	ck_assert_int_ge(call(accept4, U(listener), 0, 0, 0), 0);
	/* Closing refuses those that wait. */
	ck_assert_int_eq(connect_there((void *)(intptr_t)new_socket(LINUX_SOCK_STREAM)), 0);
	machine_start(&thread, connect_there, (void *)(intptr_t)new_socket(LINUX_SOCK_STREAM));
	machine_wait_asleep(&thread);
	ck_assert_int_eq(call(close, U(listener)), 0);
	ck_assert_int_eq(machine_join(&thread), -ECONNREFUSED);
}
END_TEST

START_TEST(datagrams_are_whole)
{
	int64_t receiver = new_socket(LINUX_SOCK_DGRAM),
		sender = new_socket(LINUX_SOCK_DGRAM | LINUX_SOCK_NONBLOCK);
	int count = 0;
	int64_t done;

	ck_assert_int_eq(call(bind, U(receiver), NAME, name("@box")), 0);
	ck_assert_int_eq(send_to((int)sender, "x"), -ENOTCONN);
	ck_assert_int_eq(call(sendto, U(sender), BUFFER, 5, 0, NAME, name("@box")), 5);
	ck_assert_int_eq(call(sendto, U(sender), BUFFER, 0, 0, NAME, name("@box")), 0);
	ck_assert_int_eq(call(sendto, U(sender), BUFFER, 5, 0, NAME, name("@bix")), -ECONNREFUSED);
	ck_assert_int_eq(receive((int)receiver, 2, LINUX_MSG_TRUNC), 5);
	ck_assert_int_eq(receive((int)receiver, 2, 0), 0);
	ck_assert_int_eq(call(connect, U(sender), NAME, name("@box")), 0);
	while ((done = send_to((int)sender, "queue")) > 0)
		count++;
	ck_assert_int_eq(done, -EAGAIN);
	ck_assert_int_eq(count, 11);
	ck_assert_int_eq(poll_one((int)sender), 0);
	ck_assert_int_eq(receive((int)receiver, 10, 0), 5);
	ck_assert_int_eq(poll_one((int)sender), LINUX_POLLOUT);
	ck_assert_int_eq(call(sendto, U(sender), BUFFER, 400000, 0, 0, 0), -EMSGSIZE);
	ck_assert_int_eq(call(close, U(receiver)), 0);
	ck_assert_int_eq(send_to((int)sender, "x"), -ECONNREFUSED);
	ck_assert_int_eq(send_to((int)sender, "x"), -ENOTCONN);
}
END_TEST

static int64_t send_waiting(void *argument)
{
	guest_put(BUFFER, "w", 1);
	return call(sendto, U((intptr_t)argument), BUFFER, 1, 0, NAME, name("@box"));
}

START_TEST(datagram_senders_wait)
{
	int64_t receiver = new_socket(LINUX_SOCK_DGRAM), sender = new_socket(LINUX_SOCK_DGRAM);
	struct machine_thread thread;

	ck_assert_int_eq(call(bind, U(receiver), NAME, name("@box")), 0);
	for (int i = 0; i < 11; i++)
		ck_assert_int_eq(send_waiting((void *)(intptr_t)sender), 1);
	machine_start(&thread, send_waiting, (void *)(intptr_t)sender);
	machine_wait_asleep(&thread);
	ck_assert_int_eq(receive((int)receiver, 10, 0), 1);
	ck_assert_int_eq(machine_join(&thread), 1);
	machine_start(&thread, send_waiting, (void *)(intptr_t)sender);
	machine_wait_asleep(&thread);
	ck_assert_int_eq(call(close, U(receiver)), 0);
	ck_assert_int_eq(machine_join(&thread), -ECONNREFUSED);
}
END_TEST

START_TEST(seqpackets)
{
	make_pair(LINUX_SOCK_SEQPACKET | LINUX_SOCK_NONBLOCK);
	ck_assert_int_eq(send_to(left, "one"), 3);
	ck_assert_int_eq(send_to(left, "second"), 6);
	ck_assert_int_eq(receive(right, 100, 0), 3);
	ck_assert_int_eq(receive(right, 2, 0), 2);
	ck_assert_int_eq(receive(right, 2, 0), -EAGAIN);
	ck_assert_int_eq(call(close, U(left)), 0);
	ck_assert_int_eq(receive(right, 2, 0), 0);
	ck_assert_int_eq(poll_one(right) & LINUX_POLLHUP, LINUX_POLLHUP);
}
END_TEST

START_TEST(files_travel)
{
	int pipe[2], arrived;
	struct linux_cmsghdr control;
	struct linux_msghdr header;

	make_pair(LINUX_SOCK_STREAM | LINUX_SOCK_NONBLOCK);
	ck_assert_int_eq(call(pipe2, ARENA, 0), 0);
	pipe[0] = guest_int(ARENA);
	pipe[1] = guest_int(ARENA + 4);
	ck_assert_int_eq(send_fds(left, pipe, 1), 1);
	ck_assert_int_eq(send_to(left, "tail"), 4);
	ck_assert_int_eq(call(close, U(pipe[0])), 0);
	/* A read stops after what brought files. */
	ck_assert_int_eq(transfer(sys_recvmsg, right, INTO, 100, 64, LINUX_MSG_CMSG_CLOEXEC), 1);
	guest_get(CONTROL, &control, sizeof(control));
	ck_assert_int_eq(control.cmsg_type, LINUX_SCM_RIGHTS);
	ck_assert_uint_eq(control.cmsg_len, 20);
	arrived = guest_int(CONTROL + 16);
	ck_assert_int_eq(call(fcntl, U(arrived), LINUX_F_GETFD, 0), LINUX_FD_CLOEXEC);
	ck_assert_int_eq(call(write, U(pipe[1]), BUFFER, 3), 3);
	ck_assert_int_eq(call(read, U(arrived), INTO, 10), 3);
	ck_assert_int_eq(receive(right, 100, 0), 4);
	/* No room for them: they are closed, and that is told. */
	ck_assert_int_eq(send_fds(left, pipe + 1, 1), 1);
	ck_assert_int_eq(transfer(sys_recvmsg, right, INTO, 100, 0, 0), 1);
	guest_get(HEADER, &header, sizeof(header));
	ck_assert_uint_eq(header.msg_flags, LINUX_MSG_CTRUNC);
	pipe[0] = 999;
	ck_assert_int_eq(send_fds(left, pipe, 1), -EBADF);
}
END_TEST

START_TEST(credentials_travel)
{
	struct linux_ucred ucred;
	struct linux_cmsghdr control;
	int32_t size = sizeof(ucred);

	make_pair(LINUX_SOCK_DGRAM);
	guest_put(ARENA + 8, &size, sizeof(size));
	ck_assert_int_eq(
		call(getsockopt, U(left), LINUX_SOL_SOCKET, LINUX_SO_PEERCRED, BUFFER, ARENA + 8),
		0);
	guest_get(BUFFER, &ucred, sizeof(ucred));
	ck_assert_int_eq(ucred.pid, task_tgid(current));
	ck_assert_int_eq(set_int(right, LINUX_SO_PASSCRED, 1), 0);
	ck_assert_int_eq(send_to(left, "who"), 3);
	ck_assert_int_eq(transfer(sys_recvmsg, right, INTO, 100, 64, 0), 3);
	guest_get(CONTROL, &control, sizeof(control));
	ck_assert_int_eq(control.cmsg_type, LINUX_SCM_CREDENTIALS);
	guest_get(CONTROL + 16, &ucred, sizeof(ucred));
	ck_assert_int_eq(ucred.pid, task_tgid(current));
	ck_assert_uint_eq(ucred.uid, 0);
}
END_TEST

/* Sockets that hold only each other must not stay for ever. */
START_TEST(cycles_are_collected)
{
	int both[2], other[2], pipe[2];

	make_pair(LINUX_SOCK_STREAM);
	both[0] = left;
	both[1] = right;
	ck_assert_int_eq(call(pipe2, ARENA, LINUX_O_NONBLOCK), 0);
	pipe[0] = guest_int(ARENA);
	pipe[1] = guest_int(ARENA + 4);
	/* Each end lies in the other's queue, and the pipe's writing end too. */
	ck_assert_int_eq(send_fds(left, both, 2), 1);
	ck_assert_int_eq(send_fds(right, both, 2), 1);
	ck_assert_int_eq(send_fds(right, pipe + 1, 1), 1);
	ck_assert_int_eq(call(close, U(pipe[1])), 0);
	make_pair(LINUX_SOCK_DGRAM);
	other[0] = left;
	other[1] = right;
	/* Something alive that is in flight is left alone. */
	ck_assert_int_eq(send_fds(left, other, 1), 1);
	ck_assert_int_eq(call(read, U(pipe[0]), INTO, 1), -EAGAIN);
	ck_assert_int_eq(call(close, U(both[0])), 0);
	ck_assert_int_eq(call(close, U(both[1])), 0);
	/* The collection runs when a socket goes. */
	ck_assert_int_eq(call(close, U(new_socket(LINUX_SOCK_DGRAM))), 0);
	ck_assert_int_eq(call(read, U(pipe[0]), INTO, 1), 0);
	ck_assert_int_eq(transfer(sys_recvmsg, right, INTO, 100, 64, 0), 1);
	ck_assert_int_eq(send_to(guest_int(CONTROL + 16), "alive"), 5);
}
END_TEST

/* A socket in a socket in a socket: freeing them must not recurse. */
START_TEST(deep_nests_are_freed)
{
	int inner[2];

	make_pair(LINUX_SOCK_DGRAM);
	inner[0] = left;
	inner[1] = right;
	for (int i = 0; i < 3000; i++) {
		make_pair(LINUX_SOCK_DGRAM);
		ck_assert_int_eq(send_fds(left, inner, 2), 1);
		ck_assert_int_eq(call(close, U(inner[0])), 0);
		ck_assert_int_eq(call(close, U(inner[1])), 0);
		inner[0] = left;
		inner[1] = right;
	}
	ck_assert_int_eq(call(close, U(left)), 0);
	ck_assert_int_eq(call(close, U(right)), 0);
}
END_TEST

START_TEST(options)
{
	make_pair(LINUX_SOCK_STREAM);
	ck_assert_int_eq(get_int(left, LINUX_SO_TYPE), LINUX_SOCK_STREAM);
	ck_assert_int_eq(get_int(left, LINUX_SO_DOMAIN), LINUX_AF_UNIX);
	ck_assert_int_eq(get_int(left, LINUX_SO_SNDBUF), 212992);
	ck_assert_int_eq(set_int(left, LINUX_SO_SNDBUF, 1), 0);
	ck_assert_int_eq(get_int(left, LINUX_SO_SNDBUF), 4608);
	ck_assert_int_eq(set_int(left, LINUX_SO_TYPE, 1), -ENOPROTOOPT);
	ck_assert_int_eq(call(socket, 99, 1, 0), -EAFNOSUPPORT);
	ck_assert_int_eq(call(socket, LINUX_AF_UNIX, 77, 0), -EINVAL);
	ck_assert_int_eq(call(socket, LINUX_AF_PACKET, LINUX_SOCK_RAW, 0), -EPERM);
	ck_assert_int_eq(call(getsockname, 500, BUFFER, ARENA), -EBADF);
	ck_assert_int_eq(call(pipe2, ARENA, 0), 0);
	ck_assert_int_eq(call(listen, U(guest_int(ARENA)), 1), -ENOTSOCK);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("unix");
	TCase *tests = tcase_create("unix");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, machine_setup, machine_teardown);
	tcase_add_test(tests, streams_join_bytes);
	tcase_add_test(tests, full_buffers_push_back);
	tcase_add_test(tests, senders_and_readers_wait);
	tcase_add_test(tests, time_limits);
	tcase_add_test(tests, ends_of_streams);
	tcase_add_test(tests, listening_and_connecting);
	tcase_add_test(tests, connecting_waits_for_a_place);
	tcase_add_test(tests, datagrams_are_whole);
	tcase_add_test(tests, datagram_senders_wait);
	tcase_add_test(tests, seqpackets);
	tcase_add_test(tests, files_travel);
	tcase_add_test(tests, credentials_travel);
	tcase_add_test(tests, cycles_are_collected);
	tcase_add_test(tests, deep_nests_are_freed);
	tcase_add_test(tests, options);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
