/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NETLINK_ROUTE (rtnetlink(7)) of a network namespace that has the loopback alone: links,
 * addresses, routes. A sandbox in a namespace of the host's shows what is there.
 *
 * Differs from Linux: nothing can be changed but that the loopback goes up and gets its own
 * address; neighbours, rules and queueing disciplines are empty lists.
 */
#include "sentry/net/netlink/netlink.h"

#include "sentry/net/host_network.h"
#include "sentry/net/interface.h"
#include "sentry/net/net_namespace.h"

#include <errno.h>
#include <string.h>

#define IFA_FLAGS_PERMANENT LINUX_IFA_F_PERMANENT

static const uint8_t loopback_ipv4[4] = {127, 0, 0, 1};
static const uint8_t loopback_net_ipv4[4] = {127, 0, 0, 0};
static const uint8_t loopback_broadcast_ipv4[4] = {127, 255, 255, 255};
static const uint8_t loopback_ipv6[16] = {[15] = 1};

static void add_link(
	struct netlink_datagram *out, const struct netlink_request *request, uint16_t flags)
{
	static const uint8_t no_address[6], no_map[32], no_stats[24 * 8];
	struct linux_ifinfomsg link = {
		.ifi_type = LINUX_ARPHRD_LOOPBACK,
		.ifi_index = LOOPBACK_INDEX,
		.ifi_flags = net_loopback_is_up() ? LOOPBACK_FLAGS | LINUX_IFF_LOWER_UP
						  : LINUX_IFF_LOOPBACK,
	};
	uint8_t unknown = LINUX_IF_OPER_UNKNOWN, mode = 0, carrier = 1;

	netlink_begin(out, request, LINUX_RTM_NEWLINK, flags, &link, sizeof(link));
	netlink_attribute(out, LINUX_IFLA_IFNAME, LOOPBACK_NAME, sizeof(LOOPBACK_NAME));
	netlink_attribute_u32(out, LINUX_IFLA_TXQLEN, LOOPBACK_QUEUE);
	netlink_attribute(out, LINUX_IFLA_OPERSTATE, &unknown, sizeof(unknown));
	netlink_attribute(out, LINUX_IFLA_LINKMODE, &mode, sizeof(mode));
	netlink_attribute_u32(out, LINUX_IFLA_MTU, LOOPBACK_MTU);
	netlink_attribute_u32(out, LINUX_IFLA_GROUP, 0);
	netlink_attribute_u32(out, LINUX_IFLA_PROMISCUITY, 0);
	netlink_attribute_u32(out, LINUX_IFLA_NUM_TX_QUEUES, 1);
	netlink_attribute_u32(out, LINUX_IFLA_NUM_RX_QUEUES, 1);
	netlink_attribute(out, LINUX_IFLA_CARRIER, &carrier, sizeof(carrier));
	netlink_attribute(out, LINUX_IFLA_QDISC, "noqueue", sizeof("noqueue"));
	netlink_attribute(out, LINUX_IFLA_MAP, no_map, sizeof(no_map));
	netlink_attribute(out, LINUX_IFLA_ADDRESS, no_address, sizeof(no_address));
	netlink_attribute(out, LINUX_IFLA_BROADCAST, no_address, sizeof(no_address));
	netlink_attribute(out, LINUX_IFLA_STATS64, no_stats, sizeof(no_stats));
	netlink_attribute(out, LINUX_IFLA_STATS, no_stats, sizeof(no_stats) / 2);
	netlink_end(out);
}

static void add_address(
	struct netlink_datagram *out, const struct netlink_request *request, uint8_t family)
{
	bool ipv4 = family == LINUX_AF_INET;
	struct linux_ifaddrmsg address = {
		.ifa_family = family,
		.ifa_prefixlen = ipv4 ? 8 : 128,
		.ifa_flags = IFA_FLAGS_PERMANENT,
		.ifa_scope = LINUX_RT_SCOPE_HOST,
		.ifa_index = LOOPBACK_INDEX,
	};
	struct linux_ifa_cacheinfo cache = {.ifa_prefered = UINT32_MAX, .ifa_valid = UINT32_MAX};

	netlink_begin(
		out, request, LINUX_RTM_NEWADDR, LINUX_NLM_F_MULTI, &address, sizeof(address));
	if (ipv4) {
		netlink_attribute(out, LINUX_IFA_ADDRESS, loopback_ipv4, sizeof(loopback_ipv4));
		netlink_attribute(out, LINUX_IFA_LOCAL, loopback_ipv4, sizeof(loopback_ipv4));
		netlink_attribute(out, LINUX_IFA_LABEL, LOOPBACK_NAME, sizeof(LOOPBACK_NAME));
	} else {
		netlink_attribute(out, LINUX_IFA_ADDRESS, loopback_ipv6, sizeof(loopback_ipv6));
	}
	netlink_attribute_u32(out, LINUX_IFA_FLAGS, IFA_FLAGS_PERMANENT);
	netlink_attribute(out, LINUX_IFA_CACHEINFO, &cache, sizeof(cache));
	netlink_end(out);
}

struct route {
	uint8_t family, prefix, table, scope, type;
	const uint8_t *destination;
};

static const struct route routes[] = {
	{LINUX_AF_INET, 8, LINUX_RT_TABLE_LOCAL, LINUX_RT_SCOPE_HOST, LINUX_RTN_LOCAL,
		loopback_net_ipv4},
	{LINUX_AF_INET, 32, LINUX_RT_TABLE_LOCAL, LINUX_RT_SCOPE_HOST, LINUX_RTN_LOCAL,
		loopback_ipv4},
	{LINUX_AF_INET, 32, LINUX_RT_TABLE_LOCAL, LINUX_RT_SCOPE_LINK, LINUX_RTN_BROADCAST,
		loopback_broadcast_ipv4},
	{LINUX_AF_INET6, 128, LINUX_RT_TABLE_MAIN, LINUX_RT_SCOPE_UNIVERSE, LINUX_RTN_UNICAST,
		loopback_ipv6},
	{LINUX_AF_INET6, 128, LINUX_RT_TABLE_LOCAL, LINUX_RT_SCOPE_UNIVERSE, LINUX_RTN_LOCAL,
		loopback_ipv6},
};

static void add_route(struct netlink_datagram *out, const struct netlink_request *request,
	const struct route *route, uint16_t flags)
{
	bool ipv4 = route->family == LINUX_AF_INET;
	struct linux_rtmsg message = {
		.rtm_family = route->family,
		.rtm_dst_len = route->prefix,
		.rtm_table = route->table,
		.rtm_protocol = LINUX_RTPROT_KERNEL,
		.rtm_scope = route->scope,
		.rtm_type = route->type,
	};

	netlink_begin(out, request, LINUX_RTM_NEWROUTE, flags, &message, sizeof(message));
	netlink_attribute_u32(out, LINUX_RTA_TABLE, route->table);
	netlink_attribute(out, LINUX_RTA_DST, route->destination, ipv4 ? 4 : 16);
	if (ipv4)
		netlink_attribute(out, LINUX_RTA_PREFSRC, loopback_ipv4, sizeof(loopback_ipv4));
	else
		netlink_attribute_u32(
			out, LINUX_RTA_PRIORITY, route->table == LINUX_RT_TABLE_MAIN ? 256 : 0);
	netlink_attribute_u32(out, LINUX_RTA_OIF, LOOPBACK_INDEX);
	netlink_end(out);
}

static int dump(const struct netlink_request *request, uint8_t family)
{
	bool addresses = net_loopback_has_address();
	bool ipv4 = addresses && (family == LINUX_AF_UNSPEC || family == LINUX_AF_INET);
	bool ipv6 = addresses && net_loopback_is_up() &&
		    (family == LINUX_AF_UNSPEC || family == LINUX_AF_INET6);
	struct netlink_datagram *list = netlink_datagram_new();

	if (!list)
		return -ENOBUFS;
	switch (request->header.nlmsg_type) {
	case LINUX_RTM_GETLINK:
		add_link(list, request, LINUX_NLM_F_MULTI);
		break;
	case LINUX_RTM_GETADDR:
		if (ipv4)
			add_address(list, request, LINUX_AF_INET);
		if (ipv6)
			add_address(list, request, LINUX_AF_INET6);
		break;
	case LINUX_RTM_GETROUTE:
		for (size_t i = 0; net_loopback_is_up() && i < array_count(routes); i++)
			if (family == LINUX_AF_UNSPEC || family == routes[i].family)
				add_route(list, request, &routes[i], LINUX_NLM_F_MULTI);
		break;
	default:
		break;
	}
	return netlink_finish_dump(request, list);
}

static int get_link(const struct netlink_request *request)
{
	struct linux_ifinfomsg link;
	struct netlink_datagram *answer;
	const char *name;
	size_t size;
	int error;

	if (request->payload_size < sizeof(link))
		return -EINVAL;
	memcpy(&link, request->payload, sizeof(link));
	name = netlink_find_attribute(request, sizeof(link), LINUX_IFLA_IFNAME, &size);
	if (link.ifi_index == 0 && !name)
		return -EINVAL;
	if (link.ifi_index ? link.ifi_index != LOOPBACK_INDEX
			   : strnlen(name, size) != strlen(LOOPBACK_NAME) ||
				     memcmp(name, LOOPBACK_NAME, strlen(LOOPBACK_NAME)))
		return -ENODEV;
	answer = netlink_datagram_new();
	if (!answer)
		return -ENOBUFS;
	add_link(answer, request, 0);
	error = netlink_queue_or_free(request, answer);
	/* An acknowledgement follows if one was asked for. */
	return error;
}

/* The way to an address: the loopback's own are local, for others there is none. */
static int get_route(const struct netlink_request *request)
{
	struct linux_rtmsg message;
	struct netlink_datagram *answer;
	struct route route;
	const uint8_t *address;
	size_t size;

	if (request->payload_size < sizeof(message))
		return -EINVAL;
	memcpy(&message, request->payload, sizeof(message));
	address = netlink_find_attribute(request, sizeof(message), LINUX_RTA_DST, &size);
	if (message.rtm_family == LINUX_AF_INET && address && size >= 4 && address[0] == 127)
		route = routes[1];
	else if (message.rtm_family == LINUX_AF_INET6 && address && size >= 16 &&
		 !memcmp(address, loopback_ipv6, sizeof(loopback_ipv6)))
		route = routes[4];
	else
		return -ENETUNREACH;
	route.destination = address;
	answer = netlink_datagram_new();
	if (!answer)
		return -ENOBUFS;
	add_route(answer, request, &route, 0);
	return netlink_queue_or_free(request, answer);
}

/* --- of the host's namespace --- */

struct passing {
	const struct netlink_request *request;
	struct netlink_datagram *list;
	int32_t index; /* of the one link that is wanted; 0: all, or by name */
	const char *name;
	size_t name_size;
};

static int pass(void *argument, uint16_t type, uint16_t flags, const void *payload, size_t size)
{
	struct passing *passing = argument;

	if (passing->list->size > 16384) {
		struct netlink_datagram *full = passing->list;

		passing->list = netlink_datagram_new();
		if (!passing->list || netlink_queue_or_free(passing->request, full))
			return -ENOBUFS;
	}
	netlink_begin(passing->list, passing->request, type, flags, payload, size);
	netlink_end(passing->list);
	return 0;
}

static bool is_wanted(const struct passing *passing, const void *payload, size_t size)
{
	struct netlink_request link = {.payload = payload, .payload_size = size};
	struct linux_ifinfomsg info;
	const char *name;
	size_t name_size;

	memcpy(&info, payload, sizeof(info));
	if (passing->index)
		return info.ifi_index == passing->index;
	name = netlink_find_attribute(&link, sizeof(info), LINUX_IFLA_IFNAME, &name_size);
	return name && strnlen(name, name_size) == strnlen(passing->name, passing->name_size) &&
	       !memcmp(name, passing->name, strnlen(name, name_size));
}

/* Stops at the link that was asked for, found in the list of all. */
static int pass_link(
	void *argument, uint16_t type, uint16_t flags, const void *payload, size_t size)
{
	struct passing *passing = argument;

	if (size < sizeof(struct linux_ifinfomsg) || !is_wanted(passing, payload, size))
		return 0;
	return pass(argument, type, flags & (uint16_t)~LINUX_NLM_F_MULTI, payload, size) ? -ENOBUFS
											 : 2;
}

static int pass_one(void *argument, uint16_t type, uint16_t flags, const void *payload, size_t size)
{
	return pass(argument, type, flags, payload, size) ? -ENOBUFS : 2;
}

static int host_get(const struct netlink_request *request, struct passing *passing)
{
	uint16_t type = request->header.nlmsg_type;
	struct linux_ifinfomsg link;
	struct linux_rtmsg route;
	const void *address;
	size_t size;

	if (type == LINUX_RTM_GETLINK && request->payload_size >= sizeof(link)) {
		memcpy(&link, request->payload, sizeof(link));
		passing->index = link.ifi_index;
		passing->name = netlink_find_attribute(
			request, sizeof(link), LINUX_IFLA_IFNAME, &passing->name_size);
		if (!passing->index && !passing->name)
			return -EINVAL;
		return host_network_dump(type, LINUX_AF_UNSPEC, pass_link, passing);
	}
	if (type != LINUX_RTM_GETROUTE || request->payload_size < sizeof(route))
		return -EOPNOTSUPP;
	memcpy(&route, request->payload, sizeof(route));
	address = netlink_find_attribute(request, sizeof(route), LINUX_RTA_DST, &size);
	if (!address || (route.rtm_family != LINUX_AF_INET && route.rtm_family != LINUX_AF_INET6))
		return -EINVAL;
	return host_network_route(route.rtm_family, address, size, pass_one, passing);
}

/* Only what is asked for, never the request itself, reaches the host. */
static int host_request(const struct netlink_request *request, uint8_t family)
{
	struct passing passing = {.request = request, .list = netlink_datagram_new()};
	bool is_dump = request->header.nlmsg_flags & LINUX_NLM_F_DUMP;
	int result;

	if (!passing.list)
		return -ENOBUFS;
	if (family != LINUX_AF_UNSPEC && family != LINUX_AF_INET && family != LINUX_AF_INET6)
		family = LINUX_AF_UNSPEC;
	if (is_dump)
		result = host_network_dump(request->header.nlmsg_type, family, pass, &passing);
	else
		result = host_get(request, &passing);
	if (is_dump && result >= 0)
		return netlink_finish_dump(request, passing.list);
	if (result == 2)
		return netlink_queue_or_free(request, passing.list);
	if (passing.list)
		netlink_datagram_free(passing.list);
	return result < 0 ? result : -ENODEV;
}

static bool is_shown(uint16_t type)
{
	return type == LINUX_RTM_GETLINK || type == LINUX_RTM_GETADDR ||
	       type == LINUX_RTM_GETROUTE || type == LINUX_RTM_GETNEIGH;
}

/* ip link set lo up, ip address add 127.0.0.1/8 dev lo: what those do that make a network
 * namespace. */
static int change_loopback(const struct netlink_request *request)
{
	struct linux_ifinfomsg link;
	struct linux_ifaddrmsg address;
	const void *local;
	size_t size;

	if (request->header.nlmsg_type == LINUX_RTM_NEWLINK &&
		request->payload_size >= sizeof(link)) {
		memcpy(&link, request->payload, sizeof(link));
		if (link.ifi_index != LOOPBACK_INDEX)
			return link.ifi_index ? -ENODEV : -EPERM;
		return link.ifi_change & LINUX_IFF_UP || link.ifi_flags & LINUX_IFF_UP
			       ? net_loopback_set_up(link.ifi_flags & LINUX_IFF_UP)
			       : 0;
	}
	if (request->header.nlmsg_type != LINUX_RTM_NEWADDR ||
		request->payload_size < sizeof(address))
		return -EPERM;
	memcpy(&address, request->payload, sizeof(address));
	if (address.ifa_index != LOOPBACK_INDEX)
		return -ENODEV;
	local = netlink_find_attribute(request, sizeof(address), LINUX_IFA_LOCAL, &size);
	if (address.ifa_family != LINUX_AF_INET || address.ifa_prefixlen != 8 || !local ||
		size != sizeof(loopback_ipv4) || memcmp(local, loopback_ipv4, size))
		return -EOPNOTSUPP;
	return net_loopback_add_address();
}

int route_request(const struct netlink_request *request)
{
	uint16_t type = request->header.nlmsg_type;
	/* Four messages a kind: new, delete, get, set. */
	unsigned int kind = (type - LINUX_NLMSG_MIN_TYPE) & 3;
	uint8_t family = request->payload_size ? request->payload[0] : LINUX_AF_UNSPEC;

	if (type > 127)
		return -EOPNOTSUPP;
	if (request->payload_size < sizeof(struct linux_rtgenmsg))
		return 0;
	if (kind == 0 && !host_network_is_shown())
		return change_loopback(request);
	if (kind != 2)
		return -EPERM;
	if (type == LINUX_RTM_GETNSID && !(request->header.nlmsg_flags & LINUX_NLM_F_DUMP))
		return route_get_nsid(request);
	if (host_network_is_shown() && is_shown(type))
		return host_request(request, family);
	if (request->header.nlmsg_flags & LINUX_NLM_F_DUMP)
		return dump(request, family);
	if (type == LINUX_RTM_GETLINK)
		return get_link(request);
	if (type == LINUX_RTM_GETROUTE)
		return get_route(request);
	return -EOPNOTSUPP;
}
