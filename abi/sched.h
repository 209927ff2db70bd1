/* SPDX-License-Identifier: Apache-2.0 */
/* Making tasks and scheduling them: clone(2), clone3(2), unshare(2), sched_*(2). */
#pragma once

#include <stdint.h>

/* clone(2), unshare(2), setns(2). */
#define LINUX_CSIGNAL		   0xff
#define LINUX_CLONE_VM		   0x100
#define LINUX_CLONE_FS		   0x200
#define LINUX_CLONE_FILES	   0x400
#define LINUX_CLONE_SIGHAND	   0x800
#define LINUX_CLONE_PIDFD	   0x1000
#define LINUX_CLONE_PTRACE	   0x2000
#define LINUX_CLONE_VFORK	   0x4000
#define LINUX_CLONE_PARENT	   0x8000
#define LINUX_CLONE_THREAD	   0x10000
#define LINUX_CLONE_NEWNS	   0x20000
#define LINUX_CLONE_SYSVSEM	   0x40000
#define LINUX_CLONE_SETTLS	   0x80000
#define LINUX_CLONE_PARENT_SETTID  0x100000
#define LINUX_CLONE_CHILD_CLEARTID 0x200000
#define LINUX_CLONE_DETACHED	   0x400000
#define LINUX_CLONE_UNTRACED	   0x800000
#define LINUX_CLONE_CHILD_SETTID   0x1000000
#define LINUX_CLONE_NEWCGROUP	   0x2000000
#define LINUX_CLONE_NEWUTS	   0x4000000
#define LINUX_CLONE_NEWIPC	   0x8000000
#define LINUX_CLONE_NEWUSER	   0x10000000
#define LINUX_CLONE_NEWPID	   0x20000000
#define LINUX_CLONE_NEWNET	   0x40000000
#define LINUX_CLONE_IO		   0x80000000U
#define LINUX_CLONE_CLEAR_SIGHAND  0x100000000ULL
#define LINUX_CLONE_INTO_CGROUP	   0x200000000ULL
#define LINUX_CLONE_NEWTIME	   0x80

#define LINUX_CLONE_ARGS_SIZE_VER0 64
#define LINUX_CLONE_ARGS_SIZE_VER1 80
#define LINUX_CLONE_ARGS_SIZE_VER2 88

/* Policies and their flags. */
#define LINUX_SCHED_NORMAL   0
#define LINUX_SCHED_FIFO     1
#define LINUX_SCHED_RR	     2
#define LINUX_SCHED_BATCH    3
#define LINUX_SCHED_IDLE     5
#define LINUX_SCHED_DEADLINE 6

#define LINUX_SCHED_OTHER	    LINUX_SCHED_NORMAL
#define LINUX_SCHED_EXT		    7
#define LINUX_SCHED_ATTR_SIZE_VER0  48
#define LINUX_SCHED_ATTR_SIZE_VER1  56
#define LINUX_SCHED_RT_PRIORITY_MIN 1
#define LINUX_SCHED_RT_PRIORITY_MAX 99
#define LINUX_NICE_MIN		    (-20)
#define LINUX_NICE_MAX		    19

#define LINUX_SCHED_RESET_ON_FORK	0x40000000
#define LINUX_SCHED_FLAG_RESET_ON_FORK	0x1
#define LINUX_SCHED_FLAG_RECLAIM	0x2
#define LINUX_SCHED_FLAG_DL_OVERRUN	0x4
#define LINUX_SCHED_FLAG_KEEP_POLICY	0x8
#define LINUX_SCHED_FLAG_KEEP_PARAMS	0x10
#define LINUX_SCHED_FLAG_UTIL_CLAMP_MIN 0x20
#define LINUX_SCHED_FLAG_UTIL_CLAMP_MAX 0x40
#define LINUX_SCHED_FLAG_KEEP_ALL	0x18
#define LINUX_SCHED_FLAG_UTIL_CLAMP	0x60
#define LINUX_SCHED_FLAG_ALL		0x7f

struct linux_clone_args {
	uint64_t flags;
	uint64_t pidfd;
	uint64_t child_tid;
	uint64_t parent_tid;
	uint64_t exit_signal;
	uint64_t stack;
	uint64_t stack_size;
	uint64_t tls;
	uint64_t set_tid;
	uint64_t set_tid_size;
	uint64_t cgroup;
};

struct linux_sched_param {
	int32_t sched_priority;
};

struct linux_sched_attr {
	uint32_t size;
	uint32_t sched_policy;
	uint64_t sched_flags;
	int32_t sched_nice;
	uint32_t sched_priority;
	uint64_t sched_runtime;
	uint64_t sched_deadline;
	uint64_t sched_period;
	uint32_t sched_util_min;
	uint32_t sched_util_max;
};

_Static_assert(sizeof(struct linux_clone_args) == LINUX_CLONE_ARGS_SIZE_VER2, "struct clone_args");
_Static_assert(sizeof(struct linux_sched_attr) == LINUX_SCHED_ATTR_SIZE_VER1, "struct sched_attr");
