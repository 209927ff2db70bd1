/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes raw and packet sockets. Both sides of it are mistrusted: what comes over the channel is
 * three numbers that the filter and the host's kernel check, and what runs here may receive, make a
 * socket, and send.
 */
#include "runsc-c/raw_broker.h"

#include "base/cleanup.h"
#include "runsc-c/jail.h"
#include "sentry/net/inet/raw_channel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CHANNEL 0
#define FLAGS	(SOCK_NONBLOCK | SOCK_CLOEXEC)

/* All else, standard input and output too, is closed. */
static int keep_channel(int fd)
{
	if (fd != CHANNEL && dup2(fd, CHANNEL) < 0)
		return -1;
	return (int)syscall(SYS_close_range, CHANNEL + 1, ~0u, 0);
}

static int open_namespace(pid_t sentry, const char *name)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", sentry, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int load_filter(void)
{
	static const int admitted[] = {
		SCMP_SYS(recvmsg),
		SCMP_SYS(sendmsg),
		SCMP_SYS(close),
		SCMP_SYS(exit_group),
	};
	static const int sockets[][2] = {{AF_INET, SOCK_RAW}, {AF_INET6, SOCK_RAW},
		{AF_PACKET, SOCK_RAW}, {AF_PACKET, SOCK_DGRAM}};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int error = filter ? 0 : -ENOMEM;

	for (size_t i = 0; !error && i < array_count(admitted); i++)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, admitted[i], 0);
	for (size_t i = 0; !error && i < array_count(sockets); i++)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
			SCMP_A0(SCMP_CMP_EQ, (unsigned int)sockets[i][0]),
			SCMP_A1(SCMP_CMP_EQ, (unsigned int)sockets[i][1] | FLAGS));
	if (!error)
		error = seccomp_load(filter);
	seccomp_release(filter);
	return error;
}

/* False at the end of the channel, or for what is no request. */
static bool receive(struct raw_request *request)
{
	struct iovec iov = {request, sizeof(*request)};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

	return recvmsg(CHANNEL, &message, MSG_CMSG_CLOEXEC) == (ssize_t)sizeof(*request) &&
	       !(message.msg_flags & (MSG_TRUNC | MSG_CTRUNC));
}

static bool answer(int fd, int error)
{
	struct raw_answer text = {.error = error};
	struct iovec iov = {&text, sizeof(text)};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};

	if (fd >= 0) {
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
	}
	return sendmsg(CHANNEL, &message, MSG_NOSIGNAL) == (ssize_t)sizeof(text);
}

static void serve(void)
{
	struct raw_request request;
	bool answered = true;

	while (answered && receive(&request)) {
		/* Which ones there may be is the filter's to say. */
		int fd = socket(request.family, request.type | FLAGS, request.protocol);

		answered = answer(fd, fd < 0 ? -errno : 0);
		if (fd >= 0)
			(void)close(fd);
	}
}

/* The user namespace, too: its capabilities are what counts in the other. -1: none to enter. */
noreturn_ static void broker_main(int fd, int user, int network)
{
	struct failure failure;
	sigset_t none;

	/* A terminal's signals are not for it. */
	(void)setsid();
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if ((user >= 0 && (setns(user, CLONE_NEWUSER) || setns(network, CLONE_NEWNET))) ||
		keep_channel(fd) || chdir("/") ||
		jail_drop_capabilities(1ull << CAP_NET_RAW, &failure) ||
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) || load_filter())
		_exit(1);
	serve();
	_exit(0);
}

pid_t raw_broker_start(int fd, pid_t sentry)
{
	/* Here, and not in the child: who may look at the sentry changes while it sets itself up.
	 */
	auto_close int user = sentry ? open_namespace(sentry, "user") : -1;
	auto_close int network = sentry ? open_namespace(sentry, "net") : -1;
	pid_t child;

	if (sentry && (user < 0 || network < 0))
		return -1;
	child = fork();
	if (child == 0)
		broker_main(fd, user, network);
	return child;
}
