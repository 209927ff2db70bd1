/* SPDX-License-Identifier: Apache-2.0 */
/* Classic BPF: what seccomp(2) and SO_ATTACH_FILTER take. */
#pragma once

#include <stdint.h>

/* Classes, sizes, modes, operations. */
#define LINUX_BPF_LD	   0x0
#define LINUX_BPF_LDX	   0x1
#define LINUX_BPF_ST	   0x2
#define LINUX_BPF_STX	   0x3
#define LINUX_BPF_ALU	   0x4
#define LINUX_BPF_JMP	   0x5
#define LINUX_BPF_RET	   0x6
#define LINUX_BPF_MISC	   0x7
#define LINUX_BPF_W	   0x0
#define LINUX_BPF_H	   0x8
#define LINUX_BPF_B	   0x10
#define LINUX_BPF_IMM	   0x0
#define LINUX_BPF_ABS	   0x20
#define LINUX_BPF_IND	   0x40
#define LINUX_BPF_MEM	   0x60
#define LINUX_BPF_LEN	   0x80
#define LINUX_BPF_MSH	   0xa0
#define LINUX_BPF_ADD	   0x0
#define LINUX_BPF_SUB	   0x10
#define LINUX_BPF_MUL	   0x20
#define LINUX_BPF_DIV	   0x30
#define LINUX_BPF_OR	   0x40
#define LINUX_BPF_AND	   0x50
#define LINUX_BPF_LSH	   0x60
#define LINUX_BPF_RSH	   0x70
#define LINUX_BPF_NEG	   0x80
#define LINUX_BPF_MOD	   0x90
#define LINUX_BPF_XOR	   0xa0
#define LINUX_BPF_JA	   0x0
#define LINUX_BPF_JEQ	   0x10
#define LINUX_BPF_JGT	   0x20
#define LINUX_BPF_JGE	   0x30
#define LINUX_BPF_JSET	   0x40
#define LINUX_BPF_K	   0x0
#define LINUX_BPF_X	   0x8
#define LINUX_BPF_MAXINSNS 0x1000
#define LINUX_BPF_A	   0x10
#define LINUX_BPF_TAX	   0x0
#define LINUX_BPF_TXA	   0x80
#define LINUX_BPF_MEMWORDS 0x10

#define LINUX_BPF_CLASS(code)  ((code)&0x07)
#define LINUX_BPF_SIZE(code)   ((code)&0x18)
#define LINUX_BPF_MODE(code)   ((code)&0xe0)
#define LINUX_BPF_OP(code)     ((code)&0xf0)
#define LINUX_BPF_SRC(code)    ((code)&0x08)
#define LINUX_BPF_RVAL(code)   ((code)&0x18)
#define LINUX_BPF_MISCOP(code) ((code)&0xf8)

struct linux_sock_filter {
	uint16_t code;
	uint8_t jt;
	uint8_t jf;
	uint32_t k;
};

struct linux_sock_fprog {
	uint16_t len;
	uint16_t pad0[3];
	uint64_t filter;
};

_Static_assert(sizeof(struct linux_sock_filter) == 8, "struct sock_filter");
_Static_assert(sizeof(struct linux_sock_fprog) == 16, "struct sock_fprog");
