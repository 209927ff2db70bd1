/* SPDX-License-Identifier: Apache-2.0 */
/* The one source of randomness: getrandom(2), /dev/urandom, AT_RANDOM, address layout and
 * everything else draw from here. */
#pragma once

#include "base/compiler.h"

#include <stddef.h>
#include <stdint.h>

/* Any thread, any lock. Cannot fail. */
void random_bytes(void *buffer, size_t size);
uint64_t random_u64(void);
