/* SPDX-License-Identifier: Apache-2.0 */
/* unshare(2) and setns(2): a running task leaves what it shares, or enters other namespaces. */
#pragma once

#include "base/compiler.h"

#include <stdint.h>

struct task;

must_check int task_unshare(struct task *task, uint64_t flags);
must_check int task_setns(struct task *task, int fd, int type);
