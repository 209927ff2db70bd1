/* SPDX-License-Identifier: Apache-2.0 */
/* The seccomp filter of stub processes. */
#include "platform/ptrace/stub_filter.h"

#include "base/compiler.h"

#include <linux/audit.h>
#include <stddef.h>
#include <sys/syscall.h>

/* What stub_code.S and the lists of address spaces use. */
static const uint32_t allowed[] = {
	SYS_mmap,			       /* guest mappings */
	SYS_munmap, SYS_mprotect, SYS_madvise, /* MADV_POPULATE_WRITE */
	SYS_pause,			       /* idle threads */
	SYS_clone,	       /* further threads, and further stubs from the template */
	SYS_prctl,	       /* PR_SET_PDEATHSIG of a new stub */
	SYS_getppid, SYS_exit, /* of a thread too many */
	SYS_exit_group,	       /* of a new stub whose parent is gone */
};

#define INSTRUCTION(code_, k_) ((struct sock_filter)BPF_STMT((code_), (k_)))
#define LOAD(field)	       INSTRUCTION(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define LOAD_HIGH(field)                                                                           \
	INSTRUCTION(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field) + 4)
#define AND(value)    INSTRUCTION(BPF_ALU | BPF_AND | BPF_K, (value))
#define RETURN(value) INSTRUCTION(BPF_RET | BPF_K, (value))

/* The program's places that are jumped to. */
enum { NOT_VSYSCALL = 8, KILL = 13 + array_count(allowed), ALLOW };

_Static_assert(ALLOW < STUB_FILTER_LENGTH, "the program fits");

static void append(struct stub_filter *filter, struct sock_filter instruction)
{
	filter->program[filter->length++] = instruction;
}

/* Goes to one of two places, each the next instruction or a later one. */
static void append_if_equal(
	struct stub_filter *filter, uint32_t value, size_t then, size_t otherwise)
{
	size_t next = filter->length + 1u;

	append(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value,
			       (uint8_t)(then - next), (uint8_t)(otherwise - next)));
}

static void append_unless_equal(struct stub_filter *filter, uint32_t value, size_t otherwise)
{
	append_if_equal(filter, value, filter->length + 1u, otherwise);
}

void stub_filter_build(struct stub_filter *filter, uint64_t code_address, uint64_t address)
{
	filter->length = 0;
	filter->program_address = address + offsetof(struct stub_filter, program);

	append(filter, LOAD(arch));
	append_unless_equal(filter, AUDIT_ARCH_X86_64, KILL);
	append(filter, LOAD_HIGH(instruction_pointer));
	append_unless_equal(filter, (uint32_t)(VSYSCALL_PAGE >> 32), NOT_VSYSCALL);
	append(filter, LOAD(instruction_pointer));
	append(filter, AND((uint32_t)PAGE_MASK));
	append_unless_equal(filter, (uint32_t)VSYSCALL_PAGE, KILL);
	append(filter, RETURN(SECCOMP_RET_TRAP));

	append_unless_equal(filter, (uint32_t)(code_address >> 32), KILL);
	append(filter, LOAD(instruction_pointer));
	append(filter, AND((uint32_t)PAGE_MASK));
	append_unless_equal(filter, (uint32_t)code_address, KILL);
	append(filter, LOAD(nr));
	for (size_t i = 0; i < array_count(allowed); i++)
		append_if_equal(filter, allowed[i], ALLOW, filter->length + 1u);
	append(filter, RETURN(SECCOMP_RET_KILL_PROCESS));
	append(filter, RETURN(SECCOMP_RET_ALLOW));
}
