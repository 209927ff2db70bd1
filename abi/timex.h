/* SPDX-License-Identifier: Apache-2.0 */
/* The clock discipline of adjtimex(2) and clock_adjtime(2). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/time.h"

#define LINUX_ADJ_OFFSET	    0x1
#define LINUX_ADJ_FREQUENCY	    0x2
#define LINUX_ADJ_MAXERROR	    0x4
#define LINUX_ADJ_ESTERROR	    0x8
#define LINUX_ADJ_STATUS	    0x10
#define LINUX_ADJ_TIMECONST	    0x20
#define LINUX_ADJ_TAI		    0x80
#define LINUX_ADJ_SETOFFSET	    0x100
#define LINUX_ADJ_MICRO		    0x1000
#define LINUX_ADJ_NANO		    0x2000
#define LINUX_ADJ_TICK		    0x4000
#define LINUX_ADJ_OFFSET_SINGLESHOT 0x8001
#define LINUX_ADJ_OFFSET_SS_READ    0xa001

#define LINUX_STA_PLL	    0x1
#define LINUX_STA_PPSFREQ   0x2
#define LINUX_STA_PPSTIME   0x4
#define LINUX_STA_FLL	    0x8
#define LINUX_STA_INS	    0x10
#define LINUX_STA_DEL	    0x20
#define LINUX_STA_UNSYNC    0x40
#define LINUX_STA_FREQHOLD  0x80
#define LINUX_STA_PPSSIGNAL 0x100
#define LINUX_STA_PPSJITTER 0x200
#define LINUX_STA_PPSWANDER 0x400
#define LINUX_STA_PPSERROR  0x800
#define LINUX_STA_CLOCKERR  0x1000
#define LINUX_STA_NANO	    0x2000
#define LINUX_STA_MODE	    0x4000
#define LINUX_STA_CLK	    0x8000
#define LINUX_STA_RONLY	    0xff00

#define LINUX_TIME_OK	 0
#define LINUX_TIME_INS	 1
#define LINUX_TIME_DEL	 2
#define LINUX_TIME_OOP	 3
#define LINUX_TIME_WAIT	 4
#define LINUX_TIME_ERROR 5
#define LINUX_TIME_BAD	 5

struct linux_timex {
	uint32_t modes;
	uint32_t pad0;
	int64_t offset;
	int64_t freq;
	int64_t maxerror;
	int64_t esterror;
	int32_t status;
	uint32_t pad1;
	int64_t constant;
	int64_t precision;
	int64_t tolerance;
	struct linux_timeval time;
	int64_t tick;
	int64_t ppsfreq;
	int64_t jitter;
	int32_t shift;
	uint32_t pad2;
	int64_t stabil;
	int64_t jitcnt;
	int64_t calcnt;
	int64_t errcnt;
	int64_t stbcnt;
	int32_t tai;
	int32_t reserved[11];
};

_Static_assert(sizeof(struct linux_timex) == 208, "struct timex");
_Static_assert(offsetof(struct linux_timex, tai) == 160, "struct timex");
