/* SPDX-License-Identifier: Apache-2.0 */
/* Resource limits (getrlimit(2)): per process, soft and hard. */
#pragma once

#include "abi/resource.h"
#include "base/compiler.h"

struct thread_group;

/* The soft limit of the current task's process; LINUX_RLIM_INFINITY on threads of the sentry's own.
 */
uint64_t rlimit_current(unsigned int resource);
uint64_t rlimit_of(struct thread_group *group, unsigned int resource);
/* prlimit(2) on a process; limit NULL to look only. *old is what was there. -EINVAL, -EPERM for who
 * may not raise. The current task's credentials count. */
must_check int rlimit_exchange(struct thread_group *group, unsigned int resource,
	const struct linux_rlimit64 *limit, struct linux_rlimit64 *old);
