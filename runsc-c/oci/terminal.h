/* SPDX-License-Identifier: Apache-2.0 */
/* Terminals of containers: a pseudoterminal of the host's, whose master goes to the engine; or the
 * caller's own. */
#pragma once

#include "runsc-c/failure.h"

#include <stdbool.h>
#include <stdint.h>

struct terminal {
	int fd; /* the end that the sentry gets; -1: none */
	uint16_t rows, columns;
	bool is_callers; /* the caller's own, to be put into raw mode */
};

/*
 * console_socket: a pair is made, and its master sent there. NULL: the caller's terminal, which
 * stdin must be. rows and columns: 0 where the config does not say.
 */
must_check int terminal_open(struct terminal *terminal, const char *console_socket, uint32_t rows,
	uint32_t columns, struct failure *failure);
