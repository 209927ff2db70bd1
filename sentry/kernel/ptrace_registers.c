/* SPDX-License-Identifier: Apache-2.0 */
/* ptrace(2): whole sets of registers, general and floating-point. The tracee is frozen. */
#include "sentry/kernel/ptrace_registers.h"
#include "abi/elf.h"
#include "abi/limits.h"
#include "abi/prctl.h"
#include "abi/ucontext.h"
#include "sentry/kernel/ptrace_state.h"
#include "sentry/kernel/task_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* CF PF AF ZF SF TF DF OF NT RF AC. */
#define EFLAGS_SETTABLE 0x54dd5ull
#define SELECTOR_RPL	3

/* A selector that could lead out of user mode. */
static bool selector_is_bad(uint64_t value, bool null_allowed)
{
	value &= 0xffff;
	if (value == 0)
		return !null_allowed;
	return (value & SELECTOR_RPL) != SELECTOR_RPL;
}

static uint64_t *register_at(struct linux_user_regs *regs, size_t offset)
{
	return (uint64_t *)((char *)regs + offset);
}

uint64_t ptrace_register_get(struct task *tracee, size_t offset)
{
	return *register_at(&tracee->regs, offset);
}

int ptrace_register_set(struct task *tracee, size_t offset, uint64_t value)
{
	struct linux_user_regs *regs = &tracee->regs;

	switch (offset) {
	case offsetof(struct linux_user_regs, cs):
	case offsetof(struct linux_user_regs, ss):
		if (selector_is_bad(value, false))
			return -EIO;
		value &= 0xffff;
		break;
	case offsetof(struct linux_user_regs, ds):
	case offsetof(struct linux_user_regs, es):
	case offsetof(struct linux_user_regs, fs):
	case offsetof(struct linux_user_regs, gs):
		if (selector_is_bad(value, true))
			return -EIO;
		value &= 0xffff;
		break;
	case offsetof(struct linux_user_regs, eflags):
		value = (regs->eflags & ~EFLAGS_SETTABLE) | (value & EFLAGS_SETTABLE);
		break;
	case offsetof(struct linux_user_regs, fs_base):
	case offsetof(struct linux_user_regs, gs_base):
		if (value >= LINUX_TASK_SIZE)
			return -EIO;
		break;
	default:
		break;
	}
	*register_at(regs, offset) = value;
	return 0;
}

static int64_t get_general(struct task *task, struct task *tracee, gaddr_t to, size_t size)
{
	return mm_copy_out(task->mm, to, &tracee->regs, size);
}

/* As Linux: one after the other, up to the first that is refused. */
static int64_t set_general(struct task *task, struct task *tracee, gaddr_t from, size_t size)
{
	uint64_t values[sizeof(struct linux_user_regs) / sizeof(uint64_t)];
	int err = mm_copy_in(task->mm, values, from, size);

	for (size_t i = 0; i < size / sizeof(uint64_t) && !err; i++)
		err = ptrace_register_set(tracee, i * sizeof(uint64_t), values[i]);
	return err;
}

/* --- floating-point state: only the tracee's own thread has it --- */

static int read_fpstate(struct task *tracee, void *buffer)
{
	return context_get_fpstate(
		tracee->context, mm_address_space(tracee->mm), buffer, g_platform->fpstate_size);
}

static int write_fpstate(struct task *tracee, void *buffer)
{
	return context_set_fpstate(
		tracee->context, mm_address_space(tracee->mm), buffer, g_platform->fpstate_size);
}

static int64_t get_fpstate(struct task *task, struct task *tracee, gaddr_t to, size_t size)
{
	void *buffer = calloc(1, g_platform->fpstate_size);
	int err;

	if (!buffer)
		return -ENOMEM;
	err = task_stop_run(tracee, read_fpstate, buffer);
	if (!err)
		err = mm_copy_out(task->mm, to, buffer, size);
	free(buffer);
	return err;
}

/* size may be less than all: the rest stays. */
static int64_t set_fpstate(struct task *task, struct task *tracee, gaddr_t from, size_t size)
{
	void *buffer = calloc(1, g_platform->fpstate_size);
	int err;

	if (!buffer)
		return -ENOMEM;
	err = task_stop_run(tracee, read_fpstate, buffer);
	if (!err)
		err = mm_copy_in(task->mm, buffer, from, size);
	/* The x87 and SSE parts are in use now, whatever the header said. */
	if (!err && size == sizeof(struct linux_fpstate) && g_platform->fpstate_size > size) {
		struct linux_xstate_header *header =
			(void *)((char *)buffer + sizeof(struct linux_fpstate));

		header->xfeatures |= LINUX_XFEATURE_MASK_FPSSE;
	}
	if (!err)
		err = task_stop_run(tracee, write_fpstate, buffer);
	free(buffer);
	return err;
}

/* --- register sets (core notes) --- */

static size_t set_size(uint64_t type)
{
	switch (type) {
	case LINUX_NT_PRSTATUS:
		return sizeof(struct linux_user_regs);
	case LINUX_NT_PRFPREG:
		return sizeof(struct linux_fpstate);
	case LINUX_NT_X86_XSTATE:
		return g_platform->fpstate_size;
	default:
		return 0;
	}
}

static int64_t transfer_set(
	struct task *task, struct task *tracee, bool get, uint64_t type, gaddr_t base, size_t size)
{
	if (type == LINUX_NT_PRSTATUS)
		return get ? get_general(task, tracee, base, size)
			   : set_general(task, tracee, base, size);
	/* A part of the extended state makes no sense. */
	if (!get && type == LINUX_NT_X86_XSTATE && size != g_platform->fpstate_size)
		return -EFAULT;
	return get ? get_fpstate(task, tracee, base, size) : set_fpstate(task, tracee, base, size);
}

static int64_t register_set(
	struct task *task, struct task *tracee, bool get, uint64_t type, gaddr_t address)
{
	struct {
		uint64_t base, size;
	} vector;
	size_t size = set_size(type & 0xffffffff);
	int64_t err;

	if (mm_copy_in(task->mm, &vector, address, sizeof(vector)))
		return -EFAULT;
	/* Nobody has ports of his own, and a tracer cannot give any. */
	if ((type & 0xffffffff) == LINUX_NT_386_IOPERM && vector.size % sizeof(uint64_t) == 0)
		return get ? -ENXIO : -EOPNOTSUPP;
	if (!size || vector.size % sizeof(uint64_t))
		return -EINVAL;
	vector.size = min_u64(vector.size, size);
	err = transfer_set(task, tracee, get, type & 0xffffffff, vector.base, vector.size);
	if (err)
		return err;
	return mm_copy_out(task->mm, address + sizeof(uint64_t), &vector.size, sizeof(vector.size));
}

/* PTRACE_ARCH_PRCTL: the arguments come the other way round. */
static int64_t arch_prctl(struct task *task, struct task *tracee, int option, uint64_t value)
{
	switch (option) {
	case LINUX_ARCH_SET_FS:
	case LINUX_ARCH_SET_GS:
		if (value >= LINUX_TASK_SIZE)
			return -EPERM;
		if (option == LINUX_ARCH_SET_FS)
			tracee->regs.fs_base = value;
		else
			tracee->regs.gs_base = value;
		return 0;
	case LINUX_ARCH_GET_FS:
		return mm_copy_out(task->mm, value, &tracee->regs.fs_base, sizeof(uint64_t));
	case LINUX_ARCH_GET_GS:
		return mm_copy_out(task->mm, value, &tracee->regs.gs_base, sizeof(uint64_t));
	default:
		return -EINVAL;
	}
}

int64_t ptrace_registers_request(
	struct task *task, struct task *tracee, int64_t request, uint64_t address, uint64_t data)
{
	switch (request) {
	case LINUX_PTRACE_GETREGS:
		return get_general(task, tracee, data, sizeof(struct linux_user_regs));
	case LINUX_PTRACE_SETREGS:
		return set_general(task, tracee, data, sizeof(struct linux_user_regs));
	case LINUX_PTRACE_GETFPREGS:
		return get_fpstate(task, tracee, data, sizeof(struct linux_fpstate));
	case LINUX_PTRACE_SETFPREGS:
		return set_fpstate(task, tracee, data, sizeof(struct linux_fpstate));
	case LINUX_PTRACE_GETREGSET:
		return register_set(task, tracee, true, address, data);
	case LINUX_PTRACE_SETREGSET:
		return register_set(task, tracee, false, address, data);
	case LINUX_PTRACE_ARCH_PRCTL:
		return arch_prctl(task, tracee, (int)data, address);
	case LINUX_PTRACE_GET_THREAD_AREA:
	case LINUX_PTRACE_SET_THREAD_AREA:
		/* Of 32-bit programs, which there are none of. */
		return (int32_t)address < 0 ? -EIO : -EINVAL;
	default:
		return -EIO;
	}
}
