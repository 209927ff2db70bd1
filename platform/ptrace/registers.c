/* SPDX-License-Identifier: Apache-2.0 */
/*
 * General registers of a stub thread: read once a stop, written only where they differ.
 *
 * The segment registers and bases come last in the host's layout and hardly ever change, so they
 * are written only when they do. That matters for more than speed: with wrfsbase and with selectors
 * of a low privilege level guests can give themselves values that ptrace(2) shows but does not
 * take.
 */
#include "platform/ptrace/ptrace_platform.h"

#include "base/log.h"

#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#include <elf.h>

_Static_assert(sizeof(struct linux_user_regs) == sizeof(struct user_regs_struct), "one layout");

#define REGISTER_INDEX(name) (offsetof(struct linux_user_regs, name) / sizeof(uint64_t))
#define FIRST_SEGMENT	     REGISTER_INDEX(fs_base)
#define REGISTER_COUNT	     (sizeof(struct linux_user_regs) / sizeof(uint64_t))

#define USER_DS	 0x2b
#define FLAGS_IF 0x200
#define FLAGS_1	 0x2

struct linux_user_regs stub_registers(uint64_t address)
{
	return (struct linux_user_regs){
		.rip = address,
		.cs = USER_CS,
		.ss = USER_DS,
		.eflags = FLAGS_IF | FLAGS_1,
		.orig_rax = UINT64_MAX,
	};
}

void stub_thread_get_registers(struct stub_thread *thread, struct linux_user_regs *registers)
{
	if (ptrace(PTRACE_GETREGS, thread->tid, NULL, registers))
		panic("stub thread %d: PTRACE_GETREGS: %s", thread->tid, strerror(errno));
	thread->registers = *registers;
	thread->registers_known = true;
}

static void poke(struct stub_thread *thread, size_t index, uint64_t value)
{
	size_t offset = offsetof(struct user, regs) + index * sizeof(uint64_t);

	if (ptrace(PTRACE_POKEUSER, thread->tid, (void *)offset, (void *)value))
		panic("stub thread %d: PTRACE_POKEUSER: %s", thread->tid, strerror(errno));
}

static int write_regset(struct stub_thread *thread, struct linux_user_regs *registers, size_t count)
{
	struct iovec iov = {.iov_base = registers, .iov_len = count * sizeof(uint64_t)};

	/* The layout of a regset is that of the mode which the thread is in: 32-bit after a far
	 * jump. */
	if (unlikely(thread->registers.cs != USER_CS))
		poke(thread, REGISTER_INDEX(cs), USER_CS);
	/* Whatever the host thinks that the thread was doing, it is not to be restarted. */
	registers->orig_rax = UINT64_MAX;
	if (!ptrace(PTRACE_SETREGSET, thread->tid, (void *)NT_PRSTATUS, &iov))
		return 0;
	panic_if(errno != EIO && errno != EINVAL, "stub thread %d: PTRACE_SETREGSET: %s",
		thread->tid, strerror(errno));
	/* Those before the bad one were written. */
	thread->registers_known = false;
	thread->registers.cs = 0;
	return -EINVAL;
}

/* A null selector is fine; of others ptrace(2) takes those of user level, and Linux's sigreturn
 * makes them so. */
static uint64_t user_selector(uint64_t selector)
{
	selector &= 0xffff;
	return selector ? selector | 3 : 0;
}

static int set_all(struct stub_thread *thread, const struct linux_user_regs *registers)
{
	struct linux_user_regs copy = *registers;
	int r;

	copy.ds = user_selector(copy.ds);
	copy.es = user_selector(copy.es);
	copy.fs = user_selector(copy.fs);
	copy.gs = user_selector(copy.gs);
	r = write_regset(thread, &copy, REGISTER_COUNT);
	if (r)
		return r;
	thread->registers = *registers;
	thread->registers_known = true;
	return 0;
}

/* How many registers must be written so that all of them before the segments are right. */
static size_t count_changed(const uint64_t *have, const uint64_t *want)
{
	for (size_t i = FIRST_SEGMENT; i-- > 0;)
		if (have[i] != want[i] && i != REGISTER_INDEX(orig_rax))
			return i + 1;
	return 0;
}

/* With one of these in rax the host would restart a system call when a signal comes in. */
static bool is_restart_code(uint64_t rax)
{
	return rax >= (uint64_t)-516 && rax <= (uint64_t)-512;
}

static bool only_rax_changed(const uint64_t *have, const uint64_t *want, size_t count)
{
	return count == REGISTER_INDEX(rax) + 1 &&
	       !memcmp(have, want, REGISTER_INDEX(rax) * sizeof(uint64_t)) &&
	       !is_restart_code(want[REGISTER_INDEX(rax)]);
}

int stub_thread_set_registers(struct stub_thread *thread, const struct linux_user_regs *registers)
{
	const uint64_t *have = (const uint64_t *)&thread->registers;
	const uint64_t *want = (const uint64_t *)registers;
	struct linux_user_regs copy;
	size_t count;
	int r;

	if (unlikely(!thread->registers_known) ||
		unlikely(memcmp(&have[FIRST_SEGMENT], &want[FIRST_SEGMENT],
			(REGISTER_COUNT - FIRST_SEGMENT) * sizeof(uint64_t))))
		return set_all(thread, registers);
	count = count_changed(have, want);
	if (!count)
		return 0;
	/* What most system calls change, and a third of the cost. */
	if (likely(only_rax_changed(have, want, count))) {
		poke(thread, REGISTER_INDEX(rax), registers->rax);
		thread->registers.rax = registers->rax;
		return 0;
	}
	copy = *registers;
	r = write_regset(thread, &copy, FIRST_SEGMENT);
	if (!r)
		thread->registers = *registers;
	return r;
}
