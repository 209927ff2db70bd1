/* SPDX-License-Identifier: Apache-2.0 */
/* The machine of the platform's tests. */
#include "tests/unit/platform/machine.h"

#include <check.h>
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct machine machine;

static void reset_registers(struct machine *m)
{
	m->registers = (struct linux_user_regs){
		.rip = CODE, .rsp = STACK + PAGE_SIZE / 2, .cs = 0x33, .ss = 0x2b, .eflags = 0x202};
}

static void map_stack(struct machine *m)
{
	ck_assert_int_eq(address_space_map(m->as, STACK, m->memory_fd, STACK_OFFSET, PAGE_SIZE,
				 PROT_READ | PROT_WRITE, 0),
		0);
}

void machine_set_up(void)
{
	struct machine *m = &machine;

	memset(m, 0, sizeof(*m));
	ck_assert_int_eq(platform_ptrace_new(&m->platform), 0);
	m->memory_fd = memfd_create("memory", MFD_CLOEXEC);
	ck_assert_int_ge(m->memory_fd, 0);
	ck_assert_int_eq(ftruncate(m->memory_fd, MEMORY_SIZE), 0);
	m->memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, m->memory_fd, 0);
	ck_assert_ptr_ne(m->memory, MAP_FAILED);
	ck_assert_int_eq(address_space_new(m->platform, &m->as), 0);
	ck_assert_int_eq(context_new(m->platform, &m->context), 0);
	reset_registers(m);
	map_stack(m);
}

void machine_tear_down(void)
{
	context_free(machine.context);
	address_space_free(machine.as);
}

void machine_load(struct machine *m, const unsigned char *code, const unsigned char *end)
{
	memcpy(m->memory, code, (size_t)(end - code));
	ck_assert_int_eq(address_space_map(
				 m->as, CODE, m->memory_fd, 0, PAGE_SIZE, PROT_READ | PROT_EXEC, 0),
		0);
	reset_registers(m);
}

void machine_map_data(struct machine *m, uint64_t address, uint64_t pages, int protection)
{
	ck_assert_int_eq(address_space_map(m->as, address, m->memory_fd, DATA_OFFSET,
				 pages * PAGE_SIZE, protection, 0),
		0);
}

struct machine machine_thread(struct machine *m)
{
	struct machine other = *m;

	ck_assert_int_eq(context_new(m->platform, &other.context), 0);
	reset_registers(&other);
	return other;
}

struct machine machine_process(struct machine *m)
{
	struct machine other = machine_thread(m);

	ck_assert_int_eq(address_space_new(m->platform, &other.as), 0);
	map_stack(&other);
	return other;
}

static void run_with(
	struct machine *m, unsigned int flags, enum exit_reason reason, const char *where)
{
	int r = context_switch(m->context, m->as, &m->registers, flags, &m->exit);

	ck_assert_msg(!r, "%s: context_switch: %s", where, strerror(-r));
	ck_assert_msg(m->exit.reason == reason,
		"%s: exit %d, not %d; signal %d code %d address %#lx rip %#lx", where,
		m->exit.reason, reason, m->exit.signal, m->exit.code, m->exit.address,
		m->registers.rip);
}

void machine_run(struct machine *m, enum exit_reason reason, const char *where)
{
	run_with(m, 0, reason, where);
}

void machine_step(struct machine *m, enum exit_reason reason, const char *where)
{
	run_with(m, RUN_STEP, reason, where);
}
