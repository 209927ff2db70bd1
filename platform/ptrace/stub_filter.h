/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seccomp filter of stub processes, a second wall behind PTRACE_SYSEMU: the host carries out
 * nothing but what the stub's own code needs, and only from its page; anything else kills. It also
 * catches the vsyscall page, which the host would emulate without telling the tracer.
 */
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

#define STUB_FILTER_LENGTH    32
#define STUB_FILTER_OPERATION SECCOMP_SET_MODE_FILTER
/* The mitigation that a filter may switch on otherwise is of no use here, and slows guests down. */
#define STUB_FILTER_FLAGS SECCOMP_FILTER_FLAG_SPEC_ALLOW

#define VSYSCALL_PAGE 0xffffffffff600000ul

struct stub_filter {
	/* struct sock_fprog, with the address that the program has in the stub. */
	uint16_t length;
	uint64_t program_address;
	struct sock_filter program[STUB_FILTER_LENGTH];
};

_Static_assert(offsetof(struct stub_filter, program_address) == offsetof(struct sock_fprog, filter),
	"layout of struct sock_fprog");

/* address: where the filter itself will be in the stub. */
void stub_filter_build(struct stub_filter *filter, uint64_t code_address, uint64_t address);
