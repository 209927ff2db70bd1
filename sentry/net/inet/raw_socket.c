/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Raw sockets (raw(7)): the host's, too, but the sentry may make none. It asks a process outside of
 * the jail, which can do nothing else, and holds what it is given like any other internet socket.
 *
 * Differs from Linux: CAP_NET_RAW of the sandbox's first user namespace is what counts, also in
 * another network namespace, since all of them share one loopback.
 */
#include "sentry/net/inet/inet.h"

#include "abi/capability.h"
#include "base/log.h"
#include "sentry/kernel/task.h"
#include "sentry/lock_order.h"
#include "sentry/net/inet/raw_channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* The other side is started by the first question. */
#define PATIENCE_SECONDS 10

static struct {
	struct mutex lock; /* RANK_LEAF */
	int fd;		   /* -1: nobody to ask */
} channel = {.fd = -1};

__attribute__((constructor)) static void channel_init(void)
{
	mutex_init(&channel.lock, RANK_LEAF, "raw sockets");
}

int inet_raw_prepare(int fd)
{
	const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		return -errno;
	channel.fd = fd;
	return 0;
}

static int send_request(const struct raw_request *request)
{
	ssize_t sent;

	do {
		sent = send(channel.fd, request, sizeof(*request), MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)sizeof(*request) ? 0 : -EPIPE;
}

/* The socket, an error of socket(2), or -EPIPE for what is no answer. */
static int receive_answer(void)
{
	struct raw_answer answer = {0};
	struct iovec iov = {&answer, sizeof(answer)};
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr message = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	ssize_t got;
	int fd;

	do {
		got = recvmsg(channel.fd, &message, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got != (ssize_t)sizeof(answer) || answer.error > 0)
		return -EPIPE;
	if (answer.error)
		return answer.error;
	/* Out of descriptors, the host lets it fall. */
	if (message.msg_controllen < CMSG_LEN(sizeof(fd)))
		return -ENFILE;
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

bool inet_may_be_raw(void)
{
	return cred_capable_in(current->cred, user_namespace_initial(), LINUX_CAP_NET_RAW);
}

int inet_raw_open(int family, int type, int protocol)
{
	/* The numbers are the same on both sides. */
	const struct raw_request request = {family, type, protocol};
	int result;

	if (!inet_may_be_raw())
		return -EPERM;
	mutex_guard(&channel.lock);
	if (channel.fd < 0)
		return -EPERM;
	result = send_request(&request);
	if (!result)
		result = receive_answer();
	if (result != -EPIPE)
		return result;
	/* An answer that comes late would be taken for that of another question. */
	log_warning("nobody makes raw sockets any more");
	(void)close(channel.fd);
	channel.fd = -1;
	return -EPERM;
}
