/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each user has of the things that are limited per user and not per process: RLIMIT_NPROC,
 * RLIMIT_SIGPENDING, RLIMIT_MSGQUEUE. Users are global ids; no lock is needed.
 */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

enum user_resource {
	USER_TASKS,	  /* each counts for its real user id */
	USER_SIGNALS,	  /* queued */
	USER_QUEUE_BYTES, /* of POSIX message queues */
	USER_FANOTIFY_GROUPS,
	USER_FANOTIFY_MARKS,
	USER_RESOURCES
};

/* False: the user would have more than limit, or memory is out; nothing changed then. */
must_check bool user_count_add(
	enum user_resource resource, uint32_t uid, uint64_t amount, uint64_t limit);
/* Takes back what user_count_add() added. */
void user_count_remove(enum user_resource resource, uint32_t uid, uint64_t amount);
uint64_t user_count_of(enum user_resource resource, uint32_t uid);
