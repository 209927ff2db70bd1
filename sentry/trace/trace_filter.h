/* SPDX-License-Identifier: Apache-2.0 */
/* Which events a trace shows: the lists that follow -e, as strace(1) takes them. */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_CALL_LIMIT 512

struct trace_filter {
	uint64_t hidden[TRACE_CALL_LIMIT / 64]; /* a bit for each system call's number */
	uint64_t hidden_signals;		/* a bit for each signal, from 0 for signal 1 */
	bool only_failed, only_successful;	/* of system calls */
};

/*
 * Adds what one -e says: [trace=|t=]LIST of names and %classes, signal=LIST,
 * status=failed|successful|all, each list also with ! in front, "all" or "none". False, with one
 * line in error, for what there is not.
 */
must_check bool trace_filter_add(
	struct trace_filter *filter, const char *expression, char *error, size_t error_size);

static inline bool trace_filter_shows(const struct trace_filter *filter, unsigned int number)
{
	return number >= TRACE_CALL_LIMIT || !(filter->hidden[number / 64] >> number % 64 & 1);
}

static inline bool trace_filter_shows_signal(const struct trace_filter *filter, int signal)
{
	return !(filter->hidden_signals >> (signal - 1) & 1);
}
