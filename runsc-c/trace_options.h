/* SPDX-License-Identifier: Apache-2.0 */
/* The options of `csandbox trace`, and where a trace goes. */
#pragma once

#include "runsc-c/failure.h"
#include "sentry/trace/trace.h"

#include <argp.h>
#include <stdbool.h>

struct trace_options {
	bool on;
	const char *file; /* NULL: standard error */
	struct trace_config config;
	char error[160]; /* what was wrong with an -e */
	int next;	 /* the first argument behind the last of these options */
};

/* For argp, with a struct trace_options as its input. */
extern const struct argp trace_argp;

/* Opens what the trace is written to, in config.fd. */
must_check int trace_options_open(struct trace_options *options, struct failure *failure);
