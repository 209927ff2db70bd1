/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What guest code can do, and how the ptrace platform reports it. Each test is a process of its
 * own, since a platform belongs to a main thread and lasts as long.
 */
#include "tests/unit/platform/machine.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define VSYSCALL_TIME 0xffffffffff600400ul

START_TEST(test_system_calls)
{
	struct machine *m = &machine;

	load(m, getpid);
	m->registers.r12 = 0x1234567890abcdef;
	for (uint64_t i = 0; i < 1000; i++) {
		run(m, EXIT_SYSCALL);
		ck_assert_uint_eq(m->registers.orig_rax, SYS_getpid);
		ck_assert_int_eq((int64_t)m->registers.rax, -ENOSYS);
		ck_assert_uint_eq(m->registers.r12, 0x1234567890abcdef + i);
		m->registers.rax = i;
		m->registers.r12++;
	}
}
END_TEST

START_TEST(test_faults)
{
	struct machine *m = &machine;

	load(m, read);
	m->registers.rdi = DATA;
	run(m, EXIT_FAULT);
	ck_assert_int_eq(m->exit.signal, SIGSEGV);
	ck_assert_uint_eq(m->exit.address, DATA);
	ck_assert(!m->exit.present);
	ck_assert_uint_eq(m->registers.rip, CODE);

	machine_map_data(m, DATA, 1, PROT_READ);
	memset(m->memory + DATA_OFFSET, 0x11, 8);
	run(m, EXIT_SYSCALL);
	ck_assert_uint_eq(m->registers.orig_rax, 0x1111111111111111);

	load(m, write);
	m->registers.rdi = DATA + 8;
	m->registers.rsi = 99;
	run(m, EXIT_FAULT);
	ck_assert(m->exit.present);
	ck_assert_uint_eq(m->exit.address, DATA + 8);
	ck_assert_int_eq(address_space_protect(m->as, DATA, PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
	run(m, EXIT_SYSCALL);
	ck_assert_uint_eq(m->memory[DATA_OFFSET + 8], 99);
	ck_assert_int_eq(address_space_unmap(m->as, DATA, PAGE_SIZE), 0);
	m->registers.rip = CODE;
	run(m, EXIT_FAULT);
	ck_assert(!m->exit.present);
}
END_TEST

/* A map that nobody touched may still wait when its file is closed and something else takes its
 * place. */
START_TEST(test_maps_that_wait)
{
	struct machine *m = &machine;

	load(m, getpid);
	run(m, EXIT_SYSCALL);
	for (unsigned int i = 0; i < 100; i++) {
		int fd = dup(m->memory_fd);

		ck_assert_int_eq(
			address_space_map(m->as, DATA, fd, 0, 4 * PAGE_SIZE, PROT_READ, 0), 0);
		run(m, EXIT_SYSCALL);
		ck_assert_int_eq(
			address_space_protect(m->as, DATA + PAGE_SIZE, PAGE_SIZE, PROT_NONE), 0);
		ck_assert_int_eq(address_space_unmap(m->as, DATA + PAGE_SIZE, 2 * PAGE_SIZE), 0);
		run(m, EXIT_SYSCALL);
		ck_assert_int_eq(address_space_unmap(m->as, DATA, PAGE_SIZE), 0);
		ck_assert_int_eq(address_space_unmap(m->as, DATA + 3 * PAGE_SIZE, PAGE_SIZE), 0);
		close(fd);
		run(m, EXIT_SYSCALL);
	}
	machine_map_data(m, DATA, 1, PROT_READ);
	run(m, EXIT_SYSCALL);
	memset(m->memory + DATA_OFFSET, 0x22, 8);
	load(m, read);
	m->registers.rdi = DATA;
	run(m, EXIT_SYSCALL);
	ck_assert_uint_eq(m->registers.orig_rax, 0x2222222222222222);
	m->registers.rip = CODE;
	m->registers.rdi = DATA + PAGE_SIZE;
	run(m, EXIT_FAULT);
	ck_assert(!m->exit.present);
}
END_TEST

START_TEST(test_fault_past_the_file)
{
	struct machine *m = &machine;

	load(m, read);
	ck_assert_int_eq(
		address_space_map(m->as, DATA, m->memory_fd, MEMORY_SIZE, PAGE_SIZE, PROT_READ, 0),
		0);
	m->registers.rdi = DATA;
	run(m, EXIT_FAULT);
	ck_assert_int_eq(m->exit.signal, SIGBUS);
	ck_assert_int_eq(m->exit.code, BUS_ADRERR);
	ck_assert(m->exit.present);
}
END_TEST

static void expect_exception(int signal, int code)
{
	run(&machine, EXIT_SIGNAL);
	ck_assert_int_eq(machine.exit.signal, signal);
	ck_assert_int_eq(machine.exit.code, code);
	ck_assert_int_eq((int64_t)machine.registers.orig_rax, -1);
}

START_TEST(test_exceptions)
{
	struct machine *m = &machine;

	load(m, breakpoint);
	expect_exception(SIGTRAP, SI_KERNEL);
	ck_assert_uint_eq(m->registers.rip, CODE + 1);
	load(m, undefined);
	expect_exception(SIGILL, ILL_ILLOPN);
	ck_assert_uint_eq(m->exit.address, CODE);
	load(m, divide);
	expect_exception(SIGFPE, FPE_INTDIV);
	load(m, non_canonical);
	expect_exception(SIGSEGV, SI_KERNEL);
	load(m, trap_flag);
	expect_exception(SIGTRAP, TRAP_TRACE);
	load(m, alignment);
	expect_exception(SIGBUS, BUS_ADRALN);
	load(m, icebp);
	expect_exception(SIGTRAP, TRAP_BRKPT);
}
END_TEST

START_TEST(test_another_table)
{
	struct machine *m = &machine;

	load(m, int80);
	m->registers.r11 = 0x246;
	m->registers.eflags = 0x246;
	run(m, EXIT_SYSCALL_32);
	ck_assert_uint_eq(m->registers.orig_rax, 20);
	/* The forgery that must not work: as after a syscall instruction. */
	ck_assert_uint_eq(m->registers.rcx, m->registers.rip);
	ck_assert_uint_eq(m->registers.r11, m->registers.eflags);
}
END_TEST

/* Goes to 32-bit code by a far jump, which takes no help of a kernel. */
static void load_compat(struct machine *m, const unsigned char *code, const unsigned char *end)
{
	struct {
		uint32_t offset;
		uint16_t selector;
	} __attribute__((packed)) target = {CODE + 256, 0x23};

	load(m, far_jump);
	memcpy(m->memory + 256, code, (size_t)(end - code));
	memcpy(m->memory + DATA_OFFSET, &target, sizeof(target));
	machine_map_data(m, DATA, 1, PROT_READ | PROT_WRITE);
	m->registers.rdi = DATA;
}

extern const unsigned char guest_int80_compat[], guest_int80_compat_end[], guest_sysenter_compat[],
	guest_sysenter_compat_end[], guest_syscall_compat[], guest_syscall_compat_end[];

START_TEST(test_compatibility_mode)
{
	struct machine *m = &machine;
	int r;

	load_compat(m, guest_int80_compat, guest_int80_compat_end);
	run(m, EXIT_SYSCALL_32);
	ck_assert_uint_eq(m->registers.cs, 0x23);
	/* And goes on in 32-bit mode. */
	run(m, EXIT_SIGNAL);
	ck_assert_int_eq(m->exit.signal, SIGILL);
	ck_assert_uint_eq(m->registers.cs, 0x23);

	/* Intel and AMD differ in which of the two is there; neither is the 64-bit table. */
	load_compat(m, guest_syscall_compat, guest_syscall_compat_end);
	r = context_switch(m->context, m->as, &m->registers, 0, &m->exit);
	ck_assert_int_eq(r, 0);
	ck_assert(m->exit.reason == EXIT_SYSCALL_32 || m->exit.reason == EXIT_SIGNAL);
	load_compat(m, guest_sysenter_compat, guest_sysenter_compat_end);
	r = context_switch(m->context, m->as, &m->registers, 0, &m->exit);
	ck_assert_int_eq(r, 0);
	ck_assert_int_ne(m->exit.reason, EXIT_SYSCALL);
}
END_TEST

START_TEST(test_vsyscall_page)
{
	struct machine *m = &machine;

	load(m, vsyscall);
	m->registers.rdi = VSYSCALL_TIME;
	run(m, EXIT_FAULT);
	ck_assert_uint_eq(m->exit.address, VSYSCALL_TIME);
	ck_assert_uint_eq(m->registers.rip, VSYSCALL_TIME);
	/* What the kernel above would do. */
	memcpy(&m->registers.rip, m->memory + STACK_OFFSET + m->registers.rsp - STACK, 8);
	ck_assert_uint_eq(m->registers.rip, CODE + 2);
	m->registers.rsp += 8;
	m->registers.rax = 4711;
	run(m, EXIT_SYSCALL);
	ck_assert_uint_eq(m->registers.rbx, 4711);
	/* Nor is it reached by an address that is no function. */
	load(m, vsyscall);
	m->registers.rdi = VSYSCALL_TIME + 16;
	(void)!context_switch(m->context, m->as, &m->registers, 0, &m->exit);
	ck_assert_int_eq(m->exit.signal, SIGSEGV);
}
END_TEST

START_TEST(test_stub_pages_are_of_no_use)
{
	struct machine *m = &machine;

	/* The stub's own code lies in one of the pages above all guest addresses. */
	for (uint64_t address = 0x7ffffffff000 - 64 * PAGE_SIZE; address < 0x7ffffffff000;
		address += PAGE_SIZE) {
		load(m, getpid);
		m->registers.rip = address + 2;
		(void)!context_switch(m->context, m->as, &m->registers, 0, &m->exit);
		ck_assert_int_ne(m->exit.reason, EXIT_INTERRUPTED);
		load(m, write);
		m->registers.rdi = address;
		run(m, EXIT_FAULT);
	}
	ck_assert_int_eq(address_space_unmap(m->as, PLATFORM_GUEST_MAX, PAGE_SIZE), -EINVAL);
	ck_assert_int_eq(address_space_map(m->as, PLATFORM_GUEST_MAX - PAGE_SIZE, m->memory_fd, 0,
				 2 * PAGE_SIZE, PROT_READ, 0),
		-EINVAL);
	ck_assert_int_eq(
		address_space_protect(m->as, -PAGE_SIZE, 2 * PAGE_SIZE, PROT_WRITE), -EINVAL);
}
END_TEST

START_TEST(test_steps)
{
	struct machine *m = &machine;

	load(m, steps);
	step(m, EXIT_STEP);
	ck_assert_uint_eq(m->registers.rip, CODE + 1);
	step(m, EXIT_STEP);
	ck_assert_uint_eq(m->registers.rax, 1);
	step(m, EXIT_SYSCALL);
	m->registers.rax = 0;
	step(m, EXIT_STEP);
	ck_assert_uint_eq(m->registers.rbx, 1);
	ck_assert(!(m->registers.eflags & 0x100));
	step(m, EXIT_STEP);
	run(m, EXIT_SIGNAL);
	ck_assert_int_eq(m->exit.signal, SIGILL);
}
END_TEST

START_TEST(test_debug_registers)
{
	struct machine *m = &machine;
	uint64_t value;

	load(m, write);
	machine_map_data(m, DATA, 1, PROT_READ | PROT_WRITE);
	m->registers.rdi = DATA + 16;
	ck_assert_int_eq(context_set_debug_register(m->context, m->as, 0, DATA + 16), 0);
	/* Writes of eight bytes, at DR0. */
	ck_assert_int_eq(context_set_debug_register(m->context, m->as, 7, 1 | 9ul << 16), 0);
	run(m, EXIT_SIGNAL);
	ck_assert_int_eq(m->exit.signal, SIGTRAP);
	ck_assert_int_eq(m->exit.code, TRAP_HWBKPT);
	ck_assert_int_eq(context_get_debug_register(m->context, m->as, 6, &value), 0);
	ck_assert_uint_eq(value & 0xf, 1);

	ck_assert_int_ne(context_set_debug_register(m->context, m->as, 1, PLATFORM_GUEST_MAX), 0);
	ck_assert_int_ne(context_set_debug_register(m->context, m->as, 4, 0), 0);
	ck_assert_int_ne(context_set_debug_register(m->context, m->as, 7, 3ul << 18 | 4), 0);

	/* A thread that comes back from the pool has none. */
	context_release(m->context);
	m->registers.rip = CODE;
	run(m, EXIT_SYSCALL);
	ck_assert_int_eq(context_get_debug_register(m->context, m->as, 7, &value), 0);
	ck_assert_uint_eq(value & 0xff, 0);
}
END_TEST

START_TEST(test_hostile_registers)
{
	struct machine *m = &machine;

	load(m, segments);
	run(m, EXIT_SYSCALL);
	ck_assert_uint_eq(m->registers.ds, 0x28);
	m->registers.r15 = 1;
	run(m, EXIT_SYSCALL);
	ck_assert_uint_eq(m->registers.rbx & 0xffff, 0x28);
	context_release(m->context);
	m->registers.rip = CODE;
	run(m, EXIT_SYSCALL);

	load(m, kernel_base);
	run(m, EXIT_SYSCALL);
	ck_assert_uint_eq(m->registers.fs_base, 0xffff800000000000);
	/* A batch in between must not lose it. */
	machine_map_data(m, DATA, 1, PROT_READ);
	run(m, EXIT_SYSCALL);
	ck_assert_uint_eq(m->registers.rbx, 0xffff800000000000);
	context_release(m->context);
	ck_assert_int_eq(context_switch(m->context, m->as, &m->registers, 0, &m->exit), -EINVAL);

	load(m, getpid);
	m->registers.cs = 0x10;
	ck_assert_int_eq(context_switch(m->context, m->as, &m->registers, 0, &m->exit), -EINVAL);
	load(m, getpid);
	m->registers.ss = 0;
	ck_assert_int_eq(context_switch(m->context, m->as, &m->registers, 0, &m->exit), -EINVAL);
	load(m, getpid);
	m->registers.rip = 0x8000000000000000;
	run(m, EXIT_SIGNAL);
	load(m, rflags);
	run(m, EXIT_SYSCALL);
	machine_map_data(m, DATA, 2, PROT_READ);
	run(m, EXIT_SYSCALL);
	ck_assert_uint_ne(m->registers.rbx & 0x400, 0);
	load(m, getpid);
	m->registers.eflags = ~0ul;
	(void)!context_switch(m->context, m->as, &m->registers, 0, &m->exit);
	load(m, getpid);
	run(m, EXIT_SYSCALL);
}
END_TEST

START_TEST(test_protection_keys)
{
	struct machine *m = &machine;

	if (!(m->platform->fpstate_features & 1 << 9))
		return;
	load(m, protection_key);
	run(m, EXIT_SYSCALL);
	/* The batch must run, and the guest must find its own value afterwards. */
	machine_map_data(m, DATA, 1, PROT_READ);
	run(m, EXIT_SYSCALL);
	ck_assert_uint_eq(m->registers.rbx, 0x55555555);
}
END_TEST

START_TEST(test_random_registers)
{
	struct machine *m = &machine;
	uint64_t state = 88172645463325252u;

	for (int round = 0; round < 3000; round++) {
		uint64_t *registers = (uint64_t *)&m->registers;
		int r;

		load(m, getpid);
		for (size_t i = 0; i < sizeof(m->registers) / 8; i++) {
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			/* Most of them, and in any mixture of plausible and absurd. */
			if (state % 3)
				registers[i] = state >> (state % 64);
		}
		if (round % 2)
			m->registers.cs = 0x33, m->registers.ss = 0x2b;
		r = context_switch(
			m->context, m->as, &m->registers, round % 5 ? 0 : RUN_STEP, &m->exit);
		ck_assert(r == 0 || r == -EINVAL);
	}
	load(m, getpid);
	run(m, EXIT_SYSCALL);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("platform/ptrace");
	TCase *tcase = tcase_create("guest code");

	tcase_add_checked_fixture(tcase, machine_set_up, machine_tear_down);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, test_system_calls);
	tcase_add_test(tcase, test_faults);
	tcase_add_test(tcase, test_maps_that_wait);
	tcase_add_test(tcase, test_fault_past_the_file);
	tcase_add_test(tcase, test_exceptions);
	tcase_add_test(tcase, test_another_table);
	tcase_add_test(tcase, test_compatibility_mode);
	tcase_add_test(tcase, test_vsyscall_page);
	tcase_add_test(tcase, test_stub_pages_are_of_no_use);
	tcase_add_test(tcase, test_steps);
	tcase_add_test(tcase, test_debug_registers);
	tcase_add_test(tcase, test_hostile_registers);
	tcase_add_test(tcase, test_protection_keys);
	tcase_add_test(tcase, test_random_registers);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(make_suite());
	int failed;

	srunner_set_fork_status(runner, CK_FORK);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
