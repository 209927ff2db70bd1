/* SPDX-License-Identifier: Apache-2.0 */
/* epoll_create1(2), epoll_ctl(2), epoll_wait(2), epoll_pwait2(2). */
#pragma once

#include <stdint.h>

#define LINUX_EPOLL_CLOEXEC 02000000

#define LINUX_EPOLL_CTL_ADD 1
#define LINUX_EPOLL_CTL_DEL 2
#define LINUX_EPOLL_CTL_MOD 3

#define LINUX_EPOLLIN	     0x1
#define LINUX_EPOLLPRI	     0x2
#define LINUX_EPOLLOUT	     0x4
#define LINUX_EPOLLERR	     0x8
#define LINUX_EPOLLHUP	     0x10
#define LINUX_EPOLLNVAL	     0x20
#define LINUX_EPOLLRDNORM    0x40
#define LINUX_EPOLLRDBAND    0x80
#define LINUX_EPOLLWRNORM    0x100
#define LINUX_EPOLLWRBAND    0x200
#define LINUX_EPOLLMSG	     0x400
#define LINUX_EPOLLRDHUP     0x2000
#define LINUX_EPOLLEXCLUSIVE 0x10000000
#define LINUX_EPOLLWAKEUP    0x20000000
#define LINUX_EPOLLONESHOT   0x40000000
#define LINUX_EPOLLET	     0x80000000U

#define LINUX_EP_MAX_EVENTS   ((int32_t)(INT32_MAX / sizeof(struct linux_epoll_event)))
#define LINUX_EPOLL_MAX_NESTS 4

/* x86-64 packs this one, so that 32-bit programs see the same. */
struct linux_epoll_event {
	uint32_t events;
	uint64_t data;
} __attribute__((packed));

/* EPIOCSPARAMS, EPIOCGPARAMS (Linux 6.9). */
struct linux_epoll_params {
	uint32_t busy_poll_usecs;
	uint16_t busy_poll_budget;
	uint8_t prefer_busy_poll;
	uint8_t pad;
};

_Static_assert(sizeof(struct linux_epoll_event) == 12, "struct epoll_event");
_Static_assert(sizeof(struct linux_epoll_params) == 8, "struct epoll_params");
