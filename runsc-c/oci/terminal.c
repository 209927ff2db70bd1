/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Terminals of containers. The host's terminal is kept in raw mode: the line discipline that
 * programs see is the guests' own kernel's.
 */
#include "runsc-c/oci/terminal.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

static int send_master(int master, const char *path, const char *name, struct failure *failure)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} room = {.header = {.cmsg_level = SOL_SOCKET,
			  .cmsg_type = SCM_RIGHTS,
			  .cmsg_len = CMSG_LEN(sizeof(int))}};
	struct iovec piece = {.iov_base = (void *)name, .iov_len = strlen(name)};
	struct msghdr message = {.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = &room,
		.msg_controllen = sizeof(room)};

	if (strlen(path) >= sizeof(address.sun_path))
		return fail(
			failure, STATUS_INTERNAL, "--console-socket: %s is too long a name", path);
	strcpy(address.sun_path, path);
	memcpy(CMSG_DATA(&room.header), &master, sizeof(master));
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) ||
		sendmsg(fd, &message, MSG_NOSIGNAL) < 0)
		return fail_errno(failure, errno, "--console-socket: %s", path);
	return 0;
}

static int make_pair(struct terminal *terminal, const char *path, struct failure *failure)
{
	auto_close int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct winsize size = {.ws_row = terminal->rows, .ws_col = terminal->columns};
	struct termios raw;
	char name[64];

	if (master < 0 || grantpt(master) || unlockpt(master) ||
		ptsname_r(master, name, sizeof(name)))
		return fail_errno(failure, errno, "cannot make a pseudoterminal");
	terminal->fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (terminal->fd < 0 || tcgetattr(terminal->fd, &raw))
		return fail_errno(failure, errno, "cannot open %s", name);
	cfmakeraw(&raw);
	if (tcsetattr(terminal->fd, TCSANOW, &raw))
		return fail_errno(failure, errno, "cannot set %s up", name);
	if (size.ws_row || size.ws_col)
		(void)ioctl(master, TIOCSWINSZ, &size);
	return send_master(master, path, name, failure);
}

int terminal_open(struct terminal *terminal, const char *console_socket, uint32_t rows,
	uint32_t columns, struct failure *failure)
{
	struct winsize size;

	*terminal =
		(struct terminal){.fd = -1, .rows = (uint16_t)rows, .columns = (uint16_t)columns};
	if (console_socket)
		return make_pair(terminal, console_socket, failure);
	if (!isatty(STDIN_FILENO))
		return fail(failure, STATUS_INTERNAL,
			"process.terminal: standard input is no terminal; use --console-socket");
	terminal->is_callers = true;
	terminal->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	if (!rows && !columns && !ioctl(STDIN_FILENO, TIOCGWINSZ, &size)) {
		terminal->rows = size.ws_row;
		terminal->columns = size.ws_col;
	}
	return 0;
}
