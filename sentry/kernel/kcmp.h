/* SPDX-License-Identifier: Apache-2.0 */
/* kcmp(2): do two processes share something? */
#pragma once

#include "base/compiler.h"

#include <stdint.h>

struct task;

/* 0 equal, 1 less, 2 greater, in an order that tells nothing of addresses. -ESRCH, -EPERM, -EBADF,
 * -EINVAL. */
must_check int64_t task_kcmp(struct task *task, int first, int second, int type,
	uint64_t first_index, uint64_t second_index);
