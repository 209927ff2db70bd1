/* SPDX-License-Identifier: Apache-2.0 */
/* Names of flags and choices: processes, signals, time, limits and tracing. */
#include "sentry/trace/decode_names.h"

#include "abi/landlock.h"
#include "abi/prctl.h"
#include "abi/ptrace.h"
#include "abi/random.h"
#include "abi/resource.h"
#include "abi/sched.h"
#include "abi/seccomp.h"
#include "abi/signal.h"
#include "abi/time.h"
#include "abi/wait.h"

static const struct decode_name names_signalfd_flags[] = {
	NAME(SFD_NONBLOCK),
	NAME(SFD_CLOEXEC),
};

static const struct decode_name names_clone_flags[] = {
	NAME(CLONE_VM),
	NAME(CLONE_FS),
	NAME(CLONE_FILES),
	NAME(CLONE_SIGHAND),
	NAME(CLONE_PIDFD),
	NAME(CLONE_PTRACE),
	NAME(CLONE_VFORK),
	NAME(CLONE_PARENT),
	NAME(CLONE_THREAD),
	NAME(CLONE_NEWNS),
	NAME(CLONE_SYSVSEM),
	NAME(CLONE_SETTLS),
	NAME(CLONE_PARENT_SETTID),
	NAME(CLONE_CHILD_CLEARTID),
	NAME(CLONE_DETACHED),
	NAME(CLONE_UNTRACED),
	NAME(CLONE_CHILD_SETTID),
	NAME(CLONE_NEWCGROUP),
	NAME(CLONE_NEWUTS),
	NAME(CLONE_NEWIPC),
	NAME(CLONE_NEWUSER),
	NAME(CLONE_NEWPID),
	NAME(CLONE_NEWNET),
	NAME(CLONE_IO),
	NAME(CLONE_CLEAR_SIGHAND),
	NAME(CLONE_INTO_CGROUP),
};

static const struct decode_name names_sched_policy[] = {
	NAME(SCHED_OTHER),
	NAME(SCHED_FIFO),
	NAME(SCHED_RR),
	NAME(SCHED_BATCH),
	NAME(SCHED_IDLE),
	NAME(SCHED_DEADLINE),
};

static const struct decode_name names_wait_options[] = {
	NAME(WNOHANG),
	NAME(WSTOPPED),
	NAME(WEXITED),
	NAME(WCONTINUED),
	NAME(WNOWAIT),
	NAME(__WNOTHREAD),
	NAME(__WALL),
	NAME(__WCLONE),
};

static const struct decode_name names_waitid_type[] = {
	NAME(P_ALL),
	NAME(P_PID),
	NAME(P_PGID),
	NAME(P_PIDFD),
};

static const struct decode_name names_prctl[] = {
	NAME(PR_SET_PDEATHSIG),
	NAME(PR_GET_PDEATHSIG),
	NAME(PR_GET_DUMPABLE),
	NAME(PR_SET_DUMPABLE),
	NAME(PR_GET_KEEPCAPS),
	NAME(PR_SET_KEEPCAPS),
	NAME(PR_SET_NAME),
	NAME(PR_GET_NAME),
	NAME(PR_GET_SECCOMP),
	NAME(PR_SET_SECCOMP),
	NAME(PR_CAPBSET_READ),
	NAME(PR_CAPBSET_DROP),
	NAME(PR_GET_TSC),
	NAME(PR_SET_TSC),
	NAME(PR_GET_SECUREBITS),
	NAME(PR_SET_SECUREBITS),
	NAME(PR_SET_TIMERSLACK),
	NAME(PR_GET_TIMERSLACK),
	NAME(PR_MCE_KILL),
	NAME(PR_MCE_KILL_GET),
	NAME(PR_SET_MM),
	NAME(PR_SET_PTRACER),
	NAME(PR_SET_CHILD_SUBREAPER),
	NAME(PR_GET_CHILD_SUBREAPER),
	NAME(PR_SET_NO_NEW_PRIVS),
	NAME(PR_GET_NO_NEW_PRIVS),
	NAME(PR_GET_TID_ADDRESS),
	NAME(PR_SET_THP_DISABLE),
	NAME(PR_GET_THP_DISABLE),
	NAME(PR_CAP_AMBIENT),
	NAME(PR_GET_SPECULATION_CTRL),
	NAME(PR_SET_SPECULATION_CTRL),
	NAME(PR_SET_IO_FLUSHER),
	NAME(PR_GET_IO_FLUSHER),
	NAME(PR_SET_SYSCALL_USER_DISPATCH),
	NAME(PR_SCHED_CORE),
	NAME(PR_SET_VMA),
	NAME(PR_SET_MDWE),
	NAME(PR_GET_MDWE),
	NAME(PR_GET_AUXV),
};

static const struct decode_name names_arch_prctl[] = {
	NAME(ARCH_SET_GS),
	NAME(ARCH_SET_FS),
	NAME(ARCH_GET_FS),
	NAME(ARCH_GET_GS),
	NAME(ARCH_GET_CPUID),
	NAME(ARCH_SET_CPUID),
	NAME(ARCH_GET_XCOMP_SUPP),
	NAME(ARCH_GET_XCOMP_PERM),
	NAME(ARCH_REQ_XCOMP_PERM),
	NAME(ARCH_SHSTK_ENABLE),
	NAME(ARCH_SHSTK_DISABLE),
	NAME(ARCH_SHSTK_STATUS),
};

static const struct decode_name names_ptrace_request[] = {
	NAME(PTRACE_TRACEME),
	NAME(PTRACE_PEEKTEXT),
	NAME(PTRACE_PEEKDATA),
	NAME(PTRACE_PEEKUSER),
	NAME(PTRACE_POKETEXT),
	NAME(PTRACE_POKEDATA),
	NAME(PTRACE_POKEUSER),
	NAME(PTRACE_CONT),
	NAME(PTRACE_KILL),
	NAME(PTRACE_SINGLESTEP),
	NAME(PTRACE_ATTACH),
	NAME(PTRACE_DETACH),
	NAME(PTRACE_SYSCALL),
	NAME(PTRACE_GETREGS),
	NAME(PTRACE_SETREGS),
	NAME(PTRACE_GETFPREGS),
	NAME(PTRACE_SETFPREGS),
	NAME(PTRACE_ARCH_PRCTL),
	NAME(PTRACE_SYSEMU),
	NAME(PTRACE_SYSEMU_SINGLESTEP),
	NAME(PTRACE_SINGLEBLOCK),
	NAME(PTRACE_SETOPTIONS),
	NAME(PTRACE_GETEVENTMSG),
	NAME(PTRACE_GETSIGINFO),
	NAME(PTRACE_SETSIGINFO),
	NAME(PTRACE_GETREGSET),
	NAME(PTRACE_SETREGSET),
	NAME(PTRACE_SEIZE),
	NAME(PTRACE_INTERRUPT),
	NAME(PTRACE_LISTEN),
	NAME(PTRACE_PEEKSIGINFO),
	NAME(PTRACE_GETSIGMASK),
	NAME(PTRACE_SETSIGMASK),
	NAME(PTRACE_SECCOMP_GET_FILTER),
	NAME(PTRACE_SECCOMP_GET_METADATA),
	NAME(PTRACE_GET_SYSCALL_INFO),
	NAME(PTRACE_GET_RSEQ_CONFIGURATION),
	NAME(PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG),
	NAME(PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG),
	NAME(PTRACE_SET_SYSCALL_INFO),
};

static const struct decode_name names_clockid[] = {
	NAME(CLOCK_REALTIME),
	NAME(CLOCK_MONOTONIC),
	NAME(CLOCK_PROCESS_CPUTIME_ID),
	NAME(CLOCK_THREAD_CPUTIME_ID),
	NAME(CLOCK_MONOTONIC_RAW),
	NAME(CLOCK_REALTIME_COARSE),
	NAME(CLOCK_MONOTONIC_COARSE),
	NAME(CLOCK_BOOTTIME),
	NAME(CLOCK_REALTIME_ALARM),
	NAME(CLOCK_BOOTTIME_ALARM),
	NAME(CLOCK_TAI),
};

static const struct decode_name names_itimer[] = {
	NAME(ITIMER_REAL),
	NAME(ITIMER_VIRTUAL),
	NAME(ITIMER_PROF),
};

static const struct decode_name names_timer_flags[] = {
	NAME(TIMER_ABSTIME),
};

static const struct decode_name names_timerfd_flags[] = {
	NAME(TFD_CLOEXEC),
	NAME(TFD_NONBLOCK),
};

static const struct decode_name names_rlimit[] = {
	NAME(RLIMIT_CPU),
	NAME(RLIMIT_FSIZE),
	NAME(RLIMIT_DATA),
	NAME(RLIMIT_STACK),
	NAME(RLIMIT_CORE),
	NAME(RLIMIT_RSS),
	NAME(RLIMIT_NPROC),
	NAME(RLIMIT_NOFILE),
	NAME(RLIMIT_MEMLOCK),
	NAME(RLIMIT_AS),
	NAME(RLIMIT_LOCKS),
	NAME(RLIMIT_SIGPENDING),
	NAME(RLIMIT_MSGQUEUE),
	NAME(RLIMIT_NICE),
	NAME(RLIMIT_RTPRIO),
	NAME(RLIMIT_RTTIME),
};

static const struct decode_name names_rusage_who[] = {
	NAME(RUSAGE_SELF),
	NAME(RUSAGE_CHILDREN),
	NAME(RUSAGE_THREAD),
};

static const struct decode_name names_priority_which[] = {
	NAME(PRIO_PROCESS),
	NAME(PRIO_PGRP),
	NAME(PRIO_USER),
};

static const struct decode_name names_seccomp_op[] = {
	NAME(SECCOMP_SET_MODE_STRICT),
	NAME(SECCOMP_SET_MODE_FILTER),
	NAME(SECCOMP_GET_ACTION_AVAIL),
	NAME(SECCOMP_GET_NOTIF_SIZES),
};

static const struct decode_name names_landlock_create_flags[] = {
	NAME(LANDLOCK_CREATE_RULESET_VERSION),
	NAME(LANDLOCK_CREATE_RULESET_ERRATA),
};

static const struct decode_name names_landlock_restrict_flags[] = {
	NAME(LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF),
	NAME(LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON),
	NAME(LANDLOCK_RESTRICT_SELF_LOG_SUBDOMAINS_OFF),
};

static const struct decode_name names_landlock_rule[] = {
	NAME(LANDLOCK_RULE_PATH_BENEATH),
	NAME(LANDLOCK_RULE_NET_PORT),
};

static const struct decode_name names_getrandom_flags[] = {
	NAME(GRND_NONBLOCK),
	NAME(GRND_RANDOM),
	NAME(GRND_INSECURE),
};

static const struct decode_name names_sig_how[] = {
	NAME(SIG_BLOCK),
	NAME(SIG_UNBLOCK),
	NAME(SIG_SETMASK),
};

static const struct decode_name names_sa_flags[] = {
	NAME(SA_RESTORER),
	NAME(SA_NOCLDSTOP),
	NAME(SA_NOCLDWAIT),
	NAME(SA_SIGINFO),
	NAME(SA_ONSTACK),
	NAME(SA_RESTART),
	NAME(SA_NODEFER),
	NAME(SA_RESETHAND),
};

static const struct decode_name names_ss_flags[] = {
	NAME(SS_ONSTACK),
	NAME(SS_DISABLE),
	NAME(SS_AUTODISARM),
};

const struct decode_names g_names_of_processes[] = {
	{"arch_prctl", false, NULL, names_arch_prctl, array_count(names_arch_prctl)},
	{"clockid", false, NULL, names_clockid, array_count(names_clockid)},
	{"clone_flags", true, NULL, names_clone_flags, array_count(names_clone_flags)},
	{"getrandom_flags", true, NULL, names_getrandom_flags, array_count(names_getrandom_flags)},
	{"itimer", false, NULL, names_itimer, array_count(names_itimer)},
	{"landlock_create_flags", true, NULL, names_landlock_create_flags,
		array_count(names_landlock_create_flags)},
	{"landlock_restrict_flags", true, NULL, names_landlock_restrict_flags,
		array_count(names_landlock_restrict_flags)},
	{"landlock_rule", false, NULL, names_landlock_rule, array_count(names_landlock_rule)},
	{"prctl", false, NULL, names_prctl, array_count(names_prctl)},
	{"priority_which", false, NULL, names_priority_which, array_count(names_priority_which)},
	{"ptrace_request", false, NULL, names_ptrace_request, array_count(names_ptrace_request)},
	{"rlimit", false, NULL, names_rlimit, array_count(names_rlimit)},
	{"rusage_who", false, NULL, names_rusage_who, array_count(names_rusage_who)},
	{"sa_flags", true, NULL, names_sa_flags, array_count(names_sa_flags)},
	{"sched_policy", false, NULL, names_sched_policy, array_count(names_sched_policy)},
	{"seccomp_op", false, NULL, names_seccomp_op, array_count(names_seccomp_op)},
	{"sig_how", false, NULL, names_sig_how, array_count(names_sig_how)},
	{"signalfd_flags", true, NULL, names_signalfd_flags, array_count(names_signalfd_flags)},
	{"ss_flags", true, NULL, names_ss_flags, array_count(names_ss_flags)},
	{"timer_flags", true, NULL, names_timer_flags, array_count(names_timer_flags)},
	{"timerfd_flags", true, NULL, names_timerfd_flags, array_count(names_timerfd_flags)},
	{"wait_options", true, NULL, names_wait_options, array_count(names_wait_options)},
	{"waitid_type", false, NULL, names_waitid_type, array_count(names_waitid_type)},
	{0},
};
