/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals: numbers, actions, siginfo, stacks, signalfd(2) and sigevent. The frame is in
 * abi/ucontext.h.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LINUX_SIGHUP	1
#define LINUX_SIGINT	2
#define LINUX_SIGQUIT	3
#define LINUX_SIGILL	4
#define LINUX_SIGTRAP	5
#define LINUX_SIGABRT	6
#define LINUX_SIGIOT	6
#define LINUX_SIGBUS	7
#define LINUX_SIGFPE	8
#define LINUX_SIGKILL	9
#define LINUX_SIGUSR1	10
#define LINUX_SIGSEGV	11
#define LINUX_SIGUSR2	12
#define LINUX_SIGPIPE	13
#define LINUX_SIGALRM	14
#define LINUX_SIGTERM	15
#define LINUX_SIGSTKFLT 16
#define LINUX_SIGCHLD	17
#define LINUX_SIGCONT	18
#define LINUX_SIGSTOP	19
#define LINUX_SIGTSTP	20
#define LINUX_SIGTTIN	21
#define LINUX_SIGTTOU	22
#define LINUX_SIGURG	23
#define LINUX_SIGXCPU	24
#define LINUX_SIGXFSZ	25
#define LINUX_SIGVTALRM 26
#define LINUX_SIGPROF	27
#define LINUX_SIGWINCH	28
#define LINUX_SIGIO	29
#define LINUX_SIGPOLL	29
#define LINUX_SIGPWR	30
#define LINUX_SIGSYS	31

#define LINUX_SIGRTMIN 32
#define LINUX_SIGRTMAX 64
#define LINUX_NSIG     64

typedef uint64_t linux_sigset_t;

/* The bit of a signal in a set; signal is 1 to 64. */
#define LINUX_SIGMASK(signal) (1ULL << ((signal)-1))

#define LINUX_SIG_DFL 0
#define LINUX_SIG_IGN 1
#define LINUX_SIG_ERR UINT64_MAX

/* sigaction(2) flags. */
#define LINUX_SA_NOCLDSTOP	0x1
#define LINUX_SA_NOCLDWAIT	0x2
#define LINUX_SA_SIGINFO	0x4
#define LINUX_SA_UNSUPPORTED	0x400
#define LINUX_SA_EXPOSE_TAGBITS 0x800
#define LINUX_SA_RESTORER	0x4000000
#define LINUX_SA_ONSTACK	0x8000000
#define LINUX_SA_RESTART	0x10000000
#define LINUX_SA_NODEFER	0x40000000
#define LINUX_SA_RESETHAND	0x80000000U

#define LINUX_SA_NOMASK	 LINUX_SA_NODEFER
#define LINUX_SA_ONESHOT LINUX_SA_RESETHAND

#define LINUX_SIG_BLOCK	  0
#define LINUX_SIG_UNBLOCK 1
#define LINUX_SIG_SETMASK 2

/* sigaltstack(2). */
#define LINUX_SS_ONSTACK    1
#define LINUX_SS_DISABLE    2
#define LINUX_SS_AUTODISARM (1U << 31)
#define LINUX_SS_FLAG_BITS  LINUX_SS_AUTODISARM
#define LINUX_MINSIGSTKSZ   2048
#define LINUX_SIGSTKSZ	    8192

/* si_code: from whom. */
#define LINUX_SI_USER	  0
#define LINUX_SI_KERNEL	  0x80
#define LINUX_SI_QUEUE	  (-1)
#define LINUX_SI_TIMER	  (-2)
#define LINUX_SI_MESGQ	  (-3)
#define LINUX_SI_ASYNCIO  (-4)
#define LINUX_SI_SIGIO	  (-5)
#define LINUX_SI_TKILL	  (-6)
#define LINUX_SI_DETHREAD (-7)
#define LINUX_SI_ASYNCNL  (-60)

/* si_code of the signals that the kernel raises. */
#define LINUX_ILL_ILLOPC	   1
#define LINUX_ILL_ILLOPN	   2
#define LINUX_ILL_ILLADR	   3
#define LINUX_ILL_ILLTRP	   4
#define LINUX_ILL_PRVOPC	   5
#define LINUX_ILL_PRVREG	   6
#define LINUX_ILL_COPROC	   7
#define LINUX_ILL_BADSTK	   8
#define LINUX_ILL_BADIADDR	   9
#define LINUX_FPE_INTDIV	   1
#define LINUX_FPE_INTOVF	   2
#define LINUX_FPE_FLTDIV	   3
#define LINUX_FPE_FLTOVF	   4
#define LINUX_FPE_FLTUND	   5
#define LINUX_FPE_FLTRES	   6
#define LINUX_FPE_FLTINV	   7
#define LINUX_FPE_FLTSUB	   8
#define LINUX_FPE_FLTUNK	   14
#define LINUX_FPE_CONDTRAP	   15
#define LINUX_SEGV_MAPERR	   1
#define LINUX_SEGV_ACCERR	   2
#define LINUX_SEGV_BNDERR	   3
#define LINUX_SEGV_PKUERR	   4
#define LINUX_SEGV_ACCADI	   5
#define LINUX_SEGV_ADIDERR	   6
#define LINUX_SEGV_ADIPERR	   7
#define LINUX_SEGV_MTEAERR	   8
#define LINUX_SEGV_MTESERR	   9
#define LINUX_BUS_ADRALN	   1
#define LINUX_BUS_ADRERR	   2
#define LINUX_BUS_OBJERR	   3
#define LINUX_BUS_MCEERR_AR	   4
#define LINUX_BUS_MCEERR_AO	   5
#define LINUX_TRAP_BRKPT	   1
#define LINUX_TRAP_TRACE	   2
#define LINUX_TRAP_BRANCH	   3
#define LINUX_TRAP_HWBKPT	   4
#define LINUX_TRAP_UNK		   5
#define LINUX_TRAP_PERF		   6
#define LINUX_TRAP_PERF_FLAG_ASYNC 1
#define LINUX_CLD_EXITED	   1
#define LINUX_CLD_KILLED	   2
#define LINUX_CLD_DUMPED	   3
#define LINUX_CLD_TRAPPED	   4
#define LINUX_CLD_STOPPED	   5
#define LINUX_CLD_CONTINUED	   6
#define LINUX_POLL_IN		   1
#define LINUX_POLL_OUT		   2
#define LINUX_POLL_MSG		   3
#define LINUX_POLL_ERR		   4
#define LINUX_POLL_PRI		   5
#define LINUX_POLL_HUP		   6
#define LINUX_SYS_SECCOMP	   1
#define LINUX_SYS_USER_DISPATCH	   2
#define LINUX_EMT_TAGOVF	   1

#define LINUX_SEGV_CPERR 10 /* Linux 6.6 */

typedef union {
	int32_t sival_int;
	uint64_t sival_ptr;
} linux_sigval_t;

/* siginfo_t: what of the union holds is told by si_signo and si_code. */
struct linux_siginfo {
	int32_t si_signo;
	int32_t si_errno;
	int32_t si_code;
	int32_t pad0;
	union {
		int32_t pad[28];
		struct { /* kill(2) and its kin */
			int32_t si_pid;
			uint32_t si_uid;
		} kill;
		struct { /* POSIX timers */
			int32_t si_tid;
			int32_t si_overrun;
			linux_sigval_t si_sigval;
			int32_t si_sys_private;
		} timer;
		struct { /* rt_sigqueueinfo(2) */
			int32_t si_pid;
			uint32_t si_uid;
			linux_sigval_t si_sigval;
		} rt;
		struct { /* SIGCHLD */
			int32_t si_pid;
			uint32_t si_uid;
			int32_t si_status;
			int32_t pad1;
			int64_t si_utime;
			int64_t si_stime;
		} sigchld;
		struct { /* SIGILL, SIGFPE, SIGSEGV, SIGBUS, SIGTRAP */
			uint64_t si_addr;
			union {
				int32_t si_trapno;
				int16_t si_addr_lsb;
				struct {
					uint64_t pad2;
					uint64_t si_lower;
					uint64_t si_upper;
				} bounds;
				struct {
					uint64_t pad3;
					uint32_t si_pkey;
				} pkey;
				struct {
					uint64_t si_perf_data;
					uint32_t si_perf_type;
					uint32_t si_perf_flags;
				} perf;
			};
		} sigfault;
		struct { /* SIGPOLL */
			int64_t si_band;
			int32_t si_fd;
		} sigpoll;
		struct { /* SIGSYS */
			uint64_t si_call_addr;
			int32_t si_syscall;
			uint32_t si_arch;
		} sigsys;
	};
};

/* The kernel's sigaction: not glibc's. */
struct linux_sigaction {
	uint64_t sa_handler;
	uint64_t sa_flags;
	uint64_t sa_restorer;
	linux_sigset_t sa_mask;
};

struct linux_stack {
	uint64_t ss_sp;
	int32_t ss_flags;
	uint32_t pad0;
	uint64_t ss_size;
};

/* timer_create(2), mq_notify(2). */
#define LINUX_SIGEV_SIGNAL    0
#define LINUX_SIGEV_NONE      1
#define LINUX_SIGEV_THREAD    2
#define LINUX_SIGEV_THREAD_ID 4

struct linux_sigevent {
	linux_sigval_t sigev_value;
	int32_t sigev_signo;
	int32_t sigev_notify;
	union {
		int32_t pad[12];
		int32_t sigev_tid;
		struct {
			uint64_t function;
			uint64_t attribute;
		} sigev_thread;
	};
};

/* signalfd(2). */
#define LINUX_SFD_CLOEXEC  02000000
#define LINUX_SFD_NONBLOCK 04000

struct linux_signalfd_siginfo {
	uint32_t ssi_signo;
	int32_t ssi_errno;
	int32_t ssi_code;
	uint32_t ssi_pid;
	uint32_t ssi_uid;
	int32_t ssi_fd;
	uint32_t ssi_tid;
	uint32_t ssi_band;
	uint32_t ssi_overrun;
	uint32_t ssi_trapno;
	int32_t ssi_status;
	int32_t ssi_int;
	uint64_t ssi_ptr;
	uint64_t ssi_utime;
	uint64_t ssi_stime;
	uint64_t ssi_addr;
	uint16_t ssi_addr_lsb;
	uint16_t pad2;
	int32_t ssi_syscall;
	uint64_t ssi_call_addr;
	uint32_t ssi_arch;
	uint8_t pad[28];
};

/* pselect6(2) passes its mask through this pair. */
struct linux_sigset_argpack {
	uint64_t set;
	uint64_t size;
};

_Static_assert(sizeof(struct linux_siginfo) == 128, "siginfo_t");
_Static_assert(offsetof(struct linux_siginfo, kill) == 16, "siginfo_t");
_Static_assert(offsetof(struct linux_siginfo, sigchld.si_utime) == 32, "siginfo_t");
_Static_assert(offsetof(struct linux_siginfo, sigfault.si_addr_lsb) == 24, "siginfo_t");
_Static_assert(offsetof(struct linux_siginfo, sigfault.bounds.si_lower) == 32, "siginfo_t");
_Static_assert(offsetof(struct linux_siginfo, timer.si_sys_private) == 32, "siginfo_t");
_Static_assert(offsetof(struct linux_siginfo, rt.si_sigval) == 24, "siginfo_t");
_Static_assert(offsetof(struct linux_siginfo, sigsys.si_arch) == 28, "siginfo_t");
_Static_assert(sizeof(struct linux_sigaction) == 32, "struct sigaction");
_Static_assert(sizeof(struct linux_stack) == 24, "stack_t");
_Static_assert(sizeof(struct linux_sigevent) == 64, "struct sigevent");
_Static_assert(offsetof(struct linux_sigevent, sigev_thread) == 16, "struct sigevent");
_Static_assert(sizeof(struct linux_signalfd_siginfo) == 128, "struct signalfd_siginfo");
_Static_assert(
	offsetof(struct linux_signalfd_siginfo, ssi_call_addr) == 88, "struct signalfd_siginfo");
