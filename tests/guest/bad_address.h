/* SPDX-License-Identifier: Apache-2.0 */
/* An address where nothing is, and a count of -1, which the compiler does not see through. */
#pragma once

static void *volatile bad_address = (void *)8;
static volatile int minus_one __attribute__((unused)) = -1;
