/* SPDX-License-Identifier: Apache-2.0 */
/* Building netlink messages, and looking at those of guests. */
#include "sentry/net/netlink/netlink.h"

#include <stdlib.h>
#include <string.h>

struct netlink_datagram *netlink_datagram_new(void)
{
	return calloc(1, sizeof(struct netlink_datagram));
}

void netlink_datagram_free(struct netlink_datagram *datagram)
{
	if (!datagram)
		return;
	free(datagram->bytes);
	free(datagram);
}

/* Room for size more bytes, padded to four and zeroed; NULL once memory ran out. */
static void *netlink_room(struct netlink_datagram *datagram, size_t size)
{
	size_t padded = LINUX_NLMSG_ALIGN(size);
	void *where;

	if (datagram->failed)
		return NULL;
	if (datagram->size + padded > datagram->capacity) {
		size_t capacity = (datagram->size + padded) * 2 + 512;
		uint8_t *bytes = realloc(datagram->bytes, capacity);

		if (!bytes) {
			datagram->failed = true;
			return NULL;
		}
		datagram->bytes = bytes;
		datagram->capacity = capacity;
	}
	where = datagram->bytes + datagram->size;
	memset(where, 0, padded);
	datagram->size += padded;
	return where;
}

void netlink_append(struct netlink_datagram *datagram, const void *bytes, size_t size)
{
	void *where = netlink_room(datagram, size);

	if (where)
		memcpy(where, bytes, size);
}

void netlink_begin(struct netlink_datagram *datagram, const struct netlink_request *request,
	uint16_t type, uint16_t flags, const void *fixed, size_t size)
{
	struct linux_nlmsghdr header = {
		.nlmsg_type = type,
		.nlmsg_flags = flags,
		.nlmsg_seq = request->header.nlmsg_seq,
		.nlmsg_pid = request->port,
	};
	uint8_t *where;

	datagram->message = datagram->size;
	where = netlink_room(datagram, sizeof(header) + size);
	if (!where)
		return;
	memcpy(where, &header, sizeof(header));
	if (size)
		memcpy(where + sizeof(header), fixed, size);
}

void netlink_attribute(
	struct netlink_datagram *datagram, uint16_t type, const void *data, size_t size)
{
	struct linux_rtattr header = {
		.rta_len = (uint16_t)(sizeof(header) + size), .rta_type = type};
	uint8_t *where = netlink_room(datagram, sizeof(header) + size);

	if (!where)
		return;
	memcpy(where, &header, sizeof(header));
	if (size)
		memcpy(where + sizeof(header), data, size);
}

void netlink_attribute_u32(struct netlink_datagram *datagram, uint16_t type, uint32_t value)
{
	netlink_attribute(datagram, type, &value, sizeof(value));
}

void netlink_end(struct netlink_datagram *datagram)
{
	uint32_t length = (uint32_t)(datagram->size - datagram->message);

	if (!datagram->failed)
		memcpy(datagram->bytes + datagram->message, &length, sizeof(length));
}

const void *netlink_find_attribute(
	const struct netlink_request *request, size_t fixed_size, uint16_t type, size_t *size)
{
	size_t position = LINUX_NLMSG_ALIGN(fixed_size);

	while (position + sizeof(struct linux_rtattr) <= request->payload_size) {
		struct linux_rtattr header;

		memcpy(&header, request->payload + position, sizeof(header));
		if (header.rta_len < sizeof(header) ||
			header.rta_len > request->payload_size - position)
			return NULL;
		if ((header.rta_type & LINUX_NLA_TYPE_MASK) == type) {
			*size = header.rta_len - sizeof(header);
			return request->payload + position + sizeof(header);
		}
		position += LINUX_NLMSG_ALIGN(header.rta_len);
	}
	return NULL;
}
