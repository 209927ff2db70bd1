/* SPDX-License-Identifier: Apache-2.0 */
/* wait4(2) and waitid(2), and how a status is put together. */
#pragma once

#define LINUX_WNOHANG	  0x1
#define LINUX_WUNTRACED	  0x2
#define LINUX_WSTOPPED	  0x2
#define LINUX_WEXITED	  0x4
#define LINUX_WCONTINUED  0x8
#define LINUX_WNOWAIT	  0x1000000
#define LINUX___WNOTHREAD 0x20000000
#define LINUX___WALL	  0x40000000
#define LINUX___WCLONE	  0x80000000U

#define LINUX_P_ALL   0
#define LINUX_P_PID   1
#define LINUX_P_PGID  2
#define LINUX_P_PIDFD 3

#define LINUX_W_EXITCODE(code, signal) ((code) << 8 | (signal))
#define LINUX_W_STOPCODE(signal)       ((signal) << 8 | 0x7f)
#define LINUX_W_CONTINUED	       0xffff
#define LINUX_WCOREFLAG		       0x80
#define LINUX_WTERMSIG(status)	       ((status)&0x7f)
#define LINUX_WEXITSTATUS(status)      (((status)&0xff00) >> 8)
#define LINUX_WIFEXITED(status)	       (LINUX_WTERMSIG(status) == 0)
