/* SPDX-License-Identifier: Apache-2.0 */
/* Who is at the other end of a unix socket: SO_PEERCRED, SO_PEERPIDFD, SO_PEERGROUPS, SO_PASSCRED,
 * SO_PASSPIDFD. */
#include "tests/guest/temporary.h"

#include <grp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#define SO_PEERPIDFD 77
#endif
#define SCM_PIDFD_ 4

static int listener_make(struct sockaddr_un *name)
{
	socklen_t size = sizeof(*name);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	*name = (struct sockaddr_un){.sun_family = AF_UNIX};
	CHECK(bind(fd, (struct sockaddr *)name, sizeof(sa_family_t)) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)name, &size) == 0);
	CHECK(listen(fd, 5) == 0);
	return fd;
}

static pid_t fdinfo_pid(int pidfd)
{
	char path[64], line[128];
	pid_t pid = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	file = fopen(path, "r");
	CHECK(file);
	while (fgets(line, sizeof(line), file))
		(void)sscanf(line, "Pid: %d", &pid);
	fclose(file);
	return pid;
}

TEST(credentials_are_those_of_connect_and_listen)
{
	struct sockaddr_un name;
	int listener = listener_make(&name), fd;
	socklen_t size = offsetof(struct sockaddr_un, sun_path) + 6;
	struct ucred cred;
	socklen_t length = sizeof(cred);
	pid_t child = fork();

	if (child == 0) {
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
		CHECK(setgid(1234) == 0 && setuid(4321) == 0);
		CHECK(connect(fd, (struct sockaddr *)&name, size) == 0);
		CHECK(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &length) == 0);
		CHECK_EQ(cred.pid, getppid());
		CHECK_EQ(cred.uid, 0);
		pause();
	}
	fd = accept(listener, NULL, NULL);
	CHECK(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &length) == 0);
	CHECK_EQ(cred.pid, child);
	CHECK_EQ(cred.uid, 4321);
	CHECK_EQ(cred.gid, 1234);
	length = 4;
	CHECK(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &length) == 0);
	CHECK_EQ(length, 4);
	kill(child, SIGKILL);
}

TEST(no_peer)
{
	struct ucred cred;
	socklen_t length = sizeof(cred);
	gid_t groups[4];

	CHECK(getsockopt(socket(AF_UNIX, SOCK_STREAM, 0), SOL_SOCKET, SO_PEERCRED, &cred,
		      &length) == 0);
	CHECK_EQ(cred.pid, 0);
	CHECK_EQ(cred.uid, (uid_t)-1);
	length = sizeof(groups);
	CHECK_ERRNO(getsockopt(socket(AF_UNIX, SOCK_STREAM, 0), SOL_SOCKET, SO_PEERGROUPS, groups,
			    &length),
		ENODATA);
}

TEST(groups)
{
	gid_t own[3] = {5, 77, 1001}, groups[8];
	socklen_t length = sizeof(groups);
	int fds[2];

	CHECK(setgroups(3, own) == 0);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	CHECK(getsockopt(fds[0], SOL_SOCKET, SO_PEERGROUPS, groups, &length) == 0);
	CHECK_EQ(length, sizeof(own));
	CHECK(!memcmp(own, groups, sizeof(own)));
	length = 4;
	CHECK_ERRNO(getsockopt(fds[0], SOL_SOCKET, SO_PEERGROUPS, groups, &length), ERANGE);
	CHECK_EQ(length, sizeof(own));
}

TEST(a_pidfd_of_the_peer)
{
	socklen_t length = sizeof(int);
	int fds[2], pidfd = -1;
	pid_t child;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	if (getsockopt(fds[0], SOL_SOCKET, SO_PEERPIDFD, &pidfd, &length) && errno == ENOPROTOOPT)
		SKIP("no SO_PEERPIDFD");
	CHECK_EQ(length, sizeof(int));
	CHECK_EQ(fdinfo_pid(pidfd), getpid());
	CHECK_EQ(fcntl(pidfd, F_GETFD), FD_CLOEXEC);
	/* Of who made the pair, not of who has the end now. */
	child = fork();
	if (child == 0)
		pause();
	CHECK(getsockopt(fds[1], SOL_SOCKET, SO_PEERPIDFD, &pidfd, &length) == 0);
	CHECK_EQ(fdinfo_pid(pidfd), getpid());
	kill(child, SIGKILL);
	length = sizeof(int);
	CHECK_ERRNO(getsockopt(socket(AF_UNIX, SOCK_STREAM, 0), SOL_SOCKET, SO_PEERPIDFD, &pidfd,
			    &length),
		ENODATA);
}

/* The data of the control message of a type, which must be there. */
static void receive_control(int fd, int type, void *data, size_t size)
{
	char text[8], control[256];
	struct iovec vector = {text, sizeof(text)};
	struct msghdr message = {
		.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = 256};

	CHECK_EQ(recvmsg(fd, &message, 0), 1);
	for (struct cmsghdr *each = CMSG_FIRSTHDR(&message); each;
		each = CMSG_NXTHDR(&message, each)) {
		if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != type)
			continue;
		CHECK_EQ(each->cmsg_len, CMSG_LEN(size));
		memcpy(data, CMSG_DATA(each), size);
		return;
	}
	FAIL("no control message of type %d", type);
}

TEST(a_pidfd_with_each_message)
{
	int fds[2], pidfd, one = 1, value;
	socklen_t length = sizeof(value);
	struct ucred cred;
	pid_t child;

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) == 0);
	if (setsockopt(fds[1], SOL_SOCKET, SO_PASSPIDFD, &one, sizeof(one)) && errno == ENOPROTOOPT)
		SKIP("no SO_PASSPIDFD");
	CHECK(getsockopt(fds[1], SOL_SOCKET, SO_PASSPIDFD, &value, &length) == 0);
	CHECK_EQ(value, 1);
	child = fork();
	if (child == 0) {
		send(fds[0], "x", 1, 0);
		pause();
	}
	receive_control(fds[1], SCM_PIDFD_, &pidfd, sizeof(pidfd));
	CHECK_EQ(fdinfo_pid(pidfd), child);
	kill(child, SIGKILL);
	CHECK_EQ(poll(&(struct pollfd){pidfd, POLLIN, 0}, 1, 10000), 1);
	CHECK(setsockopt(fds[1], SOL_SOCKET, SO_PASSPIDFD, &(int){0}, sizeof(one)) == 0);
	CHECK(setsockopt(fds[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)) == 0);
	CHECK_EQ(send(fds[0], "x", 1, 0), 1);
	receive_control(fds[1], SCM_CREDENTIALS, &cred, sizeof(cred));
	CHECK_EQ(cred.pid, getpid());
}

TEST(claiming_to_be_another)
{
	char control[CMSG_SPACE(sizeof(struct ucred))] = {0};
	struct iovec vector = {"x", 1};
	struct msghdr message = {.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	struct ucred cred = {.pid = getpid(), .uid = 55, .gid = 66}, seen;
	int fds[2];

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) == 0);
	CHECK(setsockopt(fds[1], SOL_SOCKET, SO_PASSCRED, &(int){1}, sizeof(int)) == 0);
	CMSG_FIRSTHDR(&message)->cmsg_level = SOL_SOCKET;
	CMSG_FIRSTHDR(&message)->cmsg_type = SCM_CREDENTIALS;
	CMSG_FIRSTHDR(&message)->cmsg_len = CMSG_LEN(sizeof(cred));
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), &cred, sizeof(cred));
	CHECK_EQ(sendmsg(fds[0], &message, 0), 1);
	receive_control(fds[1], SCM_CREDENTIALS, &seen, sizeof(seen));
	CHECK(!memcmp(&cred, &seen, sizeof(cred)));
	CHECK(setgid(100) == 0 && setuid(100) == 0);
	CHECK_ERRNO(sendmsg(fds[0], &message, 0), EPERM);
}

GUEST_TEST_MAIN()
