/* SPDX-License-Identifier: Apache-2.0 */
/* sysinfo(2) and syslog(2). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LINUX_SI_LOAD_SHIFT 16

struct linux_sysinfo {
	int64_t uptime;
	uint64_t loads[3];
	uint64_t totalram;
	uint64_t freeram;
	uint64_t sharedram;
	uint64_t bufferram;
	uint64_t totalswap;
	uint64_t freeswap;
	uint16_t procs;
	uint16_t pad;
	uint32_t pad0;
	uint64_t totalhigh;
	uint64_t freehigh;
	uint32_t mem_unit;
	uint32_t pad1;
};

/* syslog(2). */
#define LINUX_SYSLOG_ACTION_CLOSE	  0
#define LINUX_SYSLOG_ACTION_OPEN	  1
#define LINUX_SYSLOG_ACTION_READ	  2
#define LINUX_SYSLOG_ACTION_READ_ALL	  3
#define LINUX_SYSLOG_ACTION_READ_CLEAR	  4
#define LINUX_SYSLOG_ACTION_CLEAR	  5
#define LINUX_SYSLOG_ACTION_CONSOLE_OFF	  6
#define LINUX_SYSLOG_ACTION_CONSOLE_ON	  7
#define LINUX_SYSLOG_ACTION_CONSOLE_LEVEL 8
#define LINUX_SYSLOG_ACTION_SIZE_UNREAD	  9
#define LINUX_SYSLOG_ACTION_SIZE_BUFFER	  10

_Static_assert(sizeof(struct linux_sysinfo) == 112, "struct sysinfo");
_Static_assert(offsetof(struct linux_sysinfo, totalhigh) == 88, "struct sysinfo");
