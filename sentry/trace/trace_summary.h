/* SPDX-License-Identifier: Apache-2.0 */
/* The table of counts and times, as strace -c prints it. */
#pragma once

#include "base/text_writer.h"

#include <stdbool.h>
#include <stdint.h>

/* Adds a call that returned; the writer's lock is held. */
void trace_summary_add(uint64_t number, int64_t duration_ns, bool failed);
/* The whole table, the calls that took longest first. */
void trace_summary_print(struct text_writer *out);
