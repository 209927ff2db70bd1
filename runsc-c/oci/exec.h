/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a further process in a container that lives. */
#pragma once

#include "runsc-c/oci/state.h"
#include "runsc-c/oci/terminal.h"

struct exec_request {
	struct state *state;
	json_t *process; /* as config.json has it */
	int input;	 /* in place of standard input, if not 0; the caller's */
	int preserved;	 /* descriptors from 3 on that are passed on */
	struct terminal terminal;
};

/* Starts it: the connection that its life hangs on, or -1. */
int exec_start(const struct exec_request *request, struct failure *failure);
/* The same, and its status; -1 with failure filled if it did not start. */
int exec_and_wait(const struct exec_request *request, struct failure *failure);
