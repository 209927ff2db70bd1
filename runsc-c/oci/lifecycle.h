/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of a container's life that several commands take. The state is open, and locked where it
 * says so. */
#pragma once

#include "runsc-c/oci/state.h"

/* Runs the program, the startContainer hooks before it and the poststart hooks after it. Locked. */
must_check int lifecycle_start(struct state *state, struct failure *failure);
/* Removes all that a stopped container leaves, and runs the poststop hooks. Locked. */
must_check int lifecycle_delete(struct state *state, struct failure *failure);
/* Whatever state it is in. Locked. */
must_check int lifecycle_kill_and_delete(struct state *state, struct failure *failure);
/* Error unless it is created, running or paused. */
must_check int lifecycle_check_alive(const struct state *state, struct failure *failure);
