/* SPDX-License-Identifier: Apache-2.0 */
/* The limits of a sandbox, as options have them. */
#pragma once

#include "runsc-c/failure.h"
#include "sentry/kernel/kernel.h"

#include <stddef.h>

#define LIMIT_COUNT 10

/* One limit: what it is called in options, results and texts, and where it is kept. */
struct limit_option {
	const char *name;
	enum limit_kind { LIMIT_DURATION, LIMIT_SIZE, LIMIT_NUMBER, LIMIT_PROCESSORS } kind;
	size_t offset;		 /* of a uint64_t in struct sandbox_limits */
	uint64_t smallest;	 /* that a sandbox can be run with */
	const char *carried_out; /* by our kernel */
	const char *unit;	 /* in the result */
};
extern const struct limit_option limit_options[LIMIT_COUNT];

static inline uint64_t limit_value(
	const struct limit_option *option, const struct sandbox_limits *limits)
{
	return *(const uint64_t *)((const char *)limits + option->offset);
}

/* Sets limit_options[index]. -1: failure is filled. */
must_check int limit_option_set(
	struct sandbox_limits *limits, int index, const char *text, struct failure *failure);
/* As people type it; "-" if it is not set. */
void limit_format(const struct limit_option *option, uint64_t value, char *text, size_t size);
/* --show-limits: on standard output, with what a cgroup of the host carries out besides. */
void limits_show(const struct sandbox_limits *limits);
