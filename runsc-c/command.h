/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runsc-c/ - the command: one file a subcommand, the jail, the console.
 *
 * A subcommand gets its own name as argv[0] and returns the exit status.
 */
#pragma once

#include "base/compiler.h"
#include "runsc-c/failure.h"

int command_run(int argc, char **argv);
