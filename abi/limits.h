/* SPDX-License-Identifier: Apache-2.0 */
/* Limits that the kernel holds to. */
#pragma once

#define LINUX_PAGE_SIZE	      4096
#define LINUX_NGROUPS_MAX     65536
#define LINUX_NAME_MAX	      255
#define LINUX_PATH_MAX	      4096
#define LINUX_PIPE_BUF	      4096
#define LINUX_MAX_SYMLINKS    40
#define LINUX_LINK_MAX	      127
#define LINUX_NR_OPEN	      1048576
#define LINUX_PID_MAX_DEFAULT 32768
#define LINUX_PID_MAX_LIMIT   4194304
#define LINUX_CPU_SETSIZE     1024

/*
 * execve(2): one string, one vector, and all strings of argv and envp with their pointers. The sum
 * is a quarter of RLIMIT_STACK, at most three quarters of _STK_LIM, at least ARG_MAX.
 */
#define LINUX_STK_LIM	      (8UL << 20)
#define LINUX_MAX_ARG_STRLEN  (32UL * LINUX_PAGE_SIZE)
#define LINUX_MAX_ARG_STRINGS 0x7fffffff
#define LINUX_MAX_ARG_SIZE    (LINUX_STK_LIM / 4 * 3)
#define LINUX_ARG_MAX	      131072
#define LINUX_BINPRM_BUF_SIZE 256

/* User addresses of x86-64 with four levels of page tables; the last page is never mapped. */
#define LINUX_TASK_SIZE	      0x7ffffffff000ULL
#define LINUX_MMAP_MIN_ADDR   65536
#define LINUX_STACK_GUARD_GAP (256UL * LINUX_PAGE_SIZE)
#define LINUX_MAX_MAP_COUNT   65530
