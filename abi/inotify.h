/* SPDX-License-Identifier: Apache-2.0 */
/* inotify(7). */
#pragma once

#include <stdint.h>

#define LINUX_IN_ACCESS	       0x1
#define LINUX_IN_MODIFY	       0x2
#define LINUX_IN_ATTRIB	       0x4
#define LINUX_IN_CLOSE_WRITE   0x8
#define LINUX_IN_CLOSE_NOWRITE 0x10
#define LINUX_IN_OPEN	       0x20
#define LINUX_IN_MOVED_FROM    0x40
#define LINUX_IN_MOVED_TO      0x80
#define LINUX_IN_CREATE	       0x100
#define LINUX_IN_DELETE	       0x200
#define LINUX_IN_DELETE_SELF   0x400
#define LINUX_IN_MOVE_SELF     0x800
#define LINUX_IN_UNMOUNT       0x2000
#define LINUX_IN_Q_OVERFLOW    0x4000
#define LINUX_IN_IGNORED       0x8000
#define LINUX_IN_CLOSE	       0x18
#define LINUX_IN_MOVE	       0xc0
#define LINUX_IN_ONLYDIR       0x1000000
#define LINUX_IN_DONT_FOLLOW   0x2000000
#define LINUX_IN_EXCL_UNLINK   0x4000000
#define LINUX_IN_MASK_CREATE   0x10000000
#define LINUX_IN_MASK_ADD      0x20000000
#define LINUX_IN_ISDIR	       0x40000000
#define LINUX_IN_ONESHOT       0x80000000U
#define LINUX_IN_ALL_EVENTS    0xfff

#define LINUX_IN_CLOEXEC	    02000000
#define LINUX_IN_NONBLOCK	    04000
#define LINUX_INOTIFY_IOC_SETNEXTWD 0x40044900

/* The name is padded with zeros; len counts them. */
struct linux_inotify_event {
	int32_t wd;
	uint32_t mask;
	uint32_t cookie;
	uint32_t len;
	char name[];
};

_Static_assert(sizeof(struct linux_inotify_event) == 16, "struct inotify_event");
