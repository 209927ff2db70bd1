/* SPDX-License-Identifier: Apache-2.0 */
/* Internet and netlink sockets, through the system calls, on the loopback of whoever runs the test.
 */
#include "tests/unit/pipe/machine.h"

#include "abi/epoll.h"
#include "abi/fcntl.h"
#include "abi/inet.h"
#include "abi/ioctl.h"
#include "abi/netlink.h"
#include "abi/poll.h"
#include "abi/socket.h"
#include "sentry/net/net_namespace.h"

#include <stdlib.h>
#include <string.h>

#define BUFFER (ARENA + 0x100000)
#define INTO   (ARENA + 0x200000)
#define NAME   (ARENA + 0x2000)
#define SIZE   (ARENA + 0x2100)

static int64_t new_socket(int family, uint32_t type)
{
	int64_t fd = call(socket, U(family), type, 0);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static void loopback(uint16_t port)
{
	struct linux_sockaddr_in address = {.sin_family = LINUX_AF_INET,
		.sin_port = port,
		.sin_addr.s_addr = __builtin_bswap32(LINUX_INADDR_LOOPBACK)};

	guest_put(NAME, &address, sizeof(address));
}

/* Binds to any port; the port, in network order. */
static uint16_t bind_any(int64_t fd)
{
	struct linux_sockaddr_in address;
	int32_t size = sizeof(address);

	loopback(0);
	ck_assert_int_eq(call(bind, U(fd), NAME, 16), 0);
	guest_put(SIZE, &size, sizeof(size));
	ck_assert_int_eq(call(getsockname, U(fd), NAME, SIZE), 0);
	guest_get(NAME, &address, sizeof(address));
	ck_assert_int_ne(address.sin_port, 0);
	return address.sin_port;
}

static int64_t accept_one(void *argument)
{
	return call(accept4, U((intptr_t)argument), 0, 0, 0);
}

static int64_t receive_all(void *argument)
{
	return call(recvfrom, U((intptr_t)argument), INTO, 500000, LINUX_MSG_WAITALL, 0, 0);
}

START_TEST(streams)
{
	int64_t listener = new_socket(LINUX_AF_INET, LINUX_SOCK_STREAM);
	int64_t client = new_socket(LINUX_AF_INET, LINUX_SOCK_STREAM), server;
	uint16_t port = bind_any(listener);
	struct machine_thread thread;
	int32_t value = 1;

	ck_assert_int_eq(call(listen, U(listener), 5), 0);
	machine_start(&thread, accept_one, (void *)(intptr_t)listener);
	machine_wait_asleep(&thread);
	loopback(port);
	ck_assert_int_eq(call(connect, U(client), NAME, 16), 0);
	server = machine_join(&thread);
	ck_assert_int_ge(server, 0);
	guest_put(ARENA, &value, sizeof(value));
	ck_assert_int_eq(
		call(setsockopt, U(client), LINUX_SOL_TCP, LINUX_TCP_NODELAY, ARENA, 4), 0);
	ck_assert_int_eq(
		call(setsockopt, U(client), LINUX_SOL_TCP, LINUX_TCP_ULP, ARENA, 4), -ENOPROTOOPT);
	machine_start(&thread, receive_all, (void *)(intptr_t)server);
	machine_wait_asleep(&thread);
	ck_assert_int_eq(call(sendto, U(client), BUFFER, 500000, 0, 0, 0), 500000);
	ck_assert_int_eq(machine_join(&thread), 500000);
	ck_assert_int_eq(call(recvfrom, U(server), INTO, 10, LINUX_MSG_DONTWAIT, 0, 0), -EAGAIN);
	ck_assert_int_eq(call(write, U(server), BUFFER, 7), 7);
	ck_assert_int_eq(call(read, U(client), INTO, 100), 7);
	ck_assert_int_eq(call(close, U(server)), 0);
	ck_assert_int_eq(call(read, U(client), INTO, 100), 0);
}
END_TEST

START_TEST(refused_and_unfinished)
{
	int64_t listener = new_socket(LINUX_AF_INET, LINUX_SOCK_STREAM), epoll, client;
	uint16_t port = bind_any(listener);
	struct linux_epoll_event event = {.events = LINUX_EPOLLOUT, .data = 7};
	int64_t result;

	client = new_socket(LINUX_AF_INET, LINUX_SOCK_STREAM);
	loopback(port);
	ck_assert_int_eq(call(connect, U(client), NAME, 16), -ECONNREFUSED);
	ck_assert_int_eq(call(listen, U(listener), 5), 0);
	client = new_socket(LINUX_AF_INET, LINUX_SOCK_STREAM | LINUX_SOCK_NONBLOCK);
	result = call(connect, U(client), NAME, 16);
	ck_assert(result == -EINPROGRESS || result == 0);
	epoll = call(epoll_create1, 0);
	guest_put(ARENA, &event, sizeof(event));
	ck_assert_int_eq(call(epoll_ctl, U(epoll), LINUX_EPOLL_CTL_ADD, U(client), ARENA), 0);
	ck_assert_int_eq(call(epoll_wait, U(epoll), ARENA, 4, 1000), 1);
	ck_assert_int_eq(call(connect, U(client), NAME, 16), result == 0 ? -EISCONN : 0);
	ck_assert_int_eq(call(epoll_wait, U(epoll), ARENA, 4, 1000), 1);
}
END_TEST

START_TEST(datagrams)
{
	int64_t a = new_socket(LINUX_AF_INET, LINUX_SOCK_DGRAM),
		b = new_socket(LINUX_AF_INET, LINUX_SOCK_DGRAM);
	uint16_t port = bind_any(a), other = bind_any(b);
	struct linux_sockaddr_in from;
	int32_t size = sizeof(from);

	loopback(port);
	ck_assert_int_eq(call(sendto, U(b), BUFFER, 30000, 0, NAME, 16), 30000);
	ck_assert_int_eq(call(sendto, U(b), BUFFER, 0, 0, NAME, 16), 0);
	ck_assert_int_eq(call(sendto, U(b), BUFFER, 100000, 0, NAME, 16), -EMSGSIZE);
	guest_put(SIZE, &size, sizeof(size));
	ck_assert_int_eq(
		call(recvfrom, U(a), INTO, 100, LINUX_MSG_TRUNC | LINUX_MSG_PEEK, 0, 0), 30000);
	ck_assert_int_eq(call(recvfrom, U(a), INTO, 65536, 0, NAME, SIZE), 30000);
	guest_get(NAME, &from, sizeof(from));
	ck_assert_int_eq(from.sin_port, other);
	ck_assert_int_eq(call(recvfrom, U(a), INTO, 65536, 0, 0, 0), 0);
}
END_TEST

START_TEST(what_there_is_not)
{
	ck_assert_int_eq(call(socket, LINUX_AF_INET, LINUX_SOCK_RAW, LINUX_IPPROTO_ICMP), -EPERM);
	ck_assert_int_eq(call(socket, LINUX_AF_INET, LINUX_SOCK_DGRAM, LINUX_IPPROTO_ICMPV6),
		-EPROTONOSUPPORT);
	ck_assert_int_eq(call(socket, LINUX_AF_INET, LINUX_SOCK_STREAM, LINUX_IPPROTO_UDP),
		-EPROTONOSUPPORT);
	ck_assert_int_eq(call(socket, LINUX_AF_INET, LINUX_SOCK_SEQPACKET, 0), -ESOCKTNOSUPPORT);
	ck_assert_int_eq(call(socketpair, LINUX_AF_INET, LINUX_SOCK_STREAM, 0, ARENA), -EOPNOTSUPP);
	ck_assert_int_eq(call(socket, LINUX_AF_NETLINK, LINUX_SOCK_RAW, LINUX_NETLINK_XFRM),
		-EPROTONOSUPPORT);
}
END_TEST

START_TEST(interfaces)
{
	int64_t fd = new_socket(LINUX_AF_INET, LINUX_SOCK_DGRAM);
	struct linux_ifreq request = {.ifr_name = "lo"};
	struct linux_ifconf list = {.ifc_len = 4096, .ifc_buf = INTO};

	guest_put(BUFFER, &request, sizeof(request));
	ck_assert_int_eq(call(ioctl, U(fd), LINUX_SIOCGIFINDEX, BUFFER), 0);
	guest_get(BUFFER, &request, sizeof(request));
	ck_assert_int_eq(request.ifr_ifindex, 1);
	guest_put(BUFFER, &list, sizeof(list));
	ck_assert_int_eq(call(ioctl, U(fd), LINUX_SIOCGIFCONF, BUFFER), 0);
	guest_get(BUFFER, &list, sizeof(list));
	ck_assert_int_eq(list.ifc_len, 40);
	strcpy(request.ifr_name, "eth0");
	guest_put(BUFFER, &request, sizeof(request));
	ck_assert_int_eq(call(ioctl, U(fd), LINUX_SIOCGIFADDR, BUFFER), -ENODEV);
	ck_assert_int_eq(call(ioctl, U(fd), LINUX_SIOCSIFFLAGS, BUFFER), -ENODEV);
	ck_assert_int_eq(call(ioctl, U(fd), 0x1234, BUFFER), -ENOTTY);
}
END_TEST

/* Asks for a list; how many messages of a type came before the end of it. */
static int dump(int64_t fd, uint16_t type, uint16_t wanted)
{
	struct {
		struct linux_nlmsghdr header;
		struct linux_rtmsg body;
	} request = {
		.header = {sizeof(request), type, LINUX_NLM_F_REQUEST | LINUX_NLM_F_DUMP, 42, 0}};
	int count = 0;

	guest_put(BUFFER, &request, sizeof(request));
	ck_assert_int_eq(call(sendto, U(fd), BUFFER, sizeof(request), 0, 0, 0), sizeof(request));
	for (;;) {
		int64_t size = call(recvfrom, U(fd), INTO, 65536, LINUX_MSG_DONTWAIT, 0, 0);
		struct linux_nlmsghdr header;

		ck_assert_int_gt(size, 0);
		for (gaddr_t at = INTO; at < INTO + (gaddr_t)size;
			at += LINUX_NLMSG_ALIGN(header.nlmsg_len)) {
			guest_get(at, &header, sizeof(header));
			ck_assert_uint_eq(header.nlmsg_seq, 42);
			ck_assert_uint_ge(header.nlmsg_len, sizeof(header));
			if (header.nlmsg_type == LINUX_NLMSG_DONE)
				return count;
			ck_assert_uint_eq(header.nlmsg_type, wanted);
			count++;
		}
	}
}

START_TEST(netlink_lists)
{
	int64_t fd = new_socket(LINUX_AF_NETLINK, LINUX_SOCK_RAW);
	struct linux_sockaddr_nl address = {.nl_family = LINUX_AF_NETLINK};
	struct linux_nlmsghdr header = {16 + 16, LINUX_RTM_NEWLINK, LINUX_NLM_F_REQUEST, 7, 0};
	struct linux_nlmsgerr error;
	int32_t size = sizeof(address);

	guest_put(NAME, &address, sizeof(address));
	ck_assert_int_eq(call(bind, U(fd), NAME, sizeof(address)), 0);
	guest_put(SIZE, &size, sizeof(size));
	ck_assert_int_eq(call(getsockname, U(fd), NAME, SIZE), 0);
	guest_get(NAME, &address, sizeof(address));
	ck_assert_uint_eq(address.nl_pid, (uint32_t)task_tgid(current));
	ck_assert_int_eq(dump(fd, LINUX_RTM_GETLINK, LINUX_RTM_NEWLINK), 1);
	ck_assert_int_eq(dump(fd, LINUX_RTM_GETADDR, LINUX_RTM_NEWADDR), 0);
	ck_assert_int_eq(dump(fd, LINUX_RTM_GETROUTE, LINUX_RTM_NEWROUTE), 0);
	net_namespace_raise_loopback(net_namespace_current());
	ck_assert_int_eq(dump(fd, LINUX_RTM_GETADDR, LINUX_RTM_NEWADDR), 2);
	ck_assert_int_eq(dump(fd, LINUX_RTM_GETROUTE, LINUX_RTM_NEWROUTE), 5);
	guest_put(BUFFER, &header, sizeof(header));
	ck_assert_int_eq(call(sendto, U(fd), BUFFER, 32, 0, 0, 0), 32);
	ck_assert_int_eq(call(recvfrom, U(fd), INTO, 4096, 0, 0, 0), 16 + 20 + 16);
	guest_get(INTO + 16, &error, sizeof(error));
	ck_assert_int_eq(error.error, -EPERM);
	ck_assert_uint_eq(error.msg.nlmsg_seq, 7);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("inet");
	TCase *tests = tcase_create("inet");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, machine_setup, machine_teardown);
	tcase_add_test(tests, streams);
	tcase_add_test(tests, refused_and_unfinished);
	tcase_add_test(tests, datagrams);
	tcase_add_test(tests, what_there_is_not);
	tcase_add_test(tests, interfaces);
	tcase_add_test(tests, netlink_lists);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
