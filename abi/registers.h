/* SPDX-License-Identifier: Apache-2.0 */
/* The general registers of x86-64 as ptrace(2) and core files lay them out (struct user_regs_struct). */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct linux_user_regs {
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8;
	uint64_t rax, rcx, rdx, rsi, rdi, orig_rax;
	uint64_t rip, cs, eflags, rsp, ss;
	uint64_t fs_base, gs_base;
	uint64_t ds, es, fs, gs;
};

_Static_assert(sizeof(struct linux_user_regs) == 27 * 8, "layout of struct user_regs_struct");
_Static_assert(offsetof(struct linux_user_regs, rip) == 16 * 8, "layout of struct user_regs_struct");
