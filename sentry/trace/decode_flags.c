/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of names: flags and choices of system calls, by the words of abi/syscalls.def. */
#include "sentry/trace/decode.h"

#include "abi/close_range.h"
#include "abi/epoll.h"
#include "abi/eventfd.h"
#include "abi/fanotify.h"
#include "abi/fcntl.h"
#include "abi/futex.h"
#include "abi/inotify.h"
#include "abi/membarrier.h"
#include "abi/mman.h"
#include "abi/mount.h"
#include "abi/prctl.h"
#include "abi/ptrace.h"
#include "abi/random.h"
#include "abi/resource.h"
#include "abi/sched.h"
#include "abi/seccomp.h"
#include "abi/signal.h"
#include "abi/socket.h"
#include "abi/stat.h"
#include "abi/time.h"
#include "abi/wait.h"

#include <string.h>

#define NAME(name_)                                                                                \
	{                                                                                          \
		LINUX_##name_, #name_                                                              \
	}

static const struct decode_name names_open_flags[] = {
	NAME(O_WRONLY),
	NAME(O_RDWR),
	NAME(O_CREAT),
	NAME(O_EXCL),
	NAME(O_NOCTTY),
	NAME(O_TRUNC),
	NAME(O_APPEND),
	NAME(O_NONBLOCK),
	NAME(O_SYNC),
	NAME(O_DSYNC),
	NAME(O_DIRECT),
	NAME(O_LARGEFILE),
	NAME(O_TMPFILE),
	NAME(O_DIRECTORY),
	NAME(O_NOFOLLOW),
	NAME(O_NOATIME),
	NAME(O_CLOEXEC),
	NAME(O_PATH),
	NAME(O_ASYNC),
};

static const struct decode_name names_fd_flags[] = {
	NAME(O_NONBLOCK),
	NAME(O_CLOEXEC),
	NAME(O_DIRECT),
	NAME(O_EXCL),
};

static const struct decode_name names_signalfd_flags[] = {
	NAME(SFD_NONBLOCK),
	NAME(SFD_CLOEXEC),
};

static const struct decode_name names_epoll_flags[] = {
	NAME(EPOLL_CLOEXEC),
};

static const struct decode_name names_inotify_flags[] = {
	NAME(IN_NONBLOCK),
	NAME(IN_CLOEXEC),
};

static const struct decode_name names_at_flags[] = {
	NAME(AT_SYMLINK_NOFOLLOW),
	NAME(AT_SYMLINK_FOLLOW),
	NAME(AT_NO_AUTOMOUNT),
	NAME(AT_EMPTY_PATH),
	NAME(AT_STATX_FORCE_SYNC),
	NAME(AT_STATX_DONT_SYNC),
	NAME(AT_RECURSIVE),
	NAME(AT_EACCESS),
};

static const struct decode_name names_unlinkat_flags[] = {
	NAME(AT_REMOVEDIR),
};

static const struct decode_name names_access_mode[] = {
	{4, "R_OK"},
	{2, "W_OK"},
	{1, "X_OK"},
};

static const struct decode_name names_mmap_prot[] = {
	NAME(PROT_READ),
	NAME(PROT_WRITE),
	NAME(PROT_EXEC),
	NAME(PROT_SEM),
	NAME(PROT_GROWSDOWN),
	NAME(PROT_GROWSUP),
};

static const struct decode_name names_mmap_flags[] = {
	NAME(MAP_SHARED_VALIDATE),
	NAME(MAP_SHARED),
	NAME(MAP_PRIVATE),
	NAME(MAP_32BIT),
	NAME(MAP_FIXED),
	NAME(MAP_ANONYMOUS),
	NAME(MAP_POPULATE),
	NAME(MAP_NONBLOCK),
	NAME(MAP_STACK),
	NAME(MAP_HUGETLB),
	NAME(MAP_SYNC),
	NAME(MAP_FIXED_NOREPLACE),
	NAME(MAP_GROWSDOWN),
	NAME(MAP_DENYWRITE),
	NAME(MAP_EXECUTABLE),
	NAME(MAP_LOCKED),
	NAME(MAP_NORESERVE),
};

static const struct decode_name names_mremap_flags[] = {
	NAME(MREMAP_MAYMOVE),
	NAME(MREMAP_FIXED),
	NAME(MREMAP_DONTUNMAP),
};

static const struct decode_name names_msync_flags[] = {
	NAME(MS_ASYNC),
	NAME(MS_INVALIDATE),
	NAME(MS_SYNC),
};

static const struct decode_name names_mlockall_flags[] = {
	NAME(MCL_CURRENT),
	NAME(MCL_FUTURE),
	NAME(MCL_ONFAULT),
};

static const struct decode_name names_madvise[] = {
	NAME(MADV_NORMAL),
	NAME(MADV_RANDOM),
	NAME(MADV_SEQUENTIAL),
	NAME(MADV_WILLNEED),
	NAME(MADV_DONTNEED),
	NAME(MADV_FREE),
	NAME(MADV_REMOVE),
	NAME(MADV_DONTFORK),
	NAME(MADV_DOFORK),
	NAME(MADV_HWPOISON),
	NAME(MADV_MERGEABLE),
	NAME(MADV_UNMERGEABLE),
	NAME(MADV_HUGEPAGE),
	NAME(MADV_NOHUGEPAGE),
	NAME(MADV_DONTDUMP),
	NAME(MADV_DODUMP),
	NAME(MADV_WIPEONFORK),
	NAME(MADV_KEEPONFORK),
	NAME(MADV_COLD),
	NAME(MADV_PAGEOUT),
	NAME(MADV_POPULATE_READ),
	NAME(MADV_POPULATE_WRITE),
	NAME(MADV_COLLAPSE),
};

static const struct decode_name names_memfd_flags[] = {
	NAME(MFD_CLOEXEC),
	NAME(MFD_ALLOW_SEALING),
	NAME(MFD_HUGETLB),
	NAME(MFD_NOEXEC_SEAL),
	NAME(MFD_EXEC),
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

static const struct decode_name names_socket_family[] = {
	NAME(AF_UNSPEC),
	NAME(AF_UNIX),
	NAME(AF_INET),
	NAME(AF_INET6),
	NAME(AF_NETLINK),
	NAME(AF_PACKET),
	NAME(AF_ALG),
	NAME(AF_VSOCK),
	NAME(AF_BLUETOOTH),
	NAME(AF_CAN),
	NAME(AF_XDP),
};

static const struct decode_name names_socket_type[] = {
	NAME(SOCK_CLOEXEC),
	NAME(SOCK_NONBLOCK),
};

static const struct decode_name names_socket_type_flags[] = {
	NAME(SOCK_CLOEXEC),
	NAME(SOCK_NONBLOCK),
};

static const struct decode_name names_socket_level[] = {
	NAME(SOL_SOCKET),
	NAME(SOL_IP),
	NAME(SOL_TCP),
	NAME(SOL_UDP),
	NAME(SOL_IPV6),
	NAME(SOL_RAW),
	NAME(SOL_ICMPV6),
	NAME(SOL_NETLINK),
	NAME(SOL_PACKET),
};

static const struct decode_name names_socket_option[] = {
	NAME(SO_DEBUG),
	NAME(SO_REUSEADDR),
	NAME(SO_TYPE),
	NAME(SO_ERROR),
	NAME(SO_DONTROUTE),
	NAME(SO_BROADCAST),
	NAME(SO_SNDBUF),
	NAME(SO_RCVBUF),
	NAME(SO_SNDBUFFORCE),
	NAME(SO_RCVBUFFORCE),
	NAME(SO_KEEPALIVE),
	NAME(SO_OOBINLINE),
	NAME(SO_PRIORITY),
	NAME(SO_LINGER),
	NAME(SO_REUSEPORT),
	NAME(SO_PASSCRED),
	NAME(SO_PEERCRED),
	NAME(SO_RCVLOWAT),
	NAME(SO_SNDLOWAT),
	NAME(SO_RCVTIMEO),
	NAME(SO_SNDTIMEO),
	NAME(SO_ACCEPTCONN),
	NAME(SO_PEERSEC),
	NAME(SO_PASSSEC),
	NAME(SO_MARK),
	NAME(SO_PROTOCOL),
	NAME(SO_DOMAIN),
	NAME(SO_PEERGROUPS),
	NAME(SO_PASSPIDFD),
	NAME(SO_PEERPIDFD),
};

static const struct decode_name names_msg_flags[] = {
	NAME(MSG_OOB),
	NAME(MSG_PEEK),
	NAME(MSG_DONTROUTE),
	NAME(MSG_CTRUNC),
	NAME(MSG_TRUNC),
	NAME(MSG_DONTWAIT),
	NAME(MSG_EOR),
	NAME(MSG_WAITALL),
	NAME(MSG_CONFIRM),
	NAME(MSG_ERRQUEUE),
	NAME(MSG_NOSIGNAL),
	NAME(MSG_MORE),
	NAME(MSG_WAITFORONE),
	NAME(MSG_ZEROCOPY),
	NAME(MSG_FASTOPEN),
	NAME(MSG_CMSG_CLOEXEC),
};

static const struct decode_name names_shutdown_how[] = {
	NAME(SHUT_RD),
	NAME(SHUT_WR),
	NAME(SHUT_RDWR),
};

static const struct decode_name names_futex_op[] = {
	NAME(FUTEX_WAIT),
	{LINUX_FUTEX_WAIT | LINUX_FUTEX_PRIVATE_FLAG, "FUTEX_WAIT_PRIVATE"},
	NAME(FUTEX_WAKE),
	{LINUX_FUTEX_WAKE | LINUX_FUTEX_PRIVATE_FLAG, "FUTEX_WAKE_PRIVATE"},
	NAME(FUTEX_REQUEUE),
	{LINUX_FUTEX_REQUEUE | LINUX_FUTEX_PRIVATE_FLAG, "FUTEX_REQUEUE_PRIVATE"},
	NAME(FUTEX_CMP_REQUEUE),
	{LINUX_FUTEX_CMP_REQUEUE | LINUX_FUTEX_PRIVATE_FLAG, "FUTEX_CMP_REQUEUE_PRIVATE"},
	NAME(FUTEX_WAKE_OP),
	{LINUX_FUTEX_WAKE_OP | LINUX_FUTEX_PRIVATE_FLAG, "FUTEX_WAKE_OP_PRIVATE"},
	NAME(FUTEX_LOCK_PI),
	{LINUX_FUTEX_LOCK_PI | LINUX_FUTEX_PRIVATE_FLAG, "FUTEX_LOCK_PI_PRIVATE"},
	NAME(FUTEX_UNLOCK_PI),
	{LINUX_FUTEX_UNLOCK_PI | LINUX_FUTEX_PRIVATE_FLAG, "FUTEX_UNLOCK_PI_PRIVATE"},
	NAME(FUTEX_TRYLOCK_PI),
	{LINUX_FUTEX_TRYLOCK_PI | LINUX_FUTEX_PRIVATE_FLAG, "FUTEX_TRYLOCK_PI_PRIVATE"},
	NAME(FUTEX_WAIT_BITSET),
	{LINUX_FUTEX_WAIT_BITSET | LINUX_FUTEX_PRIVATE_FLAG, "FUTEX_WAIT_BITSET_PRIVATE"},
	NAME(FUTEX_WAKE_BITSET),
	{LINUX_FUTEX_WAKE_BITSET | LINUX_FUTEX_PRIVATE_FLAG, "FUTEX_WAKE_BITSET_PRIVATE"},
	NAME(FUTEX_WAIT_REQUEUE_PI),
	{LINUX_FUTEX_WAIT_REQUEUE_PI | LINUX_FUTEX_PRIVATE_FLAG, "FUTEX_WAIT_REQUEUE_PI_PRIVATE"},
	NAME(FUTEX_CMP_REQUEUE_PI),
	{LINUX_FUTEX_CMP_REQUEUE_PI | LINUX_FUTEX_PRIVATE_FLAG, "FUTEX_CMP_REQUEUE_PI_PRIVATE"},
	NAME(FUTEX_LOCK_PI2),
	{LINUX_FUTEX_LOCK_PI2 | LINUX_FUTEX_PRIVATE_FLAG, "FUTEX_LOCK_PI2_PRIVATE"},
	{LINUX_FUTEX_WAIT_BITSET | LINUX_FUTEX_CLOCK_REALTIME,
		"FUTEX_WAIT_BITSET|FUTEX_CLOCK_REALTIME"},
	{LINUX_FUTEX_WAIT_BITSET | LINUX_FUTEX_PRIVATE_FLAG | LINUX_FUTEX_CLOCK_REALTIME,
		"FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME"},
	{LINUX_FUTEX_LOCK_PI2 | LINUX_FUTEX_CLOCK_REALTIME, "FUTEX_LOCK_PI2|FUTEX_CLOCK_REALTIME"},
	{LINUX_FUTEX_LOCK_PI2 | LINUX_FUTEX_PRIVATE_FLAG | LINUX_FUTEX_CLOCK_REALTIME,
		"FUTEX_LOCK_PI2_PRIVATE|FUTEX_CLOCK_REALTIME"},
};

static const struct decode_name names_epoll_op[] = {
	NAME(EPOLL_CTL_ADD),
	NAME(EPOLL_CTL_DEL),
	NAME(EPOLL_CTL_MOD),
};

static const struct decode_name names_epoll_events[] = {
	NAME(EPOLLIN),
	NAME(EPOLLPRI),
	NAME(EPOLLOUT),
	NAME(EPOLLERR),
	NAME(EPOLLHUP),
	NAME(EPOLLRDNORM),
	NAME(EPOLLRDBAND),
	NAME(EPOLLWRNORM),
	NAME(EPOLLWRBAND),
	NAME(EPOLLMSG),
	NAME(EPOLLRDHUP),
	NAME(EPOLLEXCLUSIVE),
	NAME(EPOLLWAKEUP),
	NAME(EPOLLONESHOT),
	NAME(EPOLLET),
};

static const struct decode_name names_poll_events[] = {
	{1, "POLLIN"},
	{2, "POLLPRI"},
	{4, "POLLOUT"},
	{8, "POLLERR"},
	{0x10, "POLLHUP"},
	{0x20, "POLLNVAL"},
	{0x40, "POLLRDNORM"},
	{0x80, "POLLRDBAND"},
	{0x100, "POLLWRNORM"},
	{0x200, "POLLWRBAND"},
	{0x2000, "POLLRDHUP"},
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

static const struct decode_name names_eventfd_flags[] = {
	NAME(EFD_SEMAPHORE),
	NAME(EFD_CLOEXEC),
	NAME(EFD_NONBLOCK),
};

static const struct decode_name names_fanotify_init[] = {
	NAME(FAN_CLASS_CONTENT),
	NAME(FAN_CLASS_PRE_CONTENT),
	NAME(FAN_CLOEXEC),
	NAME(FAN_NONBLOCK),
	NAME(FAN_UNLIMITED_QUEUE),
	NAME(FAN_UNLIMITED_MARKS),
	NAME(FAN_ENABLE_AUDIT),
	NAME(FAN_REPORT_PIDFD),
	NAME(FAN_REPORT_TID),
	NAME(FAN_REPORT_FID),
	NAME(FAN_REPORT_DIR_FID),
	NAME(FAN_REPORT_NAME),
	NAME(FAN_REPORT_TARGET_FID),
};

static const struct decode_name names_fanotify_mark[] = {
	NAME(FAN_MARK_ADD),
	NAME(FAN_MARK_REMOVE),
	NAME(FAN_MARK_FLUSH),
	NAME(FAN_MARK_MOUNT),
	NAME(FAN_MARK_FILESYSTEM),
	NAME(FAN_MARK_DONT_FOLLOW),
	NAME(FAN_MARK_ONLYDIR),
	NAME(FAN_MARK_IGNORED_MASK),
	NAME(FAN_MARK_IGNORED_SURV_MODIFY),
	NAME(FAN_MARK_EVICTABLE),
	NAME(FAN_MARK_IGNORE),
};

static const struct decode_name names_fanotify_mask[] = {
	NAME(FAN_ACCESS),
	NAME(FAN_MODIFY),
	NAME(FAN_ATTRIB),
	NAME(FAN_CLOSE_WRITE),
	NAME(FAN_CLOSE_NOWRITE),
	NAME(FAN_OPEN),
	NAME(FAN_MOVED_FROM),
	NAME(FAN_MOVED_TO),
	NAME(FAN_CREATE),
	NAME(FAN_DELETE),
	NAME(FAN_DELETE_SELF),
	NAME(FAN_MOVE_SELF),
	NAME(FAN_OPEN_EXEC),
	NAME(FAN_Q_OVERFLOW),
	NAME(FAN_FS_ERROR),
	NAME(FAN_OPEN_PERM),
	NAME(FAN_ACCESS_PERM),
	NAME(FAN_OPEN_EXEC_PERM),
	NAME(FAN_RENAME),
	NAME(FAN_EVENT_ON_CHILD),
	NAME(FAN_ONDIR),
};

static const struct decode_name names_inotify_mask[] = {
	NAME(IN_ALL_EVENTS),
	NAME(IN_ACCESS),
	NAME(IN_MODIFY),
	NAME(IN_ATTRIB),
	NAME(IN_CLOSE_WRITE),
	NAME(IN_CLOSE_NOWRITE),
	NAME(IN_OPEN),
	NAME(IN_MOVED_FROM),
	NAME(IN_MOVED_TO),
	NAME(IN_CREATE),
	NAME(IN_DELETE),
	NAME(IN_DELETE_SELF),
	NAME(IN_MOVE_SELF),
	NAME(IN_ONLYDIR),
	NAME(IN_DONT_FOLLOW),
	NAME(IN_EXCL_UNLINK),
	NAME(IN_MASK_CREATE),
	NAME(IN_MASK_ADD),
	NAME(IN_ONESHOT),
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

static const struct decode_name names_mount_flags[] = {
	NAME(MS_RDONLY),
	NAME(MS_NOSUID),
	NAME(MS_NODEV),
	NAME(MS_NOEXEC),
	NAME(MS_SYNCHRONOUS),
	NAME(MS_REMOUNT),
	NAME(MS_MANDLOCK),
	NAME(MS_DIRSYNC),
	NAME(MS_NOSYMFOLLOW),
	NAME(MS_NOATIME),
	NAME(MS_NODIRATIME),
	NAME(MS_BIND),
	NAME(MS_MOVE),
	NAME(MS_REC),
	NAME(MS_SILENT),
	NAME(MS_POSIXACL),
	NAME(MS_UNBINDABLE),
	NAME(MS_PRIVATE),
	NAME(MS_SLAVE),
	NAME(MS_SHARED),
	NAME(MS_RELATIME),
	NAME(MS_STRICTATIME),
	NAME(MS_LAZYTIME),
};

static const struct decode_name names_umount_flags[] = {
	NAME(MNT_FORCE),
	NAME(MNT_DETACH),
	NAME(MNT_EXPIRE),
	NAME(UMOUNT_NOFOLLOW),
};

static const struct decode_name names_seccomp_op[] = {
	NAME(SECCOMP_SET_MODE_STRICT),
	NAME(SECCOMP_SET_MODE_FILTER),
	NAME(SECCOMP_GET_ACTION_AVAIL),
	NAME(SECCOMP_GET_NOTIF_SIZES),
};

static const struct decode_name names_getrandom_flags[] = {
	NAME(GRND_NONBLOCK),
	NAME(GRND_RANDOM),
	NAME(GRND_INSECURE),
};

static const struct decode_name names_membarrier_cmd[] = {
	NAME(MEMBARRIER_CMD_QUERY),
	NAME(MEMBARRIER_CMD_GLOBAL),
	NAME(MEMBARRIER_CMD_GLOBAL_EXPEDITED),
	NAME(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED),
	NAME(MEMBARRIER_CMD_PRIVATE_EXPEDITED),
	NAME(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED),
	NAME(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE),
	NAME(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE),
	NAME(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ),
	NAME(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ),
};

static const struct decode_name names_close_range_flags[] = {
	NAME(CLOSE_RANGE_UNSHARE),
	NAME(CLOSE_RANGE_CLOEXEC),
};

static const struct decode_name names_statx_mask[] = {
	NAME(STATX_ALL),
	NAME(STATX_BASIC_STATS),
	NAME(STATX_TYPE),
	NAME(STATX_MODE),
	NAME(STATX_NLINK),
	NAME(STATX_UID),
	NAME(STATX_GID),
	NAME(STATX_ATIME),
	NAME(STATX_MTIME),
	NAME(STATX_CTIME),
	NAME(STATX_INO),
	NAME(STATX_SIZE),
	NAME(STATX_BLOCKS),
	NAME(STATX_BTIME),
	NAME(STATX_MNT_ID),
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

static const struct decode_name names_s_ifmt[] = {
	NAME(S_IFSOCK),
	NAME(S_IFLNK),
	NAME(S_IFREG),
	NAME(S_IFBLK),
	NAME(S_IFDIR),
	NAME(S_IFCHR),
	NAME(S_IFIFO),
};

static const struct decode_name names_whence[] = {
	{0, "SEEK_SET"},
	{1, "SEEK_CUR"},
	{2, "SEEK_END"},
	{3, "SEEK_DATA"},
	{4, "SEEK_HOLE"},
};

static const struct decode_name names_flock_op[] = {
	{1, "LOCK_SH"},
	{2, "LOCK_EX"},
	{4, "LOCK_NB"},
	{8, "LOCK_UN"},
};

static const struct decode_name names_fadvise[] = {
	{0, "POSIX_FADV_NORMAL"},
	{1, "POSIX_FADV_RANDOM"},
	{2, "POSIX_FADV_SEQUENTIAL"},
	{3, "POSIX_FADV_WILLNEED"},
	{4, "POSIX_FADV_DONTNEED"},
	{5, "POSIX_FADV_NOREUSE"},
};

static const struct decode_name names_splice_flags[] = {
	{1, "SPLICE_F_MOVE"},
	{2, "SPLICE_F_NONBLOCK"},
	{4, "SPLICE_F_MORE"},
	{8, "SPLICE_F_GIFT"},
};

static const struct decode_name names_rwf_flags[] = {
	{1, "RWF_HIPRI"},
	{2, "RWF_DSYNC"},
	{4, "RWF_SYNC"},
	{8, "RWF_NOWAIT"},
	{16, "RWF_APPEND"},
	{32, "RWF_NOAPPEND"},
};

static const struct decode_name names_renameat2_flags[] = {
	{1, "RENAME_NOREPLACE"},
	{2, "RENAME_EXCHANGE"},
	{4, "RENAME_WHITEOUT"},
};

static const struct decode_name names_fallocate_mode[] = {
	{1, "FALLOC_FL_KEEP_SIZE"},
	{2, "FALLOC_FL_PUNCH_HOLE"},
	{8, "FALLOC_FL_COLLAPSE_RANGE"},
	{16, "FALLOC_FL_ZERO_RANGE"},
	{32, "FALLOC_FL_INSERT_RANGE"},
	{64, "FALLOC_FL_UNSHARE_RANGE"},
};

static const struct decode_name names_fcntl_cmd[] = {
	{0, "F_DUPFD"},
	{1, "F_GETFD"},
	{2, "F_SETFD"},
	{3, "F_GETFL"},
	{4, "F_SETFL"},
	{5, "F_GETLK"},
	{6, "F_SETLK"},
	{7, "F_SETLKW"},
	{8, "F_SETOWN"},
	{9, "F_GETOWN"},
	{10, "F_SETSIG"},
	{11, "F_GETSIG"},
	{15, "F_SETOWN_EX"},
	{16, "F_GETOWN_EX"},
	{36, "F_OFD_GETLK"},
	{37, "F_OFD_SETLK"},
	{38, "F_OFD_SETLKW"},
	{1024, "F_SETLEASE"},
	{1025, "F_GETLEASE"},
	{1026, "F_NOTIFY"},
	{1030, "F_DUPFD_CLOEXEC"},
	{1031, "F_SETPIPE_SZ"},
	{1032, "F_GETPIPE_SZ"},
	{1033, "F_ADD_SEALS"},
	{1034, "F_GET_SEALS"},
};

static const struct decode_name names_ioctl[] = {
	{0x5401, "TCGETS"},
	{0x5402, "TCSETS"},
	{0x5403, "TCSETSW"},
	{0x5404, "TCSETSF"},
	{0x540b, "TCFLSH"},
	{0x540e, "TIOCSCTTY"},
	{0x540f, "TIOCGPGRP"},
	{0x5410, "TIOCSPGRP"},
	{0x5411, "TIOCOUTQ"},
	{0x5413, "TIOCGWINSZ"},
	{0x5414, "TIOCSWINSZ"},
	{0x541b, "FIONREAD"},
	{0x5421, "FIONBIO"},
	{0x5422, "TIOCNOTTY"},
	{0x5429, "TIOCGSID"},
	{0x5450, "FIONCLEX"},
	{0x5451, "FIOCLEX"},
	{0x5452, "FIOASYNC"},
	{0x80045430, "TIOCGPTN"},
	{0x40045431, "TIOCSPTLCK"},
	{0x5441, "TIOCGPTPEER"},
	{0x8912, "SIOCGIFCONF"},
	{0x8913, "SIOCGIFFLAGS"},
	{0x8915, "SIOCGIFADDR"},
	{0x40049409, "FICLONE"},
};

static const struct decode_names sets[] = {
	{"access_mode", true, "F_OK", names_access_mode, array_count(names_access_mode)},
	{"arch_prctl", false, NULL, names_arch_prctl, array_count(names_arch_prctl)},
	{"at_flags", true, NULL, names_at_flags, array_count(names_at_flags)},
	{"clockid", false, NULL, names_clockid, array_count(names_clockid)},
	{"clone_flags", true, NULL, names_clone_flags, array_count(names_clone_flags)},
	{"close_range_flags", true, NULL, names_close_range_flags,
		array_count(names_close_range_flags)},
	{"epoll_events", true, NULL, names_epoll_events, array_count(names_epoll_events)},
	{"epoll_op", false, NULL, names_epoll_op, array_count(names_epoll_op)},
	{"eventfd_flags", true, NULL, names_eventfd_flags, array_count(names_eventfd_flags)},
	{"fadvise", false, NULL, names_fadvise, array_count(names_fadvise)},
	{"fallocate_mode", true, NULL, names_fallocate_mode, array_count(names_fallocate_mode)},
	{"fanotify_init_flags", true, NULL, names_fanotify_init, array_count(names_fanotify_init)},
	{"fanotify_mark_flags", true, NULL, names_fanotify_mark, array_count(names_fanotify_mark)},
	{"fanotify_mask", true, NULL, names_fanotify_mask, array_count(names_fanotify_mask)},
	{"fcntl_cmd", false, NULL, names_fcntl_cmd, array_count(names_fcntl_cmd)},
	{"fd_flags", true, NULL, names_fd_flags, array_count(names_fd_flags)},
	{"epoll_flags", true, NULL, names_epoll_flags, array_count(names_epoll_flags)},
	{"inotify_flags", true, NULL, names_inotify_flags, array_count(names_inotify_flags)},
	{"signalfd_flags", true, NULL, names_signalfd_flags, array_count(names_signalfd_flags)},
	{"flock_op", true, NULL, names_flock_op, array_count(names_flock_op)},
	{"futex_op", false, NULL, names_futex_op, array_count(names_futex_op)},
	{"getrandom_flags", true, NULL, names_getrandom_flags, array_count(names_getrandom_flags)},
	{"inotify_mask", true, NULL, names_inotify_mask, array_count(names_inotify_mask)},
	{"ioctl", false, NULL, names_ioctl, array_count(names_ioctl)},
	{"itimer", false, NULL, names_itimer, array_count(names_itimer)},
	{"madvise", false, NULL, names_madvise, array_count(names_madvise)},
	{"membarrier_cmd", false, NULL, names_membarrier_cmd, array_count(names_membarrier_cmd)},
	{"memfd_flags", true, NULL, names_memfd_flags, array_count(names_memfd_flags)},
	{"mlockall_flags", true, NULL, names_mlockall_flags, array_count(names_mlockall_flags)},
	{"mmap_flags", true, NULL, names_mmap_flags, array_count(names_mmap_flags)},
	{"mmap_prot", true, "PROT_NONE", names_mmap_prot, array_count(names_mmap_prot)},
	{"mount_flags", true, NULL, names_mount_flags, array_count(names_mount_flags)},
	{"mremap_flags", true, NULL, names_mremap_flags, array_count(names_mremap_flags)},
	{"msg_flags", true, NULL, names_msg_flags, array_count(names_msg_flags)},
	{"msync_flags", true, NULL, names_msync_flags, array_count(names_msync_flags)},
	{"open_flags", true, "O_RDONLY", names_open_flags, array_count(names_open_flags)},
	{"poll_events", true, NULL, names_poll_events, array_count(names_poll_events)},
	{"prctl", false, NULL, names_prctl, array_count(names_prctl)},
	{"priority_which", false, NULL, names_priority_which, array_count(names_priority_which)},
	{"ptrace_request", false, NULL, names_ptrace_request, array_count(names_ptrace_request)},
	{"renameat2_flags", true, NULL, names_renameat2_flags, array_count(names_renameat2_flags)},
	{"rlimit", false, NULL, names_rlimit, array_count(names_rlimit)},
	{"rusage_who", false, NULL, names_rusage_who, array_count(names_rusage_who)},
	{"rwf_flags", true, NULL, names_rwf_flags, array_count(names_rwf_flags)},
	{"s_ifmt", false, NULL, names_s_ifmt, array_count(names_s_ifmt)},
	{"sa_flags", true, NULL, names_sa_flags, array_count(names_sa_flags)},
	{"sched_policy", false, NULL, names_sched_policy, array_count(names_sched_policy)},
	{"seccomp_op", false, NULL, names_seccomp_op, array_count(names_seccomp_op)},
	{"shutdown_how", false, NULL, names_shutdown_how, array_count(names_shutdown_how)},
	{"sig_how", false, NULL, names_sig_how, array_count(names_sig_how)},
	{"socket_family", false, NULL, names_socket_family, array_count(names_socket_family)},
	{"socket_level", false, NULL, names_socket_level, array_count(names_socket_level)},
	{"socket_option", false, NULL, names_socket_option, array_count(names_socket_option)},
	{"socket_type", true, NULL, names_socket_type, array_count(names_socket_type)},
	{"socket_type_flags", true, NULL, names_socket_type_flags,
		array_count(names_socket_type_flags)},
	{"splice_flags", true, NULL, names_splice_flags, array_count(names_splice_flags)},
	{"ss_flags", true, NULL, names_ss_flags, array_count(names_ss_flags)},
	{"statx_mask", true, NULL, names_statx_mask, array_count(names_statx_mask)},
	{"timer_flags", true, NULL, names_timer_flags, array_count(names_timer_flags)},
	{"timerfd_flags", true, NULL, names_timerfd_flags, array_count(names_timerfd_flags)},
	{"umount_flags", true, NULL, names_umount_flags, array_count(names_umount_flags)},
	{"unlinkat_flags", true, NULL, names_unlinkat_flags, array_count(names_unlinkat_flags)},
	{"wait_options", true, NULL, names_wait_options, array_count(names_wait_options)},
	{"waitid_type", false, NULL, names_waitid_type, array_count(names_waitid_type)},
	{"whence", false, NULL, names_whence, array_count(names_whence)},
};

const struct decode_names *decode_names_find(const char *word, size_t size)
{
	for (size_t i = 0; i < array_count(sets); i++) {
		if (strlen(sets[i].word) == size && !strncmp(sets[i].word, word, size))
			return &sets[i];
	}
	return NULL;
}

static void show_choice(struct sink *sink, const struct decode_names *names, uint64_t value)
{
	for (size_t i = 0; i < names->count; i++) {
		if (names->names[i].value == value) {
			sink_text(sink, names->names[i].name);
			return;
		}
	}
	sink_printf(sink, value < 10 ? "%lu" : "%#lx", value);
}

/* The access mode, the class of a group, the type of a socket and the signal of an end are fields of
 * their own, of which 0 or 1 is a value. */
static uint64_t show_field(
	struct sink *sink, const struct decode_names *names, uint64_t value, bool *first)
{
	static const char *const socket_types[] = {
		NULL, "SOCK_STREAM", "SOCK_DGRAM", "SOCK_RAW", "SOCK_RDM", "SOCK_SEQPACKET"};
	uint64_t type = value & LINUX_SOCK_TYPE_MASK;

	if (!strcmp(names->word, "open_flags") && !(value & LINUX_O_ACCMODE)) {
		sink_text(sink, "O_RDONLY");
		*first = false;
	} else if (!strcmp(names->word, "fanotify_init_flags") &&
		   !(value & (LINUX_FAN_CLASS_CONTENT | LINUX_FAN_CLASS_PRE_CONTENT))) {
		sink_text(sink, "FAN_CLASS_NOTIF");
		*first = false;
	} else if (!strcmp(names->word, "socket_type") && type &&
		   type < array_count(socket_types)) {
		sink_text(sink, socket_types[type]);
		*first = false;
		return value & ~(uint64_t)LINUX_SOCK_TYPE_MASK;
	} else if (!strcmp(names->word, "clone_flags") && (value & LINUX_CSIGNAL)) {
		decode_signal_name(sink, (int)(value & LINUX_CSIGNAL));
		*first = false;
		return value & ~(uint64_t)LINUX_CSIGNAL;
	}
	return value;
}

static void show_mask(struct sink *sink, const struct decode_names *names, uint64_t value)
{
	bool first = true;

	value = show_field(sink, names, value, &first);
	for (size_t i = 0; i < names->count && value; i++) {
		uint64_t bits = names->names[i].value;

		if (!bits || (value & bits) != bits)
			continue;
		if (!first)
			sink_char(sink, '|');
		sink_text(sink, names->names[i].name);
		first = false;
		value &= ~bits;
	}
	if (value) {
		if (!first)
			sink_char(sink, '|');
		sink_printf(sink, "%#lx", value);
	} else if (first) {
		sink_text(sink, names->zero ? names->zero : "0");
	}
}

void decode_value(struct sink *sink, const struct decode_names *names, uint64_t value)
{
	/* All of these are ints, or have nothing in their upper half. */
	value &= UINT32_MAX;
	if (names->is_mask)
		show_mask(sink, names, value);
	else
		show_choice(sink, names, value);
}
