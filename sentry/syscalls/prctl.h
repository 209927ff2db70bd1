/* SPDX-License-Identifier: Apache-2.0 */
/* prctl(2): the options that are in files of their own. args as the system call's. */
#pragma once

#include "base/compiler.h"
#include "sentry/kernel/task.h"

#include <stdint.h>

must_check int64_t prctl_set_mm(struct task *task, const uint64_t args[6]);
must_check int64_t prctl_set_vma(struct task *task, const uint64_t args[6]);
must_check int64_t prctl_get_auxv(struct task *task, const uint64_t args[6]);

/* Options on credentials; *known is false for those that are none. */
must_check int64_t prctl_credentials(struct task *task, const uint64_t args[6], bool *known);
