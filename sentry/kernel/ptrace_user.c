/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ptrace(2): PEEKUSER and POKEUSER, which see the registers as fields of struct user, the debug
 * registers among them.
 *
 * The debug registers are the processor's own: the platform holds them; what a tracer reads back is
 * kept here.
 */
#include "abi/limits.h"
#include "sentry/kernel/ptrace_registers.h"
#include "sentry/kernel/ptrace_state.h"
#include "sentry/kernel/task_run.h"

#include <errno.h>
#include <string.h>

#define DEBUG_STATUS  6
#define DEBUG_CONTROL 7
#define DEBUG_COUNT   8
/* Of DR6: what reads as one when nothing happened, and the step bit. */
#define DR6_IDLE 0xffff0ff0ull
#define DR6_STEP 0x4000ull

struct debug_write {
	unsigned int index;
	uint64_t value;
};

static int write_debug_register(struct task *tracee, void *argument)
{
	struct debug_write *write = argument;

	return context_set_debug_register(
		tracee->context, mm_address_space(tracee->mm), write->index, write->value);
}

static int64_t poke_debug_register(struct task *tracee, unsigned int index, uint64_t value)
{
	struct ptrace_state *state = tracee->ptrace;
	struct debug_write write = {.index = index, .value = value};
	int err;

	if (index == 4 || index == 5)
		return -EIO;
	if (index < 4 && value >= LINUX_TASK_SIZE)
		return -EINVAL;
	/* A task that has none set is spared the work of clearing them. */
	if (value || state->debug_registers_used) {
		err = task_stop_run(tracee, write_debug_register, &write);
		if (err)
			return err;
		state->debug_registers_used = true;
	}
	state->debug_registers[index] = value;
	return 0;
}

void ptrace_debug_registers_clear(struct task *task)
{
	struct ptrace_state *state = task->ptrace;
	const unsigned int order[] = {DEBUG_CONTROL, 0, 1, 2, 3, DEBUG_STATUS};

	for (size_t i = 0; i < array_count(order) && state->debug_registers_used; i++) {
		struct debug_write write = {.index = order[i]};

		if (state->debug_registers[order[i]])
			(void)!write_debug_register(task, &write);
	}
	ptrace_debug_registers_init(state, NULL);
	state->debug_registers_used = false;
}

void ptrace_debug_registers_init(struct ptrace_state *state, const struct ptrace_state *parent)
{
	memset(state->debug_registers, 0, sizeof(state->debug_registers));
	state->debug_registers[DEBUG_STATUS] = DR6_IDLE;
	if (!parent)
		return;
	state->debug_registers[DEBUG_STATUS] = parent->debug_registers[DEBUG_STATUS];
	state->debug_registers[DEBUG_CONTROL] = parent->debug_registers[DEBUG_CONTROL];
}

/* As Linux: each trap writes it anew. */
void ptrace_debug_registers_read(struct task *task, bool step)
{
	struct ptrace_state *state = task->ptrace;
	uint64_t *status = &state->debug_registers[DEBUG_STATUS];

	*status = DR6_IDLE | (step ? DR6_STEP : 0);
	if (state->debug_registers_used)
		(void)!context_get_debug_register(
			task->context, mm_address_space(task->mm), DEBUG_STATUS, status);
}

static bool is_debug_offset(uint64_t offset)
{
	return offset >= LINUX_USER_OFFSET_U_DEBUGREG &&
	       offset < LINUX_USER_OFFSET_U_DEBUGREG + DEBUG_COUNT * sizeof(uint64_t);
}

static uint64_t peek(struct task *tracee, uint64_t offset)
{
	unsigned int index =
		(unsigned int)(offset - LINUX_USER_OFFSET_U_DEBUGREG) / sizeof(uint64_t);

	if (offset < sizeof(struct linux_user_regs))
		return ptrace_register_get(tracee, offset);
	return is_debug_offset(offset) ? tracee->ptrace->debug_registers[index] : 0;
}

static int64_t poke(struct task *tracee, uint64_t offset, uint64_t value)
{
	unsigned int index =
		(unsigned int)(offset - LINUX_USER_OFFSET_U_DEBUGREG) / sizeof(uint64_t);

	if (offset < sizeof(struct linux_user_regs))
		return ptrace_register_set(tracee, offset, value);
	return is_debug_offset(offset) ? poke_debug_register(tracee, index, value) : -EIO;
}

int64_t ptrace_user_request(
	struct task *task, struct task *tracee, int64_t request, uint64_t address, uint64_t data)
{
	uint64_t value;

	if (address % sizeof(uint64_t) || address >= LINUX_USER_SIZE)
		return -EIO;
	if (request == LINUX_PTRACE_POKEUSR)
		return poke(tracee, address, data);
	value = peek(tracee, address);
	return mm_copy_out(task->mm, data, &value, sizeof(value));
}
