/* SPDX-License-Identifier: Apache-2.0 */
/* Amounts as people type them. */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All: false for what is no such amount, is too large, or is nothing at all. */

/* Bytes: 4096, 512K, 1.5G, 64MiB; the units are powers of 1024. */
must_check bool units_parse_size(const char *text, uint64_t *bytes);
/* Nanoseconds: 90, 90s, 1.5h, 250ms, 1m30s; without a unit, seconds. */
must_check bool units_parse_duration(const char *text, uint64_t *ns);
/* A plain number, in thousandths: 0.5, 2. */
must_check bool units_parse_thousandths(const char *text, uint64_t *thousandths);
must_check bool units_parse_count(const char *text, uint64_t *count);

/* As they are read best; the text is cut to size. */
void units_format_size(uint64_t bytes, char *text, size_t size);
void units_format_duration(uint64_t ns, char *text, size_t size);
