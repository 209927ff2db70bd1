/* SPDX-License-Identifier: Apache-2.0 */
/* Structures that grew over time: a guest may know a shorter or a longer one (clone3(2),
 * sched_setattr(2)). */
#pragma once

#include "base/compiler.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <string.h>

/*
 * Copies a structure of the guest's size in; what the guest does not know is zero. -EINVAL below
 * least bytes; -E2BIG if it is longer and says something in what we do not know, or is longer than
 * a page.
 */
must_check static inline int struct_in(struct task *task, void *to, size_t size, gaddr_t address,
	uint64_t guest_size, size_t least)
{
	uint8_t rest[8];

	if (guest_size > PAGE_SIZE)
		return -E2BIG;
	if (guest_size < least)
		return -EINVAL;
	memset(to, 0, size);
	if (mm_copy_in(task->mm, to, address, min_u64(size, guest_size)))
		return -EFAULT;
	/* Word by word: what stands before memory that is not there counts. */
	for (uint64_t at = size, piece; at < guest_size; at += piece) {
		piece = min_u64(sizeof(rest) - (address + at) % sizeof(rest), guest_size - at);

		if (mm_copy_in(task->mm, rest, address + at, piece))
			return -EFAULT;
		for (size_t i = 0; i < piece; i++) {
			if (rest[i])
				return -E2BIG;
		}
	}
	return 0;
}
