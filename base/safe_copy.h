/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies that survive a fault: a page behind a truncated host file raises SIGBUS in whoever touches
 * it. The handler, installed once by safe_copy_init(), turns a fault inside these functions into a
 * short count; a fault anywhere else is the sentry's own and panics.
 */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>

void safe_copy_init(void);
/* Bytes copied before a fault; size when there was none. */
must_check size_t safe_copy(void *destination, const void *source, size_t size);
must_check size_t safe_zero(void *destination, size_t size);
must_check bool safe_load_u32(const void *address, uint32_t *value);
/* False on a fault; *actual is what was there, equal to expected when the exchange was made. */
must_check bool safe_cmpxchg_u32(
	void *address, uint32_t expected, uint32_t desired, uint32_t *actual);
