/* SPDX-License-Identifier: Apache-2.0 */
/* NETLINK_ROUTE: what getifaddrs(3), ip(8) and libraries ask of the loopback; errors; the ioctls of
 * interfaces. */
#include "tests/guest/inet.h"

#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <linux/net_namespace.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>

static char answer[32768];

static int netlink_open(void)
{
	struct sockaddr_nl name = {.nl_family = AF_NETLINK};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	CHECK(fd >= 0);
	CHECK(bind(fd, (struct sockaddr *)&name, sizeof(name)) == 0);
	return fd;
}

struct request {
	struct nlmsghdr header;
	union {
		struct rtgenmsg general;
		struct ifinfomsg link;
		struct rtmsg route;
	};
	char attributes[64];
};

static void ask(int fd, struct request *request, uint16_t type, uint16_t flags, size_t fixed)
{
	request->header.nlmsg_len = NLMSG_LENGTH(fixed);
	request->header.nlmsg_type = type;
	request->header.nlmsg_flags = NLM_F_REQUEST | flags;
	request->header.nlmsg_seq = 77;
	CHECK_EQ(send(fd, request, request->header.nlmsg_len, 0), request->header.nlmsg_len);
}

/* Counts the messages of a type in a list, until its end. */
static int count_list(int fd, uint16_t type)
{
	int count = 0;

	for (;;) {
		ssize_t size = recv(fd, answer, sizeof(answer), 0);

		CHECK(size > 0);
		for (struct nlmsghdr *message = (void *)answer; NLMSG_OK(message, size);
			message = NLMSG_NEXT(message, size)) {
			CHECK_EQ(message->nlmsg_seq, 77);
			CHECK(message->nlmsg_flags & NLM_F_MULTI);
			if (message->nlmsg_type == NLMSG_DONE)
				return count;
			CHECK_EQ(message->nlmsg_type, type);
			count++;
		}
	}
}

TEST(lists_have_the_loopback)
{
	struct request request = {0};
	int fd = netlink_open();

	ask(fd, &request, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));
	CHECK(count_list(fd, RTM_NEWLINK) >= 1);
	request.general.rtgen_family = AF_INET;
	ask(fd, &request, RTM_GETADDR, NLM_F_DUMP, sizeof(struct rtgenmsg));
	CHECK(count_list(fd, RTM_NEWADDR) >= 1);
	ask(fd, &request, RTM_GETROUTE, NLM_F_DUMP, sizeof(struct rtmsg));
	CHECK(count_list(fd, RTM_NEWROUTE) >= 3);
}

TEST(one_link_by_number)
{
	struct request request = {.link = {.ifi_index = 1}};
	int fd = netlink_open();
	struct nlmsghdr *message = (void *)answer;
	struct ifinfomsg *link = NLMSG_DATA(message);

	ask(fd, &request, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
	CHECK(recv(fd, answer, sizeof(answer), 0) > 0);
	CHECK_EQ(message->nlmsg_type, RTM_NEWLINK);
	CHECK_EQ(link->ifi_index, 1);
	CHECK(link->ifi_flags & IFF_LOOPBACK);
	request.link.ifi_index = 54321;
	ask(fd, &request, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
	CHECK(recv(fd, answer, sizeof(answer), 0) > 0);
	CHECK_EQ(message->nlmsg_type, NLMSG_ERROR);
	CHECK_EQ(((struct nlmsgerr *)NLMSG_DATA(message))->error, -ENODEV);
}

TEST(the_library_sees_it)
{
	struct ifaddrs *list;
	bool packet = false, inet = false;

	CHECK(getifaddrs(&list) == 0);
	for (struct ifaddrs *each = list; each; each = each->ifa_next) {
		if (strcmp(each->ifa_name, "lo") || !each->ifa_addr)
			continue;
		packet |= each->ifa_addr->sa_family == AF_PACKET;
		if (each->ifa_addr->sa_family == AF_INET) {
			inet = true;
			CHECK_EQ(((struct sockaddr_in *)each->ifa_addr)->sin_addr.s_addr,
				htonl(INADDR_LOOPBACK));
			CHECK_EQ(((struct sockaddr_in *)each->ifa_netmask)->sin_addr.s_addr,
				htonl(0xff000000));
		}
	}
	CHECK(packet && inet);
	CHECK_EQ(if_nametoindex("lo"), 1);
	CHECK_EQ(if_nametoindex("nothing"), 0);
}

TEST(acknowledgements)
{
	struct request request = {0};
	struct nlmsghdr *message = (void *)answer;
	int fd = netlink_open();

	ask(fd, &request, NLMSG_NOOP, NLM_F_ACK, 0);
	CHECK(recv(fd, answer, sizeof(answer), 0) > 0);
	CHECK_EQ(message->nlmsg_type, NLMSG_ERROR);
	CHECK_EQ(((struct nlmsgerr *)NLMSG_DATA(message))->error, 0);
}

/* The number that this network has for another one; or an error. */
static int ask_number(int fd, uint16_t attribute, int value)
{
	struct request request = {0};
	struct nlmsghdr *message = (void *)answer;
	struct rtattr *added = (void *)((char *)&request + NLMSG_SPACE(sizeof(request.general)));

	*added = (struct rtattr){.rta_len = RTA_LENGTH(sizeof(value)), .rta_type = attribute};
	memcpy(RTA_DATA(added), &value, sizeof(value));
	ask(fd, &request, RTM_GETNSID, 0,
		NLMSG_ALIGN(sizeof(request.general)) + RTA_LENGTH(sizeof(value)));
	CHECK(recv(fd, answer, sizeof(answer), 0) > 0);
	if (message->nlmsg_type == NLMSG_ERROR)
		return ((struct nlmsgerr *)NLMSG_DATA(message))->error;
	CHECK_EQ(message->nlmsg_type, RTM_NEWNSID);
	added = (void *)((char *)message + NLMSG_SPACE(sizeof(request.general)));
	CHECK_EQ(added->rta_type, NETNSA_NSID);
	memcpy(&value, RTA_DATA(added), sizeof(value));
	CHECK_EQ(value, NETNSA_NSID_NOT_ASSIGNED);
	return 0;
}

TEST(networks_have_no_numbers_yet)
{
	int fd = netlink_open(), net = open("/proc/self/ns/net", O_RDONLY);
	int uts = open("/proc/self/ns/uts", O_RDONLY);

	CHECK(net >= 0 && uts >= 0);
	CHECK_EQ(ask_number(fd, NETNSA_FD, net), 0);
	CHECK_EQ(ask_number(fd, NETNSA_PID, getpid()), 0);
	CHECK_EQ(ask_number(fd, NETNSA_FD, uts), -EINVAL);
	CHECK_EQ(ask_number(fd, NETNSA_FD, 99), -EBADF);
	CHECK_EQ(ask_number(fd, NETNSA_PID, 1 << 22), -ESRCH);
	CHECK_EQ(ask_number(fd, NETNSA_NSID, 7), -ENOENT);
	CHECK_EQ(ask_number(fd, 50, 0), -EINVAL);
}

TEST(names_and_errors)
{
	struct sockaddr_nl name = {0}, other = {.nl_family = AF_NETLINK};
	socklen_t size = sizeof(name);
	int fd = netlink_open();

	CHECK(getsockname(fd, (struct sockaddr *)&name, &size) == 0);
	CHECK_EQ(size, sizeof(name));
	CHECK_EQ(name.nl_family, AF_NETLINK);
	CHECK_EQ(name.nl_pid, getpid());
	other.nl_pid = name.nl_pid;
	CHECK_ERRNO(bind(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), (struct sockaddr *)&other,
			    sizeof(other)),
		EADDRINUSE);
	CHECK_ERRNO(recv(fd, answer, 1, MSG_DONTWAIT), EAGAIN);
	CHECK_ERRNO(socket(AF_NETLINK, SOCK_STREAM, NETLINK_ROUTE), ESOCKTNOSUPPORT);
	CHECK_ERRNO(socket(AF_NETLINK, SOCK_RAW, 99), EPROTONOSUPPORT);
	CHECK_ERRNO(listen(fd, 1), EOPNOTSUPP);
}

TEST(a_short_read_says_how_long)
{
	struct request request = {0};
	int fd = netlink_open();
	char small[16];
	struct iovec vector = {small, sizeof(small)};
	struct sockaddr_nl from;
	struct msghdr message = {&from, sizeof(from), &vector, 1, NULL, 0, 0};
	ssize_t size;

	ask(fd, &request, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));
	size = recv(fd, small, sizeof(small), MSG_PEEK | MSG_TRUNC);
	CHECK(size > 100);
	CHECK_EQ(recvmsg(fd, &message, 0), 16);
	CHECK(message.msg_flags & MSG_TRUNC);
	CHECK_EQ(from.nl_pid, 0);
}

TEST(ioctls_of_interfaces)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq request = {.ifr_name = "lo"}, list[16];
	struct ifconf configuration = {.ifc_len = sizeof(list), .ifc_req = list};
	bool found = false;

	CHECK(ioctl(fd, SIOCGIFINDEX, &request) == 0);
	CHECK_EQ(request.ifr_ifindex, 1);
	CHECK(ioctl(fd, SIOCGIFNAME, &request) == 0);
	CHECK(!strcmp(request.ifr_name, "lo"));
	CHECK(ioctl(fd, SIOCGIFFLAGS, &request) == 0);
	CHECK(request.ifr_flags & IFF_LOOPBACK);
	CHECK(request.ifr_flags & IFF_UP);
	CHECK(ioctl(fd, SIOCGIFADDR, &request) == 0);
	CHECK_EQ(
		((struct sockaddr_in *)&request.ifr_addr)->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	CHECK(ioctl(fd, SIOCGIFNETMASK, &request) == 0);
	CHECK_EQ(((struct sockaddr_in *)&request.ifr_addr)->sin_addr.s_addr, htonl(0xff000000));
	CHECK(ioctl(fd, SIOCGIFMTU, &request) == 0);
	CHECK(request.ifr_mtu >= 1500);
	CHECK(ioctl(fd, SIOCGIFHWADDR, &request) == 0);
	CHECK_EQ(request.ifr_hwaddr.sa_family, 772);
	CHECK(ioctl(fd, SIOCGIFCONF, &configuration) == 0);
	for (int i = 0; i < configuration.ifc_len / (int)sizeof(list[0]); i++)
		found |= !strcmp(list[i].ifr_name, "lo");
	CHECK(found);
	strcpy(request.ifr_name, "nothing");
	CHECK_ERRNO(ioctl(fd, SIOCGIFFLAGS, &request), ENODEV);
	CHECK_ERRNO(ioctl(fd, SIOCGIFFLAGS, 8), EFAULT);
}

GUEST_TEST_MAIN()
