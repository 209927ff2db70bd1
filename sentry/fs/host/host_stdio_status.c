/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The status line where standard output or error is a terminal and standard input is none, so that
 * there is no console: drawn between the lines of what programs write there, and erased before.
 */
#include "base/cleanup.h"
#include "sentry/fs/devpts/tty.h"
#include "sentry/fs/host/host.h"
#include "sentry/fs/host/host_stdio.h"
#include "sentry/lock_order.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ERASE_LINE "\r\033[K"

static struct {
	struct mutex lock;    /* RANK_LEAF; held while something is written there */
	int fd;		      /* set once, -1: none; of our own, since programs close theirs */
	bool shown, mid_line; /* what is at the cursor */
} status;

__attribute__((constructor)) static void status_init(void)
{
	mutex_init(&status.lock, RANK_LEAF, "status line");
	status.fd = -1;
}

bool host_stdio_status_use(int fd)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size))
		return false;
	if (status.fd < 0)
		status.fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return status.fd >= 0;
}

static void erase_locked(void)
{
	if (status.shown && write(status.fd, ERASE_LINE, strlen(ERASE_LINE)) > 0)
		status.shown = false;
}

void host_stdio_status_begin(void)
{
	mutex_lock(&status.lock);
	erase_locked();
}

void host_stdio_status_end(const struct iovec *iov, int64_t written)
{
	for (; written > 0; iov++) {
		if ((uint64_t)written <= iov->iov_len)
			status.mid_line = ((const char *)iov->iov_base)[written - 1] != '\n';
		written -= (int64_t)iov->iov_len;
	}
	mutex_unlock(&status.lock);
}

void host_stdio_status(const char *text)
{
	struct pollfd poll_fd = {.fd = status.fd, .events = POLLOUT};
	struct winsize window;
	char line[160];
	int size, room = (int)sizeof(line);

	if (status.fd < 0 || console_tty())
		return;
	mutex_guard(&status.lock);
	if (status.mid_line || poll(&poll_fd, 1, 0) != 1 || !(poll_fd.revents & POLLOUT))
		return;
	/* One that wraps would not be erased. */
	if (!ioctl(status.fd, TIOCGWINSZ, &window) && window.ws_col)
		room = window.ws_col - 1;
	size = snprintf(line, sizeof(line), ERASE_LINE "%.*s", room, text);
	if (!*text)
		erase_locked();
	else if (write(status.fd, line,
			 (size_t)size < sizeof(line) ? (size_t)size : sizeof(line) - 1) > 0)
		status.shown = true;
}
