/* SPDX-License-Identifier: Apache-2.0 */
/* Single registers of a frozen tracee, by their offset in struct linux_user_regs. */
#pragma once

#include "base/compiler.h"

#include <stddef.h>
#include <stdint.h>

struct task;

uint64_t ptrace_register_get(struct task *tracee, size_t offset);
/* -EIO for values that user mode may not have. */
must_check int ptrace_register_set(struct task *tracee, size_t offset, uint64_t value);
