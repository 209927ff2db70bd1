/* SPDX-License-Identifier: Apache-2.0 */
/* What a run touched, each path and address once, with all that was done to it. */
#pragma once

/* Takes RANK_LEAF. Past a bound, what is new is left out, and the log says so. */
void policy_learn(const char *text, unsigned int access);
/* When no task runs any more: writes records, and forgets all. */
void policy_learn_write(int fd);
