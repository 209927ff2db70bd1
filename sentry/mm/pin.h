/* SPDX-License-Identifier: Apache-2.0 */
/* Pins of several pieces of guest memory at once, for iov_iter. */
#pragma once

#include "sentry/mm/mm.h"

/* Adds what fits of [address, address + size) to a pin; bytes covered, 0 at a fault. pin->count
 * must be set. */
size_t mm_pin_more(struct mm *mm, gaddr_t address, size_t size, bool write, struct mm_pin *pin);
