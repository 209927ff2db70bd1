/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ioctls of network interfaces (netdevice(7)): there is one, the loopback, as in a fresh
 * network namespace whose loopback is up; or those of the host's namespace that the sandbox is in.
 * Nothing can be changed: -EPERM.
 */
#include "sentry/net/socket.h"

#include "abi/ioctl.h"
#include "sentry/kernel/task.h"
#include "sentry/net/host_network.h"
#include "sentry/net/interface.h"

#include "sentry/net/net_namespace.h"

#include <errno.h>
#include <string.h>

static uint32_t network_order(uint32_t value)
{
	return __builtin_bswap32(value);
}

static void request_set_ipv4(struct linux_ifreq *request, uint32_t address)
{
	struct linux_sockaddr_in in = {
		.sin_family = LINUX_AF_INET, .sin_addr.s_addr = network_order(address)};

	memset(request->bytes, 0, sizeof(request->bytes));
	memcpy(request->bytes, &in, sizeof(in));
}

#define HOST_INTERFACES_MAX 64

static int64_t host_interface_list(struct task *task, uint64_t argument)
{
	struct linux_ifreq requests[HOST_INTERFACES_MAX];
	struct linux_ifconf list;
	int count = host_network_list(requests, array_count(requests));

	if (count < 0)
		return count;
	if (mm_copy_in(task->mm, &list, argument, sizeof(list)))
		return -EFAULT;
	if (list.ifc_buf && list.ifc_len < count * (int)sizeof(requests[0]))
		count = list.ifc_len < 0 ? 0 : list.ifc_len / (int)sizeof(requests[0]);
	list.ifc_len = count * (int)sizeof(requests[0]);
	if (list.ifc_buf && mm_copy_out(task->mm, list.ifc_buf, requests, (size_t)list.ifc_len))
		return -EFAULT;
	return mm_copy_out(task->mm, argument, &list, sizeof(list));
}

/* SIOCGIFCONF: a list of requests; without a buffer, how long it would be. */
static int64_t interface_list(struct task *task, uint64_t argument)
{
	struct linux_ifreq request = {.ifr_name = LOOPBACK_NAME};
	struct linux_ifconf list;

	if (mm_copy_in(task->mm, &list, argument, sizeof(list)))
		return -EFAULT;
	request_set_ipv4(&request, LINUX_INADDR_LOOPBACK);
	if (!list.ifc_buf) {
		list.ifc_len = sizeof(request);
	} else if (list.ifc_len >= (int32_t)sizeof(request)) {
		if (mm_copy_out(task->mm, list.ifc_buf, &request, sizeof(request)))
			return -EFAULT;
		list.ifc_len = sizeof(request);
	} else {
		list.ifc_len = 0;
	}
	return mm_copy_out(task->mm, argument, &list, sizeof(list));
}

static int64_t interface_get(struct linux_ifreq *request, uint32_t command)
{
	switch (command) {
	case LINUX_SIOCGIFFLAGS:
		request->ifr_flags = net_loopback_is_up() ? LOOPBACK_FLAGS : LINUX_IFF_LOOPBACK;
		return 0;
	case LINUX_SIOCGIFADDR:
	case LINUX_SIOCGIFDSTADDR:
		request_set_ipv4(request, LINUX_INADDR_LOOPBACK);
		return 0;
	case LINUX_SIOCGIFBRDADDR:
		request_set_ipv4(request, LINUX_INADDR_ANY);
		return 0;
	case LINUX_SIOCGIFNETMASK:
		request_set_ipv4(request, 0xff000000u);
		return 0;
	case LINUX_SIOCGIFMETRIC:
		request->ifr_ifindex = 0;
		return 0;
	case LINUX_SIOCGIFMTU:
		request->ifr_ifindex = LOOPBACK_MTU;
		return 0;
	case LINUX_SIOCGIFINDEX:
		request->ifr_ifindex = LOOPBACK_INDEX;
		return 0;
	case LINUX_SIOCGIFTXQLEN:
		request->ifr_ifindex = LOOPBACK_QUEUE;
		return 0;
	case LINUX_SIOCGIFHWADDR:
		/* A socket address whose family is the kind of hardware. */
		memset(request->bytes, 0, sizeof(request->bytes));
		memcpy(request->bytes, &(uint16_t){LINUX_ARPHRD_LOOPBACK}, sizeof(uint16_t));
		return 0;
	case LINUX_SIOCGIFMAP:
		memset(request->bytes, 0, sizeof(request->bytes));
		return 0;
	case LINUX_SIOCETHTOOL:
	case LINUX_SIOCGMIIPHY:
	case LINUX_SIOCGMIIREG:
		return -EOPNOTSUPP;
	default:
		return -ENOTTY;
	}
}

static bool interface_is_change(uint32_t command)
{
	switch (command) {
	case LINUX_SIOCSIFFLAGS:
	case LINUX_SIOCSIFADDR:
	case LINUX_SIOCSIFDSTADDR:
	case LINUX_SIOCSIFBRDADDR:
	case LINUX_SIOCSIFNETMASK:
	case LINUX_SIOCSIFMETRIC:
	case LINUX_SIOCSIFMTU:
	case LINUX_SIOCSIFNAME:
	case LINUX_SIOCSIFHWADDR:
	case LINUX_SIOCSIFTXQLEN:
	case LINUX_SIOCADDRT:
	case LINUX_SIOCDELRT:
	case LINUX_SIOCADDMULTI:
	case LINUX_SIOCDELMULTI:
		return true;
	default:
		return false;
	}
}

/* Up or down is all that can be changed. */
static int64_t set_flags(struct task *task, uint64_t argument)
{
	struct linux_ifreq request;

	if (mm_copy_in(task->mm, &request, argument, sizeof(request)))
		return -EFAULT;
	request.ifr_name[LINUX_IFNAMSIZ - 1] = '\0';
	if (strcmp(request.ifr_name, LOOPBACK_NAME))
		return net_may_administer() ? -ENODEV : -EPERM;
	return net_loopback_set_up(request.ifr_flags & LINUX_IFF_UP);
}

int64_t interface_ioctl(struct task *task, uint32_t command, uint64_t argument)
{
	struct linux_ifreq request;
	int64_t result;

	if (command == LINUX_SIOCGIFCONF)
		return host_network_is_shown() ? host_interface_list(task, argument)
					       : interface_list(task, argument);
	if (command == LINUX_SIOCSIFFLAGS && !host_network_is_shown())
		return set_flags(task, argument);
	if (interface_is_change(command))
		return -EPERM;
	/* Only commands of this family have a request to read. */
	if (command < LINUX_SIOCGIFNAME || command > LINUX_SIOCGIFMAP)
		return -ENOTTY;
	if (mm_copy_in(task->mm, &request, argument, sizeof(request)))
		return -EFAULT;
	if (host_network_is_shown()) {
		request.ifr_name[LINUX_IFNAMSIZ - 1] = '\0';
		result = host_network_ioctl(command, &request);
		if (result)
			return result;
	} else if (command == LINUX_SIOCGIFNAME) {
		if (request.ifr_ifindex != LOOPBACK_INDEX)
			return -ENODEV;
		memset(request.ifr_name, 0, sizeof(request.ifr_name));
		memcpy(request.ifr_name, LOOPBACK_NAME, sizeof(LOOPBACK_NAME));
	} else {
		request.ifr_name[LINUX_IFNAMSIZ - 1] = '\0';
		if (strcmp(request.ifr_name, LOOPBACK_NAME))
			return -ENODEV;
		result = interface_get(&request, command);
		if (result)
			return result;
	}
	return mm_copy_out(task->mm, argument, &request, sizeof(request));
}
