/* SPDX-License-Identifier: Apache-2.0 */
/* The table of system calls, in constant time, and the handler of those that are missing. */
#include "sentry/syscalls/syscalls.h"

#include "base/log.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <stdatomic.h>

static const struct syscall_row syscall_rows[SYSCALL_LIMIT] = {
#define SYSCALL(nr, call, function, completeness, words, value, note)                              \
	[nr] = {                                                                                   \
		.handler = function,                                                               \
		.name = #call,                                                                     \
		.arguments = words,                                                                \
		.result = value,                                                                   \
		.number = nr,                                                                      \
		.state = SYSCALL_##completeness,                                                   \
	},
#include "abi/syscalls.def"
#undef SYSCALL
};

/* A bit for each number that was logged. */
static _Atomic uint64_t syscalls_logged[(SYSCALL_LIMIT + 63) / 64];

const struct syscall_row *syscall_lookup(uint64_t number)
{
	if (number >= SYSCALL_LIMIT || !syscall_rows[number].handler)
		return NULL;
	return &syscall_rows[number];
}

int64_t sys_missing(struct task *task, const uint64_t args[6])
{
	const struct syscall_row *row = syscall_lookup(task->syscall_number);
	uint64_t bit, before;

	if (!row)
		return -ENOSYS;
	bit = 1ULL << row->number % 64;
	before = atomic_fetch_or_explicit(
		&syscalls_logged[row->number / 64], bit, memory_order_relaxed);
	if (!(before & bit))
		log_info("system call %s (%u) is not there: ENOSYS", row->name,
			(unsigned int)row->number);
	return -ENOSYS;
}
