/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls that the sentry and its stubs may make once the jail is closed: the one list, with the reason for
 * each. Anything else kills the process. A stub's guest code never reaches it: its calls are
 * intercepted before the host's filter runs; the filter is what holds if that should ever fail.
 */
#include "runsc-c/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <termios.h>

/* Admitted with any arguments. */
static const struct {
	int call;
	const char *reason;
} admitted[] = {
	/* memory of the sentry, the memory file, and the mappings of stubs */
	{SCMP_SYS(mmap), "sentry: heap, file windows; stubs: guest memory"},
	{SCMP_SYS(munmap), "as mmap"},
	{SCMP_SYS(mprotect), "thread stacks; stubs: guest protections"},
	{SCMP_SYS(madvise), "heap; stubs: populate"},
	{SCMP_SYS(mremap), "heap: realloc of large blocks"},
	{SCMP_SYS(brk), "heap"},
	{SCMP_SYS(mincore), "accounting of the memory file"},
	{SCMP_SYS(msync), "guest msync of a shared host file"},
	{SCMP_SYS(fallocate), "giving pages of the memory file back; guest fallocate"},
	{SCMP_SYS(ftruncate), "guest truncation of a writable bind"},

	/* running guests */
	{SCMP_SYS(ptrace), "the platform; targets are limited by the pid namespace"},
	{SCMP_SYS(wait4), "stops of stubs"},
	{SCMP_SYS(pidfd_open), "death of stubs"},
	{SCMP_SYS(tgkill), "interrupting a stub; abort"},
	{SCMP_SYS(pause), "an idle stub"},
	{SCMP_SYS(ppoll), "an idle stub; readiness of host descriptors"},
	{SCMP_SYS(poll), "readiness of host descriptors"},
	{SCMP_SYS(sched_setaffinity), "a task and its stub share a processor"},
	{SCMP_SYS(sched_getaffinity), "which processors there are"},
	{SCMP_SYS(sched_yield), "spinning briefly"},
	{SCMP_SYS(getcpu), "placement"},
	{SCMP_SYS(set_tid_address), "a new stub undoes what it inherited"},
	{SCMP_SYS(set_robust_list), "threads; a new stub"},
	{SCMP_SYS(rseq), "threads; a new stub"},
	{SCMP_SYS(sigaltstack), "threads; a new stub"},
	{SCMP_SYS(rt_sigaction), "a new stub; fault handlers"},
	{SCMP_SYS(rt_sigprocmask), "threads; a new stub"},
	{SCMP_SYS(rt_sigreturn), "the handler that makes a fault a short copy"},
	{SCMP_SYS(restart_syscall), "the host's own, after a stop"},
	{SCMP_SYS(setitimer), "a new stub undoes what it inherited"},
	{SCMP_SYS(arch_prctl), "a new stub's segment bases"},
	{SCMP_SYS(exit), "threads"},
	{SCMP_SYS(exit_group), "the end"},

	/* threads and time of the sentry */
	{SCMP_SYS(futex), "locks, sleeping tasks"},
	{SCMP_SYS(getpid), "stub parent check; logging"},
	{SCMP_SYS(getppid), "stub parent check"},
	{SCMP_SYS(gettid), "threads"},
	{SCMP_SYS(clock_gettime), "clocks when the vDSO cannot"},
	{SCMP_SYS(clock_getres), "clocks"},
	{SCMP_SYS(clock_nanosleep), "the timer thread"},
	{SCMP_SYS(nanosleep), "waiting for the host in small steps"},
	{SCMP_SYS(gettimeofday), "clocks when the vDSO cannot"},
	{SCMP_SYS(getrusage), "processor time of guests"},
	{SCMP_SYS(getrandom), "the source of randomness"},
	{SCMP_SYS(sysinfo), "memory shown to guests"},
	{SCMP_SYS(uname), "C library"},
	{SCMP_SYS(membarrier), "C library"},
	{SCMP_SYS(prlimit64), "C library: stack size of threads"},
	{SCMP_SYS(capget), "--debug-jail"},

	/* host files, through descriptors that were opened before */
	{SCMP_SYS(openat), "one component below a descriptor; the root is empty"},
	{SCMP_SYS(openat2), "as openat, beneath a descriptor, without symlinks"},
	{SCMP_SYS(close), "descriptors"},
	{SCMP_SYS(close_range), "descriptors"},
	{SCMP_SYS(dup), "descriptors"},
	{SCMP_SYS(dup3), "descriptors"},
	{SCMP_SYS(read), "host files, standard input"},
	{SCMP_SYS(write), "standard output, the debug log"},
	{SCMP_SYS(readv), "guest reads into guest memory"},
	{SCMP_SYS(writev), "guest writes from guest memory"},
	{SCMP_SYS(pread64), "host files"},
	{SCMP_SYS(pwrite64), "host files"},
	{SCMP_SYS(preadv), "host files"},
	{SCMP_SYS(pwritev), "host files"},
	{SCMP_SYS(preadv2), "host files"},
	{SCMP_SYS(pwritev2), "host files"},
	{SCMP_SYS(lseek), "standard input from a file, holes"},
	{SCMP_SYS(fstat), "host files"},
	{SCMP_SYS(newfstatat), "host files"},
	{SCMP_SYS(statx), "host files"},
	{SCMP_SYS(fstatfs), "host files"},
	{SCMP_SYS(readlinkat), "host files"},
	{SCMP_SYS(getdents64), "host files"},
	{SCMP_SYS(mkdirat), "writable binds"},
	{SCMP_SYS(mknodat), "writable binds"},
	{SCMP_SYS(unlinkat), "writable binds"},
	{SCMP_SYS(renameat2), "writable binds"},
	{SCMP_SYS(renameat), "the C library's renameat2 where there are no flags"},
	{SCMP_SYS(linkat), "writable binds"},
	{SCMP_SYS(symlinkat), "writable binds"},
	{SCMP_SYS(fchmod), "writable binds"},
	{452 /* fchmodat2, which this libseccomp may not know */, "writable binds"},
	{SCMP_SYS(fchown), "writable binds"},
	{SCMP_SYS(fchownat), "writable binds"},
	{SCMP_SYS(utimensat), "writable binds"},
	{SCMP_SYS(fsync), "writable binds"},
	{SCMP_SYS(fdatasync), "writable binds"},
	{SCMP_SYS(syncfs), "writable binds"},
	{SCMP_SYS(sync_file_range), "writable binds"},
	{SCMP_SYS(fadvise64), "host files"},
	{SCMP_SYS(readahead), "host files"},
	{SCMP_SYS(fgetxattr), "host files"},
	{SCMP_SYS(flistxattr), "host files"},
	{SCMP_SYS(fsetxattr), "writable binds"},
	{SCMP_SYS(fremovexattr), "writable binds"},
	{SCMP_SYS(faccessat2), "host files: what the host would allow"},

	/* readiness */
	{SCMP_SYS(epoll_create1), "the reactor"},
	{SCMP_SYS(epoll_ctl), "the reactor"},
	{SCMP_SYS(epoll_wait), "the reactor"},
	{SCMP_SYS(epoll_pwait), "the reactor"},
	{SCMP_SYS(eventfd2), "waking the reactor"},

	/* guest sockets on the private loopback, and the channel to the command */
	{SCMP_SYS(bind), "private loopback"},
	{SCMP_SYS(connect), "private loopback"},
	{SCMP_SYS(listen), "private loopback"},
	{SCMP_SYS(accept4), "private loopback"},
	{SCMP_SYS(getsockname), "private loopback"},
	{SCMP_SYS(getpeername), "private loopback"},
	{SCMP_SYS(getsockopt), "private loopback"},
	{SCMP_SYS(shutdown), "private loopback"},
	{SCMP_SYS(sendto), "private loopback; the command"},
	{SCMP_SYS(recvfrom), "private loopback; the command"},
	{SCMP_SYS(sendmsg), "private loopback"},
	{SCMP_SYS(recvmsg), "private loopback"},
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
/* What a sanitizer does on its way to a report; in such a build only. */
static const int admitted_sanitizer[] = {
	SCMP_SYS(open), SCMP_SYS(readlink), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(access), SCMP_SYS(getcwd),
	SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(setrlimit), SCMP_SYS(pipe), SCMP_SYS(pipe2), SCMP_SYS(personality),
};
#else
static const int admitted_sanitizer[] = {SCMP_SYS(getuid) /* the C library's malloc, rarely */};
#endif

static const int admitted_sockets[] = {AF_INET, AF_INET6};

/* Levels of setsockopt(2), whatever the option; it takes the lower halves of registers. */
static const int admitted_levels[] = {SOL_SOCKET, SOL_IP, SOL_IPV6, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE, SOL_RAW,
	SOL_ICMPV6};

/* Of packet sockets: no rings, no fanout groups. */
static const int admitted_packet_options[] = {PACKET_ADD_MEMBERSHIP, PACKET_DROP_MEMBERSHIP, PACKET_AUXDATA,
	PACKET_ORIGDEV, PACKET_IGNORE_OUTGOING};

static const unsigned long admitted_ioctls[] = {
	FIONREAD, SIOCOUTQ, SIOCATMARK, FIONBIO,   /* sockets and pipes */
	TCGETS, 0x802c542a /* TCGETS2 */, TIOCGWINSZ, TIOCOUTQ, /* a caller's terminal that is not the console */
	TCSETS, TCSETSW, TCSETSF, 0x402c542b, 0x402c542c, 0x402c542d /* TCSETS2.. */, TIOCGPGRP, TCSBRK, TCFLSH, TCXONC,
	TIOCSWINSZ,
	/* interfaces of a network namespace that an engine prepared; none of these changes anything */
	SIOCGIFNAME, SIOCGIFCONF, SIOCGIFFLAGS, SIOCGIFADDR, SIOCGIFDSTADDR, SIOCGIFBRDADDR, SIOCGIFNETMASK, SIOCGIFMETRIC,
	SIOCGIFMTU, SIOCGIFHWADDR, SIOCGIFINDEX, SIOCGIFTXQLEN, SIOCGIFMAP,
};

static const int admitted_prctls[] = {
	PR_SET_PDEATHSIG,    /* a new stub dies with the sentry */
	PR_SET_NAME,         /* threads */
	PR_SET_TIMERSLACK,   /* the timer thread is exact */
	PR_SET_DUMPABLE,     /* stubs must be attachable */
	PR_GET_DUMPABLE,
	PR_CAPBSET_READ,     /* --debug-jail */
	PR_GET_NO_NEW_PRIVS, /* --debug-jail */
	PR_GET_SECCOMP,      /* --debug-jail */
	PR_SET_VMA,          /* the C library names its memory */
};

static const int admitted_fcntls[] = {F_GETFL, F_SETFL, F_GETFD, F_SETFD, F_DUPFD_CLOEXEC, 1032 /* F_GETPIPE_SZ */};

static int admit_socket_options(scmp_filter_ctx filter)
{
	int error = 0;

	for (size_t i = 0; i < array_count(admitted_levels); i++)
		error |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(setsockopt), 1,
			SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffu, (unsigned int)admitted_levels[i]));
	for (size_t i = 0; i < array_count(admitted_packet_options); i++)
		error |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(setsockopt), 2,
			SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffu, SOL_PACKET),
			SCMP_A2(SCMP_CMP_MASKED_EQ, 0xffffffffu, (unsigned int)admitted_packet_options[i]));
	return error;
}

static int admit_arguments(scmp_filter_ctx filter)
{
	int error = admit_socket_options(filter);

	for (size_t i = 0; i < array_count(admitted_sanitizer); i++)
		error |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, admitted_sanitizer[i], 0);
	for (size_t i = 0; i < array_count(admitted_sockets); i++)
		error |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
			SCMP_A0(SCMP_CMP_EQ, (unsigned int)admitted_sockets[i]));
	for (size_t i = 0; i < array_count(admitted_ioctls); i++)
		error |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
			SCMP_A1(SCMP_CMP_EQ, (unsigned int)admitted_ioctls[i]));
	for (size_t i = 0; i < array_count(admitted_prctls); i++)
		error |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
			SCMP_A0(SCMP_CMP_EQ, (unsigned int)admitted_prctls[i]));
	for (size_t i = 0; i < array_count(admitted_fcntls); i++)
		error |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
			SCMP_A1(SCMP_CMP_EQ, (unsigned int)admitted_fcntls[i]));
	/* Threads and stubs, but no namespaces. */
	error |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
		SCMP_A0(SCMP_CMP_MASKED_EQ,
			CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC |
				CLONE_NEWUTS | CLONE_NEWCGROUP,
			0));
	/* Its flags are behind a pointer, where a filter cannot look: the C library then uses clone. */
	error |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	/* Signals only to the sandbox's own pid namespace, which the host sees to: for abort(). */
	error |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(kill), 0);
	return error;
}

int jail_load_filter(struct failure *failure)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int error = filter ? 0 : -ENOMEM;

	if (error)
		return fail_errno(failure, -error, "cannot make a system call filter");
	/* A tree of comparisons instead of a list: the platform's calls are on every hot path. */
	error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (size_t i = 0; !error && i < array_count(admitted); i++)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, admitted[i].call, 0);
	if (!error)
		error = admit_arguments(filter);
	if (!error)
		error = seccomp_load(filter);
	seccomp_release(filter);
	if (error)
		return fail_errno(failure, error < 0 ? -error : EINVAL, "cannot load the system call filter");
	return 0;
}
