/* SPDX-License-Identifier: Apache-2.0 */
/* kcmp(2). */
#pragma once

#include <stdint.h>

#define LINUX_KCMP_FILE	   0
#define LINUX_KCMP_VM	   1
#define LINUX_KCMP_FILES   2
#define LINUX_KCMP_FS	   3
#define LINUX_KCMP_SIGHAND 4
#define LINUX_KCMP_IO	   5
#define LINUX_KCMP_SYSVSEM 6

#define LINUX_KCMP_EPOLL_TFD 7

struct linux_kcmp_epoll_slot {
	uint32_t efd;
	uint32_t tfd;
	uint32_t toff;
};
