/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process on the host that stands for one inside: its signals go there, and its status is what
 * the other's was. When it dies, the other is killed.
 */
#pragma once

#include "runsc-c/failure.h"

#include <stdbool.h>

/* Blocks what is passed on; a descriptor to read signals from, -1 on failure. Once, before the
 * process inside starts. */
int relay_take_signals(void);
/*
 * Until the process behind the connection has ended: the status to exit with. terminal: the one
 * whose size is watched; -1. callers: it is the caller's own, and in raw mode meanwhile.
 */
int relay_run(int socket, int signals, int terminal, bool callers);
/*
 * A process of its own does that, detached from everything the caller has open. Its number in *pid.
 * memory_limit: the file with the limit of its cgroup, which it runs into if what it stands for ran
 * out of memory; NULL.
 */
must_check int relay_detach(int socket, int signals, int terminal, const char *memory_limit,
	int *pid, struct failure *failure);
/* wait(2)'s status as one to exit with. */
int relay_exit_status(int status);
