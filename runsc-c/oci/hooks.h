/* SPDX-License-Identifier: Apache-2.0 */
/* Hooks: programs of the host's that the engine wants run at points of a container's life, the
 * state on their stdin. */
#pragma once

#include "runsc-c/oci/spec.h"

#include <sys/types.h>

/*
 * Runs those of a stage in order. network_of: in the network namespace of this process; 0: the
 * caller's. The first that fails, or lasts longer than its timeout, is the error.
 */
must_check int hooks_run(const struct oci_hooks *hooks, const char *stage, json_t *state,
	pid_t network_of, struct failure *failure);
/* The same where failures are no errors: each is logged, and the rest run. */
void hooks_run_all(const struct oci_hooks *hooks, const char *stage, json_t *state);
