/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sentry's side of containers: the first one, which the sentry was made for, and what commands
 * ask for over the control socket while it lives: starting, signals, pauses, further processes,
 * further containers of the same pod.
 */
#pragma once

#include "runsc-c/failure.h"
#include "runsc-c/oci/launch.h"

struct server_launch {
	struct oci_spec *spec;
	struct oci_launch *launch;
	int listener;	      /* the control socket */
	int signals;	      /* a signalfd of those that are passed on to the first process; -1 */
	int console;	      /* the terminal whose size is watched; -1 */
	uint64_t host_memory; /* the limit of the host's cgroup, in bytes; 0: none */
};

/* The kernel runs: makes the first container, parked. After an error the sentry ends. */
must_check int server_create(
	struct server_launch *launch, unsigned int host_ids, struct failure *failure);
/* Serves until the first container has ended, and all others with it. The status to exit with. */
int server_run(struct server_launch *launch);
