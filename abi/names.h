/* SPDX-License-Identifier: Apache-2.0 */
/* Names of errors and signals, for the tracer and for messages. */
#pragma once

/* "ENOENT" for 2, the kernel's own restart codes included; NULL for a number that has no name. */
const char *linux_errno_name(int number);

/* "SIGINT" for 2, "SIGRT_1" and the like for real-time signals; NULL outside 1 to 64. */
const char *linux_signal_name(int signal);

/* The number of "SIGINT" or "INT", in either case; -1 if there is none. */
int linux_signal_number(const char *name);
