/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ptrace(2): requests, options, events and the structures that they fill. Registers are in
 * abi/registers.h.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Requests. */
#define LINUX_PTRACE_TRACEME	       0
#define LINUX_PTRACE_PEEKTEXT	       1
#define LINUX_PTRACE_PEEKDATA	       2
#define LINUX_PTRACE_PEEKUSR	       3
#define LINUX_PTRACE_POKETEXT	       4
#define LINUX_PTRACE_POKEDATA	       5
#define LINUX_PTRACE_POKEUSR	       6
#define LINUX_PTRACE_CONT	       7
#define LINUX_PTRACE_KILL	       8
#define LINUX_PTRACE_SINGLESTEP	       9
#define LINUX_PTRACE_ATTACH	       16
#define LINUX_PTRACE_DETACH	       17
#define LINUX_PTRACE_SYSCALL	       24
#define LINUX_PTRACE_GETREGS	       12
#define LINUX_PTRACE_SETREGS	       13
#define LINUX_PTRACE_GETFPREGS	       14
#define LINUX_PTRACE_SETFPREGS	       15
#define LINUX_PTRACE_GETFPXREGS	       18
#define LINUX_PTRACE_SETFPXREGS	       19
#define LINUX_PTRACE_OLDSETOPTIONS     21
#define LINUX_PTRACE_GET_THREAD_AREA   25
#define LINUX_PTRACE_SET_THREAD_AREA   26
#define LINUX_PTRACE_ARCH_PRCTL	       30
#define LINUX_PTRACE_SYSEMU	       31
#define LINUX_PTRACE_SYSEMU_SINGLESTEP 32
#define LINUX_PTRACE_SINGLEBLOCK       33

#define LINUX_PTRACE_SETOPTIONS		    0x4200
#define LINUX_PTRACE_GETEVENTMSG	    0x4201
#define LINUX_PTRACE_GETSIGINFO		    0x4202
#define LINUX_PTRACE_SETSIGINFO		    0x4203
#define LINUX_PTRACE_GETREGSET		    0x4204
#define LINUX_PTRACE_SETREGSET		    0x4205
#define LINUX_PTRACE_SEIZE		    0x4206
#define LINUX_PTRACE_INTERRUPT		    0x4207
#define LINUX_PTRACE_LISTEN		    0x4208
#define LINUX_PTRACE_PEEKSIGINFO	    0x4209
#define LINUX_PTRACE_GETSIGMASK		    0x420a
#define LINUX_PTRACE_SETSIGMASK		    0x420b
#define LINUX_PTRACE_SECCOMP_GET_FILTER	    0x420c
#define LINUX_PTRACE_SECCOMP_GET_METADATA   0x420d
#define LINUX_PTRACE_GET_SYSCALL_INFO	    0x420e
#define LINUX_PTRACE_GET_RSEQ_CONFIGURATION 0x420f

#define LINUX_PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG 0x4210 /* Linux 6.4 */
#define LINUX_PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG 0x4211
#define LINUX_PTRACE_SET_SYSCALL_INFO		      0x4212 /* Linux 6.16 */
#define LINUX_PTRACE_PEEKUSER			      LINUX_PTRACE_PEEKUSR
#define LINUX_PTRACE_POKEUSER			      LINUX_PTRACE_POKEUSR

/* Events. */
#define LINUX_PTRACE_EVENT_FORK	      1
#define LINUX_PTRACE_EVENT_VFORK      2
#define LINUX_PTRACE_EVENT_CLONE      3
#define LINUX_PTRACE_EVENT_EXEC	      4
#define LINUX_PTRACE_EVENT_VFORK_DONE 5
#define LINUX_PTRACE_EVENT_EXIT	      6
#define LINUX_PTRACE_EVENT_SECCOMP    7
#define LINUX_PTRACE_EVENT_STOP	      128

/* PTRACE_EVENTMSG of a syscall stop. */
#define LINUX_PTRACE_EVENTMSG_SYSCALL_ENTRY 1
#define LINUX_PTRACE_EVENTMSG_SYSCALL_EXIT  2

/* Options. */
#define LINUX_PTRACE_O_TRACESYSGOOD    0x1
#define LINUX_PTRACE_O_TRACEFORK       0x2
#define LINUX_PTRACE_O_TRACEVFORK      0x4
#define LINUX_PTRACE_O_TRACECLONE      0x8
#define LINUX_PTRACE_O_TRACEEXEC       0x10
#define LINUX_PTRACE_O_TRACEVFORKDONE  0x20
#define LINUX_PTRACE_O_TRACEEXIT       0x40
#define LINUX_PTRACE_O_TRACESECCOMP    0x80
#define LINUX_PTRACE_O_EXITKILL	       0x100000
#define LINUX_PTRACE_O_SUSPEND_SECCOMP 0x200000
#define LINUX_PTRACE_O_MASK	       0x3000ff

/* PTRACE_PEEKSIGINFO and PTRACE_GET_SYSCALL_INFO. */
#define LINUX_PTRACE_PEEKSIGINFO_SHARED	  1
#define LINUX_PTRACE_SYSCALL_INFO_NONE	  0
#define LINUX_PTRACE_SYSCALL_INFO_ENTRY	  1
#define LINUX_PTRACE_SYSCALL_INFO_EXIT	  2
#define LINUX_PTRACE_SYSCALL_INFO_SECCOMP 3

#define LINUX_AUDIT_ARCH_X86_64 0xc000003eU
#define LINUX_AUDIT_ARCH_I386	0x40000003U

struct linux_ptrace_peeksiginfo_args {
	uint64_t off;
	uint32_t flags;
	int32_t nr;
};

struct linux_ptrace_syscall_info {
	uint8_t op;
	uint8_t reserved;
	uint16_t flags;
	uint32_t arch;
	uint64_t instruction_pointer;
	uint64_t stack_pointer;
	union {
		struct {
			uint64_t nr;
			uint64_t args[6];
		} entry;
		struct {
			int64_t rval;
			uint8_t is_error;
		} exit;
		struct {
			uint64_t nr;
			uint64_t args[6];
			uint32_t ret_data;
			uint32_t reserved2;
		} seccomp;
	};
};

/* How much of the structure each stop fills: PTRACE_GET_SYSCALL_INFO returns it. */
#define LINUX_PTRACE_SYSCALL_INFO_SIZE_NONE    24
#define LINUX_PTRACE_SYSCALL_INFO_SIZE_ENTRY   80
#define LINUX_PTRACE_SYSCALL_INFO_SIZE_EXIT    33
#define LINUX_PTRACE_SYSCALL_INFO_SIZE_SECCOMP 84

struct linux_seccomp_metadata {
	uint64_t filter_off;
	uint64_t flags;
};

struct linux_ptrace_rseq_configuration {
	uint64_t rseq_abi_pointer;
	uint32_t rseq_abi_size;
	uint32_t signature;
	uint32_t flags;
	uint32_t pad;
};

struct linux_ptrace_sud_config {
	uint64_t mode;
	uint64_t selector;
	uint64_t offset;
	uint64_t len;
};

/* struct user, through which PTRACE_PEEKUSR and PTRACE_POKEUSR see the registers. */
#define LINUX_USER_OFFSET_U_DEBUGREG 848
/* With error_code and fault_address, which glibc's structure lacks. */
#define LINUX_USER_SIZE		     928

_Static_assert(
	sizeof(struct linux_ptrace_peeksiginfo_args) == 16, "struct ptrace_peeksiginfo_args");
_Static_assert(sizeof(struct linux_ptrace_syscall_info) == 88, "struct ptrace_syscall_info");
_Static_assert(
	offsetof(struct linux_ptrace_syscall_info, entry) == 24, "struct ptrace_syscall_info");
_Static_assert(offsetof(struct linux_ptrace_syscall_info, seccomp.ret_data) == 80,
	"struct ptrace_syscall_info");
_Static_assert(sizeof(struct linux_seccomp_metadata) == 16, "struct seccomp_metadata");
_Static_assert(
	sizeof(struct linux_ptrace_rseq_configuration) == 24, "struct ptrace_rseq_configuration");
_Static_assert(sizeof(struct linux_ptrace_sud_config) == 32, "struct ptrace_sud_config");
