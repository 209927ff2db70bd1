/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine state in a signal frame of x86-64: sigcontext, ucontext and the marks around XSAVE
 * state.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "abi/signal.h"

#define LINUX_UC_FP_XSTATE	   0x1
#define LINUX_UC_SIGCONTEXT_SS	   0x2
#define LINUX_UC_STRICT_RESTORE_SS 0x4

#define LINUX_FP_XSTATE_MAGIC1	    0x46505853U
#define LINUX_FP_XSTATE_MAGIC2	    0x46505845U
#define LINUX_FP_XSTATE_MAGIC2_SIZE 4

#define LINUX_XFEATURE_MASK_FP	  (1ULL << 0)
#define LINUX_XFEATURE_MASK_SSE	  (1ULL << 1)
#define LINUX_XFEATURE_MASK_YMM	  (1ULL << 2)
#define LINUX_XFEATURE_MASK_FPSSE (LINUX_XFEATURE_MASK_FP | LINUX_XFEATURE_MASK_SSE)

/* The area below the stack pointer that signal frames leave alone. */
#define LINUX_REDZONE_SIZE 128

/*
 * struct _fpx_sw_bytes: in the last bytes of the FXSAVE area, which the processor leaves to
 * software.
 */
struct linux_fpx_sw_bytes {
	uint32_t magic1;
	uint32_t extended_size;
	uint64_t xfeatures;
	uint32_t xstate_size;
	uint32_t padding[7];
};

/* struct _fpstate_64, the FXSAVE area; the same bytes are ptrace's user_fpregs_struct. */
struct linux_fpstate {
	uint16_t cwd;
	uint16_t swd;
	uint16_t twd;
	uint16_t fop;
	uint64_t rip;
	uint64_t rdp;
	uint32_t mxcsr;
	uint32_t mxcsr_mask;
	uint32_t st_space[32];
	uint32_t xmm_space[64];
	uint32_t reserved2[12];
	union {
		uint32_t reserved3[12];
		struct linux_fpx_sw_bytes sw_reserved;
	};
};

/* The header of the XSAVE area, which follows its 512 legacy bytes. */
struct linux_xstate_header {
	uint64_t xfeatures;
	uint64_t xcomp_bv;
	uint64_t reserved[6];
};

struct linux_sigcontext {
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp;
	uint64_t rip, eflags;
	uint16_t cs, gs, fs, ss;
	uint64_t err, trapno, oldmask, cr2;
	uint64_t fpstate; /* 0: there is none */
	uint64_t reserved1[8];
};

struct linux_ucontext {
	uint64_t uc_flags;
	uint64_t uc_link;
	struct linux_stack uc_stack;
	struct linux_sigcontext uc_mcontext;
	linux_sigset_t uc_sigmask;
};

/* What a handler finds at its stack pointer; the FXSAVE or XSAVE area lies above, aligned to 64. */
struct linux_rt_sigframe {
	uint64_t pretcode;
	struct linux_ucontext uc;
	struct linux_siginfo info;
};

_Static_assert(sizeof(struct linux_fpx_sw_bytes) == 48, "struct _fpx_sw_bytes");
_Static_assert(sizeof(struct linux_fpstate) == 512, "struct _fpstate_64");
_Static_assert(offsetof(struct linux_fpstate, sw_reserved) == 464, "struct _fpstate_64");
_Static_assert(sizeof(struct linux_xstate_header) == 64, "struct _header");
_Static_assert(sizeof(struct linux_sigcontext) == 256, "struct sigcontext_64");
_Static_assert(offsetof(struct linux_sigcontext, fpstate) == 184, "struct sigcontext_64");
_Static_assert(sizeof(struct linux_ucontext) == 304, "struct ucontext");
_Static_assert(offsetof(struct linux_ucontext, uc_sigmask) == 296, "struct ucontext");
_Static_assert(sizeof(struct linux_rt_sigframe) == 440, "struct rt_sigframe");
