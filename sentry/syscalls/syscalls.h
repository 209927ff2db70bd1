/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sentry/syscalls/ - the entry of every system call.
 *
 * A handler is thin: it narrows each argument explicitly, copies in, validates, calls the room that
 * does the work, and copies out. It returns the result, a negative errno, or one of the restart
 * codes of sentry/kernel/signal.h. The rows and the declarations of all handlers come from
 * abi/syscalls.def.
 */
#pragma once

#include "base/compiler.h"

#include <stdint.h>

struct task;

/*
 * args are rdi, rsi, rdx, r10, r8, r9 as the guest left them: the upper halves of narrow ones are
 * garbage.
 */
typedef int64_t syscall_handler(struct task *task, const uint64_t args[6]);

enum syscall_state { SYSCALL_MISSING, SYSCALL_PARTIAL, SYSCALL_FULL };

struct syscall_row {
	syscall_handler *handler;
	const char *name;
	const char *arguments; /* words of abi/syscalls.def, for the tracer */
	const char *result;
	uint16_t number;
	uint8_t state; /* enum syscall_state */
};

/* One more than the greatest number in the table. */
#define SYSCALL_LIMIT 470

/* The row of a number; NULL if Linux has no such system call: ENOSYS then. */
const struct syscall_row *syscall_lookup(uint64_t number);

struct file;
/* What copy_file_range(2) and FICLONE ask first: types, modes, immutable (copy.c). */
int file_check_copy(const struct file *in, const struct file *out);
/* FS_IOC_GETFLAGS and its like, on any file; -ENOTTY where there are no flags (file_attr.c). */
int64_t file_flags_ioctl(
	struct task *task, struct file *file, uint32_t command, uint64_t address);

#define SYSCALL(number, name, handler, state, arguments, result, note) syscall_handler handler;
#include "abi/syscalls.def"
#undef SYSCALL
