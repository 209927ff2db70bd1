/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The debug registers of a guest thread, through the host's own ones. The host checks DR7 and arms
 * only what user mode may watch; addresses outside the guest's are refused here.
 */
#include "platform/ptrace/ptrace_platform.h"

#include "base/log.h"

#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#define DR6_STATUS  6
#define DR7_CONTROL 7

static bool is_valid(unsigned int index)
{
	return index <= DR7_CONTROL && index != 4 && index != 5;
}

static void *offset_of(unsigned int index)
{
	return (void *)(offsetof(struct user, u_debugreg) + index * sizeof(uint64_t));
}

static int poke(struct stub_thread *thread, unsigned int index, uint64_t value)
{
	if (!ptrace(PTRACE_POKEUSER, thread->tid, offset_of(index), (void *)value))
		return 0;
	panic_if(errno == ESRCH, "stub thread %d: PTRACE_POKEUSER: %s", thread->tid,
		strerror(errno));
	return -errno;
}

void debug_registers_reset(struct stub_thread *thread)
{
	static const unsigned int order[] = {DR7_CONTROL, 0, 1, 2, 3, DR6_STATUS};

	for (size_t i = 0; i < array_count(order); i++)
		panic_if(poke(thread, order[i], 0), "stub thread %d: debug register %u: %s",
			thread->tid, order[i], strerror(errno));
	thread->debug_used = false;
}

int ptrace_context_get_debug_register(
	struct context *context, struct address_space *as, unsigned int index, uint64_t *value)
{
	struct stub_thread *thread;
	int r;

	if (!is_valid(index))
		return -EIO;
	r = context_bind(ptrace_context_of(context), ptrace_address_space_of(as), &thread);
	if (r)
		return r;
	errno = 0;
	*value = (uint64_t)ptrace(PTRACE_PEEKUSER, thread->tid, offset_of(index), NULL);
	panic_if(errno, "stub thread %d: PTRACE_PEEKUSER: %s", thread->tid, strerror(errno));
	/* The host accumulates DR6 even when the guest never armed anything: by steps. */
	thread->debug_used = true;
	return 0;
}

int ptrace_context_set_debug_register(
	struct context *context, struct address_space *as, unsigned int index, uint64_t value)
{
	struct stub_thread *thread;
	int r;

	if (!is_valid(index))
		return -EIO;
	if (index < 4 && value > PLATFORM_GUEST_MAX - sizeof(uint64_t))
		return -EINVAL;
	r = context_bind(ptrace_context_of(context), ptrace_address_space_of(as), &thread);
	if (r)
		return r;
	thread->debug_used = true;
	return poke(thread, index, value);
}
