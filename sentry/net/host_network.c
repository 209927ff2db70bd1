/* SPDX-License-Identifier: Apache-2.0 */
/* Asks the host's kernel about the network namespace that the sandbox is in. */
#include "sentry/net/host_network.h"

#include "abi/ioctl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_SIZE (64 * 1024)
#define ANSWERS_MAX 4096 /* datagrams of one list */

static struct {
	pthread_mutex_t lock; /* one request at a time; nothing else is taken under it */
	int netlink, socket;  /* set once */
	uint32_t sequence;
	uint8_t answer[ANSWER_SIZE];
} host = {.lock = PTHREAD_MUTEX_INITIALIZER, .netlink = -1, .socket = -1};

static struct {
	const char *name;
	int fd;
} files[] = {{"arp", -1}, {"dev", -1}, {"if_inet6", -1}, {"ipv6_route", -1}, {"route", -1}};

int host_network_open(void)
{
	char path[64];

	host.netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	host.socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (host.netlink < 0 || host.socket < 0)
		return -errno;
	for (size_t i = 0; i < array_count(files); i++) {
		(void)snprintf(path, sizeof(path), "/proc/self/net/%s", files[i].name);
		files[i].fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	return 0;
}

bool host_network_is_shown(void)
{
	return host.netlink >= 0;
}

/* --- netlink --- */

struct question {
	struct nlmsghdr header;
	union {
		struct ifinfomsg link;
		struct ifaddrmsg address;
		struct rtmsg route;
		struct ndmsg neighbour;
		uint8_t family;
	};
	uint8_t attributes[32];
};

static size_t fixed_size(uint16_t type)
{
	switch (type) {
	case RTM_GETLINK:
		return sizeof(struct ifinfomsg);
	case RTM_GETADDR:
		return sizeof(struct ifaddrmsg);
	case RTM_GETNEIGH:
		return sizeof(struct ndmsg);
	default:
		return sizeof(struct rtmsg);
	}
}

/* One datagram of answers. 1: there may be more; 0: that was the last. */
static int take_answers(unsigned int size, host_network_visitor visit, void *argument)
{
	struct nlmsghdr *header = (struct nlmsghdr *)(void *)host.answer;
	unsigned int left = size;

	for (; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
		int result;

		if (header->nlmsg_seq != host.sequence)
			continue;
		if (header->nlmsg_type == NLMSG_DONE)
			return 0;
		if (header->nlmsg_type == NLMSG_ERROR)
			return NLMSG_PAYLOAD(header, 0) < sizeof(int) ? -EIO
								      : *(int *)NLMSG_DATA(header);
		result = visit(argument, header->nlmsg_type, header->nlmsg_flags,
			NLMSG_DATA(header), NLMSG_PAYLOAD(header, 0));
		if (result || !(header->nlmsg_flags & NLM_F_MULTI))
			return result;
	}
	return 1;
}

/* Its answers are there when the request returns: nothing waits here. */
static int ask_locked(struct question *question, host_network_visitor visit, void *argument)
{
	int result = 1;

	question->header.nlmsg_seq = ++host.sequence;
	if (send(host.netlink, question, question->header.nlmsg_len, 0) < 0)
		return -errno;
	for (int i = 0; i < ANSWERS_MAX && result == 1; i++) {
		ssize_t size = recv(host.netlink, host.answer, sizeof(host.answer), 0);

		if (size < 0)
			return errno == EAGAIN ? 0 : -errno;
		result = take_answers((unsigned int)size, visit, argument);
	}
	return result;
}

static int ask(struct question *question, host_network_visitor visit, void *argument)
{
	int result;

	pthread_mutex_lock(&host.lock);
	result = ask_locked(question, visit, argument);
	pthread_mutex_unlock(&host.lock);
	return result;
}

int host_network_dump(uint16_t type, uint8_t family, host_network_visitor visit, void *argument)
{
	struct question question = {.header = {
					    .nlmsg_len = (uint32_t)NLMSG_LENGTH(fixed_size(type)),
					    .nlmsg_type = type,
					    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
				    }};

	question.family = family;
	return ask(&question, visit, argument);
}

int host_network_route(uint8_t family, const void *address, size_t size, host_network_visitor visit,
	void *argument)
{
	struct question question = {
		.header = {.nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST}};
	struct rtattr attribute = {.rta_type = RTA_DST, .rta_len = (uint16_t)RTA_LENGTH(size)};
	uint8_t *where = (uint8_t *)&question + NLMSG_LENGTH(sizeof(question.route));

	if (size != (family == AF_INET ? 4 : 16))
		return -EINVAL;
	question.route.rtm_family = family;
	question.route.rtm_dst_len = (uint8_t)(size * 8);
	memcpy(where, &attribute, sizeof(attribute));
	memcpy(where + sizeof(attribute), address, size);
	question.header.nlmsg_len =
		(uint32_t)(NLMSG_LENGTH(sizeof(question.route)) + RTA_SPACE(size));
	return ask(&question, visit, argument);
}

/* --- ioctls and files --- */

int host_network_ioctl(uint32_t command, struct linux_ifreq *request)
{
	return ioctl(host.socket, command, request) ? -errno : 0;
}

int host_network_list(struct linux_ifreq *requests, size_t count)
{
	struct ifconf list = {
		.ifc_len = (int)(count * sizeof(*requests)), .ifc_buf = (char *)requests};

	if (ioctl(host.socket, SIOCGIFCONF, &list))
		return -errno;
	return list.ifc_len / (int)sizeof(*requests);
}

int64_t host_network_read(const char *name, char *buffer, size_t size)
{
	for (size_t i = 0; i < array_count(files); i++) {
		ssize_t got, total = 0;

		if (strcmp(files[i].name, name) != 0 || files[i].fd < 0)
			continue;
		do {
			got = pread(files[i].fd, buffer + total, size - (size_t)total, total);
			total += got > 0 ? got : 0;
		} while (got > 0 && (size_t)total < size);
		return total;
	}
	return -ENOENT;
}
