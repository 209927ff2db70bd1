/* SPDX-License-Identifier: Apache-2.0 */
/* poll(2), ppoll(2), select(2). */
#pragma once

#include <stdint.h>

#define LINUX_POLLIN	 0x1
#define LINUX_POLLPRI	 0x2
#define LINUX_POLLOUT	 0x4
#define LINUX_POLLERR	 0x8
#define LINUX_POLLHUP	 0x10
#define LINUX_POLLNVAL	 0x20
#define LINUX_POLLRDNORM 0x40
#define LINUX_POLLRDBAND 0x80
#define LINUX_POLLWRNORM 0x100
#define LINUX_POLLWRBAND 0x200
#define LINUX_POLLMSG	 0x400
#define LINUX_POLLREMOVE 0x1000
#define LINUX_POLLRDHUP	 0x2000

#define LINUX_FD_SETSIZE 1024

struct linux_pollfd {
	int32_t fd;
	int16_t events;
	int16_t revents;
};

_Static_assert(sizeof(struct linux_pollfd) == 8, "struct pollfd");
