/* SPDX-License-Identifier: Apache-2.0 */
/* membarrier(2). */
#pragma once

#include "base/compiler.h"

#include <stdint.h>

struct task;

must_check int64_t membarrier(struct task *task, int command, unsigned int flags, int cpu);
