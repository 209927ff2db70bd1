/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The caller's terminal. While a guest has it, it is in raw mode, and the guest's own line
 * discipline does what the host's did: echo, Ctrl-C, Ctrl-Z. It goes back to what it was whenever
 * the command stops or ends.
 */
#pragma once

#include "base/compiler.h"
#include "sentry/kernel/kernel.h"

#include <stdbool.h>

/* Fills console with the terminal on fd, if it is one; tells whether. */
bool console_open(int fd, struct sandbox_console *console);
/* Is the command in the terminal's foreground? */
bool console_is_ours(void);
/* It is, and there is a shell with job control that gave it to us. */
must_check bool console_has_shell(void);
/* Output to that goes to another program, which may write to the terminal itself. */
must_check bool console_is_beside(int fd);
/* Raw mode, unless the command is in the background; tells whether. Repeat after a stop. */
bool console_take(void);
void console_give_back(void);
bool console_size(uint16_t *rows, uint16_t *columns);
