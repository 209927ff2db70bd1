/* SPDX-License-Identifier: Apache-2.0 */
/* A platform with one address space and one context, for tests that run a few instructions in it.
 */
#pragma once

#include "platform/platform.h"

#include <sys/mman.h>

#define CODE	    0x400000ul
#define DATA	    0x800000ul
#define STACK	    0x10000000ul
#define MEMORY_SIZE (1024 * PAGE_SIZE)
/* The memory file's pages: code by name from the first, the stack, then data. */
#define STACK_OFFSET (16 * PAGE_SIZE)
#define DATA_OFFSET  (32 * PAGE_SIZE)

struct machine {
	struct platform *platform;
	struct address_space *as;
	struct context *context;
	struct linux_user_regs registers;
	struct context_exit exit;
	int memory_fd;
	unsigned char *memory;
};

extern struct machine machine;

/* Fixtures: a machine with nothing mapped but a stack. */
void machine_set_up(void);
void machine_tear_down(void);

/* Copies code into a page of the memory file and maps it; registers start there. */
void machine_load(struct machine *m, const unsigned char *code, const unsigned char *end);
void machine_map_data(struct machine *m, uint64_t address, uint64_t pages, int protection);
/* A further context (and address space) over the same memory, as a thread or a child would have. */
struct machine machine_thread(struct machine *m);
struct machine machine_process(struct machine *m);
/* Runs until the next exit, which must have this reason. */
void machine_run(struct machine *m, enum exit_reason reason, const char *where);
void machine_step(struct machine *m, enum exit_reason reason, const char *where);

#define STRING_(x)	#x
#define STRING(x)	STRING_(x)
#define run(m, reason)	machine_run((m), (reason), "line " STRING(__LINE__))
#define step(m, reason) machine_step((m), (reason), "line " STRING(__LINE__))
#define load(m, name)                                                                              \
	do {                                                                                       \
		extern const unsigned char guest_##name[], guest_##name##_end[];                   \
		machine_load((m), guest_##name, guest_##name##_end);                               \
	} while (0)
