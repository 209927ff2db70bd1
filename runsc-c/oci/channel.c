/* SPDX-License-Identifier: Apache-2.0 */
/* Messages between commands and a running sentry. */
#include "runsc-c/oci/channel.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union descriptor_room {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(CHANNEL_DESCRIPTORS_MAX * sizeof(int))];
};

bool channel_send(int socket, json_t *message, const int *fds, size_t count)
{
	auto_free char *text = json_dumps(message, JSON_COMPACT);
	struct iovec piece = {.iov_base = text, .iov_len = text ? strlen(text) : 0};
	union descriptor_room room = {0};
	struct msghdr header = {.msg_iov = &piece, .msg_iovlen = 1};
	ssize_t size;

	json_decref(message);
	if (!text || piece.iov_len > CHANNEL_SIZE_MAX || count > CHANNEL_DESCRIPTORS_MAX)
		return false;
	if (count) {
		header.msg_control = &room;
		header.msg_controllen = CMSG_SPACE(count * sizeof(int));
		room.header = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
			.cmsg_len = CMSG_LEN(count * sizeof(int))};
		memcpy(CMSG_DATA(&room.header), fds, count * sizeof(int));
	}
	do {
		size = sendmsg(socket, &header, MSG_NOSIGNAL);
	} while (size < 0 && errno == EINTR);
	return size == (ssize_t)piece.iov_len;
}

/* Takes the descriptors of a message; those beyond most are closed. */
static size_t take_descriptors(struct msghdr *header, int *fds, size_t most)
{
	size_t taken = 0;

	for (struct cmsghdr *item = CMSG_FIRSTHDR(header); item; item = CMSG_NXTHDR(header, item)) {
		size_t count = (item->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(item) + i * sizeof(fd), sizeof(fd));
			if (taken < most)
				fds[taken++] = fd;
			else
				(void)close(fd);
		}
	}
	return taken;
}

json_t *channel_receive(int socket, int *fds, size_t *count)
{
	auto_free char *text = malloc(CHANNEL_SIZE_MAX);
	struct iovec piece = {.iov_base = text, .iov_len = CHANNEL_SIZE_MAX};
	union descriptor_room room;
	struct msghdr header = {.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = &room,
		.msg_controllen = sizeof(room)};
	size_t most = count ? *count : 0, taken;
	json_t *message = NULL;
	ssize_t size;

	if (count)
		*count = 0;
	if (!text)
		return NULL;
	do {
		size = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
	} while (size < 0 && errno == EINTR);
	if (size < 0)
		return NULL;
	taken = take_descriptors(&header, fds, most);
	if (size > 0 && !(header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		message = json_loadb(text, (size_t)size, JSON_REJECT_DUPLICATES, NULL);
	if (message && json_is_object(message)) {
		if (count)
			*count = taken;
		return message;
	}
	json_decref(message);
	while (taken)
		(void)close(fds[--taken]);
	return NULL;
}
